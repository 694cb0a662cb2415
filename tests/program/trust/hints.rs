//! What is said of servers that cannot be spoken to: the reason, and what helps.

use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;

use crate::common::text;
use crate::trust::servers::{Made, OpensslServer, TLS12, TLS13, ping_at, refused, serve, serve_with, shown, trusted};

#[test]
fn a_server_that_wants_a_client_certificate_is_said_to() {
    let made = Made::new();
    made.key("s", "P-256");
    made.self_signed("s", "/CN=localhost", "");
    let file = made.path("s.pem");
    for version in ["-tls1_2", "-tls1_3"] {
        let server = OpensslServer::start(&made, &format!("{version} -cert s.pem -key s.key -Verify 1"));
        refused(server.port, &["--cacert", shown(&file)], &["the service asks for a client certificate"]);
        // One that only asks is content without.
        let server = OpensslServer::start(&made, &format!("{version} -cert s.pem -key s.key -verify 1"));
        let said = crate::trust::servers::ping(server.port, &["--cacert", shown(&file)]).1;
        assert!(!said.contains("client certificate"), "{said}");
    }
}

#[test]
fn a_page_that_refuses_a_client_without_certificate_is_told_from_one_of_cloudapi() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let certificate = made.self_signed("s", "/CN=localhost", "");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let asking = || {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), provider.clone());
        Some(builder.allow_unauthenticated().build().unwrap())
    };
    let file = made.path("s.pem");
    let page = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html";
    let html = "<center>No required SSL certificate was sent</center>";
    for versions in [TLS12, TLS13] {
        let port = serve_with(vec![certificate.clone()], &key, versions, asking(), page, html);
        refused(port, &["--cacert", shown(&file)], &["answered 400", "the service asks for a client certificate"]);
        // Nobody asked for a certificate, so that the page has another reason.
        let port = serve_with(vec![certificate.clone()], &key, versions, None, page, html);
        assert!(!crate::trust::servers::ping(port, &["--cacert", shown(&file)]).1.contains("client certificate"));
        // Asked for, but the answer is CloudAPI's.
        let json = "HTTP/1.1 200 OK\r\nContent-Type: application/json";
        let port = serve_with(vec![certificate.clone()], &key, versions, asking(), json, r#"{"ping":"pong"}"#);
        trusted(port, &["--cacert", shown(&file)]);
    }
}

#[test]
fn an_old_server_is_said_to_be_old_and_what_it_needs() {
    let made = Made::new();
    made.key("s", "rsa:2048");
    made.self_signed("s", "/CN=localhost", "");
    let file = made.path("s.pem");
    let with = ["--cacert", shown(&file)];
    for (words, expected) in [
        ("-tls1_1 -cipher ALL@SECLEVEL=0", "the service speaks only TLS 1.1 or older"),
        ("-tls1 -cipher ALL@SECLEVEL=0", "the service speaks only TLS 1.1 or older"),
        ("-tls1_2 -cipher AES128-SHA", "no way of encrypting in common"),
        ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", "no way of encrypting in common"),
        ("-tls1_2 -cipher AES128-GCM-SHA256", "no way of encrypting in common"),
    ] {
        let server = OpensslServer::start(&made, &format!("{words} -cert s.pem -key s.key"));
        let said = refused(server.port, &with, &[expected, "TLS 1.2"]);
        assert!(!said.contains("HandshakeFailure") && !said.contains("ProtocolVersion"), "{said}");
    }
}

#[test]
fn a_certificate_signed_with_sha_1_is_said_to_be_without_names_of_programmers() {
    let made = Made::new();
    made.key("ca", "rsa:2048");
    made.self_signed("ca", "/CN=Old authority", "");
    let key = made.key("s", "P-256");
    let leaf = made.signed("s", "ca", "/CN=localhost", "subjectAltName=DNS:localhost", "-sha1");
    let port = serve(vec![leaf], &key, TLS13);
    let file = made.path("ca.pem");
    let said =
        refused(port, &["--cacert", shown(&file)], &["is signed with SHA-1, which is not secure", "--tls-pin SHA256:"]);
    assert!(!said.contains("Algorithm") && !said.contains('['), "{said}");
    // Trusted for itself, its signature does not matter.
    let file = made.path("s.pem");
    trusted(port, &["--cacert", shown(&file)]);
}

#[test]
fn a_missing_intermediate_is_named_and_can_be_added() {
    let made = Made::new();
    made.key("root", "P-256");
    made.self_signed("root", "/CN=Root of all", "");
    made.key("middle", "P-256");
    let authority = "basicConstraints=critical,CA:TRUE";
    let middle = made.signed("middle", "root", "/O=Example/CN=Authority in the middle", authority, "");
    let key = made.key("s", "P-256");
    let extensions = "subjectAltName=DNS:localhost\nauthorityInfoAccess=caIssuers;URI:http://pki.example/middle.der";
    let leaf = made.signed("s", "middle", "/CN=localhost", extensions, "");
    let port = serve(vec![leaf.clone()], &key, TLS13);
    let root = made.path("root.pem");
    refused(
        port,
        &["--cacert", shown(&root)],
        &[
            "the certificate of its issuer, O=Example, CN=Authority in the middle, is missing",
            "the service should send that certificate",
            "curl -o FILE http://pki.example/middle.der, then --cacert FILE",
        ],
    );
    for form in ["middle.pem", "middle.der"] {
        trusted(port, &["--cacert", shown(&made.path(form))]);
    }
    trusted(serve(vec![leaf.clone(), middle.clone()], &key, TLS13), &["--cacert", shown(&root)]);
    // The whole chain, of an authority that is not known.
    let root = rustls::pki_types::CertificateDer::from(made.bytes("root.der"));
    let port = serve(vec![leaf, middle, root], &key, TLS13);
    refused(port, &[], &["the authority CN=Root of all is not trusted here", "--cacert FILE, or SDC_CACERT"]);
}

#[test]
fn a_certificate_for_other_names_is_told_with_them() {
    let made = Made::new();
    made.key("ca", "P-256");
    made.self_signed("ca", "/CN=Authority", "");
    let key = made.key("s", "P-256");
    let names = "subjectAltName=DNS:a.example,DNS:*.b.example,IP:10.0.0.1,DNS:d,DNS:e";
    let leaf = made.signed("s", "ca", "/CN=localhost", names, "");
    let port = serve(vec![leaf], &key, TLS13);
    let file = made.path("ca.pem");
    refused(
        port,
        &["--cacert", shown(&file)],
        &[
            "the certificate is not for localhost",
            "the certificate is for a.example, *.b.example, 10.0.0.1, d, …; is the URL's host right?",
        ],
    );
}

#[test]
fn a_key_that_is_too_short_is_said_to_be() {
    let made = Made::new();
    made.key("s", "rsa:1024");
    made.self_signed("s", "/CN=localhost", "");
    let file = made.path("s.pem");
    for version in ["-tls1_2", "-tls1_3"] {
        let words = format!("{version} -cipher DEFAULT@SECLEVEL=0 -cert s.pem -key s.key");
        let server = OpensslServer::start(&made, &words);
        refused(server.port, &["--cacert", shown(&file)], &["an RSA key of 1024 bits"]);
    }
}

#[test]
fn what_is_wrong_in_the_file_of_settings_is_told_with_its_line() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    let folder = made.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("sdc.yaml");
    let pin = format!("tls-pin: SHA256:{}", "00".repeat(32));
    for (setting, expected) in [
        (&*pin, "the pin is set by"),
        ("cacert: gone.pem", "the certificate file is set by"),
        ("cacert: none.pem", "the certificate file is set by"),
    ] {
        std::fs::write(folder.join("none.pem"), "nothing").unwrap();
        std::fs::write(&file, format!("rate: 4\n{setting}\n")).unwrap();
        let vars = [("SDC_CONFIG_DIR", shown(&folder))];
        let output = ping_at(&format!("https://localhost:{port}"), &[], &vars);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(&format!("{expected} {}:2\n", shown(&file))), "{said}");
    }
}
