//! The engine over a cloud that lives in a few maps: what it asks for, in which order, and what is left when it is ended at
//! any write.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;
use crate::stack::maker::{Told, Working};
use crate::stack::plan;
use crate::stack::resources::Referent;
use crate::stack::state::tests::empty;
use crate::stack::template::parameter::{Given, Origin, Pseudo};

/// What exists, by id: the type's name, the mark and the properties.
#[derive(Default)]
struct Cloud {
    things: RefCell<BTreeMap<String, Thing>>,
    /// What was asked, in order.
    asked: RefCell<Vec<String>>,
    made: Cell<usize>,
    /// The resources whose creation fails, and how.
    fails: RefCell<Vec<(&'static str, Failing)>>,
    /// How many requests are under way, and how many were at most.
    open: Cell<usize>,
    most: Cell<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Failing {
    /// The service refuses it.
    Refused,
    /// It is made, and is of no use.
    Broken,
    /// It is made, and nobody hears of it.
    Lost,
}

#[derive(Clone, Debug, PartialEq)]
struct Thing {
    name: String,
    mark: String,
    properties: BTreeMap<String, Value>,
    broken: bool,
}

impl Cloud {
    fn ask(&self, words: String) {
        self.asked.borrow_mut().push(words);
    }

    fn seen(&self, id: &str) -> Option<Seen> {
        let things = self.things.borrow();
        let thing = things.get(id)?;
        let attributes = Map::from_iter([
            ("network_ip".to_owned(), json!(format!("ip-of-{id}"))),
            ("uuid".to_owned(), json!(id)),
            ("id".to_owned(), json!(id)),
        ]);
        let broken = thing.broken.then(|| "provisioning failed: no room".to_owned());
        Some(Seen { id: id.to_owned(), attributes, broken, ..Seen::default() })
    }

    /// The names of what there is, each with how often.
    fn there(&self) -> Vec<String> {
        let mut names: Vec<String> = self.things.borrow().values().map(|thing| thing.name.clone()).collect();
        names.sort();
        names
    }

    async fn passes(&self) {
        self.open.set(self.open.get() + 1);
        self.most.set(self.most.get().max(self.open.get()));
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        self.open.set(self.open.get() - 1);
    }
}

impl Maker for Cloud {
    fn mark(&self, order: &Order) -> String {
        format!("{}-{}", order.name, order.generation)
    }

    fn create<'a>(&'a self, order: &'a Order, told: Told<'a>) -> Working<'a, Seen> {
        Box::pin(async move {
            let words: Vec<String> = order.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
            self.ask(format!("create {} {}", order.name, words.join(" ")).trim_end().to_owned());
            let failing = self.fails.borrow().iter().find(|(name, _)| *name == order.name).map(|(_, how)| *how);
            self.passes().await;
            if failing == Some(Failing::Refused) {
                return Err(Error::new(Kind::Refused, "the service refused it"));
            }
            self.made.set(self.made.get() + 1);
            let id = format!("id{}", self.made.get());
            let broken = failing == Some(Failing::Broken);
            let (name, mark, properties) = (order.name.clone(), order.mark.clone(), order.properties.clone());
            self.things.borrow_mut().insert(id.clone(), Thing { name, mark, properties, broken });
            if failing == Some(Failing::Lost) {
                return Err(Error::new(Kind::Unreachable, "the connection broke off").in_doubt());
            }
            let seen = self.seen(&id).unwrap();
            told(&seen)?;
            self.passes().await;
            Ok(seen)
        })
    }

    fn find<'a>(&'a self, order: &'a Order) -> Working<'a, Option<Seen>> {
        Box::pin(async move {
            self.ask(format!("find {}", order.mark));
            let id = self.things.borrow().iter().find(|(_, thing)| thing.mark == order.mark).map(|(id, _)| id.clone());
            Ok(id.and_then(|id| self.seen(&id)))
        })
    }

    fn finish<'a>(&'a self, id: &'a str, _: &'a Order) -> Working<'a, Seen> {
        Box::pin(async move {
            self.ask(format!("finish {id}"));
            self.seen(id).ok_or_else(|| Error::new(Kind::NotFound, "it is gone"))
        })
    }

    fn read<'a>(&'a self, id: &'a str, _: &'a Map<String, Value>) -> Working<'a, Option<Seen>> {
        Box::pin(async move {
            self.ask(format!("read {id}"));
            Ok(self.seen(id))
        })
    }

    fn update<'a>(&'a self, id: &'a str, order: &'a Order, changed: &'a [String]) -> Working<'a, Seen> {
        Box::pin(async move {
            self.ask(format!("update {} {}", order.name, changed.join(",")));
            self.passes().await;
            if let Some(thing) = self.things.borrow_mut().get_mut(id) {
                thing.properties = order.properties.clone();
            }
            self.seen(id).ok_or_else(|| Error::new(Kind::NotFound, "it is gone"))
        })
    }

    fn delete<'a>(&'a self, id: &'a str, _: &'a Map<String, Value>) -> Working<'a, ()> {
        Box::pin(async move {
            let name = self.things.borrow().get(id).map(|thing| thing.name.clone()).unwrap_or_default();
            self.ask(format!("delete {name}"));
            self.passes().await;
            self.things.borrow_mut().remove(id);
            Ok(())
        })
    }
}

impl Backend for Cloud {
    fn maker(&self, _: &str) -> Option<&dyn Maker> {
        Some(self)
    }

    fn id<'a>(&'a self, _: Referent, name: &'a str) -> Working<'a, String> {
        Box::pin(async move {
            self.ask(format!("look up {name}"));
            Ok(name.to_uppercase())
        })
    }
}

/// Keeps what was written last, and fails from a write on, as if the process had ended there.
#[derive(Default)]
struct Disk {
    text: RefCell<Option<String>>,
    writes: Cell<usize>,
    ends_at: Option<usize>,
}

impl Store for Disk {
    fn write(&self, state: &State) -> Result<()> {
        self.writes.set(self.writes.get() + 1);
        if self.ends_at.is_some_and(|end| self.writes.get() >= end) {
            return Err(Error::other("the disk is full"));
        }
        self.text.replace(Some(state.to_json()?));
        Ok(())
    }
}

const TEMPLATE: &str = r#"
heat_template_version: 2021-04-16
parameters:
  size: {type: string, default: small}
  greeting: {type: string, default: hello}
resources:
  web1: &web
    type: SDC::Compute::Machine
    properties:
      image: base@1
      package: {get_param: size}
      networks: [{get_attr: [net1, uuid]}, {get_resource: net2}]
      metadata: {greeting: {get_param: greeting}}
  web2: *web
  net1: {type: SDC::Network::SmartNetwork, properties: {name: lab}}
  net2: {type: SDC::Network::SmartNetwork, properties: {name: lab}}
outputs:
  ip: {value: {get_attr: [web1, network_ip]}}
"#;

/// Plans and carries out, and returns the plan's signs, and what came of it.
async fn run(
    cloud: &Cloud,
    disk: &Disk,
    state: &mut State,
    text: &str,
    given: &[(&str, &str)],
    action: Deed,
) -> (String, Outcome) {
    let faults = Faults::default();
    let template = Template::read(text.as_bytes(), &faults).unwrap();
    let mut all = Given::default();
    given.iter().for_each(|(name, value)| all.add(*name, Value::from(*value), Origin::Given));
    let values = template.bind(&all, &Pseudo::default(), false, &faults);
    let (environment, files) = (Environment::default(), BTreeMap::new());
    let plan = plan::plan(&template, &environment, &values, &files, Some(state), &faults);
    assert!(faults.is_empty(), "{:?}", faults.faults());
    let source = Source { template: &template, environment: &environment, values: &values, contents: &files };
    let stop = Stop::default();
    let engine = Engine {
        source: Some(source),
        backend: cloud,
        store: disk,
        stop: &stop,
        listener: &|_| {},
        time: &|| "2026-11-30T10:00:00Z".to_owned(),
        parallel: PARALLEL,
        fail_fast: false,
    };
    let signs: Vec<String> = plan.steps.iter().map(|step| format!("{}{}", step.action.sign(), step.name)).collect();
    let outcome = engine.carry_out(&plan, state, action).await;
    (signs.join(" "), outcome)
}

async fn delete_all(cloud: &Cloud, disk: &Disk, state: &mut State) -> Outcome {
    let stop = Stop::default();
    let engine = Engine {
        source: None,
        backend: cloud,
        store: disk,
        stop: &stop,
        listener: &|_| {},
        time: &|| "2026-11-30T10:00:00Z".to_owned(),
        parallel: PARALLEL,
        fail_fast: false,
    };
    engine.carry_out(&plan::delete(state), state, Deed::Delete).await
}

fn fine(outcome: &Outcome) {
    assert!(outcome.failures.is_empty() && outcome.unbegun.is_empty(), "{outcome:?}");
}

fn take(cloud: &Cloud) -> Vec<String> {
    cloud.asked.take()
}

#[tokio::test]
async fn a_stack_is_made_side_by_side_in_the_order_of_its_needs_and_deleted_backwards() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Create).await;
    fine(&outcome);
    let asked = take(&cloud);
    let creates: Vec<&String> = asked.iter().filter(|line| line.starts_with("create")).collect();
    assert!(creates[0].starts_with("create net1 ") && creates[1].starts_with("create net2 "), "{creates:?}");
    assert!(cloud.most.get() >= 2, "{}", cloud.most.get());
    assert!(creates[2].contains(r#"networks=["ID1","ID2"]"#), "{creates:?}");
    assert_eq!(cloud.there(), ["net1", "net2", "web1", "web2"]);
    assert_eq!(condition(state.action, state.status), "CREATE_COMPLETE");
    assert_eq!(state.outputs["ip"].shown(), json!("ip-of-id3"));
    // The state on the disk is the same.
    assert_eq!(State::parse(disk.text.borrow().as_ref().unwrap().as_bytes()).unwrap(), state);
    // A second run has nothing to do, and asks nobody.
    let (signs, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Update).await;
    fine(&outcome);
    assert_eq!((signs.as_str(), take(&cloud).len()), (" net1  net2  web1  web2", 0));
    fine(&delete_all(&cloud, &disk, &mut state).await);
    let asked = take(&cloud);
    assert!(asked[..2].iter().all(|line| line.starts_with("delete web")), "{asked:?}");
    assert_eq!(cloud.there(), Vec::<String>::new());
    assert!(state.resources.is_empty());
}

#[tokio::test]
async fn a_change_in_place_is_one_request_and_a_replacement_makes_the_new_one_first() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Create).await;
    take(&cloud);
    let (signs, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[("greeting", "bye")], Deed::Update).await;
    fine(&outcome);
    assert_eq!(signs, " net1  net2 ~web1 ~web2");
    // Names mean what they meant.
    assert_eq!(take(&cloud), ["update web1 metadata", "update web2 metadata"]);
    let given = [("greeting", "bye"), ("size", "large")];
    let (signs, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &given, Deed::Update).await;
    fine(&outcome);
    assert_eq!(signs, " net1  net2 -/+web1 -/+web2");
    let asked = take(&cloud);
    let order: Vec<&str> =
        asked.iter().filter_map(|line| line.split(' ').next()).filter(|word| *word != "look").collect();
    assert_eq!(order, ["create", "create", "delete", "delete"], "{asked:?}");
    assert!(asked.iter().filter(|line| line.starts_with("create")).all(|line| line.contains("package=\"LARGE\"")));
    assert_eq!((cloud.there().len(), state.old.len()), (4, 0));
}

#[tokio::test]
async fn what_fails_keeps_those_that_need_it_from_being_begun_and_no_others() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    let text = TEMPLATE
        .replace("networks: [{get_attr: [net1, uuid]}, {get_resource: net2}]", "networks: [{get_resource: net2}]");
    let text = text.replace("  net1: {type", "  lone: {type: SDC::Compute::Machine, properties: {image: i@1, package: p, networks: [{get_resource: net1}]}}\n  net1: {type");
    cloud.fails.borrow_mut().push(("net2", Failing::Refused));
    let (_, outcome) = run(&cloud, &disk, &mut state, &text, &[], Deed::Create).await;
    assert_eq!(outcome.failures.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["net2"]);
    assert_eq!(outcome.unbegun, ["web1", "web2"]);
    assert_eq!(cloud.there(), ["lone", "net1"]);
    assert_eq!(condition(state.action, state.status), "CREATE_FAILED");
    assert!(state.reason.contains("resources.net2: the service refused it"), "{}", state.reason);
    // The same once more, when the service is well: nothing is made twice.
    cloud.fails.borrow_mut().clear();
    let (signs, outcome) = run(&cloud, &disk, &mut state, &text, &[], Deed::Update).await;
    fine(&outcome);
    assert!(signs.contains("~net2") && signs.contains("+web1"), "{signs}");
    assert_eq!(cloud.there(), ["lone", "net1", "net2", "web1", "web2"]);
}

#[tokio::test]
async fn what_is_of_no_use_is_deleted_and_made_anew_and_what_is_well_by_now_is_taken() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    cloud.fails.borrow_mut().push(("web1", Failing::Broken));
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Create).await;
    assert_eq!(outcome.failures[0].1.message(), "provisioning failed: no room");
    cloud.fails.borrow_mut().clear();
    take(&cloud);
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Update).await;
    fine(&outcome);
    let asked = take(&cloud);
    assert!(asked.contains(&"delete web1".to_owned()), "{asked:?}");
    assert_eq!(cloud.there(), ["net1", "net2", "web1", "web2"]);
    // It failed, they say, and is well.
    state.resources.get_mut("web1").unwrap().status = Status::Failed;
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Update).await;
    fine(&outcome);
    assert_eq!(take(&cloud).len(), 1);
}

#[tokio::test]
async fn what_was_made_and_never_answered_is_found_and_not_made_again() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    cloud.fails.borrow_mut().push(("net1", Failing::Lost));
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Create).await;
    assert_eq!(outcome.failures.len(), 1);
    cloud.fails.borrow_mut().clear();
    let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Update).await;
    fine(&outcome);
    assert_eq!(cloud.there(), ["net1", "net2", "web1", "web2"]);
}

#[tokio::test]
async fn a_run_that_ends_at_any_write_is_gone_on_with_and_nothing_is_twice_or_left() {
    let counted = Disk::default();
    let (cloud, mut state) = (Cloud::default(), empty("demo"));
    run(&cloud, &counted, &mut state, TEMPLATE, &[], Deed::Create).await;
    let writes = counted.writes.get();
    assert!(writes > 12, "{writes}");
    for end in 1..=writes {
        let cloud = Cloud::default();
        let disk = Disk { ends_at: Some(end), ..Disk::default() };
        let mut state = empty("demo");
        let (_, outcome) = run(&cloud, &disk, &mut state, TEMPLATE, &[], Deed::Create).await;
        assert!(!outcome.failures.is_empty(), "{end}");
        // What the next process reads.
        let read =
            || disk.text.borrow().as_ref().map_or_else(|| empty("demo"), |text| State::parse(text.as_bytes()).unwrap());
        let mut state = read();
        let next = Disk::default();
        let (_, outcome) = run(&cloud, &next, &mut state, TEMPLATE, &[], Deed::Create).await;
        fine(&outcome);
        assert_eq!(cloud.there(), ["net1", "net2", "web1", "web2"], "{end}");
        // And as many are deleted, wherever that ends.
        let disk = Disk { ends_at: Some(end), ..Disk::default() };
        disk.text.replace(Some(state.to_json().unwrap()));
        delete_all(&cloud, &disk, &mut state).await;
        let mut state = State::parse(disk.text.borrow().as_ref().unwrap().as_bytes()).unwrap();
        fine(&delete_all(&cloud, &Disk::default(), &mut state).await);
        assert_eq!(cloud.there(), Vec::<String>::new(), "{end}");
    }
}

#[tokio::test]
async fn a_replacement_that_ends_at_any_write_leaves_one_of_each() {
    for end in 1..40 {
        let (cloud, mut state) = (Cloud::default(), empty("demo"));
        fine(&run(&cloud, &Disk::default(), &mut state, TEMPLATE, &[], Deed::Create).await.1);
        let disk = Disk { ends_at: Some(end), ..Disk::default() };
        disk.text.replace(Some(state.to_json().unwrap()));
        let given = [("size", "large")];
        run(&cloud, &disk, &mut state, TEMPLATE, &given, Deed::Update).await;
        let mut state = State::parse(disk.text.borrow().as_ref().unwrap().as_bytes()).unwrap();
        let (_, outcome) = run(&cloud, &Disk::default(), &mut state, TEMPLATE, &given, Deed::Update).await;
        fine(&outcome);
        assert_eq!(cloud.there(), ["net1", "net2", "web1", "web2"], "{end}");
        let things = cloud.things.borrow();
        let machines = things.values().filter(|thing| thing.name.starts_with("web"));
        assert!(machines.clone().all(|thing| thing.properties["package"] == json!("LARGE")), "{end}");
    }
}

#[tokio::test]
async fn what_is_to_stay_stays_and_is_no_longer_the_stacks() {
    let (cloud, disk, mut state) = (Cloud::default(), Disk::default(), empty("demo"));
    let text = TEMPLATE.replace("  net2: {type", "  net2: {deletion_policy: Retain, type");
    run(&cloud, &disk, &mut state, &text, &[], Deed::Create).await;
    fine(&delete_all(&cloud, &disk, &mut state).await);
    assert_eq!(cloud.there(), ["net2"]);
    assert!(state.resources.is_empty());
}
