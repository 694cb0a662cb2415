//! Whether a new NIC is of the network that was asked for. In the place of a pool the service shows one of its networks,
//! and does not say of which pool that is: only what has addresses of its own is surely no pool.

use crate::answer::{Answer, scan};
use crate::api::cloudapi::networks;
use crate::api::{Kind as Field, Op};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::request::{Arg, Args};
use crate::response::whose;
use crate::tasks::call::Call;

/// Refuses a NIC of another network. It asks the service only where the answer shows another one.
///
/// # Errors
/// [`Kind::Unreachable`], in doubt.
pub(super) async fn check(client: &Client, op: &Op, call: &Call, answer: &Answer) -> Result<()> {
    let field = op.fields.iter().find(|field| matches!(field.kind, Field::Nic));
    let Some(asked) = field.and_then(|field| call.args.get(field.name)).map(Asked::of) else { return Ok(()) };
    let shown = |name: &str| answer.first().and_then(|row| row.text(name).map(|text| text.into_owned()));
    let other = |asked: &Option<String>, shown: &Option<String>| match (asked, shown) {
        (Some(asked), Some(shown)) => !asked.eq_ignore_ascii_case(shown),
        _ => false,
    };
    let (network, ip) = (shown("/network"), shown("/ip"));
    if other(&asked.ip, &ip) {
        return Err(of_another(client, "ip", ip, asked.ip));
    }
    // An address can be asked of a network alone.
    if other(&asked.network, &network) && (asked.ip.is_some() || has_addresses(client, &asked.network).await) {
        return Err(of_another(client, "network", network, asked.network));
    }
    Ok(())
}

/// What a NIC is to be like.
struct Asked {
    network: Option<String>,
    ip: Option<String>,
}

impl Asked {
    fn of(arg: &Arg) -> Asked {
        let text =
            |json: &str, steps: &[&str]| scan::at(json, steps).and_then(scan::unquote).map(|text| text.into_owned());
        match arg {
            Arg::Text(id) => Asked { network: Some(id.clone()), ip: None },
            Arg::Json(nic) => {
                let ips =
                    scan::member(nic.get(), "ipv4_ips").and_then(|ips| serde_json::from_str::<Vec<String>>(ips).ok());
                let ip = ips.and_then(|ips| ips.into_iter().next());
                Asked { network: text(nic.get(), &["ipv4_uuid"]), ip }
            }
        }
    }
}

/// Whether the service lists addresses of it, as it does of networks and not of pools. Who may not see them does not know.
async fn has_addresses(client: &Client, network: &Option<String>) -> bool {
    let Some(network) = network else { return false };
    let args = Args::new().set("network", network).set("limit", "1");
    let Ok(request) = client.request(&networks::IP_LIST, &args) else { return false };
    client.answered(&networks::IP_LIST, &request).await.is_ok()
}

fn of_another(client: &Client, field: &str, shown: Option<String>, asked: Option<String>) -> Error {
    let (shown, asked) = (shown.unwrap_or_default(), asked.unwrap_or_default());
    let words = format!("the service answered the record of something else, whose {field} is {shown} and not {asked}");
    Error::new(Kind::Unreachable, words).hint(whose(client.service()).hint()).in_doubt()
}
