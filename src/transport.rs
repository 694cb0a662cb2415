//! The only network: HTTP and HTTPS with time-outs, proxies and roots. It neither signs nor retries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::{Error, Kind, Result};
use crate::response::{FAILURE_LIMIT, GONE_LIMIT, Response, SUCCESS_LIMIT};

/// How to reach the server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Take any certificate. For tests only: whoever is on the way can read and change everything.
    pub insecure: bool,
    /// A file of certificates to trust beside the system's.
    pub cacert: Option<PathBuf>,
    /// A file of certificates to trust instead of the system's (`SSL_CERT_FILE`).
    pub system_roots: Option<PathBuf>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long an answer may take, its body included.
    pub request_timeout: Duration,
    /// How many requests a second all that one client does may send; the service takes 10 of an account, and more
    /// at once for a moment.
    pub rate: f64,
    /// The variables that set a proxy, for messages: a refused connection may be the proxy's.
    pub proxies: Vec<&'static str>,
}

/// Requests a second unless told otherwise: below the 10 that the service gives an account.
pub const RATE: f64 = 8.0;

impl Default for Settings {
    fn default() -> Self {
        Settings {
            insecure: false,
            cacert: None,
            system_roots: None,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(60),
            rate: RATE,
            proxies: Vec::new(),
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
    /// It answered with what cannot be taken: too much, or packed. It has acted on the request, and will answer so again.
    Untakable,
    /// It will be no better next time: a certificate that is not trusted.
    Hopeless,
}

/// A request that is ready for the wire.
pub(crate) struct Outgoing<'a> {
    pub method: reqwest::Method,
    pub url: url::Url,
    pub headers: HeaderMap,
    pub body: Option<&'a [u8]>,
    pub date: String,
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
    settings: Settings,
}

impl Transport {
    /// Answers may take no longer than this from now on; never longer than before.
    pub(crate) fn shorten(&mut self, patience: Duration) {
        self.settings.request_timeout = self.settings.request_timeout.min(patience);
    }

    /// # Errors
    /// A certificate file that cannot be read.
    pub(crate) fn new(settings: Settings, https: bool) -> Result<Self> {
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&settings, https)?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .http1_only()
            .referer(false);
        let client = builder.build().map_err(|error| Error::other("cannot set up HTTP").because(error))?;
        Ok(Transport { client, settings })
    }

    /// Sends it once and reads the answer.
    pub(crate) async fn exchange(&self, out: Outgoing<'_>) -> Result<Response, (Trouble, Error)> {
        let place = Place::of(&out.url);
        let date = out.date.clone();
        let answer = self.ask(out).send().await.map_err(|error| self.trouble(error, &place))?;
        self.read(answer, date, &place).await
    }

    /// Sends it once. An answer of this status is left open, for as long as it may take; any other is read.
    pub(crate) async fn open(&self, out: Outgoing<'_>, status: u16) -> Result<Opened, (Trouble, Error)> {
        let place = Place::of(&out.url);
        let date = out.date.clone();
        let work = async {
            // Its own time-out would end what is to stay open; a year is as good as for ever.
            let request = self.ask(out).timeout(Duration::from_secs(366 * 86_400));
            let answer = request.send().await.map_err(|error| self.trouble(error, &place))?;
            if answer.status().as_u16() == status {
                return Ok(Opened::Open(answer));
            }
            Ok(Opened::Answer(self.read(answer, date, &place).await?))
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

    fn ask(&self, out: Outgoing<'_>) -> reqwest::RequestBuilder {
        let time = self.settings.request_timeout;
        let mut request = self.client.request(out.method, out.url).headers(out.headers).timeout(time);
        if let Some(body) = out.body {
            request = request.body(body.to_vec());
        }
        request
    }

    async fn read(
        &self,
        mut answer: reqwest::Response,
        sent: String,
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
        Ok(Response { status, headers, body, sent })
    }

    fn trouble(&self, error: reqwest::Error, place: &Place) -> (Trouble, Error) {
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
struct Place {
    words: String,
    https: bool,
}

impl Place {
    fn of(url: &url::Url) -> Self {
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

/// TLS through ring, with roots only where they will be used: reading them takes longer than a signature.
fn tls(settings: &Settings, https: bool) -> Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::other("cannot set up TLS").because(error))?;
    if settings.insecure {
        let verifier = Arc::new(AnyCertificate(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    if https {
        add_system_roots(&mut roots, settings)?;
    }
    // A file that was named is read even where it is of no use, for it may be named wrongly.
    if let Some(file) = &settings.cacert {
        let (added, _) = roots.add_parsable_certificates(certificates(file)?);
        if added == 0 {
            return Err(Error::usage(format!("{} holds no certificate (PEM)", file.display())));
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Where Linux distributions, the BSDs, illumos and macOS keep all roots in one file.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/opt/local/etc/openssl/certs/ca-certificates.crt",
    "/usr/local/share/certs/ca-root-nss.crt",
];

fn add_system_roots(roots: &mut RootCertStore, settings: &Settings) -> Result<()> {
    if let Some(file) = &settings.system_roots {
        let (added, _) = roots.add_parsable_certificates(certificates(file)?);
        return match added {
            0 => Err(Error::usage(format!("SSL_CERT_FILE {} holds no certificate (PEM)", file.display()))),
            _ => Ok(()),
        };
    }
    for bundle in BUNDLES {
        if let Ok(found) = certificates(Path::new(bundle))
            && roots.add_parsable_certificates(found).0 > 0
        {
            return Ok(());
        }
    }
    let files = std::fs::read_dir("/etc/ssl/certs").into_iter().flatten().flatten();
    for found in files.take(2000).filter_map(|entry| certificates(&entry.path()).ok()) {
        roots.add_parsable_certificates(found);
    }
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let text = crate::file::read(file, LARGEST_BUNDLE)
        .map_err(|error| Error::usage(format!("cannot read the certificates in {}", file.display())).because(error))?;
    Ok(CertificateDer::pem_slice_iter(&text).filter_map(Result::ok).collect())
}

/// No bundle of certificates is larger, in bytes; the usual one has a quarter of a megabyte.
const LARGEST_BUNDLE: u64 = 16 * 1024 * 1024;

/// Takes any certificate, but still asks for proof that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &rustls::pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
