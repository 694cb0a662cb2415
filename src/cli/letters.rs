//! Letters that mean something else in the older tools (node-triton's `triton`, smartdc's `sdc-*`): what was most
//! likely meant, and what it is called here. A value that fits here is taken; one that does not is refused by
//! `config`, before anything is sent, and this adds the hint.

use crate::config::{Flags, unfit};
use crate::error::Error;

/// A letter of the older tools, of the commands that begin so.
struct Letter {
    letter: char,
    commands: &'static [&'static str],
    here: &'static str,
}

const fn letter(letter: char, commands: &'static [&'static str], here: &'static str) -> Letter {
    Letter { letter, commands, here }
}

/// Those that stand for another option here. The last ones are for every command.
const LETTERS: &[Letter] = &[
    letter('a', &["machines create", "machines migrate", "run", "volumes create"], "a placement rule: --affinity RULE"),
    letter('a', &["images"], "images in every state: sdc images list state=all"),
    letter('a', &["machines tags"], "all tags: sdc machines tags delete-all MACHINE"),
    letter('a', &["machines metadata"], "all metadata: sdc machines metadata delete-all MACHINE"),
    letter('a', &["rbac info"], "the keys of each user too: --all"),
    letter('a', &["role-tags"], "more roles: sdc role-tags add RESOURCE ROLE"),
    letter(
        'r',
        &["fabrics networks"],
        "an address of a name server: --resolver ADDRESS; a route: --route SUBNET=ADDRESS",
    ),
    letter(
        'r',
        &["fwrules"],
        "a firewall rule has no option: sdc fwrules create 'FROM any TO all vms ALLOW tcp PORT 22'",
    ),
    letter('p', &["machines create", "run"], "a package: --package PACKAGE"),
    letter('p', &["machines resize"], "a package has no option: sdc machines resize MACHINE PACKAGE"),
    letter('p', &["machines nics"], "the primary network interface: --primary"),
    letter('p', &["machines vnc"], "a port: --port PORT"),
    letter('p', &["packages"], "exact numbers: --json"),
    letter('p', &["images"], "public images: sdc images list public=true"),
    letter('u', &[""], "the address of the service: --url URL"),
    letter('r', &[""], "a role, by its name: --role ROLE"),
    letter('a', &[""], "an account, by its login: --account LOGIN"),
];

/// Adds to the error of settings that cannot be taken what may have been meant. `command` is the words of the
/// command.
pub fn explained(command: &str, flags: &Flags, error: Error) -> Error {
    let bad = |value: &Option<String>| value.as_deref().is_some_and(|value| unfit(value).is_some());
    let roles = flags.roles.as_deref().is_some_and(|roles| roles.split(',').any(|role| unfit(role.trim()).is_some()));
    let typed = [('a', bad(&flags.account)), ('u', bad(&flags.user)), ('r', roles), ('p', flags.profile.is_some())];
    // Words that fit every command are for an error that has none of its own.
    let all = error.hints().is_empty();
    let found = typed.iter().filter(|(_, bad)| *bad).find_map(|(letter, _)| meant(*letter, command, all));
    found.into_iter().fold(error, |error, here| error.hint(here))
}

/// What a letter means in the older tools' command of this name.
fn meant(letter: char, command: &str, all: bool) -> Option<String> {
    let begins =
        |known: &&str| known.is_empty() && all || command == *known || command.starts_with(&format!("{known} "));
    let found = LETTERS.iter().find(|known| known.letter == letter && known.commands.iter().any(begins))?;
    Some(format!("if -{letter} was meant as in the older tools, {}", found.here))
}

/// What `-f FILE` of the older tools is called here, where `-f` is none here.
pub fn file(command: &str) -> Option<String> {
    let hint = match command {
        "account update"
        | "accesskeys update"
        | "users accesskeys update"
        | "fwrules update"
        | "fabrics vlans update"
        | "networks ips update" => "there is no -f FILE here: fields are typed as NAME=VALUE, or NAME:=JSON".to_owned(),
        "machines tags set" | "machines tags replace" | "machines metadata set" => {
            format!("a file of JSON: sdc {command} MACHINE \"$(cat FILE)\"")
        }
        "profile create" => {
            "there is no -f FILE here: the settings are options, --url, --account and --key-id".to_owned()
        }
        "machines create" => "the firewall: --firewall".to_owned(),
        _ => return None,
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_meaning_of_a_letter_is_told() {
        assert!(meant('r', "fabrics networks create", true).unwrap().contains("--resolver"));
        assert!(meant('r', "machines list", true).unwrap().contains("--role"));
        assert!(meant('a', "imagesx list", true).unwrap().contains("--account"));
        assert_eq!(meant('p', "machines list", true), None);
        assert_eq!(meant('r', "machines list", false), None);
    }
}
