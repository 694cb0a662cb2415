//! The handshake of RFC 6455, by which a request becomes a WebSocket.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::head::Head;

/// What every handshake adds to the client's key.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Whether a request asks for a WebSocket at all.
pub(crate) fn is_upgrade(head: &Head) -> bool {
    let has = |name: &str, word: &str| {
        let value = head.get(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    has("connection", "upgrade") && has("upgrade", "websocket")
}

/// The answer to the key of a client's handshake; `None` if there is none, or it is for another version.
pub(crate) fn accept(head: &Head) -> Option<String> {
    let key = head.get("sec-websocket-key")?;
    let fits = head.get("sec-websocket-version").as_deref() == Some("13")
        && STANDARD.decode(key.trim()).is_ok_and(|bytes| bytes.len() == 16);
    fits.then(|| STANDARD.encode(Sha1::digest(format!("{}{MAGIC}", key.trim()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_key_is_that_of_rfc_6455() {
        let mut headers = hyper::HeaderMap::new();
        headers.insert("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        headers.insert("sec-websocket-version", "13".parse().unwrap());
        let mut head = Head { method: "GET".to_owned(), target: "/".to_owned(), headers };
        assert_eq!(accept(&head).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        head.headers.insert("sec-websocket-version", "8".parse().unwrap());
        assert_eq!(accept(&head), None);
    }
}
