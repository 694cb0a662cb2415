//! The only place that prints. stdout carries data and nothing else; words to people go to stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Kind, Result};

/// Which of the three were closed before the program began: bits 1, 2 and 4. The runtime opens `/dev/null` in their
/// place before `main`, where whatever is written seems to arrive.
#[cfg(unix)]
static CLOSED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);

/// Looks before the runtime does.
#[cfg(unix)]
#[ctor::ctor]
fn look_at_the_streams() {
    use std::os::fd::{AsFd, BorrowedFd};
    /// EBADF, the same everywhere.
    const NO_SUCH: i32 = 9;
    let closed =
        |stream: BorrowedFd<'_>| stream.try_clone_to_owned().is_err_and(|error| error.raw_os_error() == Some(NO_SUCH));
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let bits = [closed(stdin.as_fd()), closed(stdout.as_fd()), closed(stderr.as_fd())];
    let bits = bits.into_iter().enumerate().fold(0, |bits, (at, closed)| bits | u8::from(closed) << at);
    CLOSED.store(bits, std::sync::atomic::Ordering::Relaxed);
}

/// Whether the stream of this number was closed before the program began.
fn was_closed(number: u8) -> bool {
    #[cfg(unix)]
    return CLOSED.load(std::sync::atomic::Ordering::Relaxed) >> number & 1 == 1;
    #[cfg(not(unix))]
    {
        let _ = number;
        false
    }
}

/// Standard input has been read to its end: whoever comes second would find it empty.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Standard input, to be read to its end by those who were told to.
///
/// # Errors
/// It was closed before the program began, and so is not what somebody meant to give; or it was read before, such as
/// by `--key-file -`.
pub fn stdin() -> io::Result<io::StdinLock<'static>> {
    if was_closed(0) {
        return Err(io::Error::other("standard input is closed"));
    }
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other("standard input can be read only once, and `-` was given twice"));
    }
    Ok(io::stdin().lock())
}

/// How many lines of a terminal hold what is still going on, right above the cursor: whatever else is written there
/// takes their place.
static LIVE: Mutex<usize> = Mutex::new(0);

/// What takes the live lines away.
fn erased(live: usize) -> String {
    if live == 0 { String::new() } else { format!("\r\x1b[{live}A\x1b[J") }
}

/// The three standard streams, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    /// Someone can be asked.
    pub stdin_tty: bool,
    /// A person reads the data.
    pub stdout_tty: bool,
    /// A person reads the words.
    pub stderr_tty: bool,
}

impl Streams {
    /// The process's own.
    pub fn new() -> Self {
        Streams {
            stdin_tty: io::stdin().is_terminal(),
            stdout_tty: io::stdout().is_terminal(),
            stderr_tty: io::stderr().is_terminal(),
        }
    }

    /// Data. Flushed at once, so that a reader of a pipe sees it.
    ///
    /// # Errors
    /// [`Kind::ClosedPipe`] when the reader has gone; otherwise what the system said.
    pub fn out(&self, data: &[u8]) -> Result<()> {
        if was_closed(1) && !data.is_empty() {
            return Err(Error::other("cannot write the output").because("standard output is closed"));
        }
        if self.stdout_tty {
            self.live(&[]);
        }
        write_out(data).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::new(Kind::ClosedPipe, "the reader of the output has gone"),
            _ => Error::other("cannot write the output").because(error),
        })
    }

    /// A question to a person, who answers on the same line.
    pub fn ask(&self, question: &str) {
        self.live(&[]);
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush());
    }

    /// A line of words to people. A stderr that is closed is nobody's problem.
    pub fn say(&self, line: &str) {
        self.live(&[]);
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(line.as_bytes()).and_then(|()| stderr.write_all(b"\n"));
    }

    /// The lines that show what is still going on, in the place of those before them. Each must fit into the terminal,
    /// and hold nothing that steers it.
    pub fn live(&self, lines: &[String]) {
        let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        if *live == 0 && lines.is_empty() {
            return;
        }
        let mut text = erased(*live);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
        *live = lines.len();
    }

    /// The width and the height of the terminal that the words go to.
    pub fn size(&self) -> (usize, usize) {
        let size = terminal_size::terminal_size_of(io::stderr());
        size.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)))
    }
}

/// Past the standard library's line buffer, which would look through all of it for line feeds.
#[cfg(unix)]
fn write_out(data: &[u8]) -> io::Result<()> {
    use std::os::fd::AsFd;
    std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).write_all(data)
}

#[cfg(not(unix))]
fn write_out(data: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(data).and_then(|()| stdout.flush())
}

impl Default for Streams {
    fn default() -> Self {
        Self::new()
    }
}
