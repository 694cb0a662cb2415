//! Additions to the lists of a role or a policy, and removals from them: what the whole list is to be then, which is all
//! that the service takes. Reads what was answered, and asks nobody.

use serde_json::Value;

use super::live::{Member, check, role};
use super::texts;
use crate::answer::{Row, scan};
use crate::api::{Kind, Op};
use crate::error::{Error, Result};
use crate::request::{Arg, Args};
use crate::tasks::values::{self, Files};

/// One change of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The field that says what is added or removed: `members`, `default-members`, `policies`, `rules`.
    pub field: &'static str,
    /// It is added, and else removed.
    pub adds: bool,
    /// A login, the name of a policy, or a rule.
    pub value: String,
}

impl Edit {
    /// The list that is sent for it.
    pub fn list(&self) -> &'static str {
        if self.field == "default-members" { "members" } else { self.field }
    }
}

/// A role or a policy as far as its lists are changed, whatever else is in it. What of them cannot be read is null.
pub fn read(row: Row<'_>) -> Value {
    let fields = ["id", "name", "members", "default_members", "policies", "rules"];
    let known = fields.into_iter().filter_map(|field| Some((field, scan::member(row.json(), field)?)));
    known.map(|(field, json)| (field.to_owned(), serde_json::from_str::<Value>(json).unwrap_or_default())).collect()
}

/// Puts the lists that change, as they are to be, into the arguments, given the object as it is. What is removed is removed before
/// anything is added. Returns which changes change nothing, in words that follow the object's name.
///
/// # Errors
/// A usage error for a rule that cannot be read, or a list that is given whole as well; a list of the object cannot be
/// read, so that nobody knows what it would lose.
pub fn apply(op: &Op, now: &Value, edits: &[Edit], args: &mut Args, files: &dyn Files) -> Result<Vec<String>> {
    for list in edits.iter().map(Edit::list) {
        check(if list == "rules" { "policy" } else { "role" }, now, list)?;
    }
    let known = role(now);
    let mut members = known.members;
    let (mut policies, mut rules) = (known.policies, texts(now.get("rules")));
    let (mut idle, mut different) = (Vec::new(), Vec::new());
    let (added, removed): (Vec<&Edit>, Vec<&Edit>) = edits.iter().partition(|edit| edit.adds);
    for edit in removed.into_iter().chain(added) {
        let value = edit.value.clone();
        let changed = match (edit.list(), edit.adds) {
            ("members", true) => add_member(&mut members, Member::typed(&value, edit.field == "default-members")),
            ("members", false) => remove(&mut members, |member| member.name() == value),
            ("policies", adds) => change(&mut policies, &value, adds),
            (_, adds) => change(&mut rules, &value, adds),
        };
        if changed {
            different.push(edit.list());
        } else {
            idle.push(format!("{} {value} already", if edit.adds { "has" } else { "is without" }));
        }
    }
    for list in ["members", "policies", "rules"] {
        if !edits.iter().any(|edit| edit.list() == list) {
            continue;
        }
        if args.get(list).is_some() {
            return Err(Error::usage(format!("{list} is given whole, and to be added to or removed from as well")));
        }
        // What is as it was is not sent.
        if !different.contains(&list) {
            continue;
        }
        let values: Vec<(bool, String)> = match list {
            "members" => members.iter().map(|member| (member.default, member.name())).collect(),
            "policies" => policies.iter().map(|name| (false, name.clone())).collect(),
            _ => rules.iter().map(|rule| (false, rule.clone())).collect(),
        };
        if values.is_empty() {
            args.push(list, Arg::json("[]")?);
        }
        for (default, value) in values {
            let is_it = |kind: Kind, name: &str| match kind {
                Kind::Members(of_default) => list == "members" && of_default == default,
                _ => name == list,
            };
            let field = op.fields.iter().find(|field| is_it(field.kind, field.name));
            field.map_or(Ok(()), |field| values::add(args, field, &value, files))?;
        }
    }
    Ok(idle)
}

fn add_member(members: &mut Vec<Member>, new: Member) -> bool {
    match members.iter_mut().find(|member| member.name() == new.name()) {
        Some(known) if known.default || !new.default => false,
        Some(known) => {
            known.default = true;
            true
        }
        None => {
            members.push(new);
            true
        }
    }
}

fn change(list: &mut Vec<String>, value: &str, adds: bool) -> bool {
    match adds {
        true if list.iter().any(|known| known == value) => false,
        true => {
            list.push(value.to_owned());
            true
        }
        false => remove(list, |known| known == value),
    }
}

fn remove<T>(list: &mut Vec<T>, is_it: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|one| !is_it(one));
    list.len() < before
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::cloudapi::{policies, roles};
    use crate::tasks::values::Folders;

    fn nowhere() -> Folders<'static> {
        Folders { folder: std::path::Path::new("."), home: None }
    }

    fn edit(field: &'static str, adds: bool, value: &str) -> Edit {
        Edit { field, adds, value: value.to_owned() }
    }

    fn sent(args: &Args, name: &str) -> Value {
        match args.get(name) {
            Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap(),
            _ => Value::Null,
        }
    }

    #[test]
    fn who_is_added_joins_those_that_are_there_and_who_is_removed_leaves_them() {
        let now = json!({ "name": "ops", "policies": [{ "id": "p", "name": "may" }], "members": [
            { "type": "subuser", "id": "u", "login": "ci", "default": true },
            { "type": "account", "id": "a", "login": "sam" },
        ]});
        let mut args = Args::new();
        let edits = [edit("members", true, "jill"), edit("members", true, "ci"), edit("members", false, "account:sam")];
        let idle = apply(&roles::UPDATE, &now, &edits, &mut args, &nowhere()).unwrap();
        assert_eq!(idle, ["has ci already"]);
        let members = json!([
            { "login": "ci", "type": "subuser", "default": true },
            { "login": "jill", "type": "subuser" },
        ]);
        assert_eq!((sent(&args, "members"), args.get("policies").is_none()), (members, true));
        let mut args = Args::new();
        let edits = [edit("default-members", true, "account:sam"), edit("policies", false, "may")];
        assert!(apply(&roles::UPDATE, &now, &edits, &mut args, &nowhere()).unwrap().is_empty());
        assert_eq!(sent(&args, "members")[1], json!({ "login": "sam", "type": "account", "default": true }));
        assert_eq!(sent(&args, "policies"), json!([]));
    }

    #[test]
    fn a_rule_is_added_to_the_others_and_read_first() {
        let now = json!({ "rules": ["CAN getkey", "CAN listkeys"] });
        let mut args = Args::new();
        let edits = [edit("rules", true, "CAN getuser"), edit("rules", false, "CAN getkey")];
        apply(&policies::UPDATE, &now, &edits, &mut args, &nowhere()).unwrap();
        assert_eq!(sent(&args, "rules"), json!(["CAN listkeys", "CAN getuser"]));
        let wrong = apply(&policies::UPDATE, &now, &[edit("rules", true, "MAY x")], &mut Args::new(), &nowhere());
        assert!(wrong.unwrap_err().to_string().contains("does not begin with CAN"));
    }
}
