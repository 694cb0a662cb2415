//! What users of the older tools type, and what does the same here: the tables of their page of the guide. Read only
//! where a word is not known, or where their page is asked for.

/// The page, in whose tables the commands are.
const GUIDE: &str = include_str!("../../../docs/guide/coming-from-triton.md");

/// Words that are in no table, or that deserve more than a command: what is typed first, and what it is called here. `…` is
/// for what was typed after it.
pub const WORDS: &[(&str, &str)] = &[
    ("ls", "sdc machines list"),
    ("list", "sdc machines list, sdc images list, ..."),
    ("create", "sdc machines create"),
    ("start", "sdc machines start …"),
    ("stop", "sdc machines stop …"),
    ("reboot", "sdc machines reboot …"),
    ("delete", "sdc machines delete"),
    ("rm", "sdc machines delete"),
    ("get", "sdc machines get …"),
    ("cloudapi", "sdc api GET PATH"),
    ("info", "sdc account get"),
    ("env", "sdc config show"),
    ("vlan", "sdc fabrics vlans …"),
    ("migration", "sdc machines migrate …"),
    ("ssh", "sdc machines ssh …"),
    ("scp", "sdc machines scp …"),
    ("ip", "sdc machines ip …"),
    ("vnc", "sdc machines vnc …"),
    ("limits", "sdc account limits"),
    ("machines create", "image, package and name are options: --image IMG --package PKG --name NAME"),
    ("machines enable-firewall", "sdc machines firewall enable"),
    ("machines disable-firewall", "sdc machines firewall disable"),
    ("machines enable-deletion-protection", "sdc machines deletion-protection enable"),
    ("machines disable-deletion-protection", "sdc machines deletion-protection disable"),
    ("machines fwrules", "sdc machines fwrules list MACHINE"),
    ("machines snapshots", "sdc machines snapshots list MACHINE"),
    ("machines disks", "sdc machines disks list MACHINE"),
    ("machines nics", "sdc machines nics list MACHINE"),
    ("machines wait", "sdc wait machines MACHINE --for state=running"),
    ("images wait", "sdc wait images IMAGE --for active"),
    ("networks create", "sdc fabrics networks create VLAN"),
    ("networks delete", "sdc fabrics networks delete VLAN NETWORK"),
    ("networks get-default", "sdc config get"),
    ("networks set-default", "sdc config set default_network=NETWORK"),
    ("fwrules create", "the rule is one argument, in quotes: sdc fwrules create 'FROM any TO ...'"),
    (
        "fabrics networks",
        "networks hang on a VLAN: sdc fabrics networks VERB VLAN; of all VLANs: sdc networks list --fabric",
    ),
    ("users add", "sdc users create LOGIN --email ADDRESS; from a file: sdc rbac apply FILE"),
    ("roles add", "sdc roles create NAME; from a file: sdc rbac apply FILE"),
    ("policies add", "sdc policies create NAME --rule RULE; from a file: sdc rbac apply FILE"),
    ("rbac user", "sdc users get USER; from a file: sdc rbac apply FILE"),
    ("rbac users", "sdc users list"),
    ("rbac role", "sdc roles get ROLE; from a file: sdc rbac apply FILE"),
    ("rbac roles", "sdc roles list"),
    ("rbac policy", "sdc policies get POLICY; from a file: sdc rbac apply FILE"),
    ("rbac policies", "sdc policies list"),
    ("rbac keys", "sdc users keys list USER"),
    ("rbac key", "sdc users keys get USER KEY; a new one: sdc users keys add USER FILE"),
    ("rbac accesskeys", "sdc users accesskeys list USER"),
    ("rbac accesskey", "sdc users accesskeys get USER ID"),
    ("rbac role-tags", "sdc role-tags get RESOURCE"),
    ("rbac instance-role-tags", "sdc role-tags get machines/MACHINE"),
    ("rbac image-role-tags", "sdc role-tags get images/IMAGE"),
    ("rbac network-role-tags", "sdc role-tags get networks/NETWORK"),
    ("rbac package-role-tags", "sdc role-tags get packages/PACKAGE"),
    ("rbac reset", "sdc users delete '*', sdc roles delete '*' and sdc policies delete '*'"),
    ("profile get", "sdc profile list; what is used of one: sdc config show -p NAME"),
    ("profile show", "sdc profile list; what is used of one: sdc config show -p NAME"),
    ("profile edit", "delete and create it: sdc profile delete NAME, sdc profile create NAME"),
    ("profile set", "sdc profile use NAME"),
    ("profile set-current", "sdc profile use NAME"),
    ("svc", "sdc services list"),
    ("service", "sdc services list"),
    ("dc", "sdc datacenters list"),
    ("account limits", "sdc account limits"),
    ("login", "requests are signed with your SSH key: sdc auth doctor"),
    ("version", "sdc --version"),
    ("vlans", "sdc fabrics vlans list"),
    ("disk", "sdc machines disks …"),
    ("disks", "sdc machines disks list MACHINE"),
    ("snapshot", "sdc machines snapshots …"),
    ("snapshots", "sdc machines snapshots list MACHINE"),
    ("tag", "sdc machines tags …"),
    ("tags", "sdc machines tags list MACHINE"),
    ("metadata", "sdc machines metadata …"),
    ("metadatas", "sdc machines metadata list MACHINE"),
    ("nic", "sdc machines nics …"),
    ("migrations", "sdc machines migrate list"),
    ("machines count", "sdc api HEAD /:login/machines -i"),
    ("machines migrate wait", "sdc machines migrate watch MACHINE"),
    ("images import", "from here: at the other data center, sdc images import ID --from DC"),
    ("profile docker-setup", "there is no command for Docker's certificates"),
    ("profile cmon-certgen", "there is no command for CMON's certificates"),
    ("logout", "requests are signed with your SSH key, so there is no session to end"),
    ("whoami", "sdc account get; the key and the rest: sdc auth doctor"),
    ("docs", "sdc help"),
    ("shell", "sdc completion bash"),
];

/// Options, of the commands that begin so, and what does the same here. The first that fits is told.
pub const OPTIONS: &[(&str, &str, &str)] = &[
    ("-v", "", "a trace of requests and answers: --debug"),
    ("--verbose", "", "a trace of requests and answers: --debug"),
    ("-i", "machines create", "an image: --image IMAGE"),
    ("-i", "run", "an image: --image IMAGE"),
    ("-i", "", "any certificate: --insecure"),
    ("--pkg", "", "--package PACKAGE"),
    ("--wait-timeout", "", "--wait --timeout TIME"),
    ("--user-script", "machines create", "--script FILE"),
    ("-t", "machines list", "sdc machines list tag.NAME=VALUE"),
    ("-t", "machines create", "--tag NAME=VALUE"),
    ("-n", "rbac apply", "what would be done: sdc rbac apply FILE --dry-run"),
    ("--all", "machines tags delete", "sdc machines tags delete-all MACHINE"),
    ("--all", "machines metadata delete", "sdc machines metadata delete-all MACHINE"),
    ("-n", "machines list", "sdc machines list name=NAME"),
    ("-m", "machines list", "sdc machines list memory=MIB"),
    ("--short", "machines list", "-o shortid"),
    ("--snapshot", "machines start", "sdc machines snapshots boot MACHINE SNAPSHOT"),
    ("-n", "machines rename", "the name has no option: sdc machines rename MACHINE NAME"),
    ("--near", "machines create", "--affinity 'instance==NAME'"),
    ("--far", "machines create", "--affinity 'instance!=NAME'"),
    ("--strict-locality", "machines create", "a rule with == or != is strict, one with ~ is not: --affinity RULE"),
    ("--userdata", "machines create", "--cloud-config FILE"),
    ("--pkg-name", "", "--package PACKAGE"),
    ("--pkg-id", "", "--package PACKAGE"),
    ("--img", "", "--image IMAGE"),
    ("--img-name", "", "--image IMAGE"),
    ("--img-id", "", "--image IMAGE"),
    ("--size", "machines disks resize", "the size has no option: sdc machines disks resize MACHINE DISK SIZE"),
    ("--machine", "images create", "sdc images create MACHINE NAME VERSION"),
    ("--imageVersion", "images create", "sdc images create MACHINE NAME VERSION"),
    ("--copy", "profile create", "with the settings of another profile: --profile OTHER"),
    ("--no-docker", "profile create", "nothing is set up for Docker here: leave it out"),
    ("-A", "keys list", "the keys themselves: -o key"),
    ("-A", "users keys list", "the keys themselves: -o key"),
    ("-A", "", "a sub-user: --user LOGIN"),
    ("-J", "", "another data center: --url URL, or --profile NAME"),
    ("-K", "", "--key-id KEY"),
    ("--key-material", "", "--key-file FILE; or the variable SDC_KEY_MATERIAL"),
    ("--api-version", "", "--accept-version RANGE"),
    ("--emit-payload", "", "--dry-run"),
    ("-d", "", "a trace of requests and answers: --debug"),
    ("--log-level", "", "a trace of requests and answers: --debug"),
    ("--log-format", "", "a trace of requests and answers: --debug"),
    ("-P", "", "output is not paged; a pipe into a pager does that"),
    ("--use-pager", "", "output is not paged; a pipe into a pager does that"),
    ("-Z", "", "times are in UTC"),
    ("--utc", "", "times are in UTC"),
    ("--use-color", "", "--color always"),
    ("--no-color", "", "--color never"),
    ("--format", "", "-o FORMAT"),
    ("--output-format", "", "-o FORMAT"),
    ("--columns", "", "-o COLUMN,..."),
    ("--sort-by", "", "--sort COLUMN"),
    ("--limit", "", "the first N of them: --jq '.[:N]'"),
    ("-X", "api", "the method comes first: sdc api POST PATH"),
    ("--method", "api", "the method comes first: sdc api POST PATH"),
    ("--bind", "machines vnc", "it listens on loopback alone; ssh -L leads there from elsewhere"),
    ("--url-only", "machines vnc", "the address is printed first: leave it out"),
    ("--dev-create-keys-and-profiles", "rbac apply", "a key of a user: sdc users keys add USER FILE"),
];

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
