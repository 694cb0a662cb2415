//! Any bytes as a private key, a public key, and the name of a key.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::auth::http_signature::RsaHash;
use sdc::auth::{Algorithm, Ask, KeyId, PrivateKey, PublicKey};

fn public(key: &PublicKey) {
    assert_eq!(PublicKey::from_line(&key.openssh_line()).expect("its own line"), *key);
    assert_eq!(PublicKey::from_blob(key.blob().to_vec(), key.comment()).expect("its own blob"), *key);
    assert!(!key.comment().contains(char::is_control));
    for name in [key.md5(), key.sha256()] {
        assert!(KeyId::parse(&name).expect("its own fingerprint").is_of(key));
    }
    let _ = key.verify(Algorithm::RsaSha256, b"data", b"signature");
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // The right passphrase at the second time, so that the wrong one is gone through as well.
    let mut ask = |ask: Ask| Ok(Some(if ask.attempt == 1 { "wrong" } else { "correct horse" }.to_owned().into()));
    match PrivateKey::parse(bytes, "FILE", &mut ask) {
        Ok(key) => {
            public(key.public());
            if let Ok(algorithm) = Algorithm::for_key(key.public().kind(), RsaHash::Sha256)
                && let Ok(signature) = key.sign(algorithm, b"data")
            {
                assert!(key.public().verify(algorithm, b"data", &signature), "a signature of its own is not valid");
            }
        }
        // What is in a file that may be a key is in no error.
        Err(error) => {
            assert!(error.message().contains("FILE"), "{error}");
            let words = format!("{error:?}");
            for line in text.lines().filter(|line| line.len() > 40 && !line.starts_with("-----")) {
                assert!(!words.contains(line), "the error holds a line of the file");
            }
        }
    }
    if let Ok(key) = PublicKey::from_line(&text) {
        public(&key);
        assert!(sdc::emulator::fuzzing::fingerprint(&key.openssh_line()).is_none_or(|md5| md5 == key.md5()));
    }
    // A file of a public key: the same key as its line, or an error without a line of the file.
    match PublicKey::from_file("FILE", bytes) {
        Ok(key) => {
            public(&key);
            assert_eq!(PublicKey::from_line(&text).expect("its line"), key);
        }
        Err(error) => {
            let words = format!("{error:?}");
            for line in text.lines().filter(|line| line.len() > 40) {
                assert!(!words.contains(line), "the error holds a line of the file");
            }
        }
    }
    if let Ok(key) = PublicKey::from_blob(bytes.to_vec(), &text) {
        public(&key);
    }
    if let Ok(id) = KeyId::parse(&text) {
        assert_eq!(KeyId::parse(&id.to_string()).expect("its own text"), id);
    }
});
