//! Where machines are put: the compute nodes of this cloud, and the rules that choose among them.

use serde_json::{Map, Value};

use regex_bites::Regex;

use super::denied::Denied;
use super::state::{State, Vm, is_uuid};
use crate::emulator::datacenter::state::Work;
use crate::emulator::js;
use crate::emulator::text::{self, glob};

/// Compute nodes, dealt out in turn.
pub(crate) const NODES: [&str; 3] = [
    "44454c4c-3200-1042-8050-b6c04f4e3232",
    "44454c4c-4700-1034-8039-b2c04f4e3732",
    "44454c4c-5900-1051-8031-c4c04f594d32",
];

/// How much memory a compute node has, in MiB.
pub(crate) const NODE_RAM: u64 = 524_288;

/// `instance!=web*`, `role==~db`: with which machines to share a node, or not to.
#[derive(Debug)]
pub(crate) struct Rule {
    key: String,
    /// On a node that has one, rather than on one that has none.
    near: bool,
    /// A wish, not a condition.
    soft: bool,
    value: Form,
}

/// How the value of a rule is compared.
#[derive(Debug)]
enum Form {
    Exact(String),
    Glob(String),
    Regex(Regex),
}

impl Form {
    fn fits(&self, text: &str) -> bool {
        match self {
            Form::Exact(value) => value == text,
            Form::Glob(pattern) => glob(pattern, text),
            Form::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Rule {
    /// Reads a rule: a key, an operator, a value. The first `==` counts before any `!=`.
    pub(crate) fn read(rule: &str) -> Result<Rule, Denied> {
        let shown = js::quoted(rule);
        let none = || {
            let words = "could not find operator in affinity rule: expected one of \"==\", \"!=\"";
            Denied::Argument(format!("{words}: {shown}"))
        };
        let at = rule.find("==").or_else(|| rule.find("!=")).ok_or_else(none)?;
        let (key, value) = rule.split_at_checked(at).ok_or_else(none)?;
        let near = value.starts_with("==");
        let value = value.get(2..).unwrap_or("");
        let (soft, value) = value.strip_prefix('~').map_or((false, value), |value| (true, value));
        let key_fits = key.len() > 1
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let fits = |c: char| c.is_ascii_alphanumeric() || c.is_whitespace() || "-:_.*/()?+[]\\^$|".contains(c);
        let unfit = |what: &str, part: &str, pattern: &str| {
            let part = js::quoted(part);
            Denied::Argument(format!("invalid {what} in affinity rule: {shown}: {part} does not match {pattern}"))
        };
        if !key_fits {
            return Err(unfit("key", key, r"/^[a-z_][a-z0-9\-_.]+$/i"));
        }
        if value.is_empty() || !value.chars().all(fits) {
            return Err(unfit("value", value, r"/^[-a-z0-9:_\s.*\/()?+[\]\\^$|]+$/i"));
        }
        let regex = value.strip_prefix('/').and_then(|value| value.strip_suffix('/')).filter(|regex| !regex.is_empty());
        let value = match regex {
            Some(regex) => {
                let wrong = || Denied::Argument(format!("Invalid regular expression: /{regex}/"));
                Form::Regex(text::regex(regex, false).map_err(|_| wrong())?)
            }
            None if value.contains('*') => Form::Glob(value.to_owned()),
            None => Form::Exact(value.to_owned()),
        };
        Ok(Rule { key: key.to_owned(), near, soft, value })
    }

    fn fits(&self, machine: &Vm) -> bool {
        match self.key.as_str() {
            "instance" | "container" => self.value.fits(&machine.alias) || self.value.fits(&machine.uuid),
            tag => machine.tags.get(tag).and_then(text::text).is_some_and(|value| self.value.fits(&value)),
        }
    }
}

/// The rules that are asked for, in their new form or their old one.
pub(crate) fn rules(params: &Map<String, Value>) -> Result<Vec<Rule>, Denied> {
    let given = |name: &str| params.get(name).filter(|value| !value.is_null());
    let Some(affinity) = given("affinity") else {
        return given("locality").map_or(Ok(Vec::new()), locality);
    };
    if given("locality").is_some() {
        return Err(Denied::Argument("cannot specify both \"locality\" (deprecated) and \"affinity\"".to_owned()));
    }
    let rules = affinity.as_array().map_or(std::slice::from_ref(affinity), Vec::as_slice);
    rules
        .iter()
        .map(|rule| match rule {
            Value::String(rule) => Rule::read(rule),
            _ => Err(Denied::Argument("affinity must be a list of strings".to_owned())),
        })
        .collect()
}

/// `{strict?, near?, far?}`, with ids of machines.
fn locality(given: &Value) -> Result<Vec<Rule>, Denied> {
    let Value::Object(given) = given else { return Err(Denied::Argument("locality must be an object".to_owned())) };
    let soft = match given.get("strict") {
        None => true,
        Some(Value::Bool(strict)) => !strict,
        Some(_) => return Err(Denied::Argument("locality: strict must be a boolean".to_owned())),
    };
    let mut rules = Vec::new();
    for (name, near) in [("near", true), ("far", false)] {
        let Some(ids) = given.get(name) else { continue };
        for id in ids.as_array().map_or(std::slice::from_ref(ids), Vec::as_slice) {
            let Some(id) = id.as_str().filter(|id| is_uuid(id)) else {
                return Err(Denied::Argument(format!("locality: {name} must hold ids of machines")));
            };
            rules.push(Rule { key: "instance".to_owned(), near, soft, value: Form::Exact(id.to_owned()) });
        }
    }
    Ok(rules)
}

/// The node for one more machine of this account, if there is one that satisfies every rule that
/// is more than a wish.
pub(crate) fn place(state: &State, account: &str, rules: &[Rule]) -> Result<String, Denied> {
    let mut nodes: Vec<&str> = NODES.into_iter().filter(|node| !state.is_lost(node)).collect();
    if nodes.is_empty() {
        return Err(Denied::NoServer);
    }
    let mine = || {
        let alive = |machine: &&Vm| machine.owner_uuid == account && machine.is_active();
        state.vms.iter().filter(alive)
    };
    // A machine has its node only once it is running, but that is chosen before.
    let node_of = |machine: &Vm| -> Option<String> {
        if !machine.server_uuid.is_empty() {
            return Some(machine.server_uuid.clone());
        }
        state.jobs.iter().find_map(|job| match &job.work {
            Work::Provision { compute_node, .. } if job.vm_uuid == machine.uuid => Some(compute_node.clone()),
            _ => None,
        })
    };
    let (soft, strict): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| rule.soft);
    for rule in strict.into_iter().chain(soft) {
        let having: Vec<String> = mine().filter(|machine| rule.fits(machine)).filter_map(node_of).collect();
        let left: Vec<&str> =
            nodes.iter().copied().filter(|node| having.iter().any(|other| other == node) == rule.near).collect();
        if !left.is_empty() {
            nodes = left;
        } else if !rule.soft {
            return Err(Denied::NoServer);
        }
    }
    let turn = state.vms.len().checked_rem(nodes.len()).unwrap_or(0);
    Ok(nodes.get(turn).copied().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_affinity_rule_is_a_key_an_operator_and_a_value() {
        for rule in ["instance==web0", "instance!=~web*", "role==/^db/", "container!=x y"] {
            assert!(Rule::read(rule).is_ok(), "{rule}");
        }
        for rule in ["", "web0", "x==y", "instance==", "9x==a", "role==~", "role=db", "role==a;b", "role==/(/"] {
            assert!(Rule::read(rule).is_err(), "{rule}");
        }
    }
}
