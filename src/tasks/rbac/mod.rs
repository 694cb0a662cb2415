//! Users, roles and policies together: read from an account, compared with a file, and made as the file says. The file
//! is parsed by [`mod@file`], the account read by [`live`], the difference planned by [`plan`](plan::plan()), and each
//! step carried out by a [`Worker`] in a [`Run`](super::plan::Run). Nothing here prints, asks or reads the environment:
//! the caller shows the plan, asks whether to go ahead, and knows where the record is and which passwords new users
//! get.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use std::path::Path;
//!
//! use sdc::tasks::plan::Run;
//! use sdc::tasks::rbac::file::{self, Folders};
//! use sdc::tasks::rbac::{Worker, live, plan, random_password};
//!
//! let text = br#"{
//!     "policies": [{ "name": "may-reboot", "rules": ["CAN rebootmachine and getmachine"] }],
//!     "roles": [{ "name": "ops", "members": ["ci"], "policies": ["may-reboot"] }]
//! }"#;
//! let wanted = file::parse(text, Folders { folder: Path::new("."), home: None })?;
//! let now = live::read(&client, |_, _| false).await?;
//! let plan = plan::plan(&now, &wanted, &[], plan::Choice::default())?;
//! let titles: Vec<String> = plan.steps.iter().map(|step| step.title()).collect();
//! assert_eq!(titles, ["create policy may-reboot", "create role ops"]);
//!
//! let mut worker = Worker::new(&client, &now, |_| random_password());
//! Run::default().carry_out(&plan.steps, None, &mut worker, &()).await?;
//! let now = live::read(&client, |_, _| false).await?;
//! assert!(plan::plan(&now, &wanted, &[], plan::Choice::default())?.steps.is_empty());
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod apply;
pub mod begun;
pub mod edit;
mod export;
pub mod file;
pub mod live;
pub mod plan;
pub mod rights;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::apply::Worker;
pub use self::export::export;
use self::live::{Key, Member};
use super::plan as general;
use crate::error::{Error, Result, withheld};

/// The kinds of resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A policy.
    Policy,
    /// A sub-user.
    User,
    /// A key of a sub-user. Its name is its MD5 fingerprint, its id that of [`key_id`].
    Key,
    /// A role.
    Role,
}

impl general::Kind for Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Policy => "policy",
            Kind::User => "user",
            Kind::Key => "key",
            Kind::Role => "role",
        }
    }
}

/// What a step sends in addition to the fields that change.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// Nothing.
    None,
    /// All members of a role whose members differ.
    Members(Vec<Member>),
    /// The key that is added.
    Key(Key),
}

/// One step.
pub type Step = general::Step<Kind, Spec>;

/// A resource that a file has made, as the record keeps it.
pub type Owned = general::Owned<Kind>;

/// The record of one owner. Its folder is `sdc-rbac`, next to node-triton's profiles.
pub type Record = general::Record<Kind>;

/// The id of a key: its user's id and its MD5 fingerprint.
pub fn key_id(user: &str, md5: &str) -> String {
    format!("{user}/{md5}")
}

/// A password of 192 random bits, with the letter and the digit that the service asks for.
///
/// # Errors
/// The system has no randomness.
pub fn random_password() -> Result<SecretString> {
    let mut bytes = [0; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::other("the system has no randomness"))?;
    let password = SecretString::from(format!("{}a1", STANDARD_NO_PAD.encode(bytes)));
    withheld::remember(password.expose_secret());
    Ok(password)
}

/// The texts of an array, or the one text.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}
