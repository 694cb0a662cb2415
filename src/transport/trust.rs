//! Whether a server is the one that was meant: by an authority, by a certificate that is trusted for itself, by its
//! fingerprint; and in every case whether it holds the key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};

use super::Settings;
use super::certificate::{Certificate, fits};
use super::refusal::{Refusal, Why};
use super::roots::Trusted;
use crate::config::Pin;
use crate::error::{Error, Result};

/// TLS through ring for one server, and for a proxy that speaks TLS. `client_wanted` becomes true when a server asks
/// for the client's certificate.
pub(super) fn tls(
    settings: &Settings,
    url: &url::Url,
    tls_proxy: Option<&url::Url>,
    client_wanted: Arc<AtomicBool>,
) -> Result<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // Pins are for the service. A proxy that speaks TLS is verified as ever.
    let by_roots = tls_proxy.is_some() || url.scheme() == "https" && settings.pins.is_empty();
    let trusted = Trusted::gather(settings, by_roots && !settings.insecure)?;
    let authorities = if trusted.anchors.is_empty() {
        None
    } else {
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(trusted.anchors), Arc::clone(&provider));
        Some(builder.build().map_err(failed)?)
    };
    let verifier = Verifier {
        any: settings.insecure,
        pins: settings.pins.clone(),
        proxy: tls_proxy.and_then(|proxy| other_than(url, proxy)),
        authorities,
        certificates: trusted.certificates,
        provider: Arc::clone(&provider),
    };
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(NoClientCertificate(client_wanted))))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::other("cannot set up TLS").because(error)
}

/// The name of a proxy that is not the service's own. Of a name that both share, pins must not be loosened.
fn other_than(url: &url::Url, proxy: &url::Url) -> Option<ServerName<'static>> {
    let bare = |url: &url::Url| url.host_str().map(|host| host.trim_matches(['[', ']', '.']).to_owned());
    let name = bare(proxy).filter(|name| Some(name) != bare(url).as_ref())?;
    ServerName::try_from(name).ok()
}

/// There is no certificate to show, but it is worth knowing that one was asked for.
#[derive(Debug)]
struct NoClientCertificate(Arc<AtomicBool>);

impl ResolvesClientCert for NoClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[derive(Debug)]
struct Verifier {
    /// Every certificate will do.
    any: bool,
    /// If there are any, the service must show one of them; nothing else about its certificate counts then.
    pins: Vec<Pin>,
    /// The only host that the pins are not for: a proxy that speaks TLS.
    proxy: Option<ServerName<'static>>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Trusted for themselves.
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

/// Which of the handshake's signatures is verified.
#[derive(Clone, Copy)]
enum Version {
    Tls12,
    Tls13,
}

impl Verifier {
    fn is_pinned(&self, host: &ServerName<'_>) -> bool {
        !self.pins.is_empty() && self.proxy.as_ref() != Some(host)
    }

    /// Whether the certificate is one of the pins, or its key is.
    fn is_pin(&self, certificate: &CertificateDer<'_>) -> bool {
        let hash: [u8; 32] = Sha256::digest(certificate).into();
        let key = || Certificate::read(certificate).map(|read| <[u8; 32]>::from(Sha256::digest(read.key.info)));
        self.pins.iter().any(|pin| match pin {
            Pin::Certificate(pinned) => *pinned == hash,
            Pin::Key(pinned) => key() == Some(*pinned),
        })
    }

    /// What is asked of a certificate that is trusted for itself: that it is for this host, and now.
    fn is_for(certificate: &CertificateDer<'_>, host: &ServerName<'_>, now: UnixTime) -> Result<(), CertificateError> {
        let read = Certificate::read(certificate).ok_or(CertificateError::BadEncoding)?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if read.not_before.ok_or(CertificateError::BadEncoding)? > now {
            return Err(CertificateError::NotValidYet);
        }
        if read.not_after.ok_or(CertificateError::BadEncoding)? < now {
            return Err(CertificateError::Expired);
        }
        if !read.hosts().iter().any(|name| fits(name, host)) {
            return Err(CertificateError::NotValidForName);
        }
        Ok(())
    }

    /// Whether the server signed the handshake with the certificate's key.
    fn signature(
        &self,
        version: Version,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        // What a chain was verified for must not be read in two ways: only a certificate that webpki cannot read at
        // all, and that nothing but its bytes vouches for, is read here.
        let verified = if ParsedCertificate::try_from(certificate).is_ok() {
            match version {
                Version::Tls12 => rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms),
                Version::Tls13 => rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms),
            }
        } else {
            let read = Certificate::read(certificate).ok_or(CertificateError::BadEncoding)?;
            match version {
                Version::Tls12 => self.by_key(message, &read, signed),
                Version::Tls13 => {
                    let key = SubjectPublicKeyInfoDer::from(read.key.info);
                    rustls::crypto::verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
                }
            }
        };
        verified.map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => Refusal::new(Why::NoProof, certificate, &[], None).into(),
            other => other,
        })
    }

    /// The same for TLS 1.2 with a bare key, for which rustls has no function.
    fn by_key(
        &self,
        message: &[u8],
        certificate: &Certificate<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let mapping = self.provider.signature_verification_algorithms.mapping;
        let possible = mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme).flat_map(|(_, all)| all.iter());
        let mut fitting = possible.filter(|one| one.public_key_alg_id().as_ref() == certificate.key.algorithm);
        let holds =
            fitting.any(|one| one.verify_signature(certificate.key.octets, message, signed.signature()).is_ok());
        if holds { Ok(HandshakeSignatureValid::assertion()) } else { Err(CertificateError::BadSignature.into()) }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        status: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let refused = |why| Err(Refusal::new(why, shown, others, Some(host)).into());
        if self.is_pinned(host) {
            return if self.is_pin(shown) { Ok(ServerCertVerified::assertion()) } else { refused(Why::Pin) };
        }
        if self.any {
            return Ok(ServerCertVerified::assertion());
        }
        if self.certificates.iter().any(|known| known == shown) {
            return match Verifier::is_for(shown, host, now) {
                Ok(()) => Ok(ServerCertVerified::assertion()),
                Err(why) => refused(Why::Rule(why)),
            };
        }
        let verified = match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(shown, others, host, status, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        match verified {
            Err(rustls::Error::InvalidCertificate(why)) => refused(Why::Rule(why)),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(Version::Tls12, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(Version::Tls13, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
