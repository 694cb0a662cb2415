//! A wait says what it waits for: the queue, a ticket, a server, or somebody who resumes the job.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// The program against services that answer so, by their variables.
fn asked(lines: &[(&str, &str)], words: &str) -> (Said, Vec<Script>) {
    let home = tempfile::tempdir().unwrap();
    let scripts: Vec<(&str, Script)> = lines.iter().map(|(name, lines)| (*name, Script::new(&filled(lines)))).collect();
    let vars: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, &*script.address)).collect();
    let said = admin(home.path(), &vars, &filled(words));
    (said, scripts.into_iter().map(|(_, script)| script).collect())
}

const CHAIN: &str = r#""chain":[{"name":"common.validate_params"},{"name":"cnapi.acquire_vm_ticket"},{"name":"cnapi.wait_on_vm_ticket"},{"name":"cnapi.stop_vm"},{"name":"cnapi.wait_task"}]"#;
const TO_TICKET: &[(&str, &str)] =
    &[("common.validate_params", "All parameters OK!"), ("cnapi.acquire_vm_ticket", "OK")];
const TO_TASK: &[(&str, &str)] = &[
    ("common.validate_params", "All parameters OK!"),
    ("cnapi.acquire_vm_ticket", "OK"),
    ("cnapi.wait_on_vm_ticket", "OK"),
    ("cnapi.stop_vm", "Task id: $W queued to CNAPI!"),
];

/// The job of a stop, as workflow shows it.
fn job(execution: &str, done: &[(&str, &str)]) -> String {
    let done: Vec<String> =
        done.iter().map(|(name, result)| format!(r#"{{"name":"{name}","result":"{result}","error":""}}"#)).collect();
    format!(
        r#"{{"uuid":"$J","name":"stop-7.0.8","execution":"{execution}","created_at":"2026-03-02T11:00:00.000Z","exec_after":"2026-03-02T11:00:00.000Z","params":{{"task":"stop","vm_uuid":"$V","server_uuid":"$CN","x-request-id":"own"}},{CHAIN},"chain_results":[{}]}}"#,
        done.join(",")
    )
}

const HOLDER: &str = r#"{"uuid":"$A","server_uuid":"$CN","scope":"vm","id":"$V","action":"reboot","status":"active","created_at":"2026-03-02T10:00:00.000Z","reqid":"theirs"}"#;
const OWN: &str = r#"{"uuid":"$B","server_uuid":"$CN","scope":"vm","id":"$V","action":"stop","status":"queued","created_at":"2026-03-02T11:00:00.000Z","reqid":"own"}"#;
const RELEASE: &str = "to take the ticket away, only where whoever has it has ended: else two actions work on the VM at once: sdc admin raw cnapi PUT /tickets/$A/release";

/// `vms stop --wait` with this time, while its job stands so and CNAPI and workflow answer this besides.
fn stops(job: &str, workflow: &str, cnapi: &str, timeout: &str) -> (Said, Vec<Script>) {
    let vmapi = format!(
        "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
        * GET /jobs/$J -> 200 {}
        * GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"alias\":\"web0\",\"state\":\"running\",\"server_uuid\":\"$CN\"}}",
        job.replace(CHAIN, r#""num_attempts":0"#)
    );
    let workflow = format!("* GET /jobs/$J -> 200 {job}\n{workflow}");
    // What is said before it is sent is not what is tried here.
    let cnapi = format!("* GET /servers?extras=last_heartbeat&limit=1000 -> 200 []\n{cnapi}");
    let lines = [("VMAPI_URL", &*vmapi), ("WORKFLOW_URL", &*workflow), ("CNAPI_URL", &*cnapi)];
    asked(&lines, &format!("vms stop $V --wait --timeout {timeout}"))
}

#[track_caller]
fn says(words: &str, due: &[&str]) {
    for due in due {
        assert!(words.contains(&filled(due)), "{due}: {words}");
    }
}

#[test]
fn a_job_in_the_queue_says_how_many_are_before_it_and_whether_any_runs() {
    let other = |id: &str, made: &str| format!(r#"{{"uuid":"{id}","execution":"queued","created_at":"{made}"}}"#);
    // The service is not trusted to have filtered.
    let queued = [
        job("queued", &[]),
        other("$K", "2026-03-02T10:58:00.000Z"),
        other("$W", "2026-03-02T10:59:00.000Z"),
        other("$A", "2026-03-02T11:01:00.000Z"),
    ];
    for (running, due) in [
        (
            r#"[{"uuid":"$B","execution":"running"}]"#,
            ["the job is in the queue, with 2 jobs before it, and others run", "sdc admin jobs list execution=running"],
        ),
        (
            "[]",
            [
                "the job is in the queue, with 2 jobs before it, and none runs: workflow's runners may be down",
                "sdc admin jobs list execution=queued",
            ],
        ),
    ] {
        let workflow = format!(
            "GET /jobs?execution=queued&limit=100&until=2026-03-02T11:00:00.000Z -> 200 [{}]
            GET /jobs?execution=running&limit=1 -> 200 {running}",
            queued.join(",")
        );
        let (said, scripts) = stops(&job("queued", &[]), &workflow, "", "1s");
        let words = said.failed(9);
        says(&words, &due);
        says(&words, &["is still running, job queued after 1s", "the job goes on; to wait longer: --timeout TIME"]);
        scripts.iter().for_each(Script::done);
    }
}

#[test]
fn a_job_that_waits_for_a_ticket_says_who_has_it_since_when_and_how_it_is_released() {
    let tickets = format!("GET /servers/$CN/tickets -> 200 [{OWN},{HOLDER},7,{{}}]");
    let jobs = r#"GET /jobs?vm_uuid=$V&limit=100 -> 200 [{"uuid":"$J","execution":"running","params":{"vm_uuid":"$V","x-request-id":"own"}},{"uuid":"$K","execution":"running","params":{"vm_uuid":"$V","x-request-id":"theirs"}}]"#;
    let (said, scripts) = stops(&job("running", TO_TICKET), jobs, &tickets, "1s");
    let words = said.failed(9);
    says(
        &words,
        &[
            "the job waits for the VM's ticket, which is that of its reboot, taken ",
            " days ago by the job $K, which is running (ticket $A)",
            "the job that has it: sdc admin jobs get $K",
            RELEASE,
        ],
    );
    scripts.iter().for_each(Script::done);
    // Whose job is gone is called by its request.
    let (said, _) = stops(&job("running", TO_TICKET), "GET /jobs?vm_uuid=$V&limit=100 -> 200 []", &tickets, "1s");
    says(&said.failed(9), &["by the request theirs (ticket $A)", RELEASE]);
    // Its own is none that it waits for.
    let own = format!("GET /servers/$CN/tickets -> 200 [{}]", OWN.replace("queued", "active"));
    let (said, _) = stops(&job("running", TO_TICKET), "", &own, "1s");
    assert!(!said.failed(9).contains("VM's ticket"));
}

#[test]
fn a_job_that_waits_for_a_server_says_for_which_task_and_since_when_the_server_is_heard_from() {
    let task = r#"GET /tasks/$W -> 200 {"id":"$W","task":"machine_shutdown","server_uuid":"$CN","status":"active","timestamp":"2026-03-02T11:00:01.000Z"}"#;
    let server = |status: &str| {
        format!(
            r#"GET /servers/$CN -> 200 {{"uuid":"$CN","hostname":"cn0","status":"{status}","last_heartbeat":"2026-03-02T10:59:00.000Z"}}"#
        )
    };
    for (status, due) in [
        (
            "running",
            [
                "the job waits for server cn0 to carry out machine_shutdown, told to ",
                "; the server was heard from last at 2026-03-02T10:59:00.000Z",
            ],
        ),
        (
            "unknown",
            [
                "the job waits, for server cn0 is not heard from since 2026-03-02T10:59:00.000Z",
                "; it is to carry out machine_shutdown, told to ",
            ],
        ),
    ] {
        let cnapi = format!("{task}\n{}", server(status));
        let (said, scripts) = stops(&job("running", TO_TASK), "", &cnapi, "1s");
        let words = said.failed(9);
        says(&words, &due);
        says(&words, &["the server: sdc admin servers get cn0"]);
        scripts.iter().for_each(Script::done);
    }
    let gone = r#"GET /tasks/$W -> 404 {"code":"ResourceNotFound","message":"no such task found"}"#;
    let (said, _) = stops(&job("running", TO_TASK), "", &format!("{gone}\n{}", server("running")), "1s");
    says(
        &said.failed(9),
        &["the job waits for server cn0 to carry out cnapi.stop_vm; the server was heard from last at"],
    );
}

#[test]
fn a_wait_that_does_not_move_says_so_on_its_way_once_and_goes_on() {
    let later = HOLDER.replace("reboot", "start");
    let tickets = format!("GET /servers/$CN/tickets -> 200 [{HOLDER}]\nGET /servers/$CN/tickets -> 200 [{later}]");
    let (said, scripts) =
        stops(&job("running", TO_TICKET), "* GET /jobs?vm_uuid=$V&limit=100 -> 200 []", &tickets, "7s");
    let line = "its job waits for the VM's ticket, which is that of its reboot";
    let words = said.failed(9);
    assert_eq!(words.matches(line).count(), 1, "{words}");
    let asked = scripts[2].lines().iter().filter(|line| line.ends_with("/tickets")).count();
    assert_eq!(asked, 2, "on its way and at the end, and not at each look: {:?}", scripts[2].lines());
    // What the error says, ages too, is of the end.
    says(&words, &["the job waits for the VM's ticket, which is that of its start, taken "]);
}

#[test]
fn a_service_that_is_not_there_or_answers_oddly_is_no_reason_to_wait_otherwise() {
    for (workflow, cnapi) in [
        ("GET /jobs?vm_uuid=$V&limit=100 -> 200 []", "GET /servers/$CN/tickets -> 200 {\"oops\":1}"),
        ("", "GET /servers/$CN/tickets -> 404 {\"code\":\"ResourceNotFound\",\"message\":\"/servers does not exist\"}"),
        ("", "GET /servers/$CN/tickets -> 200 <html>"),
        ("", "* GET /servers/$CN/tickets -> 500 {\"code\":\"InternalError\",\"message\":\"moray is away\"}"),
        ("", "GET /servers/$CN/tickets -> 200@6000 []"),
    ] {
        let begun = std::time::Instant::now();
        let (said, _) = stops(&job("running", TO_TICKET), workflow, cnapi, "1s");
        let words = said.failed(9);
        assert!(words.contains("is still running, job running") && !words.contains("VM's ticket"), "{words}");
        assert!(begun.elapsed().as_secs() < 6, "{cnapi}");
    }
    let vmapi = format!(
        "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
        * GET /jobs/$J -> 200 {}
        * GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"alias\":\"web0\",\"state\":\"running\",\"server_uuid\":\"$CN\"}}",
        job("running", TO_TICKET)
    );
    let (said, _) = asked(&[("VMAPI_URL", &vmapi)], "vms stop $V --wait --timeout 1s");
    says(&said.failed(9), &["is still running, job running (last step done: cnapi.acquire_vm_ticket) after 1s"]);
}

#[test]
fn a_wait_for_a_job_says_what_the_job_waits_for_too() {
    for words in ["jobs wait $J --timeout 1s", "jobs watch $J --timeout 1s"] {
        let workflow =
            format!("* GET /jobs/$J -> 200 {}\nGET /jobs?vm_uuid=$V&limit=100 -> 200 []", job("running", TO_TICKET));
        let cnapi = format!("GET /servers/$CN/tickets -> 200 [{HOLDER}]");
        let (said, scripts) = asked(&[("WORKFLOW_URL", &workflow), ("CNAPI_URL", &cnapi)], words);
        says(&said.failed(9), &["waits for the VM's ticket, which is that of its reboot", RELEASE, "the job goes on"]);
        scripts.iter().for_each(Script::done);
    }
}

#[test]
fn a_wait_ends_with_its_time_though_who_could_say_what_it_waits_for_does_not_answer() {
    let vmapi = format!(
        "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
        * GET /jobs/$J -> 200 {}
        * GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"alias\":\"web0\",\"state\":\"running\",\"server_uuid\":\"$CN\"}}",
        job("running", TO_TICKET)
    );
    let workflow = "* GET /jobs/$J -> 200@20000 {}";
    let cnapi = "* GET /servers?extras=last_heartbeat&limit=1000 -> 200 []";
    let lines = [("VMAPI_URL", &*vmapi), ("WORKFLOW_URL", workflow), ("CNAPI_URL", cnapi)];
    for (words, seconds, limit) in [
        ("vms stop $V --wait --timeout 6s", 6.0, 6.9),
        ("vms stop $V --wait --timeout 8s", 8.0, 8.9),
        ("vms stop $V --wait --timeout 1s", 1.0, 2.9),
        ("jobs wait $J --timeout 6s", 6.0, 6.9),
    ] {
        let begun = std::time::Instant::now();
        let (said, _scripts) = asked(&lines, words);
        let took = begun.elapsed().as_secs_f64();
        said.failed(9);
        assert!((seconds - 0.5..limit).contains(&took), "{words}: {took} s");
    }
}

#[test]
fn why_a_vm_is_as_it_is_says_what_its_open_job_waits_for() {
    let why = |job: &str, workflow: &str, cnapi: &str| {
        let vmapi = format!(
            "GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"alias\":\"web0\",\"state\":\"running\",\"server_uuid\":\"$CN\"}}
            GET /vms/$V/jobs -> 200 [{job}]"
        );
        let workflow = format!("GET /jobs/$J -> 200 {job}\n{workflow}");
        let cnapi = format!(
            "* GET /servers/$CN -> 200 {{\"uuid\":\"$CN\",\"hostname\":\"cn0\",\"status\":\"running\"}}\n{cnapi}"
        );
        let napi = "GET /nics?belongs_to_uuid=$V&belongs_to_type=zone&limit=1000 -> 200 []";
        let lines = [("VMAPI_URL", &*vmapi), ("WORKFLOW_URL", &*workflow), ("CNAPI_URL", &*cnapi), ("NAPI_URL", napi)];
        asked(&lines, "vms why $V").0.well()
    };
    let words = why(
        &job("running", TO_TICKET),
        "GET /jobs?vm_uuid=$V&limit=100 -> 200 []",
        &format!("GET /servers/$CN/tickets -> 200 [{HOLDER}]"),
    );
    says(&words, &["its stop is running, and waits for the VM's ticket, which is that of its reboot", RELEASE]);
    let words = why(&job("waiting", TO_TICKET), "", "");
    says(&words, &["its stop is waiting, and waits until somebody resumes it", "sdc admin jobs resume $J"]);
    assert!(!words.contains("jobs wait"), "{words}");
}

#[test]
fn the_next_attempt_of_a_job_is_the_one_that_workflow_knows_for_it() {
    let retried = job("retried", TO_TICKET);
    let next = job("succeeded", TO_TICKET).replace("$J", "$K");
    // Somebody else's stop, which came right after.
    let other = job("failed", TO_TICKET).replace("$J", "$W");
    let vmapi = format!(
        "POST /vms/$V?action=stop -> 202 {{\"vm_uuid\":\"$V\",\"job_uuid\":\"$J\"}}
        GET /jobs/$J -> 200 {retried}
        GET /jobs/$K -> 200 {next}
        * GET /vms/$V -> 200 {{\"uuid\":\"$V\",\"alias\":\"web0\",\"state\":\"stopped\",\"server_uuid\":\"$CN\"}}"
    );
    let first = r#""prev_attempt":"$J","uuid":"$K""#;
    let workflow = format!(
        "GET /jobs/$J -> 200 {retried}
        GET /jobs?limit=100&vm_uuid=$V -> 200 [{other},{}]",
        next.replace(r#""uuid":"$K""#, first)
    );
    let lines = [("VMAPI_URL", &*vmapi), ("WORKFLOW_URL", &*workflow)];
    let (said, scripts) = asked(&lines, "vms stop $V --wait -o state -H");
    assert_eq!(said.well(), "stopped\n");
    scripts.iter().for_each(Script::done);
    // The record of the first one may have its name.
    let told = retried.replace(r#""execution""#, r#""next_attempt":"$K","execution""#);
    let workflow = format!("GET /jobs/$J -> 200 {told}");
    let lines = [("VMAPI_URL", &*vmapi), ("WORKFLOW_URL", &*workflow)];
    let (said, scripts) = asked(&lines, "vms stop $V --wait -o state -H");
    assert_eq!(said.well(), "stopped\n");
    scripts.iter().for_each(Script::done);
}
