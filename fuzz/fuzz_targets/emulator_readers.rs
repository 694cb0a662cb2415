//! Any text as what the emulator reads. It shares no code with the client, so where both read a language they must
//! agree on what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::emulator::fuzzing;
use sdc::grammar::fwrule::{self, Ports, Protocol, Rule};
use sdc::grammar::affinity;
use serde_json::json;

/// The rule in the fewest ways to write it: no priority is the lowest there is, and ranges of one port are ports.
fn plain(mut rule: Rule) -> Rule {
    rule.priority = rule.priority.filter(|priority| *priority > 0);
    if let Protocol::Tcp(ports) | Protocol::Udp(ports) = &mut rule.protocol
        && let Ports::Ranges(ranges) = ports
        && ranges.iter().all(|(low, high)| low == high)
    {
        *ports = Ports::These(ranges.iter().map(|(low, _)| *low).collect());
    }
    rule
}

fuzz_target!(|text: &str| {
    let (one, other) = (fwrule::parse(text), fuzzing::fwrule(text));
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert_eq!(fuzzing::fwrule(&other).as_ref(), Ok(&other), "the normal form is not its own");
            // What a backslash does before anything but itself and a quote is not laid down.
            if !text.contains('\\') {
                assert_eq!(plain(fwrule::parse(&other).expect("the emulator's normal form")), plain(one));
            }
        }
        (Err(_), Err(_)) => {}
        (one, other) => panic!("{text:?}: {one:?}, but {other:?}"),
    }
    let patterned = text.split_once('=').is_some_and(|(_, value)| value.contains('/'));
    if !patterned {
        assert_eq!(affinity::check(text).is_ok(), fuzzing::is_affinity(text), "{text:?}");
    }
    let _ = fuzzing::is_affinity(text);
    let (first, second) = text.split_once('\n').unwrap_or((text, "acme"));
    let _ = fuzzing::policy(text, "getmachine", "/acme/machines");
    let _ = fuzzing::policy(first, second, second);
    let _ = fuzzing::predicate(text, &json!({ "name": "web", "size": 10240 }));
    let _ = fuzzing::pattern(first, second);
    // What a whole pattern finds is found by both of its halves.
    if let (Some(true), Some(anywhere)) = (fuzzing::pattern(&format!("^({first})$"), second), fuzzing::pattern(first, second)) {
        assert!(anywhere, "{first:?} in {second:?}");
    }
    for name in ["triton.cns.services", "triton.cns.reverse_ptr", "triton.cmon.groups"] {
        let _ = fuzzing::is_tag(name, text);
    }
    let _ = fuzzing::rest(first, second);
    if let Err(words) = fuzzing::document(text) {
        assert!(!words.contains('\u{1b}'), "{words:?}");
    }
});
