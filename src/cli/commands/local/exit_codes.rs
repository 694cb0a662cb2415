//! The page `sdc help exit-codes`. Which failure has which code, `terminal::exit` says.

/// A row of the page.
pub struct Code {
    /// The code.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
    /// How one comes by it, for example.
    pub such_as: &'static str,
    /// What a script does about it.
    pub then: &'static str,
}

const fn row(code: u8, meaning: &'static str, such_as: &'static str, then: &'static str) -> Code {
    Code { code, meaning, such_as, then }
}

/// What each exit code means, in order.
pub const CODES: &[Code] = &[
    row(0, "done", "the list is printed, the request accepted; with --wait, its work has come to its end", "go on"),
    row(
        1,
        "failed otherwise",
        "the service failed inside (500), a file could not be written, a question was not answered with yes",
        "give up, and tell the operator the request id; after a create, look first whether it took effect",
    ),
    row(
        2,
        "usage: nothing was sent",
        "an unknown option; a delete without --yes and without a terminal",
        "do not retry unchanged: fix the script or the settings",
    ),
    row(
        3,
        "not found, or gone",
        "no machine has that name, or it was deleted",
        "in cleanup, treat as success; otherwise give up",
    ),
    row(
        4,
        "no usable key, refused credentials, not authorized",
        "the account does not have the key, the clock is off, no role allows it",
        "give up: sdc auth doctor tells which",
    ),
    row(
        5,
        "the service refused the request: conflict, invalid, quota",
        "the name is taken, deletion protection is on, a limit of the account is reached",
        "give up, or change what is asked for",
    ),
    row(
        6,
        "could not reach the service, or it did not answer",
        "no such host, no answer within --request-timeout, half an answer, a login page instead of one",
        "again after a pause; after a create or an action, look first whether it took effect",
    ),
    row(
        7,
        "throttled or unavailable after all retries",
        "429 or 503 again and again",
        "again in some minutes, with fewer at once; after 502, 503 or 504 to a create or an action, look first",
    ),
    row(
        8,
        "it ended in a failed state",
        "--wait, and the machine failed or the job did",
        "give this one up: sdc machines why MACHINE; delete it, and make another",
    ),
    row(
        9,
        "the wait ran out of time, or its end cannot be seen",
        "--wait --timeout 10m, and it is still provisioning; reboot --wait in a role without machineaudit",
        "it was requested and goes on: ask for its state, or wait longer",
    ),
    row(10, "ambiguous name", "two things have that name, or begin with that id", "use the id"),
    row(130, "interrupted", "Ctrl-C", "stop too; what was sent goes on"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terminal::exit::code;
    use crate::error::Kind;

    #[test]
    fn the_page_has_the_code_of_every_kind_and_no_other() {
        let mut known: Vec<u8> = [
            Kind::Other,
            Kind::Usage,
            Kind::NotFound,
            Kind::Auth,
            Kind::Refused,
            Kind::Unreachable,
            Kind::Throttled,
            Kind::FailedState,
            Kind::TimedOut,
            Kind::Ambiguous,
            Kind::Interrupted,
            Kind::ClosedPipe,
        ]
        .map(|kind| code(kind).0)
        .to_vec();
        known.sort_unstable();
        assert_eq!(CODES.iter().map(|row| row.code).collect::<Vec<_>>(), known);
    }
}
