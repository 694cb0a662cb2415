//! `sdc admin networks create-smart`: a network on a VLAN and in a subnet that no other one has.

use std::ops::RangeInclusive;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::answer::Answer;
use crate::api::admin::mahi::ACCOUNT;
use crate::api::admin::napi::{CREATE_NETWORK, DELETE_NETWORK, LIST_NETWORKS};
use crate::api::admin::{MAHI, NAPI};
use crate::api::{Shape, columns};
use crate::cli::app::App;
use crate::cli::args::build::{Syntax, list_options};
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::resume::heeded;
use crate::error::{Error, Hint, Kind, Result};
use crate::grammar::net;
use crate::tasks::resolve;
use crate::tasks::smart_network::SmartNetwork;
use crate::tasks::stop::Stop;

/// `sdc admin networks create-smart`.
pub(crate) static COMMAND: Custom = Custom {
    path: "admin networks create-smart",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(run(app, matches)),
    calls: &[("", &[&LIST_NETWORKS, &CREATE_NETWORK, &DELETE_NETWORK])],
    examples: "admin networks create-smart -n lab --nic-tag internal\n\
         admin networks create-smart -n lab --nic-tag internal --within 172.16.0.0/12 --prefix 26 --vlans 100-199",
    previews: true,
    settings: Settings::Needed,
};

fn command() -> Command {
    let text = |id: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id).long(id).value_name(value).value_parser(NonEmptyStringValueParser::new()).help(help)
    };
    Command::new("create-smart")
        .about("Create a network on a free VLAN and in a free subnet")
        .before_long_help(
            "The service refuses neither a VLAN nor a private subnet that another network has. So the networks are \
             listed before and after the create; whoever sees another one in the way deletes its own and tries \
             elsewhere, so that several who create networks at once never share one. The network has no gateway, and \
             gives out all addresses of its subnet but the first and the last.",
        )
        .args([
            text("name", "TEXT", "Name, at most 64 characters; no other network has it").short('n').required(true),
            text("nic-tag", "TEXT", "NIC tag of the servers' NICs that reach it").default_value("customer"),
            text("owner", "ACCOUNT", "Account that may use it: login or id; may be repeated. Without any, all may")
                .action(ArgAction::Append),
            text("description", "TEXT", "Description"),
            text("within", "SUBNET", "Where its subnet lies").default_value("10.0.0.0/8"),
            text("prefix", "LENGTH", "Length of its subnet's prefix, 8 to 30")
                .value_parser(value_parser!(u8))
                .default_value("24"),
            text("vlans", "FIRST-LAST", "VLANs that it may have").default_value("2-4094"),
        ])
        .args(list_options().into_iter().take(1))
}

/// The network that was asked for.
fn wanted(matches: &ArgMatches) -> Result<SmartNetwork> {
    let text = |id: &str| matches.get_one::<String>(id).cloned().unwrap_or_default();
    let owners: Vec<String> = matches.get_many("owner").into_iter().flatten().cloned().collect();
    Ok(SmartNetwork {
        nic_tag: text("nic-tag"),
        owners,
        description: matches.get_one("description").cloned(),
        within: net::cidr(&text("within")).map_err(|error| error.about("--within"))?,
        prefix: matches.get_one("prefix").copied().unwrap_or_default(),
        vlans: vlans(&text("vlans"))?,
        ..SmartNetwork::new(text("name"))
    })
}

/// Reads `2-4094`, or one VLAN.
fn vlans(text: &str) -> Result<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ok(first..=last),
        _ => {
            Err(Error::usage(format!("--vlans: '{}' is not a range of VLANs", text.escape_debug()))
                .hint("--vlans 100-199"))
        }
    }
}

async fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let view = app.view(matches, columns(&CREATE_NETWORK))?;
    let jq = app.program()?;
    let mut wanted = wanted(matches)?;
    for owner in wanted.owners.iter_mut().filter(|owner| !resolve::is_uuid(owner)) {
        *owner = resolve::id(&app.inner(&MAHI).await?, &ACCOUNT, owner).await?;
    }
    let client = app.inner(&NAPI).await?;
    if app.globals.dry_run || app.globals.curl {
        let request = client.request(&CREATE_NETWORK, &wanted.args(&client).await?)?;
        return preview::requests(app, &client, &[request]).await.map(|()| 0);
    }
    let stop = Stop::default();
    let mut made: Option<Result<Answer>> = None;
    let work = async { made = Some(wanted.create(&client, &stop, app).await) };
    let left = || {
        Error::new(Kind::Interrupted, format!("interrupted: network {} may be left", wanted.name))
            .hint(Hint::run("look for it", "admin networks list"))
    };
    let asked = heeded(app, &stop, work, left).await?;
    let Some(made) = made else { return Err(left()) };
    let (view, hidden) = app.of_change(&CREATE_NETWORK, view, false);
    let made = made.map_err(|error| app.forgetting(error))?;
    if !hidden {
        app.show(&made, Shape::Record, &view, jq.as_ref())?;
    }
    match asked {
        true => Err(Error::new(Kind::Interrupted, format!("interrupted: network {} was created", wanted.name))),
        false => Ok(0),
    }
}
