//! Rows that cannot be compared: each row of their list has the field, and they have not, or in no form that can be
//! read. Whether one is unlike something is not known then, so that it is picked neither for that nor for its opposite.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{One, Reading, RowFilter};
use crate::answer::scan;
use crate::api::{Always, Column, Holds, Show};
use crate::tasks::picks::{TAGS, is_tag};
use crate::tasks::{Report, judged};

impl Reading<'_> {
    /// The column of a field that each row has, or in whose object there is what is compared.
    pub(super) fn due(&self, path: &[String]) -> Option<Column> {
        let (field, rest) = path.split_first()?;
        let is_due = |column: &&Column| match rest {
            [] => column.always.is_some(),
            _ => column.nested,
        };
        self.service.columns(self.op).iter().filter(|column| column.field == field).find(is_due).copied()
    }
}

impl One {
    /// Whether a row does not show what is compared, although each has it, or not in a form that it can have.
    pub(super) fn is_unjudged(&self, row: &RawValue) -> bool {
        self.due.is_some_and(|column| !self.shows(scan::member(row.get(), column.field), &column))
    }

    /// Whether a row that has this in a column shows what is compared.
    pub(super) fn shows(&self, json: Option<&str>, column: &Column) -> bool {
        match self.path.get(1) {
            Some(member) if column.nested => shows_member(json, column, member),
            _ => shows(json, column),
        }
    }
}

impl RowFilter {
    /// Whether a row may be one that was asked for, and does not show it.
    pub fn is_unjudged(&self, row: &RawValue) -> bool {
        self.tests.iter().any(|one| one.is_unjudged(row))
            && self.tests.iter().all(|one| one.is_unjudged(row) || one.fits(row))
            && self.queries.iter().all(|query| judged::may_fit(query, row))
            && self.picks.fits(row)
    }

    /// Says what these rows do not show: all of them where none was picked, and those that could not be compared.
    pub fn tell_unlike<'a>(
        &self,
        report: &dyn Report,
        rows: impl ExactSizeIterator<Item = &'a RawValue>,
        none_picked: bool,
    ) {
        if none_picked {
            self.tell_unseen(report, rows.len());
        }
        self.tell_unjudged(report, rows.filter(|row| self.is_unjudged(row)).count());
    }

    /// Says what no row has shown, so that nobody takes an empty list for an answer.
    pub fn tell_unseen(&self, report: &dyn Report, rows: usize) {
        let unseen = |one: &&One| one.looked.get() && !one.seen.get();
        for one in self.tests.iter().filter(unseen).filter(|one| rows > 0 && (one.must_be_seen || one.ordered)) {
            if one.ordered && !one.must_be_seen {
                let words = "holds a number or a time, so that nothing was compared";
                report.say(&format!("note: {}: no row's {} {words}", one.typed, one.path.join(".")));
                continue;
            }
            report.say(&format!(
                "note: {}: no row of the service's list has the field {}",
                one.typed,
                one.path.join(".")
            ));
        }
    }

    /// Says how many rows could not be compared, unless it was said that none of them has the field.
    pub fn tell_unjudged(&self, report: &dyn Report, rows: usize) {
        let is_told = |one: &One| one.must_be_seen && one.looked.get() && !one.seen.get();
        let due = self.tests.iter().filter(|one| one.due.is_some() && !is_told(one));
        let due: Vec<&str> = due.map(|one| one.typed.as_str()).collect();
        if rows > 0 && !due.is_empty() {
            let many = if rows == 1 { "one row does".to_owned() } else { format!("{rows} rows do") };
            let words = "not show what is compared, in a form that can be read: left out";
            report.say(&format!("note: {}: {many} {words}", due.join(", ")));
        }
    }
}

/// Whether a row has an object in a column, or none where it need not have one. An object of tags holds no other objects.
fn shows_member(json: Option<&str>, column: &Column, member: &str) -> bool {
    let Some(object) = json else { return column.always.is_none() };
    scan::members(object).is_some() && (column.field != TAGS || is_tag(object, member))
}

/// Whether this is what each row has in a column. The first character of JSON tells what it is.
fn shows(json: Option<&str>, column: &Column) -> bool {
    let is = |signs: &[char]| json.is_some_and(|json| json.starts_with(signs));
    // Half of a character, and a number without measure, are nothing that anybody can compare.
    let doubtful = |json: &str| {
        json.contains('\\') || json.starts_with(|sign: char| matches!(sign, '-' | '[') || sign.is_ascii_digit())
    };
    if column.always.is_some()
        && json.is_some_and(|json| doubtful(json) && serde_json::from_str::<Value>(json).is_err())
    {
        return column.always == Some(Always::Object) && is(&['{']);
    }
    match column.always {
        None => true,
        Some(Always::Object) => is(&['{']),
        Some(Always::OneOrNull) if json == Some("null") => true,
        Some(_) if json.is_none_or(|json| json == "null") => false,
        Some(Always::Many) => is(&['[']),
        Some(_) => match (column.holds, column.show) {
            (Holds::Truth, _) => is(&['t', 'f']),
            (Holds::Time, _) => {
                let text = json.and_then(scan::unquote);
                text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
            }
            (_, Show::Mebibytes) => json.is_some_and(|json| json.starts_with(|c: char| c == '-' || c.is_ascii_digit())),
            _ => !is(&['[', '{']),
        },
    }
}
