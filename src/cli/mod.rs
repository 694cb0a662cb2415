//! The program: arguments in, text and an exit code out. It alone knows of terminals.

mod app;
pub(crate) mod args;
mod change;
pub(crate) mod commands;
pub mod console;
mod editor;
pub(crate) mod execute;
mod filter;
mod inner;
mod listed;
mod names;
mod preview;
mod question;
mod resume;
mod runtime;
mod several;
mod show;
mod sources;
pub(crate) mod terminal;
mod tree;

pub use crate::cli::commands::local::generate;
pub use app::{App, Trees};
pub use console::Console;
pub use terminal::streams::Streams;
pub use tree::{pages, tree};

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::ArgMatches;

use crate::api::{self, Method};
use crate::cli::args::globals::{self, Globals};
use crate::cli::args::{guard, hints, letters};
use crate::cli::commands::local::complete;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::cli::terminal::voice::Voice;
use crate::config::{Config, Flags, Sources};
use crate::error::{Error, Hint, Kind, Result};

/// No private key is longer, in bytes.
const MAX_KEY_LEN: u64 = 64 * 1024;

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    runtime::keep_out_of_dumps();
    let (code, read) = carried_out(&args, &Console::process());
    // Taking the commands apart again would take as long as making them.
    std::mem::forget(read);
    ExitCode::from(code)
}

/// Runs the program with these arguments, of which the first is its name, and returns its exit code. It makes a runtime
/// of its own, so it cannot be called from within one. What it gives up (an expression of `--jq` without end, an agent
/// that hangs) may go on in a thread until the process ends.
pub fn run(args: &[OsString], console: &Console) -> u8 {
    carried_out(args, console).0
}

/// The commands, where they had to be made, and what was read with them.
type Read = (clap::Command, Option<ArgMatches>);

/// The exit code, and what was read for it.
fn carried_out(args: &[OsString], console: &Console) -> (u8, Option<Read>) {
    let streams = &console.streams;
    // Asked for by every script that checks its tools, and answered before anything is set up.
    if let [_, only] = args
        && (only == "--version" || only == "-V")
    {
        let text = concat!("sdc ", env!("CARGO_PKG_VERSION"), "\n");
        return (ended(&voice(console, false), streams.out(text.as_bytes()).map(|()| 0)), None);
    }
    if let Some(answered) = complete::answered(args, console, tree::completing) {
        return (ended(&voice(console, false), answered.map(|()| 0)), None);
    }
    let spelled = commands::shortcuts::spelled_out(args);
    let args = spelled.as_deref().unwrap_or(args);
    let mut command = tree::command(args);
    match command.try_get_matches_from_mut(args) {
        Ok(matches) => (understood(args, console, &command, &matches), Some((command, Some(matches)))),
        Err(error) => (usage(console, args, error), Some((command, None))),
    }
}

/// What was typed is a command with its options.
fn understood(args: &[OsString], console: &Console, command: &clap::Command, matches: &ArgMatches) -> u8 {
    let streams = &console.streams;
    if let Err(error) = guard::check(command, matches, console) {
        return ended(&voice(console, wants_json(args)), Err(error));
    }
    let globals = globals::read(matches).and_then(|(globals, flags)| {
        let flags = Flags { command: Some(execute::verb(matches).0), ..flags };
        Ok((globals, given_key(streams, flags)?))
    });
    let globals = match globals {
        Ok(globals) => globals,
        Err(error) => return ended(&voice(console, wants_json(args)), Err(error)),
    };
    let json = globals.0.json();
    let colour = globals::colour(&globals.0, &console.env, streams.stderr_tty);
    let voice = Voice { colour, typed: Arc::from(globals.0.typed.as_slice()), ..voice(console, json) };
    ended(&voice, start(console, globals, matches))
}

/// `--key-file -`: the key itself comes on standard input.
fn given_key(streams: &Streams, mut flags: Flags) -> Result<Flags> {
    if flags.key_file.as_deref() != Some(std::path::Path::new("-")) {
        return Ok(flags);
    }
    if streams.stdin_tty {
        return Err(Error::usage("--key-file - reads the key from standard input, which is a terminal")
            .hint("from a file: --key-file FILE")
            .hint("from a command: COMMAND | sdc … --key-file -"));
    }
    let fail = |error: std::io::Error| Error::usage("cannot read standard input").because(error);
    let bytes = streams.rest(MAX_KEY_LEN).map_err(fail)?;
    let text = crate::auth::key_text(&bytes);
    flags.key_material = Some(text);
    flags.key_file = None;
    Ok(flags)
}

fn start(console: &Console, (globals, flags): (Globals, Flags), matches: &ArgMatches) -> Result<i32> {
    let app = |config| App::new(console, Trees { plain: tree, pages }, globals.clone(), config);
    let sources = Sources::new(console.env.clone());
    let loaded = Config::load(&flags, &sources).or_else(|error| match commands::profile_to_create(matches) {
        // It cannot be there yet.
        Some(name) => Config::load_without(name, &flags, &sources).unwrap_or(Err(error)),
        None => Err(error),
    });
    let config = match loaded {
        Ok(config) => config,
        Err(error) => match commands::typed(matches) {
            Some((custom, matches)) if custom.needs_no_settings(matches) => Config::none(&console.env)?,
            Some((Custom { settings: Settings::Judged(judge), .. }, _)) => {
                return judge(&app(Config::none(&console.env)?), &error);
            }
            _ => return Err(letters::explained(&execute::verb(matches).0, &flags, error)),
        },
    };
    let app = app(config);
    for warning in &app.config.warnings {
        app.warn(warning);
    }
    if let Some(path) = app.config.own.path() {
        for (line, words) in commands::sections::faults(&app.config.own, tree) {
            app.warn(&format!("{}:{line}: {words}", path.display()));
        }
    }
    let unverified = app.config.insecure.value && app.config.pins.is_none();
    if unverified && app.config.url.as_ref().is_some_and(|url| url.value.starts_with("https")) {
        app.warn(&format!("certificates are not verified ({})", app.config.insecure.origin));
    }
    let runtime = runtime::runtime()?;
    let code = runtime.block_on(dispatch(&app, matches));
    // A resolver or an agent that hangs must not hold up the end.
    runtime.shutdown_background();
    code.map_err(|error| letters::refused(&execute::verb(matches).0, &flags, app.explained(error)))
}

/// Runs the command of its row, or the operation of its words.
async fn dispatch(app: &App, matches: &ArgMatches) -> Result<i32> {
    if let Some((custom, matches)) = commands::typed(matches) {
        return custom.start(app, matches).await;
    }
    let (words, matches) = execute::verb(matches);
    let op = api::operation(&words).ok_or_else(|| Error::usage("this command does not exist"))?;
    if !api::service_of(op).is_inner() {
        return execute::run(app, op, matches).await;
    }
    app.reads.store(op.method == Method::Get, Ordering::Relaxed);
    let ended = match execute::run(app, op, matches).await {
        Err(error) if app.may_do_again(op, &error).await => execute::run(app, op, matches).await,
        ended => ended,
    };
    ended.map_err(|error| app.forgetting(error))
}

/// clap's own errors, under the same rules as ours.
fn usage(console: &Console, args: &[OsString], mut error: clap::Error) -> u8 {
    let streams = &console.streams;
    use clap::error::ErrorKind;
    // A page of help is made only now that somebody reads it.
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand)
        && let Err(documented) = pages().try_get_matches_from(args)
    {
        error = documented;
    }
    let tree = tree();
    if let Some(error) = guard::misplaced(&tree, args, console) {
        return ended(&voice(console, wants_json(args)), Err(error));
    }
    if let Some(error) = hints::instead(&tree, args, &error) {
        return ended(&voice(console, wants_json(args)), Err(error));
    }
    let hint = hints::of(&tree, args, &mut error);
    let hint = guard::stray_value(&mut error, args).or(hint);
    guard::veil(&mut error);
    hints::spell_out(&mut error);
    let told = error.render();
    let colour = |terminal| globals::colour(&Globals::default(), &console.env, terminal);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = globals::left_out(&told, colour(streams.stdout_tty));
            ended(&voice(console, false), streams.out(text.as_bytes()).map(|()| 0))
        }
        _ if wants_json(args) => {
            let words = told.to_string();
            let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
            let mut first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            // What is missing stands in lines of its own.
            let mut between = " ";
            while let Some(line) =
                lines.next_if(|line| first.ends_with(':') || between == ", " && line.starts_with('<'))
            {
                first = format!("{first}{between}{line}");
                between = ", ";
            }
            ended(&voice(console, true), Err(lines.map(Hint::from).chain(hint).fold(Error::usage(first), Error::hint)))
        }
        _ => {
            streams.say(globals::left_out(&told, colour(streams.stderr_tty)).trim_end());
            if let Some(hint) = hint {
                streams.say(&format!("  hint: {}", exit::said(&hint)));
            }
            2
        }
    }
}

/// Whether failures are wanted as JSON, where the arguments could not be understood.
fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).take_while(|arg| *arg != "--").collect();
    let attached = |word: &str| {
        ["-o", "--output="].iter().find_map(|option| word.strip_prefix(option)).is_some_and(globals::is_json)
    };
    words.iter().any(|word| matches!(*word, "--json" | "-j") || attached(word))
        || words.windows(2).any(|pair| matches!(pair[0], "-o" | "--output") && globals::is_json(pair[1]))
}

/// Who tells a failure before the options are read.
fn voice(console: &Console, json: bool) -> Voice {
    let colour = globals::colour(&Globals::default(), &console.env, console.streams.stderr_tty);
    Voice { streams: console.streams.clone(), quiet: false, json, colour, typed: Arc::default() }
}

fn ended(voice: &Voice, outcome: Result<i32>) -> u8 {
    match outcome {
        Ok(code) => u8::try_from(code).unwrap_or(1),
        Err(error) => {
            if error.kind() != Kind::ClosedPipe {
                voice.report(&error);
            }
            exit::code(error.kind()).0
        }
    }
}
