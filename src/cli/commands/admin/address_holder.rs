//! `sdc admin ips who`: which network, NIC, VM and account has an address.

use clap::ArgMatches;

use crate::answer::Answer;
use crate::api::admin::napi::WHO;
use crate::api::admin::{CNAPI, MAHI, NAPI, VMAPI};
use crate::api::{Service, Shape, columns};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::given;
use crate::cli::commands::{Custom, Settings};
use crate::cli::execute;
use crate::client::Client;
use crate::error::Result;
use crate::tasks::call::Call;
use crate::tasks::listing::Listing;
use crate::tasks::network_addresses::{Services, holder};

/// `sdc admin ips who`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin ips who",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&WHO])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    if app.globals.dry_run || app.globals.curl || matches.get_flag("count") {
        return execute::run(app, &WHO, matches).await;
    }
    let view = app.view(matches, columns(&WHO))?;
    let jq = app.program()?;
    let mut given = given::read(&WHO, matches)?;
    let (args, mut filter) = execute::filters(app, &WHO, matches, &mut given)?;
    let napi = app.inner(&NAPI).await?;
    filter.settle(&napi, &args).await?;
    let (call, sorted) = (Call::new(args), !view.sort.is_empty());
    let found = Listing::new(&napi, &WHO, &call, &filter, sorted, app).all().await;
    let found = found.map_err(|error| app.forgetting(error))?;
    let has = |pointer: &str| found.rows().any(|row| row.text(pointer).is_some_and(|text| !text.is_empty()));
    let [vms, servers, accounts] = [has("/belongs_to_uuid"), has("/belongs_to_uuid"), has("/owner_uuid")];
    let services =
        (beside(app, &VMAPI, vms).await, beside(app, &CNAPI, servers).await, beside(app, &MAHI, accounts).await);
    let services =
        Services { napi: &napi, vmapi: services.0.as_ref(), cnapi: services.1.as_ref(), mahi: services.2.as_ref() };
    let rows = futures_util::future::join_all(found.rows().map(|row| holder(&services, row, app))).await;
    app.show(&Answer::Rows(rows), Shape::Rows, &view, jq.as_ref()).map(|()| 0)
}

/// A service that knows more, if it is needed and can be found. Without it less is shown.
async fn beside(app: &App, service: &'static Service, needed: bool) -> Option<Client> {
    if !needed {
        return None;
    }
    match app.inner(service).await {
        Ok(client) => Some(client),
        Err(error) => {
            app.warn(&format!("{} is not asked: {error}", service.name));
            None
        }
    }
}
