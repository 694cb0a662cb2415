//! VMAPI: the virtual machines of all accounts. What changes one is the work of a job, which the answer names.

mod actions;
mod metadata;
mod migrations;
mod parts;

pub use actions::*;
pub use metadata::*;
pub use migrations::*;
pub use parts::*;

use super::cnapi::SERVER;
use super::imgapi::IMAGE;
use super::mahi::ACCOUNT;
use super::napi::{GET_NETWORK, GET_POOL, LIST_NETWORKS, LIST_POOLS};
use super::papi::PACKAGE;
use super::{BRANDS, EXECUTION, INNER, LIMIT, VM_JOB_COLUMNS};
use crate::api::*;

const ALL: &str = "/vms";
const ONE: &str = "/vms/:vm";

/// A VM. Its name is its alias, which no two active VMs of one owner share; VMs of several owners do.
pub static VM: Noun = Noun::new("vm", &GET, &LIST)
    .word("VM")
    .ids(Ids::Uuid, "uuid", "id, short id or alias")
    .named("alias")
    .filter("alias")
    .fails(&["failed"])
    .gone(&["destroyed"])
    .rests(&["running", "stopped"])
    .usually(Usual {
        name: "state",
        value: "active",
        unless: &["state", "predicate", "query", "uuids"],
        without: &["destroyed", "failed"],
    })
    .jobs(JOBS_OF_VM)
    .picked_by(&[Pick::Tags, Pick::State("predicate", ANY_STATE), Pick::Age("create_timestamp")])
    .states(STATES);

/// Where the jobs of a VM are.
const JOBS_OF_VM: Jobs = Jobs { get: &GET_JOB, of_one: &JOBS, thing: "vm_uuid" };

/// What the list is asked for. Of the states it knows only three, the others are found by a predicate.
const ASKED: &[State] = &[
    state("running"),
    state("stopped"),
    state("destroyed"),
    state("failed").by("predicate", r#"{"eq":["state","failed"]}"#),
    state("provisioning").by("predicate", r#"{"eq":["state","provisioning"]}"#),
    state("stopping").by("predicate", r#"{"eq":["state","stopping"]}"#),
    state("incomplete").by("predicate", r#"{"eq":["state","incomplete"]}"#),
    state("configured").by("predicate", r#"{"eq":["state","configured"]}"#),
    state("ready").by("predicate", r#"{"eq":["state","ready"]}"#),
    state("receiving").by("predicate", r#"{"eq":["state","receiving"]}"#),
    // A running one whose server is not heard from: the record says that it runs.
    state("unknown").unasked(),
];

/// The states of a VM, the good one first.
const STATES: &[&str] = &[
    "running",
    "stopped",
    "stopping",
    "provisioning",
    "incomplete",
    "configured",
    "ready",
    "receiving",
    "failed",
    "destroyed",
    "unknown",
];

/// Finds the VMs of all states: no other filter does.
const ANY_STATE: &str = r#"{"ne":["state","none"]}"#;

/// What a NIC of a VM is on: a network or a pool of them, which its owner may use.
pub static PLACE: Noun = Noun::new("network", &GET_NETWORK, &LIST_NETWORKS)
    .ids(Ids::Uuid, "uuid", "id, short id or name")
    .referred(&[("provisionable_by", Referred::Field("owner_uuid"))])
    .beside(&POOLED)
    .filter("name");

/// A pool of networks, where a VM may have a NIC.
static POOLED: Noun = Noun::new("network pool", &GET_POOL, &LIST_POOLS)
    .ids(Ids::Uuid, "uuid", "id, short id or name")
    .referred(&[("provisionable_by", Referred::Field("owner_uuid"))])
    .filter("name");

/// Which owner it must have: another one's is not found.
const OWNER: Field =
    query("owner_uuid", Kind::Ref(&ACCOUNT), "Refuse a VM that this account does not own: login or id")
        .flag("owner")
        .value("ACCOUNT");

/// The networks of new NICs.
const NETWORKS: Field = body(
    "networks",
    Kind::Interfaces(&PLACE),
    "Network or pool of a NIC: id, short id or name; network=NAME,ip=ADDRESS; or VMAPI's JSON. May be repeated",
)
.flag("network");

/// ListVms. The alias is matched by its beginning, and without a state those that were destroyed are listed too.
pub static LIST: Op = Op::list("ListVms", "list", ALL, "List the VMs of all accounts")
    .long(
        "Failed and destroyed VMs are left out without --all, their state, or a query of your own. --alias web1 and \
         'alias=web1*' find all aliases that begin so.",
    )
    .marker_pages(1000, Mark::Object("uuid"))
    .fields(&[
        query("alias", Kind::Text, "Only VMs whose alias starts with TEXT or matches a glob: '*-db'")
            .test(Test::Begins("alias")),
        query("state", Kind::OneOf(STATES), "Only VMs in one of these states")
            .value("STATE,...")
            .test(Test::State(ASKED, None)),
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only VMs of this account: login or id")
            .flag("owner")
            .test(Test::Id("owner_uuid")),
        query("server_uuid", Kind::Ref(&SERVER), "Only VMs on this server: id or hostname")
            .flag("server")
            .test(Test::Id("server_uuid")),
        query("brand", Kind::OneOf(BRANDS), "Only VMs of this brand").test(Test::Text("brand")),
        query("image_uuid", Kind::Ref(&IMAGE), "Only zones made from this image: id, name or name@version")
            .flag("image")
            .test(Test::Id("image_uuid")),
        query("billing_id", Kind::Ref(&PACKAGE), "Only VMs of this package: id, name or name@version")
            .flag("package")
            .test(Test::Id("billing_id")),
        query("package_name", Kind::Text, "Only VMs made with a package of this name").test(Test::Text("package_name")),
        query("package_version", Kind::Text, "Only VMs made with this version of it")
            .test(Test::Text("package_version")),
        query("ram", Kind::Mebibytes, "Only VMs with this much memory, in MiB or with a unit: 2G")
            .test(Test::Number("max_physical_memory")),
        query("docker", Kind::Bool, "Only Docker containers, or none of them").test(Test::Bool("docker")),
        query("tag", Kind::Pairs("tag."), "Only VMs with this tag; all must match").test(Test::Member("tags")),
        query("internal_metadata", Kind::Pairs("internal_metadata."), "Only VMs with this internal metadata")
            .test(Test::Member("internal_metadata")),
        query("create_timestamp", Kind::Integer, "Only VMs made at this time, in milliseconds since 1970")
            .test(Test::Moment("create_timestamp")),
        query("uuids", Kind::Text, "Only VMs of these ids").value("UUID,...").test(Test::Among("uuid")),
        query("role_tags", Kind::Text, "Only VMs with one of these role tags").value("UUID,...").test(Test::Service),
        query("query", Kind::LdapFilter, "Only VMs that this LDAP filter finds: (&(ram>=1024)(brand=lx))")
            .test(Test::Service),
        query("predicate", Kind::Predicate, r#"Only VMs that this predicate finds: {"ge":["ram",1024]}"#)
            .test(Test::Service),
        LIMIT,
    ])
    .examples(
        "admin vms list 'web*' state=running 'ram>=1G'\n\
         admin vms list -l role=web -o alias,state,server_uuid",
    );

/// GetVm. One that was destroyed is still shown.
pub static GET: Op = Op::get("GetVm", "get", ONE, "Show a VM")
    .each()
    .fields(&[
        OWNER,
        query("sync", Kind::Flag("true"), "Ask its server first, which is slower"),
        query("fields", Kind::Text, "Only these fields, uuid among them").value("FIELD,..."),
    ])
    .examples("admin vms get web1\nadmin vms get web1 -o alias,state,server_uuid");

/// GetVmProc.
pub static PROC: Op = Op::list("GetVmProc", "ps", "/vms/:vm/proc", "List the processes of a running VM")
    .columns(&[
        column("pid").of("/psinfo/pr_pid"),
        column("ppid").of("/psinfo/pr_ppid"),
        column("uid").of("/psinfo/pr_uid"),
        column("command").of("/psinfo/pr_psargs"),
    ])
    .examples("admin vms ps web1\nadmin vms ps web1 --json");

/// ListVmJobs, newest first.
pub static JOBS: Op = Op::list("ListVmJobs", "jobs", "/vms/:vm/jobs", "List the jobs of a VM, newest first")
    .fields(&[TASK, EXECUTION])
    .columns(VM_JOB_COLUMNS)
    .examples("admin vms jobs web1\nadmin vms jobs web1 task=stop");

const TASK: Field =
    query("task", Kind::Text, "Only jobs of this task: provision, start, stop, reboot, update, destroy, ...")
        .test(Test::Text("params/task"));

/// GetJob: the workflow's job, as far as VMAPI shows it. A wait asks for it, since VMAPI is known by then.
pub static GET_JOB: Op =
    Op::get("GetJob", "job", "/jobs/:vmjob", "Show a job as VMAPI knows it").columns(VM_JOB_COLUMNS).examples(
        "admin vms job d0662875-37e4-5f9f-a113-1bfdd18355e2\nadmin vms job d0662875-37e4-5f9f-a113-1bfdd18355e2 --json",
    );

/// ListJobs.
pub static LIST_JOBS: Op = Op::list("ListJobs", "all-jobs", "/jobs", "List the jobs of all VMs, newest first")
    .fields(&[
        TASK,
        EXECUTION,
        query("vm_uuid", Kind::Ref(&VM), "Only jobs of this VM").flag("vm").test(Test::Id("params/vm_uuid")),
    ])
    .columns(VM_JOB_COLUMNS)
    .examples("admin vms all-jobs execution=failed\nadmin vms all-jobs vm=web1");

/// What stands for a job in a path of VMAPI.
pub static VM_JOB: Noun = Noun {
    called: "id",
    ..Noun::new("vmjob", &GET_JOB, &LIST_JOBS)
        .word("job")
        .ids(Ids::Uuid, "uuid", "id")
        .named("uuid")
        .stated("execution")
};

/// ListStatuses.
pub static STATUSES: Op = Op::map("ListStatuses", "statuses", "/statuses", "Show the states of VMs")
    .fields(&[query("uuids", Kind::Refs(&VM), "VMs: ids, short ids or aliases").positional()])
    .columns(&[column("uuid").of("name").stays(), column("state").of("value").stays()])
    .examples("admin vms statuses web1 db1\nadmin vms statuses 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d --json");

/// How a VM is shown.
pub const COLUMNS: &[Column] = MADE.split_at(MADE.len() - 2).0;

/// The same of one that was asked for: before a wait there is nothing but its job.
const MADE: &[Column] = &[
    column("shortid").of("uuid").show(Show::ShortId).brief().stays(),
    column("uuid").always().long(),
    column("alias").always_or_null().stays(),
    column("brand").always(),
    column("state").always().stays(),
    column("ram").always_or_null().show(Show::Mebibytes).roomy(),
    column("owner_uuid").always().show(Show::ShortId),
    column("server_uuid").always_or_null().roomy(),
    column("ip").of("/nics/0/ip").roomy(),
    column("age").of("create_timestamp").time().show(Show::Age).brief(),
    column("create_timestamp").always().time().long(),
    column("zone_state").always_or_null().long(),
    column("billing_id").always_or_null().named(),
    column("package_name").named(),
    column("package_version").named(),
    column("image_uuid").named(),
    column("max_physical_memory").always_or_null().named().show(Show::Mebibytes),
    column("max_swap").always_or_null().named().show(Show::Mebibytes),
    column("quota").always_or_null().named(),
    column("cpu_cap").always_or_null().named(),
    column("cpu_shares").always_or_null().named(),
    column("vcpus").named(),
    column("max_lwps").always_or_null().named(),
    column("autoboot").always_or_null().truth().named(),
    column("docker").truth().named(),
    column("firewall_enabled").always().truth().named(),
    column("last_modified").always().time().named(),
    column("destroyed").always_or_null().time().named(),
    column("boot_timestamp").time().named(),
    column("hostname").named(),
    column("kernel_version").named(),
    column("platform_buildstamp").always_or_null().named(),
    column("nics").objects().named(),
    column("disks").objects().named(),
    column("snapshots").objects().named(),
    column("tags").always_nested(),
    column("role_tags").named(),
    column("customer_metadata").always_nested(),
    column("internal_metadata").always_nested(),
    column("vm_uuid").named(),
    column("job_uuid").named(),
];

/// `sdc admin vms`.
pub static VMS: Resource = Resource {
    name: "vms",
    aliases: &["vm", "machines"],
    about: "Virtual machines and containers of all accounts (VMAPI)",
    columns: COLUMNS,
    ops: &[
        &LIST,
        &GET,
        &CREATE,
        &START,
        &STOP,
        &REBOOT,
        &KILL,
        &REPROVISION,
        &UPDATE,
        &DELETE,
        &PROC,
        &STATUSES,
        &JOBS,
        &GET_JOB,
        &LIST_JOBS,
        &ADD_NICS,
        &UPDATE_NICS,
        &REMOVE_NICS,
        &CREATE_SNAPSHOT,
        &ROLLBACK_SNAPSHOT,
        &DELETE_SNAPSHOT,
        &CREATE_DISK,
        &RESIZE_DISK,
        &DELETE_DISK,
        &LIST_METADATA,
        &GET_METADATA,
        &SET_METADATA,
        &REPLACE_METADATA,
        &DELETE_METADATA,
        &DELETE_ALL_METADATA,
        &LIST_INTERNAL,
        &GET_INTERNAL,
        &SET_INTERNAL,
        &REPLACE_INTERNAL,
        &DELETE_INTERNAL,
        &DELETE_ALL_INTERNAL,
        &LIST_TAGS,
        &GET_TAG,
        &SET_TAGS,
        &REPLACE_TAGS,
        &DELETE_TAG,
        &DELETE_ALL_TAGS,
        &ADD_ROLE_TAGS,
        &SET_ROLE_TAGS,
        &DELETE_ROLE_TAG,
        &DELETE_ALL_ROLE_TAGS,
    ],
};

/// VMAPI.
pub static VMAPI: Service = Service {
    name: "VMAPI",
    resources: &[&VMS, &MIGRATIONS],
    nouns: &[&VM, &VM_JOB, &METADATA_KEY, &INTERNAL_KEY, &VM_TAG],
    ..INNER
};
