//! A machine as the document that makes another one like it: what CreateMachine takes, by names where there are any. What
//! the platform keeps there for itself, and what looks like a secret, is left out and said to be.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # use sdc::emulator::{Emulator, Options, Pace};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { pace: Pace::Times(10_000.0), ..Options::default() }).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::api::cloudapi::machines::{CREATE, MACHINE};
//! use sdc::tasks::values::Folders;
//! use sdc::tasks::{document, recipe, resolve};
//!
//! let names = recipe::Names::load(&client).await?;
//! let web1 = resolve::id(&client, &MACHINE, "web1").await?;
//! let made = recipe::of(&client, &names, &web1).await?;
//! let files = Folders { folder: ".".as_ref(), home: None };
//! let args = document::arguments(&CREATE, "web1", &made.document, &files)?;
//! assert_eq!(args[0].text("package"), Some("g1-small@1.0.0"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::api::Op;
use crate::api::cloudapi::{images, machines, networks, packages, volumes};
use crate::client::Client;
use crate::error::Result;
use crate::grammar::tag;
use crate::request::Args;
use crate::sensitive;

/// What ids stand for, as far as a name means one thing alone.
pub struct Names {
    images: HashMap<String, String>,
    /// Package names with their only version.
    packages: HashMap<String, String>,
    networks: HashMap<String, String>,
    /// The ids of networks that can be asked for.
    listed: HashSet<String>,
    /// The names of the volumes that a machine uses, by its id.
    volumes: HashMap<String, Vec<String>>,
}

/// The document of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// It, as JSON.
    pub document: String,
    /// What is not in it, a line each.
    pub left_out: Vec<String>,
}

/// How a line of a document's text begins that says what is not in it.
pub const NOT_HERE: &str = "# not here: ";
/// What the service shows of no machine, so that nobody is told of it beside the document.
const UNSEEN: &str = "affinity: the service does not show it";

/// Whether whoever makes a machine without this should be told, beside what the document says.
pub fn is_told(left_out: &str) -> bool {
    left_out != UNSEEN
}

/// Tags of this program's own, which say something of one machine alone.
const OWN_TAGS: &[&str] = tag::OWN;
/// Metadata that the platform itself puts there.
const PLATFORM: &[&str] = &["root_authorized_keys", "credentials", "uuid", "owner_uuid", "administrator_pw"];

impl Names {
    /// Reads the lists of images, packages and networks.
    ///
    /// # Errors
    /// One cannot be read.
    pub async fn load(client: &Client) -> Result<Names> {
        let all = Args::new().set("state", "all");
        let (none, by_id) = (Args::new(), |row: &crate::answer::Row<'_>| row.text("/id").map(|id| id.into_owned()));
        let (images, packages, networks, volumes) = futures_util::future::join4(
            client.call(&images::LIST, &all),
            client.call(&packages::LIST, &none),
            client.call(&networks::LIST, &none),
            client.call(&volumes::LIST, &none),
        )
        .await;
        // Not every cloud has volumes, and not every user may list them.
        let (images, packages, networks) = (images?, packages?, networks?);
        let name = |row: &crate::answer::Row<'_>| row.text("/name").map(|name| name.into_owned());
        let versioned = |row: &crate::answer::Row<'_>| {
            let version = row.text("/version").filter(|version| !version.is_empty())?;
            Some(format!("{}@{version}", name(row)?))
        };
        Ok(Names {
            images: once(images.rows().filter_map(|row| Some((by_id(&row)?, versioned(&row)?)))),
            networks: once(networks.rows().filter_map(|row| Some((by_id(&row)?, name(&row)?)))),
            listed: networks.rows().filter_map(|row| by_id(&row)).collect(),
            volumes: used(volumes.as_ref().ok()),
            packages: versions(packages.rows().filter_map(|row| Some((name(&row)?, versioned(&row)?)))),
        })
    }
}

/// The names of volumes by the machines that use them.
fn used(volumes: Option<&Answer>) -> HashMap<String, Vec<String>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for row in volumes.into_iter().flat_map(Answer::rows) {
        let volume = row.value();
        let name = volume.get("name").and_then(Value::as_str).unwrap_or_default();
        let refs = volume.get("refs").and_then(Value::as_array).into_iter().flatten();
        for machine in refs.filter_map(Value::as_str) {
            all.entry(machine.to_owned()).or_default().push(name.to_owned());
        }
    }
    all
}

/// Those whose names no other one has.
fn once(pairs: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let pairs: Vec<(String, String)> = pairs.collect();
    let mut count: HashMap<&str, usize> = HashMap::new();
    pairs.iter().for_each(|(_, name)| *count.entry(name).or_default() += 1);
    pairs.iter().filter(|(_, name)| count.get(name.as_str()) == Some(&1)).cloned().collect()
}

/// The version of each name that has one alone.
fn versions(pairs: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let mut found: HashMap<String, Option<String>> = HashMap::new();
    for (name, versioned) in pairs {
        found.entry(name).and_modify(|known| *known = None).or_insert(Some(versioned));
    }
    found.into_iter().filter_map(|(name, versioned)| Some((name, versioned?))).collect()
}

/// The document of the machine with this id.
///
/// # Errors
/// It is not there, or the service did not answer.
pub async fn of(client: &Client, names: &Names, id: &str) -> Result<Recipe> {
    let request = client.request(&machines::GET, &Args::new().set("machine", id))?;
    let (response, answer) = client.answered(&machines::GET, &request).await?;
    let mut machine = answer.value();
    // A header holds them.
    let tags = response.headers.get_all("role-tag").into_iter().filter_map(|roles| roles.to_str().ok());
    let tags: Vec<&str> =
        tags.flat_map(|roles| roles.split(',')).map(str::trim).filter(|role| !role.is_empty()).collect();
    if let Some(machine) = machine.as_object_mut() {
        machine.insert("role-tag".to_owned(), json!(tags));
    }
    Ok(recipe(&machines::CREATE, &machine, names))
}

fn recipe(op: &Op, machine: &Value, names: &Names) -> Recipe {
    let text = |name: &str| machine.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let on = |name: &str| machine.get(name) == Some(&Value::Bool(true));
    let mut left_out = Vec::new();
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    if let Some(name) = text("name") {
        put("name", name.into());
    }
    let disks = machine.get("disks").and_then(Value::as_array);
    // A machine with a boot disk of its own has its image there, and may show none.
    let boot = disks.and_then(|disks| disks.first()?.get("image")?.as_str());
    match text("image").filter(|id| id.bytes().any(|byte| byte != b'0' && byte != b'-')).or(boot) {
        Some(id) => put("image", names.images.get(id).map_or(id, String::as_str).into()),
        None => left_out.push("image: the service shows none".to_owned()),
    }
    match text("package") {
        Some(name) => put("package", names.packages.get(name).map_or(name, String::as_str).into()),
        None => left_out.push("package: the service shows none".to_owned()),
    }
    let ids = machine.get("networks").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
    match ids.iter().find(|id| !names.listed.contains(**id)) {
        // A machine of a pool is on one of its networks, which no list has and nobody can ask for.
        Some(hidden) => left_out.push(format!(
            "networks: {hidden} is in no list, as those of a pool are: it takes the usual ones; or name the pool"
        )),
        None if ids.is_empty() => {}
        None => {
            let called = |id: &&str| names.networks.get(*id).map_or(*id, String::as_str).into();
            put("networks", ids.iter().map(called).collect::<Vec<Value>>().into());
        }
    }
    if let Some(brand) = text("brand").filter(|brand| matches!(*brand, "bhyve" | "kvm")) {
        put("brand", brand.into());
    }
    for name in ["firewall_enabled", "deletion_protection", "delegate_dataset", "encrypted"] {
        if on(name) && op.fields.iter().any(|field| field.name == name) {
            put(name, true.into());
        }
    }
    // Elsewhere the package says what disks there are.
    if let Some(disks) = disks.filter(|_| on("flexible")) {
        put("disks", disks.iter().enumerate().map(|(at, disk)| sized(at, disk)).collect());
    }
    let of = |name: &str| machine.get(name).and_then(Value::as_object).into_iter().flatten();
    let tags: Map<String, Value> = of("tags")
        .filter(|(name, _)| !OWN_TAGS.contains(&name.as_str()) && !is_docker(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if !tags.is_empty() {
        put("tags", tags.into());
    }
    if let Some(roles) = machine.get("role-tag").and_then(Value::as_array).filter(|roles| !roles.is_empty()) {
        put("role-tag", roles.clone().into());
    }
    for (name, _) in of("tags") {
        if is_docker(name) {
            left_out.push(format!("tag {name}: Docker sets it on what it makes itself"));
        } else if OWN_TAGS.contains(&name.as_str()) {
            left_out.push(format!("tag {name}: it says something of this machine alone"));
        }
    }
    let (mut metadata, mut hidden) = (Map::new(), Vec::new());
    for (name, value) in of("metadata").filter(|(name, _)| !is_platform(name)) {
        match is_secret(name, value) {
            true => hidden.push(name.clone()),
            false => drop(metadata.insert(name.clone(), value.clone())),
        }
    }
    if !metadata.is_empty() {
        put("metadata", metadata.into());
    }
    left_out.extend(hidden.into_iter().map(|name| format!("metadata {name}: it looks like a secret")));
    let volumes = text("id").and_then(|id| names.volumes.get(id)).into_iter().flatten();
    left_out.extend(volumes.map(|name| format!("volume {name}: the service does not show where it is mounted")));
    left_out.push(UNSEEN.to_owned());
    Recipe { document: Value::Object(document).to_string(), left_out }
}

/// A disk as it is asked for. The first one is the image's.
fn sized(at: usize, disk: &Value) -> Value {
    let mut made = json!({});
    for name in ["size", "block_size"].into_iter().filter(|name| at > 0 || *name == "size") {
        if let Some(value) = disk.get(name).filter(|value| value.is_number()) {
            made[name] = value.clone();
        }
    }
    made
}

fn is_docker(name: &str) -> bool {
    name == "sdc_docker" || name.starts_with("docker:")
}

fn is_platform(name: &str) -> bool {
    PLATFORM.contains(&name) || name.starts_with("sdc:") || is_docker(name)
}

fn is_secret(name: &str, value: &Value) -> bool {
    sensitive::is_secret_name(name) || value.as_str().is_some_and(sensitive::has_key_in_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_told_by_names_without_the_platforms_own_and_without_secrets() {
        let pairs = |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let names = Names {
            images: pairs(&[("i1", "base@1")]),
            packages: pairs(&[("small", "small@2")]),
            networks: pairs(&[("n1", "public")]),
            listed: HashSet::from(["n1".to_owned(), "n2".to_owned()]),
            volumes: HashMap::new(),
        };
        let machine = json!({
            "id": "m", "name": "db", "brand": "bhyve", "state": "running", "image": "i1", "package": "small",
            "networks": ["n1", "n2"], "firewall_enabled": true, "deletion_protection": false, "flexible": true,
            "disks": [{"id": "d", "size": 10240, "boot": true, "image": "i1"}, {"id": "e", "size": 5, "block_size": 512}],
            "tags": {"version": "1.10", "weight": 10, "sdc.idempotency-key": "k", "sdc.expires": "t", "sdc_docker": true},
            "role-tag": ["ops", "dev"],
            "metadata": {"root_authorized_keys": "ssh", "user-script": "#!", "db_password": "s3cret", "sdc:uuid": "u"},
        });
        let made = recipe(&machines::CREATE, &machine, &names);
        let expected = r##"{"name":"db","image":"base@1","package":"small@2","networks":["public","n2"],"brand":"bhyve","firewall_enabled":true,"disks":[{"size":10240},{"size":5,"block_size":512}],"tags":{"version":"1.10","weight":10},"role-tag":["ops","dev"],"metadata":{"user-script":"#!"}}"##;
        assert_eq!(made.document, expected);
        let left_out = [
            "tag sdc.idempotency-key: it says something of this machine alone",
            "tag sdc.expires: it says something of this machine alone",
            "tag sdc_docker: Docker sets it on what it makes itself",
            "metadata db_password: it looks like a secret",
            "affinity: the service does not show it",
        ];
        assert_eq!(made.left_out, left_out);
        let mut names = names;
        names.volumes.insert("m".to_owned(), vec!["data".to_owned()]);
        let hidden = json!({ "id": "m", "image": "i1", "package": "small", "networks": ["n1", "of-a-pool"] });
        let made = recipe(&machines::CREATE, &hidden, &names);
        assert_eq!(made.document, r#"{"image":"base@1","package":"small@2"}"#);
        assert!(made.left_out[0].starts_with("networks: of-a-pool is in no list"), "{:?}", made.left_out);
        assert!(made.left_out[1].starts_with("volume data"), "{:?}", made.left_out);
        let made = recipe(&machines::CREATE, &json!({"image": "00000000-0000"}), &names);
        assert_eq!(made.document, "{}");
        assert_eq!(made.left_out.len(), 3);
    }

    #[test]
    fn a_name_that_means_two_things_is_none() {
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert_eq!(once(pairs(&[("a", "x"), ("b", "y"), ("c", "y")]).into_iter()).len(), 1);
        assert_eq!(versions(pairs(&[("x", "x@1"), ("y", "y@1"), ("y", "y@2")]).into_iter())["x"], "x@1");
    }
}
