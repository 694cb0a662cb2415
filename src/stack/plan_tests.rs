//! Plans of a small stack: what is done with each resource, and in which order.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;
use crate::stack::state::tests::empty;
use crate::stack::template::parameter::{Given, Origin, Pseudo};

const TEMPLATE: &str = r#"
heat_template_version: 2021-04-16
parameters:
  size: {type: string, default: g1-small}
  greeting: {type: string, default: hello}
  password: {type: string, hidden: true, default: s3cret}
  extra: {type: boolean, default: false}
conditions: {extra: {get_param: extra}}
resources:
  web:
    type: SDC::Compute::Machine
    properties:
      image: base-64@22.4.0
      package: {get_param: size}
      networks: [{get_resource: net}]
      metadata: {greeting: {get_param: greeting}, password: {get_param: password}}
  net:
    type: SDC::Network::Fabric
    properties: {vlan: 7, subnet: 10.7.0.0/24, provision_start: 10.7.0.10, provision_end: 10.7.0.99}
  key: {type: SDC::Access::Key, condition: extra, properties: {key: ssh-ed25519 AAAA}}
outputs:
  ip: {value: {get_attr: [web, network_ip]}}
  password: {value: {get_param: password}}
"#;

fn planned(text: &str, given: &[(&str, Value)], state: Option<&State>) -> Plan {
    let faults = Faults::default();
    let template = Template::read(text.as_bytes(), &faults).unwrap();
    let mut all = Given::default();
    given.iter().for_each(|(name, value)| all.add(*name, value.clone(), Origin::Given));
    let values = template.bind(&all, &Pseudo::default(), false, &faults);
    let plan = plan(&template, &Environment::default(), &values, &BTreeMap::new(), state, &faults);
    assert!(faults.is_empty(), "{:?}", faults.faults());
    plan
}

/// A state in which everything is as this plan was to make it.
fn carried_out(plan: &Plan) -> State {
    let mut state = empty("demo");
    for step in plan.changes() {
        let wanted = step.wanted.as_ref().unwrap();
        let id = format!("id-of-{}", step.name);
        let known = |data: &Data| if data.is_known() { data.clone() } else { Data::Open(json!(["id-of-net"])) };
        let properties =
            wanted.properties.iter().filter_map(|(name, data)| Some(((*name).to_owned(), state.keep(&known(data))?)));
        let properties = properties.collect();
        let attributes = Map::from_iter([("network_ip".to_owned(), json!("10.7.0.10"))]);
        let mut made = Made::new(&step.kind, "");
        (made.id, made.status) = (Some(id), Status::Complete);
        (made.properties, made.attributes, made.needs) = (properties, attributes, step.needs.clone());
        state.resources.insert(step.name.clone(), made);
    }
    state
}

/// Each step with its sign, and the changes of those that exist.
fn shown(plan: &Plan) -> Vec<String> {
    let change = |change: &Change| format!("{}: {} -> {}", change.property, change.old, change.new);
    let line = |step: &Step| {
        let changes: Vec<String> = match step.action {
            Action::Create => Vec::new(),
            _ => step.changes.iter().map(change).collect(),
        };
        format!("{} {} {}", step.action.sign(), step.name, changes.join("; ")).trim_end().to_owned()
    };
    plan.steps.iter().map(line).collect()
}

#[test]
fn a_new_stack_is_made_in_the_order_of_its_needs() {
    let plan = planned(TEMPLATE, &[], None);
    assert_eq!(shown(&plan), ["+ net", "+ web"]);
    assert_eq!(plan.outputs, [("ip".to_owned(), json!(UNKNOWN)), ("password".to_owned(), json!(HIDDEN))]);
    let web: Map<String, Value> =
        plan.steps[1].changes.iter().map(|change| (change.property.clone(), change.new.clone())).collect();
    assert_eq!(
        Value::Object(web),
        json!({
            "image": "base-64@22.4.0",
            "package": "g1-small",
            "networks": [UNKNOWN],
            "metadata": {"greeting": "hello", "password": HIDDEN},
        })
    );
}

#[test]
fn a_stack_that_is_as_its_template_says_needs_nothing() {
    let state = carried_out(&planned(TEMPLATE, &[], None));
    let plan = planned(TEMPLATE, &[], Some(&state));
    assert_eq!(shown(&plan), ["  net", "  web"]);
    assert!(plan.is_empty());
    assert_eq!(plan.outputs[0], ("ip".to_owned(), json!("10.7.0.10")));
    // Nothing of the hidden value is kept.
    assert!(!state.to_json().unwrap().contains("s3cret"));
    let read = State::parse(state.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(read, state);
}

#[test]
fn what_differs_is_changed_in_place_or_replaced_and_hidden_values_are_masked() {
    let state = carried_out(&planned(TEMPLATE, &[], None));
    let plan = planned(TEMPLATE, &[("greeting", json!("bye"))], Some(&state));
    assert_eq!(shown(&plan), ["  net", "~ web metadata: \"(hidden)\" -> \"(hidden)\""]);
    let plan = planned(TEMPLATE, &[("password", json!("n3w"))], Some(&state));
    assert_eq!(shown(&plan), ["  net", "~ web metadata: \"(hidden)\" -> \"(hidden)\""]);
    let plan = planned(TEMPLATE, &[("size", json!("g1-medium"))], Some(&state));
    assert_eq!(shown(&plan), ["  net", "-/+ web package: \"g1-small\" -> \"g1-medium\""]);
    // A machine on a network that is replaced is on another one then.
    let plan = planned(&TEMPLATE.replace("10.7.0", "10.8.0"), &[], Some(&state));
    let lines = shown(&plan);
    assert!(lines[0].starts_with("-/+ net subnet: \"10.7.0.0/24\" -> \"10.8.0.0/24\"; "), "{lines:?}");
    assert_eq!(lines[1], "-/+ web networks: [\"id-of-net\"] -> [\"(known after create)\"]");
}

#[test]
fn what_leaves_the_template_is_deleted_before_what_it_needs_and_a_condition_adds_and_removes() {
    let state = carried_out(&planned(TEMPLATE, &[("extra", json!(true))], None));
    assert_eq!(shown(&planned(TEMPLATE, &[], Some(&state))), ["  net", "  web", "- key"]);
    assert_eq!(shown(&planned(TEMPLATE, &[("extra", json!(true))], Some(&state))), ["  net", "  web", "  key"]);
    let empty = "heat_template_version: 2021-04-16\n";
    assert_eq!(shown(&planned(empty, &[], Some(&state))), ["- web", "- net", "- key"]);
    let mut state = state;
    state.resources.get_mut("net").unwrap().retain = true;
    assert_eq!(shown(&delete(&state)), ["- web", "= net", "- key"]);
}

#[test]
fn what_did_not_end_is_gone_on_with_and_what_failed_is_looked_at() {
    let mut state = carried_out(&planned(TEMPLATE, &[], None));
    let net = state.resources.get_mut("net").unwrap();
    (net.status, net.mark) = (Status::InProgress, Some("net-0a0b".to_owned()));
    let web = state.resources.get_mut("web").unwrap();
    (web.status, web.reason) = (Status::Failed, "no server has room".to_owned());
    let plan = planned(TEMPLATE, &[], Some(&state));
    let actions: Vec<Action> = plan.steps.iter().map(|step| step.action).collect();
    // The network is expected to stay, and so the machine is not on another one.
    assert_eq!(actions, [Action::Continue, Action::Repair]);
    assert_eq!(plan.steps[1].action, Action::Repair);
    assert_eq!(plan.steps[1].reason.as_deref(), Some("CREATE_FAILED: no server has room"));
}

#[test]
fn a_state_of_another_form_or_a_damaged_one_is_refused() {
    for (text, words) in [
        ("{", "the state of the stack is damaged"),
        ("{}", "this is not the state of a stack: it has no format"),
        (r#"{"format": 2}"#, "the state of the stack is of the form 2, and this sdc knows 1"),
        (r#"{"format": 1}"#, "the state of the stack is damaged"),
    ] {
        assert_eq!(State::parse(text.as_bytes()).unwrap_err().message(), words, "{text}");
    }
}

#[test]
fn what_another_version_keeps_survives() {
    let state = carried_out(&planned(TEMPLATE, &[], None));
    let mut value: Value = serde_json::from_str(&state.to_json().unwrap()).unwrap();
    value["later"] = json!([1]);
    value["resources"]["web"]["later"] = json!({"a": 1});
    let read = State::parse(value.to_string().as_bytes()).unwrap();
    let written: Value = serde_json::from_str(&read.to_json().unwrap()).unwrap();
    assert_eq!(written, value);
}
