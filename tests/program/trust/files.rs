//! Files that are given for certificates: in other forms, and of other things.

use crate::common::text;
use crate::trust::servers::{Made, TLS13, ping, serve, shown, trusted};

#[test]
fn certificates_are_read_in_pem_and_der_with_marks_and_text_around_them() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    made.openssl("x509 -in s.pem -text -out text.pem");
    let pem = made.bytes("s.pem");
    std::fs::write(made.path("bom.pem"), [b"\xef\xbb\xbf", &pem[..]].concat()).unwrap();
    std::fs::write(made.path("crlf.pem"), text(&pem).replace('\n', "\r\n")).unwrap();
    std::fs::write(made.path("pair.pem"), [made.bytes("s.key"), pem].concat()).unwrap();
    for name in ["s.pem", "s.der", "text.pem", "bom.pem", "crlf.pem", "pair.pem"] {
        trusted(port, &["--cacert", shown(&made.path(name))]);
    }
}

#[test]
fn what_is_no_certificate_is_called_by_its_name_and_the_command_that_converts_it_works() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    made.openssl("crl2pkcs7 -nocrl -certfile s.pem -out s.p7b");
    made.openssl("crl2pkcs7 -nocrl -certfile s.pem -outform DER -out der.p7b");
    made.openssl("pkcs12 -export -nokeys -in s.pem -passout pass: -out s.p12");
    made.openssl("x509 -in s.pem -trustout -out trusted.pem");
    made.openssl("req -new -key s.key -subj /CN=localhost -out s.csr");
    made.openssl("pkey -in s.key -pubout -out s.pub");
    let pem = text(&made.bytes("s.pem"));
    let inner: String = pem.lines().filter(|line| !line.starts_with('-')).map(|line| format!("{line}\n")).collect();
    std::fs::write(made.path("inner"), &inner).unwrap();
    std::fs::write(made.path("utf16"), pem.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()).unwrap();
    let utf16 = [b"\xfe\xff".to_vec(), made.bytes("utf16")].concat();
    std::fs::write(made.path("utf16"), utf16).unwrap();
    std::fs::write(made.path("damaged"), pem.replace("MII", "M*I")).unwrap();
    std::fs::write(made.path("page"), "<!doctype html><p>log in").unwrap();
    std::fs::write(made.path("empty"), "").unwrap();
    std::fs::write(made.path("noise"), [7_u8; 4000]).unwrap();
    for (name, what, converts) in [
        ("s.p7b", "it is PKCS#7", true),
        ("der.p7b", "it is PKCS#7", true),
        ("s.p12", "it is PKCS#12", true),
        ("trusted.pem", "in a form of openssl's own", true),
        ("inner", "the lines BEGIN CERTIFICATE and END CERTIFICATE are missing", true),
        ("utf16", "it is UTF-16", true),
        ("s.csr", "it is the request for one", false),
        ("s.key", "it is a private key", false),
        ("s.pk8", "it is a private key", false),
        ("s.pub", "it is a public key", false),
        ("damaged", "is damaged", false),
        ("page", "it is a web page", false),
        ("empty", "it is empty", false),
        ("noise", "it is neither PEM nor DER", false),
    ] {
        let file = made.path(name);
        let (code, said) = ping(port, &["--cacert", shown(&file)]);
        assert_eq!(code, Some(2), "{name}: {said}");
        assert!(said.contains(what) && said.contains(shown(&file)), "{name}: {said}");
        assert!(!said.contains("PRIVATE KEY"), "{said}");
        let Some((_, command)) = said.split_once("to convert it: ").filter(|_| converts) else {
            assert!(!converts, "{name}: {said}");
            continue;
        };
        let command = command.lines().next().unwrap();
        let command = if name == "s.p12" { format!("{command} -passin pass:") } else { command.to_owned() };
        let done = made.shell(&command);
        assert!(done.status.success(), "{command}: {}", text(&done.stderr));
        let made_of_it = ["pem", "der"].map(|end| made.path(&format!("{name}.{end}")));
        trusted(port, &["--cacert", shown(made_of_it.iter().find(|path| path.exists()).unwrap())]);
    }
    let (code, said) = ping(port, &["--cacert", shown(made.dir.path())]);
    assert!(code == Some(2) && said.contains("SSL_CERT_DIR="), "{said}");
}
