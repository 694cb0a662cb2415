//! Which proxy a URL is reached through, read from the variables that curl reads. A value that cannot be read is an
//! error: to go without a proxy where one was set would show requests to a network that must not see them.

use std::fmt;
use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::{Origin, Setting};

use crate::error::{Error, Result, withheld};
use crate::sensitive;

/// How a URL is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Without a proxy, for none is set.
    Direct,
    /// Without the proxy of `proxy`, for `no_proxy` covers the host.
    Exempt {
        /// The variable or the setting that names a proxy.
        proxy: Origin,
        /// The variable that exempts the host.
        no_proxy: &'static str,
    },
    /// Through a proxy.
    Through(Proxy),
}

/// A proxy, and what names it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The variable, such as `https_proxy`, or the setting.
    pub origin: Origin,
    /// It may hold a password, so that nothing shows it.
    url: Url,
}

impl Proxy {
    /// The proxy's URL with user and password: for connecting, not for showing.
    pub(crate) fn secret_url(&self) -> &Url {
        &self.url
    }

    /// How another URL is said in its place.
    pub fn example(&self, url: &str) -> String {
        self.origin.example(url)
    }

    /// How to go without it.
    pub fn without(&self) -> String {
        without(&self.origin)
    }

    /// Whether a user or a password stands in the variable.
    pub fn has_login(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// `http`, `https`, or a version of SOCKS.
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Host and port.
    pub fn place(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or(SOCKS_PORT);
        format!("{}:{port}", self.url.host_str().unwrap_or_default())
    }
}

/// Scheme, host and port.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.place())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self} from {})", self.origin)
    }
}

const SCHEMES: &[&str] = &["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
const SOCKS_PORT: u16 = 1080;
/// No URL of a proxy is longer, in bytes.
const MAX_LEN: usize = 4096;
/// What stands between two dots of a host's name, in bytes (RFC 1035).
const MAX_LABEL_LEN: usize = 63;

/// What is said in the place of a proxy for there to be none.
const NONE: &str = "none";

/// The route to a URL: through the proxy that is chosen for this program alone, or that of the variables. Of each pair of
/// them the lower-case one wins, and an empty one counts as unset.
///
/// # Errors
/// A usage error for a proxy that cannot be read. It repeats nothing of its value.
pub fn route(url: &Url, chosen: Option<&Setting<SecretString>>, var: &dyn Fn(&str) -> Option<String>) -> Result<Route> {
    let own: &[&'static str] = match url.scheme() {
        "https" => &["https_proxy", "HTTPS_PROXY"],
        // A web server sets HTTP_PROXY for a CGI program from a header that anybody can send.
        _ if var("REQUEST_METHOD").is_some() => &["http_proxy"],
        _ => &["http_proxy", "HTTP_PROXY"],
    };
    let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, var(name)?)));
    let variable = || first(own).or_else(|| first(&["all_proxy", "ALL_PROXY"]));
    let (origin, value) = match chosen {
        Some(Setting { value, .. }) if is_none(value.expose_secret()) => return Ok(Route::Direct),
        Some(Setting { value, origin }) => (origin.clone(), value.expose_secret().to_owned()),
        None => match variable() {
            Some((name, value)) => (Origin::Env(name), value),
            None => return Ok(Route::Direct),
        },
    };
    if let Some((no_proxy, list)) = first(&["no_proxy", "NO_PROXY"])
        && exempts(&list, url)
    {
        return Ok(Route::Exempt { proxy: origin, no_proxy });
    }
    Ok(Route::Through(Proxy { url: read(&origin, &value)?, origin }))
}

/// Whether this says that there is to be no proxy.
pub fn is_none(value: &str) -> bool {
    value.eq_ignore_ascii_case(NONE)
}

/// Refuses what is no proxy.
pub(super) fn check(value: &str, origin: &Origin) -> Result<()> {
    if is_none(value) { Ok(()) } else { read(origin, value).map(|_| ()) }
}

fn without(origin: &Origin) -> String {
    match origin {
        Origin::Env(name) if *name != "SDC_PROXY" => format!("unset {name}"),
        other => other.example(NONE),
    }
}

/// Reads a proxy's URL, strictly: what one program takes for a part of the password is a host to another.
fn read(origin: &Origin, value: &str) -> Result<Url> {
    let wrong = |why: &str| {
        Error::usage(format!("{origin} is not the URL of a proxy: {why}"))
            .hint(format!("{}, or with a login http://USER:PASSWORD@HOST:PORT", origin.example("http://HOST:PORT")))
            .hint(format!("to go without a proxy: {}, or name the host in NO_PROXY", without(origin)))
    };
    let value = value.trim();
    if value.len() > MAX_LEN {
        return Err(wrong("it is too long"));
    }
    let strange = |letter: char| letter.is_control() || letter.is_whitespace() || letter == '\u{fffd}';
    if value.chars().any(strange) {
        return Err(wrong("white space and control characters must be percent-encoded (a blank is %20)"));
    }
    let whole = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let (scheme, rest) = whole.split_once("://").unwrap_or_default();
    if !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(wrong(&format!("its scheme is not one of {}", SCHEMES.join(", "))));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if rest.get(authority.len()..).is_some_and(|path| path.contains('@')) {
        return Err(wrong("/, ? and # in a user or password must be percent-encoded (%2F, %3F, %23)"));
    }
    let (_, host) = authority.rsplit_once('@').unwrap_or_default();
    let host = if authority.contains('@') { host } else { authority };
    if host.ends_with(':') {
        return Err(wrong("a port is missing after the colon"));
    }
    // Only the kind of error: the words of the parser hold nothing of the value.
    let url = Url::parse(&whole).map_err(|error| wrong(&error.to_string()))?;
    let plain = |name: &str| name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
    let good = match url.host() {
        Some(Host::Domain(name)) => !name.is_empty() && plain(name) && sensitive::sort(name).is_none(),
        Some(_) => true,
        None => false,
    };
    if !good {
        return Err(wrong("it names no host"));
    }
    // It is shown wherever something goes wrong, and may be a token that somebody took for a login.
    let too_long = |label: &str| label.len() > MAX_LABEL_LEN;
    if url.host_str().is_some_and(|host| host.split('.').any(too_long)) {
        return Err(wrong("it names no host: a part of it is longer than any of a host's name"));
    }
    // SOCKS has one byte for the length of each.
    let longest = url.username().len().max(url.password().map_or(0, str::len));
    if url.scheme().starts_with("socks") && longest > 255 {
        return Err(wrong("SOCKS takes no user or password of more than 255 bytes"));
    }
    if url.port() == Some(0) {
        return Err(wrong("there is no port 0"));
    }
    if let Some(password) = url.password() {
        withheld::remember(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }
    Ok(url)
}

/// Whether a list of hosts, as in `NO_PROXY`, covers this URL's host: names with all below them, addresses, networks
/// (`10.0.0.0/8`), each with a port or without, and `*` for all.
fn exempts(list: &str, url: &Url) -> bool {
    let port = url.port_or_known_default();
    let entries = list.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
    match url.host() {
        Some(Host::Domain(host)) => {
            let host = host.trim_end_matches('.');
            entries.into_iter().any(|entry| entry == "*" || covers_name(entry, host, port))
        }
        Some(Host::Ipv4(address)) => {
            entries.into_iter().any(|entry| entry == "*" || covers(entry, address.into(), port))
        }
        Some(Host::Ipv6(address)) => {
            entries.into_iter().any(|entry| entry == "*" || covers(entry, address.into(), port))
        }
        None => false,
    }
}

fn covers_name(entry: &str, host: &str, port: Option<u16>) -> bool {
    let name = match entry.rsplit_once(':') {
        Some((name, digits)) if digits.parse().ok() == port && port.is_some() => name,
        Some(_) => return false,
        None => entry,
    };
    let name = name.strip_prefix("*.").or(name.strip_prefix('.')).unwrap_or(name).trim_end_matches('.');
    let (name, host) = (name.to_ascii_lowercase(), host.to_ascii_lowercase());
    let below = || host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'));
    !name.is_empty() && (host == name || below())
}

fn covers(entry: &str, host: IpAddr, port: Option<u16>) -> bool {
    let same_port = |digits: &str| port.is_some() && digits.parse().ok() == port;
    if let Some((network, bits)) = entry.split_once('/') {
        let network = bare(network).parse();
        return network.is_ok_and(|network| bits.parse().is_ok_and(|bits| within(host, network, bits)));
    }
    // A bare IPv6 address has colons of its own, so that its port needs brackets.
    if let Ok(address) = bare(entry).parse::<IpAddr>() {
        return address == host;
    }
    entry.rsplit_once(':').is_some_and(|(address, digits)| {
        bare(address).parse::<IpAddr>().is_ok_and(|address| address == host) && same_port(digits)
    })
}

fn bare(address: &str) -> &str {
    address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address)
}

fn within(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (host, network, width) = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => (u128::from(host.to_bits()), u128::from(network.to_bits()), 32),
        (IpAddr::V6(host), IpAddr::V6(network)) => (host.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    // Nothing is left of either when all bits are shifted out.
    bits <= width && (host ^ network).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(url: &str, vars: &[(&'static str, &'static str)]) -> Result<Route> {
        let vars: Vec<_> = vars.to_vec();
        let lookup = move |name: &str| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned()).filter(|value| !value.is_empty())
        };
        route(&Url::parse(url).unwrap(), None, &lookup)
    }

    fn through(url: &str, vars: &[(&'static str, &'static str)]) -> String {
        match routed(url, vars).unwrap() {
            Route::Through(proxy) => format!("{} {proxy}", proxy.origin),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_lower_case_variable_wins_and_the_schemes_own_before_that_for_all() {
        let all = [("https_proxy", "a"), ("HTTPS_PROXY", "b"), ("all_proxy", "c"), ("ALL_PROXY", "d")];
        for (from, expected) in [
            (0, "https_proxy http://a:80"),
            (1, "HTTPS_PROXY http://b:80"),
            (2, "all_proxy http://c:80"),
            (3, "ALL_PROXY http://d:80"),
        ] {
            assert_eq!(through("https://cloud.example", &all[from..]), expected);
        }
        assert_eq!(through("http://cloud.example", &all[..2]), "Direct");
        assert_eq!(
            through("http://cloud.example", &[("http_proxy", "a"), ("HTTP_PROXY", "b")]),
            "http_proxy http://a:80"
        );
        assert_eq!(
            through("http://cloud.example", &[("http_proxy", ""), ("HTTP_PROXY", "b")]),
            "HTTP_PROXY http://b:80"
        );
        // As a CGI program: anybody can set HTTP_PROXY by the header Proxy.
        assert_eq!(through("http://cloud.example", &[("HTTP_PROXY", "b"), ("REQUEST_METHOD", "GET")]), "Direct");
    }

    #[test]
    fn every_kind_of_proxy_is_read_and_shown_without_its_password() {
        for (value, expected) in [
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("http://user:p%20w@proxy.example:3128/", "http://proxy.example:3128"),
            ("user:pw@proxy.example", "http://proxy.example:80"),
            ("HTTPS://proxy.example", "https://proxy.example:443"),
            ("http://[::1]:3128", "http://[::1]:3128"),
            ("socks5h://user:pw@proxy.example", "socks5h://proxy.example:1080"),
            ("socks5://127.0.0.1:9050", "socks5://127.0.0.1:9050"),
            ("http://user:p@ss:w@proxy.example:3128", "http://proxy.example:3128"),
        ] {
            let Route::Through(proxy) = routed("https://cloud.example", &[("https_proxy", value)]).unwrap() else {
                panic!("{value}")
            };
            assert_eq!(proxy.to_string(), expected, "{value}");
            assert!(!format!("{proxy:?}").contains("pw") && !format!("{proxy:?}").contains("user"), "{proxy:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_a_word_of_it() {
        for value in [
            "http://user:pa ss@host:99999",
            "http://secret:secret@host:99999",
            "http://secret:sec/ret@host:3128",
            "http://secret:1/secret@host:3128",
            "http://secret:1?secret@host:3128",
            "http://secret:1#secret@host:3128",
            "proxy.example:",
            "http://secret:secret@proxy.example:",
            "ftp://secret:secret@host",
            "secret://host",
            "http://",
            "http://secret:secret@",
            "http://secret:secret@:3128",
            "socks5://secret:secret@:1080",
            "socks5://ho%73t:1080",
            "http://host:port",
            "http://host:0",
            "http://[::1:3128",
            "http://secret\u{fffd}@host",
            "://host",
            "http:/host",
            "socks5://\u{e4}:1080",
        ] {
            let error = routed("https://cloud.example", &[("HTTPS_PROXY", value)]).expect_err(value);
            let words = format!("{error:?}");
            assert_eq!(error.kind(), crate::error::Kind::Usage, "{value}");
            assert!(error.message().starts_with("HTTPS_PROXY is not the URL of a proxy: "), "{words}");
            assert!(!words.contains("secret") && !words.contains("pa ss") && !words.contains("99999"), "{words}");
        }
        let long: &'static str = Box::leak(format!("http://u:{}@host", "x".repeat(MAX_LEN)).into_boxed_str());
        assert!(routed("https://cloud.example", &[("HTTPS_PROXY", long)]).is_err());
        // One that is not used is not looked at.
        assert_eq!(through("https://cloud.example", &[("http_proxy", "ftp://x")]), "Direct");
    }

    #[test]
    fn hosts_are_exempted_as_curl_does_it() {
        for (list, url, covered) in [
            ("*", "https://10.1.2.3", true),
            ("*", "https://[fd00::1]", true),
            ("*", "https://cloud.example", true),
            ("a, *", "https://10.1.2.3", true),
            ("cloud.example", "https://cloud.example", true),
            ("CLOUD.example", "https://Cloud.Example.", true),
            ("cloud.example.", "https://cloud.example", true),
            ("example", "https://cloud.example", true),
            (".example", "https://cloud.example", true),
            ("*.example", "https://cloud.example", true),
            (".cloud.example", "https://cloud.example", true),
            ("loud.example", "https://cloud.example", false),
            ("sub.cloud.example", "https://cloud.example", false),
            ("a b\tcloud.example", "https://cloud.example", true),
            ("a,,cloud.example,", "https://cloud.example", true),
            (".", "https://cloud.example", false),
            ("cloud.example:443", "https://cloud.example", true),
            ("cloud.example:8443", "https://cloud.example", false),
            ("cloud.example:8443", "https://cloud.example:8443", true),
            (".example:8443", "https://cloud.example:8443", true),
            ("10.1.2.3", "https://10.1.2.3", true),
            ("10.1.2.3:443", "https://10.1.2.3", true),
            ("10.1.2.3:80", "https://10.1.2.3", false),
            ("10.1.2.30", "https://10.1.2.3", false),
            ("2.3", "https://10.1.2.3", false),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.1.2.0/24", "https://10.1.2.3", true),
            ("10.1.3.0/24", "https://10.1.2.3", false),
            ("10.1.2.3/32", "https://10.1.2.3", true),
            ("10.1.2.2/32", "https://10.1.2.3", false),
            ("0.0.0.0/0", "https://10.1.2.3", true),
            ("10.0.0.0/33", "https://10.1.2.3", false),
            ("10.0.0.0/x", "https://10.1.2.3", false),
            ("10.0.0.0/8", "https://cloud.example", false),
            ("fd00::1", "https://[fd00::1]", true),
            ("[fd00::1]", "https://[fd00::1]", true),
            ("[fd00::1]:443", "https://[fd00::1]", true),
            ("[fd00::1]:80", "https://[fd00::1]", false),
            ("FD00:0:0::1", "https://[fd00::1]", true),
            ("fd00::/8", "https://[fd00::1]", true),
            ("[fd00::]/8", "https://[fd00::1]", true),
            ("fe00::/8", "https://[fd00::1]", false),
            ("::/0", "https://10.1.2.3", false),
            ("localhost", "https://localhost:8443", true),
        ] {
            let found = routed(url, &[("https_proxy", "p:1"), ("NO_PROXY", list)]).unwrap();
            assert_eq!(matches!(found, Route::Exempt { .. }), covered, "{list} {url}");
        }
        let both = [("https_proxy", "p:1"), ("no_proxy", "other"), ("NO_PROXY", "*")];
        assert!(matches!(routed("https://cloud.example", &both).unwrap(), Route::Through(_)));
    }
}
