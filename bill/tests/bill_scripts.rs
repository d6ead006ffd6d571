//! Runs the stories in `bill_scripts/`: how being late becomes money, case by case. After a change,
//! look at what `UPDATE_GOLDENFILES=1 cargo test -p bill --test bill_scripts` changes in them.

use std::error::Error;

use bill::{Bill, Lane, PAYMENTS, Terms};
use events::{Batched, Decision, Event, FraudDecision, SimulationTruth, Timestamp};

/// What a script can say. Clocks are of one day, `"14:20:00"`.
#[derive(goldenscript::Command)]
enum Command {
    /// The stream answers a swipe, so many milliseconds after it was sent: `decide s1 decline`.
    Decide {
        swipe: String,
        decision: String,
        #[arg(key)]
        after_ms: Option<i64>,
    },
    /// A batch run ends at an instant, and has raised an alarm for a card:
    /// `run "15:00:10" alarm=stolen`.
    Run {
        at: String,
        #[arg(key)]
        alarm: String,
    },
    /// Judges all swipes up to an instant, and shows the bill so far.
    Settle { until: String },
    /// A card is presented: `swipe s1 stolen "14:10:00" 100.00 fraud`.
    Swipe {
        id: String,
        card: String,
        at: String,
        dollars: f64,
        #[arg(optional)]
        fraud: String,
    },
}

struct Runner {
    bill: Bill,
    /// When each swipe was sent, and its card.
    swipes: Vec<(String, Timestamp, String)>,
}

fn at(clock: &str) -> Result<Timestamp, Box<dyn Error>> {
    Ok(format!("2026-03-03T{clock}Z").parse()?)
}

fn decision(ts: Timestamp, swipe_id: &str, card_id: &str, decision: Decision) -> FraudDecision {
    FraudDecision {
        ts,
        swipe_id: swipe_id.to_owned(),
        card_id: card_id.to_owned(),
        decision,
        probability: if decision == Decision::Decline { 0.9 } else { 0.1 },
        reasons: Vec::new(),
        scored_in_us: None,
    }
}

/// What each lane's answers came to, and the bill's lines.
fn show(bill: &Bill) -> String {
    let breakdown = PAYMENTS.breakdown.as_ref().expect("the payments part tells its counts");
    let mut output = String::new();
    for (_, part) in bill.parts() {
        for (name, lane) in [("stream", Lane::Stream), ("batch", Lane::Batch)] {
            output += &format!("{name}: {}\n", (breakdown.sentence)(&part.counts(lane)));
        }
    }
    bill.lines().iter().fold(output, |output, line| output + &line.sentence() + "\n")
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        match command {
            Command::Swipe { id, card, at: clock, dollars, fraud } => {
                let ts = at(clock)?;
                let truth = SimulationTruth::Swipe {
                    ts,
                    id: id.clone(),
                    card_id: card.clone(),
                    amount_cents: (dollars * 100.0).round() as i64,
                    pattern: (!fraud.is_empty()).then(|| fraud.clone()),
                };
                self.bill.observe(&Event::from(truth), ts, ts.ms());
                self.swipes.push((id.clone(), ts, card.clone()));
            }
            Command::Decide { swipe, decision: said, after_ms } => {
                let said = match said.as_str() {
                    "approve" => Decision::Approve,
                    "decline" => Decision::Decline,
                    other => return Err(format!("approve or decline, not {other}").into()),
                };
                let known = self.swipes.iter().find(|(id, ..)| id == swipe);
                let (_, ts, card) = known.ok_or_else(|| format!("no swipe {swipe}"))?;
                let wall_ms = ts.ms() + after_ms.unwrap_or(5);
                let answer = decision(*ts, swipe, card, said);
                self.bill.observe(&Event::from(answer), *ts, wall_ms);
            }
            Command::Run { at: clock, alarm } => {
                let over = at(clock)?;
                let answer = decision(over, "one of its swipes", alarm, Decision::Decline);
                let batched = Batched { answer, batch_id: "fraud".to_owned(), valid_from: over };
                self.bill.observe(&Event::from(batched), over, over.ms());
            }
            Command::Settle { until } => {
                self.bill.settle(at(until)?);
                return Ok(show(&self.bill));
            }
        }
        Ok(String::new())
    }
}

#[test]
fn payments() {
    let mut runner =
        Runner { bill: Bill::new(&[&PAYMENTS], &Terms::from(Timestamp::MIN)), swipes: Vec::new() };
    goldenscript::run(&mut runner, "tests/bill_scripts/payments").expect("the script runs");
}
