//! Migrations of machines to other compute nodes.

use std::sync::Arc;

use serde_json::json;

use super::super::call::{Call, Route};
use super::machines::allocated;
use super::machines::load;
use crate::emulator::datacenter::jobs::migrations::{RATE, bytes};
use crate::emulator::datacenter::jobs::watch::Watch;
use crate::emulator::datacenter::state::{Migration, Step};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};
use crate::emulator::http::stream::PolledLines;

const PATH: &str = "/:login/machines/:machine/migrate";

pub(crate) static ROUTES: &[Route] = &[
    Route::get("/:login/migrations", "ListMigrations", "machines", list),
    Route::get("/:login/migrations/:machine", "GetMigration", "machines", get),
    Route::get(PATH, "MigrateMachineEstimate", "machines", estimate),
    Route::post(PATH, "MigrateBegin", "machines", begin).rbac("migrate").action("begin"),
    Route::post(PATH, "MigrateAutomatic", "machines", automatic).rbac("migrate").action("automatic"),
    Route::post(PATH, "MigrateSync", "machines", sync).rbac("migrate").action("sync"),
    Route::post(PATH, "MigrateSwitch", "machines", switch).rbac("migrate").action("switch"),
    Route::post(PATH, "MigratePause", "machines", pause).rbac("migrate").action("pause"),
    Route::post(PATH, "MigrateAbort", "machines", abort).rbac("migrate").action("abort"),
    Route::post(PATH, "MigrateFinalize", "machines", finalize).rbac("migrate").action("finalize"),
    Route::post(PATH, "MigrateWatch", "machines", watch).rbac("migrate").action("watch"),
];

fn list(call: &mut Call<'_>) -> Outcome {
    let own = |migration: &&Migration| {
        call.state.vms.get(&migration.machine).is_some_and(|machine| machine.owner_uuid == call.account)
    };
    Ok(Reply::json(&call.state.migrations.iter().filter(own).map(Migration::view).collect()))
}

/// The migration of the machine that the call names.
fn find<'a>(call: &'a Call<'_>) -> Result<&'a Migration, Refusal> {
    let id = &load(call)?.uuid;
    let none = || Refusal::new(404, "ResourceNotFound", format!("No migration exists for VM {id}"));
    call.state.migration(id).ok_or_else(none)
}

fn get(call: &mut Call<'_>) -> Outcome {
    Ok(Reply::json(&find(call)?.view()))
}

fn precondition(words: impl Into<String>) -> Refusal {
    Refusal::new(412, "PreconditionFailed", words)
}

/// The id of a machine that may be migrated, and is not being so.
fn movable(call: &Call<'_>) -> Result<String, Refusal> {
    let id = allocated(call)?;
    if !call.state.switches.user_migrations {
        return Err(precondition("User migration on this VM not allowed"));
    }
    if load(call)?.state == "failed" {
        return Err(precondition("A failed machine cannot be migrated"));
    }
    match call.state.migration(&id) {
        Some(migration) => Err(precondition(migration.in_the_way())),
        None => Ok(id),
    }
}

fn estimate(call: &mut Call<'_>) -> Outcome {
    movable(call)?;
    let size = bytes(load(call)?);
    let eta = size.saturating_mul(1000) / RATE;
    Ok(Reply::json(&json!({ "size": size, "eta_ms": eta, "transfer_bytes_second": RATE })))
}

/// Starts a step, and shows the migration.
fn take(call: &mut Call<'_>, id: &str, step: Step) -> Outcome {
    call.state.migrate(call.now, id, step, &call.caller, call.fails.clone());
    match call.state.migration(id) {
        Some(migration) => Ok(Reply::status(201, &migration.view())),
        None => Err(Refusal::not_found(id)),
    }
}

/// `affinity` is looked at by nobody, as on the real server.
fn start(call: &mut Call<'_>, automatic: bool) -> Outcome {
    let id = movable(call)?;
    let (machine, created) = (id.clone(), call.now);
    call.state.migrations.push(Migration { machine, automatic, created, ..Migration::default() });
    take(call, &id, Step::Begin)
}

fn begin(call: &mut Call<'_>) -> Outcome {
    start(call, false)
}

fn automatic(call: &mut Call<'_>) -> Outcome {
    start(call, true)
}

/// Takes a step of a migration that allows it.
fn proceed(call: &mut Call<'_>, step: Step, action: &str) -> Outcome {
    let id = allocated(call)?;
    if let Some(words) = find(call)?.forbids(action) {
        return Err(precondition(words));
    }
    take(call, &id, step)
}

fn sync(call: &mut Call<'_>) -> Outcome {
    proceed(call, Step::SYNC, "sync")
}

fn switch(call: &mut Call<'_>) -> Outcome {
    proceed(call, Step::Switch, "switch")
}

fn pause(call: &mut Call<'_>) -> Outcome {
    proceed(call, Step::Pause, "pause")
}

/// One that never got as far as a place goes at once, and the answer is a slip of the real server's.
fn abort(call: &mut Call<'_>) -> Outcome {
    let migration = find(call)?;
    if migration.target.is_empty() && migration.state == "failed" {
        let id = migration.machine.clone();
        call.state.migrations.retain(|migration| migration.machine != id);
        return Err(Refusal::new(500, "InternalError", "Internal Error: no job_uuid"));
    }
    proceed(call, Step::Abort, "abort")
}

fn finalize(call: &mut Call<'_>) -> Outcome {
    proceed(call, Step::Finalize, "finalize")?;
    Ok(Reply::empty(200))
}

fn watch(call: &mut Call<'_>) -> Outcome {
    let (mut watch, cloud) = (Watch::new(find(call)?), Arc::clone(call.cloud));
    Ok(Reply::lines(Box::new(PolledLines::new(move || cloud.look(|state| watch.news(state))))))
}
