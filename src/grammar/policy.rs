//! Rules of a policy: `CAN listmachines, getmachine WHEN sourceip = 10.0.0.0/8`.
//!
//! Only the shape is checked: which conditions there are, only the service knows.

use super::actions::ACTIONS;
use super::{fault, nearest};
use crate::error::Result;

const WHAT: &str = "policy rule";

/// A rule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it allows: names, names with `*`, or `/regular expressions/`.
    pub actions: Vec<String>,
    /// The path of the resource, if there is one.
    pub resource: Option<String>,
    /// What stands after `WHEN` or `IF`.
    pub conditions: Option<String>,
}

/// An action that CloudAPI never asks for, so that the rule does not allow anything by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The action as it was typed.
    pub action: String,
    /// What was most likely meant.
    pub nearest: Option<&'static str>,
}

/// A piece of the text up to a blank or a comma, and where it begins.
struct Pieces<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Pieces<'a> {
    /// The next piece and its place without taking it; empty at the end.
    fn peek(&mut self) -> (usize, &'a str) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at = self.text.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let end = match rest.chars().next() {
            Some(',') => 1,
            // A regular expression may hold blanks and commas.
            Some('/') => closing(rest).unwrap_or_else(|| word_end(rest)),
            _ => word_end(rest),
        };
        (self.at, &rest[..end])
    }

    fn take(&mut self) -> (usize, &'a str) {
        let (at, piece) = self.peek();
        self.at += piece.len();
        (at, piece)
    }

    fn takes(&mut self, words: &[&str]) -> bool {
        let (_, piece) = self.peek();
        let found = words.iter().any(|word| word.eq_ignore_ascii_case(piece));
        if found {
            self.at += piece.len();
        }
        found
    }
}

fn word_end(text: &str) -> usize {
    text.find(|letter: char| letter.is_whitespace() || letter == ',').unwrap_or(text.len())
}

/// The length of a `/regular expression/` at the beginning of a text, if a blank, a comma or the end follows it.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '/' => {
                let rest = &text[at + 1..];
                let ends =
                    rest.is_empty() || rest.starts_with(|next: char| next.is_whitespace() || ",)".contains(next));
                return (ends && at > 1).then_some(at + 1);
            }
            _ => {}
        }
    }
    None
}

/// Takes a rule apart.
///
/// # Errors
/// A usage error that points at the fault.
pub fn check(text: &str) -> Result<Rule> {
    let mut pieces = Pieces { text, at: 0 };
    let wrong = |at, message: &str, expected: &str| fault(WHAT, text, at, message, expected);
    if !pieces.takes(&["CAN"]) {
        let (at, word) = pieces.take();
        let error = wrong(at, "it does not begin with CAN", "expected CAN and actions");
        return Err(if word.is_empty() { error.hint("example: CAN listmachines, getmachine") } else { error });
    }
    let mut actions = Vec::new();
    loop {
        let (at, word) = pieces.take();
        if word.is_empty() || word == "," || ["and", "when", "if"].iter().any(|other| other.eq_ignore_ascii_case(word))
        {
            return Err(wrong(at, "an action is missing", "expected the name of an action, or *"));
        }
        action(text, at, word)?;
        actions.push(word.to_owned());
        // A comma, `and`, or both.
        let comma = pieces.takes(&[","]);
        if !(pieces.takes(&["and"]) || comma) {
            break;
        }
    }
    let resource = match pieces.peek() {
        (_, word) if word.starts_with('/') => Some(pieces.take().1.to_owned()),
        _ => None,
    };
    let (at, word) = pieces.peek();
    if word.is_empty() {
        return Ok(Rule { actions, resource, conditions: None });
    }
    if !pieces.takes(&["WHEN", "IF"]) {
        let error = wrong(at, &format!("'{}' is out of place", word.escape_debug()), "expected a comma, WHEN or IF");
        return Err(match nearest(word, &["WHEN", "IF", "AND"]) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        });
    }
    let (at, word) = pieces.peek();
    if word.is_empty() {
        return Err(wrong(text.len(), "there is no condition", "expected one, as in sourceip = 10.0.0.0/8"));
    }
    balanced(text, at)?;
    Ok(Rule { actions, resource, conditions: Some(text[at..].trim_end().to_owned()) })
}

fn action(text: &str, at: usize, word: &str) -> Result<()> {
    if word.starts_with('/') {
        return match closing(word) {
            Some(_) => Ok(()),
            None => {
                Err(fault(WHAT, text, at, "the regular expression is not closed", "expected another / after this one"))
            }
        };
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_*-:".contains(letter);
    match word.char_indices().find(|(_, letter)| !plain(*letter)) {
        Some((off, letter)) => {
            let message = format!("'{}' can not be in the name of an action", letter.escape_debug());
            Err(fault(WHAT, text, at + off, &message, "expected letters, _ or *"))
        }
        None => Ok(()),
    }
}

/// Whether parentheses and quotes are closed, but for those in quotes and regular expressions.
fn balanced(text: &str, start: usize) -> Result<()> {
    let wrong = |at, message: &str, expected: &str| Err(fault(WHAT, text, at, message, expected));
    let mut open = Vec::new();
    let mut at = start;
    let mut before = ' ';
    while let Some(letter) = text[at..].chars().next() {
        let mut length = letter.len_utf8();
        match letter {
            '(' => open.push(at),
            ')' if open.pop().is_none() => return wrong(at, "this ) closes nothing", "expected ( before it"),
            '"' | '\'' if !before.is_alphanumeric() => match quoted(&text[at..], letter) {
                Some(end) => length = end,
                None => {
                    return wrong(
                        at,
                        "the quotes are not closed",
                        &format!("expected another {letter} after this one"),
                    );
                }
            },
            '/' if !before.is_alphanumeric() => length = closing(&text[at..]).unwrap_or(1),
            '\\' => length += text[at + 1..].chars().next().map_or(0, char::len_utf8),
            _ => {}
        }
        at += length;
        before = letter;
    }
    match open.pop() {
        Some(at) => wrong(at, "this ( is not closed", "expected ) after it"),
        None => Ok(()),
    }
}

/// The length of a quoted text with both its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            letter if letter == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The actions of a rule that CloudAPI never asks for. Patterns are left aside; a faulty rule has none.
pub fn unknown_actions(text: &str) -> Vec<Unknown> {
    let actions = check(text).map(|rule| rule.actions).unwrap_or_default();
    let unknown = actions.into_iter().filter(|action| {
        !action.starts_with('/') && !action.contains('*') && ACTIONS.binary_search(&action.as_str()).is_err()
    });
    unknown.map(|action| Unknown { nearest: nearest(&action, ACTIONS), action }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(actions: &[&str], resource: Option<&str>, conditions: Option<&str>) -> Rule {
        Rule {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            resource: resource.map(str::to_owned),
            conditions: conditions.map(str::to_owned),
        }
    }

    #[test]
    fn a_rule_has_actions_and_perhaps_conditions() {
        for (text, expected) in [
            ("CAN *", rule(&["*"], None, None)),
            ("can listmachines, getmachine and get*", rule(&["listmachines", "getmachine", "get*"], None, None)),
            ("CAN listmachines,getmachine, and ping", rule(&["listmachines", "getmachine", "ping"], None, None)),
            ("CAN /^(list|get), x/ IF day = Mon", rule(&["/^(list|get), x/"], None, Some("day = Mon"))),
            ("CAN getmachine /acme/machines/*", rule(&["getmachine"], Some("/acme/machines/*"), None)),
            (
                "CAN rebootmachine WHEN (tag_role::string = \"a)b\" OR sourceip = 10.0.0.0/8) AND user-agent LIKE /x\\/(/ ",
                rule(
                    &["rebootmachine"],
                    None,
                    Some("(tag_role::string = \"a)b\" OR sourceip = 10.0.0.0/8) AND user-agent LIKE /x\\/(/"),
                ),
            ),
        ] {
            assert_eq!(check(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn each_fault_is_pointed_at() {
        for (text, message, hint) in [
            ("", "it does not begin with CAN", "\n^ expected CAN and actions"),
            ("listmachines", "it does not begin with CAN", "listmachines\n^ expected CAN and actions"),
            ("CAN", "an action is missing", "CAN\n   ^ expected the name of an action, or *"),
            ("CAN WHEN x = 1", "an action is missing", "CAN WHEN x = 1\n    ^ expected the name of an action, or *"),
            ("CAN a,", "an action is missing", "CAN a,\n      ^ expected the name of an action, or *"),
            ("CAN a.b", "'.' can not be in the name of an action", "CAN a.b\n     ^ expected letters, _ or *"),
            ("CAN /a", "the regular expression is not closed", "CAN /a\n    ^ expected another / after this one"),
            ("CAN a b", "'b' is out of place", "CAN a b\n      ^ expected a comma, WHEN or IF"),
            (
                "CAN a WHEN ",
                "there is no condition",
                "CAN a WHEN \n           ^ expected one, as in sourceip = 10.0.0.0/8",
            ),
            ("CAN a WHEN (b = 1", "this ( is not closed", "CAN a WHEN (b = 1\n           ^ expected ) after it"),
            ("CAN a WHEN b = 1)", "this ) closes nothing", "CAN a WHEN b = 1)\n                ^ expected ( before it"),
            (
                "CAN a IF b = \"c",
                "the quotes are not closed",
                "CAN a IF b = \"c\n             ^ expected another \" after this one",
            ),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(
                (error.message(), error.hints()[0].as_str()),
                (format!("policy rule: {message}").as_str(), hint),
                "{text}"
            );
        }
        assert_eq!(check("CAN a WEHN b = 1").unwrap_err().hints()[1], "did you mean WHEN?");
    }

    #[test]
    fn unknown_actions_are_told_with_what_was_meant() {
        let unknown = unknown_actions("CAN listmachine, getmachine, get*, /x/, dance and GetMachine");
        let unknown: Vec<_> = unknown.iter().map(|unknown| (unknown.action.as_str(), unknown.nearest)).collect();
        assert_eq!(
            unknown,
            [("listmachine", Some("listmachines")), ("dance", None), ("GetMachine", Some("getmachine"))]
        );
    }

    #[test]
    fn the_known_actions_are_sorted_and_each_is_there_once() {
        assert!(ACTIONS.is_sorted_by(|one, next| one < next));
        for action in ["createmachine", "enablemachinefirewall", "setroletags", "getprovisioninglimits"] {
            assert!(ACTIONS.binary_search(&action).is_ok(), "{action}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics_and_a_fault_has_a_caret(text in "((CAN|and|WHEN|IF|[a-z*]{1,4}|[()/\"',\\\\]|é) ?){0,12}") {
            let _ = unknown_actions(&text);
            if let Err(error) = check(&text) {
                prop_assert!(crate::grammar::tests::caret_is_within(&error.hints()[0]));
            }
        }
    }
}
