//! Signing requests with an SSH key: key files, ssh-agent, and the HTTP Signature scheme.
//! No network but the agent's socket, no environment, no prompts: what is needed is handed in.
//!
//! ```no_run
//! use sdc::auth::{Search, Signer, find, no_passphrase};
//!
//! # fn main() -> sdc::Result<()> {
//! let search = Search { ssh_dir: Some("/home/jill/.ssh".into()), ..Search::default() };
//! let found = find(&search, &mut no_passphrase)?;
//! let signer = Signer::new("jill", found.key, &found.wire_name)?;
//! let header = signer.authorization("GET", "/jill/machines", "Thu, 05 Jan 2017 21:31:40 GMT")?;
//! # Ok(())
//! # }
//! ```

pub mod agent;
mod files;
pub mod fingerprint;
pub mod http_signature;
pub mod key;
mod legacy;
mod material;
mod openssh;
mod pem;
mod pkcs;
mod public_file;
mod repair;
pub mod search;
mod secret;
pub mod select;
pub mod signer;
mod spki;
mod verify;
mod wire;

use crate::der;
pub use agent::{Agent, AgentKey};
pub use fingerprint::{KeyId, KeyKind, PublicKey};
pub use http_signature::{Algorithm, Form, RsaHash};
#[cfg(feature = "cli")]
pub(crate) use key::key_text;
pub use key::{Ask, Asked, PrivateKey, no_passphrase};
pub use search::{Place, Report, Search, Seen, look};
pub use select::{Found, find};
pub use signer::{Key, Signer};
