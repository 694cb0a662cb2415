//! The routes: which method and path is which operation, and who carries it out. Written from the server's side,
//! without a look at the client's table.
//!
//! To add one: write a handler in its noun's file and a row in that file's `ROUTES`.

use super::call::Route;
use super::handlers::{
    accesskeys, account, actions, config, create, datacenters, disks, fabrics, fwrules, image_actions, images, keys,
    limits, machines, metadata, migrations, network_ips, networks, nics, packages, policies, role_tags, roles,
    snapshots, sockets, tags, user_keys, users, volumes,
};

/// Every route, a list a noun.
pub static ROUTES: &[&[Route]] = &[
    account::ROUTES,
    keys::ROUTES,
    machines::ROUTES,
    create::ROUTES,
    actions::ROUTES,
    tags::ROUTES,
    metadata::ROUTES,
    snapshots::ROUTES,
    disks::ROUTES,
    migrations::ROUTES,
    images::ROUTES,
    image_actions::ROUTES,
    packages::ROUTES,
    networks::ROUTES,
    network_ips::ROUTES,
    fabrics::ROUTES,
    nics::ROUTES,
    fwrules::ROUTES,
    volumes::ROUTES,
    datacenters::ROUTES,
    config::ROUTES,
    limits::ROUTES,
    accesskeys::ROUTES,
    users::ROUTES,
    user_keys::ROUTES,
    roles::ROUTES,
    policies::ROUTES,
    sockets::ROUTES,
    // The last: what it matches may be another operation's.
    role_tags::ROUTES,
];

/// Every route.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().flat_map(|list| list.iter())
}
