//! Any bytes as a certificate, as a file of certificates, as a pin and as a proxy, with a NUL between the last two.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::config::{Pin, Route, proxy};
use sdc::fuzzing;

/// What is said of a certificate steers no terminal, and is no book.
fn harmless(words: &str) {
    assert!(!words.contains(|letter: char| letter.is_control()), "{words:?}");
    assert!(words.len() < 4000, "{} bytes", words.len());
}

fuzz_target!(|bytes: &[u8]| {
    for words in fuzzing::certificate(bytes) {
        harmless(&words);
    }
    if let Err(words) = fuzzing::certificates(bytes) {
        harmless(&words);
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(pin) = Pin::parse(&text) {
        assert_eq!(Pin::parse(&pin.to_string()), Ok(pin));
    }
    let (proxy, exempt) = text.split_once('\0').unwrap_or((&text, ""));
    for url in ["https://cloud.example:8443", "https://10.1.2.3", "https://[fd00::1]"] {
        let var = |name: &str| match name {
            "https_proxy" => Some(proxy.to_owned()),
            "no_proxy" => Some(exempt.to_owned()),
            _ => None,
        };
        let set = move |name: &str| var(name).filter(|value| !value.is_empty());
        let url = url.parse().expect("a URL");
        match proxy::route(&url, &set) {
            Ok(Route::Through(found)) => {
                harmless(&found.to_string());
                assert!(!found.place().contains('@'), "{found}");
            }
            Ok(Route::Direct) => assert!(proxy.is_empty()),
            Ok(Route::Exempt { .. }) => {}
            Err(error) => assert_eq!(error.kind(), sdc::error::Kind::Usage),
        }
    }
});
