//! From words to structs: clap's commands out of the table, the options of all commands, and hints. It sends nothing
//! and prints nothing; standard input may name targets.

pub(crate) mod build;
pub(crate) mod given;
pub(crate) mod globals;
pub(crate) mod guard;
pub(crate) mod hints;
pub(crate) mod inner;
pub(crate) mod letters;
pub(crate) mod pages;
pub(crate) mod targets;
pub(crate) mod waiting;
