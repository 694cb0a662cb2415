//! A private key from a file: finds out what the file is, asks for the passphrase, and signs.
//! No error, no `Debug` and no log ever has anything of the secret half.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::fingerprint::{PublicKey, clean};
use super::http_signature::Algorithm;
use super::legacy::Lock;
use super::openssh::{self, Sealed};
use super::pem::{self, Block, MAX_FILE};
use super::pkcs::{self, Bad};
use super::secret::{Made, Secret};
use crate::error::{Error, Kind, Result, quoted, withheld};
use crate::sensitive;

/// How often a passphrase is asked for before giving up.
const MAX_TRIES: u32 = 3;

/// A passphrase is wanted.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The file to open, for the prompt.
    pub file: String,
    /// 1 the first time; more when the last answer was wrong.
    pub attempt: u32,
}

/// Who is asked for passphrases: `None` means that there is none to be had.
pub type Asked<'a> = dyn FnMut(Ask) -> Result<Option<SecretString>> + 'a;

/// For those who have no passphrase to give: `find(&search, &mut no_passphrase)`.
///
/// # Errors
/// None.
pub fn no_passphrase(_: Ask) -> Result<Option<SecretString>> {
    Ok(None)
}

/// A private key that can sign. The secret is wiped when dropped, where the crates below do so.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
    exposed: Option<String>,
    first_of_several: bool,
    /// Its file, where ssh reads that as it is.
    file_for_ssh: Option<PathBuf>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public.md5()).finish_non_exhaustive()
    }
}

/// What can be known of a key file without a passphrase.
#[derive(Debug)]
pub(super) enum Peek {
    /// Its public half.
    Public(PublicKey),
    /// It is encrypted to the last byte.
    Locked,
}

impl PrivateKey {
    /// Reads the key in this text: OpenSSH, PKCS#1, SEC1 or PKCS#8, plain or encrypted. `file` is
    /// its name, for errors and prompts. Up to three passphrases are asked for.
    ///
    /// # Errors
    /// [`Kind::Auth`]: the file is no such key, or does not open. The
    /// error says what the file is and which command converts it. Errors of `ask` are passed on.
    pub fn parse(text: &[u8], file: &str, ask: &mut Asked<'_>) -> Result<Self> {
        let block = pem::read(text, file)?;
        let read = Self::from_block(&block, file, ask).map(|key| PrivateKey { first_of_several: block.more, ..key });
        match block.damage {
            Some(damage) => read.map_err(|error| {
                let whole = error.message().contains("passphrase") || error.kind() != Kind::Auth;
                if whole { error } else { pem::spoiled(damage, file) }
            }),
            None => read,
        }
    }

    fn from_block(block: &Block, file: &str, ask: &mut Asked<'_>) -> Result<Self> {
        let bad = |bad| refuse(bad, &block.label, file);
        let made = match (block.label.as_str(), &block.dek_info) {
            ("OPENSSH PRIVATE KEY", _) => {
                let sealed = Sealed::parse(&block.data).map_err(bad)?;
                let open = if sealed.is_locked() {
                    unlock(file, &block.label, ask, |passphrase| sealed.unlock(passphrase))?
                } else {
                    sealed.open().map_err(bad)?
                };
                return Self::made(open.made, &open.comment, &block.label, file);
            }
            ("RSA PRIVATE KEY", None) => pkcs::pkcs1(block.data.clone()).map_err(bad)?,
            ("EC PRIVATE KEY", None) => pkcs::sec1(&block.data).map_err(bad)?,
            ("RSA PRIVATE KEY" | "EC PRIVATE KEY", Some(dek_info)) => {
                let lock = Lock::parse(dek_info).map_err(|cipher| {
                    Error::auth(format!("{file} is encrypted by {}, which sdc does not read", clean(&cipher)))
                        .hint(format!("ssh-keygen -p -f {}", quoted(file)))
                })?;
                unlock(file, &block.label, ask, |passphrase| {
                    let data = lock.open(&block.data, passphrase).ok_or(Bad::Passphrase)?;
                    let made = if block.label == "RSA PRIVATE KEY" {
                        pkcs::pkcs1(data)?
                    } else {
                        pkcs::sec1(&data).map_err(|_| Bad::Passphrase)?
                    };
                    // Nothing but the contents tells whether the passphrase was the right one.
                    made.map(Some).ok_or(Bad::Passphrase)
                })?
            }
            ("PRIVATE KEY", _) => pkcs::pkcs8(&block.data).map_err(bad)?,
            ("ENCRYPTED PRIVATE KEY", _) => {
                pkcs::check_pkcs8_lock(&block.data).map_err(bad)?;
                unlock(file, &block.label, ask, |passphrase| pkcs::encrypted_pkcs8(&block.data, passphrase))?
            }
            (label, _) => return Err(pem::not_for_us(label, file)),
        };
        Self::made(made, "", &block.label, file)
    }

    /// Reads this file: [`PrivateKey::parse`] with its contents.
    ///
    /// # Errors
    /// Those of [`PrivateKey::parse`], and [`Kind::Auth`] when the file
    /// cannot be read.
    pub fn read(path: &Path, ask: &mut Asked<'_>) -> Result<Self> {
        let name = sensitive::path(path);
        let text = read_file(path)?;
        let key = Self::parse(&text, &name, ask)?;
        let exposed = crate::file::open_to_others(path).map(|mode| format!("the private key {name} {mode}"));
        let file_for_ssh = is_for_ssh(path, &text).then(|| path.to_owned());
        Ok(PrivateKey { exposed, file_for_ssh, ..key })
    }

    fn made(made: Made, comment: &str, label: &str, file: &str) -> Result<Self> {
        let (secret, blob) = made.ok_or_else(|| refuse(Bad::Damaged, label, file))?;
        let public = PublicKey::from_blob(blob, comment).map_err(|_| refuse(Bad::Damaged, label, file))?;
        Ok(PrivateKey { secret, public, exposed: None, first_of_several: false, file_for_ssh: None })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether what it was read from holds other private keys behind it, which are not read.
    pub fn is_first_of_several(&self) -> bool {
        self.first_of_several
    }

    /// What others can do with its file, in words; `None` where it is its owner's alone.
    pub fn exposed(&self) -> Option<&str> {
        self.exposed.as_deref()
    }

    /// The file that it was read from, where ssh reads it as it is: one of its owner's alone, that is not encrypted, in
    /// a form that every version of ssh reads.
    pub fn file_for_ssh(&self) -> Option<&Path> {
        self.file_for_ssh.as_deref()
    }

    /// The key as the text of a file in OpenSSH's own form, which is not encrypted. It is a secret: ssh reads it only
    /// from a file that is its owner's alone.
    ///
    /// # Errors
    /// [`Kind::Usage`]: the numbers of this key have no such form.
    pub fn to_openssh(&self) -> Result<SecretString> {
        openssh::written(&self.secret, &self.public)
            .ok_or_else(|| Error::usage(format!("the key {} cannot be written for ssh", self.public.md5())))
    }

    /// Signs these bytes: RSA PKCS#1 v1.5, ECDSA in DER, Ed25519 as it is.
    ///
    /// # Errors
    /// [`Kind::Other`] when the algorithm is not for this key.
    pub fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        self.secret.sign(algorithm, data)
    }
}

/// Whether ssh takes this file as it is. Where it is not certain, it does not count as one.
fn is_for_ssh(path: &Path, text: &[u8]) -> bool {
    const PLAIN: [&str; 3] = ["OPENSSH PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let framed = PLAIN.iter().any(|label| {
        text.starts_with(&format!("-----BEGIN {label}-----\n")) && text.ends_with(&format!("\n-----END {label}-----\n"))
    });
    // What is encrypted in the old form has headers, and in OpenSSH's says so inside.
    let sealed = pem::read(text.as_bytes(), "").is_ok_and(|block| {
        block.damage.is_some()
            || block.dek_info.is_some()
            || block.label.starts_with("OPENSSH") && !Sealed::parse(&block.data).is_ok_and(|sealed| !sealed.is_locked())
    });
    let plain = framed && !text.contains('\r') && !sealed;
    // ssh puts its own values in the place of these, and closes what it inherits.
    let shown = path.to_string_lossy();
    let literal = !shown.contains(['%', '$', '~']) && !["/dev/", "/proc/"].iter().any(|begin| path.starts_with(begin));
    plain && literal && is_private(path)
}

/// Whether others can do nothing at all with this file.
fn is_private(path: &Path) -> bool {
    let Ok(found) = std::fs::metadata(path) else { return false };
    #[cfg(unix)]
    let private = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 == 0;
    #[cfg(not(unix))]
    let private = true;
    found.is_file() && private
}

/// The contents of a file that may be a key; wiped when dropped.
pub(super) fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let name = sensitive::path(path);
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::auth(format!("there is no file {name}")),
        _ => Error::auth(format!("cannot read {name}")).because(error),
    };
    let data = std::fs::metadata(path).map_err(cannot)?;
    if data.is_dir() {
        return Err(Error::auth(format!("{name} is a directory, not a key")));
    }
    // A file of the kernel's may wait for what never comes, and says that it has no length.
    if !data.is_file() || data.len() == 0 {
        let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
        return crate::file::read_secret(path, most).map_err(cannot);
    }
    let file = File::open(path).map_err(cannot)?;
    // One more than allowed, so that a larger file is seen to be one.
    let limit = MAX_FILE + 1;
    // Room for all of it at once, since a buffer that grows leaves copies behind that nobody wipes;
    // and no more than that, since wiping takes its time.
    let length = usize::try_from(data.len()).unwrap_or(limit).saturating_add(1);
    let mut text = Zeroizing::new(Vec::with_capacity(length.min(limit)));
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut text).map_err(cannot)?;
    Ok(text)
}

/// The text of a key that is given itself. In UTF-8 or UTF-16; wiped when dropped.
#[cfg(feature = "cli")]
pub(crate) fn key_text(bytes: &[u8]) -> SecretString {
    match super::repair::utf16(bytes) {
        Some(text) => SecretString::from(text.as_str()),
        None => SecretString::from(Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()).as_str()),
    }
}

/// The public half of a private key file, as far as it can be had without a passphrase.
pub(super) fn peek(text: &[u8], file: &str) -> Result<Peek> {
    let block = pem::read(text, file)?;
    if block.label == "OPENSSH PRIVATE KEY" {
        let sealed = Sealed::parse(&block.data).map_err(|bad| refuse(bad, &block.label, file))?;
        return Ok(Peek::Public(sealed.public));
    }
    let mut asked = false;
    let key = PrivateKey::parse(text, file, &mut |_| {
        asked = true;
        Ok(None)
    });
    match key {
        Ok(key) => Ok(Peek::Public(key.public)),
        Err(_) if asked => Ok(Peek::Locked),
        Err(error) => Err(error),
    }
}

/// Asks until it opens, at most three times.
fn unlock<T>(file: &str, label: &str, ask: &mut Asked<'_>, mut open: impl FnMut(&[u8]) -> Result<T, Bad>) -> Result<T> {
    for attempt in 1..=MAX_TRIES {
        let Some(passphrase) = ask(Ask { file: file.to_owned(), attempt })? else {
            if attempt > 1 {
                break;
            }
            return Err(Error::auth(format!("{file} is encrypted, and there is no passphrase for it"))
                .hint(format!("ssh-add {}", quoted(file)))
                .hint("put the passphrase into a file of your own and name it in SDC_KEY_PASSPHRASE_FILE"));
        };
        withheld::remember(passphrase.expose_secret());
        match open(passphrase.expose_secret().as_bytes()) {
            Ok(opened) => return Ok(opened),
            Err(Bad::Passphrase) => {}
            Err(bad) => return Err(refuse(bad, label, file)),
        }
    }
    Err(Error::auth(format!("wrong passphrase for {file}")).hint(format!("ssh-keygen -y -f {}", quoted(file))))
}

/// The error for a file that is no key for us.
fn refuse(bad: Bad, label: &str, file: &str) -> Error {
    let name = quoted(file);
    match bad {
        Bad::Passphrase => Error::auth(format!("wrong passphrase for {file}")),
        Bad::Damaged => Error::auth(format!("{file} is damaged: what its {label} block holds is not a whole key"))
            .hint(format!("ssh-keygen -y -f {name}")),
        Bad::Foreign("DSA") => {
            Error::auth(format!("{file} is a DSA key, which is obsolete")).hint("ssh-keygen -t ed25519")
        }
        Bad::Foreign(what) => Error::auth(format!("{file} is a {label} of a sort that sdc does not read: {what}"))
            .hint(format!("ssh-keygen -p -f {name}")),
    }
}
