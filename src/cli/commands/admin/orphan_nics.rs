//! `sdc admin nics orphans`: the NICs whose VM is gone.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::answer::Answer;
use crate::api::admin::napi::{DELETE_NIC, LIST_NICS, NETWORK};
use crate::api::admin::{NAPI, VMAPI, vmapi};
use crate::api::{Column, Shape, Show, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::cli::resume::heeded;
use crate::cli::terminal::exit;
use crate::error::{Error, Kind, Result};
use crate::tasks::orphan_nics::{self, Orphan};
use crate::tasks::stop::Stop;

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
    column("age").of("modified_timestamp").time().show(Show::Age),
    column("owner_uuid").long(),
    column("nic_tag").long(),
    column("cn_uuid").named(),
    column("created_timestamp").time().named(),
    column("modified_timestamp").time().named(),
];

fn command() -> Command {
    Command::new("orphans")
        .about("List the NICs whose VM is gone, and with --yes delete them")
        .before_long_help(
            "A VM is gone if VMAPI does not know it, or shows it as destroyed. Nothing is changed without --yes. NICs \
             that were created or changed within the last hour are left alone: their VM may be on its way. Before a \
             NIC is deleted, it and its VM are looked at once more.",
        )
        .arg(
            Arg::new("yes")
                .long("yes")
                .short('y')
                .action(ArgAction::SetTrue)
                .help("Delete them, which frees their addresses"),
        )
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
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
    if !matches.get_flag("yes") {
        shown(&found.orphans.iter().collect::<Vec<_>>())?;
        if !found.orphans.is_empty() {
            app.say("nothing was changed; to delete them: sdc admin nics orphans --yes");
        }
        return Ok(0);
    }
    let (mut deleted, mut gravest): (Vec<&Orphan>, Option<Kind>) = (Vec::new(), None);
    let stop = Stop::default();
    let work = async {
        for nic in &found.orphans {
            if stop.is_asked() {
                break;
            }
            match orphan_nics::delete(&napi, &vmapi, nic).await {
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
    app.say(&format!("{} of {} deleted", deleted.len(), found.orphans.len()));
    match asked {
        true => Err(interrupted()),
        false => Ok(gravest.map_or(0, |kind| exit::code(kind).0.into())),
    }
}
