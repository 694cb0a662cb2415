//! Waiting for jobs, whoever has started them.

use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// `sdc admin jobs wait` with these words, against a workflow service that answers so.
fn waited(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let workflow = Script::new(&filled(lines));
    let vars = [("WORKFLOW_URL", workflow.address.as_str())];
    let said = admin(home.path(), &vars, &filled(&format!("jobs wait {words}")));
    (said, workflow)
}

fn job(id: &str, execution: &str, more: &str) -> String {
    format!(r#"{{"uuid":"{id}","name":"stop-7.0.8","execution":"{execution}","params":{{"task":"stop"}}{more}}}"#)
}

const OK: &str = r#","chain_results":[{"name":"cnapi.stop_vm","result":"OK","error":""}]"#;
const WRONG: &str =
    r#","chain_results":[{"name":"common.ensure_vm_state","result":"","error":{"message":"Cannot stop a VM"}}]"#;

#[test]
fn a_wait_is_over_when_the_job_has_ended_well() {
    let lines =
        format!("GET /jobs/$J -> 200 {}\nGET /jobs/$J -> 200 {}", job("$J", "queued", ""), job("$J", "succeeded", OK));
    let (said, workflow) = waited(&lines, "$J -H -o execution");
    assert_eq!(said.well(), "succeeded\n");
    workflow.done();
}

#[test]
fn a_job_that_has_not_ended_well_is_8_with_the_step_that_failed() {
    for (execution, results, said_so) in [
        ("failed", WRONG, "failed in common.ensure_vm_state: Cannot stop a VM"),
        ("succeeded", WRONG, "failed in common.ensure_vm_state: Cannot stop a VM"),
        ("canceled", WRONG, "failed in common.ensure_vm_state: Cannot stop a VM"),
        ("failed", "", "failed, and nothing says why"),
        ("canceled", "", "was canceled, as jobs are whose runner is lost"),
        ("waiting", OK, "waits to be resumed"),
    ] {
        let (said, workflow) = waited(&format!("GET /jobs/$J -> 200 {}", job("$J", execution, results)), "$J");
        let words = said.failed(8);
        assert!(words.contains(&filled(&format!("job $J {said_so}"))), "{execution}: {words}");
        workflow.done();
    }
}

#[test]
fn a_job_that_is_retried_is_followed_to_the_attempt_that_its_record_names() {
    let (said, workflow) = waited(
        &format!(
            "GET /jobs/$J -> 200 {}\nGET /jobs/$J -> 200 {}\nGET /jobs/$K -> 200 {}",
            job("$J", "retried", OK),
            job("$J", "retried", r#","next_attempt":"$K""#),
            job("$K", "succeeded", OK),
        ),
        "$J -H -o uuid",
    );
    assert_eq!(said.well().trim(), filled("$K"), "the first look did not know it yet");
    workflow.done();
}

#[test]
fn attempts_that_follow_one_another_in_a_circle_or_never_come_end_with_the_time() {
    let (back, forth) =
        (job("$J", "retried", r#","next_attempt":"$K""#), job("$K", "retried", r#","next_attempt":"$J""#));
    for lines in [
        format!("* GET /jobs/$J -> 200 {back}\n* GET /jobs/$K -> 200 {forth}"),
        format!("* GET /jobs/$J -> 200 {}", job("$J", "retried", OK)),
        format!("* GET /jobs/$J -> 200 {}", job("$J", "retried", r#","next_attempt":"$J""#)),
    ] {
        let (said, workflow) = waited(&lines, "$J --timeout 1s");
        let words = said.failed(9);
        assert!(words.contains("is still retried after 1s"), "{words}");
        workflow.done();
    }
}

#[test]
fn a_job_that_takes_too_long_hides_no_other() {
    let lines = format!(
        "* GET /jobs/$J -> 200 {}\nGET /jobs/$K -> 200 {}",
        job("$J", "running", OK),
        job("$K", "succeeded", OK)
    );
    let (said, workflow) = waited(&lines, "$J $K --timeout 1s -H -o uuid,execution");
    assert_eq!(said.out, filled("$K  succeeded\n"));
    let words = said.failed(9);
    assert!(words.contains(&filled("job $J is still running (last step done: cnapi.stop_vm) after 1s")), "{words}");
    workflow.done();
}

#[test]
fn a_job_that_is_not_there_is_not_waited_for() {
    let lines = r#"GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let (said, workflow) = waited(lines, "$J");
    assert!(said.failed(3).contains("does not exist"));
    workflow.done();
}

/// `sdc admin jobs watch` with these words.
fn watched(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let workflow = Script::new(&filled(lines));
    let vars = [("WORKFLOW_URL", workflow.address.as_str())];
    (admin(home.path(), &vars, &filled(&format!("jobs watch {words}"))), workflow)
}

#[test]
fn the_chain_of_a_job_is_shown_as_it_goes() {
    let step = |name: &str, error: &str| {
        format!(
            r#"{{"name":"{name}","result":"OK","error":"{error}","started_at":"2026-03-02T10:15:00.000Z","finished_at":"2026-03-02T10:15:02.500Z"}}"#
        )
    };
    let results = |steps: &[String]| format!(r#","chain_results":[{}]"#, steps.join(","));
    let (one, two) = (step("common.validate_params", ""), step("cnapi.stop_vm", "no such server"));
    let lines = [
        job("$J", "queued", r#","chain_results":null"#),
        job("$J", "running", &results(std::slice::from_ref(&one))),
        job("$J", "running", &results(std::slice::from_ref(&one))),
        job(
            "$J",
            "failed",
            &format!(r#"{},"onerror_results":[{}]"#, results(&[one.clone(), two.clone()]), step("cleanup", "")),
        ),
    ]
    .map(|job| format!("GET /jobs/$J -> 200 {job}"))
    .join("\n");
    let (said, workflow) = watched(&lines, "$J");
    let due = "common.validate_params     2.5s  OK\n\
               cnapi.stop_vm              2.5s  ERROR: no such server\n\
               cleanup                    2.5s  OK\n";
    assert_eq!(said.out, due);
    assert!(said.failed(8).contains(&filled("job $J failed in cnapi.stop_vm: no such server")));
    workflow.done();
    let (said, workflow) = watched(&lines, "$J --jq .name");
    assert_eq!(said.out, "\"common.validate_params\"\n\"cnapi.stop_vm\"\n\"cleanup\"\n");
    workflow.done();
}

#[test]
fn a_wait_for_jobs_tells_their_steps_beside_the_answer() {
    let lines = [job("$J", "running", OK), job("$J", "running", OK), job("$J", "succeeded", OK)];
    let lines = lines.map(|job| format!("GET /jobs/$J -> 200 {job}")).join("\n");
    let (said, workflow) = waited(&lines, "$J --jq .execution");
    assert_eq!(said.err, "job c7d6e5f4: cnapi.stop_vm               -  OK\n");
    assert_eq!(said.well(), "\"succeeded\"\n");
    workflow.done();
}

/// `sdc admin jobs` with these words, against a workflow service that answers so.
fn jobs(lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let workflow = Script::new(&filled(lines));
    let vars = [("WORKFLOW_URL", workflow.address.as_str())];
    (admin(home.path(), &vars, &filled(&format!("jobs {words}"))), workflow)
}

#[test]
fn a_job_that_is_canceled_tells_the_steps_that_it_has_done() {
    let cut = r#"{"name":"cnapi.wait_task","result":"","error":"cancel"}"#;
    let steps = format!(r#"{},"oncancel_results":[{cut}]"#, OK);
    let lines = format!("POST /jobs/$J/cancel -> 200 {}", job("$J", "canceled", &steps));
    let (said, workflow) = jobs(&lines, "cancel $J --yes --jq .execution");
    for due in [
        "job $J: canceled\n",
        "job c7d6e5f4: cnapi.stop_vm               -  OK\n",
        "cnapi.wait_task             -  ERROR: cancel",
    ] {
        assert!(said.err.contains(&filled(due)), "{due}: {}", said.err);
    }
    assert_eq!(said.well(), "\"canceled\"\n");
    workflow.done();
    let (said, workflow) = jobs(&lines, "cancel $J --yes --quiet --json");
    assert_eq!(said.err, "");
    assert_eq!(said.out, filled(&format!("{}\n", job("$J", "canceled", &steps))), "the answer as it came");
    workflow.done();
}

#[test]
fn a_job_that_is_resumed_is_followed_to_its_end_where_that_is_asked_for() {
    let resumed = format!("POST /jobs/$J/resume {{\"result\":\"OK\"}} -> 200 {}", job("$J", "queued", OK));
    let (said, workflow) = jobs(&resumed, "resume $J --result OK -o execution -H");
    assert!(said.err.contains("cnapi.stop_vm"), "{}", said.err);
    assert_eq!(said.well(), "queued\n");
    workflow.done();
    for (execution, results, code, due) in [
        ("succeeded", OK, 0, "cnapi.stop_vm               -  OK"),
        ("failed", WRONG, 8, "failed in common.ensure_vm_state: Cannot stop a VM"),
        ("waiting", OK, 8, "waits to be resumed"),
    ] {
        let lines = format!(
            "{resumed}\nGET /jobs/$J -> 200 {}\nGET /jobs/$J -> 200 {}",
            job("$J", "queued", ""),
            job("$J", execution, results)
        );
        let (said, workflow) = jobs(&lines, "resume $J --result OK --wait -o execution -H");
        assert!(said.err.contains(&filled(due)), "{due}: {}", said.err);
        assert_eq!(said.code, code, "{}", said.err);
        workflow.done();
    }
    let (said, _workflow) = jobs(
        &format!("{resumed}\n* GET /jobs/$J -> 200 {}", job("$J", "running", OK)),
        "resume $J --result OK --wait --timeout 1s",
    );
    assert!(said.failed(9).contains("the job goes on"));
}

#[test]
fn a_job_that_was_resumed_may_be_seen_as_it_was_or_not_at_all_for_a_while() {
    let resumed = format!("POST /jobs/$J/resume {{\"result\":\"OK\"}} -> 200 {}", job("$J", "queued", OK));
    let gone = r#"GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let shown = |execution: &str| format!("GET /jobs/$J -> 200 {}", job("$J", execution, OK));
    let (waiting, ended) = (shown("waiting"), shown("succeeded"));
    for looks in [vec![gone, gone, &*ended], vec![&*waiting, gone, &*waiting, &*ended]] {
        let (said, workflow) =
            jobs(&format!("{resumed}\n{}", looks.join("\n")), "resume $J --result OK --wait -o execution -H");
        assert_eq!(said.well(), "succeeded\n");
        workflow.done();
    }
    // Whoever goes on waiting has to be resumed once more.
    let (said, _workflow) = jobs(&format!("{resumed}\n* {waiting}"), "resume $J --result OK --wait");
    let words = said.failed(8);
    assert!(words.contains("waits to be resumed"), "{words}");
    assert_eq!(
        words.matches(&filled("job $J: ")).count(),
        words.lines().filter(|line| line.contains(&filled("job $J: "))).count(),
        "{words}"
    );
}

#[test]
fn a_look_that_is_refused_after_a_job_was_resumed_says_that_it_was() {
    let resumed = format!("POST /jobs/$J/resume {{\"result\":\"OK\"}} -> 200 {}", job("$J", "queued", OK));
    let refused = r#"GET /jobs/$J -> 403 {"code":"NotAuthorized","message":"not for you"}"#;
    let (said, _) = jobs(&format!("{resumed}\n{refused}"), "resume $J --result OK --wait");
    let words = said.failed(9);
    assert!(words.contains(&filled("job $J was resumed; only the look at its end was refused")), "{words}");
    // Nothing was sent for one that is only waited for.
    let (said, _) = waited(refused, "$J");
    assert!(said.failed(5).contains("not for you"));
}

#[test]
fn a_job_that_its_service_does_not_show_is_not_said_to_go_on() {
    let resumed = format!("POST /jobs/$J/resume {{\"result\":\"OK\"}} -> 200 {}", job("$J", "queued", OK));
    for (status, due) in
        [(404, "the service says that the job is not there"), (500, "whether the job goes on is not known")]
    {
        let gone = format!(r#"* GET /jobs/$J -> {status} {{"code":"ResourceNotFound","message":"it does not exist"}}"#);
        let (said, _) = jobs(&format!("{resumed}\n{gone}"), "resume $J --result OK --wait --timeout 1s");
        let words = said.failed(9);
        assert!(words.contains(due) && !words.contains("the job goes on;"), "{words}");
    }
}

#[test]
fn what_is_said_of_another_job_than_was_asked_for_is_no_answer() {
    let resume = r#"POST /jobs/$J/resume {"result":"OK"}"#;
    for (asked, execution, words) in [
        (resume, "queued", "resume $J --result OK --wait"),
        (resume, "queued", "resume $J --result OK"),
        ("POST /jobs/$J/cancel", "canceled", "cancel $J --yes"),
    ] {
        let (said, workflow) = jobs(&format!("{asked} -> 200 {}", job("$K", execution, OK)), words);
        assert!(!said.err.contains("cnapi.stop_vm"), "{}", said.err);
        let words = said.failed(6);
        assert!(words.contains(&filled("the record of something else, of the job $K")), "{words}");
        assert!(words.contains(&filled("sdc admin jobs get $J")), "{words}");
        workflow.done();
    }
    // Who says nothing of it means the one that was asked for.
    let lines = format!(
        "POST /jobs/$J/resume {{\"result\":\"OK\"}} -> 200 {{\"execution\":null}}\nGET /jobs/$J -> 200 {}",
        job("$J", "succeeded", OK)
    );
    let (said, workflow) = jobs(&lines, "resume $J --result OK --wait -o uuid -H");
    assert_eq!(said.well(), filled("$J\n"));
    workflow.done();
}

#[test]
fn a_step_of_a_further_attempt_is_told_of_that_one() {
    let second = r#","chain_results":[{"name":"x.second","result":"OK","error":""}]"#;
    let lines = format!(
        "GET /jobs/$J -> 200 {}\nGET /jobs/$K -> 200 {}\nGET /jobs/$K -> 200 {}",
        job("$J", "retried", &format!(r#"{OK},"next_attempt":"$K""#)),
        job("$K", "waiting-for-nobody", second),
        job("$K", "succeeded", second),
    );
    let (said, workflow) = waited(&lines, "$J -o uuid -H");
    let lines: Vec<&str> = said.err.lines().map(|line| line.split("  ").next().unwrap()).collect();
    let due =
        ["job c7d6e5f4: cnapi.stop_vm", "job $J: retried", "job d7d6e5f4: x.second", "job $K: waiting-for-nobody"];
    assert_eq!(lines, due.map(filled), "{}", said.err);
    assert_eq!(said.well(), filled("$K\n"));
    workflow.done();
}

#[test]
fn a_last_attempt_says_in_which_task_it_has_failed() {
    let (said, _workflow) =
        waited(&format!("* GET /jobs/$J -> 200 {}", job("$J", "retried", WRONG)), "$J --timeout 1m");
    let words = said.failed(8);
    assert!(
        words.contains("was retried as often as it may be, and failed in common.ensure_vm_state: Cannot stop a VM"),
        "{words}"
    );
}

#[test]
fn a_job_that_is_watched_is_followed_to_its_next_attempt_and_ends_with_the_time() {
    let (said, workflow) = watched(
        &format!(
            "GET /jobs/$J -> 200 {}\nGET /jobs/$K -> 200 {}",
            job("$J", "retried", &format!(r#"{OK},"next_attempt":"$K""#)),
            job("$K", "succeeded", OK),
        ),
        "$J --json",
    );
    let step = r#"{"name":"cnapi.stop_vm","result":"OK","error":""}"#;
    assert_eq!(said.well(), format!("{step}\n{step}\n"), "each attempt has steps of its own");
    workflow.done();
    let (said, _workflow) = watched(&format!("* GET /jobs/$J -> 200 {}", job("$J", "running", OK)), "$J --timeout 1s");
    assert!(said.failed(9).contains("is still running (last step done: cnapi.stop_vm) after 1s"));
    let gone = r#"GET /jobs/$J -> 404 {"code":"ResourceNotFound","message":"Job with uuid '$J' does not exist"}"#;
    let (said, _workflow) = watched(gone, "$J");
    assert!(said.failed(3).contains("does not exist"));
    let (said, _workflow) = watched("", "$J -o table");
    assert!(said.failed(2).contains("--output table has no meaning here"));
}

#[test]
fn cloud_analytics_is_retired() {
    let home = tempfile::tempdir().unwrap();
    for words in ["ca", "ca list-instrumentations --all"] {
        let said = admin(home.path(), &[], words);
        let words = said.failed(1);
        assert!(words.contains("was retired in 2019") && words.contains("CMON"), "{words}");
    }
}

#[test]
fn of_a_list_that_the_service_filters_no_more_is_asked_for_than_is_wanted() {
    let own =
        |id: &str, vm: &str| format!(r#"{{"uuid":"{id}","execution":"succeeded","params":{{"vm_uuid":"{vm}"}}}}"#);
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(&format!("GET /jobs?vm_uuid=$V&limit=1 -> 200 [{}]", own("$J", "$V"))));
    let said =
        admin(home.path(), &[("WORKFLOW_URL", &script.address)], &filled("jobs list vm_uuid=$V --limit 1 -o ids"));
    assert_eq!(said.well().trim(), filled("$J"));
    script.done();
    // One that has not filtered is read on.
    let script = Script::new(&filled(&format!(
        "GET /jobs?vm_uuid=$V&limit=1 -> 200 [{other}]\nGET /jobs?vm_uuid=$V&limit=1000 -> 200 [{other},{}]",
        own("$J", "$V"),
        other = own("$K", "$W")
    )));
    let said =
        admin(home.path(), &[("WORKFLOW_URL", &script.address)], &filled("jobs list vm_uuid=$V --limit 1 -o ids"));
    assert_eq!(said.well().trim(), filled("$J"));
    script.done();
}
