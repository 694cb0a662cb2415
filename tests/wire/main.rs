//! What goes over the wire, typed in from the description of the API and never computed from the table.
#![allow(clippy::too_many_lines, reason = "each test is a list of what is sent")]

mod account;
mod admin;
mod images;
mod machines;
mod networks;
mod parts;
mod rbac;

use sdc::api::{self, Op};
use sdc::request::{Arg, Args, Request};

/// Operation; arguments, of which those whose name ends with a colon are JSON; request line, with the headers of
/// its own below it; body.
pub type Vector = (&'static Op, &'static [(&'static str, &'static str)], &'static str, &'static str);

/// What the server does for browsers, portals and web sockets: no operation of the table.
const NOT_OPERATIONS: &[&str] = &[
    "RootRedirect",
    "DocsRedirect",
    "Favicon",
    "ListForeignDatacenters",
    "AddForeignDatacenter",
    "ConnectMachineVNC",
    "GetChangefeed",
];

/// Named in the list of endpoints, and still no parameter: what follows says what newer servers know, and the
/// other is only ever refused.
const NOT_PARAMETERS: &[&str] = &["newer", "bootrom"];

fn vectors() -> Vec<Vector> {
    [account::vectors(), images::vectors(), machines::vectors(), networks::vectors(), parts::vectors(), rbac::vectors()]
        .concat()
}

/// Every operation, those too that a command of its own calls.
fn operations() -> impl Iterator<Item = &'static Op> {
    let table = api::CLOUDAPI.resources.iter().flat_map(|resource| resource.ops);
    table.chain(api::cloudapi::role_tags::OPS).copied().chain([&api::cloudapi::migrations::WATCH])
}

fn request((op, arguments, ..): &Vector) -> Request {
    let mut args = Args::new();
    for (name, value) in *arguments {
        match name.strip_suffix(':') {
            Some(name) => args.push(name, Arg::json(value).unwrap()),
            None => args.push(*name, Arg::Text((*value).to_owned())),
        }
    }
    Request::new(op, &args, "acme").unwrap_or_else(|error| panic!("{}: {error}", op.id))
}

fn json(body: &[u8]) -> serde_json::Value {
    serde_json::from_slice(body).unwrap()
}

/// The list of endpoints: name, method, path, query, body, whether it is mounted.
fn endpoints() -> impl Iterator<Item = [&'static str; 6]> {
    include_str!("../data/endpoints.tsv").lines().skip(1).map(|line| {
        let row: Vec<&str> = line.split('\t').collect();
        [row[1], row[2], row[3], row[5], row[6], row[13]]
    })
}

/// The names of the parameters in a cell of it: `email:string; action=stop:required; phone (all optional)`.
fn parameters(cell: &'static str) -> impl Iterator<Item = &'static str> {
    cell.split(';').map(str::trim).flat_map(|part| {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !"_-.|".contains(c)).unwrap_or(part.len());
        let named = ["", ":", "=", " ("].iter().any(|after| match *after {
            "" => part.len() == end,
            after => part[end..].starts_with(after),
        });
        if named { part[..end].split('|').filter(|name| !name.is_empty()).collect() } else { Vec::new() }
    })
}

#[test]
fn each_operation_sends_what_the_api_describes() {
    let mut wrong = Vec::new();
    for vector in vectors() {
        let (op, arguments, line, body) = vector;
        let request = request(&vector);
        let mut sent = format!("{} {}", request.method, request.target());
        for (name, value) in &request.headers {
            sent.push_str(&format!("\n{name}: {value}"));
        }
        if sent != line {
            wrong.push(format!("{} {arguments:?} sends\n  {sent}\n  and not\n  {line}", op.id));
        }
        let sent = request.body.map(|(kind, body)| {
            assert_eq!(kind, "application/json", "{}", op.id);
            body
        });
        let fits = match &sent {
            None => body.is_empty(),
            Some(sent) => !body.is_empty() && json(sent) == json(body.as_bytes()),
        };
        if !fits {
            let sent = String::from_utf8(sent.unwrap_or_default()).unwrap();
            wrong.push(format!("{} {arguments:?} sends\n  {sent}\n  and not\n  {body}", op.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_operation_of_the_table_has_a_vector() {
    let vectors = vectors();
    let missing: Vec<&str> =
        operations().filter(|op| !vectors.iter().any(|(known, ..)| known.id == op.id)).map(|op| op.id).collect();
    assert!(missing.is_empty(), "no vector here: {}", missing.join(", "));
}

#[test]
fn every_endpoint_that_the_server_mounts_is_an_operation_of_the_table() {
    let missing: Vec<&str> = endpoints()
        .filter(|[id, method, .., mounted]| *mounted == "yes" && *method != "HEAD" && !NOT_OPERATIONS.contains(id))
        .filter(|[id, ..]| !operations().any(|op| op.id == *id))
        .map(|[id, ..]| id)
        .collect();
    assert!(missing.is_empty(), "no operation: {}", missing.join(", "));
}

#[test]
fn every_operation_is_an_endpoint_of_the_same_method_and_path() {
    let shape = |path: &str| {
        path.split('/').map(|part| if part.starts_with(':') { ":" } else { part }).collect::<Vec<_>>().join("/")
    };
    let mut wrong = Vec::new();
    for op in operations() {
        let endpoint = endpoints().find(|[id, ..]| *id == op.id);
        if !endpoint.is_some_and(|[_, method, path, ..]| method == op.method.as_str() && shape(path) == shape(op.path))
        {
            wrong.push(format!("{} {} {}", op.id, op.method.as_str(), op.path));
        }
    }
    assert!(wrong.is_empty(), "not in the list of endpoints: {}", wrong.join(", "));
}

/// The words of the audit log for what is done to a machine; `unknown` is one of them.
const AUDITED: &[&str] = &[
    "provision",
    "start",
    "stop",
    "reboot",
    "kill",
    "destroy",
    "reprovision",
    "add_nics",
    "update_nics",
    "remove_nics",
    "create_snapshot",
    "rollback_snapshot",
    "delete_snapshot",
    "rename",
    "resize",
    "replace_metadata",
    "set_metadata",
    "remove_metadata",
    "replace_tags",
    "set_tags",
    "remove_tags",
    "enable_deletion_protection",
    "disable_deletion_protection",
    "unknown",
];

#[test]
fn what_is_looked_for_in_the_audit_log_is_a_word_of_the_audit_log() {
    for op in operations() {
        let awaited = match op.goal {
            Some((api::Goal::Audit(word), _)) => Some(word),
            _ => None,
        };
        for word in op.job.into_iter().chain(awaited) {
            assert!(AUDITED.contains(&word), "{} looks for {word}", op.id);
        }
    }
}

#[test]
fn roles_are_left_out_where_the_service_refuses_or_keeps_them() {
    let strict = [
        "AddMachineTags",
        "ReplaceMachineTags",
        "UpdateMachineMetadata",
        "UpdateConfig",
        "ListVolumes",
        "ListFabricVLANs",
        "CreateFabricVLAN",
        "GetFabricVLAN",
        "UpdateFabricVLAN",
        "DeleteFabricVLAN",
        "ListFabricNetworks",
        "CreateFabricNetwork",
        "GetFabricNetwork",
        "UpdateFabricNetwork",
        "DeleteFabricNetwork",
    ];
    for op in operations() {
        assert_eq!(op.roles, !strict.contains(&op.id), "{}", op.id);
    }
}

#[test]
fn every_parameter_of_an_endpoint_is_in_a_vector() {
    let vectors = vectors();
    let mut missing = Vec::new();
    for [id, method, _, query, body, mounted] in endpoints() {
        if mounted != "yes" || method == "HEAD" || NOT_OPERATIONS.contains(&id) {
            continue;
        }
        let mut sent: Vec<String> = Vec::new();
        for vector in vectors.iter().filter(|(op, ..)| op.id == id) {
            let request = request(vector);
            sent.extend(request.query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())));
            if let Some((_, body)) = &request.body {
                sent.extend(json(body).as_object().unwrap().keys().cloned());
            }
        }
        for name in parameters(query).chain(parameters(body)).filter(|name| !NOT_PARAMETERS.contains(name)) {
            let fits = |sent: &String| match name.split_once('.') {
                // `tag.NAME` stands for any name.
                Some((prefix, _)) => sent.starts_with(&format!("{prefix}.")),
                None => sent == name,
            };
            if !sent.iter().any(fits) {
                missing.push(format!("{name} of {id}"));
            }
        }
    }
    assert!(missing.is_empty(), "in no vector: {}", missing.join(", "));
}

#[test]
fn the_names_of_parameters_are_found_in_the_list_of_endpoints() {
    let cell = "email:string; sync:any truthy (undocumented; bypass server cache); action=update:required; \
                a|b:string; phone (all optional; also raw cn)";
    assert_eq!(parameters(cell).collect::<Vec<_>>(), ["email", "sync", "action", "a", "b", "phone"]);
}

#[test]
fn a_number_of_a_body_is_sent_as_it_was_written() {
    let mut args = Args::new().set("image", "i").set("package", "p");
    args.push("tag.n", Arg::json("12345678901234567890123").unwrap());
    args.push("tag.m", Arg::json("1.10").unwrap());
    let request = Request::new(&api::cloudapi::machines::CREATE, &args, "acme").unwrap();
    let (_, body) = request.body.unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        r#"{"image":"i","package":"p","tag.n":12345678901234567890123,"tag.m":1.10}"#
    );
}

#[test]
fn what_only_the_command_line_knows_is_no_parameter() {
    for (op, name) in [
        (&api::cloudapi::machines::CREATE, "nic"),
        (&api::cloudapi::machines::CREATE, "metadata-file"),
        (&api::cloudapi::roles::CREATE, "default-members"),
        (&api::cloudapi::roles::UPDATE, "default-members"),
    ] {
        let given = [("image", "i"), ("package", "p"), ("role", "r"), ("name", "n")];
        let args = given
            .iter()
            .filter(|(name, _)| op.path_params().chain(op.fields.iter().map(|field| field.name)).any(|n| n == *name))
            .fold(Args::new(), |args, (name, value)| args.set(*name, *value));
        let error = Request::new(op, &args.set(name, "x"), "acme").unwrap_err();
        assert_eq!(error.to_string(), format!("{} has no parameter '{name}'", op.id));
        assert!(!error.hints()[0].as_str().contains(name), "{:?}", error.hints());
    }
}
