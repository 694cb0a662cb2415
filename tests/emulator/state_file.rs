//! What outlasts an emulator, and what must not.

use sdc::emulator::{Emulator, Options, Pace, Seed};

use super::ssh_keygen_interop::{get, options, post, signed, stepped};

#[tokio::test]
async fn the_state_survives_a_restart_with_work_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    let web1 = "/acme/machines/3c1f8a52-7d0e-4b6a-9c1d-5e2f8a7b4c6d";
    signed(&emulator, "POST", &format!("{web1}?action=stop"), &[], "").await;
    post(&emulator, &format!("{web1}/tags"), &serde_json::json!({ "kept": 1.5 })).await;
    // Written with the change, not only at the end.
    assert!(std::fs::read_to_string(&file).unwrap().contains("stopping"));
    emulator.stop().await.unwrap();

    let emulator = Emulator::start(Options { seed: Seed::Empty, ..kept() }).await.unwrap();
    emulator.clock().advance(std::time::Duration::from_secs(10));
    let machine = get(&emulator, web1).await.json();
    assert_eq!((machine["state"].as_str(), machine["tags"]["kept"].as_f64()), (Some("stopped"), Some(1.5)));
    let keys = get(&emulator, "/acme/keys").await.json();
    assert_eq!(keys.as_array().unwrap().len(), 1, "the earlier run's key is gone");
    emulator.stop().await.unwrap();
    let mut names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".state.json.lock", "state.json"], "nothing else is left beside it");
}

#[tokio::test]
async fn a_state_file_is_of_one_emulator_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { state_file: Some(file.clone()), ..options() };
    let first = Emulator::start(kept()).await.unwrap();
    post(&first, "/acme/keys", &serde_json::json!({ "name": "x", "key": super::ssh_keygen_interop::new_key("x") }))
        .await;
    let error = Emulator::start(kept()).await.unwrap_err();
    assert_eq!(error.kind(), sdc::error::Kind::Usage);
    assert!(error.message().ends_with("state.json is in use"), "{error}");
    // By another name it is the same file.
    #[cfg(unix)]
    {
        let link = dir.path().join("link.json");
        std::os::unix::fs::symlink("state.json", &link).unwrap();
        let error = Emulator::start(Options { state_file: Some(link.clone()), ..options() }).await.unwrap_err();
        assert!(error.message().ends_with("link.json is in use"), "{error}");
        first.stop().await.unwrap();
        let by_link = Emulator::start(Options { state_file: Some(link.clone()), ..options() }).await.unwrap();
        post(
            &by_link,
            "/acme/keys",
            &serde_json::json!({ "name": "y", "key": super::ssh_keygen_interop::new_key("y") }),
        )
        .await;
        by_link.stop().await.unwrap();
        assert!(link.is_symlink());
    }
    let after = Emulator::start(kept()).await.unwrap();
    let keys = get(&after, "/acme/keys").await.json();
    assert_eq!(keys.as_array().unwrap().len(), 3, "{keys}");
}

#[tokio::test]
async fn the_time_of_the_machines_does_not_go_back_at_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { pace: Pace::Stepped, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(kept()).await.unwrap();
    emulator.clock().advance(std::time::Duration::from_secs(86_400));
    let before = emulator.clock().now();
    emulator.stop().await.unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    assert_eq!(emulator.clock().now(), before);
    assert!(emulator.clock().wall() < before, "the time of day is the real one");
}

#[tokio::test]
async fn after_a_restart_it_names_the_port_that_it_listens_on_now() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { state_file: Some(file.clone()), ..options() };
    let first = Emulator::start(kept()).await.unwrap();
    let old = first.url().to_owned();
    first.stop().await.unwrap();
    // Whoever has it now, the port is another one.
    let _taken = std::net::TcpListener::bind(old.trim_start_matches("http://"));
    let second = Emulator::start(kept()).await.unwrap();
    assert!(!std::fs::read_to_string(&file).unwrap().contains(&old), "the port is not kept");
    let own = |list: serde_json::Value, name: &str| list[name].as_str().map(str::to_owned);
    let url = Some(second.url().to_owned());
    assert_eq!(own(get(&second, "/acme/datacenters").await.json(), "local-1"), url);
    assert_eq!(get(&second, "/acme/datacenters/local-1").await.header("location"), url);
    assert_eq!(own(get(&second, "/acme/services").await.json(), "cloudapi"), url);
    second.stop().await.unwrap();

    // A file of an earlier version has it.
    let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    state["datacenters"]["local-1"] = old.as_str().into();
    state["services"]["cloudapi"] = old.as_str().into();
    std::fs::write(&file, state.to_string()).unwrap();
    let third = Emulator::start(kept()).await.unwrap();
    let url = Some(third.url().to_owned());
    assert_eq!(own(get(&third, "/acme/datacenters").await.json(), "local-1"), url);
    assert_eq!(own(get(&third, "/acme/services").await.json(), "cloudapi"), url);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_written_is_for_its_owner_only_and_goes_away() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let https = Some("127.0.0.1:0".parse().unwrap());
    let chosen = Options { https, agent: true, state_file: Some(file.clone()), ..options() };
    let emulator = Emulator::start(chosen).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(emulator.key_file()), 0o600);
    assert_eq!(mode(&file), 0o600);
    let home = emulator.key_file().parent().unwrap().to_owned();
    assert_eq!(mode(&home), 0o700);
    assert!(emulator.ca_file().is_some() && emulator.agent_socket().is_some_and(std::path::Path::exists));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("PRIVATE KEY"));
    assert!(!format!("{emulator:?}").contains("PRIVATE KEY"));
    emulator.stop().await.unwrap();
    assert!(!home.exists());
}

#[tokio::test]
async fn its_folder_is_made_where_the_options_say() {
    let folder = tempfile::tempdir().unwrap();
    let temp_dir = Some(folder.path().to_owned());
    let emulator = Emulator::start(Options { temp_dir, ..options() }).await.unwrap();
    assert_eq!(emulator.key_file().parent().and_then(std::path::Path::parent), Some(folder.path()));
    emulator.stop().await.unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let nowhere = Some(folder.path().join("nowhere"));
    let error = Emulator::start(Options { temp_dir: nowhere, ..options() }).await.unwrap_err();
    assert!(error.message().contains("nowhere"), "{error}");
}

#[tokio::test]
async fn a_file_that_holds_no_state_is_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("notes.txt");
    std::fs::write(&file, "my notes").unwrap();
    let chosen = Options { state_file: Some(file.clone()), ..options() };
    let error = Emulator::start(chosen).await.unwrap_err();
    assert!(error.message().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "my notes");
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = stepped().await;
    let listen = first.url().strip_prefix("http://").unwrap().parse().unwrap();
    let error = Emulator::start(Options { listen, ..options() }).await.unwrap_err();
    assert!(error.message().contains(&listen.to_string()), "{error}");
}

#[tokio::test]
async fn an_empty_cloud_has_no_machine_but_what_it_takes_to_make_one() {
    let emulator = Emulator::start(Options { seed: Seed::Empty, ..options() }).await.unwrap();
    for (path, empty) in
        [("machines", true), ("images", false), ("packages", false), ("networks", false), ("keys", false)]
    {
        let rows = get(&emulator, &format!("/acme/{path}")).await.json();
        assert_eq!(rows.as_array().unwrap().is_empty(), empty, "{path}");
    }
}

#[test]
fn every_route_is_named_once_and_its_paths_are_the_accounts() {
    let mut names = std::collections::HashSet::new();
    for route in sdc::emulator::routes() {
        assert!(names.insert(route.name), "{} is there twice", route.name);
        assert!(route.path == "/--ping" || route.path.starts_with("/:login"), "{}", route.path);
        assert!(!route.group.is_empty());
    }
}

#[tokio::test]
async fn a_disabled_account_is_known_but_not_let_in() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let kept = || Options { state_file: Some(file.clone()), ..options() };
    Emulator::start(kept()).await.unwrap().stop().await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"disabled\":false", "\"disabled\":true", 1);
    std::fs::write(&file, text).unwrap();
    let emulator = Emulator::start(kept()).await.unwrap();
    let got = get(&emulator, "/acme").await;
    assert_eq!((got.status, got.code().as_str()), (403, "NotAuthorized"));
    assert_eq!(got.message(), "Account or user is disabled");
}
