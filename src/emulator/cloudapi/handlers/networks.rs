//! Networks: what is shown of them, and how a machine asks for one.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route};
use crate::emulator::datacenter::state::Pool;
use crate::emulator::datacenter::state::{Network, is_uuid};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::js;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/networks", "ListNetworks", "networks", list),
    Route::head("/:login/networks", "HeadNetworks", "networks", list),
    Route::get("/:login/networks/:network", "GetNetwork", "networks", get),
    Route::head("/:login/networks/:network", "HeadNetwork", "networks", get),
];

/// As the API shows a network.
pub(crate) fn view(network: &Network) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("id".to_owned(), network.id.clone().into());
    view.insert("name".to_owned(), network.name.clone().into());
    view.insert("public".to_owned(), network.public.into());
    if !network.description.is_empty() {
        view.insert("description".to_owned(), network.description.clone().into());
    }
    if network.fabric {
        let more = json!({
            "fabric": true,
            "vlan_id": network.vlan_id,
            "subnet": network.subnet,
            "provision_start_ip": network.provision_start_ip,
            "provision_end_ip": network.provision_end_ip,
            "gateway": network.gateway,
            "resolvers": network.resolvers,
            "routes": network.routes,
            "internet_nat": network.internet_nat,
        });
        if let Value::Object(more) = more {
            view.extend(more);
        }
        if network.gateway.is_empty() {
            view.remove("gateway");
        }
        if network.routes.is_empty() {
            view.remove("routes");
        }
    }
    view
}

fn view_pool(pool: &Pool) -> Map<String, Value> {
    let mut view = Map::new();
    view.insert("id".to_owned(), pool.id.clone().into());
    view.insert("name".to_owned(), pool.name.clone().into());
    view.insert("public".to_owned(), pool.public.into());
    if !pool.description.is_empty() {
        view.insert("description".to_owned(), pool.description.clone().into());
    }
    view
}

/// With the domains in which machines of that network have names, if the account has names.
fn with_suffixes(call: &Call<'_>, mut view: Map<String, Value>) -> Result<Value, Refusal> {
    let account = call.account()?;
    if account.cns {
        let domain = format!("{}.{}.cns.example.com", account.id, call.state.datacenter);
        view.insert("suffixes".to_owned(), json!([format!("inst.{domain}"), format!("svc.{domain}")]));
    }
    Ok(Value::Object(view))
}

/// Whether only the account's own fabric networks are asked for. Any word does, `false` too.
fn fabric_only(call: &Call<'_>) -> bool {
    call.text("fabric").is_some()
}

/// Whether only operators are shown it, whoever they are.
fn is_admin(name: &str, tag: &str) -> bool {
    [name, tag].contains(&"admin")
}

/// The pools that the account is shown.
pub(crate) fn pools<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Pool> {
    let networks = |pool: &'a Pool| call.state.networks.iter().filter(|network| pool.networks.contains(&network.id));
    let shown = move |pool: &&'a Pool| !is_admin(&pool.name, "") && !networks(pool).any(|one| one.tag() == "admin");
    call.state.pools.iter().filter(|pool| pool.visible(&call.account)).filter(shown)
}

/// The networks that the account is shown, without the members of its pools.
pub(crate) fn shown<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Network> {
    let pooled = |network: &Network| pools(call).any(|pool| pool.networks.contains(&network.id));
    let own = call.state.networks.iter().filter(|network| network.visible(&call.account));
    own.filter(move |network| !pooled(network) && !is_admin(&network.name, network.tag()))
}

/// The pool of this id, if the account is shown it.
pub(crate) fn pool<'a>(call: &'a Call<'_>, id: &str) -> Option<&'a Pool> {
    pools(call).find(|pool| pool.id == id)
}

fn list(call: &mut Call<'_>) -> Outcome {
    let fabric = fabric_only(call);
    let pools = pools(call).filter(|_| !fabric).map(view_pool);
    let networks = shown(call).filter(|network| network.fabric || !fabric).map(view);
    let rows = pools.chain(networks).map(|view| with_suffixes(call, view));
    Ok(Reply::json(&rows.collect::<Result<_, _>>()?))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let id = call.required("network")?;
    let fabric = fabric_only(call);
    let network = shown(call).find(|network| network.id == id && (network.fabric || !fabric)).map(view);
    let pool = pool(call, &id).filter(|_| !fabric).map(view_pool);
    match network.or(pool) {
        Some(view) => Ok(Reply::json(&with_suffixes(call, view)?)),
        None => Err(Refusal::unknown(&id)),
    }
}

/// Whether a network or pool is reached from the outside.
pub(crate) fn is_public(call: &Call<'_>, id: &str) -> bool {
    pool(call, id).map_or_else(|| shown(call).any(|n| n.id == id && n.public), |pool| pool.public)
}

/// The refusal of a network that the account cannot use.
const UNKNOWN: &str = "Invalid Networks";

/// Whether a refusal says that a network cannot be used.
pub(crate) fn is_unknown(refusal: &Refusal) -> bool {
    refusal.status == 409 && refusal.body.get("message").and_then(Value::as_str) == Some(UNKNOWN)
}

/// The network that a machine asks for, by its id or by an object, and the address on it if one is asked for.
pub(crate) fn wanted(call: &Call<'_>, entry: &Value) -> Result<(String, Option<Ipv4Addr>), Refusal> {
    let invalid = Refusal::invalid;
    let id = match entry {
        Value::String(id) if is_uuid(id) => id,
        Value::Object(object) => match object.get("ipv4_uuid").filter(|id| !js::falsy(id)) {
            Some(Value::String(id)) if is_uuid(id) => id,
            Some(Value::String(id)) => return Err(invalid(format!("ipv4_uuid: {id} is not a uuid"))),
            Some(_) => return Err(invalid("ipv4_uuid must be a string".to_owned())),
            None => return Err(Refusal::lacking("network objects must contain ipv4_uuid")),
        },
        // A slip of the real server's, which asserts here.
        _ => return Err(Refusal::without_code(UNKNOWN)),
    };
    let count = entry.get("ipv4_count");
    let ips = entry.get("ipv4_ips");
    match count {
        Some(_) if ips.is_some() => {
            return Err(invalid("ipv4_count and ipv4_ips cannot be specified together".to_owned()));
        }
        Some(count) if !count.is_number() => return Err(invalid("ipv4_count must be a number".to_owned())),
        Some(count) if count.as_f64() != Some(1.0) => {
            return Err(invalid("ipv4_count can only be set to 1".to_owned()));
        }
        _ => {}
    }
    let network = shown(call).find(|network| network.id == *id);
    let pool = pool(call, id).is_some();
    let Some(ips) = ips else {
        let there = network.is_some() || pool;
        return if there { Ok((id.clone(), None)) } else { Err(invalid(UNKNOWN.to_owned())) };
    };
    let one = match ips.as_array().map(Vec::as_slice) {
        None => return Err(invalid("ipv4_ips must be an array with a single IP".to_owned())),
        Some([Value::String(one)]) => one,
        Some([_]) => return Err(invalid("ipv4_ips[0]: string expected".to_owned())),
        Some(_) => {
            let words = format!("ipv4_ips: network with ipv4_uuid {id} should contain a single IP array");
            return Err(invalid(words));
        }
    };
    if pool {
        return Err(invalid(format!("ipv4_uuid: {id} cannot specify IP on a network pool")));
    }
    let Some(network) = network else { return Err(Refusal::unknown(&format!("ipv4_uuid: network {id}"))) };
    if network.public {
        return Err(invalid(format!("ipv4_uuid: {id} cannot specify IP on a public network")));
    }
    let address = one.parse::<Ipv4Addr>().ok().filter(|ip| network.holds(*ip)).ok_or_else(|| {
        let refusal = Refusal::new(422, "InvalidParameters", "Invalid parameters");
        refusal.field("ip", "InvalidParameter", "ip is not in the network's subnet")
    })?;
    if network.managed(address) {
        return Err(invalid(format!("cannot use {address} because it is a managed IP")));
    }
    Ok((id.clone(), Some(address)))
}
