//! What requests and replies are, whatever service they are of. It knows no service, no data center and no socket.

pub(crate) mod head;
pub(crate) mod params;
pub(crate) mod reply;
pub(crate) mod service;
pub(crate) mod stream;
pub(crate) mod upgrade;
