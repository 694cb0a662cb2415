//! The private folder of an emulator: the throw-away key, the certificate, the agent's socket. It
//! goes away with the emulator.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use rsa::traits::PublicKeyParts;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};

use crate::error::{Error, Result};
use crate::file;

/// The account's key where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrowAwayKey {
    /// A new Ed25519 key, in the format of OpenSSH. It takes a millisecond to make.
    #[default]
    Ed25519,
    /// The same RSA key for every emulator, in PEM (PKCS#1), which the oldest clients read. It takes no time, and it is
    /// no secret: whoever has this library has it. So it is for an emulator that only this machine can reach, where
    /// everyone who can reach it can do all to it anyway, by `/--emulator`.
    KnownRsa,
    /// A new RSA key, in the same format. It takes a good part of a second, and many of them where the `rsa` crate is
    /// not optimised.
    NewRsa,
}

/// A folder that is removed when dropped.
#[derive(Debug)]
pub(crate) struct PrivateDir(PathBuf);

impl PrivateDir {
    /// A new one in the folder `parent`.
    pub(crate) fn new(parent: &Path) -> Result<PrivateDir> {
        // Short, for the path of a socket is bounded: to 104 bytes on some systems, whose folders are long.
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        let path = parent.join(format!("sdc-emulator-{random:016x}"));
        make(&path).map_err(|error| PrivateDir::elsewhere(error, parent))?;
        Ok(PrivateDir(path))
    }

    /// Says that the environment names another place, if it has named this one.
    pub(crate) fn elsewhere(error: Error, parent: &Path) -> Error {
        if parent != usual_parent() {
            return error;
        }
        let name = if cfg!(windows) { "TMP" } else { "TMPDIR" };
        error.hint(format!("its key, its socket and the caches of its clients go there: {name} names another folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a folder in it, which nobody else can read either.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        make(&path)?;
        Ok(path)
    }

    /// Puts a new file into it.
    pub(crate) fn write(&self, name: &str, text: &[u8]) -> Result<PathBuf> {
        let path = self.0.join(name);
        file::create(&path, true)
            .and_then(|mut file| file.write_all(text))
            .map_err(|error| Error::other(format!("cannot write {}", path.display())).because(error))
            .map_err(|error| PrivateDir::elsewhere(error, self.0.parent().unwrap_or(&self.0)))?;
        Ok(path)
    }
}

/// Makes a folder that only its owner can read.
fn make(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| Error::other(format!("cannot make the folder {}", path.display())).because(error))
}

/// Where it is made if nobody says where.
// The one look at the environment outside its door, since that is the platform's only safe answer:
// a fixed path is wrong on Windows, and on macOS shared by all users. The program never gets here.
#[allow(clippy::disallowed_methods, reason = "the emulator must not use config, and a library user may not say")]
pub(crate) fn usual_parent() -> PathBuf {
    std::env::temp_dir()
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// No key is longer, in bytes.
const MAX_KEY_LEN: u64 = 64 * 1024;

/// A throw-away key.
pub(crate) struct EphemeralKey {
    pub(crate) key: Private,
    /// The name of its file.
    pub(crate) file: &'static str,
    /// The private half as a PEM file.
    pub(crate) pem: String,
    /// The public half as an OpenSSH line.
    pub(crate) line: String,
    /// The public half as an agent shows it.
    pub(crate) blob: Vec<u8>,
}

/// What a throw-away key signs with.
pub(crate) enum Private {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// The comment of the key's public half.
pub(crate) const KEY_NAME: &str = "emulator";

/// The key that every emulator on loopback may have. Published with this source, it protects nothing.
const KNOWN_RSA: &str = include_str!("known_rsa.pem");

impl EphemeralKey {
    /// One of this kind.
    pub(crate) fn make(kind: ThrowAwayKey) -> Result<EphemeralKey> {
        let failed = |error: String| Error::other("cannot make a key").because(error);
        match kind {
            ThrowAwayKey::Ed25519 => EphemeralKey::ed25519().map_err(|error| failed(error.to_string())),
            ThrowAwayKey::KnownRsa => {
                let key = rsa::RsaPrivateKey::from_pkcs1_pem(KNOWN_RSA).map_err(|error| failed(error.to_string()))?;
                EphemeralKey::rsa(key)
            }
            ThrowAwayKey::NewRsa => {
                let key = rsa::RsaPrivateKey::new(&mut OsRng, 2048).map_err(|error| failed(error.to_string()))?;
                EphemeralKey::rsa(key)
            }
        }
    }

    /// That of a file, which must be an RSA key.
    pub(crate) fn read(path: &Path) -> Result<EphemeralKey> {
        let text = file::read(path, MAX_KEY_LEN)
            .map_err(|error| Error::usage(format!("cannot read the key {}", path.display())).because(error))?;
        // What is no text is no such key either.
        let text = String::from_utf8(text).unwrap_or_default();
        let key = rsa::RsaPrivateKey::from_pkcs1_pem(&text).map_err(|_| {
            let other = ssh_key::PrivateKey::from_openssh(&text).ok().map(|key| key.algorithm());
            if let Some(other) = other.filter(|other| !other.clone().is_rsa()) {
                return Error::usage(format!("{} is a key of the kind {other}, and not RSA", path.display()))
                    .hint("to let its owner in as well, beside the emulator's own key: --authorize FILE.pub");
            }
            Error::usage(format!("{} is no RSA key in PEM format (PKCS#1), or is encrypted", path.display())).hint(
                format!("a copy that can be read: cp {0} COPY; ssh-keygen -p -m PEM -N '' -f COPY", path.display()),
            )
        })?;
        EphemeralKey::rsa(key)
    }

    fn rsa(key: rsa::RsaPrivateKey) -> Result<EphemeralKey> {
        let failed = |error: String| Error::other("cannot write a key").because(error);
        let pem = key.to_pkcs1_pem(LineEnding::LF).map_err(|e| failed(e.to_string()))?.to_string();
        let parts = [mpint(&key.e().to_bytes_be()), mpint(&key.n().to_bytes_be())];
        let (blob, line) = public("ssh-rsa", &parts);
        Ok(EphemeralKey { key: Private::Rsa(Box::new(key)), file: "id_rsa", pem, line, blob })
    }

    fn ed25519() -> ssh_key::Result<EphemeralKey> {
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        let point = key.verifying_key().to_bytes();
        let pair = Ed25519Keypair {
            public: ssh_key::public::Ed25519PublicKey(point),
            private: Ed25519PrivateKey::from_bytes(&seed),
        };
        let whole = ssh_key::PrivateKey::new(KeypairData::Ed25519(pair), KEY_NAME)?;
        let pem = whole.to_openssh(ssh_key::LineEnding::LF)?.to_string();
        let (blob, line) = public("ssh-ed25519", &[point.to_vec()]);
        Ok(EphemeralKey { key: Private::Ed25519(Box::new(key)), file: "id_ed25519", pem, line, blob })
    }
}

/// A public key of this kind, as an agent shows it and as a line.
fn public(kind: &str, parts: &[Vec<u8>]) -> (Vec<u8>, String) {
    let mut blob = Vec::new();
    put_string(&mut blob, kind.as_bytes());
    parts.iter().for_each(|part| put_string(&mut blob, part));
    let line = format!("{kind} {} {KEY_NAME}", STANDARD.encode(&blob));
    (blob, line)
}

/// A number as SSH writes it: with a zero in front if it would look negative.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let mut number = Vec::with_capacity(bytes.len() + 1);
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        number.push(0);
    }
    number.extend_from_slice(bytes);
    number
}

/// Appends a string as SSH writes it: its length, then its bytes.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Nothing here is as long as 4 GiB.
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}
