//! A service on a loopback port that answers a written sequence, and the program asking it. A line of a script is
//! `METHOD TARGET [BODY] -> STATUS [BODY]`, as it goes over the wire but for the percent signs; one that begins with a
//! star may be asked for any number of times, one whose status is `200@1500` is answered after so many ms, and one of
//! `200#A` with the ETag `A`, and one of `200~2026-03-02T10:15:00Z` with this date, and one of `404!kong` by a server of this name. Without a body none may come; the body `"*"` is any. `$OWN` is the `uuid` of the last body
//! that had one, `%VLAN` and `%SUBNET` its other fields.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// A line of a script.
#[derive(Clone, Debug)]
struct Step {
    request: String,
    body: Option<Value>,
    status: u16,
    /// Milliseconds.
    delay: u64,
    etag: String,
    /// When it is answered, by the service's clock.
    date: String,
    /// Who answers, by the header.
    server: String,
    answer: String,
    any: bool,
    used: bool,
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub line: String,
    pub headers: String,
}

#[derive(Default)]
struct Kept {
    steps: Vec<Step>,
    asked: Vec<Asked>,
    /// The id that was chosen for what is to be made.
    own: String,
    vlan: String,
    subnet: String,
    wrong: Vec<String>,
}

/// A service. What it was asked without being told to answer fails the test, at the latest when it goes.
pub struct Script {
    pub address: String,
    kept: Arc<Mutex<Kept>>,
}

fn step(line: &str) -> Step {
    let (any, line) = line.strip_prefix('*').map_or((false, line), |line| (true, line.trim()));
    let (request, answer) = line.split_once(" -> ").unwrap_or_else(|| panic!("no answer: {line}"));
    let mut parts = request.trim().splitn(3, ' ');
    let request = format!("{} {}", parts.next().unwrap(), parts.next().unwrap());
    let body = parts.next().map(|body| serde_json::from_str(body).unwrap_or_else(|error| panic!("{body}: {error}")));
    let (status, answer) = answer.trim().split_once(' ').unwrap_or((answer.trim(), ""));
    let (status, server) = status.split_once('!').unwrap_or((status, ""));
    let (status, date) = status.split_once('~').unwrap_or((status, ""));
    let (status, etag) = status.split_once('#').unwrap_or((status, ""));
    let (status, delay) = status.split_once('@').unwrap_or((status, "0"));
    let etag = if etag.is_empty() { String::new() } else { format!("ETag: {etag}\r\n") };
    let delay = delay.parse().unwrap();
    let date = if date.is_empty() { String::new() } else { format!("Date: {}\r\n", dated(date)) };
    let server = if server.is_empty() { String::new() } else { format!("Server: {server}\r\n") };
    let status = status.parse().unwrap();
    Step { request, body, status, delay, etag, date, server, answer: answer.to_owned(), any, used: false }
}

/// A time as headers have it.
fn dated(time: &str) -> String {
    let time: jiff::Timestamp = time.parse().unwrap();
    httpdate::fmt_http_date(time.into())
}

impl Script {
    /// Serves these lines.
    pub fn new(lines: &str) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let script = Script { address, kept: Arc::clone(&kept) };
        script.add(lines);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        script
    }

    /// More lines.
    pub fn add(&self, lines: &str) {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(step);
        self.kept.lock().unwrap().steps.extend(lines);
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.kept.lock().unwrap().asked.clone()
    }

    /// The lines of the requests so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// All was asked that had to be.
    #[track_caller]
    pub fn done(&self) {
        let kept = self.kept.lock().unwrap();
        let left: Vec<&str> =
            kept.steps.iter().filter(|step| !step.any && !step.used).map(|step| &*step.request).collect();
        assert!(left.is_empty(), "never asked: {left:#?}");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let kept = self.kept.lock();
        if let Ok(kept) = kept.as_ref()
            && !std::thread::panicking()
        {
            assert!(kept.wrong.is_empty(), "not in the script: {:#?}", kept.wrong);
        }
    }
}

fn serve(mut stream: TcpStream, kept: &Mutex<Kept>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    // Somebody only looked whether anything is here.
    let Some((line, headers)) = head.split_once("\r\n") else { return };
    let length =
        headers.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    let target = line.rsplit_once(' ').unwrap().0;
    let target = percent_encoding::percent_decode_str(target).decode_utf8().unwrap().into_owned();
    // A body that is not JSON must not pass for none.
    let text = || Value::from(String::from_utf8_lossy(&body));
    let body = (!body.is_empty()).then(|| serde_json::from_slice(&body).unwrap_or_else(|_| text()));
    let mut kept = kept.lock().unwrap();
    let shown = body.as_ref().map_or(String::new(), |body| format!(" {body}"));
    kept.asked.push(Asked { line: format!("{target}{shown}"), headers: headers.to_ascii_lowercase() });
    if let Some(own) = body.as_ref().and_then(|body| body["uuid"].as_str()) {
        own.clone_into(&mut kept.own);
        kept.vlan = body.as_ref().map_or(String::new(), |body| body["vlan_id"].to_string());
        kept.subnet = body.as_ref().and_then(|body| body["subnet"].as_str()).unwrap_or_default().to_owned();
    }
    let (own, vlan, subnet) = (kept.own.clone(), kept.vlan.clone(), kept.subnet.clone());
    let fits = |step: &&mut Step| {
        !step.used
            && step.request.replace("$OWN", &own) == target
            && (step.body == body || body.is_some() && step.body == Some("*".into()))
    };
    let (status, answer, delay, headers) = match kept.steps.iter_mut().find(fits) {
        Some(step) => {
            step.used = !step.any;
            let answer = step.answer.replace("$OWN", &own).replace("%VLAN", &vlan).replace("%SUBNET", &subnet);
            (step.status, answer, step.delay, format!("{}{}{}", step.etag, step.date, step.server))
        }
        None => {
            kept.wrong.push(format!("{target}{shown}"));
            (599, r#"{"code":"NotInTheScript","message":"this was not to be asked"}"#.to_owned(), 0, String::new())
        }
    };
    drop(kept);
    std::thread::sleep(std::time::Duration::from_millis(delay));
    let kind = if answer.starts_with('<') { "text/html" } else { "application/json" };
    let _ = stream.write_all(
        format!(
            "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nx-request-id: 1\r\n{headers}Connection: close\r\n\r\n{answer}",
            answer.len()
        )
        .as_bytes(),
    );
}
