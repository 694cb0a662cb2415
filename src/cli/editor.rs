//! An editor on a copy of a file of settings. What was typed is never lost: it takes the place of the file, or is kept
//! beside it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::app::App;
use super::terminal::prompt;
use super::terminal::signals::Signals;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::file;

/// No such file is longer, in bytes.
const MAX_LEN: u64 = 1 << 20;

/// So many copies are kept.
const MAX_COPIES: usize = 100;

/// What is edited.
pub struct Text<'a> {
    /// What it is, in words: `profile prod`.
    pub what: &'a str,
    /// The folder of the copy.
    pub folder: &'a Path,
    /// The name of the copy, before its number and after it.
    pub name: (&'a str, &'a str),
    /// Its bytes.
    pub before: &'a [u8],
    /// The command that edits it.
    pub again: CommandLine,
}

impl Text<'_> {
    /// Edits it, puts what came of it into its place, and says so. Where it cannot be put there, a terminal is asked
    /// whether to go on with what was typed.
    ///
    /// # Errors
    /// There is no editor, or it failed; those of `put`. What was typed is kept, and named.
    pub async fn edit(self, app: &App, put: impl Fn(&[u8]) -> Result<PathBuf>) -> Result<()> {
        let editor = editor(app)?;
        let copy = self.copy()?;
        let kept = |error: Error| match file::read(&copy, MAX_LEN) {
            Ok(edited) if edited == self.before => {
                let _ = std::fs::remove_file(&copy);
                error
            }
            // The editor may have removed it.
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => error,
            _ => error
                .hint(format!("what was typed is kept in {}", copy.display()))
                .hint(Hint::run("to begin anew with it as it was", self.again.clone())),
        };
        loop {
            opened(app, &editor, &copy).await.map_err(kept)?;
            let edited = file::read(&copy, MAX_LEN)
                .map_err(|error| kept(Error::other(format!("cannot read {}", copy.display())).because(error)))?;
            if edited == self.before {
                let _ = std::fs::remove_file(&copy);
                app.say(&format!("{}: not changed", self.what));
                return Ok(());
            }
            let error = match put(&edited) {
                Ok(place) => {
                    let _ = std::fs::remove_file(&copy);
                    app.say(&format!("{}: saved in {}", self.what, place.display()));
                    return Ok(());
                }
                Err(error) if app.streams.stdin_tty && app.streams.stderr_tty => error,
                Err(error) => return Err(kept(error)),
            };
            app.report(&error);
            if !prompt::agreed(&app.streams, "edit it again?") {
                return Err(kept(Error::new(error.kind(), format!("{}: not saved", self.what))));
            }
        }
    }

    /// A copy that only its owner can read, under a name that nothing else has.
    fn copy(&self) -> Result<PathBuf> {
        let (before, after) = self.name;
        let mut at = 1;
        loop {
            let path = self.folder.join(format!("{before}-{at}{after}"));
            match file::create(&path, true) {
                Ok(mut made) => {
                    let Err(error) = made.write_all(self.before) else { return Ok(path) };
                    let _ = std::fs::remove_file(&path);
                    return Err(Error::other(format!("cannot write {}", path.display())).because(error));
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && at < MAX_COPIES => at += 1,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    let words =
                        format!("there are {MAX_COPIES} copies that were never finished in {}", self.folder.display());
                    return Err(Error::usage(words).hint(format!("remove those that are of no use: {before}-*{after}")));
                }
                Err(error) => return Err(Error::other(format!("cannot write {}", path.display())).because(error)),
            }
        }
    }
}

/// The command of the editor, which a shell reads: it may have options.
fn editor(app: &App) -> Result<String> {
    let env = &app.console.env;
    let named = env.var("VISUAL").or_else(|| env.var("EDITOR"));
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    named
        .or_else(|| app.streams.stdin_tty.then(|| usual.to_owned()))
        .ok_or_else(|| Error::usage("there is no terminal for an editor, and none is named").hint("export EDITOR=…"))
}

/// Runs the editor until it ends. An interrupt is the editor's business meanwhile; what else asks to end is handed on.
async fn opened(app: &App, editor: &str, copy: &Path) -> Result<()> {
    let mut signals = Signals::new(&app.heard)?;
    let mut command = if cfg!(windows) {
        let mut words = editor.split_whitespace();
        let mut command = std::process::Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    } else {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", &format!("{editor} \"$1\""), "sdc"]);
        command
    };
    command.arg(copy);
    app.console.env.hand_on(&mut command);
    let no_start = |error: std::io::Error| Error::other("the editor cannot be started").because(error);
    let mut running = tokio::process::Command::from(command).spawn().map_err(no_start)?;
    loop {
        tokio::select! {
            ended = running.wait() => {
                let ended = ended.map_err(no_start)?;
                return match ended.success() {
                    true => Ok(()),
                    false => Err(Error::other(format!("the editor ended with {ended}, and nothing is changed"))
                        .hint("the editor is the one of $VISUAL or $EDITOR")),
                };
            }
            name = signals.next() => if name != "INT" {
                end(&mut running).await;
                return Err(Error::new(Kind::Interrupted, "interrupted: nothing is changed"));
            }
        }
    }
}

/// How long an editor may take to save what it has.
const GRACE: Duration = Duration::from_secs(2);

/// Asks the editor to end.
async fn end(running: &mut tokio::process::Child) {
    #[cfg(unix)]
    if let Some(id) = running.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    let _ = tokio::time::timeout(GRACE, running.wait()).await;
}
