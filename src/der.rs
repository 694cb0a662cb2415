//! The little of DER that keys, signatures and certificates need: definite lengths, one-byte tags.
//! Reads borrowed bytes and never trusts a length; it knows nothing of what the fields mean.

use secrecy::zeroize::Zeroizing;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Reads elements one after another. Every method gives `None` when they are not there.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is: tag and contents.
    pub(crate) fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.rest.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first & 0x7f);
        if first & 0x80 != 0 {
            // 0x80 alone would be the indefinite form; four bytes are more than any file here has.
            if length == 0 || length > 4 {
                return None;
            }
            let (digits, tail) = rest.split_at_checked(length)?;
            length = digits.iter().fold(0_usize, |sum, digit| (sum << 8) | usize::from(*digit));
            rest = tail;
        }
        let (body, tail) = rest.split_at_checked(length)?;
        self.rest = tail;
        Some((tag, body))
    }

    /// The contents of the next element, if it has this tag.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, body) = ahead.any()?;
        (found == tag).then(|| {
            *self = ahead;
            body
        })
    }

    /// The next element with its tag and length, if it has this tag.
    pub(crate) fn whole(&mut self, tag: u8) -> Option<&'a [u8]> {
        let before = self.rest;
        self.take(tag)?;
        before.get(..before.len() - self.rest.len())
    }

    /// The elements within the next element, if it has this tag.
    pub(crate) fn within(&mut self, tag: u8) -> Option<Reader<'a>> {
        self.take(tag).map(Reader::new)
    }

    /// A positive integer without its leading zeros; `None` for zero and for negative ones.
    pub(crate) fn positive(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?;
        if *bytes.first()? & 0x80 != 0 {
            return None;
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..).filter(|rest| !rest.is_empty())
    }

    /// The whole octets of a bit string.
    pub(crate) fn bits(&mut self) -> Option<&'a [u8]> {
        match self.take(BIT_STRING)?.split_first()? {
            (0, octets) => Some(octets),
            _ => None,
        }
    }
}

/// Appends one element.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(tag);
    put_length(out, body.len());
    out.extend_from_slice(body);
}

/// Appends a non-negative integer given as big-endian octets.
pub(crate) fn put_integer(out: &mut Vec<u8>, bytes: &[u8]) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    // Zero needs an octet, and a high first bit would mean a negative number.
    let pad = digits.first().is_none_or(|first| first & 0x80 != 0);
    out.push(INTEGER);
    put_length(out, digits.len() + usize::from(pad));
    if pad {
        out.push(0);
    }
    out.extend_from_slice(digits);
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            out.extend_from_slice(digits);
        }
    }
}

/// A sequence of these integers: an ECDSA signature, or a PKCS#1 key (and so wiped when dropped).
pub(crate) fn integers(numbers: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    // Room for all of it at once: a buffer that grows leaves copies behind that nobody wipes.
    let room = numbers.iter().map(|number| number.len() + 12).sum();
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    for number in numbers {
        put_integer(&mut body, number);
    }
    let mut all = Zeroizing::new(Vec::with_capacity(room + 12));
    put(&mut all, SEQUENCE, &body);
    all
}
