//! A document that says what a data center holds: one that somebody wrote for a test, with names for references and
//! defaults for all that is left out, or a file that `--state` wrote, which has the same form and leaves nothing out. It
//! is read here and nowhere else; what it means is carried out by the data center and by CloudAPI's own handlers, so that
//! a machine of a document is like any other.

mod accounts;
mod catalog;
mod check;
mod machines;
mod names;
mod networks;
mod shape;
mod strict;

use crate::emulator::datacenter::state::id_of;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::datacenter::furnish::Layout;
use super::datacenter::seed::{self, Base};
use super::datacenter::state::{FORMAT, Key, State};
use super::datacenter::store;
use crate::error::{Error, Result};
use crate::file;
use check::{Faults, Place};
use names::Named;

/// No document is longer, in bytes.
pub const MAX_LEN: u64 = 64 << 20;

/// What a new emulator starts with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Seed {
    /// An account that looks lived in.
    #[default]
    Demo,
    /// The account and its key, images, packages and networks, but no machine.
    Empty,
    /// Like [`Seed::Empty`], with this many machines, all alike.
    Machines(usize),
    /// A data center with the ids that the tests of `sdcadmin` are configured with.
    Sdcadmin,
    /// Like [`Seed::Demo`]; of its internal services some zones have gone, failed or been forgotten over years.
    Grown,
    /// Data of one's own.
    Document(Document),
}

/// Data of one's own, as JSON of the form `sdc-emulator/1`. docs/guide/testing.md describes it; what `--state` writes
/// has this form too. It is checked when an emulator starts with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What errors call it, such as the file's name.
    pub name: String,
    /// The JSON.
    pub text: Vec<u8>,
    /// The folder from which the paths of public keys begin.
    pub folder: PathBuf,
}

impl Document {
    /// Reads a file; the paths in it begin in its folder.
    ///
    /// # Errors
    /// It cannot be read, or is longer than 64 MiB.
    pub fn read(path: &Path) -> Result<Document> {
        let name = path.display().to_string();
        let text =
            file::read(path, MAX_LEN).map_err(|error| Error::usage(format!("cannot read {name}")).because(error))?;
        Ok(Document { name, text, folder: path.parent().unwrap_or(Path::new("")).to_owned() })
    }

    /// Takes this JSON; the paths in it begin in the current folder.
    pub fn json(text: impl Into<Vec<u8>>) -> Document {
        Document { name: "the seed".to_owned(), text: text.into(), folder: PathBuf::new() }
    }
}

impl From<Document> for Seed {
    fn from(document: Document) -> Seed {
        Seed::Document(document)
    }
}

/// What a new cloud holds at this time. Accounts and users to which a document gives no keys have this one.
///
/// # Errors
/// A usage error that names each mistake of the document by its place.
pub(crate) fn state(seed: &Seed, now: i64, own: &Key) -> Result<State> {
    let base = match seed {
        Seed::Demo | Seed::Grown => Base::Demo,
        Seed::Empty => Base::Empty,
        Seed::Machines(count) => Base::Machines(*count),
        Seed::Sdcadmin => Base::Sdcadmin,
        Seed::Document(document) => return read(document, now, own),
    };
    Ok(seed::state(base, now))
}

/// Which zones the internal services have.
pub(crate) fn layout(seed: &Seed) -> Layout {
    match seed {
        Seed::Sdcadmin => Layout::Single,
        Seed::Grown => Layout::Grown,
        _ => Layout::Usual,
    }
}

fn read(document: &Document, now: i64, own: &Key) -> Result<State> {
    if document.text.len() as u64 > MAX_LEN {
        return Err(Error::usage(format!("{} is longer than {MAX_LEN} bytes", document.name)));
    }
    let other = |words: &str| Error::usage(format!("{}: {words}", document.name));
    let Value::Object(mut fields) = strict::read(&document.text).map_err(|words| other(&words))? else {
        return Err(other("this is not an object").hint(format!("it begins with {{\"format\": \"{FORMAT}\"")));
    };
    match fields.get("format") {
        Some(Value::String(format)) if format == FORMAT => {}
        Some(Value::String(format)) => return Err(store::unknown_format(&document.name, format)),
        Some(_) => return Err(other("format: must be text").hint(format!("\"format\": \"{FORMAT}\""))),
        None => return Err(other("format: is missing").hint(format!("\"format\": \"{FORMAT}\""))),
    }
    let mut faults = Faults::default();
    check::object(&mut fields, &shape::DOCUMENT, &Place::Top, &mut faults);
    if !faults.is_empty() {
        return Err(mistakes(&document.name, &faults));
    }
    let kept = fields.get("now").and_then(Value::as_i64).is_some_and(|now| now > 0);
    let base = base(&fields, &mut faults);
    let mut build =
        Build { state: seed::state(base, now), faults, kept, now, own, folder: &document.folder, made: HashSet::new() };
    build.all(fields);
    build.state.enter_past();
    if !build.kept {
        build.name_jobs();
    }
    if build.faults.is_empty() { Ok(build.state) } else { Err(mistakes(&document.name, &build.faults)) }
}

fn mistakes(name: &str, faults: &Faults) -> Error {
    let lines = faults.lines();
    match lines.as_slice() {
        [one] => Error::usage(format!("{name}: {one}")),
        several => {
            Error::usage(format!("{name} has {} mistakes:\n  {}", several.len(), several.join("\n  "))).laid_out()
        }
    }
}

/// What the sections hold that the document leaves out.
fn base(fields: &Map<String, Value>, faults: &mut Faults) -> Base {
    let extends = Place::Top.field("extends");
    match fields.get("extends").and_then(Value::as_str) {
        None | Some("empty") => return Base::Empty,
        Some("demo") => {}
        Some(other) => {
            faults.add(&extends, format!("must be \"empty\" or \"demo\", not \"{}\"", names::shown(other)));
            return Base::Empty;
        }
    }
    for (section, needs) in [("machines", &["images", "packages", "networks"][..]), ("volumes", &["networks"])] {
        for need in needs.iter().filter(|need| fields.contains_key(**need) && !fields.contains_key(section)) {
            let words = format!("the {section} of the demo are on its {need}, which the file replaces");
            faults.add(&extends, format!("{words}: give {section} too, or leave {need} out"));
        }
    }
    Base::Demo
}

/// A state in the making.
struct Build<'a> {
    state: State,
    faults: Faults,
    /// It is what `--state` wrote: whole, and consistent with things that are gone by now.
    kept: bool,
    now: i64,
    own: &'a Key,
    folder: &'a Path,
    /// The ids of the machines so far.
    made: HashSet<String>,
}

impl Build<'_> {
    /// Puts each section in the place of the base's, in an order in which names are known before they are used.
    fn all(&mut self, mut fields: Map<String, Value>) {
        let mut list = |name: &str| match fields.remove(name) {
            Some(Value::Array(list)) => Some(list),
            _ => None,
        };
        let accounts = list("accounts");
        let networks = [list("networks"), list("vlans"), list("pools")];
        let catalog = [list("images"), list("packages"), list("elsewhere")];
        let [rules, volumes, machines] = [list("firewall_rules"), list("volumes"), list("machines")];
        let [migrations, jobs, history] = [list("migrations"), list("jobs"), list("history")];
        self.accounts(accounts);
        self.networks(networks);
        self.default_networks();
        self.catalog(catalog);
        if let Some(list) = rules {
            self.state.firewall_rules = self.each("firewall_rules", list, Build::firewall_rule);
        }
        if let Some(list) = volumes {
            self.volumes(list);
        }
        if let Some(list) = jobs {
            self.state.jobs = self.each("jobs", list, |build, value, place| build.typed(value, place));
        }
        if let Some(list) = history {
            self.state.history = self.each("history", list, |build, value, place| build.typed(value, place));
        }
        if let Some(list) = migrations {
            self.state.migrations = self.each("migrations", list, |build, value, place| build.typed(value, place));
        }
        if let Some(list) = machines {
            self.machines(list);
        }
        self.rest(fields);
    }

    /// Gives jobs ids that are the same in every run.
    fn name_jobs(&mut self) {
        for (number, job) in self.state.jobs.iter_mut().chain(&mut self.state.history).enumerate() {
            job.uuid = id_of(&format!("jobs/{}/{number}", job.vm_uuid));
        }
    }

    /// What is not a list.
    fn rest(&mut self, mut fields: Map<String, Value>) {
        if let Some(Value::Bool(off)) = fields.remove("fabrics_off") {
            self.state.fabrics_off = off;
        }
        if let Some(now) = fields.remove("now").and_then(|now| now.as_i64()) {
            self.state.now = now;
        }
        if let Some(Value::String(name)) = fields.remove("datacenter") {
            self.state.datacenter = name;
        }
        if let Some(Value::Object(urls)) = fields.remove("datacenters") {
            self.state.datacenters = urls;
        }
        if let Some(Value::Object(urls)) = fields.remove("services") {
            self.state.services = urls;
        }
        let switches = fields.remove("switches");
        if let Some(switches) = switches.and_then(|value| self.typed(value, &Place::Top.field("switches"))) {
            self.state.switches = switches;
        }
        let operators = fields.remove("operators");
        if let Some(operators) = operators.and_then(|value| self.typed(value, &Place::Top.field("operators"))) {
            self.state.operators = operators;
        }
    }

    /// The entries of a section, each made by the same function.
    fn each<T>(
        &mut self,
        section: &str,
        list: Vec<Value>,
        make: impl Fn(&mut Self, Value, &Place<'_>) -> Option<T>,
    ) -> Vec<T> {
        let section = Place::Top.field(section);
        let made = list.into_iter().enumerate().map(|(at, value)| make(self, value, &section.entry(at)));
        made.flatten().collect()
    }

    /// A value as what it stands for, when nothing is left out that has no default.
    fn typed<T: DeserializeOwned>(&mut self, value: Value, place: &Place<'_>) -> Option<T> {
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(error) => {
                let said = error.to_string();
                let field = |begin: &str| said.strip_prefix(begin)?.split('`').next().map(names::shown);
                match (field("missing field `"), field("unknown field `")) {
                    (Some(name), _) => self.faults.add(&place.field(&name), "is missing"),
                    (None, Some(name)) => self.faults.add(&place.field(&name), "there is no such field"),
                    (None, None) => self.faults.add(place, file::json_fault(&error)),
                }
                None
            }
        }
    }

    /// A text that must be there.
    fn needed(&mut self, fields: &Map<String, Value>, name: &str, place: &Place<'_>) -> Option<String> {
        match text(fields, name) {
            Some(text) if !text.is_empty() => return Some(text.to_owned()),
            Some(_) => self.faults.add(&place.field(name), "must not be empty"),
            None => self.faults.add(&place.field(name), "is missing"),
        }
        None
    }

    /// The id of what a text means. What `--state` wrote may mean things that are gone.
    fn id_of(&mut self, what: &str, things: &[Named<'_>], meant: &str, place: &Place<'_>) -> Option<String> {
        match names::find(what, things, meant) {
            Ok(id) => Some(id.to_owned()),
            Err(_) if self.kept => Some(meant.to_owned()),
            Err(words) => {
                self.faults.add(place, words);
                None
            }
        }
    }

    /// Gives a thing the id of its path, unless it has one. Things of the same path are numbered.
    fn name(&mut self, fields: &mut Map<String, Value>, path: &str, place: &Place<'_>, taken: impl Fn(&str) -> bool) {
        if let Some(id) = text(fields, "id") {
            if taken(id) {
                let words = format!("there is another one of the id {}", names::shown(id));
                self.faults.add(&place.field("id"), words);
            }
            return;
        }
        let numbered = (2..).map(|number: u32| id_of(&format!("{path}#{number}")));
        let id = std::iter::once(id_of(path)).chain(numbered).find(|id| !taken(id)).unwrap_or_default();
        fields.insert("id".to_owned(), id.into());
    }

    /// Puts the id of the owner in the place of their login; without one it is this default.
    fn owner(&mut self, fields: &mut Map<String, Value>, place: &Place<'_>, default: &str) -> String {
        let owner = match text(fields, "owner").map(str::to_owned) {
            Some(owner) if owner.is_empty() => owner,
            Some(owner) => {
                let accounts = std::mem::take(&mut self.state.accounts);
                let found = self.id_of("account", &names::accounts(&accounts), &owner, &place.field("owner"));
                self.state.accounts = accounts;
                found.unwrap_or_default()
            }
            None => default.to_owned(),
        };
        fields.insert("owner".to_owned(), owner.clone().into());
        owner
    }

    /// Puts the ids of accounts in the place of the logins in a list.
    fn owners(&mut self, fields: &mut Map<String, Value>, name: &str, place: &Place<'_>) {
        let Some(Value::Array(list)) = fields.get_mut(name) else { return };
        let accounts = std::mem::take(&mut self.state.accounts);
        for (at, owner) in list.iter_mut().enumerate() {
            let meant = owner.as_str().unwrap_or_default().to_owned();
            // The operator is no account of most documents.
            if meant != seed::OPERATOR {
                let place = place.field(name);
                let found = self.id_of("account", &names::accounts(&accounts), &meant, &place.entry(at));
                *owner = found.unwrap_or_default().into();
            }
        }
        self.state.accounts = accounts;
    }

    /// The id of the account that the emulator's client is.
    fn first(&self) -> String {
        self.state.accounts.first().map(|account| account.id.clone()).unwrap_or_default()
    }

    /// The login of an account.
    fn login(&self, id: &str) -> String {
        self.state.account(id).map_or(id, |account| account.login.as_str()).to_owned()
    }
}

/// A field that is text.
fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

/// A field that is true.
fn is_true(fields: &Map<String, Value>, name: &str) -> bool {
    fields.get(name) == Some(&Value::Bool(true))
}

/// Puts this into a field that is left out.
fn or(fields: &mut Map<String, Value>, name: &str, default: impl Into<Value>) {
    if !fields.contains_key(name) {
        fields.insert(name.to_owned(), default.into());
    }
}

/// The fields of an entry; those of one that was refused are none.
fn fields_of(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
