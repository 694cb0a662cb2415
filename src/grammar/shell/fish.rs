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

/// Whether fish would put somebody's home folder in the place of a name that completes this token: it quotes all that
/// it inserts but a tilde at the beginning.
pub fn expands(token: &str, name: &str) -> bool {
    let user = name.strip_prefix('~').and_then(|rest| rest.split('/').next());
    let known = |letter: char| letter.is_alphanumeric() || "._-+@$".contains(letter);
    user.is_some_and(|user| user.chars().all(known)) && !token.starts_with(['\\', '\'', '"'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_a_home_folder_unless_it_is_quoted_already() {
        for name in ["~", "~root", "~/x", "~root/x"] {
            assert!(expands("", name) && expands("~", name), "{name}");
            assert!(["\\~", "'~", "\"", "'"].iter().all(|token| !expands(token, name)), "{name}");
        }
        for name in ["root", "a~", "~root's", "~a b", ""] {
            assert!(!expands("", name), "{name}");
        }
    }

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
