//! Whether a success is about what a request was to make or to change. A status alone says nothing of that: what stands
//! between here and CloudAPI may answer with somebody else's record, or with an old one. It sends nothing.

use serde_json::{Map, Value};

use crate::answer::{Answer, Row};
use crate::api::{Op, Shape};
use crate::error::{Error, Kind, Result};
use crate::request::Request;
use crate::response::{Response, whose};

/// What is older than the answer by more than this was not made by the request, in seconds.
const OLD: i64 = 300;

/// The tags that this program sets itself, and by which it finds again what it has made.
const OWN_TAGS: &str = "tag.sdc.";

/// Returns the answer that the operation promises, if it is about what the request was to make or to change.
///
/// # Errors
/// What [`Response::answer`] returns; [`Kind::Unreachable`] for the record of something else.
pub(super) fn made(response: &Response, op: &Op, request: &Request) -> Result<Answer> {
    let answer = response.answer(op)?;
    let body = request.body.as_ref().and_then(|(_, body)| serde_json::from_slice(body).ok());
    let (Some(Value::Object(sent)), Some(row)) = (body, answer.first()) else { return Ok(answer) };
    let other = match op.makes() {
        Some(_) => unlike_made(&sent, row, response),
        // A change that has only begun may still show the old values; maps are answered as they will be.
        None if response.is_own_by_headers() || op.goal.is_some() && op.shape != Shape::Map => None,
        None => unlike_sent(op, &sent, row),
    };
    match other {
        None => Ok(answer),
        Some(how) => {
            let words = format!("the service answered the record of something else, {how}");
            Err(Error::new(Kind::Unreachable, words).hint(whose(response.service)))
        }
    }
}

/// How the record differs from what was to be made; it has a name, if one was sent.
fn unlike_made(sent: &Map<String, Value>, row: Row<'_>, response: &Response) -> Option<String> {
    let shown = |pointer: &str| row.text(pointer).map(|text| text.into_owned());
    for (field, value) in sent {
        let Some(asked) = value.as_str() else { continue };
        let same = match field.as_str() {
            // The service puts the id into the place of {{shortId}}.
            "name" | "login" => asked.contains("{{") || shown(&format!("/{field}")).is_some_and(|name| name == asked),
            "key" => match (key_blob(asked), shown("/key").as_deref().map(key_blob)) {
                (Some(asked), Some(Some(blob))) => asked == blob,
                // The service rewrites keys of other forms.
                (_, shown) => shown.is_some(),
            },
            _ => match field.strip_prefix("tag.").filter(|_| field.starts_with(OWN_TAGS)) {
                Some(tag) => shown(&format!("/tags/{tag}")).is_some_and(|text| text == asked),
                None => true,
            },
        };
        if !same {
            return Some(format!("of another {field} than was asked for"));
        }
    }
    let seconds = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|time| time.as_second());
    let answered = response.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let answered = answered.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs().try_into().ok());
    let created = shown("/created").as_deref().and_then(seconds);
    let old = created.zip(answered).is_some_and(|(created, answered): (i64, i64)| answered - created > OLD);
    old.then(|| "that was made before it was asked for".to_owned())
}

/// How the record differs from what was sent, where nothing but the record shows that the service took it.
fn unlike_sent(op: &Op, sent: &Map<String, Value>, row: Row<'_>) -> Option<String> {
    let shown = row.read::<Map<String, Value>>().ok()?;
    let differs = |(field, value): (&String, &Value)| {
        match shown.get(field) {
            // The whole of a map is answered; of a record not all that was sent is shown.
            None => op.shape == Shape::Map,
            Some(shown) => !is_alike(value, shown),
        }
    };
    // Rules come back as the service words them.
    let reworded = |field: &str| matches!(field, "rule" | "rules");
    let mut sent = sent.iter().filter(|(field, _)| !reworded(field));
    sent.find(|pair| differs(*pair)).map(|(field, _)| format!("whose {field} is not what was sent"))
}

/// Whether a value that is shown may be the one that was sent: only text, numbers and lists of text can be compared.
fn is_alike(sent: &Value, shown: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    match (text(sent), text(shown), sent.as_array(), shown.as_array()) {
        (Some(sent), Some(shown), ..) => sent == shown || sent.contains("{{"),
        (_, _, Some(sent), Some(shown)) => {
            let all = |list: &[Value]| list.iter().map(text).collect::<Option<std::collections::BTreeSet<_>>>();
            all(sent).zip(all(shown)).is_none_or(|(sent, shown)| sent == shown)
        }
        _ => true,
    }
}

/// The base64 of a public key in OpenSSH's form: its comment may change, this may not.
fn key_blob(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    let known = words.next().is_some_and(|kind| kind.starts_with("ssh-") || kind.starts_with("ecdsa-"));
    words.next().filter(|_| known).map(|blob| blob.trim_end_matches('='))
}
