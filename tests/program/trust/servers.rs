//! Keys and certificates by openssl, and servers that show what they are given.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use crate::common::{key, program, text};

pub const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
pub const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];
pub const KEYS: [&str; 4] = ["rsa:2048", "P-256", "P-384", "ed25519"];

/// A folder for what openssl makes.
pub struct Made {
    pub dir: tempfile::TempDir,
}

impl Made {
    pub fn new() -> Made {
        Made { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// A command of the shell, in this folder.
    pub fn shell(&self, line: &str) -> Output {
        let shell = Command::new("sh").args(["-c", line]).current_dir(self.dir.path()).stdin(Stdio::null()).output();
        shell.unwrap()
    }

    /// openssl with these words, which must succeed.
    pub fn openssl(&self, words: &str) -> String {
        let done = self.shell(&format!("openssl {words}"));
        assert!(done.status.success(), "openssl {words}: {}", text(&done.stderr));
        text(&done.stdout)
    }

    /// A private key: `NAME.key`, and `NAME.pk8` in DER.
    pub fn key(&self, name: &str, kind: &str) -> PrivateKeyDer<'static> {
        let options = match kind {
            "ed25519" => "-algorithm ED25519".to_owned(),
            _ => match kind.split_once(':') {
                Some((_, bits)) => format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{bits}"),
                None => format!("-algorithm EC -pkeyopt ec_paramgen_curve:{kind}"),
            },
        };
        self.openssl(&format!("genpkey {options} -out {name}.key"));
        self.openssl(&format!("pkcs8 -topk8 -nocrypt -in {name}.key -outform DER -out {name}.pk8"));
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.bytes(&format!("{name}.pk8"))))
    }

    /// What `openssl req -x509` makes of `NAME.key`, with these options: an authority's own certificate, unless they
    /// say otherwise. `NAME.pem` and its bytes.
    pub fn self_signed(&self, name: &str, subject: &str, options: &str) -> CertificateDer<'static> {
        self.openssl(&format!("req -x509 -new -key {name}.key -days 30 -subj '{subject}' {options} -out {name}.pem"));
        self.der(name)
    }

    /// A certificate for `NAME.key`, signed by another one, with these extensions.
    pub fn signed(
        &self,
        name: &str,
        by: &str,
        subject: &str,
        extensions: &str,
        options: &str,
    ) -> CertificateDer<'static> {
        std::fs::write(self.path(&format!("{name}.ext")), extensions).unwrap();
        self.openssl(&format!("req -new -key {name}.key -subj '{subject}' -out {name}.csr"));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA {by}.pem -CAkey {by}.key -CAcreateserial -days 30 -extfile {name}.ext {options} -out {name}.pem"
        ));
        self.der(name)
    }

    fn der(&self, name: &str) -> CertificateDer<'static> {
        self.openssl(&format!("x509 -in {name}.pem -outform DER -out {name}.der"));
        CertificateDer::from(self.bytes(&format!("{name}.der")))
    }

    /// A certificate of X.509 v1 for `NAME.key`, by hand, for newer versions of openssl make none. Nobody verifies
    /// how a certificate signed itself. `NAME.pem`, `NAME.der`.
    pub fn version_1(&self, name: &str, common_name: &str, from: &str, to: &str) -> CertificateDer<'static> {
        self.openssl(&format!("pkey -in {name}.key -pubout -outform DER -out {name}.spki"));
        let algorithm = tlv(0x30, &[&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]]);
        let attribute = tlv(0x30, &[&[0x06, 0x03, 0x55, 0x04, 0x03], &tlv(0x0c, &[common_name.as_bytes()])]);
        let whose = tlv(0x30, &[&tlv(0x31, &[&attribute])]);
        let validity = tlv(0x30, &[&tlv(0x18, &[from.as_bytes()]), &tlv(0x18, &[to.as_bytes()])]);
        let fields =
            [&[0x02, 0x01, 0x07][..], &algorithm, &whose, &validity, &whose, &self.bytes(&format!("{name}.spki"))];
        let all = tlv(0x30, &[&tlv(0x30, &fields), &algorithm, &tlv(0x03, &[&[0], &tlv(0x30, &[])])]);
        std::fs::write(self.path(&format!("{name}.der")), &all).unwrap();
        self.openssl(&format!("x509 -inform DER -in {name}.der -out {name}.pem"));
        assert!(self.openssl(&format!("x509 -in {name}.pem -noout -text")).contains("Version: 1"));
        CertificateDer::from(all)
    }

    /// The SHA-256 that openssl prints, with its colons.
    pub fn fingerprint(&self, name: &str) -> String {
        let line = self.openssl(&format!("x509 -in {name}.pem -noout -fingerprint -sha256"));
        line.trim().split_once('=').unwrap().1.to_owned()
    }
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = match body.len() {
        short @ 0..=127 => vec![short as u8],
        middle @ 128..=255 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &length, &body].concat()
}

#[derive(Debug)]
struct Shows(Arc<CertifiedKey>);

impl ResolvesServerCert for Shows {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A CloudAPI that knows nothing but its ping, and shows this chain with this key, be they a pair or not. Its port.
pub fn serve(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> u16 {
    let json = "HTTP/1.1 200 OK\r\nServer: cloudapi/9.0.0\r\nContent-Type: application/json";
    let ping = r#"{"ping":"pong","cloudapi":{"versions":["9.0.0"]}}"#;
    serve_with(chain, key, versions, None, json, ping)
}

/// The same with another answer, and a verifier of client certificates.
pub fn serve_with(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<Arc<dyn rustls::server::danger::ClientCertVerifier>>,
    head: &'static str,
    body: &'static str,
) -> u16 {
    let signing = rustls::crypto::ring::sign::any_supported_type(key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(clients.unwrap_or_else(rustls::server::WebPkiClientVerifier::no_client_auth))
        .with_cert_resolver(Arc::new(Shows(Arc::new(CertifiedKey::new(chain, signing)))));
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = BufReader::new(StreamOwned::new(connection, stream));
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|length| length > 2) {
                    line.clear();
                }
                let _ = write!(
                    stream.get_mut(),
                    "{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.get_mut().flush();
            });
        }
    });
    port
}

/// openssl's own server, which is ended with this value.
pub struct OpensslServer {
    child: Child,
    pub port: u16,
}

impl OpensslServer {
    pub fn start(made: &Made, words: &str) -> OpensslServer {
        // It takes a port by number only, so that a free one is looked for.
        for _ in 0..20 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = Command::new("openssl")
                .args(["s_server", "-www", "-accept", &format!("127.0.0.1:{port}")])
                .args(words.split(' '))
                .current_dir(made.dir.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            if lines.any(|line| line.is_ok_and(|line| line.contains("ACCEPT"))) {
                // It writes of every connection, and must find somebody who reads that.
                std::thread::spawn(move || lines.for_each(drop));
                return OpensslServer { child, port };
            }
            let _ = child.wait();
        }
        panic!("openssl s_server {words} does not begin");
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `sdc ping` of this address, with these words and variables.
pub fn ping_at(url: &str, words: &[&str], vars: &[(&str, &str)]) -> Output {
    let words = [&["ping"][..], words].concat();
    program(url, "acme", &key().join("key"), &words).envs(vars.iter().copied()).output().unwrap()
}

/// The same of `localhost` at this port: how it ended, and what it said.
pub fn ping(port: u16, words: &[&str]) -> (Option<i32>, String) {
    let output = ping_at(&format!("https://localhost:{port}"), words, &[]);
    (output.status.code(), text(&output.stderr))
}

/// It succeeds.
#[track_caller]
pub fn trusted(port: u16, words: &[&str]) {
    let (code, said) = ping(port, words);
    assert_eq!(code, Some(0), "{words:?}: {said}");
}

/// It cannot connect, and says all of these.
#[track_caller]
pub fn refused(port: u16, words: &[&str], expected: &[&str]) -> String {
    let (code, said) = ping(port, words);
    assert_eq!(code, Some(6), "{words:?}: {said}");
    for part in expected {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
    said
}

pub fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The emulator with https, on a thread of its own: the program is waited for on the test's.
pub fn emulator() -> (tokio::runtime::Handle, sdc::emulator::Emulator) {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        send.send(runtime.handle().clone()).unwrap();
        runtime.block_on(std::future::pending::<()>());
    });
    let handle = receive.recv().unwrap();
    let https = Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let options = sdc::emulator::Options { https, ..Default::default() };
    let emulator = handle.block_on(sdc::emulator::Emulator::start(options)).unwrap();
    (handle, emulator)
}
