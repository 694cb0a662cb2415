//! Typed views of the API's objects, for those who would rather have fields than text.
//!
//! [`Answer::read`](crate::Answer::read) and [`Row::read`](crate::answer::Row::read) make them. A view is for reading:
//! where the text itself matters (the number `1.10`, the order of keys) the answer still has it.
//!
//! Servers differ, so much is forgiven. What may be absent is an `Option`; what is always sent has a default should it
//! be missing; null counts as absent. Words that may grow in number are [`Open`]. What has no field is kept in `more`
//! and is written back. A field of another type than the API gives it is an error.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::{api::cloudapi::{images, machines}, auth::{Key, PrivateKey, Signer, no_passphrase}, request::Args};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
//! # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! # let name = key.public().md5();
//! # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//! use sdc::models::{Image, Machine, MachineState};
//!
//! let machines: Vec<Machine> = client.call(&machines::LIST, &Args::new()).await?.read()?;
//! let running = machines.iter().filter(|machine| machine.state == MachineState::Running);
//! let memory: u64 = running.filter_map(|machine| machine.memory).sum();
//! assert!(memory > 0);
//!
//! for row in client.call(&images::LIST, &Args::new()).await?.rows() {
//!     let image: Image = row.read()?;
//!     let since = image.published_at.and_then(|time| time.timestamp());
//!     println!("{} {} {since:?}", image.name, image.version);
//! }
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! What a request takes is written from such a view too:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sdc::models::NetworkObject;
//! use sdc::request::{Arg, Args, Request};
//!
//! let network = NetworkObject {
//!     ipv4_uuid: "b330e2a1-6260-41a8-8567-a8a011f202f1".to_owned(),
//!     ipv4_ips: Some(vec!["192.168.128.9".to_owned()]),
//!     ..NetworkObject::default()
//! };
//! let mut args = Args::new().set("image", "c9b3e5f7-2d4f-4a6b-8c8d-1e2f3a4b5c01").set("package", "g1-small");
//! args.push("networks", Arg::json(&serde_json::to_string(&[network])?)?);
//!
//! let request = Request::new(&sdc::api::cloudapi::machines::CREATE, &args, "acme")?;
//! let (_, body) = request.body.unwrap_or_default();
//! assert!(String::from_utf8(body)?.contains(r#""ipv4_ips":["192.168.128.9"]"#));
//! # Ok(())
//! # }
//! ```

mod account;
mod changefeed;
mod images;
mod machines;
mod migrations;
mod networks;
mod roles;
mod volumes;

pub use account::{
    AccessKey, AccessKeyStatus, Account, Cloudapi, Config, CredentialType, ErrorBody, ErrorField, Factor, Key, Limit,
    LimitBy, LimitCheck, Ping, User,
};
pub use changefeed::{ChangeKind, ChangefeedEvent, ChangefeedRegistration, SubResource};
pub use images::{
    Compression, ExportedImage, Image, ImageError, ImageFile, ImageState, ImageType, Os, Package, PackageDisk,
    Requirements,
};
pub use machines::{
    AuditAction, Brand, Caller, CallerKind, Disk, DiskState, Machine, MachineDisk, MachineNic, MachineState,
    MachineType, Nic, NicState, Snapshot, SnapshotState,
};
pub use migrations::{EndEvent, Migration, MigrationEstimate, MigrationPhase, MigrationState, ProgressEvent};
pub use networks::{FabricVlan, FirewallRule, Network, NetworkIp, NetworkObject};
pub use roles::{Member, MemberKind, Policy, PolicyRef, Role, RoleTags};
pub use volumes::{MountMode, Volume, VolumeMount, VolumeSize, VolumeState};

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::value::{Error as WordError, StringDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

/// Names and values that the API leaves open: tags, routes, and what an object holds beside its fields.
pub type Map = serde_json::Map<String, serde_json::Value>;

/// A word of the API's: one that was known when this was written, or another, kept as it was sent.
///
/// ```
/// # fn main() -> sdc::Result<()> {
/// use sdc::models::{Machine, MachineState, Open};
///
/// let answer = sdc::Answer::from_record(br#"{"id":"3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d","state":"hibernating"}"#)?;
/// let machine: Machine = answer.read()?;
/// assert_eq!(machine.state, Open::Other("hibernating".to_owned()));
/// assert_eq!(machine.state.to_string(), "hibernating");
/// assert!(machine.state != MachineState::Running);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A word that is known here.
    Known(T),
    /// Any other. A later version of this library may know it: compare texts to be safe.
    Other(String),
}

impl<T: Copy> Open<T> {
    /// The word, if it is known here.
    pub fn known(&self) -> Option<T> {
        match self {
            Open::Known(word) => Some(*word),
            Open::Other(_) => None,
        }
    }
}

impl<T> Default for Open<T> {
    fn default() -> Self {
        Open::Other(String::new())
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Open::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Open<T> {
    fn eq(&self, word: &T) -> bool {
        matches!(self, Open::Known(known) if known == word)
    }
}

/// The word as it is on the wire.
impl<T: Serialize> fmt::Display for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

// By hand: an untagged enum would take `{"running":null}` for a word.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known: StringDeserializer<WordError> = word.clone().into_deserializer();
        Ok(T::deserialize(known).map_or(Open::Other(word), Open::Known))
    }
}

/// A moment as the service wrote it: ISO 8601, UTC, usually with milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub String);

impl Time {
    /// The moment; `None` if the text names none.
    pub fn timestamp(&self) -> Option<jiff::Timestamp> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What may be secret: it is read and written as it is, but `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(pub T);

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl<T> Deref for Private<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Private<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A thing told by its name alone, or as an object: versions of the API differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a name or an object")]
pub enum NameOr<T> {
    /// The name alone.
    Name(String),
    /// The object.
    Object(T),
}

impl NameOr<Member> {
    /// The login, however it was told.
    pub fn login(&self) -> Option<&str> {
        match self {
            NameOr::Name(name) => Some(name),
            NameOr::Object(member) => member.login.as_deref(),
        }
    }
}

impl NameOr<PolicyRef> {
    /// The policy's name, however it was told.
    pub fn name(&self) -> Option<&str> {
        match self {
            NameOr::Name(name) => Some(name),
            NameOr::Object(policy) => policy.name.as_deref(),
        }
    }
}

/// One line of text, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
pub enum Lines {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// How large a disk of a package is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a size in MiB or `remaining`")]
pub enum DiskSize {
    /// So many MiB.
    Mib(u64),
    /// A word: `remaining` is all that is left.
    Word(String),
}

impl Default for DiskSize {
    fn default() -> Self {
        DiskSize::Word(String::new())
    }
}

impl AuditAction {
    /// Whether it went well; `None` where the service said neither `yes` nor `no`.
    pub fn succeeded(&self) -> Option<bool> {
        match self.success.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }
}

impl ChangefeedEvent {
    /// When it was published; `None` if the text names no moment.
    pub fn timestamp(&self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.published.parse().ok()?).ok()
    }
}

/// Null counts as absent.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
