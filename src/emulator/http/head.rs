//! A request as it was read, and what becomes of it.

use std::time::{Duration, UNIX_EPOCH};

use hyper::HeaderMap;

use super::reply::Reply;

/// Method, target and headers of a request: what a signature may cover.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Path and query as they came.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// A header's text; several of one name are joined, as Node does.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }

    /// Whether only plain text is accepted.
    pub(crate) fn wants_text(&self) -> bool {
        let accept = self.get("accept").unwrap_or_default();
        accept.contains("text/plain") && !accept.contains("application/") && !accept.contains("*/*")
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query, without its question mark.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// A request as read from the wire.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// The body was longer than is taken.
    pub(crate) too_long: bool,
    /// The address of the other end.
    pub(crate) ip: String,
    /// What a planted fault has the service do to it.
    pub(crate) twist: Twist,
}

/// An answer, and whose it was.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) reply: Reply,
    /// The key id of a good signature.
    pub(crate) signed_by: Option<String>,
    /// Nothing is ever answered.
    pub(crate) mute: bool,
    /// Too early for the server's own headers.
    pub(crate) early: bool,
    /// The methods of the path, for the header that tells browsers.
    pub(crate) methods: Vec<&'static str>,
}

/// What a planted fault has the service itself do to a request; the rest is done on the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Twist {
    /// The work that is started ends badly: at this step of its chain, where one is named.
    pub(crate) fail: Option<String>,
    /// What is said of the end of such work instead: `succeeded` or `retried`.
    pub(crate) says: Option<&'static str>,
    /// It is answered as always, and nothing comes of it.
    pub(crate) silent: bool,
    /// The machine that it names or makes is gone without a trace once it is answered.
    pub(crate) vanish: bool,
    /// A page of a list that is not the first is another than was asked for.
    pub(crate) pages: Option<Pages>,
}

/// Which page is answered in the place of the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// The one before it.
    Twice,
    /// One that begins so many rows later or earlier, as if rows before it had gone or come.
    Shifted(i64),
}

/// A time of day, in milliseconds since 1970, as the header `Date`.
pub(crate) fn date(wall: i64) -> String {
    // Beyond year 9999 there is no way to write it.
    let ms = u64::try_from(wall).unwrap_or(0).min(253_402_300_799_000);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(ms))
}
