//! What leads a client to an emulator: variables, and the file that a shell reads them from.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Env;
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
    "SDC_PROXY",
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

/// Variables that [`environment`] sets.
const EXPORTED: &[&str] = &[
    "TRITON_PROFILE",
    "SDC_URL",
    "TRITON_URL",
    "SDC_ACCOUNT",
    "TRITON_ACCOUNT",
    "SDC_KEY_ID",
    "TRITON_KEY_ID",
    "SDC_KEY_FILE",
    "TRITON_KEY_FILE",
    "SDC_CACERT",
    "NODE_EXTRA_CA_CERTS",
    "SSH_AUTH_SOCK",
    "NO_PROXY",
    "no_proxy",
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
fn no_proxy(others: Option<String>, more: &[&str]) -> String {
    let others = others.unwrap_or_default();
    // A star counts only if it stands alone.
    if others.trim() == "*" {
        return others;
    }
    let mut hosts: Vec<&str> = others.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    // Those that are there stay alone: settings may be taken over many times in one shell.
    for host in more.iter().copied().chain(["::1", "localhost", "127.0.0.1"]) {
        if !hosts.contains(&host) {
            hosts.insert(0, host);
        }
    }
    hosts.join(",")
}

/// What leads a client to the emulator.
pub fn environment(emulator: &Emulator, env: &Env) -> Vec<(&'static str, String)> {
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
    if let Some(socket) = emulator.agent_socket() {
        list.push(("SSH_AUTH_SOCK", socket.display().to_string()));
    }
    if let Some(sapi) = emulator.sapi() {
        for name in ["SDC_SAPI_URL", "SAPI_URL"] {
            list.push((name, format!("http://{sapi}")));
        }
    }
    let hosts: Vec<&str> =
        emulator.admin().iter().map(|(_, address)| address.split(':').next().unwrap_or_default()).collect();
    for (name, twin) in [("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")] {
        list.push((name, no_proxy(env.var(name).or_else(|| env.var(twin)), &hosts)));
    }
    list
}

/// The folders of the settings and the cache of a command that has an emulator of its own: empty ones, which go with
/// it. The user's `HOME` stays, which ssh and git need, and so do `XDG_CONFIG_HOME` and `XDG_CACHE_HOME`: other
/// programs have their settings and the caches of their builds there.
///
/// # Errors
/// They cannot be made.
pub fn folders(emulator: &Emulator) -> Result<[(&'static str, PathBuf); 3]> {
    let (config, cache) = (emulator.new_folder("settings")?, emulator.new_folder("cache")?);
    // The last one is node-triton's, which has it for tests such as these.
    Ok([("SDC_CONFIG_DIR", config.clone()), ("SDC_CACHE_DIR", cache), ("TRITONTEST_CLI_CONFIG_DIR", config)])
}

/// The same as lines for a shell.
pub fn lines(emulator: &Emulator, env: &Env) -> String {
    let mut lines = format!("unset {}\n", REMOVED.join(" "));
    for (name, value) in environment(emulator, env) {
        lines.push_str(&format!("export {name}={}\n", crate::grammar::shell::quoted(&value)));
    }
    lines
}

/// A file with the settings of an emulator that listens. It is there as a whole or not at all, and goes with it.
pub struct EnvFile {
    /// Where the symbolic links lead, if it is one.
    path: PathBuf,
    lines: String,
}

/// No file of settings is longer, in bytes.
const MAX_LEN: u64 = 64 * 1024;

impl EnvFile {
    /// The key's place is no secret, but whoever could write the file would run what they like in the shell that reads
    /// it.
    const MANNER: Manner = Manner { follow: true, private: true, durable: false };

    /// Returns where the file goes. Only an earlier emulator's file is replaced, or an empty one.
    ///
    /// # Errors
    /// A usage error for any other file, or what the system says.
    pub fn place(path: &Path) -> Result<PathBuf> {
        let shown = || crate::sensitive::path(path);
        let failed = |error: io::Error| Error::other(format!("cannot write {}", shown())).because(error);
        let place = file::followed(path).map_err(failed)?;
        match std::fs::symlink_metadata(&place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(place),
            Err(error) => return Err(failed(error)),
            Ok(found) if !found.is_file() => {
                return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
            }
            Ok(_) => {}
        }
        match file::read(&place, MAX_LEN) {
            Ok(bytes) if is_ours(&bytes) => match live(&bytes) {
                Some(url) => {
                    return Err(Error::usage(format!("{} is that of an emulator that serves at {url}", shown()))
                        .hint("name another file, or end that emulator"));
                }
                None => return Ok(place),
            },
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {}
            Err(error) => return Err(failed(error)),
        }
        Err(Error::usage(format!("{} exists and was not written by an emulator: it is not replaced", shown()))
            .hint("name another file, or move this one away"))
    }

    /// Writes it, over an earlier emulator's.
    ///
    /// # Errors
    /// Those of [`EnvFile::place`], and what the system says.
    pub fn write(path: &Path, lines: String) -> Result<EnvFile> {
        // Once more: it may have been made since.
        let place = EnvFile::place(path)?;
        file::replace(&place, lines.as_bytes(), EnvFile::MANNER)
            .map_err(|error| Error::other(format!("cannot write {}", crate::sensitive::path(path))).because(error))?;
        Ok(EnvFile { path: place, lines })
    }
}

impl Drop for EnvFile {
    fn drop(&mut self) {
        // Another emulator's, or anything else, may be in its place by now.
        let most = self.lines.len() as u64;
        let same = std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file())
            && file::read(&self.path, most).is_ok_and(|bytes| bytes == self.lines.as_bytes());
        if same {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The URL in the [`lines`] of an emulator, where something listens.
fn live(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let url = text.lines().find_map(|line| line.strip_prefix("export SDC_URL="))?.trim_matches('\'');
    let parsed = url::Url::parse(url).ok()?;
    let address = parsed.socket_addrs(|| None).ok()?.into_iter().find(|address| address.ip().is_loopback())?;
    std::net::TcpStream::connect_timeout(&address, ANSWER).ok().map(|_| url.to_owned())
}

/// How long an emulator on this machine may take to answer.
const ANSWER: std::time::Duration = std::time::Duration::from_millis(500);

/// Whether these are [`lines`] of an emulator and nothing else, or nothing at all.
fn is_ours(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some((first, exports)) = text.split_once('\n') else { return text.is_empty() };
    let set = |line: &str| {
        line.strip_prefix("export ")
            .and_then(|line| line.split_once('='))
            .is_some_and(|(name, _)| EXPORTED.contains(&name))
    };
    first.starts_with("unset SDC_PROFILE ") && !first.contains(';') && exports.lines().all(set)
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
        assert_eq!(no_proxy(None, &[]), "127.0.0.1,localhost,::1");
        assert_eq!(no_proxy(Some("intern, localhost,".to_owned()), &[]), "127.0.0.1,::1,intern,localhost");
        let once = no_proxy(Some("intern".to_owned()), &[]);
        assert_eq!(no_proxy(Some(once.clone()), &[]), once);
        assert_eq!(no_proxy(Some("*".to_owned()), &[]), "*");
    }

    #[test]
    fn the_file_of_settings_is_removed_unless_it_is_another_s_by_now() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("env");
        let lines = |port: u16| format!("unset SDC_PROFILE SDC_USER\nexport SDC_URL=http://127.0.0.1:{port}\n");
        std::fs::write(&path, "").unwrap();
        let first = EnvFile::write(&path, lines(1)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lines(1));
        let second = EnvFile::write(&path, lines(2)).unwrap();
        drop(first);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lines(2));
        drop(second);
        assert!(!path.exists());
        assert!(EnvFile::write(dir.path(), String::new()).is_err(), "a folder");
    }

    #[tokio::test]
    async fn the_lines_of_an_emulator_are_known_again() {
        let options = crate::emulator::Options {
            https: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0))),
            agent: cfg!(unix),
            temp_dir: Some(Env::process().temp_dir()),
            ..Default::default()
        };
        let emulator = Emulator::start(options).await.unwrap();
        let ours = lines(&emulator, &Env::process());
        assert!(is_ours(ours.as_bytes()), "{ours}");
        for (name, _) in environment(&emulator, &Env::process()) {
            assert!(EXPORTED.contains(&name), "{name}");
        }
        emulator.stop().await.unwrap();
        for other in [
            format!("{ours}export DATABASE_URL=postgres://db/x\n"),
            format!("# mine\n{ours}"),
            ours.replacen('\n', "; rm -f x\n", 1),
            format!("{ours}\n# a note\n"),
            "export SDC_URL=https://cloud.example.com\nexport SDC_ACCOUNT=jill\n".to_owned(),
            "A=1".to_owned(),
        ] {
            assert!(!is_ours(other.as_bytes()), "{other}");
        }
    }
}
