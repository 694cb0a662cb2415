//! Templates that are made to harm: what grows without end, what leads a hidden value into a message, and what would be
//! taken for right.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::check;
use super::template::environment::Environment;
use super::template::fault::Faults;
use super::template::parameter::{Given, Origin, Pseudo};
use super::template::{NothingMade, Template};

/// What is said of a template, faults and lints, a line each; and the names of the resources that are to be made.
fn told_with(text: &str, given: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let faults = Faults::default();
    let Some(template) = Template::read(text.as_bytes(), &faults) else {
        return (faults.faults().iter().map(ToString::to_string).collect(), Vec::new());
    };
    let mut all = Given::default();
    given.iter().for_each(|(name, value)| all.add(*name, (*value).into(), Origin::Given));
    let values = template.bind(&all, &Pseudo::default(), true, &faults);
    let wanted = check(&template, &Environment::default(), &values, &NothingMade, &BTreeMap::new(), &faults);
    let told = faults.faults().into_iter().chain(faults.lints()).map(|fault| fault.to_string()).collect();
    (told, wanted.into_iter().map(|one| one.name).collect())
}

fn told(text: &str) -> Vec<String> {
    told_with(text, &[]).0
}

const HEAD: &str = "heat_template_version: 2021-04-16\n";
const SECRET: &str = "Zx9hunter2";

#[test]
fn a_hidden_value_is_in_no_message_whatever_it_is_used_for() {
    let machine = "m: {type: SDC::Compute::Machine, properties: {image: i@1, package: p, name: ";
    for (parameter, body) in [
        ("type: string", format!("resources: {{{machine}{{get_resource: {{get_param: s}}}}}}}}}}")),
        ("type: string", format!("resources: {{{machine}{{get_attr: [{{get_param: s}}, name]}}}}}}}}")),
        ("type: string", format!("resources: {{{machine}{{get_attr: [m, {{get_param: s}}]}}}}}}}}")),
        ("type: string", format!("resources: {{{machine}{{get_param: {{get_param: s}}}}}}}}}}")),
        ("type: string", format!("resources: {{{machine}{{get_file: {{get_param: s}}}}}}}}}}")),
        (
            "type: string",
            format!("resources: {{{machine}{{get_resource: {{str_split: [x, {{get_param: s}}, 1]}}}}}}}}}}"),
        ),
        ("type: string", "conditions: {c: {get_param: s}}\noutputs: {o: {value: {if: [c, 1, 2]}}}".to_owned()),
        ("type: string", "outputs: {o: {value: {if: [{get_param: s}, 1, 2]}}}".to_owned()),
        (
            "type: string",
            "resources: {k: {type: SDC::Access::Key, condition: {get_param: s}, properties: {key: k}}}".to_owned(),
        ),
        ("type: json", "resources: {k: {type: SDC::Access::Key, properties: {get_param: s}}}".to_owned()),
        ("type: json", format!("resources: {{{}}}", machine.replace("name: ", "tags: {get_param: s}}}"))),
        ("type: number", "outputs: {o: {value: 1}}".to_owned()),
        ("type: string, constraints: [{allowed_values: [a, Zx9hunter3]}]", "outputs: {o: {value: 1}}".to_owned()),
        ("type: string, constraints: [{allowed_pattern: '[a-z]+'}]", "outputs: {o: {value: 1}}".to_owned()),
    ] {
        let default = if parameter.contains("json") { format!("{{{SECRET}: [1]}}") } else { SECRET.to_owned() };
        for hidden in ["hidden: true", "hidden: ture", "hiden: true"] {
            let text = format!("{HEAD}parameters: {{s: {{{parameter}, {hidden}, default: {default}}}}}\n{body}\n");
            let all = told(&text).join("\n");
            assert!(!all.contains("hunter"), "{text}\n{all}");
        }
    }
    let text = format!("{HEAD}parameters: {{s: {{type: string, hidden: true, default: 12_345_678}}}}\n");
    assert!(!told(&text).join("\n").contains("12345678"));
}

#[test]
fn what_leads_deep_or_grows_without_end_is_refused_soon() {
    let chain = |link: &dyn Fn(usize) -> String| {
        let conditions = (0..1500).fold(String::new(), |mut all, at| {
            let _ = write!(all, "c{at}: {}, ", link(at));
            all
        });
        format!("{HEAD}conditions: {{{conditions}c1500: true}}\noutputs: {{o: {{value: {{if: [c0, 1, 2]}}}}}}\n")
    };
    let all = |text: String, words: &str| {
        let told = told(&text);
        assert!(told.iter().any(|line| line.contains(words)), "{words}: {:?}", told.first());
        assert!(told.iter().all(|line| line.len() < 2000), "{words}");
    };
    all(chain(&|at| format!("{{not: c{}}}", at + 1)), "lead more than 200 deep");
    all(chain(&|at| format!("{{not: {{not: {{not: {{not: c{}}}}}}}}}", at + 1)), "lead more than 200 deep");
    // Each key stands for ten of the next.
    let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let each: Vec<String> = keys.windows(2).map(|pair| format!("{}: ['{}']", pair[0], pair[1].repeat(10))).collect();
    all(
        format!("{HEAD}outputs: {{o: {{value: {{repeat: {{template: a, for_each: {{{}}}}}}}}}}}\n", each.join(", ")),
        "more than 4 MiB",
    );
    let texts = vec!["''"; 20_000].join(", ");
    let each: Vec<String> = (0..5000).map(|at| format!("k{at}: [v]")).collect();
    let repeat = format!("{{repeat: {{template: [{texts}], for_each: {{{}}}}}}}", each.join(", "));
    all(format!("{HEAD}outputs: {{o: {{value: {repeat}}}}}\n"), "too many steps");
    let (twos, ones) = (vec!["2"; 1500].join(", "), vec!["1"; 1500].join(", "));
    let aliases = vec!["*f"; 20].join(", ");
    all(
        format!("{HEAD}outputs: {{o: {{value: [&f {{filter: [[{twos}], [{ones}]]}}, {aliases}]}}}}\n"),
        "too many steps",
    );
    let sections: Vec<String> = (0..20_000).map(|at| format!("s{at}: 1")).collect();
    all(format!("{HEAD}{}\n", sections.join("\n")), "unknown section");
    let twice = "same: 1\n".repeat(20_000);
    assert!(told(&format!("{HEAD}{twice}")).len() <= 1001);
    let names: Vec<String> = (0..3000).map(|at| format!("p{at}: {{type: string}}")).collect();
    let given: Vec<(String, String)> = (0..3000).map(|at| (format!("x{at}"), "1".to_owned())).collect();
    let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (lines, _) = told_with(&format!("{HEAD}parameters: {{{}}}\n", names.join(", ")), &given);
    assert!(lines.iter().all(|line| line.len() < 1000), "{}", lines[0]);
    all(format!("{HEAD}outputs: {{? {} : {{value: 1}}}}\n", "n".repeat(2000)), "at most 1024 bytes");
    all(
        format!(
            "{HEAD}parameters: {{p: {{type: string, constraints: [{{allowed_pattern: '(\\w{{1000}}){{1000}}'}}]}}}}\n"
        ),
        "cannot be read",
    );
    all(format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 1000].join(","), vec!["*a"; 1900].join(",")), "too large");
    let nested = (1..120).fold("c0: &a0 {a: 1}\n".to_owned(), |mut all, at| {
        let _ = writeln!(all, "c{at}: &a{at} {{a: *a{}}}", at - 1);
        all
    });
    all(nested, "deep");
}

#[test]
fn what_seems_right_and_is_not_is_told() {
    let machine = |property: &str| {
        format!(
            "{HEAD}parameters: {{l: {{type: comma_delimited_list, default: a}}}}\nresources:\n  n: {{type: SDC::Network::SmartNetwork, \
             properties: {{name: x}}}}\n  m: {{type: SDC::Compute::Machine, properties: {{image: i@1, package: p, {property}}}}}\n"
        )
    };
    for (text, words) in [
        (machine("name: {if: {get_param: l}}"), "its argument must be a list, not a map"),
        (machine("networks: [{network: {get_resource: n}}]"), "its elements must be texts"),
        (machine("name: [{get_attr: [n, name]}]"), "it must be a text, not a list"),
        (machine("tags: {a: [{get_attr: [n, name]}]}"), "the value of a must be a text, a number or a boolean"),
        (format!("{HEAD}conditions: {{c: {{and: [nope, true]}}}}\n"), "no condition named nope"),
        (format!("{HEAD}conditions: {{c: {{equals: [{{get_param: x}}, 1]}}}}\n"), "no parameter named x"),
        (
            format!("{HEAD}parameters: {{p: {{type: string, default: c}}}}\nconditions: {{c: {{get_param: p}}}}\n"),
            "a condition must come to true or false, not to a text",
        ),
        (
            format!("{HEAD}parameters: {{p: {{type: integer}}}}\noutputs: {{o: {{value: {{get_param: p}}}}}}\n"),
            "unknown type integer",
        ),
    ] {
        let all = told(&text);
        assert!(all.iter().any(|line| line.contains(words)), "{words}: {all:?}");
    }
    // One mistake is told once.
    let bad = format!(
        "{HEAD}parameters: {{p: {{type: integer}}}}\noutputs: {{o: {{value: [{{get_param: p}}, {{get_param: p}}]}}}}\n"
    );
    assert_eq!(told_with(&bad, &[("p", "1")]).0.len(), 1);
    let bad = format!(
        "{HEAD}resources:\n  a: {{type: SDC::Access::Key, condition: nope, properties: {{key: k}}}}\n  b: {{type: SDC::Access::Key, depends_on: a, properties: {{key: {{get_resource: a}}}}}}\n"
    );
    assert_eq!(told(&bad).len(), 1, "{:?}", told(&bad));
}

#[test]
fn of_two_merge_keys_the_later_one_is_stronger() {
    let text = format!(
        "{HEAD}outputs:\n  o:\n    value:\n      list_join: [',', [{{get_param: p}}]]\nparameters:\n  p:\n    <<: &p {{type: string, default: one}}\n    <<: &q {{default: two}}\n"
    );
    let faults = Faults::default();
    let template = Template::read(text.as_bytes(), &faults).unwrap();
    assert_eq!(template.parameters[0].default, Some("two".into()));
}
