//! Who may do what: sub-users and their keys, roles, policies, role tags.

use sdc::api::cloudapi::{policies, role_tags, roles, user_keys, users};

use super::Vector;

pub fn vectors() -> Vec<Vector> {
    vec![
        (&users::LIST, &[], "GET /acme/users", ""),
        (&users::GET, &[("user", "jill")], "GET /acme/users/jill", ""),
        (&users::GET, &[("user", "u1"), ("membership", "true")], "GET /acme/users/u1?membership=true", ""),
        (
            &users::CREATE,
            &[
                ("email", "jill@acme.example"),
                ("login", "jill"),
                ("password", "s3cret99"),
                ("companyName", "Acme"),
                ("firstName", "Jill"),
                ("lastName", "Do"),
                ("address", "1 Road"),
                ("postalCode", "01234"),
                ("city", "Oslo"),
                ("state", "Viken"),
                ("country", "NO"),
                ("phone", "555"),
                ("role-tag", "ops"),
            ],
            "POST /acme/users\nrole-tag: ops",
            r#"{"email":"jill@acme.example","login":"jill","password":"s3cret99","companyName":"Acme",
                "firstName":"Jill","lastName":"Do","address":"1 Road","postalCode":"01234","city":"Oslo",
                "state":"Viken","country":"NO","phone":"555"}"#,
        ),
        (
            &users::UPDATE,
            &[
                ("user", "u1"),
                ("login", "jane"),
                ("email", "jane@acme.example"),
                ("companyName", ""),
                ("firstName", "Jane"),
                ("lastName", ""),
                ("address", ""),
                ("postalCode", ""),
                ("city", ""),
                ("state", ""),
                ("country", ""),
                ("phone", ""),
            ],
            "POST /acme/users/u1",
            r#"{"login":"jane","email":"jane@acme.example","companyName":"","firstName":"Jane","lastName":"",
                "address":"","postalCode":"","city":"","state":"","country":"","phone":""}"#,
        ),
        (
            &users::CHANGE_PASSWORD,
            &[("user", "u1"), ("password", "s3cret99")],
            "POST /acme/users/u1/change_password",
            r#"{"password":"s3cret99","password_confirmation":"s3cret99"}"#,
        ),
        (&users::DELETE, &[("user", "u1")], "DELETE /acme/users/u1", ""),
        // Their SSH keys
        (&user_keys::LIST, &[("user", "u1"), ("sync", "true")], "GET /acme/users/u1/keys?sync=true", ""),
        (
            &user_keys::GET,
            &[("user", "u1"), ("userkey", "laptop"), ("sync", "true")],
            "GET /acme/users/u1/keys/laptop?sync=true",
            "",
        ),
        (
            &user_keys::ADD,
            &[("user", "u1"), ("key", "ssh-ed25519 AAAA"), ("name", "laptop"), ("attestation:", r#"["PEM"]"#)],
            "POST /acme/users/u1/keys",
            r#"{"key":"ssh-ed25519 AAAA","name":"laptop","attestation":["PEM"]}"#,
        ),
        (&user_keys::DELETE, &[("user", "u1"), ("userkey", "44:56:2c")], "DELETE /acme/users/u1/keys/44%3A56%3A2c", ""),
        // Their access keys
        (&user_keys::ACCESS_LIST, &[("user", "u1"), ("sync", "true")], "GET /acme/users/u1/accesskeys?sync=true", ""),
        (
            &user_keys::ACCESS_GET,
            &[("user", "u1"), ("useraccesskey", "a0"), ("sync", "true")],
            "GET /acme/users/u1/accesskeys/a0?sync=true",
            "",
        ),
        (
            &user_keys::ACCESS_CREATE,
            &[("user", "u1"), ("status", "Active"), ("description", "for CI")],
            "POST /acme/users/u1/accesskeys",
            r#"{"status":"Active","description":"for CI"}"#,
        ),
        (
            &user_keys::ACCESS_UPDATE,
            &[("user", "u1"), ("useraccesskey", "a0"), ("status", "Inactive"), ("description", "CI")],
            "POST /acme/users/u1/accesskeys/a0",
            r#"{"status":"Inactive","description":"CI"}"#,
        ),
        (
            &user_keys::ACCESS_DELETE,
            &[("user", "u1"), ("useraccesskey", "a0")],
            "DELETE /acme/users/u1/accesskeys/a0",
            "",
        ),
        // Roles, as version 9 of the API has them
        (&roles::LIST, &[], "GET /acme/roles", ""),
        (&roles::GET, &[("role", "ops")], "GET /acme/roles/ops", ""),
        (
            &roles::CREATE,
            &[
                ("name", "ops"),
                (
                    "members:",
                    r#"[{"type":"subuser","login":"jill","default":true},{"type":"account","login":"umbrella"}]"#,
                ),
                ("policies:", r#"[{"name":"may-reboot"},{"id":"p1"}]"#),
                ("role-tag", "ops"),
            ],
            "POST /acme/roles\nrole-tag: ops",
            r#"{"name":"ops",
                "members":[{"type":"subuser","login":"jill","default":true},{"type":"account","login":"umbrella"}],
                "policies":[{"name":"may-reboot"},{"id":"p1"}]}"#,
        ),
        (
            &roles::UPDATE,
            &[
                ("role", "r1"),
                ("name", "operators"),
                ("members:", r#"[{"type":"subuser","id":"u1"}]"#),
                ("policies:", "[]"),
            ],
            "POST /acme/roles/r1",
            r#"{"name":"operators","members":[{"type":"subuser","id":"u1"}],"policies":[]}"#,
        ),
        (&roles::DELETE, &[("role", "r1")], "DELETE /acme/roles/r1", ""),
        // Policies
        (&policies::LIST, &[], "GET /acme/policies", ""),
        (&policies::GET, &[("policy", "p1")], "GET /acme/policies/p1", ""),
        (
            &policies::CREATE,
            &[
                ("name", "may-reboot"),
                ("rules:", r#"["CAN rebootmachine","CAN getmachine"]"#),
                ("description", "reboots"),
                ("role-tag", "ops"),
            ],
            "POST /acme/policies\nrole-tag: ops",
            r#"{"name":"may-reboot","rules":["CAN rebootmachine","CAN getmachine"],"description":"reboots"}"#,
        ),
        (
            &policies::UPDATE,
            &[("policy", "p1"), ("name", "reboots"), ("rules:", r#"["CAN rebootmachine"]"#), ("description", "")],
            "POST /acme/policies/p1",
            r#"{"name":"reboots","rules":["CAN rebootmachine"],"description":""}"#,
        ),
        (&policies::DELETE, &[("policy", "p1")], "DELETE /acme/policies/p1", ""),
        // Role tags: one request, on the path of what is tagged
        (&role_tags::ACCOUNT, &[("role-tag:", r#"["ops"]"#)], "PUT /acme", r#"{"role-tag":["ops"]}"#),
        (
            &role_tags::COLLECTION,
            &[("resource_name", "machines"), ("role-tag:", r#"["ops","web"]"#)],
            "PUT /acme/machines",
            r#"{"role-tag":["ops","web"]}"#,
        ),
        (
            &role_tags::RESOURCE,
            &[("resource_name", "images"), ("resource_id", "i1"), ("role-tag:", "[]")],
            "PUT /acme/images/i1",
            r#"{"role-tag":[]}"#,
        ),
        (
            &role_tags::MACHINE,
            &[("machine", "m1"), ("role-tag:", r#"["ops"]"#)],
            "PUT /acme/machines/m1",
            r#"{"role-tag":["ops"]}"#,
        ),
        (
            &role_tags::USER_KEYS,
            &[("user", "u1"), ("resource_name", "keys"), ("role-tag:", r#"["ops"]"#)],
            "PUT /acme/users/u1/keys",
            r#"{"role-tag":["ops"]}"#,
        ),
        (
            &role_tags::USER_KEY,
            &[("user", "u1"), ("userkey", "laptop"), ("role-tag:", r#"["ops"]"#)],
            "PUT /acme/users/u1/keys/laptop",
            r#"{"role-tag":["ops"]}"#,
        ),
    ]
}
