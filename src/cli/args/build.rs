//! From the table to clap: one command an operation, its arguments from path and fields.
//! It knows nothing of what a command does.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};

use super::{given, targets, waiting};
use crate::api::admin::PREFIX;
use crate::api::{self, Field, Kind, Method, Noun, Op, Resource, Shape, Test, VERB_ALIASES};
use crate::tasks::picks::is_nameable;
use crate::tasks::words::{plural, titled};

/// What clap is told of a command that is not only an operation's.
#[derive(Clone, Copy)]
pub enum Syntax {
    /// A command of its own.
    Own(fn() -> Command),
    /// The operation's.
    Table,
    /// The operation's, with more options.
    Extended(fn(Command) -> Command),
}

/// The heading of the options that say what is made, in a page of help.
pub const CREATION: &str = "Creation";

/// Which commands are such, by their words.
pub type Syntaxes = fn(&str) -> Option<Syntax>;

/// The command of a noun without its verbs.
pub fn name(resource: &'static Resource) -> Command {
    Command::new(resource.name).about(resource.about).visible_aliases(resource.aliases.iter().copied())
}

/// The command of a noun with all its verbs.
pub fn resource(resource: &'static Resource, syntaxes: Syntaxes) -> Command {
    let mut command = name(resource);
    if let [op] = resource.ops
        && op.verb.is_empty()
    {
        return arguments(command, op);
    }
    command = command.subcommand_required(true).arg_required_else_help(true);
    let words = api::path(resource);
    for &op in resource.ops {
        command = match op.verb.split_once(' ') {
            None => command.subcommand(verb(op, &words, op.verb, syntaxes)),
            Some((group, last)) => {
                command = with_group(command, &words, group);
                let path = format!("{words} {group}");
                command.mut_subcommand(group, |sub| sub.subcommand(verb(op, &path, last, syntaxes)))
            }
        };
    }
    command
}

/// Groups of verbs below a noun: other words for them, and one line of help.
const GROUPS: &[(&str, &[&str], &str)] = &[
    ("tags", &["tag"], "Tags of a machine"),
    ("metadata", &["md"], "Metadata of a machine"),
    ("internal-metadata", &[], "Metadata that a VM does not see"),
    ("role-tags", &[], "Role tags of a VM"),
    ("snapshots", &["snapshot"], "Snapshots of a machine"),
    ("nics", &["nic"], "Network interfaces of a machine"),
    ("disks", &["disk"], "Disks of a bhyve machine"),
    ("fwrules", &["fwrule"], "Firewall rules that are about a machine"),
    ("firewall", &[], "Enable or disable a machine's firewall"),
    ("deletion-protection", &[], "Enable or disable a machine's deletion protection"),
    ("migrate", &["migration", "migrations"], "Move a machine to another server"),
    ("ips", &["ip"], "Addresses of a network"),
    ("foreign", &[], "Data centers of other clouds"),
    ("vlans", &["vlan"], "VLANs of the account"),
    ("networks", &["network"], "Networks on a VLAN of the account"),
    ("keys", &["key"], "SSH keys of a sub-user"),
    ("accesskeys", &["accesskey"], "Access keys of a sub-user"),
];

fn group_named(name: &str, word: &str) -> bool {
    name == word || GROUPS.iter().any(|(known, aliases, _)| *known == name && aliases.contains(&word))
}

/// The group of this noun that has this name, or another word for it.
pub fn group_of(resource: &Resource, word: &str) -> Option<&'static str> {
    let (name, ..) = GROUPS.iter().find(|(name, ..)| group_named(name, word))?;
    let below = |op: &&Op| op.verb.split_once(' ').is_some_and(|(group, _)| group == *name);
    resource.ops.iter().copied().any(|op| below(&op)).then_some(*name)
}

/// The command of the noun with these words, with this group below it.
pub fn with_group(command: Command, words: &str, name: &'static str) -> Command {
    if command.find_subcommand(name).is_some() {
        return command;
    }
    let mut group = Command::new(name).subcommand_required(true).arg_required_else_help(true);
    if let Some((_, aliases, about)) = GROUPS.iter().find(|(known, ..)| *known == name) {
        // The internal services know VMs, and those of all accounts.
        let about = match words.strip_prefix(PREFIX) {
            Some(_) => about.replace("machine", "VM").replace("the account", "an account"),
            None => (*about).to_owned(),
        };
        group = group.about(about).visible_aliases(aliases.iter().copied());
    }
    command.subcommand(group)
}

/// The noun with nothing but the verb that was typed, which takes the options of every command too.
/// `None` unless the words say at once which it is.
pub fn only(
    resource: &'static Resource,
    words: &[&str],
    syntaxes: Syntaxes,
    options: impl Fn(Command) -> Command,
) -> Option<Command> {
    let above = api::path(resource);
    if words.first().is_some_and(|word| matches!(syntaxes(&format!("{above} {word}")), Some(Syntax::Own(_)))) {
        return None;
    }
    let named =
        |path: &str, name: &str, word: &str| name == word || aliases(path, name, syntaxes).any(|alias| alias == word);
    let noun = Command::new(resource.name).aliases(resource.aliases.iter().copied());
    for &op in resource.ops {
        match (op.verb.split_once(' '), words) {
            (None, [word, ..]) if named(&above, op.verb, word) => {
                return Some(noun.subcommand(options(verb(op, &above, op.verb, syntaxes))));
            }
            (Some((group, last)), [first, second, ..])
                if group_named(group, first) && named(&format!("{above} {group}"), last, second) =>
            {
                let path = format!("{above} {group}");
                let aliases =
                    GROUPS.iter().find(|(known, ..)| *known == group).map_or(&[][..], |(_, aliases, _)| aliases);
                let group = Command::new(group).aliases(aliases.iter().copied());
                return Some(noun.subcommand(group.subcommand(options(verb(op, &path, last, syntaxes)))));
            }
            _ => {}
        }
    }
    None
}

/// The other words for a verb below this noun or group; not those that are commands of their own there.
fn aliases(path: &str, word: &str, syntaxes: Syntaxes) -> impl Iterator<Item = &'static str> {
    let (_, aliases) = VERB_ALIASES.iter().find(|(name, _)| *name == word).copied().unwrap_or_default();
    aliases.iter().copied().filter(move |alias| syntaxes(&format!("{path} {alias}")).is_none())
}

fn verb(op: &'static Op, path: &str, word: &'static str, syntaxes: Syntaxes) -> Command {
    let command = Command::new(word).about(op.about).visible_aliases(aliases(path, word, syntaxes));
    let command = arguments(command, op);
    match syntaxes(&format!("{path} {word}")) {
        Some(Syntax::Extended(extend)) => extend(command),
        _ => command,
    }
}

/// Whether the fields of an operation can be typed without dashes too.
fn takes_words(op: &Op) -> bool {
    let flat = op.fields.iter().any(|field| matches!(field.kind, Kind::FlatPairs(_) | Kind::Tags(_)));
    op.is_list() || op.assigns && !flat
}

/// The options of an operation's fields.
pub fn fields(command: Command, op: &'static Op) -> Command {
    let heading = match op.shape {
        _ if op.makes.is_some() => Some(CREATION),
        Shape::Rows => Some(targets::SELECTION),
        _ => None,
    };
    let in_a_row = given::is_shared(op);
    let typed = op.fields.iter().filter(|field| !matches!(field.kind, Kind::CopyOf(_)));
    let typed = typed.filter(|field| !(in_a_row && field.positional));
    let command = typed.fold(command, |all, field| {
        // A file may have what a new thing needs.
        let arg = if op.assigns && op.makes.is_some() { option(field).required(false) } else { option(field) };
        let all = if field.or_word { all.arg(word(field)) } else { all };
        all.arg(if field.positional { arg } else { arg.help_heading(heading) })
    });
    match op.one_of {
        [] => command,
        // A file may have it.
        some if op.assigns => command.group(ArgGroup::new("one-of").args(some.iter().copied()).multiple(true)),
        some => command.group(ArgGroup::new("one-of").args(some.iter().copied()).multiple(true).required(true)),
    }
}

/// This field as a word, beside its option: both are too many. What is missing is said where it is sent.
fn word(field: &'static Field) -> Arg {
    Arg::new(format!("{}{}", given::WORD, field.name))
        .value_name(field.long_name().to_uppercase())
        .value_parser(clap::builder::NonEmptyStringValueParser::new())
        .conflicts_with(field.name)
        .help(field.about)
}

/// The options and arguments of an operation's command.
pub fn operation(op: &'static Op) -> Command {
    arguments(Command::new(op.verb), op)
}

fn arguments(mut command: Command, op: &'static Op) -> Command {
    let mut params = op.path_params().peekable();
    while let Some(param) = params.next() {
        let last = params.peek().is_none();
        let (word, how) = api::noun(param).map_or((param, "id"), |noun| (noun.word, noun.called));
        let shown = word.to_uppercase().replace(' ', "-");
        let mut arg = Arg::new(param).value_name(shown).help(format!("{}: {how}", titled(word))).required(true);
        if op.takes_globs() && !op.takes_several() {
            arg = arg.help(format!("{}: {how}, or a glob: 'web-*'", titled(word)));
        }
        if given::owner(op).is_some() && arg.get_id() == op.path_params().next().unwrap_or_default() {
            arg = arg.required(false).required_unless_present("selector");
        }
        let Some(target) = api::noun(param).filter(|_| last && op.takes_several()) else {
            command = command.arg(arg);
            continue;
        };
        let globs = if target.list.shape == Shape::Rows { "; globs ('web-*')" } else { "" };
        let mut several = format!("{}: {how}{globs}, or - for stdin", titled(&plural(word)));
        let in_a_row: Vec<&Field> = op.fields.iter().filter(|field| field.positional && op.takes_several()).collect();
        for field in &in_a_row {
            several.push_str(&format!("; then {}: {}", given::shown(field), field.about));
        }
        if !in_a_row.is_empty() {
            let words = in_a_row.iter().map(|field| format!(" {}", given::shown(field))).collect::<String>();
            arg = arg.value_name(format!("{}...{words}", word.to_uppercase().replace(' ', "-")));
        }
        arg = arg.action(ArgAction::Append).num_args(1..).help(several);
        let mut picking = targets::picking(target);
        picking.extend(given::owner(op).map(|_| "selector".to_owned()));
        if !picking.is_empty() {
            arg = arg.required(false).required_unless_present_any(picking);
        }
        command = targets::options(command.arg(arg), op, target);
    }
    command = fields(command, op);
    if takes_words(op) {
        let listed = api::listed_by(op).filter(|noun| is_nameable(noun));
        let (name, help) = match (op.is_list(), listed) {
            (false, _) => ("NAME=VALUE", "Fields as NAME=VALUE".to_owned()),
            (true, None) => ("FILTER", FILTERS.to_owned()),
            (true, Some(noun)) => {
                let all = titled(&plural(noun.word));
                ("TARGET|FILTER", format!("{all} by {}, globs ('web-*'), - for stdin; {FILTERS}", noun.called))
            }
        };
        command = command.arg(Arg::new("FILTER").value_name(name).help(help).action(ArgAction::Append));
        if let Some(noun) = listed {
            let has =
                |option: &Arg| op.fields.iter().any(|field| Some(field.long_name().as_ref()) == option.get_long());
            command = command.args(targets::picks(noun).into_iter().filter(|option| !has(option)));
            if noun.usual.is_some() && op.is_list() {
                command = command.arg(all(noun));
            }
            command = command.args(targets::keep_of_list(op, noun));
        }
    }
    if given::sets_pairs(op) {
        let help = "File of what to set, - for stdin: an object (JSON, YAML) with its types, or lines NAME=TEXT; may be repeated";
        command = command.arg(from_file(help).action(ArgAction::Append));
    } else if op.assigns {
        command = command.arg(from_file("File of fields, - for stdin: a JSON or YAML object"));
    }
    if op.is_list() {
        command = command.args(targets::owner_selector(op));
    }
    if let Some(noun) = given::owner(op) {
        command = command.override_usage(usage(op, noun));
    }
    command = match op.shape {
        Shape::Rows | Shape::Map => {
            let [header, long, sort] = list_options();
            // The letter is the selector's where there is one.
            let taken = command.get_arguments().any(|arg| arg.get_short() == Some('l'));
            let long = if taken { long.short(None) } else { long };
            let command = command.args([header, long, sort]);
            if op.is_list() { command.arg(count()) } else { command }
        }
        Shape::Record => command.args(list_options().into_iter().take(1)),
        // There is a table of what was accepted only where somebody asks for one.
        Shape::Nothing => command.args(list_options().into_iter().take(1).map(|header| header.hide(true))),
    };
    if op.goal.is_some() {
        command = command.args(waiting::options(op));
    }
    if asks(op) {
        let yes = Arg::new("yes").long("yes").short('y').help("Skip the confirmation prompt");
        // No machine is stopped or rebooted by force: whoever asks for that is not answered with a yes.
        let taken = op.fields.iter().any(|field| field.long_name() == "force");
        let yes = if op.asks_many || taken { yes } else { yes.alias("force") };
        let yes = yes.action(ArgAction::SetTrue);
        // What the older tools call it when they delete; elsewhere it is a file there.
        command = command.arg(if op.method == Method::Delete { yes.short_alias('f') } else { yes });
    }
    with_yes(command)
}

/// How parts are typed: after the name of what they are parts of, or with a selector in its place.
fn usage(op: &Op, owner: &Noun) -> String {
    let own = match op.path_params().nth(1) {
        Some(param) => format!(" {}...", crate::tasks::words::word(param).to_uppercase()),
        None => String::new(),
    };
    let fields: String =
        op.fields.iter().filter(|field| field.positional).map(|field| format!(" {}", given::shown(field))).collect();
    let words = format!("sdc {} [OPTIONS]", given::words_of(op));
    format!("{words} {}{own}{fields}\n       {words} -l TAG=VALUE,...{own}{fields}", owner.word.to_uppercase())
}

/// The command takes `--yes` even where it asks nothing: a script need not know which commands ask.
pub fn with_yes(mut command: Command) -> Command {
    if command.has_subcommands() {
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        return names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_yes));
    }
    let taken = |arg: &Arg| (arg.get_long() == Some("yes"), arg.get_short() == Some('y'));
    let (long, short) =
        command.get_arguments().map(taken).fold((false, false), |all, one| (all.0 | one.0, all.1 | one.1));
    if !long {
        let yes = Arg::new("yes").long("yes").action(ArgAction::SetTrue).hide(true);
        command = command.arg(if short { yes } else { yes.short('y') });
    }
    command
}

/// Whether a question may come before it is done.
pub fn asks(op: &Op) -> bool {
    op.asks || op.asks_many || op.locks_out || !op.replaces.is_empty() || op.fields.iter().any(|field| field.asks)
}

/// The option for a file of what is set.
pub fn from_file(help: &'static str) -> Arg {
    let text = clap::builder::NonEmptyStringValueParser::new();
    Arg::new(given::FROM).long("from").short('f').value_name("FILE").value_parser(text).help(help)
}

/// The option for a list with what is gone.
fn all(noun: &Noun) -> Arg {
    let help = format!("List {} of all states, also those that are gone", plural(noun.word));
    Arg::new("all").long("all").action(ArgAction::SetTrue).help(help).help_heading(targets::SELECTION)
}

/// What filters are, in a line of help.
const FILTERS: &str = "filters of any column: state=running, 'memory>=2G', 'name=~^web', image!=base-64";

/// The option for the number of rows alone.
fn count() -> Arg {
    Arg::new("count").long("count").action(ArgAction::SetTrue).help("Print how many there are").help_heading("Output")
}

/// The options of everything that is shown as rows; the first one suits a single object too.
pub fn list_options() -> [Arg; 3] {
    [
        Arg::new("no-header")
            .long("no-header")
            .short('H')
            .help("Omit the header")
            .action(ArgAction::SetTrue)
            .help_heading("Output"),
        Arg::new("long")
            .long("long")
            .short('l')
            .help("More columns, the same as -o wide")
            .action(ArgAction::SetTrue)
            .help_heading("Output"),
        Arg::new("sort")
            .long("sort")
            .short('s')
            .value_name("COLUMN,...")
            .allow_hyphen_values(true)
            .help("Sort by these columns; -COLUMN reverses")
            .help_heading("Output"),
    ]
}

/// The same beside the options that pick this noun, whose letters are theirs.
pub fn list_options_beside(noun: &'static crate::api::Noun) -> [Arg; 3] {
    let selects = targets::picks(noun).iter().any(|option| option.get_short() == Some('l'));
    list_options().map(|option| if selects && option.get_short() == Some('l') { option.short(None) } else { option })
}

fn option(field: &'static Field) -> Arg {
    let arg = of_kind(field);
    match field.value {
        Some(value) => arg.value_name(value),
        None => arg,
    }
}

fn of_kind(field: &'static Field) -> Arg {
    let mut arg = Arg::new(field.name).help(field.about);
    if field.positional {
        let shown = field.flag.unwrap_or(field.name).to_uppercase();
        arg = arg.value_name(shown).required(field.required);
    } else {
        // A secret that is not given is asked for, and the settings may have the others.
        let required = field.required && !matches!(field.kind, Kind::Secret) && !field.or_setting;
        arg = arg.long(field.long_name()).required(required);
        if let Some(short) = field.short {
            arg = arg.short(short);
        }
    }
    let text = clap::builder::NonEmptyStringValueParser::new();
    match field.kind {
        Kind::Text | Kind::Uuid | Kind::FirewallRule | Kind::Nic | Kind::DiskSize if field.positional => {
            arg.value_parser(text)
        }
        Kind::Text => arg.value_parser(text).value_name("TEXT"),
        Kind::Uuid => arg.value_parser(text).value_name("UUID"),
        Kind::TextOrEmpty => arg.value_name("TEXT"),
        Kind::Texts | Kind::Words | Kind::NamedList | Kind::Members(_) => {
            let arg = if field.positional { arg.num_args(1..) } else { arg };
            arg.value_parser(text).value_name("TEXT").action(ArgAction::Append)
        }
        Kind::SomeOf(words) => {
            arg.value_parser(PossibleValuesParser::new(words)).value_name("WORD").action(ArgAction::Append)
        }
        Kind::Json | Kind::Predicate => arg.value_parser(text).value_name("JSON"),
        Kind::LdapFilter => arg.value_parser(text).value_name("FILTER"),
        Kind::FirewallRule => arg.value_parser(text).value_name("RULE"),
        Kind::Affinity | Kind::PolicyRules => arg.value_parser(text).value_name("RULE").action(ArgAction::Append),
        Kind::Nic => arg.value_parser(text).value_name("NETWORK"),
        Kind::Nics => arg.value_parser(text).value_name("NIC").action(ArgAction::Append),
        Kind::Interfaces(_) => arg.value_parser(text).value_name("NETWORK").action(ArgAction::Append),
        Kind::Mounts => arg.value_parser(text).value_name("VOLUME:/PATH").action(ArgAction::Append),
        Kind::Disks => arg.value_parser(text).value_name("DISK").action(ArgAction::Append),
        Kind::DiskSize => arg.value_parser(text).value_name("MIB"),
        Kind::Integer => arg.value_parser(value_parser!(u64)).value_name("N"),
        Kind::Mebibytes => arg.value_parser(text).value_name("MIB"),
        Kind::Flag(_) => arg.action(ArgAction::SetTrue),
        Kind::Bool => arg
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL"),
        // Of states there may be several, with commas between.
        Kind::OneOf(_) if matches!(field.test, Test::State(..)) => arg.value_parser(text).value_name("STATE,..."),
        Kind::OneOf(words) => arg.value_parser(PossibleValuesParser::new(words)).value_name("WORD"),
        Kind::Ref(noun) => arg.value_parser(text).value_name(noun.word.to_uppercase().replace(' ', "-")),
        Kind::Refs(noun) => {
            let shown = noun.word.to_uppercase().replace(' ', "-");
            let arg = arg.value_parser(text).value_name(shown).action(ArgAction::Append);
            let arg = if field.positional { arg.num_args(1..) } else { arg };
            arg.value_delimiter(',')
        }
        Kind::FlatPairs(_) | Kind::Tags(_) => {
            arg.value_parser(text).value_name("NAME=VALUE").action(ArgAction::Append).num_args(1..)
        }
        Kind::Pairs(_) | Kind::Object => arg.value_parser(text).value_name("NAME=VALUE").action(ArgAction::Append),
        Kind::PairFiles(_) | Kind::FlatFiles(_) => {
            arg.value_parser(text).value_name("NAME=@FILE").action(ArgAction::Append)
        }
        Kind::Files => arg.value_parser(text).value_name("FILE").action(ArgAction::Append),
        // Never on the command line, where everybody could read it.
        Kind::File | Kind::PublicKeyFile | Kind::Secret | Kind::CopyOf(_) => arg.value_parser(text).value_name("FILE"),
    }
}
