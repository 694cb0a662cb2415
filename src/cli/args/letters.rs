//! Letters that mean something else in the older tools (node-triton's `triton`, smartdc's `sdc-*`): what was most
//! likely meant, and what it is called here. A value that fits here is taken; one that does not is refused by
//! `config`, before anything is sent, and this adds the hint.

use crate::config::{Flags, unfit};
use crate::error::{Error, Kind};

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
    letter('r', &["fwrules update"], "the rule has an option: --rule 'FROM any TO all vms ALLOW tcp PORT 22'"),
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
    letter('p', &[""], "a profile, by its name: --profile NAME"),
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
    let bad = typed.iter().filter(|(_, bad)| *bad);
    let found = bad.into_iter().find_map(|(letter, _)| meant(*letter, command, all && *letter != 'p'));
    found.into_iter().fold(error, |error, here| error.hint(here))
}

/// Adds to a refusal what may have been meant by a login or a role of this command: the service knows none of this name.
/// `command` is the words of the command.
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
        let hint = if raw { Some("texts without quotes: --raw".to_owned()) } else { meant(*letter, command, true) };
        return hint.filter(|_| typed.iter().any(|word| word.starts_with(short)));
    }
    let others = letters.iter().filter(|(short, ..)| typed.iter().any(|word| word.starts_with(short)));
    others
        .filter_map(|(_, letter, _)| meant(*letter, command, false))
        .find(|hint| hint.contains(option.trim_matches(['<', '>'])))
}

/// What a letter means in the older tools' command of this name.
fn meant(letter: char, command: &str, all: bool) -> Option<String> {
    let begins =
        |known: &&str| known.is_empty() && all || command == *known || command.starts_with(&format!("{known} "));
    let found = LETTERS.iter().find(|known| known.letter == letter && known.commands.iter().any(begins))?;
    Some(format!("if -{letter} was meant as in the older tools, {}", found.here))
}

/// What `-f FILE` of the older tools is called here, where `-f` is none here. `assigns`: fields of the command are typed
/// as `NAME=VALUE`.
pub fn file(command: &str, assigns: bool) -> Option<String> {
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
        "keys add" => "the file has no option: sdc keys add FILE".to_owned(),
        "users keys add" => "the file has no option: sdc users keys add USER FILE".to_owned(),
        "users create" | "users update" | "roles create" | "roles update" | "policies create" | "policies update" => {
            "users, roles and policies from a file: sdc rbac apply FILE".to_owned()
        }
        "" => return None,
        _ if assigns => "there is no -f FILE here: fields are typed as NAME=VALUE, or NAME:=JSON".to_owned(),
        _ => format!("there is no -f here: sdc {command} --help"),
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
        assert!(meant('p', "machines list", true).unwrap().contains("--profile"));
        assert_eq!(meant('p', "machines list", false), None);
        assert_eq!(meant('r', "machines list", false), None);
    }
}
