//! Updates of VMs: what their fields change, and what the audit log calls them. The fields have the names of VMAPI's
//! payload, in which pairs that are set and removed have names of their own.

use serde_json::{Map, Value};

use super::super::state::{Package, State, Vm, Work};

/// The three sets of pairs, and how the payload says which are set and removed.
const PAIRS: &[(&str, &str)] = &[
    ("set_customer_metadata", "remove_customer_metadata"),
    ("set_internal_metadata", "remove_internal_metadata"),
    ("set_tags", "remove_tags"),
];

/// What the audit log calls an update of these fields.
pub(super) fn audited(fields: &Map<String, Value>) -> &'static str {
    let has = |name: &str| fields.contains_key(name);
    match fields.get("indestructible_zoneroot") {
        _ if subtask(fields) == "rename" => "rename",
        _ if subtask(fields) == "resize" => "resize",
        _ if has("set_customer_metadata") && has("remove_customer_metadata") => "replace_metadata",
        Some(Value::Bool(true)) => "enable_deletion_protection",
        Some(Value::Bool(false)) => "disable_deletion_protection",
        _ if has("set_tags") && has("remove_tags") => "replace_tags",
        _ if has("remove_customer_metadata") => "remove_metadata",
        _ if has("set_customer_metadata") => "set_metadata",
        _ if has("remove_tags") => "remove_tags",
        _ if has("set_tags") => "set_tags",
        _ => "unknown",
    }
}

/// Tags of which Docker keeps hold: after a VM was made they can be neither set nor removed.
pub(crate) fn is_dockers(name: &str) -> bool {
    let Some(label) = name.strip_prefix("docker:label:") else { return name == "sdc_docker" };
    let mut parts = label.split('.');
    match parts.next() {
        Some("triton") => parts.next().is_some(),
        Some("com" | "io" | "org") => {
            matches!(parts.next(), Some("docker" | "dockerproject")) && parts.next().is_some()
        }
        _ => false,
    }
}

impl State {
    /// Whether an active VM of this owner, other than `own`, has this alias, or will have it by a job.
    pub(crate) fn is_taken(&self, owner: &str, alias: &str, own: Option<&str>) -> bool {
        let others = self.vms.iter().filter(|vm| vm.is_active() && own != Some(vm.uuid.as_str()));
        let takes = |vm: &Vm| {
            let mut name = (vm.owner_uuid.as_str(), vm.alias.as_str());
            let mut taken = name == (owner, alias);
            for job in self.jobs.iter().filter(|job| job.vm_uuid == vm.uuid) {
                match &job.work {
                    Work::Rename { name: next } => name.1 = next,
                    Work::Update { fields } => {
                        let text = |field: &str| fields.get(field).and_then(Value::as_str);
                        name = (text("new_owner_uuid").unwrap_or(name.0), text("alias").unwrap_or(name.1));
                    }
                    _ => {}
                }
                taken |= name == (owner, alias);
            }
            taken
        };
        others.into_iter().any(takes)
    }
}

/// What kind of update it is, as its job says.
pub(crate) fn subtask(fields: &Map<String, Value>) -> &'static str {
    let has = |names: &[&str]| names.iter().any(|name| fields.contains_key(*name));
    if has(&["billing_id", "ram", "max_physical_memory"]) {
        "resize"
    } else if has(&["new_owner_uuid", "owner_uuid"]) {
        "change_owner"
    } else if has(&["alias"]) {
        "rename"
    } else if PAIRS.iter().any(|(set, remove)| has(&[set, remove])) {
        "metadata"
    } else {
        ""
    }
}

/// Changes a VM.
pub(super) fn apply(vm: &mut Vm, fields: &Map<String, Value>, package: Option<&Package>) {
    if let Some(package) = package {
        vm.fit(package);
    }
    for (name, value) in fields {
        set(vm, name, value);
    }
}

fn set(vm: &mut Vm, name: &str, value: &Value) {
    let text = || value.as_str().unwrap_or_default().to_owned();
    if let Some((set, _)) = PAIRS.iter().find(|(set, remove)| [*set, *remove].contains(&name)) {
        let pairs = match *set {
            "set_customer_metadata" => &mut vm.customer_metadata,
            "set_internal_metadata" => &mut vm.internal_metadata,
            _ => &mut vm.tags,
        };
        match value {
            Value::Object(more) => pairs.extend(more.clone()),
            Value::Array(names) => pairs.retain(|name, _| !names.iter().any(|removed| removed == name)),
            _ => {}
        }
        return;
    }
    match name {
        "alias" => vm.alias = text(),
        "new_owner_uuid" | "owner_uuid" => vm.owner_uuid = text(),
        // The package's sizes came with it.
        "billing_id" => vm.billing_id = text(),
        "ram" | "max_physical_memory" => vm.ram = value.as_u64().unwrap_or(vm.ram),
        "quota" => vm.quota = value.as_u64().map_or(vm.quota, |gib| gib.saturating_mul(1024)),
        "firewall_enabled" => vm.firewall_enabled = value == &Value::Bool(true),
        "update_disks" => value.as_array().into_iter().flatten().for_each(|change| resize(vm, change)),
        "indestructible_zoneroot" => vm.indestructible_zoneroot = value == &Value::Bool(true),
        _ => drop(vm.more.insert(name.to_owned(), value.clone())),
    }
}

/// The index of the disk that a change names by its PCI slot or its path.
pub(crate) fn disk_at(vm: &Vm, change: &Value) -> Option<usize> {
    let text = |name: &str| change.get(name).and_then(Value::as_str);
    let (slot, path) = (text("pci_slot"), text("path"));
    (0..vm.disks.len()).find(|at| {
        slot.is_some_and(|slot| vm.slot(*at) == slot)
            || path.is_some_and(|path| path == format!("/dev/zvol/rdsk/{}", vm.volume(*at)))
    })
}

/// Resizes a disk as a change says.
fn resize(vm: &mut Vm, change: &Value) {
    let at = disk_at(vm, change);
    let disk = at.and_then(|at| vm.disks.get_mut(at));
    if let (Some(disk), Some(size)) = (disk, change.get("size").and_then(Value::as_u64)) {
        disk.size = size;
    }
}

/// The number in an interface's name: 1 of `net1`.
pub(crate) fn number_of(interface: &Value) -> Option<usize> {
    interface.as_str()?.strip_prefix("net")?.parse().ok()
}

/// Changes interfaces, by their hardware addresses.
pub(super) fn nics(vm: &mut Vm, changes: &Map<String, Value>) {
    for (mac, change) in changes {
        let Some(change) = change.as_object() else { continue };
        let primary = change.get("primary") == Some(&Value::Bool(true));
        for nic in &mut vm.nics {
            if nic.mac == *mac {
                nic.primary |= primary;
                let rest = change.iter().filter(|(name, _)| !matches!(name.as_str(), "primary" | "mac" | "interface"));
                nic.more.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
            } else if primary {
                nic.primary = false;
            }
        }
    }
    // The number in a name is the interface's position.
    let place = |mac: &str| changes.get(mac).and_then(|change| number_of(change.get("interface")?));
    if changes.keys().any(|mac| place(mac).is_some()) {
        vm.nics.sort_by_key(|nic| place(&nic.mac).unwrap_or(usize::MAX));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_audit_log_calls_an_update_by_what_it_changes() {
        for (update, action) in [
            (json!({ "alias": "web" }), "rename"),
            (json!({ "ram": 512 }), "resize"),
            (json!({ "billing_id": "p", "cpu_cap": 100 }), "resize"),
            (json!({ "set_tags": {}, "remove_tags": [] }), "replace_tags"),
            (json!({ "set_customer_metadata": {}, "remove_customer_metadata": [] }), "replace_metadata"),
            (json!({ "remove_customer_metadata": ["a"] }), "remove_metadata"),
            (json!({ "set_tags": {} }), "set_tags"),
            (json!({ "indestructible_zoneroot": false }), "disable_deletion_protection"),
            (json!({ "quota": 20 }), "unknown"),
            (json!({ "set_internal_metadata": {} }), "unknown"),
        ] {
            assert_eq!(audited(&fields(update.clone())), action, "{update}");
        }
    }

    #[test]
    fn pairs_are_merged_and_removed_and_other_fields_are_kept_by_their_names() {
        let mut vm = Vm { tags: fields(json!({ "a": 1, "b": 2 })), ..Vm::default() };
        let update =
            json!({ "set_tags": { "a": 3 }, "remove_tags": ["b"], "cpu_cap": 200, "quota": 20, "alias": "web" });
        apply(&mut vm, &fields(update), None);
        assert_eq!((Value::Object(vm.tags), vm.quota, vm.alias.as_str()), (json!({ "a": 3 }), 20_480, "web"));
        assert_eq!(vm.more["cpu_cap"], 200);
    }
}
