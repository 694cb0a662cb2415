//! Checks a template as a whole before anything is sent: types, properties, attributes, functions and circles. One run
//! finds all faults of a file, and what is not wrong but seldom meant.

use serde_json::Value;

use super::graph::{Graph, in_turn};
use super::resources::{self, Kind as Holds, Referent, Type};
use super::template::data::Data;
use super::template::environment::Environment;
use super::template::fault::{Fault, Faults, Kind};
use super::template::parameter::Values;
use super::template::{Contents, DeletionPolicy, Lack, Property, Resource, Resources, Scope, Template, unknown};
use crate::grammar::is_uuid;
use crate::sensitive::quoted;

/// The resources of a template before they are made: of each only its type is known.
pub(super) struct Declared<'a> {
    pub template: &'a Template,
    pub environment: &'a Environment,
    /// What is known of those that are made.
    pub made: &'a dyn Resources,
}

impl Resources for Declared<'_> {
    fn id(&self, resource: &str) -> Data {
        self.made.id(resource)
    }

    fn attribute(&self, resource: &str, attribute: Option<&str>) -> Data {
        self.made.attribute(resource, attribute)
    }

    fn lacks(&self, resource: &str, attribute: &str) -> Option<Lack> {
        let kind = self.environment.kind(&self.template.resource(resource)?.kind);
        let found = resources::find(&kind)?;
        let known = found.attributes.iter().map(|attribute| attribute.name).collect();
        found.attribute(attribute).is_none().then_some(Lack { kind, known })
    }
}

/// What a template says of one of its resources.
#[derive(Clone)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static Type,
    /// Its properties with the defaults of those that are not given, in the order of the type.
    pub properties: Vec<(&'static str, Data)>,
    /// The resources that it needs.
    pub needs: Vec<String>,
    /// It stays when it is to be deleted.
    pub retain: bool,
}

/// Checks a template with these values, and returns its resources that are to be made. What is wrong is among the faults.
pub fn check(
    template: &Template,
    environment: &Environment,
    values: &Values,
    made: &dyn Resources,
    contents: &dyn Contents,
    faults: &Faults,
) -> Vec<Wanted> {
    let declared = Declared { template, environment, made };
    let scope = Scope::new(template, values, &declared, contents, faults);
    let mut wanted = Vec::new();
    scope.check_conditions();
    for resource in &template.resources {
        let enabled = resource.is_enabled(&scope);
        // One that is left out is not looked at.
        if enabled == Ok(Some(false)) {
            continue;
        }
        resource.check_rest(&scope);
        wanted.extend(self::resource(resource, environment, &scope));
    }
    for output in &template.outputs {
        let _ = output.data(&scope);
    }
    let graph = Graph::new(wanted.iter().map(|one: &Wanted| (one.name.clone(), one.needs.clone())));
    if let Some(circle) = graph.circle() {
        let place = circle.first().and_then(|name| template.resource(name)).map(|resource| resource.place);
        let words = format!("these resources need each other: {}", in_turn(&circle));
        faults.add(Fault::new(Kind::Circle, place.unwrap_or_default(), "resources", words));
    }
    lint_parameters(template, faults);
    wanted
}

pub(super) fn resource(resource: &Resource, environment: &Environment, scope: &Scope<'_>) -> Option<Wanted> {
    let faults = scope.faults;
    let given = resource.properties(scope);
    let name = environment.kind(&resource.kind);
    let Some(kind) = resources::find(&name) else {
        let words = format!("unknown type {}", quoted(&name));
        let names: Vec<&str> = resources::TYPES.iter().map(|kind| kind.name).collect();
        let path = resource.path();
        faults.add(unknown(Fault::new(Kind::Reference, resource.kind_place, &path, words), &name, &names));
        return None;
    };
    let given = given.ok()?;
    let path = format!("{}.properties", resource.path());
    let mut sound = true;
    for property in given.iter().filter(|property| kind.property(&property.name).is_none()) {
        let words = format!("{} has no property {}", kind.name, quoted(&property.name));
        let names: Vec<&str> = kind.properties.iter().map(|property| property.name).collect();
        let fault = Fault::new(Kind::Property, property.place, &format!("{path}.{}", property.name), words);
        faults.add(unknown(fault, &property.name, &names));
        sound = false;
    }
    let mut properties = Vec::new();
    for known in kind.properties {
        let found = given.iter().find(|property| property.name == known.name);
        let path = format!("{path}.{}", known.name);
        // Nothing is as good as not given.
        let data = match found.filter(|found| found.data.as_ref() != Some(&Data::NULL)) {
            Some(found) => match found.data.clone().map(|data| known.read(data)) {
                Some(Ok(data)) => {
                    lint_property(known.kind, found, &data, &path, scope);
                    data
                }
                Some(Err(words)) => {
                    faults.add(Fault::new(Kind::Property, found.place, &path, words).right(known.about));
                    sound = false;
                    continue;
                }
                None => {
                    sound = false;
                    continue;
                }
            },
            None if known.required => {
                let words = format!("{} needs the property {}", kind.name, known.name);
                let place = found.map_or(resource.place, |found| found.place);
                faults.add(Fault::new(Kind::Property, place, &path, words).right(known.about));
                sound = false;
                continue;
            }
            None => known.read_default().unwrap_or(Data::NULL),
        };
        properties.push((known.name, data));
    }
    lint_name(&given, kind, &properties, &path, scope);
    sound.then(|| Wanted {
        name: resource.name.clone(),
        kind,
        properties,
        needs: resource.needs(scope),
        retain: resource.deletion_policy == DeletionPolicy::Retain,
    })
}

/// Tells of a text that reads otherwise elsewhere, and of an image without a version.
fn lint_property(kind: Holds, found: &Property, data: &Data, path: &str, scope: &Scope<'_>) {
    let Data::Open(value) = data else { return };
    let Some(text) = value.as_str() else { return };
    if let Some(written) = found.written.as_ref().filter(|written| *written != text && kind == Holds::Text) {
        let words = format!("{} is read as {}: put it into quotes", quoted(written), quoted(text));
        scope.faults.lint(found.place, path, words);
    }
    if kind == Holds::Refers(Referent::Image) && !is_uuid(text) && !text.contains('@') && !text.is_empty() {
        let words = format!("the image {} has no version: the newest is meant when the stack is made", quoted(text));
        scope.faults.lint(found.place, path, words);
    }
}

/// Tells of names that no host can have.
fn lint_name(given: &[Property], kind: &Type, properties: &[(&'static str, Data)], path: &str, scope: &Scope<'_>) {
    if kind.attribute("network_ip").is_none() {
        return;
    }
    for (property, data) in properties.iter().filter(|(name, _)| matches!(*name, "name" | "instance_alias")) {
        let Data::Open(Value::String(name)) = data else { continue };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !name.is_empty() && (name.len() > 63 || !name.bytes().all(fits)) {
            let place = given.iter().find(|given| given.name == *property).map(|given| given.place).unwrap_or_default();
            let words = format!("{} cannot be a name in DNS: letters, digits and hyphens, at most 63", quoted(name));
            scope.faults.lint(place, &format!("{path}.{property}"), words);
        }
    }
}

/// Tells of parameters that nothing uses, and of one that is used for another resource than its name says.
fn lint_parameters(template: &Template, faults: &Faults) {
    for unused in template.unused() {
        let path = format!("parameters.{}", unused.name);
        let resource = template
            .resources
            .iter()
            .find(|resource| unused.name.strip_prefix(&resource.name).is_some_and(|rest| rest.starts_with(['_', '-'])));
        let words = match resource {
            Some(resource) => format!("nothing uses it: resource {} may be meant to", resource.name),
            None => "nothing uses it".to_owned(),
        };
        faults.lint(unused.place, &path, words);
    }
}
