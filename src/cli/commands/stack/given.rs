//! The files and values that a stack is made of: template, environments, parameters.

use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches};
use serde_json::Value;

use crate::cli::app::App;
use crate::error::{Error, Result};
use crate::sensitive::{self, quoted};
use crate::stack::files::Folder;
use crate::stack::template::environment::Environment;
use crate::stack::template::fault::{self, Fault, Faults};
use crate::stack::template::parameter::{Given, Origin};
use crate::stack::template::{MAX_LEN, Template};
use crate::tasks::values::Files;

/// The longest file of a parameter, in bytes.
const MAX_VALUE: u64 = 1024 * 1024;

/// The options of all commands that read a template.
pub(super) fn options() -> Vec<Arg> {
    let several = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).action(ArgAction::Append).help(help).help_heading("Template")
    };
    vec![
        Arg::new("template")
            .long("template")
            .short('t')
            .value_name("FILE")
            .required(true)
            .help("The template: YAML or JSON, - for standard input")
            .help_heading("Template"),
        several("environment", "FILE", "Environment file with values of parameters; of several the last wins")
            .short('e'),
        several("parameter", "NAME=VALUE", "Value of a parameter; may be repeated, or NAME=VALUE;NAME=VALUE")
            .short('P'),
        several("parameter-file", "NAME=FILE", "The same from a file, for secrets and long texts; may be repeated"),
    ]
}

/// What was given, read as far as that goes.
pub(super) struct Read {
    /// The name of the template's file.
    pub file: String,
    /// The template; none where it cannot be read at all.
    pub template: Option<Template>,
    pub environment: Environment,
    pub given: Given,
    pub folder: Folder,
    /// What is wrong with the template.
    pub faults: Faults,
    /// What is wrong with the environments, by file.
    others: Vec<(String, Faults)>,
}

/// Reads the files that were named.
///
/// # Errors
/// A usage error for a file that cannot be read, or an option that is not what it should be.
pub(super) fn read(app: &App, matches: &ArgMatches) -> Result<Read> {
    let limit = u64::try_from(MAX_LEN).unwrap_or(u64::MAX);
    let file = matches.get_one::<String>("template").cloned().unwrap_or_default();
    let bytes = app.console.read(&file, limit)?;
    let faults = Faults::default();
    let template = Template::read(&bytes, &faults);
    let mut environment = Environment::default();
    let mut others = Vec::new();
    for name in matches.get_many::<String>("environment").into_iter().flatten() {
        let faults = Faults::default();
        environment.add(&app.console.read(name, limit)?, &faults);
        if let Some(template) = &template {
            environment.lint(template, &faults);
        }
        others.push((shown(name), faults));
    }
    let mut given = Given::default();
    for (name, value) in parameters(matches)? {
        given.add(name, Value::from(value), Origin::Given);
    }
    for pair in matches.get_many::<String>("parameter-file").into_iter().flatten() {
        let (name, file) = split(pair, "--parameter-file")?;
        let bytes = app.console.read(file, MAX_VALUE)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Error::usage(format!("--parameter-file {}: byte {at} is not UTF-8", quoted(name)))
        })?;
        // A password has no line end, and a script has several.
        let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let text = line.filter(|line| !line.contains('\n')).map_or(text.clone(), str::to_owned);
        given.add(name, Value::from(text), Origin::Given);
    }
    environment.give(&mut given);
    let folder = match file.as_str() {
        "-" => PathBuf::new(),
        file => app.console.at_home(file).parent().map(Path::to_path_buf).unwrap_or_default(),
    };
    let folder = Folder { folder, home: app.config.dirs.home.clone() };
    Ok(Read { file: shown(&file), template, environment, given, folder, faults, others })
}

fn shown(file: &str) -> String {
    match file {
        "-" => "standard input".to_owned(),
        file => sensitive::path(Path::new(file)),
    }
}

/// The values that were typed. One option alone may hold several, with semicolons between them.
fn parameters(matches: &ArgMatches) -> Result<Vec<(&str, &str)>> {
    let typed: Vec<&String> = matches.get_many::<String>("parameter").into_iter().flatten().collect();
    let pairs: Vec<&str> = match typed.as_slice() {
        [one] => one.split(';').filter(|pair| !pair.is_empty()).collect(),
        several => several.iter().map(|pair| pair.as_str()).collect(),
    };
    let several = typed.len() == 1 && pairs.len() > 1;
    let separated = |error: Error| match several {
        true => error.hint("a ; separates parameters where one option has them all: a value with one from a file"),
        false => error,
    };
    // Of one that is given twice the last counts.
    pairs.into_iter().rev().map(|pair| split(pair, "--parameter").map_err(separated)).collect()
}

fn split<'a>(pair: &'a str, option: &str) -> Result<(&'a str, &'a str)> {
    let found = pair.split_once('=').filter(|(name, _)| !name.is_empty());
    // What has no name may be a value alone.
    found.ok_or_else(|| {
        Error::usage(format!("{option}: there is no NAME= before the value")).hint(format!("{option} NAME=VALUE"))
    })
}

impl Read {
    /// All faults, each with its file.
    pub fn all_faults(&self) -> Vec<(&str, Vec<Fault>)> {
        let others = self.others.iter().map(|(file, faults)| (file.as_str(), faults.faults()));
        std::iter::once((self.file.as_str(), self.faults.faults())).chain(others).collect()
    }

    /// All that is not wrong but seldom meant, each with its file.
    pub fn all_lints(&self) -> Vec<(&str, Vec<Fault>)> {
        let others = self.others.iter().map(|(file, faults)| (file.as_str(), faults.lints()));
        std::iter::once((self.file.as_str(), self.faults.lints())).chain(others).collect()
    }
}

/// The faults of several files as one error; none without faults.
pub(super) fn error(all: &[(&str, Vec<Fault>)]) -> Option<Error> {
    let bad: Vec<_> = all.iter().filter(|(_, faults)| !faults.is_empty()).collect();
    match bad.as_slice() {
        [] => None,
        [(file, faults)] => fault::error(file, faults),
        several => {
            let words: Vec<String> = several
                .iter()
                .filter_map(|(file, faults)| Some(fault::error(file, faults)?.message().to_owned()))
                .collect();
            Some(Error::usage(words.join("\n")).laid_out())
        }
    }
}
