//! What `~/.ssh/config` says of keys: `IdentityAgent` and `IdentityFile`, and nothing else. It counts what holds for
//! the host of CloudAPI: lines before the first block, `Host` blocks whose patterns match it, and `Match all`,
//! `Match host` and `Match originalhost`. A block with any other condition does not count, and nothing is run to find
//! out. `Include` is followed. What cannot be read is passed over: this file belongs to another program.

use std::path::{Path, PathBuf};

use crate::file;

/// The longest file, in bytes.
const MAX_LEN: u64 = 256 * 1024;
/// More files than this are not included, nor deeper than that.
const MAX_FILES: usize = 32;
const MAX_DEPTH: usize = 8;
/// More files of keys than this are not looked at.
const MAX_KEYS: usize = 32;
/// A folder with more files than this is not searched for what is to be included.
const MAX_ENTRIES: usize = 1000;

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshConfig {
    /// The agent, if one is named: its socket, or `None` where none is to be asked.
    pub agent: Option<Option<PathBuf>>,
    /// Files of private keys, as they are named.
    pub files: Vec<PathBuf>,
}

/// What stands behind the file's tokens and variables.
pub struct Names<'a> {
    /// The host of CloudAPI.
    pub host: &'a str,
    /// The user's home.
    pub home: Option<&'a Path>,
    /// The local user.
    pub user: &'a str,
    /// A variable of the environment.
    pub var: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads the file in this folder, if there is one.
pub fn read(ssh_dir: &Path, names: &Names<'_>) -> SshConfig {
    let mut reader = Reader { names, ssh_dir, found: SshConfig::default(), files: 0 };
    reader.file(&ssh_dir.join("config"), true, 0);
    reader.found
}

/// The same of a text, which includes nothing.
pub fn parse(text: &str, names: &Names<'_>) -> SshConfig {
    let mut reader = Reader { names, ssh_dir: Path::new(""), found: SshConfig::default(), files: MAX_FILES };
    reader.text(text, true, 0);
    reader.found
}

struct Reader<'a> {
    names: &'a Names<'a>,
    ssh_dir: &'a Path,
    found: SshConfig,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, counts: bool, depth: usize) {
        // A pipe is no configuration, and may never end.
        if self.files >= MAX_FILES || depth > MAX_DEPTH || !path.is_file() {
            return;
        }
        self.files += 1;
        let Ok(bytes) = file::read(path, MAX_LEN) else { return };
        self.text(&String::from_utf8_lossy(&bytes), counts, depth);
    }

    /// Reads a text that counts from its first line on, or does not.
    fn text(&mut self, text: &str, counts: bool, depth: usize) {
        let mut in_block = counts;
        for line in text.lines() {
            let Some((keyword, words)) = split(line) else { continue };
            match (keyword.to_ascii_lowercase().as_str(), words.as_slice()) {
                // A file that is included in a block that does not count has none that does.
                ("host", patterns) => in_block = counts && matches_any(patterns.iter(), self.names.host),
                ("match", conditions) => in_block = counts && self.holds(conditions),
                ("include", paths) => {
                    for path in paths {
                        self.include(path, in_block, depth);
                    }
                }
                ("identityagent", [value]) if in_block && self.found.agent.is_none() => {
                    self.found.agent = self.agent(value);
                }
                ("identityfile", [value]) if in_block && self.found.files.len() < MAX_KEYS => {
                    let file = self.expanded(value).filter(|_| !value.eq_ignore_ascii_case("none"));
                    self.found.files.extend(file.map(PathBuf::from).filter(|file| !file.as_os_str().is_empty()));
                }
                _ => {}
            }
        }
    }

    /// Whether the conditions of a `Match` hold, as far as they are understood.
    fn holds(&self, conditions: &[String]) -> bool {
        match conditions {
            [all] => all.eq_ignore_ascii_case("all"),
            pairs => {
                pairs.len().is_multiple_of(2)
                    && !pairs.is_empty()
                    && pairs.chunks(2).all(|pair| {
                        let [what, patterns] = pair else { return false };
                        let known = ["host", "originalhost"].iter().any(|word| what.eq_ignore_ascii_case(word));
                        known && matches_any(patterns.split(','), self.names.host)
                    })
            }
        }
    }

    /// Reads the files of an `Include`, whose last part may be a pattern.
    fn include(&mut self, path: &str, counts: bool, depth: usize) {
        let Some(path) = self.expanded(path) else { return };
        let path = self.ssh_dir.join(path);
        let (Some(dir), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return };
        if !name.contains(['*', '?']) {
            return self.file(&path, counts, depth + 1);
        }
        let entries = std::fs::read_dir(dir).into_iter().flatten().take(MAX_ENTRIES).flatten();
        let mut files: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_str().is_some_and(|file| !file.starts_with('.') && glob(name, file)))
            .map(|entry| entry.path())
            .collect();
        files.sort();
        files.iter().for_each(|file| self.file(file, counts, depth + 1));
    }

    /// The agent that is named. One that cannot be told from here is as if it were not named.
    fn agent(&self, value: &str) -> Option<Option<PathBuf>> {
        if value.eq_ignore_ascii_case("none") {
            return Some(None);
        }
        let socket = match value.strip_prefix('$').filter(|name| !name.starts_with('{')) {
            Some(name) => (self.names.var)(name),
            None if value == "SSH_AUTH_SOCK" => (self.names.var)(value),
            None => self.expanded(value),
        };
        socket.filter(|socket| !socket.is_empty()).map(|socket| Some(PathBuf::from(socket)))
    }

    /// A path with its tokens, variables and `~` replaced; nothing where one of them has no meaning here.
    fn expanded(&self, text: &str) -> Option<String> {
        let home = || self.names.home.and_then(Path::to_str);
        let (mut out, mut rest) = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => (home()?.to_owned(), rest),
            // Somebody else's home.
            Some(_) => return None,
            None => (String::new(), text),
        };
        while let Some(at) = rest.find(['%', '$']) {
            let (before, special) = rest.split_at(at);
            out.push_str(before);
            if let Some(name) = special.strip_prefix("${") {
                let (name, after) = name.split_once('}')?;
                out.push_str(&(self.names.var)(name)?);
                rest = after;
                continue;
            }
            let mut letters = special.chars();
            match (letters.next(), letters.clone().next()) {
                (Some('%'), Some(token)) => {
                    letters.next();
                    match token {
                        '%' => out.push('%'),
                        'd' => out.push_str(home()?),
                        'h' | 'n' => out.push_str(self.names.host),
                        'u' if !self.names.user.is_empty() => out.push_str(self.names.user),
                        _ => return None,
                    }
                }
                (Some('%'), None) => return None,
                (letter, _) => out.extend(letter),
            }
            rest = letters.as_str();
        }
        out.push_str(rest);
        Some(out)
    }
}

/// The keyword of a line and its words. A line with a quote that does not end has none.
fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim_matches(|letter: char| letter.is_ascii_whitespace());
    let end = line.find(|letter: char| letter.is_ascii_whitespace() || letter == '=' || letter == '"');
    let (keyword, rest) = line.split_at(end.unwrap_or(line.len()));
    if keyword.is_empty() || keyword.starts_with('#') {
        return None;
    }
    let rest = rest.trim_start();
    Some((keyword.to_owned(), words(rest.strip_prefix('=').unwrap_or(rest))?))
}

/// Words as ssh reads them: between quotes of either sort, with a backslash before quotes, blanks and itself; a word
/// that begins with `#` begins a comment.
fn words(text: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        while letters.next_if(char::is_ascii_whitespace).is_some() {}
        if letters.peek().is_none_or(|first| *first == '#') {
            return Some(all);
        }
        let (mut word, mut quote) = (String::new(), None);
        while let Some(letter) = letters.next_if(|letter| quote.is_some() || !letter.is_ascii_whitespace()) {
            match letter {
                '\\' => {
                    match letters.next_if(|next| matches!(next, '"' | '\'' | '\\') || *next == ' ' && quote.is_none()) {
                        Some(escaped) => word.push(escaped),
                        None => word.push('\\'),
                    }
                }
                mark if quote == Some(mark) => quote = None,
                mark @ ('"' | '\'') if quote.is_none() => quote = Some(mark),
                other => word.push(other),
            }
        }
        if quote.is_some() {
            return None;
        }
        all.push(word);
    }
}

/// Whether one of these patterns fits, and none of those with a `!` before them.
fn matches_any(patterns: impl Iterator<Item = impl AsRef<str>>, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let mut fits = false;
    for pattern in patterns {
        let pattern = pattern.as_ref().to_ascii_lowercase();
        match pattern.strip_prefix('!') {
            Some(not) if glob(not, &host) => return false,
            Some(_) => {}
            None => fits |= glob(&pattern, &host),
        }
    }
    fits
}

/// Whether `*` and `?` of a pattern can stand for what the text has there. Of several stars only the
/// last is tried anew, so the time is bounded by the product of both lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen, mut star) = (0, 0, None);
    while let Some(letter) = text.get(seen) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(wanted) if wanted == letter || *wanted == '?' => {
                at += 1;
                seen += 1;
            }
            _ => match &mut star {
                Some((back, from)) => {
                    *from += 1;
                    (at, seen) = (*back + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_throws_the_reader_off(text in "(Host|Match|IdentityFile|IdentityAgent|Include)?[ =\"'\\\\%$~{}*!#\n\r\ta-zé]{0,60}") {
            let found = parse(&format!("IdentityFile {text}\n{text}\nIdentityAgent{text}"), &names());
            prop_assert!(found.files.len() <= MAX_KEYS);
        }
    }

    fn var(name: &str) -> Option<String> {
        matches!(name, "SSH_AUTH_SOCK" | "AGENT").then(|| format!("/run/{name}"))
    }

    fn names() -> Names<'static> {
        Names { host: "api.example.com", home: Some(Path::new("/home/jill")), user: "jill", var: &var }
    }

    fn agent(text: &str) -> Option<Option<String>> {
        parse(text, &names()).agent.map(|agent| agent.map(|socket| socket.display().to_string()))
    }

    fn files(text: &str) -> Vec<String> {
        parse(text, &names()).files.iter().map(|file| file.display().to_string()).collect()
    }

    #[test]
    fn an_agent_is_named_in_every_way_that_ssh_knows() {
        for (value, socket) in [
            ("~/agent.sock", Some(Some("/home/jill/agent.sock"))),
            ("\"~/Group Containers/agent.sock\"", Some(Some("/home/jill/Group Containers/agent.sock"))),
            ("~/Group\\ Containers/a", Some(Some("/home/jill/Group Containers/a"))),
            ("none", Some(None)),
            ("SSH_AUTH_SOCK", Some(Some("/run/SSH_AUTH_SOCK"))),
            ("$AGENT", Some(Some("/run/AGENT"))),
            ("${AGENT}/x", Some(Some("/run/AGENT/x"))),
            ("/run/%u/%h/100%%", Some(Some("/run/jill/api.example.com/100%"))),
            ("%d/a # mine", Some(Some("/home/jill/a"))),
            ("$UNSET", None),
            ("${UNSET}/a", None),
            ("~bob/a", None),
            ("/run/%X", None),
            ("/run/%", None),
            ("two words", None),
            ("\"/run/a", None),
        ] {
            for line in [
                format!("IdentityAgent {value}"),
                format!("  identityagent={value}\r"),
                format!("IDENTITYAGENT\t= {value}"),
            ] {
                assert_eq!(agent(&line), socket.map(|socket| socket.map(str::to_owned)), "{line}");
            }
        }
        assert_eq!(agent("IdentityAgent /first\nIdentityAgent /second"), Some(Some("/first".to_owned())));
    }

    #[test]
    fn only_blocks_that_match_the_host_count() {
        for (head, counts) in [
            ("Host *", true),
            ("Host api.example.com", true),
            ("Host other API.*", true),
            ("Host * !api.example.com", false),
            ("Host !other *", true),
            ("Host other", false),
            ("Host", false),
            ("Match all", true),
            ("Match host *.example.com", true),
            ("Match originalhost other,api.* host *", true),
            ("Match host other", false),
            ("Match exec true", false),
            ("Match host * exec true", false),
            ("Match user jill", false),
            ("Match", false),
        ] {
            let text = format!("IdentityFile /always\n{head}\n IdentityFile ~/key\n IdentityFile none\n");
            let expected: &[&str] = if counts { &["/always", "/home/jill/key"] } else { &["/always"] };
            assert_eq!(files(&text), expected, "{head}");
        }
    }

    #[test]
    fn included_files_are_read_once_each_and_no_deeper_than_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        put("config", "Include conf.d/*\nHost other\nInclude more\nHost *\nIdentityFile /last\nInclude config\n");
        put("conf.d/a", "Host other\nIdentityFile /not\n");
        put("conf.d/b", "IdentityFile /b\nHost *\nIdentityFile /c\n");
        put("conf.d/.hidden", "IdentityFile /hidden\n");
        put("more", "IdentityFile /more\nHost *\nIdentityFile /more2\n");
        let found = read(dir.path(), &names());
        assert!(found.files.starts_with(&["/b", "/c", "/last"].map(PathBuf::from)), "{found:?}");
        assert!(found.files.len() <= MAX_KEYS && !found.files.contains(&PathBuf::from("/more2")), "{found:?}");
        assert_eq!(read(&dir.path().join("nowhere"), &names()), SshConfig::default());
    }

    #[test]
    fn stars_take_no_more_than_a_moment() {
        let pattern = "*a".repeat(500);
        assert!(!glob(&pattern, &"a".repeat(400)));
        assert!(glob("*.example.*", "api.example.com") && glob("", "") && !glob("?", ""));
    }
}
