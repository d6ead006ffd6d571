//! What is printed where there is no terminal.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

use dashboard::headless::{event_json, snapshot_json, snapshot_text};
use dashboard::{Bill, LaneVerdict, Snapshot, Summary};
use dashboard_testing::Sample;
use expect_test::expect;
use serde_json::Value;

#[test]
fn a_line_of_words() {
    expect!["Tue 14:32:07  stream 18 ms behind    batch 41 min behind, next run in 19 s    cost of batch delay so far: $1,204.50 · 1,498 minutes of ETA error · 812 missed clicks · 37 wrong texts    18,335 records/s  fraud: ▲ falling behind 210/s, 420 behind = 1.8 s = 418 swipes unscored = $21,406.25  recommendations: ▼ draining, done in 3.2 s, 180 behind = 220 ms = 180 clicks without a new page    ▲ fraud is falling behind"].assert_eq(&snapshot_text(&Sample::Normal.snapshot()));
    expect!["Tue 14:32:07  stream fraud 38 s behind, others 18 ms    batch 41 min behind, next run in 19 s    cost of batch delay so far: $1,204.50 · 1,498 minutes of ETA error · 812 missed clicks · 37 wrong texts    18,335 records/s  fraud: ✖ dead, 4,200 behind = 38 s = 4,187 swipes unscored = $214,062.50  recommendations: ▼ draining, done in 3.2 s, 180 behind = 220 ms = 180 clicks without a new page    ✖ fraud-1 dead"].assert_eq(&snapshot_text(&Sample::Dead.snapshot()));
    expect!["15 topics  9 groups  farthest behind batch-eta by 348,000 records, 41 s    18,335 records/s  fraud: ▲ falling behind 210/s  recommendations: ▼ draining, done in 3.2 s    ▲ fraud is falling behind"].assert_eq(&snapshot_text(&Sample::Foreign.snapshot()));
    expect!["stream no answer yet    batch no run yet    cost of batch delay so far: no case yet    – records/s    ○ connecting"]
        .assert_eq(&snapshot_text(&Sample::Empty.snapshot()));
}

/// A line whose verdict names no lane; 71 frauds are too few.
fn too_few() -> LaneVerdict {
    LaneVerdict::TooFew { evidence: 71, of: "frauds".into(), needed: Some(400) }
}

/// Where the cases are too few to tell, the sum is marked as uncertain; where the difference is
/// within the margin, no sum is named.
#[test]
fn where_no_lane_did_better_the_lesson_names_no_cost() {
    let mut snapshot = Sample::Normal.snapshot();
    let cost = |snapshot: &Snapshot| snapshot_text(snapshot).split("    ").nth(2).unwrap().to_owned();
    let bill = |snapshot: &mut Snapshot, verdict: &LaneVerdict| {
        for item in &mut snapshot.lanes.data.bill.items {
            item.verdict = Some(verdict.clone());
        }
    };
    let money = snapshot.lanes.data.bill.items.iter_mut().find(|item| item.key == "money_cents");
    money.expect("the sample bills money").verdict = Some(too_few());
    assert_eq!(
        cost(&snapshot),
        "cost of batch delay so far: $1,204.50? · 1,498 minutes of ETA error · 812 missed clicks · 37 wrong texts"
    );
    bill(&mut snapshot, &LaneVerdict::AsGood { margin: 1.0 });
    assert_eq!(
        cost(&snapshot),
        "cost of batch delay so far: ≈$0 · ≈0 minutes of ETA error · ≈0 missed clicks · ≈0 wrong texts"
    );
    // Too few for an interval, too.
    bill(&mut snapshot, &LaneVerdict::TooFew { evidence: 3, of: "frauds".into(), needed: None });
    snapshot.lanes.data.bill.items.iter_mut().for_each(|item| item.interval_95 = None);
    assert_eq!(
        cost(&snapshot),
        "cost of batch delay so far: $1,204.50? · 1,498? minutes of ETA error · 812? missed clicks · 37? wrong texts"
    );
}

#[test]
fn the_summary_says_where_no_lane_did_better() {
    let mut snapshot = Sample::Normal.snapshot();
    let items = &mut snapshot.lanes.data.bill.items;
    items[2].verdict = Some(too_few());
    items[3].verdict = Some(LaneVerdict::AsGood { margin: 51.2 });
    let text = Summary::of(&snapshot, 61_200).text();
    assert!(
        text.contains(
            "1,204.50  out of 8,204 cases: no clear difference yet (71 frauds; about 400 needed)\n"
        ),
        "{text}"
    );
    assert!(text.contains("812  out of 5,120 cases: equivalent, within ±51\n"), "{text}");
}

#[test]
fn the_summary() {
    expect![[r#"
        sample bay ran for 1 min, seed 7.

                                 events      answers        p50        p99
        eta                   5,046,204    1,788,000      14 ms      61 ms
        fraud                   186,112      186,110     2.2 ms     9.4 ms
        recommendations         672,004      671,998     6.1 ms      31 ms
        notifications             2,410        2,410      18 ms      88 ms

                                             stream        batch   cost of batch delay
        ETA error, minutes                      812        2,310                 1,498  out of 418 cases
        wrong texts                               3           40                    37  out of 512 cases
        fraud loss + wrong declines, $       104.00     1,308.50              1,204.50  out of 8,204 cases
        missed clicks                         1,204        2,016                   812  out of 5,120 cases
    "#]]
    .assert_eq(&Summary::of(&Sample::Normal.snapshot(), 61_200).text());
    expect![[r#"
        freshet ran for 800 ms.
    "#]]
    .assert_eq(&Summary::of(&Sample::Empty.snapshot(), 800).text());
}

/// One line an object, never an escape code, whatever the data says.
#[test]
fn lines_stay_lines() {
    for sample in Sample::ALL {
        let snapshot = sample.snapshot();
        let summary = Summary::of(&snapshot, 1);
        let lines = [snapshot_text(&snapshot), snapshot_json(&snapshot), summary.json()];
        for line in lines.iter().chain(&snapshot.timeline.notices.iter().map(event_json).collect::<Vec<_>>())
        {
            assert!(!line.contains(|char: char| char.is_control()), "{} sample: {line:?}", sample.name());
        }
        let text = summary.text();
        assert!(
            text.chars().all(|char| char == '\n' || !char.is_control()),
            "{} sample: {text:?}",
            sample.name()
        );
    }
}

#[test]
fn json_says_what_it_is_and_can_be_read_back() {
    for sample in [Sample::Normal, Sample::Empty, Sample::Stale, Sample::Foreign] {
        let snapshot = sample.snapshot();
        let json: Value = serde_json::from_str(&snapshot_json(&snapshot)).expect("JSON");
        assert_eq!((&json["schema"], &json["type"]), (&Value::from(1), &Value::from("snapshot")));
        let back: Snapshot = serde_json::from_value(json).expect("a snapshot");
        assert_eq!(
            (&back.title, &back.workers, &back.timeline),
            (&snapshot.title, &snapshot.workers, &snapshot.timeline)
        );
        assert_eq!(back.groups.source, snapshot.groups.source);
        assert_eq!(back.groups.data.len(), snapshot.groups.data.len());
    }
    let snapshot = Sample::Normal.snapshot();
    let json = serde_json::to_string(&snapshot.lanes.data.bill).expect("JSON");
    assert_eq!(serde_json::from_str::<Bill>(&json).expect("a bill"), snapshot.lanes.data.bill);
    let summary: Value =
        serde_json::from_str(&Summary::of(&Sample::Normal.snapshot(), 5).json()).expect("JSON");
    assert_eq!((&summary["type"], &summary["ran_ms"]), (&Value::from("summary"), &Value::from(5)));
    assert_eq!(summary["bill"]["money_cents"]["batch"], Value::from(130_850.0));
}
