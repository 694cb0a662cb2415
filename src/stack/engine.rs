//! Carries a plan out: resources that do not need each other side by side, each written down before and after every
//! request, so that whatever ends the process, the next run goes on with what was made. What fails keeps those that need
//! it from being begun, and no others.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use super::check::{self, Declared, Wanted};
use super::maker::{Backend, Maker, Order, Seen};
use super::plan::{Action, Plan, Step};
use super::resources::{Kind as Holds, Update};
use super::state::{Action as Deed, Event, Made, Old, State, Status, condition, cut};
use super::store::Store;
use super::template::data::Data;
use super::template::environment::Environment;
use super::template::fault::{self, Faults};
use super::template::parameter::Values;
use super::template::{Contents, Resources, Scope, Template};
use crate::client::new_uuid;
use crate::error::{Error, Kind, Result};
use crate::tasks::stop::Stop;

/// So many resources are made side by side unless something else is said.
pub const PARALLEL: usize = 8;

/// What a stack is made of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The template.
    pub template: &'a Template,
    /// Which types stand for others.
    pub environment: &'a Environment,
    /// The values of its parameters.
    pub values: &'a Values,
    /// The files that it names.
    pub contents: &'a dyn Contents,
}

/// How a plan is carried out.
pub struct Engine<'a> {
    /// What the stack is made of; nothing where all of it is deleted.
    pub source: Option<Source<'a>>,
    /// Where.
    pub backend: &'a dyn Backend,
    /// Where the state is kept.
    pub store: &'a dyn Store,
    /// When to begin nothing more.
    pub stop: &'a Stop,
    /// Who hears of what happens.
    pub listener: &'a dyn Fn(&Event),
    /// The time now, as the state has it.
    pub time: &'a dyn Fn() -> String,
    /// How many resources are worked on at once.
    pub parallel: usize,
    /// Nothing more is begun after the first failure.
    pub fail_fast: bool,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The resources that failed, the first one first.
    pub failures: Vec<(String, Error)>,
    /// The resources that were not begun.
    pub unbegun: Vec<String>,
}

/// A run: its state, and what has gone wrong with it.
struct Run<'a, 'b> {
    engine: &'b Engine<'a>,
    state: RefCell<&'b mut State>,
    /// The state could not be written: nothing more is begun.
    is_lost: Cell<bool>,
}

/// A resource that is to be deleted.
#[derive(Clone)]
struct Going {
    at: usize,
    name: String,
    made: Made,
    /// It was replaced: another one has its name.
    is_old: bool,
}

/// The resources that are complete, as the state has them.
struct Complete<'a, 'b>(&'a RefCell<&'b mut State>);

impl Resources for Complete<'_, '_> {
    fn id(&self, resource: &str) -> Data {
        let state = self.0.borrow();
        let made = state.resources.get(resource).filter(|made| made.status == Status::Complete);
        let id = made.and_then(|made| made.id.clone());
        id.map_or(Data::Unknown { hidden: false }, |id| Data::Open(Value::from(id)))
    }

    fn attribute(&self, resource: &str, attribute: Option<&str>) -> Data {
        let state = self.0.borrow();
        match state.resources.get(resource).filter(|made| made.status == Status::Complete) {
            None => Data::Unknown { hidden: false },
            Some(made) => match attribute {
                None => Data::Open(Value::Object(made.attributes.clone())),
                Some(name) => Data::Open(made.attributes.get(name).cloned().unwrap_or_default()),
            },
        }
    }
}

impl Engine<'_> {
    /// Carries the plan out, and says what came of it. The state has every step on its way.
    pub async fn carry_out(&self, plan: &Plan, state: &mut State, action: Deed) -> Outcome {
        let run = Run { engine: self, state: RefCell::new(state), is_lost: Cell::new(false) };
        let mut outcome = Outcome::default();
        if let Err(error) = run.begin(action) {
            outcome.failures.push((run.state.borrow().name.clone(), error));
            return outcome;
        }
        run.make(plan, &mut outcome).await;
        // What fails may still need what is to go.
        if outcome.failures.is_empty() {
            run.delete(plan, &mut outcome).await;
        } else {
            outcome.unbegun.extend(plan.steps.iter().filter(|step| is_delete(step)).map(|step| step.name.clone()));
        }
        if let Err(error) = run.end(action, &outcome) {
            outcome.failures.push((run.state.borrow().name.clone(), error));
        }
        outcome
    }
}

fn is_delete(step: &Step) -> bool {
    matches!(step.action, Action::Delete | Action::Retain)
}

impl Run<'_, '_> {
    fn write(&self) -> Result<()> {
        self.engine.store.write(*self.state.borrow()).inspect_err(|_| self.is_lost.set(true))
    }

    /// Changes the record of a resource, and writes the state down.
    fn record(&self, name: &str, change: impl FnOnce(&mut Made)) -> Result<()> {
        if let Some(made) = self.state.borrow_mut().resources.get_mut(name) {
            change(made);
            made.updated = (self.engine.time)();
        }
        self.write()
    }

    fn tell(&self, resource: Option<&str>, action: Deed, status: Status, reason: &str) {
        let mut state = self.state.borrow_mut();
        let event = Event {
            id: new_uuid(),
            time: (self.engine.time)(),
            resource: resource.map(str::to_owned),
            status: condition(action, status),
            reason: reason.to_owned(),
            physical: resource.and_then(|name| state.resources.get(name)?.id.clone()),
            other: serde_json::Map::new(),
        };
        (self.engine.listener)(&event);
        state.tell(event);
    }

    fn begin(&self, action: Deed) -> Result<()> {
        {
            let mut state = self.state.borrow_mut();
            (state.action, state.status) = (action, Status::InProgress);
            state.reason = format!("Stack {} started", action.word());
        }
        self.tell(None, action, Status::InProgress, &format!("Stack {} started", action.word()));
        self.write()
    }

    fn end(&self, action: Deed, outcome: &Outcome) -> Result<()> {
        let (status, reason) = match outcome.failures.first() {
            None if outcome.unbegun.is_empty() => {
                (Status::Complete, format!("Stack {} completed successfully", action.word()))
            }
            None => (Status::InProgress, "interrupted".to_owned()),
            Some((name, error)) => {
                (Status::Failed, format!("Resource {} failed: resources.{name}: {error}", action.word()))
            }
        };
        {
            let mut state = self.state.borrow_mut();
            state.status = status;
            state.reason = cut(&reason);
            state.updated = Some((self.engine.time)());
        }
        if status != Status::InProgress {
            self.tell(None, action, status, &reason);
        }
        self.outputs();
        self.write()
    }

    /// Keeps the outputs as they are now.
    fn outputs(&self) {
        let Some(source) = &self.engine.source else { return };
        let (faults, made) = (Faults::default(), Complete(&self.state));
        let declared = Declared { template: source.template, environment: source.environment, made: &made };
        let scope = Scope::new(source.template, source.values, &declared, source.contents, &faults);
        let data = |output: &super::template::Output| Some((output.name.clone(), output.data(&scope).ok()?));
        let outputs: Vec<(String, Data)> = source.template.outputs.iter().filter_map(data).collect();
        let mut state = self.state.borrow_mut();
        let kept = outputs.into_iter().filter_map(|(name, data)| Some((name, state.keep(&data)?))).collect();
        state.outputs = kept;
    }

    fn stops(&self, outcome: &Outcome) -> bool {
        let failed = self.engine.fail_fast && !outcome.failures.is_empty();
        failed || self.is_lost.get() || self.engine.stop.is_asked()
    }

    /// Makes and changes what is to be, each once all that it needs is complete.
    async fn make(&self, plan: &Plan, outcome: &mut Outcome) {
        let works = |step: &&Step| !is_delete(step) && step.action != Action::Nothing;
        let mut waiting: Vec<&Step> = plan.steps.iter().filter(works).collect();
        let mut open: HashSet<&str> = waiting.iter().map(|step| step.name.as_str()).collect();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.engine.parallel.max(1) && !self.stops(outcome) {
                let ready = |step: &&Step| step.needs.iter().all(|need| !open.contains(need.as_str()));
                let Some(at) = waiting.iter().position(ready) else { break };
                let step = waiting.remove(at);
                running.push(async move { (step.name.as_str(), self.step(step).await) });
            }
            match running.next().await {
                None => break,
                Some((name, Ok(()))) => drop(open.remove(name)),
                Some((name, Err(error))) => outcome.failures.push((name.to_owned(), error)),
            }
        }
        outcome.unbegun.extend(waiting.into_iter().map(|step| step.name.clone()));
    }

    async fn step(&self, step: &Step) -> Result<()> {
        let done = match step.action {
            Action::Create | Action::Replace => self.create(step).await,
            Action::Continue => self.go_on(step).await,
            Action::Repair => self.repair(step).await,
            Action::Update => self.update(step).await,
            Action::Record => self.note(step),
            Action::Delete | Action::Retain | Action::Nothing => Ok(()),
        };
        let Err(error) = done else { return Ok(()) };
        let action = self.state.borrow().resources.get(&step.name).map_or(Deed::Create, |made| made.action);
        // What was asked for and not waited for is gone on with by the next run.
        if error.kind() != Kind::Interrupted && !self.is_lost.get() {
            let words = cut(&error.to_string());
            let told = self.record(&step.name, |made| (made.status, made.reason) = (Status::Failed, words.clone()));
            self.tell(Some(&step.name), action, Status::Failed, &words);
            told.and_then(|()| self.write())?;
        }
        Err(error)
    }

    fn maker(&self, kind: &str) -> Result<&dyn Maker> {
        self.engine
            .backend
            .maker(kind)
            .ok_or_else(|| Error::usage(format!("the backend {} has no {kind}", self.state.borrow().backend)))
    }

    /// What the template says of a resource, now that all that it needs is complete.
    fn wanted(&self, step: &Step) -> Result<Wanted> {
        let source = self.engine.source.as_ref();
        let source = source.ok_or_else(|| Error::other("there is no template to make anything of"))?;
        let (faults, made) = (Faults::default(), Complete(&self.state));
        let declared = Declared { template: source.template, environment: source.environment, made: &made };
        let scope = Scope::new(source.template, source.values, &declared, source.contents, &faults);
        let resource = source.template.resource(&step.name);
        let wanted = resource.and_then(|resource| check::resource(resource, source.environment, &scope));
        let wanted = wanted.ok_or_else(|| {
            let failed = fault::error("the template", &faults.faults());
            failed.unwrap_or_else(|| Error::other(format!("the template has no resource {}", step.name)))
        })?;
        match wanted.properties.iter().find(|(_, data)| !data.is_known()) {
            Some((name, _)) => {
                Err(Error::other(format!("the property {name} is not known, although all is made that it needs")))
            }
            None => Ok(wanted),
        }
    }

    /// The order for a resource. Names become ids; what they meant before they mean still.
    async fn order(
        &self,
        step: &Step,
        wanted: &Wanted,
        before: Option<&Made>,
        generation: u32,
    ) -> Result<(Order, BTreeMap<String, Value>)> {
        let (mut properties, mut resolved) = (BTreeMap::new(), BTreeMap::new());
        for (name, data) in &wanted.properties {
            let value = data.value().unwrap_or_default();
            let pinned = before.filter(|made| {
                let state = self.state.borrow();
                made.properties.get(*name).is_some_and(|kept| state.is_kept(kept, data))
            });
            let pinned = pinned.and_then(|made| made.resolved.get(*name).cloned());
            let kind = wanted.kind.property(name).map(|property| property.kind);
            let value = match (kind, pinned) {
                (Some(Holds::Refers(_) | Holds::RefersAll(_)), Some(pinned)) => pinned,
                (Some(Holds::Refers(referent)), None) => match &value {
                    Value::String(text) => Value::from(self.engine.backend.id(referent, text).await?),
                    other => other.clone(),
                },
                (Some(Holds::RefersAll(referent)), None) => {
                    let mut ids = Vec::new();
                    for text in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                        ids.push(Value::from(self.engine.backend.id(referent, text).await?));
                    }
                    Value::Array(ids)
                }
                _ => value,
            };
            if matches!(kind, Some(Holds::Refers(_) | Holds::RefersAll(_))) && !value.is_null() {
                resolved.insert((*name).to_owned(), value.clone());
            }
            if !value.is_null() {
                properties.insert((*name).to_owned(), value);
            }
        }
        let stack = self.state.borrow().id.clone();
        let mut order = Order { stack, name: step.name.clone(), generation, mark: String::new(), properties };
        order.mark = self.maker(&step.kind)?.mark(&order);
        Ok((order, resolved))
    }

    /// The properties as the state keeps them.
    fn kept(&self, wanted: &Wanted) -> BTreeMap<String, super::state::Kept> {
        let state = self.state.borrow();
        let kept = |(name, data): &(&'static str, Data)| Some(((*name).to_owned(), state.keep(data)?));
        wanted.properties.iter().filter_map(kept).collect()
    }

    async fn create(&self, step: &Step) -> Result<()> {
        let wanted = self.wanted(step)?;
        let before = self.state.borrow().resources.get(&step.name).cloned();
        let generation = before.as_ref().map_or(0, |made| made.generation + 1);
        let (order, resolved) = self.order(step, &wanted, before.as_ref(), generation).await?;
        {
            let mut state = self.state.borrow_mut();
            // The old one stays until nothing needs it any longer.
            if let Some(made) =
                state.resources.remove(&step.name).filter(|made| made.id.is_some() || made.mark.is_some())
            {
                state.old.push(Old { name: step.name.clone(), made });
            }
            let mut made = Made::new(&step.kind, &(self.engine.time)());
            (made.generation, made.mark, made.resolved) = (generation, Some(order.mark.clone()), resolved);
            (made.needs, made.retain) = (wanted.needs.clone(), wanted.retain);
            state.resources.insert(step.name.clone(), made);
        }
        let kept = self.kept(&wanted);
        self.record(&step.name, |made| made.properties = kept)?;
        self.tell(Some(&step.name), Deed::Create, Status::InProgress, "state changed");
        self.ask_for(step, &order).await
    }

    /// Notes what the template says of a resource for which nothing is to be done.
    fn note(&self, step: &Step) -> Result<()> {
        let wanted = self.wanted(step)?;
        let kept = self.kept(&wanted);
        self.record(&step.name, |made| {
            (made.properties, made.needs, made.retain) = (kept, wanted.needs.clone(), wanted.retain);
        })
    }

    /// Sends the request for a resource that is written down, and waits for its end.
    async fn ask_for(&self, step: &Step, order: &Order) -> Result<()> {
        let told = |seen: &Seen| self.took(&step.name, seen);
        let seen = self.maker(&step.kind)?.create(order, &told).await?;
        self.complete(step, Deed::Create, &seen)
    }

    /// Writes down what the service has answered.
    fn took(&self, name: &str, seen: &Seen) -> Result<()> {
        self.record(name, |made| {
            made.id = Some(seen.id.clone());
            made.also = seen.also.clone();
        })
    }

    fn complete(&self, step: &Step, action: Deed, seen: &Seen) -> Result<()> {
        if let Some(words) = &seen.broken {
            self.took(&step.name, seen)?;
            return Err(Error::new(Kind::FailedState, words.clone()));
        }
        self.record(&step.name, |made| {
            made.id = Some(seen.id.clone());
            (made.also, made.attributes) = (seen.also.clone(), seen.attributes.clone());
            (made.action, made.status, made.reason) = (action, Status::Complete, String::new());
        })?;
        self.tell(Some(&step.name), action, Status::Complete, "state changed");
        Ok(())
    }

    /// Goes on with what the last run did not see the end of.
    async fn go_on(&self, step: &Step) -> Result<()> {
        let wanted = self.wanted(step)?;
        let Some(made) = self.state.borrow().resources.get(&step.name).cloned() else { return self.create(step).await };
        let (mut order, _) = self.order(step, &wanted, Some(&made), made.generation).await?;
        // It was asked for under this one.
        order.mark = made.mark.clone().unwrap_or(order.mark);
        let maker = self.maker(&step.kind)?;
        let id = match &made.id {
            Some(id) => id.clone(),
            None => match maker.find(&order).await? {
                Some(seen) => {
                    self.took(&step.name, &seen)?;
                    seen.id
                }
                None => return self.ask_for(step, &order).await,
            },
        };
        let seen = maker.finish(&id, &order).await?;
        self.complete(step, made.action, &seen)
    }

    /// Looks at what has failed: it may be well by now. What is of no use is deleted, and made anew.
    async fn repair(&self, step: &Step) -> Result<()> {
        let Some(made) = self.state.borrow().resources.get(&step.name).cloned() else { return self.create(step).await };
        let maker = self.maker(&step.kind)?;
        let seen = match &made.id {
            Some(id) => maker.read(id, &made.also).await?,
            None if made.mark.is_some() => {
                self.record(&step.name, |made| made.status = Status::InProgress)?;
                return self.go_on(step).await;
            }
            None => None,
        };
        match seen {
            Some(seen) if seen.broken.is_none() => {
                let changes = !step.changes.is_empty();
                self.complete(step, made.action, &seen)?;
                if changes { self.update(step).await } else { Ok(()) }
            }
            Some(seen) => {
                maker.delete(&seen.id, &made.also).await?;
                self.forget(&step.name)?;
                self.create(step).await
            }
            None => {
                self.forget(&step.name)?;
                self.create(step).await
            }
        }
    }

    /// Takes what is gone off the record, so that it is not deleted once more.
    fn forget(&self, name: &str) -> Result<()> {
        self.record(name, |made| (made.id, made.mark) = (None, None))
    }

    async fn update(&self, step: &Step) -> Result<()> {
        let wanted = self.wanted(step)?;
        let Some(made) = self.state.borrow().resources.get(&step.name).cloned() else { return self.create(step).await };
        let changed: Vec<String> = {
            let state = self.state.borrow();
            let differs = |(name, data): &&(&'static str, Data)| match made.properties.get(*name) {
                Some(kept) => !state.is_kept(kept, data),
                None => *data != Data::NULL,
            };
            wanted.properties.iter().filter(differs).map(|(name, _)| (*name).to_owned()).collect()
        };
        let planned = |name: &str| step.changes.iter().any(|change| change.property == name);
        let replaces = |name: &&String| {
            let update = wanted.kind.property(name).map(|property| property.update);
            update == Some(Update::Replace) && !planned(name)
        };
        // Nothing that was not agreed to is replaced.
        if let Some(name) = changed.iter().find(replaces) {
            let words = format!("{name} has changed on the way, and that would replace it, which is not in the plan");
            return Err(Error::new(Kind::Refused, words).hint("plan again"));
        }
        let (order, resolved) = self.order(step, &wanted, Some(&made), made.generation).await?;
        let id = made.id.clone().ok_or_else(|| Error::other("its id is not known"))?;
        self.record(&step.name, |made| (made.action, made.status) = (Deed::Update, Status::InProgress))?;
        self.tell(Some(&step.name), Deed::Update, Status::InProgress, "state changed");
        let order = Order { mark: made.mark.clone().unwrap_or_else(|| order.mark.clone()), ..order };
        let seen = self.maker(&step.kind)?.update(&id, &order, &changed).await?;
        let kept = self.kept(&wanted);
        self.record(&step.name, |made| {
            (made.properties, made.resolved) = (kept, resolved);
            (made.needs, made.retain) = (wanted.needs.clone(), wanted.retain);
        })?;
        self.complete(step, Deed::Update, &seen)
    }

    /// Deletes what has left the template or was replaced, each once nothing needs it any longer.
    async fn delete(&self, plan: &Plan, outcome: &mut Outcome) {
        let mut open: Vec<Going> = self.going(plan);
        let mut begun: HashSet<usize> = HashSet::new();
        let mut running = FuturesUnordered::new();
        let mut failed: HashSet<usize> = HashSet::new();
        loop {
            while running.len() < self.engine.parallel.max(1) && !self.stops(outcome) {
                let needs =
                    |one: &Going, name: &str| one.name != name && one.made.needs.iter().any(|need| need == name);
                let ready =
                    |one: &&Going| !begun.contains(&one.at) && !open.iter().any(|other| needs(other, &one.name));
                let next = open.iter().find(ready).or_else(|| {
                    // Of what needs each other, since the template has changed, somebody goes first.
                    let unbegun = || open.iter().filter(|one| !begun.contains(&one.at));
                    unbegun().next().filter(|_| running.is_empty() && failed.is_empty())
                });
                let Some(next) = next.cloned() else { break };
                begun.insert(next.at);
                running.push(async move {
                    let gone = self.remove(&next.name, &next.made, next.is_old).await;
                    (next, gone)
                });
            }
            match running.next().await {
                None => break,
                Some((one, Ok(()))) => open.retain(|other| other.at != one.at),
                Some((one, Err(error))) => {
                    failed.insert(one.at);
                    let error = self.not_gone(&one, error);
                    outcome.failures.push((one.name, error));
                }
            }
        }
        outcome.unbegun.extend(open.into_iter().filter(|one| !begun.contains(&one.at)).map(|one| one.name));
    }

    /// What is to go: what was replaced, and what has left the template.
    fn going(&self, plan: &Plan) -> Vec<Going> {
        let state = self.state.borrow();
        let old = state.old.iter().map(|old| (old.name.clone(), old.made.clone(), true));
        let left = plan.steps.iter().filter(|step| is_delete(step) && step.reason.is_none());
        let left = left.filter_map(|step| Some((step.name.clone(), state.resources.get(&step.name)?.clone(), false)));
        let all = old.chain(left).enumerate();
        all.map(|(at, (name, made, is_old))| Going { at, name, made, is_old }).collect()
    }

    /// Writes down that something could not be deleted.
    fn not_gone(&self, one: &Going, error: Error) -> Error {
        if error.kind() == Kind::Interrupted || self.is_lost.get() {
            return error;
        }
        let words = cut(&error.to_string());
        self.tell(Some(&one.name), Deed::Delete, Status::Failed, &words);
        let written = match one.is_old {
            true => self.write(),
            false => self.record(&one.name, |made| {
                (made.action, made.status, made.reason) = (Deed::Delete, Status::Failed, words);
            }),
        };
        written.err().unwrap_or(error)
    }

    async fn remove(&self, name: &str, made: &Made, is_old: bool) -> Result<()> {
        let stays = made.retain || made.external;
        if !stays {
            if !is_old {
                self.record(name, |made| (made.action, made.status) = (Deed::Delete, Status::InProgress))?;
            }
            self.tell(Some(name), Deed::Delete, Status::InProgress, "state changed");
            let maker = self.maker(&made.kind)?;
            let found = match (&made.id, &made.mark) {
                (Some(id), _) => Some((id.clone(), made.also.clone())),
                // It may have been made without anybody having seen it.
                (None, Some(mark)) => {
                    let order = Order {
                        stack: self.state.borrow().id.clone(),
                        name: name.to_owned(),
                        generation: made.generation,
                        mark: mark.clone(),
                        properties: BTreeMap::new(),
                    };
                    maker.find(&order).await?.map(|seen| (seen.id, seen.also))
                }
                (None, None) => None,
            };
            if let Some((id, also)) = found {
                maker.delete(&id, &also).await?;
            }
            self.tell(Some(name), Deed::Delete, Status::Complete, "state changed");
        }
        {
            let mut state = self.state.borrow_mut();
            if is_old {
                let at = state
                    .old
                    .iter()
                    .position(|old| old.name == name && old.made.id == made.id && old.made.mark == made.mark);
                at.map(|at| state.old.remove(at));
            } else {
                state.resources.remove(name);
            }
        }
        self.write()
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
