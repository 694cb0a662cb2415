//! Any text as a rule or a value with parts. What is taken prints as something that is read the same again; what
//! is refused has a fault within the text, and a caret below it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sdc::Error;
use sdc::grammar::filter::{Condition, Typed};
use sdc::grammar::{affinity, caret_is_within, disk, fwrule, mebibytes, mount, net, nic, policy, tag};
use serde_json::Value;

/// The places of faults are checked where they are made; here it is seen that a caret is below the text.
fn fault(error: &Error) {
    assert!(!error.message().is_empty());
    if let Some(hint) = error.hints().first().map(sdc::error::Hint::as_str)
        && hint.split_once('\n').is_some_and(|(_, mark)| mark.trim_start().starts_with('^'))
    {
        assert!(caret_is_within(hint), "{hint}");
    }
}

fn or_fault<T>(read: sdc::Result<T>) -> Option<T> {
    read.inspect_err(fault).ok()
}

/// What is looked for and what is not are each other's opposite.
fn filter(text: &str) {
    let Some(typed) = or_fault(Typed::parse(text)) else { return };
    assert!(!typed.name.is_empty() && text.contains(typed.value) || typed.value.is_empty());
    for make in [Condition::text, Condition::exactly, Condition::begins] {
        use sdc::grammar::filter::Sign::{Is, IsNot};
        for value in [None, Some(typed.name), Some(typed.value)] {
            assert!(make(Is, typed.value).fits(value) != make(IsNot, typed.value).fits(value));
        }
    }
    assert!(Condition::exactly(sdc::grammar::filter::Sign::Is, typed.value).fits(Some(typed.value)));
}

fuzz_target!(|text: &str| {
    filter(text);
    if let Some(rule) = or_fault(fwrule::parse(text)) {
        assert_eq!(fwrule::parse(&rule.to_string()).expect("its own text"), rule);
        assert!(rule.from.has_machines() || rule.to.has_machines());
    }
    if let Some(rule) = or_fault(affinity::check(text)) {
        assert_eq!(rule.to_string(), text);
        let _ = rule.doubts();
    }
    if let Some(rule) = or_fault(policy::check(text)) {
        assert!(!rule.actions.is_empty());
    }
    let _ = policy::doubts(text);
    if let Some(disk) = or_fault(disk::parse(text)) {
        // The JSON that is sent is a disk too.
        assert_eq!(disk::parse(&disk.to_string()).expect("its own JSON"), disk);
        let _ = disk::check(&[disk.clone(), disk]);
    }
    if let Some(nic) = or_fault(nic::parse(text)) {
        assert!(!nic.network.is_empty());
        let body = nic.body(&nic.network);
        assert_eq!(body["ipv4_uuid"], nic.network.as_str());
    }
    if let Some(mount) = or_fault(mount::parse(text)) {
        let mode = match mount.read_only {
            None => "",
            Some(true) => ":ro",
            Some(false) => ":rw",
        };
        let printed = format!("{}:{}{mode}", mount.name, mount.mountpoint);
        // A colon in the mountpoint is only to be had after an @.
        if !mount.mountpoint.contains(':') {
            assert_eq!(mount::parse(&printed).expect("its own text"), mount);
        }
    }
    if let Some(mac) = or_fault(net::mac(text)) {
        assert_eq!(net::mac(&mac).expect("its own text"), mac);
        assert_eq!(mac.len(), 12);
    }
    if let Some(cidr) = or_fault(net::cidr(text)) {
        assert_eq!(net::cidr(&cidr.to_string()).expect("its own text"), cidr);
        assert!(cidr.contains(cidr.first()) && cidr.contains(cidr.last()));
    }
    if let Some((cidr, gateway)) = or_fault(net::route(text)) {
        assert_eq!(net::route(&format!("{cidr}={gateway}")).expect("its own text"), (cidr, gateway));
    }
    if let Some(size) = or_fault(mebibytes(text)) {
        assert_eq!(mebibytes(&size.to_string()).expect("its own text"), size);
    }
    let (name, value) = text.split_once('=').unwrap_or(("triton.cns.services", text));
    for name in [name, "triton.cns.services", "triton.cns.reverse_ptr", "triton.cmon.groups"] {
        or_fault(tag::check(name, &Value::from(value)));
        or_fault(tag::check(name, &serde_json::from_str(value).unwrap_or_default()));
    }
});
