//! Signs requests: an account, a key, and how. The clock and the network are elsewhere.

use std::fmt;

use super::agent::AgentKey;
use super::fingerprint::PublicKey;
use super::http_signature::{Algorithm, Form, RsaHash, check_part, header, key_id, signing_string};
use super::key::PrivateKey;
use crate::error::{Error, Result};

/// A key that can sign, wherever its secret half is.
#[derive(Debug)]
pub enum Key {
    /// From a file.
    File(PrivateKey),
    /// In an agent.
    Agent(AgentKey),
}

impl Key {
    /// The public half.
    pub fn public(&self) -> &PublicKey {
        match self {
            Key::File(key) => key.public(),
            Key::Agent(key) => key.public(),
        }
    }

    /// Signs these bytes as CloudAPI wants them. An agent may take its time: up to a minute.
    ///
    /// # Errors
    /// Those of [`PrivateKey::sign`] and [`AgentKey::sign`].
    pub fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        match self {
            Key::File(key) => key.sign(algorithm, data),
            Key::Agent(key) => key.sign(algorithm, data),
        }
    }
}

/// Writes Authorization headers for one account (and sub-user) with one key.
pub struct Signer {
    account: String,
    user: Option<String>,
    key: Key,
    wire_name: String,
    form: Form,
    algorithm: Algorithm,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id())
            .field("algorithm", &self.algorithm.as_str())
            .field("form", &self.form)
            .field("key", &self.key)
            .finish()
    }
}

impl Signer {
    /// For this account's login with this key, which the server knows as `wire_name`: its MD5
    /// fingerprint or the name it was uploaded under ([`Found::wire_name`](super::find::Found)).
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for an account or name that cannot travel;
    /// [`Kind::Auth`](crate::error::Kind::Auth) for a key that cannot sign for CloudAPI.
    pub fn new(account: &str, key: Key, wire_name: &str) -> Result<Self> {
        check_part("account", account)?;
        if account == "my" {
            return Err(Error::usage("`my` is no account that can sign: the server wants the login")
                .hint("give the account's login or UUID with --account"));
        }
        check_part("key name", wire_name)?;
        if let Key::Agent(agent) = &key
            && let Some(why) = agent.public().kind().unusable_in_agent()
        {
            return Err(Error::auth(why));
        }
        let algorithm = Algorithm::for_key(key.public().kind(), RsaHash::default())?;
        Ok(Signer {
            account: account.to_owned(),
            user: None,
            key,
            wire_name: wire_name.to_owned(),
            form: Form::default(),
            algorithm,
        })
    }

    /// On behalf of this sub-user of the account, whose key it is.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for a login that cannot travel.
    pub fn user(mut self, user: &str) -> Result<Self> {
        check_part("user", user)?;
        self.user = Some(user.to_owned());
        Ok(self)
    }

    /// What signatures cover.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) for [`Form::Legacy`] with a key that is not RSA.
    pub fn form(mut self, form: Form) -> Result<Self> {
        let public = self.key.public();
        if form == Form::Legacy
            && !matches!(self.algorithm, Algorithm::RsaSha1 | Algorithm::RsaSha256 | Algorithm::RsaSha512)
        {
            return Err(Error::usage(format!(
                "the legacy form of signing is for RSA keys, and {} is {}",
                public.md5(),
                public.kind()
            ))
            .hint("leave --signing out, or give an RSA key"));
        }
        self.form = form;
        Ok(self)
    }

    /// The digest for an RSA key; of no effect on others.
    ///
    /// # Errors
    /// None for a key that could sign at all.
    pub fn rsa_hash(mut self, hash: RsaHash) -> Result<Self> {
        self.algorithm = Algorithm::for_key(self.key.public().kind(), hash)?;
        Ok(self)
    }

    /// The account's login.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The algorithm that the header will name.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `/acme/keys/NAME`, or `/acme/users/SUB/keys/NAME`.
    pub fn key_id(&self) -> String {
        key_id(&self.account, self.user.as_deref(), &self.wire_name)
    }

    /// The value of the Authorization header for one request. `target` is path and query exactly as
    /// on the wire, `date` exactly the value of the Date header sent with it.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) when one of them cannot stand in a header;
    /// those of [`Key::sign`].
    pub fn authorization(&self, method: &str, target: &str, date: &str) -> Result<String> {
        let fits = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !(fits(method) && fits(target) && fits(date)) {
            return Err(Error::usage("method, path and date of a request are plain ASCII, percent-encoded if need be"));
        }
        let text = signing_string(self.form, method, target, date);
        let signature = self.key.sign(self.algorithm, text.as_bytes())?;
        Ok(header(self.form, &self.key_id(), self.algorithm, &signature))
    }
}
