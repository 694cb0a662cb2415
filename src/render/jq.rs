//! `--jq`: the user's own expression over the JSON document, with jaq. Numbers keep their text. Where jaq gives what
//! JSON cannot hold, or other values than jq, `jq_values` mends it.

use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::{Val, read};

use super::{escape, jq_values};
use crate::answer::scan;
use crate::error::{Error, Result};

/// Documents nested deeper are refused, for jaq reads them recursively.
const DEEPEST: usize = 256;

/// What the expression is called as a definition.
const MAIN: &str = "__main";

/// A compiled expression.
pub struct Program {
    filter: Filter<data::JustLut<Val>>,
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
        // Read alone first: what it is refused for is told by its place.
        let arena = Arena::default();
        Loader::new([])
            .load(&arena, File { code: expression, path: () })
            .map_err(|errors| wrong(expression, misread(&errors)))?;
        let body = load::parse(expression, |parser| parser.term()).ok_or_else(|| wrong(expression, None))?;
        let main = Def { name: MAIN, args: Vec::new(), body };
        let defs = jq_values::mended(jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()), main);
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = jq_values::theirs(funs).chain(jq_values::funs());
        let arena = Arena::default();
        let modules = Loader::new(defs)
            .load(&arena, File { code: MAIN, path: () })
            .map_err(|errors| wrong(expression, misread(&errors)))?;
        let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
            let first = errors.into_iter().flat_map(|(_, list)| list).next();
            wrong(expression, first.map(|(name, kind)| (name, format!("there is no {} `{name}`", kind.as_str()))))
        })?;
        Ok(Program { filter })
    }

    /// Runs it over a document, giving each result as a line (without its line feed) to `sink`. Strings are
    /// JSON unless `raw`; for a `terminal`, control characters in them are spelled out.
    ///
    /// # Errors
    /// What the expression failed with, a result that JSON cannot hold, or what `sink` did.
    pub fn run(&self, json: &str, raw: bool, terminal: bool, mut sink: impl FnMut(&str) -> Result<()>) -> Result<()> {
        if scan::depth(json) > DEEPEST {
            return Err(Error::other(format!("the answer is nested deeper than the {DEEPEST} levels that --jq reads")));
        }
        let input = read::parse_single(json.as_bytes())
            .map_err(|error| Error::other("--jq cannot read the answer").because(error.to_string()))?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        for result in self.filter.id.run((context, input)).map(unwrap_valr) {
            let value = result
                .map_err(|error| Error::other("the --jq expression failed").because(shortened(&error.to_string())))?;
            let text = match &value {
                Val::TStr(bytes) if raw => String::from_utf8_lossy(bytes).into_owned(),
                other => match jq_values::written(other) {
                    Ok(text) => text,
                    Err(words) => {
                        // It may be nested so deeply that freeing it, level by level, would end the process.
                        std::mem::forget(value);
                        return Err(Error::other("the --jq expression failed").because(words));
                    }
                },
            };
            sink(&if terminal { escape::visible_lines(&text) } else { text.as_str().into() })?;
        }
        Ok(())
    }
}

/// What it failed on may be the whole answer, which nobody wants to read in an error.
fn shortened(words: &str) -> String {
    const MOST: usize = 160;
    match words.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} …", words.get(..at).unwrap_or_default()),
        None => words.to_owned(),
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
    Error::usage(format!("the --jq expression is wrong at character {}: {why}", column + 1))
        .mark(&expression.replace(['\n', '\t', '\r'], " "), &format!("{}^", " ".repeat(column)))
}
