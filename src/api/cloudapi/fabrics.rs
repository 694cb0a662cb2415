//! Fabrics: networks of the account's own, on VLANs of its own.

use crate::api::*;

const VLANS: &str = "/:login/fabrics/default/vlans";
const VLAN_PATH: &str = "/:login/fabrics/default/vlans/:vlan";
const NETWORKS: &str = "/:login/fabrics/default/vlans/:vlan/networks";
const NETWORK: &str = "/:login/fabrics/default/vlans/:vlan/networks/:fabricnetwork";

/// Known by its number; a name is looked up.
pub static VLAN: Noun = Noun::new("vlan", &VLAN_GET, &VLAN_LIST).ids(Ids::Number, "vlan_id", "number or name");

/// Looked up by name on its VLAN.
pub static FABRIC_NETWORK: Noun = Noun::new("fabricnetwork", &NETWORK_GET, &NETWORK_LIST).word("network");

const VLAN_COLUMNS: &[Column] =
    &[column("vlan_id").always().stays(), column("name").always().stays(), column("description")];

/// ListFabricVLANs. Every route below `fabrics` refuses parameters that it does not know, `as-role` too.
pub static VLAN_LIST: Op = Op::list("ListFabricVLANs", "vlans list", VLANS, "List the VLANs of the account")
    .without_roles()
    .columns(VLAN_COLUMNS)
    .examples("fabrics vlans list\nfabrics vlans list -o vlan_id,name");

/// GetFabricVLAN.
pub static VLAN_GET: Op = Op::get("GetFabricVLAN", "vlans get", VLAN_PATH, "Show a VLAN")
    .each()
    .without_roles()
    .columns(VLAN_COLUMNS)
    .examples("fabrics vlans get 100\nfabrics vlans get backend");

/// CreateFabricVLAN.
pub static VLAN_CREATE: Op = Op::create("CreateFabricVLAN", "vlans create", VLANS, "Create a VLAN")
    .making(&VLAN)
    .without_roles()
    .columns(VLAN_COLUMNS)
    .fields(&[
        body("vlan_id", Kind::Integer, "Number, 2 to 4094").value("VLAN_ID").positional(),
        body("name", Kind::Text, "Name, 2 to 256 characters").short('n').required(),
        body("description", Kind::Text, "Description").short('D'),
    ])
    .examples(
        "fabrics vlans create 300 -n frontend\n\
         fabrics vlans create 300 -n frontend -D 'Load balancers'",
    );

/// UpdateFabricVLAN.
pub static VLAN_UPDATE: Op = Op::put("UpdateFabricVLAN", "vlans update", VLAN_PATH, "Change a VLAN")
    .without_roles()
    .assigns()
    .columns(VLAN_COLUMNS)
    .fields(&[
        body("name", Kind::Text, "New name").short('n'),
        body("description", Kind::TextOrEmpty, "Description").short('D'),
    ])
    .examples(
        "fabrics vlans update 100 name=apps\n\
         fabrics vlans update backend description='Application servers'",
    );

/// DeleteFabricVLAN.
pub static VLAN_DELETE: Op =
    Op::delete("DeleteFabricVLAN", "vlans delete", VLAN_PATH, "Delete a VLAN that has no networks")
        .each()
        .without_roles()
        .examples("fabrics vlans delete 300\nfabrics vlans delete frontend --yes");

/// ListFabricNetworks.
pub static NETWORK_LIST: Op = Op::list("ListFabricNetworks", "networks list", NETWORKS, "List the networks of a VLAN")
    .without_roles()
    .columns(super::networks::COLUMNS)
    .examples(
        "fabrics networks list 100\n\
         fabrics networks list backend -o name,subnet",
    );

/// GetFabricNetwork.
pub static NETWORK_GET: Op = Op::get("GetFabricNetwork", "networks get", NETWORK, "Show a network of a VLAN")
    .each()
    .without_roles()
    .columns(super::networks::COLUMNS)
    .examples(
        "fabrics networks get 100 backend\n\
         fabrics networks get default My-Fabric-Network --json",
    );

/// CreateFabricNetwork.
pub static NETWORK_CREATE: Op = Op::create(
    "CreateFabricNetwork",
    "networks create",
    NETWORKS,
    "Create a network on a VLAN",
)
.making(&FABRIC_NETWORK)
.long(
    "Subnet, gateway and NAT cannot be changed later. With neither a gateway nor --no-nat, the first address of \
             machines is the gateway.",
)
.without_roles()
.columns(super::networks::COLUMNS)
.fields(&[
    body("name", Kind::Text, "Name, 2 to 256 characters").short('n').required(),
    body("subnet", Kind::Text, "Subnet: ADDRESS/LENGTH").value("CIDR").short('s').required(),
    body("provision_start_ip", Kind::Text, "First address that machines get")
        .value("IP")
        .flag("start-ip")
        .short('S')
        .required(),
    body("provision_end_ip", Kind::Text, "Last address that machines get")
        .value("IP")
        .flag("end-ip")
        .short('E')
        .required(),
    body("gateway", Kind::Text, "Address of the gateway").value("IP").short('g'),
    body("resolvers", Kind::Words, "Address of a name server; at most 4").flag("resolver").value("IP"),
    body("routes", Kind::Object, "Static route SUBNET=ADDRESS; may be repeated").flag("route").short('R'),
    body("internet_nat", Kind::Flag("false"), "No way out to the Internet by address translation")
        .flag("no-nat")
        .short('x'),
    body("description", Kind::Text, "Description").short('D'),
])
.examples(
    "fabrics networks create 100 -n apps -s 10.11.0.0/24 -S 10.11.0.5 -E 10.11.0.250 -x\n\
             fabrics networks create 100 -n apps -s 10.11.0.0/24 -S 10.11.0.5 -E 10.11.0.250 -g 10.11.0.1",
);

/// UpdateFabricNetwork, which no older tool reaches.
pub static NETWORK_UPDATE: Op =
    Op::put("UpdateFabricNetwork", "networks update", NETWORK, "Change a network of a VLAN")
        .long("Subnet, gateway and NAT cannot be changed. Lists that are given replace those that were there.")
        .without_roles()
        .assigns()
        .replaces(&["resolvers", "routes"])
        .columns(super::networks::COLUMNS)
        .fields(&[
            body("name", Kind::Text, "New name").short('n'),
            body("description", Kind::TextOrEmpty, "Description").short('D'),
            body("provision_start_ip", Kind::Text, "First address that machines get")
                .value("IP")
                .flag("start-ip")
                .short('S'),
            body("provision_end_ip", Kind::Text, "Last address that machines get")
                .value("IP")
                .flag("end-ip")
                .short('E'),
            body("resolvers", Kind::Words, "Address of a name server; at most 4; replaces all")
                .flag("resolver")
                .value("IP"),
            body("routes", Kind::Object, "Static route SUBNET=ADDRESS; replaces all").flag("route").short('R'),
        ])
        .examples(
            "fabrics networks update 100 backend description='Application servers'\n\
             fabrics networks update 100 backend --resolver 192.0.2.53",
        );

/// DeleteFabricNetwork.
pub static NETWORK_DELETE: Op =
    Op::delete("DeleteFabricNetwork", "networks delete", NETWORK, "Delete a network of a VLAN")
        .each()
        .long("Not the default network, and none that a machine is on.")
        .without_roles()
        .examples(
            "fabrics networks delete 100 backend\n\
             fabrics networks delete storage storage --yes",
        );

/// `sdc fabrics`.
pub static FABRICS: Resource = Resource {
    name: "fabrics",
    aliases: &["fabric"],
    about: "Fabrics: VLANs and networks of your own",
    columns: super::networks::COLUMNS,
    ops: &[
        &VLAN_LIST,
        &VLAN_GET,
        &VLAN_CREATE,
        &VLAN_UPDATE,
        &VLAN_DELETE,
        &NETWORK_LIST,
        &NETWORK_GET,
        &NETWORK_CREATE,
        &NETWORK_UPDATE,
        &NETWORK_DELETE,
    ],
};
