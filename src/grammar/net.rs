//! Addresses of networks: MAC and IPv4 addresses, subnets, and routes.

use std::fmt;
use std::net::Ipv4Addr;

use super::fault;
use crate::error::{Error, Result};

/// A MAC address as 12 small hexadecimal digits, from those or from six parts with colons or hyphens between.
///
/// # Errors
/// A usage error for anything else.
pub fn mac(text: &str) -> Result<String> {
    let wrong =
        |at, expected| Err(fault("MAC address", text, at, &format!("'{}' is not one", text.escape_debug()), expected));
    let Some(sign) = text.chars().find(|letter| matches!(letter, ':' | '-')) else {
        return match text.char_indices().find(|(_, letter)| !letter.is_ascii_hexdigit()) {
            Some((at, _)) => wrong(at, "expected a hexadecimal digit"),
            None if text.len() != 12 => wrong(text.len().min(12), "expected 12 digits in all"),
            None => Ok(text.to_ascii_lowercase()),
        };
    };
    let mut digits = String::with_capacity(12);
    let mut at = 0;
    for (count, part) in text.split(sign).enumerate() {
        if count == 6 {
            return wrong(at - 1, "expected six parts in all");
        }
        // Some systems leave out the zero before a small number.
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return wrong(at, "expected two hexadecimal digits");
        }
        digits.push_str(&format!("{part:0>2}").to_ascii_lowercase());
        at += part.len() + 1;
    }
    if digits.len() == 12 { Ok(digits) } else { wrong(text.len(), "expected six parts in all") }
}

/// An IPv4 address.
///
/// # Errors
/// A usage error that says why it is none.
pub fn ipv4(text: &str) -> Result<Ipv4Addr> {
    text.parse().map_err(|_| {
        let error = Error::usage(format!("'{text}' is not an IPv4 address"));
        match text {
            text if text.contains(':') => error.hint("addresses of IPv6 are not taken here"),
            text if text.contains('/') => error.hint("an address has no /LENGTH; that is a subnet"),
            text if text.split('.').any(|part| part.len() > 1 && part.starts_with('0')) => {
                error.hint("numbers have no leading zeros, which some programs take for octal")
            }
            _ => error.hint("four numbers from 0 to 255, as in 10.0.0.1"),
        }
    })
}

/// A subnet of IPv4: an address and the length of its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    /// The address, as it was written.
    pub address: Ipv4Addr,
    /// The length of the prefix: 0 to 32.
    pub length: u8,
}

impl Cidr {
    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.length.min(32))).unwrap_or(0)
    }

    /// The first address of the subnet: its own name.
    pub fn first(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() & self.mask())
    }

    /// The last address: its broadcast.
    pub fn last(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() | !self.mask())
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask() == self.first().to_bits()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// A subnet from `10.0.0.0/24`, whose address must be its first one.
///
/// # Errors
/// A usage error that says why it is none.
pub fn cidr(text: &str) -> Result<Cidr> {
    let Some((address, length)) = text.split_once('/') else {
        return Err(fault(
            "subnet",
            text,
            text.len(),
            "the length of its prefix is missing",
            "expected /LENGTH, as in /24",
        ));
    };
    let at = address.len() + 1;
    let address = ipv4(address).map_err(|error| error.about(&format!("subnet '{text}'")))?;
    let plain = !length.is_empty() && length.len() <= 2 && length.bytes().all(|byte| byte.is_ascii_digit());
    let Some(length) = length.parse::<u8>().ok().filter(|length| plain && *length <= 32) else {
        return Err(fault("subnet", text, at, "its prefix has no such length", "expected a number from 0 to 32"));
    };
    let cidr = Cidr { address, length };
    if cidr.first() != address {
        let first = Cidr { address: cidr.first(), length };
        return Err(Error::usage(format!("subnet '{text}': {address} is an address in it, not its first"))
            .hint(format!("did you mean {first}?")));
    }
    Ok(cidr)
}

/// A route: a subnet and the address of the gateway to it, from `CIDR=IP`.
///
/// # Errors
/// A usage error that says which half is wrong.
pub fn route(text: &str) -> Result<(Cidr, Ipv4Addr)> {
    let Some((subnet, gateway)) = text.split_once('=') else {
        return Err(fault("route", text, text.len(), "the gateway is missing", "expected =ADDRESS"));
    };
    let about = |error: Error| error.about(&format!("route '{text}'"));
    Ok((cidr(subnet).map_err(about)?, ipv4(gateway).map_err(about)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_mac_address_is_twelve_digits_however_it_is_written() {
        for text in ["90:b8:d0:01:02:0F", "90-B8-D0-01-02-0f", "90b8d001020f", "90:b8:d0:1:2:f"] {
            assert_eq!(mac(text).unwrap(), "90b8d001020f", "{text}");
        }
        for (text, hint) in [
            ("", "\n^ expected 12 digits in all"),
            ("90b8d001020", "90b8d001020\n           ^ expected 12 digits in all"),
            ("90b8d0o1020f", "90b8d0o1020f\n      ^ expected a hexadecimal digit"),
            ("90:b8:d0:01:02", "90:b8:d0:01:02\n              ^ expected six parts in all"),
            ("90:b8:d0:01:02:03:04", "90:b8:d0:01:02:03:04\n                 ^ expected six parts in all"),
            ("90:b8-d0:01:02:03", "90:b8-d0:01:02:03\n   ^ expected two hexadecimal digits"),
        ] {
            assert_eq!(mac(text).unwrap_err().hints()[0], hint, "{text}");
        }
    }

    #[test]
    fn a_subnet_has_a_first_and_a_last_address() {
        let subnet = cidr("10.1.0.0/22").unwrap();
        assert_eq!((subnet.first().to_string(), subnet.last().to_string()), ("10.1.0.0".into(), "10.1.3.255".into()));
        assert!(subnet.contains(Ipv4Addr::new(10, 1, 3, 7)) && !subnet.contains(Ipv4Addr::new(10, 1, 4, 0)));
        assert_eq!(cidr("0.0.0.0/0").unwrap().last(), Ipv4Addr::BROADCAST);
        assert_eq!(cidr("10.0.0.1/32").unwrap().last(), Ipv4Addr::new(10, 0, 0, 1));
    }

    #[test]
    fn a_subnet_that_is_none_says_why() {
        for (text, message, hint) in [
            (
                "10.0.0.0",
                "subnet: the length of its prefix is missing",
                "10.0.0.0\n        ^ expected /LENGTH, as in /24",
            ),
            (
                "10.0.0.0/33",
                "subnet: its prefix has no such length",
                "10.0.0.0/33\n         ^ expected a number from 0 to 32",
            ),
            (
                "10.0.0.0/+8",
                "subnet: its prefix has no such length",
                "10.0.0.0/+8\n         ^ expected a number from 0 to 32",
            ),
            (
                "10.0.0.5/24",
                "subnet '10.0.0.5/24': 10.0.0.5 is an address in it, not its first",
                "did you mean 10.0.0.0/24?",
            ),
            (
                "10.0.0/8",
                "subnet '10.0.0/8': '10.0.0' is not an IPv4 address",
                "four numbers from 0 to 255, as in 10.0.0.1",
            ),
            (
                "fd00::/64",
                "subnet 'fd00::/64': 'fd00::' is not an IPv4 address",
                "addresses of IPv6 are not taken here",
            ),
        ] {
            let error = cidr(text).unwrap_err();
            assert_eq!((error.message(), error.hints()[0].as_str()), (message, hint), "{text}");
        }
    }

    #[test]
    fn a_route_is_a_subnet_and_a_gateway() {
        let (subnet, gateway) = route("10.2.0.0/16=10.0.0.1").unwrap();
        assert_eq!((subnet.to_string(), gateway.to_string()), ("10.2.0.0/16".into(), "10.0.0.1".into()));
        assert_eq!(route("10.2.0.0/16").unwrap_err().hints(), ["10.2.0.0/16\n           ^ expected =ADDRESS"]);
        assert_eq!(
            route("10.2.0.0/16=gw").unwrap_err().message(),
            "route '10.2.0.0/16=gw': 'gw' is not an IPv4 address"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_an_address_panic(text in "[0-9a-f:./=é-]{0,24}") {
            let _ = (mac(&text), cidr(&text), route(&text), ipv4(&text));
        }
    }
}
