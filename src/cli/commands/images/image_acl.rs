//! `sdc images share` and `unshare`: which accounts may use an image. The service takes only the whole list, so it is
//! read, changed and written back.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::answer::{Answer, scan};
use crate::api::Shape;
use crate::api::cloudapi::images;
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::change;
use crate::cli::commands::{Custom, Settings};
use crate::cli::preview;
use crate::cli::resume;
use crate::client::Client;
use crate::error::{CommandLine, Error, Kind, Result};
use crate::render::Format;
use crate::request::{Arg as Argument, Args};
use crate::tasks::resolve;

/// `sdc images share`.
pub(crate) static SHARE: Custom = Custom {
    path: "images share",
    syntax: Syntax::Own(share),
    run: |app, matches| Box::pin(run(app, matches, true)),
    calls: &[("", &[&images::GET, &images::UPDATE])],
    examples: "images share acme-web b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99",
    previews: true,
    settings: Settings::Needed,
};

/// `sdc images unshare`.
pub(crate) static UNSHARE: Custom = Custom {
    path: "images unshare",
    syntax: Syntax::Own(unshare),
    run: |app, matches| Box::pin(run(app, matches, false)),
    calls: &[("", &[&images::GET, &images::UPDATE])],
    examples: "images unshare acme-web b7c4e6d8-5b6e-4c7d-8e9f-0a1b2c3d4e99",
    previews: true,
    settings: Settings::Needed,
};

/// `sdc images share`.
pub fn share() -> Command {
    command("share", "Let other accounts use an image of yours").visible_alias("add-acl")
}

/// `sdc images unshare`.
pub fn unshare() -> Command {
    command("unshare", "Stop sharing an image with other accounts").visible_alias("remove-acl")
}

fn command(name: &'static str, about: &'static str) -> Command {
    Command::new(name)
        .about(about)
        .before_long_help(
            "An account is named by its UUID, which it sees with `sdc account get -o id`. The list is read and written \
             back, so two at once may undo each other. It is not an error if nothing is to be changed.",
        )
        .arg(image())
        .arg(
            Arg::new("accounts")
                .value_name("ACCOUNT")
                .required(true)
                .action(ArgAction::Append)
                .num_args(1..)
                .value_delimiter(',')
                .help("UUID of an account; several may be given"),
        )
        .args(list_options().into_iter().take(1))
}

/// The argument that names the image.
pub fn image() -> Arg {
    Arg::new("image").value_name("IMAGE").required(true).help(format!("Image: {}", images::IMAGE.called))
}

/// Does it and returns the exit code.
///
/// # Errors
/// There is no such image, or it is not one's own.
pub async fn run(app: &App, matches: &ArgMatches, share: bool) -> Result<i32> {
    let mut accounts: Vec<String> = Vec::new();
    for account in matches.get_many::<String>("accounts").into_iter().flatten() {
        if !resolve::is_uuid(account) {
            return Err(Error::usage(format!("'{account}' is not the UUID of an account"))
                .hint("an account sees its own with: sdc account get -o id"));
        }
        let account = account.to_ascii_lowercase();
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    let found = Found::new(app, matches, "acl").await?;
    let acl: Vec<String> = found.part("acl")?;
    if !acl.iter().all(|account| resolve::is_uuid(account)) {
        return Err(found.unread("acl"));
    }
    let before = acl.len();
    let shared = |account: &String| acl.iter().any(|known| known.eq_ignore_ascii_case(account));
    let (acl, idle): (Vec<String>, Vec<String>) = if share {
        let (idle, more): (Vec<_>, Vec<_>) = accounts.into_iter().partition(shared);
        (acl.into_iter().chain(more).collect(), idle)
    } else {
        let idle = accounts.iter().filter(|account| !shared(account)).cloned().collect();
        (acl.into_iter().filter(|account| !accounts.contains(&account.to_ascii_lowercase())).collect(), idle)
    };
    for account in &idle {
        let words = if share { "is shared with it already" } else { "is not shared with it" };
        app.say(&format!("account {account}: the image {words}"));
    }
    let changed = (acl.len() != before).then(|| json!(acl).to_string());
    found.update(app, matches, "acl", changed.as_deref()).await
}

/// An image that is to be changed, as it is now.
pub struct Found {
    client: Client,
    id: String,
    now: Answer,
}

impl Found {
    /// The one that was typed, of which this field is to be changed.
    ///
    /// # Errors
    /// There is none, or its list and its record differ; a format that is none, before anything is asked.
    pub async fn new(app: &App, matches: &ArgMatches, field: &str) -> Result<Found> {
        app.view(matches, images::IMAGES.columns)?;
        let typed = matches.get_one::<String>("image").map(String::as_str).unwrap_or_default();
        if typed.is_empty() {
            return Err(Error::usage("the name of the image is empty: is a variable unset?"));
        }
        let client = app.client()?;
        let found = resolve::own(&client, &images::IMAGE, &images::UPDATE, typed).await?;
        let now = client
            .call(&images::GET, &Args::new().set("image", &found.id))
            .await
            .map_err(|error| if error.fault().is_some() { error.about(&format!("image {typed}")) } else { error })?;
        found.check(&images::IMAGE, typed, &now, &[field])?;
        Ok(Found { client, id: found.id, now })
    }

    /// A field of it, which is left out where it is empty.
    ///
    /// # Errors
    /// It is something else: what was in it would be lost where it is written back.
    pub fn part<T: DeserializeOwned + Default>(&self, field: &str) -> Result<T> {
        let row = self.now.first().ok_or_else(|| self.unread(field))?;
        match scan::member(row.json(), field) {
            Some(json) => serde_json::from_str(json).map_err(|error| self.unread(field).because(error)),
            None => Ok(T::default()),
        }
    }

    /// The error for a field of it that cannot be read.
    pub fn unread(&self, field: &str) -> Error {
        Error::new(Kind::Unreachable, format!("image {} shows no {field} that can be read", self.id))
    }

    /// Changes one field of it, or shows the request that would; what there is to show otherwise is the image.
    ///
    /// # Errors
    /// The service refuses.
    pub async fn update(self, app: &App, matches: &ArgMatches, field: &str, value: Option<&str>) -> Result<i32> {
        let request = match value {
            Some(value) => {
                let mut args = Args::new().set("image", &self.id);
                args.push(field, Argument::json(value)?);
                Some(self.client.request(&images::UPDATE, &args)?)
            }
            None => None,
        };
        if app.globals.dry_run || app.globals.curl {
            let requests: Vec<_> = request.into_iter().collect();
            return preview::requests(app, &self.client, &requests).await.map(|()| 0);
        }
        // What cannot be shown is refused before anything is sent.
        let view = app.view(matches, images::IMAGES.columns)?;
        let jq = app.program()?;
        let what = format!("update image {}", self.id);
        let look = CommandLine::new("images get").on(&self.id);
        let (answer, interrupted) = match &request {
            Some(request) => {
                let update = async |client: &Client| client.answered(&images::UPDATE, request).await;
                let ((_, answer), interrupted) = resume::sent(app, &self.client, &what, &look, update).await?;
                (answer, interrupted)
            }
            None => {
                app.say("nothing was sent");
                (self.now, None)
            }
        };
        let shown = match (answer, view.format) {
            _ if app.hides_changes(&view) => Ok(()),
            (Answer::Record(image), Format::Table | Format::Wide) if jq.is_none() => {
                app.show(&Answer::Rows(vec![image]), Shape::Rows, &view, None)
            }
            (answer, _) => app.show(&answer, Shape::Record, &view, jq.as_ref()),
        };
        shown.map_err(|error| if request.is_some() { change::carried_out(error, &what) } else { error })?;
        interrupted.map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        share().debug_assert();
        unshare().debug_assert();
    }
}
