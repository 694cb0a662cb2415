//! Queries in the languages of the services, held against what is known of a thing: it fits, it does not, or nobody here
//! can tell. Pure.

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// All of these.
    All(Vec<Query>),
    /// Any of these.
    Any(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
    /// A field is compared.
    Is(String, Test),
}

/// How a field is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is there.
    There,
    /// It is this.
    Equal(String),
    /// The same, where nobody knows whether a star in it means any text, or itself.
    Constant(String),
    /// It begins and ends so, with these texts in their order between: between two neighbours anything may stand.
    Like(Vec<String>),
    /// It is this or more.
    AtLeast(String),
    /// It is this or less.
    AtMost(String),
}

impl Query {
    /// Whether what is known of a thing fits; nothing where that cannot be told. `known` returns the values of a field,
    /// none where it is empty, and nothing where the thing does not show it.
    pub fn judge(&self, known: &dyn Fn(&str) -> Option<Vec<String>>) -> Option<bool> {
        match self {
            Query::All(parts) => combined(parts, known, false),
            Query::Any(parts) => combined(parts, known, true),
            Query::Not(part) => part.judge(known).map(|fits| !fits),
            Query::Is(field, test) => {
                let values = known(field)?;
                decided(values.iter().map(|value| test.judge(value)), true)
            }
        }
    }
}

fn combined(parts: &[Query], known: &dyn Fn(&str) -> Option<Vec<String>>, any: bool) -> Option<bool> {
    decided(parts.iter().map(|part| part.judge(known)), any)
}

/// One that is `decisive` decides; else one that cannot be told leaves all untold.
fn decided(mut judged: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut untold = false;
    let decided = judged.any(|one| {
        untold |= one.is_none();
        one == Some(decisive)
    });
    match (decided, untold) {
        (true, _) => Some(decisive),
        (false, true) => None,
        (false, false) => Some(!decisive),
    }
}

impl Test {
    /// Nothing where the service may see it otherwise: small and capital letters, the order of texts.
    fn judge(&self, value: &str) -> Option<bool> {
        match self {
            Test::There => Some(true),
            // 1.10 and 1.1 are one number, and two versions.
            Test::Equal(wanted) => surely(value == wanted, || match ordered(value, wanted) {
                Some(order) => order.is_eq(),
                None => value.eq_ignore_ascii_case(wanted),
            }),
            Test::Constant(wanted) if wanted.contains('*') => {
                let parts: Vec<String> = wanted.split('*').map(str::to_owned).collect();
                surely(value == wanted, || like(&parts, value))
            }
            Test::Constant(wanted) => Test::Equal(wanted.clone()).judge(value),
            Test::Like(parts) => {
                let lower = || parts.iter().map(|part| part.to_lowercase()).collect::<Vec<_>>();
                surely(like(parts, value), || like(&lower(), &value.to_lowercase()))
            }
            Test::AtLeast(wanted) => ordered(value, wanted).map(|order| order.is_ge()),
            Test::AtMost(wanted) => ordered(value, wanted).map(|order| order.is_le()),
        }
    }
}

/// Yes, or no if it is not even nearly so.
fn surely(is: bool, nearly: impl Fn() -> bool) -> Option<bool> {
    match is {
        true => Some(true),
        false => (!nearly()).then_some(false),
    }
}

/// How two numbers or two times stand to each other. Times are numbers too, in milliseconds since 1970.
fn ordered(value: &str, wanted: &str) -> Option<std::cmp::Ordering> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = |text: &str| text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond() as f64);
    match (number(value), number(wanted)) {
        (Some(value), Some(wanted)) => value.partial_cmp(&wanted),
        (None, wanted_number) => time(value)?.partial_cmp(&wanted_number.or_else(|| time(wanted))?),
        (Some(_), None) => None,
    }
}

/// Whether a text begins with the first part, ends with the last one, and has the others between, in their order.
fn like(parts: &[String], text: &str) -> bool {
    let [first, between @ .., last] = parts else { return parts.iter().all(|only| only == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in between {
        match rest.find(part.as_str()) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::{ldap, predicate};
    use super::*;

    fn judged(query: &Query) -> Option<bool> {
        query.judge(&|field| {
            let values: &[&str] = match field {
                "alias" => &["web1"],
                "state" => &["running"],
                "ram" => &["1024"],
                "docker" => &["true"],
                "created" => &["2026-03-02T10:15:00.120Z"],
                "networks" => &["a", "b"],
                "destroyed" => &[],
                _ => return None,
            };
            Some(values.iter().map(|value| (*value).to_owned()).collect())
        })
    }

    #[test]
    fn an_ldap_filter_fits_does_not_or_cannot_be_told() {
        for (filter, fits) in [
            ("(alias=web1)", Some(true)),
            ("(alias=web2)", Some(false)),
            ("(alias=web*)", Some(true)),
            ("(alias=*b*)", Some(true)),
            ("(alias=w*b*1)", Some(true)),
            ("(alias=w*bb*1)", Some(false)),
            ("(alias=web1*1)", Some(false)),
            ("(alias=*)", Some(true)),
            ("(alias=web\\2a)", Some(false)),
            // The service may see no difference.
            ("(alias=WEB1)", None),
            ("(!(alias=Web*))", None),
            ("(!(alias=web2))", Some(true)),
            ("(ram>=1024)", Some(true)),
            ("(ram<=512)", Some(false)),
            ("(ram=1024.0)", None),
            ("(ram=512)", Some(false)),
            ("(ram>=many)", None),
            ("(alias>=a)", None),
            ("(created>=1772446500120)", Some(true)),
            ("(created<=1772446500119)", Some(false)),
            ("(created>=2027-01-01T00:00:00Z)", Some(false)),
            ("(networks=b)", Some(true)),
            ("(networks=c)", Some(false)),
            ("(destroyed=*)", Some(false)),
            ("(!(destroyed=*))", Some(true)),
            ("(other=x)", None),
            ("(!(other=x))", None),
            ("(&(state=running)(other=x))", None),
            ("(&(state=stopped)(other=x))", Some(false)),
            ("(|(state=running)(other=x))", Some(true)),
            ("(|(state=stopped)(other=x))", None),
            (" (&(ram>=1024)(|(alias=db*)(docker=true))) ", Some(true)),
        ] {
            assert_eq!(judged(&ldap::read(filter).unwrap()), fits, "{filter}");
        }
    }

    #[test]
    fn a_predicate_fits_does_not_or_cannot_be_told() {
        for (text, fits) in [
            (r#"{"eq":["alias","web1"]}"#, Some(true)),
            (r#"{"ne":["alias","web1"]}"#, Some(false)),
            (r#"{"ne":["destroyed","x"]}"#, Some(true)),
            (r#"{"eq":["ram",1024]}"#, Some(true)),
            (r#"{"ge":["ram",2048]}"#, Some(false)),
            (r#"{"le":["ram","2048"]}"#, Some(true)),
            (r#"{"eq":["docker",true]}"#, Some(true)),
            (r#"{"eq":["docker",false]}"#, Some(false)),
            // A star may be anything to the service, or itself.
            (r#"{"eq":["alias","web*"]}"#, None),
            (r#"{"eq":["alias","db*"]}"#, Some(false)),
            (r#"{"and":[{"eq":["state","running"]},{"eq":["tag.role","web"]}]}"#, None),
            (r#"{"or":[{"eq":["state","stopped"]},{"ge":["ram",1]}]}"#, Some(true)),
        ] {
            assert_eq!(judged(&predicate::read(text).unwrap()), fits, "{text}");
        }
    }
}
