//! Public keys and what people call them by: fingerprints, names, kinds.
//! Nothing secret enters here.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::wire::Reader;
use crate::error::{Error, Result};
use crate::sensitive::{self, shown};

/// Longer lines than this are no public key: a 16384-bit RSA key has 2.8 kB.
const MAX_LINE_LEN: usize = 16 * 1024;
/// Comments are shown to people; nobody needs more of one.
const MAX_COMMENT_LEN: usize = 256;

/// What sort of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with a modulus of so many bits.
    Rsa {
        /// Length of the modulus.
        bits: u32,
    },
    /// ECDSA on NIST P-256.
    P256,
    /// ECDSA on NIST P-384.
    P384,
    /// ECDSA on NIST P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// DSA, which no current program makes or takes.
    Dsa,
    /// A FIDO key (`sk-…`): its signatures have a form of their own.
    SecurityKey,
    /// An OpenSSH certificate.
    Certificate,
    /// Anything else.
    Other,
}

impl KeyKind {
    /// Why CloudAPI cannot be asked with such a key; `None` when it can.
    pub fn unusable(self) -> Option<&'static str> {
        match self {
            KeyKind::Rsa { .. } | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => None,
            KeyKind::Dsa => Some("DSA keys are obsolete"),
            KeyKind::SecurityKey => Some("signatures of FIDO keys (sk-…) are not known to CloudAPI"),
            KeyKind::Certificate => Some("certificates are not known to CloudAPI"),
            KeyKind::Other => Some("keys of this kind are not known to CloudAPI"),
        }
    }

    /// Why an agent cannot sign for CloudAPI with such a key; `None` when it can.
    pub fn unusable_in_agent(self) -> Option<&'static str> {
        match self {
            KeyKind::P384 => Some("an agent signs P-384 with SHA-384, which CloudAPI refuses: this key needs its file"),
            other => other.unusable(),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyKind::Rsa { bits } => return write!(f, "RSA {bits}"),
            KeyKind::P256 => "ECDSA P-256",
            KeyKind::P384 => "ECDSA P-384",
            KeyKind::P521 => "ECDSA P-521",
            KeyKind::Ed25519 => "Ed25519",
            KeyKind::Dsa => "DSA",
            KeyKind::SecurityKey => "FIDO",
            KeyKind::Certificate => "certificate",
            KeyKind::Other => "unknown kind",
        })
    }
}

/// A public key in SSH's own encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: String,
    blob: Vec<u8>,
    comment: String,
    kind: KeyKind,
}

impl PublicKey {
    /// Reads what stands in a `.pub` file: `ssh-ed25519 AAAA… comment`. Empty lines and lines
    /// beginning with `#` before it are skipped, and what follows it is not looked at.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) when this is no such line.
    pub fn from_line(text: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let line = line.ok_or_else(|| Error::usage("this public key is empty"))?;
        if line.len() > MAX_LINE_LEN {
            return Err(Error::usage("this public key is longer than any key"));
        }
        let mut words = line.splitn(3, [' ', '\t']);
        let (Some(name), Some(data)) = (words.next(), words.next()) else {
            return Err(Error::usage("this is not an OpenSSH public key: it has no `TYPE BASE64` line"));
        };
        let blob =
            STANDARD.decode(data).map_err(|error| Error::usage("this public key is not base64").because(error))?;
        let key = Self::from_blob(blob, words.next().unwrap_or_default())?;
        if key.algorithm != name {
            return Err(Error::usage(format!(
                "this public key says {} before and {} within its data",
                clean_name(name),
                clean_name(&key.algorithm)
            )));
        }
        Ok(key)
    }

    /// Takes the binary form, which an agent lists.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) when it is not well formed.
    pub fn from_blob(blob: Vec<u8>, comment: &str) -> Result<Self> {
        let (algorithm, kind) = inspect(&blob).ok_or_else(|| Error::usage("this public key is damaged"))?;
        Ok(PublicKey { algorithm, blob, comment: clean(comment), kind })
    }

    /// SSH's name of the kind, such as `ssh-rsa`.
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The binary form.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The comment, without control characters; often empty.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// What sort of key it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The MD5 fingerprint as CloudAPI wants it: `aa:bb:…`, lower case.
    pub fn md5(&self) -> String {
        colons(&Md5::digest(&self.blob))
    }

    /// The SHA-256 fingerprint as `ssh-keygen -l` prints it: `SHA256:…`, without padding.
    pub fn sha256(&self) -> String {
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(&self.blob)))
    }

    /// The line of a `.pub` file, without a line end: what CloudAPI wants when a key is added.
    pub fn openssh_line(&self) -> String {
        let mut line = format!("{} {}", self.algorithm, STANDARD.encode(&self.blob));
        if !self.comment.is_empty() {
            line.push(' ');
            line.push_str(&self.comment);
        }
        line
    }
}

/// Name and kind of an encoded public key, if it is one to its last byte.
fn inspect(blob: &[u8]) -> Option<(String, KeyKind)> {
    if blob.len() > MAX_LINE_LEN {
        return None;
    }
    let mut reader = Reader::new(blob);
    let name = reader.text()?;
    // A line that begins with `#` would be a remark and no key.
    let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !begins || name.len() > MAX_NAME_LEN || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let kind = match name {
        "ssh-rsa" => {
            reader.positive()?;
            let modulus = reader.positive()?;
            let zeros = modulus.first()?.leading_zeros();
            KeyKind::Rsa { bits: u32::try_from(modulus.len()).ok()? * 8 - zeros }
        }
        "ecdsa-sha2-nistp256" => curve(&mut reader, "nistp256", 65, KeyKind::P256)?,
        "ecdsa-sha2-nistp384" => curve(&mut reader, "nistp384", 97, KeyKind::P384)?,
        "ecdsa-sha2-nistp521" => curve(&mut reader, "nistp521", 133, KeyKind::P521)?,
        "ssh-ed25519" => (reader.string()?.len() == 32).then_some(KeyKind::Ed25519)?,
        _ => {
            // Not ours to understand, so not ours to check.
            let kind = match name {
                "ssh-dss" => KeyKind::Dsa,
                _ if name.contains("-cert-v0") => KeyKind::Certificate,
                _ if name.starts_with("sk-") => KeyKind::SecurityKey,
                _ => KeyKind::Other,
            };
            return Some((name.to_owned(), kind));
        }
    };
    reader.is_empty().then(|| (name.to_owned(), kind))
}

fn curve(reader: &mut Reader<'_>, name: &str, length: usize, kind: KeyKind) -> Option<KeyKind> {
    let named = reader.text()? == name;
    let point = reader.string()?;
    (named && point.len() == length && point.first() == Some(&4)).then_some(kind)
}

fn colons(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(':');
        }
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
    }
    text
}

/// Text from elsewhere, fit to be shown: no control characters, not endless.
pub(super) fn clean(text: &str) -> String {
    let mut shown: String = text.trim().chars().take(MAX_COMMENT_LEN).collect();
    // It may have been cut after a blank, with which it would not be read back the same.
    shown.truncate(shown.trim_end().len());
    shown.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// The name of an algorithm, from a file or an agent, as it can be shown.
pub(super) fn clean_name(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME_LEN) {
        Some((end, _)) => format!("{}…", clean(name.get(..end).unwrap_or_default())),
        None => clean(name),
    }
}

/// No name of an algorithm has more letters.
const MAX_NAME_LEN: usize = 100;

/// How a user names a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyId {
    /// An MD5 fingerprint, here always lower case and with colons.
    Md5(String),
    /// A SHA-256 fingerprint, here always `SHA256:` and without padding.
    Sha256(String),
    /// Anything else: the name the key has at CloudAPI.
    Name(String),
}

impl KeyId {
    /// Understands MD5 with `MD5:` before it or not, with colons or not, in any case; `SHA256:`
    /// with or without padding; and takes anything else for a name.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for an empty one, a name that cannot travel, and
    /// for what begins like a fingerprint and is none.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        sensitive::refuse("the key id", text, "the fingerprint or name of one")?;
        if let Some(rest) = strip_word(text, "MD5:") {
            return md5_hex(rest).map(KeyId::Md5).ok_or_else(|| {
                Error::usage(format!("'{}' is not an MD5 fingerprint: 16 hexadecimal pairs are expected", shown(text)))
            });
        }
        if let Some(rest) = strip_word(text, "SHA256:") {
            let bytes = STANDARD_NO_PAD.decode(rest.trim_end_matches('='));
            return match bytes {
                Ok(bytes) if bytes.len() == 32 => {
                    Ok(KeyId::Sha256(format!("SHA256:{}", STANDARD_NO_PAD.encode(bytes))))
                }
                _ => Err(Error::usage(format!(
                    "'{}' is not a SHA256 fingerprint: base64 of 32 bytes is expected",
                    shown(text)
                ))
                .hint("ssh-keygen -l -f FILE prints a key's fingerprint")),
            };
        }
        if let Some(md5) = md5_hex(text) {
            return Ok(KeyId::Md5(md5));
        }
        super::http_signature::check_part("key name", text)?;
        Ok(KeyId::Name(text.to_owned()))
    }

    /// Whether this is the fingerprint of that key; a name never is.
    pub fn is_of(&self, key: &PublicKey) -> bool {
        match self {
            KeyId::Md5(md5) => *md5 == key.md5(),
            KeyId::Sha256(sha256) => *sha256 == key.sha256(),
            KeyId::Name(_) => false,
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (KeyId::Md5(text) | KeyId::Sha256(text) | KeyId::Name(text)) = self;
        f.write_str(text)
    }
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// 32 hexadecimal digits, all in pairs between colons or none.
fn md5_hex(text: &str) -> Option<String> {
    let digits: String = match text.len() {
        32 => text.to_owned(),
        47 => {
            let pairs: Vec<&str> = text.split(':').collect();
            (pairs.len() == 16 && pairs.iter().all(|pair| pair.len() == 2)).then(|| pairs.concat())?
        }
        _ => return None,
    };
    let digits = digits.to_ascii_lowercase();
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let pairs: Vec<&str> = (0..32).step_by(2).filter_map(|at| digits.get(at..at + 2)).collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_algorithm_is_shown_within_bounds() {
        assert_eq!(clean_name("ssh-rsa"), "ssh-rsa");
        assert_eq!(clean_name("a\u{1b}b"), "a?b");
        let long = clean_name(&"x".repeat(9000));
        assert_eq!(long, format!("{}…", "x".repeat(MAX_NAME_LEN)));
    }
}
