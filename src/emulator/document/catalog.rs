//! Images, packages and firewall rules.

use crate::emulator::datacenter::state::id_of;
use serde_json::{Map, Value};

use super::check::Place;
use super::names;
use super::{Build, fields_of, is_true, or, text};
use crate::emulator::datacenter::seed::{self, DAY, OPERATOR};
use crate::emulator::datacenter::state::{FirewallRule, Image, Package, RemoteImage};
use crate::emulator::datacenter::{clock, fwrule};

/// When the first image was published that does not say so: 2024-01-01, in milliseconds since 1970.
const PUBLISHED: i64 = 1_704_067_200_000;

/// The states of an image.
const STATES: &[&str] = &["active", "unactivated", "disabled", "creating", "failed"];

impl Build<'_> {
    /// Images, packages, and the images of other data centers.
    pub(super) fn catalog(&mut self, [images, packages, elsewhere]: [Option<Vec<Value>>; 3]) {
        if let Some(list) = images {
            self.state.images.clear();
            let section = Place::Top.field("images");
            for (at, value) in list.into_iter().enumerate() {
                if let Some(image) = self.image(fields_of(value), &section.entry(at)) {
                    self.state.images.push(image);
                }
            }
        }
        if let Some(list) = packages {
            self.state.packages.clear();
            let section = Place::Top.field("packages");
            for (at, value) in list.into_iter().enumerate() {
                if let Some(package) = self.package(fields_of(value), &section.entry(at)) {
                    self.state.packages.push(package);
                }
            }
        }
        if let Some(list) = elsewhere {
            self.state.elsewhere = self.each("elsewhere", list, |build, value, place| {
                let mut fields = fields_of(value);
                let datacenter = build.needed(&fields, "datacenter", place)?;
                let image = fields_of(fields.remove("image").unwrap_or_default());
                Some(RemoteImage { datacenter, image: build.image(image, &place.field("image"))? })
            });
        }
    }

    /// An image. Without an owner it is the operator's, and for all.
    fn image(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Image> {
        let name = self.needed(&fields, "name", place)?;
        let path = match text(&fields, "version") {
            Some(version) => format!("images/{name}@{version}"),
            None => format!("images/{name}"),
        };
        let images = std::mem::take(&mut self.state.images);
        self.name(&mut fields, &path, place, |id| images.iter().any(|image| image.id == id));
        if let Some(meant) = text(&fields, "origin").filter(|origin| !origin.is_empty()).map(str::to_owned) {
            let origin = self.id_of("image before this one", &names::images(&images), &meant, &place.field("origin"));
            fields.insert("origin".to_owned(), origin.unwrap_or_default().into());
        }
        self.state.images = images;
        self.one_of(&fields, "state", STATES, place);
        let public = !fields.contains_key("owner");
        or(&mut fields, "public", public);
        // The operator is no account of most documents.
        let owner = if text(&fields, "owner") == Some(OPERATOR) { None } else { fields.remove("owner") };
        if let Some(owner) = owner {
            fields.insert("owner".to_owned(), owner);
            self.owner(&mut fields, place, OPERATOR);
        }
        if let Some(Value::Array(list)) = fields.get_mut("acl") {
            let named = names::accounts(&self.state.accounts);
            for (at, account) in list.iter_mut().enumerate() {
                match names::find("account", &named, account.as_str().unwrap_or_default()) {
                    Ok(id) => *account = id.into(),
                    Err(_) if self.kept => {}
                    Err(words) => self.faults.add(&place.field("acl").entry(at), words),
                }
            }
        }
        if self.kept {
            return self.typed(Value::Object(fields), place);
        }
        let linux = |kind: &str| kind != "zone-dataset";
        let os = text(&fields, "os").map(str::to_owned);
        let os =
            os.unwrap_or_else(|| if text(&fields, "type").is_some_and(linux) { "linux" } else { "smartos" }.to_owned());
        let kind = text(&fields, "type").unwrap_or(if os == "smartos" { "zone-dataset" } else { "zvol" }).to_owned();
        if !["zone-dataset", "lx-dataset", "zvol", "docker", "lxd", "other"].contains(&kind.as_str()) {
            let words = format!("no type \"{}\"; there is zone-dataset, lx-dataset, zvol", names::shown(&kind));
            self.faults.add(&place.field("type"), words);
        }
        let version = text(&fields, "version").unwrap_or("1.0.0");
        // Each is newer than those before it: so the last of a name is the newest.
        let place_in_list = i64::try_from(self.state.images.len()).unwrap_or_default();
        let published = clock::iso(PUBLISHED + place_in_list.saturating_mul(DAY));
        let mut image = seed::image("", &name, version, &os, &kind, &published);
        image.image_size = (kind == "zvol").then_some(10_240);
        self.over(&image, fields, place)
    }

    fn package(&mut self, mut fields: Map<String, Value>, place: &Place<'_>) -> Option<Package> {
        let name = self.needed(&fields, "name", place)?;
        let path = match text(&fields, "version") {
            Some(version) => format!("packages/{name}@{version}"),
            None => format!("packages/{name}"),
        };
        let packages = std::mem::take(&mut self.state.packages);
        self.name(&mut fields, &path, place, |id| packages.iter().any(|package| package.id == id));
        self.state.packages = packages;
        self.owners(&mut fields, "owners", place);
        if self.kept {
            return self.typed(Value::Object(fields), place);
        }
        let number = |name: &str| fields.get(name).and_then(Value::as_u64);
        let memory = number("memory").unwrap_or(1024);
        for (name, least) in [("memory", 1), ("disk", 1), ("vcpus", 1)] {
            if number(name).is_some_and(|number| number < least || number > 1 << 40) {
                self.faults.add(&place.field(name), "must be more than 0, and no more than 2^40");
            }
        }
        let group = name.split_once('-').map_or("", |(group, _)| group);
        let disk = number("disk").unwrap_or(memory.saturating_mul(25));
        let mut package = seed::package("", &name, memory.min(1 << 40), disk, 1, group);
        package.swap = memory.saturating_mul(4);
        self.over(&package, fields, place)
    }

    /// A thing with these fields in the place of its own.
    fn over<T>(&mut self, thing: &T, fields: Map<String, Value>, place: &Place<'_>) -> Option<T>
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let mut all = fields_of(serde_json::to_value(thing).unwrap_or_default());
        all.extend(fields);
        self.typed(Value::Object(all), place)
    }

    /// Refuses a word that is not one of these.
    pub(super) fn one_of(&mut self, fields: &Map<String, Value>, name: &str, words: &[&str], place: &Place<'_>) {
        if let Some(word) = text(fields, name).filter(|word| !words.contains(word) && !self.kept) {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let known = names::known(word, &words);
            self.faults.add(&place.field(name), format!("no {name} \"{}\"; {known}", names::shown(word)));
        }
    }

    /// A rule of the account's, or of all.
    pub(super) fn firewall_rule(&mut self, value: Value, place: &Place<'_>) -> Option<FirewallRule> {
        let mut fields = fields_of(value);
        let given = self.needed(&fields, "rule", place)?;
        let rule = match fwrule::parse(&given) {
            Ok(rule) => rule.to_string(),
            Err(words) => {
                self.faults.add(&place.field("rule"), words);
                return None;
            }
        };
        let first = if is_true(&fields, "global") { String::new() } else { self.first() };
        let owner = self.owner(&mut fields, place, &first);
        let login = self.login(&owner);
        or(&mut fields, "id", id_of(&format!("firewall_rules/{login}/{rule}")));
        fields.insert("rule".to_owned(), rule.into());
        or(&mut fields, "enabled", true);
        self.typed(Value::Object(fields), place)
    }
}
