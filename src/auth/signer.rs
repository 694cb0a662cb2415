//! Signs requests: an account, a key, and how. The clock and the network are elsewhere.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use super::agent::AgentKey;
use super::fingerprint::PublicKey;
use super::http_signature::{Algorithm, Form, RsaHash, check_part, header, key_id, signing_string};
use super::key::{Ask, PrivateKey, no_passphrase};
use crate::error::{Error, Kind, Result};

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

/// Asks for the passphrase of a file while a signature is made.
type Asker = Box<dyn FnMut(Ask) -> Result<Option<SecretString>> + Send>;

/// What stands in for an agent that refuses to sign: the same key's file.
struct StandIn {
    ask: Asker,
    tried: Tried,
    /// What is to be said of it, once.
    note: Option<String>,
}

/// What came of looking for the file.
enum Tried {
    NotYet,
    Opened(Arc<PrivateKey>),
    /// There is none, or it does not open: it is not asked for again.
    Failed,
}

/// Writes Authorization headers for one account (and sub-user) with one key.
#[derive(Clone)]
pub struct Signer {
    account: String,
    user: Option<String>,
    key: Arc<Key>,
    wire_name: String,
    form: Form,
    algorithm: Algorithm,
    stand_in: Arc<Mutex<StandIn>>,
    /// The agent has been asked to sign, and has not answered yet.
    asking: Arc<AtomicBool>,
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
    /// fingerprint or the name it was uploaded under ([`Found::wire_name`](super::select::Found)).
    ///
    /// # Errors
    /// [`Kind::Usage`] for an account or name that cannot travel;
    /// [`Kind::Auth`] for a key that cannot sign for CloudAPI.
    pub fn new(account: &str, key: Key, wire_name: &str) -> Result<Self> {
        check_part("account", account)?;
        if account == "my" {
            return Err(Error::usage("`my` is not an account that can sign: the server wants the login")
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
            key: Arc::new(key),
            wire_name: wire_name.to_owned(),
            form: Form::default(),
            algorithm,
            stand_in: Arc::new(Mutex::new(StandIn { ask: Box::new(no_passphrase), tried: Tried::NotYet, note: None })),
            asking: Arc::default(),
        })
    }

    /// Asks for a passphrase in this way, should the agent refuse to sign and the key's file have one.
    #[must_use]
    pub fn asks(self, ask: impl FnMut(Ask) -> Result<Option<SecretString>> + Send + 'static) -> Self {
        self.stand_in.lock().unwrap_or_else(PoisonError::into_inner).ask = Box::new(ask);
        self
    }

    /// On behalf of this sub-user of the account, whose key it is.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a login that cannot travel.
    pub fn user(mut self, user: &str) -> Result<Self> {
        check_part("user", user)?;
        self.user = Some(user.to_owned());
        Ok(self)
    }

    /// With the same key, which the server knows by this name.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a name that cannot travel.
    pub fn named(mut self, wire_name: &str) -> Result<Self> {
        check_part("key name", wire_name)?;
        wire_name.clone_into(&mut self.wire_name);
        Ok(self)
    }

    /// What the server knows the key by.
    pub fn wire_name(&self) -> &str {
        &self.wire_name
    }

    /// What signatures cover.
    ///
    /// # Errors
    /// [`Kind::Usage`] for [`Form::Legacy`] with a key that is not RSA.
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

    /// What signatures cover.
    pub fn covers(&self) -> Form {
        self.form
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

    /// Does something with the private key, where it is here: that of a file, or the file that stood in for the agent.
    pub fn with_private_key<T>(&self, does: impl FnOnce(&PrivateKey) -> T) -> Option<T> {
        if let Key::File(key) = &*self.key {
            return Some(does(key));
        }
        match &self.stand_in.lock().unwrap_or_else(PoisonError::into_inner).tried {
            Tried::Opened(key) => Some(does(key)),
            Tried::NotYet | Tried::Failed => None,
        }
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
    /// [`Kind::Usage`] when one of them cannot stand in a header;
    /// those of [`Key::sign`].
    pub fn authorization(&self, method: &str, target: &str, date: &str) -> Result<String> {
        let fits = |text: &str| text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !(fits(method) && fits(target) && fits(date)) {
            return Err(Error::usage("method, path and date of a request are plain ASCII, percent-encoded if need be"));
        }
        let text = signing_string(self.form, method, target, date);
        let signature = self.sign(text.as_bytes())?;
        Ok(header(self.form, &self.key_id(), self.algorithm, &signature))
    }

    /// Whether the agent has been asked to sign and has not answered: somebody may have to touch a token.
    pub fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// What the user should know of the signatures made so far, once.
    pub fn note(&self) -> Option<String> {
        self.stand_in.lock().unwrap_or_else(PoisonError::into_inner).note.take()
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>> {
        let Key::Agent(agent) = &*self.key else { return self.key.sign(self.algorithm, data) };
        let opened = match &self.stand_in.lock().unwrap_or_else(PoisonError::into_inner).tried {
            Tried::Opened(key) => Some(Arc::clone(key)),
            Tried::NotYet | Tried::Failed => None,
        };
        if let Some(key) = opened {
            return key.sign(self.algorithm, data);
        }
        self.asking.store(true, Ordering::Relaxed);
        let signed = agent.sign(self.algorithm, data);
        self.asking.store(false, Ordering::Relaxed);
        match signed {
            Err(refusal) => self.opened_for(agent, refusal)?.sign(self.algorithm, data),
            signed => signed,
        }
    }

    /// The file of a key that its agent lists and refuses to sign with: to confirm was denied, or it is only for
    /// another host.
    fn opened_for(&self, agent: &AgentKey, refusal: Error) -> Result<Arc<PrivateKey>> {
        // Requests side by side wait here, so that a passphrase is asked for once.
        let mut stand_in = self.stand_in.lock().unwrap_or_else(PoisonError::into_inner);
        match &stand_in.tried {
            Tried::Opened(key) => return Ok(Arc::clone(key)),
            Tried::Failed => return Err(refusal),
            Tried::NotYet => {}
        }
        stand_in.tried = Tried::Failed;
        let Some(file) = agent.file() else {
            return Err(refusal.hint("there is no file of this key in ~/.ssh; to name it: --key-file FILE"));
        };
        let key = match PrivateKey::read(&file, &mut *stand_in.ask) {
            Ok(key) if key.public().blob() == agent.public().blob() => Arc::new(key),
            Ok(_) => return Err(refusal.hint(format!("{} is another key than its .pub file says", file.display()))),
            Err(error) if error.kind() == Kind::Interrupted => return Err(error),
            Err(error) => {
                let hints = error.hints().to_vec();
                let refusal = refusal.hint(format!("the key's file does not help: {}", error.message()));
                return Err(hints.into_iter().fold(refusal, Error::hint));
            }
        };
        stand_in.note = Some(format!("{}; signed with the key's file {}", refusal.message(), file.display()));
        stand_in.tried = Tried::Opened(Arc::clone(&key));
        Ok(key)
    }
}
