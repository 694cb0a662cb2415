//! How values are read as text, and text is matched: for every room here.

use regex_bites::{Regex, RegexBuilder};
use serde_json::Value;

/// A value as text: numbers and booleans as they are written.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// Matches text against a pattern in which `*` stands for anything.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(middle) = last.replace(piece) {
            let Some(at) = rest.find(middle) else { return false };
            rest = rest.get(at + middle.len()..).unwrap_or("");
        }
    }
    match last {
        Some(last) => rest.ends_with(last),
        None => rest.is_empty(),
    }
}

/// Of the known words the one that is written nearly so: with one slip, or two in a longer word.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let slips = match word.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        5..=60 => 2,
        _ => return None,
    };
    let near = known.iter().map(|other| (strsim::osa_distance(word, other), *other));
    near.filter(|(far, _)| *far <= slips).min_by_key(|(far, _)| *far).map(|(_, other)| other)
}

/// How much a regular expression may grow when it is compiled, in bytes.
const MAX_REGEX: usize = 1 << 16;

/// A regular expression, which may be blind to case. The time that it takes is bounded by its length times the text's.
///
/// # Errors
/// Words on what is wrong with it.
pub(crate) fn regex(pattern: &str, blind: bool) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).case_insensitive(blind).size_limit(MAX_REGEX).build();
    built.map_err(|error| format!("/{pattern}/ is not a regular expression: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_anything() {
        for (pattern, words, yes) in [
            ("web*", "web10", true),
            ("*web", "my-web", true),
            ("w*b*0", "web10", true),
            ("*", "", true),
            ("web", "web1", false),
            ("a*a", "a", false),
            ("x*", "web", false),
        ] {
            assert_eq!(glob(pattern, words), yes, "{pattern} {words}");
        }
    }
}
