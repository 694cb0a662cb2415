//! Every operation of the services that are emulated in full has a handler, which is where the description has it.

use std::path::Path;

use sdc::emulator::{AdminOperation, admin_operations};

/// Whether a route leads to a path: what is a parameter in the route may be anything.
fn leads_to(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let fits = |(known, given): (&&str, &&str)| known.starts_with(':') || known == given;
    route.len() == path.len() && route.iter().zip(&path).all(fits)
}

#[test]
fn every_operation_of_the_services_has_a_handler_at_its_path() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/admin-endpoints.tsv");
    let rows = std::fs::read_to_string(file).unwrap();
    let known: Vec<AdminOperation> = admin_operations().collect();
    let mut wrong = Vec::new();
    for row in rows.lines().skip(1) {
        let [service, name, method, path, _, _, command] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        // What has no command of its own is the services' business among themselves.
        if !command.starts_with("sdc admin ") {
            continue;
        }
        let path = path.split('?').next().unwrap();
        let methods: Vec<&str> = method.split('|').collect();
        // GET answers HEAD.
        let method_fits = |method: &str| methods.contains(&method) || (methods == ["HEAD"] && method == "GET");
        let of = |one: &&AdminOperation| one.service == service && one.name == name;
        match known.iter().find(of) {
            None => wrong.push(format!("{service}.{name} has no handler")),
            Some(one) if !(method_fits(one.method) && leads_to(one.path, path)) => {
                wrong.push(format!("{service}.{name} is at {} {}, and not at {method} {path}", one.method, one.path));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
