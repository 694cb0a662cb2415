//! Keys in the forms of OpenSSL: PKCS#1, SEC1 and PKCS#8, the last also encrypted (PBES2).

use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Pbkdf2Prf};
use secrecy::zeroize::Zeroizing;

use super::der::{self, Reader};
use super::secret::{self, Curve, Made};

/// Why the bytes are no key.
pub(super) enum Bad {
    /// They do not open with this passphrase.
    Passphrase,
    /// They are not what they should be, or the numbers do not fit together.
    Damaged,
    /// They are a key of a sort that we do not read: its name.
    Foreign(&'static str),
}

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
const ED25519: &[u8] = &[0x2b, 0x65, 112];
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
const PBES1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5];
const PKCS12: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12];

/// A file may ask for any amount of work before it opens; these bounds are some seconds.
const MAX_ROUNDS: u32 = 10_000_000;
const MAX_SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;

/// `BEGIN RSA PRIVATE KEY`
pub(super) fn pkcs1(data: Zeroizing<Vec<u8>>) -> Result<Made, Bad> {
    match secret::has_more_primes(&data) {
        true => Err(Bad::Foreign("RSA with more than two primes")),
        false => Ok(secret::rsa(data)),
    }
}

/// `BEGIN EC PRIVATE KEY`
pub(super) fn sec1(data: &[u8]) -> Result<Made, Bad> {
    ec(data, None)
}

struct Ec<'a> {
    scalar: &'a [u8],
    curve: Option<&'a [u8]>,
    point: Option<&'a [u8]>,
}

impl<'a> Ec<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let mut fields = Reader::new(data).within(der::SEQUENCE)?;
        if fields.take(der::INTEGER)? != [1] {
            return None;
        }
        let scalar = fields.take(der::OCTET_STRING)?;
        let curve = fields.within(0xa0).map(|mut inner| inner.take(der::OID).unwrap_or_default());
        let point = fields.within(0xa1).and_then(|mut inner| inner.bits());
        Some(Ec { scalar, curve, point })
    }
}

/// The curve may be named outside, as PKCS#8 does.
fn ec(data: &[u8], outer: Option<Curve>) -> Result<Made, Bad> {
    let Ec { scalar, curve: named, point } = Ec::parse(data).ok_or(Bad::Damaged)?;
    let named = named.map(curve).transpose()?;
    let curve = match (outer, named) {
        (Some(outer), Some(named)) if outer != named => return Err(Bad::Damaged),
        (Some(curve), _) | (None, Some(curve)) => curve,
        (None, None) => match scalar.len() {
            32 => Curve::P256,
            48 => Curve::P384,
            66 => Curve::P521,
            _ => return Err(Bad::Foreign("an elliptic curve without a name")),
        },
    };
    Ok(secret::ecdsa(curve, scalar, point))
}

fn curve(oid: &[u8]) -> Result<Curve, Bad> {
    match oid {
        _ if oid == P256 => Ok(Curve::P256),
        _ if oid == P384 => Ok(Curve::P384),
        _ if oid == P521 => Ok(Curve::P521),
        _ => Err(Bad::Foreign("an elliptic curve other than P-256, P-384 and P-521")),
    }
}

struct Pkcs8<'a> {
    oid: &'a [u8],
    parameters: Option<&'a [u8]>,
    key: &'a [u8],
    public: Option<&'a [u8]>,
}

impl<'a> Pkcs8<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let mut fields = Reader::new(data).within(der::SEQUENCE)?;
        // Version 1 (that is, the second) may bring the public half.
        if !matches!(fields.take(der::INTEGER)?, [0 | 1]) {
            return None;
        }
        let mut algorithm = fields.within(der::SEQUENCE)?;
        let oid = algorithm.take(der::OID)?;
        let parameters = algorithm.take(der::OID);
        let key = fields.take(der::OCTET_STRING)?;
        let mut public = None;
        while !fields.is_empty() {
            // [0] are attributes; [1] is an implicit bit string.
            if let (0x81, [0, octets @ ..]) = fields.any()? {
                public = Some(octets);
            }
        }
        Some(Pkcs8 { oid, parameters, key, public })
    }
}

/// `BEGIN PRIVATE KEY`
pub(super) fn pkcs8(data: &[u8]) -> Result<Made, Bad> {
    let Pkcs8 { oid, parameters, key, public } = Pkcs8::parse(data).ok_or(Bad::Damaged)?;
    match oid {
        _ if oid == RSA => pkcs1(Zeroizing::new(key.to_vec())),
        _ if oid == EC => ec(key, Some(curve(parameters.unwrap_or_default())?)),
        _ if oid == ED25519 => {
            let seed = Reader::new(key).take(der::OCTET_STRING).ok_or(Bad::Damaged)?;
            Ok(secret::ed25519(seed, public))
        }
        _ if oid == DSA => Err(Bad::Foreign("DSA")),
        _ if oid == RSA_PSS => Err(Bad::Foreign("RSA bound to PSS")),
        [0x2b, 0x65, 110] => Err(Bad::Foreign("X25519")),
        [0x2b, 0x65, 111] => Err(Bad::Foreign("X448")),
        [0x2b, 0x65, 113] => Err(Bad::Foreign("Ed448")),
        _ => Err(Bad::Foreign("an unknown algorithm")),
    }
}

/// Whether an encrypted PKCS#8 is one that we open; asked before a passphrase is.
pub(super) fn check_pkcs8_lock(data: &[u8]) -> Result<(), Bad> {
    let scheme = || Reader::new(data).within(der::SEQUENCE)?.within(der::SEQUENCE)?.take(der::OID);
    let oid = scheme().ok_or(Bad::Damaged)?;
    if oid != PBES2 {
        return Err(Bad::Foreign(match oid {
            _ if oid.starts_with(PKCS12) || oid.starts_with(PBES1) => "PKCS#8 encrypted by PBES1",
            _ => "PKCS#8 encrypted by an unknown scheme",
        }));
    }
    let locked = EncryptedPrivateKeyInfo::try_from(data)
        .map_err(|_| Bad::Foreign("PKCS#8 with a cipher or a digest that is not usual"))?;
    let EncryptionScheme::Pbes2(parameters) = &locked.encryption_algorithm else {
        return Err(Bad::Foreign("PKCS#8 encrypted by PBES1"));
    };
    let bearable = match &parameters.kdf {
        // The longer digests take about four times the work.
        Kdf::Pbkdf2(kdf) => match kdf.prf {
            Pbkdf2Prf::HmacWithSha384 | Pbkdf2Prf::HmacWithSha512 => kdf.iteration_count <= MAX_ROUNDS / 4,
            _ => kdf.iteration_count <= MAX_ROUNDS,
        },
        Kdf::Scrypt(kdf) => {
            // What opens it counts on these, and does not look.
            if kdf.cost_parameter < 2
                || !kdf.cost_parameter.is_power_of_two()
                || kdf.block_size == 0
                || kdf.parallelization == 0
            {
                return Err(Bad::Damaged);
            }
            let memory = u64::from(kdf.block_size).saturating_mul(128).saturating_mul(kdf.cost_parameter);
            memory <= MAX_SCRYPT_MEMORY && kdf.parallelization <= 16
        }
        _ => return Err(Bad::Foreign("PKCS#8 with an unknown key derivation")),
    };
    if bearable { Ok(()) } else { Err(Bad::Foreign("PKCS#8 that asks for more work to open than any real key")) }
}

/// `BEGIN ENCRYPTED PRIVATE KEY`
pub(super) fn encrypted_pkcs8(data: &[u8], passphrase: &[u8]) -> Result<Made, Bad> {
    let locked = EncryptedPrivateKeyInfo::try_from(data).map_err(|_| Bad::Damaged)?;
    // `decrypt` would check more than it needs to; the scheme alone gives the bytes.
    let open = locked.encryption_algorithm.decrypt(passphrase, locked.encrypted_data).map(Zeroizing::new);
    let open = open.map_err(|_| Bad::Passphrase)?;
    match pkcs8(&open) {
        // Padding can be right by chance.
        Err(Bad::Damaged) => Err(Bad::Passphrase),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let length = u8::try_from(body.len()).unwrap();
        let long: &[u8] = if length < 128 { &[] } else { &[0x81] };
        [&[tag], long, &[length], &body[..]].concat()
    }

    fn integer(value: u64) -> Vec<u8> {
        let bytes = value.to_be_bytes();
        let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
        let sign: &[u8] = if bytes[first] < 128 { &[] } else { &[0] };
        tlv(2, &[sign, &bytes[first..]])
    }

    /// A key that was encrypted with a password that scrypt stretches so.
    fn scrypted(cost: u64, block: u64, side: u64) -> Vec<u8> {
        const SCRYPT: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11];
        const AES: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a];
        let costs = tlv(0x30, &[&tlv(4, &[&[7; 16]]), &integer(cost), &integer(block), &integer(side)]);
        let stretch = tlv(0x30, &[&tlv(6, &[SCRYPT]), &costs]);
        let cipher = tlv(0x30, &[&tlv(6, &[AES]), &tlv(4, &[&[9; 16]])]);
        let scheme = tlv(0x30, &[&tlv(6, &[PBES2]), &tlv(0x30, &[&stretch, &cipher])]);
        tlv(0x30, &[&scheme, &tlv(4, &[&[1; 16]])])
    }

    #[test]
    fn costs_that_nothing_can_be_made_of_are_refused_before_a_passphrase_is_asked_for() {
        let checked = |cost, block, side| check_pkcs8_lock(&scrypted(cost, block, side));
        for (cost, block, side) in [(0, 8, 1), (1, 8, 1), (3, 8, 1), (16384, 0, 1), (16384, 8, 0), (0, 0, 0)] {
            assert!(matches!(checked(cost, block, side), Err(Bad::Damaged)), "{cost} {block} {side}");
        }
        assert!(matches!(checked(1 << 40, 8, 1), Err(Bad::Foreign(_))));
        assert!(checked(16384, 8, 1).is_ok());
        assert!(matches!(encrypted_pkcs8(&scrypted(16, 1, 1), b"x"), Err(Bad::Passphrase)));
    }
}
