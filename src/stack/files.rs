//! The files that a template names with `get_file`: beside the template, bounded, and texts alone.

use std::path::{Path, PathBuf};

use super::template::Contents;
use crate::file;

/// The longest file, in bytes.
const MAX_LEN: u64 = 1024 * 1024;

/// Files by their paths, relative ones from a folder: that of the template.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder of the template.
    pub folder: PathBuf,
    /// The user's home, for `~`.
    pub home: Option<PathBuf>,
}

impl Contents for Folder {
    fn text(&self, name: &str) -> Result<String, String> {
        if let Some((scheme, _)) = name.split_once("://").filter(|(scheme, _)| *scheme != "file") {
            return Err(format!("{scheme} is not read here: download it, and name the file"));
        }
        let path = name.strip_prefix("file://").unwrap_or(name);
        let path = self.folder.join(file::expanded(Path::new(path), self.home.as_deref()));
        let bytes = file::read(&path, MAX_LEN).map_err(|error| format!("it cannot be read: {error}"))?;
        String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            format!("it is not text: byte {at} is not UTF-8")
        })
    }
}
