//! What was typed for an operation's fields: clap's matches become plain texts here.

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::api::{Kind, Op};
use crate::tasks::row_filter::is_list;
use crate::tasks::values::Given;

/// Reads the options of the fields that were typed, in the order of the fields, and the words without dashes.
pub fn read(op: &'static Op, matches: &ArgMatches) -> Given {
    let mut given = Given::default();
    for field in op.fields.iter().filter(|field| !matches!(field.kind, Kind::CopyOf(_))) {
        if matches.value_source(field.name) != Some(ValueSource::CommandLine) {
            continue;
        }
        match field.kind {
            Kind::Flag(value) => given.fields.push((field, value.to_owned())),
            Kind::Integer => {
                given.fields.extend(matches.get_one::<u64>(field.name).map(|number| (field, number.to_string())));
            }
            _ => {
                let texts = matches.get_many::<String>(field.name).into_iter().flatten();
                given.fields.extend(texts.map(|text| (field, text.clone())));
            }
        }
    }
    // Those of a list are names too: `targets` tells them apart.
    if !is_list(op) {
        let words = matches.try_get_many::<String>("FILTER").ok().flatten();
        given.words.extend(words.into_iter().flatten().cloned());
    }
    given
}
