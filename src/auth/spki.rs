//! Public keys in the form of OpenSSL (SPKI in PEM), as services keep them: read into SSH's own encoding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fingerprint::PublicKey;
use crate::der::{OID, Reader, SEQUENCE};
use crate::error::{Error, Result};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.3.101.112
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// The curves, by the names that SSH has for them.
const CURVES: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "nistp256"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x22], "nistp384"),
    (&[0x2b, 0x81, 0x04, 0x00, 0x23], "nistp521"),
];

impl PublicKey {
    /// Reads a key from `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for another form, and for a kind of key that SSH does not have.
    pub fn from_pem(text: &str) -> Result<PublicKey> {
        let inside = text.split_once(BEGIN).and_then(|(_, rest)| Some(rest.split_once(END)?.0));
        let inside = inside.ok_or_else(|| Error::usage("this is not a public key in PEM"))?;
        let base64: String = inside.split_whitespace().collect();
        let der =
            STANDARD.decode(base64).map_err(|error| Error::usage("this public key is not base64").because(error))?;
        let blob = blob(&der).ok_or_else(|| Error::usage("this public key is damaged, or of a kind that SSH lacks"))?;
        PublicKey::from_blob(blob, "")
    }
}

/// SSH's encoding of a key.
fn blob(der: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Reader::new(der).within(SEQUENCE)?;
    let mut kind = whole.within(SEQUENCE)?;
    let (algorithm, bits) = (kind.take(OID)?, whole.bits()?);
    let mut out = Vec::new();
    match algorithm {
        RSA => {
            let mut key = Reader::new(bits).within(SEQUENCE)?;
            let (modulus, exponent) = (key.positive()?, key.positive()?);
            put(&mut out, b"ssh-rsa")?;
            put_number(&mut out, exponent)?;
            put_number(&mut out, modulus)?;
        }
        EC => {
            let curve = kind.take(OID)?;
            let (_, name) = CURVES.iter().find(|(oid, _)| *oid == curve)?;
            put(&mut out, format!("ecdsa-sha2-{name}").as_bytes())?;
            put(&mut out, name.as_bytes())?;
            put(&mut out, bits)?;
        }
        ED25519 => {
            put(&mut out, b"ssh-ed25519")?;
            put(&mut out, bits)?;
        }
        _ => return None,
    }
    Some(out)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.extend(u32::try_from(bytes.len()).ok()?.to_be_bytes());
    out.extend(bytes);
    Some(())
}

/// A number whose first bit is its sign.
fn put_number(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    let signed = bytes.first().is_some_and(|first| *first >= 0x80);
    match signed {
        true => put(out, &[&[0], bytes].concat()),
        false => put(out, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_pem_is_the_same_key_as_in_openssh_form() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let key = PublicKey::from_pem(pem).unwrap();
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh";
        assert_eq!(key.openssh_line(), line);
        assert_eq!(PublicKey::from_line(line).unwrap().md5(), key.md5());
    }

    #[test]
    fn what_is_no_such_key_is_refused_and_never_a_panic() {
        let whole = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        for end in 0..whole.len() {
            assert!(PublicKey::from_pem(&format!("{BEGIN}\n{}\n{END}", &whole[..end])).is_err(), "{end}");
        }
        assert!(PublicKey::from_pem("ssh-ed25519 AAAA").is_err());
    }
}
