//! The names of things: from the cache, or from the service that the line is about.

use serde::{Deserialize, Serialize};

use super::line::Line;
use crate::answer::scan;
use crate::api::{self, Ids, Noun, Pick, Shape};
use crate::auth::no_passphrase;
use crate::config::cache::{Cache, TTL};
use crate::config::{Config, Sources};
use crate::connect;
use crate::request::{Arg, Args};
use crate::tasks::resolve;

/// What can be typed for a thing.
#[derive(Default, Deserialize, Serialize)]
pub struct Names {
    names: Vec<String>,
    /// `name@version`, where there are several of a name.
    versions: Vec<String>,
    /// `tag=value`, where they can be picked by their tags.
    #[serde(default)]
    tags: Vec<String>,
}

/// So many tags are kept, and so long.
const MAX_TAGS: usize = 500;
const MAX_TAG_LEN: usize = 80;

impl Names {
    /// The names of tags that begin so; once the name is there, with their values.
    pub fn tags(self, typed: &str) -> Vec<String> {
        let whole = typed.contains('=');
        let name = |tag: String| match (whole, tag.split_once('=')) {
            (false, Some((name, _))) => name.to_owned(),
            _ => tag,
        };
        let mut tags: Vec<String> = self.tags.into_iter().map(name).filter(|tag| tag.starts_with(typed)).collect();
        tags.dedup();
        tags
    }

    /// Those that begin so. Versions are offered once the name is there.
    pub fn fitting(self, typed: &str) -> Vec<String> {
        let versions = if typed.contains('@') { self.versions } else { Vec::new() };
        self.names.into_iter().chain(versions).filter(|name| name.starts_with(typed)).collect()
    }
}

/// The names of the things of a noun, in the account and at the cloud that the line names.
pub fn of(noun: &'static Noun, line: &Line) -> Option<Names> {
    let list = noun.list;
    // Whoever completes a line does not mean to look for a data center's services.
    if api::service_of(list).is_inner() {
        return None;
    }
    let place = if list.path_params().next().is_none() { Args::new() } else { line.place(list)? };
    let config = Config::load(&line.flags()?, &Sources::new(line.env.clone())).ok()?;
    // What is typed on the terminal belongs to the shell.
    if config.key_file.as_ref().is_some_and(|file| file.value.as_os_str() == "-") {
        return None;
    }
    let cache = Cache::new(config.dirs.cache.as_deref(), config.target().ok()?, &config.host()?);
    let parents = list.path_params().filter_map(|param| place.text(param));
    let slot = parents.fold(format!("names-{}", noun.name), |slot, parent| format!("{slot}/{parent}"));
    if let Some(names) = cache.read(&slot, TTL).and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Some(names);
    }
    let found = connect::key(&config, &mut no_passphrase).ok()?;
    let signer = connect::signer(&config, Default::default(), found).ok()?;
    let client = connect::builder(&config).ok()?.signer(signer).build().ok()?;
    let runtime = crate::cli::runtime::runtime().ok()?;
    let answer = runtime.block_on(async {
        let mut place = place;
        resolve::path(&client, list, &mut place).await?;
        // What has failed is asked about, and removed.
        if let Some((name, value)) = noun.whole() {
            place.push(name, Arg::Text(value.to_owned()));
        }
        client.call(list, &place).await
    });
    let answer = answer.ok()?;
    let mut names = Names::default();
    if list.shape == Shape::Map {
        let map = answer.value().as_object().cloned()?;
        names.names = map.into_iter().map(|(name, _)| name).collect();
    } else {
        for row in answer.rows().filter(|row| resolve::is_there(*row)) {
            let text = |field: &str| row.text(&format!("/{field}"));
            let name = text(noun.name_field).filter(|name| !name.is_empty());
            let version = noun.version_field.and_then(text);
            names.versions.extend(name.as_ref().zip(version).map(|(name, version)| format!("{name}@{version}")));
            names.names.extend(name.map(Into::into));
            if names.tags.len() < MAX_TAGS && noun.picks.contains(&Pick::Tags) {
                let members = scan::member(row.json(), "tags").and_then(scan::members).into_iter().flatten();
                let text = |json| scan::unquote(json).unwrap_or(json.into());
                let tags = members.map(|(name, value)| format!("{}={}", text(name), text(value)));
                names.tags.extend(tags.filter(|tag| tag.len() <= MAX_TAG_LEN));
            }
            // An address that people read is as good as a name.
            names.names.extend(text(noun.key).filter(|_| noun.ids == Ids::Mac).map(Into::into));
        }
    }
    for list in [&mut names.names, &mut names.versions, &mut names.tags] {
        list.sort_unstable();
        list.dedup();
    }
    if let Ok(json) = serde_json::to_vec(&names) {
        cache.write(&slot, &json);
    }
    Some(names)
}
