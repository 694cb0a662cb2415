//! A headnode's configuration file, which says where SAPI is: JSON, as the services have it, or lines `NAME=VALUE`, as
//! /usbkey/config has them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Result};

/// Where headnodes have it, the first one first.
pub const FILES: &[&str] = &["/opt/smartdc/sdc/etc/config.json", "/usbkey/config"];

/// No such file is longer, in bytes.
pub const MAX_LEN: u64 = 1 << 20;

/// Whether an address is the path of such a file: no host begins so.
pub fn is_file(typed: &str) -> bool {
    ["/", "./", "../", "~/"].iter().any(|begin| typed.starts_with(begin))
}

/// The address of SAPI, and the name that it has in the file.
///
/// # Errors
/// A usage error for a file that does not say it.
pub fn sapi(text: &str) -> Result<(String, String)> {
    let all = members(text);
    let get = |name: &str| all.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    for name in ["sapi_url", "sapi.url", "sapi_admin_ips", "sapi_admin_ip", "sapi_domain"] {
        // Of several addresses the first one.
        if let Some(address) = get(name).and_then(|value| value.split(',').next()) {
            return Ok((address.trim().to_owned(), name.to_owned()));
        }
    }
    match (get("datacenter_name"), get("dns_domain")) {
        (Some(name), Some(domain)) => Ok((format!("sapi.{name}.{domain}"), "datacenter_name, dns_domain".to_owned())),
        _ => Err(Error::usage("it does not say where SAPI is")
            .hint("one of sapi_url, sapi_admin_ips, sapi_domain, or datacenter_name with dns_domain")),
    }
}

/// The texts of the file by their names; those within an object behind its name and a point.
fn members(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    if let Ok(Value::Object(members)) = serde_json::from_str(text) {
        for (name, value) in members {
            match value {
                Value::String(text) => drop(all.insert(name, text)),
                Value::Object(inner) => all.extend(
                    inner
                        .into_iter()
                        .filter_map(|(part, value)| Some((format!("{name}.{part}"), value.as_str()?.to_owned()))),
                ),
                _ => {}
            }
        }
        return all;
    }
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            let value = value.trim().trim_matches(['"', '\'']);
            all.insert(name.trim().to_owned(), value.to_owned());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_json_and_in_lines() {
        for (text, address, name) in [
            (
                r#"{"datacenter_name":"dc1","dns_domain":"example.com"}"#,
                "sapi.dc1.example.com",
                "datacenter_name, dns_domain",
            ),
            (r#"{"sapi_domain":"sapi.dc1.example.com","datacenter_name":"x"}"#, "sapi.dc1.example.com", "sapi_domain"),
            (r#"{"sapi":{"url":"http://10.0.0.26"},"sapi_domain":"x"}"#, "http://10.0.0.26", "sapi.url"),
            (
                "# a comment\ndatacenter_name=dc1\ndns_domain='example.com'\n",
                "sapi.dc1.example.com",
                "datacenter_name, dns_domain",
            ),
            ("sapi_admin_ips=\"10.0.0.26,10.0.0.27\"\nsapi_domain=x\n", "10.0.0.26", "sapi_admin_ips"),
        ] {
            assert_eq!(sapi(text).unwrap(), (address.to_owned(), name.to_owned()), "{text}");
        }
        for text in ["", "{}", "[]", r#"{"sapi_domain":7,"dns_domain":""}"#, "datacenter_name=x", "=\n==", "\u{0}"] {
            assert!(sapi(text).unwrap_err().message().contains("does not say where SAPI is"), "{text}");
        }
    }

    #[test]
    fn no_host_is_a_file() {
        assert!(["/usbkey/config", "./config.json", "~/config", "../x"].iter().all(|typed| is_file(typed)));
        assert!(!["10.0.0.26", "sapi.dc1.example.com:80", "http://x/", "", "."].iter().any(|typed| is_file(typed)));
    }
}
