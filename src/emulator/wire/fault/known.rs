//! Whether there are requests that a fault can strike: one that strikes none proves nothing, and its test passes.

use super::Fault;
use crate::emulator::text::nearest;
use crate::error::{Error, Result};

impl Fault {
    /// Refuses one that has work fail at a step that there is not.
    ///
    /// # Errors
    /// A usage error with the step that was most likely meant.
    pub(crate) fn fails_at_one_of(&self, steps: &[&str]) -> Result<()> {
        match self.effect.twist.fail.as_deref().filter(|step| !step.is_empty() && !steps.contains(step)) {
            None => Ok(()),
            Some(step) => {
                let error = Error::usage(format!("fault '{}': no job has the step {step}", self.spec));
                let near = nearest(step, steps).map(|near| format!("did you mean {near}?"));
                Err(error.hint(near.unwrap_or_else(|| "fail=cnapi.provision_vm, fail=cnapi.wait_task".to_owned())))
            }
        }
    }

    /// Whether it is for requests to this service.
    pub(crate) fn is_at(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|wanted| wanted == service)
    }

    /// Refuses one for a service that there is not.
    ///
    /// # Errors
    /// A usage error with the names of those that there are.
    pub(crate) fn is_at_one_of(&self, services: &[&str]) -> Result<()> {
        match self.service.as_deref().filter(|service| !services.contains(service)) {
            None => Ok(()),
            Some(service) => {
                let mut names = services.to_vec();
                names.dedup();
                let error = Error::usage(format!("fault '{}': there is no service {service}", self.spec));
                Err(error.hint(format!("the services are {}", names.join(", "))))
            }
        }
    }

    /// Refuses one for which none of these methods and paths is.
    ///
    /// # Errors
    /// A usage error with the path or the methods that were most likely meant.
    pub(crate) fn strikes_one_of(&self, routes: &[(&str, &str)]) -> Result<()> {
        let wanted = parts(&self.path);
        // What a collection is called: a parameter in its place stands for one of them.
        let collections: Vec<&str> =
            routes.iter().filter_map(|(_, path)| parts(path).first().copied()).filter(|name| !is_any(name)).collect();
        let known = |wanted: &[&str]| -> Vec<&str> {
            let fits = |path: &str| {
                let first = parts(path).first().is_none_or(|first| !is_any(first));
                let named = wanted.first().is_none_or(|first| is_any(first) || collections.contains(first));
                fits(wanted, &parts(path)) && (first || named)
            };
            routes.iter().filter(|(_, path)| fits(path)).map(|(method, _)| *method).collect()
        };
        let mut methods = if self.path == "*" { return Ok(()) } else { known(&wanted) };
        // With the account before it, each part is taken as it is.
        if let (true, [account, below @ ..]) = (methods.is_empty(), &*wanted)
            && !collections.contains(account)
            && !below.is_empty()
            && !self.path.contains('*')
        {
            methods = known(below);
        }
        let wrong = |words: String| Error::usage(format!("fault '{}' would never strike: {words}", self.spec));
        if methods.is_empty() {
            let error = wrong(format!("no request has the path {}", self.path));
            let meant: Vec<String> = routes
                .iter()
                .filter_map(|(_, path)| like(&wanted, &parts(path)))
                .filter(|path| *path != self.path)
                .collect();
            let near = nearest(&self.path, &meant.iter().map(String::as_str).collect::<Vec<_>>()).map(str::to_owned);
            return Err(match near {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error.hint("a path leaves out the account: /machines, /machines/*, /machines/**"),
            });
        }
        match &self.method {
            Some(method) if !methods.contains(&method.as_str()) => {
                methods.sort_unstable();
                methods.dedup();
                Err(wrong(format!("there is no {method} {}, but {}", self.path, methods.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// Whether it stands for any part.
fn is_any(part: &str) -> bool {
    part == "*" || part.starts_with(':')
}

/// Whether a path that is typed can be one of a route's.
fn fits(wanted: &[&str], route: &[&str]) -> bool {
    match (wanted, route) {
        (["**"], _) | ([], []) => true,
        ([want, wanted @ ..], [have, route @ ..]) => {
            (is_any(want) || is_any(have) || want == have) && fits(wanted, route)
        }
        _ => false,
    }
}

/// The path of the route, with what was typed in the places of its parameters.
fn like(wanted: &[&str], route: &[&str]) -> Option<String> {
    let all = wanted.last() == Some(&"**");
    let wanted = if all { &wanted[..wanted.len() - 1] } else { wanted };
    let fits = if all { wanted.len() <= route.len() } else { wanted.len() == route.len() };
    let part = |(want, have): (&&str, &&str)| format!("/{}", if is_any(have) { want } else { have });
    let path: String = wanted.iter().zip(route).map(part).collect();
    fits.then(|| if all { format!("{path}/**") } else { path })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &[(&str, &str)] = &[
        ("GET", ""),
        ("GET", "/--ping"),
        ("GET", "/machines"),
        ("POST", "/machines"),
        ("GET", "/machines/:machine"),
        ("GET", "/machines/:machine/snapshots"),
        ("DELETE", "/machines/:machine/snapshots/:name"),
        ("PUT", "/:resource"),
    ];

    fn refused(spec: &str) -> Option<(String, String)> {
        let error = spec.parse::<Fault>().unwrap().strikes_one_of(ROUTES).err()?;
        let words = error.message().split(": ").nth(1).unwrap_or_default().to_owned();
        Some((words, error.hints().first().map(ToString::to_string).unwrap_or_default()))
    }

    #[test]
    fn a_fault_that_can_strike_is_taken() {
        for spec in [
            "* hang",
            "hang",
            "/ hang",
            "/--ping hang",
            "PUT /machines hang",
            "GET /machines/* hang",
            "GET /machines/some-id hang",
            "/machines/** hang",
            "/machines/*/snapshots/** hang",
            "/** hang",
            "/*/*/* hang",
            "GET /acme/machines hang",
        ] {
            assert_eq!(refused(spec), None, "{spec}");
        }
    }

    #[test]
    fn work_fails_only_at_steps_that_there_are() {
        let steps = ["cnapi.provision_vm", "cnapi.wait_task"];
        let hint = |spec: &str| {
            let error = spec.parse::<Fault>().unwrap().fails_at_one_of(&steps).err()?;
            Some(error.hints().first().map(ToString::to_string).unwrap_or_default())
        };
        assert_eq!((hint("POST /machines fail"), hint("* fail=cnapi.wait_task")), (None, None));
        assert_eq!(hint("* fail=cnapi.provision_v").as_deref(), Some("did you mean cnapi.provision_vm?"));
        assert!("* fail=".parse::<Fault>().is_err());
    }

    #[test]
    fn a_fault_that_never_can_is_refused_with_what_was_meant() {
        for (spec, words, hint) in [
            ("/machine hang", "no request has the path /machine", "did you mean /machines?"),
            ("/machine/** hang", "no request has the path /machine/**", "did you mean /machines/**?"),
            (
                "/machines/*/snapshot hang",
                "no request has the path /machines/*/snapshot",
                "did you mean /machines/*/snapshots?",
            ),
            ("DELETE /machines hang", "there is no DELETE /machines, but GET, POST, PUT", ""),
            (
                "/acme/*/x/y/z hang",
                "no request has the path /acme/*/x/y/z",
                "a path leaves out the account: /machines, /machines/*, /machines/**",
            ),
        ] {
            assert_eq!(refused(spec), Some((words.to_owned(), hint.to_owned())), "{spec}");
        }
    }
}
