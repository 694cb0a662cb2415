//! The operations on one noun, and what else a command line calls them. Data only.

use super::{Column, Op};

/// A group of operations on one noun.
#[derive(Debug)]
pub struct Resource {
    /// The command, plural as in the paths.
    pub name: &'static str,
    /// Other words for it, among them the older tools'.
    pub aliases: &'static [&'static str],
    /// One line of help.
    pub about: &'static str,
    /// Every field of the object, in the order of the table.
    pub columns: &'static [Column],
    /// Its operations, in the order of the help.
    pub ops: &'static [&'static Op],
}

/// The words that mean the same verb.
pub const VERB_ALIASES: &[(&str, &[&str])] = &[
    ("list", &["ls"]),
    ("get", &["show"]),
    ("create", &["new"]),
    ("add", &["create", "new"]),
    ("delete", &["rm", "remove"]),
    ("remove", &["rm", "delete"]),
    ("enable", &["on"]),
    ("disable", &["off"]),
    ("replace", &["replace-all"]),
    ("import", &["copy", "cp"]),
    ("machines", &["instances", "insts"]),
    ("boot", &["rollback"]),
];
