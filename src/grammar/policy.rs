//! Rules of a policy: `CAN listmachines and getmachine WHEN sourceip = 10.0.0.0/8`.
//!
//! Only what no service takes is refused: the shape. What is taken and most likely means something else is doubted; the
//! service has the last word, and which conditions there are, only it knows.

use super::actions::ACTIONS;
use super::{fault, nearest};
use crate::error::Result;

const WHAT: &str = "policy rule";
/// What a list of several is made of.
const LISTS: &str = "of several, the last has AND before it, the others commas: CAN a, b and c";

/// A rule, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// What it allows: names, names with `*`, or `/regular expressions/::regex`.
    pub actions: Vec<String>,
    /// The paths of resources, if there are any.
    pub resources: Vec<String>,
    /// What stands after `WHEN`, `IF` or `WHERE`.
    pub conditions: Option<String>,
    /// What the service takes otherwise than it was most likely meant, or refuses.
    pub doubts: Vec<String>,
}

/// The pieces of the text, up to a blank or a comma.
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
            // A regular expression may hold blanks and commas, and so may what is in quotes.
            Some('/') => closing(rest).unwrap_or_else(|| word_end(rest)),
            Some('"') => quoted(rest, '"').unwrap_or_else(|| word_end(rest)),
            _ => word_end(rest),
        };
        (self.at, &rest[..end])
    }

    fn take(&mut self) -> (usize, &'a str) {
        let (at, piece) = self.peek();
        self.at += piece.len();
        (at, piece)
    }

    fn is(&mut self, words: &[&str]) -> bool {
        let (_, piece) = self.peek();
        words.iter().any(|word| word.eq_ignore_ascii_case(piece))
    }

    fn takes(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.take();
        }
        found
    }
}

fn word_end(text: &str) -> usize {
    text.find(|letter: char| letter.is_whitespace() || letter == ',').unwrap_or(text.len())
}

/// The length of a `/regular expression/`, and of the `::regex` behind it, at the beginning of a text, if a blank, a
/// comma or the end follows.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '/' => {
                let rest = text[at + 1..].trim_start_matches(|flag: char| flag.is_ascii_lowercase());
                let rest = ["::regexp", "::regex"]
                    .iter()
                    .find_map(|ending| {
                        let (begin, rest) = rest.split_at_checked(ending.len())?;
                        begin.eq_ignore_ascii_case(ending).then_some(rest)
                    })
                    .unwrap_or(rest);
                let ends =
                    rest.is_empty() || rest.starts_with(|next: char| next.is_whitespace() || ",)".contains(next));
                return (ends && at > 1).then_some(text.len() - rest.len());
            }
            _ => {}
        }
    }
    None
}

const BEGINS: &[&str] = &["WHEN", "IF", "WHERE"];

/// Takes a rule apart.
///
/// # Errors
/// A usage error that points at the fault.
pub fn check(text: &str) -> Result<Rule> {
    let mut pieces = Pieces { text, at: 0 };
    let wrong = |at, message: &str, expected: &str| fault(WHAT, text, at, message, expected);
    let mut rule = Rule::default();
    if !pieces.takes(&["CAN"]) {
        let (at, word) = pieces.take();
        while !pieces.takes(&["CAN"]) {
            if pieces.take().1.is_empty() {
                let error = wrong(at, "it does not begin with CAN", "expected CAN and actions");
                return Err(if word.is_empty() {
                    error.hint("example: CAN listmachines and getmachine")
                } else {
                    error
                });
            }
        }
        rule.doubts.push("who a rule is about is decided by its role; it begins with CAN".to_owned());
    }
    if pieces.takes(&["NOT"]) {
        rule.doubts.push("CAN NOT takes nothing away from what other rules allow".to_owned());
    }
    rule.actions = list(text, &mut pieces, "an action", &mut rule.doubts)?;
    if !pieces.peek().1.is_empty() && !pieces.is(BEGINS) {
        let (at, word) = pieces.peek();
        rule.resources = list(text, &mut pieces, "a resource", &mut rule.doubts)?;
        let all = ["all", "everything", "anything"];
        let is_place = |place: &String| {
            place.contains('*')
                || place.starts_with(['/', '"'])
                || all.iter().any(|all| all.eq_ignore_ascii_case(place))
        };
        if !rule.resources.iter().any(is_place) {
            // A mistyped WHEN, or a comma that is missing.
            let error = wrong(at, &format!("unexpected '{}'", word.escape_debug()), "expected a comma, WHEN or IF");
            return Err(match nearest(word, &["WHEN", "IF", "AND", "WHERE"]) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            });
        }
    }
    let (at, word) = pieces.peek();
    if word.is_empty() {
        return Ok(rule);
    }
    if !pieces.takes(BEGINS) {
        let words = format!("unexpected '{}'", word.escape_debug());
        return Err(wrong(at, &words, "expected a comma, AND, WHEN or IF"));
    }
    let (at, word) = pieces.peek();
    if word.is_empty() {
        return Err(wrong(text.len(), "there is no condition", "expected one, as in sourceip = 10.0.0.0/8"));
    }
    balanced(text, at)?;
    rule.conditions = Some(text[at..].trim_end().to_owned());
    Ok(rule)
}

/// Actions or resources, with commas, AND, or both between them.
fn list(text: &str, pieces: &mut Pieces<'_>, what: &str, doubts: &mut Vec<String>) -> Result<Vec<String>> {
    let mut all = Vec::new();
    // How each is joined to the one before it.
    let mut joints = Vec::new();
    loop {
        let (at, word) = pieces.take();
        let reserved = ["and", "or", "not", "can", "when", "if", "where", ","];
        if word.is_empty() || reserved.iter().any(|other| other.eq_ignore_ascii_case(word)) {
            let words = format!("{what} is missing");
            return Err(fault(WHAT, text, at, &words, "expected the name of one, or *"));
        }
        if word.starts_with('/') && what == "an action" {
            match closing(word) {
                None => {
                    let words = "the regular expression is not closed";
                    return Err(fault(WHAT, text, at, words, "expected another / after this one"));
                }
                Some(_) if !word.to_ascii_lowercase().contains("::regex") => {
                    doubts.push(format!("'{word}' is a text to the service: a regular expression ends in ::regex"));
                }
                Some(_) => {}
            }
        }
        all.push(word.to_owned());
        let comma = pieces.takes(&[","]);
        let and = pieces.takes(&["and"]);
        if !comma && !and {
            break;
        }
        joints.push(and);
    }
    let whole = ["*", "all", "everything", "anything"];
    if all.len() > 1
        && let Some(word) = all.iter().find(|word| whole.iter().any(|known| known.eq_ignore_ascii_case(word)))
    {
        doubts.push(format!("'{word}' stands alone: the service may refuse it among others"));
    }
    // `a and b`, `a, b and c`
    if joints.iter().rev().enumerate().any(|(at, and)| *and != (at == 0)) {
        doubts.push(LISTS.to_owned());
    }
    Ok(all)
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

/// What is most likely not meant by a rule, in sentences: actions that the service never asks for, and what it takes
/// otherwise. Patterns are left aside; a faulty rule has none.
pub fn doubts(text: &str) -> Vec<String> {
    let Ok(rule) = check(text) else { return Vec::new() };
    let known = |action: &str| {
        let all = ["all", "everything", "anything"].iter().any(|word| word.eq_ignore_ascii_case(action));
        all || action.starts_with('/') || action.contains('*') || ACTIONS.binary_search(&action).is_ok()
    };
    let unknown = rule.actions.iter().map(|action| action.trim_matches('"')).filter(|action| !known(action));
    let unknown = unknown.map(|action| {
        let meant = nearest(action, ACTIONS).map(|near| format!(": is {near} meant?")).unwrap_or_default();
        format!("the service knows no action '{action}'{meant}")
    });
    unknown.chain(rule.doubts.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(actions: &[&str], resource: Option<&str>, conditions: Option<&str>) -> Rule {
        Rule {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            resources: resource.into_iter().map(str::to_owned).collect(),
            conditions: conditions.map(str::to_owned),
            doubts: Vec::new(),
        }
    }

    #[test]
    fn a_rule_has_actions_and_perhaps_conditions() {
        for (text, expected) in [
            ("CAN *", rule(&["*"], None, None)),
            ("CAN listmachines *", rule(&["listmachines"], Some("*"), None)),
            (
                "CAN get*, list*, head*, *machine and machineaudit *",
                rule(&["get*", "list*", "head*", "*machine", "machineaudit"], Some("*"), None),
            ),
            ("CAN \"a b\" /acme/* where x = 1", rule(&["\"a b\""], Some("/acme/*"), Some("x = 1"))),
            ("can listmachines, getmachine and get*", rule(&["listmachines", "getmachine", "get*"], None, None)),
            ("CAN listmachines,getmachine, and ping", rule(&["listmachines", "getmachine", "ping"], None, None)),
            ("CAN /^(list|get), x/i::regex IF day = Mon", rule(&["/^(list|get), x/i::regex"], None, Some("day = Mon"))),
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
            ("CAN", "an action is missing", "CAN\n   ^ expected the name of one, or *"),
            ("CAN WHEN x = 1", "an action is missing", "CAN WHEN x = 1\n    ^ expected the name of one, or *"),
            ("CAN a,", "an action is missing", "CAN a,\n      ^ expected the name of one, or *"),
            ("CAN /a", "the regular expression is not closed", "CAN /a\n    ^ expected another / after this one"),
            ("CAN a b", "unexpected 'b'", "CAN a b\n      ^ expected a comma, WHEN or IF"),
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
    fn what_is_taken_otherwise_than_it_was_meant_is_told() {
        for (text, told) in [
            (
                "CAN listmachine, getmachine, get*, /x/::regex and dance",
                &["'listmachine': is listmachines meant?", "no action 'dance'"][..],
            ),
            ("CAN GetMachine", &["'GetMachine': is getmachine meant?"]),
            ("CAN get.machine", &["no action 'get.machine'"]),
            ("CAN getmachine, listmachines", &["the last has AND before it"]),
            ("CAN getmachine and listmachines and getnetwork", &["the last has AND before it"]),
            ("CAN /^list/", &["ends in ::regex"]),
            ("CAN NOT getmachine", &["takes nothing away"]),
            ("* can getmachine *", &["begins with CAN"]),
            ("CAN getmachine", &[]),
            ("CAN getmachine and getnetwork", &[]),
            ("CAN getmachine, getnetwork and listmachines *", &[]),
            ("CAN getmachine, getnetwork, and listmachines", &[]),
            ("CAN everything", &[]),
            ("CAN", &[]),
        ] {
            let doubts = doubts(text);
            assert_eq!(doubts.len(), told.len(), "{text}: {doubts:?}");
            assert!(doubts.iter().zip(told).all(|(doubt, told)| doubt.contains(told)), "{text}: {doubts:?}");
        }
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
            let _ = doubts(&text);
            if let Err(error) = check(&text) {
                prop_assert!(crate::grammar::tests::caret_is_within(error.hints()[0].as_str()));
            }
        }
    }
}
