//! Parameters of a template: what each takes, and the values that a stack is made with.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::constraint::{self, Constraint};
use super::data::{Data, word};
use super::fault::{Fault, Faults, Kind, Place, unknown};
use super::python;
use super::scalar;
use super::version::Version;
use super::yaml::{Member, Node, Scalar, Tree};
use crate::grammar::nearest;
use crate::sensitive::quoted;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `string`.
    Text,
    /// `number`.
    Number,
    /// `boolean`.
    Boolean,
    /// `comma_delimited_list`.
    List,
    /// `json`.
    Json,
}

const TYPES: &[(&str, Type)] = &[
    ("string", Type::Text),
    ("number", Type::Number),
    ("boolean", Type::Boolean),
    ("comma_delimited_list", Type::List),
    ("json", Type::Json),
];

impl Type {
    /// The word that a template has for it.
    pub fn word(self) -> &'static str {
        TYPES.iter().find(|(_, known)| *known == self).map_or("", |(word, _)| *word)
    }

    /// The value of this type that was meant.
    fn convert(self, given: &Value) -> Result<Value, &'static str> {
        match self {
            Type::Text => python::text(given).map(Value::from).ok_or("it must be a text"),
            Type::Number => match given {
                Value::Number(_) => Ok(given.clone()),
                Value::String(text) => {
                    let whole = python::int(text).map(Value::from);
                    whole.or_else(|| python::float(text).map(Value::from)).ok_or("it must be a number")
                }
                _ => Err("it must be a number"),
            },
            Type::Boolean => {
                let text = python::text(given).ok_or("it must be a boolean")?.trim().to_lowercase();
                match text.as_str() {
                    "t" | "true" | "on" | "y" | "yes" | "1" => Ok(Value::Bool(true)),
                    "f" | "false" | "off" | "n" | "no" | "0" => Ok(Value::Bool(false)),
                    _ => Err("it must be a boolean: true or false"),
                }
            }
            Type::List => match given {
                Value::String(text) if text.is_empty() => Ok(Value::Array(Vec::new())),
                Value::String(text) => Ok(text.split(',').map(Value::from).collect()),
                Value::Array(list) => {
                    let element = |value: &Value| match value {
                        Value::Null => Some(Value::from("")),
                        value => python::text(value).map(Value::from),
                    };
                    list.iter()
                        .map(element)
                        .collect::<Option<_>>()
                        .map(Value::Array)
                        .ok_or("its elements must be texts")
                }
                _ => Err("it must be a list, or texts with commas between them"),
            },
            Type::Json => match given {
                Value::String(text) => serde_json::from_str(text).map_err(|_| "it must be valid JSON"),
                Value::Null => Err("it must be valid JSON"),
                other => Ok(other.clone()),
            },
        }
    }
}

/// A parameter as its template declares it.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Its type.
    pub kind: Type,
    /// A name for people.
    pub label: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The value without one given, of its type.
    pub default: Option<Value>,
    /// Its value is shown nowhere.
    pub hidden: bool,
    /// It keeps the value that the stack was created with.
    pub immutable: bool,
    /// What its value must fit.
    pub constraints: Vec<Constraint>,
}

impl Parameter {
    /// Reads one.
    pub(super) fn read(member: &Member, version: Version, faults: &Faults) -> Option<Parameter> {
        let path = format!("parameters.{}", member.name);
        let fault = |place, words: String| faults.add(Fault::new(Kind::Schema, place, &path, words));
        let Some(keys) = member.node.members() else {
            let words = format!("a parameter is a map, not {}", member.node.word());
            faults.add(Fault::new(Kind::Schema, member.place, &path, words).right("{type: string}"));
            return None;
        };
        let key = |name: &str| keys.iter().find(|key| key.name == name).map(|key| &key.node);
        let mut known = vec!["type", "label", "description", "default", "hidden", "constraints", "immutable"];
        if version >= Version::V2018Queens {
            known.push("tags");
        }
        for other in keys.iter().filter(|key| !known.contains(&key.name.as_str())) {
            let words = format!("unknown key {}", quoted(&other.name));
            faults.add(unknown(Fault::new(Kind::Schema, other.place, &path, words), &other.name, &known));
        }
        let words = || TYPES.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let kind = match key("type") {
            None => {
                let missing = Fault::new(Kind::Schema, member.place, &path, "it has no type");
                faults.add(missing.right(words()));
                return None;
            }
            Some(node) => match TYPES.iter().find(|(word, _)| node.text() == Some(*word)) {
                Some((_, kind)) => *kind,
                None => {
                    let given = node.text().map_or_else(|| node.word().to_owned(), |text| quoted(text).into_owned());
                    let other = Fault::new(Kind::Schema, node.place, &path, format!("unknown type {given}"));
                    faults.add(other.right(words()));
                    return None;
                }
            },
        };
        let flag = |name: &str| match key(name).map(|node| (node, Type::Boolean.convert(&node.value()))) {
            None => false,
            Some((_, Ok(value))) => value == Value::Bool(true),
            Some((node, Err(_))) => {
                fault(node.place, format!("{name} is true or false, not {}", node.word()));
                // Whoever meant to hide it is not shown it for a typing error.
                true
            }
        };
        let mistyped = |key: &Member| !known.contains(&key.name.as_str()) && nearest(&key.name, &["hidden"]).is_some();
        let hides = keys.iter().any(mistyped);
        let text = |name: &str| {
            let node = key(name)?;
            let text = python::text(&node.value());
            if text.is_none() && !node.is_null() {
                fault(node.place, format!("{name} is a text, not {}", node.word()));
            }
            text
        };
        let mut parameter = Parameter {
            name: member.name.clone(),
            place: member.place,
            kind,
            label: text("label"),
            description: text("description"),
            default: None,
            hidden: flag("hidden") || hides,
            immutable: flag("immutable"),
            constraints: Vec::new(),
        };
        if let Some(node) = key("constraints") {
            parameter.constraints = constraint::read(node, kind, version, &format!("{path}.constraints"), faults);
        }
        if let Some(node) = key("default").filter(|node| !node.is_null()) {
            if kind == Type::Text && !parameter.hidden {
                lint_text(node, &path, faults);
            }
            match parameter.value(&node.value()) {
                Ok(value) => parameter.default = Some(value),
                Err(words) => fault(node.place, format!("its default does not fit: {words}")),
            }
        }
        Some(parameter)
    }

    /// The value that was given, as one of its type that fits its constraints.
    ///
    /// # Errors
    /// Why it does not fit, in words; without the value where that is hidden.
    pub fn value(&self, given: &Value) -> Result<Value, String> {
        let value = self.kind.convert(given).map_err(|words| match (self.hidden, python::text(given)) {
            (false, Some(text)) => format!("{words}, not {}", quoted(&text)),
            (false, None) => format!("{words}, not {}", word(given)),
            (true, _) => words.to_owned(),
        })?;
        self.constraints.iter().try_for_each(|constraint| constraint.check(&value, self.hidden))?;
        Ok(value)
    }
}

/// Tells of a plain scalar that becomes a text other than it was written.
pub(super) fn lint_text(node: &Node, path: &str, faults: &Faults) {
    let Tree::Scalar(Scalar { text, plain: true, value }) = &node.tree else { return };
    let read = python::text(value).unwrap_or_default();
    if value.is_null() || read == *text {
        return;
    }
    let elsewhere = scalar::elsewhere(text).and_then(|value| python::text(&value)).unwrap_or_else(|| text.clone());
    let elsewhere = if elsewhere == read { text.clone() } else { elsewhere };
    let words =
        format!("{} is read as {read}, and elsewhere as {}: put it into quotes", quoted(text), quoted(&elsewhere));
    faults.lint(node.place, path, words);
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Whoever runs the stack.
    Given,
    /// An environment's `parameters`.
    Environment,
    /// An environment's `parameter_defaults`.
    EnvironmentDefault,
    /// The stack, which was made with it.
    Kept,
    /// The template's default.
    Default,
    /// Nobody: it is not known, as when a template is only checked.
    Nobody,
}

impl Origin {
    /// Where a value comes from that does not fit, in words behind these.
    fn words(self) -> &'static str {
        match self {
            Origin::Environment => ", in an environment",
            Origin::EnvironmentDefault => ", in the defaults of an environment",
            Origin::Kept => ", as the stack has it",
            Origin::Given | Origin::Default | Origin::Nobody => "",
        }
    }
}

/// Values that were given, the stronger first.
#[derive(Clone, Debug, Default)]
pub struct Given {
    values: Vec<(String, Value, Origin)>,
    at: HashMap<String, usize>,
}

impl Given {
    /// Adds a value, which counts where no stronger one is there.
    pub fn add(&mut self, name: impl Into<String>, value: Value, origin: Origin) {
        let name = name.into();
        self.at.entry(name.clone()).or_insert(self.values.len());
        self.values.push((name, value, origin));
    }

    /// The strongest of this name.
    pub fn get(&self, name: &str) -> Option<(&Value, Origin)> {
        self.values.get(*self.at.get(name)?).map(|(_, value, origin)| (value, *origin))
    }

    /// All of them, the stronger first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value, Origin)> {
        self.values.iter().map(|(name, value, origin)| (name.as_str(), value, *origin))
    }
}

/// What is known of the stack whose parameters these are.
#[derive(Clone, Debug, Default)]
pub struct Pseudo {
    /// `OS::stack_name`.
    pub stack_name: Option<String>,
    /// `OS::stack_id`.
    pub stack_id: Option<String>,
    /// `OS::project_id`: the account's id.
    pub project_id: Option<String>,
}

/// The parameters that stand for the stack itself.
pub(super) const PSEUDO: &[&str] = &["OS::stack_name", "OS::stack_id", "OS::project_id"];

/// The parameters of a template with their values.
#[derive(Clone, Debug, Default)]
pub struct Values {
    values: HashMap<String, (Data, Origin)>,
}

impl Values {
    /// Gives each parameter its value. One that has none is a fault, or unknown where the template is only `checked`.
    pub(super) fn bind(
        (parameters, broken): (&[Parameter], &HashSet<String>),
        given: &Given,
        pseudo: &Pseudo,
        checked: bool,
        faults: &Faults,
    ) -> Values {
        let mut values = HashMap::new();
        for parameter in parameters {
            let path = format!("parameters.{}", parameter.name);
            let fault = |kind, words: String| Fault::new(kind, parameter.place, &path, words);
            let found = match (given.get(&parameter.name), &parameter.default) {
                (Some((value, origin)), _) => match parameter.value(value) {
                    Ok(value) => Some((Data::Open(value), origin)),
                    Err(words) => {
                        faults.add(fault(Kind::Constraint, format!("{words}{}", origin.words())));
                        None
                    }
                },
                (None, Some(default)) => Some((Data::Open(default.clone()), Origin::Default)),
                (None, None) if checked => None,
                (None, None) => {
                    let missing = fault(Kind::MissingParameter, "it has no value".to_owned());
                    faults.add(missing.right(format!("--parameter {}=VALUE", parameter.name)));
                    None
                }
            };
            let (data, origin) = found.unwrap_or((Data::Unknown { hidden: false }, Origin::Nobody));
            values.insert(parameter.name.clone(), (data.hide(parameter.hidden), origin));
        }
        let names: Vec<&str> = parameters.iter().map(|known| known.name.as_str()).collect();
        for (name, _, origin) in given.iter() {
            // A default, and what the stack was made with, may be of another template.
            let is_asked = !matches!(origin, Origin::EnvironmentDefault | Origin::Kept);
            if is_asked && !values.contains_key(name) && !broken.contains(name) {
                let words = format!("the template has no parameter {}{}", quoted(name), origin.words());
                faults.add(unknown(Fault::new(Kind::UnknownParameter, Place::default(), "", words), name, &names));
            }
        }
        // What is wrong with these was told.
        for name in broken {
            values.insert(name.clone(), (Data::Unknown { hidden: true }, Origin::Nobody));
        }
        for (name, value) in PSEUDO.iter().zip([&pseudo.stack_name, &pseudo.stack_id, &pseudo.project_id]) {
            let data = value.as_ref().map_or(Data::Unknown { hidden: false }, |text| Data::Open(text.as_str().into()));
            values.insert((*name).to_owned(), (data, Origin::Default));
        }
        Values { values }
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Data> {
        self.values.get(name).map(|(data, _)| data)
    }

    /// Where its value comes from.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        self.values.get(name).map(|(_, origin)| *origin)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::yaml;
    use super::*;

    fn read(text: &str) -> (Option<Parameter>, Vec<String>) {
        let faults = Faults::default();
        let node = yaml::read(format!("p: {text}\n").as_bytes(), &faults).unwrap();
        let parameter = Parameter::read(&node.members().unwrap()[0], Version::NEWEST, &faults);
        let mut told: Vec<String> = faults.faults().iter().map(ToString::to_string).collect();
        told.extend(faults.lints().iter().map(|lint| format!("lint {lint}")));
        (parameter, told)
    }

    fn value(declared: &str, given: Value) -> String {
        let (parameter, told) = read(declared);
        let Some(parameter) = parameter.filter(|_| told.is_empty()) else { return told.join("; ") };
        parameter.value(&given).map_or_else(|words| format!("refused: {words}"), |value| value.to_string())
    }

    #[test]
    fn a_value_becomes_one_of_the_parameters_type() {
        for (kind, given, expected) in [
            ("string", json!(12), "\"12\""),
            ("string", json!(true), "\"True\""),
            ("string", json!([1]), "refused: it must be a text, not a list"),
            ("number", json!("12"), "12"),
            ("number", json!("1.0"), "1.0"),
            ("number", json!("a dozen"), "refused: it must be a number, not a dozen"),
            ("boolean", json!("on"), "true"),
            ("boolean", json!("No"), "false"),
            ("boolean", json!("perhaps"), "refused: it must be a boolean: true or false, not perhaps"),
            ("comma_delimited_list", json!("a, b"), "[\"a\",\" b\"]"),
            ("comma_delimited_list", json!(""), "[]"),
            ("comma_delimited_list", json!(["a", 1, null]), "[\"a\",\"1\",\"\"]"),
            ("json", json!("{\"a\":1}"), "{\"a\":1}"),
            ("json", json!("{"), "refused: it must be valid JSON, not {"),
        ] {
            assert_eq!(value(&format!("{{type: {kind}}}"), given.clone()), expected, "{kind} {given}");
        }
    }

    #[test]
    fn constraints_refuse_what_does_not_fit() {
        for (declared, given, expected) in [
            (
                "{type: string, constraints: [{length: {min: 3}}]}",
                json!("ab"),
                "refused: length (2) is out of range (min: 3)",
            ),
            (
                "{type: number, constraints: [{range: {min: 1, max: 5}}]}",
                json!("9"),
                "refused: 9 is out of range (min: 1, max: 5)",
            ),
            (
                "{type: number, constraints: [{modulo: {step: 2, offset: 1}}]}",
                json!("4"),
                "refused: 4 is not a multiple of 2 with an offset of 1",
            ),
            ("{type: number, constraints: [{modulo: {step: 2, offset: 1}}]}", json!("-3"), "-3"),
            (
                "{type: string, constraints: [{allowed_values: [a, b]}]}",
                json!("c"),
                "refused: c is not an allowed value [a, b]",
            ),
            (
                "{type: comma_delimited_list, constraints: [{allowed_values: [a, b]}]}",
                json!("a,c"),
                "refused: c is not an allowed value [a, b]",
            ),
            (
                "{type: string, constraints: [{allowed_pattern: '[a-z]+'}]}",
                json!("ab1"),
                "refused: ab1 does not match the pattern [a-z]+",
            ),
            ("{type: string, constraints: [{allowed_pattern: 'a|ab'}]}", json!("ab"), "\"ab\""),
            (
                "{type: string, constraints: [{length: {max: 1}, description: one letter}]}",
                json!("ab"),
                "refused: one letter",
            ),
            (
                "{type: string, hidden: true, constraints: [{allowed_values: [a]}]}",
                json!("s3cret"),
                "refused: the value is not an allowed value",
            ),
            ("{type: number, hidden: true}", json!("s3cret"), "refused: it must be a number"),
        ] {
            assert_eq!(value(declared, given), expected, "{declared}");
        }
    }

    #[test]
    fn a_declaration_is_refused_by_its_place() {
        for (declared, expected) in [
            (
                "{type: str}",
                "1:11: parameters.p: unknown type str (string, number, boolean, comma_delimited_list, json)",
            ),
            (
                "{type: string, bogus: 1}",
                "1:19: parameters.p: unknown key bogus (there are type, label, description, default, hidden, constraints, immutable, tags)",
            ),
            ("{default: x}", "1:1: parameters.p: it has no type (string, number, boolean, comma_delimited_list, json)"),
            (
                "{type: number, constraints: [{length: {min: 1}}]}",
                "1:34: parameters.p.constraints.0: length is no constraint for a number",
            ),
            (
                "{type: number, default: 9, constraints: [{range: {max: 5}}]}",
                "1:28: parameters.p: its default does not fit: 9 is out of range (max: 5)",
            ),
            (
                "{type: string, constraints: [{frob: 1}]}",
                "1:34: parameters.p.constraints.0: unknown constraint frob (length, range, modulo, allowed_values, allowed_pattern, custom_constraint)",
            ),
            ("{type: string, constraints: [{allowed_pattern: '(?!a)b'}]}", ""),
            (
                "{type: string, default: 0777}",
                "lint 1:28: parameters.p: 0777 is read as 511, and elsewhere as 777: put it into quotes",
            ),
            (
                "{type: string, default: yes}",
                "lint 1:28: parameters.p: yes is read as True, and elsewhere as yes: put it into quotes",
            ),
            (
                "{type: string, default: 1.50}",
                "lint 1:28: parameters.p: 1.50 is read as 1.5, and elsewhere as 1.50: put it into quotes",
            ),
        ] {
            let told = read(declared).1.join("; ");
            if expected.is_empty() {
                assert!(told.contains("neither lookaround nor back-references"), "{told}");
            } else {
                assert_eq!(told, expected, "{declared}");
            }
        }
    }
}
