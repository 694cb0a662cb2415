//! A request that is shown rather than sent: the dry run, and a curl command that does the same.

use std::fmt::Write;

use super::app::App;
use crate::client::{Client, Wire, header_lines, untold};
use crate::config::{Pin, Route};
use crate::connect;
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
        let options = curl_options(app);
        for request in requests {
            if request.body.as_ref().is_some_and(|(_, body)| std::str::from_utf8(body).is_err()) {
                return Err(Error::usage("the body is not text, which a curl command cannot hold"));
            }
            out.push_str(&client.wire(request).await?.curl(request, &options));
        }
    } else if app.globals.json() || app.globals.jq.is_some() {
        let mut all = Vec::new();
        for request in requests {
            all.push(client.unsigned_wire(request)?.json(request));
        }
        out = match all.as_slice() {
            [one] if !several => one.clone(),
            many => format!("[{}]", many.join(",")),
        };
        if let Some(jq) = app.program()? {
            return app.filter(&jq, &out);
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
        // As a trace shows it; whoever asks for JSON or a curl command gets all.
        let hidden = untold(body);
        let body = String::from_utf8_lossy(hidden.as_deref().unwrap_or(body));
        let body = if kind.contains("json") { render::json::indented(&body) } else { body.into_owned() };
        let _ = write!(text, "\n{}\n", body.trim_end());
    }
    text
}

/// What curl is told of the settings.
fn curl_options(app: &App) -> String {
    let mut line = String::new();
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
    if let Some(proxy) = &app.config.proxy {
        match connect::route(&app.config) {
            Ok(Route::Through(through)) => {
                let _ = write!(line, " --proxy {}", shell::quoted(&through.to_string()));
                if through.has_login() {
                    app.warn(&format!("the login of the proxy is left out ({})", proxy.origin));
                }
            }
            _ => line.push_str(" --noproxy '*'"),
        }
    }
    if let Some(file) = &app.config.cacert {
        let _ = write!(line, " --cacert {}", shell::quoted(&file.value.to_string_lossy()));
    }
    line
}
