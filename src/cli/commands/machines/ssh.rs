//! `sdc machines ssh`: the real ssh, led to a machine; and what it shares with `scp`. What ssh itself is told is
//! not touched.

use std::ffi::OsString;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::address_options;
use super::ssh_key::SshKey;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Signals;
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::shell;
use crate::grammar::ssh_options::{self, PassedOptions};
use crate::tasks::addresses;
use crate::tasks::route::{ProxyChoice, RouteFinder, SshRoute};
use crate::thread;

/// `sdc machines ssh`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines ssh",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "machines ssh web1\n\
         machines ssh root@web1 -L 8080:localhost:80 uptime",
    previews: true,
    settings: Settings::Needed,
};

/// The command and its options.
pub fn command() -> Command {
    Command::new("ssh")
        .about("Log in to a machine, or run a command there")
        .override_usage("sdc machines ssh [OPTIONS] [USER@]MACHINE [SSH-OPTION]... [COMMAND]...")
        .before_long_help(
            "Runs the installed ssh. The options below stand before the machine; everything after it is \
             passed to ssh unchanged.\n\n\
             The user is the one that is typed, else the one in the image's tag default_user, else root. The \
             machine's tags say the rest: tritoncli.ssh.ip, one of its addresses (else it is the primary one), \
             tritoncli.ssh.port, and tritoncli.ssh.proxy, a machine to go through. That one's own tags are heeded \
             too, and its tritoncli.ssh.proxyuser is who logs in there. A bastion may have a bastion itself. What \
             ssh's own options settle (-p, -l, -i, -J, -o) is theirs.\n\n\
             The key is the one that sdc signs with, besides those that ssh knows of. Where ssh would not read its \
             file (others can read it, it is encrypted, or in a variable), ssh gets a private copy until it ends.\n\n\
             The machine's key is kept in known_hosts under its id, for addresses are given to other machines \
             later. Keys of bastions are kept under their addresses. The exit code is ssh's: 255 if it could not \
             connect.",
        )
        .args(options())
        .arg(
            Arg::new("machine")
                .value_name("[USER@]MACHINE")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .value_parser(value_parser!(OsString))
                .help("Machine: id, short id or name; then options of ssh, and a command"),
        )
}

/// The options of ssh and scp both.
pub fn options() -> Vec<Arg> {
    let text = clap::builder::NonEmptyStringValueParser::new;
    let switch = |id: &'static str, help: &'static str| Arg::new(id).long(id).action(ArgAction::SetTrue).help(help);
    let mut all = vec![
        Arg::new("login")
            .long("login")
            .short('l')
            .value_name("USER")
            .value_parser(text())
            .help("Log in as this user; the same as USER@"),
    ];
    all.extend(address_options::options());
    all.extend([
        Arg::new("proxy")
            .long("proxy")
            .value_name("MACHINE")
            .value_parser(text())
            .conflicts_with("no-proxy")
            .help("Connect through this machine, whatever the tags say"),
        switch("no-proxy", "Go through no machine, whatever the tags say"),
        switch("no-host-key-alias", "Keep the machine's key in known_hosts under its address, not its id"),
        switch("print", "Print the command line instead of running it"),
    ]);
    all
}

/// Runs ssh and returns its exit code.
///
/// # Errors
/// There is no such machine, no way to it, or no ssh.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let print = printing(app, matches, "ssh")?;
    let words: Vec<OsString> = matches.get_many::<OsString>("machine").into_iter().flatten().cloned().collect();
    let Some((typed, args)) = words.split_first() else { return Err(Error::usage("there is no machine named")) };
    let typed = typed.to_str().ok_or_else(|| Error::usage(format!("'{}' names no machine", typed.display())))?;
    if typed.starts_with('-') {
        return Err(Error::usage(format!("'{typed}' is not a machine: ssh's own options stand behind it"))
            .hint(Hint::command(CommandLine::new("machines ssh MACHINE").word(typed))));
    }
    // ssh itself has no long options: one right behind the machine was meant for this program.
    if let Some(long) = args.first().and_then(|arg| arg.to_str()).filter(|arg| arg.len() > 2 && arg.starts_with("--")) {
        return Err(Error::usage(format!(
            "{long} stands behind the machine, where ssh's own options are, and ssh has none such"
        ))
        .hint(Hint::run("before the machine", CommandLine::new("machines ssh").word(long).word(typed))));
    }
    let args = args.strip_prefix(&[OsString::from("--")]).unwrap_or(args);
    let given = PassedOptions::read(&ssh_options::SSH, args);
    let (user, machine) = addresses::split_user(typed)?;
    let user = login(matches, user)?;
    let past = past(matches, &given)?;
    let client = app.client()?;
    let mut finder = finder(app, &client, matches, past).await?;
    let way = finder.way(machine, user.or(given.user.as_deref())).await?;
    let key = key(app, &client, &given, print)?;
    let mut line = vec![OsString::from("ssh")];
    line.extend(key.options());
    line.extend(way_options(&way, &given, "-p", !matches.get_flag("no-host-key-alias")));
    // No `--` before it: ssh would take its own options behind it for the command. It cannot be an option itself.
    line.push(match (user, &given.user) {
        (None, Some(_)) => way.ip.to_string().into(),
        _ => format!("{}@{}", way.user, way.ip).into(),
    });
    line.extend_from_slice(args);
    run_or_print(app, &line, &key, print).await
}

/// The key for the tool, unless its own options name one.
///
/// # Errors
/// It cannot be given to the tool.
pub fn key(app: &App, client: &Client, given: &PassedOptions, print: bool) -> Result<SshKey> {
    match (given.key, print) {
        (true, _) => Ok(SshKey::default()),
        (false, true) => Ok(SshKey::shown(app, client)),
        (false, false) => SshKey::of(app, client),
    }
}

/// Whether the command line is to be printed; what has no meaning here is refused before anything is asked.
///
/// # Errors
/// A usage error.
pub fn printing(app: &App, matches: &ArgMatches, tool: &str) -> Result<bool> {
    if let Some(output) = app.globals.output.as_deref().filter(|output| *output != "json") {
        let behind = CommandLine::new(if tool == "ssh" { "machines ssh MACHINE" } else { "machines scp --" });
        return Err(Error::usage(format!("the output is {tool}'s, so --output {output} has no meaning here"))
            .hint(Hint::run(format!("{tool}'s own option"), behind.option("-o", output))));
    }
    if app.globals.jq.is_some() || app.globals.curl {
        return Err(Error::usage(format!("the output is {tool}'s, so --jq and --curl have no meaning here"))
            .hint("to see the command line: --print"));
    }
    Ok(matches.get_flag("print") || app.globals.dry_run)
}

/// Who was typed before the machine, or as an option.
///
/// # Errors
/// A usage error where the two differ, or one is no login.
pub fn login<'a>(matches: &'a ArgMatches, before: Option<&'a str>) -> Result<Option<&'a str>> {
    let option = matches.get_one::<String>("login").map(|user| addresses::typed_user(user)).transpose()?;
    match (option, before) {
        (Some(option), Some(before)) if option != before => {
            Err(Error::usage(format!("--login {option} contradicts {before}@")))
        }
        (option, before) => Ok(before.or(option)),
    }
}

/// Which bastions to pass: none where the tool's own options settle that.
///
/// # Errors
/// A usage error where both do.
pub fn past(matches: &ArgMatches, given: &PassedOptions) -> Result<ProxyChoice> {
    match matches.get_one::<String>("proxy") {
        Some(_) if given.way => Err(Error::usage("--proxy contradicts the proxy in the options behind it")),
        Some(typed) => Ok(ProxyChoice::Machine(typed.clone())),
        None if given.way || matches.get_flag("no-proxy") => Ok(ProxyChoice::Nothing),
        None => Ok(ProxyChoice::Tagged),
    }
}

/// The tool's options for this way, but for those that were given: the tool takes the first of two.
pub fn way_options(way: &SshRoute, given: &PassedOptions, port: &str, alias: bool) -> Vec<OsString> {
    let mut words: Vec<String> = Vec::new();
    if alias && !given.alias {
        words.extend(["-o".to_owned(), format!("HostKeyAlias={}", way.machine.id)]);
    }
    if !way.hops.is_empty() && !given.way {
        let hops: Vec<String> = way.hops.iter().map(ToString::to_string).collect();
        words.extend(["-o".to_owned(), format!("ProxyJump={}", hops.join(","))]);
    }
    if let Some(number) = way.port.filter(|_| !given.port) {
        words.extend([port.to_owned(), number.to_string()]);
    }
    words.into_iter().map(OsString::from).collect()
}

/// Runs a command line, or prints it. It takes the place of this program where nothing is to be done after it.
///
/// # Errors
/// It cannot be run, or not be printed.
pub async fn run_or_print(app: &App, line: &[OsString], key: &SshKey, print: bool) -> Result<i32> {
    let Some((program, args)) = line.split_first() else { return Ok(0) };
    if !print {
        if app.globals.debug {
            app.say(&format!("* {}", shown(line)));
        }
        let mut command = std::process::Command::new(program);
        command.args(args);
        // ssh hands on what its SendEnv names, and runs a ProxyCommand.
        app.console.env.hand_on(&mut command);
        let signals = key.is_copy().then(|| Signals::with_quit(&app.heard)).transpose()?;
        let ran = match signals {
            Some(signals) => accompanied(command, signals).await,
            None => replaced(command),
        };
        return ran.map_err(|error| unable(&program.to_string_lossy(), error));
    }
    let words: Option<Vec<&str>> = line.iter().map(|word| word.to_str()).collect();
    let Some(words) = words else {
        return Err(Error::usage("an argument is not text (UTF-8), so the command line cannot be printed"));
    };
    let text = if app.globals.json() {
        crate::render::visible_json(&serde_json::json!(words).to_string()).into_owned()
    } else {
        shown(line)
    };
    app.streams.out(format!("{text}\n").as_bytes())?;
    Ok(0)
}

fn shown(line: &[OsString]) -> String {
    line.iter().map(|word| shell::quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Terminal, signals and exit code are then the tool's own. It returns only where that failed.
#[cfg(unix)]
fn replaced(mut command: std::process::Command) -> std::io::Result<i32> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

#[cfg(not(unix))]
fn replaced(mut command: std::process::Command) -> std::io::Result<i32> {
    Ok(command.status()?.code().unwrap_or(1))
}

/// Runs it as if it had taken the place of this program, and comes back: signals are handed on, and where it stops,
/// so does this.
#[cfg(unix)]
async fn accompanied(mut command: std::process::Command, mut signals: Signals) -> std::io::Result<i32> {
    use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};
    let child = command.spawn()?;
    let id = Pid::from_child(&child);
    let waited = move || {
        loop {
            match waitpid(Some(id), WaitOptions::UNTRACED) {
                Err(rustix::io::Errno::INTR) | Ok(None) => {}
                Err(error) => return Err(std::io::Error::from(error)),
                // A shell that sees this program stop takes its terminal back, and lets both go on later.
                Ok(Some((_, status))) if status.stopped() => drop(kill_process(getpid(), Signal::STOP)),
                Ok(Some((_, status))) => {
                    let killed = status.terminating_signal().map(|signal| 128 + signal);
                    return Ok(status.exit_status().or(killed).unwrap_or(1));
                }
            }
        }
    };
    let mut ended = std::pin::pin!(thread::beside(waited));
    loop {
        tokio::select! {
            biased;
            ended = &mut ended => return ended?,
            name = signals.next() => {
                let signal = match name {
                    "INT" => Signal::INT,
                    "HUP" => Signal::HUP,
                    "QUIT" => Signal::QUIT,
                    _ => Signal::TERM,
                };
                let _ = kill_process(id, signal);
            }
        }
    }
}

#[cfg(not(unix))]
async fn accompanied(command: std::process::Command, _signals: Signals) -> std::io::Result<i32> {
    replaced(command)
}

/// A tool that cannot be run.
pub fn unable(program: &str, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::other(format!("there is no {program} in the search path"))
            .hint("OpenSSH's client is to be installed; PATH says where it is looked for"),
        // Forwardings and file names come from the user, and may be more than the system takes.
        _ => Error::other(format!("cannot run {program}")).because(error),
    }
}

/// What finds the route for a command with these options.
///
/// # Errors
/// No such network, or the service did not answer.
pub(super) async fn finder<'a>(
    app: &'a App,
    client: &Client,
    matches: &ArgMatches,
    past: ProxyChoice,
) -> Result<RouteFinder<'a>> {
    let choice = address_options::typed(matches).choice(client).await?;
    let prints = matches.get_flag("print") || app.globals.dry_run;
    Ok(RouteFinder::new(app, client.clone(), past).choose(choice).await?.only_shows(prints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn what_stands_behind_the_machine_is_not_ours() {
        let words = |line: &[&str]| {
            let matches = command().try_get_matches_from(line).unwrap();
            let words = matches.get_many::<OsString>("machine").unwrap();
            (matches.get_flag("public"), words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>())
        };
        let line = ["ssh", "--public", "web1", "-l", "jill", "--private", "--", "ls", "--public"];
        assert_eq!(words(&line), (true, line[2..].iter().map(ToString::to_string).collect()));
        assert_eq!(words(&["ssh", "--", "web1", "-N"]).1, ["web1", "-N"]);
        assert!(command().try_get_matches_from(["ssh", "--no-such", "web1"]).is_err());
        assert!(command().try_get_matches_from(["ssh", "--public", "--private", "web1"]).is_err());
        assert!(command().try_get_matches_from(["ssh", "--no-proxy", "--proxy", "b", "web1"]).is_err());
    }
}
