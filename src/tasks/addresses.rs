//! How a machine is reached: by which of its addresses, on which port, past which bastion. It reads what the
//! service says, and trusts none of it. `route` asks the service.
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
//! use sdc::tasks::addresses::AddressChoice;
//! use sdc::tasks::route;
//!
//! let web1 = route::machine(&client, "web1").await?;
//! assert_eq!(web1.login_address(&AddressChoice::Usual, &Default::default())?.to_string(), "198.18.0.10");
//! // Only the list of networks shows which addresses are private.
//! let networks = route::networks(&client, &AddressChoice::Private).await?;
//! assert_eq!(web1.one(&AddressChoice::Private, &networks)?.ip.to_string(), "192.168.128.5");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use serde_json::Value;

use super::resolve::{self, is_uuid};
use crate::answer::Row;
use crate::api::cloudapi::networks;
use crate::client::Client;
use crate::error::{CommandLine, Error, Hint, Kind, Result};

/// Tags by which a machine says how it wants to be reached: node-triton's, so that both tools go the same way.
const IP: &str = "tritoncli.ssh.ip";
const PORT: &str = "tritoncli.ssh.port";
const PROXY: &str = "tritoncli.ssh.proxy";
const PROXY_USER: &str = "tritoncli.ssh.proxyuser";

/// Who logs in where nothing says otherwise.
pub const ROOT: &str = "root";
/// No system knows longer logins.
const MAX_USER_LEN: usize = 255;

/// A machine, as far as reaching it goes.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Its id, which is a whole UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its state, in the service's word.
    pub state: String,
    /// The id of its image; may be empty.
    pub image: String,
    /// Its addresses, in the service's order. What is no address, such as `dhcp`, is left out.
    pub addresses: Vec<Address>,
    tags: HashMap<&'static str, String>,
}

/// One address of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The id of its network; empty where the service does not tell.
    pub network: String,
    /// Whether it is the machine's first one.
    pub primary: bool,
}

/// A choice as it was typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// The address in this network: id, short id or name.
    pub network: Option<&'a str>,
    /// A public one.
    pub public: bool,
    /// A private one.
    pub private: bool,
}

impl Typed<'_> {
    /// Looks the network up.
    ///
    /// # Errors
    /// There is no such network.
    pub async fn choice(&self, client: &Client) -> Result<AddressChoice> {
        Ok(match self {
            Typed { network: Some(typed), .. } => {
                AddressChoice::Network(resolve::id(client, &networks::NETWORK, typed).await?)
            }
            Typed { public: true, .. } => AddressChoice::Public,
            Typed { private: true, .. } => AddressChoice::Private,
            _ => AddressChoice::Usual,
        })
    }
}

/// Which of the addresses is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AddressChoice {
    /// The one that the machine's tag names, or else the primary one.
    #[default]
    Usual,
    /// One that the internet reaches.
    Public,
    /// One that it does not.
    Private,
    /// The one in this network: its id.
    Network(String),
}

/// Of each network by its id, whether it is public.
pub type Networks = HashMap<String, bool>;

/// A bastion on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who logs in there.
    pub user: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its port, where it is another one than ssh's own.
    pub port: Option<u16>,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, bracketed(self.ip))?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// An address before a colon: one that has colons itself needs brackets.
pub fn bracketed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

impl Machine {
    /// Reads what the service says of a machine.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] for what is no machine.
    pub fn read(row: Row<'_>) -> Result<Machine> {
        let text = |pointer: &str| row.text(pointer).unwrap_or_default().into_owned();
        let id = text("/id");
        if !is_uuid(&id) {
            return Err(Error::new(Kind::Unreachable, "the answer is not a machine: it has no id"));
        }
        let tag = |name: &'static str| Some((name, row.text(&format!("/tags/{name}"))?.into_owned()));
        Ok(Machine {
            id,
            name: text("/name"),
            state: text("/state"),
            image: text("/image"),
            addresses: addresses(row),
            tags: [IP, PORT, PROXY, PROXY_USER].into_iter().filter_map(tag).collect(),
        })
    }

    /// The addresses that fit, in the service's order.
    pub fn fitting(&self, choice: &AddressChoice, networks: &Networks) -> Vec<&Address> {
        let fits = |address: &&Address| match choice {
            AddressChoice::Usual => true,
            AddressChoice::Public => is_public(address, networks),
            AddressChoice::Private => !is_public(address, networks),
            AddressChoice::Network(id) => address.network == *id,
        };
        self.addresses.iter().filter(fits).collect()
    }

    /// The one that fits: the primary one if it does, else the first.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when none does.
    pub fn one(&self, choice: &AddressChoice, networks: &Networks) -> Result<&Address> {
        let fitting = self.fitting(choice, networks);
        let one = fitting.iter().find(|address| address.primary).or(fitting.first()).copied();
        one.ok_or_else(|| self.none(choice))
    }

    fn none(&self, choice: &AddressChoice) -> Error {
        let what = match choice {
            AddressChoice::Usual => "no address".to_owned(),
            AddressChoice::Public => "no public address".to_owned(),
            AddressChoice::Private => "no private address".to_owned(),
            AddressChoice::Network(id) => format!("no address in the network {id}"),
        };
        if self.addresses.is_empty() && matches!(self.state.as_str(), "failed" | "deleted") {
            let words = format!("machine {} is {}: it has {what}", self.name, self.state);
            let why = CommandLine::new("machines why").on(&self.id);
            return Error::new(Kind::NotFound, words).hint(Hint::run("to see what became of it", why));
        }
        let error = Error::new(Kind::NotFound, format!("machine {} has {what}", self.name));
        if self.addresses.is_empty() {
            return error
                .hint(Hint::run(format!("it is {}", self.state), CommandLine::new("machines get").on(&self.id)));
        }
        error.hint(format!("it has {}", self.all()))
    }

    fn all(&self) -> String {
        self.addresses.iter().map(|address| address.ip.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Where to log in: the address that was chosen, else that of the tag, else the primary one.
    ///
    /// # Errors
    /// None fits, or the tag names no address of the machine.
    pub fn login_address(&self, choice: &AddressChoice, networks: &Networks) -> Result<IpAddr> {
        match (choice, self.tags.get(IP)) {
            (AddressChoice::Usual, Some(text)) => {
                let ip = text.parse().ok().filter(|ip| self.addresses.iter().any(|address| address.ip == *ip));
                ip.ok_or_else(|| match self.addresses.as_slice() {
                    [] => self.none(choice),
                    _ => self
                        .wrong(IP, "is none of its addresses")
                        .hint(format!("it has {}", self.all()))
                        .hint("past the tag: --public, --private, --network NETWORK"),
                })
            }
            _ => self.one(choice, networks).map(|address| address.ip),
        }
    }

    /// The port of its tag.
    ///
    /// # Errors
    /// The tag is no port.
    pub fn port(&self) -> Result<Option<u16>> {
        let Some(text) = self.tags.get(PORT) else { return Ok(None) };
        // Digits alone: a number may be written in more ways than a port.
        let port = text.parse().ok().filter(|port| *port > 0 && text.bytes().all(|b| b.is_ascii_digit()));
        port.map(Some).ok_or_else(|| self.wrong(PORT, "is not a port from 1 to 65535"))
    }

    /// The bastion of its tag: a name or an id.
    ///
    /// # Errors
    /// The tag is empty.
    pub fn proxy(&self) -> Result<Option<&str>> {
        match self.tags.get(PROXY).map(String::as_str) {
            Some("") => Err(self.wrong(PROXY, "names no machine").hint("without it: --no-proxy")),
            proxy => Ok(proxy),
        }
    }

    /// Who logs in to it where it is a bastion, by its tag.
    ///
    /// # Errors
    /// The tag is no login.
    pub fn proxy_user(&self) -> Result<Option<&str>> {
        let Some(text) = self.tags.get(PROXY_USER) else { return Ok(None) };
        if is_login(text) { Ok(Some(text)) } else { Err(self.wrong(PROXY_USER, "is not a login")) }
    }

    fn wrong(&self, tag: &'static str, why: &str) -> Error {
        let text: String = self.tags.get(tag).map(|text| text.chars().take(80).collect()).unwrap_or_default();
        Error::other(format!("machine {}: its tag {tag} = '{text}' {why}", self.name))
    }
}

/// Who logs in to the machines of an image, where it says so.
///
/// # Errors
/// What it says is no login.
pub fn default_user(image: Row<'_>) -> Result<Option<String>> {
    let Some(user) = image.text("/tags/default_user") else { return Ok(None) };
    if is_login(&user) {
        return Ok(Some(user.into_owned()));
    }
    let (name, user) = (image.text("/name").unwrap_or_default(), user.chars().take(80).collect::<String>());
    Err(Error::other(format!("image {name}: its tag default_user = '{user}' is not a login")).hint("--login USER"))
}

/// Whether it is a login and nothing that ssh could take for an option, or for more than a login.
pub fn is_login(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_USER_LEN
        && !text.starts_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// `[USER@]MACHINE`: the user that was typed, and the machine.
///
/// # Errors
/// A usage error where one of them is empty, or the user would be an option.
pub fn split_user(typed: &str) -> Result<(Option<&str>, &str)> {
    let (user, machine) = match typed.rsplit_once('@') {
        Some((user, machine)) => (Some(typed_user(user)?), machine),
        None => (None, typed),
    };
    if machine.is_empty() {
        return Err(Error::usage(format!("'{typed}' names no machine: is a variable unset?")));
    }
    Ok((user, machine))
}

/// A user that was typed may have signs that no tag may: a domain's, say.
///
/// # Errors
/// A usage error for nothing at all, for an option, and for what has blanks in it.
pub fn typed_user(user: &str) -> Result<&str> {
    if user.is_empty() || user.starts_with('-') || user.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(Error::usage(format!("'{user}' is not a login")));
    }
    Ok(user)
}

fn addresses(row: Row<'_>) -> Vec<Address> {
    let list = |pointer: &str| -> Vec<Value> {
        row.text(pointer).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found: Vec<Address> = Vec::new();
    let mut add = |ip: String, network: String, primary: bool| {
        if let Ok(ip) = ip.parse() {
            found.push(Address { ip, network, primary });
        }
    };
    let nics = list("/nics");
    for nic in &nics {
        add(text(nic.get("ip")), text(nic.get("network")), nic.get("primary") == Some(&Value::Bool(true)));
    }
    // Services before 9.10 tell the same in two lists.
    if nics.is_empty() {
        let networks = list("/networks");
        for (at, ip) in list("/ips").iter().enumerate() {
            add(text(Some(ip)), text(networks.get(at)), false);
        }
    }
    if !found.iter().any(|address| address.primary) {
        let primary: Option<IpAddr> = row.text("/primaryIp").and_then(|text| text.parse().ok());
        let at = found.iter().position(|address| Some(address.ip) == primary);
        match (at, primary) {
            (None, Some(ip)) => found.insert(0, Address { ip, network: String::new(), primary: true }),
            (at, _) => found.get_mut(at.unwrap_or(0)).into_iter().for_each(|address| address.primary = true),
        }
    }
    found
}

/// By its network; and by itself where the network is in no list, as those behind a pool are.
fn is_public(address: &Address, networks: &Networks) -> bool {
    networks.get(&address.network).copied().unwrap_or(match address.ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answer;

    const ID: &str = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";

    fn machine(rest: &Value) -> Machine {
        let mut all = serde_json::json!({ "id": ID, "name": "web1", "state": "running" });
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        Machine::read(Answer::from_record(all.to_string().as_bytes()).unwrap().first().unwrap()).unwrap()
    }

    /// Two networks, one of them public; the tags are given.
    fn tagged(tags: &Value) -> Machine {
        machine(&serde_json::json!({ "tags": tags, "nics": [
            { "ip": "10.0.0.7", "network": "inner", "primary": false },
            { "ip": "198.18.0.7", "network": "outer", "primary": true },
            { "ip": "198.18.0.8", "network": "outer", "primary": false },
            { "ip": "dhcp", "network": "outer" },
        ] }))
    }

    fn networks() -> Networks {
        [("inner".to_owned(), false), ("outer".to_owned(), true)].into()
    }

    #[test]
    fn the_primary_address_is_meant_unless_another_is_chosen() {
        let machine = tagged(&serde_json::json!({}));
        for (choice, expected) in [
            (AddressChoice::Usual, "198.18.0.7"),
            (AddressChoice::Public, "198.18.0.7"),
            (AddressChoice::Private, "10.0.0.7"),
            (AddressChoice::Network("inner".to_owned()), "10.0.0.7"),
        ] {
            let ip = machine.login_address(&choice, &networks()).unwrap();
            assert_eq!(ip.to_string(), expected, "{choice:?}");
        }
        assert_eq!(machine.fitting(&AddressChoice::Public, &networks()).len(), 2);
        let error = machine.login_address(&AddressChoice::Network("elsewhere".to_owned()), &networks()).unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert_eq!(error.hints(), ["it has 10.0.0.7, 198.18.0.7, 198.18.0.8"]);
    }

    #[test]
    fn the_network_says_what_is_public_and_the_address_where_no_list_has_the_network() {
        let machine = tagged(&serde_json::json!({}));
        let swapped: Networks = [("inner".to_owned(), true), ("outer".to_owned(), false)].into();
        let public = |networks: &Networks| machine.one(&AddressChoice::Public, networks).unwrap().ip.to_string();
        assert_eq!(public(&swapped), "10.0.0.7");
        assert_eq!(public(&Networks::new()), "198.18.0.7");
        for (ip, expected) in [
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("169.254.1.1", false),
            ("203.0.113.9", true),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", true),
        ] {
            let address = Address { ip: ip.parse().unwrap(), network: String::new(), primary: true };
            assert_eq!(is_public(&address, &Networks::new()), expected, "{ip}");
        }
    }

    #[test]
    fn a_tag_names_one_of_the_machines_own_addresses_or_it_is_refused() {
        let tag = |ip: &str| tagged(&serde_json::json!({ IP: ip }));
        let usual = |machine: &Machine| machine.login_address(&AddressChoice::Usual, &networks());
        assert_eq!(usual(&tag("10.0.0.7")).unwrap().to_string(), "10.0.0.7");
        for text in ["10.0.0.99", "-oProxyCommand=reboot", "10.0.0.7 -v", "10.0.0.7\n", "", "web1"] {
            let error = usual(&tag(text)).unwrap_err();
            assert!(error.message().contains("is none of its addresses"), "{error}");
            assert_eq!(error.hints()[0], "it has 10.0.0.7, 198.18.0.7, 198.18.0.8");
        }
        // What was typed goes before the tag, and so past one that is wrong.
        let chosen = tag("nonsense").login_address(&AddressChoice::Private, &networks()).unwrap();
        assert_eq!(chosen.to_string(), "10.0.0.7");
    }

    #[test]
    fn a_port_is_a_number_in_a_tag_of_either_type() {
        let port = |value: Value| tagged(&serde_json::json!({ PORT: value })).port();
        assert_eq!(port(2222.into()).unwrap(), Some(2222));
        assert_eq!(port("2222".into()).unwrap(), Some(2222));
        for value in ["0", "65536", "-1", "+22", "22 -v", "", "ssh"] {
            assert!(port(value.into()).is_err(), "{value}");
        }
        assert!(port(true.into()).is_err());
        assert!(port(22.5.into()).is_err());
    }

    #[test]
    fn a_login_from_the_service_is_letters_digits_and_little_else() {
        for user in ["root", "ubuntu", "a.b_c-d", "0day"] {
            assert!(is_login(user), "{user}");
        }
        for user in ["", "-oProxyCommand=x", "a b", "a@b", "a,b", "a:b", "a\nb", "\u{e4}", "$(id)", &"a".repeat(256)] {
            assert!(!is_login(user), "{user:?}");
            let image = serde_json::json!({ "name": "odd", "tags": { "default_user": user } }).to_string();
            assert!(default_user(Answer::from_record(image.as_bytes()).unwrap().first().unwrap()).is_err(), "{user:?}");
            assert!(tagged(&serde_json::json!({ PROXY_USER: user })).proxy_user().is_err(), "{user:?}");
        }
    }

    #[test]
    fn a_machine_without_interfaces_in_the_answer_has_its_lists_of_addresses() {
        let old = machine(&serde_json::json!({
            "ips": [null, "dhcp", "10.0.0.7", "198.18.0.7"],
            "networks": ["a", "b", "inner", "outer"],
            "primaryIp": "198.18.0.7",
        }));
        let expected = |ip: &str, network: &str, primary| Address {
            ip: ip.parse().unwrap(),
            network: network.to_owned(),
            primary,
        };
        assert_eq!(old.addresses, [expected("10.0.0.7", "inner", false), expected("198.18.0.7", "outer", true)]);
        let alone = machine(&serde_json::json!({ "primaryIp": "198.18.0.7" }));
        assert_eq!(alone.addresses, [expected("198.18.0.7", "", true)]);
    }

    #[test]
    fn an_answer_of_the_wrong_types_is_a_machine_without_addresses() {
        let odd = machine(&serde_json::json!({ "nics": 7, "ips": "10.0.0.7", "tags": ["x"], "primaryIp": {} }));
        assert!(odd.addresses.is_empty());
        assert_eq!(odd.one(&AddressChoice::Usual, &Networks::new()).unwrap_err().kind(), Kind::NotFound);
        let odder = machine(&serde_json::json!({ "nics": [7, null, [], { "ip": 7 }], "networks": {} }));
        assert!(odder.addresses.is_empty());
    }

    #[test]
    fn the_user_stands_before_the_last_at_sign() {
        assert_eq!(split_user("web1").unwrap(), (None, "web1"));
        assert_eq!(split_user("jill@web1").unwrap(), (Some("jill"), "web1"));
        assert_eq!(split_user("jill@corp@web1").unwrap(), (Some("jill@corp"), "web1"));
        for typed in ["", "@web1", "jill@", "-oX=y@web1", "a b@web1", "a\tb@web1"] {
            assert_eq!(split_user(typed).unwrap_err().kind(), Kind::Usage, "{typed:?}");
        }
    }

    #[test]
    fn a_hop_is_written_as_ssh_reads_it() {
        let hop = |ip: &str, port| Hop { user: "root".to_owned(), ip: ip.parse().unwrap(), port }.to_string();
        assert_eq!(hop("10.0.0.7", None), "root@10.0.0.7");
        assert_eq!(hop("10.0.0.7", Some(2222)), "root@10.0.0.7:2222");
        assert_eq!(hop("fd00::7", Some(2222)), "root@[fd00::7]:2222");
    }
}
