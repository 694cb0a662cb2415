//! A request to an internal service, as its handler sees it, and the routes that lead to handlers.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::state::{Planned, State, is_uuid};
use crate::emulator::http::head::Head;
use crate::emulator::http::params::{self, Params};
use crate::emulator::http::reply::{Outcome, Refusal};

/// A route: a method and a path lead to a handler.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// With parameters as `:uuid`.
    pub(crate) path: &'static str,
    /// The names of its operations: several where a parameter tells them apart.
    pub(crate) names: &'static [&'static str],
    pub(crate) run: fn(&mut Call<'_>) -> Outcome,
}

/// A route of these operations.
pub(crate) const fn route(
    method: &'static str,
    path: &'static str,
    names: &'static [&'static str],
    run: fn(&mut Call<'_>) -> Outcome,
) -> Route {
    Route { method, path, names, run }
}

impl Route {
    /// The parameters of a path, if it is one of this route.
    pub(crate) fn matches(&self, path: &str) -> Option<Params> {
        let (mut known, mut given) = (self.path.split('/'), path.split('/'));
        let mut found = Params::new();
        loop {
            match (known.next(), given.next()) {
                (None, None) => return Some(found),
                (Some(name), Some(part)) if name.starts_with(':') && !part.is_empty() => {
                    found.insert(name.get(1..)?.to_owned(), params::decode(part).into());
                }
                (Some(name), Some(part)) if name == part => {}
                _ => return None,
            }
        }
    }
}

/// A request that was read, and the data center that it is about.
pub(crate) struct Call<'a> {
    pub(crate) cloud: &'a Arc<DataCenter>,
    pub(crate) state: &'a mut State,
    pub(crate) head: &'a Head,
    /// The time of the VMs, in milliseconds since 1970.
    pub(crate) now: i64,
    /// Path, query and body together.
    pub(crate) params: Params,
    /// The path's parameters alone.
    pub(crate) path: Params,
    /// The query alone.
    pub(crate) query: Params,
    /// The body: an object, a list, or null where there was none.
    pub(crate) body: Value,
    /// The version that was agreed upon.
    pub(crate) version: (u16, u16, u16),
    /// The caller as the header `x-context` names it, or the operator.
    pub(crate) caller: Value,
    /// The work that is started ends badly: at this step, where one is named.
    pub(crate) fails: Option<Planned>,
}

impl Call<'_> {
    /// A parameter of the path.
    pub(crate) fn part(&self, name: &str) -> String {
        self.path.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// A parameter as text, if it has any.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.params.get(name).and_then(params::text).filter(|text| !text.is_empty())
    }

    /// The body's fields; none where it is no object.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        self.body.as_object().cloned().unwrap_or_default()
    }

    /// The values of a parameter that is a list, or a text with commas.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<String>> {
        Some(match self.params.get(name)? {
            Value::Array(list) => list.iter().filter_map(params::text).collect(),
            other => params::text(other)?.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        })
    }
}

/// 404, in these words.
pub(crate) fn missing(words: impl Into<String>) -> Refusal {
    Refusal::new(404, "ResourceNotFound", words)
}

/// Whether a text is a UUID as the services write it: in lower case.
pub(crate) fn is_lower_uuid(text: &str) -> bool {
    is_uuid(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never(_: &mut Call<'_>) -> Outcome {
        unreachable!()
    }

    #[test]
    fn a_path_has_the_parameters_of_its_route() {
        let route = route("GET", "/vms/:uuid/tags/:key", &["GetTag"], never);
        let found = route.matches("/vms/a/tags/b%20c").unwrap();
        assert_eq!((found["uuid"].as_str(), found["key"].as_str()), (Some("a"), Some("b c")));
        assert!(route.matches("/vms//tags/b").is_none() && route.matches("/vms/a/tags").is_none());
        assert!(route.matches("/vms/a/tags/b/c").is_none());
    }
}
