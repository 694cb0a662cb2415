//! `sdc generate DIR`: completions, reference pages and man pages, written from the same commands that
//! run. They are committed; a test says when they are stale.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Arg, ArgMatches, Command};

use super::{completion, examples, help_json};
use crate::api::{self, CLOUDAPI, Level, Resource};
use crate::cli::app::{App, Trees};
use crate::cli::args::build::Syntax;
use crate::cli::args::pages;
use crate::cli::commands::{self, Custom, Settings};
use crate::error::{Error, Result};
use crate::file::{self, Manner};

/// `sdc generate`.
pub(crate) static COMMAND: Custom = Custom {
    path: "generate",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "",
    previews: false,
    settings: Settings::UNNEEDED,
};

/// They are for everybody, and can be written again.
const PAGE: Manner = Manner { follow: true, private: false, durable: false };

/// The hidden command.
pub fn command() -> Command {
    Command::new("generate")
        .about("Write completions, reference and man pages")
        .hide(true)
        .arg(Arg::new("DIR").required(true).help("The project's top directory"))
}

/// Writes the files.
///
/// # Errors
/// A file that cannot be written.
pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let top = Path::new(matches.get_one::<String>("DIR").map(String::as_str).unwrap_or("."));
    for (name, text) in files(app.trees)? {
        let path = top.join(name);
        let write = || {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            file::replace(&path, &text, PAGE)
        };
        write().map_err(|error| Error::other(format!("cannot write {}", path.display())).because(error))?;
    }
    Ok(0)
}

/// Every generated file, by its path below the project's top, and its contents.
///
/// # Errors
/// A man page that could not be written.
pub fn files(trees: Trees) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for (shell, name) in completion::SHELLS {
        files.push((format!("completions/{name}"), completion::script(shell)?.as_bytes().to_vec()));
    }
    let mut root = (trees.pages)().disable_help_subcommand(true);
    root.build();
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        files.push((format!("docs/reference/{}.md", command.get_name()), page(command).into_bytes()));
    }
    files.push(("docs/api-coverage.md".to_owned(), help_json::coverage(&(trees.plain)()).into_bytes()));
    man(&root, "", &mut files)?;
    Ok(files)
}

/// The man pages of a command and all below it. `path` is its words.
fn man(command: &Command, path: &str, files: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let text = man_page(command, path).map_err(|error| Error::other("cannot write a man page").because(error))?;
    files.push((format!("docs/man/{}.1", man_name(path)), text));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        man(sub, format!("{path} {}", sub.get_name()).trim_start(), files)?;
    }
    Ok(())
}

fn man_name(path: &str) -> String {
    format!("sdc {path}").trim_end().replace(' ', "-")
}

fn man_page(command: &Command, path: &str) -> io::Result<Vec<u8>> {
    let name = man_name(path);
    let long = [command.get_about(), command.get_before_long_help()].into_iter().flatten();
    let long = long.map(ToString::to_string).collect::<Vec<_>>().join("\n\n");
    // A page that names the version would be stale with each release.
    let man = clap_mangen::Man::new(command.clone().display_name(name.clone()).long_about(long))
        .title(name.to_uppercase())
        .source("sdc")
        .manual("sdc manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    let examples = examples_of(path);
    // Those of its verbs are on their own pages.
    if !examples.is_empty() && !command.has_subcommands() {
        let typed = |example: &String| format!("{}\n", example.replace('\\', "\\e").replace('-', "\\-"));
        let lines: String = examples.iter().map(typed).collect();
        write!(text, ".SH EXAMPLES\n.nf\n{lines}.fi\n")?;
    }
    if command.get_arguments().any(|arg| !arg.is_hide_set()) {
        man.render_options_section(&mut text)?;
    }
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        man.render_subcommands_section(&mut text)?;
    }
    if command.get_after_long_help().or(command.get_after_help()).is_some() {
        man.render_extra_section(&mut text)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut text)?;
    }
    Ok(text)
}

/// The examples of the command with these words, as they are typed.
fn examples_of(path: &str) -> Vec<String> {
    commands::examples(path).iter().map(|example| pages::typed(example)).collect()
}

/// The reference page of a noun: each command with its usage, arguments and options.
fn page(command: &Command) -> String {
    let name = command.get_name();
    let resource = CLOUDAPI.resources.iter().copied().find(|resource| resource.name == name);
    let mut out = format!("<!-- written by `sdc generate .`; changes here are lost -->\n# sdc {name}\n");
    if let Some(about) = command.get_about() {
        let _ = writeln!(out, "\n{about}.");
    }
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(out, "\nAlso: {}.", aliases.join(", "));
    }
    if let Some(example) = examples::of(name) {
        let _ = writeln!(out, "\n{example}");
    }
    section(command, name, &mut Vec::new(), &mut out);
    if let Some(resource) = resource {
        columns(resource, &mut out);
    }
    if name == commands::stack::COMMAND.path {
        commands::stack::types::reference(&mut out);
    }
    out
}

fn section(command: &Command, name: &str, words: &mut Vec<String>, out: &mut String) {
    let subs: Vec<&Command> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect();
    if subs.is_empty() {
        let op = api::operation(format!("{name} {}", words.join(" ")).trim_end());
        if !words.is_empty() {
            let _ = writeln!(out, "\n## sdc {name} {}", words.join(" "));
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "\n{about}.");
            let path = format!("{name} {}", words.join(" "));
            let examples = examples_of(&path);
            if !examples.is_empty() {
                let _ = writeln!(out, "\n```sh\n{}\n```", examples.join("\n"));
            }
            if let Some(notes) = command.get_before_long_help() {
                let _ = writeln!(out, "\n{}", notes.to_string().trim_end());
            }
        }
        let usage = command.clone().render_usage().to_string();
        let _ = writeln!(out, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
        for arg in
            command.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set() && arg.get_id() != "help")
        {
            let _ =
                writeln!(out, "* `{}`: {}", label(arg), arg.get_help().map(ToString::to_string).unwrap_or_default());
        }
        if let Some(op) = op {
            let _ = writeln!(out, "\nAPI: {}, `{} {}`.", op.id, op.method.as_str(), op.path);
        }
    }
    for sub in subs {
        words.push(sub.get_name().to_owned());
        section(sub, name, words, out);
        words.pop();
    }
}

fn label(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let takes = arg.get_num_args().is_some_and(|range| range.takes_values());
    match (arg.get_short(), arg.get_long()) {
        (_, None) => {
            if value.is_empty() {
                arg.get_id().to_string()
            } else {
                value
            }
        }
        (short, Some(long)) => {
            let short = short.map(|short| format!("-{short}, ")).unwrap_or_default();
            match (takes && !value.is_empty(), arg.is_require_equals_set()) {
                (false, _) => format!("{short}--{long}"),
                (true, false) => format!("{short}--{long} {value}"),
                // A value behind a blank would be taken for something else.
                (true, true) => format!("{short}--{long}[={value}]"),
            }
        }
    }
}

fn columns(resource: &Resource, out: &mut String) {
    let _ =
        writeln!(out, "\n## Columns\n\nFor `-o` and `--sort`; those of every table first, then those of `--long`.\n");
    let mut columns: Vec<_> = resource.columns.iter().collect();
    columns.sort_by_key(|column| column.level);
    for column in columns {
        let when = match column.level {
            Level::Short => "",
            Level::Brief => " (without `--long`)",
            Level::Roomy => " (with `--long`, and where a terminal has room)",
            Level::Long => " (`--long`)",
            Level::Named => " (when named)",
        };
        let dots = if column.nested { ", and its parts as `NAME.PART`" } else { "" };
        let _ = writeln!(out, "* `{}`{when}{dots}", column.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_needs_a_sign_before_it_is_shown_with_one() {
        let wait = Arg::new("wait").long("wait").short('w').value_name("STATE").num_args(0..=1);
        assert_eq!(label(&wait.clone().require_equals(true)), "-w, --wait[=STATE]");
        assert_eq!(label(&wait), "-w, --wait STATE");
    }
}
