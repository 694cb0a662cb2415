//! A parameter of an operation: its name, where it travels, how it is typed and checked. Data only.

use super::{Noun, Test};

/// Where a field travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
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
    TextOrEmpty,
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
    /// anything) would redirect the request or be dropped, and are refused. Those after a `+` the service adds by itself:
    /// in a file, they are left out.
    FlatPairs(&'static [&'static str]),
    /// The same of tags: those of the platform must have their type.
    Tags(&'static [&'static str]),
    /// `NAME=@FILE` of flat names.
    FlatFiles(&'static [&'static str]),
    /// Any number of `NAME=VALUE` or `NAME:=JSON`, sent as one object.
    Object,
    /// Any JSON.
    Json,
    /// An LDAP filter: its grammar is checked before anything is sent.
    LdapFilter,
    /// A predicate of VMAPI's, which is JSON, checked likewise.
    Predicate,
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
    /// NICs of a VM, an array: the name of one of these, `network=NAME,ip=ADDRESS`, or JSON.
    Interfaces(&'static Noun),
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
    NamedList,
    /// What nobody may see: the contents of a file without its line's end, or what is typed at a prompt.
    Secret,
    /// Not typed at all: the value of that other field.
    CopyOf(&'static str),
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
    /// An option that may be typed as a positional argument instead.
    pub or_word: bool,
    /// Where it is not given, the setting of the option's name counts.
    pub or_setting: bool,
    /// One-letter option.
    pub short: Option<char>,
    /// What its value is called in help; a word for the kind unless set.
    pub value: Option<&'static str>,
    /// Query or body.
    pub place: Location,
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
    /// The fields of the thing that are not there any longer once this one was taken.
    pub clears: &'static [&'static str],
    /// The members of this object may be lists and objects themselves.
    pub deep: bool,
    /// What a row of the list shows of it, if it is a filter.
    pub test: Test,
    /// Words that it is likely to hold, beside which there may be others: for completion.
    pub words: &'static [&'static str],
}

/// A query parameter.
pub const fn query(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field {
        name,
        flag: None,
        positional: false,
        or_word: false,
        or_setting: false,
        short: None,
        value: None,
        place: Location::Query,
        kind,
        about,
        required: false,
        default: None,
        asks: false,
        clears: &[],
        deep: false,
        test: Test::Nothing,
        words: &[],
    }
}

/// What `--limit` says of itself.
pub(super) const LIMIT: &str =
    "At most this many in all; everything if not given. With -s the whole list is read and sorted first";

/// The roles that a new thing is tagged with: a header that every create knows.
pub const ROLE_TAG: Field = Field {
    place: Location::Header,
    value: Some("ROLE,..."),
    ..query("role-tag", Kind::Words, "Tag it with these roles: ROLE,...; unknown ones are ignored")
};

/// Which state of a thing is to be changed: a header that services with ETags know.
pub const IF_MATCH: Field = Field {
    place: Location::Header,
    value: Some("ETAG"),
    ..query("if-match", Kind::Text, "Refuse it unless this is its ETag; set by itself where a list is replaced")
};

/// A key of the JSON body.
pub const fn body(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { place: Location::Body, ..query(name, kind, about) }
}

impl Field {
    /// The option is called otherwise than the parameter.
    pub const fn flag(mut self, flag: &'static str) -> Self {
        self.flag = Some(flag);
        self
    }
    /// Its value is called so in help.
    pub const fn value(mut self, value: &'static str) -> Self {
        self.value = Some(value);
        self
    }
    /// Is a filter, which a row shows so.
    pub const fn test(mut self, test: Test) -> Self {
        self.test = test;
        self
    }
    /// Is likely to hold one of these words.
    pub const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.words = words;
        self
    }
    /// Is asked about first.
    pub const fn asks(mut self) -> Self {
        self.asks = true;
        self
    }
    /// Takes these fields off the thing.
    pub const fn clears(mut self, fields: &'static [&'static str]) -> Self {
        self.clears = fields;
        self
    }
    /// Holds lists and objects too.
    pub const fn deep(mut self) -> Self {
        self.deep = true;
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
    /// May be typed without the option's name too; such fields stand in their order.
    pub const fn or_word(mut self) -> Self {
        self.or_word = true;
        self
    }
    /// Where it is not given, the setting of the option's name counts.
    pub const fn or_setting(mut self) -> Self {
        self.or_setting = true;
        self
    }
    /// May be left out although it is a positional argument.
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// The long name of its option on a command line.
    pub fn long_name(&self) -> String {
        self.flag.map_or_else(|| self.name.replace('_', "-"), str::to_owned)
    }

    /// Whether this is its name on the wire or that of its option.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.long_name() == name
    }
}
