//! The families of `sdc admin`: the same faults, planted in the internal services.

use super::commands::{BUILD, Family, MACHINES, MIGRATIONS, NETWORKS, WEB1, family, not_one_disk_more};
use super::text;
use super::truth::{After, Truth};
use Truth::{Deletes, Else, Makes, Sets, Shows};

const PACKAGES: &str = "/packages";
const NICS: &str = "/operators/nics";
const NANO: &str = "f7206e1b-4f6b-4c8d-8eaf-3a4b5c6d7e01";
const PRIVATE: &str = "1a83d5e6-5a7c-4d9e-9fb0-4b5c6d7e8f02";
const LAB: &str = "5c0e7a1d-5a7c-4d9e-9fb0-4b5c6d7e8f77";
/// The job that made web10.
const JOB: &str = "ddc60d6a-2956-582f-a1b7-32f74ea3da1c";
const A_WORKFLOW_THAT_WAITS: &str = "admin raw workflow POST /workflows --jq .uuid -R -d \
    '{\"name\":\"ask\",\"chain\":[{\"name\":\"ask.someone\",\"body\":\"(job, cb) => cb(null, `wait`)\"}]}'";

pub fn families() -> Vec<Family> {
    let all = [vms(), networks(), others(), more(), work(), rest()].into_iter().flatten();
    all.map(|family| Family { operators: true, ..family }).collect()
}

fn vms() -> Vec<Family> {
    let new = "admin vms create --brand joyent --image base-64 --package g1-small --owner acme --network private -n new \
               WAIT -o ids";
    vec![
        family("vms", "GET /vms", "admin vms list -o ids", Else(unlike_a_calm_list)),
        family("long vms", "GET /vms", "admin vms list -o ids", Else(unlike_a_calm_list)).long(),
        family("vm", "GET /vms/*", "admin vms get WEB1 -o ids", Shows(WEB1)),
        family("create VM", "POST /vms", new, Makes(MACHINES, "name", "new", "id")),
        family("stop VM", "POST /vms/*", "admin vms stop WEB1 WAIT", Sets(MACHINES, "id", WEB1, "/state", "stopped")),
        family(
            "change VM",
            "POST /vms/*",
            "admin vms update WEB1 --alias front WAIT",
            Sets(MACHINES, "id", WEB1, "/name", "front"),
        ),
        family("delete VM", "DELETE /vms/*", "admin vms delete BUILD --yes WAIT", Deletes(MACHINES, "id", BUILD)),
        family(
            "VM's tags",
            "POST /vms/*/tags",
            "admin vms tags set WEB1 ticket=42 WAIT",
            Sets(MACHINES, "id", WEB1, "/tags/ticket", "42"),
        ),
        family("VM's NIC", "POST /vms/*", "admin vms nics add WEB1 --network private WAIT", Else(not_one_nic_more)),
        family("VM's snapshot", "POST /vms/*", "admin vms snapshots create WEB1 -n new WAIT", Else(not_one_snapshot)),
    ]
}

fn networks() -> Vec<Family> {
    let lab = "admin networks create -n lab --uuid LAB --nic-tag external --vlan 30 --subnet 10.60.0.0/24 \
               --provision-start-ip 10.60.0.10 --provision-end-ip 10.60.0.99 -o ids"
        .replace("LAB", LAB);
    let nic = "admin nics create --owner a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f --belongs-to-type other --belongs-to-uuid \
               WEB1 --network private --mac 02:08:20:00:00:07 -o ids";
    let tiny = "admin packages create -n tiny --version 1.0.0 --memory 256 --swap 512 --quota 10G --max-lwps 1000 \
                --zfs-io-priority 10 --cpu-cap 25 --active -o ids";
    vec![
        family("subnets", "GET /networks", "admin networks list -o ids", Else(unlike_a_calm_list)),
        family("create subnet", "POST /networks", &lab, Makes(NETWORKS, "name", "lab", "id")),
        family(
            "change subnet",
            "PUT /networks/*",
            &format!("admin networks update {LAB} --resolver 10.0.0.9"),
            Sets(NETWORKS, "id", LAB, "/resolvers/0", "10.0.0.9"),
        )
        .after(&lab),
        family(
            "delete subnet",
            "DELETE /networks/*",
            &format!("admin networks delete {LAB} --yes"),
            Deletes(NETWORKS, "id", LAB),
        )
        .after(&lab),
        family("create NIC", "POST /nics", nic, Else(more_than_one_nic)),
        family("delete NIC", "DELETE /nics/*", "admin nics delete 02:08:20:00:00:07 --yes", Else(a_nic_is_left))
            .after(nic),
        family(
            "reserve address",
            "PUT /networks/*/ips/*",
            "admin ips update private 10.64.0.99 --reserved",
            Sets(NETWORKS, "id", PRIVATE, "/records/10.64.0.99/reserved", "true"),
        ),
        family(
            "smart network",
            "POST /networks",
            "admin networks create-smart -n smart --nic-tag internal -o ids",
            Makes(NETWORKS, "name", "smart", "id"),
        ),
        family("create package", "POST /packages", tiny, Makes(PACKAGES, "name", "tiny", "id")),
        family(
            "change package",
            "PUT /packages/*",
            &format!("admin packages update {NANO} --description new"),
            Sets(PACKAGES, "id", NANO, "/description", "new"),
        ),
        family(
            "delete package",
            "DELETE /packages/*",
            &format!("admin packages delete {NANO} --force"),
            Deletes(PACKAGES, "id", NANO),
        ),
    ]
}

fn others() -> Vec<Family> {
    let wait = format!("admin jobs wait {JOB} --timeout 6s");
    vec![
        family("instances", "GET /instances", "admin instances list -o ids", Else(unlike_a_calm_list)),
        family(
            "instance's metadata",
            "PUT /instances/*",
            "admin instances update vmapi0 --metadata note=new",
            Else(a_note_is_missing),
        ),
        family("jobs", "GET /jobs", "admin jobs list -o ids", Else(unlike_a_calm_list)),
        family("job", "GET /jobs/*", &format!("admin jobs get {JOB} -o ids"), Shows(JOB)),
        family("wait for job", "GET /jobs/*", &wait, Else(nothing)),
        family("why VM", "GET /vms/*", "admin vms why WEB1 --json", Else(nothing)),
        family("servers", "GET /servers", "admin servers list -o ids", Else(unlike_a_calm_list)),
        family("health", "GET /ping", "admin health --json", Else(not_a_table_of_all)).telling(),
        family("discover", "GET /ping", "admin discover --json", Else(not_all_are_told)).telling(),
    ]
}

fn more() -> Vec<Family> {
    let vlan = "admin fabrics vlans create a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f 300 new -o name";
    // The first one in the list.
    let image = "admin images list -o ids";
    vec![
        family(
            "create pool",
            "POST /network_pools",
            "admin pools create new --network public --network public-b -o name",
            Makes("/pools", "name", "new", "name"),
        ),
        family("create VLAN of an account", "POST /fabrics/*/vlans", vlan, Makes("/vlans", "name", "new", "name")),
        family(
            "create NIC tag",
            "POST /nic_tags",
            "admin nictags create new -o name",
            Makes("/operators/nic_tags", "name", "new", "name"),
        ),
        family("all images", "GET /images", image, Else(unlike_a_calm_list)),
        family("packages", "GET /packages", "admin packages list -o ids", Else(unlike_a_calm_list)),
        family("account", "GET /accounts", "admin accounts find acme", Else(nothing)),
        family("addresses", "GET /networks/*/ips", "admin ips list private -o ids", Else(unlike_a_calm_list)),
    ]
}

/// What else is waited for.
fn work() -> Vec<Family> {
    vec![
        family(
            "begin migration",
            "POST /vms/*",
            "admin migrations begin WEB1 WAIT",
            Sets(MIGRATIONS, "machine", WEB1, "/state", "paused"),
        ),
        family("abort migration", "POST /vms/*", "admin migrations abort WEB1 --yes WAIT", Else(a_migration_is_left))
            .after("admin migrations begin WEB1 WAIT"),
        family("VM's disk", "POST /vms/*", "admin vms disks add DB1 10240 WAIT", Else(not_one_disk_more)),
        family(
            "VM's metadata",
            "POST /vms/*/customer_metadata",
            "admin vms metadata set WEB1 note=new WAIT",
            Sets(MACHINES, "id", WEB1, "/metadata/note", "new"),
        ),
    ]
}

fn rest() -> Vec<Family> {
    let role = "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61";
    let aggregation = "admin aggregations create aggr1 --mac 00:25:90:aa:01:03 --mac 00:25:90:aa:01:04 -o name";
    vec![
        family("migrations", "GET /migrations", "admin migrations list -o vm_uuid -H", Else(unlike_a_calm_list))
            .after("admin migrations begin WEB1 WAIT"),
        family("applications", "GET /applications", "admin applications list -o ids", Else(unlike_a_calm_list)),
        family("aggregations", "GET /aggregations", "admin aggregations list -o ids", Else(unlike_a_calm_list)),
        family(
            "create aggregation",
            "POST /aggregations",
            aggregation,
            Makes("/operators/aggregations", "name", "aggr1", "name"),
        ),
        family("workflows", "GET /workflows", "admin workflows list -o ids", Else(unlike_a_calm_list)),
        family(
            "VM's role tags",
            "PUT /vms/*/role_tags",
            &format!("admin vms role-tags set WEB1 {role} --yes"),
            Else(a_role_is_missing),
        ),
        family("cancel job", "POST /jobs/*/cancel", "admin jobs cancel THIS --yes", Else(it_is_not_canceled))
            .after("admin vms reboot WEB1 -o job_uuid -H")
            .paced(0.4),
        family("resume job", "POST /jobs/*/resume", "admin jobs resume THIS --result OK", Else(it_is_not_resumed))
            .after(A_WORKFLOW_THAT_WAITS)
            .after("admin raw workflow POST /jobs -d '{\"workflow\":\"THIS\"}' --jq .uuid -R"),
        family("watch job", "GET /jobs/*", &format!("admin jobs watch {JOB} --timeout 6s"), Else(nothing)),
        family("raw", "GET /vms", "admin raw vmapi GET /vms", Else(nothing)),
        family(
            "raw POST",
            "POST /nic_tags",
            "admin raw napi POST /nic_tags -d '{\"name\":\"new\"}'",
            Else(more_than_one_tag),
        ),
        family("doctor of services", "GET /ping", "admin doctor --json", Else(not_all_is_told)).telling(),
    ]
}

/// A list that is said to be whole is the same when all is well.
fn unlike_a_calm_list(after: &After<'_>) -> Option<String> {
    let line = after.line;
    let calm = text(&(after.run)(line).stdout);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    (after.well && sorted(&calm) != sorted(after.out))
        .then(|| format!("it tells of {} of {}", after.out.lines().count(), calm.lines().count()))
}

fn parts(after: &After<'_>, place: &str, field: &str, text: &str) -> usize {
    after.rows(place).iter().filter(|row| row[field] == text).count()
}

fn not_one_nic_more(after: &After<'_>) -> Option<String> {
    let made = parts(after, "/nics of 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d", "network", PRIVATE);
    (made > 1 || after.well && made == 0).then(|| format!("{made} were made"))
}

fn not_one_snapshot(after: &After<'_>) -> Option<String> {
    let made = parts(after, "/snapshots of 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d", "name", "new");
    (made > 1 || after.well && made == 0).then(|| format!("{made} were made"))
}

fn nics(after: &After<'_>) -> usize {
    after.rows(NICS).iter().filter(|row| row["nic"]["mac"] == "02:08:20:00:00:07").count()
}

fn more_than_one_nic(after: &After<'_>) -> Option<String> {
    let made = nics(after);
    (made > 1 || after.well && made == 0).then(|| format!("{made} were made"))
}

fn a_nic_is_left(after: &After<'_>) -> Option<String> {
    (after.well && nics(after) > 0).then(|| "it is still there".to_owned())
}

fn a_note_is_missing(after: &After<'_>) -> Option<String> {
    let told = text(&(after.run)("admin instances get vmapi0 --jq .metadata.note").stdout);
    (after.well && !told.contains("new")).then(|| "the note is not there".to_owned())
}

fn not_a_table_of_all(after: &After<'_>) -> Option<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(after.out).unwrap_or_default();
    let up = rows.iter().filter(|row| row["state"] == "up").count();
    (rows.len() < 8 || after.well && up != rows.len()).then(|| format!("{up} of {} are up", rows.len()))
}

/// Of each service its address is told, or why there is none.
fn not_all_are_told(after: &After<'_>) -> Option<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(after.out).unwrap_or_default();
    let told = rows.iter().filter(|row| row["url"].is_string() || row["how"].is_string()).count();
    (told < 8 || told != rows.len()).then(|| format!("{told} of {} are told", rows.len()))
}

fn nothing(_: &After<'_>) -> Option<String> {
    None
}

fn a_role_is_missing(after: &After<'_>) -> Option<String> {
    let tags = &after.books["accounts"][0]["role_tags"][format!("machines/{WEB1}")];
    (after.well && tags[0] != "a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e61").then(|| format!("it has {tags}"))
}

fn a_migration_is_left(after: &After<'_>) -> Option<String> {
    let left = parts(after, MIGRATIONS, "machine", WEB1);
    (after.well && left > 0).then(|| format!("{left} are left"))
}

fn it_is_not_canceled(after: &After<'_>) -> Option<String> {
    let job = after.line.split(' ').nth(3).unwrap_or_default();
    let stands = text(&(after.run)(&format!("admin jobs get {job} -o execution -H")).stdout);
    (after.well && stands.trim() != "canceled").then(|| format!("it is {stands}"))
}

fn it_is_not_resumed(after: &After<'_>) -> Option<String> {
    let job = after.line.split(' ').nth(3).unwrap_or_default();
    let stands = text(&(after.run)(&format!("admin jobs get {job} -o execution -H")).stdout);
    (after.well && !matches!(stands.trim(), "queued" | "running" | "succeeded")).then(|| format!("it is {stands}"))
}

fn more_than_one_tag(after: &After<'_>) -> Option<String> {
    let made = after.rows("/operators/nic_tags").iter().filter(|row| row["name"] == "new").count();
    (made > 1 || after.well && made == 0).then(|| format!("{made} were made"))
}

/// Each service that is asked has a line, and so has each instance.
fn not_all_is_told(after: &After<'_>) -> Option<String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(after.out).unwrap_or_default();
    let told = |name: &str| rows.iter().any(|row| row["check"] == name);
    let missing: Vec<&str> = ["sapi", "vmapi", "workflow", "napi", "papi", "imgapi", "cnapi", "mahi"]
        .into_iter()
        .filter(|name| !told(name))
        .collect();
    let failed = rows.iter().any(|row| row["status"] == "fail" || row["status"] == "warn");
    (!missing.is_empty() || after.well && failed).then(|| format!("nothing of {missing:?}"))
}
