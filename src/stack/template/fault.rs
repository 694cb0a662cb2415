//! What is wrong in a template, by its place. All faults of a file are gathered, so that one run tells them all.

use std::cell::RefCell;
use std::fmt;

use crate::error::Error;
use crate::grammar::nearest;
use crate::sensitive;

/// So many faults are told of one file; who has more has another problem.
pub const MAX_TOLD: usize = 50;
/// So many are gathered of each sort.
const MAX_GATHERED: usize = 1000;
/// So much of a path is kept, in characters.
const MAX_PATH: usize = 300;
/// Among so many names it is looked for one that is like what was typed.
const MAX_NAMES: usize = 500;

/// A place in a file, both from 1. Where nobody knows it, the line is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// The kinds of faults, as scripts tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file is neither YAML nor JSON.
    Syntax,
    /// The template's version is missing or unknown.
    Version,
    /// A section, key or value that a template cannot have there.
    Schema,
    /// A function that is used in a wrong way, or of another version.
    Function,
    /// A name that nothing has.
    Reference,
    /// Resources that need each other.
    Circle,
    /// A parameter without a value.
    MissingParameter,
    /// A value for a parameter that the template does not have.
    UnknownParameter,
    /// A value that its constraint excludes.
    Constraint,
    /// A property that its type does not have, needs, or cannot hold.
    Property,
    /// Not wrong, and seldom meant.
    Lint,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Syntax => "syntax",
            Kind::Version => "version",
            Kind::Schema => "schema",
            Kind::Function => "function",
            Kind::Reference => "reference",
            Kind::Circle => "circle",
            Kind::MissingParameter => "missing-parameter",
            Kind::UnknownParameter => "unknown-parameter",
            Kind::Constraint => "constraint",
            Kind::Property => "property",
            Kind::Lint => "lint",
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// Where it is in the template: `resources.web.properties.image`. Empty for the file itself.
    pub path: String,
    /// What is wrong.
    pub words: String,
    /// What would be right.
    pub right: Option<String>,
}

impl Fault {
    /// A fault at this place.
    pub fn new(kind: Kind, place: Place, path: &str, words: impl Into<String>) -> Fault {
        let path = shown(path.chars().take(MAX_PATH).collect());
        Fault { kind, place, path, words: shown(words.into()), right: None }
    }

    /// Says what would be right.
    #[must_use]
    pub fn right(mut self, right: impl Into<String>) -> Fault {
        self.right = Some(shown(right.into()));
        self
    }
}

/// The text without anything that would begin another line, or steer a terminal, and without a key: names come from the
/// file.
fn shown(text: String) -> String {
    if sensitive::has_key_in_it(&text) {
        return "(a key, not shown)".to_owned();
    }
    if !text.contains(char::is_control) {
        return text;
    }
    text.chars().map(|one| if one.is_control() { one.escape_default().to_string() } else { one.to_string() }).collect()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.line > 0 {
            write!(f, "{}:{}: ", self.place.line, self.place.column)?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.words)?;
        match &self.right {
            Some(right) => write!(f, " ({right})"),
            None => Ok(()),
        }
    }
}

/// What was found in a file: faults, and lints, which are no faults unless somebody wants them to be.
#[derive(Debug, Default)]
pub struct Faults {
    faults: RefCell<Vec<Fault>>,
    lints: RefCell<Vec<Fault>>,
}

impl Faults {
    /// Adds a fault, unless the same one is there.
    pub fn add(&self, fault: Fault) {
        let list = if fault.kind == Kind::Lint { &self.lints } else { &self.faults };
        let mut list = list.borrow_mut();
        // The same may be found on several ways.
        let is_known = |known: &Fault| known.place == fault.place && known.words == fault.words && fault.place.line > 0;
        if list.len() < MAX_GATHERED && !list.iter().any(|known| is_known(known) || *known == fault) {
            list.push(fault);
        }
    }

    /// Adds a lint.
    pub fn lint(&self, place: Place, path: &str, words: impl Into<String>) {
        self.add(Fault::new(Kind::Lint, place, path, words));
    }

    /// Keeps the value, or adds the fault.
    pub fn take<T>(&self, found: Result<T, Fault>) -> Option<T> {
        found.map_err(|fault| self.add(fault)).ok()
    }

    /// Whether there are faults.
    pub fn is_empty(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// The faults, in the order of the file.
    pub fn faults(&self) -> Vec<Fault> {
        sorted(&self.faults)
    }

    /// The lints, in the order of the file.
    pub fn lints(&self) -> Vec<Fault> {
        sorted(&self.lints)
    }

    /// The faults as an error about this file; none where there are none.
    pub fn error(&self, file: &str) -> Option<Error> {
        error(file, &self.faults())
    }
}

fn sorted(list: &RefCell<Vec<Fault>>) -> Vec<Fault> {
    let mut list = list.borrow().clone();
    list.sort_by_key(|fault| fault.place);
    list
}

/// These faults as an error about a file; none without faults.
pub fn error(file: &str, faults: &[Fault]) -> Option<Error> {
    let line = |fault: &Fault| format!("{file}{}{fault}", if fault.place.line > 0 { ":" } else { ": " });
    match faults {
        [] => None,
        [one] => Some(Error::usage(line(one))),
        several => {
            let mut lines: Vec<String> = several.iter().take(MAX_TOLD).map(line).collect();
            if several.len() > MAX_TOLD {
                lines.push(format!("and {} more", several.len() - MAX_TOLD));
            }
            Some(Error::usage(format!("{} faults\n  {}", several.len(), lines.join("\n  "))).laid_out())
        }
    }
}

/// Says which known name may have been meant.
pub(in crate::stack) fn unknown(fault: Fault, typed: &str, known: &[&str]) -> Fault {
    let near = if known.len() > MAX_NAMES { None } else { nearest(typed, known) };
    match (near, known) {
        (Some(near), _) => fault.right(format!("did you mean {near}?")),
        (None, []) => fault.right("there are none"),
        (None, known) => {
            let shown: Vec<&str> = known.iter().take(12).copied().collect();
            let more = if known.len() > shown.len() { ", ..." } else { "" };
            fault.right(format!("there are {}{more}", shown.join(", ")))
        }
    }
}
