//! The examples of docs/guide/ci.md, and what a shell runs in scripts.md, run as they stand there against the emulator
//! with faults on.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]
#![allow(clippy::disallowed_methods, reason = "the tools of the shell are found by PATH")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sdc::emulator::{Emulator, Options, Pace, Seed};

use super::common::signals::heeded;

/// What goes wrong meanwhile; the seeds make each run like the last one.
const FAULTS: &[&str] = &[
    "* delay=1ms jitter=20ms seed=1",
    "* status=503 p=0.04 seed=2",
    "* status=429 p=0.02 seed=3",
    "* drop=before p=0.02 seed=4",
    "* drop=after p=0.02 seed=5",
    "GET /machines/* json=cut p=0.05 seed=6",
];

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/ci.md")).unwrap()
}

/// The blocks of this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut rest = page;
    let mut found = Vec::new();
    let begin = format!("```{language}\n");
    while let Some((_, block)) = rest.split_once(&begin) {
        let (block, after) = block.split_once("```").unwrap();
        found.push(block.to_owned());
        rest = after;
    }
    found
}

/// The scripts of a workflow's steps, in order.
fn scripts(workflow: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut indent = None;
    for line in workflow.lines() {
        let deep = line.len() - line.trim_start().len();
        if line.trim_start().trim_start_matches("- ") == "run: |" {
            indent = Some(deep);
            found.push(String::new());
        } else if let (Some(begin), Some(script)) = (indent, found.last_mut()) {
            match deep > begin {
                true => script.push_str(&format!("{}\n", &line[begin + 2..])),
                false => indent = None,
            }
        }
    }
    found
}

struct Job {
    home: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

impl Job {
    /// A computer of a CI: sdc is installed, and `ssh` is a script that says what it was to do.
    fn new(emulator: &Emulator) -> Job {
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_sdc"), bin.join("sdc")).unwrap();
        for name in ["ssh", "scp"] {
            std::fs::write(bin.join(name), "#!/bin/sh\necho \"$0 $*\" >> \"$HOME/ssh.log\"\n").unwrap();
            std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let key = std::fs::read_to_string(emulator.key_file()).unwrap();
        let text = |path: &Path| path.display().to_string();
        let env = [
            ("PATH", path),
            ("HOME", text(home.path())),
            ("RUNNER_TEMP", text(home.path())),
            ("GITHUB_ENV", text(&home.path().join("env"))),
            ("GITHUB_RUN_ID", "4711".to_owned()),
            ("GITHUB_RUN_ATTEMPT", "2".to_owned()),
            ("CI_JOB_ID", "17".to_owned()),
            ("SDC_URL", emulator.url().to_owned()),
            ("SDC_ACCOUNT", emulator.account().to_owned()),
            ("KEY", key),
            // What the example leaves at its default would only make the test slow.
            ("SDC_RATE", "100".to_owned()),
        ];
        Job { home, env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// One script, as a runner runs it.
    fn script(&self, shell: &str, script: &str) -> Command {
        let work = self.home.path().join("work");
        std::fs::create_dir_all(&work).unwrap();
        let mut command = heeded(shell);
        command.args(["-e", "-c", script]).current_dir(work).env_clear().envs(&self.env).stdin(Stdio::null());
        command
    }

    /// The key is in a file.
    fn with_key_file(&mut self) {
        let file = self.home.path().join("sdc-key");
        std::fs::write(&file, &self.env["KEY"]).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        self.env.insert("SDC_KEY_FILE".to_owned(), file.display().to_string());
    }

    /// Runs one script as a runner does; what it says for later steps is theirs.
    fn step(&mut self, script: &str) {
        self.step_in("bash", script);
    }

    fn step_in(&mut self, shell: &str, script: &str) {
        let ran = self.script(shell, script).output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{script}\n{:?}\n{told}", ran.status.code());
        for line in std::fs::read_to_string(self.home.path().join("env")).unwrap_or_default().lines() {
            let (name, value) = line.split_once('=').unwrap();
            self.env.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// Does the work beside an emulator with faults, and returns the machines that are left.
fn left_after(work: impl FnOnce(&mut Job) + Send) -> Vec<String> {
    left_despite(FAULTS, work)
}

/// The same beside an emulator with these faults.
fn left_despite(faults: &[&str], work: impl FnOnce(&mut Job) + Send) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = Options {
        seed: Seed::Machines(0),
        pace: Pace::Times(50.0),
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    };
    let emulator = runtime.block_on(Emulator::start(options)).unwrap();
    let mut job = Job::new(&emulator);
    let left = std::thread::scope(|scope| {
        let (tell, told) = tokio::sync::oneshot::channel();
        scope.spawn(|| {
            work(&mut job);
            emulator.clear_faults();
            job.env.insert("SDC_KEY_FILE".to_owned(), emulator.key_file().display().to_string());
            job.step("sdc machines list --tombstone -o tsv:name,state -H > left");
            tell.send(std::fs::read_to_string(job.home.path().join("work/left")).unwrap()).unwrap();
        });
        runtime.block_on(told).expect("the work panicked, as is told above")
    });
    let made = left.lines().count();
    assert!(made > 0, "nothing was ever made");
    runtime.block_on(emulator.stop()).unwrap();
    left.lines().filter(|line| !line.ends_with("deleted")).map(str::to_owned).collect()
}

#[test]
fn the_workflows_of_github_actions_do_their_work_and_leave_nothing_behind() {
    let workflows = blocks(&page(), "yaml");
    assert_eq!(workflows.len(), 2);
    let steps: Vec<String> = workflows.iter().flat_map(|workflow| scripts(workflow)).collect();
    assert_eq!(steps.len(), 7, "{steps:#?}");
    let left = left_after(|job| {
        for step in &steps {
            job.step(step);
        }
        let ssh = std::fs::read_to_string(job.home.path().join("ssh.log")).unwrap();
        assert!(ssh.matches("uname -a").count() >= 4, "three machines and one of its own: {ssh}");
    });
    assert_eq!(left, [""; 0]);
}

#[test]
fn the_job_of_gitlab_does_its_work_and_leaves_nothing_behind() {
    let jobs = blocks(&page(), "yml");
    let [job_of_gitlab] = jobs.as_slice() else { panic!("{jobs:?}") };
    let steps: Vec<&str> = job_of_gitlab.lines().filter_map(|line| line.strip_prefix("    - ")).collect();
    assert_eq!(steps.len(), 4, "{steps:#?}");
    let left = left_after(|job| {
        job.with_key_file();
        job.env.insert("CI_JOB_ID".to_owned(), "99".to_owned());
        steps.iter().for_each(|step| job.step(step));
    });
    assert_eq!(left, [""; 0]);
}

/// The script of ci.md for a shell, and that of scripts.md.
fn scripts_with_a_trap() -> Vec<String> {
    let guide = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide").join(name);
    let all = ["ci.md", "scripts.md"].map(|name| std::fs::read_to_string(guide(name)).unwrap());
    let scripts: Vec<String> = all.iter().flat_map(|page| blocks(page, "sh")).collect();
    assert_eq!(scripts.len(), 2);
    scripts
}

#[test]
fn the_scripts_for_a_shell_do_their_work_and_leave_nothing_behind() {
    for script in &scripts_with_a_trap() {
        let left = left_after(|job| {
            job.with_key_file();
            job.step_in("bash", script);
            job.step_in("sh", script);
        });
        assert_eq!(left, [""; 0]);
    }
}

#[test]
fn a_script_for_a_shell_that_is_cancelled_with_two_signals_leaves_nothing_behind() {
    let scripts = scripts_with_a_trap();
    let left = left_despite(&["* delay=1ms jitter=20ms seed=1"], |job| {
        job.with_key_file();
        let job = &*job;
        let cases = scripts.iter().flat_map(|script| ["bash", "sh"].map(|shell| (shell, script)));
        std::thread::scope(|scope| {
            for (number, (shell, script)) in cases.enumerate() {
                scope.spawn(move || {
                    for at in 0..20 {
                        let name = format!("{number}-{at}");
                        let mut command = job.script(shell, script);
                        command.env("CI_JOB_ID", &name).env("GITHUB_RUN_ID", &name).process_group(0);
                        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                        std::thread::sleep(std::time::Duration::from_millis(150 + 50 * at));
                        // As `timeout` sends them: to the shell, and to all that it has started.
                        let id = child.id().to_string();
                        let kill = format!("kill -TERM {id}; kill -TERM -{id}");
                        heeded("sh").args(["-c", &kill]).stderr(Stdio::null()).status().unwrap();
                        let ended = child.wait().unwrap();
                        let mut said = String::new();
                        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
                        assert!(matches!(ended.code(), Some(0 | 143)), "{shell} {name}: {ended:?} {said}");
                    }
                });
            }
        });
    });
    assert_eq!(left, [""; 0]);
}
