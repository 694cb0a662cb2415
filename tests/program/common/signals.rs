//! Programs that heed signals, whatever this process was told to ignore: under nohup, or in the background of a script,
//! what is ignored would be inherited, and who waits for a signal's effect would wait for ever.

use std::process::{Command, Stdio};

/// A command that runs this program with the default effect of every signal.
pub fn heeded(program: &str) -> Command {
    static GNU: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    let knows = || {
        let tried = Command::new("/usr/bin/env").args(["--default-signal", "true"]).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    let mut command;
    if *GNU.get_or_init(knows) {
        command = Command::new("/usr/bin/env");
        command.args(["--default-signal", program]);
    } else {
        command = Command::new("/usr/bin/perl");
        command.args(["-e", "$SIG{$_} = 'DEFAULT' for qw(HUP INT QUIT TERM); exec @ARGV or die", program]);
    }
    command
}
