//! Plans: steps that create, change, adopt and delete resources, in the order that their dependencies need, and a
//! record of what is owned. Nothing here knows what the resources are, or sends a request: whoever plans has a [`Kind`]
//! for its resources, makes [`Step`]s of them, puts them [`in_order`], and has a [`Run`] carry them out by its own
//! [`Work`].
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
//! # let folder = tempfile::tempdir().unwrap();
//! use sdc::api::cloudapi::{policies, roles};
//! use sdc::request::{Arg, Args};
//! use sdc::tasks::plan::{self, Action, Record, Run, Step, Work};
//!
//! #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
//! enum Kind { Policy, Role }
//!
//! impl plan::Kind for Kind {
//!     fn word(self) -> &'static str {
//!         match self { Kind::Policy => "policy", Kind::Role => "role" }
//!     }
//! }
//!
//! /// What is sent is the spec of a step: here the arguments.
//! struct Creator<'a>(&'a sdc::Client);
//!
//! impl Work<Kind, Args> for Creator<'_> {
//!     fn id(&self, _: &Step<Kind, Args>) -> Option<String> { None }
//!
//!     async fn carry_out(&mut self, step: &Step<Kind, Args>) -> sdc::Result<String> {
//!         let op = match step.kind { Kind::Policy => &policies::CREATE, Kind::Role => &roles::CREATE };
//!         let created = self.0.call(op, &step.spec.clone().set("name", &step.name)).await?;
//!         Ok(created.first().and_then(|row| row.text("/id")).unwrap_or_default().into_owned())
//!     }
//! }
//!
//! // The role comes first, and needs a policy that does not exist yet.
//! let mut args = Args::new();
//! args.push("policies", Arg::json(r#"[{ "name": "may" }]"#)?);
//! let mut ops = Step::new(Action::Create, Kind::Role, "ops", None, args);
//! ops.needs.push((Kind::Policy, "may".to_owned()));
//! let mut args = Args::new();
//! args.push("rules", Arg::json(r#"["CAN ping"]"#)?);
//! let may = Step::new(Action::Create, Kind::Policy, "may", None, args);
//! let steps = plan::in_order(vec![ops, may])?;
//! assert_eq!(steps[0].title(), "create policy may");
//!
//! let record = Record::read(folder.path(), "cloud.example.com", client.account(), "team")?.open()?;
//! Run::default().carry_out(&steps, Some(record), &mut Creator(&client), &()).await?;
//! let record = Record::<Kind>::read(folder.path(), "cloud.example.com", client.account(), "team")?;
//! assert_eq!(record.made().iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["may", "ops"]);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

mod order;
mod record;
mod run;

use std::fmt::Debug;
use std::hash::Hash;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::order::in_order;
pub use self::record::{Found, Image, OpenRecord, Record, Settled};
pub use self::run::{Run, Work};

/// The kinds of resources that a plan is about. The record keeps them by their serialized form.
pub trait Kind: Copy + Debug + Eq + Hash + Serialize + DeserializeOwned {
    /// The word for a resource of this kind, such as `role`.
    fn word(self) -> &'static str;
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Creates a resource that does not exist.
    Create,
    /// Changes one that exists and differs.
    Change,
    /// Puts one that exists on the record, as if it had been created.
    Adopt,
    /// Deletes one that is owned and no longer wanted.
    Delete,
}

impl Action {
    /// The sign before a step.
    pub fn sign(self) -> char {
        match self {
            Action::Create => '+',
            Action::Change => '~',
            Action::Adopt => '=',
            Action::Delete => '-',
        }
    }

    /// The verb.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Adopt => "adopt",
            Action::Delete => "delete",
        }
    }

    /// The verb once it is done.
    pub fn done(self) -> &'static str {
        match self {
            Action::Create => "created",
            Action::Change => "changed",
            Action::Adopt => "adopted",
            Action::Delete => "deleted",
        }
    }
}

/// A field before and after a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name.
    pub field: String,
    /// The value now; null where there is none.
    pub old: Value,
    /// The value to be; null clears the field.
    pub new: Value,
}

impl Change {
    /// A field that gets another value.
    pub fn new(field: impl Into<String>, old: Value, new: Value) -> Change {
        Change { field: field.into(), old, new }
    }
}

/// One step: an action on one resource. `S` holds whatever else its maker needs to carry it out.
#[derive(Clone, Debug, PartialEq)]
pub struct Step<K, S> {
    /// What it does.
    pub action: Action,
    /// The resource's kind.
    pub kind: K,
    /// The resource's name.
    pub name: String,
    /// The resource that it is a part of, by kind and name.
    pub parent: Option<(K, String)>,
    /// The resource's id, if it exists.
    pub id: Option<String>,
    /// The fields that differ.
    pub changes: Vec<Change>,
    /// The resources that this one refers to, by kind and name: they are created before it and deleted after it.
    pub needs: Vec<(K, String)>,
    /// What else it takes to carry it out.
    pub spec: S,
}

impl<K: Kind, S> Step<K, S> {
    /// A step without changes, for a resource that needs no other one.
    pub fn new(action: Action, kind: K, name: &str, id: Option<&str>, spec: S) -> Step<K, S> {
        Step {
            action,
            kind,
            name: name.to_owned(),
            parent: None,
            id: id.map(str::to_owned),
            changes: Vec::new(),
            needs: Vec::new(),
            spec,
        }
    }

    /// The resource in words: `key aa:bb of user jill`.
    pub fn target(&self) -> String {
        let own = format!("{} {}", self.kind.word(), self.name);
        match &self.parent {
            Some((kind, name)) => format!("{own} of {} {name}", kind.word()),
            None => own,
        }
    }

    /// The step in words: `create role ops`.
    pub fn title(&self) -> String {
        format!("{} {}", self.action.word(), self.target())
    }

    /// The resource as the record keeps it, once its id is known.
    pub fn owned(&self, id: String) -> Owned<K> {
        Owned { kind: self.kind, id, name: self.name.clone(), needs: self.needs.clone() }
    }
}

/// A resource that is owned, as the record keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "K: Kind")]
pub struct Owned<K> {
    /// Its kind.
    pub kind: K,
    /// Its id, unique among those of its kind.
    pub id: String,
    /// Its name when it was created or adopted.
    pub name: String,
    /// The resources that it refers to, by kind and name.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<(K, String)>,
}

impl<K: Kind> Owned<K> {
    /// Whether it is this resource.
    pub fn is(&self, kind: K, id: &str) -> bool {
        self.kind == kind && self.id == id
    }
}
