//! `sdc emulator`: a CloudAPI on this machine, served until interrupted or for one command.

mod seed;
mod settings;

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tokio::process::Child;

#[cfg(unix)]
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::cli::terminal::streams::Streams;
use crate::config::Env;
use crate::emulator::{Emulator, Fault, Options, Pace, Seed, ThrowAwayKey};
use crate::error::{Error, Result};
use crate::tasks::values::{self, Files};
use crate::thread;
use settings::{EnvFile, REMOVED, elsewhere, environment, folders};

/// `sdc emulator`.
pub(crate) static COMMAND: Custom = Custom {
    path: "emulator",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "emulator serve --env-file emulator.env\n\
         emulator serve --machines 1000 --pace 10\n\
         emulator exec -- sdc machines list\n\
         emulator exec --seed cloud.yaml --fault 'GET /machines status=503' -- make test",
    previews: false,
    settings: Settings::UNNEEDED,
};

/// So many bytes on a standard input whose end is waited for are an end, too.
const MAX_INPUT: u64 = 1 << 20;

/// Where `serve` listens unless told otherwise.
const LISTEN: &str = "127.0.0.1:8087";

/// The command and its options.
pub fn command() -> Command {
    Command::new("emulator")
        .about("Local CloudAPI for tests and for CI without a cloud")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            common(Command::new("serve"))
                .about("Serve until interrupted")
                .before_long_help(
                    "The settings that lead clients to it are lines for a shell, on stdout or in a file, which is there \
                     as soon as the emulator listens and gone when it ends:\n\n\
                     \x20 rm -f emulator.env; sdc emulator serve --env-file emulator.env &\n\
                     \x20 until [ -e emulator.env ] || ! kill -0 $!; do sleep 0.1; done\n\
                     \x20 . ./emulator.env",
                )
                .arg(
                    Arg::new("env-file")
                        .long("env-file")
                        .value_name("FILE")
                        .value_parser(value_parser!(PathBuf))
                        .help("Write the settings to this file once it listens, instead of stdout"),
                )
                .arg(
                    Arg::new("end-with-stdin")
                        .long("end-with-stdin")
                        .action(ArgAction::SetTrue)
                        .help("End when standard input does: the program at its other end is gone"),
                )
                .arg(
                    Arg::new("listen")
                        .long("listen")
                        .value_name("ADDR:PORT")
                        .default_value(LISTEN)
                        .value_parser(address)
                        .help("Where to listen for HTTP; port 0 is any free one"),
                )
                .arg(
                    Arg::new("https")
                        .long("https")
                        .value_name("ADDR:PORT")
                        .num_args(0..=1)
                        .require_equals(true)
                        .default_missing_value("127.0.0.1:0")
                        .value_parser(address)
                        .help("Listen for HTTPS too, with a certificate made on the spot"),
                )
                .arg(
                    Arg::new("public")
                        .long("public")
                        .action(ArgAction::SetTrue)
                        .help("Allow addresses that other machines can reach"),
                ),
        )
        .subcommand(
            common(Command::new("exec"))
                .about("Run a command against a new emulator; exit with its exit code")
                .before_long_help(
                    "The emulator listens on a free port. The command finds it by SDC_URL, SDC_ACCOUNT, SDC_KEY_ID and \
                     SDC_KEY_FILE and their TRITON_* twins. node-triton finds the key with --agent only, or in ~/.ssh.\n\n\
                     Profiles, records and the cache of the command are in a folder of the emulator's own (SDC_CONFIG_DIR, \
                     SDC_CACHE_DIR), which is empty at first and gone afterwards. Yours are neither read nor changed.",
                )
                .arg(
                    Arg::new("https")
                        .long("https")
                        .action(ArgAction::SetTrue)
                        .help("Lead the command to it by HTTPS, with SDC_CACERT and its likes set"),
                )
                .arg(
                    Arg::new("COMMAND")
                        .required(true)
                        .num_args(1..)
                        .last(true)
                        .value_parser(value_parser!(OsString))
                        .help("The command and its arguments"),
                ),
        )
}

/// Reads an address with its port. A port alone is one of this machine, and so is `localhost`.
fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let local = || Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().ok()?)));
    let read = if matches!(host, "" | "localhost") { local() } else { text.parse().ok() };
    read.ok_or_else(|| format!("it is not an address with a port, such as {LISTEN}"))
}

/// Options of both.
fn common(command: Command) -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let file = |name, help| option(name, "FILE", help).value_parser(value_parser!(PathBuf));
    command
        .arg(
            option("seed", "WHAT", "Initial data: demo, empty, sdcadmin, grown, or a FILE of your own (- for stdin)")
                .long_help(
                    "Initial data: demo (an account that looks lived in), empty (no machines), sdcadmin (the ids that \
                     the tests of sdcadmin are configured with; with --admin), grown (the demo; of its internal \
                     services some zones have gone or failed), or a FILE of your own, \
                     with the accounts, images, packages, networks and machines that a test needs; - reads standard \
                     input. It is JSON or YAML:\n\n\
                     \x20 format: sdc-emulator/1\n\
                     \x20 machines:\n\
                     \x20 - {name: web1, image: base-64, package: g1-small}\n\
                     \x20 - {name: db1, state: stopped, tags: {role: db}}\n\n\
                     What is left out is that of empty. A file that --state wrote is one too. \
                     docs/guide/testing.md has the rest",
                )
                .default_value("demo"),
        )
        .arg(
            option("machines", "N", "Hold this many machines, all alike, instead of the demo's")
                .value_parser(value_parser!(u32).range(0..=100_000))
                .conflicts_with("seed"),
        )
        .arg(file("state", "Keep the state in this file, over restarts"))
        .arg(option("fault", "SPEC", "Inject a fault, as 'GET /machines status=503 times=2'").action(ArgAction::Append))
        .arg(option("latency", "TIME", "Take at least this long for every answer, such as 100ms"))
        .arg(
            Arg::new("throttle")
                .long("throttle")
                .action(ArgAction::SetTrue)
                .help("Refuse more than 10 requests a second, as the real service does"),
        )
        .arg(option("clock-offset", "TIME", "Offset the server's clock, such as +3600s").allow_hyphen_values(true))
        .arg(option(
            "pace",
            "TIMES",
            "How fast machines change state: 10 is ten times real time; 'stepped' is not at all",
        ))
        .arg(
            Arg::new("agent")
                .long("agent")
                .action(ArgAction::SetTrue)
                .help("Offer the key through an ssh-agent of its own too (SSH_AUTH_SOCK)"),
        )
        .arg(
            Arg::new("admin")
                .long("admin")
                .action(ArgAction::SetTrue)
                .help("Serve the internal services too (SDC_SAPI_URL)"),
        )
        .arg(file("key", "The account's private key (RSA, PEM, unencrypted), instead of a throw-away one"))
        .arg(file("authorize", "A public key to add to the account").action(ArgAction::Append))
        .arg(file("authorize-user", "A public key to add to the sub-user ci").action(ArgAction::Append))
}

/// Runs the command and returns the exit code.
///
/// # Errors
/// When the options make no sense, the emulator cannot start, or the command cannot be run.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve(app, matches).await,
        Some(("exec", matches)) => exec(app, matches).await,
        _ => Err(Error::usage("the emulator needs to be told what to do").hint("sdc emulator serve")),
    }
}

fn options(app: &App, matches: &ArgMatches) -> Result<Options> {
    let text = |name: &str| matches.get_one::<String>(name).map(String::as_str);
    let seed = match matches.get_one::<u32>("machines") {
        Some(count) => Seed::Machines(*count as usize),
        None => seed::read(&app.console, text("seed").unwrap_or("demo"))?,
    };
    let faults = matches.get_many::<String>("fault").into_iter().flatten().map(|spec| spec.parse());
    let pace = match text("pace") {
        None => Pace::default(),
        Some("stepped") => Pace::Stepped,
        Some(times) => match times.parse::<f64>() {
            Ok(number) if number > 0.0 && number <= 1e6 => Pace::Times(number),
            _ => return Err(Error::usage(format!("--pace: '{times}' is neither a number above 0 nor 'stepped'"))),
        },
    };
    let clock_offset = match text("clock-offset") {
        None => 0,
        Some(offset) => crate::emulator::read_offset(offset)
            .ok_or_else(|| Error::usage(format!("--clock-offset: '{offset}' is not a time such as +3600s or -1h")))?,
    };
    let latency = match text("latency") {
        None => Duration::ZERO,
        Some(latency) => crate::emulator::read_duration(latency)
            .ok_or_else(|| Error::usage(format!("--latency: '{latency}' is not a time such as 100ms or 2s")))?,
    };
    Ok(Options {
        seed,
        state_file: matches.get_one::<PathBuf>("state").map(|file| app.console.at_home(file)),
        temp_dir: Some(app.console.env.temp_dir()),
        faults: faults.collect::<Result<Vec<Fault>>>()?,
        pace,
        clock_offset,
        latency,
        throttle: matches.get_flag("throttle"),
        key: matches.get_one::<PathBuf>("key").map(|file| app.console.at_home(file)),
        // The older tools read no other.
        throw_away: ThrowAwayKey::KnownRsa,
        authorize: public_keys(app, matches, "authorize")?,
        authorize_user: public_keys(app, matches, "authorize-user")?,
        agent: matches.get_flag("agent"),
        admin: matches.get_flag("admin"),
        ..Options::default()
    })
}

fn public_keys(app: &App, matches: &ArgMatches, name: &str) -> Result<Vec<String>> {
    let read = |path: &PathBuf| {
        let text = app.console.read(&path.display().to_string(), 100_000)?;
        // Its contents are shown to nobody: it may be the private key, or no key at all.
        values::public_key(&path.display().to_string(), &text)
    };
    matches.get_many::<PathBuf>(name).into_iter().flatten().map(read).collect()
}

/// Waits for the end of standard input, if that is to be the end. What comes on it is not for the emulator.
async fn stdin_ended(streams: &Streams, ends: bool) -> &'static str {
    let streams = streams.clone();
    match ends && thread::beside(move || streams.rest(MAX_INPUT)).await.is_ok() {
        true => "EOF",
        false => std::future::pending().await,
    }
}

async fn serve(app: &App, matches: &ArgMatches) -> Result<i32> {
    let streams = &app.streams;
    let ends_with_stdin = matches.get_flag("end-with-stdin");
    if ends_with_stdin && matches.get_one::<String>("seed").is_some_and(|seed| seed == "-") {
        return Err(Error::usage("--seed - reads standard input, and --end-with-stdin waits for its end"));
    }
    let mut options = options(app, matches)?;
    if let Some(listen) = matches.get_one::<SocketAddr>("listen") {
        options.listen = *listen;
    }
    options.https = matches.get_one::<SocketAddr>("https").copied();
    for address in [Some(options.listen), options.https].into_iter().flatten() {
        if address.ip().is_loopback() {
            continue;
        }
        if !matches.get_flag("public") {
            let words = format!("{address} can be reached by other machines, and the emulator is not a safe service");
            return Err(Error::usage(words).hint(format!("--listen 127.0.0.1:{}", address.port())).hint("--public"));
        }
        // Whoever gets here must not have the key already.
        options.throw_away = ThrowAwayKey::NewRsa;
        streams.say(&format!("WARNING: {address} can be reached by other machines; stop it when you are done"));
    }
    let env_file = matches.get_one::<PathBuf>("env-file").map(|file| app.console.at_home(file));
    let env_file = env_file.as_deref();
    // Before anything is made.
    env_file.map(EnvFile::place).transpose()?;
    // Asked for before the settings are printed: who has read them may end it at once.
    let mut signals = Signals::with_quit(&app.heard)?;
    let emulator = Emulator::start(options).await?;
    let lines = settings::lines(&emulator, &app.console.env);
    let (printed, env_file) = match env_file {
        Some(path) => match EnvFile::write(path, lines) {
            Ok(file) => (Ok(()), Some(file)),
            Err(error) => (Err(error), None),
        },
        None => (streams.out(lines.as_bytes()), None),
    };
    let mut code = 0;
    if printed.is_ok() {
        for url in [Some(emulator.url()), emulator.https_url()].into_iter().flatten() {
            streams.say(&format!("listening on {url}"));
            if let Some(others) = elsewhere(url) {
                streams.say(&format!("other machines use {others}, where HOST is this machine's name or address"));
            }
        }
        streams.say("end it with Ctrl-C");
        let ended = tokio::select! {
            signal = signals.next() => signal,
            ended = stdin_ended(streams, ends_with_stdin) => ended,
        };
        // The others are how it is meant to be ended.
        code = match ended {
            "HUP" => 128 + 1,
            "QUIT" => 128 + 3,
            _ => 0,
        };
    }
    drop(env_file);
    emulator.stop().await?;
    printed.map(|()| code)
}

async fn exec(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut options = options(app, matches)?;
    if matches.get_flag("https") {
        options.https = Some(options.listen);
    }
    let mut words = matches.get_many::<OsString>("COMMAND").into_iter().flatten();
    let Some(program) = words.next() else { return Err(Error::usage("there is no command to run")) };

    let mut signals = Signals::with_quit(&app.heard)?;
    let emulator = Emulator::start(options).await?;
    let mut command = std::process::Command::new(program);
    app.console.env.hand_on(&mut command);
    // The agent that someone is logged in with is not to be asked.
    for name in REMOVED.iter().chain(&["SSH_AUTH_SOCK"]) {
        command.env_remove(name);
    }
    command.args(words).envs(environment(&emulator, &app.console.env));
    if let Some(file) = emulator.ca_file() {
        command.env("SSL_CERT_FILE", file);
    }
    if let Some(path) = path_with_ours(&app.console.env) {
        command.env("PATH", path);
    }
    command.envs(folders(&emulator)?);
    let outcome = match tokio::process::Command::from(command).kill_on_drop(true).spawn() {
        Ok(child) => accompany(child, &mut signals, &app.streams).await,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::usage(format!("there is no command '{}'", program.display()))
                .hint("sdc emulator exec -- COMMAND…"))
        }
        Err(error) => Err(Error::other(format!("cannot run '{}'", program.display())).because(error)),
    };
    let stopped = emulator.stop().await;
    let code = outcome?;
    stopped.map(|()| code)
}

/// The search path, with the folder of this very program in front.
fn path_with_ours(env: &Env) -> Option<OsString> {
    let own = std::env::current_exe().ok()?.parent()?.to_owned();
    let path = env.var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&path))).ok()
}

/// Waits for the command to end, and hands signals on to it.
async fn accompany(mut child: Child, signals: &mut Signals, streams: &Streams) -> Result<i32> {
    let terminal = streams.stdin_tty || streams.stdout_tty || streams.stderr_tty;
    loop {
        tokio::select! {
            ended = child.wait() => {
                return ended.map(exit_code).map_err(|error| Error::other("cannot wait for the command").because(error));
            }
            signal = signals.next() => {
                // A terminal sends what is typed at it to the command by itself.
                if let Some(pid) = child.id() && !(terminal && matches!(signal, "INT" | "QUIT")) {
                    hand_on(signal, pid).await;
                }
            }
        }
    }
}

/// Sends a signal. A shell has that built in, and nothing safe in the standard library has.
async fn hand_on(signal: &str, pid: u32) {
    let script = format!("kill -{signal} {pid}");
    let _ = tokio::process::Command::new("/bin/sh").args(["-c", &script]).status().await;
}

fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::console::tests::Said;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    /// Runs the program in this process, and returns its exit code and what it said.
    fn ends(words: &[&str]) -> (u8, String) {
        let args: Vec<OsString> = ["sdc", "emulator"].iter().chain(words).map(OsString::from).collect();
        let said = Said::default();
        let code = crate::cli::run(&args, &said.console(Env::process()));
        (code, said.err())
    }

    #[test]
    fn an_address_that_others_can_reach_needs_to_be_asked_for() {
        let (code, said) = ends(&["serve", "--listen", "0.0.0.0:0"]);
        assert!(code == 2 && said.contains("0.0.0.0:0 can be reached by other machines"), "{said}");
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        for (text, read) in [
            (":0", "127.0.0.1:0"),
            ("8087", "127.0.0.1:8087"),
            ("localhost:1", "127.0.0.1:1"),
            ("0.0.0.0:2", "0.0.0.0:2"),
            ("[::1]:3", "[::1]:3"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), read);
        }
        for text in ["", ":", "here:80", "127.0.0.1", "127.0.0.1:70000", ":-1"] {
            assert_eq!(
                address(text).unwrap_err(),
                "it is not an address with a port, such as 127.0.0.1:8087",
                "{text}"
            );
        }
    }

    #[test]
    fn exec_ends_with_the_exit_code_of_its_command() {
        assert_eq!(ends(&["exec", "--", "sh", "-c", "exit 7"]).0, 7);
    }

    #[test]
    fn exec_ends_with_128_and_the_signal_that_killed_its_command() {
        assert_eq!(ends(&["exec", "--", "sh", "-c", "kill -KILL $$"]).0, 137);
    }

    #[test]
    fn exec_leads_its_command_to_the_emulator_and_leaves_nothing_behind() {
        let script = r#"test "$TRITON_PROFILE" = env && test -z "$SDC_PROFILE" && test -r "$SDC_KEY_FILE" && test "$SDC_KEY_ID" = "$TRITON_KEY_ID" && test -S "$SSH_AUTH_SOCK" \
                        && test -r "$SDC_CACERT" && case "$SDC_URL" in https://127.0.0.1:*) ;; *) exit 1;; esac \
                        && echo "${SDC_KEY_FILE%/*}" > "$0""#;
        let out = tempfile::NamedTempFile::new().unwrap();
        let name = out.path().to_str().unwrap();
        assert_eq!(ends(&["exec", "--agent", "--https", "--", "sh", "-c", script, name]).0, 0);
        let dir = std::fs::read_to_string(out.path()).unwrap();
        assert!(!dir.trim().is_empty() && !std::path::Path::new(dir.trim()).exists(), "{dir}");
    }

    #[test]
    fn a_command_that_is_not_there_is_named() {
        let (code, said) = ends(&["exec", "--", "no-such-command-here"]);
        assert!(code == 2 && said.contains("no-such-command-here"), "{said}");
    }
}
