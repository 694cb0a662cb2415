//! API versions, and the semver ranges in which clients ask for them. Knows no routes.

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u64, pub(crate) u64, pub(crate) u64);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Every version the server speaks, oldest first.
pub(crate) const ALL: &[Version] =
    &[Version(7, 0, 0), Version(7, 1, 0), Version(7, 2, 0), Version(7, 3, 0), Version(8, 0, 0), Version(9, 0, 0)];

/// The versions that know sub-users, roles, and interfaces of machines.
pub(crate) const FROM_7_2: &[Version] = ALL.split_at(2).1;
/// The versions that know fabrics.
pub(crate) const FROM_7_3: &[Version] = ALL.split_at(3).1;

/// The newest of these versions that lies in the range, if the range makes sense and holds one.
pub(crate) fn choose(range: &str, of: &[Version]) -> Option<Version> {
    let range = parse(range)?;
    of.iter().copied().filter(|v| range.iter().any(|all| all.iter().all(|part| part.holds(*v)))).max()
}

/// From (inclusive) and to (exclusive).
#[derive(Clone, Copy, Debug)]
struct Part {
    from: Version,
    to: Version,
}

const LOWEST: Version = Version(0, 0, 0);
const HIGHEST: Version = Version(u64::MAX, u64::MAX, u64::MAX);

impl Part {
    fn holds(&self, v: Version) -> bool {
        v >= self.from && v < self.to
    }
}

/// `||` between sets, white space between the parts of a set.
fn parse(range: &str) -> Option<Vec<Vec<Part>>> {
    if range.len() > 256 {
        return None;
    }
    range.split("||").map(set).collect()
}

fn set(text: &str) -> Option<Vec<Part>> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [low, "-", high] = words.as_slice() {
        let (from, _) = partial(low)?;
        let (_, to) = partial(high)?;
        return Some(vec![Part { from, to }]);
    }
    // An operator may stand apart from its version: `>= 7`.
    let mut parts = Vec::new();
    let mut operator = "";
    for word in words {
        if operator.is_empty() && matches!(word, ">" | ">=" | "<" | "<=" | "=" | "~" | "^") {
            operator = word;
            continue;
        }
        parts.push(comparator(operator, word)?);
        operator = "";
    }
    if operator.is_empty() { Some(parts) } else { None }
}

fn comparator(operator: &str, word: &str) -> Option<Part> {
    let (operator, rest) = if operator.is_empty() {
        let end = word.find(|c: char| !matches!(c, '<' | '>' | '=' | '~' | '^')).unwrap_or(word.len());
        word.split_at_checked(end)?
    } else {
        (operator, word)
    };
    let (from, to) = partial(rest)?;
    let numbers = rest.split('.').filter(|n| n.trim_start_matches('v').parse::<u64>().is_ok()).count();
    Some(match operator {
        "" | "=" => Part { from, to },
        ">=" => Part { from, to: HIGHEST },
        ">" => Part { from: to, to: HIGHEST },
        "<" => Part { from: LOWEST, to: from },
        "<=" => Part { from: LOWEST, to },
        // The minor part is fixed if it is given at all.
        "~" | "~>" if numbers >= 2 => Part { from, to: Version(from.0, from.1.saturating_add(1), 0) },
        "~" | "~>" => Part { from, to },
        // The leftmost part that is not zero is fixed.
        "^" if from.0 > 0 => Part { from, to: Version(from.0.saturating_add(1), 0, 0) },
        "^" if numbers < 2 => Part { from, to },
        "^" if from.1 > 0 || numbers < 3 => Part { from, to: Version(0, from.1.saturating_add(1), 0) },
        "^" => Part { from, to: Version(0, 0, from.2.saturating_add(1)) },
        _ => return None,
    })
}

/// A version of which the end may be missing or `x`, as the range it stands for.
fn partial(text: &str) -> Option<(Version, Version)> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut numbers = [None::<u64>; 3];
    let mut open = text.is_empty();
    for (at, piece) in text.split('.').filter(|_| !text.is_empty()).enumerate() {
        let slot = numbers.get_mut(at)?;
        if matches!(piece, "x" | "X" | "*") {
            open = true;
        } else if open || piece.is_empty() || !piece.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        } else {
            *slot = Some(piece.parse().ok()?);
        }
    }
    Some(match numbers {
        [Some(a), Some(b), Some(c)] => (Version(a, b, c), Version(a, b, c.saturating_add(1))),
        [Some(a), Some(b), None] => (Version(a, b, 0), Version(a, b.saturating_add(1), 0)),
        [Some(a), None, _] => (Version(a, 0, 0), Version(a.saturating_add(1), 0, 0)),
        [None, _, _] => (LOWEST, HIGHEST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(range: &str) -> Option<String> {
        choose(range, ALL).map(|v| v.to_string())
    }

    #[test]
    fn the_newest_version_in_the_range_is_chosen() {
        for (range, version) in [
            ("~9", "9.0.0"),
            ("^9", "9.0.0"),
            ("9", "9.0.0"),
            ("9.x", "9.0.0"),
            ("*", "9.0.0"),
            ("", "9.0.0"),
            (">=7", "9.0.0"),
            (">= 7 <8", "7.3.0"),
            ("~9||~8", "9.0.0"),
            ("~8||~7", "8.0.0"),
            ("~7.2", "7.2.0"),
            ("~7", "7.3.0"),
            ("^7.1.0", "7.3.0"),
            ("7.0.0 - 7.1.0", "7.1.0"),
            ("<=7.1", "7.1.0"),
            (">7.3 <9", "8.0.0"),
            ("=8.0.0", "8.0.0"),
        ] {
            assert_eq!(chosen(range).as_deref(), Some(version), "{range}");
        }
    }

    #[test]
    fn a_range_without_a_version_in_it_is_refused() {
        for range in ["9.20.0", "9.1.0", "~10", "6.5.0", "junk", "~9||junk", ">=", "1.2.3.4", "9.", "~~9x"] {
            assert_eq!(chosen(range), None, "{range}");
        }
    }

    #[test]
    fn a_version_of_one_route_only_needs_a_range_that_names_it() {
        let vnc = &[Version(8, 4, 0)];
        assert_eq!(choose("~9", vnc), None);
        assert_eq!(choose("~8", vnc), Some(Version(8, 4, 0)));
        assert_eq!(choose("~9||~8", vnc), Some(Version(8, 4, 0)));
    }
}
