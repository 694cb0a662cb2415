//! The emulator against the notes on how the real server answers: raw requests over a socket, signed
//! here with the keys' own crates, so that neither our client nor the emulator judges itself.

#![cfg(feature = "emulator")]

mod account;
mod admin;
mod answers;
mod api_quirks;
mod auth;
mod create;
mod differences;
mod disks;
mod faults;
mod firewall;
mod images;
mod limits;
mod machines;
mod migrations;
mod networks;
mod nics;
#[cfg(all(unix, feature = "cli"))]
mod program;
mod rbac;
mod roles;
mod seed;
mod snapshots;
mod ssh_keygen_interop;
mod state_file;
mod users;
mod volumes;
mod wire;
