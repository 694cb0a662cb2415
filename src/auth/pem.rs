//! Finds the key in the text of a file, and says what else the file is when there is none.
//! Looks at armour only, never into what it holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;

use super::fingerprint::{KeyKind, PublicKey, clean};
use super::repair::{Damage, is_packed, private, repaired};
use crate::error::{Error, Result, quoted};

/// No private key comes near this.
pub(super) const MAX_FILE: usize = 64 * 1024;

/// One block of a PEM file.
pub(super) struct Block {
    pub(super) label: String,
    /// The value of `DEK-Info`, which old encrypted files have.
    pub(super) dek_info: Option<String>,
    pub(super) data: Zeroizing<Vec<u8>>,
    /// What had to be repaired before it could be read.
    pub(super) damage: Option<Damage>,
    /// Another private key follows.
    pub(super) more: bool,
}

fn refuse(file: &str, what: &str) -> Error {
    Error::auth(format!("{file} {what}"))
}

/// The first private key; where there is none, the first block of another sort. A key that was damaged in one of the
/// usual ways is read all the same, and the block says in which.
pub(super) fn read(text: &[u8], file: &str) -> Result<Block> {
    if text.len() > MAX_FILE {
        return Err(refuse(file, "is larger than 64 KiB, so it is not a key"));
    }
    strict(text, file).or_else(|error| match repaired(text) {
        // A public key or a certificate is called what it is.
        Some((damage, plain)) if plain.contains("PRIVATE KEY-----") => match strict(plain.as_bytes(), file) {
            Ok(block) => Ok(Block { damage: Some(damage), ..block }),
            Err(_) => Err(spoiled(damage, file)),
        },
        _ => Err(error),
    })
}

/// The error for a key that is not whole even after it was repaired.
pub(super) fn spoiled(damage: Damage, file: &str) -> Error {
    refuse(file, &format!("is damaged: {}, and what is left is not a whole key", damage.words()))
        .hint(damage.command(file))
}

fn strict(text: &[u8], file: &str) -> Result<Block> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if text.trim_ascii().is_empty() {
        return Err(refuse(file, "is empty"));
    }
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(binary(text, file));
    };
    let mut lines = text.lines();
    let mut other = None;
    while let Some(label) = lines.find_map(begin) {
        // What stands before the key is of no use here: certificates, the curve that the key names again.
        if label.ends_with("PRIVATE KEY") {
            let block = body(&mut lines, label, text.len(), file)?;
            let more = lines.filter_map(begin).any(|label| label.ends_with("PRIVATE KEY"));
            return Ok(Block { more, ..block });
        }
        other = other.or(Some(label));
    }
    match other {
        Some(label) => {
            let data = Zeroizing::new(Vec::new());
            Ok(Block { label: clean(label), dek_info: None, data, damage: None, more: false })
        }
        None => Err(no_block(text, file)),
    }
}

/// The label of a `-----BEGIN LABEL-----` line.
fn begin(line: &str) -> Option<&str> {
    let label = line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    (!label.is_empty() && label.len() < 100).then_some(label)
}

fn body<'a>(lines: &mut impl Iterator<Item = &'a str>, label: &str, room: usize, file: &str) -> Result<Block> {
    let end = format!("-----END {label}-----");
    let mut base64 = Zeroizing::new(String::with_capacity(room));
    let mut dek_info = None;
    for line in lines {
        let line = line.trim();
        if line == end {
            let mut data = Zeroizing::new(vec![0; base64.len()]);
            let length = STANDARD
                .decode_slice(base64.as_bytes(), &mut data)
                .map_err(|_| refuse(file, &format!("is damaged: its {} block is not base64", clean(label))))?;
            data.truncate(length);
            return Ok(Block { label: clean(label), dek_info, data, damage: None, more: false });
        }
        if line.starts_with("-----") {
            break;
        }
        match line.split_once(':') {
            Some(("DEK-Info", value)) => dek_info = Some(value.trim().to_owned()),
            Some(_) => {}
            None => base64.push_str(line),
        }
    }
    Err(refuse(file, &format!("is cut short: its {} block has no END line", clean(label)))
        .hint("copy the file anew, complete with its last line"))
}

fn binary(bytes: &[u8], file: &str) -> Error {
    let name = quoted(file);
    let packed = |by: &str, command: &str| {
        refuse(file, &format!("is packed ({by})")).hint(private(&format!("{command} < {name} > {name}.new")))
    };
    match bytes {
        [0x1f, 0x8b, ..] => packed("gzip", "gunzip -c"),
        [b'B', b'Z', b'h', ..] => packed("bzip2", "bzip2 -dc"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => packed("xz", "xz -dc"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => packed("zstd", "zstd -dc"),
        // A sequence with a long length, as every DER key begins.
        [0x30, 0x80..=0xff, ..] | [0x30, 0x10..=0x7f, 0x02, ..] => refuse(file, "is binary (DER?), and sdc reads PEM")
            .hint(format!("openssl pkey -inform DER -in {name} -out {name}.pem")),
        _ => refuse(file, "is binary and no key that sdc reads"),
    }
}

/// What a text without a PEM block is.
fn no_block(text: &str, file: &str) -> Error {
    let name = quoted(file);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if first.starts_with("PuTTY-User-Key-File-") {
        return refuse(file, "is a PuTTY key, which sdc does not read")
            .hint(format!("puttygen {name} -O private-openssh -o {name}.openssh"));
    }
    if is_packed(first) {
        return refuse(file, &format!("is not a key: {}", Damage::Packed.words())).hint(Damage::Packed.command(file));
    }
    if first.starts_with("---- BEGIN SSH2 PUBLIC KEY") {
        return public(file);
    }
    if first.starts_with("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY") {
        return refuse(file, "is a key of ssh.com's form, which sdc does not read")
            .hint(private(&format!("ssh-keygen -i -f {name} > {name}.openssh")));
    }
    if first.starts_with("SSH PRIVATE KEY FILE FORMAT 1") {
        return refuse(file, "is a key of SSH protocol 1, which nothing takes any more").hint("ssh-keygen -t ed25519");
    }
    if let Ok(key) = PublicKey::from_line(text) {
        return match key.kind() {
            KeyKind::Certificate => refuse(file, "is a certificate, and signing needs the private key"),
            _ => public(file),
        };
    }
    if first.starts_with("-----BEGIN") {
        if first.contains("PRIVATE KEY----- ") {
            return refuse(file, "is cut short: it has no END line").hint("copy it anew, complete with its last line");
        }
        return refuse(file, "is cut short in its first line");
    }
    refuse(file, "is not a key: it has no BEGIN line")
}

/// The public half was given where the private one is needed.
fn public(file: &str) -> Error {
    let error = refuse(file, "is a public key, and signing needs the private one");
    match file.strip_suffix(".pub") {
        Some(private) => error.hint(format!("try {}", quoted(private))),
        None => error,
    }
}

/// What a block of this label is, when it is no private key that we read.
pub(super) fn not_for_us(label: &str, file: &str) -> Error {
    let name = quoted(file);
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "EC PUBLIC KEY" => public(file),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "CERTIFICATE REQUEST" => {
            refuse(file, &format!("is a {}, and signing needs the private key", label.to_lowercase()))
        }
        "DSA PRIVATE KEY" => refuse(file, "is a DSA key, which is obsolete").hint("ssh-keygen -t ed25519"),
        _ => refuse(file, &format!("holds a {label} block, which is not a key that sdc reads"))
            .hint(format!("ssh-keygen -p -f {name}")),
    }
}
