//! `--jq` beside jq 1.7: numbers that pass through keep their digits, and what JSON cannot hold is an error.
#![cfg(feature = "cli")]

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use sdc::render::{Given, Program};
use serde_json::Value;

const INPUT: &str = r#"{"name":"web","memory":4096,"flag":true,"big":12345678901234567890123,"price":1.10,"a":{"name":"n"},"b":2,"list":[{"n":2,"s":"x"},{"n":1,"s":"y"},{"n":3,"s":"x"}]}"#;

/// Expression, results, and whether it ends without an error.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str], bool)] = &[
    (r#"{(.a.name):.b}"#, &[r#"{"n":2}"#], true),
    (r#"{(.memory):.name}"#, &[], false),
    (r#"{(.flag):1}"#, &[], false),
    (r#"{(.a.name,"z"):1}|keys"#, &[r#"["n"]"#, r#"["z"]"#], true),
    (r#"[{key:1,value:2}]|from_entries"#, &[r#"{"1":2}"#], true),
    (r#"[{key:false,value:2}]|from_entries"#, &[r#"{"false":2}"#], true),
    (r#"[{key:null,value:2}]|from_entries"#, &[r#"{"null":2}"#], true),
    (r#"[{k:"a",v:2},{name:"b",value:3},{Key:"c",Value:4}]|from_entries"#, &[r#"{"a":2,"b":3,"c":4}"#], true),
    (r#"{a:1,b:2}|with_entries(.value+=1)"#, &[r#"{"a":2,"b":3}"#], true),
    (r#"{a:1,b:2}|with_entries(.key|=ascii_upcase)"#, &[r#"{"A":1,"B":2}"#], true),
    (r#"{a:1}|with_entries(.key|=1)"#, &[r#"{"1":1}"#], true),
    (r#"{a:1,b:2}|to_entries"#, &[r#"[{"key":"a","value":1},{"key":"b","value":2}]"#], true),
    (r#"nan"#, &[r#"null"#], true),
    (r#"[nan]"#, &[r#"[null]"#], true),
    (r#"nan|tostring"#, &[r#""null""#], true),
    (r#"infinite"#, &[], false),
    (r#"-infinite"#, &[], false),
    (r#"[infinite]"#, &[], false),
    (r#".memory/0"#, &[], false),
    (r#".memory/1024"#, &[r#"4"#], true),
    (r#".memory/1000"#, &[r#"4.096"#], true),
    (r#".memory/1024|tostring"#, &[r#""4""#], true),
    (r#""\(.memory/1024)G""#, &[r#""4G""#], true),
    (r#""\(.memory/3)""#, &[r#""1365.3333333333333""#], true),
    (r#"[.memory/1024]|tojson"#, &[r#""[4]""#], true),
    (r#".memory/1024|@text"#, &[r#""4""#], true),
    (r#".memory/1024|@json"#, &[r#""4""#], true),
    (r#"[.list[].n]|add/length"#, &[r#"2"#], true),
    (r#".memory*1.5"#, &[r#"6144"#], true),
    (r#".memory*0.5"#, &[r#"2048"#], true),
    (r#".memory-0.5"#, &[r#"4095.5"#], true),
    (r#"2/4*2"#, &[r#"1"#], true),
    (r#"10/2|floor"#, &[r#"5"#], true),
    (r#"[1,2,3][4/2]"#, &[r#"3"#], true),
    (r#"[1,2,3][:4/2]"#, &[r#"[1,2]"#], true),
    (r#"[range(4/2)]"#, &[r#"[0,1]"#], true),
    (r#"[range(0;10;5/2)]"#, &[r#"[0,2.5,5,7.5]"#], true),
    (r#""3rd"|tonumber"#, &[], false),
    (r#""3"|tonumber"#, &[r#"3"#], true),
    (r#"" 3 "|tonumber"#, &[r#"3"#], true),
    (r#""3.10"|tonumber"#, &[r#"3.10"#], true),
    (r#""1e3"|tonumber"#, &[r#"1e3"#], true),
    (r#""0x10"|tonumber"#, &[], false),
    (r#"""|tonumber"#, &[], false),
    (r#""-5"|tonumber"#, &[r#"-5"#], true),
    (r#""+5"|tonumber"#, &[], false),
    (r#""nan"|tonumber"#, &[], false),
    (r#""3 4"|tonumber"#, &[], false),
    (r#"[1]|tonumber"#, &[], false),
    (r#"null|tonumber"#, &[], false),
    (r#"3|tonumber"#, &[r#"3"#], true),
    (r#".big"#, &[r#"12345678901234567890123"#], true),
    (r#".price"#, &[r#"1.10"#], true),
    (r#"[.big,.price]"#, &[r#"[12345678901234567890123,1.10]"#], true),
    (r#".big+1"#, &[r#"12345678901234567890124"#], true),
    (r#".price+0"#, &[r#"1.1"#], true),
    (r#".price|tostring"#, &[r#""1.10""#], true),
    (r#".big|tojson"#, &[r#""12345678901234567890123""#], true),
    (r#"{p:.price}"#, &[r#"{"p":1.10}"#], true),
    (r#".a"#, &[r#"{"name":"n"}"#], true),
    (r#".list|map(.n)|max"#, &[r#"3"#], true),
    (r#"1e1000"#, &[], false),
    (r#"-1e1000"#, &[], false),
    (r#"1e17"#, &[r#"1e17"#], true),
    (r#"123456789012"#, &[r#"123456789012"#], true),
    (r#"1.0"#, &[r#"1.0"#], true),
    (r#"1.5e300"#, &[r#"1.5e300"#], true),
    (r#"0.1+0.2"#, &[r#"0.30000000000000004"#], true),
    (r#"1e-5"#, &[r#"1e-5"#], true),
    (r#"100000000000000000000"#, &[r#"100000000000000000000"#], true),
    (r#"3.0"#, &[r#"3.0"#], true),
    (r#"-0"#, &[r#"0"#], true),
    (r#"[.list[]|.n]|sort"#, &[r#"[1,2,3]"#], true),
    (r#"[.list[]|select(.n>1)]|length"#, &[r#"2"#], true),
    (r#".list|sort_by(.n)|map(.s)"#, &[r#"["y","x","x"]"#], true),
    (r#".list|group_by(.s)|map(length)"#, &[r#"[2,1]"#], true),
    (r#".list|unique_by(.s)|length"#, &[r#"2"#], true),
    (r#"[limit(2;.list[])]|length"#, &[r#"2"#], true),
    (r#"[first(range(10)),last(range(10)),nth(3;range(10))]"#, &[r#"[0,9,3]"#], true),
    (r#""abc"|ltrimstr("a")"#, &[r#""bc""#], true),
    (r#""abc"|rtrimstr("c")"#, &[r#""ab""#], true),
    (r#"1|ltrimstr("a")"#, &[r#"1"#], true),
    (r#""a,b"|split(",")"#, &[r#"["a","b"]"#], true),
    (r#"["a",1,null,true]|join("-")"#, &[r#""a-1--true""#], true),
    (r#"[]|join(",")"#, &[r#""""#], true),
    (r#"[[1]]|join(",")"#, &[], false),
    (r#"["a"]|join(",")"#, &[r#""a""#], true),
    (r#""abc"|test("B";"i")"#, &[r#"true"#], true),
    (r#""abc"|[match(".";"g").string]"#, &[r#"["a","b","c"]"#], true),
    (r#""abc"|sub("b";"x")"#, &[r#""axc""#], true),
    (r#""a-b-c"|gsub("-";"+")"#, &[r#""a+b+c""#], true),
    (r#""x"|ascii_downcase,ascii_upcase"#, &[r#""x""#, r#""X""#], true),
    (r#""a b"|@uri"#, &[r#""a%20b""#], true),
    (r#""a&b"|@html"#, &[r#""a&amp;b""#], true),
    (r#"[1,"a b"]|@sh"#, &[r#""1 'a b'""#], true),
    (r#""hi"|@base64"#, &[r#""aGk=""#], true),
    (r#""aGk="|@base64d"#, &[r#""hi""#], true),
    (r#"@text "x\(1+1)""#, &[r#""x2""#], true),
    (r#"@json "x\([1/2])""#, &[r#""x[0.5]""#], true),
    (r#"@base64 "x\("hi")""#, &[r#""xaGk=""#], true),
    (r#""[1,2"|fromjson"#, &[], false),
    (r#""[1,2]"|fromjson"#, &[r#"[1,2]"#], true),
    (r#""{\"a\":1.10}"|fromjson"#, &[r#"{"a":1.10}"#], true),
    (r#""1 2"|fromjson"#, &[], false),
    (r#""nan"|fromjson"#, &[], false),
    (r#""{1:2}"|fromjson"#, &[], false),
    (r##""# c\n1"|fromjson"##, &[], false),
    (r#"error("x")"#, &[], false),
    (r#"error"#, &[], false),
    (r#"try error("x") catch ."#, &[r#""x""#], true),
    (r#".list[0].missing"#, &[r#"null"#], true),
    (r#".nope.deeper"#, &[r#"null"#], true),
    (r#".name?"#, &[r#""web""#], true),
    (r#".memory.x"#, &[], false),
    (r#".memory|.x?"#, &[], true),
    (r#"[paths]|length"#, &[r#"18"#], true),
    (r#"[..]|length"#, &[r#"19"#], true),
    (r#"del(.list)|keys"#, &[r#"["a","b","big","flag","memory","name","price"]"#], true),
    (r#"path(.a.name)"#, &[r#"["a","name"]"#], true),
    (r#"getpath(["a","name"])"#, &[r#""n""#], true),
    (r#"setpath(["x"];1)|.x"#, &[r#"1"#], true),
    (r#"to_entries|length"#, &[r#"8"#], true),
    (r#"reduce .list[] as $x (0;.+$x.n)"#, &[r#"6"#], true),
    (r#"[foreach .list[] as $x (0;.+$x.n)]"#, &[r#"[2,3,6]"#], true),
    (r#"label $f|1,break $f,2"#, &[r#"1"#], true),
    (r#"[.list[]|{n,s}]"#, &[r#"[{"n":2,"s":"x"},{"n":1,"s":"y"},{"n":3,"s":"x"}]"#], true),
    (r#"{a:1} * {b:{c:2}}"#, &[r#"{"a":1,"b":{"c":2}}"#], true),
    (r#"[1,2]-[2]"#, &[r#"[1]"#], true),
    (r#""ab"*3"#, &[r#""ababab""#], true),
    (r#""a"+"b""#, &[r#""ab""#], true),
    (r#"{a:1}+{a:2}"#, &[r#"{"a":2}"#], true),
    (r#"null+1"#, &[r#"1"#], true),
    (r#"[1]+null"#, &[r#"[1]"#], true),
    (r#"1+"a""#, &[], false),
    (r#"[1]|has(0)"#, &[r#"true"#], true),
    (r#"{"a":1}|has("a")"#, &[r#"true"#], true),
    (r#"[1,2]|contains([1])"#, &[r#"true"#], true),
    (r#"[1,[2]]|flatten"#, &[r#"[1,2]"#], true),
    (r#"[3,1]|min,max"#, &[r#"1"#, r#"3"#], true),
    (r#"[true,false]|any,all"#, &[r#"true"#, r#"false"#], true),
    (r#""2015-03-05T23:51:47Z"|fromdate"#, &[r#"1425599507"#], true),
    (r#"1425599507|todate"#, &[r#""2015-03-05T23:51:47Z""#], true),
    (r#""abc"|explode|implode"#, &[r#""abc""#], true),
    (r#"[1,2,3]|.[-1:]"#, &[r#"[3]"#], true),
    (r#"[1,2,3]|index(2)"#, &[r#"1"#], true),
    (r#"5%3"#, &[r#"2"#], true),
    (r#"-5%3"#, &[r#"-2"#], true),
    (r#"5.5%2"#, &[r#"1"#], true),
    (r#"1%0"#, &[], false),
    (r#"7.0/2"#, &[r#"3.5"#], true),
    (r#"[1,null]|length"#, &[r#"2"#], true),
    (r#""é"|length"#, &[r#"1"#], true),
    (r#""é"|utf8bytelength"#, &[r#"2"#], true),
    (r#"1|floor"#, &[r#"1"#], true),
    (r#"1.7|floor,ceil,round,sqrt"#, &[r#"1"#, r#"2"#, r#"2"#, r#"1.3038404810405297"#], true),
    (r#"4|sqrt"#, &[r#"2"#], true),
    (r#"2|pow(.;10)"#, &[r#"1024"#], true),
    (r#"10|log10"#, &[r#"1"#], true),
    (r#"[1,2]|tojson|fromjson"#, &[r#"[1,2]"#], true),
    (r#"{"a":[1,2]} | .a[0] = 9"#, &[r#"{"a":[9,2]}"#], true),
    (r#"{} | .[1] = 2"#, &[], false),
    (r#"[splits("a";"b")]"#, &[], false),
    (r#""a,b, c"|[splits(", *")]"#, &[r#"["a","b","c"]"#], true),
    (r#"[.[]?]|length"#, &[r#"8"#], true),
    (r#"..|numbers"#, &[r#"4096"#, r#"12345678901234567890123"#, r#"1.10"#, r#"2"#, r#"2"#, r#"1"#, r#"3"#], true),
    (r#"not"#, &[r#"false"#], true),
    (r#".flag|not"#, &[r#"false"#], true),
    (r#"if .flag then 1 else 2 end"#, &[r#"1"#], true),
    (r#".x // "d""#, &[r#""d""#], true),
    (r#".list|map(has("n"))|all"#, &[r#"true"#], true),
    (r#"[.list[]|.n]|[.[]|.*2]"#, &[r#"[4,2,6]"#], true),
    (r#".list as [$a,$b]|$a.n"#, &[r#"2"#], true),
    (r#". as {name:$n}|$n"#, &[r#""web""#], true),
    (r#"def f(x): x*2; f(3)"#, &[r#"6"#], true),
    (r#"1|[while(.<10;.*2)]"#, &[r#"[1,2,4,8]"#], true),
    (r#"1|[until(.>10;.*2)]"#, &[r#"[16]"#], true),
    (r#"[1,2]|transpose?"#, &[], true),
    (r#"[[1,2],[3,4]]|transpose"#, &[r#"[[1,3],[2,4]]"#], true),
    (r#"[1,[2]]|getpath([1,0])"#, &[r#"2"#], true),
    (r#"walk(if type=="number" then 1 else . end)|.memory"#, &[r#"1"#], true),
    (r#"tojson|length>10"#, &[r#"true"#], true),
    (r#""\u0000""#, &[r#""\u0000""#], true),
    (r#""😀""#, &[r#""😀""#], true),
    (r#"@html "<\("<&>")>""#, &[r#""<&lt;&amp;&gt;>""#], true),
    (r#"{"a b":1}."a b""#, &[r#"1"#], true),
    (r#"."name""#, &[r#""web""#], true),
    (r#".["name"]"#, &[r#""web""#], true),
    (r#"{a:(1,2)}"#, &[r#"{"a":1}"#, r#"{"a":2}"#], true),
    (r#"[.list[].s]|unique"#, &[r#"["x","y"]"#], true),
    (r#"1 as $x|[$x,$x+1]"#, &[r#"[1,2]"#], true),
    (r#"[.list[]|.n/2]"#, &[r#"[1,0.5,1.5]"#], true),
    (r#"{x:(.memory/1024)}"#, &[r#"{"x":4}"#], true),
    (r#"{"m\(.memory/1024)":1}"#, &[r#"{"m4":1}"#], true),
    (r#"(.memory/1024) as $g|"\($g)""#, &[r#""4""#], true),
    (r#".memory/=1024|.memory"#, &[r#"4"#], true),
    (r#".memory|./1024|tostring|length"#, &[r#"1"#], true),
    (r#"[10,4]|map(./2)"#, &[r#"[5,2]"#], true),
    (r#"6/3|@base64"#, &[r#""Mg==""#], true),
    (r#"[6/3]|join(",")"#, &[r#""2""#], true),
    (r#"[6/3]|@sh"#, &[r#""2""#], true),
    (r#"6/3|tojson|tonumber"#, &[r#"2"#], true),
    (r#"[6/3]|.[0]==2"#, &[r#"true"#], true),
    (r#".[0]"#, &[], false),
    (r#".[0]?"#, &[], true),
    (r#".a[0]"#, &[], false),
    (r#".a[.b]"#, &[], false),
    (r#".a[null]"#, &[], false),
    (r#"getpath([0])"#, &[], false),
    (r#"path(.a[0])"#, &[], false),
    (r#". as [$a]|$a"#, &[], false),
    (r#".list[.b-1].n"#, &["1"], true),
    (r#"[.list[0,1]["n","s"]]"#, &[r#"[2,1,"x","y"]"#], true),
    (r#"[1,2,3]|.[:1.5]"#, &["[1,2]"], true),
    (r#"{"a":1}|has(0)"#, &[], false),
    (r#"[1]|has(-1)"#, &["false"], true),
    (r#"1|contains("a")"#, &[], false),
    (r#"3.0|tostring"#, &[r#""3.0""#], true),
    (r#"1e2|tojson"#, &[r#""1e2""#], true),
    (r#"[1e2]|@text"#, &[r#""[1e2]""#], true),
    (r#"12345678901234567890|tostring"#, &[r#""12345678901234567890""#], true),
    (r#"[-1]|implode"#, &[], false),
    (r#"[1114112]|implode"#, &[], false),
    (r#"[55296]|implode"#, &[], false),
    (r#"nan|todate"#, &[], false),
    (r#"infinite|todate"#, &[], false),
    (r#"nan|gmtime"#, &[], false),
    (r#"1425599621.678|todate"#, &[r#""2015-03-05T23:53:41Z""#], true),
    (r#"[2015,2,5,23,51,47,4,63]|todate"#, &[r#""2015-03-05T23:51:47Z""#], true),
    (r#"0|strftime("%Q")"#, &[], false),
    (r#"0|strftime("%A, %d %B %Y")"#, &[r#""Thursday, 01 January 1970""#], true),
    (r#"[1,2,3]|.[]|=empty"#, &["[]"], true),
    (r#"[1,2,3]|(.[]|select(.>=2))|=empty"#, &["[1]"], true),
    (r#"{"a":1,"b":2,"c":3}|del(.a)"#, &[r#"{"b":2,"c":3}"#], true),
    (r#"[1,2,3]|del(.[0,1])"#, &["[3]"], true),
    (r#"[1,2,3]|del(.[0],.[1:])"#, &["[]"], true),
    (r#"[1,2,3]|delpaths([[0],[2]])"#, &["[2]"], true),
    (r#"{"a":1}|del(.[0])"#, &[], false),
    (r#"[1,[2]]|flatten(-1)"#, &[], false),
    (r#"[]|flatten(1)"#, &["[]"], true),
    (r#"{"a":[1,[2]],"b":3}|flatten"#, &["[1,2,3]"], true),
    (r#"{}|.a.b=1"#, &[r#"{"a":{"b":1}}"#], true),
    (r#"{}|.a.b+=1"#, &[r#"{"a":{"b":1}}"#], true),
    (r#"{}|.a[1]=1"#, &[r#"{"a":[null,1]}"#], true),
    (r#"null|setpath([0,"a"];1)"#, &[r#"[{"a":1}]"#], true),
    (r#"[1]|.[3]=9"#, &["[1,null,null,9]"], true),
    (r#"1|.a=1"#, &[], false),
    (r#"{"a":4}|.a/=2|.a|tostring"#, &[r#""2""#], true),
    (r#"[(1,2)+(10,20)]"#, &["[11,12,21,22]"], true),
    (r#"["\(1,2)-\(3,4)"]"#, &[r#"["1-3","2-3","1-4","2-4"]"#], true),
    (r#"reduce (1,2) as $x (0;.,1)"#, &["1"], true),
    (r#"reduce (1,2) as $x (0;empty)"#, &["null"], true),
    (r#"[limit(-1;1,2)]"#, &["[1,2]"], true),
    (r#"[{}]|@sh"#, &[], false),
    (r#"[1,"a\"b",null,true]|@csv"#, &[r#""1,\"a\"\"b\",,true""#], true),
    (r#"[1,"a\tb"]|@tsv"#, &[r#""1\ta\\tb""#], true),
    (r#"[[1]]|@csv"#, &[], false),
    (r#".list|INDEX(.s)|.y.n"#, &["1"], true),
    (r#".b|IN(1,2)"#, &["true"], true),
    (r#"fromstream(.a|tostream)"#, &[r#"{"name":"n"}"#], true),
    (r#""aGk"|@base64d"#, &[r#""hi""#], true),
    (r#""x"*0.5"#, &[r#""""#], true),
];

/// The results, and why there are no more of them.
fn results(expression: &str) -> (Vec<String>, Result<(), String>) {
    let mut results = Vec::new();
    let outcome = Program::new(expression).and_then(|program| {
        program.run(INPUT, false, false, |line| {
            results.push(line.to_owned());
            Ok(())
        })
    });
    (results, outcome.map_err(|error| format!("{error} {}", error.causes().join(", "))))
}

#[test]
fn the_results_are_those_of_jq() {
    let wrong = TABLE.iter().filter_map(|(expression, wanted, fine)| {
        let (told, outcome) = results(expression);
        let same = told == *wanted && outcome.is_ok() == *fine;
        (!same).then(|| format!("{expression}\n  wanted {wanted:?} {fine}\n  got    {told:?} {outcome:?}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whatever_is_printed_is_json() {
    for (expression, ..) in TABLE {
        for line in results(expression).0 {
            serde_json::from_str::<serde_json::Value>(&line)
                .unwrap_or_else(|error| panic!("{expression}: {line}: {error}"));
        }
    }
}

#[test]
fn what_ends_the_process_prints_by_itself_or_reads_something_else_is_not_there() {
    for expression in [
        "halt",
        "halt(1)",
        "halt_error",
        "halt_error(1)",
        "debug",
        "debug(\"x\")",
        "stderr",
        "stderr_empty",
        "debug_empty",
        "$__loc__",
        "import \"a\" as a; 1",
        "include \"a\"; 1",
    ] {
        let (told, outcome) = results(expression);
        assert!(told.is_empty() && outcome.is_err(), "{expression}: {told:?}");
    }
}

#[test]
fn what_json_cannot_hold_is_an_error_that_says_so() {
    for (expression, why) in [
        ("{(.memory): .name}", "the keys of an object are texts, and 4096 is none"),
        ("{\"a\":1} | {(.a,\"b\"): 2}", "the keys of an object are texts, and 1 is none"),
        ("[.memory] | {(.[0]): 1} | keys", "the keys of an object are texts, and 4096 is none"),
        ("def f: {(1): 2}; f", "the keys of an object are texts"),
        ("{} | .[1] = 2", "an object has nothing at 1"),
        ("[infinite]", "infinite, which JSON cannot hold"),
        ("infinite | tostring", "infinite, which JSON cannot hold"),
        ("\"a\" | tobytes", "bytes in it, which JSON cannot hold"),
        ("\"3rd\" | tonumber", "\"3rd\" is not a number"),
        ("\"NaN\" | fromjson", "\"NaN\" is not JSON"),
        ("reduce range(3000) as $i (0; [.])", "nested deeper"),
    ] {
        let (told, outcome) = results(expression);
        let words = outcome.unwrap_err();
        assert!(
            told.is_empty() && words.contains(why.replace("\"", "\\\"").as_str()) || words.contains(why),
            "{expression}: {words}"
        );
    }
}

/// A value of so many levels, made in one of several ways; each is too deep for whatever is done with it.
const DEEP: &[&str] = &[
    "reduce range(100000) as $i (1; [.])",
    "reduce range(100000) as $i (1; {a: .})",
    "reduce range(100000) as $i (1; {a: [.], b: 1})",
    "reduce range(100000) as $i (1; . as $x | null | .a = $x)",
    "reduce range(100000) as $i (1; . as $x | {} | .a |= $x)",
    "reduce range(100000) as $i (1; . as $x | null | setpath([\"a\", 0]; $x))",
    "last(limit(100000; 1 | recurse([.])))",
    ".deep | fromjson",
];

#[test]
fn no_depth_of_values_ends_the_process() {
    let input = format!(r#"{{"deep":"{}"}}"#, "[".repeat(20_000));
    for deep in DEEP {
        for then in ["", "| 1", "| length", "| . == 1", "| tojson", "| [..] | length", "| walk(.)", "| [tostream]"] {
            let expression = format!("{deep} {then}");
            let program = Program::new(&expression).unwrap();
            let outcome = program.run(&input, false, false, |line| panic!("{expression}: {line:.80}"));
            let words = outcome.unwrap_err().causes().join(", ");
            assert!(words.contains("nested deeper than 1000 levels"), "{expression}: {words}");
        }
    }
    // The deepest that there may be can be had, compared, walked and dropped.
    for (then, result) in
        [("[..] | length", "901"), ("tojson | length", "1801"), (". == .", "true"), ("walk(.) | length", "1")]
    {
        let (told, outcome) = results(&format!("reduce range(900) as $i (1; [.]) | {then}"));
        assert_eq!((told, outcome), (vec![result.to_owned()], Ok(())), "{then}");
    }
}

#[test]
fn what_calls_itself_without_end_or_makes_too_long_a_text_is_an_error() {
    for (expression, why) in [
        ("def f: 1 + f; f", "calls itself too often"),
        ("def f: [f]; f", "calls itself too often"),
        ("def f: {a: f}; f", "calls itself too often"),
        ("\"x\" * 1e9", "a text longer than 64 MiB"),
        ("\"x\" * 1e300", "a text longer than 64 MiB"),
        (".name *= 1e18", "a text longer than 64 MiB"),
        ("null | .[1e9] = 1", "more than 1048576 elements"),
        ("null | setpath([1e12]; 1)", "more than 1048576 elements"),
    ] {
        let (told, outcome) = results(expression);
        let words = outcome.unwrap_err();
        assert!(told.is_empty() && words.contains(why), "{expression}: {words}");
    }
    let error = Program::new(&"[".repeat(70_000)).unwrap_err();
    assert!(error.to_string().contains("longer than 64 KiB"), "{error}");
    assert!(Program::new(&"[".repeat(60_000)).is_err());
    assert!(Program::new(&format!("{}1", "-".repeat(60_000))).is_ok());
}

#[test]
fn who_waits_for_a_result_is_asked_whether_to_go_on() {
    for expression in ["last(range(1e12))", "repeat(empty)"] {
        let mut asked = 0;
        let idle = || {
            asked += 1;
            Err(sdc::Error::new(sdc::error::Kind::Interrupted, "enough"))
        };
        let program = Program::new(expression).unwrap();
        let error = program.run_while(INPUT, false, false, idle, |_| Ok(())).unwrap_err();
        assert_eq!((error.to_string().as_str(), asked), ("enough", 1), "{expression}");
    }
}

#[test]
fn a_whole_object_as_a_line_of_csv_is_told_of_columns() {
    for format in ["csv", "tsv"] {
        let program = Program::new(&format!("@{format}")).unwrap();
        let error = program.run(INPUT, true, false, |_| Ok(())).unwrap_err();
        assert_eq!(error.hints(), [format!("columns without --jq: -o {format}:COLUMN,...")]);
    }
}

#[test]
fn an_expression_that_is_a_url_with_a_password_is_not_repeated() {
    let told = |expression: &str| Program::new(expression).err().unwrap();
    assert_eq!(told(".name | nosuch").hints().len(), 1);
    for url in ["https://jill:s3cret@cloud.example.com", "//jill:s3cret@cloud.example.com"] {
        let error = told(url);
        assert!(error.hints().is_empty() && !error.message().contains("s3cret"), "{error}");
    }
}

/// A row of the table of jq's builtins and features.
struct Row {
    /// The versions of jq with the same results, or what is different.
    how: &'static str,
    program: &'static str,
    input: &'static str,
    /// `!` at the end is an error.
    wanted: Vec<&'static str>,
}

const ROWS: &str = include_str!("../data/jq.tsv");

fn rows() -> Vec<Row> {
    let rows = ROWS.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut parts = line.split('\t');
        let mut next = || parts.next().unwrap();
        let (how, program, input) = (next(), next(), next());
        Row { how, program, input, wanted: parts.collect() }
    });
    rows.collect()
}

fn given() -> Given {
    let mut given = Given::default();
    given.text("role", "web").unwrap();
    given.json("limit", r#"{"n":2}"#).unwrap();
    given.with_env([("PAGER".to_owned(), "less".to_owned())])
}

/// JSON by its value, numbers as jq has them.
fn valued(line: &str) -> Value {
    fn plain(value: Value) -> Value {
        match value {
            Value::Number(number) => (number.as_f64().unwrap() + 0.0).into(),
            Value::Array(values) => values.into_iter().map(plain).collect(),
            Value::Object(members) => members.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            other => other,
        }
    }
    serde_json::from_str(line).map_or_else(|_| Value::from(line), plain)
}

#[test]
fn every_builtin_and_feature_of_jq_has_the_results_of_its_row() {
    let wrong = rows().into_iter().filter_map(|row| {
        let mut told = Vec::new();
        let outcome = Program::with(row.program, given()).and_then(|program| {
            program.run(row.input, false, false, |line| {
                told.push(line.to_owned());
                Ok(())
            })
        });
        told.extend(outcome.err().map(|_| "!".to_owned()));
        (told != row.wanted).then(|| format!("{} of {}\n  {told:?}\n  {:?}", row.program, row.input, row.wanted))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_builtin_of_jq_has_a_row() {
    let listed = ROWS.lines().find_map(|line| line.strip_prefix("# builtins: ")).unwrap();
    let all = rows();
    let words: BTreeSet<&str> = all
        .iter()
        .flat_map(|row| row.program.split(|letter: char| !letter.is_alphanumeric() && letter != '_'))
        .collect();
    let missing: Vec<&str> =
        listed.split(' ').filter(|name| !words.contains(name.split('/').next().unwrap())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_guide_lists_what_is_different_from_jq_and_nothing_else() {
    let guide = include_str!("../../docs/guide/output.md");
    let table = guide.split("### Differences from jq 1.7").nth(1).unwrap().split("\n#").next().unwrap();
    let told: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .skip(1)
        .map(|line| line.split(" | ").next().unwrap())
        .collect();
    let all = rows();
    let real: BTreeSet<&str> = all.iter().map(|row| row.how).filter(|how| !matches!(*how, "=" | "1.7")).collect();
    assert_eq!(told, real);
}

#[test]
fn an_installed_jq_agrees_with_the_rows_of_its_version() {
    let Ok(version) = Command::new("jq").arg("--version").output() else { return };
    let version = String::from_utf8_lossy(&version.stdout).trim().trim_start_matches("jq-").to_owned();
    let known: &[&str] = match version.get(..3) {
        Some("1.6") => &["="],
        Some("1.7") => &["=", "1.7"],
        _ => return,
    };
    // One process: each program is named by its place, and its errors are told apart.
    let all = rows();
    let same: Vec<&Row> = all.iter().filter(|row| known.contains(&row.how) && !row.wanted.contains(&"!")).collect();
    let each = same.iter().enumerate().map(|(at, row)| {
        let program = row.program.replace("\\n ", " ");
        format!("(({} | fromjson) | [{at}, [({program}\n)]])", Value::from(row.input))
    });
    // A program that defines something, or binds, needs brackets of its own: it has those of the array.
    let source = each.collect::<Vec<_>>().join(",\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.jq");
    std::fs::write(&file, source).unwrap();
    let mut jq = Command::new("jq");
    jq.args(["-nc", "--arg", "role", "web", "--argjson", "limit", r#"{"n":2}"#, "-f"]).arg(&file);
    jq.env("PAGER", "less").env("TZ", "UTC").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = jq.spawn().unwrap();
    drop(running.stdin.take().map(|mut input| input.write_all(b"")));
    let output = running.wait_with_output().unwrap();
    let told: Vec<Value> = String::from_utf8_lossy(&output.stdout).lines().map(valued).collect();
    let wrong = same.iter().zip(&told).filter(|(row, told)| {
        let wanted: Vec<Value> = row.wanted.iter().map(|line| valued(line)).collect();
        told[1] != Value::from(wanted)
    });
    let wrong: Vec<String> =
        wrong.map(|(row, told)| format!("{} of {}: {told} {:?}", row.program, row.input, row.wanted)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(told.len(), same.len(), "{}", String::from_utf8_lossy(&output.stderr));
}
