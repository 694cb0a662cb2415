//! Who gets in, who does not, and in which words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use sdc::emulator::{Emulator, Options};
use sha2::{Digest, Sha256, Sha384, Sha512};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData};

use super::ssh_keygen_interop::{authorization, get, http_date, key_id, options, rsa_sha256, send, signed, stepped};

/// Refused with 400 at parse, in these words.
async fn malformed(emulator: &Emulator, authorization: &str, date: Option<&str>, words: &str) {
    let mut headers = vec![("Authorization", authorization)];
    headers.extend(date.map(|date| ("Date", date)));
    let got = send(emulator, "GET", "/acme/keys", &headers, "").await;
    assert_eq!((got.status, got.code().as_str()), (400, "InvalidHeader"), "{authorization}: {got:?}");
    assert_eq!(got.message(), format!("Authorization header invalid: {words}"), "{authorization}");
    for name in ["Request-Id", "Api-Version", "Server"] {
        assert_eq!(got.header(name), None, "too early for {name}");
    }
}

/// Signs lines named by `headers`, given their text.
fn covering(emulator: &Emulator, headers: &str, text: &str) -> String {
    format!(
        "Signature keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{headers}\",signature=\"{}\"",
        key_id(emulator),
        rsa_sha256(emulator, text)
    )
}

#[tokio::test]
async fn covered_headers_may_be_many_and_in_any_order_and_case() {
    let emulator = stepped().await;
    let date = http_date(0);
    let id = key_id(&emulator);
    let path = "/acme/keys?x=%20y";
    for (headers, text) in [
        ("date", format!("date: {date}")),
        ("(request-target) date", format!("(request-target): get {path}\ndate: {date}")),
        ("Date Host accept", format!("date: {date}\nhost: localhost\naccept: application/json")),
        ("request-line date", format!("GET {path} HTTP/1.1\ndate: {date}")),
        ("(keyid) date (algorithm)", format!("(keyid): {id}\ndate: {date}\n(algorithm): rsa-sha256")),
    ] {
        let authorization = covering(&emulator, headers, &text);
        let all = [("Date", date.as_str()), ("Accept", "application/json"), ("Authorization", authorization.as_str())];
        let got = send(&emulator, "GET", path, &all, "").await;
        assert_eq!(got.status, 200, "{headers}: {got:?}");
    }
}

#[tokio::test]
async fn a_signature_over_another_path_is_refused() {
    let emulator = stepped().await;
    let date = http_date(0);
    let authorization =
        covering(&emulator, "(request-target) date", &format!("(request-target): get /acme/machines\ndate: {date}"));
    let headers = [("Date", date.as_str()), ("Authorization", authorization.as_str())];
    let got = send(&emulator, "GET", "/acme/keys", &headers, "").await;
    assert_eq!((got.status, got.code().as_str()), (401, "InvalidCredentials"));
    assert_eq!(got.message(), "Invalid authorization credentials supplied");
    assert_eq!(got.header("WWW-Authenticate"), None);
}

#[tokio::test]
async fn the_date_must_be_there_be_signed_and_be_near() {
    let emulator = stepped().await;
    for offset in [-290, 290] {
        let date = http_date(offset);
        let authorization = authorization(&emulator, &date);
        let headers = [("Date", date.as_str()), ("Authorization", authorization.as_str())];
        assert_eq!(send(&emulator, "GET", "/acme", &headers, "").await.status, 200, "{offset}");
    }
    for offset in [-310, 312] {
        let date = http_date(offset);
        let authorization = authorization(&emulator, &date);
        let headers = [("Date", date.as_str()), ("Authorization", authorization.as_str())];
        let got = send(&emulator, "GET", "/acme", &headers, "").await;
        assert_eq!((got.status, got.code().as_str()), (400, "InvalidHeader"));
        let words = got.message();
        assert!(words.starts_with("Authorization header invalid: clock skew of 31"), "{words}");
        assert!(words.ends_with("s was greater than 300s"), "{words}");
    }
    let date = http_date(0);
    let unsigned = covering(&emulator, "(request-target)", "(request-target): get /acme/keys");
    malformed(&emulator, &unsigned, Some(&date), "date was not a signed header").await;
    malformed(&emulator, &authorization(&emulator, &date), None, "date was not in the request").await;
    let absent = covering(&emulator, "date x-nope", "");
    malformed(&emulator, &absent, Some(&date), "x-nope was not in the request").await;
    // What cannot be read as a date is let through.
    let headers = [("Date", "yesterday"), ("Authorization", &authorization(&emulator, "yesterday"))];
    assert_eq!(send(&emulator, "GET", "/acme", &headers, "").await.status, 200);
    let iso = "2017-01-05T21:31:40Z";
    let headers = [("Date", iso), ("Authorization", &authorization(&emulator, iso))];
    assert_eq!(send(&emulator, "GET", "/acme", &headers, "").await.status, 400);
}

#[tokio::test]
async fn a_malformed_header_is_refused_with_the_parsers_words() {
    let emulator = stepped().await;
    let date = http_date(0);
    let good = authorization(&emulator, &date);
    for (header, words) in [
        (good.replace(",algorithm", ", algorithm"), "bad param format"),
        (good.replace("Signature ", "Signature  "), "bad param format"),
        (good.replace("\"rsa-sha256\"", "rsa-sha256"), "bad param format"),
        (good.replace("Signature ", "signature "), "scheme was not \"Signature\""),
        (good.replace("keyId", "keyid"), "keyId was not specified"),
        (good.replace("rsa-sha256", "hs2019"), "hs2019 is not supported"),
        (good.replace("rsa-sha256", "rsa-sha384"), "rsa-sha384 is not supported"),
        (good.replace("rsa-sha256", "ecdsa-sha384"), "ecdsa-sha384 is not supported"),
        (good.replace("rsa-sha256", "ed25519"), "ed25519 is not supported"),
        (good.replace("rsa-sha256", "hmac-sha256"), "hmac-sha256 is not supported"),
        (good.replace("rsa-sha256", "ssh-rsa"), "ssh-rsa is not supported"),
        (good.replace("rsa-sha256", "rsa-md5"), "rsa-md5 is not supported"),
        (good.replace("rsa-sha256", "ed25519-sha256"), "ed25519-sha256 is not supported"),
        (good.replace("rsa-sha256", "ed25519-sha1"), "ed25519-sha1 is not supported"),
        (good.replace("rsa-sha256", "ecdsa-sha1"), "ecdsa-sha1 is not supported"),
        (good.replace("rsa-sha256", "dsa-sha512"), "dsa-sha512 is not supported"),
    ] {
        malformed(&emulator, &header, Some(&date), words).await;
    }
    let got = send(&emulator, "GET", "/acme", &[("Authorization", "Signature")], "").await;
    assert_eq!((got.status, got.message().as_str()), (400, "BasicAuth content is invalid."));
}

#[tokio::test]
async fn dsa_is_understood_but_never_good() {
    let emulator = stepped().await;
    let date = http_date(0);
    for name in ["dsa-sha1", "dsa-sha256"] {
        let header = authorization(&emulator, &date).replace("rsa-sha256", name);
        let got = send(&emulator, "GET", "/acme", &[("Date", &date), ("Authorization", &header)], "").await;
        assert_eq!((got.status, got.code().as_str()), (401, "InvalidCredentials"), "{name}");
    }
}

#[tokio::test]
async fn a_bad_header_fails_even_the_ping() {
    let emulator = stepped().await;
    assert_eq!(send(&emulator, "GET", "/--ping", &[], "").await.status, 200);
    let got = send(&emulator, "GET", "/--ping", &[("Authorization", "Signature nonsense")], "").await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn without_a_signature_nobody_gets_in() {
    let emulator = stepped().await;
    for header in [None, Some("Basic YTpi"), Some("Bearer abc")] {
        let headers: Vec<_> = header.map(|value| ("Authorization", value)).into_iter().collect();
        let got = send(&emulator, "GET", "/acme/keys", &headers, "").await;
        assert_eq!((got.status, got.code().as_str()), (401, "InvalidCredentials"), "{header:?}");
        assert_eq!(got.message(), "You must make authenticated requests to use CloudAPI");
    }
}

#[tokio::test]
async fn key_ids_of_other_shapes_are_refused_each_in_its_words() {
    let emulator = stepped().await;
    let date = http_date(0);
    let good = authorization(&emulator, &date);
    let md5 = emulator.key_id().to_owned();
    let id = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
    let wrong = "Invalid authorization credentials supplied";
    let shape = |id: &str| format!("Invalid KeyId {id} in authorization header");
    for (key_id, status, words) in [
        (format!("/{id}/keys/{md5}"), 200, String::new()),
        ("/acme/keys/emulator".to_owned(), 200, String::new()),
        (format!("/acme/keys/MD5:{md5}"), 401, wrong.to_owned()),
        (format!("/acme/keys/{}", md5.to_uppercase()), 401, wrong.to_owned()),
        (format!("/acme/keys/{}", md5.replace(':', "")), 401, wrong.to_owned()),
        ("/acme/keys/SHA256:abcdef".to_owned(), 401, wrong.to_owned()),
        ("/acme/keys/*".to_owned(), 401, wrong.to_owned()),
        (format!("/Acme/keys/{md5}"), 401, wrong.to_owned()),
        (format!("/my/keys/{md5}"), 401, wrong.to_owned()),
        (format!("/nobody/keys/{md5}"), 401, wrong.to_owned()),
        (format!("acme/keys/{md5}"), 401, shape(&format!("acme/keys/{md5}"))),
        (format!("/acme/keys/{md5}/"), 401, shape(&format!("/acme/keys/{md5}/"))),
        (md5.clone(), 401, shape(&md5)),
    ] {
        let header = good.replace(&format!("/acme/keys/{md5}"), &key_id);
        let headers = [("Date", date.as_str()), ("Authorization", header.as_str())];
        let got = send(&emulator, "GET", "/acme/keys", &headers, "").await;
        assert_eq!((got.status, got.message()), (status, words), "{key_id}");
    }
    let header = good.replace(&md5, "");
    let headers = [("Date", date.as_str()), ("Authorization", header.as_str())];
    let got = send(&emulator, "GET", "/acme/keys", &headers, "").await;
    assert_eq!((got.status, got.code().as_str()), (500, "InternalError"));
}

#[tokio::test]
async fn the_oldest_form_signs_values_alone_and_is_for_rsa() {
    let emulator = stepped().await;
    let date = http_date(0);
    let id = key_id(&emulator);
    let with = |algorithm: &str, more: &str, text: &str| {
        format!("Signature keyId=\"{id}\",algorithm=\"{algorithm}\"{more} {}", rsa_sha256(&emulator, text))
    };
    for header in [
        with("rsa-sha256", "", &date),
        with("RSA-SHA256", "", &date),
        with("rsa-sha256", ",headers=\"date host\"", &format!("{date}\nlocalhost")),
    ] {
        let headers = [("Date", date.as_str()), ("Authorization", header.as_str())];
        let got = send(&emulator, "GET", "/acme", &headers, "").await;
        assert_eq!(got.status, 200, "{header}: {got:?}");
    }
    let header = with("rsa-sha256", "", &format!("date: {date}"));
    let headers = [("Date", date.as_str()), ("Authorization", header.as_str())];
    assert_eq!(send(&emulator, "GET", "/acme", &headers, "").await.status, 401);
    for algorithm in ["ecdsa-sha256", "ed25519-sha512"] {
        malformed(&emulator, &with(algorithm, "", &date), Some(&date), "bad param format").await;
    }
}

#[tokio::test]
async fn x_date_is_good_until_the_first_malformed_header() {
    let emulator = stepped().await;
    let date = http_date(0);
    let header = covering(&emulator, "x-date", &format!("x-date: {date}"));
    let headers = [("X-Date", date.as_str()), ("Authorization", header.as_str())];
    assert_eq!(send(&emulator, "GET", "/acme", &headers, "").await.status, 200);
    send(&emulator, "GET", "/acme", &[("Authorization", "Signature nonsense")], "").await;
    let got = send(&emulator, "GET", "/acme", &headers, "").await;
    assert_eq!(got.message(), "Authorization header invalid: date was not a signed header");
    assert_eq!(get(&emulator, "/acme").await.status, 200);
}

fn line(key: KeyData, comment: &str) -> String {
    ssh_key::PublicKey::new(key, comment).to_openssh().unwrap()
}

#[tokio::test]
async fn every_curve_gets_in_with_sha256_and_sha512_and_ed25519_with_its_own() {
    let random = &mut rsa::rand_core::OsRng;
    let p256 = p256::ecdsa::SigningKey::random(random);
    let p384 = p384::ecdsa::SigningKey::random(random);
    let p521 = p521::ecdsa::SigningKey::random(random);
    let mut seed = [0; 32];
    rsa::rand_core::RngCore::fill_bytes(random, &mut seed);
    let ed = ed25519_dalek::SigningKey::from_bytes(&seed);
    let ecdsa = |point: &[u8]| KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(point).unwrap());
    let authorize = vec![
        line(ecdsa(p256.verifying_key().to_encoded_point(false).as_bytes()), "p256"),
        line(ecdsa(p384.verifying_key().to_encoded_point(false).as_bytes()), "p384"),
        line(ecdsa(p521::ecdsa::VerifyingKey::from(&p521).to_encoded_point(false).as_bytes()), "p521"),
        line(KeyData::Ed25519(Ed25519PublicKey(ed.verifying_key().to_bytes())), "ed"),
    ];
    let emulator = Emulator::start(Options { authorize, ..options() }).await.unwrap();
    let date = http_date(0);
    let text = format!("date: {date}");
    let (h256, h512) = (Sha256::digest(&text).to_vec(), Sha512::digest(&text).to_vec());
    // The curve's crate takes no digest shorter than half its field: zeros in front change nothing.
    let padded = [vec![0; 34], h256.clone()].concat();
    let h384 = Sha384::digest(&text).to_vec();
    let p256 = |hash: &[u8]| -> Vec<u8> {
        let signature: p256::ecdsa::Signature = p256.sign_prehash(hash).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    let p384 = |hash: &[u8]| -> Vec<u8> {
        let signature: p384::ecdsa::Signature = p384.sign_prehash(hash).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    let p521 = |hash: &[u8]| -> Vec<u8> {
        let signature: p521::ecdsa::Signature = p521.sign_prehash(hash).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    let ed = ed25519_dalek::Signer::sign(&ed, text.as_bytes()).to_bytes().to_vec();
    for (key, algorithm, signature, status) in [
        ("p256", "ecdsa-sha256", p256(&h256), 200),
        ("p256", "ecdsa-sha512", p256(&h512), 200),
        ("p384", "ecdsa-sha256", p384(&h256), 200),
        ("p384", "ECDSA-SHA512", p384(&h512), 200),
        ("p384", "ecdsa-sha384", p384(&h384), 400),
        ("p521", "ecdsa-sha256", p521(&padded), 200),
        ("p521", "ecdsa-sha512", p521(&h512), 200),
        ("ed", "ed25519-sha512", ed.clone(), 200),
        ("p256", "rsa-sha256", p256(&h256), 401),
        ("p256", "ecdsa-sha256", p256(&h512), 401),
        ("p384", "ecdsa-sha256", p256(&h256), 401),
        ("ed", "ecdsa-sha256", ed, 401),
        ("p256", "ecdsa-sha256", Vec::from("not der"), 401),
    ] {
        let signature = STANDARD.encode(signature);
        let header =
            format!("Signature keyId=\"/acme/keys/{key}\",algorithm=\"{algorithm}\",signature=\"{signature}\"");
        let headers = [("Date", date.as_str()), ("Authorization", header.as_str())];
        let got = send(&emulator, "GET", "/acme", &headers, "").await;
        assert_eq!(got.status, status, "{key} {algorithm}: {got:?}");
    }
}

/// An emulator where the account's own key is the sub-user's too.
async fn with_user() -> Emulator {
    let public = {
        let other = stepped().await;
        std::fs::read_to_string(other.key_file().with_extension("pub")).unwrap()
    };
    Emulator::start(Options { authorize_user: vec![public], ..options() }).await.unwrap()
}

async fn as_user(
    emulator: &Emulator,
    method: &str,
    path: &str,
    more: &[(&str, &str)],
) -> super::ssh_keygen_interop::Got {
    let date = http_date(0);
    let signature = rsa_sha256(emulator, &format!("date: {date}"));
    let header =
        format!("Signature keyId=\"/acme/users/ci/keys/emulator\",algorithm=\"rsa-sha256\",signature=\"{signature}\"");
    let mut headers = vec![("Date", date.as_str()), ("Authorization", header.as_str())];
    headers.extend_from_slice(more);
    send(emulator, method, path, &headers, "").await
}

#[tokio::test]
async fn a_sub_user_may_do_what_its_roles_allow() {
    let emulator = with_user().await;
    assert_eq!(as_user(&emulator, "GET", "/acme/machines", &[]).await.status, 200);
    assert_eq!(as_user(&emulator, "GET", "/nobody/machines", &[]).await.status, 403);
    let got = as_user(&emulator, "DELETE", "/my/keys/emulator", &[]).await;
    assert_eq!((got.status, got.code().as_str()), (403, "NotAuthorized"));
    assert_eq!(got.message(), "You do not have permission to access /my/keys/emulator (deletekey)");
    let got = as_user(&emulator, "GET", "/my/machines?as-role=keyadmin", &[]).await;
    assert_eq!(got.message(), "You do not have permission to access /my/machines (listmachines)");
    assert_eq!(as_user(&emulator, "GET", "/my/keys?as-role=keyadmin,operator", &[]).await.status, 200);
    let got = as_user(&emulator, "GET", "/my/keys?as-role=nobody", &[]).await;
    assert_eq!((got.status, got.message().as_str()), (403, "You do not have permission to access acme"));
}

#[tokio::test]
async fn a_sub_user_needs_version_7_2() {
    let emulator = with_user().await;
    let got = as_user(&emulator, "GET", "/acme/machines", &[("Accept-Version", "~7.1")]).await;
    assert_eq!(got.status, 401);
    assert_eq!(got.message(), "Invalid KeyId /acme/users/ci/keys/emulator in authorization header");
    assert_eq!(as_user(&emulator, "GET", "/acme/machines", &[("Accept-Version", "~7.2")]).await.status, 200);
}

#[tokio::test]
async fn the_owner_may_name_roles_that_exist_and_headers_do_not_count() {
    let emulator = stepped().await;
    assert_eq!(get(&emulator, "/acme/keys?as-role=operator").await.status, 200);
    assert_eq!(get(&emulator, "/acme/keys?as-role=administrator").await.status, 200);
    let got = get(&emulator, "/acme/keys?as-role=nobody").await;
    assert_eq!((got.status, got.message().as_str()), (403, "You do not have permission to access acme"));
    assert_eq!(signed(&emulator, "GET", "/acme/keys", &[("As-Role", "nobody")], "").await.status, 200);
}

#[tokio::test]
async fn a_presigned_url_is_good_until_it_expires() {
    let emulator = stepped().await;
    let url = |expires: u64, path: &str, signed_path: &str| {
        let id = key_id(&emulator);
        let encoded = id.replace('/', "%2F").replace(':', "%3A");
        let query = format!("algorithm=rsa-sha256&expires={expires}&keyId={encoded}");
        let signature = rsa_sha256(&emulator, &format!("GET\nlocalhost\n{signed_path}\n{query}"));
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("{path}?{query}&signature={signature}")
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(send(&emulator, "GET", &url(now + 60, "/acme/keys", "/acme/keys"), &[], "").await.status, 200);
    assert_eq!(send(&emulator, "GET", &url(now + 60, "/acme/keys", "/acme"), &[], "").await.status, 401);
    for target in [url(now - 60, "/acme/keys", "/acme/keys"), "/acme/keys?keyId=x".to_owned()] {
        let got = send(&emulator, "GET", &target, &[], "").await;
        assert_eq!((got.status, got.json().get("code")), (500, None), "{target}");
    }
}
