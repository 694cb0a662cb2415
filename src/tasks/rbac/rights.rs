//! The caller's own rights that a plan takes away: its sub-user, the key that signs, the roles that it acts in. Pure.

use super::live::{Live, Role};
use super::plan::Plan;
use super::{Kind, Spec, Step};
use crate::tasks::plan::Action;

/// The caller of the service.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The sub-user's login.
    pub login: &'a str,
    /// The names of the roles that it takes on.
    pub roles: &'a [String],
    /// The MD5 fingerprint of the key that signs.
    pub key: &'a str,
}

/// The rights that the caller would lose, one sentence for each.
pub fn lost(caller: &Caller<'_>, live: &Live, plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .filter(|step| !matches!(step.action, Action::Create | Action::Adopt))
        .filter_map(|step| of(caller, live, step))
        .collect()
}

fn of(caller: &Caller<'_>, live: &Live, step: &Step) -> Option<String> {
    let login = caller.login;
    let acts_in = |role: &&Role| {
        caller.roles.contains(&role.name) || role.members.iter().any(|one| !one.account && one.login == login)
    };
    let deletes = step.action == Action::Delete;
    match step.kind {
        Kind::User if deletes && step.name == login => {
            Some(format!("{} is the sub-user as whom it is asked", step.title()))
        }
        Kind::Key
            if deletes && step.parent.as_ref().is_some_and(|(_, user)| user == login) && step.name == caller.key =>
        {
            Some(format!("{} is the key that signs", step.title()))
        }
        Kind::Role => {
            let role = live.roles.iter().filter(acts_in).find(|role| role.name == step.name)?;
            let stays = match &step.spec {
                Spec::Members(all) => all.iter().any(|one| !one.account && one.login == login),
                _ => true,
            };
            match (deletes, stays) {
                (false, false) => Some(format!("{}: this takes sub-user {login} out of it", step.title())),
                _ => Some(format!("{}: sub-user {login} acts in the role {}", step.title(), role.name)),
            }
        }
        Kind::Policy => {
            let role = live.roles.iter().filter(acts_in).find(|role| role.policies.contains(&step.name))?;
            Some(format!("{}: sub-user {login} acts in the role {}", step.title(), role.name))
        }
        Kind::User | Kind::Key => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::live::Member;
    use super::*;

    fn step(action: Action, kind: Kind, name: &str) -> Step {
        let parent = (kind == Kind::Key).then(|| (Kind::User, "sam".to_owned()));
        Step { parent, ..Step::new(action, kind, name, None, Spec::None) }
    }

    #[test]
    fn a_plan_says_what_it_takes_away_of_the_callers_own() {
        let role = |name: &str, member: &str, policy: &str| Role {
            id: String::new(),
            name: name.to_owned(),
            members: vec![Member::typed(member, false)],
            policies: vec![policy.to_owned()],
        };
        let live = Live {
            roles: vec![role("admins", "sam", "all"), role("others", "bob", "some"), role("taken", "bob", "more")],
            ..Live::default()
        };
        let caller = Caller { login: "sam", roles: &["taken".to_owned()], key: "aa:bb" };
        let lost = |step: Step| lost(&caller, &live, &Plan { steps: vec![step], ..Plan::default() });
        for (action, kind, name, told) in [
            (Action::Delete, Kind::User, "sam", "as whom it is asked"),
            (Action::Delete, Kind::Key, "aa:bb", "the key that signs"),
            (Action::Delete, Kind::Role, "admins", "acts in the role admins"),
            (Action::Change, Kind::Role, "taken", "acts in the role taken"),
            (Action::Delete, Kind::Policy, "all", "acts in the role admins"),
            (Action::Change, Kind::Policy, "more", "acts in the role taken"),
        ] {
            let told_of = lost(step(action, kind, name));
            assert!(told_of.len() == 1 && told_of[0].contains(told), "{name}: {told_of:?}");
        }
        let mut out = step(Action::Change, Kind::Role, "admins");
        out.spec = Spec::Members(vec![Member::typed("bob", false), Member::typed("account:sam", false)]);
        assert!(lost(out)[0].contains("out of it"));
        for (action, kind, name) in [
            (Action::Delete, Kind::User, "bob"),
            (Action::Change, Kind::User, "sam"),
            (Action::Delete, Kind::Key, "cc"),
            (Action::Delete, Kind::Role, "others"),
            (Action::Change, Kind::Policy, "some"),
            (Action::Create, Kind::Role, "admins"),
        ] {
            assert!(lost(step(action, kind, name)).is_empty(), "{name}");
        }
    }
}
