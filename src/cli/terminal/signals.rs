//! Interruptions: Ctrl-C and what else asks a program to end. The first is a request to stop, the second is an order.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::streams::Terminal;
use crate::error::{Error, Result};

/// Signals that come so close together are one: `timeout` sends its own to the program and to its whole group.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Who hears signals in this process.
#[derive(Debug, Default)]
pub struct Heard {
    /// How many [`Signals`] there are.
    by: AtomicUsize,
    /// A filter is at work, which looks at `asked` itself.
    filtering: AtomicBool,
    asked: AtomicBool,
    /// Whether a thread hears what the runtime cannot while a filter keeps it busy.
    listening: AtomicBool,
    /// The terminal on which something is typed unseen, until it is as it was before.
    unseen: Mutex<Option<Terminal>>,
}

impl Heard {
    /// A filter begins, and hears of a signal by [`Heard::is_asked`] until what this gives is dropped. The runtime,
    /// which would hear it otherwise, waits for the filter.
    pub fn filter(self: &Arc<Heard>) -> Filtering {
        self.asked.store(false, Ordering::SeqCst);
        self.filtering.store(true, Ordering::SeqCst);
        Filtering(Arc::clone(self))
    }

    /// Reads with this what is typed unseen, which blocks everybody else. A signal ends the process meanwhile, and the
    /// terminal is as it was before.
    #[cfg(unix)]
    pub fn unseen<T>(
        self: &Arc<Heard>,
        before: Terminal,
        read: impl FnOnce() -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        let set = |terminal| *self.unseen.lock().unwrap_or_else(PoisonError::into_inner) = terminal;
        set(Some(before));
        self.listen();
        let read = read();
        // Ctrl-C comes as a letter first, and then as the signal, unless that is ignored.
        if read.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::Interrupted)
            && !is_ignored(rustix::process::Signal::INT.as_raw())
        {
            self.leave();
        }
        set(None);
        read
    }

    /// Ends the process.
    fn leave(&self) -> ! {
        // Whoever comes second finds nothing, and not before it is done.
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        unseen.take().into_iter().for_each(Terminal::restore);
        std::process::exit(INTERRUPTED);
    }

    fn is_unseen(&self) -> bool {
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Begins to listen, on a thread that lasts as long as the process: a signal that was caught once does not end it
    /// by itself any more. So one that nobody hears ends it from here.
    pub fn listen(self: &Arc<Heard>) {
        if self.listening.swap(true, Ordering::SeqCst) {
            return;
        }
        let heard = Arc::clone(self);
        let (ready, begun) = mpsc::channel();
        // Without a thread, signals end the process by themselves, or as those that caught them before think fit.
        let _ = std::thread::Builder::new().spawn(move || {
            let Ok(runtime) = crate::cli::runtime::runtime() else { return };
            runtime.block_on(async {
                let Ok(mut signals) = Signals::caught(false) else { return };
                let _ = ready.send(());
                loop {
                    signals.next().await;
                    if heard.is_unseen() {
                        heard.leave();
                    }
                    let again = heard.asked.swap(true, Ordering::SeqCst);
                    let filtering = heard.filtering.load(Ordering::SeqCst);
                    if again && filtering || !filtering && heard.by.load(Ordering::SeqCst) == 0 {
                        std::process::exit(INTERRUPTED);
                    }
                }
            });
        });
        // What comes before it would end the process too soon; that it cannot listen ends the wait.
        let _ = begun.recv();
    }

    /// Whether a signal came.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A filter at work.
pub struct Filtering(Arc<Heard>);

impl Drop for Filtering {
    fn drop(&mut self) {
        self.0.filtering.store(false, Ordering::SeqCst);
    }
}

/// The exit code of what was interrupted.
const INTERRUPTED: i32 = 130;

/// The signals that ask a program to end, from the moment it is made.
pub struct Signals {
    /// Somebody hears them.
    heard: Option<Arc<Heard>>,
    last: Option<(&'static str, Instant)>,
    /// With their names, without those that the caller has ignored.
    #[cfg(unix)]
    kinds: Vec<(&'static str, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// Interrupt, terminate and hang-up: from now on they no longer end the process by themselves.
    ///
    /// # Errors
    /// The system does not let them be caught.
    pub fn new(heard: &Arc<Heard>) -> Result<Signals> {
        Signals::caught(false)?.heard_by(heard)
    }

    /// The same, and quit: for programs that must leave nothing behind.
    ///
    /// # Errors
    /// The same.
    pub fn with_quit(heard: &Arc<Heard>) -> Result<Signals> {
        Signals::caught(true)?.heard_by(heard)
    }

    fn heard_by(mut self, heard: &Arc<Heard>) -> Result<Signals> {
        heard.by.fetch_add(1, Ordering::SeqCst);
        self.heard = Some(Arc::clone(heard));
        Ok(self)
    }

    #[cfg(unix)]
    fn caught(quit: bool) -> Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let all = [
            ("INT", SignalKind::interrupt()),
            ("TERM", SignalKind::terminate()),
            ("HUP", SignalKind::hangup()),
            ("QUIT", SignalKind::quit()),
        ];
        let heeded =
            all.into_iter().filter(|(name, kind)| (quit || *name != "QUIT") && !is_ignored(kind.as_raw_value()));
        let caught = heeded.map(|(name, kind)| Ok((name, signal(kind)?))).collect::<std::io::Result<_>>();
        let kinds = caught.map_err(|error| Error::other("cannot catch signals").because(error))?;
        Ok(Signals { heard: None, last: None, kinds })
    }

    #[cfg(not(unix))]
    fn caught(_: bool) -> Result<Signals> {
        Ok(Signals { heard: None, last: None })
    }

    /// Waits for the next one, and returns its name.
    pub async fn next(&mut self) -> &'static str {
        loop {
            let name = self.any().await;
            let before = self.last.replace((name, Instant::now()));
            if before.is_none_or(|(last, at)| last != name || at.elapsed() > DEBOUNCE) {
                return name;
            }
        }
    }

    #[cfg(unix)]
    async fn any(&mut self) -> &'static str {
        let one = async |(name, signal): &mut (&'static str, tokio::signal::unix::Signal)| {
            signal.recv().await;
            *name
        };
        match self.kinds.iter_mut().map(|kind| Box::pin(one(kind))).collect::<Vec<_>>() {
            none if none.is_empty() => std::future::pending().await,
            some => futures_util::future::select_all(some).await.0,
        }
    }

    #[cfg(not(unix))]
    async fn any(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "INT",
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        if let Some(heard) = &self.heard {
            heard.by.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Whether this program was started with this signal ignored, as `nohup` and `trap '' INT` do: then it stays so. Linux
/// tells; elsewhere a shell does for the hang-up, which survives its own if it inherited that it is ignored.
#[cfg(unix)]
pub fn is_ignored(signal: i32) -> bool {
    let told = std::fs::read_to_string("/proc/self/status").ok();
    let mask = told.as_deref().and_then(|told| told.lines().find_map(|line| line.strip_prefix("SigIgn:")));
    match mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) {
        Some(mask) => u32::try_from(signal - 1).is_ok_and(|bit| mask.checked_shr(bit).unwrap_or(0) & 1 == 1),
        None if signal == HANGUP => {
            let shell = std::process::Command::new("/bin/sh").args(["-c", "kill -HUP $$"]).status();
            shell.is_ok_and(|status| status.success())
        }
        None => false,
    }
}

/// The number of the hang-up, on every system.
#[cfg(unix)]
const HANGUP: i32 = 1;
