//! Filters that cannot mean what they say: refused, with what works instead, for they would fit nothing and say so with
//! an empty list.

use crate::api::{Column, Kind, Level, Op};
use crate::error::{Error, Result};
use crate::grammar::filter::{Sign, Typed, globbed};
use crate::grammar::nearest;
use crate::grammar::selector::is_glob;
use crate::grammar::shell;
use crate::sensitive::{self, quoted};

/// An empty value, which comes from a variable that is unset.
pub fn empty(key: &str, sign: Sign) -> Error {
    let key = quoted(key);
    Error::usage(match sign {
        Sign::Is => format!("the filter {key} is empty, which would choose everything: is a variable unset?"),
        _ => format!("the filter {key} is empty: is a variable unset?"),
    })
}

/// Refuses to look for what may be a secret. A tag may hold a URL with a login, and then it is looked for.
///
/// # Errors
/// A usage error that does not show it.
pub fn refuse_secret(name: &str, value: &str, member: bool) -> Result<()> {
    let sort = sensitive::sort(value).filter(|sort| match sort {
        // The words alone are no key.
        sensitive::Sort::Key => !member || sensitive::has_key_in_it(value),
        _ => !member,
    });
    match sort {
        Some(sensitive::Sort::Key | sensitive::Sort::Login) => {
            sensitive::refuse(quoted(name), value, "what to look for")
        }
        _ => Ok(()),
    }
}

/// The same of what not all have, with the filter for those that have none.
pub fn none_of(error: Error, key: &str) -> Error {
    error.hint(format!("those without it: {}", shell::quoted(&quoted(&format!("{key}!=*")))))
}

/// Refuses several filters in one word: all but the first would be a part of its value.
///
/// # Errors
/// A usage error with what works instead.
pub fn one_filter(op: &Op, typed: &Typed<'_>) -> Result<()> {
    let known = |name: &str| {
        let tag = ["tag.", "tags.", "metadata."].iter().any(|prefix| name.starts_with(prefix));
        tag || op.fields.iter().any(|field| field.is_called(name))
    };
    let between = |letter: char| letter.is_whitespace() || "&;,|".contains(letter);
    // A comma with a backslash before it is a part of the value.
    let value = typed.value.replace("\\,", "?");
    let mut parts = value.split(between).filter(|part| !part.is_empty());
    let Some(first) = parts.next() else { return Ok(()) };
    let others: Vec<&str> = parts.filter(|part| Typed::parse(part).is_ok_and(|typed| known(typed.name))).collect();
    if others.is_empty() {
        return Ok(());
    }
    let begin = format!("{}{}{first}", typed.name, typed.sign.typed());
    let words: Vec<String> = std::iter::once(&*begin).chain(others).map(|word| shell::quoted(&quoted(word))).collect();
    Err(Error::usage(format!("the value of {} holds another filter", quoted(typed.name)))
        .hint(format!("each is a word of its own, and all must fit: {}", words.join(" ")))
        .hint(format!(
            "if the value really is so, ? stands for a character: {}",
            masked(typed.name, typed.sign, typed.value)
        )))
}

/// The filter with `?` for what would be taken for something else.
fn masked(key: &str, sign: Sign, value: &str) -> String {
    let value: String = value.chars().map(|letter| if "&;,|=\"' ".contains(letter) { '?' } else { letter }).collect();
    shell::quoted(&quoted(&format!("{key}{}{value}", sign.typed())))
}

/// Refuses several values in one, and a value with the quotes of a shell: no row has them.
///
/// # Errors
/// A usage error with what works instead.
pub fn one_value(path: &[&str], key: &str, sign: Sign, value: &str) -> Result<()> {
    let shown = quoted(value);
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'') && value.len() > 1);
    if let Some(inside) = quote.and_then(|quote| value[1..].strip_suffix(quote)) {
        return Err(Error::usage(format!("the value of {} is in quotes, which would be a part of it", quoted(key)))
            .hint(shell::quoted(&quoted(&format!("{key}{}{inside}", sign.typed()))))
            .hint(format!("if it really has them, ? stands for a character: {}", masked(key, sign, value))));
    }
    // Lists are what these tags hold.
    let lists = path.last().is_some_and(|name| name.starts_with("triton.") || name.starts_with("docker:"));
    // A sentence has commas.
    let sentence = matches!(path.last(), Some(&("description" | "rule")));
    let several = value.replace("\\,", "").contains([',', '|']) && !lists && !sentence;
    if !several || sign.orders() {
        return Ok(());
    }
    let values: Vec<&str> = value.split([',', '|']).map(str::trim).filter(|value| !value.is_empty()).collect();
    let words = format!("'{shown}' is not one value: {} takes one", quoted(key));
    let error = Error::usage(words);
    let which = if sign == Sign::IsNot { "none of them" } else { "any of them" };
    // Braces are a shell's, which has left them alone.
    // Ids are compared by their beginnings, and those of other things by their names.
    let by_id = matches!(path.last(), Some(&("id" | "networks")));
    let error = match by_id || values.is_empty() || value.contains(['{', '}']) {
        true => error,
        false => {
            let any = values.iter().map(|value| pattern(value)).collect::<Vec<_>>().join("|");
            let sign = if sign == Sign::IsNot { "!~" } else { "=~" };
            error.hint(format!("{which}: {}", shell::quoted(&quoted(&format!("{key}{sign}^({any})$")))))
        }
    };
    Err(error.hint(match value.contains('|') {
        true => format!("if the value really has it, ? stands for a character: {}", masked(key, sign, value)),
        false => {
            let escaped = value.replace("\\,", ",").replace(',', "\\,");
            let whole = shell::quoted(&quoted(&format!("{key}{}{escaped}", sign.typed())));
            format!("if the value really has it, with a backslash before it: {whole}")
        }
    }))
}

/// Refuses what cannot be in a name, and is meant as a pattern of another language.
///
/// # Errors
/// A usage error with what works instead.
pub fn a_name(key: &str, sign: Sign, value: &str, strict: bool) -> Result<()> {
    let regular =
        value.starts_with('^') || value.ends_with('$') || value.contains(['%', '[', '\\']) || value.contains(".*");
    let odd = |letter: char| !letter.is_ascii_alphanumeric() && !"._-*?".contains(letter);
    if !(regular || strict && value.contains(odd)) {
        return Ok(());
    }
    let expression =
        value.starts_with('^') || value.ends_with('$') || value.contains(['[', '\\']) || value.contains(".*");
    let glob = match expression {
        true => globbed(key, sign == Sign::IsNot, value),
        // Of SQL there is the one sign; all else is meant as it stands.
        false => format!("{key}{}{}", sign.typed(), value.replace('%', "*")),
    };
    let glob: String =
        glob.chars().map(|letter| if odd(letter) && !"=!".contains(letter) { '?' } else { letter }).collect();
    let words = format!("no {} is '{}': * stands for any characters, ? for one", quoted(key), quoted(value));
    Err(Error::usage(words).hint(shell::quoted(&glob)))
}

/// The error for a filter that the list does not have.
pub fn unknown(op: &Op, columns: &[Column], typed: &Typed<'_>) -> Error {
    let (name, sign) = (&*quoted(typed.name), typed.sign);
    if typed.value.is_empty() {
        return empty(name, sign);
    }
    let error = Error::usage(format!("there is no filter '{name}'"));
    let known = |name: &str| op.fields.iter().any(|field| field.is_called(name));
    let as_typed = |name: &str, sign: Sign| shell::quoted(&quoted(&format!("{name}{}{}", sign.typed(), typed.value)));
    // `!state=running`
    if let Some(rest) = name.strip_prefix('!').filter(|rest| known(rest) || rest.starts_with("tag.")) {
        let sign = if sign == Sign::IsNot { Sign::Is } else { Sign::IsNot };
        return error.hint(as_typed(rest, sign));
    }
    let by_tag = op.fields.iter().any(|field| matches!(field.kind, Kind::Pairs("tag.")));
    // `tag:role`, `tags[role]`, `label.role`
    if let Some(tag) = tag_of(name).filter(|_| by_tag) {
        return error.hint(as_typed(&format!("tag.{tag}"), sign));
    }
    let words: Vec<&str> = op.fields.iter().map(|field| field.name).collect();
    if let Some(near) = nearest(name, &words) {
        return error.hint(format!("did you mean {near}?"));
    }
    let columns: Vec<&str> = columns.iter().map(|column| column.name).collect();
    if let Some(near) = nearest(name, &columns) {
        return error.hint(format!("did you mean the column {near}?"));
    }
    let plain = |letter: char| letter.is_alphanumeric() || "._-/".contains(letter);
    let number = typed.value.parse::<f64>().is_ok_and(f64::is_finite);
    match by_tag && name.chars().all(plain) && !columns.contains(&name) && (number || !sign.orders()) {
        true => error.hint(format!("by a tag: {}", as_typed(&format!("tag.{name}"), sign))),
        false => error,
    }
}

/// The tag that is meant by a spelling of another tool.
fn tag_of(name: &str) -> Option<&str> {
    let rest =
        ["tags", "tag", "labels", "label"].iter().find_map(|word| name.trim_start_matches('.').strip_prefix(word))?;
    let tag = rest.strip_prefix([':', '[', '/', '.'])?.trim_end_matches(']').trim_matches(['"', '\'', '.']);
    (!tag.is_empty()).then_some(tag)
}

/// The rows that have a member of this object whose name fits the glob, with the value: no filter says that.
pub fn members(object: &str, names: &str, typed: &Typed<'_>) -> String {
    let fits = match typed.sign {
        Sign::Like | Sign::Unlike => format!("test({})", text(typed.value)),
        _ if is_glob(typed.value) => format!("test({})", text(&format!("^{}$", pattern(typed.value)))),
        _ => format!(". == {}", text(typed.value)),
    };
    let not = if matches!(typed.sign, Sign::IsNot | Sign::Unlike) { "|not" } else { "" };
    let names = text(&format!("^{}$", pattern(names)));
    jq(&format!("[.{object}//{{}}|to_entries[]|select(.key|test({names}))|.value|tostring]|any({fits}){not}"))
}

/// The rows of which a member of this object, whatever its name, has this value.
pub fn as_jq(object: &str, name: &str, typed: &Typed<'_>) -> String {
    let sign = if typed.sign == Sign::IsNot { "!=" } else { "==" };
    jq(&format!(".{object}[{}]|tostring {sign} {}", text(name), text(typed.value)))
}

fn jq(condition: &str) -> String {
    format!("--jq {}", shell::quoted(&format!("map(select({condition}))")))
}

/// As JSON and jq have a text.
fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A glob as a regular expression.
fn pattern(glob: &str) -> String {
    let mut out = String::new();
    for letter in glob.chars() {
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            letter if letter.is_ascii_punctuation() && !"-_,:/@%=".contains(letter) => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

/// The filters of a list: what the service filters by, and all columns of the rows.
pub fn known_filters(op: &Op, columns: &[Column]) -> String {
    let fields = super::values::names(op);
    let columns = columns.iter().filter(|column| column.level == Level::Short && !column.field.is_empty());
    let own: Vec<&str> = columns.map(|column| column.name).filter(|name| !fields.contains(name)).collect();
    let all: Vec<&str> = Some(fields.as_str()).filter(|fields| !fields.is_empty()).into_iter().chain(own).collect();
    format!("known filters: {}, and every other column", all.join(", "))
}
