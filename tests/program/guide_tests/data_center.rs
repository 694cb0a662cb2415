//! The programs of docs/guide/library.md that ask a data center: as they stand there, with the address of the emulator.

use sdc::emulator::{Emulator, Options, Pace};

#[test]
fn the_programs_of_the_library_page_run() {
    crate::common::on_a_large_stack(run);
}

async fn run() {
    let options = Options { admin: true, pace: Pace::Times(200.0), ..Options::default() };
    let cloud = Emulator::start(options).await.unwrap();
    program(cloud.sapi().unwrap()).await.unwrap();
    cloud.stop().await.unwrap();
}

async fn program(sapi: &str) -> sdc::Result<()> {
    // The first one:
    use sdc::admin::{DataCenter, Spec, WaitOptions};

    let dc = DataCenter::discover(sapi).await?;
    let vm = dc
        .create_smart_machine(Spec {
            owner: "acme".to_owned(),
            networks: vec!["private".to_owned()],
            package: Some("g1-nano".to_owned()),
            image: Some("base-64".to_owned()),
            alias: Some("job0".to_owned()),
            ..Spec::default()
        })
        .await?;
    // The second one:
    let opts = WaitOptions::default();
    vm.wait_until("running", opts).await?;
    vm.stop().await?;
    vm.wait_until("stopped", opts).await?;
    assert!(vm.is_stopped().await?);
    vm.delete().await?;
    // That is all of them.
    vm.wait_until("destroyed", opts).await?;
    assert_eq!(vm.status().await?, "destroyed");
    Ok(())
}

#[test]
fn they_are_what_the_page_shows() {
    let page = include_str!("../../../docs/guide/library.md");
    let (_, here) = include_str!("data_center.rs").split_once("// The first one:\n").unwrap();
    let (first, rest) = here.split_once("    // The second one:\n").unwrap();
    let (second, _) = rest.split_once("    // That is all of them.\n").unwrap();
    for program in [first, second] {
        let lines = program.lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
        let text = lines.collect::<Vec<_>>().join("\n").replace("discover(sapi)", "discover(\"10.0.0.26\")");
        assert!(page.contains(&format!("```rust\n{text}\n```")), "docs/guide/library.md does not show\n{text}");
    }
}
