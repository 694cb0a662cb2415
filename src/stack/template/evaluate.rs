//! What resources and outputs of a template come to: properties, needs, values.

use std::collections::HashSet;

use serde_json::Value;

use super::data::Data;
use super::expr::{Expr, Term};
use super::fault::{Fault, Kind, Place};
use super::model::{Output, Resource};
use super::scope::{Failed, Scope};

impl Resource {
    /// Whether it is made: a condition may leave it out. Nobody knows without a value for the condition's parameters.
    pub(in crate::stack) fn is_enabled(&self, scope: &Scope<'_>) -> Result<Option<bool>, Failed> {
        Ok(scope.is_enabled(self)?.holds)
    }

    /// Its properties by their names, with their places. One that has failed is there without a value.
    pub(in crate::stack) fn properties(&self, scope: &Scope<'_>) -> Result<Vec<Property>, Failed> {
        let path = format!("{}.properties", self.path());
        let Some(expr) = &self.properties else { return Ok(Vec::new()) };
        if let Term::Map(members) = &expr.term {
            let eval = |(name, expr): &(String, Expr)| {
                let found = scope.eval(expr, &format!("{path}.{name}")).transpose()?;
                Some(Property { name: name.clone(), place: expr.place, data: found.ok(), written: written(expr) })
            };
            return Ok(members.iter().filter_map(eval).collect());
        }
        let data = scope.eval(expr, &path)?.unwrap_or(Data::NULL);
        let property = |name: String, data| Property { name, place: expr.place, data: Some(data), written: None };
        match data {
            Data::Map(members) => Ok(members.into_iter().map(|(name, data)| property(name, data)).collect()),
            Data::Open(Value::Object(map)) => {
                Ok(map.into_iter().map(|(name, value)| property(name, Data::Open(value))).collect())
            }
            // Their names would be shown.
            Data::Hidden(_) => {
                let words = "properties that come of a hidden parameter must be written out";
                scope.faults.add(Fault::new(Kind::Schema, expr.place, &path, words));
                Err(Failed)
            }
            Data::Open(Value::Null) => Ok(Vec::new()),
            _ => {
                let fault = Fault::new(Kind::Schema, expr.place, &path, "properties must come to a map");
                scope.faults.add(fault);
                Err(Failed)
            }
        }
    }

    /// The resources that it needs: those that it refers to, and those that it is to wait for.
    pub(in crate::stack) fn needs(&self, scope: &Scope<'_>) -> Vec<String> {
        let mut found = HashSet::new();
        let path = self.path();
        for expr in [&self.properties, &self.metadata, &self.external_id].into_iter().flatten() {
            scope.needs(expr, &path, &mut found);
        }
        for (name, _) in &self.depends_on {
            let there = scope.template.resource(name).is_some_and(|it| it.is_enabled(scope) != Ok(Some(false)));
            if there {
                found.insert(name.clone());
            }
        }
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort_unstable();
        found
    }

    /// Looks at what is in it besides properties, for faults.
    pub(in crate::stack) fn check_rest(&self, scope: &Scope<'_>) {
        let path = self.path();
        for (name, expr) in [("metadata", &self.metadata), ("external_id", &self.external_id)] {
            if let Some(expr) = expr {
                let _ = scope.eval(expr, &format!("{path}.{name}"));
            }
        }
    }
}

/// A property that was given, and what it came to.
#[derive(Clone)]
pub(in crate::stack) struct Property {
    pub name: String,
    pub place: Place,
    /// Nothing where that has failed.
    pub data: Option<Data>,
    /// The text of a plain scalar, which may read otherwise elsewhere.
    pub written: Option<String>,
}

fn written(expr: &Expr) -> Option<String> {
    match &expr.term {
        Term::Scalar(scalar) if scalar.plain => Some(scalar.text.clone()),
        _ => None,
    }
}

impl Output {
    /// What it comes to; nothing where its condition leaves it out.
    pub(in crate::stack) fn data(&self, scope: &Scope<'_>) -> Result<Data, Failed> {
        let path = format!("outputs.{}", self.name);
        let condition = scope.enabled(self.condition.as_ref(), &format!("{path}.condition"))?;
        match condition.holds {
            Some(false) => Ok(Data::NULL),
            _ => Ok(scope.eval(&self.value, &format!("{path}.value"))?.unwrap_or(Data::NULL)),
        }
    }
}
