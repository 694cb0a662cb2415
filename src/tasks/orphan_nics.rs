//! NICs whose VM is gone: NAPI keeps them, and their addresses with them, until somebody deletes them.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # use sdc::emulator::{Emulator, Options};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! # let cloud = Emulator::start(Options { admin: true, ..Options::default() }).await?;
//! # let url = |service: &str| {
//! #     let (_, address) = cloud.admin().iter().find(|(name, _)| name == service).unwrap();
//! #     format!("http://{address}")
//! # };
//! use sdc::api::admin::{NAPI, VMAPI};
//! use sdc::tasks::orphan_nics;
//!
//! let napi = sdc::Client::builder().service(&NAPI).url(url("napi")).build()?;
//! let vmapi = sdc::Client::builder().service(&VMAPI).url(url("vmapi")).build()?;
//! let found = orphan_nics::find(&napi, &vmapi, jiff::Timestamp::now()).await?;
//! assert_eq!((found.orphans.len(), found.young), (1, 0));
//! assert!(orphan_nics::delete(&napi, &vmapi, &found, &found.orphans[0]).await?);
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::answer::Row;
use crate::api::admin::napi::{DELETE_NIC, GET_NIC, LIST_NICS, NIC};
use crate::api::admin::vmapi::{self, VM};
use crate::client::Client;
use crate::error::{Error, Kind, Result};
use crate::grammar::net;
use crate::request::Args;

/// How many VMs are asked for at once: their ids are in the URL.
const AT_ONCE: usize = 150;
/// A NIC that is younger may be that of a VM which is being created.
pub const YOUNG: Duration = Duration::from_secs(3600);
/// The state of a VM that is no longer there.
const DESTROYED: &str = "destroyed";
/// The state of a NIC that is in use, as far as NAPI was told.
const RUNNING: &str = "running";
/// What is said of a VM that VMAPI does not know.
const UNKNOWN: &str = "unknown to VMAPI";

/// A NIC whose VM is gone.
#[derive(Clone, Debug)]
pub struct Orphan {
    /// Its hardware address, as the service writes it.
    pub mac: String,
    /// The VM that had it.
    pub vm: String,
    /// Whether NAPI has it in the state `running`: it may be in use, so that it is deleted for nobody who does not name
    /// it.
    pub is_running: bool,
    /// The NIC as NAPI shows it, and `vm_state`: what became of its VM.
    pub row: Box<RawValue>,
}

/// The NICs whose VM is gone, as [`find`] has found them.
#[derive(Clone, Debug)]
pub struct Found {
    /// Those that may be deleted.
    pub orphans: Vec<Orphan>,
    /// How many are too young to tell, or do not show how old they are.
    pub young: usize,
    /// How many VMs the NICs of NAPI belong to.
    vms: usize,
    /// How many of these VMAPI knows, the destroyed ones too.
    known: usize,
}

impl Found {
    /// Whether VMAPI can be believed: one of another data center, or one that has lost its records, knows none of the VMs
    /// whose NICs are in use here.
    ///
    /// # Errors
    /// [`Kind::Refused`] where it knows less than half of the VMs.
    pub fn check(&self) -> Result<()> {
        if self.known * 2 >= self.vms {
            return Ok(());
        }
        let known = if self.known == 0 { "none".to_owned() } else { format!("{} alone", self.known) };
        let words = format!(
            "VMAPI knows {known} of the {} VMs that NAPI has NICs of: it may be that of another data center, or without \
             its records",
            self.vms
        );
        Err(Error::new(Kind::Refused, words))
    }
}

/// Finds them. NICs are listed before VMs, so that a VM which comes meanwhile is seen.
///
/// # Errors
/// A list cannot be read.
pub async fn find(napi: &Client, vmapi: &Client, now: jiff::Timestamp) -> Result<Found> {
    let all = napi.call(&LIST_NICS, &Args::new().set("belongs_to_type", "zone")).await?;
    let mut nics: BTreeMap<String, Vec<Row<'_>>> = BTreeMap::new();
    for nic in all.rows().filter(|nic| nic.text("/belongs_to_type").is_some_and(|kind| kind == "zone")) {
        let vm = nic.text("/belongs_to_uuid").unwrap_or_default().into_owned();
        nics.entry(vm).or_default().push(nic);
    }
    // Whose VM is not said cannot be known to be gone.
    nics.remove("");
    let vms: Vec<&String> = nics.keys().collect();
    let mut found = Found { orphans: Vec::new(), young: 0, vms: vms.len(), known: 0 };
    let mut states = BTreeMap::new();
    for some in vms.chunks(AT_ONCE) {
        let ids = some.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(",");
        let known = vmapi.call(&vmapi::LIST, &Args::new().set("uuids", ids)).await?;
        states.extend(known.rows().filter_map(|vm| {
            Some((vm.text("/uuid")?.into_owned(), vm.text("/state").unwrap_or_default().into_owned()))
        }));
    }
    found.known = vms.iter().filter(|vm| states.contains_key(**vm)).count();
    for (vm, nics) in nics {
        let state = match states.get(&vm).map(String::as_str) {
            Some(DESTROYED) => DESTROYED,
            Some(_) => continue,
            None => UNKNOWN,
        };
        for nic in nics {
            if is_young(nic, now) {
                found.young += 1;
                continue;
            }
            let mac = nic.text("/mac").unwrap_or_default().into_owned();
            let is_running = nic.text("/state").is_some_and(|state| state == RUNNING);
            let row = nic.with_members(&[("vm_state", state.into())]);
            found.orphans.push(Orphan { mac, vm: vm.clone(), is_running, row });
        }
    }
    Ok(found)
}

/// Whether a NIC was created or changed lately, or does not say when.
fn is_young(nic: Row<'_>, now: jiff::Timestamp) -> bool {
    let time = |pointer: &str| nic.text(pointer)?.parse::<jiff::Timestamp>().ok();
    let times = [time("/created_timestamp"), time("/modified_timestamp")];
    let latest = times.into_iter().flatten().max();
    latest.is_none_or(|latest| now.duration_since(latest) < jiff::SignedDuration::try_from(YOUNG).unwrap_or_default())
}

/// Deletes one of those that were found, after another look at it and at its VM. Returns whether it was there. Whether one
/// in the state `running` is meant has been seen to by whoever asks.
///
/// # Errors
/// [`Found::check`]; a usage error for one that is none of those; [`Kind::Refused`] where the NIC has another owner, is running by now, or its VM is there after all; and what the services say.
pub async fn delete(napi: &Client, vmapi: &Client, found: &Found, orphan: &Orphan) -> Result<bool> {
    let about = |error: Error| error.about(&format!("NIC {}", orphan.mac));
    found.check().map_err(about)?;
    if !found.orphans.iter().any(|known| known.mac == orphan.mac && known.vm == orphan.vm) {
        return Err(about(Error::usage("it is none of those that were found")));
    }
    let args = Args::new().set(NIC.name, net::mac(&orphan.mac)?);
    let (response, nic) = match napi.answered(&GET_NIC, &napi.request(&GET_NIC, &args)?).await {
        Ok(shown) => shown,
        Err(error) if error.kind() == Kind::NotFound => return Ok(false),
        Err(error) => return Err(about(error)),
    };
    if nic.first().and_then(|row| row.text("/belongs_to_uuid")).is_none_or(|vm| vm != orphan.vm) {
        return Err(about(Error::new(Kind::Refused, "it has another owner by now, so it is left alone")));
    }
    if !orphan.is_running && nic.first().and_then(|row| row.text("/state")).is_some_and(|state| state == RUNNING) {
        return Err(about(Error::new(Kind::Refused, "it is in the state running by now, so it is left alone")));
    }
    match vmapi.call(&vmapi::GET, &Args::new().set(VM.name, &orphan.vm)).await {
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(about(error)),
        Ok(vm) if vm.first().and_then(|row| row.text("/state")).is_some_and(|state| state == DESTROYED) => {}
        Ok(_) => {
            let words = format!("its VM {} is there after all, so it is left alone", orphan.vm);
            return Err(about(Error::new(Kind::Refused, words)));
        }
    }
    let mut request = napi.request(&DELETE_NIC, &args)?;
    if let Some(etag) = response.header("etag") {
        request.add_header("If-Match", etag)?;
    }
    match napi.answered(&DELETE_NIC, &request).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        Err(error) => Err(about(error)),
    }
}
