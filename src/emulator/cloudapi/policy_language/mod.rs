//! The sentences of policies, as Aperture reads them: `CAN [NOT] actions [paths] [WHEN conditions]`.
//! Reads them and says whether one allows something; knows neither accounts nor roles.

mod values;
mod words;

use regex_bites::Regex;

use crate::emulator::http::params::glob;
use values::{Kind, Operator, holds};
use words::Words;

/// The longest sentence that is taken, in bytes.
const MAX_RULE: usize = 4096;

/// What a sentence is asked about.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) action: &'a str,
    /// The path as it came.
    pub(crate) path: &'a str,
    /// What is known about the request, such as `method` or `tag_role`.
    pub(crate) attribute: &'a dyn Fn(&str) -> Option<Fact>,
}

/// What is known about one attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    Text(String),
    /// Each of them: one is enough.
    List(Vec<String>),
    /// A time, in milliseconds since 1970.
    Time(i64),
}

/// A sentence that was read.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `CAN NOT` allows nothing; what another sentence allows, it does not take away.
    grants: bool,
    actions: Vec<Pattern>,
    paths: Vec<Pattern>,
    condition: Option<Condition>,
}

#[derive(Debug)]
enum Pattern {
    Exact(String),
    Fuzzy(String),
    Regex(Regex),
}

#[derive(Debug)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare { attribute: String, kind: Kind, operator: Operator, values: Vec<String> },
}

impl Rule {
    /// Reads a sentence, or says what is wrong with it.
    pub(crate) fn read(text: &str) -> Result<Rule, String> {
        if text.len() > MAX_RULE {
            return Err(format!("a rule must be no longer than {MAX_RULE} bytes"));
        }
        let mut words = Words::new(text)?;
        if !words.keyword("can") {
            return Err(words.wanted_can());
        }
        let grants = !words.keyword("not");
        let actions = words.patterns("an action")?;
        let begins = ["when", "if", "where"];
        let paths = match words.peek() {
            None => Vec::new(),
            Some(_) if begins.iter().any(|begin| words.is(begin)) => Vec::new(),
            Some(_) => words.patterns("a path")?,
        };
        let condition = if begins.iter().any(|begin| words.keyword(begin)) { Some(words.condition(0)?) } else { None };
        if words.peek().is_some() {
            return Err(words.wanted("the end"));
        }
        Ok(Rule { grants, actions, paths, condition })
    }

    /// Whether what is asked for is allowed by this sentence, as far as it goes.
    pub(crate) fn allows(&self, question: &Question<'_>) -> bool {
        self.grants
            && self.actions.iter().any(|pattern| pattern.fits(question.action))
            && (self.paths.is_empty() || self.paths.iter().any(|pattern| pattern.fits(question.path)))
            && self.condition.as_ref().is_none_or(|condition| condition.holds(question) == Some(true))
    }

    /// Whether it says by itself which things it is about, so that they need no tag of the role.
    /// The real server overlooks paths without a wildcard here.
    pub(crate) fn names_things(&self) -> bool {
        self.paths.iter().any(|pattern| !matches!(pattern, Pattern::Exact(_)))
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Exact(exact) => exact == text,
            Pattern::Fuzzy(fuzzy) => glob(fuzzy, text),
            Pattern::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Condition {
    /// Whether it holds; `None` when it asks about what is not known, and so would its contrary.
    fn holds(&self, question: &Question<'_>) -> Option<bool> {
        match self {
            Condition::And(left, right) => match (left.holds(question), right.holds(question)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => left.and(right),
            },
            Condition::Or(left, right) => match (left.holds(question), right.holds(question)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => left.and(right),
            },
            Condition::Not(inside) => inside.holds(question).map(|holds| !holds),
            Condition::Compare { attribute, kind, operator, values } => {
                let fact = (question.attribute)(attribute)?;
                Some(values.iter().any(|value| holds(*kind, *operator, &fact, value)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, action: &str, path: &str) -> bool {
        let attribute = |name: &str| match name {
            "method" => Some(Fact::Text("GET".to_owned())),
            "user-agent" => Some(Fact::Text("triton/7.17".to_owned())),
            "sourceip" => Some(Fact::Text("10.1.2.3".to_owned())),
            "activeRoles" => Some(Fact::List(vec!["web".to_owned(), "db".to_owned()])),
            "tag_role" => Some(Fact::Text("web".to_owned())),
            "tag_weight" => Some(Fact::Text("10".to_owned())),
            // Thursday, 5 January 2017, 21:31:40.
            "date" | "day" | "time" => Some(Fact::Time(1_483_651_900_000)),
            _ => None,
        };
        Rule::read(rule).unwrap().allows(&Question { action, path, attribute: &attribute })
    }

    #[test]
    fn actions_may_be_words_wildcards_and_patterns() {
        for (rule, action, yes) in [
            ("CAN getmachine", "getmachine", true),
            ("can getmachine", "listmachines", false),
            ("CAN a, b and c", "c", true),
            ("CAN a, b, and c", "b", true),
            ("CAN a,b and c", "b", true),
            ("CAN a and b", "and", false),
            ("CAN everything", "anything", true),
            ("CAN NOT getmachine", "getmachine", false),
            ("CAN *", "anything", true),
            ("CAN get*", "getmachine", true),
            ("CAN get*", "startmachine", false),
            ("CAN /^list/::regex", "listmachines", true),
            ("CAN /^list/", "listmachines", false),
            ("CAN /^(get|list)machines?$/::regexp and x", "getmachine", true),
            ("CAN /^LIST/i::REGEX", "listmachines", true),
            ("CAN /^list/::regex", "getlist", false),
            ("CAN \"getmachine\"", "getmachine", true),
        ] {
            assert_eq!(allows(rule, action, "/acme/machines"), yes, "{rule} {action}");
        }
    }

    #[test]
    fn paths_are_compared_as_they_came() {
        for (rule, path, yes, names) in [
            ("CAN x", "/acme/machines", true, false),
            ("CAN x /acme/machines/*", "/acme/machines/1", true, true),
            ("CAN x /acme/machines/*", "/my/machines/1", false, true),
            ("CAN x and y *", "/my/machines/1", true, true),
            ("CAN x /acme/machines", "/acme/machines", true, false),
            ("CAN x /acme/machines", "/acme/keys", false, false),
            ("CAN x /acme/a/* and /acme/b/*", "/acme/b/1", true, true),
            ("CAN x /^\\/acme\\//::regex", "/acme/keys", true, true),
            ("CAN x /acme/machines/* WHEN method = GET", "/acme/machines/1", true, true),
        ] {
            assert_eq!(allows(rule, "x", path), yes, "{rule} {path}");
            assert_eq!(Rule::read(rule).unwrap().names_things(), names, "{rule}");
        }
    }

    #[test]
    fn conditions_are_weighed() {
        for (condition, yes) in [
            ("method = GET", true),
            ("method = POST", false),
            ("method != POST", true),
            ("method in (PUT, GET)", true),
            ("method::string = \"GET\"", true),
            ("method::string = 'GET'", false),
            ("not method in (PUT, GET)", false),
            ("user-agent LIKE triton*", true),
            ("user-agent like /^tri/", true),
            ("user-agent LIKE sdc*", false),
            ("sourceip = 10.0.0.0/8", true),
            ("sourceip in (192.168.0.0/16, 10.1.2.3)", true),
            ("sourceip = \"::1\"", false),
            ("sourceip != 10.0.0.0/8", false),
            ("activeRoles = db", true),
            ("activeRoles contains db", true),
            ("activeRoles != db", false),
            ("tag_role::string = web", true),
            ("tag_role::string in (db, web)", true),
            ("tag_weight::number > 9", true),
            ("tag_none::string = x", false),
            ("tag_none::string != x", false),
            ("not tag_none::string = x", false),
            ("tag_none::string = x or method = GET", true),
            ("not (tag_none::string = x and method = PUT)", true),
            ("day = Thursday", true),
            ("day in (Mon, Tues, THU)", true),
            ("day = Friday", false),
            ("time >= 21:00 and time <= 22:00", true),
            ("time < 9:00", false),
            ("date > 2017-01-01 AND date < 2017-01-05T22:00:00Z", true),
            ("date < 2017-01-05", false),
            ("method = PUT or method = GET and day = Thursday", true),
            ("(method = PUT or method = GET) and day = Friday", false),
            ("not method = PUT", true),
            ("not (method = GET)", false),
        ] {
            for word in ["WHEN", "if", "where"] {
                assert_eq!(allows(&format!("CAN x {word} {condition}"), "x", "/"), yes, "{condition}");
            }
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for rule in [
            "",
            "getmachine",
            "CAN",
            "CAN and",
            "CAN a and",
            "CAN a,",
            "CAN a WHEN",
            "CAN a WHEN method",
            "CAN a WHEN method =",
            "CAN a WHEN method = GET and",
            "CAN a WHEN (method = GET",
            "CAN a WHEN method in GET",
            "CAN a WHEN method in ()",
            "CAN a WHEN nonsense = 1",
            "CAN a WHEN tag_x::thing = 1",
            "CAN a WHEN day = someday",
            "CAN a WHEN day = m",
            "CAN a WHEN time = 25:00",
            "CAN a WHEN date = yesterday",
            "CAN a WHEN sourceip = 10.0.0.0/33",
            "CAN a WHEN sourceip = here",
            "CAN a b c",
            "CAN a WHEN method=GET",
            "CAN a WHEN method == GET",
            "CAN a WHEN method not in (PUT, GET)",
            "CAN a WHEN sourceip = ::1",
            "CAN to",
            "CAN a WHEN method = GET nonsense",
            "CAN /(/::regex",
            "CAN :a",
            "bob CAN read",
        ] {
            assert!(Rule::read(rule).is_err(), "{rule}");
        }
        assert!(Rule::read(&format!("CAN {}", "a".repeat(5000))).is_err());
        assert!(Rule::read(&format!("CAN a WHEN {}method = GET", "(".repeat(1000))).is_err());
        assert!(Rule::read(&format!("CAN a WHEN {}method = GET", "not ".repeat(900))).is_err());
        assert!(Rule::read("CAN /((a{100}){100}){100}/::regex").is_err());
    }
}
