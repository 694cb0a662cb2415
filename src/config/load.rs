//! Puts the settings together, in the order that [`super`] tells.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::own::{self, Own, Reach};
use super::profile::{self, Profile};
use super::{Config, Defaults, Dirs, Env, Origin, SIGNING, Setting, check, paths, unread};
use crate::error::{Error, Hint, Result};
use crate::sensitive;

/// The variables that name a profile.
const PROFILE: [&str; 2] = ["SDC_PROFILE", "TRITON_PROFILE"];

/// What was said on the command line, or by a user of the library.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--profile`
    pub profile: Option<String>,
    /// `--url`
    pub url: Option<String>,
    /// `--account`
    pub account: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `--role`, names separated by commas.
    pub roles: Option<String>,
    /// `--act-as`
    pub act_as: Option<String>,
    /// `--key-id`
    pub key_id: Option<String>,
    /// `--key-file`
    pub key_file: Option<PathBuf>,
    /// The private key itself, which `--key-file -` reads from standard input.
    pub key_material: Option<SecretString>,
    /// `--insecure`
    pub insecure: Option<bool>,
    /// `--cacert`
    pub cacert: Option<PathBuf>,
    /// `--tls-pin`, fingerprints separated by commas.
    pub pins: Option<String>,
    /// `--signing`
    pub signing: Option<String>,
    /// `--accept-version`
    pub accept_version: Option<String>,
    /// `--connect-timeout`
    pub connect_timeout: Option<String>,
    /// `--request-timeout`
    pub request_timeout: Option<String>,
    /// `--retry`
    pub retry: Option<String>,
    /// `--rate`
    pub rate: Option<String>,
    /// The command that is to be run, such as `machines list`: it may have settings of its own.
    pub command: Option<String>,
}

/// Asks for a variable by its name.
pub type Lookup = dyn Fn(&str) -> Option<String>;

/// Where settings are read from.
pub struct Sources {
    /// The variables.
    pub env: Env,
    /// The folders.
    pub dirs: Dirs,
}

impl Sources {
    /// This process's environment and this user's folders.
    pub fn system() -> Sources {
        Sources::new(Env::process())
    }

    /// These variables, and the folders that they name.
    pub fn new(env: Env) -> Sources {
        Sources { dirs: Dirs::of(&env), env }
    }

    /// These variables and folders, and no others.
    pub fn of(vars: HashMap<String, String>, dirs: Dirs) -> Sources {
        Sources { env: Env::of(vars), dirs }
    }

    /// The first of these variables that is set.
    fn first(&self, names: &[&'static str]) -> Option<Setting<String>> {
        names.iter().find_map(|name| {
            let value = self.env.var(name)?;
            // What a file or a command gave may end with a line feed. A key is read as it is.
            let value = if name.ends_with("_KEY_MATERIAL") { value } else { value.trim().to_owned() };
            Some(Setting { value, origin: Origin::Env(name) })
        })
    }

    /// A path from its option, or the first of these variables.
    fn path(&self, option: &'static str, given: Option<&PathBuf>, names: &[&'static str]) -> Option<Setting<PathBuf>> {
        let given = given.map(|path| Setting { value: path.clone(), origin: Origin::Flag(option) });
        let found = given.or_else(|| self.first(names).map(to_path))?;
        Some(Setting { value: paths::expanded(&found.value, self.dirs.home.as_deref()), ..found })
    }

    /// A key id, which may be a path.
    fn home_in(&self, key_id: String) -> String {
        if !key_id.starts_with("~/") {
            return key_id;
        }
        paths::expanded(Path::new(&key_id), self.dirs.home.as_deref()).to_string_lossy().into_owned()
    }
}

fn flag(name: &'static str, value: Option<&String>) -> Option<Setting<String>> {
    Some(Setting { value: value?.clone(), origin: Origin::Flag(name) })
}

fn to_path(text: Setting<String>) -> Setting<PathBuf> {
    Setting { value: PathBuf::from(text.value), origin: text.origin }
}

/// What the settings have that no profile has: options first, then variables, then the file of [`own`].
#[derive(Clone, Copy)]
struct Beside<'a> {
    sources: &'a Sources,
    own: &'a Own,
    /// The profile whose account is in force.
    account: Option<&'a str>,
    /// The profile whose URL is in force.
    cloud: Option<&'a str>,
    command: Option<&'a str>,
}

impl Beside<'_> {
    /// What the variable or the file says.
    fn said(&self, name: &'static str) -> Option<Setting<String>> {
        let known = own::of(name)?;
        let profile = if known.reach == Reach::Account { self.account } else { self.cloud };
        self.sources.first(&[known.variable]).or_else(|| self.own.get(known, profile, self.command))
    }

    fn text(&self, name: &'static str, option: &'static str, given: Option<&String>) -> Option<Setting<String>> {
        flag(option, given).or_else(|| self.said(name))
    }

    /// A path; one in the file leads on from the file's folder.
    fn path(&self, name: &'static str, option: &'static str, given: Option<&PathBuf>) -> Option<Setting<PathBuf>> {
        let typed = self.sources.path(option, given, &[]);
        typed.or_else(|| {
            let Setting { value, origin } = self.said(name).map(to_path)?;
            let path = paths::expanded(&value, self.sources.dirs.home.as_deref());
            let folder = match &origin {
                Origin::Own { file, .. } => file.parent(),
                _ => None,
            };
            Some(Setting { value: folder.map_or(path.clone(), |folder| folder.join(&path)), origin })
        })
    }

    fn time(
        &self,
        name: &'static str,
        option: &'static str,
        given: Option<&String>,
        seconds: u64,
    ) -> Result<Setting<Duration>> {
        let read = checked(self.text(name, option, given), |text, origin| {
            crate::grammar::duration::duration(&origin.to_string(), text)
        })?;
        Ok(read.unwrap_or(Setting::default(Duration::from_secs(seconds))))
    }

    /// What stands for options of the command.
    fn defaults(&self) -> Result<Defaults> {
        let all = own::KNOWN.iter().filter(|known| known.reach == Reach::Command);
        let all = all.filter_map(|known| Some((known.name, self.said(known.name)?)));
        all.map(|(name, setting)| {
            let checked = checked(Some(setting), |text, origin| {
                check::setting(name, text, origin)?;
                Ok(text.clone())
            })?;
            Ok(checked.map(|setting| (name, setting)))
        })
        .filter_map(Result::transpose)
        .collect::<Result<_>>()
        .map(Defaults)
    }
}

/// A profile that takes part, with where it lies.
struct Chosen {
    profile: Profile,
    file: PathBuf,
}

impl Chosen {
    fn read(dir: Option<&Path>, Setting { value: name, origin }: &Setting<String>) -> Result<Chosen> {
        sensitive::refuse(origin, name, "the name of a profile")?;
        let dir = dir.ok_or_else(|| Error::usage(format!("there is no folder to look for profile '{name}' in")))?;
        Ok(Chosen { profile: profile::read(dir, name)?, file: profile::file(dir, name)? })
    }

    fn origin(&self) -> Origin {
        Origin::Profile { name: self.profile.name.clone(), file: self.file.clone() }
    }

    /// A warning of the fields that nobody knows.
    fn unknown(&self) -> Option<String> {
        let fields = self.profile.unknown.iter().map(|field| format!("'{}'", sensitive::shown(field)));
        let fields = fields.collect::<Vec<_>>().join(", ");
        (!fields.is_empty()).then(|| format!("{}: unknown fields {fields}", self.file.display()))
    }

    fn give<T>(&self, value: Option<T>) -> Option<Setting<T>> {
        Some(Setting { value: value?, origin: self.origin() })
    }
}

/// Is this from a profile?
fn of_profile<T>(setting: Option<&Setting<T>>) -> bool {
    matches!(setting, Some(Setting { origin: Origin::Profile { .. }, .. }))
}

/// Whether this is what the profile says, wherever it comes from.
fn is_of(chosen: &Option<Chosen>, setting: Option<&Setting<String>>, says: impl Fn(&Profile) -> &str) -> bool {
    let plain = |text: &str| url::Url::parse(text).map_or(text.to_owned(), |url| url.to_string());
    match (chosen, setting) {
        (Some(chosen), Some(setting)) => plain(&setting.value) == plain(says(&chosen.profile)),
        _ => false,
    }
}

fn checked<T: AsRef<OsStr>, U>(
    setting: Option<Setting<T>>,
    check: impl Fn(&T, &Origin) -> Result<U>,
) -> Result<Option<Setting<U>>> {
    let Some(Setting { value, origin }) = setting else { return Ok(None) };
    check::filled_in(value.as_ref(), &origin)?;
    Ok(Some(Setting { value: check(&value, &origin)?, origin }))
}

impl Config {
    /// Nothing but the defaults: for commands that must work when the settings are broken.
    ///
    /// # Errors
    /// None that is known.
    pub fn none(env: &Env) -> Result<Config> {
        let flags = Flags { profile: Some(profile::ENV.to_owned()), ..Flags::default() };
        let dirs = Dirs::of(env);
        // Not even the file of settings is read.
        let config = Config::load(&flags, &Sources::of(HashMap::new(), Dirs { config: None, ..dirs.clone() }))?;
        Ok(Config { env: env.clone(), dirs, ..config })
    }

    /// The settings for creating this profile, where it is the one in use: the environment and the options alone.
    /// `None` where another one is in use, or where it is there already.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_without(name: &str, flags: &Flags, sources: &Sources) -> Option<Result<Config>> {
        let in_use = flags.profile.clone().or_else(|| sources.first(&PROFILE).map(|setting| setting.value))?;
        let file = profile::file(sources.dirs.config.as_deref()?, name).ok()?;
        (in_use == name && !file.exists())
            .then(|| Config::load(&Flags { profile: Some(profile::ENV.to_owned()), ..flags.clone() }, sources))
    }

    /// Puts the settings together. Only what is there is checked; what is missing is missed by who needs it.
    ///
    /// # Errors
    /// A usage error that names the setting, its value and where it came from.
    pub fn load(flags: &Flags, sources: &Sources) -> Result<Config> {
        paths::check(&sources.env)?;
        let dir = sources.dirs.config.as_deref();
        let mut in_use = flag("--profile", flags.profile.as_ref()).or_else(|| sources.first(&PROFILE));
        let own = dir.map_or(Ok(Own::default()), own::read);
        // A data center of which only the internal services are known has no profile of CloudAPI's.
        let inner = in_use.as_ref().map(|name| name.value.clone()).filter(|name| {
            let lies = dir.and_then(|dir| profile::file(dir, name).ok());
            own.as_ref().is_ok_and(|own| own.is_inner(name)) && lies.is_some_and(|file| !file.exists())
        });
        let mut chosen = match &in_use {
            Some(name) if name.value != profile::ENV && inner.is_none() => Some(Chosen::read(dir, name)?),
            _ => None,
        };
        let mut meant = Meant::typed(flags, sources, chosen.is_some() || inner.is_some())?;
        let (key_file, key_material) = key(flags, sources);

        // The current profile fills what is still open, and is not even read when nothing is.
        let keyless = meant.key_id.is_none() && key_file.is_none() && key_material.is_none();
        let open = meant.url.is_none() || meant.account.is_none() || keyless;
        if in_use.is_none()
            && open
            && let Some(dir) = dir
            && let Some((name, read)) = current(dir)?
        {
            (in_use, chosen) = (Some(name), read);
        }
        let mut warnings: Vec<String> = Vec::new();
        if let Some(chosen) = &chosen {
            meant.fill(chosen)?;
            warnings.extend(chosen.unknown());
        }
        let Meant { url, account, key_id, user, act_as, roles, insecure } = meant;

        let own = own?;
        warnings.extend(own.exposed());
        let name = chosen.as_ref().map(|chosen| chosen.profile.name.clone());
        let beside = Beside {
            sources,
            own: &own,
            account: name.as_deref().filter(|_| is_of(&chosen, account.as_ref(), |profile| &profile.account)),
            cloud: name
                .as_deref()
                .filter(|_| is_of(&chosen, url.as_ref(), |profile| &profile.url))
                .or(inner.as_deref()),
            command: flags.command.as_deref(),
        };
        let key_file = match &key_material {
            None => key_file.or_else(|| beside.path("key-file", "", None)),
            Some(_) => None,
        };
        let pins = beside.text("tls-pin", "--tls-pin", flags.pins.as_ref());
        let signing = beside.text("signing", "--signing", flags.signing.as_ref());
        let accept = beside.text("accept-version", "--accept-version", flags.accept_version.as_ref());
        let rate = beside.text("rate", "--rate", flags.rate.as_ref());
        let retry = beside.text("retry", "--retry", flags.retry.as_ref());
        let (defaults, proxy) = (beside.defaults()?, beside.said("proxy"));
        let connect_timeout = beside.time("connect-timeout", "--connect-timeout", flags.connect_timeout.as_ref(), 5)?;
        let request_timeout =
            beside.time("request-timeout", "--request-timeout", flags.request_timeout.as_ref(), 60)?;
        let cacert = beside.path("cacert", "--cacert", flags.cacert.as_ref());
        let passphrase_file = beside.path("key-passphrase-file", "", None);
        let of_commands = own.of_commands(beside.cloud).into_iter().filter_map(|(command, known)| {
            let setting = Beside { command: Some(command), ..beside }.said(known.name)?;
            Some((command.to_owned(), known.name, setting))
        });
        let of_commands = of_commands.collect();
        let mut config = Config {
            profile: in_use,
            url: checked(url, |text, origin| check::url(text, origin))?,
            account: checked(account, |text, origin| check::login("account", text, origin))?,
            user: checked(user, |text, origin| check::login("user", text, origin))?,
            roles,
            act_as: checked(act_as, |text, origin| check::login("account to act as", text, origin))?,
            key_id: checked(key_id, |text, origin| Ok(sources.home_in(check::key_id(text, origin)?)))?,
            key_file: checked(key_file, |file, origin| check::path(file, origin))?,
            key_material,
            passphrase_file,
            insecure: insecure.unwrap_or(Setting::default(false)),
            cacert: checked(cacert, |file, origin| check::path(file, origin))?,
            pins: checked(pins, |text, origin| check::pins(text, origin))?,
            signing: checked(signing, |text, origin| check::signing(text, origin))?
                .unwrap_or_else(|| Setting::default(SIGNING.first().copied().unwrap_or_default().to_owned())),
            accept_version: checked(accept, |text, origin| check::versions(text, origin))?,
            connect_timeout,
            request_timeout,
            retry: checked(retry, |text, origin| super::duration(&origin.to_string(), text))?,
            rate: checked(rate, |text, origin| check::rate(&origin.to_string(), text))?,
            proxy: proxy.map(|proxy| Setting { value: SecretString::from(proxy.value), origin: proxy.origin }),
            sapi: beside.said("sapi"),
            services: beside.said("services"),
            defaults,
            of_commands,
            own,
            warnings,
            dirs: sources.dirs.clone(),
            env: sources.env.clone(),
        };
        config.warnings.splice(0..0, unread::warnings(&config));
        Ok(config)
    }
}

/// Who is meant and where: what a profile says too.
struct Meant {
    url: Option<Setting<String>>,
    account: Option<Setting<String>>,
    key_id: Option<Setting<String>>,
    user: Option<Setting<String>>,
    act_as: Option<Setting<String>>,
    roles: Option<Setting<Vec<String>>>,
    insecure: Option<Setting<bool>>,
}

impl Meant {
    /// As options and variables say. A named profile says alone who is meant: a variable left over in a shell must not
    /// turn it.
    fn typed(flags: &Flags, sources: &Sources, named: bool) -> Result<Meant> {
        let env = |names: &[&'static str]| if named { None } else { sources.first(names) };
        let roles = flag("--role", flags.roles.as_ref()).or_else(|| env(&["SDC_ROLE", "TRITON_ROLE"]));
        let mut insecure = flags.insecure.map(|value| Setting { value, origin: Origin::Flag("--insecure") });
        if insecure.is_none() {
            let text = env(&["SDC_TLS_INSECURE", "TRITON_TLS_INSECURE"]);
            let testing = env(&["SDC_TESTING"]).map(|set| Setting { value: true, origin: set.origin });
            insecure = checked(text, |text, origin| check::truth(text, origin))?.or(testing);
        }
        Ok(Meant {
            url: flag("--url", flags.url.as_ref()).or_else(|| env(&["SDC_URL", "TRITON_URL"])),
            account: flag("--account", flags.account.as_ref()).or_else(|| env(&["SDC_ACCOUNT", "TRITON_ACCOUNT"])),
            key_id: flag("--key-id", flags.key_id.as_ref()).or_else(|| env(&["SDC_KEY_ID", "TRITON_KEY_ID"])),
            user: flag("--user", flags.user.as_ref()).or_else(|| env(&["SDC_USER", "TRITON_USER"])),
            act_as: flag("--act-as", flags.act_as.as_ref()).or_else(|| env(&["SDC_ACT_AS", "TRITON_ACT_AS"])),
            roles: checked(roles, |text, origin| check::names("roles", text, origin))?,
            insecure,
        })
    }

    /// Fills what is open from a profile.
    fn fill(&mut self, chosen: &Chosen) -> Result<()> {
        let profile = &chosen.profile;
        self.url = self.url.take().or_else(|| chosen.give(Some(profile.url.clone())));
        self.account = self.account.take().or_else(|| chosen.give(Some(profile.account.clone())));
        self.key_id = self.key_id.take().or_else(|| chosen.give(Some(profile.key_id.clone())));
        // These belong to the profile's account, and its trust to the profile's URL: they do not go over to another
        // that a flag or a variable named.
        if of_profile(self.account.as_ref()) {
            self.user = self.user.take().or_else(|| chosen.give(profile.user.clone()));
            self.act_as = self.act_as.take().or_else(|| chosen.give(profile.act_as.clone()));
            let theirs = Some(profile.roles.clone()).filter(|roles| !roles.is_empty());
            if self.roles.is_none() {
                let names = |Setting { value, origin }: Setting<Vec<String>>| {
                    let value = value.iter().map(|role| check::one_name("role", role, &origin)).collect::<Result<_>>();
                    Ok(Setting { value: value?, origin })
                };
                self.roles = chosen.give(theirs).map(names).transpose()?;
            }
        }
        if of_profile(self.url.as_ref()) {
            self.insecure = self.insecure.take().or_else(|| chosen.give(profile.insecure));
        }
        Ok(())
    }
}

/// The current profile, if there is one: its name, and what it says unless that is the environment.
fn current(dir: &Path) -> Result<Option<(Setting<String>, Option<Chosen>)>> {
    let Some(name) = profile::current(dir)? else { return Ok(None) };
    let file = dir.join("config.json");
    let current = Setting { value: name, origin: Origin::Current(file.clone()) };
    if current.value == profile::ENV {
        return Ok(Some((current, None)));
    }
    let read = Chosen::read(Some(dir), &current).map_err(|error| match profile::file(dir, &current.value) {
        Ok(lies) if !lies.exists() => error
            .about(&format!("the current profile of {}", file.display()))
            .hint(Hint::run("to choose another, or env for the environment alone", "profile use NAME")),
        _ => error,
    })?;
    Ok(Some((current, Some(read))))
}

/// Where the key is, or the key itself. Of the variables those of this program count first, and of each pair the file.
fn key(flags: &Flags, sources: &Sources) -> (Option<Setting<PathBuf>>, Option<Setting<SecretString>>) {
    let given = |value: &SecretString| Setting { value: value.clone(), origin: Origin::Flag("--key-file") };
    if let Some(given) = flags.key_material.as_ref().map(given) {
        return (None, Some(given));
    }
    if let Some(file) = sources.path("--key-file", flags.key_file.as_ref(), &[]) {
        return (Some(file), None);
    }
    for (file, material) in [("SDC_KEY_FILE", "SDC_KEY_MATERIAL"), ("TRITON_KEY_FILE", "TRITON_KEY_MATERIAL")] {
        if let Some(file) = sources.path("", None, &[file]) {
            return (Some(file), None);
        }
        let Some(Setting { value, origin }) = sources.first(&[material]) else { continue };
        // The other tools take the path of a file here too.
        let path = paths::expanded(Path::new(value.trim()), sources.dirs.home.as_deref());
        return match path.exists() && !path.is_dir() {
            true => (Some(Setting { value: path, origin }), None),
            false => (None, Some(Setting { value: SecretString::from(value), origin })),
        };
    }
    (None, None)
}
