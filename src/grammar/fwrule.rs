//! Firewall rules: `FROM any TO tag "role" = "web" ALLOW tcp PORT 443`.
//!
//! A rule is read as the service reads it; its [`Display`](fmt::Display) is the normal form, in which lists are
//! sorted and tags are quoted. What is sent should be the text as it was typed.
//!
//! ```
//! use sdc::grammar::fwrule;
//!
//! let rule = fwrule::parse("FROM any TO tag role=web ALLOW tcp PORT 443")?;
//! assert_eq!(rule.to_string(), r#"FROM any TO tag "role" = "web" ALLOW tcp PORT 443"#);
//! let error = fwrule::parse("FROM any TO all vms ALOW tcp PORT 443").unwrap_err();
//! assert_eq!(error.message(), "firewall rule: unexpected 'ALOW'");
//! # Ok::<(), sdc::Error>(())
//! ```

use std::fmt;
use std::net::IpAddr;

pub use super::fwparse::parse;

/// The most targets on a side, and the most ports or types.
pub const MAX_PARTS: usize = 24;

/// The highest priority.
pub const HIGHEST: u8 = 100;

/// A rule, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Where the traffic comes from.
    pub from: Targets,
    /// Where it goes to.
    pub to: Targets,
    /// What is done with it.
    pub action: Action,
    /// Which traffic.
    pub protocol: Protocol,
    /// 0 to 100, the higher the sooner; 0 if none was given.
    pub priority: Option<u8>,
}

/// One side of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Everything there is.
    Any,
    /// Every machine of the account.
    AllVms,
    /// Any of these; sorted, and each once.
    Of(Vec<Target>),
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// An address.
    Ip(IpAddr),
    /// A subnet: its address and the length of its prefix.
    Subnet(IpAddr, u8),
    /// The machines with a tag, of any value or of this.
    Tag(String, Option<String>),
    /// A machine by its id.
    Vm(String),
}

/// What is done with the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Let through.
    Allow,
    /// Kept out.
    Block,
}

/// Which traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP to these ports.
    Tcp(Ports),
    /// UDP to these ports.
    Udp(Ports),
    /// ICMP of these types.
    Icmp(Types),
    /// ICMP of IPv6.
    Icmp6(Types),
    /// IPsec's authentication header.
    Ah,
    /// IPsec's encrypted payload.
    Esp,
}

/// Which ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// `PORT ALL`.
    All,
    /// `PORT n`, one or several; sorted, and each once.
    These(Vec<u16>),
    /// `PORTS a-b, c`: first and last of each range; sorted, and each once.
    Ranges(Vec<(u16, u16)>),
}

/// Which types of ICMP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Types {
    /// `TYPE ALL`.
    All,
    /// Types, each with its code if one was given; sorted, and each once.
    These(Vec<(u8, Option<u8>)>),
}

impl Rule {
    /// Whether both say the same, in whatever spelling: the service may write a port as a range, leave out the lowest
    /// priority, or shorten an address.
    pub fn is_same(&self, other: &Rule) -> bool {
        let alike = self.action == other.action && self.priority.unwrap_or(0) == other.priority.unwrap_or(0);
        let sides = self.from.normal() == other.from.normal() && self.to.normal() == other.to.normal();
        alike
            && sides
            && match (&self.protocol, &other.protocol) {
                (Protocol::Tcp(one), Protocol::Tcp(two)) | (Protocol::Udp(one), Protocol::Udp(two)) => {
                    one.ranges() == two.ranges()
                }
                (one, two) => one == two,
            }
    }
}

impl Ports {
    /// As ranges that neither overlap nor touch.
    fn ranges(&self) -> Vec<(u16, u16)> {
        let mut all = match self {
            Ports::All => vec![(1, u16::MAX)],
            Ports::These(ports) => ports.iter().map(|port| (*port, *port)).collect(),
            Ports::Ranges(ranges) => ranges.clone(),
        };
        all.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::new();
        for (low, high) in all {
            match merged.last_mut() {
                Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
                _ => merged.push((low, high)),
            }
        }
        merged
    }
}

impl Targets {
    /// With subnets that begin at their first address, and without the values of tags that are meant with any value.
    fn normal(&self) -> Targets {
        let Targets::Of(list) = self else { return self.clone() };
        let bare = |name: &str| list.iter().any(|target| matches!(target, Target::Tag(tag, None) if tag == name));
        let of = |target: &Target| match target {
            Target::Subnet(address, length) => Target::Subnet(first(*address, *length), *length),
            Target::Tag(name, Some(_)) if bare(name) => Target::Tag(name.clone(), None),
            other => other.clone(),
        };
        let mut list: Vec<Target> = list.iter().map(of).collect();
        list.sort();
        list.dedup();
        Targets::Of(list)
    }

    /// Whether machines of the account are among them, which a rule must have on one side.
    pub fn has_machines(&self) -> bool {
        match self {
            Targets::Any => false,
            Targets::AllVms => true,
            Targets::Of(list) => list.iter().any(|target| matches!(target, Target::Tag(..) | Target::Vm(_))),
        }
    }
}

/// The first address of a subnet.
fn first(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(v4) & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(v6) & mask).into())
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.action == Action::Allow { "ALLOW" } else { "BLOCK" };
        write!(f, "FROM {} TO {} {action} {}", self.from, self.to, self.protocol)?;
        self.priority.map_or(Ok(()), |priority| write!(f, " PRIORITY {priority}"))
    }
}

/// One by itself, several in parentheses with a word between.
fn joined(f: &mut fmt::Formatter<'_>, list: &[String], word: &str) -> fmt::Result {
    match list {
        [only] => f.write_str(only),
        several => write!(f, "({})", several.join(word)),
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Targets::Any => f.write_str("any"),
            Targets::AllVms => f.write_str("all vms"),
            Targets::Of(list) => joined(f, &list.iter().map(Target::to_string).collect::<Vec<_>>(), " OR "),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        match self {
            Target::Ip(address) => write!(f, "ip {address}"),
            Target::Subnet(address, length) => write!(f, "subnet {address}/{length}"),
            Target::Tag(name, None) => write!(f, "tag {}", quoted(name)),
            Target::Tag(name, Some(value)) => write!(f, "tag {} = {}", quoted(name), quoted(value)),
            Target::Vm(id) => write!(f, "vm {id}"),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protocol::Tcp(ports) => write!(f, "tcp {ports}"),
            Protocol::Udp(ports) => write!(f, "udp {ports}"),
            Protocol::Icmp(types) => write!(f, "icmp {types}"),
            Protocol::Icmp6(types) => write!(f, "icmp6 {types}"),
            Protocol::Ah => f.write_str("ah"),
            Protocol::Esp => f.write_str("esp"),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ports::All => f.write_str("PORT all"),
            Ports::These(list) => {
                joined(f, &list.iter().map(|port| format!("PORT {port}")).collect::<Vec<_>>(), " AND ")
            }
            Ports::Ranges(list) => {
                let range =
                    |(low, high): &(u16, u16)| if low == high { low.to_string() } else { format!("{low}-{high}") };
                write!(f, "PORTS {}", list.iter().map(range).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = |(number, code): &(u8, Option<u8>)| match code {
            Some(code) => format!("TYPE {number} CODE {code}"),
            None => format!("TYPE {number}"),
        };
        match self {
            Types::All => f.write_str("TYPE all"),
            Types::These(list) => joined(f, &list.iter().map(one).collect::<Vec<_>>(), " AND "),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    const VM: &str = "b6979942-7d5d-4fe6-a2ec-b812e950625a";

    fn normal(text: &str) -> String {
        match parse(text) {
            Ok(rule) => rule.to_string(),
            Err(error) => panic!("{text}: {error} {:?}", error.hints()),
        }
    }

    /// The message, and below the text the place and the words of the caret.
    fn refused(text: &str) -> (String, usize, String) {
        let error = parse(text).unwrap_err();
        let message = error.to_string().trim_start_matches("firewall rule: ").to_owned();
        let (_, mark) = error.hints()[0].as_str().split_once('\n').unwrap();
        let (blanks, words) = mark.split_once('^').unwrap();
        (message, blanks.len(), words.trim().to_owned())
    }

    #[test]
    fn a_rule_has_one_normal_form() {
        for (text, expected) in [
            ("FROM any TO tag role=web ALLOW tcp PORT 80", "FROM any TO tag \"role\" = \"web\" ALLOW tcp PORT 80"),
            ("from ( ANY ) to (all vms) block UDP (port all)", "FROM any TO all vms BLOCK udp PORT all"),
            (
                "FROM (TAG b OR TAG a OR TAG b OR ip 10.0.0.9 OR IP 10.0.0.10) TO ANY ALLOW TCP (PORT 443 AND port 80)",
                "FROM (ip 10.0.0.9 OR ip 10.0.0.10 OR tag \"a\" OR tag \"b\") TO any ALLOW tcp (PORT 80 AND PORT 443)",
            ),
            (
                "FROM SUBNET 10.0.0.0/8 TO ALL VMS ALLOW TCP PORTS 443,80 , 8000 - 8100 PRIORITY 100",
                "FROM subnet 10.0.0.0/8 TO all vms ALLOW tcp PORTS 80, 443, 8000-8100 PRIORITY 100",
            ),
            (
                "FROM subnet FD00:0:0::/64 TO ALL VMS ALLOW icmp6 TYPE all PRIORITY 0",
                "FROM subnet fd00::/64 TO all vms ALLOW icmp6 TYPE all PRIORITY 0",
            ),
            (
                "FROM ANY TO ALL VMS BLOCK ICMP (TYPE 8 CODE 0 AND TYPE 0)",
                "FROM any TO all vms BLOCK icmp (TYPE 0 AND TYPE 8 CODE 0)",
            ),
            ("FROM ANY TO (TAG x) BLOCK AH", "FROM any TO tag \"x\" BLOCK ah"),
            ("FROM ANY TO TAG \"a \\\"b\\\\\" = \"\" BLOCK esp", "FROM any TO tag \"a \\\"b\\\\\" = \"\" BLOCK esp"),
        ] {
            assert_eq!(normal(text), expected, "{text}");
            assert_eq!(normal(expected), expected);
        }
        assert_eq!(
            normal(&format!("FROM VM {} TO IP ::1 ALLOW ICMP TYPE 255", VM.to_uppercase())),
            format!("FROM vm {VM} TO ip ::1 ALLOW icmp TYPE 255")
        );
    }

    #[test]
    fn a_rule_is_taken_apart() {
        let rule = parse("FROM IP 192.0.2.1 TO TAG a = b ALLOW TCP PORTS 1-2 PRIORITY 7").unwrap();
        assert_eq!(
            rule,
            Rule {
                from: Targets::Of(vec![Target::Ip("192.0.2.1".parse().unwrap())]),
                to: Targets::Of(vec![Target::Tag("a".into(), Some("b".into()))]),
                action: Action::Allow,
                protocol: Protocol::Tcp(Ports::Ranges(vec![(1, 2)])),
                priority: Some(7),
            }
        );
    }

    #[test]
    fn each_fault_is_pointed_at() {
        for (text, message, at, expected) in [
            ("", "unexpected end of the rule", 0, "expected FROM"),
            ("FORM any TO all vms ALLOW tcp PORT 80", "unexpected 'FORM'", 0, "expected FROM"),
            (
                "From any TO all vms ALLOW tcp PORT 80",
                "keywords are all in capitals or all in small letters, not 'From'",
                0,
                "expected FROM or from",
            ),
            (
                "FROM web TO all vms ALLOW tcp PORT 80",
                "unexpected 'web'",
                5,
                "expected ANY, ALL VMS, IP, SUBNET, TAG, VM or (",
            ),
            ("FROM 10.0.0.1 TO all vms ALLOW tcp PORT 80", "the kind of target is missing", 5, "expected IP before it"),
            ("FROM all TO all vms ALLOW tcp PORT 80", "unexpected 'TO'", 9, "expected VMS"),
            (
                "FROM TAG a OR TAG b TO any ALLOW tcp PORT 80",
                "several targets stand in parentheses",
                5,
                "expected ( here",
            ),
            ("FROM ANY OR TAG a TO any ALLOW tcp PORT 80", "ANY stands alone", 9, "nothing to add to it"),
            ("FROM (TAG a OR ANY) TO any ALLOW tcp PORT 1", "ANY stands alone", 15, "expected IP, SUBNET, TAG or VM"),
            ("FROM (TAG a TAG b) TO any ALLOW tcp PORT 1", "unexpected 'TAG'", 12, "expected OR or )"),
            ("FROM any TO VM web0 ALLOW tcp PORT 80", "'web0' is not an id of a machine", 15, "expected a UUID"),
            (
                "FROM IP 10.0.0.256 TO TAG a ALLOW AH",
                "'10.0.0.256' is not an address",
                8,
                "expected one of IPv4 or IPv6",
            ),
            ("FROM IP 0.0.0.0 TO TAG a ALLOW AH", "the address 0.0.0.0 is refused", 8, "expected another"),
            ("FROM SUBNET 0.0.0.0/0 TO TAG a ALLOW AH", "the address 0.0.0.0 is refused", 12, "expected another"),
            (
                "FROM IP 255.255.255.255 TO TAG a ALLOW AH",
                "the address 255.255.255.255 is refused",
                8,
                "expected another",
            ),
            (
                "FROM IP 10.0.0.0/8 TO TAG a ALLOW AH",
                "an address with a length is a subnet",
                8,
                "expected SUBNET before it",
            ),
            (
                "FROM SUBNET 10.0.0.0 TO TAG a ALLOW AH",
                "unexpected 'TO'",
                21,
                "expected / and the length of the prefix",
            ),
            (
                "FROM SUBNET 10.0.0.0/33 TO TAG a ALLOW AH",
                "there is no prefix length 33",
                21,
                "expected a number from 0 to 32",
            ),
            ("FROM TAG a.b TO any ALLOW AH", "'.' needs quotes around the word", 10, "expected letters, digits, - _"),
            ("FROM TAG \"a TO any ALLOW AH", "the quotes are not closed", 9, "expected another \" after this one"),
            ("FROM TAG \"\" TO any ALLOW AH", "the name of a tag is empty", 9, "expected a name"),
            ("FROM any TO TAG a DENY tcp PORT 80", "unexpected 'DENY'", 18, "expected ALLOW or BLOCK"),
            ("FROM any TO TAG a ALLOW tcp", "unexpected end of the rule", 27, "expected PORT, PORTS or ("),
            ("FROM any TO TAG a ALLOW tcp PORT 0", "there is no port 0", 33, "expected a number from 1 to 65535"),
            (
                "FROM any TO TAG a ALLOW tcp PORT 65536",
                "there is no port 65536",
                33,
                "expected a number from 1 to 65535",
            ),
            ("FROM any TO TAG a ALLOW tcp PORT 80x", "'80x' is not a port", 33, "expected a number from 1 to 65535"),
            (
                "FROM any TO TAG a ALLOW tcp PORT ssh",
                "unexpected 'ssh'",
                33,
                "expected a number from 1 to 65535, or ALL",
            ),
            ("FROM any TO TAG a ALLOW tcp PORT 80-90", "PORT takes one port", 33, "ranges and lists stand after PORTS"),
            (
                "FROM any TO TAG a ALLOW tcp PORT 80 AND PORT 90",
                "several ports stand in parentheses",
                28,
                "expected ( here",
            ),
            ("FROM any TO TAG a ALLOW tcp PORTS 90-80", "a range begins with its lower end", 34, "expected 80-90"),
            ("FROM any TO TAG a ALLOW icmp TYPE 256", "there is no type 256", 34, "expected a number from 0 to 255"),
            (
                "FROM any TO TAG a ALLOW icmp TYPE 8 CODE 999",
                "there is no code 999",
                41,
                "expected a number from 0 to 255",
            ),
            (
                "FROM any TO TAG a ALLOW ah PRIORITY 101",
                "there is no priority 101",
                36,
                "expected a number from 0 to 100",
            ),
            ("FROM any TO TAG a ALLOW ah 7", "unexpected '7'", 27, "expected PRIORITY, or nothing more"),
            ("FROM any TO TAG a ALLOW ah PRIORITY 7 )", "unexpected ')'", 38, "expected nothing more"),
            (" FROM any TO ip 10.0.0.1 ALLOW ah", "rule does not affect VMs", 1, "one side must be TAG, VM or ALL VMS"),
        ] {
            assert_eq!(refused(text), (message.to_owned(), at, expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_misspelt_keyword_is_guessed() {
        for (text, hint) in [
            ("FORM any TO all vms ALLOW tcp PORT 80", "did you mean FROM?"),
            ("FROM any TO all vms ALLWO tcp PORT 80", "did you mean ALLOW?"),
            ("FROM subent 10.0.0.0/8 TO all vms ALLOW tcp PORT 80", "did you mean SUBNET?"),
            ("FROM any TO TAG a ALLOW tcp PRT 80", "did you mean PORT?"),
            ("FROM any TO TAG a ALLOW ah PRIORTY 80", "did you mean PRIORITY?"),
        ] {
            assert_eq!(parse(text).unwrap_err().hints()[1], hint, "{text}");
        }
    }

    #[test]
    fn a_side_has_24_targets_and_a_rule_24_ports_at_most() {
        let tags = |count| (0..count).map(|at| format!("TAG t{at}")).collect::<Vec<_>>().join(" OR ");
        let ports = |count| (1..=count).map(|at| at.to_string()).collect::<Vec<_>>().join(", ");
        assert!(parse(&format!("FROM ({}) TO any ALLOW TCP PORTS {}", tags(24), ports(24))).is_ok());
        assert_eq!(refused(&format!("FROM ({}) TO any ALLOW AH", tags(25))).0, "a side has at most 24 targets");
        assert_eq!(
            refused(&format!("FROM TAG a TO any ALLOW TCP PORTS {}", ports(25))).0,
            "a rule has at most 24 ports"
        );
    }

    fn targets_of_any_kind() -> impl Strategy<Value = Targets> {
        let target = prop_oneof![
            any::<u32>()
                .prop_filter("refused", |bits| ![0, u32::MAX].contains(bits))
                .prop_map(|bits| { Target::Ip(IpAddr::V4(Ipv4Addr::from_bits(bits))) }),
            (any::<u128>(), 0..=128_u8)
                .prop_map(|(bits, length)| Target::Subnet(IpAddr::from(bits.to_be_bytes()), length)),
            ("\\PC{1,8}", proptest::option::of("[a\"\\\\ =()/]{0,8}"))
                .prop_map(|(name, value)| Target::Tag(name, value)),
            Just(Target::Vm(VM.to_owned())),
        ];
        prop_oneof![
            Just(Targets::Any),
            Just(Targets::AllVms),
            proptest::collection::btree_set(target, 1..5).prop_map(|set| Targets::Of(set.into_iter().collect())),
        ]
    }

    fn any_protocol() -> impl Strategy<Value = Protocol> {
        let ports = prop_oneof![
            Just(Ports::All),
            proptest::collection::btree_set(1..=u16::MAX, 1..5).prop_map(|set| Ports::These(set.into_iter().collect())),
            proptest::collection::btree_set((1..=300_u16, 300..=u16::MAX), 1..5)
                .prop_map(|set| Ports::Ranges(set.into_iter().collect())),
        ];
        let types = proptest::collection::btree_set(any::<(u8, Option<u8>)>(), 1..5)
            .prop_map(|set| Types::These(set.into_iter().collect()));
        prop_oneof![
            ports.clone().prop_map(Protocol::Tcp),
            ports.prop_map(Protocol::Udp),
            types.clone().prop_map(Protocol::Icmp),
            types.prop_map(Protocol::Icmp6),
            Just(Protocol::Ah),
            Just(Protocol::Esp),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_rule_in_its_normal_form_is_read_back_as_it_was(
            from in targets_of_any_kind(),
            protocol in any_protocol(),
            priority in proptest::option::of(0..=HIGHEST),
        ) {
            let rule = Rule { from, to: Targets::AllVms, action: Action::Block, protocol, priority };
            prop_assert_eq!(parse(&rule.to_string()).unwrap(), rule);
        }

        #[test]
        fn no_text_panics_and_every_caret_is_within_it(
            text in "((FROM|from|TO|ANY|ALL|VMS|TAG|IP|ALLOW|TCP|PORTS?|OR|AND|TYPE|[()=,/\"-]|[0-9.]{1,7}|é|\\PC) ?){0,14}",
        ) {
            if let Err(error) = parse(&text) {
                prop_assert!(crate::grammar::tests::caret_is_within(error.hints()[0].as_str()));
            }
        }
    }
}
