//! What all connections of one emulator share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fault::{Event, Fault, Faults};
use super::sockets::Sockets;
use crate::emulator::datacenter::state::State;
use crate::emulator::datacenter::{DataCenter, lock};
use crate::emulator::http::service::Service;
use crate::error::{Error, Result};

/// How many requests are remembered; older ones are forgotten.
const REMEMBERED: usize = 10_000;
/// How many bytes they may take together.
const REMEMBERED_BYTES: usize = 8 << 20;
/// How many bytes of one text of a request are remembered.
const REMEMBERED_TEXT: usize = 4096;

/// A request that the emulator has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// HTTP method.
    pub method: String,
    /// Path and query, as they came; of very long ones the first 4096 bytes.
    pub path_and_query: String,
    /// The status that was answered; 0 when a fault kept the answer back.
    pub status: u16,
    /// The key id of a good signature.
    pub signed_by: Option<String>,
    /// How many bytes the body of its answer has, or had to have before a fault spoilt it.
    pub bytes: usize,
    /// The planted faults that struck it, as they were written.
    pub faults: Vec<String>,
}

/// The requests seen so far, oldest first: so many that anyone may send any, unsigned ones too.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    list: VecDeque<LoggedRequest>,
    bytes: usize,
}

impl Remembered {
    fn push(&mut self, mut seen: LoggedRequest) {
        shorten(&mut seen.method);
        shorten(&mut seen.path_and_query);
        seen.signed_by.iter_mut().chain(&mut seen.faults).for_each(shorten);
        self.bytes += size(&seen);
        self.list.push_back(seen);
        while self.list.len() > REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.list.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size(&oldest));
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &LoggedRequest> {
        self.list.iter()
    }

    pub(crate) fn clear(&mut self) {
        *self = Remembered::default();
    }
}

/// About what a request takes.
fn size(seen: &LoggedRequest) -> usize {
    let texts: usize = seen.signed_by.iter().chain(&seen.faults).map(|text| size_of::<String>() + text.len()).sum();
    size_of::<LoggedRequest>() + seen.method.len() + seen.path_and_query.len() + texts
}

fn shorten(text: &mut String) {
    if text.len() > REMEMBERED_TEXT {
        let end = (0..=REMEMBERED_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.shrink_to_fit();
    }
}

/// What all connections share, whatever service they are to.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) cloud: Arc<DataCenter>,
    /// The services, for what is set for all of them.
    pub(crate) services: Vec<Arc<dyn Service>>,
    pub(crate) latency: Duration,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) seen: Mutex<Remembered>,
    pub(crate) sockets: Sockets,
}

impl Shared {
    /// Remembers a request.
    pub(crate) fn saw(&self, seen: LoggedRequest) {
        lock(&self.seen).push(seen);
    }

    /// The same, if there is a request that it can strike.
    ///
    /// # Errors
    /// A usage error with the path that was most likely meant.
    pub(crate) fn plant_known(&self, fault: Fault) -> Result<()> {
        let names: Vec<&str> = self.services.iter().map(|service| service.name()).collect();
        fault.is_at_one_of(&names)?;
        let there = self.services.iter().filter(|service| fault.is_at(service.name()));
        let routes: Vec<_> = there.map(|service| service.routes()).collect();
        if routes.iter().all(|routes| !routes.is_empty()) {
            fault.strikes_one_of(&routes.concat())?;
            let steps: Vec<Vec<&str>> = self.services.iter().map(|service| service.steps()).collect();
            fault.fails_at_one_of(&steps.concat())?;
        }
        if let Some(Event::Ticket(vm)) = &fault.effect.event
            && self.cloud.lock_state().vm_named(vm).is_none()
        {
            return Err(Error::usage(format!("there is no VM {vm}")));
        }
        if let Some(Event::Lost(server) | Event::Heard(server)) = &fault.effect.event {
            let state = self.cloud.lock_state();
            if state.server_named(server).is_none() {
                let names: Vec<&str> = state.operators.servers.iter().map(|server| server.hostname.as_str()).collect();
                let error = Error::usage(format!("there is no server {server}"));
                return Err(error.hint(match names.as_slice() {
                    [] => "servers are there with --admin".to_owned(),
                    names => format!("the servers are {}", names.join(", ")),
                }));
            }
        }
        self.plant(fault);
        Ok(())
    }

    /// Plants a fault. Those of the clock, of the limit and of the data center act at once.
    pub(crate) fn plant(&self, mut fault: Fault) {
        if let Some(offset) = fault.effect.clock {
            self.cloud.clock.set_offset(offset);
        }
        if let Some(event) = &fault.effect.event {
            self.cloud.happen(|state, now| happen(state, now, event));
        }
        if let Some(limit) = fault.effect.throttle {
            self.services.iter().for_each(|service| service.limit(limit));
        }
        fault.begin(self.cloud.clock.now());
        lock(&self.faults).plant(fault);
    }
}

/// Has an event happen. One of a thing that is not there is none.
fn happen(state: &mut State, now: i64, event: &Event) {
    match event {
        Event::Lost(server) => state.server_named(server).into_iter().for_each(|uuid| state.lose_server(now, &uuid)),
        Event::Heard(server) => state.server_named(server).into_iter().for_each(|uuid| state.hear_server(now, &uuid)),
        Event::Ticket(vm) => state.vm_named(vm).into_iter().for_each(|uuid| state.leave_ticket(now, &uuid)),
        Event::Runner { free } => state.free_runners(now, *free),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_requests_are_forgotten_when_all_are_too_long_or_too_many() {
        let seen = |text: String| LoggedRequest {
            method: "GET".to_owned(),
            path_and_query: text,
            status: 401,
            signed_by: None,
            bytes: 0,
            faults: vec!["* status=401".to_owned()],
        };
        let mut long = Remembered::default();
        (0..REMEMBERED).for_each(|_| long.push(seen("\u{e9}x".repeat(30_000))));
        assert!(long.bytes <= REMEMBERED_BYTES && long.list.len() < REMEMBERED && long.list.len() > 1000);
        assert_eq!(long.bytes, long.iter().map(size).sum::<usize>());
        let mut many = Remembered::default();
        (0..=REMEMBERED).for_each(|at| many.push(seen(at.to_string())));
        assert_eq!(
            (many.list.len(), many.iter().next().map(|seen| seen.path_and_query.as_str())),
            (REMEMBERED, Some("1"))
        );
    }
}
