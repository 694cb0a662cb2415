//! Why the data center cannot do something. Each service says it with statuses and words of its own.

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Something given for placement makes no sense; why, in the words of what places.
    Argument(String),
    /// No server satisfies the rules of placement.
    NoServer,
    /// A network has no address left.
    SubnetFull,
    /// No network of a pool has one left.
    PoolFull,
    /// The address is in use.
    AddressUsed,
}
