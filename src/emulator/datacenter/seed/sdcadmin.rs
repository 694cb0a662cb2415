//! A data center with the ids that the tests of `sdcadmin` are configured with, and what they find there before they
//! begin: its networks beside these are those of the internal services.

use super::super::state::{Account, Image, Network, Package, State};
use super::{DAY, GLOBEX, OPERATOR, add, image, machine, map, other, package};

/// The customer.
const USER: &str = "72f70341-b227-4051-befd-b0d5e1588a6d";
const EXTERNAL: &str = "f3d68d27-e311-491a-9c7f-d2a8d386e6e6";
const SMALL: &str = "b1abec1a-80e5-ea9e-e091-8f2d67feb252";
const ZONE: &str = "62f148f8-6e84-11e4-82c5-efca60348b9f";
const KVM: &str = "02dbab66-a70a-11e4-819b-b3dc41b361d6";

pub(super) fn fill(state: &mut State, now: i64) {
    let user =
        Account { profile: map(serde_json::json!({ "email": "john@example.com" })), ..other(now, USER, "john", false) };
    state.accounts = vec![user, other(now, OPERATOR, "admin", true), other(now, GLOBEX, "globex", false)];
    state.images = vec![
        image(ZONE, "base-64-lts", "14.4.0", "smartos", "zone-dataset", "2014-11-17T17:41:46Z"),
        Image {
            image_size: Some(10_240),
            ..image(KVM, "ubuntu-14.04", "20150121", "linux", "zvol", "2015-01-21T12:00:00Z")
        },
    ];
    let owners = || vec![OPERATOR.to_owned(), USER.to_owned()];
    state.packages = vec![
        Package { owners: owners(), default: true, ..package(SMALL, "sample-1G", 1024, 25_600, 1, "sample") },
        // The id is the operator's too, as it is there.
        Package { owners: owners(), ..package(OPERATOR, "sample-4G", 4096, 102_400, 2, "sample") },
    ];
    state.networks = vec![Network {
        id: EXTERNAL.to_owned(),
        name: "external".to_owned(),
        public: true,
        description: "Internet".to_owned(),
        vlan_id: 3,
        subnet: "198.18.0.0/16".to_owned(),
        provision_start_ip: "198.18.0.10".to_owned(),
        provision_end_ip: "198.18.255.250".to_owned(),
        gateway: "198.18.0.1".to_owned(),
        resolvers: vec!["192.0.2.53".to_owned(), "192.0.2.54".to_owned()],
        ..Network::default()
    }];
    (state.pools, state.vlans, state.elsewhere) = (Vec::new(), Vec::new(), Vec::new());
    // One of each brand, and none of the customer's.
    for (name, brand, image) in [(("3f0c9a41", "shop"), "joyent", ZONE), (("b27d5e08", "legacy"), "kvm", KVM)] {
        let mut vm = machine(name, brand, "running", image, SMALL, now - 90 * DAY);
        GLOBEX.clone_into(&mut vm.owner_uuid);
        add(state, vm, &[EXTERNAL]);
    }
}
