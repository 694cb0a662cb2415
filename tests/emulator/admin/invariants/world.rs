//! The data center that a walk goes through, and what the walk remembers of it.

use std::collections::BTreeMap;

use sdc::emulator::{Emulator, Options, Pace};
use serde_json::{Value, json};

use super::super::super::ssh_keygen_interop::{Got, authorization, http_date, options, send};
use super::super::{ask, get, later};
use super::{checks, steps};

/// Where the zones of the services are, whose addresses change with each start.
const HEADNODE: &str = "44454c4c-3100-1039-8036-b4c04f4d3132";

/// Dice that fall the same way for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides.max(1) as u64) as usize
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = self.roll(all.len());
        all.get(at)
    }
}

pub struct World {
    emulator: Option<Emulator>,
    dir: tempfile::TempDir,
    seed: u64,
    pub dice: Dice,
    /// The headers of the customer's requests: what is signed is the time alone, and it is good for minutes.
    signed: Vec<(&'static str, String)>,
    /// What has been done so far, a line each.
    pub log: Vec<String>,
    /// Every job that an answer has named, with its VM.
    pub jobs: BTreeMap<String, String>,
    /// Images that were deleted, which VMs may still be of.
    pub deleted_images: Vec<String>,
    /// A counter for names.
    pub names: usize,
}

impl World {
    pub async fn new(seed: u64) -> World {
        let mut world = World {
            emulator: None,
            dir: tempfile::tempdir().unwrap(),
            seed,
            dice: Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)),
            signed: Vec::new(),
            log: Vec::new(),
            jobs: BTreeMap::new(),
            deleted_images: Vec::new(),
            names: 0,
        };
        world.begin().await;
        // Ahead of the time of day, where a restart goes on at the very moment at which it ended.
        world.wait(86_400_000);
        world
    }

    async fn begin(&mut self) {
        let state_file = Some(self.dir.path().join("state.json"));
        let options = Options { pace: Pace::Stepped, admin: true, state_file, ..options() };
        let emulator = Emulator::start(options).await.unwrap();
        let date = http_date(0);
        let authorization = authorization(&emulator, &date);
        let json = "application/json".to_owned();
        self.signed = vec![("Date", date), ("Authorization", authorization), ("Content-Type", json)];
        self.emulator = Some(emulator);
    }

    pub fn emulator(&self) -> &Emulator {
        self.emulator.as_ref().unwrap()
    }

    /// Ends the emulator and begins again with what it wrote.
    pub async fn restart(&mut self) {
        self.log.push("restart".to_owned());
        let before = self.told().await;
        self.emulator.take().unwrap().stop().await.unwrap();
        self.begin().await;
        let after = self.told().await;
        self.hold(before.len() == after.len(), || "rows are lost by a restart".to_owned());
        for (before, after) in before.iter().zip(&after) {
            self.hold(before == after, || format!("a row differs after a restart:\n{before}\n{after}"));
        }
    }

    /// What is the same after a restart: the addresses of the services are not.
    async fn told(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for (service, path) in
            [("vmapi", "/vms?fields=*"), ("workflow", "/jobs"), ("papi", "/packages"), ("imgapi", "/images?state=all")]
        {
            let mut rows = self.list(service, path).await;
            rows.retain(|row| row["server_uuid"] != HEADNODE);
            all.extend(rows);
        }
        let mut nics = self.list("napi", "/nics?owner_uuid=a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f").await;
        nics.sort_by_key(|nic| nic["mac"].as_str().unwrap().to_owned());
        all.extend(nics);
        all.extend(self.customer("/acme/machines?tombstone=true").await.as_array().unwrap().iter().cloned());
        all
    }

    /// Fails with the seed and all steps, unless something is so.
    #[track_caller]
    pub fn hold(&self, is: bool, words: impl FnOnce() -> String) {
        assert!(is, "walk {}: {}\nafter:\n  {}", self.seed, words(), self.log.join("\n  "));
    }

    pub async fn admin(&self, service: &str, path: &str) -> Value {
        let got = get(self.emulator(), service, path).await;
        self.hold(got.status == 200, || format!("{service} {path}: {} {}", got.status, got.json()));
        got.json()
    }

    pub async fn list(&self, service: &str, path: &str) -> Vec<Value> {
        self.admin(service, path).await.as_array().cloned().unwrap_or_default()
    }

    async fn cloudapi(&self, method: &str, path: &str, body: &str) -> Got {
        let headers: Vec<(&str, &str)> = self.signed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send(self.emulator(), method, path, &headers, body).await
    }

    pub async fn customer(&self, path: &str) -> Value {
        let got = self.cloudapi("GET", path, "").await;
        self.hold(got.status == 200, || format!("CloudAPI {path}: {} {}", got.status, got.json()));
        got.json()
    }

    fn note(&mut self, who: &str, method: &str, path: &str, body: &Value, got: &Got) {
        let text = if body.is_null() { String::new() } else { format!(" {body}") };
        let said = got.json();
        let said = if got.status >= 400 { said["message"].to_string() } else { said["job_uuid"].to_string() };
        self.log.push(format!("{who} {method} {path}{text} -> {} {said}", got.status));
        // What NAPI has no address for, and VMAPI's answer to a network that is not the owner's.
        let known = matches!(got.status, 507) || got.message().contains("owner cannot provision on network");
        let known = known || got.code() == "ProvisionFailedError" || got.message().contains("is not reachable");
        self.hold(got.status < 500 || known, || "an error of the server".to_owned());
        let json = got.json();
        if let (Some(job), vm) = (json["job_uuid"].as_str(), json["vm_uuid"].as_str().unwrap_or_default()) {
            self.jobs.insert(job.to_owned(), vm.to_owned());
        }
    }

    /// What an operator does.
    pub async fn operate(&mut self, service: &str, method: &str, path: &str, body: Value) -> Got {
        let got = ask(self.emulator(), service, method, path, &body).await;
        self.note(service, method, path, &body, &got);
        got
    }

    /// What the customer does.
    pub async fn act(&mut self, method: &str, path: &str, body: Value) -> Got {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let got = self.cloudapi(method, path, &text).await;
        self.note("CloudAPI", method, path, &body, &got);
        got
    }

    pub fn wait(&mut self, ms: u64) {
        self.log.push(format!("{ms} ms pass"));
        later(self.emulator(), ms);
    }

    /// A name that nothing has.
    pub fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}{}", self.names)
    }

    pub async fn step(&mut self) {
        steps::step(self).await;
    }

    pub async fn check(&self) {
        checks::all(self).await;
    }

    /// Lets all work come to its end.
    pub async fn settle(&mut self) {
        self.emulator().clear_faults();
        for server in ["cn0", "cn1", "cn2"] {
            self.emulator().add_fault(format!("heard={server}").parse().unwrap());
        }
        self.emulator().add_fault("runner=free".parse().unwrap());
        // Tickets that are left expire, and then the jobs behind them run.
        self.wait(1_200_000);
        let left = self.list("workflow", "/jobs?execution=running").await;
        self.hold(left.is_empty(), || format!("jobs never end: {}", json!(left)));
    }
}
