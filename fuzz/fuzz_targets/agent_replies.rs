//! Any bytes as what an ssh-agent answers: as a message, and as a stream.
#![no_main]

use std::io::{self, Read, Write};

use libfuzzer_sys::fuzz_target;
use sdc::auth::{PublicKey, agent};

/// An agent that answers these bytes and no more, some at a time.
struct Line<'a>(&'a [u8]);

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let part = buffer.len().min(7);
        self.0.read(&mut buffer[..part])
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).expect("short").to_be_bytes(), bytes].concat()
}

fuzz_target!(|bytes: &[u8]| {
    match agent::exchange(Line(bytes), &[11]) {
        Some(reply) => assert!(bytes[4..].starts_with(&reply) && !reply.is_empty()),
        None => assert!(bytes.get(..4).is_none_or(|length| {
            let length = u32::from_be_bytes(length.try_into().expect("four")) as usize;
            length == 0 || length > 256 * 1024 || length > bytes.len() - 4
        })),
    }
    let (keys, signed) = agent::replies(bytes);
    if let Some(keys) = keys {
        let mut reply = vec![12];
        reply.extend(u32::try_from(keys.len()).expect("few").to_be_bytes());
        for key in &keys {
            assert!(!key.comment().contains(char::is_control));
            reply.extend([string(key.blob()), string(key.comment().as_bytes())].concat());
        }
        assert_eq!(agent::replies(&reply).0.expect("the same list"), keys);
        for key in keys {
            assert_eq!(PublicKey::from_line(&key.openssh_line()).expect("its own line"), key);
        }
    }
    if let Some((name, signature, der)) = signed {
        let reply = [vec![14], string(&[string(name.as_bytes()), string(&signature)].concat())].concat();
        assert_eq!(agent::replies(&reply).1, Some((name, signature, der.clone())));
        // Two positive numbers, whole, and nothing after them.
        if let Some(der) = der {
            assert_eq!(der.first(), Some(&0x30));
        }
    }
});
