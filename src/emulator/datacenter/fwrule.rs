//! Firewall rules: their language, read and written anew in one fixed form, and which machines a
//! rule is about.

use std::fmt;
use std::iter::Peekable;
use std::net::{IpAddr, Ipv4Addr};

use super::state::{FirewallRule, Vm, is_uuid};
use crate::emulator::text;

/// The most targets of one side, and the most ports or types.
const MAX_PARTS: usize = 24;

impl FirewallRule {
    /// Tells whether it is about a machine, as a source or as a destination.
    pub(crate) fn matcher(&self) -> impl Fn(&&Vm) -> bool {
        let rule = parse(&self.rule).ok();
        move |machine: &&Vm| {
            (self.global || self.owner == machine.owner_uuid) && rule.as_ref().is_some_and(|rule| rule.affects(machine))
        }
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    from: Vec<Target>,
    to: Vec<Target>,
    allow: bool,
    protocol: &'static str,
    what: What,
    priority: Option<u8>,
}

/// One end of the traffic. The order is that of the fixed form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Ip(IpAddr),
    Subnet(IpAddr, u8),
    Tag(String, Option<String>),
    Vm(String),
    AllVms,
    Any,
}

/// What of the protocol it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// The whole of a protocol that has no ports.
    All,
    /// Every port, or every type.
    Every(&'static str),
    /// Ports, from and to.
    Ports(Vec<(u16, u16)>),
    /// Types, each perhaps with a code.
    Types(Vec<(u8, Option<u8>)>),
}

impl Rule {
    fn affects(&self, machine: &Vm) -> bool {
        self.from.iter().chain(&self.to).any(|target| match target {
            Target::AllVms => true,
            Target::Vm(id) => *id == machine.uuid,
            Target::Tag(name, value) => match (machine.tags.get(name), value) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(have), Some(want)) => text::text(have).is_some_and(|have| have == *want),
            },
            Target::Ip(_) | Target::Subnet(..) | Target::Any => false,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Ip(ip) => write!(f, "ip {ip}"),
            Target::Subnet(base, bits) => write!(f, "subnet {base}/{bits}"),
            Target::Tag(name, None) => write!(f, "tag {}", quoted(name)),
            Target::Tag(name, Some(value)) => write!(f, "tag {} = {}", quoted(name), quoted(value)),
            Target::Vm(id) => write!(f, "vm {id}"),
            Target::AllVms => f.write_str("all vms"),
            Target::Any => f.write_str("any"),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A list in parentheses, or its only element without.
fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [one] => one.clone(),
        more => format!("({})", more.join(word)),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |targets: &[Target]| joined(&targets.iter().map(Target::to_string).collect::<Vec<_>>(), " OR ");
        let action = if self.allow { "ALLOW" } else { "BLOCK" };
        write!(f, "FROM {} TO {} {action} {}", side(&self.from), side(&self.to), self.protocol)?;
        match &self.what {
            What::All => {}
            What::Every(word) => write!(f, " {word} all")?,
            What::Ports(ports) if ports.iter().any(|(low, high)| low != high) => {
                let range = |(low, high): &(u16, u16)| {
                    if low == high { low.to_string() } else { format!("{low}-{high}") }
                };
                write!(f, " PORTS {}", ports.iter().map(range).collect::<Vec<_>>().join(", "))?;
            }
            What::Ports(ports) => {
                let ports: Vec<String> = ports.iter().map(|(port, _)| format!("PORT {port}")).collect();
                write!(f, " {}", joined(&ports, " AND "))?;
            }
            What::Types(types) => {
                let one = |(kind, code): &(u8, Option<u8>)| match code {
                    Some(code) => format!("TYPE {kind} CODE {code}"),
                    None => format!("TYPE {kind}"),
                };
                write!(f, " {}", joined(&types.iter().map(one).collect::<Vec<_>>(), " AND "))?;
            }
        }
        match self.priority {
            Some(priority) if priority > 0 => write!(f, " PRIORITY {priority}"),
            _ => Ok(()),
        }
    }
}

/// A piece of a rule's text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// Between quotes, so never a keyword.
    Text(String),
    Sign(char),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => f.write_str(word),
            Token::Text(text) => f.write_str(&quoted(text)),
            Token::Sign(sign) => write!(f, "{sign}"),
        }
    }
}

/// The pieces, each with the character where it begins, counted from 0.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().enumerate().peekable();
    while let Some((at, letter)) = letters.next() {
        let token = match letter {
            c if c.is_whitespace() => continue,
            '(' | ')' | ',' | '=' | '/' => Token::Sign(letter),
            '"' => Token::Text(
                text_in_quotes(&mut letters)
                    .ok_or_else(|| format!("Error at character {at}: the quotation does not end"))?,
            ),
            first => {
                let mut word = String::from(first);
                while let Some((_, next)) =
                    letters.next_if(|(_, c)| !c.is_whitespace() && !matches!(c, '(' | ')' | ',' | '=' | '/' | '"'))
                {
                    word.push(next);
                }
                Token::Word(word)
            }
        };
        tokens.push((at, token));
    }
    Ok(tokens)
}

fn text_in_quotes(letters: &mut Peekable<impl Iterator<Item = (usize, char)>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()?.1 {
            '"' => return Some(text),
            '\\' => text.push(escaped(letters)?),
            other => text.push(other),
        }
    }
}

/// The letter that an escape stands for.
fn escaped(letters: &mut Peekable<impl Iterator<Item = (usize, char)>>) -> Option<char> {
    Some(match letters.next()?.1 {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let mut code = 0;
            for _ in 0..4 {
                code = code * 16 + letters.next()?.1.to_digit(16)?;
            }
            char::from_u32(code)?
        }
        other => other,
    })
}

/// Reads a rule.
///
/// # Errors
///
/// What is wrong with it, in words.
pub(crate) fn parse(text: &str) -> Result<Rule, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), end: text.chars().count() };
    parser.keyword("FROM")?;
    let from = parser.targets()?;
    parser.keyword("TO")?;
    let to = parser.targets()?;
    let allow = parser.one_of(&["ALLOW", "BLOCK"])? == "ALLOW";
    let protocol = match parser.one_of(&["TCP", "UDP", "ICMP", "ICMP6", "AH", "ESP"])? {
        "TCP" => "tcp",
        "UDP" => "udp",
        "ICMP" => "icmp",
        "ICMP6" => "icmp6",
        "AH" => "ah",
        _ => "esp",
    };
    let what = match protocol {
        "tcp" | "udp" => parser.ports()?,
        "icmp" | "icmp6" => parser.types()?,
        _ => What::All,
    };
    let mut priority = None;
    if parser.skip("PRIORITY") {
        priority = Some(parser.number(0, 100, "a priority from 0 to 100")? as u8);
    }
    if parser.tokens.peek().is_some() {
        return Err(parser.expected("the end of the rule"));
    }
    let machines = |target: &Target| matches!(target, Target::Tag(..) | Target::Vm(_) | Target::AllVms);
    if !from.iter().chain(&to).any(machines) {
        return Err("rule does not affect VMs".to_owned());
    }
    Ok(Rule { from, to, allow, protocol, what, priority })
}

struct Parser {
    tokens: Peekable<std::vec::IntoIter<(usize, Token)>>,
    /// How many characters the rule has.
    end: usize,
}

impl Parser {
    /// Says what should have come instead of what comes next.
    fn expected(&mut self, what: &str) -> String {
        match self.tokens.peek() {
            Some((at, token)) => format!("Error at character {at}: '{token}', expected: {what}"),
            None => format!("Error at character {}: '', expected: {what}", self.end),
        }
    }

    /// Whether a keyword comes next: in capitals throughout, or without any.
    fn skip(&mut self, keyword: &str) -> bool {
        let fits = |word: &str| word == keyword || word == keyword.to_ascii_lowercase();
        self.tokens.next_if(|(_, token)| matches!(token, Token::Word(word) if fits(word))).is_some()
    }

    fn skip_sign(&mut self, sign: char) -> bool {
        self.tokens.next_if(|(_, token)| *token == Token::Sign(sign)).is_some()
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        if self.skip(keyword) { Ok(()) } else { Err(self.expected(&format!("'{keyword}'"))) }
    }

    fn one_of<'a>(&mut self, keywords: &[&'a str]) -> Result<&'a str, String> {
        match keywords.iter().copied().find(|keyword| self.skip(keyword)) {
            Some(keyword) => Ok(keyword),
            None => Err(self.expected(&format!("'{}'", keywords.join("', '")))),
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if self.skip_sign(')') { Ok(()) } else { Err(self.expected("')'")) }
    }

    /// A word that this reads, or what was expected.
    fn word<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        let read = match self.tokens.peek() {
            Some((_, Token::Word(word))) => read(word),
            _ => None,
        };
        match read {
            Some(value) => {
                self.tokens.next();
                Ok(value)
            }
            None => Err(self.expected(what)),
        }
    }

    fn number(&mut self, least: u16, most: u16, what: &str) -> Result<u16, String> {
        self.word(what, |word| whole(word).filter(|number| (least..=most).contains(number)))
    }

    /// A list in parentheses, or one element. Sorted, and without repetitions, which count all the same. What means
    /// all of them stands `alone`.
    fn list<T: Ord>(
        &mut self,
        word: &str,
        what: &str,
        one: impl Fn(&mut Parser) -> Result<T, String>,
        alone: (&str, impl Fn(&T) -> bool),
    ) -> Result<Vec<T>, String> {
        let mut list = Vec::new();
        if self.skip_sign('(') {
            list.push(one(self)?);
            while self.skip(word) {
                list.push(one(self)?);
            }
            self.close()?;
        } else {
            list.push(one(self)?);
        }
        at_most(&list, what)?;
        if list.len() > 1 && list.iter().any(alone.1) {
            return Err(format!("{} stand alone, not in a list of {what}", alone.0));
        }
        list.sort();
        list.dedup();
        Ok(list)
    }

    fn targets(&mut self) -> Result<Vec<Target>, String> {
        let all = |target: &Target| matches!(target, Target::Any | Target::AllVms);
        self.list("OR", "targets", Parser::target, ("any and all vms", all))
    }

    fn target(&mut self) -> Result<Target, String> {
        match self.one_of(&["ANY", "ALL", "IP", "SUBNET", "TAG", "VM"])? {
            "ANY" => Ok(Target::Any),
            "ALL" => self.keyword("VMS").map(|()| Target::AllVms),
            "IP" => self.word("an IP address", address).map(Target::Ip),
            "SUBNET" => {
                let base = self.word("a subnet, such as 10.0.0.0/8,", address)?;
                if !self.skip_sign('/') {
                    return Err(self.expected("'/' and the length of a subnet's prefix"));
                }
                let most = if base.is_ipv4() { 32 } else { 128 };
                let bits = self.number(0, most, &format!("a length from 0 to {most}, as a subnet has"))? as u8;
                Ok(Target::Subnet(base, bits))
            }
            "TAG" => {
                let name = self.label("the name of a tag")?;
                if name.is_empty() {
                    return Err("the name of a tag is empty".to_owned());
                }
                let value = if self.skip_sign('=') { Some(self.label("the value of a tag")?) } else { None };
                Ok(Target::Tag(name, value))
            }
            _ => self
                .word("the id of a machine", |word| is_uuid(word).then(|| word.to_ascii_lowercase()))
                .map(Target::Vm),
        }
    }

    /// The name or the value of a tag: quoted, or of letters that need no quotes.
    fn label(&mut self, what: &str) -> Result<String, String> {
        if let Some((_, Token::Text(text))) = self.tokens.next_if(|(_, token)| matches!(token, Token::Text(_))) {
            return Ok(text);
        }
        let plain = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        self.word(what, |word| plain(word).then(|| word.to_owned()))
    }

    fn ports(&mut self) -> Result<What, String> {
        if self.skip("PORTS") {
            let mut ranges = vec![self.range()?];
            while self.skip_sign(',') {
                ranges.push(self.range()?);
            }
            at_most(&ranges, "ports")?;
            ranges.sort_unstable();
            ranges.dedup();
            return Ok(What::Ports(ranges));
        }
        let port = |parser: &mut Parser| {
            parser.keyword("PORT")?;
            if parser.skip("ALL") {
                return Ok(0);
            }
            parser.number(1, u16::MAX, "a port from 1 to 65535")
        };
        let ports = self.list("AND", "ports", port, ("all ports", |port| *port == 0))?;
        match ports.as_slice() {
            [0] => Ok(What::Every("PORT")),
            _ => Ok(What::Ports(ports.into_iter().map(|port| (port, port)).collect())),
        }
    }

    /// `80`, `80-90` or `80 - 90`.
    fn range(&mut self) -> Result<(u16, u16), String> {
        let what = "a port or a range of ports from 1 to 65535";
        let port = |text: &str| whole(text).filter(|port| *port > 0);
        let (low, dash, high) = self.word(what, |word| match word.split_once('-') {
            None => Some((port(word)?, false, None)),
            Some((low, "")) => Some((port(low)?, true, None)),
            Some((low, high)) => Some((port(low)?, true, Some(port(high)?))),
        })?;
        let high = match high {
            Some(high) => high,
            None if dash => self.word(what, port)?,
            None => match self.tokens.peek() {
                Some((_, Token::Word(word))) if word == "-" => {
                    self.tokens.next();
                    self.word(what, port)?
                }
                Some((_, Token::Word(word))) if word.starts_with('-') => {
                    self.word(what, |word| port(word.strip_prefix('-')?))?
                }
                _ => low,
            },
        };
        if low > high {
            return Err(format!("the range of ports {low}-{high} must begin with its lower end"));
        }
        Ok((low, high))
    }

    fn types(&mut self) -> Result<What, String> {
        let kind = |parser: &mut Parser| {
            parser.keyword("TYPE")?;
            if parser.skip("ALL") {
                return Ok(None);
            }
            let kind = parser.number(0, 255, "a type from 0 to 255")? as u8;
            let code = match parser.skip("CODE") {
                true => Some(parser.number(0, 255, "a code from 0 to 255")? as u8),
                false => None,
            };
            Ok(Some((kind, code)))
        };
        let types = self.list("AND", "types", kind, ("all types", Option::is_none))?;
        match types.as_slice() {
            [None] => Ok(What::Every("TYPE")),
            _ => Ok(What::Types(types.into_iter().flatten().collect())),
        }
    }
}

fn at_most<T>(list: &[T], what: &str) -> Result<(), String> {
    if list.len() > MAX_PARTS { Err(format!("more than {MAX_PARTS} {what}")) } else { Ok(()) }
}

/// A number of digits alone: no sign.
fn whole(word: &str) -> Option<u16> {
    if word.bytes().all(|b| b.is_ascii_digit()) { word.parse().ok() } else { None }
}

fn address(word: &str) -> Option<IpAddr> {
    let ip: IpAddr = word.parse().ok()?;
    let refused = matches!(ip, IpAddr::V4(Ipv4Addr::UNSPECIFIED | Ipv4Addr::BROADCAST));
    if refused { None } else { Some(ip) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

    #[test]
    fn a_rule_is_written_in_one_form() {
        for (text, form) in [
            ("FROM any TO tag www ALLOW tcp PORT 80", "FROM any TO tag \"www\" ALLOW tcp PORT 80"),
            ("from (any) to all vms block udp (port all)", "FROM any TO all vms BLOCK udp PORT all"),
            (
                "FROM (vm 3C1F8A52-7d0e-4b6a-9c1d-5e2f8a7b4c6d OR tag b OR ip 10.0.0.1 OR tag a=\"x y\" OR ip 10.0.0.1) \
                 TO (tag role = \"d\\\"b\") ALLOW TCP (PORT 443 AND PORT 80 AND port 443) PRIORITY 7",
                "FROM (ip 10.0.0.1 OR tag \"a\" = \"x y\" OR tag \"b\" OR vm 3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d) \
                 TO tag \"role\" = \"d\\\"b\" ALLOW tcp (PORT 80 AND PORT 443) PRIORITY 7",
            ),
            (
                "FROM all vms TO subnet 10.0.0.0/8 BLOCK udp PORTS 90, 8000 - 8010,53",
                "FROM all vms TO subnet 10.0.0.0/8 BLOCK udp PORTS 53, 90, 8000-8010",
            ),
            ("FROM any TO all vms ALLOW tcp PORTS 80, 81", "FROM any TO all vms ALLOW tcp (PORT 80 AND PORT 81)"),
            (
                "FROM any TO all vms ALLOW icmp (TYPE 8 CODE 0 AND TYPE 3)",
                "FROM any TO all vms ALLOW icmp (TYPE 3 AND TYPE 8 CODE 0)",
            ),
            ("FROM ip fe80::1 TO all vms ALLOW icmp6 TYPE ALL", "FROM ip fe80::1 TO all vms ALLOW icmp6 TYPE all"),
            ("FROM subnet fd00:: / 8 TO all vms ALLOW ah", "FROM subnet fd00::/8 TO all vms ALLOW ah"),
            ("FROM subnet 10.0.0.0/0 TO all vms ALLOW ah", "FROM subnet 10.0.0.0/0 TO all vms ALLOW ah"),
            ("FROM any TO all vms ALLOW ah PRIORITY 0", "FROM any TO all vms ALLOW ah"),
            ("FROM any TO all vms BLOCK esp PRIORITY 100", "FROM any TO all vms BLOCK esp PRIORITY 100"),
        ] {
            let rule = parse(text).unwrap();
            assert_eq!(rule.to_string(), form, "{text}");
            assert_eq!(parse(form).unwrap(), Rule { priority: rule.priority.filter(|p| *p > 0), ..rule }, "{form}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_the_place() {
        let many = (1..=25).map(|n| format!("PORT {n}")).collect::<Vec<_>>().join(" AND ");
        let same = ["PORT 1"; 25].join(" AND ");
        for (text, words) in [
            ("", "Error at character 0: '', expected: 'FROM'"),
            ("hell no", "Error at character 0: 'hell', expected: 'FROM'"),
            ("FROM any TO all vms", "Error at character 19: '', expected: 'ALLOW', 'BLOCK'"),
            ("From any TO all vms ALLOW tcp PORT 1", "Error at character 0: 'From', expected: 'FROM'"),
            ("FROM any TO any ALLOW tcp PORT 1", "rule does not affect VMs"),
            ("FROM any TO ip 10.0.0.1 ALLOW tcp PORT 1", "rule does not affect VMs"),
            ("FROM any TO (all vms OR tag a) ALLOW tcp PORT 1", "any and all vms stand alone"),
            ("FROM any TO all vms ALLOW tcp PORT 0", "a port from 1 to 65535"),
            ("FROM any TO all vms ALLOW tcp PORT 65536", "a port from 1 to 65535"),
            ("FROM any TO all vms ALLOW tcp PORT +1", "a port from 1 to 65535"),
            ("FROM any TO all vms ALLOW tcp PORTS 9-1", "lower end"),
            ("FROM any TO all vms ALLOW tcp (PORT 1 AND PORT ALL)", "stand alone"),
            (&format!("FROM any TO all vms ALLOW tcp ({many})"), "more than 24 ports"),
            (&format!("FROM any TO all vms ALLOW tcp ({same})"), "more than 24 ports"),
            ("FROM any TO all vms ALLOW tcp (PORT ALL AND PORT ALL)", "stand alone"),
            ("FROM any TO all vms ALLOW icmp (TYPE ALL AND TYPE ALL)", "stand alone"),
            ("FROM any TO (all vms OR all vms) ALLOW ah", "stand alone"),
            ("FROM any TO tag \"\" ALLOW ah", "the name of a tag is empty"),
            ("FROM any TO all vms ALLOW icmp TYPE 256", "a type from 0 to 255"),
            ("FROM any TO all vms ALLOW gre", "expected: 'TCP', 'UDP'"),
            ("FROM any TO all vms ALLOW ah PRIORITY 101", "a priority"),
            ("FROM any TO all vms ALLOW ah PRIORITY 1 x", "the end of the rule"),
            ("FROM ip 0.0.0.0 TO all vms ALLOW ah", "an IP address"),
            ("FROM subnet 10.0.0.0/33 TO all vms ALLOW ah", "a subnet"),
            ("FROM subnet 10.0.0.0 TO all vms ALLOW ah", "'/' and the length"),
            ("FROM vm web0 TO all vms ALLOW ah", "the id of a machine"),
            ("FROM tag a.b TO all vms ALLOW ah", "the name of a tag"),
            ("FROM tag \"a TO all vms ALLOW ah", "Error at character 9: the quotation does not end"),
            ("FROM (any TO all vms ALLOW ah", "')'"),
        ] {
            let said = parse(text).unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
        }
    }

    #[test]
    fn a_rule_is_about_the_machines_that_either_side_names() {
        let tags = serde_json::json!({ "role": "web", "weight": 10, "on": true });
        let machine = Vm {
            uuid: VM.to_owned(),
            owner_uuid: "a".to_owned(),
            tags: tags.as_object().unwrap().clone(),
            ..Vm::default()
        };
        let affects = |side: &str, owner: &str| {
            [format!("FROM any TO {side} ALLOW ah"), format!("FROM {side} TO any ALLOW ah")].map(|rule| {
                FirewallRule { rule, owner: owner.to_owned(), ..FirewallRule::default() }.matcher()(&&machine)
            })
        };
        for side in
            ["all vms", &format!("vm {VM}"), "tag role", "tag role=web", "tag weight = 10", "(tag x OR tag on=true)"]
        {
            assert_eq!(affects(side, "a"), [true, true], "{side}");
            assert_eq!(affects(side, "b"), [false, false], "{side} of another");
        }
        for side in ["tag x", "tag role=db", "tag weight=1", "vm 00000000-7d0e-4b6a-9c1d-5e2f8a7b4c6d"] {
            assert_eq!(affects(side, "a"), [false, false], "{side}");
        }
    }
}
