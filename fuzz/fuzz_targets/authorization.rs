//! Any headers as a signature, read by the emulator; and what the client writes, read back by it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::auth::http_signature::{header, key_id, signing_string};
use sdc::auth::{Algorithm, Form};
use sdc::emulator::fuzzing::{authorization, good};

const DATE: &str = "Thu, 05 Jan 2017 21:31:40 GMT";
const NOW: i64 = 1_483_651_900_000;
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f fuzz";

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (value, date, target, xdate) = (line(), line(), String::from_utf8_lossy(line()), line());
    let mut headers = vec![("authorization", value), ("date", date), ("host", b"localhost")];
    if !xdate.is_empty() {
        headers.push(("x-date", xdate));
    }
    let read = authorization("GET", &target, &headers, NOW);
    assert_eq!(read, authorization("GET", &target, &headers, NOW));
    if let Ok(Some(read)) = read {
        assert!(!read.key_id.is_empty());
        for name in ["ed25519-sha512", "rsa-sha256", "ecdsa-sha256", "ecdsa-sha512"] {
            assert_ne!(good(KEY, name, &read.covered, &read.signature), Some(true), "nobody has this key");
        }
    }

    let word = |bytes: &[u8]| -> String {
        String::from_utf8_lossy(bytes).chars().filter(|c| c.is_ascii_graphic() && !"/\"".contains(*c)).collect()
    };
    let (account, name) = (word(value), word(date));
    let signature = xdate;
    if account.is_empty() || name.is_empty() || signature.is_empty() {
        return;
    }
    for (form, algorithm) in [
        (Form::Request, Algorithm::EcdsaSha256),
        (Form::Date, Algorithm::Ed25519Sha512),
        (Form::Legacy, Algorithm::RsaSha256),
    ] {
        let id = key_id(&account, None, &name);
        let text = header(form, &id, algorithm, signature);
        let headers = [("authorization", text.as_bytes()), ("date", DATE.as_bytes())];
        let read = authorization("GET", &target, &headers, NOW).expect("a good header").expect("a signature");
        assert_eq!(read.key_id, id);
        assert_eq!(read.signature, signature);
        assert_eq!(read.covered, signing_string(form, "GET", &target, DATE).as_bytes());
    }
});
