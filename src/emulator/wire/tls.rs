//! HTTPS for the emulator: an authority and a certificate made on the spot, for loopback names only.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

use crate::error::{Error, Result};

/// What speaks TLS, and the authority's certificate as PEM, for clients to trust.
pub(crate) fn make() -> Result<(TlsAcceptor, String)> {
    let failed = |error: &dyn std::fmt::Display| Error::other("cannot make a certificate").because(error.to_string());
    let authority_key = KeyPair::generate().map_err(|e| failed(&e))?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "sdc emulator authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key).map_err(|e| failed(&e))?;
    let issuer = Issuer::new(authority, authority_key);

    let key = KeyPair::generate().map_err(|e| failed(&e))?;
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let mut leaf = CertificateParams::new(names).map_err(|e| failed(&e))?;
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &issuer).map_err(|e| failed(&e))?;

    let chain = vec![certificate.der().clone(), authority_certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| failed(&e))?;
    Ok((TlsAcceptor::from(Arc::new(config)), authority_certificate.pem()))
}
