//! An example of each noun, for its page of the reference: transcripts in docs/examples, which a test runs.

/// By the command's name.
const EXAMPLES: &[(&str, &str)] = &[
    ("accesskeys", include_str!("../../../../docs/examples/accesskeys.md")),
    ("account", include_str!("../../../../docs/examples/account.md")),
    ("admin", include_str!("../../../../docs/examples/admin.md")),
    ("api", include_str!("../../../../docs/examples/api.md")),
    ("auth", include_str!("../../../../docs/examples/auth.md")),
    ("changefeed", include_str!("../../../../docs/examples/changefeed.md")),
    ("completion", include_str!("../../../../docs/examples/completion.md")),
    ("config", include_str!("../../../../docs/examples/config.md")),
    ("datacenters", include_str!("../../../../docs/examples/datacenters.md")),
    ("emulator", include_str!("../../../../docs/examples/emulator.md")),
    ("env", include_str!("../../../../docs/examples/env.md")),
    ("fabrics", include_str!("../../../../docs/examples/fabrics.md")),
    ("fwrules", include_str!("../../../../docs/examples/fwrules.md")),
    ("help", include_str!("../../../../docs/examples/help.md")),
    ("images", include_str!("../../../../docs/examples/images.md")),
    ("info", include_str!("../../../../docs/examples/info.md")),
    ("keys", include_str!("../../../../docs/examples/keys.md")),
    ("machines", include_str!("../../../../docs/examples/machines.md")),
    ("networks", include_str!("../../../../docs/examples/networks.md")),
    ("packages", include_str!("../../../../docs/examples/packages.md")),
    ("ping", include_str!("../../../../docs/examples/ping.md")),
    ("policies", include_str!("../../../../docs/examples/policies.md")),
    ("profile", include_str!("../../../../docs/examples/profile.md")),
    ("rbac", include_str!("../../../../docs/examples/rbac.md")),
    ("reap", include_str!("../../../../docs/examples/reap.md")),
    ("role-tags", include_str!("../../../../docs/examples/role-tags.md")),
    ("roles", include_str!("../../../../docs/examples/roles.md")),
    ("run", include_str!("../../../../docs/examples/run.md")),
    ("services", include_str!("../../../../docs/examples/services.md")),
    ("stack", include_str!("../../../../docs/examples/stack.md")),
    ("users", include_str!("../../../../docs/examples/users.md")),
    ("volumes", include_str!("../../../../docs/examples/volumes.md")),
    ("wait", include_str!("../../../../docs/examples/wait.md")),
    ("whoami", include_str!("../../../../docs/examples/whoami.md")),
];

/// The terminal that is shown for a command: the block of its file.
pub fn of(command: &str) -> Option<&'static str> {
    let (_, text) = EXAMPLES.iter().find(|(name, _)| *name == command)?;
    text.find("```console").and_then(|at| text.get(at..)).map(str::trim_end)
}
