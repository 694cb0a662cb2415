//! Who may do what: roles, policies, and the roles on a resource.

use serde::{Deserialize, Serialize};

use super::{Map, NameOr, Open, or_default};

/// The API's Role; since 7.2.0. Version 9 tells members and policies as objects, versions before it as names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Who has the role.
    #[serde(deserialize_with = "or_default")]
    pub members: Vec<NameOr<Member>>,
    /// What the role allows.
    #[serde(deserialize_with = "or_default")]
    pub policies: Vec<NameOr<PolicyRef>>,
    /// Those for whom it acts without being asked for; before version 9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_members: Option<Vec<NameOr<Member>>>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// A member of a role, since version 9.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// Sub-user or account.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: Open<MemberKind>,
    /// UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// True where the role acts without being asked for, else absent. ListRoles shows it also where it is not so, in
    /// the roles that follow one of which the member is a default one; GetRole does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// What a member of a role is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MemberKind {
    /// A sub-user of the account.
    Subuser,
    /// Another account.
    Account,
}

/// A policy of a role, since version 9.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyRef {
    /// UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The API's Policy; since 7.2.0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// UUID.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Sentences in Aperture, in no order.
    #[serde(deserialize_with = "or_default")]
    pub rules: Vec<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}

/// The answer to setting the role tags of a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleTags {
    /// The resource's path.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Names of the roles.
    #[serde(rename = "role-tag", deserialize_with = "or_default")]
    pub role_tag: Vec<String>,
    /// What else the service sent.
    #[serde(flatten)]
    pub more: Map,
}
