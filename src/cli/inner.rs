//! Clients of the internal services: where they are is what was typed, what variables say, and what SAPI tells.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::app::App;
use super::terminal::exit;
use crate::admin::{Directory, Given, headnode};
use crate::answer::Row;
use crate::api::{self, Method, Op, Service};
use crate::client::Client;
use crate::config::Origin;
use crate::connect;
use crate::error::{Error, Kind, Result};
use crate::tasks::vm_notes::Listed;
use crate::tasks::{Services, vm_notes};

/// The options of CloudAPI that an internal service has no use for: it knows neither accounts nor keys.
const OF_CLOUDAPI: &[&str] = &["url", "account", "user", "act-as", "role", "key-id", "key-file"];

/// The variables that hold the address of SAPI, the first one first.
const SAPI: &[&str] = &["SDC_SAPI_URL", "SAPI_URL"];

impl Services for App {
    fn client<'a>(&'a self, service: &'static Service) -> Pin<Box<dyn Future<Output = Result<Client>> + 'a>> {
        Box::pin(self.inner(service))
    }
}

impl App {
    /// The client for an operation, whichever service's it is. One that changes nothing and looks nothing up needs no
    /// key.
    ///
    /// # Errors
    /// The settings do not say where the service is, or no key can be used.
    pub(super) async fn client_of(&self, op: &Op, needs_no_key: bool) -> Result<Client> {
        match api::service_of(op) {
            service if service.is_inner() => self.inner(service).await,
            _ if needs_no_key => self.client_without_key(),
            _ => self.client(),
        }
    }

    /// A client of an internal service.
    ///
    /// # Errors
    /// Nobody knows where it is, or it does not answer there.
    pub(super) async fn inner(&self, service: &'static Service) -> Result<Client> {
        let directory = self.directory()?;
        let knows = |met: &Mutex<Vec<&str>>| locked(met).contains(&service.name);
        // A read that has come to another service is done again.
        let client = match self.reads.load(Ordering::Relaxed) || knows(&self.met) {
            true => directory.client(service).await?,
            false => directory.surely(service).await?,
        };
        locked(&self.met).push(service.name);
        Ok(client)
    }

    /// Whether it is worth doing this again, which has read at most, and has shown nothing: another service answers where
    /// one was that was asked.
    pub(super) async fn may_do_again(&self, op: &Op, error: &Error) -> bool {
        let silent = !self.streams.has_written() && !self.streams.was_read();
        // Each is asked for a version that it has, and CloudAPI wants a signature.
        let foreign =
            error.fault().is_some_and(|fault| matches!(&*fault.code, "InvalidVersion" | "InvalidCredentials"));
        if op.method != Method::Get || !silent || error.kind() != Kind::Unreachable && !foreign {
            return false;
        }
        let Ok(directory) = self.directory() else { return false };
        let met: Vec<&str> = locked(&self.met).clone();
        for service in api::admin::ALL.iter().filter(|service| met.contains(&service.name)) {
            if directory.has_moved(service).await {
                return true;
            }
        }
        false
    }

    /// Where the internal services are.
    ///
    /// # Errors
    /// A usage error for something else than an address, and for an option that would say nothing.
    pub(super) fn directory(&self) -> Result<Directory<'_>> {
        if let Some((name, _)) = self.globals.cloud.iter().find(|(name, _)| OF_CLOUDAPI.contains(name)) {
            let error =
                Error::usage(format!("--{name} is an option of CloudAPI, and nothing to the internal services"));
            return Err(match *name {
                "account" | "act-as" => error.hint("what an account has: --owner"),
                "url" => error.hint("where a service is: --sapi HOST, or --service NAME=HOST"),
                _ => error,
            });
        }
        let make = |service: &'static Service, url: &str| {
            let builder = self.traced(connect::inner(&self.config, service, url)?)?;
            builder.masks(service.secret && !self.globals.show_secrets).build()
        };
        let directory = Directory::new(self.given()?, self.config.dirs.cache.as_deref(), Box::new(make));
        Ok(directory.telling(Box::new(|words| self.say(words))))
    }

    /// What was typed, what variables say, and what is set; last of all what a headnode says of itself. Whoever says where
    /// SAPI is means its data center: what says less than that where another service is may be of another one, and is not
    /// used.
    fn given(&self) -> Result<Given> {
        let mut given = Given::default();
        let mut passed = Vec::new();
        if let Some(sapi) = &self.globals.sapi {
            self.give_sapi(&mut given, sapi, "--sapi")?;
        }
        for typed in &self.globals.services {
            give(&mut given, typed, "--service", "--service vmapi=HOST[:PORT]")?;
        }
        let by_variable = SAPI.iter().find_map(|name| Some((*name, self.config.env.var(name)?)));
        let over = self.globals.sapi.as_deref().map(|sapi| ("--sapi", sapi));
        let is_over = over.filter(|(_, sapi)| by_variable.as_ref().is_none_or(|(_, place)| place != sapi));
        if let Some((variable, place)) = &by_variable {
            self.give_sapi(&mut given, place, variable)?;
        }
        for service in api::admin::ALL.iter().filter(|service| service.name != "SAPI") {
            let variable = format!("{}_URL", service.name);
            match (self.config.env.var(&variable), is_over) {
                (Some(place), None) => given.add(service.name, &place, &variable)?,
                (Some(_), Some((over, _))) => passed.push((variable, over)),
                (None, _) => {}
            }
        }
        let over = over.or(by_variable.as_ref().map(|(name, place)| (*name, place.as_str())));
        let by_env = |origin: &Origin| matches!(origin, Origin::Env(_));
        let set = self.config.sapi.as_ref().filter(|sapi| !by_env(&sapi.origin)).map(|sapi| sapi.value.as_str());
        let is_over = over.filter(|(_, sapi)| set.is_none_or(|set| set != *sapi));
        // Two variables are of one data center.
        let is_over = is_over.filter(|(how, _)| {
            *how == "--sapi" || self.config.services.as_ref().is_some_and(|services| !by_env(&services.origin))
        });
        match (&self.config.services, is_over) {
            (Some(services), None) => {
                let (how, example) = (services.origin.to_string(), services.origin.example("vmapi=HOST[:PORT]"));
                for place in services.value.split(',') {
                    give(&mut given, place.trim(), &how, &example)?;
                }
            }
            (Some(services), Some((over, _))) => passed.push((services.origin.to_string(), over)),
            (None, _) => {}
        }
        if let Some(sapi) = &self.config.sapi {
            self.give_sapi(&mut given, &sapi.value, &sapi.origin.to_string())?;
        }
        if given.place(&api::admin::SAPI).is_ok_and(|place| place.is_none())
            && let Some(file) = headnode::FILES.iter().find(|file| Path::new(file).exists())
        {
            self.give_sapi(&mut given, file, "this headnode")?;
        }
        self.tell_passed(&passed);
        Ok(given)
    }

    /// Says once which addresses are not used.
    fn tell_passed(&self, passed: &[(String, &str)]) {
        if passed.is_empty() || self.told_passed.set(()).is_err() {
            return;
        }
        let over = passed.first().map_or("", |(_, over)| over);
        let names: Vec<&str> = passed.iter().map(|(name, _)| name.as_str()).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        self.warn(&format!(
            "{} {verb} not used, for {over} says which data center is meant; of one service: --service NAME=HOST",
            names.join(", ")
        ));
    }

    /// Tells what else is known of a record that was shown, where anybody reads it.
    pub(super) async fn note(&self, op: &Op, record: Option<Row<'_>>) {
        if let Some(record) = record.filter(|_| api::service_of(op).is_inner() && !self.globals.quiet) {
            let notes = vm_notes::of_record(self, op, record).await;
            notes.iter().for_each(|note| self.say(&format!("note: {}", exit::said(note))));
        }
    }

    /// Tells which of the VMs of a list are shown as they were known when their servers were heard from last.
    pub(super) async fn note_listed(&self, vms: &[Listed]) {
        if !self.globals.quiet {
            vm_notes::of_list(self, vms).await.iter().for_each(|note| self.say(&format!("note: {note}")));
        }
    }

    /// Adds the address of SAPI, or that in a headnode's file.
    fn give_sapi(&self, given: &mut Given, typed: &str, how: &str) -> Result<()> {
        if !headnode::is_file(typed) {
            return given.add("sapi", typed, how);
        }
        let path = self.console.at_home(typed);
        let about = |error: Error| error.about(&format!("{} ({how})", crate::sensitive::path(&path)));
        let bytes = crate::file::read(&path, headnode::MAX_LEN)
            .map_err(|error| about(Error::usage("cannot be read").because(error)))?;
        let (address, name) = headnode::sapi(&String::from_utf8_lossy(&bytes)).map_err(about)?;
        given.add("sapi", &address, &format!("{name} of {}", crate::sensitive::path(&path)))
    }

    /// Forgets where the services were, if one could not be reached: it may have moved.
    pub(super) fn forgetting(&self, error: Error) -> Error {
        if error.kind() == Kind::Unreachable
            && let Ok(directory) = self.directory()
        {
            directory.forget();
        }
        error
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the address of a service, `NAME=ADDRESS`.
fn give(given: &mut Given, typed: &str, how: &str, example: &str) -> Result<()> {
    let (name, place) = typed.split_once('=').ok_or_else(|| {
        let words = format!("'{}' does not say where a service is", crate::sensitive::quoted(typed));
        Error::usage(if how.starts_with("--") { words } else { format!("{how}: {words}") }).hint(example)
    })?;
    given.add(name.trim(), place, how)
}
