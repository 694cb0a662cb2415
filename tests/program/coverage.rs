//! Nothing of the API is left out: each route of the list of endpoints, which was written from the service and not
//! from the table, has a command and a handler in the emulator.
#![cfg(all(feature = "cli", feature = "emulator"))]

use crate::common::Program;

use serde_json::Value;

const ENDPOINTS: &str = include_str!("../data/endpoints.tsv");

/// A route of the list that a command is meant for.
struct Endpoint<'a> {
    operation: &'a str,
    method: &'a str,
    path: &'a str,
    action: Option<&'a str>,
}

fn endpoints() -> Vec<Endpoint<'static>> {
    let mut lines = ENDPOINTS.lines();
    let names: Vec<&str> = lines.next().unwrap().split('\t').collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let [operation, method, path, action, mounted, command] =
        ["operation", "method", "path", "action", "mounted", "proposed_cmd"].map(at);
    lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row[mounted] == "yes" && row[method] != "HEAD")
        .filter(|row| !row[command].starts_with("(none"))
        .map(|row| Endpoint {
            operation: row[operation],
            method: row[method],
            path: row[path],
            action: Some(row[action]).filter(|action| !action.is_empty() && !action.starts_with('(')),
        })
        .collect()
}

/// A path with its parameters' names left out.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with(':') { ":" } else { part }).collect::<Vec<_>>().join("/")
}

/// What the commands call: method, path's shape, action.
fn called(command: &Value, all: &mut Vec<(String, String, Option<String>)>) {
    for op in command["api"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let action = op["fixed"]["action"].as_str().map(str::to_owned);
        all.push((text(&op["method"]), shape(&text(&op["path"])), action));
    }
    for sub in command["subcommands"].as_array().unwrap() {
        called(sub, all);
    }
}

fn help(words: &[&str]) -> Value {
    let output = Program::new(&["help"], []).args(words).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_endpoint_has_a_command() {
    let mut all = Vec::new();
    called(&help(&[]), &mut all);
    let endpoints = endpoints();
    assert!(endpoints.len() > 100, "the list was not read: {} rows", endpoints.len());
    let missing: Vec<&str> = endpoints
        .iter()
        .filter(|endpoint| {
            let (method, path) = (endpoint.method.to_owned(), shape(endpoint.path));
            !all.contains(&(method, path, endpoint.action.map(str::to_owned)))
        })
        .map(|endpoint| endpoint.operation)
        .collect();
    assert!(missing.is_empty(), "no command for {}", missing.join(", "));
}

#[test]
fn each_endpoint_is_answered_by_the_emulator() {
    let missing: Vec<&str> = endpoints()
        .iter()
        .filter(|endpoint| {
            !sdc::emulator::routes().any(|route| {
                let action_fits = route.action.is_none() || route.action == endpoint.action;
                route.method.as_str() == endpoint.method && shape(route.path) == shape(endpoint.path) && action_fits
            })
        })
        .map(|endpoint| endpoint.operation)
        .collect();
    assert!(missing.is_empty(), "no handler in the emulator for {}", missing.join(", "));
}

/// Service, operation and proposed command of each endpoint of the internal services that are emulated in full.
fn inner_endpoints() -> impl Iterator<Item = [&'static str; 3]> {
    let full = ["sapi", "vmapi", "workflow", "napi", "papi"];
    let rows = include_str!("../data/admin-endpoints.tsv").lines().skip(1);
    let rows = rows.map(|line| line.split('\t').collect::<Vec<_>>()).map(|row| [row[0], row[1], row[6]]);
    rows.filter(move |[service, _, command]| full.contains(service) && command.starts_with("sdc admin "))
}

/// Endpoints that are a part of another command: which it is, by its words.
const PARTS: &[(&str, &str)] = &[
    ("Ping", "admin health"),
    ("HeadVms", "admin vms list"),
    ("HeadVm", "admin vms get"),
    // Its frames tell no more than the migration itself, which a wait asks for again and again.
    ("WatchMigration", "admin migrations get"),
];

/// The name of an operation in the list: those that are told apart by what is sent have a word more here.
fn listed(id: &str) -> &str {
    id.split(' ').next().unwrap_or_default()
}

#[test]
fn each_endpoint_of_the_internal_services_has_a_command_and_a_handler_by_its_name() {
    let tree = sdc::cli::tree();
    let there = |words: &str| words.split(' ').try_fold(&tree, |command, word| command.find_subcommand(word)).is_some();
    let (mut missing, mut count) = (Vec::new(), 0);
    for [service, name, _] in inner_endpoints() {
        count += 1;
        let ops = sdc::api::admin::named(service).unwrap().ops();
        let mut words: Vec<String> = ops.filter(|op| listed(op.id) == name).map(sdc::api::words).collect();
        words.extend(PARTS.iter().filter(|(known, _)| *known == name).map(|(_, words)| (*words).to_owned()));
        if words.is_empty() || !words.iter().all(|words| there(words)) {
            missing.push(format!("{service}.{name} has no command"));
        }
        if !sdc::emulator::admin_operations().any(|one| one.service == service && one.name == name) {
            missing.push(format!("{service}.{name} has no handler"));
        }
    }
    assert!(count > 120, "the list was not read: {count} rows");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_page_of_operations_has_a_table_of_each_internal_service_that_misses_none() {
    let page = include_str!("../../docs/api-coverage.md");
    for service in ["SAPI", "VMAPI", "WORKFLOW", "NAPI", "PAPI"] {
        let table = page.split("\n## ").find(|part| part.starts_with(&format!("{service}\n"))).unwrap_or_default();
        assert!(table.contains(": 0 missing"), "{service}: {table}");
        let of = service.to_ascii_lowercase();
        for [_, name, _] in inner_endpoints().filter(|[service, ..]| *service == of) {
            let part = PARTS.iter().any(|(known, _)| *known == name);
            let row = table.lines().any(|line| line.split(' ').nth(1) == Some(name));
            assert!(row || part, "{service}.{name} is not on the page");
        }
    }
}

#[test]
fn help_describes_a_command_with_all_that_it_takes() {
    let list = help(&["img", "ls"]);
    assert_eq!(list["path"], serde_json::json!(["images", "list"]));
    let options = list["options"].as_array().unwrap();
    let named = |long: &str| options.iter().find(|option| option["long"] == long).unwrap();
    assert_eq!(named("state")["global"], false);
    // What every command takes is told of the one that was asked for, too.
    assert_eq!(named("output")["global"], true);
    let systems = named("os")["possible_values"].as_array().unwrap();
    assert!(systems.iter().any(|word| word == "smartos"), "{systems:?}");
    let whole = help(&[]);
    let names = |command: &Value| -> Vec<String> {
        command["subcommands"].as_array().unwrap().iter().map(|sub| sub["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!names(&whole).contains(&"generate".to_owned()), "what is hidden is told of");
    let tags = help(&["role-tags"]);
    assert_eq!(names(&tags), ["get", "set", "add", "remove", "clear"]);
    assert_eq!(tags["subcommands"][1]["arguments"][1]["multiple"], true);
    let gone = Program::new(&["help", "nothing", "--json"], []).output().unwrap();
    assert_eq!((gone.status.code(), gone.stdout.len()), (Some(2), 0));
}

#[test]
fn the_page_of_operations_has_each_route_and_misses_none() {
    let page = include_str!("../../docs/api-coverage.md");
    assert!(page.contains(": 0 missing"), "{}", page.lines().nth(3).unwrap_or_default());
    let request = |line: &str| {
        let (request, query) = line.split('`').nth(1).map(|text| text.split_once('?').unwrap_or((text, "")))?;
        Some(if query.is_empty() { shape(request) } else { format!("{}?{query}", shape(request)) })
    };
    let requests: Vec<String> = page.lines().filter_map(request).collect();
    let missing: Vec<&str> = endpoints()
        .iter()
        .filter(|endpoint| {
            let query = endpoint.action.map(|action| format!("?action={action}")).unwrap_or_default();
            let request = shape(&format!("{} {}", endpoint.method, endpoint.path));
            let wanted = format!("{request}{query}");
            !requests.iter().any(|have| *have == wanted || query.is_empty() && *have == request)
        })
        .map(|endpoint| endpoint.operation)
        .collect();
    assert!(missing.is_empty(), "not on the page: {}", missing.join(", "));
}

/// The help of the program at 80 columns.
fn page(words: &[&str]) -> String {
    let output = Program::new(words, []).env("COLUMNS", "80").output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

#[test]
fn the_help_of_the_program_fits_on_a_screen_and_has_every_command_once() {
    let shown = page(&["--help"]);
    assert!(shown.lines().count() <= 45, "{} lines\n{shown}", shown.lines().count());
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let all: serde_json::Value = serde_json::from_str(&page(&["help", "--json"])).unwrap();
    for command in all["subcommands"].as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        let times = shown.lines().filter(|line| line.starts_with(&format!("  {name} "))).count();
        assert_eq!(times, 1, "{name}\n{shown}");
    }
}

#[test]
fn the_options_of_every_command_stand_on_one_page() {
    let shown = page(&["machines", "stop", "--help"]);
    assert!(shown.contains("Global options: sdc help options") && !shown.contains("--profile"), "{shown}");
    let shown = page(&["help", "options"]);
    for option in ["--profile", "--key-id", "--output", "--jq", "--dry-run"] {
        assert!(shown.contains(option), "{option}: {shown}");
    }
    for (words, told) in [
        (&["help", "triton", "instance", "tag"][..], "sdc machines tags list INST"),
        (&["help", "smartdc", "listmachines"], "sdc machines list"),
        (&["help", "formatting"], "--jq EXPR"),
        (&["help", "selectors"], "--older-than TIME"),
    ] {
        assert!(page(words).contains(told), "{words:?}");
    }
    assert!(!page(&["help", "triton", "instance", "tag"]).contains("sdc machines list\n"));
}
