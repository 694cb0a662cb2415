//! What users of the older tools type, and what does the same here: the tables of their page of the guide. Read only
//! where a word is not known, or where their page is asked for.

/// The page, in whose tables the commands are.
const GUIDE: &str = include_str!("../../docs/guide/coming-from-triton.md");

/// What is in no table of the page: see the file's own heads.
const MORE: &str = include_str!("older.txt");

/// The parts of that file, by their headings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words: what is typed first, and what it is called here. `…` is for what was typed after it.
    Words,
    /// Options that are unknown here.
    Options,
    /// Letters that mean something else here.
    Letters,
}

/// A row of it.
pub struct Row {
    /// What is typed.
    pub typed: &'static str,
    below: &'static str,
    /// What does the same here.
    pub here: &'static str,
}

impl Row {
    /// Whether it is for this command, and whether for it alone and not for every one.
    pub fn is_of(&self, command: &str) -> Option<bool> {
        let below =
            |known: &str| command.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        match self.below {
            "" => Some(false),
            known => known.split(", ").any(below).then_some(true),
        }
    }
}

/// The rows of a part.
pub fn part(part: Part) -> impl Iterator<Item = Row> {
    let heading = format!("{part:?}");
    let section = MORE.split("\n# ").find(|section| section.starts_with(&heading)).unwrap_or_default();
    section.lines().filter_map(|line| {
        let (typed, rest) = line.split_once(" |")?;
        let (below, here) = rest.split_once("| ")?;
        Some(Row { typed, below: below.trim(), here })
    })
}

/// An older tool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `triton`.
    NodeTriton,
    /// `sdc-listmachines` and so on.
    Smartdc,
}

impl Tool {
    /// Its name in the headings of the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Tool::NodeTriton => "node-triton",
            Tool::Smartdc => "smartdc",
        }
    }
}

/// The rows of the tables for a tool: the cell with its commands, and the one with ours, as they stand on the page.
pub fn rows(tool: Tool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut columns: Option<(usize, usize)> = None;
    GUIDE.lines().filter_map(move |line| {
        let Some(row) = line.strip_prefix('|') else {
            columns = None;
            return None;
        };
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let at = |heading: &str| cells.iter().position(|cell| *cell == heading);
        if let Some(here) = at("here") {
            columns = at(tool.name()).map(|theirs| (theirs, here));
            return None;
        }
        let (theirs, here) = columns?;
        let (theirs, here) = (*cells.get(theirs)?, *cells.get(here)?);
        (!theirs.is_empty() && !theirs.starts_with('-')).then_some((theirs, here))
    })
}

/// The commands of a cell, between backticks. One that is only an end, as in `image list`, `get`, is made whole.
fn commands(cell: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for part in cell.split('`').skip(1).step_by(2) {
        let part = part.replace('…', "");
        let whole = ["sdc", "triton"].iter().any(|program| part.starts_with(program));
        match all.first() {
            _ if whole => all.push(part),
            Some(first) if !part.starts_with(['-', '=']) => {
                let verbs = literal(first);
                all.push(verbs.iter().rev().skip(1).rev().copied().chain([&*part]).collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }
    all
}

/// The words that a command begins with, before what stands for something else.
fn literal(command: &str) -> Vec<&str> {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    command.split(' ').take_while(|word| !word.starts_with('-') && word.chars().all(letter)).collect()
}

/// What does here what these words do in an older tool. The command that has most of them counts; `alone` says that the
/// first of them is enough.
pub fn here(typed: &[&str], alone: bool) -> Option<String> {
    let typed: Vec<&str> = match typed {
        [first, rest @ ..] => [&[plain(first)], rest].concat(),
        [] => return None,
    };
    let mut best: Option<(usize, String)> = None;
    for (theirs, ours) in [Tool::Smartdc, Tool::NodeTriton].into_iter().flat_map(rows) {
        let ours = commands(ours);
        for (at, command) in commands(theirs).iter().enumerate() {
            let words = literal(command);
            let [first, rest @ ..] = words.as_slice() else { continue };
            let words = [&[plain(first)], rest].concat();
            // `triton` itself is seldom typed.
            let words = words.strip_prefix(&["triton"]).filter(|_| typed.first() != Some(&"triton")).unwrap_or(&words);
            let fits = match words {
                _ if typed.starts_with(words) => words.len(),
                [first, ..] if alone && typed.first() == Some(first) => 0,
                _ => continue,
            };
            let Some(found) = ours.get(at).or(ours.last()) else { continue };
            if best.as_ref().is_none_or(|(most, _)| fits > *most) {
                best = Some((fits, found.clone()));
            }
        }
    }
    best.map(|(_, found)| found)
}

/// A command of smartdc by its own words: `listmachines`.
fn plain(word: &str) -> &str {
    word.strip_prefix("sdc-").unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_several_commands_are_made_whole() {
        assert_eq!(commands("`sdc images list`, `get`"), ["sdc images list", "sdc images get"]);
        assert_eq!(
            commands("`triton rbac keys USER`, `key USER KEY`"),
            ["triton rbac keys USER", "triton rbac key USER KEY"]
        );
        assert_eq!(commands("`sdc keys get KEY` (name, MD5 or SHA256 fingerprint)"), ["sdc keys get KEY"]);
        assert_eq!(commands("the event lines of `-w`"), [""; 0]);
    }

    #[test]
    fn every_line_of_the_file_is_a_row() {
        for (of, most) in [(Part::Words, 60), (Part::Options, 60), (Part::Letters, 19)] {
            assert!(part(of).count() >= most && part(of).all(|row| !row.here.is_empty() && !row.typed.contains('|')));
        }
        let lines = MORE.lines().skip(2).filter(|line| line.contains('|')).count();
        assert_eq!(
            lines,
            [Part::Words, Part::Options, Part::Letters].into_iter().map(|of| part(of).count()).sum::<usize>()
        );
    }

    #[test]
    fn words_of_the_older_tools_are_found_in_the_tables() {
        for (typed, expected) in [
            ("listmachines", "sdc machines list"),
            ("sdc-listmachines", "sdc machines list"),
            ("sdc-getimage base-64", "sdc images get"),
            ("sdc-fabric vlan create", "sdc fabrics vlans create VLAN -n NAME"),
            ("chmod +ops /machines", "sdc role-tags set RESOURCE ROLE"),
            ("triton instance fwrules web1", "sdc machines fwrules list INST"),
            ("nics web1", "sdc machines nics list INST"),
            ("nics get web1", "sdc machines nics get INST MAC"),
            ("vlan networks 2", "sdc fabrics networks list VLAN"),
        ] {
            let typed: Vec<&str> = typed.split(' ').collect();
            assert_eq!(here(&typed, true).as_deref(), Some(expected), "{typed:?}");
        }
        assert_eq!(here(&["nothing"], true), None);
        assert_eq!(here(&[], true), None);
    }
}
