//! From a request to an answer: what all internal services do alike before and after their handlers.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Kind;
use super::call::{Call, Route};
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::chains;
use crate::emulator::datacenter::state::{Planned, new_id};
use crate::emulator::http::head::{self, Head, Request, Response};
use crate::emulator::http::params::{self, Params};
use crate::emulator::http::reply::{Body, Outcome, Refusal, Reply, content_md5};
use crate::emulator::http::service::Service;
use crate::emulator::js;

/// The largest body that is taken, in bytes.
const MAX_BODY: usize = 1 << 20;

/// An internal service over a data center.
#[derive(Debug)]
pub(crate) struct AdminService {
    pub(super) kind: &'static Kind,
    pub(super) cloud: Arc<DataCenter>,
}

impl Service for AdminService {
    fn answer(&self, request: &Request) -> Response {
        let reply = self.outcome(request).unwrap_or_else(Refusal::into_reply);
        Response { reply, signed_by: None, mute: false, early: false, methods: Vec::new() }
    }

    fn headers(&self, head: &Head, response: &Response, took_ms: u128) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut put = |name: &str, value: String| headers.push((name.to_owned(), value));
        let kind = response.reply.body.content_type();
        if !kind.is_empty() {
            put("Content-Type", kind.to_owned());
        }
        // Jobs have the time of the machines: where that stands still, none of them is older than its request.
        put("Date", head::date(self.cloud.clock.wall().min(self.cloud.clock.now())));
        // What comes early is not the service's own.
        if !response.early {
            let given = head.get("x-request-id").or_else(|| head.get("request-id"));
            let id = given.unwrap_or_else(new_id);
            put("Server", self.kind.name.to_owned());
            put("x-request-id", id.clone());
            put("x-response-time", took_ms.to_string());
            put("x-server-name", format!("{}0", self.kind.name));
            if self.kind.request_id {
                put("request-id", id);
                put("Api-Version", version_text(self.kind.versions.last().copied().unwrap_or_default()));
                put("Content-MD5", content_md5(response.reply.body.bytes()));
            }
        }
        for (name, value) in &response.reply.headers {
            put(name, value.clone());
        }
        headers
    }

    fn name(&self) -> &'static str {
        self.kind.name
    }

    fn routes(&self) -> Vec<(&'static str, &'static str)> {
        self.kind.routes.iter().flat_map(|routes| routes.iter()).map(|route| (route.method, route.path)).collect()
    }

    fn steps(&self) -> Vec<&'static str> {
        chains::steps()
    }

    fn largest_body(&self) -> usize {
        MAX_BODY
    }
}

impl AdminService {
    fn outcome(&self, request: &Request) -> Outcome {
        let head = &request.head;
        let (route, path) = self.find(head)?;
        let version = self.agree(head)?;
        check_accept(head)?;
        let body = read_body(request)?;
        let query = params::form(head.query());
        let mut merged = Params::new();
        let fields = body.as_object().cloned().unwrap_or_default();
        let parts = if self.kind.body_wins { [query.clone(), fields] } else { [fields, query.clone()] };
        parts.into_iter().for_each(|part| merged.extend(part));
        merged.extend(path.clone());
        let mut state = self.cloud.lock_state();
        let now = self.cloud.clock.now();
        let mut changed = state.catch_up(now);
        let twist = &request.twist;
        let before = twist.silent.then(|| state.clone());
        let named = path.get("uuid").filter(|_| head.path().starts_with("/vms/")).cloned();
        let mut call = Call {
            cloud: &self.cloud,
            state: &mut state,
            head,
            now,
            params: merged,
            path,
            query,
            body,
            version,
            caller: caller(head),
            fails: Planned::of(twist.fail.as_deref(), twist.says),
        };
        let result = (route.run)(&mut call);
        if let Some(before) = before {
            *state = before;
        }
        if twist.vanish
            && let Ok(reply) = &result
        {
            let named = named.as_ref().and_then(Value::as_str).map(str::to_owned);
            vm_of(reply).into_iter().chain(named).for_each(|uuid| state.vms.forget(&uuid));
        }
        let writes = !matches!(route.method, "GET");
        changed |= writes && result.is_ok();
        if changed {
            let kept = self.cloud.changed(&mut state, now);
            if writes && result.is_ok() {
                kept.map_err(|words| Refusal::new(500, "InternalError", words))?;
            }
        }
        result
    }

    /// The route of a request. Those of HEAD are those of GET.
    fn find(&self, head: &Head) -> Result<(&'static Route, Params), Refusal> {
        let method = if head.method == "HEAD" { "GET" } else { head.method.as_str() };
        let routes = self.kind.routes.iter().flat_map(|routes| routes.iter());
        let mut allowed: Vec<&str> = Vec::new();
        for route in routes {
            match route.matches(head.path()) {
                Some(path) if route.method == method => return Ok((route, path)),
                Some(_) if !allowed.contains(&route.method) => allowed.push(route.method),
                _ => {}
            }
        }
        if allowed.is_empty() {
            return Err(Refusal::not_found(head.path()));
        }
        let words = format!("{} is not allowed", head.method);
        Err(Refusal::new(405, "MethodNotAllowedError", words).header("Allow", allowed.join(", ")))
    }

    /// The version that is asked for, where the service has versions.
    fn agree(&self, head: &Head) -> Result<(u16, u16, u16), Refusal> {
        let range = head.get("accept-version").unwrap_or_else(|| self.kind.default_version.to_owned());
        let newest = self.kind.versions.iter().rev().find(|version| fits(&range, **version));
        match newest {
            Some(version) => Ok(*version),
            None if self.kind.versions.is_empty() && matches!(range.as_str(), "*" | "") => Ok((0, 0, 0)),
            None if self.kind.versions.is_empty() => {
                Err(Refusal::new(405, "MethodNotAllowedError", format!("{} is not allowed", head.method)))
            }
            None => {
                let words = format!("{range} is not supported by {} {}", head.method, head.path());
                Err(Refusal::new(400, "InvalidVersion", words))
            }
        }
    }
}

/// Whether a version is in a range: `*`, `~2`, `2.0.0`, `~1.0`.
fn fits(range: &str, version: (u16, u16, u16)) -> bool {
    let range = range.trim();
    if matches!(range, "*" | "") {
        return true;
    }
    let numbers: Option<Vec<u16>> =
        range.trim_start_matches(['~', '^', '=']).split('.').map(|n| n.parse().ok()).collect();
    let Some(numbers) = numbers else { return false };
    let have = [version.0, version.1, version.2];
    // A tilde leaves the last number that is given open, unless it is the only one.
    let exact = if range.starts_with('~') { numbers.len().min(2) } else { numbers.len() };
    numbers.len() <= 3 && numbers.iter().zip(have).take(exact).all(|(wanted, is)| *wanted == is)
}

fn version_text((major, minor, patch): (u16, u16, u16)) -> String {
    format!("{major}.{minor}.{patch}")
}

fn check_accept(head: &Head) -> Result<(), Refusal> {
    let accept = head.get("accept").unwrap_or_default();
    let fits = |range: &str| {
        let range = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(range.as_str(), "" | "*/*" | "application/*" | "application/json")
    };
    if accept.split(',').any(fits) {
        return Ok(());
    }
    Err(Refusal::new(406, "NotAcceptableError", "Server accepts: application/json"))
}

/// The body: JSON or a form; of another type it is not looked at.
fn read_body(request: &Request) -> Result<Value, Refusal> {
    if matches!(request.head.method.as_str(), "GET" | "HEAD") || request.body.is_empty() {
        return Ok(Value::Null);
    }
    if request.too_long {
        let words = format!("Request body size exceeds {MAX_BODY}");
        return Err(Refusal::new(413, "RequestEntityTooLarge", words));
    }
    if let Some(said) = request.head.get("content-md5") {
        let is = content_md5(&request.body);
        if said != is {
            return Err(Refusal::new(400, "BadDigest", format!("Content-MD5 '{said}' didn't match '{is}'")));
        }
    }
    let header = request.head.get("content-type").unwrap_or_default();
    match header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => serde_json::from_slice(&request.body).map_err(|error| {
            let why = js::not_json(&String::from_utf8_lossy(&request.body), &error);
            Refusal::new(400, "InvalidContent", format!("Invalid JSON: {why}"))
        }),
        "application/x-www-form-urlencoded" => Ok(Value::Object(params::form(&String::from_utf8_lossy(&request.body)))),
        _ => Ok(Value::Null),
    }
}

/// Who asks, as the jobs of the request show it.
fn caller(head: &Head) -> Value {
    let context = head.get("x-context").and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let caller = context.and_then(|context| context.get("caller").cloned());
    caller.filter(Value::is_object).unwrap_or_else(|| json!({ "type": "operator" }))
}

/// The VM that an answer is about.
fn vm_of(reply: &Reply) -> Option<String> {
    let Body::Json(bytes) = &reply.body else { return None };
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let uuid = value.get("vm_uuid").or_else(|| value.get("uuid"))?;
    uuid.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_in_a_range_as_npm_has_them() {
        for (range, version, is_in) in [
            ("*", (2, 0, 0), true),
            ("~2", (2, 3, 0), true),
            ("~1", (2, 0, 0), false),
            ("2.0.0", (2, 0, 0), true),
            ("~9", (2, 0, 0), false),
            ("~1.0", (1, 0, 4), true),
            ("1.0", (1, 1, 0), false),
            ("x", (1, 0, 0), false),
        ] {
            assert_eq!(fits(range, version), is_in, "{range}");
        }
    }
}
