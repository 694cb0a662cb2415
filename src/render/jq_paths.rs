//! Positions in the values of `--jq`: what can be there, what is made on the way, and what is deleted.

use jaq_core::path::Opt;
use jaq_core::{Error as Fault, ValT};
use jaq_json::{Num, Val};

use super::jq_bounds::MAX_ELEMENTS;
use super::jq_values::{Outcome, brief};

/// The same value, unless it cannot have anything at this position.
pub(super) fn known(value: Val, at: &Val) -> Outcome {
    match (&value, at) {
        (Val::Obj(_), Val::TStr(_)) => Ok(value),
        (Val::Obj(_), at) => Err(Fault::str(format!("an object has nothing at {}", brief(at)))),
        (Val::Null, Val::Bool(_)) => Err(Fault::str(format!("null has nothing at {}", brief(at)))),
        _ => Ok(value),
    }
}

/// The same value with room for something at this position: an object or an array in the place of null, and an array
/// that is long enough.
pub(super) fn made_for(value: Val, at: &Val) -> Outcome {
    let wanted = match at {
        Val::Num(Num::Int(at)) => usize::try_from(*at).map_or(0, |at| at.saturating_add(1)),
        _ => 0,
    };
    let full = |mut values: Vec<Val>| match wanted > MAX_ELEMENTS.max(values.len()) {
        true => Err(Fault::str(format!("an array of more than {MAX_ELEMENTS} elements, most of them null"))),
        false => {
            values.resize(values.len().max(wanted), Val::Null);
            Ok(values.into_iter().collect())
        }
    };
    match (value, at) {
        (Val::Null, Val::TStr(_)) => Ok(Val::obj(Default::default())),
        (Val::Null, Val::Num(_)) => full(Vec::new()),
        (Val::Null, Val::Obj(_)) => Ok(Val::Arr(Default::default())),
        (Val::Arr(values), Val::Num(_)) if values.len() < wanted => full(values.to_vec()),
        (value, _) => Ok(value),
    }
}

/// The value without what is at these paths, the last first, so that none moves another.
pub(super) fn without_all(value: Val, paths: Val) -> Outcome {
    let Val::Arr(paths) = paths else { return Err(Fault::str("paths are given as an array")) };
    let mut paths = paths.to_vec();
    paths.sort();
    paths.iter().rev().try_fold(value, |value, path| match path {
        Val::Arr(path) => without(value, path),
        other => Err(Fault::str(format!("{} is not a path", brief(other)))),
    })
}

fn without(value: Val, path: &[Val]) -> Outcome {
    let Some((at, rest)) = path.split_first() else { return Ok(Val::Null) };
    let value = known(value, at)?;
    if matches!(value, Val::Null) {
        return Ok(value);
    }
    if !rest.is_empty() {
        let inner = value.clone().index(at)?;
        if matches!(inner, Val::Null) {
            return Ok(value);
        }
        let inner = without(inner, rest)?;
        let changed = value.map_index(at, Opt::Essential, |_| std::iter::once(Ok(inner.clone())));
        return changed.map_err(|fault| fault.get_err().unwrap_or_else(|_| Fault::str("nothing can be deleted there")));
    }
    match (value, at) {
        (Val::Obj(mut members), key @ Val::TStr(_)) => {
            jaq_json::Rc::make_mut(&mut members).shift_remove(key);
            Ok(Val::Obj(members))
        }
        (Val::Arr(mut values), Val::Num(Num::Int(at))) => {
            let at = if *at < 0 { values.len().checked_add_signed(*at) } else { usize::try_from(*at).ok() };
            if let Some(at) = at.filter(|at| *at < values.len()) {
                jaq_json::Rc::make_mut(&mut values).remove(at);
            }
            Ok(Val::Arr(values))
        }
        (Val::Arr(values), span @ Val::Obj(_)) => {
            let none = |_| std::iter::once(Ok(Val::Arr(Default::default())));
            let changed = Val::Arr(values).map_index(span, Opt::Essential, none);
            changed.map_err(|fault| fault.get_err().unwrap_or_else(|_| Fault::str("nothing can be deleted there")))
        }
        (value, at) => Err(Fault::str(format!("nothing can be deleted at {} of {}", brief(at), brief(&value)))),
    }
}
