//! Proxies: which one is used, what they refuse, and that no password of theirs is ever shown.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::common::{head, program, text};
use crate::trust::servers::{Made, TLS13, emulator, ping_at, serve, shown};

/// A proxy that answers every request with this; its address, and the requests that it saw.
fn proxy(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            asked.lock().unwrap().push(head(&mut stream));
            let _ = write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, seen)
}

/// A proxy that connects as it is told to.
fn tunnel() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let head = head(&mut stream);
            let port = head.split(' ').nth(1).and_then(|to| to.rsplit(':').next()).unwrap().to_owned();
            asked.lock().unwrap().push(head);
            let server = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            joined(stream, server);
        }
    });
    (address, seen)
}

fn joined(one: TcpStream, other: TcpStream) {
    for (mut from, mut to) in [(one.try_clone().unwrap(), other.try_clone().unwrap()), (other, one)] {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    }
}

/// A SOCKS5 proxy that wants this login; its address, how often it was asked, and what hosts it was asked for.
fn socks(login: &'static str) -> (String, Arc<AtomicUsize>, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (count, hosts) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (counted, named) = (Arc::clone(&count), Arc::clone(&hosts));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = socks_to(stream, login, &named);
        }
    });
    (address, count, hosts)
}

fn socks_to(mut stream: TcpStream, login: &str, hosts: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let read = |stream: &mut TcpStream, length: usize| {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = read(&mut stream, 2)?[1];
    let methods = read(&mut stream, methods.into())?;
    if !methods.contains(&2) {
        return stream.write_all(&[5, 0xff]);
    }
    stream.write_all(&[5, 2])?;
    let length = read(&mut stream, 2)?[1];
    let user = read(&mut stream, length.into())?;
    let length = read(&mut stream, 1)?[0];
    let password = read(&mut stream, length.into())?;
    if format!("{}:{}", text(&user), text(&password)) != login {
        return stream.write_all(&[1, 1]);
    }
    stream.write_all(&[1, 0])?;
    let kind = read(&mut stream, 4)?[3];
    let host = match kind {
        1 => read(&mut stream, 4)?.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        4 => format!("{:?}", read(&mut stream, 16)?),
        _ => {
            let length = read(&mut stream, 1)?[0];
            text(&read(&mut stream, length.into())?)
        }
    };
    let port = read(&mut stream, 2)?;
    let server = TcpStream::connect(("127.0.0.1", u16::from_be_bytes([port[0], port[1]])))?;
    hosts.lock().unwrap().push(host);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    joined(stream, server);
    Ok(())
}

fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_proxy_that_refuses_is_asked_once_with_a_hint_that_fits() {
    let hinted = "https_proxy=http://USER:PASSWORD@";
    for (answer, login, expected) in [
        ("407 Proxy Authentication Required", "", &["asks for a user and a password", hinted][..]),
        ("407 Proxy Authentication Required", "jill:hunter2@", &["does not accept the user and password", hinted]),
        ("403 Forbidden", "jill:hunter2@", &["refuses to connect to cloud.example:443", "NO_PROXY=cloud.example"]),
        ("405 Method Not Allowed", "", &["refuses to connect to cloud.example:443"]),
    ] {
        for words in [&[][..], &["--debug"], &["--json"]] {
            let (address, seen) = proxy(answer);
            let url = format!("http://{login}{address}");
            let output = ping_at("https://cloud.example", words, &[("https_proxy", &url)]);
            let said = said(&output);
            assert_eq!(output.status.code(), Some(6), "{said}");
            assert_eq!(seen.lock().unwrap().len(), 1, "{answer}: {said}");
            assert!(expected.iter().all(|part| said.contains(part)) && said.contains(&address), "{said}");
            assert!(!said.contains("hunter2") && !said.contains("jill"), "{said}");
            assert!(seen.lock().unwrap()[0].starts_with("CONNECT cloud.example:443 HTTP/1.1"));
        }
    }
}

#[test]
fn a_proxy_that_wants_a_login_is_asked_once_by_a_whole_command_over_http_too() {
    for (url, variable) in [("https://cloud.example", "HTTPS_PROXY"), ("http://cloud.example", "http_proxy")] {
        for words in [
            &["machines", "list"][..],
            &["machines", "stop", "web1", "web2", "web3"],
            &["wait", "machine", "web1", "--for", "state=running", "--timeout", "5s"],
            &["auth", "doctor"],
        ] {
            let (address, seen) = proxy("407 Proxy Authentication Required");
            let output = program(url, "acme", &crate::common::key().join("key"), words)
                .env(variable, format!("http://jill:hunter2@{address}"))
                .output()
                .unwrap();
            let said = said(&output);
            assert_eq!(output.status.code(), Some(6), "{words:?}: {said}");
            assert_eq!(seen.lock().unwrap().len(), 1, "{url} {words:?}: {said}");
            assert!(said.contains("does not accept the user and password"), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
            let basic = "proxy-authorization: basic amlsbdpodw50zxiy";
            assert!(seen.lock().unwrap()[0].to_ascii_lowercase().contains(basic), "{:?}", seen.lock().unwrap());
        }
    }
}

#[test]
fn a_proxy_whose_refusal_cannot_be_read_is_asked_once_too() {
    let wait = ["wait", "machine", "web1", "--for", "state=running", "--timeout", "5s"];
    for (url, variable, words) in [
        ("https://cloud.example", "https_proxy", &["machines", "list"][..]),
        ("http://cloud.example", "http_proxy", &["machines", "list"]),
        ("http://cloud.example", "http_proxy", &wait),
    ] {
        let (address, seen) = proxy("407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a\u{1}b\"");
        let output = program(url, "acme", &crate::common::key().join("key"), words)
            .env(variable, format!("http://jill:hunter2@{address}"))
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(6), "{said}");
        assert_eq!(seen.lock().unwrap().len(), 1, "{url} {words:?}: {said}");
        assert!(!said.contains("hunter2") && said.contains("hint: "), "{said}");
    }
}

#[test]
fn what_is_no_host_of_a_proxy_is_not_shown() {
    let token = "Qv7XkP2mNs9Rt4Yw".repeat(5);
    for url in
        [token.clone(), format!("http://{token}"), format!("http://a.{token}.b:80"), format!("http://us:{token}")]
    {
        for words in [&["machines", "list"][..], &["auth", "doctor"], &["config", "show"]] {
            let output = program("http://cloud.example", "acme", &crate::common::key().join("key"), words)
                .env("http_proxy", &url)
                .output()
                .unwrap();
            assert!(!said(&output).contains("Qv7XkP2mNs9Rt4Yw"), "{url} {words:?}: {}", said(&output));
        }
    }
}

#[test]
fn a_socks_proxy_is_used_with_its_login_and_asked_once_with_a_wrong_one() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    let file = made.path("s.pem");
    let url = format!("https://localhost:{port}");
    for scheme in ["socks5", "socks5h"] {
        let (address, count, hosts) = socks("jill:hunter2");
        let ask = |login: &str| {
            let proxy = format!("{scheme}://{login}{address}");
            ping_at(&url, &["--cacert", shown(&file)], &[("all_proxy", &proxy)])
        };
        let good = ask("jill:hunter2@");
        assert!(good.status.success(), "{scheme}: {}", said(&good));
        // With socks5h the proxy looks the name up, with socks5 it gets an address.
        assert_eq!(hosts.lock().unwrap()[0] == "localhost", scheme == "socks5h");
        for (login, expected) in
            [("jill:wrong@", "does not accept the user and password"), ("", "asks for a user and a password")]
        {
            let before = count.load(Ordering::SeqCst);
            let bad = ask(login);
            assert_eq!(bad.status.code(), Some(6));
            assert_eq!(count.load(Ordering::SeqCst), before + 1, "{}", said(&bad));
            assert!(said(&bad).contains(expected), "{}", said(&bad));
        }
    }
}

#[test]
fn a_proxy_that_speaks_tls_is_verified_and_pins_are_not_for_it() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port = serve(vec![made.self_signed("s", "/CN=localhost", "")], &key, TLS13);
    let file = made.path("s.pem");
    let proxy = format!("https://jill:hunter2@localhost:{port}");
    let pin = format!("SHA256:{}", "00".repeat(32));
    for (words, expected) in [
        (&["--tls-pin", &*pin][..], "self-signed"),
        // This one is trusted, and then answers CONNECT with a body, which is no handshake of the service.
        (&["--tls-pin", &pin, "--cacert", shown(&file)], "because: peer closed connection"),
    ] {
        let output = ping_at("https://cloud.example", words, &[("https_proxy", &proxy)]);
        assert_eq!(output.status.code(), Some(6));
        assert!(said(&output).contains(expected) && !said(&output).contains("hunter2"), "{}", said(&output));
    }
    // Of the same name as the service, the proxy is pinned as well: it may be the service.
    let words = ["--tls-pin", &*pin, "--cacert", shown(&file)];
    let output = ping_at("https://localhost", &words, &[("https_proxy", &proxy)]);
    assert!(said(&output).contains("is not the one that is pinned"), "{}", said(&output));
}

#[test]
fn a_proxys_url_that_cannot_be_read_is_an_error_and_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for (scheme, variables) in [
        ("http", &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]),
        ("https", &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
    ] {
        let url = format!("{scheme}://127.0.0.1:{port}");
        for variable in variables {
            for value in [
                "http://jill:hun ter2@host:99999",
                "http://jill:hunter2@host:99999",
                "proxy.example:",
                "hunter2://host",
            ] {
                for words in [
                    &["ping"][..],
                    &["machines", "list"],
                    &["ping", "--debug"],
                    &["ping", "--json"],
                    &["auth", "doctor"],
                ] {
                    let output =
                        program(&url, "acme", &crate::common::key().join("key"), words).env(variable, value).output();
                    let output = output.unwrap();
                    let said = said(&output);
                    assert_eq!(output.status.code(), Some(2), "{variable}={value} {words:?}: {said}");
                    assert!(said.contains(&format!("{variable} is not the URL of a proxy")), "{said}");
                    for secret in ["hunter2", "hun ter2", "jill"] {
                        assert!(!said.contains(secret), "{said}");
                    }
                }
            }
        }
    }
    assert!(listener.accept().is_err(), "it was asked without the proxy");
}

#[test]
fn what_is_exempt_goes_without_the_proxy_and_the_doctor_says_which_way_is_taken() {
    let made = Made::new();
    let key = made.key("s", "P-256");
    let port =
        serve(vec![made.self_signed("s", "/CN=x", "-addext subjectAltName=DNS:localhost,IP:127.0.0.1")], &key, TLS13);
    let file = made.path("s.pem");
    for (host, no_proxy, direct) in [
        ("127.0.0.1", "*", true),
        ("localhost", "*", true),
        ("127.0.0.1", "127.0.0.0/8", true),
        ("127.0.0.1", "10.0.0.0/8", false),
        ("localhost", ".localhost", true),
        ("127.0.0.1", &format!("127.0.0.1:{port}"), true),
        ("127.0.0.1", "127.0.0.1:1", false),
    ] {
        let (address, seen) = tunnel();
        let url = format!("https://{host}:{port}");
        let vars = [("https_proxy", &*address), ("HTTPS_PROXY", "127.0.0.1:1"), ("NO_PROXY", no_proxy)];
        let output = ping_at(&url, &["--cacert", shown(&file)], &vars);
        assert!(output.status.success(), "{host} {no_proxy}: {}", said(&output));
        assert_eq!(seen.lock().unwrap().is_empty(), direct, "{host} {no_proxy}");
        let words = ["auth", "doctor", "--cacert", shown(&file)];
        let doctor = program(&url, "acme", &crate::common::key().join("key"), &words).envs(vars).output().unwrap();
        let line = match direct {
            true => "ok    proxy      none: NO_PROXY covers the host, although https_proxy is set".to_owned(),
            false => format!("ok    proxy      http://{address} (https_proxy)"),
        };
        assert!(said(&doctor).contains(&line), "{}", said(&doctor));
    }
}

#[test]
fn lists_and_sockets_go_through_the_proxy_with_its_login() {
    let (runtime, emulator) = emulator();
    let (address, seen) = tunnel();
    let authority = shown(emulator.ca_file().unwrap());
    for words in [&["machines", "list", "-o", "name"][..], &["changefeed", "--timeout", "1s"]] {
        seen.lock().unwrap().clear();
        let output = program(emulator.https_url().unwrap(), emulator.account(), emulator.key_file(), words)
            .env("SDC_CACERT", authority)
            .env("https_proxy", format!("http://jill:p%40ss@{address}"))
            .output()
            .unwrap();
        let seen = seen.lock().unwrap();
        assert!(!seen.is_empty(), "{words:?}: {}", said(&output));
        assert!(seen.iter().all(|head| head.contains("Proxy-Authorization: Basic amlsbDpwQHNz")), "{seen:?}");
        assert!(words[0] != "machines" || said(&output).contains("web1"), "{}", said(&output));
    }
    runtime.block_on(emulator.stop()).unwrap();
}
