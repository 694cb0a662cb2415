//! A CloudAPI in memory that verifies real signatures and answers as the real server does: for
//! tests, and for CI without a cloud. It uses nothing of the client, so that neither can hide the
//! other's mistakes.
//!
//! ```no_run
//! # async fn example() -> sdc::Result<()> {
//! use sdc::emulator::{Emulator, Options, Pace};
//!
//! let options = Options { pace: Pace::Stepped, ..Options::default() };
//! let emulator = Emulator::start(options).await?;
//! // … talk to emulator.url() as emulator.account(), signing with emulator.key_file() …
//! emulator.clock().advance(std::time::Duration::from_secs(10));
//! assert!(emulator.requests().iter().all(|seen| seen.status < 500));
//! emulator.stop().await
//! # }
//! ```

mod admin;
pub(crate) mod cloudapi;
pub(crate) mod datacenter;
pub(crate) mod document;
#[cfg(fuzzing)]
pub mod fuzzing;
pub(crate) mod http;
mod js;
mod text;
pub(crate) mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::emulator::cloudapi::pipeline::CloudApi;
use crate::emulator::wire::private_dir;
pub use crate::emulator::wire::private_dir::ThrowAwayKey;
use crate::emulator::wire::private_dir::{EphemeralKey, PrivateDir};
pub use crate::emulator::wire::server_state::LoggedRequest;
use crate::emulator::wire::server_state::{Remembered, Shared};
pub use admin::{Operation as AdminOperation, operations as admin_operations};
pub use cloudapi::call::{Route, Verb};
pub use cloudapi::routes::{ROUTES, routes};
use datacenter::changes::Changes;
pub use datacenter::clock::{Clock, Pace};
use datacenter::state::{Key, State};
use datacenter::{DataCenter, lock, seed, store};
pub use document::{Document, MAX_LEN as MAX_DOCUMENT, Seed};
use http::service::Service;
use wire::fault::Faults;
pub use wire::fault::{Fault, duration as read_duration, seconds as read_offset};
use wire::sockets::Sockets;
use wire::{agent, server, tls};

use crate::error::{Error, Result};

/// How an emulator is started. The default is a demo cloud on a free port of loopback.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen for HTTP; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where to listen for HTTPS too.
    pub https: Option<SocketAddr>,
    /// Initial data. Not looked at if the state file is there already.
    pub seed: Seed,
    /// Kept up to date with every change, and read at the start. One emulator at a time has it.
    pub state_file: Option<PathBuf>,
    /// The folder in which its private folder is made; `None` for the platform's folder of temporary files.
    pub temp_dir: Option<PathBuf>,
    /// Faults to plant.
    pub faults: Vec<Fault>,
    /// How the time of the machines passes.
    pub pace: Pace,
    /// How wrong the server's time of day is, in seconds.
    pub clock_offset: i64,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// Refuses more than ten requests a second, as the real server does.
    pub throttle: bool,
    /// The account's private key (RSA, PEM, unencrypted), instead of a throw-away one. A copy of it is put into the
    /// emulator's folder.
    pub key: Option<PathBuf>,
    /// What the throw-away key is.
    pub throw_away: ThrowAwayKey,
    /// More public keys of the account, as OpenSSH lines.
    pub authorize: Vec<String>,
    /// Public keys of the sub-user `ci`, as OpenSSH lines.
    pub authorize_user: Vec<String>,
    /// Offers the account's key through an ssh-agent of its own.
    pub agent: bool,
    /// Serves the internal services too, each on an address of its own.
    pub admin: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            https: None,
            seed: Seed::default(),
            state_file: None,
            temp_dir: None,
            faults: Vec::new(),
            pace: Pace::default(),
            clock_offset: 0,
            latency: Duration::ZERO,
            throttle: false,
            key: None,
            throw_away: ThrowAwayKey::default(),
            authorize: Vec::new(),
            authorize_user: Vec::new(),
            agent: false,
            admin: false,
        }
    }
}

/// Makes a service over a data center.
pub(crate) type Make = fn(Arc<DataCenter>) -> Arc<dyn Service>;

/// A running emulator. It ends when dropped; [`Emulator::stop`] also waits for that.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    url: String,
    account: String,
    https_url: Option<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests have the only second service so far"))]
    more_urls: Vec<String>,
    /// The internal services: the name of each, and where it listens.
    admin: Vec<(String, String)>,
    ca_file: Option<PathBuf>,
    key_file: PathBuf,
    key_id: String,
    agent_socket: Option<PathBuf>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    dir: PrivateDir,
}

impl Emulator {
    /// The addresses of the services beside CloudAPI.
    #[cfg(test)]
    pub(crate) fn more_urls(&self) -> &[String] {
        &self.more_urls
    }

    /// Starts one. Must be called within a tokio runtime, which then serves it.
    ///
    /// # Errors
    /// When an address cannot be listened on, a key or state file cannot be read or written, another
    /// emulator has the state file, or a public key to authorize is none.
    pub async fn start(options: Options) -> Result<Emulator> {
        Emulator::start_with(options, &[]).await
    }

    /// The same with more services over its data center, each on a free port of loopback.
    pub(crate) async fn start_with(options: Options, more: &[Make]) -> Result<Emulator> {
        let dir = PrivateDir::new(&options.temp_dir.clone().unwrap_or_else(private_dir::usual_parent))?;
        let key = match &options.key {
            Some(file) => EphemeralKey::read(file)?,
            None => EphemeralKey::make(options.throw_away)?,
        };
        let key_file = dir.write(key.file, key.pem.as_bytes())?;
        dir.write(&format!("{}.pub", key.file), format!("{}\n", key.line).as_bytes())?;
        let own = Key::new("", &key.line).ok_or_else(|| Error::other("cannot read the key just made"))?;
        let key_id = own.fingerprint.clone();

        let http = listen(options.listen).await?;
        let url = format!("http://{}", local(&http)?);
        let mut https = None;
        let mut ca_file = None;
        if let Some(address) = options.https {
            let listener = listen(address).await?;
            let (tls, authority) = tls::make()?;
            ca_file = Some(dir.write("ca.pem", authority.as_bytes())?);
            https = Some((listener, tls));
        }
        let https_url = match &https {
            Some((listener, _)) => Some(format!("https://{}", local(listener)?)),
            None => None,
        };

        let (state_lock, kept) = match &options.state_file {
            Some(file) => {
                // A lock is a file beside it: beside one that holds something else none is left.
                store::read(file)?;
                (Some(store::take(file).await?), store::read(file)?)
            }
            None => (None, None),
        };
        let mut state = match kept {
            Some(state) => state,
            None => document::state(&options.seed, Clock::new(options.pace, 0, 0).now(), &own)?,
        };
        let clock = Clock::new(options.pace, options.clock_offset, state.now);
        let (admin_listeners, admin) =
            if options.admin { wire::addresses::listen(&admin::names()).await? } else { Default::default() };
        if options.admin {
            state.furnish(clock.now(), &admin, document::layout(&options.seed));
        }
        state.pace = options.pace;
        state.url = https_url.as_ref().unwrap_or(&url).clone();
        let account = authorize(&mut state, own, &options)?;

        let (stop, stopped) = watch::channel(false);
        let changes = Changes::new(cloudapi::handlers::machines::view_of_feed);
        let cloud = Arc::new(DataCenter::new(state, clock, changes, options.state_file, state_lock));
        let api: Arc<dyn Service> = Arc::new(CloudApi::new(Arc::clone(&cloud), options.throttle));
        let mut listeners = vec![(http, None, Arc::clone(&api))];
        listeners.extend(https.map(|(listener, tls)| (listener, Some(tls), api)));
        let mut more_urls = Vec::new();
        for make in more {
            let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
            more_urls.push(format!("http://{}", local(&listener)?));
            listeners.push((listener, None, make(Arc::clone(&cloud))));
        }
        for (kind, listener) in admin::SERVICES.iter().zip(admin_listeners) {
            listeners.push((listener, None, kind.over(Arc::clone(&cloud))));
        }
        let shared = Arc::new(Shared {
            cloud,
            services: listeners.iter().map(|(.., service)| Arc::clone(service)).collect(),
            latency: options.latency,
            faults: Mutex::new(Faults::default()),
            seen: Mutex::new(Remembered::default()),
            sockets: Sockets::default(),
        });
        for fault in options.faults {
            shared.plant_known(fault)?;
        }

        let mut tasks = Vec::new();
        for (listener, tls, service) in listeners {
            let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
            tasks.push(tokio::spawn(server::serve(listener, tls, service, shared, stopped, server::CONNECTIONS)));
        }
        let mut agent_socket = None;
        if options.agent {
            let socket = dir.path().join("agent.sock");
            tasks.push(agent::start(&socket, key, stopped)?);
            agent_socket = Some(socket);
        }
        let emulator = Emulator {
            shared,
            url,
            account,
            https_url,
            more_urls,
            admin,
            ca_file,
            key_file,
            key_id,
            agent_socket,
            stop,
            tasks,
            dir,
        };
        emulator.save()?;
        Ok(emulator)
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens for HTTPS.
    pub fn https_url(&self) -> Option<&str> {
        self.https_url.as_deref()
    }

    /// The internal services: the name of each, and its address as `HOST` or `HOST:PORT`. None unless they were asked for.
    pub fn admin(&self) -> &[(String, String)] {
        &self.admin
    }

    /// The address of SAPI, from which all other internal services are found.
    pub fn sapi(&self) -> Option<&str> {
        self.admin.iter().find(|(name, _)| name == "sapi").map(|(_, address)| address.as_str())
    }

    /// The certificate (PEM) of the authority that clients have to trust for HTTPS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The login of the account: the first one that it holds.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The account's throw-away private key, unencrypted, with its `.pub` beside it.
    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// Makes a new folder for its clients, which only its owner can read, and which goes with the emulator.
    ///
    /// # Errors
    /// It exists, or cannot be made.
    pub fn new_folder(&self, name: &str) -> Result<PathBuf> {
        self.dir.folder(name)
    }

    /// The key's MD5 fingerprint.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The socket of the emulator's ssh-agent.
    pub fn agent_socket(&self) -> Option<&Path> {
        self.agent_socket.as_deref()
    }

    /// The requests seen so far, oldest first; of very many, the newest ten thousand,
    /// or fewer if those are long.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        lock(&self.shared.seen).iter().cloned().collect()
    }

    /// Forgets the requests seen so far.
    pub fn forget_requests(&self) {
        lock(&self.shared.seen).clear();
    }

    /// Breaks all open WebSockets, as a network that fails does. How many there were.
    pub fn drop_sockets(&self) -> usize {
        self.shared.sockets.drop_all()
    }

    /// How many changefeeds have said what they want: from then on nothing is missed.
    pub fn followers(&self) -> usize {
        self.shared.cloud.changes.registered()
    }

    /// How many WebSockets are open.
    pub fn open_sockets(&self) -> usize {
        self.shared.sockets.open()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.cloud.clock
    }

    /// Plants a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.plant(fault);
    }

    /// Removes all faults. A clock that was put wrong stays wrong.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// Writes the state, if it has a file and has changed.
    fn save(&self) -> Result<()> {
        self.shared.cloud.finish().map_err(Error::other)
    }

    /// Closes all connections, writes the state, and removes the throw-away files.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
        self.save()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::other(format!("cannot listen on {address}"))
            .because(error)
            .hint("choose another port, or 0 for a free one")
    })
}

fn local(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(|error| Error::other("cannot tell the port").because(error))
}

/// Gives the account the throw-away key, in the place of that of an earlier run, and the keys that the options name.
/// Returns its login. Others that had the earlier key get the new one.
fn authorize(state: &mut State, own: Key, options: &Options) -> Result<String> {
    let users = state.accounts.iter_mut().flat_map(|account| {
        std::iter::once(&mut account.keys).chain(account.users.iter_mut().map(|user| &mut user.keys))
    });
    for key in users.flatten().filter(|key| key.name == private_dir::KEY_NAME) {
        key.clone_from(&own);
    }
    // Operators sign too, where there is what they alone see.
    let bare = state.accounts.iter_mut().filter(|account| options.admin && account.operator && account.keys.is_empty());
    bare.for_each(|account| account.keys.push(own.clone()));
    let Some(account) = state.accounts.first_mut() else {
        return Err(Error::usage("the state holds no account"));
    };
    let read = |line: &String| {
        Key::new("", line).ok_or_else(|| Error::usage("one of the keys to authorize is no SSH public key"))
    };
    account.keys.retain(|key| key.name != private_dir::KEY_NAME && key.fingerprint != own.fingerprint);
    account.keys.insert(0, own);
    for line in &options.authorize {
        let key = read(line)?;
        account.keys.retain(|other| other.fingerprint != key.fingerprint);
        account.keys.push(key);
    }
    let user = account.users.iter_mut().find(|user| user.login == seed::USER);
    let Some(user) = user else {
        return match options.authorize_user.is_empty() {
            true => Ok(account.login.clone()),
            false => {
                Err(Error::usage(format!("{} has no sub-user {}, who would get the key", account.login, seed::USER)))
            }
        };
    };
    for line in &options.authorize_user {
        let key = read(line)?;
        user.keys.retain(|other| other.fingerprint != key.fingerprint);
        user.keys.push(key);
    }
    Ok(account.login.clone())
}

#[cfg(test)]
mod tests {
    use http::head::{Head, Request, Response};
    use http::reply::{Refusal, Reply};

    use super::*;

    /// A service of another kind: it knows the states of machines by their names, and asks for no signature.
    #[derive(Debug)]
    struct States(Arc<DataCenter>);

    impl Service for States {
        fn answer(&self, request: &Request) -> Response {
            let name = request.head.path().trim_start_matches('/').to_owned();
            let found = self.0.look(|state| {
                let machine = state.vms.iter().find(|machine| machine.alias == name);
                machine.map(|machine| machine.state.clone())
            });
            let reply = match found {
                Some(state) => Reply::json(&state.into()),
                None => Refusal::not_found(&name).into_reply(),
            };
            Response { reply, signed_by: None, mute: false, early: true, methods: Vec::new() }
        }

        fn headers(&self, _: &Head, _: &Response, _: u128) -> Vec<(String, String)> {
            vec![("Server".to_owned(), "states/1".to_owned())]
        }

        fn largest_body(&self) -> usize {
            10
        }
    }

    /// The answer to a GET, as it is on the wire.
    async fn said(url: &str, path: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = url.trim_start_matches("http://");
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn two_services_on_two_listeners_show_one_data_center() {
        let make: Make = |cloud| Arc::new(States(cloud));
        let emulator = Emulator::start_with(Options::default(), &[make]).await.unwrap();
        let [url] = emulator.more_urls.as_slice() else { panic!("{:?}", emulator.more_urls) };
        let get = async |path: &str| said(url, path).await;
        let (id, name) = emulator.shared.cloud.look(|state| {
            let one = state.vms.iter().find(|one| one.state == "running").unwrap();
            (one.uuid.clone(), format!("/{}", one.alias))
        });
        let shown = get(&name).await;
        assert!(shown.starts_with("HTTP/1.1 200 ") && shown.contains("Server: states/1\r\n"), "{shown}");
        assert!(shown.ends_with("\r\n\r\n\"running\""), "{shown}");
        assert!(get("/nosuch").await.starts_with("HTTP/1.1 404 "));
        // What the one changes the other shows.
        emulator.shared.cloud.lock_state().vms.get_mut(&id).unwrap().state = "stopped".to_owned();
        assert!(get(&name).await.ends_with("\"stopped\""));
        // Faults strike both, and both are in the log.
        emulator.add_fault("* status=503 times=1".parse().unwrap());
        assert!(get(&name).await.starts_with("HTTP/1.1 503 "));
        let seen: Vec<_> = emulator.requests().into_iter().map(|seen| seen.status).collect();
        assert_eq!(seen, [200, 404, 200, 503]);
        // The control endpoint answers on both.
        assert!(get("/--emulator/clock").await.starts_with("HTTP/1.1 200 "));
        assert!(said(emulator.url(), "/--ping").await.contains("Server: cloudapi/"));
    }
}
