//! An account at a glance: who it is, where, its machines by state, and what it uses of its limits. It asks a few
//! things at once; what cannot be read, since a sub-user may not read all of it, is told beside the rest.
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
//! use sdc::tasks::overview;
//!
//! let seen = overview::gather(&client).await?;
//! assert_eq!(seen.account.as_ref().unwrap().login, "acme");
//! assert!(seen.machines.as_ref().unwrap().states["running"] > 0);
//! assert!(seen.memory().unwrap().used > 0.0 && seen.unread().is_empty());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::BTreeMap;

use futures_util::future::join4;

use crate::answer::{Answer, Row};
use crate::api::Op;
use crate::api::cloudapi::{account, machines, ping};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::Args;
use crate::response::Response;

/// The operations that are called.
pub const READS: &[&Op] = &[&ping::PING_OP, &account::GET, &account::LIMITS, &machines::LIST];

/// Whose key it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its login.
    pub login: String,
    /// E-mail address; may be empty.
    pub email: String,
    /// First and last name, or the company's; may be empty.
    pub name: String,
}

/// The service, by what its answers say beside what was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name of the data center.
    pub datacenter: Option<String>,
    /// Name and version of the service, such as `cloudapi/9.20.0`.
    pub server: Option<String>,
    /// How many seconds this machine's clock is ahead of the service's.
    pub skew: Option<i64>,
}

/// The machines that are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machines {
    /// How many are in each state.
    pub states: BTreeMap<String, u64>,
    /// Memory of all, in MiB.
    pub memory: u64,
    /// Disk of all, in MiB.
    pub disk: u64,
}

/// How much is used of something, and how much may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// What is counted: `machines`, `memory` or `disk`, and of which machines where that is not all.
    pub of: String,
    /// How much is used; of memory and disk in MiB.
    pub used: f64,
    /// How much may be. `None` where there is no limit; 0 where nothing is allowed.
    pub limit: Option<f64>,
}

/// What is known.
#[derive(Debug)]
pub struct Overview {
    /// The account.
    pub account: Result<Account>,
    /// The service.
    pub place: Result<Place>,
    /// The machines.
    pub machines: Result<Machines>,
    /// The limits, as the service has them.
    pub limits: Result<Vec<Usage>>,
}

/// Asks for all of it.
///
/// # Errors
/// Nothing could be read, and why the account could not. It is not an error that this key may not read it.
pub async fn gather(client: &Client) -> Result<Overview> {
    let none = Args::new();
    let (place, account, limits, machines) = join4(
        async { Ok::<_, Error>(Place::of(&client.send(&client.request(&ping::PING_OP, &none)?).await?)) },
        client.call(&account::GET, &none),
        client.call(&account::LIMITS, &none),
        client.call(&machines::LIST, &none),
    )
    .await;
    let account = match account {
        Err(error) if limits.is_err() && machines.is_err() && !is_known_all_the_same(&error) => return Err(error),
        account => account.map(|answer| answer.first().map(Account::read).unwrap_or_default()),
    };
    Ok(Overview {
        account,
        place,
        machines: machines.map(|answer| Machines::count(&answer)),
        limits: limits.map(|answer| answer.rows().filter_map(Usage::read).collect()),
    })
}

/// Whether the service has taken the key, although this error says that the account may not be read: a sub-user or a
/// role needs no right to that.
pub fn is_known_all_the_same(error: &Error) -> bool {
    error.fault().is_some_and(|fault| fault.status == 403 && fault.message.ends_with("(getaccount)"))
}

impl Account {
    /// What an answer says.
    pub fn read(row: Row<'_>) -> Account {
        let text = |pointer: &str| row.text(pointer).unwrap_or_default().into_owned();
        let name = format!("{} {}", text("/firstName"), text("/lastName")).trim().to_owned();
        let name = if name.is_empty() { text("/companyName") } else { name };
        Account { id: text("/id"), login: text("/login"), email: text("/email"), name }
    }
}

impl Place {
    /// What the headers of an answer say.
    pub fn of(response: &Response) -> Place {
        let header = |name: &str| response.header(name).map(str::to_owned);
        Place { datacenter: header("triton-datacenter-name"), server: header("server"), skew: response.clock_skew() }
    }
}

impl Machines {
    /// Counts the rows of a list.
    pub fn count(list: &Answer) -> Machines {
        let mut all = Machines::default();
        for row in list.rows() {
            let number =
                |pointer: &str| row.text(pointer).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
            let state = row.text("/state").filter(|state| !state.is_empty());
            *all.states.entry(state.map_or_else(|| "unknown".to_owned(), Into::into)).or_default() += 1;
            all.memory = all.memory.saturating_add(number("/memory"));
            all.disk = all.disk.saturating_add(number("/disk"));
        }
        all
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.states.values().sum()
    }
}

impl Usage {
    /// What a row of the limits says: 0 is no limit there, -1 allows nothing, memory is in MiB and disk in GiB.
    pub fn read(row: Row<'_>) -> Option<Usage> {
        let number = |pointer: &str| row.text(pointer).and_then(|text| text.parse::<f64>().ok());
        let text = |pointer: &str| row.text(pointer).map(|text| text.into_owned()).filter(|text| !text.is_empty());
        let (what, unit) = match text("/by").as_deref() {
            None | Some("machines") => ("machines".to_owned(), 1.0),
            Some("ram") => ("memory".to_owned(), 1.0),
            Some("quota") => ("disk".to_owned(), 1024.0),
            Some(other) => (other.to_owned(), 1.0),
        };
        let value = number("/value").filter(|value| value.is_finite())?;
        let check = text("/check").map(|check| {
            let of = text(&format!("/{check}")).unwrap_or_default();
            format!(" of {check} {of}").trim_end().to_owned()
        });
        Some(Usage {
            of: what + &check.unwrap_or_default(),
            used: number("/used").filter(|used| used.is_finite()).unwrap_or_default() * unit,
            limit: (value != 0.0).then_some(value.max(0.0) * unit),
        })
    }
}

impl Overview {
    /// How much memory is used, in MiB. `None` where nothing tells it.
    pub fn memory(&self) -> Option<Usage> {
        self.usage("memory", |machines| machines.memory)
    }

    /// How much disk is used, in MiB. `None` where nothing tells it.
    pub fn disk(&self) -> Option<Usage> {
        self.usage("disk", |machines| machines.disk)
    }

    /// The limit as the service has it; without one, what the machines have.
    fn usage(&self, of: &str, sum: fn(&Machines) -> u64) -> Option<Usage> {
        let limit = self.limits.iter().flatten().find(|limit| limit.of == of).cloned();
        limit.or_else(|| {
            let used = sum(self.machines.as_ref().ok()?);
            Some(Usage { of: of.to_owned(), used: used as f64, limit: None })
        })
    }

    /// The limits but those of all memory and all disk.
    pub fn others(&self) -> impl Iterator<Item = &Usage> {
        self.limits.iter().flatten().filter(|limit| !matches!(limit.of.as_str(), "memory" | "disk"))
    }

    /// What could not be read, and why.
    pub fn unread(&self) -> Vec<(&'static str, &Error)> {
        let all = [
            ("account", self.account.as_ref().err()),
            ("service", self.place.as_ref().err()),
            ("machines", self.machines.as_ref().err()),
            ("limits", self.limits.as_ref().err()),
        ];
        all.into_iter().filter_map(|(what, error)| Some((what, error?))).collect()
    }

    /// What went wrong most gravely, but for rights that the caller does not have.
    pub fn gravest(&self) -> Option<Kind> {
        let denied = |error: &Error| error.fault().is_some_and(|fault| fault.status == 403);
        let failed = self.unread().into_iter().map(|(_, error)| error).filter(|error| !denied(error));
        failed.fold(None, |gravest, error| Some(error.kind().graver(gravest)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rows(list: Value) -> Answer {
        Answer::from_rows(list.to_string().as_bytes()).unwrap()
    }

    fn overview(limits: Result<Value>, machines: Value) -> Overview {
        Overview {
            account: Ok(Account::default()),
            place: Ok(Place::default()),
            machines: Ok(Machines::count(&rows(machines))),
            limits: limits.map(|list| rows(list).rows().filter_map(Usage::read).collect()),
        }
    }

    #[test]
    fn machines_are_counted_by_state_and_added_up() {
        let all = Machines::count(&rows(json!([
            { "state": "running", "memory": 1024, "disk": 10 },
            { "state": "running", "memory": 512, "disk": 5 },
            { "state": "", "memory": "much" },
        ])));
        assert_eq!((all.total(), all.states["running"], all.states["unknown"]), (3, 2, 1));
        assert_eq!((all.memory, all.disk), (1536, 15));
    }

    #[test]
    fn limits_are_read_in_one_unit_and_without_their_magic_numbers() {
        let read = |limit: Value| Usage::read(rows(json!([limit])).rows().next().unwrap());
        let usage = |of: &str, used: f64, limit: Option<f64>| Some(Usage { of: of.to_owned(), used, limit });
        assert_eq!(read(json!({ "value": 100, "used": 7 })), usage("machines", 7.0, Some(100.0)));
        assert_eq!(read(json!({ "value": 0, "by": "ram", "used": 5 })), usage("memory", 5.0, None));
        assert_eq!(read(json!({ "value": 2, "by": "quota", "used": 1 })), usage("disk", 1024.0, Some(2048.0)));
        let kvm = json!({ "value": -1, "by": "machines", "check": "brand", "brand": "kvm" });
        assert_eq!(read(kvm), usage("machines of brand kvm", 0.0, Some(0.0)));
        assert_eq!(read(json!({ "value": "many" })), None);
    }

    #[test]
    fn without_a_limit_the_machines_tell_what_is_used() {
        let machines = json!([{ "state": "running", "memory": 1024, "disk": 10 }]);
        let seen = overview(Ok(json!([{ "value": 4096, "by": "ram", "used": 2048 }])), machines.clone());
        assert_eq!(seen.memory().map(|memory| (memory.used, memory.limit)), Some((2048.0, Some(4096.0))));
        assert_eq!(seen.disk().map(|disk| (disk.used, disk.limit)), Some((10.0, None)));
        let seen = overview(Err(Error::auth("no")), machines);
        assert_eq!(seen.memory().map(|memory| (memory.used, memory.limit)), Some((1024.0, None)));
        assert_eq!(seen.unread().iter().map(|(what, _)| *what).collect::<Vec<_>>(), ["limits"]);
    }
}
