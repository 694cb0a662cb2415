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

pub(crate) mod cloudapi;
pub(crate) mod datacenter;
#[cfg(fuzzing)]
pub mod fuzzing;
pub(crate) mod http;
pub(crate) mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use crate::emulator::cloudapi::route::{ROUTES, Route, routes};
pub use crate::emulator::datacenter::clock::{Clock, Pace};
pub use crate::emulator::datacenter::seed::Seed;
pub use crate::emulator::wire::fault::{Fault, duration as read_duration, seconds as read_offset};
pub use crate::emulator::wire::shared::Seen;

use crate::error::{Error, Result};

use crate::emulator::cloudapi::throttle::Throttle;
use crate::emulator::datacenter::state::{Key, State};
use crate::emulator::wire::dir::{PrivateDir, ThrowAway};
use crate::emulator::wire::fault::Faults;
use crate::emulator::wire::shared::{Shared, lock};

/// How an emulator is started. The default is a demo cloud on a free port of loopback.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen for HTTP; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where to listen for HTTPS too.
    pub https: Option<SocketAddr>,
    /// What it holds at first. Not looked at if the state file is there already.
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
}

/// The account's key where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThrowAwayKey {
    /// A new Ed25519 key, in the format of OpenSSH. It takes a millisecond to make.
    #[default]
    Ed25519,
    /// The same RSA key for every emulator, in PEM (PKCS#1), which the oldest clients read. It takes no time, and it is
    /// no secret: whoever has this library has it. So it is for an emulator that only this machine can reach, where
    /// everyone who can reach it can do all to it anyway, by `/--emulator`.
    KnownRsa,
    /// A new RSA key, in the same format. It takes a good part of a second, and many of them where the `rsa` crate is not
    /// optimised.
    NewRsa,
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
        }
    }
}

/// A running emulator. It ends when dropped; [`Emulator::stop`] also waits for that.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    url: String,
    https_url: Option<String>,
    ca_file: Option<PathBuf>,
    key_file: PathBuf,
    key_id: String,
    agent_socket: Option<PathBuf>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    _dir: PrivateDir,
}

impl Emulator {
    /// Starts one. Must be called within a tokio runtime, which then serves it.
    ///
    /// # Errors
    /// When an address cannot be listened on, a key or state file cannot be read or written, another
    /// emulator has the state file, or a public key to authorize is none.
    pub async fn start(options: Options) -> Result<Emulator> {
        let dir = PrivateDir::new(&options.temp_dir.clone().unwrap_or_else(crate::emulator::wire::dir::usual_parent))?;
        let key = match &options.key {
            Some(file) => ThrowAway::read(file)?,
            None => ThrowAway::make(options.throw_away)?,
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
            let (tls, authority) = crate::emulator::wire::tls::make()?;
            ca_file = Some(dir.write("ca.pem", authority.as_bytes())?);
            https = Some((listener, tls));
        }
        let https_url = match &https {
            Some((listener, _)) => Some(format!("https://{}", local(listener)?)),
            None => None,
        };

        let (state_lock, kept) = match &options.state_file {
            Some(file) => (
                Some(crate::emulator::datacenter::store::take(file).await?),
                crate::emulator::datacenter::store::read(file)?,
            ),
            None => (None, None),
        };
        let clock = Clock::new(options.pace, options.clock_offset, kept.as_ref().map_or(0, |state| state.now));
        let mut state = kept.unwrap_or_else(|| crate::emulator::datacenter::seed::state(options.seed, clock.now()));
        state.url = https_url.as_ref().unwrap_or(&url).clone();
        authorize(&mut state, own, &options)?;

        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            clock,
            frozen: OnceLock::new(),
            latency: options.latency,
            state_file: options.state_file,
            _state_lock: state_lock,
            dirty: AtomicBool::new(true),
            state: Mutex::new(state),
            faults: Mutex::new(Faults::default()),
            throttled: AtomicBool::new(options.throttle),
            throttle: Mutex::new(Throttle::default()),
            seen: Mutex::new(crate::emulator::wire::shared::Remembered::default()),
            trouble: Mutex::new(None),
            sockets: crate::emulator::wire::sockets::Sockets::default(),
        });
        options.faults.into_iter().for_each(|fault| shared.plant(fault));

        let mut tasks = vec![tokio::spawn(crate::emulator::wire::server::serve(
            http,
            None,
            Arc::clone(&shared),
            stopped.clone(),
            crate::emulator::wire::server::CONNECTIONS,
        ))];
        if let Some((listener, tls)) = https {
            let serve = crate::emulator::wire::server::serve(
                listener,
                Some(tls),
                Arc::clone(&shared),
                stopped.clone(),
                crate::emulator::wire::server::CONNECTIONS,
            );
            tasks.push(tokio::spawn(serve));
        }
        let mut agent_socket = None;
        if options.agent {
            let socket = dir.path().join("agent.sock");
            tasks.push(crate::emulator::wire::agent::start(&socket, key, stopped)?);
            agent_socket = Some(socket);
        }
        let emulator =
            Emulator { shared, url, https_url, ca_file, key_file, key_id, agent_socket, stop, tasks, _dir: dir };
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

    /// The certificate (PEM) of the authority that clients have to trust for HTTPS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The login of the account.
    pub fn account(&self) -> &str {
        crate::emulator::datacenter::seed::LOGIN
    }

    /// The account's throw-away private key, unencrypted, with its `.pub` beside it.
    pub fn key_file(&self) -> &Path {
        &self.key_file
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
    pub fn requests(&self) -> Vec<Seen> {
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
        self.shared.sockets.followers()
    }

    /// How many WebSockets are open.
    pub fn open_sockets(&self) -> usize {
        self.shared.sockets.open()
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
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
        let mut state = self.shared.lock_state();
        let now = self.shared.clock.now();
        let passed = state.now != now;
        if state.catch_up(now) || passed || self.shared.dirty.load(std::sync::atomic::Ordering::Relaxed) {
            // It is told below.
            let _ = self.shared.save(&mut state);
        }
        match lock(&self.shared.trouble).take() {
            Some(trouble) => Err(Error::other(trouble)),
            None => Ok(()),
        }
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

/// Gives the account the throw-away key, in the place of that of an earlier run, and the keys that
/// the options name.
fn authorize(state: &mut State, own: Key, options: &Options) -> Result<()> {
    let Some(account) = state.account_mut(crate::emulator::datacenter::seed::LOGIN) else {
        return Err(Error::usage(format!("the state holds no account {}", crate::emulator::datacenter::seed::LOGIN)));
    };
    let read = |line: &String| {
        Key::new("", line).ok_or_else(|| Error::usage("one of the keys to authorize is no SSH public key"))
    };
    account.keys.retain(|key| key.name != crate::emulator::wire::dir::KEY_NAME);
    account.keys.insert(0, own);
    for line in &options.authorize {
        let key = read(line)?;
        account.keys.retain(|other| other.fingerprint != key.fingerprint);
        account.keys.push(key);
    }
    if let Some(user) = account.users.iter_mut().find(|user| user.login == crate::emulator::datacenter::seed::USER) {
        for line in &options.authorize_user {
            let key = read(line)?;
            user.keys.retain(|other| other.fingerprint != key.fingerprint);
            user.keys.push(key);
        }
    }
    Ok(())
}
