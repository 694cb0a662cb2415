//! Whether a signature is right: for what an agent gave us, before it is sent.

use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::fingerprint::{KeyKind, PublicKey};
use super::http_signature::Algorithm;
use super::wire::Reader;

/// What `ring` verifies.
const RING_BITS: std::ops::RangeInclusive<u32> = 1024..=8192;
const MAX_BITS: usize = 16_384;

impl PublicKey {
    /// Whether this is a signature of these bytes by this key, in the encoding that CloudAPI wants: RSA PKCS#1 v1.5,
    /// ECDSA in DER, Ed25519 as it is. The server takes either ECDSA digest with any curve, and so does this.
    pub fn verify(&self, algorithm: Algorithm, data: &[u8], signature: &[u8]) -> bool {
        check(self, algorithm, data, signature).unwrap_or(false)
    }
}

fn check(key: &PublicKey, algorithm: Algorithm, data: &[u8], signature: &[u8]) -> Option<bool> {
    let mut fields = Reader::new(key.blob());
    fields.string()?;
    Some(match (key.kind(), algorithm) {
        (KeyKind::Rsa { bits }, Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaSha512) => {
            let (e, n) = (fields.positive()?, fields.positive()?);
            if RING_BITS.contains(&bits) {
                let parameters: &RsaParameters = match algorithm {
                    Algorithm::RsaSha1 => &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    Algorithm::RsaSha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                    _ => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, data, signature).is_ok()
            } else {
                let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
                let key = RsaPublicKey::new_with_max_size(n, e, MAX_BITS).ok()?;
                match algorithm {
                    Algorithm::RsaSha1 => key.verify(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(data), signature),
                    Algorithm::RsaSha256 => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(data), signature),
                    _ => key.verify(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(data), signature),
                }
                .is_ok()
            }
        }
        (KeyKind::Ed25519, Algorithm::Ed25519Sha512) => {
            UnparsedPublicKey::new(&ED25519, fields.string()?).verify(data, signature).is_ok()
        }
        (kind @ (KeyKind::P256 | KeyKind::P384 | KeyKind::P521), Algorithm::EcdsaSha256 | Algorithm::EcdsaSha512) => {
            fields.string()?;
            let point = fields.string()?;
            match (kind, algorithm) {
                (KeyKind::P256, Algorithm::EcdsaSha256) => {
                    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(data, signature).is_ok()
                }
                (KeyKind::P256, _) => {
                    let signature = p256::ecdsa::Signature::from_der(signature).ok()?;
                    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&digest(algorithm, data), &signature).is_ok()
                }
                (KeyKind::P384, _) => {
                    let signature = p384::ecdsa::Signature::from_der(signature).ok()?;
                    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&digest(algorithm, data), &signature).is_ok()
                }
                _ => {
                    let signature = p521::ecdsa::Signature::from_der(signature).ok()?;
                    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
                    key.verify_prehash(&digest(algorithm, data), &signature).is_ok()
                }
            }
        }
        _ => false,
    })
}

fn digest(algorithm: Algorithm, data: &[u8]) -> Vec<u8> {
    if algorithm == Algorithm::EcdsaSha512 {
        return Sha512::digest(data).to_vec();
    }
    // The curve crates refuse a digest below half the curve's size, so P-521 needs zeros before it,
    // which do not change its value. Only curves longer than this digest come here.
    let mut padded = vec![0; 2];
    padded.extend_from_slice(&Sha256::digest(data));
    padded
}
