//! What came back: a status, headers and a bounded body; turned into an answer or an error here.

mod due;
mod own;
mod sentence;

pub(crate) use own::is_of_another;
pub(crate) use sentence::fault;
pub use sentence::{placement_steps, sentence};

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;
use serde_json::value::RawValue;

use crate::answer::scan::{self, members};
use crate::answer::{Answer, Row, Whose};
use crate::api::{Goal, Ids, Method, Op, Remedy, Service, Shape};
use crate::error::{CommandLine, Error, FieldFault, Hint, Kind, Result, ServiceError, withheld};
use crate::sensitive;
use due::Due;

/// No pause that a service asks for is longer here.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(30);
/// How much of the body of a failure is read, in bytes. Nobody reads more, and it may be endless.
pub(crate) const FAILURE_LIMIT: usize = 64 * 1024;
/// How much of a deleted thing's record is read, in bytes: its metadata may be large.
pub(crate) const GONE_LIMIT: usize = 4 * 1024 * 1024;
/// How large the body of a success may be, in bytes. A full page of machines has about 2 MB, and with all the
/// metadata that CloudAPI takes 100 MB.
pub(crate) const SUCCESS_LIMIT: usize = 128 * 1024 * 1024;

/// An answer of the server, whatever its status.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body; the first 64 KiB of it where the status tells of a failure.
    pub body: Vec<u8>,
    /// The `Date` that the request was sent with, to be set beside the server's own.
    pub sent: String,
    /// The path that was asked for.
    pub path: String,
    /// The service that was asked.
    pub service: &'static Service,
}

/// The service, as an answer names it that cannot be its own.
pub(crate) const fn whose(service: &Service) -> Whose {
    Whose { name: service.name, doctor: service.doctor }
}

/// What to do about a refusal that says too little of it.
fn advice(remedy: &Remedy) -> Hint {
    match remedy.command {
        "" => remedy.words.into(),
        command => Hint::run(remedy.words, command).then(remedy.rest),
    }
}

/// A field's text, of several texts all: one part of an error body that is not as it ought to be must not hide the
/// others.
fn text_of(object: &serde_json::Value, name: &str) -> String {
    match object.get(name) {
        Some(serde_json::Value::String(text)) => text.clone(),
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::Array(all)) if all.iter().all(serde_json::Value::is_string) => {
            all.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// Without headers and body: they may hold secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} bytes", self.status, self.body.len())
    }
}

impl Response {
    /// For how long the service wants no request, in seconds or as a date.
    pub(crate) fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        match text.parse() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok(),
        }
    }

    /// A header's text; `None` when absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the request was taken.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer that the operation promises.
    ///
    /// # Errors
    /// What the server said if it refused; [`Kind::Unreachable`] if it answered something else
    /// than was due.
    pub fn answer(&self, op: &Op) -> Result<Answer> {
        if op.redirect && self.status == 302 && self.is_own() {
            return self.redirect(op);
        }
        if self.status == 302
            && let Some(place) =
                self.header("location").filter(|place| due::is_there(self.service, op, &self.path, place))
        {
            let id = place.rsplit('/').next().unwrap_or(place);
            // A hardware address stands in a path without its colons.
            let id = match op.makes().is_some_and(|noun| noun.ids == Ids::Mac) && id.len() == 12 && id.is_ascii() {
                true => id.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":"),
                false => id.to_owned(),
            };
            let fault = ServiceError { status: self.status, ..ServiceError::default() };
            return Err(Error::new(Kind::Refused, format!("there is one already: {id}")).with_fault(fault));
        }
        if !self.is_success() {
            let lists = op.method == Method::Get && matches!(op.shape, Shape::Rows | Shape::Map);
            return Err(if lists { self.failure_of_list() } else { self.failure() });
        }
        let due = Due::of(self.service, op);
        let body = self.body.trim_ascii();
        if self.is_page() {
            return Err(self.strange("a web page", due));
        }
        if self.is_anothers() {
            return Err(self.of_another_server());
        }
        // What a map holds may be called anything.
        if op.shape != Shape::Map && self.is_odd_success() {
            return Err(self.strange(&format!("{} in words of its own", self.status), due));
        }
        // A part of an answer, what a proxy has rewritten, and what other protocols call a success.
        if !matches!(self.status, 200..=202 | 204) {
            return Err(self.strange(&self.status.to_string(), due));
        }
        match (due, body.first()) {
            (Due::Nothing, None) if matches!(self.status, 202 | 204) || self.is_own() => Ok(Answer::Nothing),
            // An object that says nothing is no more than that; any other is about something else.
            (Due::Nothing, Some(b'{')) => {
                let answer = self.record(body)?;
                let empty =
                    answer.first().and_then(|row| members(row.json())).is_some_and(|mut all| all.next().is_none());
                match self.is_own_by_headers() && empty {
                    true => Ok(Answer::Nothing),
                    false => Err(self.strange("an object", due)),
                }
            }
            (Due::Nothing, None) => Err(self.strange(&format!("{} without a body", self.status), due)),
            // Which disk it makes, the service need not say.
            (_, None) if self.status == 202 && matches!(op.goal, Some((Goal::Appears, _))) => Ok(Answer::Nothing),
            (_, None) => Err(self.strange(&format!("{} without a body", self.status), due)),
            (Due::Rows, _) => {
                let rows = Answer::rows_of(body, Some(whose(self.service)))?;
                check_rows(self.service, op, rows.rows().map(|row| row.0))?;
                Ok(rows)
            }
            (Due::Value, Some(b'n'))
            | (
                Due::Nothing | Due::Object(_) | Due::Empty,
                Some(b'"' | b'[' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n'),
            ) => {
                // What is not JSON at all says so itself.
                self.record(body)?;
                Err(self.strange(kind_of(body), due))
            }
            (due, _) => {
                let answer = self.record(body)?;
                let there = |row: Row<'_>| match due {
                    Due::Object(Some(id)) if op.makes().is_some() => id.of_new(row).is_some(),
                    Due::Object(Some(id)) => id.within(row).is_some(),
                    Due::Object(None) => members(row.json()).is_some_and(|mut members| members.next().is_some()),
                    _ => true,
                };
                match answer.first().filter(|row| there(*row)) {
                    None => Err(self.strange("another object", due)),
                    Some(row) if !self.is_own_by_headers() && !due.resembles(self.service, op, row) => {
                        Err(self.strange("another object", due))
                    }
                    Some(row) if due.is_asked_for(self.service, op, &self.path, row) => Ok(answer),
                    Some(_) => Err(self.strange("the record of something else", due)),
                }
            }
        }
    }

    /// The body as one JSON document.
    fn record(&self, body: &[u8]) -> Result<Answer> {
        let answer = Answer::record_of(body, Some(whose(self.service)))?;
        answer.first().map_or(Ok(()), |row| is_said_once(row.json()))?;
        Ok(answer)
    }

    /// Refuses an answer that is not a success of the service, where no operation says what is due: a refusal, a web
    /// page, and what another server says.
    ///
    /// # Errors
    /// What the server said if it refused; [`Kind::Unreachable`] for a page and another server.
    pub fn taken(&self) -> Result<()> {
        match self.is_success() {
            true if self.is_page() => Err(self.strange("a web page", Due::Value)),
            true if self.is_anothers() => Err(self.of_another_server()),
            true => Ok(()),
            false => Err(self.failure()),
        }
    }

    /// The body of a list, without a look at its rows.
    ///
    /// # Errors
    /// What the server said if it refused; [`Kind::Unreachable`] if it answered something else than a list.
    pub(crate) fn into_list(self) -> Result<Vec<u8>> {
        match self.status {
            _ if !self.is_success() => return Err(self.failure_of_list()),
            _ if self.is_page() => return Err(self.strange("a web page", Due::Rows)),
            _ if self.is_anothers() => return Err(self.of_another_server()),
            200 => {}
            // What is accepted or made is not what there is.
            status => return Err(self.strange(&status.to_string(), Due::Rows)),
        }
        Ok(self.body)
    }

    /// The error of a list. What is everybody's cannot be missing, however empty it is: that it is not there says nothing
    /// of what was looked for in it.
    fn failure_of_list(&self) -> Error {
        let error = self.failure();
        let begin = if self.service.account_in_path { 2 } else { 1 };
        let path = self.path.split('?').next().unwrap_or_default();
        let parts = path.split('/').skip(begin).filter(|part| !part.is_empty()).count();
        if error.kind() != Kind::NotFound || parts != 1 {
            return error;
        }
        let words = format!("the service answered {} to a list, which says nothing of what is in it", self.status);
        Error::new(Kind::Unreachable, words).hint(whose(self.service).hint())
    }

    /// The error of a success that another server answered, which says nothing of what the service has done.
    fn of_another_server(&self) -> Error {
        let server: String = self.header("server").unwrap_or_default().chars().take(40).collect();
        let name = self.service.name;
        let words = format!("'{server}' answered {} without any header of {name}, and speaks for itself", self.status);
        Error::new(Kind::Unreachable, words).hint(whose(self.service).hint())
    }

    /// The error of a success that is none.
    fn strange(&self, came: &str, due: Due) -> Error {
        let words = format!("the service answered {came} where {} was due", due.words());
        Error::new(Kind::Unreachable, words).hint(whose(self.service).hint())
    }

    /// A redirect whose target is the answer: the name asked for, and where it points.
    fn redirect(&self, op: &Op) -> Result<Answer> {
        let location = self.header("location").ok_or_else(|| {
            Error::new(Kind::Unreachable, format!("{}: the service answered a redirect without a target", op.id))
        })?;
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let words = text_of(&body, "message");
        let name = words.split_whitespace().find(|word| *word != location).unwrap_or_default();
        Answer::from_record(serde_json::json!({ "name": name, "url": location }).to_string().as_bytes())
    }

    /// What a part of an error's body says: of an internal service a sentence, whatever it has wrapped.
    fn words_of(&self, body: &serde_json::Value, name: &str) -> String {
        match self.service.is_inner() {
            true => sentence(&body[name]).unwrap_or_default(),
            false => text_of(body, name),
        }
    }

    /// What is wrong with which parameter, as far as the body of an error says it.
    fn field_fault(&self, field: &serde_json::Value) -> FieldFault {
        FieldFault {
            field: text_of(field, "field"),
            code: text_of(field, "code"),
            message: self.words_of(field, "message"),
        }
    }

    /// What a status of failure means, as far as it alone says.
    fn kind(&self, status: u16, own: bool) -> Kind {
        match status {
            // An answer to what nobody asked for, such as another protocol.
            100..=199 | 300..=399 => Kind::Unreachable,
            408 | 420 | 429 | 502 | 503 | 504 => Kind::Throttled,
            400..=499 if !own => Kind::Unreachable,
            // Where nobody is asked who they are, it is the thing itself that is not allowed.
            401 | 403 if self.service.signed => Kind::Auth,
            401 | 403 => Kind::Refused,
            404 | 410 => Kind::NotFound,
            400..=499 => Kind::Refused,
            507 => Kind::Refused,
            _ => Kind::Other,
        }
    }

    /// The error that a status of failure means, with all that the server said.
    pub fn failure(&self) -> Error {
        let body = self.value();
        let mut fault = ServiceError {
            status: self.status,
            request_id: self.header("request-id").or_else(|| self.header("x-request-id")).map(str::to_owned),
            ..ServiceError::default()
        };
        let own = self.is_own();
        fault.code = text_of(&body, "code");
        fault.message = self.words_of(&body, "message");
        let fields = body.get("errors").and_then(serde_json::Value::as_array).into_iter().flatten();
        fault.fields = fields.map(|field| self.field_fault(field)).collect();
        // What is used up is told as a lack of rights, which nobody can mend with another key.
        let used_up = self.status == 403 && fault.message.trim_start().starts_with("Quota exceeded");
        let skewed = self.status == 400 && fault.message.contains("clock skew");
        let account = self.unknown_account().filter(|_| own);
        let kind = match self.status {
            _ if skewed => Kind::Auth,
            _ if used_up => Kind::Refused,
            _ if account.is_some() => Kind::Auth,
            status => self.kind(status, own),
        };
        let words = match (fault.message.trim(), fault.code.trim()) {
            // A 410 has the deleted object for its body, which has no message.
            ("", _) if self.status == 410 && own => "it has been deleted".to_owned(),
            ("", "") => format!("the service answered {} {}", self.status, reason(self.status)),
            ("", code) => format!("{code} ({})", self.status),
            (message, _) => message.to_owned(),
        };
        let mut error = Error::new(kind, words).with_fault(fault);
        let text = String::from_utf8_lossy(&self.body);
        if self.status == 410 && own && RawValue::from_string(text.clone().into_owned()).is_ok() {
            error = error.with_body(text.trim());
        }
        let of_alias = |fault: &ServiceError| fault.fields.iter().any(|field| field.field == "alias");
        if !self.service.is_inner() && error.fault().is_some_and(of_alias) {
            error = error.hint(
                "alias is what the service calls a machine's name: letters, digits, _ . and -, and no other has it",
            );
        }
        // By its own clock, for there is no other here.
        let now = self.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
        let asked = now.and_then(|now| self.retry_after(now));
        if let Some(asked) = asked.filter(|asked| matches!(self.status, 429 | 503) && *asked > LONGEST_ASKED) {
            error = error.hint(format!("the service asks for patience: it wants no request for {asked:?}"));
        }
        let means = |known: &str| {
            error.fault().is_some_and(|fault| {
                let of_fields = || fault.fields.iter().any(|field| field.message.ends_with(known));
                fault.code.trim_end_matches("Error") == known || fault.message.ends_with(known) || of_fields()
            })
        };
        if let Some(remedy) = self.service.remedies.iter().find(|remedy| means(remedy.code)) {
            error = error.hint(advice(remedy));
        }
        if let Some(account) = account {
            let account = sensitive::quoted(&account).into_owned();
            error = error.hint(format!("is there an account {account}? logins are case-sensitive"));
        }
        if used_up {
            error = error.hint(Hint::run("how much is used", "account limits"));
        }
        // It names the network beside its words alone.
        if let Some(network) = body["network_uuid"].as_str().filter(|_| own && self.service.is_inner()) {
            let usage = CommandLine::new("admin networks usage").on(network);
            error = error.hint(Hint::run("how many addresses that network has left", usage));
        }
        if self.status == 405 && own {
            error = error.hint(format!(
                "this {} does not support the request (older version, or the URL has an extra path)",
                self.service.name
            ));
        }
        if self.is_page() {
            error = error.hint(format!(
                "the answer is a web page, not {}'s: check the URL, and any proxy before it",
                self.service.name
            ));
        } else if !own {
            error = error.hint(format!(
                "the answer is not {}'s own: check the URL, and any proxy or balancer before it",
                self.service.name
            ));
        }
        if (300..400).contains(&self.status) {
            let to = withheld::without(self.header("location").unwrap_or("nowhere"));
            error = error.hint(format!(
                "it points to {to}; redirects are not followed, so that a signature never leaves this server"
            ));
            // A page to log in at may be gone in a moment, another address is not.
            if matches!(self.status, 301 | 308) {
                error = error.lasting();
            }
        }
        if skewed || self.clock_is_off() {
            error = error.hint(format!(
                "the clocks differ: this machine says {}, the server {}; at most 300 s are allowed: set the clock",
                self.sent,
                self.header("date").unwrap_or("nothing")
            ));
        }
        error
    }

    /// How many seconds this machine's clock is ahead of the server's; negative if it is behind, and 0 for a second more
    /// or less, which nobody can tell from the time that the request takes.
    /// `None` when the server sent no `Date`.
    pub fn clock_skew(&self) -> Option<i64> {
        let seconds = |text: &str| {
            let time = httpdate::parse_http_date(text).ok()?;
            i64::try_from(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs()).ok()
        };
        let skew = seconds(&self.sent)? - seconds(self.header("date")?)?;
        // These dates have whole seconds, and the second may have ended on the way.
        Some(if skew.abs() <= 1 { 0 } else { skew })
    }

    /// Only a 400 or 401 is explained by the clock.
    fn clock_is_off(&self) -> bool {
        matches!(self.status, 400 | 401) && self.clock_skew().is_some_and(|skew| skew.abs() > 290)
    }
}

/// Checks that the rows of a list are what the operation lists: objects, each with an id of its own.
///
/// # Errors
/// [`Kind::Unreachable`], telling what came instead.
pub(crate) fn check_rows<'a>(
    service: &Service,
    op: &Op,
    rows: impl Iterator<Item = &'a RawValue> + Clone,
) -> Result<()> {
    rows.clone().try_for_each(|row| object(service, row))?;
    match due::unlike(service, op, rows) {
        None => Ok(()),
        Some(came) => {
            let words = format!("the service answered a list with {came}");
            Err(Error::new(Kind::Unreachable, words).hint(whose(service).hint()))
        }
    }
}

/// Refuses a record that says two things of itself, for whoever goes by what it says.
pub(crate) fn is_said_once(record: &str) -> Result<()> {
    match scan::repeated(record) {
        None => Ok(()),
        Some(name) => {
            let words = format!("the service answered a record that has '{}' twice", sensitive::quoted(&name));
            Err(Error::new(Kind::Unreachable, words))
        }
    }
}

/// Refuses a row that is not an object.
fn object(service: &Service, row: &RawValue) -> Result<()> {
    match row.get().as_bytes() {
        [b'{', ..] => Ok(()),
        other => {
            let words = format!("the service answered a list of {} where objects were due", many(kind_of(other)));
            Err(Error::new(Kind::Unreachable, words).hint(whose(service).hint()))
        }
    }
}

fn many(kind: &str) -> &str {
    match kind {
        "a list" => "lists",
        "a text" => "texts",
        "a number" => "numbers",
        other => other,
    }
}

fn kind_of(body: &[u8]) -> &'static str {
    match body.first() {
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")
}
