//! From a request that was read to an answer: the real server's chain of checks, in its order.

use std::borrow::Cow;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::auth;
use super::call::{self, Call, Route, Verb};
use super::identity;
use super::rbac;
use super::role_tags;
use super::routes::ROUTES;
use super::throttle::Throttle;
use super::version::{self, Version};
use crate::emulator::datacenter::chains;
use crate::emulator::datacenter::state::{Planned, new_id};
use crate::emulator::datacenter::{DataCenter, lock};
use crate::emulator::http::head::{self, Head, Pages, Request, Response, Twist};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Body, Outcome, Refusal, Reply, content_md5};
use crate::emulator::http::service::{Limit, Service};

/// The largest body that is taken, in bytes.
pub(crate) const MAX_BODY: usize = 100_000;

/// What a route that looks at the type of the body takes; the empty one is none given.
const TYPED: &[&str] = &["", "application/json", "application/octet-stream", "multipart/form-data", "text/plain"];

/// Where those go who look for the documentation.
const DOCS: &str = "https://apidocs.example.com/cloudapi/";

/// CloudAPI over a data center.
#[derive(Debug)]
pub(crate) struct CloudApi {
    pub(crate) cloud: Arc<DataCenter>,
    frozen: auth::Frozen,
    /// Whether requests are counted and refused.
    throttled: AtomicBool,
    throttle: Mutex<Throttle>,
}

impl CloudApi {
    /// One over this data center, that refuses too many requests or not.
    pub(crate) fn new(cloud: Arc<DataCenter>, throttled: bool) -> CloudApi {
        let (frozen, throttled) = (auth::Frozen::new(), AtomicBool::new(throttled));
        CloudApi { cloud, frozen, throttled, throttle: Mutex::default() }
    }

    /// Counts a request, if requests are counted at all.
    fn count(&self, who: &str, group: &'static str) -> Result<(), Refusal> {
        match self.throttled.load(Ordering::Relaxed) {
            true => lock(&self.throttle).take(who, group, self.cloud.clock.wall()),
            false => Ok(()),
        }
    }
}

impl Service for CloudApi {
    fn answer(&self, request: &Request) -> Response {
        let mut response =
            Response { reply: Reply::empty(200), signed_by: None, mute: false, early: false, methods: Vec::new() };
        response.reply = match outcome(self, request, &mut response) {
            Ok(reply) => reply,
            Err(refusal) => {
                response.early = refusal.early;
                response.mute = refusal.mute;
                // Of an error in plain text there are the words alone.
                let words = refusal.body.get("message").and_then(Value::as_str).map(|words| words.as_bytes().to_vec());
                let mut reply = refusal.into_reply();
                if let Some(words) = words.filter(|_| request.head.wants_text()) {
                    reply.body = Body::Text(words);
                }
                reply
            }
        };
        response
    }

    fn headers(&self, head: &Head, response: &Response, took_ms: u128) -> Vec<(String, String)> {
        headers(&head::date(self.cloud.clock.wall()), head, response, took_ms)
    }

    fn name(&self) -> &'static str {
        "cloudapi"
    }

    fn below_account<'a>(&self, path: &'a str) -> &'a str {
        let path = path.trim_start_matches('/');
        path.find('/').and_then(|at| path.get(at..)).unwrap_or_default()
    }

    fn routes(&self) -> Vec<(&'static str, &'static str)> {
        super::routes::routes()
            .map(|route| (route.method.as_str(), route.path.strip_prefix("/:login").unwrap_or(route.path)))
            .collect()
    }

    fn steps(&self) -> Vec<&'static str> {
        chains::steps()
    }

    fn largest_body(&self) -> usize {
        MAX_BODY
    }

    fn limit(&self, limit: Limit) {
        *lock(&self.throttle) = match limit {
            Limit::Off | Limit::Usual => Throttle::default(),
            Limit::Rate(rate) => Throttle::of(rate),
        };
        self.throttled.store(limit != Limit::Off, Ordering::Relaxed);
    }
}

fn outcome(api: &CloudApi, request: &Request, response: &mut Response) -> Outcome {
    let cloud = &*api.cloud;
    let head = &request.head;
    if head.method == "GET" && documentation(head.path()) {
        return Ok(Reply::empty(302).header("Location", DOCS));
    }
    let found = call::find(ROUTES, head)?;
    response.methods.clone_from(&found.methods);
    let Some(first) = found.routes.first().copied() else { return Err(Refusal::not_found(&head.target).early()) };
    let content_type = content_type(head);
    let version = agree(head, first)?;
    if first.typed && !TYPED.contains(&content_type.as_str()) {
        return Err(Refusal::new(415, "UnsupportedMediaTypeError", content_type).early());
    }
    check_accept(head)?;
    let wall = cloud.clock.wall();
    let presented = auth::presented(head, wall, &api.frozen)?;
    if presented.is_none() {
        auth::check_unsigned_date(head, wall)?;
    }

    let body = read_body(request, &content_type)?;
    let mut given = params::form(head.query());
    given.extend(body);
    let mut merged = found.path;
    merged.extend(given.clone());

    let route = choose(&found.routes, &merged)?;
    let mut state = cloud.lock_state();
    let now = cloud.clock.now();
    let mut changed = state.catch_up(now);
    let asks_for_change = !matches!(route.method, Verb::Get | Verb::Head);
    let result = (|| {
        let (account, caller, bucket, active) = if route.signed {
            let who = match &presented {
                Some(presented) => {
                    let who = identity::identify(&state, presented, version)?;
                    identity::check_token(head)?;
                    who
                }
                None => super::presigned::identify(&state, request, version, wall)?,
            };
            response.signed_by = Some(who.key_id.clone());
            let named = merged.get("account").and_then(Value::as_str).unwrap_or("my");
            let asking = rbac::Asking { head, route, params: &merged, ip: &request.ip, wall };
            let account = rbac::target(&state, &who, named, &asking)?;
            let active = rbac::allow(&state, &who, &account, &asking)?;
            (account, who.caller(&request.ip), who.account, active)
        } else {
            (String::new(), Value::Null, String::new(), Vec::new())
        };
        api.count(&bucket, route.group)?;
        let Twist { fail, says, silent, vanish, pages } = request.twist.clone();
        let fails = Planned::of(fail.as_deref(), says);
        if let Some(pages) = pages {
            shift(pages, &mut merged);
        }
        let before = silent.then(|| state.clone());
        let machine = merged.get("machine").and_then(params::text);
        let mut call = Call {
            routes: ROUTES,
            cloud: &api.cloud,
            state: &mut state,
            head,
            now,
            account,
            params: merged,
            given,
            version,
            caller,
            fails,
        };
        let mut reply = (route.handler)(&mut call)?;
        role_tags::after(&mut call, &active, &mut reply);
        if let Some(before) = before {
            *state = before;
        }
        if let Some(machine) = made(&reply).or(machine).filter(|_| vanish) {
            state.vms.forget(&machine);
        }
        changed |= asks_for_change;
        Ok(reply)
    })();
    if changed {
        // What time alone has changed comes again with it.
        let kept = cloud.changed(&mut state, now);
        if asks_for_change && result.is_ok() {
            kept.map_err(|words| Refusal::new(500, "InternalError", words))?;
        }
    }
    result
}

/// Moves the offset of a page that is not the first.
fn shift(pages: Pages, params: &mut params::Params) {
    let number = |name: &str| params.get(name).and_then(params::text).and_then(|text| text.parse::<i64>().ok());
    let Some(offset) = number("offset").filter(|offset| *offset > 0) else { return };
    let by = match pages {
        Pages::Twice => -number("limit").unwrap_or(1000),
        Pages::Shifted(rows) => rows,
    };
    params.insert("offset".to_owned(), offset.saturating_add(by).max(0).to_string().into());
}

/// The id of what an answer shows.
fn made(reply: &Reply) -> Option<String> {
    let Body::Json(bytes) = &reply.body else { return None };
    serde_json::from_slice::<Value>(bytes).ok()?.get("id")?.as_str().map(str::to_owned)
}

/// Paths that lead to the documentation, whoever asks.
fn documentation(path: &str) -> bool {
    matches!(path, "/" | "/docs" | "/favicon.ico") || path.starts_with("/docs/")
}

fn content_type(head: &Head) -> String {
    let header = head.get("content-type").unwrap_or_default();
    header.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// The version that client and server agree upon.
fn agree(head: &Head, route: &Route) -> Result<Version, Refusal> {
    let range = head.get("accept-version").or_else(|| head.get("x-api-version")).unwrap_or_default();
    match version::choose(range.trim(), route.versions) {
        Some(version) => Ok(version),
        None if route.typed => Ok(route.versions.last().copied().unwrap_or(Version(9, 0, 0))),
        None => {
            let words = format!("{range} is not supported by {} {}", head.method, head.path());
            Err(Refusal::new(400, "InvalidVersion", words).early())
        }
    }
}

fn check_accept(head: &Head) -> Result<(), Refusal> {
    let accept = head.get("accept").unwrap_or_default();
    let fits = |range: &str| {
        let range = range.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
        matches!(range.as_str(), "" | "*/*" | "application/*" | "application/json" | "text/*" | "text/plain")
    };
    if accept.split(',').any(fits) {
        return Ok(());
    }
    Err(Refusal::new(406, "NotAcceptableError", "Server accepts: application/json,text/plain").early())
}

fn read_body(request: &Request, content_type: &str) -> Result<params::Params, Refusal> {
    if matches!(request.head.method.as_str(), "GET" | "HEAD") {
        return Ok(params::Params::new());
    }
    if request.too_long {
        return Err(too_large());
    }
    let body = unpacked(request)?;
    if let Some(said) = request.head.get("content-md5") {
        let is = content_md5(&body);
        if said != is && !body.is_empty() {
            return Err(Refusal::new(400, "BadDigest", format!("Content-MD5 '{said}' didn't match '{is}'")));
        }
    }
    params::body(content_type, &body)
}

/// The body as it was before it was compressed, if it was.
fn unpacked(request: &Request) -> Result<Cow<'_, [u8]>, Refusal> {
    if request.head.get("content-encoding").as_deref() != Some("gzip") || request.body.is_empty() {
        return Ok(Cow::Borrowed(&request.body));
    }
    let mut body = Vec::new();
    let most = u64::try_from(MAX_BODY).unwrap_or(u64::MAX).saturating_add(1);
    let read = GzDecoder::new(request.body.as_slice()).take(most).read_to_end(&mut body);
    read.map_err(|error| Refusal::new(400, "InvalidContent", format!("Invalid gzip: {error}")))?;
    if body.len() > MAX_BODY {
        return Err(too_large());
    }
    Ok(Cow::Owned(body))
}

fn too_large() -> Refusal {
    Refusal::new(413, "PayloadTooLargeError", format!("Request body size exceeds {MAX_BODY}"))
}

/// Routes of one path are told apart by the parameter `action`.
fn choose(routes: &[&'static Route], params: &params::Params) -> Result<&'static Route, Refusal> {
    let action = params.get("action").and_then(params::text).unwrap_or_default();
    if let Some(route) = routes.iter().find(|route| route.action == Some(action.as_str())) {
        return Ok(route);
    }
    if let Some(route) = routes.iter().find(|route| route.action.is_none()) {
        return Ok(route);
    }
    // The server's code for each kind of thing has words of its own.
    let path = routes.first().map_or("", |route| route.path);
    Err(match (path.contains("/images"), path.ends_with("/migrate"), action.is_empty()) {
        (true, _, true) => Refusal::missing("action"),
        (true, _, false) => Refusal::invalid(format!("action {action} is not a valid argument")),
        (_, true, true) => Refusal::lacking("\"action\" must be specified"),
        (_, true, false) => Refusal::invalid(format!("{action} is not a valid migration action")),
        (_, _, true) => Refusal::lacking("action is required"),
        (_, _, false) => Refusal::invalid(format!("{action} is not a valid action")),
    })
}

/// The headers that go with an answer, in order.
fn headers(date: &str, head: &Head, response: &Response, took_ms: u128) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut put = |name: &str, value: String| headers.push((name.to_owned(), value));
    let kind = match response.reply.body.content_type() {
        "application/json" if head.wants_text() => "text/plain",
        kind => kind,
    };
    if !kind.is_empty() {
        put("Content-Type", kind.to_owned());
    }
    if !kind.is_empty() && !matches!(response.reply.body, Body::Lines(_)) {
        put("Content-MD5", content_md5(response.reply.body.bytes()));
    }
    put("Date", date.to_owned());
    let says = |word: &str| head.get("connection").is_some_and(|said| said.to_ascii_lowercase().contains(word));
    if !says("close") && !says("upgrade") {
        put("Connection", "Keep-Alive".to_owned());
    }
    if !response.early {
        let id = head.get("request-id").or_else(|| head.get("x-request-id")).unwrap_or_else(new_id);
        put("Server", "cloudapi/9.20.0".to_owned());
        // The newest one, whatever was agreed upon.
        put("Api-Version", "9.0.0".to_owned());
        put("Request-Id", id);
        put("Response-Time", took_ms.to_string());
        put("Access-Control-Allow-Origin", "*".to_owned());
        let names =
            "Accept, Accept-Version, Content-Length, Content-MD5, Content-Type, Date, Api-Version, Response-Time";
        put("Access-Control-Allow-Headers", names.to_owned());
        put("Access-Control-Allow-Methods", response.methods.join(", "));
        put("Access-Control-Expose-Headers", "Api-Version, Request-Id, Response-Time".to_owned());
    }
    for (name, value) in &response.reply.headers {
        put(name, value.clone());
    }
    headers
}
