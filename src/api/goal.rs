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
    /// The same, and the object shows what was asked for: a job may succeed and have done nothing.
    Shows(Shown),
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

/// What an object shows of a change whose job has ended well.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// The fields of the body that were sent, which the object calls so.
    Fields(&'static Names),
    /// These fields have these values.
    Is(&'static [(&'static str, &'static str)]),
    /// The pairs that were sent are in this object.
    Pairs(&'static str),
    /// They are, and nothing else is.
    OnlyPairs(&'static str),
    /// The name that is the path's last parameter is not in this object.
    NoPair(&'static str),
    /// Nothing is in this object.
    NoPairs(&'static str),
    /// Parts in a list of it.
    Parts(Parts),
}

/// How an object shows the fields of a request.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// Those that it calls otherwise, by their names in the request.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Those that say how it is done, that it need not show, or that a service writes in its own way.
    pub unshown: &'static [&'static str],
    /// Those that it always shows: of another one that is not there nothing is known.
    pub always: &'static [&'static str],
    /// Those that the service settles itself, where the object has something as the other one.
    pub settled: &'static [(&'static str, &'static str)],
}

/// Parts of an object, and what was asked for of them.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// The list in which they are.
    pub list: &'static str,
    /// What one is called in messages.
    pub word: &'static str,
    /// What tells one from another.
    pub key: &'static str,
    /// The field of the request that names them so, one or several.
    pub by: &'static str,
    /// What was asked for.
    pub end: PartsEnd,
}

/// What becomes of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsEnd {
    /// They are there, and were not before: one, or as many as this field has elements.
    Made(&'static str),
    /// They are there no longer.
    Gone,
    /// They have the value of this field of the request.
    Has(&'static str),
    /// They have the fields of the elements that name them; these are shown wherever they are on.
    Like(&'static [&'static str]),
}
