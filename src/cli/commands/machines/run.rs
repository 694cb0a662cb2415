//! `sdc run`: a machine for one command. It is made, used and deleted again, whatever happens meanwhile; what cannot
//! be deleted carries the time after which `sdc reap` removes it. How a machine is reached is `ways`'.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use tokio::time::Instant;

use super::ssh::{unable, way_options};
use super::ssh_key::SshKey;
use crate::api::cloudapi::machines;
use crate::cli::app::App;
use crate::cli::args::build::{self, Syntax};
use crate::cli::args::waiting;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::resume;
use crate::cli::sources;
use crate::cli::terminal::progress::Progress;
use crate::cli::terminal::signals::Signals;
use crate::client::{Client, Time, Wait, Watch};
use crate::error::{Cleanup, CommandLine, Error, Hint, Kind, Result, Target};
use crate::grammar::range;
use crate::grammar::shell;
use crate::grammar::ssh_options::PassedOptions;
use crate::request::{Arg as Value, Request};
use crate::tasks::addresses;
use crate::tasks::call::Call;
use crate::tasks::create::EXPIRES_TAG;
use crate::tasks::create::{self, CreateOptions, Created, Existing, Own, OwnRemoved, Removed};
use crate::tasks::explain;
use crate::tasks::resolve;
use crate::tasks::route::{ProxyChoice, RouteFinder, SshRoute};
use crate::tasks::values;

/// `sdc run`.
pub(crate) static COMMAND: Custom = Custom {
    path: "run",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&machines::CREATE, &machines::GET, &machines::DELETE])],
    examples: "run --image base-64 --package g1-small -- uname -a\n\
         run --image base-64 --package g1-small --copy src --ttl 30m -- make -C src",
    previews: true,
    settings: Settings::Needed,
};

/// How long the machine is wanted unless told otherwise.
const TTL: Duration = Duration::from_secs(3600);
/// How long the end of the machine is waited for.
const DELETE_TIMEOUT: Duration = Duration::from_secs(120);
/// Between two tries to log in.
const LOGIN_INTERVAL: Duration = Duration::from_secs(2);
/// What ssh ends with when it could not connect.
const NO_CONNECTION: i32 = 255;

/// The command and its options.
pub fn command() -> Command {
    let own = |id: &'static str| Arg::new(id).long(id).value_parser(NonEmptyStringValueParser::new());
    let command = Command::new("run")
        .about("Run a command on a new machine, and delete the machine afterwards")
        .override_usage("sdc run IMAGE PACKAGE [OPTIONS] -- COMMAND...")
        .before_long_help(
            "The machine is created, waited for until somebody can log in with ssh, given --copy, and used: the \
             command's input, output and errors are those of sdc. Then it is deleted, whether the command \
             succeeded, failed, took longer than --ttl, or was interrupted. A second interruption leaves at once; \
             the machine then has the tag sdc.expires, and `sdc reap --expired` removes it.\n\n\
             The exit code is the command's own. Where sdc itself failed, the last line on stderr begins with \
             `error:` (with --json it is an object `{\"error\":...}`), and the code is one of `sdc help \
             exit-codes`: 8 if the machine failed, 9 if it was not ready in --timeout or its --ttl ran out, 130 \
             if interrupted. ssh ends with 255 if the connection broke.\n\n\
             A single argument after -- is run by the remote shell; several are passed unchanged. The key is the \
             one that sdc signs with (ssh gets a private copy of it where it would not read its file), or one that ssh \
             knows of.",
        );
    build::fields(command, &machines::CREATE)
        .arg(own("ttl").value_name("TIME").help("Lifetime of the machine: 30m, 2h [default: 1h]"))
        .arg(own("timeout").value_name("TIME").help("Time limit until it is ready [default: 10m]"))
        .arg(
            Arg::new("copy")
                .long("copy")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Copy this folder or file to the remote home folder first"),
        )
        .arg(own("login").short('l').value_name("USER").help("Log in as this user instead of the image's"))
        .arg(
            Arg::new("command")
                .value_name("COMMAND")
                .required(true)
                .last(true)
                .num_args(1..)
                .value_parser(value_parser!(OsString))
                .help("What to run there"),
        )
}

/// What is to be done.
struct Job {
    call: Call,
    key: String,
    ttl: Duration,
    ready: Duration,
    copy: Option<PathBuf>,
    user: Option<String>,
    words: Vec<String>,
    /// What ssh logs in with.
    ssh_key: SshKey,
}

impl Job {
    fn read(app: &App, matches: &ArgMatches) -> Result<Job> {
        let sends = !app.globals.dry_run;
        if sends && app.globals.jq.is_some() || app.globals.output.as_deref().is_some_and(|output| output != "json") {
            return Err(Error::usage("the output is the command's, so --output and --jq have no meaning here"));
        }
        let ttl = matches.get_one::<String>("ttl");
        let ttl = ttl.map_or(Ok(TTL), |text| crate::config::duration("--ttl", text))?;
        let ready = waiting::patience(matches, &app.config.defaults)?;
        let user = matches.get_one::<String>("login").map(|user| addresses::typed_user(user)).transpose()?;
        let copy = matches.get_one::<PathBuf>("copy").map(|dir| {
            let dir = app.console.at_home(dir);
            dir.canonicalize()
                .map_err(|error| Error::usage(format!("--copy: cannot read {}", dir.display())).because(error))
        });
        let words: Vec<OsString> = matches.get_many::<OsString>("command").into_iter().flatten().cloned().collect();
        let words = words.into_iter().map(OsString::into_string).collect::<std::result::Result<Vec<_>, _>>();
        let words = words.map_err(|word| Error::usage(format!("'{}' is not text (UTF-8)", word.display())))?;
        if words.iter().all(|word| word.trim().is_empty()) {
            return Err(Error::usage("the command is empty: is a variable unset?"));
        }
        let mut args = values::fields(
            &machines::CREATE,
            &crate::cli::args::given::read(&machines::CREATE, matches)?,
            &app.console,
        )?;
        sources::complete(app, &machines::CREATE, &mut args)?;
        let doubts = app.console.take_doubts().into_iter().chain(values::doubts(&machines::CREATE, &args));
        doubts.for_each(|doubt| app.warn(&doubt));
        if args.get("deletion_protection").is_some() {
            return Err(Error::usage(
                "--deletion-protection: a machine that is made for one command must be deleted after it",
            ));
        }
        if let Some(name) = args.text("name")
            && range::names(name)?.is_some()
        {
            return Err(Error::usage(format!("'{name}' stands for several machines, and a command runs on one")));
        }
        let id = unique();
        if args.get("name").is_none() {
            args.push("name", Value::Text(format!("run-{}", id.get(..8).unwrap_or(&id))));
        }
        let tag = format!("tag.{EXPIRES_TAG}");
        if args.get(&tag).is_some() {
            return Err(Error::usage(format!("the tag {EXPIRES_TAG} is given, which --ttl sets")));
        }
        let key = format!("run-{id}");
        args.push(tag, Value::Text(create::expiry(ttl, app.console.now())?));
        Ok(Job {
            call: Call::new(args),
            key,
            ttl,
            ready,
            copy: copy.transpose()?,
            user: user.map(str::to_owned),
            words,
            ssh_key: SshKey::default(),
        })
    }

    /// The command as ssh passes it on: a text that a shell reads.
    fn line(&self) -> String {
        match self.words.as_slice() {
            [line] => line.clone(),
            words => words.iter().map(|word| shell::quoted(word)).collect::<Vec<_>>().join(" "),
        }
    }
}

/// Runs it and returns the command's exit code.
///
/// # Errors
/// The machine could not be made, reached or used in time; an interruption.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut job = Job::read(app, matches)?;
    if !app.globals.dry_run && !app.globals.curl && cfg!(unix) {
        // What the command writes would be lost.
        app.streams.open_out()?;
        look_for(&app.console.env, "ssh")?;
        if job.copy.is_some() {
            look_for(&app.console.env, "scp")?;
        }
    }
    let client = app.client()?;
    resolve::fields(&client, &machines::CREATE, &mut job.call.args).await?;
    let making = CreateOptions::once(job.key.clone())?;
    making.mark(&mut job.call.args)?;
    let request = client.request(&machines::CREATE, &job.call.args)?;
    if app.globals.dry_run || app.globals.curl {
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    // From now on a signal leaves no key behind.
    let (signals, begun) = (Signals::with_quit(&app.heard)?, Instant::now());
    job.ssh_key = SshKey::of(app, &client)?;
    let mut run = Run { app, client: &client, job: &job, signals, begun, interrupted: false, late: false, asked: None };
    let asked = job.call.args.text("name").unwrap_or_default().to_owned();
    let on_it = |error: Error| error.on(Target { noun: "machine", id: None, name: asked.clone() });
    let made = run.create(&making, &request).await.map_err(on_it)?;
    let (made, id) = run.created(made.and_then(identified)).await.map_err(on_it)?;
    run.asked.clone_from(&made.request_id);
    let called = made.machine.first().and_then(|row| row.text("/name").map(|name| name.into_owned()));
    let target = Target { noun: "machine", id: Some(id.clone()), name: called.unwrap_or_default() };
    let name = format!("machine {} ({id})", target.name);
    app.say(&format!("{name}: create requested"));
    let outcome = run.use_it(&id, &name).await;
    let own = Own::of(&job.call, &made, Some(&job.key));
    let removed = run.remove(&id, &name, &own).await.map_err(|error| error.on(target.clone()))?;
    let removed = removed.map_err(|error| error.on(target.clone()));
    let cleanup = match &removed {
        Ok(words) => {
            app.say(&format!("{name}: {words}"));
            Cleanup::Deleted
        }
        Err(error) => {
            app.report(error);
            Cleanup::Unknown
        }
    };
    let ended = match (outcome, removed) {
        (None, _) => Err(Error::new(Kind::Interrupted, "interrupted")),
        (Some(Ok(code)), _) if run.interrupted => {
            Err(Error::new(Kind::Interrupted, format!("interrupted; the command had ended with {code}")))
        }
        (Some(Err(error)), _) if run.interrupted => Err(Error::new(Kind::Interrupted, "interrupted").because(error)),
        // A command that went well is no success where a machine is left that costs.
        (Some(Ok(0)), Err(error)) => Ok(i32::from(crate::cli::terminal::exit::code(error.kind()).0)),
        (Some(outcome), _) => outcome,
    };
    ended.map_err(|error| {
        // Nothing that could be done with a machine helps once that is gone.
        let error = match cleanup {
            Cleanup::Deleted => error.without_body().without_hints_of("machines delete"),
            // What is known of how to delete it is told with why it is not deleted.
            _ => error.without_hints_of("machines delete"),
        };
        error.cleaned(cleanup).on(target)
    })
}

/// What was made, with its id.
fn identified(made: Created) -> Result<(Created, String)> {
    let id = made.machine.first().and_then(|row| row.text("/id").map(|id| id.into_owned()));
    match id.filter(|id| resolve::is_uuid(id)) {
        Some(id) => Ok((made, id)),
        None => Err(Error::new(Kind::Unreachable, "what is there is not a machine: it has no id").in_doubt()),
    }
}

/// A run under way, and what has ended it.
struct Run<'a> {
    app: &'a App,
    client: &'a Client,
    job: &'a Job,
    signals: Signals,
    begun: Instant,
    interrupted: bool,
    /// No machine was known when it should have been ready.
    late: bool,
    /// The request id of its creation.
    asked: Option<String>,
}

impl Run<'_> {
    /// Creates the machine. Once it is sent, its answer is worth waiting for: without the id nothing can be deleted.
    ///
    /// # Errors
    /// The interruption that leaves at once, or came before anything was sent.
    async fn create(&mut self, making: &CreateOptions, request: &Request) -> Result<Result<Created>> {
        // The key is this run's own: nothing of it can be there.
        let before = Existing::default();
        let halt = Arc::new(AtomicBool::new(false));
        let watch = Arc::new(Watch::new(Arc::clone(&halt)));
        let (app, job) = (self.app, self.job);
        let watched = self.client.watched(Arc::clone(&watch));
        let mut sending = std::pin::pin!(making.made(&watched, &machines::CREATE, &job.call, request, &before));
        loop {
            tokio::select! {
                biased;
                _ = self.signals.next() => match std::mem::replace(&mut self.interrupted, true) {
                    _ if !watch.is_out() => {
                        return Err(Error::new(Kind::Interrupted, "interrupted: no machine was made"));
                    }
                    false => {
                        halt.store(true, Ordering::SeqCst);
                        app.say("interrupted: the machine is deleted as soon as it is known; once more leaves at once");
                    }
                    true => return Err(left(app, &format!("a machine with the tag sdc.idempotency-key={}", job.key), None)),
                },
                () = tokio::time::sleep_until(self.begun + job.ready), if !self.late => {
                    self.late = true;
                    halt.store(true, Ordering::SeqCst);
                    app.say(&format!("no machine is known after {:?}: it is deleted as soon as it is", job.ready));
                }
                made = &mut sending => return Ok(made),
            }
        }
    }

    /// Says what came of creating it. A service that was slower than anybody looked has made two: all of this key are
    /// this run's own, and are deleted.
    async fn created<T>(&mut self, made: Result<T>) -> Result<T> {
        let (app, job) = (self.app, self.job);
        if let Err(error) = &made
            && error.kind() == Kind::Ambiguous
        {
            tokio::select! {
                removed = remove_all(app, self.client, job) => removed?,
                _ = self.signals.next() => {
                    return Err(left(app, &format!("machines with the tag sdc.idempotency-key={}", job.key), None));
                }
            }
        }
        made.map_err(|error| {
            let doubt = matches!(error.kind(), Kind::Unreachable | Kind::Throttled | Kind::Other);
            let error = match error.kind() {
                Kind::Interrupted if self.late => {
                    let error = Error::new(Kind::TimedOut, format!("no machine was made in {:?}", job.ready));
                    error.hint("to wait longer: --timeout TIME")
                }
                Kind::Interrupted => Error::new(Kind::Interrupted, "interrupted: no machine was made"),
                _ if self.interrupted => Error::new(Kind::Interrupted, "interrupted").because(error),
                _ => error,
            };
            match doubt {
                true => {
                    let tag = format!("sdc.idempotency-key={}", job.key);
                    let look = CommandLine::new("machines list").on(format!("tag.{tag}")).and(resume::cloud(app));
                    let words = format!("should there be a machine with the tag {tag} after all");
                    let end = job.call.args.text(&format!("tag.{EXPIRES_TAG}")).unwrap_or_default();
                    let reap = CommandLine::new("reap --expired").and(resume::cloud(app));
                    let error = error.hint(Hint::run("whether it is there", look));
                    error.hint(Hint::run(words, reap).then(format!(", after {end}")))
                }
                false => error,
            }
        })
    }

    /// Runs the command on it, unless its time is over or it is interrupted: nothing is the answer then.
    async fn use_it(&mut self, id: &str, name: &str) -> Option<Result<i32>> {
        let (app, job) = (self.app, self.job);
        if self.interrupted {
            return None;
        }
        if self.late {
            let words = format!("{name}: not ready after {:?}", job.ready);
            return Some(Err(Error::new(Kind::TimedOut, words).hint("to wait longer: --timeout TIME")));
        }
        let created = (id, name, self.asked.as_deref());
        let using = tokio::time::timeout_at(self.begun + job.ttl, used(app, self.client, job, created, self.begun));
        tokio::select! {
            biased;
            _ = self.signals.next() => {
                self.interrupted = true;
                None
            }
            outcome = using => Some(outcome.unwrap_or_else(|_| {
                let words = format!("{name}: its time of {:?} ran out", job.ttl);
                Err(Error::new(Kind::TimedOut, words).hint("to have it longer: --ttl TIME"))
            })),
        }
    }

    /// Deletes it again.
    ///
    /// # Errors
    /// The interruption that leaves at once.
    async fn remove(&mut self, id: &str, name: &str, own: &Own) -> Result<Result<&'static str>> {
        let app = self.app;
        let deleting = || app.tell(&format!("interrupted: {name} is to be deleted; once more leaves at once"));
        if self.interrupted {
            deleting();
        }
        let mut removing = std::pin::pin!(removed(app, self.client, id, own));
        loop {
            tokio::select! {
                biased;
                _ = self.signals.next() => match std::mem::replace(&mut self.interrupted, true) {
                    false => deleting(),
                    true => return Err(left(app, name, Some(id))),
                },
                removed = &mut removing => return Ok(removed),
            }
        }
    }
}

/// Who leaves without an end says what is left.
fn left(app: &App, what: &str, id: Option<&str>) -> Error {
    let error = Error::new(Kind::Interrupted, format!("interrupted: {what} may still be there"));
    ways_to_remove(app, error, id)
}

/// The error with the commands that remove the machine.
fn ways_to_remove(app: &App, error: Error, id: Option<&str>) -> Error {
    let cloud = || resume::cloud(app);
    let now = id.map(|id| CommandLine::new("machines delete").on(id).with("--yes").and(cloud()));
    let error = now.into_iter().fold(error, |error, now| error.hint(Hint::run("to delete it", now)));
    error.hint(Hint::run("when its time is over", CommandLine::new("reap --expired").and(cloud())))
}

/// Deletes all machines of the key.
async fn remove_all(app: &App, client: &Client, job: &Job) -> Result<()> {
    let key = &job.key;
    let own = Own { sent: job.call.args.text("name").map(str::to_owned), key: Some(key.clone()), ..Own::default() };
    let mut failed = None;
    for id in create::of_key(client, key).await? {
        match removed(app, client, &id, &own).await {
            Ok(words) => app.say(&format!("machine {id}: {words}")),
            // The others are deleted all the same.
            Err(error) => failed.replace(error).iter().for_each(|error| app.report(error)),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Refuses to begin what could not be carried out.
fn look_for(env: &crate::config::Env, tool: &str) -> Result<()> {
    // Without one, the system has its own.
    let Some(path) = env.var_os("PATH") else { return Ok(()) };
    match std::env::split_paths(&path).any(|dir| dir.join(tool).is_file()) {
        true => Ok(()),
        false => Err(unable(tool, std::io::ErrorKind::NotFound.into())),
    }
}

/// Waits for the machine, brings there what is to be copied, and runs the command.
async fn used(
    app: &App,
    client: &Client,
    job: &Job,
    (id, name, asked): (&str, &str, Option<&str>),
    begun: Instant,
) -> Result<i32> {
    let deadline = begun + job.ready;
    let waiting = Wait {
        state: None,
        op: &machines::CREATE,
        args: job.call.args.clone().set("machine", id),
        name: name.strip_prefix("machine ").unwrap_or(name),
        since: None,
        before: Default::default(),
        time: Time::since(begun, job.ready),
    };
    let progress = Progress::new(&app.voice, app.console.is_dumb(), vec![name.to_owned()]);
    // What nobody has seen has no state.
    let told = |state: &str| {
        if !state.is_empty() {
            progress.tell(0, state);
        }
    };
    let ready = progress.during(client.wait(waiting, told)).await;
    // The machine is deleted, so nothing more comes of it.
    match ready {
        Ok(_) => {}
        Err(error) if error.kind() == Kind::TimedOut => {
            return Err(Error::new(Kind::TimedOut, error.message()).hint("to wait longer: --timeout TIME"));
        }
        Err(error) if error.kind() == Kind::FailedState => {
            let error = explain::explain(client, id, Some(&machines::CREATE), asked, error).await;
            return Err(error.without_hints_of("machines create").hint("once more: the same command again"));
        }
        Err(error) => return Err(error),
    }
    let mut finder = RouteFinder::new(app, client.clone(), ProxyChoice::Tagged);
    let way = finder.way(id, job.user.as_deref()).await?;
    let tool = Tool { app, way: &way, key: &job.ssh_key };
    progress.tell(0, "waiting for ssh");
    let told = |why: &str| progress.tell(0, &format!("waiting for ssh: {why}"));
    if let Some(why) = progress.during(tool.refuses(deadline, told)).await {
        let words = format!("{name}: nobody can log in as {} after {:?}", way.user, job.ready);
        let why = if why.is_empty() { "ssh could not connect" } else { &why };
        let error = Error::new(Kind::TimedOut, words).hint(format!("ssh says: {why}"));
        let error = match &app.config.user {
            Some(user) => error.hint(format!(
                "a machine lets in the account's keys; those of sub-user {} only by the role administrator",
                user.value
            )),
            None => error,
        };
        return Err(error.hint("to wait longer: --timeout TIME"));
    }
    // From here on the terminal is the command's.
    drop(progress);
    if let Some(dir) = &job.copy {
        let mut copy = tool.scp(dir);
        let ended = copy.status().await.map_err(|error| unable("scp", error))?;
        if !ended.success() {
            return Err(Error::other(format!("{name}: cannot copy {}: scp failed", dir.display())));
        }
    }
    let ended = tool.ssh(&job.line()).status().await.map_err(|error| unable("ssh", error))?;
    match ended.code() {
        Some(code) => Ok(code),
        None => Err(Error::other(format!("{name}: ssh was ended by a signal"))),
    }
}

/// The tools of OpenSSH, led to the machine. What is dropped is ended.
struct Tool<'a> {
    app: &'a App,
    way: &'a SshRoute,
    key: &'a SshKey,
}

impl Tool<'_> {
    fn options(&self, port: &str) -> Vec<OsString> {
        // Nobody can be asked, and nobody has seen the key of a machine that was made a minute ago.
        let fixed = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=10"];
        let mut words: Vec<OsString> = fixed.into_iter().map(OsString::from).collect();
        words.extend(self.key.options());
        words.extend(way_options(self.way, &PassedOptions::default(), port, true));
        words
    }

    fn command(&self, tool: &str, words: Vec<OsString>) -> tokio::process::Command {
        let mut command = std::process::Command::new(tool);
        command.args(words);
        self.app.console.env.hand_on(&mut command);
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        command
    }

    fn ssh(&self, line: &str) -> tokio::process::Command {
        let mut words = self.options("-p");
        words.extend([format!("{}@{}", self.way.user, self.way.ip).into(), line.into()]);
        self.command("ssh", words)
    }

    fn scp(&self, dir: &std::path::Path) -> tokio::process::Command {
        let mut words = vec![OsString::from("-rq")];
        words.extend(self.options("-P"));
        words.extend(["--".into(), dir.as_os_str().to_owned()]);
        words.push(format!("{}@{}:", self.way.user, addresses::bracketed(self.way.ip)).into());
        let mut command = self.command("scp", words);
        // What scp says belongs among the words, not in the command's output.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Waits until somebody can log in: nothing if so, else what ssh said last when the time was over. Each new reason
    /// is told.
    async fn refuses(&self, deadline: Instant, told: impl Fn(&str)) -> Option<String> {
        let mut before = String::new();
        loop {
            let why = match tokio::time::timeout_at(deadline, self.answers()).await {
                Ok(None) => return None,
                Ok(Some(why)) => why,
                Err(_) => "it did not answer".to_owned(),
            };
            if Instant::now() + LOGIN_INTERVAL >= deadline {
                return Some(why);
            }
            if !why.is_empty() && why != before {
                told(&why);
                before = why;
            }
            tokio::time::sleep(LOGIN_INTERVAL).await;
        }
    }

    /// Whether somebody can log in: nothing if so, else why not, as ssh says it.
    async fn answers(&self) -> Option<String> {
        let mut probe = self.ssh("true");
        probe.stdin(Stdio::null());
        match probe.output().await {
            Ok(output) if output.status.code() != Some(NO_CONNECTION) => None,
            Ok(output) => Some(reason(&String::from_utf8_lossy(&output.stderr))),
            // It is told when the command itself is run.
            Err(_) => None,
        }
    }
}

/// Why ssh could not log in, in one line. The last thing it says is often not the reason: a key that it does not read
/// is told before.
fn reason(said: &str) -> String {
    /// It says so of every new machine, and after each key that it ignores.
    const IDLE: [&str; 4] =
        ["Warning: Permanently added", "This private key will be ignored", "It is required that your private", "@"];
    let mut lines: Vec<&str> = Vec::new();
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !IDLE.iter().any(|idle| line.starts_with(idle)) && !lines.contains(&line) {
            lines.push(line);
        }
    }
    let last = lines.len().saturating_sub(3);
    lines.get(last..).unwrap_or_default().join("; ").chars().take(400).collect()
}

/// Deletes the machine and waits until it is gone. Returns what became of it, in words.
async fn removed(app: &App, client: &Client, id: &str, own: &Own) -> Result<&'static str> {
    match create::remove_own(client, id, own, DELETE_TIMEOUT, || {}).await {
        Ok(OwnRemoved::Sent(Removed::Deleted)) => Ok("deleted again"),
        Ok(OwnRemoved::Sent(Removed::Gone)) => Ok("was gone already"),
        // The service said that it was made, and may yet show it.
        Ok(OwnRemoved::Sent(Removed::Unknown)) => {
            let look = CommandLine::new("machines get").on(id).and(resume::cloud(app));
            let error = Error::new(Kind::NotFound, format!("machine {id} was not found, and so not deleted"));
            Err(ways_to_remove(app, error.hint(Hint::run("whether it is there", look)), Some(id)))
        }
        Ok(OwnRemoved::Doubtful(doubt)) => {
            let error = Error::new(Kind::Unreachable, format!("{doubt}: nothing is deleted"));
            let error = match own.name() {
                Some(name) => {
                    let look = CommandLine::new("machines get").on(name).and(resume::cloud(app));
                    error.hint(Hint::run("what was made may be left; whether it is there", look))
                }
                None => error,
            };
            Err(ways_to_remove(app, error, None))
        }
        Err(error) => Err(ways_to_remove(app, error.about(&format!("machine {id} is left")), Some(id))),
    }
}

/// 16 digits that no other run has.
fn unique() -> String {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
        super::super::reap::command().debug_assert();
    }

    #[test]
    fn why_ssh_does_not_log_in_is_told_and_not_its_last_words_alone() {
        let said = "Warning: Permanently added '10.0.0.1' (ED25519) to the list of known hosts.\r\n@@@@@@@@@@\r\n\
            @   WARNING: UNPROTECTED PRIVATE KEY FILE!   @\r\n@@@@@@@@@@\r\nPermissions 0644 for 'k' are too open.\r\n\
            It is required that your private key files are NOT accessible by others.\r\n\
            This private key will be ignored.\r\nLoad key \"k\": bad permissions\r\nroot@10.0.0.1: Permission denied \
            (publickey).\r\n";
        let expected = "Permissions 0644 for 'k' are too open.; Load key \"k\": bad permissions; \
            root@10.0.0.1: Permission denied (publickey).";
        assert_eq!(reason(said), expected);
        assert_eq!(reason(""), "");
        assert_eq!(reason("a\nb\na\nc\nd\n"), "b; c; d");
    }

    #[test]
    fn each_run_has_a_name_of_its_own() {
        assert_ne!(unique(), unique());
        assert_eq!(unique().len(), 16);
    }

    #[test]
    fn the_time_is_over_after_the_ttl_and_is_written_in_utc() {
        let time = create::expiry(Duration::from_secs(3600), 0).unwrap();
        assert!(time.ends_with('Z') && time.len() == "2030-01-31T18:00:00Z".len(), "{time}");
        let left = time.parse::<jiff::Timestamp>().unwrap().as_second();
        assert!(left > 3500, "{left}");
    }
}
