//! What a new VM is made with beyond its fields: disks as its brand wants them, and the keys of its owner. It asks the
//! services that know, and sends nothing that changes anything.

use serde_json::{Map, Value, json};

use super::Services;
use crate::answer::{Answer, Row};
use crate::api::admin::{IMGAPI, MAHI, PAPI, imgapi, mahi, papi};
use crate::api::{Op, Service};
use crate::auth::PublicKey;
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::grammar::mebibytes;
use crate::request::{Arg, Args};

/// The metadata by which a VM lets keys in.
const KEYS: &str = "root_authorized_keys";

/// What is typed for a new VM besides its fields.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// Sizes of the disks besides the image's: `20G`, `remaining`.
    pub disks: Vec<String>,
    /// Whether it lets the keys of its owner in.
    pub keys: bool,
}

/// Completes the arguments of a new VM, whose names are ids by now.
///
/// # Errors
/// A usage error for disks that the brand does not have; the owner has no keys; a service could not be asked.
pub async fn complete(services: &dyn Services, args: &mut Args, extras: &Extras) -> Result<()> {
    match args.text("brand").map(str::to_owned).as_deref() {
        Some(brand @ ("kvm" | "bhyve")) => disks(services, args, brand, &extras.disks).await?,
        Some(brand) if !extras.disks.is_empty() || args.get("disks").is_some() => {
            let words = format!("a VM of the brand {brand} has no disks of its own");
            return Err(Error::usage(words).hint("its size: --quota GIB, or that of its package"));
        }
        _ => {}
    }
    if extras.keys {
        keys(services, args).await?;
    }
    Ok(())
}

/// Puts the image into the first disk, where these brands have it, and those beside it behind.
async fn disks(services: &dyn Services, args: &mut Args, brand: &str, sizes: &[String]) -> Result<()> {
    let image = match args.remove("image_uuid") {
        Some(Arg::Text(id)) => Some(id),
        _ => None,
    };
    let given: Option<Vec<Value>> = match args.get("disks") {
        Some(Arg::Json(raw)) => Some(
            serde_json::from_str(raw.get()).map_err(|error| Error::usage("--disks is not an array").because(error))?,
        ),
        _ => None,
    };
    let all = match (given, image) {
        (Some(_), _) if !sizes.is_empty() => return Err(Error::usage("--disks has all disks, and --disk is one more")),
        (Some(mut all), image) => {
            with_image(&mut all, image)?;
            all
        }
        (None, None) => {
            let words = format!("a {brand} VM boots from an image, and none is given");
            return Err(Error::usage(words).hint("--image IMAGE, or --disks with all disks"));
        }
        (None, Some(image)) if !sizes.is_empty() => {
            let sizes = sizes.iter().map(|text| size(brand, text)).collect::<Result<Vec<_>>>()?;
            let more = sizes.into_iter().map(|size| json!({ "size": size }));
            std::iter::once(json!({ "image_uuid": image })).chain(more).collect()
        }
        (None, Some(image)) => of_package(services, args, brand, &image).await?,
    };
    args.push("disks", Arg::json(&Value::from(all).to_string())?);
    Ok(())
}

/// The first disk has the image.
fn with_image(all: &mut [Value], image: Option<String>) -> Result<()> {
    let first = all.first_mut().and_then(Value::as_object_mut);
    let Some(first) = first else { return Err(Error::usage("--disks: an array of objects is expected")) };
    let Some(image) = image else { return Ok(()) };
    match first.get("image_uuid").and_then(Value::as_str) {
        Some(other) if other != image => {
            Err(Error::usage(format!("--image is {image}, and the first of --disks has the image {other}")))
        }
        _ => {
            first.insert("image_uuid".to_owned(), image.into());
            Ok(())
        }
    }
}

/// The size of a disk in MiB.
fn size(brand: &str, text: &str) -> Result<Value> {
    let wrong = |words: String| Error::usage(words).about("--disk");
    match text {
        "remaining" if brand == "bhyve" => Ok(text.into()),
        "remaining" => Err(wrong(format!("only a bhyve VM can take what remains of its package, not a {brand} VM"))),
        // Nobody means a disk of 10 MiB.
        _ if text.parse::<u64>().is_ok_and(|number| number < 1024) => {
            Err(wrong(format!("{text} of which unit?")).hint(format!("{text}G, or {text}M")))
        }
        _ => Ok(mebibytes(text).map_err(|error| error.about("--disk"))?.into()),
    }
}

/// The disks that a package says, as CloudAPI would make them: the image's, and one with the rest or of its own size.
async fn of_package(services: &dyn Services, args: &Args, brand: &str, image: &str) -> Result<Vec<Value>> {
    let boot = json!({ "image_uuid": image });
    let Some(id) = args.text("billing_id") else { return Ok(vec![boot]) };
    let package = asked(services, &PAPI, &papi::GET, ("adminpackage", id)).await?;
    let Some(package) = package.first() else { return Ok(vec![boot]) };
    let quota = package.text("/quota").and_then(|text| text.parse::<u64>().ok());
    if package.text("/flexible_disk").as_deref() != Some("true") || brand != "bhyve" {
        return Ok(std::iter::once(boot).chain(quota.map(|size| json!({ "size": size }))).collect());
    }
    let planned = package.text("/disks").and_then(|text| serde_json::from_str::<Vec<Map<String, Value>>>(&text).ok());
    if let Some(mut planned) = planned.filter(|planned| !planned.is_empty()) {
        planned[0].insert("image_uuid".to_owned(), image.into());
        return Ok(planned.into_iter().map(Value::Object).collect());
    }
    let manifest = asked(services, &IMGAPI, &imgapi::GET, ("adminimage", image)).await?;
    let taken = manifest.first().and_then(|row| row.text("/image_size")?.parse::<u64>().ok());
    let rest = quota.zip(taken).and_then(|(quota, taken)| quota.checked_sub(taken)).filter(|rest| *rest > 0);
    Ok(std::iter::once(boot).chain(rest.map(|size| json!({ "size": size }))).collect())
}

/// Adds the keys of the owner to the metadata.
async fn keys(services: &dyn Services, args: &mut Args) -> Result<()> {
    let owner = args.text("owner_uuid").unwrap_or_default().to_owned();
    let mut metadata: Map<String, Value> = match args.get("customer_metadata") {
        Some(Arg::Json(raw)) => serde_json::from_str(raw.get()).unwrap_or_default(),
        _ => Map::new(),
    };
    if metadata.contains_key(KEYS) {
        return Err(Error::usage(format!("--keys sets the metadata {KEYS}, which is given too")));
    }
    let account = asked(services, &MAHI, &mahi::GET, ("adminaccount", &owner)).await?;
    let lines = account.first().map(lines).transpose()?.unwrap_or_default();
    if lines.is_empty() {
        let error = Error::new(Kind::Refused, format!("account {owner} has no keys: nobody could log in"));
        let look = CommandLine::new("admin accounts get").on(owner);
        return Err(error.hint(Hint::run("the account", look)).hint("keys of your own: -m root_authorized_keys=@FILE"));
    }
    metadata.insert(KEYS.to_owned(), lines.into());
    args.push("customer_metadata", Arg::json(&Value::Object(metadata).to_string())?);
    Ok(())
}

/// The keys of an account, a line each as OpenSSH writes them. mahi has them in the form of OpenSSL, by fingerprint.
fn lines(account: Row<'_>) -> Result<String> {
    let keys: Map<String, Value> =
        account.text("/account/keys").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut lines = String::new();
    for (fingerprint, pem) in &keys {
        let about = |error: Error| error.about(&format!("the key {fingerprint} of the owner, as mahi has it"));
        let key = PublicKey::from_pem(pem.as_str().unwrap_or_default()).map_err(about)?;
        if key.md5() != *fingerprint {
            return Err(about(Error::other(format!("its fingerprint is {}", key.md5()))));
        }
        lines.push_str(&key.openssh_line());
        lines.push('\n');
    }
    Ok(lines)
}

async fn asked(
    services: &dyn Services,
    service: &'static Service,
    op: &'static Op,
    (param, id): (&str, &str),
) -> Result<Answer> {
    let client = services.client(service).await?;
    client.call(op, &Args::new().set(param, id)).await
}
