//! How good the recommendations are: answer, then see what is clicked, then learn (prequential
//! evaluation).
//!
//! ```text
//! cargo run --release -p consumers --example recommendations_report [-- HOURS [SEED | LOG.jsonl]]
//! ```
//! Without a log it reads the simulated shop (by default 24 hours of the usual seed); a
//! log is lines of `freshet record`, of which those of the topic `clicks` are read.
//!
//! A view is *novel* if its item is new to the session. A page is a hit if the next novel item is
//! on it; MRR is the mean of one over its place. First clicks of a session are asked of the page
//! for a shopper without a session.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::time::Instant;

use consumers::recommendations::{
    Blend, HourlyRecommendations, Interest, RecommendationsConfig, RecommendationsProcessor,
};
use events::{Click, ClickKind, Event, HOUR_MS, PAGE_ITEMS, Recommendations, SimulationTruth, Topic};
use processor::Processor;
use producers::shop::{Shop, ShopConfig};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let hours = arguments.first().map_or(Ok(24), |hours| hours.parse())?;
    let seed = ShopConfig::default().seed;
    let (log, whence) = match arguments.get(1).map(|what| (what, what.parse())) {
        None => (ClickLog::generate(hours, seed), format!("simulated shop, seed {seed}, {hours} hours")),
        Some((_, Ok(seed))) => {
            (ClickLog::generate(hours, seed), format!("simulated shop, seed {seed}, {hours} hours"))
        }
        Some((path, Err(_))) => (ClickLog::read(path)?, path.clone()),
    };
    println!(
        "{whence}: {} clicks, {} sessions, {} items",
        log.clicks.len(),
        log.count(|c| &c.session_id),
        log.items().len()
    );

    let config = RecommendationsConfig::default();
    println!(
        "\n{:<34} {:>7} {:>7}  {:>7} {:>9} {:>9}",
        "", "hit@20", "mrr@20", "first", "trending", "coverage"
    );
    log.stream("session model (stream)", config.clone()).print();
    log.popularity(&config).print();
    for column in log.hourly(config.clone()) {
        column.print();
    }

    println!("\nwithout one of its parts, or with each alone");
    let all = config.blend;
    let blends = [
        ("no neighbours", Blend { neighbours: 0.0, ..all }),
        ("no companions", Blend { companions: 0.0, ..all }),
        ("no trending", Blend { trending: 0.0, ..all }),
        ("neighbours alone", Blend { companions: 0.0, trending: 0.0, ..all }),
        ("companions alone", Blend { neighbours: 0.0, trending: 0.0, ..all }),
    ];
    for (name, blend) in blends {
        log.judged_pages(name, RecommendationsConfig { blend, ..config.clone() }).print();
    }

    println!(
        "\nsigns of interest: without any, and without each. No shop has published hovers, scrolls and dwell times; in the\n\
         simulated shop they follow interest by assumption, so there a gain from them is a property of our generator"
    );
    let all = config.interest;
    let interests = [
        ("no sign at all", Interest::NONE),
        ("no hover", Interest { hover: 0.0, ..all }),
        ("no dwell", Interest { dwell: 0.0, ..all }),
        ("no scroll", Interest { scroll: 0.0, ..all }),
        ("no cart", Interest { add_to_cart: 0.0, ..all }),
        ("no purchase", Interest { purchase: 0.0, ..all }),
    ];
    for (name, interest) in interests {
        log.judged_pages(name, RecommendationsConfig { interest, ..config.clone() }).print();
    }
    Ok(())
}

/// Clicks, with what the processors are not told.
struct ClickLog {
    clicks: Vec<Event>,
    trending: HashSet<String>,
    bots: HashSet<String>,
}

impl ClickLog {
    fn generate(hours: i64, seed: u64) -> Self {
        let config = ShopConfig { seed, ..ShopConfig::default() };
        let end = config.start.plus_ms(hours * HOUR_MS);
        let mut log = Self { clicks: Vec::new(), trending: HashSet::new(), bots: HashSet::new() };
        for sent in Shop::new(config).take_while(|sent| sent.at < end) {
            match sent.event {
                Event::SimulationTruth(SimulationTruth::Intent { id, session_id, trending, bot, .. }) => {
                    if trending {
                        log.trending.insert(id);
                    }
                    if bot {
                        log.bots.insert(session_id);
                    }
                }
                event => log.clicks.push(event),
            }
        }
        log
    }

    fn read(path: &str) -> Result<Self, Failure> {
        #[derive(serde::Deserialize)]
        struct Line {
            topic: String,
            value: Box<serde_json::value::RawValue>,
        }
        let mut log = Self { clicks: Vec::new(), trending: HashSet::new(), bots: HashSet::new() };
        for line in std::io::BufReader::new(std::fs::File::open(path)?).lines() {
            let line: Line = serde_json::from_str(&line?)?;
            if line.topic == Topic::Clicks.name() {
                log.clicks.push(Event::parse(Topic::Clicks, line.value.get().as_bytes())?);
            }
        }
        Ok(log)
    }

    fn clicks(&self) -> impl Iterator<Item = (&Event, &Click)> {
        self.clicks.iter().map(|event| match event {
            Event::Clicks(click) => (event, click),
            other => unreachable!("only clicks were kept: {other:?}"),
        })
    }

    fn count(&self, field: impl Fn(&Click) -> &String) -> usize {
        self.clicks().map(|(_, click)| field(click)).collect::<HashSet<_>>().len()
    }

    fn items(&self) -> HashSet<&str> {
        self.clicks().filter_map(|(_, click)| click.item_id.as_deref()).collect()
    }

    /// The streaming answer, with how long it took.
    fn stream(&self, name: &str, config: RecommendationsConfig) -> Column<'_> {
        let mut processor = RecommendationsProcessor::new(config);
        let mut column = Column::new(name, self);
        let mut answers = Vec::new();
        for (event, click) in self.clicks() {
            column.judge(click);
            answers.clear();
            let asked = now();
            processor.process(event, &mut answers);
            column.took.push(asked.elapsed().as_nanos() as u64);
            for answer in answers.drain(..) {
                if let Event::Recommendations(page) = answer {
                    column.publish(page);
                }
            }
        }
        column
    }

    /// The same without the pages that are replaced before they are judged: a third of the time, no
    /// coverage.
    fn judged_pages(&self, name: &str, config: RecommendationsConfig) -> Column<'_> {
        let mut processor = RecommendationsProcessor::new(config);
        let mut column = Column::new(name, self);
        let mut answers = Vec::new();
        for ((event, click), looked_at) in self.clicks().zip(self.looked_at()) {
            column.judge(click);
            if !looked_at {
                processor.learn(click);
                continue;
            }
            processor.process(event, &mut answers);
            for answer in answers.drain(..) {
                if let Event::Recommendations(page) = answer {
                    column.publish(page);
                }
            }
        }
        column.shown.clear();
        column
    }

    /// For each click, whether the page that answers it is the one that a later view is judged by.
    fn looked_at(&self) -> Vec<bool> {
        let mut looked_at = vec![false; self.clicks.len()];
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut seen = HashSet::new();
        let mut met: HashMap<&str, HashSet<&str>> = HashMap::new();
        for (place, (_, click)) in self.clicks().enumerate() {
            let session = click.session_id.as_str();
            if let Some(item) = click.item_id.as_deref() {
                let new = met.entry(session).or_default().insert(item);
                if let Some(&page) = last.get(session).filter(|_| new && click.kind == ClickKind::View) {
                    looked_at[page] = true;
                }
            }
            // A duplicate is not answered.
            if click.event_id.as_deref().is_none_or(|id| seen.insert((session, id))) {
                last.insert(session, place);
            }
        }
        looked_at
    }

    /// The baseline: the most popular items that the session has not met.
    fn popularity(&self, config: &RecommendationsConfig) -> Column<'_> {
        let blend = Blend { neighbours: 0.0, companions: 0.0, ..config.blend };
        let mut column =
            self.stream("popularity alone (floor)", RecommendationsConfig { blend, ..config.clone() });
        column.took.clear();
        column
    }

    /// Both columns of the hourly job.
    fn hourly(&self, config: RecommendationsConfig) -> [Column<'_>; 2] {
        let mut processor = HourlyRecommendations::new(config, HOUR_MS);
        let mut batch = Column::new("page an hour old (full batch)", self);
        let mut stale = Column::new("model an hour old, live session", self);
        let mut answers = Vec::new();
        for (event, click) in self.clicks() {
            // A period that this click ends was published before it.
            processor.process(event, &mut answers);
            let mut own = Vec::new();
            for answer in answers.drain(..) {
                match answer {
                    Event::RecommendationsBatch(page) => batch.publish(page.0.answer),
                    Event::RecommendationsStale(page) if page.0.answer.session_id.is_empty() => {
                        stale.publish(page.0.answer);
                    }
                    Event::RecommendationsStale(page) => own.push(page.0.answer),
                    _ => {}
                }
            }
            batch.judge(click);
            stale.judge(click);
            for page in own {
                stale.publish(page);
            }
        }
        [batch, stale]
    }
}

/// One way of answering, judged.
struct Column<'a> {
    name: String,
    log: &'a ClickLog,
    pages: HashMap<String, Vec<String>>,
    met: HashMap<String, HashSet<String>>,
    shown: HashSet<String>,
    novel: Tally,
    first: Tally,
    trending: Tally,
    took: Vec<u64>,
}

#[derive(Default)]
struct Tally {
    cases: u64,
    hits: u64,
    reciprocal: f64,
}

impl<'a> Column<'a> {
    fn new(name: &str, log: &'a ClickLog) -> Self {
        Self {
            name: name.to_owned(),
            log,
            pages: HashMap::new(),
            met: HashMap::new(),
            shown: HashSet::new(),
            novel: Tally::default(),
            first: Tally::default(),
            trending: Tally::default(),
            took: Vec::new(),
        }
    }

    /// A click has come: was it on the page that stood there?
    fn judge(&mut self, click: &Click) {
        let Some(item) = &click.item_id else { return };
        if self.log.bots.contains(&click.session_id) {
            return;
        }
        let is_first = !self.met.contains_key(&click.session_id);
        let met = self.met.entry(click.session_id.clone()).or_default();
        if !met.insert(item.clone()) || click.kind != ClickKind::View {
            return;
        }
        // A session without a page of its own sees the front page.
        let own = if is_first { None } else { self.pages.get(&click.session_id) };
        let page = own.or_else(|| self.pages.get(""));
        // An item that the session has met is no hit, and takes no place.
        let place = page.and_then(|page| {
            page.iter()
                .filter(|shown| *shown == item || !met.contains(*shown))
                .position(|shown| shown == item)
        });
        if is_first {
            self.first.add(place);
        } else {
            self.novel.add(place);
            if click.event_id.as_ref().is_some_and(|id| self.log.trending.contains(id)) {
                self.trending.add(place);
            }
        }
    }

    fn publish(&mut self, page: Recommendations) {
        assert!(page.items.len() <= PAGE_ITEMS, "a page holds {PAGE_ITEMS}");
        for item in &page.items {
            if !self.shown.contains(item) {
                self.shown.insert(item.clone());
            }
        }
        self.pages.insert(page.session_id, page.items);
    }

    fn print(mut self) {
        let coverage = match self.shown.len() {
            0 => "–".to_owned(),
            shown => format!("{:.3}", shown as f64 / self.log.items().len() as f64),
        };
        print!(
            "{:<34} {:>7.4} {:>7.4}  {:>7} {:>9} {:>9}",
            self.name,
            self.novel.rate(),
            self.novel.reciprocal / self.novel.cases.max(1) as f64,
            self.first.text(),
            self.trending.text(),
            coverage
        );
        self.took.sort_unstable();
        if let Some(last) = self.took.len().checked_sub(1) {
            let at = |q: f64| self.took[(last as f64 * q) as usize] as f64 / 1_000.0;
            print!("   {:.1} µs at the median, {:.1} at p99", at(0.5), at(0.99));
        }
        println!("   n = {}", self.novel.cases);
    }
}

impl Tally {
    fn add(&mut self, place: Option<usize>) {
        self.cases += 1;
        self.hits += u64::from(place.is_some());
        self.reciprocal += place.map_or(0.0, |place| 1.0 / (place as f64 + 1.0));
    }

    fn rate(&self) -> f64 {
        self.hits as f64 / self.cases.max(1) as f64
    }

    /// The hit rate, or a dash if there was no case.
    fn text(&self) -> String {
        if self.cases == 0 { "–".to_owned() } else { format!("{:.4}", self.rate()) }
    }
}

#[expect(clippy::disallowed_methods, reason = "the report measures how long an answer takes")]
fn now() -> Instant {
    Instant::now()
}
