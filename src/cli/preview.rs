//! A request that is shown rather than sent: the dry run, and a curl command that does the same.

use std::fmt::Write;

use serde_json::value::RawValue;

use super::app::App;
use crate::client::{Client, Wire, header_lines, header_name};
use crate::config::Pin;
use crate::error::{Error, Result};
use crate::grammar::shell;
use crate::render;
use crate::request::Request;

/// The requests as they would be sent.
///
/// # Errors
/// For curl, no key to sign with.
pub async fn requests(app: &App, client: &Client, requests: &[Request]) -> Result<()> {
    requests_of(app, client, requests, requests.len() != 1).await
}

/// The same, and whether several were meant: as JSON that is an array, be there one or none.
///
/// # Errors
/// The same.
pub async fn requests_of(app: &App, client: &Client, requests: &[Request], several: bool) -> Result<()> {
    let mut out = String::new();
    if app.globals.curl {
        for request in requests {
            if request.body.as_ref().is_some_and(|(_, body)| std::str::from_utf8(body).is_err()) {
                return Err(Error::usage("the body is not text, which a curl command cannot hold"));
            }
            out.push_str(&curl(app, request, &client.wire(request).await?));
        }
    } else if app.globals.json() || app.globals.jq.is_some() {
        let mut all = Vec::new();
        for request in requests {
            all.push(json(request, &client.unsigned_wire(request)?));
        }
        out = match all.as_slice() {
            [one] if !several => one.clone(),
            many => format!("[{}]", many.join(",")),
        };
        if let Some(jq) = &app.globals.jq {
            return app.filter(&render::Program::new(jq)?, &out);
        }
        if app.streams.stdout_tty {
            out = render::json::indented(&out);
        }
        out.push('\n');
    } else {
        for request in requests {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&plain(request, &client.unsigned_wire(request)?));
        }
    }
    app.streams.out(out.as_bytes())
}

fn plain(request: &Request, wire: &Wire) -> String {
    let mut text = format!("{} {}\n", request.method, wire.address());
    for line in header_lines(&wire.headers) {
        let _ = writeln!(text, "{line}");
    }
    if let Some((kind, body)) = &request.body {
        let body = String::from_utf8_lossy(body);
        let body = if kind.contains("json") { render::json::indented(&body) } else { body.into_owned() };
        let _ = write!(text, "\n{}\n", body.trim_end());
    }
    text
}

fn json(request: &Request, wire: &Wire) -> String {
    let headers: serde_json::Map<String, serde_json::Value> = header_lines(&wire.headers)
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
        .fold(serde_json::Map::new(), |mut all, (name, value)| {
            // A header that was given twice means both, which HTTP writes with a comma.
            let both = all.get(&name).and_then(serde_json::Value::as_str).map(|first| format!("{first}, {value}"));
            all.insert(name, both.unwrap_or(value).into());
            all
        });
    let mut text = serde_json::json!({
        "method": request.method.as_str(),
        "url": wire.address(),
        "headers": headers,
    })
    .to_string();
    if let Some((_, body)) = &request.body {
        let body = String::from_utf8_lossy(body).into_owned();
        let body = match RawValue::from_string(body.clone()) {
            Ok(raw) => raw.get().to_owned(),
            Err(_) => serde_json::Value::from(body).to_string(),
        };
        text.pop();
        let _ = write!(text, ",\"body\":{body}}}");
    }
    text
}

fn curl(app: &App, request: &Request, wire: &Wire) -> String {
    let mut line = String::from("curl -sSg");
    if let Some(pins) = &app.config.pins {
        let keys = pins.value.iter().filter(|pin| matches!(pin, Pin::Key(_))).map(ToString::to_string);
        let keys: Vec<String> = keys.collect();
        if keys.len() == pins.value.len() {
            let _ = write!(line, " -k --pinnedpubkey {}", shell::quoted(&keys.join(";")));
        } else {
            app.warn("curl pins keys, not certificates: this command verifies the certificate in its own way");
        }
    } else if app.config.insecure.value {
        line.push_str(" -k");
    }
    if let Some(file) = &app.config.cacert {
        let _ = write!(line, " --cacert {}", shell::quoted(&file.value.to_string_lossy()));
    }
    match request.method.as_str() {
        "GET" => {}
        "HEAD" => line.push_str(" -I"),
        method => {
            let _ = write!(line, " -X {method}");
        }
    }
    for (name, value) in &wire.headers {
        let _ = write!(
            line,
            " -H {}",
            shell::quoted(&format!("{}: {}", header_name(name.as_str()), String::from_utf8_lossy(value.as_bytes())))
        );
    }
    if let Some((_, body)) = &request.body {
        let _ = write!(line, " --data-raw {}", shell::quoted(&String::from_utf8_lossy(body)));
    }
    if wire.target.is_some() {
        line.push_str(" --path-as-is");
    }
    let _ = writeln!(line, " {}", shell::quoted(&wire.address()));
    line
}
