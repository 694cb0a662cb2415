//! Reads files that somebody named: bounded in length, and in time where a file is none: a pipe may have nobody
//! at its other end, and a device no end at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// How long a pipe or device may take; what a shell's `<(command)` prints comes through one.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of a file.
///
/// # Errors
/// What the system says; too long (`FileTooLarge`); nothing came (`TimedOut`).
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Asked before it is opened: to open a pipe is to wait for its other end.
    if fs::metadata(path)?.is_file() {
        return bounded(path, most);
    }
    let (tell, told) = mpsc::channel();
    let path = path.to_owned();
    std::thread::spawn(move || tell.send(bounded(&path, most)));
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("nothing came from it within {PATIENCE:?}"));
    told.recv_timeout(PATIENCE).map_err(|_| late())?
}

fn bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {most} bytes")));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_end_is_too_long() {
        let error = read(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_a_command_prints_into_a_pipe_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::write(pipe, "a key").unwrap()
        });
        assert_eq!(read(&pipe, 100).unwrap(), b"a key");
        writer.join().unwrap();
    }
}
