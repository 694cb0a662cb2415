//! What helps whoever mistyped a command, beside what clap says of it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::letters;
use crate::api::{CLOUDAPI, Method, Op, Shape};
use crate::cli::{noun, tree};
use crate::grammar::filter::Typed;
use crate::render::visible;

/// What users of the older tools type first, and what it is called here.
const OLD_WORDS: &[(&str, &str)] = &[
    ("ls", "sdc machines list"),
    ("list", "sdc machines list, sdc images list, ..."),
    ("create", "sdc machines create"),
    ("start", "sdc machines start"),
    ("stop", "sdc machines stop"),
    ("reboot", "sdc machines reboot"),
    ("delete", "sdc machines delete"),
    ("rm", "sdc machines delete"),
    ("get", "sdc machines get"),
    ("cloudapi", "sdc api"),
    ("info", "sdc account get"),
    ("env", "sdc config show"),
    ("vlan", "sdc fabrics vlans"),
    ("migration", "sdc machines migrate"),
    ("ssh", "sdc machines ssh"),
    ("scp", "sdc machines scp"),
    ("ip", "sdc machines ip"),
    ("vnc", "sdc machines vnc"),
    ("limits", "sdc account limits"),
    ("machines create", "image, package and name are options: --image IMG --package PKG --name NAME"),
    ("machines enable-firewall", "sdc machines firewall enable"),
    ("machines disable-firewall", "sdc machines firewall disable"),
    ("machines enable-deletion-protection", "sdc machines deletion-protection enable"),
    ("machines disable-deletion-protection", "sdc machines deletion-protection disable"),
    ("machines fwrules", "sdc machines fwrules list MACHINE"),
    ("machines snapshots", "sdc machines snapshots list MACHINE"),
    ("machines disks", "sdc machines disks list MACHINE"),
    ("machines nics", "sdc machines nics list MACHINE"),
    ("machines wait", "sdc wait machines MACHINE --for state=running"),
    ("images wait", "sdc wait images IMAGE --for active"),
    ("networks create", "sdc fabrics networks create VLAN"),
    ("networks delete", "sdc fabrics networks delete VLAN NETWORK"),
    ("networks get-default", "sdc config get"),
    ("networks set-default", "sdc config set default_network=NETWORK"),
    ("fwrules create", "the rule is one argument, in quotes: sdc fwrules create 'FROM any TO ...'"),
    (
        "fabrics networks",
        "networks hang on a VLAN: sdc fabrics networks VERB VLAN; of all VLANs: sdc networks list --fabric",
    ),
    ("users add", "sdc users create LOGIN --email ADDRESS; from a file: sdc rbac apply FILE"),
    ("roles add", "sdc roles create NAME; from a file: sdc rbac apply FILE"),
    ("policies add", "sdc policies create NAME --rule RULE; from a file: sdc rbac apply FILE"),
    ("rbac user", "sdc users get USER; from a file: sdc rbac apply FILE"),
    ("rbac users", "sdc users list"),
    ("rbac role", "sdc roles get ROLE; from a file: sdc rbac apply FILE"),
    ("rbac roles", "sdc roles list"),
    ("rbac policy", "sdc policies get POLICY; from a file: sdc rbac apply FILE"),
    ("rbac policies", "sdc policies list"),
    ("rbac keys", "sdc users keys list USER"),
    ("rbac key", "sdc users keys get USER KEY; a new one: sdc users keys add USER FILE"),
    ("rbac accesskeys", "sdc users accesskeys list USER"),
    ("rbac accesskey", "sdc users accesskeys get USER ID"),
    ("rbac role-tags", "sdc role-tags get RESOURCE"),
    ("rbac instance-role-tags", "sdc role-tags get machines/MACHINE"),
    ("rbac image-role-tags", "sdc role-tags get images/IMAGE"),
    ("rbac network-role-tags", "sdc role-tags get networks/NETWORK"),
    ("rbac package-role-tags", "sdc role-tags get packages/PACKAGE"),
    ("rbac reset", "sdc users delete '*', sdc roles delete '*' and sdc policies delete '*'"),
    ("profile get", "sdc profile list; what is used of one: sdc config show -p NAME"),
    ("profile show", "sdc profile list; what is used of one: sdc config show -p NAME"),
    ("profile edit", "delete and create it: sdc profile delete NAME, sdc profile create NAME"),
    ("profile set", "sdc profile use NAME"),
    ("profile set-current", "sdc profile use NAME"),
    ("svc", "sdc services list"),
    ("service", "sdc services list"),
    ("dc", "sdc datacenters list"),
    ("account limits", "sdc account limits"),
    ("login", "requests are signed with your SSH key: sdc auth doctor"),
    ("version", "sdc --version"),
];

/// Options of the older tools, of the commands that begin so, and what does the same here. The first that fits is told.
const OLD_OPTIONS: &[(&str, &str, &str)] = &[
    ("-v", "", "a trace of requests and answers: --debug"),
    ("--verbose", "", "a trace of requests and answers: --debug"),
    ("-i", "machines create", "an image: --image IMAGE"),
    ("-i", "run", "an image: --image IMAGE"),
    ("-i", "", "any certificate: --insecure"),
    ("--pkg", "", "--package PACKAGE"),
    ("--wait-timeout", "", "--wait --timeout TIME"),
    ("--user-script", "machines create", "--script FILE"),
    ("-t", "machines list", "sdc machines list tag.NAME=VALUE"),
    ("-t", "machines create", "--tag NAME=VALUE"),
    ("-n", "rbac apply", "what would be done: sdc rbac apply FILE --dry-run"),
    ("--all", "machines tags delete", "sdc machines tags delete-all MACHINE"),
    ("--all", "machines metadata delete", "sdc machines metadata delete-all MACHINE"),
];

/// Spells out in what was typed whatever would steer the terminal or begin a line of its own: names come from services.
pub fn spell_out(error: &mut clap::Error) {
    let shown = |text: &String| visible(text).into_owned();
    let told: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| match value {
            ContextValue::String(text) => Some((kind, ContextValue::String(shown(text)))),
            ContextValue::Strings(texts) => Some((kind, ContextValue::Strings(texts.iter().map(shown).collect()))),
            _ => None,
        })
        .collect();
    for (kind, value) in told {
        error.insert(kind, value);
    }
}

/// What to type instead, if that is known. Tips of clap's own that lead astray are taken away.
pub fn of(args: &[OsString], error: &mut clap::Error, now: i64) -> Option<String> {
    let typed: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default()).collect();
    let wrong = text(error, ContextKind::InvalidArg).first().cloned().unwrap_or_default();
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = old_option(&path(&typed).join(" "), &wrong)
    {
        for kind in [ContextKind::SuggestedArg, ContextKind::Suggested, ContextKind::Usage] {
            error.remove(kind);
        }
        return Some(hint);
    }
    // Of all options that one nearest is suggested, which may still be far away.
    let far = |near: &String| {
        crate::grammar::nearest(wrong.trim_start_matches('-'), &[near.trim_start_matches('-')]).is_none()
    };
    if error.kind() == ErrorKind::UnknownArgument && text(error, ContextKind::SuggestedArg).iter().any(far) {
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
    }
    match error.kind() {
        ErrorKind::UnknownArgument if wrong == "--all" => {
            let hint = all(&typed)?;
            for kind in [ContextKind::SuggestedArg, ContextKind::Suggested, ContextKind::Usage] {
                error.remove(kind);
            }
            Some(hint)
        }
        ErrorKind::UnknownArgument if wrong == "-f" => {
            letters::file(&path(&typed).join(" "), operation(&typed).is_some_and(|(_, op)| op.assigns))
        }
        ErrorKind::UnknownArgument if wrong == "--force" => Some(match operation(&typed) {
            Some((_, op)) if op.asks_many => {
                "it is not forced in any other way; to skip the question: --yes".to_owned()
            }
            _ => "nothing is asked here, so there is nothing to skip".to_owned(),
        }),
        ErrorKind::InvalidValue | ErrorKind::MissingRequiredArgument
            if let Some(hint) = letters::alone(&typed, &path(&typed).join(" "), option(&wrong)) =>
        {
            Some(hint)
        }
        ErrorKind::UnknownArgument if is_waited_state(&typed, &wrong) => Some(format!("--wait={wrong}")),
        ErrorKind::ValueValidation if wrong.starts_with("--max ") => {
            Some("--max must be at least 1, as in --max 100".to_owned())
        }
        ErrorKind::UnknownArgument if let Some(hint) = filtered(&typed, &wrong, now) => Some(hint),
        ErrorKind::UnknownArgument if is_behind_wait(&typed, &wrong) && is_time(&wrong) => {
            Some(format!("--wait --timeout {wrong}"))
        }
        _ => {
            let hint = old_words(&typed, error).or_else(|| as_verb(&typed, error));
            // What is called so here is told; another command that only sounds alike may do harm.
            if hint.is_some() {
                error.remove(ContextKind::SuggestedSubcommand);
                error.remove(ContextKind::Suggested);
            }
            hint
        }
    }
}

/// The texts of something that clap knows of an error.
fn text(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(all)) => all.clone(),
        _ => Vec::new(),
    }
}

/// What a command is called here, or how it is used, where the fault is a word or what is missing: another hint than
/// the fault would only mislead.
fn old_words(typed: &[&str], error: &clap::Error) -> Option<String> {
    let word = |at: usize| typed.get(at).copied().unwrap_or_default();
    let name = noun(word(0)).map_or(word(0), |noun| noun.name);
    let known = |(old, _): &&(&str, &str)| *old == name || *old == format!("{name} {}", word(1));
    let (_, hint) = OLD_WORDS.iter().find(known)?;
    let wrong = text(error, ContextKind::InvalidArg);
    let fits = match error.kind() {
        ErrorKind::UnknownArgument => wrong.iter().all(|arg| !arg.starts_with('-')),
        // `--image <IMAGE>`, `<RULE>`
        ErrorKind::MissingRequiredArgument => wrong.iter().any(|arg| {
            let name = arg.split(' ').next().unwrap_or_default();
            hint.contains(&name.trim_matches(['<', '>', '.']).to_ascii_lowercase())
        }),
        ErrorKind::InvalidSubcommand
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => true,
        _ => false,
    };
    fits.then(|| (*hint).to_owned())
}

/// What an option of the older tools is called here.
fn old_option(command: &str, option: &str) -> Option<String> {
    let option = option.split('=').next().unwrap_or(option);
    let begins = |known: &str| known.is_empty() || command == known || command.starts_with(&format!("{known} "));
    let found = OLD_OPTIONS.iter().find(|(old, known, _)| *old == option && begins(known));
    found.map(|(_, _, hint)| (*hint).to_owned())
}

/// A name where a verb was expected: most likely it is to be shown.
fn as_verb(typed: &[&str], error: &clap::Error) -> Option<String> {
    let [noun, name] = typed else { return None };
    let near = [ContextKind::SuggestedSubcommand, ContextKind::Suggested].iter().any(|kind| error.get(*kind).is_some());
    if error.kind() != ErrorKind::InvalidSubcommand || near || name.is_empty() {
        return None;
    }
    let (path, op) = operation(&[noun, "get"])?;
    let shown = crate::sensitive::sort(name).is_none();
    (shown && op.path_params().count() == 1)
        .then(|| format!("if it is a name: {path} {}", crate::grammar::shell::quoted(&visible(name))))
}

/// How to name all things of a command that was given `--all`.
fn all(typed: &[&str]) -> Option<String> {
    let (path, op) = operation(typed)?;
    let list = op.path_params().last().and_then(|param| crate::api::CLOUDAPI.noun(param)).map(|noun| noun.list.shape);
    match op.method {
        Method::Get if op.shape == Shape::Rows => Some(format!("without filters it is all of them: {path}")),
        _ if op.takes_several() && list == Some(Shape::Rows) => Some(format!("all of them: {path} '*'")),
        _ => None,
    }
}

/// `--image <IMAGE>` without what it takes.
fn option(wrong: &str) -> &str {
    wrong.split(' ').next().unwrap_or_default()
}

/// What does the same as a filter, for a list that takes none.
fn filtered(typed: &[&str], wrong: &str, now: i64) -> Option<String> {
    let filter = Typed::parse(wrong).ok().filter(|filter| !wrong.starts_with('-') && !filter.value.is_empty())?;
    let (_, op) = operation(typed).filter(|(_, op)| crate::tasks::row_filter::is_list(op))?;
    let resource = CLOUDAPI.resources.iter().find(|resource| resource.ops.iter().any(|own| std::ptr::eq(*own, op)))?;
    let columns = if op.columns.is_empty() { resource.columns } else { op.columns };
    crate::tasks::filter_as_jq::instead(columns, &filter, now)?.ok()
}

fn is_time(word: &str) -> bool {
    crate::config::duration("", word).is_ok()
}

fn is_behind_wait(typed: &[&str], word: &str) -> bool {
    typed.windows(2).any(|pair| matches!(pair[0], "--wait" | "-w") && pair[1] == word)
}

/// Whether this word stands behind `--wait`, and is a state that could be waited for.
fn is_waited_state(typed: &[&str], word: &str) -> bool {
    is_behind_wait(typed, word) && operation(typed).is_some_and(|(_, op)| op.waited_states().contains(&word))
}

/// The command that these words begin with, in its own words.
fn path(typed: &[&str]) -> Vec<String> {
    let root = tree();
    let (mut command, mut path) = (&root, Vec::new());
    while let Some(sub) = typed.get(path.len()).and_then(|word| command.find_subcommand(word)) {
        path.push(sub.get_name().to_owned());
        command = sub;
    }
    path
}

/// The operation that these words begin with, and its command.
pub fn operation(typed: &[&str]) -> Option<(String, &'static Op)> {
    let path = path(typed);
    let (noun, verb) = path.split_first()?;
    let resource = CLOUDAPI.resources.iter().find(|resource| resource.name == noun)?;
    let op = resource.ops.iter().copied().find(|op| op.verb == verb.join(" "))?;
    Some((format!("sdc {}", path.join(" ")), op))
}
