//! Machines: each is made as CreateMachine makes one, and then has the time that brings it into its state.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use hyper::HeaderMap;
use serde_json::{Map, Value, json};

use super::check::{Place, refused};
use super::names::{self, Named};
use super::{Build, fields_of, networks, or, text};
use crate::emulator::cloudapi::call::Call;
use crate::emulator::cloudapi::handlers::create::{self, Wanted};
use crate::emulator::cloudapi::handlers::machines::view_of_feed;
use crate::emulator::cloudapi::version;
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::changes::Changes;
use crate::emulator::datacenter::clock::{Clock, Pace};
use crate::emulator::datacenter::seed::DAY;
use crate::emulator::datacenter::state::{Planned, State, Vm, Work, id_of, internal_state};
use crate::emulator::http::head::Head;

/// How many machines a document may have made, each of which is compared with the others.
const MOST: usize = 2000;

/// The states that a document can ask for.
const STATES: &[&str] =
    &["running", "stopped", "provisioning", "failed", "stopping", "deleted", "offline", "ready", "unknown"];

/// Fields of a whole machine: one with an `id` and any of these. Each comes with where a made machine gets it from.
const WHOLE: &[(&str, &str)] = &[
    ("memory", "comes with its package: package: NAME, of packages with this memory"),
    ("disk", "comes with its package: package: NAME, of packages with this disk"),
    ("nics", "come with its networks: networks: [NAME]"),
];

/// What is left to the machine that was made.
const KEPT: &[&str] =
    &["booted", "docker", "credentials", "snapshots", "audit", "compute_node", "internal_metadata", "more"];

/// For one whose image needs a password where none is given.
const PASSWORD: &str = "3xample-pw";

/// A machine of a document.
enum Part {
    Whole(Box<Vm>),
    Recipe(Box<Recipe>),
}

/// What a document says of a machine that is to be made.
struct Recipe {
    id: String,
    owner: String,
    state: String,
    created: i64,
    updated: Option<i64>,
    networks: Option<Wanted>,
    params: Map<String, Value>,
    /// Fields that it has besides.
    more: Map<String, Value>,
    brand: Option<String>,
}

impl Build<'_> {
    /// Vms, in the place of the base's.
    pub(super) fn machines(&mut self, list: Vec<Value>) {
        self.state.vms = Vec::new().into();
        let section = Place::Top.field("machines");
        let own = |value: &Value| WHOLE.iter().any(|(name, _)| value.get(name).is_some());
        let whole = |value: &Value| value.get("id").is_some() && own(value);
        let (count, many) = (list.len(), list.iter().filter(|value| !whole(value)).count());
        if many > MOST {
            self.faults.add(&section, format!("more than {MOST} to make: --machines N makes many that are all alike"));
            return;
        }
        let mut parts = Vec::new();
        for (at, value) in list.into_iter().enumerate() {
            let place = section.entry(at);
            let part = match whole(&value) {
                true => self.whole(fields_of(value), &place).map(|machine| Part::Whole(Box::new(machine))),
                false => self.recipe(fields_of(value), count - at, &place).map(|recipe| Part::Recipe(Box::new(recipe))),
            };
            parts.extend(part.map(|part| (at, part)));
        }
        // What is made of things that are wrong is wrong in ways that mean nothing.
        if !self.faults.is_empty() {
            return;
        }
        let aside = self.set_aside(parts.iter().map(|(_, part)| part));
        let (images, packages) = (self.state.images.clone(), self.state.packages.clone());
        // Machines may be of what could still be had when they were made.
        for image in self.state.images.iter_mut().filter(|image| image.state == "disabled") {
            "active".clone_into(&mut image.state);
        }
        self.state.packages.iter_mut().for_each(|package| package.inactive = false);
        let cloud = Clouds::new();
        for (at, part) in parts {
            match part {
                Part::Whole(machine) => self.state.vms.push(*machine),
                Part::Recipe(recipe) => self.make(&cloud, *recipe, &section.entry(at)),
            }
        }
        (self.state.images, self.state.packages) = (images, packages);
        self.give_back(&aside);
    }

    /// One of which nothing is left out.
    fn whole(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Vm> {
        if fields.contains_key("networks") {
            self.faults.add(&place.field("networks"), "a machine has either nics or networks");
        }
        let id = self.needed(&fields, "id", place)?;
        if !self.made.insert(id) {
            self.faults.add(&place.field("id"), "another machine has it");
        }
        let first = self.first();
        let owner = self.owner(&mut fields, place, &first);
        if !self.kept {
            self.meant(&mut fields, &owner, place)?;
        }
        self.typed(Value::Object(fields), place)
    }

    /// Puts ids in the place of the names of a whole machine's image, package and networks.
    fn meant(&mut self, fields: &mut Map<String, Value>, owner: &str, place: &Place<'_>) -> Option<()> {
        let (image, package) = (self.needed(fields, "image", place)?, self.needed(fields, "package", place)?);
        self.one_of(fields, "state", STATES, place);
        let images = names::images(&self.state.images);
        let packages = names::packages(&self.state.packages);
        let found = [
            ("image", names::find("image", &images, &image).map(str::to_owned)),
            ("package", names::find("package", &packages, &package).map(str::to_owned)),
        ];
        for (name, found) in found {
            match found {
                Ok(id) => drop(fields.insert(name.to_owned(), id.into())),
                Err(words) => self.faults.add(&place.field(name), words),
            }
        }
        let networks = names::networks(&self.state.networks, owner);
        let place = place.field("nics");
        let nics = fields.get_mut("nics").and_then(Value::as_array_mut);
        for (at, nic) in nics.into_iter().flatten().enumerate() {
            let place = place.entry(at);
            match names::find("network", &networks, nic.get("network").and_then(Value::as_str).unwrap_or_default()) {
                Ok(id) => drop(nic.as_object_mut().map(|nic| nic.insert("network".to_owned(), id.into()))),
                Err(words) => self.faults.add(&place.field("network"), words),
            }
        }
        Some(())
    }

    fn recipe(&mut self, mut fields: Map<String, Value>, behind: usize, place: &Place<'_>) -> Option<Recipe> {
        for (name, why) in WHOLE.iter().filter(|(name, _)| fields.contains_key(*name)) {
            self.faults.add(&place.field(name), *why);
        }
        let name = self.needed(&fields, "name", place)?;
        let first = self.first();
        let owner = self.owner(&mut fields, place, &first);
        self.one_of(&fields, "state", STATES, place);
        let state = text(&fields, "state").unwrap_or("running").to_owned();
        let path = format!("machines/{}/{name}", self.login(&owner));
        let made = std::mem::take(&mut self.made);
        self.name(&mut fields, &path, place, |id| made.contains(id));
        self.made = made;
        let id = text(&fields, "id").unwrap_or_default().to_owned();
        self.made.insert(id.clone());
        let time = |name: &str| fields.get(name).and_then(Value::as_i64);
        let age = if state == "provisioning" { 0 } else { DAY };
        let in_order = self.now - age - 1000 * i64::try_from(behind).unwrap_or_default();
        let created = time("created").unwrap_or(in_order);
        if created > self.now {
            self.faults.add(&place.field("created"), "lies in the future");
        }
        let mut params = Map::new();
        params.insert("name".to_owned(), name.into());
        self.image_and_package(&fields, &mut params, place);
        for (group, prefix) in [("tags", "tag."), ("metadata", "metadata.")] {
            for (name, value) in fields.get(group).and_then(Value::as_object).into_iter().flatten() {
                params.insert(format!("{prefix}{name}"), value.clone());
            }
        }
        for name in ["firewall_enabled", "deletion_protection", "delegate_dataset", "encrypted", "disks"] {
            if let Some(value) = fields.get(name) {
                params.insert(name.to_owned(), value.clone());
            }
        }
        let brand = text(&fields, "brand").map(str::to_owned);
        if let Some(brand) = brand.as_deref().filter(|brand| matches!(*brand, "kvm" | "bhyve")) {
            params.insert("brand".to_owned(), brand.into());
        }
        let password = fields.get("credentials").and_then(|all| all.get("administrator")).cloned();
        params.insert("administrator_pw".to_owned(), password.unwrap_or_else(|| PASSWORD.into()));
        self.mounts(&fields, &owner, &mut params, place);
        let updated = time("updated");
        let networks = fields.remove("networks");
        let networks = networks.and_then(|list| self.wanted(&list, &owner, &place.field("networks")));
        let more = KEPT.iter().filter_map(|name| fields.remove_entry(*name)).collect();
        Some(Recipe { id, owner, state, created, updated, networks, params, more, brand })
    }

    /// The image and the package that are meant; by default a small machine of the newest image of the platform's own.
    fn image_and_package(&mut self, fields: &Map<String, Value>, params: &mut Map<String, Value>, place: &Place<'_>) {
        let (images, packages) = (std::mem::take(&mut self.state.images), std::mem::take(&mut self.state.packages));
        let image = match text(fields, "image") {
            Some(meant) => self.id_of("image", &names::images(&images), meant, &place.field("image")),
            None => {
                let active = |kind: &str| {
                    let fits = |image: &&_| -> bool {
                        let image: &crate::emulator::datacenter::state::Image = image;
                        image.state == "active" && image.public && (kind.is_empty() || image.kind == kind)
                    };
                    images.iter().rev().find(fits).map(|image| image.id.clone())
                };
                active("zone-dataset").or_else(|| active(""))
            }
        };
        let package = match text(fields, "package") {
            Some(meant) => self.id_of("package", &names::packages(&packages), meant, &place.field("package")),
            None => {
                let mut active = packages.iter().filter(|package| !package.inactive);
                let default = active.clone().find(|package| package.default);
                default.or_else(|| active.next()).map(|package| package.id.clone())
            }
        };
        for (name, id) in [("image", image), ("package", package)] {
            match id {
                Some(id) => drop(params.insert(name.to_owned(), id.into())),
                None if fields.contains_key(name) => {}
                None => self.faults.add(&place.field(name), "is missing, and there is none to choose"),
            }
        }
        (self.state.images, self.state.packages) = (images, packages);
    }

    /// The volumes that it mounts, as CreateMachine is asked for them.
    fn mounts(&mut self, fields: &Map<String, Value>, owner: &str, params: &mut Map<String, Value>, place: &Place<'_>) {
        let Some(list) = fields.get("volumes").and_then(Value::as_array) else { return };
        let volumes: Vec<(String, String)> = (self.state.volumes.iter().filter(|volume| volume.owner == owner))
            .map(|volume| (volume.id.clone(), volume.name.clone()))
            .collect();
        let all: Vec<Named<'_>> = volumes.iter().map(|(id, name)| Named { id, name, version: "" }).collect();
        let mut asked = Vec::new();
        let place = place.field("volumes");
        for (at, mount) in list.iter().enumerate() {
            let place = place.entry(at);
            let mount = fields_of(mount.clone());
            let (Some(meant), Some(mountpoint)) =
                (self.needed(&mount, "volume", &place), self.needed(&mount, "mountpoint", &place))
            else {
                continue;
            };
            if !mountpoint.starts_with('/') || mountpoint.trim_matches('/').is_empty() {
                self.faults.add(&place.field("mountpoint"), "must be a path from / on");
            }
            let mode = text(&mount, "mode").unwrap_or("rw");
            if !["rw", "ro"].contains(&mode) {
                self.faults.add(&place.field("mode"), "must be \"rw\" or \"ro\"");
            }
            let id = self.id_of("volume", &all, &meant, &place.field("volume"));
            if let Some((_, name)) = volumes.iter().find(|(other, _)| Some(other) == id.as_ref()) {
                asked.push(json!({ "name": name, "mountpoint": mountpoint, "mode": mode }));
            }
        }
        params.insert("volumes".to_owned(), asked.into());
    }

    /// The networks that are meant, with the addresses that are wanted on them.
    fn wanted(&mut self, list: &Value, owner: &str, place: &Place<'_>) -> Option<Wanted> {
        let mut wanted = Wanted::new();
        for (at, entry) in list.as_array()?.iter().enumerate() {
            let place = place.entry(at);
            let entry = match entry {
                Value::String(name) => fields_of(json!({ "network": name })),
                other => fields_of(other.clone()),
            };
            let Some(meant) = self.needed(&entry, "network", &place) else { continue };
            let pools = self.state.pools.iter().map(|pool| Named { id: &pool.id, name: &pool.name, version: "" });
            let all: Vec<Named<'_>> = pools.chain(names::networks(&self.state.networks, owner)).collect();
            let id = match names::find("network", &all, &meant) {
                Ok(id) => id.to_owned(),
                Err(words) => {
                    self.faults.add(&place, words);
                    continue;
                }
            };
            if wanted.iter().any(|(other, _)| *other == id) {
                self.faults.add(&place, "the machine is on this network already");
            }
            let network = self.state.networks.iter().find(|network| network.id == id);
            let ip = match (text(&entry, "ip"), network) {
                (None, _) => None,
                (Some(_), None) => {
                    self.faults.add(&place.field("ip"), "a pool gives addresses itself: name one of its networks");
                    None
                }
                (Some(ip), Some(network)) => match networks::address(network, ip) {
                    Ok(ip) => Some(ip),
                    Err(words) => {
                        self.faults.add(&place.field("ip"), words);
                        None
                    }
                },
            };
            wanted.push((id, ip));
        }
        Some(wanted)
    }

    /// Keeps the addresses that are asked for from those who take any. Returns what must be given back.
    fn set_aside<'a>(&mut self, parts: impl Iterator<Item = &'a Part>) -> HashMap<String, Vec<Ipv4Addr>> {
        let mut aside: HashMap<String, Vec<Ipv4Addr>> = HashMap::new();
        if self.kept {
            return aside;
        }
        let wanted = parts.flat_map(|part| -> Vec<(String, Ipv4Addr)> {
            match part {
                Part::Whole(machine) => {
                    machine.nics.iter().filter_map(|nic| Some((nic.network.clone(), nic.ip.parse().ok()?))).collect()
                }
                Part::Recipe(recipe) => {
                    let all = recipe.networks.iter().flatten();
                    all.filter_map(|(id, ip)| Some((id.clone(), (*ip)?))).collect()
                }
            }
        });
        for (id, ip) in wanted {
            let network = self.state.networks.iter_mut().find(|network| network.id == id);
            let Some(network) = network.filter(|network| !network.records.contains_key(&ip)) else { continue };
            network.records.entry(ip).or_default().reserved = true;
            aside.entry(id).or_default().push(ip);
        }
        aside
    }

    fn give_back(&mut self, aside: &HashMap<String, Vec<Ipv4Addr>>) {
        for network in &mut self.state.networks {
            for ip in aside.get(&network.id).into_iter().flatten() {
                network.records.remove(ip);
            }
        }
    }

    /// Makes a machine, and lets it live until it is in its state.
    fn make(&mut self, cloud: &Clouds, recipe: Recipe, place: &Place<'_>) {
        let making = matches!(recipe.state.as_str(), "provisioning");
        // One that was made a moment ago would not run yet.
        let began = if making { self.now } else { recipe.created.min(self.now - 60_000) };
        let id = recipe.id.clone();
        let mut call = Call {
            cloud: &cloud.cloud,
            state: &mut self.state,
            head: &cloud.head,
            now: began,
            account: recipe.owner.clone(),
            params: recipe.params.clone(),
            given: recipe.params.clone(),
            version: version::ALL.last().copied().unwrap_or(version::Version(9, 0, 0)),
            caller: json!({ "type": "operator" }),
            fails: (recipe.state == "failed").then(Planned::default),
            routes: &[],
        };
        let networks = recipe.networks.as_ref();
        let on = |call: &Call<'_>| networks.cloned().map_or_else(|| create::default_networks(call), Ok);
        call.params.insert("allow_shared_images".to_owned(), true.into());
        if let Err(refusal) = create::make(&mut call, id.clone(), on) {
            return self.faults.add(place, refused(&refusal));
        }
        if !making {
            self.state.catch_up(self.now);
        }
        let gone = recipe.updated.unwrap_or(began + 20_000).min(self.now - 2000);
        let more = match recipe.state.as_str() {
            "stopped" => Some((began + 20_000, Work::Stop)),
            "stopping" => Some((self.now, Work::Stop)),
            "deleted" => Some((gone, Work::Destroy)),
            _ => None,
        };
        if let Some((at, work)) = more {
            self.state.plan(at, &id, work, json!({ "type": "operator" }), None);
        }
        if !making && recipe.state != "stopping" {
            self.state.catch_up(self.now);
        }
        self.finish(&id, recipe, place);
    }

    /// What CreateMachine does not ask for.
    fn finish(&mut self, id: &str, recipe: Recipe, place: &Place<'_>) {
        let Some(machine) = self.state.vms.get(id).cloned() else { return };
        if let Some(brand) = recipe.brand.filter(|brand| *brand != machine.brand) {
            let words =
                format!("\"{}\" is not \"{}\", which image and package make it", names::shown(&brand), machine.brand);
            self.faults.add(&place.field("brand"), words);
        }
        for name in recipe.params.keys().filter_map(|name| name.strip_prefix("metadata.")) {
            if !machine.customer_metadata.contains_key(name) {
                self.faults.add(&place.field("metadata").field(name), "cannot be the name of metadata");
            }
        }
        let mut fields = fields_of(serde_json::to_value(&machine).unwrap_or_default());
        fields.extend(recipe.more);
        if let Some(Value::Array(snapshots)) = fields.get_mut("snapshots") {
            for snapshot in snapshots.iter_mut().filter_map(Value::as_object_mut) {
                or(snapshot, "state", "created");
                or(snapshot, "created", recipe.created);
            }
        }
        for (at, disk) in fields.get_mut("disks").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
            let given = recipe.params.get("disks").and_then(|disks| disks.get(at)).and_then(|disk| disk.get("id"));
            if let Some(disk) = disk.as_object_mut().filter(|_| given.is_none()) {
                disk.insert("id".to_owned(), id_of(&format!("disks/{id}/{at}")).into());
            }
        }
        // What it says of its past is all of it.
        if fields.contains_key("audit") {
            self.state.history.retain(|job| job.vm_uuid != id);
        }
        let Some(changed) = self.typed::<Vm>(Value::Object(fields), place) else { return };
        let Some(machine) = self.state.vms.get_mut(id) else { return };
        *machine = changed;
        machine.create_timestamp = recipe.created;
        machine.last_modified = recipe.updated.unwrap_or(machine.last_modified.max(recipe.created));
        if matches!(recipe.state.as_str(), "offline" | "ready" | "unknown") {
            internal_state(&recipe.state).clone_into(&mut machine.state);
        }
    }
}

/// What a call has of the world around it, of which making a machine uses nothing.
struct Clouds {
    cloud: Arc<DataCenter>,
    head: Head,
}

impl Clouds {
    fn new() -> Clouds {
        let clock = Clock::new(Pace::Stepped, 0, 0);
        let cloud = Arc::new(DataCenter::new(State::default(), clock, Changes::new(view_of_feed), None, None));
        Clouds { cloud, head: Head { method: "POST".to_owned(), target: String::new(), headers: HeaderMap::new() } }
    }
}
