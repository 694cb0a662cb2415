//! Work that was asked for and is not done yet. Plain data.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::migration::Step;
use super::network::Nic;
use super::{id_of, new_id};

/// A job of the workflow service: work on a VM or a volume. Times are milliseconds since 1970 by the VMs' clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    #[serde(default = "new_id")]
    pub(crate) uuid: String,
    /// When it was asked for; 0 in files of an earlier version, which did not keep it.
    #[serde(default)]
    pub(crate) created: i64,
    /// When it has its VM to itself: later than it was asked for where another job worked on it.
    #[serde(default)]
    pub(crate) begins: i64,
    /// When it ends.
    pub(crate) due: i64,
    /// The VM; of work on a volume, the volume.
    #[serde(rename = "machine")]
    pub(crate) vm_uuid: String,
    pub(crate) work: Work,
    /// Who asked for it, as the audit log shows it.
    pub(crate) caller: Value,
    /// It has been planned to end badly.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "planned")]
    pub(crate) fails: Option<Planned>,
    /// It waits for its server, which is not heard from; otherwise it would have ended at this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) waits: Option<i64>,
    /// Whether a runner of the workflow service has taken it.
    #[serde(default, skip_serializing_if = "Runner::is_usual")]
    pub(crate) runner: Runner,
    /// Its ticket was released or deleted before its end: it waits for no other job, and none for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) let_go: bool,
    /// The job that it is another attempt of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
    /// How many attempts there were before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) attempt: u32,
    /// What it was asked with besides, by the names of its parameters.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(crate) asked: Map<String, Value>,
    /// How it ended, and when; `None` while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<End>,
}

/// When a runner takes a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Runner {
    /// As soon as it is there.
    #[default]
    AtOnce,
    /// None is free.
    Awaited,
    /// At this time, since none was free before.
    At(i64),
}

impl Runner {
    fn is_usual(&self) -> bool {
        *self == Runner::AtOnce
    }
}

/// How a job ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) at: i64,
    /// `succeeded`, `failed`, `canceled` or `retried`.
    pub(crate) execution: String,
    /// Why it failed, whether it says so or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    /// The job that is its next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// How a job has been planned to end badly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    /// At this step, or, where it is empty, at the one that waits for the server.
    pub(crate) step: String,
    /// What it says of its end instead: `succeeded` or `retried`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) says: Option<String>,
}

impl Planned {
    /// As a planted fault says it.
    pub(crate) fn of(step: Option<&str>, says: Option<&str>) -> Option<Planned> {
        Some(Planned { step: step?.to_owned(), says: says.map(str::to_owned) })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Why a job failed: at which step, and in which words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    pub(crate) step: String,
    /// A text, or an object with a `message`.
    pub(crate) error: Value,
}

/// A finished job as files of an earlier version have it, with its machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) action: String,
    pub(crate) success: bool,
    pub(crate) time: i64,
    pub(crate) caller: Value,
}

impl Job {
    /// A job that is asked for now, begins then, and takes so long.
    pub(crate) fn new(now: i64, begins: i64, takes: i64, vm_uuid: &str, work: Work, caller: Value) -> Job {
        Job {
            uuid: new_id(),
            created: now,
            begins,
            due: begins.saturating_add(takes),
            vm_uuid: vm_uuid.to_owned(),
            work,
            caller,
            fails: None,
            waits: None,
            runner: Runner::AtOnce,
            let_go: false,
            previous: None,
            attempt: 0,
            asked: Map::new(),
            end: None,
        }
    }

    /// The same, and it has ended.
    pub(crate) fn ended(self, failure: Option<Failure>) -> Job {
        let said = self.fails.as_ref().and_then(|planned| planned.says.as_deref());
        let execution = if failure.is_none() { "succeeded" } else { said.unwrap_or("failed") };
        let execution = execution.to_owned();
        Job { end: Some(End { at: self.due, execution, failure, next: None }), ..self }
    }

    /// The same, and it was canceled.
    pub(crate) fn canceled(self, at: i64) -> Job {
        Job { end: Some(End { at, execution: "canceled".to_owned(), failure: None, next: None }), ..self }
    }

    /// The step at which it has been planned to end badly.
    pub(crate) fn failing(&self) -> Option<&str> {
        let step = self.fails.as_ref()?.step.as_str();
        let usual = || self.work.chain().map_or("", |chain| chain.refused());
        Some(if step.is_empty() { usual() } else { step })
    }

    /// Whether it gets through this step. One that is canceled stops where it is.
    pub(crate) fn passes(&self, step: &str) -> bool {
        let refused = || self.work.chain().map(|chain| chain.refused());
        let fails = if self.waits.is_some() { refused() } else { self.failing() };
        let Some(fails) = fails else { return true };
        let chain = self.work.chain().filter(|_| self.end.is_none());
        chain.is_some_and(|chain| chain.at(step) < chain.at(fails))
    }

    /// Whether there is another attempt when this one has ended badly.
    pub(crate) fn is_retried(&self) -> bool {
        self.fails.as_ref().is_some_and(|planned| planned.says.as_deref() == Some("retried"))
    }

    /// Whether another job that has not ended does the same, by the same parameters.
    pub(crate) fn is_like(&self, other: &Job) -> bool {
        let work = |job: &Job| serde_json::to_value(&job.work).unwrap_or_default();
        self.vm_uuid == other.vm_uuid && self.asked == other.asked && work(self) == work(other)
    }

    /// Whether it gets so far that its work is done, even where it ends badly.
    pub(crate) fn is_done(&self) -> bool {
        let Some(fails) = self.failing() else { return self.waits.is_none() };
        let chain = self.work.chain().filter(|_| self.end.is_none() && self.waits.is_none());
        chain.is_some_and(|chain| chain.at(fails).is_some_and(|at| at > chain.done()))
    }

    /// When a runner takes it; never, as long as none is free.
    pub(crate) fn taken(&self) -> i64 {
        match self.runner {
            Runner::AtOnce => self.created,
            Runner::Awaited => i64::MAX,
            Runner::At(time) => time,
        }
    }

    /// Whether it is in the queue of those that have their VM to themselves, one after the other.
    pub(crate) fn is_in_line(&self) -> bool {
        self.work.takes_ticket() && !self.let_go && self.runner != Runner::Awaited
    }

    /// The id of its ticket.
    pub(crate) fn ticket(&self) -> String {
        id_of(&format!("{}/ticket", self.uuid))
    }

    /// Whether it did what it was to do.
    pub(crate) fn succeeded(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.execution == "succeeded")
    }

    /// A job of the past, of which only the audit log's words are known.
    pub(crate) fn past(vm_uuid: &str, number: usize, entry: Entry) -> Job {
        let created = entry.time.saturating_sub(PAST);
        let work = Work::Past { action: entry.action };
        let job = Job::new(created, created, PAST, vm_uuid, work, entry.caller);
        let failure = (!entry.success).then(|| Failure {
            step: job.work.chain().map_or("", |chain| chain.node).to_owned(),
            error: "the task failed on the server".into(),
        });
        Job { uuid: id_of(&format!("jobs/{vm_uuid}/{number}")), ..job.ended(failure) }
    }

    /// Whether it does nothing where its VM is in the state already.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.asked.get("idempotent") == Some(&Value::Bool(true))
    }
}

/// How long a job took of which only the end is known, in milliseconds.
const PAST: i64 = 1000;

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Work {
    Provision {
        nics: Vec<Nic>,
        compute_node: String,
    },
    Start,
    Stop,
    /// The first half of a reboot: down.
    RebootDown,
    /// The second half: up again.
    Reboot,
    Destroy,
    Rename {
        name: String,
    },
    Resize {
        package: String,
    },
    Firewall {
        on: bool,
    },
    DeletionProtection {
        on: bool,
    },
    SetTags {
        tags: Map<String, Value>,
    },
    ReplaceTags {
        tags: Map<String, Value>,
    },
    RemoveTags {
        names: Vec<String>,
    },
    SetMetadata {
        metadata: Map<String, Value>,
    },
    ReplaceMetadata {
        metadata: Map<String, Value>,
    },
    RemoveMetadata {
        names: Vec<String>,
    },
    Snapshot {
        name: String,
    },
    DeleteSnapshot {
        name: String,
    },
    /// Rolls back to a snapshot. The VM ends stopped, or running if `boots`.
    Rollback {
        name: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        boots: bool,
    },
    CreateDisk {
        disk: String,
    },
    ResizeDisk {
        disk: String,
    },
    DeleteDisk {
        disk: String,
    },
    /// An image is made from the machine.
    Image {
        image: String,
    },
    Migrate(Step),
    /// The machine gets interfaces that wait for it, and is rebooted.
    #[serde(alias = "add_nic")]
    AddNics {
        #[serde(alias = "mac", deserialize_with = "one_or_several")]
        macs: Vec<String>,
    },
    #[serde(alias = "remove_nic")]
    RemoveNics {
        #[serde(alias = "mac", deserialize_with = "one_or_several")]
        macs: Vec<String>,
    },
    /// Interfaces change, by their hardware addresses.
    UpdateNics {
        nics: Map<String, Value>,
    },
    /// A signal to its first process.
    Kill {
        signal: String,
    },
    /// Its file system is made anew from an image.
    Reprovision {
        image: String,
    },
    /// Any fields of an operator's update, by VMAPI's names.
    Update {
        fields: Map<String, Value>,
    },
    CreateVolume,
    DeleteVolume,
    /// Done long ago; the audit log's word for it is all that is known.
    Past {
        action: String,
    },
}

/// Files of an earlier version have one where there may be several.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Given::deserialize(from)? {
        Given::One(one) => vec![one],
        Given::Several(several) => several,
    })
}

/// Files of an earlier version say only whether, or the step alone.
fn planned<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Planned>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Whether(bool),
        Where(String),
        Whole(Planned),
    }
    Ok(match Given::deserialize(from)? {
        Given::Whether(fails) => fails.then(Planned::default),
        Given::Where(step) => Some(Planned { step, says: None }),
        Given::Whole(planned) => Some(planned),
    })
}
