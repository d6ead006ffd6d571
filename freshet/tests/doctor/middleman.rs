//! Who stands between a client and a broker and changes some of the answers: so a real broker has
//! any fault one likes. Clients are told to come to it and not to the broker.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use protocol::metadata::{MetadataRequest, MetadataResponse};
use protocol::{ApiKey, Request, decode_response, encode_response};

use crate::strangers::listen;

/// Changes an answer: which request it answers, in which version, and its frame without its length.
/// No frame closes the connection.
pub(crate) type Change = dyn Fn(ApiKey, i16, Vec<u8>) -> Option<Vec<u8>> + Send + Sync;

/// Stands before the broker at `address`. Its own port.
pub(crate) fn stand_before(
    address: &str,
    change: impl Fn(ApiKey, i16, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> u16 {
    let (address, change) =
        (address.to_owned(), std::sync::Arc::<Change>::from(Box::new(change) as Box<Change>));
    listen(move |client| {
        // The first to hang up ends it for both.
        let _ = pass_on(client, &address, &*change);
    })
}

fn pass_on(mut client: TcpStream, address: &str, change: &Change) -> io::Result<()> {
    let port = client.local_addr()?.port();
    let mut broker = TcpStream::connect(address)?;
    loop {
        let request = frame(&mut client)?;
        let number = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
        let (key, version) = (ApiKey::from_number(number(0)).unwrap(), number(2));
        broker.write_all(&with_length(&request))?;
        let mut answer = frame(&mut broker)?;
        if key == ApiKey::Metadata {
            answer = changed::<MetadataRequest>(version, answer, |metadata: &mut MetadataResponse| {
                metadata.brokers[0].port = port.into();
            });
        }
        match change(key, version, answer) {
            Some(answer) => client.write_all(&with_length(&answer))?,
            None => return Ok(()),
        }
    }
}

/// An answer to an `R` with something changed in it.
pub(crate) fn changed<R: Request>(
    version: i16,
    answer: Vec<u8>,
    change: impl FnOnce(&mut R::Response),
) -> Vec<u8> {
    let (id, mut response) = decode_response::<R>(version, Bytes::from(answer)).unwrap();
    change(&mut response);
    encode_response(R::KEY, version, id, &response).0.split_off(4)
}

/// The next frame, without its length.
fn frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn with_length(frame: &[u8]) -> Vec<u8> {
    [&u32::try_from(frame.len()).unwrap().to_be_bytes()[..], frame].concat()
}
