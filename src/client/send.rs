//! Sends a request: in its turn, again where that is safe, and never twice where it is not. It knows nothing of
//! what a request means; who sends one that makes something says how to look for it.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::made::made;
use super::trace::{self, masked};
use super::{Client, header_value};
use crate::answer::Answer;
use crate::api::Op;
use crate::error::{Error, Kind, Result, withheld};
use crate::request::Request;
use crate::response::{LONGEST_ASKED, Response};
use crate::transport::{Outgoing, Trouble};

/// How often one request is sent at most.
const MAX_TRIES: u32 = 6;
/// No pause is longer while an outage is ridden out, but one that the service asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a request is sent at most after whose lost answers nothing was found: whoever runs the same again looks
/// first, and knows better when.
const ANEW: u32 = 3;
/// Nor is it sent again this long after the first time.
const LAST: Duration = Duration::from_secs(150);
/// When to look for what a request may have made whose answer was lost: the service may still be at it.
const LOOKS: [Duration; 3] = [Duration::from_millis(300), Duration::from_millis(1200), Duration::from_secs(3)];
/// After those, as long as it is worth it.
const LATER: Duration = Duration::from_secs(5);
/// So long it is looked for at least, or for the time that an answer may take if that is less: a connection that is
/// cut says nothing of how far the service is.
const FLOOR: Duration = Duration::from_secs(20);

/// So long an answer is waited for once nothing more is to be sent: whoever ends a job does not wait for its time-outs.
const HALTED: Duration = Duration::from_secs(20);

/// After the service has taken nothing for so long, what it refuses is not sent again.
const WEARY: Duration = Duration::from_secs(20);

/// So often a word is said of an answer that takes long.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// What came of a request that must not be carried out twice.
#[derive(Debug)]
pub enum Once<T> {
    /// The service answered.
    Answered(Response, Answer),
    /// It answered when it was asked again, after nothing was found of the first time.
    AnsweredAgain(Response, Answer),
    /// Its answer was lost, and what it was to make is there.
    Found(T),
}

/// One request as it is seen from outside: whether it may still be begun, and whether it may have been carried out.
#[derive(Debug, Default)]
pub struct Watch {
    /// Nothing more is to be sent.
    halt: Arc<AtomicBool>,
    out: AtomicBool,
    /// An earlier try is in doubt, whatever becomes of later ones.
    doubt: AtomicBool,
}

impl Watch {
    /// One of several that the same word ends.
    pub fn new(halt: Arc<AtomicBool>) -> Watch {
        Watch { halt, ..Watch::default() }
    }

    /// Whether the request is on its way, or was and may have been carried out.
    pub fn is_out(&self) -> bool {
        self.out.load(Ordering::SeqCst) || self.doubt.load(Ordering::SeqCst)
    }
}

/// What came of some tries.
struct Sent {
    outcome: Result<Response>,
    /// Whether the request changes something, and may have been carried out although its outcome does not say so.
    unclear: bool,
    /// How long the last try took.
    took: Duration,
    /// The pause before the next try, where whoever sends is to look first.
    again: Option<Duration>,
}

/// The tries of one request, and how many there may be.
struct Tries {
    count: u32,
    first: Instant,
    /// No try begins after this.
    deadline: Instant,
    /// Within the time for outages tries are not counted.
    retry: Option<Duration>,
    /// The same for all of them.
    id: Option<String>,
    /// The request changes nothing.
    reads: bool,
    /// An earlier try may have been carried out although its answer did not say so.
    may_have_arrived: bool,
    /// The request names what it makes: before it is sent again after a failure of the service that is looked for.
    names: bool,
}

impl Tries {
    /// # Errors
    /// What must not be sent at all.
    fn new(client: &Client, request: &Request) -> Result<Tries> {
        // What is hidden where it is read must not be written in the place of the secret.
        if let Some((_, body)) = &request.body
            && client.service.secret
            && trace::holds_mask(body)
        {
            let words =
                format!("{} would keep \"(redacted)\" in the place of a secret: nothing was sent", client.service.name);
            return Err(Error::usage(words).hint("read what is to be changed with --show-secrets"));
        }
        // A library user may wait for ever; the clock cannot.
        let answer = client.settings.answer_limit(request.answer_limit);
        let patience = answer.saturating_mul(2).max(client.settings.retry.unwrap_or_default());
        let first = Instant::now();
        let deadline = first + patience.min(Duration::from_secs(366 * 86_400));
        let (retry, id) = (client.settings.retry, client.own_id(request));
        let reads = reads(request);
        Ok(Tries { count: 0, first, deadline, retry, id, reads, may_have_arrived: false, names: false })
    }

    /// What came of them.
    fn end(&self, outcome: Result<Response>, took: Duration) -> Sent {
        Sent { outcome, unclear: self.may_have_arrived && !self.reads, took, again: None }
    }

    /// Whether there may be another one, of so many.
    fn may_again(&self, most: u32) -> bool {
        match self.retry {
            Some(retry) => self.first.elapsed() < retry,
            None => self.count < most,
        }
    }
}

impl Client {
    /// The same client, whose requests that change something are watched.
    #[must_use]
    pub fn watched(&self, watch: Arc<Watch>) -> Client {
        let mut client = self.clone();
        client.watch = Some(watch);
        client
    }

    /// Whether this request must not be sent any more.
    fn is_halted(&self, request: &Request) -> bool {
        let halt = self.watch.as_ref().is_some_and(|watch| watch.halt.load(Ordering::SeqCst));
        halt && !reads(request)
    }

    /// Says whether a request is on its way.
    pub(crate) fn out(&self, request: &Request, out: bool) {
        if let Some(watch) = self.watch.as_ref().filter(|_| !reads(request)) {
            watch.out.store(out, Ordering::SeqCst);
        }
    }

    /// Sends a request, again where that is safe, and returns the last answer, whatever its status.
    ///
    /// # Errors
    /// No answer at all, no key, or a signature that could not be made.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        self.send_with_retries(request).await?.outcome
    }

    /// Sends a request and reads the answer that is due. An error says whether it may have been carried out all the
    /// same ([`Error::is_in_doubt`]).
    ///
    /// # Errors
    /// What [`Client::send`] returns, and the service's refusal.
    pub async fn answered(&self, op: &Op, request: &Request) -> Result<(Response, Answer)> {
        let Sent { outcome, unclear, .. } = self.send_with_retries(request).await?;
        let (unclear, error) = match outcome {
            Ok(response) => match self.made(&response, op, request) {
                Ok(answer) => return Ok((response, answer)),
                Err(error) => (unclear || may_have_begun(request, &response), error),
            },
            Err(error) => (unclear, error),
        };
        Err(if unclear { error.in_doubt() } else { error })
    }

    /// The same, and whether the request may have been carried out although its outcome does not say so.
    ///
    /// # Errors
    /// No key, or a signature that could not be made; what came of sending is the first of the two.
    pub async fn send_reporting_doubt(&self, request: &Request) -> Result<(Result<Response>, bool)> {
        let Sent { outcome, unclear, .. } = self.send_with_retries(request).await?;
        Ok((outcome, unclear))
    }

    /// Sends a request that makes something. Where its answer is lost, `look` tells whether it was carried out all
    /// the same: for as long again as the request was under way, since the service may still be at it, and unless
    /// it answered that it failed, for twenty seconds or the request's time-out at least. Only where it was not is the
    /// request sent again: twice at most, and not after two and a half minutes.
    ///
    /// # Errors
    /// What [`Client::send`] returns, and the service's refusal. [`Kind::Ambiguous`] is what `look` says of more than
    /// one, should the service have been slower than that.
    pub async fn send_once<T>(
        &self,
        op: &Op,
        request: &Request,
        look: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<Once<T>> {
        let mut tries = 0;
        let begun = Instant::now();
        loop {
            tries += 1;
            let Sent { outcome, unclear, took, .. } = self.send_with_retries(request).await?;
            // What says that it failed is at it no more.
            let failed = outcome.as_ref().is_ok_and(|answer| answer.status == 500 && !answer.is_replaced());
            let floor = if failed { Duration::ZERO } else { FLOOR.min(self.settings.request_timeout) };
            // Once an answer was lost, also a refusal may be about what that request made.
            let doubt = unclear || tries > 1;
            let (failure, again) = match outcome {
                Ok(response) => match self.made(&response, op, request) {
                    Ok(answer) if shows_it(op, &answer) => {
                        // The first one may have been carried out after all, later than anybody looked.
                        if tries == 1 {
                            return Ok(Once::Answered(response, answer));
                        }
                        return match look().await {
                            Err(error) if error.kind() == Kind::Ambiguous => Err(error),
                            _ => Ok(Once::AnsweredAgain(response, answer)),
                        };
                    }
                    // Accepted, but in words that nobody can read: as good as lost.
                    Ok(_) => (Error::new(Kind::Unreachable, "the answer does not say what was made").in_doubt(), true),
                    // A service that fails may have begun before it did.
                    Err(error) if unclear || may_have_begun(request, &response) => (error.in_doubt(), true),
                    Err(error) if doubt => (error, false),
                    Err(error) => return Err(error),
                },
                Err(error) if doubt => (error, true),
                Err(error) => return Err(error),
            };
            if let Some(watch) = &self.watch {
                watch.doubt.store(true, Ordering::SeqCst);
            }
            self.trace_line("* its answer was lost: looking whether it was carried out");
            if let (Some(notice), 1) = (&self.notice, tries) {
                notice(&format!("{failure}; looking whether it was carried out"));
            }
            match find(&look, took.max(floor), || self.is_halted(request)).await {
                Ok(Some(found)) => return Ok(Once::Found(found)),
                Ok(None) if again && tries < ANEW && begun.elapsed() < LAST && !self.is_halted(request) => {
                    self.trace_line("* it was not: sending it again");
                    if let Some(notice) = &self.notice {
                        notice("nothing came of it so far: sending it again");
                    }
                }
                Ok(None) => return Err(failure.looked_for()),
                Err(error) if error.kind() == Kind::Ambiguous => return Err(error),
                Err(error) => return Err(failure.because(error)),
            }
        }
    }

    /// Sends a request that names itself what it makes. Where its answer is lost, or says that the service failed or is
    /// not available, `look` tells whether it was carried out all the same. It is sent again only after a refusal of the
    /// service that passes, and only once `look` has told that nothing is there: its id makes a second one impossible.
    ///
    /// # Errors
    /// What [`Client::answered`] returns.
    pub async fn send_named<T>(
        &self,
        op: &Op,
        request: &Request,
        look: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<Once<T>> {
        let mut tries = Tries { names: true, ..Tries::new(self, request)? };
        let mut looked = false;
        let error = loop {
            let Sent { outcome, unclear, again, .. } = self.send_within(request, &mut tries).await?;
            let (doubt, error) = match outcome {
                Ok(response) => match self.made(&response, op, request) {
                    Ok(answer) if looked => return Ok(Once::AnsweredAgain(response, answer)),
                    Ok(answer) => return Ok(Once::Answered(response, answer)),
                    Err(error) => (unclear || may_have_begun(request, &response), error),
                },
                Err(error) => (unclear, error),
            };
            let error = if doubt { error.in_doubt() } else { error };
            let Some(pause) = again else { break error };
            tokio::time::sleep(pause).await;
            self.trace_line("* looking whether it was carried out");
            match look().await {
                Ok(Some(found)) => return Ok(Once::Found(found)),
                Ok(None) => self.trace_line("* it was not: sending it again"),
                // What is in the way of this look need not be in that of a later one.
                Err(other) if other.passes() => break error,
                Err(other) => return Err(error.because(other).in_doubt()),
            }
            looked = true;
        };
        // Once it was sent again, also a refusal may be about what the first one made.
        let failed = error.fault().is_some_and(|fault| fault.status >= 500) && error.kind() != Kind::Refused;
        if !(looked || failed || error.is_in_doubt()) {
            return Err(error);
        }
        // What says that it has not begun is looked for in case it has; what has nothing to show soon has not.
        let patience = if error.is_in_doubt() { FLOOR.min(self.settings.request_timeout) } else { Duration::ZERO };
        self.trace_line("* its answer was lost: looking whether it was carried out");
        if let Some(notice) = &self.notice {
            notice(&format!("{error}; looking whether it was carried out"));
        }
        match find(&look, patience, || self.is_halted(request)).await {
            Ok(Some(found)) => Ok(Once::Found(found)),
            Ok(None) if error.is_in_doubt() => Err(error.looked_for()),
            Ok(None) => Err(error),
            Err(other) => Err(error.because(other).in_doubt()),
        }
    }

    /// Sends a request once, whatever comes of it.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn once(&self, request: &Request) -> Result<Response> {
        let (exchanged, took) = self.exchange(request, self.own_id(request).as_deref()).await?;
        match exchanged {
            Ok(answer) => {
                self.trace_response(&answer, took);
                Ok(answer)
            }
            Err((_, error)) => {
                self.trace_line(&format!("! {error}: {}", error.causes().join(": ")));
                Err(error)
            }
        }
    }

    /// The id of a request by which the logs of all services know it, where the service wants one: the same for all
    /// tries.
    fn own_id(&self, request: &Request) -> Option<String> {
        let named = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-request-id"));
        (self.service.traced && !named).then(new_uuid)
    }

    /// Signs and sends it, and returns what came and how long it took.
    ///
    /// # Errors
    /// No key, or a signature that could not be made.
    async fn exchange(
        &self,
        request: &Request,
        id: Option<&str>,
    ) -> Result<(std::result::Result<Response, (Trouble, Error)>, Duration)> {
        let mut wire = self.wire(request).await?;
        if let Some(id) = id {
            wire.headers.insert("x-request-id", header_value("x-request-id", id)?);
        }
        let begun = Instant::now();
        self.out(request, true);
        self.trace_request(request, &wire);
        let out = Outgoing {
            method: request.method.clone(),
            url: wire.url,
            target: wire.target,
            headers: wire.headers,
            body: request.body.as_ref().map(|(_, body)| body.as_slice()),
            date: wire.date,
            service: self.service,
            limit: request.answer_limit,
        };
        // All that asks the service holds this future, and would be ten times as large with it inside.
        let mut exchanged = tokio::select! {
            biased;
            exchanged = self.alive(request, Box::pin(self.transport.exchange(out))) => exchanged,
            () = self.halted(request) => {
                let words = format!("interrupted, and there is no answer after another {} s", HALTED.as_secs());
                Err((Trouble::TimedOut, Error::new(Kind::Unreachable, words)))
            }
        };
        // The service shows no password: whoever repeats the one that was sent is not to be heard.
        if let (true, Ok(answer)) = (request.secret, &mut exchanged)
            && let Ok(Cow::Owned(masked)) = std::str::from_utf8(&answer.body).map(withheld::without_in_json)
        {
            answer.body = masked.into_bytes();
        }
        if let (true, Ok(answer)) = (self.masks, &mut exchanged)
            && let Some(masked) = masked(&answer.body)
        {
            answer.body = masked;
        }
        Ok((exchanged, begun.elapsed()))
    }

    /// Returns when an answer has been waited for long enough after nothing more was to be sent.
    async fn halted(&self, request: &Request) {
        if self.watch.is_none() || reads(request) {
            return std::future::pending().await;
        }
        while !self.is_halted(request) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(HALTED).await;
    }

    /// An answer that may take long, with a word now and then that it is waited for.
    async fn alive<T>(&self, request: &Request, exchange: impl Future<Output = T>) -> T {
        let Some(notice) = self.notice.as_ref().filter(|_| request.answer_limit.is_some()) else {
            return exchange.await;
        };
        let begun = Instant::now();
        let mut exchange = std::pin::pin!(exchange);
        loop {
            match tokio::time::timeout(SIGN_OF_LIFE, &mut exchange).await {
                Ok(done) => return done,
                Err(_) => {
                    let waited = begun.elapsed().as_secs();
                    notice(&format!("{} answers when it is done; waiting for {waited} s", self.service.name));
                }
            }
        }
    }

    /// # Errors
    /// No key, or a signature that could not be made.
    async fn send_with_retries(&self, request: &Request) -> Result<Sent> {
        self.send_within(request, &mut Tries::new(self, request)?).await
    }

    /// The same, with tries that have been counted before.
    async fn send_within(&self, request: &Request, tries: &mut Tries) -> Result<Sent> {
        let sent = self.tried(request, tries).await?;
        Ok(Sent { outcome: sent.outcome.map_err(|error| self.named(request, error)), ..sent })
    }

    fn made(&self, response: &Response, op: &Op, request: &Request) -> Result<Answer> {
        made(response, op, request).map_err(|error| self.named(request, error))
    }

    /// Sends it as often as there may be tries, or until it is to be looked for.
    ///
    /// # Errors
    /// No key, or a signature that could not be made.
    async fn tried(&self, request: &Request, tries: &mut Tries) -> Result<Sent> {
        let (safe, reads) = (request.repeatable && !tries.names, tries.reads);
        loop {
            tries.count += 1;
            if self.pace.turn(reads && !self.polls).await {
                self.trace_line("* it had to wait for its turn");
            }
            if self.is_halted(request) {
                let error = Error::new(Kind::Interrupted, "interrupted before it was sent");
                return Ok(tries.end(Err(error), Duration::ZERO));
            }
            // Dated after its turn has come: a date that waits grows stale.
            let (exchanged, took) = self.exchange(request, tries.id.as_deref()).await?;
            let (pause, outcome, weary) = match exchanged {
                Ok(answer) => {
                    self.trace_response(&answer, took);
                    if tries.may_have_arrived && request.method == reqwest::Method::DELETE && answer.is_gone() {
                        let outcome = Ok(Response { status: 204, body: Vec::new(), ..answer });
                        return Ok(Sent { outcome, unclear: false, took, again: None });
                    }
                    let refused = answer.is_turned_away();
                    let passes = answer.passes();
                    // It says that it failed, and not how far it had come.
                    tries.may_have_arrived |= passes && answer.status == 500 && !safe;
                    // Also another answer than the service's own may stand for one that did something.
                    let replaced = answer.is_replaced();
                    let unclear = replaced && matches!(answer.status, 429 | 502..=504);
                    tries.may_have_arrived |= unclear || replaced && !reads;
                    // A length that is right does not make it whole.
                    let cut = safe && answer.is_success() && breaks_off(&answer.body);
                    tries.may_have_arrived |= cut;
                    let asked = answer.retry_after((self.clock)());
                    // Nobody here waits beyond the end: to ask again before is of no use.
                    let late = asked
                        .is_some_and(|time| Instant::now().checked_add(time).is_none_or(|end| end >= tries.deadline));
                    if late || !(refused || passes || unclear && safe || cut) {
                        if !refused {
                            self.pace.taken();
                        }
                        return Ok(tries.end(Ok(answer), took));
                    }
                    let again = || backoff(tries.count, Duration::from_millis(200));
                    let pause = asked.map_or_else(again, |asked| asked.min(LONGEST_ASKED));
                    // What was too much for the service is everybody's affair.
                    if refused {
                        self.pace.slow_down(pause);
                    }
                    // And so is how long it takes nothing: each of many would else come to its own last try.
                    let weary = refused && asked.is_none() && tries.retry.is_none();
                    (pause, Ok(answer), weary && self.pace.refused_for() >= WEARY)
                }
                Err((trouble, error)) => {
                    self.trace_line(&format!("! {error}: {}", error.causes().join(": ")));
                    tries.may_have_arrived |=
                        matches!(trouble, Trouble::TimedOut | Trouble::BrokeOff | Trouble::Untakable);
                    self.out(request, tries.may_have_arrived);
                    let again = match trouble {
                        Trouble::NotSent => tries.may_again(4),
                        Trouble::BrokeOff => safe && tries.may_again(4),
                        Trouble::TimedOut | Trouble::Untakable | Trouble::Hopeless => false,
                    };
                    let unclear = tries.may_have_arrived && !reads;
                    let error = if unclear { error.in_doubt() } else { error };
                    if !again {
                        return Ok(tries.end(Err(error), took));
                    }
                    (backoff(tries.count, Duration::from_millis(100)), Err(error), false)
                }
            };
            // What was refused is on its way no more.
            self.out(request, tries.may_have_arrived);
            let pause = if self.settings.retry.is_some() { pause.min(LONGEST_PAUSE) } else { pause };
            if weary
                || !tries.may_again(MAX_TRIES)
                || Instant::now() + pause >= tries.deadline
                || self.is_halted(request)
            {
                return Ok(tries.end(outcome, took));
            }
            self.trace_line(&format!("* again in {pause:.1?}"));
            if let (Some(notice), 1) = (&self.notice, tries.count) {
                match &outcome {
                    Ok(answer) if answer.is_success() => notice("the service's answer breaks off; trying again"),
                    Ok(answer) => notice(&format!("the service answered {}; trying again", answer.status)),
                    // What failed at once is over as fast.
                    Err(error) if took > Duration::from_secs(1) || self.settings.retry.is_some() => {
                        notice(&format!("{error}; trying again"))
                    }
                    Err(_) => {}
                }
            }
            // Whoever is limited has been refused before anything else.
            if tries.names && matches!(&outcome, Ok(answer) if answer.status != 429) {
                return Ok(Sent { again: Some(pause), ..tries.end(outcome, took) });
            }
            tokio::time::sleep(pause).await;
        }
    }
}

/// Whether a request that changes something may have been carried out despite this answer: a service that fails may
/// have begun before it did, and a success without its body is still a success.
fn may_have_begun(request: &Request, response: &Response) -> bool {
    !reads(request) && (response.is_success() || response.status == 500)
}

/// Whether a request changes nothing.
fn reads(request: &Request) -> bool {
    matches!(request.method, reqwest::Method::GET | reqwest::Method::HEAD)
}

/// Looks several times, since what was asked for may take a moment to be seen: for so long at least.
async fn find<T>(
    look: &impl AsyncFn() -> Result<Option<T>>,
    patience: Duration,
    halted: impl Fn() -> bool,
) -> Result<Option<T>> {
    let begun = Instant::now();
    let mut pauses = LOOKS.into_iter();
    loop {
        let pause = pauses.next();
        let end = if halted() { begun } else { begun + patience.min(Duration::from_secs(3600)) };
        if pause.is_none() && Instant::now() >= end {
            return Ok(None);
        }
        // At the end once more, and not long after it.
        let later = LATER.min(end.saturating_duration_since(Instant::now()).max(Duration::from_millis(100)));
        tokio::time::sleep(pause.unwrap_or(later)).await;
        match look().await {
            Ok(None) => {}
            // What is in the way of one look need not be in the next one's.
            Err(error) if error.passes() && (pauses.len() > 0 || Instant::now() < end) => {}
            found => return found,
        }
    }
}

/// Whether the answer tells the id of what was made.
fn shows_it(op: &Op, answer: &Answer) -> bool {
    let Some((_, noun)) = op.goal else { return true };
    answer.first().is_some_and(|row| row.text(&format!("/{}", noun.key)).is_some())
}

/// Whether JSON has begun and does not end as it began. Whoever reads it will tell the rest.
fn breaks_off(body: &[u8]) -> bool {
    match body.trim_ascii() {
        [b'[', .., last] => *last != b']',
        [b'{', .., last] => *last != b'}',
        [b'[' | b'{'] => true,
        _ => false,
    }
}

/// How long to wait before another try: twice as long after each, by chance somewhat more or less, and
/// never more than a hundred times the first pause.
pub fn backoff(tries: u32, first: Duration) -> Duration {
    first.mul_f64(f64::from(1 << tries.saturating_sub(1).min(6)) * (0.5 + jitter()))
}

/// A UUID of version 4, made of random bits.
pub fn new_uuid() -> String {
    let random: Option<ring::rand::Random<[u8; 16]>> = ring::rand::generate(&ring::rand::SystemRandom::new()).ok();
    // Without randomness the time tells it from others.
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let bytes = random.map_or_else(|| since.as_nanos().to_be_bytes(), ring::rand::Random::expose);
    let bits = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// A number from 0 to 1 that differs between processes started together.
pub fn jitter() -> f64 {
    let random: Option<ring::rand::Random<[u8; 4]>> = ring::rand::generate(&ring::rand::SystemRandom::new()).ok();
    // Without randomness all wait the same time.
    f64::from(u32::from_be_bytes(random.map_or([0x80, 0, 0, 0], ring::rand::Random::expose))) / f64::from(u32::MAX)
}
