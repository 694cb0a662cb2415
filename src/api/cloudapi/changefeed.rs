//! The operations that become a WebSocket. They are no commands of the table's own: what goes on in
//! an open socket is beyond a request and its answer.

use crate::api::*;

/// GetChangefeed. What is wanted is said in the socket, not in the request.
pub static CHANGEFEED: Op =
    Op::get("GetChangefeed", "changefeed", "/:login/changefeed", "Follow the changes of the account's machines");

/// ConnectMachineVNC. The service knows this route in version 8.4.0 of the API only.
pub static VNC: Op =
    Op::get("ConnectMachineVNC", "vnc", "/:login/machines/:machine/vnc", "Connect to the display of a machine");

/// What a changefeed can be asked for: the `subResources` of a machine.
pub const SUBRESOURCES: &[&str] =
    &["alias", "customer_metadata", "destroyed", "nics", "owner_uuid", "server_uuid", "state", "tags"];
