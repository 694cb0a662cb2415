//! How far each of several targets is: one live line each on a terminal, a line at each step elsewhere, and one a
//! minute where there is no step: what says nothing for long is taken for dead, and killed. It prints through `streams` alone, and nothing at all where nobody wants words.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use unicode_width::UnicodeWidthChar;

use super::exit;
use super::voice::Voice;

/// So many lines are live at most; the rest is counted.
const MOST: usize = 12;
/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// The longest silence where nobody sees the time pass.
const SILENCE: Duration = Duration::from_secs(60);
/// So many of those that still go on are named in the line that breaks it.
const NAMED: usize = 3;

/// The targets of one command. What is still live when it goes is wiped off.
pub struct Progress<'a> {
    voice: &'a Voice,
    live: bool,
    lines: RefCell<Vec<Line>>,
    /// When something was said last.
    said: Cell<Instant>,
}

struct Line {
    name: String,
    words: String,
    begun: Option<Instant>,
    ended: bool,
}

impl<'a> Progress<'a> {
    /// Nothing is shown of a target until something is told of it.
    /// A terminal that is dumb cannot draw a line anew.
    pub fn new(voice: &'a Voice, dumb: bool, names: Vec<String>) -> Self {
        let line = |name| Line { name, words: String::new(), begun: None, ended: false };
        let lines = RefCell::new(names.into_iter().map(line).collect());
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
            name.clone_into(&mut line.name);
        }
    }

    /// How far it is.
    pub fn tell(&self, at: usize, words: &str) {
        if let Some(line) = self.lines.borrow_mut().get_mut(at) {
            line.begun.get_or_insert_with(Instant::now);
            words.clone_into(&mut line.words);
        }
        if self.live {
            self.draw();
        } else {
            self.say(at, words);
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
            return ticking(work, || Instant::now() + TICK, || self.draw()).await;
        }
        let still = || {
            self.said.set(Instant::now());
            self.voice.pulse(&still(&self.lines.borrow(), Instant::now()));
        };
        ticking(work, || self.said.get() + SILENCE, still).await
    }

    fn say(&self, at: usize, words: &str) {
        self.said.set(Instant::now());
        if let Some(line) = self.lines.borrow().get(at) {
            self.voice.say(&format!("{}: {words}", line.name));
        }
    }

    fn draw(&self) {
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

/// What still goes on, in one line.
fn still(lines: &[Line], now: Instant) -> String {
    let going: Vec<&Line> = lines.iter().filter(|line| !line.ended).collect();
    let begun = going.iter().filter_map(|line| Some((line, line.begun?)));
    let told: Vec<String> = begun
        .take(NAMED)
        .map(|(line, begun)| {
            let time = elapsed(now.saturating_duration_since(begun));
            match line.words.is_empty() {
                true => format!("{}: not done after {time}", line.name),
                false => format!("{}: still {} after {time}", line.name, line.words),
            }
        })
        .collect();
    match (told.as_slice(), going.len()) {
        ([], 1) => "still waiting for an answer".to_owned(),
        ([], many) => format!("still waiting for answers, for {many}"),
        (told, many) if many > told.len() => format!("{}; and {} more", told.join("; "), many - told.len()),
        (told, _) => told.join("; "),
    }
}

/// The lines as the terminal has room for them.
fn drawn(lines: &[Line], (width, height): (usize, usize), now: Instant) -> Vec<String> {
    let going: Vec<(&Line, Instant)> =
        lines.iter().filter(|line| !line.ended).filter_map(|line| Some((line, line.begun?))).collect();
    // The last column is left free: some terminals begin a new line there. So is the cursor's own line.
    let width = width.saturating_sub(1);
    let room = height.saturating_sub(2).clamp(1, MOST);
    let shown = if going.len() > room { room.saturating_sub(1) } else { going.len() };
    let mut drawn: Vec<String> = going
        .iter()
        .take(shown)
        .map(|(line, begun)| {
            let time = format!(" {}", elapsed(now.saturating_duration_since(*begun)));
            let words = exit::escaped(&format!("{}: {}", line.name, line.words));
            let words = fitted(&words, width.saturating_sub(time.len()));
            fitted(&format!("{words}{time}"), width)
        })
        .collect();
    if shown < going.len() {
        drawn.push(fitted(&format!("+{} more", going.len() - shown), width));
    }
    drawn
}

/// As much of it as has room.
fn fitted(text: &str, width: usize) -> String {
    let mut used = 0;
    text.chars()
        .take_while(|letter| {
            used += letter.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

/// `7s`, `2m07s`, `1h02m`.
fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, words: &str, begun: Instant) -> Line {
        Line { name: name.to_owned(), words: words.to_owned(), begun: Some(begun), ended: false }
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
        assert_eq!(ticking(work, || said.get() + SILENCE, pulse).await, 7);
        assert_eq!(pulses.get(), 10);
    }

    #[test]
    fn what_still_goes_on_is_one_line_however_many_there_are() {
        let begun = Instant::now();
        let now = begun + Duration::from_secs(180);
        let mut lines: Vec<Line> =
            (0..1000).map(|at| line(&format!("machine web{at}"), "provisioning", begun)).collect();
        let told = still(&lines, now);
        assert!(told.starts_with("machine web0: still provisioning after 3m00s; "), "{told}");
        assert!(told.ends_with("; and 997 more"), "{told}");
        lines.iter_mut().skip(1).for_each(|line| line.ended = true);
        assert_eq!(still(&lines, now), "machine web0: still provisioning after 3m00s");
        lines[0].words.clear();
        assert_eq!(still(&lines, now), "machine web0: not done after 3m00s");
        lines[0].begun = None;
        assert_eq!(still(&lines, now), "still waiting for an answer");
    }

    #[test]
    fn a_line_fits_its_terminal_and_cannot_steer_it() {
        let now = Instant::now();
        let lines = [line("web\u{1b}[2J\n0", &"状态".repeat(40), now)];
        let drawn = drawn(&lines, (30, 24), now + Duration::from_secs(127));
        assert_eq!(drawn.len(), 1);
        assert!(drawn[0].ends_with(" 2m07s"), "{drawn:?}");
        assert!(!drawn[0].chars().any(char::is_control), "{drawn:?}");
        assert!(unicode_width::UnicodeWidthStr::width(drawn[0].as_str()) < 30, "{drawn:?}");
    }

    #[test]
    fn what_has_no_room_is_counted_and_what_has_ended_is_not_drawn() {
        let now = Instant::now();
        let mut lines: Vec<Line> = (0..20).map(|at| line(&format!("web{at}"), "running", now)).collect();
        assert_eq!(drawn(&lines, (80, 24), now).last().unwrap(), "+9 more");
        assert_eq!(drawn(&lines, (80, 6), now).len(), 4);
        assert_eq!(drawn(&lines, (1, 1), now), [""]);
        lines.iter_mut().skip(1).for_each(|line| line.ended = true);
        assert_eq!(drawn(&lines, (80, 24), now), ["web0: running 0s"]);
    }
}
