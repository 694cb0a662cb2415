//! The way in for tests of other processes: `/--emulator/…`, for this machine alone. Requests here
//! are unsigned, are struck by no fault and are not counted.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::answer::Asked;
use super::clock::iso;
use super::fault::{self, Fault};
use super::params;
use super::reply::{Refusal, Reply};
use super::shared::{Shared, lock};
use super::state::{Machine, State};

/// Answers a request to the emulator itself.
pub(crate) fn answer(shared: &Shared, asked: &Asked, peer: IpAddr) -> Reply {
    if !peer.to_canonical().is_loopback() {
        return Refusal::forbidden(asked.head.path()).into_reply();
    }
    let body = match serde_json::from_slice(&asked.body) {
        Ok(Value::Object(body)) => body,
        _ => params::Params::new(),
    };
    let text = |name: &str| body.get(name).and_then(params::text);
    let wrong = |words: String| Refusal::new(400, "InvalidArgument", words).into_reply();
    let path = asked.head.path().trim_start_matches("/--emulator").trim_matches('/');
    match (asked.head.method.as_str(), path) {
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
                    Some(by) => shared.clock.advance(by.min(Duration::from_secs(1 << 32))),
                    None => return wrong(format!("advance: '{advance}' is no time such as 10s")),
                }
            }
            if let Some(offset) = text("offset") {
                match fault::seconds(&offset) {
                    Some(offset) => shared.clock.set_offset(offset),
                    None => return wrong(format!("offset: '{offset}' is no time such as +3600s")),
                }
            }
            shared.save(&mut shared.lock_state());
            clock(shared)
        }
        ("GET", "machines") => Reply::json(&shared.look(books)),
        ("GET", "state") => Reply::json(&shared.look(|state| serde_json::to_value(state).unwrap_or_default())),
        ("GET", "sockets") => Reply::json(&json!({ "open": shared.sockets.open() })),
        ("POST" | "DELETE", "sockets") => Reply::json(&json!({ "dropped": shared.sockets.drop_all() })),
        ("GET", "faults") => Reply::json(&lock(&shared.faults).specs().into()),
        ("POST", "faults") => match text("fault").unwrap_or_default().parse::<Fault>() {
            Ok(fault) => {
                shared.plant(fault);
                Reply::empty(204)
            }
            Err(error) => wrong(error.to_string()),
        },
        ("DELETE", "faults") => {
            lock(&shared.faults).clear();
            Reply::empty(204)
        }
        _ => Refusal::not_found(&asked.head.target).into_reply(),
    }
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
    Reply::json(&json!({ "machines": iso(shared.clock.now()), "server": iso(shared.clock.wall()) }))
}
