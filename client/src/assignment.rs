//! Reads what a group's leader assigned to a member: the one thing that Kafka's brokers carry
//! without understanding it.
//!
//! ```text
//! version i16 | topics i32 × ( name (i16 + bytes) | partitions i32 × i32 ) | user data
//! ```
//! (`ConsumerProtocolAssignment` in Kafka's message definitions; versions 0
//! to 3 have the same form.)

use crate::TopicPartition;

/// The partitions in `bytes`, or none of them if it is not such an assignment (Kafka Connect and
/// others have their own).
pub(crate) fn decode(bytes: &[u8]) -> Vec<TopicPartition> {
    read(bytes).unwrap_or_default()
}

fn read(mut bytes: &[u8]) -> Option<Vec<TopicPartition>> {
    let _version = i16::from_be_bytes(take(&mut bytes)?);
    let topics = i32::from_be_bytes(take(&mut bytes)?);
    let mut all = Vec::new();
    for _ in 0..topics {
        let length = usize::try_from(i16::from_be_bytes(take(&mut bytes)?)).ok()?;
        let (name, rest) = bytes.split_at_checked(length)?;
        let name = std::str::from_utf8(name).ok()?;
        bytes = rest;
        let partitions = i32::from_be_bytes(take(&mut bytes)?);
        for _ in 0..partitions {
            // Nothing is reserved by a count that another program wrote: each entry is paid for by
            // the bytes it takes.
            all.push(TopicPartition::new(name, i32::from_be_bytes(take(&mut bytes)?)));
        }
    }
    Some(all)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(topics: &[(&str, &[i32])]) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend((topics.len() as i32).to_be_bytes());
        for (name, partitions) in topics {
            bytes.extend((name.len() as i16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((partitions.len() as i32).to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        bytes.extend((-1_i32).to_be_bytes());
        bytes
    }

    #[test]
    fn reads_what_a_leader_writes() {
        let read = decode(&assignment(&[("clicks", &[0, 2]), ("trips", &[1])]));
        let names: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["clicks/0", "clicks/2", "trips/1"]);
    }

    #[test]
    fn every_cut_and_every_lie_is_nothing() {
        let whole = assignment(&[("clicks", &[0, 2])]);
        for end in 0..whole.len() - 4 {
            assert_eq!(decode(&whole[..end]), [], "cut at {end}");
        }
        assert_eq!(decode(&[0, 1, 0x7f, 0xff, 0xff, 0xff]), [], "two billion topics");
        assert_eq!(decode(&assignment(&[])), []);
    }
}
