//! One request to CloudAPI, made from an operation and its arguments. Pure: it is neither signed
//! nor sent here. It can be shown as a dry run.

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use crate::api::{Field, Kind, Location, Noun, Op, Service, Usual, placeholder};
use crate::error::{CommandLine, Error, Result};
use crate::sensitive;

/// What stays as it is in a path segment: the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// A query may also hold these as they are, which keeps it readable.
const QUERY: &AsciiSet = &SEGMENT.remove(b',').remove(b':').remove(b'/').remove(b'*').remove(b'@');

/// What no path of a URI can hold as it is. What is encoded already stays so.
const NO_PATH: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// The same of a query, with what readers of URLs encode there in any case.
const NO_QUERY: &AsciiSet = &NO_PATH.add(b'\'');

/// The value of an argument.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Text; a body holds it as a JSON string.
    Text(String),
    /// JSON, sent as it was written.
    Json(Box<RawValue>),
}

impl Arg {
    /// JSON from its text.
    ///
    /// # Errors
    /// A usage error that says where the text stops being JSON.
    pub fn json(text: &str) -> Result<Self> {
        RawValue::from_string(text.trim().to_owned())
            .map(Arg::Json)
            .map_err(|error| Error::usage(format!("'{}' is not JSON", sensitive::quoted(text))).because(error))
    }

    fn as_query(&self) -> String {
        match self {
            Arg::Text(text) => text.clone(),
            Arg::Json(raw) => match serde_json::from_str::<String>(raw.get()) {
                Ok(text) => text,
                Err(_) => raw.get().to_owned(),
            },
        }
    }

    /// The words of an array, with commas between.
    fn as_words(&self) -> String {
        match self {
            Arg::Text(text) => text.clone(),
            Arg::Json(raw) => match serde_json::from_str::<Vec<String>>(raw.get()) {
                Ok(words) => words.join(","),
                Err(_) => raw.get().to_owned(),
            },
        }
    }

    /// Remembers what is secret in it, by its name.
    fn remember(&self, name: &str) {
        match self {
            Arg::Text(text) => sensitive::remember_named(name, &text.as_str().into()),
            Arg::Json(raw) => sensitive::remember_named(name, &serde_json::from_str(raw.get()).unwrap_or_default()),
        }
    }

    fn as_json(&self) -> String {
        match self {
            Arg::Text(text) => quote(text),
            Arg::Json(raw) => raw.get().to_owned(),
        }
    }
}

/// A JSON string.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The arguments of a call: path parameters and fields, by their names on the wire.
///
/// ```
/// use sdc::request::Args;
/// let args = Args::new().set("machine", "a5894692-bd32-4ca1-908a-e2dda3c3a5e6").set("name", "web0");
/// assert_eq!(args.text("name"), Some("web0"));
/// ```
#[derive(Clone, Default)]
pub struct Args(Vec<(String, Arg)>);

/// The names alone: metadata may hold passwords.
impl fmt::Debug for Args {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Args {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text. A flat key of a group is `tag.NAME` or `metadata.NAME`.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.push(name, Arg::Text(text.into()));
        self
    }

    /// Adds a value of another type, or replaces the one of this name.
    pub fn push(&mut self, name: impl Into<String>, value: Arg) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Arg> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All names and values, in the order of their setting.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arg)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Takes out the value of this name.
    pub fn remove(&mut self, name: &str) -> Option<Arg> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// The value of this name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Arg::Text(text) => Some(text),
            Arg::Json(_) => None,
        }
    }

    /// Those of a noun's list, which leave out what is gone, unless they say themselves what is listed.
    #[must_use]
    pub fn usual(mut self, noun: &Noun) -> Self {
        if let Some(usual) = self.implies(noun) {
            self.push(usual.name, Arg::Text(usual.value.to_owned()));
        }
        self
    }

    /// What the list of a noun is asked for with these, and nobody has typed.
    pub fn implies(&self, noun: &Noun) -> Option<Usual> {
        noun.usual.filter(|usual| usual.unless.iter().all(|name| self.get(name).is_none()))
    }

    /// Those of the path of this operation alone.
    #[must_use]
    pub fn in_path_of(&self, op: &Op) -> Args {
        op.path_params().fold(Args::new(), |part, param| match self.text(param) {
            Some(id) => part.set(param, id),
            None => part,
        })
    }

    /// The command of an operation with these values in its path; what is not among them is a placeholder.
    pub fn command(&self, service: &Service, op: &Op) -> CommandLine {
        let values = op.path_params().map(|name| self.text(name).map_or_else(|| placeholder(name), str::to_owned));
        let noun = service.resource_of(op).map(|resource| service.path(resource)).unwrap_or_default();
        CommandLine::of(format!("{noun} {}", op.verb).trim()).on_all(values)
    }
}

/// One request, neither signed nor sent. Its `Debug` does not show headers and body: they may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// GET, POST, ...
    pub method: reqwest::Method,
    /// The path, encoded, without the query.
    pub path: String,
    /// The query, encoded, without the question mark; may be empty.
    pub query: String,
    /// Headers beside those that every request has.
    pub headers: Vec<(String, String)>,
    /// The body, and its content type.
    pub body: Option<(String, Vec<u8>)>,
    /// Whether it needs a signature.
    pub signed: bool,
    /// Whether it may be carried out twice: all the second time does is done already.
    pub repeatable: bool,
    /// How long its answer may take, where that is longer than of others.
    pub answer_limit: Option<Duration>,
    /// Whether a field of it is a secret that the service shows to nobody.
    pub(crate) secret: bool,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target())
    }
}

impl Request {
    /// The request of an operation.
    ///
    /// # Errors
    /// A usage error for an argument that is missing, empty, or not one of the operation's.
    pub fn new(op: &Op, args: &Args, account: &str) -> Result<Self> {
        let mut path = String::new();
        for part in op.path.split('/').skip(1) {
            path.push('/');
            match part.strip_prefix(':') {
                None => path.push_str(part),
                Some("login") => path.push_str(&segment("account", account)?),
                Some(name) => {
                    let text = args
                        .text(name)
                        .ok_or_else(|| Error::usage(format!("{} needs the parameter '{name}'", op.id)))?;
                    path.push_str(&segment(name, text)?);
                }
            }
        }
        let mut request = Request {
            method: reqwest::Method::from_bytes(op.method.as_str().as_bytes()).unwrap_or_default(),
            path,
            query: String::new(),
            headers: Vec::new(),
            body: None,
            signed: op.signed,
            repeatable: op.is_repeatable(),
            answer_limit: op.answer_limit,
            secret: op.fields.iter().any(|field| matches!(field.kind, Kind::Secret) && args.get(field.name).is_some()),
        };
        for (name, value) in op.fixed {
            request.add_query(name, value);
        }
        let mut body = String::new();
        for (name, value) in &args.0 {
            if op.path_params().any(|param| param == name) {
                continue;
            }
            request.add(op, &mut body, name, value)?;
        }
        for field in op.fields {
            let copied = match field.kind {
                Kind::CopyOf(other) => args.get(other).cloned(),
                _ => field.default.map(Arg::json).transpose()?,
            };
            match (args.get(field.name), copied) {
                (None, Some(value)) => request.add(op, &mut body, field.name, &value)?,
                (None, None) if field.required && !matches!(field.kind, Kind::FlatPairs(_) | Kind::Tags(_)) => {
                    return Err(Error::usage(format!("{} needs the parameter '{}'", op.id, field.name)));
                }
                _ => {}
            }
        }
        if !op.one_of.is_empty() && op.one_of.iter().all(|name| args.get(name).is_none()) {
            return Err(Error::usage(format!("{} needs one of the parameters {}", op.id, op.one_of.join(", "))));
        }
        for (name, value) in &args.0 {
            // Tags are for everybody to see.
            if field_of(op, name).is_some_and(|field| !matches!(field.kind, Kind::Tags(_))) && !name.starts_with("tag.")
            {
                value.remember(name);
            }
        }
        if !body.is_empty() {
            body.push('}');
            request.body = Some(("application/json".to_owned(), body.into_bytes()));
        }
        Ok(request)
    }

    /// Puts an argument where it belongs.
    fn add(&mut self, op: &Op, body: &mut String, name: &str, value: &Arg) -> Result<()> {
        let field = field_of(op, name).ok_or_else(|| {
            let known = op.fields.iter().filter(|field| is_sent(field)).map(|field| field.name);
            let known: Vec<_> = known.filter(|name| !name.is_empty()).collect();
            Error::usage(format!("{} has no parameter '{name}'", op.id)).hint(format!("known: {}", known.join(", ")))
        })?;
        match field.place {
            // A list of ids is one parameter.
            Location::Query if matches!(field.kind, Kind::Refs(_)) => self.add_query(name, &value.as_words()),
            Location::Query => self.add_query(name, &value.as_query()),
            Location::Header => self.headers.push((name.to_owned(), value.as_words())),
            Location::Body => {
                body.push(if body.is_empty() { '{' } else { ',' });
                body.push_str(&quote(name));
                body.push(':');
                body.push_str(&value.as_json());
            }
        }
        Ok(())
    }

    /// A request of the user's own making, sent as it is typed; only what no URI can hold is percent-encoded. The path
    /// may hold a query.
    ///
    /// # Errors
    /// A usage error for a method or path that cannot be sent.
    pub fn raw(method: &str, path: &str) -> Result<Self> {
        let method = reqwest::Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Error::usage(format!("'{}' is not an HTTP method", sensitive::shown(method))))?;
        if !path.starts_with('/') {
            let words = format!("the path '{}' does not begin with a slash", sensitive::quoted(path));
            return Err(Error::usage(words).hint("a path is all that follows the host: /:login/machines, /vms"));
        }
        if let Some(bad) = path.chars().find(|c| c.is_control() || *c == '#' || *c == ' ') {
            return Err(Error::usage(format!(
                "the path '{}' holds {bad:?}, which must be percent-encoded",
                sensitive::quoted(path)
            )));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Ok(Request {
            repeatable: method.is_idempotent(),
            answer_limit: None,
            secret: false,
            method,
            path: utf8_percent_encode(path, NO_PATH).to_string(),
            query: utf8_percent_encode(query, NO_QUERY).to_string(),
            headers: Vec::new(),
            body: None,
            signed: path != "/--ping",
        })
    }

    /// Adds a header of the user's own making.
    ///
    /// # Errors
    /// A usage error for one that says how the message travels.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<()> {
        let known = |(names, _): &&(&[&str], &str)| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if let Some((_, why)) = NOT_OURS.iter().find(known) {
            return Err(Error::usage(format!("the {} header cannot be given: {why}", sensitive::shown(name))));
        }
        self.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Adds a query parameter, encoded here.
    pub fn add_query(&mut self, name: &str, value: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(&utf8_percent_encode(name, QUERY).to_string());
        self.query.push('=');
        self.query.push_str(&utf8_percent_encode(value, QUERY).to_string());
    }

    /// Path and query, as on the request line.
    pub fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }
}

/// Headers that say how a message travels, and not what it says: given by hand they would contradict how it does, and
/// the server would wait for what never comes.
const NOT_OURS: &[(&[&str], &str)] = &[
    (&["host"], "it follows from the URL (--url)"),
    (&["content-length", "transfer-encoding", "trailer", "expect"], "it follows from the body (--data)"),
    (
        &["connection", "keep-alive", "proxy-connection", "te", "upgrade", "http2-settings"],
        "it is about the connection, not about the request",
    ),
    (&["proxy-authorization"], "a login to a proxy stands in the proxy's URL (https_proxy)"),
    (&["accept-encoding"], "answers are read only as they are, not packed"),
];

/// The field that an argument's name belongs to: its own, or the group of a flat key.
fn field_of(op: &Op, name: &str) -> Option<&'static Field> {
    op.fields.iter().find(|field| field.name == name && is_sent(field)).or_else(|| {
        op.fields.iter().find(|field| match field.kind {
            Kind::Pairs(prefix) | Kind::PairFiles(prefix) => name.len() > prefix.len() && name.starts_with(prefix),
            Kind::FlatPairs(_) | Kind::Tags(_) => !name.is_empty(),
            _ => false,
        })
    })
}

/// Whether a field travels under its own name. The others are ways to type the values of another one.
fn is_sent(field: &Field) -> bool {
    !matches!(field.kind, Kind::Nics | Kind::PairFiles(_) | Kind::FlatFiles(_) | Kind::Members(true))
}

/// One segment of a path. A value that would change the path's shape is refused.
///
/// # Errors
/// A usage error that says what is wrong with the value.
pub fn segment(name: &str, text: &str) -> Result<String> {
    match text {
        "" => Err(Error::usage(format!("the {name} is empty"))),
        _ if sensitive::sort(text).is_some() => {
            sensitive::refuse(format_args!("the {name}"), text, "a name or an id").map(|()| String::new())
        }
        "." | ".." => Err(Error::usage(format!("'{text}' cannot be the {name}: it would change the path"))),
        _ => Ok(utf8_percent_encode(text, SEGMENT).to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cloudapi::machines;

    #[test]
    fn tags_and_metadata_go_out_as_flat_keys_and_stay_what_was_typed() {
        let mut args = Args::new().set("image", "i").set("package", "p").set("tag.version", "1.10");
        args.push("tag.count", Arg::json("1.10").unwrap());
        let request = Request::new(&machines::CREATE, &args, "acme").unwrap();
        let (_, body) = request.body.unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"image":"i","package":"p","tag.version":"1.10","tag.count":1.10}"#
        );
    }

    #[test]
    fn a_value_that_would_change_the_path_is_refused_or_encoded() {
        let error = Request::new(&machines::GET, &Args::new().set("machine", ".."), "acme").unwrap_err();
        assert_eq!(error.to_string(), "'..' cannot be the machine: it would change the path");
        let request = Request::new(&machines::GET, &Args::new().set("machine", "a/b?c"), "acme").unwrap();
        assert_eq!(request.target(), "/acme/machines/a%2Fb%3Fc");
    }

    #[test]
    fn an_unknown_argument_is_refused_and_the_known_ones_are_named() {
        let error = Request::new(&machines::LIST, &Args::new().set("colour", "red"), "acme").unwrap_err();
        assert_eq!(error.to_string(), "ListMachines has no parameter 'colour'");
        assert!(error.hints()[0].as_str().contains("name, state, brand"));
    }

    #[test]
    fn an_action_is_a_query_parameter_of_a_post() {
        let request = Request::new(&machines::STOP, &Args::new().set("machine", "id"), "acme").unwrap();
        assert_eq!((request.method.as_str(), request.target().as_str()), ("POST", "/acme/machines/id?action=stop"));
    }
}
