//! SAPI: which applications, services and instances a data center has, and how each is set up.

use super::INNER;
use crate::api::*;

const MASTER: Field = query("include_master", Kind::Flag("true"), "Show those of the master data center too");

/// An application: `sdc` is the data center itself.
pub static APPLICATION: Noun =
    Noun::new("application", &GET_APPLICATION, &LIST_APPLICATIONS).ids(Ids::Uuid, "uuid", CALLED).filter("name");
/// A service of an application.
pub static SERVICE: Noun =
    Noun::new("service", &GET_SERVICE, &LIST_SERVICES).ids(Ids::Uuid, "uuid", CALLED).filter("name");
/// An instance of a service: a zone, or an agent.
pub static INSTANCE: Noun = Noun::new("instance", &GET_INSTANCE, &LIST_INSTANCES)
    .ids(Ids::Uuid, "uuid", "id, short id or alias")
    .named("params/alias");
/// A file that a service is set up by.
pub static MANIFEST: Noun = Noun::new("manifest", &GET_MANIFEST, &LIST_MANIFESTS).ids(Ids::Uuid, "uuid", CALLED);

const CALLED: &str = "id, short id or name";

/// ListApplications.
pub static LIST_APPLICATIONS: Op = Op::list("ListApplications", "list", "/applications", "List the applications")
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("owner_uuid", Kind::Uuid, "Only those of this owner").flag("owner").test(Test::Text("owner_uuid")),
        MASTER,
    ])
    .examples("admin applications list --json\nadmin applications list name=sdc");

/// GetApplication.
pub static GET_APPLICATION: Op = Op::get("GetApplication", "get", "/applications/:application", "Show an application")
    .each()
    .examples("admin applications get sdc\nadmin applications get -o name,owner_uuid sdc");

/// `sdc admin applications`.
pub static APPLICATIONS: Resource = Resource {
    name: "applications",
    aliases: &["application", "apps"],
    about: "Applications, above all the data center itself (SAPI)",
    columns: &[column("uuid"), column("name"), column("owner_uuid"), column("metadata").nested()],
    ops: &[&LIST_APPLICATIONS, &GET_APPLICATION],
};

/// ListServices.
pub static LIST_SERVICES: Op = Op::list("ListServices", "list", "/services", "List the services")
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("application_uuid", Kind::Ref(&APPLICATION), "Only those of this application")
            .flag("application")
            .test(Test::Id("application_uuid")),
        query("type", Kind::OneOf(&["vm", "agent"]), "Only zones, or only agents").test(Test::Text("type")),
        MASTER,
    ])
    .examples("admin services list\nadmin services list type=agent");

/// GetService.
pub static GET_SERVICE: Op = Op::get("GetService", "get", "/services/:service", "Show a service")
    .each()
    .examples("admin services get vmapi\nadmin services get vmapi cnapi -o name,uuid");

/// `sdc admin services`.
pub static SERVICES: Resource = Resource {
    name: "services",
    aliases: &["service", "svcs"],
    about: "Services of the data center (SAPI)",
    columns: &[
        column("uuid"),
        column("name"),
        column("type"),
        column("application_uuid").long(),
        column("params").nested(),
        column("metadata").nested(),
    ],
    ops: &[&LIST_SERVICES, &GET_SERVICE],
};

/// ListInstances.
pub static LIST_INSTANCES: Op = Op::list("ListInstances", "list", "/instances", "List the instances of the services")
    .fields(&[
        query("service_uuid", Kind::Ref(&SERVICE), "Only those of this service").test(Test::Id("service_uuid")),
        query("type", Kind::OneOf(&["vm", "agent"]), "Only zones, or only agents").test(Test::Text("type")),
        MASTER,
    ])
    .examples("admin instances list\nadmin instances list service_uuid=vmapi");

/// GetInstance.
pub static GET_INSTANCE: Op = Op::get("GetInstance", "get", "/instances/:instance", "Show an instance of a service")
    .each()
    .examples("admin instances get vmapi0\nadmin instances get vmapi0 --json");

/// `sdc admin instances`.
pub static INSTANCES: Resource = Resource {
    name: "instances",
    aliases: &["instance", "insts"],
    about: "Instances of the services, and the VMs that they are (SAPI)",
    columns: &[
        column("uuid"),
        column("alias").of("/params/alias"),
        column("type"),
        column("service_uuid").ids_of(&SERVICE),
        column("server").of("/params/server_uuid").long(),
        column("params").nested(),
        column("metadata").nested(),
    ],
    ops: &[&LIST_INSTANCES, &GET_INSTANCE],
};

/// ListManifests.
pub static LIST_MANIFESTS: Op =
    Op::list("ListManifests", "list", "/manifests", "List the files that services are set up by")
        .fields(&[MASTER])
        .examples("admin manifests list\nadmin manifests list name=vmapi");

/// GetManifest.
pub static GET_MANIFEST: Op = Op::get("GetManifest", "get", "/manifests/:manifest", "Show a file of a service")
    .each()
    .examples("admin manifests get vmapi\nadmin manifests get vmapi --json");

/// `sdc admin manifests`.
pub static MANIFESTS: Resource = Resource {
    name: "manifests",
    aliases: &["manifest"],
    about: "Files that services are set up by (SAPI)",
    columns: &[
        column("uuid"),
        column("name"),
        column("path"),
        column("version"),
        column("post_cmd").long(),
        column("template").named(),
    ],
    ops: &[&LIST_MANIFESTS, &GET_MANIFEST],
};

/// SAPI. Without a version it would hide the agents.
pub static SAPI: Service = Service {
    name: "SAPI",
    resources: &[&APPLICATIONS, &SERVICES, &INSTANCES, &MANIFESTS],
    nouns: &[&APPLICATION, &SERVICE, &INSTANCE, &MANIFEST],
    versions: Some("~2"),
    first: 1,
    ..INNER
};
