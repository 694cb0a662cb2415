//! What the doctor of the internal services proposes, run where it is proposed.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

use std::process::{Command, Stdio};

/// Runs each command that the doctor proposes, and prints its exit code before it.
const SCRIPT: &str = r#"
    [ -z "$BEFORE" ] || "$0" admin $BEFORE >/dev/null || exit 1
    "$0" admin doctor -o tsv:fix -H >fixes
    echo "doctor $?"
    grep -o 'sdc admin [^;]*' fixes | while read -r words; do
        "$0" ${words#sdc } >/dev/null 2>&1
        echo "$? $words"
    done"#;

#[test]
fn every_command_that_the_doctor_proposes_can_help_where_it_is_proposed() {
    let exe = env!("CARGO_BIN_EXE_sdc");
    let unheard = "services update vmapi --metadata server_state_affects_vm_state:=true -q";
    for (options, before, due) in [
        (&["--seed", "grown"][..], "", "admin servers get"),
        (&["--seed", "sdcadmin"], "", ""),
        // Of a VMAPI that is down nothing can be asked.
        (&["--fault", "GET /ping status=503 at=vmapi"], "", "admin instances get"),
        (&["--fault", "status=500 at=vmapi"], "", "admin instances get"),
        (&["--fault", "GET /vms delay=60s at=vmapi"], "", ""),
        (&["--fault", "GET /ping status=503 at=napi"], "", "admin vms get"),
        (&["--fault", "status=500 at=sapi"], "", ""),
        (&["--fault", "status=500 at=cnapi", "--fault", "status=500 at=vmapi"], "", "admin instances get"),
        // The server of all of them, that of CNAPI too.
        (&["--fault", "lost=headnode"], unheard, ""),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut sdc = Command::new(exe);
        sdc.args(["emulator", "exec", "--admin"]).args(options).args(["--", "sh", "-c", SCRIPT, exe]);
        sdc.env("HOME", home.path()).env("BEFORE", before).current_dir(home.path()).stdin(Stdio::null());
        let said = sdc.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
        assert!(out.starts_with("doctor ") && out.contains(due), "{options:?}: {out}{err}");
        for line in out.lines().skip(1) {
            assert!(line.starts_with("0 "), "{options:?}: {out}{err}");
        }
    }
}
