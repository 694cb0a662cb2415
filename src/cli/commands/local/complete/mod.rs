//! Completion while one types: commands, options, and the names of things in the cloud. It reports no errors and
//! never waits long: a shell is not the place for either. Names come from a service and may be anybody's, so what
//! is inserted is quoted for the shell that asks, and a name that could not be seen for what it is is left out.

mod line;
mod names;
mod shells;
mod words;

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::api::{self, CLOUDAPI, Kind, Noun, Op};
use crate::cli::args::given::{self, WORD};
use crate::cli::commands::shortcuts;
use crate::cli::console::Console;
use crate::config::{Dirs, Env, profile};
use crate::error::{Error, Result};
use crate::render;
use line::{Line, Tree};
use names::Names;
pub use shells::{SHELLS, script};

/// A list of names is not waited for any longer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// No longer name is offered.
const MAX_LEN: usize = 1024;

/// By which the shell asks. It is ours alone: a variable that somebody else sets must not turn a command
/// into silence.
pub const VARIABLE: &str = "SDC_COMPLETE";

/// Marks a candidate as the name of something, in the engine's id of it.
const NAME: &str = "name::";

/// Answers the shell, if it was the shell that asked.
///
/// # Errors
/// A usage error for a shell that is not known, or what is not a shell's question.
pub fn answered(args: &[OsString], console: &Console, tree: Tree) -> Option<Result<()>> {
    let shell = console.env.var_os(VARIABLE)?;
    Some(answer(args, console, &shell.to_string_lossy(), tree))
}

fn answer(args: &[OsString], console: &Console, shell: &str, tree: Tree) -> Result<()> {
    let wrong = || Error::usage(format!("{VARIABLE} is set, so a shell's question was expected"));
    let shell = shells::named(shell).ok_or_else(|| {
        let known: Vec<&str> = SHELLS.iter().map(|(shell, _)| *shell).collect();
        wrong().because(format!(
            "unknown shell '{}', expected one of {}",
            crate::sensitive::shown(shell),
            known.join(", ")
        ))
    })?;
    let [_, dashes, asked @ ..] = args else { return Err(wrong()) };
    if dashes != "--" {
        return Err(wrong().hint(format!("unset {VARIABLE}")));
    }
    // What cannot be read as a question has no answer: a usage error would end up between the words of a person.
    let Some(question) = shell.question(asked) else { return Ok(()) };
    console.streams.out(question.text(&candidates(&question.words, &console.env, tree)).as_bytes())
}

/// What can stand in the place of the last of these words: the candidates and a line about each.
fn candidates(words: &[OsString], env: &Env, tree: Tree) -> Vec<(String, String)> {
    let Some((typed, before)) = words.split_last() else { return Vec::new() };
    let Some(typed) = typed.to_str() else { return Vec::new() };
    // Whether a command stands here, and not the value of an option: whatever is typed, a word would be one.
    let first = shortcuts::first_word(&[before, &["word".into()]].concat()) == Some(before.len());
    let spelled = shortcuts::spelled_out(words).filter(|_| !first);
    let before = spelled.as_deref().and_then(|spelled| spelled.split_last()).map_or(before, |(_, before)| before);
    let line = Arc::new(Line::read(tree, before, env.clone()));
    let mut words = line.words.clone();
    words.push(typed.into());
    let last = words.len() - 1;
    let mut root = with_names(tree(before), &line, &[]);
    let found = clap_complete::engine::complete(&mut root, words, last, None).unwrap_or_default();
    let is_option = |one: &CompletionCandidate| one.get_id().is_some_and(|id| id.starts_with("arg::"));
    // Options are offered with everything only where there is nothing else.
    let others = typed.is_empty() && !found.iter().all(is_option);
    let kept = found.iter().filter(|one| !(others && is_option(one))).filter_map(|one| {
        let value = one.get_value().to_str()?;
        // A name that begins with a dash would be read as an option, be it one that sends all requests elsewhere.
        let alone = one.get_id().and_then(|id| id.strip_prefix(NAME)) == Some(value);
        if alone && value.starts_with('-') && (!line.escaped || value == "-") {
            return None;
        }
        // Of a command the whole name, and not another word for it.
        let name = one.get_id().and_then(|id| id.strip_prefix("command::"));
        let value = name.filter(|name| name.starts_with(typed)).unwrap_or(value);
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default().to_owned();
        is_seen(value).then(|| (value.to_owned(), render::visible(&help).into_owned()))
    });
    let short = shortcuts::SHORTCUTS.iter().filter(|(word, _)| first && word.starts_with(typed));
    let short = short.map(|(word, [noun, verb])| ((*word).to_owned(), format!("The same as {noun} {verb}")));
    kept.chain(short).collect()
}

/// Whether a name can be seen and typed for what it is, and separates no candidates.
fn is_seen(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_LEN && render::visible(name) == name
}

/// The tree, with the names of things for the arguments that mean things.
fn with_names(command: Command, line: &Arc<Line>, path: &[&str]) -> Command {
    let profiles = command.get_name() == "profile";
    let op = api::operation(&path.join(" "));
    let on_roles = path.first() == Some(&"role-tags");
    let command = command.mut_args(|arg| {
        let line = Arc::clone(line);
        match noun_of(&arg) {
            // Behind the targets stand fields: what they refer to is offered with them.
            Some(noun) => {
                let behind = op.filter(|op| given::is_shared(op)).into_iter().flat_map(|op| op.fields);
                let behind: Vec<&'static Noun> =
                    behind.filter(|field| field.positional).filter_map(|field| refers(field.kind)).collect();
                let login = path == ["machines", "ssh"];
                arg.add(ArgValueCompleter::new(move |typed: &OsStr| {
                    let all = std::iter::once(noun).chain(behind.iter().copied());
                    let typed = typed.to_string_lossy();
                    // Who logs in stands before the machine.
                    let at = typed.rfind('@').filter(|_| login).map_or(0, |at| at + 1);
                    let (user, name) = typed.split_at(at);
                    offered(all.flat_map(|noun| names_of(noun, &line, OsStr::new(name))).collect(), user)
                }))
            }
            None if arg.get_id() == "output" => arg.add(words::outputs(&line)),
            None if arg.get_id() == "resource" && on_roles => arg.add(words::resources(&line)),
            None if arg.get_id() == "FILTER" => match op {
                Some(op) => arg.add(words::filters(op, &line)),
                None => arg,
            },
            None if arg.get_id() == "sort" => arg.add(words::sorts(&line)),
            None if matches!(arg.get_id().as_str(), "state" | "pick-state") => match states(op) {
                [] => arg,
                states => arg.add(words::several(states)),
            },
            None if arg.get_id() == "selector" => match op.and_then(given::owner).or_else(|| target(op)) {
                Some(noun) => arg.add(words::selectors(noun, &line)),
                None => arg,
            },
            None if path == ["wait"] && arg.get_id() == "NOUN" => arg.add(words::known(words::WAITABLE)),
            None if path == ["wait"] && arg.get_id() == "ID" => arg.add(words::waited(&line)),
            None if path == ["wait"] && arg.get_id() == "for" => arg.add(words::conditions(&line)),
            None if path == ["help"] && arg.get_id() == "COMMAND" => arg.add(words::pages(&line)),
            // A file is completed by the shell, where neither fits.
            None if path.first() == Some(&"emulator") && arg.get_id() == "seed" => {
                arg.add(words::known(&["demo", "empty"]))
            }
            None if arg.get_id() == "profile" || arg.get_id() == "PROFILE" => arg.add(profiles_of(&line)),
            None => match op.and_then(|op| op.fields.iter().find(|field| field.name == arg.get_id().as_str())) {
                Some(field) if !field.words.is_empty() => arg.add(words::known(field.words)),
                _ => arg,
            },
        }
    });
    command.mut_subcommands(|sub| {
        let name = sub.get_name().to_owned();
        let sub = with_names(sub, line, &[path, &[name.as_str()]].concat());
        match sub.get_name() {
            "get" | "edit" | "copy" | "rename" | "use" | "delete" if profiles => {
                sub.mut_arg("NAME", |arg| arg.add(profiles_of(line)))
            }
            _ => sub,
        }
    })
}

/// The noun that a command of several targets is about, or that a list shows.
fn target(op: Option<&'static Op>) -> Option<&'static Noun> {
    let op = op?;
    api::listed_by(op).or_else(|| api::noun(op.path_params().last()?))
}

/// The states of that noun.
fn states(op: Option<&'static Op>) -> &'static [&'static str] {
    target(op).map_or(&[], |noun| noun.states)
}

/// What a field refers to.
fn refers(kind: Kind) -> Option<&'static Noun> {
    match kind {
        Kind::Ref(noun) | Kind::Refs(noun) | Kind::Interfaces(noun) => Some(noun),
        Kind::Nic => Some(&crate::api::cloudapi::networks::NETWORK),
        _ => None,
    }
}

/// What an argument means: a path's parameter, or a field that refers to a thing.
fn noun_of(arg: &Arg) -> Option<&'static Noun> {
    let id = arg.get_id().as_str();
    let id = id.strip_prefix(WORD).unwrap_or(id);
    let global = id.strip_prefix("as-").and_then(|name| CLOUDAPI.nouns.iter().copied().find(|noun| noun.name == name));
    api::noun(id).or(global).or_else(|| {
        let fields = CLOUDAPI.resources.iter().flat_map(|resource| resource.ops).flat_map(|op| op.fields);
        fields.filter(|field| field.name == id).find_map(|field| refers(field.kind))
    })
}

/// The names that begin with what was typed.
fn names_of(noun: &'static Noun, line: &Arc<Line>, typed: &OsStr) -> Vec<String> {
    looked_up(noun, line).fitting(&typed.to_string_lossy())
}

/// The same of tags, for a selector.
fn tags_of(noun: &'static Noun, line: &Arc<Line>, typed: &str) -> Vec<String> {
    looked_up(noun, line).tags(typed)
}

/// All names there are. Whatever hangs, a silent agent or a resolver, is left behind: the process is about to end. Where
/// no thread can start there are none.
fn looked_up(noun: &'static Noun, line: &Arc<Line>) -> Names {
    let (send, receive) = std::sync::mpsc::channel();
    let line = Arc::clone(line);
    let _ = std::thread::Builder::new().spawn(move || send.send(names::of(noun, &line).unwrap_or_default()));
    receive.recv_timeout(TIMEOUT).unwrap_or_default()
}

/// The profiles, for `--profile` and for the commands about them.
fn profiles_of(line: &Arc<Line>) -> ArgValueCompleter {
    let line = Arc::clone(line);
    ArgValueCompleter::new(move |typed: &OsStr| profile_names(&line.env, typed))
}

fn profile_names(env: &Env, typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut names = Dirs::of(env).config.and_then(|dir| profile::list(&dir).ok()).unwrap_or_default();
    names.push(profile::ENV.to_owned());
    names.retain(|name| name.starts_with(&*typed.to_string_lossy()));
    offered(names, "")
}

/// Names, behind what stands before them in the same word.
fn offered(names: Vec<String>, before: &str) -> Vec<CompletionCandidate> {
    let offer = |name: String| {
        let word = format!("{before}{name}");
        CompletionCandidate::new(&word).id(Some(format!("{NAME}{word}")))
    };
    names.into_iter().map(offer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        candidates(&words, &Env::process(), crate::cli::tree::completing).into_iter().map(|(value, _)| value).collect()
    }

    #[test]
    fn the_whole_name_of_a_command_comes_before_other_words_for_it() {
        assert_eq!(offered("sdc mach"), ["machines"]);
        assert_eq!(offered("sdc machines snap"), ["snapshots"]);
        assert!(offered("sdc inst").contains(&"inst".to_owned()));
    }

    #[test]
    fn states_columns_conditions_and_pages_are_offered() {
        for (line, words) in [
            ("sdc machines list --state r", &["running", "ready"][..]),
            ("sdc machines stop --state running,sto", &["running,stopping", "running,stopped"]),
            ("sdc machines list state=sto", &["state=stopping", "state=stopped"]),
            ("sdc machines list --sort memory,-na", &["memory,-name"]),
            ("sdc networks list gatew", &["gateway="]),
            ("sdc wait vol", &["volumes"]),
            ("sdc wait images x --for state=act", &["state=active"]),
            ("sdc wait machines x --for s", &["ssh", "state=running"]),
            ("sdc help exit", &["exit-codes"]),
            ("sdc emulator exec --seed ", &["demo", "empty"]),
            ("sdc help machines snap", &["snapshots"]),
        ] {
            let offered = offered(line);
            assert!(words.iter().all(|word| offered.iter().any(|known| known == word)), "{line}: {offered:?}");
        }
    }

    #[test]
    fn options_are_offered_where_there_is_nothing_else() {
        assert!(offered("sdc ").iter().all(|word| !word.starts_with('-')));
        assert!(offered("sdc profile use ").contains(&"env".to_owned()));
        assert!(offered("sdc profile use ").iter().all(|word| !word.starts_with('-')));
        assert_eq!(offered("sdc machines list --js"), ["--json"]);
        assert_eq!(offered("sdc machines list -o ta"), ["table", "tags"]);
        assert_eq!(offered("sdc machines list -o csv:id,sta"), ["csv:id,state"]);
        assert_eq!(offered("sdc -o tab"), ["table"]);
        assert_eq!(offered("sdc machines list state=run"), ["state=running"]);
        assert_eq!(offered("sdc machines list tag"), ["tag.", "tags="]);
        assert_eq!(offered("sdc role-tags get mach"), ["machines"]);
        assert_eq!(offered("sdc sto"), ["stop"]);
        assert_eq!(offered("sdc pkgs -o vc"), ["vcpus"]);
        assert_eq!(offered("sdc ls state=run"), ["state=running"]);
        assert_eq!(offered("sdc pkgs --jso"), ["--json"]);
        assert!(offered("sdc pkgs l").contains(&"list".to_owned()));
        assert!(offered("sdc account get ").contains(&"--json".to_owned()));
    }

    #[test]
    fn what_cannot_be_seen_for_what_it_is_is_left_out() {
        for name in ["", "a\nb", "a\tb", "\u{1b}[2J", "a\u{202e}b", "a\u{0}b", &"x".repeat(MAX_LEN + 1)] {
            assert!(!is_seen(name), "{name:?}");
        }
        for name in ["a b", "$(x)", "名前 🦀", &"x".repeat(MAX_LEN)] {
            assert!(is_seen(name), "{name:?}");
        }
    }
}
