//! Tags and metadata whose names the service cannot be asked for one by one: a slash ends a part of its path, and
//! `..` leaves it. They are read from the list of all, and what can be done instead of deleting one is said here.

use serde_json::Value;

use crate::api::Noun;
use crate::api::cloudapi::tags;
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind};
use crate::request::Args;

/// A hint that is longer is of no use on a screen.
const MAX_LEN: usize = 1000;

/// Why such a name cannot be used alone, and the command that does the same.
pub async fn error(client: &Client, noun: &Noun, place: &Args, name: &str) -> Error {
    let all = match client.call(noun.list, place).await {
        Ok(all) => all.value().as_object().cloned().unwrap_or_default(),
        Err(error) => return error,
    };
    let shown: String = name.chars().take(60).collect();
    let machine = place.text("machine").unwrap_or_default();
    if !all.contains_key(name) {
        let error = Error::new(Kind::NotFound, format!("no {} named '{shown}'", noun.word));
        return super::near::offered(error, name, all.keys().map(String::as_str))
            .hint(Hint::run("list them", place.command(client.service(), noun.list)));
    }
    let error =
        Error::usage(format!("the {} '{shown}' cannot be changed by itself: the service does not find it", noun.word));
    if noun.name != tags::TAG.name {
        // A name with an equals sign would be read as another one and a value.
        let empty = match name.contains('=') || name.ends_with(':') {
            false => CommandLine::new("machines metadata set").on(machine).on(format!("{name}=")),
            true => CommandLine::new("api POST")
                .on(format!("/my/machines/{machine}/metadata"))
                .option("-d", serde_json::json!({ name: "" }).to_string()),
        };
        return error
            .hint(Hint::run("to empty it", empty))
            .hint(Hint::run("to remove all metadata", CommandLine::new("machines metadata delete-all").on(machine)));
    }
    let others = all.iter().filter(|(other, _)| *other != name);
    error.hint(match others.clone().count() {
        0 => Hint::run("it is the only one", CommandLine::new("machines tags delete-all").on(machine)),
        _ => match replacing(machine, others) {
            Some(command) => Hint::run("to set the others anew, without it", command),
            None => Hint::command(CommandLine::new("machines tags replace").on(machine))
                .then(" with all others sets them anew, without it"),
        },
    })
}

/// The command that sets these tags and removes all others, if it can be typed.
fn replacing<'a>(machine: &str, tags: impl Iterator<Item = (&'a String, &'a Value)>) -> Option<CommandLine> {
    let mut command = CommandLine::new("machines tags replace").on(machine);
    for (name, value) in tags {
        // These would be read as another name.
        if name.is_empty() || name.contains('=') || name.ends_with(':') {
            return None;
        }
        let typed = match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}:={other}"),
        };
        if typed.contains(char::is_control) {
            return None;
        }
        command = command.on(typed);
    }
    (command.to_string().len() <= MAX_LEN).then_some(command)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_sets_each_tag_as_it_was() {
        let tags = json!({ "role": "web", "weight": 20, "on": true, "text": "20", "it's": "a b" });
        assert_eq!(
            replacing("ID", tags.as_object().unwrap().iter()).unwrap().to_string(),
            r"machines tags replace ID role=web weight:=20 on:=true text=20 'it'\''s=a b'"
        );
        for odd in [json!({ "a=b": "c" }), json!({ "a:": "c" }), json!({ "a": "x\ny" })] {
            assert_eq!(replacing("ID", odd.as_object().unwrap().iter()), None, "{odd}");
        }
    }
}
