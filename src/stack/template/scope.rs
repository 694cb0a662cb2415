//! What expressions come to: with the values of parameters, what is known of resources, and the contents of files. All
//! faults are gathered; one part of a list that fails does not hide those of the others.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::data::Data;
use super::expr::{Expr, Term};
use super::fault::{Fault, Faults, Kind, unknown};
use super::function::{Function, How, Limits, attribute_of, named, weight};
use super::model::{Resource, Template};
use super::parameter::Values;
use super::python;
use crate::sensitive::quoted;

/// So deep may calls and conditions lead.
const MAX_DEPTH: usize = 200;
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
    /// The files that were read, by the names that the template has for them; or why they were not.
    files: RefCell<BTreeMap<String, Result<String, String>>>,
    /// What conditions have come to; nothing while one is being looked at, or where it has failed.
    conditions: RefCell<HashMap<String, Option<Condition>>>,
    /// The same of resources.
    enabled: RefCell<HashMap<String, Option<Condition>>>,
    spent: Cell<usize>,
    steps: Cell<usize>,
    depth: Cell<usize>,
}

/// Whether a condition holds; nobody knows without a value for its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stack) struct Condition {
    pub holds: Option<bool>,
    pub hidden: bool,
}

/// Why a call comes to nothing: a fault, or one that was told.
type Failure = Option<Fault>;

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
            enabled: RefCell::default(),
            spent: Cell::new(0),
            steps: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    fn limits(&self) -> Limits<'_> {
        Limits { version: self.template.version, steps: &self.steps }
    }

    /// What an expression comes to; nothing where an `if` without a second value leaves it out.
    pub(super) fn eval(&self, expr: &Expr, path: &str) -> Result<Option<Data>, Failed> {
        if let Err(words) = self.limits().quick(1) {
            return self.fail(Fault::new(Kind::Function, expr.place, path, words));
        }
        // Conditions lead from one to the next, however deep each is.
        if self.depth.get() >= MAX_DEPTH {
            let words = format!("calls and conditions lead more than {MAX_DEPTH} deep");
            return self.fail(Fault::new(Kind::Function, expr.place, path, words));
        }
        self.depth.set(self.depth.get() + 1);
        let found = self.term(expr, path);
        self.depth.set(self.depth.get() - 1);
        found
    }

    fn term(&self, expr: &Expr, path: &str) -> Result<Option<Data>, Failed> {
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
        match function.how {
            How::If => return self.branch(argument, path),
            How::Not | How::And | How::Or => {
                let condition = self.logic(function, argument, path)?;
                return Ok(Some(condition.data()));
            }
            _ => {}
        }
        let given = self.eval(argument, path)?.unwrap_or(Data::NULL);
        let hidden = given.is_hidden();
        let Some(value) = given.value() else { return Ok(Some(Data::Unknown { hidden })) };
        let data = match self.apply(function, value, argument, path) {
            Ok(data) => data.hide(hidden),
            Err(None) => return Err(Failed),
            // Its words have names and values of the argument.
            Err(Some(fault)) if hidden => {
                let words = "its arguments, some of them hidden, do not fit";
                return self.fail(Fault::new(fault.kind, argument.place, path, words).right(function.usage));
            }
            Err(Some(fault)) => return self.fail(fault),
        };
        if let Data::Open(value) | Data::Hidden(value) = &data {
            self.spent.set(self.spent.get().saturating_add(weight(value)));
            if self.spent.get() > MAX_RESULTS {
                let words = format!("the values of the template have more than {} MiB", MAX_RESULTS >> 20);
                return self.fail(Fault::new(Kind::Function, argument.place, path, words));
            }
        }
        Ok(Some(data))
    }

    /// What a function makes of its argument.
    fn apply(&self, function: &'static Function, value: Value, argument: &Expr, path: &str) -> Result<Data, Failure> {
        let fault = |kind, words: String| Fault::new(kind, argument.place, path, words);
        let misused = |words: String| Some(fault(Kind::Function, words).right(function.usage));
        let text = |value: Value, what: &str| match value {
            Value::String(text) if !text.is_empty() => Ok(text),
            Value::String(_) => Err(misused(format!("{what} is empty"))),
            other => Err(misused(format!("{what} must be a text, not {}", super::data::word(&other)))),
        };
        match function.how {
            How::Pure(compute) => compute(value, &self.limits()).map(Data::Open).map_err(misused),
            How::Param => {
                let (name, rest) = named(value).map_err(misused)?;
                self.param(&name, &rest, argument, path)
            }
            How::Resource => {
                let name = text(value, "the name of a resource")?;
                if function.name == "Ref" && self.values.get(&name).is_some() {
                    return self.param(&name, &[], argument, path);
                }
                Ok(if self.is_there(&name, argument, path)? { self.resources.id(&name) } else { Data::NULL })
            }
            How::Attribute => {
                let of = attribute_of(value, self.template.version).map_err(misused)?;
                if !self.is_there(&of.resource, argument, path)? {
                    return Ok(Data::NULL);
                }
                if let Some(name) = &of.attribute
                    && let Some(lack) = self.resources.lacks(&of.resource, name)
                {
                    let words = format!("{} ({}) has no attribute {}", quoted(&of.resource), lack.kind, quoted(name));
                    return Err(Some(fault(Kind::Reference, words).right(lack.known.join(", "))));
                }
                let found = self.resources.attribute(&of.resource, of.attribute.as_deref());
                Ok(found.at(&of.path).unwrap_or(Data::NULL))
            }
            How::File => {
                let name = text(value, "the name of a file")?;
                let read = self.file(&name).map(|text| Data::Open(Value::String(text)));
                read.map_err(|words| Some(fault(Kind::Reference, format!("{}: {words}", quoted(&name)))))
            }
            How::Refused(why) => Err(Some(fault(Kind::Function, why.to_owned()))),
            How::If | How::Not | How::And | How::Or => Err(None),
        }
    }

    fn param(&self, name: &str, rest: &[Value], argument: &Expr, path: &str) -> Result<Data, Failure> {
        match self.values.get(name) {
            Some(data) if rest.is_empty() => Ok(data.clone()),
            // What is not there is an empty text.
            Some(data) => Ok(data.at(rest).unwrap_or_else(|| Data::Open(Value::from("")))),
            None => {
                let words = format!("no parameter named {}", quoted(name));
                let names: Vec<&str> = self.template.parameters.iter().map(|one| one.name.as_str()).collect();
                Err(Some(unknown(Fault::new(Kind::Reference, argument.place, path, words), name, &names)))
            }
        }
    }

    /// Whether a resource is made: its condition may leave it out.
    fn is_there(&self, name: &str, argument: &Expr, path: &str) -> Result<bool, Failure> {
        match self.template.resource(name) {
            Some(resource) => Ok(self.is_enabled(resource).map_err(|_| None)?.holds != Some(false)),
            None => {
                let words = format!("no resource named {}", quoted(name));
                let names: Vec<&str> = self.template.resources.iter().map(|one| one.name.as_str()).collect();
                Err(Some(unknown(Fault::new(Kind::Reference, argument.place, path, words), name, &names)))
            }
        }
    }

    fn file(&self, name: &str) -> Result<String, String> {
        if let Some(known) = self.files.borrow().get(name) {
            return known.clone();
        }
        let read = self.contents.text(name);
        self.files.borrow_mut().insert(name.to_owned(), read.clone());
        read
    }

    /// The branch of an `if` that counts. Where nobody knows, both are looked at for faults.
    fn branch(&self, argument: &Expr, path: &str) -> Result<Option<Data>, Failed> {
        let Some([condition, branches @ ..]) = argument.list() else {
            return self.fail(Fault::new(
                Kind::Function,
                argument.place,
                path,
                "its argument must be written out as a list",
            ));
        };
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

    /// Whether a resource is there; without a condition it is. Each is looked at once, however many refer to it.
    pub(super) fn is_enabled(&self, resource: &Resource) -> Result<Condition, Failed> {
        if let Some(known) = self.enabled.borrow().get(&resource.name) {
            return known.ok_or(Failed);
        }
        self.enabled.borrow_mut().insert(resource.name.clone(), None);
        let path = format!("resources.{}.condition", resource.name);
        let found = self.enabled(resource.condition.as_ref(), &path)?;
        self.enabled.borrow_mut().insert(resource.name.clone(), Some(found));
        Ok(found)
    }

    /// Whether what has this condition is there; without one it is.
    pub(super) fn enabled(&self, condition: Option<&Expr>, path: &str) -> Result<Condition, Failed> {
        condition.map_or(Ok(Condition { holds: Some(true), hidden: false }), |expr| self.condition(expr, path))
    }

    /// Whether a condition holds: a boolean, the name of one, or a function that comes to a boolean.
    pub(super) fn condition(&self, expr: &Expr, path: &str) -> Result<Condition, Failed> {
        if let Term::Scalar(scalar) = &expr.term
            && let Value::String(name) = &scalar.value
        {
            return self.named_condition(name, expr, path);
        }
        let data = self.eval(expr, path)?.unwrap_or(Data::NULL);
        let hidden = data.is_hidden();
        match data.value() {
            None => Ok(Condition { holds: None, hidden }),
            Some(Value::Bool(holds)) => Ok(Condition { holds: Some(holds), hidden }),
            Some(other) => {
                let words = format!("a condition must come to true or false, not to {}", super::data::word(&other));
                self.fail(Fault::new(Kind::Function, expr.place, path, words))
            }
        }
    }

    fn named_condition(&self, name: &str, expr: &Expr, path: &str) -> Result<Condition, Failed> {
        if let Some(known) = self.conditions.borrow().get(name) {
            // Those that have failed, or need each other, were told of.
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

    /// Looks at all conditions, also those that nothing uses.
    pub(in crate::stack) fn check_conditions(&self) {
        for condition in &self.template.conditions {
            let name = Expr::text(&condition.name, condition.place);
            let _ = self.condition(&name, "conditions");
        }
    }

    fn logic(&self, function: &Function, argument: &Expr, path: &str) -> Result<Condition, Failed> {
        if matches!(function.how, How::Not) {
            let condition = self.condition(argument, path)?;
            return Ok(Condition { holds: condition.holds.map(|holds| !holds), ..condition });
        }
        let Some(list) = argument.list() else {
            return self.fail(Fault::new(
                Kind::Function,
                argument.place,
                path,
                "its argument must be written out as a list",
            ));
        };
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
                        resource.is_some_and(|it| self.is_enabled(it).is_ok_and(Condition::may_hold))
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
