//! The token by which a task learns that it is to stop.
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
//! use sdc::api::cloudapi::machines::{MACHINE, STOP};
//! use sdc::tasks::call::Call;
//! use sdc::tasks::change::{Change, Changing, InFlight, Outcome};
//! use sdc::tasks::resolve;
//! use sdc::tasks::stop::Stop;
//!
//! let id = resolve::id(&client, &MACHINE, "web1").await?;
//! let call = Call::on(&MACHINE, &id, "web1");
//! let stop = Stop::default();
//! let changing = Changing { client: &client, change: Change::new(&STOP), stop: &stop, report: &(), services: None };
//! // A signal handler would do this.
//! assert!(!stop.ask());
//! cloud.forget_requests();
//! assert!(matches!(changing.one(0, &call, &InFlight::new(&call, stop.flag())).await?, Outcome::Left(None)));
//! assert!(cloud.requests().is_empty());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::Watch;

/// So often it is looked whether a request is still on its way.
const LOOK: Duration = Duration::from_millis(50);

/// Whether to stop: nothing more is begun, and requests that are out are waited for.
#[derive(Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    told: tokio::sync::Notify,
}

impl Stop {
    /// Asks for the stop. Returns whether it was asked for before.
    pub fn ask(&self) -> bool {
        let before = self.asked.swap(true, Ordering::SeqCst);
        self.told.notify_waiters();
        before
    }

    /// Whether it is time to stop.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// The flag itself, for a client that must begin nothing after it is set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.asked)
    }

    /// Waits for what sends a request, unless it is time to stop before that request is out: nothing is lost with it
    /// then.
    pub async fn unless_unsent<T>(&self, watch: &Watch, sending: impl Future<Output = T>) -> Option<T> {
        let mut sending = std::pin::pin!(sending);
        tokio::select! {
            biased;
            sent = &mut sending => return Some(sent),
            () = self.asked() => {}
        }
        // One that is refused for now is not sent again.
        while watch.is_out() {
            if let Ok(sent) = tokio::time::timeout(LOOK, &mut sending).await {
                return Some(sent);
            }
        }
        None
    }

    /// Waits until it is time to stop.
    pub async fn asked(&self) {
        let told = self.told.notified();
        if !self.is_asked() {
            told.await;
        }
    }
}
