//! The broker over a real socket, as a client sees it. Each trap that has caught other brokers is a
//! test here.

#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

mod admin;
mod ambiguous;
mod amplification;
mod answers;
mod client;
mod compaction;
mod connections;
mod fetch;
mod groups;
mod listeners;
mod login;
mod offsets_topic;
mod produce;
mod refusals;
mod restart;
mod settings;
mod tls;
mod topic_settings;
mod validation;
