//! `sdc stack validate`: all faults of a template, before anything is sent.

use clap::ArgMatches;
use serde_json::{Value, json};

use super::given::{self, Read};
use crate::answer::Answer;
use crate::api::Shape;
use crate::cli::app::App;
use crate::cli::terminal::exit;
use crate::error::{Error, Result};
use crate::render::Format;
use crate::sensitive::quoted;
use crate::stack::template::data::Data;
use crate::stack::template::fault::{Fault, MAX_TOLD};
use crate::stack::template::parameter::{Parameter, Pseudo, Values};
use crate::stack::template::{NothingMade, Template};
use crate::stack::{Wanted, check};

/// Checks a template, and returns the exit code.
///
/// # Errors
/// A usage error with all faults; for a file that cannot be read.
pub(super) fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    if let Some(output) = app.globals.output.as_deref().filter(|output| *output != "json") {
        let words = format!("this is text or JSON, so --output {} has no meaning here", quoted(output));
        return Err(Error::usage(words).hint("--json, or --jq EXPR"));
    }
    let view = app.view(matches, &[])?;
    let jq = app.program()?;
    let strict = matches.get_flag("strict");
    let read = given::read(app, matches)?;
    let checked = read.template.as_ref().map(|template| {
        let values = template.bind(&read.given, &Pseudo::default(), true, &read.faults);
        let wanted = check(template, &read.environment, &values, &NothingMade, &read.folder, &read.faults);
        (template, values, wanted)
    });
    let mut lints = read.all_lints();
    let mut faults = read.all_faults();
    if strict {
        for ((_, all), (_, lints)) in faults.iter_mut().zip(&mut lints) {
            all.append(lints);
            all.sort_by_key(|fault| fault.place);
        }
    }
    let failed = given::error(&faults);
    if view.format == Format::Json {
        let shown = shown(&read, checked.as_ref(), &faults, &lints);
        app.show(&Answer::from_record(shown.to_string().as_bytes())?, Shape::Record, &view, jq.as_ref())?;
        return Ok(failed.map_or(0, |error| i32::from(exit::code(error.kind()).0)));
    }
    if !strict {
        for (file, lints) in &lints {
            lints.iter().take(MAX_TOLD).for_each(|lint| app.warn(&format!("{file}:{lint}")));
            if lints.len() > MAX_TOLD {
                app.warn(&format!("{file}: and {} more warnings", lints.len() - MAX_TOLD));
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    if let Some((template, ..)) = checked.filter(|_| !app.globals.quiet) {
        let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let parts = [
            count(template.resources.len(), "resource"),
            count(template.parameters.len(), "parameter"),
            count(template.outputs.len(), "output"),
        ];
        app.streams.out(format!("{} is valid: {}\n", read.file, parts.join(", ")).as_bytes())?;
    }
    Ok(0)
}

fn shown(
    read: &Read,
    checked: Option<&(&Template, Values, Vec<Wanted>)>,
    faults: &[(&str, Vec<Fault>)],
    lints: &[(&str, Vec<Fault>)],
) -> Value {
    let list = |all: &[(&str, Vec<Fault>)]| -> Vec<Value> {
        all.iter().flat_map(|(file, faults)| faults.iter().map(|fault| told(file, fault))).collect()
    };
    let mut out = json!({
        "file": read.file,
        "valid": faults.iter().all(|(_, faults)| faults.is_empty()),
        "faults": list(faults),
        "warnings": list(lints),
    });
    if let (Some((template, values, wanted)), Some(members)) = (checked, out.as_object_mut()) {
        members.insert("version".to_owned(), json!(template.version.date()));
        members.insert("description".to_owned(), json!(template.description));
        let parameter = |parameter: &Parameter| {
            let value = values.get(&parameter.name).map_or(Value::Null, Data::shown);
            json!({
                "name": parameter.name,
                "type": parameter.kind.word(),
                "label": parameter.label,
                "description": parameter.description,
                "hidden": parameter.hidden,
                "immutable": parameter.immutable,
                "default": if parameter.hidden { Value::Null } else { parameter.default.clone().unwrap_or_default() },
                "constraints": constraints(parameter),
                "value": value,
            })
        };
        members.insert("parameters".to_owned(), template.parameters.iter().map(parameter).collect());
        let resource = |one: &Wanted| json!({ "name": one.name, "type": one.kind.name, "needs": one.needs });
        members.insert("resources".to_owned(), wanted.iter().map(resource).collect());
        let output =
            |output: &crate::stack::template::Output| json!({ "name": output.name, "description": output.description });
        members.insert("outputs".to_owned(), template.outputs.iter().map(output).collect());
    }
    out
}

/// The constraints in words. What is hidden may be one of the values that they name.
fn constraints(parameter: &Parameter) -> Vec<String> {
    let words = || parameter.constraints.iter().filter_map(|one| one.words()).collect();
    if parameter.hidden { Vec::new() } else { words() }
}

fn told(file: &str, fault: &Fault) -> Value {
    json!({
        "file": file,
        "line": fault.place.line,
        "column": fault.place.column,
        "path": fault.path,
        "kind": fault.kind.word(),
        "message": fault.words,
        "hint": fault.right,
    })
}
