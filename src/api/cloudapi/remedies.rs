//! What to do about CloudAPI's refusals that say too little of it. Data only.

use crate::api::Remedy;

/// By code, or by message where the code is one of many meanings.
pub static REMEDIES: &[Remedy] = &[
    Remedy::new(
        "A previous migration exists for this instance, use migration finalize to complete it.",
        "to complete it, which removes what is left on the old server",
    )
    .run("machines migrate finalize MACHINE"),
    Remedy::new("An active migration already exists for this instance", "to see how far it is")
        .run("machines migrate get MACHINE")
        .then("; abort in the place of get gives it up"),
    Remedy::new("Abort cannot work on a successful migration", "once it has switched it can only be finalized")
        .run("machines migrate finalize MACHINE"),
    Remedy::new("Finalize only works on a successful migration", "it has not switched yet")
        .run("machines migrate get MACHINE"),
    Remedy::new("You must perform at least one \"migration sync\" operation before switching", "first")
        .run("machines migrate sync MACHINE --wait"),
    Remedy::new("is not reachable from the machine's networks", "the machine must be on a network of the volume's")
        .run("volumes list -o name,networks")
        .then("; then --network NETWORK"),
    Remedy::new("CannotDestroyMachine", "to allow it").run("machines deletion-protection disable MACHINE"),
    Remedy::new("DefaultFabricNetworkNotConfigured", "name a network, or set one for all")
        .run("config set default_network=NETWORK"),
    Remedy::new("ImageHasDependentImages", "images that were made from machines of it are still there")
        .run("images list -o name,origin"),
    Remedy::new("insufficientPasswordQuality", "a password needs a letter and a digit"),
    Remedy::new("KeyRequired", "the account has no SSH key, so nobody could log in").run("keys add FILE"),
    Remedy::new("NotImageOwner", "only the image's owner may")
        .run("images clone")
        .then(" makes a shared image your own"),
    Remedy::new("may not be deleted", "the tags of Docker stay; others go by their names")
        .run("machines tags delete MACHINE TAG"),
    Remedy::new("passwordInHistory", "the last four passwords are refused"),
    Remedy::new("passwordTooShort", "a password needs at least 7 characters, a letter and a digit among them"),
    Remedy::new("requires a password", "a file with it: --password-file, of Windows --admin-password-file"),
    Remedy::new("SubnetFull", "the network has no address left").run("networks ips list NETWORK"),
    Remedy::new("UnallocatedVM", "the machine is still being provisioned; what deletes it waits for that with --wait")
        .run("machines get MACHINE"),
    Remedy::new(
        "VM has not been allocated to a server yet",
        "--wait waits until it is old enough to be deleted, and until it is gone",
    ),
    Remedy::new("VM must be stopped", "the machine must be stopped").run("machines stop MACHINE --wait"),
    Remedy::new("VmNotRunning", "the machine must be running").run("machines start MACHINE --wait"),
    Remedy::new("VmNotStopped", "the machine must be stopped").run("machines stop MACHINE --wait"),
    Remedy::new("VolumeInUse", "the machines that use it").run("volumes get VOLUME --jq .refs"),
    Remedy::new("VolumeSizeNotAvailable", "the sizes there are").run("volumes sizes"),
];
