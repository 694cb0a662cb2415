//! Lists and notes of jobs, and the times that VMs are found by.

use serde_json::json;

use super::{WEB1, ask, errors, get, start};

#[tokio::test]
async fn a_list_takes_the_exact_time_of_a_create() {
    let emulator = start().await;
    let vm = get(&emulator, "vmapi", &format!("/vms/{WEB1}")).await.json();
    let time = humantime(vm["create_timestamp"].as_str().unwrap());
    let list = get(&emulator, "vmapi", &format!("/vms?create_timestamp={time}&uuid={WEB1}")).await.json();
    assert_eq!(list[0]["uuid"], WEB1);
    for other in [time - 1, time + 1] {
        let list = get(&emulator, "vmapi", &format!("/vms?create_timestamp={other}")).await.json();
        assert_eq!(list, json!([]));
    }
    let wrong = get(&emulator, "vmapi", "/vms?create_timestamp=today").await;
    assert_eq!((wrong.status, errors(&wrong)), (409, vec![("create_timestamp".to_owned(), "Invalid".to_owned())]));
}

/// The milliseconds since 1970 of a time in ISO 8601.
fn humantime(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // A year begins in March here, so that a leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469;
    ((days * 24 + number(11, 13)) * 60 + number(14, 16)) * 60_000 + number(17, 19) * 1000 + number(20, 23)
}

#[tokio::test]
async fn a_job_keeps_its_newest_hundred_notes() {
    let emulator = start().await;
    let got = ask(&emulator, "vmapi", "POST", &format!("/vms/{WEB1}?action=stop"), &json!({})).await.json();
    let path = format!("/jobs/{}/info", got["job_uuid"].as_str().unwrap());
    for number in 0..103 {
        assert_eq!(ask(&emulator, "workflow", "POST", &path, &json!({ "number": number })).await.status, 200);
    }
    let infos = get(&emulator, "workflow", &path).await.json();
    assert_eq!(
        (infos.as_array().unwrap().len(), &infos[0]["number"], &infos[99]["number"]),
        (100, &json!(3), &json!(102))
    );
}
