//! SAPI: which applications, services and instances a data center has, and how each is set up.

use super::INNER;
use super::imgapi::IMAGE;
use super::mahi::ACCOUNT;
use std::time::Duration;

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

const PARAMS: Field =
    body("params", Kind::Object, "What its VM is made with, NAME=TEXT or NAME:=JSON; may be repeated")
        .flag("param")
        .deep();
const METADATA: Field =
    body("metadata", Kind::Object, "Metadata NAME=TEXT or NAME:=JSON; may be repeated").short('m').deep();
const MANIFEST_IDS: Field = body("manifests", Kind::Object, "Manifest NAME=UUID; may be repeated").flag("manifest");
const ACTION: Field = body(
    "action",
    Kind::OneOf(&["update", "replace", "delete"]),
    "update adds what is given, replace leaves nothing else, delete takes these names out [default: update]",
);

/// ListApplications.
pub static LIST_APPLICATIONS: Op = Op::list("ListApplications", "list", "/applications", "List the applications")
    .fields(&[
        query("name", Kind::Text, "Only those of this name").test(Test::Text("name")),
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only those of this owner: login or id")
            .flag("owner")
            .test(Test::Id("owner_uuid")),
        MASTER,
    ])
    .examples("admin applications list --json\nadmin applications list name=sdc");

/// GetApplication.
pub static GET_APPLICATION: Op = Op::get("GetApplication", "get", "/applications/:application", "Show an application")
    .each()
    .examples("admin applications get sdc\nadmin applications get -o name,owner_uuid sdc");

/// CreateApplication. An id that is taken would replace what has it, so that none is taken here.
pub static CREATE_APPLICATION: Op = Op::create("CreateApplication", "create", "/applications", "Create an application")
    .making(&APPLICATION)
    .fields(&[
        body("name", Kind::Text, "Name").short('n').required(),
        body("owner_uuid", Kind::Ref(&ACCOUNT), "Account that has it: login or id").flag("owner").required(),
        PARAMS,
        METADATA,
        MANIFEST_IDS,
    ])
    .assigns()
    .examples(
        "admin applications create -n lab --owner admin\nadmin applications create --from application.json --dry-run",
    );

/// UpdateApplication.
pub static UPDATE_APPLICATION: Op = Op::put("UpdateApplication", "update", "/applications/:application", "Change an application")
    .fields(&[ACTION, PARAMS, METADATA, MANIFEST_IDS])
    .replaces(&["params", "metadata", "manifests"])
    .assigns()
    .examples("admin applications update --metadata ntp_host=10.0.0.1 sdc\nadmin applications update --action delete --metadata mail_to=x sdc");

/// DeleteApplication.
pub static DELETE_APPLICATION: Op =
    Op::delete("DeleteApplication", "delete", "/applications/:application", "Delete an application")
        .each()
        .examples("admin applications delete lab --yes\nadmin applications delete lab --dry-run");

/// `sdc admin applications`.
pub static APPLICATIONS: Resource = Resource {
    name: "applications",
    aliases: &["application", "apps"],
    about: "Applications, above all the data center itself (SAPI)",
    columns: &[
        column("uuid").always().stays(),
        column("name").always().stays(),
        column("owner_uuid").always(),
        column("metadata").nested(),
    ],
    ops: &[&LIST_APPLICATIONS, &GET_APPLICATION, &CREATE_APPLICATION, &UPDATE_APPLICATION, &DELETE_APPLICATION],
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

/// CreateService. An id that is taken would replace what has it, so that none is taken here.
pub static CREATE_SERVICE: Op = Op::create("CreateService", "create", "/services", "Create a service")
    .making(&SERVICE)
    .fields(&[
        body("name", Kind::Text, "Name").short('n').required(),
        body("application_uuid", Kind::Ref(&APPLICATION), "Application: id, short id or name")
            .flag("application")
            .required(),
        body("type", Kind::OneOf(&["vm", "agent"]), "Whether its instances are zones or agents"),
        PARAMS,
        METADATA,
        MANIFEST_IDS,
    ])
    .assigns()
    .examples("admin services create -n probe --type vm --application sdc\nadmin services create --from service.json --dry-run");

/// UpdateService.
pub static UPDATE_SERVICE: Op = Op::put("UpdateService", "update", "/services/:service", "Change a service")
    .fields(&[ACTION, PARAMS, METADATA, MANIFEST_IDS])
    .replaces(&["params", "metadata", "manifests"])
    .assigns()
    .examples("admin services update vmapi --metadata ntp_host=10.0.0.1\nadmin services update vmapi --action delete --metadata SERVICE_DOMAIN=x");

/// DeleteService.
pub static DELETE_SERVICE: Op = Op::delete("DeleteService", "delete", "/services/:service", "Delete a service")
    .each()
    .examples("admin services delete probe --yes\nadmin services delete cmon --dry-run");

/// `sdc admin services`.
pub static SERVICES: Resource = Resource {
    name: "services",
    aliases: &["service", "svcs"],
    about: "Services of the data center (SAPI)",
    columns: &[
        column("uuid").always().stays(),
        column("name").always().stays(),
        column("type"),
        column("application_uuid").always().long(),
        column("params").nested(),
        column("metadata").nested(),
    ],
    ops: &[&LIST_SERVICES, &GET_SERVICE, &CREATE_SERVICE, &UPDATE_SERVICE, &DELETE_SERVICE],
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

/// How long SAPI waits for the job that destroys a zone, or puts another image under it, before it answers.
const HOUR: Duration = Duration::from_secs(3600);

/// CreateInstance. An id that is taken would replace what has it, so that none is taken here.
pub static CREATE_INSTANCE: Op = Op::create(
    "CreateInstance",
    "create",
    "/instances",
    "Create an instance of a service",
)
.making(&INSTANCE)
// Without it the answer waits for the zone, up to an hour.
.fixed(&[("async", "true")])
.fields(&[
    body("service_uuid", Kind::Ref(&SERVICE), "Service: id, short id or name").flag("of").required(),
    body("uuid", Kind::Uuid, "Id, which is that of its VM"),
    body("exists", Kind::Flag("true"), "Its VM is there already"),
    PARAMS,
    METADATA,
    MANIFEST_IDS,
])
.assigns()
.examples(
    "admin instances create --of papi --param alias=papi1\nadmin instances create --from instance.json --dry-run",
);

/// UpdateInstance.
pub static UPDATE_INSTANCE: Op = Op::put("UpdateInstance", "update", "/instances/:instance", "Change an instance of a service")
    .fields(&[ACTION, PARAMS, METADATA, MANIFEST_IDS])
    .replaces(&["params", "metadata", "manifests"])
    .assigns()
    .examples("admin instances update vmapi0 --metadata ntp_host=10.0.0.1\nadmin instances update vmapi0 --action delete --metadata ADMIN_IP=x");

/// DeleteInstance. The service answers when the VM is destroyed.
pub static DELETE_INSTANCE: Op =
    Op::delete("DeleteInstance", "delete", "/instances/:instance", "Delete an instance of a service")
        .answers_within(HOUR)
        .each()
        .examples("admin instances delete vmapi9 --yes\nadmin instances delete vmapi9 --dry-run");

/// UpgradeInstance. The service answers when it is done.
pub static UPGRADE: Op =
    Op::put("UpgradeInstance", "upgrade", "/instances/:instance/upgrade", "Put another image under an instance")
        .answers_within(HOUR)
        .asks()
        .fields(&[body("image_uuid", Kind::Ref(&IMAGE), "The new image: id, name or name@version")
            .flag("image")
            .positional()])
        .examples(
            "admin instances upgrade adminui0 sdc-service --yes\n\
             admin instances upgrade adminui0 sdc-service@1.0.0 --dry-run",
        );

/// GetInstancePayload.
pub static PAYLOAD: Op = Op::get(
    "GetInstancePayload",
    "payload",
    "/instances/:instance/payload",
    "Show what the VM of an instance is made with",
)
.columns(&[column("alias"), column("brand"), column("image_uuid"), column("billing_id"), column("owner_uuid")])
.examples("admin instances payload vmapi0\nadmin instances payload vmapi0 --json");

/// GetConfig.
pub static CONFIG: Op = Op::get("GetConfig", "config", "/configs/:instance", "Show how an instance is set up")
    .columns(&[column("metadata").nested(), column("manifests").objects()])
    .examples("admin instances config vmapi0 --jq .metadata\nadmin instances config vmapi0 --json");

/// `sdc admin instances`.
pub static INSTANCES: Resource = Resource {
    name: "instances",
    aliases: &["instance", "insts"],
    about: "Instances of the services, and the VMs that they are (SAPI)",
    columns: &[
        column("uuid").always().stays(),
        column("alias").of("/params/alias").stays(),
        column("type"),
        column("service_uuid").always().ids_of(&SERVICE),
        column("server").of("/params/server_uuid").long(),
        column("params").nested(),
        column("metadata").nested(),
    ],
    ops: &[
        &LIST_INSTANCES,
        &GET_INSTANCE,
        &CREATE_INSTANCE,
        &UPDATE_INSTANCE,
        &UPGRADE,
        &DELETE_INSTANCE,
        &PAYLOAD,
        &CONFIG,
    ],
};

/// ListManifests.
pub static LIST_MANIFESTS: Op =
    Op::list("ListManifests", "list", "/manifests", "List the files that services are set up by")
        .fields(&[MASTER])
        .examples("admin manifests list\nadmin manifests list name=motd");

/// GetManifest.
pub static GET_MANIFEST: Op = Op::get("GetManifest", "get", "/manifests/:manifest", "Show a file of a service")
    .each()
    .examples("admin manifests get motd\nadmin manifests get motd --json");

/// CreateManifest.
pub static CREATE_MANIFEST: Op =
    Op::create("CreateManifest", "create", "/manifests", "Create a file that services are set up by")
        .making(&MANIFEST)
        .fields(&[
            body("name", Kind::Text, "Name").short('n').required(),
            body("path", Kind::Text, "Path of the file").required(),
            body("template", Kind::File, "File with its contents, - for standard input").required(),
            body("post_cmd", Kind::Text, "Command to run once it has changed"),
            body("version", Kind::Text, "Version: 1.0.0"),
        ])
        .assigns()
        .examples("admin manifests create -n motd --path /etc/motd --template motd.txt\nadmin manifests create --from manifest.json --dry-run");

/// DeleteManifest.
pub static DELETE_MANIFEST: Op =
    Op::delete("DeleteManifest", "delete", "/manifests/:manifest", "Delete a file that services are set up by")
        .each()
        .examples("admin manifests delete motd --yes\nadmin manifests delete motd --dry-run");

/// `sdc admin manifests`.
pub static MANIFESTS: Resource = Resource {
    name: "manifests",
    aliases: &["manifest"],
    about: "Files that services are set up by (SAPI)",
    columns: &[
        column("uuid").always().stays(),
        column("name").always().stays(),
        column("path").always(),
        column("version"),
        column("post_cmd").long(),
        column("template").named(),
    ],
    ops: &[&LIST_MANIFESTS, &GET_MANIFEST, &CREATE_MANIFEST, &DELETE_MANIFEST],
};

/// SAPI. Without a version it would hide the agents.
pub static SAPI: Service = Service {
    name: "SAPI",
    resources: &[&APPLICATIONS, &SERVICES, &INSTANCES, &MANIFESTS],
    nouns: &[&APPLICATION, &SERVICE, &INSTANCE, &MANIFEST],
    versions: Some("~2"),
    first: 1,
    secret: true,
    ..INNER
};
