//! How CloudAPI says what the data center cannot do.

use crate::emulator::datacenter::denied::Denied;
use crate::emulator::http::reply::Refusal;

/// CloudAPI's refusal. Each service has words of its own for the same, so none of them stands for all.
pub(crate) fn refusal(denied: Denied) -> Refusal {
    match denied {
        Denied::Argument(words) => Refusal::invalid(words),
        Denied::NoServer => {
            let words = "No compute resources available: no server satisfies the affinity rules";
            Refusal::validation("server_uuid", "InsufficientCapacity", words)
        }
        Denied::SubnetFull => Refusal::new(507, "SubnetFull", "No more free IPs"),
        Denied::PoolFull => Refusal::new(507, "SubnetsExhausted", "No more free IPs in the networks of the pool"),
        Denied::AddressUsed => {
            Refusal::new(422, "InvalidParameters", "Invalid parameters").field("ip", "UsedBy", "ip is already in use")
        }
    }
}
