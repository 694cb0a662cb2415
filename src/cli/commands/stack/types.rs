//! `sdc stack type` and `sdc stack function`: what templates may hold, from the tables that read them.

use std::fmt::Write;

use clap::ArgMatches;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::error::{Error, Result};
use crate::grammar::nearest;
use crate::render::Format;
use crate::sensitive::quoted;
use crate::stack::resources::{self, TYPES};
use crate::stack::template::Version;
use crate::stack::template::function::FUNCTIONS;

const FUNCTION_COLUMNS: &[Column] =
    &[column("name").stays(), column("since"), column("until"), column("usage"), column("about").roomy()];
const TYPE_COLUMNS: &[Column] = &[column("name").stays(), column("about").stays()];
const PART_COLUMNS: &[Column] = &[
    column("name").stays(),
    column("part"),
    column("holds"),
    column("required"),
    column("default"),
    column("change"),
    column("about"),
];

fn show_rows(app: &App, matches: &ArgMatches, known: &'static [Column], rows: &[Value]) -> Result<i32> {
    let view = app.view(matches, known)?;
    let jq = app.program()?;
    let rows = Value::from(rows.to_vec()).to_string();
    app.show(&Answer::from_rows(rows.as_bytes())?, Shape::Rows, &view, jq.as_ref())?;
    Ok(0)
}

/// Lists the functions.
///
/// # Errors
/// A usage error for a version that there is not.
pub(super) fn functions(app: &App, matches: &ArgMatches) -> Result<i32> {
    let version = match matches.get_one::<String>("template-version") {
        None => None,
        Some(text) => Some(Version::parse(text).ok_or_else(|| {
            let known: Vec<&str> = Version::all().map(Version::date).collect();
            Error::usage(format!("there is no version '{}'", quoted(text)))
                .hint(format!("there are {}", known.join(", ")))
        })?),
    };
    let rows: Vec<Value> = FUNCTIONS
        .iter()
        .filter(|function| version.is_none_or(|version| function.is_of(version)))
        .map(|function| {
            json!({
                "name": function.name,
                "since": function.since.date(),
                "until": function.until.map(Version::date),
                "usage": function.usage,
                "about": function.about,
            })
        })
        .collect();
    show_rows(app, matches, FUNCTION_COLUMNS, &rows)
}

/// Lists the types.
///
/// # Errors
/// What printing says.
pub(super) fn list(app: &App, matches: &ArgMatches) -> Result<i32> {
    let rows: Vec<Value> = TYPES.iter().map(|kind| json!({ "name": kind.name, "about": kind.about })).collect();
    show_rows(app, matches, TYPE_COLUMNS, &rows)
}

/// Shows a type.
///
/// # Errors
/// A usage error for a type that there is not.
pub(super) fn show(app: &App, matches: &ArgMatches) -> Result<i32> {
    let name = matches.get_one::<String>("type").map(String::as_str).unwrap_or_default();
    let kind = resources::find(name).ok_or_else(|| {
        let names: Vec<&str> = TYPES.iter().map(|kind| kind.name).collect();
        let error = Error::usage(format!("there is no type '{}'", quoted(name)));
        match nearest(name, &names) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("there are {}", names.join(", "))),
        }
    })?;
    let properties = kind.properties.iter().map(|property| {
        json!({
            "name": property.name,
            "part": "property",
            "holds": property.kind.words(),
            "required": property.required,
            "default": property.default,
            "change": property.update.word(),
            "about": property.about,
        })
    });
    let attributes = kind
        .attributes
        .iter()
        .map(|attribute| json!({ "name": attribute.name, "part": "attribute", "about": attribute.about }));
    let rows: Vec<Value> = properties.chain(attributes).collect();
    let is_table = app.view(matches, PART_COLUMNS)?.format == Format::Table;
    if is_table && !app.globals.quiet {
        app.say(&format!("{}: {}", kind.name, kind.about));
    }
    show_rows(app, matches, PART_COLUMNS, &rows)
}

/// What templates may hold, for the reference page.
pub(crate) fn reference(out: &mut String) {
    out.push_str("\n## Types of resources\n");
    for kind in TYPES {
        let _ = writeln!(out, "\n### {}\n\n{}. Properties:\n", kind.name, kind.about);
        for property in kind.properties {
            let mut words = vec![property.kind.words()];
            words.extend(property.required.then(|| "required".to_owned()));
            words.extend(property.default.filter(|text| !text.is_empty()).map(|text| format!("default {text}")));
            words.push(format!("a change: {}", property.update.word()));
            let _ = writeln!(out, "* `{}` ({}): {}", property.name, words.join("; "), property.about);
        }
        out.push_str("\nAttributes:\n\n");
        for attribute in kind.attributes {
            let _ = writeln!(out, "* `{}`: {}", attribute.name, attribute.about);
        }
    }
    out.push_str("\n## Functions\n\nEach with the versions of the language that have it.\n\n");
    for function in FUNCTIONS {
        let until = match function.until {
            Some(last) if last == function.since => format!("{last} alone"),
            Some(last) => format!("{} to {last}", function.since),
            None => format!("from {} on", function.since),
        };
        let _ = writeln!(out, "* `{}` ({until}): {}", function.usage, function.about);
    }
}
