//! What each shell asks, and how it wants to be answered. The scripts ask with the words that they have; bash, which
//! leaves the quoting to whoever completes, hands over the line as it stands.
//!
//! zsh, fish and elvish quote what they insert. bash and PowerShell insert what they are given.

use std::ffi::OsString;

use super::bash::{self, Typed};
use crate::error::{Error, Result};

/// Shell, and the name of its script below `completions/`.
pub const SHELLS: &[(&str, &str)] =
    &[("bash", "sdc.bash"), ("zsh", "_sdc"), ("fish", "sdc.fish"), ("powershell", "_sdc.ps1"), ("elvish", "sdc.elv")];

/// A shell that can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// Bourne-again shell, 3.2 or later.
    Bash,
    /// Z shell.
    Zsh,
    /// fish, 3.1 or later.
    Fish,
    /// PowerShell.
    Pwsh,
    /// Elvish.
    Elvish,
}

/// The shell of this name.
pub fn named(name: &str) -> Option<Shell> {
    Some(match name {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        "powershell" => Shell::Pwsh,
        "elvish" => Shell::Elvish,
        _ => return None,
    })
}

/// The script by which a shell asks.
///
/// # Errors
/// A usage error for a shell that is not known.
pub fn script(shell: &str) -> Result<&'static str> {
    Ok(match named(shell).ok_or_else(|| Error::usage(format!("there is no completion for '{shell}'")))? {
        Shell::Bash => include_str!("scripts/sdc.bash"),
        Shell::Zsh => include_str!("scripts/_sdc"),
        Shell::Fish => include_str!("scripts/sdc.fish"),
        Shell::Pwsh => include_str!("scripts/_sdc.ps1"),
        Shell::Elvish => include_str!("scripts/sdc.elv"),
    })
}

/// What a shell wants to know.
pub struct Question {
    shell: Shell,
    /// The words up to the cursor, as the command would get them.
    pub words: Vec<OsString>,
    /// How the last one was typed, in bash.
    typed: Option<Typed>,
}

impl Shell {
    /// The question in these arguments. Nothing where nothing can be completed.
    pub fn question(self, asked: &[OsString]) -> Option<Question> {
        let (last, before) = asked.split_last()?;
        let with_last = |last: String| before.iter().cloned().chain([OsString::from(last)]).collect::<Vec<_>>();
        let (words, typed) = match (self, asked) {
            (Shell::Bash, [line, word, manner]) => {
                let typed = bash::read(line.to_str()?, word.to_str()?, manner.to_str()?)?;
                (typed.words.iter().map(OsString::from).collect(), Some(typed))
            }
            (Shell::Bash, _) => return None,
            (Shell::Zsh | Shell::Elvish, _) => (asked.to_vec(), None),
            (Shell::Fish, _) => (with_last(from_fish(last.to_str()?)), None),
            // Older ones leave out an argument that is empty.
            (Shell::Pwsh, _) => (with_last(from_powershell(last.to_str()?.strip_prefix('=')?)), None),
        };
        Some(Question { shell: self, words, typed })
    }
}

impl Question {
    /// The answer, as the shell's script reads it.
    pub fn text(&self, candidates: &[(String, String)]) -> String {
        let mut out = String::new();
        let only = candidates.len() == 1;
        for (value, help) in candidates {
            let help = if help.is_empty() { String::new() } else { format!("\t{help}") };
            let line = match (self.shell, &self.typed) {
                (Shell::Bash, Some(typed)) => match typed.insert(value, only) {
                    Some(text) => text,
                    None => continue,
                },
                (Shell::Pwsh, _) => format!("{}\t{value}{help}", for_powershell(value)),
                (Shell::Elvish, _) => value.clone(),
                _ => format!("{value}{help}"),
            };
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}

/// A token of fish's, perhaps with a quote that is still open, as the command would get it.
fn from_fish(token: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut letters = token.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if letter == open => quote = None,
            (_, '\\') => match (quote, letters.peek().copied()) {
                (None, Some(next)) => {
                    out.push(next);
                    letters.next();
                }
                (Some(open), Some(next)) if next == open || next == '\\' || (open == '"' && next == '$') => {
                    out.push(next);
                    letters.next();
                }
                (None, None) => {}
                (Some(_), _) => out.push('\\'),
            },
            _ => out.push(letter),
        }
    }
    out
}

/// PowerShell takes all of these for a single quote.
const SINGLE: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

/// A word of PowerShell's, perhaps with a quote that is still open.
fn from_powershell(word: &str) -> String {
    let Some(rest) = word.strip_prefix(SINGLE) else { return word.trim_matches('"').to_owned() };
    let rest = rest.strip_suffix(SINGLE).unwrap_or(rest);
    SINGLE.iter().fold(rest.to_owned(), |text, quote| text.replace(&format!("{quote}{quote}"), &quote.to_string()))
}

/// The text as one word of PowerShell's.
fn for_powershell(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'=' | b'+');
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("'");
    for letter in text.chars() {
        out.push(letter);
        if SINGLE.contains(&letter) {
            out.push(letter);
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_fish_is_read_with_its_quotes_open_or_closed() {
        for (token, read) in [
            ("plain", "plain"),
            (r"key\ with", "key with"),
            ("'key with", "key with"),
            ("'key with'", "key with"),
            (r#""a \" \$ \\ \x"#, r#"a " $ \ \x"#),
            (r"'it\'s \n", r"it's \n"),
            ("--image='de", "--image=de"),
            (r"end\", "end"),
        ] {
            assert_eq!(from_fish(token), read, "{token}");
        }
    }

    #[test]
    fn powershell_gets_one_word_whatever_the_name() {
        for (name, word) in [
            ("web1", "web1"),
            ("--image=x", "--image=x"),
            ("key with space", "'key with space'"),
            ("x$(touch F)", "'x$(touch F)'"),
            ("it's", "'it''s'"),
            ("x\u{2019}; calc; \u{2018}", "'x\u{2019}\u{2019}; calc; \u{2018}\u{2018}'"),
            ("a,b", "'a,b'"),
            ("@x", "'@x'"),
        ] {
            assert_eq!(for_powershell(name), word, "{name}");
            assert_eq!(from_powershell(&for_powershell(name)), name, "{name}");
        }
        assert_eq!(from_powershell("'key w"), "key w");
    }
}
