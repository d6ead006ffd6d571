//! `DescribeClientQuotas`: how much clients may use.
//!
//! # Behaviour
//! As much as there is: no quota is ever set. What can't be a question about quotas is refused as
//! by Kafka.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::describe_client_quotas::{
    DescribeClientQuotasRequest, DescribeClientQuotasResponse, MATCH_ANY, MATCH_DEFAULT, MATCH_EXACT,
    QuotaComponent,
};

use super::configs::Refusal;

pub(super) fn handle(request: &DescribeClientQuotasRequest) -> DescribeClientQuotasResponse {
    match check(&request.components) {
        Ok(()) => DescribeClientQuotasResponse {
            error_message: Some(String::new()),
            entries: Some(Vec::new()),
            ..Default::default()
        },
        Err(Refusal { code, message }) => DescribeClientQuotasResponse {
            error_code: code,
            error_message: Some(message),
            entries: None,
            ..Default::default()
        },
    }
}

fn check(components: &[QuotaComponent]) -> Result<(), Refusal> {
    let invalid = |message: String| Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    let mut seen = BTreeSet::new();
    for QuotaComponent { entity_type, match_type, r#match } in components {
        if !["user", "client-id", "ip"].contains(&entity_type.as_str()) {
            if entity_type.is_empty() {
                return invalid("the type of an entity is empty".into());
            }
            let message = format!("{entity_type} is no type of an entity: user, client-id or ip");
            return Err(Refusal::new(ErrorCode::UNSUPPORTED_VERSION, message));
        }
        match (*match_type, r#match) {
            (MATCH_EXACT, Some(_)) | (MATCH_DEFAULT | MATCH_ANY, None) => {}
            (MATCH_EXACT, None) => return invalid(format!("which {entity_type}? There is no name")),
            (MATCH_DEFAULT | MATCH_ANY, Some(name)) => {
                return invalid(format!("{name} is named where no {entity_type} in particular is asked for"));
            }
            (other, _) => return invalid(format!("there is no way {other} to match")),
        }
        if !seen.insert(entity_type.as_str()) {
            return invalid(format!("{entity_type} is named twice in the request"));
        }
    }
    if seen.contains("ip") && seen.len() > 1 {
        return invalid("an address has no user and no client id: ask for one of them".into());
    }
    Ok(())
}
