//! The key for ssh: the one that sdc signs with, in a form that ssh reads. What ssh cannot read as it is, it gets a
//! copy of, in a folder that goes away again.

use std::ffi::OsString;
use std::path::PathBuf;

use secrecy::ExposeSecret as _;

use crate::cli::app::App;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::file::TemporaryFolder;
use crate::sensitive;

/// A key for ssh.
#[derive(Default)]
pub struct SshKey {
    /// Its file; none where an agent has it, which ssh asks by itself.
    file: Option<PathBuf>,
    /// The folder of the copy.
    copy: Option<TemporaryFolder>,
}

impl SshKey {
    /// That of this client.
    ///
    /// # Errors
    /// There is no place for a copy, or no form of it.
    pub fn of(app: &App, client: &Client) -> Result<SshKey> {
        let read = |key: &crate::auth::PrivateKey| match key.file_for_ssh() {
            Some(file) => Ok((Some(file.to_owned()), None)),
            None => key.to_openssh().map(|text| (None, Some(text))),
        };
        let Some(read) = client.signer().and_then(|signer| signer.with_private_key(read)) else {
            return Ok(SshKey::default());
        };
        let (file, text) = read?;
        let Some(text) = text else { return Ok(SshKey { file, copy: None }) };
        let parent = app.console.env.temp_dir();
        let failed = |error| {
            Error::usage(format!("cannot give ssh a private copy of the key in {}", sensitive::path(&parent)))
                .because(error)
                .hint("its folder is the one of TMPDIR")
                .hint("a file that ssh reads as it is, or an agent with the key, needs no copy")
        };
        let copy = TemporaryFolder::new(&parent).map_err(failed)?;
        let file = copy.write("key", text.expose_secret().as_bytes()).map_err(failed)?;
        Ok(SshKey { file: Some(file), copy: Some(copy) })
    }

    /// The same for a command line that is only shown: the file that was named, of which there may have to be a copy.
    pub fn shown(app: &App, client: &Client) -> SshKey {
        let read = |key: &crate::auth::PrivateKey| key.file_for_ssh().map(PathBuf::from);
        let read = client.signer().and_then(|signer| signer.with_private_key(read));
        let named = app.config.key_file.as_ref().map(|file| file.value.clone());
        match (&read, &named) {
            (Some(None), Some(_)) => {
                app.warn("run by sdc, ssh gets a private copy of the key, for it may refuse the file")
            }
            (Some(None), None) => {
                app.warn("run by sdc, ssh gets a private copy of the key, which is in no file: no -i")
            }
            _ => {}
        }
        SshKey { file: read.flatten().or(named), copy: None }
    }

    /// Whether something is to be removed after ssh.
    pub fn is_copy(&self) -> bool {
        self.copy.is_some()
    }

    /// What ssh and scp are told of it.
    pub fn options(&self) -> Vec<OsString> {
        self.file.iter().flat_map(|file| ["-i".into(), file.clone().into_os_string()]).collect()
    }
}
