//! The record of what apply has made for an owner: the only things that it ever deletes. One file for each cloud,
//! account and owner, beside node-triton's profiles, which it does not touch.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::plan::Owned;
use crate::config::paths;
use crate::error::{Error, Result};
use crate::file::{self, Manner};

/// No record is longer, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;
/// The form of the file.
const VERSION: u32 = 1;
/// How long others may take to write records.
const PATIENCE: Duration = Duration::from_secs(30);
/// All that could lead out of the folder, or part the name.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

#[derive(Serialize, Deserialize)]
struct Content {
    version: u32,
    host: String,
    account: String,
    owner: String,
    made: Vec<Owned>,
}

/// The record of one owner.
#[derive(Debug)]
pub struct Record {
    file: PathBuf,
    host: String,
    account: String,
    owner: String,
    /// What is on it.
    pub made: Vec<Owned>,
}

impl Record {
    /// Reads the record; there may be none yet.
    ///
    /// # Errors
    /// The file cannot be read, or is not of this form: then nothing must be deleted.
    pub fn read(dir: &Path, host: &str, account: &str, owner: &str) -> Result<Record> {
        let name = [host, account, owner].map(|part| utf8_percent_encode(part, UNSAFE).to_string()).join("@");
        let file = dir.join("sdc-rbac").join(format!("{name}.json"));
        let [host, account, owner] = [host, account, owner].map(str::to_owned);
        let mut record = Record { file, host, account, owner, made: Vec::new() };
        record.made = record.written()?;
        Ok(record)
    }

    /// What the file holds.
    fn written(&self) -> Result<Vec<Owned>> {
        let fail = |words: &str| Error::other(format!("the record {} {words}", self.file.display()));
        let bytes = match file::read(&self.file, LONGEST) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(fail("cannot be read").because(error)),
        };
        let content: Content =
            serde_json::from_slice(&bytes).map_err(|error| fail("is not of its form").because(error))?;
        if content.version != VERSION {
            return Err(fail(&format!("is of the form {}, which this sdc does not know", content.version)));
        }
        if (&content.host, &content.account, &content.owner) != (&self.host, &self.account, &self.owner) {
            return Err(fail("is that of another cloud, account or owner"));
        }
        Ok(content.made)
    }

    /// Adds a thing.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(&mut self, thing: Owned) -> Result<()> {
        self.change(|made| {
            if !made.iter().any(|known| known.kind == thing.kind && known.id == thing.id) {
                made.push(thing);
            }
        })
    }

    /// Takes a thing off.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn remove(&mut self, thing: &Owned) -> Result<()> {
        self.change(|made| made.retain(|known| known.kind != thing.kind || known.id != thing.id))
    }

    /// Changes what is written, not what was read a while ago: another run may have added to it since.
    fn change(&mut self, change: impl FnOnce(&mut Vec<Owned>)) -> Result<()> {
        let fail = |error: io::Error| {
            Error::other(format!("the record {} cannot be written", self.file.display())).because(error)
        };
        let folder = self.file.parent().unwrap_or(Path::new("."));
        paths::make_private_dir(folder).map_err(fail)?;
        let _lock = file::lock(&folder.join(".sdc.lock"), PATIENCE).map_err(fail)?;
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
    use super::super::plan::Kind;
    use super::*;

    #[test]
    fn a_record_is_kept_for_each_cloud_account_and_owner_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let thing = Owned { kind: Kind::User, id: "u1".to_owned(), name: "jill".to_owned() };
        let mut record = Record::read(dir.path(), "host:8080", "a/../b", "team").unwrap();
        assert!(record.made.is_empty());
        record.add(thing.clone()).unwrap();
        record.add(thing.clone()).unwrap();
        assert_eq!(Record::read(dir.path(), "host:8080", "a/../b", "team").unwrap().made, std::slice::from_ref(&thing));
        assert!(Record::read(dir.path(), "host:8080", "a/../b", "other").unwrap().made.is_empty());
        let file = dir.path().join("sdc-rbac/host%3A8080@a%2F..%2Fb@team.json");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        record.remove(&thing).unwrap();
        assert!(Record::read(dir.path(), "host:8080", "a/../b", "team").unwrap().made.is_empty());
        std::fs::write(&file, "{").unwrap();
        assert!(Record::read(dir.path(), "host:8080", "a/../b", "team").is_err());
    }

    #[test]
    fn what_several_runs_add_at_once_is_all_on_the_record() {
        let dir = tempfile::tempdir().unwrap();
        let read = || Record::read(dir.path(), "host", "acme", "team").unwrap();
        std::thread::scope(|scope| {
            for run in 0..8 {
                let mut record = read();
                scope.spawn(move || {
                    for round in 0..20 {
                        let id = format!("{run}-{round}");
                        record.add(Owned { kind: Kind::Role, name: id.clone(), id }).unwrap();
                    }
                });
            }
        });
        let mut ids: Vec<String> = read().made.into_iter().map(|owned| owned.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 160);
    }
}
