//! One id a line, for the next command in a pipe.

use super::{cell, escape};
use crate::answer::scan;

/// What tells things apart, most telling first: not every object has an `id`.
const FIELDS: &[&str] =
    &["id", "uuid", "mac", "fingerprint", "accesskeyid", "vlan_id", "login", "name", "ip", "machine", "vm_uuid"];

/// Appends the id of a row and a line feed; nothing for a row without any. A row that is plain text is its
/// own id.
pub(super) fn line(row: &str, out: &mut String) {
    let value = if row.trim_start().starts_with('{') {
        FIELDS.iter().find_map(|field| scan::member(row, field).filter(|value| !matches!(*value, "null" | "\"\"")))
    } else {
        Some(row)
    };
    if let Some(value) = value {
        out.push_str(&escape::visible(&cell::plain(value)));
        out.push('\n');
    }
}
