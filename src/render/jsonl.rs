//! One JSON document a line: white space between tokens goes, the tokens stay.

use super::{View, escape, json};

/// Appends the document as one line.
pub(super) fn line(text: &str, view: &View, out: &mut String) {
    let compact = json::compact(text);
    out.push_str(&if view.terminal { escape::visible_json(&compact) } else { compact.as_str().into() });
    out.push('\n');
}
