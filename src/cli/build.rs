//! From the table to clap: one command an operation, its arguments from path and fields.
//! It knows nothing of what a command does.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

use crate::api::{Field, Kind, Method, Op, Resource, Shape, VERB_ALIASES, noun};

/// The command of a noun with all its verbs.
pub fn resource(resource: &'static Resource) -> Command {
    let mut command =
        Command::new(resource.name).about(resource.about).visible_aliases(resource.aliases.iter().copied());
    if let [op] = resource.ops
        && op.verb.is_empty()
    {
        return arguments(command, op);
    }
    command = command.subcommand_required(true).arg_required_else_help(true);
    for &op in resource.ops {
        command = match op.verb.split_once(' ') {
            None => command.subcommand(verb(op, op.verb)),
            Some((group, last)) => {
                let about = format!("Work with the {group} of one {}", singular(resource.name));
                let known = command.find_subcommand(group).is_some();
                if !known {
                    command = command.subcommand(
                        Command::new(group).about(about).subcommand_required(true).arg_required_else_help(true),
                    );
                }
                command.mut_subcommand(group, |sub| sub.subcommand(verb(op, last)))
            }
        };
    }
    command
}

/// The noun with nothing but the verb that was typed, which takes the options of every command too.
/// `None` unless the words say at once which it is.
pub fn only(resource: &'static Resource, words: &[&str], options: impl Fn(Command) -> Command) -> Option<Command> {
    let named = |name: &str, word: &str| {
        name == word || VERB_ALIASES.iter().any(|(known, aliases)| *known == name && aliases.contains(&word))
    };
    let noun = Command::new(resource.name).aliases(resource.aliases.iter().copied());
    for &op in resource.ops {
        match (op.verb.split_once(' '), words) {
            (None, [word, ..]) if named(op.verb, word) => return Some(noun.subcommand(options(verb(op, op.verb)))),
            (Some((group, last)), [first, second, ..]) if group == *first && named(last, second) => {
                return Some(noun.subcommand(Command::new(group).subcommand(options(verb(op, last)))));
            }
            _ => {}
        }
    }
    None
}

fn singular(plural: &str) -> &str {
    plural.strip_suffix('s').unwrap_or(plural)
}

fn verb(op: &'static Op, word: &'static str) -> Command {
    let mut command = Command::new(word).about(op.about);
    if let Some((_, aliases)) = VERB_ALIASES.iter().find(|(name, _)| *name == word) {
        command = command.visible_aliases(aliases.iter().copied());
    }
    let api = format!("API: {} ({} {})", op.id, op.method.as_str(), op.path);
    let long = if op.long.is_empty() { op.about.to_owned() } else { format!("{}\n\n{}", op.about, op.long) };
    arguments(command.long_about(long).after_long_help(api), op)
}

/// Several targets are taken where nothing else follows them and nothing but success is answered.
pub fn takes_several(op: &Op) -> bool {
    op.shape == Shape::Nothing && !op.fields.iter().any(|field| field.positional)
}

fn arguments(mut command: Command, op: &'static Op) -> Command {
    let mut params = op.path_params().peekable();
    while let Some(param) = params.next() {
        let last = params.peek().is_none();
        let how = noun(param).map_or("id", |noun| noun.called);
        let mut arg =
            Arg::new(param).value_name(param.to_uppercase()).help(format!("The {param}: {how}")).required(true);
        if last && takes_several(op) {
            arg = arg.action(ArgAction::Append).num_args(1..).help(format!("The {param}: {how}; several may be given"));
        }
        command = command.arg(arg);
    }
    for field in op.fields {
        command = command.arg(option(field));
    }
    if op.shape == Shape::Rows && !op.fields.is_empty() {
        command = command.arg(
            Arg::new("FILTER")
                .value_name("NAME=VALUE")
                .help("The same filters, typed without dashes")
                .action(ArgAction::Append),
        );
    }
    command = match op.shape {
        Shape::Rows | Shape::Map => command.args(list_options()),
        Shape::Record => command.args(list_options().into_iter().take(1)),
        Shape::Nothing => command,
    };
    if op.goal.is_some() {
        command = command.args([
            Arg::new("wait").long("wait").short('w').help("Wait until it is done").action(ArgAction::SetTrue),
            Arg::new("timeout")
                .long("timeout")
                .value_name("TIME")
                .requires("wait")
                .help("How long to wait: 90s, 15m, or seconds [default: 10m]"),
        ]);
    }
    if op.method == Method::Delete {
        command = command.arg(
            Arg::new("yes")
                .long("yes")
                .short('y')
                // What the older tools call it.
                .alias("force")
                .short_alias('f')
                .help("Do not ask")
                .action(ArgAction::SetTrue),
        );
    }
    command
}

/// The options of everything that is shown as rows; the first one suits a single object too.
pub fn list_options() -> [Arg; 3] {
    [
        Arg::new("no-header")
            .long("no-header")
            .short('H')
            .help("Leave the header out")
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
            .help("Sort by these columns; -COLUMN the other way round")
            .help_heading("Output"),
    ]
}

/// The long name of a field's option.
pub fn long_name(field: &Field) -> String {
    field.flag.map_or_else(|| field.name.replace('_', "-"), str::to_owned)
}

fn option(field: &'static Field) -> Arg {
    let mut arg = Arg::new(field.name).help(field.about);
    if field.positional {
        arg = arg.value_name(field.name.to_uppercase()).required(true);
    } else {
        arg = arg.long(long_name(field)).required(field.required);
        if let Some(short) = field.short {
            arg = arg.short(short);
        }
    }
    let text = clap::builder::NonEmptyStringValueParser::new();
    match field.kind {
        Kind::Text if field.positional => arg.value_parser(text),
        Kind::Text => arg.value_parser(text).value_name("TEXT"),
        Kind::Integer => arg.value_parser(value_parser!(u64)).value_name("N"),
        Kind::Mebibytes => arg.value_parser(text).value_name("MIB"),
        Kind::Flag(_) => arg.action(ArgAction::SetTrue),
        Kind::Bool => arg
            .value_parser(PossibleValuesParser::new(["true", "false"]))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL"),
        Kind::OneOf(words) => arg.value_parser(PossibleValuesParser::new(words)).value_name("WORD"),
        Kind::Ref(noun) => arg.value_parser(text).value_name(noun.name.to_uppercase()),
        Kind::Refs(noun) => {
            arg.value_parser(text).value_name(noun.name.to_uppercase()).action(ArgAction::Append).value_delimiter(',')
        }
        Kind::Pairs(_) => arg.value_parser(text).value_name("NAME=VALUE").action(ArgAction::Append),
        Kind::PairFiles(_) => arg.value_parser(text).value_name("NAME=@FILE").action(ArgAction::Append),
        Kind::File | Kind::PublicKeyFile => arg.value_parser(text).value_name("FILE"),
    }
}
