//! More than anybody needs: what is read is bounded, whatever was promised.

use std::io::Write;
use std::net::TcpStream;

use crate::common::server;
use crate::{failed, patient, within};

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
    let told = failed(&within(300, &url, &["machines", "list"]), 3);
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
    let told = failed(&patient(&url, &["machines", "stop", crate::ID]), 6);
    assert!(told.contains("may have taken effect"), "{told}");
}
