//! Pools of networks.

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::fields::{Fields, begins, check_match, duplicate, fits, tagged};
use crate::emulator::datacenter::state::{Network, Pool, State, is_external, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/network_pools", &["ListNetworkPools"], list),
    route("POST", "/network_pools", &["CreateNetworkPool"], create),
    route("GET", "/network_pools/:uuid", &["GetNetworkPool"], get),
    route("PUT", "/network_pools/:uuid", &["UpdateNetworkPool"], update),
    route("DELETE", "/network_pools/:uuid", &["DeleteNetworkPool"], delete),
];

/// No pool has more networks.
const MAX: usize = 64;

/// The tags of the networks of a pool, each once.
fn tags<'a>(state: &'a State, pool: &Pool) -> Vec<&'a str> {
    let mut tags: Vec<&str> =
        state.networks.iter().filter(|one| pool.networks.contains(&one.id)).map(Network::tag).collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

fn view(state: &State, pool: &Pool) -> Value {
    let mut networks = pool.networks.clone();
    networks.sort();
    let tags = tags(state, pool);
    let mut view = Map::new();
    view.insert("family".to_owned(), "ipv4".into());
    view.insert("uuid".to_owned(), pool.id.clone().into());
    view.insert("name".to_owned(), pool.name.clone().into());
    if !pool.description.is_empty() {
        view.insert("description".to_owned(), pool.description.clone().into());
    }
    view.insert("networks".to_owned(), json!(networks));
    if let Some(first) = tags.first() {
        view.insert("nic_tag".to_owned(), (*first).into());
    }
    view.insert("nic_tags_present".to_owned(), json!(tags));
    if !pool.owners.is_empty() {
        view.insert("owner_uuids".to_owned(), json!(pool.owners));
    }
    Value::Object(view)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let (mut fields, page) = Fields::of_list(call, &["name", "family", "networks", "provisionable_by", "uuid"]);
    let (names, networks) = (fields.list("name"), fields.uuids("networks"));
    let (by, prefix) = (fields.uuid("provisionable_by"), fields.prefix("uuid"));
    let family = fields.one_of("family", &["ipv4", "ipv6"]);
    fields.check()?;
    let state = &*call.state;
    let passes = |pool: &&Pool| {
        super::fields::among(names.as_ref(), &pool.name)
            && begins(prefix.as_ref(), &pool.id)
            && fits(family.as_ref(), "ipv4")
            && networks.as_ref().is_none_or(|wanted| wanted.iter().all(|one| pool.networks.contains(one)))
            && by.as_deref().is_none_or(|by| state.may_use(pool, by))
    };
    Ok(page.of(state.pools.iter().filter(passes).map(|pool| view(state, pool))))
}

fn find<'a>(call: &'a Call<'_>) -> Result<&'a Pool, Refusal> {
    call.state.pool(&call.part("uuid")).ok_or_else(|| missing("network pool not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.query);
    let by = fields.uuid("provisionable_by");
    fields.check()?;
    let pool = find(call)?;
    if by.is_some_and(|by| !call.state.may_use(pool, &by)) {
        return Err(Refusal::new(403, "NotAuthorized", "owner cannot provision on network pool"));
    }
    tagged(call, &view(call.state, pool))
}

/// The networks of a request: from one to 64, all there, none of others than the pool's owners.
fn networks(fields: &mut Fields<'_>, state: &State, owners: &[String]) -> Option<Vec<String>> {
    let list = fields.uuids("networks")?;
    if list.is_empty() {
        fields.wrong("networks", "network pool must contain at least one network");
        return None;
    }
    if list.len() > MAX {
        fields.wrong("networks", format!("maximum {MAX} networks per network pool"));
        return None;
    }
    let of = |id: &String| state.networks.iter().find(|network| network.id == *id);
    let unknown: Vec<String> = list.iter().filter(|id| of(id).is_none()).cloned().collect();
    if !unknown.is_empty() {
        let words = if unknown.len() > 1 { "unknown networks" } else { "unknown network" };
        fields.wrong_ones("networks", words, &unknown);
        return None;
    }
    check_owners(fields, state, &list, owners);
    Some(list)
}

/// Notes networks that none of the pool's owners may use.
fn check_owners(fields: &mut Fields<'_>, state: &State, networks: &[String], owners: &[String]) {
    let foreign = |network: &&Network| {
        let own = network.owner_uuids();
        networks.contains(&network.id)
            && !own.is_empty()
            && !owners.is_empty()
            && !owners.iter().any(|owner| own.contains(&owner.as_str()))
    };
    let foreign: Vec<String> = state.networks.iter().filter(foreign).map(|network| network.id.clone()).collect();
    if !foreign.is_empty() {
        fields.wrong_ones("networks", "network owner_uuids do not match the owner_uuids of the pool", &foreign);
    }
}

fn is_public(state: &State, pool: &Pool) -> bool {
    pool.name.eq_ignore_ascii_case("external") || tags(state, pool).into_iter().any(is_external)
}

fn create(call: &mut Call<'_>) -> Outcome {
    let mut fields = Fields::of(&call.params);
    fields.require(&["name", "networks"]);
    let (uuid, name, description) = (fields.uuid("uuid"), fields.text("name"), fields.text("description"));
    let owners = fields.uuids("owner_uuids").unwrap_or_default();
    let networks = networks(&mut fields, call.state, &owners);
    fields.check()?;
    let mut pool = Pool {
        id: uuid.unwrap_or_else(new_id),
        name: name.unwrap_or_default(),
        description: description.unwrap_or_default(),
        networks: networks.unwrap_or_default(),
        owners,
        public: false,
    };
    if call.state.pool(&pool.id).is_some() {
        return Err(duplicate("Invalid parameters", "uuid"));
    }
    pool.public = is_public(call.state, &pool);
    let shown = view(call.state, &pool);
    call.state.pools.push(pool);
    tagged(call, &shown)
}

fn update(call: &mut Call<'_>) -> Outcome {
    let mut pool = find(call)?.clone();
    check_match(call, &view(call.state, &pool))?;
    let mut given = call.params.clone();
    given.remove("uuid");
    let mut fields = Fields::of(&given);
    pool.name = fields.text("name").unwrap_or(pool.name);
    pool.description = fields.text("description").unwrap_or(pool.description);
    // Null is no value like others here: it takes the restriction away.
    match given.get("owner_uuids") {
        Some(Value::Null) => pool.owners.clear(),
        _ => pool.owners = fields.uuids("owner_uuids").unwrap_or(pool.owners),
    }
    match networks(&mut fields, call.state, &pool.owners) {
        Some(networks) => {
            pool.networks = networks;
            pool.public = is_public(call.state, &pool);
        }
        None => check_owners(&mut fields, call.state, &pool.networks, &pool.owners),
    }
    fields.check()?;
    let shown = view(call.state, &pool);
    if let Some(slot) = call.state.pools.iter_mut().find(|other| other.id == pool.id) {
        *slot = pool;
    }
    tagged(call, &shown)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    let pool = find(call)?;
    check_match(call, &view(call.state, pool))?;
    let id = pool.id.clone();
    call.state.pools.retain(|pool| pool.id != id);
    Ok(Reply::empty(204))
}
