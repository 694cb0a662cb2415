//! Names worth keeping for a while: those of images, for the machines' table and for completion.

use std::collections::HashMap;
use std::time::Duration;

use super::app::App;
use crate::api::cloudapi::images;
use crate::client::Client;
use crate::config::cache::{Cache, TTL};
use crate::request::Args;

impl App {
    /// The cache of this account at this cloud.
    pub fn cache(&self) -> Cache {
        let host = self.config.host().unwrap_or_default();
        let account = self.config.target().unwrap_or_default();
        Cache::new(self.config.dirs.cache.as_deref(), account, &host)
    }
}

/// How long the names of images are waited for: a list without them is better than none.
const NAMES_TIMEOUT: Duration = Duration::from_secs(3);

/// `name@version` by image id, as far as the cache knows.
pub fn cached_images(app: &App) -> Option<HashMap<String, String>> {
    serde_json::from_slice(&app.cache().read("images", TTL)?).ok()
}

/// `name@version` by image id, from the service. A failure leaves it empty.
pub async fn images(app: &App, client: &Client) -> HashMap<String, String> {
    let args = Args::new().set("state", "all");
    let Ok(Ok(answer)) = tokio::time::timeout(NAMES_TIMEOUT, client.call(&images::LIST, &args)).await else {
        return HashMap::new();
    };
    let names: HashMap<String, String> = answer
        .rows()
        .filter_map(|row| {
            let name = format!("{}@{}", row.text("/name")?, row.text("/version")?);
            Some((row.text("/id")?.into_owned(), name))
        })
        .collect();
    app.cache().write("images", serde_json::json!(names).to_string().as_bytes());
    names
}
