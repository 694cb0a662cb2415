//! An ssh-agent that offers one key: enough of the protocol to list it and to sign with it.

use std::path::Path;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

use super::private_dir::EphemeralKey;

#[cfg(not(unix))]
pub(crate) fn start(_: &Path, _: EphemeralKey, _: watch::Receiver<bool>) -> Result<JoinHandle<()>> {
    Err(Error::usage("an ssh-agent needs a system with Unix sockets"))
}

#[cfg(unix)]
pub(crate) use unix::start;

#[cfg(unix)]
mod unix {
    use super::*;

    use std::sync::Arc;

    use rsa::pkcs1v15::Pkcs1v15Sign;
    use sha1::Sha1;
    use sha2::{Digest, Sha256, Sha512};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::task::JoinSet;

    use super::super::private_dir::{Private, PrivateDir, put_string};
    use super::super::server::stopped;

    const FAILURE: u8 = 5;
    const LIST: u8 = 11;
    const LISTED: u8 = 12;
    const SIGN: u8 = 13;
    const SIGNED: u8 = 14;
    const WITH_SHA256: u32 = 2;
    const WITH_SHA512: u32 = 4;
    /// OpenSSH's own limit.
    const MAX_LEN: u32 = 256 * 1024;

    /// Listens on a socket until told to stop.
    pub(crate) fn start(socket: &Path, key: EphemeralKey, mut stop: watch::Receiver<bool>) -> Result<JoinHandle<()>> {
        let listener = UnixListener::bind(socket).map_err(|error| {
            let failed = Error::other(format!("cannot listen on {}", socket.display())).because(error);
            // The folder around the emulator's own.
            PrivateDir::elsewhere(failed, socket.parent().and_then(Path::parent).unwrap_or(socket))
        })?;
        let key = Arc::new(key);
        Ok(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    () = stopped(&mut stop) => break,
                    Some(_) = connections.join_next() => {}
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        connections.spawn(talk(stream, Arc::clone(&key)));
                    },
                }
            }
            connections.shutdown().await;
        }))
    }

    /// Answers one client until it leaves or makes no sense.
    async fn talk(mut stream: UnixStream, key: Arc<EphemeralKey>) {
        while let Ok(length) = stream.read_u32().await {
            if !(1..=MAX_LEN).contains(&length) {
                return;
            }
            let mut message = vec![0; length as usize];
            if stream.read_exact(&mut message).await.is_err() {
                return;
            }
            let mut reply = Vec::new();
            put_string(&mut reply, &answer(&message, &key));
            if stream.write_all(&reply).await.is_err() {
                return;
            }
        }
    }

    fn answer(message: &[u8], key: &EphemeralKey) -> Vec<u8> {
        match message.split_first() {
            Some((&LIST, _)) => {
                let mut reply = vec![LISTED, 0, 0, 0, 1];
                put_string(&mut reply, &key.blob);
                put_string(&mut reply, super::super::private_dir::KEY_NAME.as_bytes());
                reply
            }
            Some((&SIGN, rest)) => sign(rest, key).unwrap_or_else(|| vec![FAILURE]),
            _ => vec![FAILURE],
        }
    }

    fn take<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, rest) = from.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        *from = rest;
        Some(bytes)
    }

    fn sign(mut rest: &[u8], key: &EphemeralKey) -> Option<Vec<u8>> {
        let blob = take(&mut rest)?;
        let data = take(&mut rest)?;
        let flags = u32::from_be_bytes(*rest.first_chunk::<4>()?);
        if blob != key.blob {
            return None;
        }
        let rsa = match &key.key {
            Private::Rsa(rsa) => rsa,
            Private::Ed25519(key) => {
                use ed25519_dalek::Signer;
                return Some(signed("ssh-ed25519", &key.sign(data).to_bytes()));
            }
        };
        let (name, padding, digest) = if flags & WITH_SHA512 != 0 {
            ("rsa-sha2-512", Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(data).to_vec())
        } else if flags & WITH_SHA256 != 0 {
            ("rsa-sha2-256", Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(data).to_vec())
        } else {
            ("ssh-rsa", Pkcs1v15Sign::new::<Sha1>(), Sha1::digest(data).to_vec())
        };
        let signature = rsa.sign_with_rng(&mut rsa::rand_core::OsRng, padding, &digest).ok()?;
        Some(signed(name, &signature))
    }

    fn signed(name: &str, signature: &[u8]) -> Vec<u8> {
        let mut inner = Vec::new();
        put_string(&mut inner, name.as_bytes());
        put_string(&mut inner, signature);
        let mut reply = vec![SIGNED];
        put_string(&mut reply, &inner);
        reply
    }

    #[cfg(test)]
    mod tests {
        use super::super::super::private_dir::ThrowAwayKey;
        use super::*;

        #[test]
        fn a_message_that_makes_no_sense_is_refused() {
            let key = EphemeralKey::make(ThrowAwayKey::Ed25519).unwrap();
            for message in [&[][..], &[SIGN], &[SIGN, 255, 255, 255, 255, 0], &[99], &[SIGN, 0, 0, 0, 0, 0, 0, 0, 0]] {
                assert_eq!(answer(message, &key), [FAILURE], "{message:?}");
            }
        }

        #[test]
        fn the_flags_choose_the_hash() {
            let key = EphemeralKey::make(ThrowAwayKey::KnownRsa).unwrap();
            for (flags, name) in [(0_u8, "ssh-rsa"), (2, "rsa-sha2-256"), (4, "rsa-sha2-512")] {
                let mut message = vec![SIGN];
                put_string(&mut message, &key.blob);
                put_string(&mut message, b"words");
                message.extend_from_slice(&[0, 0, 0, flags]);
                let reply = answer(&message, &key);
                let mut rest = reply.strip_prefix(&[SIGNED]).unwrap();
                let mut signature = take(&mut rest).unwrap();
                assert_eq!(take(&mut signature).unwrap(), name.as_bytes());
                assert_eq!(take(&mut signature).unwrap().len(), 256);
            }
        }
    }
}
