//! Filters of lists, as they are typed: `state=running`, `tag.role!=web`, `memory>=2G`, `name=~^web`; and what fits
//! one. Pure: it sees values as text, and asks nobody for them.

use std::borrow::Cow;

use regex_bites::{Regex, RegexBuilder};

use super::selector::{glob, is_glob};
use super::shell;
use crate::error::{Error, Result};
use crate::sensitive::quoted;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `=`, or `==`.
    Is,
    /// `!=`; a row without the value fits too.
    IsNot,
    /// `>`.
    Above,
    /// `>=`.
    AtLeast,
    /// `<`.
    Below,
    /// `<=`.
    AtMost,
    /// `=~`: a regular expression fits a part of it.
    Like,
    /// `!~`; a row without the value fits too.
    Unlike,
}

/// How much a regular expression may grow when it is compiled, in bytes.
const MAX_REGEX: usize = 1 << 16;

impl Sign {
    /// Whether it asks for an order, which numbers, amounts and times have here.
    pub fn orders(self) -> bool {
        matches!(self, Sign::Above | Sign::AtLeast | Sign::Below | Sign::AtMost)
    }

    /// Whether it asks for a regular expression.
    pub fn is_regex(self) -> bool {
        matches!(self, Sign::Like | Sign::Unlike)
    }

    /// Whether a row without the value fits.
    pub fn is_negative(self) -> bool {
        matches!(self, Sign::IsNot | Sign::Unlike)
    }

    /// As it is typed first.
    pub fn typed(self) -> &'static str {
        if self == Sign::Is { "=" } else { self.as_str() }
    }

    /// As it can be typed too.
    pub fn as_str(self) -> &'static str {
        match self {
            Sign::Is => "==",
            Sign::IsNot => "!=",
            Sign::Above => ">",
            Sign::AtLeast => ">=",
            Sign::Below => "<",
            Sign::AtMost => "<=",
            Sign::Like => "=~",
            Sign::Unlike => "!~",
        }
    }
}

/// A filter in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typed<'a> {
    /// What is compared.
    pub name: &'a str,
    /// How.
    pub sign: Sign,
    /// With what.
    pub value: &'a str,
    /// `NAME:=JSON`: the value is JSON.
    pub json: bool,
    /// `NAME==VALUE`: the whole value, where `=` is about its beginning.
    pub exact: bool,
}

/// What may stand between a name and a value: the longer before those that they begin with. Without a meaning here are
/// those of other languages, which people type all the same.
const SIGNS: &[(&str, Option<Sign>)] = &[
    ("!=", Some(Sign::IsNot)),
    ("==", Some(Sign::Is)),
    (">=", Some(Sign::AtLeast)),
    ("<=", Some(Sign::AtMost)),
    ("=~", Some(Sign::Like)),
    ("!~", Some(Sign::Unlike)),
    ("~=", None),
    ("=>", None),
    ("=<", None),
    ("<>", None),
    ("=", Some(Sign::Is)),
    (">", Some(Sign::Above)),
    ("<", Some(Sign::Below)),
];

impl<'a> Typed<'a> {
    /// Reads `NAME=VALUE`, with any of the signs.
    ///
    /// # Errors
    /// A usage error with what works instead.
    pub fn parse(text: &'a str) -> Result<Typed<'a>> {
        let Some((at, (word, sign))) = text.char_indices().find_map(|(at, _)| {
            let rest = text.get(at..)?;
            SIGNS.iter().find(|(word, _)| rest.starts_with(word)).map(|found| (at, *found))
        }) else {
            return Err(without_sign(text));
        };
        let (name, value) = (text.get(..at).unwrap_or_default(), text.get(at + word.len()..).unwrap_or_default());
        let (name, value) = match name.strip_suffix(char::is_whitespace) {
            Some(_) => (name.trim(), value.trim()),
            None => (name.trim_start(), value),
        };
        let Some(sign) = sign else { return Err(without_meaning(name, word, value)) };
        let (name, json) = match name.strip_suffix(':') {
            Some(name) if word == "=" => (name, true),
            _ => (name, false),
        };
        if name.is_empty() {
            return Err(Error::usage(format!("'{}' has no name before the {word}", quoted(text))));
        }
        check_value(name, sign, value)?;
        Ok(Typed { name, sign, value, json, exact: word == "==" })
    }
}

/// The value that is meant where commas that belong to it have a backslash before them, as in a selector.
pub fn unescaped(value: &str) -> Cow<'_, str> {
    if value.contains("\\,") { value.replace("\\,", ",").into() } else { value.into() }
}

/// Refuses a value that begins like an operator: it would be looked for literally, and found nowhere.
///
/// # Errors
/// A usage error with what works instead.
pub fn check_value(name: &str, sign: Sign, value: &str) -> Result<()> {
    if sign.is_regex() {
        return Ok(());
    }
    let (name, value) = (&*quoted(name), &*quoted(value));
    let Some(first) = value.chars().next().filter(|first| "=!<>~".contains(*first)) else { return Ok(()) };
    let rest = value.trim_start_matches(['=', '!', '<', '>', '~']).trim_start();
    let error =
        Error::usage(format!("the value of {name} begins with '{first}', which is no part of an operator here"));
    let meant = match (first, sign) {
        ('!', Sign::Is) => format!("{name}!={rest}"),
        ('<' | '>', Sign::Is) => format!("{name}{}{rest}", value.get(..value.len() - rest.len()).unwrap_or_default()),
        ('~', _) => format!("{name}{}{rest}", if sign == Sign::IsNot { "!~" } else { "=~" }),
        _ => format!("{name}{}{rest}", if sign == Sign::Is { "=" } else { sign.as_str() }),
    };
    let error = error.hint(shell::quoted(&meant));
    Err(error.hint(format!(
        "if the value really begins so, ? stands for a character: {}",
        shell::quoted(&format!("{name}=?{rest}"))
    )))
}

fn without_sign(text: &str) -> Error {
    let text = &*quoted(text);
    let error = Error::usage(format!("'{text}' is not a filter: NAME=VALUE"));
    match (text.strip_prefix('!'), text.split_once(':')) {
        (Some("tags" | "tag"), _) => error.hint("those without any tag: 'tags!=*'"),
        (Some(name), _) => {
            let tag = if name.starts_with("tag.") { name.to_owned() } else { format!("tag.{name}") };
            error.hint(format!("without the tag: {}", shell::quoted(&format!("{tag}!=*"))))
        }
        (None, Some((name, value))) if !name.is_empty() && !value.is_empty() => {
            error.hint(shell::quoted(&format!("{name}={value}")))
        }
        _ if text.starts_with("tag.") => error.hint(format!("with any value: {}", shell::quoted(&format!("{text}=*")))),
        _ => error,
    }
}

fn without_meaning(name: &str, sign: &str, value: &str) -> Error {
    let (name, value) = (&*quoted(name), &*quoted(value));
    let error =
        Error::usage(format!("{sign} is not an operator: =, !=, =~, !~, and of numbers and times <, <=, >, >="));
    error.hint(shell::quoted(&match sign {
        "=>" => format!("{name}>={value}"),
        "=<" => format!("{name}<={value}"),
        "<>" => format!("{name}!={value}"),
        _ => format!("{name}=~{value}"),
    }))
}

/// What a simple regular expression means, as a glob.
pub fn globbed(name: &str, not: bool, pattern: &str) -> String {
    let pattern = pattern.trim_matches('/').trim();
    let (begin, pattern) = pattern.strip_prefix('^').map_or(("*", pattern), |rest| ("", rest));
    let (end, pattern) = pattern.strip_suffix('$').map_or(("*", pattern), |rest| ("", rest));
    let pattern = pattern.replace(".*", "*").replace(".+", "?*").replace("\\.", ".");
    let pattern: String = pattern.chars().map(|c| if "[](){}|\\+^$".contains(c) { '?' } else { c }).collect();
    let sign = if not { "!=" } else { "=" };
    let glob = format!("{begin}{pattern}{end}");
    format!("{name}{sign}{}", if glob.chars().all(|letter| letter == '*') { "*" } else { &glob })
}

/// A condition on one value.
#[derive(Clone, Debug)]
pub struct Condition {
    sign: Sign,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    Text(String),
    OneOf(Vec<String>),
    /// A time of ISO 8601, or the beginning of one.
    Date(String),
    Time(jiff::Timestamp),
    Pattern(Regex),
    Glob(String),
    Begins(String),
    Number(f64),
    /// A number, or a time, which may be written the same: 2027.
    Ordered(Option<f64>, Option<Box<Condition>>),
    True(bool),
}

impl Condition {
    /// Exactly this text; `*` and `?` in it stand for anything.
    pub fn text(sign: Sign, text: &str) -> Condition {
        let wanted = if is_glob(text) { Wanted::Glob(text.to_owned()) } else { Wanted::Text(text.to_owned()) };
        Condition { sign, wanted }
    }

    /// Exactly this text, whatever is in it.
    pub fn exactly(sign: Sign, text: &str) -> Condition {
        Condition { sign, wanted: Wanted::Text(text.to_owned()) }
    }

    /// Text that begins so; a glob is of all of it.
    pub fn begins(sign: Sign, text: &str) -> Condition {
        match is_glob(text) {
            true => Condition::text(sign, text),
            false => Condition { sign, wanted: Wanted::Begins(text.to_owned()) },
        }
    }

    /// One of these texts, exactly.
    pub fn one_of(sign: Sign, texts: Vec<String>) -> Condition {
        Condition { sign, wanted: Wanted::OneOf(texts) }
    }

    /// A time in the form of ISO 8601, or the beginning of one: what is equal begins so.
    pub fn time(sign: Sign, text: &str) -> Condition {
        let wanted = if sign.orders() { Wanted::Date(text.to_owned()) } else { Wanted::Begins(text.to_owned()) };
        Condition { sign, wanted }
    }

    /// A moment.
    pub fn instant(sign: Sign, time: jiff::Timestamp) -> Condition {
        Condition { sign, wanted: Wanted::Time(time) }
    }

    /// A time as people type it: a year, a month, a day, or all of it. Nothing for what is none: written otherwise, it
    /// is none of those that texts can be compared with.
    pub fn date(sign: Sign, text: &str) -> Option<Condition> {
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Condition::instant(sign, time));
        }
        let day = match text.len() {
            4 => format!("{text}-01-01"),
            7 => format!("{text}-01"),
            _ => text.to_owned(),
        };
        let is_date = text.len() <= 10 && day.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == day);
        is_date.then(|| Condition::time(sign, text))
    }

    /// Less or greater than a number or a time, of values that may be anything; nothing for what is neither.
    pub fn ordered(sign: Sign, text: &str) -> Option<Condition> {
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let time = Condition::date(sign, text).map(Box::new);
        let any = number.is_some() || time.is_some();
        any.then(|| Condition { sign, wanted: Wanted::Ordered(number, time) })
    }

    /// Whether a value can be compared with what is wanted at all.
    pub fn compares(&self, value: &str) -> bool {
        match &self.wanted {
            Wanted::Ordered(number, time) => {
                number.is_some() && value.parse::<f64>().is_ok() || time.is_some() && moment(value).is_some()
            }
            _ => true,
        }
    }

    /// Before this time, in milliseconds since 1970.
    pub fn before(time: i64) -> Condition {
        let time = jiff::Timestamp::from_millisecond(time).unwrap_or(jiff::Timestamp::MIN);
        Condition { sign: Sign::Below, wanted: Wanted::Time(time) }
    }

    /// A regular expression, which fits a part of the text unless it says otherwise. `/…/` around it is left out.
    ///
    /// # Errors
    /// A usage error: it is none, or far too large.
    pub fn pattern(sign: Sign, pattern: &str) -> Result<Condition> {
        let pattern = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap_or(pattern);
        let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
        let regex = built
            .map_err(|error| Error::usage(format!("'{}' is not a regular expression: {error}", quoted(pattern))))?;
        Ok(Condition { sign, wanted: Wanted::Pattern(regex) })
    }

    /// Whether one of the values of a row fits, or, where it must be another one, all of them do.
    pub fn fits_some<'a>(&self, mut values: impl Iterator<Item = &'a str>) -> bool {
        match self.sign.is_negative() {
            true => values.all(|value| self.fits(Some(value))),
            false => values.any(|value| self.fits(Some(value))),
        }
    }

    /// A number.
    pub fn number(sign: Sign, number: f64) -> Condition {
        Condition { sign, wanted: Wanted::Number(number) }
    }

    /// True or false; what is not there is false.
    pub fn truth(sign: Sign, truth: bool) -> Condition {
        Condition { sign, wanted: Wanted::True(truth) }
    }

    /// Whether a value fits, which is nothing where a row has none.
    pub fn fits(&self, value: Option<&str>) -> bool {
        let equal = match (&self.wanted, value) {
            (Wanted::True(truth), value) => (value == Some("true")) == *truth,
            (_, None) => return self.sign.is_negative(),
            (Wanted::Text(text), Some(value)) => text == value,
            (Wanted::OneOf(texts), Some(value)) => texts.iter().any(|text| text == value),
            (Wanted::Pattern(regex), Some(value)) => regex.is_match(value),
            (Wanted::Ordered(number, time), Some(value)) => {
                let number = number.filter(|_| value.parse::<f64>().is_ok());
                return match (number, time, moment(value)) {
                    (Some(number), ..) => Condition::number(self.sign, number).fits(Some(value)),
                    (None, Some(time), Some(moment)) => time.fits(Some(&moment)),
                    _ => false,
                };
            }
            (Wanted::Time(time), Some(value)) => {
                let Ok(value) = value.parse::<jiff::Timestamp>() else { return self.sign == Sign::IsNot };
                return match self.sign {
                    Sign::Is => value == *time,
                    Sign::IsNot => value != *time,
                    Sign::Above => value > *time,
                    Sign::AtLeast => value >= *time,
                    Sign::Below => value < *time,
                    Sign::AtMost => value <= *time,
                    Sign::Like | Sign::Unlike => false,
                };
            }
            (Wanted::Date(wanted), Some(value)) => {
                let within = value.starts_with(wanted.as_str());
                return match self.sign {
                    Sign::Above => value > wanted.as_str() && !within,
                    Sign::AtLeast => value >= wanted.as_str(),
                    Sign::Below => value < wanted.as_str(),
                    Sign::AtMost => value <= wanted.as_str() || within,
                    _ => false,
                };
            }
            (Wanted::Glob(pattern), Some(value)) => glob(pattern, value),
            (Wanted::Begins(text), Some(value)) => value.starts_with(text.as_str()),
            (Wanted::Number(wanted), Some(value)) => {
                let Ok(value) = value.parse::<f64>() else { return self.sign == Sign::IsNot };
                return match self.sign {
                    Sign::Is => value == *wanted,
                    Sign::IsNot => value != *wanted,
                    Sign::Above => value > *wanted,
                    Sign::AtLeast => value >= *wanted,
                    Sign::Below => value < *wanted,
                    Sign::AtMost => value <= *wanted,
                    Sign::Like | Sign::Unlike => false,
                };
            }
        };
        match self.sign {
            Sign::Is | Sign::Like => equal,
            Sign::IsNot | Sign::Unlike => !equal,
            // Only numbers are made with these.
            _ => false,
        }
    }
}

/// A time as ISO 8601 has it in UTC, so that texts compare as times do.
fn moment(value: &str) -> Option<String> {
    let day = || value.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == value);
    let time = value.trim().parse::<jiff::Timestamp>().ok().map(|time| time.to_string());
    time.or_else(|| day().map(|day| format!("{day}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_filter_is_cut_at_its_first_sign() {
        for (text, name, sign, value) in [
            ("state=running", "state", Sign::Is, "running"),
            ("state==running", "state", Sign::Is, "running"),
            ("state!=running", "state", Sign::IsNot, "running"),
            ("state != running", "state", Sign::IsNot, "running"),
            ("memory>=2G", "memory", Sign::AtLeast, "2G"),
            ("memory > 2G", "memory", Sign::Above, "2G"),
            ("memory<2G", "memory", Sign::Below, "2G"),
            ("memory<=2G", "memory", Sign::AtMost, "2G"),
            ("tag.hash=YWJj=", "tag.hash", Sign::Is, "YWJj="),
            ("tag.a~b=c", "tag.a~b", Sign::Is, "c"),
            ("tag.a!b=c", "tag.a!b", Sign::Is, "c"),
            ("tag.q=a b", "tag.q", Sign::Is, "a b"),
            ("tag.q= b", "tag.q", Sign::Is, " b"),
            ("tag.é=x>y", "tag.é", Sign::Is, "x>y"),
            ("name=~^web", "name", Sign::Like, "^web"),
            ("name !~ ^web", "name", Sign::Unlike, "^web"),
            ("name=~=", "name", Sign::Like, "="),
        ] {
            let exact = text.contains("==");
            assert_eq!(Typed::parse(text).unwrap(), Typed { name, sign, value, json: false, exact }, "{text}");
        }
        let typed = Typed { name: "tag.n", sign: Sign::Is, value: "1", json: true, exact: false };
        assert_eq!(Typed::parse("tag.n:=1").unwrap(), typed);
    }

    #[test]
    fn a_sign_of_another_language_is_refused_with_what_works() {
        for (text, hint) in [
            ("tag.role~=web", "'tag.role=~web'"),
            ("memory=>2G", "'memory>=2G'"),
            ("memory=<2G", "'memory<=2G'"),
            ("state<>running", "'state!=running'"),
            ("name==~web", "'name=~web'"),
            ("name=!web", "'name!=web'"),
            ("state===running", "state=running"),
            ("!tag.role", "without the tag: 'tag.role!=*'"),
            ("!role", "without the tag: 'tag.role!=*'"),
            ("tag.role", "with any value: 'tag.role=*'"),
            ("state:running", "state=running"),
        ] {
            let error = Typed::parse(text).unwrap_err();
            assert_eq!(error.hints().first().map(crate::error::Hint::as_str), Some(hint), "{text}");
            // What a hint says can be typed.
            let typed = hint.rsplit(": ").next().unwrap().trim_matches('\'');
            Typed::parse(typed).unwrap_or_else(|error| panic!("{text} -> {typed}: {error}"));
        }
    }

    #[test]
    fn a_value_fits_as_the_sign_says() {
        let cases = [
            (Condition::text(Sign::Is, "web"), &[Some("web")][..], &[Some("web1"), None][..]),
            (Condition::text(Sign::IsNot, "web"), &[Some("web1"), None], &[Some("web")]),
            (Condition::text(Sign::Is, "w?b*"), &[Some("web1"), Some("wob")], &[Some("wb"), None]),
            (Condition::text(Sign::IsNot, "*"), &[None], &[Some(""), Some("x")]),
            (Condition::exactly(Sign::Is, "a*"), &[Some("a*")], &[Some("ab")]),
            (Condition::begins(Sign::Is, "web"), &[Some("web"), Some("web1")], &[Some("my-web"), None]),
            (Condition::begins(Sign::Is, "*web"), &[Some("my-web")], &[Some("my-web1")]),
            (Condition::number(Sign::Is, 1024.0), &[Some("1024"), Some("1024.0")], &[Some("1025"), None, Some("x")]),
            (Condition::number(Sign::AtLeast, 5.0), &[Some("5"), Some("1e9")], &[Some("4.9"), None]),
            (Condition::number(Sign::Above, 5.0), &[Some("6")], &[Some("5"), None]),
            (Condition::number(Sign::Below, 5.0), &[Some("-6")], &[Some("5"), None]),
            (Condition::number(Sign::AtMost, 5.0), &[Some("5")], &[Some("6"), None]),
            (Condition::number(Sign::IsNot, 5.0), &[Some("6"), None], &[Some("5")]),
            (Condition::truth(Sign::Is, true), &[Some("true")], &[Some("false"), None]),
            (Condition::truth(Sign::Is, false), &[Some("false"), None], &[Some("true")]),
            (Condition::truth(Sign::IsNot, true), &[Some("false"), None], &[Some("true")]),
            (Condition::one_of(Sign::Is, vec!["a".into(), "b*".into()]), &[Some("a"), Some("b*")], &[Some("bb"), None]),
            (Condition::pattern(Sign::Like, "^w.b$").unwrap(), &[Some("web")], &[Some("web1"), None]),
            (Condition::pattern(Sign::Unlike, "/eb/").unwrap(), &[Some("db"), None], &[Some("web1")]),
            (Condition::time(Sign::Is, "2025-11"), &[Some("2025-11-21T10:00:00Z")], &[Some("2025-12-01"), None]),
            (Condition::time(Sign::Above, "2025-11-21"), &[Some("2025-11-22")], &[Some("2025-11-21T10:00:00Z"), None]),
            (Condition::time(Sign::AtMost, "2025-11-21"), &[Some("2025-11-21T10:00:00Z")], &[Some("2025-11-22"), None]),
            (
                Condition::ordered(Sign::Below, "2027").unwrap(),
                &[Some("2026-11-30T10:00:00+02:00"), Some("2026-12-31"), Some("1999")],
                &[Some("2027-01-01"), Some("2028"), Some("soon"), None],
            ),
            (
                Condition::ordered(Sign::AtLeast, "2026-11-30T08:00:00Z").unwrap(),
                &[Some("2026-11-30T10:00:00+02:00")],
                &[Some("2026-11-30"), Some("2027"), Some("9")],
            ),
            (Condition::ordered(Sign::Above, "1.5").unwrap(), &[Some("2")], &[Some("2026-11-30"), Some("1")]),
            (
                Condition::before(0),
                &[Some("1970-01-01T01:00:00+02:00")],
                &[Some("1970-01-01T01:00:00-01:00"), Some("x"), None],
            ),
        ];
        for (condition, yes, no) in cases {
            assert!(yes.iter().all(|value| condition.fits(*value)), "{condition:?} {yes:?}");
            assert!(!no.iter().any(|value| condition.fits(*value)), "{condition:?} {no:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_throws_the_reader_off(text in "[a-z.]{0,4}[=!<>~: ]{0,3}\\PC{0,12}") {
            match Typed::parse(&text) {
                Err(error) => prop_assert!(error.kind() == crate::error::Kind::Usage),
                Ok(typed) => {
                    prop_assert!(!typed.name.is_empty() && text.contains(typed.value));
                    for condition in [Condition::text(typed.sign, typed.value), Condition::begins(typed.sign, typed.value)] {
                        condition.fits(Some(&text));
                    }
                }
            }
        }

        #[test]
        fn a_value_is_or_is_not_what_was_asked_for(text in "[ab*?]{1,6}", value in proptest::option::of("[ab]{0,6}")) {
            let value = value.as_deref();
            let [is, not] = [Sign::Is, Sign::IsNot].map(|sign| Condition::text(sign, &text).fits(value));
            prop_assert!(is != not);
        }
    }
}
