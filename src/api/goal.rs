//! How to tell that the work of an operation is over. Data only; `client` waits for it.

/// How to tell that an asynchronous operation has come to its end: what the object's own GET or its log shows.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The object's `state` is this one.
    State(&'static str),
    /// The migration is in one of these phases, and in this state there. Its field `of` names what is migrated.
    Step {
        /// The field that says whose migration it is.
        of: &'static str,
        /// The phase that ends so, and those that may follow on it.
        phases: &'static [&'static str],
        /// The state in which it ends.
        state: &'static str,
    },
    /// The object is gone (404, or 410).
    Gone,
    /// The noun's log has a newer entry of this action.
    Audit(&'static str),
    /// The same, and the object's `state` is this one: it may have been so before.
    AuditThen(&'static str, &'static str),
    /// The job that the answer names has ended well. The object need not show it.
    Job,
    /// The object's field has the value of the request's field of the same name.
    Field(&'static str),
    /// The object's field has this value.
    Is(&'static str, &'static str),
    /// The noun's list has one that was not there before, and it is no longer being made.
    Appears,
    /// The object has every pair that was sent.
    Holds,
    /// The object has no key of the name that is the path's last parameter.
    Lacks,
    /// The object has no key but these.
    Empty(&'static [&'static str]),
}
