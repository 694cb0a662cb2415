//! The options that were typed for ssh or scp themselves. They are passed on as they are; what they settle is
//! not settled a second time, for both tools take the first of two settings. Pure.

use std::ffi::OsString;

/// What there is to know of a tool's options.
pub struct Tool {
    /// The letters that a value follows.
    valued: &'static str,
    /// That of the port.
    port: char,
    /// That of the login; scp has none.
    login: Option<char>,
}

/// ssh.
pub const SSH: Tool = Tool { valued: "BbcDEeFIiJLlmOoPpQRSWw", port: 'p', login: Some('l') };
/// scp.
pub const SCP: Tool = Tool { valued: "cDFiJlMoPSX", port: 'P', login: None };

/// What the options settle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOptions {
    /// How many words the options take, with the `--` that ends them.
    pub words: usize,
    /// Whether there is such a `--`.
    pub ended: bool,
    /// Whether they name a port.
    pub port: bool,
    /// Whether they name a way: a jump host or a command to connect by.
    pub way: bool,
    /// Whether they say by which name the host's key is known.
    pub alias: bool,
    /// Whether scp is told which way to copy between two hosts.
    pub between: bool,
    /// Whether they name a key.
    pub key: bool,
    /// Who logs in.
    pub user: Option<String>,
}

impl PassedOptions {
    /// Reads them, as far as the first word that is no option.
    pub fn read(tool: &Tool, words: &[OsString]) -> PassedOptions {
        let mut given = PassedOptions::default();
        let mut words = words.iter().map(|word| word.to_string_lossy());
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else { break };
            given.words += 1;
            if letters == "-" {
                given.ended = true;
                break;
            }
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if !tool.valued.contains(letter) {
                    given.between |= tool.login.is_none() && matches!(letter, '3' | 'R');
                    continue;
                }
                // The value is the rest of the word, or the next one.
                let mut value = rest.as_str().to_owned();
                rest = "".chars();
                if value.is_empty() {
                    let next = words.next();
                    given.words += usize::from(next.is_some());
                    value = next.unwrap_or_default().into_owned();
                }
                given.note(tool, letter, &value);
            }
        }
        given
    }

    fn note(&mut self, tool: &Tool, letter: char, value: &str) {
        match letter {
            'J' => self.way = true,
            'i' => self.key = true,
            'o' => {
                let blank = |c: char| c == '=' || c.is_whitespace();
                let (key, value) = value.trim_start().split_once(blank).unwrap_or((value, ""));
                match key.to_ascii_lowercase().as_str() {
                    "port" => self.port = true,
                    "proxyjump" | "proxycommand" => self.way = true,
                    "hostkeyalias" => self.alias = true,
                    "identityfile" => self.key = true,
                    "user" => self.log_in(value.trim_matches(blank)),
                    _ => {}
                }
            }
            letter if letter == tool.port => self.port = true,
            letter if Some(letter) == tool.login => self.log_in(value),
            _ => {}
        }
    }

    /// The first one counts.
    fn log_in(&mut self, user: &str) {
        self.user.get_or_insert_with(|| user.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tool: &Tool, line: &[&str]) -> PassedOptions {
        PassedOptions::read(tool, &line.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn options_end_at_the_first_word_that_is_none() {
        for (line, words) in [
            (&["uptime", "-p", "22"][..], 0),
            (&["-v", "uptime", "-p", "22"], 1),
            (&["-L", "8080:localhost:80", "-N"], 3),
            (&["-vvL", "8080:localhost:80", "uptime"], 2),
            (&["-L8080:localhost:80", "uptime"], 1),
            (&["-", "-p"], 0),
            (&["-p"], 1),
            (&[], 0),
        ] {
            let given = read(&SSH, line);
            assert_eq!((given.words, given.ended), (words, false), "{line:?}");
            assert_eq!(given.port, line == ["-p"], "{line:?}");
        }
        let given = read(&SSH, &["-v", "--", "-p", "22"]);
        assert_eq!((given.words, given.ended, given.port), (2, true, false));
    }

    #[test]
    fn what_is_settled_is_seen_in_each_way_to_write_it() {
        for line in
            [&["-p", "22"][..], &["-p22"], &["-vp", "22"], &["-o", "Port=22"], &["-oport 22"], &["-o", "PORT 22"]]
        {
            assert!(read(&SSH, line).port, "{line:?}");
        }
        for line in [&["-J", "a"][..], &["-o", "ProxyJump=a"], &["-oProxyCommand=nc %h %p"], &["-o", "proxyjump none"]]
        {
            assert!(read(&SSH, line).way, "{line:?}");
            assert!(read(&SCP, line).way, "{line:?}");
        }
        assert!(read(&SSH, &["-o", "HostKeyAlias=web"]).alias);
        for line in [&["-i", "k"][..], &["-ik"], &["-vi", "k"], &["-o", "IdentityFile=k"], &["-oidentityfile k"]] {
            assert!(read(&SSH, line).key && read(&SCP, line).key, "{line:?}");
        }
        assert!(!read(&SSH, &["-p", "22", "ls", "-i"]).key);
        for line in
            [&["-l", "jill"][..], &["-ljill"], &["-o", "User=jill"], &["-o", "user = jill"], &["-ljill", "-lbob"]]
        {
            assert_eq!(read(&SSH, line).user.as_deref(), Some("jill"), "{line:?}");
        }
    }

    #[test]
    fn the_letters_of_the_two_tools_differ() {
        let given = read(&SCP, &["-p", "-l", "100", "-r", "dir"]);
        assert_eq!((given.words, given.port, given.user), (4, false, None));
        assert!(read(&SCP, &["-P", "22"]).port && !read(&SSH, &["-P", "tag"]).port);
        assert!(read(&SCP, &["-3"]).between && read(&SCP, &["-rR"]).between);
        assert!(!read(&SSH, &["-R", "1:a:2"]).between);
    }
}
