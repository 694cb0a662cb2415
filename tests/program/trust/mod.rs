//! Whom the program trusts, and through whom it goes: certificates of every form, wrong keys, old servers, proxies.
//! Certificates are made by openssl on the spot; servers are rustls's, openssl's, and the emulator.
#![cfg(all(unix, feature = "cli", feature = "emulator"))]

mod certificates;
mod files;
mod hints;
mod proxies;
mod servers;
