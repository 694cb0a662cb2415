//! Tickets: whoever does something to a thing on a server takes one, waits until it is the first of its queue, and
//! releases it in the end. Those of jobs that are under way follow from the jobs; the others are kept.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::call::{Call, Route, missing, route};
use super::super::held::until;
use super::servers::find;
use super::{page, strict, wrong};
use crate::emulator::datacenter::clock::{iso, read_iso};
use crate::emulator::datacenter::jobs::GOOD_FOR;
use crate::emulator::datacenter::state::{Ended, Job, State, Ticket, new_id};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

pub(super) static ROUTES: &[Route] = &[
    route("GET", "/servers/:server_uuid/tickets", &["ServerWaitlistList"], list),
    route("POST", "/servers/:server_uuid/tickets", &["ServerWaitlistTicketCreate"], create),
    route("DELETE", "/servers/:server_uuid/tickets", &["ServerWaitlistTicketsDeleteAll"], delete_all),
    route("GET", "/tickets/:ticket_uuid", &["ServerWaitlistGetTicket"], get),
    route("DELETE", "/tickets/:ticket_uuid", &["ServerWaitlistDeleteTicket"], delete),
    route("GET", "/tickets/:ticket_uuid/wait", &["ServerWaitlistTicketsWait"], wait),
    route("PUT", "/tickets/:ticket_uuid/release", &["ServerWaitlistTicketRelease"], release),
];

/// So many are kept.
const MAX: usize = 1000;
/// No wait for a ticket is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The ticket of a job: it works on a VM, waits until another one does not, or has done its work.
fn of_job(state: &State, job: &Job, now: i64) -> Option<Value> {
    let chain = job.work.chain().filter(|_| job.work.takes_ticket() && job.taken() <= now)?;
    let vm = state.any_vm(&job.vm_uuid)?;
    let (status, updated) = match &job.end {
        Some(end) => ("finished", end.at),
        None if job.let_go => ("finished", job.begins.min(now)),
        None if job.begins <= now => ("active", job.begins),
        None => ("queued", job.taken()),
    };
    Some(json!({
        "uuid": job.ticket(),
        "server_uuid": state.server_of(&vm),
        "scope": "vm",
        "id": job.vm_uuid,
        "action": chain.task,
        "status": status,
        "expires_at": iso(job.taken().saturating_add(GOOD_FOR)),
        "created_at": iso(job.taken()),
        "updated_at": iso(updated),
        "reqid": job.request_id(),
        "extra": { "workflow_job_uuid": job.uuid, "owner_uuid": vm.owner_uuid },
    }))
}

fn view(state: &State, ticket: &Ticket) -> Value {
    let (status, updated) = match ticket.end {
        Some((at, Ended::Finished)) => ("finished", at),
        Some((at, Ended::Expired)) => ("expired", at),
        None if state.is_first(ticket) => ("active", ticket.created),
        None => ("queued", ticket.created),
    };
    json!({
        "uuid": ticket.uuid,
        "server_uuid": ticket.server_uuid,
        "scope": ticket.scope,
        "id": ticket.id,
        "action": ticket.action,
        "status": status,
        "expires_at": iso(ticket.expires_at),
        "created_at": iso(ticket.created),
        "updated_at": iso(updated),
        "reqid": ticket.reqid,
        "extra": ticket.extra,
    })
}

/// Those that are open, oldest first, and each behind those of its queue that are before it.
fn open(state: &State, now: i64) -> Vec<Value> {
    let jobs = state.all_jobs().into_iter().rev().filter(|job| job.end.is_none() && job.is_in_line());
    let mut rows: Vec<(&str, Value)> =
        jobs.filter_map(|job| Some((job.uuid.as_str(), of_job(state, job, now)?))).collect();
    for ticket in state.operators.tickets.iter().filter(|ticket| ticket.end.is_none()) {
        let beside = |row: &Value| row["scope"] == ticket.scope.as_str() && row["id"] == ticket.id.as_str();
        let before = |job: &str| job.is_empty() || ticket.after.iter().any(|uuid| uuid == job);
        let at = rows.iter().rposition(|(job, row)| beside(row) && before(job)).map_or(0, |at| at + 1);
        rows.insert(at, ("", view(state, ticket)));
    }
    rows.sort_by_key(|(_, row)| row["created_at"].as_str().unwrap_or_default().to_owned());
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The id of the server that the path names, or `default`, which is no server.
fn place(call: &Call<'_>) -> Result<String, Refusal> {
    match call.part("server_uuid").as_str() {
        "default" => Ok("default".to_owned()),
        _ => find(call).map(|server| server.uuid.clone()),
    }
}

fn list(call: &mut Call<'_>) -> Outcome {
    strict(call, &["limit", "offset", "attribute", "order"])?;
    let server = place(call)?;
    let mut rows = open(call.state, call.now);
    rows.retain(|row| row["server_uuid"] == server.as_str());
    if let Some(attribute) = call.text("attribute") {
        rows.sort_by_key(|row| row.get(&attribute).and_then(Value::as_str).unwrap_or_default().to_owned());
    }
    if call.text("order").is_some_and(|order| order.eq_ignore_ascii_case("desc")) {
        rows.reverse();
    }
    Ok(Reply::json(&page(call, rows)?.into()))
}

/// A field that is a text; refused where it is none.
fn text(call: &Call<'_>, name: &str) -> Result<String, Refusal> {
    let given = call.params.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    given.map(str::to_owned).ok_or_else(|| wrong(500, name, "value was not a string"))
}

/// Puts a ticket at the end of its queue, and answers with those that are before it, and itself.
fn create(call: &mut Call<'_>) -> Outcome {
    let server_uuid = place(call)?;
    let (scope, id, expires) = (text(call, "scope")?, text(call, "id")?, text(call, "expires_at")?);
    let Some(expires_at) = read_iso(&expires) else { return Err(wrong(500, "expires_at", "value was not a date")) };
    let action = if call.params.contains_key("action") { text(call, "action")? } else { String::new() };
    let extra = match call.params.get("extra") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(extra)) => extra.clone(),
        Some(_) => return Err(wrong(500, "extra", "value was not an object")),
    };
    let tickets = &mut call.state.operators.tickets;
    if tickets.len() >= MAX {
        let Some(at) = tickets.iter().position(|ticket| ticket.end.is_some()) else {
            return Err(Refusal::new(500, "InternalError", format!("{MAX} tickets are open")));
        };
        tickets.remove(at);
    }
    let reqid = call.head.get("x-request-id").unwrap_or_else(new_id);
    let uuid = new_id();
    call.state.queue_ticket(Ticket {
        uuid: uuid.clone(),
        server_uuid: server_uuid.clone(),
        scope: scope.clone(),
        id: id.clone(),
        action,
        expires_at,
        created: call.now,
        reqid,
        extra,
        after: Vec::new(),
        end: None,
    });
    let mut queue = open(call.state, call.now);
    queue.retain(|row| [&row["server_uuid"], &row["scope"], &row["id"]] == [&*server_uuid, &*scope, &*id]);
    Ok(Reply::status(202, &json!({ "uuid": uuid, "queue": queue })))
}

/// A ticket, open or not.
fn shown(state: &State, uuid: &str, now: i64) -> Option<Value> {
    match state.operators.tickets.iter().find(|ticket| ticket.uuid == uuid) {
        Some(ticket) => Some(view(state, ticket)),
        None => state.all_jobs().into_iter().find(|job| job.ticket() == uuid).and_then(|job| of_job(state, job, now)),
    }
}

fn unknown(uuid: &str) -> Refusal {
    missing(format!("ticket {uuid} not found"))
}

fn get(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("ticket_uuid");
    shown(call.state, &uuid, call.now).map(|ticket| Reply::json(&ticket)).ok_or_else(|| unknown(&uuid))
}

/// Answers when the ticket is the first of its queue, or was released. One that expires before it is makes an error.
fn wait(call: &mut Call<'_>) -> Outcome {
    let uuid = call.part("ticket_uuid");
    let none = || missing("no such ticket");
    shown(call.state, &uuid, call.now).ok_or_else(none)?;
    Ok(until(call, LONGEST, move |state, now, over| match shown(state, &uuid, now) {
        None => Some(Err(none())),
        Some(ticket) if ticket["status"] == "expired" => {
            Some(Err(Refusal::new(500, "InternalError", "ticket has expired")))
        }
        Some(ticket) => (over || ticket["status"] != "queued").then(|| Ok(Reply::empty(204))),
    }))
}

fn end(call: &mut Call<'_>, forget: bool) -> Outcome {
    let uuid = call.part("ticket_uuid");
    match call.state.release_ticket(call.now, &uuid, forget) {
        true => Ok(Reply::empty(204)),
        false => Err(unknown(&uuid)),
    }
}

fn release(call: &mut Call<'_>) -> Outcome {
    end(call, false)
}

fn delete(call: &mut Call<'_>) -> Outcome {
    end(call, true)
}

/// All of a server, which has to be said twice.
fn delete_all(call: &mut Call<'_>) -> Outcome {
    let server = place(call)?;
    if call.text("force").as_deref() != Some("true") {
        return Err(Refusal::new(412, "PreconditionFailed", "Will not delete all tickets without ?force=true"));
    }
    let on = |row: &Value| row["server_uuid"] == server.as_str();
    let uuids =
        open(call.state, call.now).into_iter().filter(on).filter_map(|row| Some(row["uuid"].as_str()?.to_owned()));
    for uuid in uuids.collect::<Vec<_>>() {
        call.state.release_ticket(call.now, &uuid, true);
    }
    call.state.operators.tickets.retain(|ticket| ticket.server_uuid != server);
    Ok(Reply::empty(204))
}
