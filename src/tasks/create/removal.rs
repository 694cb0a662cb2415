//! Away with a machine, and what became of it.

use std::time::Duration;

use super::{KEY_TAG, row_tag};
use crate::answer::Answer;
use crate::api::Op;
use crate::api::cloudapi::machines;
use crate::client::{Before, Client, Time, Wait};
use crate::error::{Error, Kind, Result};
use crate::request::{Args, Request};
use crate::response::Response;

/// Before it is asked again at first.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

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

/// The same of a machine that a key has made: one that shows another key in its tag is another's, whoever said its id.
/// Nothing else keeps its deletion from being sent: a look may come too soon, or not be allowed, and the machine costs.
///
/// # Errors
/// As [`remove`]; [`Kind::Unreachable`] where it is another one.
pub async fn remove_of_key(client: &Client, id: &str, key: &str, patience: Duration) -> Result<Removed> {
    let seen = client.call(&machines::GET, &Args::new().set("machine", id)).await;
    let is_anothers = |seen: Answer| seen.first().is_some_and(|row| row_tag(row).as_deref() != Some(key));
    if seen.is_ok_and(is_anothers) {
        let words = format!("machine {id} is another one than was made: its tag {KEY_TAG} is not {key}");
        return Err(Error::new(Kind::Unreachable, words));
    }
    remove(client, id, patience).await
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
