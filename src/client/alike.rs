//! Whether what a service shows may be what was sent: services spell things anew. Where both can be taken apart, what
//! they mean is compared, and not their letters.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::grammar::{fwrule, is_uuid, net};

/// A value that is text in the end: a text, a number or a truth value.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A text as it is, and anything else as JSON has it.
pub(super) fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Maps of texts and numbers: each that was sent is there, and where the whole was sent nothing else. What is in them
/// deeper, a service may write in its own way.
pub(super) fn maps(sent: &Map<String, Value>, shown: &Map<String, Value>, whole: bool) -> bool {
    let same = |one: &str, other: &str| one == other || addresses(one, other);
    let has = |(name, value): (&String, &Value)| match shown.iter().find(|(other, _)| same(name, other)) {
        // A route by the link itself has the NIC's address for it, and a secret may be hidden.
        Some((_, now)) => {
            let own = [Some("linklocal"), Some("(redacted)")];
            let said = own.contains(&value.as_str()) || own.contains(&now.as_str());
            said || values(value, now) || value.is_array() || now.is_array()
        }
        None => value.is_null() || value == "",
    };
    let more = || shown.keys().any(|name| !sent.keys().any(|other| same(name, other)));
    sent.iter().all(has) && !(whole && more())
}

/// The tag of a NIC: on a fabric the number of its virtual network follows it.
pub(super) fn nic_tag(sent: &Value, shown: &Value) -> bool {
    values(sent, shown)
        || sent
            .as_str()
            .zip(shown.as_str())
            .is_some_and(|(sent, shown)| shown.strip_prefix(sent).is_some_and(|rest| rest.starts_with('/')))
}

/// Texts, numbers and lists of them.
pub(super) fn values(sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        (Value::Array(sent), Value::Array(shown)) => lists(sent, shown),
        // A text that is empty may not be kept at all.
        (sent, Value::Null) => text(sent).is_none_or(|sent| sent.is_empty()),
        (sent, shown) => match (text(sent), text(shown)) {
            (Some(asked), Some(told)) => {
                // The service counts in floating point, and may write an address of mail anew.
                let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
                let same = sent.is_number() && number(&asked).zip(number(&told)).is_some_and(|(a, b)| a == b);
                let mail = asked.contains('@') || is_uuid(&asked);
                asked.trim() == told.trim()
                    || same
                    || mail && asked.eq_ignore_ascii_case(&told)
                    || addresses(&asked, &told)
            }
            // An object is what the service makes of it.
            (None, None) => true,
            _ => false,
        },
    }
}

/// Whether two texts, or two lists of them, are ids or addresses that mean the same.
pub(super) fn means(sent: &Value, shown: &Value) -> bool {
    match (sent, shown) {
        (Value::Array(sent), Value::Array(shown)) => lists(sent, shown),
        (sent, shown) => text(sent).zip(text(shown)).is_some_and(|(sent, shown)| {
            is_uuid(&sent) && sent.eq_ignore_ascii_case(&shown) || addresses(&sent, &shown)
        }),
    }
}

/// Whether a text is an IP address or a hardware address.
pub(super) fn is_address(text: &str) -> bool {
    text.trim().parse::<IpAddr>().is_ok() || net::mac(text.trim()).is_ok()
}

/// Addresses, networks and hardware addresses, each of which can be written in several ways.
fn addresses(sent: &str, shown: &str) -> bool {
    let ip = |text: &str| text.trim().parse::<IpAddr>().ok();
    let network = |text: &str| {
        let (address, bits) = text.split_once('/')?;
        let (address, bits) = (ip(address)?, bits.trim().parse::<u32>().ok()?);
        let kept = |width: u32, whole: u128| whole.checked_shr(width.checked_sub(bits)?).or(Some(0));
        let begin = match address {
            IpAddr::V4(address) => kept(32, u128::from(u32::from(address)))?,
            IpAddr::V6(address) => kept(128, u128::from(address))?,
        };
        Some((address.is_ipv4(), bits, begin))
    };
    let mac = |text: &str| net::mac(text.trim()).ok();
    let same = |one: Option<_>, other: Option<_>| one.is_some() && one == other;
    same(ip(sent), ip(shown))
        || network(sent).is_some_and(|sent| network(shown) == Some(sent))
        || mac(sent).is_some_and(|sent| mac(shown) == Some(sent))
}

/// A name, in which the service puts its own words into the places of `{{…}}`.
pub(crate) fn name(sent: &Value, shown: &Value) -> bool {
    let Some((sent, shown)) = text(sent).zip(text(shown)) else { return false };
    let mut parts = sent.split("{{");
    let Some(mut rest) = parts.next().and_then(|first| shown.strip_prefix(first)) else { return false };
    let mut ends = rest.is_empty();
    for part in parts {
        let fixed = part.split_once("}}").map_or(part, |(_, fixed)| fixed);
        let Some(at) = rest.rfind(fixed) else { return false };
        rest = &rest[at + fixed.len()..];
        ends = rest.is_empty();
    }
    ends
}

/// The texts of a list, in small letters; `None` where something else is in it.
pub(super) fn texts(list: &[Value]) -> Option<BTreeSet<String>> {
    list.iter().map(|value| text(value).map(|text| text.to_lowercase())).collect()
}

/// Lists, in whatever order: each has nothing that the other has not.
fn lists(sent: &[Value], shown: &[Value]) -> bool {
    sent.iter().all(|asked| shown.iter().any(|told| element(asked, told)))
        && shown.iter().all(|told| sent.iter().any(|asked| element(asked, told)))
}

/// Elements of lists. A thing is sent by its id or by what it is called, and shown by both or by its name alone.
fn element(sent: &Value, shown: &Value) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other) || addresses(one, other);
    let part = |of: &Value, key: &str| of.get(key).and_then(text);
    match (text(sent), text(shown)) {
        (Some(sent), Some(shown)) => same(&sent, &shown),
        (Some(sent), None) => {
            ["id", "name", "login"].iter().filter_map(|key| part(shown, key)).any(|told| same(&sent, &told))
        }
        // What was sent by its id may be called anything.
        (None, Some(shown)) => {
            ["name", "login"].iter().find_map(|key| part(sent, key)).is_none_or(|asked| same(&asked, &shown))
        }
        (None, None) => ["id", "name", "login", "type"]
            .iter()
            .filter_map(|key| Some((part(sent, key)?, part(shown, key)?)))
            .all(|(asked, told)| same(&asked, &told)),
    }
}

/// The members of a role. Other accounts among them may be left out, and older versions show names alone.
pub(super) fn members(sent: &Value, shown: &Value) -> bool {
    let (Some(sent), Some(shown)) = (sent.as_array(), shown.as_array()) else { return values(sent, shown) };
    let is_own = |value: &&Value| value.get("type").and_then(Value::as_str) != Some("account");
    let is_shown = |asked: &Value| shown.iter().any(|told| element(asked, told));
    let is_sent = |told: &Value| sent.iter().any(|asked| element(asked, told));
    if !sent.iter().filter(is_own).all(is_shown) || !shown.iter().all(is_sent) {
        return false;
    }
    // The service may show one as a default member who is none, never the other way round.
    let default = |value: &&Value| value.get("default") == Some(&Value::Bool(true));
    let kept = |asked: &Value| shown.iter().filter(default).any(|told| element(asked, told));
    !shown.iter().any(Value::is_object) || sent.iter().filter(is_own).filter(default).all(kept)
}

/// Firewall rules: what they let through or keep out.
pub(super) fn firewall_rule(sent: &str, shown: &str) -> bool {
    match (fwrule::parse(sent), fwrule::parse(shown)) {
        (Ok(sent), Ok(shown)) => sent.is_same(&shown),
        // What is not understood here is not judged.
        (Err(_), _) => true,
        (Ok(_), Err(_)) => false,
    }
}

/// The rules of a policy: their words and signs, each rule as often as it was sent, or once.
pub(super) fn policy_rules(sent: &Value, shown: &Value) -> bool {
    let (mut sent, shown) = (rules(sent), rules(shown));
    if sent == shown {
        return true;
    }
    sent.iter_mut().for_each(Vec::dedup);
    sent == shown
}

/// Words that are the same in capitals and in small letters.
const KEYWORDS: &[&str] = &["can", "not", "when", "if", "where", "in", "like", "or", "and", "from", "to", "with"];

fn rules(value: &Value) -> Option<Vec<Vec<String>>> {
    let of = |rule: &Value| {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let mut ended = |word: &mut String| {
            let whole = std::mem::take(word);
            let plain = whole.trim_matches(['"', '\'']);
            let small = plain.to_lowercase();
            match KEYWORDS.contains(&&*small) {
                // Lists are joined by commas as well.
                true if small == "and" => {}
                true => words.push(small),
                false if plain.is_empty() => {}
                false => words.push(plain.to_owned()),
            }
        };
        for letter in rule.as_str()?.chars() {
            match letter {
                '(' | ')' => {
                    ended(&mut word);
                    word.push(letter);
                    ended(&mut word);
                }
                letter if letter.is_whitespace() || letter == ',' => ended(&mut word),
                letter => word.push(letter),
            }
        }
        ended(&mut word);
        // What it allows stands before its conditions, in whatever order.
        let conditions = words.iter().position(|word| matches!(word.as_str(), "when" | "if" | "where"));
        let conditions = words.split_off(conditions.unwrap_or(words.len()));
        words.sort();
        words.dedup();
        Some([words, conditions].concat())
    };
    let mut all: Vec<Vec<String>> = match value {
        Value::Array(list) => list.iter().map(of).collect::<Option<_>>()?,
        one => vec![of(one)?],
    };
    all.sort();
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_firewall_rule_is_the_same_in_every_spelling_of_the_service() {
        for (sent, shown) in [
            ("FROM ip FD00:0:0::1 TO all vms ALLOW tcp PORT 0022", "FROM ip fd00::1 TO all vms ALLOW tcp PORT 22"),
            ("FROM any TO tag a ALLOW tcp PORTS 80-80 PRIORITY 00", "FROM any TO tag \"a\" ALLOW tcp PORT 80"),
            ("FROM any TO tag \"r\\u0041\" ALLOW ah", "FROM any TO tag \"rA\" ALLOW ah"),
            ("FROM any TO tag \"a\tb\u{3000}\" ALLOW ah", "FROM any TO tag \"a\\tb\\u3000\" ALLOW ah"),
            ("FROM any TO (tag role OR tag role = web) ALLOW ah", "FROM any TO tag \"role\" ALLOW ah"),
            ("FROM any TO tag a ALLOW udp PORT all", "FROM any TO tag \"a\" ALLOW udp PORTS 1 - 65535"),
            ("FROM subnet 10.1.2.3/8 TO tag a BLOCK ah", "FROM subnet 10.0.0.0/8 TO tag \"a\" BLOCK AH"),
        ] {
            assert!(firewall_rule(sent, shown), "{sent}");
        }
        for (sent, shown) in [
            ("FROM any TO all vms ALLOW icmp TYPE all", "FROM any TO all vms BLOCK icmp TYPE all"),
            ("FROM tag a TO tag b ALLOW ah", "FROM tag b TO tag a ALLOW ah"),
            ("FROM tag a=b TO any ALLOW ah", "FROM tag b=a TO any ALLOW ah"),
            ("FROM ip 10.1.2.3 TO tag a ALLOW ah", "FROM ip 10.3.2.1 TO tag a ALLOW ah"),
            ("FROM subnet 10.0.0.0/24 TO tag a ALLOW ah", "FROM subnet 24.0.0.0/10 TO tag a ALLOW ah"),
            ("FROM any TO tag a ALLOW tcp PORTS 80-90, 443", "FROM any TO tag a ALLOW tcp PORTS 80, 90-443"),
            ("FROM any TO tag a ALLOW icmp TYPE 8 CODE 0", "FROM any TO tag a ALLOW icmp TYPE 0 CODE 8"),
            ("FROM any TO tag \"a\\tb\" ALLOW ah", "FROM any TO tag \"atb\" ALLOW ah"),
            ("FROM any TO tag A ALLOW ah", "FROM any TO tag a ALLOW ah"),
            ("FROM any TO tag a ALLOW ah", "sign in first"),
        ] {
            assert!(!firewall_rule(sent, shown), "{sent}");
        }
    }

    #[test]
    fn the_rules_of_a_policy_keep_their_parentheses_their_values_and_their_number() {
        let same = |sent: &[&str], shown: &[&str]| policy_rules(&json!(sent), &json!(shown));
        assert!(same(&["CAN a, b and c WHEN x = 1"], &["can a,b  AND c when x = 1"]));
        assert!(same(&["CAN a", "CAN b"], &["CAN b", "CAN a"]));
        assert!(same(&["CAN b and a"], &["CAN a, b"]));
        assert!(!same(&["CAN a WHEN x = y"], &["CAN a WHEN y = x"]));
        assert!(!same(&["CAN a WHEN 1 and (2 or 3)"], &["CAN a WHEN (1 and 2) or 3"]));
        assert!(!same(&["CAN a WHEN tag_a = B"], &["CAN a WHEN tag_a = b"]));
        assert!(!same(&["CAN a"], &["CAN a", "CAN a"]));
        assert!(same(&["CAN a", "CAN a"], &["CAN a"]) && !same(&["CAN a", "CAN a"], &["CAN b"]));
    }

    #[test]
    fn the_members_of_a_role_are_all_shown_and_their_defaults_too() {
        let member = |login: &str, default: bool| json!({"type": "subuser", "login": login, "default": default});
        let sent = json!([member("ci", false), member("jill", true)]);
        assert!(members(&sent, &json!([{"type": "subuser", "login": "ci"}, member("jill", true)])));
        // The service may show more of them as defaults.
        assert!(members(&sent, &json!([member("ci", true), member("jill", true)])));
        assert!(!members(&sent, &json!([member("ci", false)])));
        assert!(!members(&sent, &json!([member("ci", false), {"type": "subuser", "login": "jill"}])));
        assert!(members(&json!([member("ci", false), {"type": "account", "login": "x"}]), &json!(["ci"])));
        assert!(!members(&json!([member("ci", false), member("jill", true)]), &json!(["ci"])));
    }

    #[test]
    fn only_a_name_has_places_for_the_services_words() {
        assert!(name(&json!("web-{{shortId}}-x"), &json!("web-0123abcd-x")));
        assert!(name(&json!("{{shortId}}"), &json!("0123abcd")));
        assert!(!name(&json!("web-{{shortId}}"), &json!("db-0123abcd")));
        assert!(!name(&json!("web"), &json!("web2")));
        assert!(!values(&json!("pw{{1"), &json!("old")));
    }

    #[test]
    fn an_address_is_the_same_in_every_spelling() {
        for (sent, shown) in [
            ("fd00:0:0::1", "fd00::1"),
            ("10.11.0.7/24", "10.11.0.0/24"),
            ("FD00::1/64", "fd00::/64"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("90:B8:C6:12:00:0A", "90:b8:c6:12:00:0a"),
        ] {
            assert!(values(&json!(sent), &json!(shown)), "{sent}");
            assert!(values(&json!([sent]), &json!([shown])), "{sent}");
        }
        for (sent, shown) in [
            ("10.0.0.1", "10.0.0.10"),
            ("10.11.0.0/24", "10.11.0.0/25"),
            ("10.11.0.0/24", "10.11.1.0/24"),
            ("10.0.0.0/99", "10.0.0.1/99"),
            ("0.0.0.0/8", "::/8"),
            ("90:b8:c6:12:00:0a", "90:b8:c6:12:00:0b"),
        ] {
            assert!(!values(&json!(sent), &json!(shown)), "{sent}");
        }
    }

    #[test]
    fn a_text_is_not_an_object_and_an_id_is_not_another_text() {
        assert!(!values(&json!("b"), &json!({"x": 1})) && !values(&json!("b"), &Value::Null));
        assert!(values(&json!(""), &Value::Null));
        assert!(!values(&json!("b6979942-7d5d-4fe6-a2ec-b812e950625a"), &json!("none")));
        assert!(values(&json!(1.0), &json!(1)) && values(&json!("A@b.c"), &json!("a@b.c")));
    }
}
