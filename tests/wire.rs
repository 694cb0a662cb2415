//! What goes over the wire, typed in from the description of the API and never computed from the table.

use sdc::api::{self, Op};
use sdc::request::{Arg, Args, Request};

const ID: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

/// Operation, arguments, request line, body.
type Vector = (&'static Op, &'static [(&'static str, &'static str)], &'static str, &'static str);

fn vectors() -> Vec<Vector> {
    use api::{account, datacenters, images, keys, machines, networks, packages, ping, services};
    vec![
        (&ping::PING_OP, &[], "GET /--ping", ""),
        (&account::GET, &[], "GET /acme", ""),
        (&keys::LIST, &[], "GET /acme/keys", ""),
        (&keys::LIST, &[("sync", "true")], "GET /acme/keys?sync=true", ""),
        (&keys::GET, &[("key", "my laptop")], "GET /acme/keys/my%20laptop", ""),
        (&keys::GET, &[("key", "44:56:2c")], "GET /acme/keys/44%3A56%3A2c", ""),
        (
            &keys::ADD,
            &[("key", "ssh-ed25519 AAAA jill"), ("name", "id_é")],
            "POST /acme/keys",
            r#"{"key":"ssh-ed25519 AAAA jill","name":"id_é"}"#,
        ),
        (&keys::DELETE, &[("key", "laptop")], "DELETE /acme/keys/laptop", ""),
        (&machines::LIST, &[], "GET /acme/machines", ""),
        (
            &machines::LIST,
            &[
                ("name", "web"),
                ("state", "running"),
                ("brand", "lx"),
                ("image", ID),
                ("memory", "1024"),
                ("type", "smartmachine"),
                ("docker", "false"),
                ("tombstone", "true"),
                ("credentials", "true"),
                ("limit", "10"),
                ("offset", "20"),
            ],
            "GET /acme/machines?name=web&state=running&brand=lx&image=b6979942-7d5d-4fe6-a2ec-b812e950625a&memory=1024\
             &type=smartmachine&docker=false&tombstone=true&credentials=true&limit=10&offset=20",
            "",
        ),
        (&machines::LIST, &[("tag.role", "web front")], "GET /acme/machines?tag.role=web%20front", ""),
        (&machines::LIST, &[("tags", "*")], "GET /acme/machines?tags=*", ""),
        (&machines::GET, &[("machine", ID)], "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a", ""),
        (
            &machines::GET,
            &[("machine", ID), ("credentials", "true")],
            "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a?credentials=true",
            "",
        ),
        (
            &machines::CREATE,
            &[("image", ID), ("package", "g4"), ("name", "w-{{shortId}}"), ("tag.role", "web"), ("metadata.a", "b")],
            "POST /acme/machines",
            r#"{"image":"b6979942-7d5d-4fe6-a2ec-b812e950625a","package":"g4","name":"w-{{shortId}}","tag.role":"web","metadata.a":"b"}"#,
        ),
        (
            &machines::START,
            &[("machine", ID)],
            "POST /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a?action=start",
            "",
        ),
        (
            &machines::STOP,
            &[("machine", ID)],
            "POST /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a?action=stop",
            "",
        ),
        (
            &machines::REBOOT,
            &[("machine", ID)],
            "POST /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a?action=reboot",
            "",
        ),
        (
            &machines::RENAME,
            &[("machine", ID), ("name", "web1")],
            "POST /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a?action=rename",
            r#"{"name":"web1"}"#,
        ),
        (&machines::DELETE, &[("machine", ID)], "DELETE /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a", ""),
        (&machines::AUDIT, &[("machine", ID)], "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a/audit", ""),
        (&machines::TAGS_LIST, &[("machine", ID)], "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a/tags", ""),
        (
            &machines::METADATA_LIST,
            &[("machine", ID), ("credentials", "true")],
            "GET /acme/machines/b6979942-7d5d-4fe6-a2ec-b812e950625a/metadata?credentials=true",
            "",
        ),
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
        (
            &images::LIST,
            &[
                ("name", "base-64"),
                ("os", "smartos"),
                ("version", "20.4.0"),
                ("public", "true"),
                ("state", "all"),
                ("owner", ID),
                ("type", "zone-dataset"),
            ],
            "GET /acme/images?name=base-64&os=smartos&version=20.4.0&public=true&state=all\
             &owner=b6979942-7d5d-4fe6-a2ec-b812e950625a&type=zone-dataset",
            "",
        ),
        (&images::GET, &[("image", ID)], "GET /acme/images/b6979942-7d5d-4fe6-a2ec-b812e950625a", ""),
        (&networks::LIST, &[("fabric", "true")], "GET /acme/networks?fabric=true", ""),
        (&networks::GET, &[("network", ID)], "GET /acme/networks/b6979942-7d5d-4fe6-a2ec-b812e950625a", ""),
        (&datacenters::LIST, &[], "GET /acme/datacenters", ""),
        (&datacenters::GET, &[("datacenter", "us-east-1")], "GET /acme/datacenters/us-east-1", ""),
        (&services::LIST, &[], "GET /acme/services", ""),
    ]
}

#[test]
fn each_operation_sends_what_the_api_describes() {
    for (op, arguments, line, body) in vectors() {
        let args = arguments.iter().fold(Args::new(), |args, (name, value)| args.set(*name, *value));
        let request = Request::new(op, &args, "acme").unwrap();
        assert_eq!(format!("{} {}", request.method, request.target()), line, "{}", op.id);
        let sent = request.body.map(|(kind, body)| {
            assert_eq!(kind, "application/json", "{}", op.id);
            String::from_utf8(body).unwrap()
        });
        assert_eq!(sent.unwrap_or_default(), body, "{}", op.id);
    }
}

#[test]
fn every_operation_of_the_table_has_a_vector() {
    let vectors = vectors();
    for op in api::RESOURCES.iter().flat_map(|resource| resource.ops) {
        assert!(vectors.iter().any(|(known, ..)| known.id == op.id), "{} has no vector here", op.id);
    }
}

#[test]
fn lists_and_booleans_of_a_body_have_their_json_types() {
    let mut args = Args::new().set("image", "i").set("package", "p");
    args.push("networks", Arg::json(&format!(r#"["{ID}"]"#)).unwrap());
    args.push("firewall_enabled", Arg::json("true").unwrap());
    args.push("tag.n", Arg::json("12345678901234567890123").unwrap());
    let request = Request::new(&api::machines::CREATE, &args, "acme").unwrap();
    let (_, body) = request.body.unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        r#"{"image":"i","package":"p","networks":["b6979942-7d5d-4fe6-a2ec-b812e950625a"],"firewall_enabled":true,"tag.n":12345678901234567890123}"#
    );
}

#[test]
fn the_server_knows_every_path_parameter_and_field_by_a_name_of_the_endpoint_list() {
    // Flat keys stand for tag.NAME and metadata.KEY there, and these for files of them.
    let known = ["tag", "metadata", "metadata-file", "metadata.user-script"];
    let list = include_str!("data/endpoints.tsv");
    for op in api::RESOURCES.iter().flat_map(|resource| resource.ops) {
        let row = list
            .lines()
            .map(|line| line.split('\t').collect::<Vec<_>>())
            .find(|row| row.get(1) == Some(&op.id))
            .unwrap_or_else(|| panic!("{} is not in the endpoint list", op.id));
        assert_eq!(row[2], op.method.as_str(), "{}", op.id);
        let places = format!("{} {}", row[5], row[6]);
        for field in op.fields.iter().filter(|field| !known.contains(&field.name)) {
            assert!(places.contains(field.name), "{} has no parameter {}", op.id, field.name);
        }
    }
}
