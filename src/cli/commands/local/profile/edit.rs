//! `sdc profile edit`: an editor on a copy of a profile's file. What was typed is never lost: it takes the place of
//! the profile, or is kept beside it.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::app::App;
use crate::cli::terminal::signals::Signals;
use crate::config::profile;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::file;

/// No profile is longer.
const MAX_LEN: u64 = 1 << 20;

/// So many copies are kept.
const MAX_COPIES: usize = 100;

/// Edits it, and says what came of it.
pub(super) async fn run(app: &App, dir: &Path, name: &str) -> Result<()> {
    profile::check_own_name(name)?;
    let before = profile::bytes(dir, name)?;
    let editor = editor(app)?;
    let copy = copy(dir, name, &before)?;
    let kept = |error: Error| {
        if file::read(&copy, MAX_LEN).is_ok_and(|edited| edited == before) {
            let _ = std::fs::remove_file(&copy);
            return error;
        }
        error
            .hint(format!("what was typed is kept in {}", copy.display()))
            .hint(Hint::run("to begin anew with the profile as it was", CommandLine::new("profile edit").on(name)))
    };
    opened(app, &editor, &copy).await.map_err(kept)?;
    let edited = file::read(&copy, MAX_LEN)
        .map_err(|error| kept(Error::other(format!("cannot read {}", copy.display())).because(error)))?;
    if edited == before {
        let _ = std::fs::remove_file(&copy);
        app.say(&format!("profile {name}: not changed"));
        return Ok(());
    }
    let place = profile::replace(dir, name, &before, &edited).map_err(kept)?;
    let _ = std::fs::remove_file(&copy);
    app.say(&format!("profile {name} is in {}", place.display()));
    Ok(())
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

/// A copy that only its owner can read, under a name that no profile has.
fn copy(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let mut at = 1;
    loop {
        let path = dir.join(format!("edit-{name}-{at}.json"));
        match file::create(&path, true) {
            Ok(mut made) => {
                let written = made.write_all(bytes);
                written.map_err(|error| Error::other(format!("cannot write {}", path.display())).because(error))?;
                return Ok(path);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && at < MAX_COPIES => at += 1,
            Err(error) => return Err(Error::other(format!("cannot write {}", path.display())).because(error)),
        }
    }
}

/// Runs the editor until it ends. What interrupts is the editor's business meanwhile.
async fn opened(app: &App, editor: &str, copy: &Path) -> Result<()> {
    let _signals = Signals::new(&app.heard)?;
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
    let ended = tokio::process::Command::from(command).status().await;
    let ended = ended.map_err(|error| Error::other("the editor cannot be started").because(error))?;
    match ended.success() {
        true => Ok(()),
        false => Err(Error::other(format!("the editor ended with {ended}, and the profile is as it was"))
            .hint("the editor is the one of $VISUAL or $EDITOR")),
    }
}
