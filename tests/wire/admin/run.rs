//! The program within this process, told of the internal services and of nothing else.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use sdc::cli::{Console, Streams};
use sdc::config::Env;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

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
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What a run has said.
#[derive(Debug)]
pub struct Said {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Said {
    /// What was printed by a run that went well.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, 0, "{}", self.err);
        self.out
    }

    /// What was said by one that ended with this code.
    #[track_caller]
    pub fn failed(self, code: u8) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.err
    }
}

/// Runs `sdc admin` with these words, and with a home of its own.
pub fn admin(home: &std::path::Path, vars: &[(&str, &str)], words: &str) -> Said {
    let (out, err) = (Kept::default(), Kept::default());
    let streams = Streams::of(io::empty(), out.clone(), err.clone());
    let own = [("HOME".to_owned(), OsString::from(home))];
    let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    let console = Console::of(streams, Env::of(own.into_iter().chain(vars)));
    let words = shell_words(words);
    let args: Vec<OsString> = ["sdc".to_owned(), "admin".to_owned()].into_iter().chain(words).map(Into::into).collect();
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(move || sdc::cli::run(&args, &console)).unwrap();
    let code = thread.join().unwrap();
    Said { code, out: out.text(), err: err.text() }
}

/// Words with blanks between them, some within single quotes.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
