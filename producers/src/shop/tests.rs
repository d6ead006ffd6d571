//! Each figure of the public logs, measured on what is generated.
