//! NAPI: networks, their addresses, and the interfaces on them; fabrics, pools, tags and aggregations.

mod aggregations;
mod fabrics;
mod fields;
mod ips;
mod networks;
mod nic_tags;
mod nics;
mod pools;
mod subnets;

use serde_json::json;

pub(super) use fields::denied;

use super::Kind;
use super::call::{Call, Route, route};
use crate::emulator::http::reply::{Outcome, Reply};

pub(super) static NAPI: Kind = Kind {
    name: "napi",
    routes: &[
        ROUTES,
        nic_tags::ROUTES,
        networks::ROUTES,
        ips::ROUTES,
        nics::ROUTES,
        pools::ROUTES,
        fabrics::ROUTES,
        aggregations::ROUTES,
    ],
    versions: &[(1, 0, 0)],
    default_version: "*",
    body_wins: false,
    request_id: false,
};

static ROUTES: &[Route] = &[route("GET", "/ping", &["Ping"], ping)];

fn ping(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&json!({
        "config": { "fabrics_enabled": !call.state.fabrics_off, "subnet_alloc_enabled": true },
        "healthy": true,
        "services": { "moray": "online" },
        "status": "OK",
    })))
}
