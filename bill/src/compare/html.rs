//! A comparison as one page that needs nothing else: words, plots as SVG, tables. And the plots
//! alone, as a picture.

use text::grouped;

use super::report::{BusinessReport, Curve, Report, VERDICTS, minute, names, range};
use super::{Source, Span};
use crate::lines::{Figure, Line};
use crate::part::Breakdown;
use crate::verdict::LaneVerdict;

/// The plot's size, and the space left for its labels, in the picture's own units.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 18.0;
const BOTTOM: f64 = 46.0;
/// The height of the row that says what colours mean.
const LEGEND: f64 = 32.0;

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut body = String::new();
    let source = match &report.source {
        Source::Simulated { seed } => format!("a simulated log (seed {seed})"),
        Source::File { path } => format!("the recorded log <code>{}</code>", escape(path)),
    };
    body += &format!(
        "<h1>What does waiting cost?</h1>\n<p class=\"lead\">The same events, the same logic, the same past; only the moment of answering differs. \
         The <b>stream</b> answers each event when it happens. The <b>batch job</b> runs at the end of each period, so what it knows is up to \
         one period old. Each point of a plot is the same events ({source}), answered at another period and held against what truly happened.</p>\n",
    );
    body += "<p class=\"note\">All of it is <b>simulated</b>: the shapes of the curves are the lesson, not the amounts. Nobody's \
             answers were tuned for this page. Where batch is equivalent it says so, and where the cases are too few to tell it says that.</p>\n";
    for business in &report.businesses {
        body += &format!("<section>\n<h2>{}</h2>\n{}\n", business.part.question, business.part.lesson);
        for curve in &business.curves {
            body += &format!(
                "<figure>\n<figcaption><b>{}</b> <span class=\"cases\">{}</span></figcaption>\n{}\n</figure>\n<p>{}</p>\n{}",
                capital(curve.measure.title),
                cases(business, curve),
                plot(business, curve),
                escape(&curve.sentence(&business.span)),
                table(business, curve),
            );
        }
        if let Some(breakdown) = &business.part.breakdown {
            body += &counts_table(&business.span, breakdown, &business.details);
        }
        body += "</section>\n";
    }
    for words in report.longer_words() {
        body += &format!("<p class=\"note\">{}</p>\n", escape(&words));
    }
    body += &how_to_read(report);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>What waiting costs · Freshet</title>\n<style>\n:root {{{LIGHT}}}\n{STYLE}{PLOT_STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

/// All plots of a comparison, two in a row, as one SVG on white paper.
pub fn picture(report: &Report) -> String {
    let curves: Vec<(&BusinessReport, &Curve)> = report
        .businesses
        .iter()
        .flat_map(|business| business.curves.iter().map(move |curve| (business, curve)))
        .collect();
    let (cell, rows) = (HEIGHT + 40.0, curves.len().div_ceil(2));
    // Programs that draw SVG outside a browser know no variables.
    let style = LIGHT
        .split(';')
        .filter_map(|pair| pair.split_once(':'))
        .fold(PLOT_STYLE.to_owned(), |style, (name, colour)| {
            style.replace(&format!("var({})", name.trim()), colour.trim())
        });
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\">\n\
         <style>\n{style}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        2.0 * WIDTH,
        cell * rows as f64 + LEGEND,
    );
    for (place, (business, curve)) in curves.into_iter().enumerate() {
        svg += &format!(
            "<g transform=\"translate({},{})\">\n<text x=\"24\" y=\"24\" font-size=\"16\" font-weight=\"bold\">{}</text>\
             <text class=\"tick\" x=\"{}\" y=\"24\" text-anchor=\"end\">{}</text>\n<g transform=\"translate(0,34)\">{}</g>\n</g>\n",
            WIDTH * (place % 2) as f64,
            cell * (place / 2) as f64,
            escape(&capital(curve.measure.title)),
            WIDTH - RIGHT,
            cases(business, curve),
            plot(business, curve).replacen(
                "<svg ",
                &format!("<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" "),
                1
            ),
        );
    }
    svg + &legend(cell * rows as f64) + "</svg>\n"
}

/// What the colours of the points mean, in a row of the picture at this height.
fn legend(top: f64) -> String {
    let step = (2.0 * WIDTH - LEFT) / COLOURS.len() as f64;
    let one = |(place, (class, words)): (usize, &(&str, &str))| {
        let (x, y) = (LEFT + step * place as f64, top + LEGEND / 2.0);
        format!(
            "<g class=\"{class}\"><circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/></g><text x=\"{:.1}\" y=\"{:.1}\">{words}</text>\n",
            x + 12.0,
            y + 4.0
        )
    };
    COLOURS.iter().enumerate().map(one).collect()
}

/// How many cases a curve rests on, and how long that took.
fn cases(business: &BusinessReport, curve: &Curve) -> String {
    format!("{} {} in {}", grouped(curve.cases), curve.measure.cases, business.span.length())
}

fn how_to_read(report: &Report) -> String {
    let spans = report.spans().into_iter().fold(String::new(), |spans, (span, businesses)| {
        spans
            + &format!(
                "<li>The events of {} run from {} to {} (UTC, simulated), and cases are judged from {} on.</li>\n",
                names(&businesses),
                minute(span.start),
                minute(span.end),
                minute(span.judged_from),
            )
    });
    let colours = COLOURS.map(|(class, words)| format!("<span class=\"dot {class}\">●</span> {words}"));
    let margins: Vec<String> = report
        .businesses
        .iter()
        .flat_map(|business| &business.curves)
        .filter_map(|curve| {
            let (_, line) = curve.points.first()?;
            Some(format!("{} {}", escape(curve.measure.title), line.margin_words()))
        })
        .collect();
    format!(
        "<section>\n<h2>How to read this</h2>\n<ul>\n{spans}\
         <li>Cases are judged from when every period that fits has finished a run, so all are judged on the same cases.</li>\n\
         <li>The colour of a point: {}.</li>\n\
         <li>{VERDICTS} The margins: {}.</li>\n\
         <li>A bar shows the 95 % interval of the figure (bootstrap, cases resampled by trip, card and visit). Whether a \
         period differs from the stream is judged by the interval of their <i>difference</i> on the same cases, which is narrower than two bars side by side.</li>\n\
         <li>A batch answer counts from the end of its period on, as if jobs took no time. A real job takes some, and starts late.</li>\n\
         <li>Money is what was approved to fraudsters, plus what each declined honest customer costs: 5.00 and 2&nbsp;% of the amount, unless told otherwise.</li>\n\
         </ul>\n<p>Made by <code>freshet compare</code>. The same log gives this page again, to the byte.</p>\n</section>\n",
        colours.join("; "),
        margins.join("; "),
    )
}

/// One point of a plot.
struct Point<'a> {
    name: String,
    figure: &'a Figure,
    /// None for the stream.
    line: Option<&'a Line>,
}

impl Point<'_> {
    fn class(&self) -> &'static str {
        match self.line.map(|line| line.verdict) {
            None => "stream",
            Some(LaneVerdict::StreamWins) => "costs",
            Some(LaneVerdict::BatchWins) => "wins",
            Some(LaneVerdict::AsGood) => "as-good",
            Some(LaneVerdict::TooFew { .. }) => "too-few",
        }
    }
}

/// The classes of points, and what their colours mean.
const COLOURS: [(&str, &str); 5] = [
    ("stream", "the stream"),
    ("costs", "waiting costs something"),
    ("as-good", "batch is equivalent, within the margin"),
    ("too-few", "no significant difference yet"),
    ("wins", "batch does better"),
];

fn points<'a>(business: &BusinessReport, curve: &'a Curve) -> Vec<Point<'a>> {
    let stream = Point { name: "0s".to_owned(), figure: &curve.stream, line: None };
    let batch = curve.points.iter().map(|(period_ms, line)| Point {
        name: business.span.marked(*period_ms),
        figure: &line.batch,
        line: Some(line),
    });
    std::iter::once(stream).chain(batch).collect()
}

fn plot(business: &BusinessReport, curve: &Curve) -> String {
    let points = points(business, curve);
    let measure = curve.measure;
    let top = points.iter().map(|point| point.figure.high.unwrap_or(point.figure.value)).fold(0.0, f64::max);
    let ticks = ticks(top);
    let most = ticks.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
    let step = (WIDTH - LEFT - RIGHT) / points.len() as f64;
    let x = |place: usize| LEFT + step * (place as f64 + 0.5);
    let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - value / most);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{} by period\">\n",
        escape(measure.title)
    );
    for tick in &ticks {
        let at = y(*tick);
        svg += &format!(
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            (measure.tick)(*tick),
        );
    }
    let level = y(curve.stream.value);
    svg += &format!(
        "<line class=\"level\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{level:.1}\" y2=\"{level:.1}\"/>\n",
        WIDTH - RIGHT
    );
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(place, point)| format!("{:.1},{:.1}", x(place), y(point.figure.value)))
        .collect();
    svg += &format!("<polyline class=\"curve\" points=\"{}\"/>\n", path.join(" "));
    for (place, point) in points.iter().enumerate() {
        let (at, figure) = (x(place), point.figure);
        svg += &format!(
            "<g class=\"{}\"><title>{}: {}",
            point.class(),
            escape(&point.name),
            (measure.amount)(figure.value)
        );
        if figure.low.is_some() {
            svg += &format!(" ({})", range(measure, figure));
        }
        if let Some(line) = point.line {
            svg += &format!(", {}", escape(&line.verdict_words()));
        }
        svg += "</title>";
        if let (Some(low), Some(high)) = (figure.low, figure.high) {
            let (low, high) = (y(low), y(high));
            let (left, right) = (at - 5.0, at + 5.0);
            svg += &format!(
                "<path class=\"bar\" d=\"M{left:.1} {high:.1}H{right:.1}M{at:.1} {high:.1}V{low:.1}M{left:.1} {low:.1}H{right:.1}\"/>"
            );
        }
        svg += &format!("<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"5\"/></g>\n", y(figure.value));
        svg += &format!(
            "<text class=\"name\" x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            HEIGHT - BOTTOM + 20.0,
            escape(&point.name)
        );
    }
    svg += &format!(
        "<text class=\"axis\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">how often the job runs (0s: the stream, dashed)</text>\n</svg>",
        LEFT + (WIDTH - LEFT - RIGHT) / 2.0,
        HEIGHT - 8.0
    );
    svg
}

/// From zero to at least `top` in round steps.
fn ticks(top: f64) -> Vec<f64> {
    if !(top.is_finite() && top > 0.0) {
        return vec![0.0, 1.0];
    }
    let rough = top / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|m| m * power >= rough).unwrap_or(10.0) * power;
    (0..=(top / step).ceil() as usize).map(|n| n as f64 * step).collect()
}

fn table(business: &BusinessReport, curve: &Curve) -> String {
    let measure = curve.measure;
    let mut rows = format!(
        "<tr><td>0s, the stream</td><td>{}</td><td>{}</td><td></td><td></td><td></td></tr>\n",
        (measure.amount)(curve.stream.value),
        range(measure, &curve.stream)
    );
    for (period_ms, line) in &curve.points {
        rows += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            business.span.marked(*period_ms),
            (measure.amount)(line.batch.value),
            range(measure, &line.batch),
            (measure.amount)(line.waiting.value),
            range(measure, &line.waiting),
            escape(&line.verdict_words()),
        );
    }
    format!(
        "<details><summary>The numbers</summary>\n<table>\n<tr><th>period</th><th>cost</th><th>95 %</th><th>beyond the stream</th><th>95 %</th><th></th></tr>\n{rows}</table></details>\n"
    )
}

fn counts_table(span: &Span, breakdown: &Breakdown, details: &[(i64, serde_json::Value)]) -> String {
    let heads = breakdown.heads.join("</th><th>");
    let mut rows = String::new();
    for (period_ms, counts) in details {
        let name = match period_ms {
            0 => "0s, the stream".to_owned(),
            _ => span.marked(*period_ms),
        };
        let cells = (breakdown.cells)(counts).join("</td><td>");
        rows += &format!("<tr><td>{name}</td><td>{cells}</td></tr>\n");
    }
    format!(
        "<details><summary>{}</summary>\n<table>\n<tr><th>period</th><th>{heads}</th></tr>\n{rows}</table></details>\n",
        breakdown.title
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Colours are Okabe and Ito's, which most people can tell apart.
const LIGHT: &str = " --ink: #1b1f24; --paper: #ffffff; --faint: #6a737d; --grid: #e3e6ea; --stream: #0072b2; --costs: #d55e00; --as-good: #009e73; --wins: #cc79a7; ";

/// How a page looks around its plots, by day and by night.
const STYLE: &str = "\
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --faint: #98a2ad; --grid: #2b3036; --stream: #56b4e9; --costs: #e69f00; --as-good: #2fc597; --wins: #e0a3c5; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 2.1rem; line-height: 1.15; margin: 0 0 1rem; }
h2 { font-size: 1.35rem; margin: 2.6rem 0 .4rem; }
.lead { font-size: 1.1rem; }
.note { border-left: 4px solid var(--grid); padding-left: .9rem; color: var(--faint); }
figure { margin: 1.4rem 0 .4rem; }
figcaption .cases { color: var(--faint); margin-left: .5rem; }
svg { width: 100%; height: auto; display: block; font: 13px system-ui, sans-serif; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0 1rem; }
th { text-align: left; font-weight: 600; } th, td { padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--grid); font-variant-numeric: tabular-nums; }
details { color: var(--faint); } summary { cursor: pointer; }
.dot.stream { color: var(--stream); } .dot.costs { color: var(--costs); } .dot.as-good { color: var(--as-good); } .dot.too-few { color: var(--faint); } .dot.wins { color: var(--wins); }
code { font-size: .92em; }
";

/// How the plots look.
const PLOT_STYLE: &str = "\
svg text { fill: var(--ink); }
svg .tick, svg .axis { fill: var(--faint); }
.grid { stroke: var(--grid); }
.level { stroke: var(--stream); stroke-dasharray: 5 4; opacity: .8; }
.curve { fill: none; stroke: var(--faint); stroke-width: 1.5; opacity: .6; }
.bar { fill: none; stroke-width: 2; }
.stream circle { fill: var(--stream); } .stream .bar { stroke: var(--stream); }
.costs circle { fill: var(--costs); } .costs .bar { stroke: var(--costs); }
.as-good circle { fill: var(--as-good); } .as-good .bar { stroke: var(--as-good); }
.too-few circle { fill: var(--paper); stroke: var(--faint); stroke-width: 2; } .too-few .bar { stroke: var(--faint); }
.wins circle { fill: var(--wins); } .wins .bar { stroke: var(--wins); }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(9.7), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(ticks(0.0), [0.0, 1.0]);
        for top in [0.013, 1.0, 3.9, 87.0, 1_234_567.0] {
            let ticks = ticks(top);
            assert!((3..=6).contains(&ticks.len()), "{top}: {ticks:?}");
            assert!(ticks.last().is_some_and(|last| *last >= top * 0.999_999), "{top}: {ticks:?}");
        }
    }

    /// A batch lane that lost four times as much on 71 frauds is not equivalent, nor is its point
    /// green.
    #[test]
    fn a_point_of_too_few_cases_is_hollow_and_never_that_of_as_good() {
        let at = |hour| events::Timestamp::from_ms(hour * events::HOUR_MS);
        let figure = |value, ends: Option<(f64, f64)>| Figure {
            value,
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
        };
        let line = |verdict| Line {
            measure: &crate::MONEY_CENTS,
            stream: figure(82_800.0, None),
            batch: figure(324_000.0, None),
            waiting: figure(241_200.0, Some((-9_000.0, 500_000.0))),
            cases: 14_000,
            evidence: 71,
            margin: 7_000.0,
            verdict,
        };
        let points = vec![
            (60_000, line(LaneVerdict::TooFew { needed: Some(84) })),
            (900_000, line(LaneVerdict::AsGood)),
        ];
        let curve =
            Curve { measure: &crate::MONEY_CENTS, cases: 14_000, stream: figure(82_800.0, None), points };
        let span = Span { start: at(0), end: at(36), judged_from: at(1) };
        let curves = vec![curve];
        let part = &crate::PAYMENTS;
        let business = BusinessReport { part, span, events: 1, truths: 1, curves, details: Vec::new() };
        let report = Report { source: Source::Simulated { seed: 7 }, businesses: vec![business] };
        for drawn in [page(&report), picture(&report)] {
            let class = |words: &str| {
                let (before, _) = drawn.split_once(words).unwrap_or_else(|| panic!("no {words} in {drawn}"));
                let (_, class) = before.rsplit_once("<g class=\"").expect("a point has a class");
                class.split('"').next().unwrap_or_default().to_owned()
            };
            assert_eq!(class("no significant difference yet: 71 frauds; about 84 needed</title>"), "too-few");
            assert_eq!(class("equivalent, within ±$70.00</title>"), "as-good");
            assert!(drawn.contains("14,000 swipes in 36 hours"), "{drawn}");
        }
        assert!(picture(&report).contains(".too-few circle { fill: #ffffff;"), "hollow");
        let sentence = report.businesses[0].curves[0].sentence(&span);
        assert_eq!(
            sentence,
            "Batch is equivalent to the stream, within ±$70.00, at 15m; \
             no significant difference with 71 frauds at 1m (about 84 needed); run longer to tell."
        );
    }
}
