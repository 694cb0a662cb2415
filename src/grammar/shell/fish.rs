//! A word of fish's as it stands on the line.

/// A token of fish's, perhaps with a quote that is still open, as the command would get it.
pub fn read(token: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut letters = token.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if letter == open => quote = None,
            (_, '\\') => match (quote, letters.peek().copied()) {
                (None, Some(next)) => {
                    out.push(next);
                    letters.next();
                }
                (Some(open), Some(next)) if next == open || next == '\\' || (open == '"' && next == '$') => {
                    out.push(next);
                    letters.next();
                }
                (None, None) => {}
                (Some(_), _) => out.push('\\'),
            },
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_fish_is_read_with_its_quotes_open_or_closed() {
        for (token, meant) in [
            ("plain", "plain"),
            (r"key\ with", "key with"),
            ("'key with", "key with"),
            ("'key with'", "key with"),
            (r#""a \" \$ \\ \x"#, r#"a " $ \ \x"#),
            (r"'it\'s \n", r"it's \n"),
            ("--image='de", "--image=de"),
            (r"end\", "end"),
        ] {
            assert_eq!(read(token), meant, "{token}");
        }
    }
}
