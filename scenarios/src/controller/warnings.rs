//! The warnings of workers: each is shown at once, but only once.

use std::collections::HashMap;

use crate::supervise::WorkerLine;

/// A warning is no news within so long of the last time, in milliseconds of wall-clock time: each
/// connection of a worker says for itself that the cluster is away, and that it is back.
const SAME_MS: i64 = 10_000;

/// The current warning of each worker.
#[derive(Debug, Default)]
pub(super) struct WarningDeduplicator {
    current: HashMap<String, Complaint>,
    /// What was told last, and when.
    told: HashMap<String, i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Complaint {
    /// The worker is blocked until this is repaired.
    Waits { what: String, because: String },
    /// The worker continues.
    Warns { text: String },
}

impl WarningDeduplicator {
    /// Takes a worker's line. Returns its warning, or what it waits for, as a sentence, unless it
    /// is a duplicate: three jobs that retry because one database is unavailable give one notice. A
    /// worker that resumes has no warning, so its next one is shown again, after a while.
    pub(super) fn news(&mut self, now_ms: i64, worker: &str, line: WorkerLine) -> Option<String> {
        let (complaint, text) = match line {
            WorkerLine::WaitingFor { what, because, retry_in_ms } => {
                let text = format!("{because}; trying again in {} s", retry_in_ms.div_ceil(1_000));
                (Complaint::Waits { what, because }, text)
            }
            WorkerLine::Warning { text } => (Complaint::Warns { text: text.clone() }, text),
            // Who warns may go on reading.
            WorkerLine::Read { .. } => return None,
            WorkerLine::Resumed | WorkerLine::Progress { .. } | WorkerLine::Statistics { .. } => {
                self.forget(worker);
                return None;
            }
        };
        let known = self.current.values().any(|known| known.is_the_same_matter_as(&complaint));
        let matter = complaint.matter().to_owned();
        self.current.insert(worker.to_owned(), complaint);
        self.told.retain(|_, told_ms| now_ms.abs_diff(*told_ms) < SAME_MS as u64);
        let is_news = !known && !self.told.contains_key(&matter);
        if is_news {
            self.told.insert(matter, now_ms);
        }
        is_news.then_some(text)
    }

    /// The worker has ended: it waits for nothing.
    pub(super) fn forget(&mut self, worker: &str) {
        self.current.remove(worker);
    }

    /// The blocked workers with what they wait for, such as a database that is unavailable.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&str, &str)> {
        self.current.iter().filter_map(|(worker, complaint)| match complaint {
            Complaint::Waits { because, .. } => Some((worker.as_str(), because.as_str())),
            Complaint::Warns { .. } => None,
        })
    }
}

impl Complaint {
    fn matter(&self) -> &str {
        match self {
            Self::Waits { what, .. } => what,
            Self::Warns { text } => text,
        }
    }

    fn is_the_same_matter_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waits { what, .. }, Self::Waits { what: other, .. }) => what == other,
            (Self::Warns { text }, Self::Warns { text: other }) => text == other,
            (Self::Waits { .. }, Self::Warns { .. }) | (Self::Warns { .. }, Self::Waits { .. }) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_news_once_and_again_the_next_time() {
        let mut warnings = WarningDeduplicator::default();
        let because = |wait_s| {
            let how = if wait_s == 1 { "connection closed" } else { "refused" };
            format!("cannot reach the database db: {how}; start it")
        };
        let away = |wait_s: u64| WorkerLine::WaitingFor {
            what: "the database db".to_owned(),
            because: because(wait_s),
            retry_in_ms: wait_s * 1_000,
        };
        let told =
            "cannot reach the database db: connection closed; start it; trying again in 1 s".to_owned();
        assert_eq!(warnings.news(0, "batch-eta", away(1)), Some(told));
        for (job, wait_s) in [("batch-eta", 2), ("batch-fraud", 1), ("batch-eta", 4)] {
            assert_eq!(warnings.news(0, job, away(wait_s)), None, "{job}");
        }
        let other = WorkerLine::Warning { text: "no room left".to_owned() };
        assert!(warnings.news(0, "batch-fraud", other.clone()).is_some(), "another matter");
        assert_eq!(warnings.news(0, "batch-fraud", other), None, "the same again");
        assert_eq!(warnings.news(0, "batch-eta", WorkerLine::Resumed), None);
        assert_eq!(
            warnings.waiting().count(),
            0,
            "one goes on, the other does not wait for what it warned of"
        );
        assert_eq!(warnings.news(9_000, "batch-eta", away(1)), None, "it was told nine seconds ago");
        assert_eq!(warnings.news(9_000, "batch-eta", WorkerLine::Resumed), None);
        assert!(warnings.news(10_000, "batch-eta", away(1)).is_some());
        assert_eq!(warnings.waiting().collect::<Vec<_>>(), [("batch-eta", because(1).as_str())]);
        warnings.forget("batch-eta");
        assert_eq!(warnings.waiting().count(), 0);
    }
}
