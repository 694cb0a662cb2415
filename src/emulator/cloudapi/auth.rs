//! Reads what a request presents as its signature, and says which bytes it should cover. Whose key
//! it is, and whether the signature is good, others decide. It shares nothing with the client.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::emulator::datacenter::verify::Algorithm;
use crate::emulator::http::head::Head;
use crate::emulator::http::reply::Refusal;

/// How far a `Date` may be off, in milliseconds.
const SKEW: i64 = 300_000;

/// A header that must be signed, fixed for good by the first malformed `Authorization` header that
/// the process sees. The real server has this quirk, and it is why `x-date` cannot be relied on.
pub(crate) type Frozen = OnceLock<&'static str>;

/// A signature as presented, not yet judged.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) key_id: String,
    pub(crate) algorithm: Algorithm,
    /// What it should cover.
    pub(crate) covered: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// Reads the `Authorization` header. `None` when there is none, or one of another scheme.
pub(crate) fn presented(head: &Head, now: i64, frozen: &Frozen) -> Result<Option<Presented>, Refusal> {
    let Some(header) = head.get("authorization") else { return Ok(None) };
    let header = header.trim();
    let Some((scheme, rest)) = header.split_once(' ') else {
        return Err(Refusal::new(400, "InvalidHeader", "BasicAuth content is invalid.").early());
    };
    if !scheme.eq_ignore_ascii_case("signature") {
        return Ok(None);
    }
    let dated_by = if head.headers.contains_key("x-date") { "x-date" } else { "date" };
    let read = match parameters(rest) {
        Some(parameters) => new_form(head, scheme, &parameters, now, dated_by, frozen),
        None => {
            frozen.get_or_init(|| dated_by);
            old_form(head, scheme, rest, now, frozen)
        }
    };
    read.map(Some)
        .map_err(|why| Refusal::new(400, "InvalidHeader", format!("Authorization header invalid: {why}")).early())
}

type Parameters = Vec<(String, String)>;

fn get<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    // The last one wins.
    parameters.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
}

/// `name="value",name="value"`: letters for names, quotes for values, no space anywhere.
fn parameters(text: &str) -> Option<Parameters> {
    let (list, tail) = leading_parameters(text)?;
    if tail.is_empty() { Some(list) } else { None }
}

/// The parameters at the front, and whatever follows the last closing quote.
fn leading_parameters(text: &str) -> Option<(Parameters, &str)> {
    let mut list = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"")?;
        if !name.bytes().all(|b| b.is_ascii_alphabetic()) || name.is_empty() {
            return None;
        }
        let (value, after) = after.split_once('"')?;
        list.push((name.to_owned(), value.to_owned()));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((list, after)),
        }
        if list.len() > 32 {
            return None;
        }
    }
}

fn new_form(
    head: &Head,
    scheme: &str,
    parameters: &Parameters,
    now: i64,
    dated_by: &'static str,
    frozen: &Frozen,
) -> Result<Presented, String> {
    let (key_id, algorithm, signature) = required(scheme, parameters)?;
    let names = match get(parameters, "headers") {
        Some(names) => names.to_ascii_lowercase(),
        None => dated_by.to_owned(),
    };
    let names: Vec<&str> = names.split(' ').collect();
    let mut lines = Vec::new();
    for name in &names {
        lines.push(match *name {
            "request-line" => format!("{} {} HTTP/1.1", head.method, head.target),
            "(request-target)" => format!("{name}: {} {}", head.method.to_ascii_lowercase(), head.target),
            "(keyid)" => format!("{name}: {key_id}"),
            "(algorithm)" => format!("{name}: {}", get(parameters, "algorithm").unwrap_or_default()),
            "(created)" => format!("{name}: {}", get(parameters, "created").unwrap_or("undefined")),
            "(expires)" => format!("{name}: {}", get(parameters, "expires").unwrap_or("undefined")),
            name => format!("{name}: {}", head.get(name).ok_or_else(|| format!("{name} was not in the request"))?),
        });
    }
    check_skew(head, now)?;
    let must = frozen.get().copied().unwrap_or(dated_by);
    if !names.contains(&must) {
        return Err(format!("{must} was not a signed header"));
    }
    Ok(Presented { key_id, algorithm, covered: lines.join("\n").into_bytes(), signature })
}

/// The oldest form: the signature after the parameters, over the values of the headers alone.
fn old_form(head: &Head, scheme: &str, text: &str, now: i64, frozen: &Frozen) -> Result<Presented, String> {
    let bad = || "bad param format".to_owned();
    let (mut parameters, tail) = leading_parameters(text).ok_or_else(bad)?;
    let tail = tail.strip_prefix(' ').filter(|t| !t.starts_with(' ')).ok_or_else(bad)?;
    parameters.push(("signature".to_owned(), tail.to_owned()));
    let family = get(&parameters, "algorithm").unwrap_or_default().to_ascii_lowercase();
    if !family.starts_with("rsa-") {
        return Err(bad());
    }
    let (key_id, algorithm, signature) = required(scheme, &parameters)?;
    let names = get(&parameters, "headers").unwrap_or("date").to_ascii_lowercase();
    let mut values = Vec::new();
    for name in names.split(' ') {
        values.push(match name {
            "request-line" => format!("{} {} HTTP/1.1", head.method, head.target),
            name => head.get(name).ok_or_else(|| format!("{name} was not in the request"))?,
        });
    }
    check_skew(head, now)?;
    let must = frozen.get().copied().unwrap_or("date");
    if !names.split(' ').any(|name| name == must) {
        return Err(format!("{must} was not a signed header"));
    }
    Ok(Presented { key_id, algorithm, covered: values.join("\n").into_bytes(), signature })
}

fn required(scheme: &str, parameters: &Parameters) -> Result<(String, Algorithm, Vec<u8>), String> {
    if scheme != "Signature" {
        return Err("scheme was not \"Signature\"".to_owned());
    }
    let key_id = get(parameters, "keyId").ok_or("keyId was not specified")?;
    let algorithm = get(parameters, "algorithm").ok_or("algorithm was not specified")?;
    let signature = get(parameters, "signature").ok_or("signature was not specified")?;
    let algorithm = Algorithm::named(algorithm).ok_or_else(|| format!("{algorithm} is not supported"))?;
    // Text that is no base64 makes a signature that fits nothing.
    Ok((key_id.to_owned(), algorithm, STANDARD.decode(signature).unwrap_or_default()))
}

fn check_skew(head: &Head, now: i64) -> Result<(), String> {
    let Some(date) = head.get("x-date").or_else(|| head.get("date")) else { return Ok(()) };
    // A date that cannot be read is let through, as the real server does.
    let Some(at) = read_date(&date) else { return Ok(()) };
    let skew = now.abs_diff(at);
    if skew > SKEW.unsigned_abs() {
        return Err(format!("clock skew of {}s was greater than 300s", skew as f64 / 1000.0));
    }
    Ok(())
}

/// A date in HTTP's or ISO's writing, in milliseconds since 1970.
pub(crate) fn read_date(text: &str) -> Option<i64> {
    if let Ok(time) = httpdate::parse_http_date(text) {
        return i64::try_from(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_millis()).ok();
    }
    text.parse::<jiff::Timestamp>().ok().map(|stamp| stamp.as_millisecond())
}

/// A stale `Date` on a request without a signature.
pub(crate) fn check_unsigned_date(head: &Head, now: i64) -> Result<(), Refusal> {
    let Some(date) = head.get("date") else { return Ok(()) };
    match read_date(&date) {
        Some(at) if now.saturating_sub(at) > SKEW => {
            Err(Refusal::new(400, "RequestExpired", format!("Date header {date} is too old")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(authorization: &str, date: &str) -> Head {
        let mut headers = hyper::HeaderMap::new();
        for (name, text) in [("authorization", authorization), ("date", date)] {
            if let Ok(value) = hyper::header::HeaderValue::from_bytes(text.as_bytes()) {
                headers.insert(name, value);
            }
        }
        Head { method: "GET".to_owned(), target: "/acme".to_owned(), headers }
    }

    #[test]
    fn dates_are_read_in_both_writings() {
        assert_eq!(read_date("Thu, 05 Jan 2017 21:31:40 GMT"), Some(1_483_651_900_000));
        assert_eq!(read_date("2017-01-05T21:31:40Z"), Some(1_483_651_900_000));
        assert_eq!(read_date("yesterday"), None);
    }

    proptest! {
        #[test]
        fn a_signature_is_read_in_any_order_of_its_parameters(
            order in Just(vec![0, 1, 2, 3]).prop_shuffle(),
            key in "/[a-z]{1,8}/keys/[!#-~]{1,20}",
            signature in proptest::collection::vec(any::<u8>(), 1..80),
        ) {
            let parts = [
                format!("keyId=\"{key}\""),
                "algorithm=\"ecdsa-sha256\"".to_owned(),
                "headers=\"Date (request-target)\"".to_owned(),
                format!("signature=\"{}\"", STANDARD.encode(&signature)),
            ];
            let parts: Vec<&str> = order.iter().map(|at: &usize| parts[*at].as_str()).collect();
            let date = "Thu, 05 Jan 2017 21:31:40 GMT";
            let read = |text: &str| presented(&head(text, date), 1_483_651_900_000, &Frozen::new());
            let good = read(&format!("Signature {}", parts.join(","))).unwrap().unwrap();
            prop_assert_eq!((good.key_id, good.signature), (key, signature));
            prop_assert_eq!(good.covered, format!("date: {date}\n(request-target): get /acme").into_bytes());
            // A space after a comma, and a part that is missing, are not let pass.
            let spaced = read(&format!("Signature {}", parts.join(", ")));
            prop_assert!(spaced.is_err());
            for missing in [0, 1, 3] {
                let others: Vec<&str> =
                    order.iter().zip(&parts).filter(|(at, _)| **at != missing).map(|(_, part)| *part).collect();
                let read = read(&format!("Signature {}", others.join(",")));
                prop_assert!(read.is_err());
            }
        }

        #[test]
        fn no_header_whatever_makes_it_panic(authorization in "(Signature )?([a-zA-Z]{0,9}=\"?.{0,20}\"?,?){0,6}.{0,20}", date in ".{0,40}") {
            let _ = presented(&head(&authorization, &date), 0, &Frozen::new());
            let _ = check_unsigned_date(&head("", &date), i64::MAX);
        }

        #[test]
        fn no_range_fault_form_or_pattern_makes_it_panic(text in ".{0,60}", other in "[a*]{0,8}") {
            let _ = super::super::version::choose(&text, super::super::version::ALL);
            let _ = crate::emulator::http::params::form(&text);
            let _ = crate::emulator::http::params::glob(&other, &text);
            let _ = crate::emulator::datacenter::verify::read_key(&text);
        }
    }
}
