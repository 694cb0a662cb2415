//! How far each of several targets is: one live line each on a terminal, a line at each step elsewhere. It prints
//! through `streams` alone, and nothing at all where nobody wants words.

use std::cell::RefCell;
use std::future::Future;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthChar;

use super::{App, exit};
use crate::config::env;

/// So many lines are live at most; the rest is counted.
const MOST: usize = 12;
/// How often the elapsed time is drawn anew.
const TICK: Duration = Duration::from_secs(1);

/// The targets of one command. What is still live when it goes is wiped off.
pub struct Progress<'a> {
    app: &'a App,
    live: bool,
    lines: RefCell<Vec<Line>>,
}

struct Line {
    name: String,
    words: String,
    begun: Option<Instant>,
    ended: bool,
}

impl<'a> Progress<'a> {
    /// Nothing is shown of a target until something is told of it.
    pub fn new(app: &'a App, names: Vec<String>) -> Self {
        let dumb = env::var("TERM").is_none_or(|term| term == "dumb");
        let line = |name| Line { name, words: String::new(), begun: None, ended: false };
        let lines = RefCell::new(names.into_iter().map(line).collect());
        Progress { app, live: app.streams.stderr_tty && !dumb && !silent(app), lines }
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
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(TICK), if self.live => self.draw(),
            }
        }
    }

    fn say(&self, at: usize, words: &str) {
        if let Some(line) = self.lines.borrow().get(at) {
            self.app.say(&format!("{}: {words}", line.name));
        }
    }

    fn draw(&self) {
        let lines = self.lines.borrow();
        self.app.streams.live(&drawn(&lines, self.app.streams.size(), Instant::now()));
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.live {
            self.app.streams.live(&[]);
        }
    }
}

fn silent(app: &App) -> bool {
    app.globals.quiet || app.globals.json()
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
            let words = exit::escaped(&format!("{}: {}", line.name, line.words)).replace('\n', " ");
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
