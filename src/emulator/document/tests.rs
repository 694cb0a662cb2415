//! Documents, good and bad: what they mean, and what is said of them.

use crate::emulator::datacenter::state::id_of;
use std::collections::BTreeSet;

use serde_json::json;

use super::shape::{DOCUMENT, Kind, Shape};
use super::*;

/// When these tests are.
const NOW: i64 = 1_800_000_000_000;

fn key() -> Key {
    let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMMFScXCOQyjfChaXdLwM/Yt638KN3I8FwDz8cBjo0s3 emulator";
    Key::new("", line).unwrap()
}

/// A file of the first version, as it was then: it must be readable for ever.
fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/emulator").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn read_value(value: &Value) -> Result<State> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/emulator");
    let document = Document { name: "seed.json".to_owned(), text: value.to_string().into_bytes(), folder };
    read(&document, NOW, &key())
}

/// A document with these sections.
fn with(sections: Value) -> Value {
    let mut document = json!({ "format": "sdc-emulator/1" });
    document.as_object_mut().unwrap().extend(fields_of(sections));
    document
}

fn refused(sections: Value) -> String {
    read_value(&with(sections)).unwrap_err().to_string()
}

/// The fields of a shape that a value uses, by their places.
fn used(value: &Value, shape: &Shape, place: &str, found: &mut BTreeSet<String>) {
    for (name, kind) in shape.fields() {
        let Some(value) = value.get(name).filter(|value| !value.is_null()) else { continue };
        let place = format!("{place}.{name}");
        match kind {
            Kind::One(shape) => used(value, shape, &place, found),
            Kind::Each(shape) => value.as_array().unwrap().iter().for_each(|one| used(one, shape, &place, found)),
            _ => {}
        }
        found.insert(place);
    }
}

/// All fields of a shape, by their places.
fn all(shape: &Shape, place: &str, found: &mut BTreeSet<String>) {
    for (name, kind) in shape.fields() {
        let place = format!("{place}.{name}");
        if let Kind::One(shape) | Kind::Each(shape) = kind {
            all(shape, &place, found);
        }
        found.insert(place);
    }
}

#[test]
fn files_of_the_first_version_are_read_and_hold_every_field() {
    let (mut in_files, mut known) = (BTreeSet::new(), BTreeSet::new());
    for name in ["seed-1.json", "state-1.json", "operators-1.json"] {
        let document = golden(name);
        used(&document, &DOCUMENT, "", &mut in_files);
        read_value(&document).unwrap();
    }
    all(&DOCUMENT, "", &mut known);
    // What stands there has the same shape elsewhere, with all its fields.
    let known_elsewhere = [".elsewhere.image.", ".accounts.users.access_keys.", ".volumes.nic."];
    let left_out = known.difference(&in_files);
    let missing: Vec<&String> =
        left_out.filter(|place| !known_elsewhere.iter().any(|shape| place.starts_with(shape))).collect();
    assert_eq!(missing, [""; 0], "add them to a file of tests/data/emulator");
}

#[test]
fn what_was_read_is_written_and_read_as_the_same() {
    for document in [golden("seed-1.json"), golden("state-1.json"), golden("operators-1.json")] {
        let mut state = read_value(&document).unwrap();
        state.now = NOW;
        let written = serde_json::to_value(&state).unwrap();
        let again = serde_json::to_value(read_value(&written).unwrap()).unwrap();
        for (name, section) in written.as_object().unwrap() {
            assert_eq!(again[name], *section, "{name}");
        }
    }
    let mut demo = seed::state(Base::Demo, NOW);
    demo.accounts[0].keys = vec![key()];
    demo.now = NOW;
    let written = serde_json::to_value(&demo).unwrap();
    assert_eq!(serde_json::to_value(read_value(&written).unwrap()).unwrap(), written);
}

#[test]
fn the_same_document_is_the_same_state() {
    let written = |state: State| serde_json::to_value(state).unwrap();
    let mut first = written(read_value(&golden("seed-1.json")).unwrap());
    assert_eq!(first, written(read_value(&golden("seed-1.json")).unwrap()));
    let machine = first["machines"][0].take();
    assert_eq!(machine["id"], id_of("machines/jill/web1"));
    assert_eq!(machine["created"], 1_738_346_400_000_i64);
    assert_eq!(machine["nics"][1]["ip"], "10.0.0.10");
}

#[test]
fn machines_have_what_their_state_implies() {
    let states = ["running", "stopped", "provisioning", "failed", "stopping", "deleted"];
    let machines: Vec<Value> = states.iter().map(|state| json!({ "name": state, "state": state })).collect();
    let mut state = read_value(&with(json!({ "machines": machines }))).unwrap();
    let seen = |state: &State| -> Vec<(String, usize, Vec<String>)> {
        let log = |machine: &crate::emulator::datacenter::state::Vm| {
            let jobs = state.history.iter().filter(|job| job.vm_uuid == machine.uuid);
            jobs.map(|job| format!("{} {}", job.work.audited().unwrap_or_default(), job.succeeded())).collect()
        };
        state.vms.iter().map(|machine| (machine.state.clone(), machine.nics.len(), log(machine))).collect()
    };
    let as_told = |state: &str, nics: usize, log: &[&str]| {
        (state.to_owned(), nics, log.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
    };
    let made = "provision true";
    assert_eq!(
        seen(&state),
        [
            as_told("running", 2, &[made]),
            as_told("stopped", 2, &[made, "stop true"]),
            as_told("provisioning", 0, &[]),
            as_told("failed", 2, &["provision false"]),
            as_told("stopping", 2, &[made]),
            as_told("destroyed", 2, &[made, "destroy true"]),
        ]
    );
    // What is under way comes to its end, as if it had been asked for.
    state.catch_up(NOW + 10_000);
    let after = seen(&state);
    assert_eq!((after[2].0.as_str(), after[2].1, after[4].0.as_str()), ("running", 2, "stopped"));
    let addresses: Vec<&str> = state.held().map(|held| held.nic.ip.as_str()).collect();
    assert_eq!(addresses.len(), addresses.iter().collect::<BTreeSet<_>>().len(), "{addresses:?}");
}

#[test]
fn a_machine_with_an_id_and_a_size_or_interfaces_is_whole() {
    let id = "7fae40e0-d663-4909-b607-d27ee9b7f7c9";
    for (field, value) in [("memory", json!(512)), ("disk", json!(2048)), ("nics", json!([]))] {
        let mut machine = json!({
            "id": id, "name": "old", "brand": "joyent", "state": "running", "image": "base-64", "package": "g1-small",
            "created": 0, "updated": 0,
        });
        machine[field] = value;
        let state = read_value(&with(json!({ "machines": [machine] }))).unwrap();
        let vm = state.vms.get(id).unwrap();
        // Nothing that is left out comes from the package.
        assert_eq!(
            (vm.ram, vm.quota, vm.nics.len()),
            match field {
                "memory" => (512, 0, 0),
                "disk" => (0, 2048, 0),
                _ => (0, 0, 0),
            },
            "{field}"
        );
    }
}

#[test]
fn an_address_that_is_asked_for_is_not_given_to_another_before() {
    let wish = json!({ "name": "b", "networks": [{ "network": "private", "ip": "10.64.0.10" }] });
    let state = read_value(&with(json!({ "machines": [{ "name": "a", "networks": ["private"] }, wish] }))).unwrap();
    let ips: Vec<&str> = state.vms.iter().map(|machine| machine.nics[0].ip.as_str()).collect();
    assert_eq!(ips, ["10.64.0.11", "10.64.0.10"]);
    assert!(state.networks.iter().all(|network| network.records.is_empty()));
}

#[test]
fn a_section_that_is_left_out_is_that_of_the_base_and_belongs_to_the_first_account() {
    let state = read_value(&with(json!({ "accounts": [{ "login": "jill" }], "extends": "demo" }))).unwrap();
    let jill = &state.accounts[0];
    assert_eq!((state.accounts.len(), state.vms.len(), state.images.len()), (1, 9, 8));
    assert!(state.vms.iter().all(|machine| machine.owner_uuid == jill.id));
    assert!(state.networks.iter().any(|network| network.owner == jill.id));
    assert!(jill.default_network.is_some());
    let empty = read_value(&with(json!({}))).unwrap();
    assert_eq!((empty.accounts[0].login.as_str(), empty.vms.len()), ("acme", 0));
    let networks = json!([{ "name": "lan", "subnet": "10.0.0.0/24" }]);
    let state = read_value(&with(json!({ "networks": networks, "machines": [{ "name": "a" }] }))).unwrap();
    assert!(state.pools.is_empty() && state.vlans.is_empty() && state.accounts[0].default_network.is_none());
    assert_eq!(state.vms.iter().next().unwrap().nics[0].ip, "10.0.0.10");
}

#[test]
fn those_who_see_a_network_a_pool_or_a_package_are_meant_by_their_logins() {
    let sections = |owner: &str| {
        json!({
            "accounts": [{ "login": "jill" }, { "login": "jack" }],
            "networks": [{ "name": "lan", "subnet": "10.0.0.0/24", "owner": "jill", "more_owners": [owner] }],
            "pools": [{ "name": "few", "networks": ["lan"], "owners": [owner] }],
            "packages": [{ "name": "small", "owners": [owner, seed::OPERATOR] }],
        })
    };
    let state = read_value(&with(sections("jack"))).unwrap();
    let (jill, jack) = (&state.accounts[0].id, &state.accounts[1].id);
    assert_eq!(state.networks[0].owner_uuids(), [jill, jack]);
    assert_eq!(state.pools[0].owners, std::slice::from_ref(jack));
    assert_eq!(state.packages[0].owners, [jack.clone(), seed::OPERATOR.to_owned()]);
    let told = refused(sections("joe"));
    for place in ["networks[0].more_owners[0]", "pools[0].owners[0]", "packages[0].owners[0]"] {
        assert!(told.contains(place), "{told}");
    }
}

#[test]
fn keys_are_those_that_are_given_and_else_the_emulator_s() {
    let desk = golden("seed-1.json")["accounts"][1]["keys"][1].clone();
    let accounts = json!([
        { "login": "jill", "keys": [desk, "laptop.pub"] },
        { "login": "jack", "keys": [], "users": [{ "login": "deploy" }] },
        { "login": "jo" },
    ]);
    let state = read_value(&with(json!({ "accounts": accounts }))).unwrap();
    let names = |keys: &[Key]| keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
    // The key of these tests is the one of laptop.pub.
    assert_eq!(names(&state.accounts[0].keys), ["desk", "laptop"]);
    assert_eq!(names(&state.accounts[1].keys), [""; 0]);
    assert_eq!(names(&state.accounts[1].users[0].keys), ["emulator"]);
    assert_eq!(names(&state.accounts[2].keys), ["emulator"]);
    for (key, words) in [
        ("nowhere.pub", "cannot read the file nowhere.pub: No such file or directory (os error 2)"),
        ("seed-1.json", "is neither an SSH public key nor the name of a file with one"),
        ("-----BEGIN PRIVATE KEY-----\nMIIsecret.pub", "is neither an SSH public key nor the name of a file with one"),
    ] {
        let words = format!("seed.json: accounts[0].keys[0]: {words}");
        assert_eq!(refused(json!({ "accounts": [{ "login": "jill", "keys": [key] }] })), words);
    }
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let machine = |more: Value| {
        let mut machine = json!({ "name": "a" });
        machine.as_object_mut().unwrap().extend(fields_of(more));
        json!({ "machines": [machine] })
    };
    for (sections, words) in [
        (json!({ "machines": [{}] }), "machines[0].name: is missing"),
        (
            machine(json!({ "name": "a b" })),
            "machines[0]: Invalid VM parameters: Invalid machine name; alias: String does not match regexp: /^[a-zA-Z0-9][a-zA-Z0-9\\_\\.\\-]*$/",
        ),
        (
            machine(json!({ "package": "g1-nanno" })),
            "machines[0].package: no package \"g1-nanno\"; is \"g1-nano\" meant?",
        ),
        (machine(json!({ "state": "runing" })), "machines[0].state: no state \"runing\"; is \"running\" meant?"),
        (machine(json!({ "owner": "x" })), "machines[0].owner: no account \"x\"; there is acme, admin, globex"),
        (machine(json!({ "created": "2999-01-01T00:00:00Z" })), "machines[0].created: lies in the future"),
        (
            machine(json!({ "networks": ["public-pool", "public-pool"] })),
            "machines[0].networks[1]: the machine is on this network already",
        ),
        (
            machine(json!({ "networks": [{ "network": "private", "ip": "10.64.0.1" }] })),
            "machines[0].networks[0].ip: 10.64.0.1 is the gateway's, a resolver's, or an end of the subnet",
        ),
        (machine(json!({ "metadata": { "x_pw": "1" } })), "machines[0].metadata.x_pw: cannot be the name of metadata"),
        (
            machine(json!({ "brand": "lx" })),
            "machines[0].brand: \"lx\" is not \"joyent\", which image and package make it",
        ),
        (
            machine(json!({ "image": "windows-2022" })),
            "machines[0]: You must use a package with at least 3840 MiB of RAM in order to provision the selected image",
        ),
        (
            machine(json!({ "memory": 1 })),
            "machines[0].memory: comes with its package: package: NAME, of packages with this memory",
        ),
        (machine(json!({ "nics": [] })), "machines[0].nics: come with its networks: networks: [NAME]"),
        (
            json!({ "images": [{ "name": "a", "state": "gone" }] }),
            "images[0].state: no state \"gone\"; there is active, unactivated, disabled, creating, failed",
        ),
        (
            json!({ "packages": [{ "name": "a", "memory": 0 }] }),
            "packages[0].memory: must be more than 0, and no more than 2^40",
        ),
        (
            json!({ "networks": [{ "name": "a", "subnet": "10.0.0.1/24" }] }),
            "networks[0].subnet: 10.0.0.1 is not the first address; did you mean 10.0.0.0/24?",
        ),
        (
            json!({ "networks": [{ "name": "a", "subnet": "10.0.0.0/24", "vlan_id": 1 }] }),
            "networks[0].vlan_id: a fabric network is on a VLAN from 2 to 4094",
        ),
        (
            json!({ "pools": [{ "name": "a", "networks": ["b"] }] }),
            "pools[0].networks[0]: no network \"b\"; there is public, public-b, private, My-Fabric-Network, backend, storage",
        ),
        (json!({ "firewall_rules": [{ "rule": "FROM here" }] }), "firewall_rules[0].rule: "),
        (json!({ "accounts": [] }), "accounts: must hold one account at least"),
        (json!({ "accounts": [{ "login": "a" }, { "login": "a" }] }), "accounts[1].login: another account has it"),
        (
            json!({ "accounts": [{ "login": "a", "roles": [{ "name": "r", "held_by": ["x"] }] }] }),
            "accounts[0].roles[0].held_by[0]: no user \"x\"; there is none",
        ),
        (
            json!({ "accounts": [{ "login": "a", "policies": [{ "name": "p", "rules": ["MAY x"] }] }] }),
            "accounts[0].policies[0].rules[0]: ",
        ),
        (
            json!({ "accounts": [{ "login": "a", "users": [{ "login": "deploy" }, { "login": "deploy" }] }] }),
            "accounts[0].users[1].id: another one has it",
        ),
        (
            json!({ "accounts": [{ "login": "a", "limits": [{ "value": 1, "by": "machine" }] }] }),
            "accounts[0].limits[0].by: no by \"machine\"; is \"machines\" meant?",
        ),
        (
            json!({ "accounts": [{ "login": "a", "limits": [{ "by": "ram" }] }] }),
            "accounts[0].limits[0].value: is missing",
        ),
        (
            json!({ "accounts": [{ "login": "a", "access_keys": [{ "id": "x" }] }] }),
            "accounts[0].access_keys[0].secret: is missing",
        ),
        (
            json!({ "networks": [
                { "name": "a", "subnet": "10.0.0.0/24", "vlan_id": 2 },
                { "name": "b", "subnet": "10.0.0.0/16", "vlan_id": 2 },
            ] }),
            "networks[1].subnet: overlaps with network \"a\" (10.0.0.0/24)",
        ),
        (json!({ "extends": "demos" }), "extends: must be \"empty\" or \"demo\", not \"demos\""),
        (
            json!({ "extends": "demo", "packages": [] }),
            "extends: the machines of the demo are on its packages, which the file replaces: give machines too, or leave packages out",
        ),
        (json!({ "jobs": [{ "due": 1 }] }), "jobs[0].machine: is missing"),
        (json!({ "migrations": [{ "x": 1 }] }), "migrations[0].x: there is no such field"),
    ] {
        let said = refused(sections.clone());
        assert!(said.starts_with(&format!("seed.json: {words}")), "{sections}: {said}");
    }
}

#[test]
fn of_images_of_a_name_the_last_is_the_newest() {
    let images = json!([{ "name": "a", "version": "2" }, { "name": "a", "version": "1" }, { "name": "b" }]);
    let state = read_value(&with(json!({ "images": images, "machines": [{ "name": "m", "image": "a" }] }))).unwrap();
    let published: Vec<&str> = state.images.iter().map(|image| image.published_at.as_str()).collect();
    assert_eq!(published, ["2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z", "2024-01-03T00:00:00.000Z"]);
    assert_eq!(state.vms.iter().next().unwrap().image(), state.images[1].id);
}

#[test]
fn a_form_that_is_not_this_one_is_refused() {
    let of = |document: Value| read_value(&document).unwrap_err();
    let error = of(json!({ "format": "sdc-emulator/2", "machnes": 1 }));
    let words = "seed.json: this version reads the format \"sdc-emulator/1\", and not \"sdc-emulator/2\"";
    assert_eq!(error.message(), words);
    assert_eq!(of(json!({ "machines": [] })).message(), "seed.json: format: is missing");
    assert_eq!(of(json!([])).message(), "seed.json: this is not an object");
}

/// Puts every value of a list in the place of every value of a document.
fn mutants(document: &Value, put: &[Value], each: &mut dyn FnMut(&Value)) {
    fn places(value: &Value, at: String, found: &mut Vec<String>) {
        match value {
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(step, value)| places(value, format!("{at}/{step}"), found));
            }
            Value::Object(fields) => {
                let escaped = |name: &str| name.replace('~', "~0").replace('/', "~1");
                fields.iter().for_each(|(name, value)| places(value, format!("{at}/{}", escaped(name)), found));
            }
            _ => {}
        }
        found.push(at);
    }
    let mut found = Vec::new();
    places(document, String::new(), &mut found);
    let mut mutant = document.clone();
    for place in found {
        for value in put {
            let before = std::mem::replace(mutant.pointer_mut(&place).unwrap(), value.clone());
            each(&mutant);
            *mutant.pointer_mut(&place).unwrap() = before;
        }
    }
}

#[test]
fn a_document_that_is_wrong_anywhere_is_refused_in_plain_words_or_read() {
    let put = [
        json!(null),
        json!(-1),
        json!(u64::MAX),
        json!(""),
        json!("x\u{1b}[2J\n"),
        json!([]),
        json!([[{}]]),
        json!({ "a": [] }),
    ];
    let (mut good, mut bad) = (0, 0);
    mutants(&golden("seed-1.json"), &put, &mut |mutant| match read_value(mutant) {
        Ok(mut state) => {
            // What was taken can live on.
            state.catch_up(NOW + 100_000);
            good += 1;
        }
        Err(error) => {
            let said = error.to_string();
            assert!(said.starts_with("seed.json"), "{said}");
            assert!(!said.contains('\u{1b}') && said.len() < 4000, "{said}");
            bad += 1;
        }
    });
    assert!(good > 300 && bad > 1500, "{good} {bad}");
}

#[test]
fn the_guide_names_fields_that_there_are() {
    let page = include_str!("../../../docs/guide/testing.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let mut count = 0;
    for (section, fields) in rows {
        let (_, kind) = DOCUMENT.fields().find(|(name, _)| *name == section).unwrap();
        let Kind::Each(shape) = kind else { panic!("{section} is not a list") };
        for field in fields.split('`').skip(1).step_by(2) {
            assert!(shape.fields().any(|(name, _)| name == field), "{section} has no {field}");
            count += 1;
        }
    }
    assert!(count > 70, "{count}");
}
