//! The sections of a template: what each may hold, by its version.

use std::collections::HashSet;

use super::expr::{Dialect, Expr};
use super::fault::{Fault, Faults, Kind, Place, unknown};
use super::model::{Condition, DeletionPolicy, MAX_RESOURCES, Output, Resource, Template};
use super::parameter::{PSEUDO, Parameter};
use super::python;
use super::version::Version;
use super::yaml::{self, Member, Node};
use crate::sensitive::quoted;
use crate::stack::graph::{Graph, in_turn};

const VERSION: &str = "heat_template_version";

impl Template {
    /// Reads a template. Its faults are gathered; without a template it cannot be read at all.
    pub fn read(bytes: &[u8], faults: &Faults) -> Option<Template> {
        let node = faults.take(yaml::read(bytes, faults))?;
        template(&node, faults)
    }
}

/// Reads a template from its tree.
fn template(node: &Node, faults: &Faults) -> Option<Template> {
    let fault = |kind, place, words: String| faults.add(Fault::new(kind, place, "", words));
    let Some(sections) = node.members() else {
        fault(Kind::Schema, node.place, format!("a template is a map, not {}", node.word()));
        return None;
    };
    let section = |name: &str| sections.iter().find(|member| member.name == name);
    let version = version(node.place, section(VERSION), sections, faults)?;
    let mut known = vec![VERSION, "description", "parameter_groups", "parameters", "resources", "outputs"];
    if version >= Version::V2016Newton {
        known.push("conditions");
    }
    for other in sections.iter().filter(|member| !known.contains(&member.name.as_str())) {
        let since = (other.name == "conditions").then_some("they are of 2016-10-14 and later versions");
        let found = Fault::new(Kind::Schema, other.place, "", format!("unknown section {}", quoted(&other.name)));
        faults.add(match since {
            Some(since) => found.right(since),
            None => unknown(found, &other.name, &known),
        });
    }
    let members = |name: &str| section(name).map_or(&[][..], |member| map(&member.node, name, faults));
    let parameters: Vec<Parameter> =
        members("parameters").iter().filter_map(|member| parameter(member, version, faults)).collect();
    let is_read: HashSet<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let names = section("parameters").and_then(|member| member.node.members()).unwrap_or_default().iter();
    let broken: HashSet<String> =
        names.map(|member| member.name.clone()).filter(|name| !is_read.contains(name.as_str())).collect();
    if let Some(groups) = section("parameter_groups") {
        self::groups(&groups.node, &parameters, faults);
    }
    let conditions: Vec<Condition> =
        members("conditions").iter().map(|member| condition(member, version, faults)).collect();
    check_conditions(&conditions, faults);
    let resources = members("resources");
    if resources.len() > MAX_RESOURCES {
        let words = format!("the template has {} resources, and at most {MAX_RESOURCES} are allowed", resources.len());
        fault(Kind::Schema, node.place, words);
    }
    let resources: Vec<Resource> =
        resources.iter().take(MAX_RESOURCES).filter_map(|member| resource(member, version, faults)).collect();
    let outputs: Vec<Output> = members("outputs").iter().filter_map(|member| output(member, version, faults)).collect();
    for twice in resources.iter().filter(|resource| parameters.iter().any(|one| one.name == resource.name)) {
        let words = "a parameter and a resource have the same name".to_owned();
        faults.add(Fault::new(Kind::Schema, twice.place, &twice.path(), words));
    }
    check_depends_on(&resources, faults);
    let description = section("description").and_then(|member| match python::text(&member.node.value()) {
        None if !member.node.is_null() => {
            fault(Kind::Schema, member.node.place, format!("description is a text, not {}", member.node.word()));
            None
        }
        text => text,
    });
    let description = description.unwrap_or_else(|| "No description".to_owned());
    Some(Template { version, description, parameters, resources, outputs, conditions, broken })
}

fn version(place: Place, found: Option<&Member>, sections: &[Member], faults: &Faults) -> Option<Version> {
    let Some(member) = found else {
        let amazon =
            |member: &&Member| matches!(member.name.as_str(), "AWSTemplateFormatVersion" | "HeatTemplateFormatVersion");
        let missing = match sections.iter().find(amazon) {
            Some(member) => {
                Fault::new(Kind::Version, member.place, "", "templates of CloudFormation are not read here")
            }
            None => Fault::new(Kind::Version, place, "", "the template has no heat_template_version"),
        };
        faults.add(missing.right(format!("{VERSION}: {}", Version::NEWEST)));
        return None;
    };
    let text = python::text(&member.node.value()).unwrap_or_default();
    let version = Version::parse(&text);
    if version.is_none() {
        let words = format!("unknown version {}", quoted(&text));
        faults.add(Fault::new(Kind::Version, member.node.place, VERSION, words).right(Version::known()));
    }
    version
}

/// The members of a section. Nothing is as good as an empty one.
fn map<'a>(node: &'a Node, path: &str, faults: &Faults) -> &'a [Member] {
    match node.members() {
        Some(members) => members,
        None => {
            if !node.is_null() {
                faults.add(Fault::new(Kind::Schema, node.place, path, format!("expected a map, not {}", node.word())));
            }
            &[]
        }
    }
}

fn parameter(member: &Member, version: Version, faults: &Faults) -> Option<Parameter> {
    if PSEUDO.contains(&member.name.as_str()) || member.name.starts_with("OS::") {
        let words = "names that begin with OS:: are the engine's own";
        faults.add(Fault::new(Kind::Schema, member.place, &format!("parameters.{}", member.name), words));
    }
    Parameter::read(member, version, faults)
}

fn groups(node: &Node, parameters: &[Parameter], faults: &Faults) {
    let path = "parameter_groups";
    let fault = |place, words: String| faults.add(Fault::new(Kind::Schema, place, path, words));
    if node.is_null() {
        return;
    }
    let Some(list) = node.list() else {
        return fault(node.place, format!("expected a list, not {}", node.word()));
    };
    let known: Vec<&str> = parameters.iter().map(|one| one.name.as_str()).collect();
    let there: HashSet<&str> = known.iter().copied().collect();
    let mut seen = HashSet::new();
    for group in list {
        let keys = ["label", "description", "parameters"];
        for other in map(group, path, faults).iter().filter(|member| !keys.contains(&member.name.as_str())) {
            fault(other.place, format!("unknown key {}", quoted(&other.name)));
        }
        let names = group.members().into_iter().flatten().find(|member| member.name == "parameters");
        let Some(names) = names else {
            fault(group.place, "a group has no parameters".to_owned());
            continue;
        };
        let Some(list) = names.node.list() else {
            fault(names.node.place, format!("parameters are a list, not {}", names.node.word()));
            continue;
        };
        for name in list {
            let text = name.text().unwrap_or_default();
            if !there.contains(text) {
                let words = format!("no parameter named {}", quoted(text));
                faults.add(unknown(Fault::new(Kind::Reference, name.place, path, words), text, &known));
            } else if !seen.insert(text.to_owned()) {
                fault(name.place, format!("{} is in two groups", quoted(text)));
            }
        }
    }
}

fn condition(member: &Member, version: Version, faults: &Faults) -> Condition {
    let path = format!("conditions.{}", member.name);
    let expr = Expr::read(&member.node, Dialect::conditions(version), &path, faults);
    Condition { name: member.name.clone(), place: member.place, expr }
}

/// The names of conditions that an expression uses, as far as they are written out.
fn uses(expr: &Expr, found: &mut Vec<String>) {
    use super::expr::Term;
    match &expr.term {
        Term::Scalar(scalar) => found.extend(scalar.value.as_str().map(str::to_owned)),
        Term::Call(function, argument) if matches!(function.name, "not" | "and" | "or") => match argument.list() {
            Some(list) if function.name != "not" => list.iter().for_each(|expr| uses(expr, found)),
            _ => uses(argument, found),
        },
        _ => {}
    }
}

/// Conditions that need each other.
fn check_conditions(conditions: &[Condition], faults: &Faults) {
    let used = |condition: &Condition| {
        let mut found = Vec::new();
        uses(&condition.expr, &mut found);
        (condition.name.clone(), found)
    };
    let graph = Graph::new(conditions.iter().map(used));
    if let Some(circle) = graph.circle() {
        let first = circle.first().copied().unwrap_or_default();
        let place = conditions.iter().find(|condition| condition.name == first).map(|condition| condition.place);
        let words = format!("these conditions need each other: {}", in_turn(&circle));
        faults.add(Fault::new(Kind::Circle, place.unwrap_or_default(), "conditions", words));
    }
}

fn resource(member: &Member, version: Version, faults: &Faults) -> Option<Resource> {
    let path = format!("resources.{}", member.name);
    let fault = |place, words: String| Fault::new(Kind::Schema, place, &path, words);
    if member.name.contains('/') {
        faults.add(fault(member.place, "the name of a resource has no /".to_owned()));
    }
    let Some(keys) = member.node.members() else {
        faults
            .add(fault(member.place, format!("a resource is a map, not {}", member.node.word())).right("{type: TYPE}"));
        return None;
    };
    let mut known =
        vec!["type", "properties", "metadata", "depends_on", "deletion_policy", "update_policy", "description"];
    if version >= Version::V2016Newton {
        known.extend(["external_id", "condition"]);
    }
    for other in keys.iter().filter(|key| !known.contains(&key.name.as_str())) {
        let found = fault(other.place, format!("unknown key {}", quoted(&other.name)));
        faults.add(unknown(found, &other.name, &known));
    }
    let key = |name: &str| keys.iter().find(|key| key.name == name).map(|key| &key.node).filter(|node| !node.is_null());
    let Some(kind) = key("type") else {
        faults.add(fault(member.place, "it has no type".to_owned()).right("type: SDC::Compute::Machine"));
        return None;
    };
    let Some(kind_text) = kind.text() else {
        faults.add(fault(kind.place, format!("type is a text, not {}", kind.word())));
        return None;
    };
    let read = |name: &str| {
        key(name).map(|node| Expr::read(node, Dialect::values(version), &format!("{path}.{name}"), faults))
    };
    let properties = read("properties").filter(|expr| match &expr.term {
        super::expr::Term::Map(_) | super::expr::Term::Call(..) => true,
        _ => {
            faults.add(fault(expr.place, "properties are a map".to_owned()));
            false
        }
    });
    if let Some(node) = key("update_policy")
        && node.members().is_none_or(|members| !members.is_empty())
    {
        faults.lint(node.place, &path, "update_policy is for groups of servers, and is not heeded");
    }
    let condition = key("condition")
        .map(|node| Expr::read(node, Dialect::conditions(version), &format!("{path}.condition"), faults));
    Some(Resource {
        name: member.name.clone(),
        place: member.place,
        kind: kind_text.to_owned(),
        kind_place: kind.place,
        description: key("description").and_then(|node| python::text(&node.value())),
        depends_on: key("depends_on").map(|node| depends_on(node, &path, faults)).unwrap_or_default(),
        deletion_policy: key("deletion_policy")
            .and_then(|node| faults.take(deletion_policy(node, version, &path)))
            .unwrap_or(DeletionPolicy::Delete),
        properties,
        metadata: read("metadata"),
        external_id: read("external_id"),
        condition,
    })
}

fn depends_on(node: &Node, path: &str, faults: &Faults) -> Vec<(String, Place)> {
    let path = format!("{path}.depends_on");
    let nodes = match node.list() {
        Some(list) => list,
        None => std::slice::from_ref(node),
    };
    let name = |node: &Node| {
        if node.text().is_none() {
            let words = format!("expected the name of a resource, or a list of names, not {}", node.word());
            faults.add(Fault::new(Kind::Schema, node.place, &path, words));
        }
        node.text().map(|text| (text.to_owned(), node.place))
    };
    nodes.iter().filter_map(name).collect()
}

fn deletion_policy(node: &Node, version: Version, path: &str) -> Result<DeletionPolicy, Fault> {
    let path = format!("{path}.deletion_policy");
    let text = node.text().unwrap_or_default();
    let lower = version >= Version::V2016Newton;
    let fault = |words: String| Fault::new(Kind::Schema, node.place, &path, words);
    match text {
        "Delete" => Ok(DeletionPolicy::Delete),
        "Retain" => Ok(DeletionPolicy::Retain),
        "delete" if lower => Ok(DeletionPolicy::Delete),
        "retain" if lower => Ok(DeletionPolicy::Retain),
        "Snapshot" | "snapshot" => Err(fault("no type here leaves a snapshot behind".to_owned()).right("Retain")),
        "delete" | "retain" => Err(fault(format!("{text} is written so from 2016-10-14 on")).right("Delete, Retain")),
        _ => Err(fault(format!("unknown policy {}", quoted(text))).right("Delete, Retain")),
    }
}

fn output(member: &Member, version: Version, faults: &Faults) -> Option<Output> {
    let path = format!("outputs.{}", member.name);
    let fault = |place, words: String| Fault::new(Kind::Schema, place, &path, words);
    let Some(keys) = member.node.members() else {
        faults
            .add(fault(member.place, format!("an output is a map, not {}", member.node.word())).right("{value: ...}"));
        return None;
    };
    let mut known = vec!["value", "description"];
    if version >= Version::V2016Newton {
        known.push("condition");
    }
    for other in keys.iter().filter(|key| !known.contains(&key.name.as_str())) {
        let found = fault(other.place, format!("unknown key {}", quoted(&other.name)));
        faults.add(unknown(found, &other.name, &known));
    }
    let key = |name: &str| keys.iter().find(|key| key.name == name).map(|key| &key.node);
    let Some(value) = key("value") else {
        faults.add(fault(member.place, "it has no value".to_owned()));
        return None;
    };
    Some(Output {
        name: member.name.clone(),
        place: member.place,
        description: key("description").and_then(|node| python::text(&node.value())),
        value: Expr::read(value, Dialect::values(version), &format!("{path}.value"), faults),
        condition: key("condition")
            .map(|node| Expr::read(node, Dialect::conditions(version), &format!("{path}.condition"), faults)),
    })
}

/// Names in `depends_on` that nothing has.
fn check_depends_on(resources: &[Resource], faults: &Faults) {
    for resource in resources {
        for (name, place) in &resource.depends_on {
            if resources.iter().all(|other| other.name != *name) {
                let words = format!("no resource named {}", quoted(name));
                let path = format!("{}.depends_on", resource.path());
                let names: Vec<&str> = resources.iter().map(|one| one.name.as_str()).collect();
                faults.add(unknown(Fault::new(Kind::Reference, *place, &path, words), name, &names));
            }
        }
    }
}
