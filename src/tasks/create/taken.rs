//! A machine that is taken in the place of a new one: it gets the time that is asked for, and what else of it is not as
//! asked for is told.

use std::time::Duration;

use serde_json::Value;

use super::{CreateOptions, EXPIRES_TAG, Existing, GONE, KEY_TAG, is_forbidden};
use crate::answer::{Answer, Row, scan};
use crate::api::cloudapi::{machines, tags};
use crate::client::{Before, Client, Time, Wait};
use crate::error::{CommandLine, Error, Hint, Kind, Result};
use crate::request::Args;
use crate::sensitive;
use crate::tasks::Report;
use crate::tasks::call::Call;
use crate::tasks::values;

/// How long it may take until a machine has another time.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(60);
/// So much more time is worth two requests.
const WORTH_IT: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);

impl CreateOptions {
    /// The machine that is there already and is meant, with as much time as is asked for: one whose time is over is
    /// about to be deleted by whoever removes such machines. One that is gone by then is not there.
    ///
    /// # Errors
    /// As [`CreateOptions::there`]; its time could not be changed.
    pub async fn taken(&self, client: &Client, call: &Call, report: &dyn Report) -> Result<Existing> {
        let mut there = self.there(client, call).await?;
        let Some(machine) = there.machine.take() else { return Ok(there) };
        let text = |field: &str| machine.first().and_then(|row| row.text(field).map(|text| text.into_owned()));
        let (id, name) = (text("/id").unwrap_or_default(), text("/name").unwrap_or_default());
        let called = format!("machine {name} ({id})");
        if let Some(doubt) = there.doubt.take() {
            let words = format!("{called} is taken without a look at its package: {}", doubt.message());
            report.warn(&Hint::from(words));
        }
        // One that is deleted is shown as running until the deletion has begun, and then as stopping.
        if text("/state").as_deref() == Some("stopping") {
            report.urge(&Hint::from(format!("{called} is stopping: it may be about to be deleted")));
        }
        let asked = call.args.get(&format!("tag.{EXPIRES_TAG}")).map(values::typed_tag);
        let (has, asked) = (text(&expires_at()), asked.as_ref().and_then(|asked| asked.as_str()));
        let differs = machine.first().map(|row| differing(&call.args, row)).unwrap_or_default();
        if !differs.is_empty() {
            let stays = if differs.len() == 1 { "stays" } else { "stay" };
            report.say(&format!("note: {called}: {} {stays} as before, not as asked for", differs.join(", ")));
        }
        let is_over = has.as_deref().and_then(time).is_some_and(|has| has <= client.now());
        let (has, asked) = (has.unwrap_or_default(), asked.unwrap_or_default());
        let renews = match (time(&has), time(asked)) {
            (Some(old), Some(new)) => is_over && new > old || new.duration_since(old) >= WORTH_IT,
            // What cannot be read never ends. Without any it ends as asked where it is this key's own.
            (None, Some(_)) => !has.is_empty() || self.key.is_some(),
            (_, None) => false,
        };
        match renews {
            true => {
                let renewed = match self.renewed(client, (&id, &name), asked).await {
                    Ok(Some(renewed)) => renewed,
                    Ok(None) => {
                        there.past.push((id, machine));
                        return Ok(there);
                    }
                    // The first run needed no right to set tags. Whoever may not give it more time has it as it is.
                    Err(error) if is_forbidden(&error) => {
                        report.urge(&Hint::from(error.message().to_owned()));
                        there.machine = Some(machine);
                        return Ok(there);
                    }
                    Err(error) => return Err(error),
                };
                let words = format!("{called}: is wanted until {asked} now");
                match (is_over, has.is_empty()) {
                    (true, _) => report.urge(&Hint::from(format!("{words}, not {has}, which is over"))),
                    (false, true) => report.urge(&Hint::from(format!("{words}, and had no end"))),
                    (false, false) => report.say(&format!("{words}, not {has}")),
                }
                there.machine = Some(renewed);
            }
            false => {
                let endless = has.is_empty() && !asked.is_empty();
                if endless {
                    report.urge(&Hint::from(format!("{called}: has no end, and stays so: {EXPIRES_TAG} is not set")));
                }
                if is_over {
                    let more = CommandLine::new("machines tags set").on(id).on(format!("{EXPIRES_TAG}=2h"));
                    let words = format!("{called}: it was wanted until {has} only, and may be deleted at any time");
                    report.urge(&Hint::run(words, more));
                }
                there.machine = Some(machine);
            }
        }
        Ok(there)
    }

    /// Gives a machine this time, and returns it as it is then; none if it is gone by then.
    async fn renewed(&self, client: &Client, (id, name): (&str, &str), asked: &str) -> Result<Option<Answer>> {
        let args = Args::new().set("machine", id).set(EXPIRES_TAG, asked);
        let what = format!("machine {name} ({id})");
        let gone = |error: Error| match error.kind() {
            Kind::NotFound => Ok(None),
            _ => Err(error.about(&format!("{what}: its time is over or sooner than asked for, and stays"))),
        };
        let (sent, _) = match client.answered(&tags::SET, &client.request(&tags::SET, &args)?).await {
            Ok(sent) => sent,
            Err(error) => return gone(error),
        };
        let held = Wait {
            state: None,
            op: &tags::SET,
            args,
            name,
            since: sent.header("date"),
            before: Before::default(),
            time: Time::new(RENEWAL_TIMEOUT),
        };
        let held = client.wait(held, |_| {}).await;
        // Whether it is there is what counts: a job for a machine that is being deleted fails in many ways.
        let now = match client.call(&machines::GET, &Args::new().set("machine", id)).await {
            Ok(now) => now,
            Err(error) => return gone(error),
        };
        let state = now.first().and_then(|row| row.text("/state").map(|state| state.into_owned())).unwrap_or_default();
        if GONE.contains(&state.as_str()) {
            return Ok(None);
        }
        held.map_or_else(gone, |_| Ok(Some(now)))
    }
}

/// Where a machine's record has its time.
fn expires_at() -> String {
    format!("/tags/{EXPIRES_TAG}")
}

/// The time that such a tag has; none where it cannot be read.
fn time(text: &str) -> Option<jiff::Timestamp> {
    text.trim().parse().ok()
}

/// What was asked for and is different in this machine, of what it shows. Image, package and name are compared
/// elsewhere, its time is renewed.
fn differing(args: &Args, row: Row<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for (name, value) in args.iter() {
        let (pointer, word) = match name.split_once('.') {
            _ if ["name", "image", "package"].contains(&name) => continue,
            Some(("tag", tag)) if tag == KEY_TAG => continue,
            Some(("tag", EXPIRES_TAG)) => continue,
            Some(("tag", tag)) => (["tags", tag], format!("tag {tag}")),
            Some(("metadata", key)) => (["metadata", key], format!("metadata {key}")),
            None => ([name, ""], name.replace('_', "-")),
            Some(_) => continue,
        };
        let steps = &pointer[..if pointer[1].is_empty() { 1 } else { 2 }];
        let there = scan::at(row.json(), steps);
        let asked = values::typed_tag(value);
        let same = match there.map(serde_json::from_str::<Value>) {
            // Of what a machine does not show nobody knows whether it differs; tags and metadata it shows all.
            None if steps.len() == 1 || sensitive::is_secret_name(pointer[1]) => true,
            None | Some(Err(_)) => false,
            Some(Ok(there)) => is_same(&there, &asked),
        };
        if !same {
            names.push(word);
        }
    }
    names
}

/// Whether a value is the one that was asked for: as a text, or in a list that has the same whatever its order.
fn is_same(there: &Value, asked: &Value) -> bool {
    use serde_json::Value::{Array, Object, String as Text};
    match (there, asked) {
        (Array(there), Array(asked)) => {
            let plain = asked.iter().all(Value::is_string);
            !plain || there.len() == asked.len() && asked.iter().all(|one| there.contains(one))
        }
        // What is asked for in parts is shown in others.
        (Array(_) | Object(_), _) | (_, Array(_) | Object(_)) => true,
        (Text(there), Text(asked)) => there == asked,
        (there, Text(asked)) => format!("{there}") == asked.as_str(),
        (there, asked) => there == asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Arg;

    #[test]
    fn what_differs_of_a_machine_that_is_there_is_named_without_its_value() {
        let machine = r#"{"name":"a","image":"i","firewall_enabled":false,"networks":["n1","n2"],"brand":"bhyve",
            "tags":{"role":"web","n":7,"sdc.expires":"2030-01-31T18:00:00Z"},"metadata":{"a":"1"}}"#;
        let machine = Answer::from_record(machine.as_bytes()).unwrap();
        let json = |text: &str| Arg::json(text).unwrap();
        let mut args = Args::new().set("name", "b").set("tag.role", "web").set("metadata.a", "1");
        args.push("networks", json(r#"["n2","n1"]"#));
        args.push("tag.n", json("7"));
        args.push("tag.sdc.expires", Arg::Text("2031-01-31T18:00:00Z".to_owned()));
        assert!(differing(&args, machine.first().unwrap()).is_empty());
        let mut args =
            Args::new().set("tag.role", "db").set("tag.new", "1").set("metadata.a", "2").set("affinity", "x");
        args.push("firewall_enabled", json("true"));
        args.push("networks", json(r#"["n1"]"#));
        // What is a password is not shown, and so nothing is known of it.
        args.push("metadata.root_password", Arg::Text("s3cret".to_owned()));
        let names = ["tag role", "tag new", "metadata a", "firewall-enabled", "networks"];
        assert_eq!(differing(&args, machine.first().unwrap()), names);
    }
}
