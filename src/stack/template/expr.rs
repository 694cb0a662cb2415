//! Expressions: the values of a template with the calls of functions in them, and their forms, which are checked without
//! a value of anything. Pure.

use serde_json::Value;

use super::fault::{Fault, Faults, Kind, Place};
use super::function::{Form, Function, How, Place as Standing};
use super::version::Version;
use super::yaml::{Member, Node, Scalar, Tree};

/// An expression and where it begins.
#[derive(Clone)]
pub(super) struct Expr {
    pub place: Place,
    pub term: Term,
}

/// What an expression is.
#[derive(Clone)]
pub(super) enum Term {
    Scalar(Scalar),
    List(Vec<Expr>),
    Map(Vec<(String, Expr)>),
    Call(&'static Function, Box<Expr>),
    /// A call whose form is wrong, which was told of.
    Misused,
}

/// Which functions there are where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    pub version: Version,
    /// A condition has functions of its own.
    pub condition: bool,
}

impl Dialect {
    /// That of values.
    pub fn values(version: Version) -> Dialect {
        Dialect { version, condition: false }
    }

    /// That of conditions.
    pub fn conditions(version: Version) -> Dialect {
        Dialect { version, condition: true }
    }
}

impl Expr {
    /// Reads an expression, and adds what is wrong with the form of its calls.
    pub fn read(node: &Node, dialect: Dialect, path: &str, faults: &Faults) -> Expr {
        let term = match &node.tree {
            Tree::Scalar(scalar) => Term::Scalar(scalar.clone()),
            Tree::List(list) => Term::List(list.iter().map(|node| Expr::read(node, dialect, path, faults)).collect()),
            Tree::Map(members) => {
                if let [only] = members.as_slice()
                    && let Some(function) = called(only, dialect, path, faults)
                {
                    let path = format!("{path}.{}", function.name);
                    let argument = argument(function, &only.node, dialect, &path, faults);
                    match check_form(function, &only.node, dialect.version) {
                        Ok(()) => Term::Call(function, Box::new(argument)),
                        Err(words) => {
                            let fault = Fault::new(Kind::Function, only.node.place, &path, words);
                            let refused = matches!(function.how, How::Refused(_));
                            faults.add(if refused { fault } else { fault.right(function.usage) });
                            Term::Misused
                        }
                    }
                } else {
                    let read = |name: &str, node| Expr::read(node, dialect, &format!("{path}.{name}"), faults);
                    Term::Map(members.iter().map(|one| (one.name.clone(), read(&one.name, &one.node))).collect())
                }
            }
        };
        Expr { place: node.place, term }
    }

    /// A text.
    pub fn text(text: &str, place: Place) -> Expr {
        let value = Value::String(text.to_owned());
        Expr { place, term: Term::Scalar(Scalar { text: text.to_owned(), plain: false, value }) }
    }

    /// The value, if no function is called in it.
    pub fn literal(&self) -> Option<Value> {
        match &self.term {
            Term::Scalar(scalar) => Some(scalar.value.clone()),
            Term::List(list) => list.iter().map(Expr::literal).collect::<Option<_>>().map(Value::Array),
            Term::Map(members) => {
                let member = |(name, expr): &(String, Expr)| Some((name.clone(), expr.literal()?));
                members.iter().map(member).collect::<Option<_>>().map(Value::Object)
            }
            Term::Call(..) | Term::Misused => None,
        }
    }

    /// The elements, where it is a list that is written out.
    pub fn list(&self) -> Option<&[Expr]> {
        match &self.term {
            Term::List(list) => Some(list),
            _ => None,
        }
    }

    /// Calls `each` for every call in it, outer ones first.
    pub fn calls<'a>(&'a self, each: &mut dyn FnMut(&'static Function, &'a Expr)) {
        match &self.term {
            Term::Scalar(_) | Term::Misused => {}
            Term::List(list) => list.iter().for_each(|expr| expr.calls(each)),
            Term::Map(members) => members.iter().for_each(|(_, expr)| expr.calls(each)),
            Term::Call(function, argument) => {
                each(function, argument);
                argument.calls(each);
            }
        }
    }
}

/// The argument of a call: the condition of an `if` is of the conditions' own language.
fn argument(function: &Function, node: &Node, dialect: Dialect, path: &str, faults: &Faults) -> Expr {
    let Some(list) = node.list().filter(|_| matches!(function.how, How::If)) else {
        return Expr::read(node, dialect, path, faults);
    };
    let read = |(at, node)| {
        let dialect = if at == 0 { Dialect::conditions(dialect.version) } else { dialect };
        Expr::read(node, dialect, path, faults)
    };
    Expr { place: node.place, term: Term::List(list.iter().enumerate().map(read).collect()) }
}

/// The function that the only member of a map calls, if it is one of this version.
fn called(member: &Member, dialect: Dialect, path: &str, faults: &Faults) -> Option<&'static Function> {
    let function = Function::find(&member.name)?;
    let version = dialect.version;
    if let Some(last) = function.until.filter(|last| version > *last) {
        let words = format!("{} is not a function of version {version}", function.name);
        let fault = Fault::new(Kind::Version, member.place, path, words);
        let instead = match function.name {
            "Fn::Join" => "list_join instead",
            "Fn::Split" => "str_split instead",
            "Fn::Replace" => "str_replace instead",
            "Ref" => "get_param or get_resource instead",
            _ => "",
        };
        let right = if instead.is_empty() { format!("the last one that has it is {last}") } else { instead.to_owned() };
        faults.add(fault.right(right));
        return None;
    }
    if version < function.since {
        let words =
            format!("{} is a function from version {} on, and stays data in {version}", function.name, function.since);
        faults.lint(member.place, path, words);
        return None;
    }
    let stands = match function.place {
        Standing::Both => true,
        Standing::Conditions => dialect.condition,
        Standing::Values => !dialect.condition,
    };
    if stands {
        return Some(function);
    }
    // A value may well have a member of this name.
    if !dialect.condition {
        return None;
    }
    let words = format!("{} cannot be a part of a condition", function.name);
    let fault = Fault::new(Kind::Function, member.place, path, words);
    faults.add(fault.right("get_param, equals, not, and, or, contains"));
    None
}

/// Checks the argument of a call as far as it is written out.
fn check_form(function: &Function, node: &Node, version: Version) -> Result<(), String> {
    if let How::Refused(why) = function.how {
        return Err(why.to_owned());
    }
    // What a call comes to is not known yet.
    let is_call = |member: &Member| Function::find(&member.name).is_some_and(|function| function.is_of(version));
    let by_parts = matches!(function.how, How::If | How::And | How::Or);
    if !by_parts && matches!(node.members(), Some([only]) if is_call(only)) {
        return Ok(());
    }
    let is_text = node.text().is_some();
    match function.form {
        Form::Any => Ok(()),
        Form::Text if is_text => Ok(()),
        Form::Text => Err(format!("its argument must be a text, not {}", node.word())),
        Form::TextOrList if is_text || node.list().is_some_and(|list| !list.is_empty()) => Ok(()),
        Form::TextOrList => Err("it needs a name".to_owned()),
        Form::List(min, max) => {
            // The words of the language's older versions.
            let (min, max) = match function.name {
                "get_attr" if version < Version::V2015Liberty => (2, max),
                "list_join" if version < Version::V2015Liberty => (2, Some(2)),
                "if" if version < Version::V2021 => (3, max),
                _ => (min, max),
            };
            let list = node.list().ok_or_else(|| format!("its argument must be a list, not {}", node.word()))?;
            let due = match max {
                Some(max) if max == min => format!("{min}"),
                Some(max) => format!("{min} to {max}"),
                None => format!("{min} or more"),
            };
            match list.len() < min || max.is_some_and(|max| list.len() > max) {
                true => Err(format!("it takes {due} arguments, not {}", list.len())),
                false => Ok(()),
            }
        }
        Form::Map(needed) => {
            let members = node.members().ok_or_else(|| format!("its argument must be a map, not {}", node.word()))?;
            let lacks = needed.iter().find(|name| members.iter().all(|member| member.name != **name));
            lacks.map_or(Ok(()), |name| Err(format!("it needs {name}")))
        }
    }
}
