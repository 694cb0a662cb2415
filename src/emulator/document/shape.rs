//! What a document may hold: the fields of each thing, and what stands in them. The state file has the same fields; those
//! that only it writes are here too.

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Flag,
    /// A number of things, bytes or the like: none is negative.
    Count,
    /// Any whole number.
    Whole,
    /// A point in time: ISO 8601, or milliseconds since 1970.
    Time,
    /// A point in time that is kept as ISO 8601.
    Iso,
    Texts,
    /// Texts, numbers and booleans by their names.
    Scalars,
    /// An object that is shown as it is.
    Object,
    /// A list whose entries are read later.
    List,
    One(&'static Shape),
    Each(&'static Shape),
}

/// A kind of object.
pub(super) struct Shape {
    pub(super) fields: &'static [(&'static str, Kind)],
    /// A text may stand in its place.
    pub(super) text: bool,
}

const fn shape(fields: &'static [(&'static str, Kind)]) -> Shape {
    Shape { fields, text: false }
}

/// One for which a text may stand.
const fn or_text(fields: &'static [(&'static str, Kind)]) -> Shape {
    Shape { fields, text: true }
}

use Kind::{Count, Each, Flag, Iso, List, Object, One, Scalars, Text, Texts, Time, Whole};

/// The document.
pub(super) static DOCUMENT: Shape = shape(&[
    ("format", Text),
    ("extends", Text),
    ("accounts", Each(&ACCOUNT)),
    ("images", Each(&IMAGE)),
    ("packages", Each(&PACKAGE)),
    ("networks", Each(&NETWORK)),
    ("pools", Each(&POOL)),
    ("vlans", Each(&VLAN)),
    ("fabrics_off", Flag),
    ("firewall_rules", Each(&FIREWALL_RULE)),
    ("volumes", Each(&VOLUME)),
    ("machines", Each(&MACHINE)),
    ("migrations", List),
    ("elsewhere", Each(&REMOTE_IMAGE)),
    ("switches", One(&SWITCHES)),
    ("jobs", List),
    ("now", Whole),
    ("datacenter", Text),
    ("datacenters", Scalars),
    ("services", Scalars),
]);

static ACCOUNT: Shape = shape(&[
    ("id", Text),
    ("login", Text),
    ("email", Text),
    ("profile", Scalars),
    ("cns", Flag),
    ("disabled", Flag),
    ("unapproved", Flag),
    ("created", Time),
    ("updated", Time),
    ("keys", Each(&KEY)),
    ("users", Each(&USER)),
    ("roles", Each(&ROLE)),
    ("policies", Each(&POLICY)),
    ("access_keys", Each(&ACCESS_KEY)),
    ("limits", Each(&LIMIT)),
    ("role_tags", Object),
    ("default_network", Text),
    ("operator", Flag),
    ("role_operator", Flag),
]);

static KEY: Shape = or_text(&[("name", Text), ("fingerprint", Text), ("key", Text)]);

static USER: Shape = shape(&[
    ("id", Text),
    ("login", Text),
    ("email", Text),
    ("profile", Scalars),
    ("disabled", Flag),
    ("keys", Each(&KEY)),
    ("access_keys", Each(&ACCESS_KEY)),
    ("passwords", Texts),
    ("created", Time),
    ("updated", Time),
]);

static ROLE: Shape = shape(&[("id", Text), ("name", Text), ("held_by", Each(&MEMBER)), ("policies", Texts)]);

static MEMBER: Shape = or_text(&[("id", Text), ("account", Flag), ("default", Flag)]);

static POLICY: Shape = shape(&[("id", Text), ("name", Text), ("rules", Texts), ("description", Text)]);

static ACCESS_KEY: Shape = shape(&[("id", Text), ("secret", Text), ("created", Time)]);

static LIMIT: Shape = shape(&[("value", Whole), ("by", Text), ("check", Text), ("of", Text)]);

static IMAGE: Shape = shape(&[
    ("id", Text),
    ("name", Text),
    ("version", Text),
    ("os", Text),
    ("type", Text),
    ("description", Text),
    ("requirements", Object),
    ("image_size", Count),
    ("files", List),
    ("tags", Scalars),
    ("homepage", Text),
    ("eula", Text),
    ("published_at", Iso),
    ("owner", Text),
    ("public", Flag),
    ("state", Text),
    ("acl", Texts),
    ("origin", Text),
    ("error", Object),
    ("needs_password", Flag),
]);

static REMOTE_IMAGE: Shape = shape(&[("datacenter", Text), ("image", One(&IMAGE))]);

static PACKAGE: Shape = shape(&[
    ("id", Text),
    ("name", Text),
    ("version", Text),
    ("memory", Count),
    ("disk", Count),
    ("swap", Count),
    ("lwps", Count),
    ("vcpus", Count),
    ("group", Text),
    ("description", Text),
    ("default", Flag),
    ("brand", Text),
    ("flexible_disk", Flag),
    ("disks", List),
    ("traits", Object),
    ("inactive", Flag),
]);

static NETWORK: Shape = shape(&[
    ("id", Text),
    ("name", Text),
    ("public", Flag),
    ("description", Text),
    ("fabric", Flag),
    ("vlan_id", Count),
    ("subnet", Text),
    ("provision_start_ip", Text),
    ("provision_end_ip", Text),
    ("gateway", Text),
    ("resolvers", Texts),
    ("routes", Scalars),
    ("internet_nat", Flag),
    ("owner", Text),
    ("given", Count),
    ("records", Object),
]);

static POOL: Shape =
    shape(&[("id", Text), ("name", Text), ("public", Flag), ("description", Text), ("networks", Texts)]);

static VLAN: Shape = shape(&[("owner", Text), ("vlan_id", Count), ("name", Text), ("description", Text)]);

static FIREWALL_RULE: Shape = shape(&[
    ("id", Text),
    ("owner", Text),
    ("rule", Text),
    ("enabled", Flag),
    ("log", Flag),
    ("global", Flag),
    ("description", Text),
]);

static VOLUME: Shape = shape(&[
    ("id", Text),
    ("owner", Text),
    ("name", Text),
    ("state", Text),
    ("created", Time),
    ("size", Count),
    ("networks", Texts),
    ("tags", Scalars),
    ("nic", One(&NIC)),
]);

static NIC: Shape = shape(&[
    ("mac", Text),
    ("ip", Text),
    ("primary", Flag),
    ("gateway", Text),
    ("netmask", Text),
    ("network", Text),
    ("state", Text),
]);

static MACHINE: Shape = shape(&[
    ("id", Text),
    ("owner", Text),
    ("name", Text),
    ("brand", Text),
    ("state", Text),
    ("image", Text),
    ("package", Text),
    ("networks", Each(&ON_NETWORK)),
    ("memory", Count),
    ("disk", Count),
    ("metadata", Scalars),
    ("credentials", Object),
    ("tags", Scalars),
    ("nics", Each(&NIC)),
    ("created", Time),
    ("updated", Time),
    ("firewall_enabled", Flag),
    ("deletion_protection", Flag),
    ("docker", Flag),
    ("delegate_dataset", Flag),
    ("encrypted", Flag),
    ("compute_node", Text),
    ("disks", List),
    ("snapshots", Each(&SNAPSHOT)),
    ("volumes", Each(&MOUNT)),
    ("audit", Each(&ENTRY)),
]);

static ON_NETWORK: Shape = or_text(&[("network", Text), ("ip", Text)]);

static SNAPSHOT: Shape = shape(&[("name", Text), ("state", Text), ("size", Count), ("created", Time)]);

static MOUNT: Shape = shape(&[("volume", Text), ("mountpoint", Text), ("mode", Text)]);

static ENTRY: Shape = shape(&[("action", Text), ("success", Flag), ("time", Time), ("caller", Object)]);

static SWITCHES: Shape = shape(&[("bhyve_snapshots", Flag), ("delegated_datasets", Flag), ("user_migrations", Flag)]);
