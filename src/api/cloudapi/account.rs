//! The account itself.

use crate::api::*;

/// GetAccount.
pub static GET: Op =
    Op::get("GetAccount", "get", "/:login", "Show the account").examples("account get\naccount get -o id");

/// UpdateAccount. Empty values are skipped by the server, so nothing can be cleared here.
pub static UPDATE: Op = Op::update("UpdateAccount", "update", "/:login", "Change the account's data")
    .long("The service skips an empty value: a field cannot be cleared.")
    .assigns()
    .fields(&[
        body("email", Kind::Text, "E-mail address").value("EMAIL"),
        body("companyName", Kind::Text, "Company").flag("company-name"),
        body("firstName", Kind::Text, "First name").flag("first-name"),
        body("lastName", Kind::Text, "Last name").flag("last-name"),
        body("address", Kind::Text, "Address"),
        body("postalCode", Kind::Text, "Postal code").flag("postal-code"),
        body("city", Kind::Text, "City"),
        body("state", Kind::Text, "State"),
        body("country", Kind::Text, "Country"),
        body("phone", Kind::Text, "Phone number"),
        body("triton_cns_enabled", Kind::Bool, "Whether machines get DNS names (CNS)").flag("cns"),
    ])
    .examples(
        "account update phone=555-1234\n\
         account update --city Vancouver --country Canada",
    );

/// GetAccountLimits.
pub static LIMITS: Op = Op::list(
    "GetAccountLimits",
    "limits",
    "/:login/limits",
    "Show how much of its limits the account uses",
)
.long(
    "Memory is in MiB, quota (disk) in GiB. A limit of 0 means that there is none, one of -1 that nothing is allowed.",
)
.columns(&[
    column("by"),
    column("check"),
    column("image"),
    column("os"),
    column("brand"),
    column("used"),
    column("limit").of("value"),
    column("usage").of("").show(Show::Usage),
    column("value").named(),
])
.examples("account limits\naccount limits -o by,used,limit");

/// `sdc account`.
pub static ACCOUNT: Resource = Resource {
    name: "account",
    aliases: &[],
    about: "The account: owner, address, settings",
    columns: &[
        column("id"),
        column("login"),
        column("email"),
        column("companyName"),
        column("firstName"),
        column("lastName"),
        column("address"),
        column("postalCode"),
        column("city"),
        column("state"),
        column("country"),
        column("phone"),
        column("triton_cns_enabled"),
        column("created").time(),
        column("updated").time(),
    ],
    ops: &[&GET, &UPDATE, &LIMITS],
};
