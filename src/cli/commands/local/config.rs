//! `sdc config show` and `config edit`: every setting, where it came from, and the file of those that no profile has.

use std::path::Path;

use clap::{ArgMatches, Command};

use super::profile;
use crate::answer::Answer;
use crate::api::CLOUDAPI;
use crate::api::cloudapi::config;
use crate::api::{Column, Shape, column};
use crate::cli::app::App;
use crate::cli::args::build::Syntax;
use crate::cli::args::build::list_options;
use crate::cli::args::given;
use crate::cli::commands::{Custom, Settings, sections};
use crate::cli::editor::Text;
use crate::cli::execute;
use crate::cli::show::set_format;
use crate::config::Origin;
use crate::config::own::{self, Section};
use crate::config::paths::make_private_dir;
use crate::error::{CommandLine, Error, Hint, Result};
use crate::sensitive;

/// `sdc config show`.
pub(crate) static COMMAND: Custom = Custom {
    path: "config show",
    syntax: Syntax::Own(command),
    run: |app, matches| Box::pin(std::future::ready(run(app, matches))),
    calls: &[],
    examples: "config show\nconfig show -o name,value",
    previews: false,
    settings: Settings::Needed,
};

/// `sdc config edit`.
pub(crate) static EDIT: Custom = Custom {
    path: "config edit",
    syntax: Syntax::Own(edit_command),
    run: |app, _| Box::pin(edit(app)),
    calls: &[],
    examples: "config edit",
    previews: false,
    settings: Settings::UNNEEDED,
};

/// `sdc config set`: the operation itself, of which the program's own settings are none.
pub(crate) static SET: Custom = Custom {
    path: "config set",
    syntax: Syntax::Table,
    run: |app, matches| Box::pin(set(app, matches)),
    calls: &[("", &[&config::SET])],
    examples: "",
    previews: true,
    settings: Settings::Needed,
};

/// What the edited text is called in errors.
const EDITED: &str = "what was edited";

/// What a new file of settings begins with.
const TEMPLATE: &str = "Settings of sdc, beside the profiles. See: sdc help settings";

const COLUMNS: &[Column] = &[column("name").stays(), column("value").stays(), column("origin")];

pub fn command() -> Command {
    Command::new("show")
        .about("Show every setting of sdc and where it came from")
        .before_long_help(
            "An option wins over a named profile (-p, SDC_PROFILE), that over the environment (SDC_*, then \
             TRITON_*), and that over the current profile. What profiles have no field for is in a file of its own: \
             see `sdc help settings`.",
        )
        .args(list_options())
}

fn edit_command() -> Command {
    Command::new("edit").about("Edit the settings that profiles have no field for, in $VISUAL or $EDITOR").before_long_help(
        "They are in sdc.yaml, in the folder of the profiles. Where there is no such file yet, the editor shows every \
         setting in comments. A file that cannot be read as settings does not take the place of the one that can: on a \
         terminal it can be edited again, else it is kept beside it.",
    )
}

async fn set(app: &App, matches: &ArgMatches) -> Result<i32> {
    let words = given::read(&config::SET, matches)?.words;
    let name = |word: &str| word.split([':', '=']).next().unwrap_or_default().replace('_', "-");
    match words.iter().map(|word| name(word)).find(|name| own::KNOWN.iter().any(|known| known.name == name)) {
        Some(name) => Err(Error::usage(format!("{name} is a setting of this program, and not of the account"))
            .hint(Hint::run("to set it for all commands, a profile or a command", "config edit"))),
        None => execute::run(app, &config::SET, matches).await,
    }
}

async fn edit(app: &App) -> Result<i32> {
    let dir = profile::folder(app)?;
    let before = own::bytes(&dir)?;
    make_private_dir(&dir).map_err(|error| Error::other(format!("cannot make {}", dir.display())).because(error))?;
    let shown = before.clone().unwrap_or_else(|| own::template(TEMPLATE).into_bytes());
    let text = Text {
        what: "settings",
        folder: &dir,
        name: ("edit-sdc", ".yaml"),
        before: &shown,
        again: CommandLine::new("config edit"),
    };
    text.edit(app, |edited| {
        let settings = own::parsed(Path::new(EDITED), edited)?;
        for (value, origin) in settings.values("output") {
            set_format(value).map_err(|error| error.about(&origin.to_string()))?;
        }
        let faults = sections::faults(&settings, app.trees.plain);
        if let Some((line, words)) = faults.into_iter().chain(sections::unknown_columns(&settings)).next() {
            return Err(Error::usage(format!("{EDITED}:{line}: {words}")));
        }
        own::replace(&dir, before.as_deref(), edited)
    })
    .await?;
    Ok(0)
}

pub fn run(app: &App, matches: &ArgMatches) -> Result<i32> {
    let config = &app.config;
    let known = config.dirs.config.as_deref().map_or(Ok(Vec::new()), crate::config::profile::list)?;
    for (section, line) in config.own.sections() {
        if let (Section::Profile(name), Some(path)) = (section, config.own.path())
            && !known.contains(name)
        {
            app.warn(&format!("{}:{line}: there is no profile '{}'", path.display(), sensitive::shown(name)));
        }
    }
    let of_commands = config.of_commands.iter().map(|(command, name, setting)| {
        (
            format!("{name} ({})", sensitive::shown(command)),
            sensitive::shown(&setting.value).into_owned(),
            setting.origin.place(),
        )
    });
    let rows: Vec<serde_json::Value> = config
        .rows()
        .into_iter()
        .map(|(name, value, origin)| match name {
            // The client's own choice, of which the settings know nothing.
            "accept-version" if value.is_empty() => {
                (name, CLOUDAPI.versions.unwrap_or_default().to_owned(), Origin::Default.to_string())
            }
            _ => (name, value, origin),
        })
        .map(|(name, value, origin)| (name.to_owned(), value, origin))
        .chain(of_commands)
        .map(|(name, value, origin)| serde_json::json!({ "name": name, "value": value, "origin": origin }))
        .collect();
    app.print_rows(&rows, COLUMNS, matches)?;
    Ok(0)
}

impl App {
    /// Prints rows of our own making under the options that every list has.
    pub(crate) fn print_rows(
        &self,
        rows: &[serde_json::Value],
        known: &'static [Column],
        matches: &ArgMatches,
    ) -> Result<()> {
        let view = self.view(matches, known)?;
        let jq = self.program()?;
        let answer = Answer::from_rows(serde_json::Value::from(rows.to_vec()).to_string().as_bytes())?;
        self.show(&answer, Shape::Rows, &view, jq.as_ref())
    }
}
