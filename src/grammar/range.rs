//! Names with a range of numbers in braces: `web-{01..10}` is ten names. Double braces stay as they are, for they are
//! the service's own: `{{shortId}}`. No name can have other braces, so what looks like a range and is none is refused.

use super::fault;
use crate::error::Result;

/// No range is longer.
pub const MAX_LEN: usize = 10_000;
/// How one is written.
const FORM: &str = "expected two numbers with two dots between, as in {01..10}";

/// The names that a range stands for; `None` if there is none in the text.
///
/// # Errors
/// A usage error for a range that cannot be read, that is empty or too long, and for a second one.
pub fn names(text: &str) -> Result<Option<Vec<String>>> {
    let wrong = |at, message: &str, expected: &str| Err(fault("the name", text, at, message, expected));
    let open = match brace(text, 0) {
        None => return Ok(None),
        Some(at) if text[at..].starts_with('}') => return wrong(at, "this closes nothing", FORM),
        Some(at) => at,
    };
    let Some(close) =
        text[open + 1..].find(['{', '}']).map(|at| open + 1 + at).filter(|at| text[*at..].starts_with('}'))
    else {
        return wrong(open, "this is not closed", FORM);
    };
    let (head, inner, tail) = (&text[..open], &text[open + 1..close], &text[close + 1..]);
    let (first, last) = inner.split_once("..").unwrap_or_default();
    let number = |digits: &str| -> Option<u64> {
        let plain = !digits.is_empty() && digits.len() <= 18 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let Some((from, to)) = number(first).zip(number(last)) else {
        return wrong(open + 1, "this is not a range", FORM);
    };
    if let Some(second) = brace(text, close + 1) {
        return wrong(second, "a second range, or a brace too many", "one range makes all the names");
    }
    if from > to {
        return wrong(open + 1, "the range ends before it begins", "expected the smaller number first");
    }
    if to - from >= MAX_LEN as u64 {
        return wrong(open + 1, &format!("the range has more than {MAX_LEN} numbers"), "");
    }
    let padded = |digits: &str| digits.len() > 1 && digits.starts_with('0');
    let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
    Ok(Some((from..=to).map(|number| format!("{head}{number:0width$}{tail}")).collect()))
}

/// The names that are meant by what was typed for one of several things, of which one may be `called` so with its braces.
/// Where names may have braces, what is not a range is a name.
///
/// # Errors
/// As [`names`], where no name has braces.
pub fn spread(text: &str, may_have_braces: bool, called: impl FnOnce() -> bool) -> Result<Option<Vec<String>>> {
    match names(text) {
        Ok(None) => Ok(None),
        Err(_) if may_have_braces => Ok(None),
        found if called() => found.map(|_| None).or(Ok(None)),
        found => found,
    }
}

/// The next brace from this byte on that is none of the service's own `{{WORD}}`.
fn brace(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += text.get(at..)?.find(['{', '}'])?;
        let word = text[at..].strip_prefix("{{").and_then(|rest| rest.split_once("}}")).map(|(word, _)| word);
        match word.filter(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            Some(word) => at += word.len() + 4,
            None => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        names(text).unwrap().map_or_else(|| "none".to_owned(), |names| names.join(" "))
    }

    #[test]
    fn a_range_is_as_wide_as_it_is_written() {
        for (text, expected) in [
            ("web-{1..3}", "web-1 web-2 web-3"),
            ("web-{08..10}", "web-08 web-09 web-10"),
            ("{8..010}x", "008x 009x 010x"),
            ("a{0..1}b", "a0b a1b"),
            ("w{5..5}", "w5"),
            ("{{shortId}}-{1..2}", "{{shortId}}-1 {{shortId}}-2"),
            ("{1..2}-{{shortId}}", "1-{{shortId}} 2-{{shortId}}"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn double_braces_are_left_to_the_service() {
        for text in ["web", "web-{{shortId}}", "{{a}}{{b}}"] {
            assert_eq!(told(text), "none", "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_and_pointed_at() {
        for (text, why) in [
            ("w{a..c}", "not a range"),
            ("w{..3}", "not a range"),
            ("w{1..}", "not a range"),
            ("w{-1..3}", "not a range"),
            ("w{1..2..3}", "not a range"),
            ("w{3..1}", "ends before it begins"),
            ("w{1..99999999}", "more than 10000"),
            ("w{1..18446744073709551616}", "not a range"),
            ("w{1..2}{3..4}", "second range"),
            ("w{1..2}}", "a brace too many"),
            ("w-{1..3", "not closed"),
            ("w-1..3}", "closes nothing"),
            ("w-{1,2}", "not a range"),
            ("w-{1.2}", "not a range"),
            ("w-{a}", "not a range"),
            ("w-{}", "not a range"),
            ("{{{1..2}", "not closed"),
            ("{{1..2}}", "not closed"),
            ("}..{", "closes nothing"),
        ] {
            let error = names(text).unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
        }
    }
}
