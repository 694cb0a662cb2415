//! Fingerprints of certificates and keys, as people copy them from openssl, from curl's options, or from an error of
//! ours.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// What a server must show to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// A certificate: the SHA-256 of all of it (DER), as `openssl x509 -fingerprint -sha256` prints it.
    Certificate([u8; 32]),
    /// A public key, whatever certificate it is in: the SHA-256 of the SubjectPublicKeyInfo, as curl's
    /// `--pinnedpubkey` takes it.
    Key([u8; 32]),
}

impl Pin {
    /// Reads `SHA256:AB:CD:…` (hexadecimal, with colons or without, or base64), a line of openssl, or
    /// `sha256//BASE64` for a key.
    ///
    /// # Errors
    /// Why it is none, in words that repeat nothing of it.
    pub fn parse(text: &str) -> Result<Pin, &'static str> {
        let text = text.trim();
        if let Some(key) = text.strip_prefix("sha256//") {
            return from_base64(key).map(Pin::Key).ok_or("sha256// needs 32 bytes of base64 after it");
        }
        // openssl writes `sha256 Fingerprint=`, older ones `SHA256 Fingerprint=`.
        let lower = text.to_ascii_lowercase();
        let prefix = ["sha256:", "sha256 fingerprint=", "sha256="].into_iter().find(|prefix| lower.starts_with(prefix));
        let digits = prefix.and_then(|prefix| text.get(prefix.len()..)).unwrap_or(text).trim();
        if let Some(bytes) = from_hex(digits) {
            return match <[u8; 32]>::try_from(bytes.as_slice()) {
                Ok(all) => Ok(Pin::Certificate(all)),
                Err(_) if bytes.len() == 20 => Err("it has the length of a SHA-1 fingerprint"),
                Err(_) if bytes.len() == 16 => Err("it has the length of an MD5 fingerprint"),
                Err(_) => Err("a SHA-256 has 64 hexadecimal digits"),
            };
        }
        match (prefix, from_base64(digits)) {
            (Some(_), Some(all)) => Ok(Pin::Certificate(all)),
            (None, Some(_)) => Err("SHA256: is missing before it"),
            (_, None) => Err("after SHA256: come 64 hexadecimal digits, or 32 bytes of base64"),
        }
    }

    /// Several, with commas between.
    ///
    /// # Errors
    /// As [`Pin::parse`], and for none at all.
    pub fn list(text: &str) -> Result<Vec<Pin>, &'static str> {
        text.split(',').map(Pin::parse).collect()
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pin::Certificate(hash) => {
                f.write_str("SHA256")?;
                hash.iter().try_for_each(|byte| write!(f, ":{byte:02X}"))
            }
            Pin::Key(hash) => write!(f, "sha256//{}", STANDARD.encode(hash)),
        }
    }
}

/// Two digits a byte; colons either between all bytes or nowhere.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs: Vec<&str> = if text.contains(':') {
        text.split(':').collect()
    } else {
        (0..text.len().div_ceil(2)).map(|at| text.get(at * 2..at * 2 + 2)).collect::<Option<_>>()?
    };
    let byte = |pair: &&str| {
        (pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .then(|| u8::from_str_radix(pair, 16).ok())?
    };
    if pairs.is_empty() { None } else { pairs.iter().map(byte).collect() }
}

fn from_base64(text: &str) -> Option<[u8; 32]> {
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_every_form_that_people_copy() {
        let hash: [u8; 32] = std::array::from_fn(|at| (at * 7 + 3) as u8);
        let pin = Pin::Certificate(hash);
        let shown = pin.to_string();
        let colons = shown.strip_prefix("SHA256:").unwrap();
        let hex = colons.replace(':', "");
        for text in [
            shown.clone(),
            colons.to_owned(),
            hex.clone(),
            hex.to_lowercase(),
            format!("SHA256:{hex}"),
            format!("sha256:{}", hex.to_lowercase()),
            format!("sha256 Fingerprint={colons}"),
            format!(" SHA256 Fingerprint={colons}\n"),
            format!("SHA256:{}", STANDARD.encode(hash)),
            format!("SHA256:{}", STANDARD_NO_PAD.encode(hash)),
        ] {
            assert_eq!(Pin::parse(&text), Ok(pin), "{text}");
        }
        let key = Pin::Key(hash);
        assert_eq!(Pin::parse(&key.to_string()), Ok(key));
        assert_eq!(Pin::list(&format!("{shown}, {key}")), Ok(vec![pin, key]));
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        for text in [
            "",
            "SHA256:",
            "sha256//",
            "AB:CD",
            "SHA256:AB:CD",
            "SHA1:AB",
            &"AB:".repeat(32),
            &["AB"; 20].join(":"),
            &["AB"; 16].join(":"),
            &["AB"; 33].join(":"),
            &"ab".repeat(31),
            &"\u{e4}".repeat(64),
            &STANDARD.encode([7; 32]),
            "SHA256:hunter2",
            "a,b",
        ] {
            let why = Pin::list(text).expect_err(text);
            // What is a word of the error itself is no secret.
            assert!(["", "SHA256:", "sha256//"].contains(&text) || !why.contains(text), "{why}");
        }
    }
}
