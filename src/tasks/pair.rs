//! One pair as it is typed: `NAME=TEXT`, `NAME:=JSON` or `NAME=@FILE`. What is a secret is not repeated where it is
//! wrong. Which names there may be, and what becomes of a pair, is `values`'.
//!
//! ```
//! use sdc::request::Arg;
//! use sdc::tasks::pair;
//!
//! let (name, value) = pair::read("version=1.10")?;
//! assert!(name == "version" && matches!(value, Arg::Text(text) if text == "1.10"));
//! let (_, value) = pair::read("weight:=10")?;
//! assert!(matches!(value, Arg::Json(number) if number.get() == "10"));
//! # Ok::<(), sdc::Error>(())
//! ```

use crate::error::{Error, Result};
use crate::grammar::document::Value;
use crate::grammar::shell;
use crate::request::Arg;
use crate::sensitive::{self, Sort, quoted};

/// `NAME=TEXT` stays text, whatever it looks like; `NAME:=JSON` has the type that was written.
///
/// # Errors
/// A usage error for what is neither.
pub fn read(text: &str) -> Result<(&str, Arg)> {
    let (name, value) = read_any(text)?;
    match &value {
        Arg::Json(raw) if raw.get().starts_with(['{', '[', 'n']) => {
            Err(Error::usage(format!("'{}': only text, numbers, true and false can be kept", quoted(text))))
        }
        _ => Ok((name, value)),
    }
}

/// The same, where lists and objects can be kept too.
///
/// # Errors
/// As [`read`].
pub fn read_any(text: &str) -> Result<(&str, Arg)> {
    check_name(text)?;
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Error::usage(format!("'{}' is not NAME=VALUE", quoted(text)))
            .hint("a text: NAME=TEXT; a number or a boolean: NAME:=JSON")
    })?;
    let (name, value) = match name.strip_suffix(':') {
        None => (name, Arg::Text(value.to_owned())),
        Some(name) => {
            let value = Arg::json(value).map_err(|error| {
                error.hint(format!("as text: {}", shell::quoted(&format!("{}={}", quoted(name), quoted(value)))))
            })?;
            (name, value)
        }
    };
    match name {
        "" => Err(Error::usage(format!("'{}' has no name before the =", quoted(text)))),
        name => Ok((name, value)),
    }
}

/// The value of a pair in a document. What is written without quotes is a number or a boolean where it stays what was
/// typed.
///
/// # Errors
/// A usage error for a list, an object or nothing, which does not repeat it.
pub(super) fn of_node(name: &str, value: &Value) -> Result<Arg> {
    match value {
        Value::Plain(text) if is_typed(text) => Arg::json(text),
        Value::Plain(text) | Value::Text(text) => Ok(Arg::Text(text.clone())),
        _ => {
            let words = format!("'{}' is not text, a number, true or false: nothing else can be kept", quoted(name));
            Err(Error::usage(words))
        }
    }
}

/// Whether a bare word is a boolean, or a number that looks the same after it was one: `10` and `1.5` are, `1.10`,
/// `01234` and `1e5` are texts.
fn is_typed(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let stays = all(whole) && (whole == "0" || !whole.starts_with('0'));
    let part = part.is_none_or(|part| all(part) && !part.ends_with('0'));
    matches!(text, "true" | "false") || stays && part && digits.len() <= 15 && text != "-0"
}

/// Refuses a name that is a secret: a private key has a `=` at its end, which parts it from an empty value. Values are
/// not looked at, since metadata may hold keys.
///
/// # Errors
/// A usage error that does not repeat it.
pub fn check_name(text: &str) -> Result<()> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    // Padding belongs to what it ends.
    let padded = name.len() + 1 + value.len() - value.trim_start_matches('=').len();
    let whole = text.get(..padded).unwrap_or(text);
    let secret = |text: &str| match sensitive::sort(text) {
        Some(sort @ (Sort::Lines | Sort::Return)) => Some(sort),
        Some(_) => sensitive::in_text(text),
        None => None,
    };
    match secret(name).or_else(|| secret(whole)) {
        Some(sort) => Err(Error::usage(format!("the name in NAME=VALUE holds {sort}: nothing was sent"))),
        None => Ok(()),
    }
}

/// The same where the value may be a secret, as metadata is: an error has the name alone.
///
/// # Errors
/// As [`read`].
pub(super) fn hidden(text: &str) -> Result<(&str, Arg)> {
    read(text).map_err(|error| match text.split_once('=').map(|(name, _)| (name.trim_end_matches(':'), name)) {
        _ if check_name(text).is_err() => error,
        None => Error::usage("a pair is not NAME=VALUE (it is not shown, for it may be a secret)")
            .hint("a text: NAME=TEXT; a number or a boolean: NAME:=JSON"),
        Some(("", _)) => Error::usage("a pair has no name before the =: is a variable unset?"),
        Some((name, _)) => {
            Error::usage(format!("{}: what stands behind := is not a JSON text, number or boolean", quoted(name)))
                .hint(format!("as text: {}=TEXT", quoted(name)))
        }
    })
}

/// Refuses a value that begins as the name of a file does elsewhere. Of the options, the first stands before a text, the
/// other before a file.
///
/// # Errors
/// A usage error that does not repeat the value.
pub(super) fn no_file(value: &Arg, name: &str, (as_text, as_file): (&str, &str)) -> Result<()> {
    let Arg::Text(text) = value else { return Ok(()) };
    if !text.starts_with('@') {
        return Ok(());
    }
    let name = quoted(name);
    Err(Error::usage(format!("{as_text}{name}=@…: a file's contents, or this very text?"))
        .hint(format!("the contents: {as_file}{}", shell::quoted(&format!("{name}=@FILE"))))
        .hint(format!("the text: {as_text}{}", shell::quoted(&format!("{name}:=\"@…\"")))))
}

/// `NAME=@FILE`, and the file's contents.
///
/// # Errors
/// A usage error for what is no such pair, or a file that cannot be read. What has no `@` may be the secret itself, and
/// is not repeated.
pub(super) fn file(
    text: &str,
    is_there: impl FnOnce(&str) -> bool,
    read: impl FnOnce(&str) -> Result<String>,
) -> Result<(&str, String)> {
    let (name, value) = hidden(text)?;
    let no_file = || Error::usage(format!("{} is not NAME=@FILE, with a file that is there", quoted(name)));
    let Arg::Text(value) = value else { return Err(no_file()) };
    match value.strip_prefix('@') {
        Some(file) => Ok((name, read(file)?)),
        None if value == "-" || is_there(&value) => Ok((name, read(&value)?)),
        None => Err(no_file()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_in_the_error_about_it() {
        let read = |file: &str| Ok(file.to_owned());
        let secret = "Tr0ub4dor";
        for typed in [secret, "=Tr0ub4dor", "pw:=Tr0ub4dor", r#"pw:={"a":"Tr0ub4dor"}"#, ":=Tr0ub4dor"] {
            let error = hidden(typed).unwrap_err();
            let hints: Vec<_> = error.hints().iter().map(|hint| hint.as_str().to_owned()).collect();
            assert!(!format!("{error}{hints:?}").contains(secret), "{typed}: {error} {hints:?}");
        }
        let error = file("pw=Tr0ub4dor", |_| false, read).unwrap_err();
        assert_eq!(error.to_string(), "pw is not NAME=@FILE, with a file that is there");
        assert_eq!(file("pw=@there", |_| false, read).unwrap(), ("pw", "there".to_owned()));
        assert_eq!(file("pw=there", |_| true, read).unwrap(), ("pw", "there".to_owned()));
        let value = Arg::Text("@Tr0ub4dor".to_owned());
        let error = no_file(&value, "pw", ("--metadata ", "--metadata-file ")).unwrap_err();
        let hints: Vec<_> = error.hints().iter().map(|hint| hint.as_str().to_owned()).collect();
        assert_eq!(error.to_string(), "--metadata pw=@…: a file's contents, or this very text?");
        assert_eq!(hints, ["the contents: --metadata-file pw=@FILE", "the text: --metadata 'pw:=\"@…\"'"]);
    }

    #[test]
    fn a_bare_number_is_one_if_it_stays_what_was_typed() {
        assert!(["10", "0", "-7", "1.5", "0.25", "true"].into_iter().all(is_typed));
        let texts = ["1.10", "01234", "1e5", "0x10", "+1", "1.", ".5", "-0", "-", "1234567890123456", "yes", "True"];
        assert!(!texts.into_iter().any(is_typed));
    }
}
