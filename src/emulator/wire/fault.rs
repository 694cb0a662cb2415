//! Faults that can be planted: what is wrong with which requests, and how often. Keeps the plans and says whom they
//! strike; `parse` reads them, `server` and `answer` act on them.

mod known;
mod parse;

use std::time::Duration;

use crate::emulator::http::head::Twist;
use crate::emulator::http::service::Limit;
pub use parse::{duration, seconds};

/// A fault: requests it is for, and what happens to them.
///
/// Written as `[METHOD] PATH EFFECT… [times=N] [skip=N] [for=30s] [at=SERVICE] [p=0.05] [seed=N]`, or as
/// `clock=±SECONDSs`, `throttle=on|off|N`, `lost=SERVER`, `heard=SERVER`, `ticket=VM` or `runner=none|free` alone. In the
/// path, which leaves out the login, `*` stands for any one segment, `**` at its end for any number of them, and a `*`
/// alone for every path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    spec: String,
    method: Option<String>,
    path: String,
    /// How many more requests pass before it strikes.
    skip: u32,
    /// How many more it strikes; `None` for all.
    times: Option<u32>,
    /// How long it strikes once it is planted, by the machines' clock; for ever if not set.
    lasts: Option<Duration>,
    /// When it does not any more, in milliseconds since 1970.
    until: Option<i64>,
    /// The service that it is for; all if not set.
    service: Option<String>,
    /// With which part of the requests that it is for it strikes; with all if not set.
    part: Option<f64>,
    /// Where its dice are.
    dice: u64,
    /// How much longer than the delay it may take.
    jitter: Duration,
    pub(crate) effect: Effect,
}

/// What happens to a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Effect {
    /// The texts of the faults that it comes of, once they have struck.
    pub(crate) by: Vec<String>,
    /// Waits before anything.
    pub(crate) delay: Option<Duration>,
    /// Answers with this status and an error body.
    pub(crate) status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) retry_after: Option<u64>,
    /// The words of the error.
    pub(crate) words: Option<&'static str>,
    /// Makes the error body about this long.
    pub(crate) big: usize,
    pub(crate) drop: Option<Drop>,
    /// Never answers.
    pub(crate) hang: bool,
    /// Sends so many bytes of the body, then closes the connection.
    pub(crate) cut: Option<usize>,
    /// Answers with a proxy's page.
    pub(crate) html: bool,
    /// Carries it out, but answers 204 without the body that is due.
    pub(crate) empty: bool,
    /// Closes the connection after the answer.
    pub(crate) close: bool,
    /// What the service itself does.
    pub(crate) twist: Twist,
    /// The body comes so slowly, in bytes a second.
    pub(crate) drip: Option<u64>,
    /// The body is no JSON, or none that fits.
    pub(crate) json: Option<Json>,
    /// The length that is said is so many bytes off.
    pub(crate) length: Option<i64>,
    /// Sets the limit of requests, at once and for good.
    pub(crate) throttle: Option<Limit>,
    /// Puts the server's time of day wrong, at once and for good.
    pub(crate) clock: Option<i64>,
    /// What happens in the data center, at once and for good.
    pub(crate) event: Option<Event>,
}

/// What happens in the data center without anybody having asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// This server is not heard from any more.
    Lost(String),
    /// It is again.
    Heard(String),
    /// A job has left the ticket of this VM behind.
    Ticket(String),
    /// Whether runners of the workflow service are free.
    Runner { free: bool },
}

/// A request that a fault may strike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The part of the path that is below an account.
    pub(crate) below: &'a str,
    /// The name of the service.
    pub(crate) service: &'a str,
    /// The machines' time, in milliseconds since 1970.
    pub(crate) now: i64,
}

/// What a body holds in the place of its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// Half of it, with the right length.
    Cut,
    /// JSON of another type.
    Wrong,
}

/// When a connection is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drop {
    /// Before the request is carried out.
    Before,
    /// After the headers and half of the body.
    Amid,
    /// After the request has been carried out, before an answer.
    After,
}

impl Fault {
    /// The text it was made from.
    pub fn spec(&self) -> &str {
        &self.spec
    }

    /// Begins to strike.
    pub(crate) fn begin(&mut self, now: i64) {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        self.until = self.lasts.map(|lasts| now.saturating_add(ms(lasts)));
    }

    /// Whether it is for this request.
    fn is_for(&self, asked: Asked<'_>) -> bool {
        if self.method.as_deref().is_some_and(|method| method != asked.method)
            || self.service.as_deref().is_some_and(|service| service != asked.service)
        {
            return false;
        }
        if self.path == "*" || self.path == asked.path {
            return true;
        }
        let mut have = asked.below.split('/').filter(|part| !part.is_empty());
        let mut want = self.path.split('/').filter(|part| !part.is_empty());
        loop {
            match (want.next(), have.next()) {
                (None, None) | (Some("**"), _) => return true,
                (Some(want), Some(have)) if want == "*" || want == have => {}
                _ => return false,
            }
        }
    }
}

impl Effect {
    /// Whether it has done its work when it is planted.
    fn acts_at_once(&self) -> bool {
        self.clock.is_some() || self.throttle.is_some() || self.event.is_some()
    }

    /// Whether it changes nothing of the answer, and so goes together with another fault.
    fn only_slows(&self) -> bool {
        *self == Effect { delay: self.delay, drip: self.drip, close: self.close, ..Effect::default() }
    }

    /// Adds what only slows.
    fn slow(&mut self, other: &Effect) {
        self.delay = match (self.delay, other.delay) {
            (Some(one), Some(another)) => Some(one.saturating_add(another)),
            (one, another) => one.or(another),
        };
        self.drip = self.drip.or(other.drip);
        self.close |= other.close;
        self.by.extend_from_slice(&other.by);
    }
}

impl Fault {
    /// The next number from 0 to 1: the same ones for the same seed (splitmix64).
    fn roll(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether it strikes now, which is thereby counted; and with what.
    fn strike(&mut self) -> Option<Effect> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if let Some(part) = self.part
            && self.roll() >= part
        {
            return None;
        }
        self.times = self.times.map(|times| times.saturating_sub(1));
        let mut effect = Effect { by: vec![self.spec.clone()], ..self.effect.clone() };
        if !self.jitter.is_zero() {
            let more = self.jitter.mul_f64(self.roll());
            effect.delay = Some(effect.delay.unwrap_or_default().saturating_add(more));
        }
        Some(effect)
    }
}

/// The faults that are planted.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn plant(&mut self, fault: Fault) {
        // What acts at once has done its work, and must not hide another.
        if !fault.effect.acts_at_once() {
            self.0.push(fault);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn specs(&self) -> Vec<String> {
        self.0.iter().map(|fault| fault.spec.clone()).collect()
    }

    /// What happens to this request: the effect of the first fault that strikes it, and of all that only slow it down.
    /// Those that strike are counted.
    pub(crate) fn strike(&mut self, asked: Asked<'_>) -> Option<Effect> {
        let mut slowed: Option<Effect> = None;
        let mut struck: Option<Effect> = None;
        let lasts = |fault: &&mut Fault| fault.times != Some(0) && fault.until.is_none_or(|until| asked.now < until);
        for fault in self.0.iter_mut().filter(lasts) {
            let slows = fault.effect.only_slows();
            if !fault.is_for(asked) || struck.is_some() && !slows {
                continue;
            }
            match fault.strike() {
                Some(effect) if slows => slowed.get_or_insert_default().slow(&effect),
                Some(effect) => struck = Some(effect),
                None => {}
            }
        }
        match (struck, slowed) {
            (Some(mut effect), Some(slow)) => {
                effect.slow(&slow);
                Some(effect)
            }
            (struck, slowed) => struck.or(slowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request at the beginning of time.
    fn to<'a>(method: &'a str, path: &'a str, below: &'a str) -> Asked<'a> {
        Asked { method, path, below, service: "cloudapi", now: 0 }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_fault_or_refused(text in ".{0,60}") {
            let _ = text.parse::<Fault>();
        }
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says() {
        let mut faults = Faults::default();
        faults.plant("GET /machines status=503 times=2 skip=1".parse().unwrap());
        let hits: Vec<bool> = (0..5)
            .map(|_| faults.strike(to("GET", "/acme/machines", "/machines")).and_then(|e| e.status).is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert!(faults.strike(to("POST", "/acme/machines", "/machines")).is_none());
    }

    #[test]
    fn a_fault_lasts_as_long_as_it_says_and_is_for_one_service_where_it_says_so() {
        let mut fault: Fault = "GET /jobs status=503 for=30s at=workflow".parse().unwrap();
        fault.begin(1000);
        let mut faults = Faults::default();
        faults.plant(fault);
        let mut strikes =
            |service: &str, now: i64| faults.strike(Asked { service, now, ..to("GET", "/jobs", "/jobs") }).is_some();
        assert!(strikes("workflow", 1000) && strikes("workflow", 30_999));
        assert!(!strikes("vmapi", 1000) && !strikes("workflow", 31_000));
    }

    #[test]
    fn a_star_stands_for_one_segment_and_alone_for_all() {
        let one: Fault = "/machines/* hang".parse().unwrap();
        assert!(one.is_for(to("GET", "/acme/machines/x", "/machines/x")));
        assert!(!one.is_for(to("GET", "/acme/machines", "/machines")));
        assert!(!one.is_for(to("GET", "/acme/machines/x/tags", "/machines/x/tags")));
        let below: Fault = "/machines/** hang".parse().unwrap();
        assert!(
            below.is_for(to("GET", "/acme/machines/x/tags/y", "/machines/x/tags/y"))
                && below.is_for(to("GET", "/acme/machines", "/machines"))
        );
        assert!(!below.is_for(to("GET", "/acme/images", "/images")));
        let all: Fault = "* delay=1s".parse().unwrap();
        assert!(all.is_for(to("DELETE", "/--ping", "")));
        let account: Fault = "GET / html".parse().unwrap();
        assert!(account.is_for(to("GET", "/acme", "")));
        let ping: Fault = "/--ping drop=before".parse().unwrap();
        assert!(ping.is_for(to("GET", "/--ping", "")));
    }

    fn hits(spec: &str) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.plant(spec.parse().unwrap());
        (0..1000).map(|_| faults.strike(to("GET", "/acme/machines", "/machines")).is_some()).collect()
    }

    #[test]
    fn a_part_of_the_requests_is_struck_and_the_same_one_for_the_same_seed() {
        let one = hits("* status=503 p=0.05 seed=7");
        let many = one.iter().filter(|hit| **hit).count();
        assert!((25..=80).contains(&many), "{many} of a thousand");
        assert_eq!(one, hits("* status=503 p=0.05 seed=7"));
        assert_ne!(one, hits("* status=503 p=0.05 seed=8"));
        assert_eq!(hits("* status=503 p=0.5"), hits("* status=503 p=0.5"));
        assert_eq!(hits("* status=503 p=1 times=3").iter().filter(|hit| **hit).count(), 3);
    }

    #[test]
    fn what_only_slows_goes_together_with_what_strikes_and_of_those_the_first_does() {
        let mut faults = Faults::default();
        for spec in ["* delay=1s", "GET /machines status=503 times=1", "* html", "* delay=2s close"] {
            faults.plant(spec.parse().unwrap());
        }
        let first = faults.strike(to("GET", "/acme/machines", "/machines")).unwrap();
        assert_eq!((first.delay, first.status, first.html), (Some(Duration::from_secs(3)), Some(503), false));
        assert!(first.close);
        assert_eq!(first.by, ["GET /machines status=503 times=1", "* delay=1s", "* delay=2s close"]);
        let second = faults.strike(to("GET", "/acme/machines", "/machines")).unwrap();
        assert_eq!((second.status, second.html), (None, true));
        assert_eq!(second.by, ["* html", "* delay=1s", "* delay=2s close"]);
    }

    #[test]
    fn jitter_is_at_most_what_was_said() {
        let mut faults = Faults::default();
        faults.plant("* delay=100ms jitter=50ms seed=3".parse().unwrap());
        let delays: Vec<Duration> =
            (0..100).map(|_| faults.strike(to("GET", "/acme", "")).and_then(|e| e.delay).unwrap()).collect();
        assert!(delays.iter().all(|d| (100..=150).contains(&d.as_millis())), "{delays:?}");
        assert!(delays.iter().any(|delay| *delay != delays[0]));
    }

    #[test]
    fn what_is_wrong_with_a_fault_is_named() {
        for (spec, words) in [
            ("GET /machines", "it says not what goes wrong"),
            ("GET /machines stats=1", "'stats=1' is not a known word"),
            ("status=9", "9 is no status"),
            ("status=x", "'status=x' needs a whole number"),
            ("drop=never", "'drop=never' is none of drop=before"),
            ("delay=fast", "'delay=fast' needs a time"),
            ("hang=1", "'hang' takes no value"),
            ("clock=later", "'clock=later' needs seconds"),
            ("* status=503 p=2", "'p=2' needs a part of 1"),
            ("json=bad", "'json=bad' is none of json=cut, json=wrong"),
            ("pages=thrice", "'pages=thrice' is none of"),
            ("length=0", "'length=0' needs bytes"),
            ("throttle=maybe", "'throttle=maybe' is none of"),
            ("throttle=0", "'throttle=0' is none of throttle=on, throttle=off, throttle=5"),
            ("drip=0", "'drip=0' needs bytes a second"),
            ("* hang times=0", "'times=0' would never strike"),
            ("* hang p=0", "'p=0' would never strike"),
            ("* hang for=0s", "'for=0s' would never strike"),
            ("* hang for=ever", "'for=ever' needs a time, as in 'for=30s'"),
            ("* hang at=", "'at=' needs a service, as in 'at=workflow'"),
            ("ticket=", "'ticket=' needs a VM, as in 'ticket=web1'"),
            ("runner=some", "'runner=some' is none of runner=none, runner=free"),
            ("get /machines hang", "'get' is a method, and methods are written in capitals: GET"),
            ("PATCH /machines hang", "'PATCH' is no method of GET, HEAD, POST, PUT, DELETE"),
            ("GET machines/* hang", "'machines/*' is neither a path, which begins with a slash, nor"),
            ("GET machines hang", "'machines' is neither a path, which begins with a slash, nor a known word"),
            ("hagn", "'hagn' is neither a path, which begins with a slash, nor a known word"),
            ("hang /machines", "'/machines' must stand before what goes wrong"),
            ("hang GET", "'GET' must stand before what goes wrong"),
            ("/machines /keys hang", "it has two paths"),
            ("GET POST hang", "it has two methods"),
            ("* hang status=503", "with 'hang' nobody sees anything of 'status'"),
            ("* drop=before json=cut", "with 'drop=before' nobody sees anything of 'json'"),
            ("* drop=after status=500", "with 'drop=after' nobody sees anything of 'status'"),
            ("* drop=amid cut=5", "with 'drop=amid' nobody sees anything of 'cut'"),
            ("* html retry-after=1 status=503", "with 'html' nobody sees anything of 'retry-after'"),
            ("* status=500 fail", "with 'status' nobody sees anything of 'fail'"),
            ("* status=500 empty", "with 'status' nobody sees anything of 'empty'"),
            ("* empty cut=5", "with 'empty' nobody sees anything of 'cut'"),
            ("* retry-after=1", "'retry-after=' and 'code=' are for an error: add status=503"),
        ] {
            let error = spec.parse::<Fault>().unwrap_err();
            assert!(error.message().contains(words) && error.message().contains(spec), "{error}");
        }
    }

    #[test]
    fn what_acts_at_once_and_on_every_request_stands_alone() {
        for (spec, beside) in [
            ("GET clock=+1h", "'GET'"),
            ("/machines clock=+1h", "'/machines'"),
            ("clock=+1h times=2", "'times=2'"),
            ("clock=+1h skip=1", "'skip=1'"),
            ("clock=+1h p=0.5 seed=3", "'p=0.5', 'seed=3'"),
            ("GET /machines throttle=on times=1", "'GET', '/machines', 'times=1'"),
            ("throttle=5 hang", "'hang'"),
            ("* clock=5 throttle=on", "'clock=5'"),
            ("ticket=web1 for=30s", "'for=30s'"),
            ("POST /vms runner=none", "'POST', '/vms'"),
        ] {
            let error = spec.parse::<Fault>().unwrap_err();
            let words =
                format!("acts at once, for good and on every request, and so takes nothing beside it: {beside}");
            assert!(error.message().ends_with(&words), "{error}");
        }
        // Every request is what it is for.
        assert_eq!("* clock=+1h".parse::<Fault>().unwrap().effect.clock, Some(3600));
        for (spec, limit) in [("on", Limit::Usual), ("off", Limit::Off), ("5", Limit::Rate(5))] {
            let fault: Fault = format!("throttle={spec}").parse().unwrap();
            assert_eq!(fault.effect.throttle, Some(limit));
        }
    }

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("1e9s"), None);
        assert_eq!(seconds("-1h"), Some(-3600));
        assert_eq!(seconds("+400s"), Some(400));
    }
}
