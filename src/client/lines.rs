//! Answers that are read while they are being written: one JSON event a line, for as long as the
//! service has something to tell.

use std::time::Instant;

use super::Client;
use crate::error::{Error, Kind, Result};
use crate::request::Request;
use crate::response::is_of_another;
use crate::transport::{Opened, Outgoing};

/// No line is longer, in bytes.
const MAX_LEN: usize = 1 << 20;

/// The lines of an answer, as they come.
pub struct Lines {
    answer: reqwest::Response,
    bytes: Vec<u8>,
    /// Where the next line begins.
    begin: usize,
    /// As far as there is no line feed.
    looked: usize,
    over: bool,
}

impl Client {
    /// Sends a request, once, and returns the lines of its answer as they come.
    ///
    /// # Errors
    /// No answer at all, or one that is not 200.
    pub async fn lines(&self, request: &Request) -> Result<Lines> {
        match self.open(request, 200).await? {
            Opened::Open(answer) if is_of_another(self.service, answer.headers()) => {
                Err(Error::new(Kind::Unreachable, "another server answered where a stream of the service was due"))
            }
            Opened::Open(answer) => Ok(Lines { answer, bytes: Vec::new(), begin: 0, looked: 0, over: false }),
            Opened::Answer(answer) => Err(match answer.status {
                status @ 100..300 => {
                    Error::new(Kind::Unreachable, format!("the service answered {status} where a stream was due"))
                }
                _ => answer.failure(),
            }),
        }
    }

    /// Sends a request, once, and leaves an answer of this status open.
    pub(super) async fn open(&self, request: &Request, status: u16) -> Result<Opened> {
        let wire = self.wire(request).await?;
        self.trace_request(request, &wire);
        let begun = Instant::now();
        let out = Outgoing {
            method: request.method.clone(),
            url: wire.url,
            target: wire.target,
            headers: wire.headers,
            body: request.body.as_ref().map(|(_, body)| body.as_slice()),
            date: wire.date,
            service: self.service,
            limit: None,
        };
        match self.transport.open(out, status).await {
            Ok(opened) => {
                match &opened {
                    Opened::Open(_) => self.trace_line(&format!("< {status} in {} ms", begun.elapsed().as_millis())),
                    Opened::Answer(answer) => self.trace_response(answer, begun.elapsed()),
                }
                Ok(opened)
            }
            Err((_, error)) => {
                self.trace_line(&format!("! {error}: {}", error.causes().join(": ")));
                Err(error)
            }
        }
    }
}

impl Lines {
    /// The next line that is not empty, without its line feed; `None` when the answer has ended. May be
    /// given up and called again: nothing is lost.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when the answer breaks off, or is not made of lines of text.
    pub async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(line) = self.line()? {
                return Ok(Some(line));
            }
            if self.over {
                return Ok(None);
            }
            let chunk = self.answer.chunk().await.map_err(|error| {
                Error::new(Kind::Unreachable, "the service broke off its answer").because(error.without_url())
            })?;
            match chunk {
                Some(chunk) => self.bytes.extend_from_slice(&chunk),
                None => {
                    // The last line may lack its line feed.
                    self.bytes.push(b'\n');
                    self.over = true;
                }
            }
        }
    }

    fn line(&mut self) -> Result<Option<String>> {
        loop {
            let new = self.bytes.get(self.looked..).unwrap_or_default();
            let Some(at) = new.iter().position(|byte| *byte == b'\n') else {
                // What has been read goes away at once for all lines of a chunk, not line by line.
                self.bytes.drain(..self.begin);
                self.begin = 0;
                self.looked = self.bytes.len();
                return if self.looked > MAX_LEN { Err(endless()) } else { Ok(None) };
            };
            let end = self.looked + at;
            let line = self.bytes.get(self.begin..end).unwrap_or_default();
            if line.len() > MAX_LEN {
                return Err(endless());
            }
            (self.begin, self.looked) = (end + 1, end + 1);
            let text = std::str::from_utf8(line)
                .map_err(|error| Error::new(Kind::Unreachable, "the service sent what is not text").because(error))?;
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(text.to_owned()));
            }
        }
    }
}

fn endless() -> Error {
    Error::new(Kind::Unreachable, format!("the service sent a line of more than {} KiB", MAX_LEN / 1024))
}
