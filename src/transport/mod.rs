//! The only network: HTTP and HTTPS with time-outs, proxies and roots. It neither signs nor retries.

mod certificate;
#[cfg(fuzzing)]
pub mod fuzzing;
mod names;
mod refusal;
mod roots;
mod trust;
mod verbatim;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::api::Service;
use crate::config::{Env, Pin, Route, proxy};
use crate::error::{Error, Kind, Result};
use crate::response::{FAILURE_LIMIT, GONE_LIMIT, Response, SUCCESS_LIMIT};
use words::Place;

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Take any certificate. For tests only: whoever is on the way can read and change everything.
    pub insecure: bool,
    /// A file of certificates to trust in addition to the system's: authorities, and servers' own.
    pub cacert: Option<PathBuf>,
    /// Fingerprints: if there are any, a server must show one of these certificates or keys, and nothing else about
    /// its certificate counts, not even `insecure`.
    pub pins: Vec<Pin>,
    /// A file of certificates to trust instead of the system's (`SSL_CERT_FILE`).
    pub system_roots: Option<PathBuf>,
    /// Folders of certificates to trust instead of the system's (`SSL_CERT_DIR`).
    pub system_root_dirs: Vec<PathBuf>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take, its body included.
    pub request_timeout: Duration,
    /// Whether an operation that is answered only when it is done has the longer time that it may need. Whoever says how
    /// long an answer may take means all of them.
    pub long_answers: bool,
    /// How long an outage is ridden out: so long a request that may be sent again is sent again. Unless it is set, a
    /// few times within seconds.
    pub retry: Option<Duration>,
    /// How many requests a second all that one client does may send. Unless it is set, eight is what holds for what
    /// changes something and for waits, and for plain reading only once the service has refused a request.
    pub rate: Option<f64>,
    /// Through which proxy; that of the environment unless told otherwise.
    pub route: Option<Route>,
}

/// Requests a second unless told otherwise: below the 10 that the service gives an account.
pub const RATE: f64 = 8.0;

/// An idle connection is used again for so long: node.js, on which CloudAPI runs, closes its own after five seconds,
/// and a change that is sent at that moment is in doubt.
const IDLE: Duration = Duration::from_secs(4);

impl Default for Settings {
    fn default() -> Self {
        Settings {
            insecure: false,
            cacert: None,
            pins: Vec::new(),
            system_roots: None,
            system_root_dirs: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(60),
            long_answers: true,
            retry: None,
            rate: None,
            route: None,
        }
    }
}

impl Settings {
    /// How long an answer may take, where its operation may need this long.
    pub(crate) fn answer_limit(&self, own: Option<Duration>) -> Duration {
        match own {
            Some(own) if self.long_answers => self.request_timeout.max(own),
            _ => self.request_timeout,
        }
    }
}

/// How an exchange went wrong, as far as it matters for trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing was sent.
    NotSent,
    /// It took too long.
    TimedOut,
    /// It broke off: the server may have acted on the request.
    BrokeOff,
    /// It answered with what cannot be taken: too much, or packed. It has acted on the request, and will answer so
    /// again.
    Untakable,
    /// It will be no better next time: a certificate that is not trusted.
    Hopeless,
}

/// A request that is ready for the wire.
pub(crate) struct Outgoing<'a> {
    pub method: reqwest::Method,
    pub url: url::Url,
    /// Path and query, where those of the URL are not what is meant.
    pub target: Option<String>,
    pub headers: HeaderMap,
    pub body: Option<&'a [u8]>,
    pub date: String,
    /// The service that it is for.
    pub service: &'static Service,
    /// How long its answer may take, where that is longer than of others.
    pub limit: Option<Duration>,
}

/// What is remembered of a request until its answer has come.
struct Sent {
    date: String,
    service: &'static Service,
}

/// What came of a request whose answer is to stay open.
pub(crate) enum Opened {
    /// Its head has come; what follows is not read yet.
    Open(reqwest::Response),
    /// Another answer than was hoped for, whole.
    Answer(Response),
}

#[derive(Clone)]
pub(crate) struct Transport {
    client: reqwest::Client,
    /// That of the client.
    tls: Arc<rustls::ClientConfig>,
    settings: Settings,
    route: Route,
    /// The server has asked for a client certificate.
    client_wanted: Arc<AtomicBool>,
    /// The proxy has refused the login, and is not asked again.
    turned_away: Arc<AtomicBool>,
    /// The proxy has let a request through. Until then they go one by one, since each may be one too many.
    let_through: Arc<tokio::sync::Mutex<bool>>,
}

impl Transport {
    /// Answers may take no longer than this from now on; never longer than before.
    pub(crate) fn shorten(&mut self, patience: Duration) {
        self.settings.request_timeout = self.settings.request_timeout.min(patience);
    }

    /// For the service at this URL.
    ///
    /// # Errors
    /// A certificate file or a proxy's URL that cannot be read.
    pub(crate) fn new(settings: Settings, url: &url::Url) -> Result<Self> {
        let route = match &settings.route {
            Some(route) => route.clone(),
            None => proxy::route(url, None, &|name| Env::process().var(name))?,
        };
        let client_wanted = Arc::new(AtomicBool::new(false));
        let tls_proxy = match &route {
            Route::Through(proxy) if proxy.scheme() == "https" => Some(proxy.secret_url()),
            _ => None,
        };
        // reqwest would read the variables itself, and pass over a proxy that it cannot read.
        let builder = reqwest::Client::builder().no_proxy().pool_idle_timeout(IDLE);
        let builder = match &route {
            Route::Through(proxy) => builder.proxy(reqwest::Proxy::all(proxy.secret_url().clone()).map_err(|_| {
                // Its words may hold the URL.
                Error::usage(format!("{} is not the URL of a proxy", proxy.origin))
            })?),
            Route::Direct | Route::Exempt { .. } => builder,
        };
        let tls = trust::tls(&settings, url, tls_proxy, Arc::clone(&client_wanted))?;
        let builder = builder
            .tls_backend_preconfigured(tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .http1_only()
            .dns_resolver(Arc::new(names::Names))
            .referer(false);
        let client = builder.build().map_err(|error| Error::other("cannot set up HTTP").because(error))?;
        Ok(Transport {
            client,
            tls: Arc::new(tls),
            settings,
            route,
            client_wanted,
            turned_away: Arc::default(),
            let_through: Arc::default(),
        })
    }

    /// Sends it once and reads the answer.
    pub(crate) async fn exchange(&self, out: Outgoing<'_>) -> Result<Response, (Trouble, Error)> {
        let place = Place::of(&out.url, out.service);
        let sent = Sent { date: out.date.clone(), service: out.service };
        if let Some(target) = out.target.clone() {
            let answer = self.send_verbatim(out, &target, &place).await?;
            let read = tokio::time::timeout(self.settings.request_timeout, self.read(answer, sent, &place));
            return read.await.unwrap_or_else(|_| Err(self.broken(Trouble::TimedOut, None, &place)));
        }
        let answer = self.send(self.ask(out), &place).await?;
        self.read(answer, sent, &place).await
    }

    /// Sends it once. An answer of this status is left open, for as long as it may take; any other is read.
    pub(crate) async fn open(&self, out: Outgoing<'_>, status: u16) -> Result<Opened, (Trouble, Error)> {
        let place = Place::of(&out.url, out.service);
        let sent = Sent { date: out.date.clone(), service: out.service };
        let work = async {
            // Its own time-out would end what is to stay open; a year is as good as for ever.
            let request = self.ask(out).timeout(Duration::from_secs(366 * 86_400));
            let answer = self.send(request, &place).await?;
            if answer.status().as_u16() == status {
                return Ok(Opened::Open(answer));
            }
            Ok(Opened::Answer(self.read(answer, sent, &place).await?))
        };
        match tokio::time::timeout(self.settings.request_timeout, work).await {
            Ok(opened) => opened,
            Err(_) => {
                let words = format!("{place} did not answer within {:?}", self.settings.request_timeout);
                let error = Error::new(Kind::Unreachable, words);
                let hint = "to wait longer: --request-timeout SECONDS, or SDC_REQUEST_TIMEOUT";
                Err((Trouble::TimedOut, error.hint(hint)))
            }
        }
    }

    /// Sends it and reads the head of the answer. Nothing goes to a proxy that has refused the login.
    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        place: &Place,
    ) -> Result<reqwest::Response, (Trouble, Error)> {
        let sent = async { request.send().await.map_err(|error| self.trouble(error, place)) };
        let Some(proxy) = self.proxy() else { return self.unless_client_wanted(sent.await?, place) };
        let gate = self.let_through.lock().await;
        if self.turned_away.load(Ordering::Relaxed) {
            return Err((Trouble::Hopeless, words::no_login(proxy)));
        }
        let first = Some(gate).filter(|let_through| !**let_through);
        let answer = sent.await?;
        // Of plain http the proxy answers itself; within a tunnel the answer is the service's.
        if answer.status().as_u16() == 407 && !place.https {
            self.turned_away.store(true, Ordering::Relaxed);
            return Err((Trouble::Hopeless, words::no_login(proxy)));
        }
        if let Some(mut let_through) = first {
            *let_through = true;
        }
        self.unless_client_wanted(answer, place)
    }

    /// A web server before the service may take the connection of a client without certificate, and then refuse each
    /// request by a page of its own.
    fn unless_client_wanted(
        &self,
        answer: reqwest::Response,
        place: &Place,
    ) -> Result<reqwest::Response, (Trouble, Error)> {
        let json = |kind: &reqwest::header::HeaderValue| kind.as_bytes().windows(4).any(|part| part == b"json");
        let own = answer.headers().get(reqwest::header::CONTENT_TYPE).is_some_and(json);
        let refused = matches!(answer.status().as_u16(), 400 | 401 | 403 | 495 | 496);
        match refused && !own && self.client_wanted.load(Ordering::Relaxed) {
            true => Err((Trouble::Hopeless, words::client_wanted(answer.status().as_u16(), place))),
            false => Ok(answer),
        }
    }

    fn ask(&self, out: Outgoing<'_>) -> reqwest::RequestBuilder {
        let time = self.settings.answer_limit(out.limit);
        let mut request = self.client.request(out.method, out.url).headers(out.headers).timeout(time);
        if let Some(body) = out.body {
            request = request.body(body.to_vec());
        }
        request
    }

    async fn read(
        &self,
        mut answer: reqwest::Response,
        sent: Sent,
        place: &Place,
    ) -> Result<Response, (Trouble, Error)> {
        let status = answer.status().as_u16();
        let limit = match status {
            200..300 => SUCCESS_LIMIT,
            // A deleted machine comes with its whole record.
            410 => GONE_LIMIT,
            _ => FAILURE_LIMIT,
        };
        let headers = std::mem::take(answer.headers_mut());
        let too_much = || {
            let words = format!("{place} sent more than {} MiB in one answer", limit / 1024 / 1024);
            (Trouble::Untakable, Error::new(Kind::Unreachable, words))
        };
        // Nobody asked for it to be packed, and what is packed may be far larger than it looks.
        let coding = headers.get(reqwest::header::CONTENT_ENCODING).filter(|coding| *coding != "identity");
        if let Some(coding) = coding {
            let coding = String::from_utf8_lossy(coding.as_bytes()).chars().take(40).collect::<String>();
            let words = format!("{place} sent an answer packed as '{coding}', which was not asked for");
            let error = Error::new(Kind::Unreachable, words).hint("a proxy on the way may do that");
            return Err((Trouble::Untakable, error));
        }
        // Growing a megabyte step by step costs as much as reading it; what is promised is not believed.
        let promised = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        if promised > limit && answer.status().is_success() {
            return Err(too_much());
        }
        let mut body = Vec::with_capacity(promised.min(limit).min(4 * 1024 * 1024));
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.trouble(error, place))? {
            let room = limit - body.len();
            if chunk.len() > room {
                if answer.status().is_success() {
                    return Err(too_much());
                }
                body.extend_from_slice(&chunk[..room]);
                break;
            }
            body.extend_from_slice(&chunk);
        }
        let Sent { date, service } = sent;
        Ok(Response { status, headers, body, sent: date, path: answer.url().path().to_owned(), service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_takes_long_by_its_nature_has_a_limit_of_its_own() {
        let (hour, minute) = (Duration::from_secs(3600), Duration::from_secs(60));
        let settings = Settings::default();
        assert_eq!(settings.answer_limit(None), minute);
        assert_eq!(settings.answer_limit(Some(hour)), hour);
        let said = Settings { request_timeout: Duration::from_secs(5), long_answers: false, ..settings };
        assert_eq!(said.answer_limit(Some(hour)), Duration::from_secs(5));
    }
}
