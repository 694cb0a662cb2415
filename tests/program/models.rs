//! The typed views: they read what the API sends, keep what they do not know, and write it back.

use std::fmt::Debug;

use proptest::prelude::*;
use sdc::Answer;
use sdc::models::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const ID: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
const TIME: &str = "2026-01-02T03:04:05.678Z";

fn read<T: DeserializeOwned>(value: &Value) -> T {
    Answer::from_record(value.to_string().as_bytes()).unwrap().read().unwrap()
}

/// Reads, writes, and finds nothing changed, whether or not the object holds what no view has a field for.
fn keeps<T: DeserializeOwned + Serialize>(mut value: Value) -> T {
    value["since_tomorrow"] = json!({ "deep": [1, null, "x"] });
    let view: T = read(&value);
    assert_eq!(serde_json::to_value(&view).unwrap(), value);
    view
}

#[test]
fn accounts_and_users_keep_all_that_is_sent() {
    let ping: Ping = keeps(json!({ "ping": "pong", "cloudapi": { "versions": ["7.0.0", "9.0.0"], "build": "x" } }));
    assert_eq!(ping.cloudapi.versions.last().map(String::as_str), Some("9.0.0"));
    let account = json!({
        "id": ID, "login": "acme", "email": "a@example.com", "companyName": "Acme", "firstName": "Jill",
        "address": ["1 Road", "Floor 2"], "postalCode": "1000", "triton_cns_enabled": false,
        "created": TIME, "updated": "2013-01-01T00:00:00.000Z",
    });
    let account: Account = keeps(account);
    assert_eq!(account.address, Some(Lines::Many(vec!["1 Road".to_owned(), "Floor 2".to_owned()])));
    assert_eq!(account.created.timestamp().unwrap().as_millisecond() % 1000, 678);
    let user: User = keeps(json!({
        "id": ID, "login": "bob", "email": "b@example.com", "address": "1 Road", "created": TIME, "updated": TIME,
        "roles": ["ops"], "default_roles": [],
    }));
    assert_eq!(user.address, Some(Lines::One("1 Road".to_owned())));
    assert_eq!(user.default_roles, Some(Vec::new()));
}

#[test]
fn keys_configuration_and_limits_keep_all_that_is_sent() {
    let key: Key = keeps(json!({
        "name": "laptop", "fingerprint": "aa:bb", "key": "ssh-rsa AAAA", "attested": true,
        "multifactor": ["pin", "retina"],
    }));
    let factors = key.multifactor.unwrap();
    assert_eq!((factors[0].known(), factors[1].to_string().as_str()), (Some(Factor::Pin), "retina"));
    keeps::<Config>(json!({ "default_network": ID }));
    let limit: Limit = keeps(json!({ "value": -1, "by": "ram", "used": 1.5, "check": "brand", "brand": "any" }));
    assert!(limit.value == -1 && limit.by == Some(LimitBy::Ram.into()));
    keeps::<Limit>(json!({ "value": 0, "by": "floppies", "used": 3 }));
    let body: ErrorBody =
        keeps(json!({ "message": "no", "errors": [{ "field": "name", "code": "Missing", "message": "m", "x": 1 }] }));
    assert_eq!((body.code, body.errors.unwrap()[0].field.as_deref()), (None, Some("name")));
    read::<ErrorBody>(&json!({}));
}

#[test]
fn an_access_key_keeps_the_directorys_residue_and_does_not_show_its_secret() {
    let key: AccessKey = keeps(json!({
        "dn": "accesskeyid=1, ou=users", "controls": [], "objectclass": "accesskey",
        "accesskeyid": "0123456789abcdef0123456789abcdef", "accesskeysecret": "5ec2e7", "created": TIME,
        "status": "Expired", "credentialtype": "permanent", "description": "ci",
    }));
    assert_eq!(key.status, AccessKeyStatus::Expired);
    assert_eq!(key.more["objectclass"], "accesskey");
    assert_eq!(key.access_key_secret.as_ref().unwrap().as_str(), "5ec2e7");
    assert!(!format!("{key:?}").contains("5ec2e7"));
    let odd: AccessKey = keeps(json!({ "accesskeyid": "x", "created": TIME, "status": "Paused" }));
    assert_eq!(odd.status.known(), None);
}

#[test]
fn a_role_can_be_read_in_both_of_its_forms() {
    let new: Role = keeps(json!({
        "id": ID, "name": "ops",
        "members": [
            { "type": "subuser", "id": ID, "login": "bob", "default": true },
            { "type": "robot", "id": ID, "login": "hal", "serial": 9000 },
        ],
        "policies": [{ "id": ID, "name": "read" }],
    }));
    let old: Role = keeps(json!({
        "id": ID, "name": "ops", "members": ["bob", "hal"], "default_members": ["bob"], "policies": ["read"],
    }));
    for role in [&new, &old] {
        assert_eq!(role.members.iter().filter_map(NameOr::login).collect::<Vec<_>>(), ["bob", "hal"]);
        assert_eq!(role.policies[0].name(), Some("read"));
    }
    let NameOr::Object(robot) = &new.members[1] else { panic!("{new:?}") };
    assert_eq!(robot.kind.to_string(), "robot");
    keeps::<Role>(json!({ "id": ID, "name": "none", "members": [], "policies": [], "default_members": [] }));
    keeps::<Policy>(json!({ "id": ID, "name": "read", "rules": ["CAN getmachine"], "description": "d" }));
    let tags: RoleTags = keeps(json!({ "name": "/acme/machines", "role-tag": ["ops"] }));
    assert_eq!(tags.role_tag, ["ops"]);
}

#[test]
fn images_and_packages_keep_all_that_is_sent() {
    let image: Image = keeps(json!({
        "id": ID, "name": "base", "version": "1.10", "os": "plan9", "type": "zone-dataset", "description": "d",
        "requirements": { "min_memory": 256, "min_ram": 256, "brand": "joyent-minimal", "bootrom": "uefi", "cpu": 2 },
        "image_size": 10240, "files": [{ "compression": "zstd", "sha1": "ab", "size": 5_000_000_000_u64, "more": 1 }],
        "tags": { "role": "web", "kernel_version": 5.4 }, "published_at": "2026-01-02T03:04:05Z", "owner": ID,
        "public": true, "state": "failed", "acl": [ID], "origin": ID, "eula": "https://example.com",
        "error": { "code": "VmHasNoOrigin", "message": "m" },
    }));
    assert_eq!(image.os.unwrap().to_string(), "plan9");
    assert_eq!(image.kind, Some(Open::Known(ImageType::ZoneDataset)));
    assert_eq!(image.requirements.brand.unwrap(), Brand::JoyentMinimal);
    assert!(image.published_at.unwrap().timestamp().is_some());
    assert_eq!(image.files.unwrap()[0].compression.known(), None);
    let made: Image = read(&json!({ "id": ID, "name": "mine", "version": "1", "state": "creating" }));
    assert_eq!((made.os, made.kind, made.requirements), (None, None, Requirements::default()));
    keeps::<ExportedImage>(json!({ "manta_url": "https://m", "image_path": "/a", "manifest_path": "/b" }));
    let package: Package = keeps(json!({
        "id": ID, "name": "g1", "version": "1.0.0", "memory": 1024, "disk": 25600, "swap": 4096, "lwps": 4000,
        "vcpus": 0, "default": false, "brand": "vz", "flexible_disk": true,
        "disks": [{ "size": 10240 }, { "size": "remaining", "boot": true }],
    }));
    let disks = package.disks.unwrap();
    assert_eq!((&disks[0].size, &disks[1].size), (&DiskSize::Mib(10240), &DiskSize::Word("remaining".to_owned())));
}

#[test]
fn a_machine_keeps_all_that_is_sent_and_does_not_show_its_metadata() {
    let machine: Machine = keeps(json!({
        "id": ID, "name": "web0", "type": "virtualmachine", "brand": "builder", "state": "hibernating", "image": ID,
        "ips": ["dhcp", null, "10.0.0.2"], "networks": [null, ID], "primaryIp": "10.0.0.2",
        "nics": [{ "mac": "90:b8:d0:00:00:01", "ip": "10.0.0.2", "primary": true, "netmask": "255.0.0.0",
                   "network": ID, "mtu": 9000 }],
        "memory": 1024, "disk": 0, "deletion_protection": false,
        "metadata": { "root_pw": "hunter2", "credentials": { "root": "hunter2" } },
        "tags": { "role": "web", "n": 1.5, "on": true }, "credentials": "true", "created": TIME, "updated": TIME,
        "docker": true, "firewall_enabled": false, "compute_node": ID, "package": "", "flexible": true,
        "free_space": 512, "dns_names": ["a.example.com"], "delegate_dataset": true, "encrypted": true,
        "disks": [{ "id": ID, "size": 10240, "block_size": 512, "boot": true, "image": ID },
                  { "uuid": ID, "size": 1, "speed": "slow" }],
    }));
    assert_eq!((machine.state.to_string().as_str(), machine.brand.unwrap().known()), ("hibernating", None));
    assert_eq!((machine.ips.len(), &machine.ips[1], machine.networks.as_ref().unwrap()[0].is_none()), (3, &None, true));
    assert_eq!(machine.metadata["root_pw"], "hunter2");
    assert!(!format!("{:?}", machine.metadata).contains("hunter2"));
}

#[test]
fn null_counts_as_absent() {
    let nulls = json!({
        "id": ID, "name": null, "state": null, "ips": null, "networks": null, "memory": null, "compute_node": null,
        "metadata": null, "tags": null, "created": null, "deletion_protection": null,
    });
    let view: Machine = read(&nulls);
    assert_eq!(view, read(&json!({ "id": ID })));
    assert_eq!((view.name.as_str(), view.memory, view.compute_node), ("", None, None));
    // A null that no view has a field for is kept.
    assert_eq!(read::<Config>(&json!({ "later": null })).more["later"], Value::Null);
}

#[test]
fn a_deleted_machine_is_read_from_the_body_of_its_error() {
    let body = json!({
        "id": ID, "name": "web0", "type": "smartmachine", "brand": "lx", "state": "deleted", "ips": [],
        "networks": [], "memory": 256, "disk": 10240, "metadata": {}, "tags": {}, "created": TIME, "updated": TIME,
        "compute_node": ID, "package": "g1", "deletion_protection": false, "image": ID,
    });
    let error = sdc::Error::new(sdc::error::Kind::NotFound, "gone").with_body(body.to_string());
    let machine: Machine = serde_json::from_str(error.body().unwrap()).unwrap();
    assert_eq!((&machine.state, machine.package.as_str()), (&MachineState::Deleted.into(), "g1"));
    keeps::<Machine>(body);
}

#[test]
fn what_belongs_to_a_machine_keeps_all_that_is_sent() {
    let nic: Nic = keeps(json!({ "mac": "90:b8:d0:00:00:01", "ip": "10.0.0.2", "primary": true, "gateway": "10.0.0.1",
                      "netmask": "255.0.0.0", "state": "blinking", "network": ID }));
    assert_eq!(nic.state.unwrap().known(), None);
    let disk: Disk = keeps(
        json!({ "id": ID, "pci_slot": "0:4:1", "size": 1, "block_size": 4096, "boot": false, "state": "shutting_down" }),
    );
    assert_eq!(disk.state, Open::Other("shutting_down".to_owned()));
    let snapshot: Snapshot =
        keeps(json!({ "name": "s", "state": "canceled", "size": 5, "created": TIME, "updated": TIME }));
    assert_eq!(snapshot.state.unwrap(), SnapshotState::Canceled);
    keeps::<Snapshot>(json!({ "name": "s" }));
    let action: AuditAction = keeps(json!({
        "action": "resize", "success": "no", "time": TIME,
        "caller": { "type": "telepathy", "ip": "10.0.0.9", "keyId": "/acme/keys/x", "user": "bob" },
    }));
    assert_eq!((action.succeeded(), action.caller.unwrap().kind.known()), (Some(false), None));
}

#[test]
fn networks_and_firewall_rules_keep_all_that_is_sent() {
    keeps::<FirewallRule>(json!({
        "id": ID, "rule": "FROM any TO all vms ALLOW tcp PORT 22", "enabled": true, "log": false, "global": true,
        "description": "ssh",
    }));
    let network: Network = keeps(json!({
        "id": ID, "name": "blue", "public": false, "suffixes": ["a.example.com"], "fabric": true, "vlan_id": 4000,
        "subnet": "10.0.0.0/24", "provision_start_ip": "10.0.0.5", "provision_end_ip": "10.0.0.250",
        "gateway": "10.0.0.1", "resolvers": ["8.8.8.8"], "routes": { "10.1.0.0/16": "10.0.0.2" }, "internet_nat": true,
    }));
    assert_eq!(network.routes.unwrap()["10.1.0.0/16"], "10.0.0.2");
    keeps::<Network>(json!({ "id": ID, "name": "external", "public": true, "description": "the world" }));
    keeps::<FabricVlan>(json!({ "vlan_id": 2, "name": "office", "description": "d" }));
    keeps::<NetworkIp>(
        json!({ "ip": "10.0.0.9", "reserved": false, "managed": false, "owner_uuid": ID, "belongs_to_uuid": ID }),
    );
}

#[test]
fn volumes_migrations_and_changes_keep_all_that_is_sent() {
    let volume: Volume = keeps(json!({
        "id": ID, "name": "data", "owner_uuid": ID, "type": "tritonnfs", "state": "created", "created": TIME,
        "size": 10240, "networks": [ID], "refs": [ID], "filesystem_path": "10.0.0.3:/exports/data",
        "tags": { "a": "b" },
    }));
    assert_eq!(volume.state.known(), None);
    keeps::<VolumeSize>(json!({ "size": 10240, "type": "tritonnfs" }));
    let progress = json!({
        "type": "progress", "phase": "sync", "state": "running", "current_progress": 12.5, "total_progress": 100,
        "message": "m", "started_timestamp": TIME, "eta_ms": 1, "transfer_bytes_second": 0.25,
    });
    let migration: Migration = keeps(json!({
        "machine": ID, "automatic": false, "created_timestamp": TIME, "duration_ms": 12, "phase": "levitate",
        "state": "paused", "error": "e", "progress_history": [progress], "vm_uuid": ID,
    }));
    assert_eq!((migration.phase.known(), migration.state.known()), (None, Some(MigrationState::Paused)));
    assert_eq!(keeps::<ProgressEvent>(progress).current_progress.unwrap().as_f64(), Some(12.5));
    keeps::<EndEvent>(json!({ "type": "end", "phase": "switch", "state": "unknown", "message": "m" }));
    keeps::<MigrationEstimate>(json!({ "size": 1024, "eta_ms": 5 }));
    let event: ChangefeedEvent = keeps(json!({
        "changedResourceId": ID, "published": "1483651900123", "resourceState": "shutting_down",
        "changeKind": { "resource": "vm", "subResources": ["state", "zone_state"] },
        "resourceObject": serde_json::to_value(Machine { id: ID.to_owned(), ..Machine::default() }).unwrap(),
    }));
    assert_eq!(event.timestamp().unwrap().as_millisecond(), 1_483_651_900_123);
    assert_eq!(event.change_kind.sub_resources, [SubResource::State.into(), Open::Other("zone_state".to_owned())]);
    assert_eq!(ChangefeedEvent::default().timestamp(), None);
}

#[test]
fn what_is_sent_holds_only_what_was_given() {
    let network = NetworkObject {
        ipv4_uuid: ID.to_owned(),
        ipv4_ips: Some(vec!["10.0.0.9".to_owned()]),
        ..NetworkObject::default()
    };
    assert_eq!(serde_json::to_value(network).unwrap(), json!({ "ipv4_uuid": ID, "ipv4_ips": ["10.0.0.9"] }));
    let mount = VolumeMount {
        name: "data".to_owned(),
        mountpoint: "/mnt".to_owned(),
        mode: Some(MountMode::Ro.into()),
        ..VolumeMount::default()
    };
    assert_eq!(serde_json::to_value(mount).unwrap(), json!({ "name": "data", "mountpoint": "/mnt", "mode": "ro" }));
    let registration = ChangefeedRegistration {
        resource: "vm".to_owned(),
        sub_resources: vec![SubResource::CustomerMetadata.into(), SubResource::State.into()],
        ..ChangefeedRegistration::default()
    };
    assert_eq!(
        serde_json::to_value(registration).unwrap(),
        json!({ "resource": "vm", "subResources": ["customer_metadata", "state"] })
    );
}

#[test]
fn a_field_of_another_type_is_an_error_that_names_what_came() {
    for (body, cause) in [
        (r#"{"state":7}"#, "invalid type: integer"),
        (r#"{"state":{"running":null}}"#, "invalid type: map"),
        (r#"{"memory":"lots"}"#, "invalid type: string"),
        (r#"{"ips":{}}"#, "invalid type: map"),
    ] {
        let error = Answer::from_record(body.as_bytes()).unwrap().read::<Machine>().unwrap_err();
        assert!(error.causes().iter().any(|said| said.contains(cause)), "{body}: {:?}", error.causes());
    }
    let error = Answer::from_record(br#"{"members":[7]}"#).unwrap().read::<Role>().unwrap_err();
    assert!(error.causes().iter().any(|said| said.contains("a name or an object")), "{:?}", error.causes());
}

/// Whatever can be read can be written, and reads as the same again. That it can be read is not asked.
fn survives<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) {
    if let Ok(view) = serde_json::from_str::<T>(text) {
        let again = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<T>(&again).unwrap(), view, "{text}");
    }
}

/// Names of fields, those of several objects, and one of none.
const NAMES: &[&str] = &[
    "id",
    "name",
    "state",
    "type",
    "ips",
    "networks",
    "nics",
    "disks",
    "memory",
    "metadata",
    "tags",
    "created",
    "size",
    "members",
    "policies",
    "rules",
    "role-tag",
    "files",
    "requirements",
    "error",
    "acl",
    "value",
    "used",
    "address",
    "vlan_id",
    "routes",
    "ipv4_count",
    "progress_history",
    "caller",
    "changeKind",
    "resourceObject",
    "multifactor",
    "cloudapi",
    "errors",
    "published",
    "more",
    "nobody_knows",
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Eighths: serde_json reads longer fractions to the last bit but one.
        any::<i32>().prop_map(|eighths| json!(f64::from(eighths) / 8.0)),
        "[a-z]{0,9}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["running", "deleted", "lx", "yes", "remaining", TIME]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from), object_of(inner)]
    })
}

fn object_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let pairs = prop::collection::vec((prop::sample::select(NAMES), values), 0..6);
    pairs.prop_map(|pairs| Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
}

proptest! {
    #[test]
    fn no_object_whatever_its_fields_hold_makes_a_view_panic(value in object_of(anything())) {
        let text = value.to_string();
        survives::<Ping>(&text);
        survives::<Account>(&text);
        survives::<User>(&text);
        survives::<Key>(&text);
        survives::<Limit>(&text);
        survives::<ErrorBody>(&text);
        survives::<Role>(&text);
        survives::<Policy>(&text);
        survives::<RoleTags>(&text);
        survives::<Image>(&text);
        survives::<Package>(&text);
        survives::<Machine>(&text);
        survives::<Nic>(&text);
        survives::<NetworkObject>(&text);
        survives::<Disk>(&text);
        survives::<Snapshot>(&text);
        survives::<AuditAction>(&text);
        survives::<FirewallRule>(&text);
        survives::<Network>(&text);
        survives::<Volume>(&text);
        survives::<Migration>(&text);
        survives::<ChangefeedEvent>(&text);
        if let Ok(event) = serde_json::from_str::<ChangefeedEvent>(&text) {
            let _ = event.timestamp();
        }
    }

    #[test]
    fn no_text_makes_a_time_panic(text in ".*") {
        let _ = Time(text.clone()).timestamp();
        let _ = ChangefeedEvent { published: text, ..ChangefeedEvent::default() }.timestamp();
    }
}

#[cfg(feature = "emulator")]
mod emulated {
    use sdc::api::Op;
    use sdc::api::cloudapi::{account, images, keys, machines, networks, packages, ping};
    use sdc::auth::{Key as SigningKey, PrivateKey, Signer, no_passphrase};
    use sdc::emulator::Emulator;
    use sdc::request::Args;

    use super::*;

    async fn rows<T: DeserializeOwned + Serialize>(client: &sdc::Client, op: &Op) -> Vec<T> {
        let answer = client.call(op, &Args::new()).await.unwrap();
        let views: Vec<T> = answer.rows().map(|row| row.read().unwrap()).collect();
        for (view, row) in views.iter().zip(answer.rows()) {
            let mut sent: Value = serde_json::from_str(row.json()).unwrap();
            sent.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            assert_eq!(serde_json::to_value(view).unwrap(), sent, "{}", op.id);
        }
        assert!(!views.is_empty(), "{}", op.id);
        views
    }

    #[tokio::test]
    async fn the_rows_of_a_cloud_are_read_and_nothing_of_them_is_left_over() {
        let cloud = Emulator::start(Default::default()).await.unwrap();
        let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase).unwrap();
        let name = key.public().md5();
        let signer = Signer::new(cloud.account(), SigningKey::File(key), &name).unwrap();
        let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build().unwrap();

        let machines: Vec<Machine> = rows(&client, &machines::LIST).await;
        assert!(machines.iter().all(|machine| machine.more.is_empty() && machine.state.known().is_some()));
        let images: Vec<Image> = rows(&client, &images::LIST).await;
        assert!(images.iter().all(|image| image.more.is_empty() && image.kind.as_ref().unwrap().known().is_some()));
        let packages: Vec<Package> = rows(&client, &packages::LIST).await;
        assert!(packages.iter().all(|package| package.more.is_empty() && package.memory.is_some()));
        let networks: Vec<Network> = rows(&client, &networks::LIST).await;
        assert!(networks.iter().all(|network| network.more.is_empty() && !network.name.is_empty()));
        let keys: Vec<Key> = rows(&client, &keys::LIST).await;
        assert!(keys.iter().any(|key| key.fingerprint == name && key.more.is_empty()));
        let account: Vec<Account> = rows(&client, &account::GET).await;
        assert!(account[0].login == cloud.account() && account[0].more.is_empty());
        let ping: Vec<Ping> = rows(&client, &ping::PING_OP).await;
        assert!(ping[0].ping == "pong" && ping[0].more.is_empty());

        let audit = Args::new().set("machine", machines[0].id.as_str());
        let audit: Vec<AuditAction> = client.call(&machines::AUDIT, &audit).await.unwrap().read().unwrap();
        assert!(audit.iter().all(|action| action.more.is_empty() && action.succeeded().is_some()));
        cloud.stop().await.unwrap();
    }
}
