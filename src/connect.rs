//! From settings to a client: finds the key and puts everything together, for the program and for
//! users of the library alike. It asks nobody by itself.

use std::path::{Path, PathBuf};

use crate::api::Service;
use crate::auth::{Asked, Form, Found, KeyId, RsaHash, Search, Signer, find};
use crate::client::{Builder, Client};
use crate::config::ssh_config::{self, Names};
use crate::config::{Config, Flags, Origin, Route, Setting, Sources, paths, proxy};
use crate::error::{Error, Kind, Result};
use crate::sensitive;
use crate::transport::Settings;

/// Where the key is looked for.
pub fn search(config: &Config) -> Search {
    let (env, home) = (&config.env, config.dirs.home.as_deref());
    let url = config.url.as_ref().and_then(|url| url::Url::parse(&url.value).ok());
    let names = Names {
        host: url.as_ref().and_then(url::Url::host_str).unwrap_or_default(),
        home,
        user: &env.var("USER").or_else(|| env.var("LOGNAME")).unwrap_or_default(),
        var: &|name| env.var(name),
    };
    let ssh = config.dirs.ssh.as_deref().map(|dir| ssh_config::read(dir, &names)).unwrap_or_default();
    let expanded = |path: PathBuf| paths::expanded(&path, home);
    Search {
        key_id: config.key_id.as_ref().map(|id| id.value.clone()),
        key_id_from: config.key_id.as_ref().map(|id| id.origin.to_string()),
        key_file: config.key_file.as_ref().map(|file| file.value.clone()),
        key_file_from: config.key_file.as_ref().map(|file| file.origin.to_string()),
        agent_socket: env.var_os("SSH_AUTH_SOCK").map(PathBuf::from).map(expanded),
        no_agent: ssh.agent == Some(None),
        identity_agent: ssh.agent.flatten(),
        identity_files: ssh.files,
        key_material: config.key_material.as_ref().map(|key| key.value.clone()),
        key_material_from: config.key_material.as_ref().map(|key| match &key.origin {
            Origin::Flag(_) => "standard input".to_owned(),
            origin => origin.to_string(),
        }),
        agent_timeout: None,
        ssh_dir: config.dirs.ssh.clone(),
    }
}

/// Finds the key. A file that was named more firmly than a fingerprint (a flag beside a variable) makes
/// the fingerprint void; one that was named less firmly is only the first place to look in.
///
/// # Errors
/// Those of [`find()`].
pub fn key(config: &Config, ask: &mut Asked<'_>) -> Result<Found> {
    found(config, ask).map_err(|error| match config.key_file {
        Some(_) => error.blaming("key-file", None),
        None => error,
    })
}

fn found(config: &Config, ask: &mut Asked<'_>) -> Result<Found> {
    let mut search = search(config);
    let (Some(file), Some(id)) = (key_origin(config), &config.key_id) else { return find(&search, ask) };
    let (file, id) = (precedence(file), precedence(&id.origin));
    if key_id(config).is_none() {
        search.key_id = None;
    }
    match find(&search, ask) {
        Ok(mut found) => {
            found.notes.extend((id > file).then(|| named_otherwise(config, &found)).flatten());
            Ok(found)
        }
        Err(error) if id > file && error.kind() == Kind::Auth => {
            (search.key_file, search.key_material) = (None, None);
            find(&search, ask).map_err(|_| error)
        }
        found => found,
    }
}

/// Which key signs under a name that is not that of its file, where somebody who has given the name may mean another key.
fn named_otherwise(config: &Config, found: &Found) -> Option<String> {
    let (id, file) = (config.key_id.as_ref()?, key_origin(config)?);
    let public = found.key.public();
    let stem = config.key_file.as_ref().and_then(|file| file.value.file_stem()?.to_str());
    let is_name = matches!(KeyId::parse(&id.value), Ok(KeyId::Name(_))) && found.wire_name == id.value;
    if !is_name || stem == Some(id.value.as_str()) || public.comment() == id.value {
        return None;
    }
    let (origin, name, md5) = (&id.origin, sensitive::quoted(&id.value), public.md5());
    Some(format!("the key of {file} signs ({md5}), under the name '{name}' ({origin})"))
}

/// What gave the key, or named its file.
pub fn key_origin(config: &Config) -> Option<&Origin> {
    let file = config.key_file.as_ref().map(|file| &file.origin);
    file.or_else(|| config.key_material.as_ref().map(|key| &key.origin))
}

/// What the key is called, unless a file that was named more firmly makes that void.
pub fn key_id(config: &Config) -> Option<&Setting<String>> {
    let id = config.key_id.as_ref()?;
    let is_name = matches!(KeyId::parse(&id.value), Ok(KeyId::Name(_)));
    let void = key_origin(config).is_some_and(|file| precedence(file) > precedence(&id.origin));
    (!void || is_name).then_some(id)
}

/// How the URL is reached: through which proxy, or why without one.
///
/// # Errors
/// No URL is known, or the proxy's cannot be read.
pub fn route(config: &Config) -> Result<Route> {
    let url = url::Url::parse(config.url()?).map_err(|error| Error::usage("the URL is none").because(error))?;
    proxy::route(&url, config.proxy.as_ref(), &|name| config.env.var(name))
}

/// The folders of `SSL_CERT_DIR`; empty ones are left out, as by openssl.
fn folders(list: std::ffi::OsString) -> Vec<PathBuf> {
    std::env::split_paths(&list).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

fn precedence(origin: &Origin) -> u8 {
    match origin {
        Origin::Flag(_) => 6,
        Origin::Profile { .. } => 5,
        Origin::Env(name) if name.starts_with("SDC_") => 4,
        Origin::Env(_) => 3,
        Origin::Current(_) => 2,
        Origin::Own { .. } => 1,
        Origin::Default => 0,
    }
}

/// A signer with this key for the account and sub-user.
///
/// # Errors
/// An account or form that the key cannot sign for.
pub fn signer(config: &Config, rsa: RsaHash, found: Found) -> Result<Signer> {
    let form: Form = config.signing.value.parse()?;
    let signer = Signer::new(config.account()?, found.key, &found.wire_name)?.rsa_hash(rsa)?.form(form)?;
    match &config.user {
        Some(user) => signer.user(&user.value),
        None => Ok(signer),
    }
}

/// Everything but the key.
///
/// # Errors
/// No URL is known.
pub fn builder(config: &Config) -> Result<Builder> {
    let mut builder = Client::builder()
        .url(config.url()?)
        .account(config.target().unwrap_or("my"))
        .roles(config.roles.as_ref().map(|roles| roles.value.clone()).unwrap_or_default())
        .settings(settings(config, route(config)?)?);
    if let Some(range) = &config.accept_version {
        builder = builder.accept_version(&range.value);
    }
    Ok(builder)
}

/// What makes a client of an internal service at this address. Nothing is signed there, and the versions are the
/// service's own.
///
/// # Errors
/// The address, or a proxy's, cannot be read.
pub fn inner(config: &Config, service: &'static Service, address: &str) -> Result<Builder> {
    let url = url::Url::parse(address).map_err(|error| Error::usage("the URL is none").because(error))?;
    let route = proxy::route(&url, config.proxy.as_ref(), &|name| config.env.var(name))?;
    Ok(Client::builder().service(service).url(address).settings(settings(config, route)?))
}

/// How a server is reached.
fn settings(config: &Config, route: Route) -> Result<Settings> {
    let env = &config.env;
    if let Some(file) = env.var_os("SSL_CERT_FILE") {
        sensitive::refuse_path("SSL_CERT_FILE", Path::new(&file), "the path of a file")?;
    }
    let folders = env.var_os("SSL_CERT_DIR").map(folders).unwrap_or_default();
    for folder in &folders {
        sensitive::refuse_path("SSL_CERT_DIR", folder, "paths of folders")?;
    }
    Ok(Settings {
        insecure: config.insecure.value,
        cacert: config.cacert.as_ref().map(|file| file.value.clone()),
        pins: config.pins.as_ref().map(|pins| pins.value.clone()).unwrap_or_default(),
        system_roots: env
            .var_os("SSL_CERT_FILE")
            .map(|file| paths::expanded(&PathBuf::from(file), config.dirs.home.as_deref())),
        system_root_dirs: folders,
        connect_timeout: config.connect_timeout.value,
        request_timeout: config.request_timeout.value,
        long_answers: matches!(config.request_timeout.origin, Origin::Default),
        retry: config.retry.as_ref().map(|retry| retry.value),
        rate: config.rate.as_ref().map(|rate| rate.value),
        route: Some(route),
    })
}

impl Client {
    /// A client from the environment and the profiles, as the program finds it. Keys that are locked
    /// are not opened: use an agent, or [`Client::from_config`]. It may block for as long as an agent
    /// takes to answer, 10 s at most.
    ///
    /// # Errors
    /// What is missing or unusable, with hints.
    pub fn from_env() -> Result<Client> {
        let config = Config::load(&Flags::default(), &Sources::system())?;
        Client::from_config(&config, &mut crate::auth::no_passphrase)
    }

    /// The same with settings of one's own, and somebody to ask for passphrases.
    ///
    /// # Errors
    /// What is missing or unusable, with hints; errors of `ask` are passed on.
    pub fn from_config(config: &Config, ask: &mut Asked<'_>) -> Result<Client> {
        config.account()?;
        let found = key(config, ask)?;
        builder(config)?.signer(signer(config, RsaHash::default(), found)?).build()
    }
}
