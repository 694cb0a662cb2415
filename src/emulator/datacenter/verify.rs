//! Checks a signature against a public key. The public half only; it signs nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1v15::Pkcs1v15Sign;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use ssh_key::public::{EcdsaPublicKey, KeyData};

/// What kind of key a signature was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    Dsa,
    Ecdsa,
    Ed25519,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// An algorithm the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Algorithm(Family, Hash);

impl Algorithm {
    /// By its name, in any case. These pairs and no others: SHA-384 is refused, for curves too.
    pub(crate) fn named(name: &str) -> Option<Algorithm> {
        Some(match name.to_ascii_lowercase().as_str() {
            "rsa-sha1" => Algorithm(Family::Rsa, Hash::Sha1),
            "rsa-sha256" => Algorithm(Family::Rsa, Hash::Sha256),
            "rsa-sha512" => Algorithm(Family::Rsa, Hash::Sha512),
            // Understood, but no key of that kind is held, so nothing is ever good.
            "dsa-sha1" => Algorithm(Family::Dsa, Hash::Sha1),
            "dsa-sha256" => Algorithm(Family::Dsa, Hash::Sha256),
            "ecdsa-sha256" => Algorithm(Family::Ecdsa, Hash::Sha256),
            "ecdsa-sha512" => Algorithm(Family::Ecdsa, Hash::Sha512),
            "ed25519-sha512" => Algorithm(Family::Ed25519, Hash::Sha512),
            _ => return None,
        })
    }
}

/// Whether this signature over these bytes was made with the private half of this key, given as
/// an OpenSSH line.
pub(crate) fn good(key: &str, algorithm: Algorithm, covered: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ssh_key::PublicKey::from_openssh(key) else { return false };
    match (key.key_data(), algorithm) {
        (KeyData::Rsa(key), Algorithm(Family::Rsa, hash)) => rsa_good(key, hash, covered, signature),
        (KeyData::Ecdsa(key), Algorithm(Family::Ecdsa, hash)) => ecdsa_good(key, hash, covered, signature),
        (KeyData::Ed25519(key), Algorithm(Family::Ed25519, Hash::Sha512)) => {
            let (Ok(key), Ok(signature)) =
                (ed25519_dalek::VerifyingKey::from_bytes(&key.0), ed25519_dalek::Signature::from_slice(signature))
            else {
                return false;
            };
            ed25519_dalek::Verifier::verify(&key, covered, &signature).is_ok()
        }
        _ => false,
    }
}

/// The digest of these bytes.
fn digest(hash: Hash, covered: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(covered).to_vec(),
        Hash::Sha256 => Sha256::digest(covered).to_vec(),
        Hash::Sha512 => Sha512::digest(covered).to_vec(),
    }
}

fn rsa_good(key: &ssh_key::public::RsaPublicKey, hash: Hash, covered: &[u8], signature: &[u8]) -> bool {
    let (Some(n), Some(e)) = (key.n.as_positive_bytes(), key.e.as_positive_bytes()) else { return false };
    let (n, e) = (rsa::BigUint::from_bytes_be(n), rsa::BigUint::from_bytes_be(e));
    let Ok(key) = rsa::RsaPublicKey::new_with_max_size(n, e, 16_384) else { return false };
    let padding = match hash {
        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    };
    key.verify(padding, &digest(hash, covered), signature).is_ok()
}

fn ecdsa_good(key: &EcdsaPublicKey, hash: Hash, covered: &[u8], signature: &[u8]) -> bool {
    let point = key.as_sec1_bytes();
    let mut digest = digest(hash, covered);
    match key {
        EcdsaPublicKey::NistP256(_) => {
            let (Ok(key), Ok(signature)) =
                (p256::ecdsa::VerifyingKey::from_sec1_bytes(point), p256::ecdsa::Signature::from_der(signature))
            else {
                return false;
            };
            key.verify_prehash(&digest, &signature).is_ok()
        }
        EcdsaPublicKey::NistP384(_) => {
            let (Ok(key), Ok(signature)) =
                (p384::ecdsa::VerifyingKey::from_sec1_bytes(point), p384::ecdsa::Signature::from_der(signature))
            else {
                return false;
            };
            key.verify_prehash(&digest, &signature).is_ok()
        }
        EcdsaPublicKey::NistP521(_) => {
            let (Ok(key), Ok(signature)) =
                (p521::ecdsa::VerifyingKey::from_sec1_bytes(point), p521::ecdsa::Signature::from_der(signature))
            else {
                return false;
            };
            // The curve's crate takes no digest shorter than half its field.
            while digest.len() < 66 {
                digest.insert(0, 0);
            }
            key.verify_prehash(&digest, &signature).is_ok()
        }
    }
}

/// A public key, given as an OpenSSH line, in the form of OpenSSL. `None` for kinds of keys that have none there.
pub(crate) fn pem(line: &str) -> Option<String> {
    use p256::pkcs8::{EncodePublicKey, LineEnding};

    let key = ssh_key::PublicKey::from_openssh(line.trim()).ok()?;
    let ending = LineEnding::LF;
    match key.key_data() {
        KeyData::Rsa(key) => {
            let (n, e) = (key.n.as_positive_bytes()?, key.e.as_positive_bytes()?);
            let (n, e) = (rsa::BigUint::from_bytes_be(n), rsa::BigUint::from_bytes_be(e));
            rsa::RsaPublicKey::new_with_max_size(n, e, 16_384).ok()?.to_public_key_pem(ending).ok()
        }
        KeyData::Ecdsa(key) => {
            let point = key.as_sec1_bytes();
            match key {
                EcdsaPublicKey::NistP256(_) => {
                    p256::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok()
                }
                EcdsaPublicKey::NistP384(_) => {
                    p384::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok()
                }
                EcdsaPublicKey::NistP521(_) => {
                    p521::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok()
                }
            }
        }
        KeyData::Ed25519(key) => {
            // RFC 8410: the same frame around every key of this kind.
            let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
            der.extend(key.0);
            let text = STANDARD.encode(der);
            Some(format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"))
        }
        _ => None,
    }
}

/// A public key as the API shows it.
#[derive(Debug)]
pub(crate) struct PublicKey {
    /// MD5, lower-case hex with colons.
    pub(crate) fingerprint: String,
    /// The comment; empty if there is none.
    pub(crate) comment: String,
}

/// Reads an OpenSSH public key line. `None` when it is none.
pub(crate) fn read_key(line: &str) -> Option<PublicKey> {
    let key = ssh_key::PublicKey::from_openssh(line.trim()).ok()?;
    let blob = key.to_bytes().ok()?;
    let hex: Vec<String> = md5::Md5::digest(blob).iter().map(|b| format!("{b:02x}")).collect();
    Some(PublicKey { fingerprint: hex.join(":"), comment: key.comment().to_owned() })
}
