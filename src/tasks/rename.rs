//! New names of several resources by one pattern: `web-*` to `app-*`, or `{name}-old`. Pure: it asks nobody.
//!
//! ```
//! use sdc::tasks::rename;
//!
//! let names = rename::names("app-*", &["web-*".to_owned()], &["web-1", "web-2"]);
//! assert_eq!(names?, ["app-1", "app-2"]);
//! # Ok::<(), sdc::Error>(())
//! ```

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::grammar::selector::is_glob;
use crate::sensitive::quoted;

/// The placeholder for the old name.
const OLD: &str = "{name}";

/// Whether a new name is a pattern.
pub fn is_pattern(new: &str) -> bool {
    new.contains('*') || new.contains(OLD)
}

/// The new names of resources of these old names, of which those were `typed`.
///
/// # Errors
/// A usage error: one name for several, or a star that stands for nothing.
pub fn names(new: &str, typed: &[String], old: &[&str]) -> Result<Vec<String>> {
    if !is_pattern(new) {
        return match old {
            [_] => Ok(vec![new.to_owned()]),
            _ => Err(Error::usage(format!("{} resources cannot all be named '{}'", old.len(), quoted(new)))
                .hint("by a glob: 'web-*' 'app-*'")
                .hint("from the old name: '{name}-old'")),
        };
    }
    if let Some(empty) = old.iter().find(|name| name.is_empty()) {
        return Err(Error::usage(format!("a resource without a name has no part of it to keep{empty}")));
    }
    let around = match typed {
        [glob] if is_glob(glob) => glob.split_once('*').filter(|(before, after)| !is_glob(before) && !is_glob(after)),
        _ => None,
    };
    let stars = new.matches('*').count();
    let one = |old: &&str| {
        let new = new.replace(OLD, old);
        if stars == 0 {
            return Ok(new);
        }
        let kept =
            around.filter(|_| stars == 1).and_then(|(before, after)| old.strip_prefix(before)?.strip_suffix(after));
        kept.map(|kept| new.replacen('*', kept, 1)).ok_or_else(|| {
            Error::usage(format!("the * of '{}' stands for nothing", quoted(&new)))
                .hint("it stands for what the one * of one glob fits: 'web-*' 'app-*'")
        })
    };
    let all = old.iter().map(one).collect::<Result<Vec<String>>>()?;
    let mut others = all.iter().zip(old).filter(|(new, own)| new.as_str() != **own);
    if let Some((taken, _)) = others.find(|(new, _)| old.contains(&new.as_str())) {
        return Err(Error::usage(format!("'{}' is still the name of another of them", quoted(taken))));
    }
    let different: HashSet<&String> = all.iter().collect();
    match different.len() == all.len() {
        true => Ok(all),
        false => Err(Error::usage(format!("'{}' gives several resources the same name", quoted(new)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_star_fits_is_kept() {
        for (new, typed, old, expected) in [
            ("app", &["web"][..], &["web"][..], &["app"][..]),
            ("app-*", &["web-*"], &["web-1", "web-"], &["app-1", "app-"]),
            ("*", &["web-*"], &["web-1"], &["1"]),
            ("{name}-old", &["a", "b"], &["a", "b"], &["a-old", "b-old"]),
            ("{name}", &["a", "b"], &["a", "b"], &["a", "b"]),
            ("x-*-{name}", &["*-db"], &["a-db"], &["x-a-a-db"]),
        ] {
            let typed: Vec<String> = typed.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(names(new, &typed, old).unwrap(), expected, "{new}");
        }
    }

    #[test]
    fn no_two_get_one_name_and_no_star_stands_for_nothing() {
        for (new, typed, old) in [
            ("app", &["web*"][..], &["web1", "web2"][..]),
            ("app", &["a", "b"], &[]),
            ("app-*", &["web1"], &["web1"]),
            ("app-*", &["web-*", "db-*"], &["web-1", "db-1"]),
            ("app-**", &["web-*"], &["web-1"]),
            ("app-*", &["w*b-*"], &["web-1"]),
            ("{name}", &["a"], &[""]),
            ("web*0", &["web*"], &["web1", "web10"]),
        ] {
            let typed: Vec<String> = typed.iter().map(|word| (*word).to_owned()).collect();
            assert!(names(new, &typed, old).is_err(), "{new}");
        }
    }
}
