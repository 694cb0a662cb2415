//! What a listener needs of a service: all that the wire knows of one.

use std::fmt::Debug;

use super::head::{Head, Request, Response};

/// A service over the data center.
pub(crate) trait Service: Debug + Send + Sync {
    /// Answers a request.
    fn answer(&self, request: &Request) -> Response;
    /// The headers that go with an answer, in order.
    fn headers(&self, head: &Head, response: &Response, took_ms: u128) -> Vec<(String, String)>;
    /// Its name, by which a fault can be for it alone.
    fn name(&self) -> &'static str {
        ""
    }
    /// The path below the account, where paths begin with one: faults name it so.
    fn below_account<'a>(&self, path: &'a str) -> &'a str {
        path
    }
    /// The methods and paths that it knows, below the account where paths begin with one, and with `:name` for what
    /// differs; nothing where nobody can tell.
    fn routes(&self) -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }
    /// The steps at which work that it starts can be planned to fail.
    fn steps(&self) -> Vec<&'static str> {
        Vec::new()
    }
    /// The largest body that is taken, in bytes.
    fn largest_body(&self) -> usize;
    /// Sets how many requests it takes, where it counts them.
    fn limit(&self, _limit: Limit) {}
}

/// How many requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// As many as come.
    Off,
    /// As many as the real server takes.
    Usual,
    /// So many a second, and no more at once.
    Rate(u32),
}
