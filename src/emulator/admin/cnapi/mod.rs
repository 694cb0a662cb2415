//! CNAPI, as far as the other services need it: the servers and what is on them, platforms, the tasks of the jobs of VMs,
//! and the tickets that keep those apart. Of these alone something is changed here.

mod servers;
mod tickets;
mod work;

use serde_json::json;

use super::Kind;
use super::call::{Call, Route, route};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static CNAPI: Kind = Kind {
    name: "cnapi",
    routes: &[ROUTES, servers::ROUTES, tickets::ROUTES, work::ROUTES],
    versions: &[],
    default_version: "*",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[route("GET", "/ping", &["Ping"], ping)];

fn ping(_: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({
        "ready": true,
        "services": { "workflow": "online", "moray": "online", "amqp": "online" },
    })))
}

/// Refuses parameters that a call does not know.
fn strict(call: &Call<'_>, known: &[&str]) -> Result<(), Refusal> {
    match call.query.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Refusal::invalid(format!("{name} is not an explicitly defined parameter"))),
        None => Ok(()),
    }
}

/// A parameter of another form than it has: an error of the server itself, as the service has it.
fn wrong(status: u16, field: &str, message: &str) -> Refusal {
    Refusal::new(status, "InvalidParameters", "Request parameters failed validation").field(field, "Invalid", message)
}

/// A whole number within these bounds, if it is given.
fn number(call: &Call<'_>, name: &str, least: usize, most: usize, message: &str) -> Result<Option<usize>, Refusal> {
    let Some(text) = call.text(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| wrong(400, name, message))
}

const LIMIT: &str = "limit must be in the range 1-1000 (inclusive)";
const OFFSET: &str = "offset must be a positive number";

/// Of these rows the part that is asked for.
fn page<T>(call: &Call<'_>, rows: Vec<T>) -> Result<Vec<T>, Refusal> {
    let limit = number(call, "limit", 1, 1000, LIMIT)?.unwrap_or(1000);
    let offset = number(call, "offset", 0, usize::MAX, OFFSET)?.unwrap_or(0);
    Ok(rows.into_iter().skip(offset).take(limit).collect())
}
