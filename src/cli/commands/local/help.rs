//! `sdc help`: of any command, and the pages of help that are no command's.

use std::fmt::Write;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::exit_codes::{CODES, Code};
use super::help_json;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::globals;
use crate::cli::commands::{Custom, Settings, shortcuts};
use crate::config::own::{KNOWN, Known, Reach};
use crate::error::{CommandLine, Error, Hint, Result};
use crate::grammar::older::{self, Tool};

/// `sdc help`.
pub(crate) static COMMAND: Custom = Custom {
    path: "help",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "help machines create\nhelp triton instance tag",
    previews: false,
    settings: Settings::UNNEEDED,
};

/// The columns of a page.
const WIDTH: usize = 80;

/// Topic and what it is about.
pub const TOPICS: &[(&str, &str)] = &[
    ("options", "the options that every command has"),
    ("formatting", "formats, columns, sorting and jq"),
    ("selectors", "names, globs, selectors and filters"),
    ("settings", "defaults of your own, for all commands, a profile or a command"),
    ("exit-codes", "what exit codes mean, and what a script does about them"),
    ("environment", "the variables that sdc reads"),
    ("triton", "commands for users of node-triton; more words filter them"),
    ("smartdc", "commands for users of sdc-*; more words filter them"),
];

const FORMATTING: &str = "\
-o FORMAT           table (default), wide, json, jsonl, yaml, csv, tsv, ids
-o COLUMN,...       these columns; nested ones as tags.role, or /nics/0/ip
-o FORMAT:COLUMN    both: -o csv:shortid,img,age
-j, --json          the answer of the service, unchanged
-H, --no-header     without the line of names
--long              more columns; also -l, where it does not select by tag
-s COLUMN,...       sort; -s -created,name reverses the first
--jq EXPR           filter the JSON: --jq '.[] | .name'
--arg NAME VALUE    $NAME in --jq, as text; --argjson NAME JSON as JSON
-R, --raw           strings of --jq without quotes
--csv-safe          cells that a spreadsheet would run begin with '
--color WHEN        auto, always, never

Data goes to stdout, everything else to stderr. An empty list prints its header,
or [] as JSON. To see the columns of a list: sdc machines list -o nosuch

Columns that sdc adds (shortid, img, flags, age) hold the same in every format;
outside tables, flags are spelled out: firewall,deletion-protection. Fields of
the service (image, memory, created) keep its values. -j alone adds nothing.

A narrow terminal shows fewer columns, a wide one more; a pipe always the same.
";

const SELECTORS: &str = "\
Which resources a list shows or a command acts on; all that is given must match
  web1                 by name, exactly; or by id, or its start (4 characters)
  'web-*' 'db?'        by glob, quoted for the shell
  'web-{01..10}'       by the names of a range, as create -n makes them, quoted:
                       each must be there, unless delete has --ignore-missing
  -                    ids or names on standard input, one a line:
                       sdc machines list -o ids | sdc machines stop -
  -l, --selector       by tag: role=web, env!=prod, backup, !old; several with
                       commas; globs in values, and \\, for a comma there
  --state STATE,...    by state
  --older-than TIME    by age: 90m, 12h, 30d, 8w, 1y
  --keep N             of delete and its list: not the N newest of them
  --mine, --unused     images of this account; those that no machine of it uses,
                       and packages, networks and volumes

Filters: by any column, of lists and of what acts
  state=running        NAME=VALUE or NAME!=VALUE
  'package=g1-*'       * and ? in text
  'name=~^web'         regular expression; !~ for those that do not match
  'memory>=4G'         numbers and sizes: <, <=, >, >=
  'age>30d'            ages; times as 'created<2026-01'
  tag.role=web         by tag; tag.role!=web as well

Parts of several machines: a glob for the machine, or -l in its place. A machine
that is named beside -l is refused; '*' before the names is all that -l selects
  sdc machines snapshots delete '*' '*' --older-than 30d
  sdc machines tags delete -l role=web stage

NAME=VALUE after tags set and metadata set is what is set, and picks nothing
  sdc machines list package=g1-small -o ids | sdc machines tags set - owner=me

Before anything happens
  list                 the same words after list show what a command will touch
  --count              lists: only how many
  --dry-run            show the requests and change nothing
  --max N              refuse to act on more than N (20 if not given)
  a question           on a terminal, where several are meant. Where names come
                       from - nobody is asked: delete needs --yes, stop does not
";

/// The page of the settings, before the list of them.
const SETTINGS: &str = "\
What profiles have no field for is in sdc.yaml, in the folder of the profiles
(~/.triton, or that of SDC_CONFIG_DIR). To edit it: sdc config edit

  output: wide                      for all commands
  key-file: ~/.ssh/acme
  profiles:
    prod:                           for this profile
      cacert: prod-ca.pem
      package: g1-small
  commands:
    machines list:                  for this command
      columns: shortid,name,state,ips
      sort: [-created, name]

An option counts first, then its variable, then the file: what it says for the
profile and the command, for the command, for the profile, for all. Paths begin
at the file's folder. To see which value counts: sdc config show

The settings of a profile go with its account and URL: they are not used where
an option or a variable names others. Columns that are set for all commands
count for the lists that have all of them.

Name, variable, what it says; only those with a * can be set for a command:
";

const ENVIRONMENT: &[(&str, &str)] = &[
    ("SDC_URL, TRITON_URL", "address of CloudAPI"),
    ("SDC_ACCOUNT, TRITON_ACCOUNT", "account"),
    ("SDC_USER, TRITON_USER", "sub-user of the account"),
    ("SDC_ROLE, TRITON_ROLE", "roles to assume, separated by commas"),
    ("SDC_ACT_AS, TRITON_ACT_AS", "account to act on with your own key"),
    ("SDC_KEY_ID, TRITON_KEY_ID", "key: fingerprint (MD5 or SHA256), name, or file"),
    ("SDC_KEY_FILE, TRITON_KEY_FILE", "file of the private key"),
    (
        "SDC_KEY_MATERIAL, TRITON_KEY_MATERIAL",
        "the private key itself, or the path of its file; SDC_KEY_FILE counts first",
    ),
    ("SDC_KEY_PASSPHRASE_FILE", "file with the passphrase of the key"),
    ("SSH_AUTH_SOCK", "the ssh-agent"),
    ("SDC_PROFILE, TRITON_PROFILE", "profile to use; overrides the variables above"),
    ("SDC_TESTING", "any value: do not verify TLS certificates"),
    ("SDC_TLS_INSECURE, TRITON_TLS_INSECURE", "true or 1: do not verify TLS certificates"),
    ("SDC_CACERT", "certificates to trust in addition to the system's"),
    ("SDC_TLS_PIN", "fingerprints of the only certificates to trust, separated by commas: SHA256:AB:CD:..."),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "a file, and folders with colons between, of certificates to trust instead of the system's",
    ),
    (
        "https_proxy, http_proxy, all_proxy",
        "proxy for https URLs, for http URLs, for all; HTTPS_PROXY and so on where these are not set",
    ),
    ("no_proxy, NO_PROXY", "hosts, domains, addresses and networks (10.0.0.0/8) to reach without a proxy; * for all"),
    ("SDC_SIGNING", "what is signed: request, date or legacy"),
    ("SDC_ACCEPT_VERSION", "API versions to ask for"),
    ("SDC_CONNECT_TIMEOUT, SDC_REQUEST_TIMEOUT", "time limits for connecting and for an answer"),
    ("SDC_RETRY", "how long an outage is ridden out: 60s"),
    ("SDC_RATE", "maximum requests per second"),
    ("SDC_PROXY", "proxy of sdc alone, instead of the variables above; none for no proxy"),
    ("SDC_SAPI_URL", "address of SAPI, or a headnode's configuration file, for admin commands"),
    ("SDC_SERVICES", "addresses of other internal services: vmapi=HOST, napi=HOST"),
    ("SDC_PACKAGE, SDC_IMAGE, SDC_NETWORK", "package, image and networks of new machines, where none are given"),
    ("SDC_OUTPUT, SDC_COLUMNS, SDC_SORT", "format, columns and order of tables, where -o and --sort are not given"),
    ("SDC_TIMEOUT, SDC_PARALLEL", "how long --wait waits; how many targets are acted on at once"),
    ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE", "colours"),
    ("SDC_CONFIG_DIR", "folder of profiles, of sdc.yaml, and of the records of `rbac apply`"),
    ("SDC_CACHE_DIR", "folder of what can be fetched again, such as the names of images"),
    ("XDG_CONFIG_HOME, XDG_CACHE_HOME", "where these two folders are, as triton and sdc, if they are not named"),
];

pub fn command() -> Command {
    let topics: String = TOPICS.iter().map(|(name, about)| format!("\n  {name:<12} {about}")).collect();
    Command::new("help")
        .about("Help on a command or topic")
        .after_help(format!("Topics:{topics}"))
        .arg(
            Arg::new("COMMAND")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Command, such as 'machines create', or topic"),
        )
        .arg(
            // Not the switch of the commands that speak to a cloud: nothing else of theirs is known here.
            Arg::new("as-json")
                .long("json")
                .short('j')
                .action(ArgAction::SetTrue)
                .help("Show the command and all below it as JSON, with its API operations"),
        )
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let words: Vec<&str> = matches.get_many::<String>("COMMAND").into_iter().flatten().map(String::as_str).collect();
    let words = match words.split_first() {
        Some((first, rest)) => shortcuts::meant(first).map_or(words.clone(), |long| [&long[..], rest].concat()),
        None => words,
    };
    let mut text = String::new();
    if let ([topic], true) = (words.as_slice(), matches.get_flag("as-json"))
        && TOPICS.iter().any(|(name, _)| name == topic)
    {
        return Err(Error::usage(format!("{topic} is a page for people, and has no JSON"))
            .hint(Hint::command(CommandLine::new("help").on(topic))));
    }
    if matches.get_flag("as-json") {
        let described = crate::render::json::indented(&described(&(app.trees.plain)(), &words)?.to_string());
        app.streams.out(format!("{}\n", described.trim_end()).as_bytes())?;
        return Ok(0);
    }
    match words.as_slice() {
        ["exit-codes"] => {
            for Code { code, meaning, such_as, then } in CODES {
                let (such_as, then) = (wrapped(such_as, 16), wrapped(then, 16));
                let _ = writeln!(text, "{code:>3}  {meaning}\n       such as  {such_as}\n       then     {then}");
            }
        }
        ["environment"] => {
            for (name, meaning) in ENVIRONMENT {
                let _ = writeln!(text, "{name}\n    {}", wrapped(meaning, 4));
            }
        }
        ["options"] => text = globals::page(),
        ["formatting"] => text.push_str(FORMATTING),
        ["selectors"] => text.push_str(SELECTORS),
        ["settings"] => {
            text.push_str(SETTINGS);
            for Known { name, variable, reach, about } in KNOWN {
                let star = if *reach == Reach::Command { '*' } else { ' ' };
                let _ = writeln!(text, "{star} {name}  {variable}\n      {}", wrapped(about, 6));
            }
        }
        [tool @ ("triton" | "smartdc"), words @ ..] => text = older(tool, words)?,
        // A command of smartdc by its own name, which no command here has.
        [word, ..] if word.starts_with("sdc-") => text = older("smartdc", &words)?,
        words => {
            let mut root = (app.trees.pages)();
            root.build();
            let mut command = &mut root;
            for word in words {
                command = command.find_subcommand_mut(word).ok_or_else(|| unknown(word))?;
            }
            let help = if words.is_empty() { command.render_help() } else { command.render_long_help() };
            let colour = globals::colour(&app.globals, &app.console.env, app.streams.stdout_tty);
            text = globals::left_out(&help, colour);
        }
    }
    app.streams.out(text.as_bytes())?;
    Ok(0)
}

/// The commands of an older tool that have all of these words, and what does the same here. Where none has them as words
/// of their own, a part of a word will do: `firewall` of `sdc-enablemachinefirewall`.
///
/// # Errors
/// None has them.
fn older(tool: &str, words: &[&str]) -> Result<String> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let which = if tool == "triton" { Tool::NodeTriton } else { Tool::Smartdc };
    let whole = |small: &str| {
        let known: Vec<&str> = small.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        let has = |word: &str| known.iter().any(|known| known.trim_end_matches('s') == word.trim_end_matches('s'));
        words.iter().all(|word| meant(word).split('-').all(has))
    };
    let part = |small: &str| words.iter().all(|word| small.contains(word.as_str()));
    let text = Some(rows_with(which, whole)).filter(|text| !text.is_empty()).unwrap_or_else(|| rows_with(which, part));
    match text.is_empty() {
        true => {
            let words = format!("no command of {} has these words", which.name());
            Err(Error::usage(words).hint(Hint::command(CommandLine::new("help").on(tool))))
        }
        false => Ok(text),
    }
}

/// What the older tools' short word for a verb or a noun stands for.
fn meant(word: &str) -> &str {
    let short = [
        ("rm", "delete"),
        ("ls", "list"),
        ("inst", "instance"),
        ("insts", "instance"),
        ("img", "image"),
        ("imgs", "image"),
        ("pkg", "package"),
        ("pkgs", "package"),
        ("net", "network"),
        ("nets", "network"),
        ("vol", "volume"),
        ("vols", "volume"),
        ("snap", "snapshot"),
        ("metadatas", "metadata"),
        ("restart", "reboot"),
    ];
    short.iter().find(|(known, _)| *known == word).map_or(word, |(_, long)| long)
}

/// The rows of a tool's tables that fit, as text.
fn rows_with(tool: Tool, fits: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    for (theirs, here) in older::rows(tool) {
        let (theirs, here) = (theirs.replace('`', ""), here.replace('`', ""));
        // The rows of the exit codes are numbers alone.
        let is_code = theirs.parse::<u8>().is_ok();
        let (theirs, here) =
            if is_code { (format!("exit code {theirs}"), format!("exit code {here}")) } else { (theirs, here) };
        if fits(&format!("{theirs} {here}").to_lowercase()) {
            let _ = writeln!(text, "{}\n    {}", wrapped(&theirs, 2), wrapped(&here, 4));
        }
    }
    text
}

/// The text with line feeds where it would be wider than a page, its further lines below the first.
fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut width) = (String::new(), indent);
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > indent && width + 1 + length > WIDTH {
            let _ = write!(lines, "\n{:indent$}{word}", "");
            width = indent + length;
        } else {
            let space = if width > indent { " " } else { "" };
            let _ = write!(lines, "{space}{word}");
            width += space.len() + length;
        }
    }
    lines
}

fn unknown(word: &str) -> Error {
    let topics: Vec<&str> = TOPICS.iter().map(|(name, _)| *name).collect();
    Error::usage(format!("there is no help on '{word}'"))
        .hint("commands: sdc help")
        .hint(format!("topics: {}", topics.join(", ")))
}

/// The command of these words as JSON, or the whole tree.
fn described(root: &Command, words: &[&str]) -> Result<serde_json::Value> {
    let mut above = vec![root];
    for word in words {
        let last = above.last().copied().unwrap_or(root);
        above.push(last.find_subcommand(word).ok_or_else(|| unknown(word))?);
    }
    let command = above.pop().unwrap_or(root);
    // By its own names, whatever it was called by.
    let names: Vec<&str> =
        above.iter().skip(1).chain(words.last().map(|_| &command)).map(|command| command.get_name()).collect();
    let mut all = help_json::command(command, &names);
    help_json::inherit(&mut all, &above);
    Ok(all)
}
