//! A certificate that was not taken: why, what it says of itself, and what can be done about it.

use std::fmt;

use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, ServerName};
use sha2::{Digest, Sha256};

use super::certificate::{Certificate, dotted, words};
use crate::config::Pin;

/// So many names of a certificate are shown.
const MAX_NAMES: usize = 4;
/// No chain is longer.
const MAX_CHAIN_LEN: usize = 10;

/// Object identifiers of signatures that are not secure any longer.
const WEAK: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], "MD5"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], "SHA-1"),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1d], "SHA-1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], "SHA-1"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03], "SHA-1"),
];

#[derive(Debug)]
pub(super) enum Why {
    /// A rule for certificates.
    Rule(CertificateError),
    /// It is none of those that are pinned.
    Pin,
    /// The server did not prove that it holds the certificate's key.
    NoProof,
}

/// Travels through rustls and reqwest to [`super::words`].
#[derive(Debug)]
pub(super) struct Refusal {
    why: Why,
    /// The host that the certificate should have been for.
    host: String,
    fingerprint: Pin,
    shown: Option<Shown>,
}

/// What the certificate says of itself, and its chain.
#[derive(Debug)]
struct Shown {
    subject: String,
    issuer: String,
    self_issued: bool,
    hosts: Vec<String>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    rsa_bits: Option<usize>,
    signed_with: String,
    /// The insecure hash that it, or one of its chain, is signed with.
    weak: Option<&'static str>,
    /// Where the chain ends.
    top: Top,
}

#[derive(Debug)]
enum Top {
    /// At an authority that vouches for itself.
    Root(String),
    /// At one whose issuer was not sent: its name, and where it can be fetched.
    Missing(String, Option<String>),
}

impl Refusal {
    pub(super) fn new(
        why: Why,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: Option<&ServerName<'_>>,
    ) -> Self {
        let fingerprint = Pin::Certificate(Sha256::digest(certificate).into());
        let shown = Certificate::read(certificate).map(|read| Shown::of(&read, others));
        let host = host.map(|host| host.to_str().into_owned()).unwrap_or_default();
        Refusal { why, host, fingerprint, shown }
    }

    /// The setting that decided, if one did.
    pub(super) fn setting(&self) -> Option<&'static str> {
        matches!(self.why, Why::Pin).then_some("tls-pin")
    }

    /// What can be done about it. `place` is host and port, as openssl takes them.
    pub(super) fn hints(&self, place: &str) -> Vec<String> {
        let mut hints = self.own_hints();
        let read = "openssl x509 -noout -fingerprint -sha256 -in FILE";
        hints.push(match self.why {
            Why::NoProof => return hints,
            Why::Pin => format!("if the operator says that it was replaced: --tls-pin {}", self.fingerprint),
            _ => format!(
                "to trust this certificate alone, if its operator confirms the fingerprint ({read}): --tls-pin {}, \
                 or SDC_TLS_PIN",
                self.fingerprint
            ),
        });
        if self.shown.as_ref().is_some_and(|shown| shown.self_issued)
            && matches!(self.why, Why::Rule(_))
            && self.is_unknown()
        {
            hints.push(format!(
                "or save it, compare it as well, and use --cacert FILE or SDC_CACERT: \
                 openssl s_client -connect {place} </dev/null | openssl x509 >FILE"
            ));
        }
        hints
    }

    fn own_hints(&self) -> Vec<String> {
        let Some(shown) = &self.shown else { return vec![format!("the certificate is {}", self.fingerprint)] };
        // Where there is something to be done with the fingerprint, the command for it shows it.
        let fingerprint =
            if matches!(self.why, Why::NoProof) { format!("; {}", self.fingerprint) } else { String::new() };
        let mut hints = vec![format!("the certificate is {shown}{fingerprint}")];
        match (&self.why, &shown.top) {
            (Why::NoProof, _) if shown.rsa_bits.is_some_and(|bits| bits < 2048) => {
                hints.push("the service needs an RSA key of 2048 bits or more, or one on P-256".to_owned());
            }
            (Why::NoProof, _) => hints.push(
                "somebody may be on the way, or the service has the key of another certificate: ask its operator"
                    .to_owned(),
            ),
            (Why::Pin, _) => hints
                .push("it may have been renewed, or somebody may be on the way: ask the service's operator".to_owned()),
            (Why::Rule(_), _) if self.is_dated() => {
                hints.push("is this machine's clock right? if so, the service needs a new certificate".to_owned());
            }
            (Why::Rule(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }), _) => {
                hints.push(match shown.hosts.is_empty() {
                    true => "the certificate names no host: is the URL's host right?".to_owned(),
                    false => format!("the certificate is for {}; is the URL's host right?", shown.hosts()),
                });
            }
            (Why::Rule(_), _) if !self.is_unknown() => {
                hints.push("the service needs another certificate: ask its operator".to_owned());
            }
            (Why::Rule(_), _) if shown.self_issued => {}
            (Why::Rule(_), Top::Root(_)) => {
                hints.push(
                    "if the cloud has a certificate authority of its own: --cacert FILE, or SDC_CACERT".to_owned(),
                );
            }
            (Why::Rule(_), Top::Missing(_, at)) => {
                hints.push(
                    "the service should send that certificate: ask its operator to add it to the chain".to_owned(),
                );
                hints.push(match at {
                    Some(url) => format!("to add it here: curl -o FILE {url}, then --cacert FILE, or SDC_CACERT"),
                    None => "to add it here, or the cloud's own authority: --cacert FILE, or SDC_CACERT".to_owned(),
                });
            }
        }
        hints
    }

    fn is_dated(&self) -> bool {
        use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
        let Why::Rule(rule) = &self.why else { return false };
        matches!(rule, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
    }

    /// Whether nobody who is trusted vouches for it. What webpki says of a certificate that signed itself depends on
    /// its form (an authority's own, of X.509 v1), and matters little.
    fn is_unknown(&self) -> bool {
        use CertificateError::{NotValidForName, NotValidForNameContext, UnknownIssuer};
        match &self.why {
            Why::Rule(UnknownIssuer) => true,
            Why::Rule(NotValidForName | NotValidForNameContext { .. }) => false,
            Why::Rule(_) => !self.is_dated() && self.shown.as_ref().is_some_and(|shown| shown.self_issued),
            Why::Pin | Why::NoProof => false,
        }
    }
}

/// The reason in one line.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use CertificateError as Bad;
        let date = |seconds: Option<i64>| {
            let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            time.map_or_else(|| "a date that cannot be read".to_owned(), |time| time.to_string())
        };
        let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second())
            .map(|now| now.to_string())
            .unwrap_or_default();
        let shown = self.shown.as_ref();
        match &self.why {
            Why::Pin => f.write_str("the certificate is not the one that is pinned (--tls-pin, SDC_TLS_PIN)"),
            Why::NoProof => match shown.and_then(|shown| shown.rsa_bits).filter(|bits| *bits < 2048) {
                Some(bits) => write!(f, "the certificate has an RSA key of {bits} bits, which is not secure"),
                None => f.write_str("the server does not prove that it holds the key of its certificate"),
            },
            Why::Rule(_) if self.is_unknown() => match shown.map(|shown| (shown.self_issued, &shown.top)) {
                Some((true, _)) => {
                    f.write_str("the certificate is self-signed, and not among those that are trusted here")
                }
                Some((_, Top::Root(name))) => write!(f, "the authority {name} is not trusted here"),
                Some((_, Top::Missing(name, _))) => {
                    write!(
                        f,
                        "the certificate of its issuer, {name}, is missing: the service does not send it, and it is not trusted here"
                    )
                }
                None => f.write_str("the certificate cannot be read"),
            },
            Why::Rule(Bad::Expired | Bad::ExpiredContext { .. }) => {
                write!(
                    f,
                    "the certificate expired at {}; the clock here says {now}",
                    date(shown.and_then(|shown| shown.not_after))
                )
            }
            Why::Rule(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
                write!(
                    f,
                    "the certificate is not valid before {}; the clock here says {now}",
                    date(shown.and_then(|shown| shown.not_before))
                )
            }
            Why::Rule(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
                write!(f, "the certificate is not for {}", self.host)
            }
            Why::Rule(Bad::BadSignature) => f.write_str("a signature in the certificate's chain is wrong"),
            Why::Rule(Bad::BadEncoding) => f.write_str("the certificate cannot be read"),
            Why::Rule(Bad::Revoked) => f.write_str("the certificate is revoked"),
            Why::Rule(Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. }) => {
                f.write_str("the certificate is not for servers (extendedKeyUsage)")
            }
            Why::Rule(Bad::UnhandledCriticalExtension) => {
                f.write_str("the certificate has a critical extension that is not known here")
            }
            Why::Rule(rule) if is_algorithm(rule) => match shown.map(|shown| (shown.weak, &shown.signed_with)) {
                Some((Some(hash), _)) => {
                    write!(f, "the certificate, or one of its chain, is signed with {hash}, which is not secure")
                }
                Some((None, oid)) => {
                    write!(f, "the certificate is signed in a way that is not known here (algorithm {oid})")
                }
                None => f.write_str("the certificate is signed in a way that is not known here"),
            },
            Why::Rule(rule) => write!(f, "the certificate breaks a rule: {}", plain(&rule.to_string())),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for rustls::Error {
    fn from(refusal: Refusal) -> Self {
        rustls::Error::InvalidCertificate(CertificateError::Other(rustls::OtherError(std::sync::Arc::new(refusal))))
    }
}

#[allow(deprecated)]
fn is_algorithm(rule: &CertificateError) -> bool {
    use CertificateError as Bad;
    matches!(rule, Bad::UnsupportedSignatureAlgorithm | Bad::UnsupportedSignatureAlgorithmContext { .. })
        || matches!(rule, Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. })
}

/// The name of a variant, `NameConstraintViolation`, as words. What stands behind it is for programmers.
pub(super) fn plain(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars().take_while(char::is_ascii_alphanumeric) {
        if letter.is_ascii_uppercase() && !text.is_empty() && !text.ends_with(|last: char| last.is_ascii_digit()) {
            text.push(' ');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

impl Shown {
    fn of(read: &Certificate<'_>, others: &[CertificateDer<'_>]) -> Self {
        let others: Vec<_> = others.iter().take(MAX_CHAIN_LEN).filter_map(|other| Certificate::read(other)).collect();
        let weak =
            |read: &Certificate<'_>| WEAK.iter().find(|(oid, _)| *oid == read.signed_with).map(|(_, hash)| *hash);
        let mut last = read;
        for _ in 0..MAX_CHAIN_LEN {
            match others.iter().find(|other| other.subject == last.issuer) {
                Some(next) if !last.is_self_issued() => last = next,
                _ => break,
            }
        }
        let signed = others.iter().filter(|other| !other.is_self_issued());
        let hosts = read.hosts();
        let mut names: Vec<String> = hosts.iter().take(MAX_NAMES).map(ToString::to_string).collect();
        if hosts.len() > MAX_NAMES {
            names.push("…".to_owned());
        }
        Shown {
            subject: words(read.subject),
            issuer: words(read.issuer),
            self_issued: read.is_self_issued(),
            hosts: names,
            not_before: read.not_before,
            not_after: read.not_after,
            rsa_bits: read.rsa_bits(),
            signed_with: dotted(read.signed_with),
            weak: weak(read).or_else(|| signed.into_iter().find_map(weak)),
            top: match last.is_self_issued() {
                true => Top::Root(words(last.subject)),
                false => Top::Missing(words(last.issuer), last.issuer_at.map(str::to_owned)),
            },
        }
    }

    fn hosts(&self) -> String {
        self.hosts.join(", ")
    }
}

/// Whose it is, who signed it, for which hosts and when.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |seconds: Option<i64>| {
            let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
            time.map_or_else(|| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
        };
        write!(f, "{}, ", self.subject)?;
        match self.self_issued {
            true => f.write_str("self-signed, ")?,
            false => write!(f, "signed by {}, ", self.issuer)?,
        }
        match self.hosts.is_empty() {
            true => f.write_str("for no host, ")?,
            false => write!(f, "for {}, ", self.hosts())?,
        }
        write!(f, "valid from {} to {}", day(self.not_before), day(self.not_after))
    }
}
