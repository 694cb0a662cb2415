//! Settings as variables, by which sdc and the other tools for this service reach the same account: the families
//! `SDC_*` and `TRITON_*`. No secret is among them. How a shell sets them is the business of `grammar::shell`.

use std::path::Path;

use super::{Config, Origin, Setting, profile};

/// A variable, and its value if it has one: without it, what is left over in a shell is unset.
pub type Export = (&'static str, Option<String>);

const KEY: [&str; 4] = ["SDC_KEY_FILE", "TRITON_KEY_FILE", "SDC_KEY_MATERIAL", "TRITON_KEY_MATERIAL"];
/// What smartdc, node-triton and triton-go (terraform) read.
const INSECURE: [&str; 4] = ["SDC_TESTING", "SDC_TLS_INSECURE", "TRITON_TLS_INSECURE", "TRITON_SKIP_TLS_VERIFY"];
/// Variables that no other tool reads, and that no profile can hold.
const OWN: [&str; 8] = [
    "SDC_CACERT",
    "SDC_TLS_PIN",
    "SDC_SIGNING",
    "SDC_ACCEPT_VERSION",
    "SDC_CONNECT_TIMEOUT",
    "SDC_REQUEST_TIMEOUT",
    "SDC_RETRY",
    "SDC_RATE",
];
/// Who is meant and where, in both families.
const MEANT: [[&str; 2]; 7] = [
    ["SDC_PROFILE", "TRITON_PROFILE"],
    ["SDC_URL", "TRITON_URL"],
    ["SDC_ACCOUNT", "TRITON_ACCOUNT"],
    ["SDC_USER", "TRITON_USER"],
    ["SDC_ROLE", "TRITON_ROLE"],
    ["SDC_ACT_AS", "TRITON_ACT_AS"],
    ["SDC_KEY_ID", "TRITON_KEY_ID"],
];

/// All variables that [`exports`] may set.
pub fn names() -> impl Iterator<Item = &'static str> {
    MEANT.into_iter().flatten().chain(INSECURE).chain(KEY).chain(OWN)
}

/// Those that say who is meant and where.
pub fn meant() -> impl Iterator<Item = &'static str> {
    MEANT.into_iter().flatten()
}

/// The variables that lead to these settings. `key_id` is the fingerprint of their key, as the other tools take it.
///
/// Variables that say where the key is stay as they are, unless a profile was named: it has a key of its own. Those
/// that are sdc's alone are there where an option of this call says so.
pub fn exports(config: &Config, key_id: Option<&str>) -> Vec<Export> {
    let [sdc, triton] = profiles(config);
    let text = |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let roles = config.roles.as_ref().map(|roles| roles.value.join(","));
    let both = |value: Option<String>| [value.clone(), value];
    let values = [
        [Some(sdc), Some(triton)],
        both(text(&config.url)),
        both(text(&config.account)),
        both(text(&config.user)),
        both(roles),
        both(text(&config.act_as)),
        both(key_id.map(str::to_owned)),
    ];
    let mut all: Vec<Export> = MEANT.into_iter().flatten().zip(values.into_iter().flatten()).collect();
    all.extend(INSECURE.map(|name| (name, config.insecure.value.then(|| "true".to_owned()))));
    if !keeps_key(config) {
        let typed = config.key_file.as_ref().filter(|file| matches!(file.origin, Origin::Flag(_) | Origin::Own { .. }));
        let file = typed.map(|file| absolute(&file.value));
        all.extend(KEY.into_iter().zip([file.clone(), file, None, None]));
    }
    all.extend(OWN.into_iter().zip(own(config)).filter(|(_, value)| value.is_some()));
    all
}

/// Whether the variables that say where the key is stay as they are.
pub fn keeps_key(config: &Config) -> bool {
    let named = matches!(config.profile, Some(Setting { origin: Origin::Flag(_), .. }));
    let file = config.key_file.as_ref().map(|file| &file.origin);
    let origin = file.or(config.key_material.as_ref().map(|key| &key.origin));
    !named && matches!(origin, Some(Origin::Env(_)))
}

/// What names the profile to sdc and to node-triton: itself, where it says all of this alone and where the tool finds
/// it; else `env`, for the variables beside it.
fn profiles(config: &Config) -> [String; 2] {
    fn of<T>(setting: Option<&Setting<T>>) -> bool {
        setting.is_none_or(|setting| matches!(setting.origin, Origin::Profile { .. } | Origin::Default))
    }
    let alone = of(config.url.as_ref())
        && of(config.account.as_ref())
        && of(config.user.as_ref())
        && of(config.roles.as_ref())
        && of(config.act_as.as_ref())
        && of(config.key_id.as_ref())
        && of(Some(&config.insecure))
        && !matches!(config.key_file, Some(Setting { origin: Origin::Flag(_), .. }));
    let name = config.profile.as_ref().filter(|_| alone).map_or(profile::ENV, |profile| profile.value.as_str());
    // The folder is sdc's alone there.
    let found = config.env.var_os("SDC_CONFIG_DIR").is_none();
    [name.to_owned(), (if found { name } else { profile::ENV }).to_owned()]
}

/// The values of [`OWN`], of options alone.
fn own(config: &Config) -> [Option<String>; 8] {
    fn typed<T>(setting: Option<&Setting<T>>, show: impl Fn(&T) -> String) -> Option<String> {
        let setting = setting.filter(|setting| matches!(setting.origin, Origin::Flag(_)))?;
        Some(show(&setting.value))
    }
    let time = |time: &std::time::Duration| format!("{}s", time.as_secs_f64());
    [
        typed(config.cacert.as_ref(), |file| absolute(file)),
        typed(config.pins.as_ref(), |pins| pins.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")),
        typed(Some(&config.signing), String::clone),
        typed(config.accept_version.as_ref(), String::clone),
        typed(Some(&config.connect_timeout), time),
        typed(Some(&config.request_timeout), time),
        typed(config.retry.as_ref(), time),
        typed(config.rate.as_ref(), f64::to_string),
    ]
}

/// Leads there from any folder.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{Dirs, Flags, Sources};

    fn settings(vars: &[(&str, &str)], flags: &Flags) -> (Config, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs { config: Some(home.path().to_owned()), ..Dirs::default() };
        let coal = profile::Profile {
            name: "coal".to_owned(),
            url: "https://coal".to_owned(),
            account: "acme".to_owned(),
            key_id: "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99".to_owned(),
            insecure: Some(true),
            roles: vec!["ops".to_owned(), "dev".to_owned()],
            ..profile::Profile::default()
        };
        profile::write(home.path(), &coal).unwrap();
        let vars: HashMap<String, String> = vars.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        (Config::load(flags, &Sources::of(vars, dirs)).unwrap(), home)
    }

    fn value(all: &[Export], name: &str) -> Option<Option<String>> {
        all.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn coal() -> Flags {
        Flags { profile: Some("coal".to_owned()), ..Flags::default() }
    }

    #[test]
    fn a_profile_is_named_and_spelled_out_in_both_families() {
        let (config, _home) = settings(&[("SDC_KEY_FILE", "/left/over"), ("TRITON_USER", "left")], &coal());
        let all = exports(&config, Some("aa"));
        for family in ["SDC", "TRITON"] {
            let of = |name: &str| value(&all, &format!("{family}_{name}")).unwrap();
            assert_eq!(of("PROFILE").as_deref(), Some("coal"));
            assert_eq!(of("URL").as_deref(), Some("https://coal"));
            assert_eq!(of("ACCOUNT").as_deref(), Some("acme"));
            assert_eq!(of("ROLE").as_deref(), Some("ops,dev"));
            assert_eq!(of("KEY_ID").as_deref(), Some("aa"));
            assert_eq!(of("TLS_INSECURE").as_deref(), Some("true"));
            assert_eq!((of("USER"), of("ACT_AS")), (None, None));
            // A key of another account's must not sign for this one.
            assert_eq!((of("KEY_FILE"), of("KEY_MATERIAL")), (None, None));
        }
        assert!(value(&all, "SDC_CACERT").is_none());
    }

    #[test]
    fn an_option_beside_a_profile_turns_it_into_variables_alone() {
        let flags = Flags { account: Some("other".to_owned()), cacert: Some("ca.pem".into()), ..coal() };
        let (config, _home) = settings(&[], &flags);
        let all = exports(&config, None);
        assert_eq!(value(&all, "TRITON_PROFILE"), Some(Some("env".to_owned())));
        assert_eq!(value(&all, "SDC_ACCOUNT"), Some(Some("other".to_owned())));
        assert_eq!(value(&all, "SDC_ROLE"), Some(None), "the roles are those of the profile's account");
        assert!(value(&all, "SDC_CACERT").unwrap().unwrap().ends_with("/ca.pem"));
    }

    #[test]
    fn variables_that_hold_the_key_stay_where_the_settings_are_those_of_the_environment() {
        let vars = [("SDC_URL", "http://h"), ("SDC_ACCOUNT", "acme"), ("SDC_KEY_MATERIAL", "s3cret")];
        let (config, _home) = settings(&vars, &Flags::default());
        let all = exports(&config, Some("aa"));
        assert_eq!(value(&all, "SDC_PROFILE"), Some(Some("env".to_owned())));
        assert_eq!(value(&all, "TRITON_KEY_MATERIAL"), None);
        assert!(!format!("{all:?}").contains("s3cret"));
    }

    #[test]
    fn whatever_is_set_can_be_unset() {
        let (config, _home) = settings(&[], &coal());
        assert!(exports(&config, None).iter().all(|(name, _)| names().any(|known| known == *name)));
    }
}
