//! One client.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, Sleep, sleep_until};

use super::arrival::Arrival;
use super::elsewhere::{Elsewhere, Peer};
use super::foreign_protocol;
use super::idle::Idle;
use super::measurement::Measurement;
use super::output::Output;
use super::shared::{LARGE_REQUEST_STALL, Shared};
use super::stream::Stream;
use crate::api::fetch::ParkedFetch;
use crate::api::join_group::ParkedJoin;
use crate::api::sync_group::ParkedSync;
use crate::api::{self, Answer, Endpoint, Frame, Parked, RequestError};
use crate::coordinator::Effect;
use crate::replica::ValidationBudget;

/// A client that has sent this many requests without reading an answer is
/// not read from until it does.
const MAX_PIPELINED: usize = 128;

/// Nor is one that lets this many bytes of answers lie.
const MAX_UNREAD_BYTES: usize = 1 << 20;

/// After so many bytes of answers other connections have their turn, …
const TURN_BYTES: usize = 64 << 10;

/// … and after so long.
const TURN: Duration = Duration::from_millis(1);

/// Room for what may arrive: small while a connection is quiet, more as a large frame comes in.
const MIN_READ: usize = 4 << 10;
const MAX_READ: usize = 1 << 20;

/// A buffer that grew larger than this is not kept.
const MAX_KEPT_BUFFER: usize = 4 << 20;

/// Why a connection ended, other than by the client hanging up.
#[derive(Debug, Error)]
pub(super) enum Closed {
    #[error("this is {what}")]
    ForeignProtocol { what: String },
    #[error("a request of {length} bytes before a login, {max} are allowed (sasl.server.max.receive.size)")]
    LoginLength { length: i32, max: usize },
    #[error("no login: {reason}")]
    Login { reason: String },
    #[error("TLS: {what}")]
    Handshake { what: String },
    #[error("it has said too little for too long before its first request")]
    Greeting,
    #[error("a request of {length} bytes, {max} are allowed (socket.request.max.bytes)")]
    FrameLength { length: i32, max: usize },
    #[error("a request of {size} bytes has stood still half-way for {} s", LARGE_REQUEST_STALL.as_secs())]
    Stalled { size: usize },
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Closed {
    /// Before a login clients hang up in all manners, half-way through a request too: none of them
    /// is worth a line in the log.
    pub(super) fn ignore_hangup(self) -> Result<(), Self> {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            Self::Io(error) => ignore_hangup(error),
            other => Err(other),
        }
    }
}

/// One client's socket, and its requests in the order in which they must be answered.
#[derive(Debug)]
pub(super) struct Connection {
    peer: Peer,
    stream: Stream,
    input: BytesMut,
    /// Of the request whose beginning is in the input.
    arrival: Arrival,
    /// Whether a frame has been seen: only the first bytes can be another protocol's.
    greeted: bool,
    /// Each with what is measured of it while it is parked.
    slots: VecDeque<(Slot, Option<Measurement>)>,
    /// A request that is handled elsewhere. The next is not looked at before it is done.
    elsewhere: Option<(Elsewhere, Option<Measurement>)>,
    output: Output,
    idle: Idle,
    /// One timer for whichever request is first and has a deadline.
    timer: Option<Pin<Box<Sleep>>>,
}

/// A request whose answer has not gone out yet.
#[derive(Debug)]
enum Slot {
    Ready(Frame),
    Fetch(ParkedFetch, Instant),
    Join(ParkedJoin, oneshot::Receiver<Effect>),
    Sync(ParkedSync, oneshot::Receiver<Effect>),
}

/// What came of trying to read.
enum Read {
    /// Something was read and handled.
    Some,
    /// Enough was handled for now. There may be more in the input.
    TurnOver,
    /// There is nothing; this task is woken when there is.
    Nothing,
    /// Not tried, because the client should first take its answers; this
    /// task is woken when it does.
    Refused,
    /// The client has hung up.
    HungUp,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, stream: Stream, endpoint: Endpoint, client_host: String) -> Self {
        let idle_limit = Duration::from_millis(shared.node.config.connections_max_idle_ms.into());
        Self {
            peer: Peer { shared, endpoint, client_host },
            stream,
            input: BytesMut::new(),
            arrival: Arrival::default(),
            greeted: false,
            slots: VecDeque::new(),
            elsewhere: None,
            output: Output::default(),
            idle: Idle::new(idle_limit),
            timer: None,
        }
    }

    /// Serves the client until it hangs up or has been idle for too long.
    pub(super) async fn run(mut self) -> Result<(), Closed> {
        let ended = poll_fn(|cx| self.poll(cx)).await;
        self.stream.say_goodbye().await;
        ended
    }

    /// Does all that can be done now: reads what has arrived, handles it, and writes what can be
    /// answered, at once.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let turn_ends = Instant::now() + TURN;
        loop {
            self.poll_elsewhere(cx)?;
            let read = self.poll_read(cx, turn_ends)?;
            self.poll_answers(cx)?;
            let sent = self.output.sent_bytes();
            if let Poll::Ready(Err(error)) = self.output.poll_flush(&mut self.stream, cx) {
                return Poll::Ready(ignore_hangup(error));
            }
            // Who waits for an answer is not idle, nor who reads one.
            if !self.slots.is_empty() || self.elsewhere.is_some() || self.output.sent_bytes() > sent {
                self.idle.ended();
            }
            match read {
                Read::HungUp => return Poll::Ready(Ok(())),
                // What was read has been handled. More may have arrived, and the kernel must be
                // asked until it has nothing: only then does it promise to wake us.
                Read::Some if Instant::now() < turn_ends => {}
                // As much was done as one turn is long: the others first, also those for whom
                // something has arrived meanwhile. The runtime would look for these only after
                // sixty more turns, did it not know that we yield.
                Read::Some | Read::TurnOver => {
                    let _it_wakes_this_task = pin!(yield_now()).poll(cx);
                    return Poll::Pending;
                }
                // Too much was waiting to go out, and now that has gone.
                Read::Refused if self.may_read() => {}
                // Clients know that this happens and connect again: no line in the log.
                Read::Refused | Read::Nothing => return self.idle.poll_over(cx).map(Ok),
            }
        }
    }

    fn may_read(&self) -> bool {
        self.elsewhere.is_none()
            && self.slots.len() < MAX_PIPELINED
            && self.output.pending_bytes() + self.ready_bytes() < MAX_UNREAD_BYTES
    }

    /// Bytes of answers that wait behind a request that has none yet.
    fn ready_bytes(&self) -> usize {
        let ready = self.slots.iter().map(|(slot, _)| match slot {
            Slot::Ready(frame) => frame.bytes.len(),
            Slot::Fetch(..) | Slot::Join(..) | Slot::Sync(..) => 0,
        });
        ready.sum()
    }

    /// Handles the frames that are whole, as many as may be; without any it reads once.
    fn poll_read(&mut self, cx: &mut Context<'_>, turn_ends: Instant) -> Result<Read, Closed> {
        if !self.may_read() {
            return Ok(Read::Refused);
        }
        let before = self.ready_bytes();
        let mut read = Read::Nothing;
        while let Some((frame, place)) = self.take_frame()? {
            let measurement = Measurement::begin(&self.peer.shared.node.config, &frame);
            if api::may_take_long(&self.peer.shared.node, &frame) {
                let shares = api::memory_shares(&frame);
                let elsewhere = Elsewhere::handle(self.peer.clone(), frame, place, shares);
                self.elsewhere = Some((elsewhere, measurement));
                return Ok(Read::TurnOver);
            }
            match self.peer.handle(frame.clone(), ValidationBudget::inline()) {
                Err(RequestError::OverBudget) => {
                    let peer = self.peer.clone();
                    let elsewhere = Elsewhere::handle(peer, frame, place, api::OVER_BUDGET_SHARES);
                    self.elsewhere = Some((elsewhere, measurement));
                    return Ok(Read::TurnOver);
                }
                answer => self.await_answer(answer?, measurement),
            }
            read = Read::Some;
            if !self.may_read() || self.ready_bytes() - before >= TURN_BYTES || Instant::now() >= turn_ends {
                return Ok(Read::TurnOver);
            }
        }
        if matches!(read, Read::Some) {
            return Ok(read);
        }
        let size = self.frame_bytes();
        if self.arrival.poll_place(&self.peer.shared.large_requests, size, cx).is_pending() {
            return Ok(Read::Nothing);
        }
        self.input.reserve(size.saturating_sub(self.input.len()).clamp(MIN_READ, MAX_READ));
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        match read {
            Poll::Ready(Ok(1..)) => {
                self.idle.ended();
                self.arrival.progressed(&self.peer.shared.large_requests);
            }
            Poll::Ready(Ok(0)) => return Ok(Read::HungUp),
            Poll::Ready(Err(error)) => return ignore_hangup(error).map(|()| Read::HungUp),
            Poll::Pending => {
                if self.arrival.poll_stalled(cx) {
                    return Err(Closed::Stalled { size });
                }
                if self.input.is_empty() && self.input.capacity() > MAX_KEPT_BUFFER {
                    self.input = BytesMut::new();
                }
                return Ok(Read::Nothing);
            }
        }
        Ok(Read::Some)
    }

    /// How long the frame is that has begun, its length included; 0 before that is known.
    fn frame_bytes(&self) -> usize {
        self.input.first_chunk().map_or(0, |length| u32::from_be_bytes(*length) as usize + 4)
    }

    /// The next whole frame, without its length, and its place.
    fn take_frame(&mut self) -> Result<Option<(Bytes, Option<OwnedSemaphorePermit>)>, Closed> {
        let Some(&first) = self.input.first_chunk() else { return Ok(None) };
        let max = self.peer.shared.node.config.max_request_bytes;
        let length = i32::from_be_bytes(first);
        let Some(size) = usize::try_from(length).ok().filter(|&size| size <= max) else {
            let listeners = &self.peer.shared.node.config.listeners;
            let protocol = listeners[self.peer.endpoint.listener].protocol;
            let stranger = foreign_protocol::recognize(&self.input, protocol).filter(|_| !self.greeted);
            return Err(
                stranger.map_or(Closed::FrameLength { length, max }, |what| Closed::ForeignProtocol { what })
            );
        };
        self.greeted = true;
        if self.input.len() < 4 + size {
            return Ok(None);
        }
        let place = self.arrival.end();
        self.input.advance(4);
        Ok(Some((self.input.split_to(size).freeze(), place)))
    }

    /// Takes what was handled elsewhere; if it isn't yet, this task is woken when it is.
    fn poll_elsewhere(&mut self, cx: &mut Context<'_>) -> Result<(), Closed> {
        if let Some((elsewhere, _)) = &mut self.elsewhere
            && let Poll::Ready(answer) = elsewhere.poll_answer(cx)
        {
            let measurement = self.elsewhere.take().and_then(|(_, measurement)| measurement);
            self.await_answer(answer?, measurement);
        }
        Ok(())
    }

    /// Puts an answer, or what will be one, behind those before it.
    fn await_answer(&mut self, answer: Answer, measurement: Option<Measurement>) {
        let shared = &self.peer.shared;
        let end = |answer: Option<&Frame>| {
            if let Some(measurement) = measurement {
                measurement.end(&shared.node.config, answer);
            }
        };
        let slot = match answer {
            Answer::Reply(frame) => {
                end(Some(&frame));
                return self.slots.push_back((Slot::Ready(frame), None));
            }
            Answer::NoReply => return end(None),
            Answer::Delayed(Parked::Fetch(parked)) => {
                let deadline = shared.clock.instant(parked.deadline_ms);
                Slot::Fetch(parked, deadline)
            }
            Answer::Delayed(Parked::Join(parked)) => {
                let answer = shared.purgatory.wait(parked.token);
                Slot::Join(parked, answer)
            }
            Answer::Delayed(Parked::Sync(parked)) => {
                let answer = shared.purgatory.wait(parked.token);
                Slot::Sync(parked, answer)
            }
        };
        self.slots.push_back((slot, measurement.map(Measurement::park)));
    }

    /// Moves answers to the output as long as the first request has one.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some((slot, measurement)) = self.slots.pop_front() {
            let measurement = measurement.map(Measurement::resume);
            match self.poll_slot(slot, cx) {
                Ok(frame) => {
                    if let Some(measurement) = measurement {
                        measurement.end(&self.peer.shared.node.config, Some(&frame));
                    }
                    self.output.push(frame)?;
                }
                Err(waiting) => {
                    self.slots.push_front((waiting, measurement));
                    break;
                }
            }
        }
        Ok(())
    }

    /// The answer, or the request that still waits for it.
    fn poll_slot(&mut self, slot: Slot, cx: &mut Context<'_>) -> Result<Frame, Slot> {
        match slot {
            Slot::Ready(frame) => Ok(frame),
            Slot::Fetch(parked, deadline) => {
                parked.waiter().set_waker(cx.waker());
                if (parked.waiter().take_notified() && parked.is_ready()) || self.poll_timer(deadline, cx) {
                    return Ok(parked.respond());
                }
                Err(Slot::Fetch(parked, deadline))
            }
            Slot::Join(parked, mut answer) => match Pin::new(&mut answer).poll(cx) {
                Poll::Ready(Ok(Effect::Join { result, .. })) => Ok(parked.respond(result)),
                Poll::Ready(_) => unreachable!("the coordinator answers a join with a join"),
                Poll::Pending => Err(Slot::Join(parked, answer)),
            },
            Slot::Sync(parked, mut answer) => match Pin::new(&mut answer).poll(cx) {
                Poll::Ready(Ok(Effect::Sync { result, .. })) => Ok(parked.respond(result)),
                Poll::Ready(_) => unreachable!("the coordinator answers a sync with a sync"),
                Poll::Pending => Err(Slot::Sync(parked, answer)),
            },
        }
    }

    /// Whether `deadline` has passed; if not, this task is woken when it does.
    fn poll_timer(&mut self, deadline: Instant, cx: &mut Context<'_>) -> bool {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

/// Clients hang up in all manners; none of them is worth a line in the log.
pub(super) fn ignore_hangup(error: io::Error) -> Result<(), Closed> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut => Ok(()),
        _ => Err(error.into()),
    }
}
