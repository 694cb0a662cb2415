//! Words as shells take them, and lines as they read them: pure text, which starts nothing.

pub mod assign;
pub mod bash;
pub mod fish;
pub mod powershell;

pub use crate::error::quoted;

/// A command on as many lines as it needs, broken as a shell takes it: not within quotes, nor between an option and its
/// value. Each has room for so many characters.
pub fn on_lines(command: &str, width: usize) -> String {
    let mut parts: Vec<String> = Vec::new();
    let (mut quoted, mut option) = (false, false);
    for word in command.split(' ') {
        let is_option = word.starts_with('-');
        match parts.last_mut() {
            Some(last) if quoted || option && !is_option => *last = format!("{last} {word}"),
            _ => parts.push(word.to_owned()),
        }
        option = !quoted && is_option;
        quoted ^= word.matches('\'').count() % 2 == 1;
    }
    let (mut text, mut used) = (String::new(), 0);
    for part in parts {
        let length = part.chars().count();
        let (between, before) = match used {
            0 => ("", 0),
            _ if used + length >= width => (" \\\n      ", 6),
            _ => (" ", used + 1),
        };
        text.push_str(between);
        text.push_str(&part);
        used = before + length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_broken_between_words_but_not_within_quotes() {
        assert_eq!(on_lines("sdc ping", 72), "sdc ping");
        let long = format!("sdc fwrules create '{0} {0}' --log -D {0}", "x".repeat(22));
        let lines = format!("sdc fwrules create '{0} {0}' --log \\\n      -D {0}", "x".repeat(22));
        assert_eq!(on_lines(&long, 72), lines);
        let long = format!("sdc ping {} --start 1 --end {}", "x".repeat(46), "y".repeat(10));
        let lines = format!("sdc ping {} --start 1 \\\n      --end {}", "x".repeat(46), "y".repeat(10));
        assert_eq!(on_lines(&long, 72), lines);
    }
}
