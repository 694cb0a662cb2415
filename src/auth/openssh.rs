//! Keys in OpenSSH's own form (`BEGIN OPENSSH PRIVATE KEY`), plain and encrypted.
//! The fields are read here; of the crate `ssh-key` only its ciphers and its key derivation are
//! used, since it refuses every ECDSA key whose secret begins with a zero byte, which is half of
//! all on P-521.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use ssh_key::{Cipher, Kdf};

use super::fingerprint::{KeyKind, PublicKey};
use super::pkcs::Bad;
use super::secret::{self, Curve, Made, Secret};
use super::wire::{Reader, put_string};

/// `ssh-keygen -a` takes any number; 16 to 24 is usual, and this takes about a minute.
const MAX_ROUNDS: u32 = 4096;

/// The outside of a file: all that can be read without a passphrase.
pub(super) struct Sealed<'a> {
    /// The public half stands in the clear even in an encrypted file.
    pub(super) public: PublicKey,
    cipher: Cipher,
    kdf: Kdf,
    inside: &'a [u8],
    tag: Option<[u8; 16]>,
}

/// The inside, in the clear.
pub(super) struct Open {
    pub(super) made: Made,
    pub(super) comment: String,
}

impl<'a> Sealed<'a> {
    pub(super) fn parse(data: &'a [u8]) -> Result<Self, Bad> {
        let mut reader = Reader::new(data.strip_prefix(b"openssh-key-v1\0").ok_or(Bad::Damaged)?);
        let mut field = || reader.string().ok_or(Bad::Damaged);
        let (cipher, kdf, options) = (field()?, field()?, field()?);
        if reader.u32().ok_or(Bad::Damaged)? != 1 {
            return Err(Bad::Foreign("OpenSSH with several keys in one file"));
        }
        let public = reader.string().ok_or(Bad::Damaged)?;
        let public = PublicKey::from_blob(public.to_vec(), "").map_err(|_| Bad::Damaged)?;
        match public.kind() {
            KeyKind::SecurityKey => return Err(Bad::Foreign("FIDO (sk-…), whose secret is in the hardware")),
            KeyKind::Dsa => return Err(Bad::Foreign("DSA")),
            KeyKind::Certificate | KeyKind::Other => return Err(Bad::Foreign("an unknown kind")),
            _ => {}
        }
        let cipher = std::str::from_utf8(cipher).ok().and_then(|name| Cipher::new(name).ok());
        let cipher = cipher.ok_or(Bad::Foreign("OpenSSH with an unknown cipher"))?;
        let kdf = match kdf {
            b"none" => Kdf::None,
            b"bcrypt" => {
                let mut options = Reader::new(options);
                let (Some(salt), Some(rounds)) = (options.string(), options.u32()) else {
                    return Err(Bad::Damaged);
                };
                if rounds > MAX_ROUNDS {
                    return Err(Bad::Foreign("OpenSSH that asks for more work to open than any real key"));
                }
                Kdf::Bcrypt { salt: salt.to_vec(), rounds }
            }
            _ => return Err(Bad::Foreign("OpenSSH with an unknown key derivation")),
        };
        let inside = reader.string().ok_or(Bad::Damaged)?;
        let tag = match cipher.has_tag() {
            true => Some(reader.bytes(16).and_then(|tag| tag.try_into().ok()).ok_or(Bad::Damaged)?),
            false => None,
        };
        let aligned = inside.len() % cipher.block_size() == 0;
        if !reader.is_empty() || !aligned || cipher.is_none() != kdf.is_none() {
            return Err(Bad::Damaged);
        }
        Ok(Sealed { public, cipher, kdf, inside, tag })
    }

    pub(super) fn is_locked(&self) -> bool {
        self.cipher.is_some()
    }

    /// Opens a plain file.
    pub(super) fn open(&self) -> Result<Open, Bad> {
        self.read(self.inside).ok_or(Bad::Damaged)
    }

    /// Opens an encrypted file.
    pub(super) fn unlock(&self, passphrase: &[u8]) -> Result<Open, Bad> {
        let (key, vector) = self.kdf.derive_key_and_iv(self.cipher, passphrase).map_err(|_| Bad::Passphrase)?;
        let mut inside = Zeroizing::new(self.inside.to_vec());
        self.cipher.decrypt(&key, &vector, &mut inside, self.tag).map_err(|_| Bad::Passphrase)?;
        // The right passphrase shows in two equal numbers at the start.
        match inside.split_at_checked(8) {
            Some((check, _)) if check.get(..4) == check.get(4..) => self.read(&inside).ok_or(Bad::Damaged),
            _ => Err(Bad::Passphrase),
        }
    }

    fn read(&self, inside: &[u8]) -> Option<Open> {
        let mut reader = Reader::new(inside);
        if reader.u32()? != reader.u32()? {
            return None;
        }
        let name = reader.text()?;
        if name != self.public.algorithm() {
            return None;
        }
        let made = secret(name, &mut reader)?;
        let comment = String::from_utf8_lossy(reader.string()?).into_owned();
        let mut padding = 1..;
        while let Some(byte) = reader.byte() {
            if Some(byte) != padding.next() {
                return None;
            }
        }
        // Both places must name the same public half.
        (made.1 == self.public.blob()).then_some(Open { made: Some(made), comment })
    }
}

/// How many letters a line of such a file has.
const LINE: usize = 70;

/// A plain file of this key; `None` for one whose numbers cannot be read again.
pub(super) fn written(secret: &Secret, public: &PublicKey) -> Option<SecretString> {
    let fields = secret.fields(public.blob())?;
    let mut inside = Zeroizing::new(Vec::with_capacity(fields.len() + 32));
    // Of a plain file nothing is to be checked by these two numbers.
    inside.extend_from_slice(&[0; 8]);
    inside.extend_from_slice(&fields);
    put_string(&mut inside, b"");
    let padding = (8 - inside.len() % 8) % 8;
    inside.extend((1_u8..).take(padding));
    let mut data = Zeroizing::new(Vec::with_capacity(inside.len() + public.blob().len() + 128));
    data.extend_from_slice(b"openssh-key-v1\0");
    [&b"none"[..], b"none", b""].iter().for_each(|field| put_string(&mut data, field));
    data.extend_from_slice(&1_u32.to_be_bytes());
    put_string(&mut data, public.blob());
    put_string(&mut data, &inside);
    let base64 = Zeroizing::new(STANDARD.encode(&*data));
    let mut text = Zeroizing::new(String::with_capacity(base64.len() + base64.len() / LINE + 128));
    text.push_str("-----BEGIN OPENSSH PRIVATE KEY-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END OPENSSH PRIVATE KEY-----\n");
    Some(SecretString::from(text.as_str()))
}

/// The fields of one key.
fn secret(name: &str, reader: &mut Reader<'_>) -> Made {
    let curve = match name {
        "ssh-rsa" => {
            let (n, e, d) = (reader.positive()?, reader.positive()?, reader.positive()?);
            let (inverse, p, q) = (reader.positive()?, reader.positive()?, reader.positive()?);
            return secret::rsa_from_numbers(n, e, d, p, q, inverse);
        }
        "ssh-ed25519" => {
            let (public, both) = (reader.string()?, reader.string()?);
            let (seed, again) = both.split_at_checked(32)?;
            return if public == again { secret::ed25519(seed, Some(public)) } else { None };
        }
        "ecdsa-sha2-nistp256" => Curve::P256,
        "ecdsa-sha2-nistp384" => Curve::P384,
        "ecdsa-sha2-nistp521" => Curve::P521,
        _ => return None,
    };
    reader.string()?;
    let point = reader.string()?;
    secret::ecdsa(curve, reader.positive()?, Some(point))
}
