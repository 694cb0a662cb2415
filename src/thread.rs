//! Work that blocks, on a thread of its own: names that are looked up, a key in an agent. Where the system has no thread
//! left that is an error, and never a panic amid a change. It knows nothing of what the work is.

use std::io::{Error, Result};

/// Does it on a thread, and returns what came of it.
///
/// # Errors
/// No thread can be started, or it ended without an end of its work.
pub(crate) async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // Nobody may listen any more when it is done.
    std::thread::Builder::new().spawn(move || drop(tell.send(work())))?;
    told.await.map_err(|_| Error::other("the thread ended before its work did"))
}
