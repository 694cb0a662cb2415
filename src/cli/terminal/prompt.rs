//! Asking people: yes or no, and passphrases. Without a terminal nobody is asked and nothing hangs.

use std::path::PathBuf;

use secrecy::SecretString;

use super::streams::Streams;
use crate::config::Setting;
use crate::error::{Error, Result};
use crate::render::{cut, visible};

/// So many things are named in one line.
const MAX_NAMES: usize = 8;

/// No thing that is asked about has a longer name.
const MAX_LEN: usize = 300;

/// Asks before something is done to this, and says on a terminal first where, and what would be lost by it.
///
/// # Errors
/// A usage error without a terminal; another one when the answer is not yes.
pub fn confirm(streams: &Streams, verb: &str, thing: &str, first: &[String]) -> Result<()> {
    if streams.stdin_tty && streams.stderr_tty {
        for (at, line) in first.iter().enumerate() {
            streams.say(&format!("{}{}", if at == 0 { "" } else { "warning: " }, visible(line)));
        }
    }
    // The first line says where; where nobody can be asked, the error says the rest.
    confirm_shown(
        streams,
        (verb, verb),
        &[cut(&visible(thing), MAX_LEN).into_owned()],
        first.get(1..).unwrap_or_default(),
    )
}

/// The same about things that have been shown already, with what would be lost by it.
///
/// # Errors
/// As [`confirm`].
pub fn confirm_shown(streams: &Streams, (verb, deed): (&str, &str), things: &[String], lost: &[String]) -> Result<()> {
    let what = match things {
        many if many.len() > MAX_NAMES => {
            format!("{deed} {} and {} more", many[..MAX_NAMES].join(", "), many.len() - MAX_NAMES)
        }
        few => format!("{deed} {}", few.join(", ")),
    };
    if !streams.stdin_tty || !streams.stderr_tty {
        let error = Error::usage(format!("refusing to {what} without confirmation: {}", missing(streams)));
        return Err(lost.iter().fold(error, |error, words| error.hint(words.clone())).hint("to go ahead: --yes"));
    }
    match things {
        [_] => streams.ask(&format!("{what}? [y/N] ")),
        many => streams.ask(&format!("{deed} these {}? [y/N] ", many.len())),
    }
    let read = streams.line();
    let line = read.as_deref().unwrap_or_default();
    // Ctrl-D twice hands over what was typed without its Enter.
    let entered = line.strip_suffix('\n');
    if entered.is_none() {
        end_line(streams);
    }
    match entered.unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::other(format!("{verb}: not confirmed, so nothing was done"))),
    }
}

/// Asks a terminal what is usually agreed to: Enter is a yes, and an end of the input none.
pub fn agreed(streams: &Streams, question: &str) -> bool {
    streams.ask(&format!("{question} [Y/n] "));
    match streams.line().unwrap_or_default().strip_suffix('\n') {
        Some(line) => matches!(line.trim().to_ascii_lowercase().as_str(), "" | "y" | "yes"),
        None => {
            end_line(streams);
            false
        }
    }
}

/// What keeps a question from being asked.
fn missing(streams: &Streams) -> &'static str {
    match (streams.stdin_tty, streams.stderr_tty) {
        (false, true) => "standard input is not a terminal",
        _ => "no terminal",
    }
}

/// The passphrase of a key file, from its file or from the terminal.
///
/// # Errors
/// A passphrase file that cannot be read; no terminal to ask at.
pub fn passphrase(
    streams: &Streams,
    from: Option<&Setting<PathBuf>>,
    file: &str,
    attempt: u32,
) -> Result<Option<SecretString>> {
    if let Some(from) = from {
        // A file says the same again.
        return if attempt > 1 { Ok(None) } else { passphrase_file(from).map(Some) };
    }
    if !streams.stdin_tty && !streams.stderr_tty {
        return Err(Error::auth(format!("{file} needs a passphrase: no terminal to prompt on"))
            .hint("put the passphrase into a file that only you can read: SDC_KEY_PASSPHRASE_FILE=FILE")
            .hint("or add the key to an ssh-agent: ssh-add FILE"));
    }
    let again = if attempt > 1 { "That was not it. " } else { "" };
    secret(streams, &format!("{again}Passphrase of {file}: "))
        .map(|text| Some(SecretString::from(text)))
        .map_err(|error| Error::auth("cannot read the passphrase from the terminal").because(error))
}

/// What others can do with the passphrase file, in words for a warning.
pub fn exposed(file: &Setting<PathBuf>) -> Option<String> {
    crate::file::open_to_others(&file.value).map(|how| format!("the file that {} names {how}", file.origin))
}

/// A secret that is being made, such as a new password: asked for twice.
///
/// # Errors
/// A usage error without a terminal, or when the two differ.
pub fn new_secret(streams: &Streams, what: &str, option: &str) -> Result<String> {
    if !streams.stdin_tty || !streams.stderr_tty {
        return Err(Error::usage(format!("the {what} is missing: no terminal to prompt on"))
            .hint(format!("from a file, or from standard input: {option} FILE, {option} -")));
    }
    let ask = |words: String| {
        secret(streams, &words)
            .map_err(|error| Error::usage(format!("cannot read the {what} from the terminal")).because(error))
    };
    let secret = ask(format!("New {what}: "))?;
    if secret.is_empty() {
        return Err(Error::usage(format!("the {what} is empty")));
    }
    match ask(format!("The same {what} again: "))? == secret {
        true => Ok(secret),
        false => Err(Error::usage(format!("the two are not the same {what}; nothing was sent"))),
    }
}

/// Reads what is typed and not shown.
fn secret(streams: &Streams, question: &str) -> std::io::Result<String> {
    streams.secret(question).inspect_err(|error| {
        if matches!(error.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::Interrupted) {
            end_line(streams);
        }
    })
}

/// After Ctrl-D the cursor still stands behind the question. (After Ctrl-C it is the shell that goes on to the next
/// line.)
fn end_line(streams: &Streams) {
    streams.ask("\n");
}

fn passphrase_file(file: &Setting<PathBuf>) -> Result<SecretString> {
    // Somebody may have typed the passphrase itself.
    let fail = |words: &str| Error::auth(format!("the file that {} names {words}", file.origin));
    let bytes =
        crate::file::read_secret(&file.value, 64 * 1024).map_err(|error| fail("cannot be read").because(error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| fail("is not text (UTF-8)"))?;
    match text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']) {
        "" => Err(fail("is empty")),
        text => Ok(SecretString::from(text)),
    }
}
