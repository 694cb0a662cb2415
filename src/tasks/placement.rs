//! Why no server was found for a VM: how many each condition leaves. The service says it in some versions only; what
//! CNAPI tells of the servers says it for the others.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use super::Services;
use crate::answer::{Answer, Row};
use crate::api::admin::{CNAPI, PAPI, cnapi, papi};
use crate::error::{CommandLine, Error, Hint, Result};
use crate::request::{Arg, Args};

/// How long the servers are asked for: the refusal itself waits for it.
const LIMIT: Duration = Duration::from_secs(5);

/// Adds to a refusal because of placement how many servers each condition leaves. Other errors stay as they are.
pub async fn explained(services: &dyn Services, args: &Args, error: Error) -> Error {
    let refused = |code: &str| code.trim_end_matches("Error") == "NoAllocatableServers";
    let Some(fault) = error.fault().filter(|fault| refused(&fault.code)) else { return error };
    if let Some(words) = fault.message.find("[{").and_then(|at| steps(&fault.message[at..])) {
        return error.hint(words);
    }
    let counted = tokio::time::timeout(LIMIT, counted(services, args)).await;
    match counted {
        Ok(Ok(words)) => error.hint(words).hint(Hint::run(
            "the servers, and what is free on them",
            CommandLine::new("admin servers list").with("--extras capacity -o hostname,status,reserved,unreserved_ram"),
        )),
        // The refusal is what counts.
        Ok(Err(_)) | Err(_) => error,
    }
}

/// The steps of a placement in words, from their JSON: what each left.
pub(super) fn steps(json: &str) -> Option<String> {
    let steps: Vec<Value> = serde_json::from_str(json).ok()?;
    let words = crate::client::placement_steps(&steps);
    (!words.is_empty()).then_some(words)
}

/// A condition that servers must fulfil for a new VM.
type Condition = (&'static str, fn(Row<'_>) -> bool);

/// Those that do not depend on the VM, in the order of CNAPI.
const CONDITIONS: &[Condition] = &[
    ("are set up", |server| is(server, "setup")),
    ("are heard from", |server| server.text("/status").as_deref() == Some("running")),
    ("take new VMs", |server| !is(server, "reserved")),
];

fn is(server: Row<'_>, field: &str) -> bool {
    server.text(&format!("/{field}")).as_deref() == Some("true")
}

async fn counted(services: &dyn Services, args: &Args) -> Result<String> {
    let extras = Args::new().set("extras", "capacity");
    let servers = services.client(&CNAPI).await?.call(&cnapi::LIST, &extras).await?;
    let needed = memory(services, args).await?;
    Ok(words(&servers, needed))
}

/// MiB of memory that the VM needs, as far as that is known.
async fn memory(services: &dyn Services, args: &Args) -> Result<Option<u64>> {
    if let Some(Arg::Json(ram)) = args.get("ram") {
        return Ok(ram.get().parse().ok());
    }
    let Some(id) = args.text("billing_id") else { return Ok(None) };
    let client = services.client(&PAPI).await?;
    let package = client.call(&papi::GET, &Args::new().set("adminpackage", id)).await?;
    Ok(package.first().and_then(|row| row.text("/max_physical_memory")?.parse().ok()))
}

fn words(servers: &Answer, needed: Option<u64>) -> String {
    let mut left: Vec<Row<'_>> = servers.rows().collect();
    let mut words = format!("of {} servers", left.len());
    for (at, (fulfil, condition)) in CONDITIONS.iter().enumerate() {
        left.retain(|server| condition(*server));
        let _ = write!(words, "{} {} {fulfil}", if at == 0 { "" } else { ", of these" }, left.len());
    }
    if let Some(needed) = needed {
        let free = |server: &Row<'_>| server.text("/unreserved_ram").and_then(|text| text.parse::<i64>().ok());
        let most = left.iter().filter_map(free).max();
        left.retain(|server| free(server).is_none_or(|free| free >= i64::try_from(needed).unwrap_or(i64::MAX)));
        let _ = write!(words, ", of these {} have {needed} MiB of memory to spare", left.len());
        if let Some(most) = most.filter(|_| left.is_empty()) {
            let _ = write!(words, " (the most is {most})");
        }
    }
    if !left.is_empty() {
        words.push_str("; CPU, disk, traits, NIC tags and rules of placement leave none");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_says_how_many_servers_it_leaves() {
        let server = |setup: bool, status: &str, reserved: bool, free: i64| serde_json::json!({ "setup": setup, "status": status, "reserved": reserved, "unreserved_ram": free });
        let all = [
            server(false, "running", false, 9),
            server(true, "unknown", false, 9),
            server(true, "running", true, 9),
            server(true, "running", false, 1024),
        ];
        let servers = Answer::from_rows(Value::from(all.to_vec()).to_string().as_bytes()).unwrap();
        let begin = "of 4 servers 3 are set up, of these 2 are heard from, of these 1 take new VMs";
        let full = format!("{begin}, of these 0 have 2048 MiB of memory to spare (the most is 1024)");
        assert_eq!(words(&servers, Some(2048)), full);
        assert!(words(&servers, Some(512)).starts_with(&format!("{begin}, of these 1 have 512 MiB")));
        assert!(words(&servers, None).starts_with(&format!("{begin}; CPU, disk")));
    }
}
