//! Variables that whoever set them believes to count, and that do not: those of other tools for this service, mistyped
//! ones, and those that are empty. Their values are never shown.

use super::env::FAMILIES;
use super::{Config, Origin, Setting, exports, own};
use crate::grammar::nearest;

/// Variables of other tools for this service, and those that people take to be there; and what says the same here.
const FOREIGN: &[(&str, &str)] = &[
    ("TRITON_SKIP_TLS_VERIFY", "SDC_TLS_INSECURE"),
    ("TRITON_RBAC_USER", "SDC_USER"),
    ("TRITON_RBAC_ROLE", "SDC_ROLE"),
    ("SDC_API_VERSION", "SDC_ACCEPT_VERSION"),
    ("SDC_KEY_PASSPHRASE", "SDC_KEY_PASSPHRASE_FILE"),
    ("TRITON_KEY_PASSPHRASE", "SDC_KEY_PASSPHRASE_FILE"),
    ("TRITON_KEY_PASSPHRASE_FILE", "SDC_KEY_PASSPHRASE_FILE"),
    ("TRITON_KEY_PATH", "SDC_KEY_FILE"),
    ("SDC_KEY_PATH", "SDC_KEY_FILE"),
    ("SDC_CA_FILE", "SDC_CACERT"),
    ("TRITON_CACERT", "SDC_CACERT"),
    ("TRITON_CONFIG_DIR", "SDC_CONFIG_DIR"),
    ("TRITON_TRACE_HTTP", "--debug"),
    ("SDC_ASSUME_YES", "--yes"),
    ("SDC_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
    ("TRITON_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
    ("SDC_PRIVATE_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
    ("TRITON_PRIVATE_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
    ("SDC_PASSPHRASE", "SDC_KEY_PASSPHRASE_FILE"),
    ("TRITON_PASSPHRASE", "SDC_KEY_PASSPHRASE_FILE"),
    ("SDC_INSECURE", "SDC_TLS_INSECURE"),
    ("TRITON_INSECURE", "SDC_TLS_INSECURE"),
    ("SDC_LOGIN", "SDC_ACCOUNT"),
    ("TRITON_LOGIN", "SDC_ACCOUNT"),
    ("SDC_ENDPOINT", "SDC_URL"),
    ("TRITON_ENDPOINT", "SDC_URL"),
    ("SDC_FORMAT", "SDC_OUTPUT"),
    ("SDC_DEBUG", "--debug"),
    ("SDC_RETRIES", "SDC_RETRY"),
    ("TRITON_RETRIES", "SDC_RETRY"),
    ("TRITON_TIMEOUT", "SDC_TIMEOUT"),
];

/// Variables of ours that are no settings.
const OTHERS: &[&str] = &["SDC_CONFIG_DIR", "SDC_CACHE_DIR", "SDC_COMPLETE"];

/// What is to be said of them, each once.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let set = config.env.for_this_service();
    let empty = set.iter().filter(|(name, empty)| *empty && matters(config, name));
    let empty: Vec<&str> = empty.map(|(name, _)| name.as_str()).collect();
    let has = |name: &str| set.iter().any(|(known, empty)| known == name && !empty);
    // What is so anyway needs no word.
    let so = |name: &str, own: &str| config.insecure.value && own == "SDC_TLS_INSECURE" && has(name);
    let foreign = FOREIGN.iter().filter(|(name, own)| has(name) && !so(name, own));
    let foreign = foreign.map(|(name, own)| format!("{name} (here: {own})"));
    let mistyped = set.iter().filter(|(_, empty)| !empty);
    let mistyped = mistyped.filter_map(|(name, _)| Some(format!("{name} (did you mean {}?)", meant(name)?)));
    let unread: Vec<String> = foreign.chain(mistyped).collect();
    let mut words = Vec::new();
    if !unread.is_empty() {
        words.push(format!("set, and not read by sdc: {}", unread.join(", ")));
    }
    if !empty.is_empty() {
        words.push(format!("set but empty, which is the same as not set: {}", empty.join(", ")));
    }
    words.extend(overruled(config));
    words
}

/// What is said of variables that would count but for the one that names a profile, and that say something else.
fn overruled(config: &Config) -> Option<String> {
    let Some(Setting { value: profile, origin: Origin::Env(named) }) = &config.profile else { return None };
    if profile == super::profile::ENV {
        return None;
    }
    let text = |setting: &Option<Setting<String>>| setting.as_ref().map(|setting| setting.value.clone());
    let said = [
        ("URL", "--url", text(&config.url)),
        ("ACCOUNT", "--account", text(&config.account)),
        ("USER", "--user", text(&config.user)),
        ("ACT_AS", "--act-as", text(&config.act_as)),
        ("KEY_ID", "--key-id", text(&config.key_id)),
    ];
    let (mut variables, mut options) = (Vec::new(), Vec::new());
    for (end, option, counts) in said {
        let value = |variable: &String| Some(config.env.var(variable)?.trim().trim_end_matches('/').to_owned());
        // The first family goes before the other.
        let set = FAMILIES.iter().map(|family| format!("{family}{end}")).find(|variable| value(variable).is_some());
        let set = set.filter(|variable| value(variable) != counts);
        if set.is_some() && matches!(source(config, end), Some((None | Some(Origin::Profile { .. }), _))) {
            variables.extend(set);
            options.push(option);
        }
    }
    let words = || {
        format!(
            "not counted, since {named} names profile {profile}: {}; an option counts: {}",
            variables.join(", "),
            options.join(", ")
        )
    };
    (!variables.is_empty()).then(words)
}

/// All variables that are read.
fn known() -> impl Iterator<Item = &'static str> {
    exports::names().chain(own::KNOWN.iter().map(|known| known.variable)).chain(OTHERS.iter().copied())
}

/// The variable that was meant by one that nobody knows, if its name is nearly the same behind the family's.
fn meant(name: &str) -> Option<&'static str> {
    if known().chain(FOREIGN.iter().map(|(name, _)| *name)).any(|known| known == name) {
        return None;
    }
    FAMILIES.iter().find_map(|family| {
        let ours: Vec<&'static str> = known().filter(|known| known.starts_with(family)).collect();
        let ends: Vec<&'static str> = ours.iter().filter_map(|known| known.strip_prefix(family)).collect();
        let near = nearest(name.strip_prefix(family)?, &ends)?;
        ours.into_iter().find(|known| known.strip_prefix(family) == Some(near))
    })
}

/// The settings of variables, by their names behind the family's: where each comes from, and whether its lack changes
/// what happens.
fn source<'a>(config: &'a Config, name: &str) -> Option<(Option<&'a Origin>, bool)> {
    fn of<T>(setting: Option<&Setting<T>>) -> Option<&Origin> {
        setting.map(|setting| &setting.origin)
    }
    let key = || of(config.key_file.as_ref()).or(of(config.key_material.as_ref())).or(of(config.key_id.as_ref()));
    let variable = format!("SDC_{name}");
    let found = match name {
        "PROFILE" => (of(config.profile.as_ref()), false),
        "URL" => (of(config.url.as_ref()), true),
        "ACCOUNT" => (of(config.account.as_ref()), true),
        "USER" => (of(config.user.as_ref()), false),
        "ROLE" => (of(config.roles.as_ref()), false),
        "ACT_AS" => (of(config.act_as.as_ref()), false),
        "KEY_ID" | "KEY_FILE" | "KEY_MATERIAL" => (key(), true),
        "KEY_PASSPHRASE_FILE" => (of(config.passphrase_file.as_ref()), false),
        "CACERT" => (of(config.cacert.as_ref()), false),
        // Without it less is asked of a certificate, and nobody sees that.
        "TLS_PIN" => (of(config.pins.as_ref()), true),
        "PROXY" => (of(config.proxy.as_ref()), false),
        "SIGNING" => (Some(&config.signing.origin), false),
        "ACCEPT_VERSION" => (of(config.accept_version.as_ref()), false),
        "CONNECT_TIMEOUT" => (Some(&config.connect_timeout.origin), false),
        "REQUEST_TIMEOUT" => (Some(&config.request_timeout.origin), false),
        "RATE" => (of(config.rate.as_ref()), false),
        "SAPI_URL" => (of(config.sapi.as_ref()), false),
        "SERVICES" => (of(config.services.as_ref()), false),
        "RETRY" => (of(config.retry.as_ref()), false),
        _ => {
            let known = own::KNOWN.iter().find(|known| known.variable == variable)?;
            (of(config.defaults.get(known.name)), false)
        }
    };
    Some(found)
}

/// Whether something else decides since this variable is empty.
fn matters(config: &Config, name: &str) -> bool {
    if !known().any(|known| known == name) {
        return false;
    }
    let Some((family, end)) = FAMILIES.iter().find_map(|family| Some((*family, name.strip_prefix(family)?))) else {
        return false;
    };
    let Some((origin, needed)) = source(config, end) else { return false };
    let named = matches!(config.profile, Some(Setting { origin: Origin::Flag(_) | Origin::Env(_), .. }));
    match origin {
        None | Some(Origin::Default) => needed,
        Some(Origin::Flag(_)) => false,
        Some(Origin::Env(other)) => !other.starts_with(family) && family == FAMILIES[0],
        // A profile that is named decides alone.
        Some(Origin::Profile { .. }) => !named,
        Some(Origin::Current(_) | Origin::Own { .. }) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{Dirs, Flags, Sources, profile};

    fn told(vars: &[(&str, &str)], flags: &Flags) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        let coal = profile::Profile {
            name: "coal".to_owned(),
            url: "https://coal".to_owned(),
            account: "acme".to_owned(),
            key_id: "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99".to_owned(),
            ..profile::Profile::default()
        };
        profile::write(home.path(), &coal).unwrap();
        std::fs::write(home.path().join("config.json"), r#"{"profile":"coal"}"#).unwrap();
        let vars: HashMap<String, String> = vars.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let dirs = Dirs { config: Some(home.path().to_owned()), ..Dirs::default() };
        Config::load(flags, &Sources::of(vars, dirs)).unwrap().warnings
    }

    #[test]
    fn a_variable_that_was_mistyped_is_told_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("SDC_TIMOUT", "SDC_TIMEOUT"),
            ("SDC_ACOUNT", "SDC_ACCOUNT"),
            ("SDC_URI", "SDC_URL"),
            ("SDC_TLS_PINS", "SDC_TLS_PIN"),
            ("SDC_KEY_MATERAIL", "SDC_KEY_MATERIAL"),
            ("TRITON_ACCOUT", "TRITON_ACCOUNT"),
        ] {
            let words = format!("set, and not read by sdc: {name} (did you mean {meant}?)");
            assert_eq!(told(&[(name, "s3cret")], &Flags::default()), [words]);
        }
        for name in ["SDC_HOME", "SDC_VERSION", "SDC_JAVA_OPTS", "TRITON_NETWORK_NAME", "SDC_", "TIMOUT", "SDC_TESTING"]
        {
            assert!(told(&[(name, "1")], &Flags::default()).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_variable_that_people_take_to_be_there_is_told_with_the_one_that_is() {
        for (name, own) in [
            ("SDC_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
            ("SDC_PRIVATE_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
            ("TRITON_KEY", "SDC_KEY_MATERIAL, or SDC_KEY_FILE"),
            ("SDC_INSECURE", "SDC_TLS_INSECURE"),
            ("SDC_FORMAT", "SDC_OUTPUT"),
            ("SDC_DEBUG", "--debug"),
            ("SDC_PASSPHRASE", "SDC_KEY_PASSPHRASE_FILE"),
            ("SDC_RETRIES", "SDC_RETRY"),
            ("SDC_LOGIN", "SDC_ACCOUNT"),
            ("SDC_ENDPOINT", "SDC_URL"),
            ("TRITON_TIMEOUT", "SDC_TIMEOUT"),
        ] {
            let words = format!("set, and not read by sdc: {name} (here: {own})");
            assert_eq!(told(&[(name, "s3cret")], &Flags::default()), [words]);
        }
        // Each leads to what is there.
        for variable in FOREIGN.iter().flat_map(|(_, own)| own.split(", or ")).filter(|own| !own.starts_with('-')) {
            assert!(known().any(|known| known == variable), "{variable}");
        }
        let so = [("SDC_INSECURE", "1"), ("SDC_TLS_INSECURE", "1")];
        assert!(told(&so, &Flags::default()).iter().all(|words| !words.contains("SDC_INSECURE")));
    }

    #[test]
    fn a_variable_that_a_named_profile_overrules_is_told_where_it_says_something_else() {
        let named = ("SDC_PROFILE", "coal");
        let all = [named, ("SDC_ACCOUNT", "globex"), ("TRITON_URL", "https://other"), ("SDC_USER", "ci")];
        let words = "not counted, since SDC_PROFILE names profile coal: TRITON_URL, SDC_ACCOUNT, SDC_USER; an option \
                     counts: --url, --account, --user";
        assert_eq!(told(&all, &Flags::default()), [words]);
        let same = [named, ("SDC_ACCOUNT", "acme"), ("SDC_URL", "https://coal/"), ("TRITON_ACCOUNT", "acme")];
        assert!(told(&same, &Flags::default()).is_empty());
        let second = [named, ("SDC_ACCOUNT", "acme"), ("TRITON_ACCOUNT", "globex")];
        assert!(told(&second, &Flags::default()).is_empty());
        let typed = Flags { account: Some("globex".to_owned()), ..Flags::default() };
        assert!(told(&[named, ("SDC_ACCOUNT", "other")], &typed).is_empty());
        // Whoever types a profile means it.
        let typed = Flags { profile: Some("coal".to_owned()), ..Flags::default() };
        assert!(told(&[("SDC_ACCOUNT", "globex")], &typed).is_empty());
        let none = [("SDC_PROFILE", "env"), ("SDC_ACCOUNT", "globex"), ("SDC_URL", "https://other")];
        assert!(told(&none, &Flags::default()).is_empty());
    }

    #[test]
    fn an_empty_variable_is_told_where_something_else_decides_for_it() {
        let empty = |vars: &[(&str, &str)], flags: &Flags| -> String {
            let told = told(vars, flags).join("; ");
            told.strip_prefix("set but empty, which is the same as not set: ").map_or(told.clone(), str::to_owned)
        };
        let (none, key) = (Flags::default(), ("SDC_KEY_MATERIAL", ""));
        assert_eq!(empty(&[key], &none), "SDC_KEY_MATERIAL");
        assert_eq!(empty(&[("SDC_URL", ""), ("SDC_TLS_PIN", "")], &none), "SDC_TLS_PIN, SDC_URL");
        assert_eq!(empty(&[("SDC_ACCOUNT", ""), ("TRITON_ACCOUNT", "jill")], &none), "SDC_ACCOUNT");
        assert_eq!(empty(&[("SDC_PROFILE", "")], &none), "SDC_PROFILE");
        // Nothing changes by these.
        assert_eq!(empty(&[key, ("SDC_KEY_FILE", "/k")], &none), "");
        assert_eq!(empty(&[("SDC_ACCOUNT", "jill"), ("TRITON_ACCOUNT", "")], &none), "");
        let vars = [("SDC_USER", ""), ("SDC_TIMEOUT", ""), ("SDC_CACERT", ""), ("SDC_OTHER", ""), ("SDC_TIMOUT", "")];
        assert_eq!(empty(&vars, &none), "");
        let typed = Flags { key_file: Some("/k".into()), ..Flags::default() };
        assert_eq!(empty(&[key], &typed), "");
        let named = Flags { profile: Some("coal".to_owned()), ..Flags::default() };
        assert_eq!(empty(&[("SDC_URL", "")], &named), "");
    }
}
