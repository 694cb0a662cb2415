//! A client of ssh-agent: lists its keys and has it sign. It never adds keys, and believes nothing
//! the agent says: lengths are bounded, time is, and every signature is verified before it is used.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

use super::der;
use super::files::Spare;
use super::fingerprint::{KeyKind, PublicKey, clean_name};
use super::http_signature::Algorithm;
use super::wire::{Reader, put_string};
use crate::error::{Error, Result};
use crate::sensitive;

/// OpenSSH's own bound for a message.
const MAX_MESSAGE_LEN: usize = 256 * 1024;
/// More keys than anybody holds.
const MAX_KEYS: u32 = 1024;

const LIST: u8 = 11;
const LISTED: u8 = 12;
const SIGN: u8 = 13;
const SIGNED: u8 = 14;
/// 5 is OpenSSH's word for no; 30 and 102 are those of older agents.
const REFUSED: [u8; 3] = [5, 30, 102];

/// An ssh-agent, known by its socket. A connection is made for each question.
#[derive(Clone, Debug)]
pub struct Agent {
    socket: PathBuf,
    /// How long it may take to list its keys.
    pub list_timeout: Duration,
    /// How long it may take to sign: somebody may have to touch a token.
    pub sign_timeout: Duration,
}

/// A key whose secret half is in an agent.
#[derive(Clone)]
pub struct AgentKey {
    agent: Agent,
    public: PublicKey,
    /// Where its file may be, should the agent refuse to sign.
    spare: Spare,
}

impl fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentKey").field("socket", &self.agent.socket).field("public", &self.public.md5()).finish()
    }
}

/// What one exchange with an agent came to, when it came to nothing.
enum Trouble {
    /// Not there, or nobody listens.
    Connect(io::Error),
    /// It did not answer in time.
    Slow(Duration),
    /// The connection ended, or the system said no.
    Broken(io::Error),
    /// It answered what no agent answers.
    Nonsense(&'static str),
    /// It said no.
    Refused,
}

impl Agent {
    /// The agent at this socket (`SSH_AUTH_SOCK`), or this named pipe on Windows. Nothing happens yet.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Agent { socket: socket.into(), list_timeout: Duration::from_secs(10), sign_timeout: Duration::from_secs(60) }
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The keys it holds, in its own order. Keys that are not well formed are left out; those that
    /// CloudAPI does not take, such as certificates, are not.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::error::Kind::Auth), in words that tell apart: no socket, nobody
    /// listening, a refusal, nonsense, silence.
    pub fn keys(&self) -> Result<Vec<PublicKey>> {
        let listed = self.exchange(&[LIST], self.list_timeout).and_then(|reply| parse_keys(&reply));
        listed.map_err(|trouble| self.error(trouble, "list its keys"))
    }

    /// The same keys with which one can sign.
    pub fn key(&self, public: PublicKey) -> AgentKey {
        AgentKey { agent: self.clone(), public, spare: Spare::default() }
    }

    /// Has the agent sign.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::error::Kind::Auth): the troubles of [`Agent::keys`], an agent that
    /// signs by another algorithm than asked for, and a signature that does not verify.
    pub fn sign(&self, public: &PublicKey, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        if let Some(why) = public.kind().unusable_in_agent() {
            return Err(Error::auth(why));
        }
        let (flags, expected) = match (public.kind(), algorithm) {
            (KeyKind::Rsa { .. }, Algorithm::RsaSha1) => (0, "ssh-rsa"),
            (KeyKind::Rsa { .. }, Algorithm::RsaSha256) => (2, "rsa-sha2-256"),
            (KeyKind::Rsa { .. }, Algorithm::RsaSha512) => (4, "rsa-sha2-512"),
            (KeyKind::P256, Algorithm::EcdsaSha256)
            | (KeyKind::P521, Algorithm::EcdsaSha512)
            | (KeyKind::Ed25519, Algorithm::Ed25519Sha512) => (0_u32, public.algorithm()),
            _ => return Err(Error::other(format!("this key cannot make {} signatures", algorithm.as_str()))),
        };
        let mut request = Vec::with_capacity(public.blob().len() + data.len() + 32);
        request.push(SIGN);
        put_string(&mut request, public.blob());
        put_string(&mut request, data);
        request.extend_from_slice(&flags.to_be_bytes());

        let reply = self.exchange(&request, self.sign_timeout);
        let signed = reply.and_then(|reply| parse_signature(&reply));
        let (name, bytes) = signed.map_err(|trouble| self.error(trouble, "sign"))?;
        if name != expected {
            return Err(Error::auth(format!(
                "the ssh-agent at {} signed by {} where {expected} was asked for",
                self.socket.display(),
                clean_name(&name)
            ))
            .hint("use a newer ssh-agent, or give the key's file with --key-file"));
        }
        let signature = match public.kind() {
            KeyKind::P256 | KeyKind::P521 => ecdsa_to_der(&bytes),
            // Some agents drop leading zeros, which the server would take for a wrong signature.
            KeyKind::Rsa { bits } => pad(bytes, usize::try_from(bits.div_ceil(8)).unwrap_or(0)),
            _ => Some(bytes),
        };
        signature.filter(|signature| public.verify(algorithm, data, signature)).ok_or_else(|| {
            Error::auth(format!("the ssh-agent at {} gave a signature that is not valid", self.socket.display()))
                .hint("ssh-add -T FILE.pub tests a key of the agent")
                .hint("give the key's file with --key-file")
        })
    }

    fn error(&self, trouble: Trouble, what: &str) -> Error {
        let socket = sensitive::path(&self.socket);
        match trouble {
            Trouble::Connect(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => format!("there is no ssh-agent socket {socket}"),
                    io::ErrorKind::ConnectionRefused => format!("no ssh-agent listens at {socket}"),
                    io::ErrorKind::PermissionDenied => format!("the ssh-agent at {socket} belongs to somebody else"),
                    _ => format!("cannot reach an ssh-agent at {socket}"),
                };
                Error::auth(why).because(error).hint("eval \"$(ssh-agent)\" && ssh-add")
            }
            Trouble::Slow(limit) => {
                Error::auth(format!("the ssh-agent at {socket} did not {what} within {} s", limit.as_secs_f32()))
                    .hint("it may wait for a touch or a confirmation")
            }
            Trouble::Broken(error) => {
                Error::auth(format!("the ssh-agent at {socket} broke off when asked to {what}")).because(error)
            }
            Trouble::Nonsense(why) => {
                Error::auth(format!("what listens at {socket} does not answer like an ssh-agent: {why}"))
            }
            Trouble::Refused => Error::auth(format!("the ssh-agent at {socket} refused to {what}"))
                .hint("ssh-add -l shows whether it is locked (ssh-add -X) or has lost the key"),
        }
    }

    /// One message there, one back: its type byte and contents.
    #[cfg(unix)]
    fn exchange(&self, message: &[u8], limit: Duration) -> Result<Vec<u8>, Trouble> {
        let end = Instant::now() + limit;
        // An agent that takes no more connections keeps one waiting for ever, and the standard library
        // knows no time-out for it: another thread waits, and is left behind.
        let socket = self.socket.clone();
        let (tell, told) = std::sync::mpsc::channel();
        let connect = move || drop(tell.send(std::os::unix::net::UnixStream::connect(socket)));
        std::thread::Builder::new().spawn(connect).map_err(Trouble::Connect)?;
        let stream = told.recv_timeout(limit).map_err(|_| Trouble::Slow(limit))?.map_err(Trouble::Connect)?;
        converse(Timed { stream, end }, message, limit)
    }

    /// One message there, one back. A pipe opened as a file has no time-outs, so another thread
    /// waits for it; when it hangs, that thread is left behind.
    #[cfg(not(unix))]
    fn exchange(&self, message: &[u8], limit: Duration) -> Result<Vec<u8>, Trouble> {
        let (socket, message) = (self.socket.clone(), message.to_vec());
        let (tell, told) = std::sync::mpsc::channel();
        let talk = move || {
            let pipe = std::fs::OpenOptions::new().read(true).write(true).open(socket);
            let reply = pipe.map_err(Trouble::Connect).and_then(|pipe| converse(pipe, &message, limit));
            // Nobody listens any more when the time was up.
            let _ = tell.send(reply);
        };
        std::thread::Builder::new().spawn(talk).map_err(Trouble::Connect)?;
        told.recv_timeout(limit).unwrap_or(Err(Trouble::Slow(limit)))
    }
}

impl AgentKey {
    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The same key, whose file may be there.
    pub(super) fn or_from(self, spare: Spare) -> AgentKey {
        AgentKey { spare, ..self }
    }

    /// The file of the same key, if there is one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.spare.file_of(&self.public)
    }

    /// Where its agent listens.
    pub fn socket(&self) -> &Path {
        self.agent.socket()
    }

    /// [`Agent::sign`] with this key.
    ///
    /// # Errors
    /// Those of [`Agent::sign`].
    pub fn sign(&self, algorithm: Algorithm, data: &[u8]) -> Result<Vec<u8>> {
        self.agent.sign(&self.public, algorithm, data)
    }
}

/// A socket with one deadline for all that is read and written: a time-out for each read would let
/// an agent drip bytes for ever.
#[cfg(unix)]
struct Timed {
    stream: std::os::unix::net::UnixStream,
    end: Instant,
}

#[cfg(unix)]
impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

#[cfg(unix)]
impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

#[cfg(unix)]
impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn converse(mut stream: impl Read + Write, message: &[u8], limit: Duration) -> Result<Vec<u8>, Trouble> {
    let broken = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Trouble::Slow(limit),
        _ => Trouble::Broken(error),
    };
    if message.len() > MAX_MESSAGE_LEN {
        return Err(Trouble::Nonsense("the question would be longer than it takes"));
    }
    let mut request = Vec::with_capacity(message.len() + 4);
    put_string(&mut request, message);
    stream.write_all(&request).and_then(|()| stream.flush()).map_err(broken)?;

    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(broken)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_MESSAGE_LEN {
        return Err(Trouble::Nonsense("it announces an answer of impossible length"));
    }
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply).map_err(broken)?;
    Ok(reply)
}

/// The contents of a reply of this type.
fn expect(reply: &[u8], wanted: u8) -> Result<Reader<'_>, Trouble> {
    let mut reader = Reader::new(reply);
    match reader.byte() {
        Some(found) if found == wanted => Ok(reader),
        Some(found) if REFUSED.contains(&found) => Err(Trouble::Refused),
        _ => Err(Trouble::Nonsense("its answer has the wrong type")),
    }
}

fn parse_keys(reply: &[u8]) -> Result<Vec<PublicKey>, Trouble> {
    let mut reader = expect(reply, LISTED)?;
    let count = reader.u32().filter(|count| *count <= MAX_KEYS);
    let count = count.ok_or(Trouble::Nonsense("it claims an impossible number of keys"))?;
    let mut keys = Vec::new();
    for _ in 0..count {
        let (Some(blob), Some(comment)) = (reader.string(), reader.string()) else {
            return Err(Trouble::Nonsense("its list of keys is cut short"));
        };
        // One odd key does not spoil the others.
        keys.extend(PublicKey::from_blob(blob.to_vec(), &String::from_utf8_lossy(comment)));
    }
    Ok(keys)
}

/// Name of the algorithm, and the signature in SSH's encoding.
fn parse_signature(reply: &[u8]) -> Result<(String, Vec<u8>), Trouble> {
    let mut reader = expect(reply, SIGNED)?;
    let mut parse = || {
        let mut inner = Reader::new(reader.string()?);
        let name = inner.text()?.to_owned();
        let signature = inner.string()?.to_vec();
        inner.is_empty().then_some((name, signature))
    };
    parse().ok_or(Trouble::Nonsense("its signature is cut short"))
}

/// SSH writes an ECDSA signature as two numbers of its own; the server wants DER.
fn ecdsa_to_der(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::new(bytes);
    let (r, s) = (reader.positive()?, reader.positive()?);
    reader.is_empty().then(|| der::integers(&[r, s]).to_vec())
}

/// What an agent's reply is read as, for `fuzz/`: its keys, and name and bytes of a signature, the latter also as
/// DER.
#[cfg(fuzzing)]
pub fn replies(reply: &[u8]) -> (Option<Vec<PublicKey>>, Option<(String, Vec<u8>, Option<Vec<u8>>)>) {
    let signed = parse_signature(reply).ok().map(|(name, bytes)| {
        let der = ecdsa_to_der(&bytes);
        (name, bytes, der)
    });
    (parse_keys(reply).ok(), signed)
}

/// The whole exchange with an agent at the other end of this stream, for `fuzz/`.
#[cfg(fuzzing)]
pub fn exchange(stream: impl Read + Write, message: &[u8]) -> Option<Vec<u8>> {
    converse(stream, message, Duration::from_secs(1)).ok()
}

fn pad(mut bytes: Vec<u8>, length: usize) -> Option<Vec<u8>> {
    let missing = length.checked_sub(bytes.len())?;
    bytes.splice(0..0, std::iter::repeat_n(0, missing));
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_reply_makes_the_parsers_panic(kind in 0_u8..20, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut reply = vec![kind];
            reply.extend(bytes);
            let _ = parse_keys(&reply);
            let _ = parse_signature(&reply);
            let _ = ecdsa_to_der(&reply);
        }

        #[test]
        fn a_stream_is_read_as_one_message_or_not_at_all(bytes in proptest::collection::vec(any::<u8>(), 1..200), cut in 0_usize..220) {
            struct Line(Vec<u8>, usize);
            impl Read for Line {
                fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                    let part = (&self.0[self.1..]).read(&mut buffer[..1])?;
                    self.1 += part;
                    Ok(part)
                }
            }
            impl Write for Line {
                fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                    Ok(bytes.len())
                }
                fn flush(&mut self) -> io::Result<()> {
                    Ok(())
                }
            }
            let mut stream = Vec::new();
            put_string(&mut stream, &bytes);
            let whole = cut >= stream.len();
            stream.truncate(cut);
            let read = converse(Line(stream, 0), &[LIST], Duration::from_secs(1));
            prop_assert_eq!(read.ok(), whole.then_some(bytes));
        }

        #[test]
        fn a_signature_is_read_back_as_it_was_written(
            name in "[a-z0-9-]{1,30}", r in proptest::collection::vec(any::<u8>(), 1..40), s in proptest::collection::vec(any::<u8>(), 1..40),
        ) {
            let (mut numbers, mut inner, mut reply) = (Vec::new(), Vec::new(), vec![SIGNED]);
            put_string(&mut numbers, &r);
            put_string(&mut numbers, &s);
            put_string(&mut inner, name.as_bytes());
            put_string(&mut inner, &numbers);
            put_string(&mut reply, &inner);
            prop_assert_eq!(parse_signature(&reply).ok(), Some((name, numbers.clone())));
            // Zero and negative numbers are in no signature.
            let positive = |bytes: &[u8]| bytes[0] & 0x80 == 0 && bytes.iter().any(|byte| *byte != 0);
            prop_assert_eq!(ecdsa_to_der(&numbers).is_some(), positive(&r) && positive(&s));
            for length in 0..reply.len() {
                prop_assert!(parse_signature(&reply[..length]).is_err());
            }
        }

        #[test]
        fn a_list_is_read_back_as_it_was_written(comments in proptest::collection::vec("[a-z@ ]{0,20}", 0..6)) {
            let mut blob = Vec::new();
            put_string(&mut blob, b"ssh-ed25519");
            put_string(&mut blob, &[7; 32]);
            let mut reply = vec![LISTED];
            reply.extend(u32::try_from(comments.len()).unwrap().to_be_bytes());
            for comment in &comments {
                put_string(&mut reply, &blob);
                put_string(&mut reply, comment.as_bytes());
            }
            let keys = parse_keys(&reply).ok().expect("a good list");
            let read: Vec<&str> = keys.iter().map(PublicKey::comment).collect();
            let written: Vec<&str> = comments.iter().map(|comment| comment.trim()).collect();
            prop_assert_eq!(read, written);
            // Cut anywhere, it is refused, not misread.
            for length in 0..reply.len() {
                prop_assert!(parse_keys(&reply[..length]).is_err());
            }
        }
    }
}
