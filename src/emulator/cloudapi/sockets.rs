//! The two WebSockets: changes of machines, and the display of one. Each lives within the task of its connection, and
//! so ends with the emulator.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::emulator::datacenter::DataCenter;
use crate::emulator::datacenter::changes::{Change, KINDS};
use crate::emulator::http::stream::Socket;

/// How often it is looked whether time has moved a machine.
const LOOK: Duration = Duration::from_millis(50);
/// Every so many looks machines are compared although nothing was due.
const COMPARE: u32 = 20;
/// No message of a client is longer, in bytes: a registration that names thousands of machines.
const MAX_LEN: usize = 1 << 20;

/// Changes of this account's machines.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) account: String,
    pub(crate) cloud: Arc<DataCenter>,
}

/// The display of the machine of this name.
#[derive(Debug)]
pub(crate) struct Display {
    pub(crate) name: String,
}

impl Socket for Feed {
    fn serve(self: Box<Self>, stream: TokioIo<Upgraded>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            feed(raised(stream).await, &self.account, &self.cloud).await;
        })
    }
}

impl Socket for Display {
    fn serve(self: Box<Self>, stream: TokioIo<Upgraded>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            display(raised(stream).await, &self.name).await;
        })
    }
}

async fn raised(stream: TokioIo<Upgraded>) -> WebSocketStream<TokioIo<Upgraded>> {
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_LEN)).max_frame_size(Some(MAX_LEN));
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(limits)).await
}

/// What a client wants to be told.
#[derive(Debug)]
struct Registration {
    kinds: Vec<String>,
    machines: Option<Vec<String>>,
}

impl Registration {
    /// `None` for one that makes no sense: it is ignored without a word.
    fn read(text: &str) -> Option<Registration> {
        let value: Value = serde_json::from_str(text).ok()?;
        let texts = |name: &str| -> Option<Vec<String>> {
            value.get(name)?.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let kinds = texts("subResources")?;
        let known = !kinds.is_empty() && kinds.iter().all(|kind| KINDS.contains(&kind.as_str()));
        let machines = match value.get("vms") {
            None | Some(Value::Null) => None,
            Some(_) => Some(texts("vms")?),
        };
        (value.get("resource") == Some(&"vm".into()) && known).then_some(Registration { kinds, machines })
    }

    fn wants(&self, change: &Change) -> bool {
        change.kinds.iter().any(|kind| self.kinds.iter().any(|wanted| wanted == kind))
            && self.machines.as_ref().is_none_or(|machines| machines.contains(&change.machine))
    }
}

/// `None` when it is over.
async fn feed<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
    account: &str,
    cloud: &DataCenter,
) -> Option<()> {
    let mut follower = cloud.changes.follow(&cloud.lock_state());
    let mut registration: Option<Registration> = None;
    let mut registered = None;
    let mut looks = tokio::time::interval(LOOK);
    let mut count = 0_u32;
    loop {
        tokio::select! {
            message = socket.next() => match message?.ok()? {
                Message::Text(text) => {
                    if let Some(wanted) = Registration::read(&text) {
                        if registration.is_none() {
                            cloud.look_for_changes(true);
                            follower.forget();
                        }
                        registration = Some(wanted);
                        registered.get_or_insert_with(|| cloud.changes.register());
                    }
                }
                Message::Close(_) => {
                    let _ = socket.close(None).await;
                    return None;
                }
                _ => {}
            },
            _ = looks.tick() => {
                count = count.wrapping_add(1);
                cloud.look_for_changes(count.is_multiple_of(COMPARE));
            }
            () = follower.told() => {
                for change in follower.take() {
                    let Some(wanted) = &registration else { continue };
                    if change.owner == account && wanted.wants(&change) {
                        socket.send(Message::text(event(&change))).await.ok()?;
                    }
                }
            }
        }
    }
}

fn event(change: &Change) -> String {
    json!({
        "changedResourceId": change.machine,
        "published": change.at.to_string(),
        "changeKind": { "resource": "vm", "subResources": change.kinds },
        "resourceState": change.state,
        "resourceObject": change.object,
    })
    .to_string()
}

/// As much of RFB 3.8 as a viewer needs to show a screen of 16 by 16 black pixels. `None` when it is over.
async fn display<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>, name: &str) -> Option<()> {
    socket.send(Message::binary(b"RFB 003.008\n".to_vec())).await.ok()?;
    let mut input = Input { socket, bytes: Vec::new() };
    greet(&mut input, name).await?;
    let mut pixel = 4;
    loop {
        let kind = *input.take(1).await?.first()?;
        answer(&mut input, kind, &mut pixel).await?;
    }
}

/// The handshake: security of the one kind that there is, and what the screen is.
async fn greet<S: AsyncRead + AsyncWrite + Unpin>(input: &mut Input<S>, name: &str) -> Option<()> {
    if !input.take(12).await?.starts_with(b"RFB 003.") {
        return None;
    }
    // One kind of security, none; and when that is chosen, all is well.
    input.put(vec![1, 1]).await?;
    if input.take(1).await? != [1] {
        input.put([&[0, 0, 0, 1, 0, 0, 0, 7][..], b"refused"].concat()).await?;
        return None;
    }
    input.put(vec![0; 4]).await?;
    input.take(1).await?;
    // Width, height, and pixels of four bytes: 8 bits each of red, green and blue.
    let mut hello = vec![0, 16, 0, 16, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0];
    hello.extend(u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
    hello.extend(name.as_bytes());
    input.put(hello).await
}

/// A message of the viewer. It may change how many bytes a pixel has.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(input: &mut Input<S>, kind: u8, pixel: &mut usize) -> Option<()> {
    match kind {
        // The client's own form of pixels.
        0 => *pixel = usize::from(input.take(19).await?.get(3).copied().unwrap_or(32)).div_ceil(8),
        2 => {
            let count = input.take(3).await?;
            let count = usize::from(u16::from_be_bytes([*count.get(1)?, *count.get(2)?]));
            input.take(count * 4).await?;
        }
        3 => {
            let incremental = input.take(9).await?.first() == Some(&1);
            if !incremental {
                // One rectangle, the whole of it, raw.
                let mut update = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 16, 0, 0, 0, 0];
                update.resize(update.len() + 16 * 16 * *pixel, 0);
                input.put(update).await?;
            }
        }
        4 => drop(input.take(7).await?),
        5 => drop(input.take(5).await?),
        6 => {
            let head = input.take(7).await?;
            let length = u32::from_be_bytes([*head.get(3)?, *head.get(4)?, *head.get(5)?, *head.get(6)?]);
            input.take(usize::try_from(length).ok().filter(|length| *length <= MAX_LEN)?).await?;
        }
        _ => return None,
    }
    Some(())
}

/// The bytes of a socket, however they are cut into messages.
struct Input<S> {
    socket: WebSocketStream<S>,
    bytes: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Input<S> {
    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.bytes.len() < count {
            match self.socket.next().await?.ok()? {
                Message::Binary(bytes) => self.bytes.extend_from_slice(&bytes),
                Message::Close(_) => {
                    let _ = self.socket.close(None).await;
                    return None;
                }
                _ => {}
            }
        }
        let rest = self.bytes.split_off(count);
        Some(std::mem::replace(&mut self.bytes, rest))
    }

    async fn put(&mut self, bytes: Vec<u8>) -> Option<()> {
        self.socket.send(Message::binary(bytes)).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_must_name_known_kinds_of_the_one_resource() {
        assert!(Registration::read(r#"{"resource":"vm","subResources":["state"]}"#).is_some());
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"resource":"vm"}"#,
            r#"{"resource":"vm","subResources":[]}"#,
            r#"{"resource":"vm","subResources":["colour"]}"#,
            r#"{"resource":"image","subResources":["state"]}"#,
            r#"{"resource":"vm","subResources":["state"],"vms":"all"}"#,
        ] {
            assert!(Registration::read(bad).is_none(), "{bad}");
        }
    }
}
