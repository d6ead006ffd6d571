//! What was measured, and how it is written.

use std::io::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::cli::Format;
use text::Table;

use crate::output::print;
use scenarios::usage::Usage;

/// CPU time that both sides used while something was measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Of the broker, seconds; none when its process is not known.
    pub(super) broker_s: Option<f64>,
    /// Of this process, which is the client, seconds.
    pub(super) client_s: f64,
    /// What the broker holds at the end, megabytes.
    pub(super) broker_rss_mb: Option<f64>,
}

/// Counts from its making to [`Meter::stop`].
#[derive(Debug)]
pub(super) struct Meter {
    broker_pid: Option<u32>,
    broker: Option<Usage>,
    client: Usage,
}

impl Meter {
    pub(super) fn start(broker_pid: Option<u32>) -> Result<Self> {
        let broker = broker_pid.map(Usage::of).transpose()?;
        Ok(Self { broker_pid, broker, client: Usage::of_ourselves()? })
    }

    pub(super) fn stop(self) -> Result<Cost> {
        let broker = self.broker_pid.map(Usage::of).transpose()?;
        Ok(Cost {
            broker_s: broker.zip(self.broker).map(|(now, then)| now.cpu_s - then.cpu_s),
            client_s: Usage::of_ourselves()?.cpu_s - self.client.cpu_s,
            broker_rss_mb: broker.map(|now| now.rss_mb),
        })
    }
}

/// One figure of a round: its name in JSON, its head in the table, its digits after the point, its
/// value if it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) head: &'static str,
    pub(super) digits: usize,
    pub(super) value: Option<f64>,
}

impl Figure {
    pub(super) fn new(
        name: &'static str,
        head: &'static str,
        digits: usize,
        value: impl Into<Option<f64>>,
    ) -> Self {
        Self { name, head, digits, value: value.into() }
    }
}

/// Rounds of the same figures.
#[derive(Debug)]
pub(super) struct Report {
    /// What was done, for JSON.
    what: &'static str,
    rounds: Vec<Vec<Figure>>,
}

impl Report {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, rounds: Vec::new() }
    }

    pub(super) fn add(&mut self, round: Vec<Figure>) {
        self.rounds.push(round);
    }

    /// Writes all rounds, and the median of each figure when there are several.
    pub(super) fn write(&self, format: Format) -> Result<()> {
        print(|out| match format {
            Format::Text => write!(out, "{}", self.table()),
            Format::Jsonl => self.lines().iter().try_for_each(|line| writeln!(out, "{line}")),
        })
    }

    fn labelled(&self) -> Vec<(String, Vec<Figure>)> {
        let mut rows: Vec<_> = self
            .rounds
            .iter()
            .enumerate()
            .map(|(index, round)| ((index + 1).to_string(), round.clone()))
            .collect();
        if self.rounds.len() > 1 {
            rows.push(("median".to_owned(), self.medians()));
        }
        rows
    }

    fn medians(&self) -> Vec<Figure> {
        let median = |index: usize, figure: &Figure| {
            let mut values: Vec<f64> = self.rounds.iter().filter_map(|round| round[index].value).collect();
            values.sort_by(f64::total_cmp);
            let middle = values.len() / 2;
            let value = match values.len() {
                0 => None,
                odd if odd % 2 == 1 => Some(values[middle]),
                _ => Some(f64::midpoint(values[middle - 1], values[middle])),
            };
            Figure { value, ..*figure }
        };
        let first = self.rounds.first().map_or(&[][..], Vec::as_slice);
        first.iter().enumerate().map(|(index, figure)| median(index, figure)).collect()
    }

    fn table(&self) -> Table {
        let heads: Vec<&str> = self.rounds.iter().take(1).flatten().map(|figure| figure.head).collect();
        let mut table = Table::new(&[&["round"][..], &heads].concat());
        for (label, round) in self.labelled() {
            let cell = |figure: &Figure| match figure.value {
                Some(value) => format!("{value:.*}", figure.digits),
                None => "–".to_owned(),
            };
            table.push(std::iter::once(label).chain(round.iter().map(cell)).collect());
        }
        table
    }

    fn lines(&self) -> Vec<String> {
        let line = |(label, round): (String, Vec<Figure>)| {
            let mut object = Map::new();
            object.insert("bench".to_owned(), json!(self.what));
            object.insert("round".to_owned(), json!(label));
            for figure in round {
                object.insert(figure.name.to_owned(), figure.value.map_or(Value::Null, |value| json!(value)));
            }
            Value::Object(object).to_string()
        };
        self.labelled().into_iter().map(line).collect()
    }
}

/// The value that a share `q` of `sorted` does not exceed, by the nearest rank; none of nothing.
pub(super) fn quantile(sorted: &[u64], q: f64) -> Option<u64> {
    let rank = (sorted.len() as f64 * q).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rounds: &[(f64, Option<f64>)]) -> Report {
        let mut report = Report::new("produce");
        for &(speed, cpu) in rounds {
            report.add(vec![
                Figure::new("records_per_s", "records/s", 0, speed),
                Figure::new("broker_cpu_s", "broker CPU s", 3, cpu),
            ]);
        }
        report
    }

    #[test]
    fn rounds_line_up_and_their_median_closes_them() {
        let report = report(&[(1000.0, Some(0.1)), (3000.0, None), (2000.0, Some(0.2))]);
        let lines = [
            "round   records/s  broker CPU s",
            "1            1000         0.100",
            "2            3000             –",
            "3            2000         0.200",
            "median       2000         0.150\n",
        ];
        assert_eq!(report.table().to_string(), lines.join("\n"));
    }

    #[test]
    fn json_says_what_is_not_known() {
        let line: Value = serde_json::from_str(&report(&[(1000.0, None)]).lines()[0]).unwrap();
        assert_eq!(
            line,
            json!({"bench": "produce", "round": "1", "records_per_s": 1000.0, "broker_cpu_s": null})
        );
    }

    #[test]
    fn quantiles_are_values_that_occurred() {
        let sorted: Vec<u64> = (1..=1000).collect();
        assert_eq!(quantile(&sorted, 0.5), Some(500));
        assert_eq!(quantile(&sorted, 0.99), Some(990));
        assert_eq!(quantile(&sorted, 0.999), Some(999));
        assert_eq!(quantile(&sorted, 1.0), Some(1000));
        assert_eq!(quantile(&sorted, 0.0), Some(1));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
