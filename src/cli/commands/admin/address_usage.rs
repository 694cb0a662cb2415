//! `sdc admin networks usage`: how many addresses of networks are used, and how many free.

use clap::{Arg, ArgAction, ArgMatches, Command};
use futures_util::StreamExt;

use crate::answer::{Answer, Row};
use crate::api::admin::NAPI;
use crate::api::admin::napi::{GET_NETWORK, LIST_IPS, LIST_NETWORKS, NETWORK};
use crate::api::{Column, Shape, Show, column};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::cli::terminal::exit;
use crate::client::Client;
use crate::error::Result;
use crate::request::Args;
use crate::tasks::network_addresses::usage;
use crate::tasks::resolve;

/// `sdc admin networks usage`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin networks usage",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&LIST_NETWORKS, &GET_NETWORK, &LIST_IPS])],
    examples: "admin networks usage\nadmin networks usage public -o name,free",
    previews: false,
    settings: Settings::Needed,
};

/// How many networks are asked about at once.
const AT_ONCE: usize = 8;

const COLUMNS: &[Column] = &[
    column("shortid").of("uuid").show(Show::ShortId).brief(),
    column("uuid").long(),
    column("name").stays(),
    column("subnet"),
    column("total").stays(),
    column("used").stays(),
    column("reserved").stays(),
    column("free").stays(),
    column("provision_start_ip").long(),
    column("provision_end_ip").long(),
];

fn command() -> Command {
    Command::new("usage")
        .about("Count the used and free addresses of networks")
        .before_long_help(
            "Counted are the addresses that the network gives out, from the first to the last one. Used is what a VM \
             or server has; reserved is what is kept, as a gateway is.",
        )
        .arg(
            Arg::new("network")
                .value_name("NETWORK")
                .num_args(0..)
                .action(ArgAction::Append)
                .help("Networks: id, short id or name; all of them if none is given"),
        )
        .args(list_options())
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, COLUMNS)?;
    let jq = app.program()?;
    let client = app.inner(&NAPI).await?;
    let networks = networks(&client, matches).await.map_err(|error| app.forgetting(error))?;
    let counted = networks.rows().map(|network| counted(&client, network));
    let counted: Vec<_> = futures_util::stream::iter(counted).buffered(AT_ONCE).collect().await;
    let (mut rows, mut gravest) = (Vec::new(), None);
    for counted in counted {
        match counted {
            Ok(row) => rows.push(row),
            Err(error) => {
                app.report(&error);
                gravest = Some(error.kind().graver(gravest));
            }
        }
    }
    app.show(&Answer::from_rows(format!("[{}]", rows.join(",")).as_bytes())?, Shape::Rows, &view, jq.as_ref())?;
    Ok(gravest.map_or(0, |kind| exit::code(kind).0.into()))
}

/// The networks that were named, or all.
async fn networks(client: &Client, matches: &ArgMatches) -> Result<Answer> {
    let typed: Vec<&String> = matches.get_many("network").into_iter().flatten().collect();
    if typed.is_empty() {
        return client.call(&LIST_NETWORKS, &Args::new()).await;
    }
    let mut all = Vec::new();
    for typed in typed {
        let id = resolve::id(client, &NETWORK, typed).await?;
        all.push(client.call(&GET_NETWORK, &Args::new().set(NETWORK.name, id)).await?);
    }
    Ok(Answer::joined(all, true))
}

async fn counted(client: &Client, network: Row<'_>) -> Result<String> {
    let usage = usage(client, network).await?;
    let text = |name: &str| serde_json::json!(network.text(&format!("/{name}")));
    let members = ["uuid", "name", "subnet", "provision_start_ip", "provision_end_ip"];
    let members: String = members.into_iter().map(|name| format!("\"{name}\":{},", text(name))).collect();
    Ok(format!(
        "{{{members}\"total\":{},\"used\":{},\"reserved\":{},\"free\":{}}}",
        usage.total, usage.used, usage.reserved, usage.free
    ))
}
