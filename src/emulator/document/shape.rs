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

impl Kind {
    fn of(word: &str) -> Option<Kind> {
        if let Some((many, name)) = word.split_once(':') {
            let shape = SHAPES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape)?;
            return Some(if many == "each" { Kind::Each(shape) } else { Kind::One(shape) });
        }
        Some(match word {
            "text" => Kind::Text,
            "flag" => Kind::Flag,
            "count" => Kind::Count,
            "whole" => Kind::Whole,
            "time" => Kind::Time,
            "iso" => Kind::Iso,
            "texts" => Kind::Texts,
            "scalars" => Kind::Scalars,
            "object" => Kind::Object,
            "list" => Kind::List,
            _ => return None,
        })
    }
}

/// A kind of object.
pub(super) struct Shape {
    /// `NAME=KIND`, with blanks between: as one text, for a table of texts costs every start of the program.
    fields: &'static str,
    /// A text may stand in its place.
    pub(super) text: bool,
}

impl Shape {
    /// The fields, and what they hold.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.fields.split(' ').filter_map(|field| {
            let (name, kind) = field.split_once('=')?;
            Some((name, Kind::of(kind)?))
        })
    }
}

const fn shape(fields: &'static str) -> Shape {
    Shape { fields, text: false }
}

/// One for which a text may stand.
const fn or_text(fields: &'static str) -> Shape {
    Shape { fields, text: true }
}

/// Those that fields hold, by their names in `one:NAME` and `each:NAME`.
static SHAPES: &[(&str, &Shape)] = &[
    ("account", &ACCOUNT),
    ("key", &KEY),
    ("user", &USER),
    ("role", &ROLE),
    ("member", &MEMBER),
    ("policy", &POLICY),
    ("access_key", &ACCESS_KEY),
    ("limit", &LIMIT),
    ("image", &IMAGE),
    ("remote_image", &REMOTE_IMAGE),
    ("package", &PACKAGE),
    ("network", &NETWORK),
    ("pool", &POOL),
    ("vlan", &VLAN),
    ("firewall_rule", &FIREWALL_RULE),
    ("volume", &VOLUME),
    ("nic", &NIC),
    ("machine", &MACHINE),
    ("on_network", &ON_NETWORK),
    ("snapshot", &SNAPSHOT),
    ("mount", &MOUNT),
    ("entry", &ENTRY),
    ("switches", &SWITCHES),
    ("operators", &OPERATORS),
    ("server", &SERVER),
    ("nic_tag", &NIC_TAG),
    ("loose_nic", &LOOSE_NIC),
    ("aggregation", &AGGREGATION),
];

/// The document.
pub(super) static DOCUMENT: Shape = shape(
    "format=text extends=text accounts=each:account images=each:image packages=each:package \
     networks=each:network pools=each:pool vlans=each:vlan fabrics_off=flag \
     firewall_rules=each:firewall_rule volumes=each:volume machines=each:machine migrations=list \
     elsewhere=each:remote_image switches=one:switches operators=one:operators jobs=list history=list now=whole \
     datacenter=text datacenters=scalars services=scalars",
);

static ACCOUNT: Shape = shape(
    "id=text login=text email=text profile=scalars cns=flag disabled=flag unapproved=flag created=time \
     updated=time keys=each:key users=each:user roles=each:role policies=each:policy \
     access_keys=each:access_key limits=each:limit role_tags=object default_network=text operator=flag \
     role_operator=flag",
);

static KEY: Shape = or_text("name=text fingerprint=text key=text");

static USER: Shape = shape(
    "id=text login=text email=text profile=scalars disabled=flag keys=each:key \
     access_keys=each:access_key passwords=texts created=time updated=time",
);

static ROLE: Shape = shape("id=text name=text held_by=each:member policies=texts");

static MEMBER: Shape = or_text("id=text account=flag default=flag");

static POLICY: Shape = shape("id=text name=text rules=texts description=text");

static ACCESS_KEY: Shape = shape("id=text secret=text created=time");

static LIMIT: Shape = shape("value=whole by=text check=text of=text");

static IMAGE: Shape = shape(
    "id=text name=text version=text os=text type=text description=text requirements=object \
     image_size=count files=list tags=scalars homepage=text eula=text published_at=iso owner=text \
     public=flag state=text acl=texts origin=text error=object needs_password=flag",
);

static REMOTE_IMAGE: Shape = shape("datacenter=text image=one:image");

static PACKAGE: Shape = shape(
    "id=text name=text version=text memory=count disk=count swap=count lwps=count vcpus=count group=text \
     description=text default=flag brand=text flexible_disk=flag disks=list traits=object cpu_cap=count \
     zfs_io_priority=count fss=count owners=texts more=object created=time updated=time inactive=flag",
);

static NETWORK: Shape = shape(
    "id=text name=text public=flag description=text fabric=flag vlan_id=count subnet=text \
     provision_start_ip=text provision_end_ip=text gateway=text resolvers=texts routes=scalars \
     internet_nat=flag owner=text nic_tag=text mtu=count more_owners=texts given=count records=object",
);

static POOL: Shape = shape("id=text name=text public=flag description=text networks=texts owners=texts");

static VLAN: Shape = shape("owner=text vlan_id=count name=text description=text");

static FIREWALL_RULE: Shape = shape("id=text owner=text rule=text enabled=flag log=flag global=flag description=text");

static VOLUME: Shape = shape(
    "id=text owner=text name=text state=text created=time updated=time size=count networks=texts \
     tags=scalars nic=one:nic",
);

static NIC: Shape =
    shape("mac=text ip=text primary=flag gateway=text netmask=text network=text state=text more=object");

static MACHINE: Shape = shape(
    "id=text owner=text name=text brand=text state=text image=text package=text networks=each:on_network \
     memory=count disk=count flexible_disk_size=count quota=count metadata=scalars credentials=object \
     internal_metadata=scalars more=object tags=scalars nics=each:nic created=time \
     updated=time booted=time firewall_enabled=flag deletion_protection=flag docker=flag delegate_dataset=flag \
     encrypted=flag compute_node=text disks=list snapshots=each:snapshot volumes=each:mount \
     audit=each:entry",
);

static ON_NETWORK: Shape = or_text("network=text ip=text");

static SNAPSHOT: Shape = shape("name=text state=text size=count created=time");

static MOUNT: Shape = shape("volume=text mountpoint=text mode=text");

static ENTRY: Shape = shape("action=text success=flag time=time caller=object");

static SWITCHES: Shape = shape("bhyve_snapshots=flag delegated_datasets=flag user_migrations=flag");

static OPERATORS: Shape = shape(
    "servers=each:server nic_tags=each:nic_tag nics=each:loose_nic aggregations=each:aggregation sapi=object \
     infos=list workflows=list own_jobs=list tickets=list no_runner=flag",
);

static SERVER: Shape = shape(
    "uuid=text hostname=text headnode=flag setup=flag reserved=flag down=flag ram=count admin_ip=text created=time \
     more=object",
);

static NIC_TAG: Shape = shape("uuid=text name=text mtu=count");

static LOOSE_NIC: Shape = shape(
    "nic=one:nic belongs_to_type=text belongs_to_uuid=text owner_uuid=text nic_tag=text created=time modified=time",
);

static AGGREGATION: Shape = shape("name=text belongs_to_uuid=text lacp_mode=text macs=texts nic_tags_provided=texts");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_of_a_kind_that_there_is() {
        for (name, shape) in SHAPES.iter().chain([&("document", &DOCUMENT)]) {
            assert_eq!(shape.fields().count(), shape.fields.split(' ').count(), "{name}");
        }
    }
}
