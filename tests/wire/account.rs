//! The account, its keys and settings, data centers, services, packages and volumes.

use sdc::api::cloudapi::{accesskeys, account, config, datacenters, keys, packages, ping, services, volumes};

use super::Vector;

pub fn vectors() -> Vec<Vector> {
    vec![
        (&ping::PING_OP, &[], "GET /--ping", ""),
        (&account::GET, &[], "GET /acme", ""),
        (
            &account::UPDATE,
            &[
                ("email", "ops@acme.example"),
                ("companyName", "Acme"),
                ("firstName", "Jo"),
                ("lastName", "Do"),
                ("address", "1 Road"),
                ("postalCode", "01234"),
                ("city", "Oslo"),
                ("state", "Viken"),
                ("country", "NO"),
                ("phone", "555"),
                ("triton_cns_enabled:", "true"),
            ],
            "POST /acme",
            r#"{"email":"ops@acme.example","companyName":"Acme","firstName":"Jo","lastName":"Do","address":"1 Road",
                "postalCode":"01234","city":"Oslo","state":"Viken","country":"NO","phone":"555",
                "triton_cns_enabled":true}"#,
        ),
        (&account::LIMITS, &[], "GET /acme/limits", ""),
        (&config::GET, &[], "GET /acme/config", ""),
        (&config::SET, &[("default_network", "n1")], "PUT /acme/config", r#"{"default_network":"n1"}"#),
        (&datacenters::LIST, &[], "GET /acme/datacenters", ""),
        (&datacenters::FOREIGN_LIST, &[], "GET /acme/foreigndatacenters", ""),
        (&datacenters::FOREIGN_ADD, &[("name", "x")], "POST /acme/foreigndatacenters", r#"{"name":"x"}"#),
        (&datacenters::GET, &[("datacenter", "us-east-1")], "GET /acme/datacenters/us-east-1", ""),
        (&services::LIST, &[], "GET /acme/services", ""),
        // SSH keys
        (&keys::LIST, &[], "GET /acme/keys", ""),
        (&keys::LIST, &[("sync", "true")], "GET /acme/keys?sync=true", ""),
        (&keys::GET, &[("key", "my laptop")], "GET /acme/keys/my%20laptop", ""),
        (&keys::GET, &[("key", "44:56:2c"), ("sync", "true")], "GET /acme/keys/44%3A56%3A2c?sync=true", ""),
        (
            &keys::ADD,
            &[("key", "ssh-ed25519 AAAA jill"), ("name", "id_é"), ("attestation:", r#"["PEM 1","PEM 2"]"#)],
            "POST /acme/keys",
            r#"{"key":"ssh-ed25519 AAAA jill","name":"id_é","attestation":["PEM 1","PEM 2"]}"#,
        ),
        (
            &keys::ADD,
            &[("key", "ssh-ed25519 AAAA"), ("role-tag", "ops,web")],
            "POST /acme/keys\nrole-tag: ops,web",
            r#"{"key":"ssh-ed25519 AAAA"}"#,
        ),
        (&keys::DELETE, &[("key", "laptop")], "DELETE /acme/keys/laptop", ""),
        // Access keys
        (&accesskeys::LIST, &[("sync", "true")], "GET /acme/accesskeys?sync=true", ""),
        (&accesskeys::GET, &[("accesskey", "a0"), ("sync", "true")], "GET /acme/accesskeys/a0?sync=true", ""),
        (&accesskeys::CREATE, &[], "POST /acme/accesskeys", ""),
        (
            &accesskeys::CREATE,
            &[("status", "Inactive"), ("description", "for CI")],
            "POST /acme/accesskeys",
            r#"{"status":"Inactive","description":"for CI"}"#,
        ),
        (
            &accesskeys::UPDATE,
            &[("accesskey", "a0"), ("status", "Active"), ("description", "CI")],
            "POST /acme/accesskeys/a0",
            r#"{"status":"Active","description":"CI"}"#,
        ),
        (&accesskeys::DELETE, &[("accesskey", "a0")], "DELETE /acme/accesskeys/a0", ""),
        // Packages
        (
            &packages::LIST,
            &[
                ("name", "g4*"),
                ("memory", "1024"),
                ("disk", "2048"),
                ("swap", "4096"),
                ("lwps", "4000"),
                ("vcpus", "2"),
                ("version", "1.*"),
                ("group", "g4"),
                ("flexible_disk", "true"),
                ("brand", "bhyve"),
            ],
            "GET /acme/packages?name=g4*&memory=1024&disk=2048&swap=4096&lwps=4000&vcpus=2&version=1.*&group=g4\
             &flexible_disk=true&brand=bhyve",
            "",
        ),
        (&packages::GET, &[("package", "g4-highcpu-1G")], "GET /acme/packages/g4-highcpu-1G", ""),
        // Volumes
        (&volumes::LIST, &[], "GET /acme/volumes", ""),
        (
            &volumes::LIST,
            &[
                ("name", "*data*"),
                ("predicate", r#"{"ne":["state","ready"]}"#),
                ("size", "10240"),
                ("state", "failed"),
                ("type", "tritonnfs"),
            ],
            "GET /acme/volumes?name=*data*&predicate=%7B%22ne%22:%5B%22state%22,%22ready%22%5D%7D&size=10240\
             &state=failed&type=tritonnfs",
            "",
        ),
        (&volumes::GET, &[("volume", "v1")], "GET /acme/volumes/v1", ""),
        (&volumes::CREATE, &[], "POST /acme/volumes", r#"{"type":"tritonnfs"}"#),
        (
            &volumes::CREATE,
            &[
                ("type", "tritonnfs"),
                ("name", "data"),
                ("size:", "20480"),
                ("networks:", r#"["n1"]"#),
                ("affinity:", r#"["role!=db"]"#),
                ("tags:", r#"{"team":"web"}"#),
            ],
            "POST /acme/volumes",
            r#"{"type":"tritonnfs","name":"data","size":20480,"networks":["n1"],"affinity":["role!=db"],
                "tags":{"team":"web"}}"#,
        ),
        (&volumes::RENAME, &[("volume", "v1"), ("name", "logs")], "POST /acme/volumes/v1", r#"{"name":"logs"}"#),
        (&volumes::DELETE, &[("volume", "v1")], "DELETE /acme/volumes/v1", ""),
        (&volumes::SIZES, &[], "GET /acme/volumesizes", ""),
        (&volumes::SIZES, &[("type", "tritonnfs")], "GET /acme/volumesizes?type=tritonnfs", ""),
    ]
}
