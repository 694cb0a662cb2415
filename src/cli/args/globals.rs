//! The options that every command has: which cloud, whose account, which key, how it is shown.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::inner;
use crate::config::{Env, Flags};
use crate::error::{Error, Result};
use crate::render::Given;

/// The headings of these options in a page of help.
pub const CLOUD: &str = "Cloud and key";
const FORMAT: &str = "Output format";
const DEBUGGING: &str = "Debugging";

/// How the result is shown, and whether anything is sent at all.
#[derive(Clone, Debug, Default)]
pub struct Globals {
    /// `-o`, or what `-j` and `-l` stand for.
    pub output: Option<String>,
    /// `--long`.
    pub long: bool,
    /// `--jq`.
    pub jq: Option<String>,
    /// `--arg` and `--argjson`.
    pub given: Given,
    /// `--raw`: strings of `--jq` without quotes.
    pub raw: bool,
    /// `--csv-safe`.
    pub csv_safe: bool,
    /// `--color`: always, never, or by the terminal.
    pub color: Option<bool>,
    /// `--dry-run`.
    pub dry_run: bool,
    /// `--curl`.
    pub curl: bool,
    /// `--debug`: whether requests and answers are traced.
    pub debug: bool,
    /// `--debug=bodies`: with their bodies.
    pub debug_bodies: bool,
    /// `--debug-file`: where the trace goes.
    pub debug_file: Option<String>,
    /// `--quiet`.
    pub quiet: bool,
    /// `--rsa-hash`.
    pub rsa_hash: Option<String>,
    /// `--sapi`: where SAPI is, of the internal services.
    pub sapi: Option<String>,
    /// `--service`: where others of them are, each `NAME=ADDRESS`.
    pub services: Vec<String>,
    /// `--show-secrets`: SAPI's are shown.
    pub show_secrets: bool,
    /// The options without a value that were typed, with their signs, and `--wait`.
    pub typed: Vec<String>,
    /// What was typed of the options that choose the cloud, the account and the key, for hints that go on there.
    pub cloud: Vec<(&'static str, Option<String>)>,
}

impl Globals {
    /// Whether failures are told as JSON.
    pub fn json(&self) -> bool {
        self.output.as_deref().is_some_and(is_json)
    }
}

/// Whether this is the word of `-o` for JSON, with columns or without.
pub fn is_json(output: &str) -> bool {
    matches!(output.split(':').next(), Some("json" | "jsonl"))
}

/// Adds them to a command, and so to all below it. They may stand before the command's name too, so
/// the root has them as well; commands that speak to no cloud do not.
pub fn add(command: Command) -> Command {
    options(command, true)
}

/// Adds them to this command alone: for the root, and for one that has none below it.
pub fn add_here(command: Command) -> Command {
    options(command, false)
}

const KEY_FILE: &str = "File of the private key, - for standard input [env: SDC_KEY_FILE, SDC_KEY_MATERIAL, TRITON_…]";

fn options(command: Command, inherited: bool) -> Command {
    let cloud = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).help(help).global(inherited).help_heading(CLOUD)
    };
    let switch = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).action(ArgAction::SetTrue).help(help).global(inherited)
    };
    let given = |id: &'static str, value: &'static str, help: &'static str| {
        let arg = Arg::new(id).long(id).value_names(["NAME", value]).help(help).global(inherited);
        arg.num_args(2).action(ArgAction::Append).allow_hyphen_values(true)
    };
    let raw_here = raw(&command);
    let command = if inherited { command.mut_subcommands(with_letter_spared) } else { command };
    command
        .args([
            cloud("profile", "NAME", "Profile to use, see 'sdc profile list' [env: SDC_PROFILE, TRITON_PROFILE]")
                .short('p'),
            cloud("url", "URL", "Address of CloudAPI [env: SDC_URL, TRITON_URL]").short('U'),
            cloud("account", "LOGIN", "Account [env: SDC_ACCOUNT, TRITON_ACCOUNT]").short('a'),
            // A path may have a user and a role too: these are told apart by their ids.
            cloud("user", "LOGIN", "Sub-user of the account [env: SDC_USER, TRITON_USER]").id("as-user").short('u'),
            cloud("role", "ROLE,...", "Roles to assume (sent as as-role) [env: SDC_ROLE, TRITON_ROLE]")
                .id("as-role")
                .short('r')
                .action(ArgAction::Append)
                .value_delimiter(','),
            cloud("act-as", "LOGIN", "Act on this account with your own key [env: SDC_ACT_AS, TRITON_ACT_AS]"),
            cloud("key-id", "KEY", "Key: fingerprint (MD5 or SHA256), name, or file [env: SDC_KEY_ID, TRITON_KEY_ID]")
                .short('k')
                .alias("keyId"),
            cloud("key-file", "FILE", KEY_FILE),
            cloud("signing", "FORM", "What is signed: request, date or legacy [env: SDC_SIGNING]"),
            cloud("rsa-hash", "HASH", "Hash of RSA signatures: sha256, sha512 or sha1")
                .value_parser(["sha256", "sha512", "sha1"]),
            cloud(
                "insecure",
                "",
                "Do not verify TLS certificates [env: SDC_TESTING, SDC_TLS_INSECURE, TRITON_TLS_INSECURE]",
            )
            .action(ArgAction::SetTrue),
            cloud("cacert", "FILE", "Additional CA certificates [env: SDC_CACERT]"),
            cloud("tls-pin", "SHA256:...", "Trust only the certificate of this fingerprint [env: SDC_TLS_PIN]"),
            cloud("accept-version", "RANGE", "API versions to ask for [env: SDC_ACCEPT_VERSION] [default: ~9||~8]"),
            cloud("connect-timeout", "TIME", "Time limit for connecting [env: SDC_CONNECT_TIMEOUT] [default: 5s]"),
            cloud("rate", "NUMBER", "Maximum requests per second [env: SDC_RATE] [default: 8, none for reading]"),
            cloud("request-timeout", "TIME", "Time limit for an answer [env: SDC_REQUEST_TIMEOUT] [default: 60s]"),
            cloud("retry", "TIME", "Ride out outages of up to TIME [env: SDC_RETRY] [default: a few tries]"),
        ])
        .next_help_heading(FORMAT)
        .args([
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FORMAT")
                .global(inherited)
                .help("table, wide, json, jsonl, yaml, csv, tsv, ids; FORMAT:COLUMN,... or COLUMN,... choose columns"),
            switch("json", "The same as -o json").short('j'),
            Arg::new("jq")
                .long("jq")
                .value_name("EXPR")
                // -1 and -.memory are expressions.
                .allow_hyphen_values(true)
                .global(inherited)
                .help("Filter JSON output with a jq expression"),
            given(
                "arg",
                "VALUE",
                "Set $NAME in --jq to a text: --arg role web --jq '.[] | select(.tags.role == $role)'",
            ),
            given("argjson", "JSON", "Set $NAME in --jq to a JSON value"),
            raw_here.global(inherited),
            switch("csv-safe", "Prefix csv and tsv cells that would run as formulas with '"),
            Arg::new("color")
                .long("color")
                .value_name("WHEN")
                .global(inherited)
                .value_parser(["auto", "always", "never"])
                .help("Colours: auto, always, never [env: NO_COLOR, CLICOLOR]"),
            switch("quiet", "Print errors alone, and of changes the ids of what was made").short('q'),
        ])
        .next_help_heading(DEBUGGING)
        .args([
            switch("dry-run", "Show the request with names resolved; change nothing"),
            switch("curl", "Show an equivalent curl command (valid for 5 minutes)"),
            Arg::new("debug")
                .long("debug")
                .value_name("WHAT")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("requests")
                .value_parser(["requests", "bodies"])
                .global(inherited)
                .help("Trace requests and answers on stderr, without secrets; =bodies shows their bodies too"),
            Arg::new("debug-file")
                .long("debug-file")
                .value_name("FILE")
                .global(inherited)
                .help("Write the trace of --debug to a new file, which only its owner can read"),
        ])
        .next_help_heading(None::<&str>)
}

/// `--raw`; its letter is left to an option of the command's own.
fn raw(command: &Command) -> Arg {
    let arg = Arg::new("raw").long("raw").action(ArgAction::SetTrue).help_heading(FORMAT);
    let arg = arg.help("Print the strings of --jq without quotes");
    if has_own_letter(command) { arg } else { arg.short(RAW) }
}

const RAW: char = 'R';

fn has_own_letter(command: &Command) -> bool {
    command.get_arguments().any(|arg| arg.get_short() == Some(RAW))
}

fn with_letter_spared(command: Command) -> Command {
    let own = has_own_letter(&command).then(|| raw(&command));
    command.mut_subcommands(with_letter_spared).args(own)
}

/// What clap says, without these options in a page of help but with a line that says where they are: 25 of them would
/// hide the few that are the command's own.
pub fn left_out(told: &StyledStr, colour: bool) -> String {
    let plain = told.to_string();
    let shown = if colour { told.ansi().to_string() } else { plain.clone() };
    let (mut kept, mut skips, mut skipped) = (String::new(), false, false);
    for (plain, line) in plain.lines().zip(shown.lines()) {
        if let Some(heading) = plain.strip_suffix(':').filter(|_| !plain.starts_with(' ')) {
            skips = [CLOUD, FORMAT, DEBUGGING].contains(&heading);
            skipped |= skips;
        }
        if !skips {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    let kept = kept.trim_end();
    if skipped { format!("{kept}\n\nGlobal options: sdc help options\n") } else { format!("{kept}\n") }
}

/// The page of these options alone.
pub fn page() -> String {
    let page = add(Command::new("sdc")).term_width(80).render_help().to_string();
    page.find(&format!("{CLOUD}:")).and_then(|at| page.get(at..)).unwrap_or_default().to_owned()
}

/// What was typed of them, after the command's name or before it.
///
/// # Errors
/// A usage error for options that contradict each other, or that mean nothing to this command.
pub fn read(root: &ArgMatches) -> Result<(Globals, Flags)> {
    let typed = Typed::of(root)?;
    let last = typed.levels.last();
    let long = last.and_then(|last| last.try_get_one::<bool>("long").ok().flatten().copied()).unwrap_or(false);
    let output = output(&typed, long)?;
    contradictions(&typed, output.as_deref())?;
    let roles = typed.pick("as-role").and_then(|level| {
        level.get_many::<String>("as-role").map(|roles| roles.cloned().collect::<Vec<_>>().join(","))
    });
    let (text, flag) = (|id: &str| typed.text(id), |id: &str| typed.flag(id));
    let cloud = CHOOSING.iter().filter_map(|(name, id)| Some((*name, Some(text(id)?))));
    let role = roles.iter().map(|roles| ("role", Some(roles.clone())));
    let insecure = flag("insecure").then_some(("insecure", None));
    let (sapi, services, show_secrets) = inner::typed(&typed.levels);
    let inner = sapi.iter().map(|sapi| ("sapi", Some(sapi.clone())));
    let inner = inner.chain(services.iter().map(|service| ("service", Some(service.clone()))));
    let globals = Globals {
        cloud: cloud.chain(role).chain(insecure).chain(inner).collect(),
        output,
        long,
        jq: text("jq"),
        given: given(&typed)?,
        raw: flag("raw"),
        csv_safe: flag("csv-safe"),
        color: match text("color").as_deref() {
            Some("always") => Some(true),
            Some("never") => Some(false),
            _ => None,
        },
        dry_run: flag("dry-run"),
        curl: flag("curl"),
        debug: text("debug").or_else(|| text("debug-file")).is_some(),
        debug_bodies: text("debug").as_deref() == Some("bodies"),
        debug_file: text("debug-file"),
        quiet: flag("quiet"),
        rsa_hash: text("rsa-hash"),
        sapi,
        services,
        show_secrets,
        typed: typed.switches(),
    };
    let flags = Flags {
        profile: profile(&typed)?,
        url: text("url"),
        account: text("account"),
        user: text("as-user"),
        roles,
        act_as: text("act-as"),
        key_id: text("key-id"),
        key_file: text("key-file").map(Into::into),
        key_material: None,
        signing: text("signing"),
        insecure: flag("insecure").then_some(true),
        cacert: text("cacert").map(Into::into),
        pins: text("tls-pin"),
        accept_version: text("accept-version"),
        connect_timeout: text("connect-timeout"),
        request_timeout: text("request-timeout"),
        retry: text("retry"),
        rate: text("rate"),
        command: None,
    };
    Ok((globals, flags))
}

/// The profile: that of the option, or of an argument that stands for it.
fn profile(typed: &Typed<'_>) -> Result<Option<String>> {
    let option = typed.text("profile");
    let named = typed.levels.last().and_then(|last| last.try_get_one::<String>("PROFILE").ok().flatten()).cloned();
    match (&option, &named) {
        (Some(option), Some(named)) if option != named => {
            Err(Error::usage(format!("--profile {option} contradicts the profile {named}")))
        }
        _ => Ok(named.or(option)),
    }
}

/// The options that choose the cloud, the account and the key, and their ids.
const CHOOSING: &[(&str, &str)] = &[
    ("profile", "profile"),
    ("url", "url"),
    ("account", "account"),
    ("user", "as-user"),
    ("act-as", "act-as"),
    ("key-id", "key-id"),
    ("key-file", "key-file"),
    ("cacert", "cacert"),
    ("tls-pin", "tls-pin"),
];

/// The options as they were typed, at whatever level of the command line.
struct Typed<'a> {
    levels: Vec<&'a ArgMatches>,
}

impl<'a> Typed<'a> {
    fn of(root: &'a ArgMatches) -> Result<Typed<'a>> {
        let mut levels = vec![root];
        while let Some((_, next)) = levels.last().and_then(|last| last.subcommand()) {
            levels.push(next);
        }
        let takes_them = levels.iter().skip(1).any(|level| knows_them(level));
        if !takes_them && let Some(id) = root.ids().find(|id| typed(root, id.as_str())) {
            let option = id.as_str().trim_start_matches("as-");
            return Err(Error::usage(format!("--{option} means nothing to this command")));
        }
        Ok(Typed { levels })
    }

    /// The last level at which an option was typed wins; otherwise any that knows it will do.
    fn pick(&self, id: &str) -> Option<&'a ArgMatches> {
        let known = || self.levels.iter().rev().copied().filter(|level| knows_them(level));
        known().find(|level| typed(level, id)).or_else(|| known().next())
    }

    fn text(&self, id: &str) -> Option<String> {
        self.pick(id)?.get_one::<String>(id).cloned()
    }

    /// The switches that were typed as `--NAME`, and `--wait` with its letter.
    fn switches(&self) -> Vec<String> {
        let Some(last) = self.levels.last() else { return Vec::new() };
        let is_on = |id: &&str| matches!(last.try_get_one::<bool>(id), Ok(Some(true))) && typed(last, id);
        let ids = last.ids().map(clap::Id::as_str).filter(|id| is_on(id) || *id == "wait" && typed(last, id));
        ids.flat_map(|id| [format!("--{id}"), if id == "wait" { "-w".to_owned() } else { format!("--{id}") }]).collect()
    }

    fn flag(&self, id: &str) -> bool {
        self.pick(id).is_some_and(|level| level.get_flag(id))
    }
}

/// A switch has a value wherever it is known. (Whether an option is known, clap tells in debug builds only.)
fn knows_them(level: &ArgMatches) -> bool {
    matches!(level.try_get_one::<bool>("json"), Ok(Some(_)))
}

/// The format, of `--output`, `--json` and `--long` together.
fn output(typed: &Typed<'_>, long: bool) -> Result<Option<String>> {
    Ok(match (typed.text("output"), typed.flag("json"), long) {
        (Some(output), true, _) if output != "json" && !output.starts_with("json:") => {
            let word = output.split(':').next().unwrap_or_default();
            if crate::render::FORMATS.iter().any(|(name, _)| *name == word) {
                return Err(Error::usage(format!("--json contradicts --output {output}")));
            }
            Some(format!("json:{output}"))
        }
        (Some(output), ..) => Some(output),
        (None, true, _) => Some("json".to_owned()),
        (None, false, true) => Some("wide".to_owned()),
        (None, false, false) => None,
    })
}

/// What `--jq` is given by name.
fn given(typed: &Typed<'_>) -> Result<Given> {
    let mut given = Given::default();
    for id in ["arg", "argjson"] {
        let Some(pairs) = typed.pick(id).and_then(|level| level.get_many::<String>(id)) else { continue };
        let words: Vec<&String> = pairs.collect();
        for pair in words.chunks(2) {
            match (pair, id) {
                ([name, json], "argjson") => given.json(name, json)?,
                ([name, text], _) => given.text(name, text)?,
                _ => {}
            }
        }
    }
    Ok(given)
}

/// Refuses options that contradict each other.
fn contradictions(typed: &Typed<'_>, output: Option<&str>) -> Result<()> {
    let (jq, dry_run, curl) = (typed.text("jq").is_some(), typed.flag("dry-run"), typed.flag("curl"));
    if jq && let Some(output) = output.filter(|output| *output != "json") {
        return Err(Error::usage(format!(
            "--jq works on the JSON as it came, so --output {output} has no meaning beside it"
        )));
    }
    if typed.flag("raw") && !jq {
        return Err(Error::usage("--raw is about the strings of --jq, which is not given"));
    }
    for option in ["arg", "argjson"].into_iter().filter(|_| !jq) {
        if typed.pick(option).is_some_and(|level| level.get_raw(option).is_some()) {
            let words = format!("--{option} gives a value to the expression of --jq, which is not given");
            let value = if option == "arg" { "VALUE" } else { "JSON" };
            return Err(
                Error::usage(words).hint(format!("--{option} NAME {value} --jq '.[] | select(.name == $NAME)'"))
            );
        }
    }
    let sheet = |output: &str| matches!(output.split(':').next(), Some("csv" | "tsv"));
    if typed.flag("csv-safe") && !output.is_some_and(sheet) {
        return Err(Error::usage("--csv-safe is about the cells of csv and tsv").hint("-o csv --csv-safe"));
    }
    if dry_run && output.is_some_and(|output| output != "json") {
        return Err(Error::usage("a dry run shows requests, which have no columns: --output means nothing beside it")
            .hint("as JSON: --dry-run --json; a part of that: --dry-run --jq EXPR"));
    }
    if curl && (output.is_some() || jq) {
        return Err(Error::usage("a curl command is shown as it is: --output, --json and --jq mean nothing beside it")
            .hint("the request as JSON, unsigned: --dry-run --json"));
    }
    if dry_run && curl {
        return Err(Error::usage(
            "--curl contradicts --dry-run: the one shows the signed request, the other an unsigned one",
        ));
    }
    Ok(())
}

fn typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(clap::parser::ValueSource::CommandLine)
}

/// Whether colours are wanted on a stream: what was asked for, then the environment, then the terminal.
pub fn colour(globals: &Globals, env: &Env, terminal: bool) -> bool {
    globals.color.unwrap_or_else(|| {
        let forced = env.var("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let refused = env.var_os("NO_COLOR").is_some() || env.var("CLICOLOR").is_some_and(|value| value == "0");
        forced && !refused || terminal && !refused && env.var("TERM").is_none_or(|term| term != "dumb")
    })
}
