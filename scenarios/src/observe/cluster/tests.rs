//! The cluster as made-up polls tell it.

use super::*;

fn poll(end: i64, committed: i64, members: &[&str]) -> ClusterPoll {
    ClusterPoll {
        brokers: vec![(1, "localhost:9092".to_owned())],
        logs: vec![LogPoll { topic: "clicks".into(), end, ..LogPoll::default() }],
        groups: vec![GroupPoll {
            id: "mine".into(),
            state: GroupState::Stable,
            members: members
                .iter()
                .map(|id| MemberPoll {
                    member_id: (*id).into(),
                    client_id: format!("client {id}"),
                    host: "127.0.0.1".into(),
                    assigned: vec![("clicks".into(), 0)],
                })
                .collect(),
            committed: vec![("clicks".into(), 0, committed)],
        }],
    }
}

#[test]
fn lag_in_seconds_is_when_the_log_ended_at_the_committed_offset() {
    let mut view = ClusterView::default();
    for second in 0..10 {
        view.take(second * 1000, poll(second * 100, second * 100, &["a"]));
    }
    // The consumer stands still from here on.
    for second in 10..20 {
        view.take(second * 1000, poll(second * 100, 950, &["a"]));
    }
    let group = &view.groups(|_| false)[0];
    assert_eq!(group.lag_records, Some(950));
    assert_eq!(group.lag_ms, Some(9_500.0), "offset 950 was written half-way between 9 and 10 s");
    assert!(matches!(group.trend, Trend::FallingBehind { records_per_second: Some(rate) } if rate > 99.0));
    assert_eq!(group.partitions[0].owner.as_deref(), Some("client a"));
    assert_eq!(view.topics()[0].in_per_second, Some(100.0));
}

#[test]
fn a_lag_that_shrinks_says_when_it_is_gone() {
    let mut view = ClusterView::default();
    for second in 0..10 {
        view.take(second * 1000, poll(10_000 + second * 100, second * 600, &["a"]));
    }
    let Trend::Draining { done_in_ms: Some(left) } = view.groups(|_| true)[0].trend else {
        panic!("{:?}", view.groups(|_| true)[0].trend)
    };
    assert!((left - 11_000.0).abs() < 1.0, "5,500 records at 500 a second: {left}");
}

#[test]
fn a_group_without_members_says_so_and_a_change_of_owner_is_news() {
    let mut view = ClusterView::default();
    assert!(view.take(0, ClusterPoll::default()).is_empty());
    let mut news = |now_ms, members: &[&str]| {
        let notices = view.take(now_ms, poll(10, 10, members)).into_iter();
        notices.map(|notice| notice.text).collect::<Vec<_>>()
    };
    assert_eq!(news(250, &["a"]), ["rebalance 1: 1 member; joined client a"]);
    assert_eq!(news(500, &["a"]), [""; 0]);
    let words = "rebalance 2: 1 member; joined client b; left client a; in less than 250 ms";
    assert_eq!(news(750, &["b"]), [words]);
    assert_eq!(news(1_000, &[]), ["group is empty; left client b; in less than 250 ms"]);
    assert_eq!(view.groups(|_| false)[0].trend, Trend::NoMembers);
    assert_eq!(view.groups(|_| false)[0].lag_ms, Some(0.0));
}

#[test]
fn who_was_there_before_anyone_looked_is_not_news() {
    let mut view = ClusterView::default();
    assert_eq!(view.take(0, poll(10, 10, &["a"])), []);
    let group = &view.groups(|_| false)[0];
    assert_eq!((group.generation, group.partitions[0].owner.as_deref()), (None, Some("client a")));
}

/// Five consumers of one partition: the fifth's going moves no partition, and is news nonetheless.
#[test]
fn an_idle_member_that_leaves_is_named_with_how_long_the_rebalance_took() {
    let mut view = ClusterView::default();
    let at = |state, members: &[&str]| {
        let mut poll = poll(10, 10, members);
        poll.groups[0].state = state;
        poll.groups[0].members.iter_mut().skip(1).for_each(|member| member.assigned.clear());
        poll
    };
    view.take(0, at(GroupState::Stable, &["a", "idle"]));
    assert_eq!(view.take(250, at(GroupState::PreparingRebalance, &["a", "idle"])), []);
    assert_eq!(view.take(500, at(GroupState::CompletingRebalance, &["a"])), []);
    let notices = view.take(1_250, at(GroupState::Stable, &["a"]));
    let told = notices.iter().map(|notice| (&*notice.text, notice.duration_ms)).collect::<Vec<_>>();
    assert_eq!(told, [("rebalance 1: 1 member; left client idle", Some(1_000.0))]);
    view.take(1_500, at(GroupState::PreparingRebalance, &["a"]));
    let notices = view.take(1_750, at(GroupState::Stable, &["a"]));
    assert_eq!(notices[0].text, "rebalance 2: 1 member", "the same one, after a pause");
}

/// A closed window says nothing: its records lie there until its session has timed out.
#[test]
fn a_member_that_had_fallen_silent_has_timed_out() {
    let gone_after = |committed_until: i64| {
        let mut view = ClusterView::default();
        for second in 0..=8 {
            view.take(second * 1000, poll(second * 100, second.min(committed_until) * 100, &["a"]));
        }
        let notices = view.take(9_000, poll(900, committed_until * 100, &["b"]));
        (notices[0].text.clone(), notices[0].severity)
    };
    let words = "rebalance 1: 1 member; joined client b; timed out client a (no commit for 7 s); in less than 1000 ms";
    assert_eq!(gone_after(2), (words.to_owned(), Severity::Warning));
    let words = "rebalance 1: 1 member; joined client b; left client a; in less than 1000 ms";
    assert_eq!(gone_after(8), (words.to_owned(), Severity::Info));
}

/// Two consumers with the name of their library.
#[test]
fn members_of_one_client_id_are_told_apart() {
    let mut view = ClusterView::default();
    let mut poll = poll(10, 10, &["a", "b"]);
    poll.logs.push(LogPoll { partition: 1, ..poll.logs[0].clone() });
    poll.groups[0].committed.push(("clicks".into(), 1, 10));
    poll.groups[0].members.iter_mut().for_each(|member| member.client_id = "rdkafka".into());
    poll.groups[0].members[1].assigned = vec![("clicks".into(), 1)];
    view.take(0, poll);
    let group = &view.groups(|_| false)[0];
    let owners = group.partitions.iter().map(|at| at.owner.as_deref()).collect::<Vec<_>>();
    assert_eq!(owners, [Some("rdkafka #1"), Some("rdkafka #2")]);
    assert_eq!(group.members[1].name, "rdkafka #2");
}

/// One reader of two hangs: its partition falls behind, the other does not.
#[test]
fn each_partition_has_its_own_trend() {
    let mut view = ClusterView::default();
    for second in 0..10 {
        let mut poll = poll(second * 100, second * 100, &["a"]);
        poll.logs.push(LogPoll { partition: 1, ..poll.logs[0].clone() });
        poll.groups[0].committed.push(("clicks".into(), 1, 100));
        poll.groups[0].members[0].assigned.push(("clicks".into(), 1));
        view.take(second * 1000, poll);
    }
    let trends = view.groups(|_| true)[0].partitions.iter().map(|p| p.trend).collect::<Vec<_>>();
    assert!(matches!(trends[..], [Trend::KeepingUp, Trend::FallingBehind { .. }]), "{trends:?}");
}

/// The committed offset is reset to the beginning, and everything is read again at ten times the
/// usual pace.
#[test]
fn a_rewound_group_drains_and_does_not_keep_up() {
    let mut view = ClusterView::default();
    for quarter in 0..40 {
        view.take(quarter * 250, poll(quarter * 25, quarter * 25, &["a"]));
    }
    for quarter in 40..50 {
        let read = (quarter - 40) * 75;
        view.take(quarter * 250, poll(quarter * 25, read, &["a"]));
    }
    let trend = view.groups(|_| true)[0].trend;
    assert!(matches!(trend, Trend::Draining { done_in_ms: Some(left) } if left < 4_000.0), "{trend:?}");
}

#[test]
fn a_new_leader_is_news_with_the_time_without_one() {
    let mut view = ClusterView::default();
    let led_by = |leader| {
        let mut poll = poll(10, 10, &["a"]);
        poll.logs.push(LogPoll { partition: 1, ..poll.logs[0].clone() });
        poll.logs.iter_mut().for_each(|log| log.leader = leader);
        poll
    };
    let mut news = |now_ms, leader| {
        let notices = view.take(now_ms, led_by(leader));
        let elected = notices.into_iter().filter(|notice| notice.kind == NoticeKind::Election);
        elected.map(|n| (format!("{} {}", n.subject, n.text), n.duration_ms)).collect::<Vec<_>>()
    };
    assert_eq!(news(0, Some(1)), []);
    assert_eq!(news(250, None), []);
    let words = "broker 2 leads clicks 0 and 1 more, which broker 1 led".to_owned();
    assert_eq!(news(1_250, Some(2)), [(words, Some(1_000.0))]);
    assert_eq!(news(1_500, Some(2)), []);
}

#[test]
fn a_group_is_at_work_when_each_of_its_partitions_has_a_committed_offset() {
    let mut view = ClusterView::default();
    let mut learning = poll(0, 0, &["a"]);
    learning.groups[0].committed.clear();
    view.take(0, learning);
    assert!(!view.is_at_work("mine"), "it owns a partition, and has not begun to read it");
    view.take(250, poll(0, 0, &["a"]));
    assert!(view.is_at_work("mine"));
    view.take(500, poll(0, 0, &[]));
    assert!(!view.is_at_work("mine"), "it has no members");
    assert!(!view.is_at_work("theirs"));
}

#[test]
fn what_is_older_than_the_polls_is_a_minimum_and_not_zero() {
    let mut view = ClusterView::default();
    view.take(0, poll(1_000, 10, &["a"]));
    view.take(250, poll(1_001, 10, &["a"]));
    let group = &view.groups(|_| false)[0];
    let lag = (group.lag_records, group.lag_ms, group.lag_is_minimum);
    assert_eq!(lag, (Some(991), Some(250.0), true), "it was there at the first poll");
    assert_eq!(group.trend, Trend::Unknown, "two polls are too few to say");
}

/// The cluster lists its topics by name.
#[test]
fn the_topics_of_the_user_stand_on_top() {
    let mut view = ClusterView::default();
    let mut poll = poll(0, 0, &[]);
    let named = |topic: &str| LogPoll { topic: topic.into(), ..poll.logs[0].clone() };
    let names = ["batch_runs", "card_swipes", "dead_letters", "my_swipes", "simulation_truth", "a_class"];
    poll.logs = names.map(named).to_vec();
    view.take(0, poll);
    let shown: Vec<(String, bool)> =
        view.topics().into_iter().map(|topic| (topic.name, topic.ours)).collect();
    let shown: Vec<(&str, bool)> = shown.iter().map(|(name, ours)| (&**name, *ours)).collect();
    let (yours, ours) = shown.split_at(2);
    assert_eq!(yours, [("a_class", false), ("my_swipes", false)]);
    assert_eq!(ours.first(), Some(&("card_swipes", true)), "then what comes in");
    assert_eq!(ours.last(), Some(&("simulation_truth", true)));
}

/// Another group's job commits once a minute all that came since: as a rate that is what came, and
/// no jump.
#[test]
fn a_job_that_commits_once_a_minute_does_not_jump() {
    let mut view = ClusterView::default();
    let rate = |view: &ClusterView| {
        let topic = &view.topics()[0];
        assert_eq!(topic.out_per_second, None, "no one says what is read");
        topic.committed_per_second.unwrap_or(0.0)
    };
    let mut rates = Vec::new();
    for quarter in 0..1_000_i64 {
        let (now_ms, minute) = (quarter * 250, quarter / 240);
        view.take(now_ms, poll(now_ms * 5, minute * 300_000, &["a"]));
        rates.push(rate(&view));
    }
    assert!(rates.iter().all(|rate| *rate <= 5_001.0), "{rates:?}");
    assert!(rates[260..960].iter().all(|rate| (*rate - 5_000.0).abs() < 1.0), "{:?}", &rates[260..]);
    // It ends; two periods later its rate falls.
    view.take(600_000, poll(3_000_000, 1_200_000, &["a"]));
    assert!(rate(&view) < 2_500.0, "{}", rate(&view));
}

/// Our workers say what they read: their commits are not counted beside it.
#[test]
fn what_workers_say_that_they_read_is_the_rate_and_commits_are_those_of_others() {
    let mut view = ClusterView::default();
    let seen = |view: &ClusterView| {
        let topic = &view.topics()[0];
        (topic.out_per_second, topic.committed_per_second)
    };
    for second in 0..=10_i64 {
        let now_ms = second * 1_000;
        let mut of_both = poll(second * 100, second * 90, &["a"]);
        let ours = GroupPoll { id: "ours".into(), ..of_both.groups[0].clone() };
        of_both.groups.push(ours);
        view.take(now_ms, of_both);
        let records = second as u64 * 100;
        view.read(now_ms + 5, "ours-1", "ours", "clicks", records);
        view.read(now_ms + 5, "ours-2", "ours", "clicks", records / 2);
        view.read(now_ms + 5, "ours-2", "ours", "card_swipes", records);
    }
    assert_eq!(seen(&view), (Some(150.0), Some(90.0)), "two workers; the other group's commits");
    // One is started again, and counts from the beginning.
    view.read(11_005, "ours-2", "ours", "clicks", 50);
    view.read(11_005, "ours-1", "ours", "clicks", 1_100);
    view.read(12_005, "ours-2", "ours", "clicks", 100);
    view.read(12_005, "ours-1", "ours", "clicks", 1_200);
    view.take(12_100, poll(1_200, 990, &["a"]));
    assert_eq!(seen(&view).0, Some(150.0));
    // They stand still: they read nothing, and that is known.
    view.take(20_000, poll(1_200, 990, &["a"]));
    assert_eq!(seen(&view).0, Some(0.0));
}

/// A job reads a whole window within a second, once a minute: from its second run on its rate is
/// what came, and its commits are not counted beside it.
#[test]
fn what_a_job_says_that_it_read_is_spread_over_the_time_between_its_runs() {
    let mut view = ClusterView::default();
    let rate = |view: &ClusterView| {
        let topic = &view.topics()[0];
        topic.out_per_second.unwrap_or(0.0)
    };
    let mut rates = Vec::new();
    for quarter in 0..1_000_i64 {
        let (now_ms, minute) = (quarter * 250, quarter / 240);
        if quarter > 0 && quarter % 240 == 0 {
            view.read(now_ms, "batch-fraud", "batch-fraud", "clicks", minute as u64 * 300_000);
        }
        let mut of_job = poll(now_ms * 5, minute * 300_000, &["a"]);
        of_job.groups[0].id = "batch-fraud".into();
        view.take(now_ms, of_job);
        rates.push(rate(&view));
    }
    assert!(rates[..480].iter().all(|rate| *rate == 0.0), "one run says no rate: {:?}", &rates[..480]);
    assert!(rates[480..].iter().all(|rate| (*rate - 5_000.0).abs() < 1.0), "{:?}", &rates[480..]);
    assert_eq!(view.topics()[0].committed_per_second, None, "what it read is known");
    // It ends; two periods later its rate falls.
    view.take(600_000, ClusterPoll { groups: Vec::new(), ..poll(3_000_000, 1_200_000, &[]) });
    assert!(rate(&view) < 2_500.0, "{}", rate(&view));
}

/// A student's group may be called as one of our workers is: what it commits is counted.
#[test]
fn a_group_that_is_called_as_a_worker_of_ours_is_not_taken_for_it() {
    let mut view = ClusterView::default();
    for second in 0..=10_i64 {
        let mut of_both = poll(second * 100, second * 90, &["a"]);
        of_both.groups[0].id = "ours-2".into();
        view.take(second * 1_000, of_both);
        view.read(second * 1_000 + 5, "ours-2", "ours", "clicks", second as u64 * 100);
    }
    let topic = &view.topics()[0];
    assert_eq!((topic.out_per_second, topic.committed_per_second), (Some(100.0), Some(90.0)));
}
