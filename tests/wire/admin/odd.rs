//! Answers that are not as one expects them: fields of another kind, things that share a name, lists that move while
//! they are read, and a VM that is not known everywhere at once.

use super::discovery::{V0, VMAPI_PING, W0, WORKFLOW_PING, instance, sapi};
use super::filled;
use super::run::{Said, admin};
use super::script::Script;

/// The program against a service that answers so, by its variable.
fn asked(variable: &str, lines: &str, words: &str) -> (Said, Script) {
    let home = tempfile::tempdir().unwrap();
    let script = Script::new(&filled(lines));
    let said = admin(home.path(), &[(variable, &script.address)], &filled(words));
    (said, script)
}

const TAKEN: &str = r#"202 {"vm_uuid":"$V","job_uuid":"$J"}"#;

#[test]
fn a_wait_is_misled_by_no_field_that_is_not_there_null_empty_or_a_number_as_text() {
    let job = |more: &str| format!(r#"{{"uuid":"$J","execution":"succeeded"{more}}}"#);
    let vm = |more: &str| format!(r#"{{"uuid":"$V","state":"stopped"{more}}}"#);
    for more in ["", r#","chain_results":null"#, r#","chain_results":{}"#, r#","chain_results":"7""#]
        .into_iter()
        .chain([r#","chain_results":[null]"#, r#","chain_results":[{}]"#, r#","chain_results":[{"name":"a"}]"#])
        .chain([r#","chain_results":[{"name":null,"result":{},"error":null}]"#])
        .chain([r#","chain_results":[{"name":"a","result":"7","error":{}}]"#])
        .chain([r#","params":null,"name":null,"created_at":"7","elapsed":"7""#, r#","params":{},"timeout":"7""#])
    {
        let lines = format!(
            "POST /vms/$V?action=stop -> {TAKEN}\n* GET /jobs/$J -> 200 {}\n* GET /vms/$V -> 200 {}",
            job(more),
            vm("")
        );
        let (said, _) = asked("VMAPI_URL", &lines, "vms stop $V --wait -o state -H");
        assert_eq!((said.out.as_str(), said.code), ("stopped\n", 0), "{more}: {}", said.err);
        let (said, _) =
            asked("WORKFLOW_URL", &format!("* GET /jobs/$J -> 200 {}", job(more)), "jobs wait $J -o execution -H");
        assert_eq!((said.out.as_str(), said.code), ("succeeded\n", 0), "{more}: {}", said.err);
        let (said, _) = asked("WORKFLOW_URL", &format!("* GET /jobs/$J -> 200 {}", job(more)), "jobs watch $J");
        assert_eq!(said.code, 0, "{more}: {said:?}");
    }
    for more in [
        r#","alias":null,"nics":null,"tags":null,"server_uuid":null,"owner_uuid":null"#,
        r#","alias":{},"nics":{},"tags":{},"server_uuid":{},"owner_uuid":{},"create_timestamp":{}"#,
        r#","alias":"7","nics":"7","tags":"7","server_uuid":"7","ram":"1024","quota":"25","create_timestamp":"7""#,
        r#","nics":[],"tags":[],"disks":[],"destroyed":{},"snapshots":{}"#,
    ] {
        let lines = format!(
            "POST /vms/$V?action=stop -> {TAKEN}\n* GET /jobs/$J -> 200 {}\n* GET /vms/$V -> 200 {}",
            job(""),
            vm(more)
        );
        let (said, _) = asked("VMAPI_URL", &lines, "vms stop $V --wait -o state -H");
        assert_eq!((said.out.as_str(), said.code), ("stopped\n", 0), "{more}: {}", said.err);
        let rows = format!("* GET /vms?state=active&limit=1000 -> 200 [{}]", vm(more));
        for words in ["vms list", "vms list --long", "vms list --json", "vms list 'ram>=1G' --count"] {
            assert_eq!(asked("VMAPI_URL", &rows, words).0.code, 0, "{words}: {more}");
        }
    }
}

#[test]
fn services_of_two_applications_with_one_name_are_an_error_that_names_both() {
    let lines = r#"* GET /services?name=vmapi -> 200 [{"uuid":"$V","name":"vmapi","type":"vm","application_uuid":"$A"},{"uuid":"$W","name":"vmapi","type":"vm","application_uuid":"$B"}]"#;
    for words in ["services get vmapi", "services delete vmapi --yes", "instances list service_uuid=vmapi"] {
        let (said, sapi) = asked("SAPI_URL", lines, words);
        let told = said.failed(10);
        assert!(
            told.contains("vmapi") && told.contains(&filled("$V")) && told.contains(&filled("$W")),
            "{words}: {told}"
        );
        assert!(sapi.lines().iter().all(|line| line.starts_with("GET /services?")), "{:?}", sapi.lines());
    }
}

fn network(n: usize) -> String {
    format!(r#"{{"uuid":"{n:08x}-6e5f-4a3b-92c1-d0e1f2a3b4c5","name":"net{n}"}}"#)
}

fn networks(range: std::ops::Range<usize>) -> String {
    range.map(network).collect::<Vec<_>>().join(",")
}

#[test]
fn a_list_with_offsets_alone_is_read_with_overlap_and_tells_of_each_row_once() {
    // Nothing has changed: the second page begins with the last row of the first one.
    let first = format!("GET /networks?limit=1000 -> 200 [{}]", networks(0..1000));
    let lines = format!("{first}\nGET /networks?limit=1000&offset=999 -> 200 [{}]", networks(999..1003));
    let (said, napi) = asked("NAPI_URL", &lines, "networks list --count");
    assert_eq!(said.well(), "1003\n");
    napi.done();
    // Two have come before those that were read, and push old rows into the second page.
    let lines = format!("{first}\nGET /networks?limit=1000&offset=999 -> 200 [{}]", networks(997..1003));
    let (said, _) = asked("NAPI_URL", &lines, "networks list --count");
    assert_eq!(said.well(), "1003\n");
    // Two of those that were read have gone, so that the two behind them are before the second page now.
    let gone = [networks(2..1000), networks(1000..1003)].join(",");
    let row = |offset: usize, many: usize| {
        let rows: Vec<String> = (2..1003).map(network).skip(offset).take(many).collect();
        format!("GET /networks?limit=1000&offset={offset} -> 200 [{}]", rows.join(","))
    };
    assert!(gone.ends_with(&network(1002)));
    let lines = format!("{first}\n{}\n{}", row(999, 1000), row(499, 1000));
    let (said, _) = asked("NAPI_URL", &lines, "networks list -o name -H");
    let out = said.well();
    let names: std::collections::BTreeSet<&str> = out.lines().collect();
    assert_eq!((out.lines().count(), names.len()), (1003, 1003));
}

#[test]
fn markers_that_go_in_circles_end_the_list() {
    let id = |n: usize| format!("{n:08x}-6e5f-4a3b-92c1-d0e1f2a3b4c5");
    let page = |from: usize| {
        let vm = |n: usize| format!(r#"{{"uuid":"{}","alias":"vm{n}","state":"running"}}"#, id(n));
        (from..from + 1000).map(vm).collect::<Vec<_>>().join(",")
    };
    let marked = |last: usize, from: usize| {
        format!("* GET /vms?state=active&limit=1000&marker={{\"uuid\":\"{}\"}} -> 200 [{}]", id(last), page(from))
    };
    let first = format!("* GET /vms?state=active&limit=1000 -> 200 [{}]", page(0));
    // Three pages, the last of which leads back to the first one.
    let lines = [first, marked(999, 1000), marked(1999, 2000), marked(2999, 0)].join("\n");
    for words in ["vms list -o ids", "vms list --json", "vms list --count"] {
        let (said, vmapi) = asked("VMAPI_URL", &lines, words);
        assert!(said.failed(6).contains("same page"), "{words}");
        assert!(vmapi.lines().len() <= 8, "{words}: {}", vmapi.lines().len());
    }
    // Images are marked by their id alone.
    let image = |n: usize| format!(r#"{{"uuid":"{}","name":"i{n}"}}"#, id(n));
    let page = |from: usize| (from..from + 1000).map(image).collect::<Vec<_>>().join(",");
    let (first, again) = (page(0), page(0));
    let lines = format!(
        "* GET /images?limit=1000 -> 200 [{first}]\n* GET /images?limit=1000&marker={} -> 200 [{again}]",
        id(999)
    );
    let (said, _) = asked("IMGAPI_URL", &lines, "images list --count");
    assert!(said.failed(6).contains("same page"));
}

#[test]
fn a_vm_that_is_not_found_just_after_its_create_was_taken_is_not_gone() {
    let words =
        "vms create --owner $A --brand joyent --image $W --ram 1G --network '[\"$B\"]' --uuid $V --wait -o state -H";
    let job = |execution: &str| {
        format!(r#"{{"uuid":"$J","execution":"{execution}","params":{{"task":"provision"}},"chain_results":[]}}"#)
    };
    let missing = r#"404 {"code":"ResourceNotFound","message":"VM not found"}"#;
    let lines = format!(
        "POST /vms \"*\" -> {TAKEN}
        GET /jobs/$J -> 200 {}\nGET /vms/$V -> {missing}
        GET /jobs/$J -> {missing}\nGET /vms/$V -> {missing}
        GET /jobs/$J -> 200 {}\nGET /vms/$V -> 200 {{\"uuid\":\"$V\",\"state\":\"running\"}}",
        job("queued"),
        job("succeeded"),
    );
    let (said, vmapi) = asked("VMAPI_URL", &lines, words);
    assert_eq!((said.out.as_str(), said.code), ("running\n", 0), "{}", said.err);
    vmapi.done();
}

#[test]
fn a_vm_that_is_never_seen_after_its_job_has_succeeded_is_not_called_failed_or_gone() {
    let words = "vms create --owner $A --brand joyent --image $W --ram 1G --network '[\"$B\"]' --uuid $V --wait";
    let lines = format!(
        "POST /vms \"*\" -> {TAKEN}
        * GET /jobs/$J -> 200 {{\"uuid\":\"$J\",\"execution\":\"succeeded\",\"params\":{{}},\"chain_results\":[]}}
        * GET /vms/$V -> 404 {{\"code\":\"ResourceNotFound\",\"message\":\"VM not found\"}}"
    );
    // Longer than any number of looks.
    let (said, vmapi) = asked("VMAPI_URL", &lines, &format!("{words} --timeout 7s"));
    assert_eq!(said.out, "", "a table of what nobody knows");
    let words = said.failed(9);
    assert!(words.contains("is still not seen, job succeeded after 7s"), "{words}");
    assert!(words.contains(&filled("to look at it: sdc admin vms get $V")), "{words}");
    assert!(!words.contains("delete"), "{words}");
    vmapi.done();
}

#[test]
fn of_two_instances_the_one_with_the_lower_number_comes_first() {
    let home = tempfile::tempdir().unwrap();
    let (vmapi, first, other) = (Script::new(VMAPI_PING), Script::new(WORKFLOW_PING), Script::new(WORKFLOW_PING));
    let second = "e4f3a4b5-c6d7-4e8f-99a0-1b2c3d4e5f60";
    vmapi.add(&format!("* GET /vms?uuids={V0},{W0},{second}&limit=1000 -> 200 []"));
    let instances = [
        instance("d2", second, "workflow10", &other.address),
        instance("d2", W0, "workflow2", &first.address),
        instance("d1", V0, "vmapi0", &vmapi.address),
    ];
    let told = Script::new(&sapi("", &instances.join(",")));
    let said = admin(home.path(), &[("SDC_SAPI_URL", &told.address)], "discover -o service,url,how");
    assert!(said.out.contains(&format!("http://{}", first.address)), "{said:?}");
    assert!(said.out.contains("workflow2") && !said.out.contains("workflow10"), "{said:?}");
}

#[test]
fn help_asks_nobody() {
    for words in ["vms list --help", "vms --help", "vms stop -h", "health --help", "--help"] {
        let (said, script) = asked("VMAPI_URL", "", words);
        assert_eq!(said.code, 0, "{words}: {}", said.err);
        assert!(script.lines().is_empty(), "{words}");
        let (_, script) = asked("SDC_SAPI_URL", "", words);
        assert!(script.lines().is_empty(), "{words}");
    }
}

#[test]
fn health_and_doctor_give_whole_json_also_where_all_fails() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let page = Script::new(
        "* GET /applications?name=sdc -> 200 <html>\n* GET /ping -> 200 <html>\n* GET /services -> 200 <html>\n* GET /instances -> 200 <html>",
    );
    for address in [gone, silent.local_addr().unwrap().to_string(), page.address.clone(), "nowhere.invalid".to_owned()]
    {
        for words in
            ["health --json --request-timeout 1s", "doctor --json --timeout 1s", "discover --json --request-timeout 1s"]
        {
            let home = tempfile::tempdir().unwrap();
            let begun = std::time::Instant::now();
            let said = admin(home.path(), &[("SDC_SAPI_URL", &address)], words);
            assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{words}: {:?}", begun.elapsed());
            assert_ne!(said.code, 0, "{words} at {address}");
            if words.starts_with("discover") {
                continue;
            }
            assert_eq!(said.code, 1, "{words} at {address}: {said:?}");
            let rows: Vec<serde_json::Value> =
                serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{words} at {address}: {why}: {said:?}"));
            assert!(!rows.is_empty(), "{words} at {address}");
        }
    }
}

#[test]
fn a_refusal_is_one_sentence_however_services_have_wrapped_it() {
    for (message, due) in [
        (r#"{"code":"VmadmError","message":"no space\n    at zfs.js:1:2"}"#, "no space"),
        (r#""Error: no route\n    at Socket.connect (net.js:1)\n    at TCP.onread (net.js:2)""#, "no route"),
        (r#""{\"message\":{\"message\":\"no space\"}}""#, "no space"),
        (r#""failed: [object Object]""#, "without words"),
        (r#"{"message":"Invalid parameters","errors":[{"field":"ip","message":"IP in use"}]}"#, "ip: IP in use"),
        (r#"["no space","no time"]"#, "no space"),
        ("null", "InternalError"),
        ("{}", "InternalError"),
    ] {
        for status in [409, 500] {
            let line =
                format!(r#"POST /vms/$V?action=stop -> {status} {{"code":"InternalError","message":{message}}}"#);
            let (said, _) = asked("VMAPI_URL", &line, "vms stop $V");
            let told = said.err;
            let first = told.lines().next().unwrap_or_default();
            assert!(first.contains(due), "{message}: {told}");
            for odd in ["zfs.js", "[object", "{", "\\n"] {
                assert!(!told.contains(odd), "{message}: {odd}: {told}");
            }
        }
    }
}

#[test]
fn what_means_something_in_a_query_of_the_services_is_compared_here_instead() {
    let vms = r#"[{"uuid":"$V","alias":"a(b","state":"running","tags":{"role":"x)y"}},{"uuid":"$W","alias":"ab","state":"running","tags":{"role":"xy"}}]"#;
    let all = format!("GET /vms?state=active&limit=1000 -> 200 {vms}");
    for words in ["vms list 'alias=a(b'", "vms list 'tag.role=x)y'", r"vms list 'alias=~a\('"] {
        let (said, vmapi) = asked("VMAPI_URL", &all, &format!("{words} -o uuid -H"));
        assert_eq!(said.well(), filled("$V\n"), "{words}");
        vmapi.done();
    }
    let (said, _) = asked("VMAPI_URL", &all, "vms list --alias 'a(b' --count");
    assert_eq!(said.well(), "1\n");
    let packages = r#"GET /packages?limit=1000 -> 200 [{"uuid":"$V","name":"a)(b"},{"uuid":"$W","name":"b"}]"#;
    let (said, papi) = asked("PAPI_URL", packages, "packages list 'name=a)(b' -o uuid -H");
    assert_eq!(said.well(), filled("$V\n"));
    papi.done();
    // A target that is called so is looked for among all.
    let missing = r#"* GET /vms?state=active&limit=1000 -> 200 []
        * GET /vms?predicate={"ne":["state","none"]}&limit=1000 -> 200 []"#;
    let (said, _) = asked("VMAPI_URL", missing, "vms stop 'web1)(x'");
    assert!(said.failed(3).contains("no VM named 'web1)(x'"));
}
