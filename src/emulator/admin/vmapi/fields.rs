//! The fields of a VM: which ones a list can show and sort by, which ones an update can change, and their types.

use serde_json::{Map, Value};

use super::super::call::Call;
use crate::emulator::http::params;

/// The fields that a list can be told to show.
pub(super) const LISTED: &[&str] = &[
    "alias",
    "autoboot",
    "billing_id",
    "brand",
    "cpu_cap",
    "cpu_shares",
    "cpu_type",
    "customer_metadata",
    "delegate_dataset",
    "disk_driver",
    "dns_domain",
    "docker",
    "do_not_inventory",
    "firewall_enabled",
    "firewall_rules",
    "fs_allowed",
    "hostname",
    "indestructible_delegated",
    "indestructible_zoneroot",
    "init_name",
    "internal_metadata",
    "kernel_version",
    "last_modified",
    "limit_priv",
    "locality",
    "maintain_resolvers",
    "max_locked_memory",
    "max_lwps",
    "max_physical_memory",
    "max_swap",
    "mdata_exec_timeout",
    "networks",
    "nic_driver",
    "overprovision_cpu",
    "overprovision_memory",
    "overprovision_storage",
    "owner_uuid",
    "package_name",
    "package_version",
    "quota",
    "ram",
    "resolvers",
    "server_uuid",
    "state",
    "tags",
    "tmpfs",
    "uuid",
    "vcpus",
    "volumes",
    "zfs_data_compression",
    "zfs_io_priority",
    "zfs_snapshot_limit",
    "zlog_max_size",
    "zone_state",
];

/// The fields that a list can be sorted by.
pub(super) const SORTED: &[&str] = &[
    "uuid",
    "owner_uuid",
    "image_uuid",
    "billing_id",
    "server_uuid",
    "tags",
    "brand",
    "state",
    "alias",
    "max_physical_memory",
    "create_timestamp",
    "docker",
];

/// The fields that an update can change; it drops all others.
pub(super) const CHANGED: &[&str] = &[
    "alias",
    "autoboot",
    "billing_id",
    "cpu_cap",
    "cpu_shares",
    "do_not_inventory",
    "firewall_enabled",
    "fs_allowed",
    "indestructible_delegated",
    "indestructible_zoneroot",
    "limit_priv",
    "maintain_resolvers",
    "max_locked_memory",
    "max_lwps",
    "max_physical_memory",
    "max_swap",
    "package_name",
    "package_version",
    "quota",
    "ram",
    "resolvers",
    "tags",
    "tmpfs",
    "zfs_data_compression",
    "zfs_io_priority",
    "zfs_snapshot_limit",
    "zlog_max_size",
    "customer_metadata",
    "internal_metadata",
    "new_owner_uuid",
    "update_disks",
];

/// Fields whose values are truth values.
const FLAGS: &[&str] = &[
    "autoboot",
    "delegate_dataset",
    "do_not_inventory",
    "docker",
    "firewall_enabled",
    "indestructible_delegated",
    "indestructible_zoneroot",
    "maintain_resolvers",
];

/// Fields whose values are numbers.
const NUMBERS: &[&str] = &[
    "cpu_cap",
    "cpu_shares",
    "max_locked_memory",
    "max_lwps",
    "max_physical_memory",
    "max_swap",
    "mdata_exec_timeout",
    "quota",
    "ram",
    "tmpfs",
    "vcpus",
    "zfs_io_priority",
    "zfs_snapshot_limit",
    "zlog_max_size",
];

/// Fields whose values are text.
const TEXTS: &[&str] = &[
    "alias",
    "billing_id",
    "cpu_type",
    "dns_domain",
    "fs_allowed",
    "hostname",
    "init_name",
    "kernel_version",
    "limit_priv",
    "new_owner_uuid",
    "package_name",
    "package_version",
    "zfs_data_compression",
];

/// The fields with pairs, each with the names that a payload has for the pairs to set and to remove.
pub(super) const PAIRS: &[(&str, (&str, &str))] = &[
    ("customer_metadata", ("set_customer_metadata", "remove_customer_metadata")),
    ("internal_metadata", ("set_internal_metadata", "remove_internal_metadata")),
    ("tags", ("set_tags", "remove_tags")),
];

/// The largest number that JavaScript represents exactly.
const MOST: u64 = (1 << 53) - 1;

/// A parameter as JSON, if it has a value. Forms carry it as text.
pub(super) fn json(call: &Call<'_>, name: &str) -> Option<Value> {
    match call.params.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))),
        other => Some(other.clone()),
    }
}

/// Converts a value to the type of its field, or returns why it cannot.
pub(super) fn typed(name: &str, value: &Value) -> Result<Value, String> {
    let wrong = || "Invalid parameter".to_owned();
    if name == "zfs_snapshot_limit" && value.is_null() {
        // It takes the limit away.
        return Ok(Value::Null);
    }
    if FLAGS.contains(&name) {
        return params::flag(value).map(Value::from).ok_or_else(wrong);
    }
    if NUMBERS.contains(&name) {
        let least = if matches!(name, "ram" | "max_physical_memory" | "mdata_exec_timeout" | "vcpus") { 1 } else { 0 };
        let number = params::text(value).and_then(|text| text.parse::<u64>().ok());
        return match number.filter(|number| (least..=MOST).contains(number)) {
            None => Err(format!("Not a valid number: number must be >= {least}")),
            Some(..256) if name == "max_swap" => Err("Cannot be less than 256".to_owned()),
            Some(number) => Ok(number.into()),
        };
    }
    match (name, value) {
        ("alias", Value::String(text)) => check_alias(text).map(|()| value.clone()),
        ("resolvers", Value::String(text)) => match serde_json::from_str(text) {
            Ok(list) => typed(name, &list),
            Err(_) => Ok(text.split(',').map(Value::from).collect()),
        },
        ("resolvers" | "filesystems", Value::Array(_)) | (_, Value::String(_)) => Ok(value.clone()),
        ("resolvers" | "filesystems", _) => Err(wrong()),
        _ if TEXTS.contains(&name) => Err("String is expected".to_owned()),
        _ => Ok(value.clone()),
    }
}

fn check_alias(text: &str) -> Result<(), String> {
    match text.len() {
        _ if !super::list::is_alias(text) => Err(super::list::ALIAS.to_owned()),
        190.. => Err("String is longer than maximum of 189 characters".to_owned()),
        _ => Ok(()),
    }
}

/// The pairs that are refused, each with its field and the reason.
pub(super) fn wrong_pairs(field: &str, pairs: &Map<String, Value>) -> Vec<(String, &'static str)> {
    let wrong = |(name, value): (&String, &Value)| {
        let words = match value {
            Value::Null | Value::Array(_) | Value::Object(_) => "Forbidden Data Type",
            _ if field == "customer_metadata" && name.ends_with("_pw") => "Forbidden Metadata Key",
            _ => return None,
        };
        Some((format!("{field}.{name}"), words))
    };
    pairs.iter().filter_map(wrong).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_has_a_value_of_its_own_type_or_is_refused() {
        for (name, value, is) in [
            ("autoboot", json!("false"), Some(json!(false))),
            ("autoboot", json!(1), None),
            ("cpu_cap", json!("150"), Some(json!(150))),
            ("cpu_cap", json!([150]), None),
            ("ram", json!(0), None),
            ("ram", json!(u64::MAX), None),
            ("quota", json!(-1), None),
            ("zfs_snapshot_limit", json!(null), Some(json!(null))),
            ("max_swap", json!(255), None),
            ("max_swap", json!(256), Some(json!(256))),
            ("alias", json!(["web"]), None),
            ("alias", json!("a b"), None),
            ("alias", json!("a".repeat(190)), None),
            ("limit_priv", json!({}), None),
            ("resolvers", json!("8.8.8.8,1.1.1.1"), Some(json!(["8.8.8.8", "1.1.1.1"]))),
            ("resolvers", json!("[\"8.8.8.8\"]"), Some(json!(["8.8.8.8"]))),
            ("resolvers", json!(8), None),
        ] {
            assert_eq!(typed(name, &value).ok(), is, "{name} {value}");
        }
    }
}
