//! The error of an internal service as one sentence: services wrap those of others, as objects and as text, and add where
//! in their code it happened.

use serde_json::Value;

/// How deep errors may be wrapped in others.
const DEPTH: usize = 8;

/// The error in words, if it has any.
pub(super) fn sentence(error: &Value) -> Option<String> {
    told(error, DEPTH)
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
            Some(if first.contains("[object Object]") { "an error without words" } else { first }.to_owned())
        }
        Value::Object(members) => {
            let inner = ["message", "error", "body", "jse_cause", "err"].into_iter();
            let message = inner.filter_map(|name| told(members.get(name)?, depth)).next();
            let code = || ["code", "name"].into_iter().find_map(|name| members.get(name)?.as_str().map(str::to_owned));
            let fields = members.get("errors").and_then(Value::as_array).into_iter().flatten();
            let field = |one: &Value| {
                let words = told(one.get("message").or_else(|| one.get("code"))?, depth)?;
                let name = one.get("field").and_then(Value::as_str);
                Some(name.map_or_else(|| words.clone(), |name| format!("{name}: {words}")))
            };
            let fields = fields.filter_map(field).collect::<Vec<_>>().join("; ");
            match (message.or_else(code), fields.as_str()) {
                (message, "") => message,
                (Some(message), fields) => Some(format!("{message} ({fields})")),
                (None, fields) => Some(fields.to_owned()),
            }
        }
        Value::Array(all) => all.iter().find_map(|one| told(one, depth)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_is_wrapped_for_ever_is_not_followed_for_ever() {
        let deep = |times: usize| (0..times).fold(Value::from("x"), |inner, _| serde_json::json!({ "message": inner }));
        assert_eq!(sentence(&deep(7)).as_deref(), Some("x"));
        assert_eq!(sentence(&deep(20)), None);
    }
}
