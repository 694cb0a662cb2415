//! Calls operations: signs, sends in its turn (`pace`), and again where that is safe (`send`); `pages` joins lists,
//! `wait` and `until` wait, `trace` tells. It prints nothing and reads no environment.

pub(crate) mod alike;
mod jobs;
mod lines;
mod made;
mod pace;
mod pages;
mod poll;
mod send;
mod shown;
#[cfg(feature = "sockets")]
mod socket;
mod trace;
mod until;
mod wait;
mod wire;

pub use crate::response::{placement_steps, sentence};
pub use jobs::{JobEnd, Whence, job_fault};
pub use lines::Lines;
pub use pages::{Cut, Page, Span, first_page};
pub use poll::Time;

pub use send::{Once, Watch, backoff, jitter, new_uuid};
#[cfg(feature = "sockets")]
pub use socket::{Feed, Socket};
pub use trace::untold;
pub use until::{Condition, Until};
pub(crate) use wait::Attempts;
pub use wait::{Before, Wait};
pub use wire::{Wire, header_lines, header_name};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use serde_json::value::RawValue;

use crate::answer::Answer;
use crate::api::{CLOUDAPI, Op, Paging, Service};
use crate::auth::{Form, Signer};
use crate::error::{Error, Result};
use crate::request::{Args, Request};
use crate::sensitive::{self, quoted};
use crate::thread;
use crate::transport::{Settings, Transport};

/// So many bytes of a list are held at most.
const MAX_BYTES: usize = 512 << 20;

/// Takes the lines of the trace. Secrets never reach it.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// A client of one service of one data center: its base URL, the account in its paths, and the key that signs; neither
/// of the two where the service wants none.
#[derive(Clone)]
pub struct Client {
    service: &'static Service,
    transport: Transport,
    base: url::Url,
    account: String,
    roles: Vec<String>,
    accept_version: Option<String>,
    signer: Option<Arc<Signer>>,
    settings: Settings,
    trace: Option<Trace>,
    traces_bodies: bool,
    masks: bool,
    notice: Option<Trace>,
    pace: Arc<pace::Pace>,
    /// It asks again and again, so that also its reading keeps to the pace.
    polls: bool,
    watch: Option<Arc<Watch>>,
    told_of_waiting: Arc<AtomicBool>,
    account_id: Arc<tokio::sync::OnceCell<String>>,
    clock: Clock,
}

/// Tells the time of day, with which requests are dated.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How long an agent may take before it is worth a word.
const NOTICE_AFTER: Duration = Duration::from_secs(1);

/// What a [`Client`] is made from.
#[derive(Default)]
pub struct Builder {
    service: Option<&'static Service>,
    url: String,
    account: String,
    roles: Vec<String>,
    accept_version: Option<String>,
    signer: Option<Signer>,
    settings: Settings,
    trace: Option<Trace>,
    traces_bodies: bool,
    masks: bool,
    notice: Option<Trace>,
    clock: Option<Clock>,
}

impl Builder {
    /// The service; [`CLOUDAPI`] if not set.
    #[must_use]
    pub fn service(mut self, service: &'static Service) -> Self {
        self.service = Some(service);
        self
    }

    /// The address of the service, with its scheme.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The login in the paths of a service that has one there: the signer's own, or another one to act as.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// The roles to take on, sent as `as-role`.
    #[must_use]
    pub fn roles(mut self, roles: Vec<String>) -> Self {
        self.roles = roles;
        self
    }

    /// The range of API versions to ask for in `Accept-Version`; the service's own range if not set.
    #[must_use]
    pub fn accept_version(mut self, range: impl Into<String>) -> Self {
        self.accept_version = Some(range.into());
        self
    }

    /// The key that signs. Without one, only unsigned operations can be called.
    #[must_use]
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Time-outs, certificates.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The time of day; the system's unless given.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Who is told of each request and answer.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Whether the trace has the bodies too, without the secrets in them.
    #[must_use]
    pub fn trace_bodies(mut self, bodies: bool) -> Self {
        self.traces_bodies = bodies;
        self
    }

    /// Whether secrets in answers are hidden from whoever reads them, by the names of their fields.
    #[must_use]
    pub fn masks(mut self, masks: bool) -> Self {
        self.masks = masks;
        self
    }

    /// Who is told when a request is sent again, the first time for each.
    #[must_use]
    pub fn notice(mut self, notice: Trace) -> Self {
        self.notice = Some(notice);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// A usage error for an address or certificate file that cannot be used.
    pub fn build(self) -> Result<Client> {
        let url = self.url.trim_end_matches('/');
        let shown = || sensitive::url_end(url);
        let base = url::Url::parse(url)
            .map_err(|error| Error::usage(format!("'{}' is not a URL", shown())).because(error).hint("https://HOST"))?;
        if !matches!(base.scheme(), "http" | "https") {
            let words = format!("'{}' is neither an https nor an http URL", shown());
            return Err(Error::usage(words).hint("https://HOST"));
        }
        let more = base.query().or(base.fragment()).is_some();
        if !base.username().is_empty() || base.password().is_some() || more {
            return Err(Error::usage(format!("the URL of {} holds more than scheme, host and path", shown())));
        }
        let service = self.service.unwrap_or(&CLOUDAPI);
        Ok(Client {
            service,
            transport: Transport::new(self.settings.clone(), &base)?,
            base,
            account: self.account,
            roles: self.roles,
            accept_version: self.accept_version.or_else(|| service.versions.map(str::to_owned)),
            signer: self.signer.map(Arc::new),
            pace: Arc::new(pace::Pace::new(self.settings.rate)),
            polls: false,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemTime::now)),
            watch: None,
            account_id: Arc::default(),
            settings: self.settings,
            trace: self.trace,
            traces_bodies: self.traces_bodies,
            masks: self.masks,
            notice: self.notice,
            told_of_waiting: Arc::default(),
        })
    }
}

impl Client {
    /// A client by hand. [`Client::from_env`] finds everything as the program does.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The service.
    pub fn service(&self) -> &'static Service {
        self.service
    }

    /// The address of the service.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The account in the paths; empty where a service has none there.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The account's id, by which lists say whose something is; asked for once.
    ///
    /// # Errors
    /// The account cannot be read or has no id, or the service knows none.
    pub async fn account_id(&self) -> Result<&str> {
        let ask = || async {
            let Some(show) = self.service.account else {
                return Err(Error::usage(format!("{} has no accounts", self.service.name)));
            };
            let account = self.call(show, &Args::new()).await?;
            let id = account.first().and_then(|account| account.text("/id").map(|id| id.into_owned()));
            id.filter(|id| !id.is_empty()).ok_or_else(|| Error::other("the service does not tell the account's id"))
        };
        self.account_id.get_or_try_init(ask).await.map(String::as_str)
    }

    /// The key that signs.
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_deref()
    }

    /// The time of day by this client's clock; the beginning of time where that cannot be told.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::try_from((self.clock)()).unwrap_or(jiff::Timestamp::MIN)
    }

    /// The same client, which signs in this form. It asks for no passphrase again.
    ///
    /// # Errors
    /// There is no key, or the form is not for it.
    pub fn signing(&self, form: Form) -> Result<Client> {
        let signer = self.signer().ok_or_else(|| Error::auth("no key to sign the request with"))?;
        Ok(Client { signer: Some(Arc::new(signer.clone().form(form)?)), ..self.clone() })
    }

    /// The same, with another name for the key.
    ///
    /// # Errors
    /// There is no key, or the name cannot travel.
    pub fn signing_as(&self, name: &str) -> Result<Client> {
        let signer = self.signer().ok_or_else(|| Error::auth("no key to sign the request with"))?;
        Ok(Client { signer: Some(Arc::new(signer.clone().named(name)?)), ..self.clone() })
    }

    /// Calls an operation and returns its answer; of a list, all pages.
    ///
    /// # Errors
    /// See [`Kind`](crate::error::Kind).
    pub async fn call(&self, op: &Op, args: &Args) -> Result<Answer> {
        if op.paging == Paging::None {
            return self.answered(op, &self.request(op, args)?).await.map(|(_, answer)| answer);
        }
        let mut rows: Vec<Box<RawValue>> = Vec::new();
        let mut bytes = 0;
        self.pages(op, args, |page| {
            bytes += page.rows.iter().map(|row| row.get().len() + size_of::<Box<RawValue>>()).sum::<usize>();
            if bytes > MAX_BYTES {
                let words = format!("the list has more than {} MiB, too much to be held", MAX_BYTES >> 20);
                return Err(Error::other(words).hint("take a part of it: --limit N --offset N"));
            }
            rows.extend(page.rows.iter().map(|row| (*row).to_owned()));
            Ok(())
        })
        .await?;
        Ok(Answer::Rows(rows))
    }

    /// The request of an operation for this account, with its roles.
    ///
    /// # Errors
    /// A usage error for a missing or unknown argument.
    pub fn request(&self, op: &Op, args: &Args) -> Result<Request> {
        let mut request = Request::new(op, args, &self.account)?;
        request.signed &= self.service.signed;
        if request.signed && op.roles {
            self.add_roles(&mut request);
        }
        Ok(request)
    }

    /// An error with the request that it is about.
    fn named(&self, request: &Request, error: Error) -> Error {
        error.of_request(|| {
            let port = self.base.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
            let (host, path) = (self.base.host_str().unwrap_or_default(), sensitive::quoted(&request.path));
            format!("{} {path} at {host}{port}", request.method)
        })
    }

    /// The roles that are taken on.
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Adds the client's roles to a request of the caller's own.
    pub fn add_roles(&self, request: &mut Request) {
        if !self.roles.is_empty() {
            request.add_query("as-role", &self.roles.join(","));
        }
    }

    /// What would go over the wire now, freshly dated and signed.
    ///
    /// # Errors
    /// No key where one is needed, or a signature that could not be made.
    pub async fn wire(&self, request: &Request) -> Result<Wire> {
        let mut wire = self.unsigned_wire(request)?;
        if self.signs(request) {
            let signer = self.signer.clone().ok_or_else(|| Error::auth("no key to sign the request with"))?;
            let target = wire.target();
            let (method, date) = (request.method.as_str().to_owned(), wire.date.clone());
            let text = if matches!(signer.key(), crate::auth::Key::Agent(_)) {
                self.signed_by_agent(signer, method, target, date).await?
            } else {
                signer.authorization(&method, &target, &date)?
            };
            let mut value = header_value("Authorization", &text)?;
            value.set_sensitive(true);
            wire.headers.insert(AUTHORIZATION, value);
        }
        Ok(wire)
    }

    /// The header of a request whose key is in an agent, which may wait for a finger on its key.
    async fn signed_by_agent(
        &self,
        signer: Arc<Signer>,
        method: String,
        target: String,
        date: String,
    ) -> Result<String> {
        let say = |words: &str| self.notice.as_ref().or(self.trace.as_ref()).into_iter().for_each(|say| say(words));
        let asked = Arc::clone(&signer);
        let signing = thread::beside(move || asked.authorization(&method, &target, &date));
        let mut signing = std::pin::pin!(signing);
        let signed = match tokio::time::timeout(NOTICE_AFTER, &mut signing).await {
            Ok(signed) => signed,
            Err(_) => {
                // Of many requests side by side, one says it.
                if signer.is_asking() && !self.told_of_waiting.swap(true, Ordering::Relaxed) {
                    say("waiting for touch or confirmation: the ssh-agent has not signed yet");
                }
                signing.await
            }
        };
        signer.note().iter().for_each(|note| say(&format!("note: {note}")));
        signed.map_err(|error| Error::other("the signature was interrupted").because(error))?
    }

    /// Whether a request is sent with a signature.
    fn signs(&self, request: &Request) -> bool {
        request.signed && self.service.signed
    }

    /// The same without a signature, for which no key is needed.
    ///
    /// # Errors
    /// A header that cannot be sent.
    pub fn unsigned_wire(&self, request: &Request) -> Result<Wire> {
        let mut url = self.base.clone();
        let prefix = self.base.path().trim_end_matches('/');
        let path = format!("{prefix}{}", request.path);
        url.set_path(&path);
        url.set_query((!request.query.is_empty()).then_some(&*request.query));
        // What reads URLs also resolves them: `..` would leave the path that was asked for.
        let resolved = url.path() != path || url.query().unwrap_or_default() != request.query;
        let target = resolved.then(|| format!("{prefix}{}", request.target()));
        let date = date((self.clock)())?;
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(range) = &self.accept_version {
            headers.insert("accept-version", header_value("Accept-Version", range)?);
        }
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sdc/", env!("CARGO_PKG_VERSION"))));
        if let Some((kind, _)) = &request.body {
            headers.insert(CONTENT_TYPE, header_value("Content-Type", kind)?);
        }
        for (name, value) in &request.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::usage(format!("'{name}' is not the name of a header")))?;
            let mut value = header_value(name.as_str(), value)?;
            if name == AUTHORIZATION || name == DATE {
                let words = format!("the {} header is made anew for each request", header_name(name.as_str()));
                return Err(Error::usage(words).hint("other ways of signing: --signing"));
            }
            let secret = ["auth", "cookie", "key", "password", "secret", "token"];
            value.set_sensitive(secret.iter().any(|word| name.as_str().contains(word)));
            // Those that every request has are replaced, others may be repeated.
            if [ACCEPT, USER_AGENT, CONTENT_TYPE].contains(&name) || name == "accept-version" {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
        // A server refuses a stale date even where nothing is signed.
        if self.signs(request) {
            headers.insert(DATE, header_value("Date", &date)?);
        }
        Ok(Wire { url, target, headers, date })
    }
}

/// A time as the Date header has it.
fn date(now: SystemTime) -> Result<String> {
    // What writes it panics for other years.
    let years = now.duration_since(SystemTime::UNIX_EPOCH).ok().filter(|past| past.as_secs() < 253_402_300_800);
    match years {
        Some(_) => Ok(httpdate::fmt_http_date(now)),
        None => Err(Error::other(
            "the clock of this machine is before 1970 or after 9999, and requests are signed with the time",
        )
        .hint("set this machine's clock, for example with NTP")),
    }
}

fn header_value(name: &str, text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text)
        .map_err(|_| Error::usage(format!("the {name} header cannot hold what it is given: {}", quoted(text))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_an_error_and_no_panic() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(date(epoch).unwrap(), "Thu, 01 Jan 1970 00:00:00 GMT");
        for wrong in [epoch - Duration::from_secs(1), epoch + Duration::from_secs(253_402_300_800)] {
            assert!(date(wrong).unwrap_err().message().contains("the clock of this machine"));
        }
    }
}
