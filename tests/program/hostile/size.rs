//! More than anybody needs: what is read is bounded, whatever was promised.

use std::io::Write;
use std::net::TcpStream;

use crate::common::server;
use crate::hostile::{failed, patient, saying, within};

/// So much memory is enough for the largest answer that is read, in MB.
const ENOUGH: u32 = 900;

/// Writes megabytes until the other side has had enough, or for all of these.
fn megabytes(stream: &mut TcpStream, most: usize, chunked: bool) -> usize {
    let mut piece = vec![b' '; 1024 * 1024];
    if chunked {
        piece = [b"100000\r\n".as_slice(), &piece, b"\r\n"].concat();
    }
    (0..most).take_while(|_| stream.write_all(&piece).is_ok()).count()
}

#[test]
fn a_gigabyte_that_is_announced_is_not_fetched() {
    let (tell, sent) = std::sync::mpsc::channel();
    let url = server(move |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n[");
        let _ = tell.send(megabytes(&mut stream, 1024, false));
    });
    let told = failed(&within(300, &url, &["machines", "list", "-o", "name"]), 6);
    assert!(told.contains("more than 128 MiB in one answer"), "{told}");
    assert!(sent.recv().unwrap() < 100, "it was fetched");
}

#[test]
fn a_list_in_chunks_without_end_is_cut_short() {
    let url = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while megabytes(&mut stream, 64, true) == 64 {}
    });
    let told = failed(&within(ENOUGH, &url, &["machines", "list"]), 6);
    assert!(told.contains("more than 128 MiB in one answer"), "{told}");
}

#[test]
fn an_error_in_chunks_without_end_is_still_that_error() {
    let url = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n");
        while megabytes(&mut stream, 64, true) == 64 {}
    });
    let told = failed(&within(300, &url, &["machines", "list"]), 6);
    assert!(told.contains("404 Not Found"), "{told}");
}

#[test]
fn a_header_of_ten_megabytes_is_too_much() {
    let url = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
        let _ = stream.write_all(&vec![b'x'; 10 * 1024 * 1024]);
        let _ = stream.write_all(b"\r\nContent-Length: 2\r\n\r\n[]");
    });
    failed(&within(300, &url, &["machines", "list"]), 6);
}

#[test]
fn what_was_made_may_be_there_although_the_answer_was_too_long() {
    let url = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{");
    });
    let told = failed(&patient(&url, &["machines", "stop", crate::hostile::ID]), 6);
    assert!(told.contains("may have taken effect"), "{told}");
}

/// A server that answers this body to everything.
fn body(body: Vec<u8>) -> String {
    crate::common::answering("200 OK\r\nContent-Type: application/json", body)
}

/// So many megabytes of the same element.
fn list_of(element: &str, megabytes: usize) -> Vec<u8> {
    let many = megabytes * 1024 * 1024 / (element.len() + 1);
    format!("[{}]", vec![element; many].join(",")).into_bytes()
}

#[test]
fn millions_of_rows_in_a_small_body_are_refused_before_they_cost_memory() {
    for (element, megabytes, enough) in
        [("1", 10, 300), ("{}", 10, 300), (r#"{"id":"a"}"#, 10, 300), ("1", 120, ENOUGH)]
    {
        let url = body(list_of(element, megabytes));
        for words in [
            &["machines", "list"][..],
            &["machines", "list", "--limit", "5"],
            &["machines", "list", "--json"],
            &["images", "list", "-o", "yaml"],
            &["images", "list", "--jq", "length"],
            &["machines", "audit", crate::hostile::ID, "-o", "csv"],
            &["networks", "ips", "list", crate::hostile::ID, "-o", "jsonl"],
            &["users", "list", "--sort", "login"],
            &["machines", "delete", "web*", "--yes"],
            &["api", "GET", "/my/machines", "--paginate"],
        ] {
            let told = failed(&within(enough, &url, words), 6);
            assert!(told.contains("more than 200000 rows"), "{words:?}: {told}");
        }
    }
}

#[test]
fn millions_of_values_in_one_object_are_refused_before_they_cost_memory() {
    let id = crate::hostile::ID;
    for (head, megabytes, enough) in [("{", 40, 600), ("[{", 40, 600), ("{", 120, ENOUGH)] {
        let end = if head == "{" { "}" } else { "}]" };
        let x = String::from_utf8(list_of("0", megabytes)).unwrap();
        let body = format!("{head}\"id\":\"{id}\",\"login\":\"ci\",\"x\":{x}{end}");
        let head_of_all = format!(
            "HTTP/1.1 200 OK\r\nApi-Version: 9.0.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        // It reads what it is sent, however long its answer takes.
        let (url, _) = saying(head_of_all + &body);
        let commands: &[&[&str]] = match head {
            "{" => &[
                &["machines", "tags", "set", id, "a=b"],
                &["users", "update", id, "--email", "a@example.com"],
                &["machines", "get", id, "-o", "yaml"],
                &["machines", "get", id, "--jq", ".id"],
                &["wait", "machines", id, "--for", "tag.x=1", "--timeout", "5s"],
                &["api", "GET", "/my/machines", "--jq", "length"],
            ],
            _ => &[
                &["images", "delete", "--unused", "--yes"],
                &["machines", "list", "-o", "yaml"],
                &["machines", "list", "--jq", "length"],
                &["users", "list", "--sort", "login"],
            ],
        };
        for words in commands {
            let told = failed(&within(enough, &url, words), 6);
            assert!(told.contains("more than 1000"), "{words:?}: {told}");
        }
    }
}

#[test]
fn rows_that_are_no_objects_are_no_list_of_machines() {
    for rows in ["[1]", "[\"a\"]", "[null]", "[[]]", "[true]", r#"[{"id":"a"},2]"#] {
        let url = body(rows.into());
        for format in ["table", "json", "jsonl", "csv", "yaml", "ids"] {
            let told = failed(&patient(&url, &["machines", "list", "-o", format]), 6);
            assert!(told.contains("where objects were due"), "{rows} {format}: {told}");
        }
    }
}

#[test]
fn a_service_that_knows_no_pages_is_cut_at_what_was_wanted() {
    let rows: Vec<String> = (0..3000).map(|at| format!("{{\"id\":\"{at}\"}}")).collect();
    let url = body(format!("[{}]", rows.join(",")).into_bytes());
    for format in ["ids", "json"] {
        let said = patient(&url, &["machines", "list", "--limit", "2", "-o", format]);
        let shown = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(shown.matches(char::is_numeric).count(), 2, "{shown}");
    }
}

#[test]
fn what_is_large_in_one_object_stays_within_its_measure() {
    let many = (0..500_000).map(|at| format!("\"key{at}\":{at}")).collect::<Vec<_>>().join(",");
    let machine =
        format!("{{\"id\":\"{}\",\"name\":\"web\",\"state\":\"running\",\"tags\":{{{many}}}}}", crate::hostile::ID);
    let list = body(format!("[{machine}]").into_bytes());
    let one = body(machine.into_bytes());
    let tags = body(format!("{{{many}}}").into_bytes());
    for (url, words) in [
        (&list, &["machines", "list", "-o", "id,tags"][..]),
        (&list, &["machines", "list", "-o", "yaml"]),
        (&list, &["machines", "list", "-o", "csv"]),
        (&list, &["machines", "list", "--jq", ".[0].id"]),
        (&one, &["machines", "get", crate::hostile::ID]),
        (&one, &["machines", "get", crate::hostile::ID, "-o", "yaml"]),
        (&one, &["machines", "get", crate::hostile::ID, "--jq", ".tags|length"]),
        (&tags, &["machines", "tags", "list", crate::hostile::ID]),
        (&tags, &["machines", "tags", "list", crate::hostile::ID, "-o", "yaml"]),
    ] {
        let said = within(ENOUGH, url, words);
        assert_eq!(said.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&said.stderr));
    }
    let faults: Vec<String> =
        (0..100_000).map(|at| format!("{{\"field\":\"f{at}\",\"code\":\"Invalid\",\"message\":\"m\"}}")).collect();
    let refusal = format!("{{\"code\":\"ValidationFailed\",\"message\":\"x\",\"errors\":[{}]}}", faults.join(","));
    let url = crate::common::answering("409 Conflict", refusal.into_bytes());
    let said = within(300, &url, &["machines", "list"]);
    assert!(matches!(said.status.code(), Some(5 | 6)) && said.stderr.len() < 1 << 20, "{} bytes", said.stderr.len());
}

#[test]
fn pages_of_a_row_each_without_end_are_given_up() {
    for (head, words) in [
        ("X-Query-Limit: 1\r\n", &["machines", "list", "-o", "ids"][..]),
        ("X-Query-Limit: 1\r\n", &["api", "GET", "/my/machines", "--paginate"]),
        ("", &["networks", "ips", "list", crate::hostile::ID, "-o", "ids"]),
    ] {
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&asked);
        let url = server(move |mut stream| {
            let at = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let row = format!("[{{\"id\":\"{at}\",\"ip\":\"{at}\"}}]");
            let head = format!("{head}Content-Length: {}\r\nConnection: close", row.len());
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{row}").as_bytes());
        });
        let said = patient(&url, words);
        let told = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.code() == Some(6) && told.contains("it does not end"), "{words:?}: {told}");
        let asked = asked.load(std::sync::atomic::Ordering::SeqCst);
        assert!((100..=120).contains(&asked), "{words:?}: {asked} pages");
    }
}

/// What an internal service answers, within so much memory.
fn inner(url: &str, words: &str) -> std::process::Output {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = crate::hostile::bounded(ENOUGH, url, &words, "120s");
    for service in ["VMAPI", "NAPI", "WORKFLOW"] {
        command.env(format!("{service}_URL"), url);
    }
    command.output().unwrap()
}

#[test]
fn two_hundred_megabytes_of_an_internal_service_are_refused() {
    let row = format!(r#"{{"uuid":"{}","alias":"web","state":"running"}}"#, crate::hostile::ID);
    let announced = body(list_of(&row, 200));
    let chunked = server(|mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        megabytes(&mut stream, 200, true);
    });
    for url in [announced, chunked] {
        for words in ["admin vms list", "admin vms get web", "admin networks list", "admin jobs list --json"] {
            let told = failed(&inner(&url, words), 6);
            assert!(told.contains("more than 128 MiB in one answer"), "{words}: {told}");
        }
        let said = inner(&url, "admin raw vmapi GET /vms");
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.code() == Some(6) && told.contains("more than 128 MiB in one answer"), "{told}");
    }
}
