//! One JSON document a line: white space between tokens goes, the tokens stay.

use super::{Look, escape, json};

/// Appends the document as one line.
pub(super) fn line(text: &str, look: &Look, out: &mut String) {
    let compact = json::compact(text);
    out.push_str(&if look.terminal { escape::visible_json(&compact) } else { compact.as_str().into() });
    out.push('\n');
}
