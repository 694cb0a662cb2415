//! Network interfaces of a machine.

use crate::api::*;

/// Of a network interface.
pub const COLUMNS: &[Column] = &[
    column("ip").stays(),
    column("mac").always().stays(),
    column("state").stays(),
    column("network").always().ids_of(&super::networks::NETWORK).show(Show::ShortId),
    column("primary").always().truth(),
    column("gateway").long(),
    column("netmask").long(),
    column("machine").of("/machine/name").named(),
];
const ALL: &str = "/:login/machines/:machine/nics";
const ONE: &str = "/:login/machines/:machine/nics/:nic";

/// Known by its hardware address, which goes into the path without colons; its IP address will do as well, and the
/// network that it is on.
pub static NIC: Noun = Noun::new("nic", &GET, &LIST)
    .ids(Ids::Mac, "mac", "MAC or IP address, or network")
    .named("ip")
    .on(&super::networks::NETWORK, "network")
    .rests(&["running", "stopped"])
    .log(&super::machines::AUDIT);

/// ListNics.
pub static LIST: Op = Op::list("ListNics", "nics list", ALL, "List the network interfaces of a machine")
    .matching()
    .columns(COLUMNS)
    .examples("machines nics list web1\nmachines nics list web1 -o ip,mac,gateway");

/// GetNic.
pub static GET: Op =
    Op::get("GetNic", "nics get", ONE, "Show a network interface of a machine").each().columns(COLUMNS).examples(
        "machines nics get web1 198.18.0.10\n\
         machines nics get web1 90:b8:c6:12:00:0a",
    );

/// AddNic. A 302 without a body says that there is one on that network already.
pub static ADD: Op = Op::create("AddNic", "nics add", ALL, "Add a network interface to a machine, which reboots it")
    .each()
    .making(&NIC)
    .job("add_nics")
    .found_by_redirect()
    .until(Goal::State("running"), &NIC)
    .columns(COLUMNS)
    .fields(&[
        body("network", Kind::Nic, "Network: id, short id or name; with an address: network=NAME,ip=ADDRESS")
            .positional(),
        body("primary", Kind::Flag("true"), "Make it the primary one").short('P'),
    ])
    .examples(
        "machines nics add web1 backend --wait\n\
         machines nics add web1 network=backend,ip=10.10.0.20 --primary",
    );

/// RemoveNic.
pub static REMOVE: Op =
    Op::delete("RemoveNic", "nics remove", ONE, "Remove a network interface from a machine, which reboots it")
        .in_turn()
        .job("remove_nics")
        .until(Goal::Gone, &NIC)
        .examples(
            "machines nics remove web1 192.168.128.5 --wait\n\
             machines nics remove web1 90:b8:c2:a8:80:05 --yes",
        );
