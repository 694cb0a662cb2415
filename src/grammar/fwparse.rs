//! Reads firewall rules: from text to [`Rule`], one word after the other, and at the first fault says what was
//! expected.

use std::net::{IpAddr, Ipv4Addr};

use super::fwrule::{Action, HIGHEST, MAX_PARTS, Ports, Protocol, Rule, Target, Targets, Types};
use super::fwtext::{Text, either, short};
use super::is_uuid;
use crate::error::{CommandLine, Hint, Result};

/// Takes a rule apart.
///
/// # Errors
/// A usage error that points at the fault.
pub fn parse(text: &str) -> Result<Rule> {
    let mut text = Text::new(text);
    let start = text.next();
    text.one_of(&["FROM"])?;
    let from = targets(&mut text)?;
    text.one_of(&["TO"])?;
    let to = targets(&mut text)?;
    let action = match text.one_of(&["ALLOW", "BLOCK"])? {
        "ALLOW" => Action::Allow,
        _ => Action::Block,
    };
    let protocol = protocol(&mut text)?;
    let mut priority = None;
    if !text.at_end() {
        if !text.keyword("PRIORITY") {
            return Err(text.unexpected(&["PRIORITY"], "PRIORITY, or nothing more"));
        }
        priority = u8::try_from(text.number("priority", 0, u16::from(HIGHEST))?).ok();
        if !text.at_end() {
            return Err(text.unexpected(&[], "nothing more"));
        }
    }
    if !from.has_machines() && !to.has_machines() {
        let expected = "one side must be TAG, VM or ALL VMS";
        return Err(text.wrong(start, "rule does not affect VMs", expected));
    }
    Ok(Rule { from, to, action, protocol, priority })
}

const TARGETS: [&str; 4] = ["IP", "SUBNET", "TAG", "VM"];

/// One side.
fn targets(text: &mut Text<'_>) -> Result<Targets> {
    let open = text.next();
    let group = text.sign('(');
    let all = if text.keyword("ANY") {
        Some(Targets::Any)
    } else if text.keyword("ALL") {
        text.one_of(&["VMS"])?;
        Some(Targets::AllVms)
    } else {
        None
    };
    if let Some(all) = all {
        let name = if all == Targets::Any { "ANY" } else { "ALL VMS" };
        let next = text.next();
        if text.keyword("OR") {
            return Err(text.wrong(next, &format!("{name} stands alone"), "nothing to add to it"));
        }
        if group && !text.sign(')') {
            return Err(text.unexpected(&[], ")"));
        }
        return Ok(all);
    }
    let mut list = vec![target(text, if group { &[] } else { &["ANY", "ALL VMS"] })?];
    if group {
        while !text.sign(')') {
            if !text.keyword("OR") {
                return Err(text.unexpected(&["OR"], "OR or )"));
            }
            let at = text.next();
            let word = text.peek();
            if ["ANY", "any", "ALL", "all"].contains(&word) {
                let expected = format!("expected {}", expected_target(&[]));
                return Err(text.wrong(at, &format!("{word} stands alone"), &expected));
            }
            if list.len() == MAX_PARTS {
                return Err(text.wrong(at, &format!("a side has at most {MAX_PARTS} targets"), "one too many"));
            }
            list.push(target(text, &[])?);
        }
    } else if text.keyword("OR") {
        let error = text.wrong(open, "several targets stand in parentheses", "expected ( here");
        return Err(error.hint("as in: FROM (TAG a OR TAG b) TO ..."));
    }
    list.sort();
    list.dedup();
    Ok(Targets::Of(list))
}

fn expected_target(more: &[&str]) -> String {
    let mut words = more.to_vec();
    words.extend(TARGETS);
    if !more.is_empty() {
        words.push("(");
    }
    either(&words)
}

fn target(text: &mut Text<'_>, more: &[&str]) -> Result<Target> {
    let Some(kind) = TARGETS.iter().find(|kind| text.keyword(kind)) else {
        let mut words: Vec<&str> = TARGETS.to_vec();
        words.extend(["ANY", "ALL"]);
        let at = text.next();
        let (bare, error) = (text.peek(), text.unexpected(&words, &expected_target(more)));
        // The bare thing says itself which word is missing.
        let missing = match bare {
            bare if is_uuid(bare) => "VM",
            bare if bare.parse::<IpAddr>().is_ok() => "IP",
            _ => return Err(error),
        };
        return Err(text.wrong(at, "the kind of target is missing", &format!("expected {missing} before it")));
    };
    match *kind {
        "IP" => {
            let (at, address) = address(text)?;
            if text.sign('/') {
                return Err(text.wrong(at, "an address with a length is a subnet", "expected SUBNET before it"));
            }
            Ok(Target::Ip(address))
        }
        "SUBNET" => {
            let (_, address) = address(text)?;
            if !text.sign('/') {
                return Err(text.unexpected(&[], "/ and the length of the prefix"));
            }
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let length = text.number("prefix length", 0, longest)?;
            Ok(Target::Subnet(address, u8::try_from(length).unwrap_or(u8::MAX)))
        }
        "TAG" => {
            let at = text.next();
            let name = text.tag_word("name")?;
            if name.is_empty() {
                return Err(text.wrong(at, "the name of a tag is empty", "expected a name"));
            }
            let value = if text.sign('=') { Some(text.tag_word("value")?) } else { None };
            Ok(Target::Tag(name, value))
        }
        _ => {
            let (at, word) = text.word();
            if word.is_empty() {
                return Err(text.unexpected(&[], "the id of a machine"));
            }
            if !is_uuid(word) {
                let error = text.wrong(at, &format!("'{}' is not an id of a machine", short(word)), "expected a UUID");
                return Err(error.hint(Hint::run(
                    "ids by name",
                    CommandLine::new("machines list").on(format!("name={}", short(word))).with("-o id,name"),
                )));
            }
            Ok(Target::Vm(word.to_ascii_lowercase()))
        }
    }
}

fn address(text: &mut Text<'_>) -> Result<(usize, IpAddr)> {
    let (at, word) = text.word();
    if word.is_empty() {
        return Err(text.unexpected(&[], "an address of IPv4 or IPv6"));
    }
    let Ok(address) = word.parse::<IpAddr>() else {
        return Err(text.wrong(at, &format!("'{}' is not an address", short(word)), "expected one of IPv4 or IPv6"));
    };
    if address == IpAddr::V4(Ipv4Addr::UNSPECIFIED) {
        let error = text.wrong(at, &format!("the address {address} is refused"), "expected another");
        return Err(error.hint("every address is: ANY"));
    }
    if address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return Err(text.wrong(at, &format!("the address {address} is refused"), "expected another"));
    }
    Ok((at, address))
}

fn protocol(text: &mut Text<'_>) -> Result<Protocol> {
    Ok(match text.one_of(&["TCP", "UDP", "ICMP", "ICMP6", "AH", "ESP"])? {
        "TCP" => Protocol::Tcp(ports(text)?),
        "UDP" => Protocol::Udp(ports(text)?),
        "ICMP" => Protocol::Icmp(types(text)?),
        "ICMP6" => Protocol::Icmp6(types(text)?),
        "AH" => Protocol::Ah,
        _ => Protocol::Esp,
    })
}

fn port(text: &mut Text<'_>) -> Result<u16> {
    text.number("port", 1, u16::MAX)
}

fn ports(text: &mut Text<'_>) -> Result<Ports> {
    let open = text.next();
    if text.keyword("PORTS") {
        return ranges(text);
    }
    let group = text.sign('(');
    if !text.keyword("PORT") {
        let words: &[&str] = if group { &["PORT"] } else { &["PORT", "PORTS", "("] };
        return Err(text.unexpected(words, &either(words)));
    }
    if text.keyword("ALL") {
        if group && !text.sign(')') {
            return Err(text.unexpected(&[], ")"));
        }
        return Ok(Ports::All);
    }
    let mut list = vec![one_port(text)?];
    if !group && text.keyword("AND") {
        let error = text.wrong(open, "several ports stand in parentheses", "expected ( here");
        return Err(error.hint("as in: (PORT 80 AND PORT 443), or PORTS 80, 443"));
    }
    while group && !text.sign(')') {
        if !text.keyword("AND") {
            return Err(text.unexpected(&["AND"], "AND or )"));
        }
        let at = text.next();
        text.one_of(&["PORT"])?;
        if list.len() == MAX_PARTS {
            return Err(text.wrong(at, &format!("a rule has at most {MAX_PARTS} ports"), "one too many"));
        }
        list.push(one_port(text)?);
    }
    list.sort_unstable();
    list.dedup();
    Ok(Ports::These(list))
}

/// The number after `PORT`, of which a range would need `PORTS`.
fn one_port(text: &mut Text<'_>) -> Result<u16> {
    let at = text.next();
    if !text.peek().starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(text.unexpected(&["ALL"], "a number from 1 to 65535, or ALL"));
    }
    let number = port(text)?;
    if text.sign('-') || text.sign(',') {
        return Err(text.wrong(at, "PORT takes one port", "ranges and lists stand after PORTS"));
    }
    Ok(number)
}

fn ranges(text: &mut Text<'_>) -> Result<Ports> {
    let mut list = Vec::new();
    loop {
        let at = text.next();
        if list.len() == MAX_PARTS {
            return Err(text.wrong(at, &format!("a rule has at most {MAX_PARTS} ports"), "one too many"));
        }
        let low = port(text)?;
        let high = if text.sign('-') { port(text)? } else { low };
        if high < low {
            return Err(text.wrong(at, "a range begins with its lower end", &format!("expected {high}-{low}")));
        }
        list.push((low, high));
        if !text.sign(',') {
            break;
        }
    }
    list.sort_unstable();
    list.dedup();
    Ok(Ports::Ranges(list))
}

fn types(text: &mut Text<'_>) -> Result<Types> {
    let open = text.next();
    let group = text.sign('(');
    let words: &[&str] = if group { &["TYPE"] } else { &["TYPE", "("] };
    if !text.keyword("TYPE") {
        return Err(text.unexpected(words, &either(words)));
    }
    if text.keyword("ALL") {
        if group && !text.sign(')') {
            return Err(text.unexpected(&[], ")"));
        }
        return Ok(Types::All);
    }
    let mut list = vec![one_type(text)?];
    if !group && text.keyword("AND") {
        let error = text.wrong(open, "several types stand in parentheses", "expected ( here");
        return Err(error.hint("as in: (TYPE 0 AND TYPE 8 CODE 0)"));
    }
    while group && !text.sign(')') {
        if !text.keyword("AND") {
            return Err(text.unexpected(&["AND", "CODE"], "CODE, AND or )"));
        }
        let at = text.next();
        text.one_of(&["TYPE"])?;
        if list.len() == MAX_PARTS {
            return Err(text.wrong(at, &format!("a rule has at most {MAX_PARTS} types"), "one too many"));
        }
        list.push(one_type(text)?);
    }
    list.sort_unstable();
    list.dedup();
    Ok(Types::These(list))
}

fn one_type(text: &mut Text<'_>) -> Result<(u8, Option<u8>)> {
    if !text.peek().starts_with(|letter: char| letter.is_ascii_digit()) {
        return Err(text.unexpected(&["ALL"], "a number from 0 to 255, or ALL"));
    }
    let narrow = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    let number = narrow(text.number("type", 0, 255)?);
    let code = if text.keyword("CODE") { Some(narrow(text.number("code", 0, 255)?)) } else { None };
    Ok((number, code))
}
