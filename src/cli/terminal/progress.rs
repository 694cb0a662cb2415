//! How far each of several targets is: one live line each on a terminal, a line at each step elsewhere, and one a
//! minute where there is no step: what says nothing for long is taken for dead, and killed. It prints through `streams`
//! alone, and nothing at all where nobody wants words.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use super::voice::Voice;
use crate::render::progress::{Line, are_many, drawn, still};
use crate::render::safe;

/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// The longest silence where nobody sees the time pass.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// The targets of one command. What is still live when it goes is wiped off.
pub struct Progress<'a> {
    voice: &'a Voice,
    live: bool,
    lines: RefCell<Vec<Line>>,
    /// When something was said last, or drawn.
    said: Cell<Instant>,
}

impl<'a> Progress<'a> {
    /// Nothing is shown of a target until something is told of it.
    /// A terminal that is dumb cannot draw a line anew.
    pub fn new(voice: &'a Voice, dumb: bool, names: Vec<String>) -> Self {
        let line =
            |name: &String| Line { name: safe(name).into_owned(), words: String::new(), begun: None, ended: false };
        let lines = RefCell::new(names.iter().map(line).collect());
        Progress {
            voice,
            live: voice.streams.stderr_tty && !dumb && !voice.is_silent(),
            lines,
            said: Cell::new(Instant::now()),
        }
    }

    /// What a target is called from now on: what is being made has no name before.
    pub fn name(&self, at: usize, name: &str) {
        if let Some(line) = self.lines.borrow_mut().get_mut(at) {
            line.name = safe(name).into_owned();
        }
    }

    /// How far it is.
    pub fn tell(&self, at: usize, words: &str) {
        if let Some(line) = self.lines.borrow_mut().get_mut(at) {
            line.begun.get_or_insert_with(Instant::now);
            line.words = safe(words).into_owned();
        }
        if self.live {
            self.draw();
        } else {
            self.say(at, words);
        }
    }

    /// What was done to one. Of many the count tells it, where it is seen.
    pub fn step(&self, words: &str) {
        if !(self.live && are_many(self.lines.borrow().len())) {
            self.voice.say(words);
        }
    }

    /// It is over: the words stay. Without words, its line goes and somebody else has said what came of it.
    pub fn end(&self, at: usize, words: &str) {
        if let Some(line) = self.lines.borrow_mut().get_mut(at) {
            line.ended = true;
        }
        if !words.is_empty() {
            self.say(at, words);
        }
        if self.live {
            self.draw();
        }
    }

    /// Does the work, and lets the time be seen to pass meanwhile.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        if self.live {
            return ticking(work, || self.said.get() + TICK, || self.draw()).await;
        }
        let still = || {
            self.said.set(Instant::now());
            self.voice.pulse(&still(&self.lines.borrow(), Instant::now()));
        };
        ticking(work, || self.said.get() + MAX_SILENCE, still).await
    }

    fn say(&self, at: usize, words: &str) {
        self.said.set(Instant::now());
        if let Some(line) = self.lines.borrow().get(at) {
            self.voice.say(&format!("{}: {words}", line.name));
        }
    }

    fn draw(&self) {
        self.said.set(Instant::now());
        let lines = self.lines.borrow();
        self.voice.streams.live(&drawn(&lines, self.voice.streams.size(), Instant::now()));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.live {
            self.voice.streams.live(&[]);
        }
    }
}

/// Does the work, and something else at each of these moments meanwhile.
async fn ticking<T>(work: impl Future<Output = T>, next: impl Fn() -> Instant, tick: impl Fn()) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            // Whatever was said meanwhile has put it off.
            () = tokio::time::sleep_until(next()) => if Instant::now() >= next() { tick() },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::streams::Streams;
    use super::*;

    /// Where all that is written can be read.
    #[derive(Clone, Default)]
    struct Seen(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is seen of a wait of so many seconds in which nothing changes, of so many targets.
    async fn seen_of(seconds: u64, targets: usize, terminal: bool) -> String {
        let seen = Seen::default();
        let mut streams = Streams::of(std::io::empty(), std::io::sink(), seen.clone());
        streams.stderr_tty = terminal;
        let voice = Voice { streams, quiet: false, json: false, colour: false, typed: Arc::default() };
        let progress = Progress::new(&voice, false, (0..targets).map(|at| format!("web{at}")).collect());
        let work = async {
            (0..targets).for_each(|at| progress.tell(at, "stopping"));
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        };
        progress.during(work).await;
        drop(progress);
        let bytes = seen.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_terminal_shows_each_second_while_nothing_changes() {
        for targets in [1, 3] {
            let seen = seen_of(42, targets, true).await;
            for second in 0..42 {
                assert!(seen.contains(&format!("web0: stopping {second}s")), "{targets}, {second}: {seen:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pipe_gets_a_line_when_something_changes_and_no_seconds() {
        assert_eq!(seen_of(42, 1, false).await, "web0: stopping\n");
        assert_eq!(seen_of(65, 1, false).await, "web0: stopping\nweb0: still stopping after 1m00s\n");
    }

    #[tokio::test(start_paused = true)]
    async fn no_silence_is_longer_than_a_minute() {
        let (said, pulses) = (Cell::new(Instant::now()), Cell::new(0));
        let work = async {
            tokio::time::sleep(Duration::from_secs(601)).await;
            assert_eq!(pulses.get(), 10);
            // Who says something every half a minute anyhow needs no other sign of life.
            for _ in 0..20 {
                said.set(Instant::now());
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
            7
        };
        let pulse = || {
            said.set(Instant::now());
            pulses.set(pulses.get() + 1);
        };
        assert_eq!(ticking(work, || said.get() + MAX_SILENCE, pulse).await, 7);
        assert_eq!(pulses.get(), 10);
    }
}
