//! Doors to the emulator's readers for the targets in `fuzz/`, built with `--cfg fuzzing` alone. It must not read
//! or decide anything by itself.

use std::fmt;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use super::cloudapi::auth::{Frozen, check_unsigned_date, presented};
use super::cloudapi::{policy_language, predicate, triton_tags, version};
use super::datacenter::state::Key;
use super::datacenter::verify;
use super::datacenter::{affinity, fwrule};
use super::document::{self, Document};
use super::http::head::Head;
use super::http::params;
use super::wire::fault;

/// What an `Authorization` header presents.
#[derive(Debug, PartialEq, Eq)]
pub struct Presented {
    /// `keyId`
    pub key_id: String,
    /// The algorithm, as it is called within.
    pub algorithm: String,
    /// The bytes that the signature should cover.
    pub covered: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Reads the headers of a request as a signature: `Ok(None)` for none, the words of the refusal otherwise.
pub fn authorization(
    method: &str,
    target: &str,
    headers: &[(&str, &[u8])],
    now: i64,
) -> Result<Option<Presented>, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    let head = Head { method: method.to_owned(), target: target.to_owned(), headers: map };
    let _ = check_unsigned_date(&head, now);
    let read = presented(&head, now, &Frozen::new()).map_err(|refusal| format!("{refusal:?}"))?;
    Ok(read.map(|read| Presented {
        key_id: read.key_id,
        algorithm: format!("{:?}", read.algorithm),
        covered: read.covered,
        signature: read.signature,
    }))
}

/// Whether a signature is good; `None` for an algorithm that is not known.
pub fn good(key: &str, algorithm: &str, covered: &[u8], signature: &[u8]) -> Option<bool> {
    Some(verify::good(key, verify::Algorithm::named(algorithm)?, covered, signature))
}

/// The fingerprint of the key in an OpenSSH line.
pub fn fingerprint(line: &str) -> Option<String> {
    Some(verify::read_key(line)?.fingerprint)
}

/// A firewall rule in its normal form, or what is wrong with it.
pub fn fwrule(text: &str) -> Result<String, String> {
    fwrule::parse(text).map(|rule| rule.to_string())
}

/// Whether this is a rule of affinity.
pub fn is_affinity(text: &str) -> bool {
    affinity::Rule::read(text).is_ok()
}

/// Reads a sentence of a policy, and asks it; `None` when it is none.
pub fn policy(text: &str, action: &str, path: &str) -> Option<bool> {
    let attribute = |_: &str| Some(policy_language::Fact::Text(action.to_owned()));
    Some(policy_language::Rule::read(text).ok()?.allows(&policy_language::Question {
        action,
        path,
        attribute: &attribute,
    }))
}

/// Reads a predicate over volumes, and asks it of an object; `None` when it is none.
pub fn predicate(text: &str, object: &Value) -> Option<bool> {
    let value = serde_json::from_str(text).ok()?;
    let predicate = predicate::read(&value, &[("name", "string"), ("size", "number")]).ok()?;
    Some(predicate.fits(object.as_object()?))
}

/// Whether a pattern is found in a text; `None` when it is none.
pub fn pattern(pattern: &str, text: &str) -> Option<bool> {
    Some(super::text::regex(pattern, false).ok()?.is_match(text))
}

/// Reads a document of data for a new emulator: how many machines it holds, or what is wrong with it.
pub fn document(text: &str) -> Result<usize, String> {
    let own = Key::default();
    let state = document::state(&Document::json(text).into(), 0, &own).map_err(|error| error.to_string())?;
    Ok(state.vms.len())
}

/// Whether a tag of the service may have this value.
pub fn is_tag(name: &str, value: &str) -> bool {
    triton_tags::check(name, value).is_ok()
}

/// Reads a text as everything else that the emulator takes: a form, a glob, a range of versions, a fault.
pub fn rest(text: &str, other: &str) -> impl fmt::Debug {
    let form = params::form(text);
    let body = params::body("application/json", text.as_bytes()).is_ok();
    let fault = text.parse::<fault::Fault>().is_ok();
    (form, body, fault, params::glob(text, other), version::choose(text, version::ALL).is_some())
}
