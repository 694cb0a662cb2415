//! The table: every operation of CloudAPI as data. Commands, help, dry run, library calls and the
//! reference pages are read from it. Nothing here does anything, and it uses nothing else of ours.
//!
//! To add an endpoint: write one [`Op`] in its noun's file and name it in that file's [`Resource`].

pub mod cloudapi;
mod columns;
mod noun;
mod test;

pub use columns::{Column, Level, Show, column};
pub use noun::{Ids, Noun, Owner, Pick};
pub use test::{State, Test, state};

/// Every noun, in the order of the help.
pub const RESOURCES: &[&Resource] = &[
    &crate::api::cloudapi::machines::MACHINES,
    &crate::api::cloudapi::images::IMAGES,
    &crate::api::cloudapi::packages::PACKAGES,
    &crate::api::cloudapi::networks::NETWORKS,
    &crate::api::cloudapi::fabrics::FABRICS,
    &crate::api::cloudapi::fwrules::FWRULES,
    &crate::api::cloudapi::volumes::VOLUMES,
    &crate::api::cloudapi::account::ACCOUNT,
    &crate::api::cloudapi::keys::KEYS,
    &crate::api::cloudapi::accesskeys::ACCESSKEYS,
    &crate::api::cloudapi::users::USERS,
    &crate::api::cloudapi::roles::ROLES,
    &crate::api::cloudapi::policies::POLICIES,
    &crate::api::cloudapi::config::CONFIG,
    &crate::api::cloudapi::datacenters::DATACENTERS,
    &crate::api::cloudapi::services::SERVICES,
    &crate::api::cloudapi::ping::PING,
];

/// How each path parameter is named by people: one row a parameter.
pub const NOUNS: &[&Noun] = &[
    &crate::api::cloudapi::machines::MACHINE,
    &crate::api::cloudapi::images::IMAGE,
    &crate::api::cloudapi::packages::PACKAGE,
    &crate::api::cloudapi::networks::NETWORK,
    &crate::api::cloudapi::networks::IP,
    &crate::api::cloudapi::fabrics::VLAN,
    &crate::api::cloudapi::fabrics::FABRIC_NETWORK,
    &crate::api::cloudapi::fwrules::FWRULE,
    &crate::api::cloudapi::volumes::VOLUME,
    &crate::api::cloudapi::keys::KEY,
    &crate::api::cloudapi::accesskeys::ACCESSKEY,
    &crate::api::cloudapi::users::USER,
    &crate::api::cloudapi::user_keys::USER_KEY,
    &crate::api::cloudapi::user_keys::USER_ACCESSKEY,
    &crate::api::cloudapi::roles::ROLE,
    &crate::api::cloudapi::policies::POLICY,
    &crate::api::cloudapi::snapshots::SNAPSHOT,
    &crate::api::cloudapi::disks::DISK,
    &crate::api::cloudapi::nics::NIC,
    &crate::api::cloudapi::tags::TAG,
    &crate::api::cloudapi::metadata::METADATA_KEY,
    &crate::api::cloudapi::datacenters::DATACENTER,
];

/// The row of a path parameter.
pub fn noun(param: &str) -> Option<&'static Noun> {
    NOUNS.iter().copied().find(|noun| noun.name == param)
}

/// The operations that a request is one of, by its method and its path without the query.
pub fn operations(method: &str, path: &str) -> impl Iterator<Item = &'static Op> {
    let parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    let method = method.to_owned();
    RESOURCES.iter().flat_map(|resource| resource.ops.iter().copied()).filter(move |op| {
        let known: Vec<&str> = op.path.split('/').collect();
        let same = |(known, part): (&&str, &String)| known.starts_with(':') && !part.is_empty() || *known == part;
        op.method.as_str() == method && known.len() == parts.len() && known.iter().zip(&parts).all(same)
    })
}

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

/// Where a field travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the query string.
    Query,
    /// In the JSON body.
    Body,
    /// In a header of this name.
    Header,
}

/// What a field holds, and so how its text is checked and sent.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
    /// A UUID of something that cannot be looked up here.
    Uuid,
    /// The same, and the empty one clears the field.
    Clearable,
    /// An array of texts: the option may be repeated.
    Texts,
    /// The same of words without a comma: the option may be repeated, or hold several between commas.
    Words,
    /// The same of these words only.
    SomeOf(&'static [&'static str]),
    /// A whole number, sent as such.
    Integer,
    /// An amount of MiB; `4G` is understood on the command line.
    Mebibytes,
    /// Present with this value, or absent. The server takes any value, `false` included, for yes:
    /// so absent is the only no.
    Flag(&'static str),
    /// `true` or `false`.
    Bool,
    /// One of these words. The server may know more, so it is checked only where a wrong one
    /// would be refused anyhow.
    OneOf(&'static [&'static str]),
    /// The id of a thing; a name is looked up in the list of this noun.
    Ref(&'static Noun),
    /// An array of such ids: the option may be repeated, or hold several between commas.
    Refs(&'static Noun),
    /// Any number of `NAME=VALUE` (text) or `NAME:=JSON` (typed), sent as flat keys with this prefix.
    Pairs(&'static str),
    /// Any number of `NAME=@FILE`: the same, with a file's contents for the value.
    PairFiles(&'static str),
    /// The same without a prefix: the names are the keys of the body. Those listed here (`*` stands for
    /// anything) would redirect the request or be dropped, and are refused.
    Flat(&'static [&'static str]),
    /// The same of tags: those of the platform must have their type.
    Tags(&'static [&'static str]),
    /// `NAME=@FILE` of flat names.
    FlatFiles(&'static [&'static str]),
    /// Any number of `NAME=VALUE` or `NAME:=JSON`, sent as one object.
    Object,
    /// Any JSON.
    Json,
    /// Placement rules, an array of texts: their grammar is checked before anything is sent.
    Affinity,
    /// A firewall rule, checked likewise.
    FirewallRule,
    /// Rules of a policy, an array of texts, checked likewise.
    PolicyRules,
    /// A network, with an address if one is wanted: `NAME` or `network=NAME,ip=ADDRESS`.
    Nic,
    /// An array of such, under the name `networks`.
    Nics,
    /// An array of `VOLUME:/MOUNTPOINT[:ro]`.
    Mounts,
    /// An array of disks: `SIZE`, `remaining`, `size=SIZE,block_size=BYTES`, or JSON.
    Disks,
    /// MiB, or `remaining`.
    DiskSize,
    /// Members of a role, an array under the name `members`: logins of sub-users, or `account:LOGIN`; those of
    /// a field with `true` are active by default.
    Members(bool),
    /// An array of objects that hold a name each.
    Named,
    /// What nobody may see: the contents of a file without its line's end, or what is typed at a prompt.
    Secret,
    /// Not typed at all: the value of that other field.
    Same(&'static str),
    /// The contents of files, an array of texts.
    Files,
    /// The contents of a file, `-` for standard input.
    File,
    /// The same, and it must be one OpenSSH public key: a private one must never leave the machine.
    PublicKeyFile,
}

/// One parameter of an operation that is not part of its path.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// The option's long name; the wire name in kebab-case unless set.
    pub flag: Option<&'static str>,
    /// A positional argument rather than an option.
    pub positional: bool,
    /// One-letter option.
    pub short: Option<char>,
    /// Query or body.
    pub place: Place,
    /// What it holds.
    pub kind: Kind,
    /// The help: units, default, allowed values.
    pub about: &'static str,
    /// The server refuses the request without it.
    pub required: bool,
    /// What is sent when nothing is given, as JSON.
    pub default: Option<&'static str>,
    /// Something is lost by it: it is asked about first.
    pub asks: bool,
    /// What a row of the list shows of it, if it is a filter.
    pub test: Test,
}

/// A query parameter.
pub const fn query(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        flag: None,
        positional: false,
        short: None,
        place: Place::Query,
        kind,
        about,
        required: false,
        default: None,
        asks: false,
        test: Test::Nothing,
    }
}

/// What `--limit` says of itself.
const LIMIT: &str =
    "At most this many in all; everything if not given. With -s the whole list is read and sorted first";

/// The roles that a new thing is tagged with: a header that every create knows.
pub const ROLE_TAG: Field = Field {
    place: Place::Header,
    ..query("role-tag", Kind::Words, "Tag it with this role; several between commas. Unknown ones are ignored")
};

/// A key of the JSON body.
pub const fn body(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { place: Place::Body, ..query(name, kind, about) }
}

impl Field {
    /// The option is called otherwise than the parameter.
    pub const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }
    /// Is a filter, which a row shows so.
    pub const fn test(mut self, test: Test) -> Self {
        self.test = test;
        self
    }
    /// Is asked about first.
    pub const fn asks(mut self) -> Self {
        self.asks = true;
        self
    }
    /// Has a one-letter option too.
    pub const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }
    /// The server refuses the request without it.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// Sent when nothing is given, as JSON.
    pub const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }
    /// Typed without an option name, after the path's own arguments.
    pub const fn positional(mut self) -> Self {
        self.positional = true;
        self.required = true;
        self
    }
    /// May be left out although it is a positional argument.
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
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
}

/// How to tell that an asynchronous operation has come to its end: what the object's own GET shows.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The object's `state` is this one.
    State(&'static str),
    /// The object is gone (404, or 410).
    Gone,
    /// The audit log has a newer entry of this action.
    Audit(&'static str),
    /// The same, and the object's `state` is this one: it may have been so before.
    AuditThen(&'static str, &'static str),
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

/// One operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// The API's own name of it, such as `ListMachines`.
    pub id: &'static str,
    /// The command's verb, words separated by a space: `list`, `tags list`.
    pub verb: &'static str,
    /// Method on the wire.
    pub method: Method,
    /// Path, with parameters as `:machine`; the first one is always `:login`.
    pub path: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// More help: what is surprising about it.
    pub long: &'static str,
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
    /// What it makes, where that is not what its path lists.
    pub makes: Option<&'static Noun>,
    /// Is about what others own, too.
    pub others: bool,
    /// Interrupts or opens up what it is done to: on a terminal it is asked about where there are several.
    pub asks_many: bool,
    /// May take away the caller's own rights: it is asked about where it does.
    pub locks_out: bool,
    /// How many targets a command of it takes.
    pub targets: Takes,
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
}

impl Field {
    /// The long name of its option on a command line.
    pub fn long_name(&self) -> String {
        self.flag.map_or_else(|| self.name.replace('_', "-"), str::to_owned)
    }

    /// Whether this is its name on the wire or that of its option.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.long_name() == name
    }
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
            fixed: &[],
            fields: &[],
            shape,
            paging: Paging::None,
            goal: None,
            columns: &[],
            signed: true,
            redirect: false,
            job: None,
            roles: true,
            assigns: false,
            asks: matches!(method, Method::Delete),
            maybe_empty: false,
            found_by_redirect: false,
            makes: None,
            others: matches!(method, Method::Get),
            asks_many: false,
            locks_out: false,
            targets: Takes::One,
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
    /// A DELETE.
    pub const fn delete(id: &'static str, verb: &'static str, path: &'static str, about: &'static str) -> Op {
        Op::new(id, verb, Method::Delete, path, Shape::Nothing, about)
    }
    /// Adds help.
    pub const fn long(mut self, long: &'static str) -> Self {
        self.long = long;
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
    /// Makes a thing of this noun, although its path lists others.
    pub const fn making(mut self, noun: &'static Noun) -> Self {
        self.makes = Some(noun);
        self
    }

    /// What it makes, if it makes something: of what its path lists, a POST makes one more.
    pub fn makes(&self) -> Option<&'static Noun> {
        let lists = |noun: &&Noun| noun.list.path == self.path && noun.list.shape == Shape::Rows;
        match self.method {
            Method::Post => self.makes.or_else(|| NOUNS.iter().copied().find(lists)),
            _ => None,
        }
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
    /// Whether a command of it takes several targets.
    pub fn takes_several(&self) -> bool {
        self.targets != Takes::One
    }
    /// Whether it may be carried out twice, since it only says how things are to be.
    pub fn is_repeatable(&self) -> bool {
        let says = matches!(self.goal, Some((Goal::Holds | Goal::Is(..), _)));
        !matches!(self.method, Method::Post) || self.assigns || says
    }
    /// The names of the path's parameters, without `:login`.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix(':')).filter(|name| *name != "login")
    }
}

/// A group of operations on one noun.
#[derive(Debug)]
pub struct Resource {
    /// The command, plural as in the paths.
    pub name: &'static str,
    /// Other words for it, among them the older tools'.
    pub aliases: &'static [&'static str],
    /// One line of help.
    pub about: &'static str,
    /// Every field of the object, in the order of the table.
    pub columns: &'static [Column],
    /// Its operations, in the order of the help.
    pub ops: &'static [&'static Op],
}

/// The words that mean the same verb.
pub const VERB_ALIASES: &[(&str, &[&str])] = &[
    ("list", &["ls"]),
    ("get", &["show"]),
    ("create", &["new"]),
    ("add", &["create", "new"]),
    ("delete", &["rm", "remove"]),
    ("remove", &["rm", "delete"]),
    ("enable", &["on"]),
    ("disable", &["off"]),
    ("replace", &["replace-all"]),
    ("import", &["copy", "cp"]),
    ("machines", &["instances", "insts"]),
    ("boot", &["rollback"]),
];
