//! A VM for programs: what it is, what can be done to it, and waiting for that. Each change returns as soon as VMAPI has
//! taken it; a wait watches the VM and the job of the change before it, so that one that fails does not last.

use std::sync::Mutex;
use std::time::Duration;

use super::data_center::{DataCenter, uuid_of};
use crate::answer::{Answer, Row};
use crate::api::admin::{VMAPI, WORKFLOW, vmapi, workflow};
use crate::api::{Goal, Op};
use crate::client::{Client, Condition, Time, Until};
use crate::error::{Error, Kind, Result};
use crate::request::{Arg, Args};
use crate::tasks::resolve;

/// What a new VM is made of. Owner, networks, package and image are names or ids.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Whose it is: a login or an id.
    pub owner: String,
    /// The network or pool of each NIC; `network=NAME,ip=ADDRESS` for one with this address.
    pub networks: Vec<String>,
    /// The package.
    pub package: Option<String>,
    /// The image.
    pub image: Option<String>,
    /// The alias, which no other active VM of the owner has.
    pub alias: Option<String>,
    /// Sizes of the disks besides the image's, of kvm and bhyve VMs: `20G`.
    pub disks: Vec<String>,
    /// Whether it lets the keys of its owner in.
    pub keys: bool,
    /// Further fields of `CreateVm`, by their names.
    pub more: Args,
}

/// How a wait goes.
#[derive(Clone, Copy, Debug)]
pub struct WaitOptions {
    /// How long it may take.
    pub timeout: Duration,
}

impl Default for WaitOptions {
    /// Ten minutes.
    fn default() -> Self {
        WaitOptions { timeout: Duration::from_secs(600) }
    }
}

/// Which pairs of a VM are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Its tags.
    Tags,
    /// What it reads itself (`customer_metadata`).
    Customer,
    /// What it does not see (`internal_metadata`).
    Internal,
}

impl Pairs {
    /// What shows all of them, merges some into them, and replaces them.
    const fn ops(self) -> [&'static Op; 3] {
        match self {
            Pairs::Tags => [&vmapi::LIST_TAGS, &vmapi::SET_TAGS, &vmapi::REPLACE_TAGS],
            Pairs::Customer => [&vmapi::LIST_METADATA, &vmapi::SET_METADATA, &vmapi::REPLACE_METADATA],
            Pairs::Internal => [&vmapi::LIST_INTERNAL, &vmapi::SET_INTERNAL, &vmapi::REPLACE_INTERNAL],
        }
    }
}

/// A VM, as it was when it was last asked for.
pub struct Machine<'a> {
    dc: &'a DataCenter,
    uuid: String,
    alias: String,
    brand: String,
    record: String,
    /// The job of the last change.
    job: Mutex<Option<(&'static Op, String)>>,
}

impl<'a> Machine<'a> {
    pub(super) fn of(dc: &'a DataCenter, row: Row<'_>) -> Result<Machine<'a>> {
        let text = |field: &str| row.text(field).unwrap_or_default().into_owned();
        let record = row.json().to_owned();
        let job = Mutex::new(None);
        Ok(Machine { dc, uuid: uuid_of(row)?, alias: text("/alias"), brand: text("/brand"), record, job })
    }

    /// The same, whose last change is the work of this job.
    pub(super) fn following(self, op: &'static Op, job: Option<String>) -> Machine<'a> {
        Machine { job: Mutex::new(job.map(|job| (op, job))), ..self }
    }

    /// Its id.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Its alias.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// Its brand: `joyent`, `kvm`, ...
    pub fn brand(&self) -> &str {
        &self.brand
    }

    /// VMAPI's record of it, as JSON.
    pub fn json(&self) -> &str {
        &self.record
    }

    /// The same VM as it is now.
    ///
    /// # Errors
    /// VMAPI refused or did not answer.
    pub async fn refreshed(&self) -> Result<Machine<'a>> {
        let now = self.dc.call(&VMAPI, &vmapi::GET, &self.place()).await?;
        let row = now.first().ok_or_else(|| Error::new(Kind::Unreachable, "VMAPI shows nothing of the VM"))?;
        self.now(row)
    }

    /// Its state now: `running`, `stopped`, `destroyed`, ... (`GetVm`).
    ///
    /// # Errors
    /// As [`Machine::refreshed`].
    pub async fn status(&self) -> Result<String> {
        let now = self.dc.call(&VMAPI, &vmapi::GET, &self.place()).await?;
        Ok(now.first().and_then(|row| row.text("/state").map(|state| state.into_owned())).unwrap_or_default())
    }

    /// Whether it runs now.
    ///
    /// # Errors
    /// As [`Machine::refreshed`].
    pub async fn is_running(&self) -> Result<bool> {
        Ok(self.status().await? == "running")
    }

    /// Whether it is stopped now.
    ///
    /// # Errors
    /// As [`Machine::refreshed`].
    pub async fn is_stopped(&self) -> Result<bool> {
        Ok(self.status().await? == "stopped")
    }

    /// Waits until it is in this state, and returns it as it is then.
    ///
    /// # Errors
    /// [`Kind::FailedState`] where it or the job of the last change has failed; [`Kind::TimedOut`].
    pub async fn wait_until(&self, state: &str, options: WaitOptions) -> Result<Machine<'a>> {
        let gone = vmapi::VM.gone.contains(&state);
        self.until(if gone { Condition::Gone } else { Condition::State(state.to_owned()) }, options).await
    }

    /// Waits until it is in another state than this one, and returns it as it is then.
    ///
    /// # Errors
    /// As [`Machine::wait_until`].
    pub async fn wait_while(&self, state: &str, options: WaitOptions) -> Result<Machine<'a>> {
        self.until(Condition::AnotherState(state.to_owned()), options).await
    }

    async fn until(&self, condition: Condition, options: WaitOptions) -> Result<Machine<'a>> {
        let client = self.client().await?;
        let time = Time::new(options.timeout);
        let until = Until { noun: &vmapi::VM, args: self.place(), name: &self.alias, condition, time };
        let seen = match self.last_job() {
            None => client.until(&until, |_| {}).await?,
            Some((op, job)) => {
                let mut seen = Box::pin(client.until(&until, |_| {}));
                let mut ended = Box::pin(self.end_of(op, &job, time));
                let first = tokio::select! {
                    ended = &mut ended => Err(ended),
                    seen = &mut seen => Ok(seen?),
                };
                match first {
                    // On its way it may be in a state that does not last.
                    Ok(seen) if passes(op, &until.condition) => seen,
                    // It may have been so before: the job tells when it is so again.
                    Ok(_) => {
                        unless_gone(&client, &until, ended.await).await?;
                        client.until(&until, |_| {}).await?
                    }
                    // Once the job has ended well, the VM shows it soon.
                    Err(ended) => {
                        unless_gone(&client, &until, ended).await?;
                        seen.await?
                    }
                }
            }
        };
        match seen.first() {
            Some(row) => Ok(self.now(row)?),
            None => self.refreshed().await,
        }
    }

    /// The same VM as this record has it. Its last change stays its last.
    fn now(&self, row: Row<'_>) -> Result<Machine<'a>> {
        Ok(Machine { job: Mutex::new(self.last_job()), ..Machine::of(self.dc, row)? })
    }

    /// The job of the last change.
    fn last_job(&self) -> Option<(&'static Op, String)> {
        self.job.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Waits until the job of a change has ended well, whichever attempt that is. Only workflow knows which one follows.
    async fn end_of(&self, op: &'static Op, job: &str, time: Time) -> Result<()> {
        let end = match self.dc.client(&WORKFLOW).await {
            Ok(client) => client.end_of_job(&workflow::GET, job, time, |_| {}).await?,
            Err(_) => self.client().await?.end_of_job(&vmapi::GET_JOB, job, time, |_| {}).await?,
        };
        match end.fault {
            None => Ok(()),
            Some(why) => Err(Error::new(Kind::FailedState, format!("the {} of VM {} {why}", op.verb, self.alias))),
        }
    }

    /// Starts it, and returns the id of the job.
    ///
    /// # Errors
    /// VMAPI refused or did not answer.
    pub async fn start(&self) -> Result<String> {
        self.change(&vmapi::START, self.place()).await
    }

    /// Stops it, and returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn stop(&self) -> Result<String> {
        self.change(&vmapi::STOP, self.place()).await
    }

    /// Reboots it, and returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn reboot(&self) -> Result<String> {
        self.change(&vmapi::REBOOT, self.place()).await
    }

    /// Destroys it, and returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn delete(&self) -> Result<String> {
        self.change(&vmapi::DELETE, self.place()).await
    }

    /// Adds a NIC on this network, by its id or name, with this address or any; returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`]; no such network, or several.
    pub async fn add_nic(&self, network: &str, ip: Option<&str>) -> Result<String> {
        let nic = match ip {
            Some(ip) => serde_json::json!([{ "ipv4_uuid": network, "ipv4_ips": [ip] }]),
            None => serde_json::json!([{ "ipv4_uuid": network }]),
        };
        let mut args = self.place();
        args.push("networks", Arg::json(&nic.to_string())?);
        resolve::elsewhere(self.dc, &vmapi::ADD_NICS, &mut args).await?;
        self.change(&vmapi::ADD_NICS, args).await
    }

    /// Removes the NIC of this MAC address, and returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn remove_nic(&self, mac: &str) -> Result<String> {
        let mut args = self.place();
        args.push("macs", Arg::json(&serde_json::json!([mac]).to_string())?);
        self.change(&vmapi::REMOVE_NICS, args).await
    }

    /// Its tags or metadata now.
    ///
    /// # Errors
    /// As [`Machine::refreshed`].
    pub async fn pairs(&self, pairs: Pairs) -> Result<Answer> {
        let [list, ..] = pairs.ops();
        self.dc.call(&VMAPI, list, &self.place()).await
    }

    /// Sets some tags or metadata, and leaves the others; returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn update_pairs(&self, pairs: Pairs, changes: &Args) -> Result<String> {
        let [_, set, _] = pairs.ops();
        self.change(set, self.with(changes)).await
    }

    /// Puts these in the place of all its tags or metadata; returns the id of the job.
    ///
    /// # Errors
    /// As [`Machine::start`].
    pub async fn replace_pairs(&self, pairs: Pairs, all: &Args) -> Result<String> {
        let [.., replace] = pairs.ops();
        self.change(replace, self.with(all)).await
    }

    fn with(&self, pairs: &Args) -> Args {
        let mut args = self.place();
        for (name, value) in pairs.iter() {
            args.push(name, value.clone());
        }
        args
    }

    fn place(&self) -> Args {
        Args::new().set("vm", self.uuid.as_str())
    }

    async fn client(&self) -> Result<Client> {
        self.dc.client(&VMAPI).await
    }

    async fn change(&self, op: &'static Op, args: Args) -> Result<String> {
        let answer = self.dc.call(&VMAPI, op, &args).await?;
        let job = answer.first().and_then(|row| Some(row.text("/job_uuid")?.into_owned())).unwrap_or_default();
        let followed = Some((op, job.clone())).filter(|_| !job.is_empty());
        *self.job.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = followed;
        Ok(job)
    }
}

/// How a job has ended; of one that failed, or that nobody tells of any more, the error is none where the VM was to be
/// gone, and is.
async fn unless_gone(client: &Client, until: &Until<'_>, ended: Result<()>) -> Result<()> {
    let Err(error) = ended else { return Ok(()) };
    let look = until.condition == Condition::Gone && matches!(error.kind(), Kind::FailedState | Kind::Unreachable);
    if !look {
        return Err(error);
    }
    match client.call(until.noun.get, &until.args).await {
        Ok(now) if now.first().is_some_and(|row| until.noun.gone.contains(&&*row.text_or_empty("/state"))) => Ok(()),
        Err(now) if now.kind() == Kind::NotFound => Ok(()),
        _ => Err(error),
    }
}

/// Whether a VM is in such a state only while this is done to it, so that it need not be in it any more at the end.
fn passes(op: &Op, condition: &Condition) -> bool {
    match (condition, &op.goal) {
        (Condition::State(wanted), Some((Goal::State(end), _))) => wanted != end,
        (Condition::State(wanted), _) => !["running", "stopped"].contains(&wanted.as_str()),
        (Condition::AnotherState(_) | Condition::Tag(..), _) => true,
        (Condition::Gone, _) => false,
    }
}
