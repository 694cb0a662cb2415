//! The record of the resources that an owner has created or adopted: the only ones that a plan may delete. One file
//! for each cloud, account and owner, in a folder that the caller names.
//!
//! A run writes down what it is about to create before it sends the request. So no end of the process and no full disk
//! leaves a resource behind that is on no record: what was [begun](Record::begun) and turns out to exist is owned, if
//! it is as the run would have created it. A resource of that name that differs is somebody else's.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Kind, Owned};
use crate::error::{self, Error, Result};
use crate::file::{self, Lock, Manner};

/// The longest record, in bytes.
const MAX_LEN: u64 = 16 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;
/// How long another run may take for the same record.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// How long after its request a resource may still come into being, in seconds.
const MAX_DELAY: u64 = 60 * 60;
/// All characters but those that neither lead out of the folder nor separate the parts of the name.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The fields of a resource as the service shows them, without those that are empty.
pub type Image = Map<String, Value>;

/// A resource that exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Its fields.
    pub image: Image,
    /// When it was created, in seconds since 1970, if the service says so.
    pub created: Option<i64>,
}

/// What became of the resources that earlier runs had begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled<K> {
    /// Those that exist as they were begun: they are owned now.
    pub own: Vec<Owned<K>>,
    /// Those of which one exists that may be somebody else's: they are forgotten.
    pub foreign: Vec<Owned<K>>,
}

/// A resource whose request was about to be sent, and whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "K: Kind")]
struct Begun<K> {
    #[serde(flatten)]
    resource: Owned<K>,
    /// When, in seconds since 1970.
    since: u64,
    /// As what it was about to be created; records of former versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<Image>,
}

impl<K: Kind> Begun<K> {
    /// Whether it is about this resource, whose id may be unknown.
    fn is_about(&self, other: &Owned<K>) -> bool {
        let own = &self.resource;
        let ids_fit = own.id.is_empty() || other.id.is_empty() || own.id == other.id;
        own.kind == other.kind && own.name == other.name && ids_fit
    }

    /// Whether what exists was created by this request, as far as can be seen.
    fn has_made(&self, found: &Found, now: u64) -> bool {
        let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let end = self.since.saturating_add(MAX_DELAY);
        let in_time = match found.created {
            Some(created) => (seconds(self.since)..=seconds(end)).contains(&created),
            // Found later, it may be somebody else's of the same content.
            None => now <= end,
        };
        in_time && self.image.as_ref() == Some(&found.image)
    }
}

/// What the file lists.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Lists<K> {
    made: Vec<Owned<K>>,
    begun: Vec<Begun<K>>,
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "K: Kind")]
struct Content<K> {
    version: u32,
    host: String,
    account: String,
    owner: String,
    made: Vec<Owned<K>>,
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    begun: Vec<Begun<K>>,
}

/// The record of one owner, as it was read.
#[derive(Debug)]
pub struct Record<K> {
    file: PathBuf,
    host: String,
    account: String,
    owner: String,
    /// What the file listed when it was read.
    read: Lists<K>,
    /// The same once it is settled.
    lists: Lists<K>,
}

impl<K: Kind> Record<K> {
    /// Reads the record of an owner from a folder; without one, nothing is on it.
    ///
    /// # Errors
    /// The file cannot be read, or is not a record: then nothing must be deleted.
    pub fn read(folder: &Path, host: &str, account: &str, owner: &str) -> Result<Record<K>> {
        let name = [host, account, owner].map(|part| utf8_percent_encode(part, UNSAFE).to_string()).join("@");
        let file = folder.join(format!("{name}.json"));
        let [host, account, owner] = [host, account, owner].map(str::to_owned);
        let none = Lists { made: Vec::new(), begun: Vec::new() };
        let mut record = Record { file, host, account, owner, read: none.clone(), lists: none };
        record.read = record.written()?;
        record.lists = record.read.clone();
        Ok(record)
    }

    /// The resources on it.
    pub fn made(&self) -> &[Owned<K>] {
        &self.lists.made
    }

    /// The resources that an earlier run was about to create when it ended. Their ids may be empty.
    pub fn begun(&self) -> impl Iterator<Item = &Owned<K>> {
        self.lists.begun.iter().map(|begun| &begun.resource)
    }

    /// Takes begun resources for made ones if they exist as they were begun. `find` returns the resource of that kind
    /// and name that exists. If it differs, is older, or the record does not say how it was begun, it may be somebody
    /// else's, and is forgotten; so is one that is found after an hour and does not say when it was created, and one
    /// that is on another owner's record. One that does not exist is forgotten after an hour: until then its request
    /// may still be carried out. The file is written by [`Record::open`].
    pub fn settle(&mut self, find: impl Fn(&Owned<K>) -> Option<Found>) -> Settled<K> {
        let mut settled = Settled { own: Vec::new(), foreign: Vec::new() };
        let (now, others) = (now(), self.others());
        self.lists.begun.retain(|begun| {
            let Some(found) = find(&begun.resource) else { return now.saturating_sub(begun.since) < MAX_DELAY };
            let list = if begun.has_made(&found, now) && !others.contains(&found.id) {
                &mut settled.own
            } else {
                &mut settled.foreign
            };
            list.push(Owned { id: found.id, ..begun.resource.clone() });
            false
        });
        // What is on the record already needs no word.
        let made = &mut self.lists.made;
        settled.foreign.retain(|resource| made.iter().all(|known| !known.is(resource.kind, &resource.id)));
        for resource in &settled.own {
            put(made, resource.clone());
        }
        settled
    }

    /// The ids of what other owners have on their records, as far as these can be read.
    fn others(&self) -> HashSet<String> {
        let entries = self.file.parent().and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten();
        let records = entries.filter_map(|entry| {
            let bytes = file::read(&entry.ok()?.path(), MAX_LEN).ok()?;
            serde_json::from_slice::<Content<K>>(&bytes).ok()
        });
        let here = |record: &Content<K>| record.host == self.host && record.account == self.account;
        let others = records.filter(|record| here(record) && record.owner != self.owner);
        others.flat_map(|record| record.made).map(|resource| resource.id).collect()
    }

    /// Whether [`Record::settle`] has changed it.
    pub fn is_changed(&self) -> bool {
        self.read != self.lists
    }

    /// Begins a run: no other one can change this record until the end of this one. The record is written at once, so
    /// that nothing is changed if it cannot be.
    ///
    /// # Errors
    /// The file cannot be read or written; another run has changed it since it was read, or does not end.
    pub fn open(self) -> Result<OpenRecord<K>> {
        let fail = |error: io::Error| self.unwritten(error).hint("nothing was changed");
        let folder = self.file.parent().unwrap_or(Path::new("."));
        file::make_private_dir(folder).map_err(fail)?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let lock = file::lock(&folder.join(format!(".{name}.lock")), LOCK_TIMEOUT).map_err(fail)?;
        if self.written()? != self.read {
            let words = format!("another run has changed the record {} meanwhile", self.file.display());
            return Err(Error::new(error::Kind::Refused, words).hint("nothing was changed; run it again"));
        }
        let record = OpenRecord { record: self, own: Vec::new(), _lock: lock };
        record.write().map_err(|error| error.hint("nothing was changed"))?;
        Ok(record)
    }

    fn unwritten(&self, error: io::Error) -> Error {
        Error::other(format!("the record {} cannot be written", self.file.display())).because(error)
    }

    /// The resources that the file lists.
    fn written(&self) -> Result<Lists<K>> {
        let fail = |words: &str| Error::other(format!("the record {} {words}", self.file.display()));
        let bytes = match file::read(&self.file, MAX_LEN) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Lists { made: Vec::new(), begun: Vec::new() });
            }
            Err(error) => return Err(fail("cannot be read").because(error)),
        };
        let content: Content<K> = serde_json::from_slice(&bytes)
            .map_err(|error| fail("is not of its form").because(file::json_fault(&error)))?;
        if content.version != VERSION {
            return Err(fail(&format!("is of the form {}, which this sdc does not know", content.version)));
        }
        if (&content.host, &content.account, &content.owner) != (&self.host, &self.account, &self.owner) {
            return Err(fail("is that of another cloud, account or owner"));
        }
        let mut begun: Vec<Begun<K>> = Vec::new();
        for one in content.begun {
            begin(&mut begun, one);
        }
        Ok(Lists { made: content.made, begun })
    }
}

/// A record that a run changes.
#[derive(Debug)]
pub struct OpenRecord<K> {
    record: Record<K>,
    /// What this run has begun.
    own: Vec<Begun<K>>,
    _lock: Lock,
}

impl<K: Kind> OpenRecord<K> {
    /// Writes down that a resource is about to be created, and as what. Its id is empty where it is not known
    /// beforehand.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&mut self, resource: Owned<K>, image: Image) -> Result<()> {
        begin(&mut self.own, Begun { resource, since: now(), image: Some(image) });
        self.write()
    }

    /// Writes down that the service has refused what was begun.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn refused(&mut self, resource: &Owned<K>) -> Result<()> {
        self.own.retain(|begun| begun.resource != *resource);
        self.write()
    }

    /// Writes down a resource that was created, adopted or changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn put(&mut self, resource: Owned<K>) -> Result<()> {
        let others = |begun: &Begun<K>| !begun.is_about(&resource);
        self.own.retain(others);
        self.record.lists.begun.retain(others);
        put(&mut self.record.lists.made, resource);
        self.write()
    }

    /// Writes down that a resource was deleted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remove(&mut self, kind: K, id: &str) -> Result<()> {
        self.record.lists.made.retain(|known| !known.is(kind, id));
        self.write()
    }

    /// The resources on it.
    pub fn made(&self) -> &[Owned<K>] {
        self.record.made()
    }

    fn write(&self) -> Result<()> {
        let record = &self.record;
        // An earlier request for the same resource is left out for as long as this run's own is open.
        let mut begun = record.lists.begun.clone();
        self.own.iter().for_each(|own| begin(&mut begun, own.clone()));
        let content = Content {
            version: VERSION,
            host: record.host.clone(),
            account: record.account.clone(),
            owner: record.owner.clone(),
            made: record.lists.made.clone(),
            begun,
        };
        let mut text = serde_json::to_string_pretty(&content)
            .map_err(|error| Error::other("the record is not JSON").because(error))?;
        text.push('\n');
        file::replace(&record.file, text.as_bytes(), Manner::KEPT).map_err(|error| record.unwritten(error))
    }
}

/// Puts a resource on a list, in the place of what the list had of it.
fn put<K: Kind>(made: &mut Vec<Owned<K>>, resource: Owned<K>) {
    match made.iter_mut().find(|known| known.is(resource.kind, &resource.id)) {
        Some(known) => *known = resource,
        None => made.push(resource),
    }
}

/// Puts what is begun on a list, in the place of what the list had of the same resource.
fn begin<K: Kind>(list: &mut Vec<Begun<K>>, begun: Begun<K>) {
    list.retain(|known| !known.is_about(&begun.resource));
    list.push(begun);
}

/// The time, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
