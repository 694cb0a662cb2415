//! What leads a client to an emulator: variables, and the file that a shell reads them from.

use std::path::{Path, PathBuf};

use crate::config::env;
use crate::emulator::Emulator;
use crate::error::{Error, Result};
use crate::file::{self, Manner};

/// Variables that would send the command elsewhere, or as someone else.
pub const REMOVED: &[&str] = &[
    "SDC_PROFILE",
    "SDC_USER",
    "SDC_ROLE",
    "SDC_TESTING",
    "SDC_TLS_INSECURE",
    "SDC_ACT_AS",
    "SDC_ACCEPT_VERSION",
    "SDC_API_VERSION",
    "SDC_KEY_PASSPHRASE_FILE",
    "SDC_CACERT",
    "SDC_TLS_PIN",
    "TRITON_USER",
    "TRITON_ROLE",
    "TRITON_RBAC_USER",
    "TRITON_RBAC_ROLE",
    "TRITON_ACT_AS",
    "TRITON_TLS_INSECURE",
    "TRITON_SKIP_TLS_VERIFY",
    "TRITON_KEY_MATERIAL",
    "SDC_KEY_MATERIAL",
];

/// A URL of this machine for one that stands for all its addresses: nobody can connect to those everywhere.
pub fn local(url: &str) -> String {
    url.replacen("//0.0.0.0:", "//127.0.0.1:", 1).replacen("//[::]:", "//[::1]:", 1)
}

/// What other machines put in the place of such a URL.
pub fn elsewhere(url: &str) -> Option<String> {
    (local(url) != url).then(|| url.replacen("//0.0.0.0:", "//HOST:", 1).replacen("//[::]:", "//HOST:", 1))
}

/// The hosts to which no proxy is used: a proxy has no way to this machine's loopback.
fn no_proxy(others: Option<String>) -> String {
    let others = others.unwrap_or_default();
    // A star counts only if it stands alone.
    if others.trim() == "*" {
        return others;
    }
    let mut hosts: Vec<&str> = others.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    // Those that are there stay alone: settings may be taken over many times in one shell.
    for host in ["::1", "localhost", "127.0.0.1"] {
        if !hosts.contains(&host) {
            hosts.insert(0, host);
        }
    }
    hosts.join(",")
}

/// What leads a client to the emulator.
pub fn environment(emulator: &Emulator) -> Vec<(&'static str, String)> {
    let url = local(emulator.https_url().unwrap_or(emulator.url()));
    // Every tool takes this for the environment alone: without it, a profile that is current in the
    // home folder would win with node-triton, and lead to a real cloud.
    let mut list = vec![("TRITON_PROFILE", "env".to_owned())];
    for (sdc, triton, value) in [
        ("SDC_URL", "TRITON_URL", url),
        ("SDC_ACCOUNT", "TRITON_ACCOUNT", emulator.account().to_owned()),
        ("SDC_KEY_ID", "TRITON_KEY_ID", emulator.key_id().to_owned()),
        ("SDC_KEY_FILE", "TRITON_KEY_FILE", emulator.key_file().display().to_string()),
    ] {
        list.push((sdc, value.clone()));
        list.push((triton, value));
    }
    if let Some(file) = emulator.ca_file() {
        list.push(("SDC_CACERT", file.display().to_string()));
        list.push(("NODE_EXTRA_CA_CERTS", file.display().to_string()));
    }
    for (name, twin) in [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")] {
        list.push((name, no_proxy(env::var(name).or_else(|| env::var(twin)))));
    }
    list
}

/// The same as lines for a shell.
pub fn lines(emulator: &Emulator) -> String {
    let mut lines = format!("unset {}\n", REMOVED.join(" "));
    for (name, value) in environment(emulator) {
        lines.push_str(&format!("export {name}={}\n", crate::grammar::shell::quoted(&value)));
    }
    lines
}

/// A file with the settings of an emulator that listens. It is there as a whole or not at all, and goes with it.
pub struct EnvFile {
    path: PathBuf,
    lines: String,
}

impl EnvFile {
    /// The key's place is no secret, but whoever could write the file would run what they like in the shell that reads
    /// it.
    const MANNER: Manner = Manner { follow: true, private: true, durable: false };

    /// Writes it, over an older one.
    ///
    /// # Errors
    /// What the system says, or that something else than a file is in its place.
    pub fn write(path: &Path, lines: String) -> Result<EnvFile> {
        let failed = |error| Error::other(format!("cannot write {}", path.display())).because(error);
        file::replace(path, lines.as_bytes(), EnvFile::MANNER).map_err(failed)?;
        Ok(EnvFile { path: path.to_owned(), lines })
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        // Another emulator's may be in its place by now.
        let most = self.lines.len() as u64;
        if file::read(&self.path, most).is_ok_and(|bytes| bytes == self.lines.as_bytes()) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_not_led_to_the_address_that_stands_for_all() {
        assert_eq!(local("http://0.0.0.0:8087"), "http://127.0.0.1:8087");
        assert_eq!(local("https://[::]:8443"), "https://[::1]:8443");
        assert_eq!(elsewhere("https://[::]:8443").as_deref(), Some("https://HOST:8443"));
        assert_eq!(elsewhere("http://0.0.0.0:8087").as_deref(), Some("http://HOST:8087"));
        for url in ["http://127.0.0.1:8087", "http://10.0.0.0:8087", "https://[fd00::]:8443"] {
            assert_eq!((local(url).as_str(), elsewhere(url)), (url, None));
        }
    }

    #[test]
    fn hosts_that_need_no_proxy_are_kept_and_named_once() {
        assert_eq!(no_proxy(None), "127.0.0.1,localhost,::1");
        assert_eq!(no_proxy(Some("intern, localhost,".to_owned())), "127.0.0.1,::1,intern,localhost");
        let once = no_proxy(Some("intern".to_owned()));
        assert_eq!(no_proxy(Some(once.clone())), once);
        assert_eq!(no_proxy(Some("*".to_owned())), "*");
    }

    #[test]
    fn the_file_of_settings_is_removed_unless_it_is_another_s_by_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        std::fs::write(&path, "old").unwrap();
        let first = EnvFile::write(&path, "export A=1\n".to_owned()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "export A=1\n");
        let second = EnvFile::write(&path, "export A=2\n".to_owned()).unwrap();
        drop(first);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "export A=2\n");
        drop(second);
        assert!(!path.exists());
        assert!(EnvFile::write(dir.path(), String::new()).is_err(), "a folder");
    }
}
