//! The HTTP Signature scheme as CloudAPI reads it: what is signed, and how the header is written.
//! Pure text; keys are elsewhere.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fingerprint::KeyKind;
use crate::error::{Error, Result};
use crate::sensitive;

/// What a signature covers, and which syntax the header has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Date, method, path and query.
    #[default]
    Request,
    /// The Date header alone.
    Date,
    /// The oldest syntax: the bare date, and the signature after the parameters. RSA only.
    Legacy,
}

impl Form {
    /// The word people choose it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Form::Request => "request",
            Form::Date => "date",
            Form::Legacy => "legacy",
        }
    }
}

impl FromStr for Form {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "request" => Ok(Form::Request),
            "date" => Ok(Form::Date),
            "legacy" => Ok(Form::Legacy),
            other => Err(Error::usage(format!("'{}' is not a form of signing", sensitive::shown(other)))
                .hint("choose one of: request, date, legacy")),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The digest for RSA keys. Other keys have no choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaHash {
    /// For very old servers only.
    Sha1,
    /// What everybody uses.
    #[default]
    Sha256,
    /// For those who must.
    Sha512,
}

impl FromStr for RsaHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "sha1" => Ok(RsaHash::Sha1),
            "sha256" => Ok(RsaHash::Sha256),
            "sha512" => Ok(RsaHash::Sha512),
            other => Err(Error::usage(format!("'{}' is not a digest for RSA signatures", sensitive::shown(other)))
                .hint("choose one of: sha1, sha256, sha512")),
        }
    }
}

/// A signature algorithm that CloudAPI accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `rsa-sha1`
    RsaSha1,
    /// `rsa-sha256`
    RsaSha256,
    /// `rsa-sha512`
    RsaSha512,
    /// `ecdsa-sha256`
    EcdsaSha256,
    /// `ecdsa-sha512`
    EcdsaSha512,
    /// `ed25519-sha512`
    Ed25519Sha512,
}

impl Algorithm {
    /// The one for this key, given the choice that RSA leaves.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::error::Kind::Auth) when CloudAPI knows no algorithm for such keys.
    pub fn for_key(kind: KeyKind, rsa: RsaHash) -> Result<Self> {
        Ok(match kind {
            KeyKind::Rsa { .. } => match rsa {
                RsaHash::Sha1 => Algorithm::RsaSha1,
                RsaHash::Sha256 => Algorithm::RsaSha256,
                RsaHash::Sha512 => Algorithm::RsaSha512,
            },
            KeyKind::P256 => Algorithm::EcdsaSha256,
            // The server refuses sha384 for any curve.
            KeyKind::P384 | KeyKind::P521 => Algorithm::EcdsaSha512,
            KeyKind::Ed25519 => Algorithm::Ed25519Sha512,
            other => return Err(Error::auth(other.unusable().unwrap_or("this key cannot sign"))),
        })
    }

    /// As it stands in the header.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::RsaSha1 => "rsa-sha1",
            Algorithm::RsaSha256 => "rsa-sha256",
            Algorithm::RsaSha512 => "rsa-sha512",
            Algorithm::EcdsaSha256 => "ecdsa-sha256",
            Algorithm::EcdsaSha512 => "ecdsa-sha512",
            Algorithm::Ed25519Sha512 => "ed25519-sha512",
        }
    }
}

/// The text to sign. `target` is path and query exactly as on the request line; `date` is the value
/// of the Date header.
pub fn signing_string(form: Form, method: &str, target: &str, date: &str) -> String {
    match form {
        Form::Request => format!("date: {date}\n(request-target): {} {target}", method.to_ascii_lowercase()),
        Form::Date => format!("date: {date}"),
        Form::Legacy => date.to_owned(),
    }
}

/// The value of the Authorization header. The server accepts no space after a comma.
pub fn header(form: Form, key_id: &str, algorithm: Algorithm, signature: &[u8]) -> String {
    let algorithm = algorithm.as_str();
    let signature = STANDARD.encode(signature);
    match form {
        Form::Request => format!(
            "Signature keyId=\"{key_id}\",algorithm=\"{algorithm}\",\
             headers=\"date (request-target)\",signature=\"{signature}\""
        ),
        Form::Date => format!("Signature keyId=\"{key_id}\",algorithm=\"{algorithm}\",signature=\"{signature}\""),
        Form::Legacy => format!("Signature keyId=\"{key_id}\",algorithm=\"{algorithm}\" {signature}"),
    }
}

/// The `keyId`: `/acme/keys/NAME`, or `/acme/users/SUB/keys/NAME`.
pub fn key_id(account: &str, user: Option<&str>, name: &str) -> String {
    match user {
        Some(user) => format!("/{account}/users/{user}/keys/{name}"),
        None => format!("/{account}/keys/{name}"),
    }
}

/// Refuses what cannot be one part of a `keyId`: it would be read as another one.
pub(super) fn check_part(what: &str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::usage(format!("the {what} is empty")));
    }
    sensitive::refuse(format_args!("the {what}"), text, "a name")?;
    match text.chars().find(|letter| matches!(letter, '/' | '"') || letter.is_control() || !letter.is_ascii()) {
        None => Ok(()),
        Some(letter) => Err(Error::usage(format!(
            "the {what} '{}' has a character that no {what} can have: {}",
            sensitive::shown(text),
            letter.escape_default()
        ))),
    }
}
