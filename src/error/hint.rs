//! Hints: words to a person with commands among them. A hint does not know how the program is called: whoever shows it
//! puts the name before each command. What a command is put together from is quoted by [`CommandLine`].

use std::fmt;
use std::ops::Range;

use super::CommandLine;

/// Something that can be tried: words, and commands among them without the program's name, such as
/// `machines start ID --wait`. A program puts its name before each [`Part::Command`]; `Display` and [`Hint::as_str`]
/// put nothing there.
///
/// ```
/// use sdc::error::{Hint, Part};
///
/// let hint = Hint::run("to start it", "machines start web0").then(", or ask its owner");
/// assert_eq!(hint, "to start it: machines start web0, or ask its owner");
/// assert!(hint.parts().contains(&Part::Command("machines start web0")));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Hint {
    text: String,
    /// Where the commands are in it, in order.
    commands: Vec<Range<usize>>,
}

/// A part of a [`Hint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Words, with the spaces and signs around them.
    Words(&'a str),
    /// A command of the program without the program's name.
    Command(&'a str),
}

impl Hint {
    /// A command, after what it is for.
    pub fn run(purpose: impl AsRef<str>, command: impl Into<CommandLine>) -> Self {
        Hint::from(purpose.as_ref()).then(": ").then_run(command)
    }

    /// A command alone.
    pub fn command(command: impl Into<CommandLine>) -> Self {
        Hint::default().then_run(command)
    }

    /// Continues with words.
    #[must_use]
    pub fn then(mut self, words: impl AsRef<str>) -> Self {
        self.push(words.as_ref());
        self
    }

    /// Continues with a command.
    #[must_use]
    pub fn then_run(self, command: impl Into<CommandLine>) -> Self {
        self.then_command(&command.into().to_string())
    }

    fn then_command(mut self, command: &str) -> Self {
        let begin = self.text.len();
        self.push(command);
        self.commands.push(begin..self.text.len());
        self
    }

    /// A text, and in a line below it a mark under its fault.
    pub(super) fn marked(text: &str, mark: &str) -> Self {
        Hint { text: format!("{}\n{mark}", text.replace('\n', " ")), commands: Vec::new() }
    }

    /// Adds text. A name in it may hold line feeds, and must not begin a line that looks like one of the program's own.
    fn push(&mut self, text: &str) {
        match text.contains('\n') {
            true => self.text.push_str(&text.replace('\n', "\\n")),
            false => self.text.push_str(text),
        }
    }

    /// The parts, in order.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = Vec::new();
        let mut at = 0;
        for command in &self.commands {
            parts.push(Part::Words(&self.text[at..command.start]));
            parts.push(Part::Command(&self.text[command.clone()]));
            at = command.end;
        }
        parts.push(Part::Words(&self.text[at..]));
        parts.retain(|part| *part != Part::Words(""));
        parts
    }

    /// The whole text, with commands as they are.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same hint with this word for another one in its commands.
    #[must_use]
    pub(crate) fn filled(&self, placeholder: &str, word: &str) -> Self {
        let fill = |part| if part == placeholder { word } else { part };
        self.parts().into_iter().fold(Hint::default(), |hint, part| match part {
            Part::Words(words) => hint.then(words),
            Part::Command(command) => hint.then_command(&command.split(' ').map(fill).collect::<Vec<_>>().join(" ")),
        })
    }

    /// The same hint with another text in place of one that it contains.
    #[must_use]
    pub(crate) fn replaced(&self, from: &str, to: &str) -> Self {
        self.parts().into_iter().fold(Hint::default(), |hint, part| match part {
            Part::Words(words) => hint.then(words.replace(from, to)),
            Part::Command(command) => hint.then_command(&command.replace(from, to)),
        })
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        Hint::default().then(words)
    }
}

impl From<&String> for Hint {
    fn from(words: &String) -> Self {
        Hint::from(words.as_str())
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        match words.contains('\n') {
            true => Hint::from(words.as_str()),
            false => Hint { text: words, commands: Vec::new() },
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// As its text.
impl fmt::Debug for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq<str> for Hint {
    fn eq(&self, text: &str) -> bool {
        self.text == text
    }
}

impl PartialEq<&str> for Hint {
    fn eq(&self, text: &&str) -> bool {
        self.text == *text
    }
}

impl PartialEq<String> for Hint {
    fn eq(&self, text: &String) -> bool {
        self.text == *text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_commands_are_read_in_the_order_they_were_said() {
        let hint = Hint::run("a package of the same kind", "packages list").then("; ").then_run("machines resize ID P");
        assert_eq!(hint, "a package of the same kind: packages list; machines resize ID P");
        assert_eq!(hint.to_string(), hint.as_str());
        assert_eq!(
            hint.parts(),
            [
                Part::Words("a package of the same kind: "),
                Part::Command("packages list"),
                Part::Words("; "),
                Part::Command("machines resize ID P"),
            ]
        );
        assert_eq!(Hint::command("ping").parts(), [Part::Command("ping")]);
        assert_eq!(Hint::from("--json").parts(), [Part::Words("--json")]);
        assert!(Hint::default().parts().is_empty());
    }

    #[test]
    fn a_line_feed_of_a_name_begins_no_line_wherever_it_stands() {
        let name = "web\nhint: x";
        let hint = Hint::run(name, CommandLine::new("get").on(name)).then(name);
        assert_eq!(hint, r"web\nhint: x: get 'web\nhint: x'web\nhint: x");
        assert_eq!(hint.parts()[1], Part::Command(r"get 'web\nhint: x'"));
        assert_eq!(Hint::from(name.to_owned()), Hint::from(name));
        // The line of a mark is the hint's own.
        assert_eq!(Hint::marked("a=\nb", "  ^ here"), "a= b\n  ^ here");
    }

    #[test]
    fn a_replaced_text_leaves_commands_what_they_are() {
        let hint = Hint::run("of $KEY", "keys add $KEY").replaced("$KEY", "FILE");
        assert_eq!(hint, Hint::run("of FILE", "keys add FILE"));
    }
}
