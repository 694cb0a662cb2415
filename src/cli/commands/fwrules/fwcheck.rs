//! `sdc fwrules check`: whether firewall rules are well formed, without asking the service.

use std::borrow::Cow;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::error::{Error, Kind, Result};
use crate::grammar::fwrule::{self, Action, Ports, Protocol, Rule, Target, Targets, Types};
use crate::render;
use crate::tasks::values::Files;

/// `sdc fwrules check`.
pub(crate) static COMMAND: Custom = Custom {
    path: "fwrules check",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "fwrules check 'FROM any TO tag role = web ALLOW tcp PORT 443'\n\
         fwrules check --file rules.txt",
    previews: false,
    settings: Settings::UNNEEDED,
};

/// The most bytes of a file of rules.
const FILE_LIMIT: u64 = 1024 * 1024;

const COLUMNS: &[Column] = &[column("rule").stays(), column("action").stays(), column("protocol"), column("priority")];

pub fn command() -> Command {
    Command::new("check")
        .about("Check firewall rules without asking the service, and print their normal form")
        .before_long_help(
            "Lists are sorted in the normal form, and tags quoted. The place of a fault in a rule is shown, and \
             the exit code is 2. Whether a machine or a tag exists, only the service knows.",
        )
        .args([
            Arg::new("RULE")
                .action(ArgAction::Append)
                .required_unless_present("file")
                .help("Rule, as in 'FROM any TO tag role = web ALLOW tcp PORT 443'; - for standard input, as --file"),
            Arg::new("file")
                .long("file")
                .short('f')
                .value_name("FILE")
                .help("A file with a rule on each line; empty lines and those that begin with # are left out"),
        ])
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let typed: Vec<&String> = matches.get_many("RULE").into_iter().flatten().collect();
    let file = matches.get_one::<String>("file");
    let jq = app.program()?;
    let view = app.view(matches, COLUMNS)?;
    let (mut rules, mut failures) = (Vec::new(), Vec::new());
    let mut several = file.is_some() || typed.len() > 1;
    let mut keep = |outcome: Result<Rule>| match outcome {
        Ok(rule) => rules.push(rule),
        Err(error) => failures.push(error),
    };
    for text in typed {
        if text == "-" {
            several = true;
            lines("-", &app.console)?.into_iter().for_each(&mut keep);
        } else {
            keep(fwrule::parse(text));
        }
    }
    if let Some(file) = file {
        lines(file, &app.console)?.into_iter().for_each(&mut keep);
    }
    if !several && let Some(error) = failures.pop() {
        return Err(error);
    }
    for error in &failures {
        app.report(error);
    }
    if app.globals.output.is_none() && jq.is_none() {
        // A name in quotes may hold anything.
        let visible = |rule: &Rule| format!("{}\n", render::visible(&rule.to_string()));
        app.streams.out(rules.iter().map(visible).collect::<String>().as_bytes())?;
    } else {
        let parts: Vec<Value> = rules.iter().map(parts).collect();
        let (answer, shape) = match parts.as_slice() {
            [only] if !several => (Answer::from_record(only.to_string().as_bytes())?, Shape::Record),
            all => (Answer::from_rows(Value::from(all.to_vec()).to_string().as_bytes())?, Shape::Rows),
        };
        app.show(&answer, shape, &view, jq.as_ref())?;
    }
    Ok(if failures.is_empty() { 0 } else { i32::from(exit::code(Kind::Usage).0) })
}

/// The rules of a file, one a line; a faulty one is told with the number of its line.
fn lines(file: &str, files: &dyn Files) -> Result<Vec<Result<Rule>>> {
    let shown = if file == "-" { "standard input" } else { file };
    let text = String::from_utf8(files.read(file, FILE_LIMIT)?)
        .map_err(|_| Error::usage(format!("{shown} is not text (UTF-8)")))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let rules = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim_start();
        !(line.is_empty() || line.starts_with('#'))
    });
    let rules: Vec<_> = rules
        .map(|(count, line)| fwrule::parse(line).map_err(|error| error.about(&format!("{shown}:{}", count + 1))))
        .collect();
    if rules.is_empty() { Err(Error::usage(format!("there is no rule in {shown}"))) } else { Ok(rules) }
}

/// A rule's parts, for programs.
fn parts(rule: &Rule) -> Value {
    let (protocol, ports, types) = match &rule.protocol {
        Protocol::Tcp(ports) => ("tcp", Some(ports), None),
        Protocol::Udp(ports) => ("udp", Some(ports), None),
        Protocol::Icmp(types) => ("icmp", None, Some(types)),
        Protocol::Icmp6(types) => ("icmp6", None, Some(types)),
        Protocol::Ah => ("ah", None, None),
        Protocol::Esp => ("esp", None, None),
    };
    let mut value = json!({
        "rule": rule.to_string(),
        "from": targets(&rule.from),
        "to": targets(&rule.to),
        "action": if rule.action == Action::Allow { "allow" } else { "block" },
        "protocol": protocol,
    });
    if let Some(ports) = ports {
        let ranges: Cow<'_, [(u16, u16)]> = match ports {
            Ports::All => Cow::Borrowed(&[(1, u16::MAX)]),
            Ports::These(list) => list.iter().map(|port| (*port, *port)).collect(),
            Ports::Ranges(list) => Cow::Borrowed(list),
        };
        value["ports"] = ranges.iter().map(|(first, last)| json!({ "first": first, "last": last })).collect();
    }
    match types {
        Some(Types::All) => value["types"] = "all".into(),
        Some(Types::These(list)) => {
            value["types"] = list.iter().map(|(number, code)| json!({ "type": number, "code": code })).collect();
        }
        None => {}
    }
    value["priority"] = rule.priority.into();
    value
}

fn targets(targets: &Targets) -> Value {
    match targets {
        Targets::Any => json!([{ "type": "any" }]),
        Targets::AllVms => json!([{ "type": "all vms" }]),
        Targets::Of(list) => list
            .iter()
            .map(|target| match target {
                Target::Ip(address) => json!({ "type": "ip", "address": address.to_string() }),
                Target::Subnet(address, length) => json!({ "type": "subnet", "subnet": format!("{address}/{length}") }),
                Target::Tag(name, value) => json!({ "type": "tag", "name": name, "value": value }),
                Target::Vm(id) => json!({ "type": "vm", "id": id }),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Console;

    #[test]
    fn a_rule_is_told_in_its_parts() {
        let rule = fwrule::parse("FROM (TAG a OR IP 10.0.0.1) TO ALL VMS ALLOW TCP (PORT 80 AND PORT 443)").unwrap();
        assert_eq!(
            parts(&rule).to_string(),
            r#"{"rule":"FROM (ip 10.0.0.1 OR tag \"a\") TO all vms ALLOW tcp (PORT 80 AND PORT 443)","#.to_owned()
                + r#""from":[{"type":"ip","address":"10.0.0.1"},{"type":"tag","name":"a","value":null}],"#
                + r#""to":[{"type":"all vms"}],"action":"allow","protocol":"tcp","#
                + r#""ports":[{"first":80,"last":80},{"first":443,"last":443}],"priority":null}"#
        );
        let rule =
            fwrule::parse("FROM ANY TO VM b6979942-7d5d-4fe6-a2ec-b812e950625a BLOCK ICMP TYPE 8 PRIORITY 9").unwrap();
        let parts = parts(&rule);
        assert_eq!(parts["types"].to_string(), r#"[{"type":8,"code":null}]"#);
        assert_eq!((parts["priority"].as_u64(), parts.get("ports")), (Some(9), None));
    }

    #[test]
    fn a_file_has_a_rule_on_each_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rules");
        std::fs::write(&file, "# web\nFROM any TO tag web ALLOW tcp PORT 80\r\n\nFROM any\n").unwrap();
        let file = file.to_str().unwrap();
        let rules = lines(file, &Console::process()).unwrap();
        assert_eq!(rules[0].as_ref().unwrap().to_string(), "FROM any TO tag \"web\" ALLOW tcp PORT 80");
        let error = rules[1].as_ref().unwrap_err();
        assert_eq!(error.message(), format!("{file}:4: firewall rule: unexpected end of the rule"));
        assert_eq!(error.hints(), ["FROM any\n        ^ expected TO"]);
        assert_eq!(rules.len(), 2);
        std::fs::write(file, "\n# nothing\n").unwrap();
        assert_eq!(lines(file, &Console::process()).unwrap_err().message(), format!("there is no rule in {file}"));
    }
}
