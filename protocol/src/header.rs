//! What stands in front of every request and response.
//!
//! ```text
//! request    length i32 | api key i16 | api version i16 | correlation id i32
//!            | client id (i16 length, text) | tags* | body
//! response   length i32 | correlation id i32 | tags* | body
//! ```
//! (* in flexible versions only.)
//!
//! One exception: the response to `ApiVersions` never has tags in its header, whatever its version,
//! because a client that has not learnt the broker's versions yet could not know whether to expect
//! them (KIP-511).

use bytes::Bytes;

use crate::{ApiKey, DecodeError, Gap, Reader, Request, Version, Wire, Writer, message};

/// The header of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHeader {
    /// Which request, as its number: it may be one we have never heard of.
    pub api_key: i16,
    /// Which version of it, which may be one we do not speak.
    pub api_version: i16,
    /// Comes back in the response.
    pub correlation_id: i32,
    /// What the client calls itself.
    pub client_id: Option<String>,
}

/// What the arrays of a request may take together, once they are read. A hundred thousand
/// partitions of a fetch do; what an answer says of each element takes several times as much again.
const MAX_REQUEST_MEMORY: usize = 8 << 20;

/// The header's strings and integers look alike in all versions.
const FIXED: Version = Version { number: 0, flexible: false };

impl RequestHeader {
    /// Reads the header of `frame` and leaves the reader at the body.
    ///
    /// When the request or its version is unknown, so is the form of what follows the client id.
    pub fn decode(frame: Bytes) -> Result<(Self, Reader), DecodeError> {
        let mut reader = Reader::within(MAX_REQUEST_MEMORY, frame);
        let header = Self {
            api_key: i16::decode(&mut reader, FIXED)?,
            api_version: i16::decode(&mut reader, FIXED)?,
            correlation_id: i32::decode(&mut reader, FIXED)?,
            client_id: Option::decode(&mut reader, FIXED)?,
        };
        let known = ApiKey::from_number(header.api_key).filter(|key| key.supports(header.api_version));
        if known.is_some_and(|key| key.version(header.api_version).flexible) {
            message::decode_tagged_fields(&mut reader, |_, _| Ok(()))?;
        }
        Ok((header, reader))
    }
}

/// Writes a whole response frame, its length in front.
///
/// The gaps are the [`Payload::Gap`](crate::Payload::Gap)s of the body, which the sender fills.
pub fn encode_response(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    body: &impl Wire,
) -> (Vec<u8>, Vec<Gap>) {
    let version = key.version(version);
    let mut writer = Writer::with_capacity(256);
    writer.put(&[0; 4]);
    correlation_id.encode(&mut writer, FIXED);
    if version.flexible && key != ApiKey::ApiVersions {
        message::TaggedFields::default().encode(&mut writer);
    }
    body.encode(&mut writer, version);
    writer.set_length();
    writer.into_parts()
}

/// Writes a whole request frame, its length in front: the client's side.
pub fn encode_request<R: Request>(version: i16, correlation_id: i32, client_id: &str, body: &R) -> Vec<u8> {
    let version = R::KEY.version(version);
    let mut writer = Writer::with_capacity(256);
    writer.put(&[0; 4]);
    R::KEY.number().encode(&mut writer, FIXED);
    version.number.encode(&mut writer, FIXED);
    correlation_id.encode(&mut writer, FIXED);
    Some(client_id.to_owned()).encode(&mut writer, FIXED);
    if version.flexible {
        message::TaggedFields::default().encode(&mut writer);
    }
    body.encode(&mut writer, version);
    writer.set_length();
    let (bytes, _no_gaps) = writer.into_parts();
    bytes
}

/// Reads the response to an `R` from a frame without its length: the client's side.
pub fn decode_response<R: Request>(version: i16, frame: Bytes) -> Result<(i32, R::Response), DecodeError> {
    let version = R::KEY.version(version);
    let mut reader = Reader::new(frame);
    let correlation_id = i32::decode(&mut reader, FIXED)?;
    if version.flexible && R::KEY != ApiKey::ApiVersions {
        message::decode_tagged_fields(&mut reader, |_, _| Ok(()))?;
    }
    Ok((correlation_id, R::Response::decode(&mut reader, version)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
    use crate::fetch::{FetchResponse, FetchableTopic, FetchedPartition};
    use crate::heartbeat::{HeartbeatRequest, HeartbeatResponse};
    use crate::{ErrorCode, Payload};

    #[test]
    fn requests_carry_their_header() {
        let body = HeartbeatRequest { group_id: "g".into(), ..Default::default() };
        for version in 0..=4 {
            let frame = encode_request(version, 7, "me", &body);
            assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
            let (header, mut reader) = RequestHeader::decode(Bytes::from(frame).slice(4..)).unwrap();
            let expected = RequestHeader {
                api_key: 12,
                api_version: version,
                correlation_id: 7,
                client_id: Some("me".into()),
            };
            assert_eq!(header, expected);
            assert_eq!(
                HeartbeatRequest::decode(&mut reader, ApiKey::Heartbeat.version(version)).unwrap(),
                body
            );
            assert_eq!(reader.remaining(), 0);
        }
    }

    /// KIP-511: a client must be able to read this response before it knows the broker's versions.
    #[test]
    fn the_response_to_api_versions_never_has_tags_in_its_header() {
        let (bytes, _) = encode_response(ApiKey::ApiVersions, 3, 7, &ApiVersionsResponse::default());
        assert_eq!(bytes[4..10], [0, 0, 0, 7, 0, 0], "the error code follows the correlation id at once");
        let (bytes, _) = encode_response(ApiKey::Heartbeat, 4, 7, &HeartbeatResponse::default());
        assert_eq!(bytes[4..9], [0, 0, 0, 7, 0], "other flexible responses have tags");
        let answer = decode_response::<ApiVersionsRequest>(
            3,
            Bytes::from_static(&[0, 0, 0, 7, 0, 35, 1, 0, 0, 0, 0, 0]),
        );
        let expected =
            ApiVersionsResponse { error_code: ErrorCode::UNSUPPORTED_VERSION, ..Default::default() };
        assert_eq!(answer, Ok((7, expected)));
    }

    #[test]
    fn gaps_count_in_the_length_of_the_frame() {
        let partition = FetchedPartition { records: Some(Payload::Gap(1000)), ..Default::default() };
        let topic = FetchableTopic { topic: "t".into(), partitions: vec![partition], ..Default::default() };
        let body = FetchResponse { topics: vec![topic], ..Default::default() };
        for version in [4, 11, 12] {
            let (mut bytes, gaps) = encode_response(ApiKey::Fetch, version, 1, &body);
            assert_eq!(bytes[..4], (bytes.len() as i32 - 4 + 1000).to_be_bytes());
            let [Gap { at, len: 1000 }] = gaps[..] else { panic!("one gap expected, got {gaps:?}") };
            bytes.splice(at..at, vec![9; 1000]);
            let (_, read) =
                decode_response::<crate::fetch::FetchRequest>(version, Bytes::from(bytes).slice(4..))
                    .unwrap();
            let records = read.topics[0].partitions[0].records.clone();
            assert_eq!(records, Some(Payload::Bytes(vec![9; 1000].into())));
        }
    }
}
