//! Answers kept for a few minutes, such as the names of images. Whatever goes wrong with it, the answer is
//! only fetched again: nothing here fails.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::paths;
use crate::file::{self, Manner};

/// How long an answer is good for.
pub const TTL: Duration = Duration::from_secs(300);

/// No longer file is read or written.
const MAX_LEN: u64 = 64 << 20;

/// It can be fetched again, so it need not outlast anything, and whoever planted a link there gets nothing.
const MANNER: Manner = Manner { follow: false, private: true, durable: false };

/// The cached answers for one account at one host.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: Option<PathBuf>,
}

impl Cache {
    /// A cache under `dir` (our folder for such, `None` for no cache at all).
    pub fn new(dir: Option<&Path>, account: &str, host: &str) -> Cache {
        let name = slug(&format!("{account}@{host}"));
        Cache { dir: dir.filter(|_| name.len() <= 200).map(|dir| dir.join(name)) }
    }

    /// What was written under this name, if it is not older than this.
    pub fn read(&self, name: &str, ttl: Duration) -> Option<Vec<u8>> {
        let path = self.file(name)?;
        let about = std::fs::symlink_metadata(&path).ok()?;
        let age = SystemTime::now().duration_since(about.modified().ok()?).ok()?;
        if !about.is_file() || age > ttl {
            return None;
        }
        let bytes = file::read(&path, MAX_LEN).ok()?;
        // Half a file, or another's, is none.
        serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).ok()?;
        Some(bytes)
    }

    /// Keeps JSON under this name.
    pub fn write(&self, name: &str, json: &[u8]) {
        let Some(path) = self.file(name).filter(|_| json.len() as u64 <= MAX_LEN) else { return };
        let Some(dir) = path.parent() else { return };
        if paths::make_private_dir(dir).is_ok() {
            let _ = file::replace(&path, json, MANNER);
        }
    }

    /// Forgets what was written under this name.
    pub fn remove(&self, name: &str) {
        let _ = self.file(name).map(std::fs::remove_file);
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join(format!("{}.json", slug(name))))
    }
}

/// Text as the name of a file, different for different texts.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'@' => out.push(char::from(byte)),
            b'.' if !out.is_empty() => out.push('.'),
            other => out.push_str(&format!("%{other:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn files(dir: &Path) -> Vec<std::path::PathBuf> {
        let mut list: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        list.sort();
        list
    }

    #[test]
    fn an_answer_is_kept_until_it_is_too_old() {
        let dir = folder(&[]);
        let cache = Cache::new(Some(dir.path()), "acme", "host:8080");
        assert_eq!(cache.read("images", TTL), None);
        cache.write("images", b"[1]");
        cache.write("images", b"[1.10]");
        assert_eq!(cache.read("images", TTL).unwrap(), b"[1.10]");
        assert_eq!(Cache::new(Some(dir.path()), "other", "host:8080").read("images", TTL), None);
        assert_eq!(files(&files(dir.path())[0]).len(), 1, "no temporary files are left");
        let file = fs::File::options().write(true).open(&files(&files(dir.path())[0])[0]).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(301)).unwrap();
        assert_eq!(cache.read("images", TTL), None);
    }

    #[test]
    fn half_a_file_is_none() {
        let dir = folder(&[]);
        let cache = Cache::new(Some(dir.path()), "acme", "host");
        cache.write("images", b"[{\"id\":");
        assert_eq!(cache.read("images", TTL), None);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let dir = folder(&[("inside/x", "")]);
        let cache = Cache::new(Some(&dir.path().join("inside")), "../../a", "..");
        cache.write("../../evil", b"1");
        assert_eq!(cache.read("../../evil", TTL).unwrap(), b"1");
        assert_eq!(files(dir.path()), [dir.path().join("inside")]);
    }

    #[test]
    fn nothing_fails_where_nothing_can_be_written() {
        let dir = folder(&[("file", "")]);
        for place in [None, Some(dir.path().join("file"))] {
            let cache = Cache::new(place.as_deref(), "a", "h");
            cache.write("images", b"1");
            assert_eq!(cache.read("images", TTL), None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn others_can_neither_look_in_nor_plant_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = folder(&[("victim", "precious")]);
        let cache = Cache::new(Some(&dir.path().join("sdc")), "acme", "host");
        cache.write("images", b"1");
        let inner = files(&dir.path().join("sdc")).remove(0);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join("images.json"))), (0o700, 0o600));
        fs::remove_file(inner.join("images.json")).unwrap();
        symlink(dir.path().join("victim"), inner.join("images.json")).unwrap();
        assert_eq!(cache.read("images", TTL), None);
        cache.write("images", b"2");
        assert_eq!(fs::read_to_string(dir.path().join("victim")).unwrap(), "precious");
        assert_eq!(cache.read("images", TTL).unwrap(), b"2");
    }
}
