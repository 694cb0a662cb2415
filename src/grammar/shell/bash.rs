//! bash's lines: into words, and a name back into the line. readline puts in what it is given, without quoting it,
//! and replaces only a part of a word, from the last of the characters that it takes for the end of one (`@`, `:`,
//! `=` among them) or from the quote that is open. A completion script hands over the line and the part that is
//! replaced; this module reads the words, and writes the rest of a name as it must stand there.

/// `COMP_TYPE` when all candidates are put into the line at once. readline takes an open quote away then.
const ALL_AT_ONCE: &str = "42";

/// A quote that is open where the cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    No,
    Single,
    Double,
}

/// A line up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct Typed {
    /// Its words as the command would get them, the one at the cursor last.
    pub words: Vec<String>,
    /// How much of that word, in bytes, stands before the part that is replaced.
    kept: usize,
    open: Open,
}

/// Reads a line up to the cursor, the part of it that readline replaces, and its reason for asking. Nothing where
/// the cursor is at no word of the command's.
pub fn read(line: &str, replaced: &str, reason: &str) -> Option<Typed> {
    let start = line.strip_suffix(replaced)?.len();
    let mut reader = Reader::default();
    let mut letters = line.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if at == start {
            reader.mark();
        }
        let next = letters.peek().map(|(_, next)| *next);
        if reader.took_both(letter, next) {
            letters.next();
        }
    }
    if start == line.len() {
        reader.mark();
    }
    if reader.redirected || reader.foreign {
        return None;
    }
    reader.words.push(reader.word);
    let open = if reason == ALL_AT_ONCE { Open::No } else { reader.open };
    Some(Typed { words: reader.words, kept: reader.kept, open })
}

/// Where the reading of a line has got to.
struct Reader {
    words: Vec<String>,
    word: String,
    /// Whether the word has begun: `''` is one too.
    begun: bool,
    open: Open,
    /// The word is the file of a redirection.
    redirected: bool,
    /// A kind of quote was opened that is not read here.
    foreign: bool,
    /// How long the word was where the replaced part begins.
    kept: usize,
}

impl Default for Reader {
    fn default() -> Self {
        let (words, word) = (Vec::new(), String::new());
        Reader { words, word, begun: false, open: Open::No, redirected: false, foreign: false, kept: 0 }
    }
}

impl Reader {
    fn mark(&mut self) {
        self.kept = self.word.len();
    }

    /// Reads a letter, and says whether it has read the next one too.
    fn took_both(&mut self, letter: char, next: Option<char>) -> bool {
        match (self.open, letter) {
            // Within $'…' other rules hold: nothing is offered there.
            (Open::No, '$') if matches!(next, Some('\'' | '"')) => self.foreign = true,
            (Open::No, '\'') => self.open(Open::Single),
            (Open::No, '"') => self.open(Open::Double),
            (Open::Single, '\'') | (Open::Double, '"') => self.open = Open::No,
            (Open::No | Open::Double, '\\') => match next {
                Some(next) if self.open == Open::No || matches!(next, '\\' | '"' | '$' | '`') => {
                    self.push(next);
                    return true;
                }
                // At the cursor it quotes nothing yet.
                None => {}
                Some(_) => self.push('\\'),
            },
            (Open::No, ' ' | '\t' | '\n') => self.end(),
            // `2>&1`, `&>file`
            (Open::No, '&') if self.redirected && !self.begun || next == Some('>') => {}
            // Another command begins.
            (Open::No, ';' | '|' | '&' | '(') => {
                self.end();
                self.words.clear();
                self.redirected = false;
            }
            (Open::No, '<' | '>') => {
                // `2>file`
                if self.word.bytes().all(|b| b.is_ascii_digit()) {
                    self.word.clear();
                    self.begun = false;
                }
                self.end();
                self.redirected = true;
            }
            (_, letter) => self.push(letter),
        }
        false
    }

    fn push(&mut self, letter: char) {
        self.word.push(letter);
        self.begun = true;
    }

    fn open(&mut self, quote: Open) {
        self.open = quote;
        self.begun = true;
    }

    fn end(&mut self) {
        let word = std::mem::take(&mut self.word);
        if !std::mem::take(&mut self.begun) {
            return;
        }
        // `FOO=1 sdc …`
        let assigns = self.words.is_empty() && is_assignment(&word);
        if !std::mem::take(&mut self.redirected) && !assigns {
            self.words.push(word);
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

impl Typed {
    /// What stands for a candidate in the place of the part that is replaced. The only one has its quote closed.
    /// Nothing for one that does not continue what was typed.
    pub fn insert(&self, candidate: &str, only: bool) -> Option<String> {
        let typed = self.words.last()?;
        if !candidate.starts_with(typed.get(..self.kept)?) {
            return None;
        }
        let rest = candidate.get(self.kept..)?;
        // A comma means itself, unless a brace was typed before it. readline would not know a quoted one again.
        let braced = typed.get(..self.kept)?.contains('{');
        let mut out = String::with_capacity(rest.len() + 8);
        for letter in rest.chars() {
            match (self.open, letter) {
                (Open::Single, '\'') => out.push_str(r"'\''"),
                (Open::Double, '\\' | '"' | '$' | '`') => out.extend(['\\', letter]),
                // In double quotes a backslash keeps it from being history, and stays where it is.
                (Open::Double, '!') => out.push_str(r#""\!""#),
                (Open::No, ',') if !braced => out.push(letter),
                (Open::No, letter) if !is_plain(letter) => out.extend(['\\', letter]),
                _ => out.push(letter),
            }
        }
        match self.open {
            Open::Single if only => out.push('\''),
            Open::Double if only => out.push('"'),
            _ => {}
        }
        Some(out)
    }
}

/// Letters that mean themselves wherever they stand in a word.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || !letter.is_ascii()
        || matches!(letter, '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        read(line, "", "9").map(|typed| typed.words)
    }

    #[test]
    fn a_line_is_taken_apart_as_bash_does_it() {
        for (line, read) in [
            ("sdc images get ", &["sdc", "images", "get", ""][..]),
            ("sdc  images\tget de", &["sdc", "images", "get", "de"]),
            (r"sdc keys get key\ wi", &["sdc", "keys", "get", "key wi"]),
            ("sdc keys get 'key wi", &["sdc", "keys", "get", "key wi"]),
            (r#"sdc keys get "a\"b\$c\d e"#, &["sdc", "keys", "get", r#"a"b$c\d e"#]),
            ("sdc keys get 'a'\\''b", &["sdc", "keys", "get", "a'b"]),
            ("sdc keys get '' x", &["sdc", "keys", "get", "", "x"]),
            ("sdc keys get a\\", &["sdc", "keys", "get", "a"]),
            ("FOO=1 sdc --image=de", &["sdc", "--image=de"]),
            ("cd /tmp && sdc images ge", &["sdc", "images", "ge"]),
            ("sdc images get 2>/dev/null de", &["sdc", "images", "get", "de"]),
            ("sdc images get > out de", &["sdc", "images", "get", "de"]),
            ("sdc images get 2>&1 &>/dev/null de", &["sdc", "images", "get", "de"]),
        ] {
            assert_eq!(words(line).unwrap(), read, "{line}");
        }
        assert_eq!(words("sdc images get > ou"), None, "a file of the shell's");
        for other in [r"sdc images get $'x", r"sdc images get $'x' y", "sdc images get $\"x", "sdc images get a$'b' x"]
        {
            assert_eq!(words(other), None, "{other}: other rules hold there");
        }
    }

    #[test]
    fn only_what_readline_replaces_is_written_and_it_is_quoted() {
        for (line, replaced, candidate, put) in [
            ("sdc images get x", "x", "x$(touch F)", r"x\$\(touch\ F\)"),
            ("sdc images get 'x", "x", "x$(touch F)", "x$(touch F)'"),
            ("sdc images get \"x", "x", "x$(touch `F`)", "x\\$(touch \\`F\\`)\""),
            ("sdc images get \"x", "x", "x!y\"", "x\"\\!\"y\\\"\""),
            ("sdc images get 'x", "x", "x'y", r"x'\''y'"),
            ("sdc machines list -o name,st", "name,st", "name,state", "name,state"),
            ("sdc keys get x", "x", "x{a,b}", r"x\{a,b\}"),
            ("sdc keys get {a,b", "{a,b", "{a,b", r"\{a,b"),
            ("sdc images get debian-12@", "@", "debian-12@20240101", "@20240101"),
            ("sdc images get debian-12@", "", "debian-12@20240101", "20240101"),
            ("sdc keys get jill@host:", "", "jill@host:a b", r"a\ b"),
            ("sdc machines nics get web1 be:d8", "d8", "be:d8:01", "d8:01"),
            ("sdc machines create --package=g1-", "g1-", "--package=g1-1", "g1-1"),
            ("sdc machines create --package='g1-", "g1-", "--package=g1-1", "g1-1'"),
            ("sdc machines create --package='g1-", "g1-", "--package=it's", r"it'\''s'"),
            (r"sdc keys get key\ w", r"key\ w", "key with", r"key\ with"),
            ("sdc keys get ke'y w", "y w", "key with", "y with'"),
            ("sdc keys get 'key 'w", "'key 'w", "key with", r"key\ with"),
            ("sdc keys get ~", "~", "~root", r"\~root"),
            ("sdc keys get ", "", "#!{a,b}*", r"\#\!\{a,b\}\*"),
            ("sdc keys get ü", "ü", "ünïcödé", "ünïcödé"),
        ] {
            let typed = read(line, replaced, "9").unwrap();
            assert_eq!(typed.insert(candidate, true).unwrap(), put, "{line}");
        }
        let typed = read("sdc images get 'x", "x", "9").unwrap();
        assert_eq!(typed.insert("x y", false).unwrap(), "x y", "of several, the quote stays open");
        let typed = read("sdc images get 'x", "x", ALL_AT_ONCE).unwrap();
        assert_eq!(typed.insert("x y", false).unwrap(), r"x\ y", "readline takes the quote away");
    }
}
