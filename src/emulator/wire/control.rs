//! The way in for tests of other processes: `/--emulator/…`, for this machine alone. Requests here
//! are unsigned, are struck by no fault and are not counted. So a page in a browser of this machine must not get here:
//! what comes from a page says so (`Origin`), and a page's host that leads to loopback all of a sudden is not ours.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::fault::{self, Fault};
use super::server_state::Shared;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::lock;
use crate::emulator::datacenter::state::{Machine, State};
use crate::emulator::http::head::Request;
use crate::emulator::http::params;
use crate::emulator::http::reply::{Refusal, Reply};

/// Answers a request to the emulator itself, which may name a host in its target too.
pub(crate) fn answer(shared: &Shared, request: &Request, peer: IpAddr, authority: Option<&str>) -> Reply {
    if !peer.to_canonical().is_loopback() {
        return Refusal::forbidden(request.head.path()).into_reply();
    }
    let headers = &request.head.headers;
    let named = headers.get_all("host").iter().map(|host| host.to_str().unwrap_or_default());
    if headers.contains_key("origin") || !named.chain(authority).all(is_loopback) {
        let words = "the emulator itself is spoken to by its loopback address, and not by pages of a browser";
        return Refusal::new(403, "NotAuthorized", words).into_reply();
    }
    let body = match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => body,
        _ => params::Params::new(),
    };
    let text = |name: &str| body.get(name).and_then(params::text);
    let wrong = |words: String| Refusal::new(400, "InvalidArgument", words).into_reply();
    let path = request.head.path().trim_start_matches("/--emulator").trim_matches('/');
    match (request.head.method.as_str(), path) {
        ("GET", "requests") => {
            let rows = lock(&shared.seen)
                .iter()
                .map(|seen| {
                    json!({
                        "method": seen.method,
                        "path": seen.path_and_query,
                        "status": seen.status,
                        "signed_by": seen.signed_by,
                        "bytes": seen.bytes,
                        "faults": seen.faults,
                    })
                })
                .collect();
            Reply::json(&rows)
        }
        ("DELETE", "requests") => {
            lock(&shared.seen).clear();
            Reply::empty(204)
        }
        ("GET", "clock") => clock(shared),
        ("POST", "clock") => {
            if let Some(advance) = text("advance") {
                match fault::duration(&advance) {
                    Some(by) => shared.cloud.clock.advance(by.min(Duration::from_secs(1 << 32))),
                    None => return wrong(format!("advance: '{advance}' is no time such as 10s")),
                }
            }
            if let Some(offset) = text("offset") {
                match fault::seconds(&offset) {
                    Some(offset) => shared.cloud.clock.set_offset(offset),
                    None => return wrong(format!("offset: '{offset}' is no time such as +3600s")),
                }
            }
            match shared.cloud.save(&mut shared.cloud.lock_state()) {
                Ok(()) => clock(shared),
                Err(words) => Refusal::new(500, "InternalError", words).into_reply(),
            }
        }
        ("GET", "machines") => Reply::json(&shared.cloud.look(books)),
        ("GET", "state") => Reply::json(&shared.cloud.look(|state| serde_json::to_value(state).unwrap_or_default())),
        ("GET", "sockets") => {
            let sockets = &shared.sockets;
            Reply::json(&json!({ "open": sockets.open(), "followers": shared.cloud.changes.registered() }))
        }
        ("POST" | "DELETE", "sockets") => Reply::json(&json!({ "dropped": shared.sockets.drop_all() })),
        ("GET", "faults") => Reply::json(&lock(&shared.faults).specs().into()),
        ("POST", "faults") => {
            let fault = text("fault").unwrap_or_default().parse::<Fault>();
            match fault.and_then(|fault| shared.plant_known(fault)) {
                Ok(()) => Reply::empty(204),
                Err(error) => wrong(error.to_string()),
            }
        }
        ("DELETE", "faults") => {
            lock(&shared.faults).clear();
            Reply::empty(204)
        }
        _ => Refusal::not_found(&request.head.target).into_reply(),
    }
}

/// Whether a host, perhaps with a port, stands for this machine whatever a name server says.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    address || name.eq_ignore_ascii_case("localhost")
}

/// Every machine that was ever made, those that are deleted too: the books, to compare with what a client tells.
fn books(state: &State) -> Value {
    let row = |machine: &Machine| {
        let login = state.accounts.iter().find(|account| account.id == machine.owner).map(|account| &account.login);
        json!({
            "id": machine.id,
            "name": machine.name,
            "account": login,
            "state": machine.state,
            "created": iso(machine.created),
            "updated": iso(machine.updated),
            "tags": machine.tags,
        })
    };
    state.machines.iter().map(row).collect()
}

fn clock(shared: &Shared) -> Reply {
    Reply::json(&json!({ "machines": iso(shared.cloud.clock.now()), "server": iso(shared.cloud.clock.wall()) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_no_name_server_can_turn_are_this_machine() {
        for host in ["127.0.0.1", "127.0.0.1:8087", "127.9.9.9", "[::1]", "[::1]:80", "localhost", "LocalHost:1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1:8087",
            "[::]",
            "[fe80::1]",
            "0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
