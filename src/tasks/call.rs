//! One call of an operation: its arguments, what the user calls its target, and both in words.
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
//! use sdc::api::cloudapi::machines::{DELETE, MACHINE};
//! use sdc::tasks::call::{Call, described};
//! use sdc::tasks::resolve;
//!
//! let id = resolve::id(&client, &MACHINE, "db0").await?;
//! let call = Call::on(&MACHINE, &id, "db0");
//! assert_eq!(described(&call), format!("machine db0 ({id})"));
//! // The service's own words do not name the machine.
//! let error = client.call(&DELETE, &call.args).await.map_err(|error| call.blame(error)).unwrap_err();
//! assert!(error.message().starts_with("machine db0: "), "{error}");
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use super::resolve::is_uuid;
use super::words::{brief, word};
use crate::api::{self, Ids, Noun, Op};
use crate::error::{Error, Target};
use crate::request::Args;

/// One call of the operation, and what the user calls its target.
#[derive(Clone, Default)]
pub struct Call {
    /// The arguments, the target's among them.
    pub args: Args,
    /// The target's noun, and what was typed for it.
    pub target: Option<(&'static str, String)>,
    /// What it is a part of, outermost first: the path's parameters before the target's.
    pub parents: Vec<(&'static str, String)>,
}

impl Call {
    /// A call without a target: of a list, or for what is to be made.
    pub fn new(args: Args) -> Call {
        Call { args, ..Call::default() }
    }

    /// A call for the resource of this id, with the name by which it is called.
    pub fn on(noun: &Noun, id: &str, name: impl Into<String>) -> Call {
        let args = Args::new().set(noun.name, id);
        Call { args, target: Some((noun.name, name.into())), parents: Vec::new() }
    }

    /// Of several, an error says which it is about. What the service said is told so anyway.
    pub fn named(&self, error: Error) -> Error {
        let name = match &self.target {
            Some((_, name)) => Some(name.as_str()).filter(|_| error.fault().is_none()),
            None => self.args.text("name"),
        };
        match name.filter(|name| !error.message().contains(*name)) {
            Some(_) => error.about(&described_or_new(self)),
            None => error,
        }
    }

    /// A service's words seldom say which thing they are about, nor do the hints beside them.
    pub fn blame(&self, error: Error) -> Error {
        let things = self.parents.iter().chain(&self.target).map(|(param, _)| *param);
        let known = things.filter_map(|param| Some((param, self.args.text(param).filter(|id| is_uuid(id))?)));
        let error = known.fold(error, |error, (param, id)| error.filled(&word(param).to_uppercase(), id));
        match &self.target {
            Some((param, name)) if error.fault().is_some() => {
                let of: String = self
                    .parents
                    .iter()
                    .rev()
                    .map(|(param, name)| format!(" of {} {}", word(param), brief(name)))
                    .collect();
                error.about(&format!("{} {}{of}", word(param), brief(name)))
            }
            _ => error,
        }
    }

    /// An error of this call says which target it is about, for scripts.
    pub fn of(&self, error: Error) -> Error {
        match &self.target {
            Some((param, name)) => {
                error.on(Target { noun: word(param), id: self.id().map(str::to_owned), name: name.clone() })
            }
            None => error,
        }
    }

    /// What tells its target from all others: its id, and those of what it is a part of.
    pub fn key(&self) -> Option<String> {
        let own = self.id()?;
        let above = self.parents.iter().filter_map(|(param, _)| self.args.text(param));
        Some(above.chain([own]).collect::<Vec<_>>().join("/"))
    }

    /// What the rows of the answer are parts of: its noun, what was typed for it, and its id.
    pub fn owner(&self) -> Option<(&'static str, &str, &str)> {
        let (param, typed) = self.parents.last().or(self.target.as_ref())?;
        Some((param, typed, self.args.text(param)?))
    }

    /// The target's id, once it is resolved.
    pub fn id(&self) -> Option<&str> {
        self.args.text(self.target.as_ref()?.0)
    }
}

/// `machine web0 (b6979942-…)`.
pub fn described(call: &Call) -> String {
    let Some((param, name)) = &call.target else { return String::new() };
    let thing = word(param);
    let shown = brief(name);
    let own = match call.args.text(param) {
        // An address without its colons is the same address.
        Some(id) if id != name && api::noun(param).is_none_or(|noun| noun.ids != Ids::Mac) => {
            format!("{thing} {shown} ({})", brief(id))
        }
        _ => format!("{thing} {shown}"),
    };
    let of = |own, (param, name): &(&'static str, String)| format!("{own} of {} {}", word(param), brief(name));
    call.parents.iter().rev().fold(own, of)
}

/// The same, and for what is being made the name it is to have.
pub fn described_or_new(call: &Call) -> String {
    match (&call.target, call.args.text("name")) {
        (Some(_), _) => described(call),
        (None, Some(name)) => format!("'{name}'"),
        (None, None) => "a new one".to_owned(),
    }
}

/// The verb, without its group where the target is one of the group: `delete tag a`, not `tags delete tag a`.
pub fn verb(op: &Op) -> &'static str {
    match op.verb.rsplit_once(' ') {
        Some((_, verb)) if is_of_part(op) => verb,
        _ => op.verb,
    }
}

/// What is done to what a call makes or is about: `create`, of `snapshots create`.
pub fn own_verb(op: &Op) -> &'static str {
    match op.verb.rsplit_once(' ') {
        Some((_, verb)) if op.makes().is_some() => verb,
        _ => verb(op),
    }
}

/// Whether what is named is a part of something, such as a tag of a machine.
fn is_of_part(op: &Op) -> bool {
    op.path.rsplit('/').next().unwrap_or_default().starts_with(':') && op.path_params().count() > 1
}
