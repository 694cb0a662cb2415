//! Finds the key to sign with: the file that was named, else the agent, else the user's directory
//! of keys. Opens no more files than it must, and says where it looked when it finds nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{Pair, pair, pairs, stem};
use super::fingerprint::{KeyId, PublicKey};
use super::key::{Asked, Peek, PrivateKey, peek, read_file};
use super::search::{IDENTITIES, Listed, Report, Search, Wanted, look_after};
use super::signer::Key;
use crate::error::{Error, Hint, Kind, Result};
use crate::sensitive;

/// More files than this are not asked about one after another.
const MAX_LOCKED: usize = 8;

/// The key to sign with.
#[derive(Debug)]
pub struct Found {
    /// It.
    pub key: Key,
    /// What the server knows it by: the MD5 fingerprint, or the name that the user gave.
    pub wire_name: String,
    /// Where it is, in words: `agent`, or `file /home/jill/.ssh/id_rsa`.
    pub origin: String,
    /// What went wrong on the way, in sentences: an agent that did not answer, for one.
    pub notes: Vec<String>,
}

/// Finds the key. `ask` is asked for the passphrase of the file that holds it, and only when no
/// other file can be it, for those of files that do not say which key they are.
///
/// # Errors
/// [`Kind::Auth`] when there is none, or none that can be opened: with every place and key seen.
/// [`Kind::Ambiguous`] when there are several and nothing to choose by. [`Kind::Usage`] for a key id
/// that is none. Errors of `ask` are passed on.
pub fn find(search: &Search, ask: &mut Asked<'_>) -> Result<Found> {
    let wanted = Wanted::of(search)?;
    if let Some(found) = search.given(&wanted, ask) {
        return found;
    }
    if let Some(file) = &wanted.file {
        return from_named_file(file, search, &wanted, ask);
    }
    let mut listed: Vec<Listed> = Vec::new();
    let mut notes = Vec::new();
    for agent in search.agents() {
        let keys = agent.keys();
        match &keys {
            Err(error) => notes.push(error.to_string()),
            Ok(held) => {
                if let Some(id) = &wanted.id
                    && let Some(key) = in_agent(held, id, &wanted, search, &mut notes)?
                {
                    let key = Key::Agent(agent.key(key).or_from(search.spare()));
                    let wire_name = wire_name(&wanted, key.public());
                    return Ok(Found { wire_name, key, origin: "agent".into(), notes });
                }
            }
        }
        listed.push((agent, keys));
    }
    let Some(id) = &wanted.id else {
        let report = look_after(search, &wanted, &listed);
        return only_one(report, &listed, search, ask).map(|found| Found { notes, ..found });
    };
    if let Some(file) = wanted.beside.as_deref().filter(|file| file.is_file()) {
        return from_named_file(file, search, &wanted, ask).map(|found| Found { notes, ..found });
    }
    // That the directory cannot be read is in the report.
    let in_dir = search.ssh_dir.as_ref().and_then(|dir| pairs(dir).ok()).unwrap_or_default();
    let elsewhere = search.identity_files.iter().map(|file| (stem(file), pair(file)));
    for files in [in_dir.into_iter().collect::<Vec<_>>(), elsewhere.collect()] {
        if let Some(found) = from_files(&files, &wanted, id, ask)? {
            return Ok(Found { notes, ..found });
        }
    }
    Err(nothing(id, &look_after(search, &wanted, &listed)))
}

/// The key of an agent that is meant, if it has it.
fn in_agent(
    held: &[PublicKey],
    id: &KeyId,
    wanted: &Wanted,
    search: &Search,
    notes: &mut Vec<String>,
) -> Result<Option<PublicKey>> {
    let mut matching: Vec<&PublicKey> = held.iter().filter(|key| wanted.is(key, None)).collect();
    if matching.is_empty()
        && let Some(named) = public_of_file_named(id, search.ssh_dir.as_deref())
    {
        matching.extend(held.iter().filter(|key| key.blob() == named.blob()));
    }
    matching.dedup_by_key(|key| key.blob());
    matching.retain(|key| match key.kind().unusable_in_agent() {
        Some(why) => {
            notes.push(format!("{} is in the agent, but {why}", key.md5()));
            false
        }
        None => true,
    });
    match matching.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        many => Err(ambiguous(id, many.iter().map(|key| key.md5()))),
    }
}

/// The public half of the file that has this name, so that the agent can be asked for it.
fn public_of_file_named(id: &KeyId, dir: Option<&Path>) -> Option<PublicKey> {
    match (id, dir) {
        (KeyId::Name(name), Some(dir)) => pairs(dir).ok()?.get(name)?.read_public(),
        _ => None,
    }
}

fn found_in_file(key: PrivateKey, file: &Path, wanted: &Wanted) -> Found {
    let wire_name = wire_name(wanted, key.public());
    let notes = several(&key, &sensitive::path(file)).into_iter().collect();
    Found { key: Key::File(key), wire_name, origin: format!("file {}", file.display()), notes }
}

/// What is said where only the first of several keys was read.
pub(super) fn several(key: &PrivateKey, from: &str) -> Option<String> {
    let words =
        || format!("{from} holds more than one private key, and only the first is read: {}", key.public().md5());
    key.is_first_of_several().then(words)
}

/// The server knows a key by its MD5, or by its name; of SHA-256 it knows nothing. A name that led to
/// the key by its file or comment here need not be the one it has there, so only a name that comes
/// with a file of its own is sent.
fn wire_name(wanted: &Wanted, public: &PublicKey) -> String {
    match (&wanted.id, &wanted.file) {
        (Some(KeyId::Name(name)), Some(_)) => name.clone(),
        _ => public.md5(),
    }
}

fn from_named_file(file: &Path, search: &Search, wanted: &Wanted, ask: &mut Asked<'_>) -> Result<Found> {
    let key = PrivateKey::read(file, ask).map_err(|error| match KeyId::parse(&file.to_string_lossy()) {
        Ok(KeyId::Md5(_) | KeyId::Sha256(_)) if !file.exists() => {
            error.hint("a fingerprint is given by --key-id, or SDC_KEY_ID")
        }
        _ => error,
    })?;
    match &wanted.id {
        Some(id @ (KeyId::Md5(_) | KeyId::Sha256(_))) if !id.is_of(key.public()) => {
            let public = key.public();
            Err(Error::auth(format!(
                "the key in {} ({}) is {} ({}), not {id} ({})",
                file.display(),
                search.key_file.as_ref().map_or("beside the .pub file", |_| search.file_from()),
                public.md5(),
                public.sha256(),
                search.id_from(),
            ))
            .hint(format!("{} to use this file's key", search.without_id()))
            .hint(match search.key_file {
                Some(_) => format!("{} to look for the other key", search.without_file()),
                None => "ssh-keygen -y -f FILE > FILE.pub writes a .pub file anew".into(),
            }))
        }
        _ => Ok(found_in_file(key, file, wanted)),
    }
}

/// First by the `.pub` files, which cost nothing; then by the private files that can be read
/// without a passphrase; and last by opening the others.
fn from_files(pairs: &[(String, Pair)], wanted: &Wanted, id: &KeyId, ask: &mut Asked<'_>) -> Result<Option<Found>> {
    if let KeyId::Name(name) = id
        && let Some((_, pair)) = pairs.iter().find(|(stem, _)| stem == name)
        && let Some(file) = pair.private.as_deref()
    {
        return PrivateKey::read(file, ask).map(|key| Some(found_in_file(key, file, wanted)));
    }
    let mut said: Vec<(&Path, PublicKey)> = Vec::new();
    for (stem, pair) in pairs {
        if let (Some(private), Some(public)) = (&pair.private, pair.read_public())
            && wanted.is(&public, Some(stem))
        {
            said.push((private, public));
        }
    }
    let different: BTreeSet<String> = said.iter().map(|(_, public)| public.md5()).collect();
    if different.len() > 1 {
        return Err(ambiguous(id, different.into_iter()));
    }
    for (private, public) in &said {
        let key = PrivateKey::read(private, ask)?;
        // A .pub file can be left over from another key.
        if key.public().blob() == public.blob() {
            return Ok(Some(found_in_file(key, private, wanted)));
        }
    }
    // A name is in the .pub files or nowhere.
    if matches!(id, KeyId::Name(_)) {
        return Ok(None);
    }

    let mut locked: Vec<PathBuf> = Vec::new();
    for (_, pair) in pairs {
        let Some(private) = &pair.private else { continue };
        let Ok(text) = read_file(private) else { continue };
        match peek(&text, &private.display().to_string()) {
            Ok(Peek::Public(public)) if wanted.is(&public, None) => {
                let key = PrivateKey::read(private, ask)?;
                return Ok(Some(found_in_file(key, private, wanted)));
            }
            Ok(Peek::Locked) if pair.public.is_none() => locked.push(private.clone()),
            _ => {}
        }
    }
    for private in locked.iter().take(MAX_LOCKED) {
        match PrivateKey::read(private, ask) {
            Ok(key) if wanted.is(key.public(), None) => return Ok(Some(found_in_file(key, private, wanted))),
            // This one stays closed; the next may open. Whoever interrupts means all of it.
            Err(error) if error.kind() != Kind::Auth => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// Without an id there must be exactly one key that could be meant. Files that only ssh's configuration names count
/// where there is no other.
fn only_one(report: Report, agents: &[Listed], search: &Search, ask: &mut Asked<'_>) -> Result<Found> {
    let good = |seen: &&super::search::Seen| seen.trouble.is_none() || seen.is_locked();
    let of = |last: bool| {
        let places = report.places.iter().filter(move |place| (place.what == IDENTITIES) == last);
        places.flat_map(|place| &place.keys).filter(good).collect::<Vec<_>>()
    };
    let candidates = Some(of(false)).filter(|found| !found.is_empty()).unwrap_or_else(|| of(true));
    // The same key may be in the agent and in a file; the agent comes first and has no passphrase.
    let distinct: BTreeSet<String> =
        candidates.iter().map(|seen| seen.public.as_ref().map_or(seen.label.clone(), PublicKey::md5)).collect();
    match (distinct.len(), candidates.first()) {
        (1, Some(seen)) => {
            if let Some(file) = &seen.file {
                return PrivateKey::read(file, ask).map(|key| found_in_file(key, file, &Wanted::default()));
            }
            let held =
                |(_, keys): &&Listed| keys.as_ref().is_ok_and(|keys| seen.public.iter().any(|key| keys.contains(key)));
            match (agents.iter().find(held), &seen.public) {
                (Some((agent, _)), Some(public)) => {
                    let key = Key::Agent(agent.key(public.clone()).or_from(search.spare()));
                    Ok(Found { wire_name: public.md5(), key, origin: "agent".into(), notes: Vec::new() })
                }
                _ => Err(Error::auth("the key is neither in a file nor in the agent")),
            }
        }
        (0, _) | (_, None) => Err(Error::auth(format!("there is no key to sign with; looked in:\n{report}"))
            .laid_out()
            .hint("ssh-keygen -t ed25519, then add the .pub file to the account")
            .hint("its file: --key-file or SDC_KEY_FILE; or in the agent: ssh-add FILE")
            .hint("in a CI, the key itself from a secret variable: SDC_KEY_MATERIAL, which is not set")),
        (many, _) => Err(Error::new(
            Kind::Ambiguous,
            format!("there are {many} keys, and nothing says which to sign with:\n{report}"),
        )
        .laid_out()
        .hint("choose one with --key-id or SDC_KEY_ID: a fingerprint, a name, or a file")),
    }
}

fn ambiguous(id: &KeyId, fingerprints: impl Iterator<Item = String>) -> Error {
    let list = fingerprints.collect::<Vec<_>>().join(", ");
    Error::new(Kind::Ambiguous, format!("several keys are called '{id}': {list}"))
        .hint("choose one by its fingerprint, or name its file with --key-file")
}

fn nothing(id: &KeyId, report: &Report) -> Error {
    let seen = report.places.iter().flat_map(|place| &place.keys);
    let useless = seen.filter(|seen| seen.wanted).find_map(|seen| seen.trouble.as_ref());
    let error = match useless {
        Some(why) => Error::auth(format!("the key {id} cannot be used: {why}; looked in:\n{report}")).laid_out(),
        None => Error::auth(format!("the private key for {id} was not found; looked in:\n{report}")).laid_out(),
    };
    let error = match id {
        KeyId::Name(_) => error
            .hint("a name is looked for among the agent's comments and the files' names")
            .hint("give the fingerprint that `ssh-keygen -l -E md5 -f FILE` prints, or the file itself"),
        _ => error.hint("`ssh-keygen -l -E md5 -f FILE` prints the fingerprint of a key"),
    };
    error
        .hint("give the private key's file with --key-file or SDC_KEY_FILE, or put it into the agent: ssh-add FILE")
        .hint(Hint::run("to keep the file for a profile, as key-file in its section", "config edit"))
}
