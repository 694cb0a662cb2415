//! Any text as a template, as an environment, and as the state of a stack.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use sdc::stack::plan;
use sdc::stack::state::State;
use sdc::stack::template::environment::Environment;
use sdc::stack::template::fault::{self, Faults};
use sdc::stack::template::parameter::{Given, Pseudo};
use sdc::stack::template::Template;

fuzz_target!(|bytes: &[u8]| {
    let state = State::parse(bytes).ok();
    if let Some(state) = &state {
        let again = State::parse(state.to_json().expect("its own text").as_bytes()).expect("its own text");
        assert_eq!(again, *state);
    }
    let (faults, mut environment) = (Faults::default(), Environment::default());
    environment.add(bytes, &Faults::default());
    if let Some(template) = Template::read(bytes, &faults) {
        let values = template.bind(&Given::default(), &Pseudo::default(), true, &faults);
        let files = BTreeMap::new();
        let plan = plan::plan(&template, &environment, &values, &files, None, &faults);
        // Nothing is planned of what is wrong.
        assert!(faults.is_empty() || plan.steps.is_empty());
        for step in &plan.steps {
            assert!(template.resource(&step.name).is_some());
        }
    }
    for found in faults.faults().iter().chain(&faults.lints()) {
        assert!(!found.to_string().contains(char::is_control), "{found:?}");
    }
    let _ = fault::error("template", &faults.faults());
});
