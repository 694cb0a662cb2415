//! The table is whole: each operation has a command, a handler in the emulator, and a transcript of its success
//! and of its failure.
#![cfg(all(feature = "cli", feature = "emulator"))]

use std::fs;
use std::path::Path;

use sdc::api::{self, Goal, Method, Noun, Op, Resource, SERVICES, Service, Shape, Takes};

fn operations() -> impl Iterator<Item = (&'static Resource, &'static Op)> {
    let resources = SERVICES.iter().flat_map(|service| service.resources);
    resources.flat_map(|resource| resource.ops.iter().map(move |op| (*resource, *op)))
}

/// A path with its parameters' names left out: the emulator may call them otherwise.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with(':') { ":" } else { part }).collect::<Vec<_>>().join("/")
}

/// Each `$ command` of the transcripts, and whether it went well.
fn commands() -> Vec<(String, bool)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    for entry in fs::read_dir(top.join("tests/cmd")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(command) = line.strip_prefix("$ ") {
                let failed = lines.peek().is_some_and(|next| next.starts_with("? "));
                // A pipe hides the exit code, so what stands in one counts as neither.
                let told = lines.peek().is_some_and(|next| next.contains("error"));
                all.push((command.to_owned(), !failed && !told));
            }
        }
    }
    all
}

#[test]
fn clap_finds_no_fault_with_the_tree() {
    sdc::cli::tree().debug_assert();
}

/// The operations of one service that an internal one has in the emulator: those of a path that are told apart by what is
/// sent have one name there, and the word after it is the action's.
fn is_handled(service: &Service, op: &Op) -> bool {
    let name = op.id.split(' ').next().unwrap_or_default();
    let mut known = sdc::emulator::admin_operations();
    known.any(|one| one.service.eq_ignore_ascii_case(service.name) && one.name == name)
}

#[test]
fn each_operation_of_an_internal_service_is_answered_by_the_emulator() {
    let inner = SERVICES.iter().filter(|service| service.is_inner());
    let all = inner.flat_map(|service| service.ops().map(move |op| (*service, op)));
    let missing: Vec<String> = all
        .filter(|(service, op)| !is_handled(service, op))
        .map(|(service, op)| format!("{}.{}", service.name, op.id))
        .collect();
    assert!(missing.is_empty(), "no handler in the emulator: {}", missing.join(", "));
}

#[test]
fn each_operation_is_answered_by_the_emulator() {
    let missing: Vec<&str> = operations()
        .filter(|(_, op)| !api::service_of(op).is_inner())
        // Services newer than the emulated one have these; here they answer 405, as it does.
        .filter(|(_, op)| !["UpdateAccessKey", "UpdateUserAccessKey"].contains(&op.id))
        .filter(|(_, op)| {
            let actions: Vec<&str> =
                op.fixed.iter().filter(|(name, _)| *name == "action").map(|(_, word)| *word).collect();
            !sdc::emulator::routes().any(|route| {
                let action_fits =
                    actions.is_empty() || route.action.is_none() || route.action == actions.first().copied();
                route.method.as_str() == op.method.as_str() && shape(route.path) == shape(op.path) && action_fits
            })
        })
        .map(|(_, op)| op.id)
        .collect();
    assert!(missing.is_empty(), "no handler in the emulator: {}", missing.join(", "));
}

#[test]
fn each_operation_has_a_transcript_of_success_and_of_failure() {
    let commands = commands();
    let mut missing = Vec::new();
    for (resource, op) in operations() {
        let words = format!("sdc {} {}", api::path(resource), op.verb);
        let words = words.trim_end();
        let shown = |well: bool| commands.iter().any(|(command, went)| command.contains(words) && *went == well);
        if !shown(true) {
            missing.push(format!("{words} never succeeds"));
        }
        if !shown(false) {
            missing.push(format!("{words} never fails"));
        }
    }
    assert!(missing.is_empty(), "in tests/cmd: {}", missing.join(", "));
}

/// What writes files of the project, and what needs an ssh server or lasts until it is ended: tests of their own show
/// these.
const UNSHOWN: &[&str] = &["generate"];
const LASTING: &[&str] = &[
    "machines ssh",
    "machines scp",
    "machines watch",
    "machines vnc",
    "machines migrate watch",
    "changefeed",
    "emulator serve",
];

/// What always fails: it says what there is instead.
const FAILING: &[&str] = &["admin ca"];

#[test]
fn each_command_of_our_own_has_a_transcript_of_success_and_of_failure() {
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let below: Vec<&clap::Command> = command.get_subcommands().collect();
        if below.is_empty() {
            found.push(path.to_owned());
        }
        for sub in below {
            leaves(sub, format!("{path} {}", sub.get_name()).trim_start(), found);
        }
    }
    let mut all = Vec::new();
    leaves(&sdc::cli::tree(), "", &mut all);
    let own = all.iter().filter(|words| api::operation(words).is_none() && !UNSHOWN.contains(&words.as_str()));
    let commands = commands();
    let mut missing = Vec::new();
    for words in own {
        let typed = format!("sdc {words}");
        let shown = |well: bool| commands.iter().any(|(command, went)| command.contains(&typed) && *went == well);
        let untold = LASTING.iter().chain(FAILING).any(|known| *known == words.as_str());
        match (shown(true) || untold, shown(false)) {
            (true, true) => {}
            (false, _) => missing.push(format!("{typed} never succeeds")),
            (true, false) => missing.push(format!("{typed} never fails")),
        }
    }
    assert!(missing.is_empty(), "in tests/cmd: {}", missing.join(", "));
}

#[test]
fn ids_commands_and_columns_are_each_named_once() {
    for service in SERVICES {
        let mut ids: Vec<&str> = service.ops().map(|op| op.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{} names an operation twice", service.name);
    }
    let mut commands: Vec<String> = api::ops().map(api::words).collect();
    let count = commands.len();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), count, "two operations have one command");
    let mut params: Vec<&str> = SERVICES.iter().flat_map(|service| service.nouns).map(|noun| noun.name).collect();
    let count = params.len();
    params.sort_unstable();
    params.dedup();
    assert_eq!(params.len(), count, "two nouns have one name");
    for resource in SERVICES.iter().flat_map(|service| service.resources) {
        let mut names: Vec<&str> = resource.columns.iter().map(|column| column.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{} names a column twice", resource.name);
    }
}

#[test]
fn what_takes_several_targets_says_so_and_parts_of_one_thing_come_one_after_another() {
    let of = |takes: Takes| {
        let ops = operations().filter(|(_, op)| op.targets == takes).map(|(resource, op)| {
            // One that several are given to has a target at the end of its path, or is about parts of it.
            assert!(op.path_params().next().is_some(), "{}", op.id);
            format!("{} {}", api::path(resource), op.verb)
        });
        ops.collect::<Vec<_>>()
    };
    assert_eq!(
        of(Takes::InTurn),
        [
            "machines tags delete",
            "machines metadata delete",
            "machines snapshots delete",
            "machines nics remove",
            "machines disks delete",
            "admin vms metadata delete",
            "admin vms internal-metadata delete",
            "admin vms tags delete",
            "admin fabrics vlans delete",
            "admin fabrics networks delete",
        ]
    );
    let each = of(Takes::Each);
    for one in [
        "machines stop",
        "machines snapshots create",
        "images delete",
        "keys delete",
        "machines tags set",
        "admin vms stop",
    ] {
        assert!(each.iter().any(|known| known == one), "{one}: {each:?}");
    }
    for one in ["machines snapshots boot", "fabrics networks create", "users change-password", "images export"] {
        assert!(each.iter().all(|known| known != one), "{one}");
    }
    assert_eq!(each.len(), 115, "{each:?}");
    let globbed = [
        "machines audit",
        "machines snapshots list",
        "machines nics list",
        "machines disks list",
        "machines fwrules list",
        "fwrules machines",
    ];
    let mut matching = of(Takes::Matching);
    matching.sort_by_key(|words| globbed.iter().position(|known| known == words));
    assert_eq!(matching, globbed);
}

#[test]
fn a_post_to_a_list_says_what_it_makes() {
    for op in api::ops().filter(|op| op.method == Method::Post) {
        let lists = |noun: &&&Noun| noun.list.path == op.path && noun.list.shape == Shape::Rows;
        if let Some(noun) = api::service_of(op).nouns.iter().find(lists) {
            assert_eq!(op.makes.map(|made| made.name), Some(noun.name), "{}", op.id);
        }
    }
}

#[test]
fn paths_begin_with_the_account_where_the_service_says_so() {
    for service in SERVICES {
        for op in service.ops().filter(|op| op.signed) {
            let begins = op.path.split('/').nth(1) == Some(":login");
            assert_eq!(begins, service.account_in_path, "{}: {}", op.id, op.path);
        }
    }
}

#[test]
fn every_action_that_roles_allow_can_be_named_in_a_rule_without_a_doubt() {
    for route in sdc::emulator::routes().filter(|route| !route.called().is_empty()) {
        let rule = sdc::grammar::policy::check(&format!("CAN {}", route.called())).unwrap();
        assert!(rule.doubts.is_empty(), "src/grammar/actions.rs: {}: {:?}", route.name, rule.doubts);
    }
}

#[test]
fn whose_end_is_in_a_log_is_logged() {
    for op in api::ops() {
        let Some((goal, noun)) = &op.goal else { continue };
        if op.job.is_some() || matches!(goal, Goal::Audit(_) | Goal::AuditThen(..)) {
            assert!(noun.log.is_some(), "{}: {} has no log", op.id, noun.name);
        }
        // What several jobs do one after another ends with a state of its own.
        if matches!(goal, Goal::Job) || op.starts_job && !matches!(goal, Goal::State(_) | Goal::Step { .. }) {
            assert!(op.starts_job && noun.jobs.is_some(), "{}: {} has no jobs", op.id, noun.name);
        }
    }
}
