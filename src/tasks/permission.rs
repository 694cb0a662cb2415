//! What to look at when the service takes neither a key (401) nor its rights (403). It sends nothing.
//!
//! ```
//! use sdc::tasks::permission::Caller;
//!
//! let jill = Some(("jill".to_owned(), "--user".to_owned()));
//! let caller = Caller { account: "acme".to_owned(), acting: None, user: jill, roles: None };
//! let message = "You do not have permission to access /acme/machines (listmachines)";
//! let hints: Vec<String> = caller.hints(403, message).iter().map(ToString::to_string).collect();
//! assert!(hints[0].starts_with("asked as sub-user jill of the account acme, by its default roles"));
//! assert!(hints[1].ends_with("CAN listmachines"));
//! ```

use crate::api::cloudapi::role_tags;
use crate::error::{CommandLine, Hint};

/// Who asked, and where each part of that comes from.
pub struct Caller {
    /// The account of the key.
    pub account: String,
    /// The account that is acted on, if it is another, and what says so.
    pub acting: Option<(String, String)>,
    /// The sub-user, and what says so.
    pub user: Option<(String, String)>,
    /// The roles that are taken on, and what says so.
    pub roles: Option<(Vec<String>, String)>,
}

impl Caller {
    /// Returns what to try after a refusal of this status and message.
    pub fn hints(&self, status: u16, message: &str) -> Vec<Hint> {
        let Caller { account, user, .. } = self;
        let acting = self.acting.as_ref().map(|(other, origin)| format!(" on {other} ({origin})"));
        let acting = acting.unwrap_or_default();
        match (status, user, &self.roles) {
            (401, Some((user, origin)), _) => vec![
                format!("sub-user {user} ({origin}) needs a key of its own: the account's keys do not count").into(),
                "logins and the names of keys are case-sensitive".into(),
            ],
            (401, None, _) => {
                vec![
                    "is that key on that account? logins and the names of keys are case-sensitive".into(),
                    "if it is a sub-user's: --user LOGIN, or SDC_USER".into(),
                ]
            }
            (403, user, roles) if user.is_some() || roles.is_some() => {
                let names = roles.as_ref().map(|(roles, _)| roles.join(", ")).unwrap_or_default();
                let of = user.as_ref().map(|(user, _)| format!("sub-user {user} of ")).unwrap_or_default();
                let who = format!("asked as {of}the account {account}{acting}");
                match (roles, asked_for(message)) {
                    // The roles are there: it is what they allow.
                    (_, Some((path, action))) => {
                        let active = roles.as_ref().map_or_else(
                            || "by its default roles; with others: --role NAME".to_owned(),
                            |(_, origin)| format!("in {names} ({origin})"),
                        );
                        let first = Hint::from(format!("{who}, {active}"));
                        std::iter::once(first).chain(needed(&path, &action)).collect()
                    }
                    (Some((roles, origin)), None) if roles.len() > 1 => {
                        vec![format!("are there the roles {names} ({origin}), and do they allow this? {who}").into()]
                    }
                    (Some((_, origin)), None) => {
                        vec![format!("is there a role {names} ({origin}), and does it allow this? {who}").into()]
                    }
                    (None, None) => vec![format!("{who}; with a role: --role NAME").into()],
                }
            }
            (403, ..) => vec![format!("asked as the account {account}{acting}").into()],
            _ => Vec::new(),
        }
    }
}

/// The path and the action of `You do not have permission to access PATH (ACTION)`.
fn asked_for(message: &str) -> Option<(String, String)> {
    let (_, asked) = message.split_once(" to access ")?;
    let (path, action) = asked.trim().strip_suffix(')')?.rsplit_once(" (")?;
    let plain = |text: &str, sign: fn(char) -> bool| !text.is_empty() && text.len() < 200 && text.chars().all(sign);
    let named = plain(path, |sign| sign.is_ascii_graphic()) && plain(action, |sign| sign.is_ascii_alphanumeric());
    (path.starts_with('/') && named).then(|| (path.to_owned(), action.to_owned()))
}

/// What must be so for a sub-user to be let in: both a rule that allows the action, and a tag on what it is about.
fn needed(path: &str, action: &str) -> Vec<Hint> {
    let mut hints = vec![Hint::from(format!("an active role needs a policy with a rule that allows it: CAN {action}"))];
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').skip(1).collect();
    let (collection, tagged) = match parts.as_slice() {
        [] | [""] => {
            hints.push(Hint::run("and the account must be tagged with that role", "role-tags add account ROLE"));
            return hints;
        }
        [collection] => (*collection, ("the collection", (*collection).to_owned())),
        [collection, id, ..] => (*collection, ("it", format!("{collection}/{id}"))),
    };
    let rule = format!("the rule must name what it is about: CAN {action} *");
    let (what, place) = tagged;
    hints.push(match role_tags::COLLECTIONS.iter().any(|(name, _)| *name == collection) {
        true => Hint::run(
            format!("and {what} must be tagged with that role"),
            CommandLine::new("role-tags add").on(place).on("ROLE"),
        )
        .then(format!("; or {rule}")),
        false => format!("and {rule}").into(),
    });
    if parts == ["machines"] {
        hints.push(Hint::run("one machine by its id needs no right to list them", "machines get UUID"));
    }
    hints
}
