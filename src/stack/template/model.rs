//! What a template holds: parameters, resources, outputs and conditions. Data alone; `section` reads it, and `evaluate`
//! says what it comes to.

use std::collections::HashSet;

use serde_json::Value;

use super::expr::Expr;
use super::fault::{Faults, Place};
use super::parameter::{Given, Parameter, Pseudo, Values};
use super::version::Version;

/// So many resources may a template have.
pub const MAX_RESOURCES: usize = 1000;

/// A template.
#[derive(Clone)]
pub struct Template {
    /// The version of its language.
    pub version: Version,
    /// What it is for.
    pub description: String,
    /// Its parameters, in their order.
    pub parameters: Vec<Parameter>,
    /// Its resources, in their order.
    pub resources: Vec<Resource>,
    /// Its outputs, in their order.
    pub outputs: Vec<Output>,
    pub(super) conditions: Vec<Condition>,
    /// The names of parameters that are declared wrongly, which was told of.
    pub(super) broken: HashSet<String>,
}

/// What becomes of a resource that is deleted with its stack, or leaves its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted.
    Delete,
    /// It stays.
    Retain,
}

/// A resource as its template declares it.
#[derive(Clone)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Its type: `SDC::Compute::Machine`.
    pub kind: String,
    /// Where that stands.
    pub kind_place: Place,
    /// What it is for.
    pub description: Option<String>,
    /// The names of resources that are made before it, and where they stand.
    pub depends_on: Vec<(String, Place)>,
    /// What becomes of it in the end.
    pub deletion_policy: DeletionPolicy,
    /// Its properties: a map, or what comes to one.
    pub(super) properties: Option<Expr>,
    pub(super) metadata: Option<Expr>,
    /// The id of one that exists and is not the stack's.
    pub(super) external_id: Option<Expr>,
    pub(super) condition: Option<Expr>,
}

/// An output as its template declares it.
#[derive(Clone)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub description: Option<String>,
    pub(super) value: Expr,
    pub(super) condition: Option<Expr>,
}

/// A condition that has a name.
#[derive(Clone)]
pub(super) struct Condition {
    pub name: String,
    pub place: Place,
    pub expr: Expr,
}

impl Template {
    /// The resource of this name.
    pub fn resource(&self, name: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.name == name)
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The values of its parameters. Where it is only `checked`, one without a value is unknown and no fault.
    pub fn bind(&self, given: &Given, pseudo: &Pseudo, checked: bool, faults: &Faults) -> Values {
        Values::bind((&self.parameters, &self.broken), given, pseudo, checked, faults)
    }

    /// The parameters that no expression names.
    pub fn unused(&self) -> Vec<&Parameter> {
        let mut used = HashSet::new();
        let mut named = |expr: &Expr| {
            expr.calls(&mut |function, argument| {
                if matches!(function.name, "get_param" | "Ref") {
                    let literal = argument.literal().or_else(|| argument.list()?.first()?.literal());
                    match literal {
                        Some(Value::String(name)) => drop(used.insert(name)),
                        Some(Value::Array(list)) => {
                            used.extend(list.first().and_then(Value::as_str).map(str::to_owned))
                        }
                        _ => {}
                    }
                }
            });
        };
        for resource in &self.resources {
            let parts = [&resource.properties, &resource.metadata, &resource.external_id, &resource.condition];
            parts.into_iter().flatten().for_each(&mut named);
        }
        for output in &self.outputs {
            named(&output.value);
            output.condition.iter().for_each(&mut named);
        }
        self.conditions.iter().for_each(|condition| named(&condition.expr));
        self.parameters.iter().filter(|parameter| !used.contains(&parameter.name)).collect()
    }
}

impl Resource {
    /// Where it stands in its template.
    pub fn path(&self) -> String {
        format!("resources.{}", self.name)
    }
}
