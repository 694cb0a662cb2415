//! What has to be done to bring a stack to what its template says: each resource is compared with what the state has of
//! it, and nobody is asked. Pure.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::check::{self, Declared, Wanted};
use super::graph::Graph;
use super::resources::Update;
use super::state::{Action as Done, Kept, Made, State, Status};
use super::template::data::{Data, HIDDEN, UNKNOWN};
use super::template::environment::Environment;
use super::template::fault::Faults;
use super::template::parameter::Values;
use super::template::{Contents, Resources, Scope, Template};

/// What becomes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It was being made when the last run ended: that is gone on with.
    Continue,
    /// Its last action failed: it is looked at, and made anew if it is of no use.
    Repair,
    /// It is changed as it is.
    Update,
    /// A new one is made, and the old one deleted once nothing needs it.
    Replace,
    /// It is deleted.
    Delete,
    /// It leaves the stack, and stays.
    Retain,
    /// Nothing, and the state notes what the template says of it otherwise: what it needs, whether it stays.
    Record,
    /// Nothing.
    Nothing,
}

impl Action {
    /// The sign before it.
    pub fn sign(self) -> &'static str {
        match self {
            Action::Create | Action::Continue => "+",
            Action::Repair | Action::Update => "~",
            Action::Replace => "-/+",
            Action::Delete => "-",
            Action::Retain => "=",
            Action::Nothing | Action::Record => " ",
        }
    }

    /// The word for it, as scripts read it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Continue => "continue",
            Action::Repair => "repair",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Retain => "retain",
            Action::Record => "record",
            Action::Nothing => "unchanged",
        }
    }
}

/// A property before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name.
    pub property: String,
    /// What it is, as far as that may be shown.
    pub old: Value,
    /// What it is to be, as far as that is known and may be shown.
    pub new: Value,
    /// What the change does to the resource.
    pub update: Update,
}

/// What is done with a resource.
#[derive(Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The name of its type.
    pub kind: String,
    /// What is done.
    pub action: Action,
    /// Its id, if it exists.
    pub id: Option<String>,
    /// The properties that differ; of one that is made, all that are given.
    pub changes: Vec<Change>,
    /// Why, where the properties do not say it.
    pub reason: Option<String>,
    /// The resources that it needs.
    pub needs: Vec<String>,
    /// What the template says of it; nothing where it has left the template.
    pub wanted: Option<Wanted>,
}

/// What has to be done, in the order of the dependencies, deletes last.
#[derive(Clone, Default)]
pub struct Plan {
    /// A step for each resource.
    pub steps: Vec<Step>,
    /// The outputs, as far as they are known and may be shown.
    pub outputs: Vec<(String, Value)>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Nothing)
    }

    /// The steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::Nothing)
    }

    /// The step of this resource.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name && step.wanted.is_some())
    }
}

/// The resources that will stay as they are, as the state has them; all others are unknown.
#[derive(Default)]
struct Staying {
    known: RefCell<HashMap<String, Known>>,
}

/// What is known of a resource.
struct Known {
    id: Option<String>,
    attributes: BTreeMap<String, Value>,
    /// What is not among the attributes is nothing.
    is_whole: bool,
}

impl Staying {
    /// Adds one that stays. What is changed of it, and what was not seen to its end, is not known yet.
    fn add(&self, name: &str, made: &Made, step: &Step) {
        let is_changed = |name: &str| step.changes.iter().any(|change| change.property == name);
        let attributes = made.attributes.iter().filter(|(name, _)| !is_changed(name));
        let attributes = attributes.map(|(name, value)| (name.clone(), value.clone())).collect();
        let is_whole = made.status == Status::Complete && step.changes.is_empty();
        self.known.borrow_mut().insert(name.to_owned(), Known { id: made.id.clone(), attributes, is_whole });
    }
}

impl Resources for Staying {
    fn id(&self, resource: &str) -> Data {
        let known = self.known.borrow();
        let id = known.get(resource).and_then(|known| known.id.clone());
        id.map_or(Data::Unknown { hidden: false }, |id| Data::Open(Value::from(id)))
    }

    fn attribute(&self, resource: &str, attribute: Option<&str>) -> Data {
        let known = self.known.borrow();
        let unknown = Data::Unknown { hidden: false };
        let Some(known) = known.get(resource) else { return unknown };
        match attribute.map(|name| known.attributes.get(name)) {
            Some(Some(value)) => Data::Open(value.clone()),
            Some(None) if known.is_whole => Data::NULL,
            None if known.is_whole => Data::Open(Value::Object(known.attributes.clone().into_iter().collect())),
            _ => unknown,
        }
    }
}

/// Compares a template with a state. What is wrong with the template is among the faults, and the plan means nothing then.
pub fn plan(
    template: &Template,
    environment: &Environment,
    values: &Values,
    contents: &dyn Contents,
    state: Option<&State>,
    faults: &Faults,
) -> Plan {
    let staying = Staying::default();
    let first = check::check(template, environment, values, &staying, contents, faults);
    if !faults.is_empty() {
        return Plan::default();
    }
    let graph = Graph::new(first.iter().map(|one| (one.name.clone(), one.needs.clone())));
    let order: Vec<String> = graph.order().into_iter().map(str::to_owned).collect();
    let declared = Declared { template, environment, made: &staying };
    // What could be told of the file was told.
    let again = Faults::default();
    let scope = Scope::new(template, values, &declared, contents, &again);
    let mut plan = Plan::default();
    for name in &order {
        let Some(resource) = template.resource(name) else { continue };
        let Some(wanted) = check::resource(resource, environment, &scope) else { continue };
        let made = state.and_then(|state| Some((state, state.resources.get(name)?)));
        let step = match made {
            None => new(wanted),
            Some((state, made)) => compared(state, made, wanted),
        };
        // One that is gone on with, or looked at, is expected to stay: if it does not, that is seen on the way.
        let stays = !matches!(step.action, Action::Replace | Action::Create);
        if let Some((_, made)) = made.filter(|(_, made)| made.id.is_some() && stays) {
            staying.add(name, made, &step);
        }
        plan.steps.push(step);
    }
    let there: HashSet<&str> = order.iter().map(String::as_str).collect();
    plan.steps.extend(state.map(|state| deletes(state, |name| !there.contains(name))).unwrap_or_default());
    for output in &template.outputs {
        if let Ok(data) = output.data(&scope) {
            plan.outputs.push((output.name.clone(), data.shown()));
        }
    }
    // What is known of resources by now may not fit, and what is left out of a plan would be deleted.
    let wrong = again.faults();
    if !wrong.is_empty() {
        wrong.into_iter().for_each(|fault| faults.add(fault));
        return Plan::default();
    }
    plan
}

/// A plan that deletes all that a stack has.
pub fn delete(state: &State) -> Plan {
    Plan { steps: deletes(state, |_| true), outputs: Vec::new() }
}

fn new(wanted: Wanted) -> Step {
    let given = wanted.properties.iter().filter(|(_, data)| *data != Data::NULL);
    let changes = given
        .filter_map(|(name, data)| {
            let property = wanted.kind.property(name)?;
            let change =
                Change { property: (*name).to_owned(), old: Value::Null, new: data.shown(), update: property.update };
            // What nobody heeds is not told.
            (property.update != Update::Nothing && property.read_default().as_ref() != Some(data)).then_some(change)
        })
        .collect();
    Step {
        name: wanted.name.clone(),
        kind: wanted.kind.name.to_owned(),
        action: Action::Create,
        id: None,
        changes,
        reason: None,
        needs: wanted.needs.clone(),
        wanted: Some(wanted),
    }
}

/// What is done with a resource that the state has.
fn compared(state: &State, made: &Made, wanted: Wanted) -> Step {
    let changes = differences(state, made, &wanted);
    let begun = matches!((made.action, made.status), (Done::Create | Done::Adopt, Status::InProgress));
    let is_other = made.kind != wanted.kind.name;
    let replaces = is_other || changes.iter().any(|change| change.update == Update::Replace);
    let (action, reason) = match () {
        // What nobody has made yet is made as it is wanted now.
        () if begun && made.id.is_none() && made.mark.is_none() => (Action::Create, None),
        // Nobody knows of one that could be replaced: the new one is made, and the old one looked for.
        () if replaces && made.id.is_none() => (Action::Create, Some(failed(made))),
        () if is_other => (Action::Replace, Some(format!("its type was {}", made.kind))),
        () if replaces => (Action::Replace, None),
        () if begun => (Action::Continue, Some("the last run did not end".to_owned())),
        () if made.status == Status::Failed => (Action::Repair, Some(failed(made))),
        () if made.status == Status::InProgress => (Action::Repair, Some("the last run did not end".to_owned())),
        () if !changes.is_empty() => (Action::Update, None),
        () if is_noted_otherwise(made, &wanted) => (Action::Record, None),
        () => (Action::Nothing, None),
    };
    Step {
        name: wanted.name.clone(),
        kind: wanted.kind.name.to_owned(),
        action,
        id: made.id.clone(),
        changes,
        reason,
        needs: wanted.needs.clone(),
        wanted: Some(wanted),
    }
}

/// Whether the state has of a resource what the template says no longer, although nothing is to be done for it: a value
/// that is hidden by now is not kept as it is.
fn is_noted_otherwise(made: &Made, wanted: &Wanted) -> bool {
    let shows = |(name, data): &(&'static str, Data)| {
        data.is_hidden() && matches!(made.properties.get(*name), Some(Kept::Value(_)))
    };
    made.retain != wanted.retain || made.needs != wanted.needs || wanted.properties.iter().any(shows)
}

fn failed(made: &Made) -> String {
    let condition = super::state::condition(made.action, made.status);
    match made.reason.is_empty() {
        true => condition,
        false => format!("{condition}: {}", made.reason),
    }
}

/// The properties that are not as the state has them.
fn differences(state: &State, made: &Made, wanted: &Wanted) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, data) in &wanted.properties {
        let Some(property) = wanted.kind.property(name).filter(|property| property.update != Update::Nothing) else {
            continue;
        };
        let kept = made.properties.get(*name);
        let same = match kept {
            // However nothing is written.
            Some(kept) => state.is_kept(kept, data) || kept.value().is_some_and(is_empty) && is_nothing(data),
            // A default that a later version of this program has is no change.
            None => is_nothing(data) || property.read_default() == Some(data.clone()),
        };
        if !same {
            let old = kept.map(Kept::shown).unwrap_or_default();
            let (old, new) = masked(old, kept, data);
            changes.push(Change { property: (*name).to_owned(), old, new, update: property.update });
        }
    }
    changes
}

/// Both sides of a change, neither of them shown where one is hidden.
fn masked(old: Value, kept: Option<&Kept>, data: &Data) -> (Value, Value) {
    let was_hidden = matches!(kept, Some(Kept::Hash(_)));
    match (was_hidden || data.is_hidden(), data.is_known()) {
        (false, _) => (old, data.shown()),
        (true, true) => (Value::from(HIDDEN), Value::from(HIDDEN)),
        (true, false) => (Value::from(HIDDEN), Value::from(UNKNOWN)),
    }
}

/// Whether a value is as good as none: an empty list or map, or no text.
fn is_nothing(data: &Data) -> bool {
    data.value().as_ref().is_some_and(is_empty)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The deletes of those that have left, each before what it needs; what was replaced before goes first.
fn deletes(state: &State, has_left: impl Fn(&str) -> bool) -> Vec<Step> {
    let step = |name: &str, made: &Made| {
        let kept = made.retain || made.external;
        let action = if kept { Action::Retain } else { Action::Delete };
        Step {
            name: name.to_owned(),
            kind: made.kind.clone(),
            action,
            id: made.id.clone(),
            changes: Vec::new(),
            reason: None,
            needs: made.needs.clone(),
            wanted: None,
        }
    };
    let mut steps: Vec<Step> = state
        .old
        .iter()
        .map(|old| Step { reason: Some("it was replaced".to_owned()), ..step(&old.name, &old.made) })
        .collect();
    let left: Vec<(&String, &Made)> = state.resources.iter().filter(|(name, _)| has_left(name)).collect();
    let graph = Graph::new(left.iter().map(|(name, made)| ((*name).clone(), made.needs.clone())));
    let order = graph.order();
    // What needs each other, since the template has changed, comes last.
    let in_circle = left.iter().map(|(name, _)| name.as_str()).filter(|name| !order.contains(name));
    for name in order.iter().copied().rev().chain(in_circle) {
        if let Some((name, made)) = left.iter().find(|(known, _)| *known == name) {
            steps.push(step(name, made));
        }
    }
    steps
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
