//! The error of an internal service as one sentence: services wrap those of others, as objects and as text, and add where
//! in their code it happened.

use serde_json::Value;

/// How deep errors may be wrapped in others.
const DEPTH: usize = 8;

/// The error of a service as one sentence: services wrap those of others, as objects and as text.
pub fn sentence(error: &Value) -> Option<String> {
    told(error, DEPTH)
}

/// The same of a step of a job, whose error may have no words at all and is one: only what is nothing is none.
pub(crate) fn fault(error: &Value) -> Option<String> {
    let nothing = match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    };
    sentence(error).or_else(|| (!nothing).then(|| "an error without words".to_owned()))
}

fn told(error: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match error {
        Value::String(text) => {
            let text = text.trim();
            if let Some(inner) = serde_json::from_str::<Value>(text).ok().filter(Value::is_object) {
                return told(&inner, depth);
            }
            // What follows is where in the service it happened.
            let first = text.lines().find(|line| !line.trim().is_empty())?.trim();
            match first.contains("[object Object]") {
                true => Some("an error without words".to_owned()),
                false => Some(first.to_owned()),
            }
        }
        Value::Object(members) => {
            let inner = ["message", "error", "body", "jse_cause", "err", "jse_shortmsg"].into_iter();
            let message = inner.filter_map(|name| told(members.get(name)?, depth)).next();
            let message = message.or_else(|| members.values().find_map(|value| within(value, depth)));
            let fields = members.get("errors").and_then(Value::as_array).into_iter().flatten();
            let fields: Vec<String> = fields
                .filter_map(|one| {
                    let field = one.get("field").and_then(Value::as_str);
                    let words = told(one.get("message").or_else(|| one.get("code"))?, depth)?;
                    Some(field.map_or_else(|| words.clone(), |field| format!("{field}: {words}")))
                })
                .collect();
            let code = || {
                ["code", "restCode", "name"].into_iter().find_map(|name| members.get(name)?.as_str().map(str::to_owned))
            };
            let message = message.or_else(code);
            // A placement that found no server.
            let left = members.get("steps").and_then(Value::as_array).map(|steps| placement_steps(steps));
            let message = match left.filter(|left| !left.is_empty()) {
                Some(left) => Some(message.map_or_else(|| left.clone(), |message| format!("{message}: {left}"))),
                None => message,
            };
            match (message, fields.is_empty()) {
                (message, true) => message,
                (Some(message), false) => Some(format!("{message} ({})", fields.join("; "))),
                (None, false) => Some(fields.join("; ")),
            }
        }
        Value::Array(all) => all.iter().find_map(|one| told(one, depth)),
        _ => None,
    }
}

/// The words of an error within an object, whatever that is called; no mere code, which may be the name of anything.
fn within(value: &Value, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match value {
        Value::Object(members) => {
            let words = ["message", "error"].into_iter().find_map(|name| told(members.get(name)?, depth));
            words.or_else(|| members.values().find_map(|value| within(value, depth)))
        }
        _ => None,
    }
}

/// The steps of a placement in words: `Servers which are currently running: 5 left, Servers with enough RAM: 0 left`.
pub fn placement_steps(steps: &[Value]) -> String {
    let one = |step: &Value| {
        let name = step.get("step")?.as_str()?;
        Some(format!("{name}: {} left", step.get("remaining")?.as_array()?.len()))
    };
    steps.iter().filter_map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(json: &str) -> Option<String> {
        sentence(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn errors_of_services_become_one_sentence() {
        for (error, said) in [
            (r#""""#, None),
            ("null", None),
            ("{}", None),
            (r#""task timeout error""#, Some("task timeout error")),
            (
                r#"{"name":"Error","message":"Cannot stop a VM from a 'stopped' state"}"#,
                Some("Cannot stop a VM from a 'stopped' state"),
            ),
            (r#"{"code":"SubnetFull"}"#, Some("SubnetFull")),
            (r#"{"name":"Err","message":{"a":{"message":"deep boom"}}}"#, Some("deep boom")),
            (r#"{"name":"Err","cause":{"inner":{"error":"no route"}},"stack":"Error: at foo.js"}"#, Some("no route")),
            (r#"{"code":"VmNotFound","vm":{"name":"web0"}}"#, Some("VmNotFound")),
            (r#""{\"message\":{\"message\":\"no space\"}}""#, Some("no space")),
            (r#""Error: no route\n    at Socket.connect (net.js:1)""#, Some("Error: no route")),
            (r#""failed: [object Object]""#, Some("an error without words")),
            (
                r#"{"message":"Invalid parameters","errors":[{"field":"ip","code":"UsedBy","message":"IP in use"},{"code":"X"}]}"#,
                Some("Invalid parameters (ip: IP in use; X)"),
            ),
            (
                r#"{"message":"No compute resources available","steps":[{"step":"Running servers","remaining":["a","b"]},{"step":"RAM","remaining":[]}]}"#,
                Some("No compute resources available: Running servers: 2 left, RAM: 0 left"),
            ),
        ] {
            assert_eq!(words(error).as_deref(), said, "{error}");
        }
    }

    #[test]
    fn an_error_without_words_is_one_all_the_same() {
        let of = |json: &str| fault(&serde_json::from_str(json).unwrap());
        for nothing in ["null", "false", "\"\"", "\" \"", "{}", "[]"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        for error in ["true", "503", r#"{"statusCode":500}"#, r#"{"statusCode":500,"body":{}}"#] {
            assert_eq!(of(error).as_deref(), Some("an error without words"), "{error}");
        }
        assert_eq!(of(r#"{"jse_shortmsg":"boom"}"#).as_deref(), Some("boom"));
        assert_eq!(of(r#"{"statusCode":500,"restCode":"InternalError"}"#).as_deref(), Some("InternalError"));
    }

    #[test]
    fn an_error_that_is_wrapped_for_ever_is_not_followed_for_ever() {
        let deep = (0..20).fold(serde_json::json!("x"), |inner, _| serde_json::json!({ "message": inner }));
        assert_eq!(sentence(&deep), None);
    }
}
