//! What a setting's text may be. Each error names the setting, where it came from, and its value.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use url::Url;

use super::{Origin, Pin};
use crate::error::{Error, Result};
use crate::grammar::duration::duration;
use crate::grammar::shell;
use crate::sensitive;

/// The forms of signature that `--signing` chooses from; the first is the default.
pub const SIGNING: &[&str] = &["request", "date", "legacy"];

/// Refuses what a shell or a CI system was to put a value in the place of. The text is not repeated.
pub(super) fn filled_in(text: &OsStr, origin: &Origin) -> Result<()> {
    // What is in a file was written as it is.
    if !matches!(origin, Origin::Env(_) | Origin::Flag(_)) {
        return Ok(());
    }
    // A file may be called so.
    if !sensitive::is_unexpanded(&text.to_string_lossy()) || Path::new(text).symlink_metadata().is_ok() {
        return Ok(());
    }
    Err(Error::usage(format!("{origin} holds an unexpanded variable or command"))
        .hint("whoever was to put the value in its place did not: single quotes keep a shell from it"))
}

/// A URL without its last slash.
pub(super) fn url(text: &str, origin: &Origin) -> Result<String> {
    // Only errors show it.
    let shown = || sensitive::url_end(text);
    let wrong = |why: &str| Error::usage(format!("the URL from {origin} {why}"));
    if text.starts_with(['"', '\'']) {
        return Err(wrong("begins with a quote, which is a part of it: leave the quotes out"));
    }
    if !matches!(sensitive::sort(text), None | Some(sensitive::Sort::Login | sensitive::Sort::Userinfo)) {
        sensitive::refuse(origin, text, "a URL")?;
    }
    let parsed = match Url::parse(text) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => parsed,
        // `localhost:8080` parses, with the host as its scheme.
        Ok(_) | Err(url::ParseError::RelativeUrlWithoutBase) if !text.contains("://") => {
            let error = wrong(&format!("has no scheme: '{}'", shown()));
            let whole = format!("https://{}", shown().trim_start_matches('/'));
            return Err(if sensitive::sort(&whole).is_none() { error.hint(shell::quoted(&whole)) } else { error });
        }
        Ok(_) => return Err(wrong(&format!("is neither http nor https: '{}'", shown()))),
        Err(error) => return Err(wrong(&format!("is invalid: '{}'", shown())).because(error)),
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong("holds a name or a password").hint("requests are signed with your key: leave them out"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(wrong(&format!("has a query or a fragment: '{}'", shown())));
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(wrong(&format!("names no host: '{}'", shown())));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// A login of an account or sub-user.
pub(super) fn login(what: &str, text: &str, origin: &Origin) -> Result<String> {
    sensitive::refuse(origin, text, "a login")?;
    if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        return token(what, text, origin);
    }
    match (unfit(text), text.contains('/') && !text.contains("://")) {
        (_, true) => {
            let error = Error::usage(format!("the {what} from {origin} has a slash: a login is a single word"));
            Err(apart(what, text, origin).into_iter().fold(error, Error::hint))
        }
        (Some(why), false) => Err(cannot_be(what, &why, origin)),
        (None, false) => token(what, text, origin),
    }
}

/// Why this cannot be the name of an account, a sub-user or a role. The text itself is not repeated.
pub fn unfit(text: &str) -> Option<String> {
    if text.contains("://") {
        return Some("is a URL".to_owned());
    }
    if text.trim_start().get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("FROM ")) {
        return Some("is a firewall rule".to_owned());
    }
    let address = text.split('/').next().unwrap_or_default();
    if address.parse::<std::net::IpAddr>().is_ok() {
        return Some("is an address".to_owned());
    }
    text.chars().find(|letter| "=!*:/~<>\"\\".contains(*letter)).map(|letter| format!("holds '{letter}'"))
}

fn cannot_be(what: &str, why: &str, origin: &Origin) -> Error {
    Error::usage(format!("what {origin} gives {why}, and so cannot be the {what}"))
}

/// How account and sub-user are given that were written in one: `acme/ci`, or as in a path, `acme/users/ci`.
fn apart(what: &str, text: &str, origin: &Origin) -> Option<String> {
    let parts: Vec<&str> = text.trim_matches('/').split('/').collect();
    let (account, user) = match parts.as_slice() {
        ["users", user] => (None, Some(*user)),
        [account, user] | [account, "users", user] if what != "account to act as" => (Some(*account), Some(*user)),
        [one] => {
            if what == "user" {
                (None, Some(*one))
            } else {
                (Some(*one), None)
            }
        }
        _ => return None,
    };
    let fits = |word: &&str| !word.is_empty() && unfit(word).is_none() && !word.contains(char::is_whitespace);
    if !account.iter().chain(&user).all(fits) || what == "account" && account.is_none() {
        return None;
    }
    let flags = matches!(origin, Origin::Flag(_));
    let account_name = match (what, flags) {
        ("account to act as", true) => "--act-as ",
        ("account to act as", false) => "SDC_ACT_AS=",
        (_, true) => "--account ",
        (_, false) => "SDC_ACCOUNT=",
    };
    let user_name = if flags { "--user " } else { "SDC_USER=" };
    let words = account.iter().map(|account| format!("{account_name}{account}"));
    Some(words.chain(user.iter().map(|user| format!("{user_name}{user}"))).collect::<Vec<_>>().join(" "))
}

/// Text that goes into a header or a path.
pub(super) fn token(what: &str, text: &str, origin: &Origin) -> Result<String> {
    sensitive::refuse(origin, text, format_args!("the {what}"))?;
    if text.is_empty() || text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
        let shown = sensitive::shown(text);
        return Err(Error::usage(format!("the {what} from {origin} is empty or has white space in it: '{shown}'")));
    }
    Ok(text.to_owned())
}

/// The path of a file. One that leads to something is a path, whatever it looks like.
pub(super) fn path(text: &Path, origin: &Origin) -> Result<PathBuf> {
    if text == Path::new("-") {
        return Err(Error::usage(format!("{origin} takes the path of a file, and - is none"))
            .hint(format!("standard input: {}; the private key also: --key-file -", origin.example("/dev/stdin"))));
    }
    if text.to_string_lossy().contains("-----BEGIN CERTIFICATE-----") {
        return Err(Error::usage(format!("{origin} holds a certificate, not the path of one"))
            .hint(format!("write it into a file: {}", origin.example("FILE"))));
    }
    let expected = if sensitive::is_key(&text.to_string_lossy()) { "the path of one" } else { "the path of a file" };
    sensitive::refuse_path(origin, text, expected).map_err(|error| match origin {
        Origin::Flag("--key-file") => error.hint("the key itself, on standard input: --key-file -"),
        Origin::Env("SDC_KEY_FILE") => error.hint("the key itself: SDC_KEY_MATERIAL"),
        Origin::Env("TRITON_KEY_FILE") => error.hint("the key itself: TRITON_KEY_MATERIAL"),
        _ => error,
    })?;
    Ok(text.to_owned())
}

/// A fingerprint, a name or a file: each may hold blanks but no control characters.
pub(super) fn key_id(text: &str, origin: &Origin) -> Result<String> {
    let expected =
        if sensitive::is_key(text) { "the fingerprint or name of one" } else { "the key's fingerprint or name" };
    sensitive::refuse(origin, text, expected).map_err(|error| match origin {
        Origin::Env("TRITON_KEY_ID") => error.hint("the key itself: TRITON_KEY_MATERIAL"),
        Origin::Env(_) => error.hint("the key itself: SDC_KEY_MATERIAL"),
        Origin::Profile { .. } => error.hint("its fingerprint, from the private key's file: ssh-keygen -l -f FILE"),
        _ => error,
    })?;
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let shown = sensitive::shown(text);
        return Err(Error::usage(format!(
            "the key id from {origin} is empty or has control characters in it: '{shown}'"
        )));
    }
    match cut_fingerprint(text) {
        Some(why) => Err(Error::usage(format!("the key id from {origin} is no fingerprint: {why}"))
            .hint("its fingerprint, from the private key's file: ssh-keygen -l -f FILE")),
        None => Ok(text.to_owned()),
    }
}

/// What a fingerprint lacks that was cut off or copied without its beginning. A short one may be a name.
fn cut_fingerprint(text: &str) -> Option<String> {
    let pairs: Vec<&str> = text.strip_prefix("MD5:").unwrap_or(text).split(':').collect();
    let is_pair =
        |pair: &&str| pair.len() <= 2 && !pair.is_empty() && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    if pairs.len() >= 8 && pairs.iter().all(is_pair) && (pairs.len() != 16 || pairs.iter().any(|pair| pair.len() != 2))
    {
        return Some(format!("an MD5 one has 16 pairs of digits, and this has {}", pairs.len()));
    }
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mixed =
        text.bytes().any(|byte| byte.is_ascii_uppercase()) && text.bytes().any(|byte| byte.is_ascii_lowercase());
    let bare = text.trim_end_matches('=');
    (bare.len() == 43 && mixed && bare.bytes().all(is_base64))
        .then(|| "SHA256: stands before one of this form".to_owned())
}

/// Names separated by commas.
pub(super) fn names(what: &str, text: &str, origin: &Origin) -> Result<Vec<String>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| one_name(what, part, origin)).collect()
}

/// The name of a role, which may hold blanks, but no control characters.
pub(super) fn one_name(what: &str, text: &str, origin: &Origin) -> Result<String> {
    sensitive::refuse(origin, text, format_args!("names of {what}"))?;
    match unfit(text) {
        Some(why) => Err(cannot_be(what, &why, origin)),
        None if text.chars().any(char::is_control) => token(what, text, origin),
        None => Ok(text.to_owned()),
    }
}

/// `1`, `true`, `0` or `false`.
pub(super) fn truth(text: &str, origin: &Origin) -> Result<bool> {
    match text {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::usage(format!("{origin} is neither true nor false: '{}'", sensitive::shown(text)))
            .hint(origin.example("true"))),
    }
}

/// Fingerprints separated by commas. The text is not repeated: it may be anything.
pub(super) fn pins(text: &str, origin: &Origin) -> Result<Vec<Pin>> {
    Pin::list(text).map_err(|why| {
        Error::usage(format!("{origin} is not the SHA-256 fingerprint of a certificate: {why}"))
            .hint(format!(
                "{}, as printed by openssl x509 -noout -fingerprint -sha256 -in FILE",
                origin.example("SHA256:AB:CD:…")
            ))
            .hint(format!("of a public key, as curl takes it: {}", origin.example("sha256//BASE64")))
    })
}

/// One of [`SIGNING`].
pub(super) fn signing(text: &str, origin: &Origin) -> Result<String> {
    if SIGNING.contains(&text) {
        return Ok(text.to_owned());
    }
    let message = format!("{origin} is not a form of signature: '{}'", sensitive::shown(text));
    Err(Error::usage(message).hint(format!("choose one of {}", SIGNING.join(", "))))
}

/// A value of the file of settings, as far as it can be judged without the command.
pub(super) fn setting(name: &str, text: &str, origin: &Origin) -> Result<()> {
    match name {
        "key-file" | "cacert" => path(Path::new(text), origin).map(|_| ()),
        // Its own words, and those of a proxy, repeat nothing of it.
        "key-passphrase-file" => Ok(()),
        "proxy" => super::proxy::check(text, origin),
        "tls-pin" => pins(text, origin).map(|_| ()),
        "signing" => signing(text, origin).map(|_| ()),
        "accept-version" => versions(text, origin).map(|_| ()),
        "connect-timeout" | "request-timeout" | "retry" | "timeout" => duration(&origin.to_string(), text).map(|_| ()),
        "rate" => rate(&origin.to_string(), text).map(|_| ()),
        "parallel" => match text.parse::<u64>() {
            Ok(1..=100) => Ok(()),
            _ => Err(Error::usage(format!("{origin} is not a number of targets: '{}'", sensitive::shown(text)))
                .hint(format!("from 1 to 100: {}", origin.example("10")))),
        },
        _ => {
            sensitive::refuse(origin, text, format_args!("a value of --{name}"))?;
            let wrong = |words: &str| Err(Error::usage(format!("{origin} {words}: '{}'", sensitive::shown(text))));
            match name {
                "package" | "image" if text.contains(',') => wrong("takes one name"),
                _ if text.split(',').any(|part| part.trim().is_empty()) => wrong("has nothing between two commas"),
                _ => Ok(()),
            }
        }
    }
}

/// Versions of the API.
pub(super) fn versions(text: &str, origin: &Origin) -> Result<String> {
    sensitive::refuse(origin, text, "versions of the API")?;
    if text.chars().any(char::is_control) { token("version", text, origin) } else { Ok(text.to_owned()) }
}

/// How many requests may be sent a second. `what` is the option or variable it came from.
///
/// # Errors
/// A usage error for what is no number from 0.5 to 10 000.
pub fn rate(what: &str, text: &str) -> Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(rate) if (0.5..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err(Error::usage(format!("{what}: '{}' is not a number of requests per second", sensitive::shown(text)))
            .hint("from 0.5 to 10000")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_that_was_cut_off_is_told_from_the_name_of_a_key() {
        let md5 = "0b:72:0d:dd:2f:97:9a:4e:cc:13:93:96:8e:80:87:c5";
        for name in [md5, "laptop", "be:d8", "key with space", &format!("MD5:{md5}"), "SHA256:abc", "id_rsa"] {
            assert_eq!(cut_fingerprint(name), None, "{name}");
        }
        let base64 = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE";
        for cut in [&md5[..44], &md5[..46], &md5[3..], base64] {
            assert!(cut_fingerprint(cut).is_some(), "{cut}");
        }
        assert_eq!(cut_fingerprint(&format!("SHA256:{base64}")), None);
    }
}
