//! Reads, replaces and locks files that somebody named. Reading is bounded in length, and in time where a file is
//! none: a pipe may have nobody at its other end, and a device no end at all. A file is replaced whole or not at all:
//! who reads it meanwhile sees the old or the new one. Nothing here knows what the files hold.

use std::fs::{self, File, TryLockError};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroizing;

/// How long a pipe or device may be silent.
const PIPE_TIMEOUT: Duration = Duration::from_secs(10);
/// The same of a command whose output a shell hands over.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

/// The bytes of a file.
///
/// # Errors
/// What the system says; too long (`FileTooLarge`); nothing came (`TimedOut`).
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_into(path, most, 0)
}

fn read_into(path: &Path, most: u64, room: usize) -> io::Result<Vec<u8>> {
    // Asked before it is opened: to open a pipe is to wait for its other end. A file of the kernel's may wait as well,
    // and says that it has no length.
    let found = fs::metadata(path)?;
    if found.is_file() && found.len() > 0 {
        return bounded(path, most, room, &|| {});
    }
    // What a shell's `<(command)` prints comes from a program that may be asking somebody; a pipe with a name of its
    // own may have nobody at its other end.
    let has_writer = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"].iter().any(|begin| path.starts_with(begin));
    let silence = if has_writer { COMMAND_TIMEOUT } else { PIPE_TIMEOUT };
    let (tell, told) = mpsc::channel();
    let path = path.to_owned();
    std::thread::Builder::new().spawn(move || {
        let came = || drop(tell.send(None));
        let all = bounded(&path, most, room, &came);
        tell.send(Some(all))
    })?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("nothing came from it for {silence:?}"));
    let begun = Instant::now();
    while begun.elapsed() < 10 * silence {
        if let Some(all) = told.recv_timeout(silence).map_err(|_| late())? {
            return all;
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("it had not ended after {:?}", 10 * silence)))
}

/// The same of a secret: wiped when dropped, and not copied while it is read.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_secret(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    read_into(path, most, usize::try_from(most).unwrap_or(0).saturating_add(1)).map(Zeroizing::new)
}

/// A reader that tells whenever something came.
struct Telling<'a>(File, &'a dyn Fn());

impl Read for Telling<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(bytes)?;
        self.1();
        Ok(count)
    }
}

fn bounded(path: &Path, most: u64, room: usize, came: &dyn Fn()) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(room);
    let file = File::open(path)?;
    if file.is_terminal() {
        return Err(io::Error::other("it is a terminal"));
    }
    Telling(file, came).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// Returns JSON's word for what the parser expected, where it has said Rust's.
pub(crate) fn json_type(expected: &str) -> Option<&'static str> {
    match expected {
        "a sequence" => Some("a list"),
        "a map" => Some("an object"),
        _ => expected.starts_with("struct ").then_some("an object"),
    }
}

/// Says what is wrong in a JSON file: without its values, which may be secrets, and without the names of Rust's types.
pub(crate) fn json_fault(error: &serde_json::Error) -> String {
    let words = error.to_string();
    // The names of fields are this program's own.
    if let Some((field, _)) = words.strip_prefix("duplicate field `").and_then(|rest| rest.split_once('`')) {
        return format!("'{field}' is given twice");
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    match words.rsplit_once(", expected ") {
        Some((_, expected)) if error.is_data() => {
            let expected = expected.strip_suffix(&place).unwrap_or(expected);
            format!("expected {}", json_type(expected).unwrap_or(expected))
        }
        _ if error.is_data() => "a field has the wrong type".to_owned(),
        _ => words,
    }
}

/// What others than its owner can do with a file, in words; `None` where it is the owner's alone, or is none.
pub(crate) fn open_to_others(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let mode = found.permissions().mode();
        let can = match (mode & 0o044 != 0, mode & 0o022 != 0) {
            (true, true) => "read and changed",
            (true, false) => "read",
            (false, true) => "changed",
            (false, false) => return None,
        };
        Some(format!("can be {can} by others (mode {:04o})", mode & 0o7777))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Gives a new file or folder to whom the folder around it belongs to: what root makes in a user's folder would
/// otherwise be in that user's way.
pub(crate) fn give_to_owner_of_folder(path: &Path, made: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let around = fs::metadata(folder)?;
        // Only root can, and only what root makes needs it.
        if made.metadata()?.uid() == 0 && around.uid() != 0 {
            std::os::unix::fs::fchown(made, Some(around.uid()), Some(around.gid()))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, made);
    Ok(())
}

/// A path whose `~` is the home: a shell leaves it as it is behind a `=`, in quotes, and in files.
pub fn expanded(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Makes a folder that only its owner can look into, and those above it.
pub(crate) fn make_private_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_private_dir(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(dir) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        made => made.and_then(|()| {
            let folder = if cfg!(unix) { File::open(dir)? } else { return Ok(()) };
            give_to_owner_of_folder(dir, &folder)
        }),
    }
}

/// What is wanted of a file that is replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// A symbolic link stays, and what it leads to is replaced; otherwise the link itself is.
    pub(crate) follow: bool,
    /// Only its owner can read it, whoever could before. Otherwise it keeps its mode, and a new one is like any other.
    pub(crate) private: bool,
    /// It outlasts a power failure from now on.
    pub(crate) durable: bool,
}

impl Manner {
    /// That of what cannot be fetched again. People keep such files under version control and link to them.
    pub(crate) const KEPT: Manner = Manner { follow: true, private: true, durable: true };
}

/// How many links may lead from one to the next.
const MAX_LINKS: usize = 40;

/// Puts a file in place at once, whole or not at all, with these bytes.
///
/// # Errors
/// What the system says, or that something else than a file is in its place. The old file is then as it was, and
/// nothing is left beside it.
pub(crate) fn replace(path: &Path, bytes: &[u8], manner: Manner) -> io::Result<()> {
    let path = if manner.follow { followed(path)? } else { path.to_owned() };
    let old = fs::symlink_metadata(&path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file() && !old.is_symlink()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "what is in its place is not a file"));
    }
    let mode = old.filter(|old| old.is_file() && !manner.private).map(|old| old.permissions());
    // No other process and no earlier run has the same name.
    let random: [u8; 16] = ring::rand::generate(&ring::rand::SystemRandom::new())
        .map_err(|_| io::Error::other("the system gives no random numbers"))?
        .expose();
    let temporary = path.with_file_name(format!(".sdc-{:032x}.tmp", u128::from_ne_bytes(random)));
    // Not ours to remove if it cannot be made.
    let file = create(&temporary, manner.private)?;
    let given = give_to_owner_of_folder(&temporary, &file);
    given
        .and_then(|()| fill(file, bytes, mode, manner.durable))
        .and_then(|()| fs::rename(&temporary, &path))
        .inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
    if manner.durable {
        sync_folder(&path);
    }
    Ok(())
}

fn fill(mut file: File, bytes: &[u8], mode: Option<fs::Permissions>, durable: bool) -> io::Result<()> {
    file.write_all(bytes)?;
    if let Some(mode) = mode {
        file.set_permissions(mode)?;
    }
    if durable { file.sync_all() } else { Ok(()) }
}

/// A new file, which only its owner can read if it is private.
///
/// # Errors
/// What the system says; `AlreadyExists` for anything of this name, a link without an end included.
pub(crate) fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = private;
    options.open(path)
}

/// A new folder that only its owner can look into. It is removed with all that is in it when dropped.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub(crate) struct TemporaryFolder(PathBuf);

#[cfg(feature = "cli")]
impl TemporaryFolder {
    /// One in this folder.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(parent: &Path) -> io::Result<TemporaryFolder> {
        let random: [u8; 16] = ring::rand::generate(&ring::rand::SystemRandom::new())
            .map_err(|_| io::Error::other("the system gives no random numbers"))?
            .expose();
        let path = parent.join(format!("sdc-{:032x}", u128::from_ne_bytes(random)));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // What is there already is never taken: it may be somebody else's.
        builder.create(&path)?;
        Ok(TemporaryFolder(path))
    }

    /// Puts a new file into it, which only its owner can read.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        create(&path, true)?.write_all(bytes)?;
        Ok(path)
    }
}

#[cfg(feature = "cli")]
impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Where a path leads, over symbolic links. There need not be anything yet.
///
/// # Errors
/// The links never end.
pub(crate) fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "the symbolic links there lead nowhere"))
}

/// Some file systems cannot do it. The file is in its place already: to call that a failure would be a lie.
fn sync_folder(path: &Path) {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// A lock, which ends when this is dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    /// None where the system knows no locks.
    file: Option<File>,
}

impl Lock {
    /// Whether it keeps others out: some systems know no locks.
    pub(crate) fn is_real(&self) -> bool {
        self.file.is_some()
    }
}

/// Takes the lock that this file stands for. It is made if need be, and stays: if it were removed, two could have it.
/// What is locked with it must be another file, for replacing gives a file another identity.
///
/// # Errors
/// What the system says; nobody gave it back in time (`TimedOut`).
pub(crate) fn lock(path: &Path, patience: Duration) -> io::Result<Lock> {
    // A link that leads to nothing yet is not followed.
    let file = match create(path, true) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            File::options().read(true).write(true).open(path)?
        }
        made => {
            let made = made?;
            give_to_owner_of_folder(path, &made)?;
            made
        }
    };
    match file.try_lock() {
        Ok(()) => return Ok(Lock { file: Some(file) }),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            return Ok(Lock { file: None });
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // The system has no wait with an end, but lets those who wait go in turn.
    let (tell, told) = mpsc::channel();
    std::thread::Builder::new().spawn(move || {
        let locked = loop {
            match file.lock() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done,
            }
        };
        // If nobody listens any more, this gives it back.
        let _ = tell.send(locked.map(|()| Lock { file: Some(file) }));
    })?;
    let late = || {
        let words = format!("another process has held {} for {patience:?}", path.display());
        io::Error::new(io::ErrorKind::TimedOut, words)
    };
    told.recv_timeout(patience).map_err(|_| late())?
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_fault_in_json_is_told_in_jsons_words_and_without_the_value() {
        #[derive(Debug, serde::Deserialize)]
        struct Content {
            #[serde(rename = "url")]
            _url: Option<String>,
            #[serde(rename = "roles")]
            _roles: Option<Vec<String>>,
        }
        for (text, told) in [
            ("null", "expected an object"),
            ("[", "EOF while parsing a list at line 1 column 1"),
            ("7", "expected an object"),
            (r#"{"url":7}"#, "expected a string"),
            (r#"{"roles":"secret"}"#, "expected a list"),
            (r#"{"url":"a","url":"b"}"#, "'url' is given twice"),
            (r#"{"url" 1}"#, "expected `:` at line 1 column 8"),
        ] {
            assert_eq!(json_fault(&serde_json::from_str::<Content>(text).unwrap_err()), told, "{text}");
        }
    }

    #[test]
    fn a_device_without_end_is_too_long() {
        let error = read(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_a_command_prints_into_a_pipe_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "a key").unwrap()
        });
        assert_eq!(read(&pipe, 100).unwrap(), b"a key");
        writer.join().unwrap();
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    const PAGE: Manner = Manner { follow: true, private: false, durable: false };

    #[test]
    fn who_reads_while_others_replace_sees_a_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        // Lengths that no single read or write takes.
        let texts: Vec<Vec<u8>> = (0..4u8).map(|of| vec![b'a' + of; 300_000 + usize::from(of) * 70_000]).collect();
        replace(&file, &texts[0], PAGE).unwrap();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| (0..20).for_each(|_| replace(&file, text, PAGE).unwrap()));
            }
            for _ in 0..100 {
                let seen = read(&file, 1 << 20).unwrap();
                assert!(texts.contains(&seen), "{} bytes that nobody wrote", seen.len());
            }
        });
        assert_eq!(names(dir.path()), ["file"]);
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        assert!(replace(&dir.path().join("folder"), b"x", Manner::KEPT).is_err());
        assert!(replace(&dir.path().join("nowhere/file"), b"x", Manner::KEPT).is_err());
        std::os::unix::fs::symlink("round", dir.path().join("round")).unwrap();
        assert!(replace(&dir.path().join("round"), b"x", Manner::KEPT).is_err());
        assert!(Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
        assert!(replace(&dir.path().join("pipe"), b"x", Manner::KEPT).is_err());
        assert_eq!(names(dir.path()), ["folder", "pipe", "round"]);
    }

    #[test]
    fn a_link_is_followed_or_replaced_as_is_wanted_even_one_to_nothing_yet() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("real")).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("real/file", &link).unwrap();
        for text in ["new", "old"] {
            replace(&link, text.as_bytes(), Manner::KEPT).unwrap();
            assert!(link.is_symlink());
            assert_eq!(fs::read_to_string(dir.path().join("real/file")).unwrap(), text);
        }
        replace(&link, b"mine", Manner { follow: false, ..PAGE }).unwrap();
        assert!(!link.is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join("real/file")).unwrap(), "old");
    }

    #[test]
    fn what_is_private_becomes_so_and_another_file_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        for (before, manner, after) in [(0o644, Manner::KEPT, 0o600), (0o640, PAGE, 0o640), (0o755, PAGE, 0o755)] {
            fs::write(&file, "old").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(before)).unwrap();
            replace(&file, b"new", manner).unwrap();
            assert_eq!(mode(&file), after, "of {before:o}");
        }
        fs::write(dir.path().join("other"), "as any other").unwrap();
        replace(&dir.path().join("page"), b"new", PAGE).unwrap();
        assert_eq!(mode(&dir.path().join("page")), mode(&dir.path().join("other")));
    }

    #[test]
    fn a_lock_is_one_processs_until_it_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lock");
        let first = lock(&file, Duration::from_secs(60)).unwrap();
        let error = lock(&file, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("another process has held"), "{error}");
        // Who waits has it next; who gave up never has.
        let waits = std::thread::spawn({
            let file = file.clone();
            move || lock(&file, Duration::from_secs(60)).map(drop)
        });
        drop(first);
        waits.join().unwrap().unwrap();
        assert!(lock(&file, Duration::from_secs(60)).is_ok());
        assert_eq!(mode(&file), 0o600);
        std::os::unix::fs::symlink("victim", dir.path().join("planted")).unwrap();
        assert!(lock(&dir.path().join("planted"), Duration::ZERO).is_err());
        assert_eq!(names(dir.path()), ["lock", "planted"], "nothing is made where a link leads");
    }
}
