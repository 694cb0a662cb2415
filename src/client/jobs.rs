//! Waiting for a job and for the object that it works on. Either alone may lie: a job from the wrong state fails and
//! leaves the object as it was, and an object that shows what is wanted may be about to change again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Client;
use super::poll::{AFTER, End, MAY_END, Poll, Time, late};
use super::shown;
use super::wait::{Attempts, Wait, makes, unwatched};
use crate::answer::{Answer, Row};
use crate::api::{Goal, Jobs, Noun, Op};
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::{Args, Request};
use crate::response::{Response, fault};

/// So long the answer for a job may fail, or say that a job is not there which the service has named itself.
const LOST: Duration = Duration::from_secs(60);
/// How long the last answer for it is waited for at least.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// So long a job that was retried may have no successor.
const RETRY: Duration = Duration::from_secs(10);
/// How long whoever may know the successor is asked for it.
const WHICH: Duration = Duration::from_secs(5);
/// So many looks a job that was resumed may be seen as it was: what has just changed need not be known everywhere at
/// once.
const NOT_YET: u32 = 6;
/// What is said of a job that was retried, and that no attempt follows.
const NO_MORE: &str = "was retried as often as it may be, and failed";
/// What becomes of a job that is waited for no longer.
const GOES_ON: &str = "the job goes on";
/// What is said of that where nobody tells of the job.
const UNHEARD: &str = "whether the job goes on is not known";
/// And where its service says that there is none.
const MISSING: &str = "the service says that the job is not there";
/// What ends in the state in which it began: that it is in that state says nothing.
const IN_A_CIRCLE: &str = "reboot";
/// How a job stands that goes on once somebody resumes it.
const WAITING: &str = "waiting";

/// Whence the id of a job is that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// Somebody has typed it: there may be no such job.
    Typed,
    /// Its service has named it: it is there, although it need not be seen at once.
    Named,
    /// The same, and it was resumed: for some looks it may be seen as it was.
    Resumed,
}

/// A job that is followed, and its further attempts.
struct Followed<'a> {
    /// The attempt that counts.
    id: String,
    /// Those before it.
    past: Vec<String>,
    /// What shows one.
    get: &'static Op,
    /// What lists the jobs among which the next attempt is, and on what, where a job itself does not name it.
    others: Option<(&'static Op, Args)>,
    /// Who knows that better.
    attempts: Option<&'a dyn Attempts>,
    /// What it must be like, where a request has just started it.
    asked: Option<&'a Wait<'a>>,
    /// Since when it is followed.
    begun: Instant,
    /// Whether the service itself has named or shown it: then it is not missing, but not seen.
    known: bool,
    /// How it stands, such as `running`.
    words: String,
    /// Since when it cannot be asked for.
    unheard: Option<Instant>,
    /// Whether that is since its service says that it is not there.
    missing: bool,
    /// Since when it is known to be retried.
    retried: Option<Instant>,
}

/// A change whose job and object are watched.
struct Watched<'a> {
    waiting: &'a Wait<'a>,
    goal: &'a Goal,
    noun: &'static Noun,
    job: Followed<'a>,
    /// Since when its job has ended well.
    ended: Option<Instant>,
    /// Whether the object was ever there.
    was_there: bool,
    /// Since when it is not there in any look.
    unseen: Option<Instant>,
    /// The state in which it was seen last.
    state: String,
    moved: bool,
    /// Whether it was seen otherwise than it was to be.
    other: bool,
    /// How it differs from what was asked for.
    differs: Vec<String>,
    /// The object as it was to be, while its job has not ended.
    reached: Option<Answer>,
}

/// The end of a job.
#[derive(Clone, Debug)]
pub struct JobEnd {
    /// The id of its last attempt.
    pub id: String,
    /// That attempt, as the service shows it.
    pub job: Answer,
    /// What went wrong, such as `failed in cnapi.stop_vm: no such server`; `None` where it has ended well.
    pub fault: Option<String>,
}

impl Client {
    /// Waits for the end of a job that its service has named, and of the attempts that follow it where it is retried.
    /// `get` shows a job, which is the last part of its path.
    ///
    /// # Errors
    /// [`Kind::FailedState`] for one that waits until it is resumed; [`Kind::TimedOut`] when it took too long;
    /// [`Kind::Unreachable`] where nobody tells of it for a minute, or the service says that it is not there.
    pub async fn end_of_job(
        &self,
        get: &'static Op,
        id: &str,
        time: Time,
        progress: impl FnMut(&str),
    ) -> Result<JobEnd> {
        self.watch_job((get, id, Whence::Named), time, progress, |_| Ok(())).await
    }

    /// The same, and hands over the job each time that it is looked at, so that whoever watches it sees its chain grow.
    ///
    /// # Errors
    /// As [`Client::end_of_job`]; [`Kind::NotFound`] for a job that somebody has typed and that is not there; and what
    /// `seen` returns.
    pub async fn watch_job(
        &self,
        (get, id, whence): (&'static Op, &str, Whence),
        time: Time,
        progress: impl FnMut(&str),
        mut seen: impl FnMut(Row<'_>) -> Result<()>,
    ) -> Result<JobEnd> {
        let mut job = Followed { known: whence != Whence::Typed, ..Followed::new(id, get, None) };
        // Whether it may be seen as it was before it was resumed.
        let mut stale = whence == Whence::Resumed;
        let end = self
            .poll(time, progress, async |client, looks| match client.look_at_job(&mut job, &mut seen).await? {
                Some(end) => Ok(Poll::Done(end)),
                None if job.words == WAITING && !(stale && looks < NOT_YET) => {
                    let error = Error::new(Kind::FailedState, format!("job {} waits to be resumed", job.id));
                    let resume = CommandLine::new("admin jobs resume").on(&job.id);
                    Err(client.of_job(&job, error.hint(Hint::run("to let it go on", resume))))
                }
                None => {
                    stale &= job.words == WAITING || job.unheard.is_some();
                    Ok(Poll::NotYet(job.words.clone()))
                }
            })
            .await;
        match end {
            Ok(End::Done(end)) => Ok(end),
            Ok(End::Late(seen, last)) => Err(late(("job", &job.id), seen.as_deref(), time, (last, job.becomes()))),
            Err(error) if whence == Whence::Resumed && !job.is_lost() => {
                Err(unwatched(&format!("job {} was resumed", job.id), error))
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until the job that an operation has started has ended well, and its object shows it. Of a job that was
    /// retried the next attempt is looked for among the jobs of the object, unless somebody knows it.
    ///
    /// # Errors
    /// As [`Client::wait`]; [`Kind::Unreachable`] where nobody tells of the job for a minute.
    pub(super) async fn wait_for_job(
        &self,
        waiting: &Wait<'_>,
        (goal, noun, jobs): (&Goal, &'static Noun, Jobs),
        (job, attempts): (&str, Option<&dyn Attempts>),
        progress: impl FnMut(&str),
    ) -> Result<Answer> {
        let show = self.request(noun.get, &waiting.args.in_path_of(noun.get))?;
        let others = Some((jobs.of_one, waiting.args.in_path_of(jobs.of_one)));
        let asked = Some(waiting).filter(|waiting| !waiting.before.joined);
        let job = Followed { known: true, attempts, asked, ..Followed::new(job, jobs.get, others) };
        let mut it = Watched::new(waiting, (goal, noun), job);
        let mut progress = progress;
        let end =
            self.poll(waiting.time, &mut progress, async |client, _| client.look_at_change(&show, &mut it).await).await;
        match end {
            Ok(End::Done(answer)) => {
                if it.job.is_lost() {
                    progress(&it.without_its_job());
                }
                Ok(answer)
            }
            Ok(End::Late(_, None))
                if it.job.missing && it.ended.is_none() && it.reached.is_some() && it.shows_end() =>
            {
                progress(&it.without_its_job());
                Ok(it.reached.take().unwrap_or(Answer::Nothing))
            }
            Ok(End::Late(seen, last)) => {
                let error = self.of_job(&it.job, it.late(seen, last));
                Err(if it.unseen.is_some() { self.of_object(&it, error) } else { error })
            }
            // What is known of both it says itself.
            Err(error) if it.job.is_lost() => Err(error),
            Err(error) => Err(unwatched(&format!("{} was sent and taken: job {}", waiting.op.verb, it.job.id), error)),
        }
    }

    /// Looks once how far a change is: at its job, and at its object.
    async fn look_at_change(&self, show: &Request, it: &mut Watched<'_>) -> Result<Poll<Answer>> {
        // What its last attempt has failed with, or that nobody tells of it.
        let given_up = if it.ended.is_none() { self.look_at_its_job(it).await? } else { None };
        let look = self.look_at_object(show, it).await;
        // A look that the end of the time cuts off leaves the one before.
        it.reached = None;
        let given_up = match given_up {
            Some(lost) if it.job.is_lost() => {
                return match look {
                    Ok(Poll::Done(answer)) if it.job.missing && it.shows_end() => Ok(Poll::Done(answer)),
                    Ok(Poll::Done(_)) => Err(lost.about(&it.so_far(true))),
                    Ok(Poll::NotYet(_)) => Err(lost.about(&it.so_far(false))),
                    Err(error) if error.kind() == Kind::FailedState => Err(error),
                    Err(_) => Err(lost.about(&format!("{} cannot be asked for either", it.called()))),
                };
            }
            given_up => given_up,
        };
        // A state that does not last may be over before the job is.
        let passes = it.waiting.state.is_some();
        match (look?, it.ended) {
            (Poll::Done(answer), ended) if ended.is_some() || passes || given_up.is_some() => Ok(Poll::Done(answer)),
            (Poll::NotYet(_), Some(ended)) if ended.elapsed() > AFTER => Err(self.of_object(it, it.behind())),
            (look, _) => {
                if let Poll::Done(answer) = look {
                    it.reached = Some(answer);
                }
                given_up.map_or_else(|| Ok(Poll::NotYet(it.standing())), Err)
            }
        }
    }

    /// Looks at the job of a change. Returns an error where nothing more is to come of it, and the object may be as it
    /// was to be all the same.
    ///
    /// # Errors
    /// It has ended otherwise, whatever the object shows.
    async fn look_at_its_job(&self, it: &mut Watched<'_>) -> Result<Option<Error>> {
        match self.has_succeeded(&mut it.job, it.waiting, it.noun).await {
            Ok(true) => it.ended = Some(Instant::now()),
            Ok(false) => {}
            // A deletion that was sent again has two jobs, the second of which finds nothing to do.
            Err(error) if error.kind() == Kind::FailedState && matches!(it.goal, Goal::Gone) => {
                if !self.is_done_by_another(&mut it.job).await? {
                    // Without another attempt nothing is to come, and what is gone is gone all the same.
                    return if it.job.retried.is_none() { Err(error) } else { Ok(Some(error)) };
                }
            }
            Err(error) if it.job.is_lost() => return Ok(Some(error)),
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    /// Looks at the object of a change: whether it is as it was to be, or how it is.
    async fn look_at_object(&self, show: &Request, it: &mut Watched<'_>) -> Result<Poll<Answer>> {
        let (waiting, noun, to_go) = (it.waiting, it.noun, matches!(it.goal, Goal::Gone));
        let seen = self.send(show).await?;
        // What was taken need not be shown at once, and what stands between may hide it for a while.
        let absent = seen.status == 404 && seen.is_gone() && !to_go;
        it.unseen = absent.then(|| it.unseen.unwrap_or_else(Instant::now));
        if absent {
            (it.state, it.differs) = (String::new(), Vec::new());
            return it
                .vanished()
                .map_or_else(|| Ok(Poll::NotYet(String::new())), |error| Err(self.of_object(it, error)));
        }
        let (there, state, differs) = (seen.is_success(), state(noun, &seen), it.differences(&seen));
        let look = self.look(noun, it.goal, seen, waiting, (it.moved || !to_go, true)).await;
        // What somebody else has answered, or of something else, says nothing of it.
        if look.as_ref().is_err_and(|error| error.kind() != Kind::FailedState) {
            return look;
        }
        (it.was_there, it.state, it.differs) = (it.was_there || there, state, differs);
        if !to_go && noun.gone.contains(&it.state.as_str()) {
            let words = format!("{} was {} meanwhile", it.called(), it.state);
            return Err(self.of_job(&it.job, Error::new(Kind::FailedState, words)));
        }
        let look = match look {
            // What the object cannot say, its job does.
            Err(error) if error.kind() == Kind::FailedState && it.ended.is_none() => {
                let told = self.has_succeeded(&mut it.job, waiting, noun).await;
                return Err(told
                    .err()
                    .filter(|told| told.kind() == Kind::FailedState)
                    .unwrap_or_else(|| self.of_job(&it.job, error)));
            }
            look => look?,
        };
        it.moved |= !it.state.is_empty() && !noun.failed.contains(&it.state.as_str());
        it.other |= matches!(&look, Poll::NotYet(now) if !now.is_empty());
        Ok(look)
    }

    /// Whether the job has ended well by now.
    ///
    /// # Errors
    /// [`Kind::FailedState`] where it has ended otherwise.
    async fn has_succeeded(&self, job: &mut Followed<'_>, waiting: &Wait<'_>, noun: &Noun) -> Result<bool> {
        match self.look_at_job(job, &mut |_| Ok(())).await? {
            Some(JobEnd { fault: Some(fault), .. }) => {
                let words = format!("the {} of {} {} {fault}", waiting.op.verb, noun.word, waiting.name);
                Err(self.of_job(job, Error::new(Kind::FailedState, words)))
            }
            end => Ok(end.is_some()),
        }
    }

    /// Looks how far the job is; returns its end once it has come to it.
    async fn look_at_job(
        &self,
        job: &mut Followed<'_>,
        seen_by: &mut dyn FnMut(Row<'_>) -> Result<()>,
    ) -> Result<Option<JobEnd>> {
        let ask = self.request(job.get, &job.args())?;
        let begun = Instant::now();
        // One that is tried again and again must not make the minute longer.
        let end = job.unheard.map_or(begun + LOST, |since| (since + LOST).max(begun + LAST_LOOK));
        let seen = match tokio::time::timeout_at(end, self.send(&ask)).await {
            Ok(seen) => seen.and_then(|seen| seen.answer(job.get)),
            Err(_) => Err(Error::new(Kind::Unreachable, "no answer came in time")),
        };
        let answer = match seen {
            Ok(answer) => answer,
            Err(error) if !job.known && error.kind() == Kind::NotFound => {
                return Err(error.about(&format!("job {}", job.id)));
            }
            // Who is refused now is refused for ever.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Auth) => return Err(self.of_job(job, error)),
            Err(error) => {
                job.unheard.get_or_insert(begun);
                job.missing = error.kind() == Kind::NotFound;
                job.words = if job.missing { "not there" } else { "out of reach" }.to_owned();
                return match job.is_lost() {
                    true => {
                        let words = format!("the job {} has not been seen for {LOST:?}, and may go on", job.id);
                        let error = Error::new(Kind::Unreachable, words).because(error).lasting();
                        Err(self.of_job(job, error))
                    }
                    false => Ok(None),
                };
            }
        };
        (job.unheard, job.missing) = (None, false);
        job.known = true;
        let Some(row) = answer.first() else { return Ok(None) };
        // Only the first attempt has begun with the request.
        let asked = job.asked.filter(|_| job.past.is_empty());
        if let Some(how) = asked.and_then(|waiting| shown::of_another(&waiting.asked(), row, job.begun.elapsed())) {
            let words = format!("the service has named the job {}, which is not one of this request: {how}", job.id);
            return Err(self.of_job(job, Error::new(Kind::Unreachable, words).lasting()));
        }
        seen_by(row)?;
        let execution = row.text("/execution").unwrap_or_default().into_owned();
        let step = last_step(row);
        job.words = match &step {
            Some(step) if execution == "running" => format!("running (last step done: {})", step.name),
            _ => execution.clone(),
        };
        let fault = match execution.as_str() {
            "succeeded" | "failed" | "canceled" => job_fault(row),
            "retried" if self.goes_on(job, row).await? => return Ok(None),
            "retried" => Some(given_up(row)),
            _ => return Ok(None),
        };
        Ok(Some(JobEnd { id: job.id.clone(), fault, job: answer }))
    }

    /// Goes on with the next attempt of a job that is retried, or waits for it to be there; `false` where none comes.
    async fn goes_on(&self, job: &mut Followed<'_>, row: Row<'_>) -> Result<bool> {
        let since = *job.retried.get_or_insert_with(Instant::now);
        // The record itself may say which one follows.
        let told = row.text("/next_attempt").map(std::borrow::Cow::into_owned).filter(|id| job.is_new(id));
        let known = match (&told, job.attempts) {
            (None, Some(attempts)) => {
                let asked = tokio::time::timeout(WHICH, attempts.after(&job.id)).await;
                asked.ok().and_then(Result::ok).map(|next| next.filter(|id| job.is_new(id)))
            }
            _ => None,
        };
        let next = match (told, known, &job.others) {
            (Some(id), ..) => Some(id),
            (None, Some(known), _) => known,
            // Where nobody can say, the next one of its task is as good.
            (None, None, Some((list, args))) => {
                let all = self.call(list, args).await?;
                let next = all.rows().filter(|next| job.is_followed_by(row, *next));
                next.min_by_key(|next| next.text_or_empty("/created_at")).map(|next| next.text_or_empty("/uuid"))
            }
            (None, None, None) => None,
        };
        let Some(id) = next else { return Ok(since.elapsed() < RETRY) };
        job.go_on_with(id);
        job.words = "retried".to_owned();
        Ok(true)
    }

    /// Whether another job of the same task has not failed: then that one is followed from here on.
    async fn is_done_by_another(&self, job: &mut Followed<'_>) -> Result<bool> {
        let Some((list, args)) = &job.others else { return Ok(false) };
        let all = self.call(list, args).await?;
        let task =
            all.rows().find(|row| row.text_or_empty("/uuid") == job.id).map(|row| row.text_or_empty("/params/task"));
        let other = all.rows().find(|row| {
            job.is_new(&row.text_or_empty("/uuid"))
                && task.as_ref().is_some_and(|task| row.text_or_empty("/params/task") == *task)
                && matches!(row.text_or_empty("/execution").as_str(), "queued" | "running" | "succeeded")
        });
        let Some(other) = other else { return Ok(false) };
        job.go_on_with(other.text_or_empty("/uuid"));
        Ok(true)
    }

    /// The error, with the command that shows the object.
    fn of_object(&self, it: &Watched<'_>, error: Error) -> Error {
        let show = it.noun.get;
        error.hint(Hint::run("to look at it", it.waiting.args.in_path_of(show).command(self.service, show)))
    }

    /// The error, with the command that shows the job.
    fn of_job(&self, job: &Followed<'_>, error: Error) -> Error {
        error.hint(Hint::run("its job", job.args().command(self.service, job.get)))
    }
}

impl<'a> Followed<'a> {
    fn new(id: &str, get: &'static Op, others: Option<(&'static Op, Args)>) -> Followed<'a> {
        Followed {
            id: id.to_owned(),
            past: Vec::new(),
            get,
            others,
            attempts: None,
            asked: None,
            begun: Instant::now(),
            known: false,
            words: "begun".to_owned(),
            unheard: None,
            missing: false,
            retried: None,
        }
    }

    /// Whether nobody has told of it for so long that it is given up.
    fn is_lost(&self) -> bool {
        self.unheard.is_some_and(|since| since.elapsed() >= LOST)
    }

    /// What becomes of it once it is waited for no longer.
    fn becomes(&self) -> &'static str {
        match self.unheard {
            Some(_) if self.missing => MISSING,
            Some(_) => UNHEARD,
            None => GOES_ON,
        }
    }

    /// What shows it takes this.
    fn args(&self) -> Args {
        Args::new().set(self.get.path_params().last().unwrap_or_default(), &self.id)
    }

    /// Follows this one from now on.
    fn go_on_with(&mut self, id: String) {
        if let Some(attempts) = self.attempts {
            attempts.follow(&id);
        }
        self.past.push(std::mem::replace(&mut self.id, id));
        self.retried = None;
    }

    /// Whether this is none of the attempts so far.
    fn is_new(&self, id: &str) -> bool {
        id != self.id && self.past.iter().all(|past| past != id)
    }

    /// Whether this job is the next attempt of the one that is followed, which is `row`.
    fn is_followed_by(&self, row: Row<'_>, next: Row<'_>) -> bool {
        next.text("/uuid").is_some_and(|id| self.is_new(&id))
            && match next.text("/prev_attempt") {
                Some(before) => before == self.id,
                // Who does not show it is asked for the next one of the same task.
                None => {
                    next.text_or_empty("/params/task") == row.text_or_empty("/params/task")
                        && next.text_or_empty("/created_at") >= row.text_or_empty("/created_at")
                }
            }
    }
}

impl<'a> Watched<'a> {
    fn new(waiting: &'a Wait<'a>, (goal, noun): (&'a Goal, &'static Noun), job: Followed<'a>) -> Watched<'a> {
        Watched {
            waiting,
            goal,
            noun,
            job,
            ended: None,
            was_there: false,
            unseen: None,
            state: String::new(),
            moved: waiting.before.moved,
            other: false,
            differs: Vec::new(),
            reached: None,
        }
    }

    /// How its object differs from what was asked for, where that is what is waited for.
    fn differences(&self, seen: &Response) -> Vec<String> {
        let record = Answer::from_record(&seen.body).ok().filter(|_| seen.is_success());
        match (self.goal, record) {
            (Goal::Shows(shown), Some(record)) => shown::differences(shown, &self.waiting.asked(), &record),
            (Goal::State(_), Some(record)) => self.waiting.otherwise(&record),
            _ => Vec::new(),
        }
    }

    /// Its object, in words.
    fn called(&self) -> String {
        format!("{} {}", self.noun.word, self.waiting.name)
    }

    /// Its state as the object and its job have it.
    fn standing(&self) -> String {
        let job = &self.job.words;
        match self.state.as_str() {
            "" if self.unseen.is_some() => format!("not seen, job {job}"),
            "" => format!("job {job}"),
            state => format!("{state}, job {job}"),
        }
    }

    /// Whether an object that is as it was to be shows that the change has come to its end, where nobody knows of its
    /// job.
    fn shows_end(&self) -> bool {
        match self.goal {
            Goal::State(_) => self.other || self.waiting.op.verb != IN_A_CIRCLE,
            Goal::Shows(_)
            | Goal::Gone
            | Goal::Field(_)
            | Goal::Is(..)
            | Goal::Holds
            | Goal::Lacks
            | Goal::Empty(_) => true,
            Goal::Job | Goal::Step { .. } | Goal::Appears | Goal::Audit(_) | Goal::AuditThen(..) => false,
        }
    }

    /// How the object is, in words, and whether that is as it was to be.
    fn so_far(&self, reached: bool) -> String {
        let called = self.called();
        match self.state.as_str() {
            "" if self.unseen.is_some() => format!("{called} has not been seen"),
            "" if reached && matches!(self.goal, Goal::Gone) => format!("{called} is gone"),
            "" => format!("{called} is there"),
            state if reached && self.shows_end() => format!("{called} is {state}, as it was to be"),
            state => format!("{called} is {state}"),
        }
    }

    /// That the object is as it was to be although nobody knows of its job.
    fn without_its_job(&self) -> String {
        let state = if self.state.is_empty() { "as it was to be" } else { &self.state };
        format!("{state}; its job {} is not there", self.job.id)
    }

    /// The error where it has not been there for so long that it is not looked for any longer. Whether what is being made
    /// is yet to come its job tells.
    fn vanished(&self) -> Option<Error> {
        let is_over = self.unseen.is_some_and(|since| since.elapsed() > AFTER);
        let existed = self.was_there || !makes(self.waiting, self.noun);
        let (called, Followed { id, words, .. }) = (self.called(), &self.job);
        match self.job.unheard {
            _ if !is_over || !existed || self.ended.is_some() => None,
            Some(_) if self.job.missing && self.was_there => {
                let words =
                    format!("{called} is not there any more, nor is its job {id}: what was asked for has failed");
                Some(Error::new(Kind::FailedState, words))
            }
            Some(_) => None,
            None => {
                let words = format!("{called} has not been seen for {AFTER:?}, and its job {id} is {words}");
                Some(Error::new(Kind::TimedOut, words).hint("its end cannot be seen; it may yet be shown"))
            }
        }
    }

    /// The error where its job has ended well, and the object does not show it.
    fn behind(&self) -> Error {
        let called = self.called();
        let (words, hint) = match self.unseen.is_some() {
            true => {
                (format!("{called} has not been seen {AFTER:?} after its job has succeeded"), "it may yet be shown")
            }
            false if !self.differs.is_empty() => {
                (self.not_done(&format!(" {AFTER:?}")), "the job says that it was done")
            }
            false => (
                format!("{called} is {} {AFTER:?} after its job has succeeded", self.state),
                "its server may not be heard from: what is known of it is old",
            ),
        };
        Error::new(Kind::TimedOut, words).hint(hint)
    }

    /// That its job has succeeded, and it is not as it was to be.
    fn not_done(&self, after: &str) -> String {
        let (called, id, how) = (self.called(), &self.job.id, self.differs.join(", "));
        format!("{called} is not as it was asked to be{after} after its job {id} has succeeded: {how}")
    }

    /// The error where the time is over.
    fn late(&self, seen: Option<String>, last: Option<Error>) -> Error {
        let (time, called) = (self.waiting.time, self.called());
        let Followed { id, words, unheard, .. } = &self.job;
        let words = match (&self.reached, self.ended) {
            (Some(_), None) if unheard.is_some() => {
                format!("{}; what its job {id} has come to is not known", self.so_far(true))
            }
            (Some(_), None) => format!("{}; its job is {words}", self.so_far(true)),
            (_, Some(_)) if last.is_none() && !self.differs.is_empty() => self.not_done(""),
            (_, Some(_)) if last.is_some() => {
                format!("the job {id} of {called} has succeeded; how {called} is now could not be asked for")
            }
            (_, ended) => {
                let becomes = if ended.is_some() { MAY_END } else { self.job.becomes() };
                return late((self.noun.word, self.waiting.name), seen.as_deref(), time, (last, becomes));
            }
        };
        let error = Error::new(Kind::TimedOut, format!("{words} after {:?}: gave up waiting", time.said()));
        let becomes = if self.ended.is_some() { MAY_END } else { self.job.becomes() };
        let error = error.hint(format!("{becomes}; to wait longer: --timeout TIME"));
        match last {
            Some(last) => error.because(last),
            None => error,
        }
    }
}

/// A step of a job's chain.
struct Step {
    /// The task, such as `cnapi.stop_vm`.
    name: String,
    /// What went wrong, in a sentence; empty where nothing did.
    error: String,
}

/// What went wrong with a job that has ended, such as `failed in cnapi.stop_vm: no such server`; none where it has ended
/// well, or has not ended.
pub fn job_fault(job: Row<'_>) -> Option<String> {
    let step = last_step(job).filter(|step| !step.error.is_empty());
    match (job.text("/execution")?.as_ref(), step) {
        ("canceled", Some(step)) if step.error == "cancel" => Some("was canceled".to_owned()),
        ("canceled", None) => Some("was canceled, as jobs are whose runner is lost".to_owned()),
        ("failed" | "canceled" | "succeeded", Some(step)) => Some(format!("failed in {}: {}", step.name, step.error)),
        ("failed", None) => Some("failed, and nothing says why".to_owned()),
        _ => None,
    }
}

/// What went wrong with a job that was retried, and that no attempt follows.
fn given_up(job: Row<'_>) -> String {
    match last_step(job).filter(|step| !step.error.is_empty()) {
        Some(step) => format!("{NO_MORE} in {}: {}", step.name, step.error),
        None => NO_MORE.to_owned(),
    }
}

/// The last step of a job that has ended.
fn last_step(job: Row<'_>) -> Option<Step> {
    let steps: Vec<Value> = serde_json::from_str(&job.text("/chain_results")?).ok()?;
    let last = steps.last()?;
    let name = last.get("name").and_then(Value::as_str).unwrap_or("a step without a name").to_owned();
    Some(Step { name, error: fault(&last["error"]).unwrap_or_default() })
}

fn state(noun: &Noun, seen: &Response) -> String {
    let record = Answer::from_record(&seen.body).ok().filter(|_| seen.is_success());
    record
        .as_ref()
        .and_then(Answer::first)
        .map_or(String::new(), |row| row.text_or_empty(&format!("/{}", noun.state_field)))
}
