//! What a type of resources is: its properties with what they hold, and its attributes. Data alone.

use serde_json::Value;

use super::super::template::data::Data;

/// A type of resources.
pub struct Type {
    /// Its name in templates.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Its properties, required ones first.
    pub properties: &'static [Property],
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

/// A property.
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// It must be given.
    pub required: bool,
    /// What it is if it is not given, as text.
    pub default: Option<&'static str>,
    /// What becomes of the resource if it changes.
    pub update: Update,
    /// What it is for.
    pub about: &'static str,
}

/// What a change of a property does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// A new one is made, and the old one deleted.
    Replace,
    /// It is changed as it is.
    InPlace,
    /// Nothing.
    Nothing,
}

impl Update {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Update::Replace => "replaces",
            Update::InPlace => "in place",
            Update::Nothing => "no change",
        }
    }
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number from one to another.
    Integer(i64, i64),
    /// True or false.
    Boolean,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// An address of IPv4.
    Address,
    /// A subnet: `10.0.0.0/24`.
    Subnet,
    /// A size: a number of MiB, or a text such as `10G`.
    Size,
    /// Texts: a list, or one text with commas between them.
    Texts,
    /// A map of texts, numbers and booleans.
    Scalars,
    /// Routes: a map from subnets to addresses, or `SUBNET:ADDRESS` with commas between them.
    Routes,
    /// A list of maps.
    Maps,
    /// The name or id of one of these.
    Refers(Referent),
    /// Names or ids: a list, or one text with commas between them. Their order counts.
    RefersAll(Referent),
}

/// What names are looked up among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Referent {
    /// Images.
    Image,
    /// Packages.
    Package,
    /// Networks and pools.
    Network,
}

impl Referent {
    /// The word for one of them.
    pub fn word(self) -> &'static str {
        match self {
            Referent::Image => "image",
            Referent::Package => "package",
            Referent::Network => "network",
        }
    }
}

/// An attribute.
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

impl Type {
    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

impl Property {
    /// The default, in the form of its kind.
    pub fn read_default(&self) -> Option<Data> {
        self.default.and_then(|text| self.read(Data::Open(text.into())).ok())
    }

    /// The value in the one form that it is compared and sent in. What is not known yet stays as it is.
    ///
    /// # Errors
    /// Why it is not one, in words without the value.
    pub fn read(&self, data: Data) -> Result<Data, String> {
        // Of a map each member is hidden or known by itself.
        if let (Kind::Scalars, Data::Map(members)) = (self.kind, &data) {
            let known = members.iter().filter_map(|(name, data)| Some((name.clone(), data.value()?)));
            let read = self.kind.read(Value::Object(known.collect()));
            return read.and_then(|_| self.kind.check_form(&data)).map(|()| data);
        }
        let hidden = data.is_hidden();
        match data.value() {
            None => self.kind.check_form(&data).map(|()| data),
            Some(value) => match self.kind.read(value) {
                Ok(value) => Ok(Data::Open(value).hide(hidden)),
                // Its words may have names of it.
                Err(_) if hidden => Err("its value, which is hidden, does not fit".to_owned()),
                Err(words) => Err(words),
            },
        }
    }
}

pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Property {
    Property { name, kind, required: true, default: None, update: Update::Replace, about }
}

pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Property {
    Property { name, kind, required: false, default: None, update: Update::Replace, about }
}

pub(super) const fn with_default(default: &'static str, property: Property) -> Property {
    Property { default: Some(default), ..property }
}

pub(super) const fn in_place(property: Property) -> Property {
    Property { update: Update::InPlace, ..property }
}

pub(super) const fn attribute(name: &'static str, about: &'static str) -> Attribute {
    Attribute { name, about }
}

/// What the old plugin took to find the data center, which settings say here.
pub(super) const fn endpoint(name: &'static str) -> Property {
    let about = "Address of the service, which the settings say; not heeded";
    Property { update: Update::Nothing, ..optional(name, Kind::Text, about) }
}
