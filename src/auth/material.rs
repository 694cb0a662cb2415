//! A key that is given itself, in a variable or on standard input, instead of a file of it.

use secrecy::ExposeSecret as _;

use super::fingerprint::KeyId;
use super::key::{Asked, Peek, PrivateKey, peek};
use super::repair::{is_packed, private};
use super::search::{Place, Search, Seen, Wanted};
use super::select::{Found, several};
use super::signer::Key;
use crate::error::{Error, Hint, Result, quoted};
use crate::sensitive;

impl Search {
    /// The key that was given, and what gave it.
    fn material(&self) -> Option<(&[u8], &str)> {
        let text = self.key_material.as_ref()?.expose_secret().as_bytes();
        Some((text, self.key_material_from.as_deref().unwrap_or("the given key")))
    }

    /// The key that was given; `None` if none was.
    pub(super) fn given(&self, wanted: &Wanted, ask: &mut Asked<'_>) -> Option<Result<Found>> {
        let (text, from) = self.material()?;
        let key = PrivateKey::parse(text, from, ask).map_err(|error| of_no_file(error, from, text));
        Some(key.and_then(|key| {
            let wire_name = match &wanted.id {
                Some(KeyId::Name(name)) => name.clone(),
                Some(id) if !id.is_of(key.public()) => {
                    let (md5, sha256) = (key.public().md5(), key.public().sha256());
                    let words = format!("the key in {from} is {md5} ({sha256}), not {id} ({})", self.id_from());
                    return Err(Error::auth(words)
                        .hint(format!("{} to use the key in {from}", self.without_id()))
                        .hint(format!("unset {from} to look for the other key")));
                }
                _ => key.public().md5(),
            };
            let notes = several(&key, from).into_iter().collect();
            Ok(Found { key: Key::File(key), wire_name, origin: from.to_owned(), notes })
        }))
    }

    /// What a report says of it.
    pub(super) fn given_place(&self, wanted: &Wanted) -> Option<Place> {
        let (text, from) = self.material()?;
        let (public, outcome) = match peek(text, from) {
            Ok(Peek::Public(public)) => (Some(public), "a key".to_owned()),
            Ok(Peek::Locked) => (None, "an encrypted key".to_owned()),
            Err(error) => {
                let error = of_no_file(error, from, text);
                let outcome = error.message().to_owned();
                return Some(Place { what: from.to_owned(), outcome, failed: true, keys: Vec::new() });
            }
        };
        let seen = Seen {
            wanted: wanted.id.is_some() && public.as_ref().is_some_and(|public| wanted.is(public, None)),
            trouble: public.as_ref().and_then(|public| public.kind().unusable()).map(str::to_owned),
            label: from.to_owned(),
            public,
            file: None,
        };
        let keys = if seen.public.is_some() { vec![seen] } else { Vec::new() };
        Some(Place { what: from.to_owned(), outcome, failed: false, keys })
    }
}

/// An error about a file, told of what is none: its hints name a file that has to be written first.
fn of_no_file(error: Error, from: &str, text: &[u8]) -> Error {
    let text = String::from_utf8_lossy(text);
    let is_variable = from.starts_with(|letter: char| letter.is_ascii_uppercase());
    if sensitive::is_unexpanded(&text) {
        return Error::new(error.kind(), format!("{from} holds an unexpanded variable or command, and no key"))
            .hint("whoever was to put the key in its place did not: single quotes keep a shell from it");
    }
    if !sensitive::is_key(&text) && !text.trim().contains(char::is_whitespace) && !is_packed(&text) {
        let path = text.trim();
        let why = match std::fs::metadata(path).is_ok_and(|found| found.is_dir()) {
            true => ": what is there is a folder",
            false if ["/", "~", "./", "../"].iter().any(|begin| path.starts_with(begin)) => ": there is no such file",
            false => "",
        };
        return match is_variable {
            true => Error::new(error.kind(), format!("{from} holds neither a key nor the path of one{why}"))
                .hint(format!("export {from}=\"$(cat FILE)\", with the file of the private key")),
            false => Error::new(error.kind(), format!("what came on {from} is not a key"))
                .hint(Hint::command("… --key-file - < FILE").then(", with the file of the private key")),
        };
    }
    let name = quoted(from);
    let mut told = Error::new(error.kind(), error.message());
    let mut written = false;
    for hint in error.hints() {
        // Commands that read the variable itself work as they are.
        if hint.as_str().contains(&name) && !hint.as_str().contains(&format!("${from}")) {
            if !written && is_variable {
                told = told.hint(private(&format!("printf '%s\\n' \"${from}\" > FILE")));
            }
            written = true;
            told = told.hint(hint.replaced(&name, "FILE"));
        } else {
            told = told.hint(hint.clone());
        }
    }
    told
}
