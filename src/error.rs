//! The one error of the library: what happened, to which thing, why, and what to try.
//!
//! It knows nothing of exit codes or terminals; `cli::exit` maps a [`Kind`] to a code.

mod command_line;
mod hint;
pub(crate) mod withheld;

use std::error::Error as StdError;
use std::fmt;

pub use command_line::{CommandLine, quoted};
pub use hint::{Hint, Part};

/// What sort of failure it was. One kind, one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Failed otherwise.
    Other,
    /// The request made no sense; nothing was sent.
    Usage,
    /// The thing is not there, or is gone.
    NotFound,
    /// No usable key, refused credentials, or not authorized.
    Auth,
    /// The service refused the request: conflict, invalid, quota.
    Refused,
    /// The service could not be reached, or did not answer (properly).
    Unreachable,
    /// Throttled or unavailable after all retries.
    Throttled,
    /// The object ended in a failed state.
    FailedState,
    /// A wait ran out of time.
    TimedOut,
    /// A name fits more than one thing.
    Ambiguous,
    /// Interrupted by the user.
    Interrupted,
    /// Whoever read our output has had enough: no failure at all.
    ClosedPipe,
}

impl Kind {
    /// Of several failures the gravest is told: the one that was least the thing's own.
    #[must_use]
    pub fn graver(self, other: Option<Kind>) -> Kind {
        const ORDER: [Kind; 11] = [
            Kind::Interrupted,
            Kind::Auth,
            Kind::Unreachable,
            Kind::Throttled,
            Kind::FailedState,
            Kind::TimedOut,
            Kind::Other,
            Kind::Refused,
            Kind::Ambiguous,
            Kind::NotFound,
            Kind::Usage,
        ];
        let rank = |kind| ORDER.iter().position(|known| *known == kind).unwrap_or(ORDER.len());
        other.filter(|other| rank(*other) <= rank(self)).unwrap_or(self)
    }
}

/// What the service itself said: status, code, message, faulty fields and the request id.
#[derive(Clone, Debug, Default)]
pub struct ServiceError {
    /// HTTP status.
    pub status: u16,
    /// The API's `code`; empty when the body carried none.
    pub code: String,
    /// The API's `message`; empty when the body carried none.
    pub message: String,
    /// The API's `errors[]`.
    pub fields: Vec<FieldFault>,
    /// The `Request-Id` header: what an operator greps the server's log for.
    pub request_id: Option<String>,
}

/// What an error is about: a target of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The noun's word: `machine`.
    pub noun: &'static str,
    /// Its id, where it is known.
    pub id: Option<String>,
    /// Its name, or what was typed for it.
    pub name: String,
}

/// What an interruption left of several targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Those whose request is out.
    pub sent: Vec<Locator>,
    /// Those for which nothing was sent.
    pub unsent: Vec<Locator>,
}

/// What tells a thing from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locator {
    /// What it is a part of, outermost first, by the words for these things and their ids.
    pub above: Vec<(&'static str, String)>,
    /// Its own id, or the name of what was to be made.
    pub id: String,
}

/// What became of a machine that failed and was to be deleted for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// It is gone.
    Deleted,
    /// It is there still.
    Kept,
    /// Nobody knows.
    Unknown,
}

/// One element of the API's `errors[]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldFault {
    /// Which parameter.
    pub field: String,
    /// The API's code for it.
    pub code: String,
    /// The API's words for it.
    pub message: String,
}

/// Why TLS failed, in words. As the source of an error it shows that the connection came as far as TLS.
#[derive(Debug)]
pub struct OfTls(String);

impl OfTls {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        OfTls(words.into())
    }
}

impl fmt::Display for OfTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for OfTls {}

/// Whether this is a UUID, in letters of either size.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What is said of a request whose outcome is unknown.
const DOUBT: &str =
    "the outcome is unknown: the request may have taken effect all the same; look before sending it again";

/// The library's error.
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    hints: Vec<Hint>,
    fault: Option<ServiceError>,
    body: Option<String>,
    /// It will be no better next time.
    lasting: bool,
    /// The line feeds in its message are its own, and not those of a name in it.
    laid_out: bool,
    /// What was asked for may have been done all the same.
    doubt: bool,
    /// The setting whose value is wrong, and the value where other things have given it too.
    blamed: Option<(&'static str, Option<String>)>,
    target: Option<Target>,
    /// The id of the request that asked for what failed later.
    asked_as: Option<String>,
    request: Option<String>,
    cleanup: Option<Cleanup>,
    unfinished: Option<Unfinished>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of this kind. The message is a sentence without capital and full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: withheld::taken_out(message.into()),
            hints: Vec::new(),
            fault: None,
            body: None,
            lasting: false,
            laid_out: false,
            doubt: false,
            blamed: None,
            target: None,
            asked_as: None,
            request: None,
            cleanup: None,
            unfinished: None,
            source: None,
        }))
    }

    /// A request that made no sense: [`Kind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// No usable key or refused credentials: [`Kind::Auth`].
    pub fn auth(message: impl Into<String>) -> Self {
        Self::new(Kind::Auth, message)
    }

    /// Anything without a kind of its own: [`Kind::Other`].
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(Kind::Other, message)
    }

    /// Whether it may be better after a while: nobody answered, or the service itself is in trouble.
    pub fn passes(&self) -> bool {
        match self.fault() {
            Some(fault) if fault.status >= 500 || self.kind() == Kind::Throttled => true,
            // Also what answered in the service's place may be gone in a moment.
            _ => self.kind() == Kind::Unreachable && !self.0.lasting,
        }
    }

    /// Says that it will be no better next time, such as a certificate that is not trusted.
    #[must_use]
    pub(crate) fn lasting(mut self) -> Self {
        self.0.lasting = true;
        self
    }

    /// Whether the request that failed so may have been carried out all the same: look before it is sent again.
    pub fn is_in_doubt(&self) -> bool {
        self.0.doubt
    }

    /// Says that it may have been carried out all the same.
    #[must_use]
    pub(crate) fn in_doubt(mut self) -> Self {
        if std::mem::replace(&mut self.0.doubt, true) {
            return self;
        }
        self.hint(DOUBT)
    }

    /// Says that it was looked for just now, and is not there: nobody need look before sending it again.
    #[must_use]
    pub(crate) fn looked_for(mut self) -> Self {
        self = self.in_doubt();
        self.0.hints.retain(|hint| hint.as_str() != DOUBT);
        self.hint("it was looked for until now and is not there: most likely nothing came of it, but it may still come")
    }

    /// Adds a hint: something that can be tried, best of all typed. Words are one; a command is said with
    /// [`Hint::run`].
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds the hints of another error.
    #[must_use]
    pub(crate) fn hint_all(mut self, hints: &[Hint]) -> Self {
        self.0.hints.extend_from_slice(hints);
        self
    }

    /// Adds a hint of two lines: a text, and a mark below its fault.
    #[must_use]
    pub(crate) fn mark(self, text: &str, mark: &str) -> Self {
        self.hint(Hint::marked(text, mark))
    }

    /// Says that the line feeds in the message are its own.
    #[must_use]
    pub(crate) fn laid_out(mut self) -> Self {
        self.0.laid_out = true;
        self
    }

    /// Whether the message has lines of its own.
    #[cfg(feature = "cli")]
    pub(crate) fn is_laid_out(&self) -> bool {
        self.0.laid_out
    }

    /// Says which setting is wrong, by the name of its option, for whoever knows where that is set. The value is given
    /// where it may be an argument's own as well.
    #[must_use]
    pub(crate) fn blaming(mut self, setting: &'static str, value: Option<&str>) -> Self {
        self.0.blamed.get_or_insert((setting, value.map(str::to_owned)));
        self
    }

    /// Which setting is wrong.
    #[cfg(feature = "cli")]
    pub(crate) fn blamed(&self) -> Option<(&'static str, Option<&str>)> {
        self.0.blamed.as_ref().map(|(setting, value)| (*setting, value.as_deref()))
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what the service said.
    #[must_use]
    pub fn with_fault(mut self, fault: ServiceError) -> Self {
        let field = |field: FieldFault| FieldFault {
            field: withheld::taken_out(field.field),
            code: withheld::taken_out(field.code),
            message: withheld::taken_out(field.message),
        };
        self.0.fault = Some(ServiceError {
            status: fault.status,
            code: withheld::taken_out(fault.code),
            message: withheld::taken_out(fault.message),
            fields: fault.fields.into_iter().map(field).collect(),
            request_id: fault.request_id.map(withheld::taken_out),
        });
        self
    }

    /// Takes the body away: what it shows is there no more.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.0.body = None;
        self
    }

    /// Adds the body that came with the error, such as the machine of a 410.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<String>) -> Self {
        self.0.body = Some(withheld::taken_out(body.into()));
        self
    }

    /// Puts words before the message, such as the name of the thing it happened to.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Takes away the hints with commands that begin so.
    #[must_use]
    pub(crate) fn without_hints_of(mut self, command: &str) -> Self {
        let begins = |part: &Part<'_>| matches!(part, Part::Command(known) if known.starts_with(command));
        self.0.hints.retain(|hint| !hint.parts().iter().any(begins));
        self
    }

    /// Puts another hint in the place of the one with a command that begins so, if there is one.
    #[must_use]
    pub(crate) fn with_hint_of(mut self, command: &str, other: Hint) -> Self {
        let begins = |part: &Part<'_>| matches!(part, Part::Command(known) if known.starts_with(command));
        if let Some(hint) = self.0.hints.iter_mut().find(|hint| hint.parts().iter().any(begins)) {
            *hint = other;
        }
        self
    }

    /// Puts an id in the place of a word such as MACHINE in the commands of its hints.
    #[must_use]
    pub(crate) fn filled(mut self, placeholder: &str, id: &str) -> Self {
        self.0.hints.iter_mut().for_each(|hint| *hint = hint.filled(placeholder, id));
        self
    }

    /// Says which target it is about, unless that is said already.
    #[must_use]
    pub fn on(mut self, mut target: Target) -> Self {
        // Whoever typed an id has said it.
        if target.id.is_none() && is_uuid(&target.name) {
            target.id = Some(target.name.to_ascii_lowercase());
        }
        self.0.target.get_or_insert(target);
        self
    }

    /// Which target it is about, if it is about one.
    pub fn target(&self) -> Option<&Target> {
        self.0.target.as_ref()
    }

    /// Says which request it was, unless that is said already or the service's refusal is about what was asked for: of
    /// several, nobody would know which has failed.
    #[must_use]
    pub(crate) fn of_request(mut self, request: impl FnOnce() -> String) -> Self {
        let of_service = matches!(self.kind(), Kind::Unreachable | Kind::Throttled);
        if self.0.request.is_none() && (of_service || self.fault().is_some_and(|fault| fault.status >= 500)) {
            self.0.request = Some(withheld::taken_out(request()));
        }
        self
    }

    /// The request that failed, where that is the service's fault or the way's to it: `GET /acme/images at HOST:443`.
    pub fn request(&self) -> Option<&str> {
        self.0.request.as_deref()
    }

    /// Says by which request, by its id, was asked for what failed after it was accepted.
    #[must_use]
    pub fn asked_as(mut self, request_id: &str) -> Self {
        self.0.asked_as = Some(request_id.to_owned());
        self
    }

    /// The id of the request that failed, or that asked for what failed later: what an operator greps the server's log
    /// for.
    pub fn request_id(&self) -> Option<&str> {
        self.fault().and_then(|fault| fault.request_id.as_deref()).or(self.0.asked_as.as_deref())
    }

    /// Says what became of the machine that it is about, which was to be deleted for it.
    #[must_use]
    pub fn cleaned(mut self, cleanup: Cleanup) -> Self {
        self.0.cleanup = Some(cleanup);
        self
    }

    /// What became of the machine that it is about, if that was to be deleted for it.
    pub fn cleanup(&self) -> Option<Cleanup> {
        self.0.cleanup
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What happened, without cause and hints.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to try, in order.
    pub fn hints(&self) -> &[Hint] {
        &self.0.hints
    }

    /// What an interruption left, if it is one.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.0.unfinished.as_ref()
    }

    /// Adds what an interruption left.
    #[must_use]
    pub fn leaving(mut self, unfinished: Unfinished) -> Self {
        self.0.unfinished = Some(unfinished);
        self
    }

    /// What the service said, if it answered at all.
    pub fn fault(&self) -> Option<&ServiceError> {
        self.0.fault.as_ref()
    }

    /// The JSON body that came with the error, if it was more than an error body.
    pub fn body(&self) -> Option<&str> {
        self.0.body.as_deref()
    }

    /// The causes, outermost first, in words.
    pub fn causes(&self) -> Vec<String> {
        let mut list: Vec<String> = Vec::new();
        let mut next = self.0.source.as_deref().map(|e| e as &dyn StdError);
        while let Some(cause) = next {
            let words = withheld::taken_out(cause.to_string());
            // Wrappers often repeat what they wrap.
            if list.last().is_none_or(|last| !last.ends_with(&words)) {
                list.push(words);
            }
            next = cause.source();
        }
        list
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("hints", &self.0.hints)
            .field("fault", &self.0.fault)
            .field("causes", &self.causes())
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

/// A result with the library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
