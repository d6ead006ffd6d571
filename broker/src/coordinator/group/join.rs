//! `JoinGroup`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Effect, Group, GroupConfig, GroupError, GroupState, Member, Token};
use crate::coordinator::{JoinRequest, Joined};

/// `NEW_MEMBER_JOIN_TIMEOUT_MS`: how long a member that joined for the first time may wait for its
/// first round without a heartbeat. It can't send one before.
const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60_000;

/// So much the subscriptions of all members may take: the leader is told all of them at once.
const MAX_SUBSCRIPTION_BYTES: usize = 64 << 20;

impl Group {
    /// Answers, parks, or begins a round. `new_member_id` makes an id when one is needed.
    pub(in crate::coordinator) fn join(
        &mut self,
        now_ms: i64,
        token: Token,
        request: JoinRequest,
        config: &GroupConfig,
        new_member_id: impl FnOnce() -> String,
        effects: &mut Vec<Effect>,
    ) {
        if let Err(error) = self.try_join(now_ms, token, request, config, new_member_id, effects) {
            effects.push(Effect::Join { token, result: Err(error) });
        }
    }

    fn try_join(
        &mut self,
        now_ms: i64,
        token: Token,
        request: JoinRequest,
        config: &GroupConfig,
        new_member_id: impl FnOnce() -> String,
        effects: &mut Vec<Effect>,
    ) -> Result<(), GroupError> {
        let known =
            self.members.contains_key(&request.member_id) || self.pending.contains_key(&request.member_id);
        if !known && self.members.len() + self.pending.len() >= config.max_size {
            return Err(GroupError::GroupMaxSizeReached);
        }
        if self.subscription_bytes_with(&request) > MAX_SUBSCRIPTION_BYTES {
            return Err(GroupError::GroupMaxSizeReached);
        }
        if !self.accepts(&request) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        if !request.member_id.is_empty() {
            return self.join_known(now_ms, token, request, config, effects);
        }
        let member_id = new_member_id();
        if let Some(instance) = &request.group_instance_id {
            if let Some(old_id) = self.static_members.get(instance).cloned() {
                self.replace_static(now_ms, token, &request, &old_id, &member_id, effects);
                return Ok(());
            }
        } else if request.requires_known_member_id {
            let until = now_ms.saturating_add(i64::from(request.session_timeout_ms));
            self.pending.insert(member_id.clone(), until);
            return Err(GroupError::MemberIdRequired { member_id });
        }
        self.add_member(now_ms, token, request, member_id, config, effects);
        Ok(())
    }

    /// Bytes of all subscriptions, once this request's is one of them.
    fn subscription_bytes_with(&self, request: &JoinRequest) -> usize {
        let others = self.members.iter().filter(|(member_id, _)| **member_id != request.member_id);
        let protocols = others.flat_map(|(_, member)| &member.protocols).chain(&request.protocols);
        protocols.map(|(name, metadata)| name.len() + metadata.len()).sum()
    }

    /// A member id that was given out: a first join, a rejoin, or a repeated question.
    fn join_known(
        &mut self,
        now_ms: i64,
        token: Token,
        request: JoinRequest,
        config: &GroupConfig,
        effects: &mut Vec<Effect>,
    ) -> Result<(), GroupError> {
        let member_id = request.member_id.clone();
        if request.group_instance_id.is_none() && self.pending.remove(&member_id).is_some() {
            self.add_member(now_ms, token, request, member_id, config, effects);
            return Ok(());
        }
        self.check_member(&member_id, request.group_instance_id.as_deref())?;
        let unchanged = self.member_mut(&member_id).protocols == request.protocols;
        let answer_again = match self.state {
            GroupState::CompletingRebalance => unchanged,
            GroupState::Stable => unchanged && !self.is_leader(&member_id),
            GroupState::PreparingRebalance => false,
            GroupState::Empty | GroupState::Dead => return Err(GroupError::UnknownMemberId),
        };
        self.renew_session(now_ms, &member_id);
        if answer_again {
            let joined = self.joined(&member_id);
            effects.push(Effect::Join { token, result: Ok(joined) });
            return Ok(());
        }
        let member = self.member_mut(&member_id);
        member.update(&request);
        let superseded = member.joining.replace(token);
        // A client that asks twice has given up on its first question.
        if let Some(token) = superseded {
            effects.push(Effect::Join { token, result: Err(GroupError::UnknownMemberId) });
        }
        self.rebalance(now_ms, config, effects);
        Ok(())
    }

    fn add_member(
        &mut self,
        now_ms: i64,
        token: Token,
        request: JoinRequest,
        member_id: String,
        config: &GroupConfig,
        effects: &mut Vec<Effect>,
    ) {
        if self.members.is_empty() {
            self.protocol_type = request.protocol_type;
        }
        if let Some(instance) = &request.group_instance_id {
            self.static_members.insert(instance.clone(), member_id.clone());
        }
        let member = Member {
            group_instance_id: request.group_instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            protocols: request.protocols,
            assignment: Bytes::new(),
            joining: Some(token),
            syncing: None,
            must_sync: false,
            is_new: true,
            session_deadline_ms: now_ms.saturating_add(NEW_MEMBER_JOIN_TIMEOUT_MS),
        };
        self.leader.get_or_insert_with(|| member_id.clone());
        self.members.insert(member_id, member);
        self.empty_since_ms = None;
        self.rebalance(now_ms, config, effects);
    }

    /// A static member's process was restarted: it takes the old one's place (KIP-345).
    fn replace_static(
        &mut self,
        now_ms: i64,
        token: Token,
        request: &JoinRequest,
        old_id: &str,
        new_id: &str,
        effects: &mut Vec<Effect>,
    ) {
        let mut member = self.members.remove(old_id).expect("a static member's id is a member's");
        if let Some(token) = member.joining.take() {
            effects.push(Effect::Join { token, result: Err(GroupError::FencedInstanceId) });
        }
        if let Some(token) = member.syncing.take() {
            effects.push(Effect::Sync { token, result: Err(GroupError::FencedInstanceId) });
        }
        let was_leader = self.is_leader(old_id);
        if was_leader {
            self.leader = Some(new_id.to_owned());
        }
        member.update(request);
        let skips = request.supports_skipping_assignment;
        let instance = request.group_instance_id.clone();
        self.static_members.extend(instance.map(|instance| (instance, new_id.to_owned())));
        self.members.insert(new_id.to_owned(), member);
        self.renew_session(now_ms, new_id);

        if self.state == GroupState::Stable && self.elect_protocol() == self.protocol_name {
            let mut joined = self.joined(new_id);
            if skips {
                joined.skip_assignment = was_leader;
            } else if was_leader {
                // It must not compute an assignment, so it is told that someone else leads.
                old_id.clone_into(&mut joined.leader);
                joined.members.clear();
            }
            effects.push(Effect::Join { token, result: Ok(joined) });
            return;
        }
        self.member_mut(new_id).joining = Some(token);
        self.begin_or_complete(now_ms, effects);
    }

    /// The answer to a member that is part of the current generation.
    pub(super) fn joined(&self, member_id: &str) -> Joined {
        Joined {
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: if self.is_leader(member_id) { self.joined_members() } else { Vec::new() },
        }
    }

    /// Whether there would still be a protocol that all members know.
    fn accepts(&self, request: &JoinRequest) -> bool {
        if request.protocols.is_empty() || request.protocol_type.is_empty() {
            return false;
        }
        if self.members.is_empty() {
            return true;
        }
        let others = self.members.iter().filter(|(member_id, _)| **member_id != request.member_id);
        let others: Vec<_> = others.map(|(_, member)| member).collect();
        request.protocol_type == self.protocol_type
            && request.protocols.iter().any(|(name, _)| others.iter().all(|member| member.supports(name)))
    }

    /// Each member votes for the first of its protocols that all members know; the most votes win,
    /// and of equals the one that comes first in the alphabet.
    pub(super) fn elect_protocol(&self) -> String {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let known_to_all = member
                .protocols
                .iter()
                .find(|(name, _)| self.members.values().all(|other| other.supports(name)));
            if let Some((name, _)) = known_to_all {
                *votes.entry(name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max().unwrap_or_default();
        votes
            .into_iter()
            .find(|(_, count)| *count == most)
            .map(|(name, _)| name.to_owned())
            .unwrap_or_default()
    }
}

impl Member {
    fn update(&mut self, request: &JoinRequest) {
        self.protocols.clone_from(&request.protocols);
        self.client_id.clone_from(&request.client_id);
        self.client_host.clone_from(&request.client_host);
        self.session_timeout_ms = request.session_timeout_ms;
        self.rebalance_timeout_ms = request.rebalance_timeout_ms;
    }
}
