//! Clients of the internal services: where they are is what was typed, what variables say, and what SAPI tells.

use std::future::Future;
use std::pin::Pin;

use super::app::App;
use super::terminal::exit;
use crate::admin::{Directory, Given};
use crate::answer::Row;
use crate::api::{self, Op, Service};
use crate::client::Client;
use crate::connect;
use crate::error::{Error, Kind, Result};
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
        self.directory()?.client(service).await
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
        Ok(Directory::new(self.given()?, self.config.dirs.cache.as_deref(), Box::new(make)))
    }

    /// What was typed, and what variables say.
    fn given(&self) -> Result<Given> {
        let mut given = Given::default();
        if let Some(sapi) = &self.globals.sapi {
            given.add("sapi", sapi, "--sapi")?;
        }
        for typed in &self.globals.services {
            let (name, place) = typed.split_once('=').ok_or_else(|| {
                Error::usage(format!("'{}' does not say where a service is", crate::sensitive::quoted(typed)))
                    .hint("--service vmapi=HOST[:PORT]")
            })?;
            given.add(name, place, "--service")?;
        }
        for variable in SAPI {
            if let Some(place) = self.config.env.var(variable) {
                given.add("sapi", &place, variable)?;
            }
        }
        for service in api::admin::ALL.iter().filter(|service| service.name != "SAPI") {
            let variable = format!("{}_URL", service.name);
            if let Some(place) = self.config.env.var(&variable) {
                given.add(service.name, &place, &variable)?;
            }
        }
        Ok(given)
    }

    /// Tells what else is known of a record that was shown, where anybody reads it.
    pub(super) async fn note(&self, op: &Op, record: Option<Row<'_>>) {
        if let Some(record) = record.filter(|_| api::service_of(op).is_inner() && !self.globals.quiet) {
            let notes = vm_notes::of_record(self, op, record).await;
            notes.iter().for_each(|note| self.say(&format!("note: {}", exit::said(note))));
        }
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
