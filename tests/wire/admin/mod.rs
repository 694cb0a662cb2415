//! The client of the internal services against scripts of answers, which are typed in from the description of these
//! services.
#![cfg(feature = "cli")]

mod addresses;
mod attempts;
mod create;
mod discovery;
mod flows;
mod held_up;
mod jobs;
mod library;
mod lost;
mod names;
mod notes;
mod odd;
mod passing;
mod replacing;
mod run;
mod script;
mod smart_network;
mod strangers;
mod table;
mod taken;
mod undone;
mod vms;
mod why;

/// Ids as the description of the services has them.
pub const A: &str = "5d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f";
pub const B: &str = "6d6b5e0e-2f0f-4a0c-9d0a-3b4f5c6d7e8f";
pub const CN: &str = "7c1d2e3f-4a5b-4c6d-8e7f-90a1b2c3d4e5";
pub const V: &str = "0a9b8c7d-6e5f-4a3b-92c1-d0e1f2a3b4c5";
pub const W: &str = "1a9b8c7d-6e5f-4a3b-92c1-d0e1f2a3b4c5";
pub const J: &str = "c7d6e5f4-0312-4a5b-8c9d-7e6f5a4b3c2d";
pub const K: &str = "d7d6e5f4-0312-4a5b-8c9d-7e6f5a4b3c2d";

/// A script with the ids in their places: `$V` for the VM.
pub fn filled(text: &str) -> String {
    [("$A", A), ("$B", B), ("$CN", CN), ("$V", V), ("$W", W), ("$J", J), ("$K", K)]
        .into_iter()
        .fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
}
