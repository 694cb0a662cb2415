//! LDAP filters (RFC 4515), by which VMAPI and PAPI narrow their lists: `(&(state=running)(ram>=1024)(!(alias=web*)))`.

use super::fault;
use super::judge::{Query, Test};
use crate::error::Result;

/// No filter is nested deeper.
const MAX_DEPTH: usize = 50;

/// Checks a filter.
///
/// # Errors
/// A usage error with a caret at the fault.
pub fn check(text: &str) -> Result<()> {
    read(text).map(drop)
}

/// Reads a filter.
///
/// # Errors
/// As [`check`].
pub fn read(text: &str) -> Result<Query> {
    let mut reader = Reader { text, at: text.len() - text.trim_start().len() };
    let query = reader.filter(0)?;
    match text[reader.at..].trim_start() {
        "" => Ok(query),
        _ => reader.wrong("there is more behind the filter", "several are one within (&...) or (|...)"),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn wrong<T>(&self, message: &str, expected: &str) -> Result<T> {
        Err(fault("the LDAP filter", self.text, self.at, message, expected))
    }

    fn filter(&mut self, depth: usize) -> Result<Query> {
        if depth > MAX_DEPTH {
            return self.wrong("it is nested too deeply", &format!("at most {MAX_DEPTH} filters within another"));
        }
        if !self.rest().starts_with('(') {
            return self.wrong("a filter begins with a parenthesis", "expected (NAME=VALUE)");
        }
        self.at += 1;
        let query = match self.rest().chars().next() {
            Some(sign @ ('&' | '|')) => {
                self.at += 1;
                if !self.rest().starts_with('(') {
                    return self.wrong("nothing is combined here", "expected (NAME=VALUE)");
                }
                let mut parts = Vec::new();
                while self.rest().starts_with('(') {
                    parts.push(self.filter(depth + 1)?);
                }
                if sign == '&' { Query::All(parts) } else { Query::Any(parts) }
            }
            Some('!') => {
                self.at += 1;
                Query::Not(Box::new(self.filter(depth + 1)?))
            }
            _ => self.item()?,
        };
        if !self.rest().starts_with(')') {
            return self.wrong("the filter is not closed", "expected )");
        }
        self.at += 1;
        Ok(query)
    }

    fn item(&mut self) -> Result<Query> {
        let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':' | ';');
        let name = self.rest().find(|letter| !is_name(letter)).unwrap_or(self.rest().len());
        if name == 0 {
            return self.wrong("a name is missing", "expected NAME=VALUE");
        }
        let field = self.rest()[..name].to_owned();
        self.at += name;
        let operators = ["=", ">=", "<="];
        let Some(operator) = operators.into_iter().find(|operator| self.rest().starts_with(operator)) else {
            let expected = match self.rest().starts_with(['<', '>']) {
                true => "expected <= or >=: there is neither < nor >",
                false => "expected =, >= or <=",
            };
            return self.wrong("an operator is missing", expected);
        };
        self.at += operator.len();
        let parts = self.value(operator)?;
        let all = || parts.concat();
        let test = match operator {
            ">=" => Test::AtLeast(all()),
            "<=" => Test::AtMost(all()),
            _ if parts.len() == 1 => Test::Equal(all()),
            _ if parts.iter().all(String::is_empty) => Test::There,
            _ => Test::Like(parts),
        };
        Ok(Query::Is(field, test))
    }

    /// The parts of a value between its stars.
    fn value(&mut self, operator: &str) -> Result<Vec<String>> {
        let mut parts = vec![Vec::new()];
        while let Some(letter) = self.rest().chars().next() {
            match letter {
                ')' => {
                    return Ok(parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect());
                }
                '(' => return self.wrong("a value cannot hold a parenthesis", "write ( as \\28 and ) as \\29"),
                '*' if operator != "=" => return self.wrong("a star stands behind = alone", "write a plain * as \\2a"),
                '\\' => {
                    let code = self.rest().as_bytes().get(1..3);
                    if !code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)) {
                        return self.wrong("a backslash stands before two hexadecimal digits", "write \\ as \\5c");
                    }
                    let byte = self.rest().get(1..3).and_then(|code| u8::from_str_radix(code, 16).ok());
                    parts.last_mut().into_iter().for_each(|part| part.extend(byte));
                    self.at += 3;
                }
                '*' => {
                    parts.push(Vec::new());
                    self.at += 1;
                }
                letter if letter.is_control() => {
                    return self.wrong("a value cannot hold a control character", "write it as \\ and two digits");
                }
                letter => {
                    let mut bytes = [0; 4];
                    let bytes = letter.encode_utf8(&mut bytes).bytes();
                    parts.last_mut().into_iter().for_each(|part| part.extend(bytes.clone()));
                    self.at += letter.len_utf8();
                }
            }
        }
        self.wrong("the filter is not closed", "expected )")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::caret_is_within;
    use super::*;

    #[test]
    fn filters_are_taken() {
        for text in [
            "(state=running)",
            " (&(ram>=1024)(brand=lx)) ",
            "(|(alias=web*)(!(tag.role=*))(ram<=512))",
            "(alias=a\\28b\\29)",
            "(internal_metadata.sdc:system_role=nfsvolumestorage)",
            "(name=ünï cödé)",
            "(alias=)",
        ] {
            assert!(check(text).is_ok(), "{text}: {:?}", check(text));
        }
    }

    #[test]
    fn a_caret_stands_at_the_fault() {
        for (text, message, hint) in [
            ("", "a filter begins with a parenthesis", "\n^ expected (NAME=VALUE)"),
            ("state=running", "a filter begins with a parenthesis", "state=running\n^ expected (NAME=VALUE)"),
            ("(ram>1024)", "an operator is missing", "(ram>1024)\n    ^ expected <= or >=: there is neither < nor >"),
            ("(state)", "an operator is missing", "(state)\n      ^ expected =, >= or <="),
            ("(=x)", "a name is missing", "(=x)\n ^ expected NAME=VALUE"),
            ("(state=running", "the filter is not closed", "(state=running\n              ^ expected )"),
            ("(&(a=b)(c=d)", "the filter is not closed", "(&(a=b)(c=d)\n            ^ expected )"),
            ("(&)", "nothing is combined here", "(&)\n  ^ expected (NAME=VALUE)"),
            (
                "(a=b)(c=d)",
                "there is more behind the filter",
                "(a=b)(c=d)\n     ^ several are one within (&...) or (|...)",
            ),
            ("(a=(b))", "a value cannot hold a parenthesis", "(a=(b))\n   ^ write ( as \\28 and ) as \\29"),
            ("(a=\\zz)", "a backslash stands before two hexadecimal digits", "(a=\\zz)\n   ^ write \\ as \\5c"),
            ("(a>=1*)", "a star stands behind = alone", "(a>=1*)\n     ^ write a plain * as \\2a"),
            ("(!a=b)", "a filter begins with a parenthesis", "(!a=b)\n  ^ expected (NAME=VALUE)"),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.message(), format!("the LDAP filter: {message}"), "{text}");
            assert_eq!(error.hints()[0], hint, "{text}");
        }
        assert!(check(&"(!".repeat(1000)).unwrap_err().message().contains("nested too deeply"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in "[()&|!=<>*\\\\a-c0é \n-]{0,24}") {
            if let Err(error) = check(&text) {
                prop_assert!(caret_is_within(error.hints()[0].as_str()), "{:?}", error.hints());
            }
        }
    }
}
