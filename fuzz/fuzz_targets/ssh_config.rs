//! Any text as `~/.ssh/config`: read without a panic, in bounded time, and to nothing but what it says.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sdc::config::ssh_config::{Names, SshConfig, parse};

fn read(text: &str, host: &str) -> SshConfig {
    let var = |name: &str| (name == "SSH_AUTH_SOCK" || name == "A").then(|| "/run/agent".to_owned());
    parse(text, &Names { host, home: Some(Path::new("/home/jill")), user: "jill", var: &var })
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let found = read(&text, "api.example.com");
    assert!(found.files.len() <= 32, "{found:?}");
    for path in found.files.iter().chain(found.agent.iter().flatten()) {
        assert!(!path.as_os_str().is_empty() && !path.to_string_lossy().contains('\n'), "{path:?}");
    }
    // Without the words nothing is found.
    let lower = text.to_ascii_lowercase();
    assert!(found.files.is_empty() || lower.contains("identityfile"));
    assert!(found.agent.is_none() || lower.contains("identityagent"));
    // What stands in a block that does not match is as if it were not there.
    let hidden = read(&format!("IdentityFile /first\nHost nobody\n{}", text.replace(['\r', '\n'], " ")), "other");
    assert_eq!(hidden.files, [Path::new("/first")], "{hidden:?}");
});
