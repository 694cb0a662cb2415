//! Tests of the record.

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Part {
    User,
    Role,
}

impl Kind for Part {
    fn word(self) -> &'static str {
        "part"
    }
}

fn owned(kind: Part, name: &str, id: &str) -> Owned<Part> {
    Owned { kind, id: id.to_owned(), name: name.to_owned(), needs: Vec::new() }
}

fn image(text: &str) -> Image {
    [("rules".to_owned(), text.into())].into_iter().collect()
}

fn found(id: &str, image: Image, created: Option<i64>) -> Found {
    Found { id: id.to_owned(), image, created }
}

fn read(dir: &tempfile::TempDir, owner: &str) -> Result<Record<Part>> {
    Record::read(&dir.path().join("records"), "host:8080", "a/../b", owner)
}

fn open(dir: &tempfile::TempDir) -> OpenRecord<Part> {
    read(dir, "team").unwrap().open().unwrap()
}

#[test]
fn a_record_is_kept_for_each_cloud_account_and_owner_and_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let jill = owned(Part::User, "jill", "u1");
    let mut record = open(&dir);
    assert!(record.made().is_empty());
    record.put(jill.clone()).unwrap();
    record.put(jill.clone()).unwrap();
    drop(record);
    assert_eq!(read(&dir, "team").unwrap().made(), std::slice::from_ref(&jill));
    assert!(read(&dir, "other").unwrap().made().is_empty());
    let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    open(&dir).remove(Part::User, "u1").unwrap();
    assert!(read(&dir, "team").unwrap().made().is_empty());
    std::fs::write(&file, "{").unwrap();
    assert!(read(&dir, "team").is_err());
}

#[test]
fn a_record_of_before_is_read_and_says_no_more_than_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
    std::fs::create_dir(dir.path().join("records")).unwrap();
    let text = r#"{"version":1,"host":"host:8080","account":"a/../b","owner":"team",
        "made":[{"kind":"User","id":"u1","name":"jill"}]}"#;
    std::fs::write(&file, text).unwrap();
    assert_eq!(read(&dir, "team").unwrap().made(), [owned(Part::User, "jill", "u1")]);
    drop(open(&dir));
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(!written.contains("begun") && !written.contains("needs"), "{written}");
}

#[test]
fn what_was_begun_is_owned_if_it_exists_and_forgotten_if_it_does_not_come() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = open(&dir);
    for name in ["there", "late", "never"] {
        run.begin(owned(Part::Role, name, ""), image("x")).unwrap();
    }
    run.own.last_mut().unwrap().since -= MAX_DELAY;
    run.write().unwrap();
    drop(run);
    let mut record = read(&dir, "team").unwrap();
    assert!(record.made().is_empty() && !record.is_changed());
    let settled = record.settle(|begun| (begun.name == "there").then(|| found("r1", image("x"), None)));
    let found = [owned(Part::Role, "there", "r1")];
    assert_eq!((&settled.own[..], &settled.foreign[..]), (&found[..], &[][..]));
    assert_eq!((record.made(), record.is_changed()), (&found[..], true));
    drop(record.open().unwrap());
    let record = read(&dir, "team").unwrap();
    assert_eq!(record.made(), found);
    assert_eq!(record.begun().map(|begun| begun.name.as_str()).collect::<Vec<_>>(), ["late"]);
}

#[test]
fn what_exists_otherwise_than_it_was_begun_or_before_is_somebody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let begun = now().cast_signed();
    let ops = owned(Part::Role, "ops", "");
    for (there, created, own) in [
        (image("x"), None, true),
        (image("x"), Some(begun + 5), true),
        (image("x"), Some(begun - 5), false),
        (image("y"), None, false),
        (image("y"), Some(begun + 5), false),
        (Image::new(), None, false),
    ] {
        open(&dir).begin(ops.clone(), image("x")).unwrap();
        let mut record = read(&dir, "team").unwrap();
        let settled = record.settle(|_| Some(found("r1", there.clone(), created)));
        let one = vec![owned(Part::Role, "ops", "r1")];
        let (mine, foreign) = if own { (one, Vec::new()) } else { (Vec::new(), one) };
        assert_eq!(record.made(), mine, "{there:?} {created:?}");
        assert_eq!(settled, Settled { own: mine, foreign }, "{there:?} {created:?}");
        // Either way it is begun no longer.
        assert!(record.begun().next().is_none() && record.is_changed());
    }
}

#[test]
fn what_a_former_version_has_begun_is_unknown_and_each_resource_is_begun_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
    std::fs::create_dir(dir.path().join("records")).unwrap();
    let one = format!(r#"{{"kind":"Role","id":"","name":"ops","since":{}}}"#, now());
    let head = r#"{"version":1,"host":"host:8080","account":"a/../b","owner":"team","made":[],"begun""#;
    std::fs::write(&file, format!("{head}:[{one},{one}]}}")).unwrap();
    let mut record = read(&dir, "team").unwrap();
    let settled = record.settle(|_| Some(found("r1", Image::new(), None)));
    assert_eq!(settled, Settled { own: Vec::new(), foreign: vec![owned(Part::Role, "ops", "r1")] });
    for _ in 0..3 {
        open(&dir).begin(owned(Part::Role, "ops", ""), image("x")).unwrap();
        open(&dir).begin(owned(Part::User, "ops", "u1"), image("x")).unwrap();
        open(&dir).begin(owned(Part::User, "ops", "u2"), image("x")).unwrap();
    }
    assert_eq!(read(&dir, "team").unwrap().begun().count(), 3);
}

#[test]
fn what_is_refused_was_never_begun_but_an_earlier_run_may_have_made_it() {
    let dir = tempfile::tempdir().unwrap();
    let (ops, dev) = (owned(Part::Role, "ops", ""), owned(Part::Role, "dev", ""));
    open(&dir).begin(ops.clone(), image("x")).unwrap();
    let mut run = open(&dir);
    for role in [&ops, &dev] {
        run.begin(role.clone(), image("y")).unwrap();
        run.refused(role).unwrap();
    }
    drop(run);
    let mut record = read(&dir, "team").unwrap();
    assert_eq!(record.begun().collect::<Vec<_>>(), [&ops]);
    assert_eq!(record.settle(|_| Some(found("r1", image("x"), None))).own.len(), 1);
    // Once it is made, nothing is open any longer.
    let mut run = open(&dir);
    run.begin(ops, image("x")).unwrap();
    run.put(owned(Part::Role, "ops", "r1")).unwrap();
    drop(run);
    let record = read(&dir, "team").unwrap();
    assert!(record.begun().next().is_none() && record.made() == [owned(Part::Role, "ops", "r1")]);
}

#[test]
fn a_record_is_one_runs_at_a_time_and_what_others_have_written_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let late = read(&dir, "team").unwrap();
    let mut run = open(&dir);
    let waits = std::thread::spawn(move || late.open().map(drop));
    run.put(owned(Part::Role, "ops", "r1")).unwrap();
    drop(run);
    let error = waits.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), error::Kind::Refused, "{error}");
    assert_eq!(open(&dir).made().len(), 1);
}

#[test]
fn a_record_that_cannot_be_written_begins_no_run() {
    let dir = tempfile::tempdir().unwrap();
    let record = read(&dir, "team").unwrap();
    std::fs::write(dir.path().join("records"), "a file where the folder should be").unwrap();
    let error = record.open().unwrap_err();
    assert!(error.message().ends_with("cannot be written"), "{error}");
    assert_eq!(error.hints(), ["nothing was changed"]);
}

#[test]
fn a_record_that_is_a_folder_or_in_one_that_cannot_be_written_is_told_before_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("records/host%3A8080@a%2F..%2Fb@team.json");
    std::fs::create_dir_all(&file).unwrap();
    let error = read(&dir, "team").unwrap_err();
    assert!(error.message().ends_with("cannot be read"), "{error}");
    // A lock that cannot be taken.
    let record = read(&dir, "other").unwrap();
    std::fs::create_dir(dir.path().join("records/.host%3A8080@a%2F..%2Fb@other.json.lock")).unwrap();
    let error = record.open().unwrap_err();
    assert_eq!(error.hints(), ["nothing was changed"], "{error}");
}

#[test]
fn what_is_found_late_or_on_another_owners_record_is_somebody_elses() {
    let resource = owned(Part::Role, "ops", "");
    let begun = Begun { resource, since: 1_000_000, image: Some(image("x")) };
    let made = |created: Option<i64>, now: u64| begun.has_made(&found("r1", image("x"), created), now);
    // At once, and as late as its request may have been carried out.
    assert!(made(None, 1_000_001) && made(Some(1_000_000), 9_000_000) && made(Some(1_000_300), 1_000_001));
    assert!(!made(None, 1_000_000 + MAX_DELAY + 1));
    for created in [999_999, 1_000_000 + i64::try_from(MAX_DELAY).unwrap() + 1] {
        assert!(!made(Some(created), 1_000_001), "{created}");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut other = read(&dir, "other").unwrap().open().unwrap();
    other.put(owned(Part::Role, "ops", "r1")).unwrap();
    drop(other);
    assert!(read(&dir, "team").unwrap().others().contains("r1"));
    assert!(!read(&dir, "other").unwrap().others().contains("r1"));
}
