//! The only place that prints. stdout carries data and nothing else; words for people go to stderr.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use secrecy::zeroize::Zeroizing;

use super::signals::Heard;
use crate::error::{Error, Kind, Result, withheld};

/// Which of the three were closed before the program began: bits 1, 2 and 4. The runtime opens `/dev/null` in their
/// place before `main`, where everything that is written seems to arrive. Set once, before `main`.
#[cfg(unix)]
static CLOSED: OnceLock<u8> = OnceLock::new();

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
    let _ = CLOSED.set(bits);
}

/// The three standard streams of a run, and what is known of them.
#[derive(Clone)]
pub struct Streams {
    /// Someone can be asked.
    pub stdin_tty: bool,
    /// A person reads the data.
    pub stdout_tty: bool,
    /// A person reads the words.
    pub stderr_tty: bool,
    shared: Arc<Shared>,
}

/// What all copies of the streams have in common.
struct Shared {
    ends: Ends,
    /// Standard input has been read to its end: a second reader would find it empty.
    taken: AtomicBool,
    /// Data has been written.
    written: AtomicBool,
    /// How many lines of a terminal show work in progress, right above the cursor: other output takes their place.
    live: Mutex<usize>,
    heard: Arc<Heard>,
}

/// Where the streams begin and end.
enum Ends {
    /// At this process's own, of which some may have been closed from the start.
    Process { closed: u8 },
    /// At these.
    Given {
        stdin: Mutex<BufReader<Box<dyn Read + Send>>>,
        stdout: Mutex<Box<dyn Write + Send>>,
        stderr: Mutex<Box<dyn Write + Send>>,
    },
}

fn locked<T>(end: &Mutex<T>) -> MutexGuard<'_, T> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// The process's own.
    pub fn process() -> Self {
        #[cfg(unix)]
        let closed = CLOSED.get().copied().unwrap_or_default();
        #[cfg(not(unix))]
        let closed = 0;
        Streams {
            stdin_tty: io::stdin().is_terminal(),
            stdout_tty: io::stdout().is_terminal(),
            stderr_tty: io::stderr().is_terminal(),
            shared: Shared::new(Ends::Process { closed }),
        }
    }

    /// These, none of them a terminal unless its field is set.
    pub fn of(
        stdin: impl Read + Send + 'static,
        stdout: impl Write + Send + 'static,
        stderr: impl Write + Send + 'static,
    ) -> Self {
        let ends = Ends::Given {
            stdin: Mutex::new(BufReader::new(Box::new(stdin))),
            stdout: Mutex::new(Box::new(stdout)),
            stderr: Mutex::new(Box::new(stderr)),
        };
        Streams { stdin_tty: false, stdout_tty: false, stderr_tty: false, shared: Shared::new(ends) }
    }

    /// Who hears signals.
    pub fn heard(&self) -> &Arc<Heard> {
        &self.shared.heard
    }

    /// Whether the stream of this number was closed before the program began.
    fn was_closed(&self, number: u8) -> bool {
        matches!(self.shared.ends, Ends::Process { closed } if closed >> number & 1 == 1)
    }

    /// Refuses to begin what is to write data, or to hand standard output to another program, where it was closed.
    ///
    /// # Errors
    /// It was closed before the program began.
    pub fn open_out(&self) -> Result<()> {
        match self.was_closed(1) {
            true => Err(Error::other("cannot write the output").because("standard output is closed")),
            false => Ok(()),
        }
    }

    /// Whether data has been written.
    pub fn has_written(&self) -> bool {
        self.shared.written.load(Ordering::Relaxed)
    }

    /// Whether standard input has been read to its end.
    pub fn was_read(&self) -> bool {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// Data. Flushed at once, so that a reader of a pipe sees it.
    ///
    /// # Errors
    /// [`Kind::ClosedPipe`] when the reader has gone; otherwise what the system said.
    pub fn out(&self, data: &[u8]) -> Result<()> {
        if !data.is_empty() {
            self.open_out()?;
        }
        self.shared.written.store(true, Ordering::Relaxed);
        if self.stdout_tty {
            self.live(&[]);
        }
        let written = match &self.shared.ends {
            Ends::Process { .. } => write_out(data),
            Ends::Given { stdout, .. } => {
                let mut stdout = locked(stdout);
                stdout.write_all(data).and_then(|()| stdout.flush())
            }
        };
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::new(Kind::ClosedPipe, "the reader of the output has gone"),
            _ => Error::other("cannot write the output").because(error),
        })
    }

    /// A question to a person, who answers on the same line.
    pub fn ask(&self, question: &str) {
        self.live(&[]);
        self.tell(question);
    }

    /// A line of words for people. A stderr that is closed harms nobody.
    pub fn say(&self, line: &str) {
        self.live(&[]);
        self.tell(&format!("{line}\n"));
    }

    /// The lines that show work in progress, instead of those before them. Each must fit into the terminal and hold no
    /// control characters.
    pub fn live(&self, lines: &[String]) {
        let mut live = locked(&self.shared.live);
        if *live == 0 && lines.is_empty() {
            return;
        }
        let mut text = erased(*live);
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        self.tell(&text);
        *live = lines.len();
    }

    fn tell(&self, text: &str) {
        // Whoever put it together, a secret of this run is not told.
        let is_json = text.starts_with('{') && text.trim_end().ends_with('}');
        let text = if is_json { withheld::without_in_json(text) } else { withheld::without(text) };
        let write = |to: &mut dyn Write| to.write_all(text.as_bytes()).and_then(|()| to.flush());
        // Nobody can be told of it.
        let _ = match &self.shared.ends {
            Ends::Process { .. } => write(&mut io::stderr().lock()),
            Ends::Given { stderr, .. } => write(&mut *locked(stderr)),
        };
    }

    /// Standard input to its end.
    ///
    /// # Errors
    /// It is longer than this, in bytes; it was closed before the program began, and so is not what somebody meant to
    /// give; or it was read before, such as by `--key-file -`.
    pub fn rest(&self, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        if self.was_closed(0) {
            return Err(io::Error::other("standard input is closed"));
        }
        if self.shared.taken.swap(true, Ordering::Relaxed) {
            return Err(io::Error::other("standard input can be read only once, and `-` was given twice"));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        match &self.shared.ends {
            Ends::Process { .. } => io::stdin().lock().take(limit.saturating_add(1)).read_to_end(&mut bytes)?,
            Ends::Given { stdin, .. } => {
                locked(stdin).by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes)?
            }
        };
        match bytes.len() as u64 > limit {
            true => Err(io::Error::other(format!("it is longer than {limit} bytes"))),
            false => Ok(bytes),
        }
    }

    /// A line that a person typed, with its end if it has one; nothing at the end of the input.
    ///
    /// # Errors
    /// What the system said.
    pub fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        match &self.shared.ends {
            Ends::Process { .. } => io::stdin().lock().read_line(&mut line)?,
            Ends::Given { stdin, .. } => locked(stdin).read_line(&mut line)?,
        };
        Ok(line)
    }

    /// Asks for what is typed unseen.
    ///
    /// # Errors
    /// What the system said; the end of the input.
    pub fn secret(&self, question: &str) -> io::Result<String> {
        let typed = match self.shared.ends {
            Ends::Process { .. } => unseen(&self.shared.heard, question)?,
            Ends::Given { .. } => {
                self.ask(question);
                match self.line()? {
                    line if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                    line => line.trim_end_matches(['\r', '\n']).to_owned(),
                }
            }
        };
        withheld::remember(&typed);
        Ok(typed)
    }

    /// The width of the terminal that the data goes to.
    pub fn data_width(&self) -> Option<usize> {
        let size = match self.shared.ends {
            Ends::Process { .. } if self.stdout_tty => terminal_size::terminal_size_of(io::stdout()),
            _ => None,
        };
        size.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
    }

    /// The width and the height of the terminal that the words go to.
    pub fn size(&self) -> (usize, usize) {
        let size = match self.shared.ends {
            Ends::Process { .. } => terminal_size::terminal_size_of(io::stderr()),
            Ends::Given { .. } => None,
        };
        size.map_or((80, 24), |(width, height)| (usize::from(width.0), usize::from(height.0)))
    }
}

/// The terminal of this process, with what it was before something is typed on it unseen.
#[cfg(unix)]
#[derive(Debug)]
pub struct Terminal(std::fs::File, rustix::termios::Termios);
#[cfg(not(unix))]
#[derive(Debug)]
pub enum Terminal {}

#[cfg(unix)]
impl Terminal {
    fn open() -> io::Result<Terminal> {
        let terminal = std::fs::File::options().read(true).write(true).open("/dev/tty")?;
        let before = rustix::termios::tcgetattr(&terminal)?;
        Ok(Terminal(terminal, before))
    }

    fn say(&self, text: &str) -> io::Result<()> {
        (&self.0).write_all(text.as_bytes())
    }
}

impl Terminal {
    /// Makes it what it was, below the question. One that is gone needs nothing any more.
    pub fn restore(self) {
        #[cfg(not(unix))]
        match self {}
        #[cfg(unix)]
        let _ = rustix::termios::tcsetattr(&self.0, rustix::termios::OptionalActions::Now, &self.1)
            .map_err(io::Error::from)
            .and_then(|()| self.say("\n"));
    }
}

/// Asks at the terminal, wherever the streams lead.
#[cfg(unix)]
fn unseen(heard: &Arc<Heard>, question: &str) -> io::Result<String> {
    let terminal = Terminal::open()?;
    terminal.say(question)?;
    // It would end the line itself, also where the one who restores the terminal does.
    let config = rpassword::ConfigBuilder::new().output_discard().build();
    let read = heard.unseen(Terminal::open()?, || rpassword::read_password_with_config(config))?;
    terminal.say("\n")?;
    Ok(read)
}

#[cfg(not(unix))]
fn unseen(_: &Arc<Heard>, question: &str) -> io::Result<String> {
    rpassword::prompt_password(question)
}

impl Shared {
    fn new(ends: Ends) -> Arc<Shared> {
        Arc::new(Shared {
            ends,
            taken: AtomicBool::new(false),
            written: AtomicBool::new(false),
            live: Mutex::new(0),
            heard: Arc::default(),
        })
    }
}

/// Takes the live lines away.
fn erased(live: usize) -> String {
    if live == 0 { String::new() } else { format!("\r\x1b[{live}A\x1b[J") }
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
