//! `sdc auth doctor`: everything between the settings and a signed answer, one line a step, each with
//! what to do about it.

use std::time::Duration;

use clap::{ArgMatches, Command};

use crate::api::{self, Column, column};
use crate::auth::{Form, Found, Key, look};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::{exit, prompt};
use crate::client::Client;
use crate::config::Route;
use crate::connect;
use crate::error::{CommandLine, Error, Hint, Kind, OfTls, Part, Result};
use crate::render;
use crate::request::Args;
use crate::response::Response;
use crate::tasks::overview;

/// `sdc auth`.
pub(crate) static COMMAND: Custom = Custom {
    path: "auth",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "auth doctor\nauth doctor --json",
    previews: false,
    settings: Settings::Judged(unsettled),
};

const COLUMNS: &[Column] = &[column("status").stays(), column("check").stays(), column("message"), column("fix")];
/// How far the clocks may be apart before it is worth a word; the service takes 300 s.
const SKEW: i64 = 60;
/// A doctor that hangs is no doctor.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);

pub fn command() -> Command {
    Command::new("auth")
        .about("Diagnose authentication problems")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("doctor").about("Check URL, TLS, clock, key, signature, account and roles").before_long_help(
                "Checks everything between the settings and a signed answer: URL, TLS, the clock against the \
                 service's, where the key is, whether it opens, whether the service takes its signature, account and \
                 sub-user, roles.\n\n\
                 Each line is ok, warn or fail, with what to do. The exit code is that of the first failure.",
            ),
        )
}

/// The settings themselves cannot be read, so that is all there is to say.
pub fn unsettled(app: &App, error: &Error) -> Result<i32> {
    let mut findings = Findings::default();
    findings.fail("settings", error);
    let shown = report(&findings.rows);
    app.streams.out(
        if app.globals.json() { format!("{}\n", serde_json::Value::from(findings.rows)) } else { shown }.as_bytes(),
    )?;
    Ok(i32::from(exit::code(error.kind()).0))
}

#[derive(Default)]
struct Findings {
    rows: Vec<serde_json::Value>,
    first: Option<Kind>,
    /// The row of a clock that is too far off. Whether it matters, only a signature shows.
    clock: Option<usize>,
}

impl Findings {
    fn add(&mut self, status: &str, check: &str, message: impl Into<String>, fix: &str) {
        let message = message.into();
        let (message, fix) = (render::safe(&message), render::safe(fix));
        self.rows.push(serde_json::json!({ "status": status, "check": check, "message": message, "fix": fix }));
    }

    fn ok(&mut self, check: &str, message: impl Into<String>) {
        self.add("ok", check, message, "");
    }

    fn fail(&mut self, check: &str, error: &Error) {
        self.first.get_or_insert(error.kind());
        self.told("fail", check, error);
    }

    /// The clocks differ by more than the service takes, as far as the answer's Date goes.
    fn clock(&mut self, error: &Error) {
        self.clock = Some(self.rows.len());
        self.told("fail", "clock", error);
    }

    /// The service has taken a signature, so its clock is not the one that the answer showed.
    fn accepted(&mut self, sent: &str) {
        if let Some(row) = self.clock.take().and_then(|at| self.rows.get_mut(at)).and_then(|row| row.as_object_mut()) {
            row.insert("status".to_owned(), "warn".into());
            let words = row.get("message").and_then(serde_json::Value::as_str).unwrap_or_default();
            row.insert("message".to_owned(), format!("{words}; the signature was accepted all the same").into());
        }
        self.ok("signature", format!("accepted, {sent}"));
    }

    /// An error as a row.
    fn told(&mut self, status: &str, check: &str, error: &Error) {
        let mut words = error.message().to_owned();
        for cause in error.causes() {
            words = format!("{words}: {cause}");
        }
        if let Some(fault) = error.fault() {
            let told = [fault.status.to_string(), fault.code.clone()];
            let new: Vec<&str> = told.iter().map(String::as_str).filter(|part| !words.contains(part)).collect();
            if !new.is_empty() {
                words = format!("{words} ({})", new.join(" "));
            }
        }
        let others = error.hints().iter().filter(|hint| !hint.parts().contains(&Part::Command("auth doctor")));
        let mut hints: Vec<String> = others.map(exit::said).collect();
        if hints.is_empty() {
            hints.extend(error.fault().map(|fault| by_status(fault.status).to_owned()));
        }
        self.add(status, check, words, &hints.join("; "));
    }
}

/// What to do about a status that nothing else explains.
fn by_status(status: u16) -> &'static str {
    match status {
        404 | 405 => "is the URL that of CloudAPI itself, without a path? give it with --url",
        429 => "the service is busy: try again later",
        502..=504 => "the service, or a proxy before it, is not well: try again later, or ask its operator",
        500..=599 => "this is the service's own fault: ask its operator, with the request id that --debug shows",
        _ => "does the URL lead to CloudAPI? see what it answers: sdc ping --debug",
    }
}

pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let mut findings = Findings::default();
    examine(app, &mut findings).await;
    if app.globals.output.is_some() || app.globals.jq.is_some() {
        app.print_rows(&findings.rows, COLUMNS, matches)?;
    } else {
        app.streams.out(report(&findings.rows).as_bytes())?;
    }
    // The clock comes before all that could fail after it, and an error of it is one of signing in.
    let first = findings.clock.map(|_| Kind::Auth).or(findings.first);
    Ok(first.map_or(0, |kind| i32::from(exit::code(kind).0)))
}

/// One line a check, its fix on the next: a table would be too wide to read.
fn report(rows: &[serde_json::Value]) -> String {
    let mut out = String::new();
    for row in rows {
        let text = |name: &str| row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let mut lines = text("message").lines().map(render::escaped);
        let first = lines.next().unwrap_or_default();
        out.push_str(&format!("{:<5} {:<10} {first}\n", text("status"), text("check")));
        // What a message lists stands below it.
        for line in lines {
            out.push_str(&format!("{:<16} {line}\n", ""));
        }
        if !text("fix").is_empty() {
            out.push_str(&format!("{:<16} fix: {}\n", "", render::escaped(text("fix"))));
        }
    }
    out
}

async fn examine(app: &App, findings: &mut Findings) {
    let config = &app.config;
    match (config.url(), &config.url) {
        (Ok(url), Some(setting)) => findings.ok("url", format!("{url} ({})", setting.origin)),
        (Err(error), _) => findings.fail("url", &error),
        _ => {}
    }
    match (config.account(), &config.account) {
        (Ok(account), Some(setting)) => findings.ok("account", format!("{account} ({})", setting.origin)),
        (Err(error), _) => findings.fail("account", &error),
        _ => {}
    }
    if config.url.is_some() {
        match connect::route(config) {
            Ok(Route::Direct) => {}
            Ok(Route::Exempt { proxy, no_proxy }) => {
                findings.ok("proxy", format!("none: {no_proxy} covers the host, although {proxy} is set"));
            }
            Ok(Route::Through(proxy)) => findings.ok("proxy", format!("{proxy} ({})", proxy.origin)),
            Err(error) => findings.fail("proxy", &error),
        }
    }
    reach(app, findings).await;
    let found = key(app, findings);
    match (findings.first, found) {
        (None, Some(found)) => match app.client_with(found) {
            Ok(client) => signature(app, &client, findings).await,
            Err(error) => findings.fail("signature", &error),
        },
        (first, _) => {
            let error = Error::new(first.unwrap_or(Kind::Auth), "not tried");
            findings.fail("signature", &error.hint("the failures above come first"));
        }
    }
}

/// Connection, TLS, and the clock.
async fn reach(app: &App, findings: &mut Findings) {
    let Ok(url) = app.config.url() else { return };
    let https = url.starts_with("https://");
    let client = match app.client_without_key() {
        Ok(client) => client,
        // Said already: the proxy.
        Err(_) if findings.first.is_some() && connect::route(&app.config).is_err() => return,
        Err(error) => return findings.fail("tls", &error),
    };
    let ping = async {
        let request = client.request(&api::cloudapi::ping::PING_OP, &Args::new())?;
        client.send(&request).await
    };
    let answer = match tokio::time::timeout(STEP_TIMEOUT.max(app.config.connect_timeout.value), ping).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            // The rest never came as far as TLS.
            let of_tls = std::error::Error::source(&error).is_some_and(|cause| cause.is::<OfTls>());
            return findings.fail(if of_tls { "tls" } else { "reach" }, &error);
        }
        Err(_) => {
            let words = format!("no answer within {STEP_TIMEOUT:?}");
            return findings.fail("reach", &Error::new(Kind::Unreachable, words).hint("check the URL, and any proxy"));
        }
    };
    match (https, app.config.insecure.value) {
        (true, _) if app.config.pins.is_some() => findings.ok("tls", "the certificate is one that is pinned"),
        (true, false) => findings.ok("tls", "the certificate is good"),
        (true, true) => findings.add(
            "warn",
            "tls",
            format!("certificates are not verified ({})", app.config.insecure.origin),
            "trust the cloud's own authority instead: --cacert FILE, or SDC_CACERT",
        ),
        (false, _) => findings.add("warn", "tls", "http, not https: anyone on the way can read", "use the https URL"),
    }
    match answer.answer(&api::cloudapi::ping::PING_OP) {
        Ok(_) => findings.ok("reach", format!("CloudAPI answers ({})", answer.header("server").unwrap_or("no name"))),
        Err(error) => findings.fail("reach", &error),
    }
    match answer.clock_skew() {
        None => findings.add("warn", "clock", "the service sent no Date to compare with", ""),
        Some(skew) if skew.abs() > 300 => {
            let words = format!(
                "{} s apart, at most 300 s are allowed: here {}, there {}",
                skew.abs(),
                answer.sent,
                answer.header("date").unwrap_or_default()
            );
            findings.clock(&Error::new(Kind::Auth, words).hint("set this machine's clock, for example with NTP"));
        }
        Some(skew) if skew.abs() > SKEW => findings.add(
            "warn",
            "clock",
            format!(
                "{} s {} the service's; 300 s are allowed",
                skew.abs(),
                if skew > 0 { "ahead of" } else { "behind" }
            ),
            "set this machine's clock, for example with NTP",
        ),
        Some(skew) => findings.ok("clock", format!("{} s from the service's", skew.abs())),
    }
}

/// Where the key is, and whether it opens.
fn key(app: &App, findings: &mut Findings) -> Option<Found> {
    let search = connect::search(&app.config);
    let places = look(&search).places;
    for place in &places {
        let mut words = format!("{}: {}", place.what, place.outcome);
        let is_file = place.what.starts_with("file ");
        // A file is its own only key.
        for key in place.keys.iter().filter(|_| !is_file) {
            words = format!("{words}\n  {key}");
        }
        match (place.failed, place.what.starts_with("ssh-agent")) {
            (false, _) => findings.ok("looked", words),
            (true, true) => {
                findings.add("warn", "looked", words, "unset SSH_AUTH_SOCK, or: eval \"$(ssh-agent)\" && ssh-add");
            }
            (true, false) if is_file => findings.add("warn", "looked", words, "name the private key's file"),
            (true, false) if search.key_material_from.as_ref() == Some(&place.what) => {
                findings.add("warn", "looked", words, "give it the private key itself, or the path of its file");
            }
            (true, false) => findings.add("warn", "looked", words, "make the folder readable: chmod u+rx"),
        }
    }
    let passphrase = app.config.passphrase_file.as_ref();
    if let Some(exposed) = passphrase.and_then(prompt::exposed) {
        findings.add("warn", "passphrase", exposed, "chmod 600 on that file, where it is not mounted so");
    }
    match app.key() {
        Ok(found) => {
            let public = found.key.public();
            let how = match &found.key {
                Key::Agent(_) => "held by the agent",
                Key::File(_) => "opened",
            };
            let named =
                if found.wire_name == public.md5() { String::new() } else { format!(", sent as {}", found.wire_name) };
            let words = format!("{} {} from {}, {how}{named}", public.kind(), public.md5(), found.origin);
            findings.ok("key", words);
            if let Key::File(key) = &found.key
                && let Some(exposed) = key.exposed()
            {
                findings.add("warn", "key", exposed, "chmod 600 FILE, with the file of the key");
            }
            // What was said of a place is not said again.
            let new = |note: &&String| places.iter().all(|place| place.outcome != **note);
            for note in found.notes.iter().filter(new) {
                findings.add("warn", "key", note, "");
            }
            Some(found)
        }
        Err(error) => {
            findings.fail("key", &error);
            None
        }
    }
}

/// Whether the service takes the signature, and what it says of the account, sub-user and roles.
async fn signature(app: &App, client: &Client, findings: &mut Findings) {
    let user = app.config.user.as_ref().map(|user| user.value.as_str());
    let answer = match account(client).await {
        Ok(answer) => answer,
        Err(error) => return findings.fail("signature", &error),
    };
    let key_id = client.signer().map(|signer| signer.key_id()).unwrap_or_default();
    let sent = format!("keyId {key_id}");
    match (answer.status, answer.answer(&api::cloudapi::account::GET)) {
        (200, Ok(account)) => {
            findings.accepted(&sent);
            let login = account.first().and_then(|row| row.text("/login").map(|text| text.into_owned()));
            let who = user.map(|user| format!(", as its sub-user {user}")).unwrap_or_default();
            findings.ok("login", format!("{}{who}", login.unwrap_or_default()));
            if let Some(roles) = &app.config.roles {
                findings.ok("roles", format!("{} taken on ({})", roles.value.join(", "), roles.origin));
            }
        }
        (403, Err(error)) if answer.is_own() => refused(app, findings, &sent, error),
        (401, Err(error)) if answer.is_own() => {
            if let Some(known) = known_as(client, user).await {
                return findings.fail("signature", &error.hint(known).hint(format!("sent was {sent}")));
            }
            let error =
                app.caller().hints(401, "").into_iter().fold(error.hint(format!("sent was {sent}")), Error::hint);
            // Under the name that was given.
            let named = |add: CommandLine| match sent_name(client) {
                Some(name) => add.with("--name").word(name),
                None => add,
            };
            let error = error.hint(match user {
                // That command is for the account's own keys.
                Some(user) => Hint::run(
                    "upload it in the portal, to the sub-user, or as the account",
                    named(CommandLine::new("users keys add").on(user).with("FILE.pub")),
                ),
                None => Hint::run(
                    "upload it in the portal, or with a key that works",
                    named(CommandLine::new("keys add").with("FILE.pub")),
                ),
            });
            findings.fail("signature", &other_form(client, error).await);
        }
        (404, Err(error)) if app.config.act_as.is_some() && answer.is_own() => {
            let act_as = app.config.act_as.as_ref();
            let (other, origin) =
                act_as.map(|other| (other.value.as_str(), other.origin.to_string())).unwrap_or_default();
            findings.accepted(&sent);
            let words = format!("is there an account {other} ({origin})? logins are case-sensitive");
            findings.fail("act-as", &error.hint(words));
        }
        (_, Err(error)) => findings.fail("signature", &error),
        (status, Ok(_)) => findings.add("warn", "signature", format!("answered {status}, {sent}"), ""),
    }
}

/// The name of the key that was sent, if that was not its fingerprint.
fn sent_name(client: &Client) -> Option<&str> {
    let signer = client.signer()?;
    Some(signer.wire_name()).filter(|name| *name != signer.key().public().md5())
}

/// What the service knows the key by, where that is not the name that was sent.
async fn known_as(client: &Client, user: Option<&str>) -> Option<String> {
    sent_name(client)?;
    let md5 = client.signer()?.key().public().md5();
    let client = client.signing_as(&md5).ok()?;
    let answer = account(&client).await.ok()?;
    if !(answer.is_success() || answer.status == 403 && answer.is_own()) {
        return None;
    }
    let (list, args) = match user {
        Some(user) => (&api::cloudapi::user_keys::LIST, Args::new().set("user", user)),
        None => (&api::cloudapi::keys::LIST, Args::new()),
    };
    let keys = client.call(list, &args).await.ok();
    let is = |row: &crate::answer::Row<'_>| row.text("/fingerprint").is_some_and(|fingerprint| fingerprint == md5);
    let name = keys.iter().flat_map(|keys| keys.rows()).find(is).and_then(|row| Some(row.text("/name")?.into_owned()));
    Some(match name {
        Some(name) => format!("the service knows this key as {name}: --key-id {name}, or its fingerprint {md5}"),
        None => format!("the service knows this key by its fingerprint: --key-id {md5}"),
    })
}

/// The account, the one thing that every key of it can ask for.
async fn account(client: &Client) -> Result<Response> {
    client.send(&client.request(&api::cloudapi::account::GET, &Args::new())?).await
}

/// The service knows the key, and says no. The right to read the account is not one that a sub-user or a role needs,
/// so to lack it is no failure; the service names it then. A user who is disabled or a role that is not there is one.
fn refused(app: &App, findings: &mut Findings, sent: &str, error: Error) {
    let config = &app.config;
    findings.accepted(sent);
    let (check, who) = match (&config.roles, &config.act_as, &config.user) {
        (Some(roles), ..) => ("roles", format!("{} taken on ({})", roles.value.join(", "), roles.origin)),
        (None, Some(other), _) => ("act-as", format!("asked for {} ({})", other.value, other.origin)),
        (None, None, Some(user)) => ("login", format!("sub-user {} ({})", user.value, user.origin)),
        (None, None, None) => ("login", String::new()),
    };
    if overview::is_known_all_the_same(&error) && !who.is_empty() {
        let words = format!("{who}; without the right getaccount nothing more can be told of it");
        return findings.add("warn", check, words, "whether something is allowed shows when it is tried");
    }
    let message = error.fault().map(|fault| fault.message.clone()).unwrap_or_default();
    let error = app.caller().hints(403, &message).into_iter().fold(error, Error::hint);
    findings.fail(check, &error.hint("else ask the account's owner"));
}

/// After a refused signature: whether one that covers the date alone is taken, as it is where a proxy on the way
/// rewrites the path.
async fn other_form(client: &Client, error: Error) -> Error {
    if client.signer().is_none_or(|signer| signer.covers() != Form::Request) {
        return error;
    }
    let answer = match client.signing(Form::Date) {
        Ok(client) => account(&client).await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) if answer.status == 401 => {
            error.hint("--signing date was tried too, and is refused in the same way: the key is not known")
        }
        Ok(answer) if answer.is_success() || answer.status == 403 && answer.is_own() => Error::auth(
            "refused with 401, while a signature over the date alone is accepted: the path is changed on the way",
        )
        .hint("--signing date, or SDC_SIGNING=date")
        .hint("ask who runs the proxy before the service to leave the path as it is"),
        Ok(answer) => error.hint(format!("--signing date was tried too, and answered {}", answer.status)),
        Err(_) => error.hint("--signing date was tried too, and got no answer"),
    }
}
