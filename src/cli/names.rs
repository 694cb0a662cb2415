//! Names worth keeping for a while: those of images, for the machines' table and for completion.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use super::app::App;
use crate::answer::{Answer, Row};
use crate::api::cloudapi::images;
use crate::api::{self, Op, Show};
use crate::client::Client;
use crate::config::cache::{Cache, TTL};
use crate::error::{Error, Kind, Result};
use crate::render::{self, Chosen, Format, View};
use crate::request::Args;

impl App {
    /// The cache of this account at this cloud.
    pub fn cache(&self) -> Cache {
        let host = self.config.host().unwrap_or_default();
        let account = self.config.target().unwrap_or_default();
        Cache::new(self.config.dirs.cache.as_deref(), account, &host)
    }
}

/// How long people wait for the names of images: a table without them is better than none.
const NAMES_TIMEOUT: Duration = Duration::from_secs(3);
/// Their file in the cache.
const IMAGES: &str = "images";

/// `name@version` by image id; an empty one for an image that the service does not show.
pub type Images = HashMap<String, String>;
/// What the service told of them, or why it did not.
pub(super) type Asked = Result<Images>;

/// `name@version` by image id, as far as the cache knows.
pub fn cached_images(app: &App) -> Option<Images> {
    serde_json::from_slice(&app.cache().read(IMAGES, TTL)?).ok()
}

/// The column that shows images by their names, if there is one.
pub fn image_column(view: &View) -> Option<Chosen> {
    let mut columns = match view.columns.as_slice() {
        [] => render::defaults(view.format, view.long, view.known),
        chosen => chosen.to_vec(),
    };
    let people = is_for_people(view);
    let shows = |column: &Chosen| column.show == Show::ImageName && (people || column.made && !view.columns.is_empty());
    columns.iter().position(shows).map(|at| columns.swap_remove(at))
}

fn is_for_people(view: &View) -> bool {
    matches!(view.format, Format::Table | Format::Wide)
}

/// The image of a row.
fn image_of<'a>(row: Row<'a>, column: &Chosen) -> Option<Cow<'a, str>> {
    let steps: Vec<&str> = column.path.iter().map(String::as_str).collect();
    crate::answer::scan::unquote(crate::answer::scan::at(row.json(), &steps)?)
}

/// Whether all images of these rows have their names, as far as the service shows them.
pub fn are_known<'a>(images: &Images, column: &Chosen, mut rows: impl Iterator<Item = Row<'a>>) -> bool {
    rows.all(|row| image_of(row, column).is_none_or(|id| images.contains_key(&*id)))
}

impl App {
    /// The names of the images of an answer, if a column shows them. Where the cache lacks one, it is out of date.
    ///
    /// # Errors
    /// As [`App::fresh_images`].
    pub(super) async fn image_names(&self, client: &Client, view: &View, answer: &Answer) -> Result<Images> {
        let Some(column) = image_column(view) else { return Ok(Images::new()) };
        match cached_images(self).filter(|images| are_known(images, &column, answer.rows())) {
            Some(images) => Ok(images),
            None => self.fresh_images(client, view, &column, answer).await,
        }
    }

    /// The same, of the service.
    ///
    /// # Errors
    /// The service does not tell them. People are only told so: a table without them is better than none.
    pub(super) async fn fresh_images(
        &self,
        client: &Client,
        view: &View,
        column: &Chosen,
        answer: &Answer,
    ) -> Result<Images> {
        let asked = self.asked_images(client, view).await?;
        Ok(self.told(asked).map(|images| self.kept(images, column, answer)).unwrap_or_default())
    }

    /// What the service tells of images, for a view; or why people get a table without it.
    ///
    /// # Errors
    /// As [`App::fresh_images`].
    pub(super) async fn asked_images(&self, client: &Client, view: &View) -> Result<Asked> {
        let people = is_for_people(view);
        match images(client, people.then_some(NAMES_TIMEOUT)).await {
            Err(error) if !people => Err(error.about("the names of images")),
            asked => Ok(asked),
        }
    }

    /// The same once there is a table to be shown, with a warning where it lacks them.
    pub(super) fn told(&self, asked: Asked) -> Option<Images> {
        let warn = |error: &Error| self.warn(&format!("images are shown by their short ids: {}", error.message()));
        asked.inspect_err(warn).ok()
    }

    /// Puts them into the cache, with those that the service does not show, which are not asked for again.
    pub(super) fn kept(&self, mut images: Images, column: &Chosen, answer: &Answer) -> Images {
        for id in answer.rows().filter_map(|row| image_of(row, column)) {
            images.entry(id.into_owned()).or_default();
        }
        self.cache().write(IMAGES, serde_json::json!(images).to_string().as_bytes());
        images
    }

    /// Forgets the names of images after a change that may be one of theirs.
    pub(super) fn forget_names(&self, op: &Op) {
        if api::resource_of(op).is_some_and(|resource| std::ptr::eq(resource, &images::IMAGES)) {
            self.forget_images();
        }
    }

    /// Forgets the names of images.
    pub(super) fn forget_images(&self) {
        self.cache().remove(IMAGES);
    }
}

/// `name@version` by image id, from the service, within this time.
async fn images(client: &Client, limit: Option<Duration>) -> Result<Images> {
    let args = Args::new().set("state", "all");
    let asked = client.call(&images::LIST, &args);
    let answer = match limit {
        None => asked.await?,
        Some(limit) => tokio::time::timeout(limit, asked).await.unwrap_or_else(|_| {
            Err(Error::new(Kind::TimedOut, format!("the service did not tell their names in {limit:?}")))
        })?,
    };
    let named = |row: Row<'_>| {
        let name = format!("{}@{}", row.text("/name")?, row.text("/version")?);
        Some((row.text("/id")?.into_owned(), name))
    };
    Ok(answer.rows().filter_map(named).collect())
}
