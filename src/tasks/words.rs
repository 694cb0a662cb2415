//! Words for resources and what was typed for them, as messages have them.
//!
//! ```
//! # fn main() -> sdc::Result<()> {
//! use sdc::api::cloudapi::policies::POLICY;
//! use sdc::tasks::words;
//!
//! assert_eq!(words::word("fwrule"), "firewall rule");
//! assert_eq!(words::plural(POLICY.word), "policies");
//! // Shortens what was typed, for messages.
//! assert!(words::brief(&"a".repeat(1000)).chars().count() < 100);
//! # Ok(())
//! # }
//! ```

use crate::api::{self, Field, Kind, Method, Noun, Op};
use crate::error::{Error, Result};
use crate::grammar::{shell, tag};
use crate::sensitive::quoted;

/// So many characters of what was typed an error repeats.
const MAX_LEN: usize = 60;

/// What a path's parameter is called.
pub fn word(param: &'static str) -> &'static str {
    // No list has these, so that they are no noun.
    let own = if param == "role_tag" { "role tag" } else { param };
    api::noun(param).map_or(own, |noun| noun.word)
}

/// Several of what is called so.
pub fn plural(word: &str) -> String {
    match word.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        Some(stem) => format!("{stem}ies"),
        None if word.ends_with('s') => format!("{word}es"),
        None => format!("{word}s"),
    }
}

/// How the parts of several resources that are called so are named on one command line.
pub(crate) fn of_several(word: &str) -> String {
    format!("of several {}: a glob, or - for names on stdin", plural(word))
}

/// A word of the table as a line begins with it: `firewall rule`, `vlan`.
pub fn titled(word: &str) -> String {
    match word {
        "vlan" | "nic" | "vlans" | "nics" => word.replace("vlan", "VLAN").replace("nic", "NIC"),
        "accesskey" => "Access key".to_owned(),
        "accesskeys" => "Access keys".to_owned(),
        _ => word.chars().take(1).map(|letter| letter.to_ascii_uppercase()).chain(word.chars().skip(1)).collect(),
    }
}

/// The usage error for a state that nothing of this noun can be in, with those that are known.
pub(crate) fn unknown_state(typed: &str, known: &[&str]) -> Error {
    let near = crate::grammar::nearest(typed, known).map(|near| format!(", did you mean '{near}'?"));
    Error::usage(format!("unknown state '{}'{}", brief(typed), near.unwrap_or_default()))
        .hint(format!("the states are {}", known.join(", ")))
}

/// The error for a word that assigns nothing: a firewall rule without its field is told with it.
pub(super) fn no_field(op: &Op, text: &str) -> Error {
    let error = Error::usage(format!("'{}' is not a field: NAME=VALUE", quoted(text)));
    let rule = op.fields.iter().find(|field| matches!(field.kind, Kind::FirewallRule));
    let begins = text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("from"));
    match rule.filter(|_| begins) {
        Some(field) => error.hint(shell::quoted(&quoted(&format!("{}={text}", field.name)))),
        None => error,
    }
}

/// What is said of a field that an operation does not have: a thing may have it from its making on.
pub(super) fn unknown_field(op: &Op, name: &str) -> Error {
    let service = api::service_of(op);
    let noun = op.path_params().last().and_then(|param| service.noun(param)).filter(|_| op.makes.is_none());
    let made_with = |noun: &&Noun| {
        let mut makers = service.ops().filter(|other| other.makes.is_some_and(|made| made.name == noun.name));
        makers.any(|other| other.fields.iter().any(|field| field.is_called(name)))
    };
    let name = quoted(name);
    Error::usage(match noun.filter(made_with) {
        Some(noun) => format!("{name} cannot be changed here: it is set when the {} is made", noun.word),
        None => format!("there is no field '{name}'"),
    })
}

/// Refuses tags that were typed with a comma between them, which would make one of them.
///
/// # Errors
/// A usage error that has each by itself, and the form for a value with commas.
pub fn no_tags_run_together(op: &Op, given: &[(&Field, String)]) -> Result<()> {
    let tags = |field: &Field| match field.kind {
        Kind::Pairs(prefix) => prefix == "tag.",
        Kind::Object => field.name == "tags",
        Kind::Tags(_) => true,
        _ => false,
    };
    let mut typed = given.iter().filter(|(field, _)| op.method != Method::Get && tags(field));
    let meant = typed.find_map(|(field, text)| Some((field, text, tag::run_together(text)?)));
    let Some((field, text, pairs)) = meant else { return Ok(()) };
    let option = if field.positional { String::new() } else { format!("--{} ", field.long_name()) };
    let word = |pair: &str| format!("{option}{}", shell::quoted(&quoted(pair)));
    let each: Vec<String> = pairs.iter().map(|pair| word(pair)).collect();
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let whole = word(&format!("{name}:={}", serde_json::Value::from(value)));
    Err(Error::usage(format!("a comma does not separate tags, and all of it would be the one tag {}", quoted(name)))
        .hint(format!("{} tags: {}", pairs.len(), each.join(" ")))
        .hint(format!("one, with a comma in its value: {whole}")))
}

/// As much of what was typed as a message has room for.
pub fn brief(typed: &str) -> String {
    match typed.char_indices().nth(MAX_LEN) {
        Some((at, _)) => format!("{}…", typed.get(..at).unwrap_or_default()),
        None => typed.to_owned(),
    }
}
