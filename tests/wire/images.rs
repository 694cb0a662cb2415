//! Images.

use sdc::api::cloudapi::images;

use super::Vector;

pub fn vectors() -> Vec<Vector> {
    vec![
        (&images::LIST, &[], "GET /acme/images", ""),
        (
            &images::LIST,
            &[
                ("name", "base-64"),
                ("os", "smartos"),
                ("version", "20.4.0"),
                ("public", "true"),
                ("state", "all"),
                ("owner", "o1"),
                ("type", "zone-dataset"),
            ],
            "GET /acme/images?name=base-64&os=smartos&version=20.4.0&public=true&state=all&owner=o1&type=zone-dataset",
            "",
        ),
        (&images::GET, &[("image", "i1")], "GET /acme/images/i1", ""),
        // Without an action: any other word there would never be answered.
        (
            &images::CREATE,
            &[
                ("machine", "m1"),
                ("name", "acme-web"),
                ("version", "1.10"),
                ("description", "the web"),
                ("homepage", "https://acme.example/"),
                ("eula", "https://acme.example/eula"),
                ("acl:", r#"["u1","u2"]"#),
                ("tags:", r#"{"team":"web","n":1,"on":true}"#),
                ("role-tag", "ops"),
            ],
            "POST /acme/images\nrole-tag: ops",
            r#"{"machine":"m1","name":"acme-web","version":"1.10","description":"the web",
                "homepage":"https://acme.example/","eula":"https://acme.example/eula","acl":["u1","u2"],
                "tags":{"team":"web","n":1,"on":true}}"#,
        ),
        (
            &images::IMPORT,
            &[("datacenter", "us-west-1"), ("id", "i1")],
            "POST /acme/images?action=import-from-datacenter&datacenter=us-west-1&id=i1",
            "",
        ),
        (
            &images::UPDATE,
            &[
                ("image", "i1"),
                ("name", "acme-web"),
                ("version", "2.0"),
                ("description", ""),
                ("homepage", ""),
                ("eula", ""),
                ("acl:", r#"["u1"]"#),
                ("tags:", "{}"),
            ],
            "POST /acme/images/i1?action=update",
            r#"{"name":"acme-web","version":"2.0","description":"","homepage":"","eula":"","acl":["u1"],"tags":{}}"#,
        ),
        (
            &images::EXPORT,
            &[("image", "i1"), ("manta_path", "/acme/stor/web images")],
            "POST /acme/images/i1?action=export&manta_path=/acme/stor/web%20images",
            "",
        ),
        (&images::CLONE, &[("image", "i1")], "POST /acme/images/i1?action=clone", ""),
        (&images::DELETE, &[("image", "i1")], "DELETE /acme/images/i1", ""),
    ]
}
