//! Creating a network on a VLAN and in a subnet that no other one has. NAPI accepts repeated VLANs and overlapping
//! private subnets, so each creator checks: whoever sees another network in the way of its own deletes its own and
//! tries elsewhere. Of two that collide both may give way, but never do both stay: each would have listed the networks
//! before the other one was created.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::emulator::{Emulator, Options};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { admin: true, ..Options::default() }).await?;
//! # let (_, napi) = cloud.admin().iter().find(|(name, _)| name == "napi").unwrap();
//! use sdc::api::admin::NAPI;
//! use sdc::tasks::smart_network::SmartNetwork;
//! use sdc::tasks::stop::Stop;
//!
//! let client = sdc::Client::builder().service(&NAPI).url(format!("http://{napi}")).build()?;
//! let network = SmartNetwork { nic_tag: "internal".to_owned(), prefix: 26, ..SmartNetwork::new("lab") };
//! let made = network.create(&client, &Stop::default(), &()).await?;
//! assert_eq!(made.first().unwrap().text("/subnet").unwrap(), "10.0.0.0/26");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::Report;
use super::stop::Stop;
use crate::answer::{Answer, Row};
use crate::api::admin::napi::{CREATE_NETWORK, DELETE_NETWORK, GET_NETWORK, LIST_NETWORKS, NETWORK};
use crate::client::{Client, Once, jitter, new_uuid};
use crate::error::{Error, Hint, Kind, Result};
use crate::grammar::net::{self, Cidr};
use crate::request::{Arg, Args};

/// How many free VLANs and subnets there is a choice from after a collision.
const CHOICE: usize = 64;
/// How often it is tried.
const ROUNDS: u32 = 50;
/// The longest pause after a collision; the first ones are shorter.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a list may take to show what was made just before.
const UNSEEN_PAUSE: Duration = Duration::from_secs(1);
/// The longest prefix that leaves room for two addresses.
pub const LONGEST_PREFIX: u8 = 30;
/// The shortest prefix that NAPI takes.
pub const SHORTEST_PREFIX: u8 = 8;
/// The VLANs that NAPI takes. 0 is none.
pub const VLANS: RangeInclusive<u16> = 2..=4094;

/// A network whose VLAN and subnet are chosen here.
#[derive(Clone, Debug)]
pub struct SmartNetwork {
    /// Its name, which no other network has.
    pub name: String,
    /// The NIC tag of the servers' NICs that reach it.
    pub nic_tag: String,
    /// Who may use it; all may, without any.
    pub owners: Vec<String>,
    /// Its description.
    pub description: Option<String>,
    /// Where its subnet lies.
    pub within: Cidr,
    /// The length of its subnet's prefix.
    pub prefix: u8,
    /// Which VLANs it may have.
    pub vlans: RangeInclusive<u16>,
}

/// A VLAN and a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    vlan: u16,
    subnet: Cidr,
}

impl SmartNetwork {
    /// One of this name: a /24 in 10.0.0.0/8, on the first free VLAN, behind the NIC tag `customer`.
    pub fn new(name: impl Into<String>) -> SmartNetwork {
        SmartNetwork {
            name: name.into(),
            nic_tag: "customer".to_owned(),
            owners: Vec::new(),
            description: None,
            within: Cidr { address: Ipv4Addr::new(10, 0, 0, 0), length: 8 },
            prefix: 24,
            vlans: VLANS,
        }
    }

    /// Creates it, and returns it as NAPI shows it. The stop is heeded once nothing is left behind.
    ///
    /// # Errors
    /// A usage error for a size that does not fit; [`Kind::Refused`] where no VLAN or subnet is free, or others were
    /// in the way time and again; [`Kind::Unreachable`] where NAPI's list does not show what was made, so that nothing
    /// can be told of others; and NAPI's refusals.
    pub async fn create(&self, client: &Client, stop: &Stop, report: &dyn Report) -> Result<Answer> {
        for round in 0..ROUNDS {
            let place = self.choose(&self.taken(client).await?, round)?;
            let id = new_uuid();
            interrupted(stop)?;
            let made = self.put(client, &id, place).await?;
            let id = made.first().and_then(|row| row.text("/uuid")).map_or(id, |id| id.into_owned());
            let other = match self.check(client, &id, place).await {
                Ok(Seen::Alone) => return Ok(made),
                Ok(Seen::Beside(other)) => Ok(other),
                // Others would be made in vain.
                Ok(Seen::Never(words)) => Err(Error::new(Kind::Unreachable, words)),
                Err(error) => Err(error),
            };
            let other = match (remove(client, &id).await, other) {
                (Ok(()), Ok(other)) => other,
                (Ok(()), Err(error)) => return Err(error.hint(format!("network {id} was deleted again"))),
                (Err(error), other) => return Err(left(other.err().unwrap_or(error), &id)),
            };
            interrupted(stop)?;
            report.say(&format!("{other} is in the way of VLAN {} and {}: trying elsewhere", place.vlan, place.subnet));
            let pause = Duration::from_millis(50).saturating_mul(round + 1).min(LONGEST_PAUSE);
            tokio::time::sleep(pause.mul_f64(jitter())).await;
        }
        let words = format!("network {} was in another one's way {ROUNDS} times, and deleted each time", self.name);
        Err(Error::new(Kind::Refused, words).hint("many are created at once: try again later"))
    }

    /// The request that would be sent now, if nobody else creates networks.
    ///
    /// # Errors
    /// As [`SmartNetwork::create`].
    pub async fn args(&self, client: &Client) -> Result<Args> {
        let place = self.choose(&self.taken(client).await?, 0)?;
        self.request(&new_uuid(), place)
    }

    /// The networks that there are.
    async fn taken(&self, client: &Client) -> Result<Answer> {
        self.fits()?;
        client.call(&LIST_NETWORKS, &Args::new()).await
    }

    fn fits(&self) -> Result<()> {
        let (prefix, within) = (self.prefix, self.within);
        if !(SHORTEST_PREFIX..=LONGEST_PREFIX).contains(&prefix) {
            let words = format!("a network cannot be a /{prefix}");
            return Err(Error::usage(words).hint(format!("the prefix is {SHORTEST_PREFIX} to {LONGEST_PREFIX} long")));
        }
        if prefix < within.length {
            return Err(Error::usage(format!("a /{prefix} does not fit into {within}")));
        }
        let (first, last) = (*self.vlans.start(), *self.vlans.end());
        if first > last || !VLANS.contains(&first) || !VLANS.contains(&last) {
            let words = format!("{first}-{last} is not a range of VLANs");
            return Err(Error::usage(words).hint(format!("VLANs are {} to {}", VLANS.start(), VLANS.end())));
        }
        Ok(())
    }

    /// The first free place, or after a collision one of the first free ones by chance.
    fn choose(&self, taken: &Answer, round: u32) -> Result<Place> {
        let vlans: Vec<u16> = taken.rows().filter_map(vlan).collect();
        let free: Vec<u16> = self.vlans.clone().filter(|vlan| !vlans.contains(vlan)).take(CHOICE).collect();
        if free.is_empty() {
            let (first, last) = (self.vlans.start(), self.vlans.end());
            let words = format!("the VLANs are exhausted: networks have each of {first} to {last}");
            return Err(Error::new(Kind::Refused, words).hint("other ones: --vlans FIRST-LAST"));
        }
        let mut ranges: Vec<(u32, u32)> = taken.rows().filter_map(subnet).map(bounds).collect();
        ranges.sort_unstable();
        let subnets = free_blocks(self.within, self.prefix, &ranges, CHOICE);
        if subnets.is_empty() {
            let words = format!("the subnets are exhausted: no /{} is free in {}", self.prefix, self.within);
            let fits = |prefix: &u8| !free_blocks(self.within, *prefix, &ranges, 1).is_empty();
            let smaller = (self.prefix + 1..=LONGEST_PREFIX).find(fits);
            let smaller = smaller.map(|prefix| format!("there is room for a smaller one: --prefix {prefix}"));
            let error = Error::new(Kind::Refused, words);
            let error = smaller.into_iter().fold(error, Error::hint);
            return Err(error.hint("elsewhere: --within SUBNET"));
        }
        // One number for both: who meets on neither has a place of its own.
        let at = if round == 0 { 0 } else { (jitter() * CHOICE as f64) as usize };
        Ok(Place { vlan: free[at % free.len()], subnet: subnets[at % subnets.len()] })
    }

    fn request(&self, id: &str, place: Place) -> Result<Args> {
        let (first, last) = bounds(place.subnet);
        let mut args = Args::new()
            .set("uuid", id)
            .set("name", &self.name)
            .set("nic_tag", &self.nic_tag)
            .set("subnet", place.subnet.to_string())
            .set("provision_start_ip", Ipv4Addr::from(first + 1).to_string())
            .set("provision_end_ip", Ipv4Addr::from(last - 1).to_string());
        args.push("vlan_id", Arg::json(&place.vlan.to_string())?);
        if !self.owners.is_empty() {
            args.push("owner_uuids", Arg::json(&serde_json::json!(self.owners).to_string())?);
        }
        if let Some(description) = &self.description {
            args = args.set("description", description);
        }
        Ok(args)
    }

    /// Creates it there. Where the answer is lost, its own id tells whether it was created.
    async fn put(&self, client: &Client, id: &str, place: Place) -> Result<Answer> {
        let request = client.request(&CREATE_NETWORK, &self.request(id, place)?)?;
        let look = async || match client.call(&GET_NETWORK, &Args::new().set(NETWORK.name, id)).await {
            Ok(network) => Ok(Some(network)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        match client.send_named(&CREATE_NETWORK, &request, look).await {
            Ok(Once::Answered(_, made) | Once::AnsweredAgain(_, made) | Once::Found(made)) => Ok(made),
            Err(error) if error.is_in_doubt() => Err(left(error, id)),
            Err(error) => Err(error.about(&format!("network {}", self.name))),
        }
    }

    /// How the list shows it. One that does not have it yet proves nothing, and is asked once more.
    async fn check(&self, client: &Client, id: &str, place: Place) -> Result<Seen> {
        let all = client.call(&LIST_NETWORKS, &Args::new()).await?;
        if let Some(seen) = seen(&all, id, place) {
            return Ok(seen);
        }
        tokio::time::sleep(UNSEEN_PAUSE).await;
        let by_id = client.call(&GET_NETWORK, &Args::new().set(NETWORK.name, id)).await;
        let all = client.call(&LIST_NETWORKS, &Args::new()).await?;
        if let Some(seen) = seen(&all, id, place) {
            return Ok(seen);
        }
        let shown = match by_id {
            Ok(_) => "NAPI shows it by its id, and no list of it does",
            Err(error) if error.kind() == Kind::NotFound => "NAPI shows it neither by its id nor in a list",
            Err(_) => "no list of NAPI shows it",
        };
        let Place { vlan, subnet } = place;
        Ok(Seen::Never(format!(
            "network {} ({id}, VLAN {vlan}, {subnet}) was created, and {shown}: nobody can tell what is in its way",
            self.name
        )))
    }
}

/// How the list of all networks shows one that was created.
enum Seen {
    /// With nothing in its way.
    Alone,
    /// With this in its way.
    Beside(String),
    /// It does not, which is said here.
    Never(String),
}

/// How a list shows a network of this id and place; nothing where it does not have it.
fn seen(all: &Answer, id: &str, place: Place) -> Option<Seen> {
    if !all.rows().any(|row| row.text("/uuid").is_some_and(|other| other == id)) {
        return None;
    }
    let (first, last) = bounds(place.subnet);
    let overlaps = |row| subnet(row).map(bounds).is_some_and(|(low, high)| first <= high && low <= last);
    let mut others = all.rows().filter(|row| row.text("/uuid").is_none_or(|other| other != id));
    let other = others.find(|row| vlan(*row) == Some(place.vlan) || overlaps(*row));
    Some(other.map_or(Seen::Alone, |row| Seen::Beside(format!("network {}", row.text("/uuid").unwrap_or_default()))))
}

/// Deletes a network that was created here.
async fn remove(client: &Client, id: &str) -> Result<()> {
    match client.call(&DELETE_NETWORK, &Args::new().set(NETWORK.name, id)).await {
        Err(error) if error.kind() != Kind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn interrupted(stop: &Stop) -> Result<()> {
    match stop.is_asked() {
        true => Err(Error::new(Kind::Interrupted, "interrupted: no network was created")),
        false => Ok(()),
    }
}

/// The error, with the command that deletes what may be left.
fn left(error: Error, id: &str) -> Error {
    let delete = Args::new().set(NETWORK.name, id).command(&crate::api::admin::NAPI, &DELETE_NETWORK);
    error.hint(Hint::run(format!("network {id} may be left, and in another one's way"), delete))
}

fn vlan(row: Row<'_>) -> Option<u16> {
    row.text("/vlan_id")?.parse().ok()
}

/// The subnet of a network. One of IPv6 is in nobody's way here.
fn subnet(row: Row<'_>) -> Option<Cidr> {
    net::cidr(&row.text("/subnet")?).ok()
}

fn bounds(subnet: Cidr) -> (u32, u32) {
    (subnet.first().to_bits(), subnet.last().to_bits())
}

/// The first free blocks of a size. `taken` is sorted.
fn free_blocks(within: Cidr, prefix: u8, taken: &[(u32, u32)], count: usize) -> Vec<Cidr> {
    let size = 1_u64 << (32 - u32::from(prefix));
    let (mut next, last) = (u64::from(within.first().to_bits()), u64::from(within.last().to_bits()));
    let mut taken = taken.iter().map(|(low, high)| (u64::from(*low), u64::from(*high))).peekable();
    let mut found = Vec::new();
    while next + size - 1 <= last && found.len() < count {
        match taken.peek() {
            Some((_, high)) if *high < next => drop(taken.next()),
            Some((low, high)) if *low < next + size => next = (high / size + 1) * size,
            _ => {
                let address = Ipv4Addr::from(u32::try_from(next).unwrap_or(u32::MAX));
                found.push(Cidr { address, length: prefix });
                next += size;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cidr(text: &str) -> Cidr {
        net::cidr(text).unwrap()
    }

    fn blocks(within: &str, prefix: u8, taken: &[&str]) -> Vec<String> {
        let mut taken: Vec<(u32, u32)> = taken.iter().map(|text| bounds(cidr(text))).collect();
        taken.sort_unstable();
        free_blocks(cidr(within), prefix, &taken, 3).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn free_blocks_lie_between_what_is_taken() {
        let none: [&str; 0] = [];
        assert_eq!(blocks("10.0.0.0/8", 24, &[]), ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]);
        assert_eq!(
            blocks("10.0.0.0/8", 24, &["10.0.1.128/25", "10.0.0.0/30"]),
            ["10.0.2.0/24", "10.0.3.0/24", "10.0.4.0/24"]
        );
        // One that holds another does not end with it.
        assert_eq!(blocks("10.0.0.0/14", 16, &["10.0.0.0/15", "10.0.0.0/24", "10.3.0.0/16"]), ["10.2.0.0/16"]);
        assert_eq!(blocks("10.0.0.0/24", 24, &["0.0.0.0/0"]), none);
        assert_eq!(blocks("255.255.255.0/24", 25, &["255.255.255.0/25"]), ["255.255.255.128/25"]);
        assert_eq!(blocks("255.255.255.0/24", 24, &["255.255.255.255/32"]), none);
    }

    fn answer(rows: &str) -> Answer {
        Answer::from_rows(rows.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_exhausted_is_said() {
        let one = SmartNetwork { vlans: 2..=3, within: cidr("10.0.0.0/23"), ..SmartNetwork::new("x") };
        let taken = |rows: &str| one.choose(&answer(rows), 0);
        let place = taken(r#"[{"vlan_id":2,"subnet":"10.0.0.0/24"},{"vlan_id":"7","subnet":"fd00::/64"},{}]"#).unwrap();
        assert_eq!((place.vlan, place.subnet.to_string()), (3, "10.0.1.0/24".to_owned()));
        let error = taken(r#"[{"vlan_id":2},{"vlan_id":3}]"#).unwrap_err();
        assert_eq!(error.message(), "the VLANs are exhausted: networks have each of 2 to 3");
        let error = taken(r#"[{"vlan_id":0,"subnet":"10.0.0.0/8"}]"#).unwrap_err();
        assert_eq!(error.message(), "the subnets are exhausted: no /24 is free in 10.0.0.0/23");
    }

    #[test]
    fn a_size_that_does_not_fit_is_refused() {
        let new = SmartNetwork::new("x");
        for (network, words) in [
            (SmartNetwork { prefix: 31, ..new.clone() }, "a network cannot be a /31"),
            (SmartNetwork { within: cidr("10.0.0.0/25"), ..new.clone() }, "a /24 does not fit into 10.0.0.0/25"),
            (SmartNetwork { vlans: 0..=9, ..new.clone() }, "0-9 is not a range of VLANs"),
            (SmartNetwork { vlans: 9..=4095, ..new.clone() }, "9-4095 is not a range of VLANs"),
        ] {
            assert_eq!(network.fits().unwrap_err().message(), words);
        }
        assert!(new.fits().is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_free_block_overlaps(taken in prop::collection::vec((0_u32..4096, 20_u8..=32), 0..12), prefix in 22_u8..=30) {
            let mut taken: Vec<(u32, u32)> = taken
                .into_iter()
                .map(|(low, length)| bounds(Cidr { address: Ipv4Addr::from(0x0a00_0000 + low), length }))
                .collect();
            taken.sort_unstable();
            let free = free_blocks(cidr("10.0.0.0/20"), prefix, &taken, usize::MAX);
            let inside = |(low, high): (u32, u32), address: u32| low <= address && address <= high;
            for address in (0x0a00_0000_u32..0x0a00_1000).step_by(1 << (32 - prefix)) {
                let block = bounds(Cidr { address: Ipv4Addr::from(address), length: prefix });
                let is_free = taken.iter().all(|other| !(block.0 <= other.1 && other.0 <= block.1));
                prop_assert_eq!(free.iter().any(|one| inside(bounds(*one), address)), is_free);
            }
        }
    }
}
