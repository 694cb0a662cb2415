//! What such a file may hold, and what is refused of it.

use super::*;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUGuQxPsNx8zqPXuTjNGyGx8MG3uxhpc1CdwTx2V7B9";

fn parsed(text: &str) -> Result<Wanted> {
    parse(text.as_bytes(), Folders { folder: Path::new(""), home: None })
}

#[test]
fn a_fault_is_told_with_its_place() {
    for (text, words) in [
        ("{", "line 1, column 1: EOF while parsing an object"),
        ("{\n  \"users\": [{\"login\": 7}]}", "line 2, column 23: expected a string"),
        ("{\"roles\":[\n{\"name\":\"a\",\"membres\":[]}]}", "line 2, column 21: unknown field `membres`"),
        ("\"x\"", "line 1, column 3: expected an object"),
        ("{\"users\":\"x\"}", "line 1, column 12: expected a list"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.message().starts_with(words), "{error}");
    }
    for (text, words) in [
        (r#"{"owner":"a/b"}"#, "'a/b' cannot be an owner"),
        (r#"{"roles":[{"name":"a"},{"name":"a"}]}"#, "the role a is there twice"),
        (r#"{"users":[{"login":"j","keys":["ssh-rsa nonsense"]}]}"#, "user j: keys: this public key"),
        (r#"{"users":[{"login":"j","keys":7}]}"#, "line 1, column 32: keys are a list of texts"),
    ] {
        let error = parsed(text).unwrap_err();
        assert!(error.message().starts_with(words), "{error}");
    }
}

#[test]
fn no_value_of_a_wrong_file_is_told() {
    for text in [
        r#""geheim123""#,
        r#"{"users":"geheim123"}"#,
        r#"{"users":[{"login":"j","email":["geheim123, expected geheim123"]}]}"#,
        r#"{"users":[{"login":"j","keys":{"a":"geheim123"}}]}"#,
        r#"{"roles":["geheim123"]}"#,
        r#"{"policies":[{"name":"p","rules":"geheim123"}]}"#,
    ] {
        let error = parsed(text).unwrap_err();
        assert!(!format!("{error:?}").contains("geheim123"), "{error:?}");
    }
}

#[test]
fn a_private_key_is_refused_in_every_field_and_never_repeated() {
    let body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB".repeat(4);
    let pem = format!("-----BEGIN OPENSSH PRIVATE KEY-----\\n{body}\\n-----END OPENSSH PRIVATE KEY-----");
    let line = STANDARD.encode(pem.replace("\\n", "\n"));
    let mut fields: Vec<(String, &str)> = vec![
        (r#"{"policies":[{"name":"p","description":"HERE"}]}"#.to_owned(), "policy p: description"),
        (r#"{"policies":[{"name":"p","rules":["HERE"]}]}"#.to_owned(), "policy p: rules"),
        (r#"{"policies":[{"name":"HERE"}]}"#.to_owned(), "the name of a policy"),
        (r#"{"roles":[{"name":"r","members":["HERE"]}]}"#.to_owned(), "role r: members"),
        (r#"{"roles":[{"name":"r","policies":["HERE"]}]}"#.to_owned(), "role r: policies"),
        (r#"{"users":[{"login":"HERE"}]}"#.to_owned(), "the login of a user"),
        (r#"{"users":[{"login":"j","keys":["KEY HERE"]}]}"#.replace("KEY", KEY), "user j: keys"),
        (r#"{"users":[{"login":"j","keys":["HERE"]}]}"#.to_owned(), "user j: keys"),
        (r#"{"users":[{"login":"j","keys":"HERE"}]}"#.to_owned(), "user j: keys"),
    ];
    for field in
        ["email", "companyName", "firstName", "lastName", "address", "postalCode", "city", "state", "country", "phone"]
    {
        fields.push((format!(r#"{{"users":[{{"login":"j","{field}":"HERE"}}]}}"#), field));
    }
    for (text, named) in fields {
        for secret in [&pem, &line] {
            let error = parsed(&text.replace("HERE", secret)).unwrap_err();
            assert!(error.message().contains(named), "{text}: {error}");
            let told = format!("{error:?}");
            assert!(!told.contains(&body[..40]) && !told.contains(&line[..40]), "{text}: {told}");
        }
    }
}

#[test]
fn default_members_are_members_and_rules_and_keys_are_there_once() {
    let text = r#"{"users":[{"login":"jill","firstName":"Jill","keys":["KEY a","KEY b"]}],
        "roles":[{"name":"ops","members":["jill","account:x"],"default_members":["jill","ci"]}],
        "policies":[{"name":"p","rules":["CAN ping"," CAN ping "]}]}"#;
    let wanted = parsed(&text.replace("KEY", KEY)).unwrap();
    let members = wanted.roles[0].members.as_ref().unwrap();
    let members: Vec<_> = members.iter().map(|member| (member.name(), member.default)).collect();
    let expected = [("jill", true), ("account:x", false), ("ci", true)].map(|(name, yes)| (name.to_owned(), yes));
    assert_eq!(members, expected);
    assert_eq!(wanted.users[0].keys.as_ref().unwrap().len(), 1);
    assert_eq!(wanted.users[0].fields, [("firstName", "Jill".to_owned())]);
    assert_eq!(wanted.policies[0].rules.as_ref().unwrap(), &["CAN ping"]);
    assert!(wanted.roles[0].policies.is_none() && wanted.policies[0].description.is_none());
}

#[test]
fn keys_come_from_files_and_folders_and_private_ones_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    put("rbac-user-keys/jill.pub", &format!("# hers\n{KEY} laptop\n"));
    put("ci/a.pub", &format!("{KEY} a\n"));
    put("ci/note.txt", "no key");
    put("secret", "-----BEGIN OPENSSH PRIVATE KEY-----");
    let keys = |text: &str| {
        let wanted = parse(text.as_bytes(), Folders { folder: dir.path(), home: Some(dir.path()) })?;
        Ok::<_, Error>(wanted.users[0].keys.clone().map(|keys| keys.len()))
    };
    assert_eq!(keys(r#"{"users":[{"login":"jill"}]}"#).unwrap(), Some(1));
    assert_eq!(keys(r#"{"users":[{"login":"joe"}]}"#).unwrap(), None);
    assert_eq!(keys(r#"{"users":[{"login":"../jill"}]}"#).unwrap(), None);
    assert_eq!(keys(r#"{"users":[{"login":"joe","keys":"ci"}]}"#).unwrap(), Some(1));
    assert_eq!(keys(r#"{"users":[{"login":"joe","keys":["ci/a.pub"]}]}"#).unwrap(), Some(1));
    assert_eq!(keys(r#"{"users":[{"login":"joe","keys":["~/ci/a.pub"]}]}"#).unwrap(), Some(1));
    assert_eq!(keys(r#"{"users":[{"login":"jill","keys":[]}]}"#).unwrap(), Some(0));
    put("none.pub", "# no key yet\n");
    put("rbac-user-keys/none.pub", "");
    put("empty/note.txt", "no key");
    for none in [
        r#""keys":"""#,
        r#""keys":" ""#,
        r#""keys":[""]"#,
        r#""keys":"empty""#,
        r#""keys":"none.pub""#,
        r#""keys":["none.pub"]"#,
        r#""keys":"/dev/null""#,
        r#""email":"x@example.com""#,
    ] {
        let error = keys(&format!(r#"{{"users":[{{"login":"none",{none}}}]}}"#)).unwrap_err();
        assert!(error.message().starts_with("user none: keys: "), "{none}: {error}");
        assert!(error.hints()[0].as_str().ends_with(r#"to have none: "keys": []"#), "{none}: {error:?}");
    }
    assert!(keys(r#"{"users":[{"login":"joe","keys":["secret"]}]}"#).unwrap_err().message().contains("private key"));
    assert!(keys(r#"{"users":[{"login":"joe","keys":"gone.pub"}]}"#).unwrap_err().message().contains("gone.pub"));
}
