//! Any bytes as a profile, as `config.json` and as variables of the environment, with a NUL between them.
#![no_main]

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sdc::Error;
use sdc::config::profile::{self, Profile};
use sdc::config::{Config, Dirs, Flags, Sources, duration};

static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = std::env::temp_dir().join(format!("sdc-fuzz-{}", std::process::id()));
    fs::create_dir_all(dir.join("profiles.d")).expect("a folder");
    dir
});

const VARIABLES: &[&str] = &[
    "SDC_PROFILE", "SDC_URL", "SDC_ACCOUNT", "SDC_USER", "SDC_KEY_ID", "SDC_ROLE", "SDC_ACT_AS", "SDC_TLS_INSECURE",
    "SDC_SIGNING", "SDC_ACCEPT_VERSION", "SDC_CONNECT_TIMEOUT", "SDC_REQUEST_TIMEOUT", "TRITON_PROFILE", "TRITON_URL",
    "TRITON_ACCOUNT", "TRITON_KEY_ID",
];

/// What is said of a file or variable steers no terminal.
fn harmless(error: &Error) {
    for words in error.hints().iter().map(sdc::error::Hint::as_str).chain([error.message()]) {
        assert!(!words.contains(|letter: char| letter.is_control() && letter != '\n'), "{words:?}");
    }
}

fn load(vars: HashMap<String, String>) {
    let dirs = Dirs { config: Some(DIR.clone()), ..Dirs::default() };
    match Config::load(&Flags::default(), &Sources::of(vars, dirs)) {
        Ok(config) => {
            for (name, value, _) in config.rows() {
                assert!(!value.contains(char::is_control), "{name}: {value:?}");
            }
            if let Ok(url) = config.url() {
                assert!(url.starts_with("http") && !url.ends_with('/'), "{url}");
                assert!(config.host().is_some());
            }
            assert!(config.request_timeout.value.as_nanos() > 0);
        }
        Err(error) => harmless(&error),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let (file, settings, vars) = (parts.next().unwrap_or_default(), parts.next(), parts.next().unwrap_or_default());
    fs::write(DIR.join("profiles.d/p.json"), file).expect("a file");
    fs::write(DIR.join("config.json"), settings.unwrap_or(br#"{"profile":"p"}"#)).expect("a file");

    match profile::read(&DIR, "p") {
        Ok(read) => {
            let again = Profile { name: "q".to_owned(), unknown: Vec::new(), ..read };
            profile::write(&DIR, &again).expect("a profile that was read");
            assert_eq!(profile::read(&DIR, "q").expect("its own file"), again);
        }
        Err(error) => harmless(&error),
    }
    if let Err(error) = profile::current(&DIR) {
        harmless(&error);
    }
    load(HashMap::new());
    let text = String::from_utf8_lossy(vars);
    let pairs = VARIABLES.iter().zip(text.split('\n'));
    load(pairs.map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect());
    for text in text.split('\n') {
        if profile::check_name(text).is_ok() {
            let path = profile::file(&DIR, text).expect("a good name");
            assert_eq!(path.parent(), Some(DIR.join("profiles.d").as_path()));
        }
        if let Ok(time) = duration("TIME", text) {
            assert!(duration("TIME", &format!("{}s", time.as_secs_f64())).is_ok(), "{time:?}");
        }
    }
});
