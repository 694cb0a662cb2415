//! What is told of each request and answer: everything but secrets, and bodies only where they are asked for.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::Client;
use super::wire::{Wire, header_lines};
use crate::answer::scan;
use crate::error::withheld;
use crate::request::Request;
use crate::response::Response;
use crate::sensitive;

/// Bodies that are larger are only counted, in bytes: each is read to take the secrets out.
const MAX_READ: usize = 1 << 20;
/// So much of a body is shown, in bytes.
const MAX_SHOWN: usize = 16 << 10;

impl Client {
    pub(super) fn trace_line(&self, line: &str) {
        if let Some(trace) = &self.trace {
            trace(&withheld::without(line));
        }
    }

    pub(super) fn trace_request(&self, request: &Request, wire: &Wire) {
        if self.trace.is_none() {
            return;
        }
        let trace = |line: &str| self.trace_line(line);
        trace(&format!("> {} {}", request.method, wire.address()));
        for line in header_lines(&wire.headers) {
            trace(&format!("> {line}"));
        }
        if let Some((_, body)) = &request.body {
            trace(&format!("> ({} bytes)", body.len()));
            if self.traces_bodies {
                trace(&format!("> {}", shown(body)));
            }
        }
    }

    pub(super) fn trace_response(&self, answer: &Response, took: Duration) {
        if self.trace.is_none() {
            return;
        }
        let trace = |line: &str| self.trace_line(line);
        trace(&format!("< {} in {} ms, {} bytes", answer.status, took.as_millis(), answer.body.len()));
        for line in header_lines(&answer.headers) {
            trace(&format!("< {line}"));
        }
        if self.traces_bodies && !answer.body.is_empty() {
            trace(&format!("< {}", shown(&answer.body)));
        }
    }
}

/// A body as one line, without its secrets. What is neither an object nor an array has no names by which secrets are
/// known: it may be a password itself, and is not shown.
fn shown(body: &[u8]) -> String {
    let parsed = (body.len() <= MAX_READ).then(|| {
        let hidden = untold(body);
        serde_json::from_slice::<Value>(hidden.as_deref().unwrap_or(body))
    });
    let mut text = match parsed {
        None => return format!("(not shown: larger than {} MiB)", MAX_READ >> 20),
        // Before it is cut: half a secret would not be known any more.
        Some(Ok(value @ (Value::Object(_) | Value::Array(_)))) => withheld::taken_out(value.to_string()),
        Some(_) => return "(not shown: neither a JSON object nor an array)".to_owned(),
    };
    if text.len() > MAX_SHOWN {
        let end = (0..=MAX_SHOWN).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push_str(" …");
    }
    text
}

/// JSON with the secrets in it hidden, and every other byte as it came; `None` where there are none.
pub fn masked(body: &[u8]) -> Option<Vec<u8>> {
    hidden(body, false)
}

/// The same for what is shown to be looked at and kept: without scripts too, and texts in which a secret is set.
pub fn untold(body: &[u8]) -> Option<Vec<u8>> {
    hidden(body, true)
}

fn hidden(body: &[u8], scripts: bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    if scan::depth(text) > DEEPEST {
        return Some(MASK.as_bytes().to_vec());
    }
    let mut secrets = Vec::new();
    find(text, (false, scripts), &mut secrets);
    if secrets.is_empty() {
        return None;
    }
    let (mut out, mut done) = (Vec::with_capacity(body.len()), 0);
    for secret in secrets {
        // A part of the very same text, whose place the addresses tell.
        let start = (secret.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        out.extend_from_slice(body.get(done..start).unwrap_or_default());
        out.extend_from_slice(MASK.as_bytes());
        done = start + secret.len();
    }
    out.extend_from_slice(body.get(done..).unwrap_or_default());
    Some(out)
}

/// JSON that is nested deeper is hidden as a whole.
const DEEPEST: usize = 128;

/// What stands in the place of a secret, as JSON.
const MASK: &str = "\"(redacted)\"";

/// Whether this body would write what hides a secret in the place of the secret.
pub(super) fn holds_mask(body: &[u8]) -> bool {
    body.windows(MASK.len()).any(|part| part == MASK.as_bytes())
}

/// The secrets within a value, in their order: values whose names say so, and keys wherever they are.
fn find<'a>(json: &'a str, (is_secret, scripts): (bool, bool), secrets: &mut Vec<&'a str>) {
    let value = json.trim_matches(scan::BLANK);
    if is_secret {
        secrets.push(value);
    } else if let Some(members) = scan::members(value) {
        let text = |token: &'a str| scan::unquote(token).unwrap_or_default();
        // A pair of a name and a value, such as a tag.
        let hides = |name: &str| sensitive::may_be_secret_name(name) || scripts && is_script(name);
        let named = scan::member(value, "name").is_some_and(|token| hides(&text(token)));
        for (token, member) in members {
            let name = text(token);
            if sensitive::in_text(&name).is_some() {
                secrets.push(token);
            }
            find(member, (hides(&name) || named && name == "value", scripts), secrets);
        }
    } else if let Some(elements) = scan::elements(value) {
        elements.for_each(|element| find(element, (false, scripts), secrets));
    } else if scan::unquote(value)
        .is_some_and(|text| sensitive::in_text(&text).is_some() || is_login(&text) || scripts && sets_secret(&text))
    {
        secrets.push(value);
    }
}

/// Whether metadata of this name is run or read by a machine when it boots, and so may have anything in it.
fn is_script(name: &str) -> bool {
    matches!(name.rsplit(['.', ':']).next(), Some("user-script" | "user-data"))
}

/// Whether a text gives a value to what is named like a secret: `PASSWORD=…`, and in a text of lines `token: …`.
fn sets_secret(text: &str) -> bool {
    let signs: &[char] = if text.contains('\n') { &['=', ':'] } else { &['='] };
    let of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    text.match_indices(signs).any(|(at, sign)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + sign.len()..).unwrap_or_default());
        let before = before.trim_end_matches(['"', '\'', ' ']);
        let name = before.rsplit(|letter| !of_name(letter)).next().unwrap_or_default();
        let value = after.lines().next().unwrap_or_default().trim();
        !name.is_empty() && !value.is_empty() && sensitive::is_secret_name(name)
    })
}

/// Whether this is the address of a service with the name and password of who uses it: `guest:guest:10.0.0.20:5672`, or a
/// URL. Several may stand side by side.
fn is_login(text: &str) -> bool {
    let one = |text: &str| {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let [user, password, host, port] = parts.as_slice() else { return false };
        let named = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        let of_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_host = host.chars().all(of_host) && host.chars().any(|c| c.is_ascii_alphabetic() || c == '.');
        named(user) && named(password) && is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let of_url = |text: &str| {
        let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
        let info = authority.and_then(|authority| authority.rsplit_once('@'));
        info.is_some_and(|(info, _)| info.contains(':') && !info.contains(char::is_whitespace))
    };
    text.split(',').any(|text| one(text) || of_url(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_in_it_is_a_secret() {
        for (text, secret) in [
            ("guest:guest:10.20.0.20:5672", true),
            ("guest:pass/word!:rabbitmq.dc1.example.com:5672", true),
            ("a:b:mq0:5672,c:d:mq1:5672", true),
            ("amqp://guest:guest@10.20.0.20:5672/x", true),
            ("http://10.20.0.20:8080/a@b:c", false),
            ("ssh://git@example.com/a:b", false),
            ("guest:guest:10.20.0.20", false),
            ("10.20.0.20:5672", false),
            ("90:b8:d0:1c:2d:3e", false),
            ("0:4:0:1", false),
            ("fd00:1:2:3:4:5:6:7", false),
            ("2026-03-02T10:15:00.000Z", false),
            ("see a: b: c.d:80", false),
            ("a:b:c.d:0", false),
            ("a:b:c.d:70000", false),
        ] {
            assert_eq!(is_login(text), secret, "{text}");
        }
    }

    #[test]
    fn a_body_is_shown_without_its_secrets() {
        let key = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        for (body, expected) in [
            (r#"{"name":"web1","memory":1024}"#, r#"{"name":"web1","memory":1024}"#),
            (
                r#"{"login":"jill","password":"x","password_confirmation":"x"}"#,
                r#"{"login":"jill","password":"(redacted)","password_confirmation":"(redacted)"}"#,
            ),
            (
                r#"[{"accesskeyid":"a","accesskeysecret":"s"}]"#,
                r#"[{"accesskeyid":"a","accesskeysecret":"(redacted)"}]"#,
            ),
            (
                r#"{"metadata":{"root_pw":"x","credentials":{"root":"y"},"API-Key":"z","role":"web"}}"#,
                r#"{"metadata":{"root_pw":"(redacted)","credentials":"(redacted)","API-Key":"(redacted)","role":"web"}}"#,
            ),
            (
                r##"{"metadata":{"user-script":"#!/bin/sh","cloud-init:user-data":"a: b","role":"web"}}"##,
                r#"{"metadata":{"user-script":"(redacted)","cloud-init:user-data":"(redacted)","role":"web"}}"#,
            ),
            (
                r##"{"metadata.user-script":"#!/bin/sh","metadata.motd":"hello","brand":"lx"}"##,
                r#"{"metadata.user-script":"(redacted)","metadata.motd":"hello","brand":"lx"}"#,
            ),
            (
                r#"{"metadata.env":"A=1\nexport API_TOKEN=tok_1\n","metadata.conf":"db:\n  password: x\n","b":"c=d"}"#,
                r#"{"metadata.env":"(redacted)","metadata.conf":"(redacted)","b":"c=d"}"#,
            ),
            (
                r#"{"metadata":{"MYSQL_PWD":"x","signing_key":"y","registry_auth":"z","github_pat":"p"}}"#,
                r#"{"metadata":{"MYSQL_PWD":"(redacted)","signing_key":"(redacted)","registry_auth":"(redacted)","github_pat":"(redacted)"}}"#,
            ),
            (
                r#"{"name":"laptop","key":"ssh-ed25519 AAAA jill","root_authorized_keys":"x","public_key":"y"}"#,
                r#"{"name":"laptop","key":"ssh-ed25519 AAAA jill","root_authorized_keys":"x","public_key":"y"}"#,
            ),
            (r#"{"message":"token: expired"}"#, r#"{"message":"token: expired"}"#),
            (r#"{"name":"db_password","value":"x"}"#, r#"{"name":"db_password","value":"(redacted)"}"#),
            (&format!(r#"{{"user-data":"{key}"}}"#), r#"{"user-data":"(redacted)"}"#),
            (r#"{"url":"https://jill:pw@host/x"}"#, r#"{"url":"(redacted)"}"#),
            (r#""hunter2""#, "(not shown: neither a JSON object nor an array)"),
            ("hunter2", "(not shown: neither a JSON object nor an array)"),
        ] {
            assert_eq!(shown(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_body_is_shown_within_bounds() {
        let long = serde_json::json!({ "text": "é".repeat(20_000) }).to_string();
        let told = shown(long.as_bytes());
        assert!(told.len() < MAX_SHOWN + 8 && told.ends_with(" …"));
        let huge = format!("[{}1]", "1,".repeat(MAX_READ));
        assert_eq!(shown(huge.as_bytes()), "(not shown: larger than 1 MiB)");
    }

    #[test]
    fn what_hides_a_secret_leaves_every_other_byte_as_it_came() {
        let body = r#"{ "a_pw" : "x" , "n":1.10,"big":12345678901234567890123,"a":1,"a":2,"token":{"k":[1]},
            "tags":[{"name":"api-token","value":"y"},{"name":"n","value":"z"}] }"#;
        let hidden = r#"{ "a_pw" : "(redacted)" , "n":1.10,"big":12345678901234567890123,"a":1,"a":2,"token":"(redacted)",
            "tags":[{"name":"api-token","value":"(redacted)"},{"name":"n","value":"z"}] }"#;
        assert_eq!(String::from_utf8(masked(body.as_bytes()).unwrap()).unwrap(), hidden);
        assert!(masked(br#"{"name":"web1","n":1.10}"#).is_none() && masked(b"no JSON").is_none());
        assert!(holds_mask(hidden.as_bytes()) && !holds_mask(body.as_bytes()));
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(masked(deep.as_bytes()).unwrap(), MASK.as_bytes());
    }
}
