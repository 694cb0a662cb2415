//! The SSH route to a machine, found with as few requests as possible: the machine, its bastions, and the images that
//! name the login user. [`addresses`] interprets the answers; nothing here connects.
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
//! use sdc::api::cloudapi::{machines::MACHINE, tags};
//! use sdc::request::Args;
//! use sdc::tasks::resolve;
//! use sdc::tasks::route::{RouteFinder, ProxyChoice};
//!
//! // db0 has no public address. Its tag names web1 as its bastion.
//! let db0 = resolve::id(&client, &MACHINE, "db0").await?;
//! client.call(&tags::SET, &Args::new().set("machine", db0).set("tritoncli.ssh.proxy", "web1")).await?;
//! # while RouteFinder::new(&(), client.clone(), ProxyChoice::Tagged).way("db0", None).await?.hops.is_empty() {}
//!
//! let way = RouteFinder::new(&(), client.clone(), ProxyChoice::Tagged).way("db0", None).await?;
//! assert_eq!(way.hops[0].to_string(), "root@198.18.0.10");
//! assert_eq!(format!("{}@{}", way.user, way.ip), "ubuntu@192.168.128.7");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::HashMap;

use super::addresses::{self, AddressChoice, Hop, Machine, Networks};
use super::{Report, resolve};
use crate::answer::Row;
use crate::api::cloudapi::{images, machines, networks};
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::Args;

/// More bastions than this nobody has in a row.
const MAX_HOPS: usize = 8;

/// States of a machine that do not end by themselves, and in which it does not run.
const STILL: &[&str] = &["stopped", "offline", "failed", "incomplete", "deleted", "destroyed"];

/// Whether bastions are passed, and which.
#[derive(Clone, Debug, Default)]
pub enum ProxyChoice {
    /// Those of the tags.
    #[default]
    Tagged,
    /// None.
    Nothing,
    /// This one, and those that it is behind itself.
    Machine(String),
}

/// The way to log in to a machine.
pub struct SshRoute {
    /// The machine.
    pub machine: Machine,
    /// Its address for that.
    pub ip: std::net::IpAddr,
    /// Its port, where its tag names one.
    pub port: Option<u16>,
    /// Who logs in.
    pub user: String,
    /// The bastions on the way, the first one first.
    pub hops: Vec<Hop>,
}

/// Which networks are public, where the choice is about that.
///
/// # Errors
/// The list could not be read.
pub async fn networks(client: &Client, choice: &AddressChoice) -> Result<Networks> {
    if !matches!(choice, AddressChoice::Public | AddressChoice::Private) {
        return Ok(Networks::new());
    }
    let answer = client.call(&networks::LIST, &Args::new()).await?;
    let public = |text: &str| text == "true";
    Ok(answer.rows().filter_map(|row| Some((row.text("/id")?.into_owned(), public(&row.text("/public")?)))).collect())
}

/// The machines that are called exactly so among those that a list with these filters has.
///
/// # Errors
/// The list could not be read.
pub async fn named<T>(client: &Client, filters: &Args, typed: &str, read: fn(Row<'_>) -> T) -> Result<Vec<T>> {
    // The service compares beginnings.
    let listed = client.call(&machines::LIST, &filters.clone().set("name", typed)).await?;
    Ok(listed.rows().filter(|row| row.text("/name").as_deref() == Some(typed)).map(read).collect())
}

/// The machine that is called so, with one request if it is called by its id or its name.
///
/// # Errors
/// Not found, ambiguous, or the service did not answer.
pub async fn machine(client: &Client, typed: &str) -> Result<Machine> {
    let mut id = typed.to_owned();
    if !resolve::is_uuid(typed) {
        let mut found = named(client, &Args::new(), typed, Machine::read).await?;
        if let (Some(machine), true) = (found.pop(), found.is_empty()) {
            return machine;
        }
        // A short id, or one of the failures that are told in detail there.
        id = resolve::id(client, &machines::MACHINE, typed).await?;
    }
    let answer = client.call(&machines::GET, &Args::new().set("machine", id)).await;
    let answer = answer.map_err(|error| error.about(&format!("machine {typed}")))?;
    answer.first().map_or_else(|| Err(Error::new(Kind::Unreachable, "the answer is empty")), Machine::read)
}

/// Finds routes, and asks for nothing twice.
pub struct RouteFinder<'a> {
    report: &'a dyn Report,
    client: Client,
    choice: AddressChoice,
    networks: Networks,
    past: ProxyChoice,
    /// Nobody goes the way: it is only shown.
    prints: bool,
    /// Who logs in to an image's machines, by its id.
    users: HashMap<String, String>,
    /// By what was typed.
    machines: Vec<(String, Machine)>,
}

impl<'a> RouteFinder<'a> {
    /// One that takes the usual addresses.
    pub fn new(report: &'a dyn Report, client: Client, past: ProxyChoice) -> RouteFinder<'a> {
        let (choice, networks) = (AddressChoice::Usual, Networks::new());
        RouteFinder {
            report,
            client,
            choice,
            networks,
            past,
            prints: false,
            users: HashMap::new(),
            machines: Vec::new(),
        }
    }

    /// Takes addresses of this choice.
    ///
    /// # Errors
    /// The networks could not be read.
    pub async fn choose(self, choice: AddressChoice) -> Result<RouteFinder<'a>> {
        let networks = networks(&self.client, &choice).await?;
        Ok(RouteFinder { choice, networks, ..self })
    }

    /// Finds routes that nobody is going to use: a machine that does not run is no reason to refuse.
    #[must_use]
    pub fn only_shows(self, prints: bool) -> RouteFinder<'a> {
        RouteFinder { prints, ..self }
    }

    /// The way to log in to this machine, as this user if one was typed.
    ///
    /// # Errors
    /// There is no such machine, or no way to it.
    pub async fn way(&mut self, typed: &str, user: Option<&str>) -> Result<SshRoute> {
        let machine = self.machine(typed).await?;
        let ip = machine.login_address(&self.choice, &self.networks)?;
        let port = machine.port()?;
        let hops = self.hops(&machine, user).await?;
        let user = match user {
            Some(user) => user.to_owned(),
            None => self.default_user(&machine).await?,
        };
        Ok(SshRoute { machine, ip, port, user, hops })
    }

    async fn machine(&mut self, typed: &str) -> Result<Machine> {
        if let Some((_, known)) = self.machines.iter().find(|(known, _)| known == typed) {
            return Ok(known.clone());
        }
        let machine = machine(&self.client, typed).await?;
        // Nothing would answer, and ssh would wait for it for minutes. A state that is about to change is no reason to
        // refuse, and neither is any for who only wants to see the command line.
        let still = STILL.contains(&machine.state.as_str());
        let stopped = machine.state == "stopped";
        let why = CommandLine::new("machines why").on(&machine.id);
        if still && !self.prints {
            let words = format!("machine {} is {}, and nothing answers there", machine.name, machine.state);
            let start = CommandLine::new("machines start").on(&machine.id).with("--wait");
            let hint = if stopped { ("to start it", start) } else { ("to see what became of it", why) };
            return Err(Error::new(Kind::Refused, words).hint(Hint::run(hint.0, hint.1)));
        }
        if machine.state != "running" {
            // What has failed cannot be started.
            let start = CommandLine::new("machines start").on(&machine.id);
            let lost = still && !stopped;
            let (what, command) = if lost { ("to see what became of it", why) } else { ("to start it", start) };
            let words = format!("machine {} is {}, and may not answer; {what}", machine.name, machine.state);
            self.report.warn(&Hint::run(words, command));
        }
        self.machines.push((typed.to_owned(), machine.clone()));
        Ok(machine)
    }

    async fn hops(&mut self, target: &Machine, user: Option<&str>) -> Result<Vec<Hop>> {
        let mut next = match &self.past {
            ProxyChoice::Nothing => None,
            ProxyChoice::Machine(typed) => Some(typed.clone()),
            ProxyChoice::Tagged => target.proxy()?.map(str::to_owned),
        };
        let mut passed: Vec<(String, String)> = vec![(target.id.clone(), target.name.clone())];
        let mut hops = Vec::new();
        while let Some(typed) = next {
            let behind = passed.last().map(|(_, name)| name.clone()).unwrap_or_default();
            let bastion = self.machine(&typed).await.map_err(|error| error.about(&format!("bastion of {behind}")))?;
            let round = passed.iter().any(|(id, _)| *id == bastion.id);
            passed.push((bastion.id.clone(), bastion.name.clone()));
            if round || passed.len() > MAX_HOPS + 1 {
                let names: Vec<&str> = passed.iter().map(|(_, name)| name.as_str()).collect();
                let what =
                    if round { "bastions that lead back".to_owned() } else { format!("over {MAX_HOPS} bastions") };
                return Err(Error::other(format!("{what}: {} through {}", target.name, names[1..].join(" through ")))
                    .hint("without bastions: --no-proxy"));
            }
            let user = match (bastion.proxy_user()?, user) {
                (Some(user), _) => user.to_owned(),
                (None, Some(user)) if addresses::is_login(user) => user.to_owned(),
                (None, Some(user)) => {
                    let words = format!("'{user}' cannot be written as the login of the bastion {}", bastion.name);
                    return Err(Error::usage(words).hint("its tag tritoncli.ssh.proxyuser names another"));
                }
                (None, None) => self.default_user(&bastion).await?,
            };
            let ip = bastion.login_address(&AddressChoice::Usual, &self.networks)?;
            hops.push(Hop { user, ip, port: bastion.port()? });
            next = bastion.proxy()?.map(str::to_owned);
        }
        hops.reverse();
        Ok(hops)
    }

    /// Who logs in where nobody was named: whom the image names, else root.
    async fn default_user(&mut self, machine: &Machine) -> Result<String> {
        if let Some(known) = self.users.get(&machine.image) {
            return Ok(known.clone());
        }
        // A machine that an operator made need not have one.
        if !resolve::is_uuid(&machine.image) {
            return Ok(addresses::ROOT.to_owned());
        }
        let user = match self.client.call(&images::GET, &Args::new().set("image", &machine.image)).await {
            Ok(image) => image.first().map(addresses::default_user).transpose()?.flatten(),
            // An image may be gone, or not for this user to see, and its machines live on.
            Err(error) if error.kind() == Kind::NotFound || error.fault().is_some_and(|fault| fault.status == 403) => {
                let words = format!("image {}: {error}; logging in as root: --login USER", machine.image);
                self.report.warn(&words.into());
                None
            }
            Err(error) => return Err(error.about(&format!("image {}", machine.image))),
        };
        let user = user.unwrap_or_else(|| addresses::ROOT.to_owned());
        self.users.insert(machine.image.clone(), user.clone());
        Ok(user)
    }
}
