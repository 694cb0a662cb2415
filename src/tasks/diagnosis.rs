//! Why a machine failed, as far as the service's answers say: what they hold, weighed. It reads what was answered,
//! trusts none of it, makes up nothing, and asks nobody; `explain` asks.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::tasks::{diagnosis, explain};
//!
//! let id = explain::find(&client, "broken").await?;
//! let facts = explain::gather(&client, &id, None).await;
//! let told = diagnosis::diagnose(&facts, None);
//! assert_eq!(told.failed.unwrap().action, "provision");
//! println!("{}", told.reason);
//! let reached: Vec<_> = diagnosis::limits(&facts).filter(|limit| limit.reached).collect();
//! assert!(reached.is_empty() && diagnosis::unread(&facts).is_empty());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod over;

use serde_json::{Value, json};

use crate::answer::Row;
use crate::error::{CommandLine, Error, Hint, Kind, Result};

/// What can always be done, and helps a person only.
pub const ASK: &str = "the operator of the cloud knows more: tell the machine's id, and the time";

/// The same, and nothing where it is absent or empty.
fn some(row: Row<'_>, pointer: &str) -> Option<String> {
    row.text(pointer).map(|text| text.into_owned()).filter(|text| !text.is_empty())
}

/// A machine, as far as its failures go.
#[derive(Debug)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: String,
    /// When it was created, in the service's own form.
    pub created: String,
    /// Id of its image; may be empty.
    pub image: String,
    /// Name of its package; may be empty.
    pub package: String,
    /// Deletion protection is on.
    pub protected: bool,
    /// Its firewall is on.
    pub firewall: bool,
    brand: Option<String>,
    /// In MiB.
    memory: Option<u64>,
    /// In MiB.
    disk: Option<u64>,
}

impl Machine {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Machine {
        let number = |pointer: &str| row.text(pointer).and_then(|text| text.parse().ok());
        Machine {
            id: row.text_or_empty("/id"),
            name: row.text_or_empty("/name"),
            state: row.text_or_empty("/state"),
            created: row.text_or_empty("/created"),
            image: row.text_or_empty("/image"),
            package: row.text_or_empty("/package"),
            protected: row.text_or_empty("/deletion_protection") == "true",
            firewall: row.text_or_empty("/firewall_enabled") == "true",
            brand: some(row, "/brand"),
            memory: number("/memory"),
            disk: number("/disk"),
        }
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What the log calls it.
    pub action: String,
    /// When it ended, in the service's own form.
    pub time: Option<String>,
    success: String,
    /// Who asked for it: in words that follow a comma, or nothing.
    pub by: String,
    /// All of it, as it was sent.
    pub all: Value,
}

impl Entry {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Entry {
        Entry {
            action: row.text_or_empty("/action"),
            time: some(row, "/time"),
            success: row.text_or_empty("/success"),
            by: by(row),
            all: row.value(),
        }
    }

    /// Whether it is this action, which went well.
    fn has_done(&self, action: &str) -> bool {
        self.action == action && self.success == "yes"
    }

    /// When it was done, and who asked for it.
    fn when_and_by(&self) -> String {
        let time = self.time.as_ref().map(|time| format!(" at {time}")).unwrap_or_default();
        format!("{time}{}", self.by)
    }
}

/// Who asked for it, as far as the log says.
fn by(entry: Row<'_>) -> String {
    if entry.text_or_empty("/caller/type") == "operator" {
        return ", asked for by the operator".to_owned();
    }
    let part = |label: &str, pointer: &str| some(entry, pointer).map(|value| format!(" {label} {value}"));
    let who = [part("user", "/caller/user"), part("key", "/caller/keyId")].into_iter().flatten().collect::<String>();
    let from = part("from", "/caller/ip").unwrap_or_default();
    match (who.is_empty(), from.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(", asked for{from}"),
        (false, _) => format!(", asked for by{who}{from}"),
    }
}

/// A limit of the account.
#[derive(Debug)]
pub struct Limit {
    /// 0 is no limit, -1 allows nothing. What is no number is no limit that could be told.
    value: i64,
    by: String,
    check: Option<String>,
    /// The value for the check.
    of: Option<String>,
    used: Option<u64>,
}

impl Limit {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Limit {
        let check = some(row, "/check");
        let of = check.as_deref().filter(|check| matches!(*check, "image" | "os" | "brand"));
        Limit {
            value: row.text("/value").and_then(|text| text.parse().ok()).unwrap_or_default(),
            by: some(row, "/by").unwrap_or_else(|| "machines".to_owned()),
            of: of.and_then(|check| some(row, &format!("/{check}"))),
            check,
            used: row.text("/used").and_then(|text| whole(&text)),
        }
    }
}

/// A number of the service's, of which the part that is begun counts whole.
fn whole(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| {
        let (before, after) = text.split_once('.')?;
        let more = after.bytes().all(|b| b.is_ascii_digit()).then(|| u64::from(after.bytes().any(|b| b != b'0')))?;
        before.parse::<u64>().ok()?.checked_add(more)
    })
}

/// An image.
#[derive(Debug)]
pub struct Image {
    name: String,
    version: String,
    os: Option<String>,
    state: Option<String>,
    error: String,
}

impl Image {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Image {
        let error = [some(row, "/error/code"), some(row, "/error/message")];
        Image {
            name: row.text_or_empty("/name"),
            version: row.text_or_empty("/version"),
            os: some(row, "/os"),
            state: some(row, "/state"),
            error: error.into_iter().flatten().collect::<Vec<_>>().join(" "),
        }
    }
}

/// A package.
#[derive(Debug)]
pub struct Package {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Package {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Package {
        Package { id: row.text_or_empty("/id"), name: row.text_or_empty("/name") }
    }
}

/// What the service answered, each by itself: what cannot be read keeps nothing else from being told.
pub struct Facts {
    /// The machine itself.
    pub machine: Result<Machine>,
    /// Its audit log, newest first.
    pub audit: Result<Vec<Entry>>,
    /// The account's limits.
    pub limits: Result<Vec<Limit>>,
    /// Not asked for where it is not known which one.
    pub image: Option<Result<Image>>,
    /// The same of its package.
    pub package: Option<Result<Package>>,
}

/// What follows from the facts.
pub struct Verdict {
    /// One sentence.
    pub reason: String,
    /// Whether some answer explains the failure, or there is none.
    pub explained: bool,
    /// The failure in the audit log.
    pub failed: Option<Entry>,
    /// What to try.
    pub tries: Vec<Hint>,
}

/// Weighs the facts; of the audit log only the entries of this action, if one is named.
pub fn diagnose(facts: &Facts, action: Option<&str>) -> Verdict {
    let mut told = Verdict { reason: String::new(), explained: false, failed: None, tries: Vec::new() };
    let id = facts.machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default();
    let state = facts.machine.as_ref().map(|machine| machine.state.clone()).unwrap_or_default();
    let entries = facts.audit.as_deref().unwrap_or_default();
    let origin = origin(entries).filter(|_| state == "failed");
    let newest =
        entries.iter().position(|entry| entry.success == "no" && action.is_none_or(|action| entry.action == action));
    let at = origin.filter(|_| action.is_none()).or(newest);
    told.failed = at.and_then(|at| entries.get(at)).cloned();
    let failed = told.failed.as_ref().map(|entry| entry.action.clone());
    let over = at.and_then(|at| over::over(entries, at, &state));
    let what = match (failed.as_deref(), state.as_str()) {
        (Some("unknown"), _) => "an action of which the audit log has no name failed".to_owned(),
        (Some(failed), _) => format!("the {failed} failed"),
        (None, "failed") => "the machine failed".to_owned(),
        (None, _) => String::new(),
    };
    if state == "deleted" {
        told.explained = true;
        let newest = entries.first().filter(|entry| entry.has_done("destroy") || entry.has_done("delete"));
        let by = newest.map(Entry::when_and_by).unwrap_or_default();
        told.reason = format!("the machine was deleted{by}: nothing can be done to it any more");
        if by.is_empty() {
            told.tries.push(Hint::run("who did it", CommandLine::new("machines audit").on(id).with("--long")));
        }
        return told;
    }
    // Whatever failed before it: that is why it is stopped.
    let newer = entries.iter().take(at.unwrap_or(1));
    let stop = newer.filter(|_| action.is_none() && state == "stopped").find(|entry| entry.has_done("stop"));
    if let Some(stop) = stop {
        told.explained = true;
        told.reason = format!("the machine was stopped{}", stop.when_and_by());
    } else if what.is_empty() || over.is_some() {
        told.explained = true;
        told.reason = match (&facts.audit, &over) {
            (Err(_), _) => "the audit log could not be read, so it is not known whether anything failed".to_owned(),
            (Ok(_), Some(over)) => format!("{what}, {over}"),
            // Nobody has said that anything was asked for at all.
            (Ok(entries), _) if action.is_none() && !state.is_empty() => {
                let log =
                    if entries.is_empty() { "the audit log is empty" } else { "the audit log has no failed entry" };
                format!("the machine is {state}, and its records show nothing wrong: {log}")
            }
            (Ok(entries), _) if entries.is_empty() => {
                "the audit log is empty: the service has no record of anything that was asked for".to_owned()
            }
            (Ok(_), _) if action.is_none() => {
                "the machine could not be read, and its audit log has no failed entry".to_owned()
            }
            (Ok(_), _) => "the audit log has no failed entry".to_owned(),
        };
        if facts.audit.is_ok() && action.is_some() && over.is_none() && state != "provisioning" {
            told.tries.push("an action without an entry may be under way, or lost: send it again".into());
        }
        told.explained = facts.audit.is_ok() && facts.machine.is_ok();
    } else {
        // What failed on a machine that had failed before did so for that.
        let first = origin.filter(|origin| Some(*origin) != at).and_then(|origin| entries.get(origin));
        let from = first.map(|first| first.action.as_str()).or(failed.as_deref());
        let mut causes = causes(facts, from);
        if let Some(first) = first {
            causes.insert(0, (format!("the machine is failed since its {} failed", first.action), None));
        }
        told.explained = !causes.is_empty();
        let silent = match &facts.machine {
            Ok(_) => "the service gives no reason",
            Err(_) => "the machine could not be read, so it is not known how it is now",
        };
        told.reason = match (causes.as_slice(), &facts.audit, &told.failed) {
            ([], Ok(_), None) => format!("{what}: the audit log has no failed entry, and {silent}"),
            ([], Ok(_), Some(_)) => format!("{what}: {silent}"),
            ([], Err(_), _) => format!("{what}: the audit log could not be read, and {silent}"),
            (causes, _, _) => {
                let words: Vec<&str> = causes.iter().map(|(cause, _)| cause.as_str()).collect();
                format!("{what}, perhaps because {}", words.join("; and "))
            }
        };
        told.tries.extend(causes.into_iter().filter_map(|(_, mend)| mend));
        told.tries.extend(ways_out(&id, &state, from));
        told.tries.push(ASK.into());
        let mut known: Vec<Hint> = Vec::new();
        told.tries.retain(|way| {
            let new = !known.contains(way);
            known.push(way.clone());
            new
        });
    }
    if facts.machine.as_ref().is_ok_and(|machine| machine.protected) && failed.as_deref() == Some("destroy") {
        told.tries.push(Hint::run(
            "deletion protection is on",
            CommandLine::new("machines deletion-protection disable").on(id),
        ));
    }
    told
}

/// Where the failure is that all newer ones come from: the first since something went well.
fn origin(entries: &[Entry]) -> Option<usize> {
    let bad = entries.iter().take_while(|entry| entry.success != "yes");
    bad.enumerate().filter(|(_, entry)| entry.success == "no").map(|(at, _)| at).last()
}

/// What may have been in the way, each with what mends it, if anything does. Only what an answer says.
fn causes(facts: &Facts, failed: Option<&str>) -> Vec<(String, Option<Hint>)> {
    let mut all = Vec::new();
    let state = facts.machine.as_ref().map(|machine| machine.state.clone()).unwrap_or_default();
    // The service takes each of them in any state, and fails over it later.
    match (failed, state.as_str()) {
        (Some("start"), "running") => all.push(("it was running already".to_owned(), None)),
        (Some("stop"), "stopped") => all.push(("it was stopped already".to_owned(), None)),
        (Some("reboot"), "stopped") => {
            let words = "it was stopped, and only a running machine can be rebooted";
            let id = facts.machine.as_ref().map_or("MACHINE", |machine| &machine.id);
            all.push((words.to_owned(), Some(Hint::run("instead", CommandLine::new("machines start").on(id)))));
        }
        _ => {}
    }
    // What is used up or gone hinders what makes something, and nothing else.
    if !matches!(failed, None | Some("provision" | "reprovision" | "resize")) {
        return all;
    }
    for limit in limits(facts).filter(|limit| limit.reached) {
        all.push((
            format!("a limit of the account is reached: {}", limit.words),
            Some(
                Hint::run("to make room", "machines list")
                    .then(", ")
                    .then_run("machines delete")
                    .then("; or ask the operator for more"),
            ),
        ));
    }
    if let Some((id, name, what)) = image(facts).and_then(|(words, usable)| (!usable).then_some(words)) {
        all.push((format!("image {name} ({id}) {what}"), Some(Hint::run("another image", "images list"))));
    }
    if let (Ok(machine), Some(Err(error))) = (&facts.machine, &facts.package)
        && error.kind() == Kind::NotFound
    {
        let words = format!("package {} is not there, or not active any more", machine.package);
        all.push((words, Some(Hint::run("another package", "packages list"))));
    }
    all
}

/// What can be tried whatever the reason was.
fn ways_out(id: &str, state: &str, failed: Option<&str>) -> Vec<Hint> {
    let mut all = Vec::new();
    match failed {
        None | Some("provision" | "reprovision") => {
            all.push(Hint::run("once more, or another image", "machines create --image IMAGE --package PACKAGE"));
        }
        // It is as it was to be, or cannot be.
        Some("start") if state == "running" => {}
        Some("stop" | "reboot") if state == "stopped" => {}
        Some(action @ ("start" | "stop" | "reboot")) => {
            let words = format!("it is {state} now; the same again");
            all.push(Hint::run(words, CommandLine::new("machines").on(action).on(id).with("--wait")));
        }
        Some("resize") => all.push(
            Hint::run("a package of the same kind", "packages list")
                .then("; ")
                .then_run(CommandLine::new("machines resize").on(id).on("PACKAGE")),
        ),
        Some("destroy") => {
            all.push(Hint::run("the same again", CommandLine::new("machines delete").on(id).with("--yes --wait")))
        }
        Some("add_nics") => all.push(Hint::run("free addresses in the network", "networks ips list NETWORK")),
        Some("create_snapshot" | "rollback_snapshot" | "delete_snapshot") => {
            all.push(Hint::run("the snapshots as they are", CommandLine::new("machines snapshots list").on(id)));
        }
        Some(_) => all.push(Hint::run("what it looks like now", CommandLine::new("machines get").on(id))),
    }
    if state == "failed" {
        all.push(Hint::run(
            "a failed machine stays until it is deleted",
            CommandLine::new("machines delete").on(id).with("--yes"),
        ));
    }
    all
}

/// One limit, and what it means for this machine.
pub struct Bound {
    /// In words.
    pub words: String,
    /// As data.
    pub data: Value,
    /// Whether it counts this machine.
    pub applies: bool,
    /// Whether one more does not fit.
    pub reached: bool,
}

/// The limits, where they could be read.
pub fn limits(facts: &Facts) -> impl Iterator<Item = Bound> {
    facts.limits.as_deref().unwrap_or_default().iter().map(|limit| bound(limit, facts))
}

fn bound(limit: &Limit, facts: &Facts) -> Bound {
    let Limit { value, by, check, of, used } = limit;
    let unit = match by.as_str() {
        "ram" => " MiB of memory",
        "quota" => " GiB of disk",
        _ => " machines",
    };
    let needs = needs(by, facts);
    let applies = counts(check.as_deref(), of.as_deref(), facts);
    let reached = match (u64::try_from(*value), applies) {
        (Ok(0), _) | (_, false) => false,
        (Err(_), true) => true,
        (Ok(most), true) => used.is_some_and(|used| used.saturating_add(needs.unwrap_or_default().max(1)) > most),
    };
    let whose = match (check, of.as_deref()) {
        (Some(check), Some(of)) if of != "any" => format!(" with {check} {of}"),
        _ => String::new(),
    };
    let told = used.map_or_else(|| "an unknown part".to_owned(), |used| used.to_string());
    let words = match value {
        0 => format!("{told}{unit}{whose} used, without a limit"),
        ..0 => format!("none allowed of{unit}{whose}"),
        most => format!("{told} of {most}{unit}{whose} used"),
    };
    let data = json!({
        "by": by,
        "check": check,
        "of": of,
        "value": value,
        "used": used,
        "needed": needs,
        "applies": applies,
        "reached": reached,
    });
    Bound { words, data, applies, reached }
}

/// How much this machine takes of it.
fn needs(by: &str, facts: &Facts) -> Option<u64> {
    let machine = facts.machine.as_ref().ok()?;
    // One that has not failed is among what is used.
    (machine.state == "failed").then_some(())?;
    match by {
        "ram" => machine.memory,
        "quota" => machine.disk.map(|disk| disk.div_ceil(1024)),
        _ => Some(1),
    }
}

/// Whether a limit counts machines such as this one. Where that cannot be told, it does not.
fn counts(check: Option<&str>, of: Option<&str>, facts: &Facts) -> bool {
    let own = |own: Option<&str>| of == Some("any") || of.is_some() && of == own;
    let image = facts.image.as_ref().and_then(|image| image.as_ref().ok());
    match check {
        None => true,
        Some("image") => own(image.map(|image| image.name.as_str())),
        Some("os") => own(image.and_then(|image| image.os.as_deref())),
        Some("brand") => own(facts.machine.as_ref().ok().and_then(|machine| machine.brand.as_deref())),
        Some(_) => false,
    }
}

/// Id and name of the image, what is with it, and whether it can be used. `None` where it could not be read.
pub fn image(facts: &Facts) -> Option<((String, String, String), bool)> {
    let id = facts.machine.as_ref().ok()?.image.clone();
    Some(match facts.image.as_ref()? {
        Ok(image) => {
            let usable = image.state.as_deref().is_none_or(|state| state == "active");
            let state = image.state.as_ref().map_or_else(|| "is there".to_owned(), |state| format!("is {state}"));
            let why = if image.error.is_empty() { String::new() } else { format!(": {}", image.error) };
            ((id, format!("{}@{}", image.name, image.version), format!("{state}{why}")), usable)
        }
        Err(error) if error.kind() == Kind::NotFound => {
            ((id, "of the machine".to_owned(), "is not there, or not for this account".to_owned()), false)
        }
        Err(_) => return None,
    })
}

/// What could not be read, and why. That a thing is not there is an answer.
pub fn unread(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let mut add = |what: &'static str, error: Option<&Error>| {
        if let Some(error) = error {
            let id = error.fault().and_then(|fault| fault.request_id.as_deref());
            let id = id.map(|id| format!(", request id {id}")).unwrap_or_default();
            all.push((what, format!("{error}{id}")));
        }
    };
    let there = |error: &&Error| error.kind() != Kind::NotFound;
    add("machine", facts.machine.as_ref().err());
    add("audit", facts.audit.as_ref().err());
    add("limits", facts.limits.as_ref().err());
    add("image", facts.image.as_ref().and_then(|image| image.as_ref().err()).filter(there));
    add("package", facts.package.as_ref().and_then(|package| package.as_ref().err()).filter(there));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;

    pub(super) fn facts(machine: Value, audit: Value, limits: Value) -> Facts {
        let record = Answer::from_record(machine.to_string().as_bytes()).unwrap();
        let rows = |list: Value| Answer::from_rows(list.to_string().as_bytes()).unwrap();
        Facts {
            machine: Ok(Machine::read(record.first().unwrap())),
            audit: Ok(rows(audit).rows().map(Entry::read).collect()),
            limits: Ok(rows(limits).rows().map(Limit::read).collect()),
            image: None,
            package: None,
        }
    }

    #[test]
    fn a_limit_is_reached_when_the_failed_machine_does_not_fit_in_it_any_more() {
        let machine = json!({ "id": "m", "state": "failed", "memory": 2048, "disk": 10_241, "compute_node": "c" });
        for (limit, reached) in [
            (json!({ "value": 0, "used": 99 }), false),
            (json!({ "value": -1 }), true),
            (json!({ "value": 3, "used": 2 }), false),
            (json!({ "value": 3, "used": 3 }), true),
            (json!({ "value": 4096, "by": "ram", "used": 2048 }), false),
            (json!({ "value": 4095, "by": "ram", "used": 2048 }), true),
            (json!({ "value": 20, "by": "quota", "used": 10 }), true),
            (json!({ "value": 1, "used": 1, "check": "os", "os": "linux" }), false),
            (json!({ "value": 1, "used": 1, "check": "os", "os": "any" }), true),
            (json!({ "value": 1, "used": 1, "check": "moon", "moon": "any" }), false),
        ] {
            let facts = facts(machine.clone(), json!([]), json!([limit]));
            let reached_here = super::limits(&facts).next().unwrap().reached;
            assert_eq!(reached_here, reached, "{limit}");
        }
    }

    #[test]
    fn nothing_is_made_up_where_no_answer_says_why() {
        let machine = json!({ "id": "m", "state": "failed", "compute_node": "c" });
        let told = diagnose(&facts(machine.clone(), json!([]), json!([])), None);
        assert!(!told.explained);
        assert!(told.reason.contains("no failed entry") && told.reason.contains("gives no reason"), "{}", told.reason);
        let entry = json!([{ "action": "provision", "success": "no" }]);
        let told = diagnose(&facts(machine, entry, json!([])), None);
        assert_eq!(
            (told.reason.as_str(), told.explained),
            ("the provision failed: the service gives no reason", false)
        );
    }

    #[test]
    fn what_a_machine_was_already_could_not_be_made_of_it() {
        let audit = |action: &str| json!([{ "action": action, "success": "no" }]);
        let running = json!({ "id": "m", "state": "running", "compute_node": "c" });
        let told = diagnose(&facts(running.clone(), audit("start"), json!([])), None);
        assert_eq!(told.reason, "the start failed, perhaps because it was running already");
        assert!(told.tries.iter().all(|way| !way.as_str().contains("machines start")), "{:?}", told.tries);
        let told = diagnose(&facts(running, audit("stop"), json!([])), None);
        assert!(!told.explained && told.tries.iter().any(|way| way.as_str().contains("machines stop m --wait")));
    }

    #[test]
    fn what_is_tried_on_a_failed_machine_does_not_hide_why_it_failed() {
        let machine = json!({ "id": "m", "state": "failed", "compute_node": null });
        let audit = json!([
            { "action": "start", "success": "no" },
            { "action": "stop", "success": "no" },
            { "action": "provision", "success": "no" },
        ]);
        let whole = diagnose(&facts(machine.clone(), audit.clone(), json!([])), None);
        // Where it was to be says nothing: the service places it before it answers, and may show no server all the same.
        assert_eq!(
            (whole.reason.as_str(), whole.explained),
            ("the provision failed: the service gives no reason", false)
        );
        let started = diagnose(&facts(machine.clone(), audit, json!([])), Some("start"));
        assert!(
            started.reason.starts_with("the start failed, perhaps because the machine is failed since its provision")
        );
        for told in [whole, started] {
            assert!(told.tries.iter().all(|way| !way.as_str().contains("machines start")), "{:?}", told.tries);
            assert!(told.tries.iter().any(|way| way.as_str().contains("machines create")), "{:?}", told.tries);
        }
        // What went well before it does not count.
        let audit = json!([{ "action": "reboot", "success": "no" }, { "action": "provision", "success": "yes" }]);
        assert!(diagnose(&facts(machine, audit, json!([])), None).reason.starts_with("the reboot failed"));
    }

    #[test]
    fn of_a_machine_that_nobody_asked_anything_of_nothing_is_to_be_sent_again() {
        let audit = json!([{ "action": "provision", "success": "yes", "time": "2026-01-01T00:00:00.000Z" }]);
        for (audit, log) in [(audit, "has no failed entry"), (json!([]), "is empty")] {
            let facts = facts(json!({ "id": "m", "state": "stopped" }), audit, json!([]));
            let told = diagnose(&facts, None);
            let words = format!("the machine is stopped, and its records show nothing wrong: the audit log {log}");
            assert_eq!((told.reason, told.explained, told.tries), (words, true, vec![]));
            // A wait that ran out has asked for something.
            assert!(diagnose(&facts, Some("start")).tries.iter().any(|way| way.as_str().contains("send it again")));
        }
    }

    #[test]
    fn a_number_that_is_begun_counts_whole() {
        assert_eq!(["7", "7.0", "7.25", "", "x", "1e3"].map(whole), [Some(7), Some(7), Some(8), None, None, None]);
    }
}
