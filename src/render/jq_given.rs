//! What an expression of `--jq` is given beside its document: values by name, and variables of the environment.

use jaq_json::{Val, read};

use crate::answer::scan;
use crate::error::{Error, Result};
use crate::sensitive;

/// Documents nested deeper are refused.
const MAX_DEPTH: usize = 256;

/// Numbers with more digits are refused.
const DIGITS: usize = 10_000;

/// Variables that jq itself has.
const TAKEN: &[&str] = &["ARGS", "ENV", "__loc__"];

/// Values that an expression finds by name: `$NAME` and `$ARGS.named`, and in `$ENV`.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Names and JSON.
    named: Vec<(String, String)>,
    env: Vec<(String, String)>,
}

impl Given {
    /// Adds a text by name.
    ///
    /// # Errors
    /// A usage error: this cannot be the name of a variable, or is the name of another one.
    pub fn text(&mut self, name: &str, value: &str) -> Result<()> {
        let mut json = String::with_capacity(value.len() + 2);
        scan::quote(value, &mut json);
        self.add("--arg", name, json)
    }

    /// Adds a value by name, written as JSON.
    ///
    /// # Errors
    /// A usage error: the same as for a text, or this is not JSON within bounds.
    pub fn json(&mut self, name: &str, json: &str) -> Result<()> {
        check(json, "the value of --argjson").map_err(|error| Error::usage(error.message().to_owned()))?;
        if serde_json::from_str::<&serde_json::value::RawValue>(json).is_err() {
            let error = Error::usage(format!("the value of --argjson {name} is not JSON: {}", sensitive::quoted(json)));
            return Err(error.hint(format!("as text: --arg {name} VALUE")));
        }
        self.add("--argjson", name, json.to_owned())
    }

    fn add(&mut self, option: &str, name: &str, json: String) -> Result<()> {
        if let Some(bare) = name.strip_prefix('$').filter(|bare| is_name(bare)) {
            return Err(Error::usage(format!("the name of {option} is given without its $: {bare}")));
        }
        if !is_name(name) {
            let shown = sensitive::shown(name);
            let error = Error::usage(format!("{option} takes a name and a value, and '{shown}' is not a name"));
            return Err(
                error.hint(format!("letters, digits and _, such as {option} role VALUE, which is $role in --jq"))
            );
        }
        if TAKEN.contains(&name) {
            return Err(Error::usage(format!("{option} cannot set ${name}, which jq sets itself")));
        }
        if self.named.iter().any(|(known, _)| known == name) {
            return Err(Error::usage(format!("--jq is given ${name} twice")));
        }
        self.named.push((name.to_owned(), json));
        Ok(())
    }

    /// The same with these variables of the environment in `$ENV`.
    #[must_use]
    pub fn with_env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Given {
        self.env = env.into_iter().collect();
        self
    }

    /// The names of the variables, as the expression writes them.
    pub(super) fn names(&self) -> Vec<String> {
        let named = self.named.iter().map(|(name, _)| format!("${name}"));
        ["$ARGS".to_owned(), "$ENV".to_owned()].into_iter().chain(named).collect()
    }

    /// Their values, in the same order.
    ///
    /// # Errors
    /// One that cannot be read.
    pub(super) fn values(&self) -> Result<Vec<Val>> {
        let named = self.named.iter().map(|(_, json)| parsed(json)).collect::<Result<Vec<Val>>>()?;
        let key = |name: &String| Val::utf8_str(name.clone());
        let by_name = self.named.iter().map(|(name, _)| key(name)).zip(named.iter().cloned()).collect();
        let env = self.env.iter().map(|(name, value)| (key(name), key(value))).collect();
        let args = [
            (key(&"positional".to_owned()), Val::Arr(Default::default())),
            (key(&"named".to_owned()), Val::obj(by_name)),
        ];
        let args = Val::obj(args.into_iter().collect());
        Ok([args, Val::obj(env)].into_iter().chain(named).collect())
    }
}

/// Whether `$` before it makes a variable of it.
fn is_name(text: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    text.starts_with(letter) && text.chars().all(|each| letter(each) || each.is_ascii_digit())
}

/// Refuses a document that would be read too deep, or for too long.
///
/// # Errors
/// What is too much, in words about `what`.
pub(super) fn check(json: &str, what: &str) -> Result<()> {
    if scan::depth(json) > MAX_DEPTH {
        return Err(Error::other(format!("{what} is nested deeper than the {MAX_DEPTH} levels that --jq reads")));
    }
    if scan::longest_number(json) > DIGITS {
        return Err(Error::other(format!("a number of {what} has more than the {DIGITS} digits that --jq reads")));
    }
    Ok(())
}

/// A document as a value.
///
/// # Errors
/// It cannot be read.
pub(super) fn parsed(json: &str) -> Result<Val> {
    read::parse_single(json.as_bytes())
        .map_err(|error| Error::other("--jq cannot read the answer").because(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_given_by_a_name_that_an_expression_can_write() {
        let mut given = Given::default();
        given.text("role", "a \"b\"\n").unwrap();
        given.json("n_1", " {\"x\": [1.10]} ").unwrap();
        assert_eq!(given.names(), ["$ARGS", "$ENV", "$role", "$n_1"]);
        for name in ["", "1", "a b", "a-b", "é", "$", "$a", "$a b", "ENV", "ARGS", "__loc__", "role"] {
            assert!(given.text(name, "x").is_err() && given.json(name, "1").is_err(), "{name}");
        }
    }

    #[test]
    fn a_value_of_json_is_json_within_bounds() {
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        let long = "1".repeat(DIGITS + 1);
        for json in ["", "{a:1}", "1 2", "nan", "[1", deep.as_str(), long.as_str()] {
            assert_eq!(Given::default().json("x", json).unwrap_err().kind(), crate::error::Kind::Usage, "{json:.20}");
        }
    }
}
