//! What a voter must not forget, and the file that remembers it.
//!
//! # The `quorum-state` file (JSON, Kafka's version 1)
//!
//! ```text
//! {"leaderId":2,"leaderEpoch":7,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA",
//!  "data_version":1,"directoryId":"pYzN6q4jQ0WGdcQyzw1ZLg","newcomer":false,"founders":[]}
//! ```
//!
//! The last three fields are ours: Kafka has the directory id in `meta.properties`, and leaves it
//! to the operator to format no disk that has voted. The file is replaced at once, whole and
//! synced.

use protocol::Uuid;
use protocol::records::LeaderEpoch;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::messages::ReplicaKey;

/// The file's name, in the metadata log's directory.
pub const STATE_FILE: &str = "quorum-state";

/// The longest file that is read, in bytes: more than a thousand founders.
pub const MAX_STATE_LEN: u64 = 1 << 16;

/// No node.
const NONE: i32 = -1;

/// What a voter must not forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectionState {
    /// The highest epoch it has heard of.
    pub epoch: LeaderEpoch,
    /// Who leads in that epoch, once it is known.
    pub leader: Option<i32>,
    /// Who got its vote in that epoch.
    pub voted: Option<ReplicaKey>,
    /// Names this disk.
    pub directory: Uuid,
    /// Whether it may have forgotten something, having begun with an empty disk.
    pub newcomer: bool,
    /// Who elected the quorum's first leader, if this voter was one of them.
    pub founders: Vec<ReplicaKey>,
}

/// A `quorum-state` file that can't be believed. To go on without it could vote twice.
#[derive(Debug, Error)]
pub enum InvalidState {
    /// No JSON, or not these fields.
    #[error("{0}: remove this file, and the broker votes as one that is new")]
    Form(#[from] serde_json::Error),
    /// Another version than 1.
    #[error("version {0} is not known: it was written by another program, or a newer one")]
    Version(i16),
    /// A field has a value that is never written.
    #[error("{0} is no {1}: remove this file, and the broker votes as one that is new")]
    Value(String, &'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateFile {
    leader_id: i32,
    leader_epoch: i32,
    voted_id: i32,
    voted_directory_id: String,
    #[serde(rename = "data_version")]
    data_version: i16,
    directory_id: String,
    newcomer: bool,
    founders: Vec<Founder>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Founder {
    id: i32,
    directory_id: String,
}

/// The file's content.
pub fn encode_state(state: &ElectionState) -> Vec<u8> {
    let founder = |key: &ReplicaKey| Founder { id: key.id, directory_id: key.directory.to_string() };
    let file = StateFile {
        leader_id: state.leader.unwrap_or(NONE),
        leader_epoch: state.epoch.0,
        voted_id: state.voted.map_or(NONE, |voted| voted.id),
        voted_directory_id: state.voted.map_or(Uuid::ZERO, |voted| voted.directory).to_string(),
        data_version: 1,
        directory_id: state.directory.to_string(),
        newcomer: state.newcomer,
        founders: state.founders.iter().map(founder).collect(),
    };
    serde_json::to_vec(&file).expect("numbers and texts have a form in JSON")
}

/// Reads what [`encode_state`] wrote.
pub fn decode_state(bytes: &[u8]) -> Result<ElectionState, InvalidState> {
    let file: StateFile = serde_json::from_slice(bytes)?;
    if file.data_version != 1 {
        return Err(InvalidState::Version(file.data_version));
    }
    if file.leader_epoch < 0 {
        return Err(InvalidState::Value(file.leader_epoch.to_string(), "epoch"));
    }
    let directory =
        |text: &str| Uuid::parse(text).ok_or_else(|| InvalidState::Value(text.to_owned(), "directory id"));
    let node = |id: i32| match id {
        NONE => Ok(None),
        0.. => Ok(Some(id)),
        _ => Err(InvalidState::Value(id.to_string(), "node id")),
    };
    let voted_directory = directory(&file.voted_directory_id)?;
    let founder = |founder: &Founder| match node(founder.id)? {
        Some(id) => Ok(ReplicaKey { id, directory: directory(&founder.directory_id)? }),
        None => Err(InvalidState::Value(founder.id.to_string(), "node id")),
    };
    Ok(ElectionState {
        epoch: LeaderEpoch(file.leader_epoch),
        leader: node(file.leader_id)?,
        voted: node(file.voted_id)?.map(|id| ReplicaKey { id, directory: voted_directory }),
        directory: directory(&file.directory_id)?,
        newcomer: file.newcomer,
        founders: file.founders.iter().map(founder).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> impl Strategy<Value = ReplicaKey> {
        (0..i32::MAX, any::<[u8; 16]>()).prop_map(|(id, bytes)| ReplicaKey { id, directory: Uuid(bytes) })
    }

    fn states() -> impl Strategy<Value = ElectionState> {
        let epoch = (0..i32::MAX).prop_map(LeaderEpoch);
        let who = (proptest::option::of(0..i32::MAX), proptest::option::of(keys()), keys());
        (epoch, who, any::<bool>(), proptest::collection::vec(keys(), 0..5)).prop_map(
            |(epoch, (leader, voted, own), newcomer, founders)| {
                let directory = own.directory;
                ElectionState { epoch, leader, voted, directory, newcomer, founders }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(state in states()) {
            let bytes = encode_state(&state);
            prop_assert!((bytes.len() as u64) < MAX_STATE_LEN);
            prop_assert_eq!(decode_state(&bytes).unwrap(), state);
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_state(&bytes);
        }

        #[test]
        fn a_torn_or_flipped_file_is_no_state_or_another(
            state in states(), at in 0usize..200, byte in any::<u8>(), cut in any::<bool>()
        ) {
            let mut bytes = encode_state(&state);
            let at = at % bytes.len();
            if cut {
                bytes.truncate(at);
                prop_assert!(decode_state(&bytes).is_err());
            } else {
                bytes[at] = byte;
                let _ = decode_state(&bytes);
            }
        }
    }

    #[test]
    fn a_value_that_is_never_written_is_refused() {
        let own = Uuid([7; 16]).to_string();
        let text = |epoch: i32, voted: i32, version: i16, directory: &str| {
            format!(
                r#"{{"leaderId":-1,"leaderEpoch":{epoch},"votedId":{voted},"votedDirectoryId":"{}","data_version":{version},"directoryId":"{directory}","newcomer":true,"founders":[]}}"#,
                Uuid::ZERO
            )
        };
        assert!(decode_state(text(1, -1, 1, &own).as_bytes()).is_ok());
        for (epoch, voted, version, directory) in
            [(-1, -1, 1, &*own), (1, -2, 1, &own), (1, -1, 0, &own), (1, -1, 1, "short")]
        {
            let error = decode_state(text(epoch, voted, version, directory).as_bytes()).unwrap_err();
            assert!(!error.to_string().is_empty());
        }
    }
}
