//! node-triton's profiles, in its folder and its form, so that both tools share them. Only its own fields
//! are written, for it refuses any other.

mod moves;

pub(super) use moves::put;
pub use moves::{bytes, copy, fields, rename, replace};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::paths;
use crate::error::{CommandLine, Error, Hint, Result, quoted};
use crate::file::{self as files, Lock, Manner};
use crate::sensitive;

/// No profile is longer.
const MAX_LEN: u64 = 1 << 20;
/// How long other processes may take to change settings.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The name that stands for the environment alone.
pub const ENV: &str = "env";

/// A profile: an account, where it is, and the key to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Its name, which is the file's.
    pub name: String,
    /// `url`
    pub url: String,
    /// `account`
    pub account: String,
    /// `keyId`: a fingerprint.
    pub key_id: String,
    /// `insecure`
    pub insecure: Option<bool>,
    /// `user`: the sub-user.
    pub user: Option<String>,
    /// `roles`
    pub roles: Vec<String>,
    /// `actAsAccount`
    pub act_as: Option<String>,
    /// Fields of the file that are none of a profile's; node-triton refuses such a file.
    pub unknown: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    url: Option<String>,
    account: Option<String>,
    key_id: Option<String>,
    insecure: Option<bool>,
    user: Option<String>,
    roles: Option<Vec<String>>,
    act_as_account: Option<String>,
    #[serde(flatten)]
    other: Map<String, Value>,
}

/// Refuses a name that would lead out of the folder, or that no file should have.
///
/// # Errors
/// A usage error naming what is allowed.
pub fn check_name(name: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.@-".contains(letter);
    if name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(allowed) && name.len() <= 128 {
        return Ok(());
    }
    Err(Error::usage(format!("'{}' cannot be the name of a profile", sensitive::shown(name)))
        .hint("use letters, digits, _, ., @ and -, a letter or digit first"))
}

/// Refuses what cannot be the name of a profile of one's own.
///
/// # Errors
/// As [`check_name`], and for `env`.
pub fn check_own_name(name: &str) -> Result<()> {
    if name == ENV {
        return Err(Error::usage("'env' stands for the environment and cannot be written"));
    }
    check_name(name)
}

/// The file of a profile.
///
/// # Errors
/// As [`check_name`].
pub fn file(dir: &Path, name: &str) -> Result<PathBuf> {
    check_name(name)?;
    Ok(dir.join("profiles.d").join(format!("{name}.json")))
}

/// The names of all profiles, sorted. A folder that is not there holds none.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(dir: &Path) -> Result<Vec<String>> {
    let folder = dir.join("profiles.d");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreachable_file("read", &folder, error)),
    };
    let mut names: Vec<String> = entries
        .flatten()
        // To read a pipe or a device is to wait for what may never come.
        .filter(|entry| fs::metadata(entry.path()).map_or(true, |found| found.is_file() || found.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned))
        .filter(|name| name != ENV && check_name(name).is_ok())
        .collect();
    names.sort();
    Ok(names)
}

/// Reads a profile.
///
/// # Errors
/// A usage error when there is none of this name, when its file is not JSON (with line and column), and when
/// a field is missing or of the wrong type.
pub fn read(dir: &Path, name: &str) -> Result<Profile> {
    let path = file(dir, name)?;
    let bytes = files::read(&path, MAX_LEN).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => match list(dir).unwrap_or_default().is_empty() {
            true => absent(dir, name).hint(Hint::run("to create it", CommandLine::new("profile create").on(name))),
            false => absent(dir, name),
        },
        _ => unreachable_file("read", &path, error),
    })?;
    parsed(&path, name, &bytes)
}

/// The profile in the bytes of this file.
fn parsed(path: &Path, name: &str, bytes: &[u8]) -> Result<Profile> {
    let content: Content = serde_json::from_slice(plain(bytes)).map_err(|error| bad_json(path, &error))?;
    let needed = |field: &str, value: Option<String>| {
        value.filter(|value| !value.is_empty()).ok_or_else(|| {
            Error::usage(format!("{}: the profile has no '{field}'", path.display()))
                .hint(format!("add \"{field}\": \"…\" to it"))
        })
    };
    Ok(Profile {
        name: name.to_owned(),
        url: needed("url", content.url)?,
        account: needed("account", content.account)?,
        key_id: needed("keyId", content.key_id)?,
        insecure: content.insecure,
        user: content.user.filter(|user| !user.is_empty()),
        roles: content.roles.unwrap_or_default(),
        act_as: content.act_as_account.filter(|account| !account.is_empty()),
        unknown: content.other.into_iter().map(|(field, _)| field).collect(),
    })
}

fn absent(dir: &Path, name: &str) -> Error {
    let error = Error::usage(format!("there is no profile '{}'", sensitive::shown(name)));
    match list(dir).unwrap_or_default() {
        names if names.is_empty() => error,
        names => error.hint(format!("the profiles are {}", names.join(", "))),
    }
}

fn bad_json(path: &Path, error: &serde_json::Error) -> Error {
    Error::usage(format!("{}:{}:{}: not a profile", path.display(), error.line(), error.column()))
        .because(files::json_fault(error))
}

/// Refuses what cannot be the name of a new profile.
///
/// # Errors
/// As [`check_own_name`], and when there is a profile of this name.
pub fn check_new_name(dir: &Path, name: &str) -> Result<()> {
    check_own_name(name)?;
    // A link that leads nowhere is in the way too.
    let file = file(dir, name)?;
    if file.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Error::usage(format!("there is a profile '{name}' already"))
        .hint(Hint::run("to change it", CommandLine::new("profile edit").on(name)))
        .hint("to overwrite it: --force"))
}

/// Writes a new profile, over one of the same name if that is wanted.
///
/// # Errors
/// As [`check_new_name`]; otherwise what the system said.
pub fn create(dir: &Path, profile: &Profile, over: bool) -> Result<PathBuf> {
    check_own_name(&profile.name)?;
    let _lock = lock(dir)?;
    if !over {
        check_new_name(dir, &profile.name)?;
    }
    write(dir, profile)
}

/// Writes a profile, over one of the same name.
///
/// # Errors
/// A usage error for a bad name; otherwise what the system said.
pub fn write(dir: &Path, profile: &Profile) -> Result<PathBuf> {
    check_own_name(&profile.name)?;
    let path = file(dir, &profile.name)?;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("url", profile.url.as_str().into());
    put("account", profile.account.as_str().into());
    put("keyId", profile.key_id.as_str().into());
    if let Some(insecure) = profile.insecure {
        put("insecure", insecure.into());
    }
    if let Some(user) = &profile.user {
        put("user", user.as_str().into());
    }
    if !profile.roles.is_empty() {
        put("roles", profile.roles.clone().into());
    }
    if let Some(act_as) = &profile.act_as {
        put("actAsAccount", act_as.as_str().into());
    }
    store(&path, &fields)?;
    Ok(path)
}

/// Removes a profile, and no longer names it in `config.json`. Tells whether it was the current one.
///
/// # Errors
/// A usage error when there is none of this name; otherwise what the system said.
pub fn remove(dir: &Path, name: &str) -> Result<bool> {
    let path = file(dir, name)?;
    if path.symlink_metadata().is_err() {
        return Err(absent(dir, name));
    }
    let _lock = lock(dir)?;
    // What cannot be read names nobody.
    let mut settings = settings(dir).unwrap_or_default();
    let named = |key: &str| text(&settings, key).as_deref() == Some(name);
    let (current, before) = (named("profile"), named("oldProfile"));
    if current {
        settings.remove("profile");
    }
    if before {
        settings.remove("oldProfile");
    }
    // First, so that the current profile is never one that is gone.
    if current || before {
        store(&dir.join("config.json"), &settings)?;
    }
    fs::remove_file(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => absent(dir, name),
        _ => Error::other(format!("cannot remove {}", path.display())).because(error),
    })?;
    Ok(current)
}

/// The name of the current profile, if one was ever set.
///
/// # Errors
/// A usage error when `config.json` cannot be read.
pub fn current(dir: &Path) -> Result<Option<String>> {
    Ok(text(&settings(dir)?, "profile"))
}

/// Makes a profile the current one; `-` is the one before it, `env` the environment. Gives back its name.
///
/// # Errors
/// A usage error when there is no such profile, or none before.
pub fn set_current(dir: &Path, name: &str) -> Result<String> {
    // Where nothing changes, nothing need be writable.
    if let (name, None) = choose(dir, name)? {
        return Ok(name);
    }
    let _lock = lock(dir)?;
    // Another process may have changed them since.
    let (name, change) = choose(dir, name)?;
    if let Some(settings) = change {
        store(&dir.join("config.json"), &settings)?;
    }
    Ok(name)
}

/// The profile that is meant, and what has to be in `config.json` for it to be the current one, if that is not so.
fn choose(dir: &Path, name: &str) -> Result<(String, Option<Map<String, Value>>)> {
    let mut settings = settings(dir)?;
    let before = text(&settings, "profile");
    let name = if name == "-" {
        text(&settings, "oldProfile").ok_or_else(|| Error::usage("there is no profile before the current one"))?
    } else {
        name.to_owned()
    };
    if name != ENV {
        let path = file(dir, &name)?;
        if !path.is_file() {
            return Err(absent(dir, &name));
        }
    }
    if before.as_deref() == Some(&name) {
        return Ok((name, None));
    }
    // One that is gone is none to go back to.
    if let Some(before) = before.filter(|before| before == ENV || file(dir, before).is_ok_and(|file| file.exists())) {
        settings.insert("oldProfile".to_owned(), before.into());
    }
    settings.insert("profile".to_owned(), name.as_str().into());
    Ok((name, Some(settings)))
}

/// For who reads settings, changes them, and writes them: one at a time.
pub(super) fn lock(dir: &Path) -> Result<Lock> {
    let locked = paths::make_private_dir(dir).and_then(|()| files::lock(&dir.join(".sdc.lock"), LOCK_TIMEOUT));
    locked.map_err(|error| unreachable_file("lock the settings in", &dir.join(""), error))
}

fn text(settings: &Map<String, Value>, key: &str) -> Option<String> {
    settings.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// `config.json`, every key of it.
fn settings(dir: &Path) -> Result<Map<String, Value>> {
    let path = dir.join("config.json");
    match files::read(&path, MAX_LEN) {
        Ok(bytes) => serde_json::from_slice(plain(&bytes)).map_err(|error| {
            let place = format!("{}:{}:{}", path.display(), error.line(), error.column());
            Error::usage(format!("{place}: not a JSON object")).because(files::json_fault(&error))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(error) => Err(unreachable_file("read", &path, error)),
    }
}

/// Without the mark that some editors put before UTF-8.
fn plain(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A file of settings that the system does not give. After `sudo sdc` it may be root's.
fn unreachable_file(verb: &str, path: &Path, error: io::Error) -> Error {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    let read_only = error.kind() == io::ErrorKind::ReadOnlyFilesystem;
    let told = Error::other(format!("cannot {verb} {}", path.display())).because(error);
    let folder = path.ancestors().find(|above| above.is_dir() && above.ends_with("profiles.d"));
    let folder = folder.and_then(Path::parent).or(path.parent()).unwrap_or(path);
    if read_only {
        return told.hint("export SDC_CONFIG_DIR=… names another folder for them");
    }
    if !denied {
        return told;
    }
    told.hint(format!(
        "if a sudo made it root's: sudo chown -R \"$(id -un)\" {}",
        quoted(&folder.display().to_string())
    ))
}

fn store(path: &Path, fields: &Map<String, Value>) -> Result<()> {
    let failed = |error: io::Error| unreachable_file("write", path, error);
    if let Some(parent) = path.parent() {
        paths::make_private_dir(parent).map_err(failed)?;
    }
    let mut json = serde_json::to_string_pretty(fields).map_err(|error| failed(error.into()))?;
    json.push('\n');
    files::replace(path, json.as_bytes(), Manner::KEPT).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_settings_cannot_be_written_the_way_out_is_named() {
        let of =
            |kind: io::ErrorKind| unreachable_file("write", Path::new("/home/jo/.triton/config.json"), kind.into());
        let hints = |error: Error| error.hints().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(hints(of(io::ErrorKind::ReadOnlyFilesystem)).contains("SDC_CONFIG_DIR"));
        assert!(hints(of(io::ErrorKind::PermissionDenied)).contains("sudo chown"));
        assert_eq!(hints(of(io::ErrorKind::StorageFull)), "");
    }
}
