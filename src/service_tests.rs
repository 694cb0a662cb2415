//! A second service from end to end: not signed, without the account in its paths and without `Accept-Version`. The
//! emulator serves it over the same data center as CloudAPI.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{Goal, Kind, Noun, Op, Resource, Service, cloudapi, column, query};
use crate::auth::{Key, PrivateKey, Signer, no_passphrase};
use crate::client::{Client, Condition, Cut, Span, Time, Until, Wait};
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::{Planned, State, Vm, Work};
use crate::emulator::http::head::{self, Head, Response, Twist};
use crate::emulator::http::params;
use crate::emulator::http::reply::{Refusal, Reply};
use crate::emulator::http::service::Service as Served;
use crate::emulator::{Emulator, Make, Options};
use crate::error;
use crate::request::{Args, Request};

static VM: Noun = Noun { key: "uuid", name_field: "alias", ..Noun::new("uuid", &GET, &LIST) }
    .word("VM")
    .fails(&["failed"])
    .gone(&["destroyed"])
    .states(&["running", "stopped", "failed", "destroyed"]);

/// The machines, a page of three at a time.
static LIST: Op = Op::list("ListVms", "list", "/vms", "List VMs").pages(3).fields(&[
    query("state", Kind::Text, "Only VMs in this state"),
    query("limit", Kind::Integer, "At most this many"),
    query("offset", Kind::Integer, "Skip this many first"),
]);
static GET: Op = Op::get("GetVm", "get", "/vms/:uuid", "Show a VM");
static STOP: Op = Op::action("StopVm", "stop", "/vms/:uuid", "Stop a VM")
    .fixed(&[("action", "stop")])
    .until(Goal::State("stopped"), &VM);

static VMS: Resource = Resource {
    name: "vms",
    aliases: &[],
    about: "VMs of all accounts",
    columns: &[column("uuid"), column("alias"), column("state")],
    ops: &[&LIST, &GET, &STOP],
};

static VMAPI: Service = Service {
    name: "VMAPI",
    prefix: "",
    resources: &[&VMS],
    nouns: &[&VM],
    doctor: "auth doctor",
    signed: false,
    traced: false,
    secret: false,
    account_in_path: false,
    versions: None,
    first: 0,
    account: None,
    server: "vmapi",
    missing: &["ResourceNotFound"],
    denied: &[],
    passing: &[],
    queued: "",
    remedies: &[],
};

/// The service itself. It refuses what CloudAPI alone gets.
#[derive(Debug)]
struct Vmapi(Arc<DataCenter>);

fn vm(machine: &Vm) -> Value {
    json!({ "uuid": machine.uuid, "alias": machine.alias, "state": machine.state, "owner_uuid": machine.owner_uuid })
}

impl Vmapi {
    /// Plans the end of a machine's run as CloudAPI does: the state as it is by now, a job, and the change kept.
    fn stop(&self, id: &str, twist: &Twist) -> Reply {
        let mut state = self.0.lock_state();
        let now = self.0.clock.now();
        let mut changed = state.catch_up(now);
        let there = state.vms.get_mut(id).is_some();
        if there && !twist.silent {
            state.plan(now, id, Work::Stop, Value::Null, Planned::of(twist.fail.as_deref(), None));
            changed = true;
        }
        let kept = if changed { self.0.changed(&mut state, now) } else { Ok(()) };
        match (there, kept) {
            (false, _) => Refusal::not_found(id).into_reply(),
            (true, Ok(())) => Reply::empty(202),
            (true, Err(words)) => Refusal::new(500, "InternalError", words).into_reply(),
        }
    }

    fn reply(&self, asked: &head::Request) -> Reply {
        let head = &asked.head;
        for header in ["authorization", "accept-version", "date"] {
            if head.get(header).is_some() {
                return Refusal::new(409, "ValidationFailed", format!("{header} was sent")).into_reply();
            }
        }
        let query = params::form(head.query());
        let text = |name: &str| query.get(name).and_then(Value::as_str);
        let missing = |id: &str| Refusal::not_found(id).into_reply();
        match (head.method.as_str(), head.path().split('/').skip(1).collect::<Vec<_>>().as_slice()) {
            ("GET", ["vms"]) => {
                let number = |name: &str| text(name).and_then(|text| text.parse::<usize>().ok());
                let (limit, offset) = (number("limit").unwrap_or(1000), number("offset").unwrap_or(0));
                let fits = |machine: &&Vm| text("state").is_none_or(|state| machine.state == state);
                let page = |state: &State| state.vms.iter().filter(fits).skip(offset).take(limit).map(vm).collect();
                Reply::json(&self.0.look(page))
            }
            ("GET", ["vms", id]) => {
                let found = self.0.look(|state| state.vms.iter().find(|machine| machine.uuid == *id).map(vm));
                found.map_or_else(|| missing(id), |found| Reply::json(&found))
            }
            ("POST", ["vms", id]) if text("action") == Some("stop") => self.stop(id, &asked.twist),
            _ => Refusal::not_found(head.path()).into_reply(),
        }
    }
}

impl Served for Vmapi {
    fn answer(&self, asked: &head::Request) -> Response {
        Response { reply: self.reply(asked), signed_by: None, mute: false, early: false, methods: Vec::new() }
    }

    fn headers(&self, _: &Head, answered: &Response, _: u128) -> Vec<(String, String)> {
        let mut headers = vec![("Date".to_owned(), head::date(self.0.clock.wall()))];
        let kind = answered.reply.body.content_type();
        if !kind.is_empty() {
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        // What comes early is not the service's: a page that was planted before it.
        if !answered.early {
            headers.push(("Server".to_owned(), "vmapi/1.0".to_owned()));
        }
        headers.extend(answered.reply.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        headers
    }

    fn largest_body(&self) -> usize {
        1000
    }
}

/// A data center with both services, and a client of each.
async fn start() -> (Emulator, Client, Client) {
    let make: Make = |cloud| Arc::new(Vmapi(cloud));
    let emulator = Emulator::start_with(Options::default(), &[make]).await.unwrap();
    let vmapi = Client::builder().service(&VMAPI).url(&emulator.more_urls()[0]).build().unwrap();
    let key = PrivateKey::read(emulator.key_file(), &mut no_passphrase).unwrap();
    let name = key.public().md5();
    let signer = Signer::new(emulator.account(), Key::File(key), &name).unwrap();
    let cloudapi = Client::builder().url(emulator.url()).account(emulator.account()).signer(signer).build().unwrap();
    (emulator, vmapi, cloudapi)
}

#[tokio::test]
async fn a_service_without_signatures_accounts_and_versions_is_read_from() {
    let (emulator, vmapi, cloudapi) = start().await;
    // A list in pages, of rows that are known by another field than `id`.
    let vms = vmapi.call(&LIST, &Args::new()).await.unwrap();
    assert!(vms.rows().count() > 3);
    let pages: Vec<String> = emulator.requests().into_iter().map(|seen| seen.path_and_query).collect();
    assert_eq!(pages[..2], ["/vms?limit=3", "/vms?limit=3&offset=2"]);
    let mut rows = 0;
    let request = |cut: Cut| vmapi.request(&LIST, &Args::new().set("limit", cut.limit.unwrap_or(2).to_string()));
    let span = Span { wanted: Some(2), start: 0, most: None };
    vmapi
        .pages_of(span, request, |page| {
            rows += page.rows.len();
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(rows, 2);
    // One of them, which CloudAPI shows too.
    let running = cloudapi.call(&cloudapi::machines::LIST, &Args::new().set("state", "running")).await.unwrap();
    let id = running.first().unwrap().text("/id").unwrap().into_owned();
    let shown = vmapi.call(&GET, &Args::new().set("uuid", &id)).await.unwrap();
    assert_eq!(shown.first().unwrap().text("/uuid").as_deref(), Some(&*id));
    // What its errors say is about it.
    let missing = vmapi.call(&GET, &Args::new().set("uuid", "11111111-2222-4333-8444-555555555555")).await.unwrap_err();
    assert_eq!(missing.kind(), error::Kind::NotFound);
    // A proxy's page is not believed.
    emulator.add_fault("GET /vms/* status=404 html".parse().unwrap());
    let page = vmapi.call(&GET, &Args::new().set("uuid", &id)).await.unwrap_err();
    emulator.clear_faults();
    assert_eq!(page.kind(), error::Kind::Unreachable);
    assert!(page.hints()[0].as_str().contains("VMAPI") && !page.hints()[0].as_str().contains("CloudAPI"), "{page:?}");
    assert!(vmapi.account_id().await.unwrap_err().message().contains("VMAPI"));
}

#[tokio::test]
async fn a_wait_asks_the_service_of_the_operation() {
    let (emulator, vmapi, cloudapi) = start().await;
    let running = vmapi.call(&LIST, &Args::new().set("state", "running")).await.unwrap();
    let ids: Vec<String> = running.rows().map(|row| row.text("/uuid").unwrap().into_owned()).collect();
    let timeout = Duration::from_secs(30);
    let args = Args::new().set("uuid", &ids[0]);
    let before = vmapi.before(&STOP, &args).await.unwrap();
    vmapi.call(&STOP, &args).await.unwrap();
    let waiting = Wait { op: &STOP, args, name: "web", since: None, before, state: None, time: Time::new(timeout) };
    let stopped = vmapi.wait(waiting, |_| {}).await.unwrap();
    assert_eq!(stopped.first().unwrap().text("/state").as_deref(), Some("stopped"));
    // What is planted to fail does, and its wait ends.
    emulator.add_fault("POST /vms/* fail times=1".parse().unwrap());
    let args = Args::new().set("uuid", &ids[2]);
    let before = vmapi.before(&STOP, &args).await.unwrap();
    vmapi.call(&STOP, &args).await.unwrap();
    let short = Duration::from_secs(3);
    let waiting = Wait { op: &STOP, args, name: "db", since: None, before, state: None, time: Time::new(short) };
    assert_eq!(vmapi.wait(waiting, |_| {}).await.unwrap_err().kind(), error::Kind::TimedOut);
    // What CloudAPI changes is seen here.
    cloudapi.call(&cloudapi::machines::STOP, &Args::new().set("machine", &ids[1])).await.unwrap();
    let condition = Condition::State("stopped".to_owned());
    let until =
        Until { noun: &VM, args: Args::new().set("uuid", &ids[1]), name: "db", condition, time: Time::new(timeout) };
    let stopped = vmapi.until(&until, |_| {}).await.unwrap();
    assert_eq!(stopped.first().unwrap().text("/uuid").as_deref(), Some(&*ids[1]));
}

#[tokio::test]
async fn a_request_to_it_has_neither_account_nor_signature_nor_version() {
    let vmapi = Client::builder().service(&VMAPI).url("http://127.0.0.1:1").build().unwrap();
    let request = vmapi.request(&STOP, &Args::new().set("uuid", "a")).unwrap();
    assert_eq!((request.target().as_str(), request.signed), ("/vms/a?action=stop", false));
    let raw = vmapi.wire(&Request::raw("GET", "/vms").unwrap()).await.unwrap();
    for wire in [vmapi.wire(&request).await.unwrap(), raw] {
        let names: Vec<&str> = wire.headers.keys().map(|name| name.as_str()).collect();
        assert_eq!(names, ["accept", "user-agent"]);
    }
}
