//! Signatures in the query string: URLs that are signed beforehand and good until they expire.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::auth::Presented;
use super::identity::{Who, identify as identify_presented};
use super::version::Version;
use crate::emulator::datacenter::state::State;
use crate::emulator::datacenter::verify::Algorithm;
use crate::emulator::http::head::Request;
use crate::emulator::http::params;
use crate::emulator::http::reply::Refusal;

/// All but RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Who signed the URL, if anyone did.
pub(crate) fn identify(state: &State, request: &Request, version: Version, now: i64) -> Result<Who, Refusal> {
    let query = params::form(request.head.query());
    let get = |name: &str| query.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let names = ["algorithm", "expires", "keyId", "signature"];
    if names.iter().all(|name| get(name).is_none()) {
        let words = "You must make authenticated requests to use CloudAPI";
        return Err(Refusal::new(401, "InvalidCredentials", words));
    }
    let [Some(algorithm), Some(expires), Some(key_id), Some(signature)] = names.map(get) else {
        return Err(Refusal::without_code("The signed URL is incomplete"));
    };
    let expires: i64 = expires.parse().map_err(|_| Refusal::without_code("The signed URL has no good expiry"))?;
    if expires.saturating_mul(1000) < now {
        return Err(Refusal::without_code("The signed URL has expired"));
    }
    let algorithm =
        Algorithm::named(algorithm).ok_or_else(|| Refusal::without_code("The signed URL's algorithm is unknown"))?;
    let own = request.head.method.as_str();
    let mut methods: Vec<&str> = get("method").unwrap_or(own).split(',').collect();
    if !methods.contains(&own) {
        return Err(Refusal::without_code("The signed URL is for another method"));
    }
    methods.sort_unstable();

    let mut pairs: Vec<(&String, &str)> = query
        .iter()
        .filter(|(name, _)| *name != "signature")
        .flat_map(|(name, value)| match value {
            Value::Array(list) => list.iter().filter_map(Value::as_str).map(|text| (name, text)).collect(),
            value => vec![(name, value.as_str().unwrap_or_default())],
        })
        .collect();
    // By letters first, as people sort: `expires` before `keyId`, and case only to break a tie.
    pairs.sort_by_key(|(name, _)| (name.to_lowercase(), name.chars().map(char::is_uppercase).collect::<Vec<_>>()));
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let host = request.head.get("host").unwrap_or_default();
    let covered = format!("{}\n{host}\n{}\n{}", methods.join(","), request.head.path(), pairs.join("&"));
    let signature = STANDARD.decode(signature).unwrap_or_default();
    let presented = Presented { key_id: key_id.to_owned(), algorithm, covered: covered.into_bytes(), signature };
    identify_presented(state, &presented, version)
}
