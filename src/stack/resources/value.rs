//! Values of properties: brought into the one form of their kind, and refused where they have none. Pure.

use std::net::Ipv4Addr;

use serde_json::{Map, Value};

use super::super::template::data::{Data, word};
use super::kind::Kind;
use crate::grammar::{mebibytes, net};

impl Kind {
    /// The words for what it holds.
    pub fn words(self) -> String {
        match self {
            Kind::Text => "text".to_owned(),
            Kind::Integer(min, max) => format!("number, {min} to {max}"),
            Kind::Boolean => "boolean".to_owned(),
            Kind::OneOf(words) => words.join(", "),
            Kind::Address => "address".to_owned(),
            Kind::Subnet => "subnet".to_owned(),
            Kind::Size => "size".to_owned(),
            Kind::Texts => "texts".to_owned(),
            Kind::Scalars => "map".to_owned(),
            Kind::Routes => "routes".to_owned(),
            Kind::Maps => "list of maps".to_owned(),
            Kind::Refers(referent) => referent.word().to_owned(),
            Kind::RefersAll(referent) => format!("{}s", referent.word()),
        }
    }

    /// The value in the form of its kind. Nothing is nothing in all of them.
    pub(super) fn read(self, value: Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(value);
        }
        match self {
            Kind::Text | Kind::Refers(_) => text(&value).map(Value::from).ok_or_else(|| not("a text", &value)),
            Kind::Integer(min, max) => integer(&value, min, max),
            Kind::Boolean => boolean(&value),
            Kind::OneOf(words) => match text(&value) {
                Some(word) if words.contains(&word.as_str()) => Ok(Value::from(word)),
                _ => Err(format!("it must be one of {}", words.join(", "))),
            },
            Kind::Address => {
                let address = text(&value).map(|text| (text.trim().parse::<Ipv4Addr>(), text));
                match address {
                    Some((Ok(address), _)) => Ok(Value::from(address.to_string())),
                    // What a parameter leaves empty is not given.
                    Some((_, text)) if text.is_empty() => Ok(Value::Null),
                    _ => Err("it must be an address: 10.0.0.1".to_owned()),
                }
            }
            Kind::Subnet => subnet(&value),
            Kind::Size => size(&value),
            Kind::Texts | Kind::RefersAll(_) => texts(&value),
            Kind::Scalars => scalars(value),
            Kind::Routes => routes(&value),
            Kind::Maps => match value {
                Value::Array(list) if list.iter().all(Value::is_object) => Ok(Value::Array(list)),
                other => Err(not("a list of maps", &other)),
            },
        }
    }
}

impl Kind {
    /// Checks of a value that is not known yet what is known: whether it is a list or a map.
    pub(super) fn check_form(self, data: &Data) -> Result<(), String> {
        let is_text = |data: &Data| matches!(data, Data::Open(_) | Data::Hidden(_) | Data::Unknown { .. });
        match (self, data) {
            (_, Data::Open(_) | Data::Hidden(_) | Data::Unknown { .. }) => Ok(()),
            (Kind::Texts | Kind::RefersAll(_), Data::List(items)) if items.iter().all(is_text) => Ok(()),
            (Kind::Texts | Kind::RefersAll(_), Data::List(_)) => Err("its elements must be texts".to_owned()),
            (Kind::Texts | Kind::RefersAll(_), Data::Map(_)) => Err("it must be a list of texts, not a map".to_owned()),
            (Kind::Maps, Data::List(_)) => Ok(()),
            (Kind::Maps, Data::Map(_)) => Err("it must be a list of maps, not a map".to_owned()),
            (Kind::Scalars | Kind::Routes, Data::Map(members)) => match members.iter().find(|(_, data)| !is_text(data))
            {
                Some((name, _)) => {
                    let name = crate::sensitive::quoted(name);
                    Err(format!("the value of {name} must be a text, a number or a boolean"))
                }
                None => Ok(()),
            },
            (Kind::Scalars | Kind::Routes, Data::List(_)) => Err("it must be a map, not a list".to_owned()),
            (_, Data::List(_)) => Err("it must be a text, not a list".to_owned()),
            (_, Data::Map(_)) => Err("it must be a text, not a map".to_owned()),
        }
    }
}

fn not(what: &str, value: &Value) -> String {
    format!("it must be {what}, not {}", word(value))
}

/// The text of a scalar.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn integer(value: &Value, min: i64, max: i64) -> Result<Value, String> {
    let number = match value {
        Value::Number(number) => {
            let whole = |number: &f64| number.fract() == 0.0 && number.abs() < 1e15;
            number.as_i64().or_else(|| number.as_f64().filter(whole).map(|number| number as i64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if (min..=max).contains(&number) => Ok(Value::from(number)),
        Some(_) => Err(format!("it must be {min} to {max}")),
        None => Err(not("a whole number", value)),
    }
}

fn boolean(value: &Value) -> Result<Value, String> {
    let flag = match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().filter(|number| matches!(number, 0 | 1)).map(|number| number == 1),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "t" | "on" | "yes" | "y" | "1" => Some(true),
            "false" | "f" | "off" | "no" | "n" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    };
    flag.map(Value::Bool).ok_or_else(|| not("true or false", value))
}

fn subnet(value: &Value) -> Result<Value, String> {
    let wrong = || "it must be a subnet: 10.0.0.0/24".to_owned();
    let subnet = text(value).and_then(|text| net::cidr(text.trim()).ok()).ok_or_else(wrong)?;
    Ok(Value::from(subnet.to_string()))
}

fn size(value: &Value) -> Result<Value, String> {
    let wrong = || "it must be a size: a number of MiB, or such as 10G".to_owned();
    match value {
        Value::Number(number) => number.as_u64().map(Value::from).ok_or_else(wrong),
        Value::String(text) => mebibytes(text.trim()).map(Value::from).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

/// A list of texts; of one text those between its commas. Blanks around them and empty ones do not count.
fn texts(value: &Value) -> Result<Value, String> {
    let all: Vec<String> = match value {
        Value::Array(list) => {
            let texts: Option<Vec<String>> = list.iter().map(text).collect();
            texts.ok_or("its elements must be texts")?
        }
        other => {
            let text = text(other).ok_or_else(|| not("a list of texts, or a text with commas", other))?;
            text.split(',').map(str::to_owned).collect()
        }
    };
    Ok(all.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(Value::from).collect())
}

fn scalars(value: Value) -> Result<Value, String> {
    let map = match value {
        Value::Object(map) => map,
        other => return Err(not("a map", &other)),
    };
    match map.iter().find(|(_, value)| value.is_array() || value.is_object()) {
        Some((name, _)) => {
            Err(format!("the value of {} must be a text, a number or a boolean", crate::sensitive::quoted(name)))
        }
        None => Ok(Value::Object(map)),
    }
}

/// A map from subnets to addresses; of a text the pairs between its commas.
fn routes(value: &Value) -> Result<Value, String> {
    let wrong = || "it must be routes: a map from subnets to addresses, or 10.1.0.0/24:10.0.0.9 with commas".to_owned();
    let pairs: Vec<(String, String)> = match value {
        Value::Object(map) => {
            let pair = |(to, via): (&String, &Value)| Some((to.clone(), text(via)?));
            map.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?
        }
        Value::String(text) => {
            let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
            let pair = |pair: &str| pair.split_once(':').map(|(to, via)| (to.to_owned(), via.to_owned()));
            pairs.map(pair).collect::<Option<_>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    let mut routes = Map::new();
    for (to, via) in pairs {
        let (to, via) = (to.trim(), via.trim());
        let is_place = net::cidr(to).is_ok() || to.parse::<Ipv4Addr>().is_ok();
        if !is_place || via.parse::<Ipv4Addr>().is_err() {
            return Err(wrong());
        }
        routes.insert(to.to_owned(), Value::from(via));
    }
    Ok(Value::Object(routes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Referent;
    use super::*;

    #[test]
    fn a_value_is_brought_into_the_form_of_its_kind() {
        for (kind, given, expected) in [
            (Kind::Text, json!(12), json!("12")),
            (Kind::Integer(0, 4094), json!("1337"), json!(1337)),
            (Kind::Integer(0, 4094), json!(24.0), json!(24)),
            (Kind::Boolean, json!("yes"), json!(true)),
            (Kind::Address, json!("10.0.0.1"), json!("10.0.0.1")),
            (Kind::Address, json!(""), json!(null)),
            (Kind::Subnet, json!("10.0.0.0/24"), json!("10.0.0.0/24")),
            (Kind::Size, json!("10G"), json!(10240)),
            (Kind::Texts, json!("8.8.8.8, 8.8.4.4"), json!(["8.8.8.8", "8.8.4.4"])),
            (Kind::Texts, json!(""), json!([])),
            (Kind::RefersAll(Referent::Network), json!(["a", "b "]), json!(["a", "b"])),
            (Kind::Routes, json!("10.11.0.0/24:10.10.0.50"), json!({"10.11.0.0/24": "10.10.0.50"})),
            (Kind::Routes, json!(""), json!({})),
            (Kind::Scalars, json!({"a": 1, "b": true}), json!({"a": 1, "b": true})),
            (Kind::OneOf(&["kvm"]), json!("kvm"), json!("kvm")),
            (Kind::Maps, json!([{"size": 1}]), json!([{"size": 1}])),
            (Kind::Text, json!(null), json!(null)),
        ] {
            assert_eq!(kind.read(given.clone()), Ok(expected), "{kind:?} {given}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_without_its_value() {
        for (kind, given, words) in [
            (Kind::Text, json!(["s3cret"]), "it must be a text, not a list"),
            (Kind::Integer(0, 9), json!(10), "it must be 0 to 9"),
            (Kind::Integer(0, 9), json!("s3cret"), "it must be a whole number, not a text"),
            (Kind::Boolean, json!("s3cret"), "it must be true or false, not a text"),
            (Kind::Address, json!("10.0.0.256"), "it must be an address: 10.0.0.1"),
            (Kind::Subnet, json!("10.0.0.1/24"), "it must be a subnet: 10.0.0.0/24"),
            (Kind::Size, json!("ten"), "it must be a size: a number of MiB, or such as 10G"),
            (Kind::OneOf(&["kvm", "bhyve"]), json!("xen"), "it must be one of kvm, bhyve"),
            (Kind::Scalars, json!({"a": [1]}), "the value of a must be a text, a number or a boolean"),
            (Kind::Maps, json!({}), "it must be a list of maps, not a map"),
        ] {
            assert_eq!(kind.read(given.clone()), Err(words.to_owned()), "{kind:?} {given}");
        }
        assert!(Kind::Routes.read(json!("10.0.0.0/24")).is_err());
    }
}
