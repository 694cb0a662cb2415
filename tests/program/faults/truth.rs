//! How it is found whether a command has told the truth: its words are compared with the emulator's books, and never
//! with what the client says of them.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;
use std::time::{Duration, Instant};

use sdc::emulator::Emulator;
use serde_json::Value;

use crate::faults::text;

/// What must be so when a command has said that it succeeded, and what must not be whatever it has said. The first text
/// of each says where its rows are in the books.
pub enum Truth {
    /// Each of the rows is told, once: by this field.
    Lists(&'static str, &'static str),
    /// Nothing but this is told.
    Shows(&'static str),
    /// There is a row with this text in this field, which is told by the other field; and never two.
    Makes(&'static str, &'static str, &'static str, &'static str),
    /// The row with this id, in this field, is gone.
    Deletes(&'static str, &'static str, &'static str),
    /// The row with this id, in this field, has this text behind this JSON pointer; and there are not two rows.
    Sets(&'static str, &'static str, &'static str, &'static str, &'static str),
    /// Something else is wrong.
    Else(fn(&After<'_>) -> Option<String>),
}

/// What there is to judge by when a command has ended.
pub struct After<'a> {
    pub emulator: &'a Emulator,
    /// It said that it succeeded.
    pub well: bool,
    pub out: &'a str,
    pub err: &'a str,
    /// The books: as they were at once if it succeeded, else when all work was done.
    pub books: &'a Value,
    /// What was typed.
    pub line: &'a str,
    /// Runs another command.
    pub run: &'a dyn Fn(&str) -> Output,
}

/// Asks the emulator itself, past the client.
pub fn ask(emulator: &Emulator, what: &str) -> Value {
    let mut stream = TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
    let head = format!("GET /--emulator/{what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let body = text(&answer).split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    serde_json::from_str(&body.unwrap()).unwrap()
}

/// The books when nothing is under way any more.
pub fn quiet(emulator: &Emulator) -> Value {
    let began = Instant::now();
    loop {
        let books = ask(emulator, "state");
        if books["jobs"].as_array().is_some_and(Vec::is_empty) {
            return books;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "work without end: {}", books["jobs"]);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The ids, or other fields, that were printed: a line each, or the rows of a JSON array.
fn told<'a>(out: &'a str, field: &str) -> Vec<std::borrow::Cow<'a, str>> {
    match serde_json::from_str::<Vec<Value>>(out) {
        Ok(rows) => rows.iter().map(|row| word(row, field).into()).collect(),
        Err(_) => out.lines().map(Into::into).collect(),
    }
}

/// A field as text.
fn word(row: &Value, field: &str) -> String {
    plain(&row[field])
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl After<'_> {
    /// The rows at this place of things that are there.
    pub fn rows(&self, place: &str) -> Vec<&Value> {
        self.ever(place).into_iter().filter(|row| row["state"] != "deleted").collect()
    }

    /// The rows of all that was ever there: the books keep deleted machines.
    pub fn ever(&self, place: &str) -> Vec<&Value> {
        rows(self.books, place)
    }

    /// The rows of things that are there with this text in this field.
    fn with(&self, place: &str, field: &str, text: &str) -> Vec<&Value> {
        self.rows(place).into_iter().filter(|row| word(row, field) == text).collect()
    }
}

/// The rows at a place such as `/images`, or `/snapshots of ID` for what a machine has.
fn rows<'a>(books: &'a Value, place: &str) -> Vec<&'a Value> {
    let all = match place.split_once(" of ") {
        // What a machine has none of is left out of the books, as is what a machine had that is gone.
        Some((part, id)) => {
            let machine = rows(books, "/machines").into_iter().find(|machine| machine["id"] == id);
            machine.and_then(|machine| machine.pointer(part)).and_then(Value::as_array)
        }
        None => {
            Some(books.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("no {place} in the books")))
        }
    };
    all.into_iter().flatten().collect()
}

impl Truth {
    /// Says what is wrong with what has really happened.
    pub fn wrong(&self, after: &After<'_>) -> Option<String> {
        let well = after.well;
        match *self {
            Truth::Lists(place, field) => {
                let told = told(after.out, field);
                let once: BTreeSet<String> = told.iter().map(|id| id.clone().into_owned()).collect();
                let all = after.rows(place).into_iter().filter(|row| row["state"] != "failed");
                let all: BTreeSet<String> = all.map(|row| word(row, field)).collect();
                if once.len() != told.len() {
                    return Some("it tells of one thing twice".to_owned());
                }
                (well && once != all).then(|| format!("it tells of {} of {}", once.len(), all.len()))
            }
            Truth::Shows(id) => (well && after.out.trim() != id).then(|| format!("it does not tell of {id}")),
            Truth::Makes(place, field, new, tells) => {
                let made: Vec<&Value> = after.ever(place).into_iter().filter(|row| word(row, field) == new).collect();
                match made.as_slice() {
                    [] if well => Some("nothing was made".to_owned()),
                    [one] if well && one["state"] == "deleted" => Some("it is gone".to_owned()),
                    [one] if well && !told(after.out, tells).contains(&word(one, tells).into()) => {
                        Some(format!("it does not tell of {}", word(one, tells)))
                    }
                    [] | [_] => None,
                    many => Some(format!("{} were made", many.len())),
                }
            }
            Truth::Deletes(place, field, id) => {
                (well && !after.with(place, field, id).is_empty()).then(|| "it is still there".to_owned())
            }
            Truth::Sets(place, field, id, part, text) => match after.with(place, field, id).as_slice() {
                [one] if well && one.pointer(part).map(plain).as_deref() != Some(text) => {
                    Some(format!("{part} is {:?} and not {text}", one.pointer(part)))
                }
                [] if well => Some("it is not there".to_owned()),
                [] | [_] => None,
                many => Some(format!("there are {} of it", many.len())),
            },
            Truth::Else(wrong) => wrong(after),
        }
    }
}
