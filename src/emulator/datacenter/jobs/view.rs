//! Jobs as the workflow service shows them: which steps of its chain a job has been through by now. Nothing of it is
//! kept; it follows from when the job was asked for, began and ended.

use serde_json::{Map, Value, json};

use super::super::chains::{Chain, QUEUE};
use super::super::clock::iso;
use super::super::state::{Job, Runner, State, Work, id_of};
use super::updates::subtask;

/// How often a job is tried.
pub(crate) const MAX_ATTEMPTS: u32 = 10;

/// The result of a step.
struct Result {
    name: &'static str,
    result: String,
    error: Value,
    started: i64,
    finished: i64,
}

impl Result {
    fn view(&self) -> Value {
        json!({
            "result": self.result,
            "error": self.error,
            "name": self.name,
            "started_at": iso(self.started),
            "finished_at": iso(self.finished),
        })
    }
}

impl Job {
    /// `queued`, `running`, `succeeded`, `failed`, `canceled` or `retried`.
    pub(crate) fn execution(&self) -> &str {
        match &self.end {
            Some(end) => end.execution.as_str(),
            None if self.runner == Runner::Awaited => "queued",
            None => "running",
        }
    }

    /// When its step of this number is over, if it gets through so many of them until this time.
    fn finished(&self, at: usize, count: usize, until: i64) -> i64 {
        let steps = self.work.chain().map_or(&[][..], |chain| chain.steps);
        let queue = steps.iter().position(|step| *step == QUEUE).unwrap_or(0);
        let (created, begins) = (self.taken(), self.begins.max(self.taken()));
        let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
        // The first one is over as soon as the job is there.
        let spread = |from: i64, to: i64, at: usize, last: usize| {
            let part = to.saturating_sub(from).max(0).saturating_mul(number(at)) / number(last.max(1));
            from.saturating_add(part)
        };
        if begins == created {
            return spread(created, until, at, count.saturating_sub(1));
        }
        match at {
            at if at < queue => created,
            at => spread(begins, until, at - queue, count.saturating_sub(1).saturating_sub(queue)),
        }
    }

    /// The steps that are over by now.
    fn results(&self, chain: &'static Chain, now: i64) -> Vec<Result> {
        let (until, failure) = match &self.end {
            Some(end) => (end.at, end.failure.as_ref()),
            // What waits for its server got so far as it otherwise would have.
            None => (self.waits.unwrap_or(self.due), None),
        };
        let canceled = self.execution() == "canceled";
        let failed = failure.and_then(|failure| chain.steps.iter().position(|step| *step == failure.step));
        let count = failed.map_or(chain.steps.len(), |at| at + 1);
        let last = if canceled { self.due } else { until };
        let mut results = Vec::new();
        let mut started = self.finished(0, count, last).min(until);
        for (at, name) in chain.steps.iter().take(count).enumerate() {
            let finished = self.finished(at, count, last);
            let reached = self.waits.is_none() || self.end.is_some() || at < chain.done();
            let over = self.end.is_some() && !canceled || reached && finished <= until.min(now);
            let begun = id_of(&format!("{}/{at}", self.uuid));
            let mut result =
                Result { name, result: Chain::says(name, &self.vm_uuid, &begun), error: "".into(), started, finished };
            if failed == Some(at) {
                result.result.clear();
                result.error = failure.map_or(Value::Null, |failure| failure.error.clone());
            }
            if !over && canceled {
                result.result.clear();
                (result.error, result.finished) = ("cancel".into(), until);
            }
            if over || canceled {
                results.push(result);
            }
            if !over {
                break;
            }
            started = finished;
        }
        results
    }

    /// Its parameters: what every job has, and what its work is about.
    fn params(&self, state: &State, chain: &Chain) -> Map<String, Value> {
        let mut params = Map::new();
        let mut put = |name: &str, value: Value| {
            params.insert(name.to_owned(), value);
        };
        put("task", chain.task.into());
        put("target", self.target(chain).into());
        put("vm_uuid", self.vm_uuid.clone().into());
        let vm = state.any_vm(&self.vm_uuid);
        if let Some(vm) = &vm {
            put("owner_uuid", vm.owner_uuid.clone().into());
            // Where it was made may not be where it is.
            let server = match &self.work {
                Work::Provision { compute_node, .. } => compute_node,
                _ => &vm.server_uuid,
            };
            put("server_uuid", if server.is_empty() { Value::Null } else { server.clone().into() });
        }
        put("x-request-id", self.request_id().into());
        if self.is_by_customer() {
            put("origin", "cloudapi".into());
            put("creator_uuid", vm.map_or(Value::Null, |vm| vm.owner_uuid.clone().into()));
        }
        if self.is_by_customer() || self.caller.get("type").is_some_and(|kind| kind != "operator") {
            put("context", json!({ "caller": self.caller }));
        }
        for (name, value) in self.own() {
            put(name, value);
        }
        for (name, value) in &self.asked {
            put(name, value.clone());
        }
        params
    }

    /// The id of the request that asked for it.
    pub(crate) fn request_id(&self) -> String {
        let given = self.asked.get("x-request-id").and_then(Value::as_str);
        given.map_or_else(|| id_of(&format!("{}/request", self.uuid)), str::to_owned)
    }

    fn target(&self, chain: &Chain) -> String {
        format!("/{}-{}", chain.word, self.vm_uuid)
    }

    fn is_by_customer(&self) -> bool {
        matches!(self.caller.get("type").and_then(Value::as_str), Some("signature" | "basic"))
    }

    /// The parameters of its work alone.
    fn own(&self) -> Vec<(&'static str, Value)> {
        let update = |kind: &str, payload: Value| vec![("subtask", kind.into()), ("payload", payload)];
        match &self.work {
            Work::Provision { nics, .. } => vec![("current_state", "provisioning".into()), ("nics", json!(nics))],
            Work::Snapshot { name } | Work::Rollback { name, .. } | Work::DeleteSnapshot { name } => {
                vec![("snapshot_name", name.clone().into())]
            }
            Work::AddNics { macs } => vec![("add_nics", json!(macs))],
            Work::RemoveNics { macs } => vec![("remove_nics", json!(macs))],
            Work::UpdateNics { nics } => vec![("update_nics", Value::Object(nics.clone()))],
            Work::Kill { signal } => vec![("signal", signal.clone().into())],
            Work::Reprovision { image } | Work::Image { image } => vec![("image_uuid", image.clone().into())],
            Work::Rename { name } => update("rename", json!({ "alias": name })),
            Work::Resize { package } => update("resize", json!({ "billing_id": package })),
            Work::Firewall { on } => update("", json!({ "firewall_enabled": on })),
            Work::DeletionProtection { on } => update("", json!({ "indestructible_zoneroot": on })),
            Work::SetTags { tags } => update("metadata", json!({ "set_tags": tags })),
            Work::ReplaceTags { tags } => update("metadata", json!({ "set_tags": tags, "remove_tags": [] })),
            Work::RemoveTags { names } => update("metadata", json!({ "remove_tags": names })),
            Work::SetMetadata { metadata } => update("metadata", json!({ "set_customer_metadata": metadata })),
            Work::ReplaceMetadata { metadata } => {
                update("metadata", json!({ "set_customer_metadata": metadata, "remove_customer_metadata": [] }))
            }
            Work::RemoveMetadata { names } => update("metadata", json!({ "remove_customer_metadata": names })),
            Work::CreateDisk { disk } => update("create_disk", json!({ "add_disks": [{ "uuid": disk }] })),
            Work::ResizeDisk { disk } => update("resize_disk", json!({ "update_disks": [{ "uuid": disk }] })),
            Work::DeleteDisk { disk } => update("delete_disk", json!({ "remove_disks": [disk] })),
            Work::Update { fields } => update(subtask(fields), Value::Object(fields.clone())),
            _ => Vec::new(),
        }
    }
}

impl State {
    /// All jobs that the workflow service knows, newest first: those under way, and those that have ended.
    pub(crate) fn all_jobs(&self) -> Vec<&Job> {
        let mut planned: Vec<&Job> = self.jobs.iter().collect();
        // Those that wait are in the order in which they would have ended.
        planned.sort_by_key(|job| job.waits.unwrap_or(job.due));
        let all = self.history.iter().chain(planned);
        let mut jobs: Vec<&Job> = all.filter(|job| job.work.chain().is_some()).collect();
        // Those of one moment in the order in which they were asked for, the last one first.
        jobs.reverse();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.created));
        jobs
    }

    /// The job of this id.
    pub(crate) fn job(&self, uuid: &str) -> Option<&Job> {
        self.jobs.iter().chain(&self.history).find(|job| job.uuid == uuid && job.work.chain().is_some())
    }

    /// A job as VMAPI shows it; none of what is no job of its own.
    pub(crate) fn job_brief(&self, job: &Job, now: i64) -> Option<Map<String, Value>> {
        let chain = job.work.chain()?;
        let mut view = Map::new();
        let mut put = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        put("uuid", job.uuid.clone().into());
        put("name", chain.name().into());
        put("execution", job.execution().into());
        put("params", Value::Object(job.params(self, chain)));
        put("chain_results", job.results(chain, now).iter().map(Result::view).collect());
        put("timeout", chain.timeout.into());
        put("created_at", iso(job.created).into());
        put("exec_after", iso(job.created).into());
        Some(view)
    }

    /// A job as the workflow service shows it: with its chain, and how it was carried out.
    pub(crate) fn job_view(&self, job: &Job, now: i64) -> Option<Map<String, Value>> {
        let chain = job.work.chain()?;
        let mut view = self.job_brief(job, now)?;
        let params = view.get("params").and_then(Value::as_object);
        let named = ["vm_uuid", "server_uuid", "image_uuid", "creator_uuid", "origin", "task", "target"];
        let copied: Vec<(&str, Value)> =
            named.into_iter().filter_map(|name| Some((name, params?.get(name)?.clone()))).collect();
        let mut put = |name: &str, value: Value| {
            view.insert(name.to_owned(), value);
        };
        copied.into_iter().for_each(|(name, value)| put(name, value));
        put("workflow_uuid", chain.uuid().into());
        put("version", chain.version.into());
        put("chain", chain.view());
        put("onerror", chain.onerror_view());
        if job.execution() == "failed" {
            let at = job.end.as_ref().map_or(job.due, |end| end.at);
            put("onerror_results", onerror(job, chain, at));
        }
        put("num_attempts", job.attempt.into());
        put("max_attempts", MAX_ATTEMPTS.into());
        if let Some(previous) = &job.previous {
            put("prev_attempt", previous.clone().into());
        }
        if let Some(next) = job.end.as_ref().and_then(|end| end.next.clone()) {
            put("next_attempt", next.into());
        }
        let elapsed = job.end.as_ref().map_or(now, |end| end.at).saturating_sub(job.taken()).max(0);
        // Milliseconds as seconds.
        put("elapsed", json!(f64::from(u32::try_from(elapsed).unwrap_or(u32::MAX)) / 1000.0));
        let without = job.end.is_some() || job.runner == Runner::Awaited;
        put("runner_id", if without { Value::Null } else { id_of("runner").into() });
        Some(view)
    }
}

/// What ran after a step had failed.
fn onerror(job: &Job, chain: &Chain, at: i64) -> Value {
    let results = chain.onerror.iter().map(|name| {
        let failed = *name == "On error";
        let result = if failed { String::new() } else { Chain::says(name, &job.vm_uuid, "") };
        let error = if failed { "Error executing job" } else { "" };
        Result { name, result, error: error.into(), started: at, finished: at }.view()
    });
    results.collect()
}

impl Chain {
    /// The id of the workflow.
    pub(crate) fn uuid(&self) -> String {
        id_of(&format!("workflows/{}", self.word))
    }

    /// Its steps, as a workflow and its jobs show them.
    pub(crate) fn view(&self) -> Value {
        steps(self.word, self.steps)
    }

    /// A digest of its steps.
    pub(crate) fn digest(&self) -> String {
        id_of(&self.steps.join(" ")).replace('-', "")
    }

    pub(crate) fn onerror_view(&self) -> Value {
        steps(self.word, self.onerror)
    }
}

fn steps(word: &str, names: &[&str]) -> Value {
    let step = |(at, name): (usize, &&str)| {
        json!({
            "name": name,
            "timeout": 60,
            "retry": 1,
            "uuid": id_of(&format!("workflows/{word}/{at}/{name}")),
            "modules": "{}",
            "body": "function (job, cb) { return cb(null); }",
        })
    };
    names.iter().enumerate().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::state::Vm;
    use super::*;

    fn state(vm_state: &str) -> State {
        let mut state = State::default();
        state.vms.push(Vm { uuid: "a".to_owned(), state: vm_state.to_owned(), ..Vm::default() });
        state
    }

    fn operator() -> Value {
        json!({ "type": "operator" })
    }

    fn names(view: &Map<String, Value>, field: &str) -> Vec<String> {
        view[field].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_job_runs_through_its_steps_as_time_passes() {
        let mut state = state("running");
        let uuid = state.ask(1000, Job::new(1000, 1000, 0, "a", Work::Stop, operator()));
        let seen = |state: &State, now: i64| state.job_view(state.job(&uuid).unwrap(), now).unwrap();
        let at_once = seen(&state, 1000);
        assert_eq!((at_once["execution"].as_str(), names(&at_once, "chain_results").len()), (Some("running"), 1));
        assert_eq!(names(&seen(&state, 1500), "chain_results").len(), 5);
        assert!(state.catch_up(2000));
        let done = seen(&state, 2000);
        assert_eq!((done["execution"].as_str(), names(&done, "chain_results").len()), (Some("succeeded"), 9));
        assert_eq!(done["chain_results"][0]["result"], "All parameters OK!");
        assert_eq!(done["chain_results"][8]["finished_at"], iso(2000));
        assert_eq!((done["name"].as_str(), done["params"]["task"].as_str()), (Some("stop-7.0.8"), Some("stop")));
        assert!(done["params"].get("context").is_none());
    }

    #[test]
    fn a_stop_of_what_is_stopped_fails_where_the_state_is_looked_at() {
        let mut state = state("stopped");
        let uuid = state.ask(0, Job::new(0, 0, 0, "a", Work::Stop, operator()));
        state.catch_up(5000);
        let view = state.job_view(state.job(&uuid).unwrap(), 5000).unwrap();
        assert_eq!(view["execution"], "failed");
        let last = view["chain_results"].as_array().unwrap().last().unwrap();
        assert_eq!(last["name"], "common.ensure_vm_state");
        assert_eq!(last["error"]["message"], "Cannot stop a VM from a 'stopped' state");
        assert_eq!(names(&view, "onerror_results"), ["cnapi.release_vm_ticket_ignore_err", "On error"]);
        let asked = [("idempotent".to_owned(), Value::Bool(true))].into_iter().collect();
        let again = Job { asked, ..Job::new(6000, 6000, 0, "a", Work::Stop, operator()) };
        let uuid = state.ask(6000, again);
        state.catch_up(9000);
        assert!(state.job(&uuid).unwrap().succeeded());
    }

    #[test]
    fn jobs_of_one_vm_run_one_after_the_other() {
        let mut state = state("running");
        state.ask(0, Job::new(0, 0, 0, "a", Work::Stop, operator()));
        let uuid = state.ask(100, Job::new(100, 100, 0, "a", Work::Start, operator()));
        let seen =
            |state: &State, now: i64| names(&state.job_view(state.job(&uuid).unwrap(), now).unwrap(), "chain_results");
        assert_eq!(seen(&state, 500).last().unwrap(), "cnapi.acquire_vm_ticket");
        state.catch_up(1000);
        assert!(seen(&state, 1000).contains(&"cnapi.wait_on_vm_ticket".to_owned()));
        state.catch_up(2000);
        assert!(state.job(&uuid).unwrap().succeeded());
        assert_eq!(state.vms.get("a").unwrap().state, "running");
    }
}
