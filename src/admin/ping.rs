//! What a service answers to `GET /ping`: ten shapes, which become one. By its shape a service is also told from another
//! one that has its address by now.

use serde_json::{Map, Value};

use crate::api::admin::CUSTOMERS;

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It does all it is for.
    Up,
    /// It answers, and lacks something.
    Degraded,
    /// It does not answer, or nothing can be done with it.
    Down,
}

impl State {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Degraded => "degraded",
            State::Down => "down",
        }
    }
}

/// How a service is, and why it is not up; empty where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How.
    pub state: State,
    /// Why.
    pub why: String,
}

impl Health {
    /// It is up.
    pub fn up() -> Health {
        Health { state: State::Up, why: String::new() }
    }

    /// It answers, and lacks this.
    pub fn degraded(why: impl Into<String>) -> Health {
        Health { state: State::Degraded, why: why.into() }
    }

    /// It is down for this.
    pub fn down(why: impl Into<String>) -> Health {
        Health { state: State::Down, why: why.into() }
    }
}

/// Reads an answer as that of the service of this name.
///
/// # Errors
/// Whose answer it is instead, in words.
pub fn read(service: &str, status: u16, body: &[u8]) -> Result<Health, String> {
    let service = service.to_ascii_lowercase();
    let value = value_of(body);
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    // A restify error instead of the ping itself: it is known by its code alone.
    if status >= 500 && text(object, "code").is_some() {
        let words = text(object, "message").or_else(|| text(object, "code")).unwrap_or_default();
        return Ok(Health::down(format!("{status}: {words}")));
    }
    if !fits(&service, status, body, object) {
        return Err(who(status, body));
    }
    let offline = offline(object);
    Ok(match service.as_str() {
        "mahi" => Health::up(),
        "vmapi" | "napi" | "fwapi" | "volapi" => of_status(&service, status, object, &offline),
        "cnapi" if object.get("ready") != Some(&Value::Bool(true)) => Health::down(words("not ready", &offline)),
        "papi" | "workflow" => match text(object, "backend") {
            Some("up") => Health::up(),
            backend => {
                let backend = format!("its store is {}", backend.unwrap_or("not told of"));
                Health::down(words(&backend, text(object, "backend_error").unwrap_or_default()))
            }
        },
        "sapi" if object.get("storAvailable") != Some(&Value::Bool(true)) => Health::down("its store is not available"),
        "sapi" => match text(object, "mode") {
            Some("full") => Health::up(),
            mode => Health::degraded(format!("its mode is {}", mode.unwrap_or("not told"))),
        },
        "amon" if object.contains_key("redisErr") => {
            Health::degraded(words("its store fails", text(object, "redisErr").unwrap_or_default()))
        }
        _ if !offline.is_empty() => Health::degraded(offline),
        _ => Health::up(),
    })
}

/// One with a `status`, which is `OK` or says what is the matter.
fn of_status(service: &str, status: u16, object: &Map<String, Value>, offline: &str) -> Health {
    let said = text(object, "status").unwrap_or_default();
    let moray = object.get("initialization").and_then(|all| all.get("moray")?.as_object());
    let store = moray.map_or(String::new(), |moray| {
        let store = text(moray, "status").map(|status| format!("its store: {status}")).unwrap_or_default();
        words(&store, text(moray, "error").unwrap_or_default())
    });
    match (said, status, object.get("healthy")) {
        ("OK", 200, Some(Value::Bool(false))) => Health::degraded(words("not healthy", &words(offline, &store))),
        ("OK", 200, _) if !offline.is_empty() => Health::degraded(offline),
        ("OK", 200, _) => Health::up(),
        // VMAPI answers 503 with what it lacks, the others 200.
        ("", ..) => Health::down(format!("{service} does not tell its status")),
        (said, ..) => Health::down(words(said, &words(offline, &store))),
    }
}

/// Which of the services that it needs are not there.
fn offline(object: &Map<String, Value>) -> String {
    let services = object.get("services").and_then(Value::as_object).into_iter().flatten();
    let missing = services.filter(|(_, state)| state.as_str() != Some("online"));
    let named = missing.map(|(name, state)| format!("{name} {}", state.as_str().unwrap_or("not told of")));
    named.collect::<Vec<_>>().join(", ")
}

fn words(first: &str, more: &str) -> String {
    [first, more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether an answer has the shape of this service's.
fn fits(service: &str, status: u16, body: &[u8], object: &Map<String, Value>) -> bool {
    let has = |name: &str| object.contains_key(name);
    let within = |name: &str, member: &str| object.get(name).is_some_and(|value| value.get(member).is_some());
    match service {
        "mahi" => status == 204 && body.trim_ascii().is_empty(),
        "vmapi" => has("status") && (has("pingErrors") || within("services", "wfapi")),
        "cnapi" => has("ready"),
        "napi" => has("status") && (has("config") || has("healthy") && !has("pid") && !within("services", "ufds")),
        "fwapi" => has("status") && (within("services", "ufds") || within("services", "fast")),
        "volapi" => has("status") && has("healthy") && has("pid") && !has("services"),
        "papi" | "workflow" => has("backend"),
        "imgapi" => text(object, "ping") == Some("pong") && has("imgapi"),
        "amon" => text(object, "ping") == Some("pong") && (has("redis") || has("redisErr")),
        "sapi" => has("storAvailable"),
        _ => false,
    }
}

/// A body as JSON. That of a ping is short, and none that is not.
fn value_of(body: &[u8]) -> Value {
    let short = body.len() <= LONGEST;
    short.then(|| serde_json::from_slice(body.trim_ascii()).ok()).flatten().unwrap_or_default()
}

/// The body of a ping has fewer bytes.
const LONGEST: usize = 64 * 1024;

/// Whose answer to `GET /ping` it is, in words.
pub fn who(status: u16, body: &[u8]) -> String {
    let value = value_of(body);
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    let names = ["vmapi", "napi", "fwapi", "volapi", "cnapi", "imgapi", "amon", "sapi", "mahi"];
    if let Some(name) = names.into_iter().find(|name| fits(name, status, body, object)) {
        return format!("{} answers there", name.to_ascii_uppercase());
    }
    if object.contains_key("backend") {
        return "PAPI or WORKFLOW answers there".to_owned();
    }
    // It wants a signature, or another version than theirs.
    if object.contains_key("cloudapi") || matches!(text(object, "code"), Some("InvalidCredentials" | "InvalidVersion"))
    {
        return CUSTOMERS.to_owned();
    }
    let begin = body.trim_ascii_start().first();
    match begin {
        Some(b'<') => "a web page is there".to_owned(),
        _ => format!("what is there answers {status}, and is none of these services"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VMAPI: &str = r#"{"dataMigrations":{"latestCompletedMigrations":{"vms":1}},"healthy":true,"initialization":{"moray":{"status":"BUCKETS_REINDEX_DONE"}},"pid":1,"pingErrors":{},"status":"OK","services":{"moray":"online","wfapi":"online"}}"#;
    const NAPI: &str = r#"{"config":{"fabrics_enabled":true,"subnet_alloc_enabled":false},"healthy":true,"services":{"moray":"online"},"status":"OK"}"#;
    const PAPI: &str = r#"{"pid":7,"backend":"up"}"#;
    const SAPI: &str = r#"{"mode":"full","storType":"MorayLocalStorage","storAvailable":true}"#;
    const IMGAPI: &str = r#"{"ping":"pong","version":"4.13.2","imgapi":true,"pid":3}"#;
    const CNAPI: &str = r#"{"ready":true,"services":{"workflow":"online","moray":"online","amqp":"online"}}"#;
    const FWAPI: &str =
        r#"{"healthy":true,"services":{"fast":"online","moray":"online","ufds":"online"},"status":"OK"}"#;
    const VOLAPI: &str = r#"{"pid":3,"status":"OK","healthy":true}"#;
    const AMON: &str = r#"{"ping":"pong","pid":3,"redis":"2.8.17"}"#;

    #[test]
    fn each_service_is_up_by_its_own_shape_and_by_no_others() {
        let shapes = [
            ("vmapi", VMAPI),
            ("napi", NAPI),
            ("papi", PAPI),
            ("workflow", PAPI),
            ("sapi", SAPI),
            ("imgapi", IMGAPI),
            ("cnapi", CNAPI),
            ("fwapi", FWAPI),
            ("volapi", VOLAPI),
            ("amon", AMON),
        ];
        for (service, own) in shapes {
            assert_eq!(read(service, 200, own.as_bytes()), Ok(Health::up()), "{service}");
            for (other, body) in shapes.iter().filter(|(_, body)| *body != own) {
                let whose = read(service, 200, body.as_bytes()).expect_err(&format!("{service} {other}"));
                assert!(whose.to_lowercase().contains(other), "{service} {other}: {whose}");
            }
            assert!(read(service, 204, b"").unwrap_err().contains("MAHI"), "{service}");
        }
        assert_eq!(read("mahi", 204, b""), Ok(Health::up()));
        assert!(read("mahi", 200, PAPI.as_bytes()).is_err());
    }

    #[test]
    fn what_a_service_lacks_is_told() {
        for (service, status, body, state, why) in [
            (
                "vmapi",
                503,
                r#"{"status":"some services are not ready","pingErrors":{},"services":{"moray":"offline","wfapi":"online"},"initialization":{"moray":{"status":"NOT_STARTED"}}}"#,
                State::Down,
                "some services are not ready: moray offline: its store: NOT_STARTED",
            ),
            (
                "vmapi",
                200,
                r#"{"status":"OK","healthy":false,"pingErrors":{},"services":{},"initialization":{"moray":{"status":"BUCKETS_SETUP_DONE"}}}"#,
                State::Degraded,
                "not healthy: its store: BUCKETS_SETUP_DONE",
            ),
            ("napi", 200, r#"{"config":{},"healthy":false,"status":"initializing"}"#, State::Down, "initializing"),
            ("cnapi", 200, r#"{"ready":false,"services":{"amqp":"offline"}}"#, State::Down, "not ready: amqp offline"),
            ("cnapi", 200, r#"{"ready":true,"services":{"amqp":"offline"}}"#, State::Degraded, "amqp offline"),
            (
                "papi",
                200,
                r#"{"backend":"down","backend_error":"no moray"}"#,
                State::Down,
                "its store is down: no moray",
            ),
            (
                "sapi",
                500,
                r#"{"mode":"full","storType":"x","storAvailable":false}"#,
                State::Down,
                "its store is not available",
            ),
            ("sapi", 200, r#"{"mode":"proto","storAvailable":true}"#, State::Degraded, "its mode is proto"),
            (
                "mahi",
                503,
                r#"{"code":"ReplicatorNotReady","message":"not caught up"}"#,
                State::Down,
                "503: not caught up",
            ),
            ("amon", 200, r#"{"ping":"pong","redisErr":"gone"}"#, State::Degraded, "its store fails: gone"),
            (
                "fwapi",
                200,
                r#"{"healthy":false,"status":"offline","services":{"ufds":"offline"}}"#,
                State::Down,
                "offline: ufds offline",
            ),
        ] {
            let why = why.to_owned();
            assert_eq!(read(service, status, body.as_bytes()), Ok(Health { state, why }), "{service} {body}");
        }
    }

    #[test]
    fn what_is_no_service_is_told_by_what_it_is() {
        for (status, body, said) in [
            (200, "<html>hello</html>", "a web page"),
            (200, r#"{"ping":"pong","cloudapi":{"versions":["9.0.0"]}}"#, "that is CloudAPI"),
            (
                401,
                r#"{"code":"InvalidCredentials","message":"You must make authenticated requests to use CloudAPI"}"#,
                "that is CloudAPI",
            ),
            (400, r#"{"code":"InvalidVersion","message":"~2 is not supported by GET /ping"}"#, "that is CloudAPI"),
            (404, r#"{"code":"ResourceNotFound","message":"/ping does not exist"}"#, "answers 404"),
            (200, "[]", "answers 200"),
            (200, "null", "answers 200"),
        ] {
            assert!(read("sapi", status, body.as_bytes()).unwrap_err().contains(said), "{body}");
        }
    }
}
