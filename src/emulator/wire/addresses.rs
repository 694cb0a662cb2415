//! Addresses for services that cannot share one: each has paths that others have too.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::{Error, Result};

/// The port that addresses without one stand for.
const HTTP: u16 = 80;
/// The last byte of the first service's address.
const FIRST: u8 = 20;
/// How many networks are tried before giving up.
const TRIES: u16 = 200;

/// Listeners, and each name with its address.
pub(crate) type Listening = (Vec<TcpListener>, Vec<(String, String)>);

/// Listens for so many services: on a free /24 of the loopback, at port 80 where that is allowed, and otherwise at one
/// port that is free on all of its addresses. Where the system has one loopback address only, each gets a port of its
/// own. Returns the listeners, and each name with its address: `HOST`, or `HOST:PORT`.
///
/// # Errors
/// No address can be listened on.
pub(crate) async fn listen(names: &[&str]) -> Result<Listening> {
    let failed = |error: io::Error| Error::other("cannot listen for the internal services").because(error);
    // Emulators that start at the same time begin at different networks.
    let start = u16::try_from(std::process::id() % 60_000).unwrap_or(0);
    for turn in 0..TRIES {
        let [second, third] = start.wrapping_add(turn.wrapping_mul(251)).max(256).to_be_bytes();
        match subnet(names.len(), second, third).await {
            Ok(listeners) => return named(names, listeners).map_err(failed),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(_) => break,
        }
    }
    let mut listeners = Vec::new();
    for _ in names {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?);
    }
    named(names, listeners).map_err(failed)
}

/// Listens on the addresses of one network, all at the same port.
async fn subnet(count: usize, second: u8, third: u8) -> io::Result<Vec<TcpListener>> {
    let address = |at: usize| Ipv4Addr::new(127, second, third, FIRST + u8::try_from(at).unwrap_or(u8::MAX - FIRST));
    let first = match TcpListener::bind((address(0), HTTP)).await {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => TcpListener::bind((address(0), 0)).await?,
        other => other?,
    };
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    for at in 1..count {
        listeners.push(TcpListener::bind((address(at), port)).await?);
    }
    Ok(listeners)
}

fn named(names: &[&str], listeners: Vec<TcpListener>) -> io::Result<Listening> {
    let mut all = Vec::new();
    for (name, listener) in names.iter().zip(&listeners) {
        let address: SocketAddr = listener.local_addr()?;
        let shown = if address.port() == HTTP { address.ip().to_string() } else { address.to_string() };
        all.push(((*name).to_owned(), shown));
    }
    Ok((listeners, all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_at_once_have_addresses_of_their_own() {
        let names = ["sapi", "vmapi", "napi"];
        let (first, one) = listen(&names).await.unwrap();
        let (second, other) = listen(&names).await.unwrap();
        assert_eq!((first.len(), second.len()), (3, 3));
        assert!(one.iter().all(|(_, address)| !other.iter().any(|(_, taken)| taken == address)), "{one:?} {other:?}");
        assert_eq!(one[1].0, "vmapi");
    }
}
