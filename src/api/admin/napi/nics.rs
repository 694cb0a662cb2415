//! NICs of VMs and servers.

use super::pools::POOL;
use super::{ACCOUNT, CALLED, GET_NETWORK, LIMIT, LIST_NETWORKS, NETWORK, OFFSET, PROVIDES, SERVER, TYPES};
use crate::api::*;

/// A NIC, whose hardware address goes into the path without colons.
pub static NIC: Noun = Noun::new("adminnic", &GET_NIC, &LIST_NICS)
    .word("NIC")
    .ids(Ids::Mac, "mac", "MAC address, or IP address")
    .named("ip");

/// What a new NIC may be on: a network, or a pool that gives it one of its own.
static PLACE: Noun = Noun::new("adminnetwork", &GET_NETWORK, &LIST_NETWORKS)
    .word("network")
    .ids(Ids::Uuid, "uuid", CALLED)
    .beside(&POOL)
    .filter("name");

const OWNER: Field = body("owner_uuid", Kind::Ref(&ACCOUNT), "Account that has it: login or id").flag("owner");
const BELONGS_TYPE: Field = body("belongs_to_type", Kind::OneOf(TYPES), "What has it");
const BELONGS: Field = body("belongs_to_uuid", Kind::Uuid, "Id of the VM or server that has it");
const STATE: Field = body("state", Kind::OneOf(&["provisioning", "stopped", "running"]), "State");
const HOST: Field = body("cn_uuid", Kind::Ref(&SERVER), "Server that it is on: host name or id").flag("server");
const CHECK: Field = body("check_owner", Kind::Bool, "Refuse an account that may not use the network [default: true]");
const ADDRESS: Field = body("ip", Kind::Text, "Address; one that is free if not given");
const RESERVED: Field = body("reserved", Kind::Bool, "Whether its address is kept from being given out");
const ON: Field =
    body("network_uuid", Kind::Ref(&PLACE), "Network or pool of networks: id, short id or name").flag("network");
const TAG: Field = body("nic_tag", Kind::Text, "NIC tag, where no network is given");
const VLAN: Field = body("vlan_id", Kind::Integer, "VLAN, where no network is given").flag("vlan");
const PRIMARY: Field = body("primary", Kind::Bool, "Whether it is the primary one of what has it");
const MODEL: Field = body("model", Kind::Text, "Model that a VM sees: virtio, e1000, ...");
const UNDERLAY: Field = body("underlay", Kind::Bool, "Whether fabrics run over it; of servers only");
const DHCP: Field = body("allow_dhcp_spoofing", Kind::Bool, "Whether it may answer DHCP");
const IPS: Field = body("allow_ip_spoofing", Kind::Bool, "Whether it may send from other addresses");
const MAC: Field = body("allow_mac_spoofing", Kind::Bool, "Whether it may send from other hardware addresses");
const TRAFFIC: Field = body("allow_restricted_traffic", Kind::Bool, "Whether it may send what is restricted");
const PROMISC: Field = body("allow_unfiltered_promisc", Kind::Bool, "Whether it may see what is for others");

/// ListNics. The order within a page is not sure.
pub static LIST_NICS: Op = Op::list("ListNics", "list", "/nics", "List the NICs of VMs and servers")
    .pages(1000)
    .fields(&[
        query("owner_uuid", Kind::Ref(&ACCOUNT), "Only those of this account: login or id")
            .flag("owner")
            .test(Test::Id("owner_uuid")),
        query("belongs_to_uuid", Kind::Uuid, "Only those of this VM or server").test(Test::Text("belongs_to_uuid")),
        query("belongs_to_type", Kind::OneOf(TYPES), "Only those of such things").test(Test::Text("belongs_to_type")),
        query("network_uuid", Kind::Ref(&NETWORK), "Only those on this network")
            .flag("network")
            .test(Test::Id("network_uuid")),
        query("nic_tag", Kind::Text, "Only those of this NIC tag").test(Test::Text("nic_tag")),
        query("nic_tags_provided", Kind::Text, "Only those that provide this NIC tag")
            .flag("provides")
            .test(Test::Among("nic_tags_provided")),
        query("cn_uuid", Kind::Ref(&SERVER), "Only those on this server: host name or id")
            .flag("server")
            .test(Test::Id("cn_uuid")),
        query("state", Kind::Text, "Only those in this state").test(Test::Text("state")),
        query("underlay", Kind::Bool, "Only those that fabrics run over, or none of them").test(Test::Bool("underlay")),
        LIMIT,
        OFFSET,
    ])
    .examples("admin nics list belongs_to_type=server\nadmin nics list --network public state=running");

/// GetNic.
pub static GET_NIC: Op = Op::get("GetNic", "get", "/nics/:adminnic", "Show a NIC")
    .each()
    .examples("admin nics get 90:b8:c6:12:00:0a\nadmin nics get 198.18.0.10 -o mac,state");

/// CreateNic.
pub static CREATE_NIC: Op = Op::create("CreateNic", "create", "/nics", "Create a NIC of a VM or server")
    .making(&NIC)
    .fields(&[
        Field { required: true, ..OWNER },
        Field { required: true, ..BELONGS_TYPE },
        Field { required: true, ..BELONGS },
        body("mac", Kind::Text, "Hardware address; one that nothing has if not given"),
        ADDRESS,
        ON,
        TAG,
        VLAN,
        PRIMARY,
        RESERVED,
        MODEL,
        STATE,
        HOST,
        PROVIDES,
        UNDERLAY,
        DHCP,
        IPS,
        MAC,
        TRAFFIC,
        PROMISC,
        CHECK,
    ])
    .assigns()
    .examples(
        "admin nics create --owner acme --belongs-to-type other \
         --belongs-to-uuid 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d --network public\n\
         admin nics create --owner acme --belongs-to-type other \
         --belongs-to-uuid 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d --network public --dry-run",
    );

/// ProvisionNic.
pub static PROVISION_NIC: Op =
    Op::create("ProvisionNic", "provision", "/networks/:adminnetwork/nics", "Create a NIC on a network")
        .making(&NIC)
        .fields(&[
            Field { required: true, ..OWNER },
            Field { required: true, ..BELONGS_TYPE },
            Field { required: true, ..BELONGS },
            ADDRESS,
            RESERVED,
            PRIMARY,
            STATE,
            HOST,
            PROVIDES,
            CHECK,
        ])
        .assigns()
        .examples(
            "admin nics provision public --owner acme --belongs-to-type other \
             --belongs-to-uuid 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d\n\
             admin nics provision public --owner acme --belongs-to-type other \
             --belongs-to-uuid 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d --dry-run",
        );

/// UpdateNic.
pub static UPDATE_NIC: Op = Op::put("UpdateNic", "update", "/nics/:adminnic", "Change a NIC")
    .fields(&[
        OWNER,
        BELONGS_TYPE,
        BELONGS,
        ADDRESS,
        ON,
        TAG,
        VLAN,
        PRIMARY,
        RESERVED,
        MODEL,
        STATE,
        HOST,
        PROVIDES,
        UNDERLAY,
        DHCP,
        IPS,
        MAC,
        TRAFFIC,
        PROMISC,
        CHECK,
        field::IF_MATCH,
    ])
    .replaces(&["nic_tags_provided"])
    .assigns()
    .examples(
        "admin nics update 90:b8:c6:12:00:0a allow_ip_spoofing=true\n\
         admin nics update 90:b8:c2:a8:80:05 --primary",
    );

/// DeleteNic, which frees its address.
pub static DELETE_NIC: Op = Op::delete("DeleteNic", "delete", "/nics/:adminnic", "Delete a NIC, and free its address")
    .each()
    .examples("admin nics delete 90:b8:0a:40:00:0a --yes\nadmin nics delete 10.64.0.10 --dry-run");

/// `sdc admin nics`.
pub static NICS: Resource = Resource {
    name: "nics",
    aliases: &["nic"],
    about: "NICs of VMs and servers (NAPI)",
    columns: &[
        column("mac").always().stays(),
        column("ip").stays(),
        column("state").always().stays(),
        column("belongs_to_type").always(),
        column("belongs_to_uuid").always(),
        column("nic_tag").roomy(),
        column("network_uuid").ids_of(&NETWORK).show(Show::ShortId).roomy(),
        column("primary").always().truth().long(),
        column("owner_uuid").always().long(),
        column("cn_uuid").named(),
        column("vlan_id").named(),
        column("mtu").named(),
        column("gateway").named(),
        column("netmask").named(),
        column("resolvers").named(),
        column("fabric").truth().named(),
        column("model").named(),
        column("underlay").truth().named(),
        column("nic_tags_provided").named(),
        column("allow_dhcp_spoofing").truth().named(),
        column("allow_ip_spoofing").truth().named(),
        column("allow_mac_spoofing").truth().named(),
        column("allow_restricted_traffic").truth().named(),
        column("created_timestamp").always().time().named(),
        column("modified_timestamp").always().time().named(),
    ],
    ops: &[&LIST_NICS, &GET_NIC, &CREATE_NIC, &PROVISION_NIC, &UPDATE_NIC, &DELETE_NIC],
};
