//! Files of public keys: the one line that OpenSSH writes, and for every other form the command that makes it of it.

use super::fingerprint::PublicKey;
use crate::error::{Error, Hint, Result, quoted};
use crate::sensitive;

impl PublicKey {
    /// Reads a file of one public key. `file` is its name, for errors; `-` is standard input.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage): it holds another form, several keys, a private key, or none. The
    /// error says which, and the command that converts it. Nothing of the file is in it.
    pub fn from_file(file: &str, bytes: &[u8]) -> Result<PublicKey> {
        let shown = if file == "-" { "standard input" } else { file };
        let wide = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(plain) {
            Ok(text) if !wide => text,
            _ if wide => return Err(converted(shown, file, "is UTF-16", "iconv -f UTF-16 -t UTF-8")),
            _ => return Err(Error::usage(format!("{shown} is not text (UTF-8)"))),
        };
        let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        if first.starts_with("PuTTY-User-Key-File-") {
            let error = Error::usage(format!("{shown} is a PuTTY key, of which only the public half is needed"));
            return Err(error.hint(added(format!("puttygen {} -L", named(file)))));
        }
        if sensitive::is_key(text) {
            let error = Error::usage(format!("{shown} is a private key, which must never be sent anywhere"));
            return Err(match file {
                "-" => error.hint(added("its public half: ssh-keygen -y -f FILE".to_owned())),
                file => error.hint(format!("the public one is most likely {file}.pub")),
            });
        }
        if first.starts_with("---- BEGIN SSH2 PUBLIC KEY") {
            return Err(converted(shown, file, "is a public key in the form of RFC 4716", "ssh-keygen -i -f"));
        }
        for (begin, what, command) in [
            ("-----BEGIN PUBLIC KEY-----", "is a public key in PEM (SPKI)", "ssh-keygen -i -m PKCS8 -f"),
            ("-----BEGIN RSA PUBLIC KEY-----", "is a public key in PEM (PKCS#1)", "ssh-keygen -i -m PEM -f"),
        ] {
            if text.contains(begin) {
                return Err(converted(shown, file, what, command));
            }
        }
        if first.starts_with("-----BEGIN CERTIFICATE") {
            let error = Error::usage(format!("{shown} is a certificate, not a public key"));
            let pubkey = format!("openssl x509 -noout -pubkey -in {}", named(file));
            return Err(error.hint(added(format!("{pubkey} | ssh-keygen -i -m PKCS8 -f /dev/stdin"))));
        }
        let is_key = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let lines: Vec<&str> = text.lines().map(str::trim).filter(is_key).collect();
        if lines.len() > 1 && lines.iter().all(|line| PublicKey::from_line(line).is_ok()) {
            let error = Error::usage(format!("{shown} holds {} keys, and one is expected", lines.len()));
            return Err(error.hint(added(format!("one of them: sed -n 1p {}", named(file)))));
        }
        PublicKey::from_line(text).map_err(|error| error.about(shown))
    }
}

/// The file as a command can read it.
fn named(file: &str) -> String {
    if file == "-" { "/dev/stdin".to_owned() } else { quoted(file) }
}

/// The key that a command of others writes, as one of the account.
fn added(writes: String) -> Hint {
    Hint::from(writes).then(" | ").then_run("keys add -")
}

fn converted(shown: &str, file: &str, what: &str, command: &str) -> Error {
    Error::usage(format!("{shown} {what}")).hint(added(format!("as OpenSSH writes it: {command} {}", named(file))))
}
