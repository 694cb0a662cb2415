//! From what was typed to what is sent: text to typed arguments, files read, names left for `resolve`.

use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::api::{Field, Kind, Op, Place};
use crate::auth::PublicKey;
use crate::error::{Error, Result};
use crate::grammar::mebibytes;
use crate::request::{Arg, Args};

/// The largest body that CloudAPI takes, in bytes; a file that is larger cannot be sent at all.
const FILE_LIMIT: u64 = 100_000;

/// The fields of an operation that were typed, as options and as `NAME=VALUE` filters.
///
/// # Errors
/// A usage error that names the option and the reason.
pub fn fields(op: &Op, matches: &ArgMatches) -> Result<Args> {
    let mut args = Args::new();
    for field in op.fields {
        if matches.value_source(field.name) != Some(ValueSource::CommandLine) {
            continue;
        }
        if let Kind::Flag(value) = field.kind {
            add(&mut args, field, value)?;
        } else if let Kind::Integer = field.kind {
            let number = matches.get_one::<u64>(field.name).map(u64::to_string).unwrap_or_default();
            add(&mut args, field, &number)?;
        } else {
            for text in matches.get_many::<String>(field.name).into_iter().flatten() {
                add(&mut args, field, text)?;
            }
        }
    }
    if let Ok(Some(filters)) = matches.try_get_many::<String>("FILTER") {
        for filter in filters {
            let (field, text) = filter_of(op, filter)?;
            add(&mut args, field, text)?;
        }
    }
    Ok(args)
}

/// `state=running` and `tag.role=web`: the field meant, and its text.
fn filter_of<'a>(op: &Op, filter: &'a str) -> Result<(&'static Field, &'a str)> {
    let known = || {
        let names = op.fields.iter().map(|field| match field.kind {
            Kind::Pairs(prefix) => format!("{prefix}NAME"),
            _ => field.name.to_owned(),
        });
        format!("known filters: {}", names.collect::<Vec<_>>().join(", "))
    };
    let (name, value) = filter
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("'{filter}' is not a filter: NAME=VALUE")).hint(known()))?;
    for field in op.fields {
        match field.kind {
            Kind::Pairs(prefix) if name.starts_with(prefix) && name.len() > prefix.len() => {
                return Ok((field, &filter[prefix.len()..]));
            }
            // `tags=*` is how the service spells it; anything else would be taken for the same.
            Kind::Flag(word) if field.name == name => {
                return match value == word {
                    true => Ok((field, value)),
                    false => Err(Error::usage(format!("the filter {name} takes only {name}={word}"))),
                };
            }
            _ if field.name == name => {
                if let Kind::OneOf(words) = field.kind
                    && !words.contains(&value)
                {
                    let words = words.join(", ");
                    return Err(Error::usage(format!("'{value}' is no {name}")).hint(format!("known: {words}")));
                }
                return Ok((field, value));
            }
            _ => {}
        }
    }
    Err(Error::usage(format!("there is no filter '{name}'")).hint(known()))
}

fn add(args: &mut Args, field: &Field, text: &str) -> Result<()> {
    let typed = |json: &str| match field.place {
        // In a query everything is text.
        Place::Query => Ok(Arg::Text(json.to_owned())),
        Place::Body => Arg::json(json),
    };
    let option = || format!("--{}", super::build::long_name(field));
    // The service takes an empty filter for none at all, and a script's unset variable for everything.
    let nothing = match field.kind {
        Kind::Pairs(_) => text.split_once('=').is_some_and(|(_, value)| value.is_empty()),
        _ => text.is_empty(),
    };
    if field.place == Place::Query && nothing {
        let words = format!("the filter {} is empty, which would choose everything: is a variable unset?", field.name);
        return Err(Error::usage(words));
    }
    let several = matches!(field.kind, Kind::Pairs(_) | Kind::PairFiles(_) | Kind::Refs(_));
    if !several && args.get(field.name).is_some() {
        return Err(Error::usage(format!("{} is given twice", field.name)));
    }
    match field.kind {
        Kind::Flag(value) => args.push(field.name, typed(value)?),
        Kind::Text | Kind::OneOf(_) | Kind::Ref(_) => args.push(field.name, Arg::Text(text.to_owned())),
        Kind::Bool => match text {
            "true" | "false" => args.push(field.name, typed(text)?),
            _ => return Err(Error::usage(format!("'{text}' is neither true nor false")).about(&option())),
        },
        Kind::Integer => match text.parse::<u64>() {
            Ok(number) => args.push(field.name, typed(&number.to_string())?),
            Err(_) => return Err(Error::usage(format!("'{text}' is not a whole number")).about(&option())),
        },
        Kind::Mebibytes => {
            let size = mebibytes(text).map_err(|error| error.about(&option()))?;
            args.push(field.name, typed(&size.to_string())?);
        }
        Kind::Refs(_) => {
            let mut all: Vec<String> = match args.get(field.name) {
                Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
                _ => Vec::new(),
            };
            if !all.iter().any(|known| known == text) {
                all.push(text.to_owned());
            }
            args.push(field.name, Arg::json(&serde_json::Value::from(all).to_string())?);
        }
        Kind::Pairs(prefix) => {
            let (name, value) = pair(text).map_err(|error| error.about(&option()))?;
            if let (Arg::Text(text), "metadata.") = (&value, prefix)
                && text.starts_with('@')
            {
                return Err(Error::usage(format!("--metadata {name}={text}: a file's contents, or this very text?"))
                    .hint(format!("the contents: --metadata-file {name}={text}"))
                    .hint(format!("the text: --metadata '{name}:={}'", serde_json::Value::from(text.as_str()))));
            }
            add_pair(args, prefix, name, value)?;
        }
        Kind::PairFiles(prefix) => {
            let (name, value) = pair(text).map_err(|error| error.about(&option()))?;
            let Arg::Text(file) = value else {
                return Err(Error::usage(format!("'{text}' is not NAME=@FILE")).about(&option()));
            };
            let file = file.strip_prefix('@').unwrap_or(&file);
            add_pair(args, prefix, name, Arg::Text(read_text(file)?))?;
        }
        Kind::File => args.push(field.name, Arg::Text(read_text(text)?)),
        Kind::PublicKeyFile => {
            let key = public_key(text, &read_bytes(text, FILE_LIMIT)?)?;
            args.push(field.name, Arg::Text(key));
        }
    }
    Ok(())
}

/// A name given twice is most likely a mistake, and one of the values would be lost.
fn add_pair(args: &mut Args, prefix: &str, name: &str, value: Arg) -> Result<()> {
    let key = format!("{prefix}{name}");
    if args.get(&key).is_some() {
        return Err(Error::usage(format!("{key} is given twice")));
    }
    args.push(key, value);
    Ok(())
}

/// `NAME=TEXT` stays text, whatever it looks like; `NAME:=JSON` has the type that was written.
fn pair(text: &str) -> Result<(&str, Arg)> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Error::usage(format!("'{text}' is not NAME=VALUE")).hint("a typed value: NAME:=JSON"))?;
    let (name, value) = match name.strip_suffix(':') {
        None => (name, Arg::Text(value.to_owned())),
        Some(name) => {
            let value = Arg::json(value).map_err(|error| error.hint(format!("as text: {name}={value}")))?;
            if let Arg::Json(raw) = &value
                && raw.get().starts_with(['{', '[', 'n'])
            {
                return Err(Error::usage(format!("'{text}': only text, numbers, true and false can be kept")));
            }
            (name, value)
        }
    };
    match name {
        "" => Err(Error::usage(format!("'{text}' has no name before the ="))),
        name => Ok((name, value)),
    }
}

/// A file's bytes, or those of standard input for `-`.
///
/// # Errors
/// A usage error: nothing has been sent yet.
pub fn read_bytes(file: &str, limit: u64) -> Result<Vec<u8>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let fail = |error: std::io::Error| Error::usage(format!("cannot read {}", shown(file))).because(error);
    if file != "-" {
        return crate::file::read(Path::new(file), limit).map_err(fail);
    }
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err(Error::usage("standard input can be read only once, and `-` was given twice"));
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        return Err(Error::usage(format!("standard input is longer than {limit} bytes")));
    }
    Ok(bytes)
}

fn read_text(file: &str) -> Result<String> {
    String::from_utf8(read_bytes(file, FILE_LIMIT)?)
        .map_err(|_| Error::usage(format!("{} is not text (UTF-8)", shown(file))))
}

fn shown(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

/// One OpenSSH public key line from a file's text. Anything else stays here, a private key above all; of what
/// it is instead, nothing is shown.
///
/// # Errors
/// A usage error that names the file.
pub fn public_key(file: &str, text: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(text).map_err(|_| Error::usage(format!("{} is not text (UTF-8)", shown(file))))?;
    if text.contains("PRIVATE KEY") {
        return Err(Error::usage(format!("{} is a private key, which must never be sent anywhere", shown(file))).hint(
            match file {
                "-" => "its public half: ssh-keygen -y -f FILE | sdc keys add -".to_owned(),
                file => format!("the public one is most likely {file}.pub"),
            },
        ));
    }
    let key = PublicKey::from_line(text).map_err(|error| error.about(shown(file)))?;
    Ok(key.openssh_line())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_what_was_typed_unless_its_type_is_asked_for() {
        for (typed, name, value) in
            [("version=1.10", "version", "1.10"), ("zip=01234", "zip", "01234"), ("k=", "k", "")]
        {
            let (key, Arg::Text(text)) = pair(typed).unwrap() else { panic!("{typed} is not text") };
            assert_eq!((key, text.as_str()), (name, value));
        }
        let (key, Arg::Json(raw)) = pair("count:=1.10").unwrap() else { panic!("not typed") };
        assert_eq!((key, raw.get()), ("count", "1.10"));
        assert_eq!(pair("a:={}").unwrap_err().to_string(), "'a:={}': only text, numbers, true and false can be kept");
        assert_eq!(pair("a:=yes").unwrap_err().hints(), ["as text: a=yes"]);
    }
}
