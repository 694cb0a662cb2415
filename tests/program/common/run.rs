//! The program within this process: most tests need no other. One of its own is for signals, terminals, limits, folders,
//! and for what is replaced by another program or starts one that prints.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};

use sdc::cli::{Console, Streams};
use sdc::config::Env;

/// Where a run writes to.
#[derive(Clone, Default)]
pub struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

/// The program's words, the variables that it sees and no others, and what it reads.
#[derive(Clone)]
pub struct Program {
    words: Vec<OsString>,
    vars: BTreeMap<OsString, OsString>,
    input: Vec<u8>,
}

impl Program {
    pub fn new(words: &[&str], vars: impl IntoIterator<Item = (&'static str, OsString)>) -> Program {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Program { words: words.iter().map(OsString::from).collect(), vars, input: Vec::new() }
    }

    pub fn args<W: AsRef<OsStr>>(&mut self, words: impl IntoIterator<Item = W>) -> &mut Program {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    pub fn arg(&mut self, word: impl AsRef<OsStr>) -> &mut Program {
        self.args([word])
    }

    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Program {
        self.vars.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    pub fn envs<N: AsRef<OsStr>, V: AsRef<OsStr>>(&mut self, vars: impl IntoIterator<Item = (N, V)>) -> &mut Program {
        for (name, value) in vars {
            self.env(name, value);
        }
        self
    }

    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Program {
        self.vars.remove(name.as_ref());
        self
    }

    pub fn env_clear(&mut self) -> &mut Program {
        self.vars.clear();
        self
    }

    pub fn vars(&self) -> &BTreeMap<OsString, OsString> {
        &self.vars
    }

    /// What comes on standard input; without this, nothing.
    pub fn input(&mut self, bytes: impl AsRef<[u8]>) -> &mut Program {
        self.input = bytes.as_ref().to_owned();
        self
    }

    /// Runs it within this process. It makes a runtime of its own, and so wants a thread of its own.
    pub fn output(&self) -> io::Result<Output> {
        let (out, err) = (Kept::default(), Kept::default());
        let streams = Streams::of(io::Cursor::new(self.input.clone()), out.clone(), err.clone());
        let vars = self.vars.iter().map(|(name, value)| (name.to_str().unwrap().to_owned(), value.clone()));
        let console = Console::of(streams, Env::of(vars));
        let args: Vec<OsString> = std::iter::once("sdc".into()).chain(self.words.iter().cloned()).collect();
        // As much room as a process has.
        let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(move || sdc::cli::run(&args, &console))?;
        let code = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok(Output { status: status(code), stdout: out.bytes(), stderr: err.bytes() })
    }

    /// The program as a process of its own, with pipes for its output.
    pub fn process(&self) -> Command {
        #[cfg(unix)]
        let mut command = super::signals::heeded(env!("CARGO_BIN_EXE_sdc"));
        #[cfg(not(unix))]
        let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
        command.args(&self.words).env_clear().envs(&self.vars);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Begins it as a process of its own.
    pub fn spawn(&self) -> io::Result<Child> {
        self.process().spawn()
    }
}

#[cfg(unix)]
fn status(code: u8) -> ExitStatus {
    std::os::unix::process::ExitStatusExt::from_raw(i32::from(code) << 8)
}

#[cfg(windows)]
fn status(code: u8) -> ExitStatus {
    std::os::windows::process::ExitStatusExt::from_raw(u32::from(code))
}

/// What can be run and says something.
pub trait Run: Send + 'static {
    fn said(&mut self) -> io::Result<Output>;
}

impl Run for Program {
    fn said(&mut self) -> io::Result<Output> {
        self.output()
    }
}

impl Run for Command {
    fn said(&mut self) -> io::Result<Output> {
        self.output()
    }
}
