//! `DescribeClientQuotas`: how much clients may use.

use crate::ErrorCode;

request!(DescribeClientQuotas: DescribeClientQuotasRequest => DescribeClientQuotasResponse);

/// An entity of the name that is given.
pub const MATCH_EXACT: i8 = 0;
/// The entity that stands for all those without their own quotas.
pub const MATCH_DEFAULT: i8 = 1;
/// Any entity.
pub const MATCH_ANY: i8 = 2;

messages! {
    /// Whose quotas; all components must match, and with `strict` there may be no other.
    pub struct DescribeClientQuotasRequest {
        components: Vec<QuotaComponent>,
        strict: bool,
    }

    /// One condition.
    pub struct QuotaComponent {
        entity_type: String,
        match_type: i8,
        r#match: Option<String>,
    }

    /// The quotas.
    pub struct DescribeClientQuotasResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        entries: Option<Vec<QuotaEntry>>,
    }

    /// Those of one entity.
    pub struct QuotaEntry {
        entity: Vec<QuotaEntity>,
        values: Vec<QuotaValue>,
    }

    /// A part of what names it.
    pub struct QuotaEntity {
        entity_type: String,
        entity_name: Option<String>,
    }

    /// One quota.
    pub struct QuotaValue {
        key: String,
        value: f64,
    }
}
