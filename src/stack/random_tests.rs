//! Random templates: whatever is in a file, reading and checking it ends soon, and without a panic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::check;
use super::template::environment::Environment;
use super::template::fault::Faults;
use super::template::function::FUNCTIONS;
use super::template::parameter::{Given, Pseudo};
use super::template::{NothingMade, Template, Version};

/// Reads and checks a text, as `validate` does.
fn checked(text: &str) {
    let begun = Instant::now();
    let faults = Faults::default();
    let mut environment = Environment::default();
    environment.add(text.as_bytes(), &Faults::default());
    if let Some(template) = Template::read(text.as_bytes(), &faults) {
        let values = template.bind(&Given::default(), &Pseudo::default(), true, &faults);
        check(&template, &environment, &values, &NothingMade, &BTreeMap::new(), &faults);
    }
    let _ = super::template::fault::error("random", &faults.faults());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}: {text}", begun.elapsed());
}

/// A value of a template: scalars, lists, maps, and calls of functions with whatever arguments.
fn value() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = FUNCTIONS.iter().map(|function| function.name).collect();
    let leaf = prop_oneof![
        Just("a".to_owned()),
        Just("''".to_owned()),
        Just("p".to_owned()),
        Just("yes".to_owned()),
        Just("0777".to_owned()),
        Just("1.5".to_owned()),
        Just("~".to_owned()),
        "[a-z%]{0,6}".prop_map(|text| format!("'{text}'")),
    ];
    leaf.prop_recursive(5, 64, 4, move |inner| {
        let name = prop::sample::select(names.clone());
        let key = prop::sample::select(vec!["template", "params", "for_each", "a", "keys", "values", "host", "%a%"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
            prop::collection::vec((key, inner.clone()), 0..4).prop_map(|members| {
                let members: Vec<String> =
                    members.into_iter().map(|(key, value)| format!("'{key}': {value}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
            (name, inner).prop_map(|(name, argument)| format!("{{'{name}': {argument}}}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_template_of_random_values_panics_or_takes_long(
        version in prop::sample::select(Version::all().collect::<Vec<_>>()),
        default in value(),
        condition in value(),
        property in value(),
        output in value(),
    ) {
        let version = version.date();
        let conditions = if version >= "2016-10-14" { format!("conditions: {{c: {condition}}}\n") } else { String::new() };
        checked(&format!(
            "heat_template_version: {version}\nparameters: {{p: {{type: json, default: {default}}}}}\n{conditions}\
             resources: {{a: {{type: SDC::Compute::Machine, properties: {{image: {property}, tags: {property}}}}}}}\n\
             outputs: {{o: {{value: {output}}}}}\n"
        ));
    }

    #[test]
    fn no_text_panics_or_takes_long(text in "[a-z:&*!|>{}\\[\\],\"'# \t\n%@`?-]{0,200}") {
        checked(&text);
        checked(&format!("heat_template_version: 2021-04-16\n{text}"));
    }
}

#[test]
fn what_grows_is_refused_and_not_computed() {
    let long = "x".repeat(100_000);
    for output in [
        // A combination of all elements: 10^12.
        format!(
            "{{repeat: {{template: x, for_each: {{{}}}}}}}",
            (0..12)
                .map(|key| format!("k{key}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]")
                    .replace(", ", "', '")
                    .replace("[", "['")
                    .replace("]", "']"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        // Each x becomes all of them.
        format!("{{str_replace: {{template: {long}, params: {{x: {long}}}}}}}"),
        format!("{{list_join: ['{long}', [{}]]}}", vec!["a"; 1000].join(", ")),
    ] {
        let text = format!("heat_template_version: 2021-04-16\noutputs: {{o: {{value: {output}}}}}\n");
        let faults = Faults::default();
        let template = Template::read(text.as_bytes(), &faults).unwrap();
        let values = template.bind(&Given::default(), &Pseudo::default(), true, &faults);
        check(&template, &Environment::default(), &values, &NothingMade, &BTreeMap::new(), &faults);
        let words: Vec<String> = faults.faults().iter().map(|fault| fault.words.clone()).collect();
        assert_eq!(words.len(), 1, "{words:?}");
        assert!(words[0].contains("too large") || words[0].contains("more than 4 MiB"), "{words:?}");
    }
}
