//! Sends a request: in its turn, again where that is safe, and never twice where it is not. It knows nothing of
//! what a request means; who sends one that makes something says how to look for it.

use std::time::{Duration, Instant, SystemTime};

use super::Client;
use crate::answer::Answer;
use crate::api::Op;
use crate::error::{Error, Kind, Result};
use crate::request::Request;
use crate::response::Response;
use crate::transport::{Outgoing, Trouble};

/// How often one request is sent at most.
const TRIES: u32 = 6;
/// How often a request is sent at most after whose lost answers nothing was found.
const ANEW: u32 = 4;
/// When to look for what a request may have made whose answer was lost: the service may still be at it.
const LOOKS: [Duration; 3] = [Duration::from_millis(300), Duration::from_millis(1200), Duration::from_secs(3)];

/// What came of a request that must not be carried out twice.
#[derive(Debug)]
pub enum Once<T> {
    /// The service answered.
    Answered(Response, Answer),
    /// Its answer was lost, and what it was to make is there.
    Found(T),
}

/// What came of some tries.
struct Sent {
    outcome: Result<Response>,
    /// Whether the request may have been carried out although its outcome is none.
    unclear: bool,
}

impl Client {
    /// Sends a request, again where that is safe, and returns the last answer, whatever its status.
    ///
    /// # Errors
    /// No answer at all, no key, or a signature that could not be made.
    pub async fn send(&self, request: &Request) -> Result<Response> {
        self.tried(request).await?.outcome
    }

    /// The same, and whether the request may have been carried out although its outcome does not say so.
    ///
    /// # Errors
    /// No key, or a signature that could not be made; what came of sending is the first of the two.
    pub async fn sent(&self, request: &Request) -> Result<(Result<Response>, bool)> {
        let Sent { outcome, unclear } = self.tried(request).await?;
        Ok((outcome, unclear))
    }

    /// Sends a request that makes something. Where its answer is lost, `look` tells whether it was carried out all
    /// the same; only where it was not is the request sent again.
    ///
    /// # Errors
    /// What [`Client::send`] returns, and the service's refusal.
    pub async fn send_once<T>(
        &self,
        op: &Op,
        request: &Request,
        look: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<Once<T>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let Sent { outcome, unclear } = self.tried(request).await?;
            // Once an answer was lost, also a refusal may be about what that request made.
            let doubt = unclear || tries > 1;
            let (failure, again) = match outcome {
                Ok(response) => match response.answer(op) {
                    Ok(answer) if shows_it(op, &answer) => return Ok(Once::Answered(response, answer)),
                    // Accepted, but in words that nobody can read: as good as lost.
                    Ok(_) => (Error::new(Kind::Unreachable, "the answer does not say what was made"), true),
                    // A service that fails may have begun before it did.
                    Err(error) if response.is_success() || response.status == 500 || unclear => (error, true),
                    Err(error) if doubt => (error, false),
                    Err(error) => return Err(error),
                },
                Err(error) if doubt => (error, true),
                Err(error) => return Err(error),
            };
            self.trace_line("* its answer was lost: looking whether it was carried out");
            match self.find(&look).await {
                Ok(Some(found)) => return Ok(Once::Found(found)),
                Ok(None) if again && tries < ANEW => self.trace_line("* it was not: sending it again"),
                Ok(None) => return Err(failure),
                Err(error) => return Err(failure.because(error)),
            }
        }
    }

    /// Looks several times, since what was asked for may take a moment to be seen.
    async fn find<T>(&self, look: &impl AsyncFn() -> Result<Option<T>>) -> Result<Option<T>> {
        let mut last = Ok(None);
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            last = look().await;
            if matches!(last, Ok(Some(_))) {
                break;
            }
        }
        last
    }

    /// # Errors
    /// No key, or a signature that could not be made.
    async fn tried(&self, request: &Request) -> Result<Sent> {
        // A library user may wait for ever; the clock cannot.
        let patience = self.settings.request_timeout.saturating_mul(2).min(Duration::from_secs(366 * 86_400));
        let deadline = Instant::now() + patience;
        let safe = request.repeatable;
        // An earlier try may have been carried out although its answer did not say so.
        let mut may_have_arrived = false;
        let mut tries = 0;
        loop {
            tries += 1;
            self.pace.turn().await;
            // Dated after its turn has come: a date that waits grows stale.
            let wire = self.wire(request).await?;
            let begun = Instant::now();
            self.trace_request(request, &wire);
            let body = request.body.as_ref().map(|(_, body)| body.as_slice());
            let out = Outgoing {
                method: request.method.clone(),
                url: wire.url,
                headers: wire.headers,
                body,
                date: wire.date,
            };
            let (pause, outcome) = match self.transport.exchange(out).await {
                Ok(answer) => {
                    self.trace_response(&answer, begun.elapsed());
                    let gone = request.method == reqwest::Method::DELETE && matches!(answer.status, 404 | 410);
                    if may_have_arrived && gone {
                        let outcome = Ok(Response { status: 204, body: Vec::new(), ..answer });
                        return Ok(Sent { outcome, unclear: false });
                    }
                    // A proxy before CloudAPI says 503 for its own time-outs too, behind which the request
                    // may have been carried out. CloudAPI itself signs its refusals with a request id.
                    let refused = answer.status == 429 || answer.status == 503 && answer.header("request-id").is_some();
                    let unclear = matches!(answer.status, 502..=504) && !refused;
                    may_have_arrived |= unclear;
                    // A length that is right does not make it whole.
                    let cut = safe && answer.is_success() && breaks_off(&answer.body);
                    if !(refused || unclear && safe || cut) {
                        self.pace.taken();
                        return Ok(Sent { outcome: Ok(answer), unclear });
                    }
                    let pause = retry_after(&answer).unwrap_or_else(|| backoff(tries, Duration::from_millis(200)));
                    // What was too much for the service is everybody's affair.
                    if refused {
                        self.pace.slow_down(pause);
                    }
                    (pause, Ok(answer))
                }
                Err((trouble, error)) => {
                    self.trace_line(&format!("! {error}: {}", error.causes().join(": ")));
                    may_have_arrived |= matches!(trouble, Trouble::TimedOut | Trouble::BrokeOff | Trouble::Untakable);
                    let again = match trouble {
                        Trouble::NotSent => tries < 4,
                        Trouble::BrokeOff => safe && tries < 4,
                        Trouble::TimedOut | Trouble::Untakable | Trouble::Hopeless => false,
                    };
                    let unclear = may_have_arrived && !safe;
                    let error = if unclear {
                        error.hint("the request may have taken effect all the same: look before sending it again")
                    } else {
                        error
                    };
                    if !again {
                        return Ok(Sent { outcome: Err(error), unclear });
                    }
                    (backoff(tries, Duration::from_millis(100)), Err(error))
                }
            };
            if tries >= TRIES || Instant::now() + pause >= deadline {
                return Ok(Sent { outcome, unclear: may_have_arrived && !safe });
            }
            self.trace_line(&format!("* again in {pause:.1?}"));
            if let (Some(notice), 1) = (&self.notice, tries) {
                match &outcome {
                    Ok(answer) if answer.is_success() => notice("the service's answer breaks off; trying again"),
                    Ok(answer) => notice(&format!("the service answered {}; trying again", answer.status)),
                    // What failed at once is over as fast.
                    Err(error) if begun.elapsed() > Duration::from_secs(1) => notice(&format!("{error}; trying again")),
                    Err(_) => {}
                }
            }
            tokio::time::sleep(pause).await;
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

/// What the server asks for, in seconds or as a date; never more than half a minute.
fn retry_after(answer: &Response) -> Option<Duration> {
    let text = answer.header("retry-after")?;
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).ok()?,
    };
    Some(pause.min(Duration::from_secs(30)))
}

/// How long to wait before another try: twice as long after each, by chance somewhat more or less, and
/// never more than a hundred times the first pause.
pub fn backoff(tries: u32, first: Duration) -> Duration {
    first.mul_f64(f64::from(1 << tries.saturating_sub(1).min(6)) * (0.5 + jitter()))
}

/// A number from 0 to 1 that differs between processes started together.
pub(super) fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}
