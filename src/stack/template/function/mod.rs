//! The functions of the template language: which there are, since and until which version, how they are called, and what
//! they come to. Those that only compute are functions of a value; the others are carried out by `scope`.

mod args;
mod collection;
mod refer;
mod text;
mod url;

use serde_json::Value;

use super::version::Version;
pub(super) use args::Limits;
pub(super) use collection::weight;
pub(super) use refer::{attribute_of, named};

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// The last version that has it, where later ones refuse it.
    pub until: Option<Version>,
    /// How it is called.
    pub usage: &'static str,
    /// What it comes to.
    pub about: &'static str,
    /// Whether conditions may use it, and other values.
    pub(super) place: Place,
    /// What its argument must be, as far as that is written out.
    pub(super) form: Form,
    pub(super) how: How,
}

/// Where a function may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Values,
    Conditions,
    Both,
}

/// The form of an argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    Any,
    /// A text.
    Text,
    /// A text, or a list that begins with one.
    TextOrList,
    /// A list of so many elements, or more.
    List(usize, Option<usize>),
    /// A map with these names, and perhaps others.
    Map(&'static [&'static str]),
}

/// How it is carried out.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// From its argument alone. The words of a refusal hold none of its values.
    Pure(fn(Value, &Limits<'_>) -> Result<Value, String>),
    Param,
    Resource,
    Attribute,
    File,
    If,
    Not,
    And,
    Or,
    /// It is not carried out here, for this reason.
    Refused(&'static str),
}

const fn pure(
    name: &'static str,
    since: Version,
    form: Form,
    usage: &'static str,
    about: &'static str,
    how: fn(Value, &Limits<'_>) -> Result<Value, String>,
) -> Function {
    Function { name, since, until: None, usage, about, place: Place::Values, form, how: How::Pure(how) }
}

const fn special(
    name: &'static str,
    since: Version,
    form: Form,
    usage: &'static str,
    about: &'static str,
    how: How,
) -> Function {
    Function { name, since, until: None, usage, about, place: Place::Values, form, how }
}

/// The same, which later versions refuse.
const fn until(function: Function, last: Version) -> Function {
    Function { until: Some(last), ..function }
}

const fn standing(function: Function, place: Place) -> Function {
    Function { place, ..function }
}

use Version::{V2013, V2015Kilo, V2015Liberty, V2016Mitaka, V2016Newton, V2017Ocata, V2017Pike};

const NESTED: &str = "there is no parent: templates within templates are not run here";

/// All of them, by their names.
pub static FUNCTIONS: &[Function] = &[
    standing(
        special(
            "and",
            V2016Newton,
            Form::List(2, None),
            "and: [CONDITION, CONDITION, ...]",
            "Whether all of two or more conditions hold",
            How::And,
        ),
        Place::Conditions,
    ),
    standing(
        pure(
            "contains",
            V2017Pike,
            Form::List(2, Some(2)),
            "contains: [VALUE, LIST]",
            "Whether a list has this value",
            collection::contains,
        ),
        Place::Both,
    ),
    pure(
        "digest",
        V2015Kilo,
        Form::List(2, Some(2)),
        "digest: [ALGORITHM, TEXT]",
        "The digest of a text in hex: md5, sha1, sha224, sha256, sha384, sha512",
        text::digest,
    ),
    standing(
        pure(
            "equals",
            V2016Newton,
            Form::List(2, Some(2)),
            "equals: [VALUE, VALUE]",
            "Whether two values are the same",
            collection::equals,
        ),
        Place::Conditions,
    ),
    pure(
        "filter",
        V2017Ocata,
        Form::List(2, Some(2)),
        "filter: [VALUES, LIST]",
        "A list without these values",
        collection::filter,
    ),
    until(pure("Fn::Base64", V2013, Form::Any, "Fn::Base64: TEXT", "The text itself", text::base64), V2013),
    until(pure("Fn::GetAZs", V2013, Form::Any, "Fn::GetAZs: REGION", "The one zone, nova", collection::zones), V2013),
    until(
        pure(
            "Fn::Join",
            V2013,
            Form::List(2, Some(2)),
            "Fn::Join: [DELIMITER, [TEXT, ...]]",
            "Texts as one, with a delimiter between them",
            text::join,
        ),
        V2013,
    ),
    until(
        pure(
            "Fn::MemberListToMap",
            V2013,
            Form::List(3, Some(3)),
            "Fn::MemberListToMap: [NAME, VALUE, [.member.0.NAME=a, .member.0.VALUE=b, ...]]",
            "A map of a list in the form of AWS queries",
            collection::member_list,
        ),
        V2013,
    ),
    until(
        pure(
            "Fn::Replace",
            V2013,
            Form::List(2, Some(2)),
            "Fn::Replace: [{KEY: TEXT, ...}, TEXT]",
            "A text with its keys replaced",
            text::replace_pairs,
        ),
        V2013,
    ),
    until(
        special(
            "Fn::ResourceFacade",
            V2013,
            Form::Any,
            "Fn::ResourceFacade: Metadata",
            "What the parent of a nested template says; refused, as there is none",
            How::Refused(NESTED),
        ),
        V2013,
    ),
    until(
        pure(
            "Fn::Select",
            V2013,
            Form::List(2, Some(2)),
            "Fn::Select: [INDEX, LIST] or [NAME, MAP]",
            "An element of a list, or a member of a map",
            collection::select,
        ),
        V2015Kilo,
    ),
    until(
        pure(
            "Fn::Split",
            V2013,
            Form::List(2, Some(2)),
            "Fn::Split: [DELIMITER, TEXT]",
            "The parts of a text as a list",
            text::split,
        ),
        V2013,
    ),
    special(
        "get_attr",
        V2013,
        Form::List(1, None),
        "get_attr: [RESOURCE, ATTRIBUTE, PATH...]",
        "An attribute of a resource, or what is found in it; nothing before the resource exists",
        How::Attribute,
    ),
    special(
        "get_file",
        V2013,
        Form::Text,
        "get_file: FILE",
        "The content of a file, beside the template unless its path is absolute",
        How::File,
    ),
    standing(
        special(
            "get_param",
            V2013,
            Form::TextOrList,
            "get_param: NAME or [NAME, PATH...]",
            "The value of a parameter, or what is found in it",
            How::Param,
        ),
        Place::Both,
    ),
    special(
        "get_resource",
        V2013,
        Form::Text,
        "get_resource: RESOURCE",
        "The id of a resource; its name before it exists",
        How::Resource,
    ),
    special(
        "if",
        V2016Newton,
        Form::List(2, Some(3)),
        "if: [CONDITION, VALUE, VALUE]",
        "The first value if the condition holds, else the second; from 2021-04-16 on nothing at all without a second",
        How::If,
    ),
    pure(
        "list_concat",
        V2017Pike,
        Form::List(0, None),
        "list_concat: [LIST, LIST, ...]",
        "Lists as one",
        collection::concat,
    ),
    pure(
        "list_concat_unique",
        V2017Pike,
        Form::List(0, None),
        "list_concat_unique: [LIST, LIST, ...]",
        "Lists as one, each element once",
        collection::concat_unique,
    ),
    pure(
        "list_join",
        V2013,
        Form::List(2, None),
        "list_join: [DELIMITER, [TEXT, ...]], from 2015-10-15 on with more lists",
        "Texts as one, with a delimiter between them",
        text::join,
    ),
    pure(
        "make_url",
        V2017Pike,
        Form::Map(&[]),
        "make_url: {scheme: ..., username: ..., password: ..., host: ..., port: ..., path: ..., query: {...}, fragment: ...}",
        "A URL of its parts, escaped",
        url::make,
    ),
    pure(
        "map_merge",
        V2016Mitaka,
        Form::List(0, None),
        "map_merge: [MAP, MAP, ...]",
        "Maps as one; of several members of a name the last counts",
        collection::merge,
    ),
    pure(
        "map_replace",
        V2016Newton,
        Form::List(2, Some(2)),
        "map_replace: [MAP, {keys: {OLD: NEW}, values: {OLD: NEW}}]",
        "A map with names and values replaced",
        collection::map_replace,
    ),
    standing(
        special("not", V2016Newton, Form::Any, "not: CONDITION", "Whether a condition does not hold", How::Not),
        Place::Conditions,
    ),
    standing(
        special(
            "or",
            V2016Newton,
            Form::List(2, None),
            "or: [CONDITION, CONDITION, ...]",
            "Whether one of two or more conditions holds",
            How::Or,
        ),
        Place::Conditions,
    ),
    until(
        special("Ref", V2013, Form::Text, "Ref: NAME", "A parameter's value or a resource's id", How::Resource),
        V2013,
    ),
    pure(
        "repeat",
        V2015Kilo,
        Form::Map(&["template", "for_each"]),
        "repeat: {template: VALUE, for_each: {KEY: LIST, ...}}, from 2017-09-01 on with permutations: false",
        "A list of the template, once for each element, or for each combination of elements",
        collection::repeat,
    ),
    special(
        "resource_facade",
        V2013,
        Form::Text,
        "resource_facade: metadata, deletion_policy or update_policy",
        "What the parent of a nested template says; refused, as there is none",
        How::Refused(NESTED),
    ),
    pure(
        "str_replace",
        V2013,
        Form::Map(&["template", "params"]),
        "str_replace: {template: TEXT, params: {KEY: VALUE, ...}}",
        "A text with its keys replaced, longer ones first; what was put in is not looked at again",
        text::replace,
    ),
    pure(
        "str_replace_strict",
        V2017Ocata,
        Form::Map(&["template", "params"]),
        "str_replace_strict: {template: TEXT, params: {KEY: VALUE, ...}}",
        "The same; each key must be in the text",
        text::replace_strict,
    ),
    pure(
        "str_replace_vstrict",
        V2017Pike,
        Form::Map(&["template", "params"]),
        "str_replace_vstrict: {template: TEXT, params: {KEY: VALUE, ...}}",
        "The same; each key must be in the text, and no value may be empty",
        text::replace_very_strict,
    ),
    pure(
        "str_split",
        V2015Liberty,
        Form::List(2, Some(3)),
        "str_split: [DELIMITER, TEXT] or [DELIMITER, TEXT, INDEX]",
        "The parts of a text as a list, or one of them",
        text::str_split,
    ),
    standing(
        special(
            "yaql",
            V2016Newton,
            Form::Any,
            "yaql: {expression: ..., data: ...}",
            "Refused: the language YAQL is not known here",
            How::Refused("the language YAQL is not known here: use the other functions"),
        ),
        Place::Both,
    ),
];

impl Function {
    /// The one of this name, in whatever version.
    pub fn find(name: &str) -> Option<&'static Function> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// Whether this version has it.
    pub fn is_of(&self, version: Version) -> bool {
        version >= self.since && self.until.is_none_or(|last| version <= last)
    }
}
