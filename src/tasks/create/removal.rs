//! Away with a machine, and what became of it.

use std::time::Duration;

use super::{Call, Created, KEY_TAG, row_tag};
use crate::answer::{Answer, Row};
use crate::api::Op;
use crate::api::cloudapi::machines;
use crate::client::{Before, Client, Time, Wait, alike};
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::{Args, Request};
use crate::response::Response;

/// Before it is asked again at first.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// So many seconds before its request was answered a machine may say that it was created.
const SLACK: i64 = 600;

/// Sends the deletion of a machine until the service is able to carry it out: one that is being made cannot be deleted
/// before it has a server.
///
/// # Errors
/// No answer, another refusal, or the time is over.
pub async fn delete_when_allowed(
    client: &Client,
    op: &Op,
    request: &Request,
    time: &Time,
) -> Result<(Response, Answer)> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match client.answered(op, request).await {
            Ok(sent) => return Ok(sent),
            Err(error) => error,
        };
        if !error.fault().is_some_and(|fault| fault.status == 409 && fault.code == "ConflictError") {
            return Err(error);
        }
        if pause >= time.left() {
            let words = format!("the service did not take the deletion within {:?}", time.said());
            return Err(error.about(&words));
        }
        // Nothing goes on.
        client.out(request, false);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// What came of removing a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// This deleted it, and it is gone.
    Deleted,
    /// It was gone already, and the service shows that it was there.
    Gone,
    /// The service knows nothing of it: it may not have seen it yet.
    Unknown,
}

impl Removed {
    /// What a refusal says that finds no machine.
    fn of(error: &Error) -> Removed {
        match error.fault() {
            Some(fault) if fault.status == 410 => Removed::Gone,
            _ => Removed::Unknown,
        }
    }
}

/// Deletes a machine and waits until it is gone. The service is asked again while it is not able to: one that is
/// being made cannot be deleted before it has a server.
///
/// # Errors
/// The service refused for another reason, or it took longer than this.
pub async fn remove(client: &Client, id: &str, patience: Duration) -> Result<Removed> {
    let time = Time::new(patience);
    let mut pause = FIRST_PAUSE;
    let args = Args::new().set("machine", id);
    let request = client.request(&machines::DELETE, &args)?;
    let sent = loop {
        match delete_when_allowed(client, &machines::DELETE, &request, &time).await {
            Ok((sent, _)) => break sent,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Removed::of(&error)),
            Err(error) if !matches!(error.kind(), Kind::Unreachable | Kind::Throttled) => return Err(error),
            Err(error) if pause >= time.left() => return Err(error),
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    };
    let gone = Wait {
        state: None,
        op: &machines::DELETE,
        args,
        name: id,
        // A job that fails is known by its entry since then.
        since: sent.header("date"),
        before: Before::default(),
        time,
    };
    client.wait(gone, |_| {}).await.map(|_| Removed::Deleted)
}

/// What tells a machine that was made here from another one, whoever said its id.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// The name that was sent, if one was.
    pub sent: Option<String>,
    /// The name that was answered.
    pub answered: Option<String>,
    /// The key in its tag.
    pub key: Option<String>,
    /// When the service answered, by its own clock.
    pub date: Option<String>,
}

impl Own {
    /// What was made for this call, under this key.
    pub fn of(call: &Call, made: &Created, key: Option<&str>) -> Own {
        let answered = made.machine.first().and_then(|row| row.text("/name").map(|name| name.into_owned()));
        Own {
            sent: call.args.text("name").map(str::to_owned),
            answered,
            key: key.map(str::to_owned),
            date: made.date.clone(),
        }
    }

    /// The name by which it is looked for, as far as it is known.
    pub fn name(&self) -> Option<&str> {
        let known = self.sent.as_deref().filter(|name| !name.contains("{{"));
        known.or(self.answered.as_deref()).filter(|name| !name.is_empty())
    }

    /// Why a record is not known to be of it; nothing where it is.
    pub fn doubt(&self, row: Row<'_>) -> Option<String> {
        let id = row.text_or_empty("/id");
        let not = |why: String| Some(format!("machine {id} is not known to be the one that was made: {why}"));
        if self.key.as_ref().is_some_and(|key| row_tag(row).as_ref() != Some(key)) {
            return not(format!("its tag {KEY_TAG} is not {}", self.key.as_deref().unwrap_or_default()));
        }
        let shown = row.text("/name").unwrap_or_default();
        let is_sent = self.sent.as_deref().is_some_and(|sent| alike::name(&sent.into(), &shown.as_ref().into()));
        if shown.is_empty() || !is_sent && self.answered.as_deref() != Some(&*shown) {
            let name = self.name().unwrap_or_default();
            return not(match shown.is_empty() {
                true => "it shows no name".to_owned(),
                false => format!("its name is {shown}, not {name}"),
            });
        }
        let created = row.text("/created").and_then(|text| Some(text.parse::<jiff::Timestamp>().ok()?.as_second()));
        let answered = self.date.as_deref().and_then(|date| httpdate::parse_http_date(date).ok());
        let answered = answered.and_then(|date| Some(jiff::Timestamp::try_from(date).ok()?.as_second()));
        match created.zip(answered) {
            Some((created, answered)) if answered.saturating_sub(created) > SLACK => {
                not("it was created before it was asked for".to_owned())
            }
            _ => None,
        }
    }

    /// Takes away what would delete another one by its id, and says how the one that may be left is found. What an
    /// error shows of the other one is not of it either.
    pub fn without_deletion(&self, error: Error) -> Error {
        let error = error.without_body().without_hints_of("machines delete");
        let error = match self.name() {
            Some(name) => {
                let look = CommandLine::new("machines get").on(name);
                error.hint(Hint::run("what was made may be left; whether it is there", look))
            }
            None => error,
        };
        error.hint(Hint::run("if it has an end, once that is over", "reap --expired"))
    }
}

/// What came of removing what was made here.
pub enum OwnRemoved {
    /// As of any machine.
    Sent(Removed),
    /// Nothing was sent: the machine of its id is not known to be it, for this reason.
    Doubtful(String),
}

/// The same of a machine that was made here: one that shows that it is another's is not deleted, nor one that does not
/// show whose it is. Nothing else keeps its deletion from being sent: a look may come too soon, or not be allowed, and
/// the machine costs. `deleting` is told before it is sent.
///
/// # Errors
/// As [`remove`].
pub async fn remove_own(
    client: &Client,
    id: &str,
    own: &Own,
    patience: Duration,
    deleting: impl FnOnce(),
) -> Result<OwnRemoved> {
    let seen = client.call(&machines::GET, &Args::new().set("machine", id)).await;
    if let Some(doubt) = seen.ok().and_then(|seen| own.doubt(seen.first()?)) {
        return Ok(OwnRemoved::Doubtful(doubt));
    }
    deleting();
    remove(client, id, patience).await.map(OwnRemoved::Sent)
}

/// Whether a machine is not there any more, as far as the service says.
pub(super) async fn missing(client: &Client, id: &str) -> Option<Removed> {
    match client.call(&machines::GET, &Args::new().set("machine", id)).await {
        Ok(seen) => {
            let state = seen.first().and_then(|row| row.text("/state").map(|state| state.into_owned()));
            state.filter(|state| matches!(state.as_str(), "deleted" | "destroyed")).map(|_| Removed::Gone)
        }
        Err(error) => (error.kind() == Kind::NotFound).then(|| Removed::of(&error)),
    }
}
