//! The record of the resources that an owner has created or adopted: the only ones that a plan may delete. One file
//! for each cloud, account and owner, in a folder that the caller names.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::{Kind, Owned};
use crate::error::{Error, Result};
use crate::file::{self, Manner};

/// The longest record, in bytes.
const MAX_LEN: u64 = 16 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;
/// How long other processes may take to write records.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// All characters but those that neither lead out of the folder nor separate the parts of the name.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

#[derive(Serialize, Deserialize)]
#[serde(bound = "K: Kind")]
struct Content<K> {
    version: u32,
    host: String,
    account: String,
    owner: String,
    made: Vec<Owned<K>>,
}

/// The record of one owner.
#[derive(Debug)]
pub struct Record<K> {
    file: PathBuf,
    host: String,
    account: String,
    owner: String,
    /// The resources on it.
    pub made: Vec<Owned<K>>,
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
        let mut record = Record { file, host, account, owner, made: Vec::new() };
        record.made = record.written()?;
        Ok(record)
    }

    /// The resources that the file lists.
    fn written(&self) -> Result<Vec<Owned<K>>> {
        let fail = |words: &str| Error::other(format!("the record {} {words}", self.file.display()));
        let bytes = match file::read(&self.file, MAX_LEN) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
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
        Ok(content.made)
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(&mut self, thing: Owned<K>) -> Result<()> {
        self.change(|made| {
            if !made.iter().any(|known| known.is(thing.kind, &thing.id)) {
                made.push(thing);
            }
        })
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn remove(&mut self, thing: &Owned<K>) -> Result<()> {
        self.change(|made| made.retain(|known| !known.is(thing.kind, &thing.id)))
    }

    /// Changes what the file lists now: another run may have added to it since it was read.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Owned<K>>)) -> Result<()> {
        let fail = |error: io::Error| {
            Error::other(format!("the record {} cannot be written", self.file.display())).because(error)
        };
        let folder = self.file.parent().unwrap_or(Path::new("."));
        file::make_private_dir(folder).map_err(fail)?;
        let _lock = file::lock(&folder.join(".sdc.lock"), LOCK_TIMEOUT).map_err(fail)?;
        let mut made = self.written()?;
        change(&mut made);
        self.made = made;
        self.write()
    }

    fn write(&self) -> Result<()> {
        let content = Content {
            version: VERSION,
            host: self.host.clone(),
            account: self.account.clone(),
            owner: self.owner.clone(),
            made: self.made.clone(),
        };
        let fail = |error: io::Error| {
            Error::other(format!("the record {} cannot be written", self.file.display())).because(error)
        };
        let mut text = serde_json::to_string_pretty(&content)
            .map_err(|error| Error::other("the record is no JSON").because(error))?;
        text.push('\n');
        file::replace(&self.file, text.as_bytes(), Manner::KEPT).map_err(fail)
    }
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

    fn owned(kind: Part, id: &str) -> Owned<Part> {
        Owned { kind, id: id.to_owned(), name: id.to_owned(), needs: Vec::new() }
    }

    fn read(dir: &tempfile::TempDir, owner: &str) -> Result<Record<Part>> {
        Record::read(&dir.path().join("records"), "host:8080", "a/../b", owner)
    }

    #[test]
    fn a_record_is_kept_for_each_cloud_account_and_owner_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let thing = owned(Part::User, "u1");
        let mut record = read(&dir, "team").unwrap();
        assert!(record.made.is_empty());
        record.add(thing.clone()).unwrap();
        record.add(thing.clone()).unwrap();
        assert_eq!(read(&dir, "team").unwrap().made, std::slice::from_ref(&thing));
        assert!(read(&dir, "other").unwrap().made.is_empty());
        let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        record.remove(&thing).unwrap();
        assert!(read(&dir, "team").unwrap().made.is_empty());
        std::fs::write(&file, "{").unwrap();
        assert!(read(&dir, "team").is_err());
    }

    #[test]
    fn what_several_runs_add_at_once_is_all_on_the_record() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for run in 0..8 {
                let mut record = read(&dir, "team").unwrap();
                scope.spawn(move || {
                    for round in 0..20 {
                        let id = format!("{run}-{round}");
                        record.add(owned(Part::Role, &id)).unwrap();
                    }
                });
            }
        });
        let mut ids: Vec<String> = read(&dir, "team").unwrap().made.into_iter().map(|owned| owned.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 160);
    }
}
