//! How the fields of an object are shown: its columns, as data.

use super::Noun;

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
    /// The day of a time: `2025-11-21`.
    Day,
    /// One letter a property of a machine: `B` bhyve, `D` docker, `F` firewall, `K` kvm,
    /// `P` deletion protection.
    MachineFlags,
    /// One letter a property of an image: `I` incremental, `P` public, `X` not active.
    ImageFlags,
    /// How much of a limit is used, as a bar.
    Usage,
    /// The logins or names of an array of objects.
    Names,
    /// Who asked for something: the key or user, or what else the service says.
    Caller,
}

/// When a column is shown without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In every table.
    Short,
    /// In tables without `--long`.
    Brief,
    /// With `--long`, and without it where a terminal has room.
    Roomy,
    /// With `--long` and `-o wide`.
    Long,
    /// Only when named.
    Named,
}

/// What a field holds, by which it is compared and completed.
#[derive(Clone, Copy, Debug)]
pub enum Holds {
    /// Text or a number.
    Text,
    /// True or false.
    Truth,
    /// A time.
    Time,
    /// Objects, of which none is the whole of it.
    Objects,
    /// The id of one of these, or several.
    Id(&'static Noun),
    /// The name of one of these.
    Name(&'static Noun),
}

/// What each row has in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Always {
    /// One value.
    One,
    /// One value, or null.
    OneOrNull,
    /// An array.
    Many,
    /// An object.
    Object,
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
    /// What it holds.
    pub holds: Holds,
    /// Stays where a terminal has no room for all columns.
    pub stays: bool,
    /// What each row has in it: one without that cannot be compared by it. Nothing where rows need not have the field.
    pub always: Option<Always>,
}

/// What people call a column, and its name.
const ALIASES: &[(&str, &str)] = &[
    ("ip", "ips"),
    ("address", "ips"),
    ("primaryip", "primaryIp"),
    ("network", "networks"),
    ("nic", "nics"),
    ("tag", "tags"),
    ("pkg", "package"),
    ("img", "image"),
    ("uuid", "id"),
    ("alias", "name"),
    ("status", "state"),
    ("ram", "memory"),
    ("mem", "memory"),
    ("cpus", "vcpus"),
    ("vlan", "vlan_id"),
    ("dns", "dns_names"),
    ("member", "members"),
    ("policy", "policies"),
    ("rule", "rules"),
];

/// The column that people call so, where none has the name itself.
pub fn called_otherwise<'a>(columns: &'a [Column], word: &str) -> Option<&'a Column> {
    ALIASES
        .iter()
        .filter(|(alias, _)| alias.eq_ignore_ascii_case(word))
        .find_map(|(_, name)| columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)))
}

/// A field shown under its own name, as it is, in every table.
pub const fn column(name: &'static str) -> Column {
    Column {
        name,
        field: name,
        show: Show::Text,
        level: Level::Short,
        nested: false,
        holds: Holds::Text,
        stays: false,
        always: None,
    }
}

impl Column {
    /// Is true or false.
    pub const fn truth(mut self) -> Self {
        self.holds = Holds::Truth;
        self
    }
    /// Each row has it.
    pub const fn always(mut self) -> Self {
        self.always = Some(Always::One);
        self
    }
    /// Each row has it, and null where there is nothing to be said.
    pub const fn always_or_null(mut self) -> Self {
        self.always = Some(Always::OneOrNull);
        self
    }
    /// Each row has an array in it.
    pub const fn always_many(mut self) -> Self {
        self.always = Some(Always::Many);
        self
    }
    /// Each row has an object in it.
    pub const fn always_nested(self) -> Self {
        Column { always: Some(Always::Object), ..self.nested() }
    }
    /// Stays where a terminal has no room for all columns.
    pub const fn stays(mut self) -> Self {
        self.stays = true;
        self
    }
    /// Holds a time.
    pub const fn time(mut self) -> Self {
        self.holds = Holds::Time;
        self
    }
    /// Holds objects.
    pub const fn objects(mut self) -> Self {
        self.holds = Holds::Objects;
        self
    }
    /// Holds ids of these.
    pub const fn ids_of(mut self, noun: &'static Noun) -> Self {
        self.holds = Holds::Id(noun);
        self
    }
    /// Holds the name of one of these.
    pub const fn names_of(mut self, noun: &'static Noun) -> Self {
        self.holds = Holds::Name(noun);
        self
    }
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
    /// Shown without `--long` only.
    pub const fn brief(mut self) -> Self {
        self.level = Level::Brief;
        self
    }
    /// Shown with `--long`, and without it where a terminal has room.
    pub const fn roomy(mut self) -> Self {
        self.level = Level::Roomy;
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
