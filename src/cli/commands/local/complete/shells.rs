//! What each shell asks, and how it wants to be answered. The scripts ask with the words that they have; bash, which
//! leaves the quoting to whoever completes, hands over the line as it stands.
//!
//! zsh, fish and elvish quote what they insert. bash and PowerShell insert what they are given.

use std::ffi::OsString;

use crate::error::{Error, Result};
use crate::grammar::shell::bash::{self, Typed};
use crate::grammar::shell::{fish, powershell};

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
    /// How it was typed, in fish.
    token: String,
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
            (Shell::Fish, _) => (with_last(fish::read(last.to_str()?)), None),
            // Older ones leave out an argument that is empty.
            (Shell::Pwsh, _) => (with_last(powershell::read(last.to_str()?.strip_prefix('=')?)), None),
        };
        let token = if self == Shell::Fish { last.to_str()?.to_owned() } else { String::new() };
        Some(Question { shell: self, words, typed, token })
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
                (Shell::Pwsh, _) => format!("{}\t{value}{help}", powershell::quoted(value)),
                (Shell::Elvish, _) => value.clone(),
                (Shell::Fish, _) if fish::expands(&self.token, value) => continue,
                _ => format!("{value}{help}"),
            };
            out.push_str(&line);
            out.push('\n');
        }
        out
    }
}
