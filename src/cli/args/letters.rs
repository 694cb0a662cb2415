//! Letters that mean something else in the older tools (node-triton's `triton`, smartdc's `sdc-*`): what was most
//! likely meant, and what it is called here. A value that fits here is taken; one that does not is refused by
//! `config`, before anything is sent, and this adds the hint.

use crate::config::{Flags, unfit};
use crate::error::{Error, Kind};
use crate::grammar::older::{self, Part};

/// Adds to the error of settings that cannot be taken what may have been meant. `command` is the words of the
/// command.
pub fn explained(command: &str, flags: &Flags, error: Error) -> Error {
    let bad = |value: &Option<String>| value.as_deref().is_some_and(|value| unfit(value).is_some());
    let roles = flags.roles.as_deref().is_some_and(|roles| roles.split(',').any(|role| unfit(role.trim()).is_some()));
    let typed = [('a', bad(&flags.account)), ('u', bad(&flags.user)), ('r', roles), ('p', flags.profile.is_some())];
    // Words that fit every command are for an error that has none of its own.
    let all = error.hints().is_empty();
    let bad = typed.iter().filter(|(_, bad)| *bad);
    let found = bad.into_iter().find_map(|(letter, _)| meant(*letter, command, all && *letter != 'p'));
    found.into_iter().fold(error, |error, here| error.hint(here))
}

/// Adds to a refusal what may have been meant by a login or a role of this command: the service knows none of this
/// name. `command` is the words of the command.
pub fn refused(command: &str, flags: &Flags, error: Error) -> Error {
    let of_roles = error.kind() == Kind::Usage && error.message().contains("cannot take a role on");
    if error.kind() != Kind::Auth && !of_roles {
        return error;
    }
    let typed = [('a', &flags.account), ('u', &flags.user), ('r', &flags.roles)];
    let found = typed.iter().find_map(|(letter, value)| {
        let value = value.as_deref().filter(|_| !of_roles || *letter == 'r')?;
        // The name of a host has dots, which few logins and roles have.
        let host = value.contains(['.', ' ']);
        if *letter == 'r' && !host { None } else { meant(*letter, command, host) }
    });
    found.into_iter().fold(error, |error, here| error.hint(here))
}

/// What may have been meant by a letter that stands alone, or is not all that is missing.
pub fn alone(typed: &[&str], command: &str, option: &str) -> Option<String> {
    let letters = [("-a", 'a', "--account"), ("-p", 'p', "--profile"), ("-r", 'r', "--role"), ("-u", 'u', "--user")];
    let known = letters.iter().find(|(_, _, long)| option.split(' ').next() == Some(long));
    if let Some((short, letter, _)) = known {
        // What jq calls so.
        let raw = *letter == 'r' && typed.iter().any(|word| *word == "--jq" || word.starts_with("--jq="));
        let hint = if raw { Some("texts without quotes: -R, --raw".to_owned()) } else { meant(*letter, command, true) };
        return hint.filter(|_| typed.iter().any(|word| word.starts_with(short)));
    }
    let others = letters.iter().filter(|(short, ..)| typed.iter().any(|word| word.starts_with(short)));
    others
        .filter_map(|(_, letter, _)| meant(*letter, command, false))
        .find(|hint| hint.contains(option.trim_matches(['<', '>'])))
}

/// What a letter means in the older tools' command of this name; `all`: in any command too.
fn meant(letter: char, command: &str, all: bool) -> Option<String> {
    let found = older::part(Part::Letters)
        .filter(|row| row.typed.ends_with(letter))
        .find(|row| row.is_of(command).is_some_and(|alone| alone || all))?;
    Some(format!("if -{letter} was meant as in other tools, {}", found.here))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_meaning_of_a_letter_is_told() {
        assert!(meant('r', "fabrics networks create", true).unwrap().contains("--resolver"));
        assert!(meant('r', "machines list", true).unwrap().contains("--role"));
        assert!(meant('a', "imagesx list", true).unwrap().contains("--account"));
        assert!(meant('p', "machines list", true).unwrap().contains("--profile"));
        assert_eq!(meant('p', "machines list", false), None);
        assert_eq!(meant('r', "machines list", false), None);
    }
}
