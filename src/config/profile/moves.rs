//! Profiles that are copied, renamed and edited: as files, so that nothing of them is lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{
    MAX_LEN, absent, bad_json, check_new_name, check_own_name, file, files, lock, parsed, plain, settings, store, text,
    unreachable_file,
};
use crate::config::{Origin, check};
use crate::error::{Error, Result};
use crate::file::Manner;

/// The object in a profile's file, every field of it.
///
/// # Errors
/// As [`super::read`].
pub fn fields(dir: &Path, name: &str) -> Result<Map<String, Value>> {
    let path = file(dir, name)?;
    let bytes = bytes(dir, name)?;
    parsed(&path, name, &bytes)?;
    serde_json::from_slice(plain(&bytes)).map_err(|error| bad_json(&path, &error))
}

/// What is in a profile's file, be it a profile or not.
///
/// # Errors
/// A usage error when there is none of this name; otherwise what the system said.
pub fn bytes(dir: &Path, name: &str) -> Result<Vec<u8>> {
    let path = file(dir, name)?;
    files::read(&path, MAX_LEN).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => absent(dir, name),
        _ => unreachable_file("read", &path, error),
    })
}

/// Copies a profile to another name, over one that is there if that is wanted.
///
/// # Errors
/// A usage error when there is none of the first name, when its file is not a profile, and when there is one of the
/// other name; otherwise what the system said.
pub fn copy(dir: &Path, from: &str, to: &str, over: bool) -> Result<PathBuf> {
    other_name(dir, from, to, over)?;
    let _lock = lock(dir)?;
    copied(dir, from, to, over)
}

/// Gives a profile another name, in `config.json` too. Tells whether it is the current one.
///
/// # Errors
/// As [`copy`].
pub fn rename(dir: &Path, from: &str, to: &str, over: bool) -> Result<bool> {
    other_name(dir, from, to, over)?;
    let old = file(dir, from)?;
    let _lock = lock(dir)?;
    copied(dir, from, to, over)?;
    // There are two of it until all that names it names the new one.
    let mut settings = settings(dir)?;
    let mut follows = false;
    for key in ["profile", "oldProfile"] {
        if text(&settings, key).as_deref() == Some(from) {
            settings.insert(key.to_owned(), to.into());
            follows = true;
        }
    }
    if follows {
        store(&dir.join("config.json"), &settings)?;
    }
    fs::remove_file(&old).map_err(|error| Error::other(format!("cannot remove {}", old.display())).because(error))?;
    Ok(text(&settings, "profile").as_deref() == Some(to))
}

fn other_name(dir: &Path, from: &str, to: &str, over: bool) -> Result<()> {
    check_own_name(to)?;
    bytes(dir, from)?;
    if from == to {
        return Err(Error::usage(format!("'{to}' is the name of the profile itself")));
    }
    if over { Ok(()) } else { check_new_name(dir, to) }
}

fn copied(dir: &Path, from: &str, to: &str, over: bool) -> Result<PathBuf> {
    if !over {
        check_new_name(dir, to)?;
    }
    let bytes = bytes(dir, from)?;
    parsed(&file(dir, from)?, from, &bytes)?;
    put(&file(dir, to)?, &bytes)
}

/// Puts what was edited into the place of a profile's file, if that is still as it was before.
///
/// # Errors
/// A usage error where it is not a profile, or the file was changed meanwhile; otherwise what the system said.
pub fn replace(dir: &Path, name: &str, before: &[u8], edited: &[u8]) -> Result<PathBuf> {
    let profile = parsed(Path::new("what was edited"), name, edited)?;
    let origin = Origin::Profile { name: name.to_owned(), file: file(dir, name)? };
    check::url(&profile.url, &origin)?;
    for (what, login) in [
        ("account", Some(&profile.account)),
        ("user", profile.user.as_ref()),
        ("account to act as", profile.act_as.as_ref()),
    ] {
        login.map(|login| check::login(what, login, &origin)).transpose()?;
    }
    check::key_id(&profile.key_id, &origin)?;
    let _lock = lock(dir)?;
    if bytes(dir, name)? != before {
        return Err(Error::usage(format!("profile {name} was changed meanwhile")));
    }
    put(&file(dir, name)?, edited)
}

/// Puts these bytes into a file of settings, whole or not at all.
pub(in crate::config) fn put(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    files::replace(path, bytes, Manner::KEPT).map_err(|error| unreachable_file("write", path, error))?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::profile::{Profile, current, read, set_current, write};

    fn folder() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for name in ["coal", "prod"] {
            let profile = Profile {
                name: name.to_owned(),
                url: format!("https://{name}"),
                account: "acme".to_owned(),
                key_id: "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99".to_owned(),
                ..Profile::default()
            };
            write(home.path(), &profile).unwrap();
        }
        home
    }

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
    }

    #[test]
    fn a_copy_is_the_same_bytes_and_its_owners_alone() {
        let home = folder();
        let odd = b"{ \"url\":\"https://x\", \"account\":\"a\",\"keyId\":\"k\", \"color\": \"red\" }";
        fs::write(file(home.path(), "coal").unwrap(), odd).unwrap();
        let copy = copy(home.path(), "coal", "new", false).unwrap();
        assert_eq!(fs::read(&copy).unwrap(), odd);
        #[cfg(unix)]
        assert_eq!(mode(&copy), 0o600);
        assert_eq!(fields(home.path(), "new").unwrap()["color"], "red");
    }

    #[test]
    fn a_name_that_is_there_is_taken_only_by_force() {
        let home = folder();
        for to in ["prod", "coal", "env", "../x"] {
            assert!(copy(home.path(), "coal", to, false).is_err(), "{to}");
            assert!(rename(home.path(), "coal", to, false).is_err(), "{to}");
        }
        assert!(rename(home.path(), "coal", "coal", true).is_err());
        assert_eq!(read(home.path(), "prod").unwrap().url, "https://prod");
        copy(home.path(), "coal", "prod", true).unwrap();
        assert_eq!(read(home.path(), "prod").unwrap().url, "https://coal");
        assert!(copy(home.path(), "nosuch", "new", true).unwrap_err().message().contains("no profile 'nosuch'"));
    }

    #[test]
    fn the_current_profile_and_the_one_before_it_follow_their_new_names() {
        let home = folder();
        set_current(home.path(), "prod").unwrap();
        set_current(home.path(), "coal").unwrap();
        assert!(rename(home.path(), "coal", "here", false).unwrap());
        assert_eq!(current(home.path()).unwrap().as_deref(), Some("here"));
        assert!(!rename(home.path(), "prod", "there", false).unwrap());
        assert_eq!(set_current(home.path(), "-").unwrap(), "there");
        assert!(!file(home.path(), "coal").unwrap().exists());
    }

    #[test]
    fn what_was_edited_must_be_a_profile_and_overwrites_nobody_elses_change() {
        let home = folder();
        let before = bytes(home.path(), "coal").unwrap();
        let valid = br#"{"url":"https://new","account":"acme","keyId":"k"}"#;
        for wrong in [
            &b"{"[..],
            br#"{"url":"https://new"}"#,
            br#"{"url":"cloud","account":"acme","keyId":"k"}"#,
            br#"{"url":"https://new","account":"a/b","keyId":"k"}"#,
        ] {
            assert!(replace(home.path(), "coal", &before, wrong).is_err());
        }
        assert!(replace(home.path(), "coal", b"other", valid).unwrap_err().message().contains("changed meanwhile"));
        assert_eq!(bytes(home.path(), "coal").unwrap(), before);
        replace(home.path(), "coal", &before, valid).unwrap();
        assert_eq!(bytes(home.path(), "coal").unwrap(), valid);
    }
}
