//! One operation of an API: method, path, parameters, answer, end. Data only.

use std::time::Duration;

use super::{Column, Field, Goal, Noun};

/// HTTP method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As written on the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        }
    }
}

/// What a successful answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No body (202, 204).
    Nothing,
    /// One object.
    Record,
    /// An array of objects.
    Rows,
    /// One object whose keys are data: tags, metadata, data centers.
    Map,
}

/// How a list is cut into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// Everything at once.
    None,
    /// `limit` and `offset`; a page shorter than this limit is the last.
    Offset(usize),
    /// `limit` and `offset` count what the server then thins out, so that only an empty page is the last.
    Sparse(usize),
    /// `limit` and `marker`, which tells the last row of the page before. A page shorter than this limit is the last.
    Marker(usize, Mark),
}

/// How a marker tells a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A JSON object with this field of the row.
    Object(&'static str),
    /// The text of this field. The row itself is sent again.
    Text(&'static str),
}

/// Another state in which an operation ends, for the sake of what it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Otherwise {
    /// The field of the request.
    pub field: &'static str,
    /// Its value, as text.
    pub value: &'static str,
    /// The state in which it ends then.
    pub state: &'static str,
}

/// One operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// The API's own name of it, such as `ListMachines`.
    pub id: &'static str,
    /// The command's verb, words separated by a space: `list`, `tags list`.
    pub verb: &'static str,
    /// Method on the wire.
    pub method: Method,
    /// Path, with parameters as `:machine`; `:login` is the account.
    pub path: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// More help: what is surprising about it. Commands stand between backticks, without the program's name.
    pub long: &'static str,
    /// Commands that use it, one a line, without the program's name. They run on the emulator's demo.
    pub examples: &'static str,
    /// The names that stay when a map is replaced, and with a dot at the end how such names begin; with a colon, how those
    /// begin that the service computes whenever they are read.
    pub keeps: &'static [&'static str],
    /// Query parameters with a fixed value, such as the action.
    pub fixed: &'static [(&'static str, &'static str)],
    /// Parameters beside those of the path.
    pub fields: &'static [Field],
    /// What comes back.
    pub shape: Shape,
    /// How the list is cut.
    pub paging: Paging,
    /// When it has come to its end, if it goes on after the answer; and whose GET shows it.
    pub goal: Option<(Goal, &'static Noun)>,
    /// Columns of its answer where they differ from those of its noun.
    pub columns: &'static [Column],
    /// Whether the request is signed at all.
    pub signed: bool,
    /// The answer is the `Location` of a redirect, which is told and never followed.
    pub redirect: bool,
    /// What the machine's audit log calls the job that this starts, by which a failure is seen.
    pub job: Option<&'static str>,
    /// The answer names a job, which does the work: `job_uuid`. A wait watches it beside the object.
    pub starts_job: bool,
    /// What the parameters of that job call its task, where that is another word than the action.
    pub task: &'static str,
    /// A field whose value, where it is this one, lets it end in another state.
    pub otherwise: Option<Otherwise>,
    /// What is sent is added to a list, and the whole of that is answered.
    pub adds: bool,
    /// Fields that what was made shows as they were sent, once it is made, by their names there and here; one that ends
    /// in a dot stands for all that begin so.
    pub shown_again: &'static [(&'static str, &'static str)],
    /// Whether `as-role` may be added to the query. Some routes would take it for a tag, others refuse it.
    pub roles: bool,
    /// The fields may be typed as `NAME=VALUE` too, and at least one must be given.
    pub assigns: bool,
    /// Destroys or cuts off something although it is no DELETE: it is asked about first.
    pub asks: bool,
    /// The object that is answered may have nothing in it.
    pub maybe_empty: bool,
    /// A redirect to the thing says that there is one already.
    pub found_by_redirect: bool,
    /// What it makes, if it makes something.
    pub makes: Option<&'static Noun>,
    /// The record of its goal's noun that it answers is a new one.
    pub begins: bool,
    /// What is sent is told to what carries it out, and is no field of the thing that is answered.
    pub tells: bool,
    /// The record that it answers has this field with this value.
    pub shows: Option<(&'static str, &'static str)>,
    /// Is about what others own, too.
    pub others: bool,
    /// Interrupts or opens up what it is done to: on a terminal it is asked about where there are several.
    pub asks_many: bool,
    /// May take away the caller's own rights: it is asked about where it does.
    pub locks_out: bool,
    /// The service refuses it while something else is done to the target, so that it is worth trying again.
    pub refused_while_busy: bool,
    /// How many targets a command of it takes.
    pub targets: Takes,
    /// Gives its target another name, of which no two can have the same.
    pub renames: bool,
    /// How long the answer may take, where the service first does what it is asked for: no time-out of other requests
    /// counts then.
    pub answer_limit: Option<Duration>,
    /// Fields of which the service wants at least one.
    pub one_of: &'static [&'static str],
    /// Lists and objects that it replaces as a whole, so that something may be lost.
    pub replaces: &'static [&'static str],
}

/// How many targets a command takes, and how it works on several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One.
    One,
    /// Any number, side by side.
    Each,
    /// Any number, one after another: they are parts of one thing, and each changes it.
    InTurn,
    /// One, or all that a glob fits: the words behind it are about something else.
    Matching,
}

impl Op {
    const fn new(
        id: &'static str,
        verb: &'static str,
        method: Method,
        path: &'static str,
        shape: Shape,
        about: &'static str,
    ) -> Op {
        Op {
            id,
            verb,
            method,
            path,
            about,
            long: "",
            examples: "",
            keeps: &[],
            fixed: &[],
            fields: &[],
            shape,
            paging: Paging::None,
            goal: None,
            columns: &[],
            signed: true,
            redirect: false,
            job: None,
            starts_job: false,
            task: "",
            otherwise: None,
            shown_again: &[],
            adds: false,
            roles: true,
            assigns: false,
            asks: matches!(method, Method::Delete),
            maybe_empty: false,
            found_by_redirect: false,
            makes: None,
            begins: false,
            tells: false,
            shows: None,
            others: matches!(method, Method::Get),
            asks_many: false,
            locks_out: false,
            refused_while_busy: false,
            targets: Takes::One,
            renames: false,
            answer_limit: None,
            one_of: &[],
            replaces: &[],
        }
    }
    /// A GET that answers an array.
    pub const fn list(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Get, path, Shape::Rows, about)
    }
    /// A GET that answers one object.
    pub const fn get(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Get, path, Shape::Record, about)
    }
    /// A GET that answers an object whose keys are data.
    pub const fn map(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Get, path, Shape::Map, about)
    }
    /// A POST that answers the object made.
    pub const fn create(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Post, path, Shape::Record, about)
    }
    /// A POST with an `action` and no answer.
    pub const fn action(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Post, path, Shape::Nothing, about)
    }
    /// A POST that changes an object and answers it.
    pub const fn update(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Post, path, Shape::Record, about)
    }
    /// A PUT that changes an object and answers it.
    pub const fn put(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Put, path, Shape::Record, about)
    }
    /// Replaces these fields as a whole.
    pub const fn replaces(mut self, fields: &'static [&'static str]) -> Self {
        self.replaces = fields;
        self
    }
    /// A DELETE.
    pub const fn delete(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Delete, path, Shape::Nothing, about)
    }
    /// Adds help.
    pub const fn long(mut self, long: &'static str) -> Self {
        self.long = long;
        self
    }
    /// Shows how it is typed: a command a line.
    pub const fn examples(mut self, examples: &'static str) -> Self {
        self.examples = examples;
        self
    }
    /// Says which names stay in a map that is replaced.
    pub const fn keeps(mut self, keeps: &'static [&'static str]) -> Self {
        self.keeps = keeps;
        self
    }
    /// Sets the fixed query parameters.
    pub const fn fixed(mut self, fixed: &'static [(&'static str, &'static str)]) -> Self {
        self.fixed = fixed;
        self
    }
    /// Sets the parameters.
    pub const fn fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }
    /// Pages by limit and offset.
    pub const fn pages(mut self, limit: usize) -> Self {
        self.paging = Paging::Offset(limit);
        self
    }
    /// Pages by limit and offset, of which the server leaves rows out.
    pub const fn sparse_pages(mut self, limit: usize) -> Self {
        self.paging = Paging::Sparse(limit);
        self
    }
    /// Starts a job that the audit log calls so.
    pub const fn job(mut self, action: &'static str) -> Self {
        self.job = Some(action);
        self
    }
    /// Answers with a job that does the work.
    pub const fn starts_job(mut self) -> Self {
        self.starts_job = true;
        self.shape = Shape::Record;
        self
    }
    /// Starts a job that the service calls so.
    pub const fn task(mut self, task: &'static str) -> Self {
        self.task = task;
        self
    }
    /// Ends in another state where this field has this value.
    pub const fn ends_otherwise(mut self, field: &'static str, value: &'static str, state: &'static str) -> Self {
        self.otherwise = Some(Otherwise { field, value, state });
        self
    }
    /// Adds what is sent to a list, and answers all of it.
    pub const fn adds(mut self) -> Self {
        self.adds = true;
        self
    }
    /// Makes what shows these fields as they were sent.
    pub const fn shows_again(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.shown_again = fields;
        self
    }
    /// Pages by a marker.
    pub const fn marker_pages(mut self, limit: usize, mark: Mark) -> Self {
        self.paging = Paging::Marker(limit, mark);
        self
    }
    /// Takes no `as-role`.
    pub const fn without_roles(mut self) -> Self {
        self.roles = false;
        self
    }
    /// Takes its fields as `NAME=VALUE` too, and wants at least one.
    pub const fn assigns(mut self) -> Self {
        self.assigns = true;
        self
    }
    /// Is asked about first.
    pub const fn asks(mut self) -> Self {
        self.asks = true;
        self
    }
    /// Is about what others own.
    pub const fn of_others(mut self) -> Self {
        self.others = true;
        self
    }
    /// Is asked about on a terminal where there are several.
    pub const fn asks_many(mut self) -> Self {
        self.asks_many = true;
        self
    }
    /// Takes several targets, and works on them side by side.
    pub const fn each(mut self) -> Self {
        self.targets = Takes::Each;
        self
    }
    /// Takes several parts of one thing, and works on them one after another.
    pub const fn in_turn(mut self) -> Self {
        self.targets = Takes::InTurn;
        self
    }
    /// Takes a glob for its target.
    pub const fn matching(mut self) -> Self {
        self.targets = Takes::Matching;
        self
    }
    /// Gives its target another name.
    pub const fn renames(mut self) -> Self {
        self.renames = true;
        self
    }
    /// Is answered only when it is done, which may take this long.
    pub const fn answers_within(mut self, limit: Duration) -> Self {
        self.answer_limit = Some(limit);
        self
    }
    /// Wants at least one of these fields.
    pub const fn one_of(mut self, fields: &'static [&'static str]) -> Self {
        self.one_of = fields;
        self
    }
    /// Is refused while something else is done to the target.
    pub const fn refused_while_busy(mut self) -> Self {
        self.refused_while_busy = true;
        self
    }
    /// Is asked about where it takes away the caller's own rights.
    pub const fn locks_out(mut self) -> Self {
        self.locks_out = true;
        self
    }
    /// Answers an object whose keys are data.
    pub const fn answers_map(mut self) -> Self {
        self.shape = Shape::Map;
        self
    }
    /// Answers nothing.
    pub const fn answers_nothing(mut self) -> Self {
        self.shape = Shape::Nothing;
        self
    }
    /// Goes on after the answer, until the object of this noun shows this.
    pub const fn until(mut self, goal: Goal, noun: &'static Noun) -> Self {
        self.goal = Some((goal, noun));
        self
    }
    /// Has columns of its own.
    pub const fn columns(mut self, columns: &'static [Column]) -> Self {
        self.columns = columns;
        self
    }
    /// Is sent without a signature.
    pub const fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }
    /// Answers with a redirect.
    pub const fn redirects(mut self) -> Self {
        self.redirect = true;
        self
    }

    /// May answer an object with nothing in it.
    pub const fn maybe_empty(mut self) -> Self {
        self.maybe_empty = true;
        self
    }
    /// Answers with a redirect to the thing if there is one already.
    pub const fn found_by_redirect(mut self) -> Self {
        self.found_by_redirect = true;
        self
    }
    /// Makes a new one of this noun.
    pub const fn making(mut self, noun: &'static Noun) -> Self {
        self.makes = Some(noun);
        self
    }
    /// Begins what is known by the thing it is done to, and answers the new record of it.
    pub const fn begins(mut self) -> Self {
        self.begins = true;
        self
    }

    /// Tells something to what carries it out: none of it is a field of the thing that is answered.
    pub const fn tells(mut self) -> Self {
        self.tells = true;
        self
    }

    /// Answers a record that has this field with this value.
    pub const fn shows(mut self, field: &'static str, value: &'static str) -> Self {
        self.shows = Some((field, value));
        self
    }

    /// What it makes, if it makes something.
    pub fn makes(&self) -> Option<&'static Noun> {
        self.makes
    }
    /// The states that can be waited for when this is done. What was there before may have been in any of them, and one
    /// that ends the wait cannot be its end.
    pub fn waited_states(&self) -> Vec<&'static str> {
        match &self.goal {
            Some((Goal::State(_), noun)) if self.path_params().all(|param| param != noun.name) => {
                noun.states.iter().copied().filter(|state| !noun.failed.contains(state)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the parameters of the job that it starts call the task: the action, but for those that another one does.
    pub fn job_task(&self) -> Option<&'static str> {
        let action = || self.fixed.iter().find(|(name, _)| *name == "action").map(|(_, action)| *action);
        Some(self.task).filter(|task| !task.is_empty()).or_else(action).filter(|_| self.starts_job)
    }

    /// Whether it lists things, by filters.
    pub fn is_list(&self) -> bool {
        self.method == Method::Get && self.shape == Shape::Rows
    }

    /// Whether its answer tells people nothing: that something was begun is said in words.
    pub fn is_silent(&self) -> bool {
        self.starts_job || self.shape == Shape::Nothing
    }

    /// Whether a command of it takes several targets.
    pub fn takes_several(&self) -> bool {
        matches!(self.targets, Takes::Each | Takes::InTurn)
    }

    /// Whether a glob may stand for its targets.
    pub fn takes_globs(&self) -> bool {
        self.targets != Takes::One
    }
    /// Whether a name stays when a map is replaced.
    pub fn keeps_name(&self, name: &str) -> bool {
        self.keeps.iter().any(|kept| *kept == name || kept.ends_with('.') && name.starts_with(kept))
            || self.computes_name(name)
    }
    /// Whether the service computes what has this name in a map, whatever is sent.
    pub fn computes_name(&self, name: &str) -> bool {
        self.keeps.iter().any(|kept| kept.ends_with(':') && name.starts_with(kept))
    }
    /// Whether it may be carried out twice, since it only says how things are to be.
    pub fn is_repeatable(&self) -> bool {
        let says = matches!(self.goal, Some((Goal::Holds | Goal::Is(..), _)));
        !matches!(self.method, Method::Post) || self.assigns && self.makes.is_none() || says
    }
    /// The names of the path's parameters, without `:login`.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix(':')).filter(|name| *name != "login")
    }
}
