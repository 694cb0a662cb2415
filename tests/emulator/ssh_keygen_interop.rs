//! A bare client: a socket, a signature, nothing else.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs1v15::Pkcs1v15Sign;
use sdc::emulator::{Emulator, Options, Pace};
use serde_json::Value;
use sha2::Digest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let line = |line: &str| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        self.head.lines().skip(1).find_map(line)
    }
}

/// Options with the one key of these tests: making a new one takes its time.
pub fn options() -> Options {
    static KEY: OnceLock<tempfile::NamedTempFile> = OnceLock::new();
    let file = KEY.get_or_init(|| {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), key.to_pkcs1_pem(Default::default()).unwrap()).unwrap();
        file
    });
    Options { key: Some(file.path().to_owned()), ..Options::default() }
}

/// An emulator with a clock that is stepped by hand.
pub async fn stepped() -> Emulator {
    Emulator::start(Options { pace: Pace::Stepped, ..options() }).await.unwrap()
}

/// Sends bytes as they are; `None` when the connection ends without an answer.
pub async fn raw(emulator: &Emulator, request: &[u8]) -> Option<Got> {
    raw_at(emulator.url().strip_prefix("http://").unwrap(), request).await
}

/// The same, to this address.
pub async fn raw_at(address: &str, request: &[u8]) -> Option<Got> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before all is sent.
    let _ = stream.write_all(request).await;
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await.expect("no end");
    let at = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Got { status, head, body: bytes[at + 4..].to_vec() })
}

/// A request with these headers and this body.
pub async fn send(emulator: &Emulator, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    raw(emulator, text.as_bytes()).await.expect("no answer")
}

pub fn http_date(offset: i64) -> String {
    let now = SystemTime::now();
    let by = Duration::from_secs(offset.unsigned_abs());
    httpdate::fmt_http_date(if offset < 0 { now - by } else { now + by })
}

/// Signs text with the emulator's throw-away key and SHA-256.
pub fn rsa_sha256(emulator: &Emulator, text: &str) -> String {
    let pem = std::fs::read_to_string(emulator.key_file()).unwrap();
    let key = rsa::RsaPrivateKey::from_pkcs1_pem(&pem).unwrap();
    let digest = sha2::Sha256::digest(text);
    STANDARD.encode(key.sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &digest).unwrap())
}

/// The account's key id.
pub fn key_id(emulator: &Emulator) -> String {
    format!("/{}/keys/{}", emulator.account(), emulator.key_id())
}

/// A header that signs the date alone.
pub fn authorization(emulator: &Emulator, date: &str) -> String {
    let signature = rsa_sha256(emulator, &format!("date: {date}"));
    format!("Signature keyId=\"{}\",algorithm=\"rsa-sha256\",signature=\"{signature}\"", key_id(emulator))
}

/// A signed request, with more headers.
pub async fn signed(emulator: &Emulator, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Got {
    let date = http_date(0);
    let authorization = authorization(emulator, &date);
    let mut headers = vec![("Date", date.as_str()), ("Authorization", authorization.as_str())];
    headers.extend_from_slice(more);
    send(emulator, method, path, &headers, body).await
}

pub async fn get(emulator: &Emulator, path: &str) -> Got {
    signed(emulator, "GET", path, &[], "").await
}

pub async fn post(emulator: &Emulator, path: &str, body: &Value) -> Got {
    signed(emulator, "POST", path, &[("Content-Type", "application/json")], &body.to_string()).await
}

/// A request with a body of JSON.
pub async fn with_body(emulator: &Emulator, method: &str, path: &str, body: &Value) -> Got {
    signed(emulator, method, path, &[("Content-Type", "application/json")], &body.to_string()).await
}

pub async fn put(emulator: &Emulator, path: &str, body: &Value) -> Got {
    signed(emulator, "PUT", path, &[("Content-Type", "application/json")], &body.to_string()).await
}

pub async fn delete(emulator: &Emulator, path: &str) -> Got {
    signed(emulator, "DELETE", path, &[], "").await
}

/// A body that was refused: its status and code.
pub fn refused(got: &Got) -> (u16, String) {
    (got.status, got.code())
}

/// The public half of the emulator's throw-away key.
pub fn public_key(emulator: &Emulator) -> String {
    std::fs::read_to_string(emulator.key_file().with_extension("pub")).unwrap().trim().to_owned()
}

/// A new public key with this comment.
pub fn new_key(comment: &str) -> String {
    let key = p256::ecdsa::SigningKey::random(&mut rsa::rand_core::OsRng);
    let point = key.verifying_key().to_encoded_point(false);
    let data = ssh_key::public::EcdsaPublicKey::from_sec1_bytes(point.as_bytes()).unwrap();
    ssh_key::PublicKey::new(ssh_key::public::KeyData::Ecdsa(data), comment).to_openssh().unwrap()
}

/// An emulator that begins with a state of which something has been changed.
pub async fn changed(change: impl FnOnce(&mut Value)) -> (Emulator, tempfile::TempDir) {
    changed_with(options, change).await
}

/// The same, with these options.
pub async fn changed_with(
    options: impl Fn() -> Options,
    change: impl FnOnce(&mut Value),
) -> (Emulator, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    Emulator::start(kept()).await.unwrap().stop().await.unwrap();
    let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    change(&mut state);
    std::fs::write(&file, state.to_string()).unwrap();
    (Emulator::start(kept()).await.unwrap(), dir)
}
