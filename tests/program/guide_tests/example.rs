use std::time::Duration;

use sdc::api::cloudapi::machines;
use sdc::auth::{Key, PrivateKey, Signer, no_passphrase};
use sdc::emulator::{Document, Emulator, Options, Pace};
use sdc::request::Args;

const CLOUD: &str = r#"{
    "format": "sdc-emulator/1",
    "accounts": [{ "login": "jill" }],
    "machines": [{ "name": "web1" }, { "name": "web2", "state": "provisioning" }]
}"#;

async fn states(client: &sdc::Client) -> sdc::Result<Vec<String>> {
    let machines = client.call(&machines::LIST, &Args::new()).await?;
    Ok(machines.rows().filter_map(|machine| machine.text("/state")).map(Into::into).collect())
}

#[tokio::test]
async fn a_new_machine_is_running_after_two_seconds() -> sdc::Result<()> {
    let seed = Document::json(CLOUD).into();
    let emulator = Emulator::start(Options { seed, pace: Pace::Stepped, ..Options::default() }).await?;
    let key = Key::File(PrivateKey::read(emulator.key_file(), &mut no_passphrase)?);
    let client = sdc::Client::builder()
        .url(emulator.url())
        .account(emulator.account())
        .signer(Signer::new(emulator.account(), key, emulator.key_id())?)
        .build()?;

    assert_eq!(states(&client).await?, ["running", "provisioning"]);
    emulator.clock().advance(Duration::from_secs(2));
    assert_eq!(states(&client).await?, ["running", "running"]);
    emulator.stop().await
}
