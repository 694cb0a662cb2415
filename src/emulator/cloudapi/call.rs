//! What a handler works on, and what a route is: how a request finds its handler. It knows no handler.

use std::sync::Arc;

use serde_json::Value;

use super::version::{self, Version};
use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::{Account, Planned, State};
use crate::emulator::http::head::Head;
use crate::emulator::http::params;
use crate::emulator::http::params::Params;
use crate::emulator::http::reply::{Outcome, Refusal};

/// What a handler works on.
pub(crate) struct Call<'a> {
    /// The data center, for what goes on after the answer. Its state is locked for this call.
    pub(crate) cloud: &'a Arc<DataCenter>,
    pub(crate) state: &'a mut State,
    pub(crate) head: &'a Head,
    /// The time of the machines.
    pub(crate) now: i64,
    /// The id of the account that is worked on.
    pub(crate) account: String,
    /// The path's parameters, overridden by the query's, overridden by the body's.
    pub(crate) params: Params,
    /// The query's and the body's alone: what tags and metadata are made from.
    pub(crate) given: Params,
    /// The version that was agreed upon.
    pub(crate) version: Version,
    /// Who asks, as the audit log shows it.
    pub(crate) caller: Value,
    /// Whether work that this call starts is to end badly.
    pub(crate) fails: Option<Planned>,
    /// Every route, for what is about other requests.
    pub(crate) routes: Routes,
}

/// All routes of a service, a list a noun.
pub(crate) type Routes = &'static [&'static [Route]];

impl Call<'_> {
    /// A parameter's text; `None` when absent or empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.params.get(name).and_then(params::text).filter(|text| !text.is_empty())
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::missing(name))
    }

    /// A parameter whose value counts as true there: all but false, nothing, zero and empty text.
    pub(crate) fn truthy(&self, name: &str) -> Option<&Value> {
        self.params.get(name).filter(|value| match value {
            Value::Null => false,
            Value::Bool(yes) => *yes,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        })
    }

    /// Whether a parameter is a real `true`; words do not count.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.params.get(name) == Some(&Value::Bool(true))
    }

    /// The account that is worked on.
    pub(crate) fn account(&self) -> Result<&Account, Refusal> {
        self.state.account(&self.account).ok_or_else(|| Refusal::not_found(&self.account))
    }

    /// The same, to change it.
    pub(crate) fn account_mut(&mut self) -> Result<&mut Account, Refusal> {
        self.state.account_mut(&self.account).ok_or_else(|| Refusal::not_found(&self.account))
    }

    /// The header of a thing that was made: relative, with the login.
    pub(crate) fn location(&self, rest: &str) -> String {
        let login = self.account().map_or("my", |account| account.login.as_str());
        format!("/{login}/{rest}")
    }
}

/// Carries out an operation.
pub(crate) type Handler = fn(&mut Call<'_>) -> Outcome;

/// A method of HTTP that there are routes for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Verb {
    /// As it is on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Head => "HEAD",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        }
    }
}

/// One operation, as the server knows it.
#[derive(Debug)]
pub struct Route {
    /// HTTP method.
    pub method: Verb,
    /// Path, with parameters as `:machine`.
    pub path: &'static str,
    /// The API's own name of it, such as `ListMachines`.
    pub name: &'static str,
    /// The value of the parameter `action` that tells it from others of the same path.
    pub action: Option<&'static str>,
    /// What roles call it, where that is not the name in small letters.
    rbac: Option<&'static str>,
    /// Which bucket of requests it is counted in.
    pub group: &'static str,
    pub(crate) signed: bool,
    /// Refuses forms, and does not look at `Accept-Version`.
    pub(crate) typed: bool,
    pub(crate) versions: &'static [Version],
    pub(crate) handler: Handler,
}

impl Route {
    const fn new(method: Verb, path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        let versions = version::ALL;
        Route { method, path, name, action: None, rbac: None, group, signed: true, typed: false, versions, handler }
    }
    /// A GET.
    pub(crate) const fn get(path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        Route::new(Verb::Get, path, name, group, handler)
    }
    /// A HEAD: the same answer, of which only the headers are sent.
    pub(crate) const fn head(path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        Route::new(Verb::Head, path, name, group, handler)
    }
    /// A POST.
    pub(crate) const fn post(path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        Route::new(Verb::Post, path, name, group, handler)
    }
    /// A PUT.
    pub(crate) const fn put(path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        Route::new(Verb::Put, path, name, group, handler)
    }
    /// A DELETE.
    pub(crate) const fn delete(path: &'static str, name: &'static str, group: &'static str, handler: Handler) -> Route {
        Route::new(Verb::Delete, path, name, group, handler)
    }
    /// Is called so by roles.
    pub(crate) const fn rbac(mut self, rbac: &'static str) -> Route {
        self.rbac = Some(rbac);
        self
    }
    /// What roles call it; nothing where they do not count.
    pub fn called(&self) -> String {
        self.rbac.map_or_else(|| self.name.to_ascii_lowercase(), str::to_owned)
    }
    /// Only when the parameter `action` has this value.
    pub(crate) const fn action(mut self, action: &'static str) -> Route {
        self.action = Some(action);
        self
    }
    /// Only for these versions.
    pub(crate) const fn versions(mut self, versions: &'static [Version]) -> Route {
        self.versions = versions;
        self
    }
    /// Needs no signature.
    pub(crate) const fn unsigned(mut self) -> Route {
        self.signed = false;
        self
    }
    /// Refuses forms.
    pub(crate) const fn typed(mut self) -> Route {
        self.typed = true;
        self
    }
}

/// The route and its siblings that differ by the `action` only, with the path's parameters.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) routes: Vec<&'static Route>,
    pub(crate) path: Params,
    /// The methods that this path has.
    pub(crate) methods: Vec<&'static str>,
}

/// Finds what a request asks for. Of several paths that fit, the first counts.
pub(crate) fn find(routes: Routes, head: &Head) -> Result<Found, Refusal> {
    let mut found = Found { routes: Vec::new(), path: Params::new(), methods: Vec::new() };
    for route in routes.iter().copied().flatten() {
        let Some(path) = matches(route.path, head.path()) else { continue };
        let method = route.method.as_str();
        if !found.methods.contains(&method) {
            found.methods.push(method);
        }
        if method == head.method && found.routes.first().is_none_or(|first| first.path == route.path) {
            found.path = path;
            found.routes.push(route);
        }
    }
    if !found.routes.is_empty() {
        return Ok(found);
    }
    if found.methods.is_empty() {
        return Err(Refusal::not_found(&head.target).early());
    }
    let words = format!("{} is not allowed", head.method);
    Err(Refusal::new(405, "MethodNotAllowedError", words).header("Allow", found.methods.join(", ")).early())
}

fn matches(pattern: &str, path: &str) -> Option<Params> {
    let mut params = Params::new();
    let mut have = path.trim_end_matches('/').split('/');
    for want in pattern.split('/') {
        let part = have.next()?;
        match want.strip_prefix(':') {
            Some(_) if part.is_empty() => return None,
            // The server calls it so, and lets a body override it by that name.
            Some("login") => {
                params.insert("account".to_owned(), params::decode(part).into());
            }
            Some(name) => {
                params.insert(name.to_owned(), params::decode(part).into());
            }
            None if want == part => {}
            None => return None,
        }
    }
    if have.next().is_some() { None } else { Some(params) }
}
