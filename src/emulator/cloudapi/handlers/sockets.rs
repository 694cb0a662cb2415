//! The two routes that become a WebSocket: the changefeed, and the display of a machine.

use std::sync::Arc;

use super::super::call::{Call, Route};
use super::super::sockets::{Display, Feed};
use super::super::version::Version;
use super::machines::load_alive;
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::http::upgrade;

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/changefeed", "GetChangefeed", "changefeed", changefeed).rbac("changefeed"),
    Route::get("/:login/machines/:machine/vnc", "ConnectMachineVNC", "machines", vnc).versions(&[Version(8, 4, 0)]),
];

fn changefeed(call: &mut Call<'_>) -> Outcome {
    // The real server does not refuse these: it stumbles.
    let stumbles = |words: &str| Err(Refusal::without_code(words).header("Connection", "close"));
    if !upgrade::is_upgrade(call.head) {
        return stumbles("the request cannot be upgraded");
    }
    if call.head.get("sec-websocket-protocol").is_some() {
        return stumbles("no subprotocol can be chosen");
    }
    let Some(accept) = upgrade::accept(call.head) else { return stumbles("the handshake is not that of version 13") };
    let feed = Feed { account: call.account.clone(), cloud: Arc::clone(call.cloud) };
    Ok(Reply::socket(Box::new(feed), accept))
}

fn vnc(call: &mut Call<'_>) -> Outcome {
    let machine = load_alive(call)?;
    let refused = |code: &str, words: &str| Err(Refusal::new(400, code, format!("null {words}")));
    let Some(accept) = upgrade::accept(call.head).filter(|_| upgrade::is_upgrade(call.head)) else {
        return refused("UpgradeRequiredError", "the display is reached through a WebSocket");
    };
    if !machine.hvm() {
        return refused("MachineHasNoVNCError", "the machine has no VNC: it is neither kvm nor bhyve");
    }
    if machine.state != "running" {
        return refused("MachineStoppedError", "the machine is not running");
    }
    let offered = call.head.get("sec-websocket-protocol").unwrap_or_default();
    let chosen = offered.split(',').map(str::trim).find(|name| matches!(*name, "binary" | "rfb"));
    let reply = Reply::socket(Box::new(Display { name: machine.alias.clone() }), accept);
    Ok(match chosen {
        Some(name) => reply.header("Sec-WebSocket-Protocol", name),
        None => reply,
    })
}
