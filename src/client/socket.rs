//! WebSockets, over the same signatures, proxies and certificates as every other request. A socket
//! is opened once; whether to open another is for its user to say.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use ring::rand::SecureRandom;
use sha1::{Digest, Sha1};
use tokio::time::{Instant, Interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};

use super::Client;
use crate::api::cloudapi::changefeed::{CHANGEFEED, SUBRESOURCES};
use crate::error::{Error, Kind, Result};
use crate::request::{Args, Request};
use crate::transport::Opened;

/// What the server adds to the key of a handshake.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// No message is longer, in bytes. A machine with all the metadata that it may have has some 100 KB.
const MAX_LEN: usize = 16 << 20;
/// So many bytes may wait to be sent: every ping is answered, also of a server that reads none of the answers.
const MAX_UNSENT: usize = 1 << 20;
/// So many bytes of changes may come before the server has taken note of what is wanted.
const MAX_EARLY: usize = 64 << 20;
/// How often something is sent: what lies between closes a connection after 55 s of silence.
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// A server that answers no ping for so long is not there any more.
const MAX_SILENCE: Duration = Duration::from_secs(70);
/// How long it may take until the server has taken note of a registration.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<reqwest::Upgraded>,
    pings: Interval,
    heard: Instant,
}

/// What comes out of a socket.
enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Pong,
}

impl Client {
    /// Opens a WebSocket, with this subprotocol if there is one.
    ///
    /// # Errors
    /// No answer, a refusal, or an answer that does not open a socket.
    pub async fn socket(&self, request: &Request, protocol: Option<&str>) -> Result<Socket> {
        let mut bytes = [0_u8; 16];
        ring::rand::SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::other("the system has no random numbers"))?;
        let key = STANDARD.encode(bytes);
        let mut request = request.clone();
        let mut add = |name: &str, value: &str| request.headers.push((name.to_owned(), value.to_owned()));
        add("Connection", "Upgrade");
        add("Upgrade", "websocket");
        add("Sec-WebSocket-Version", "13");
        add("Sec-WebSocket-Key", &key);
        if let Some(protocol) = protocol {
            add("Sec-WebSocket-Protocol", protocol);
        }
        let answer = match self.open(&request, 101).await? {
            Opened::Open(answer) => answer,
            Opened::Answer(answer) if answer.is_success() => {
                return Err(wrong(&format!("the service answered {} where a WebSocket was due", answer.status)));
            }
            Opened::Answer(answer) => return Err(answer.failure()),
        };
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header("sec-websocket-accept").trim() != STANDARD.encode(Sha1::digest(format!("{key}{MAGIC}"))) {
            return Err(wrong("what answered does not speak WebSocket: its handshake does not fit"));
        }
        let chosen = header("sec-websocket-protocol");
        if !chosen.is_empty() && Some(chosen) != protocol || !header("sec-websocket-extensions").is_empty() {
            return Err(wrong("the service chose a protocol for the WebSocket that was not offered"));
        }
        let stream = answer
            .upgrade()
            .await
            .map_err(|error| wrong("the connection did not become a WebSocket").because(error.without_url()))?;
        let limits = WebSocketConfig::default().max_message_size(Some(MAX_LEN)).max_frame_size(Some(MAX_LEN));
        let limits = limits.max_write_buffer_size(MAX_UNSENT);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, Some(limits)).await;
        let mut pings = tokio::time::interval_at(Instant::now() + PING_INTERVAL, PING_INTERVAL);
        pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Ok(Socket { stream, pings, heard: Instant::now() })
    }

    /// Follows the changes of machines: of these parts of them, and of these machines or all. When this
    /// returns, the service has taken note: what changes from then on is told.
    ///
    /// # Errors
    /// No answer, a refusal (405, 404 or 500 from a service that has no changefeed), or a parameter that
    /// is not one.
    pub async fn follow(&self, kinds: &[&str], machines: Option<&[String]>) -> Result<Feed> {
        if let Some(bad) = kinds.iter().find(|kind| !SUBRESOURCES.contains(kind)) {
            return Err(Error::usage(format!("'{bad}' is nothing that can be followed"))
                .hint(format!("known: {}", SUBRESOURCES.join(", "))));
        }
        // The service throws at the offer of a subprotocol.
        let mut socket = self.socket(&self.request(&CHANGEFEED, &Args::new())?, None).await?;
        let mut wanted = serde_json::json!({ "resource": "vm", "subResources": kinds });
        if let Some(machines) = machines {
            wanted["vms"] = machines.into();
        }
        let mut early = Vec::new();
        let registered = async {
            socket.put(Message::text(wanted.to_string())).await?;
            // No registration is ever answered. A ping is, after what was sent before it.
            socket.put(Message::Ping("registered".into())).await?;
            let mut bytes = 0;
            loop {
                match socket.heard().await? {
                    None => return Err(wrong("the service closed the changefeed at once")),
                    Some(Heard::Pong) => return Ok(()),
                    Some(Heard::Text(text)) => {
                        bytes += text.len() + size_of::<String>();
                        if bytes > MAX_EARLY {
                            return Err(wrong("the service sends changes and does not answer"));
                        }
                        early.push(text);
                    }
                    Some(Heard::Binary(_)) => {}
                }
            }
        };
        match tokio::time::timeout(REGISTRATION_TIMEOUT, registered).await {
            Ok(registered) => registered?,
            Err(_) => return Err(wrong("the service does not answer in the open changefeed")),
        }
        early.reverse();
        Ok(Feed { socket, early })
    }
}

impl Socket {
    /// The next bytes; `None` when the server has closed the socket. May be given up and called again.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when the connection is lost, with what the server said when it closed it in anger.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.heard().await? {
                None => return Ok(None),
                Some(Heard::Binary(bytes)) => return Ok(Some(bytes)),
                Some(Heard::Text(text)) => return Ok(Some(text.into_bytes())),
                Some(Heard::Pong) => {}
            }
        }
    }

    /// Sends bytes, as one message.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when the connection is lost.
    pub async fn send(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.put(Message::binary(bytes)).await
    }

    /// Says goodbye, if the server still listens.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.close(None)).await;
    }

    async fn put(&mut self, message: Message) -> Result<()> {
        let sent = tokio::time::timeout(MAX_SILENCE, self.stream.send(message)).await;
        match sent {
            Ok(sent) => sent.map_err(lost),
            Err(_) => Err(wrong("the service reads nothing of what is sent")),
        }
    }

    async fn heard(&mut self) -> Result<Option<Heard>> {
        loop {
            // A server that never stops would otherwise keep everything else from its turn: time limits and signals.
            tokio::task::coop::consume_budget().await;
            tokio::select! {
                // What has come is read before it is asked whether anything has.
                biased;
                message = self.stream.next() => {
                    self.heard = Instant::now();
                    match message {
                        None => return Ok(None),
                        Some(Ok(Message::Text(text))) => return Ok(Some(Heard::Text(text.as_str().to_owned()))),
                        Some(Ok(Message::Binary(bytes))) => return Ok(Some(Heard::Binary(bytes.into()))),
                        Some(Ok(Message::Pong(_))) => return Ok(Some(Heard::Pong)),
                        Some(Ok(Message::Close(frame))) => return closed(frame),
                        Some(Ok(_)) => {}
                        Some(Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed)) => {
                            return Ok(None);
                        }
                        Some(Err(error)) => return Err(lost(error)),
                    }
                }
                _ = self.pings.tick() => {
                    if self.heard.elapsed() > MAX_SILENCE {
                        return Err(wrong("the service has not been heard of for a minute"));
                    }
                    self.put(Message::Ping("".into())).await?;
                }
            }
        }
    }
}

/// A changefeed that is being followed.
pub struct Feed {
    socket: Socket,
    /// What came while the registration was under way, newest first.
    early: Vec<String>,
}

impl Feed {
    /// The next change, as the service wrote it; `None` when it has closed the feed, after which changes
    /// go by unseen until the next one is followed. May be given up and called again.
    ///
    /// # Errors
    /// [`Kind::Unreachable`] when the connection is lost.
    pub async fn next(&mut self) -> Result<Option<String>> {
        if let Some(text) = self.early.pop() {
            return Ok(Some(text));
        }
        loop {
            match self.socket.heard().await? {
                None => return Ok(None),
                Some(Heard::Text(text)) => return Ok(Some(text)),
                Some(_) => {}
            }
        }
    }

    /// Ends it.
    pub async fn close(self) {
        self.socket.close().await;
    }
}

/// A close frame may carry what went wrong, as JSON.
fn closed(frame: Option<CloseFrame>) -> Result<Option<Heard>> {
    let Some(frame) = frame else { return Ok(None) };
    let said: serde_json::Value = serde_json::from_str(frame.reason.as_str()).unwrap_or_default();
    if said.get("type").and_then(serde_json::Value::as_str) != Some("error") {
        return Ok(None);
    }
    let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let words = text("message").or_else(|| text("error")).unwrap_or_else(|| frame.reason.as_str().to_owned());
    Err(wrong(&format!("the service closed the WebSocket: {words}")))
}

fn lost(error: tungstenite::Error) -> Error {
    wrong("the connection of the WebSocket was lost").because(error)
}

fn wrong(words: &str) -> Error {
    Error::new(Kind::Unreachable, words)
}
