//! Waiting: asks for an object until it shows the end of an operation, or that the end will not come.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use super::poll::{AFTER, End, MAY_END, Poll, Time, late};
use super::shown::Asked;
use super::{Client, alike, shown, until};
use crate::answer::{Answer, Row, scan};
use crate::api::{self, Goal, Kind as Field, Noun, Op, PartsEnd, Shape, Shown};
use crate::error::{Error, Hint, Kind, Result};
use crate::request::Args;
use crate::response::Response;

/// Every so many looks the log is asked whether the job has failed.
const LOG_EVERY: u32 = 4;
/// So long what was just made may not be found: it need not be known everywhere at once.
const NOT_FOUND_YET: Duration = Duration::from_secs(30);

/// How long the log is waited for before a request is sent, and after the time of the wait is over.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);
/// The phases of a migration in which what was done of it is undone.
const UNDOING: &[&str] = &["abort", "rollback"];
/// So much older than the answer an entry may be that is its own, where the log had none before: its time is another
/// clock's.
const APART: SignedDuration = SignedDuration::from_secs(30);
/// The same where no answer has the service's time. It takes no request whose date is off by more than half of this.
const FAR_APART: SignedDuration = SignedDuration::from_secs(600);
/// What the command that shows the log is for, once something has failed.
const DONE: &str = "what was done to it";

/// What is waited for.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # fn main() -> sdc::Result<()> {
/// # use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// # let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
/// # let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
/// # let name = key.public().md5();
/// # let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
/// # let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
/// use std::time::Duration;
///
/// use sdc::api::cloudapi::machines::STOP;
/// use sdc::client::{Time, Wait};
/// use sdc::request::Args;
///
/// let args = Args::new().set("machine", "3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d");
/// let before = client.before(&STOP, &args).await?;
/// client.call(&STOP, &args).await?;
/// let stopped = Wait { op: &STOP, args, name: "web1", since: None, before, state: None,
///     time: Time::new(Duration::from_secs(60)) };
/// let machine = client.wait(stopped, |_| {}).await?;
/// assert_eq!(machine.first().unwrap().text("/state").unwrap(), "stopped");
/// # cloud.stop().await
/// # })
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
pub struct Wait<'a> {
    /// The operation that was answered.
    pub op: &'a Op,
    /// Its arguments, and the object's id by the noun's name.
    pub args: Args,
    /// What the user calls the object.
    pub name: &'a str,
    /// The `Date` of its answer: the server's clock, to which its log belongs.
    pub since: Option<&'a str>,
    /// What was there before the request, so that nothing old is taken for its end.
    pub before: Before,
    /// The state to wait for instead of the one that is the operation's end, where its end is a state.
    pub state: Option<&'static str>,
    /// When to give up.
    pub time: Time,
}

/// What [`Client::before`] saw.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The noun's log; `None` where it could not be read, or the object was not there yet.
    log: Option<Known>,
    /// The ids of the things among which a new one is to appear.
    ids: Vec<String>,
    /// What tells the parts of the object apart, among which new ones are to be; `None` where they could not be read.
    parts: Option<Vec<String>>,
    /// The answer itself has shown a state from which the object still has to move, or the one before it a state that
    /// is no failure.
    pub moved: bool,
    /// The job that the answer has named, where the operation starts one.
    pub job: Option<String>,
    /// That job is an earlier one that was found, and may have begun to work before the parts were looked at.
    pub joined: bool,
}

impl Before {
    /// What was there of the parts, where that tells the new ones.
    pub(super) fn parts(&self) -> Option<&[String]> {
        self.parts.as_deref().filter(|_| !self.joined)
    }
}

/// A log before the request.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// The time of its newest entry, whatever that is of.
    Newest(Timestamp),
    /// It had none when it was asked for, by our own clock.
    Empty(Timestamp),
}

/// Whoever knows better than the service that has started a job which one follows it where it is retried.
pub(crate) trait Attempts {
    /// The job that follows this one, where it is there by now.
    ///
    /// # Errors
    /// Nobody can say.
    fn after<'a>(&'a self, job: &'a str) -> Pin<Box<dyn Future<Output = Result<Option<String>>> + 'a>>;
    /// This one is followed from now on.
    fn follow(&self, job: &str);
}

impl Client {
    /// Looks at what an operation with these arguments will be told apart from, before it is sent.
    ///
    /// # Errors
    /// The list in which something is to appear cannot be read.
    pub async fn before(&self, op: &Op, args: &Args) -> Result<Before> {
        let mut before = Before::default();
        let log = op.job.and(op.goal).and_then(|(_, noun)| log_of(noun, args));
        if let Some((log, args)) = log {
            let asked = Timestamp::now();
            // Without it the entries' times have to do, so nothing is held up by it for long.
            let log = tokio::time::timeout(LOG_TIMEOUT, self.call(log, &args)).await;
            let log = log.ok().and_then(Result::ok);
            before.log = log.map(|log| log.rows().filter_map(time_of).max().map_or(Known::Empty(asked), Known::Newest));
        }
        if let Some((Goal::Appears, noun)) = &op.goal {
            before.ids = ids(&self.call(noun.list, &args.in_path_of(noun.list)).await?, noun);
        }
        if let Some((Goal::Shows(Shown::Parts(parts)), noun)) = &op.goal
            && matches!(parts.end, PartsEnd::Made(_))
        {
            // What cannot be looked at now is told by its request.
            let seen = tokio::time::timeout(LOG_TIMEOUT, self.call(noun.get, &args.in_path_of(noun.get))).await;
            before.parts = seen.ok().and_then(Result::ok).map(|answer| shown::keys(parts, &answer));
        }
        // Of a removal without a job only the state tells that it failed, unless it had failed before.
        if let (Some((Goal::Gone, noun)), None) = (&op.goal, op.job)
            && !noun.failed.is_empty()
            && let Ok(shown) = self.call(noun.get, &args.in_path_of(noun.get)).await
        {
            let state = shown
                .first()
                .and_then(|row| row.text(&format!("/{}", noun.state_field)).map(|state| state.into_owned()));
            before.moved = state.is_some_and(|state| !noun.failed.contains(&state.as_str()));
        }
        Ok(before)
    }

    /// Whether the object that an operation was to remove is gone, although the service said otherwise.
    pub async fn is_gone(&self, op: &Op, args: &Args) -> bool {
        let Some((Goal::Gone, noun)) = &op.goal else { return false };
        let Ok(show) = self.request(noun.get, &args.in_path_of(noun.get)) else { return false };
        self.send(&show).await.is_ok_and(|seen| seen.is_gone())
    }

    /// Waits until an operation that was answered has come to its end, and returns the object as it
    /// is then; `Nothing` if it is gone without a trace.
    ///
    /// # Errors
    /// [`Kind::FailedState`] when it ended otherwise, [`Kind::TimedOut`] when it did not end in time, or when its end
    /// cannot be seen for want of a right.
    pub async fn wait(&self, waiting: Wait<'_>, progress: impl FnMut(&str)) -> Result<Answer> {
        self.wait_through(&waiting, None, progress).await
    }

    /// The same, where these know which job follows one that was retried.
    ///
    /// # Errors
    /// As [`Client::wait`].
    pub(crate) async fn wait_through(
        &self,
        waiting: &Wait<'_>,
        attempts: Option<&dyn Attempts>,
        progress: impl FnMut(&str),
    ) -> Result<Answer> {
        let Some((goal, noun)) = &waiting.op.goal else { return Ok(Answer::Nothing) };
        let goal = match (goal, waiting.state.or_else(|| waiting.other_end())) {
            (Goal::State(_), Some(state)) => &Goal::State(state),
            _ => goal,
        };
        if let (Some(jobs), Some(job)) = (noun.jobs, &waiting.before.job) {
            return self.wait_for_job(waiting, (goal, noun, jobs), (job, attempts), progress).await;
        }
        let end = self.wait_for_object(waiting, (goal, noun), progress).await;
        end.map_err(|error| unwatched(&format!("{} was sent and taken", waiting.op.verb), error))
    }

    /// Waits until the object itself, or its log, shows the end.
    async fn wait_for_object(
        &self,
        waiting: &Wait<'_>,
        (goal, noun): (&Goal, &'static Noun),
        mut progress: impl FnMut(&str),
    ) -> Result<Answer> {
        // What is to go stays in its state until it begins to, which tells nobody anything.
        let progress = |words: &str| {
            if !matches!(goal, Goal::Gone) || !noun.states.contains(&words) && !noun.failed.contains(&words) {
                progress(words);
            }
        };
        let mut state: Option<String> = None;
        let mut changes = 0;
        let shown = if matches!(goal, Goal::Appears) { noun.list } else { noun.get };
        let show = self.request(shown, &waiting.args.in_path_of(shown))?;
        let mut moved = waiting.before.moved;
        // What was made by the request, and not what was there before.
        let begins = matches!(goal, Goal::Step { .. }) && self.service.is_inner();
        let made = !matches!(goal, Goal::Gone) && makes(waiting, noun) || begins;
        let mut was_there = !made;
        let begun = Instant::now();
        let mut otherwise: Option<Instant> = None;
        let end = self
            .poll(waiting.time, progress, async |client, looks| {
                // What the log says is done is looked at after it: before, it may be as it was.
                let audited = client.is_audited(goal, noun, waiting).await?;
                let seen = client.send(&show).await?;
                if seen.status == 403 {
                    return Err(unseen(waiting, shown, seen.failure()));
                }
                if seen.status == 404 && seen.is_gone() && !was_there {
                    if looks % LOG_EVERY == 0 {
                        client.no_failed_job(noun, waiting).await?;
                    }
                    return match begun.elapsed() < NOT_FOUND_YET {
                        true => Ok(Poll::NotYet(String::new())),
                        false => Err(client.never_seen(shown, noun, waiting)),
                    };
                }
                was_there |= seen.is_success();
                let differs = client.made_otherwise(goal, noun, waiting, &seen);
                // Who answered, and of what, is judged first.
                let look = client.look(noun, goal, seen, waiting, (moved, audited)).await?;
                match differs {
                    None => otherwise = None,
                    // The service may show it late.
                    Some(error) if otherwise.get_or_insert(Instant::now()).elapsed() >= AFTER => return Err(error),
                    Some(_) => {}
                }
                // A job that fails leaves the object alone: only the log knows.
                if matches!(look, Poll::NotYet(_)) && looks % LOG_EVERY == 0 {
                    client.no_failed_job(noun, waiting).await?;
                }
                if let Poll::NotYet(now) = &look {
                    moved |= match goal {
                        Goal::State(wanted) => {
                            !now.is_empty() && now != *wanted && !noun.failed.contains(&now.as_str())
                        }
                        Goal::Gone => !now.is_empty() && !noun.failed.contains(&now.as_str()),
                        _ => false,
                    };
                    if state.as_ref() != Some(now) {
                        state = Some(now.clone());
                        changes += 1;
                    }
                }
                Ok(look)
            })
            .await?;
        match end {
            End::Done(answer) => Ok(answer),
            End::Late(seen, last) => {
                let error = late((noun.word, waiting.name), seen.as_deref(), waiting.time, (last, MAY_END));
                // Where something has moved, it has not been lost.
                let rests = |state: &str| state.is_empty() || noun.rests.contains(&state);
                let still = changes == 1 && state.as_deref().is_some_and(rests);
                if !still || waiting.before.moved || !self.unheard_of(waiting).await {
                    return Err(error);
                }
                let error = error.hint("the service has no record of it: it may be lost, or not begun yet");
                Err(self.logged(waiting, error, "look, then send it again"))
            }
        }
    }

    /// The error of what was made, is as it was to be made, and shows something else than was sent.
    fn made_otherwise(&self, goal: &Goal, noun: &Noun, waiting: &Wait<'_>, seen: &Response) -> Option<Error> {
        let Goal::State(wanted) = goal else { return None };
        if waiting.op.shown_again.is_empty() {
            return None;
        }
        let record = Answer::from_record(&seen.body).ok().filter(|_| seen.is_success())?;
        let state = record.first()?.text_or_empty(&format!("/{}", noun.state_field));
        let differs = waiting.otherwise(&record);
        if state != *wanted || differs.is_empty() {
            return None;
        }
        let (word, name) = (noun.word, waiting.name);
        let words = format!("{word} {name} is {state}, and not as it was asked to be: {}", differs.join(", "));
        let look = waiting.args.in_path_of(noun.get).command(self.service, noun.get);
        let error = Error::new(Kind::TimedOut, words).hint(Hint::run("what it is", look));
        Some(error.with_body(record.json()))
    }

    /// The error of what was made, and is not shown: nobody knows whether it is yet to come.
    fn never_seen(&self, shown: &'static Op, noun: &Noun, waiting: &Wait<'_>) -> Error {
        let done = waiting.op.verb;
        let words =
            format!("{} {} has not been seen {NOT_FOUND_YET:?} after its {done} was taken", noun.word, waiting.name);
        let look = waiting.args.in_path_of(shown).command(self.service, shown);
        Error::new(Kind::TimedOut, words).hint(Hint::run("to look at it", look))
    }

    /// Whether the log has nothing of an operation that leaves an entry there. Not where that cannot be told.
    async fn unheard_of(&self, waiting: &Wait<'_>) -> bool {
        let (Some(job), true) = (waiting.op.job, waiting.before.log.is_some()) else { return false };
        let newest = tokio::time::timeout(LOG_TIMEOUT, self.newest_audit(job, waiting)).await;
        matches!(newest, Ok(Ok(None)))
    }

    /// What an answer for the object says of the goal.
    pub(super) async fn look(
        &self,
        noun: &Noun,
        goal: &Goal,
        seen: Response,
        waiting: &Wait<'_>,
        (moved, audited): (bool, bool),
    ) -> Result<Poll<Answer>> {
        if matches!(goal, Goal::Appears) && !seen.is_gone() {
            return appeared(&seen.answer(noun.list)?, noun, waiting);
        }
        if seen.is_gone() && matches!(goal, Goal::Gone) {
            return Ok(Poll::Done(
                Answer::from_record(&seen.body).ok().filter(|_| seen.status == 410).unwrap_or(Answer::Nothing),
            ));
        }
        if seen.status == 410 && seen.is_gone() {
            let words = format!("{} {} was deleted meanwhile", noun.word, waiting.name);
            return Err(Error::new(Kind::FailedState, words));
        }
        if seen.is_gone() {
            let words = format!("{} {} is not there any more: what was asked for has failed", noun.word, waiting.name);
            let error = Error::new(Kind::FailedState, words);
            return Err(self.logged(waiting, error, DONE));
        }
        let answer = seen.answer(noun.get)?;
        let text = |field: &str| {
            answer
                .first()
                .and_then(|row| row.text(&format!("/{field}")).map(|text| text.into_owned()))
                .unwrap_or_default()
        };
        // A record of another name is not of what was made, whoever said its id.
        let sent = waiting.args.text(noun.name_field).filter(|_| makes(waiting, noun) && noun.name_field != noun.key);
        let shown = text(noun.name_field);
        if sent.is_some_and(|sent| !shown.is_empty() && !alike::name(&sent.into(), &shown.as_str().into())) {
            let words = format!("the service shows another {} as {}: it is called '{shown}'", noun.word, waiting.name);
            return Err(Error::new(Kind::Unreachable, words).lasting());
        }
        if let Goal::Step { of, .. } = goal {
            still_goes(waiting, (&text(of), &text("phase")))?;
        }
        let state = text(noun.state_field);
        // What had failed before it was to be removed is in that state until it is gone.
        let to_go = matches!(goal, Goal::Gone) && (!moved || noun.gone.contains(&state.as_str()));
        let has_failed = noun.failed.contains(&state.as_str()) && !to_go;
        // The object may have been so before: then the job's own entry tells.
        if has_failed && !moved && !makes(waiting, noun) && !self.job_done(noun, waiting).await? {
            return Ok(Poll::NotYet(state));
        }
        if has_failed {
            let error = until::failed(noun, waiting.name, &state, &answer);
            // Of what was made it is told as it is now.
            let error = if makes(waiting, noun) { error.with_body(answer.json()) } else { error };
            return Err(self.logged(waiting, error, DONE));
        }
        let done = match goal {
            Goal::State(wanted) if state == *wanted && !waiting.otherwise(&answer).is_empty() => false,
            // The object may have been in that state before: then the job's own entry tells.
            Goal::State(wanted) if state == *wanted && !moved => match self.job_done(noun, waiting).await {
                // What is stopped again has what was asked for.
                Err(error) if error.kind() == Kind::FailedState => true,
                done => done?,
            },
            // A part of something that is stopped does not run when it is there.
            Goal::State(wanted) if state != *wanted && is_part_at_rest(noun, waiting, &state) => {
                self.job_done(noun, waiting).await?
            }
            Goal::State(wanted) => state == *wanted,
            Goal::Step { phases, state: wanted, .. } => phases.contains(&text("phase").as_str()) && state == *wanted,
            Goal::Appears => false,
            Goal::Job => true,
            Goal::Shows(shown) => shown::differences(shown, &waiting.asked(), &answer).is_empty(),
            Goal::Gone => noun.gone.contains(&state.as_str()),
            Goal::Field(field) => shown::pairs(waiting.op, &waiting.args)
                .any(|(name, sent)| name == *field && alike::as_text(&sent) == text(field)),
            // A switch that is off may not be shown at all.
            Goal::Is(field, value) => text(field) == *value || *value == "false" && text(field).is_empty(),
            Goal::AuditThen(action, wanted) => state == *wanted && self.audited(action, noun, waiting).await?,
            Goal::Audit(_) => audited && self.shows_sent(waiting, &answer).await?,
            Goal::Holds => holds(waiting, &answer),
            Goal::Lacks => shown::last_param(waiting.op, &waiting.args).is_none_or(|name| at(&answer, name).is_none()),
            Goal::Empty(kept) => keys(&answer).iter().all(|key| kept.contains(&key.as_str())),
        };
        Ok(match goal {
            _ if done => Poll::Done(answer),
            // It stands as it is to, at another step.
            Goal::Step { state: wanted, .. } if state == *wanted => {
                Poll::NotYet(format!("{state}, in phase {}", text("phase")))
            }
            _ => Poll::NotYet(state),
        })
    }

    /// Whether the job has left its entry in the log. Where nobody can tell, it has.
    async fn job_done(&self, noun: &Noun, waiting: &Wait<'_>) -> Result<bool> {
        match (waiting.op.job, &waiting.before.log) {
            (Some(job), Some(_)) => self.audited(job, noun, waiting).await,
            _ => Ok(true),
        }
    }

    /// Whether the log has the entry that is the end of the operation, if that is all of its end.
    async fn is_audited(&self, goal: &Goal, noun: &Noun, waiting: &Wait<'_>) -> Result<bool> {
        let Goal::Audit(action) = goal else { return Ok(false) };
        match self.audited(action, noun, waiting).await {
            // The object itself shows what has become of it.
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            audited => audited,
        }
    }

    /// Whether the log has this action since the request.
    async fn audited(&self, action: &str, noun: &Noun, waiting: &Wait<'_>) -> Result<bool> {
        let Some(success) = self.newest_audit(action, waiting).await? else { return Ok(false) };
        if success {
            return Ok(true);
        }
        let words = match action {
            // The log has no name for what it is.
            "unknown" => {
                let machine = waiting.args.text("machine").unwrap_or(waiting.name);
                format!("{} failed for machine {machine}", api::words(waiting.op))
            }
            action => format!("the {action} of {} {} failed", noun.word, waiting.name),
        };
        let error = Error::new(Kind::FailedState, words);
        Err(self.logged(waiting, error, DONE))
    }

    /// The error with the command that shows the log of what is waited for, if there is one.
    fn logged(&self, waiting: &Wait<'_>, error: Error, purpose: &str) -> Error {
        match waiting.log() {
            Some((log, args)) => error.hint(Hint::run(purpose, args.command(self.service, log))),
            None => error,
        }
    }

    async fn no_failed_job(&self, noun: &Noun, waiting: &Wait<'_>) -> Result<()> {
        let Some(action) = waiting.op.job else { return Ok(()) };
        match self.audited(action, noun, waiting).await {
            Err(error) if error.kind() == Kind::FailedState => Err(error),
            _ => Ok(()),
        }
    }

    /// How the newest entry of this action since the request ended, by the server's own clock.
    async fn newest_audit(&self, action: &str, waiting: &Wait<'_>) -> Result<Option<bool>> {
        let Some((log, args)) = waiting.log() else { return Ok(None) };
        let audit = self.call(log, &args).await.map_err(|error| {
            if error.fault().is_some_and(|fault| fault.status == 403) { unseen(waiting, log, error) } else { error }
        })?;
        let first_new = waiting.first_new();
        // An entry whose time is not known may be an older one's, whatever else is in it.
        let is_new = |row: Row<'_>| first_new.zip(time_of(row)).is_some_and(|(first, time)| time >= first);
        let newest = audit.rows().find(|row| row.text("/action").as_deref() == Some(action) && is_new(*row));
        Ok(newest.map(|row| row.text("/success").as_deref() == Some("yes")))
    }

    /// Whether the object shows what was sent, as far as it shows such a thing at all: the log only tells that something
    /// of the kind was done.
    async fn shows_sent(&self, waiting: &Wait<'_>, now: &Answer) -> Result<bool> {
        let op = waiting.op;
        if op.shape == Shape::Map {
            let kept = |key: &str| op.keeps_name(key);
            let sent = |key: &str| shown::pairs(op, &waiting.args).any(|(name, _)| name == key);
            return Ok(holds(waiting, now) && keys(now).iter().all(|key| kept(key) || sent(key)));
        }
        for field in op.fields {
            let Field::Ref(noun) = field.kind else { continue };
            let shown = now.first().map(|row| row.text_or_empty(&format!("/{}", field.name))).unwrap_or_default();
            let Some(sent) = waiting.args.text(field.name).filter(|sent| !shown.is_empty() && *sent != shown) else {
                continue;
            };
            // It is sent by its id, and shown by its name.
            let one = match self.call(noun.get, &Args::new().set(noun.name, sent)).await {
                Ok(one) => one,
                // Nobody can say then.
                Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Refused | Kind::Auth) => continue,
                Err(error) => return Err(error),
            };
            let is = |field: &str| {
                one.first().is_some_and(|row| row.text_or_empty(&format!("/{field}")).eq_ignore_ascii_case(&shown))
            };
            if !is(noun.name_field) && !is(noun.key) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The error of a look at what was asked for, such as `stop was sent and taken`: it is not that which was refused.
/// What the wait itself has found out stays as it is.
pub(super) fn unwatched(done: &str, error: Error) -> Error {
    let kind = match error.kind() {
        Kind::Unreachable => Kind::Unreachable,
        Kind::Auth | Kind::Refused | Kind::NotFound => Kind::TimedOut,
        _ => return error,
    };
    let words = match error.kind() {
        Kind::Auth | Kind::Refused => format!("{done}; only the look at its end was refused"),
        _ => format!("{done}; its end cannot be seen"),
    };
    let (fault, hints) = (error.fault().cloned(), error.hints().to_vec());
    let told = Error::new(kind, words).lasting().because(error).hint_all(&hints);
    match fault {
        Some(fault) => told.with_fault(fault),
        None => told,
    }
}

/// The error of a request that was accepted, and whose end the service refuses to show. It is not one of rights: what
/// was asked for is under way.
fn unseen(waiting: &Wait<'_>, shown: &Op, error: Error) -> Error {
    // Somebody else's 403, such as a proxy's page, says nothing of rights.
    if error.fault().is_none_or(|fault| fault.code.is_empty()) {
        return error;
    }
    let right = shown.id.to_ascii_lowercase();
    let words = format!("{} requested; its end cannot be seen without the right {right}", waiting.op.verb);
    Error::new(Kind::TimedOut, words)
        .with_fault(error.fault().cloned().unwrap_or_default())
        .hint(format!("a role whose policy says `CAN {right}` has it: --role ROLE"))
}

/// Refuses the record of a migration, with whose it is and its phase, that is of something else, or of one that is
/// taken back.
fn still_goes(waiting: &Wait<'_>, (of, phase): (&str, &str)) -> Result<()> {
    let Some((_, noun)) = waiting.op.goal else { return Ok(()) };
    let called = format!("{} {}", noun.word, waiting.name);
    if waiting.args.text(noun.name).is_some_and(|asked| !asked.eq_ignore_ascii_case(of)) {
        let whose = if of.is_empty() { "a record that does not say whose it is" } else { "the record of another one" };
        return Err(Error::new(Kind::Unreachable, format!("the service shows {whose} as the {called}")).lasting());
    }
    if UNDOING.contains(&phase) {
        let words = format!("the {called} was taken back meanwhile: its phase is {phase}");
        return Err(Error::new(Kind::FailedState, words));
    }
    Ok(())
}

/// Whether the operation makes the thing that is waited for, and is not told which one it is.
pub(super) fn makes(waiting: &Wait<'_>, noun: &Noun) -> bool {
    waiting.op.path_params().all(|param| param != noun.name)
}

fn ids(list: &Answer, noun: &Noun) -> Vec<String> {
    list.rows().filter_map(|row| row.text(&format!("/{}", noun.key)).map(|id| id.into_owned())).collect()
}

/// Whether there is one that was not there before, and that is ready.
fn appeared(list: &Answer, noun: &Noun, waiting: &Wait<'_>) -> Result<Poll<Answer>> {
    let new = list.rows().find(|row| {
        let id = row.text(&format!("/{}", noun.key)).unwrap_or_default();
        waiting.before.ids.iter().all(|known| *known != id)
    });
    let Some(new) = new else { return Ok(Poll::NotYet(String::new())) };
    match new.text("/state").unwrap_or_default().as_ref() {
        "creating" => Ok(Poll::NotYet("creating".to_owned())),
        _ => Answer::from_record(new.json().as_bytes()).map(Poll::Done),
    }
}

/// The operation that shows the log of a noun, and its arguments, if they are known.
fn log_of(noun: &Noun, args: &Args) -> Option<(&'static Op, Args)> {
    let log = noun.log?;
    log.path_params().all(|param| args.text(param).is_some()).then(|| (log, args.in_path_of(log)))
}

impl Wait<'_> {
    /// The state in which it ends because of what was sent, where that is another one than usual.
    fn other_end(&self) -> Option<&'static str> {
        let otherwise = self.op.otherwise.as_ref()?;
        let is_so = |(name, value): (&str, serde_json::Value)| {
            name == otherwise.field && alike::as_text(&value) == otherwise.value
        };
        shown::pairs(self.op, &self.args).any(is_so).then_some(otherwise.state)
    }

    /// How what was made differs from what was sent; of what was there before that says nothing.
    pub(super) fn otherwise(&self, answer: &Answer) -> Vec<String> {
        if self.before.joined { Vec::new() } else { shown::otherwise(&self.asked(), answer) }
    }

    /// What its object is to show.
    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { op: self.op, args: &self.args, parts: self.before.parts() }
    }

    /// The log of what is waited for.
    fn log(&self) -> Option<(&'static Op, Args)> {
        log_of(self.op.goal?.1, &self.args)
    }

    /// The least time of an entry that was not there before the request. None where that cannot be told.
    fn first_new(&self) -> Option<Timestamp> {
        let answered = self.since.and_then(|text| httpdate::parse_http_date(text).ok());
        let answered = answered.and_then(|time| Timestamp::try_from(time).ok());
        match (self.before.log, answered) {
            // By the log's own clock.
            (Some(Known::Newest(newest)), _) => newest.checked_add(SignedDuration::from_nanos(1)).ok(),
            (Some(Known::Empty(_)), Some(answered)) => answered.checked_sub(APART).ok(),
            (Some(Known::Empty(asked)), None) => asked.checked_sub(FAR_APART).ok(),
            (None, answered) => answered,
        }
    }
}

/// Whether a new part of something is in a state in which it stays.
fn is_part_at_rest(noun: &Noun, waiting: &Wait<'_>, state: &str) -> bool {
    let is_part = waiting.op.path_params().next().is_some();
    waiting.state.is_none() && makes(waiting, noun) && is_part && noun.rests.contains(&state)
}

/// When what an entry of a log tells of was done.
fn time_of(entry: Row<'_>) -> Option<Timestamp> {
    entry.text("/time")?.parse().ok()
}

/// Whether the object has every pair that was sent.
fn holds(waiting: &Wait<'_>, now: &Answer) -> bool {
    shown::pairs(waiting.op, &waiting.args).all(|(name, sent)| at(now, name).is_some_and(|now| same(&now, &sent)))
}

/// Whether it is the same value, of the same type. A number, but no text, may be written in another way.
pub(super) fn same(now: &Value, sent: &Value) -> bool {
    now == sent || now.is_number() && sent.is_number() && now.as_f64() == sent.as_f64()
}

/// The keys of an object.
fn keys(answer: &Answer) -> Vec<String> {
    let members = answer.first().and_then(|row| scan::members(row.json())).into_iter().flatten();
    members.map(|(name, _)| scan::unquote(name).unwrap_or_default().into_owned()).collect()
}

/// The value of a key of the answer, whatever letters its name has.
fn at(answer: &Answer, name: &str) -> Option<Value> {
    Some(scan::value(scan::member(answer.first()?.json(), name)?)).filter(|value| !value.is_null())
}
