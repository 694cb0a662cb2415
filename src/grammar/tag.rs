//! Tags that somebody reads: `triton.*` the service, each of its own type, and `sdc.expires` this program.

use serde_json::Value;

use super::{fault, nearest};
use crate::error::{Error, Result};

/// What a tag's value must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Bool,
}

/// The tags of the service, with the type of each.
const TAGS: &[(&str, Type)] = &[
    ("triton._test.boolean", Type::Bool),
    ("triton._test.number", Type::Number),
    ("triton._test.string", Type::Text),
    ("triton.cmon.groups", Type::Text),
    ("triton.cns.disable", Type::Bool),
    ("triton.cns.reverse_ptr", Type::Text),
    ("triton.cns.services", Type::Text),
    ("triton.network.public", Type::Text),
    ("triton.network.public_ipv4", Type::Text),
    ("triton.placement.exclude_virtual_servers", Type::Bool),
];

/// The pairs that `NAME=VALUE,NAME=VALUE` was most likely meant as: it is one tag, whose value has all the rest. What
/// the platform reads has commas and signs of its own.
pub fn run_together(text: &str) -> Option<Vec<&str>> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.ends_with(':') && !name.contains('.'))?;
    let is_name = |name: &str| {
        let plain = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        !name.is_empty() && name.chars().all(plain)
    };
    let is_pair = |part: &&str| part.split_once('=').is_some_and(|(name, _)| is_name(name.trim()));
    let mut parts = value.split(',');
    let first = text.get(..name.len() + 1 + parts.next()?.len())?;
    let others: Vec<&str> = parts.map(str::trim).collect();
    (!others.is_empty() && others.iter().all(is_pair)).then(|| std::iter::once(first).chain(others).collect())
}

/// Checks a tag of a new machine before it is sent. Of the tags that are the user's own only the type is checked.
///
/// # Errors
/// A usage error that says which value the service takes.
pub fn check_new(name: &str, value: &Value) -> Result<()> {
    of_its_type(name, value)
}

/// The same of a machine that is there, whose tags of Docker the service lets nobody change.
///
/// # Errors
/// As [`check_new`].
pub fn check(name: &str, value: &Value) -> Result<()> {
    if is_dockers(name) {
        return Err(Error::usage(format!("the tag {name} belongs to Docker and can not be set"))
            .hint("the service takes it only of a new machine: --tag of `machines create`"));
    }
    of_its_type(name, value)
}

/// When a machine is not wanted any more: `sdc reap` deletes it after that.
pub const EXPIRES: &str = "sdc.expires";

/// The key by which a machine is made once, however often its creation is tried.
pub const KEY: &str = "sdc.idempotency-key";

/// The tags that this program sets and reads.
pub const OWN: &[&str] = &[KEY, EXPIRES];

/// What is doubtful about a tag whose name begins as those of this program do, and is none of them: nobody reads it.
pub fn doubt(name: &str) -> Option<String> {
    if !name.starts_with("sdc.") || OWN.contains(&name) {
        return None;
    }
    let shown = crate::sensitive::quoted(name);
    let known = OWN.join(", ");
    Some(format!(
        "the tag {shown} means nothing here, though names that begin with sdc. are this program's: known are {known}"
    ))
}

/// Refuses what is no time in the tag that holds one.
///
/// # Errors
/// A usage error.
pub fn check_time(value: &Value) -> Result<()> {
    time(value, "")
}

/// The same of a machine, which would stay: nobody could ever read when its time is over.
fn expires(value: &Value) -> Result<()> {
    time(value, ", so the machine would stay for ever")
}

fn time(value: &Value, so: &str) -> Result<()> {
    if value.as_str().is_some_and(|text| text.trim().parse::<jiff::Timestamp>().is_ok() || lifetime(text).is_some()) {
        return Ok(());
    }
    let text: String = value.as_str().map_or_else(|| value.to_string(), str::to_owned).chars().take(80).collect();
    Err(Error::usage(format!("the tag {EXPIRES} = '{text}' is not a time{so}"))
        .hint(format!("{EXPIRES}=2h, or {EXPIRES}=2030-01-31T18:00:00Z")))
}

/// How long from now, where the tag says that: `2h`, `+90m`. A number alone may be anything.
pub fn lifetime(text: &str) -> Option<std::time::Duration> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    super::duration::duration("", text).ok().filter(|_| unit)
}

fn of_its_type(name: &str, value: &Value) -> Result<()> {
    let is_strange = name.starts_with("sdc.") && !OWN.contains(&name);
    if let Some(near) = nearest(name, OWN).filter(|_| is_strange) {
        let shown = crate::sensitive::quoted(name);
        return Err(Error::usage(format!("the tag {shown} means nothing here")).hint(format!("did you mean {near}?")));
    }
    if name == EXPIRES {
        return expires(value);
    }
    if !name.starts_with("triton.") {
        return match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(()),
            _ => Err(Error::usage(format!("the tag {name} must be text, a number, true or false"))),
        };
    }
    let Some((_, kind)) = TAGS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = TAGS.iter().map(|(known, _)| *known).filter(|known| !known.contains("_test")).collect();
        let error =
            Error::usage(format!("there is no tag {name}: names that begin with triton. are the service's own"));
        return Err(match nearest(name, &names) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("known: {}", names.join(", "))),
        });
    };
    match (kind, value) {
        (Type::Bool, Value::Bool(_)) | (Type::Number, Value::Number(_)) => Ok(()),
        (Type::Bool, _) => {
            let meant = if value == "false" { "false" } else { "true" };
            Err(Error::usage(format!("{name} must be true or false")).hint(format!("{name}:={meant}")))
        }
        (Type::Number, _) => Err(Error::usage(format!("{name} must be a number")).hint(format!("{name}:=1"))),
        (Type::Text, Value::String(text)) => match name {
            "triton.cns.services" => services(text),
            "triton.cns.reverse_ptr" => dns_name(text),
            "triton.cmon.groups" => groups(text),
            _ => Ok(()),
        },
        (Type::Text, value) => {
            let error = Error::usage(format!("{name} must be text"));
            Err(if value.is_number() || value.is_boolean() { error.hint(format!("{name}={value}")) } else { error })
        }
    }
}

/// Whether Docker's own tools have a tag of this name: of a machine that is there, nobody can set or remove it.
pub fn is_dockers(name: &str) -> bool {
    let Some(label) = name.strip_prefix("docker:label:") else { return name == "sdc_docker" };
    let Some((head, rest)) = label.split_once('.') else { return false };
    match head {
        "triton" => true,
        "com" | "io" | "org" => rest.starts_with("docker.") || rest.starts_with("dockerproject."),
        _ => false,
    }
}

/// Names under which CNS lists a machine: `label[:port][:key=value]`, with commas between.
fn services(text: &str) -> Result<()> {
    let mut at = 0;
    for service in text.split(',') {
        service_of(text, at, service)?;
        at += service.len() + 1;
    }
    Ok(())
}

fn service_of(text: &str, start: usize, service: &str) -> Result<()> {
    let wrong = |at, message: &str, expected: &str| Err(fault("triton.cns.services", text, at, message, expected));
    let mut at = start;
    let mut seen: Vec<&str> = Vec::new();
    for (count, part) in service.split(':').enumerate() {
        let here = at;
        at += part.len() + 1;
        if count == 0 {
            label(text, here, part)?;
            continue;
        }
        let (name, value) = match part.split_once('=') {
            Some(pair) => pair,
            None if count == 1 => ("port", part),
            None => return wrong(here, "only the port stands without its name", "expected priority=N or weight=N"),
        };
        let value_at = here + part.len() - value.len();
        let low = match name {
            "port" => 1,
            "priority" | "weight" => 0,
            _ => return wrong(here, &format!("there is no '{name}'"), "expected port, priority or weight"),
        };
        if seen.contains(&name) {
            return wrong(here, &format!("{name} is given twice"), "");
        }
        seen.push(name);
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || value.parse::<u16>().ok().is_none_or(|number| number < low) {
            let message = format!("'{value}' is not a {name}");
            return wrong(value_at, &message, &format!("expected a number from {low} to 65535"));
        }
    }
    Ok(())
}

/// The name of a service, or `_name._tcp`.
fn label(text: &str, at: usize, label: &str) -> Result<()> {
    let wrong = |at, message: &str, expected: &str| Err(fault("triton.cns.services", text, at, message, expected));
    if label.is_empty() {
        return wrong(at, "the name of a service is missing", "expected letters, digits, - or .");
    }
    if label.len() > 63 {
        return wrong(at + 63, "the name of a service has at most 63 characters", "too long from here");
    }
    // Only in names such as _http._tcp is an underscore allowed, once before each half.
    let srv =
        label.strip_suffix("._tcp").or_else(|| label.strip_suffix("._udp")).and_then(|half| half.strip_prefix('_'));
    let (name, skip) = srv.map_or((label, 0), |name| (name, 1));
    if name.is_empty() {
        return wrong(at + 1, "the name of a service is missing", "expected letters, digits, - or .");
    }
    match name.char_indices().find(|(_, letter)| !letter.is_ascii_alphanumeric() && !"-.".contains(*letter)) {
        Some((off, letter)) => {
            let message = format!("'{}' can not be in the name of a service", letter.escape_debug());
            wrong(at + skip + off, &message, "expected letters, digits, - or ., or _NAME._tcp or _NAME._udp")
        }
        None => Ok(()),
    }
}

fn dns_name(text: &str) -> Result<()> {
    const WHAT: &str = "triton.cns.reverse_ptr";
    let wrong = |at, message: &str, expected: &str| Err(fault(WHAT, text, at, message, expected));
    if text.len() > 255 {
        return wrong(255, "a DNS name has at most 255 characters", "too long from here");
    }
    let mut at = 0;
    for part in text.strip_suffix('.').unwrap_or(text).split('.') {
        if part.is_empty() {
            return wrong(at, "a part of the name is empty", "expected letters, digits or -");
        }
        if part.len() > 63 {
            return wrong(at + 63, "a part of a DNS name has at most 63 characters", "too long from here");
        }
        let bad = |(off, letter): &(usize, char)| {
            let edge = *off == 0 || off + 1 == part.len();
            !letter.is_ascii_alphanumeric() && *letter != '_' && (*letter != '-' || edge)
        };
        if let Some((off, letter)) = part.char_indices().find(bad) {
            let message = format!("'{}' can not be here in a DNS name", letter.escape_debug());
            return wrong(at + off, &message, "expected a letter or digit");
        }
        at += part.len() + 1;
    }
    Ok(())
}

/// Groups for CMON: at most 100, with commas between.
fn groups(text: &str) -> Result<()> {
    let wrong = |at, message: &str, expected: &str| Err(fault("triton.cmon.groups", text, at, message, expected));
    let mut seen: Vec<&str> = Vec::new();
    let mut at = 0;
    for group in text.split(',') {
        if group.is_empty() {
            return wrong(at, "the name of a group is missing", "expected letters, digits, - or _");
        }
        if let Some((off, letter)) =
            group.char_indices().find(|(_, letter)| !letter.is_ascii_alphanumeric() && !"-_".contains(*letter))
        {
            let message = format!("'{}' can not be in the name of a group", letter.escape_debug());
            return wrong(at + off, &message, "expected letters, digits, - or _");
        }
        if group.len() > 100 {
            return wrong(at + 100, "the name of a group has at most 100 characters", "too long from here");
        }
        if seen.contains(&group) {
            return wrong(at, &format!("the group {group} is given twice"), "");
        }
        if seen.len() == 100 {
            return wrong(at, "there are at most 100 groups", "one too many");
        }
        seen.push(group);
        at += group.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_of_the_right_type_pass() {
        for (name, value) in [
            ("role", json!("web")),
            ("role", json!(1.5)),
            ("triton.cns.disable", json!(true)),
            ("triton.cns.services", json!("web")),
            ("triton.cns.services", json!("web:80,api.v1:8080:priority=0:weight=65535,_sip._udp:port=5060")),
            ("triton.cns.reverse_ptr", json!("host-1.example.com.")),
            ("triton.cmon.groups", json!("a,b_c,D-1")),
            ("triton.placement.exclude_virtual_servers", json!(false)),
            ("docker:label:com.example", json!("x")),
        ] {
            check(name, &value).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        }
    }

    #[test]
    fn the_end_of_a_machine_is_a_time_whoever_sets_it() {
        for check in [check, check_new] {
            assert!(check(EXPIRES, &json!("2030-01-31T18:00:00Z")).is_ok());
            for value in [json!("tomorrow"), json!(""), json!(5), json!(true), json!(1_900_000_000)] {
                let error = check(EXPIRES, &value).unwrap_err();
                assert!(error.message().contains("is not a time, so the machine would stay for ever"), "{error}");
            }
        }
    }

    #[test]
    fn a_wrong_type_is_answered_with_the_right_one() {
        for (name, value, message, hint) in [
            (
                "triton.cns.disable",
                json!("yes"),
                "triton.cns.disable must be true or false",
                "triton.cns.disable:=true",
            ),
            (
                "triton.cns.disable",
                json!("false"),
                "triton.cns.disable must be true or false",
                "triton.cns.disable:=false",
            ),
            ("triton.cns.services", json!(80), "triton.cns.services must be text", "triton.cns.services=80"),
            (
                "triton.cns.service",
                json!("web"),
                "there is no tag triton.cns.service: names that begin with triton. are the service's own",
                "did you mean triton.cns.services?",
            ),
        ] {
            let error = check(name, &value).unwrap_err();
            assert_eq!((error.message(), error.hints()[0].as_str()), (message, hint));
        }
        assert_eq!(
            check("role", &json!(null)).unwrap_err().message(),
            "the tag role must be text, a number, true or false"
        );
    }

    #[test]
    fn the_tags_of_docker_are_left_alone() {
        for name in
            ["sdc_docker", "docker:label:triton.x", "docker:label:com.docker.a", "docker:label:io.dockerproject.b"]
        {
            let message = format!("the tag {name} belongs to Docker and can not be set");
            assert_eq!(check(name, &json!("x")).unwrap_err().message(), message);
            assert!(check_new(name, &json!(true)).is_ok());
        }
    }

    #[test]
    fn the_fault_in_a_service_is_pointed_at() {
        let long = "a".repeat(64);
        for (text, message, caret) in [
            ("", "the name of a service is missing", "^ expected letters, digits, - or ."),
            ("web,", "the name of a service is missing", "    ^ expected letters, digits, - or ."),
            (
                "we b",
                "' ' can not be in the name of a service",
                "  ^ expected letters, digits, - or ., or _NAME._tcp or _NAME._udp",
            ),
            (
                "_sip",
                "'_' can not be in the name of a service",
                "^ expected letters, digits, - or ., or _NAME._tcp or _NAME._udp",
            ),
            ("web:0", "'0' is not a port", "    ^ expected a number from 1 to 65535"),
            ("web:http", "'http' is not a port", "    ^ expected a number from 1 to 65535"),
            ("web:80:weigth=1", "there is no 'weigth'", "       ^ expected port, priority or weight"),
            ("web:80:weight=65536", "'65536' is not a weight", "              ^ expected a number from 0 to 65535"),
            ("web:80:port=81", "port is given twice", "       ^"),
            ("web:80:81", "only the port stands without its name", "       ^ expected priority=N or weight=N"),
            (&long, "the name of a service has at most 63 characters", "^ too long from here"),
        ] {
            let error = check("triton.cns.services", &json!(text)).unwrap_err();
            assert_eq!(error.message(), format!("triton.cns.services: {message}"));
            assert!(error.hints()[0].as_str().ends_with(caret), "{text}: {}", error.hints()[0]);
        }
    }

    #[test]
    fn names_and_groups_have_their_letters_and_lengths() {
        for (name, value, message) in [
            ("triton.cns.reverse_ptr", "a..b", "triton.cns.reverse_ptr: a part of the name is empty"),
            ("triton.cns.reverse_ptr", "-a.b", "triton.cns.reverse_ptr: '-' can not be here in a DNS name"),
            ("triton.cns.reverse_ptr", "a b", "triton.cns.reverse_ptr: ' ' can not be here in a DNS name"),
            ("triton.cmon.groups", "a,a", "triton.cmon.groups: the group a is given twice"),
            ("triton.cmon.groups", "a, b", "triton.cmon.groups: ' ' can not be in the name of a group"),
        ] {
            assert_eq!(check(name, &json!(value)).unwrap_err().message(), message);
        }
        let many: Vec<String> = (0..101).map(|at| format!("g{at}")).collect();
        assert_eq!(
            check("triton.cmon.groups", &json!(many.join(","))).unwrap_err().message(),
            "triton.cmon.groups: there are at most 100 groups"
        );
        assert!(check("triton.cmon.groups", &json!(many[1..].join(","))).is_ok());
        let long = format!("{}.{0}.{0}.{0}.a", "a".repeat(63));
        assert!(check("triton.cns.reverse_ptr", &json!(long)).is_err());
        assert!(check("triton.cns.reverse_ptr", &json!(long[2..])).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(at in 0..TAGS.len(), text in "[a_:=,.0-9é-]{0,90}") {
            let _ = check(TAGS[at].0, &Value::from(text));
        }
    }
}
