//! Answers that are HTTP and still no good: where they lead, how they are packed, and what stands in them.

use crate::hostile::{ID, failed, patient, saying, within};

const GZIP_OF_ZEROS: &[u8] =
    &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0x60, 0, 0, 0x69, 0x2f, 0x22, 0x65];

#[test]
fn a_redirect_to_another_place_is_told_and_never_followed() {
    let (other, seen) = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
    for place in [format!("{other}/acme/machines"), "file:///etc/passwd".to_owned(), "//127.0.0.1:1/x".to_owned()] {
        for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
            let head = format!("HTTP/1.1 {status}\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
            let (url, heads) = saying(head);
            let said = patient(&url, &["machines", "list", "-o", "name"]);
            assert!(!said.status.success() && said.stdout.is_empty(), "{status} to {place}");
            assert_eq!(heads.lock().unwrap().len(), 1, "{status} to {place}");
        }
    }
    assert_eq!(seen.lock().unwrap().len(), 0, "nothing arrived at the other place, so no credentials did");
}

#[test]
fn what_is_compressed_is_neither_asked_for_nor_expanded() {
    for coding in ["gzip", "br", "zstd"] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", GZIP_OF_ZEROS.len());
        let (url, heads) = saying([head.as_bytes(), GZIP_OF_ZEROS].concat());
        let told = failed(&within(300, &url, &["machines", "list"]), 6);
        assert!(told.contains(&format!("packed as '{coding}'")), "{told}");
        assert!(!heads.lock().unwrap()[0].to_lowercase().contains("accept-encoding"), "{coding}");
    }
}

#[test]
fn nothing_that_is_nested_deep_overflows_anything() {
    let deep = format!("[{{\"id\":\"{ID}\",\"name\":\"a\",\"tags\":{}{}}}]", "[".repeat(100_000), "]".repeat(100_000));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", deep.len());
    for words in [
        &["machines", "list"][..],
        &["machines", "list", "--sort", "tags"],
        &["machines", "list", "-o", "yaml"],
        &["machines", "list", "-o", "csv:name,tags"],
        &["machines", "list", "--jq", ".[0].name"],
        &["machines", "stop", "-l", "role=web"],
    ] {
        let (url, _) = saying(format!("{head}{deep}"));
        let said = patient(&url, words);
        let told = String::from_utf8_lossy(&said.stderr);
        assert!(matches!(said.status.code(), Some(0 | 1 | 6)), "{words:?}: {:?} {told}", said.status);
    }
}

#[test]
fn bytes_that_are_no_text_and_numbers_without_measure_do_no_harm() {
    for (row, codes) in [
        (b"[{\"id\":\"\xff\xfe\"}]".to_vec(), &[6][..]),
        (b"[{\"id\":\"a\0b\",\"name\":\"x\"}]".to_vec(), &[0, 6]),
        (b"[{\"id\":\"a\",\"memory\":1e999999999,\"created\":\"9999999-99-99\"}]".to_vec(), &[0]),
        (b"[{\"id\":\"a\",\"memory\":123456789012345678901234567890}]".to_vec(), &[0]),
        (b"[{\"id\":\"a\",\"id\":\"b\",\"name\":null,\"tags\":7}]".to_vec(), &[0]),
        ([b"[{\"id\":\"", "x".repeat(20_000_000).as_bytes(), b"\"}]"].concat(), &[0]),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", row.len());
        let (url, _) = saying([head.as_bytes(), &row].concat());
        for words in [&["machines", "list"][..], &["machines", "list", "-s", "memory", "-o", "id,memory,age"]] {
            let said = patient(&url, words);
            let told = String::from_utf8_lossy(&said.stderr);
            assert!(
                said.status.code().is_some_and(|code| codes.contains(&code)),
                "{words:?}: {:?} {told}",
                said.status
            );
        }
    }
}

#[test]
fn a_size_of_pages_that_is_none_loses_no_machine() {
    let rows: Vec<String> = (0..1000).map(|at| format!("{{\"id\":\"{at}\"}}")).collect();
    let page = format!("[{}]", rows.join(","));
    let (url, heads) =
        saying(format!("HTTP/1.1 200 OK\r\nX-Query-Limit: 0\r\nContent-Length: {}\r\n\r\n{page}", page.len()));
    failed_with_rows(&patient(&url, &["machines", "list", "-o", "ids"]));
    assert!(heads.lock().unwrap().len() > 1, "a full page was taken for the whole list");
}

/// The same page again and again is no list, though its rows were told.
fn failed_with_rows(said: &std::process::Output) {
    assert_eq!(said.status.code(), Some(6), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn headers_that_lie_are_not_believed() {
    for header in [
        "X-Query-Limit: 0",
        "X-Query-Limit: -5",
        "X-Query-Limit: 99999999999999999999",
        "X-Resource-Count: 99999999999999999999",
        "Date: yesterday",
        "Date: Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        let (url, heads) = saying(format!("HTTP/1.1 200 OK\r\n{header}\r\nContent-Length: 2\r\n\r\n[]"));
        let said = patient(&url, &["machines", "list", "--json"]);
        assert_eq!((said.status.code(), &*said.stdout), (Some(0), &b"[]\n"[..]), "{header}");
        assert_eq!(heads.lock().unwrap().len(), 1, "{header}");
    }
    for pause in ["99999999999999999999", "-1", "soon", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let head =
            format!("HTTP/1.1 503 Busy\r\nRequest-Id: x\r\nRetry-After: {pause}\r\nContent-Length: 2\r\n\r\n{{}}");
        let (url, _) = saying(head);
        // The time for all tries is twice that of one.
        let said = crate::hostile::within_seconds(400, &url, &["machines", "list"], "1s");
        failed(&said, 7);
    }
}

#[test]
fn names_cannot_steer_the_terminal_where_targets_are_shown_and_waited_for() {
    let evil = "\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}";
    let row =
        format!("[{{\"id\":\"{ID}\",\"name\":\"{evil}\",\"state\":\"{evil}\",\"tags\":{{\"role\":\"{evil}\"}}}}]");
    let row = row.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    let (url, _) = saying(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{row}", row.len()));
    for words in [
        &["machines", "delete", "-l", "role"][..],
        &["machines", "stop", "*", "--dry-run"],
        &["machines", "list", "--debug"],
    ] {
        let said = patient(&url, words);
        let all = [said.stdout, said.stderr].concat();
        let told = String::from_utf8_lossy(&all);
        assert!(!told.chars().any(|c| matches!(c, '\u{1b}' | '\u{7}' | '\u{9b}' | '\u{202e}')), "{words:?}: {told:?}");
    }
}

#[test]
fn a_password_that_was_sent_is_not_shown_when_the_service_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pw");
    std::fs::write(&file, "hunt\"er2xyz\n").unwrap();
    let file = file.to_str().unwrap();
    // In JSON within JSON, in a URL, as base64 of a login, and by itself as a field's name.
    let body = r#"{"code":"InvalidArgument","message":"got {\"password\":\"hunt\\\"er2xyz\"} at /x?p=hunt%22er2xyz, Basic Y2k6aHVudCJlcjJ4eXo=","errors":[{"field":"hunt\u0022er2xyz","code":"hunt\"er2xyz","message":"hunt\"er2xyz is no field"}]}"#;
    for status in ["409 Conflict", "404 Not Found", "500 Oops", "422 No"] {
        let head = format!(
            "HTTP/1.1 {status}\r\nServer: cloudapi/9.17.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let (url, _) = saying([head.as_bytes(), body.as_bytes()].concat());
        for options in [&[][..], &["--json"], &["--debug=bodies"], &["--debug"]] {
            let command = ["users", "change-password", ID, "--password-file", file];
            let said = within(300, &url, &[&command, options].concat());
            let told = [&said.stdout[..], &said.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!said.status.success(), "{told}");
            assert!(told.contains("(hidden)"), "{told}");
            for part in ["hunt", "er2xyz", "aHVudCJlcjJ4eX"] {
                assert!(!told.contains(part), "{status} {options:?}: {told}");
            }
        }
        let image = ["machines", "create", "--image", ID, "--package", ID, "--admin-password-file", file];
        let told = String::from_utf8(within(300, &url, &image).stderr).unwrap();
        assert!(!told.contains("er2xyz"), "{told}");
    }
}

#[test]
fn a_success_with_a_refusal_for_its_body_is_no_success_whoever_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pw");
    std::fs::write(&file, "hunter2xyz\n").unwrap();
    for head in ["Server: cloudapi/9.17.0\r\nApi-Version: 9.17.0\r\n", ""] {
        let body = r#"{"code":"InvalidArgument","message":"no"}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\n{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let (url, _) = saying(head);
        for command in [
            &["users", "change-password", ID, "--password-file", file.to_str().unwrap()][..],
            &["machines", "rename", ID, "a"],
            &["machines", "stop", ID],
            &["users", "delete", ID, "--yes"],
            &["machines", "metadata", "delete", ID, "a", "--yes"],
        ] {
            let told = failed(&patient(&url, command), 6);
            assert!(told.contains("due"), "{command:?}: {told}");
        }
    }
}
