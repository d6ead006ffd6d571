//! What workers warn of: news at once, but only once.

use std::collections::HashMap;

/// What each worker complains of at present.
#[derive(Debug, Default)]
pub(super) struct WarningDeduplicator(HashMap<String, Complaint>);

#[derive(Debug)]
struct Complaint {
    /// The sentence, without how long it is until the next attempt.
    what: String,
    /// What makes it the same matter as another: of attempts that fail, what they failed at and not
    /// how. A server that is killed closes connections, then refuses them, then is starting up.
    matter: String,
    /// Whether the worker does nothing else until it is mended.
    waits: bool,
}

impl WarningDeduplicator {
    /// Takes a line of a worker's standard error. What it warns of comes back if nobody has said so
    /// yet: three jobs whose one database is away, and who try again and again, are one piece
    /// of news. Another kind of line means that the worker goes on, so its next warning is news
    /// again.
    pub(super) fn news(&mut self, worker: &str, line: &str) -> Option<String> {
        let Some(text) = line.trim_start().strip_prefix("WARN ") else {
            self.0.remove(worker);
            return None;
        };
        let again = text.split_once("; trying again in ");
        let (what, matter) = match again {
            Some((what, _)) => (what, what.split_once(": ").map_or(what, |(matter, _)| matter)),
            None => (text, text),
        };
        let known = self.0.values().any(|known| known.matter == matter);
        let (what, matter, waits) = (what.to_owned(), matter.to_owned(), again.is_some());
        self.0.insert(worker.to_owned(), Complaint { what, matter, waits });
        (!known).then(|| text.to_owned())
    }

    /// The worker has ended, and whatever it waited for with it.
    pub(super) fn forget(&mut self, worker: &str) {
        self.0.remove(worker);
    }

    /// Who waits for what, such as a database that is away.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&str, &str)> {
        let waits = self.0.iter().filter(|(_, complaint)| complaint.waits);
        waits.map(|(worker, complaint)| (worker.as_str(), complaint.what.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_news_once_and_again_the_next_time() {
        let mut warnings = WarningDeduplicator::default();
        let away = |wait| {
            let how = if wait == 1 { "connection closed" } else { "refused" };
            format!(" WARN cannot reach the database db: {how}; start it; trying again in {wait} s")
        };
        let told =
            "cannot reach the database db: connection closed; start it; trying again in 1 s".to_owned();
        assert_eq!(warnings.news("batch-eta", &away(1)), Some(told));
        for (job, wait) in [("batch-eta", 2), ("batch-fraud", 1), ("batch-eta", 4)] {
            assert_eq!(warnings.news(job, &away(wait)), None, "{job}");
        }
        assert!(warnings.news("batch-fraud", " WARN no room left").is_some(), "another matter");
        assert_eq!(warnings.news("batch-eta", " INFO batch-eta-2026-03-03T11: 5 records, 5 rows"), None);
        assert_eq!(
            warnings.waiting().count(),
            0,
            "one goes on, the other does not wait for what it warned of"
        );
        assert!(warnings.news("batch-eta", &away(1)).is_some());
        let what = "cannot reach the database db: connection closed; start it";
        assert_eq!(warnings.waiting().collect::<Vec<_>>(), [("batch-eta", what)]);
        warnings.forget("batch-eta");
        assert_eq!(warnings.waiting().count(), 0);
    }
}
