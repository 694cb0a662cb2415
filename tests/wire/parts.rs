//! What belongs to a machine: tags, metadata, snapshots, network interfaces, disks, migrations.

use sdc::api::cloudapi::{disks, metadata, migrations, nics, snapshots, tags};

use super::Vector;

pub fn vectors() -> Vec<Vector> {
    vec![
        // Tags, without a prefix here
        (&tags::LIST, &[("machine", "m1")], "GET /acme/machines/m1/tags", ""),
        (&tags::GET, &[("machine", "m1"), ("tag", "a/b c")], "GET /acme/machines/m1/tags/a%2Fb%20c", ""),
        (
            &tags::SET,
            &[("machine", "m1"), ("role", "web"), ("weight:", "10"), ("triton.cns.disable:", "true")],
            "POST /acme/machines/m1/tags",
            r#"{"role":"web","weight":10,"triton.cns.disable":true}"#,
        ),
        (
            &tags::REPLACE,
            &[("machine", "m1"), ("role", "db"), ("on:", "false")],
            "PUT /acme/machines/m1/tags",
            r#"{"role":"db","on":false}"#,
        ),
        (&tags::DELETE, &[("machine", "m1"), ("tag", "role")], "DELETE /acme/machines/m1/tags/role", ""),
        (&tags::DELETE_ALL, &[("machine", "m1")], "DELETE /acme/machines/m1/tags", ""),
        // Metadata, likewise
        (&metadata::LIST, &[("machine", "m1")], "GET /acme/machines/m1/metadata", ""),
        (
            &metadata::LIST,
            &[("machine", "m1"), ("credentials", "true")],
            "GET /acme/machines/m1/metadata?credentials=true",
            "",
        ),
        (
            &metadata::GET,
            &[("machine", "m1"), ("metadata_key", "user-script")],
            "GET /acme/machines/m1/metadata/user-script",
            "",
        ),
        (
            &metadata::SET,
            &[("machine", "m1"), ("release", "1.10"), ("n:", "3"), ("on:", "true"), ("user-script", "#!/bin/sh\n")],
            "POST /acme/machines/m1/metadata",
            r##"{"release":"1.10","n":3,"on":true,"user-script":"#!/bin/sh\n"}"##,
        ),
        (
            &metadata::DELETE,
            &[("machine", "m1"), ("metadata_key", "release")],
            "DELETE /acme/machines/m1/metadata/release",
            "",
        ),
        (&metadata::DELETE_ALL, &[("machine", "m1")], "DELETE /acme/machines/m1/metadata", ""),
        // Snapshots
        (&snapshots::LIST, &[("machine", "m1")], "GET /acme/machines/m1/snapshots", ""),
        (&snapshots::GET, &[("machine", "m1"), ("snapshot", "s1")], "GET /acme/machines/m1/snapshots/s1", ""),
        (&snapshots::CREATE, &[("machine", "m1")], "POST /acme/machines/m1/snapshots", ""),
        (
            &snapshots::CREATE,
            &[("machine", "m1"), ("name", "s1")],
            "POST /acme/machines/m1/snapshots",
            r#"{"name":"s1"}"#,
        ),
        (&snapshots::BOOT, &[("machine", "m1"), ("snapshot", "s1")], "POST /acme/machines/m1/snapshots/s1", ""),
        (&snapshots::DELETE, &[("machine", "m1"), ("snapshot", "s1")], "DELETE /acme/machines/m1/snapshots/s1", ""),
        // Network interfaces, whose addresses are without colons in a path
        (&nics::LIST, &[("machine", "m1")], "GET /acme/machines/m1/nics", ""),
        (&nics::GET, &[("machine", "m1"), ("nic", "90b8d0aabbcc")], "GET /acme/machines/m1/nics/90b8d0aabbcc", ""),
        (
            &nics::ADD,
            &[("machine", "m1"), ("network", "n1"), ("primary:", "true")],
            "POST /acme/machines/m1/nics",
            r#"{"network":"n1","primary":true}"#,
        ),
        (
            &nics::ADD,
            &[("machine", "m1"), ("network:", r#"{"ipv4_uuid":"n1","ipv4_ips":["10.0.0.7"]}"#)],
            "POST /acme/machines/m1/nics",
            r#"{"network":{"ipv4_uuid":"n1","ipv4_ips":["10.0.0.7"]}}"#,
        ),
        (
            &nics::REMOVE,
            &[("machine", "m1"), ("nic", "90b8d0aabbcc")],
            "DELETE /acme/machines/m1/nics/90b8d0aabbcc",
            "",
        ),
        // Disks
        (&disks::LIST, &[("machine", "m1")], "GET /acme/machines/m1/disks", ""),
        (&disks::GET, &[("machine", "m1"), ("disk", "d1")], "GET /acme/machines/m1/disks/d1", ""),
        (
            &disks::ADD,
            &[("machine", "m1"), ("size:", "10240"), ("pci_slot", "0:4:1")],
            "POST /acme/machines/m1/disks",
            r#"{"size":10240,"pci_slot":"0:4:1"}"#,
        ),
        (
            &disks::ADD,
            &[("machine", "m1"), ("size", "remaining")],
            "POST /acme/machines/m1/disks",
            r#"{"size":"remaining"}"#,
        ),
        (
            &disks::RESIZE,
            &[("machine", "m1"), ("disk", "d1"), ("size:", "20480"), ("dangerous_allow_shrink:", "true")],
            "POST /acme/machines/m1/disks/d1",
            r#"{"size":20480,"dangerous_allow_shrink":true}"#,
        ),
        (&disks::DELETE, &[("machine", "m1"), ("disk", "d1")], "DELETE /acme/machines/m1/disks/d1", ""),
        // Migrations
        (&migrations::LIST, &[], "GET /acme/migrations", ""),
        (&migrations::GET, &[("machine", "m1")], "GET /acme/migrations/m1", ""),
        (&migrations::ESTIMATE, &[("machine", "m1")], "GET /acme/machines/m1/migrate", ""),
        (
            &migrations::BEGIN,
            &[("machine", "m1"), ("affinity:", r#"["instance!=web*"]"#)],
            "POST /acme/machines/m1/migrate?action=begin",
            r#"{"affinity":["instance!=web*"]}"#,
        ),
        (&migrations::SYNC, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=sync", ""),
        (&migrations::SWITCH, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=switch", ""),
        (
            &migrations::AUTOMATIC,
            &[("machine", "m1"), ("affinity:", r#"["role==~db"]"#)],
            "POST /acme/machines/m1/migrate?action=automatic",
            r#"{"affinity":["role==~db"]}"#,
        ),
        (&migrations::PAUSE, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=pause", ""),
        (&migrations::ABORT, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=abort", ""),
        (&migrations::FINALIZE, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=finalize", ""),
        (&migrations::WATCH, &[("machine", "m1")], "POST /acme/machines/m1/migrate?action=watch", ""),
    ]
}
