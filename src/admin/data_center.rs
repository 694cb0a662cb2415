//! A data center for programs: found from the address of its SAPI, then asked in one line each. What a VM does is
//! `machine`'s.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;

use super::directory::{Directory, Given};
use super::machine::{Machine, Spec};
use crate::answer::{Answer, Row};
use crate::api::admin::{NAPI, PAPI, SAPI, VMAPI, WORKFLOW, napi, papi, vmapi, workflow};
use crate::api::{Op, Service};
use crate::client::{Client, Once, new_uuid};
use crate::error::{Error, Hint, Kind, Result};
use crate::request::{Arg, Args, Request};
use crate::tasks::smart_network::SmartNetwork;
use crate::tasks::stop::Stop;
use crate::tasks::values::{self, Folders};
use crate::tasks::vm_spec::{self, Extras};
use crate::tasks::{Services, resolve};

/// So often a VM that was accepted is looked for.
const LOOKS: u32 = 60;
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// The internal services of one data center.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # fn main() -> sdc::Result<()> {
/// # use sdc::emulator::{Emulator, Options, Pace};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let cloud = Emulator::start(Options { admin: true, pace: Pace::Times(1000.0), ..Options::default() }).await?;
/// # let address = cloud.sapi().unwrap();
/// use sdc::admin::{DataCenter, Spec, WaitOptions};
///
/// let dc = DataCenter::discover(address).await?;
/// let vm = dc
///     .create_smart_machine(Spec {
///         owner: "acme".to_owned(),
///         networks: vec!["private".to_owned()],
///         package: Some("g1-nano".to_owned()),
///         image: Some("base-64".to_owned()),
///         alias: Some("job0".to_owned()),
///         ..Spec::default()
///     })
///     .await?;
/// let opts = WaitOptions::default();
/// vm.wait_until("running", opts).await?;
/// vm.stop().await?;
/// vm.wait_until("stopped", opts).await?;
/// assert!(vm.is_stopped().await?);
/// vm.delete().await?;
/// vm.wait_until("destroyed", opts).await?;
/// # cloud.stop().await
/// # })
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
pub struct DataCenter {
    directory: Directory<'static>,
    /// Those that were found, by the names of their services.
    clients: Mutex<HashMap<&'static str, Client>>,
}

impl Services for DataCenter {
    fn client<'a>(&'a self, service: &'static Service) -> Pin<Box<dyn Future<Output = Result<Client>> + 'a>> {
        Box::pin(self.client(service))
    }
}

impl DataCenter {
    /// The data center of this SAPI: a host, `HOST:PORT` or a URL.
    ///
    /// # Errors
    /// A usage error for what is no address; [`Kind::Unreachable`] where SAPI does not answer there, or where VMAPI is
    /// not known.
    pub async fn discover(sapi: &str) -> Result<DataCenter> {
        let mut given = Given::default();
        given.add(&SAPI.name.to_lowercase(), sapi, "the address of SAPI")?;
        let found = DataCenter::of(given, None);
        found.client(&VMAPI).await?;
        Ok(found)
    }

    /// The data center whose services are at these addresses; what is not among them SAPI tells. The folder keeps what
    /// SAPI told for five minutes.
    pub fn of(given: Given, cache: Option<&Path>) -> DataCenter {
        let make = |service: &'static Service, url: &str| Client::builder().service(service).url(url).build();
        DataCenter { directory: Directory::new(given, cache, Box::new(make)), clients: Mutex::default() }
    }

    /// A client of one of its services, for what has no method here.
    ///
    /// # Errors
    /// Nobody knows where that service is, or it does not answer there.
    pub async fn client(&self, service: &'static Service) -> Result<Client> {
        if let Some(known) = self.clients.lock().await.get(service.name) {
            return Ok(known.clone());
        }
        let found = self.directory.client(service).await?;
        self.clients.lock().await.insert(service.name, found.clone());
        Ok(found)
    }

    /// Calls an operation of one of its services. Where that cannot be reached, its address is looked up once more, for
    /// it may have moved; what may have been carried out is not sent again.
    ///
    /// # Errors
    /// As [`DataCenter::client`]; the service refused.
    pub async fn call(&self, service: &'static Service, op: &Op, args: &Args) -> Result<Answer> {
        self.reaching(service, async |client| client.call(op, args).await).await
    }

    /// Does it with a client of a service, and once more where that cannot be reached and is found elsewhere.
    pub(super) async fn reaching<T>(
        &self,
        service: &'static Service,
        does: impl AsyncFn(&Client) -> Result<T>,
    ) -> Result<T> {
        let client = self.client(service).await?;
        let error = match does(&client).await {
            Err(error) if error.kind() == Kind::Unreachable && !error.is_in_doubt() => error,
            done => return done,
        };
        self.clients.lock().await.remove(service.name);
        self.directory.forget();
        match self.client(service).await {
            Ok(found) if found.address() != client.address() => does(&found).await,
            _ => Err(error),
        }
    }

    /// Where its services are.
    pub fn directory(&self) -> &Directory<'static> {
        &self.directory
    }

    /// Whether VMAPI itself says that it is well (`Ping`).
    ///
    /// # Errors
    /// As [`DataCenter::client`].
    pub async fn is_healthy(&self) -> Result<bool> {
        let (lines, _) = self.directory.health().await?;
        let mut of_vmapi = lines.iter().filter(|line| line.service == VMAPI.name);
        Ok(of_vmapi.any(|line| line.health == super::ping::Health::up()))
    }

    /// The VMs that these filters of `ListVms` choose, such as `state`, `owner_uuid`, `brand`; without `state` those that
    /// were destroyed too.
    ///
    /// # Errors
    /// The list cannot be read.
    pub async fn list_machines(&self, filters: &Args) -> Result<Vec<Machine<'_>>> {
        let list = self.call(&VMAPI, &vmapi::LIST, filters).await?;
        list.rows().map(|row| Machine::of(self, row)).collect()
    }

    /// The active zones of an account, or of all.
    ///
    /// # Errors
    /// As [`DataCenter::list_machines`].
    pub async fn list_smart_machines(&self, owner: Option<&str>) -> Result<Vec<Machine<'_>>> {
        self.list_of("joyent", owner).await
    }

    /// The active KVM VMs of an account, or of all.
    ///
    /// # Errors
    /// As [`DataCenter::list_machines`].
    pub async fn list_kvm_machines(&self, owner: Option<&str>) -> Result<Vec<Machine<'_>>> {
        self.list_of("kvm", owner).await
    }

    async fn list_of(&self, brand: &str, owner: Option<&str>) -> Result<Vec<Machine<'_>>> {
        let filters = Args::new().set("brand", brand).set("state", "active");
        let filters = owner.into_iter().fold(filters, |filters, owner| filters.set("owner_uuid", owner));
        self.list_machines(&filters).await
    }

    /// The VM of this id, be it destroyed; none where there is none.
    ///
    /// # Errors
    /// VMAPI refused or did not answer.
    pub async fn get_machine(&self, uuid: &str) -> Result<Option<Machine<'_>>> {
        let found = self.found(&VMAPI, &vmapi::GET, ("vm", uuid)).await?;
        found.as_ref().and_then(Answer::first).map(|row| Machine::of(self, row)).transpose()
    }

    /// Creates a zone of the brand `joyent` (`CreateVm`), and returns it as soon as VMAPI has taken it.
    ///
    /// # Errors
    /// As [`DataCenter::create_machine`].
    pub async fn create_smart_machine(&self, spec: Spec) -> Result<Machine<'_>> {
        self.create_machine("joyent", spec).await
    }

    /// Creates a KVM VM (`CreateVm`), whose disks are the image's and one as large as the package says, or those of the
    /// spec.
    ///
    /// # Errors
    /// As [`DataCenter::create_machine`].
    pub async fn create_kvm_machine(&self, spec: Spec) -> Result<Machine<'_>> {
        self.create_machine("kvm", spec).await
    }

    /// Creates a VM of this brand. Its id is chosen here, so that it is found where the answer is lost, and never made
    /// twice.
    ///
    /// # Errors
    /// What is named is not there, or several are; VMAPI refused; nothing is known of what came of it
    /// ([`Error::is_in_doubt`]).
    pub async fn create_machine(&self, brand: &str, spec: Spec) -> Result<Machine<'_>> {
        let uuid = new_uuid();
        let mut args = spec.more.set("brand", brand).set("uuid", uuid.as_str()).set("owner_uuid", spec.owner);
        let named = [("billing_id", spec.package), ("image_uuid", spec.image), ("alias", spec.alias)];
        for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            args.push(name, Arg::Text(value));
        }
        let folders = Folders { folder: Path::new("."), home: None };
        let field = vmapi::CREATE.fields.iter().find(|field| field.name == "networks");
        for (field, network) in field.into_iter().flat_map(|field| spec.networks.iter().map(move |it| (field, it))) {
            values::add(&mut args, field, network, &folders)?;
        }
        resolve::elsewhere(self, &vmapi::CREATE, &mut args).await?;
        vm_spec::complete(self, &mut args, &Extras { disks: spec.disks, keys: spec.keys }).await?;
        let client = self.client(&VMAPI).await?;
        let request = client.request(&vmapi::CREATE, &args)?;
        let place = Args::new().set("vm", uuid.as_str());
        let look = async || match client.call(&vmapi::GET, &place).await {
            Ok(_) => Ok(Some(())),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        // Nobody else knows the id that was chosen.
        let whether = |error: Error, words: &str| error.hint(Hint::run(words, place.command(&VMAPI, &vmapi::GET)));
        let sent =
            client.send_named(&vmapi::CREATE, &request, look).await.map_err(|error| match error.is_in_doubt() {
                true => whether(error, "whether it is there"),
                false => error,
            })?;
        let job = match sent {
            Once::Answered(_, answer) | Once::AnsweredAgain(_, answer) => {
                answer.first().and_then(|row| Some(row.text("/job_uuid")?.into_owned()))
            }
            Once::Found(()) => None,
        };
        // What was accepted need not be shown at once; it is lost to nobody for that.
        let mut looks = 0;
        let made = loop {
            looks += 1;
            match client.call(&vmapi::GET, &place).await {
                Err(error) if error.kind() == Kind::NotFound && looks < LOOKS => {
                    tokio::time::sleep(BETWEEN_LOOKS).await
                }
                seen => {
                    break seen.map_err(|error| {
                        let words = format!("VM {uuid} was accepted; a look at it failed");
                        whether(Error::new(Kind::TimedOut, words).because(error), "to look at it")
                    })?;
                }
            }
        };
        let row = made.first().ok_or_else(|| Error::new(Kind::Unreachable, "VMAPI shows nothing of the new VM"))?;
        Ok(Machine::of(self, row)?.following(&vmapi::CREATE, job))
    }

    /// The networks that these filters of `ListNetworks` choose.
    ///
    /// # Errors
    /// NAPI refused or did not answer.
    pub async fn list_networks(&self, filters: &Args) -> Result<Answer> {
        self.call(&NAPI, &napi::LIST_NETWORKS, filters).await
    }

    /// The network of this id; none where there is none.
    ///
    /// # Errors
    /// As [`DataCenter::list_networks`].
    pub async fn get_network(&self, uuid: &str) -> Result<Option<Answer>> {
        self.found(&NAPI, &napi::GET_NETWORK, ("adminnetwork", uuid)).await
    }

    /// Creates a network with these fields (`CreateNetwork`).
    ///
    /// # Errors
    /// As [`DataCenter::list_networks`].
    pub async fn create_network(&self, fields: &Args) -> Result<Answer> {
        self.call(&NAPI, &napi::CREATE_NETWORK, fields).await
    }

    /// Creates a network on a VLAN and in a subnet that no other network has, whoever creates some at the same time.
    ///
    /// # Errors
    /// As [`SmartNetwork::create`].
    pub async fn create_smart_network(&self, network: &SmartNetwork) -> Result<Answer> {
        network.create(&self.client(&NAPI).await?, &Stop::default(), &()).await
    }

    /// Deletes a network (`DeleteNetwork`), which nothing may use.
    ///
    /// # Errors
    /// As [`DataCenter::list_networks`].
    pub async fn delete_network(&self, uuid: &str) -> Result<()> {
        let args = Args::new().set("adminnetwork", uuid);
        self.call(&NAPI, &napi::DELETE_NETWORK, &args).await.map(|_| ())
    }

    /// The packages that these filters of `ListPackages` choose.
    ///
    /// # Errors
    /// PAPI refused or did not answer.
    pub async fn list_packages(&self, filters: &Args) -> Result<Answer> {
        self.call(&PAPI, &papi::LIST, filters).await
    }

    /// The package of this id; none where there is none.
    ///
    /// # Errors
    /// As [`DataCenter::list_packages`].
    pub async fn get_package(&self, uuid: &str) -> Result<Option<Answer>> {
        self.found(&PAPI, &papi::GET, ("adminpackage", uuid)).await
    }

    /// Creates a package with these fields (`CreatePackage`).
    ///
    /// # Errors
    /// As [`DataCenter::list_packages`].
    pub async fn create_package(&self, fields: &Args) -> Result<Answer> {
        self.call(&PAPI, &papi::CREATE, fields).await
    }

    /// Creates a job of a workflow, by its name or id (`CreateJob`), with what is given to it in `params` and further
    /// fields, such as `target`; returns it as it is then. The same target and params are refused while they are queued.
    ///
    /// # Errors
    /// As [`DataCenter::list_jobs`]; no such workflow.
    pub async fn create_job(&self, workflow: &str, fields: &Args) -> Result<Answer> {
        let client = self.client(&WORKFLOW).await?;
        let workflow = resolve::id(&client, &workflow::FLOW, workflow).await?;
        let mut body = serde_json::Map::new();
        for (name, value) in fields.iter() {
            let value = match value {
                Arg::Text(text) => Value::from(text.as_str()),
                Arg::Json(raw) => serde_json::from_str(raw.get()).map_err(|error| Error::usage(name).because(error))?,
            };
            body.insert(name.to_owned(), value);
        }
        body.insert("workflow".to_owned(), workflow.into());
        let mut request = Request::raw("POST", "/jobs")?;
        request.body = Some(("application/json".to_owned(), Value::Object(body).to_string().into_bytes()));
        let (sent, unclear) = client.send_reporting_doubt(&request).await?;
        // A service that fails may have begun before it did.
        let unclear = unclear || sent.as_ref().is_ok_and(|made| made.status == 500 || made.is_success());
        let doubted = |error: Error| if unclear { error.in_doubt() } else { error };
        let made = sent.and_then(|made| made.taken().map(|()| made)).map_err(doubted)?;
        Answer::from_record(&made.body).map_err(Error::in_doubt)
    }

    /// The jobs that these filters of `ListJobs` choose, newest first.
    ///
    /// # Errors
    /// The workflow service refused or did not answer.
    pub async fn list_jobs(&self, filters: &Args) -> Result<Answer> {
        self.call(&WORKFLOW, &workflow::LIST, filters).await
    }

    /// The job of this id; none where there is none.
    ///
    /// # Errors
    /// As [`DataCenter::list_jobs`].
    pub async fn get_job(&self, uuid: &str) -> Result<Option<Answer>> {
        self.found(&WORKFLOW, &workflow::GET, ("job", uuid)).await
    }

    async fn found(&self, service: &'static Service, op: &Op, (param, id): (&str, &str)) -> Result<Option<Answer>> {
        match self.call(service, op, &Args::new().set(param, id)).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The id of a row.
pub(super) fn uuid_of(row: Row<'_>) -> Result<String> {
    let uuid = row.text("/uuid").filter(|uuid| resolve::is_uuid(uuid)).map(|uuid| uuid.into_owned());
    uuid.ok_or_else(|| Error::new(Kind::Unreachable, "VMAPI shows a VM without an id"))
}
