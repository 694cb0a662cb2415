//! Constraints of parameters: how a template says them, and what fits one. Pure.

use serde_json::{Number, Value};

use super::fault::{Fault, Faults, Kind, Place};
use super::parameter::Type;
use super::python;
use super::version::Version;
use super::yaml::Node;
use crate::sensitive::quoted;

/// The largest pattern, in bytes of what is made of it.
const MAX_PATTERN: usize = 128 * 1024;

/// A constraint of a parameter.
#[derive(Clone, Debug)]
pub struct Constraint {
    rule: Rule,
    /// Replaces the words of a refusal.
    description: Option<String>,
}

#[derive(Clone, Debug)]
enum Rule {
    Length {
        min: Option<u64>,
        max: Option<u64>,
    },
    Range {
        min: Option<Number>,
        max: Option<Number>,
    },
    Modulo {
        step: i64,
        offset: i64,
    },
    Values(Vec<Value>),
    Pattern(String),
    /// One that only a service of OpenStack can check.
    Foreign,
}

/// The kinds, the types that each is for, and since when.
const KINDS: &[(&str, &[Type], Version)] = &[
    ("length", &[Type::Text, Type::List, Type::Json], Version::V2013),
    ("range", &[Type::Number], Version::V2013),
    ("modulo", &[Type::Number], Version::V2017Ocata),
    ("allowed_values", &[Type::Text, Type::Number, Type::Boolean, Type::List], Version::V2013),
    ("allowed_pattern", &[Type::Text], Version::V2013),
    ("custom_constraint", &[Type::Text, Type::Number, Type::Boolean, Type::List, Type::Json], Version::V2013),
];

/// Reads the constraints of a parameter of this type.
pub(super) fn read(node: &Node, kind: Type, version: Version, path: &str, faults: &Faults) -> Vec<Constraint> {
    let Some(list) = node.list() else {
        let words = format!("constraints are a list, not {}", node.word());
        faults.add(Fault::new(Kind::Schema, node.place, path, words).right("constraints: [{length: {min: 1}}]"));
        return Vec::new();
    };
    let read = |(at, node): (usize, &Node)| faults.take(one(node, kind, version, &format!("{path}.{at}"), faults));
    list.iter().enumerate().filter_map(read).collect()
}

fn one(node: &Node, kind: Type, version: Version, path: &str, faults: &Faults) -> Result<Constraint, Fault> {
    let fault = |place, words: String| Fault::new(Kind::Schema, place, path, words);
    let known = || KINDS.iter().filter(|(.., since)| *since <= version).map(|(name, ..)| *name);
    let members = node.members().ok_or_else(|| {
        fault(node.place, format!("a constraint is a map, not {}", node.word())).right("such as length: {min: 1}")
    })?;
    let mut described = None;
    let mut found = None;
    for member in members {
        if member.name == "description" {
            described = Some(member.node.text().map(str::to_owned).ok_or_else(|| {
                fault(member.node.place, format!("a description is a text, not {}", member.node.word()))
            })?);
        } else if !known().any(|name| name == member.name) {
            let words = format!("unknown constraint {}", quoted(&member.name));
            return Err(fault(member.place, words).right(known().collect::<Vec<_>>().join(", ")));
        } else if found.replace(member).is_some() {
            return Err(fault(member.place, "a constraint is of one kind; each other one is another entry".to_owned()));
        }
    }
    let member = found.ok_or_else(|| fault(node.place, "a constraint without a kind".to_owned()))?;
    let fits = KINDS.iter().any(|(name, types, _)| *name == member.name && types.contains(&kind));
    if !fits {
        return Err(fault(member.place, format!("{} is no constraint for a {}", member.name, kind.word())));
    }
    let rule = match member.name.as_str() {
        "length" => {
            let [min, max] = bounds(&member.node, path)?;
            let count = |number: Option<(Number, Place)>| {
                let read = |(number, place): (Number, Place)| {
                    number.as_u64().ok_or_else(|| fault(place, "a length is a whole number from 0".to_owned()))
                };
                number.map(read).transpose()
            };
            Rule::Length { min: count(min)?, max: count(max)? }
        }
        "range" => {
            let [min, max] = bounds(&member.node, path)?.map(|bound| bound.map(|(number, _)| number));
            Rule::Range { min, max }
        }
        "modulo" => modulo(&member.node, path)?,
        "allowed_values" => {
            let list = member.node.list().ok_or_else(|| {
                fault(member.node.place, format!("allowed_values is a list, not {}", member.node.word()))
            })?;
            Rule::Values(list.iter().map(Node::value).collect())
        }
        "allowed_pattern" => {
            let text = member.node.text().ok_or_else(|| {
                fault(member.node.place, format!("allowed_pattern is a text, not {}", member.node.word()))
            })?;
            whole(text).map_err(|error| {
                fault(member.node.place, format!("this pattern cannot be read: {error}"))
                    .right("patterns have neither lookaround nor back-references")
            })?;
            Rule::Pattern(text.to_owned())
        }
        _ => {
            let name = member.node.text().unwrap_or_default();
            faults.lint(member.place, path, format!("the constraint {} cannot be checked here", quoted(name)));
            Rule::Foreign
        }
    };
    Ok(Constraint { rule, description: described })
}

/// The numbers `min` and `max`, with their places.
fn bounds(node: &Node, path: &str) -> Result<[Option<(Number, Place)>; 2], Fault> {
    let fault = |place, words: String| Fault::new(Kind::Schema, place, path, words).right("{min: 1, max: 9}");
    let members = node.members().ok_or_else(|| fault(node.place, format!("expected a map, not {}", node.word())))?;
    let mut bounds = [None, None];
    for member in members {
        let at = match member.name.as_str() {
            "min" => &mut bounds[0],
            "max" => &mut bounds[1],
            other => return Err(fault(member.place, format!("unknown key {}", quoted(other)))),
        };
        let value = number(&member.node.value());
        *at = Some((
            value.ok_or_else(|| fault(member.node.place, format!("{} is not a number", member.name)))?,
            member.node.place,
        ));
    }
    match &bounds {
        [None, None] => Err(fault(node.place, "neither min nor max is given".to_owned())),
        [Some((min, _)), Some((max, place))] if min.as_f64() > max.as_f64() => {
            Err(fault(*place, "min is larger than max".to_owned()))
        }
        _ => Ok(bounds),
    }
}

fn modulo(node: &Node, path: &str) -> Result<Rule, Fault> {
    let fault = |place, words: &str| Fault::new(Kind::Schema, place, path, words).right("modulo: {step: 2, offset: 1}");
    let members = node.members().ok_or_else(|| fault(node.place, "modulo is a map"))?;
    let (mut step, mut offset) = (None, None);
    for member in members {
        let number = || {
            let number = number(&member.node.value()).and_then(|number| number.as_i64());
            number.ok_or_else(|| fault(member.node.place, "step and offset are whole numbers"))
        };
        match member.name.as_str() {
            "step" => step = Some(number()?),
            "offset" => offset = Some(number()?),
            _ => return Err(fault(member.place, "modulo has step and offset")),
        }
    }
    let (Some(step), Some(offset)) = (step, offset) else {
        return Err(fault(node.place, "modulo needs step and offset"));
    };
    if step == 0 || offset.unsigned_abs() >= step.unsigned_abs() || (offset != 0 && offset.signum() != step.signum()) {
        return Err(fault(node.place, "the offset must be smaller than the step, which is not 0, and of its sign"));
    }
    Ok(Rule::Modulo { step, offset })
}

/// A number, or a text that is one.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let whole = python::int(text).map(Number::from);
            whole.or_else(|| python::float(text).and_then(Number::from_f64))
        }
        _ => None,
    }
}

impl Constraint {
    /// Checks a value of the parameter's type. A hidden one is not repeated.
    ///
    /// # Errors
    /// Why it does not fit, in words.
    pub(super) fn check(&self, value: &Value, hidden: bool) -> Result<(), String> {
        let Some(words) = self.broken(value, hidden) else { return Ok(()) };
        Err(self.description.clone().unwrap_or(words))
    }

    fn broken(&self, value: &Value, hidden: bool) -> Option<String> {
        let shown = |value: &Value| match hidden {
            true => "the value".to_owned(),
            false => quoted(&python::text(value).unwrap_or_else(|| python::json(value))).into_owned(),
        };
        match &self.rule {
            Rule::Length { min, max } => {
                let length = length(value);
                let fits = min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max);
                let shown = if hidden { String::new() } else { format!(" ({length})") };
                (!fits).then(|| format!("length{shown} is out of range ({})", between(min.as_ref(), max.as_ref())))
            }
            Rule::Range { min, max } => {
                let number = value.as_f64()?;
                let as_f64 = |bound: &Option<Number>| bound.as_ref().and_then(Number::as_f64);
                let fits = as_f64(min).is_none_or(|min| number >= min) && as_f64(max).is_none_or(|max| number <= max);
                let (min, max) = (min.as_ref().map(python::number), max.as_ref().map(python::number));
                (!fits).then(|| format!("{} is out of range ({})", shown(value), between(min.as_ref(), max.as_ref())))
            }
            Rule::Modulo { step, offset } => {
                let number = value.as_f64()?;
                let step_size = *step as f64;
                let rest = number - step_size * (number / step_size).floor();
                (rest != *offset as f64)
                    .then(|| format!("{} is not a multiple of {step} with an offset of {offset}", shown(value)))
            }
            Rule::Values(allowed) => {
                let is = |value: &Value| {
                    allowed
                        .iter()
                        .any(|known| python::equal(known, value) || python::text(known) == python::text(value))
                };
                let out = match value {
                    Value::Array(list) => list.iter().find(|element| !is(element)),
                    value => (!is(value)).then_some(value),
                };
                // What is hidden is one of them.
                let known = || if hidden { String::new() } else { format!(" [{}]", list(allowed)) };
                out.map(|value| format!("{} is not an allowed value{}", shown(value), known()))
            }
            Rule::Pattern(text) => {
                let fits = whole(text).is_ok_and(|whole| value.as_str().is_some_and(|text| whole.is_match(text)));
                (!fits).then(|| format!("{} does not match the pattern {}", shown(value), quoted(text)))
            }
            Rule::Foreign => None,
        }
    }

    /// The constraint in words, for those who are to choose a value.
    pub fn words(&self) -> Option<String> {
        let own = match &self.rule {
            Rule::Length { min, max } => Some(format!("length {}", between(min.as_ref(), max.as_ref()))),
            Rule::Range { min, max } => {
                let (min, max) = (min.as_ref().map(python::number), max.as_ref().map(python::number));
                Some(between(min.as_ref(), max.as_ref()))
            }
            Rule::Modulo { step, offset } => Some(format!("a multiple of {step} with an offset of {offset}")),
            Rule::Values(allowed) => {
                Some(format!("one of {}", allowed.iter().filter_map(python::text).collect::<Vec<_>>().join(", ")))
            }
            Rule::Pattern(text) => Some(format!("matches {text}")),
            Rule::Foreign => None,
        };
        self.description.clone().or(own)
    }
}

fn list(allowed: &[Value]) -> String {
    allowed.iter().filter_map(python::text).map(|text| quoted(&text).into_owned()).collect::<Vec<_>>().join(", ")
}

fn between<T: std::fmt::Display>(min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("min: {min}, max: {max}"),
        (Some(min), None) => format!("min: {min}"),
        (None, Some(max)) => format!("max: {max}"),
        (None, None) => "any".to_owned(),
    }
}

/// The pattern of whole values. It is made anew for each value: kept, many of them would take much room.
fn whole(text: &str) -> Result<regex_bites::Regex, regex_bites::Error> {
    regex_bites::RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(MAX_PATTERN).build()
}

fn length(value: &Value) -> u64 {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => 0,
    };
    length as u64
}
