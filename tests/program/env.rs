//! What `sdc env` prints, in the shells that evaluate it: whatever a profile holds, each variable is just that, what is
//! left over is gone, and nothing runs.
#![cfg(all(unix, feature = "cli"))]

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use sdc::cli::{Console, Streams, run};
use sdc::config::Env;
use serde_json::json;

use crate::common::Kept;

/// What is asked for in the shell, and what is left over there of another profile.
const ASKED: &[&str] = &[
    "SDC_ACCOUNT",
    "TRITON_ACCOUNT",
    "SDC_USER",
    "TRITON_USER",
    "SDC_ACT_AS",
    "SDC_ROLE",
    "TRITON_URL",
    "TRITON_KEY_ID",
    "SDC_KEY_MATERIAL",
    "SDC_TESTING",
];

/// The lines for this shell, of the profile `p` in this home.
fn lines(home: &Path, shell: &str) -> String {
    let (out, err) = (Kept::default(), Kept::default());
    let env = Env::of([("HOME", home.display().to_string()), ("SDC_KEY_MATERIAL", "s3cret".to_owned())]);
    let args = ["sdc", "env", "p", "--shell", shell].map(std::ffi::OsString::from);
    let code = run(&args, &Console::of(Streams::of(std::io::empty(), out.clone(), err.clone()), env));
    assert_eq!(code, 0, "{}", err.text());
    out.text()
}

/// What a shell has in these variables after it has evaluated the lines; `None` where there is no such shell.
fn evaluated(shell: &str, lines: &str, folder: &Path) -> Option<Vec<String>> {
    let script = match shell {
        "fish" => format!(
            "{lines}\nfor name in {}; set -q $name; and printf '%s\\0' $$name; or printf 'unset\\0'; end",
            ASKED.join(" ")
        ),
        _ => {
            let shown: Vec<String> = ASKED.iter().map(|name| format!("\"${{{name}-unset}}\"")).collect();
            format!("eval \"$HANDED\"\nprintf '%s\\0' {}", shown.join(" "))
        }
    };
    let mut command = Command::new(shell);
    command
        .args(["-c", &script])
        .current_dir(folder)
        .env("HANDED", lines)
        .envs(ASKED.iter().map(|name| (name, "left")));
    let said = command.output().ok()?;
    assert!(said.status.success() && said.stderr.is_empty(), "{shell}: {lines}\n{said:?}");
    Some(String::from_utf8(said.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_hostile_profile_is_set_as_it_is_and_runs_nothing(
        account in "[-a-c'$`;|&(){}\\[\\]?#%^é@+’]{1,12}", user in "[a-c'$`;&()#]{1,6}", by in "[a-c'`;()$]{1,8}",
    ) {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".triton/profiles.d");
        let empty = home.path().join("empty");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir(&empty).unwrap();
        let url = "https://cloud.example.com/it's$(touch%20x);`touch`";
        let id = "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99";
        let fields = json!({ "url": url, "account": account, "user": user, "actAsAccount": by, "keyId": id });
        std::fs::write(folder.join("p.json"), fields.to_string()).unwrap();
        for shell in ["sh", "bash", "zsh", "fish"] {
            let lines = lines(home.path(), if shell == "sh" { "bash" } else { shell });
            prop_assert!(!lines.contains("s3cret"));
            let Some(found) = evaluated(shell, &lines, &empty) else { continue };
            let url = url::Url::parse(url).unwrap();
            let expected = [
                &*account, &account, &user, &user, &by, "unset", url.as_str(), id, "unset", "unset",
            ];
            prop_assert_eq!(&found, &expected, "{}: {}", shell, lines);
            prop_assert_eq!(std::fs::read_dir(&empty).unwrap().count(), 0, "{}: {}", shell, lines);
        }
    }
}
