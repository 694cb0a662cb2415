//! A certificate's fields, for messages and for certificates that were trusted byte for byte: those may be of X.509
//! v1, or be an authority's own, which rustls-webpki refuses. Reads borrowed bytes, trusts no length, and decides
//! nothing: a chain of signatures is webpki's business.

use std::net::IpAddr;

use crate::der::{BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

const BOOLEAN: u8 = 0x01;
const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]` and `[3]`, constructed: the version and the extensions.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `[1]` and `[2]`: unique identifiers, which nobody uses.
const UNIQUE: [u8; 2] = [0x81, 0x82];
/// `[2]`, `[6]` and `[7]` of a GeneralName.
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;

const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
const ISSUER_AT: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// The parts of a name that are shown, in the form that openssl shows.
const PARTS: &[(&[u8], &str)] = &[
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (COMMON_NAME, "CN"),
];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The longest text of a certificate that is shown, in letters.
const MAX_LEN: usize = 120;

/// A certificate that has been read. Everything borrows from its bytes.
pub(super) struct Certificate<'a> {
    /// 1 to 3.
    pub version: u8,
    /// Who signed it: the contents of a Name.
    pub issuer: &'a [u8],
    /// Whose it is: the contents of a Name.
    pub subject: &'a [u8],
    /// Seconds since 1970.
    pub not_before: Option<i64>,
    pub not_after: Option<i64>,
    pub key: PublicKey<'a>,
    /// The object identifier of the algorithm that signed it.
    pub signed_with: &'a [u8],
    /// `subjectAltName`, if there is that extension.
    pub names: Option<Vec<Name<'a>>>,
    /// What the extension `basicConstraints` says, if there is one.
    pub authority: Option<bool>,
    /// Where its issuer's certificate can be fetched.
    pub issuer_at: Option<&'a str>,
}

/// A SubjectPublicKeyInfo.
pub(super) struct PublicKey<'a> {
    /// The whole of it.
    pub info: &'a [u8],
    /// The contents of its AlgorithmIdentifier.
    pub algorithm: &'a [u8],
    /// The key's own octets.
    pub octets: &'a [u8],
}

/// What a certificate is for.
pub(super) enum Name<'a> {
    Dns(&'a str),
    Ip(IpAddr),
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Name::Dns(name) => f.write_str(&shown(name)),
            Name::Ip(address) => write!(f, "{address}"),
        }
    }
}

impl<'a> Certificate<'a> {
    /// Reads one; `None` for anything else, and for one with more behind it.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut all = Reader::new(der);
        let mut outer = all.within(SEQUENCE)?;
        if !all.is_empty() {
            return None;
        }
        let mut fields = outer.within(SEQUENCE)?;
        let signed_with = outer.within(SEQUENCE)?.take(OID)?;
        outer.take(BIT_STRING)?;

        let version = match fields.within(VERSION) {
            None => 1,
            Some(mut version) => match version.take(INTEGER)? {
                [number @ 0..=2] => number + 1,
                _ => return None,
            },
        };
        fields.take(INTEGER)?;
        fields.take(SEQUENCE)?;
        let issuer = fields.take(SEQUENCE)?;
        let mut validity = fields.within(SEQUENCE)?;
        let (not_before, not_after) = (time(validity.any()?), time(validity.any()?));
        let subject = fields.take(SEQUENCE)?;
        let info = fields.whole(SEQUENCE)?;
        let mut key = Reader::new(info).within(SEQUENCE)?;
        let key = PublicKey { info, algorithm: key.take(SEQUENCE)?, octets: key.bits()? };
        let mut read = Certificate {
            version,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            signed_with,
            names: None,
            authority: None,
            issuer_at: None,
        };
        for tag in UNIQUE {
            fields.take(tag);
        }
        if let Some(mut extensions) = fields.within(EXTENSIONS) {
            let mut extensions = extensions.within(SEQUENCE)?;
            while !extensions.is_empty() {
                read.extension(extensions.within(SEQUENCE)?)?;
            }
        }
        Some(read)
    }

    fn extension(&mut self, mut extension: Reader<'a>) -> Option<()> {
        let oid = extension.take(OID)?;
        extension.take(BOOLEAN);
        let value = extension.take(OCTET_STRING)?;
        if oid == ALTERNATIVE_NAMES {
            self.names = Some(names(value).unwrap_or_default());
        } else if oid == BASIC_CONSTRAINTS {
            let mut constraints = Reader::new(value).within(SEQUENCE)?;
            self.authority = Some(constraints.take(BOOLEAN).is_some_and(|flag| flag == [0xff]));
        } else if oid == AUTHORITY_ACCESS {
            self.issuer_at = issuer_at(value);
        }
        Some(())
    }

    /// Whether its issuer is itself, by name.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether other certificates may be signed by it, as openssl sees it: it says so, or is a root so old that
    /// it cannot say.
    pub(super) fn may_sign(&self) -> bool {
        self.authority.unwrap_or(self.version == 1 && self.is_self_issued())
    }

    /// The names it is for: those of `subjectAltName`; the common names only where there is no such extension.
    pub(super) fn hosts(&self) -> Vec<Name<'_>> {
        let common = || {
            let names = attributes(self.subject).filter(|(oid, _)| *oid == COMMON_NAME);
            names.filter_map(|(_, (_, bytes))| std::str::from_utf8(bytes).ok()).map(|name| match name.parse() {
                Ok(address) => Name::Ip(address),
                Err(_) => Name::Dns(name),
            })
        };
        match &self.names {
            Some(names) => names
                .iter()
                .map(|name| match name {
                    Name::Dns(name) => Name::Dns(name),
                    Name::Ip(address) => Name::Ip(*address),
                })
                .collect(),
            None => common().collect(),
        }
    }

    /// The bits of an RSA key's modulus.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        let oid = Reader::new(self.key.algorithm).take(OID)?;
        let modulus = Reader::new(self.key.octets).within(SEQUENCE)?.positive()?;
        let first = modulus.first().map_or(0, |first| first.leading_zeros() as usize);
        (oid == RSA).then_some(modulus.len() * 8 - first)
    }
}

/// Whether the name is that of this host. A star stands for one whole label, the first, with two or more behind it.
pub(super) fn fits(name: &Name<'_>, host: &rustls::pki_types::ServerName<'_>) -> bool {
    use rustls::pki_types::ServerName;
    match (name, host) {
        (Name::Ip(address), ServerName::IpAddress(host)) => *address == IpAddr::from(*host),
        (Name::Dns(name), ServerName::DnsName(host)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let host = host.as_ref();
            let host = host.strip_suffix('.').unwrap_or(host);
            match name.strip_prefix("*.") {
                Some(rest) => {
                    let behind = host.split_once('.').filter(|(first, _)| !first.is_empty());
                    rest.contains('.') && behind.is_some_and(|(_, behind)| behind.eq_ignore_ascii_case(rest))
                }
                None => !name.is_empty() && name.eq_ignore_ascii_case(host),
            }
        }
        _ => false,
    }
}

/// A Name as text: `O=Example, CN=cloud.example.com`.
pub(super) fn words(name: &[u8]) -> String {
    let parts = attributes(name).filter_map(|(oid, text)| {
        let (_, short) = PARTS.iter().find(|(known, _)| *known == oid)?;
        Some(format!("{short}={}", decoded(text)))
    });
    let all = parts.collect::<Vec<_>>().join(", ");
    if all.is_empty() { "(no name)".to_owned() } else { shown(&all) }
}

/// An object identifier with dots.
pub(super) fn dotted(oid: &[u8]) -> String {
    let (mut numbers, mut number) = (Vec::new(), 0_u64);
    for byte in oid.iter().take(40) {
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.push(first.to_string());
                number -= first * 40;
            }
            numbers.push(number.to_string());
            number = 0;
        }
    }
    numbers.join(".")
}

/// The attributes of a Name: which, and its tag and octets.
fn attributes(name: &[u8]) -> impl Iterator<Item = (&[u8], (u8, &[u8]))> {
    let mut sets = Reader::new(name);
    std::iter::from_fn(move || {
        let mut pair = sets.within(SET)?.within(SEQUENCE)?;
        Some((pair.take(OID)?, pair.any()?))
    })
}

/// Text as X.500 has it: UTF-8, UTF-16 (BMPString), or what is taken for Latin-1.
fn decoded((tag, bytes): (u8, &[u8])) -> String {
    match (tag, std::str::from_utf8(bytes)) {
        (0x1e, _) => {
            let units: Vec<u16> = bytes
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |sum, byte| (sum << 8) | u16::from(*byte)))
                .collect();
            String::from_utf16_lossy(&units)
        }
        (_, Ok(text)) => text.to_owned(),
        (_, Err(_)) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Bounded, and without what would steer a terminal.
fn shown(text: &str) -> String {
    let mut letters = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
    let mut shown: String = letters.by_ref().take(MAX_LEN).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

fn names(value: &[u8]) -> Option<Vec<Name<'_>>> {
    let mut list = Reader::new(value).within(SEQUENCE)?;
    let mut names = Vec::new();
    while let Some((tag, bytes)) = list.any() {
        let name = match tag {
            DNS_NAME => std::str::from_utf8(bytes).ok().map(Name::Dns),
            IP_ADDRESS => <[u8; 4]>::try_from(bytes)
                .map(IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
                .ok()
                .map(Name::Ip),
            _ => None,
        };
        names.extend(name);
    }
    Some(names)
}

fn issuer_at(value: &[u8]) -> Option<&str> {
    let mut list = Reader::new(value).within(SEQUENCE)?;
    while let Some(mut access) = list.within(SEQUENCE) {
        if access.take(OID)? == ISSUER_AT
            && let Some(url) = access.take(URI).and_then(|bytes| std::str::from_utf8(bytes).ok())
            && is_plain(url)
        {
            return Some(url);
        }
    }
    None
}

/// Whether a URL can stand in a command that somebody copies: a certificate's text is anybody's.
fn is_plain(url: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/%".contains(letter);
    url.len() <= 200 && (url.starts_with("http://") || url.starts_with("https://")) && url.chars().all(plain)
}

/// Seconds since 1970 of a UTCTime or GeneralizedTime in the form that DER allows.
fn time((tag, text): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    if rest.len() != 10 {
        return None;
    }
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let date = jiff::civil::DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}
