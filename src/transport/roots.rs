//! The certificates that are trusted: the system's, and those of files and folders that somebody named.

use std::path::{Path, PathBuf};

use base64::Engine;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::Settings;
use super::certificate::Certificate;
use crate::der::{INTEGER, Reader, SEQUENCE};
use crate::error::{Error, Result, quoted};

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

/// No bundle of certificates is larger, in bytes; the usual one has a quarter of a megabyte.
const MAX_BUNDLE: u64 = 16 * 1024 * 1024;
/// So many files of a folder are read.
const MAX_FILES: usize = 2000;

/// What is trusted: authorities for what they sign, and every certificate for itself.
pub(super) struct Trusted {
    pub anchors: RootCertStore,
    pub certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    /// All that these settings name. The system's roots are read only if they will be used, for that takes longer
    /// than a signature; a file that was named is read even so, for it may be named wrongly.
    pub(super) fn gather(settings: &Settings, system: bool) -> Result<Self> {
        let mut all = if system { system_roots(settings)? } else { Vec::new() };
        let built_in = system && all.is_empty();
        if let Some(file) = &settings.cacert {
            all.extend(in_file(file, "").map_err(|error| error.blaming("cacert", None))?);
        }
        all.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
        all.dedup();
        let mut anchors = RootCertStore::empty();
        for certificate in &all {
            // The holder of a server's certificate must not sign for others. webpki does not look at that in a root.
            if Certificate::read(certificate).is_none_or(|read| read.may_sign()) {
                let _ = anchors.add(certificate.clone());
            }
        }
        if built_in {
            anchors.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Ok(Trusted { anchors, certificates: all })
    }
}

fn system_roots(settings: &Settings) -> Result<Vec<CertificateDer<'static>>> {
    if settings.system_roots.is_some() || !settings.system_root_dirs.is_empty() {
        let mut all = match &settings.system_roots {
            Some(file) => in_file(file, "SSL_CERT_FILE ")?,
            None => Vec::new(),
        };
        all.extend(settings.system_root_dirs.iter().flat_map(|dir| in_folder(dir)));
        if all.is_empty() {
            let dirs: Vec<String> = settings.system_root_dirs.iter().map(|dir| dir.display().to_string()).collect();
            return Err(Error::usage(format!("SSL_CERT_DIR {} holds no certificate", dirs.join(":")))
                .hint("to trust the system's certificates: unset SSL_CERT_DIR"));
        }
        return Ok(all);
    }
    for bundle in BUNDLES {
        let found = read(Path::new(bundle)).map(|bytes| certificates(&bytes)).unwrap_or_default();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(in_folder(Path::new("/etc/ssl/certs")))
}

/// Those of all files of a folder; what holds none is passed over.
fn in_folder(folder: &Path) -> Vec<CertificateDer<'static>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.is_file()).take(MAX_FILES).collect();
    files.sort_unstable();
    files.iter().filter_map(|file| read(file).ok()).flat_map(|bytes| certificates(&bytes)).collect()
}

/// Those of a file that was named, by a variable if its name is given.
fn in_file(file: &Path, variable: &str) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(file).map_err(|error| {
        let wrong =
            Error::usage(format!("cannot read the certificates in {variable}{}", file.display())).because(error);
        match file.is_dir() {
            true => wrong
                .hint(format!("all certificates of a folder: SSL_CERT_DIR={}", quoted(&file.display().to_string()))),
            false => wrong,
        }
    })?;
    let found = certificates(&bytes);
    if !found.is_empty() {
        return Ok(found);
    }
    let (what, hint) = instead(&bytes, &quoted(&file.display().to_string()));
    let error = Error::usage(format!("{variable}{} holds no certificate: {what}", file.display()));
    Err(if hint.is_empty() { error } else { error.hint(hint) })
}

fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    crate::file::read(file, MAX_BUNDLE)
}

/// The certificates in PEM, or the only one in DER.
pub(super) fn certificates(bytes: &[u8]) -> Vec<CertificateDer<'static>> {
    // Windows begins a text with a mark, which would hide the first line.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let found: Vec<_> = CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect();
    if found.is_empty() && Certificate::read(bytes).is_some() {
        return vec![CertificateDer::from(bytes.to_vec())];
    }
    found
}

const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// What a file holds that holds no certificate, and what makes one of it.
pub(super) fn instead(bytes: &[u8], file: &str) -> (&'static str, String) {
    const KEY: &str = "it is a private key";
    let key = || (KEY, "the certificate is in another file, often .crt or .pem; the key is not needed".to_owned());
    let pkcs7 = |form: &str| {
        let command = format!("to convert it: openssl pkcs7 {form}-print_certs -in {file} -out {file}.pem");
        ("it is PKCS#7", command)
    };
    let text = String::from_utf8_lossy(bytes);
    let has = |label: &str| text.contains(&format!("-----BEGIN {label}-----"));
    if text.trim().is_empty() {
        return ("it is empty", String::new());
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let command = format!("to convert it: iconv -f UTF-16 -t UTF-8 {file} >{file}.pem");
        return ("it is UTF-16", command);
    }
    if has("PKCS7") || has("CMS") {
        return pkcs7("");
    }
    if has("TRUSTED CERTIFICATE") || has("X509 CERTIFICATE") {
        return (
            "its certificate is in a form of openssl's own",
            format!("to convert it: openssl x509 -in {file} -out {file}.pem"),
        );
    }
    if has("CERTIFICATE") {
        return ("what stands between BEGIN CERTIFICATE and END CERTIFICATE is damaged", String::new());
    }
    if has("CERTIFICATE REQUEST") || has("NEW CERTIFICATE REQUEST") {
        return ("it is the request for one", "the authority that was asked sends the certificate".to_owned());
    }
    if text.contains("PRIVATE KEY-----") {
        return key();
    }
    if text.contains("PUBLIC KEY-----") || text.starts_with("ssh-") || text.starts_with("ecdsa-") {
        return ("it is a public key", String::new());
    }
    if has("X509 CRL") {
        return ("it is a list of revoked ones", String::new());
    }
    if text.trim_start().starts_with('<') {
        return ("it is a web page", String::new());
    }
    // As Windows exports it, the length may be left open, so that only the beginning is looked at.
    if bytes.windows(SIGNED_DATA.len()).take(32).any(|part| part == SIGNED_DATA) {
        return pkcs7("-inform DER ");
    }
    let number = Reader::new(bytes).within(SEQUENCE).and_then(|mut inner| inner.take(INTEGER));
    match number {
        Some([3]) => {
            let command = format!("to convert it: openssl pkcs12 -in {file} -nokeys -out {file}.pem");
            return ("it is PKCS#12", command);
        }
        Some([0 | 1]) => return key(),
        _ => {}
    }
    let joined: String = text.split_ascii_whitespace().collect();
    let decoded = base64::engine::general_purpose::STANDARD.decode(joined).unwrap_or_default();
    if Certificate::read(&decoded).is_some() {
        let command = format!("to convert it: base64 -d {file} >{file}.der");
        return ("the lines BEGIN CERTIFICATE and END CERTIFICATE are missing", command);
    }
    ("it is neither PEM nor DER", String::new())
}
