//! The words of a sentence, and the grammar that they must follow.

use super::values::{Kind, Operator, compile};
use super::{Condition, Pattern};

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `word`, `a*b`, `/path/to`: not quoted.
    Bare(String),
    Quoted(String),
    /// A regular expression, and whether it is blind to case.
    Regex(String, bool),
    /// `( ) , = != < <= > >= ::`
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: &[&str] = &["::", "!=", "<=", ">=", "==", "(", ")", ",", "=", "<", ">"];

/// The words, each with the place where it begins.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let tail;
        // An address of version 6 may begin with two colons too.
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign) && (**sign != "::" || is_type(rest, 0)));
        if let Some(sign) = sign {
            tokens.push((at, Token::Sign(if *sign == "==" { "=" } else { sign })));
            tail = rest.get(sign.len()..);
        } else if first == '"' || first == '\'' {
            let (inside, after) = rest
                .get(1..)
                .and_then(|rest| rest.split_once(first))
                .ok_or_else(|| format!("{first} is not closed"))?;
            tokens.push((at, Token::Quoted(inside.to_owned())));
            tail = Some(after);
        } else if let Some((token, after)) = regex(rest) {
            tokens.push((at, token));
            tail = Some(after);
        } else {
            let end = rest.find(ends_word).unwrap_or(rest.len());
            let end = rest.find("::").filter(|at| *at < end && is_type(rest, *at)).unwrap_or(end);
            let (word, after) = rest.split_at_checked(end.max(first.len_utf8())).unwrap_or((rest, ""));
            tokens.push((at, Token::Bare(word.to_owned())));
            tail = Some(after);
        }
        rest = tail.unwrap_or("").trim_start();
    }
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "(),=!<>\"'".contains(c)
}

/// Whether the two colons there are followed by the name of a type.
fn is_type(text: &str, at: usize) -> bool {
    let name = text.get(at + 2..).unwrap_or("");
    let end = name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len());
    name.get(..end).is_some_and(|name| Kind::named(name).is_some())
}

/// `/^list/` or `/x/i` at the start of a text. A slash inside must be escaped, so that a path is none.
fn regex(text: &str) -> Option<(Token, &str)> {
    let inside = text.strip_prefix('/')?;
    let mut escaped = false;
    let end = inside.char_indices().find_map(|(at, c)| {
        let closes = c == '/' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })?;
    let (pattern, after) = (inside.get(..end)?, inside.get(end + 1..)?);
    let flags = after.find(|c: char| !matches!(c, 'g' | 'i' | 'm')).unwrap_or(after.len());
    let (flags, after) = after.split_at_checked(flags)?;
    if pattern.is_empty() || !after.chars().next().is_none_or(ends_word) {
        return None;
    }
    Some((Token::Regex(pattern.replace("\\/", "/"), flags.contains('i')), after))
}

#[derive(Debug)]
pub(super) struct Words {
    text: String,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

/// How much of a sentence is shown on either side of a fault.
const SHOWN: usize = 20;

impl Token {
    /// What the real server's grammar calls it.
    fn kind(&self) -> String {
        match self {
            Token::Bare(word)
                if ["and", "or", "not", "can", "when", "if", "in", "like"]
                    .iter()
                    .any(|keyword| word.eq_ignore_ascii_case(keyword)) =>
            {
                word.to_ascii_uppercase()
            }
            Token::Bare(word) if word.contains('*') => "FUZZY_STRING".to_owned(),
            Token::Bare(_) | Token::Quoted(_) => "STRING".to_owned(),
            Token::Regex(..) => "REGEX".to_owned(),
            Token::Sign(sign) => (*sign).to_owned(),
        }
    }
}

impl Words {
    pub(super) fn new(text: &str) -> Result<Words, String> {
        Ok(Words { text: text.to_owned(), tokens: tokens(text)?, at: 0 })
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Bare(word)) if word.eq_ignore_ascii_case(keyword))
    }

    /// Takes this word, if it is the next one.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let is = self.is(keyword);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(have)) if *have == sign);
        self.at += usize::from(is);
        is
    }

    /// Says what should have come in the place of what comes next, as the real server's parser does.
    pub(super) fn wanted(&self, what: &str) -> String {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |(at, _)| *at);
        let (before, after) = self.text.split_at_checked(at).unwrap_or((&self.text, ""));
        let before: Vec<char> = before.chars().filter(|c| *c != '\n').collect();
        let cut = before.len().saturating_sub(SHOWN);
        let before: String = "...".chars().filter(|_| cut > 0).chain(before.into_iter().skip(cut)).collect();
        let after: String = after.chars().filter(|c| *c != '\n').take(SHOWN).collect();
        let dashes = "-".repeat(before.chars().count());
        let got = self.peek().map_or_else(|| "EOF".to_owned(), Token::kind);
        format!("Parse error on line 1:\n{before}{after}\n{dashes}^\nExpecting {what}, got '{got}'")
    }

    /// The same of the word with which the actions begin. Whom a sentence is about may stand before it.
    pub(super) fn wanted_can(mut self) -> String {
        self.at = usize::from(matches!(self.peek(), Some(Token::Bare(_) | Token::Quoted(_))));
        self.wanted("'CAN'")
    }

    /// `a`, `a and b`, `a, b and c`.
    pub(super) fn patterns(&mut self, what: &str) -> Result<Vec<Pattern>, String> {
        let mut patterns = Vec::new();
        loop {
            if ["and", "when", "if", "can"].iter().any(|keyword| self.is(keyword)) {
                return Err(self.wanted(what));
            }
            patterns.push(match self.next() {
                Some(Token::Bare(word)) if word.contains('*') => Pattern::Fuzzy(word),
                Some(Token::Bare(word) | Token::Quoted(word)) => Pattern::Exact(word),
                Some(Token::Regex(pattern, blind)) => Pattern::Regex(compile(&pattern, blind)?),
                _ => {
                    self.at -= 1;
                    return Err(self.wanted(what));
                }
            });
            let comma = self.sign(",");
            let and = self.keyword("and");
            if !comma && !and {
                return Ok(patterns);
            }
        }
    }

    pub(super) fn condition(&mut self, depth: usize) -> Result<Condition, String> {
        let mut left = self.all(depth)?;
        while self.keyword("or") {
            left = Condition::Or(Box::new(left), Box::new(self.all(depth)?));
        }
        Ok(left)
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut left = self.one(depth)?;
        while self.keyword("and") {
            left = Condition::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > MAX_DEPTH {
            return Err("the conditions are nested too deeply".to_owned());
        }
        if self.keyword("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.sign("(") {
            let inside = self.condition(depth + 1)?;
            return if self.sign(")") { Ok(inside) } else { Err(self.wanted(")")) };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let Some(Token::Bare(attribute)) = self.peek().cloned() else { return Err(self.wanted("an attribute")) };
        self.at += 1;
        let kind = if self.sign("::") {
            let named = match self.peek() {
                Some(Token::Bare(name)) => Kind::named(name),
                _ => None,
            };
            let kind = named.ok_or_else(|| self.wanted("a type"))?;
            self.at += 1;
            kind
        } else {
            Kind::of(&attribute).ok_or_else(|| format!("the type of {attribute:?} is not known"))?
        };
        let not = self.keyword("not");
        let listed = self.keyword("in");
        if not && !listed {
            return Err(self.wanted("in"));
        }
        let operator = if listed { Operator::Is } else { self.operator()? };
        let values = if listed { self.values()? } else { vec![self.value()?] };
        values.iter().try_for_each(|value| kind.check(operator, value))?;
        let compare = Condition::Compare { attribute, kind, operator, values };
        Ok(if not { Condition::Not(Box::new(compare)) } else { compare })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let operator = match self.peek() {
            Some(Token::Sign("=")) => Operator::Is,
            Some(Token::Sign("!=")) => Operator::IsNot,
            Some(Token::Sign("<")) => Operator::Less,
            Some(Token::Sign(">")) => Operator::More,
            Some(Token::Sign("<=")) => Operator::AtMost,
            Some(Token::Sign(">=")) => Operator::AtLeast,
            Some(_) if self.is("like") => Operator::Like,
            // An attribute that is a list holds a value, or is it.
            Some(_) if self.is("contains") => Operator::Is,
            _ => return Err(self.wanted("an operator")),
        };
        self.at += 1;
        Ok(operator)
    }

    fn values(&mut self) -> Result<Vec<String>, String> {
        if !self.sign("(") {
            return Err(self.wanted("("));
        }
        let mut values = vec![self.value()?];
        while self.sign(",") {
            values.push(self.value()?);
        }
        if self.sign(")") { Ok(values) } else { Err(self.wanted(")")) }
    }

    fn value(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Bare(word) | Token::Quoted(word)) => {
                self.at += 1;
                Ok(word)
            }
            // What a pattern is compared with is found anywhere in it, as in any other pattern.
            Some(Token::Regex(pattern, blind)) => {
                compile(&pattern, blind)?;
                self.at += 1;
                Ok(if blind { format!("/(?i){pattern}/") } else { format!("/{pattern}/") })
            }
            _ => Err(self.wanted("a value")),
        }
    }
}
