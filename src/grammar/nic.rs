//! A network for a new machine, with an address on it if one is wanted.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::net::ipv4;
use super::{fault, is_uuid, nearest};
use crate::error::{Error, Hint, Result};

/// A network and the address that the machine is to have on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// The network: id or name.
    pub network: String,
    /// The address; any free one without.
    pub ip: Option<Ipv4Addr>,
}

impl Nic {
    /// What CreateMachine takes, given the id of the network.
    pub fn body(&self, network: &str) -> Value {
        match self.ip {
            Some(ip) => json!({ "ipv4_uuid": network, "ipv4_ips": [ip.to_string()] }),
            None => json!({ "ipv4_uuid": network }),
        }
    }
}

/// NICs as VMAPI takes them: one of [`parse`]'s forms, or JSON of one or several.
///
/// # Errors
/// A usage error that points at the fault.
pub fn many(text: &str) -> Result<Vec<Value>> {
    if !text.trim_start().starts_with(['[', '{']) {
        let nic = parse(text)?;
        return Ok(vec![nic.body(&nic.network)]);
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(nics)) => Ok(nics),
        Ok(nic) => Ok(vec![nic]),
        Err(error) => {
            Err(fault("network", text, error.column().saturating_sub(1), "it is not JSON", "").because(error))
        }
    }
}

/// A network from `NETWORK`, `network=NETWORK[,ip=ADDRESS]` or `ipv4_uuid=UUID[,ipv4_ips=ADDRESS]`.
///
/// # Errors
/// A usage error that points at the fault.
pub fn parse(text: &str) -> Result<Nic> {
    let wrong = |at, message: &str, expected: &str| fault("network", text, at, message, expected);
    if text.is_empty() {
        return Err(wrong(0, "it is empty", "expected a network, or network=NETWORK,ip=ADDRESS"));
    }
    if !text.contains('=') {
        if let Some(at) = text.find(',') {
            return Err(wrong(at, "one network at a time", "expected ,ip=ADDRESS after network=NETWORK"));
        }
        return Ok(Nic { network: text.to_owned(), ip: None });
    }
    let (mut network, mut ip) = (None, None);
    let mut at = 0;
    for part in text.split(',') {
        let here = at;
        at += part.len() + 1;
        let Some((name, value)) = part.split_once('=') else {
            return Err(match (&ip, part.parse::<Ipv4Addr>()) {
                (Some(_), Ok(_)) => second_address(text, here),
                _ => wrong(here, "this part has no name", "expected NAME=VALUE, with ip= before an address"),
            });
        };
        let value_at = here + name.len() + 1;
        if value.is_empty() {
            return Err(wrong(value_at, &format!("{name} is empty"), "expected a value"));
        }
        match name {
            "network" | "ipv4_uuid" => {
                if network.is_some() {
                    return Err(wrong(here, "the network is given twice", "one network for each --nic"));
                }
                if name == "ipv4_uuid" && !is_uuid(value) {
                    let error = wrong(value_at, &format!("'{value}' is not an id of a network"), "expected a UUID");
                    return Err(error.hint(format!("by name: network={value}")));
                }
                network = Some(value.to_owned());
            }
            "ip" | "ipv4_ips" => {
                if ip.is_some() {
                    return Err(second_address(text, here));
                }
                if let Some(more) = value.find(['|', ' ', ';']) {
                    return Err(second_address(text, value_at + more));
                }
                ip = Some(ipv4(value).map_err(|error| error.about(&format!("network '{text}'")))?);
            }
            "primary" => {
                return Err(wrong(here, "the service ignores primary here", "leave it out")
                    .hint("the first public network is the primary one, or the first of all where none is public")
                    .hint(Hint::run(
                        "an added one can be made primary",
                        "machines nics add MACHINE NETWORK --primary",
                    )));
            }
            _ => {
                let error =
                    wrong(here, &format!("there is no '{name}'"), "expected network, ip, ipv4_uuid or ipv4_ips");
                return Err(match nearest(name, &["network", "ip", "ipv4_uuid", "ipv4_ips"]) {
                    Some(near) => {
                        error.hint(format!("did you mean {}?", super::shell::quoted(&format!("{near}={value}"))))
                    }
                    None => error,
                });
            }
        }
    }
    match network {
        Some(network) => Ok(Nic { network, ip }),
        None => Err(wrong(0, "there is an address, but no network", "expected network=NETWORK as well")),
    }
}

fn second_address(text: &str, at: usize) -> Error {
    fault("network", text, at, "the service takes one address on a network", "one address too many")
}

/// Checks several: a machine has one NIC on a network. Call it once the names are ids.
///
/// # Errors
/// A usage error that names the network that is given twice.
pub fn check(list: &[Nic]) -> Result<()> {
    for (at, nic) in list.iter().enumerate() {
        if list[..at].iter().any(|other| other.network == nic.network) {
            return Err(Error::usage(format!("the network {} is given twice", nic.network))
                .hint("a machine has one NIC on a network"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "d6e6e0b0-5b1c-4b4a-9b5e-3f3f8a3c2b10";

    #[test]
    fn a_network_is_a_name_or_an_id_with_an_address_or_without() {
        let nic = |network: &str, ip: Option<[u8; 4]>| Nic { network: network.to_owned(), ip: ip.map(Ipv4Addr::from) };
        assert_eq!(parse("my net").unwrap(), nic("my net", None));
        assert_eq!(parse("network=my-net").unwrap(), nic("my-net", None));
        assert_eq!(parse("network=my-net,ip=10.0.0.7").unwrap(), nic("my-net", Some([10, 0, 0, 7])));
        assert_eq!(parse(&format!("ipv4_uuid={ID},ipv4_ips=10.0.0.7")).unwrap(), nic(ID, Some([10, 0, 0, 7])));
    }

    #[test]
    fn the_body_is_what_the_service_takes() {
        let nic = parse("network=lan,ip=10.0.0.7").unwrap();
        assert_eq!(nic.body(ID).to_string(), format!(r#"{{"ipv4_uuid":"{ID}","ipv4_ips":["10.0.0.7"]}}"#));
        assert_eq!(parse("lan").unwrap().body(ID).to_string(), format!(r#"{{"ipv4_uuid":"{ID}"}}"#));
    }

    #[test]
    fn each_fault_is_pointed_at() {
        for (text, message, hint) in [
            ("", "it is empty", "\n^ expected a network, or network=NETWORK,ip=ADDRESS"),
            ("a,b", "one network at a time", "a,b\n ^ expected ,ip=ADDRESS after network=NETWORK"),
            ("network=", "network is empty", "network=\n        ^ expected a value"),
            (
                "network=a,network=b",
                "the network is given twice",
                "network=a,network=b\n          ^ one network for each --nic",
            ),
            ("ip=10.0.0.1", "there is an address, but no network", "ip=10.0.0.1\n^ expected network=NETWORK as well"),
            ("ipv4_uuid=lan", "'lan' is not an id of a network", "ipv4_uuid=lan\n          ^ expected a UUID"),
            (
                "network=a,ip=10.0.0.1,10.0.0.2",
                "the service takes one address on a network",
                "network=a,ip=10.0.0.1,10.0.0.2\n                      ^ one address too many",
            ),
            (
                "network=a,ip=10.0.0.1|10.0.0.2",
                "the service takes one address on a network",
                "network=a,ip=10.0.0.1|10.0.0.2\n                     ^ one address too many",
            ),
            (
                "network=a,primary=true",
                "the service ignores primary here",
                "network=a,primary=true\n          ^ leave it out",
            ),
            ("netwrk=a", "there is no 'netwrk'", "netwrk=a\n^ expected network, ip, ipv4_uuid or ipv4_ips"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(
                (error.message(), error.hints()[0].as_str()),
                (format!("network: {message}").as_str(), hint),
                "{text}"
            );
        }
        assert_eq!(parse("netwrk=a").unwrap_err().hints()[1], "did you mean network=a?");
    }

    #[test]
    fn a_machine_has_one_nic_on_a_network() {
        let list = [parse("a").unwrap(), parse("b").unwrap(), parse("network=a,ip=10.0.0.1").unwrap()];
        assert_eq!(check(&list).unwrap_err().message(), "the network a is given twice");
        assert!(check(&list[..2]).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics(text in "((network|ip|ipv4_uuid|ipv4_ips|primary|10\\.0\\.0\\.1|[=,|é]) ?){0,8}") {
            if let Ok(nic) = parse(&text) {
                prop_assert!(!nic.network.is_empty());
            }
        }
    }
}
