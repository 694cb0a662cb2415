//! What people are told of VMs beyond what was asked for: that their server is not heard from, that NICs of theirs are
//! left, and which step of a migration is the right one. It changes nothing, and is no reason to fail.

use std::future::Future;
use std::time::Duration;

use super::call::{Call, described};
use super::targets::Targets;
use super::vm_why::Host;
use super::{Report, Services};
use crate::answer::{Answer, Row};
use crate::api::Op;
use crate::api::admin::{CNAPI, NAPI, cnapi, napi, vmapi};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::Args;

/// How long what is only told may take.
const LIMIT: Duration = Duration::from_secs(3);
/// Of so many VMs at most the server is looked at before something is done to them.
const MAX_LOOKED_AT: usize = 20;

/// So many VMs of a server are named.
const MAX_NAMED: usize = 5;

fn is(op: &Op, known: &'static Op) -> bool {
    std::ptr::eq(op, known)
}

/// What is worth it only if it comes soon.
async fn soon<T>(asked: impl Future<Output = Result<T>>) -> Option<T> {
    tokio::time::timeout(LIMIT, asked).await.ok()?.ok()
}

/// What is to be told of a record that is shown: of a VM that its server is not heard from, of a migration what comes
/// next.
pub async fn of_record(services: &dyn Services, op: &Op, record: Row<'_>) -> Vec<Hint> {
    if is(op, &vmapi::GET) || is(op, &vmapi::LIST) {
        return soon(unheard(services, record)).await.flatten().into_iter().collect();
    }
    if is(op, &vmapi::GET_MIGRATION) {
        return next_steps(&record.text_or_empty("/vm_uuid"), record);
    }
    Vec::new()
}

/// Whether the rows of an operation are VMs, of which servers tell.
pub fn are_of_servers(op: &Op) -> bool {
    is(op, &vmapi::LIST)
}

/// A VM in a list, as far as it matters whether its server is heard from.
pub struct Listed {
    name: String,
    server: String,
}

impl Listed {
    /// That of a row; none where nothing more comes from its server anyway.
    pub fn read(vm: Row<'_>) -> Option<Listed> {
        let (alias, server) = (vm.text_or_empty("/alias"), vm.text_or_empty("/server_uuid"));
        let past = matches!(vm.text_or_empty("/state").as_str(), "destroyed" | "failed");
        let name = if alias.is_empty() { vm.text_or_empty("/uuid") } else { alias };
        (!server.is_empty() && !past).then_some(Listed { name, server })
    }
}

/// Which VMs of a list are shown as they were known when their servers were heard from last; in one request for all.
pub async fn of_list(services: &dyn Services, vms: &[Listed]) -> Vec<String> {
    if vms.is_empty() {
        return Vec::new();
    }
    let silent = soon(silent(services)).await.unwrap_or_default();
    let of_host = |host: &Host| {
        let names: Vec<&str> = vms.iter().filter(|vm| vm.server == host.id).map(|vm| vm.name.as_str()).collect();
        let shown = names.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = match names.len().checked_sub(MAX_NAMED) {
            Some(more @ 1..) => format!(" and {more} more"),
            _ => String::new(),
        };
        (!names.is_empty()).then(|| format!("{}: of {shown}{more} this is what was known then", host.silence()))
    };
    silent.iter().filter_map(of_host).collect()
}

/// The servers that are not heard from.
async fn silent(services: &dyn Services) -> Result<Vec<Host>> {
    let servers = services.client(&CNAPI).await?;
    let all = servers.call(&cnapi::LIST, &Args::new().set("extras", "last_heartbeat")).await?;
    Ok(all.rows().map(|row| Host::read(row, "")).filter(|host| !host.is_heard()).collect())
}

/// That the server of a VM is not heard from, so that what is known of it is old.
async fn unheard(services: &dyn Services, vm: Row<'_>) -> Result<Option<Hint>> {
    let (id, server, state) = (vm.text_or_empty("/uuid"), vm.text_or_empty("/server_uuid"), vm.text_or_empty("/state"));
    if server.is_empty() || matches!(state.as_str(), "destroyed" | "failed") {
        return Ok(None);
    }
    let client = services.client(&CNAPI).await?;
    let answer = client.call(&cnapi::GET, &Args::new().set("server", server)).await?;
    let host = answer.first().map(|row| Host::read(row, &id)).filter(|host| !host.is_heard());
    Ok(host.map(|host| {
        let words = format!("{}: this is what was known of the VM then", host.silence());
        Hint::run(words, CommandLine::new("admin vms why").on(id))
    }))
}

/// Looks at VMs before something is done to them: a job on a server that is not heard from waits, which is said, and
/// what cannot be migrated is refused here.
///
/// # Errors
/// [`Kind::Refused`] for a migration that the service would refuse.
pub async fn before(
    services: &dyn Services,
    client: &Client,
    report: &dyn Report,
    op: &Op,
    targets: &Targets,
) -> Result<()> {
    // A migration has the id of its VM.
    let of_vm = op.goal.is_some_and(|(_, noun)| noun.name == vmapi::VM.name) && op.starts_job;
    if !of_vm || op.makes().is_some() {
        return Ok(());
    }
    if is(op, &vmapi::BEGIN) || is(op, &vmapi::AUTOMATIC) {
        for call in &targets.calls {
            may_be_migrated(client, call).await?;
        }
    }
    let warnings = soon(waiting(services, client, &targets.calls)).await.unwrap_or_default();
    warnings.iter().for_each(|words| report.warn(words));
    Ok(())
}

/// Which of these VMs are on servers that are not heard from.
async fn waiting(services: &dyn Services, client: &Client, calls: &[Call]) -> Result<Vec<Hint>> {
    let silent = silent(services).await?;
    let mut told = Vec::new();
    if silent.is_empty() {
        return Ok(told);
    }
    for call in calls.iter().take(MAX_LOOKED_AT) {
        let Some(id) = call.args.text("vm") else { continue };
        // One that cannot be read says nothing of the others.
        let Ok(vm) = client.call(&vmapi::GET, &Args::new().set("vm", id)).await else { continue };
        let server = vm.first().map(|row| row.text_or_empty("/server_uuid")).unwrap_or_default();
        if let Some(host) = silent.iter().find(|host| host.id == server) {
            told.push(Hint::from(format!("{}: {}: its job will wait for it", described(call), host.silence())));
        }
    }
    Ok(told)
}

/// Refuses what the service refuses to migrate.
async fn may_be_migrated(client: &Client, call: &Call) -> Result<()> {
    let Some(id) = call.args.text("vm") else { return Ok(()) };
    let own = Args::new().set("vm", id);
    let refused = |words: String| Error::new(Kind::Refused, words).hint("nothing was sent");
    let Ok(vm) = client.call(&vmapi::GET, &own).await else { return Ok(()) };
    if vm.first().is_some_and(|row| row.text_or_empty("/tags/smartdc_type") == "core") {
        return Err(refused(format!("{} is a core instance, which cannot be migrated", described(call))));
    }
    let Ok(there) = client.call(&vmapi::GET_MIGRATION, &own).await else { return Ok(()) };
    let Some(row) = there.first() else { return Ok(()) };
    let words = match row.text_or_empty("/state").as_str() {
        "successful" => format!("a previous migration of {} is not finalized", described(call)),
        state => format!("{} is being migrated: {} {state}", described(call), row.text_or_empty("/phase")),
    };
    Err(next_steps(id, row).into_iter().fold(refused(words), Error::hint))
}

/// The steps that are right for a migration as it is.
fn next_steps(vm: &str, migration: Row<'_>) -> Vec<Hint> {
    let (phase, state) = (migration.text_or_empty("/phase"), migration.text_or_empty("/state"));
    let steps: &[(&str, &str)] = match (phase.as_str(), state.as_str()) {
        ("sync", "running") => &[("it copies data; to pause that", "pause")],
        (_, "running") => &[("it is under way; how far", "get")],
        ("begin", "paused") => &[("to copy its data", "sync"), ("to give it up", "abort")],
        ("sync", "paused") => &[
            ("to move it to the other server", "switch"),
            ("to copy what has changed since", "sync"),
            ("to give it up", "abort"),
        ],
        ("begin", "failed") => &[("to give it up", "abort")],
        ("sync", "failed") => &[("to copy its data again", "sync"), ("to give it up", "abort")],
        ("switch", "failed") => &[("to switch again", "switch"), ("to give it up", "abort")],
        ("switch", "successful") => &[
            ("to keep it where it is now, and delete what is left on the first server", "finalize"),
            ("to go back to the first server", "rollback"),
        ],
        (_, "successful") => &[("to end it", "finalize")],
        ("rollback", "failed") => &[("to go back again", "rollback")],
        ("abort", "failed") => &[("to give it up again", "abort")],
        _ => &[],
    };
    let hint =
        |(words, verb): &(&str, &str)| Hint::run(*words, CommandLine::of(&format!("admin migrations {verb}")).on(vm));
    steps.iter().map(hint).collect()
}

/// Adds to a failure what it leaves: NICs of a VM that was not made, and what is right for a migration as it is.
pub async fn failed(services: &dyn Services, client: &Client, op: &Op, call: &Call, error: Error) -> Error {
    if is(op, &vmapi::CREATE) && error.kind() == Kind::FailedState {
        let left = match call.args.text("uuid") {
            Some(vm) => soon(left(services, vm)).await.unwrap_or_default(),
            None => Vec::new(),
        };
        return left.into_iter().fold(error, Error::hint);
    }
    let refused = error.fault().is_some_and(|fault| fault.status == 412);
    let steps = vmapi::MIGRATIONS.ops.iter().any(|step| std::ptr::eq(*step, op));
    if let Some(vm) = call.args.text("vm").filter(|_| refused && steps) {
        let shown = soon(async { client.call(&vmapi::GET_MIGRATION, &Args::new().set("vm", vm)).await }).await;
        let steps = shown.as_ref().and_then(Answer::first).map(|row| next_steps(vm, row)).unwrap_or_default();
        return steps.into_iter().fold(error, Error::hint);
    }
    error
}

/// What a VM that was destroyed has left.
pub async fn left_by(services: &dyn Services, op: &Op, call: &Call) -> Vec<Hint> {
    match call.args.text("vm").filter(|_| is(op, &vmapi::DELETE)) {
        Some(vm) => soon(left(services, vm)).await.unwrap_or_default(),
        None => Vec::new(),
    }
}

/// The NICs that NAPI still has of a VM, each with the command that frees it.
async fn left(services: &dyn Services, vm: &str) -> Result<Vec<Hint>> {
    let args = Args::new().set("belongs_to_uuid", vm).set("belongs_to_type", "zone");
    let nics = services.client(&NAPI).await?.call(&napi::LIST_NICS, &args).await?;
    // The service is not trusted to have filtered.
    let own = nics.rows().filter(|row| row.text_or_empty("/belongs_to_uuid") == vm);
    Ok(own
        .map(|row| {
            let (mac, ip) = (row.text_or_empty("/mac"), row.text_or_empty("/ip"));
            let words = format!("NAPI still has its NIC {mac} with the address {ip}; to free that");
            Hint::run(words, CommandLine::new("admin nics delete").on(mac))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_state_of_a_migration_has_its_steps() {
        for (phase, state, verbs) in [
            ("begin", "running", vec!["get"]),
            ("sync", "running", vec!["pause"]),
            ("begin", "paused", vec!["sync", "abort"]),
            ("sync", "paused", vec!["switch", "sync", "abort"]),
            ("sync", "failed", vec!["sync", "abort"]),
            ("switch", "failed", vec!["switch", "abort"]),
            ("switch", "successful", vec!["finalize", "rollback"]),
            ("rollback", "successful", vec!["finalize"]),
            ("abort", "successful", vec!["finalize"]),
        ] {
            let record = serde_json::json!({ "phase": phase, "state": state }).to_string();
            let record = Answer::from_record(record.as_bytes()).unwrap();
            let hints = next_steps("v", record.first().unwrap());
            let due: Vec<String> = verbs.iter().map(|verb| format!("admin migrations {verb} v")).collect();
            assert_eq!(hints.len(), due.len(), "{phase} {state}");
            for (hint, due) in hints.iter().zip(due) {
                assert!(hint.to_string().ends_with(&due), "{hint}");
            }
        }
    }
}
