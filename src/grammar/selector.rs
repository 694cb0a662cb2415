//! Selectors: `role=web,env!=prod,backup,!old`, which pick things by their tags, and globs: `web-*`, which pick
//! them by their names. Pure: it sees tags and names as text, and asks nobody for them.

use super::fault;
use crate::error::Result;

/// Conditions on tags, all of which must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(Vec<Condition>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    tag: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Is(String),
    /// A thing without the tag fits too.
    IsNot(String),
    Has,
    HasNot,
}

impl Selector {
    /// The tags that only have to be there.
    pub fn bare(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|condition| condition.test == Test::Has).map(|condition| condition.tag.as_str())
    }

    /// The tags whose values are compared.
    pub fn compared(&self) -> impl Iterator<Item = &str> {
        let compared = |condition: &&Condition| matches!(condition.test, Test::Is(_) | Test::IsNot(_));
        self.0.iter().filter(compared).map(|condition| condition.tag.as_str())
    }

    /// Reads `TAG=VALUE`, `TAG!=VALUE`, `TAG` and `!TAG`, with commas between. A value goes to the next comma that has
    /// no backslash before it, and may be a glob.
    ///
    /// # Errors
    /// A usage error that points at what cannot be read.
    pub fn parse(text: &str) -> Result<Selector> {
        let mut conditions = Vec::new();
        let mut at = 0;
        for part in parts(text) {
            let wrong = |at: usize, words: &str| {
                fault("the selector", text, at, words, "TAG=VALUE, TAG!=VALUE, TAG or !TAG, with commas between")
            };
            let begin = at + (part.len() - part.trim_start().len());
            let part_text = part.trim();
            let (tag, test) = match part_text.find('=') {
                Some(sign) => {
                    let (left, right) = part_text.split_at(sign);
                    let value = right.strip_prefix("==").or(right.strip_prefix('=')).unwrap_or_default();
                    match left.strip_suffix('!') {
                        Some(tag) => (tag, Test::IsNot(value.trim().replace("\\,", ","))),
                        None => (left, Test::Is(value.trim().replace("\\,", ","))),
                    }
                }
                None => match part_text.strip_prefix('!') {
                    Some(tag) => (tag, Test::HasNot),
                    None => (part_text, Test::Has),
                },
            };
            if let Test::Is(value) | Test::IsNot(value) = &test
                && value.is_empty()
            {
                return Err(wrong(at + part.len(), "here a value is missing: is a variable unset?"));
            }
            let tag = tag.trim();
            if tag.is_empty() {
                return Err(wrong(begin, "here the name of a tag is missing"));
            }
            // The service takes blanks in names.
            if tag.starts_with('!') || tag.chars().any(|letter| letter.is_control()) {
                return Err(wrong(begin, "this is not a name of a tag"));
            }
            if is_glob(tag) {
                return Err(wrong(begin, "* and ? stand only in values; with any value: TAG"));
            }
            // No tag of the service is called so; whoever types it means something else.
            if let Some(own) = tag.strip_prefix("tag.") {
                return Err(wrong(begin, &format!("tags go by their names alone here: {own}")));
            }
            if let Some(letter) = tag.chars().find(|letter| ";:<>~".contains(*letter)) {
                return Err(wrong(begin, &format!("'{letter}' means nothing here")));
            }
            if let Test::Is(value) | Test::IsNot(value) = &test
                && value.split([';', ' ', '&']).skip(1).any(|more| more.contains('='))
            {
                return Err(wrong(begin, "between conditions there are commas"));
            }
            if let Test::Is(value) = &test
                && let Some(other) = conditions.iter().find_map(|known: &Condition| match &known.test {
                    Test::Is(other) if known.tag == tag && other != value && !is_glob(other) && !is_glob(value) => {
                        Some(other)
                    }
                    _ => None,
                })
            {
                return Err(wrong(begin, &format!("no tag is both {other} and {value}: all of these must hold")));
            }
            conditions.push(Condition { tag: tag.to_owned(), test });
            at += part.len() + 1;
        }
        Ok(Selector(conditions))
    }

    /// Whether a thing fits whose tags this returns, by their names; numbers and booleans as they are written.
    pub fn fits<'a>(&self, tag: impl Fn(&str) -> Option<std::borrow::Cow<'a, str>>) -> bool {
        self.0.iter().all(|condition| match (&condition.test, tag(&condition.tag)) {
            (Test::Is(value), Some(now)) => glob(value, &now),
            (Test::IsNot(value), Some(now)) => !glob(value, &now),
            (Test::Is(_), None) | (Test::Has, None) | (Test::HasNot, Some(_)) => false,
            (Test::IsNot(_), None) | (Test::Has, Some(_)) | (Test::HasNot, None) => true,
        })
    }
}

/// What stands between the commas of a selector.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, _) in text.match_indices(',') {
        if !text.get(..at).is_some_and(|before| before.ends_with('\\')) {
            parts.extend(text.get(begin..at));
            begin = at + 1;
        }
    }
    parts.extend(text.get(begin..));
    parts
}

/// Whether a text is a glob: no name on the service has one of these characters.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a glob fits a name: `*` stands for any characters, `?` for one.
pub fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where the last star was, and how much of the name it has taken: enough to go back to, and never exponential.
    let (mut at, mut of_name, mut star) = (0, 0, None);
    while of_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of_name));
                at += 1;
            }
            Some(letter) if *letter == '?' || name.get(of_name) == Some(letter) => {
                at += 1;
                of_name += 1;
            }
            _ => match &mut star {
                Some((place, taken)) => {
                    *taken += 1;
                    (at, of_name) = (*place + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fits(selector: &str, tags: &[(&str, &str)]) -> bool {
        let selector = Selector::parse(selector).unwrap();
        selector.fits(|name| tags.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
    }

    #[test]
    fn a_selector_fits_when_all_its_conditions_do() {
        let web = [("role", "web"), ("env", "prod")];
        for yes in [
            "role=w*",
            "role=?eb",
            "role=*",
            "env!=t*",
            "role=web",
            "role==web",
            "role=web,env=prod",
            "env!=test",
            "zone!=a",
            "role",
            "!zone",
            " role = web ",
        ] {
            assert!(fits(yes, &web), "{yes}");
        }
        for no in ["role=db", "role=we", "role=web,env!=prod", "zone", "!role"] {
            assert!(!fits(no, &web), "{no}");
        }
        // A comma of the value's own has a backslash before it.
        let owner = [("owner", "Doe, J"), ("role", "web")];
        assert!(fits(r"owner=Doe\, J,role=web", &owner) && fits(r"role=web,owner=Doe\, *", &owner));
        assert!(!fits(r"owner!=Doe\, J", &owner));
        let cost = [("cost center", "x y")];
        assert!(fits("cost center=x y", &cost) && fits("cost center", &cost) && !fits("!cost center", &cost));
        assert!(fits("triton.cns.services=a=b", &[("triton.cns.services", "a=b")]));
    }

    #[test]
    fn what_cannot_be_read_is_pointed_at() {
        for text in ["", "a=1,", "a=", "a!=", "a=,b=1", "=x", "!", "!=x", "a\tb", "!!a", "a=1 b=2"] {
            let error = Selector::parse(text).unwrap_err();
            assert!(error.hints().iter().any(|hint| hint.as_str().contains('^')), "{text}: {error}");
        }
    }

    #[test]
    fn a_glob_fits_whole_names() {
        for (pattern, yes, no) in [
            ("web-*", "web-01", "my-web-01"),
            ("*", "anything", ""),
            ("w?b", "web", "weeb"),
            ("*-db-*", "a-db-1", "a-db"),
            ("a*b*c", "a-b-b-c", "a-c-b"),
        ] {
            assert!(glob(pattern, yes), "{pattern} {yes}");
            assert!(no.is_empty() || !glob(pattern, no), "{pattern} {no}");
        }
    }

    proptest! {
        #[test]
        fn no_text_throws_the_readers_off(text in "\\PC{0,40}", name in "[ab*?]{0,12}") {
            if let Err(error) = Selector::parse(&text) {
                prop_assert!(!error.hints().is_empty());
            }
            prop_assert!(glob("*", &name));
            prop_assert!(glob(&name.replace(['a', 'b'], "?"), &name) || name.contains(['*', '?']));
        }

        #[test]
        fn a_name_is_a_glob_of_itself(name in "[a-z.-]{0,20}", cut in 0_usize..20) {
            prop_assert!(glob(&name, &name));
            let cut = cut.min(name.len());
            let starred = format!("{}*{}", &name[..cut], &name[cut..]);
            prop_assert!(glob(&starred, &name));
        }
    }
}
