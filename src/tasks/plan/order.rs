//! The order of steps: what others need is created first and deleted last. Pure.

use std::collections::HashMap;

use super::{Action, Kind, Step};
use crate::error::{Error, Result};

/// Puts steps into an order in which they can be carried out: whatever a resource needs is created or changed before
/// it, and deletes come last, each before the deletes of what it needs. Steps that do not depend on each other keep
/// their order. A need that no step is about exists already.
///
/// # Errors
/// A usage error if resources need each other in a circle.
pub fn in_order<K: Kind, S>(steps: Vec<Step<K, S>>) -> Result<Vec<Step<K, S>>> {
    let (deletes, others): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.action == Action::Delete);
    let mut ordered = sorted(others, false)?;
    ordered.extend(sorted(deletes, true)?);
    Ok(ordered)
}

/// Sorts steps by their needs: after what they need, or before it.
fn sorted<K: Kind, S>(steps: Vec<Step<K, S>>, before: bool) -> Result<Vec<Step<K, S>>> {
    let mut named: HashMap<(K, &str), Vec<usize>> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        named.entry((step.kind, &step.name)).or_default().push(at);
    }
    // For each step those that wait for it, and for how many it waits.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    let mut open = vec![0_usize; steps.len()];
    for (at, step) in steps.iter().enumerate() {
        let needed = step.needs.iter().flat_map(|(kind, name)| named.get(&(*kind, name)).into_iter().flatten());
        for &other in needed.filter(|other| **other != at) {
            let (first, then) = if before { (at, other) } else { (other, at) };
            if let (Some(waiting), Some(open)) = (waiting.get_mut(first), open.get_mut(then)) {
                waiting.push(then);
                *open += 1;
            }
        }
    }
    let mut ready: std::collections::BTreeSet<usize> =
        open.iter().enumerate().filter(|(_, open)| **open == 0).map(|(at, _)| at).collect();
    let mut order = Vec::new();
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &then in waiting.get(at).into_iter().flatten() {
            if let Some(open) = open.get_mut(then) {
                *open -= 1;
                if *open == 0 {
                    ready.insert(then);
                }
            }
        }
    }
    if order.len() < steps.len() {
        let left = steps.iter().zip(&open).filter(|(_, open)| **open > 0).map(|(step, _)| step.target());
        return Err(Error::usage(format!("these need each other: {}", left.collect::<Vec<_>>().join(", "))));
    }
    let mut steps: Vec<Option<Step<K, S>>> = steps.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|at| steps.get_mut(at)?.take()).collect())
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    enum Part {
        Network,
        Machine,
    }

    impl Kind for Part {
        fn word(self) -> &'static str {
            match self {
                Part::Network => "network",
                Part::Machine => "machine",
            }
        }
    }

    fn step(action: Action, kind: Part, name: &str, needs: &[(Part, &str)]) -> Step<Part, ()> {
        let needs = needs.iter().map(|(kind, name)| (*kind, (*name).to_owned())).collect();
        Step { needs, ..Step::new(action, kind, name, None, ()) }
    }

    fn titles(steps: Vec<Step<Part, ()>>) -> Vec<String> {
        in_order(steps).unwrap().iter().map(Step::title).collect()
    }

    #[test]
    fn what_is_needed_is_created_first_and_deleted_last() {
        let of = |action| {
            vec![
                step(action, Part::Machine, "web", &[(Part::Network, "in"), (Part::Machine, "db")]),
                step(action, Part::Machine, "db", &[(Part::Network, "in"), (Part::Network, "elsewhere")]),
                step(action, Part::Network, "in", &[]),
            ]
        };
        assert_eq!(titles(of(Action::Create)), ["create network in", "create machine db", "create machine web"]);
        let mut backwards = of(Action::Delete);
        backwards.reverse();
        assert_eq!(titles(backwards), ["delete machine web", "delete machine db", "delete network in"]);
    }

    #[test]
    fn deletes_come_last_and_independent_steps_keep_their_order() {
        let steps = vec![
            step(Action::Delete, Part::Machine, "old", &[]),
            step(Action::Change, Part::Machine, "b", &[]),
            step(Action::Adopt, Part::Machine, "b", &[]),
            step(Action::Create, Part::Machine, "a", &[]),
        ];
        let expected = ["change machine b", "adopt machine b", "create machine a", "delete machine old"];
        assert_eq!(titles(steps), expected);
    }

    #[test]
    fn a_name_of_one_kind_is_not_that_of_another() {
        let steps = vec![
            step(Action::Create, Part::Machine, "x", &[(Part::Machine, "y")]),
            step(Action::Create, Part::Network, "y", &[(Part::Machine, "x")]),
        ];
        assert_eq!(titles(steps), ["create machine x", "create network y"]);
    }

    #[test]
    fn a_circle_is_refused_by_its_members() {
        let steps = vec![
            step(Action::Create, Part::Network, "in", &[]),
            step(Action::Create, Part::Machine, "a", &[(Part::Machine, "b"), (Part::Network, "in")]),
            step(Action::Create, Part::Machine, "b", &[(Part::Machine, "a")]),
        ];
        let error = in_order(steps).unwrap_err();
        assert_eq!(error.message(), "these need each other: machine a, machine b");
    }
}
