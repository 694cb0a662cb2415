//! Pages of help: what a page says beyond clap's usage and options. Nothing of it is made before a page is asked for.
//! It knows nothing of what a command does.

use clap::Command;

use crate::api::{self, Op};
use crate::grammar::shell::on_lines;

/// The examples of a command, by its words: without the program's name, as the table has them.
pub type Examples = fn(&str) -> Vec<&'static str>;

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
    let command = match api::operation(path) {
        Some(op) => of_operation(command, op),
        None => command,
    };
    let header = *command.get_styles().get_header();
    let shown: String =
        examples(path).iter().map(|example| format!("  {}\n", on_lines(&typed(example), WIDTH))).collect();
    let shown = if shown.is_empty() { shown } else { format!("{header}Examples:{header:#}\n{shown}\n") };
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_start_matches(command.get_name()).trim_start();
    let usage = typed(&format!("{path} {usage}"));
    // Clap breaks no line of it.
    let long = command.get_overridden_usage().is_none() && usage.chars().count() > WIDTH;
    let at = if usage.contains(" --") { " --" } else { " <" };
    let broken = usage.replacen(at, &format!("\n         {}", at.trim_start()), 1);
    let command = if long { command.override_usage(broken) } else { command };
    command.help_template(format!(
        "{{about-with-newline}}\n{shown}{{before-help}}{{usage-heading}} {{usage}}\n\n{{all-args}}{{after-help}}"
    ))
}

/// How long a line of an example, or of a command's usage, may be.
const WIDTH: usize = 72;

/// What the table says of an operation.
fn of_operation(command: Command, op: &Op) -> Command {
    let command = command.after_long_help(format!("API: {} ({} {})", op.id, op.method.as_str(), op.path));
    if op.long.is_empty() { command } else { command.before_long_help(worded(op.long)) }
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
        let mut tree = documented(tree, "", |path| if path == "ping" { vec!["ping"] } else { Vec::new() });
        let page = tree.find_subcommand_mut("ping").unwrap().render_long_help().to_string();
        assert!(page.starts_with("Ask\n\nExamples:\n  sdc ping\n\nUsage: ping"), "{page}");
        assert!(page.trim_end().ends_with("API: Ping (GET /--ping)"), "{page}");
    }
}
