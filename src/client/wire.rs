//! A request as it goes over the wire, and as people and scripts are shown it.

use std::fmt::Write;

use reqwest::header::HeaderMap;
use serde_json::value::RawValue;

use crate::grammar::shell;
use crate::request::Request;

/// A request as it would go over the wire now.
pub struct Wire {
    /// The address: the whole of it, unless there is a target.
    pub url: url::Url,
    /// Path and query as they were typed, where a URL cannot hold them: with `.` or `..` as steps, `%2e` likewise.
    pub target: Option<String>,
    /// Every header but those that HTTP itself adds. The signature is marked as sensitive.
    pub headers: HeaderMap,
    /// The `Date` among them.
    pub date: String,
}

impl Wire {
    /// Path and query, as they are sent and signed.
    pub fn target(&self) -> String {
        match (&self.target, self.url.query()) {
            (Some(target), _) => target.clone(),
            (None, Some(query)) => format!("{}?{query}", self.url.path()),
            (None, None) => self.url.path().to_owned(),
        }
    }

    /// The whole address, for people.
    pub fn address(&self) -> String {
        format!("{}{}", &self.url[..url::Position::BeforePath], self.target())
    }

    /// As JSON: method, address, headers and body.
    pub fn json(&self, request: &Request) -> String {
        let headers: serde_json::Map<String, serde_json::Value> = header_lines(&self.headers)
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned())))
            .fold(serde_json::Map::new(), |mut all, (name, value)| {
                // A header that was given twice means both, which HTTP writes with a comma.
                let both = all.get(&name).and_then(serde_json::Value::as_str).map(|first| format!("{first}, {value}"));
                all.insert(name, both.unwrap_or(value).into());
                all
            });
        let mut text = serde_json::json!({
            "method": request.method.as_str(),
            "url": self.address(),
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

    /// As a curl command with these options, in words of a POSIX shell.
    pub fn curl(&self, request: &Request, options: &str) -> String {
        let mut line = format!("curl -sSg{options}");
        match request.method.as_str() {
            "GET" => {}
            "HEAD" => line.push_str(" -I"),
            method => {
                let _ = write!(line, " -X {method}");
            }
        }
        for (name, value) in &self.headers {
            let _ = write!(
                line,
                " -H {}",
                shell::quoted(&format!(
                    "{}: {}",
                    header_name(name.as_str()),
                    String::from_utf8_lossy(value.as_bytes())
                ))
            );
        }
        if let Some((_, body)) = &request.body {
            let _ = write!(line, " --data-raw {}", shell::quoted(&String::from_utf8_lossy(body)));
        }
        if self.target.is_some() {
            line.push_str(" --path-as-is");
        }
        let _ = writeln!(line, " {}", shell::quoted(&self.address()));
        line
    }
}

/// Headers as lines; what is marked as sensitive is only told to be there.
pub fn header_lines(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers.iter().map(|(name, value)| {
        let hidden = value.is_sensitive() || name.as_str() == "set-cookie";
        let text = if hidden { "(redacted)".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        format!("{}: {text}", header_name(name.as_str()))
    })
}

/// A header's name as people write it: `Accept-Version`.
pub fn header_name(name: &str) -> String {
    let mut first = true;
    name.chars()
        .map(|c| {
            let shown = if first { c.to_ascii_uppercase() } else { c };
            first = c == '-';
            shown
        })
        .collect()
}
