//! SmartDataCenter / Triton clouds from Rust: CloudAPI requests signed with an SSH key.
//!
//! Every operation is a value of the table in [`api`]; a [`Client`] calls any of them. Answers keep the
//! server's own text: numbers, escapes and the order of keys are never changed.
//!
//! ```
//! # #[cfg(feature = "emulator")]
//! # fn main() -> sdc::Result<()> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use sdc::api::cloudapi::machines;
//! use sdc::auth::{PrivateKey, Key, Signer, no_passphrase};
//! use sdc::request::Args;
//!
//! // A cloud to try it on; a real one has a URL, an account and a key of yours.
//! let cloud = sdc::emulator::Emulator::start(Default::default()).await?;
//!
//! let key = PrivateKey::read(cloud.key_file(), &mut no_passphrase)?;
//! let name = key.public().md5();
//! let signer = Signer::new(cloud.account(), Key::File(key), &name)?;
//! let client = sdc::Client::builder().url(cloud.url()).account(cloud.account()).signer(signer).build()?;
//!
//! let running = client.call(&machines::LIST, &Args::new().set("state", "running")).await?;
//! for machine in running.rows() {
//!     println!("{:?} {:?}", machine.text("/name"), machine.text("/primaryIp"));
//! }
//! assert_eq!(running.rows().count(), 5);
//!
//! // Errors say what happened, and what the service said.
//! let missing = Args::new().set("machine", "11111111-2222-4333-8444-555555555555");
//! let error = client.call(&machines::GET, &missing).await.unwrap_err();
//! assert_eq!(error.kind(), sdc::error::Kind::NotFound);
//! assert_eq!(error.fault().map(|fault| fault.code.as_str()), Some("ResourceNotFound"));
//! # cloud.stop().await
//! # })
//! # }
//! # #[cfg(not(feature = "emulator"))]
//! # fn main() {}
//! ```
//!
//! [`Client::from_env`] finds URL, account and key as the program does: profiles, `SDC_*` and `TRITON_*`, agent and
//! `~/.ssh`. Features: `cli` (the program) and `emulator`, both default; the library alone needs neither. `sockets`,
//! which is part of `cli`, has the changefeed and the display of a machine.
#![cfg_attr(test, allow(clippy::too_many_lines, reason = "tables of samples are long"))]

pub mod admin;
pub mod answer;
pub mod api;
pub mod auth;
pub mod client;
pub mod config;
pub mod connect;
mod der;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod error;
mod file;
pub mod grammar;
pub mod models;
#[cfg(feature = "cli")]
pub mod render;
pub mod request;
pub mod response;
mod sensitive;
#[cfg(all(test, feature = "emulator"))]
mod service_tests;
pub mod stack;
pub mod tasks;
mod thread;
mod transport;

#[cfg(feature = "cli")]
pub mod cli;

pub use answer::Answer;
pub use client::Client;
pub use config::Config;
pub use error::{Error, Result};
pub use transport::Settings;
#[cfg(fuzzing)]
pub use transport::fuzzing;
