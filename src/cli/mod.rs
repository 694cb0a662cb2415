//! The program: arguments in, text and an exit code out. It alone knows of terminals.

pub(crate) mod args;
mod change;
pub(crate) mod commands;
pub mod console;
pub(crate) mod execute;
mod names;
pub(crate) mod terminal;

pub use crate::cli::commands::local::generate;
pub use console::Console;
pub use terminal::streams::Streams;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::{ArgMatches, Command};

use crate::api::{CLOUDAPI, Resource};
use crate::auth::{Ask, Found, Key, KeyKind, RsaHash};
use crate::cli::args::globals::{self, Globals};
use crate::cli::args::{build, guard, hints, letters};
use crate::cli::commands::local::complete;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::signals::Heard;
use crate::cli::terminal::{exit, prompt};
use crate::client::{Builder, Client, Trace};
use crate::config::{Config, Flags, Route, Sources};
use crate::connect;
use crate::error::{Error, Hint, Kind, Result};
use crate::render;
use crate::tasks::Report;
use crate::tasks::lockout::Identity;

const ABOUT: &str = "SmartDataCenter / Triton clouds from the command line";
/// The commands in groups, as the help of the program shows them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Compute", &["machines", "images", "packages", "volumes", "run", "wait", "reap"]),
    ("Network", &["networks", "fabrics", "fwrules"]),
    ("Access", &["account", "keys", "accesskeys", "users", "roles", "policies", "role-tags", "rbac"]),
    ("Cloud", &["datacenters", "services", "changefeed", "ping", "api"]),
    ("This program", &["auth", "profile", "config", "emulator", "completion", "help"]),
];

/// What a newcomer types first.
const FIRST: &str = "\
Try it without a cloud:  sdc emulator exec -- sdc machines list
Save URL, account, key:  sdc profile create NAME --use, with -U, -a and -k
Diagnose:                sdc auth doctor, sdc config show
";

/// Where the rest is.
const TOPICS: &str = "\
More: sdc COMMAND --help; sdc help options, formatting, selectors, exit-codes,
environment, triton, smartdc";

/// No private key is longer, in bytes.
const LONGEST_KEY: u64 = 64 * 1024;

/// One run of the program.
pub struct App {
    /// The world outside.
    pub console: Console,
    /// Where it prints: those of the console.
    pub streams: Streams,
    /// How.
    pub globals: Globals,
    /// Which cloud, whose account, which key.
    pub config: Config,
    /// The key id that requests were signed for, and where the key came from.
    sent: OnceLock<String>,
    /// Who hears signals.
    heard: Arc<Heard>,
}

/// Runs the program with this process's arguments.
pub fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    keep_out_of_dumps();
    ExitCode::from(run(&args, &Console::process()))
}

/// Runs the program with these arguments, of which the first is its name, and returns its exit code. It makes a runtime
/// of its own, so it cannot be called from within one.
pub fn run(args: &[OsString], console: &Console) -> u8 {
    let streams = &console.streams;
    // Asked for by every script that checks its tools, and answered before anything is set up.
    if let [_, only] = args
        && (only == "--version" || only == "-V")
    {
        let text = concat!("sdc ", env!("CARGO_PKG_VERSION"), "\n");
        return ended(streams, false, streams.out(text.as_bytes()).map(|()| 0));
    }
    if let Some(answered) = complete::answered(args, console) {
        return ended(streams, false, answered.map(|()| 0));
    }
    // Taking the commands apart again would take as long as making them.
    let mut command = std::mem::ManuallyDrop::new(command(args));
    let matches = match command.try_get_matches_from_mut(args) {
        Ok(matches) => matches,
        Err(error) => return usage(console, args, error),
    };
    if let Err(error) = guard::check(&command, &matches, console) {
        return ended(streams, wants_json(args), Err(error));
    }
    let globals = globals::read(&matches).and_then(|(globals, flags)| Ok((globals, given_key(streams, flags)?)));
    let globals = match globals {
        Ok(globals) => globals,
        Err(error) => return ended(streams, wants_json(args), Err(error)),
    };
    let json = globals.0.json();
    ended(streams, json, start(console, globals, &matches))
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
    let bytes = streams.rest(LONGEST_KEY).map_err(fail)?;
    let text = crate::auth::key_text(&bytes);
    flags.key_material = Some(text);
    flags.key_file = None;
    Ok(flags)
}

fn start(console: &Console, (globals, flags): (Globals, Flags), matches: &ArgMatches) -> Result<i32> {
    let app = |config| App {
        console: console.clone(),
        streams: console.streams.clone(),
        globals: globals.clone(),
        config,
        sent: OnceLock::new(),
        heard: Arc::default(),
    };
    let config = match Config::load(&flags, &Sources::new(console.env.clone())) {
        Ok(config) => config,
        Err(error) => match commands::typed(matches) {
            Some((custom, matches)) if custom.needs_no_settings(matches) => Config::none(&console.env)?,
            Some((Custom { settings: Settings::Judged(judge), .. }, _)) => {
                return judge(&app(Config::none(&console.env)?), &error);
            }
            _ => return Err(letters::explained(&crate::cli::execute::verb(matches).0, &flags, error)),
        },
    };
    let app = app(config);
    for warning in &app.config.warnings {
        app.warn(warning);
    }
    let unverified = app.config.insecure.value && app.config.pins.is_none();
    if unverified && app.config.url.as_ref().is_some_and(|url| url.value.starts_with("https")) {
        app.warn(&format!("certificates are not verified ({})", app.config.insecure.origin));
    }
    let runtime = runtime()?;
    let code = runtime.block_on(app.run(matches));
    // A resolver or an agent that hangs must not hold up the end.
    runtime.shutdown_background();
    code.map_err(|error| letters::refused(&crate::cli::execute::verb(matches).0, &flags, app.explained(error)))
}

/// The command that these arguments ask for, as small as they allow: building the whole tree takes
/// longer than a signature.
fn command(args: &[OsString]) -> Command {
    let words: Vec<&str> = args.iter().skip(1).map_while(|arg| arg.to_str()).take(3).collect();
    let noun = words.first().and_then(|word| noun(word));
    noun.and_then(|noun| build::only(noun, &words[1..], commands::syntax, globals::add))
        .map_or_else(tree, |noun| root().subcommand(noun))
}

fn noun(word: &str) -> Option<&'static Resource> {
    CLOUDAPI.resources.iter().copied().find(|resource| resource.name == word || resource.aliases.contains(&word))
}

fn root() -> Command {
    Command::new("sdc")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
}

/// The whole tree.
pub fn tree() -> Command {
    globals::add_to_root(root())
        .subcommands(
            CLOUDAPI
                .resources
                .iter()
                .map(|noun| globals::add(commands::lay_over(noun.name, build::resource(noun, commands::syntax)))),
        )
        .subcommands(commands::top_level())
}

/// The whole tree with its pages of help.
pub fn pages() -> Command {
    let tree = args::pages::documented(tree(), "", commands::examples);
    let page = format!("{FIRST}\n{}\n{TOPICS}", grouped(&tree));
    tree.help_template("{about}\n\n{usage-heading} {usage}{after-help}").after_help(page)
}

/// The commands in their groups, a line each.
fn grouped(tree: &Command) -> String {
    let mut text = String::new();
    for (group, names) in GROUPS {
        text.push_str(&format!("{group}:\n"));
        for command in names.iter().filter_map(|name| tree.find_subcommand(name)) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:<12} {about}\n", command.get_name()));
        }
    }
    text
}

impl Report for App {
    fn say(&self, words: &str) {
        App::say(self, words);
    }

    fn warn(&self, words: &Hint) {
        App::warn(self, &exit::said(words));
    }
}

impl App {
    async fn run(&self, matches: &ArgMatches) -> Result<i32> {
        if let Some((custom, matches)) = commands::typed(matches) {
            return custom.start(self, matches).await;
        }
        let Some((word, matches)) = matches.subcommand() else { return Ok(0) };
        let found = CLOUDAPI
            .resources
            .iter()
            .copied()
            .find(|resource| resource.name == word)
            .and_then(|resource| Some((resource, crate::cli::execute::find(resource, matches)?)));
        let (resource, (op, matches)) = found.ok_or_else(|| Error::usage("this command does not exist"))?;
        crate::cli::execute::run(self, resource, op, matches).await
    }

    /// Words to a person; none when they would get between a script and its JSON errors.
    pub fn say(&self, line: &str) {
        if !self.globals.quiet && !self.globals.json() {
            self.streams.say(&exit::escaped(line));
        }
    }

    /// A warning: what is told to scripts too, unless they asked for quiet.
    pub fn warn(&self, words: &str) {
        match (self.globals.quiet, self.globals.json()) {
            (true, _) => {}
            (false, true) => {
                self.streams.say(&render::visible_json(&serde_json::json!({ "warning": words }).to_string()))
            }
            (false, false) => self.streams.say(&format!("warning: {}", exit::escaped(words))),
        }
    }

    /// A sign of life of what takes long: told to scripts too, unless they asked for quiet.
    pub fn pulse(&self, words: &str) {
        match (self.globals.quiet, self.globals.json()) {
            (true, _) => {}
            (false, true) => {
                self.streams.say(&render::visible_json(&serde_json::json!({ "progress": words }).to_string()))
            }
            (false, false) => self.streams.say(&exit::escaped(words)),
        }
    }

    /// A failure that does not end the command.
    pub fn report(&self, error: &Error) {
        report(&self.streams, self.globals.json(), error);
    }

    /// In whose name requests are sent.
    pub fn identity(&self) -> Identity {
        let config = &self.config;
        Identity {
            user: config.user.as_ref().map(|user| user.value.clone()),
            acting: config.act_as.as_ref().and(config.account.as_ref()).map(|account| account.value.clone()),
            roles: config.roles.as_ref().map(|roles| roles.value.clone()).unwrap_or_default(),
        }
    }

    /// A client that signs.
    ///
    /// # Errors
    /// No URL, no account, no usable key.
    pub fn client(&self) -> Result<Client> {
        // What is missing of the rest is told before a passphrase is asked for.
        let builder = connect::builder(&self.config)?;
        self.config.account()?;
        let found = self.key()?;
        for note in &found.notes {
            self.say(&format!("note: {note}"));
        }
        if let Key::File(key) = &found.key
            && let Some(exposed) = key.exposed()
        {
            self.warn(exposed);
        }
        self.signing(builder, found)
    }

    /// The key, asking for its passphrase if it has one.
    ///
    /// # Errors
    /// No usable key.
    pub fn key(&self) -> Result<Found> {
        connect::key(&self.config, &mut |ask| self.passphrase(&ask))
    }

    /// A client that signs with this key.
    ///
    /// # Errors
    /// No URL, no account, or a form of signing that the key does not know.
    pub fn client_with(&self, found: Found) -> Result<Client> {
        self.signing(connect::builder(&self.config)?, found)
    }

    fn signing(&self, builder: Builder, found: Found) -> Result<Client> {
        let rsa = match self.globals.rsa_hash.as_deref() {
            Some(name) => name.parse()?,
            None => RsaHash::default(),
        };
        if self.globals.rsa_hash.is_some() && !matches!(found.key.public().kind(), KeyKind::Rsa { .. }) {
            let words = format!("--rsa-hash is for RSA keys, and this one is {}", found.key.public().kind());
            return Err(Error::usage(words).hint("leave --rsa-hash out"));
        }
        let origin = found.origin.clone();
        let streams = self.streams.clone();
        let from = self.config.passphrase_file.as_ref().map(|file| file.value.clone());
        let signer = connect::signer(&self.config, rsa, found)?
            .asks(move |ask| prompt::passphrase(&streams, from.as_deref(), &ask.file, ask.attempt));
        let _ = self.sent.set(format!("{} from {origin}", signer.key_id()));
        self.traced(builder).signer(signer).build()
    }

    /// A client for what needs no signature.
    ///
    /// # Errors
    /// No URL.
    pub fn client_without_key(&self) -> Result<Client> {
        self.traced(connect::builder(&self.config)?).build()
    }

    fn traced(&self, builder: Builder) -> Builder {
        let streams = self.streams.clone();
        let say: Trace = Arc::new(move |line| streams.say(&exit::escaped(line)));
        let builder = builder.clock(Arc::clone(&self.console.clock));
        match (self.globals.debug, self.globals.quiet || self.globals.json()) {
            (true, _) => builder.trace(say),
            (false, true) => builder,
            (false, false) => builder.notice(say),
        }
    }

    fn passphrase(&self, ask: &Ask) -> Result<Option<secrecy::SecretString>> {
        let from = self.config.passphrase_file.as_ref().map(|file| file.value.as_path());
        if let Some(exposed) = from.filter(|_| ask.attempt == 1).and_then(prompt::exposed) {
            self.warn(&exposed);
        }
        prompt::passphrase(&self.streams, from, &ask.file, ask.attempt)
    }

    /// Adds what only the program knows: which key was sent, and where it came from.
    fn explained(&self, error: Error) -> Error {
        let Some(fault) = error.fault() else {
            let Ok(Route::Through(proxy)) = connect::route(&self.config) else { return error };
            // What could not connect has said so.
            let open = error.kind() == Kind::Unreachable && !error.message().contains(proxy.variable);
            return if open { error.hint(format!("the proxy {proxy} is used ({})", proxy.variable)) } else { error };
        };
        let (status, message) = (fault.status, fault.message.clone());
        if error.kind() != Kind::Auth {
            return error;
        }
        let error = match status {
            401 => {
                let sent = self.sent.get().map_or("no key", String::as_str);
                let which = connect::key_id(&self.config).map(|id| format!(" (chosen by {})", id.origin));
                error.hint(format!("the key sent was {sent}{}", which.unwrap_or_default()))
            }
            _ => error,
        };
        let error = self.refusal(status, &message).into_iter().fold(error, Error::hint);
        if status == 401 { error.hint(Hint::run("to see what is wrong", "auth doctor")) } else { error }
    }

    /// What to look at when the service takes neither this key (401) nor its rights (403).
    fn refusal(&self, status: u16, message: &str) -> Vec<String> {
        let config = &self.config;
        let user = config.user.as_ref();
        let account = config.account().unwrap_or_default();
        let acting = config.act_as.as_ref().map(|other| format!(" on {} ({})", other.value, other.origin));
        let acting = acting.unwrap_or_default();
        match (status, user, &config.roles) {
            (401, Some(user), _) => vec![
                format!(
                    "sub-user {} ({}) needs a key of its own: the account's keys do not count",
                    user.value, user.origin
                ),
                "logins and the names of keys are case-sensitive".to_owned(),
            ],
            (401, None, _) => {
                vec!["is that key on that account? logins and the names of keys are case-sensitive".to_owned()]
            }
            (403, user, roles) if user.is_some() || roles.is_some() => {
                let roles = roles.as_ref();
                let names = roles.map(|roles| roles.value.join(", ")).unwrap_or_default();
                let of = user.map(|user| format!("sub-user {} of ", user.value)).unwrap_or_default();
                let who = format!("asked as {of}the account {account}{acting}");
                match (roles, asked_for(message)) {
                    // The roles are there: it is what they allow.
                    (_, Some((path, action))) => {
                        let active = roles.map_or_else(
                            || "by its default roles; with others: --role NAME".to_owned(),
                            |roles| format!("in {names} ({})", roles.origin),
                        );
                        let mut hints = vec![format!("{who}, {active}")];
                        hints.extend(needed(&path, &action));
                        hints
                    }
                    (Some(roles), None) if roles.value.len() > 1 => {
                        vec![format!("are there the roles {names} ({}), and do they allow this? {who}", roles.origin)]
                    }
                    (Some(roles), None) => {
                        vec![format!("is there a role {names} ({}), and does it allow this? {who}", roles.origin)]
                    }
                    (None, None) => vec![format!("{who}; with a role: --role NAME")],
                }
            }
            (403, ..) => vec![format!("asked as the account {account}{acting}")],
            _ => Vec::new(),
        }
    }
}

/// The path and the action of `You do not have permission to access PATH (ACTION)`.
fn asked_for(message: &str) -> Option<(String, String)> {
    let (_, asked) = message.split_once(" to access ")?;
    let (path, action) = asked.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let plain = |text: &str| text.len() < 200 && text.chars().all(|letter| letter.is_ascii_graphic());
    (path.starts_with('/') && plain(path) && plain(action)).then(|| (path.to_owned(), action.to_owned()))
}

/// What must be so for a sub-user to be let in: both a rule that allows the action, and a tag on what it is about.
fn needed(path: &str, action: &str) -> Vec<String> {
    let mut hints = vec![format!("an active role needs a policy with a rule that allows it: CAN {action}")];
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').skip(1).collect();
    match parts.as_slice() {
        [] | [""] => {
            hints.push("and the account must be tagged with that role: sdc role-tags add account ROLE".to_owned())
        }
        [collection] => {
            let tagged = crate::api::cloudapi::role_tags::COLLECTIONS.iter().any(|(name, _)| name == collection);
            let tag = format!("the collection must be tagged with that role: sdc role-tags add {collection} ROLE; or ");
            let tag = if tagged { tag } else { String::new() };
            hints.push(format!("and {tag}the rule must name what it is about: CAN {action} *"));
            if *collection == "machines" {
                hints.push("one machine by its id needs no right to list them: sdc machines get UUID".to_owned());
            }
        }
        [collection, id, ..] => {
            let tagged = crate::api::cloudapi::role_tags::COLLECTIONS.iter().any(|(name, _)| name == collection);
            let tag = format!("it must be tagged with that role: sdc role-tags add {collection}/{id} ROLE; or ");
            let tag = if tagged { tag } else { String::new() };
            hints.push(format!("and {tag}the rule must name what it is about: CAN {action} *"));
        }
    }
    hints
}

/// What runs a command.
///
/// # Errors
/// Too few files may be open.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    let failed = |error: std::io::Error| {
        Error::other("cannot start: too few files may be open at once").because(error).hint("ulimit -n 256")
    };
    // It opens some itself, and panics where it cannot.
    #[cfg(unix)]
    let probe = (0..3).map(|_| std::os::unix::net::UnixStream::pair()).collect::<std::io::Result<Vec<_>>>();
    #[cfg(unix)]
    drop(probe.map_err(failed)?);
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)
}

/// Lets no core dump and no debugger have what is in memory. Programs that are started do not inherit it. Where the
/// system refuses, there is nothing to be done about it.
fn keep_out_of_dumps() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
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
    if let Some(error) = guard::misplaced(args, console) {
        return ended(streams, wants_json(args), Err(error));
    }
    if let Some(error) = hints::instead(args, &error) {
        return ended(streams, wants_json(args), Err(error));
    }
    let hint = hints::of(args, &mut error, console.now());
    guard::veil(&mut error);
    hints::spell_out(&mut error);
    let told = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let colour = globals::colour(&Globals::default(), &console.env, streams.stdout_tty);
            let text = if colour { told.ansi().to_string() } else { told.to_string() };
            let text = if error.kind() == ErrorKind::DisplayHelp { globals::left_out(&text) } else { text };
            ended(streams, false, streams.out(text.as_bytes()).map(|()| 0))
        }
        _ if wants_json(args) => {
            let words = told.to_string();
            let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            ended(streams, true, Err(lines.map(str::to_owned).chain(hint).fold(Error::usage(first), Error::hint)))
        }
        _ => {
            let colour = globals::colour(&Globals::default(), &console.env, streams.stderr_tty);
            let text = if colour { told.ansi().to_string() } else { told.to_string() };
            let page = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
            streams.say(if page { globals::left_out(&text) } else { text }.trim_end());
            if let Some(hint) = hint {
                streams.say(&format!("  hint: {hint}"));
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

fn report(streams: &Streams, json: bool, error: &Error) {
    streams.say(&if json { exit::json(error) } else { exit::words(error) });
}

fn ended(streams: &Streams, json: bool, outcome: Result<i32>) -> u8 {
    match outcome {
        Ok(code) => u8::try_from(code).unwrap_or(1),
        Err(error) => {
            if error.kind() != Kind::ClosedPipe {
                report(streams, json, &error);
            }
            exit::code(error.kind()).0
        }
    }
}
