//! Interfaces of a server that are used as one.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::fields::{self, Fields, among, check_match, duplicate, tagged};
use super::nic_tags::check_tags;
use super::nics::server_of;
use crate::emulator::datacenter::state::{Aggregation, State};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/aggregations", &["ListAggregations"], list),
    route("POST", "/aggregations", &["CreateAggregation"], create),
    route("GET", "/aggregations/:id", &["GetAggregation"], get),
    route("PUT", "/aggregations/:id", &["UpdateAggregation"], update),
    route("DELETE", "/aggregations/:id", &["DeleteAggregation"], delete),
];

/// No aggregation has more interfaces.
const MAX: usize = 16;
const MODES: &[&str] = &["off", "active", "passive"];

impl Aggregation {
    fn id(&self) -> String {
        format!("{}-{}", self.belongs_to_uuid, self.name)
    }
}

fn view(one: &Aggregation) -> Value {
    let mut view = Map::new();
    view.insert("belongs_to_uuid".to_owned(), one.belongs_to_uuid.clone().into());
    view.insert("id".to_owned(), one.id().into());
    view.insert("lacp_mode".to_owned(), one.lacp_mode.clone().into());
    view.insert("name".to_owned(), one.name.clone().into());
    view.insert("macs".to_owned(), json!(one.macs));
    if !one.nic_tags_provided.is_empty() {
        view.insert("nic_tags_provided".to_owned(), json!(one.nic_tags_provided));
    }
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let (mut fields, page) = Fields::of_list(call, &["belongs_to_uuid", "macs", "nic_tags_provided"]);
    let servers = fields.uuids("belongs_to_uuid");
    let macs = fields.list("macs").map(|list| list.iter().map(|one| fields::mac(one).unwrap_or_default()).collect());
    let macs: Option<Vec<String>> = macs;
    if macs.iter().flatten().any(String::is_empty) {
        fields.wrong("macs", "invalid MAC address");
    }
    let tags = fields.list("nic_tags_provided");
    fields.check()?;
    let any = |wanted: Option<&Vec<String>>, has: &[String]| {
        wanted.is_none_or(|wanted| has.iter().any(|one| wanted.contains(one)))
    };
    let rows = call.state.operators.aggregations.iter().filter(|one| {
        among(servers.as_ref(), &one.belongs_to_uuid)
            && any(macs.as_ref(), &one.macs)
            && any(tags.as_ref(), &one.nic_tags_provided)
    });
    Ok(page.of(rows.map(view)))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Aggregation, Refusal> {
    let id = call.part("id");
    let found = call.state.operators.aggregations.iter().find(|one| one.id() == id);
    found.ok_or_else(|| missing("aggregation not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    tagged(call, &view(find(call)?))
}

/// The interfaces of a request, and the one server that all of them are of.
fn macs(fields: &mut Fields<'_>, state: &State) -> Option<(Vec<String>, String)> {
    let list = fields.list("macs")?;
    let read: Vec<Option<String>> = list.iter().map(|one| fields::mac(one)).collect();
    let invalid: Vec<String> =
        list.iter().zip(&read).filter(|(_, mac)| mac.is_none()).map(|(text, _)| text.clone()).collect();
    let macs: Vec<String> = read.into_iter().flatten().collect();
    let unknown: Vec<String> = macs.iter().filter(|mac| state.nic(mac).is_none()).cloned().collect();
    let servers: Vec<Option<String>> = macs.iter().map(|mac| server_of(state, mac)).collect();
    match servers.first() {
        _ if !invalid.is_empty() => fields.wrong_ones("macs", "invalid MAC address", &invalid),
        None => fields.wrong("macs", "must not be empty"),
        _ if macs.len() > MAX => fields.wrong("macs", format!("maximum {MAX} nics per aggregation")),
        _ if !unknown.is_empty() => {
            fields.wrong_ones("macs", if unknown.len() > 1 { "unknown nics" } else { "unknown nic" }, &unknown);
        }
        Some(Some(server)) if servers.iter().all(|other| other.as_ref() == Some(server)) => {
            return Some((macs, server.clone()));
        }
        Some(_) => fields.wrong("macs", "nics must all belong to the same server"),
    }
    None
}

fn mode(fields: &mut Fields<'_>) -> Option<String> {
    let mode = fields.text("lacp_mode")?;
    if MODES.contains(&mode.as_str()) {
        return Some(mode);
    }
    fields.wrong("lacp_mode", format!("Invalid LACP mode. Supported modes: {}", MODES.join(", ")));
    None
}

fn create(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.params);
    fields.require(&["name", "macs"]);
    let name = fields.text("name");
    if name.as_deref().is_some_and(|name| !name.ends_with(|last: char| last.is_ascii_digit())) {
        fields.wrong("name", "name must end in a number");
    }
    let mode = mode(&mut fields);
    let tags = check_tags(&mut fields, "nic_tags_provided", call.state);
    let macs = macs(&mut fields, call.state);
    fields.check()?;
    let (macs, server) = macs.unwrap_or_default();
    let made = Aggregation {
        name: name.unwrap_or_default(),
        belongs_to_uuid: server,
        lacp_mode: mode.unwrap_or_else(|| "off".to_owned()),
        macs,
        nic_tags_provided: tags.unwrap_or_default(),
    };
    if call.state.operators.aggregations.iter().any(|other| other.id() == made.id()) {
        return Err(duplicate("Invalid parameters", "name"));
    }
    let shown = view(&made);
    call.state.operators.aggregations.push(made);
    tagged(call, &shown)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let mut made = find(call)?.clone();
    check_match(call, &view(&made))?;
    let mut fields = Fields::of(&call.params);
    made.lacp_mode = mode(&mut fields).unwrap_or(made.lacp_mode);
    made.nic_tags_provided = check_tags(&mut fields, "nic_tags_provided", call.state).unwrap_or(made.nic_tags_provided);
    if let Some((macs, server)) = macs(&mut fields, call.state) {
        if server != made.belongs_to_uuid {
            fields.wrong("macs", "nics must all belong to the same server");
        }
        made.macs = macs;
    }
    fields.check()?;
    let shown = view(&made);
    if let Some(slot) = call.state.operators.aggregations.iter_mut().find(|other| other.id() == made.id()) {
        *slot = made;
    }
    tagged(call, &shown)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let one = find(call)?;
    check_match(call, &view(one))?;
    let id = one.id();
    call.state.operators.aggregations.retain(|other| other.id() != id);
    Ok(Reply::empty(204))
}
