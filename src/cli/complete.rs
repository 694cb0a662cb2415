//! Completion while one types: the commands, and the names of things in the cloud. It says nothing and
//! never waits long: a shell is not the place for errors.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::cache::{Cache, TTL};
use super::tree;
use crate::api::{Kind, Noun, RESOURCES, Shape, noun};
use crate::auth::no_passphrase;
use crate::config::{Config, Flags, Sources, env};
use crate::connect;
use crate::error::{Error, Result};
use crate::request::Args;

/// Longer than this nobody waits for a list of names.
const PATIENCE: Duration = Duration::from_secs(1);

/// By which the shell asks. It is ours alone: a variable that somebody else sets must not turn a command
/// into silence.
pub const VARIABLE: &str = "SDC_COMPLETE";

/// Answers the shell, if it was the shell that asked.
///
/// # Errors
/// A usage error for a shell that is not known.
pub fn answered() -> Option<Result<()>> {
    env::var_os(VARIABLE)?;
    let current = std::env::current_dir().ok();
    let completer = clap_complete::CompleteEnv::with_factory(|| named(tree())).var(VARIABLE);
    let answered = completer.try_complete(std::env::args_os(), current.as_deref());
    Some(answered.map(drop).map_err(|error| {
        Error::usage(format!("{VARIABLE} is set, so a shell's question was expected")).because(error.to_string())
    }))
}

/// The tree, with the names of things for the arguments that mean things.
fn named(command: Command) -> Command {
    let command = command.mut_args(|arg| match noun_of(&arg) {
        Some(noun) => arg.add(ArgValueCompleter::new(move |typed: &OsStr| candidates(noun, typed))),
        None => arg,
    });
    command.mut_subcommands(named)
}

/// What an argument means: a path's parameter, or a field that refers to a thing.
fn noun_of(arg: &Arg) -> Option<&'static Noun> {
    let id = arg.get_id().as_str();
    noun(id).or_else(|| {
        let fields = RESOURCES.iter().flat_map(|resource| resource.ops).flat_map(|op| op.fields);
        fields.filter(|field| field.name == id).find_map(|field| match field.kind {
            Kind::Ref(noun) | Kind::Refs(noun) => Some(noun),
            Kind::Nic => Some(&crate::api::networks::NETWORK),
            _ => None,
        })
    })
}

/// Whatever hangs, a silent agent or a resolver, is left behind: the process is about to end.
fn candidates(noun: &'static Noun, typed: &OsStr) -> Vec<CompletionCandidate> {
    // Names of another account than the one that was typed are worse than none.
    let elsewhere = ["-p", "--profile", "-U", "--url", "-a", "--account", "-u", "--user", "--act-as", "-k", "--key"];
    if std::env::args_os().any(|word| elsewhere.iter().any(|option| word.to_string_lossy().starts_with(option))) {
        return Vec::new();
    }
    let typed = typed.to_str().unwrap_or_default();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(names(noun).unwrap_or_default()));
    let names = told.recv_timeout(PATIENCE).unwrap_or_default();
    names.into_iter().filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// The names, from the cache or from the service.
fn names(noun: &Noun) -> Option<Vec<String>> {
    let config = Config::load(&Flags::default(), &Sources::system()).ok()?;
    let cache = Cache::new(config.dirs.cache.as_deref(), config.target().ok()?, &config.host()?);
    let slot = format!("names-{}", noun.name);
    if let Some(names) = cache.read(&slot, TTL).and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Some(names);
    }
    let list = noun.list;
    // Whose parts are meant, the shell's question does not say.
    if list.path_params().next().is_some() {
        return None;
    }
    let found = connect::key(&config, &mut no_passphrase).ok()?;
    let signer = connect::signer(&config, Default::default(), found).ok()?;
    let client = connect::builder(&config).ok()?.signer(signer).build().ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(client.call(list, &Args::new())).ok()?;
    let mut names: Vec<String> = match list.shape {
        Shape::Map => answer
            .read::<serde_json::Map<String, serde_json::Value>>()
            .ok()?
            .into_iter()
            .map(|(name, _)| name)
            .collect(),
        _ => answer.rows().filter_map(|row| row.text(&format!("/{}", noun.name_field)).map(Into::into)).collect(),
    };
    names.sort_unstable();
    names.dedup();
    cache.write(&slot, serde_json::json!(names).to_string().as_bytes());
    Some(names)
}
