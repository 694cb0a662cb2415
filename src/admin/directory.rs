//! Where the services of a data center are: what was given, what is remembered, and what SAPI and VMAPI tell of the
//! rest. An address counts only once its service has answered there.
//!
//! At most four requests tell of all services: SAPI's applications, services and instances, and VMAPI's VMs of these.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ping::{self, Health};
use super::survey::{Candidate, Found, Survey};
use crate::answer::Answer;
use crate::api::admin::{ALL, SAPI, VMAPI, named, sapi, vmapi};
use crate::api::{Op, Service};
use crate::client::Client;
use crate::config::cache::{Cache, TTL};
use crate::error::{Error, Kind, Result};
use crate::request::{Args, Request};
use crate::response::Response;
use crate::sensitive;

/// How long SAPI and VMAPI may take to tell where the services are.
const LIMIT: Duration = Duration::from_secs(20);
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

/// What is known without asking.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// SAPI.
    pub sapi: Option<Place>,
    /// Others, by their names in small letters.
    pub services: BTreeMap<String, Place>,
}

/// Makes the client of a service at an address.
pub type Make<'a> = Box<dyn Fn(&'static Service, &str) -> Result<Client> + 'a>;

/// The services of one data center.
pub struct Directory<'a> {
    given: Given,
    cache: Cache,
    make: Make<'a>,
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
}

/// The URL of what was typed as `HOST[:PORT]` or as a URL.
///
/// # Errors
/// A usage error for what is neither.
pub fn address(typed: &str) -> Result<String> {
    let typed = typed.trim();
    let whole = if typed.contains("://") { typed.to_owned() } else { format!("http://{typed}") };
    let shown = || sensitive::url_end(typed);
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

fn lower(service: &Service) -> String {
    service.name.to_ascii_lowercase()
}

impl Given {
    /// Adds what was given for the service of this name, unless it is known already.
    ///
    /// # Errors
    /// A usage error for an unknown name or something else than an address.
    pub fn add(&mut self, name: &str, typed: &str, how: &str) -> Result<()> {
        let Some(service) = named(name) else {
            let names: Vec<String> = ALL.iter().map(|service| lower(service)).collect();
            let words = format!("there is no service '{}'", sensitive::quoted(name));
            return Err(Error::usage(words).hint(format!("the services are {}", names.join(", "))));
        };
        let place = Place { url: address(typed).map_err(|error| error.about(how))?, how: how.to_owned() };
        if std::ptr::eq(service, &SAPI) {
            self.sapi.get_or_insert(place);
        } else {
            self.services.entry(lower(service)).or_insert(place);
        }
        Ok(())
    }

    /// Where this service is, if that was given.
    pub fn place(&self, service: &Service) -> Option<&Place> {
        let name = lower(service);
        if name == "sapi" { self.sapi.as_ref() } else { self.services.get(&name) }
    }
}

impl<'a> Directory<'a> {
    /// The data center of what was given. Addresses are remembered in the folder for what can be fetched again, if there
    /// is one.
    pub fn new(given: Given, folder: Option<&std::path::Path>, make: Make<'a>) -> Directory<'a> {
        let of = given.sapi.as_ref().map_or("", |place| place.url.as_str());
        let cache = Cache::new(folder.filter(|_| !of.is_empty()), "admin", of);
        Directory { given, cache, make }
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

    /// Where a service is.
    ///
    /// # Errors
    /// As [`Directory::client`].
    pub async fn place(&self, service: &'static Service) -> Result<Place> {
        if let Some(given) = self.given.place(service) {
            return Ok(given.clone());
        }
        self.sapi()?;
        if let Some(known) = self.remembered().remove(&lower(service))
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
    fn sapi(&self) -> Result<&Place> {
        self.given.sapi.as_ref().ok_or_else(|| {
            Error::usage("the address of SAPI is not known, by which the other services are found")
                .hint("--sapi HOST[:PORT]")
                .hint("export SDC_SAPI_URL=http://HOST")
                .hint("of one service alone: --service vmapi=HOST[:PORT]")
        })
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
            let installed = found.is_installed();
            let place = match self.given.place(service) {
                Some(given) => Ok(given.clone()),
                None if std::ptr::eq(service, &VMAPI) => vmapi.clone(),
                None => self.first(found).await,
            };
            let (place, mut notes) = match place {
                Ok(place) => (Some(place), Vec::new()),
                Err(notes) => (None, notes),
            };
            notes.extend(found.silent());
            Row { service, place, notes, installed }
        };
        let rows = join_all(survey.services.iter().map(row)).await;
        let found = rows.iter().filter(|row| self.given.place(row.service).is_none());
        let places: BTreeMap<String, &Place> =
            found.filter_map(|row| Some((lower(row.service), row.place.as_ref()?))).collect();
        if let Ok(text) = serde_json::to_vec(&places) {
            self.cache.write(CACHED, &text);
        }
        Ok(rows)
    }

    /// What SAPI and VMAPI tell, and where VMAPI is.
    async fn survey(&self) -> Result<(Survey, std::result::Result<Place, Vec<String>>)> {
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
        let told = match tokio::time::timeout(LIMIT, told).await {
            Ok(Ok(told)) => told,
            Ok(Err(error)) => return Err(self.no_sapi(&sapi, place, error).await),
            Err(_) => {
                let words = format!("SAPI at {} ({}) has not answered for {LIMIT:?}", place.url, place.how);
                return Err(Error::new(Kind::Unreachable, words));
            }
        };
        let mut survey = Survey::read(ALL, &told.0, &told.1, &told.2);
        let found = survey.services.iter().find(|found| std::ptr::eq(found.service, &VMAPI));
        let vmapi = match (self.given.place(&VMAPI), found) {
            (Some(given), _) => Ok(given.clone()),
            (None, Some(found)) => self.first(found).await,
            (None, None) => Err(Vec::new()),
        };
        if let (Ok(place), false) = (&vmapi, survey.vms().is_empty()) {
            let args = Args::new().set("uuids", survey.vms().join(","));
            let client = (self.make)(&VMAPI, &place.url)?;
            // Without it the others are known as far as SAPI tells.
            if let Ok(Ok(vms)) = tokio::time::timeout(LIMIT, rows(&client, &vmapi::LIST, &args)).await {
                survey.add_vms(&vms);
            }
        }
        // Its first instance may be one that is gone, of whose address another has answered.
        Ok((survey, vmapi))
    }

    /// The first of the places where a service may be at which it answers; else why it is at none.
    async fn first(&self, found: &Found) -> std::result::Result<Place, Vec<String>> {
        let candidates = found.candidates();
        let answers = join_all(candidates.iter().map(|one| self.is_at(found.service, one))).await;
        let mut notes = Vec::new();
        for (one, answer) in candidates.iter().zip(answers) {
            match answer {
                Ok(place) => return Ok(place),
                Err(why) => notes.push(format!("{} ({}): {why}", one.address, one.how)),
            }
        }
        if let Some(domain) = found.domain.as_deref().filter(|_| found.is_installed()) {
            let resolved = tokio::time::timeout(NAME, tokio::net::lookup_host((domain, 80))).await;
            let one = Candidate { address: domain.to_owned(), how: "its name in the DNS".to_owned() };
            match resolved {
                Ok(Ok(_)) => match self.is_at(found.service, &one).await {
                    Ok(place) => return Ok(place),
                    Err(why) => notes.push(format!("{domain}: {why}")),
                },
                _ => notes.push(format!("{domain} does not resolve here")),
            }
        }
        Err(notes)
    }

    /// Whether the service answers at this place.
    async fn is_at(&self, service: &'static Service, one: &Candidate) -> std::result::Result<Place, String> {
        let url = address(&one.address).map_err(|error| error.message().to_owned())?;
        let answer = self.ping(service, &url).await?;
        ping::read(service.name, answer.status, &answer.body)?;
        Ok(Place { url, how: one.how.clone() })
    }

    /// Asks an address how it is.
    async fn ping(&self, service: &'static Service, url: &str) -> std::result::Result<Response, String> {
        let client = (self.make)(service, url).map_err(|error| error.message().to_owned())?;
        let request = Request::raw("GET", "/ping").map_err(|error| error.message().to_owned())?;
        match tokio::time::timeout(PING, client.once(&request)).await {
            Ok(Ok(answer)) if is_cloudapi(&answer) => Err("a CloudAPI answers there".to_owned()),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(error.message().to_owned()),
            Err(_) => Err(format!("it has not answered for {PING:?}")),
        }
    }

    /// The error of a SAPI that does not tell what it should.
    async fn no_sapi(&self, client: &Client, place: &Place, error: Error) -> Error {
        let Ok(request) = Request::raw("GET", "/ping") else { return error };
        let Ok(Ok(answer)) = tokio::time::timeout(PING, client.once(&request)).await else {
            return error.about(&format!("SAPI at {} ({})", place.url, place.how));
        };
        let whose = match ping::read("sapi", answer.status, &answer.body) {
            _ if is_cloudapi(&answer) => "a CloudAPI answers there".to_owned(),
            Err(whose) => whose,
            Ok(health) if !health.why.is_empty() => {
                return error.about(&format!("SAPI at {}: {}", place.url, health.why));
            }
            Ok(_) => return error.about(&format!("SAPI at {}", place.url)),
        };
        let words = format!("SAPI is not at {} ({}): {whose}", place.url, place.how);
        Error::new(Kind::Unreachable, words).because(error).hint("its address: --sapi HOST[:PORT]")
    }

    /// How all instances are, asked at once, and what is to be said beside that.
    ///
    /// # Errors
    /// SAPI does not tell, and nothing else was given.
    pub async fn health(&self) -> Result<(Vec<Line>, Vec<String>)> {
        let mut notes = Vec::new();
        let mut asked: Vec<(&'static Service, String, String)> = Vec::new();
        let mut lines: Vec<Line> = Vec::new();
        if let Some(sapi) = &self.given.sapi {
            match self.survey().await {
                Ok((survey, vmapi)) => of_survey(&survey, vmapi.ok().as_ref(), &mut asked, &mut notes),
                // Of the rest nobody knows, which is no reason to say nothing.
                Err(error) => lines.push(Line {
                    service: "sapi",
                    instance: String::new(),
                    url: sapi.url.clone(),
                    health: Health::down(error.message()),
                }),
            }
            if lines.is_empty() && asked.iter().all(|(service, ..)| !std::ptr::eq(*service, &SAPI)) {
                asked.insert(0, (&SAPI, String::new(), sapi.url.clone()));
            }
        }
        for service in ALL {
            if let Some(given) = self.given.services.get(&lower(service)) {
                asked.retain(|(known, ..)| !std::ptr::eq(*known, *service));
                asked.push((service, String::new(), given.url.clone()));
            }
        }
        if self.given.sapi.is_none() && asked.is_empty() {
            self.sapi()?;
        }
        let answers = asked.iter().map(async |(service, instance, url)| {
            let health = match self.ping(service, url).await {
                Ok(answer) => ping::read(service.name, answer.status, &answer.body).unwrap_or_else(Health::down),
                Err(why) => Health::down(why),
            };
            let service = ALL.iter().find(|known| std::ptr::eq(**known, *service)).map_or("", |known| known.name);
            Line { service, instance: instance.clone(), url: url.clone(), health }
        });
        lines.extend(join_all(answers).await);
        Ok((lines, notes))
    }
}

/// Whom to ask of a survey: each instance whose address is known. What cannot be asked is named.
fn of_survey(
    survey: &Survey,
    vmapi: Option<&Place>,
    asked: &mut Vec<(&'static Service, String, String)>,
    notes: &mut Vec<String>,
) {
    for found in &survey.services {
        let name = lower(found.service);
        if !found.known {
            notes.push(format!("{name} is not installed"));
            continue;
        }
        notes.extend(found.silent());
        let live: Vec<_> = found.instances.iter().filter(|one| !one.is_silent()).collect();
        if live.is_empty() {
            notes.push(format!("{name} has no instance"));
        }
        for one in live {
            let installed = found.installed.first().filter(|_| found.instances.len() == 1);
            let known = vmapi.filter(|_| name == "vmapi" && found.instances.len() == 1).map(|place| place.url.as_str());
            let address = one.address().or(known).or(installed.map(String::as_str)).or(found.domain.as_deref());
            match address.and_then(address_of) {
                Some(url) => asked.push((found.service, one.alias.clone(), url)),
                None => notes.push(format!("the address of {} is not known", one.alias)),
            }
        }
    }
}

fn address_of(typed: &str) -> Option<String> {
    address(typed).ok()
}

/// The rows of a list.
async fn rows(client: &Client, op: &Op, args: &Args) -> Result<Vec<Value>> {
    let answer: Answer = client.call(op, args).await?;
    answer.read()
}

/// Whether anything can be connected to at this address. Through a proxy it would be the proxy that is connected to.
async fn is_there(url: &str) -> bool {
    let Some(url) = url::Url::parse(url).ok() else { return false };
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let connected = tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect((host, port))).await;
    connected.is_ok_and(|connected| connected.is_ok())
}

/// Whether it is the public API that has answered.
fn is_cloudapi(answer: &Response) -> bool {
    answer.header("server").is_some_and(|name| name.to_ascii_lowercase().starts_with("cloudapi"))
}

/// The error for a service that was not found.
fn lost(service: &Service, installed: bool, notes: &[String]) -> Error {
    let name = service.name;
    let (kind, words) = match (installed, notes.is_empty()) {
        (false, _) => (Kind::NotFound, format!("{name} is not installed: SAPI knows no such service")),
        (true, true) => (Kind::NotFound, format!("{name} has no instance that could be asked")),
        (true, false) => (Kind::Unreachable, format!("{name} answers at none of its addresses")),
    };
    let error = notes.iter().fold(Error::new(kind, words), |error, note| error.hint(note.clone()));
    error.hint(format!("if you know where it is: --service {}=HOST[:PORT]", lower(service)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }

    #[test]
    fn what_was_given_first_counts() {
        let mut given = Given::default();
        given.add("sapi", "10.0.0.1", "--sapi").unwrap();
        given.add("SAPI", "10.0.0.2", "SAPI_URL").unwrap();
        given.add("vmapi", "10.0.0.3:81", "--service").unwrap();
        assert_eq!(given.sapi.as_ref().unwrap().url, "http://10.0.0.1");
        assert_eq!(given.place(&VMAPI).unwrap().url, "http://10.0.0.3:81");
        let error = given.add("nope", "10.0.0.1", "--service").unwrap_err();
        assert!(error.hints()[0].as_str().contains("vmapi"), "{error:?}");
    }
}
