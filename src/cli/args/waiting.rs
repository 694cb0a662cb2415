//! The options that wait for an operation's end: their arguments, and what was typed for them.

use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::api::{self, Op};
use crate::config::{Defaults, duration};
use crate::error::{Error, Result};

/// The heading of these options in a page of help.
pub const WAITING: &str = "Waiting";
/// How long `--wait` waits unless told otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);
/// The same where a job is waited for: a provision is given up by the service itself after 3810 s.
const JOB_TIMEOUT: Duration = Duration::from_secs(3900);

/// What was typed of them.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// How long the end is waited for; `None` where it is not.
    pub wait: Option<Duration>,
    /// The state that is waited for instead of the operation's own.
    pub state: Option<&'static str>,
}

impl Waiting {
    /// Reads them.
    ///
    /// # Errors
    /// A usage error: `--timeout` is not a length of time, or a state stands where it would be a target.
    pub fn read(op: &Op, matches: &ArgMatches, defaults: &Defaults) -> Result<Waiting> {
        let patience = asked(matches, defaults)?.unwrap_or(if op.starts_job { JOB_TIMEOUT } else { DEFAULT_TIMEOUT });
        no_state_for_a_target(op, matches)?;
        let state = matches.try_get_one::<String>("wait").ok().flatten();
        let wait = state.is_some() || matches.try_get_one::<bool>("wait").ok().flatten() == Some(&true);
        let state = state.and_then(|state| op.waited_states().into_iter().find(|known| *known == state));
        Ok(Waiting { wait: wait.then_some(patience), state })
    }
}

/// How long is waited: what was typed, else what is set.
///
/// # Errors
/// `--timeout` is not a length of time.
pub fn patience(matches: &ArgMatches, defaults: &Defaults) -> Result<Duration> {
    Ok(asked(matches, defaults)?.unwrap_or(DEFAULT_TIMEOUT))
}

/// The same of a job.
///
/// # Errors
/// As [`patience`].
pub fn patience_for_a_job(matches: &ArgMatches, defaults: &Defaults) -> Result<Duration> {
    Ok(asked(matches, defaults)?.unwrap_or(JOB_TIMEOUT))
}

fn asked(matches: &ArgMatches, defaults: &Defaults) -> Result<Option<Duration>> {
    match (matches.try_get_one::<String>("timeout").ok().flatten(), defaults.get("timeout")) {
        (Some(text), _) => duration("--timeout", text).map(Some),
        (None, Some(setting)) => duration(&setting.origin.to_string(), &setting.value).map(Some),
        (None, None) => Ok(None),
    }
}

/// `--wait` and `--timeout`.
pub fn options(op: &Op) -> [Arg; 2] {
    let timeout = if op.starts_job { timeout().help(JOB_HELP) } else { timeout() };
    [wait(op), timeout]
}

/// What `--timeout` says of itself where a job is waited for.
pub const JOB_HELP: &str = "How long to wait: 90s, 15m, or seconds [default: 65m]";

/// `--timeout`, which goes with `--wait`.
pub fn timeout() -> Arg {
    Arg::new("timeout")
        .long("timeout")
        .value_name("TIME")
        .requires("wait")
        .help_heading(WAITING)
        .help("How long to wait: 90s, 15m, or seconds [default: 10m]")
}

/// `--wait`, of what ends in a state also with a state.
fn wait(op: &Op) -> Arg {
    let arg = Arg::new("wait").long("wait").short('w').help_heading(WAITING);
    match op.waited_states().as_slice() {
        [] => arg.help("Wait until it is done").action(ArgAction::SetTrue),
        states => arg
            .value_name("STATE")
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("")
            .value_parser(PossibleValuesParser::new(
                states.iter().copied().map(PossibleValue::new).chain([PossibleValue::new("").hide(true)]),
            ))
            .help(format!("Wait until it is {}, or in another state", states.first().copied().unwrap_or_default())),
    }
}

/// Refuses a state or a time that stands behind `--wait`, where it would be acted on as a target.
///
/// # Errors
/// A usage error.
fn no_state_for_a_target(op: &Op, matches: &ArgMatches) -> Result<()> {
    let Some(noun) =
        op.path_params().last().and_then(|param| api::noun(param)).filter(|_| op.goal.is_some() && op.takes_several())
    else {
        return Ok(());
    };
    // It has a place on the command line if it is there, and takes no other state if it has one.
    let bare = matches.try_get_one::<String>("wait").map_or(true, |state| state.is_none_or(String::is_empty));
    let typed = bare && matches.value_source("wait") == Some(ValueSource::CommandLine);
    let Some(wait) = matches.index_of("wait").filter(|_| typed) else { return Ok(()) };
    let states = op.waited_states();
    let known = if states.is_empty() { noun.states } else { &states };
    let words = matches.get_many::<String>(noun.name).into_iter().flatten();
    let mut targets = matches.indices_of(noun.name).into_iter().flatten().zip(words);
    let Some((_, word)) = targets.find(|(at, _)| *at == wait + 1) else { return Ok(()) };
    let is_known = known.contains(&word.as_str());
    // Eight digits may be a short id.
    if !is_known && (word.len() >= 8 || duration("", word).is_err()) {
        return Ok(());
    }
    let error = match states.as_slice() {
        _ if !is_known => {
            Error::usage(format!("'{word}' is a time, and --wait takes none")).hint(format!("--wait --timeout {word}"))
        }
        [] => Error::usage(format!("'{word}' is a state, and --wait takes none here"))
            .hint("--wait alone waits until it is done"),
        _ => Error::usage(format!("'{word}' is a state, and stands behind --wait without a ="))
            .hint(format!("--wait={word}")),
    };
    Err(error.hint(format!("if a {} is called so: {word} --wait", noun.word)))
}
