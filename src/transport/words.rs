//! Why an exchange failed, in words: what happened, why, and what can be done about it.

use super::{Transport, Trouble};
use crate::error::{Error, Kind};

impl Transport {
    pub(super) fn trouble(&self, error: reqwest::Error, place: &Place) -> (Trouble, Error) {
        let error = error.without_url();
        if let Some(tls) = of_tls(&error) {
            return (Trouble::Hopeless, no_tls(tls, place).lasting());
        }
        let (trouble, words) = if error.is_connect() {
            let words = match error.is_timeout() {
                true => format!("{place} did not take the connection within {:?}", self.settings.connect_timeout),
                false if self.settings.proxies.is_empty() => format!("cannot connect to {place}"),
                false => format!("cannot connect to {place}, or to the proxy that is set in {}", self.proxies()),
            };
            (Trouble::NotSent, words)
        } else if error.is_timeout() {
            (Trouble::TimedOut, format!("{place} did not answer within {:?}", self.settings.request_timeout))
        } else if error.is_builder() {
            (Trouble::NotSent, format!("cannot send this request to {place}"))
        } else {
            (Trouble::BrokeOff, format!("{place} broke off the connection before its answer was complete"))
        };
        let timed_out = error.is_timeout();
        // What lies between says only that it lies between.
        let causes = Error::other("").because(error).causes();
        let cause = causes.last().cloned().unwrap_or_default();
        let causes = causes.join(": ");
        // So hyper calls what a TLS port answers to plain HTTP.
        if !place.https && causes.contains("invalid HTTP version") {
            let words = format!("what listens at {place} does not speak http");
            let error = Error::new(Kind::Unreachable, words).because(cause).lasting();
            return (Trouble::Hopeless, error.hint(format!("if it speaks https: --url https://{place}")));
        }
        let mut error = Error::new(Kind::Unreachable, words).because(cause);
        if timed_out && trouble == Trouble::TimedOut {
            error = error.hint("to wait longer: --request-timeout SECONDS, or SDC_REQUEST_TIMEOUT");
        } else if trouble == Trouble::NotSent {
            error = error.hint(match (causes.contains("dns error"), self.settings.proxies.is_empty()) {
                (true, true) => "is the host of the URL right? no such name is known here",
                (true, false) => "are the hosts of the URL and of the proxy right? no such name is known here",
                (false, true) => "are host and port of the URL right, and is a proxy needed?",
                (false, false) => "are host and port of the URL and of the proxy right?",
            });
            error = error.hint("to see what is wrong: sdc auth doctor");
        }
        (trouble, error)
    }

    fn proxies(&self) -> String {
        self.settings.proxies.join(", ")
    }
}

/// Host and port, as words.
pub(super) struct Place {
    words: String,
    https: bool,
}

impl Place {
    pub(super) fn of(url: &url::Url) -> Self {
        let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        Place { words: format!("{}{port}", url.host_str().unwrap_or("the server")), https: url.scheme() == "https" }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

/// What TLS itself said, if it was TLS that failed.
fn of_tls(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // What an io::Error wraps is not its source.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// The error keeps what TLS said as its source, which is how it is known for one of TLS.
fn no_tls(tls: &rustls::Error, place: &Place) -> Error {
    use rustls::CertificateError as Bad;
    let error = Error::new(Kind::Unreachable, format!("cannot connect to {place}"));
    let error = match tls {
        rustls::Error::InvalidCertificate(Bad::NotValidForNameContext { presented, .. }) => {
            // The names are in the hint, for there may be many.
            let error = error.because(rustls::Error::InvalidCertificate(Bad::NotValidForName));
            let names: Vec<String> = presented.iter().take(MOST_NAMES).map(|name| bare(name)).collect();
            let more = if presented.len() > MOST_NAMES { ", …" } else { "" };
            match names.is_empty() {
                true => error.hint("the certificate names no host: is the URL's host right?"),
                false => {
                    error.hint(format!("the certificate is for {}{more}; is the URL's host right?", names.join(", ")))
                }
            }
        }
        rustls::Error::InvalidCertificate(
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. },
        ) => {
            error.because(tls.clone()).hint("is this machine's clock right? if so, the service needs a new certificate")
        }
        rustls::Error::InvalidCertificate(_) => error
            .because(tls.clone())
            .hint("if the cloud has a certificate authority of its own: --cacert FILE, or SDC_CACERT"),
        rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            error.because(tls.clone()).hint(format!("what listens there does not speak https: --url http://{place}"))
        }
        _ => error.because(tls.clone()).hint("the service and sdc do not agree on TLS; TLS 1.2 or 1.3 is needed"),
    };
    error.hint("to see what is wrong: sdc auth doctor")
}

/// So many names of a certificate are shown.
const MOST_NAMES: usize = 4;

/// A name of a certificate without the words around it: `DnsName("a.example.com")`, `IpAddress(10.0.0.1)`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').chars().take(253).collect()
}
