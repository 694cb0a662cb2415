//! Where every setting comes from: flags, profiles, environment; and which of them won.
//!
//! A flag wins over all. Then either a named profile (`-p`, `SDC_PROFILE`, `TRITON_PROFILE`), which says
//! alone who is meant and where; or the environment, and what it leaves open the current profile.

pub mod cache;
mod check;
mod env;
pub mod exports;
mod load;
pub mod own;
pub mod paths;
mod pin;
pub mod profile;
pub mod proxy;
pub mod ssh_config;
mod unread;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use crate::grammar::duration::duration;
pub use check::{SIGNING, unfit};
pub use env::Env;
pub use load::{Flags, Lookup, Sources};
pub use paths::Dirs;
pub use pin::Pin;
pub use proxy::{Proxy, Route};

use secrecy::{ExposeSecret, SecretString};

use crate::error::{CommandLine, Error, Hint, Result};
use crate::sensitive;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An option, such as `--url`.
    Flag(&'static str),
    /// A profile.
    Profile {
        /// Its name.
        name: String,
        /// Its file.
        file: PathBuf,
    },
    /// The `profile` of this `config.json`.
    Current(PathBuf),
    /// A variable, such as `SDC_URL`.
    Env(&'static str),
    /// The file of [`own`].
    Own {
        /// The setting.
        name: &'static str,
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The profile whose section it is in.
        profile: Option<String>,
        /// The command whose section it is in.
        command: Option<String>,
    },
    /// Nobody said otherwise.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Env(name) => f.write_str(name),
            Origin::Profile { name, file } => write!(f, "profile {name} ({})", file.display()),
            Origin::Current(file) => write!(f, "{}", file.display()),
            // As compilers name a place.
            Origin::Own { name, file, line, .. } => write!(f, "{}:{line}: {name}", file.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

impl Origin {
    /// Where that is, for somebody who knows which setting it is.
    pub fn place(&self) -> String {
        match self {
            Origin::Own { file, line, .. } => format!("{}:{line}", file.display()),
            other => other.to_string(),
        }
    }

    /// How this value is said there.
    pub fn example(&self, value: &str) -> String {
        match self {
            Origin::Own { name, .. } => format!("{name}: {value}"),
            other => format!("{other}={value}"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    fn default(value: T) -> Self {
        Setting { value, origin: Origin::Default }
    }
}

/// What stands for options of the command that are not typed: settings of [`own::Reach::Command`].
#[derive(Clone, Debug, Default)]
pub struct Defaults(Vec<(&'static str, Setting<String>)>);

impl Defaults {
    /// The value for the option of this name.
    pub fn get(&self, name: &str) -> Option<&Setting<String>> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, setting)| setting)
    }

    /// All of them, with the names of their options.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Setting<String>)> {
        self.0.iter().map(|(name, setting)| (*name, setting))
    }
}

/// All settings. What a command cannot do without is asked for by a method, and only then missed.
#[derive(Clone, Debug)]
pub struct Config {
    /// The profile in use, if any.
    pub profile: Option<Setting<String>>,
    /// The service's URL, without a slash at its end.
    pub url: Option<Setting<String>>,
    /// The account's login.
    pub account: Option<Setting<String>>,
    /// The sub-user's login.
    pub user: Option<Setting<String>>,
    /// The roles to take up.
    pub roles: Option<Setting<Vec<String>>>,
    /// The account to act on, with the key of `account`.
    pub act_as: Option<Setting<String>>,
    /// Fingerprint or name of the key.
    pub key_id: Option<Setting<String>>,
    /// File of the private key.
    pub key_file: Option<Setting<PathBuf>>,
    /// The private key itself.
    pub key_material: Option<Setting<SecretString>>,
    /// File that holds the passphrase of the key.
    pub passphrase_file: Option<Setting<PathBuf>>,
    /// Certificates are not verified.
    pub insecure: Setting<bool>,
    /// File of certificates to trust.
    pub cacert: Option<Setting<PathBuf>>,
    /// Fingerprints of the only certificates or keys to trust.
    pub pins: Option<Setting<Vec<Pin>>>,
    /// The form of signature: one of [`SIGNING`].
    pub signing: Setting<String>,
    /// The versions of the API to accept, if not the client's own choice.
    pub accept_version: Option<Setting<String>>,
    /// How long a connection may take to be made.
    pub connect_timeout: Setting<Duration>,
    /// How long an answer may take.
    pub request_timeout: Setting<Duration>,
    /// How long a request that may be sent again is sent again, if not a few times alone.
    pub retry: Option<Setting<Duration>>,
    /// How many requests a second may be sent, if not the client's own choice.
    pub rate: Option<Setting<f64>>,
    /// The proxy to go through, as it was given, or `none`: it may hold a password.
    pub proxy: Option<Setting<SecretString>>,
    /// Where SAPI is, of the internal services: an address, or a headnode's configuration file.
    pub sapi: Option<Setting<String>>,
    /// Where others of them are: each `NAME=ADDRESS`, with commas between.
    pub services: Option<Setting<String>>,
    /// What stands for options that are not typed.
    pub defaults: Defaults,
    /// What counts for commands that have settings of their own, each with its command.
    pub of_commands: Vec<(String, &'static str, Setting<String>)>,
    /// The file that they are from.
    pub own: own::Own,
    /// What is odd, but no error: fields of a profile that nobody knows.
    pub warnings: Vec<String>,
    /// The folders.
    pub dirs: Dirs,
    /// The variables.
    pub env: Env,
}

/// So many profiles are named where one is missing.
const PROFILES_NAMED: usize = 6;

impl Config {
    /// The service's URL.
    ///
    /// # Errors
    /// A usage error that tells how to set it.
    pub fn url(&self) -> Result<&str> {
        self.url
            .as_ref()
            .map(|url| url.value.as_str())
            .ok_or_else(|| self.missing("URL of the service", "--url https://…", "SDC_URL"))
    }

    /// The account's login.
    ///
    /// # Errors
    /// A usage error that tells how to set it.
    pub fn account(&self) -> Result<&str> {
        let account = self.account.as_ref().map(|account| account.value.as_str());
        account.ok_or_else(|| self.missing("account", "--account LOGIN", "SDC_ACCOUNT"))
    }

    /// What says that a setting is missing, and how to set it: by a profile, where there is one.
    fn missing(&self, what: &str, flag: &str, variable: &str) -> Error {
        let error = Error::usage(format!("the {what} is not known"));
        let profiles = self.dirs.config.as_deref().filter(|_| self.profile.is_none());
        let profiles = profiles.and_then(|dir| profile::list(dir).ok()).unwrap_or_default();
        let error = match profiles.as_slice() {
            [] => error,
            [only] => error.hint(Hint::run("no profile is the current one", CommandLine::new("profile use").on(only))),
            all => {
                let named = all.iter().take(PROFILES_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = if all.len() > PROFILES_NAMED { ", …" } else { "" };
                error.hint(Hint::run(format!("of {named}{more} no profile is the current one"), "profile use NAME"))
            }
        };
        error
            .hint(flag)
            .hint(format!("export {variable}=…"))
            .hint(Hint::command("profile create NAME --use --url … --account … --key-id …"))
    }

    /// The account whose things are meant: that of `--act-as`, else the own one.
    ///
    /// # Errors
    /// As [`Config::account`].
    pub fn target(&self) -> Result<&str> {
        self.act_as.as_ref().map_or_else(|| self.account(), |account| Ok(&account.value))
    }

    /// The host of the URL, with its port unless that is the usual one.
    pub fn host(&self) -> Option<String> {
        let url = url::Url::parse(&self.url.as_ref()?.value).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// The variables that decide instead of the current profile, each once.
    pub fn overriding(&self) -> Vec<&'static str> {
        fn of<T>(setting: Option<&Setting<T>>) -> Option<&'static str> {
            match setting?.origin {
                Origin::Env(name) => Some(name),
                _ => None,
            }
        }
        let all = [
            of(self.profile.as_ref()),
            of(self.url.as_ref()),
            of(self.account.as_ref()),
            of(self.user.as_ref()),
            of(self.roles.as_ref()),
            of(self.act_as.as_ref()),
            of(self.key_id.as_ref()),
            of(Some(&self.insecure)),
        ];
        all.into_iter().flatten().collect()
    }

    /// Every setting as `(name, value, origin)`, for `sdc config show`. None of them is a secret.
    pub fn rows(&self) -> Vec<(&'static str, String, String)> {
        fn row<T>(
            name: &'static str,
            setting: Option<&Setting<T>>,
            show: impl Fn(&T) -> String,
        ) -> (&'static str, String, String) {
            setting.map_or_else(
                || (name, String::new(), "not set".to_owned()),
                |setting| (name, show(&setting.value), setting.origin.place()),
            )
        }
        let path = |path: &PathBuf| sensitive::path(path);
        // Somebody may have typed the passphrase itself.
        let file = |_: &PathBuf| "(a file, not shown)".to_owned();
        let time = |time: &Duration| format!("{}s", time.as_secs_f64());
        let shown = |text: &str| sensitive::shown(text).into_owned();
        let mut rows = vec![
            row("profile", self.profile.as_ref(), String::clone),
            row("url", self.url.as_ref(), String::clone),
            row("account", self.account.as_ref(), String::clone),
            row("user", self.user.as_ref(), String::clone),
            row("roles", self.roles.as_ref(), |roles| roles.join(",")),
            row("act-as", self.act_as.as_ref(), String::clone),
            row("key-id", self.key_id.as_ref(), String::clone),
            row("key-file", self.key_file.as_ref(), path),
            row("key-material", self.key_material.as_ref(), |_| "(a key, not shown)".to_owned()),
            row("key-passphrase-file", self.passphrase_file.as_ref(), file),
            row("insecure", Some(&self.insecure), bool::to_string),
            row("cacert", self.cacert.as_ref(), path),
            row("tls-pin", self.pins.as_ref(), |pins| {
                pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
            }),
            row("signing", Some(&self.signing), String::clone),
            row("accept-version", self.accept_version.as_ref(), String::clone),
            row("connect-timeout", Some(&self.connect_timeout), time),
            row("request-timeout", Some(&self.request_timeout), time),
            row("retry", self.retry.as_ref(), time),
            row("rate", self.rate.as_ref(), f64::to_string),
            row("sapi", self.sapi.as_ref(), |text| sensitive::url_end(text).into_owned()),
            row("services", self.services.as_ref(), |text| shown(text)),
            row("proxy", self.proxy.as_ref(), |value| match proxy::is_none(value.expose_secret()) {
                true => "none".to_owned(),
                false => "(a proxy, not shown)".to_owned(),
            }),
        ];
        let commands = own::KNOWN.iter().filter(|known| known.reach == own::Reach::Command);
        rows.extend(commands.map(|known| row(known.name, self.defaults.get(known.name), |text| shown(text))));
        rows
    }
}
