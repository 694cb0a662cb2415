//! The families of commands that the tables have columns for: one command of each, the request that the fault is
//! planted on, and what must be true afterwards.

use crate::faults::truth::{After, Truth, quiet};
use Truth::{Deletes, Else, Lists, Makes, Sets, Shows};

/// A family of commands.
pub struct Family {
    /// The column's head.
    pub name: &'static str,
    /// The request that goes wrong.
    pub request: &'static str,
    /// What is typed. `THIS` stands for what the line before it has printed.
    pub line: String,
    pub truth: Truth,
    /// What is typed first, while all is well; each may name `THIS` too.
    pub before: Vec<String>,
    /// With so many machines, and not with those of the demo.
    pub machines: Option<usize>,
    /// How many times faster than real time the work is done.
    pub pace: f64,
    /// Its requests go to the internal services.
    pub operators: bool,
    /// What fails stands in its table.
    pub tells: bool,
}

impl Family {
    pub fn after(mut self, before: &str) -> Family {
        self.before.push(spelt(before));
        self
    }

    /// So many machines that a list of them has three pages.
    pub fn long(mut self) -> Family {
        self.machines = Some(2500);
        self
    }

    /// What fails is told in the table that it prints, whatever comes.
    pub fn telling(mut self) -> Family {
        self.tells = true;
        self
    }

    /// How many times faster than real time its work is done.
    pub fn paced(mut self, pace: f64) -> Family {
        self.pace = pace;
        self
    }

    /// Whether the command waits for something.
    pub fn waits(&self) -> bool {
        self.line.contains("--wait") || self.line.starts_with("run ") || self.line.starts_with("wait ")
    }

    /// Whether the request starts work that the command then waits for.
    pub fn works(&self) -> bool {
        !self.request.starts_with("GET") && self.waits()
    }

    /// So slow that there is something to wait for.
    fn slow(self) -> Family {
        self.paced(1.5)
    }
}

pub fn family(name: &'static str, request: &'static str, line: &str, truth: Truth) -> Family {
    Family {
        name,
        request,
        line: spelt(line),
        truth,
        before: Vec::new(),
        machines: None,
        pace: 200.0,
        operators: false,
        tells: false,
    }
}

pub const WEB1: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const DB1: &str = "c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
pub const BUILD: &str = "07a5e9d4-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const BROKEN: &str = "f05a1d6c-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const ACME_WEB: &str = "d0c4f6a8-3e5a-4b7c-9d9e-2f3a4b5c6d01";
const SCRATCH: &str = "e85a2c64-8d0f-4ac1-b2e3-7e8f9a0b1c02";
const BACKEND: &str = "b55ec213-5a7c-4d9e-9fb0-4b5c6d7e8f04";
const STORAGE: &str = "803f6ad9-5a7c-4d9e-9fb0-4b5c6d7e8f05";
const RULE: &str = "1e5f8b30-6b8d-4eaf-a0c1-5c6d7e8f9a02";

const NEW: &str = "machines create --image base-64 --package g1-small -n new WAIT -o ids";
const KEYED: &str = "machines create --image base-64 --package g1-small -n new WAIT -o ids --idempotency-key job-1";

/// Where the books have what.
pub const MACHINES: &str = "/machines";
const IMAGES: &str = "/images";
const VOLUMES: &str = "/volumes";
pub const NETWORKS: &str = "/networks";
const VLANS: &str = "/vlans";
const RULES: &str = "/firewall_rules";
const USERS: &str = "/accounts/0/users";
const KEYS: &str = "/accounts/0/keys";
pub const MIGRATIONS: &str = "/migrations";

/// A line with its ids, and with the words of one that waits.
fn spelt(line: &str) -> String {
    let mut line = line.replace("WAIT", "--wait --timeout 6s");
    for (name, id) in [("WEB1", WEB1), ("DB1", DB1), ("BUILD", BUILD), ("BROKEN", BROKEN)] {
        line = line.replace(name, id);
    }
    for (name, id) in
        [("ACME", ACME_WEB), ("SCRATCH", SCRATCH), ("BACKEND", BACKEND), ("STORAGE", STORAGE), ("RULE", RULE)]
    {
        line = line.replace(name, id);
    }
    line
}

pub fn families() -> Vec<Family> {
    [machines(), more_of_machines(), things(), account(), composed(), super::operators::families()]
        .into_iter()
        .flatten()
        .collect()
}

fn machines() -> Vec<Family> {
    let listed = || Lists(MACHINES, "id");
    vec![
        family("list", "GET /machines", "machines list -o ids", listed()),
        family("long list", "GET /machines", "machines list -o ids", listed()).long(),
        family("get", "GET /machines/*", "machines get WEB1 -o ids", Shows(WEB1)),
        family("create", "POST /machines", NEW, Makes(MACHINES, "name", "new", "id")),
        family("create with a key", "POST /machines", KEYED, Else(not_exactly_one)),
        family("action", "POST /machines/*", "machines stop WEB1 WAIT", state(WEB1, "stopped")),
        family("delete", "DELETE /machines/*", "machines delete BUILD --yes WAIT", Deletes(MACHINES, "id", BUILD)),
        family(
            "set",
            "POST /machines/*/tags",
            "machines tags set WEB1 ticket=42 WAIT",
            Sets(MACHINES, "id", WEB1, "/tags/ticket", "42"),
        ),
        family("many", "POST /machines/*", "machines stop 'web*' --wait --timeout 12s --json", Else(not_both_stopped)),
        family(
            "wait",
            "GET /machines/*",
            "wait machines WEB1 --for state=stopped --timeout 8s",
            state(WEB1, "stopped"),
        )
        .after("machines stop WEB1")
        .slow(),
    ]
}

fn more_of_machines() -> Vec<Family> {
    let snapshots = "/snapshots of 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    vec![
        family(
            "snapshot",
            "POST /machines/*/snapshots",
            "machines snapshots create WEB1 -n new WAIT -o ids",
            Makes(snapshots, "name", "new", "name"),
        ),
        family(
            "delete snapshot",
            "DELETE /machines/*/snapshots/*",
            "machines snapshots delete WEB1 new --yes WAIT",
            Deletes(snapshots, "name", "new"),
        )
        .after("machines snapshots create WEB1 -n new WAIT"),
        family(
            "nic",
            "POST /machines/*/nics",
            "machines nics add WEB1 BACKEND WAIT -o ids",
            Makes("/nics of 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d", "network", BACKEND, "mac"),
        ),
        family("disk", "POST /machines/*/disks", "machines disks add DB1 10240 WAIT -o ids", Else(not_one_disk_more)),
        family(
            "migrate",
            "POST /machines/*/migrate",
            "machines migrate begin WEB1 WAIT",
            Sets(MIGRATIONS, "machine", WEB1, "/state", "paused"),
        ),
        family(
            "migrate all the way",
            "POST /machines/*/migrate",
            "machines migrate automatic WEB1 WAIT",
            Sets(MIGRATIONS, "machine", WEB1, "/state", "successful"),
        ),
    ]
}

fn things() -> Vec<Family> {
    let image = "images create BUILD new 1.0 WAIT -o ids";
    let network = "fabrics networks create 100 -n new --subnet 10.30.0.0/24 --start-ip 10.30.0.5 \
                   --end-ip 10.30.0.250 --gateway 10.30.0.1 -o ids";
    vec![
        family("images", "GET /images", "images list -o ids", Else(not_all_images)),
        family("create image", "POST /images", image, Makes(IMAGES, "name", "new", "id")),
        family(
            "update image",
            "POST /images/*",
            "images update ACME -d new",
            Sets(IMAGES, "id", ACME_WEB, "/description", "new"),
        ),
        family("delete image", "DELETE /images/*", "images delete ACME --yes", Deletes(IMAGES, "id", ACME_WEB)),
        family(
            "create volume",
            "POST /volumes",
            "volumes create -n new WAIT -o ids",
            Makes(VOLUMES, "name", "new", "id"),
        ),
        family(
            "delete volume",
            "DELETE /volumes/*",
            "volumes delete SCRATCH --yes WAIT",
            Deletes(VOLUMES, "id", SCRATCH),
        ),
        family("networks", "GET /networks", "networks list -o ids", Else(not_all_networks)),
        family(
            "create VLAN",
            "POST /fabrics/default/vlans",
            "fabrics vlans create 300 -n new -o ids",
            Makes(VLANS, "name", "new", "vlan_id"),
        ),
        family(
            "create network",
            "POST /fabrics/default/vlans/*/networks",
            network,
            Makes(NETWORKS, "name", "new", "id"),
        ),
        family(
            "delete network",
            "DELETE /fabrics/default/vlans/*/networks/*",
            "fabrics networks delete 200 STORAGE --yes",
            Deletes(NETWORKS, "id", STORAGE),
        ),
    ]
}

fn account() -> Vec<Family> {
    let user = "users create new --email new@example.com --password-file password -o ids";
    let rule = "fwrules create 'FROM any TO all vms ALLOW tcp PORT 8080' -o ids";
    vec![
        family("create user", "POST /users", user, Makes(USERS, "login", "new", "id")),
        family("delete user", "DELETE /users/*", "users delete new --yes", Deletes(USERS, "login", "new")).after(user),
        family("add key", "POST /keys", "keys add new.pub -n new -o ids", Makes(KEYS, "name", "new", "fingerprint")),
        family("delete key", "DELETE /keys/*", "keys delete new --yes", Deletes(KEYS, "name", "new"))
            .after("keys add new.pub -n new"),
        family(
            "create rule",
            "POST /fwrules",
            rule,
            Makes(RULES, "rule", "FROM any TO all vms ALLOW tcp PORT 8080", "id"),
        ),
        family(
            "disable rule",
            "POST /fwrules/*/disable",
            "fwrules disable RULE",
            Sets(RULES, "id", RULE, "/enabled", "false"),
        ),
        family("delete rule", "DELETE /fwrules/*", "fwrules delete RULE --yes", Deletes(RULES, "id", RULE)),
    ]
}

/// Commands of more than one call, and those that send what they are told.
fn composed() -> Vec<Family> {
    let run = "run --image base-64 --package g1-small -n new --timeout 12s -- true";
    let expired = "machines tags set WEB1 sdc.expires=2020-01-01T00:00:00Z WAIT";
    let reap = "reap --expired --yes WAIT";
    vec![
        family("run", "POST /machines", run, Else(left_in_silence)),
        family("end of run", "DELETE /machines/*", run, Else(left_in_silence)),
        family("reap", "DELETE /machines/*", reap, Deletes(MACHINES, "id", WEB1)).after(expired),
        family("reap's list", "GET /machines", reap, Deletes(MACHINES, "id", WEB1)).after(expired),
        family("why", "GET /machines/*", "machines why BROKEN --json", Else(why_is_not_told)),
        family("why's audit", "GET /machines/*/audit", "machines why BROKEN --json", Else(why_is_not_told)),
        family("api", "GET /machines", "api GET /:login/machines", Else(not_as_it_came)),
        family("api's pages", "GET /machines", "api GET /:login/machines --paginate", Lists(MACHINES, "id")).long(),
        family(
            "api POST",
            "POST /fabrics/default/vlans",
            "api POST /:login/fabrics/default/vlans -d '{\"vlan_id\":300,\"name\":\"new\"}'",
            Else(not_made_as_it_came),
        ),
    ]
}

fn state(id: &'static str, state: &'static str) -> Truth {
    Sets(MACHINES, "id", id, "/state", state)
}

fn not_exactly_one(after: &After<'_>) -> Option<String> {
    if let Some(wrong) = Makes(MACHINES, "name", "new", "id").wrong(after) {
        return Some(wrong);
    }
    // However it ended: the same command again ends with that machine, and not with another. One that failed is none.
    let again = (after.run)(&spelt(KEYED));
    let books = quiet(after.emulator);
    let alive = books["machines"].as_array().into_iter().flatten();
    let alive: Vec<&str> = alive
        .filter(|row| row["name"] == "new" && row["state"] == "running")
        .filter_map(|row| row["id"].as_str())
        .collect();
    match (again.status.code(), alive.as_slice()) {
        (Some(0), [one]) if crate::faults::text(&again.stdout).trim() == *one => None,
        (code, many) => Some(format!("repeated, it ended with {code:?}, and {} are there", many.len())),
    }
}

fn not_both_stopped(after: &After<'_>) -> Option<String> {
    let two = serde_json::from_str::<Vec<serde_json::Value>>(after.out).is_ok_and(|rows| rows.len() == 2);
    if after.well && !two {
        return Some("it does not tell of both".to_owned());
    }
    let running = |row: &&serde_json::Value| {
        row["name"].as_str().is_some_and(|name| name.starts_with("web")) && row["state"] != "stopped"
    };
    (after.well && after.rows(MACHINES).iter().any(running)).then(|| "not both are stopped".to_owned())
}

pub fn not_one_disk_more(after: &After<'_>) -> Option<String> {
    let disks = after.rows("/disks of c82d3f90-7d0e-4b6a-9c1d-5e2f8a7b4c6d");
    // It has had two, one of them of that size.
    let new = disks.iter().filter(|disk| disk["size"] == 10240).count().saturating_sub(1);
    (new > 1 || after.well && new == 0).then(|| format!("{new} were made"))
}

/// Those that can be used.
fn not_all_images(after: &After<'_>) -> Option<String> {
    let all = after.rows(IMAGES).into_iter().filter(|row| row["state"] == "active").count();
    let told = after.out.lines().collect::<std::collections::BTreeSet<_>>().len();
    (after.well && (told != all || told != after.out.lines().count())).then(|| format!("it tells of {told} of {all}"))
}

/// Pools are told of as networks are, and stand for those that they have.
fn not_all_networks(after: &After<'_>) -> Option<String> {
    let pools = after.rows("/pools");
    let pooled: usize = pools.iter().filter_map(|pool| Some(pool["networks"].as_array()?.len())).sum();
    let all = after.rows(NETWORKS).len() + pools.len() - pooled;
    let told = after.out.lines().collect::<std::collections::BTreeSet<_>>().len();
    (after.well && (told != all || told != after.out.lines().count())).then(|| format!("it tells of {told} of {all}"))
}

/// No machine may be left of a run that nobody is told of, or that nothing would reap.
fn left_in_silence(after: &After<'_>) -> Option<String> {
    let made: Vec<_> = after.ever(MACHINES).into_iter().filter(|row| row["name"] == "new").collect();
    if made.len() > 1 {
        return Some(format!("{} were made", made.len()));
    }
    let one = made.first().filter(|one| one["state"] != "deleted")?;
    if after.well {
        return Some("it is left".to_owned());
    }
    let id = one["id"].as_str().unwrap_or_default();
    if one["tags"]["sdc.expires"].is_null() {
        return Some(format!("{id} is left and never reaped"));
    }
    (!after.err.contains("new") && !after.err.contains(id)).then(|| format!("{id} is left, and not told of"))
}

/// Why the machine failed is told, or that it could not be found out.
fn why_is_not_told(after: &After<'_>) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(after.out).unwrap_or_default();
    let unread = |what: &str| told["unread"].as_array().into_iter().flatten().any(|one| one["what"] == what);
    let machine = told["state"] == "failed" || unread("machine");
    let audit = told["failed"]["action"] == "provision" || unread("audit");
    (after.well && !(told["id"] == BROKEN && machine && audit)).then(|| "it tells only a part".to_owned())
}

/// It is printed as it came, be it what a fault has made of it.
fn not_as_it_came(after: &After<'_>) -> Option<String> {
    match after.out.trim() {
        "" | "{\"planted\":\"fault\"}" => None,
        _ => Lists(MACHINES, "id").wrong(after),
    }
}

/// The same of what was made, which is there once in any case.
fn not_made_as_it_came(after: &After<'_>) -> Option<String> {
    match (after.well, after.rows(VLANS).iter().filter(|row| row["name"] == "new").count()) {
        (true, 1) | (false, 0 | 1) => None,
        (_, made) => Some(format!("{made} were made")),
    }
}
