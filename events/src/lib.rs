//! What is said on each topic: the contract between producers and consumers, who never meet.
//!
//! A Kafka record is a key and a value, both plain bytes; nothing in Kafka knows what they mean.
//! Here stands what they mean: every topic's type, its key, and its JSON form, each field once and
//! with its unit. Values are JSON objects in UTF-8, one a record. Unknown fields are ignored, so
//! that a producer may say more than its oldest consumer understands; optional fields may be
//! missing or null.
//!
//! `ts` is **event time**: when the thing happened in the (simulated) world. The timestamp of the
//! Kafka record is another clock, wall-clock time at the moment of sending: a broker refuses
//! records that claim to come from the future, and expires those that claim to be old, and
//! simulated time runs ahead of the wall clock.
//!
//! The key decides the partition, and so the order that matters: all positions and trips of one
//! driver are read in the order in which they were sent, and nothing is promised about two drivers.
//!
//! # Simplifications
//! - JSON with its field names in every record, where a company would have a schema registry and
//!   Avro or Protobuf.
//! - Money is in cents of one currency; `currency` is carried and shown, never converted.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod check;
mod event;
mod item_name;
mod markets;
mod payments;
mod ride;
mod shared;
mod shop;
mod source;
mod timestamp;
mod topic;
mod truth;

pub use check::Broken;
pub use event::{Event, RecommendationsBatch, RecommendationsStale, Topic};
pub use item_name::{ITEMS_OF_A_KIND, item_name};
pub use markets::{Action, CANDLE_MS, Candle, Side, Signal, Trade};
pub use payments::{CardSwipe, Chargeback, Decision, FraudDecision};
pub use ride::{DriverLocation, EtaUpdate, Place, RoadTraversal, Traffic, Trip, TripKind, TruckLocation};
pub use shared::{BatchRun, Batched, BatchedMut, Channel, DeadLetter, Notification, NotificationKind};
pub use shop::{Click, ClickKind, PAGE_ITEMS, Recommendations};
pub use source::{REPLAY_HEADER, Replay, SOURCE_HEADER, Source, run_of};
pub use timestamp::{DAY_MS, HOUR_MS, Timestamp};
pub use topic::{Business, Retention, Role};
pub use truth::SimulationTruth;
