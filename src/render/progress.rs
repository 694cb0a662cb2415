//! How far several targets are, in words: a line each, as many as there is room for, or one for all.

use std::time::Duration;

use tokio::time::Instant;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::visible;

/// So many lines are live at most; the rest is counted.
const MAX_LINES: usize = 12;
/// So many of those that still go on are named in one line, or have a line where there are more targets than lines.
const MAX_NAMES: usize = 3;

/// One of several targets, and how far it is.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it is called.
    pub name: String,
    /// What is being done to it; nothing while nobody knows.
    pub words: String,
    /// When it was begun.
    pub begun: Option<Instant>,
    /// Whether it is over.
    pub ended: bool,
}

/// Whether there are so many that a line of each is not read any more.
pub fn are_many(targets: usize) -> bool {
    targets > MAX_LINES
}

/// `37 of 300`, where there are more than can be counted at a glance.
fn counted(lines: &[Line]) -> Option<String> {
    let ended = lines.iter().filter(|line| line.ended).count();
    (lines.len() > MAX_NAMES).then(|| format!("{ended} of {}", lines.len()))
}

/// What still goes on, in one line.
pub fn still(lines: &[Line], now: Instant) -> String {
    let going: Vec<&Line> = lines.iter().filter(|line| !line.ended).collect();
    let begun = going.iter().filter_map(|line| Some((line, line.begun?)));
    let told: Vec<String> = begun
        .take(MAX_NAMES)
        .map(|(line, begun)| {
            let time = elapsed(now.saturating_duration_since(begun));
            match line.words.is_empty() {
                true => format!("{}: not done after {time}", line.name),
                false => format!("{}: still {} after {time}", line.name, line.words),
            }
        })
        .collect();
    let words = match (told.as_slice(), going.len()) {
        ([], 1) => "the service has taken nothing yet".to_owned(),
        ([], many) => format!("the service has taken none of {many} yet"),
        (told, many) if many > told.len() => format!("{}; and {} more", told.join("; "), many - told.len()),
        (told, _) => told.join("; "),
    };
    match counted(lines) {
        Some(count) => format!("{count}; {words}"),
        None => words,
    }
}

/// The lines as the terminal has room for them.
pub fn drawn(lines: &[Line], (width, height): (usize, usize), now: Instant) -> Vec<String> {
    let going: Vec<(&Line, Instant)> =
        lines.iter().filter(|line| !line.ended).filter_map(|line| Some((line, line.begun?))).collect();
    // The last column is left free: some terminals begin a new line there. So is the cursor's own line.
    let width = width.saturating_sub(1);
    let most = if are_many(lines.len()) { MAX_NAMES + 1 } else { MAX_LINES };
    let room = height.saturating_sub(2).clamp(1, most);
    let count = counted(lines).filter(|_| !going.is_empty());
    let taken = going.len() + usize::from(count.is_some());
    let shown = if taken > room { room.saturating_sub(1) } else { going.len() };
    let mut drawn: Vec<String> = going
        .iter()
        .take(shown)
        .map(|(line, begun)| {
            let time = format!(" {}", elapsed(now.saturating_duration_since(*begun)));
            let words = told(&visible(&line.name), &visible(&line.words), width.saturating_sub(time.len()));
            fitted(&format!("{words}{time}"), width)
        })
        .collect();
    let more = (shown < going.len()).then(|| going.len() - shown);
    let more = more
        .map(|more| if counted(lines).is_some() { format!("{more} more under way") } else { format!("+{more} more") });
    let last: Vec<String> = count.into_iter().chain(more).collect();
    if !last.is_empty() {
        drawn.push(fitted(&last.join("; "), width));
    }
    drawn
}

/// What is called so is in this state. The state is what is waited for: where there is no room for all, the id goes
/// first, or is shortened where it is all that there is, and then the end of the name.
fn told(name: &str, state: &str, width: usize) -> String {
    let state = fitted(state, width);
    let room = width.saturating_sub(state.width() + ": ".len());
    let shorter = || without_id(name).map_or_else(|| with_short_ids(name), str::to_owned);
    match if name.width() <= room { name.to_owned() } else { fitted(&shorter(), room) } {
        name if name.is_empty() => state,
        name => format!("{name}: {state}"),
    }
}

/// The name alone, of `machine web1 (UUID)`.
fn without_id(name: &str) -> Option<&str> {
    let (name, id) = name.strip_suffix(')')?.rsplit_once(" (")?;
    is_uuid(id).then_some(name)
}

/// The same with the first digits of each id, as lists show them.
fn with_short_ids(name: &str) -> String {
    let short = |word| if is_uuid(word) { word.split('-').next().unwrap_or(word) } else { word };
    name.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

/// Whether a word is an id that says nothing to a reader.
fn is_uuid(word: &str) -> bool {
    word.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
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
    fn what_still_goes_on_is_one_line_however_many_there_are() {
        let begun = Instant::now();
        let now = begun + Duration::from_secs(180);
        let mut lines: Vec<Line> =
            (0..1000).map(|at| line(&format!("machine web{at}"), "provisioning", begun)).collect();
        let told = still(&lines, now);
        assert!(told.starts_with("0 of 1000; machine web0: still provisioning after 3m00s; "), "{told}");
        assert!(told.ends_with("; and 997 more"), "{told}");
        lines.iter_mut().skip(1).for_each(|line| line.ended = true);
        assert_eq!(still(&lines, now), "999 of 1000; machine web0: still provisioning after 3m00s");
        lines[0].words.clear();
        assert_eq!(still(&lines, now), "999 of 1000; machine web0: not done after 3m00s");
        lines[0].begun = None;
        assert_eq!(still(&lines, now), "999 of 1000; the service has taken nothing yet");
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
    fn the_state_is_seen_however_narrow_the_terminal_is() {
        let now = Instant::now();
        let id = "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
        let seen = |name: &str, width| drawn(&[line(name, "provisioning", now)], (width, 24), now).remove(0);
        let (web, long) = (format!("machine web1 ({id})"), format!("machine {} ({id})", "a-long-name-of-a-machine"));
        assert_eq!(seen(&web, 80), format!("machine web1 ({id}): provisioning 0s"));
        for width in [67, 50, 40] {
            assert_eq!(seen(&web, width), "machine web1: provisioning 0s");
        }
        assert_eq!(seen(&long, 70), "machine a-long-name-of-a-machine: provisioning 0s");
        assert_eq!(seen(&long, 50), "machine a-long-name-of-a-machine: provisioning 0s");
        assert_eq!(seen(&long, 40), "machine a-long-name-of: provisioning 0s");
        // Without a name the id is all that tells it from others.
        assert_eq!(seen(&format!("machine {id}"), 70), format!("machine {id}: provisioning 0s"));
        for width in [50, 40] {
            assert_eq!(seen(&format!("machine {id}"), width), "machine 3c1f8a52: provisioning 0s");
        }
        assert_eq!(seen(&format!("disk {id} of machine web1"), 50), "disk 3c1f8a52 of machine web1: provisioning 0s");
        assert_eq!(seen(&web, 18), "provisioning 0s");
    }

    #[test]
    fn what_has_no_room_is_counted_and_what_has_ended_is_not_drawn() {
        let now = Instant::now();
        let mut lines: Vec<Line> = (0..20).map(|at| line(&format!("web{at}"), "running", now)).collect();
        let all = drawn(&lines, (80, 24), now);
        assert_eq!((all.len(), all.last().unwrap().as_str()), (4, "0 of 20; 17 more under way"));
        assert_eq!(drawn(&lines, (80, 4), now).len(), 2);
        assert_eq!(drawn(&lines, (1, 1), now), [""]);
        lines.iter_mut().skip(1).for_each(|line| line.ended = true);
        assert_eq!(drawn(&lines, (80, 24), now), ["web0: running 0s", "19 of 20"]);
        lines.truncate(8);
        assert_eq!(drawn(&lines, (80, 24), now), ["web0: running 0s", "7 of 8"]);
        lines.truncate(3);
        assert_eq!(drawn(&lines, (80, 24), now), ["web0: running 0s"]);
        lines[0].ended = true;
        assert!(drawn(&lines, (80, 24), now).is_empty());
    }
}
