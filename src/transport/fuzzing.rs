//! A door to the readers of certificates for the target in `fuzz/`, built with `--cfg fuzzing` alone.

use rustls::pki_types::{CertificateDer, ServerName};

use super::certificate::{Certificate, fits};
use super::refusal::{Refusal, Why};
use super::roots;

/// Goes through all that is read of a certificate, and returns what is said of it.
pub fn certificate(bytes: &[u8]) -> Vec<String> {
    let der = CertificateDer::from(bytes.to_vec());
    let mut said = Vec::new();
    if let Some(read) = Certificate::read(bytes) {
        let hosts = ["localhost", "a.example.com", "127.0.0.1", "::1"].map(|host| ServerName::try_from(host));
        for (name, host) in read.hosts().iter().flat_map(|name| hosts.iter().flatten().map(move |host| (name, host))) {
            if fits(name, host) {
                said.push(name.to_string());
            }
        }
        // Whatever webpki reads as well must be read alike: its key is what the handshake is verified with.
        if let Ok(known) = rustls::server::ParsedCertificate::try_from(&der) {
            assert_eq!(known.subject_public_key_info().as_ref(), read.key.info);
        }
        let _ = (read.may_sign(), read.rsa_bits());
    }
    for why in
        [Why::Pin, Why::Rule(rustls::CertificateError::UnknownIssuer), Why::Rule(rustls::CertificateError::Expired)]
    {
        let refusal = Refusal::new(why, &der, &[der.clone()], None);
        said.push(refusal.to_string());
        said.extend(refusal.hints("localhost:443"));
    }
    said
}

/// The certificates of a file, or what it is instead.
pub fn certificates(bytes: &[u8]) -> Result<usize, String> {
    match roots::certificates(bytes).len() {
        0 => {
            let (what, hint) = roots::instead(bytes, "FILE");
            Err(format!("{what}: {hint}"))
        }
        found => Ok(found),
    }
}
