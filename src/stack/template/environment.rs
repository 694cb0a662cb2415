//! Environment files: values for parameters, and types that stand for other ones. What else Heat knows there is refused
//! by its name: a part that is passed over would be a stack other than the one that was meant.

use serde_json::Value;

use super::fault::{Fault, Faults, Kind, unknown};
use super::model::Template;
use super::parameter::{Given, Origin, Type, lint_text};
use super::yaml::{self, Member, Node};
use crate::sensitive::quoted;

/// What environment files say.
#[derive(Clone, Default)]
pub struct Environment {
    parameters: Vec<Member>,
    defaults: Vec<Member>,
    /// Types and what stands for them, both perhaps with a `*` at their end; the stronger first.
    types: Vec<(String, String)>,
}

const SECTIONS: &[&str] = &["parameters", "parameter_defaults", "resource_registry"];
/// Heat's other sections.
const REFUSED: &[&str] =
    &["encrypted_param_names", "encrypted_parameters", "event_sinks", "parameter_merge_strategies"];

impl Environment {
    /// Reads a file, which is stronger than those that were read before.
    pub fn add(&mut self, bytes: &[u8], faults: &Faults) {
        let Some(node) = faults.take(yaml::read(bytes, faults)) else { return };
        let fault = |place, words: String| Fault::new(Kind::Schema, place, "", words);
        let Some(sections) = node.members() else {
            return faults.add(fault(node.place, format!("an environment is a map, not {}", node.word())));
        };
        for section in sections {
            let name = section.name.as_str();
            if REFUSED.contains(&name) {
                faults.add(fault(section.place, format!("the section {name} is not known here")));
            } else if !SECTIONS.contains(&name) {
                let found = fault(section.place, format!("unknown section {}", quoted(name)));
                faults.add(unknown(found, name, SECTIONS));
            } else if section.node.members().is_none() {
                let words = format!("the section {name} is a map, not {}", section.node.word());
                faults.add(fault(section.node.place, words).right("leave it out if it is empty"));
            } else {
                let members = section.node.members().unwrap_or_default();
                match name {
                    "parameters" => self.parameters.splice(0..0, members.iter().cloned()).for_each(drop),
                    "parameter_defaults" => self.defaults.splice(0..0, members.iter().cloned()).for_each(drop),
                    _ => self.types.splice(0..0, types(members, faults)).for_each(drop),
                }
            }
        }
    }

    /// Adds its values to those that are given, which are stronger.
    pub fn give(&self, given: &mut Given) {
        let own = self.parameters.iter().map(|member| (member, Origin::Environment));
        let defaults = self.defaults.iter().map(|member| (member, Origin::EnvironmentDefault));
        for (member, origin) in own.chain(defaults) {
            given.add(&member.name, member.node.value(), origin);
        }
    }

    /// Tells of texts that read otherwise elsewhere.
    pub fn lint(&self, template: &Template, faults: &Faults) {
        for member in self.parameters.iter().chain(&self.defaults) {
            let parameter = template.parameter(&member.name);
            // A hidden one is not repeated.
            if parameter.is_some_and(|parameter| parameter.kind == Type::Text && !parameter.hidden) {
                lint_text(&member.node, &format!("parameters.{}", member.name), faults);
            }
        }
    }

    /// The type that stands for this one.
    pub fn kind(&self, name: &str) -> String {
        for (from, to) in &self.types {
            match (from.strip_suffix('*'), to.strip_suffix('*')) {
                (None, _) if from == name => return to.clone(),
                (Some(begin), Some(new)) => {
                    if let Some(rest) = name.strip_prefix(begin) {
                        return format!("{new}{rest}");
                    }
                }
                (Some(begin), None) if name.starts_with(begin) => return to.clone(),
                _ => {}
            }
        }
        name.to_owned()
    }

    /// Types and what stands for them, for a record of the stack.
    pub fn types(&self) -> &[(String, String)] {
        &self.types
    }

    /// One that has types alone.
    pub fn of_types(types: Vec<(String, String)>) -> Environment {
        Environment { types, ..Environment::default() }
    }

    /// The values of parameters, by their names.
    pub fn values(&self) -> impl Iterator<Item = (&str, Value)> {
        self.parameters.iter().map(|member| (member.name.as_str(), member.node.value()))
    }
}

fn types(members: &[Member], faults: &Faults) -> Vec<(String, String)> {
    let path = |member: &Member| format!("resource_registry.{}", member.name);
    let one = |member: &Member| {
        let fault = |node: &Node, words: &str| Fault::new(Kind::Schema, node.place, &path(member), words);
        match (member.name.as_str(), member.node.text()) {
            ("resources", _) => {
                faults.add(fault(&member.node, "hooks and types of single resources are not known here"));
                None
            }
            (_, Some(to)) if to.contains('/') || to.ends_with(".yaml") || to.ends_with(".template") => {
                faults.add(fault(&member.node, "templates within templates are not run here"));
                None
            }
            (from, Some(to)) if !to.is_empty() => Some((from.to_owned(), to.to_owned())),
            _ => {
                faults.add(
                    fault(&member.node, "a type stands for a type").right("OS::Nova::Server: SDC::Compute::Machine"),
                );
                None
            }
        }
    };
    members.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> (Environment, Vec<String>) {
        let (mut environment, faults) = (Environment::default(), Faults::default());
        texts.iter().for_each(|text| environment.add(text.as_bytes(), &faults));
        (environment, faults.faults().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn of_several_files_the_last_counts_and_parameters_are_stronger_than_defaults() {
        let (environment, faults) = read(&[
            "parameters: {a: 1, b: one}\nparameter_defaults: {c: 1}\n",
            "parameters: {a: 2}\nparameter_defaults: {b: 9, c: 2}\n",
        ]);
        assert!(faults.is_empty(), "{faults:?}");
        let mut given = Given::default();
        given.add("b", Value::from("typed"), Origin::Given);
        environment.give(&mut given);
        let shown = |name| given.get(name).map(|(value, origin)| format!("{value} {origin:?}"));
        assert_eq!(shown("a").unwrap(), "2 Environment");
        assert_eq!(shown("b").unwrap(), "\"typed\" Given");
        assert_eq!(shown("c").unwrap(), "2 EnvironmentDefault");
    }

    #[test]
    fn a_type_stands_for_another_one_by_its_name_or_its_beginning() {
        let registry =
            "resource_registry:\n  OS::Nova::Server: SDC::Compute::Machine\n  OS::Net*: SDC::Network*\n  Old*: New\n";
        let (environment, faults) = read(&[registry]);
        assert!(faults.is_empty(), "{faults:?}");
        for (from, to) in [
            ("OS::Nova::Server", "SDC::Compute::Machine"),
            ("OS::Net::Network", "SDC::Network::Network"),
            ("OldOne", "New"),
            ("OS::Nova::Other", "OS::Nova::Other"),
        ] {
            assert_eq!(environment.kind(from), to);
        }
    }

    #[test]
    fn what_is_not_known_here_is_refused_by_its_name() {
        for (text, words) in [
            ("event_sinks: []\n", "1:1: the section event_sinks is not known here"),
            ("parmeters: {}\n", "1:1: unknown section parmeters (did you mean parameters?)"),
            ("parameters:\n", "1:11: the section parameters is a map, not nothing (leave it out if it is empty)"),
            (
                "resource_registry: {My::Type: my.yaml}\n",
                "1:31: resource_registry.My::Type: templates within templates are not run here",
            ),
            (
                "resource_registry: {resources: {a: {hooks: pre-create}}}\n",
                "1:32: resource_registry.resources: hooks and types of single resources are not known here",
            ),
        ] {
            assert_eq!(read(&[text]).1, [words], "{text}");
        }
    }
}
