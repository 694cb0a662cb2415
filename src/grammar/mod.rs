//! The small languages of the API: firewall rules, affinity rules, policy rules, and values with parts.
//!
//! Text that someone typed is checked before anything is sent, and the fault is pointed at. Nothing here asks
//! the service, a file or the environment; what only the service can know (whether a machine is there) is left to it.

mod actions;
pub mod affinity;
pub mod disk;
pub(crate) mod document;
pub mod duration;
pub mod filter;
mod fwparse;
pub mod fwrule;
mod fwtext;
pub mod judge;
pub mod ldap;
pub mod mount;
pub mod net;
pub mod nic;
#[cfg(feature = "cli")]
pub(crate) mod older;
pub mod policy;
pub mod predicate;
pub mod range;
pub mod selector;
pub mod shell;
mod size;
pub mod ssh_options;
pub mod tag;

pub use size::mebibytes;

use crate::error::Error;
pub(crate) use crate::sensitive::is_uuid;
use crate::sensitive::{self, Sort};

/// How many characters of a long text are shown before and after its fault.
const AROUND: usize = 60;

/// A usage error about a place in a text: what is wrong, and a hint that shows the text with a caret below it.
/// The place is counted in bytes; `expected` says what could stand there.
pub(crate) fn fault(what: &str, text: &str, at: usize, message: &str, expected: &str) -> Error {
    #[cfg(any(test, fuzzing))]
    assert!(at <= text.len(), "{what}: {message}: at {at} of {}", text.len());
    // A window of it would be a part of the key. A URL's login is for those to judge who know where it stands.
    if let Some(sort @ (Sort::Key | Sort::Line)) = sensitive::in_text(text) {
        return Error::usage(format!("{what} cannot be read, and is not shown: it holds {sort}"));
    }
    let pointed = pointed(text, at, expected);
    let (line, mark) = pointed.split_once('\n').unwrap_or((&pointed, ""));
    Error::usage(format!("{what}: {message}")).mark(line, mark)
}

/// The text, and below it a caret with words: two lines, for one hint.
///
/// What does not print, and would throw the caret off its place, is shown as one replacement character each; of
/// a long text only what is near the fault is shown.
pub fn pointed(text: &str, at: usize, words: &str) -> String {
    let mut start = at.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let (before, after) = text.split_at(start);
    let skip = before.chars().count().saturating_sub(AROUND);
    let mut line: String = before.chars().skip(skip).map(printed).collect();
    if skip > 0 {
        line.insert(0, '…');
    }
    let column: usize = line.chars().map(columns).sum();
    line.extend(after.chars().take(AROUND).map(printed));
    if after.chars().nth(AROUND).is_some() {
        line.push('…');
    }
    let words = if words.is_empty() { String::new() } else { format!(" {words}") };
    format!("{line}\n{:column$}^{words}", "")
}

/// A character as it can be shown in one place: what steers a terminal or has no width is replaced.
fn printed(letter: char) -> char {
    match letter {
        '\t' | '\n' | '\r' => ' ',
        hidden if hidden.is_control() => '\u{fffd}',
        '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e01ef}' => '\u{fffd}',
        other => other,
    }
}

/// How many columns a terminal gives a character: two for the wide scripts and pictures of the East.
fn columns(letter: char) -> usize {
    match letter {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Of the known words the one that was most likely meant: one letter off in a short word, two in a longer one.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    if length > 60 {
        return None;
    }
    let allowed = match length {
        // With one letter changed, a word of two letters is any other word.
        0..3 => 0,
        3..5 => 1,
        _ => 2,
    };
    let near = known.iter().map(|other| (strsim::osa_distance(&word, &other.to_lowercase()), *other));
    near.filter(|(far, _)| *far <= allowed).min_by_key(|(far, _)| *far).map(|(_, other)| other)
}

/// Whether a hint's caret stands below the text, or right after its end.
#[cfg(any(test, fuzzing))]
pub fn caret_is_within(hint: &str) -> bool {
    let Some((line, mark)) = hint.split_once('\n') else { return false };
    let width = line.chars().map(columns).sum();
    mark.find('^').is_some_and(|column| column <= width && mark[..column].bytes().all(|byte| byte == b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) use super::caret_is_within;

    #[test]
    fn of_a_key_no_part_is_pointed_at() {
        let body = "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8LZtPzR5bGxM4eWkYfU+VoiSgA1hNj/CwBrE".repeat(5);
        for text in [format!("{body}="), format!("role=web,{body}=,"), format!("{body} ALLOW")] {
            let error = fault("the selector", &text, text.len(), &format!("'{text}' is none"), "");
            let said = format!("{error} {:?} {:?}", error.hints(), error);
            assert!(said.contains("holds what may be a line of a key") && !said.contains("9nDqHc3y8LZ"), "{said}");
        }
    }

    #[test]
    fn a_caret_stands_below_the_fault() {
        assert_eq!(pointed("instance=web0", 8, "expected =="), "instance=web0\n        ^ expected ==");
        assert_eq!(pointed("", 0, ""), "\n^");
        assert_eq!(pointed("ab", 9, "more"), "ab\n  ^ more");
    }

    #[test]
    fn a_caret_stays_in_place_below_letters_of_any_width() {
        assert_eq!(pointed("é=!", 3, ""), "é=!\n  ^");
        assert_eq!(pointed("日本!", 6, ""), "日本!\n    ^");
        assert_eq!(pointed("a\tb\n\u{1b}!", 5, ""), "a b \u{fffd}!\n     ^");
        // In the midst of a letter: below that letter.
        assert_eq!(pointed("é", 1, ""), "é\n^");
    }

    #[test]
    fn of_a_long_text_the_neighbourhood_of_the_fault_is_shown() {
        let text = format!("{}!{}", "a".repeat(100), "b".repeat(100));
        let shown = pointed(&text, 100, "here");
        assert_eq!(shown, format!("…{}!{}…\n{}^ here", "a".repeat(60), "b".repeat(59), " ".repeat(61)));
    }

    #[test]
    fn a_misspelt_word_is_near_the_one_that_was_meant() {
        let known = ["FROM", "TO", "ALLOW", "BLOCK", "IP", "SUBNET", "TAG", "VM"];
        for (word, meant) in [
            ("FORM", Some("FROM")),
            ("alow", Some("ALLOW")),
            ("SUBENT", Some("SUBNET")),
            ("TAGS", Some("TAG")),
            ("VMS", Some("VM")),
            ("deny", None),
            ("XY", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
    }

    #[test]
    fn a_uuid_has_its_hyphens_in_their_places() {
        assert!(is_uuid("B6979942-7d5d-4fe6-a2ec-b812e950625a"));
        assert!(!is_uuid("b69799427-d5d-4fe6-a2ec-b812e950625a"));
        assert!(!is_uuid("b6979942"));
    }
}
