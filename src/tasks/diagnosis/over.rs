//! Whether a failure is over: what came after it, or just before, has left nothing to do about it.

use jiff::{SignedDuration, Timestamp};

use super::Entry;

/// What starts and stops a machine: the last one that went well says how it was to be.
const POWER: &[&str] = &["start", "stop", "reboot", "rollback_snapshot", "reprovision"];
/// So long before a failure the same may have been done by somebody else who asked for it too.
const JUST_BEFORE: SignedDuration = SignedDuration::from_mins(1);

/// Why nothing is to be done about the failure at this place any more, in words, if that is so. The newest entry is the
/// first.
pub(super) fn over(entries: &[Entry], at: usize, state: &str) -> Option<String> {
    let (newer, rest) = entries.split_at_checked(at)?;
    let (failed, older) = rest.split_first()?;
    let action = failed.action.as_str();
    if newer.iter().any(|entry| entry.has_done(action)) {
        return Some("and went well later".to_owned());
    }
    if let Some(later) = newer.iter().find(|later| later.success == "yes" && replaces(&later.action, action)) {
        return Some(format!("and a later {} went well", later.action));
    }
    // How it is now may say more: that it is so already, or that it has failed.
    let tells = matches!((action, state), ("start", "running") | ("stop", "stopped") | (_, "failed"));
    let last = older.iter().find(|entry| entry.success == "yes" && POWER.contains(&entry.action.as_str()));
    let just_before = last.is_some_and(|last| last.action == action && is_just_before(last, failed));
    let was_so = matches!(action, "start" | "stop") && just_before && !tells;
    was_so.then(|| format!("and another {action} just before it went well"))
}

/// Whether what was to be after an action does not matter any more once this was done.
fn replaces(later: &str, action: &str) -> bool {
    match action {
        _ if matches!(later, "destroy" | "delete") => true,
        "set_tags" | "remove_tags" => later == "replace_tags",
        "set_metadata" | "remove_metadata" => later == "replace_metadata",
        "enable_deletion_protection" => later == "disable_deletion_protection",
        "disable_deletion_protection" => later == "enable_deletion_protection",
        _ => POWER.contains(&action) && POWER.contains(&later),
    }
}

fn is_just_before(entry: &Entry, failed: &Entry) -> bool {
    let time = |entry: &Entry| entry.time.as_ref()?.parse::<Timestamp>().ok();
    time(entry).zip(time(failed)).is_some_and(|(time, failed)| failed.duration_since(time) <= JUST_BEFORE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::facts;
    use super::super::{ASK, Verdict, diagnose};

    /// What comes of a machine in this state whose log has these, newest first: `stop no 30`, with its second.
    fn told(state: &str, log: &[&str], action: Option<&str>) -> Verdict {
        let entry = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            let time = words.get(2).map(|second| format!("2026-01-01T00:0{second}.000Z"));
            json!({ "action": words[0], "success": words[1], "time": time })
        };
        let audit: Vec<_> = log.iter().map(entry).collect();
        diagnose(&facts(json!({ "id": "m", "state": state }), json!(audit), json!([])), action)
    }

    #[test]
    fn what_went_well_later_or_was_replaced_is_no_failure_any_more() {
        for (state, log, reason) in [
            ("running", &["stop yes", "stop no"][..], "the stop failed, and went well later"),
            ("running", &["start yes", "stop no", "stop yes"], "the stop failed, and a later start went well"),
            ("running", &["start yes", "rename yes", "stop no"], "the stop failed, and a later start went well"),
            ("running", &["reboot yes", "stop no"], "the stop failed, and a later reboot went well"),
            ("stopped", &["destroy no", "destroy yes"], "the destroy failed: the service gives no reason"),
            ("offline", &["stop yes", "start no"], "the start failed, and a later stop went well"),
            ("running", &["stop yes", "reboot no"], "the reboot failed, and a later stop went well"),
            ("offline", &["destroy yes", "resize no"], "the resize failed, and a later destroy went well"),
            (
                "running",
                &["replace_tags yes", "set_tags no"],
                "the set_tags failed, and a later replace_tags went well",
            ),
            (
                "running",
                &["disable_deletion_protection yes", "enable_deletion_protection no"],
                "the enable_deletion_protection failed, and a later disable_deletion_protection went well",
            ),
            (
                "running",
                &["stop no 1:00", "stop yes 0:30"],
                "the stop failed, and another stop just before it went well",
            ),
            (
                "stopped",
                &["start no 1:00", "start yes 0:30"],
                "the start failed, and another start just before it went well",
            ),
            // Only what has to do with it, and what went well.
            ("running", &["rename yes", "stop no"], "the stop failed: the service gives no reason"),
            ("running", &["start yes", "resize no"], "the resize failed: the service gives no reason"),
            ("stopped", &["start no 3:00", "start yes 0:30"], "the start failed: the service gives no reason"),
            (
                "running",
                &["stop no 1:00", "start yes 0:40", "stop yes 0:30"],
                "the stop failed: the service gives no reason",
            ),
            ("stopped", &["stop no 1:00", "stop yes 0:30"], "the stop failed, perhaps because it was stopped already"),
            ("failed", &["start no", "start no"], "the start failed: the service gives no reason"),
        ] {
            let whole = told(state, log, None);
            assert_eq!(whole.reason, reason, "{log:?}");
            let is_over = reason.contains("went well");
            assert!(!is_over || whole.explained && whole.tries.is_empty(), "{log:?}: {:?}", whole.tries);
            // Nor does the failure of a wait say that it is to be done again.
            let failed = log.iter().find_map(|line| line.split_once(" no")).map(|(action, _)| action);
            let waited = told(state, log, failed);
            assert!(!is_over || waited.tries.iter().all(|way| *way == ASK), "{log:?}: {:?}", waited.tries);
        }
    }
}
