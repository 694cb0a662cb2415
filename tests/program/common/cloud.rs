//! The program within this process, against an emulator.

use std::ffi::OsString;
use std::process::{Command, Output, Stdio};

use sdc::cli::{Console, Streams, run};
use sdc::config::Env;
use sdc::emulator::{Emulator, Options};

use super::Kept;

/// An emulator on a runtime of its own, since the program makes one too.
pub struct Cloud {
    runtime: tokio::runtime::Runtime,
    emulator: Option<Emulator>,
    pub home: tempfile::TempDir,
}

impl Cloud {
    pub fn start() -> Cloud {
        Cloud::with(Options::default())
    }

    pub fn with(options: Options) -> Cloud {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let emulator = runtime.block_on(Emulator::start(options)).unwrap();
        Cloud { runtime, emulator: Some(emulator), home: tempfile::tempdir().unwrap() }
    }

    /// The variables that lead to it, and these.
    pub fn env(&self, more: &[(&str, &str)]) -> Env {
        Env::of(self.variables(more))
    }

    fn variables(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let emulator = self.emulator.as_ref().unwrap();
        let own = [
            ("SDC_URL", emulator.url().to_owned()),
            ("SDC_ACCOUNT", emulator.account().to_owned()),
            ("SDC_KEY_FILE", emulator.key_file().display().to_string()),
            ("HOME", self.home.path().display().to_string()),
        ];
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let sapi = emulator.sapi().map(|address| ("SDC_SAPI_URL", format!("http://{address}")));
        own.into_iter().chain(sapi).chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Runs the program as a process of its own, for what replaces its process by another.
    pub fn apart(&self, words: &[&str], more: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sdc"));
        command.args(words).env_clear().envs(self.variables(more)).stdin(Stdio::null());
        let child = self.runtime.spawn_blocking(move || command.output());
        self.runtime.block_on(child).unwrap().unwrap()
    }

    /// Runs the program beside the emulator's own work.
    pub fn run(&self, words: &[&str], console: Console) -> u8 {
        let args: Vec<OsString> = ["sdc"].iter().chain(words).map(OsString::from).collect();
        let (send, receive) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let code = run(&args, &console);
            let _ = send.send(code);
        });
        let code = self.runtime.block_on(receive).unwrap();
        thread.join().unwrap();
        code
    }

    /// The same without a terminal: the exit code, stdout and stderr.
    pub fn said(&self, words: &[&str], input: &'static str, more: &[(&str, &str)]) -> (u8, String, String) {
        let (out, err) = (Kept::default(), Kept::default());
        let streams = Streams::of(input.as_bytes(), out.clone(), err.clone());
        let code = self.run(words, Console::of(streams, self.env(more)));
        (code, out.text(), err.text())
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        let emulator = self.emulator.take().unwrap();
        let _ = self.runtime.block_on(emulator.stop());
    }
}
