//! Lists that change while they are read, and lists that are none: what a service does between two pages.
#![cfg(feature = "cli")]

use crate::common;
use std::io::Write;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::{head, sdc};

/// The ids of a page, by its offset and limit and by how many requests came before it.
type List = dyn Fn(usize, usize, usize) -> Vec<usize> + Send;

/// A server with such a list; and the offsets it was asked for.
fn listing(list: Box<List>) -> (String, Arc<Mutex<Vec<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let offsets = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head(&mut stream);
            let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let number = |name: &str| {
                let query = line.split_once('?')?.1;
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
            };
            let (offset, limit) = (number("offset").unwrap_or(0), number("limit").unwrap_or(1000));
            let mut offsets = offsets.lock().unwrap();
            let rows = list(offset, limit, offsets.len());
            offsets.push(offset);
            let rows: Vec<String> = rows.iter().map(|at| format!("{{\"id\":\"{at}\",\"ip\":\"{at}\"}}")).collect();
            let body = format!("[{}]", rows.join(","));
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    (url, seen)
}

fn ids(url: &str, more: &[&str]) -> Vec<usize> {
    let said = sdc(url, &[&["machines", "list", "-o", "ids"], more].concat());
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// A list of 3 500, of which after the first page the first so many are gone.
fn after_the_first_page(gone: usize) -> Box<List> {
    Box::new(move |offset, limit, before| {
        let gone = if before == 0 { 0 } else { gone };
        (gone..3500).skip(offset).take(limit).collect()
    })
}

#[test]
fn machines_that_go_while_the_list_is_read_hide_none_of_the_others() {
    for gone in [0, 1, 3, 499, 500, 700, 998, 999, 1000, 1500, 2400] {
        let (url, _) = listing(after_the_first_page(gone));
        // Those of the first page were there when it was read.
        let expected: Vec<usize> = (0..1000).chain(gone.max(1000)..3500).collect();
        assert!(ids(&url, &[]) == expected, "{gone} gone");
    }
}

#[test]
fn an_empty_page_is_no_end_where_machines_have_gone_before_it() {
    for (all, gone) in [(1001, 1), (1001, 2), (1999, 1000), (1000, 5), (2998, 1998)] {
        let list = Box::new(move |offset: usize, limit: usize, before: usize| {
            let gone = if before == 0 { 0 } else { gone };
            (gone..all).skip(offset).take(limit).collect()
        });
        let (url, _) = listing(list);
        let expected: Vec<usize> = (0..1000).chain(gone.max(1000)..all).collect();
        assert!(ids(&url, &[]) == expected, "{gone} of {all} gone");
    }
}

#[test]
fn a_limit_is_a_limit_although_pages_are_read_again() {
    for (gone, limit) in [(3, 1200), (700, 1200), (700, 1998), (0, 1200), (1500, 2500)] {
        let (url, _) = listing(after_the_first_page(gone));
        let expected: Vec<usize> = (0..1000).chain(gone.max(1000)..3500).take(limit).collect();
        assert!(ids(&url, &["--limit", &limit.to_string()]) == expected, "{gone} gone, {limit} wanted");
    }
}

#[test]
fn machines_that_come_while_the_list_is_read_cost_no_request() {
    // The newest come first.
    let list = Box::new(|offset: usize, limit: usize, before: usize| {
        let new = if before == 0 { 0 } else { 5 };
        (10_000..10_000 + new).chain(0..1500).skip(offset).take(limit).collect()
    });
    let (url, seen) = listing(list);
    assert!(ids(&url, &[]) == (0..1500).collect::<Vec<_>>());
    assert_eq!(*seen.lock().unwrap(), [0, 999]);
}

#[test]
fn a_list_with_gaps_that_repeats_itself_for_ever_is_given_up() {
    let (url, seen) = listing(Box::new(|_, limit, _| (0..limit).collect()));
    let said = sdc(&url, &["networks", "ips", "list", "b6979942-7d5d-4fe6-a2ec-b812e950625a", "-o", "ids"]);
    let told = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.code() == Some(6) && told.contains("the same page of the list again and again"), "{told}");
    assert!(seen.lock().unwrap().len() <= 4, "{:?}", seen.lock().unwrap());
}

#[test]
fn a_list_with_gaps_goes_on_behind_an_empty_page_but_not_for_ever() {
    let ips = ["networks", "ips", "list", "b6979942-7d5d-4fe6-a2ec-b812e950625a", "--json", "--rate", "1000"];
    // Of three pages only the third has a row; of a million none.
    for (count, code, out) in [(3000, 0, "10.0.0.1"), (1_000_000_000, 6, "")] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let url = common::server(move |mut stream| {
            let before = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let body = if count == 3000 && before == 2 { r#"[{"ip":"10.0.0.1"}]"# } else { "[]" };
            let head = format!("X-Resource-Count: {count}\r\nContent-Length: {}\r\nConnection: close", body.len());
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").as_bytes());
        });
        let said = sdc(&url, &ips);
        assert_eq!(said.status.code(), Some(code), "{}", String::from_utf8_lossy(&said.stderr));
        assert!(String::from_utf8_lossy(&said.stdout).contains(out), "{}", String::from_utf8_lossy(&said.stdout));
    }
}
