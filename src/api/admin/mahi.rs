//! MAHI: accounts, their keys and sub-users, as the other services read them.

use super::INNER;
use crate::api::*;

/// An account. There is no list of them: a login is looked up by itself.
pub static ACCOUNT: Noun = Noun::new("adminaccount", &GET, &LOOKUP)
    .word("account")
    .ids(Ids::Uuid, "account/uuid", "id or login")
    .named("account/login")
    .filter("login");

/// GetAccountByUuid.
pub static GET: Op = Op::get("GetAccountByUuid", "get", "/accounts/:adminaccount", "Show an account")
    .columns(COLUMNS)
    .examples("admin accounts get acme\nadmin accounts get a1f3c2d0-5b6e-4c7d-8e9f-0a1b2c3d4e5f --json");

/// GetAccount.
pub static LOOKUP: Op = Op::get("GetAccount", "find", "/accounts", "Show an account by its login")
    .fields(&[query("login", Kind::Text, "Login of the account").positional()])
    .columns(COLUMNS)
    .examples("admin accounts find acme\nadmin accounts find acme --json");

const COLUMNS: &[Column] = &[
    column("uuid").of("/account/uuid").stays(),
    column("login").of("/account/login").stays(),
    column("operator").of("/account/isOperator"),
    column("approved").of("/account/approved_for_provisioning"),
    column("account").nested(),
    column("roles").nested(),
];

/// `sdc admin accounts`.
pub static ACCOUNTS: Resource = Resource {
    name: "accounts",
    aliases: &["account"],
    about: "Accounts and their keys (mahi)",
    columns: COLUMNS,
    ops: &[&GET, &LOOKUP],
};

/// MAHI. It has codes of its own for each thing that is missing.
pub static MAHI: Service = Service {
    name: "MAHI",
    resources: &[&ACCOUNTS],
    nouns: &[&ACCOUNT],
    missing: &[
        "ResourceNotFound",
        "AccountDoesNotExist",
        "AccountIdDoesNotExist",
        "UserDoesNotExist",
        "UserIdDoesNotExist",
        "RoleDoesNotExist",
    ],
    ..INNER
};
