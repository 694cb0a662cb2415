//! Where the services of a data center are: what was given, what is remembered, and what SAPI and VMAPI tell of the
//! rest. An address counts only once its service has answered there.
//!
//! At most four requests tell of all services: SAPI's applications, services and instances, and VMAPI's VMs of these.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::net::{SocketAddrV4, ToSocketAddrs};
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ping::{self, Health};
use super::survey::{Candidate, Found, Instance, Survey};
use crate::answer::Answer;
use crate::api::admin::{ALL, ANY, SAPI, VMAPI, named, sapi, vmapi};
use crate::api::{Op, Service};
use crate::client::Client;
use crate::config::cache::{Cache, TTL};
use crate::error::{Error, Hint, Kind, Result};
use crate::request::{Args, Request};
use crate::{sensitive, thread};

/// How long SAPI, and then VMAPI, may take to tell where the services are.
const LIMIT: Duration = Duration::from_secs(5);
/// After so long it is said what is waited for.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a service may take to answer a ping.
const PING: Duration = Duration::from_secs(5);
/// How long a name may take to be resolved: outside of the data center it never is.
const NAME: Duration = Duration::from_secs(1);
/// How long a remembered address may take to be connected to.
const CONNECT: Duration = Duration::from_secs(1);
/// What the cache calls the addresses.
const CACHED: &str = "services";

/// Where a service is, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its address.
    pub url: String,
    /// How it is known, in words.
    pub how: String,
}

/// The addresses that were given, by the names of the services in lower case.
#[derive(Clone, Debug, Default)]
pub struct Given {
    told: BTreeMap<String, Told>,
}

/// An address of a service as it was given. It is read when that service is asked for: a variable may be another
/// program's.
#[derive(Clone, Debug)]
struct Told {
    typed: String,
    how: String,
}

impl Told {
    fn place(&self) -> Result<Place> {
        let url = address(&self.typed).map_err(|error| error.about(&self.how))?;
        Ok(Place { url, how: self.how.clone() })
    }
}

/// The result of looking for a service.
#[derive(Clone, Debug)]
struct Sought {
    /// Where it answers, or why none of its addresses will do.
    place: std::result::Result<Place, Vec<String>>,
    /// The answer of each address.
    answers: BTreeMap<String, std::result::Result<Health, String>>,
}

/// Makes the client of a service at an address.
pub type Make<'a> = Box<dyn Fn(&'static Service, &str) -> Result<Client> + 'a>;

/// Is told what is waited for.
pub type Tell<'a> = Box<dyn Fn(&str) + 'a>;

/// The services of one data center.
pub struct Directory<'a> {
    given: Given,
    cache: Cache,
    make: Make<'a>,
    tell: Tell<'a>,
    /// What was told already.
    told: RefCell<BTreeSet<String>>,
}

/// Where a service is, as far as that was found out.
#[derive(Clone, Debug)]
pub struct Row {
    /// The service.
    pub service: &'static Service,
    /// Where it is.
    pub place: Option<Place>,
    /// Why it is not known where, and what was passed over.
    pub notes: Vec<String>,
    /// Whether it is installed at all.
    pub installed: bool,
    /// Whether it answers there.
    pub answers: bool,
}

/// How an instance is.
#[derive(Clone, Debug)]
pub struct Line {
    /// The service's name.
    pub service: &'static str,
    /// The instance's alias; empty for an address that was given.
    pub instance: String,
    /// Where it was asked.
    pub url: String,
    /// How it is.
    pub health: Health,
    /// The instance, as far as SAPI and VMAPI tell of it.
    pub of: Option<Instance>,
}

/// The URL of what was typed as `HOST[:PORT]` or as a URL.
///
/// # Errors
/// A usage error for what is neither.
pub fn address(typed: &str) -> Result<String> {
    let typed = typed.trim();
    let whole = if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") };
    let shown = || sensitive::url_end(typed);
    // Most addresses are such: what was found before is read by every command.
    if numeric(&whole).is_some() {
        return Ok(whole);
    }
    // What is behind a bare host, or before one, may hold a password, and stands in messages.
    let (_, bare) = whole.split_once("://").unwrap_or_default();
    let path = bare.split_once(['/', '\\']).unwrap_or_default().1;
    let has_path = !path.is_empty() && !typed.contains("://");
    if has_path || bare.contains(['@', '?', '#', '\\']) {
        let shown = sensitive::url_end(bare);
        let host = shown.split(['/', '\\']).next().unwrap_or_default();
        let words = format!("the address of {host} holds more than a host and its port");
        return Err(Error::usage(words).hint("HOST[:PORT]"));
    }
    let url = url::Url::parse(&whole)
        .map_err(|error| Error::usage(format!("'{}' is not an address", shown())).because(error).hint("HOST[:PORT]"))?;
    match url.scheme() {
        _ if url.host_str().is_none_or(str::is_empty) => {
            Err(Error::usage(format!("'{}' names no host", shown())).hint("HOST[:PORT]"))
        }
        "http" | "https" => Ok(whole.trim_end_matches('/').to_owned()),
        _ => Err(Error::usage(format!("'{}' is neither an http nor an https address", shown())).hint("HOST[:PORT]")),
    }
}

/// The address and the port of a URL that is no more than these, in numbers.
fn numeric(url: &str) -> Option<SocketAddrV4> {
    let bare = url.strip_prefix("http://")?;
    bare.parse().or_else(|_| bare.parse().map(|address| SocketAddrV4::new(address, 80))).ok()
}

fn lower(service: &Service) -> String {
    service.name.to_ascii_lowercase()
}

impl Given {
    /// Adds what was given for the service of this name, unless it is known already.
    ///
    /// # Errors
    /// A usage error for an unknown name; from an option, such as `--service`, also for something else than an address.
    pub fn add(&mut self, name: &str, typed: &str, how: &str) -> Result<()> {
        let Some(service) = named(name) else {
            let names: Vec<String> = ALL.iter().map(|service| lower(service)).collect();
            let words = format!("there is no service '{}'", sensitive::quoted(name));
            return Err(Error::usage(words).hint(format!("the services are {}", names.join(", "))));
        };
        let told = Told { typed: typed.to_owned(), how: how.to_owned() };
        if how.starts_with("--") {
            told.place()?;
        }
        self.told.entry(lower(service)).or_insert(told);
        Ok(())
    }

    /// Where this service is, if that was given.
    ///
    /// # Errors
    /// A usage error for something else than an address.
    pub fn place(&self, service: &Service) -> Result<Option<Place>> {
        self.told.get(&lower(service)).map(Told::place).transpose()
    }

    /// Whether an address was given for this service.
    fn has(&self, service: &Service) -> bool {
        self.told.contains_key(&lower(service))
    }
}

impl<'a> Directory<'a> {
    /// The data center of what was given. Addresses are remembered in the folder for what can be fetched again, if there
    /// is one.
    pub fn new(given: Given, folder: Option<&std::path::Path>, make: Make<'a>) -> Directory<'a> {
        let of = given.place(&SAPI).ok().flatten().map_or(String::new(), |place| place.url);
        let cache = Cache::new(folder.filter(|_| !of.is_empty()), "admin", &of);
        Directory { given, cache, make, tell: Box::new(|_| {}), told: RefCell::default() }
    }

    /// The same, and tells what takes longer than a few seconds.
    pub fn telling(self, tell: Tell<'a>) -> Directory<'a> {
        Directory { tell, ..self }
    }

    /// What comes of asking a service at an address, if that takes no longer than this. Once it is late, that is told.
    async fn within<T>(&self, limit: Duration, whom: &str, url: &str, work: impl Future<Output = T>) -> Option<T> {
        let late = async {
            tokio::time::sleep(PATIENCE).await;
            let words = format!("waiting for {whom} at {url}, which has not answered for {PATIENCE:?}");
            if self.told.borrow_mut().insert(words.clone()) {
                (self.tell)(&words);
            }
            std::future::pending().await
        };
        tokio::select! {
            done = tokio::time::timeout(limit, work) => done.ok(),
            () = late => None,
        }
    }

    /// What was given.
    pub fn given(&self) -> &Given {
        &self.given
    }

    /// The client of a service, wherever it is.
    ///
    /// # Errors
    /// Nobody knows where it is, or nothing answers there.
    pub async fn client(&self, service: &'static Service) -> Result<Client> {
        (self.make)(service, &self.place(service).await?.url)
    }

    /// The same for what another service must not be sent: one whose address is remembered is pinged there first.
    ///
    /// # Errors
    /// As [`Directory::client`].
    pub async fn surely(&self, service: &'static Service) -> Result<Client> {
        self.has_moved(service).await;
        self.client(service).await
    }

    /// Whether another service answers by now at the address that is remembered for this one, or none does. It is
    /// forgotten then.
    pub async fn has_moved(&self, service: &'static Service) -> bool {
        let known = self.known(service).filter(|_| !self.given.has(service));
        let Some(known) = known else { return false };
        let moved = self.ask(service, &known.url).await.is_err();
        if moved {
            self.forget();
        }
        moved
    }

    /// Where a service is.
    ///
    /// # Errors
    /// As [`Directory::client`].
    pub async fn place(&self, service: &'static Service) -> Result<Place> {
        if let Some(given) = self.given.place(service)? {
            return Ok(given);
        }
        self.sapi()?;
        if let Some(known) = self.known(service)
            && is_there(&known.url).await
        {
            return Ok(known);
        }
        let rows = self.rows().await?;
        let Some(row) = rows.into_iter().find(|row| std::ptr::eq(row.service, service)) else {
            return Err(Error::other(format!("{} is none of the services", service.name)));
        };
        row.place.ok_or_else(|| lost(service, row.installed, &row.notes))
    }

    /// Forgets the addresses that are remembered.
    pub fn forget(&self) {
        self.cache.write(CACHED, b"{}");
    }

    /// Where SAPI is.
    fn sapi(&self) -> Result<Place> {
        self.given.place(&SAPI)?.ok_or_else(|| {
            Error::usage("the address of SAPI is not known, by which the other services are found")
                .hint("--sapi HOST[:PORT]")
                .hint("export SDC_SAPI_URL=http://HOST")
                .hint(Hint::run("sapi: HOST, for all or in a profile's section", "config edit"))
                .hint("of one service alone: --service vmapi=HOST[:PORT]")
        })
    }

    fn known(&self, service: &Service) -> Option<Place> {
        self.remembered().remove(&lower(service))
    }

    fn remembered(&self) -> BTreeMap<String, Place> {
        let text = self.cache.read(CACHED, TTL);
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Where all services are, after a ping of each.
    ///
    /// # Errors
    /// SAPI does not tell.
    pub async fn rows(&self) -> Result<Vec<Row>> {
        let (survey, vmapi) = self.survey().await?;
        let row = async |found: &Found| {
            let service = found.service;
            let (place, mut notes, answers) = match self.given.place(service) {
                Ok(Some(given)) => {
                    // SAPI has answered the survey already.
                    let told = std::ptr::eq(service, &SAPI);
                    let why = if told { None } else { self.ask(service, &given.url).await.err() };
                    let answers = why.is_none();
                    (Some(given), Vec::from_iter(why), answers)
                }
                Ok(None) => {
                    let sought = if std::ptr::eq(service, &VMAPI) { vmapi.clone() } else { self.first(found).await };
                    match sought.place {
                        Ok(place) => (Some(place), Vec::new(), true),
                        Err(notes) => (None, notes, false),
                    }
                }
                Err(error) => (None, vec![error.message().to_owned()], false),
            };
            notes.extend(found.silent());
            Row { service, place, notes, installed: found.is_installed(), answers }
        };
        let rows = join_all(survey.services.iter().map(row)).await;
        let found = rows.iter().filter(|row| !self.given.has(row.service));
        let places: BTreeMap<String, &Place> =
            found.filter_map(|row| Some((lower(row.service), row.place.as_ref()?))).collect();
        if let Ok(text) = serde_json::to_vec(&places) {
            self.cache.write(CACHED, &text);
        }
        Ok(rows)
    }

    /// What SAPI and VMAPI report, and the result of looking for VMAPI, without answers if its address was given.
    async fn survey(&self) -> Result<(Survey, Sought)> {
        let place = self.sapi()?;
        let sapi = (self.make)(&SAPI, &place.url)?;
        let told = async {
            let named = Args::new().set("name", "sdc");
            let none = Args::new();
            tokio::try_join!(
                rows(&sapi, &sapi::LIST_APPLICATIONS, &named),
                rows(&sapi, &sapi::LIST_SERVICES, &none),
                rows(&sapi, &sapi::LIST_INSTANCES, &none),
            )
        };
        let told = match self.within(LIMIT, "SAPI", &place.url, told).await {
            Some(Ok(told)) => told,
            Some(Err(error)) => return Err(self.no_sapi(&place, error).await),
            None => {
                let words = format!("SAPI at {} ({}) has not answered for {LIMIT:?}", place.url, place.how);
                return Err(Error::new(Kind::Unreachable, words));
            }
        };
        let mut survey = Survey::read(ALL, &told.0, &told.1, &told.2);
        let found = survey.services.iter().find(|found| std::ptr::eq(found.service, &VMAPI));
        let vmapi = match (self.given.place(&VMAPI), found) {
            (Ok(Some(given)), _) => Sought { place: Ok(given), answers: BTreeMap::new() },
            (Ok(None), Some(found)) => self.first(found).await,
            (Ok(None), None) | (Err(_), _) => Sought { place: Err(Vec::new()), answers: BTreeMap::new() },
        };
        if let (Ok(place), false) = (&vmapi.place, survey.vms().is_empty()) {
            let args = Args::new().set("uuids", survey.vms().join(","));
            let client = (self.make)(&VMAPI, &place.url)?;
            // Without it the others are known as far as SAPI tells.
            let asked = rows(&client, &vmapi::LIST, &args);
            if let Some(Ok(vms)) = self.within(LIMIT, "VMAPI", &place.url, asked).await {
                survey.add_vms(&vms);
            }
        }
        // Its first instance may be one that is gone, of whose address another has answered.
        Ok((survey, vmapi))
    }

    /// Pings every address that a service may have, and takes the first one at which it answers.
    async fn first(&self, found: &Found) -> Sought {
        let mut answers = BTreeMap::new();
        let mut notes = Vec::new();
        let candidates = found.candidates();
        let urls: Vec<String> = candidates.iter().filter_map(|one| address(&one.address).ok()).collect();
        let asked = join_all(urls.iter().map(|url| self.ask(found.service, url))).await;
        answers.extend(urls.into_iter().zip(asked));
        for one in &candidates {
            let place = Place { url: address(&one.address).unwrap_or_default(), how: one.how.clone() };
            let shown = sensitive::url_end(&one.address);
            match answers.get(&place.url) {
                Some(Ok(_)) => return Sought { place: Ok(place), answers },
                Some(Err(why)) => notes.push(format!("{shown} ({}): {why}", one.how)),
                None => notes.push(format!("{shown} ({}) is not an address", one.how)),
            }
        }
        if let Some(domain) = found.domain.as_deref().filter(|_| found.is_installed()) {
            let look = {
                let domain = domain.to_owned();
                move || (domain.as_str(), 80).to_socket_addrs()
            };
            let resolved = tokio::time::timeout(NAME, thread::beside(look)).await;
            match (resolved, address(domain)) {
                (Ok(Ok(Ok(_))), Ok(url)) => {
                    let answer = self.ask(found.service, &url).await;
                    answers.insert(url.clone(), answer.clone());
                    match answer {
                        Ok(_) => {
                            let place = Place { url, how: "its name in the DNS".to_owned() };
                            return Sought { place: Ok(place), answers };
                        }
                        Err(why) => notes.push(format!("{domain}: {why}")),
                    }
                }
                _ => notes.push(format!("{domain} does not resolve here")),
            }
        }
        Sought { place: Err(notes), answers }
    }

    /// Pings a service at an address. The error says what is there instead.
    async fn ask(&self, service: &'static Service, url: &str) -> std::result::Result<Health, String> {
        // The version of one service is refused by another.
        let client = (self.make)(&ANY, url).map_err(|error| error.message().to_owned())?;
        let request = Request::raw("GET", "/ping").map_err(|error| error.message().to_owned())?;
        match self.within(PING, service.name, url, client.once(&request)).await {
            Some(Ok(answer)) => ping::read(service.name, answer.status, &answer.body),
            Some(Err(error)) => Err(error.message().to_owned()),
            None => Err(format!("it has not answered for {PING:?}")),
        }
    }

    /// The error of a SAPI that does not tell what it should.
    async fn no_sapi(&self, place: &Place, error: Error) -> Error {
        // The error itself says that nothing is there.
        if error.fault().is_none() && error.kind() == Kind::Unreachable && !is_there(&place.url).await {
            return error.about(&format!("SAPI at {} ({})", place.url, place.how));
        }
        match self.ask(&SAPI, &place.url).await {
            Err(whose) => {
                Error::new(Kind::Unreachable, format!("SAPI is not at {} ({}): {whose}", place.url, place.how))
                    .because(error)
                    .hint("its address: --sapi HOST[:PORT]")
            }
            Ok(health) if health.why.is_empty() => error.about(&format!("SAPI at {}", place.url)),
            Ok(health) => error.about(&format!("SAPI at {}: {}", place.url, health.why)),
        }
    }

    /// How all instances are, asked at once, and what is to be said beside that.
    ///
    /// # Errors
    /// SAPI does not tell, and nothing else was given.
    pub async fn health(&self) -> Result<(Vec<Line>, Vec<String>)> {
        if self.given.told.is_empty() {
            self.sapi()?;
        }
        let mut all = Checks::default();
        if self.given.has(&SAPI) {
            match self.survey().await {
                Ok((survey, vmapi)) => {
                    let others = survey.services.iter();
                    others.filter(|found| !self.is_elsewhere(found.service)).for_each(|found| all.add(found));
                    all.answers = vmapi.answers;
                    if !survey.others.is_empty() {
                        let others = survey.others.join(", ");
                        all.notes.push(format!("not asked, for they have no ping that is known here: {others}"));
                    }
                    if !all.asked.iter().any(|check| std::ptr::eq(check.service, &SAPI)) {
                        all.asked.insert(0, Check { service: &SAPI, instance: None, url: self.sapi()?.url });
                    }
                }
                // Without SAPI the other services are not known, but those whose addresses were given are asked.
                Err(error) => all.down(&SAPI, None, error.message()),
            }
        }
        for service in ALL.iter().filter(|service| self.is_elsewhere(service)) {
            match self.given.place(service) {
                Ok(Some(place)) => {
                    all.asked.push(Check { service, instance: None, url: place.url });
                }
                Ok(None) => {}
                Err(error) => all.down(service, None, error.message()),
            }
        }
        let answers = all.asked.iter().map(async |check| {
            let answer = match all.answers.get(&check.url).filter(|_| std::ptr::eq(check.service, &VMAPI)) {
                Some(known) => known.clone(),
                None => self.ask(check.service, &check.url).await,
            };
            let health = answer.unwrap_or_else(Health::down);
            line(check.service, check.instance.clone(), check.url.clone(), health)
        });
        let mut lines = join_all(answers).await;
        lines.extend(all.down);
        let place = |line: &Line| ALL.iter().position(|service| service.name == line.service);
        lines.sort_by_key(place);
        Ok((lines, all.notes))
    }

    /// Whether the address of a service was given, so that its instances need not be looked for.
    fn is_elsewhere(&self, service: &Service) -> bool {
        !std::ptr::eq(service, &SAPI) && self.given.has(service)
    }
}

fn line(service: &'static Service, of: Option<Instance>, url: String, health: Health) -> Line {
    let instance = of.as_ref().map_or(String::new(), |one| one.alias.clone());
    Line { service: service.name, instance, url, health, of }
}

/// An address to ping, and the instance that has it.
struct Check {
    service: &'static Service,
    instance: Option<Instance>,
    url: String,
}

/// The pings to send, and what is known without them.
#[derive(Default)]
struct Checks {
    asked: Vec<Check>,
    /// The answers of VMAPI from the survey, by address.
    answers: BTreeMap<String, std::result::Result<Health, String>>,
    down: Vec<Line>,
    notes: Vec<String>,
}

impl Checks {
    fn down(&mut self, service: &'static Service, instance: Option<&Instance>, why: impl Into<String>) {
        self.down.push(line(service, instance.cloned(), String::new(), Health::down(why)));
    }

    /// Adds each instance of a service at the first of its addresses; if none has one, each address of the service. Its
    /// name in the DNS is that of any of them. An instance whose VM is gone gets only a note as long as another one is live.
    fn add(&mut self, found: &Found) {
        let service = found.service;
        if !found.is_installed() {
            return self.notes.push(format!("{} has no instance in SAPI", lower(service)));
        }
        let (own, others): (Vec<Candidate>, Vec<Candidate>) =
            found.candidates().into_iter().partition(|one| !one.instance.is_empty());
        let (silent, live): (Vec<&Instance>, Vec<&Instance>) = found.instances.iter().partition(|one| one.is_silent());
        for one in &silent {
            let why = format!("its VM is {}", one.state.as_deref().unwrap_or_default());
            match one.is_gone() && !live.is_empty() {
                true => self.notes.push(format!("{}: {why}", one.alias)),
                false => self.down(service, Some(one), why),
            }
        }
        for one in &live {
            let known = own.iter().find(|candidate| candidate.instance == one.alias);
            // The addresses of the service are theirs then.
            if own.is_empty() && !others.is_empty() {
                continue;
            }
            match known.and_then(|candidate| address(&candidate.address).ok()) {
                Some(url) => self.asked.push(Check { service, instance: Some((*one).clone()), url }),
                None => self.down(service, Some(one), "its address is not known"),
            }
        }
        let alone = match live.as_slice() {
            [one] if others.len() == 1 => Some(*one),
            _ => None,
        };
        for one in others.iter().filter(|_| own.is_empty()) {
            match address(&one.address) {
                Ok(url) => self.asked.push(Check { service, instance: alone.cloned(), url }),
                Err(error) => self.down(service, alone, error.message()),
            }
        }
    }
}

/// The rows of a list.
async fn rows(client: &Client, op: &Op, args: &Args) -> Result<Vec<Value>> {
    let answer: Answer = client.call(op, args).await?;
    answer.read()
}

/// Whether anything can be connected to at this address. Through a proxy it would be the proxy that is connected to.
async fn is_there(url: &str) -> bool {
    if let Some(address) = numeric(url) {
        let connected = tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address)).await;
        return connected.is_ok_and(|connected| connected.is_ok());
    }
    let Some(url) = url::Url::parse(url).ok() else { return false };
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let connected = async {
        let found = thread::beside(move || (host.as_str(), port).to_socket_addrs()).await??;
        tokio::net::TcpStream::connect(&*found.collect::<Vec<_>>()).await
    };
    tokio::time::timeout(CONNECT, connected).await.is_ok_and(|connected| connected.is_ok())
}

/// The error for a service that was not found.
fn lost(service: &Service, installed: bool, notes: &[String]) -> Error {
    let name = service.name;
    let (kind, words) = match (installed, notes.is_empty()) {
        (false, _) => (Kind::NotFound, format!("{name} has no instance in SAPI")),
        (true, true) => (Kind::NotFound, format!("{name} has no instance that could be asked")),
        (true, false) => (Kind::Unreachable, format!("{name} answers at none of its addresses")),
    };
    let error = notes.iter().fold(Error::new(kind, words), |error, note| error.hint(note.clone()));
    error.hint(format!("if you know where it is: --service {}=HOST[:PORT]", lower(service)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::admin::MAHI;

    #[test]
    fn an_address_is_a_host_with_or_without_a_port_or_a_url() {
        for (typed, url) in [
            ("10.0.0.26", "http://10.0.0.26"),
            ("10.0.0.26:8080", "http://10.0.0.26:8080"),
            ("[fd00::1]:80", "http://[fd00::1]:80"),
            ("sapi.dc1.example.com", "http://sapi.dc1.example.com"),
            ("https://sapi/", "https://sapi"),
        ] {
            assert_eq!(address(typed).unwrap(), url);
        }
        for typed in ["", "http://", "ftp://host", "a b", "host:port"] {
            assert_eq!(address(typed).unwrap_err().kind(), Kind::Usage, "{typed}");
        }
        // What is said of an address must not be a password.
        for typed in
            ["u:Secret77@h", "http://u:Secret77@h", "https:/u:Secret77@h", "https:\\\\u:Secret77@h", "h/Secret77"]
        {
            let error = address(typed).unwrap_err();
            assert!(error.kind() == Kind::Usage && !format!("{error:?}").contains("Secret77"), "{error:?}");
        }
        assert_eq!(address("https://proxy/sapi").unwrap(), "https://proxy/sapi");
    }

    #[test]
    fn a_variable_is_read_when_its_service_is_asked_for_and_an_option_at_once() {
        let mut given = Given::default();
        given.add("mahi", "a b", "MAHI_URL").unwrap();
        assert_eq!(given.place(&MAHI).unwrap_err().kind(), Kind::Usage);
        assert_eq!(given.place(&VMAPI).unwrap(), None);
        assert_eq!(given.add("vmapi", "a b", "--service").unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn what_was_given_first_counts() {
        let mut given = Given::default();
        given.add("sapi", "10.0.0.1", "--sapi").unwrap();
        given.add("SAPI", "10.0.0.2", "SAPI_URL").unwrap();
        given.add("vmapi", "10.0.0.3:81", "--service").unwrap();
        assert_eq!(given.place(&SAPI).unwrap().unwrap().url, "http://10.0.0.1");
        assert_eq!(given.place(&VMAPI).unwrap().unwrap().url, "http://10.0.0.3:81");
        let error = given.add("nope", "10.0.0.1", "--service").unwrap_err();
        assert!(error.hints()[0].as_str().contains("vmapi"), "{error:?}");
    }
}
