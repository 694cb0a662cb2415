//! What expressions come to: with the values of parameters, what is known of resources, and the contents of files. All
//! faults are gathered; one part of a list that fails does not hide those of the others.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::data::Data;
use super::expr::{Expr, Term};
use super::fault::{Fault, Faults, Kind, unknown};
use super::function::{Function, How, attribute_of, named, weight};
use super::model::Template;
use super::parameter::Values;
use super::python;
use crate::sensitive::quoted;

/// So much may all results together hold, in bytes.
const MAX_RESULTS: usize = 48 << 20;

/// What is known of the resources that a template refers to.
pub trait Resources {
    /// The id of a resource.
    fn id(&self, resource: &str) -> Data;

    /// An attribute of a resource; all of them as a map without a name.
    fn attribute(&self, resource: &str, attribute: Option<&str>) -> Data;

    /// Why a resource can have no such attribute, if it cannot.
    fn lacks(&self, _resource: &str, _attribute: &str) -> Option<Lack> {
        None
    }
}

/// A type that does not have an attribute.
pub struct Lack {
    /// The type.
    pub kind: String,
    /// The attributes that it has.
    pub known: Vec<&'static str>,
}

/// Nothing is known of any resource yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingMade;

impl Resources for NothingMade {
    fn id(&self, _: &str) -> Data {
        Data::Unknown { hidden: false }
    }

    fn attribute(&self, _: &str, _: Option<&str>) -> Data {
        Data::Unknown { hidden: false }
    }
}

/// Reads the files that a template names.
pub trait Contents {
    /// The text of a file.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn text(&self, file: &str) -> Result<String, String>;
}

/// Files that were read before.
impl Contents for BTreeMap<String, String> {
    fn text(&self, file: &str) -> Result<String, String> {
        self.get(file).cloned().ok_or_else(|| "its content is not known".to_owned())
    }
}

/// An expression has failed; the fault is among those that were gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) struct Failed;

/// What expressions are evaluated with.
pub(in crate::stack) struct Scope<'a> {
    pub template: &'a Template,
    pub values: &'a Values,
    pub resources: &'a dyn Resources,
    pub contents: &'a dyn Contents,
    pub faults: &'a Faults,
    /// The files that were read, by the names that the template has for them.
    pub files: RefCell<BTreeMap<String, String>>,
    /// What conditions have come to; nothing while one is being looked at.
    conditions: RefCell<HashMap<String, Option<Condition>>>,
    spent: Cell<usize>,
}

/// Whether a condition holds; nobody knows without a value for its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) struct Condition {
    pub holds: Option<bool>,
    pub hidden: bool,
}

impl<'a> Scope<'a> {
    pub fn new(
        template: &'a Template,
        values: &'a Values,
        resources: &'a dyn Resources,
        contents: &'a dyn Contents,
        faults: &'a Faults,
    ) -> Scope<'a> {
        Scope {
            template,
            values,
            resources,
            contents,
            faults,
            files: RefCell::default(),
            conditions: RefCell::default(),
            spent: Cell::new(0),
        }
    }

    /// What an expression comes to; nothing where an `if` without a second value leaves it out.
    pub(super) fn eval(&self, expr: &Expr, path: &str) -> Result<Option<Data>, Failed> {
        match &expr.term {
            Term::Scalar(scalar) => Ok(Some(Data::Open(scalar.value.clone()))),
            Term::List(list) => {
                let all: Vec<_> = list.iter().map(|item| self.eval(item, path)).collect();
                let items = all.into_iter().collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Data::list(items.into_iter().flatten().collect())))
            }
            Term::Map(members) => {
                let member = |(name, expr): &(String, Expr)| {
                    Ok(self.eval(expr, &format!("{path}.{name}"))?.map(|data| (name.clone(), data)))
                };
                let all: Vec<_> = members.iter().map(member).collect();
                let members = all.into_iter().collect::<Result<Vec<_>, _>>()?;
                Ok(Some(Data::map(members.into_iter().flatten().collect())))
            }
            Term::Call(function, argument) => self.call(function, argument, &format!("{path}.{}", function.name)),
            Term::Misused => Err(Failed),
        }
    }

    fn fail<T>(&self, fault: Fault) -> Result<T, Failed> {
        self.faults.add(fault);
        Err(Failed)
    }

    fn call(&self, function: &'static Function, argument: &Expr, path: &str) -> Result<Option<Data>, Failed> {
        let fault = |kind, words: String| Fault::new(kind, argument.place, path, words);
        match function.how {
            How::If => return self.branch(argument, path),
            How::Not | How::And | How::Or => {
                let condition = self.logic(function, argument, path)?;
                return Ok(Some(condition.data()));
            }
            How::Refused(why) => return self.fail(fault(Kind::Function, why.to_owned())),
            _ => {}
        }
        let given = self.eval(argument, path)?.unwrap_or(Data::NULL);
        let hidden = given.is_hidden();
        let Some(value) = given.value() else { return Ok(Some(Data::Unknown { hidden })) };
        let misused = |words: String| {
            let words = if hidden { "its arguments, some of them hidden, do not fit".to_owned() } else { words };
            fault(Kind::Function, words).right(function.usage)
        };
        let data = match function.how {
            How::Pure(compute) => match compute(value, self.template.version) {
                Ok(value) => Data::Open(value).hide(hidden),
                Err(words) => return self.fail(misused(words)),
            },
            How::Param => match named(value) {
                Ok((name, rest)) => self.param(&name, &rest, argument, path)?.hide(hidden),
                Err(words) => return self.fail(misused(words)),
            },
            How::Resource => match value {
                Value::String(name) if function.name == "Ref" && self.values.get(&name).is_some() => {
                    self.param(&name, &[], argument, path)?
                }
                Value::String(name) => match self.is_there(&name, argument, path)? {
                    true => self.resources.id(&name),
                    false => Data::NULL,
                },
                other => {
                    let words = format!("the name of a resource must be a text, not {}", super::yaml::word(&other));
                    return self.fail(misused(words));
                }
            },
            How::Attribute => match attribute_of(value, self.template.version) {
                Err(words) => return self.fail(misused(words)),
                Ok(of) if !self.is_there(&of.resource, argument, path)? => Data::NULL,
                Ok(of) => {
                    if let Some(name) = &of.attribute
                        && let Some(lack) = self.resources.lacks(&of.resource, name)
                    {
                        let words = format!("{} ({}) has no attribute {}", of.resource, lack.kind, quoted(name));
                        return self.fail(fault(Kind::Reference, words).right(lack.known.join(", ")));
                    }
                    let found = self.resources.attribute(&of.resource, of.attribute.as_deref());
                    found.at(&of.path).unwrap_or(Data::NULL)
                }
            },
            How::File => match value {
                Value::String(name) => match self.file(&name) {
                    Ok(text) => Data::Open(Value::String(text)),
                    Err(words) => return self.fail(fault(Kind::Reference, format!("{}: {words}", quoted(&name)))),
                },
                other => {
                    let words = format!("the name of a file must be a text, not {}", super::yaml::word(&other));
                    return self.fail(misused(words));
                }
            },
            How::If | How::Not | How::And | How::Or | How::Refused(_) => Data::NULL,
        };
        if let Data::Open(value) | Data::Hidden(value) = &data {
            self.spent.set(self.spent.get().saturating_add(weight(value)));
            if self.spent.get() > MAX_RESULTS {
                let words = format!("the values of the template have more than {} MiB", MAX_RESULTS >> 20);
                return self.fail(fault(Kind::Function, words));
            }
        }
        Ok(Some(data))
    }

    fn param(&self, name: &str, rest: &[Value], argument: &Expr, path: &str) -> Result<Data, Failed> {
        match self.values.get(name) {
            Some(data) if rest.is_empty() => Ok(data.clone()),
            // What is not there is an empty text.
            Some(data) => Ok(data.at(rest).unwrap_or_else(|| Data::Open(Value::from("")))),
            None => {
                let words = format!("no parameter named {}", quoted(name));
                let names: Vec<&str> = self.template.parameters.iter().map(|one| one.name.as_str()).collect();
                self.fail(unknown(Fault::new(Kind::Reference, argument.place, path, words), name, &names))
            }
        }
    }

    /// Whether a resource is made: its condition may leave it out.
    fn is_there(&self, name: &str, argument: &Expr, path: &str) -> Result<bool, Failed> {
        match self.template.resource(name) {
            Some(resource) => Ok(self.enabled(resource.condition.as_ref(), path)?.holds != Some(false)),
            None => {
                let words = format!("no resource named {}", quoted(name));
                let names: Vec<&str> = self.template.resources.iter().map(|one| one.name.as_str()).collect();
                self.fail(unknown(Fault::new(Kind::Reference, argument.place, path, words), name, &names))
            }
        }
    }

    fn file(&self, name: &str) -> Result<String, String> {
        if let Some(text) = self.files.borrow().get(name) {
            return Ok(text.clone());
        }
        let text = self.contents.text(name)?;
        self.files.borrow_mut().insert(name.to_owned(), text.clone());
        Ok(text)
    }

    /// The branch of an `if` that counts. Where nobody knows, both are looked at for faults.
    fn branch(&self, argument: &Expr, path: &str) -> Result<Option<Data>, Failed> {
        // Its form was checked when it was read.
        let Some([condition, branches @ ..]) = argument.list() else { return Err(Failed) };
        let condition = self.condition(condition, path)?;
        match condition.holds {
            Some(holds) => {
                let chosen = branches.get(usize::from(!holds));
                let data = chosen.map(|expr| self.eval(expr, path)).transpose()?.flatten();
                Ok(data.map(|data| data.hide(condition.hidden)))
            }
            None => {
                let all: Vec<_> = branches.iter().map(|expr| self.eval(expr, path)).collect();
                let hidden = all.into_iter().collect::<Result<Vec<_>, _>>()?.iter().flatten().any(Data::is_hidden);
                Ok(Some(Data::Unknown { hidden: hidden || condition.hidden }))
            }
        }
    }

    /// Whether what has this condition is there; without one it is.
    pub(super) fn enabled(&self, condition: Option<&Expr>, path: &str) -> Result<Condition, Failed> {
        condition.map_or(Ok(Condition { holds: Some(true), hidden: false }), |expr| self.condition(expr, path))
    }

    /// Whether a condition holds: a boolean, the name of one, or a function.
    pub(super) fn condition(&self, expr: &Expr, path: &str) -> Result<Condition, Failed> {
        let data = self.eval(expr, path)?.unwrap_or(Data::NULL);
        let hidden = data.is_hidden();
        match data.value() {
            None => Ok(Condition { holds: None, hidden }),
            Some(Value::Bool(holds)) => Ok(Condition { holds: Some(holds), hidden }),
            Some(Value::String(name)) => self.named_condition(&name, expr, path),
            Some(other) => {
                let words =
                    format!("a condition is true, false, a name or a function, not {}", super::yaml::word(&other));
                self.fail(Fault::new(Kind::Function, expr.place, path, words))
            }
        }
    }

    fn named_condition(&self, name: &str, expr: &Expr, path: &str) -> Result<Condition, Failed> {
        if let Some(known) = self.conditions.borrow().get(name) {
            // Circles were told of when the conditions were read.
            return known.ok_or(Failed);
        }
        let Some(declared) = self.template.conditions.iter().find(|one| one.name == name) else {
            let words = format!("no condition named {}", quoted(name));
            let names: Vec<&str> = self.template.conditions.iter().map(|one| one.name.as_str()).collect();
            return self.fail(unknown(Fault::new(Kind::Reference, expr.place, path, words), name, &names));
        };
        self.conditions.borrow_mut().insert(name.to_owned(), None);
        let found = self.condition(&declared.expr, &format!("conditions.{name}"))?;
        self.conditions.borrow_mut().insert(name.to_owned(), Some(found));
        Ok(found)
    }

    fn logic(&self, function: &Function, argument: &Expr, path: &str) -> Result<Condition, Failed> {
        if matches!(function.how, How::Not) {
            let condition = self.condition(argument, path)?;
            return Ok(Condition { holds: condition.holds.map(|holds| !holds), ..condition });
        }
        let Some(list) = argument.list() else { return Err(Failed) };
        let all: Vec<_> = list.iter().map(|expr| self.condition(expr, path)).collect();
        let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
        let decides = matches!(function.how, How::Or);
        let holds = if all.iter().any(|one| one.holds == Some(decides)) {
            Some(decides)
        } else if all.iter().any(|one| one.holds.is_none()) {
            None
        } else {
            Some(!decides)
        };
        Ok(Condition { holds, hidden: all.iter().any(|one| one.hidden) })
    }

    /// The resources that an expression refers to, in the branches that count.
    pub(super) fn needs(&self, expr: &Expr, path: &str, found: &mut HashSet<String>) {
        match &expr.term {
            Term::Scalar(_) | Term::Misused => {}
            Term::List(list) => list.iter().for_each(|item| self.needs(item, path, found)),
            Term::Map(members) => members.iter().for_each(|(_, item)| self.needs(item, path, found)),
            Term::Call(function, argument) => match function.how {
                How::If => {
                    let Some([condition, branches @ ..]) = argument.list() else { return };
                    let holds = self.condition(condition, path).ok().and_then(|condition| condition.holds);
                    let counts = |at: &usize| holds.is_none_or(|holds| *at == usize::from(!holds));
                    let branches = branches.iter().enumerate().filter(|(at, _)| counts(at));
                    branches.for_each(|(_, expr)| self.needs(expr, path, found));
                }
                How::Resource | How::Attribute => {
                    self.needs(argument, path, found);
                    let value = self.eval(argument, path).ok().flatten().and_then(|data| data.value());
                    let name = match value {
                        Some(Value::String(name)) => Some(name),
                        Some(Value::Array(list)) => list.first().and_then(python::text),
                        _ => None,
                    };
                    let name = name.filter(|name| {
                        let resource = self.template.resource(name);
                        resource
                            .is_some_and(|it| self.enabled(it.condition.as_ref(), path).is_ok_and(Condition::may_hold))
                    });
                    found.extend(name);
                }
                _ => self.needs(argument, path, found),
            },
        }
    }
}

impl Condition {
    /// Whether it holds, as far as anybody knows.
    pub fn may_hold(self) -> bool {
        self.holds != Some(false)
    }

    fn data(self) -> Data {
        match self.holds {
            Some(holds) => Data::Open(Value::Bool(holds)).hide(self.hidden),
            None => Data::Unknown { hidden: self.hidden },
        }
    }
}
