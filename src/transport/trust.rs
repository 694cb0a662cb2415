//! Whom to trust over TLS: the roots of the system and of files, and the verifiers.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Settings;
use crate::error::{Error, Result};

/// TLS through ring, with roots only where they will be used: reading them takes longer than a signature.
pub(super) fn tls(settings: &Settings, https: bool) -> Result<rustls::ClientConfig> {
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
