//! Secrets that nothing names, known by their shape: logins within URLs, and lines of a key's middle.

/// A line of a key has as many letters: 64 in most forms, 70 in OpenSSH's.
const SHORTEST_LINE: usize = 60;

/// A URL with a login before its host: what stands before the login, and what behind it, which is nothing where the host
/// cannot be told from a password.
pub(super) fn login(text: &str) -> Option<(&str, &str)> {
    let known = || {
        let rest = behind_scheme(text)?;
        let begin = text.len() - rest.len();
        Some((text.get(..begin)?, rest.get(login_length(rest, text)?..)?))
    };
    known().or_else(|| behind_slashes(text))
}

/// How long the login is at the beginning of the rest of a URL.
fn login_length(rest: &str, text: &str) -> Option<usize> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((login, _)) = authority.rsplit_once('@') {
        return (!login.is_empty()).then_some(login.len());
    }
    if encodes_at(authority) {
        return Some(rest.len());
    }
    // What follows a colon and is no port may be a password, with a slash in it that nobody encoded, or without a host.
    let (host, port) = authority.rsplit_once(':')?;
    // In other URLs, such as docker://nginx:latest, it is no port.
    if text.contains("://")
        && !SCHEMES.iter().any(|scheme| text.to_ascii_lowercase().contains(scheme))
        && !rest.contains('@')
    {
        return None;
    }
    let address = host.starts_with('[') || authority.ends_with(']');
    let odd = !address && (host.contains(':') || !port.bytes().all(|digit| digit.is_ascii_digit()));
    odd.then(|| rest.rsplit_once('@').map_or(rest.len(), |(login, _)| login.len()))
}

/// What stands for a colon, a slash and an at sign: a keyboard of another language has these letters.
const COLONS: [char; 5] = [':', '\u{ff1a}', '\u{fe55}', '\u{fe13}', '\u{a789}'];
const SLASHES: [char; 7] = ['/', '\\', '\u{ff0f}', '\u{ff3c}', '\u{2044}', '\u{2215}', '\u{29f8}'];
const ATS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];

/// A login behind two slashes, whatever scheme is before them, if any: `//jill:secret@`.
pub(super) fn behind_slashes(text: &str) -> Option<(&str, &str)> {
    if !text.contains(ATS) {
        return None;
    }
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find(SLASHES) {
        let slashes = text.get(at + found..)?;
        let rest = slashes.trim_start_matches(SLASHES);
        at = text.len() - rest.len();
        // Of `https://` one slash is easily lost, and an address is read all the same.
        let scheme = text.get(..text.len() - slashes.len())?.ends_with(':');
        if !scheme && slashes.chars().take_while(|letter| SLASHES.contains(letter)).count() < 2 {
            continue;
        }
        let word = rest.split(char::is_whitespace).next()?;
        let authority = word.split(SLASHES).next()?;
        let (name, password) = authority.split_once(COLONS).unwrap_or_default();
        // A password may have a slash in it, but what is behind a port has not.
        let port = password.bytes().all(|digit| digit.is_ascii_digit());
        let login = if port || scheme { authority } else { word };
        if let Some(sign) = login.rfind(ATS)
            && !name.is_empty()
            && login.find(COLONS).is_some_and(|colon| colon < sign)
        {
            return Some((text.get(..at)?, rest.get(sign..)?));
        }
    }
    None
}

/// The schemes that are read with any number of slashes behind them.
const SCHEMES: &[&str] = &["http:", "https:", "socks4:", "socks4a:", "socks5:", "socks5h:"];

fn behind_scheme(text: &str) -> Option<&str> {
    if let Some((_, rest)) = text.split_once("://") {
        return Some(rest);
    }
    if !text.contains(':') {
        return text.strip_prefix("//");
    }
    let lower = text.to_ascii_lowercase();
    let known = SCHEMES.iter().filter_map(|scheme| lower.find(scheme).map(|at| at + scheme.len())).min();
    let rest = known.and_then(|at| text.get(at..)).map(|rest| rest.trim_start_matches(['/', '\\']));
    rest.or_else(|| text.strip_prefix("//"))
}

fn encodes_at(text: &str) -> bool {
    text.contains("%40")
}

/// `jill:secret@host`. A path may stand behind a machine's name and a colon (`web1:/tmp/a@b`), and words with blanks
/// are a sentence.
pub(super) fn is_userinfo(text: &str) -> bool {
    let Some((login, _)) = text.split_once(ATS).or_else(|| text.split_once("%40")) else { return false };
    let (name, password) = match login.split_once(COLONS) {
        Some(both) => both,
        None => match login.to_ascii_lowercase().find("%3a") {
            Some(at) => (login.get(..at).unwrap_or_default(), login.get(at + 3..).unwrap_or_default()),
            None => return false,
        },
    };
    let path = password.starts_with(['/', '\\', '~']);
    !name.is_empty() && !password.is_empty() && !path && !login.contains(char::is_whitespace)
}

/// Whether a word of this looks like base64 of what was never meant to be read: capital and small letters and digits
/// that change about as often as chance lets them. Names and paths change less, fingerprints in hex know one case.
/// A word shorter than a line is known by its padding alone: without it, it may as well be a name.
pub(super) fn has_line(text: &str) -> bool {
    if text.len() < SHORTEST_END || is_digest(text) {
        return false;
    }
    let standard = |letter: char| letter.is_ascii_alphanumeric() || letter == '+' || letter == '/';
    let in_urls = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    words(text, standard).any(|word| is_line(word, SHORTEST_LINE))
        || text.contains(['-', '_']) && words(text, in_urls).any(|word| is_line(word, SHORTEST_LINE))
        || text.contains('=') && ends(text).any(|word| is_line(word, SHORTEST_END))
}

/// A line's end that is padded has at least as many letters.
const SHORTEST_END: usize = 22;

/// `SHA256:`, `sha512-` and the like: what follows is for everybody to see.
fn is_digest(text: &str) -> bool {
    let Some((head, rest)) = text.split_at_checked(3) else { return false };
    let behind = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    head.eq_ignore_ascii_case("SHA") && behind.starts_with([':', '-', '/', '=', '_'])
}

fn words(text: &str, of: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    text.split(move |letter: char| !of(letter))
}

/// The words of base64 that are padded as base64 is: to a multiple of four letters, with nothing of it behind.
fn ends(text: &str) -> impl Iterator<Item = &str> {
    let base64 = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '-' | '_');
    text.match_indices('=').filter_map(move |(at, _)| {
        let (before, behind) = (text.get(..at)?, text.get(at..)?);
        let rest = behind.trim_start_matches('=');
        let pads = behind.len() - rest.len();
        let start = before.rfind(|letter: char| !base64(letter)).map_or(0, |at| at + 1);
        let word = before.get(start..)?;
        ((word.len() + pads).is_multiple_of(4) && pads <= 2 && !rest.starts_with(base64)).then_some(word)
    })
}

/// The beginnings of the public keys of ssh, which may be shown.
const PUBLIC: &[&str] = &["AAAAC3NzaC1", "AAAAB3NzaC1", "AAAAE2VjZHNh", "AAAAG", "AAAAI"];

/// The exponent 65537 with the head of the private one behind it, at each of the three places where base64 may cut.
/// Every private RSA key has it, and it changes less often than chance would.
const EXPONENTS: &[&str] = &["MBAAECgg", "IDAQABAoI", "AwEAAQKC"];

fn is_line(word: &str, shortest: usize) -> bool {
    if word.len() >= shortest && EXPONENTS.iter().any(|exponents| word.contains(exponents)) {
        return true;
    }
    let sort = |byte: &u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let has = |sort: fn(&u8) -> bool| word.as_bytes().iter().any(sort);
    let separators = word.bytes().filter(|byte| matches!(byte, b'-' | b'_')).count();
    if word.len() < shortest
        || PUBLIC.iter().any(|public| word.starts_with(public))
        || word.matches('/').count() > word.len() / 12
        || separators > word.len() / 10
        || !(has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit))
    {
        return false;
    }
    // A separator is no change: names have many.
    let letters: Vec<u8> = word.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).collect();
    let changes = letters.windows(2).filter(|pair| pair.first().map(sort) != pair.last().map(sort)).count();
    let mut seen = [false; 256];
    letters.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    // Chance uses most letters there are; words repeat a few.
    let percent = if different >= 34 { 36 } else { 45 };
    changes * 100 >= letters.len() * percent
}
/// Whether a text is a UUID with its hyphens, in letters of either case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
