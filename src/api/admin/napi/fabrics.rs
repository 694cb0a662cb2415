//! Fabrics: VLANs of an account, and networks on them.

use super::{CALLED, DESCRIPTION, END, GATEWAY, LIMIT, OFFSET, RESOLVERS, ROUTES, START};
use crate::api::*;

const VLANS: &str = "/fabrics/:adminaccount/vlans";
const ONE_VLAN: &str = "/fabrics/:adminaccount/vlans/:adminvlan";
const NETWORKS: &str = "/fabrics/:adminaccount/vlans/:adminvlan/networks";
const ONE_NETWORK: &str = "/fabrics/:adminaccount/vlans/:adminvlan/networks/:adminfabricnetwork";

const VLAN_COLUMNS: &[Column] = &[
    column("vlan_id").always().stays(),
    column("name").always().stays(),
    column("vnet_id").always(),
    column("owner_uuid").always().long(),
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
        "admin fabrics vlans list acme\n\
         admin fabrics vlans list acme -o vlan_id,name,description",
    );
/// GetFabricVLAN.
pub static GET_VLAN: Op =
    Op::get("GetFabricVLAN", "vlans get", ONE_VLAN, "Show a VLAN of an account").columns(VLAN_COLUMNS).examples(
        "admin fabrics vlans get acme backend\n\
         admin fabrics vlans get a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f 100",
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
        "admin fabrics vlans create acme 300 application\n\
         admin fabrics vlans create acme 300 application --dry-run",
    );
/// UpdateFabricVLAN.
pub static UPDATE_VLAN: Op = Op::put("UpdateFabricVLAN", "vlans update", ONE_VLAN, "Change a VLAN of an account")
    .columns(VLAN_COLUMNS)
    .fields(&[body("name", Kind::Text, "Name").short('n'), DESCRIPTION])
    .assigns()
    .examples(
        "admin fabrics vlans update acme 100 name=app\n\
         admin fabrics vlans update acme backend description=databases",
    );
/// DeleteFabricVLAN.
pub static DELETE_VLAN: Op =
    Op::delete("DeleteFabricVLAN", "vlans delete", ONE_VLAN, "Delete a VLAN of an account").in_turn().examples(
        "admin fabrics vlans delete acme 300 --yes\n\
         admin fabrics vlans delete acme 300 --dry-run",
    );

/// ListFabricNetworks.
pub static LIST_FABRICS: Op =
    Op::list("ListFabricNetworks", "networks list", NETWORKS, "List the networks on a VLAN of an account")
        .pages(1000)
        .fields(&[LIMIT, OFFSET])
        .examples(
            "admin fabrics networks list acme 100\n\
             admin fabrics networks list acme default -o name,subnet,gateway",
        );
/// GetFabricNetwork.
pub static GET_FABRIC: Op =
    Op::get("GetFabricNetwork", "networks get", ONE_NETWORK, "Show a network on a VLAN of an account").examples(
        "admin fabrics networks get acme 100 backend\n\
         admin fabrics networks get acme backend backend -o name,subnet",
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
            "admin fabrics networks create acme 100 -n backbone --subnet 10.40.0.0/24 \
             --provision-start-ip 10.40.0.2 --provision-end-ip 10.40.0.250\n\
             admin fabrics networks create acme 100 -n backbone --subnet-alloc --dry-run",
        );
/// UpdateFabricNetwork.
pub static UPDATE_FABRIC: Op =
    Op::put("UpdateFabricNetwork", "networks update", ONE_NETWORK, "Change a network on a VLAN of an account")
        .long("A list that is given replaces the one that is there.")
        .fields(&[body("name", Kind::Text, "Name").short('n'), DESCRIPTION, START, END, NAT, RESOLVERS, ROUTES])
        .replaces(&["resolvers", "routes"])
        .assigns()
        .examples(
            "admin fabrics networks update acme 100 backend description=databases\n\
             admin fabrics networks update acme 100 backend --name app",
        );
/// DeleteFabricNetwork.
pub static DELETE_FABRIC: Op =
    Op::delete("DeleteFabricNetwork", "networks delete", ONE_NETWORK, "Delete a network on a VLAN of an account")
        .in_turn()
        .examples(
            "admin fabrics networks delete acme 100 backend --yes\n\
             admin fabrics networks delete acme 100 backend --dry-run",
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
