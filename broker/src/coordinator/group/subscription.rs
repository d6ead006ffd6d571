//! The one thing the broker reads in a consumer's subscription: its topics.
//!
//! ```text
//! version (2 bytes), number of topics (4), then each: length (2), name; more follows
//! ```
//! Source: `ConsumerProtocolSubscription.json` of Kafka.

/// Whether a subscription names `topic`; `None` when it can't be read.
pub(super) fn subscribes_to(subscription: &[u8], topic: &str) -> Option<bool> {
    let (_version, rest) = subscription.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut found = false;
    for _ in 0..u32::from_be_bytes(*count) {
        let (len, tail) = rest.split_first_chunk::<2>()?;
        let (name, tail) = tail.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        found |= name == topic.as_bytes();
        rest = tail;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_found_and_nonsense_is_not_read() {
        let subscription = b"\x00\x01\x00\x00\x00\x02\x00\x05trips\x00\x06clicks\xff\xff\xff\xff";
        assert_eq!(subscribes_to(subscription, "clicks"), Some(true));
        assert_eq!(subscribes_to(subscription, "click"), Some(false));
        for end in 0..21 {
            assert_eq!(subscribes_to(&subscription[..end], "clicks"), None, "cut to {end} bytes");
        }
        // A count that the bytes can't hold ends with the bytes.
        assert_eq!(subscribes_to(b"\x00\x00\xff\xff\xff\xff\x00\x00", "clicks"), None);
    }
}
