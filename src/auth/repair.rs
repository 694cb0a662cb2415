//! Keys that were damaged on their way through variables, CI settings and clipboards: line breaks that became blanks or
//! `\n`, base64 of the whole file, UTF-16, quotes. What was wrong is known, so that an error can say it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::zeroize::Zeroizing;

use crate::der::{self, Reader};
use crate::error::quoted;

/// Base64 of base64 of a key, and no more.
const DEPTH: u32 = 2;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is UTF-16.
    Utf16,
    /// It was encoded by base64 as a whole.
    Base64,
    /// There are quotes around it.
    Quotes,
    /// `\n` stands for its line breaks.
    Backslashes,
    /// This sign stands for its line breaks.
    Sign(char),
    /// Its line breaks became blanks, or are lost.
    OneLine,
    /// It was encoded for a URL.
    Percent,
    /// It was written in hexadecimal digits as a whole.
    Hex,
    /// It was packed by gzip, and that encoded by base64.
    Packed,
    /// Its first or last line is missing or damaged.
    Armour,
}

impl Damage {
    pub(super) fn words(self) -> String {
        let words = match self {
            Damage::Utf16 => "it is UTF-16",
            Damage::Base64 => "it is base64 of a file",
            Damage::Quotes => "it has quotes around it",
            Damage::Backslashes => "\\n stands for its line breaks",
            Damage::Sign(sign) => return format!("{sign} stands for its line breaks"),
            Damage::OneLine => "its line breaks are lost",
            Damage::Percent => "it is encoded for a URL",
            Damage::Hex => "it is written in hexadecimal digits",
            Damage::Packed => "it is base64 of a file that gzip packed",
            Damage::Armour => "its BEGIN or END line is missing or damaged",
        };
        words.to_owned()
    }

    /// The command that repairs the file of this name, or what the variable of this name holds.
    pub(super) fn command(self, file: &str) -> String {
        let by_sign: String;
        let filter = match self {
            Damage::Utf16 => "iconv -f UTF-16 -t UTF-8",
            Damage::Base64 => "base64 -d",
            Damage::Quotes => "{ tr -d \"'\\\"\"; echo; }",
            Damage::Backslashes => "sed 's/\\\\n/\\n/g'",
            Damage::Sign(sign) => {
                by_sign = format!("{{ tr '{sign}' '\\n'; echo; }}");
                &by_sign
            }
            Damage::Hex => "xxd -r -p",
            Damage::Packed => "base64 -d | gunzip",
            Damage::OneLine => "sed -E 's/ *(-----(BEGIN|END)[A-Z ]+-----) */\\n\\1\\n/g' | sed '/-----/!s/ /\\n/g'",
            Damage::Percent | Damage::Armour => {
                return format!("copy {} anew, complete from its BEGIN to its END line", quoted(file));
            }
        };
        let is_variable = file.contains('_') && file.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
        let name = quoted(file);
        private(&match (is_variable, filter.split_once(" | ")) {
            (true, _) => format!("printf '%s\\n' \"${file}\" | {filter} > FILE"),
            (false, Some((first, rest))) => format!("{first} {name} | {rest} > {name}.new"),
            (false, None) => format!("{filter} < {name} > {name}.new"),
        })
    }
}

/// A command that writes a key, so that nobody else can read what it writes.
pub(super) fn private(command: &str) -> String {
    format!("(umask 077; {command})")
}

/// Text of a key, wiped when dropped.
type Text = Zeroizing<String>;

/// The key as it was before, and what happened to it last; `None` where nothing is known that could have happened.
pub(super) fn repaired(bytes: &[u8]) -> Option<(Damage, Text)> {
    repair(bytes, DEPTH)
}

fn repair(bytes: &[u8], depth: u32) -> Option<(Damage, Text)> {
    let (mut damage, text) = match utf16(bytes) {
        Some(text) => (Some(Damage::Utf16), text),
        None => (None, Zeroizing::new(std::str::from_utf8(bytes).ok()?.to_owned())),
    };
    let mut rest = text.trim_start_matches('\u{feff}').trim().trim_end_matches([',', ';']);
    for (begin, end) in [("\"", "\""), ("'", "'"), ("$'", "'"), ("\\\"", "\\\""), ("`", "`")] {
        if let Some(inner) = rest.strip_prefix(begin) {
            // One quote alone is as wrong as two.
            rest = inner.strip_suffix(end).unwrap_or(inner).trim();
            damage = damage.or(Some(Damage::Quotes));
        } else if let Some(inner) = rest.strip_suffix(end).filter(|inner| inner.ends_with("-----")) {
            rest = inner.trim();
            damage = damage.or(Some(Damage::Quotes));
        }
    }
    let decoded: Text;
    if ["BEGIN%20", "KEY-----%0"].iter().any(|part| rest.contains(part)) {
        decoded = Zeroizing::new(percent_encoding::percent_decode_str(rest).decode_utf8_lossy().into_owned());
        rest = decoded.trim();
        damage = damage.or(Some(Damage::Percent));
    }
    if let Some((found, text)) = armoured(rest) {
        return Some((damage.unwrap_or(found), text));
    }
    let hex = whole_hex(rest);
    damage = damage.or(hex.as_ref().map(|_| Damage::Hex));
    let bytes = hex.or_else(|| whole_base64(rest))?;
    if let Some(label) = label_of(&bytes) {
        return Some((
            damage.unwrap_or(Damage::Armour),
            armour(label, "", base64::engine::general_purpose::STANDARD.encode(&bytes).chars()),
        ));
    }
    if depth == 0 {
        return None;
    }
    let damage = damage.unwrap_or(Damage::Base64);
    repair(&bytes, depth - 1).map(|(_, text)| (damage, text))
}

/// UTF-16 with its mark, or without where every second byte is zero.
pub(super) fn utf16(bytes: &[u8]) -> Option<Text> {
    let (pairs, little) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        [first, 0, _, 0, ..] if *first != 0 => (bytes, true),
        [0, first, 0, _, ..] if *first != 0 => (bytes, false),
        _ => return None,
    };
    let units = pairs.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok());
    let units = units.map(|pair| if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) });
    // Room for all of it at once, since a buffer that grows leaves copies behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    char::decode_utf16(units).for_each(|letter| text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(text)
}

/// The private key between its BEGIN and END, whatever became of the lines and the dashes; written anew.
fn armoured(text: &str) -> Option<(Damage, Text)> {
    let (label, body, mut damage) = match (between(text), without_begin(text)) {
        (Some(found), _) | (None, Some(found)) => found,
        (None, None) => return None,
    };
    let mut plain = Zeroizing::new(String::with_capacity(body.len() + 16));
    let mut rest = body;
    let mut lines = 0;
    while let Some(letter) = rest.chars().next() {
        let next = rest.get(letter.len_utf8()..).unwrap_or_default();
        let (space, next) = match letter {
            '\\' => {
                let next = next.trim_start_matches('\\');
                damage = damage.or(Some(Damage::Backslashes));
                (true, next.strip_prefix(['n', 'r', 't']).unwrap_or(next))
            }
            // A comma stands in the headers of old encrypted files too.
            ',' if plain.ends_with("-CBC") => (false, next),
            sign if SIGNS.contains(&sign) => {
                damage = damage.or(Some(Damage::Sign(sign)));
                (true, next)
            }
            '\n' => {
                lines += 1;
                (true, next)
            }
            '"' | '\'' => (true, next),
            letter => (letter.is_whitespace(), next),
        };
        plain.push(if space { '\n' } else { letter });
        rest = next;
    }
    if lines < 2 {
        damage = damage.or(Some(Damage::OneLine));
    }
    let (headers, base64) = headers(&plain);
    Some((damage.unwrap_or(Damage::Armour), armour(label, &headers, base64.chars().filter(|c| !c.is_whitespace()))))
}

/// Signs that are none of base64's nor of the headers', and so can stand for a line break.
const SIGNS: &[char] = &['#', ',', ';', '|', '~', '^', '!', '*', '@', '$', '&', '_', '?', '.', '<', '>'];

type Part<'a> = (&'a str, &'a str, Option<Damage>);

/// Label and body between `BEGIN … PRIVATE KEY` and its END, with any number of dashes.
fn between(text: &str) -> Option<Part<'_>> {
    let mut from = text;
    loop {
        let (_, rest) = from.split_once("BEGIN ")?;
        let (label, rest) = private_label(rest).unwrap_or(("", rest));
        let end = rest.find(&format!("END {label}")).filter(|_| !label.is_empty() && !label.starts_with("SSH2"));
        if let Some(end) = end {
            let begun = text.contains(&format!("-----BEGIN {label}-----"));
            // What is cut off within its last line may be cut off anywhere.
            let ended = text.contains(&format!("-----END {label}-----"));
            if begun && !ended {
                return None;
            }
            let body = rest.get(..end)?.trim_start_matches('-').trim_end_matches('-');
            return Some((label, body, (!begun || !ended).then_some(Damage::Armour)));
        }
        from = rest;
    }
}

/// The same where the BEGIN line is lost, and all before the END line is the key.
fn without_begin(text: &str) -> Option<Part<'_>> {
    let (body, rest) = text.split_once("-----END ")?;
    let (label, _) = private_label(rest).filter(|_| !text.contains("BEGIN"))?;
    Some((label, body, Some(Damage::Armour)))
}

/// The label that ends with `PRIVATE KEY`, and what follows it.
fn private_label(text: &str) -> Option<(&str, &str)> {
    let end = text.find("PRIVATE KEY")? + "PRIVATE KEY".len();
    let (label, rest) = text.split_at_checked(end)?;
    (label.len() < 40 && label.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ')).then_some((label, rest))
}

/// The two lines that old encrypted files have before their body.
fn headers(text: &str) -> (Text, &str) {
    let none = || (Zeroizing::new(String::new()), text);
    let Some((_, rest)) = text.split_once("DEK-Info:") else { return none() };
    let rest = rest.trim_start();
    let Some((name, rest)) = rest.split_once(',') else { return none() };
    let digits = if name.starts_with("DES") { 16 } else { 32 };
    let Some((vector, rest)) = rest.split_at_checked(digits) else { return none() };
    if name.len() > 20 || !vector.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return none();
    }
    (Zeroizing::new(format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: {name},{vector}\n\n")), rest)
}

fn armour(label: &str, headers: &str, base64: impl Iterator<Item = char>) -> Text {
    let mut text = Zeroizing::new(String::with_capacity(crate::auth::pem::MAX_FILE * 2));
    text.push_str(&format!("-----BEGIN {label}-----\n{headers}"));
    base64.take(crate::auth::pem::MAX_FILE).for_each(|letter| text.push(letter));
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

/// The bytes of a text that is base64 from its first to its last letter.
fn whole_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' | '=' => plain.push(letter),
            '-' => plain.push('+'),
            '_' => plain.push('/'),
            '\\' => drop(letters.next_if(|next| matches!(next, 'n' | 'r'))),
            letter if letter.is_whitespace() || matches!(letter, '#' | '"' | '\'') => {}
            _ => return None,
        }
    }
    let bytes = LENIENT.decode(plain.as_bytes()).ok()?;
    (!bytes.is_empty()).then(|| Zeroizing::new(bytes))
}

/// The bytes of a text that is in hexadecimal digits from its first to its last letter.
fn whole_hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    let mut half = None;
    for letter in text.chars().filter(|letter| !letter.is_whitespace() && *letter != ':') {
        let digit = u8::try_from(letter.to_digit(16)?).ok()?;
        match half.take() {
            None => half = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    (half.is_none() && bytes.len() >= 32).then_some(bytes)
}

/// Whether this is base64 of what gzip packed: it is known by how it begins.
pub(super) fn is_packed(text: &str) -> bool {
    text.trim_start_matches(['"', '\'', ' ', '\n']).starts_with("H4sI")
}

/// The label of a key that is there without its armour.
fn label_of(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"openssh-key-v1\0") {
        return Some("OPENSSH PRIVATE KEY");
    }
    let mut fields = Reader::new(bytes).within(der::SEQUENCE)?;
    match (fields.take(der::INTEGER), fields.any()) {
        (Some([0 | 1]), Some((der::SEQUENCE, _))) => Some("PRIVATE KEY"),
        (Some([0]), Some((der::INTEGER, _))) => Some("RSA PRIVATE KEY"),
        (Some([1]), Some((der::OCTET_STRING, _))) => Some("EC PRIVATE KEY"),
        (None, Some((der::SEQUENCE, algorithm))) => {
            // PBES1 and PBES2 are of this arc.
            let oid = Reader::new(algorithm).take(der::OID)?;
            oid.starts_with(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1]).then_some("ENCRYPTED PRIVATE KEY")
        }
        _ => None,
    }
}
