//! `--jq`: the user's own expression over the JSON document, with jaq. Numbers keep their text. Where jaq gives what
//! JSON cannot hold, or other values than jq, `jq_builtins`, `jq_terms` and `jq_values` mend it; `jq_bounds` keeps it
//! in bounds, and `jq_given` has what it is given beside the document.

use std::fmt::Write;
use std::sync::{Arc, mpsc};

use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::Val;

use super::jq_given::{self, Given};
use super::{escape, jq_bounds, jq_builtins, jq_terms, jq_values};
use crate::error::{Error, Result};
use crate::sensitive::{self, Sort};

/// Expressions that are longer, in bytes, are refused: they are read recursively.
const MAX_LEN: usize = 64 << 10;

/// What the expression is called as a definition.
const MAIN: &str = "__main";

type Compiled = Filter<data::JustLut<Val>>;

/// A compiled expression.
pub struct Program {
    filter: Arc<Compiled>,
    given: Arc<Given>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Program")
    }
}

impl Program {
    /// Compiles an expression, before anything is sent.
    ///
    /// # Errors
    /// A usage error that shows where the expression went wrong.
    pub fn new(expression: &str) -> Result<Program> {
        Program::with(expression, Given::default())
    }

    /// The same of one that uses values by name.
    ///
    /// # Errors
    /// As [`Program::new`].
    pub fn with(expression: &str, given: Given) -> Result<Program> {
        if expression.len() > MAX_LEN {
            return Err(Error::usage(format!("the --jq expression is longer than {} KiB", MAX_LEN >> 10)));
        }
        let (expression, mut filter, names) = (expression.to_owned(), None, given.names());
        jq_bounds::on_a_large_stack(
            move |sender| {
                let _ = sender.send(compiled(&expression, &names)?);
                Ok(())
            },
            || Ok(()),
            |compiled| {
                filter = Some(Arc::new(compiled));
                Ok(())
            },
        )?;
        let filter = filter.ok_or_else(|| Error::usage("the --jq expression cannot be read"))?;
        Ok(Program { filter, given: Arc::new(given) })
    }

    /// Runs it over a document, giving each result as a line (without its line feed) to `sink`. Strings are
    /// JSON unless `raw`; for a `terminal`, control characters in them are spelled out.
    ///
    /// # Errors
    /// What the expression failed with, a result that JSON cannot hold, or what `sink` did.
    pub fn run(&self, json: &str, raw: bool, terminal: bool, sink: impl FnMut(&str) -> Result<()>) -> Result<()> {
        self.run_while(json, raw, terminal, || Ok(()), sink)
    }

    /// The same, and while there is no result, `idle` is asked several times a second whether to go on. An expression
    /// that is given up runs on in its own thread until the process ends.
    ///
    /// # Errors
    /// As [`Program::run`], and those of `idle`.
    pub fn run_while(
        &self,
        json: &str,
        raw: bool,
        terminal: bool,
        idle: impl FnMut() -> Result<()>,
        mut sink: impl FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        jq_given::check(json, "the answer")?;
        let (filter, given, json) = (Arc::clone(&self.filter), Arc::clone(&self.given), json.to_owned());
        let shown = move |text: String| match terminal {
            true => escape::visible_lines(&text).into_owned(),
            false => text,
        };
        jq_bounds::on_a_large_stack(
            move |sender| each((&filter, &given), json, raw, shown, sender),
            idle,
            |line: String| sink(&line),
        )
    }
}

fn compiled(expression: &str, names: &[String]) -> Result<Compiled> {
    // Read alone first: what it is refused for is told by its place.
    let arena = Arena::default();
    Loader::new([])
        .load(&arena, File { code: expression, path: () })
        .map_err(|errors| wrong(expression, misread(&errors)))?;
    let body = load::parse(expression, |parser| parser.term()).ok_or_else(|| wrong(expression, None))?;
    let main = Def { name: MAIN, args: Vec::new(), body };
    let defs = jq_terms::mended(jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()), main);
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let funs = jq_builtins::theirs(funs).chain(jq_values::funs()).chain(jq_bounds::funs());
    let arena = Arena::default();
    let modules = Loader::new(defs)
        .load(&arena, File { code: MAIN, path: () })
        .map_err(|errors| wrong(expression, misread(&errors)))?;
    let variables = names.iter().map(String::as_str);
    Compiler::default().with_funs(funs).with_global_vars(variables).compile(modules).map_err(|errors| {
        let first = errors.into_iter().flat_map(|(_, list)| list).next();
        let error = wrong(
            expression,
            first.as_ref().map(|(name, kind)| (*name, format!("there is no {} '{name}'", kind.as_str()))),
        );
        match first.and_then(|(name, _)| name.strip_prefix('$').filter(|name| !name.starts_with("__"))) {
            Some(name) => error.hint(format!("to give it one: --arg {name} VALUE, or --argjson {name} JSON")),
            None => error,
        }
    })
}

/// Sends each result as a line, until nobody takes them any longer.
fn each(
    (filter, given): (&Compiled, &Given),
    json: String,
    raw: bool,
    shown: impl Fn(String) -> String,
    sender: &mpsc::SyncSender<String>,
) -> Result<()> {
    let input = jq_given::parsed(&json)?;
    drop(json);
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new(given.values()?));
    for result in filter.id.run((context, input)).map(unwrap_valr) {
        let value = result.map_err(|error| failed(shortened(&error)))?;
        let text = match &value {
            Val::TStr(bytes) if raw => String::from_utf8_lossy(bytes).into_owned(),
            other => jq_values::written(other).map_err(failed)?,
        };
        if sender.send(shown(text)).is_err() {
            break;
        }
    }
    Ok(())
}

fn failed(words: String) -> Error {
    // A text is told as it is, other values as JSON.
    let words = serde_json::from_str::<String>(&words).unwrap_or(words);
    let error = Error::other("the --jq expression failed");
    if words == "break" {
        return error.because(words).hint("--jq has one document, which is its input already: input finds no other");
    }
    match ["csv", "tsv"].into_iter().find(|format| words.contains(&format!("a line of {format}"))) {
        Some(format) => error.because(words).hint(format!("columns without --jq: -o {format}:COLUMN,...")),
        None => error.because(words),
    }
}

/// What it failed on may be the whole answer, which nobody wants to read in an error.
fn shortened(error: &impl std::fmt::Display) -> String {
    const MAX_TOLD: usize = 160;
    struct Beginning(String, usize);
    impl Write for Beginning {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for letter in text.chars() {
                self.1 = self.1.checked_sub(1).ok_or(std::fmt::Error)?;
                self.0.push(letter);
            }
            Ok(())
        }
    }
    let mut words = Beginning(String::new(), MAX_TOLD);
    match write!(words, "{error}") {
        Ok(()) => words.0,
        Err(_) => words.0 + " …",
    }
}

/// A piece of the expression and what is wrong with it.
type Fault<'a> = Option<(&'a str, String)>;

fn misread<'a>(errors: &jaq_core::load::Errors<&'a str, ()>) -> Fault<'a> {
    use jaq_core::load::Error;
    let (_, first) = errors.first()?;
    match first {
        Error::Io(list) => list.first().map(|(path, why)| (*path, why.clone())),
        Error::Lex(list) => list.first().map(|(expected, found)| (*found, format!("expected {}", expected.as_str()))),
        Error::Parse(list) => list.first().map(|(expected, found)| (*found, format!("expected {}", expected.as_str()))),
    }
}

/// The usage error, with a mark under the place if it is known.
fn wrong(expression: &str, fault: Fault<'_>) -> Error {
    let (piece, why) = fault.unwrap_or(("", "it cannot be read".to_owned()));
    // The piece is cut from the expression, or empty for its end.
    let at = (piece.as_ptr() as usize).checked_sub(expression.as_ptr() as usize);
    let at = at.filter(|at| !piece.is_empty() && *at < expression.len()).unwrap_or(expression.len());
    let column = expression.get(..at).unwrap_or(expression).chars().count();
    let error = Error::usage(format!("the --jq expression is wrong at character {}: {why}", column + 1));
    // A URL with a password is no expression, and is not repeated.
    if matches!(sensitive::sort(expression), Some(Sort::Key | Sort::Line | Sort::Login | Sort::Userinfo)) {
        return error;
    }
    error.mark(&expression.replace(['\n', '\t', '\r'], " "), &format!("{}^", " ".repeat(column)))
}
