//! Which setting wins, where it came from, and what is refused.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use sdc::config::{Config, Dirs, Flags, Origin, Sources, duration, profile};
use sdc::error::Kind;
use tempfile::TempDir;

const PROD: &str = r#"{"url":"https://prod.example.com/","account":"acme","keyId":"aa:bb","insecure":true,"user":"bob","roles":["ops","dev"],"actAsAccount":"other"}"#;
const LAB: &str = r#"{"url":"https://lab.example.com","account":"lab","keyId":"cc:dd"}"#;

/// Settings for all, for the profile and for a command.
const OWN: &str = "package: g1-small\ncacert: ca.pem\nproxy: http://u:hush@proxy:3128\nprofiles:\n  prod:\n    key-file: \
                   prod-key\n    tls-pin: SHA256:AB\n    package: g1-prod\n    rate: 4\ncommands:\n  machines create:\n    \
                   timeout: 30m\n";

/// A configuration folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn both() -> TempDir {
    folder(&[("profiles.d/prod.json", PROD), ("profiles.d/lab.json", LAB), ("config.json", r#"{"profile":"prod"}"#)])
}

fn sources(dir: &Path, vars: &[(&str, &str)]) -> Sources {
    let vars: HashMap<String, String> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources::of(vars, Dirs { config: Some(dir.to_owned()), ..Dirs::default() })
}

fn load(dir: &TempDir, vars: &[(&str, &str)], flags: &Flags) -> sdc::Result<Config> {
    Config::load(flags, &sources(dir.path(), vars))
}

fn error_of(vars: &[(&str, &str)], flags: &Flags) -> sdc::Error {
    let error = load(&folder(&[]), vars, flags).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    error
}

#[test]
fn the_current_profile_is_used_when_nothing_else_is_said() {
    let dir = both();
    let config = load(&dir, &[], &Flags::default()).unwrap();
    assert_eq!(config.url().unwrap(), "https://prod.example.com");
    assert_eq!((config.account().unwrap(), config.target().unwrap()), ("acme", "other"));
    assert_eq!(config.roles.unwrap().value, ["ops", "dev"]);
    assert_eq!(config.user.unwrap().value, "bob");
    assert!(config.insecure.value);
    let file = dir.path().join("profiles.d/prod.json");
    assert_eq!(config.url.unwrap().origin, Origin::Profile { name: "prod".into(), file });
    assert_eq!(config.profile.unwrap().origin, Origin::Current(dir.path().join("config.json")));
    assert_eq!(config.connect_timeout.value, Duration::from_secs(5));
    assert_eq!(config.request_timeout.value, Duration::from_secs(60));
    assert_eq!(config.signing.value, "request");
}

#[test]
fn the_environment_wins_over_the_current_profile() {
    let vars = [
        ("SDC_URL", "http://127.0.0.1:8080/"),
        ("TRITON_URL", "https://second"),
        ("SDC_ACCOUNT", "me"),
        ("TRITON_KEY_ID", "ee"),
    ];
    let config = load(&both(), &vars, &Flags::default()).unwrap();
    assert_eq!(config.url().unwrap(), "http://127.0.0.1:8080");
    assert_eq!(config.host().unwrap(), "127.0.0.1:8080");
    assert_eq!(config.account().unwrap(), "me");
    assert_eq!(config.key_id.unwrap().origin, Origin::Env("TRITON_KEY_ID"));
    // Nothing of the profile goes over to another's account or to another host.
    assert_eq!((config.user, config.roles, config.act_as, config.insecure.value), (None, None, None, false));
}

#[test]
fn the_current_profile_fills_what_the_environment_leaves_open() {
    let config = load(&both(), &[("SDC_USER", "eve")], &Flags::default()).unwrap();
    assert_eq!((config.account().unwrap(), config.user.as_ref().unwrap().value.as_str()), ("acme", "eve"));
    let config = load(&both(), &[("SDC_ACCOUNT", "me")], &Flags::default()).unwrap();
    assert_eq!((config.url().unwrap(), config.account().unwrap()), ("https://prod.example.com", "me"));
    assert!(config.insecure.value && config.user.is_none());
}

#[test]
fn a_broken_current_profile_is_no_matter_when_the_environment_says_all() {
    let dir = folder(&[("config.json", "{"), ("profiles.d/prod.json", "{")]);
    let vars = [("SDC_URL", "https://a"), ("SDC_ACCOUNT", "me"), ("SDC_KEY_FILE", "/key")];
    let config = load(&dir, &vars, &Flags::default()).unwrap();
    assert_eq!(config.key_file.unwrap().origin, Origin::Env("SDC_KEY_FILE"));
    assert!(load(&dir, &vars[..2], &Flags::default()).is_err());
}

#[test]
fn a_named_profile_wins_over_the_environment() {
    let vars = [
        ("SDC_URL", "https://env.example.com"),
        ("SDC_ACCOUNT", "env"),
        ("SDC_USER", "env"),
        ("SDC_ROLE", "env"),
        ("SDC_TESTING", "1"),
        ("SDC_KEY_FILE", "/env/key"),
    ];
    let named = Flags { profile: Some("lab".into()), ..Flags::default() };
    let config = load(&both(), &vars, &named).unwrap();
    assert_eq!((config.url().unwrap(), config.account().unwrap()), ("https://lab.example.com", "lab"));
    assert_eq!((config.user, config.roles, config.insecure.value), (None, None, false));
    // A profile has no such field, so this is not in its way.
    assert_eq!(config.key_file.unwrap().value, Path::new("/env/key"));
    assert_eq!(config.profile.unwrap().origin, Origin::Flag("--profile"));
    for variable in ["SDC_PROFILE", "TRITON_PROFILE"] {
        let config = load(&both(), &[vars[0], (variable, "lab")], &Flags::default()).unwrap();
        assert_eq!(config.account().unwrap(), "lab");
        assert_eq!(config.profile.unwrap().origin.to_string(), variable);
    }
    let config = load(&both(), &[("SDC_PROFILE", "prod"), ("TRITON_PROFILE", "lab")], &Flags::default()).unwrap();
    assert_eq!(config.account().unwrap(), "acme");
}

#[test]
fn the_profile_env_is_the_environment_alone() {
    let flags = Flags { profile: Some("env".into()), ..Flags::default() };
    let config = load(&both(), &[("SDC_ACCOUNT", "me")], &flags).unwrap();
    assert_eq!(config.account().unwrap(), "me");
    assert!(config.url().is_err());
    let dir = folder(&[("config.json", r#"{"profile":"env"}"#)]);
    assert!(load(&dir, &[], &Flags::default()).unwrap().url.is_none());
}

#[test]
fn a_flag_wins_over_all() {
    let flags = Flags {
        profile: Some("prod".into()),
        url: Some("https://flag.example.com".into()),
        account: Some("flag".into()),
        roles: Some("a, b,".into()),
        ..Flags::default()
    };
    let config = load(&both(), &[("SDC_URL", "https://env.example.com")], &flags).unwrap();
    assert_eq!((config.url().unwrap(), config.account().unwrap()), ("https://flag.example.com", "flag"));
    assert_eq!(config.url.as_ref().unwrap().origin, Origin::Flag("--url"));
    assert_eq!(config.roles.as_ref().unwrap().value, ["a", "b"]);
    assert_eq!(config.key_id.as_ref().unwrap().value, "aa:bb");
    // The profile trusts its own host, and its user belongs to its own account.
    assert!(!config.insecure.value && config.user.is_none());
    let secure = Flags { profile: Some("prod".into()), insecure: Some(false), ..Flags::default() };
    assert!(!load(&both(), &[], &secure).unwrap().insecure.value);
}

#[test]
fn what_is_missing_is_missed_only_by_who_needs_it() {
    let config = load(&folder(&[]), &[], &Flags::default()).unwrap();
    for error in [config.url().unwrap_err(), config.account().unwrap_err()] {
        assert_eq!(error.kind(), Kind::Usage);
        let hints = format!("{:?}", error.hints());
        assert!(hints.contains("--") && hints.contains("export SDC_") && hints.contains("profile"), "{hints}");
    }
}

#[test]
fn insecure_is_read_as_the_older_tools_read_it() {
    let insecure =
        |vars: &[(&str, &str)]| load(&folder(&[]), vars, &Flags::default()).map(|config| config.insecure.value);
    assert!(insecure(&[("SDC_TESTING", "0")]).unwrap(), "any text counts");
    assert!(insecure(&[("SDC_TLS_INSECURE", "true")]).unwrap());
    assert!(insecure(&[("TRITON_TLS_INSECURE", "1")]).unwrap());
    assert!(!insecure(&[("SDC_TLS_INSECURE", "0"), ("TRITON_TLS_INSECURE", "1"), ("SDC_TESTING", "1")]).unwrap());
    assert!(!insecure(&[]).unwrap());
    let error = insecure(&[("SDC_TLS_INSECURE", "yes")]).unwrap_err();
    assert_eq!(error.to_string(), "SDC_TLS_INSECURE is neither true nor false: 'yes'");
}

#[test]
fn a_bad_url_is_refused_with_its_origin() {
    let said = |url: &str| error_of(&[("SDC_URL", url)], &Flags::default());
    assert_eq!(said("cloud.example.com").to_string(), "the URL from SDC_URL has no scheme: 'cloud.example.com'");
    assert_eq!(said("cloud.example.com").hints(), ["https://cloud.example.com"]);
    assert_eq!(said("localhost:8080").hints(), ["https://localhost:8080"]);
    assert!(said("ftp://a").to_string().contains("neither http nor https"));
    assert!(said("https://").to_string().contains("is invalid"));
    for secret in ["https://me:hunter2@a", "https://hunter2@a"] {
        let error = said(secret);
        assert!(error.to_string().contains("a name or a password"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    assert!(said("https://a?x=1").to_string().contains("query"));
    assert!(said("https://a#x").to_string().contains("query or a fragment"));
    let flags = Flags { url: Some("nope".into()), ..Flags::default() };
    assert!(error_of(&[], &flags).to_string().contains("from --url"));
    let config = load(&folder(&[]), &[("SDC_URL", "https://a.example.com/cloudapi/")], &Flags::default()).unwrap();
    assert_eq!(config.url().unwrap(), "https://a.example.com/cloudapi");
}

#[test]
fn what_can_be_no_login_and_no_role_is_refused_wherever_it_comes_from() {
    for (variable, value, why) in [
        ("SDC_ACCOUNT", "https://cloudapi.example.com", "is a URL"),
        ("SDC_ACCOUNT", "role=web", "holds '='"),
        ("SDC_ACCOUNT", "instance!x", "holds '!'"),
        ("SDC_USER", "10.0.0.1", "is an address"),
        ("SDC_USER", "web*", "holds '*'"),
        ("SDC_ACT_AS", "a:b", "holds ':'"),
        ("SDC_ROLE", "10.0.0.1", "is an address"),
        ("SDC_ROLE", "ops,fe80::1", "is an address"),
        ("SDC_ROLE", "10.0.0.0/24=10.0.0.1", "is an address"),
        ("SDC_ROLE", "a/b", "holds '/'"),
    ] {
        let error = error_of(&[(variable, value)], &Flags::default());
        let words = format!("what {variable} gives {why}, and so cannot be the ");
        assert!(error.to_string().starts_with(&words), "{variable}={value}: {error}");
    }
    for value in ["ops", "_operator", "dev (eu)", "a.b-c@d"] {
        assert!(load(&folder(&[]), &[("SDC_ROLE", value)], &Flags::default()).is_ok(), "{value}");
    }
}

#[test]
fn an_account_with_a_slash_is_refused_with_the_right_variables() {
    let error = error_of(&[("SDC_ACCOUNT", "acme/bob")], &Flags::default());
    assert_eq!(error.to_string(), "the account from SDC_ACCOUNT has a slash: a login is a single word");
    for (variable, value, hints) in [
        ("SDC_ACCOUNT", "acme/bob", &["SDC_ACCOUNT=acme SDC_USER=bob"][..]),
        ("SDC_ACCOUNT", "acme/users/bob", &["SDC_ACCOUNT=acme SDC_USER=bob"]),
        ("SDC_ACCOUNT", "/acme/", &["SDC_ACCOUNT=acme"]),
        ("SDC_ACCOUNT", "users/bob", &[]),
        ("SDC_ACCOUNT", "a/b/c/d", &[]),
        ("SDC_ACCOUNT", "acme/", &["SDC_ACCOUNT=acme"]),
        ("SDC_USER", "users/bob", &["SDC_USER=bob"]),
        ("SDC_USER", "acme/users/bob", &["SDC_ACCOUNT=acme SDC_USER=bob"]),
        ("SDC_ACT_AS", "other/", &["SDC_ACT_AS=other"]),
        ("SDC_ACT_AS", "other/bob", &[]),
    ] {
        let error = error_of(&[(variable, value)], &Flags::default());
        assert_eq!(error.hints(), hints, "{variable}={value}");
    }
    let flags = Flags { account: Some("acme/bob".into()), ..Flags::default() };
    assert_eq!(error_of(&[], &flags).hints(), ["--account acme --user bob"]);
    let broken = |name: &str| error_of(&[(name, "a\r\nX: y")], &Flags::default()).to_string();
    assert_eq!(broken("SDC_ACCOUNT"), "SDC_ACCOUNT holds a line end, not a login");
    assert_eq!(broken("SDC_KEY_ID"), "SDC_KEY_ID holds a line end, not the key's fingerprint or name");
    assert!(error_of(&[("SDC_ACCOUNT", "a b")], &Flags::default()).to_string().contains("white space"));
}

#[test]
fn times_are_read_with_their_units_and_named_when_wrong() {
    let read = |text: &str| duration("--timeout", text).map(|time| time.as_millis());
    for (text, ms) in [
        ("30", 30_000),
        ("500ms", 500),
        ("2m", 120_000),
        ("1.5s", 1500),
        ("1h", 3_600_000),
        ("30d", 2_592_000_000),
        ("5w", 3_024_000_000),
        (" 7 ", 7000),
    ] {
        assert_eq!(read(text).unwrap(), ms, "{text}");
    }
    for wrong in ["", "0", "-1", "1e3", "nan", "inf", "5y", "4000d", "s", "1.2.3", "99999999999999999999h"] {
        assert_eq!(read(wrong).unwrap_err().kind(), Kind::Usage, "{wrong}");
    }
    let error = error_of(&[("SDC_REQUEST_TIMEOUT", "soon")], &Flags::default());
    assert_eq!(error.to_string(), "SDC_REQUEST_TIMEOUT is not a duration: 'soon'");
    let flags = Flags { connect_timeout: Some("250ms".into()), ..Flags::default() };
    let config = load(&folder(&[]), &[("SDC_CONNECT_TIMEOUT", "9")], &flags).unwrap();
    assert_eq!(config.connect_timeout.value, Duration::from_millis(250));
}

#[test]
fn a_form_of_signature_that_nobody_knows_is_refused() {
    let error = error_of(&[("SDC_SIGNING", "hmac")], &Flags::default());
    assert_eq!(error.to_string(), "SDC_SIGNING is not a form of signature: 'hmac'");
    assert_eq!(error.hints(), ["choose one of request, date, legacy"]);
}

#[test]
fn every_setting_is_shown_with_where_it_came_from() {
    let flags = Flags { signing: Some("date".into()), ..Flags::default() };
    let config = load(&both(), &[("SDC_KEY_PASSPHRASE_FILE", "/secret/file")], &flags).unwrap();
    let rows = config.rows();
    let row = |name: &str| rows.iter().find(|row| row.0 == name).map(|row| (row.1.as_str(), row.2.as_str())).unwrap();
    assert_eq!(row("signing"), ("date", "--signing"));
    assert_eq!(row("roles").0, "ops,dev");
    assert!(row("url").1.starts_with("profile prod ("));
    assert_eq!(row("key-passphrase-file"), ("(a file, not shown)", "SDC_KEY_PASSPHRASE_FILE"));
    assert_eq!(row("key-file"), ("", "not set"));
    assert_eq!(row("connect-timeout"), ("5s", "default"));
}

/// The settings of [`OWN`] with the two profiles, of which `prod` is the current one.
fn with_own() -> TempDir {
    let dir = both();
    let pin = format!("SHA256:{}", ["AB"; 32].join(":"));
    fs::write(dir.path().join("sdc.yaml"), OWN.replace("SHA256:AB", &pin)).unwrap();
    dir
}

#[test]
fn what_profiles_have_no_field_for_is_in_a_file_of_its_own() {
    let dir = with_own();
    let config = load(&dir, &[], &Flags::default()).unwrap();
    let file = dir.path().join("sdc.yaml");
    let of_prod = |name, line| {
        let (profile, command) = (Some("prod".to_owned()), None);
        Origin::Own { name, file: file.clone(), line, profile, command }
    };
    // Paths begin at the file's folder.
    assert_eq!(config.key_file.clone().unwrap().value, dir.path().join("prod-key"));
    assert_eq!(config.cacert.clone().unwrap().value, dir.path().join("ca.pem"));
    assert_eq!(config.rate.clone().unwrap().origin, of_prod("rate", 9));
    assert_eq!(config.pins.as_ref().unwrap().value.len(), 1);
    assert_eq!(config.defaults.get("package").unwrap().value, "g1-prod");
    assert!(config.defaults.get("timeout").is_none());
    let creating = Flags { command: Some("machines create".to_owned()), ..Flags::default() };
    let timeout = load(&dir, &[], &creating).unwrap().defaults.get("timeout").cloned().unwrap();
    assert_eq!((timeout.value.as_str(), timeout.origin.place()), ("30m", format!("{}:12", file.display())));
    // A variable wins over the file, and an option over both.
    let config = load(&dir, &[("SDC_RATE", "9"), ("SDC_PACKAGE", "g1-nano")], &Flags::default()).unwrap();
    assert_eq!((config.rate.unwrap().value, config.defaults.get("package").unwrap().value.as_str()), (9.0, "g1-nano"));
    let typed = Flags { rate: Some("2".to_owned()), ..Flags::default() };
    assert_eq!(load(&dir, &[("SDC_RATE", "9")], &typed).unwrap().rate.unwrap().value, 2.0);
}

#[test]
fn the_settings_of_a_profile_do_not_go_over_to_another_account_or_url() {
    let dir = with_own();
    let elsewhere = Flags { url: Some("https://elsewhere.example.com".to_owned()), ..Flags::default() };
    let config = load(&dir, &[], &elsewhere).unwrap();
    assert!(config.pins.is_none() && config.rate.is_none(), "they are of the profile's cloud");
    assert!(config.key_file.is_some(), "and the key is of its account");
    assert_eq!(config.defaults.get("package").unwrap().value, "g1-small");
    // The same URL is the same cloud, whoever names it.
    let same = Flags { url: Some("https://prod.example.com".to_owned()), ..Flags::default() };
    assert!(load(&dir, &[], &same).unwrap().pins.is_some());
    assert!(load(&dir, &[("SDC_URL", "https://prod.example.com/")], &Flags::default()).unwrap().pins.is_some());
    let other = Flags { account: Some("other".to_owned()), ..Flags::default() };
    let config = load(&dir, &[], &other).unwrap();
    assert!(config.key_file.is_none() && config.pins.is_some());
    let lab = Flags { profile: Some("lab".to_owned()), ..Flags::default() };
    let config = load(&dir, &[], &lab).unwrap();
    assert!(config.key_file.is_none() && config.pins.is_none() && config.rate.is_none());
}

#[test]
fn the_login_of_a_proxy_in_the_settings_is_shown_nowhere() {
    let config = load(&with_own(), &[], &Flags::default()).unwrap();
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
    assert!(!format!("{:?}", config.rows()).contains("hush"));
}

#[cfg(unix)]
#[test]
fn settings_that_others_can_change_or_whose_login_they_can_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let dir = with_own();
    let file = dir.path().join("sdc.yaml");
    let warned = |mode: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        load(&dir, &[], &Flags::default()).unwrap().warnings
    };
    assert!(warned(0o600).is_empty());
    assert!(warned(0o644)[0].contains("sdc.yaml can be read by others (mode 0644): chmod 600 "));
    fs::write(&file, "package: g1-small\n").unwrap();
    assert!(warned(0o644).is_empty(), "nothing in it is a secret");
    assert!(warned(0o666)[0].contains("can be read and changed by others"));
}

#[test]
fn a_profile_that_is_not_json_is_named_with_line_and_column() {
    let dir = folder(&[("profiles.d/bad.json", "{\n  \"url\": oops\n}")]);
    let error = profile::read(dir.path(), "bad").unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.to_string().ends_with("bad.json:2:10: not a profile"), "{error}");
    let dir = folder(&[("profiles.d/bad.json", r#"{"url": 7}"#)]);
    assert!(profile::read(dir.path(), "bad").unwrap_err().to_string().contains("bad.json:1:"));
}

#[test]
fn a_missing_field_is_an_error_and_an_unknown_one_a_warning() {
    let dir = folder(&[("profiles.d/a.json", r#"{"url":"https://a","account":"a"}"#)]);
    assert!(profile::read(dir.path(), "a").unwrap_err().to_string().ends_with("a.json: the profile has no 'keyId'"));
    let dir =
        folder(&[("profiles.d/a.json", r#"{"url":"https://a","account":"a","keyId":"k","user":null,"color":"red"}"#)]);
    let flags = Flags { profile: Some("a".into()), ..Flags::default() };
    let config = load(&dir, &[], &flags).unwrap();
    assert!(config.warnings[0].ends_with("a.json: unknown fields 'color'"), "{:?}", config.warnings);
    let error = load(&dir, &[], &Flags { profile: Some("b".into()), ..Flags::default() }).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.hints()[0].as_str()),
        ("there is no profile 'b'", "the profiles are a")
    );
}

#[test]
fn a_name_cannot_lead_out_of_the_folder() {
    for name in ["", "..", "../a", "a/b", "a\\b", ".hidden", "-a", "a b", "a\0", "é"] {
        assert_eq!(profile::file(Path::new("/x"), name).unwrap_err().kind(), Kind::Usage, "{name:?}");
    }
    for name in ["a", "A1_.@-z", "0"] {
        assert!(profile::check_name(name).is_ok());
    }
}

fn full(name: &str) -> profile::Profile {
    profile::Profile {
        name: name.into(),
        url: "https://a".into(),
        account: "a".into(),
        key_id: "k".into(),
        insecure: Some(true),
        user: Some("u".into()),
        roles: vec!["r".into()],
        act_as: Some("b".into()),
        unknown: vec!["never written".into()],
    }
}

#[test]
fn a_profile_is_written_as_node_triton_writes_it_and_read_back() {
    let dir = folder(&[]);
    let path = profile::write(dir.path(), &full("new")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let keys: Vec<String> =
        serde_json::from_str::<serde_json::Map<_, _>>(&text).unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["url", "account", "keyId", "insecure", "user", "roles", "actAsAccount"]);
    let read = profile::read(dir.path(), "new").unwrap();
    assert_eq!(read, profile::Profile { unknown: vec![], ..full("new") });
    let minimal = profile::Profile { insecure: None, user: None, roles: vec![], act_as: None, ..full("min") };
    let text = fs::read_to_string(profile::write(dir.path(), &minimal).unwrap()).unwrap();
    assert_eq!(text, "{\n  \"url\": \"https://a\",\n  \"account\": \"a\",\n  \"keyId\": \"k\"\n}\n");
    assert_eq!(profile::list(dir.path()).unwrap(), ["min", "new"]);
    assert_eq!(fs::read_dir(dir.path().join("profiles.d")).unwrap().count(), 2, "no temporary files are left");
    assert!(profile::write(dir.path(), &full("env")).is_err());
    profile::remove(dir.path(), "min").unwrap();
    assert_eq!(profile::list(dir.path()).unwrap(), ["new"]);
    assert!(profile::remove(dir.path(), "min").is_err());
}

#[test]
fn the_current_profile_changes_back_and_forth_and_other_keys_stay() {
    let dir = folder(&[
        ("profiles.d/a.json", LAB),
        ("profiles.d/b.json", LAB),
        ("config.json", r#"{"cacheDir":"x","n":1,"profile":"a"}"#),
    ]);
    let at = dir.path();
    assert_eq!(profile::set_current(at, "b").unwrap(), "b");
    assert_eq!(profile::current(at).unwrap().as_deref(), Some("b"));
    assert_eq!(profile::set_current(at, "-").unwrap(), "a");
    assert_eq!(profile::set_current(at, "-").unwrap(), "b");
    let text = fs::read_to_string(at.join("config.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(settings, serde_json::json!({"cacheDir": "x", "n": 1, "profile": "b", "oldProfile": "a"}));
    assert_eq!(profile::set_current(at, "nope").unwrap_err().to_string(), "there is no profile 'nope'");
    assert_eq!(profile::set_current(at, "env").unwrap(), "env");
    let empty = folder(&[]);
    assert!(profile::set_current(empty.path(), "-").is_err());
    assert_eq!(profile::current(empty.path()).unwrap(), None);
    assert!(profile::list(empty.path()).unwrap().is_empty());
}

#[test]
fn a_profile_that_is_removed_is_no_longer_the_current_one_nor_the_one_before() {
    let dir = both();
    let at = dir.path();
    profile::set_current(at, "lab").unwrap();
    assert!(!profile::remove(at, "prod").unwrap());
    assert_eq!(profile::current(at).unwrap().as_deref(), Some("lab"));
    assert!(profile::set_current(at, "-").is_err());
    assert!(profile::remove(at, "lab").unwrap());
    assert_eq!(fs::read_to_string(at.join("config.json")).unwrap(), "{}\n");
    assert!(load(&dir, &[], &Flags::default()).unwrap().profile.is_none());
}

#[test]
fn a_current_profile_that_is_gone_is_named_with_what_to_do() {
    let dir = both();
    fs::remove_file(dir.path().join("profiles.d/prod.json")).unwrap();
    let error = load(&dir, &[], &Flags::default()).unwrap_err();
    assert!(error.to_string().ends_with("config.json: there is no profile 'prod'"), "{error}");
    assert_eq!(error.hints()[0], "the profiles are lab");
    assert!(error.hints()[1].as_str().contains("profile use"), "{error:?}");
    // What is gone is none to go back to.
    assert_eq!(profile::set_current(dir.path(), "lab").unwrap(), "lab");
    assert!(profile::set_current(dir.path(), "-").is_err());
}

#[cfg(unix)]
#[test]
fn what_is_hinted_of_a_profile_that_is_there_or_is_not_fits() {
    let dir = folder(&[]);
    let absent = profile::remove(dir.path(), "two").unwrap_err();
    assert_eq!((absent.message(), absent.hints()), ("there is no profile 'two'", &[][..]));
    assert_eq!(profile::read(dir.path(), "two").unwrap_err().hints(), ["to create it: profile create two"]);
    profile::create(dir.path(), &full("two"), false).unwrap();
    assert_eq!(profile::remove(dir.path(), "one").unwrap_err().hints(), ["the profiles are two"]);
    let hints = ["to change it: profile edit two", "to overwrite it: --force"];
    assert_eq!(profile::create(dir.path(), &full("two"), false).unwrap_err().hints(), hints);
    assert!(profile::create(dir.path(), &full("two"), true).is_ok());
}

#[test]
fn a_linked_config_file_stays_a_link() {
    let dir = folder(&[("profiles.d/a.json", LAB), ("real/config.json", "{}")]);
    std::os::unix::fs::symlink(dir.path().join("real/config.json"), dir.path().join("config.json")).unwrap();
    profile::set_current(dir.path(), "a").unwrap();
    assert!(dir.path().join("config.json").is_symlink());
    assert!(fs::read_to_string(dir.path().join("real/config.json")).unwrap().contains("\"a\""));
}

#[test]
fn a_role_of_a_profile_that_would_steer_a_terminal_is_refused() {
    let profile = r#"{"url":"https://a.example.com","account":"a","keyId":"aa","roles":["ops","\u001b[2J"]}"#;
    let dir = folder(&[("profiles.d/p.json", profile)]);
    let error = load(&dir, &[("SDC_PROFILE", "p")], &Flags::default()).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
    assert!(error.message().contains(r"'\u{1b}[2J'"), "{error}");
}

/// Text in which there is much that JSON, URLs and terminals care for.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9:/@.,\\[\\]?# -]{0,20}", "(https?://)?[a-z.]{1,9}(:[0-9]{1,6})?/{0,2}", any::<String>()]
}

/// No words about a file or variable steer the terminal that they are shown on.
fn is_harmless(error: &sdc::Error) -> bool {
    let words = error.hints().iter().map(sdc::error::Hint::as_str).chain([error.message()]);
    words.into_iter().all(|words| !words.contains(char::is_control))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_profile_is_read_back_as_it_was_written(
        texts in (any_text(), any_text(), any_text()),
        user in proptest::option::of(any_text()),
        roles in proptest::collection::vec(any_text(), 0..3),
        insecure in proptest::option::of(any::<bool>()),
    ) {
        let dir = folder(&[]);
        let (url, account, key_id) = texts;
        let whole = ![&url, &account, &key_id].contains(&&String::new());
        let written = profile::Profile {
            name: "p".to_owned(), url, account, key_id, insecure, user, roles, ..profile::Profile::default()
        };
        profile::write(dir.path(), &written).unwrap();
        match profile::read(dir.path(), "p") {
            Ok(read) => {
                // An empty text is none.
                let user = written.user.clone().filter(|user| !user.is_empty());
                prop_assert_eq!(read, profile::Profile { user, ..written });
            }
            Err(error) => prop_assert!(!whole && is_harmless(&error), "{error:?}"),
        }
    }

    #[test]
    fn whatever_stands_in_a_profile_is_taken_or_refused_in_harmless_words(
        field in prop::sample::select(vec!["url", "account", "keyId", "user", "roles", "actAsAccount", "insecure", "other"]),
        value in prop_oneof![
            any_text().prop_map(|text| serde_json::to_string(&text).unwrap()),
            any_text().prop_map(|text| serde_json::to_string(&[text]).unwrap()),
            "[0-9{}\\[\\],:\"a-z ]{0,8}",
        ],
    ) {
        let file = PROD.replacen('{', &format!("{{\"{field}\":{value},"), 1);
        let once = PROD.replace(&format!("\"{field}\":"), "\"more\":").replacen('{', &format!("{{\"{field}\":{value},"), 1);
        for text in [&file, &once, &value] {
            let dir = folder(&[("profiles.d/p.json", text), ("config.json", r#"{"profile":"p"}"#)]);
            match load(&dir, &[], &Flags::default()) {
                Ok(config) => for (name, shown, _) in config.rows() {
                    prop_assert!(!shown.contains(char::is_control), "{name}: {shown:?}");
                },
                Err(error) => prop_assert!(is_harmless(&error), "{error:?}"),
            }
        }
    }

    #[test]
    fn whatever_a_variable_holds_is_taken_or_refused_in_harmless_words(
        name in prop::sample::select(vec![
            "SDC_PROFILE", "SDC_URL", "SDC_ACCOUNT", "SDC_USER", "SDC_ROLE", "SDC_ACT_AS", "SDC_KEY_ID", "SDC_SIGNING",
            "SDC_TLS_INSECURE", "SDC_ACCEPT_VERSION", "SDC_CONNECT_TIMEOUT", "SDC_REQUEST_TIMEOUT", "SDC_RETRY", "TRITON_URL",
        ]),
        text in any_text(),
    ) {
        match load(&both(), &[(name, &text)], &Flags::default()) {
            Ok(config) => for (name, shown, _) in config.rows() {
                prop_assert!(!shown.contains(char::is_control), "{name}: {shown:?}");
            },
            Err(error) => prop_assert!(is_harmless(&error), "{error:?}"),
        }
    }

    #[test]
    fn whatever_stands_in_config_json_is_taken_or_refused_in_harmless_words(text in any_text(), name in any_text()) {
        for text in [text, serde_json::json!({ "profile": name, "oldProfile": name }).to_string()] {
            let dir = folder(&[("profiles.d/p.json", LAB), ("config.json", &text)]);
            if let Err(error) = load(&dir, &[], &Flags::default()) {
                prop_assert!(is_harmless(&error), "{error:?}");
            }
        }
    }
}
