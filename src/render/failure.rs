//! From a failure to text: for people on several lines, for scripts as JSON. Whatever a service said is spelled out,
//! and no private key gets through.

use std::fmt::Write;

use super::escape::{escaped, escaped_lines, safe, visible_json};
use crate::error::{Cleanup, Error, Hint, Locator};

/// Words a hint, with its commands as they are typed; one without words is left out.
pub type Said<'a> = &'a dyn Fn(&Hint) -> String;

/// The failure in words to a person, several lines, without a final newline.
pub fn words(error: &Error, said: Said<'_>) -> String {
    let message = if error.is_laid_out() { escaped_lines(error.message()) } else { escaped(error.message()) };
    // The service repeats it.
    let message = message.replace("Error: Error: ", "Error: ");
    let mut text = format!("error: {message}");
    for cause in error.causes() {
        let _ = write!(text, "\n  because: {}", escaped(&cause));
    }
    if let Some(fault) = error.fault() {
        for field in &fault.fields {
            // Some services leave the message out.
            let parts = [&field.field, &field.code, &field.message].map(|part| escaped(part));
            let said: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let _ = write!(text, "\n  {}", said.join(": "));
        }
        let code = if fault.code.is_empty() { String::new() } else { format!(" {}", escaped(&fault.code)) };
        let id = fault.request_id.as_deref().map(|id| format!(", request id {}", escaped(id))).unwrap_or_default();
        let _ = write!(text, "\n  service: {}{code}{id}", fault.status);
    }
    if let Some(request) = error.request() {
        let _ = write!(text, "\n  request: {}", escaped(request));
    }
    for hint in error.hints().iter().map(said).filter(|hint| !hint.is_empty()) {
        // Further lines stand below the first, so that a mark points at its place.
        let _ = write!(text, "\n  hint: {}", escaped_lines(&hint).replace("\n    ", "\n        "));
    }
    text
}

/// The failure as one JSON object on one line, with the exit code and the name of its kind.
pub fn json(error: &Error, (exit, kind): (u8, &str), said: Said<'_>) -> String {
    let mut object = serde_json::json!({
        "kind": kind,
        "exit": exit,
        "message": safe(error.message()),
    });
    if let Some(fault) = error.fault() {
        object["status"] = fault.status.into();
        object["code"] = fault.code.as_str().into();
        object["request_id"] = error.request_id().into();
        let fields = fault.fields.iter();
        object["errors"] = fields
            .map(|field| serde_json::json!({ "field": field.field, "code": field.code, "message": safe(&field.message) }))
            .collect();
    }
    if let (None, Some(id)) = (error.fault(), error.request_id()) {
        object["request_id"] = id.into();
    }
    if let Some(request) = error.request() {
        object["request"] = safe(request).into();
    }
    if let Some(target) = error.target() {
        object["target"] = serde_json::json!({ "noun": target.noun, "id": target.id, "name": safe(&target.name) });
    }
    if let Some(cleanup) = error.cleanup() {
        object["cleanup"] = match cleanup {
            Cleanup::Deleted => "deleted",
            Cleanup::Kept => "kept",
            Cleanup::Unknown => "unknown",
        }
        .into();
    }
    if let Some(left) = error.unfinished() {
        // The id of a part says little without that of the whole.
        let told = |one: &Locator| -> serde_json::Value {
            match one.above.as_slice() {
                [] => safe(&one.id).into(),
                above => above
                    .iter()
                    .map(|(word, id)| (*word, id))
                    .chain([("id", &one.id)])
                    .map(|(word, id)| (word.to_owned(), serde_json::Value::from(safe(id))))
                    .collect(),
            }
        };
        object["sent"] = left.sent.iter().map(told).collect();
        object["unsent"] = left.unsent.iter().map(told).collect();
    }
    if error.is_in_doubt() {
        object["in_doubt"] = true.into();
    }
    object["causes"] = error.causes().iter().map(|cause| safe(cause)).collect();
    object["hints"] =
        error.hints().iter().map(said).filter(|hint| !hint.is_empty()).map(|hint| safe(&hint).into_owned()).collect();
    visible_json(&serde_json::json!({ "error": object }).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{CommandLine, Part};

    fn said(hint: &Hint) -> String {
        let part = |part| match part {
            Part::Words(words) => words.to_owned(),
            Part::Command(command) => format!("prog {command}"),
        };
        hint.parts().into_iter().map(part).collect()
    }

    fn words(error: &Error) -> String {
        super::words(error, &said)
    }

    fn json(error: &Error) -> String {
        super::json(error, (1, "failed"), &said)
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        let name = "web\nerror: gone\n  hint: prog machines delete '*'\r\u{2028}note: x\u{85}";
        let fault = crate::error::ServiceError {
            message: name.to_owned(),
            code: name.to_owned(),
            request_id: Some(name.to_owned()),
            ..Default::default()
        };
        let error = Error::other(format!("no machine named '{name}'"))
            .because(name)
            .hint(format!("did you mean {name}?"))
            .with_fault(fault)
            .about(name);
        let told = words(&error);
        assert_eq!(told.lines().count(), 4, "{told}");
        assert!(told.chars().all(|letter| letter == '\n' || !letter.is_control()), "{told:?}");
        assert_eq!(json(&error).lines().count(), 1);
        assert_eq!(escaped(name).lines().count(), 1);
        // A mark still stands below its place.
        let marked = words(&Error::usage("wrong").mark("a=\nb", "  ^ here"));
        assert!(marked.ends_with("\n  hint: a= b\n          ^ here"), "{marked}");
    }

    #[test]
    fn a_field_without_a_message_leaves_no_sign_behind() {
        let field = |field: &str, code: &str, message: &str| crate::error::FieldFault {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let fields = vec![field("ram", "Invalid", "too small"), field("networks", "MissingParameter", "")];
        let fault = crate::error::ServiceError { status: 409, fields, ..Default::default() };
        let told = words(&Error::other("wrong").with_fault(fault));
        assert_eq!(told, "error: wrong\n  ram: Invalid: too small\n  networks: MissingParameter\n  service: 409");
    }

    #[test]
    fn the_programs_name_stands_before_commands_and_nothing_else() {
        let error = Error::usage("wrong")
            .hint(Hint::run("to see it", "machines get ID").then(", or ").then_run("machines list"))
            .hint(Hint::from("puttygen 'a b' -L | ").then_run("keys add -"))
            .hint("machines list");
        let expected = [
            "to see it: prog machines get ID, or prog machines list",
            "puttygen 'a b' -L | prog keys add -",
            "machines list",
        ];
        assert_eq!(words(&error), format!("error: wrong\n  hint: {}", expected.join("\n  hint: ")));
        let told: serde_json::Value = serde_json::from_str(&json(&error)).unwrap();
        assert_eq!(told["error"]["hints"], serde_json::json!(expected));
    }

    #[test]
    fn what_an_interruption_left_is_told_as_json_alone() {
        let whole = |id: &str| Locator { above: Vec::new(), id: id.to_owned() };
        let part = Locator { above: vec![("machine", "c".to_owned())], id: "d".to_owned() };
        let left = crate::error::Unfinished { sent: vec![whole("a")], unsent: vec![whole("b"), part] };
        let error = Error::other("interrupted").leaving(left);
        assert_eq!(words(&error), "error: interrupted");
        let told: serde_json::Value = serde_json::from_str(&json(&error)).unwrap();
        assert_eq!(told["error"]["sent"], serde_json::json!(["a"]));
        assert_eq!(told["error"]["unsent"], serde_json::json!(["b", { "machine": "c", "id": "d" }]));
    }

    #[test]
    fn a_name_in_a_command_cannot_forge_a_line_or_show_a_key() {
        let error = Error::usage("wrong").hint(Hint::run("to see it", "machines get 'a\n  hint: prog \u{1b}[2J'"));
        assert_eq!(words(&error).lines().count(), 2, "{}", words(&error));
        assert!(!words(&error).contains('\u{1b}') && !json(&error).contains('\u{1b}'));
        let body = "b3BlbnNzaC1rZXktdjEA".repeat(8);
        let key = CommandLine::new("machines get").on(format!("-----BEGIN OPENSSH PRIVATE KEY----- {body}"));
        let error = Error::usage("wrong").hint(Hint::run("to see it", key));
        assert!(!words(&error).contains(&body) && !json(&error).contains(&body), "{}", words(&error));
    }

    #[test]
    fn a_servers_words_cannot_steer_the_terminal_as_text_or_as_json() {
        let error = Error::other("\u{1b}[2J\u{9b}31m\u{202e}gone\u{7f}\nand more").hint("\u{200b}");
        for told in [words(&error), json(&error)] {
            assert!(!told.chars().any(|c| c != '\n' && (c.is_control() || "\u{202e}\u{200b}".contains(c))), "{told:?}");
        }
    }
}
