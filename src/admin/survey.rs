//! What SAPI and VMAPI tell of the services: which instances each has, where they may be, and which of them are gone.
//! Pure: the answers come from whoever asks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Service;

/// States of a VM behind which no service answers any more, or nobody knows whether one does.
const SILENT: &[&str] = &["destroyed", "failed", UNHEARD, FORGOTTEN];
/// Those of them that are final.
const GONE: &[&str] = &["destroyed", "failed", FORGOTTEN];
/// The state of a VM on a server that is not heard from.
const UNHEARD: &str = "unknown";
/// What stands for the state of a VM of which VMAPI has no record.
pub const FORGOTTEN: &str = "not known to VMAPI";

/// An instance of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its id, which is that of its VM.
    pub uuid: String,
    /// Its alias, such as `vmapi0`; its id where it has none.
    pub alias: String,
    /// The address that SAPI has for it.
    pub told: Option<String>,
    /// The address of its VM on the admin network.
    pub nic: Option<String>,
    /// The state of its VM, where that is known; [`FORGOTTEN`] where VMAPI has no such VM and SAPI no address.
    pub state: Option<String>,
    /// The server of its VM.
    pub server: Option<String>,
    /// Whether VMAPI has a record of its VM.
    pub recorded: bool,
}

impl Instance {
    /// Whether its VM is in a state in which it need not be asked.
    pub fn is_silent(&self) -> bool {
        self.state.as_deref().is_some_and(|state| SILENT.contains(&state))
    }

    /// Whether its VM was destroyed or has failed.
    pub fn is_gone(&self) -> bool {
        self.state.as_deref().is_some_and(|state| GONE.contains(&state))
    }

    /// Whether its VM is on a server that is not heard from.
    pub fn is_unheard(&self) -> bool {
        self.state.as_deref() == Some(UNHEARD)
    }

    /// The number at the end of its alias, by which instances are sorted.
    fn number(&self) -> u64 {
        let digits = self.alias.len() - self.alias.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        self.alias[self.alias.len() - digits..].parse().unwrap_or(0)
    }
}

/// A service and all that may be its address.
#[derive(Clone, Debug)]
pub struct Found {
    /// The service.
    pub service: &'static Service,
    /// Its instances, in the order of their numbers.
    pub instances: Vec<Instance>,
    /// Addresses of the time when it was installed.
    pub installed: Vec<String>,
    /// Its name in the DNS.
    pub domain: Option<String>,
}

/// Where a service may be, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// `ADDRESS[:PORT]`.
    pub address: String,
    /// How it is known.
    pub how: String,
    /// The alias of the instance that has it; empty for one of the service.
    pub instance: String,
}

/// What was told of a data center.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The services that were asked about.
    pub services: Vec<Found>,
    /// The names of other services that have instances in zones of their own, and no ping that is known here.
    pub others: Vec<String>,
}

fn name(service: &Service) -> String {
    service.name.to_ascii_lowercase()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

impl Survey {
    /// Reads the answers of SAPI: applications of the name `sdc`, services, instances.
    pub fn read(all: &[&'static Service], applications: &[Value], services: &[Value], instances: &[Value]) -> Survey {
        // A list need not have been filtered.
        let application = applications.iter().find(|one| text(one, "/name") == Some("sdc"));
        let metadata = |key: &str| application.and_then(|one| one.get("metadata")?.get(key)?.as_str());
        let of_center = metadata("datacenter_name").zip(metadata("dns_domain"));
        let found = |service: &&'static Service| {
            let name = name(service);
            let own = services.iter().filter(|one| text(one, "/name") == Some(name.as_str()));
            let ids: Vec<&str> = own.filter_map(|one| text(one, "/uuid")).collect();
            let is_own = |one: &&Value| text(one, "/service_uuid").is_some_and(|id| ids.contains(&id));
            let instance = |one: &Value| {
                let uuid = text(one, "/uuid")?.to_owned();
                let alias = text(one, "/params/alias").unwrap_or(&uuid).to_owned();
                let told = text(one, "/metadata/ADMIN_IP").map(str::to_owned);
                let server = text(one, "/params/server_uuid").map(str::to_owned);
                Some(Instance { uuid, alias, told, server, ..Instance::default() })
            };
            let mut instances: Vec<Instance> = instances.iter().filter(is_own).filter_map(instance).collect();
            instances.sort_by(|a, b| (a.number(), &a.alias).cmp(&(b.number(), &b.alias)));
            let installed = metadata(&format!("{name}_admin_ips")).unwrap_or_default().split(',').map(str::trim);
            let named = metadata(&format!("{name}_domain")).map(str::to_owned);
            Found {
                service,
                instances,
                installed: installed.filter(|ip| !ip.is_empty()).map(str::to_owned).collect(),
                domain: named.or_else(|| of_center.map(|(center, domain)| format!("{name}.{center}.{domain}"))),
            }
        };
        let has_zones = |id: &str| {
            let own = instances.iter().filter(|one| text(one, "/service_uuid") == Some(id));
            own.into_iter().any(|one| text(one, "/type").is_none_or(|kind| kind == "vm"))
        };
        let others = services.iter().filter(|one| text(one, "/type").is_none_or(|kind| kind == "vm"));
        let others =
            others.filter(|one| text(one, "/uuid").is_some_and(has_zones)).filter_map(|one| text(one, "/name"));
        let known = |other: &&str| all.iter().any(|service| name(service) == *other);
        let mut others: Vec<String> = others.filter(|other| !known(other)).map(str::to_owned).collect();
        others.sort_unstable();
        others.dedup();
        Survey { services: all.iter().map(found).collect(), others }
    }

    /// The ids of all instances, which are those of their VMs.
    pub fn vms(&self) -> Vec<&str> {
        self.services.iter().flat_map(|found| &found.instances).map(|instance| instance.uuid.as_str()).collect()
    }

    /// Reads what VMAPI tells of the instances: the states of their VMs, and their addresses on the admin network.
    pub fn add_vms(&mut self, vms: &[Value]) {
        let by_id: BTreeMap<&str, &Value> = vms.iter().filter_map(|vm| Some((text(vm, "/uuid")?, vm))).collect();
        for instance in self.services.iter_mut().flat_map(|found| &mut found.instances) {
            let Some(vm) = by_id.get(instance.uuid.as_str()) else {
                // An address of its own may still be right.
                instance.state = instance.told.is_none().then(|| FORGOTTEN.to_owned());
                continue;
            };
            instance.recorded = true;
            instance.state = text(vm, "/state").map(str::to_owned);
            instance.server = text(vm, "/server_uuid").map(str::to_owned).or(instance.server.take());
            let nics = vm.get("nics").and_then(Value::as_array).into_iter().flatten();
            let admin = |nic: &&Value| {
                text(nic, "/nic_tag").is_some_and(|tag| tag == "admin" || tag.starts_with("admin_rack_"))
            };
            let address = nics.filter(admin).find_map(|nic| text(nic, "/ip")).filter(|ip| *ip != "dhcp");
            instance.nic = address.map(str::to_owned);
        }
    }
}

impl Found {
    /// Whether it runs anywhere. SAPI knows services too that nobody has set up.
    pub fn is_installed(&self) -> bool {
        !self.instances.is_empty() || !self.installed.is_empty()
    }

    /// Where it may be, in the order in which that is tried; the name in the DNS is not among them.
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        let mut add = |address: &str, how: String, instance: &str| {
            if all.iter().all(|known| known.address != address) {
                all.push(Candidate { address: address.to_owned(), how, instance: instance.to_owned() });
            }
        };
        for one in self.instances.iter().filter(|one| !one.is_silent()) {
            if let Some(address) = &one.told {
                add(address, format!("ADMIN_IP of {}", one.alias), &one.alias);
            }
        }
        // An address of one that is gone may be another's by now.
        let silent = |address: &str| {
            self.instances
                .iter()
                .any(|one| one.is_silent() && [&one.told, &one.nic].into_iter().flatten().any(|ip| ip == address))
        };
        for address in self.installed.iter().filter(|address| !silent(address)) {
            add(address, format!("{}_admin_ips", name(self.service)), "");
        }
        for one in self.instances.iter().filter(|one| !one.is_silent()) {
            if let Some(address) = &one.nic {
                add(address, format!("admin NIC of {}", one.alias), &one.alias);
            }
        }
        all
    }

    /// The instances that are passed over, in words.
    pub fn silent(&self) -> Vec<String> {
        let silent = self.instances.iter().filter(|one| one.is_silent());
        silent.map(|one| format!("{}: its VM is {}", one.alias, one.state.as_deref().unwrap_or_default())).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::admin::{PAPI, SAPI, VMAPI};

    fn survey() -> Survey {
        let applications = [
            json!({"uuid":"a","name":"other","metadata":{"vmapi_admin_ips":"9.9.9.9"}}),
            json!({
            "uuid":"b","name":"sdc","metadata":{"datacenter_name":"dc1","dns_domain":"example.com","vmapi_admin_ips":"10.0.0.7, 10.0.0.8"}}),
        ];
        let services = [json!({"uuid":"s1","name":"vmapi"}), json!({"uuid":"s2","name":"sapi"})];
        let instance = |uuid: &str, alias: &str| json!({"uuid":uuid,"service_uuid":"s1","params":{"alias":alias}});
        let mut instances = vec![
            instance("i10", "vmapi10"),
            instance("i2", "vmapi2"),
            instance("i1", "vmapi1"),
            instance("i3", "vmapi3"),
            instance("i11", "vmapi11"),
        ];
        instances.push(
            json!({"uuid":"x","service_uuid":"s2","params":{"alias":"sapi0"},"metadata":{"ADMIN_IP":"10.0.0.2"}}),
        );
        Survey::read(&[&VMAPI, &SAPI, &PAPI], &applications, &services, &instances)
    }

    #[test]
    fn instances_are_in_the_order_of_their_numbers() {
        let survey = survey();
        let aliases: Vec<&str> = survey.services[0].instances.iter().map(|one| one.alias.as_str()).collect();
        assert_eq!(aliases, ["vmapi1", "vmapi2", "vmapi3", "vmapi10", "vmapi11"]);
        assert_eq!(survey.services[0].domain.as_deref(), Some("vmapi.dc1.example.com"));
        assert!(!survey.services[2].is_installed() && survey.services[2].candidates().is_empty());
    }

    #[test]
    fn those_whose_vm_is_gone_are_passed_over_and_named() {
        let mut survey = survey();
        let vm = |uuid: &str, state: &str, tag: &str, ip: &str| json!({"uuid":uuid,"state":state,"nics":[{"nic_tag":"external","ip":"1.2.3.4"},{"nic_tag":tag,"ip":ip}]});
        survey.add_vms(&[
            vm("i1", "destroyed", "admin", "10.0.0.7"),
            vm("i2", "running", "admin_rack_r1", "10.0.1.2"),
            vm("i3", "unknown", "admin", "10.0.0.9"),
            vm("i10", "running", "admin", "10.0.0.10"),
        ]);
        // Of this one VMAPI has no record, and of that one SAPI has the address.
        assert_eq!(
            (survey.services[0].silent().pop().unwrap(), survey.services[1].silent().len()),
            ("vmapi11: its VM is not known to VMAPI".to_owned(), 0)
        );
        let vmapi = &survey.services[0];
        let found: Vec<(String, String)> = vmapi.candidates().into_iter().map(|one| (one.address, one.how)).collect();
        let due = [
            ("10.0.0.8", "vmapi_admin_ips"),
            ("10.0.1.2", "admin NIC of vmapi2"),
            ("10.0.0.10", "admin NIC of vmapi10"),
        ];
        assert_eq!(found, due.map(|(address, how)| (address.to_owned(), how.to_owned())));
        assert_eq!(vmapi.silent()[..2], ["vmapi1: its VM is destroyed", "vmapi3: its VM is unknown"]);
    }

    #[test]
    fn what_sapi_tells_wrongly_is_left_out() {
        let odd = [json!(null), json!([]), json!({"name":7}), json!({"uuid":null,"service_uuid":"s1"})];
        let services = [json!({"uuid":"s1","name":"vmapi"}), json!({"uuid":{},"name":"papi"})];
        let mut survey = Survey::read(&[&VMAPI, &PAPI], &odd, &services, &odd);
        survey.add_vms(&odd);
        assert!(survey.vms().is_empty() && survey.services.iter().all(|found| !found.is_installed()));
    }
}
