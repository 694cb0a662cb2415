//! Words of PowerShell's, as they stand on the line.

/// PowerShell takes all of these for a single quote.
const SINGLE: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

/// A word of PowerShell's, perhaps with a quote that is still open.
pub fn read(word: &str) -> String {
    let Some(rest) = word.strip_prefix(SINGLE) else { return word.trim_matches('"').to_owned() };
    let rest = rest.strip_suffix(SINGLE).unwrap_or(rest);
    SINGLE.iter().fold(rest.to_owned(), |text, quote| text.replace(&format!("{quote}{quote}"), &quote.to_string()))
}

/// The text as one word of PowerShell's.
pub fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'=' | b'+');
    if text.bytes().all(plain) { text.to_owned() } else { literal(text) }
}

/// The text in quotes, as an expression of PowerShell's.
pub fn literal(text: &str) -> String {
    let mut out = String::from("'");
    for letter in text.chars() {
        out.push(letter);
        if SINGLE.contains(&letter) {
            out.push(letter);
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_gets_one_word_whatever_the_name() {
        for (name, word) in [
            ("web1", "web1"),
            ("--image=x", "--image=x"),
            ("key with space", "'key with space'"),
            ("x$(touch F)", "'x$(touch F)'"),
            ("it's", "'it''s'"),
            ("x\u{2019}; calc; \u{2018}", "'x\u{2019}\u{2019}; calc; \u{2018}\u{2018}'"),
            ("a,b", "'a,b'"),
            ("@x", "'@x'"),
        ] {
            assert_eq!(quoted(name), word, "{name}");
            assert_eq!(read(&quoted(name)), name, "{name}");
        }
        assert_eq!(read("'key w"), "key w");
    }
}
