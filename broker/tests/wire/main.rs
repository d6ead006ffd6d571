//! The broker over a real socket, as a client sees it. Each trap that has caught other brokers is a test here.

mod admin;
mod client;
mod connections;
mod fetch;
mod groups;
mod produce;
mod restart;
