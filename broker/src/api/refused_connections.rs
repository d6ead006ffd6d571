//! Whom this broker refused, told as a setting of the broker that nobody has unless it is asked for
//! by its name.
//!
//! A client that speaks too old a version, or something that is not Kafka, is refused without a
//! word, and `freshet doctor` is to say why, from another machine too. Kafka has no request for
//! that. A request of our own would close the connection to any other broker, and one that is
//! announced would puzzle clients that look through the list. `DescribeConfigs` by name is answered
//! by every Kafka, with nothing where the name is unknown, and no tool asks for a name that it does
//! not know: none is shown a setting that is none. A client that may read the broker's settings may
//! read this.

use protocol::describe_configs::{DescribeConfigsEntry, SOURCE_DEFAULT};

use super::Context;
use crate::controller::SettingKind;

/// The name to ask for.
const NAME: &str = "freshet.refused.connections";

/// The entry, where these keys name it: a line for each refusal, the latest first, as
/// `AGE_MS <tab> COUNT <tab> HOST <tab> REASON`.
pub(super) fn if_named(context: &Context<'_>, keys: &[String]) -> Option<DescribeConfigsEntry> {
    keys.iter().any(|key| key == NAME).then(|| {
        let line = |refusal: &crate::refusals::Refusal| {
            let age_ms = context.now_ms.saturating_sub(refusal.last_ms).max(0);
            let host = refusal.client_host.trim_start_matches('/');
            format!("{age_ms}\t{}\t{host}\t{}\n", refusal.count, refusal.reason)
        };
        DescribeConfigsEntry {
            name: NAME.to_owned(),
            value: Some(context.node.refusals.latest().iter().map(line).collect()),
            read_only: true,
            config_source: SOURCE_DEFAULT,
            config_type: SettingKind::String as i8,
            documentation: Some("The last connections that this broker refused.".to_owned()),
            ..Default::default()
        }
    })
}
