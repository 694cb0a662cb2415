//! What the emulator answers: a reply, or a refusal with the API's code and words. No wire here.

use std::fmt::Debug;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::stream::{Lines, Socket};

/// An answer to a request that was understood.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
    /// The path of what was made, where no `Location` shows it.
    pub(crate) made: Option<String>,
}

/// An answer that is not there yet.
pub(crate) trait Later: Debug + Send {
    /// The answer, once there is one.
    fn now(&mut self) -> Option<Reply>;
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// None, and no `Content-Type` either.
    Empty,
    /// None, sent chunked without a length, as 202 answers are.
    Chunked,
    /// JSON text.
    Json(Vec<u8>),
    /// Bare text.
    Text(Vec<u8>),
    /// A page from a proxy.
    Html(Vec<u8>),
    /// JSON texts, a line each, that come over time.
    Lines(Box<dyn Lines>),
    /// None: what follows are the frames of a WebSocket.
    Socket(Option<Box<dyn Socket>>),
    /// None yet, nor any head: the whole answer comes when what it waits for is over.
    Later(Box<dyn Later>),
}

impl Body {
    /// What its `Content-Type` says; empty where there is none.
    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Body::Empty | Body::Chunked | Body::Socket(_) | Body::Later(_) => "",
            Body::Json(_) => "application/json",
            Body::Text(_) => "text/plain",
            Body::Html(_) => "text/html",
            Body::Lines(_) => "application/x-json-stream",
        }
    }

    /// Its bytes, but for those that come over time.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Body::Json(bytes) | Body::Text(bytes) | Body::Html(bytes) => bytes,
            Body::Empty | Body::Chunked | Body::Lines(_) | Body::Socket(_) | Body::Later(_) => &[],
        }
    }
}

impl Reply {
    /// 200 with a value.
    pub(crate) fn json(value: &Value) -> Reply {
        Reply::status(200, value)
    }

    /// A value with this status.
    pub(crate) fn status(status: u16, value: &Value) -> Reply {
        // A Value has string keys only, so this cannot fail.
        let text = serde_json::to_vec(value).unwrap_or_default();
        Reply { status, headers: Vec::new(), body: Body::Json(text), made: None }
    }

    /// 200 with lines that come over time.
    pub(crate) fn lines(lines: Box<dyn Lines>) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: Body::Lines(lines), made: None }
    }

    /// What will be answered when something is over.
    pub(crate) fn later(later: Box<dyn Later>) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: Body::Later(later), made: None }
    }

    /// 202, 204 and the like.
    pub(crate) fn empty(status: u16) -> Reply {
        let body = if status == 202 { Body::Chunked } else { Body::Empty };
        Reply { status, headers: Vec::new(), body, made: None }
    }

    /// 101: from here on it is a WebSocket.
    pub(crate) fn socket(socket: Box<dyn Socket>, accept: String) -> Reply {
        let headers = vec![
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept),
        ];
        Reply { status: 101, headers, body: Body::Socket(Some(socket)), made: None }
    }

    /// Notes the path of what was made.
    pub(crate) fn made(mut self, path: String) -> Reply {
        self.made = Some(path);
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer that is a refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Raised before the server has set its own headers: no `Request-Id`, `Api-Version`, `Server`.
    pub(crate) early: bool,
    /// A slip of the real server's: it is never sent, and the client waits for ever.
    pub(crate) mute: bool,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Refusal {
        let body = json!({ "code": code, "message": message.into() });
        Refusal { status, body, headers: Vec::new(), early: false, mute: false }
    }

    /// A fault of the server itself, which has no code.
    pub(crate) fn without_code(message: &str) -> Refusal {
        Refusal { status: 500, body: json!({ "message": message }), headers: Vec::new(), early: false, mute: false }
    }

    /// 410: the body is the machine itself.
    pub(crate) fn gone(machine: Value) -> Refusal {
        Refusal { status: 410, body: machine, headers: Vec::new(), early: false, mute: false }
    }

    /// 409 `InvalidArgument`.
    pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new(409, "InvalidArgument", message)
    }

    /// 409 `MissingParameter`.
    pub(crate) fn missing(name: &str) -> Refusal {
        Refusal::new(409, "MissingParameter", format!("{name} is a required argument"))
    }

    /// 404 `ResourceNotFound`.
    pub(crate) fn not_found(what: &str) -> Refusal {
        Refusal::new(404, "ResourceNotFound", format!("{what} does not exist"))
    }

    /// 403 `NotAuthorized`.
    pub(crate) fn forbidden(what: &str) -> Refusal {
        Refusal::new(403, "NotAuthorized", format!("You do not have permission to access {what}"))
    }

    /// 404 `ResourceNotFound`, in the words of CloudAPI itself.
    pub(crate) fn unknown(what: &str) -> Refusal {
        Refusal::new(404, "ResourceNotFound", format!("{what} not found"))
    }

    /// 409 `MissingParameter`, in words of its own.
    pub(crate) fn lacking(words: &str) -> Refusal {
        Refusal::new(409, "MissingParameter", words)
    }

    /// 409 `ValidationFailed` about one field of a machine.
    pub(crate) fn validation(field: &str, code: &str, message: &str) -> Refusal {
        Refusal::failed("Invalid VM parameters", field, code, message)
    }

    /// 409 `ValidationFailed` about one field of something.
    pub(crate) fn failed(words: &str, field: &str, code: &str, message: &str) -> Refusal {
        Refusal::new(409, "ValidationFailed", words).field(field, code, message)
    }

    /// The same refusal, with these words in the place of its own.
    pub(crate) fn saying(mut self, words: &str) -> Refusal {
        if let Value::Object(body) = &mut self.body {
            body.insert("message".to_owned(), words.into());
        }
        self
    }

    /// Adds an element of `errors[]`.
    pub(crate) fn field(mut self, field: &str, code: &str, message: &str) -> Refusal {
        if let Value::Object(body) = &mut self.body {
            let list = body.entry("errors").or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                let mut entry = Map::new();
                entry.insert("field".to_owned(), field.into());
                entry.insert("code".to_owned(), code.into());
                entry.insert("message".to_owned(), message.into());
                list.push(Value::Object(entry));
            }
        }
        self
    }

    pub(crate) fn mute(mut self) -> Refusal {
        self.mute = true;
        self
    }

    pub(crate) fn early(mut self) -> Refusal {
        self.early = true;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Refusal {
        self.headers.push((name, value.into()));
        self
    }

    /// As something to send.
    pub(crate) fn into_reply(self) -> Reply {
        let mut reply = Reply::status(self.status, &self.body);
        reply.headers = self.headers;
        reply
    }
}

/// What a handler gives back.
pub(crate) type Outcome = Result<Reply, Refusal>;

/// The digest of a body, as in the header.
pub(crate) fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}
