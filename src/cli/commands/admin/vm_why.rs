//! `sdc admin vms why`: what all services know of why a VM is as it is, and what to do next.

use std::fmt::Write;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command};

use crate::answer::Answer;
use crate::api::admin::VMAPI;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::error::{Error, Result, Target};
use crate::render;
use crate::tasks::vm_why::{self, Facts, Verdict};

/// `sdc admin vms why`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin vms why",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", vm_why::READS)],
    examples: "admin vms why web1\nadmin vms why broken --json",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[
    column("uuid"),
    column("alias"),
    column("state"),
    column("reason"),
    column("failed").nested(),
    column("job_waits").named(),
    column("jobs").objects().named(),
    column("server").nested(),
    column("networks").objects().named(),
    column("package").nested(),
    column("try").named(),
    column("unread").objects().named(),
];

fn command() -> Command {
    Command::new("why")
        .about("Explain why a VM is as it is, and what to do next")
        .before_long_help(
            "Shows the last jobs and the error of the one that failed, what one that is open waits for (the queue, a \
             ticket of CNAPI, a task of the server), the server and whether it is heard from, the NICs that NAPI has \
             for the VM, its package, and whether VMAPI and the server agree. Failed and destroyed VMs are found by \
             their aliases too. What could not be read is named beside the rest.",
        )
        .arg(
            Arg::new("vm")
                .value_name("VM")
                .required(true)
                .value_parser(NonEmptyStringValueParser::new())
                .help("VM: id, short id or alias"),
        )
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let typed = matches.get_one::<String>("vm").map(String::as_str).unwrap_or_default();
    let client = app.inner(&VMAPI).await?;
    let id = vm_why::find(&client, typed).await?;
    let about = |error: Error| {
        error.about(&format!("VM {typed}")).on(Target { noun: "VM", id: Some(id.clone()), name: typed.to_owned() })
    };
    let facts = vm_why::gather(app.asking(), &client, &id).await.map_err(about)?;
    let verdict = vm_why::judge(&facts);
    if app.globals.output.is_some() || jq.is_some() {
        let data = vm_why::data(&facts, &verdict, exit::said);
        app.show(&Answer::from_record(data.to_string().as_bytes())?, Shape::Record, &view, jq.as_ref())?;
    } else {
        app.streams.out(words(&facts, &verdict).as_bytes())?;
    }
    Ok(0)
}

/// For people: a line or more for each thing.
fn words(facts: &Facts, verdict: &Verdict) -> String {
    let mut out = String::new();
    let mut line = |what: &str, words: &str| {
        let _ = writeln!(out, "{what:<9} {}", render::escaped(words));
    };
    if let Some(vm) = facts.vm.first() {
        let text = |pointer: &str| vm.text(pointer).unwrap_or_default();
        line("VM", &format!("{} ({}) is {}", text("/alias"), text("/uuid"), text("/state")));
    }
    line("reason", &verdict.reason);
    let mut what = "jobs";
    for job in &verdict.jobs {
        let end = job.fault.as_ref().map_or_else(|| job.execution.clone(), Clone::clone);
        line(what, &format!("{} at {}: {end}", job.task, job.made));
        what = "";
    }
    if let Some(host) = &verdict.host {
        let heard = match (host.is_heard(), host.last.as_str()) {
            (true, "") => "is heard from".to_owned(),
            (true, last) => format!("is heard from, last at {last}"),
            (false, "") => "is not heard from".to_owned(),
            (false, last) => format!("is not heard from since {last}"),
        };
        line("server", &format!("{} ({}) {heard}", host.name, host.id));
        if !host.state.is_empty() {
            line("", &format!("has told of the VM: {}", host.state));
        }
    }
    let mut what = "networks";
    for nic in facts.nics.iter().flat_map(Answer::rows) {
        line(what, &vm_why::nic(nic));
        what = "";
    }
    if what == "networks" && facts.nics.is_ok() {
        line(what, "NAPI has no NIC of it");
    }
    if let Some(package) = vm_why::package(facts) {
        line("package", &package);
    }
    for (what, error) in vm_why::unread(facts) {
        line("unread", &format!("{what}: {error}"));
    }
    let mut what = "try";
    for way in &verdict.tries {
        line(what, &exit::said(way));
        what = "";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }
}
