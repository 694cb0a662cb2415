//! The commands that are more than one call of an operation: a row in [`COMMANDS`] and a file each.

pub(crate) mod access;
pub(crate) mod admin;
pub(crate) mod cloud;
pub(crate) mod fwrules;
pub(crate) mod images;
pub(crate) mod local;
pub(crate) mod machines;
pub(crate) mod sections;
pub(crate) mod shortcuts;
pub(crate) mod stack;

use std::future::Future;
use std::pin::Pin;

use clap::{ArgMatches, Command};

use super::app::App;
use super::args::build::{self, Syntax};
use super::args::globals;
use crate::api::admin::PREFIX;
use crate::api::{self, Op};
use crate::error::{Error, Result};

/// A command of our own.
pub(crate) struct Custom {
    /// Its words, such as `machines ssh`. What has verbs of its own, such as `rbac`, is one command.
    pub path: &'static str,
    /// What clap is told of it.
    pub syntax: Syntax,
    /// Does it, and returns the exit code.
    pub run: for<'a> fn(&'a App, &'a ArgMatches) -> Running<'a>,
    /// The operations that it calls, by its own verb, or "" where it has none.
    pub calls: Calls,
    /// Commands that use it or its verbs, one a line; none where it is a command of the table, which has them. They run
    /// on the emulator's demo.
    pub examples: &'static str,
    /// Whether it heeds `--dry-run` and `--curl`.
    pub previews: bool,
    /// Whether it can be done without settings.
    pub settings: Settings,
}

/// Operations by verb; "" is the command itself.
pub(crate) type Calls = &'static [(&'static str, &'static [&'static Op])];

/// A command that is under way.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<i32>> + 'a>>;

/// What a command needs of profiles and variables.
pub(crate) enum Settings {
    /// They must be whole.
    Needed,
    /// It helps, or mends settings that are broken. But these verbs of it need them.
    NeededBy(&'static [&'static str]),
    /// They must be whole, unless this switch is given.
    NeededWithout(&'static str),
    /// It says itself what is wrong with them.
    Judged(fn(&App, &Error) -> Result<i32>),
}

impl Settings {
    /// It helps, or mends settings that are broken.
    pub(crate) const UNNEEDED: Settings = Settings::NeededBy(&[]);
}

/// All of them, those of one word in the order of the help.
static COMMANDS: &[&Custom] = &[
    &access::role_tags::COMMAND,
    &access::rbac::COMMAND,
    &stack::COMMAND,
    &machines::wait::COMMAND,
    &cloud::info::COMMAND,
    &cloud::whoami::COMMAND,
    &cloud::api::COMMAND,
    &machines::changefeed::COMMAND,
    &machines::run::COMMAND,
    &machines::reap::COMMAND,
    &cloud::doctor::COMMAND,
    &admin::discover::COMMAND,
    &admin::health::COMMAND,
    &admin::doctor::COMMAND,
    &admin::raw::COMMAND,
    &admin::ca::COMMAND,
    &admin::job_wait::COMMAND,
    &admin::job_resume::CANCEL,
    &admin::job_resume::RESUME,
    &admin::vm_create::COMMAND,
    &admin::vm_why::COMMAND,
    &admin::job_watch::COMMAND,
    &admin::create_smart::COMMAND,
    &admin::address_usage::COMMAND,
    &admin::orphan_nics::COMMAND,
    &admin::address_holder::COMMAND,
    &local::env::COMMAND,
    &local::profile::COMMAND,
    #[cfg(feature = "emulator")]
    &local::emulator::COMMAND,
    &local::completion::COMMAND,
    &local::help::COMMAND,
    &local::generate::COMMAND,
    &machines::ssh::COMMAND,
    &machines::scp::COMMAND,
    &machines::ip::COMMAND,
    &machines::why::COMMAND,
    &machines::changefeed::WATCH,
    &machines::vnc::COMMAND,
    &machines::migrate_watch::COMMAND,
    &access::list_edits::ROLES,
    &access::list_edits::POLICIES,
    &machines::get::COMMAND,
    &machines::create::COMMAND,
    &machines::disk_add::COMMAND,
    &machines::part_get::TAG,
    &machines::part_get::METADATA,
    &fwrules::fwcheck::COMMAND,
    &images::image_acl::SHARE,
    &images::image_acl::UNSHARE,
    &images::image_tags::COMMAND,
    &local::config::COMMAND,
    &local::config::EDIT,
    &local::config::SET,
];

/// The command with these words.
pub(crate) fn find(path: &str) -> Option<&'static Custom> {
    COMMANDS.iter().copied().find(|custom| custom.path == path)
}

/// What clap is told of it, where it is one of ours.
pub(crate) fn syntax(path: &str) -> Option<Syntax> {
    find(path).map(|custom| custom.syntax)
}

/// The command of this name, or other word for it, that hangs below no noun of the table and has verbs.
pub(crate) fn with_verbs(word: &str) -> Option<Command> {
    let of_word = |command: &Command| {
        let named = command.get_name() == word || command.get_all_aliases().any(|alias| alias == word);
        named && command.has_subcommands()
    };
    at_top().map(|(custom, command)| (custom, command())).find(|(_, command)| of_word(command)).map(with_options)
}

/// Those of one word, and what makes the command without the options of all.
fn at_top() -> impl Iterator<Item = (&'static Custom, fn() -> Command)> {
    COMMANDS.iter().filter_map(|custom| match custom.syntax {
        Syntax::Own(command) if !custom.path.contains(' ') => Some((*custom, command)),
        _ => None,
    })
}

fn with_options((custom, command): (&Custom, Command)) -> Command {
    let needs = !matches!(custom.settings, Settings::NeededBy([]));
    let command = build::with_yes(command);
    if needs { globals::add(command) } else { command }
}

/// Those that hang below no noun of the table.
pub(crate) fn top_level() -> impl Iterator<Item = Command> {
    at_top().map(|(custom, command)| with_options((custom, command())))
}

/// Hangs those below this noun.
pub(crate) fn lay_over(noun: &str, mut command: Command) -> Command {
    for custom in COMMANDS {
        let Some(verb) = custom.path.strip_prefix(noun).and_then(|rest| rest.strip_prefix(' ')) else { continue };
        // What is below a noun behind `admin` hangs there.
        if noun == PREFIX && verb.contains(' ') {
            continue;
        }
        let Syntax::Own(own) = custom.syntax else { continue };
        command = match verb.split_once(' ') {
            None => command.subcommand(build::with_yes(own())),
            Some((group, _)) => build::with_group(command, noun, group)
                .mut_subcommand(group, |sub| sub.subcommand(build::with_yes(own()))),
        };
    }
    command
}

/// The operations that a command of ours calls, by its words.
pub(crate) fn calls(path: &str) -> &'static [&'static Op] {
    let found = COMMANDS.iter().find_map(|custom| {
        let verb = path.strip_prefix(custom.path)?;
        let verb = if verb.is_empty() { verb } else { verb.strip_prefix(' ')? };
        custom.calls.iter().find(|(known, _)| *known == verb)
    });
    found.map_or(&[], |(_, all)| *all)
}

/// The examples of a command, by its words.
pub(crate) fn examples(path: &str) -> Vec<&'static str> {
    let begins =
        |text: &str, with: &str| text.strip_prefix(with).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let own = COMMANDS.iter().filter(|custom| begins(path, custom.path)).flat_map(|custom| custom.examples.lines());
    let table = api::operation(path).into_iter().flat_map(|op| op.examples.lines());
    own.chain(table).filter(|example| begins(example, path)).collect()
}

/// The profile that is to be created, which cannot say anything yet.
pub(crate) fn profile_to_create(matches: &ArgMatches) -> Option<&String> {
    match matches.subcommand()? {
        ("profile", verb) => match verb.subcommand()? {
            ("create", typed) => typed.get_one::<String>("NAME"),
            _ => None,
        },
        _ => None,
    }
}

/// The command that was typed, if it is one of ours, and what was typed for it.
pub(crate) fn typed(matches: &ArgMatches) -> Option<(&'static Custom, &ArgMatches)> {
    let (mut words, mut last) = (String::new(), matches);
    while let Some((word, below)) = last.subcommand() {
        words = format!("{words} {word}");
        last = below;
        if let Some(custom) = find(words.trim_start()) {
            return Some((custom, last));
        }
    }
    None
}

impl Custom {
    /// Whether it can be done although the settings are broken.
    pub(crate) fn needs_no_settings(&self, matches: &ArgMatches) -> bool {
        match self.settings {
            Settings::NeededBy(verbs) => !matches.subcommand_name().is_some_and(|verb| verbs.contains(&verb)),
            Settings::NeededWithout(switch) => matches.get_flag(switch),
            Settings::Needed | Settings::Judged(_) => false,
        }
    }

    /// Runs it, and returns the exit code.
    ///
    /// # Errors
    /// Its own; a usage error where it is to be shown and is more than one request.
    pub(crate) async fn start(&self, app: &App, matches: &ArgMatches) -> Result<i32> {
        if !self.previews && (app.globals.dry_run || app.globals.curl) {
            let words = format!("'sdc {}' is not a single request, so it has no preview", self.path);
            return Err(Error::usage(words));
        }
        (self.run)(app, matches).await
    }
}
