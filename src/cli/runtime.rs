//! The process itself: what runs a command, and that no core dump has what is in memory.

use crate::error::{Error, Result};

/// What runs a command.
///
/// # Errors
/// Too few files may be open.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    let failed = |error: std::io::Error| {
        Error::other("cannot start: too few files may be open at once").because(error).hint("ulimit -n 256")
    };
    // It opens some itself, and panics where it cannot.
    #[cfg(unix)]
    let probe = (0..3).map(|_| std::os::unix::net::UnixStream::pair()).collect::<std::io::Result<Vec<_>>>();
    #[cfg(unix)]
    drop(probe.map_err(failed)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    // A file that may not grow is an error of whoever writes it, and no end of the process with nothing said. What is
    // caught, and not ignored, ends the programs that are started as ever.
    #[cfg(unix)]
    {
        let _within = runtime.enter();
        let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(
            rustix::process::Signal::XFSZ.as_raw(),
        ));
    }
    Ok(runtime)
}

/// Lets no core dump and no debugger have what is in memory. Programs that are started do not inherit it. Where the
/// system refuses, there is nothing to be done about it.
pub fn keep_out_of_dumps() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
