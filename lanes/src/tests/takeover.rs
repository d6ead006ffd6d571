//! Partitions that change hands while answers are still on their way: the next owner finds
//! each answer on its topic, or it never comes.

use client::GroupOptions;

use super::hostile::behind;
use super::*;
use crate::DesiredState;

/// So long each answer of a [`slow`](World::slow) worker waits before it leaves.
const LINGER: Duration = Duration::from_secs(10);
const SWIPES: u32 = 40;

impl World {
    /// A worker that has answered all swipes, with all answers still on their way.
    fn slow(&self, member: GroupOptions) -> Worker {
        self.swipes(0, SWIPES);
        let mut config = self.config();
        let linger_ms = LINGER.as_millis().to_string();
        config.settings = config.settings.with_client_id("slow").with_property("linger.ms", linger_ms);
        config.member = member;
        let slow = Self::worker_of(config, || Box::new(Toy::default()));
        wait_until("all to be answered", || slow.control.stats().answers == u64::from(SWIPES));
        assert_eq!(self.count(Topic::FraudDecisions), 0, "the answers were to be on their way still");
        slow
    }

    /// Nothing is committed before everything is acknowledged, so nothing comes after that.
    fn wait_until_committed(&self) {
        let ends = self.ends();
        wait_until("all to be committed", || behind(self, &ends) == 0);
    }
}

#[test]
fn a_broker_that_is_away_for_longer_than_a_session_gets_each_answer_once() {
    let world = World::new();
    if !world.cluster.is_ours() {
        return;
    }
    let session_timeout = Duration::from_secs(2);
    let slow = world.slow(GroupOptions { session_timeout, ..GroupOptions::default() });
    let cluster = world.cluster.restarted(|| {
        Control::new().wait_while(DesiredState::Run, session_timeout * 3 / 2);
    });
    let world = World { cluster, ..world };
    world.wait_until_committed();
    let stats = slow.stop().unwrap();
    assert_eq!(stats.records, u64::from(2 * SWIPES), "the partitions were to be lost: {stats}");
    world.check(SWIPES);
}

#[test]
fn answers_that_a_hand_over_cannot_wait_for_do_not_come_after_it() {
    let world = World::new();
    let slow = world.slow(GroupOptions::default());
    let second = world.worker("second");
    world.wait_until_committed();
    let records = [slow, second].map(|worker| worker.stop().unwrap().records);
    assert_eq!(records.iter().sum::<u64>(), u64::from(2 * SWIPES), "{records:?}");
    assert!(records[1] > 0, "the second was to take over from the first: {records:?}");
    world.check(SWIPES);
}
