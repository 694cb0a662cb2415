//! Things by their names: how a document means one, and the ids of those to which it gives none.

use crate::emulator::datacenter::state::{Account, Image, Network, Package, is_uuid};
use crate::emulator::text::nearest;

/// How many names an error lists.
const LISTED: usize = 10;
/// How much of a text of the document an error shows, in characters.
const SHOWN: usize = 60;

/// A text of the document as an error shows it: short, and without what a terminal would heed.
pub(super) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.escape_debug().to_string()
}

/// Words that may repeat such a text, on one line: bounded, and without what a terminal would heed.
pub(super) fn plain(words: &str) -> String {
    let letters = words.chars().take(8 * SHOWN);
    letters
        .map(|letter| match letter {
            '\n' => " ".to_owned(),
            letter if letter.is_control() => letter.escape_debug().to_string(),
            letter => letter.into(),
        })
        .collect()
}

/// A thing that can be meant.
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// Empty for what has none.
    pub(super) version: &'a str,
}

/// Accounts, as they can be meant.
pub(super) fn accounts(accounts: &[Account]) -> Vec<Named<'_>> {
    accounts.iter().map(|account| Named { id: &account.id, name: &account.login, version: "" }).collect()
}

/// Images, as they can be meant.
pub(super) fn images(images: &[Image]) -> Vec<Named<'_>> {
    images.iter().map(|image| Named { id: &image.id, name: &image.name, version: &image.version }).collect()
}

/// Packages, as they can be meant.
pub(super) fn packages(packages: &[Package]) -> Vec<Named<'_>> {
    packages.iter().map(|package| Named { id: &package.id, name: &package.name, version: &package.version }).collect()
}

/// The networks that an account may use, as they can be meant.
pub(super) fn networks<'a>(networks: &'a [Network], account: &str) -> Vec<Named<'a>> {
    let own = networks.iter().filter(|network| network.visible(account));
    own.map(|network| Named { id: &network.id, name: &network.name, version: "" }).collect()
}

/// The id of the thing that a text means: by its id, its name, or `NAME@VERSION`. Of several of a name it is the last.
///
/// # Errors
/// Words that name what there is.
pub(super) fn find<'a>(what: &str, things: &[Named<'a>], text: &str) -> Result<&'a str, String> {
    if is_uuid(text) {
        let found = things.iter().find(|thing| thing.id == text);
        return found.map(|thing| thing.id).ok_or_else(|| format!("no {what} of the id {text}"));
    }
    let exact = text.rsplit_once('@').filter(|(_, version)| !version.is_empty());
    let of_version = |(name, version): (&str, &str)| {
        things.iter().rev().find(|thing| thing.name == name && thing.version == version)
    };
    let found = things.iter().rev().find(|thing| thing.name == text).or_else(|| exact.and_then(of_version));
    found.map(|thing| thing.id).ok_or_else(|| {
        let mut names: Vec<String> = Vec::new();
        for thing in things {
            let name = match exact {
                Some(_) if !thing.version.is_empty() => format!("{}@{}", thing.name, thing.version),
                _ => thing.name.to_owned(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        format!("no {what} \"{}\"; {}", shown(text), known(text, &names))
    })
}

/// What could be meant by a word that is not known.
pub(super) fn known(word: &str, names: &[String]) -> String {
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    if let Some(near) = nearest(word, &all) {
        return format!("is \"{}\" meant?", shown(near));
    }
    let listed: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    match listed.as_slice() {
        [] => "there is none".to_owned(),
        listed if names.len() > listed.len() => format!("there are {} and more", listed.join(", ")),
        listed => format!("there is {}", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_meant_by_its_id_its_name_or_with_its_version() {
        let named = |id, name, version| Named { id, name, version };
        let things = [named("1", "base", "1.0"), named("2", "base", "2.0"), named("3", "a@b", "")];
        for (text, id) in [("base", "2"), ("base@1.0", "1"), ("base@2.0", "2"), ("a@b", "3")] {
            assert_eq!(find("image", &things, text), Ok(id), "{text}");
        }
        for (text, words) in [
            ("bas", "no image \"bas\"; is \"base\" meant?"),
            ("other", "no image \"other\"; there is base, a@b"),
            ("other@9", "no image \"other@9\"; there is base@1.0, base@2.0, a@b"),
            ("x\u{1b}[2J\n", "no image \"x\\u{1b}[2J\\n\"; there is base, a@b"),
            ("2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02", "no image of the id 2d71f0c4-1c3e-4f5a-9b7c-0d1e2f3a4b02"),
        ] {
            assert_eq!(find("image", &things, text).unwrap_err(), words);
        }
        assert_eq!(find("image", &[], "x").unwrap_err(), "no image \"x\"; there is none");
    }
}
