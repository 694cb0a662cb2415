//! The settings that node-triton's profiles have no fields for: one file of YAML or JSON beside them, with values for
//! every command, for a profile, and for a command. It is only read here; who writes it is its user, in an editor.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Origin, Setting, check};
use crate::error::{Error, Hint, Result};
use crate::file;
use crate::grammar::document::{self, Node, Value};
use crate::grammar::nearest;
use crate::sensitive::shown;

/// The name of the file, in the folder of the profiles.
pub const FILE: &str = "sdc.yaml";

/// No such file is longer, in bytes.
pub const MAX_LEN: u64 = 256 << 10;

/// What a setting goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The account: it is not taken over to one that an option or a variable names.
    Account,
    /// The service: it is not taken over to a URL that an option or a variable names.
    Cloud,
    /// The command: it stands for an option that is not typed, and may be set for a command alone.
    Command,
}

/// A setting that has no field in a profile.
#[derive(Debug)]
pub struct Known {
    /// Its name, which is that of its option.
    pub name: &'static str,
    /// Its variable.
    pub variable: &'static str,
    /// What it goes with.
    pub reach: Reach,
    /// What it says, in a line.
    pub about: &'static str,
}

const fn known(name: &'static str, variable: &'static str, reach: Reach, about: &'static str) -> Known {
    Known { name, variable, reach, about }
}

/// All of them.
pub const KNOWN: &[Known] = &[
    known("key-file", "SDC_KEY_FILE", Reach::Account, "file of the private key"),
    known("key-passphrase-file", "SDC_KEY_PASSPHRASE_FILE", Reach::Account, "file with the passphrase of the key"),
    known("signing", "SDC_SIGNING", Reach::Cloud, "what is signed: request, date or legacy"),
    known("cacert", "SDC_CACERT", Reach::Cloud, "certificates to trust in addition to the system's"),
    known("tls-pin", "SDC_TLS_PIN", Reach::Cloud, "fingerprints of the only certificates to trust"),
    known("proxy", "SDC_PROXY", Reach::Cloud, "URL of the proxy, or none; instead of https_proxy"),
    known("accept-version", "SDC_ACCEPT_VERSION", Reach::Cloud, "API versions to ask for"),
    known("connect-timeout", "SDC_CONNECT_TIMEOUT", Reach::Cloud, "time limit for connecting"),
    known("request-timeout", "SDC_REQUEST_TIMEOUT", Reach::Cloud, "time limit for an answer"),
    known("retry", "SDC_RETRY", Reach::Cloud, "how long an outage is ridden out"),
    known("rate", "SDC_RATE", Reach::Cloud, "maximum requests per second"),
    known("sapi", "SDC_SAPI_URL", Reach::Cloud, "address of SAPI, or a headnode's file, for admin commands"),
    known("services", "SDC_SERVICES", Reach::Cloud, "addresses of other internal services: vmapi=HOST, napi=HOST"),
    known("package", "SDC_PACKAGE", Reach::Command, "package of new machines"),
    known("image", "SDC_IMAGE", Reach::Command, "image of new machines"),
    known("network", "SDC_NETWORK", Reach::Command, "networks of new machines"),
    known("output", "SDC_OUTPUT", Reach::Command, "format of what is shown: table, wide, json, yaml, csv, ..."),
    known("columns", "SDC_COLUMNS", Reach::Command, "columns of tables, CSV and TSV"),
    known("sort", "SDC_SORT", Reach::Command, "columns that tables, CSV and TSV are sorted by"),
    known("timeout", "SDC_TIMEOUT", Reach::Command, "how long --wait waits"),
    known("parallel", "SDC_PARALLEL", Reach::Command, "how many targets are acted on at once"),
];

/// The setting of this name.
pub(super) fn of(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// A value in the file.
#[derive(Clone)]
struct Entry {
    profile: Option<String>,
    command: Option<String>,
    known: &'static Known,
    text: String,
    line: usize,
}

/// Without the value: a proxy has a password.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.known.name)
    }
}

/// The file as it is read: nothing where there is none.
#[derive(Clone, Debug, Default)]
pub struct Own {
    path: PathBuf,
    entries: Vec<Entry>,
    /// The profiles and commands with a section, and its line.
    sections: Vec<(Section, usize)>,
}

/// Whose settings a section holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Section {
    /// A profile's.
    Profile(String),
    /// A command's, such as `machines list`.
    Command(String),
}

/// Reads the file in this folder.
///
/// # Errors
/// A usage error that names the file and the line; what the system says where it cannot be read.
pub fn read(dir: &Path) -> Result<Own> {
    bytes(dir)?.map_or(Ok(Own::default()), |bytes| parsed(&dir.join(FILE), &bytes))
}

/// The bytes of the file in this folder; `None` where there is none.
///
/// # Errors
/// What the system says.
pub fn bytes(dir: &Path) -> Result<Option<Vec<u8>>> {
    let path = dir.join(FILE);
    match file::read(&path, MAX_LEN) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::usage(format!("cannot read {}", path.display())).because(error)),
    }
}

/// Puts what was edited into the place of the file, if that is still as it was before.
///
/// # Errors
/// A usage error where the settings cannot be read, or the file was changed meanwhile; otherwise what the system says.
pub fn replace(dir: &Path, before: Option<&[u8]>, edited: &[u8]) -> Result<PathBuf> {
    if edited.len() as u64 > MAX_LEN {
        return Err(Error::usage(format!("what was edited is longer than {MAX_LEN} bytes")));
    }
    parsed(Path::new("what was edited"), edited)?;
    let _lock = super::profile::lock(dir)?;
    if bytes(dir)?.as_deref() != before {
        return Err(Error::usage(format!("{} was changed meanwhile", dir.join(FILE).display())));
    }
    super::profile::put(&dir.join(FILE), edited)
}

/// The file before anything is set: every setting, in comments, after what these words say.
pub fn template(words: &str) -> String {
    let mut text = format!("# {words}\n");
    for known in KNOWN {
        text.push_str(&format!("\n# {} ({})\n# {}:\n", known.about, known.variable, known.name));
    }
    text.push_str(
        "\n# For one profile:\n# profiles:\n#   prod:\n#     package: g1-small\n\
         \n# For one command:\n# commands:\n#   machines list:\n#     columns: shortid,name,state,ips\n",
    );
    text
}

/// The settings in the bytes of this file.
///
/// # Errors
/// A usage error that names the file and the line.
pub fn parsed(path: &Path, bytes: &[u8]) -> Result<Own> {
    let about = |error: Error| error.about(&path.display().to_string());
    let text = std::str::from_utf8(bytes).map_err(|_| about(Error::usage("it is not text (UTF-8)")))?;
    let mut own = Own { path: path.to_owned(), ..Own::default() };
    let documents = document::read(text).map_err(about)?;
    if let Some(second) = documents.get(1) {
        return Err(own.fault(second, "there is a second document, and one is read"));
    }
    documents.first().map_or(Ok(()), |root| own.section(root, None, None))?;
    Ok(own)
}

impl Own {
    /// What is wrong at the line of this node.
    fn fault(&self, node: &Node, words: &str) -> Error {
        Error::usage(format!("{}:{}: {words}", self.path.display(), node.line))
    }

    /// The members of a section.
    fn members<'a>(&self, node: &'a Node) -> Result<&'a [(String, Node)]> {
        match &node.value {
            Value::Map(members) => Ok(members),
            // A section whose lines are all comments.
            Value::Null => Ok(&[]),
            _ => Err(self.fault(node, "names with values are expected, as in output: json")),
        }
    }

    /// A value as its option takes it.
    fn text(&self, known: &Known, node: &Node) -> Result<String> {
        let no_text = || self.fault(node, &format!("{} takes a text, or a list of them", known.name));
        let one = |node: &Node| match &node.value {
            Value::Plain(text) | Value::Text(text) => Ok(text.trim().to_owned()),
            _ => Err(no_text()),
        };
        let text = match &node.value {
            Value::List(all) => all.iter().map(one).collect::<Result<Vec<_>>>()?.join(","),
            Value::Null => return Err(self.fault(node, &format!("{} has no value", known.name))),
            _ => one(node)?,
        };
        if text.is_empty() { Err(self.fault(node, &format!("{} is empty", known.name))) } else { Ok(text) }
    }

    fn section(&mut self, node: &Node, profile: Option<&str>, command: Option<&str>) -> Result<()> {
        for (name, node) in self.members(node)? {
            match name.as_str() {
                "profiles" if profile.is_none() && command.is_none() => {
                    for (name, node) in self.members(node)? {
                        super::profile::check_own_name(name)
                            .map_err(|error| error.about(&format!("{}:{}", self.path.display(), node.line)))?;
                        self.sections.push((Section::Profile(name.clone()), node.line));
                        self.section(node, Some(name), None)?;
                    }
                }
                "commands" if command.is_none() => {
                    for (name, node) in self.members(node)? {
                        self.sections.push((Section::Command(name.clone()), node.line));
                        self.section(node, profile, Some(name))?;
                    }
                }
                name => self.entry(name, node, profile, command)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, node: &Node, profile: Option<&str>, command: Option<&str>) -> Result<()> {
        let Some(known) = of(name) else {
            let mut names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            if SECTIONS.contains(&name) {
                return Err(self.fault(node, &format!("{name} cannot stand in another section")));
            }
            names.extend(SECTIONS);
            let error = self.fault(node, &format!("there is no setting '{}'", shown(name)));
            return Err(match (nearest(name, &names), FIELDS.contains(&name)) {
                (_, true) => error.hint(Hint::run(format!("{name} is a field of profiles"), "profile edit")),
                (Some(near), _) => error.hint(format!("did you mean {near}?")),
                (None, _) => error.hint(format!("the settings are {}", names.join(", "))),
            });
        };
        if command.is_some() && known.reach != Reach::Command {
            let words = format!("{} cannot be set for a command alone", known.name);
            return Err(self
                .fault(node, &words)
                .hint("it may stand above, for all commands, or in a profile's section"));
        }
        let (profile, command) = (profile.map(str::to_owned), command.map(str::to_owned));
        let entry = Entry { profile, command, known, text: self.text(known, node)?, line: node.line };
        check::setting(known.name, &entry.text, &self.origin(&entry))?;
        self.entries.push(entry);
        Ok(())
    }

    /// What the file says of this setting, the most special first: for the profile and the command, for the command, for
    /// the profile, for all.
    pub(super) fn get(&self, known: &Known, profile: Option<&str>, command: Option<&str>) -> Option<Setting<String>> {
        let for_all = [(profile, command), (None, command), (profile, None), (None, None)];
        let entry = for_all.iter().find_map(|(profile, command)| {
            self.entries.iter().find(|entry| {
                entry.known.name == known.name
                    && entry.profile.as_deref() == *profile
                    && entry.command.as_deref() == *command
            })
        })?;
        Some(Setting { value: entry.text.clone(), origin: self.origin(entry) })
    }

    fn origin(&self, entry: &Entry) -> Origin {
        let (profile, command) = (entry.profile.clone(), entry.command.clone());
        Origin::Own { name: entry.known.name, file: self.path.clone(), line: entry.line, profile, command }
    }

    /// What is set for commands alone, as far as it is for this profile: each once.
    pub(super) fn of_commands(&self, profile: Option<&str>) -> Vec<(&str, &'static Known)> {
        let mut all: Vec<(&str, &'static Known)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.profile.is_none() || entry.profile.as_deref() == profile)
        {
            let Some(command) = &entry.command else { continue };
            if all.iter().all(|(known, setting)| *known != command || setting.name != entry.known.name) {
                all.push((command, entry.known));
            }
        }
        all
    }

    /// The values of the setting of this name, wherever they stand.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, Origin)> {
        let all = self.entries.iter().filter(move |entry| entry.known.name == name);
        all.map(|entry| (entry.text.as_str(), self.origin(entry)))
    }

    /// What is set for this command, in whatever section: names, lines and values.
    pub fn of_command<'a>(&'a self, command: &'a str) -> impl Iterator<Item = (&'static str, usize, &'a str)> {
        let all = self.entries.iter().filter(move |entry| entry.command.as_deref() == Some(command));
        all.map(|entry| (entry.known.name, entry.line, entry.text.as_str()))
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        Some(self.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }

    /// The profiles and commands that have a section, each with its line.
    pub fn sections(&self) -> &[(Section, usize)] {
        &self.sections
    }

    /// Whether a profile's section says where the internal services of its data center are.
    pub(super) fn is_inner(&self, profile: &str) -> bool {
        let of = |entry: &&Entry| entry.profile.as_deref() == Some(profile);
        self.entries.iter().filter(of).any(|entry| matches!(entry.known.name, "sapi" | "services"))
    }

    /// Whether the file holds the login of a proxy.
    fn has_login(&self) -> bool {
        self.entries.iter().any(|entry| entry.known.name == "proxy" && entry.text.contains('@'))
    }

    /// A warning of what others than its owner can do with the file.
    pub(super) fn exposed(&self) -> Option<String> {
        let how = file::open_to_others(self.path()?)?;
        let matters = self.has_login() || how.contains("changed");
        matters.then(|| format!("{} {how}: chmod 600 {}", self.path.display(), self.path.display()))
    }
}

/// What holds settings of its own.
const SECTIONS: &[&str] = &["profiles", "commands"];
/// The fields of profiles, which are theirs alone.
const FIELDS: &[&str] = &["url", "account", "keyId", "user", "roles", "actAsAccount", "insecure"];

#[cfg(test)]
mod tests {
    use super::*;

    fn own(text: &str) -> Own {
        parsed(Path::new("/x/sdc.yaml"), text.as_bytes()).unwrap()
    }

    fn refused(text: &str) -> String {
        let error = parsed(Path::new("sdc.yaml"), text.as_bytes()).unwrap_err();
        std::iter::once(error.message().to_owned())
            .chain(error.hints().iter().map(ToString::to_string))
            .collect::<Vec<_>>()
            .join(" | ")
    }

    const WHOLE: &str = "# mine\noutput: json\nsort: [-created, name]\nprofiles:\n  prod:\n    package: g1-prod\n    commands:\n      \
                         machines list: {sort: name}\ncommands:\n  machines list: {columns: 'name,ips', sort: ips}\n  machines \
                         create: {package: g1-small}\n";

    #[test]
    fn the_most_special_value_counts() {
        let own = own(WHOLE);
        let get = |name: &str, profile: Option<&str>, command: &str| {
            own.get(of(name).unwrap(), profile, Some(command)).map(|setting| setting.value)
        };
        assert_eq!(get("sort", Some("prod"), "machines list").as_deref(), Some("name"));
        assert_eq!(get("sort", None, "machines list").as_deref(), Some("ips"));
        assert_eq!(get("sort", Some("prod"), "images list").as_deref(), Some("-created,name"));
        assert_eq!(get("package", Some("prod"), "machines create").as_deref(), Some("g1-small"));
        assert_eq!(get("package", Some("prod"), "run").as_deref(), Some("g1-prod"));
        assert_eq!(get("package", Some("coal"), "run"), None);
        assert_eq!(get("columns", None, "machines get"), None);
    }

    #[test]
    fn a_value_tells_its_line() {
        let own = own(WHOLE);
        let setting = own.get(of("output").unwrap(), None, None).unwrap();
        assert_eq!(setting.origin.to_string(), "/x/sdc.yaml:2: output");
        assert_eq!(setting.origin.place(), "/x/sdc.yaml:2");
    }

    #[test]
    fn the_file_that_an_editor_shows_first_sets_nothing_until_its_marks_are_gone() {
        assert!(own(&template("words")).entries.is_empty());
        for known in KNOWN {
            assert!(template("").contains(&format!("\n# {}:\n", known.name)), "{}", known.name);
        }
    }

    #[test]
    fn nothing_and_comments_are_no_settings() {
        for text in ["", "# output: json\n", "profiles:\n  prod:\n    # cacert: x\ncommands:\n", "{}"] {
            assert!(own(text).entries.is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        for (text, words) in [
            ("outptu: json", "sdc.yaml:1: there is no setting 'outptu' | did you mean output?"),
            ("\nurl: https://x", "sdc.yaml:2: there is no setting 'url' | url is a field of profiles: profile edit"),
            ("output:", "sdc.yaml:1: output has no value"),
            ("output: ''", "sdc.yaml:1: output is empty"),
            ("output: {a: b}", "sdc.yaml:1: output takes a text, or a list of them"),
            ("[output]", "sdc.yaml:1: names with values are expected, as in output: json"),
            ("profiles: {prod: json}", "sdc.yaml:1: names with values are expected, as in output: json"),
            ("profiles: {prod: {profiles: {}}}", "sdc.yaml:1: profiles cannot stand in another section"),
            ("output: a\noutput: b", "sdc.yaml: line 2: output is given twice"),
            ("a: b\n---\nc: d", "sdc.yaml:3: there is a second document, and one is read"),
        ] {
            assert_eq!(refused(text), words, "{text}");
        }
        assert!(
            refused("commands:\n  images list: {cacert: x}")
                .contains("sdc.yaml:2: cacert cannot be set for a command alone")
        );
        assert!(
            refused("\nprofiles: {prod: {rate: 0}}").starts_with("sdc.yaml:2: rate: '0' is not a number of requests")
        );
        assert!(refused("proxy: ftp://u:hush@host").starts_with("sdc.yaml:1: proxy is not the URL of a proxy"));
        assert!(!refused("proxy: ftp://u:hush@host").contains("hush"));
        assert!(refused("profiles: {../x: {}}").contains("cannot be the name of a profile"));
        assert!(parsed(Path::new("x"), b"\xff").unwrap_err().message().contains("not text"));
    }
}
