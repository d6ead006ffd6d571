//! The visits from which several recommenders start: they do not change any more, and are held one
//! behind the other.

use hashbrown::HashMap;

use super::packed_visit::PackedVisit;

/// Visits by the fingerprints of their sessions' ids.
#[derive(Debug, Default)]
pub(super) struct History {
    /// In order.
    ids: Box<[u64]>,
    /// Where the visit of each ends.
    ends: Box<[u32]>,
    bytes: Box<[u8]>,
}

impl History {
    pub(super) fn new(visits: HashMap<u64, PackedVisit>) -> Self {
        let mut visits: Vec<(u64, PackedVisit)> = visits.into_iter().collect();
        visits.sort_unstable_by_key(|&(id, _)| id);
        let mut bytes = Vec::with_capacity(visits.iter().map(|(_, visit)| visit.bytes().len()).sum());
        let mut ends = Vec::with_capacity(visits.len());
        for (_, visit) in &visits {
            bytes.extend_from_slice(visit.bytes());
            ends.push(u32::try_from(bytes.len()).expect("the visits of a day take less than 4 GiB"));
        }
        Self { ids: visits.iter().map(|&(id, _)| id).collect(), ends: ends.into(), bytes: bytes.into() }
    }

    /// The visit of the session of this id.
    pub(super) fn get(&self, id: u64) -> Option<PackedVisit> {
        self.ids.binary_search(&id).ok().map(|place| self.at(place))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, PackedVisit)> {
        self.ids.iter().enumerate().map(|(place, &id)| (id, self.at(place)))
    }

    fn at(&self, place: usize) -> PackedVisit {
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        PackedVisit::of_bytes(&self.bytes[from as usize..self.ends[place] as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::super::visit::Visit;
    use super::*;

    #[test]
    fn a_history_holds_what_it_was_made_of() {
        let visit = |number: u64| {
            let mut visit = Visit { last_ms: number as i64, ..Visit::default() };
            visit.pace.events = number as u32;
            PackedVisit::new(&visit)
        };
        for many in [0, 1, 500_u64] {
            let visits: HashMap<u64, PackedVisit> =
                (0..many).map(|number| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15), visit(number))).collect();
            let history = History::new(visits.clone());
            assert!(visits.iter().all(|(id, visit)| history.get(*id).as_ref() == Some(visit)));
            assert_eq!(history.get(1), None);
            assert_eq!(history.iter().collect::<HashMap<_, _>>(), visits);
        }
    }
}
