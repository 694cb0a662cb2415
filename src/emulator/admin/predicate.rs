//! The two languages in which lists are narrowed: JSON predicates and LDAP filters. Both are read into one form.

use serde_json::Value;

use crate::emulator::text::{glob, text};

/// A condition on a thing.
#[derive(Debug)]
pub(crate) enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    Compare(Operator, String, Value),
    /// The field has any value.
    There(String),
    /// Its text has this form.
    Like(String, String),
    /// It passes the check of its form, and holds for nothing.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
}

/// Nothing is nested deeper.
const DEEPEST: usize = 50;

impl Predicate {
    /// Reads a JSON predicate, such as `{"and":[{"eq":["state","failed"]},{"ge":["ram",1024]}]}`.
    pub(crate) fn read(source: &str) -> Result<Predicate, String> {
        let value: Value = serde_json::from_str(source).map_err(|_| "Unable to parse predicate as JSON".to_owned())?;
        match value.as_object() {
            Some(object) if object.is_empty() => Err("Empty predicate".to_owned()),
            Some(_) => Predicate::of(&value, 0).map_err(|words| format!("Predicate syntax error: Error: {words}")),
            None => Err("Predicate syntax error: Error: predicate must be an object".to_owned()),
        }
    }

    fn of(value: &Value, depth: usize) -> Result<Predicate, String> {
        let object = value.as_object().filter(|object| object.len() == 1);
        let Some((key, value)) = object.and_then(|object| object.iter().next()) else {
            return Err("predicate must have one key".to_owned());
        };
        if depth > DEEPEST {
            return Err("predicate is nested too deeply".to_owned());
        }
        let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if matches!(key.as_str(), "and" | "or") {
            if list.len() < 2 {
                return Err(format!("{key}: at least two predicates are needed"));
            }
            let parts = list.iter().map(|part| Predicate::of(part, depth + 1)).collect::<Result<_, _>>()?;
            return Ok(if key == "and" { Predicate::And(parts) } else { Predicate::Or(parts) });
        }
        let operator = match key.as_str() {
            "eq" => Some(Operator::Equal),
            "ne" => Some(Operator::NotEqual),
            "le" => Some(Operator::AtMost),
            "ge" => Some(Operator::AtLeast),
            "lt" | "gt" => None,
            other => return Err(format!("invalid key: {other}")),
        };
        match list {
            [Value::String(field), constant] if text(constant).is_some() => Ok(match operator {
                Some(operator) => Predicate::Compare(operator, field.clone(), constant.clone()),
                None => Predicate::Never,
            }),
            _ => Err(format!("{key}: a field and a constant are needed")),
        }
    }

    /// Whether it holds for what has these fields.
    pub(crate) fn holds(&self, field: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Predicate::And(parts) => parts.iter().all(|part| part.holds(field)),
            Predicate::Or(parts) => parts.iter().any(|part| part.holds(field)),
            Predicate::Not(part) => !part.holds(field),
            Predicate::There(name) => !matches!(field(name), Value::Null),
            Predicate::Like(name, pattern) => text(&field(name)).is_some_and(|text| glob(pattern, &text)),
            Predicate::Never => false,
            Predicate::Compare(operator, name, constant) => compare(*operator, &field(name), constant),
        }
    }
}

fn compare(operator: Operator, has: &Value, constant: &Value) -> bool {
    let (one, other) = (text(has), text(constant));
    match operator {
        Operator::Equal => one.is_some() && one == other,
        Operator::NotEqual => one != other,
        Operator::AtMost | Operator::AtLeast => {
            let number = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
            let order = match (number(&one), number(&other)) {
                (Some(one), Some(other)) => one.partial_cmp(&other),
                _ => one.as_ref().map(|one| one.as_str().cmp(other.as_deref().unwrap_or_default())),
            };
            order.is_some_and(|order| if operator == Operator::AtMost { order.is_le() } else { order.is_ge() })
        }
    }
}

/// Reads an LDAP filter, such as `(&(state=running)(ram>=1024)(!(alias=web*)))`.
pub(crate) fn ldap(text: &str) -> Result<Predicate, String> {
    let mut reader = Reader { rest: text.trim() };
    let filter = reader.filter(0)?;
    if reader.rest.is_empty() { Ok(filter) } else { Err(format!("unexpected text behind the filter: {}", reader.rest)) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, sign: char) -> Result<(), String> {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("'{sign}' expected")),
        }
    }

    fn filter(&mut self, depth: usize) -> Result<Predicate, String> {
        if depth > DEEPEST {
            return Err("the filter is nested too deeply".to_owned());
        }
        self.take('(')?;
        let sign = self.rest.chars().next();
        let filter = match sign {
            Some('&' | '|') => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                let mut parts = Vec::new();
                while self.rest.starts_with('(') {
                    parts.push(self.filter(depth + 1)?);
                }
                if sign == Some('&') { Predicate::And(parts) } else { Predicate::Or(parts) }
            }
            Some('!') => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                Predicate::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => self.item()?,
        };
        self.take(')')?;
        Ok(filter)
    }

    fn item(&mut self) -> Result<Predicate, String> {
        let end = self.rest.find(')').ok_or("')' expected")?;
        let (item, rest) = self.rest.split_at(end);
        self.rest = rest;
        let at = item.find('=').ok_or("'=' expected")?;
        let (name, value) = (item.get(..at).unwrap_or_default(), item.get(at + 1..).unwrap_or_default());
        let (name, operator) = match (name.strip_suffix('<'), name.strip_suffix('>')) {
            (Some(name), _) => (name, Operator::AtMost),
            (_, Some(name)) => (name, Operator::AtLeast),
            _ => (name, Operator::Equal),
        };
        let name = name.trim().to_owned();
        if name.is_empty() {
            return Err("a filter without an attribute".to_owned());
        }
        Ok(match value {
            "*" => Predicate::There(name),
            value if value.contains('*') && operator == Operator::Equal => Predicate::Like(name, unescaped(value)),
            value => Predicate::Compare(operator, name, unescaped(value).into()),
        })
    }
}

/// Undoes `\2a` and its like.
fn unescaped(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'\\').then(|| text.get(at + 1..at + 3)).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(name: &str) -> Value {
        match name {
            "state" => "failed".into(),
            "ram" => 1024.into(),
            "alias" => "web(1)".into(),
            _ => Value::Null,
        }
    }

    #[test]
    fn a_predicate_holds_as_its_operators_say() {
        for (predicate, holds) in [
            (json!({ "eq": ["state", "failed"] }), true),
            (json!({ "and": [{ "ne": ["state", "running"] }, { "ge": ["ram", 1024] }] }), true),
            (json!({ "or": [{ "eq": ["ram", "512"] }, { "le": ["ram", 512] }] }), false),
            (json!({ "gt": ["ram", 1] }), false),
            (json!({ "ne": ["docker", true] }), true),
        ] {
            let read = Predicate::read(&predicate.to_string()).unwrap();
            assert_eq!(read.holds(&field), holds, "{predicate}");
        }
        for (wrong, words) in [
            ("{", "Unable to parse predicate as JSON"),
            ("{}", "Empty predicate"),
            ("{\"like\":[\"a\",\"b\"]}", "Predicate syntax error: Error: invalid key: like"),
        ] {
            assert_eq!(Predicate::read(wrong).unwrap_err(), words);
        }
    }

    #[test]
    fn an_ldap_filter_is_read_as_the_directory_reads_it() {
        for (filter, holds) in [
            ("(state=failed)", true),
            ("(&(state=failed)(ram>=1000)(!(alias=db*)))", true),
            ("(|(ram<=512)(alias=web*))", true),
            ("(alias=web\\281\\29)", true),
            ("(docker=*)", false),
        ] {
            assert_eq!(ldap(filter).unwrap().holds(&field), holds, "{filter}");
        }
        for wrong in ["state=failed", "(state=failed", "(&(state=failed)", "(state)", "(a=b)c"] {
            assert!(ldap(wrong).is_err(), "{wrong}");
        }
        assert!(ldap(&"(!".repeat(1000)).is_err());
    }
}
