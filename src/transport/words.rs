//! Why an exchange failed, in words: what happened, why, and what can be done about it.

use std::error::Error as StdError;
use std::sync::atomic::Ordering;

use rustls::{AlertDescription, PeerIncompatible};

use super::refusal::{Refusal, plain};
use super::{Transport, Trouble};
use crate::api::Service;
use crate::config::{Proxy, Route};
use crate::error::{Error, Hint, Kind, OfTls, quoted};

impl Transport {
    pub(super) fn trouble(&self, error: reqwest::Error, place: &Place) -> (Trouble, Error) {
        let without_url = error.without_url();
        let error = &without_url;
        if let Some(tls) = of_tls(error) {
            return (Trouble::Hopeless, self.no_tls(tls, place).lasting());
        }
        let unreadable = is_unreadable(error);
        let (connecting, building, timed_out) = (error.is_connect(), error.is_builder(), error.is_timeout());
        // What lies between says only that it lies between.
        let causes = Error::other("").because(without_url).causes();
        // rustls adds the address of a page for programmers.
        let cause =
            causes.last().and_then(|cause| cause.split(": https://docs.rs/").next()).unwrap_or_default().to_owned();
        let causes = causes.join(": ");
        if let Some(proxy) = self.proxy()
            && let Some(refused) = self.refused_by_proxy(proxy, &causes, place)
        {
            return refused;
        }
        let (trouble, words) = if connecting {
            (Trouble::NotSent, self.words(Trouble::NotSent, timed_out, place))
        } else if building {
            (Trouble::NotSent, format!("cannot send this request to {place}"))
        } else {
            let trouble = if timed_out { Trouble::TimedOut } else { Trouble::BrokeOff };
            (trouble, self.words(trouble, timed_out, place))
        };
        // So hyper calls what a TLS port answers to plain HTTP.
        if !place.https && causes.contains("invalid HTTP version") {
            let words = format!("what listens at {place} does not speak http");
            let error = Error::new(Kind::Unreachable, words).because(cause).lasting();
            return (
                Trouble::Hopeless,
                error.hint(format!("if it speaks https: --url {}", quoted(&format!("https://{place}")))),
            );
        }
        let error = Error::new(Kind::Unreachable, words).because(cause);
        // A proxy that answers itself, in a way that cannot be read, may have refused a login: it is asked only once.
        if self.proxy().is_some() && !place.https && unreadable {
            let hint = "the proxy is asked only once: are its user and password right?";
            return (Trouble::Untakable, error.hint(hint).lasting());
        }
        (trouble, self.advised(error, trouble, timed_out, (causes.contains("dns error"), place)))
    }

    /// The same with what can be done about it. `nameless`: the host's name is not known.
    fn advised(&self, error: Error, trouble: Trouble, timed_out: bool, (nameless, place): (bool, &Place)) -> Error {
        match trouble {
            Trouble::TimedOut if timed_out => {
                error.hint("to wait longer: --request-timeout SECONDS, or SDC_REQUEST_TIMEOUT")
            }
            Trouble::NotSent => error
                .hint(match (nameless, self.proxy().is_none()) {
                    (true, true) => "is the host of the URL right? no such name is known here",
                    (true, false) => "are the hosts of the URL and of the proxy right? no such name is known here",
                    (false, true) => "are host and port of the URL right, and is a proxy needed?",
                    (false, false) => "are host and port of the URL and of the proxy right?",
                })
                .hint(doctor(place)),
            // With TLS 1.3 the refusal comes after the request, and may be lost.
            Trouble::BrokeOff if self.client_wanted.load(Ordering::Relaxed) => {
                error.hint(format!("{CLIENT_WANTED}; {}", client_lacking(place)))
            }
            _ => error,
        }
    }

    /// What went wrong, in one sentence.
    fn words(&self, trouble: Trouble, timed_out: bool, place: &Place) -> String {
        let by = self.proxy().map(|proxy| format!(" through the proxy {proxy} ({})", proxy.origin));
        let by = by.unwrap_or_default();
        match (trouble, timed_out) {
            (Trouble::NotSent, true) => {
                format!("{place} did not take the connection{by} within {:?}", self.settings.connect_timeout)
            }
            (Trouble::NotSent, false) => format!("cannot connect to {place}{by}"),
            (_, true) => format!("{place} did not answer within {:?}", self.settings.request_timeout),
            (_, false) => format!("{place} broke off the connection before its answer was complete"),
        }
    }

    /// The same for a connection of our own: `None` where the time was over.
    pub(super) fn broken(
        &self,
        trouble: Trouble,
        error: Option<Box<dyn StdError + Send + Sync>>,
        place: &Place,
    ) -> (Trouble, Error) {
        if let Some(tls) = error.as_deref().and_then(|error| of_tls(error)) {
            return (Trouble::Hopeless, self.no_tls(tls, place).lasting());
        }
        let (told, timed_out) = (self.words(trouble, error.is_none(), place), error.is_none());
        let told = Error::new(Kind::Unreachable, told);
        let told = error.into_iter().fold(told, |told, error| told.because(error));
        let nameless = told.causes().iter().any(|cause| cause.contains("failed to lookup address"));
        (trouble, self.advised(told, trouble, timed_out, (nameless, place)))
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match &self.route {
            Route::Through(proxy) => Some(proxy),
            Route::Direct | Route::Exempt { .. } => None,
        }
    }

    /// What a proxy says to CONNECT, or a SOCKS proxy to a login. It is asked once: a password that is wrong is wrong
    /// the next time too, and some accounts are locked after three tries.
    fn refused_by_proxy(&self, proxy: &Proxy, causes: &str, place: &Place) -> Option<(Trouble, Error)> {
        let login = ["proxy authorization required", "credentials not accepted", "does not support user/pass"];
        if login.iter().any(|words| causes.contains(words)) {
            self.turned_away.store(true, Ordering::Relaxed);
            return Some((Trouble::Hopeless, no_login(proxy)));
        }
        if causes.contains("tunnel error: unsuccessful") {
            let words = format!("the proxy {proxy} ({}) refuses to connect to {place}", proxy.origin);
            let error = Error::new(Kind::Unreachable, words)
                .hint("its rules may not allow this host or port, or it cannot reach them: ask its operator")
                .hint(format!("to see its answer: curl -sSI {}", quoted(&format!("https://{place}"))))
                .hint(format!("if {} can be reached without it: NO_PROXY={}", place.host, quoted(&place.host)));
            return Some((Trouble::Hopeless, error));
        }
        None
    }

    /// The error keeps what TLS said as its source, which is how it is known for one of TLS.
    fn no_tls(&self, tls: &rustls::Error, place: &Place) -> Error {
        let error = Error::new(Kind::Unreachable, format!("cannot connect to {place}"));
        if let Some(refusal) = refusal(tls) {
            let error = error.because(OfTls::new(refusal.to_string()));
            let error = match refusal.setting() {
                Some(setting) => error.blaming(setting, None),
                None => error,
            };
            return refusal.hints(&place.words).into_iter().fold(error, Error::hint).hint(doctor(place));
        }
        let asked = self.client_wanted.load(Ordering::Relaxed);
        let (cause, hint) = match tls {
            rustls::Error::AlertReceived(_) if asked => (
                CLIENT_WANTED.to_owned(),
                client_lacking(place),
            ),
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => (
                "the service speaks only TLS 1.1 or older".to_owned(),
                "TLS 1.2 or 1.3 is needed: ask the service's operator".to_owned(),
            ),
            rustls::Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => (
                "the service and sdc have no way of encrypting in common".to_owned(),
                "the service needs TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20 (CBC, RC4 and RSA key exchange \
                 are not secure), and a key of RSA 2048, P-256, P-384 or Ed25519: ask its operator"
                    .to_owned(),
            ),
            rustls::Error::AlertReceived(AlertDescription::UnrecognisedName) => (
                format!("the service does not know the name {}", place.host),
                "is the URL's host right?".to_owned(),
            ),
            rustls::Error::AlertReceived(alert) => (
                format!("the service ended the handshake: {}", plain(&format!("{alert:?}"))),
                "ask the service's operator".to_owned(),
            ),
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => (
                "it does not speak TLS".to_owned(),
                format!("what listens there does not speak https: --url http://{place}"),
            ),
            rustls::Error::PeerIncompatible(why) => (
                format!("the service and sdc do not agree on TLS: {}", plain(&format!("{why:?}"))),
                "TLS 1.2 or 1.3 is needed".to_owned(),
            ),
            // Of these the words are rustls's own, without structure.
            _ => (
                tls.to_string().chars().take(200).collect(),
                "the service and sdc do not agree on TLS; TLS 1.2 or 1.3 is needed".to_owned(),
            ),
        };
        error.because(OfTls::new(cause)).hint(hint).hint(doctor(place))
    }
}

const CLIENT_WANTED: &str = "the service asks for a client certificate";

fn client_lacking(place: &Place) -> String {
    let service = place.service;
    format!("sdc has none to show: use an address of {service} that asks for none, or a proxy that shows one")
}

/// What looks for the fault.
fn doctor(place: &Place) -> Hint {
    Hint::run("to see what is wrong", place.doctor)
}

/// A page that refuses a client without certificate.
pub(super) fn client_wanted(status: u16, place: &Place) -> Error {
    Error::new(Kind::Unreachable, format!("{place} answered {status} with a page that is not {}'s", place.service))
        .because(CLIENT_WANTED)
        .hint(client_lacking(place))
        .lasting()
}

/// A proxy that wants a login, or another one.
pub(super) fn no_login(proxy: &Proxy) -> Error {
    let (words, hint) = match proxy.has_login() {
        true => ("does not accept the user and password of", "are user and password right, and percent-encoded?"),
        false => ("asks for a user and a password, and there are none in", "with a login:"),
    };
    let scheme = proxy.scheme();
    let example = proxy.example(&format!("{scheme}://USER:PASSWORD@{}", proxy.place()));
    Error::new(Kind::Unreachable, format!("the proxy {proxy} {words} {}", proxy.origin))
        .hint(format!("{hint} {example}"))
        .hint("it is asked only once, for too many wrong passwords may lock the account")
        .lasting()
}

/// Host and port, as words; and the name of the service that is to be there.
pub(super) struct Place {
    words: String,
    service: &'static str,
    doctor: &'static str,
    host: String,
    pub(super) https: bool,
}

impl Place {
    pub(super) fn of(url: &url::Url, service: &Service) -> Self {
        let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        let host = url.host_str().unwrap_or("the server").to_owned();
        Place {
            words: format!("{host}{port}"),
            service: service.name,
            doctor: service.doctor,
            host,
            https: url.scheme() == "https",
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

/// What TLS itself said, if it was TLS that failed.
fn of_tls<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // What an io::Error wraps is not its source.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Whether what came is not HTTP as it must be.
fn is_unreadable(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        next = error.source();
    }
    false
}

/// A certificate that our own verifier did not take.
fn refusal(tls: &rustls::Error) -> Option<&Refusal> {
    match tls {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref::<Refusal>(),
        _ => None,
    }
}
