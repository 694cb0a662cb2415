//! What the engine of Heat itself made of expressions, parameters and templates, as it was recorded; of refusals the kind
//! counts. The lines are typed here as they were recorded, with the recorded words cut.

use serde_json::{Value, json};

use super::data::Data;
use super::fault::{Faults, Kind};
use super::parameter::{Given, Origin, Pseudo};
use super::scope::{Contents, Lack, Resources, Scope};
use super::{Template, Version};

/// Resources before they are made, as the engine sees them: an id is a name, and there is no attribute yet.
struct Before;

impl Resources for Before {
    fn id(&self, resource: &str) -> Data {
        Data::Open(Value::from(resource))
    }

    fn attribute(&self, _: &str, _: Option<&str>) -> Data {
        Data::NULL
    }

    fn lacks(&self, resource: &str, attribute: &str) -> Option<Lack> {
        (attribute != "show").then(|| Lack { kind: resource.to_owned(), known: vec!["show"] })
    }
}

struct NoFiles;

impl Contents for NoFiles {
    fn text(&self, _: &str) -> Result<String, String> {
        Err("there is none".to_owned())
    }
}

/// The parameters that every expression may use: `s=hi n=24 f=1.5 b=true l='a, b,c' j={k:[1,2],a:x}`.
const PARAMETERS: &str = r#"
  s: {type: string, default: hi}
  n: {type: number, default: 24}
  f: {type: number, default: 1.5}
  b: {type: boolean, default: true}
  l: {type: comma_delimited_list, default: 'a, b,c'}
  j: {type: json, default: {k: [1, 2], a: x}}
"#;

/// What an expression of a version comes to, as JSON; or the kinds of what is wrong.
fn evaluated(version: &str, expression: &str) -> Result<Value, Vec<Kind>> {
    let conditions = match Version::parse(version).is_some_and(|version| version >= Version::V2016Newton) {
        true => "conditions: {c1: true, c0: false}\n",
        false => "",
    };
    let text = format!(
        "heat_template_version: {version}\nparameters:{PARAMETERS}{conditions}resources: {{r1: {{type: T}}}}\n\
         outputs: {{o: {{value: {expression}}}}}\n"
    );
    let faults = Faults::default();
    let template = Template::read(text.as_bytes(), &faults);
    let kinds = || faults.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>();
    let Some(template) = template.filter(|_| faults.is_empty()) else { return Err(kinds()) };
    let pseudo = Pseudo { project_id: Some("test_tenant_id".to_owned()), ..Pseudo::default() };
    let values = template.bind(&Given::default(), &pseudo, false, &faults);
    let scope = Scope::new(&template, &values, &Before, &NoFiles, &faults);
    let data = template.outputs[0].data(&scope);
    match data {
        Ok(data) if faults.is_empty() => Ok(data.value().unwrap_or_else(|| json!("(unknown)"))),
        _ => Err(kinds()),
    }
}

#[test]
fn expressions_come_to_what_the_engine_made_of_them() {
    for (version, expression, expected) in [
        ("2013-05-23", r#"{"Fn::Join": [",", [get_param: s, get_param: s]]}"#, json!("hi,hi")),
        ("2013-05-23", r#"{list_join: [",", [get_param: s, x]]}"#, json!("hi,x")),
        ("2015-10-15", r#"{list_join: [",", [a], [b, {x: 1}]]}"#, json!("a,b,{\"x\": 1}")),
        (
            "2013-05-23",
            r#"{str_replace: {template: "n=%n% b=%b% f=%f% z=%z%", params: {"%n%": {get_param: n}, "%b%": {get_param: b}, "%f%": {get_param: f}}}}"#,
            json!("n=24 b=True f=1.5 z=%z%"),
        ),
        (
            "2015-10-15",
            r#"{str_replace: {template: "j=%j% l=%l%", params: {"%j%": {get_param: j}, "%l%": {get_param: l}}}}"#,
            json!("j={\"a\": \"x\", \"k\": [1, 2]} l=[\"a\", \" b\", \"c\"]"),
        ),
        (
            "2013-05-23",
            r#"{repeat: {template: "p-%i%", for_each: {"%i%": [a, b]}}}"#,
            json!({"repeat": {"template": "p-%i%", "for_each": {"%i%": ["a", "b"]}}}),
        ),
        (
            "2017-09-01",
            r#"{repeat: {template: "%i%%j%", for_each: {"%i%": [a, b], "%j%": [x, y]}, permutations: false}}"#,
            json!(["ax", "by"]),
        ),
        (
            "2015-04-30",
            "{digest: [sha512, hello]}",
            json!(
                "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"
            ),
        ),
        ("2015-10-15", r#"{str_split: [",", "a,b,c"]}"#, json!(["a", "b", "c"])),
        (
            "2016-10-14",
            "{map_replace: [{k1: v1, k2: v2}, {keys: {k1: K1}, values: {v2: V2}}]}",
            json!({"K1": "v1", "k2": "V2"}),
        ),
        ("2016-10-14", "{if: [{equals: [{get_param: s}, hi]}, T, F]}", json!("T")),
        ("2021-04-16", "[{if: [c0, T]}, x]", json!(["x"])),
        ("2017-02-24", "{filter: [[a], [a, b, a, c]]}", json!(["b", "c"])),
        ("2017-09-01", "{list_concat: [[1,2],[2,3]]}", json!([1, 2, 2, 3])),
        ("2017-09-01", "{contains: [a, [a, b]]}", json!(true)),
        ("2013-05-23", "{get_param: [j, k, 1]}", json!(2)),
        ("2013-05-23", "{get_param: [l, 1]}", json!(" b")),
        ("2013-05-23", "{get_param: n}", json!(24)),
        ("2013-05-23", "{get_param: l}", json!(["a", " b", "c"])),
        ("2013-05-23", r#"{get_param: "OS::project_id"}"#, json!("test_tenant_id")),
        ("2013-05-23", "{get_resource: r1}", json!("r1")),
        ("2013-05-23", r#"{"Fn::Select": [1, [a, b]]}"#, json!("b")),
        ("2013-05-23", "{unknown_fn: [a]}", json!({"unknown_fn": ["a"]})),
        ("wallaby", "{if: [c0, T, F]}", json!("F")),
        // Said of the engine beside what was recorded.
        (
            "2015-04-30",
            r#"{repeat: {template: {"%k%": "%v%"}, for_each: {"%k%": [a, b], "%v%": [x, y]}}}"#,
            json!([{"a": "x"}, {"a": "y"}, {"b": "x"}, {"b": "y"}]),
        ),
        ("2016-10-14", r#"{repeat: {template: "p-%i%", for_each: {"%i%": {a: 1, b: 2}}}}"#, json!(["p-a", "p-b"])),
        (
            "2013-05-23",
            r#"{str_replace: {template: "ab abc", params: {ab: "abc", abc: X, unused: Y}}}"#,
            json!("abc X"),
        ),
        ("2013-05-23", r#"{str_replace: {template: "%a%|%b%", params: {"%a%": null, "%b%": "%a%"}}}"#, json!("|%a%")),
        ("2013-05-23", r#"{get_param: [j, nope]}"#, json!("")),
        ("2013-05-23", r#"{get_attr: [r1, show]}"#, json!(null)),
        ("2013-05-23", r#"{get_param: s, other: x}"#, json!({"get_param": "s", "other": "x"})),
        ("2013-05-23", r#"{list_join: [",", [a, null, b]]}"#, json!("a,,b")),
        ("2016-04-08", r#"{map_merge: [{a: 1, b: 2}, null, {a: 3}]}"#, json!({"a": 3, "b": 2})),
        ("2017-09-01", "{list_concat_unique: [[1, 2], [2, 3], null]}", json!([1, 2, 3])),
        ("2015-10-15", r#"{str_split: [",", "a,b,c", 1]}"#, json!("b")),
        ("2015-10-15", r#"{str_split: [",", "a,b,c", -1]}"#, json!("c")),
        ("2015-10-15", r#"{str_split: [",", null]}"#, json!(null)),
        ("2015-10-15", r#"{get_attr: [r1]}"#, json!(null)),
        (
            "2017-09-01",
            r#"{make_url: {scheme: http, username: jo, password: "p/w", host: "::1", port: 80, path: "/a b", query: {q: "x y/z"}, fragment: f}}"#,
            json!("http://jo:p%2Fw@[::1]:80/a%20b?q=x+y/z#f"),
        ),
        ("2017-09-01", "{make_url: {host: web, path: x}}", json!("//web/x")),
        ("2013-05-23", r#"{"Fn::Split": [",", "a,b"]}"#, json!(["a", "b"])),
        ("2013-05-23", r#"{"Fn::Replace": [{"$a": 1}, "x$a"]}"#, json!("x1")),
        ("2013-05-23", r#"{"Fn::Base64": "text"}"#, json!("text")),
        ("2013-05-23", r#"{"Fn::Select": [nope, {a: 1}]}"#, json!("")),
        (
            "2013-05-23",
            r#"{"Fn::MemberListToMap": [Name, Value, [".member.0.Name=k", ".member.0.Value=v"]]}"#,
            json!({"k": "v"}),
        ),
        ("2013-05-23", r#"{Ref: s}"#, json!("hi")),
        ("2013-05-23", r#"{Ref: r1}"#, json!("r1")),
        ("2016-10-14", "{if: [{and: [c1, {not: c0}]}, T, F]}", json!("T")),
        ("2016-10-14", "{if: [{or: [c0, {equals: [1, 2]}]}, T, F]}", json!("F")),
        ("2017-09-01", "{if: [{contains: [hi, [{get_param: s}]]}, T, F]}", json!("T")),
        ("2017-02-24", r#"{str_replace_strict: {template: "a%j%", params: {"%j%": ""}}}"#, json!("a")),
    ] {
        assert_eq!(evaluated(version, expression), Ok(expected), "{version} {expression}");
    }
}

#[test]
fn expressions_are_refused_as_the_engine_refused_them() {
    for (version, expression, kind) in [
        ("2014-10-16", r#"{"Fn::Join": [",", [a, b]]}"#, Kind::Version),
        ("2017-09-01", r#"{str_replace_vstrict: {template: "a%j%", params: {"%j%": ""}}}"#, Kind::Function),
        ("2013-05-23", r#"{str_replace: {template: "x"}}"#, Kind::Function),
        ("2015-04-30", "{digest: [nope, hello]}", Kind::Function),
        ("2015-10-15", r#"{str_split: [",", "a,b,c", 7]}"#, Kind::Function),
        ("2013-05-23", "{get_attr: [r1, nope]}", Kind::Reference),
        ("2013-05-23", "{get_attr: [r1]}", Kind::Function),
        ("nope", "ok", Kind::Version),
        // Said of the engine beside what was recorded.
        ("2013-05-23", r#"{list_join: [",", [1]]}"#, Kind::Function),
        ("2015-10-15", r#"{list_join: [",", [1]]}"#, Kind::Function),
        ("2013-05-23", r#"{str_replace: {template: "x", params: {x: [1]}}}"#, Kind::Function),
        ("2017-02-24", r#"{str_replace_strict: {template: "a", params: {b: c}}}"#, Kind::Function),
        ("2016-10-14", "{map_replace: [{a: 1, b: 2}, {keys: {a: b}}]}", Kind::Function),
        ("2016-10-14", "{if: [c1, T]}", Kind::Function),
        ("2016-10-14", "{if: [nope, T, F]}", Kind::Reference),
        ("2016-10-14", "{if: [{and: [c1]}, T, F]}", Kind::Function),
        ("2016-10-14", "{yaql: {expression: $, data: {}}}", Kind::Function),
        ("2016-04-08", "{map_merge: [a]}", Kind::Function),
        ("2017-09-01", "{make_url: {port: 99999}}", Kind::Function),
        ("2017-09-01", "{make_url: {hots: web}}", Kind::Function),
        (
            "2017-09-01",
            r#"{repeat: {template: x, for_each: {a: [b], c: [d, e]}, permutations: false}}"#,
            Kind::Function,
        ),
        ("2015-04-30", r#"{repeat: {template: x, for_each: {a: b}}}"#, Kind::Function),
        ("2013-05-23", "{get_param: nope}", Kind::Reference),
        ("2013-05-23", "{get_param: 'OS::region'}", Kind::Reference),
        ("2013-05-23", "{get_resource: nope}", Kind::Reference),
        ("2013-05-23", "{get_file: nope}", Kind::Reference),
        ("2013-05-23", "{resource_facade: metadata}", Kind::Function),
    ] {
        assert_eq!(evaluated(version, expression), Err(vec![kind]), "{version} {expression}");
    }
}

/// What a parameter makes of a value; or the kinds of what is wrong.
fn parameter(declared: &str, given: Option<&str>) -> Result<Value, Vec<Kind>> {
    let text = format!("heat_template_version: 2021-04-16\nparameters: {{p: {declared}}}\n");
    let faults = Faults::default();
    let template = Template::read(text.as_bytes(), &faults);
    let kinds = || faults.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>();
    let Some(template) = template.filter(|_| faults.is_empty()) else { return Err(kinds()) };
    let mut all = Given::default();
    if let Some(text) = given {
        all.add("p", Value::from(text), Origin::Given);
    }
    let values = template.bind(&all, &Pseudo::default(), false, &faults);
    match values.get("p").and_then(Data::value) {
        Some(value) if faults.is_empty() => Ok(value),
        _ => Err(kinds()),
    }
}

#[test]
fn parameters_take_what_the_engine_took() {
    for (declared, given, expected) in [
        ("{type: number}", Some("1.0"), Ok(json!(1.0))),
        ("{type: boolean}", Some("on"), Ok(json!(true))),
        ("{type: comma_delimited_list}", Some("a,b"), Ok(json!(["a", "b"]))),
        ("{type: json}", Some(r#"{"a":1}"#), Ok(json!({"a": 1}))),
        ("{type: string}", None, Err(vec![Kind::MissingParameter])),
        ("{type: str}", Some("a"), Err(vec![Kind::Schema])),
        ("{type: string, constraints: [{length: {min: 3}}]}", Some("ab"), Err(vec![Kind::Constraint])),
        ("{type: number, constraints: [{range: {min: 1, max: 5}}]}", Some("9"), Err(vec![Kind::Constraint])),
        ("{type: number, constraints: [{modulo: {step: 2, offset: 1}}]}", Some("4"), Err(vec![Kind::Constraint])),
        ("{type: string, bogus: 1}", Some("c"), Err(vec![Kind::Schema])),
        ("{type: number, constraints: [{length: {min: 1}}]}", Some("4"), Err(vec![Kind::Schema])),
    ] {
        assert_eq!(parameter(declared, given), expected, "{declared} {given:?}");
    }
}

#[test]
fn a_value_for_a_parameter_that_is_not_there_is_refused() {
    let faults = Faults::default();
    let template = Template::read(b"heat_template_version: 2013-05-23\n", &faults).unwrap();
    let mut given = Given::default();
    given.add("q", json!("x"), Origin::Given);
    template.bind(&given, &Pseudo::default(), false, &faults);
    assert_eq!(faults.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>(), [Kind::UnknownParameter]);
}

#[test]
fn templates_are_refused_as_the_engine_refused_them() {
    for (text, expected) in [
        ("parameters: {}\n", vec![Kind::Version]),
        ("heat_template_version: 2013-05-23\nresources: {a: {type: T, depends_on: b}}\n", vec![Kind::Reference]),
        (
            "heat_template_version: 2013-05-23\nparameters: {a: {type: string, default: x}}\nresources: {a: {type: T}}\n",
            vec![Kind::Schema],
        ),
        ("heat_template_version: 2013-05-23\n", vec![]),
        ("heat_template_version: 2013-05-23\nresources: {\"a/b\": {type: T}}\n", vec![Kind::Schema]),
        // Said of the engine beside what was recorded.
        ("heat_template_version: 2013-05-23\nresources:\n", vec![]),
        ("heat_template_version: 2013-05-23\nfrob: 1\n", vec![Kind::Schema]),
        ("heat_template_version: 2013-05-23\nconditions: {}\n", vec![Kind::Schema]),
        ("heat_template_version: 2013-05-23\nresources: {a: {type: T, condition: c}}\n", vec![Kind::Schema]),
        ("heat_template_version: 2013-05-23\nresources: {a: {type: T, deletion_policy: delete}}\n", vec![Kind::Schema]),
        ("heat_template_version: 2016-10-14\nresources: {a: {type: T, deletion_policy: retain}}\n", vec![]),
        ("heat_template_version: 2016-10-14\nconditions: {a: b, b: a}\n", vec![Kind::Circle]),
        ("heat_template_version: 2016-10-14\nresources: {a: {type: T, properties: []}}\n", vec![Kind::Schema]),
        ("heat_template_version: 2016-10-14\noutputs: {o: {}}\n", vec![Kind::Schema]),
        ("[a]\n", vec![Kind::Schema]),
    ] {
        let faults = Faults::default();
        Template::read(text.as_bytes(), &faults);
        assert_eq!(faults.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>(), expected, "{text}");
    }
}
