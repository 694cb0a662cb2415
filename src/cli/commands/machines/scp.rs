//! `sdc machines scp`: the real scp, with machines' names in the place of hosts.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgMatches, Command, value_parser};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ssh::finder;
use super::ssh::{key, login, options, past, printing, run_or_print, way_options};
use super::ssh_key::SshKey;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::error::{Error, Result};
use crate::grammar::ssh_options::{self, PassedOptions};
use crate::tasks::addresses;
use crate::tasks::route::SshRoute;

/// `sdc machines scp`.
pub(crate) static COMMAND: Custom = Custom {
    path: "machines scp",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[],
    examples: "machines scp notes.txt web1:/tmp\n\
         machines scp -- -r web1:/var/log ./log",
    previews: true,
    settings: Settings::Needed,
};

/// What stays as it is in the path of an scp URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The command and its options.
pub fn command() -> Command {
    Command::new("scp")
        .about("Copy files to and from a machine, or between two")
        .override_usage("sdc machines scp [OPTIONS] [--] [SCP-OPTION]... SOURCE... TARGET")
        .before_long_help(
            "Runs the installed scp. [USER@]MACHINE:PATH is a file there, anything else a file here; \
             one with a colon is written ./a:b. Options of scp stand behind --, and are passed unchanged.\n\n\
             User, key, address, port, bastions and known_hosts are those of `sdc machines ssh`. Between two machines \
             the files pass through here (scp -3). scp can reach both only through the same bastions, and their \
             keys are then kept in known_hosts under their addresses.",
        )
        .args(options())
        .arg(
            Arg::new("FILE")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .value_parser(value_parser!(OsString))
                .help("Sources, then the target: PATH, or [USER@]MACHINE:PATH"),
        )
}

/// Runs scp and returns its exit code.
///
/// # Errors
/// There is no such machine, no way to it, or no scp.
pub async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let print = printing(app, matches, "scp")?;
    let words: Vec<OsString> = matches.get_many::<OsString>("FILE").into_iter().flatten().cloned().collect();
    let given = PassedOptions::read(&ssh_options::SCP, &words);
    let (own, files) = words.split_at(given.words.min(words.len()));
    let files = files.iter().map(|word| File::read(word, cfg!(windows))).collect::<Result<Vec<File>>>()?;
    check(&files)?;
    let client = app.client()?;
    let mut finder = finder(app, &client, matches, past(matches, &given)?).await?;
    let mut places = Vec::new();
    for file in files {
        places.push(match file {
            File::Here(word) => Place::Here(word),
            File::There { user, machine, path } => {
                let user = login(matches, user.as_deref())?;
                let way = finder.way(&machine, user.or(given.user.as_deref())).await?;
                Place::There { named: user.is_some() || given.user.is_none(), way: Box::new(way), path }
            }
        });
    }
    let key = key(app, &client, &given, print)?;
    let told = Told { given: &given, key: &key, alias: !matches.get_flag("no-host-key-alias") };
    let line = line(&places, told, own)?;
    run_or_print(app, &line, &key, print).await
}

/// A file as it was typed.
#[derive(Debug, PartialEq, Eq)]
enum File {
    /// One of this machine, or of a host that scp finds by itself.
    Here(OsString),
    /// One of a machine.
    There { user: Option<String>, machine: String, path: String },
}

impl File {
    /// As scp tells them apart: by a colon before any slash.
    fn read(word: &OsStr, windows: bool) -> Result<File> {
        let text = word.to_string_lossy();
        let Some((host, path)) = text.split_once(':').filter(|(host, _)| !host.contains('/')) else {
            return Ok(File::Here(word.to_owned()));
        };
        let drive = host.len() == 1 && host.as_bytes()[0].is_ascii_alphabetic() && (windows || path.starts_with('\\'));
        // An address in brackets or a whole URI names no machine.
        if drive || host.is_empty() || host.contains('[') || host == "scp" && path.starts_with("//") {
            return Ok(File::Here(word.to_owned()));
        }
        if word.to_str().is_none() {
            return Err(Error::usage(format!("'{text}' is not text (UTF-8)")));
        }
        let (user, machine) = addresses::split_user(host)?;
        Ok(File::There { user: user.map(str::to_owned), machine: machine.to_owned(), path: path.to_owned() })
    }
}

fn check(files: &[File]) -> Result<()> {
    let behind = "scp's own options stand behind --: sdc machines scp -- -r DIR MACHINE:PATH";
    if files.len() < 2 {
        return Err(Error::usage("scp needs a source and a target").hint(behind));
    }
    if !files.iter().any(|file| matches!(file, File::There { .. })) {
        return Err(Error::usage("one of the arguments must be MACHINE:PATH").hint("MACHINE:PATH").hint(behind));
    }
    Ok(())
}

/// A file, and the way to it.
enum Place {
    Here(OsString),
    There { way: Box<SshRoute>, path: String, named: bool },
}

/// What decides on the options that scp is given.
struct Told<'a> {
    given: &'a PassedOptions,
    key: &'a SshKey,
    alias: bool,
}

/// scp's command line.
fn line(places: &[Place], Told { given, key, alias }: Told<'_>, own: &[OsString]) -> Result<Vec<OsString>> {
    let ways: Vec<&SshRoute> = places
        .iter()
        .filter_map(|place| match place {
            Place::Here(_) => None,
            Place::There { way, .. } => Some(&**way),
        })
        .collect();
    let Some((first, others)) = ways.split_first() else {
        return Err(Error::usage("one of the arguments must be MACHINE:PATH"));
    };
    let several = others.iter().any(|way| way.machine.id != first.machine.id);
    let mut uris = false;
    let mut line = vec![OsString::from("scp")];
    line.extend(key.options());
    if several {
        // scp tells both hosts the same.
        if !given.way
            && let Some(other) = others.iter().find(|way| way.hops != first.hops)
        {
            let names = format!("machines {} and {}", first.machine.name, other.machine.name);
            return Err(Error::usage(format!(
                "{names} are behind different bastions, and scp goes past the same ones"
            ))
            .hint("copy to a file here first, and from there")
            .hint("past others: --proxy MACHINE, --no-proxy"));
        }
        uris = !given.port && others.iter().any(|way| way.port != first.port);
    }
    let received = matches!(places.last(), Some(Place::There { .. }));
    if received && ways.len() > 1 && !given.between {
        line.push("-3".into());
    }
    let told = PassedOptions { port: given.port || uris, ..given.clone() };
    line.extend(way_options(first, &told, "-P", alias && !several));
    line.extend_from_slice(own);
    // A file whose name begins with a dash is no option.
    if !given.ended {
        line.push("--".into());
    }
    for place in places {
        line.push(match place {
            Place::Here(word) => word.clone(),
            Place::There { way, path, named } => {
                let user = if *named { format!("{}@", way.user) } else { String::new() };
                let host = addresses::bracketed(way.ip);
                if uris {
                    let port = way.port.unwrap_or(22);
                    format!("scp://{user}{host}:{port}/{}", utf8_percent_encode(path, PATH)).into()
                } else {
                    format!("{user}{host}:{path}").into()
                }
            }
        });
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_file_is_a_machines_where_a_colon_stands_before_any_slash() {
        let there = |user: Option<&str>, machine: &str, path: &str| File::There {
            user: user.map(str::to_owned),
            machine: machine.to_owned(),
            path: path.to_owned(),
        };
        for (word, expected) in [
            ("web1:", there(None, "web1", "")),
            ("web1:/tmp/a:b", there(None, "web1", "/tmp/a:b")),
            ("jill@web1:x y", there(Some("jill"), "web1", "x y")),
            ("a:/tmp", there(None, "a", "/tmp")),
        ] {
            assert_eq!(File::read(OsStr::new(word), false).unwrap(), expected, "{word}");
        }
        for word in ["file", "./a:b", "/tmp/a:b", ":a", "[fd00::1]:/tmp", "scp://host/x", "C:\\dir", "-"] {
            assert_eq!(File::read(OsStr::new(word), false).unwrap(), File::Here(word.into()), "{word}");
        }
        assert_eq!(File::read(OsStr::new("C:/dir"), true).unwrap(), File::Here("C:/dir".into()));
        assert!(File::read(OsStr::new("-oX=y@web1:/tmp"), false).is_err());
        assert!(File::read(OsStr::new("@web1:/tmp"), false).is_err());
    }
}
