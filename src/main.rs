//! The program `sdc`.
fn main() {}
