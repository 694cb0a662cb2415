//! What requests and replies are, whatever service they are of. It knows no service, no data center and no socket.

pub(crate) mod js;
pub(crate) mod params;
pub(crate) mod reply;
