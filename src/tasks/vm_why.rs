//! Why a VM is as it is: what VMAPI, its jobs, its server, NAPI and PAPI know of it, and what to do next. It asks and
//! changes nothing, and makes up nothing that no answer says.

use futures_util::future::{join, join4};
use serde_json::{Value, json};

use super::Services;
use super::held_up::{self, Asking, HeldUp};
use super::resolve::{self, Candidate, Candidates, begins_id, is_uuid};
use crate::answer::{Answer, Row};
use crate::api::admin::{CNAPI, NAPI, PAPI, cnapi, napi, papi, vmapi, workflow};
use crate::api::{Op, Service};
use crate::client::{Client, job_fault};
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::grammar::net;
use crate::request::{Arg, Args};

/// The operations that are called.
pub const READS: &[&Op] = &[
    &vmapi::LIST,
    &vmapi::GET,
    &vmapi::JOBS,
    &cnapi::GET,
    &napi::LIST_NICS,
    &papi::GET,
    &workflow::GET,
    &workflow::LIST,
];

/// The state of a VM that is no longer there, and the task that brings it there.
const DESTROYED: &str = "destroyed";
const DESTROY: &str = "destroy";
/// How many jobs are told of.
const JOBS: usize = 5;

/// What is known of a VM. What could not be read has its error in its place.
pub struct Facts {
    /// The VM.
    pub vm: Answer,
    /// Its jobs, newest first.
    pub jobs: Result<Answer>,
    /// Its server; none where it has none yet.
    pub server: Option<Result<Answer>>,
    /// Its NICs, as NAPI has them.
    pub nics: Result<Answer>,
    /// Its package; none where it has none.
    pub package: Option<Result<Answer>>,
    /// What its oldest open job waits for, where that is known.
    pub held_up: Option<HeldUp>,
}

/// A job of a VM.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it is to do, such as `stop`.
    pub task: String,
    /// How it stands.
    pub execution: String,
    /// When it was made.
    pub made: String,
    /// What went wrong, such as `failed in cnapi.stop_vm: no such server`.
    pub fault: Option<String>,
}

/// What a start, stop or reboot is about: the state that it brings the VM to, and the one that it takes it in.
struct Goal {
    state: &'static str,
    from: &'static str,
}

impl Job {
    fn read(row: Row<'_>) -> Job {
        Job {
            id: row.text_or_empty("/uuid"),
            task: row.text_or_empty("/params/task"),
            execution: row.text_or_empty("/execution"),
            made: row.text_or_empty("/created_at"),
            fault: job_fault(row),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.execution.as_str(), "queued" | "running" | "waiting")
    }

    fn is_well(&self) -> bool {
        self.execution == "succeeded" && self.fault.is_none()
    }

    /// None of a task that is not about running.
    fn goal(&self) -> Option<Goal> {
        Some(match self.task.as_str() {
            "start" => Goal { state: "running", from: "stopped" },
            "stop" => Goal { state: "stopped", from: "running" },
            "reboot" => Goal { state: "running", from: "running" },
            _ => return None,
        })
    }
}

/// The server of a VM.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What CNAPI calls its state.
    pub status: String,
    /// When it was heard from last; empty where nobody knows.
    pub last: String,
    /// The state of the VM as the server has told it; empty where it has told of none.
    pub state: String,
}

impl Host {
    /// As CNAPI shows it, for this VM.
    pub fn read(row: Row<'_>, vm: &str) -> Host {
        Host {
            id: row.text_or_empty("/uuid"),
            name: row.text_or_empty("/hostname"),
            status: row.text_or_empty("/status"),
            last: row.text_or_empty("/last_heartbeat"),
            state: row.text_or_empty(&format!("/vms/{vm}/state")),
        }
    }

    /// Whether it is heard from.
    pub fn is_heard(&self) -> bool {
        self.status != "unknown"
    }

    /// That it is not heard from, and since when.
    pub fn silence(&self) -> String {
        match self.last.as_str() {
            "" => format!("server {} is not heard from", self.name),
            last => format!("server {} is not heard from since {last}", self.name),
        }
    }
}

/// The id of the VM of this alias: the active one, or the newest of those that failed, or were destroyed.
///
/// # Errors
/// Not found, ambiguous, or the list could not be read.
pub async fn find(client: &Client, typed: &str) -> Result<String> {
    if is_uuid(typed) {
        return Ok(typed.to_ascii_lowercase());
    }
    let noun = &vmapi::VM;
    let mut place = Args::new();
    if let Some((name, value)) = noun.whole() {
        place.push(name, Arg::Text(value.to_owned()));
    }
    let plain = typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let named = if plain && !begins_id(typed) { place.set("alias", typed) } else { place };
    let known = Candidates::list(client, noun, &named).await?;
    let is = |thing: &&Candidate| thing.name == typed || begins_id(typed) && thing.id.starts_with(typed);
    let found: Vec<&Candidate> = known.things.iter().filter(is).collect();
    let state = |thing: &&Candidate| thing.text(&["state"]).unwrap_or_default().into_owned();
    let past = |thing: &&&Candidate| ["failed", "destroyed"].contains(&state(thing).as_str());
    let active: Vec<&Candidate> = found.iter().filter(|thing| !past(thing)).copied().collect();
    if let [one] = active.as_slice() {
        return Ok(one.id.clone());
    }
    if active.is_empty() {
        let made = |thing: &&&Candidate| {
            let failed = state(thing) == "failed";
            (failed, thing.text(&["create_timestamp"]).unwrap_or_default().into_owned())
        };
        if let Some(newest) = found.iter().max_by_key(made) {
            return Ok(newest.id.clone());
        }
    }
    // The words of others are as good.
    resolve::id(client, noun, typed).await
}

/// Gathers what is known of a VM.
///
/// # Errors
/// The VM itself cannot be read.
pub async fn gather(asking: Asking<'_>, client: &Client, id: &str) -> Result<Facts> {
    let services = asking.services;
    let own = Args::new().set("vm", id);
    let (vm, jobs) = join(client.call(&vmapi::GET, &own), client.call(&vmapi::JOBS, &own)).await;
    let vm = vm?;
    let of = |pointer: &str| vm.first().map(|row| row.text_or_empty(pointer)).filter(|text| is_uuid(text));
    let (server, package) = (of("/server_uuid"), of("/billing_id").filter(|id| !id.starts_with("00000000-")));
    let nics = Args::new().set("belongs_to_uuid", id).set("belongs_to_type", "zone");
    let one = async |service: &'static Service, op: &'static Op, param: &str, id: Option<String>| {
        let args = Args::new().set(param, id?);
        Some(asked(services, service, op, &args).await)
    };
    let open = jobs.iter().flat_map(Answer::rows).map(Job::read).filter(Job::is_open).last();
    let held_up = async {
        match &open {
            Some(job) => held_up::why(asking, &job.id).await,
            None => None,
        }
    };
    let (server, package, nics, held_up) = join4(
        one(&CNAPI, &cnapi::GET, "server", server),
        one(&PAPI, &papi::GET, "adminpackage", package),
        asked(services, &NAPI, &napi::LIST_NICS, &nics),
        held_up,
    )
    .await;
    let nics = nics.map(|nics| own_nics(&nics, id));
    Ok(Facts { vm, jobs, server, nics, package, held_up })
}

/// The NICs of this VM: not every NAPI heeds whose it is asked for, and those of others are in use.
fn own_nics(nics: &Answer, vm: &str) -> Answer {
    let own = |row: &Row<'_>| row.text("/belongs_to_uuid").is_some_and(|owner| owner.eq_ignore_ascii_case(vm));
    Answer::Rows(nics.rows().filter(own).map(|row| row.with_members(&[])).collect())
}

async fn asked(services: &dyn Services, service: &'static Service, op: &'static Op, args: &Args) -> Result<Answer> {
    services.client(service).await?.call(op, args).await
}

/// What it comes to.
pub struct Verdict {
    /// The reason in a sentence.
    pub reason: String,
    /// The newest job that went wrong and is not past.
    pub failed: Option<Job>,
    /// The newest jobs.
    pub jobs: Vec<Job>,
    /// The server.
    pub host: Option<Host>,
    /// What to do next.
    pub tries: Vec<Hint>,
}

/// Weighs what is known.
pub fn judge(facts: &Facts) -> Verdict {
    let vm = |pointer: &str| facts.vm.first().map(|row| row.text_or_empty(pointer)).unwrap_or_default();
    let (id, state) = (vm("/uuid"), vm("/state"));
    let jobs: Vec<Job> = facts.jobs.iter().flat_map(Answer::rows).map(Job::read).collect();
    let host = facts.server.as_ref().and_then(|server| Some(Host::read(server.as_ref().ok()?.first()?, &id)));
    let failed = failed(&jobs, &state).cloned();
    let open = jobs.iter().rfind(|job| job.is_open());
    let unheard = host.as_ref().filter(|host| !host.is_heard());
    // What the job waits for may be that very server.
    let is_told =
        unheard.is_some() && open.is_some() && facts.held_up.as_ref().is_some_and(|held_up| held_up.of_silence);
    let mut reasons = Vec::new();
    if let Some(host) = unheard.filter(|_| !is_told) {
        reasons.push(format!("its {}: what is known of it is from then, and its jobs wait", host.silence()));
    }
    if let Some(host) = host.as_ref().filter(|host| disagrees(host, &state)) {
        reasons.push(format!("VMAPI has it as {state}, and its server {} has told {}", host.name, host.state));
    }
    if let Some(job) = open {
        let held_up = facts.held_up.as_ref().map_or_else(String::new, |held_up| format!(", and {}", held_up.words));
        reasons.push(format!("its {} is {}{held_up}", job.task, job.execution));
        if is_told {
            reasons.push("what is known of the VM is from then".to_owned());
        }
    }
    if let Some(Job { task, fault: Some(fault), .. }) = &failed {
        reasons.push(format!("its {task} {fault}"));
    }
    if let Some(job) = jobs.iter().find(|job| state == DESTROYED && job.task == DESTROY && job.is_well()) {
        reasons.push(format!("its {} of {} has succeeded", job.task, job.made));
    }
    let without = unknown_to_napi(facts, &state);
    if !without.is_empty() {
        reasons.push(format!("VMAPI lists NICs of it that NAPI does not have: {}", without.join(", ")));
    }
    if reasons.is_empty() {
        reasons.push(match facts.jobs {
            Ok(_) => format!("it is {state}, and its records show nothing wrong"),
            Err(_) => format!("it is {state}, and its jobs could not be read"),
        });
    }
    let mut tries = tries(facts, (&id, &state), failed.as_ref(), open, host.as_ref());
    let of_job = facts.held_up.iter().flat_map(|held_up| &held_up.tries);
    let new: Vec<Hint> = of_job.filter(|hint| !tries.contains(hint)).cloned().collect();
    tries.extend(new);
    Verdict { reason: reasons.join("; "), failed, jobs: jobs.into_iter().take(JOBS).collect(), host, tries }
}

/// The newest job that went wrong and is not past. A start, stop or reboot is past once anything later has ended well,
/// for it has found the VM in order; another job, once one of its task has.
fn failed<'a>(jobs: &'a [Job], state: &str) -> Option<&'a Job> {
    let destroys = state == DESTROYED && jobs.iter().any(|job| job.task == DESTROY);
    let told = |job: &Job| match state {
        // What went wrong before has not destroyed it.
        DESTROYED => job.task == if destroys { DESTROY } else { "provision" },
        _ => true,
    };
    let past = |at: usize, job: &Job| {
        jobs[..at].iter().any(|later| later.is_well() && (job.goal().is_some() || later.task == job.task))
    };
    let mut all = jobs.iter().enumerate();
    all.find(|(at, job)| job.fault.is_some() && told(job) && !past(*at, job)).map(|(_, job)| job)
}

/// The MACs that VMAPI lists for a VM that is there, and NAPI does not. One that is being made, has failed, or is
/// destroyed may have none.
fn unknown_to_napi(facts: &Facts, state: &str) -> Vec<String> {
    let (Ok(known), Some(vm)) = (&facts.nics, facts.vm.first()) else { return Vec::new() };
    if matches!(state, "provisioning" | "failed" | DESTROYED) {
        return Vec::new();
    }
    let nics = vm.text("/nics").and_then(|nics| Answer::from_rows(nics.as_bytes()).ok()).unwrap_or_default();
    let plain = |mac: &str| net::mac(mac).unwrap_or_else(|_| mac.to_owned());
    let known: Vec<String> = known.rows().map(|nic| plain(&nic.text_or_empty("/mac"))).collect();
    let listed = nics.rows().map(|nic| nic.text_or_empty("/mac")).filter(|mac| !mac.is_empty());
    listed.filter(|mac| !known.contains(&plain(mac))).collect()
}

/// Whether the server has told of another state than VMAPI shows. What nobody has heard from says nothing new.
fn disagrees(host: &Host, state: &str) -> bool {
    host.is_heard() && !host.state.is_empty() && host.state != state && state != "provisioning"
}

fn tries(
    facts: &Facts,
    (id, state): (&str, &str),
    failed: Option<&Job>,
    open: Option<&Job>,
    host: Option<&Host>,
) -> Vec<Hint> {
    let mut all = Vec::new();
    let mut run = |words: &str, command: CommandLine| all.push(Hint::run(words, command));
    let unheard = host.filter(|host| !host.is_heard());
    if let Some(host) = unheard {
        run("the server", CommandLine::new("admin servers get").on(&host.name));
    }
    if let Some(job) = open {
        match unheard {
            Some(_) => run("to give up its job", CommandLine::new("admin jobs cancel").on(&job.id)),
            // One that waits for somebody goes on for nobody who waits for it.
            None if job.execution == "waiting" => {}
            None => run("to wait for its job", CommandLine::new("admin jobs wait").on(&job.id)),
        }
    }
    if host.is_some_and(|host| disagrees(host, state)) {
        run("to have VMAPI ask the server", CommandLine::new("admin vms get").on(id).with("--sync"));
    }
    if let Some(job) = failed {
        run("all of its job", CommandLine::new("admin jobs get").on(&job.id));
    }
    // What is under way may do it, or be in its way.
    if open.is_some() {
        return all;
    }
    let agreed = !host.is_some_and(|host| disagrees(host, state));
    all.extend(failed.and_then(|job| action(job, (id, state), host.is_some(), agreed)));
    let mut run = |words: &str, command: CommandLine| all.push(Hint::run(words, command));
    if matches!(state, "failed" | DESTROYED) {
        for nic in facts.nics.iter().flat_map(Answer::rows) {
            let words = format!("its NIC with {} is left; to free the address", nic.text_or_empty("/ip"));
            run(&words, CommandLine::new("admin nics delete").on(nic.text_or_empty("/mac")));
        }
    }
    all
}

/// What to send after a job that failed. One that was never placed is on no server, and VMAPI deletes none such.
fn action(job: &Job, (id, state): (&str, &str), placed: bool, agreed: bool) -> Option<Hint> {
    if job.task == "provision" && state != DESTROYED && placed {
        let remove = CommandLine::new("admin vms delete").on(id);
        return Some(Hint::run("a VM that failed stays so; to remove it", remove));
    }
    let goal = job.goal().filter(|_| agreed)?;
    let again = CommandLine::of(&format!("admin vms {}", job.task)).on(id);
    // One that was refused for the state of then is not what anybody wants of a VM in another state.
    let refused = job.fault.as_ref().is_some_and(|fault| fault.contains(" a VM from a '"));
    if state == goal.from && !refused {
        return Some(Hint::run("to send it again", again.with("--wait")));
    }
    let done = Hint::run("to take the state that it has for done", again.with("--idempotent --wait"));
    Some(done).filter(|_| state == goal.state && goal.state != goal.from)
}

/// What could not be read, and why. That a thing is not there is an answer.
pub fn unread(facts: &Facts) -> Vec<(&'static str, String)> {
    let there = |error: &&Error| error.kind() != Kind::NotFound || error.fault().is_none();
    let server = facts.server.as_ref().and_then(|server| server.as_ref().err()).filter(there);
    let package = facts.package.as_ref().and_then(|package| package.as_ref().err()).filter(there);
    let all = [
        ("jobs", facts.jobs.as_ref().err()),
        ("server", server),
        ("networks", facts.nics.as_ref().err()),
        ("package", package),
    ];
    all.into_iter().filter_map(|(what, error)| Some((what, error?.to_string()))).collect()
}

/// The package in words.
pub fn package(facts: &Facts) -> Option<String> {
    Some(match facts.package.as_ref()? {
        Ok(package) => {
            let row = package.first()?;
            let inactive = if row.text_or_empty("/active") == "false" { ", which no new VM can have" } else { "" };
            format!("{}@{}{inactive}", row.text_or_empty("/name"), row.text_or_empty("/version"))
        }
        Err(error) if error.kind() == Kind::NotFound => "is not there any longer".to_owned(),
        Err(_) => return None,
    })
}

/// A NIC in words.
pub fn nic(row: Row<'_>) -> String {
    let (ip, mac) = (row.text_or_empty("/ip"), row.text_or_empty("/mac"));
    let network = row.text_or_empty("/network_uuid");
    format!("{ip} ({mac}) on {network}, {}", row.text_or_empty("/state"))
}

/// All of it as data.
pub fn data(facts: &Facts, verdict: &Verdict, said: impl Fn(&Hint) -> String) -> Value {
    let vm = |pointer: &str| facts.vm.first().map(|row| row.text_or_empty(pointer)).unwrap_or_default();
    let job = |job: &Job| {
        json!({
            "uuid": job.id, "task": job.task, "execution": job.execution, "created_at": job.made, "error": job.fault,
        })
    };
    let rows =
        |answer: &Result<Answer>| answer.as_ref().ok().map(|answer| answer.rows().map(Row::value).collect::<Vec<_>>());
    let host = verdict.host.as_ref().map(|host| {
        json!({
            "uuid": host.id,
            "hostname": host.name,
            "status": host.status,
            "heard": host.is_heard(),
            "last_heartbeat": Some(&host.last).filter(|last| !last.is_empty()),
            "vm_state": Some(&host.state).filter(|state| !state.is_empty()),
        })
    });
    let unread = unread(facts).into_iter().map(|(what, error)| json!({ "what": what, "error": error }));
    json!({
        "uuid": vm("/uuid"),
        "alias": vm("/alias"),
        "state": vm("/state"),
        "reason": verdict.reason,
        "failed": verdict.failed.as_ref().map(job),
        "jobs": verdict.jobs.iter().map(job).collect::<Vec<_>>(),
        "server": host,
        "networks": rows(&facts.nics),
        "job_waits": facts.held_up.as_ref().map(|held_up| &held_up.words),
        "package": facts.package.as_ref().and_then(|package| rows(package)?.into_iter().next()),
        "try": verdict.tries.iter().map(said).collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
    })
}
