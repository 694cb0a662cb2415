//! Fabrics: VLANs of an account, and networks on them.

use super::{CALLED, DESCRIPTION, END, GATEWAY, LIMIT, OFFSET, RESOLVERS, ROUTES, START};
use crate::api::*;

const VLANS: &str = "/fabrics/:accountid/vlans";
const ONE_VLAN: &str = "/fabrics/:accountid/vlans/:adminvlan";
const NETWORKS: &str = "/fabrics/:accountid/vlans/:adminvlan/networks";
const ONE_NETWORK: &str = "/fabrics/:accountid/vlans/:adminvlan/networks/:adminfabricnetwork";

const VLAN_COLUMNS: &[Column] = &[
    column("vlan_id").stays(),
    column("name").stays(),
    column("vnet_id"),
    column("owner_uuid").long(),
    column("description").long(),
];

/// A VLAN of an account.
pub static VLAN: Noun =
    Noun::new("adminvlan", &GET_VLAN, &LIST_VLANS).word("VLAN").ids(Ids::Number, "vlan_id", "number or name");
/// A network on one.
pub static FABRIC_NETWORK: Noun =
    Noun::new("adminfabricnetwork", &GET_FABRIC, &LIST_FABRICS).word("network").ids(Ids::Uuid, "uuid", CALLED);

/// ListFabricVLANs.
pub static LIST_VLANS: Op = Op::list("ListFabricVLANs", "vlans list", VLANS, "List the VLANs of an account")
    .pages(1000)
    .fields(&[LIMIT, OFFSET])
    .columns(VLAN_COLUMNS)
    .examples(
        "admin fabrics vlans list 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f\n\
         admin fabrics vlans list 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f --no-header",
    );
/// GetFabricVLAN.
pub static GET_VLAN: Op =
    Op::get("GetFabricVLAN", "vlans get", ONE_VLAN, "Show a VLAN of an account").columns(VLAN_COLUMNS).examples(
        "admin fabrics vlans get 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2\n\
         admin fabrics vlans get 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 --no-header",
    );
/// CreateFabricVLAN.
pub static CREATE_VLAN: Op = Op::create("CreateFabricVLAN", "vlans create", VLANS, "Create a VLAN for an account")
    .making(&VLAN)
    .columns(VLAN_COLUMNS)
    .fields(&[
        body("vlan_id", Kind::Integer, "Number: 0, or 2 to 4094").flag("vlan").positional(),
        body("name", Kind::Text, "Name").positional(),
        DESCRIPTION,
    ])
    .examples(
        "admin fabrics vlans create 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 application\n\
         admin fabrics vlans create 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 application --dry-run",
    );
/// UpdateFabricVLAN.
pub static UPDATE_VLAN: Op = Op::put("UpdateFabricVLAN", "vlans update", ONE_VLAN, "Change a VLAN of an account")
    .columns(VLAN_COLUMNS)
    .fields(&[body("name", Kind::Text, "Name").short('n'), DESCRIPTION])
    .assigns()
    .examples(
        "admin fabrics vlans update 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 name=app\n\
         admin fabrics vlans update 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 --name app",
    );
/// DeleteFabricVLAN.
pub static DELETE_VLAN: Op =
    Op::delete("DeleteFabricVLAN", "vlans delete", ONE_VLAN, "Delete a VLAN of an account").in_turn().examples(
        "admin fabrics vlans delete 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 --yes --ignore-missing\n\
         admin fabrics vlans delete 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 --dry-run",
    );

/// ListFabricNetworks.
pub static LIST_FABRICS: Op =
    Op::list("ListFabricNetworks", "networks list", NETWORKS, "List the networks on a VLAN of an account")
        .pages(1000)
        .fields(&[LIMIT, OFFSET])
        .examples(
            "admin fabrics networks list 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2\n\
             admin fabrics networks list 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 --no-header",
        );
/// GetFabricNetwork.
pub static GET_FABRIC: Op =
    Op::get("GetFabricNetwork", "networks get", ONE_NETWORK, "Show a network on a VLAN of an account").examples(
        "admin fabrics networks get 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone\n\
         admin fabrics networks get 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone --no-header",
    );

const NAT: Field = body("internet_nat", Kind::Bool, "Whether a NAT zone leads to the internet [default: true]");

/// CreateFabricNetwork.
pub static CREATE_FABRIC: Op =
    Op::create("CreateFabricNetwork", "networks create", NETWORKS, "Create a network on a VLAN of an account")
        .making(&FABRIC_NETWORK)
        .fields(&[
            body("name", Kind::Text, "Name").short('n').required(),
            body("subnet", Kind::Text, "Subnet within the private ranges: 10.40.0.0/24"),
            START,
            END,
            GATEWAY,
            NAT,
            RESOLVERS,
            ROUTES,
            DESCRIPTION,
            body("subnet_alloc", Kind::Flag("true"), "Let the service choose the subnet"),
            body("family", Kind::OneOf(&["ipv4", "ipv6"]), "Family, where the service chooses the subnet"),
            body("subnet_prefix", Kind::Integer, "Length of the prefix of the subnet that it chooses"),
        ])
        .assigns()
        .examples(
            "admin fabrics networks create 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 -n backbone --subnet 10.40.0.0/24 \
             --provision-start-ip 10.40.0.2 --provision-end-ip 10.40.0.250\n\
             admin fabrics networks create 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 -n backbone --subnet-alloc --dry-run",
        );
/// UpdateFabricNetwork.
pub static UPDATE_FABRIC: Op =
    Op::put("UpdateFabricNetwork", "networks update", ONE_NETWORK, "Change a network on a VLAN of an account")
        .long("A list that is given replaces the one that is there.")
        .fields(&[body("name", Kind::Text, "Name").short('n'), DESCRIPTION, START, END, NAT, RESOLVERS, ROUTES])
        .replaces(&["resolvers", "routes"])
        .assigns()
        .examples(
            "admin fabrics networks update 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone description=app\n\
             admin fabrics networks update 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone --name app",
        );
/// DeleteFabricNetwork.
pub static DELETE_FABRIC: Op =
    Op::delete("DeleteFabricNetwork", "networks delete", ONE_NETWORK, "Delete a network on a VLAN of an account")
        .in_turn()
        .examples(
            "admin fabrics networks delete 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone --yes --ignore-missing\n\
             admin fabrics networks delete 5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f 2 backbone --dry-run",
        );

/// `sdc admin fabrics`.
pub static FABRICS: Resource = Resource {
    name: "fabrics",
    aliases: &["fabric"],
    about: "Fabrics: VLANs and networks of accounts (NAPI)",
    columns: super::NETWORK_COLUMNS,
    ops: &[
        &LIST_VLANS,
        &GET_VLAN,
        &CREATE_VLAN,
        &UPDATE_VLAN,
        &DELETE_VLAN,
        &LIST_FABRICS,
        &GET_FABRIC,
        &CREATE_FABRIC,
        &UPDATE_FABRIC,
        &DELETE_FABRIC,
    ],
};
