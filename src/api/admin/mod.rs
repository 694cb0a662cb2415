//! The internal services of a data center, which stand behind CloudAPI on the admin network: a file a service. Data
//! only. Nothing is signed there: to reach the network is to be allowed.

pub mod cnapi;
pub mod imgapi;
pub mod mahi;
pub mod napi;
pub mod papi;
pub mod sapi;
pub mod vmapi;
pub mod workflow;

pub use cnapi::CNAPI;
pub use imgapi::IMGAPI;
pub use mahi::MAHI;
pub use napi::NAPI;
pub use papi::PAPI;
pub use sapi::SAPI;
pub use vmapi::VMAPI;
pub use workflow::WORKFLOW;

use super::{Column, Field, Kind, Remedy, Service, Show, Test, body, column, field, query};
use mahi::ACCOUNT;

/// The word before the commands of all of them.
pub const PREFIX: &str = "admin";

/// What they have in common.
const INNER: Service = Service {
    name: "",
    prefix: PREFIX,
    resources: &[],
    nouns: &[],
    doctor: "admin doctor",
    signed: false,
    traced: true,
    secret: false,
    account_in_path: false,
    versions: None,
    first: 0,
    account: None,
    server: "",
    missing: &["ResourceNotFound"],
    denied: &["Forbidden", "NotAuthorized", "OperatorOnly"],
    passing: PASSING,
    queued: "is already queued",
    remedies: REMEDIES,
};

/// Two that write one record at once, and services that have just been started.
const PASSING: &[&str] =
    &["etagconflict", "etag conflict", "deadlock detected", "still initializing", "initial network data not loaded"];

/// None of them wants a signature, and each is asked for a version that it has: one that lacks it is another service.
const REMEDIES: &[Remedy] = &[
    Remedy::new(
        "Cannot delete a VM with no server_uuid",
        "it was never placed on a server: nothing of it is there but this record",
    ),
    Remedy::new("may not be deleted", "the tags of Docker stay; others go by their names")
        .run("admin vms tags delete VM TAG"),
    Remedy::new("InvalidCredentials", CUSTOMERS),
    Remedy::new("InvalidVersion", "another service is there, perhaps CloudAPI; which one").run("admin discover"),
];

/// What is said where CloudAPI answers instead of one of them.
pub const CUSTOMERS: &str = "that is CloudAPI, the customers' service; the internal ones are on the admin network";

/// Any of them, when it is not known which one is at an address: it is asked for no version.
pub static ANY: Service = INNER;

/// The firewall service. It has no commands of its own yet.
pub static FWAPI: Service = Service { name: "FWAPI", ..INNER };

/// The service of volumes. It has no commands of its own yet.
pub static VOLAPI: Service = Service { name: "VOLAPI", versions: Some("~1"), first: 1, ..INNER };

/// The service that watches. It has no commands of its own yet.
pub static AMON: Service = Service { name: "AMON", ..INNER };

/// All of them, by the names that SAPI has for them, which are theirs in small letters: those with commands first.
pub static ALL: &[&Service] = &[&SAPI, &VMAPI, &WORKFLOW, &NAPI, &PAPI, &IMGAPI, &CNAPI, &MAHI, &FWAPI, &VOLAPI, &AMON];

/// The service that SAPI calls so.
pub fn named(name: &str) -> Option<&'static Service> {
    ALL.iter().copied().find(|service| service.name.eq_ignore_ascii_case(name))
}

/// How many rows are wanted.
const LIMIT: Field = query("limit", Kind::Integer, field::LIMIT);
/// Which row is the first.
const OFFSET: Field = query("offset", Kind::Integer, "Skip this many first");
/// Who may use a thing.
const OWNERS: Field = body(
    "owner_uuids",
    Kind::Refs(&ACCOUNT),
    "Account that may use it: login or id; may be repeated. Without any, all may",
)
.flag("owner")
.value("ACCOUNT");
/// The brands of VMs.
const BRANDS: &[&str] = &["bhyve", "joyent", "joyent-minimal", "kvm", "lx"];

/// How a job stands. Of two of these the service lists none when it is asked for them.
const EXECUTION: Field = query(
    "execution",
    Kind::OneOf(&["queued", "running", "waiting", "retried", "succeeded", "failed", "canceled"]),
    "Only jobs that stand so",
)
.test(Test::Word("execution", &["waiting", "retried"]));

/// How the workflow service shows a job.
const JOB_COLUMNS: &[Column] = &[
    column("uuid").always().stays(),
    column("name").always().stays(),
    column("execution").always().stays(),
    column("task").of("/params/task").long(),
    column("vm").of("/params/vm_uuid").show(Show::ShortId),
    column("age").of("created_at").time().show(Show::Age),
    column("created_at").always().time().long(),
    column("exec_after").time().named(),
    column("timeout").named(),
    column("params").nested(),
    column("chain_results").objects().named(),
    column("elapsed").roomy(),
    column("workflow_uuid").named(),
    column("num_attempts").named(),
    column("target").named(),
    column("onerror_results").objects().named(),
];
/// The first of them, which is all that VMAPI shows of a job.
const VM_JOB_COLUMNS: &[Column] = JOB_COLUMNS.split_at(11).0;
