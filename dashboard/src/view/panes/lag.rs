//! The lag: how far behind each consumer group is, in records and in seconds, and its trend.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, age, maybe_duration, number, plural, short, with_currency};
use crate::snapshot::{Group, GroupState, Member, Snapshot, Trend, Worker, WorkerState};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::{Item, workers_of};
use crate::view::lesson::stale_ms;
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::{list, per_second, split_below};
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use crate::view::trend::{lag_role, trend, waiting};
use text::{clean, fit_id, text_width};

/// The columns of `  +12 behind`.
const MORE_CELLS: u16 = 12;

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let groups = &snapshot.groups.data;
    let Some(mut inside) = open(
        pen,
        state,
        Pane::Lag,
        area,
        &snapshot.groups.source,
        Border { note: "records and seconds behind, by commits".into(), ..Border::default() },
    ) else {
        return;
    };
    let longest = groups.iter().map(|group| text_width(&clean(&group.id))).max().unwrap_or(0);
    let name = longest.clamp(6, 24).min(inside.width / 3);
    let rows = state.rows(Pane::Lag);
    if let Some(below) = split_below(&mut inside, rows.len(), 0)
        && let Some(at) = state.selected_group().or(groups.first().map(|_| 0))
    {
        chart(pen, &groups[at], below);
    }
    list(pen, state, Pane::Lag, inside, &rows, |pen, line, row| match row.item {
        Item::Group(at) => {
            let opened = state.expanded.contains(&groups[at].id);
            group(pen, snapshot, &groups[at], name, opened, line);
        }
        Item::Worker(at) => worker(pen, &snapshot.workers.data[at], snapshot, line),
        Item::Member(at, which) => member(pen, &groups[at].members[which], line),
        Item::Topic(_) | Item::Silent(_) | Item::Partition(..) | Item::Entry(_) => {}
    });
}

/// The lag on one line: who is behind, the worst first, how many more there is no room for, and of
/// the others the worst. Jobs that wait for their next run are not behind.
pub(crate) fn line(pen: &mut Pen, snapshot: &Snapshot, line: Rect) {
    pen.faded = stale_ms(&snapshot.groups.source).is_some();
    let mut groups: Vec<&Group> = snapshot.groups.data.iter().collect();
    groups.retain(|group| !matches!(group.trend, Trend::Scheduled { .. }));
    groups.sort_by(|a, b| b.lag_ms.unwrap_or(0.0).total_cmp(&a.lag_ms.unwrap_or(0.0)));
    let (behind, others): (Vec<&Group>, Vec<&Group>) = groups.into_iter().partition(|group| is_behind(group));
    let room = line.width.saturating_sub(2);
    let mut pieces: Pieces = vec![("lag".into(), Role::Dim)];
    for (at, group) in behind.iter().enumerate() {
        let (glyph, role) = trend(group.trend, true);
        let glyph: String = glyph.chars().take(1).collect();
        let records = group.lag_records.map_or(UNKNOWN.into(), |lag| short(lag as f64));
        let words = format!(
            "  {glyph} {} {records}, {}",
            fit_id(&clean(&group.id), 24),
            age(group.lag_ms, group.lag_is_minimum)
        );
        // Room for how many more there are, where there are more.
        let more = behind.len() - at - 1;
        let reserved = if more > 0 { MORE_CELLS } else { 0 };
        if pieces_width(&pieces) + text_width(&words) + reserved > room {
            pieces.push((format!("  +{} behind", more + 1), Role::Bad));
            break;
        }
        pieces.push((words, role));
    }
    if let Some(worst) = others.first() {
        let most = age(worst.lag_ms, worst.lag_is_minimum);
        let words = if behind.is_empty() {
            format!("  all groups keep up, at most {most} behind")
        } else {
            format!("  others {most} at most")
        };
        pieces.push((words, Role::Dim));
    }
    pen.whole_pieces(line.x + 1, line.y, room, &pieces);
    pen.faded = false;
}

fn group(pen: &mut Pen, snapshot: &Snapshot, group: &Group, name: u16, opened: bool, line: Rect) {
    let y = line.y;
    pen.cell(line.x + 1, y, if opened { '▾' } else { '▸' }, Role::Faint);
    pen.text(line.x + 3, y, name, &group.id, Role::Text);
    let mut x = line.x + 3 + name;
    let records = group.lag_records.map_or(UNKNOWN.into(), |lag| {
        if lag < 100_000 { crate::format::count(lag) } else { short(lag as f64) }
    });
    let role = lag_role(group.trend, group.lag_records);
    pen.right(x + 7, y, 7, &records, role);
    pen.right(x + 15, y, 7, &age(group.lag_ms, group.lag_is_minimum), role);
    x += 17;
    let right = line.right().saturating_sub(1);
    let (words, role) = trend_and_stake(group, right.saturating_sub(x));
    let after = pen.text(x, y, right.saturating_sub(x), &words, role);
    let room = right.saturating_sub(after + 2);
    // All rows use the same wording, so that the column reads as one.
    let [words, word] = membership(snapshot, group);
    let membership = if line.width >= 76 { words } else { word };
    let start = match Some(membership).filter(|pieces| pieces_width(pieces) <= room) {
        Some(pieces) => pen.pieces_right(right, y, room, &pieces),
        None => right,
    };
    // The words of a trend are at most so wide; the sparkline has a column of its own.
    let spark = (x + 26).max(after + 2);
    if start.saturating_sub(spark) > 10 {
        let cells = (start - spark - 2).min(60);
        pen.sparkline(start - 2 - cells, y, cells, &group.lag_history_records, Role::Series);
    }
}

/// The trend, and the money that waits while the group is behind: the longest wording that fits.
/// The words of the trend are kept first, then the money, then numbers that are elsewhere too.
fn trend_and_stake(group: &Group, cells: u16) -> (String, Role) {
    let rebalancing = rebalancing(group.state);
    let briefly = trend(group.trend, true);
    let (full, role) = rebalancing.clone().unwrap_or_else(|| trend(group.trend, false));
    let mut ways = Vec::new();
    if let Some(cents) = group.waiting.as_ref().and_then(|waiting| waiting.cents).filter(|_| is_behind(group))
    {
        let money = with_currency(&short(cents as f64 / 100.0));
        let [stake, brief] = [format!("{money} waiting for a decision"), format!("{money} waiting")];
        let (plain, _) = rebalancing.unwrap_or_else(|| trend(without_number(group.trend), false));
        ways.extend([
            format!("{full}  {stake}"),
            format!("{plain}  {stake}"),
            format!("{full}  {brief}"),
            format!("{plain}  {brief}"),
        ]);
        if plain.ends_with("falling behind") {
            ways.push(format!("{} behind, {brief}", briefly.0));
        }
    }
    ways.push(full);
    // When it is done says more than that it is on its way; a mark alone says nothing.
    ways.extend(Some(briefly.0.clone()).filter(|words| words.contains(' ')));
    ways.push(trend(without_number(group.trend), false).0);
    let words = ways.into_iter().find(|words| text_width(words) <= cells).unwrap_or(briefly.0);
    (words, role)
}

/// A trend without its number.
fn without_number(trend: Trend) -> Trend {
    match trend {
        Trend::FallingBehind { .. } => Trend::FallingBehind { records_per_second: None },
        Trend::Draining { .. } => Trend::Draining { done_in_ms: None },
        other @ (Trend::Unknown
        | Trend::KeepingUp
        | Trend::Dead
        | Trend::NoMembers
        | Trend::Joining
        | Trend::Paused
        | Trend::Scheduled { .. }) => other,
    }
}

/// Whether answers take longer than usual.
fn is_behind(group: &Group) -> bool {
    match group.trend {
        Trend::FallingBehind { .. }
        | Trend::Draining { .. }
        | Trend::Dead
        | Trend::NoMembers
        | Trend::Joining
        | Trend::Paused => true,
        Trend::Unknown | Trend::KeepingUp | Trend::Scheduled { .. } => false,
    }
}

/// One group's lag over the last minutes.
fn chart(pen: &mut Pen, group: &Group, area: Rect) {
    let highest = group.lag_history_records.iter().copied().filter(|lag| lag.is_finite()).reduce(f64::max);
    let mut facts: Pieces = vec![
        (clean(&group.id).into_owned(), Role::Title),
        (format!("  highest lag {} records", number(highest)), Role::Text),
        (format!("  commits {} /s", number(group.committed_per_second)), Role::Dim),
        (
            group.generation.map_or(String::new(), |seen| {
                format!("  {} seen", plural(u64::try_from(seen).unwrap_or(0), "rebalance"))
            }),
            Role::Dim,
        ),
    ];
    // What it means to the business is first while the group is behind, and last otherwise.
    if let Some(words) = waiting(group) {
        let at = if is_behind(group) { 1 } else { facts.len() };
        facts.insert(at, (format!("  {words}"), Role::Truth));
    }
    pen.whole_pieces(area.x + 1, area.y, area.width.saturating_sub(2), &facts);
    let chart =
        Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(1));
    let (_, role) = trend(group.trend, true);
    let role = if role == Role::Good { Role::Series } else { role };
    pen.graph(chart, &group.lag_history_records, role, per_second());
}

/// During a rebalance no member reads, which explains a growing lag better than its trend does.
fn rebalancing(state: GroupState) -> Option<(String, Role)> {
    matches!(state, GroupState::PreparingRebalance | GroupState::CompletingRebalance)
        .then(|| ("⟳ rebalancing".to_string(), Role::Warn))
}

/// How many workers a group has, or that it is the user's; in words, and in a word. Of our workers
/// the running ones count: the coordinator takes a killed one for a member until its session times
/// out, and the jobs of the batch lane never join.
fn membership(snapshot: &Snapshot, group: &Group) -> [Pieces; 2] {
    if !snapshot.title.supervised {
        let members = group.members.len() as u64;
        return [vec![(plural(members, "member"), Role::Dim)], vec![(format!("{members} ×"), Role::Dim)]];
    }
    if !group.ours {
        let words = format!("yours, {}", plural(group.members.len() as u64, "member"));
        return [vec![(words, Role::Paused)], vec![("yours".into(), Role::Paused)]];
    }
    let is_dead = |worker: &Worker| matches!(worker.state, WorkerState::Dead { .. });
    let all = workers_of(snapshot, group).count() as u64;
    let dead = workers_of(snapshot, group).filter(|(_, worker)| is_dead(worker)).count() as u64;
    if dead > 0 {
        let at_work = (format!(", {} at work", all - dead), Role::Dim);
        let dead = (format!("{dead} dead"), Role::Bad);
        return [vec![dead.clone(), at_work], vec![dead]];
    }
    let scheduled = matches!(group.trend, Trend::Scheduled { .. });
    let words = plural(all, if scheduled { "job" } else { "worker" });
    [vec![(words, Role::Dim)], vec![(format!("{all} ×"), Role::Dim)]]
}

fn worker(pen: &mut Pen, worker: &Worker, snapshot: &Snapshot, line: Rect) {
    let (glyph, words, role) = match &worker.state {
        WorkerState::Starting => ('○', "starting".to_string(), Role::Dim),
        WorkerState::Running => ('●', "running".to_string(), Role::Good),
        WorkerState::Paused => ('‖', "paused".to_string(), Role::Paused),
        WorkerState::Stopping => ('○', "stopping".to_string(), Role::Dim),
        WorkerState::Dead { how } => ('✖', format!("dead, {}", clean(how)), Role::Bad),
    };
    pen.cell(line.x + 3, line.y, glyph, role);
    let x = pen.text(line.x + 5, line.y, 20, &worker.name, Role::Text);
    let owned = snapshot.groups.data.iter().filter(|group| worker.group.as_ref() == Some(&group.id));
    let owned = owned.flat_map(|group| &group.partitions);
    let partitions = owned.filter(|partition| partition.owner.as_ref() == Some(&worker.name)).count() as u64;
    let mut pieces: Pieces = vec![
        (format!("  {words}"), role),
        (
            format!(
                " {}",
                worker
                    .since_ms
                    .map_or(String::new(), |ms| format!("for {}", maybe_duration(Some(ms as f64))))
            ),
            Role::Dim,
        ),
    ];
    let pid = worker.pid.map_or(String::new(), |pid| format!("  pid {pid}"));
    pieces.push((format!("  {}{pid}", plural(partitions, "partition")), Role::Dim));
    if worker.restarts > 0 {
        pieces.push((format!("  {}", plural(u64::from(worker.restarts), "restart")), Role::Dim));
    }
    pen.pieces(x, line.y, line.right().saturating_sub(x + 1), &pieces);
}

fn member(pen: &mut Pen, member: &Member, line: Rect) {
    pen.cell(line.x + 3, line.y, '●', Role::Paused);
    let partitions = match member.partitions {
        Some(0) => "no partition".to_owned(),
        Some(count) => plural(u64::from(count), "partition"),
        None => format!("{UNKNOWN} partitions"),
    };
    let pieces: Pieces = vec![
        (clean(&member.name).into_owned(), Role::Text),
        (format!("  at {}  {partitions}", clean(&member.host)), Role::Dim),
    ];
    pen.pieces(line.x + 5, line.y, line.width.saturating_sub(6), &pieces);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Waiting;

    #[test]
    fn the_trend_keeps_its_words_and_the_money_goes_before_numbers_that_stand_elsewhere() {
        let waiting = Waiting { cases: 4_187, what: "swipes unscored".into(), cents: Some(21_406_250) };
        let trend = Trend::FallingBehind { records_per_second: Some(210.0) };
        let mut group = Group { trend, waiting: Some(waiting), ..Group::default() };
        let said = |group: &Group| [60, 46, 32, 24, 22, 18, 8].map(|cells| trend_and_stake(group, cells).0);
        assert_eq!(
            said(&group),
            [
                "▲ falling behind 210/s  $214k waiting for a decision",
                "▲ falling behind  $214k waiting for a decision",
                "▲ falling behind  $214k waiting",
                "▲ behind, $214k waiting",
                "▲ falling behind 210/s",
                "▲ falling behind",
                "▲"
            ]
        );
        group.state = GroupState::PreparingRebalance;
        assert_eq!(
            said(&group)[1..3],
            ["⟳ rebalancing  $214k waiting for a decision", "⟳ rebalancing  $214k waiting"]
        );
        group.state = GroupState::Stable;
        group.trend = Trend::KeepingUp;
        assert_eq!(
            said(&group),
            [
                "● keeping up",
                "● keeping up",
                "● keeping up",
                "● keeping up",
                "● keeping up",
                "● keeping up",
                "●"
            ]
        );
    }
}
