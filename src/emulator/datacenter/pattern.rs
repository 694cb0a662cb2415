//! Regular expressions, as far as rules of placement need them: matched by walking all ways at once,
//! so that the time is bounded by the pattern's length times the text's.

/// Longer patterns are not taken.
const MAX_PATTERN: usize = 128;
/// So much of a text is looked at, in characters.
const MAX_TEXT: usize = 1024;

/// A pattern, made into steps.
#[derive(Debug)]
pub(crate) struct Pattern {
    steps: Vec<Step>,
}

/// One step. The numbers are how far it is to the next one.
#[derive(Clone, Debug)]
enum Step {
    One(Set),
    Either(isize, isize),
    Jump(isize),
    Start,
    End,
}

/// Some characters, or all but them.
#[derive(Clone, Debug, Default)]
struct Set {
    all_but: bool,
    ranges: Vec<(char, char)>,
}

impl Set {
    fn one(c: char) -> Set {
        Set { all_but: false, ranges: vec![(c, c)] }
    }

    fn holds(&self, c: char) -> bool {
        self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != self.all_but
    }
}

impl Pattern {
    /// Reads a pattern; `None` for what is none, or is of a kind that is not known here.
    pub(crate) fn read(text: &str) -> Option<Pattern> {
        let mut rest = Rest { chars: text.chars().collect(), at: 0 };
        if rest.chars.len() > MAX_PATTERN {
            return None;
        }
        let steps = rest.choices()?;
        if rest.at < rest.chars.len() { None } else { Some(Pattern { steps }) }
    }

    /// Whether the pattern is found anywhere in the text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().take(MAX_TEXT).collect();
        let mut now = vec![false; self.steps.len() + 1];
        for at in 0..=text.len() {
            self.reach(0, at, text.len(), &mut now);
            if now.last() == Some(&true) {
                return true;
            }
            let Some(c) = text.get(at) else { break };
            let mut next = vec![false; self.steps.len() + 1];
            for (step, _) in self.steps.iter().enumerate().filter(|(step, _)| now.get(*step) == Some(&true)) {
                if matches!(self.steps.get(step), Some(Step::One(set)) if set.holds(*c)) {
                    self.reach(step + 1, at + 1, text.len(), &mut next);
                }
            }
            now = next;
            if now.last() == Some(&true) {
                return true;
            }
        }
        false
    }

    /// Marks every step that can be come to from this one without a character.
    fn reach(&self, from: usize, at: usize, length: usize, marked: &mut [bool]) {
        let mut ways = vec![from];
        while let Some(step) = ways.pop() {
            match marked.get_mut(step) {
                Some(mark) if !*mark => *mark = true,
                _ => continue,
            }
            let mut way = |by: isize| ways.extend(step.checked_add_signed(by));
            match self.steps.get(step) {
                Some(Step::Either(one, other)) => {
                    way(*one);
                    way(*other);
                }
                Some(Step::Jump(by)) => way(*by),
                Some(Step::Start) if at == 0 => way(1),
                Some(Step::End) if at == length => way(1),
                _ => {}
            }
        }
    }
}

/// What is still to be read of a pattern.
struct Rest {
    chars: Vec<char>,
    at: usize,
}

fn length(steps: &[Step]) -> isize {
    isize::try_from(steps.len()).unwrap_or(isize::MAX / 4)
}

impl Rest {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let yes = self.peek() == Some(c);
        self.at += usize::from(yes);
        yes
    }

    /// `a|b`.
    fn choices(&mut self) -> Option<Vec<Step>> {
        let one = self.row()?;
        if !self.eat('|') {
            return Some(one);
        }
        let other = self.choices()?;
        let mut steps = vec![Step::Either(1, length(&one) + 2)];
        steps.extend(one);
        steps.push(Step::Jump(length(&other) + 1));
        steps.extend(other);
        Some(steps)
    }

    /// `ab*c`.
    fn row(&mut self) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            let mut piece = self.piece()?;
            let anchor = matches!(c, '^' | '$');
            while let Some(sign) = self.peek().filter(|c| matches!(c, '*' | '+' | '?')) {
                if anchor {
                    return None;
                }
                self.at += 1;
                let long = length(&piece);
                match sign {
                    '*' => {
                        piece.insert(0, Step::Either(1, long + 2));
                        piece.push(Step::Jump(-(long + 1)));
                    }
                    '+' => piece.push(Step::Either(-long, 1)),
                    _ => piece.insert(0, Step::Either(1, long + 1)),
                }
            }
            steps.extend(piece);
        }
        Some(steps)
    }

    fn piece(&mut self) -> Option<Vec<Step>> {
        let step = match self.next()? {
            '(' => {
                if self.eat('?') && !self.eat(':') {
                    return None;
                }
                let inner = self.choices()?;
                return if self.eat(')') { Some(inner) } else { None };
            }
            '*' | '+' | '?' | '{' => return None,
            '[' => Step::One(self.class()?),
            '\\' => Step::One(self.escaped()?),
            '.' => Step::One(Set { all_but: true, ranges: vec![('\n', '\n')] }),
            '^' => Step::Start,
            '$' => Step::End,
            c => Step::One(Set::one(c)),
        };
        Some(vec![step])
    }

    /// `[a-z]`, after its bracket.
    fn class(&mut self) -> Option<Set> {
        let mut set = Set { all_but: self.eat('^'), ranges: Vec::new() };
        loop {
            let from = match self.next()? {
                ']' => return Some(set),
                '\\' => {
                    let escaped = self.escaped()?;
                    if escaped.all_but {
                        return None;
                    }
                    match escaped.ranges.as_slice() {
                        [(c, to)] if c == to => *c,
                        _ => {
                            set.ranges.extend(escaped.ranges);
                            continue;
                        }
                    }
                }
                c => c,
            };
            let dash = self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']');
            if !dash {
                set.ranges.push((from, from));
                continue;
            }
            self.at += 1;
            match self.next()? {
                to if to != '\\' && to >= from => set.ranges.push((from, to)),
                _ => return None,
            }
        }
    }

    /// `\d`, after its stroke. Signs stand for themselves, and of letters only some for anything.
    fn escaped(&mut self) -> Option<Set> {
        let c = self.next()?;
        let ranges = match c.to_ascii_lowercase() {
            'd' => vec![('0', '9')],
            'w' => vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
            's' => vec![(' ', ' '), ('\t', '\r')],
            _ if !c.is_alphanumeric() => return Some(Set::one(c)),
            _ => return None,
        };
        Some(Set { all_but: c.is_ascii_uppercase(), ranges })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_signs_mean_what_they_mean_elsewhere() {
        for (pattern, text, yes) in [
            ("web", "my-web1", true),
            ("^web", "my-web1", false),
            ("^web[0-9]+$", "web10", true),
            ("^web[^0-9]$", "web1", false),
            ("^(db|web)-?\\d*$", "db-12", true),
            ("^(?:a|b)*c$", "ababc", true),
            ("^a.c$", "abc", true),
            ("a\\.c", "abc", false),
            ("[]", "x", false),
            ("x*", "", true),
            ("^[\\w-]+$", "a_b-C9", true),
            ("\\S", " \t", false),
            ("", "anything", true),
            ("(a*)*$", "b", true),
            ("a+?b", "aab", true),
        ] {
            let read = Pattern::read(pattern).unwrap_or_else(|| panic!("{pattern}"));
            assert_eq!(read.is_in(text), yes, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_not_read() {
        for pattern in ["(", ")", "a)", "*", "[a", "[b-a]", "\\", "(?=a)", "\\b", "^*", &"a".repeat(129)] {
            assert!(Pattern::read(pattern).is_none(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_made_to_take_long_does_not() {
        let pattern = Pattern::read(&format!("^({}c)$", "(a+)+".repeat(20))).unwrap();
        assert!(!pattern.is_in(&"a".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_crate_for_regular_expressions(
            pattern in "(\\^)?[ab.|()]{0,6}([ab.][*+?])?[ab]?(\\$)?", text in "[abc]{0,8}",
        ) {
            if let (Some(own), Ok(other)) = (Pattern::read(&pattern), regex::Regex::new(&pattern)) {
                prop_assert_eq!(own.is_in(&text), other.is_match(&text), "{} {}", pattern, text);
            }
        }

        #[test]
        fn nothing_makes_it_panic(pattern in ".{0,140}", text in ".{0,40}") {
            if let Some(pattern) = Pattern::read(&pattern) {
                let _ = pattern.is_in(&text);
            }
        }
    }
}
