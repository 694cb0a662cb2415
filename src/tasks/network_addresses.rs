//! The addresses of networks: how many are used and free, and who has one.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::emulator::{Emulator, Options};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { admin: true, ..Options::default() }).await?;
//! # let (_, napi) = cloud.admin().iter().find(|(name, _)| name == "napi").unwrap();
//! use sdc::api::admin::NAPI;
//! use sdc::api::admin::napi::LIST_NETWORKS;
//! use sdc::request::Args;
//! use sdc::tasks::network_addresses;
//!
//! let client = sdc::Client::builder().service(&NAPI).url(format!("http://{napi}")).build()?;
//! let networks = client.call(&LIST_NETWORKS, &Args::new().set("name", "storage")).await?;
//! let usage = network_addresses::usage(&client, networks.first().unwrap()).await?;
//! assert_eq!(usage.total, 246);
//! assert_eq!(usage.used + usage.reserved + usage.free, usage.total);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::net::IpAddr;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Report;
use crate::answer::{Answer, Row};
use crate::api::admin::napi::{GET_NETWORK, LIST_IPS, LIST_NICS, NETWORK};
use crate::api::admin::{cnapi, mahi, vmapi};
use crate::api::{self, Op};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::{Arg, Args};

/// The addresses that a network gives out, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All of its range.
    pub total: u128,
    /// Those that something has.
    pub used: u128,
    /// Those that are kept from being given out.
    pub reserved: u128,
    /// The rest.
    pub free: u128,
}

/// What becomes of a network of a fabric that is made with a way out and no gateway, in a sentence for a warning: the
/// service takes the first address of its machines for the gateway's, and it can never be changed.
pub(super) fn gateway_doubt(op: &Op, args: &Args) -> Option<String> {
    let nat = op.makes().and_then(|_| op.fields.iter().find(|field| field.name == "internet_nat"))?;
    let none = match args.get(nat.name) {
        Some(Arg::Text(text)) => text == "false",
        Some(Arg::Json(raw)) => raw.get() == "false",
        None => false,
    };
    if none || args.text("gateway").is_some_and(|gateway| !gateway.is_empty()) {
        return None;
    }
    let first = args.text("provision_start_ip").map(|ip| format!(", {ip},")).unwrap_or_default();
    let value = if matches!(nat.kind, api::Kind::Flag(_)) { "" } else { "=false" };
    let none = format!("--{}{value}", nat.long_name());
    Some(format!(
        "no gateway is given: the service makes the first address of machines{first} the gateway, without which they \
         have no way out; another: --gateway IP, none: {none}"
    ))
}

/// Counts the addresses of a network, which is a row of the list of networks.
///
/// # Errors
/// The list of its addresses cannot be read, or the network does not say what its range is.
pub async fn usage(napi: &Client, network: Row<'_>) -> Result<Usage> {
    let text = |pointer: &str| network.text(pointer).unwrap_or_default();
    let end = |pointer: &str| text(pointer).parse::<IpAddr>().ok().map(number);
    let (Some(first), Some(last)) = (end("/provision_start_ip"), end("/provision_end_ip")) else {
        let words = format!("network {} does not say which addresses it gives out", text("/name"));
        return Err(Error::new(Kind::Unreachable, words));
    };
    let records = napi.call(&LIST_IPS, &Args::new().set(NETWORK.name, text("/uuid"))).await?;
    Ok(counted(first, last, &records))
}

fn counted(first: u128, last: u128, records: &Answer) -> Usage {
    let total = (last.saturating_sub(first)).saturating_add(1);
    let (mut used, mut reserved) = (0, 0);
    for record in records.rows() {
        let ip = record.text("/ip").and_then(|ip| ip.parse::<IpAddr>().ok()).map(number);
        if !ip.is_some_and(|ip| (first..=last).contains(&ip)) {
            continue;
        }
        let has = |pointer: &str| record.text(pointer).is_some_and(|text| !text.is_empty());
        let is = |pointer: &str, wanted: &str| record.text(pointer).is_some_and(|text| text == wanted);
        // The gateway and resolvers belong to something else, and are kept.
        match (has("/belongs_to_uuid") && !is("/belongs_to_type", "other"), is("/reserved", "true")) {
            (true, _) => used += 1,
            (false, true) => reserved += 1,
            (false, false) if is("/free", "true") || !has("/belongs_to_uuid") => {}
            (false, false) => used += 1,
        }
    }
    Usage { total, used, reserved, free: total.saturating_sub(used + reserved) }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The services that know who has an address; all but NAPI may be out of reach.
pub struct Services<'a> {
    /// Networks and NICs.
    pub napi: &'a Client,
    /// VMs.
    pub vmapi: Option<&'a Client>,
    /// Servers.
    pub cnapi: Option<&'a Client>,
    /// Accounts.
    pub mahi: Option<&'a Client>,
}

/// Completes a row of the search for an address: the name of the network, the NIC, the VM or server, the login of the
/// owner. What cannot be found out is reported and left out.
pub async fn holder(services: &Services<'_>, row: Row<'_>, report: &dyn Report) -> Box<RawValue> {
    let text = |pointer: &str| row.text(pointer).map(|text| text.into_owned()).filter(|text| !text.is_empty());
    let mut members: Vec<(&str, Value)> = Vec::new();
    let mut add = |name: &'static str, found: Option<String>| members.extend(found.map(|found| (name, found.into())));
    let id = |noun: &crate::api::Noun, id: &str| Args::new().set(noun.name, id);
    if let Some(network) = text("/network_uuid") {
        let found = asked(Some(services.napi), &GET_NETWORK, &id(&NETWORK, &network), report).await;
        add("network_name", found.as_ref().and_then(|found| first(found, "/name")));
        add("subnet", found.as_ref().and_then(|found| first(found, "/subnet")));
    }
    if let Some(holder) = text("/belongs_to_uuid") {
        let (ip, network) = (text("/ip"), text("/network_uuid"));
        let found = asked(Some(services.napi), &LIST_NICS, &Args::new().set("belongs_to_uuid", &holder), report).await;
        let is = |nic: Row<'_>, pointer: &str, wanted: &Option<String>| {
            nic.text(pointer).as_deref() == wanted.as_deref() && wanted.is_some()
        };
        let mut nics = found.iter().flat_map(Answer::rows);
        let nic = nics.find(|nic| is(*nic, "/ip", &ip) && is(*nic, "/network_uuid", &network));
        add("nic", nic.and_then(|nic| nic.text("/mac").map(|mac| mac.into_owned())));
        let server = match text("/belongs_to_type").as_deref() {
            Some("zone") => {
                let vm = asked(services.vmapi, &vmapi::GET, &id(&vmapi::VM, &holder), report).await;
                add("vm_alias", vm.as_ref().and_then(|vm| first(vm, "/alias")));
                let gone = services.vmapi.map(|_| "gone".to_owned());
                add("vm_state", vm.as_ref().map_or(gone, |vm| first(vm, "/state")));
                vm.as_ref().and_then(|vm| first(vm, "/server_uuid")).filter(|server| !server.is_empty())
            }
            Some("server") => Some(holder),
            _ => None,
        };
        if let Some(server) = server {
            let server = asked(services.cnapi, &cnapi::GET, &id(&cnapi::SERVER, &server), report).await;
            add("server", server.as_ref().and_then(|server| first(server, "/hostname")));
        }
    }
    if let Some(owner) = text("/owner_uuid") {
        let account = asked(services.mahi, &mahi::GET, &id(&mahi::ACCOUNT, &owner), report).await;
        add("owner_login", account.as_ref().and_then(|account| first(account, "/account/login")));
    }
    row.with_members(&members)
}

fn first(answer: &Answer, pointer: &str) -> Option<String> {
    answer.first()?.text(pointer).map(|text| text.into_owned())
}

/// What a service says; nothing where it knows of none. A failure is reported.
async fn asked(client: Option<&Client>, op: &Op, args: &Args, report: &dyn Report) -> Option<Answer> {
    let client = client?;
    match client.call(op, args).await {
        Ok(answer) => Some(answer),
        Err(error) if error.kind() == Kind::NotFound => None,
        Err(error) => {
            report.warn(&format!("{} was asked, and failed: {error}", client.service().name).into());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_are_given_out_are_counted() {
        let records = Answer::from_rows(
            br#"[{"ip":"10.0.0.1","reserved":true,"free":false,"belongs_to_type":"other","belongs_to_uuid":"a"},
            {"ip":"10.0.0.2","reserved":false,"free":false,"belongs_to_type":"zone","belongs_to_uuid":"v"},
            {"ip":"10.0.0.3","reserved":true,"free":false},
            {"ip":"10.0.0.4","reserved":true,"free":false,"belongs_to_type":"other","belongs_to_uuid":"a"},
            {"ip":"10.0.0.5","reserved":false,"free":true},
            {"ip":"10.0.0.6","reserved":true,"belongs_to_type":"zone","belongs_to_uuid":"v"},
            {"ip":"10.0.0.7"},{"ip":null},{},
            {"ip":"10.0.0.10","reserved":true,"free":false}]"#,
        )
        .unwrap();
        let number = |ip: &str| number(ip.parse().unwrap());
        let usage = counted(number("10.0.0.2"), number("10.0.0.9"), &records);
        assert_eq!(usage, Usage { total: 8, used: 2, reserved: 2, free: 4 });
        let none = Answer::from_rows(b"[]").unwrap();
        assert_eq!(counted(number("fd00::"), number("fd00::ffff"), &none).total, 65_536);
    }
}
