//! Reads the parameters of NAPI's requests. All mistakes are told at once, in the order of the fields; but where something
//! is missing, only that is told.

use std::net::Ipv4Addr;

use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::super::call::{Call, is_lower_uuid};
use crate::emulator::datacenter::denied::Denied;
use crate::emulator::http::params::{self, Params};
use crate::emulator::http::reply::{Outcome, Refusal, Reply};

/// No page is longer, and no text is.
const MAX_PAGE: usize = 1000;
const MAX_TEXT: usize = 64;

/// 422 `InvalidParameters`, with these entries.
fn refusal(words: &str, errors: Vec<Value>) -> Refusal {
    with_errors(Refusal::new(422, "InvalidParameters", words), errors)
}

/// A refusal with these entries.
pub(super) fn with_errors(mut refusal: Refusal, errors: Vec<Value>) -> Refusal {
    if let Some(body) = refusal.body.as_object_mut() {
        body.insert("errors".to_owned(), errors.into());
    }
    refusal
}

/// 422 `InvalidParameters` about one field.
pub(super) fn wrong(field: &str, message: &str) -> Refusal {
    refusal("Invalid parameters", vec![json!({ "field": field, "code": "InvalidParameter", "message": message })])
}

/// 422 about a value that something has already.
pub(super) fn duplicate(words: &str, field: &str) -> Refusal {
    refusal(words, vec![json!({ "field": field, "code": "Duplicate", "message": "Already exists" })])
}

/// An entry that says what uses a thing.
pub(super) fn used_by(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id, "code": "UsedBy", "message": format!("In use by {kind} \"{id}\"") })
}

/// 422 `InvalidParameters`: a field's value is in use.
pub(super) fn in_use(field: &str, kind: &str, id: &str, message: &str) -> Refusal {
    refusal(
        "Invalid parameters",
        vec![json!({ "field": field, "code": "UsedBy", "type": kind, "id": id, "message": message })],
    )
}

/// What the data center denies, on this network or pool, for this address.
pub(crate) fn denied(denied: Denied, network: &str, holder: Option<(String, String)>) -> Refusal {
    match denied {
        Denied::SubnetFull => {
            let mut refusal = Refusal::new(507, "SubnetFull", "no more free IPs");
            if let Some(body) = refusal.body.as_object_mut() {
                body.insert("network_uuid".to_owned(), network.into());
            }
            refusal
        }
        Denied::AddressUsed => {
            let (kind, id) = holder.unwrap_or_default();
            in_use("ip", &kind, &id, &format!("IP in use by {kind} \"{id}\""))
        }
        Denied::PoolFull | Denied::NoServer | Denied::Argument(_) => {
            wrong("network_uuid", &format!("All networks in pool {network} are full"))
        }
    }
}

/// Parameters, and what is wrong with them so far.
pub(super) struct Fields<'a> {
    given: &'a Params,
    missing: Vec<(String, Value)>,
    wrong: Vec<(String, Value)>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(given: &'a Params) -> Fields<'a> {
        Fields { given, missing: Vec::new(), wrong: Vec::new() }
    }

    /// The parameters of a list, of which only these are known; and the page that is asked for.
    pub(super) fn of_list(call: &'a Call<'_>, known: &[&str]) -> (Fields<'a>, Page) {
        let mut fields = Fields::of(&call.query);
        let unknown: Vec<&String> = (call.query.keys())
            .filter(|name| !known.contains(&name.as_str()) && !["limit", "offset"].contains(&name.as_str()))
            .collect();
        if !unknown.is_empty() {
            let names: Vec<&str> = unknown.iter().map(|name| name.as_str()).collect();
            let message = format!("Unknown parameters: {}", names.join(", "));
            let entry = json!({ "field": names, "code": "UnknownParameters", "message": message });
            fields.wrong.push((names.join(","), entry));
        }
        let page = Page {
            limit: fields
                .whole("limit", 1, MAX_PAGE as u64, LIMIT)
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(MAX_PAGE),
            offset: fields
                .whole("offset", 0, u64::MAX, OFFSET)
                .and_then(|offset| usize::try_from(offset).ok())
                .unwrap_or(0),
        };
        (fields, page)
    }

    /// A parameter that is given, and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.given.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Notes those that are not there.
    pub(super) fn require(&mut self, names: &[&str]) {
        for name in names {
            if !self.has(name) {
                let entry = json!({ "field": name, "code": "MissingParameter", "message": "Missing parameter" });
                self.missing.push(((*name).to_owned(), entry));
            }
        }
    }

    pub(super) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        let message: String = message.into();
        let entry = json!({ "field": field, "code": "InvalidParameter", "message": message });
        self.wrong.push((field.to_owned(), entry));
    }

    /// The same, with the values that are wrong.
    pub(super) fn wrong_ones(&mut self, field: &str, message: &str, invalid: &[String]) {
        let entry = json!({ "field": field, "code": "InvalidParameter", "message": message, "invalid": invalid });
        self.wrong.push((field.to_owned(), entry));
    }

    /// An entry of its own form.
    pub(super) fn entry(&mut self, field: &str, entry: Value) {
        self.wrong.push((field.to_owned(), entry));
    }

    /// Refuses if anything was missing or wrong so far.
    pub(super) fn check(&mut self) -> Result<(), Refusal> {
        let (words, mut found) = match (self.missing.is_empty(), self.wrong.is_empty()) {
            (true, true) => return Ok(()),
            (false, _) => ("Missing parameters", std::mem::take(&mut self.missing)),
            (true, false) => ("Invalid parameters", std::mem::take(&mut self.wrong)),
        };
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Err(refusal(words, found.into_iter().map(|(_, entry)| entry).collect()))
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let Value::String(text) = self.get(name)? else {
            self.wrong(name, "must be a string");
            return None;
        };
        match text.chars().count() {
            0 => self.wrong(name, "must not be empty"),
            1..=MAX_TEXT => return Some(text.clone()),
            _ => self.wrong(name, format!("must not be longer than {MAX_TEXT} characters")),
        }
        None
    }

    pub(super) fn uuid(&mut self, name: &str) -> Option<String> {
        let text = params::text(self.get(name)?).filter(|text| is_lower_uuid(text));
        if text.is_none() {
            self.wrong(name, "invalid UUID");
        }
        text
    }

    /// A list, or a text with commas.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        Some(match self.get(name)? {
            Value::Array(list) => list.iter().map(|one| params::text(one).unwrap_or_default()).collect(),
            other => match params::text(other) {
                Some(text) => text.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
                None => {
                    self.wrong(name, "must be an array");
                    return None;
                }
            },
        })
    }

    pub(super) fn uuids(&mut self, name: &str) -> Option<Vec<String>> {
        let list = self.list(name)?;
        let invalid: Vec<String> = list.iter().filter(|uuid| !is_lower_uuid(uuid)).cloned().collect();
        if invalid.is_empty() {
            return Some(list);
        }
        self.wrong_ones(name, "invalid UUID", &invalid);
        None
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let flag = params::flag(self.get(name)?);
        if flag.is_none() {
            self.wrong(name, "must be a boolean value");
        }
        flag
    }

    pub(super) fn whole(&mut self, name: &str, least: u64, most: u64, message: &str) -> Option<u64> {
        let number = params::text(self.get(name)?).and_then(|text| text.parse().ok());
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(name, message);
        }
        number
    }

    /// A VLAN's number. The words leave out 1, and the service takes it.
    pub(super) fn vlan(&mut self) -> Option<u64> {
        self.whole("vlan_id", 0, 4094, "VLAN ID must be a number between 0 and 4094, and not 1")
    }

    pub(super) fn mtu(&mut self) -> Option<u64> {
        self.whole("mtu", 576, 9000, "mtu must be a number between 576 and 9000")
    }

    pub(super) fn ip(&mut self, name: &str) -> Option<Ipv4Addr> {
        let text = params::text(self.get(name)?).unwrap_or_default();
        let ip = text.parse().ok();
        if ip.is_none() {
            let six = text.parse::<std::net::Ipv6Addr>().is_ok();
            self.wrong(name, if six { "Specified address must be IPv4" } else { "invalid IP address" });
        }
        ip
    }

    pub(super) fn mac(&mut self, name: &str) -> Option<String> {
        let mac = mac(&params::text(self.get(name)?).unwrap_or_default());
        if mac.is_none() {
            self.wrong(name, "invalid MAC address");
        }
        mac
    }

    /// One of some words, which are in their order.
    pub(super) fn one_of(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let text = params::text(self.get(name)?).filter(|text| words.contains(&text.as_str()));
        if text.is_none() {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            self.wrong(name, format!("must be one of: {}", quoted.join(", ")));
        }
        text
    }

    /// A UUID, or its beginning and a star.
    pub(super) fn prefix(&mut self, name: &str) -> Option<String> {
        let text = params::text(self.get(name)?).unwrap_or_default();
        match text.strip_suffix('*') {
            Some(begin) if begin.bytes().all(|byte| byte == b'-' || matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => {
                Some(text)
            }
            Some(_) => {
                self.wrong(name, "UUID prefix has invalid chars");
                None
            }
            None => self.uuid(name),
        }
    }
}

const LIMIT: &str = "invalid limit, must be an integer greater than 0 or less than or equal to 1000";
const OFFSET: &str = "invalid value, offset must be an integer greater than or equal to 0";

/// A part of a list.
pub(super) struct Page {
    limit: usize,
    offset: usize,
}

impl Page {
    /// The answer that shows this part of these rows.
    pub(super) fn of(&self, rows: impl Iterator<Item = Value>) -> Reply {
        Reply::json(&rows.skip(self.offset).take(self.limit).collect())
    }
}

/// Whether a value is the one that a filter wants: all values are where it wants none.
pub(super) fn fits(wanted: Option<&String>, has: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == has)
}

/// Whether a UUID is the one that is wanted, or begins like it.
pub(super) fn begins(wanted: Option<&String>, uuid: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.strip_suffix('*').map_or(wanted == uuid, |begin| uuid.starts_with(begin)))
}

/// Whether a value is one of those that a filter wants.
pub(super) fn among(wanted: Option<&Vec<String>>, has: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().any(|one| one == has))
}

/// A hardware address in its usual writing: given with colons, with dashes, or without.
pub(super) fn mac(text: &str) -> Option<String> {
    let digits: Vec<char> = match text.len() {
        12 => text.chars().collect(),
        17 => {
            let sign = text.chars().nth(2).filter(|sign| matches!(sign, ':' | '-'))?;
            let parts: Vec<&str> = text.split(sign).collect();
            if parts.len() != 6 || parts.iter().any(|part| part.len() != 2) {
                return None;
            }
            parts.concat().chars().collect()
        }
        _ => return None,
    };
    if !digits.iter().all(char::is_ascii_hexdigit) {
        return None;
    }
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect::<String>().to_lowercase()).collect();
    Some(pairs.join(":"))
}

/// What changes whenever a thing does.
fn etag(view: &Value) -> String {
    Md5::digest(view.to_string()).iter().take(4).map(|byte| format!("{byte:02X}")).collect()
}

/// Whether a header names this tag, or any.
fn names(header: &str, tag: &str) -> bool {
    header.split(',').map(|one| one.trim().trim_matches('"')).any(|one| one == tag || one == "*")
}

/// A thing, with its tag; nothing of it for those who have it so already.
pub(super) fn tagged(call: &Call<'_>, view: &Value) -> Outcome {
    let tag = etag(view);
    let known = call.head.get("if-none-match").filter(|_| matches!(call.head.method.as_str(), "GET" | "HEAD"));
    if known.is_some_and(|header| names(&header, &tag)) {
        return Ok(Reply::empty(304).header("Etag", tag));
    }
    Ok(Reply::json(view).header("Etag", tag))
}

/// Refuses to change what is no longer as the caller knows it.
pub(super) fn check_match(call: &Call<'_>, view: &Value) -> Result<(), Refusal> {
    let tag = etag(view);
    match call.head.get("if-match") {
        Some(header) if !names(&header, &tag) => {
            let words = format!("if-match '{header}' didn't match etag '{tag}'");
            Err(Refusal::new(412, "PreconditionFailed", words))
        }
        _ => Ok(()),
    }
}

/// Of a view the fields that are asked for.
pub(super) fn only(view: Map<String, Value>, fields: Option<&Vec<String>>) -> Value {
    let mut view = view;
    if let Some(fields) = fields {
        view.retain(|name, _| fields.contains(name));
    }
    Value::Object(view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hardware_address_is_read_in_each_of_its_writings() {
        for text in ["90:b8:d0:1c:2d:3e", "90-B8-D0-1C-2D-3E", "90b8d01c2d3e"] {
            assert_eq!(mac(text).as_deref(), Some("90:b8:d0:1c:2d:3e"), "{text}");
        }
        for text in ["", "90b8d01c2d3", "90b8d01c2d3g", "90:b8:d0:1c:2d3e:", "90.b8.d0.1c.2d.3e", "900:b8:d0:1c:2:3e"] {
            assert_eq!(mac(text), None, "{text}");
        }
    }

    #[test]
    fn of_missing_and_wrong_fields_only_the_missing_ones_are_told_and_in_order() {
        let given = json!({ "vlan_id": 5000, "mtu": "a" });
        let mut fields = Fields::of(given.as_object().unwrap());
        fields.vlan();
        fields.mtu();
        fields.require(&["nic_tag", "name"]);
        let refusal = fields.check().unwrap_err();
        let seen = |refusal: &Refusal| {
            let errors = refusal.body["errors"].as_array().unwrap().iter();
            errors.map(|entry| entry["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((refusal.status, refusal.body["message"].as_str()), (422, Some("Missing parameters")));
        assert_eq!(seen(&refusal), ["name", "nic_tag"]);
        let refusal = fields.check().unwrap_err();
        assert_eq!(seen(&refusal), ["mtu", "vlan_id"]);
        assert!(fields.check().is_ok());
    }
}
