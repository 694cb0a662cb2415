//! What a path's parameter stands for, and how one of them is found: pure data.

use super::Op;

/// What an id looks like, for which nobody needs to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// A UUID; its first part will do as well.
    Uuid,
    /// A whole number.
    Number,
    /// Whatever is typed: the server itself finds it.
    Any,
    /// A name or an MD5 fingerprint; a SHA256 one must be looked up.
    Key,
    /// A hardware address, which travels without its colons.
    Mac,
}

/// How a thing is named by people, and where a name is looked up: one row a path parameter.
#[derive(Debug)]
pub struct Noun {
    /// The path parameter, `machine` for `:machine`.
    pub name: &'static str,
    /// The word for it in messages.
    pub word: &'static str,
    /// What may be typed for one, in words.
    pub called: &'static str,
    /// What shows one of them by its id.
    pub get: &'static Op,
    /// The list to look in.
    pub list: &'static Op,
    /// The field that holds what the path wants.
    pub key: &'static str,
    /// What that looks like.
    pub ids: Ids,
    /// The field with its state.
    pub state_field: &'static str,
    /// States that nothing good comes after.
    pub failed: &'static [&'static str],
    /// States in which it is gone, although the service still shows it.
    pub gone: &'static [&'static str],
    /// States in which it stays while nothing is done to it.
    pub rests: &'static [&'static str],
    /// The list of what was done to it or to what it is a part of: rows with `action`, `success` (yes or no) and
    /// `time`, newest first. A wait reads there whether a job has ended.
    pub log: Option<&'static Op>,
    /// What shows a job that an operation on one has started, and what lists those on it: where answers name jobs.
    pub jobs: Option<Jobs>,
    /// The query by which the list leaves out what is gone; a list without one does so by itself, or keeps nothing.
    pub usual: Option<Usual>,
    /// States that it can be in; none where it has no state. The one in which it can be used comes first.
    pub states: &'static [&'static str],
    /// The list's server-side name filter, which may match by prefix.
    pub filter: Option<&'static str>,
    /// The field that holds the name.
    pub name_field: &'static str,
    /// The field that tells things of one name apart: `name@VERSION`, the newest one wins.
    pub version_field: Option<&'static str>,
    /// The field by which the newest of one name is told.
    pub newest_by: Option<&'static str>,
    /// By what several of them can be picked, beside their names.
    pub picks: &'static [Pick],
    /// Characters of a name with which the service does not find it, or finds another one.
    pub barred: &'static str,
    /// By what the list tells those of the account from those of others, if it has both.
    pub owner: Option<Owner>,
    /// The fields that tell whose one is and whether it is everybody's: another account may show its own ones to this
    /// account, under names of its choice.
    pub shared: Option<(&'static str, &'static str)>,
    /// What tells whether one is used.
    pub users: Option<Users>,
    /// What the list is asked for where a field refers to one: of things that are no longer used none is meant.
    pub referred: &'static [(&'static str, Referred)],
    /// Another sort of thing that may stand in its place where a field refers to one, such as a pool for a network. One
    /// name for both is nobody's.
    pub beside: Option<&'static Noun>,
    /// What one of them belongs to, and the field with its id: where there is but one, its name will do as well.
    pub on: Option<(&'static Noun, &'static str)>,
}

/// How a list leaves out what is gone.
#[derive(Clone, Copy, Debug)]
pub struct Usual {
    /// The query parameter.
    pub name: &'static str,
    /// Its value.
    pub value: &'static str,
    /// The parameters beside which it is not sent: they say themselves what is listed.
    pub unless: &'static [&'static str],
    /// The states that are left out by it.
    pub without: &'static [&'static str],
}

/// Where the jobs of a noun's operations are asked for. One has an `execution`, and `chain_results` with the `name`,
/// `result` and `error` of each step.
#[derive(Clone, Copy, Debug)]
pub struct Jobs {
    /// Shows one.
    pub get: &'static Op,
    /// Lists those on one thing, whose id is its last parameter.
    pub of_one: &'static Op,
    /// The field in which the answer that names a job names the thing.
    pub thing: &'static str,
}

/// A value of a query by which the list is kept to what a field may refer to.
#[derive(Clone, Copy, Debug)]
pub enum Referred {
    /// This one.
    Value(&'static str),
    /// That of this field of the operation, once it is an id.
    Field(&'static str),
}

/// What tells whether anything of the account uses a thing.
#[derive(Clone, Copy, Debug)]
pub enum Users {
    /// The rows of this list have its id or name in this field, alone or among others.
    Rows(&'static Op, &'static str),
    /// Its own field has its users.
    Field(&'static str),
}

/// What tells in a list of things whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The account's id is in this field.
    Account(&'static str),
    /// Those of the operator have `true` in this field.
    Operator(&'static str),
}

/// What things can be picked by, as far as their list shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Their tags, in the field `tags`.
    Tags,
    /// Their field `state`; with the query by which the list leaves none of them out.
    State(&'static str, &'static str),
    /// Their age, by the field that says when they were made.
    Age(&'static str),
}

impl Noun {
    /// A thing with a UUID and a name, which is looked up in a list.
    pub const fn new(name: &'static str, get: &'static Op, list: &'static Op) -> Noun {
        Noun {
            name,
            word: name,
            called: "id, short id or name",
            get,
            list,
            key: "id",
            ids: Ids::Uuid,
            state_field: "state",
            failed: &[],
            gone: &["deleted"],
            rests: &[],
            log: None,
            jobs: None,
            usual: None,
            states: &[],
            filter: None,
            name_field: "name",
            version_field: None,
            newest_by: None,
            picks: &[],
            barred: "",
            owner: None,
            shared: None,
            users: None,
            referred: &[],
            beside: None,
            on: None,
        }
    }
    /// Is listed so where a field refers to one.
    pub const fn referred(mut self, queries: &'static [(&'static str, Referred)]) -> Self {
        self.referred = queries;
        self
    }
    /// Shares the fields that refer to one with another noun.
    pub const fn beside(mut self, other: &'static Noun) -> Self {
        self.beside = Some(other);
        self
    }
    /// Is called otherwise than the path's parameter.
    pub const fn word(mut self, word: &'static str) -> Self {
        self.word = word;
        self
    }
    /// Has ids of this sort in this field, and is called so in the help.
    pub const fn ids(mut self, ids: Ids, key: &'static str, called: &'static str) -> Self {
        self.ids = ids;
        self.key = key;
        self.called = called;
        self
    }
    /// Has its name in this field.
    pub const fn named(mut self, field: &'static str) -> Self {
        self.name_field = field;
        self
    }
    /// The query by which the list leaves none of them out, whatever their state.
    pub fn whole(&self) -> Option<(&'static str, &'static str)> {
        self.picks.iter().find_map(|pick| match pick {
            Pick::State(name, value) => Some((*name, *value)),
            _ => None,
        })
    }
    /// Cannot be asked for by a name with one of these characters.
    pub const fn barred(mut self, characters: &'static str) -> Self {
        self.barred = characters;
        self
    }
    /// Whether one of this name can be asked for by itself, as the last part of a path.
    pub fn travels(&self, name: &str) -> bool {
        !matches!(name, "." | "..") && !name.contains(|letter| self.barred.contains(letter))
    }
    /// Whether names may have braces, as those have that people give to keys; those of all else are kept to letters,
    /// digits and a few signs.
    pub fn has_braces(&self) -> bool {
        matches!(self.ids, Ids::Any | Ids::Key)
    }
    /// Has its state in this field.
    pub const fn stated(mut self, field: &'static str) -> Self {
        self.state_field = field;
        self
    }
    /// May end in these states.
    pub const fn fails(mut self, states: &'static [&'static str]) -> Self {
        self.failed = states;
        self
    }
    /// Is gone in these states.
    pub const fn gone(mut self, states: &'static [&'static str]) -> Self {
        self.gone = states;
        self
    }
    /// Stays in these states while nothing is done to it.
    pub const fn rests(mut self, states: &'static [&'static str]) -> Self {
        self.rests = states;
        self
    }
    /// Has this log of what was done to it.
    pub const fn log(mut self, log: &'static Op) -> Self {
        self.log = Some(log);
        self
    }
    /// Has operations that start such jobs.
    pub const fn jobs(mut self, jobs: Jobs) -> Self {
        self.jobs = Some(jobs);
        self
    }
    /// Is listed with what is gone, but for this query.
    pub const fn usually(mut self, usual: Usual) -> Self {
        self.usual = Some(usual);
        self
    }
    /// The parameter by which its log is asked for: its own, or that of what it is a part of.
    pub fn logged_by(&self) -> Option<&'static str> {
        self.log?.path_params().last()
    }
    /// Can be in these states, the good one first.
    pub const fn states(mut self, states: &'static [&'static str]) -> Self {
        self.states = states;
        self
    }
    /// Has versions, of which the newest is told by its number or by this field.
    pub const fn versions(mut self, newest_by: Option<&'static str>) -> Self {
        self.version_field = Some("version");
        self.newest_by = newest_by;
        self.called = "id, short id, name, or name@version";
        self
    }
    /// Can be filtered by name on the server.
    pub const fn filter(mut self, filter: &'static str) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Is listed together with what others own.
    pub const fn owned(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }
    /// May be shown by another account: the fields that tell whose one is and whether it is everybody's.
    pub const fn shared(mut self, owner: &'static str, public: &'static str) -> Self {
        self.shared = Some((owner, public));
        self
    }
    /// Is used by what this tells.
    pub const fn used_by(mut self, users: Users) -> Self {
        self.users = Some(users);
        self
    }
    /// Belongs to one of these, whose id is in this field.
    pub const fn on(mut self, noun: &'static Noun, field: &'static str) -> Self {
        self.on = Some((noun, field));
        self
    }
    /// By what several of them can be picked.
    #[must_use]
    pub const fn picked_by(mut self, picks: &'static [Pick]) -> Self {
        self.picks = picks;
        self
    }
}
