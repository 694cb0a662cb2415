//! Headers against vectors that another program made (`tests/data/signing.json`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sdc::auth::http_signature::{header, signing_string};
use sdc::auth::{Algorithm, Form, Key, KeyKind, PrivateKey, PublicKey, RsaHash, Signer, no_passphrase};
use sdc::error::Kind;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/signing.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn key(vectors: &Value, name: &str) -> PrivateKey {
    let pem = text(&vectors["keys"][name], "private");
    PrivateKey::parse(pem.as_bytes(), name, &mut no_passphrase).unwrap()
}

fn hash(algorithm: &str) -> RsaHash {
    algorithm.strip_prefix("rsa-").map_or(RsaHash::Sha256, |hash| hash.parse().unwrap())
}

/// The key name between the last slash and the quote.
fn wire_name(authorization: &str) -> &str {
    let id = authorization.split('"').nth(1).unwrap();
    id.rsplit('/').next().unwrap()
}

fn signer(vectors: &Value, vector: &Value) -> Signer {
    let mut signer =
        Signer::new("acme", Key::File(key(vectors, text(vector, "key"))), wire_name(text(vector, "authorization")))
            .unwrap()
            .form(text(vector, "form").parse().unwrap())
            .unwrap()
            .rsa_hash(hash(text(vector, "algorithm")))
            .unwrap();
    if let Some(user) = vector["sub_user"].as_str() {
        signer = signer.user(user).unwrap();
    }
    signer
}

fn all_algorithms() -> [Algorithm; 6] {
    use Algorithm::*;
    [RsaSha1, RsaSha256, RsaSha512, EcdsaSha256, EcdsaSha512, Ed25519Sha512]
}

#[test]
fn every_vector_comes_out_as_the_other_program_wrote_it() {
    let vectors = vectors();
    let (date, method, path) = (text(&vectors, "date"), text(&vectors, "method"), text(&vectors, "path"));
    let list = vectors["vectors"].as_array().unwrap();
    assert_eq!(list.len(), 16);
    for vector in list {
        let form: Form = text(vector, "form").parse().unwrap();
        let signed = signing_string(form, method, path, date);
        assert_eq!(signed, text(vector, "signing_string"));

        // The header around their signature is theirs to the byte.
        let signer = signer(&vectors, vector);
        let theirs = STANDARD.decode(text(vector, "signature")).unwrap();
        let algorithm = all_algorithms().into_iter().find(|one| one.as_str() == text(vector, "algorithm")).unwrap();
        assert_eq!(header(form, &signer.key_id(), algorithm, &theirs), text(vector, "authorization"));
        assert!(signer.key().public().verify(algorithm, signed.as_bytes(), &theirs), "{vector}");

        // And so is ours, where a signature has only one value; else it verifies.
        let ours = signer.authorization(method, path, date).unwrap();
        if vector["deterministic"] == true {
            assert_eq!(ours, text(vector, "authorization"));
        } else {
            let (before, signature) = ours.trim_end_matches('"').rsplit_once('"').unwrap();
            let signature = STANDARD.decode(signature).unwrap();
            assert!(signer.key().public().verify(signer.algorithm(), signed.as_bytes(), &signature));
            let expected = text(vector, "authorization").replace(algorithm.as_str(), signer.algorithm().as_str());
            assert_eq!(before, expected.trim_end_matches('"').rsplit_once('"').unwrap().0);
        }
    }
}

#[test]
fn every_key_of_the_vectors_has_its_fingerprints() {
    let vectors = vectors();
    for (name, kind) in [
        ("rsa", KeyKind::Rsa { bits: 2048 }),
        ("ed", KeyKind::Ed25519),
        ("p256", KeyKind::P256),
        ("p384", KeyKind::P384),
    ] {
        let entry = &vectors["keys"][name];
        let public = PublicKey::from_line(text(entry, "public")).unwrap();
        assert_eq!(public.md5(), text(entry, "md5"));
        assert_eq!(public.sha256(), text(entry, "sha256"));
        assert_eq!(public.openssh_line(), text(entry, "public"));
        assert_eq!(public.kind(), kind);
        let key = key(&vectors, name);
        assert_eq!(key.public().blob(), public.blob());
    }
}

#[test]
fn a_signature_of_something_else_does_not_verify() {
    let vectors = vectors();
    for name in ["rsa", "ed", "p256", "p384"] {
        let key = key(&vectors, name);
        for hash in [RsaHash::Sha1, RsaHash::Sha256, RsaHash::Sha512] {
            let algorithm = Algorithm::for_key(key.public().kind(), hash).unwrap();
            let mut signature = key.sign(algorithm, b"one").unwrap();
            assert!(key.public().verify(algorithm, b"one", &signature));
            assert!(!key.public().verify(algorithm, b"two", &signature));
            let last = signature.len() - 1;
            signature[last] ^= 1;
            assert!(!key.public().verify(algorithm, b"one", &signature));
            assert!(!key.public().verify(algorithm, b"one", &[]));
        }
    }
}

#[test]
fn the_legacy_form_with_a_key_that_is_not_rsa_is_refused_by_name() {
    let vectors = vectors();
    for name in ["ed", "p256", "p384"] {
        let key = key(&vectors, name);
        let md5 = key.public().md5();
        let error = Signer::new("acme", Key::File(key), &md5).unwrap().form(Form::Legacy).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.message().contains(&md5), "{error}");
    }
}

#[test]
fn forms_and_digests_are_read_by_their_names_only() {
    for form in [Form::Request, Form::Date, Form::Legacy] {
        assert_eq!(form.as_str().parse::<Form>().unwrap(), form);
    }
    let error = "Request".parse::<Form>().unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.hints()[0].as_str().contains("request, date, legacy"));
    assert!("sha384".parse::<RsaHash>().unwrap_err().hints()[0].as_str().contains("sha1, sha256, sha512"));
}

#[test]
fn what_would_break_the_key_id_or_the_header_is_refused() {
    let vectors = vectors();
    for bad in ["", "a/b", "a\"b", "a\nb", "a\u{7f}b", "a\u{e9}b", "my"] {
        assert_eq!(
            Signer::new(bad, Key::File(key(&vectors, "ed")), "name").unwrap_err().kind(),
            Kind::Usage,
            "{bad:?}"
        );
    }
    for bad in ["", "a/b", "a\"b", "a\r\nX: y"] {
        assert_eq!(
            Signer::new("acme", Key::File(key(&vectors, "ed")), bad).unwrap_err().kind(),
            Kind::Usage,
            "{bad:?}"
        );
        let signer = Signer::new("acme", Key::File(key(&vectors, "ed")), "name").unwrap();
        assert_eq!(signer.user(bad).unwrap_err().kind(), Kind::Usage, "{bad:?}");
    }
    let signer = Signer::new("acme", Key::File(key(&vectors, "ed")), "name").unwrap();
    assert!(signer.authorization("GET", "/acme/machines?name=a\nb", "today").is_err());
    assert!(signer.authorization("GET", "/acme", "today\r\nx: y").is_err());
    assert!(signer.authorization("GET", "/acme/\u{e9}", "today").is_err());
}

#[test]
fn a_signer_goes_to_other_threads_and_shows_no_secret() {
    fn shared<T: Send + Sync>(_: &T) {}
    let vectors = vectors();
    let key = key(&vectors, "rsa");
    let md5 = key.public().md5();
    let signer = Signer::new("acme", Key::File(key), &md5).unwrap();
    shared(&signer);
    let shown = format!("{signer:?}");
    assert!(shown.contains(&md5));
    assert!(shown.len() < 250, "{shown}");
    assert_eq!(signer.key_id(), format!("/acme/keys/{md5}"));
    assert_eq!(signer.user("builder").unwrap().key_id(), format!("/acme/users/builder/keys/{md5}"));
}
