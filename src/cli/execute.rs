//! Runs one operation of the table: resolve, confirm, send, wait, show. No operation is known by name here.

use std::future::Future;
use std::pin::Pin;

use clap::ArgMatches;
use futures_util::StreamExt;

use super::app::App;
use super::args::given;
use super::args::targets::{self as chosen, Words};
use super::args::waiting::Waiting;
use super::change::{self, Batch, Following};
use super::listed;
use super::names;
use super::preview;
use super::question;
use super::question::Asking;
use super::resume::Typed;
use super::several::{self, Showing};
use super::sources;
use super::terminal::prompt;
use crate::answer::Answer;
use crate::api::{self, Field, Kind, Method, Op, Shape};
use crate::client::{Client, first_page};
use crate::config::Origin;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::render::{self, View};
use crate::request::{Arg, Args};
use crate::tasks::call::{Call, described};
use crate::tasks::change::{Change, name};
use crate::tasks::create::{self, CreateOptions};
use crate::tasks::listing::Listing;
use crate::tasks::row_filter::{Reading, RowFilter};
use crate::tasks::targets::{Asked, Targets};
use crate::tasks::values::Given;
use crate::tasks::{
    about, meant, nothing_set, rename, replacing, resolve, role_tags, secrets, targets, values, vm_notes, words,
};

/// Runs it and returns the exit code.
///
/// # Errors
/// Whatever went wrong with its one target; failures of several targets are reported here.
pub async fn run(app: &App, op: &'static Op, matches: &ArgMatches) -> Result<i32> {
    run_with(app, op, matches, How::default()).await
}

/// The same for what is made in a way of its own.
///
/// # Errors
/// As [`run`].
pub async fn run_making(app: &App, op: &'static Op, matches: &ArgMatches, making: &CreateOptions) -> Result<i32> {
    run_with(app, op, matches, How { making: Some(making), ..How::default() }).await
}

/// Completes what is sent for a command that takes more than the fields of its operation.
pub trait Completion {
    /// Completes the arguments, in which names are ids by now.
    fn complete<'a>(&'a self, args: &'a mut Args) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

    /// The fields that it has read and changed: what goes of them was asked for.
    fn reads(&self) -> &[&'static str] {
        &[]
    }
}

/// The same for what is completed first.
///
/// # Errors
/// As [`run`]; those of completing it.
pub async fn run_completed(
    app: &App,
    op: &'static Op,
    matches: &ArgMatches,
    completion: &dyn Completion,
) -> Result<i32> {
    run_with(app, op, matches, How { completion: Some(completion), ..How::default() }).await
}

/// The same for what is followed after its answer.
///
/// # Errors
/// As [`run`]; those of following it.
pub async fn run_followed(app: &App, op: &'static Op, matches: &ArgMatches, following: &dyn Following) -> Result<i32> {
    run_with(app, op, matches, How { following: Some(following), ..How::default() }).await
}

/// What else is done for a command than its operation says.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    making: Option<&'a CreateOptions>,
    completion: Option<&'a dyn Completion>,
    following: Option<&'a dyn Following>,
}

/// Refuses to make more than are allowed.
fn no_more(op: &Op, making: &CreateOptions, asked: &Asked, others: &[Args]) -> Result<()> {
    let mut count = making.calls(asked.call(""))?.0.len();
    for args in others {
        count += making.calls(Call::new(args.clone()))?.0.len();
    }
    asked.filter.allows(count, op.goal.map_or("target", |(_, noun)| noun.word))
}

/// What is to be asked before the targets are changed.
fn asking(op: &Op, matches: &ArgMatches, targets: &Targets, first: &Args) -> Asking {
    let picked = targets.picked.then_some(targets.calls.len());
    let loses = |call: &Call| op.fields.iter().any(|field| field.asks && call.args.get(field.name).is_some());
    let doubt = meant::filters_set(api::service_of(op), op, first, picked).filter(|_| given::sets_pairs(op));
    let must = op.asks || targets.calls.iter().any(loses);
    // What must be forced is not asked about once more, unless somebody has picked several.
    let forced = |field: &Field| field.required && field.name == "force" && has(matches, "force");
    let yes = has(matches, "yes") || !targets.picked && op.fields.iter().any(forced);
    Asking { must, yes, doubt, loses: false }
}

async fn run_with(app: &App, op: &'static Op, matches: &ArgMatches, how: How<'_>) -> Result<i32> {
    let making = how.making;
    let columns = api::columns(op);
    let view = app.view(matches, columns)?;
    let jq = app.program()?;
    let waiting = Waiting::read(op, matches, &app.config.defaults)?;
    let mut given = given::read(op, matches)?;
    let (mut args, mut sieve) = filters(app, op, matches, &mut given)?;
    sieve.count(op, &mut args, !view.sort.is_empty())?;
    let mut documents = sources::merged(app, op, matches, args)?;
    for args in &mut documents {
        create::settle_expiry(args, app.console.now())?;
        ask_for_secrets(app, op, args)?;
        making.map(|making| making.mark(args)).transpose()?;
        if !(app.globals.dry_run || app.globals.curl) {
            name(op, args);
        }
    }
    with_ids(app, op, &mut documents, how.completion).await?;
    let mut doubts = app.console.take_doubts();
    doubts.extend(documents.iter().flat_map(|args| values::doubts(op, args)));
    let others = documents.split_off(1.min(documents.len()));
    let asked = asked_for(app, op, documents.pop().unwrap_or_default(), matches, &mut sieve).await?;
    let (op, emptied) = match rest_of_nothing(app, op, &asked.args) {
        Some(left) => (left, !std::ptr::eq(op, left)),
        None => return Ok(0),
    };
    something_to_change(op, &asked.args)?;
    let exposed = secrets::exposed(&given, &app.console);
    exposed.iter().chain(&doubts).for_each(|doubt| app.warn(doubt));
    let service = api::service_of(op);
    let asks = others.iter().any(|args| resolve::is_needed(service, op, args));
    // What is on standard input is shown by its names.
    let asks = asks || emptied || asked.asks_the_service(service, op) || sieve.asks_the_service() || asked.from_stdin;
    let asks = asks || making.is_some_and(CreateOptions::makes_once);
    // Where nothing is asked of the service, no key is needed.
    let client = app.client_of(op, !op.signed || app.globals.dry_run && !asks).await?;
    no_roles(app, op, client.roles())?;
    // What the names stand for is known before anything is asked.
    making.map_or(Ok(()), |making| no_more(op, making, &asked, &others))?;
    let (parallel, ignore_missing) = (app.parallel(&asked.filter), asked.filter.ignore_missing);
    let (typed, first) = (asked.typed.clone(), asked.args.clone());
    let mut targets = targets::resolve(app, &client, op, asked).await?;
    for call in targets.calls.iter_mut().filter(|_| service.is_inner()) {
        resolve::elsewhere(app, op, &mut call.args).await?;
    }
    all_or_nothing(app, op, &mut targets)?;
    let op = if emptied { one_by_one(app, &client, op, &mut targets).await } else { op };
    if op.renames && (targets.several || renames_by_pattern(&targets.calls)) {
        rename_each(&client, &mut targets, &typed).await?;
    }
    if let Some(making) = making {
        make_each(&client, op, making, (&first, others), &mut targets).await?;
    }
    if app.globals.dry_run || app.globals.curl {
        return Box::pin(only_shown(app, &client, op, (targets, making), &sieve)).await;
    }
    targets.failures.iter().for_each(|error| app.report(error));
    if op.method != Method::Get {
        let asking = asking(op, matches, &targets, &first);
        let change =
            Change { op, wait: waiting.wait, state: waiting.state, ignore_missing, making, still: None, replaced: &[] };
        let batch = Batch { change, parallel, typed: Typed { op, matches }, following: how.following };
        let kept = how.completion.map_or(&[][..], |completion| completion.reads());
        return changed(app, &client, (targets, kept), batch, asking, (view, jq.as_ref())).await;
    }
    if targets.several {
        sieve.settle(&client, &Args::new()).await?;
        let count = has(matches, "count");
        let showing = Showing { op, filter: &sieve, parallel, view, jq: jq.as_ref(), count };
        return several::run(app, &client, targets, showing).await;
    }
    for call in targets.calls {
        match op.shape {
            Shape::Rows => {
                sieve.settle(&client, &call.args).await?;
                let (filter, sorted) = (&sieve, !view.sort.is_empty());
                let listing = Listing::new(&client, op, &call, filter, sorted, app);
                return match matches.get_flag("count") {
                    true => listed::count(app, &listing).await,
                    false => listed::list(app, &listing, view.clone(), jq.as_ref()).await,
                };
            }
            _ => record(app, &client, op, call, view.clone(), jq.as_ref()).await?,
        }
    }
    Ok(0)
}

/// Changes the targets once that is agreed to, and looks whether what is replaced is as it was asked to be.
async fn changed(
    app: &App,
    client: &Client,
    (mut targets, kept): (Targets, &[&str]),
    mut batch: Batch<'_>,
    mut asking: Asking,
    (view, jq): (View, Option<&render::Program>),
) -> Result<i32> {
    let op = batch.change.op;
    let (replaced, loses) = replaced(app, client, op, &mut targets, kept).await?;
    asking.loses = loses;
    if let Some(words) = role_tags::unknown(client, &targets.calls).await {
        app.warn(&words);
    }
    question::settle(app, client, op, &mut targets, asking).await?;
    vm_notes::before(app, client, app, op, &targets).await?;
    batch.change.replaced = &replaced;
    let ended = change::run(app, client, batch, targets, view, jq).await;
    app.forget_names(op);
    ended
}

/// What is asked for, with ids in the place of what other internal services know by names.
async fn asked_for(
    app: &App,
    op: &'static Op,
    args: Args,
    matches: &ArgMatches,
    sieve: &mut RowFilter,
) -> Result<Asked> {
    let mut asked = chosen::read(&app.console, op, args, matches)?;
    if api::service_of(op).is_inner() {
        asked.elsewhere(app, op).await?;
        sieve.settle_elsewhere(app, api::service_of(op), &asked.args).await?;
    }
    one_of_these(op, &asked.args)?;
    // Of a list it is the rows.
    asked.filter.keep = asked.filter.keep.filter(|_| op.method != Method::Get);
    Ok(asked)
}

/// Refuses what needs one of several fields and has none, where a file might have had it.
fn one_of_these(op: &Op, args: &Args) -> Result<()> {
    if !op.assigns || op.one_of.is_empty() || op.one_of.iter().any(|name| args.get(name).is_some()) {
        return Ok(());
    }
    let fields = op.fields.iter().filter(|field| op.one_of.contains(&field.name));
    let options: Vec<String> = fields.map(|field| format!("--{}", field.long_name())).collect();
    let fields = op.one_of.join(" or ");
    Err(Error::usage(format!("{} is needed", options.join(" or "))).hint(format!("in a file: {fields}")))
}

/// Puts ids in the place of what other internal services know by names, and completes what is sent.
async fn with_ids(
    app: &App,
    op: &'static Op,
    documents: &mut [Args],
    completion: Option<&dyn Completion>,
) -> Result<()> {
    for args in documents {
        if api::service_of(op).is_inner() {
            resolve::elsewhere(app, op, args).await?;
        }
        if let Some(completion) = completion {
            completion.complete(args).await?;
        }
    }
    Ok(())
}

/// What the targets are before lists of them are replaced, with what is lost by it said; and whether anything is. Of
/// the fields that the command has read and changed itself, that was asked for.
async fn replaced(
    app: &App,
    client: &Client,
    op: &'static Op,
    targets: &mut Targets,
    kept: &[&str],
) -> Result<(Vec<(Call, replacing::Before)>, bool)> {
    tell_vanishing(app, client, op, targets).await;
    let (mut all, mut loses) = (Vec::new(), false);
    for call in &mut targets.calls {
        let before = match replacing::look(client, op, call).await {
            // Who may change it need not be allowed to read it.
            Err(error) if error.kind() == ErrorKind::Auth && !client.service().is_inner() => {
                app.warn(&format!("what {} loses by it is not known: {error}", described(call)));
                None
            }
            before => before?,
        };
        if let Some(before) = before {
            let mut lost = before.lost(op, call);
            lost.retain(|words| kept.iter().all(|field| words.split(':').next() != Some(*field)));
            lost.iter().for_each(|lost| app.warn(&format!("{} loses {lost}", described(call))));
            loses |= !lost.is_empty();
            all.push((call.clone(), before));
        }
    }
    Ok((all, loses))
}

/// Tells which names go where all of a map is replaced or deleted.
async fn tell_vanishing(app: &App, client: &Client, op: &'static Op, targets: &Targets) {
    let gone = targets.calls.iter().map(|call| replacing::vanish(client, op, call));
    let gone: Vec<Vec<String>> = futures_util::stream::iter(gone).buffered(targets::PARALLEL).collect().await;
    for (call, gone) in targets.calls.iter().zip(gone) {
        gone.iter().for_each(|gone| app.warn(&format!("{} loses {gone}", described(call))));
    }
}

/// Tells what is to be told of files, and returns what is to be done with them: nothing, if nothing is left of them that
/// could be set, and if it was to replace all there is, to remove that. A copy of what the service sets itself, or of
/// nothing, is no mistake, and yet it is told to scripts too.
fn rest_of_nothing(app: &App, op: &'static Op, args: &Args) -> Option<&'static Op> {
    let notes = app.console.take_notes();
    let replaces = op.method == Method::Put;
    if notes.is_empty() || number_given(op, args) > 0 || replaces && !given::sets_pairs(op) {
        notes.iter().for_each(|note| app.say(&format!("note: {note}")));
        return Some(op);
    }
    let removes = |other: &&Op| other.method == Method::Delete && other.path == op.path;
    let all_of_it = api::ops().find(removes).filter(|_| replaces);
    match all_of_it {
        Some(_) => notes.iter().for_each(|note| app.say(&format!("note: {note}: all are to be removed"))),
        None => notes.iter().for_each(|note| app.warn(&format!("{note}: nothing was sent"))),
    }
    all_of_it
}

/// Puts what may go in the place of all, one by one, where a target has what stays: the service refuses to remove all of
/// that, and what is replaced by nothing keeps what would stay anyway.
async fn one_by_one(app: &App, client: &Client, op: &'static Op, targets: &mut Targets) -> &'static Op {
    let Some((each, calls)) = replacing::one_by_one(client, op, &targets.calls).await else { return op };
    tell_vanishing(app, client, op, targets).await;
    if calls.is_empty() && targets.failures.is_empty() {
        app.warn("nothing is there that could be removed: nothing was sent");
    }
    targets.several |= calls.len() > 1;
    targets.calls = calls;
    each
}

/// Shows the requests instead of sending them.
async fn only_shown(
    app: &App,
    client: &Client,
    op: &'static Op,
    (mut targets, making): (Targets, Option<&CreateOptions>),
    sieve: &RowFilter,
) -> Result<i32> {
    question::planned(app, client, op, &mut targets).await;
    if let Some(making) = making.filter(|_| app.globals.dry_run) {
        without_those_there(app, client, making, &mut targets).await?;
    }
    if let Some(error) = std::mem::take(&mut targets.failures).into_iter().next() {
        return Err(error);
    }
    sieve.tell_unasked(app);
    tell_vanishing(app, client, op, &targets).await;
    let several = targets.several;
    let requests = targets.calls.into_iter().map(|call| client.request(op, &first_page(op, call.args)));
    preview::requests_of(app, client, &requests.collect::<Result<Vec<_>>>()?, several).await?;
    Ok(0)
}

/// Refuses a change of nothing.
fn something_to_change(op: &Op, args: &Args) -> Result<()> {
    if number_given(op, args) > 0 {
        return Ok(());
    }
    if !op.assigns {
        // `{}` is no way to remove all.
        return match given::sets_pairs(op) {
            true => Err(nothing_set(op, "nothing to set was given: NAME=VALUE, or --from FILE")),
            false => Ok(()),
        };
    }
    let known = op.fields.iter().filter(|field| !field.name.is_empty());
    let known: Vec<_> = known.map(|field| format!("--{}", field.long_name())).collect();
    let or = if known.is_empty() { "" } else { ", or " };
    Err(Error::usage("nothing to change was given").hint(format!("NAME=VALUE, --from FILE{or}{}", known.join(", "))))
}

/// Refuses all where a target of what is renamed or made is not there: a word too many was hardly meant as a machine.
fn all_or_nothing(app: &App, op: &Op, targets: &mut Targets) -> Result<()> {
    if !op.renames && op.makes.is_none() {
        return Ok(());
    }
    let Some(error) = targets.failures.pop() else { return Ok(()) };
    targets.failures.iter().for_each(|error| app.report(error));
    let error = error.hint("nothing was sent for the others");
    Err(if op.makes.is_some() { error.hint("the name of what is made: --name NAME") } else { error })
}

/// Whether a command has this switch, and it was typed.
fn has(matches: &ArgMatches, id: &str) -> bool {
    matches.try_get_one::<bool>(id).ok().flatten() == Some(&true)
}

/// The arguments of an operation, and what the rows of a list must be like.
///
/// # Errors
/// A usage error for a value or filter that cannot be read.
pub fn filters(app: &App, op: &'static Op, matches: &ArgMatches, given: &mut Given) -> Result<(Args, RowFilter)> {
    let words = if op.is_list() { chosen::of_list(&app.console, op, matches)? } else { Words::default() };
    given.words.extend(words.filters);
    let mut args = values::fields(op, given, &app.console)?;
    let reading = Reading { service: api::service_of(op), op, now: app.console.now(), files: &app.console };
    let mut sieve = RowFilter::read(&reading, given, &mut args).map_err(|error| one_owner(op, given, error))?;
    if let Some(noun) = api::listed_by(op).filter(|_| op.is_list()) {
        chosen::add_picks(matches, noun, app.console.now(), &mut sieve)?;
        sieve.newest = chosen::kept(matches, noun);
        if !words.names.is_empty() || words.from_stdin {
            sieve.picks.of_names(noun, words.names, &words.listed)?;
        }
        match noun.whole().filter(|_| noun.usual.is_some() && has(matches, "all")) {
            Some((name, value)) => args.push(name, Arg::Text(value.to_owned())),
            None => {
                args.implies(noun).iter().for_each(|usual| sieve.without(noun, usual.without));
                args = args.usual(noun);
            }
        }
    }
    Ok((args, sieve))
}

/// Leaves out what is there already under its key or name, for which nothing would be sent.
async fn without_those_there(app: &App, client: &Client, making: &CreateOptions, targets: &mut Targets) -> Result<()> {
    let mut new = Vec::new();
    for call in std::mem::take(&mut targets.calls) {
        match making.there(client, &call).await?.machine {
            None => new.push(call),
            Some(machine) => {
                let text = |field| machine.first().and_then(|row| row.text(field)).unwrap_or_default().into_owned();
                app.warn(&format!(
                    "machine {} ({}): already exists, nothing would be made",
                    text("/name"),
                    text("/id")
                ));
            }
        }
    }
    targets.calls = new;
    Ok(())
}

/// Says how to name several of what this lists the parts of, where a second name was refused as a filter.
fn one_owner(op: &'static Op, given: &Given, error: Error) -> Error {
    let signs = ['=', '<', '>', '~', '!', ':'];
    let owner = op.path_params().last().filter(|_| op.takes_globs()).and_then(|param| api::noun(param));
    match owner.filter(|_| given.words.iter().any(|word| !word.contains(signs))) {
        Some(owner) => error.hint(words::of_several(owner.word)),
        None => error,
    }
}

/// The calls for all that is to be made: of the first document, whose names are looked up already, and of the others.
async fn make_each(
    client: &Client,
    op: &'static Op,
    making: &CreateOptions,
    (first, others): (&Args, Vec<Args>),
    targets: &mut Targets,
) -> Result<()> {
    let Some(call) = targets.calls.pop() else { return Ok(()) };
    let mut known = sources::Known::default();
    known.learn(op, first, &call.args);
    (targets.calls, targets.several) = making.calls(call)?;
    for mut args in others {
        known.resolve(client, op, &mut args).await?;
        targets.calls.extend(making.calls(Call::new(args))?.0);
        targets.several = true;
    }
    Ok(())
}

fn renames_by_pattern(calls: &[Call]) -> bool {
    calls.iter().any(|call| call.args.text("name").is_some_and(rename::is_pattern))
}

/// Each of several gets a name of its own.
async fn rename_each(client: &Client, targets: &mut Targets, typed: &[String]) -> Result<()> {
    about::complete(client, targets).await;
    let old: Vec<String> = targets
        .calls
        .iter()
        .map(|call| targets.about(call).map_or(String::new(), |about| about.name.clone()))
        .collect();
    let Some(new) = targets.calls.first().and_then(|call| call.args.text("name").map(str::to_owned)) else {
        return Ok(());
    };
    let names = rename::names(&new, typed, &old.iter().map(String::as_str).collect::<Vec<_>>())?;
    targets.calls.iter_mut().zip(names).for_each(|(call, name)| call.args.push("name", Arg::Text(name)));
    Ok(())
}

async fn record(
    app: &App,
    client: &Client,
    op: &'static Op,
    call: Call,
    mut view: View,
    jq: Option<&render::Program>,
) -> Result<()> {
    match client.call(op, &call.args).await {
        Ok(answer) => {
            // Without columns the whole object is shown, where a person is glad of the image's name, and nobody else
            // asks for it.
            view.images = match jq.is_none() && (view.terminal || !view.columns.is_empty()) {
                true => app.image_names(client, &view, &answer).await?,
                false => names::cached_images(app).unwrap_or_default(),
            };
            app.show(&answer, op.shape, &view, jq)?;
            app.note(op, answer.first()).await;
            Ok(())
        }
        Err(error) => {
            // What is left of a deleted thing is shown, and still it is not there.
            if let Some(Ok(left)) = error.body().map(|body| Answer::from_record(body.as_bytes())) {
                app.show(&left, op.shape, &view, jq)?;
            }
            Err(call.of(call.blame(meant::part(client, op, &call.args, error).await)))
        }
    }
}

/// Asks for the secrets that an operation needs and that came from no file.
fn ask_for_secrets(app: &App, op: &Op, args: &mut Args) -> Result<()> {
    for field in op.fields.iter().filter(|field| matches!(field.kind, Kind::Secret)) {
        // A command that holds a password would show it to everybody on this machine.
        let there = args.get(field.name).is_some();
        if app.globals.curl && (field.required || there) {
            let words = format!("a curl command would show the {} to all who list processes", field.name);
            return Err(Error::usage(words).hint("the request without it: --dry-run"));
        }
        // What is only shown must show nobody's secret.
        let secret = match (there, app.globals.dry_run) {
            (true, false) => continue,
            (false, _) if !field.required => continue,
            (_, true) => "***".to_owned(),
            (false, false) => prompt::new_secret(&app.streams, field.name, &format!("--{}", field.long_name()))?,
        };
        args.push(field.name, Arg::Text(secret));
    }
    Ok(())
}

/// Roles on an operation that would take them for something else, or refuse them: an error where they were asked for
/// in this command, and a warning where a profile or a variable has them for all commands.
///
/// # Errors
/// A usage error.
pub fn no_roles(app: &App, op: &Op, roles: &[String]) -> Result<()> {
    if op.roles || roles.is_empty() {
        return Ok(());
    }
    let words = format!("{} cannot take a role on", op.id);
    match app.config.roles.as_ref().map(|roles| &roles.origin) {
        Some(Origin::Flag(_)) => {
            Err(Error::usage(format!("{words}: the service would take it for something else, or refuse it"))
                .hint("leave --role out: the default roles apply")
                .hint("to make one of them a default role: sdc roles update ROLE --default-member LOGIN"))
        }
        _ => {
            app.warn(&format!("the roles {} are not sent: {words}; the default roles apply", roles.join(", ")));
            Ok(())
        }
    }
}

/// How many fields were typed.
fn number_given(op: &Op, args: &Args) -> usize {
    args.iter().filter(|(name, _)| op.path_params().all(|param| param != *name)).count()
}

/// The words of a chain of subcommands, and the matches of the last of them.
pub fn verb(matches: &ArgMatches) -> (String, &ArgMatches) {
    let mut words = Vec::new();
    let mut last = matches;
    while let Some((word, next)) = last.subcommand() {
        words.push(word);
        last = next;
    }
    (words.join(" "), last)
}
