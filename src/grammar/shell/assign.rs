//! Variables of the environment as the lines by which a shell sets and unsets them.

use super::{powershell, quoted};

/// A shell that evaluates such lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh and the like.
    Posix,
    /// fish.
    Fish,
    /// PowerShell.
    PowerShell,
}

/// The names by which a shell can be chosen, the first of each kind being the one that help names.
pub const SHELLS: &[(&str, Shell)] = &[
    ("bash", Shell::Posix),
    ("zsh", Shell::Posix),
    ("fish", Shell::Fish),
    ("powershell", Shell::PowerShell),
    ("sh", Shell::Posix),
    ("pwsh", Shell::PowerShell),
];

impl Shell {
    /// The shell of this name or path, such as `/usr/bin/fish`. One that is not known is taken for one of POSIX.
    pub fn of(name: &str) -> Shell {
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(".exe");
        SHELLS.iter().find(|(known, _)| *known == name).map_or(Shell::Posix, |(_, shell)| *shell)
    }

    /// The line that sets a variable for this shell and what it starts. The value stays one value, whatever it holds.
    pub fn set(self, name: &str, value: &str) -> String {
        match self {
            Shell::Posix => format!("export {name}={};", quoted(value)),
            Shell::Fish => format!("set -gx {name} {};", quoted(value)),
            Shell::PowerShell => format!("$env:{name} = {};", powershell::literal(value)),
        }
    }

    /// The line that unsets it, whether it is set or not.
    pub fn unset(self, name: &str) -> String {
        match self {
            Shell::Posix => format!("unset {name};"),
            Shell::Fish => format!("set -e {name};"),
            Shell::PowerShell => format!("$env:{name} = $null;"),
        }
    }

    /// What is typed to evaluate what a command prints.
    pub fn evaluating(self, command: &str) -> String {
        match self {
            Shell::Posix => format!("eval \"$({command})\""),
            Shell::Fish => format!("{command} | source"),
            Shell::PowerShell => format!("{command} | Out-String | Invoke-Expression"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shell;

    #[test]
    fn a_shell_is_known_by_its_path() {
        assert_eq!(Shell::of("/usr/bin/fish"), Shell::Fish);
        assert_eq!(Shell::of("/bin/zsh"), Shell::Posix);
        assert_eq!(Shell::of(r"C:\Program Files\PowerShell\7\pwsh.exe"), Shell::PowerShell);
        assert_eq!(Shell::of("/bin/dash"), Shell::Posix);
        assert_eq!(Shell::of(""), Shell::Posix);
    }

    #[test]
    fn each_shell_gets_its_own_lines() {
        let all = |shell: Shell| [shell.set("A", "it's"), shell.unset("B"), shell.evaluating("sdc env")];
        assert_eq!(all(Shell::Posix), [r"export A='it'\''s';", "unset B;", r#"eval "$(sdc env)""#]);
        assert_eq!(all(Shell::Fish), [r"set -gx A 'it'\''s';", "set -e B;", "sdc env | source"]);
        let powershell = ["$env:A = 'it''s';", "$env:B = $null;", "sdc env | Out-String | Invoke-Expression"];
        assert_eq!(all(Shell::PowerShell), powershell);
        // A bare word would be a command there.
        assert_eq!(Shell::PowerShell.set("A", "x"), "$env:A = 'x';");
    }

    #[cfg(unix)]
    mod in_a_shell {
        use proptest::prelude::*;

        use super::Shell;

        /// What is in the variables after a shell has evaluated these lines; `None` where there is no such shell.
        fn evaluated(program: &str, lines: &str) -> Option<Vec<String>> {
            let shown = r#"printf '%s\0' "$A" "$B" "${LEFT-gone}""#;
            let script = match program {
                "fish" => format!("{lines}\nset -q LEFT; or set LEFT gone\nprintf '%s\\0' $A $B $LEFT"),
                _ => format!("eval \"$LINES_OF_ENV\"\n{shown}"),
            };
            let mut shell = std::process::Command::new(program);
            let said = shell.args(["-c", &script]).env("LINES_OF_ENV", lines).env("LEFT", "over").output().ok()?;
            assert!(said.status.success() && said.stderr.is_empty(), "{program}: {lines}: {said:?}");
            let said = String::from_utf8(said.stdout).unwrap();
            Some(said.split_terminator('\0').map(str::to_owned).collect())
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
            #[test]
            fn a_hostile_value_is_set_as_it_is_and_runs_nothing(
                first in r#"[-a-c '"$`;|&<>(){}\[\]*?~#!=%\\\t\né’]{0,12}"#, second in "[-a '$`;\n]{0,6}",
            ) {
                for program in ["sh", "bash", "zsh", "fish"] {
                    let shell = Shell::of(program);
                    let lines = [shell.set("A", &first), shell.set("B", &second), shell.unset("LEFT")].join("\n");
                    let Some(found) = evaluated(program, &lines) else { continue };
                    prop_assert_eq!(&found, &[first.clone(), second.clone(), "gone".to_owned()], "{}", lines);
                }
            }
        }
    }
}
