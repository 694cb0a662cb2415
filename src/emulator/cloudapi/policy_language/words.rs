//! The words of a sentence, and the grammar that they must follow.

use super::values::{Kind, Operator};
use super::{Condition, Pattern};

/// How deep conditions may be nested.
const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// `word`, `a*b`, `/path/to`: not quoted.
    Bare(String),
    Quoted(String),
    /// A regular expression, and whether it is blind to case.
    Regex(String, bool),
    /// `( ) , ::`
    Sign(&'static str),
}

/// The words of the language, in any case. One that is followed by another sign than a letter ends there.
const KEYWORDS: &[&str] =
    &["and", "or", "not", "can", "to", "if", "when", "where", "all", "everything", "anything", "in"];

/// The words, each with the place where it begins. Operators are words like others, so that blanks stand around them.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let at = text.len() - rest.len();
        let (token, after) = keyword(rest)
            .or_else(|| sign(rest))
            .or_else(|| regex(rest))
            .or_else(|| literal(rest))
            .or_else(|| bare(rest))
            .ok_or_else(|| "Lexical error on line 1. Unrecognized text.".to_owned())?;
        tokens.push((at, token));
        rest = after.trim_start();
    }
    Ok(tokens)
}

fn keyword(text: &str) -> Option<(Token, &str)> {
    KEYWORDS.iter().find_map(|keyword| {
        let (word, after) = text.split_at_checked(keyword.len())?;
        let goes_on = after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        (word.eq_ignore_ascii_case(keyword) && !goes_on).then(|| (Token::Bare((*keyword).to_owned()), after))
    })
}

fn sign(text: &str) -> Option<(Token, &str)> {
    ["::", ",", "(", ")"].iter().find_map(|sign| Some((Token::Sign(sign), text.strip_prefix(sign)?)))
}

/// `/^list/::regex`, `/x/i::regexp`. Without that ending it is a text like others.
fn regex(text: &str) -> Option<(Token, &str)> {
    let inside = text.strip_prefix('/')?;
    let (mut escaped, mut class) = (false, false);
    let end = inside.char_indices().find_map(|(at, letter)| {
        let closes = letter == '/' && !escaped && !class;
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            _ => {}
        }
        closes.then_some(at)
    })?;
    let (pattern, after) = (inside.get(..end)?, inside.get(end + 1..)?);
    let (flags, after) = after.split_at_checked(after.find(|letter: char| !letter.is_ascii_lowercase())?)?;
    let (ending, after) = after.split_at_checked("::regex".len())?;
    if pattern.is_empty() || pattern.starts_with('*') || !ending.eq_ignore_ascii_case("::regex") {
        return None;
    }
    let after = after.strip_prefix(['p', 'P']).unwrap_or(after);
    Some((Token::Regex(pattern.replace("\\/", "/"), flags.contains('i')), after))
}

/// A text between double quotes.
fn literal(text: &str) -> Option<(Token, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inside.char_indices().find_map(|(at, letter)| {
        let closes = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        closes.then_some(at)
    })?;
    Some((Token::Quoted(inside.get(..end)?.to_owned()), inside.get(end + 1..)?))
}

/// Anything up to a blank, a comma, a parenthesis or two colons. It does not begin with a colon.
fn bare(text: &str) -> Option<(Token, &str)> {
    let ends = |letter: char| letter.is_whitespace() || ",()".contains(letter);
    let end = text.find(|letter: char| ends(letter)).unwrap_or(text.len());
    let end = text.find("::").map_or(end, |at| at.min(end));
    let (word, after) = text.split_at_checked(end)?;
    (!word.is_empty() && !word.starts_with(':')).then(|| (Token::Bare(word.to_owned()), after))
}

#[derive(Debug)]
pub(crate) struct Words {
    text: String,
    tokens: Vec<(usize, Token)>,
    at: usize,
}

/// How much of a sentence is shown on either side of a fault.
const MAX_CONTEXT: usize = 20;

impl Token {
    /// What the real server's grammar calls it.
    fn kind(&self) -> String {
        match self {
            Token::Bare(word) if is_keyword(word) => word.to_ascii_uppercase(),
            Token::Bare(word) if word == "*" => word.clone(),
            Token::Bare(word) if word.contains('*') => "FUZZY_STRING".to_owned(),
            Token::Bare(_) => "STRING".to_owned(),
            Token::Quoted(_) => "STRING_LITERAL".to_owned(),
            Token::Regex(..) => "REGEX_LITERAL".to_owned(),
            Token::Sign(sign) => (*sign).to_owned(),
        }
    }
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

impl Words {
    pub(crate) fn new(text: &str) -> Result<Words, String> {
        Ok(Words { text: text.to_owned(), tokens: tokens(text)?, at: 0 })
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Bare(word)) if word.eq_ignore_ascii_case(keyword))
    }

    /// Takes this word, if it is the next one.
    pub(crate) fn keyword(&mut self, keyword: &str) -> bool {
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
    pub(crate) fn wanted(&self, what: &str) -> String {
        let at = self.tokens.get(self.at).map_or(self.text.len(), |(at, _)| *at);
        let (before, after) = self.text.split_at_checked(at).unwrap_or((&self.text, ""));
        let before: Vec<char> = before.chars().filter(|c| *c != '\n').collect();
        let cut = before.len().saturating_sub(MAX_CONTEXT);
        let before: String = "...".chars().filter(|_| cut > 0).chain(before.into_iter().skip(cut)).collect();
        let after: String = after.chars().filter(|c| *c != '\n').take(MAX_CONTEXT).collect();
        let dashes = "-".repeat(before.chars().count());
        let got = self.peek().map_or_else(|| "EOF".to_owned(), Token::kind);
        format!("Parse error on line 1:\n{before}{after}\n{dashes}^\nExpecting {what}, got '{got}'")
    }

    /// The same of the word with which the actions begin. Whom a sentence is about may stand before it.
    pub(crate) fn wanted_can(mut self) -> String {
        self.at = usize::from(matches!(self.peek(), Some(Token::Bare(_) | Token::Quoted(_))));
        if self.is("can") {
            self.at = 0;
        }
        self.wanted("'CAN'")
    }

    /// `a`, `a and b`, `a, b and c`. The real grammar has an `and` before the last of several and nowhere else;
    /// versions of it differ, so any of both is taken here, and the client warns of it.
    pub(crate) fn patterns(&mut self, what: &str) -> Result<Vec<Pattern>, String> {
        let mut patterns = vec![self.pattern(what)?];
        loop {
            let comma = self.sign(",");
            let and = self.keyword("and");
            if !comma && !and {
                return Ok(patterns);
            }
            patterns.push(self.pattern(what)?);
        }
    }

    fn pattern(&mut self, what: &str) -> Result<Pattern, String> {
        let pattern = match self.peek().cloned() {
            Some(Token::Bare(word)) if ["all", "everything", "anything"].contains(&&*word) => {
                Pattern::Fuzzy("*".to_owned())
            }
            Some(Token::Bare(word)) if is_keyword(&word) => return Err(self.wanted(what)),
            Some(Token::Bare(word)) if word.contains('*') => Pattern::Fuzzy(word),
            Some(Token::Bare(word) | Token::Quoted(word)) => Pattern::Exact(word),
            Some(Token::Regex(pattern, blind)) => Pattern::Regex(crate::emulator::text::regex(&pattern, blind)?),
            _ => return Err(self.wanted(what)),
        };
        self.at += 1;
        Ok(pattern)
    }

    pub(crate) fn condition(&mut self, depth: usize) -> Result<Condition, String> {
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
        let attribute = match self.peek().cloned() {
            Some(Token::Bare(word)) if !is_keyword(&word) => word,
            Some(Token::Quoted(word)) => word,
            _ => return Err(self.wanted("an attribute")),
        };
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
        let listed = self.keyword("in");
        let operator = if listed { Operator::Is } else { self.operator()? };
        let values = if listed { self.values()? } else { vec![self.value()?] };
        values.iter().try_for_each(|value| kind.check(operator, value))?;
        Ok(Condition::Compare { attribute, kind, operator, values })
    }

    fn operator(&mut self) -> Result<Operator, String> {
        let Some(Token::Bare(word)) = self.peek() else { return Err(self.wanted("an operator")) };
        let operator = match word.to_ascii_lowercase().as_str() {
            "=" => Operator::Is,
            "!=" => Operator::IsNot,
            "<" => Operator::Less,
            ">" => Operator::More,
            "<=" => Operator::AtMost,
            ">=" => Operator::AtLeast,
            "like" => Operator::Like,
            // An attribute that is a list holds a value, or is it.
            "contains" => Operator::Is,
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
            Some(Token::Bare(word)) if is_keyword(&word) => Err(self.wanted("a value")),
            Some(Token::Bare(word) | Token::Quoted(word)) => {
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.wanted("a value")),
        }
    }
}
