//! Letting clients in, where a listener wants a login.
//!
//! A login is part of its connection's own task: a client that says nothing, or is refused, holds
//! up nobody else.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

use super::connection::Closed;
use super::foreign_protocol::{self, BEGINNING};
use super::stream::Stream;
use crate::api::{Frame, Login, Step};
use crate::listener::SecurityProtocol;
use crate::users::Users;

/// What a client may say at once before it is logged in (`sasl.server.max.receive.size`).
const MAX_BYTES: usize = 512 << 10;

/// How long a refusal is held back, so that guessing takes long
/// (`connection.failed.authentication.delay.ms`).
const REFUSAL_DELAY: Duration = Duration::from_millis(crate::api::FAILED_LOGIN_DELAY_MS);

/// Whether the client is logged in; it has hung up otherwise.
pub(super) async fn log_in(
    users: &Arc<Users>,
    protocol: SecurityProtocol,
    stream: &mut Stream,
) -> Result<bool, Closed> {
    let mut login = Login::new(Arc::clone(users), Users::nonce());
    let mut greeted = false;
    loop {
        let read = read_frame(stream, protocol, greeted).await;
        let Some(frame) = read.or_else(|closed| closed.ignore_hangup().map(|()| None))? else {
            return Ok(false);
        };
        greeted = true;
        match login.step(frame)? {
            Step::Answer(frame) => send(stream, &frame).await?,
            Step::Welcome(frame) => {
                send(stream, &frame).await?;
                return Ok(true);
            }
            Step::Refuse(frame, reason) => {
                sleep(REFUSAL_DELAY).await;
                if let Some(frame) = frame {
                    send(stream, &frame).await?;
                }
                stream.say_goodbye().await;
                let client = login.client_id();
                return Err(Closed::Login { reason: format!("{reason} (client.id={client:?})") });
            }
        }
    }
}

/// The next frame without its length; none if the client has hung up before it.
async fn read_frame(
    stream: &mut Stream,
    protocol: SecurityProtocol,
    greeted: bool,
) -> Result<Option<Bytes>, Closed> {
    let mut first = [0; 4];
    stream.read_exact(&mut first).await?;
    let length = i32::from_be_bytes(first);
    let Some(size) = usize::try_from(length).ok().filter(|size| *size <= MAX_BYTES) else {
        let mut beginning = first.to_vec();
        // What came along with it is there by now.
        let _as_much_as_there_is =
            timeout(Duration::ZERO, stream.take(BEGINNING as u64).read_to_end(&mut beginning)).await;
        let stranger = foreign_protocol::recognize(&beginning, protocol).filter(|_| !greeted);
        return Err(stranger.map_or(Closed::LoginLength { length, max: MAX_BYTES }, |what| {
            Closed::ForeignProtocol { what }
        }));
    };
    // Its buffer grows with what comes, whatever is announced.
    let mut frame = Vec::new();
    stream.take(size as u64).read_to_end(&mut frame).await?;
    Ok((frame.len() == size).then(|| frame.into()))
}

async fn send(stream: &mut Stream, frame: &Frame) -> Result<(), Closed> {
    assert!(frame.regions.is_empty(), "no answer before a login has records");
    stream.write_all(&frame.bytes).await?;
    Ok(stream.flush().await?)
}
