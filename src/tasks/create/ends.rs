//! Until when a machine is wanted: the tag that says so, from what was typed. It asks nobody.

use std::time::Duration;

use super::EXPIRES_TAG;
use crate::answer::scan;
use crate::error::{Error, Result};
use crate::grammar::tag;
use crate::request::{Arg as Value, Args};
use crate::tasks::values;

/// Refuses a time that could never be read again: such a machine would stay.
///
/// # Errors
/// A usage error.
pub fn check_expiry(args: &Args) -> Result<()> {
    match args.get(&format!("tag.{EXPIRES_TAG}")) {
        Some(value) => tag::check_new(EXPIRES_TAG, &values::typed_tag(value)),
        None => Ok(()),
    }
}

/// The time in the tag of a machine that is not wanted any more after so long. `now` is in milliseconds since 1970.
///
/// # Errors
/// A usage error for more time than there is.
pub fn expiry(ttl: Duration, now: i64) -> Result<String> {
    let long = || Error::usage("that is too long for a machine");
    let seconds = i64::try_from(ttl.as_secs().saturating_add(1)).map_err(|_| long())?;
    jiff::Timestamp::from_second((now / 1000).saturating_add(seconds)).map(|time| time.to_string()).map_err(|_| long())
}

/// Puts the time in the place of how long from now it is (`2h`), in the tag that says when a machine is not wanted any
/// more.
///
/// # Errors
/// As [`expiry`].
pub fn settle_expiry(args: &mut Args, now: i64) -> Result<()> {
    for name in [format!("tag.{EXPIRES_TAG}"), EXPIRES_TAG.to_owned()] {
        let typed = args.get(&name).map(values::typed_tag);
        if let Some(ttl) = typed.as_ref().and_then(|typed| typed.as_str()).and_then(tag::lifetime) {
            args.push(name, Value::Text(expiry(ttl, now)?));
        }
    }
    // Tags that are one object.
    let Some(Value::Json(tags)) = args.get("tags") else { return Ok(()) };
    let Some(members) = scan::members(tags.get()) else { return Ok(()) };
    let settled = members.map(|(name, value)| {
        let text = scan::unquote(value).filter(|_| scan::unquote(name).as_deref() == Some(EXPIRES_TAG));
        Ok(match text.as_deref().and_then(tag::lifetime) {
            Some(ttl) => format!("{name}:\"{}\"", expiry(ttl, now)?),
            None => format!("{name}:{value}"),
        })
    });
    let settled = settled.collect::<Result<Vec<String>>>()?.join(",");
    args.push("tags", Value::json(&format!("{{{settled}}}"))?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_machine_is_wanted_becomes_a_time() {
        for (typed, kept) in [("2h", "1970-01-01T02:00:01Z"), ("+90m", "1970-01-01T01:30:01Z"), ("7200", "7200")] {
            for name in ["tag.sdc.expires", "sdc.expires"] {
                let mut args = Args::new().set(name, typed);
                settle_expiry(&mut args, 0).unwrap();
                assert_eq!(args.text(name), Some(kept));
            }
        }
        let mut args = Args::new();
        args.push("tags", Value::json(r#"{"a":1.10,"sdc.expires":"2h"}"#).unwrap());
        settle_expiry(&mut args, 0).unwrap();
        let Some(Value::Json(tags)) = args.get("tags") else { panic!("no tags") };
        assert_eq!(tags.get(), r#"{"a":1.10,"sdc.expires":"1970-01-01T02:00:01Z"}"#);
        assert!(expiry(Duration::from_secs(u64::MAX), 0).is_err());
    }
}
