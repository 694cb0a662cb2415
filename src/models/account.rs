//! What an account is: itself, its sub-users, keys, access keys, configuration and limits; and the service's own words.

use serde::{Deserialize, Serialize};

use super::{Lines, Map, Open, Private, Time, or_default};

/// The API's Ping.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ping {
    /// Always `pong`.
    #[serde(deserialize_with = "or_default")]
    pub ping: String,
    /// What answers.
    #[serde(deserialize_with = "or_default")]
    pub cloudapi: Cloudapi,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The part of [`Ping`] that tells the versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cloudapi {
    /// The API's versions, ascending.
    #[serde(deserialize_with = "or_default")]
    pub versions: Vec<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The name that paths hold.
    #[serde(deserialize_with = "or_default")]
    pub login: String,
    /// E-mail address.
    #[serde(deserialize_with = "or_default")]
    pub email: String,
    /// Company.
    #[serde(rename = "companyName", skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// First name.
    #[serde(rename = "firstName", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(rename = "lastName", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Postal address, which may have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Lines>,
    /// Postal code.
    #[serde(rename = "postalCode", skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether machines get names in the DNS; since 8.0.0.
    #[serde(deserialize_with = "or_default")]
    pub triton_cns_enabled: bool,
    /// When it was made.
    #[serde(deserialize_with = "or_default")]
    pub created: Time,
    /// When it was last changed.
    #[serde(deserialize_with = "or_default")]
    pub updated: Time,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's User: a sub-user of an account; since 7.2.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Unique in the account alone.
    #[serde(deserialize_with = "or_default")]
    pub login: String,
    /// E-mail address.
    #[serde(deserialize_with = "or_default")]
    pub email: String,
    /// Company.
    #[serde(rename = "companyName", skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// First name.
    #[serde(rename = "firstName", skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(rename = "lastName", skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Postal address, which may have several lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Lines>,
    /// Postal code.
    #[serde(rename = "postalCode", skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// State or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Names of the roles that the user is a member of; only GetUser with `membership` tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Names of the roles that act without being asked for; likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_roles: Option<Vec<String>>,
    /// When it was made.
    #[serde(deserialize_with = "or_default")]
    pub created: Time,
    /// When it was last changed.
    #[serde(deserialize_with = "or_default")]
    pub updated: Time,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Key: an SSH public key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Key {
    /// The name given, else the key's comment, else the fingerprint.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// MD5, in hexadecimal with colons.
    #[serde(deserialize_with = "or_default")]
    pub fingerprint: String,
    /// The OpenSSH line.
    #[serde(deserialize_with = "or_default")]
    pub key: String,
    /// True for a key that hardware vouches for; since 9.3.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested: Option<bool>,
    /// What an attested key asks for; since 9.3.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multifactor: Option<Vec<Open<Factor>>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What an attested key asks for before it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Factor {
    /// A PIN.
    Pin,
    /// A touch.
    Touch,
}

/// The API's AccessKey; since 9.11.0. A server of today sends residue of its directory too, which is in `more`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessKey {
    /// The public half.
    #[serde(rename = "accesskeyid", deserialize_with = "or_default")]
    pub access_key_id: String,
    /// The secret half; newer servers tell it once, on creation.
    #[serde(rename = "accesskeysecret", skip_serializing_if = "Option::is_none")]
    pub access_key_secret: Option<Private<String>>,
    /// When it was made.
    #[serde(deserialize_with = "or_default")]
    pub created: Time,
    /// Whether it can be used.
    #[serde(deserialize_with = "or_default")]
    pub status: Open<AccessKeyStatus>,
    /// When it was last changed; newer servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Time>,
    /// What it is for; newer servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long it is good for; newer servers.
    #[serde(rename = "credentialtype", skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<Open<CredentialType>>,
    /// When a temporary one ends; newer servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Time>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// Whether an access key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub enum AccessKeyStatus {
    /// It can.
    Active,
    /// It was switched off.
    Inactive,
    /// Its time is over.
    Expired,
}

/// How long an access key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CredentialType {
    /// Until it is deleted.
    Permanent,
    /// Until its expiration.
    Temporary,
}

/// The API's Config; since 7.3.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// UUID of the network that machines get when none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_network: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Limit, an element of the answer to `/limits`; since 9.8.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limit {
    /// The limit: 0 is none, -1 allows nothing.
    #[serde(deserialize_with = "or_default")]
    pub value: i64,
    /// What is counted; machines when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Open<LimitBy>>,
    /// How much is used, in the same unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<serde_json::Number>,
    /// Which machines count; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Open<LimitCheck>>,
    /// The operating system, for that check; `any` is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The image, for that check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The brand, for that check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LimitBy {
    /// Memory, in MiB.
    Ram,
    /// Disk, in GiB.
    Quota,
    /// Machines.
    Machines,
}

/// Which property of a machine a limit looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LimitCheck {
    /// The image.
    Image,
    /// The operating system.
    Os,
    /// The brand.
    Brand,
}

/// The body of an error, as it is on the wire; [`crate::error::ServiceError`] is what the client makes of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// What sort of error; may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The words; may be missing too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is wrong with which parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ErrorField>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// An element of [`ErrorBody::errors`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorField {
    /// Which parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What sort of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
