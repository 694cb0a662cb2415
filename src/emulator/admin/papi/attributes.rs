//! The attributes of packages: what they are called, what they hold, and which of them stay as they were made.

use serde_json::{Map, Value, json};

use super::super::call::is_lower_uuid;
use super::Fault;
use crate::emulator::datacenter::clock::iso;
use crate::emulator::datacenter::state::{BRANDS, Package};

/// What an attribute holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Flag,
    Uuid,
    Whole,
    Float,
    Object,
    Uuids,
    Objects,
}

/// An attribute.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    holds: Holds,
    required: bool,
    /// Stays as it was made, unless that is forced.
    pub(super) fixed: bool,
    /// Lists can be narrowed by it.
    pub(super) indexed: bool,
}

const fn plain(name: &'static str, holds: Holds) -> Attribute {
    Attribute { name, holds, required: false, fixed: false, indexed: true }
}

/// One that stays as it was made.
const fn fixed(name: &'static str, holds: Holds) -> Attribute {
    Attribute { fixed: true, ..plain(name, holds) }
}

/// One that there must be, and that stays as it was made.
const fn needed(name: &'static str, holds: Holds) -> Attribute {
    Attribute { required: true, ..fixed(name, holds) }
}

const fn unindexed(name: &'static str, holds: Holds) -> Attribute {
    Attribute { indexed: false, ..plain(name, holds) }
}

/// All of them, by their names, which is the order of mistakes.
pub(super) static ATTRIBUTES: &[Attribute] = &[
    Attribute { required: true, ..plain("active", Holds::Flag) },
    unindexed("alloc_server_spread", Holds::Text),
    plain("billing_tag", Holds::Text),
    plain("brand", Holds::Text),
    plain("common_name", Holds::Text),
    plain("cpu_burst_ratio", Holds::Float),
    needed("cpu_cap", Holds::Whole),
    unindexed("default", Holds::Flag),
    plain("description", Holds::Text),
    unindexed("disks", Holds::Objects),
    plain("flexible_disk", Holds::Flag),
    plain("fss", Holds::Whole),
    plain("group", Holds::Text),
    needed("max_lwps", Holds::Whole),
    needed("max_physical_memory", Holds::Whole),
    needed("max_swap", Holds::Whole),
    unindexed("min_platform", Holds::Object),
    needed("name", Holds::Text),
    plain("networks", Holds::Uuids),
    fixed("os", Holds::Text),
    plain("owner_uuids", Holds::Uuids),
    plain("parent", Holds::Text),
    needed("quota", Holds::Whole),
    plain("ram_ratio", Holds::Float),
    unindexed("traits", Holds::Object),
    fixed("uuid", Holds::Uuid),
    fixed("vcpus", Holds::Whole),
    needed("version", Holds::Text),
    needed("zfs_io_priority", Holds::Whole),
    // Set here, and taken from nobody.
    plain("created_at", Holds::Text),
    plain("updated_at", Holds::Text),
];

const SPREADS: &[&str] = &["min-ram", "random", "min-owner"];
const NAME: &str =
    r"must match /^[a-zA-Z0-9]([a-zA-Z0-9_\-.]+)?[a-zA-Z0-9]$/ and not contain repeated '-', '_' or '.' characters";

/// What has priority where nothing is said, in units of PAPI.
const IO_PRIORITY: u64 = 100;

/// A package's attributes.
pub(super) fn to_fields(package: &Package) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    put("uuid", package.id.clone().into());
    put("name", package.name.clone().into());
    put("version", package.version.clone().into());
    put("active", (!package.inactive).into());
    put("max_physical_memory", package.memory.into());
    put("max_swap", package.swap.into());
    put("quota", package.disk.into());
    put("max_lwps", package.lwps.into());
    put("zfs_io_priority", package.zfs_io_priority.unwrap_or(IO_PRIORITY).into());
    put("cpu_cap", package.cap().into());
    if package.vcpus > 0 {
        put("vcpus", package.vcpus.into());
    }
    if let Some(fss) = package.fss {
        put("fss", fss.into());
    }
    for (name, text) in [("brand", &package.brand), ("group", &package.group), ("description", &package.description)] {
        if !text.is_empty() {
            put(name, text.clone().into());
        }
    }
    put("default", package.default.into());
    if !package.owners.is_empty() {
        put("owner_uuids", json!(package.owners));
    }
    if !package.traits.is_empty() {
        put("traits", Value::Object(package.traits.clone()));
    }
    if let Some(flexible) = package.flexible_disk {
        put("flexible_disk", flexible.into());
    }
    if !package.disks.is_empty() {
        put("disks", package.disks.clone().into());
    }
    for (name, value) in &package.more {
        put(name, value.clone());
    }
    put("created_at", iso(package.created).into());
    put("updated_at", iso(package.updated).into());
    fields
}

/// The attributes that a package keeps by themselves; the rest it keeps as they are.
const OWN: &[&str] = &[
    "active",
    "brand",
    "cpu_cap",
    "created_at",
    "default",
    "description",
    "disks",
    "flexible_disk",
    "fss",
    "group",
    "max_lwps",
    "max_physical_memory",
    "max_swap",
    "name",
    "owner_uuids",
    "quota",
    "traits",
    "updated_at",
    "uuid",
    "vcpus",
    "version",
    "zfs_io_priority",
];

/// The package that has these attributes.
pub(super) fn from_fields(fields: &Map<String, Value>) -> Package {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| fields.get(name).and_then(Value::as_u64);
    let flag = |name: &str| fields.get(name).and_then(Value::as_bool);
    let list = |name: &str| fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let more = fields.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    Package {
        id: text("uuid"),
        name: text("name"),
        version: text("version"),
        memory: number("max_physical_memory").unwrap_or(0),
        disk: number("quota").unwrap_or(0),
        swap: number("max_swap").unwrap_or(0),
        lwps: number("max_lwps").unwrap_or(0),
        vcpus: number("vcpus").unwrap_or(0),
        group: text("group"),
        description: text("description"),
        default: flag("default") == Some(true),
        brand: text("brand"),
        flexible_disk: flag("flexible_disk"),
        disks: list("disks"),
        traits: fields.get("traits").and_then(Value::as_object).cloned().unwrap_or_default(),
        cpu_cap: number("cpu_cap"),
        zfs_io_priority: number("zfs_io_priority"),
        fss: number("fss"),
        owners: list("owner_uuids").iter().filter_map(|owner| owner.as_str().map(str::to_owned)).collect(),
        more: more.map(|(name, value)| (name.clone(), value.clone())).collect(),
        created: 0,
        updated: 0,
        inactive: flag("active") == Some(false),
    }
}

/// What is wrong with a value, by what it should hold.
fn mistake(holds: Holds, value: &Value) -> Option<&'static str> {
    let all = |fits: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(fits));
    let words = match holds {
        Holds::Text if !value.is_string() => "must be string",
        Holds::Text | Holds::Uuid if value.as_str() == Some("") => "is empty",
        Holds::Flag if !value.is_boolean() => "must be boolean",
        Holds::Uuid if !value.as_str().is_some_and(is_lower_uuid) => "must be UUID",
        Holds::Whole if !(value.is_u64() || value.is_i64()) => "must be integer",
        Holds::Float if !value.is_number() => "must be float",
        Holds::Object if !value.is_object() => "must be a hash",
        Holds::Uuids | Holds::Objects if !value.is_array() => "must be an array",
        Holds::Uuids if !all(|one| one.as_str().is_some_and(is_lower_uuid)) => "must only contain UUIDs",
        Holds::Objects if !all(Value::is_object) => "must only contain hashes",
        _ => return None,
    };
    Some(words)
}

/// What is wrong with the attributes of a package, in the order of their names.
pub(super) fn check(fields: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for one in ATTRIBUTES {
        let mut add = |code: &'static str, message: &str| {
            faults.push(Fault { field: one.name.to_owned(), code, message: message.to_owned() });
        };
        match fields.get(one.name) {
            None if one.required => add("Missing", "is missing"),
            None => {}
            Some(value) => match mistake(one.holds, value) {
                Some(words) => add("Invalid", words),
                None => beyond(one.name, value, fields).iter().for_each(|words| add("Invalid", words)),
            },
        }
    }
    faults
}

/// What is wrong with a value of the right kind.
fn beyond(name: &str, value: &Value, fields: &Map<String, Value>) -> Vec<String> {
    let number = value.as_i64().unwrap_or(i64::MAX);
    let text = value.as_str().unwrap_or_default();
    let mut wrong: Vec<String> = Vec::new();
    let mut at_least = |least: i64| {
        if number < least {
            wrong.push(format!("must be greater or equal to {least}"));
        }
    };
    match name {
        "max_physical_memory" => at_least(64),
        "max_swap" => {
            at_least(128);
            let memory = fields.get("max_physical_memory").and_then(Value::as_i64);
            if memory.is_some_and(|memory| number < memory) {
                wrong.push("cannot be less than max_physical_memory".to_owned());
            }
        }
        "quota" => {
            at_least(1024);
            if number % 1024 != 0 {
                wrong.push("must be a multiple of 1024".to_owned());
            }
        }
        "max_lwps" => at_least(250),
        "cpu_cap" => at_least(20),
        "zfs_io_priority" | "vcpus" => {
            let (least, most) = if name == "vcpus" { (1, 64) } else { (0, 16_383) };
            at_least(least);
            if number > most {
                wrong.push(format!("must be less or equal to {most}"));
            }
        }
        "name" if !is_name(text) => wrong.push(NAME.to_owned()),
        "brand" if !BRANDS.contains(&text) => wrong.push(format!("must be one of: {}", BRANDS.join(", "))),
        "alloc_server_spread" if !SPREADS.contains(&text) => {
            wrong.push(format!("must be one of: {}", SPREADS.join(", ")));
        }
        "disks" if fields.get("flexible_disk") != Some(&Value::Bool(true)) => {
            wrong.push("disks can be specified only for flexible_disk packages".to_owned());
        }
        _ => {}
    }
    wrong
}

/// Whether a name is one: letters and digits, with single signs between them.
fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let sign = |byte: u8| matches!(byte, b'_' | b'-' | b'.');
    let ends = [bytes.first(), bytes.last()].into_iter().flatten().all(u8::is_ascii_alphanumeric);
    let known = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || sign(*byte));
    bytes.len() > 1 && ends && known && !bytes.windows(2).any(|pair| pair.iter().all(|byte| sign(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_the_same_after_it_was_written_as_attributes_and_read() {
        let package = Package {
            id: "9e8d7c6b-5a49-4838-b726-1504f3e2d1c0".to_owned(),
            name: "flex".to_owned(),
            version: "1.0.0".to_owned(),
            memory: 1024,
            swap: 4096,
            disk: 25_600,
            lwps: 4000,
            vcpus: 2,
            brand: "bhyve".to_owned(),
            flexible_disk: Some(true),
            disks: vec![json!({}), json!({ "size": 1024 })],
            cpu_cap: Some(200),
            zfs_io_priority: Some(10),
            fss: Some(8),
            owners: vec!["5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f".to_owned()],
            more: [("common_name".to_owned(), Value::from("Flexible"))].into_iter().collect(),
            inactive: true,
            ..Package::default()
        };
        let fields = to_fields(&package);
        assert!(check(&fields).is_empty());
        assert_eq!(serde_json::to_value(from_fields(&fields)).unwrap(), serde_json::to_value(&package).unwrap());
    }

    #[test]
    fn a_name_is_letters_and_digits_with_single_signs_between_them() {
        for (name, is) in
            [("ab", true), ("g1.small-1_x", true), ("x", false), ("a--b", false), ("-ab", false), ("a b", false)]
        {
            assert_eq!(is_name(name), is, "{name}");
        }
    }
}
