//! Which certificates are trusted, for which names, and that a right certificate with a wrong key never is.

use crate::common::{program, text};
use crate::trust::servers::{KEYS, Made, TLS12, TLS13, emulator, ping, ping_at, refused, serve, shown, trusted};

const FROM: &str = "20200101000000Z";
const TO: &str = "20491231235959Z";

#[test]
fn a_self_signed_certificate_in_the_file_is_trusted_in_every_form_for_every_key_and_version_of_tls() {
    let made = Made::new();
    std::fs::write(made.path("bare.cnf"), "[req]\ndistinguished_name=dn\n[dn]\n").unwrap();
    for (at, kind) in KEYS.into_iter().enumerate() {
        let name = format!("server{at}");
        let key = made.key(&name, kind);
        let forms = [
            // What openssl makes unless told otherwise: an authority's own, with a common name alone.
            ("authority", made.self_signed(&name, "/CN=localhost", "")),
            ("names", made.self_signed(&name, "/CN=other", "-addext subjectAltName=DNS:localhost,IP:127.0.0.1")),
            ("bare", made.self_signed(&name, "/CN=localhost", "-config bare.cnf")),
            ("version 1", made.version_1(&name, "localhost", FROM, TO)),
        ];
        for (form, certificate) in forms {
            std::fs::write(made.path("trusted.der"), &certificate).unwrap();
            made.openssl("x509 -inform DER -in trusted.der -out trusted.pem");
            let file = made.path("trusted.pem");
            for versions in [TLS12, TLS13] {
                let port = serve(vec![certificate.clone()], &key, versions);
                trusted(port, &["--cacert", shown(&file)]);
                let said = refused(port, &[], &["self-signed", "--tls-pin SHA256:", "--cacert FILE"]);
                assert!(!said.contains("Other") && !said.contains('{'), "{kind} {form}: {said}");
            }
        }
    }
}

#[test]
fn a_certificate_of_the_file_is_for_its_names_alone() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let file = made.path("s.pem");
    let file = shown(&file);
    for (subject, options, hosts) in [
        ("/CN=localhost", "-addext subjectAltName=DNS:cloud.example", "cloud.example"),
        ("/CN=localhost", "-addext subjectAltName=email:a@b.example", "the certificate names no host"),
        ("/CN=*", "", "*"),
        ("/CN=127.0.0.1", "", "127.0.0.1"),
        ("/CN=*.localhost", "", "*.localhost"),
        ("/CN=localhost.example", "", "localhost.example"),
        ("/O=nobody", "", "the certificate names no host"),
    ] {
        let certificate = made.self_signed("s", subject, options);
        let port = serve(vec![certificate], &key, TLS13);
        refused(port, &["--cacert", file], &["the certificate is not for localhost", hosts]);
    }
    // A common name may be an address too, where nothing else says what the certificate is for.
    for (subject, options) in [("/CN=127.0.0.1", ""), ("/CN=x", "-addext subjectAltName=IP:127.0.0.1")] {
        let port = serve(vec![made.self_signed("s", subject, options)], &key, TLS13);
        let output = ping_at(&format!("https://127.0.0.1:{port}"), &["--cacert", file], &[]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn a_certificate_of_the_file_is_for_its_time_alone_and_a_pinned_one_for_ever() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    for (from, to, words) in [
        (FROM, "20210101000000Z", "the certificate expired at 2021-01-01T00:00:00Z; the clock here says 20"),
        ("20490101000000Z", TO, "the certificate is not valid before 2049-01-01T00:00:00Z; the clock here says 20"),
    ] {
        let certificate = made.version_1("s", "localhost", from, to);
        let port = serve(vec![certificate], &key, TLS13);
        let file = made.path("s.pem");
        refused(port, &["--cacert", shown(&file)], &[words, "is this machine's clock right?"]);
        trusted(port, &["--tls-pin", &format!("SHA256:{}", made.fingerprint("s"))]);
    }
}

#[test]
fn a_pin_trusts_one_certificate_whatever_it_says_and_no_other() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    for certificate in [made.self_signed("s", "/CN=*", ""), made.version_1("s", "*", FROM, TO)] {
        std::fs::write(made.path("s.der"), &certificate).unwrap();
        made.openssl("x509 -inform DER -in s.der -out s.pem");
        let fingerprint = made.fingerprint("s");
        let hex = fingerprint.replace(':', "");
        let base64 = made.openssl("dgst -sha256 -binary s.der | openssl base64").trim().to_owned();
        let spki = made.openssl("pkey -in s.key -pubout -outform DER | openssl dgst -sha256 -binary | openssl base64");
        for versions in [TLS12, TLS13] {
            let port = serve(vec![certificate.clone()], &key, versions);
            // By its file it is not trusted, for it names no host.
            let file = made.path("s.pem");
            let said = refused(port, &["--cacert", shown(&file)], &["--tls-pin SHA256:"]);
            // What is said to be typed works when it is typed.
            let pin = said.split("--tls-pin ").nth(1).unwrap().split([',', '\n']).next().unwrap();
            assert_eq!(pin, format!("SHA256:{fingerprint}"));
            for pin in [
                pin.to_owned(),
                fingerprint.clone(),
                hex.to_lowercase(),
                format!("sha256 Fingerprint={fingerprint}"),
                format!("SHA256:{base64}"),
                format!("sha256//{}", spki.trim()),
                format!("SHA256:{},{pin}", "00".repeat(32)),
            ] {
                trusted(port, &["--tls-pin", &pin]);
            }
            let output = ping_at(&format!("https://127.0.0.1:{port}"), &[], &[("SDC_TLS_PIN", pin)]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            // A pin is the only trust that counts.
            let wrong = format!("SHA256:{}", "00".repeat(32));
            for words in [
                &["--tls-pin", &*wrong][..],
                &["--tls-pin", &wrong, "--insecure"],
                &["--tls-pin", &wrong, "--cacert", shown(&file)],
                &["--tls-pin", &format!("sha256//{base64}")],
            ] {
                refused(port, words, &["is not the one that is pinned", &fingerprint]);
            }
            // However the host is written.
            for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "LOCALHOST"] {
                let url = format!("https://{host}:{port}");
                for (pin, code) in [(wrong.as_str(), 6), (pin, 0)] {
                    let output = ping_at(&url, &["--tls-pin", pin, "--insecure"], &[]);
                    assert_eq!(output.status.code(), Some(code), "{url}: {}", text(&output.stderr));
                }
            }
        }
    }
}

#[test]
fn a_pin_that_is_none_is_refused_and_not_repeated() {
    for pin in ["hunter2", "SHA1:hunter2", "SHA256:", "", "SHA256:zz", &["AB"; 20].join(":")] {
        let (code, said) = ping(1, &["--tls-pin", pin]);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("--tls-pin is not the SHA-256 fingerprint"), "{said}");
        assert!(!said.contains("hunter2") && !said.contains("AB:CD:AB"), "{said}");
    }
    let output = ping_at("https://localhost:1", &[], &[("SDC_TLS_PIN", "hunter2")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("SDC_TLS_PIN is not") && !text(&output.stderr).contains("hunter2"));
}

#[test]
fn the_right_certificate_with_a_wrong_key_fails_by_pin_by_file_and_unverified() {
    let made = Made::new();
    for kind in KEYS {
        made.key("s", kind);
        let wrong = made.key("wrong", kind);
        for certificate in [made.self_signed("s", "/CN=localhost", ""), made.version_1("s", "localhost", FROM, TO)] {
            std::fs::write(made.path("s.der"), &certificate).unwrap();
            made.openssl("x509 -inform DER -in s.der -out s.pem");
            let file = made.path("s.pem");
            let pin = format!("SHA256:{}", made.fingerprint("s"));
            let spki =
                made.openssl("pkey -in s.key -pubout -outform DER | openssl dgst -sha256 -binary | openssl base64");
            let key_pin = format!("sha256//{}", spki.trim());
            for versions in [TLS12, TLS13] {
                let port = serve(vec![certificate.clone()], &wrong, versions);
                for words in
                    [&["--tls-pin", &*pin][..], &["--tls-pin", &key_pin], &["--cacert", shown(&file)], &["--insecure"]]
                {
                    refused(port, words, &["the server does not prove that it holds the key of its certificate"]);
                }
            }
        }
    }
}

#[test]
fn a_servers_certificate_in_the_file_signs_for_nobody_else() {
    let made = Made::new();
    made.key("leaf", "P-256");
    made.self_signed("leaf", "/CN=localhost", "-addext basicConstraints=critical,CA:FALSE");
    let key = made.key("forged", "P-256");
    let forged = made.signed("forged", "leaf", "/CN=localhost", "subjectAltName=DNS:localhost", "");
    let port = serve(vec![forged.clone()], &key, TLS13);
    let file = made.path("leaf.pem");
    refused(port, &["--cacert", shown(&file)], &["cannot connect"]);
    // An authority's own does, as ever.
    made.self_signed("leaf", "/CN=localhost", "");
    let forged = made.signed("forged", "leaf", "/CN=localhost", "subjectAltName=DNS:localhost", "");
    trusted(serve(vec![forged], &key, TLS13), &["--cacert", shown(&file)]);
}

#[test]
fn every_connection_trusts_alike_and_the_doctor_shows_how() {
    let (runtime, emulator) = emulator();
    let url = emulator.https_url().unwrap();
    let run = |words: &[&str]| program(url, emulator.account(), emulator.key_file(), words).output().unwrap();

    let refused = run(&["auth", "doctor"]);
    let said = text(&refused.stdout);
    assert_eq!(refused.status.code(), Some(6), "{said}");
    assert!(said.contains("fail  tls") && said.contains("signed by CN=sdc emulator authority"), "{said}");
    let pin = said.split("--tls-pin ").nth(1).unwrap().split([',', '\n']).next().unwrap();

    let doctor = run(&["auth", "doctor", "--tls-pin", pin]);
    assert!(text(&doctor.stdout).contains("ok    tls        the certificate is one that is pinned"));
    assert_eq!(doctor.status.code(), Some(0), "{}", text(&doctor.stdout));
    let list = run(&["machines", "list", "-o", "name", "--tls-pin", pin]);
    assert!(list.status.success() && text(&list.stdout).contains("web1"), "{}", text(&list.stderr));
    let shown = run(&["config", "show", "--tls-pin", pin]);
    assert!(text(&shown.stdout).contains(pin), "{}", text(&shown.stdout));

    let wrong = format!("SHA256:{}", "00".repeat(32));
    let feed = run(&["changefeed", "--count", "1", "--tls-pin", &wrong, "--timeout", "20s"]);
    let said = text(&feed.stderr);
    assert!(feed.status.code() != Some(0) && said.contains("not the one that is pinned"), "{said}");
    let (feed, web1) = std::thread::scope(|scope| {
        let feed = scope.spawn(|| run(&["changefeed", "--count", "1", "--json", "--tls-pin", pin, "--timeout", "60s"]));
        let mut web1 = run(&["machines", "stop", "web1", "--tls-pin", pin]);
        while !feed.is_finished() {
            // Until the feed is open, what changes is missed.
            for change in ["start", "stop"] {
                web1 = run(&["machines", change, "web1", "--wait", "--tls-pin", pin]);
            }
        }
        (feed.join().unwrap(), web1)
    });
    assert!(web1.status.success(), "{}", text(&web1.stderr));
    assert!(feed.status.success(), "{}", text(&feed.stderr));
    runtime.block_on(emulator.stop()).unwrap();
}

#[test]
fn folders_of_certificates_are_read_as_well_as_a_file() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    made.key("other", "P-256");
    made.self_signed("other", "/CN=other", "");
    for (folder, file) in [("one", "other.pem"), ("two", "s.pem"), ("empty", "")] {
        std::fs::create_dir_all(made.path(folder)).unwrap();
        if !file.is_empty() {
            std::fs::copy(made.path(file), made.path(folder).join("x.0")).unwrap();
            std::fs::write(made.path(folder).join("README"), "no certificate").unwrap();
        }
    }
    let url = format!("https://localhost:{port}");
    let dir = |names: &[&str]| {
        names
            .iter()
            .map(|name| if name.is_empty() { String::new() } else { shown(&made.path(name)).to_owned() })
            .collect::<Vec<_>>()
            .join(":")
    };
    let file = made.path("s.pem");
    let other = made.path("other.pem");
    for (vars, code) in [
        (vec![("SSL_CERT_DIR", dir(&["two"]))], 0),
        (vec![("SSL_CERT_DIR", dir(&["one", "two"]))], 0),
        (vec![("SSL_CERT_DIR", dir(&["", "nothing", "two", ""]))], 0),
        (vec![("SSL_CERT_DIR", dir(&["one"]))], 6),
        (vec![("SSL_CERT_DIR", dir(&["one"])), ("SSL_CERT_FILE", shown(&file).to_owned())], 0),
        (vec![("SSL_CERT_DIR", dir(&["two"])), ("SSL_CERT_FILE", shown(&other).to_owned())], 0),
        (vec![("SSL_CERT_DIR", dir(&["empty"])), ("SSL_CERT_FILE", shown(&file).to_owned())], 0),
        (vec![("SSL_CERT_DIR", dir(&["empty", "nothing"]))], 2),
        // Empty is as good as unset.
        (vec![("SSL_CERT_DIR", String::new())], 6),
        (vec![("SSL_CERT_DIR", String::new()), ("SSL_CERT_FILE", shown(&file).to_owned())], 0),
    ] {
        let pairs: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = ping_at(&url, &[], &pairs);
        assert_eq!(output.status.code(), Some(code), "{vars:?}: {}", text(&output.stderr));
    }
}
