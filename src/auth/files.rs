//! Files of keys: which of a directory may be some, and which of them belong together.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::fingerprint::{KeyKind, PublicKey};
use super::key::{Peek, peek, read_file};
use super::pem::MAX_FILE;

/// A directory with more files than this is no place for keys; the rest is not looked at.
const MAX_FILES: usize = 1000;

/// A private key's file and the public one beside it, either of which may be missing.
#[derive(Debug, Default)]
pub(super) struct Pair {
    pub(super) private: Option<PathBuf>,
    pub(super) public: Option<PathBuf>,
}

impl Pair {
    /// What the `.pub` file says; `None` when there is none worth the name.
    pub(super) fn read_public(&self) -> Option<PublicKey> {
        let text = read_file(self.public.as_deref()?).ok()?;
        let key = PublicKey::from_line(std::str::from_utf8(&text).ok()?).ok()?;
        // `id_rsa-cert.pub` stands beside no file of its own.
        (key.kind() != KeyKind::Certificate).then_some(key)
    }
}

/// The files of a directory that may be keys, by their stems.
pub(super) fn pairs(dir: &Path) -> std::io::Result<BTreeMap<String, Pair>> {
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    for entry in fs::read_dir(dir)?.take(MAX_FILES) {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if is_other(&name) {
            continue;
        }
        let path = entry.path();
        // Follows links, and keeps away from sockets and pipes, which would never end.
        let fits = |data: fs::Metadata| data.is_file() && data.len() <= u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
        if !fs::metadata(&path).is_ok_and(fits) {
            continue;
        }
        match name.strip_suffix(".pub") {
            Some(stem) => pairs.entry(stem.to_owned()).or_default().public = Some(path),
            None => pairs.entry(name).or_default().private = Some(path),
        }
    }
    Ok(pairs)
}

/// Files of `~/.ssh` that are known to be something else.
fn is_other(name: &str) -> bool {
    ["known_hosts", "authorized_keys", "config", "environment", "rc", "."].iter().any(|other| {
        name.strip_prefix(other)
            .is_some_and(|rest| *other == "." || rest.is_empty() || !rest.starts_with(char::is_alphanumeric))
    })
}

/// The name of a key's file, without `.pub`.
pub(super) fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".pub").unwrap_or(&name).to_owned()
}

/// Where the file of a key may be that an agent holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare {
    /// The directory of keys.
    pub(super) dir: Option<PathBuf>,
    /// Files elsewhere.
    pub(super) files: Vec<PathBuf>,
}

impl Spare {
    /// The file with this very key, as far as can be told without a passphrase.
    pub(super) fn file_of(&self, key: &PublicKey) -> Option<PathBuf> {
        let in_dir = self.dir.as_ref().and_then(|dir| pairs(dir).ok()).into_iter().flat_map(BTreeMap::into_values);
        let mut pairs = in_dir.chain(self.files.iter().map(|file| pair(file)));
        pairs.find_map(|pair| {
            let private = pair.private.as_ref()?;
            let public = match pair.read_public() {
                Some(public) => public,
                None => match peek(&read_file(private).ok()?, "").ok()? {
                    Peek::Public(public) => public,
                    Peek::Locked => return None,
                },
            };
            (public.blob() == key.blob()).then(|| private.clone())
        })
    }
}

/// A file that is named, private or public, and the one beside it.
pub(super) fn pair(file: &Path) -> Pair {
    let private = match file.extension().is_some_and(|end| end == "pub") {
        true => file.with_extension(""),
        false => file.to_owned(),
    };
    let mut public = private.clone().into_os_string();
    public.push(".pub");
    let there = |file: PathBuf| Some(file).filter(|file| file.is_file());
    Pair { private: there(private), public: there(public.into()) }
}
