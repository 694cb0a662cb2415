//! The secret half of a key, in the form that signs it best: `ring` wherever it can, other crates
//! only for what it refuses. Takes numbers, knows nothing of files.

use std::sync::OnceLock;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
    RsaEncoding,
};
use rsa::BigUint;
use rsa::pkcs1v15;
use rsa::rand_core::OsRng;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha512};

use super::der;
use super::http_signature::Algorithm;
use super::wire;
use crate::error::{Error, Result};

/// More than any program makes, and few enough for the arithmetic to end.
const MAX_RSA_BITS: usize = 16_384;
const LEAST_RSA_BITS: usize = 1024;

/// A curve, and how long its numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) fn size(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Curve::P256 => "nistp256",
            Curve::P384 => "nistp384",
            Curve::P521 => "nistp521",
        }
    }
}

pub(super) enum Secret {
    Rsa(Box<RsaSecret>),
    P256(Box<P256Secret>),
    P384(Box<p384::ecdsa::SigningKey>),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(Box<Ed25519Secret>),
}

/// A pair that signs, and its number: `ring` gives none back.
pub(super) struct P256Secret {
    pair: EcdsaKeyPair,
    scalar: Zeroizing<Vec<u8>>,
}

/// The same with the seed.
pub(super) struct Ed25519Secret {
    pair: Ed25519KeyPair,
    seed: Zeroizing<Vec<u8>>,
}

pub(super) struct RsaSecret {
    /// PKCS#1, for when `ring` cannot sign what is asked for.
    der: Zeroizing<Vec<u8>>,
    fast: Option<ring::rsa::KeyPair>,
    slow: OnceLock<rsa::RsaPrivateKey>,
}

/// A secret with its public half in SSH's encoding; `None` when the numbers are no key.
pub(super) type Made = Option<(Secret, Vec<u8>)>;

/// From PKCS#1.
pub(super) fn rsa(pkcs1: Zeroizing<Vec<u8>>) -> Made {
    let mut numbers = der::Reader::new(&pkcs1).within(der::SEQUENCE)?;
    if numbers.take(der::INTEGER)? != [0] {
        return None;
    }
    let (modulus, exponent) = (numbers.positive()?, numbers.positive()?);
    let bits = modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    // None of the others is longer in a key, and how long the arithmetic takes goes by all of them.
    let rest = [numbers.positive()?, numbers.positive()?, numbers.positive()?];
    let longer = rest.iter().any(|number| number.len() > modulus.len());
    if !(LEAST_RSA_BITS..=MAX_RSA_BITS).contains(&bits) || exponent.len() > 8 || longer {
        return None;
    }
    let mut blob = Vec::with_capacity(modulus.len() + 32);
    wire::put_string(&mut blob, b"ssh-rsa");
    wire::put_positive(&mut blob, exponent);
    wire::put_positive(&mut blob, modulus);

    // `ring` also proves that the numbers fit together, far faster than the other crate does.
    let fast = ring::rsa::KeyPair::from_der(&pkcs1).ok();
    let slow = OnceLock::new();
    if fast.is_none() {
        slow.set(slow_rsa(&pkcs1)?).ok()?;
    }
    Some((Secret::Rsa(Box::new(RsaSecret { der: pkcs1, fast, slow })), blob))
}

/// Whether PKCS#1 has more than two primes, which nobody uses for SSH.
pub(super) fn has_more_primes(pkcs1: &[u8]) -> bool {
    let version = || der::Reader::new(pkcs1).within(der::SEQUENCE)?.take(der::INTEGER);
    version() == Some(&[1])
}

/// A key for the other crate, which computes what belongs to the primes itself. `None` where the numbers do not fit
/// together.
fn slow_rsa(pkcs1: &[u8]) -> Option<rsa::RsaPrivateKey> {
    let mut numbers = der::Reader::new(pkcs1).within(der::SEQUENCE)?;
    numbers.take(der::INTEGER)?;
    let mut next = || numbers.positive().map(BigUint::from_bytes_be);
    let (n, e, d, p, q) = (next()?, next()?, next()?, next()?, next()?);
    let primes = larger_first(p, q);
    let key = rsa::RsaPrivateKey::from_components(n, e, d, primes).ok()?;
    // Without it, which two equal primes do not have, the crate goes another way.
    key.qinv().is_some().then_some(key)
}

/// To the remainder by the first prime less that by the second, which may be negative, the crate adds the first one
/// until it is not: once where the first is the larger, and else as often as it goes into the second.
fn larger_first(p: BigUint, q: BigUint) -> Vec<BigUint> {
    if p < q { vec![q, p] } else { vec![p, q] }
}

/// From the numbers of an OpenSSH file, which has all of PKCS#1's but the two exponents.
pub(super) fn rsa_from_numbers(n: &[u8], e: &[u8], d: &[u8], p: &[u8], q: &[u8], inverse: &[u8]) -> Made {
    use secrecy::zeroize::Zeroize as _;
    if [d, p, q].iter().any(|number| number.len() > n.len() + 1) {
        return None;
    }
    let reduce = |prime: &[u8]| -> Option<Zeroizing<Vec<u8>>> {
        let mut exponent = BigUint::from_bytes_be(d);
        let mut less = BigUint::from_bytes_be(prime);
        if less < BigUint::from(3_u8) {
            return None;
        }
        less -= 1_u8;
        let mut rest = &exponent % &less;
        let bytes = Zeroizing::new(rest.to_bytes_be());
        exponent.zeroize();
        less.zeroize();
        rest.zeroize();
        Some(bytes)
    };
    let (dp, dq) = (reduce(p)?, reduce(q)?);
    rsa(der::integers(&[&[0], n, e, d, p, q, &dp, &dq, inverse]))
}

/// From the secret number and, if the file has it, the public point (uncompressed).
pub(super) fn ecdsa(curve: Curve, scalar: &[u8], point: Option<&[u8]>) -> Made {
    // Some old programs drop leading zeros, others add one.
    let zeros = scalar.iter().take_while(|byte| **byte == 0).count();
    let digits = scalar.get(zeros..)?;
    let mut fixed = Zeroizing::new(vec![0_u8; curve.size().checked_sub(digits.len())?]);
    fixed.reserve_exact(digits.len());
    fixed.extend_from_slice(digits);
    let scalar = fixed.as_slice();
    // A compressed point is left to be computed.
    let point = point.filter(|point| point.first() == Some(&4));

    let (secret, own) = match curve {
        Curve::P256 => {
            let own = match point {
                Some(point) => point.to_vec(),
                None => p256::ecdsa::SigningKey::from_slice(scalar)
                    .ok()?
                    .verifying_key()
                    .to_encoded_point(false)
                    .as_bytes()
                    .to_vec(),
            };
            // `ring` checks that the two belong together.
            let pair = EcdsaKeyPair::from_private_key_and_public_key(
                &ECDSA_P256_SHA256_ASN1_SIGNING,
                scalar,
                &own,
                &SystemRandom::new(),
            );
            let pair = pair.ok()?;
            (Secret::P256(Box::new(P256Secret { pair, scalar: Zeroizing::new(scalar.to_vec()) })), own)
        }
        Curve::P384 => {
            let key = p384::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let own = key.verifying_key().to_encoded_point(false).as_bytes().to_vec();
            (Secret::P384(Box::new(key)), own)
        }
        Curve::P521 => {
            let key = p521::ecdsa::SigningKey::from_slice(scalar).ok()?;
            let own = p521::ecdsa::VerifyingKey::from(&key).to_encoded_point(false).as_bytes().to_vec();
            (Secret::P521(Box::new(key)), own)
        }
    };
    if point.is_some_and(|point| point != own) {
        return None;
    }
    let mut blob = Vec::with_capacity(own.len() + 48);
    wire::put_string(&mut blob, format!("ecdsa-sha2-{}", curve.name()).as_bytes());
    wire::put_string(&mut blob, curve.name().as_bytes());
    wire::put_string(&mut blob, &own);
    Some((secret, blob))
}

/// From the seed and, if the file has it, the public half.
pub(super) fn ed25519(seed: &[u8], public: Option<&[u8]>) -> Made {
    let pair = match public {
        Some(public) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        None => Ed25519KeyPair::from_seed_unchecked(seed),
    };
    let pair = pair.ok()?;
    let mut blob = Vec::with_capacity(64);
    wire::put_string(&mut blob, b"ssh-ed25519");
    wire::put_string(&mut blob, pair.public_key().as_ref());
    Some((Secret::Ed25519(Box::new(Ed25519Secret { pair, seed: Zeroizing::new(seed.to_vec()) })), blob))
}

impl Secret {
    /// The signature as CloudAPI wants it: RSA PKCS#1 v1.5, ECDSA in DER, Ed25519 as it is.
    pub(super) fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        let signature = match (self, algorithm) {
            (Secret::Rsa(key), Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaSha512) => {
                key.sign(algorithm, data)
            }
            (Secret::P256(key), Algorithm::EcdsaSha256) => {
                key.pair.sign(&SystemRandom::new(), data).ok().map(|signature| signature.as_ref().to_vec())
            }
            (Secret::P384(key), Algorithm::EcdsaSha512) => {
                use p384::ecdsa::signature::hazmat::RandomizedPrehashSigner;
                // The digest is longer than the curve: ECDSA takes its leftmost 48 bytes.
                let digest = Sha512::digest(data);
                let signature: Result<p384::ecdsa::Signature, _> = key.sign_prehash_with_rng(&mut OsRng, &digest);
                signature.ok().map(|signature| signature.to_der().as_bytes().to_vec())
            }
            (Secret::P521(key), Algorithm::EcdsaSha512) => {
                use p521::ecdsa::signature::hazmat::RandomizedPrehashSigner;
                let digest = Sha512::digest(data);
                let signature: Result<p521::ecdsa::Signature, _> = key.sign_prehash_with_rng(&mut OsRng, &digest);
                signature.ok().map(|signature| signature.to_der().as_bytes().to_vec())
            }
            (Secret::Ed25519(key), Algorithm::Ed25519Sha512) => Some(key.pair.sign(data).as_ref().to_vec()),
            _ => return Err(Error::other(format!("this key cannot make {} signatures", algorithm.as_str()))),
        };
        signature.ok_or_else(|| match self {
            Secret::Rsa(_) => Error::auth("the key is damaged: its numbers do not fit together, and sign nothing"),
            _ => Error::other("the signature could not be computed"),
        })
    }
}

impl Secret {
    /// The fields of the key as OpenSSH writes them into a file; `blob` is its public half.
    pub(super) fn fields(&self, blob: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Room for all of it at once, since a buffer that grows leaves copies behind that nobody wipes.
        let mut out = Zeroizing::new(Vec::with_capacity(blob.len() + 8192));
        let scalar = match self {
            Secret::Rsa(key) => {
                let mut numbers = der::Reader::new(&key.der).within(der::SEQUENCE)?;
                numbers.take(der::INTEGER)?;
                let (n, e, d) = (numbers.positive()?, numbers.positive()?, numbers.positive()?);
                let (p, q) = (numbers.positive()?, numbers.positive()?);
                let (_, _, inverse) = (numbers.positive()?, numbers.positive()?, numbers.positive()?);
                wire::put_string(&mut out, b"ssh-rsa");
                [n, e, d, inverse, p, q].iter().for_each(|number| wire::put_positive(&mut out, number));
                return Some(out);
            }
            Secret::Ed25519(key) => {
                let both = Zeroizing::new([&key.seed, key.pair.public_key().as_ref()].concat());
                out.extend_from_slice(blob);
                wire::put_string(&mut out, &both);
                return Some(out);
            }
            Secret::P256(key) => key.scalar.clone(),
            Secret::P384(key) => Zeroizing::new(key.to_bytes().to_vec()),
            Secret::P521(key) => Zeroizing::new(key.to_bytes().to_vec()),
        };
        out.extend_from_slice(blob);
        wire::put_positive(&mut out, &scalar);
        Some(out)
    }
}

impl RsaSecret {
    fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Option<Vec<u8>> {
        if let (Some(key), Algorithm::RsaSha256 | Algorithm::RsaSha512) = (&self.fast, algorithm) {
            let padding: &dyn RsaEncoding =
                if algorithm == Algorithm::RsaSha512 { &RSA_PKCS1_SHA512 } else { &RSA_PKCS1_SHA256 };
            let mut signature = vec![0; key.public().modulus_len()];
            if key.sign(padding, &SystemRandom::new(), data, &mut signature).is_ok() {
                return Some(signature);
            }
            // `ring` takes the exponents of the primes on trust, and only what it has signed tells that one is wrong.
        }
        let key = match self.slow.get() {
            Some(key) => key,
            None => {
                let key = slow_rsa(&self.der)?;
                self.slow.get_or_init(|| key)
            }
        };
        // This crate is not constant-time; blinding by a random number is what it has against that.
        let key = key.clone();
        let size = key.size();
        let signature = match algorithm {
            Algorithm::RsaSha1 => pkcs1v15::SigningKey::<sha1::Sha1>::new(key).try_sign_with_rng(&mut OsRng, data),
            Algorithm::RsaSha256 => pkcs1v15::SigningKey::<sha2::Sha256>::new(key).try_sign_with_rng(&mut OsRng, data),
            _ => pkcs1v15::SigningKey::<Sha512>::new(key).try_sign_with_rng(&mut OsRng, data),
        };
        let bytes = signature.ok()?.to_vec();
        (bytes.len() == size).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{PrivateKey, PublicKey, no_passphrase};
    use super::*;

    const UNEVEN: &str = include_str!("../../tests/data/uneven.pem");

    fn pkcs1(pem: &str) -> Zeroizing<Vec<u8>> {
        use base64::Engine as _;
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Zeroizing::new(base64::engine::general_purpose::STANDARD.decode(text).unwrap())
    }

    /// The numbers of a key, n first.
    fn numbers(der: &[u8]) -> Vec<Vec<u8>> {
        let mut reader = der::Reader::new(der).within(der::SEQUENCE).unwrap();
        reader.take(der::INTEGER).unwrap();
        (0..8).map(|_| reader.positive().unwrap().to_vec()).collect()
    }

    fn key(numbers: &[Vec<u8>]) -> Made {
        let all: Vec<&[u8]> = std::iter::once([0].as_slice()).chain(numbers.iter().map(Vec::as_slice)).collect();
        rsa(der::integers(&all))
    }

    #[track_caller]
    fn signs(made: Made) -> RsaSecret {
        let (Secret::Rsa(secret), blob) = made.unwrap() else { panic!("no RSA") };
        let public = PublicKey::from_blob(blob, "").unwrap();
        for algorithm in [Algorithm::RsaSha1, Algorithm::RsaSha256, Algorithm::RsaSha512] {
            let signature = secret.sign(algorithm, b"date: now").unwrap();
            assert!(public.verify(algorithm, b"date: now", &signature), "{algorithm:?}");
        }
        *secret
    }

    /// The crate adds the first prime to what may be as far below zero as the second is large.
    fn rounds(secret: &RsaSecret) -> usize {
        let primes = secret.slow.get().unwrap().primes();
        (&primes[1] / &primes[0]).bits()
    }

    #[test]
    fn primes_of_unequal_length_sign_after_one_round_whichever_is_the_first() {
        let mut numbers = numbers(&pkcs1(UNEVEN));
        assert!(numbers[3].len() < numbers[4].len());
        assert_eq!(rounds(&signs(key(&numbers))), 0);
        numbers.swap(3, 4);
        numbers.swap(5, 6);
        assert_eq!(rounds(&signs(key(&numbers))), 0);
        let [n, e, d, p, q, .., inverse] = numbers.as_slice() else { panic!() };
        assert_eq!(rounds(&signs(rsa_from_numbers(n, e, d, p, q, inverse))), 0);
        for file in [UNEVEN, include_str!("../../tests/data/uneven.openssh")] {
            let key = PrivateKey::parse(file.as_bytes(), "key", &mut no_passphrase).unwrap();
            let signature = key.sign(Algorithm::RsaSha256, b"x").unwrap();
            assert!(key.public().verify(Algorithm::RsaSha256, b"x", &signature));
        }
    }

    #[test]
    fn what_is_computed_from_the_primes_need_not_be_right_and_the_primes_must() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!("../../tests/data/signing.json")).unwrap();
        let even = vectors["keys"]["rsa"]["private"].as_str().unwrap();
        for pem in [even, UNEVEN] {
            let right = numbers(&pkcs1(pem));
            signs(key(&right));
            // Both exponents, and the inverse.
            for at in 5..8 {
                let mut wrong = right.clone();
                wrong[at][10] ^= 4;
                signs(key(&wrong));
            }
            for at in [0, 3, 4] {
                let mut wrong = right.clone();
                wrong[at][0] ^= 2;
                assert!(key(&wrong).is_none(), "{at}");
            }
            // What `ring` does not look at is seen by what was signed.
            for at in [1, 2] {
                let mut wrong = right.clone();
                wrong[at][0] ^= 2;
                let Some((secret, blob)) = key(&wrong) else { continue };
                let public = PublicKey::from_blob(blob, "").unwrap();
                for algorithm in [Algorithm::RsaSha1, Algorithm::RsaSha256] {
                    match secret.sign(algorithm, b"x") {
                        Ok(signature) => assert!(public.verify(algorithm, b"x", &signature), "{at}"),
                        Err(error) => assert!(error.message().starts_with("the key is damaged"), "{error}"),
                    }
                }
            }
            // Twice the same prime, or a number longer than the modulus.
            let (d, p) = (BigUint::from_bytes_be(&right[2]), BigUint::from_bytes_be(&right[4]));
            let mut wrong = right.clone();
            wrong[0] = (&p * &p).to_bytes_be();
            wrong[2] = (d % (&p - 1_u8)).to_bytes_be();
            wrong[3].clone_from(&right[4]);
            assert!(key(&wrong).is_none());
            for at in [2, 3, 4] {
                let mut long = right.clone();
                long[at] = vec![0xff; 300];
                assert!(key(&long).is_none(), "{at}");
            }
        }
    }

    #[test]
    fn more_than_two_primes_are_refused_in_words() {
        let mut numbers = numbers(&pkcs1(UNEVEN));
        numbers.insert(0, vec![1]);
        let all: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
        let error = super::super::pkcs::pkcs1(der::integers(&all)).err();
        assert!(matches!(error, Some(super::super::pkcs::Bad::Foreign("RSA with more than two primes"))));
    }
}
