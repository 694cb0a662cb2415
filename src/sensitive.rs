//! Values from outside that may be secrets: a private key where its path is expected, a password within a URL. One
//! place decides what is never repeated in a message nor sent in a path or a header, and how text from outside is
//! quoted.

mod shape;

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode;
use secrecy::zeroize::Zeroizing;

use crate::error::{Error, Result, withheld};
pub(crate) use shape::is_uuid;
use shape::{has_line, is_userinfo, login};

/// No name, login or fingerprint is longer, in characters.
const MAX_LEN: usize = 200;
/// What is longer than any key is searched so far and no further, in bytes.
const SEARCHED: usize = 512 * 1024;
/// A run of base64 that is shorter holds no key.
const SHORTEST_RUN: usize = 16;
/// A line of a key has as many letters and digits in a row, and a sentence has not.
const SHORTEST_BODY: usize = 20;
/// As many hexadecimal digits has a key at least.
const SHORTEST_HEX: usize = 64;
/// By so many a key in DER is known.
const DER_HEAD: usize = 64;
/// Base64 of base64 is looked into, and no deeper.
const DEPTH: u32 = 2;
/// What a request holds in a field of a telling name may be a word, if it is shorter.
const SHORTEST_SENT: usize = 6;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a value may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It is a private key, or holds one, perhaps encoded.
    Key,
    /// It may be a line of a key's middle, which has nothing to be known by.
    Line,
    /// It is a URL with a name or a password before its host.
    Login,
    /// The same without its scheme: `jill:secret@host`.
    Userinfo,
    /// It has a line end.
    Lines,
    /// It ends in a carriage return, as a line of a file from Windows does, and has no other line end.
    Return,
    /// It has more characters than any name.
    Long(usize),
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sort::Key => f.write_str("a key"),
            Sort::Line => f.write_str("what may be a line of a key"),
            Sort::Login => f.write_str("a URL with a name or a password"),
            Sort::Userinfo => f.write_str("a name with a password"),
            Sort::Lines => f.write_str("a line end"),
            Sort::Return => f.write_str("a carriage return (\\r) at its end"),
            Sort::Long(count) => write!(f, "{count} characters"),
        }
    }
}

/// What ends a line somewhere.
const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// What makes this value one that may be a secret: `None` where it can be shown.
pub fn sort(text: &str) -> Option<Sort> {
    if is_plain_name(text) {
        return None;
    }
    if is_key(text) {
        return Some(Sort::Key);
    }
    if login(text).is_some() || decodings(text.as_bytes()).any(|bytes| std::str::from_utf8(&bytes).is_ok_and(has_login))
    {
        return Some(Sort::Login);
    }
    if text.contains(LINE_ENDS) {
        let line = text.strip_suffix('\r').filter(|line| !line.contains(LINE_ENDS));
        return Some(if line.is_some() { Sort::Return } else { Sort::Lines });
    }
    match text.chars().count() {
        count if count > MAX_LEN => Some(Sort::Long(count)),
        _ if is_userinfo(text) => Some(Sort::Userinfo),
        _ if has_any_line(text) => Some(Sort::Line),
        _ => None,
    }
}

/// The same of text that may be long and have lines, such as a rule.
pub fn in_text(text: &str) -> Option<Sort> {
    match sort(text) {
        Some(Sort::Lines | Sort::Return | Sort::Long(_)) => has_any_line(text).then_some(Sort::Line),
        Some(Sort::Userinfo) => None,
        sort => sort,
    }
}

fn has_login(text: &str) -> bool {
    shape::behind_slashes(text).is_some()
}

/// Percent signs that stand for others are looked behind so many times.
const ENCODED: usize = 3;

fn has_any_line(text: &str) -> bool {
    has_line(text) || decodings(text.as_bytes()).any(|bytes| std::str::from_utf8(&bytes).is_ok_and(has_line))
}

/// The text without its percent signs, once and again.
fn decodings(bytes: &[u8]) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let decoded = |bytes: &[u8]| {
        let decoded: Zeroizing<Vec<u8>> = Zeroizing::new(percent_decode(bytes).collect());
        (bytes.contains(&b'%') && *decoded != bytes).then_some(decoded)
    };
    std::iter::successors(decoded(bytes), move |bytes| decoded(bytes)).take(ENCODED)
}

/// Whether this is a short name or a UUID in small letters, in which no secret can hide: most settings are, and they are asked
/// for by every command.
fn is_plain_name(text: &str) -> bool {
    let small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    // Ids are typed as often, and they have the same letters.
    text.bytes().all(small) && (text.len() < SHORTEST_RUN && !text.contains("openssh") || is_uuid(text))
}

/// Refuses a value that may be a secret. `what` is the setting, option or argument, and `expected` what belongs there.
///
/// # Errors
/// A usage error that does not repeat the value.
pub fn refuse(what: impl Display, text: &str, expected: impl Display) -> Result<()> {
    match sort(text) {
        None => Ok(()),
        Some(sort) => Err(Error::usage(format!("{what} holds {sort}, not {expected}"))),
    }
}

/// The same for the path of a file: one that leads to something is a path, whatever it looks like.
///
/// # Errors
/// As [`refuse`].
pub fn refuse_path(what: impl Display, path: &Path, expected: impl Display) -> Result<()> {
    match hidden(path) {
        None => Ok(()),
        Some(sort) => Err(Error::usage(format!("{what} holds {sort}, not {expected}"))),
    }
}

/// A value as it can be shown in a message: escaped, or what it is if it may be a secret.
pub fn shown(text: &str) -> Cow<'_, str> {
    match sort(text) {
        Some(sort) => format!("({sort}, not shown)").into(),
        None if text.chars().all(|letter| letter != '\\' && !letter.is_control()) => text.into(),
        None => text.escape_debug().to_string().into(),
    }
}

/// Free text as it can be quoted in a message, such as a tag or a word that was searched for: not endless.
pub fn quoted(text: &str) -> Cow<'_, str> {
    match sort(text) {
        // Nothing that a tag may not be.
        None | Some(Sort::Line | Sort::Userinfo) => text.into(),
        Some(sort @ Sort::Key) => format!("({sort}, not shown)").into(),
        Some(Sort::Login) => without_login(text).into(),
        Some(Sort::Lines | Sort::Return | Sort::Long(_)) if has_any_line(text) => {
            format!("({}, not shown)", Sort::Line).into()
        }
        Some(Sort::Lines | Sort::Return | Sort::Long(_)) => {
            // As a whole: what is cut would not be known any more.
            let text = withheld::without(text);
            let mut short: String = text.chars().take(MAX_LEN).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short.escape_debug().to_string().into()
        }
    }
}

/// A path as it can be shown in a message.
pub fn path(path: &Path) -> String {
    match hidden(path) {
        Some(sort) => format!("({sort}, not shown)"),
        None => path.display().to_string(),
    }
}

/// Why a path is not shown: it may be a secret, and leads to nothing.
pub(crate) fn hidden(path: &Path) -> Option<Sort> {
    // Asked first: it costs less than to look for a key in the path.
    if path.symlink_metadata().is_ok() {
        return None;
    }
    match sort(&path.to_string_lossy()) {
        Some(Sort::Long(_)) if is_new_file(path) => None,
        sort => sort,
    }
}

/// Whether this is to be made in a folder that is there, by a name in which no secret can be.
fn is_new_file(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let plain = path.file_name().is_some_and(|name| sort(&name.to_string_lossy()).is_none());
    plain && folder.is_some_and(Path::is_dir)
}

/// A URL as it can be shown in a message: without what stands before its host.
#[cfg(any(feature = "cli", test))]
pub fn url(text: &str) -> Cow<'_, str> {
    match sort(text) {
        Some(Sort::Login) => without_login(text).into(),
        _ => shown(text),
    }
}

/// What of a URL can be shown while it is not known to be a good one: neither what stands before its host, which may be
/// a password, nor what stands behind its path.
pub fn url_end(text: &str) -> Cow<'_, str> {
    let behind = text.rsplit('@').next().unwrap_or_default();
    let bare = behind.split(['?', '#']).next().unwrap_or_default();
    match sort(bare) {
        Some(_) if behind.len() < text.len() => "(a URL, not shown)".into(),
        _ => shown(bare),
    }
}

fn without_login(text: &str) -> String {
    // Encoded, it has no place of its own.
    let Some((scheme, rest)) = login(text) else { return "(a URL, not shown)".to_owned() };
    let kept = format!("{}***{rest}", if sort(scheme).is_some() { "…://" } else { scheme });
    // Two URLs in one text.
    if sort(rest).is_some() { "(a URL, not shown)".to_owned() } else { kept }
}

/// Whether somebody was to put a value, which may be a secret, in the place of a part of this: `$NAME`, `${NAME}`, `$(command)`, `{{ name }}`.
pub fn is_unexpanded(text: &str) -> bool {
    let is_name = |rest: &str| {
        let braced = rest.starts_with(['{', '(']);
        braced || rest.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_')
    };
    text.contains("{{") || text.split('$').skip(1).any(is_name)
}

/// Whether what has this name is a secret: passwords, tokens, secrets of access keys, and the metadata that holds them.
pub fn is_secret_name(name: &str) -> bool {
    const HOLD: &[&str] = &["pass", "pwd", "secret", "token", "private", "credential", "apikey"];
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    HOLD.iter().any(|word| letters.contains(word)) || name.to_ascii_lowercase().ends_with("_pw")
}

/// The same of a name that is not known to be one of the service's own, where more is hidden than needs to be: keys and
/// logins of other services, as metadata of machines holds them.
pub(crate) fn may_be_secret_name(name: &str) -> bool {
    // These name things, and are looked for in traces.
    const NAMES: &[&str] = &["public", "idempotency", "authorized", "host"];
    let lower = name.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
    let last = words.last().copied().unwrap_or_default();
    let of_key = last == "key" && words.len() > 1 && !words.iter().any(|word| NAMES.contains(word));
    is_secret_name(name) || of_key || matches!(last, "auth" | "pat" | "creds")
}

/// Remembers the texts within a value that has this name, and within its parts, where the name says that they are
/// secrets. What is as short as a word may be one.
pub(crate) fn remember_named(name: &str, value: &serde_json::Value) {
    remember_within(is_secret_name(name), value);
}

fn remember_within(secret: bool, value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) if secret && text.chars().count() >= SHORTEST_SENT => withheld::remember(text),
        serde_json::Value::Array(all) => all.iter().for_each(|value| remember_within(secret, value)),
        serde_json::Value::Object(all) => {
            all.iter().for_each(|(name, value)| remember_within(secret || is_secret_name(name), value));
        }
        _ => {}
    }
}

/// Whether this holds a private key: its armour, its beginning without armour, or either in base64.
pub fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes().get(..text.len().min(SEARCHED)).unwrap_or_default();
    holds_key(bytes, DEPTH) || decodings(bytes).any(|bytes| holds_key(&bytes, DEPTH))
}

/// Whether a sentence has a private key in it. One that only names the armour, or the file, has not.
pub fn has_key_in_it(text: &str) -> bool {
    let has_body = |bytes: &[u8]| {
        let mut words = bytes.split(|letter| !letter.is_ascii_alphanumeric());
        words.any(|word| word.len() >= SHORTEST_BODY)
    };
    let all = || std::iter::once(Zeroizing::new(text.as_bytes().to_vec())).chain(decodings(text.as_bytes()));
    // What is decoded is nothing that a sentence says.
    all().any(|bytes| hides_key(&bytes, DEPTH)) || all().any(|bytes| has_body(&bytes)) && is_key(text)
}

/// Words of a private key's file. The blank between may have been quoted, encoded, or become a line end.
const GAPS: &[&[u8]] = &[b" ", b"\t", b"\n", b"\r", b"\\", b"+", b"%20", b"\xc2\xa0"];
/// What it may have become too, or nothing at all, as in the names of variables: the armour has a `BEGIN` before it.
const DOUBTFUL_GAPS: &[&[u8]] = &[b"_", b"-", b".", b"#", b"/", b"|", b"~"];
/// How far before, in bytes.
const BEGINS: usize = 48;
const MARKS: &[&[u8]] = &[
    b"PuTTY-User-Key-File",
    b"openssh-key-v1",
    b"SSH PRIVATE KEY FILE",
    b"50524956415445204B4559",
    b"50524956415445204b4559",
];

fn holds_key(bytes: &[u8], depth: u32) -> bool {
    // In UTF-16 every second byte of such words is zero.
    let plain: Zeroizing<Vec<u8>> = Zeroizing::new(bytes.iter().copied().filter(|byte| *byte != 0).collect());
    let shows = has_armour(&plain) || MARKS.iter().any(|mark| find(&plain, mark)) || is_der_key(bytes);
    shows || is_jwk(&plain) || hides_key(&plain, depth)
}

/// Whether a key is in what this is the base64 or the hexadecimal digits of.
fn hides_key(plain: &[u8], depth: u32) -> bool {
    if depth == 0 || plain.len() < SHORTEST_RUN {
        return false;
    }
    let in_base64 = runs(plain).iter().any(|run| {
        (0..4).filter_map(|skip| run.get(skip..)).any(|run| {
            let whole = run.get(..run.len() - usize::from(run.len() % 4 == 1)).unwrap_or_default();
            let decoded = LENIENT.decode(whole).map(Zeroizing::new);
            decoded.is_ok_and(|decoded| holds_key(&decoded, depth - 1))
        })
    });
    let decoded = |run: &[u8]| -> Zeroizing<Vec<u8>> {
        Zeroizing::new(run.as_chunks().0.iter().map(|pair: &[u8; 2]| pair[0] << 4 | pair[1]).collect())
    };
    in_base64
        || hex_runs(plain).iter().any(|run| {
            // A word before it may end in letters that are digits, too.
            let begins = |at: usize| run.get(at..).is_some_and(|rest| rest.starts_with(&[3, 0]));
            let der = (0..run.len()).filter(|at| begins(*at)).any(|at| {
                let end = run.len().min(at + DER_HEAD);
                is_der_key(&decoded(run.get(at..end).unwrap_or_default()))
            });
            der || (0..2).filter_map(|skip| run.get(skip..)).any(|run| holds_key(&decoded(run), depth - 1))
        })
}

/// The runs of hexadecimal digits that are long enough for a key, as their values, with what stands between groups of
/// them taken out.
fn hex_runs(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut runs: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    // Almost nothing has as many of them.
    if bytes.iter().filter(|byte| byte.is_ascii_hexdigit()).count() < SHORTEST_HEX {
        return runs;
    }
    let mut run = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((byte, next)) = rest.split_first() {
        rest = next;
        match byte {
            b'0' if matches!(next.first(), Some(b'x' | b'X')) => rest = next.get(1..).unwrap_or_default(),
            b'\\' if matches!(next.first(), Some(b'n' | b'r' | b't' | b'x')) => {
                rest = next.get(1..).unwrap_or_default()
            }
            b':' | b'#' | b' ' | b',' | b'-' | b'.' | b'_' | b'\t' | b'\n' | b'\r' | b'\\' | b'"' | b'\'' => {}
            digit => match char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
                Some(digit) => run.push(digit),
                None if run.len() >= SHORTEST_HEX => {
                    runs.push(run);
                    run = Zeroizing::new(Vec::with_capacity(next.len()));
                }
                None => run.clear(),
            },
        }
    }
    if run.len() >= SHORTEST_HEX {
        runs.push(run);
    }
    runs
}

/// Looks for the first byte first: this is asked of every setting of every command.
fn find(bytes: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return true };
    let mut at = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    at.any(|(at, _)| bytes.get(at..).is_some_and(|rest| rest.starts_with(word)))
}

/// `PRIVATE KEY`, however the gap is written.
fn has_armour(bytes: &[u8]) -> bool {
    let word = b"PRIVATE";
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'P').map(|(at, _)| at);
    starts.filter(|at| bytes.get(*at..).is_some_and(|rest| rest.starts_with(word))).any(|at| {
        let mut rest = bytes.get(at + word.len()..).unwrap_or_default();
        let mut gaps = 0;
        while let Some(next) = GAPS.iter().find_map(|gap| rest.strip_prefix(*gap)) {
            (rest, gaps) = (next, gaps + 1);
        }
        if gaps > 0 && rest.starts_with(b"KEY") {
            return true;
        }
        while let Some(next) = DOUBTFUL_GAPS.iter().chain(GAPS).find_map(|gap| rest.strip_prefix(*gap)) {
            rest = next;
        }
        let before = bytes.get(at.saturating_sub(BEGINS)..at).unwrap_or_default();
        rest.starts_with(b"KEY") && (find(before, b"BEGIN") || rest.starts_with(b"KEY-----"))
    })
}

/// A key as JSON, with its secret part.
fn is_jwk(bytes: &[u8]) -> bool {
    find(bytes, b"\"kty\"") && (find(bytes, b"\"d\"") || find(bytes, b"\"k\""))
}

/// The beginning of a private key in DER: PKCS#1, SEC1 and PKCS#8, the last also encrypted by PBES2.
fn is_der_key(bytes: &[u8]) -> bool {
    let inside = |bytes: &[u8]| -> Option<Vec<u8>> {
        let (tag, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first()?;
        let skip = if length & 0x80 == 0 { 0 } else { usize::from(length & 0x7f) };
        (*tag == 0x30 && skip <= 4).then(|| rest.get(skip..).unwrap_or_default().to_vec())
    };
    let Some(body) = inside(bytes) else { return false };
    let version = matches!(body.as_slice(), [2, 1, 0, 0x30 | 2, ..] | [2, 1, 1, 4 | 0x30, ..]);
    version || inside(&body).is_some_and(|body| body.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"))
}

/// The runs of base64, of either alphabet, with what breaks lines taken out.
fn runs(bytes: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut runs: Vec<Zeroizing<Vec<u8>>> = Vec::new();
    // As long as all of it: a buffer that grows leaves copies behind that nobody wipes.
    let mut run = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut rest = bytes;
    while let Some((byte, next)) = rest.split_first() {
        rest = next;
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => run.push(*byte),
            // What stands before is a dash of an option.
            b'-' if run.is_empty() => {}
            b'-' => run.push(b'+'),
            b'_' => run.push(b'/'),
            b'\\' if matches!(next.first(), Some(b'n' | b'r' | b't')) => rest = next.get(1..).unwrap_or_default(),
            b'#' | b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'"' | b'\'' => {}
            _ => {
                if run.len() >= SHORTEST_RUN {
                    runs.push(run);
                    run = Zeroizing::new(Vec::with_capacity(next.len()));
                } else {
                    run.clear();
                }
            }
        }
    }
    if run.len() >= SHORTEST_RUN {
        runs.push(run);
    }
    runs
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";

    #[test]
    fn what_nobody_put_a_value_in_the_place_of_is_known() {
        for text in ["${{ secrets.KEY }}", "https://$HOST", "$(cat key)", "a${b}", "{{ url }}", "$_", "~/$USER/key"] {
            assert!(is_unexpanded(text), "{text}");
        }
        for text in ["", "$", "cost$", "100$ a", "a$b", "{}", "key with space", "$1"] {
            assert!(!is_unexpanded(text), "{text}");
        }
    }

    #[test]
    fn a_private_key_is_known_in_every_dress() {
        let wide = |order: fn(u16) -> [u8; 2]| PEM.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let texts = [PEM.as_bytes().to_vec(), wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
        for text in &texts {
            for pad in ["", "x", "xx", "xxx"] {
                let padded = [pad.as_bytes(), text].concat();
                let coded = STANDARD.encode(&padded);
                for coded in [coded.clone(), URL_SAFE_NO_PAD.encode(&padded), STANDARD.encode(&coded)] {
                    assert_eq!(sort(&coded), Some(Sort::Key), "{pad} {coded}");
                    let wrapped = coded.as_bytes().chunks(60).map(String::from_utf8_lossy).collect::<Vec<_>>();
                    for between in ["\n", " ", "\\n", "\r\n", "#"] {
                        assert_eq!(sort(&wrapped.join(between)), Some(Sort::Key), "{between:?}");
                    }
                    assert_eq!(sort(&format!("key={coded}&more")), Some(Sort::Key));
                }
            }
        }
        for between in [" ", "\\n", "#", ""] {
            assert_eq!(sort(&PEM.replace('\n', between)), Some(Sort::Key));
        }
        // As hexadecimal digits: the DER, its base64, and the armour, in whatever groups.
        let der = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g").unwrap();
        for bytes in [der.clone(), STANDARD.encode(&der).into_bytes(), PEM.as_bytes().to_vec()] {
            let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for between in ["", " ", ":", "\n", ", ", "-"] {
                let hex = pairs.join(between);
                for text in [
                    hex.clone(),
                    hex.to_uppercase(),
                    format!("x={hex}"),
                    format!("0x{}", pairs.join(" 0x")),
                    format!("decode {hex}"),
                ] {
                    assert_eq!(sort(&text), Some(Sort::Key), "{text}");
                    assert!(has_key_in_it(&text), "{text}");
                }
            }
        }
        let lines: Vec<String> =
            der.chunks(30).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
        assert_eq!(sort(&STANDARD.encode(lines.join("\n"))), Some(Sort::Key));
        // In pieces that are shorter than any word of a sentence may be.
        let coded = STANDARD.encode(&der);
        let pieces: Vec<_> = coded.as_bytes().chunks(10).map(String::from_utf8_lossy).collect();
        assert!(has_key_in_it(&format!("x={}", pieces.join(" "))));
        for text in [
            "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ",
            "-----BEGIN%20RSA%20PRIVATE%20KEY-----",
            "-----BEGIN+RSA+PRIVATE+KEY-----",
            "'-----BEGIN\\ RSA\\ PRIVATE\\ KEY-----",
            "PuTTY-User-Key-File-3: ssh-ed25519",
            "-----BEGIN_OPENSSH_PRIVATE_KEY-----",
            "-----BEGINOPENSSHPRIVATEKEY-----",
            "-----BEGINPRIVATEKEY-----MC4CAQAwBQYDK2VwBCIEIJ1hsZ",
            "-----BEGIN%2520RSA%2520PRIVATE%2520KEY-----",
            "%2D%2D%42%45%47%49%4E%20%52%53%41%20%50%52%49%56%41%54%45%20%4B%45%59%2D%2D",
            "%252D%2542%2545%2547%2549%254E%2520%2550%2552%2549%2556%2541%2554%2545%2520%254B%2545%2559",
            "x=MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v%2FVpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
        ] {
            assert_eq!(sort(text), Some(Sort::Key), "{text}");
            assert!(!shown(text).contains(text) && !quoted(text).contains(text));
        }
    }

    #[test]
    fn names_fingerprints_and_paths_are_no_secrets() {
        for text in [
            "",
            "web1",
            "SHA256:cJWC62VOZ5ZyQ6bbM2rCMTdT5yLRX4bJf8HGFs4zO3w",
            "2e:c9:f9:89:ec:78:04:5d:ff:fd:74:88:f3:a5:18:a5",
            "/home/jill/private_key.pem",
            "SSH_PRIVATE_KEY",
            "DEPLOY_RSA_PRIVATE_KEY_FILE=/run/secrets/BEGIN",
            "my-long-branch-name-2024-11-28-fix_the_thing-and-then-another_thing-too",
            "Release-2024-11-28_Build-1234_Fix-The-Thing_For-Customer-ABC-Inc-v2",
            "JIRA-1234_FixTheThing-OfTheDay_2024-11-28T10-15-00Z_Build42-RC1-final",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "nginx@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256/cJWC62VOZ5ZyQ6bbM2rCMTdT5yLRX4bJf8HGFs4zO3w=",
            "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg_SpIdNs6c5H0NE8XYXysP-DGNKHfuwvY7kxvUdBeoGlODJ6-SfaPg",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "a5894692-bd32-4ca1-908a-e2dda3c3a5e6,A5894692-BD32-4CA1-908A-E2DDA3C3A5E6",
            "Backup_A5894692-BD32-4CA1-908A-E2DDA3C3A5E6_web-prod-host-01_snapshot-2",
            "/Users/JillSmith/Projects/MyCompany/TritonInfrastructure2024/ansible/Keys",
            "/opt/BuildAgent/Work/3F2A9C11/MyService.Tests/bin/Release/net8.0/Logs",
            "base-64-lts@22.4.0",
            "MyLongNameOfATag2024Release=",
            "role=web,Env=Prod2024,Owner=JillSmith42,CostCenter=A1B2C3",
            "~/.ssh/id_rsa",
            "https://cloudapi.example.com:8443/a@b",
            "jill@bastion",
            "my private key",
            "web1:/tmp/a@b",
            "jill@web1:a@b",
            "see: jill@example.com",
            "http://127.0.0.1:8080/a@b",
            "http://[::1]:8080",
            "//server/share",
            "SHA512:YCoGXCUZwYVDdLzvGcTTVbEwxmQmHpLeLxwbx1xXnzLYUpUtGPjuTrMXkqa6pBGwj6OPdVpFYJLQJpbfGcTrkA",
            "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
            "/Users/Jill/Documents/Projects2026/CloudKeys/Production/SecondDatacenter/IdRsa",
            "AnEntirelyReadableNameOfAMachineThatSomebodyTypedOneDayInTheYear2026",
            "https://cloud.example.com:443",
            "a5894692-bd32-4ca1-908a-e2dda3c3a5e6",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFKdhlUv4bWYR1pXxYMr9LXOiPdEKfFVZXSWeyrnWM2P jill@example.com",
        ] {
            assert_eq!(sort(text), None, "{text}");
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn of_a_url_the_name_and_the_password_are_left_out() {
        for (text, expected) in [
            ("https://jill:pw@host/x", "https://***@host/x"),
            ("http://jill@host", "http://***@host"),
            ("http://jill:p/w@host:80", "http://***@host:80"),
            ("http://jill:p@w@host", "http://***@host"),
            ("http:/jill:pw@host", "http:/***@host"),
            ("http:jill:pw@host", "http:***@host"),
            ("//jill:pw@host", "//***@host"),
            ("https:/jill:pw@host", "https:/***@host"),
            ("https:\\jill:pw@host", "https:\\***@host"),
            ("--url=http:/jill:pw@host", "--url=http:/***@host"),
            ("http://jill:pw%40host:1", "http://***"),
            ("http://jill:pw", "http://***"),
            ("http://jill:2:1", "http://***"),
            ("//jill%40host:1", "//***"),
            ("x=//jill:pw@host", "x=//***@host"),
            ("http\u{ff1a}//jill:PW@host", "http\u{ff1a}//***@host"),
            ("http\u{ff1a}//jill:P/W@host/x", "http\u{ff1a}//***@host/x"),
            ("http\u{ff1a}\u{ff0f}\u{ff0f}jill\u{ff1a}PW\u{ff20}host", "http\u{ff1a}\u{ff0f}\u{ff0f}***\u{ff20}host"),
            ("see http://a/b and http\u{ff1a}//jill:PW@host", "see http://a/b and http\u{ff1a}//***@host"),
            ("\\\\jill:pw@host", "\\\\***@host"),
            ("http%3A%2F%2Fjill%3Apw%40host", "(a URL, not shown)"),
            ("x%252F%252Fjill:pw@host", "(a URL, not shown)"),
        ] {
            assert_eq!(sort(text), Some(Sort::Login), "{text}");
            assert_eq!(url(text), expected);
            assert_eq!(quoted(text), expected);
            assert!(!shown(text).contains("jill"));
        }
    }

    #[test]
    fn a_name_with_a_password_and_a_line_of_a_key_are_shown_to_nobody() {
        for text in ["jill:pw@host", "jill:p/w@host:80", "jill:pw%40host", "jill%3Apw%40host", "a:b:c@host/x"] {
            assert_eq!(sort(text), Some(Sort::Userinfo), "{text}");
            assert_eq!(url(text), "(a name with a password, not shown)");
        }
        // Lines of OpenSSH's, and of PKCS#8.
        for text in [
            "QyNTUxOQAAACAxDrVJb8P3JIYVtGT2fE7g0QyWl3VUnQ6vRhVx7yzKcwAAAJjLwK3Uy8Ct",
            "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8LZtPzR5bGxM4eWkYfU+VoiSgA1hNj/CwBrE",
            "name=Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8LZtPzR5bGxM4eWkYfU+VoiSgA1hNj/CwBrE",
        ] {
            assert_eq!(sort(text), Some(Sort::Line), "{text}");
            assert!(!shown(text).contains("Oa9nDqHc3y8LZ") && !shown(text).contains("fE7g0QyWl3VUnQ6"));
            assert_eq!(quoted(text), text, "a tag may be so");
        }
        // In the letters of URLs, encoded, and a padded end. An end without its padding may as well be a name.
        for text in [
            "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8-ZtPzR5bGxM4eWkYfU_VoiSgA1hNj_CwBrE",
            "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8%2BZtPzR5bGxM4eWkYfU%2FVoiSgA1hNj%2FCwBrE",
            "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8%252BZtPzR5bGxM4eWkYfU%252FVoiSgA1hNj%252FCwBrE",
            "AAAEC9nDqHc3y8LZtPzR5bGxM4eWkQ==",
            "x AAAEC9nDqHc3y8LZtPzR5bGxM4eWkQ== y",
            // Where the exponents of an RSA key are, letters change less than elsewhere.
            "WSEJ9APmgnjKphZIxb+VEAFRpyxkp4veijmnuQIDAQABAoIBACY7PxR/Fgyxtjm1",
            "/acme/machines/xb+VEAFRpyxkp4veijmnuQIDAQABAoIBACY7PxRFgyxtjm1?a=b",
        ] {
            assert_eq!(sort(text), Some(Sort::Line), "{text}");
        }
        assert_eq!(sort("AAAEC9nDqHc3y8LZtPzR5bGxM4eWkQ"), None);
        // Nearly all that chance makes, of the length of a line.
        let random = |seed: u8| {
            let digest = |half: u8| ring::digest::digest(&ring::digest::SHA256, &[seed, half]);
            STANDARD.encode([digest(0).as_ref(), digest(1).as_ref()].concat())[..64].to_owned()
        };
        assert!((0..=255).filter(|seed| sort(&random(*seed)) == Some(Sort::Line)).count() >= 255);
        let in_urls = |seed: u8| random(seed).replace('+', "-").replace('/', "_");
        assert!((0..=255).filter(|seed| sort(&in_urls(*seed)) == Some(Sort::Line)).count() >= 254);
    }

    #[test]
    fn a_sentence_may_speak_of_keys_and_may_not_hold_one() {
        assert!(!has_key_in_it("/home/jill/keys/id_rsa is cut short: its RSA PRIVATE KEY block has no END line"));
        assert!(has_key_in_it(&format!("'{PEM}' is not NAME=VALUE")));
        assert!(has_key_in_it(&format!("{:?} is not NAME=VALUE", PEM)));
        assert!(!has_key_in_it("select(.x==\"PRIVATE KEY\")"));
        assert_eq!(in_text(&format!("FROM any TO {}", "tag a = b OR ".repeat(40))), None);
        let lines = "Z6vTqT2F1dQKxJp7s0Oa9nDqHc3y8LZtPzR5bGxM4eWkYfU+VoiSgA1hNj/CwBrE ".repeat(4);
        assert_eq!(in_text(&lines), Some(Sort::Line));
        assert!(!quoted(&lines).contains("Oa9nDqHc3y8LZ"));
    }

    #[test]
    fn free_text_is_quoted_within_bounds() {
        let long = "é".repeat(300);
        assert_eq!(quoted(&long).chars().count(), MAX_LEN + 1);
        assert_eq!(quoted("a\nb"), "a\\nb");
        assert_eq!(shown(&long), "(300 characters, not shown)");
        assert_eq!(shown("a\nb"), "(a line end, not shown)");
    }
}
