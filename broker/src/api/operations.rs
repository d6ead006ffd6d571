//! What a client may do, which is everything: there is no access control.
//!
//! Kafka answers with the set of operations that make sense for the thing, as bits at the numbers
//! of its `AclOperation`.

/// One bit for each of these numbers.
const fn all(numbers: &[u32]) -> i32 {
    let (mut bits, mut index) = (0, 0);
    while index < numbers.len() {
        bits |= 1 << numbers[index];
        index += 1;
    }
    bits
}

const READ: u32 = 3;
const WRITE: u32 = 4;
const CREATE: u32 = 5;
const DELETE: u32 = 6;
const ALTER: u32 = 7;
const DESCRIBE: u32 = 8;
const CLUSTER_ACTION: u32 = 9;
const DESCRIBE_CONFIGS: u32 = 10;
const ALTER_CONFIGS: u32 = 11;
const IDEMPOTENT_WRITE: u32 = 12;

/// To a topic.
pub(super) const TOPIC: i32 =
    all(&[READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS]);
/// To a group.
pub(super) const GROUP: i32 = all(&[READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS]);
/// To the cluster.
pub(super) const CLUSTER: i32 =
    all(&[CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE]);

/// What is answered to a client that did not ask.
const NOT_ASKED: i32 = i32::MIN;

/// The operations, for a client that asked for them.
pub(super) fn if_asked(asked: bool, operations: i32) -> i32 {
    if asked { operations } else { NOT_ASKED }
}
