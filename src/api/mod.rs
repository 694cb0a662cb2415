//! The table: every operation of CloudAPI as data. Commands, help, dry run, library calls and the
//! reference pages are read from it. Nothing here does anything, and it uses nothing else of ours.
//!
//! To add an endpoint: write one [`Op`] in its noun's file and name it in that file's [`Resource`].

pub mod account;
pub mod datacenters;
pub mod images;
pub mod keys;
pub mod machines;
pub mod networks;
pub mod packages;
pub mod ping;
pub mod services;

/// Every noun, in the order of the help.
pub const RESOURCES: &[&Resource] = &[
    &machines::MACHINES,
    &images::IMAGES,
    &packages::PACKAGES,
    &networks::NETWORKS,
    &account::ACCOUNT,
    &keys::KEYS,
    &datacenters::DATACENTERS,
    &services::SERVICES,
    &ping::PING,
];

/// How each path parameter is named by people: one row a parameter.
pub const NOUNS: &[&Noun] =
    &[&machines::MACHINE, &images::IMAGE, &packages::PACKAGE, &networks::NETWORK, &keys::KEY, &datacenters::DATACENTER];

/// The row of a path parameter.
pub fn noun(param: &str) -> Option<&'static Noun> {
    NOUNS.iter().copied().find(|noun| noun.name == param)
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
}

/// What a field holds, and so how its text is checked and sent.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Any text.
    Text,
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
}

/// A query parameter.
pub const fn query(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, flag: None, positional: false, short: None, place: Place::Query, kind, about, required: false }
}

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
    /// Typed without an option name, after the path's own arguments.
    pub const fn positional(mut self) -> Self {
        self.positional = true;
        self.required = true;
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
    /// The object's field has the value of the request's field of the same name.
    Field(&'static str),
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
    /// The names of the path's parameters, without `:login`.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix(':')).filter(|name| *name != "login")
    }
}

/// How a value is shown in a table. JSON is never touched by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// As it is.
    Text,
    /// The first eight characters of a UUID.
    ShortId,
    /// How long ago, one unit: `3d`.
    Age,
    /// MiB as `1G`, `512M`.
    Mebibytes,
    /// `name@version` of an image id where it is known, else its short form.
    ImageName,
    /// One letter a property of a machine: `B` bhyve, `D` docker, `F` firewall, `K` kvm,
    /// `P` deletion protection.
    MachineFlags,
    /// One letter a property of an image: `I` incremental, `P` public, `X` not active.
    ImageFlags,
}

/// When a column is shown without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In every table.
    Short,
    /// With `--long` and `-o wide`.
    Long,
    /// Only when named.
    Named,
}

/// One field of an object, as a column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// What the user types after `-o`; the header is its upper case.
    pub name: &'static str,
    /// The field of the object it is read from; the same as the name unless it is made from another.
    pub field: &'static str,
    /// How it is shown.
    pub show: Show,
    /// When it is shown.
    pub level: Level,
    /// Holds an object, so that `tags.role` asks for a part of it.
    pub nested: bool,
}

/// A field shown under its own name, as it is, in every table.
pub const fn column(name: &'static str) -> Column {
    Column { name, field: name, show: Show::Text, level: Level::Short, nested: false }
}

impl Column {
    /// Shown otherwise than as it is.
    pub const fn show(mut self, show: Show) -> Self {
        self.show = show;
        self
    }
    /// Read from another field.
    pub const fn of(mut self, field: &'static str) -> Self {
        self.field = field;
        self
    }
    /// Shown with `--long`.
    pub const fn long(mut self) -> Self {
        self.level = Level::Long;
        self
    }
    /// Shown when named.
    pub const fn named(mut self) -> Self {
        self.level = Level::Named;
        self
    }
    /// Holds an object.
    pub const fn nested(mut self) -> Self {
        self.nested = true;
        self.level = Level::Named;
        self
    }
}

/// How a thing is named by people, and where a name is looked up: one row a path parameter.
#[derive(Debug)]
pub struct Noun {
    /// The path parameter, `machine` for `:machine`; also the word in messages.
    pub name: &'static str,
    /// What may be typed for one, in words.
    pub called: &'static str,
    /// What shows one of them by its id.
    pub get: &'static Op,
    /// States that nothing good comes after.
    pub failed: &'static [&'static str],
    /// The list to look in; `None` where the server itself resolves names.
    pub list: Option<&'static Op>,
    /// The list's server-side name filter, which may match by prefix.
    pub filter: Option<&'static str>,
    /// The field that holds the name.
    pub name_field: &'static str,
    /// The field that tells things of one name apart: `name@VERSION`, the newest one wins.
    pub version_field: Option<&'static str>,
    /// The field by which the newest of one name is told.
    pub newest_by: Option<&'static str>,
    /// The command that lists them, for hints and completion.
    pub lister: &'static str,
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
];
