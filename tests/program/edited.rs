//! What was typed in an editor is never lost, and can be gone on with.
#![cfg(all(unix, feature = "cli"))]

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sdc::cli::{Console, Streams, run};
use sdc::config::Env;

use crate::common::Kept;

/// An editor that types nonsense first, and what it is told to the next time.
const EDITOR: &str = "#!/bin/sh\n[ -e \"$0.once\" ] && grep -q nonsense \"$1\" && exec cp \"$0.next\" \"$1\"\ntouch \
                      \"$0.once\"\necho 'output: nonsense' > \"$1\"\n";

/// Edits the settings on a terminal where this is answered, or without one: the exit code and what was said.
fn edits(home: &Path, next: &str, answer: Option<&'static str>) -> (u8, String) {
    let editor = home.join("editor");
    std::fs::write(&editor, EDITOR).unwrap();
    std::fs::set_permissions(&editor, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(home.join("editor.next"), next).unwrap();
    let (out, err) = (Kept::default(), Kept::default());
    let mut streams = Streams::of(answer.unwrap_or_default().as_bytes(), out, err.clone());
    (streams.stdin_tty, streams.stderr_tty) = (answer.is_some(), answer.is_some());
    let vars = [("HOME", home.display().to_string()), ("EDITOR", editor.display().to_string())];
    let vars = vars.into_iter().chain([("PATH", "/usr/bin:/bin".to_owned())]);
    let args = ["sdc", "config", "edit"].map(OsString::from);
    let code = run(&args, &Console::of(streams, Env::of(vars)));
    (code, err.text())
}

fn drafts(home: &Path) -> Vec<String> {
    let all = std::fs::read_dir(home.join(".triton")).unwrap().map(|file| file.unwrap().path());
    let drafts = all.filter(|path| path.to_string_lossy().contains("edit-sdc"));
    drafts.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_draft_with_an_error_is_edited_again_where_somebody_says_so() {
    for answer in ["\n", "y\n"] {
        let home = tempfile::tempdir().unwrap();
        let (code, said) = edits(home.path(), "output: csv\n", Some(answer));
        assert!(said.contains("'nonsense' is not a format") && said.contains("edit it again? [Y/n] "), "{said}");
        assert!(code == 0 && said.contains("settings: saved in "), "{said}");
        let saved = std::fs::read_to_string(home.path().join(".triton/sdc.yaml")).unwrap();
        assert_eq!((saved.as_str(), drafts(home.path()).len()), ("output: csv\n", 0));
    }
}

#[test]
fn a_draft_with_an_error_is_kept_and_named_where_nobody_goes_on_with_it() {
    for answer in [Some("n\n"), Some(""), None] {
        let home = tempfile::tempdir().unwrap();
        let (code, said) = edits(home.path(), "output: csv\n", answer);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("'nonsense' is not a format"), "{said}");
        assert!(said.contains("what was typed is kept in ") && said.contains("edit-sdc-1.yaml"), "{said}");
        assert_eq!(drafts(home.path()), ["output: nonsense\n"]);
        assert!(!home.path().join(".triton/sdc.yaml").exists());
        assert_eq!(said.contains("edit it again?"), answer.is_some(), "{said}");
    }
}
