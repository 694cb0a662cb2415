//! Pages of help: what a page says beyond clap's usage and options. Nothing of it is made before a page is asked for.
//! It knows nothing of what a command does.

use clap::Command;

use crate::api::{CLOUDAPI, Op};

/// The examples of a command, by its words: without the program's name, as the table has them.
pub type Examples = fn(&str) -> &'static [&'static str];

/// The command with its pages of help, and those of all below it. A page begins with what the command does and its
/// examples. `path` is the command's words.
pub fn documented(command: Command, path: &str, examples: Examples) -> Command {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path} {name}") };
    if command.has_subcommands() {
        return command.mut_subcommands(|sub| {
            let path = below(sub.get_name());
            documented(sub, &path, examples)
        });
    }
    let command = match operation(path) {
        Some(op) => of_operation(command, op),
        None => command,
    };
    let header = *command.get_styles().get_header();
    let shown: String = examples(path).iter().map(|example| format!("  {}\n", on_lines(&typed(example)))).collect();
    let shown = if shown.is_empty() { shown } else { format!("{header}Examples:{header:#}\n{shown}\n") };
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_start_matches(command.get_name()).trim_start();
    let usage = typed(&format!("{path} {usage}"));
    // Clap breaks no line of it.
    let long = command.get_overridden_usage().is_none() && usage.chars().count() > WIDTH;
    let command = if long { command.override_usage(usage.replacen(" --", "\n         --", 1)) } else { command };
    command.help_template(format!(
        "{{about-with-newline}}\n{shown}{{before-help}}{{usage-heading}} {{usage}}\n\n{{all-args}}{{after-help}}"
    ))
}

/// How long a line of an example, or of a command's usage, may be.
const WIDTH: usize = 72;

/// A command on as many lines as it needs, broken as a shell takes it: not within quotes, nor between an option and its
/// value.
fn on_lines(command: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let (mut quoted, mut option) = (false, false);
    for word in command.split(' ') {
        let is_option = word.starts_with('-');
        match parts.last_mut() {
            Some(last) if quoted || option && !is_option => *last = format!("{last} {word}"),
            _ => parts.push(word.to_owned()),
        }
        option = !quoted && is_option;
        quoted ^= word.matches('\'').count() % 2 == 1;
    }
    let (mut text, mut width) = (String::new(), 0);
    for part in parts {
        let length = part.chars().count();
        let (between, before) = match width {
            0 => ("", 0),
            _ if width + length >= WIDTH => (" \\\n      ", 6),
            _ => (" ", width + 1),
        };
        text.push_str(between);
        text.push_str(&part);
        width = before + length;
    }
    text
}

/// What the table says of an operation.
fn of_operation(command: Command, op: &Op) -> Command {
    let command = command.after_long_help(format!("API: {} ({} {})", op.id, op.method.as_str(), op.path));
    if op.long.is_empty() { command } else { command.before_long_help(worded(op.long)) }
}

/// The operation of these words.
pub fn operation(path: &str) -> Option<&'static Op> {
    let (noun, verb) = path.split_once(' ').unwrap_or((path, ""));
    let resource = CLOUDAPI.resources.iter().find(|resource| resource.name == noun)?;
    resource.ops.iter().copied().find(|op| op.verb == verb)
}

/// A command of the table as it is typed.
pub fn typed(command: &str) -> String {
    format!("sdc {command}")
}

/// A text of the table, whose commands stand between backticks, with the program's name before each of them.
pub fn worded(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { format!("`{}`", typed(part)) });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_between_backticks_get_the_name_of_the_program() {
        assert_eq!(worded("See `images list`, or `ping`."), "See `sdc images list`, or `sdc ping`.");
        assert_eq!(worded("Nothing to type."), "Nothing to type.");
    }

    #[test]
    fn a_page_begins_with_what_is_done_and_how_it_is_typed() {
        let tree = Command::new("sdc").subcommand(Command::new("ping").about("Ask"));
        let mut tree = documented(tree, "", |path| if path == "ping" { &["ping"] } else { &[] });
        let page = tree.find_subcommand_mut("ping").unwrap().render_long_help().to_string();
        assert!(page.starts_with("Ask\n\nExamples:\n  sdc ping\n\nUsage: ping"), "{page}");
        assert!(page.trim_end().ends_with("API: Ping (GET /--ping)"), "{page}");
    }

    #[test]
    fn a_long_example_is_broken_between_words_but_not_within_quotes() {
        assert_eq!(on_lines("sdc ping"), "sdc ping");
        let long = format!("sdc fwrules create '{0} {0}' --log -D {0}", "x".repeat(22));
        let lines = format!("sdc fwrules create '{0} {0}' --log \\\n      -D {0}", "x".repeat(22));
        assert_eq!(on_lines(&long), lines);
        let long = format!("sdc ping {} --start 1 --end {}", "x".repeat(46), "y".repeat(10));
        let lines = format!("sdc ping {} --start 1 \\\n      --end {}", "x".repeat(46), "y".repeat(10));
        assert_eq!(on_lines(&long), lines);
    }

    #[test]
    fn operations_are_found_by_their_words() {
        assert_eq!(operation("machines tags list").unwrap().id, "ListMachineTags");
        assert_eq!(operation("ping").unwrap().id, "Ping");
        assert!(operation("machines").is_none() && operation("nothing at all").is_none());
    }
}
