//! The builtins of `--jq`: which of jaq's are kept, and what is defined in their place or beside them to have the values
//! of jq. The filters of `jq_values` and `jq_bounds` that they call begin with `__`.

use jaq_core::load::{self, parse::Def};
use jaq_core::native::Fun;
use jaq_core::{DataT, data};
use jaq_json::Val;

/// Definitions that are other than jaq's, and stand in the place of those, since others call them.
pub(super) const OURS: &str = r#"
def from_entries: reduce .[] as $x ({}; . + ($x | { (__entry): __entry_value }));
def join($s): [.[] | __joined] | reduce .[] as $x ([]; if . == [] then [$x] else [.[0] + $s + $x] end) | .[0] // "";
def tostring: __text;
def tonumber: __number;
def delpaths($paths): __delpaths($paths);
def del(f): __delpaths([path(f)]);
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def flatten: [.[] | recurse(arrays[]) | select(isarray | not)];
def flatten($d): if $d < 0 then error("flatten depth must not be negative") else [.[] | __flat($d)] end;
def nth(n; g): n as $n | if $n < 0 then error("nth of a negative number") else first(skip($n; g)) end;
def @sh: [if isarray then .[] end | if isstring then "'\(escape_sh)'" elif . >= [] then error("\(__brief) cannot be escaped for a shell") else "\(.)" end] | join(" ");
def @base64d: tostring | __padded | decode_base64;
def nan: __nan;
def infinite: __infinite;
def isnormal: isnumber and (isnan or isinfinite or (fabs < 2.2250738585072014e-308) | not);
def gamma: lgamma;
def match(re; flags): matches(re; flags)[] | .[0] + { captures: [.[1:][] | . + { name: .name }] };
def capture(re; flags): re as $re | matches($re; flags)[] | ($re | __groups) + capture_of_match;
def sub(re; f; flags): re as $re | [split_matches($re; flags)[] | if isarray then capture_of_match as $of | [($re | __groups) + $of | f] end] | . as $parts | range([1, (.[] | arrays | length)] | max) as $i | reduce $parts[] as $part (""; . + if $part | isarray then $part[$i] else $part end);
def in(xs): . as $x | xs | has($x);
def inside(xs): . as $x | xs | contains($x);
"#;

/// Definitions that stand before jaq's, for they are called by those.
pub(super) const FIRST: &str = r#"
def __flat($d): if . >= [] and . < {} and $d > 0 then .[] | __flat($d - 1) else . end;
def indices($i): if __is_empty($i) then [][0] else __indices($i) end;
def limit($n; f): if $n < 0 then f else __limit($n; f) end;
def skip($n; f): ($n | __count) as $n | __skip($n; f);
def implode: __codes | __implode;
def todateiso8601: __time | if . >= [] then __mktime else . end | floor | __todate;
def gmtime: __time | __gmtime;
def localtime: __time | __localtime;
def mktime: __time | __mktime;
def strftime($f): ($f | __format) as $f | __time | __strftime($f);
def strflocaltime($f): ($f | __format) as $f | __time | __strflocaltime($f);
def contains($x): __alike($x) | __contains($x);
def matches(re; flags): __matches(re; flags | __flags);
def split_matches(re; flags): __split_matches(re; flags | __flags);
def split_(re; flags): __split_(re; flags | __flags);
def range($from; $to; $by): if $by == 0 then [][] else __range($from; $to; $by) end;
def reverse: if . == [][0] then [] else __reverse end;
"#;

/// Definitions that stand behind jaq's, before those of its filters that refuse what jq passes on, or pass on what jq
/// refuses.
pub(super) const LAST: &str = r#"
def ltrimstr($s): if isstring and ($s | isstring) then __ltrimstr($s) else . end;
def rtrimstr($s): if isstring and ($s | isstring) then __rtrimstr($s) else . end;
def __row($of): if isarray then .[] else error("\(__brief) is not an array, and so not a line of \($of)") end;
def __cell($of): if . >= [] then error("\(__brief) has no place in a line of \($of)") elif . == null then "" else tostring end;
def @csv: [__row("csv") | if isstring then "\"\(gsub("\""; "\"\""))\"" else __cell("csv") end] | join(",");
def @tsv: [__row("tsv") | __cell("tsv") | gsub("\\\\"; "\\\\") | gsub("\t"; "\\t") | gsub("\n"; "\\n") | gsub("\r"; "\\r")] | join("\t");
def last(f): reduce f as $x (null; $x);
def nearbyint: rint;
def lgamma_r: [lgamma, if . >= 0 or floor % 2 == 0 then 1 else -1 end];
def __modify(ps; f): reduce path(ps) as $p ([., []]; [first(.[0] | getpath($p) | f)] as $new | if $new == [] then .[1] += [$p] else .[0] |= setpath($p; $new[0]) end) | .[1] as $gone | .[0] | __delpaths($gone);
def leaf_paths: paths(scalars);
def date: todate;
def dateadd(u; n): . + n;
def datesub(u; n): . - n;
def ascii: if isnumber and . >= 0 and . < 128 then [.] | implode else error("\(__brief) is not the number of an ASCII character") end;
def toarray: if isarray then . else [.] end;
def have_literal_numbers: true;
def have_decnum: false;
def input: error("break");
def inputs: empty;
def input_filename: null;
def input_line_number: 0;
def env: $ENV;
def builtins: __builtins;
def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));
def format($name): if $name == "text" then @text elif $name == "json" then @json elif $name == "html" then @html elif $name == "uri" then @uri elif $name == "urid" then @urid elif $name == "csv" then @csv elif $name == "tsv" then @tsv elif $name == "sh" then @sh elif $name == "base64" then @base64 elif $name == "base64d" then @base64d else error("\($name | __brief) is not a format") end;
def test($re): if $re | isarray then test($re[0]; $re[1]) else test($re; null) end;
def match($re): if $re | isarray then match($re[0]; $re[1]) else match($re; null) end;
def capture($re): if $re | isarray then capture($re[0]; $re[1]) else capture($re; null) end;
def scan($re): if $re | isarray then scan($re[0]; $re[1]) else scan($re; null) end;
def JOIN($idx; f): [.[] | [., $idx[f]]];
def JOIN($idx; stream; f): stream | [., $idx[f]];
def JOIN($idx; stream; f; then): stream | [., $idx[f]] | then;
def INDEX(stream; f): reduce stream as $row ({}; . + { ($row | f | tostring): $row });
def INDEX(f): INDEX(.[]; f);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def truncate_stream(stream): . as $n | stream | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;
def fromstream(f): { x: null, e: false } as $init | foreach f as $i ($init; if .e then $init else . end | if $i | length == 2 then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1]) else setpath(["e"]; $i[0] | length == 1) end; if .e then .x else empty end);
def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
"#;

/// Filters of jaq's that are called by these, and by another name.
const RENAMED: &[(&str, &str)] = &[
    ("ltrimstr", "__ltrimstr"),
    ("rtrimstr", "__rtrimstr"),
    ("limit", "__limit"),
    ("skip", "__skip"),
    ("implode", "__implode"),
    ("todateiso8601", "__todate"),
    ("gmtime", "__gmtime"),
    ("localtime", "__localtime"),
    ("mktime", "__mktime"),
    ("strftime", "__strftime"),
    ("strflocaltime", "__strflocaltime"),
    ("indices", "__indices"),
    ("contains", "__contains"),
    ("matches", "__matches"),
    ("split_matches", "__split_matches"),
    ("split_", "__split_"),
    ("range", "__range"),
    ("reverse", "__reverse"),
];

/// What can be called, as `builtins` tells it: name and number of arguments.
pub(super) fn builtins() -> Vec<String> {
    let own = [FIRST, OURS, LAST].into_iter().flat_map(read).map(|def| (def.name, def.args.len()));
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).map(|def| (def.name, def.args.len()));
    let funs = jaq_core::funs::<data::JustLut<Val>>().chain(jaq_std::funs()).chain(jaq_json::funs());
    let kept = defs.chain(funs.map(|fun| (fun.0, fun.1.len()))).filter(|(name, _)| is_kept(name));
    let own_funs = ["tojson", "fromjson"].map(|name| (name, 0)).into_iter().chain([("has", 1)]);
    let all = own.chain(kept).chain(own_funs).filter(|(name, _)| !name.starts_with(['_', '@']));
    let mut names: Vec<String> = all.map(|(name, args)| format!("{name}/{args}")).collect();
    names.sort();
    names.dedup();
    names
}

/// Definitions as terms.
pub(super) fn read(text: &'static str) -> Vec<Def<&'static str>> {
    load::parse(text, |parser| parser.defs()).unwrap_or_default()
}

/// jaq's own filters, as far as they are kept.
pub(super) fn theirs<D: DataT>(funs: impl Iterator<Item = Fun<D>>) -> impl Iterator<Item = Fun<D>> {
    let renamed = |name| RENAMED.iter().find(|(known, _)| *known == name).map_or(name, |(_, ours)| *ours);
    funs.filter(|fun| is_kept(fun.0)).map(move |(name, args, native)| (renamed(name), args, native))
}

/// Not kept are those that end the process, print by themselves, or read what is not the answer; and those that are
/// others here.
pub(super) fn is_kept(name: &str) -> bool {
    const NOT: &[&str] = &[
        "halt",
        "halt_error",
        "env",
        "input",
        "inputs",
        "debug",
        "debug_empty",
        "stderr",
        "stderr_empty",
        "tojson",
        "fromjson",
        "has",
    ];
    !NOT.contains(&name)
}
