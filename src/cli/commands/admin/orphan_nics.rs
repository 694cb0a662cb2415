//! `sdc admin nics orphans`: the NICs whose VM is gone.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::answer::Answer;
use crate::api::admin::napi::{DELETE_NIC, LIST_NICS, NETWORK};
use crate::api::admin::{NAPI, VMAPI, vmapi};
use crate::api::{Column, Shape, Show, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::args::targets;
use crate::cli::commands::{Custom, Settings};
use crate::cli::resume::heeded;
use crate::cli::terminal::exit;
use crate::error::{Error, Kind, Result};
use crate::grammar::net;
use crate::tasks::orphan_nics::{self, Found, Orphan};
use crate::tasks::stop::Stop;
use crate::tasks::targets::MAX_TARGETS;

/// `sdc admin nics orphans`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin nics orphans",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&LIST_NICS, &vmapi::LIST, &DELETE_NIC])],
    examples: "admin nics orphans\nadmin nics orphans --yes",
    previews: false,
    settings: Settings::Needed,
};

const COLUMNS: &[Column] = &[
    column("mac").stays(),
    column("ip").stays(),
    column("network_uuid").ids_of(&NETWORK).show(Show::ShortId),
    column("belongs_to_uuid").stays(),
    column("vm_state"),
    column("state"),
    column("age").of("modified_timestamp").time().show(Show::Age),
    column("owner_uuid").long(),
    column("nic_tag").long(),
    column("cn_uuid").named(),
    column("created_timestamp").time().named(),
    column("modified_timestamp").time().named(),
];

fn command() -> Command {
    let [max, _] = targets::limits();
    Command::new("orphans")
        .about("List the NICs whose VM is gone, and with --yes delete them")
        .before_long_help(
            "A VM is gone if VMAPI does not know it, or shows it as destroyed. Nothing is changed without --yes. NICs \
             that were created or changed within the last hour are left alone: their VM may be on its way; those in \
             the state running too, unless they are named. Nothing is deleted where VMAPI knows less than half of the \
             VMs that NICs belong to: it may be that of another data center. Before a NIC is deleted, it and its VM are \
             looked at once more.",
        )
        .arg(
            Arg::new("mac")
                .value_name("MAC")
                .num_args(0..)
                .help("Of these NICs alone; those in the state running are deleted where they are named"),
        )
        .arg(
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .help("Delete them, which frees their addresses"),
        )
        .arg(max)
        .args(list_options())
}

/// Those that are named, or all; and an error for each that is named and is none.
fn picked<'a>(found: &'a Found, named: &BTreeMap<String, &String>) -> (Vec<&'a Orphan>, Vec<Error>) {
    let plain = |nic: &Orphan| net::mac(&nic.mac).unwrap_or_default();
    let picked: Vec<&Orphan> =
        found.orphans.iter().filter(|nic| named.is_empty() || named.contains_key(&plain(nic))).collect();
    let missing = named.iter().filter(|(mac, _)| !picked.iter().any(|nic| plain(nic) == **mac)).map(|(_, typed)| {
        let words = format!("NIC {typed} is none that is older than an hour and whose VM is gone");
        Error::new(Kind::NotFound, words)
    });
    let missing = missing.collect();
    (picked, missing)
}

/// Says what can be done about those that are only listed.
fn say_ways(app: &App, found: &Found, picked: &[&Orphan], named: bool) {
    let running = picked.iter().filter(|nic| nic.is_running).count();
    match found.check() {
        _ if picked.is_empty() => {}
        Err(error) => app.say(&format!("nothing was changed, and --yes deletes none of them: {error}")),
        Ok(()) if named => app.say("nothing was changed; to delete them: --yes"),
        Ok(()) if running == picked.len() => app.say(NAME_THEM),
        Ok(()) => {
            app.say("nothing was changed; to delete them: sdc admin nics orphans --yes");
            if running > 0 {
                app.say(&left(running));
            }
        }
    }
}

const NAME_THEM: &str =
    "nothing was changed; to delete one in the state running, name it: sdc admin nics orphans MAC --yes";

fn left(running: usize) -> String {
    format!("note: {running} in the state running are left alone, unless named: sdc admin nics orphans MAC --yes")
}

/// Those of them that may be deleted.
fn deletable<'a>(app: &App, matches: &ArgMatches, found: &Found, picked: Vec<&'a Orphan>) -> Result<Vec<&'a Orphan>> {
    if picked.is_empty() {
        return Ok(picked);
    }
    found.check().map_err(|error| {
        let one = "one that is known to be in no use: sdc admin nics delete MAC";
        error.hint("nothing was deleted").hint(one)
    })?;
    let named = matches.contains_id("mac");
    let all = picked.len();
    let due: Vec<&Orphan> = picked.into_iter().filter(|nic| named || !nic.is_running).collect();
    let most = matches.get_one::<u64>("max").map_or(MAX_TARGETS, |max| usize::try_from(*max).unwrap_or(usize::MAX));
    if due.len() > most {
        let words = format!("{} NICs selected, limit is {most}; nothing was done", due.len());
        let allow = format!("to allow them: --max {}", due.len());
        return Err(Error::usage(words).hint(allow).hint("to see them: without --yes"));
    }
    if due.len() < all {
        app.say(&left(all - due.len()));
    }
    Ok(due)
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    // Only now: what may be a secret has been refused before.
    let typed = matches.get_many::<String>("mac").into_iter().flatten();
    let named: BTreeMap<String, &String> = typed.map(|typed| Ok((net::mac(typed)?, typed))).collect::<Result<_>>()?;
    let (napi, vmapi) = (app.inner(&NAPI).await?, app.inner(&VMAPI).await?);
    let found = orphan_nics::find(&napi, &vmapi, app.console.timestamp()).await;
    let found = found.map_err(|error| app.forgetting(error))?;
    if found.young > 0 {
        app.say(&format!("note: {} of NICs without a VM are younger than an hour, and left alone", found.young));
    }
    let shown = |nics: &[&Orphan]| {
        let rows = nics.iter().map(|nic| nic.row.clone()).collect();
        app.show(&Answer::Rows(rows), Shape::Rows, &view, jq.as_ref())
    };
    let (picked, missing) = picked(&found, &named);
    let mut gravest: Option<Kind> = None;
    for error in &missing {
        app.report(error);
        gravest = Some(error.kind().graver(gravest));
    }
    if !matches.get_flag("yes") {
        shown(&picked)?;
        say_ways(app, &found, &picked, !named.is_empty());
        return Ok(gravest.map_or(0, |kind| exit::code(kind).0.into()));
    }
    let due = deletable(app, matches, &found, picked)?;
    let mut deleted: Vec<&Orphan> = Vec::new();
    let stop = Stop::default();
    let work = async {
        for nic in due.iter().copied() {
            if stop.is_asked() {
                break;
            }
            match orphan_nics::delete(&napi, &vmapi, &found, nic).await {
                Ok(true) => deleted.push(nic),
                Ok(false) => app.say(&format!("NIC {} is gone already", nic.mac)),
                Err(error) => {
                    app.report(&error);
                    gravest = Some(error.kind().graver(gravest));
                }
            }
        }
    };
    let interrupted = || Error::new(Kind::Interrupted, "interrupted: some NICs may be left");
    let asked = heeded(app, &stop, work, interrupted).await?;
    shown(&deleted)?;
    app.say(&format!("{} of {} deleted", deleted.len(), due.len()));
    match asked {
        true => Err(interrupted()),
        false => Ok(gravest.map_or(0, |kind| exit::code(kind).0.into())),
    }
}
