//! Whose answer it is: the service's own, or that of a balancer, a proxy or a login page in front of it. Everything
//! that a status means rests on this one judgement.

use percent_encoding::percent_decode_str;
use reqwest::header::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::Response;
use crate::answer::scan;
use crate::api::{Ids, Service};

/// Whether an answer with these headers is that of a server that names itself, and is not the service: of one whose body
/// is still to come.
pub(crate) fn is_of_another(service: &Service, headers: &HeaderMap) -> bool {
    headers.contains_key("server") && !has_headers_of(service, headers)
}

fn has_headers_of(service: &Service, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if service.server.is_empty() {
        return text("server").is_none_or(|name| is_named(service, name));
    }
    let version = text("api-version").is_some_and(|version| service.has_version(version));
    let server = text("server").and_then(|name| name.strip_prefix(service.server));
    version || server.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether an internal service calls itself so: by its own name, or by that of the library below it. Everybody else is
/// somebody else.
fn is_named(service: &Service, server: &str) -> bool {
    let (server, own) = (server.to_ascii_lowercase(), service.name.to_ascii_lowercase());
    let mut words = server.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.any(|word| word.starts_with(&own) || word == "restify")
}

impl Response {
    /// Whether the service itself answered.
    ///
    /// Its refusals are JSON with a `code`; a few come without one, and are then known by its headers. What says that
    /// something is gone, or that somebody may not, has to show more than a refusal that sends nobody astray.
    pub fn is_own(&self) -> bool {
        if self.is_page() {
            return false;
        }
        let marked = self.is_own_by_headers();
        let body = self.body.trim_ascii();
        if body.is_empty() {
            // A HEAD has no body, nor has what is merely accepted.
            return marked && (self.is_success() || self.shows_itself());
        }
        // Its routes that do not exist, and versions that it does not know, it refuses without any header of its own.
        if self.is_anothers() && self.status != 405 && self.status < 500 {
            return false;
        }
        // Of a success it counts alone that it is JSON, however much there is of it.
        if self.is_success() {
            return serde_json::from_slice::<IgnoredAny>(body).is_ok() || marked && body.starts_with(b"{");
        }
        // The record of a deleted thing may be longer than what is read of it.
        if body.starts_with(b"{") && !body.ends_with(b"}") {
            return marked;
        }
        // Two codes are none.
        if scan::repeated(&String::from_utf8_lossy(body)).is_some() {
            return false;
        }
        let value = self.value();
        // What is no JSON at all, or more than that.
        if serde_json::from_slice::<IgnoredAny>(body).is_err() {
            return false;
        }
        match self.status {
            404 if self.is_unknown_route(&value) => false,
            // Its code says that somebody may not, and nothing of what is there.
            404 if is_one(&value["code"], self.service.denied) => false,
            // Any server may say that it has no such thing, and only the services of the data center say it so.
            404 if self.service.is_inner() => self.is_code(&value["code"]),
            300..=399 | 401 | 403 | 404 => marked && value.is_object() || self.is_code(&value["code"]),
            // It comes with the record that was asked for, and no other, which says the same.
            410 => match self.keys().find_map(|key| value[key].as_str()) {
                Some(id) => {
                    let begin = if self.service.account_in_path { 2 } else { 1 };
                    let asked = self.path.split('/').skip(begin).any(|part| part.eq_ignore_ascii_case(id));
                    asked && value["state"].as_str().is_some_and(|state| PAST.contains(&state))
                }
                None => marked && value.is_object() && !self.service.is_inner() || self.is_code(&value["code"]),
            },
            400..=499 => marked || value["code"].is_string(),
            _ => true,
        }
    }

    /// The body as values, as far as it is JSON.
    pub(super) fn value(&self) -> Value {
        scan::value(String::from_utf8_lossy(&self.body).trim())
    }

    /// The fields with UUIDs by which the service's resources are told apart.
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.service.nouns.iter().filter(|noun| noun.ids == Ids::Uuid).map(|noun| noun.key)
    }

    /// Whether another server than the service names itself, and nothing shows that the service answered behind it: all
    /// of its successes have its headers, and most of its refusals.
    pub(super) fn is_anothers(&self) -> bool {
        self.header("server").is_some() && !self.is_own_by_headers()
    }

    /// Whether a 404 is about the route and not about what it leads to: the library below CloudAPI, and below other
    /// services, words it so.
    fn is_unknown_route(&self, body: &Value) -> bool {
        let message = body["message"].as_str().unwrap_or_default();
        message.strip_suffix(" does not exist").is_some_and(|path| path.starts_with('/'))
    }

    /// Whether an internal service says in its own form that it has no such route: then nothing was done. A page says
    /// nothing of the kind, nor who speaks of another path than was asked for.
    pub(crate) fn is_unknown_path(&self) -> bool {
        if self.status != 404 || !self.service.is_inner() || self.is_page() || self.is_anothers() {
            return false;
        }
        let body = self.value();
        let path = body["message"].as_str().and_then(|words| words.strip_suffix(" does not exist"));
        body["code"] == "ResourceNotFound" && path == Some(self.path.split('?').next().unwrap_or_default())
    }

    /// Whether it has the headers of the service.
    pub fn is_own_by_headers(&self) -> bool {
        !(self.service.is_inner() && self.is_page()) && has_headers_of(self.service, &self.headers)
    }

    /// Whether something in its headers is the service's, or that of the library below it. Anybody leaves out who he is.
    fn shows_itself(&self) -> bool {
        let marked = MARKS.iter().chain(&["server"]).any(|name| self.headers.contains_key(*name));
        marked || !self.service.is_inner()
    }

    /// Whether the service says by this code what the status says: that something is missing, or that it is elsewhere
    /// or not allowed.
    fn is_code(&self, code: &Value) -> bool {
        is_one(code, if matches!(self.status, 404 | 410) { self.service.missing } else { self.service.denied })
    }

    /// Whether a success is none: it has a refusal in its body, or another than the service calls an empty one a page.
    pub(super) fn is_odd_success(&self) -> bool {
        let html = self.header("content-type").is_some_and(|kind| kind.trim_start().starts_with("text/html"));
        let own = self.is_own_by_headers();
        // A refusal is short: what is long is not decoded as a whole for it.
        let body = self.body.trim_ascii();
        let short = body.first() == Some(&b'{') && body.len() <= super::FAILURE_LIMIT;
        let body = short.then(|| self.value());
        let refusal = body.as_ref().and_then(Value::as_object).is_some_and(|object| {
            let text = |name: &str| object.get(name).is_some_and(Value::is_string);
            let names = ["error", "errors", "Error", "err", "fault"];
            let says = text("code") && text("message") && object.len() <= 3;
            // The record of a resource or a migration that has failed tells its error too.
            says || !own
                && !self.keys().any(text)
                && !text("machine")
                && names.iter().any(|name| object.contains_key(*name))
        });
        !own && html || refusal
    }

    /// Whether the service says that the resource is not there, or not any longer.
    pub fn is_gone(&self) -> bool {
        matches!(self.status, 404 | 410) && self.is_own() && self.unknown_account().is_none()
    }

    /// The account in the path, where a 404 says that it is the account that nobody knows, and not what it may have.
    pub(super) fn unknown_account(&self) -> Option<String> {
        if self.status != 404 || !self.service.account_in_path {
            return None;
        }
        let mut parts = self.path.split('/').skip(1);
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (account, mut others) = (decoded(parts.next()?), parts.map(decoded).peekable());
        // Of a key that is called as its account is, and of the account itself, it says the same.
        let of_others = others.peek().is_none() || others.any(|part| part == account);
        let body = self.value();
        let named = body["message"].as_str().and_then(|message| message.strip_suffix(" does not exist"));
        (!of_others && named == Some(account.as_str())).then_some(account)
    }

    /// Whether the request was turned away before anything was done about it. A proxy says 503 of its own time-outs
    /// too, behind which the request may have been carried out; the service marks its refusals with a request id.
    pub(crate) fn is_turned_away(&self) -> bool {
        if !matches!(self.status, 429 | 503) || self.is_page() {
            return false;
        }
        // That of a balancer may come after the request was handed on.
        let signed = self.header("request-id").is_some() || self.service.is_inner();
        self.is_own_by_headers() && self.shows_itself() || signed && !self.is_anothers() && self.says_later()
    }

    /// Whether the service refuses for a moment only, as its own words say. What it finds wrong with the request it
    /// finds wrong again, whatever words are in that.
    pub(crate) fn passes(&self) -> bool {
        if self.is_success() || self.service.passing.is_empty() || self.status == 412 {
            return false;
        }
        if self.is_anothers() || !self.is_own() {
            return false;
        }
        let body = self.value();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_lowercase();
        let (code, message) = (text("code"), text("message"));
        let wrong = body["errors"].as_array().is_some_and(|errors| !errors.is_empty()) || code == "validationfailed";
        !wrong && self.service.passing.iter().any(|words| code.starts_with(words) || message.contains(words))
    }

    /// Whether nobody can tell from this refusal what the service did about the request: it was replaced on its way
    /// back, or never came from there.
    pub(crate) fn is_replaced(&self) -> bool {
        let refused = self.is_success() || self.is_turned_away() || self.is_unknown_path();
        !refused && (matches!(self.status, 429 | 502..=504) || !self.is_own())
    }

    /// Whether its code is one by which a service, of now or of earlier versions, asks to come back later.
    fn says_later(&self) -> bool {
        let body = self.value();
        let code = body.get("code").and_then(Value::as_str);
        // `ServiceUnavailable` alone is the proxy before it, which says so of its time-outs too.
        let later = ["TooManyRequestsError", "RequestThrottled", "RequestThrottledError", "ServiceUnavailableError"];
        code.is_some_and(|code| later.contains(&code))
    }

    /// Whether its headers call it a web page, of which a HEAD shows no more.
    pub(crate) fn is_called_html(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
    }

    /// Whether the body is a page for a browser.
    pub(crate) fn is_page(&self) -> bool {
        self.is_called_html() && !self.body.trim_ascii().is_empty()
            || self.body.trim_ascii_start().first() == Some(&b'<')
    }
}

/// Headers that the library below the internal services gives their answers, where none names its server.
const MARKS: &[&str] = &["x-server-name", "x-response-time", "response-time", "api-version"];

/// What the record of something that is gone calls its state.
const PAST: &[&str] = &["deleted", "destroyed", "failed"];

/// Whether a code is one of these, with or without the ending that the service gives most of its codes.
fn is_one(code: &Value, known: &[&str]) -> bool {
    code.as_str().is_some_and(|code| known.contains(&code.trim_end_matches("Error")))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Response {
            status,
            headers,
            body: body.as_bytes().to_vec(),
            sent: String::new(),
            path: "/acme/machines/b6979942".to_owned(),
            service: &crate::api::CLOUDAPI,
        }
    }

    #[test]
    fn only_cloudapi_says_that_something_is_gone() {
        let gone = |status, headers: &[_], body| response(status, headers, body).is_gone();
        for (status, headers, body) in [
            (404, &[][..], r#"{"code":"ResourceNotFound","message":"x"}"#),
            (404, &[], r#"{"code":"VolumeNotFound"}"#),
            (410, &[], r#"{"id":"b6979942","state":"deleted"}"#),
            (410, &[], r#"{"code":"ResourceNotFound","message":"x"}"#),
            (404, &[("api-version", "9.0.0")], ""),
            (404, &[("api-version", "9.0.0"), ("server", "nginx")], r#"{"code":"ResourceNotFound"}"#),
            (404, &[("server", "cloudapi/9.20.0")], r#"{"message":"x"}"#),
            // Its record was cut off.
            (410, &[("api-version", "9.0.0")], r#"{"id":"b6979942","#),
        ] {
            assert!(gone(status, headers, body), "{status} {body}");
        }
        for (status, headers, body) in [
            (410, &[][..], r#"{"id":"ffffffff","state":"deleted"}"#),
            (410, &[("api-version", "9.0.0")], r#"{"id":"ffffffff","state":"running"}"#),
            (404, &[][..], "<html>Not Found</html>"),
            (404, &[], ""),
            (404, &[("api-version", "9.0.0")], r#"{"code":"NotAuthorized","message":"x"}"#),
            (404, &[], "{}"),
            (404, &[], "null"),
            (404, &[], "[]"),
            (404, &[], "404 page not found"),
            (404, &[], "default backend - 404"),
            (404, &[], r#"{"message":"no Route matched with those values"}"#),
            (404, &[], r#"{"code":404,"message":"Not Found"}"#),
            (404, &[], r#"{"code":"404","message":"Not Found"}"#),
            (404, &[], r#"{"code":"NOT_FOUND","message":"Not Found"}"#),
            (404, &[], r#"{"error":{"code":"NotFound"}}"#),
            (404, &[("x-request-id", "1")], "{}"),
            (404, &[("request-id", "1")], "{}"),
            (404, &[("content-type", "text/html"), ("api-version", "9.0.0")], "Not Found"),
            (410, &[], "<html>Gone</html>"),
            (410, &[], "{}"),
            (410, &[], r#"{"message":"Gone"}"#),
            (410, &[], r#"[{"id":"b6979942"}]"#),
            (410, &[("api-version", "9.0.0")], r#"{"id":"b6979942","state":"running"}"#),
            (404, &[], r#"{"code":"NoSuchKey","message":"The specified key does not exist."}"#),
            (404, &[], r#"{"code":"NoSuchBucket","message":"x"}"#),
            (404, &[], r#"{"code":"RouteNotFound","message":"x"}"#),
            (404, &[], r#"{"code":"NotFound","message":"x"}"#),
            (404, &[("server", "nginx")], r#"{"code":"Default","message":"x"}"#),
            (404, &[("server", "restify")], r#"{"code":"ResourceNotFound","message":"x"}"#),
            (404, &[], r#"{"code":"ResourceNotFound","message":"/acme/machines/b6979942 does not exist"}"#),
            (404, &[], r#"{"code":"Forbidden","message":"x"}"#),
            (404, &[], r#"{"code":"NotAuthorized","message":"x"}"#),
            (404, &[("api-version", "9.0.0")], r#"{"code":"ResourceNotFound","message":"x"}{"a":1}"#),
            (410, &[], r#"{"id":"acme","state":"deleted"}"#),
            (410, &[], r#"{"id":"b6979942"}"#),
            (200, &[("api-version", "9.0.0")], "{}"),
        ] {
            assert!(!gone(status, headers, body), "{status} {body}");
        }
    }

    #[test]
    fn only_a_service_of_the_data_center_says_that_its_things_are_gone() {
        let inner = |status, headers: &[_], body| Response {
            service: &crate::api::admin::VMAPI,
            ..response(status, headers, body)
        };
        let own = r#"{"code":"ResourceNotFound","message":"VM not found"}"#;
        for (headers, body) in [
            (&[("server", "VMAPI"), ("x-request-id", "1")][..], own),
            (&[("server", "restify")], own),
            (&[("server", "SmartDataCenter VMAPI/9.1")], own),
            (&[("x-response-time", "3")], own),
            (&[], own),
            // Some routes say no more than the status.
            (&[("server", "VMAPI")], ""),
        ] {
            assert!(inner(404, headers, body).is_gone(), "{headers:?} {body}");
        }
        for (headers, body) in [
            (&[("server", "kong/3.4.2")][..], r#"{"message":"no Route matched with those values"}"#),
            (&[("server", "istio-envoy")], ""),
            (&[("server", "istio-envoy")], own),
            (&[("server", "cloudapi/9.20.0")], own),
            (&[("server", "CNAPI")], own),
            (&[("server", "nginx")], own),
            (&[("server", "uvicorn")], r#"{"detail":"Not Found"}"#),
            (&[], r#"{"timestamp":1,"status":404,"error":"Not Found","path":"/vms"}"#),
            (&[], r#"{"kind":"Status","code":404,"reason":"NotFound"}"#),
            (&[], ""),
            (&[("x-request-id", "1")], ""),
            (&[("server", "VMAPI")], r#"{"message":"gone"}"#),
        ] {
            for status in [404, 410] {
                assert!(!inner(status, headers, body).is_gone(), "{status} {headers:?} {body}");
            }
        }
        // What another server turns away may have been carried out behind it.
        for (headers, body) in [
            (&[("server", "istio-envoy")][..], "upstream connect error or disconnect/reset before headers"),
            (&[("server", "kong/3.4.2")], r#"{"message":"API rate limit exceeded"}"#),
            (&[("server", "cloudapi")], r#"{"code":"ServiceUnavailableError","message":"x"}"#),
            (&[], ""),
            (&[], "try later"),
        ] {
            for status in [429, 503] {
                assert!(!inner(status, headers, body).is_turned_away(), "{status} {headers:?} {body}");
                assert!(inner(status, headers, body).is_replaced(), "{status} {headers:?} {body}");
            }
        }
        assert!(inner(503, &[], r#"{"code":"ServiceUnavailableError","message":"x"}"#).is_turned_away());
        assert!(inner(503, &[("server", "VMAPI")], "").is_turned_away());
        let deadlock = r#"{"code":"InternalError","message":"deadlock detected"}"#;
        assert!(inner(500, &[("server", "VMAPI")], deadlock).passes());
        assert!(!inner(500, &[("server", "nginx")], deadlock).passes());
        // What is only accepted has no body.
        assert!(inner(204, &[], "").is_own() && !inner(204, &[("server", "kong")], "").is_own());
    }

    #[test]
    fn a_list_that_is_not_there_says_nothing_of_what_is_in_it() {
        let body = r#"{"code":"ResourceNotFound","message":"x"}"#;
        let of = |path: &str| Response { path: path.to_owned(), ..response(404, &[("api-version", "9.0.0")], body) };
        let kind = |path: &str| of(path).into_list().unwrap_err().kind();
        assert_eq!(kind("/acme/machines?name=web1"), crate::error::Kind::Unreachable);
        assert_eq!(kind("/acme/machines/b6979942/snapshots"), crate::error::Kind::NotFound);
        let inner = Response { service: &crate::api::admin::VMAPI, ..of("/vms?alias=web1") };
        assert_eq!(inner.into_list().unwrap_err().kind(), crate::error::Kind::Unreachable);
    }

    #[test]
    fn a_refusal_is_the_services_by_its_headers_or_its_code() {
        for status in [400, 409, 422] {
            assert!(response(status, &[], r#"{"code":"InvalidArgument","message":"x"}"#).is_own());
            assert!(response(status, &[("api-version", "9.0.0")], r#"{"message":"too wide"}"#).is_own());
            assert!(!response(status, &[], r#"{"message":"too wide"}"#).is_own());
            assert!(!response(status, &[("server", "nginx")], r#"{"code":"InvalidArgument","message":"x"}"#).is_own());
        }
        // Its router refuses without a header of its own, and a proxy adds its name.
        assert!(response(405, &[("server", "nginx")], r#"{"code":"MethodNotAllowedError","message":"x"}"#).is_own());
        assert!(response(500, &[], "{}").is_own());
        assert!(!response(403, &[], r#"{"message":"Forbidden"}"#).is_own());
        assert!(response(403, &[("api-version", "9.0.0")], r#"{"message":"Forbidden"}"#).is_own());
        for status in [400, 401, 403, 405, 409, 422] {
            assert!(!response(status, &[("request-id", "1")], "<html>Blocked</html>").is_own(), "{status}");
            assert!(!response(status, &[], "Access denied").is_own(), "{status}");
        }
    }

    #[test]
    fn a_refusal_passes_by_its_own_words_only() {
        let inner = |status, body: &str| {
            Response { service: &crate::api::admin::VMAPI, ..response(status, &[], body) }.passes()
        };
        for (status, body) in [
            (500, r#"{"code":"InternalError","message":"deadlock detected"}"#),
            (409, r#"{"code":"EtagConflictError","message":"x"}"#),
            (500, r#"{"message":"Initial network data not loaded"}"#),
        ] {
            assert!(inner(status, body), "{status} {body}");
        }
        for (status, body) in [
            (412, r#"{"code":"PreconditionFailed","message":"etag conflict"}"#),
            (409, r#"{"code":"ValidationFailed","message":"deadlock detected"}"#),
            (422, r#"{"code":"InvalidParameters","message":"etag conflict","errors":[{"field":"a"}]}"#),
            (500, r#"{"code":"InternalError","message":"oops"}"#),
            (200, r#"{"message":"deadlock detected"}"#),
        ] {
            assert!(!inner(status, body), "{status} {body}");
        }
        assert!(!response(500, &[], r#"{"code":"InternalError","message":"deadlock detected"}"#).passes());
    }

    #[test]
    fn only_cloudapi_asks_to_come_back_later() {
        const LATER: &str = r#"{"code":"ServiceUnavailableError","message":"read-only"}"#;
        const MANY: &str = r#"{"code":"TooManyRequestsError","message":"slow down"}"#;
        let own = ("api-version", "9.0.0");
        for (status, headers, body) in [
            (503, &[own][..], "{}"),
            (429, &[own], ""),
            (503, &[own, ("server", "nginx")], LATER),
            (503, &[("request-id", "1")], LATER),
            (429, &[("request-id", "1")], MANY),
        ] {
            assert!(response(status, headers, body).is_turned_away(), "{status} {body}");
        }
        for (status, headers, body) in [
            (503, &[("request-id", "1")][..], "<html>"),
            (503, &[own, ("content-type", "text/html")], "Sorry"),
            (503, &[("request-id", "1")], "{}"),
            (503, &[("request-id", "1")], r#"{"code":"ServiceUnavailable","message":"x"}"#),
            (503, &[("request-id", "1"), ("server", "nginx")], LATER),
            (503, &[], LATER),
            (429, &[], MANY),
            (429, &[("request-id", "1")], "{}"),
            (500, &[own], LATER),
        ] {
            assert!(!response(status, headers, body).is_turned_away(), "{status} {body}");
        }
        for status in [302, 404, 500, 502, 503, 504, 520, 524] {
            assert!(response(status, &[], "<html>").is_replaced(), "{status}");
        }
        assert!(!response(409, &[], r#"{"code":"InvalidArgument","message":"x"}"#).is_replaced());
        assert!(response(409, &[("server", "nginx")], r#"{"code":"InvalidArgument"}"#).is_replaced());
    }
}
