//! Passwords of new users: from a file that nobody else can read, or random ones that nobody learns. None of them is
//! ever shown.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result, withheld};
use crate::sensitive;
use crate::tasks::rbac::random_password;
use crate::tasks::values::Files;

/// The longest file, in bytes.
const MAX_LEN: u64 = 1024 * 1024;

/// Passwords by login.
#[derive(Default)]
pub struct Passwords(HashMap<String, SecretString>);

impl Passwords {
    /// Reads the file.
    ///
    /// # Errors
    /// A file that others can read, that is no JSON object of texts, or whose passwords the service would refuse.
    pub fn read(file: &str, files: &dyn Files) -> Result<Passwords> {
        // Somebody may have typed a password itself.
        let fail = |words: &str| Error::usage(format!("the file of --passwords-file {words}"));
        let path = &files.path(file);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let found = std::fs::metadata(path).map_err(|error| fail("cannot be read").because(error))?;
            if found.is_file() && found.permissions().mode() & 0o077 != 0 {
                return Err(fail("can be read by others").hint("chmod 600 FILE"));
            }
        }
        let bytes = crate::file::read(path, MAX_LEN).map_err(|error| fail("cannot be read").because(error))?;
        if sensitive::is_key(&String::from_utf8_lossy(&bytes)) {
            return Err(fail("is a private key or holds one, which must never be sent anywhere"));
        }
        // What the parser says might show a password.
        let passwords: HashMap<String, String> = serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            fail(&format!("is not JSON object of logins and passwords: wrong at {place}"))
        })?;
        let mut all = HashMap::new();
        for (login, password) in passwords {
            if !is_strong(&password) {
                // Somebody may have written them the wrong way round.
                let whose = if is_strong(&login) { "somebody" } else { &*login };
                return Err(fail(&format!("has a password of {whose} that the service would refuse"))
                    .hint("{\"LOGIN\": \"PASSWORD\"}: at least 7 characters, a letter and a digit among them"));
            }
            withheld::remember(&password);
            all.insert(login, SecretString::from(password));
        }
        Ok(Passwords(all))
    }

    /// The logins that have one.
    pub fn logins(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether this user has one.
    pub fn has(&self, login: &str) -> bool {
        self.0.contains_key(login)
    }

    /// The password of a new user.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn of(&self, login: &str) -> Result<SecretString> {
        match self.0.get(login) {
            Some(password) => Ok(SecretString::from(password.expose_secret().to_owned())),
            None => random_password(),
        }
    }
}

/// Whether the service takes this for a password.
pub fn is_strong(text: &str) -> bool {
    text.chars().count() >= 7
        && text.chars().any(char::is_alphabetic)
        && text.chars().any(|letter| letter.is_ascii_digit())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_passwords_file_is_ones_own_and_its_faults_show_no_password() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwords.json");
        let read = |text: &str, mode: u32| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            Passwords::read(file.to_str().unwrap(), &crate::cli::Console::process())
        };
        let good = read(r#"{"jill":"s3cretword"}"#, 0o600).unwrap();
        assert_eq!(good.of("jill").unwrap().expose_secret(), "s3cretword");
        // The wrong way round, the login is the password.
        let error = read(r#"{"s3cretword":"jill"}"#, 0o600).err().unwrap();
        assert!(error.message().contains("a password of somebody") && !error.message().contains("s3cretword"));
        assert!(read(r#"{"jill":"s3cretword"}"#, 0o644).err().unwrap().hints()[0].as_str().starts_with("chmod 600"));
        for key in ["-----BEGIN PRIVATE KEY-----\nhunter\n", r#"{"jill":"-----BEGIN PRIVATE KEY-----hunter2"}"#] {
            let error = read(key, 0o600).err().unwrap();
            assert!(error.message().contains("is a private key") && !error.message().contains("hunter"), "{error}");
        }
        for text in [r#"{"jill":"hunter"}"#, r#"["hunter"]"#, r#"{"jill":"hunter"#] {
            let error = read(text, 0o600).err().unwrap();
            assert!(!format!("{error} {:?}", error.causes()).contains("hunter"), "{error}");
        }
    }

    #[test]
    fn a_random_password_is_strong_and_never_the_same() {
        let none = Passwords::default();
        let (one, other) = (none.of("jill").unwrap(), none.of("jill").unwrap());
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert!(one.expose_secret().len() >= 32);
    }
}
