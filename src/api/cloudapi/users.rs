//! Sub-users of the account: people and programs with keys of their own, who may do what their roles allow.

use crate::api::*;

/// The routes that change a user take the UUID only, so a login is looked up.
pub static USER: Noun = Noun { called: "login, id or short id", ..Noun::new("user", &GET, &LIST).named("login") }
    .picked_by(&[Pick::Age("created")]);

/// ListUsers.
pub static LIST: Op = Op::list("ListUsers", "list", "/:login/users", "List the sub-users of the account")
    .examples("users list\nusers list --long --sort login");

/// GetUser.
pub static GET: Op = Op::get("GetUser", "get", "/:login/users/:user", "Show a sub-user")
    .each()
    .fields(&[query(
        "membership",
        Kind::Flag("true"),
        "Show the user's roles too, and which of them are active by default",
    )])
    .examples("users get ci\nusers get ci --membership --json");

/// CreateUser.
pub static CREATE: Op = Op::create("CreateUser", "create", "/:login/users", "Create a sub-user")
    .making(&USER)
    .long(
        "Without --password-file the password is asked for on the terminal: at least 7 characters, a letter and a \
         digit among them. A user can do nothing before a role says so: `roles create`. Roles and keys of a new \
         user may take some seconds to be known everywhere.",
    )
    .fields(&[
        body("login", Kind::Text, "Login, 3 to 32 characters: a letter, then letters, digits, _ . @").positional(),
        body("email", Kind::Text, "E-mail address").value("EMAIL").required(),
        body("password", Kind::Secret, "File with the password, - for standard input; asked for if not given")
            .flag("password-file")
            .required(),
        body("companyName", Kind::Text, "Company").flag("company-name"),
        body("firstName", Kind::Text, "First name").flag("first-name"),
        body("lastName", Kind::Text, "Last name").flag("last-name"),
        body("address", Kind::Text, "Address"),
        body("postalCode", Kind::Text, "Postal code").flag("postal-code"),
        body("city", Kind::Text, "City"),
        body("state", Kind::Text, "State"),
        body("country", Kind::Text, "Country"),
        body("phone", Kind::Text, "Phone number"),
        ROLE_TAG,
    ])
    .examples(
        "users create jill --email jill@example.com --password-file password.txt\n\
         users create jill --email jill@example.com --password-file - --first-name Jill",
    );

/// UpdateUser. The password has a route of its own.
pub static UPDATE: Op = Op::update("UpdateUser", "update", "/:login/users/:user", "Change a sub-user's data")
    .long("An empty value clears a field.")
    .locks_out()
    .assigns()
    .fields(&[
        body("login", Kind::Text, "New login, 3 to 32 characters: a letter, then letters, digits, _ . @").flag("login"),
        body("email", Kind::Text, "E-mail address").value("EMAIL"),
        body("companyName", Kind::TextOrEmpty, "Company").flag("company-name"),
        body("firstName", Kind::TextOrEmpty, "First name").flag("first-name"),
        body("lastName", Kind::TextOrEmpty, "Last name").flag("last-name"),
        body("address", Kind::TextOrEmpty, "Address"),
        body("postalCode", Kind::TextOrEmpty, "Postal code").flag("postal-code"),
        body("city", Kind::TextOrEmpty, "City"),
        body("state", Kind::TextOrEmpty, "State"),
        body("country", Kind::TextOrEmpty, "Country"),
        body("phone", Kind::TextOrEmpty, "Phone number"),
    ])
    .examples(
        "users update ci phone=555-1234\n\
         users update ci --email ci@example.com",
    );

/// ChangeUserPassword.
pub static CHANGE_PASSWORD: Op = Op::update(
    "ChangeUserPassword",
    "change-password",
    "/:login/users/:user/change_password",
    "Change a sub-user's password",
)
.long("At least 7 characters, a letter and a digit among them. The last four are refused.")
.fields(&[
    body("password", Kind::Secret, "File with the password, - for standard input; asked for if not given")
        .flag("password-file")
        .required(),
    body("password_confirmation", Kind::CopyOf("password"), "The same again"),
])
.examples(
    "users change-password ci --password-file password.txt\n\
     users change-password ci --password-file -",
);

/// DeleteUser.
pub static DELETE: Op = Op::delete("DeleteUser", "delete", "/:login/users/:user", "Delete a sub-user")
    .each()
    .examples("users delete ci\nusers delete ci --yes");

/// `sdc users`.
pub static USERS: Resource = Resource {
    name: "users",
    aliases: &["user"],
    about: "Sub-users of the account",
    columns: &[
        column("shortid").of("id").show(Show::ShortId).named(),
        column("id").always().long(),
        column("login").always().stays(),
        column("email").always().stays(),
        column("firstName").long(),
        column("lastName").long(),
        column("created").always().time(),
        column("updated").always().time().named(),
        column("companyName").named(),
        column("address").named(),
        column("postalCode").named(),
        column("city").named(),
        column("state").named(),
        column("country").named(),
        column("phone").named(),
        column("roles").named(),
        column("default_roles").named(),
    ],
    ops: &[
        &LIST,
        &GET,
        &CREATE,
        &UPDATE,
        &CHANGE_PASSWORD,
        &DELETE,
        &super::user_keys::LIST,
        &super::user_keys::GET,
        &super::user_keys::ADD,
        &super::user_keys::DELETE,
        &super::user_keys::ACCESS_LIST,
        &super::user_keys::ACCESS_GET,
        &super::user_keys::ACCESS_CREATE,
        &super::user_keys::ACCESS_UPDATE,
        &super::user_keys::ACCESS_DELETE,
    ],
};
