//! The tree of commands as data, for `sdc help --json`, and which operations of the API each of them calls, for
//! `docs/api-coverage.md`. Read from the same commands that run.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};
use serde_json::{Map, Value, json};

use crate::api::cloudapi::role_tags;
use crate::api::{self, Op};
use crate::cli::args::pages;
use crate::cli::commands;

/// A command with all below it. What every command below takes too stands with the first one, marked `global`.
pub fn command(command: &Command, words: &[&str]) -> Value {
    let shown = |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    let (options, arguments): (Vec<&Arg>, Vec<&Arg>) =
        command.get_arguments().filter(shown).partition(|arg| !arg.is_positional());
    let subcommands = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    let mut all = Map::new();
    all.insert("name".to_owned(), command.get_name().into());
    all.insert("path".to_owned(), json!(words));
    all.insert("aliases".to_owned(), command.get_visible_aliases().collect());
    all.insert("about".to_owned(), command.get_about().map(ToString::to_string).into());
    all.insert("arguments".to_owned(), arguments.into_iter().map(argument).collect());
    all.insert("options".to_owned(), options.into_iter().map(option).collect());
    let examples: Vec<Value> =
        commands::examples(&words.join(" ")).iter().map(|example| pages::typed(example).into()).collect();
    if !examples.is_empty() && !command.has_subcommands() {
        all.insert("examples".to_owned(), examples.into());
    }
    let api: Vec<Value> = operations(words).iter().map(|op| operation(op)).collect();
    if !api.is_empty() {
        all.insert("api".to_owned(), api.into());
    }
    let below = subcommands.map(|sub| self::command(sub, &[words, &[sub.get_name()]].concat()));
    all.insert("subcommands".to_owned(), below.collect());
    all.into()
}

/// Puts the options that a command takes from those above it with its own.
pub fn inherit(described: &mut Value, above: &[&Command]) {
    let inherited = above.iter().flat_map(|command| command.get_arguments());
    let inherited: Vec<Value> = inherited.filter(|arg| arg.is_global_set() && !arg.is_hide_set()).map(option).collect();
    if let Some(options) = described.get_mut("options").and_then(Value::as_array_mut) {
        options.extend(inherited);
    }
}

fn argument(arg: &Arg) -> Value {
    json!({
        "name": arg.get_id().as_str(),
        "value_name": value_name(arg),
        "help": arg.get_help().map(ToString::to_string),
        "required": arg.is_required_set(),
        "multiple": multiple(arg),
        "possible_values": possible(arg),
    })
}

fn option(arg: &Arg) -> Value {
    json!({
        "long": arg.get_long(),
        "short": arg.get_short(),
        "value_name": value_name(arg),
        "help": arg.get_help().map(ToString::to_string),
        "required": arg.is_required_set(),
        "multiple": multiple(arg),
        "possible_values": possible(arg),
        "global": arg.is_global_set(),
    })
}

/// What stands for the value; nothing for a switch, which has none.
fn value_name(arg: &Arg) -> Option<String> {
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    arg.get_action().takes_values().then(|| name.unwrap_or_else(|| arg.get_id().to_string()))
}

fn multiple(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append | ArgAction::Count)
        || arg.get_num_args().is_some_and(|range| range.max_values() > 1)
}

fn possible(arg: &Arg) -> Vec<String> {
    arg.get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect()
}

/// The operations that a command calls.
fn operations(words: &[&str]) -> Vec<&'static Op> {
    let path = words.join(" ");
    match commands::calls(&path) {
        [] => api::operation(&path).into_iter().collect(),
        laid_over => laid_over.to_vec(),
    }
}

fn operation(op: &Op) -> Value {
    let fixed: Map<String, Value> =
        op.fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    json!({ "operation": op.id, "method": op.method.as_str(), "path": op.path, "fixed": fixed })
}

/// Every operation with the commands that call it.
fn covered(tree: &Command) -> Vec<(&'static Op, Vec<String>)> {
    let mut all: Vec<(&'static Op, Vec<String>)> = Vec::new();
    // Services have operations of the same names.
    let same = |a: &Op, b: &Op| a.id == b.id && std::ptr::eq(api::service_of(a), api::service_of(b));
    for op in api::ops().chain(role_tags::OPS.iter().copied()) {
        if all.iter().all(|(known, _)| !same(known, op)) {
            all.push((op, Vec::new()));
        }
    }
    walk(tree, &mut Vec::new(), &mut |words| {
        for op in operations(words) {
            match all.iter_mut().find(|(known, _)| same(known, op)) {
                Some((_, commands)) => commands.push(words.join(" ")),
                None => all.push((op, vec![words.join(" ")])),
            }
        }
    });
    all
}

fn walk<'a>(command: &'a Command, words: &mut Vec<&'a str>, each: &mut impl FnMut(&[&str])) {
    each(words);
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        words.push(sub.get_name());
        walk(sub, words, each);
        words.pop();
    }
}

/// The page that lists them, a table a service.
pub fn coverage(tree: &Command) -> String {
    let all = covered(tree);
    let mut out =
        String::from("<!-- written by `sdc generate .`; changes here are lost -->\n# Operations of the API\n\n");
    for service in api::SERVICES {
        let own: Vec<_> = all.iter().filter(|(op, _)| std::ptr::eq(api::service_of(op), *service)).collect();
        if service.is_inner() {
            let _ = writeln!(out, "\n## {}\n", service.name);
        }
        let with = own.iter().filter(|(_, commands)| !commands.is_empty()).count();
        let missing = own.len() - with;
        let data = if service.is_inner() { "" } else { " The same as data: `sdc help --json`, under `api`." };
        let _ = writeln!(
            out,
            "{} operations, {with} of them with a command: {missing} missing.{data}\n\n\
             | Operation | Request | Command |\n|---|---|---|",
            own.len()
        );
        for (op, commands) in own {
            let query: Vec<String> = op.fixed.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
            let commands: Vec<String> = commands.iter().map(|words| format!("`sdc {words}`")).collect();
            let request = format!("{} {}{query}", op.method.as_str(), op.path);
            let _ = writeln!(out, "| {} | `{request}` | {} |", op.id, commands.join(", "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tree;

    #[test]
    fn every_operation_has_a_command() {
        let bare: Vec<&str> =
            covered(&tree()).iter().filter(|(_, commands)| commands.is_empty()).map(|(op, _)| op.id).collect();
        assert!(bare.is_empty(), "{}", bare.join(", "));
    }

    #[test]
    fn a_command_is_described_with_what_it_takes_and_calls() {
        let tree = tree();
        let machines = tree.find_subcommand("machines").unwrap();
        let stop = command(machines.find_subcommand("stop").unwrap(), &["machines", "stop"]);
        assert_eq!(stop["arguments"][0]["value_name"], "MACHINE");
        assert_eq!(
            (&stop["arguments"][0]["required"], &stop["arguments"][0]["multiple"]),
            (&false.into(), &true.into()),
            "a selector, a state or an age will do instead"
        );
        let wait = stop["options"].as_array().unwrap().iter().find(|option| option["long"] == "wait").unwrap();
        assert_eq!((&wait["short"], &wait["value_name"]), (&"w".into(), &Value::Null));
        assert_eq!(
            stop["api"],
            json!([{
                "operation": "StopMachine",
                "method": "POST",
                "path": "/:login/machines/:machine",
                "fixed": { "action": "stop" },
            }])
        );
    }
}
