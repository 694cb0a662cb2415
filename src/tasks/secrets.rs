//! Secrets among what is typed and sent: passwords from files, and private keys where none belongs.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! # let folder = tempfile::tempdir().unwrap();
//! # std::fs::write(folder.path().join("password"), "c0rrect horse\n").unwrap();
//! use sdc::api::cloudapi::users::{CHANGE_PASSWORD, USER};
//! use sdc::request::Args;
//! use sdc::tasks::values::Folders;
//! use sdc::tasks::{resolve, secrets};
//!
//! let files = Folders { folder: folder.path(), home: None };
//! let password = secrets::password("password", &files)?;
//! let ci = resolve::id(&client, &USER, "ci").await?;
//! let args = Args::new().set("user", ci).set("password", &password).set("password_confirmation", &password);
//! client.call(&CHANGE_PASSWORD, &args).await?;
//!
//! // Refuses a private key where a file with something else was expected.
//! let key = std::fs::read_to_string(cloud.key_file()).unwrap();
//! assert!(secrets::no_private_key("key", &key).is_err());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use super::values::{self, Files, Given};
use crate::api::Kind;
use crate::error::{Error, Result};
use crate::sensitive::{self, Sort};

/// The only line of a file that somebody may have taken for the password itself: it is not named.
///
/// # Errors
/// A usage error: it cannot be read, is empty, has more lines, or is a private key.
pub fn password(file: &str, files: &dyn Files) -> Result<String> {
    let fail = |words: &str| match file {
        "-" => Error::usage(format!("standard input {words}")),
        _ => Error::usage(format!("the file {words}")),
    };
    let bytes = files.read(file, values::FILE_LIMIT).map_err(|error| match (file, error.causes().first()) {
        (_, Some(why)) if file != "-" => fail("cannot be read").because(why.clone()),
        _ => error,
    })?;
    // In UTF-16 too.
    if sensitive::is_key(&String::from_utf8_lossy(&bytes)) {
        return Err(
            fail("is a private key, which must never be sent anywhere").hint("a file whose only line is the password")
        );
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| fail("is not text (UTF-8)"))?;
    match text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']) {
        "" => Err(fail("holds nothing")),
        line if line.contains(['\r', '\n']) => {
            let count = line.lines().count();
            Err(fail(&format!("has {count} lines, and a password is one"))
                .hint("a file whose only line is the password"))
        }
        line => Ok(line.to_owned()),
    }
}

/// What others can do with the files that secrets came from, in sentences for warnings.
pub fn exposed(given: &Given, files: &dyn Files) -> Vec<String> {
    let secrets = given.fields.iter().filter(|(field, file)| matches!(field.kind, Kind::Secret) && file != "-");
    secrets
        .filter_map(|(field, file)| {
            let how = crate::file::open_to_others(&files.path(file))?;
            Some(format!("the file of --{} {how}", field.long_name()))
        })
        .collect()
}

/// Refuses a private key where something else is read from a file and sent.
///
/// # Errors
/// A usage error that names the file.
pub fn no_private_key(file: &str, text: &str) -> Result<()> {
    match sensitive::is_key(text) {
        true => {
            Err(Error::usage(format!("{} is a private key, which must never be sent anywhere", values::shown(file))))
        }
        false => Ok(()),
    }
}

/// Refuses a name that is a secret: a private key has a `=` at its end, which parts it from an empty value. Values are
/// not looked at, since metadata may hold keys.
///
/// # Errors
/// A usage error that does not repeat it.
pub fn check_name(text: &str) -> Result<()> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    // Padding belongs to what it ends.
    let padded = name.len() + 1 + value.len() - value.trim_start_matches('=').len();
    let whole = text.get(..padded).unwrap_or(text);
    let secret = |text: &str| match sensitive::sort(text) {
        Some(Sort::Lines) => Some(Sort::Lines),
        Some(_) => sensitive::in_text(text),
        None => None,
    };
    match secret(name).or_else(|| secret(whole)) {
        Some(sort) => Err(Error::usage(format!("the name in NAME=VALUE holds {sort}: nothing was sent"))),
        None => Ok(()),
    }
}
