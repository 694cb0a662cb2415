//! A command as it can be pasted into a shell. It is the one place where words of users, files and services become
//! a part of a command, and the one that quotes them.

use std::fmt;

/// A command of the program, without the program's name. Each word that is put into it stays one word of a POSIX
/// shell, whatever it holds, and is never read as an option: what is written in the sources is all that is read as
/// more.
///
/// ```
/// use sdc::error::CommandLine;
///
/// let stop = CommandLine::new("machines stop").on("my web").with("--wait").option("--timeout", "5m");
/// assert_eq!(stop.to_string(), "machines stop 'my web' --wait --timeout 5m");
/// assert_eq!(CommandLine::new("keys delete").with("--yes").on("-x").to_string(), "keys delete --yes -- -x");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    begin: String,
    operands: Vec<String>,
    options: String,
    /// An operand would be read as an option.
    dashed: bool,
}

impl CommandLine {
    /// The command of these words, which are taken as they are.
    pub fn new(words: &'static str) -> Self {
        CommandLine { begin: words.to_owned(), ..CommandLine::default() }
    }

    /// The command of a row of the API's table, whose words are parted by blanks.
    pub fn of(words: &str) -> Self {
        CommandLine { begin: words.split(' ').map(quoted).collect::<Vec<_>>().join(" "), ..CommandLine::default() }
    }

    /// Adds an operand: a name, an id, `NAME=VALUE`.
    #[must_use]
    pub fn on(mut self, word: impl AsRef<str>) -> Self {
        let word = word.as_ref();
        self.dashed |= word.len() > 1 && word.starts_with('-');
        self.operands.push(quoted(word));
        self
    }

    /// Adds several operands.
    #[must_use]
    pub fn on_all<T: AsRef<str>>(self, words: impl IntoIterator<Item = T>) -> Self {
        words.into_iter().fold(self, CommandLine::on)
    }

    /// Adds options, which are taken as they are.
    #[must_use]
    pub fn with(mut self, options: &'static str) -> Self {
        self.add(options);
        self
    }

    /// Adds an option with its value.
    #[must_use]
    pub fn option(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref();
        let between = if value.starts_with('-') { '=' } else { ' ' };
        self.add(&format!("{}{between}{}", quoted(name), quoted(value)));
        self
    }

    /// Adds a word that may be an option: the option itself, or one of another program's.
    #[must_use]
    pub fn word(mut self, word: impl AsRef<str>) -> Self {
        self.add(&quoted(word.as_ref()));
        self
    }

    /// Adds the operands and options of another.
    #[must_use]
    pub fn and(mut self, other: CommandLine) -> Self {
        self.operands.extend(other.operands);
        self.dashed |= other.dashed;
        for part in [other.begin, other.options] {
            self.add(&part);
        }
        self
    }

    fn add(&mut self, text: &str) {
        if !text.is_empty() && !self.options.is_empty() {
            self.options.push(' ');
        }
        self.options.push_str(text);
    }
}

impl From<&'static str> for CommandLine {
    fn from(words: &'static str) -> Self {
        CommandLine::new(words)
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operands = self.operands.join(" ");
        let parts = match self.dashed {
            false => [self.begin.as_str(), &operands, &self.options, ""],
            true => [self.begin.as_str(), &self.options, "--", &operands],
        };
        let mut parts = parts.into_iter().filter(|part| !part.is_empty());
        f.write_str(parts.next().unwrap_or_default())?;
        parts.try_for_each(|part| write!(f, " {part}"))
    }
}

/// A word that a POSIX shell and fish take as it is.
pub fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@%+=,".contains(letter);
    // zsh takes `=word` for the place of a program, fish `%word` for a process.
    if !text.is_empty() && !text.starts_with(['=', '%']) && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut out = String::from("'");
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            // Within quotes, fish reads a backslash before a quote or another one as an escape: these stand outside.
            '\\' if !matches!(letters.peek(), None | Some('\'' | '\\')) => out.push(letter),
            '\'' | '\\' => {
                out.push_str("'\\");
                out.push(letter);
                out.push('\'');
            }
            letter => out.push(letter),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::{CommandLine, quoted};

    #[test]
    fn a_quoted_word_is_safe_in_a_shell() {
        assert_eq!(quoted("web-0"), "web-0");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("=ls"), "'=ls'");
        assert_eq!(quoted("%self"), "'%self'");
        assert_eq!(quoted(r"a\'b"), r"'a'\\''\''b'");
        assert_eq!(quoted("it's $HOME; `rm`"), r"'it'\''s $HOME; `rm`'");
    }

    #[test]
    fn an_operand_with_a_dash_stands_behind_all_options() {
        let of = |name: &str| CommandLine::new("keys delete").on("a b").on(name).with("--yes").to_string();
        assert_eq!(of("c"), "keys delete 'a b' c --yes");
        assert_eq!(of("--all"), "keys delete --yes -- 'a b' --all");
        assert_eq!(of("-"), "keys delete 'a b' - --yes");
        let options = CommandLine::default().with("--wait").option("--user", "-x");
        assert_eq!(
            CommandLine::of("machines stop").on("w").and(options).to_string(),
            "machines stop w --wait --user=-x"
        );
    }

    #[cfg(unix)]
    mod in_a_shell {
        use proptest::prelude::*;

        use super::CommandLine;

        /// The words of a text as a shell reads them; `None` where there is no such shell.
        fn read(shell: &str, text: &str) -> Option<Vec<String>> {
            let script = match shell {
                "fish" => format!("printf '%s\\0' {text}"),
                _ => format!("set -f; printf '%s\\0' {text}"),
            };
            let said = std::process::Command::new(shell).args(["-c", &script]).output().ok()?;
            assert!(said.status.success() && said.stderr.is_empty(), "{shell}: {text}: {said:?}");
            let said = String::from_utf8(said.stdout).unwrap();
            Some(said.split_terminator('\0').map(str::to_owned).collect())
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
            #[test]
            fn each_word_stays_one_word_and_runs_nothing(
                word in r#"[-a-c '"$`;|&<>(){}\[\]*?~#!=\\\t\né]{0,12}"#, value in "[-a '$`;\n]{0,6}",
            ) {
                let line = CommandLine::new("keys delete").on(&word).option("--user", &value).to_string();
                let mut options = vec!["--user".to_owned(), value.clone()];
                if value.starts_with('-') {
                    options = vec![format!("--user={value}")];
                }
                let expected = match word.len() > 1 && word.starts_with('-') {
                    true => [options, vec!["--".to_owned(), word]].concat(),
                    false => [vec![word], options].concat(),
                };
                for shell in ["sh", "bash", "zsh", "fish"] {
                    let Some(words) = read(shell, &line) else { continue };
                    prop_assert_eq!(&words[2..], &expected[..], "{}: {}", shell, line);
                }
            }
        }
    }
}
