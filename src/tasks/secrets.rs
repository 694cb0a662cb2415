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

use super::pair;
use super::values::{self, Files, Given};
use crate::api::{Field, Kind, Op};
use crate::error::{Error, Result, withheld};
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
        line => {
            withheld::remember(line);
            Ok(line.to_owned())
        }
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

/// What an argument may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Data, or a command for elsewhere: it is nobody's business here.
    Data,
    /// Text that may be long and have lines, but is no key.
    Text,
    /// A jq expression, which may well write a URL.
    Expression,
    /// The path of a request.
    Path,
    /// A header, which may carry a token: that looks like a line of a key.
    Header,
    /// A name, a number, a word: nothing that may be a secret.
    Name,
    /// An address of mail, which may be longer than a name.
    Address,
    /// Conditions on tags: their names are looked at, their values are data.
    Selector,
    /// The path of a file.
    File,
}

impl Place {
    /// What a text that may not stand here is taken for.
    pub fn refuses(self, text: &str, files: &dyn Files) -> Option<Sort> {
        let part = if self == Place::Path { within_path(text) } else { None };
        let found = part.or_else(|| sort(text))?;
        let fits = match self {
            Place::Data => true,
            Place::Expression => !sensitive::has_key_in_it(text),
            Place::Text | Place::Path => part.is_none() && !matches!(found, Sort::Key | Sort::Login),
            Place::Header => found == Sort::Line,
            Place::Name => false,
            Place::Address => {
                matches!(found, Sort::Long(count) if count <= MAX_EMAIL_LEN && sensitive::in_text(text).is_none())
            }
            Place::Selector => text.split(',').all(|part| pair::check_name(part).is_ok()),
            Place::File => text == "-" || sensitive::hidden(&files.path(text)).is_none(),
        };
        (!fits).then_some(found)
    }

    /// What a field may hold, and the part of the text that is looked at. `noun` is the command's.
    pub fn of_field<'a>(field: &Field, noun: &str, text: &'a str) -> (Place, &'a str) {
        let file = |text: &'a str| {
            let text = text.split_once('=').map_or(text, |(_, file)| file);
            (Place::File, text.strip_prefix('@').unwrap_or(text))
        };
        let place = match field.kind {
            Kind::PairFiles(_) | Kind::FlatFiles(_) => return file(text),
            Kind::File | Kind::Files | Kind::PublicKeyFile | Kind::Secret => Place::File,
            // The addresses of data centers, which are pairs like metadata.
            Kind::FlatPairs(_) if noun == "datacenters" => Place::Name,
            Kind::FlatPairs(_) | Kind::Tags(_) | Kind::Pairs(_) => Place::Data,
            Kind::Object if field.name == "tags" => Place::Data,
            Kind::FirewallRule | Kind::PolicyRules | Kind::Affinity | Kind::Json | Kind::Disks | Kind::Object => {
                Place::Text
            }
            Kind::Text | Kind::TextOrEmpty | Kind::LdapFilter | Kind::Predicate => Place::of_text(field.name),
            _ => Place::Name,
        };
        (place, text)
    }

    /// What a field of text may hold, by its name in the API.
    pub fn of_text(name: &str) -> Place {
        match name {
            "email" => Place::Address,
            name if PROSE.contains(&name) => Place::Text,
            _ => Place::Name,
        }
    }

    /// `NAME=VALUE` without dashes: what the field of this name may hold.
    pub fn of_filter<'a>(op: Option<&Op>, text: &'a str) -> (Place, &'a str) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        if name.starts_with("tag.") || name.starts_with("metadata.") {
            return (if sensitive::sort(name).is_some() { Place::Name } else { Place::Data }, name);
        }
        let name = name.trim_end_matches(':');
        match op.and_then(|op| op.fields.iter().find(|field| field.is_called(name))) {
            Some(field) => Place::of_field(field, "", value),
            None => (Place::Name, text),
        }
    }
}

/// So many parts of a path are looked at.
const MAX_PARTS: usize = 300;

/// Body fields that are prose.
const PROSE: &[&str] = &["description", "homepage", "eula", "address", "companyName"];

/// A key, or a line of one, within a path. A slash is a letter of base64 too, so one may begin at any part of the path
/// and go on over others.
fn within_path(path: &str) -> Option<Sort> {
    let ends = path.match_indices(['/', '?', '&', '=']).map(|(at, _)| at);
    let begins = std::iter::once(0).chain(ends.clone().map(|at| at + 1));
    // Names are short: what is longer than any line of a key is looked at as a whole.
    let parts = begins.flat_map(|begin| {
        let whole = path.get(begin..).unwrap_or_default();
        let word = whole.split(['?', '&', '=']).next().unwrap_or_default();
        [whole, word, word.split('/').next().unwrap_or_default()]
    });
    parts.take(MAX_PARTS).filter_map(sensitive::sort).find(|sort| matches!(sort, Sort::Key | Sort::Line))
}

/// No address is longer, in characters.
const MAX_EMAIL_LEN: usize = 320;

/// What makes a text one that may be a secret. A list may be long: its elements are judged.
fn sort(text: &str) -> Option<Sort> {
    match sensitive::sort(text) {
        Some(Sort::Long(_)) if text.contains(',') => text.split(',').find_map(sensitive::sort),
        sort => sort,
    }
}

/// A line of a public key's file.
pub fn is_public(text: &str) -> bool {
    text.split_once(' ')
        .is_some_and(|(kind, _)| ["ssh-", "ecdsa-sha2-", "sk-"].iter().any(|known| kind.starts_with(known)))
}
