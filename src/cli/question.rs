//! The question before something is destroyed or cut off: on which cloud and account, and what each target is. Nothing
//! here changes anything.

use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::terminal::prompt;
use crate::api::{Goal, Op};
use crate::client::Client;
use crate::error::{CommandLine, Error, Result};
use crate::render::{self, cut, visible};
use crate::tasks::about::{self, About, complete, labelled};
use crate::tasks::call::{Call, deed, verb};
use crate::tasks::lockout;
use crate::tasks::targets::Targets;
use crate::tasks::words::{plural, word};

/// So many targets have a line each.
const MAX_SHOWN: usize = 20;
/// So many are named before a question.
const MAX_NAMED: usize = 300;
/// So many that are protected are named.
const MAX_PROTECTED: usize = 8;
/// No cell of the question is wider.
const MAX_CELL: usize = 100;
/// No name of a target is longer, with its id and what it belongs to.
const MAX_LEN: usize = 300;

/// What is known of a target, with a comma before each.
fn words(about: &About, now: i64) -> String {
    let age = age(about, now);
    let words = [&about.state, &age].into_iter().chain(&about.of).chain([&about.tags]);
    words.filter(|words| !words.is_empty()).map(|words| format!(", {}", cut(&visible(words), MAX_CELL))).collect()
}

fn age(about: &About, now: i64) -> String {
    let age = about.made.as_ref().and_then(|made| render::age(made, now));
    age.map(|age| format!("{age} old")).unwrap_or_default()
}

/// What is to be asked.
#[derive(Default)]
pub struct Asking {
    /// What was hardly meant so.
    pub doubt: Option<Error>,
    /// It must be confirmed, and fails where nobody can be asked.
    pub must: bool,
    /// It was confirmed already, by `--yes`.
    pub yes: bool,
    /// Something of what it replaces is lost, which was said: on a terminal it is asked about.
    pub loses: bool,
}

/// Says which targets are meant, and asks where that is due.
///
/// # Errors
/// A usage error where nobody can be asked; another one when the answer is not yes.
pub async fn settle(app: &App, client: &Client, op: &'static Op, targets: &mut Targets, asking: Asking) -> Result<()> {
    let terminal = app.streams.stdin_tty && app.streams.stderr_tty;
    let doubt = match asking.doubt.filter(|_| !asking.yes) {
        Some(doubt) if !terminal => return Err(doubt.hint("if it is meant so: --yes")),
        doubt => doubt,
    };
    let several = op.asks_many && targets.calls.len() > 1 && terminal;
    let mut lost =
        if asking.yes { Vec::new() } else { lockout::lost(&app.identity(), client, op, &targets.calls).await };
    // Without asking the service, too, whoever deletes the key that signs is told.
    if asking.yes && lockout::deletes_own_key(client, op, &targets.calls) {
        app.warn("this is the key that signs: nothing can be done with it any longer");
    }
    let loses = asking.must || several || asking.loses && terminal;
    let due = !asking.yes && (loses || doubt.is_some() || !lost.is_empty()) && !targets.calls.is_empty();
    let gone = about::going_back(client, op, &targets.calls).await;
    match due && terminal {
        true => lost.extend(gone),
        false => gone.iter().for_each(|words| app.warn(words)),
    }
    if due && terminal || targets.from_stdin || about::is_any_shortened(targets) {
        complete(client, targets).await;
    }
    about::name(targets);
    if !due || !terminal {
        told(app, op, targets);
    }
    if !due {
        return Ok(());
    }
    let name = |call| cut(&visible(&labelled(call, targets.about(call))), MAX_LEN).into_owned();
    let names: Vec<String> = targets.calls.iter().map(name).collect();
    if terminal {
        app.streams.say(&heading(app, client, op, targets));
        rows(app, targets, &names).iter().for_each(|row| app.streams.say(row));
        doubt.iter().for_each(|doubt| app.report(doubt));
        lost.iter().for_each(|words| app.streams.say(&format!("warning: {}", visible(words))));
        refused(app, op, targets);
    }
    prompt::confirm_shown(&app.streams, (verb(op), &deed(op)), &names, &lost)
}

/// Says which targets a request that is only shown is for, as they would be shown before it is sent.
pub async fn planned(app: &App, client: &Client, op: &'static Op, targets: &mut Targets) {
    if targets.from_stdin || about::is_any_shortened(targets) {
        complete(client, targets).await;
    }
    about::name(targets);
    told(app, op, targets);
    about::going_back(client, op, &targets.calls).await.iter().for_each(|words| app.warn(words));
}

/// Says which targets were picked, a line each; of many at a terminal, their names.
pub fn told(app: &App, op: &Op, targets: &Targets) {
    if !targets.picked || targets.calls.is_empty() {
        return;
    }
    refused(app, op, targets);
    let would = if app.globals.dry_run || app.globals.curl { "would " } else { "" };
    app.say(&format!("{would}{} {}:", verb(op), count(&targets.calls)));
    if targets.calls.len() > MAX_SHOWN && app.streams.stderr_tty {
        named(app, targets).iter().for_each(|row| app.say(row));
        return;
    }
    let now = app.console.now();
    for call in &targets.calls {
        let about = targets.about(call);
        let words = about.map(|about| words(about, now)).unwrap_or_default();
        app.say(&format!("  {}{words}", cut(&visible(&labelled(call, about)), MAX_LEN)));
    }
}

/// Says which of those that are to be deleted the service refuses to delete.
fn refused(app: &App, op: &Op, targets: &Targets) {
    if !matches!(op.goal, Some((Goal::Gone, _))) {
        return;
    }
    let known = targets.calls.iter().filter_map(|call| targets.about(call).zip(call.id()));
    let these = known.filter(|(about, _)| about.protected).map(|(about, id)| (&*about.name, id));
    tell_protected(app, "protected, so that the service refuses", these);
}

/// Warns of machines that are protected, by their names and ids, with the command that ends that.
pub fn tell_protected<'t>(app: &App, words: &str, these: impl Iterator<Item = (&'t str, &'t str)>) {
    let these: Vec<(&str, &str)> = these.collect();
    if these.is_empty() {
        return;
    }
    let named = these.iter().take(MAX_PROTECTED).map(|(name, id)| format!("{} ({id})", visible(name)));
    let mut names = named.collect::<Vec<_>>().join(", ");
    if these.len() > MAX_PROTECTED {
        names.push_str(&format!(" and {} more", these.len() - MAX_PROTECTED));
    }
    let ids = these.iter().take(MAX_PROTECTED).map(|(_, id)| id);
    let lift = CommandLine::new("machines deletion-protection disable").on_all(ids);
    app.warn(&format!("{words}: {names}; to lift it: sdc {lift}"));
}

/// Where it is to be done, and to how many.
fn heading(app: &App, client: &Client, op: &Op, targets: &Targets) -> String {
    let place = if client.service().is_inner() { inner_place(client) } else { place(app) };
    format!("{} {} of {}:", verb(op), count(&targets.calls), visible(&place))
}

/// The data center whose internal service is asked.
fn inner_place(client: &Client) -> String {
    format!("all accounts, at {} ({})", client.address(), client.service().name)
}

/// The account, the profile if one is in use, and the URL, which holds neither name nor password.
pub fn place(app: &App) -> String {
    let config = &app.config;
    let acting = config.act_as.as_ref().map(|_| format!(", acted on by {}", config.account().unwrap_or_default()));
    let user = config.user.as_ref().map(|user| format!(", as sub-user {}", user.value));
    let profile = config.profile.as_ref().filter(|profile| profile.value != crate::config::profile::ENV);
    let profile = profile.map(|profile| format!(", profile {}", profile.value));
    let more: String = [acting, user, profile].into_iter().flatten().collect();
    format!("account {}{more}, at {}", config.target().unwrap_or_default(), config.url().unwrap_or_default())
}

/// The targets in columns, as many as there is room for.
fn rows(app: &App, targets: &Targets, names: &[String]) -> Vec<String> {
    if names.len() > MAX_SHOWN {
        return named(app, targets);
    }
    let cell = |text: &str| cut(&visible(text), MAX_CELL).into_owned();
    let now = app.console.now();
    let cells = |(call, name): (&Call, &String)| {
        let about = targets.about(call).cloned().unwrap_or_default();
        let of: Vec<String> = about.of.iter().map(|words| cell(words)).collect();
        ([cell(name), cell(&about.state), age(&about, now), visible(&about.tags).into_owned()], of)
    };
    let cells: Vec<([String; 4], Vec<String>)> = targets.calls.iter().zip(names).map(cells).collect();
    let width = |at: usize| cells.iter().map(|(row, _)| row[at].width()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2)];
    let (terminal, _) = app.streams.size();
    cells
        .iter()
        .flat_map(|(row, of)| {
            let mut line = String::from(" ");
            for (text, width) in row.iter().zip(widths).filter(|(_, width)| *width > 0) {
                line.push(' ');
                line.push_str(text);
                line.push_str(&" ".repeat(width - text.width() + 1));
            }
            let room = terminal.saturating_sub(line.width() + 1).max(20);
            let last = format!("{line} {}", cut(&row[3], room)).trim_end().to_owned();
            // Whose it is and where is never cut: what has no room beside the rest stands below it.
            let whole = of.join(", ");
            let below = if whole.width() + 6 <= terminal { vec![whole] } else { of.clone() };
            std::iter::once(last)
                .chain(below.into_iter().filter(|words| !words.is_empty()).map(|words| format!("      {words}")))
        })
        .collect()
}

/// The names of many targets in columns, as far as anybody reads them.
fn named(app: &App, targets: &Targets) -> Vec<String> {
    let name = |call: &Call| {
        let known = targets.about(call).map(|about| about.name.as_str()).filter(|name| !name.is_empty());
        let typed = call.target.as_ref().map_or("", |(_, name)| name.as_str());
        let of: String = call.parents.iter().rev().map(|(_, name)| format!(" of {name}")).collect();
        cut(&visible(&format!("{}{of}", known.unwrap_or(typed))), MAX_CELL).into_owned()
    };
    let names: Vec<String> = targets.calls.iter().take(MAX_NAMED).map(name).collect();
    let mut rows = render::in_columns(&names, app.streams.size().0);
    if targets.calls.len() > MAX_NAMED {
        rows.push(format!("  … and {} more", targets.calls.len() - MAX_NAMED));
    }
    rows
}

/// `3 machines`.
fn count(calls: &[Call]) -> String {
    let word = calls.first().and_then(|call| call.target.as_ref()).map_or("target", |(param, _)| word(param));
    if calls.len() == 1 { format!("1 {word}") } else { format!("{} {}", calls.len(), plural(word)) }
}
