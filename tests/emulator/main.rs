//! The emulator against the notes on how the real server answers: raw requests over a socket, signed
//! here with the keys' own crates, so that neither our client nor the emulator judges itself.

#![cfg(feature = "emulator")]

mod account;
mod answers;
mod auth;
mod create;
mod differences;
mod disks;
mod faults;
mod firewall;
mod images;
mod kept;
mod limits;
mod machines;
mod migrations;
mod networks;
mod nics;
mod peer;
#[cfg(all(unix, feature = "cli"))]
mod program;
mod quirks;
mod rbac;
mod roles;
mod snapshots;
mod users;
mod volumes;
mod wire;
