//! From a key to a command: about whom, whether it is asked about first, and that its progress is
//! remembered.

use crate::command::{Action, Command, Progress, Step, Target};
use crate::place::RecordAt;
use crate::state::message::Cmd;
use crate::state::table::next_period;
use crate::state::{Confirm, ControlRequest, Irreversible, Mode, State, target};

/// The most commands whose progress is remembered.
const MAX_REQUESTS: usize = 20;

pub(crate) fn pause(state: &mut State) -> Vec<Cmd> {
    let Some(target) = target::consumer(state) else { return Vec::new() };
    let action = if target::is_paused(state, &target) { Action::Resume } else { Action::Pause };
    request(state, action, target)
}

pub(crate) fn change_period(state: &mut State, beside: fn(f64) -> Option<Step>) -> Vec<Cmd> {
    match next_period(state, beside) {
        Some(step) => request(state, Action::Dial(step), Target::Batch),
        None => Vec::new(),
    }
}

pub(crate) fn control(state: &mut State, action: Action) -> Vec<Cmd> {
    let Some(target) = target::of(state) else { return Vec::new() };
    let target = match action {
        // These act on all instances together, even when the cursor is on one of them.
        Action::ScaleUp | Action::ScaleDown | Action::Rewind => match target::group_of(state, &target) {
            Some(group) => Target::Group(group),
            None => return Vec::new(),
        },
        Action::Pause
        | Action::Resume
        | Action::Restart
        | Action::Kill
        | Action::Burst
        | Action::Dial(_)
        | Action::Redrive { .. }
        | Action::Reset(_)
        | Action::CreateTopic { .. }
        | Action::Send => target,
    };
    if let Some(action) = Irreversible::of(action) {
        state.mode = Mode::Confirm(Confirm { action, target, yes: false });
        return vec![Cmd::Draw];
    }
    request(state, action, target)
}

/// Takes the last pause, resume or scaling back: does its opposite to the same target.
pub(crate) fn undo(state: &mut State) -> Vec<Cmd> {
    let Some((action, target)) = state.undo.pop() else { return Vec::new() };
    let left = state.undo.clone();
    let cmds = request(state, action, target);
    // What undoes is not undone itself.
    state.undo = left;
    cmds
}

fn opposite(action: Action) -> Option<Action> {
    match action {
        Action::Pause => Some(Action::Resume),
        Action::Resume => Some(Action::Pause),
        Action::ScaleUp => Some(Action::ScaleDown),
        Action::ScaleDown => Some(Action::ScaleUp),
        Action::Restart
        | Action::Kill
        | Action::Burst
        | Action::Rewind
        | Action::Dial(_)
        | Action::Redrive { .. }
        | Action::Reset(_)
        | Action::CreateTopic { .. }
        | Action::Send => None,
    }
}

pub(crate) fn request(state: &mut State, action: Action, target: Target) -> Vec<Cmd> {
    if let Some(opposite) = opposite(action) {
        state.undo.push((opposite, target.clone()));
        let over = state.undo.len().saturating_sub(MAX_REQUESTS);
        state.undo.drain(..over);
    }
    state.commands += 1;
    let command = Command { id: state.commands, action, target };
    let now = state.now_ms;
    state.requests.push(ControlRequest {
        command: command.clone(),
        progress: Progress::Requested,
        note: None,
        requested_ms: now,
        changed_ms: now,
    });
    // The footer has room for the newest; a supervisor that never answers must not fill the memory.
    let over = state.requests.len().saturating_sub(MAX_REQUESTS);
    state.requests.drain(..over);
    vec![Cmd::Send(command), Cmd::Draw]
}

/// Asks whether to send the record of this dead letter again, or those of all.
pub(crate) fn redrive(state: &mut State, only: Option<RecordAt>) {
    let Some(reading) = &state.reading else { return };
    let target = Target::Topic(reading.query.topic.clone());
    state.mode = Mode::Confirm(Confirm { action: Irreversible::Redrive { only }, target, yes: false });
}
