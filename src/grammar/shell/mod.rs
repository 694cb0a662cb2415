//! Words as shells take them, and lines as they read them: pure text, which starts nothing.

pub mod bash;
pub mod fish;
pub mod powershell;

/// A word that a POSIX shell takes as it is.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quoted_word_is_safe_in_a_shell() {
        assert_eq!(quoted("web-0"), "web-0");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME; `rm`"), r"'it'\''s $HOME; `rm`'");
    }
}
