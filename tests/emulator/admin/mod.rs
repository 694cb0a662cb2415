//! The internal services: sequences of requests that were typed in from the description of the services, and what must
//! be answered. What one side does, the other one sees.

mod books;
mod cancel;
mod flows;
mod invariants;
mod jobs;
mod migrations;
mod napi;
mod operations;
mod others;
mod papi;
mod sapi;
mod sdcadmin;
mod seeds;
mod tickets;
mod troubles;
mod updates;
mod vmapi;
mod workflow;

use std::time::Duration;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

pub use super::ssh_keygen_interop::Got;
use super::ssh_keygen_interop::{options, raw_at};

/// The account of the demo, its network, package and image.
pub const ACME: &str = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f";
pub const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
pub const SMALL: &str = "5be92d07-4f6b-4c8d-8eaf-3a4b5c6d7e02";
pub const BASE: &str = "2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02";
pub const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
/// The other customer.
pub const GLOBEX: &str = "5c8e1d27-5b6e-4c7d-8e9f-0a1b2c3d4e80";
/// One that is stopped.
pub const BUILD: &str = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

/// A data center with its internal services, whose time stands still.
pub async fn start() -> Emulator {
    Emulator::start(Options { pace: Pace::Stepped, admin: true, ..options() }).await.unwrap()
}

pub fn later(emulator: &Emulator, ms: u64) {
    emulator.clock().advance(Duration::from_millis(ms));
}

/// A request to a service, with these headers.
pub async fn send(
    emulator: &Emulator,
    service: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Got {
    let (_, address) = emulator.admin().iter().find(|(name, _)| name == service).expect("no such service");
    let full = if address.contains(':') { address.clone() } else { format!("{address}:80") };
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    raw_at(&full, text.as_bytes()).await.expect("no answer")
}

pub async fn get(emulator: &Emulator, service: &str, target: &str) -> Got {
    send(emulator, service, "GET", target, &[], "").await
}

pub async fn ask(emulator: &Emulator, service: &str, method: &str, target: &str, body: &Value) -> Got {
    let json = [("Content-Type", "application/json")];
    let text = if body.is_null() { String::new() } else { body.to_string() };
    send(emulator, service, method, target, &json, &text).await
}

/// The fields of `errors[]`, each with its code.
pub fn errors(got: &Got) -> Vec<(String, String)> {
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let list = got.json()["errors"].as_array().cloned().unwrap_or_default();
    list.iter().map(|entry| (text(entry, "field"), text(entry, "code"))).collect()
}

/// The parameters of a zone on the demo's private network.
pub fn zone(alias: &str) -> Value {
    json!({
        "owner_uuid": ACME, "brand": "joyent", "image_uuid": BASE, "billing_id": SMALL,
        "networks": [{ "uuid": PRIVATE }], "alias": alias,
    })
}

/// Makes a zone, and lets it run. Returns its id.
pub async fn made(emulator: &Emulator, alias: &str) -> String {
    let got = ask(emulator, "vmapi", "POST", "/vms", &zone(alias)).await;
    assert_eq!(got.status, 202, "{:?}", got.json());
    later(emulator, 5000);
    got.json()["vm_uuid"].as_str().unwrap().to_owned()
}
