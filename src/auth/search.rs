//! Where keys can be, and what is there. Asks for no passphrase and signs nothing; choosing among
//! what is seen is for `find`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::agent::Agent;
use super::files::{Pair, Spare, pair, pairs, stem};
use super::fingerprint::{KeyId, PublicKey, clean};
use super::key::{Peek, peek, read_file};
use crate::error::{Error, Result};
use crate::sensitive;

/// Which key is wanted, and where it may be.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What the user calls it: an MD5 or SHA256 fingerprint, its name at CloudAPI, or the path of
    /// its public or private file (anything with a `/`, or ending in `.pub`).
    pub key_id: Option<String>,
    /// What set `key_id`, for messages: `SDC_KEY_ID`; `--key-id` unless given.
    pub key_id_from: Option<String>,
    /// The private key's file. Nothing else is looked at when it is given.
    pub key_file: Option<PathBuf>,
    /// What set `key_file`, for messages: `SDC_KEY_FILE`; `--key-file` unless given.
    pub key_file_from: Option<String>,
    /// The private key itself. Nothing else is looked at when it is given.
    pub key_material: Option<SecretString>,
    /// What set `key_material`, for messages: `SDC_KEY_MATERIAL`.
    pub key_material_from: Option<String>,
    /// The agent's socket (`SSH_AUTH_SOCK`), or its pipe on Windows.
    pub agent_socket: Option<PathBuf>,
    /// Another agent's socket, which is asked first: `IdentityAgent` of `~/.ssh/config`.
    pub identity_agent: Option<PathBuf>,
    /// No agent is to be asked: `IdentityAgent none`.
    pub no_agent: bool,
    /// How long the agent may take to list its keys; 10 s unless set.
    pub agent_timeout: Option<Duration>,
    /// The directory with the user's keys, usually `~/.ssh`.
    pub ssh_dir: Option<PathBuf>,
    /// Files of private keys elsewhere, looked at after that directory: `IdentityFile` of `~/.ssh/config`.
    pub identity_files: Vec<PathBuf>,
}

impl Search {
    pub(super) fn id_from(&self) -> &str {
        self.key_id_from.as_deref().unwrap_or("--key-id")
    }

    pub(super) fn file_from(&self) -> &str {
        self.key_file_from.as_deref().unwrap_or("--key-file")
    }

    /// What to do so that the key id no longer counts.
    pub(super) fn without_id(&self) -> String {
        match without(self.id_from()) {
            Some(words) => words,
            // A file that a flag names counts for more than a profile.
            None => "give the file with --key-file".into(),
        }
    }

    /// What to do so that the key file no longer counts.
    pub(super) fn without_file(&self) -> String {
        without(self.file_from()).unwrap_or_else(|| "give the key with --key-id".into())
    }

    /// The agents, in the order in which they are asked.
    pub(super) fn agents(&self) -> Vec<Agent> {
        if self.no_agent {
            return Vec::new();
        }
        let second = self.agent_socket.as_ref().filter(|socket| self.identity_agent.as_ref() != Some(socket));
        let sockets = self.identity_agent.iter().chain(second);
        sockets
            .map(|socket| {
                let mut agent = Agent::new(socket.clone());
                if let Some(limit) = self.agent_timeout {
                    agent.list_timeout = limit;
                }
                agent
            })
            .collect()
    }

    /// Where the same key may be in a file, for when its agent refuses to sign.
    pub(super) fn spare(&self) -> Spare {
        Spare { dir: self.ssh_dir.clone(), files: self.identity_files.clone() }
    }
}

/// How an option or a variable is left out.
fn without(from: &str) -> Option<String> {
    match from {
        flag if flag.starts_with("--") => Some(format!("leave {flag} out")),
        name if name.chars().all(|c| c.is_ascii_uppercase() || c == '_') => Some(format!("unset {name}")),
        _ => None,
    }
}

/// Every place that was looked in, in the order of search.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The places.
    pub places: Vec<Place>,
}

/// One place where keys can be.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name, such as `ssh-agent /run/agent.sock`.
    pub what: String,
    /// What came of looking: `2 keys`, or why there is none.
    pub outcome: String,
    /// Looking itself went wrong: an agent that does not answer, a directory that cannot be read.
    pub failed: bool,
    /// What is there, good or not.
    pub keys: Vec<Seen>,
}

/// A key that was seen, or a file that looked like one.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The key; `None` when the file does not open without its passphrase, or not at all.
    pub public: Option<PublicKey>,
    /// The private key's file; `None` for a key in the agent.
    pub file: Option<PathBuf>,
    /// The words it is recognised by: the comment, or the file.
    pub label: String,
    /// Why it cannot be used; `None` when it can.
    pub trouble: Option<String>,
    /// It is the one that was asked for.
    pub wanted: bool,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(public) = &self.public {
            write!(f, "{}  {}  ", public.md5(), public.kind())?;
        }
        // An agent's comment may hold anything, and is one line here.
        f.write_str(&self.label.replace('\n', "\\n"))?;
        match &self.trouble {
            Some(trouble) => write!(f, "  ({})", trouble.replace('\n', "\\n")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, place) in self.places.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(f, "{separator}  {}: {}", place.what, place.outcome)?;
            for key in &place.keys {
                write!(f, "\n    {key}")?;
            }
        }
        Ok(())
    }
}

/// The key that is wanted, understood.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Fingerprint or name; `None` for whichever there is.
    pub(super) id: Option<KeyId>,
    /// The file that it must come from.
    pub(super) file: Option<PathBuf>,
    /// The file beside the public key that was named, which may exist or not.
    pub(super) beside: Option<PathBuf>,
}

impl Wanted {
    pub(super) fn of(search: &Search) -> Result<Self> {
        let mut wanted = Wanted { file: search.key_file.clone(), ..Wanted::default() };
        let Some(text) = search.key_id.as_deref() else {
            return Ok(wanted);
        };
        sensitive::refuse_path(search.id_from(), Path::new(text), "the fingerprint or name of one")?;
        if !is_path(text) {
            wanted.id = Some(KeyId::parse(text)?);
            return Ok(wanted);
        }
        let path = Path::new(text);
        let contents = read_file(path)?;
        // A file that says it is a public one is called what it is instead.
        let public = match PublicKey::from_file(&sensitive::path(path), &contents) {
            Err(error) if text.ends_with(".pub") && !sensitive::is_key(&String::from_utf8_lossy(&contents)) => {
                return Err(Error::auth(error.message()).hint_all(error.hints()));
            }
            read => read.ok(),
        };
        if let Some(public) = public {
            wanted.id = Some(KeyId::Md5(public.md5()));
            wanted.beside = text.strip_suffix(".pub").map(PathBuf::from);
        } else if wanted.file.is_none() {
            wanted.file = Some(path.to_owned());
        } else if let Peek::Public(public) = peek(&contents, text)? {
            wanted.id = Some(KeyId::Md5(public.md5()));
        } else {
            return Err(Error::usage(format!("{} does not open, so it cannot name a key", sensitive::path(path)))
                .hint(format!("{} to use the file of {}", search.without_id(), search.file_from())));
        }
        Ok(wanted)
    }

    /// Whether this key, in a file of this stem, is the one.
    pub(super) fn is(&self, public: &PublicKey, stem: Option<&str>) -> bool {
        match &self.id {
            None => true,
            Some(KeyId::Name(name)) => stem == Some(name.as_str()) || public.comment() == name,
            Some(id) => id.is_of(public),
        }
    }
}

/// No fingerprint and no name has a slash; a SHA256 fingerprint may, and says what it is.
fn is_path(text: &str) -> bool {
    let sha256 = text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("SHA256:"));
    !sha256 && (text.contains('/') || text.ends_with(".pub") || (cfg!(windows) && text.contains('\\')))
}

/// What an agent answered when it was asked for its keys.
pub(super) type Listed = (Agent, Result<Vec<PublicKey>>);

/// Looks into every place. Never fails: what went wrong is in the report.
pub fn look(search: &Search) -> Report {
    let wanted = Wanted::of(search);
    let listed: Vec<Listed> = search
        .agents()
        .into_iter()
        .map(|agent| {
            let keys = agent.keys();
            (agent, keys)
        })
        .collect();
    look_after(search, &wanted.unwrap_or_default(), &listed)
}

/// The same after the agents were asked.
pub(super) fn look_after(search: &Search, wanted: &Wanted, agents: &[Listed]) -> Report {
    let mut places: Vec<Place> = search.given_place(wanted).into_iter().collect();
    let files = [search.key_file.as_ref(), wanted.file.as_ref().filter(|_| search.key_file.is_none())];
    for file in files.into_iter().flatten().chain(&wanted.beside) {
        places.push(look_at_file(file, wanted));
    }
    places.extend(agents.iter().map(|(agent, keys)| look_at_agent(agent, wanted, keys)));
    if agents.is_empty() {
        let outcome = match search.no_agent {
            true => "not asked: IdentityAgent none in ~/.ssh/config",
            false => "there is none: SSH_AUTH_SOCK is not set",
        };
        places.push(Place { what: "ssh-agent".into(), outcome: outcome.into(), failed: false, keys: Vec::new() });
    }
    places.push(match &search.ssh_dir {
        Some(dir) => look_into(dir, wanted),
        None => Place {
            what: "~/.ssh".into(),
            outcome: "there is no home directory".into(),
            failed: false,
            keys: Vec::new(),
        },
    });
    if let Some(place) = look_at_identities(search, wanted) {
        places.push(place);
    }
    Report { places }
}

/// The files of `IdentityFile` that are not in the user's directory of keys, if there are any.
fn look_at_identities(search: &Search, wanted: &Wanted) -> Option<Place> {
    let elsewhere = |file: &&PathBuf| search.ssh_dir.as_deref() != file.parent();
    let pairs = search.identity_files.iter().filter(elsewhere).map(|file| (stem(file), pair(file)));
    let keys: Vec<Seen> = pairs.filter_map(|(stem, pair)| see_pair(&stem, &pair, wanted)).collect();
    let good = keys.iter().filter(|key| key.trouble.is_none() || key.is_locked()).count();
    let place = Place { what: IDENTITIES.into(), outcome: count(good), failed: false, keys };
    (!place.keys.is_empty()).then_some(place)
}

/// What the place is called that comes after all others.
pub(super) const IDENTITIES: &str = "IdentityFile of ~/.ssh/config";

fn look_at_file(file: &Path, wanted: &Wanted) -> Place {
    let seen = see(file, file.file_stem().and_then(|stem| stem.to_str()), wanted);
    let outcome = match &seen.trouble {
        None => "a key".to_owned(),
        Some(trouble) => trouble.clone(),
    };
    let failed = seen.public.is_none() && !seen.is_locked();
    Place { what: format!("file {}", sensitive::path(file)), outcome, failed, keys: vec![seen] }
}

fn look_at_agent(agent: &Agent, wanted: &Wanted, keys: &Result<Vec<PublicKey>>) -> Place {
    let what = format!("ssh-agent {}", sensitive::path(agent.socket()));
    let (outcome, seen) = match keys {
        Err(error) => (error.to_string(), Vec::new()),
        Ok(keys) => {
            let seen = keys.iter().map(|key| Seen {
                public: Some(key.clone()),
                file: None,
                label: key.comment().to_owned(),
                trouble: key.kind().unusable_in_agent().map(str::to_owned),
                wanted: wanted.id.is_some() && wanted.is(key, None),
            });
            (count(keys.len()), seen.collect())
        }
    };
    Place { what, outcome, failed: keys.is_err(), keys: seen }
}

fn look_into(dir: &Path, wanted: &Wanted) -> Place {
    let what = dir.display().to_string();
    let pairs = match pairs(dir) {
        Ok(pairs) => pairs,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Place { what, outcome: "there is no such directory".into(), failed: false, keys: Vec::new() };
        }
        Err(error) => {
            return Place { what, outcome: format!("cannot read it: {error}"), failed: true, keys: Vec::new() };
        }
    };
    let keys: Vec<Seen> = pairs.iter().filter_map(|(stem, pair)| see_pair(stem, pair, wanted)).collect();
    let good = keys.iter().filter(|key| key.trouble.is_none() || key.is_locked()).count();
    Place { what, outcome: count(good), failed: false, keys }
}

/// What a private key's file and the public one beside it are.
fn see_pair(stem: &str, pair: &Pair, wanted: &Wanted) -> Option<Seen> {
    match (&pair.private, pair.read_public()) {
        (None, None) => None,
        (None, Some(public)) => Some(Seen {
            wanted: wanted.id.is_some() && wanted.is(&public, Some(stem)),
            label: clean(&format!("{stem}.pub")),
            public: Some(public),
            file: None,
            trouble: Some("there is no private key beside it".into()),
        }),
        (Some(private), said) => {
            let mut seen = see(private, Some(stem), wanted);
            // A locked file is what its public half says it is.
            if let (None, true, Some(public)) = (&seen.public, seen.is_locked(), said) {
                seen.wanted = wanted.id.is_some() && wanted.is(&public, Some(stem));
                seen.trouble = public.kind().unusable().map(str::to_owned);
                seen.public = Some(public);
            }
            Some(seen)
        }
    }
}

const LOCKED: &str = "encrypted, and without a .pub file to say which key it is";

impl Seen {
    /// The file is a key, and only its passphrase can tell which.
    pub(super) fn is_locked(&self) -> bool {
        self.trouble.as_deref() == Some(LOCKED)
    }
}

/// What a file is, without a passphrase.
fn see(file: &Path, stem: Option<&str>, wanted: &Wanted) -> Seen {
    let label = sensitive::path(file);
    let (public, trouble) = match read_file(file).and_then(|text| peek(&text, &label)) {
        Ok(Peek::Public(public)) => {
            let trouble = public.kind().unusable().map(str::to_owned);
            (Some(public), trouble)
        }
        Ok(Peek::Locked) => (None, Some(LOCKED.to_owned())),
        // The file's name is said already.
        Err(error) => (None, Some(error.message().replacen(&format!("{label} "), "", 1))),
    };
    let wanted = wanted.id.is_some() && public.as_ref().is_some_and(|public| wanted.is(public, stem));
    Seen { public, file: Some(file.to_owned()), label: clean(&label), trouble, wanted }
}

fn count(number: usize) -> String {
    match number {
        0 => "no key".into(),
        1 => "1 key".into(),
        more => format!("{more} keys"),
    }
}
