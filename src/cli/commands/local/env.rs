//! `sdc env`: what a shell evaluates so that all tools for this service reach one profile's account.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::profile;
use crate::answer::Answer;
use crate::api::Shape;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::resume;
use crate::cli::terminal::exit;
use crate::config::exports::{self, Export};
use crate::error::{CommandLine, Hint, Result};
use crate::grammar::shell::assign::{SHELLS, Shell};
use crate::render;

/// `sdc env`.
pub(crate) static COMMAND: Custom = Custom {
    path: "env",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "env prod\nenv prod --shell fish",
    previews: false,
    settings: Settings::NeededWithout("unset"),
};

/// The shells that help names.
const NAMED: usize = 4;

pub fn command() -> Command {
    let shells = SHELLS.iter().enumerate().map(|(at, (name, _))| PossibleValue::new(*name).hide(at >= NAMED));
    Command::new("env")
        .about("Print the variables of a profile for your shell to evaluate")
        .before_long_help(
            "Sets SDC_* and TRITON_* variables, so that sdc, node-triton, smartdc and terraform reach the same \
             account, and unsets those that the profile does not have. No secret is among them.\n\n\
             \x20 bash, zsh   eval \"$(sdc env prod)\"\n\
             \x20 fish        sdc env prod | source\n\
             \x20 powershell  sdc env prod --shell powershell | Out-String | Invoke-Expression",
        )
        .arg(Arg::new("PROFILE").help("Profile [default: the settings in effect]"))
        .arg(
            Arg::new("shell")
                .long("shell")
                .value_name("SHELL")
                .value_parser(PossibleValuesParser::new(shells))
                .help("Shell that evaluates it [default: that of $SHELL]"),
        )
        .arg(Arg::new("unset").long("unset").action(ArgAction::SetTrue).help("Unset all of these variables"))
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let typed = matches.get_one::<String>("shell");
    let shell = match typed.cloned().or_else(|| app.console.env.var("SHELL")) {
        Some(shell) => Shell::of(&shell),
        None if cfg!(windows) => Shell::PowerShell,
        None => Shell::Posix,
    };
    let unset = matches.get_flag("unset");
    let all: Vec<Export> = if unset { exports::names().map(|name| (name, None)).collect() } else { variables(app)? };
    if app.globals.output.is_some() || app.globals.jq.is_some() {
        return shown(app, matches, all);
    }
    let line = |(name, value): Export| match value {
        Some(value) => shell.set(name, &value),
        None => shell.unset(name),
    };
    let lines: Vec<String> = all.into_iter().map(line).collect();
    let again = matches.get_one::<String>("PROFILE").into_iter().fold(CommandLine::new("env"), CommandLine::on);
    let again = typed.into_iter().fold(again, |again, shell| again.option("--shell", shell));
    let again = if unset { again.with("--unset") } else { again.and(resume::cloud(app)) };
    let again = shell.evaluating(&exit::said(&Hint::command(again)));
    let text = format!("{}\n# To apply it: {}\n", lines.join("\n"), render::escaped(&again));
    app.streams.out(text.as_bytes())?;
    Ok(0)
}

/// The variables of the settings in effect.
fn variables(app: &App) -> Result<Vec<Export>> {
    let config = &app.config;
    // Without them nobody is reached.
    config.url()?;
    config.account()?;
    if let Some(other) = &config.act_as {
        app.warn(&format!("smartdc and terraform cannot act as {}: they reach the account itself", other.value));
    }
    Ok(exports::exports(config, profile::key_id(config).as_deref()))
}

/// As data: null is what is unset.
fn shown(app: &App, matches: &ArgMatches, all: Vec<Export>) -> Result<i32> {
    let view = app.view(matches, &[])?;
    let jq = app.globals.jq.as_deref().map(render::Program::new).transpose()?;
    let all: serde_json::Map<_, _> = all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let answer = Answer::from_record(serde_json::Value::from(all).to_string().as_bytes())?;
    app.show(&answer, Shape::Record, &view, jq.as_ref())?;
    Ok(0)
}
