//! The record of the resources that an owner has created or adopted: the only ones that a plan may delete. One file
//! for each cloud, account and owner, in a folder that the caller names.
//!
//! A run writes down what it is about to create before it sends the request. So no end of the process and no full disk
//! leaves a resource behind that is on no record: what was [begun](Record::begun) and turns out to exist is owned.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

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
const LATE: u64 = 60 * 60;
/// All characters but those that neither lead out of the folder nor separate the parts of the name.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// A resource whose request was about to be sent, and whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "K: Kind")]
struct Begun<K> {
    #[serde(flatten)]
    resource: Owned<K>,
    /// When, in seconds since 1970.
    since: u64,
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

    /// Takes begun resources that exist for made ones, and returns them. `find` returns the id of a resource that
    /// exists. One that does not is forgotten after an hour: until then its request may still be carried out.
    /// The file is written by [`Record::open`].
    pub fn settle(&mut self, find: impl Fn(&Owned<K>) -> Option<String>) -> Vec<Owned<K>> {
        let mut found = Vec::new();
        let now = now();
        self.lists.begun.retain(|begun| match find(&begun.resource) {
            Some(id) => {
                found.push(Owned { id, ..begun.resource.clone() });
                false
            }
            None => now.saturating_sub(begun.since) < LATE,
        });
        for resource in &found {
            put(&mut self.lists.made, resource.clone());
        }
        found
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
        let content: Content<K> =
            serde_json::from_slice(&bytes).map_err(|error| fail("is not of its form").because(error))?;
        if content.version != VERSION {
            return Err(fail(&format!("is of the form {}, which this sdc does not know", content.version)));
        }
        if (&content.host, &content.account, &content.owner) != (&self.host, &self.account, &self.owner) {
            return Err(fail("is that of another cloud, account or owner"));
        }
        Ok(Lists { made: content.made, begun: content.begun })
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
    /// Writes down that a resource is about to be created. Its id is empty where it is not known beforehand.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin(&mut self, resource: Owned<K>) -> Result<()> {
        self.own.push(Begun { resource, since: now() });
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
        let others = |begun: &Begun<K>| {
            let id = &begun.resource.id;
            (begun.resource.kind, &begun.resource.name) != (resource.kind, &resource.name)
                || !id.is_empty() && *id != resource.id
        };
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
        let content = Content {
            version: VERSION,
            host: record.host.clone(),
            account: record.account.clone(),
            owner: record.owner.clone(),
            made: record.lists.made.clone(),
            begun: record.lists.begun.iter().chain(&self.own).cloned().collect(),
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

/// The time, in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    enum Part {
        User,
        Role,
    }

    impl Kind for Part {
        fn word(self) -> &'static str {
            "part"
        }
    }

    fn owned(kind: Part, name: &str, id: &str) -> Owned<Part> {
        Owned { kind, id: id.to_owned(), name: name.to_owned(), needs: Vec::new() }
    }

    fn read(dir: &tempfile::TempDir, owner: &str) -> Result<Record<Part>> {
        Record::read(&dir.path().join("records"), "host:8080", "a/../b", owner)
    }

    fn open(dir: &tempfile::TempDir) -> OpenRecord<Part> {
        read(dir, "team").unwrap().open().unwrap()
    }

    #[test]
    fn a_record_is_kept_for_each_cloud_account_and_owner_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let jill = owned(Part::User, "jill", "u1");
        let mut record = open(&dir);
        assert!(record.made().is_empty());
        record.put(jill.clone()).unwrap();
        record.put(jill.clone()).unwrap();
        drop(record);
        assert_eq!(read(&dir, "team").unwrap().made(), std::slice::from_ref(&jill));
        assert!(read(&dir, "other").unwrap().made().is_empty());
        let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        open(&dir).remove(Part::User, "u1").unwrap();
        assert!(read(&dir, "team").unwrap().made().is_empty());
        std::fs::write(&file, "{").unwrap();
        assert!(read(&dir, "team").is_err());
    }

    #[test]
    fn a_record_of_before_is_read_and_says_no_more_than_it_did() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
        std::fs::create_dir(dir.path().join("records")).unwrap();
        let text = r#"{"version":1,"host":"host:8080","account":"a/../b","owner":"team",
            "made":[{"kind":"User","id":"u1","name":"jill"}]}"#;
        std::fs::write(&file, text).unwrap();
        assert_eq!(read(&dir, "team").unwrap().made(), [owned(Part::User, "jill", "u1")]);
        drop(open(&dir));
        let written = std::fs::read_to_string(&file).unwrap();
        assert!(!written.contains("begun") && !written.contains("needs"), "{written}");
    }

    #[test]
    fn what_was_begun_is_owned_if_it_exists_and_forgotten_if_it_does_not_come() {
        let dir = tempfile::tempdir().unwrap();
        let mut run = open(&dir);
        for name in ["there", "late", "never"] {
            run.begin(owned(Part::Role, name, "")).unwrap();
        }
        run.own.last_mut().unwrap().since -= LATE;
        run.write().unwrap();
        drop(run);
        let mut record = read(&dir, "team").unwrap();
        assert!(record.made().is_empty() && !record.is_changed());
        let found = record.settle(|begun| (begun.name == "there").then(|| "r1".to_owned()));
        assert_eq!(found, [owned(Part::Role, "there", "r1")]);
        assert_eq!((record.made(), record.is_changed()), (&found[..], true));
        drop(record.open().unwrap());
        let record = read(&dir, "team").unwrap();
        assert_eq!(record.made(), found);
        assert_eq!(record.begun().map(|begun| begun.name.as_str()).collect::<Vec<_>>(), ["late"]);
    }

    #[test]
    fn what_is_refused_was_never_begun_but_an_earlier_run_may_have_made_it() {
        let dir = tempfile::tempdir().unwrap();
        let (ops, dev) = (owned(Part::Role, "ops", ""), owned(Part::Role, "dev", ""));
        open(&dir).begin(ops.clone()).unwrap();
        let mut run = open(&dir);
        for role in [&ops, &dev] {
            run.begin(role.clone()).unwrap();
            run.refused(role).unwrap();
        }
        drop(run);
        assert_eq!(read(&dir, "team").unwrap().begun().collect::<Vec<_>>(), [&ops]);
        // Once it is made, nothing is open any longer.
        let mut run = open(&dir);
        run.begin(ops).unwrap();
        run.put(owned(Part::Role, "ops", "r1")).unwrap();
        drop(run);
        let record = read(&dir, "team").unwrap();
        assert!(record.begun().next().is_none() && record.made() == [owned(Part::Role, "ops", "r1")]);
    }

    #[test]
    fn a_record_is_one_runs_at_a_time_and_what_others_have_written_is_not_lost() {
        let dir = tempfile::tempdir().unwrap();
        let late = read(&dir, "team").unwrap();
        let mut run = open(&dir);
        let waits = std::thread::spawn(move || late.open().map(drop));
        run.put(owned(Part::Role, "ops", "r1")).unwrap();
        drop(run);
        let error = waits.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), error::Kind::Refused, "{error}");
        assert_eq!(open(&dir).made().len(), 1);
    }

    #[test]
    fn a_record_that_cannot_be_written_begins_no_run() {
        let dir = tempfile::tempdir().unwrap();
        let record = read(&dir, "team").unwrap();
        std::fs::write(dir.path().join("records"), "a file where the folder should be").unwrap();
        let error = record.open().unwrap_err();
        assert!(error.message().ends_with("cannot be written"), "{error}");
        assert_eq!(error.hints(), ["nothing was changed"]);
    }

    #[test]
    fn a_record_that_is_a_folder_or_in_one_that_cannot_be_written_is_told_before_a_run() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
        std::fs::create_dir_all(&file).unwrap();
        let error = read(&dir, "team").unwrap_err();
        assert!(error.message().ends_with("cannot be read"), "{error}");
        // A lock that cannot be taken.
        let record = read(&dir, "other").unwrap();
        std::fs::create_dir(dir.path().join("records/.host%3A8080@a%2F..%2Fb@other.json.lock")).unwrap();
        let error = record.open().unwrap_err();
        assert_eq!(error.hints(), ["nothing was changed"], "{error}");
    }
}
