//! One order over all accounts and regions: makers before takers, everything else as it stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::control::{Need, Thing};

/// One node of the order: what it makes and what it stands on.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    pub makes: &'a [Thing],
    pub needs: &'a [Need],
}

/// In which order to start, and for which others each has to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Every place once, makers before takers; ties keep the order given.
    pub sequence: Vec<usize>,
    /// For each place, those that make what it needs.
    pub waits_for: Vec<BTreeSet<usize>>,
}

/// The places that wait for each other, each for another of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} changes stand on each other", .0.len())]
pub struct Cycle(pub Vec<usize>);

/// Puts makers before takers. Nothing waits for itself.
pub fn order(links: &[Link<'_>]) -> Result<Order, Cycle> {
    let mut makers: BTreeMap<&Thing, Vec<usize>> = BTreeMap::new();
    for (place, link) in links.iter().enumerate() {
        for thing in link.makes {
            makers.entry(thing).or_default().push(place);
        }
    }
    let waits_for: Vec<BTreeSet<usize>> = links
        .iter()
        .enumerate()
        .map(|(place, link)| {
            let makers_of = |need: &Need| {
                let whole = need.thing.part_of().and_then(|whole| makers.get(&whole));
                makers.get(&need.thing).into_iter().chain(whole).flatten().copied().collect::<Vec<_>>()
            };
            link.needs.iter().flat_map(makers_of).filter(|&maker| maker != place).collect()
        })
        .collect();

    let mut takers: Vec<Vec<usize>> = vec![Vec::new(); links.len()];
    let mut open: Vec<usize> = waits_for.iter().map(BTreeSet::len).collect();
    for (place, waits) in waits_for.iter().enumerate() {
        for &maker in waits {
            takers[maker].push(place);
        }
    }
    let mut ready: BTreeSet<usize> = (0..links.len()).filter(|&place| open[place] == 0).collect();
    let mut sequence = Vec::with_capacity(links.len());
    while let Some(next) = ready.pop_first() {
        sequence.push(next);
        for &taker in &takers[next] {
            open[taker] -= 1;
            if open[taker] == 0 {
                ready.insert(taker);
            }
        }
    }
    if sequence.len() == links.len() {
        Ok(Order { sequence, waits_for })
    } else {
        let done: BTreeSet<usize> = sequence.into_iter().collect();
        Err(Cycle((0..links.len()).filter(|place| !done.contains(place)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn thing(n: u8) -> Thing {
        Thing::Role { account: "111122223333".parse().expect("12 digits"), name: format!("r{n}") }
    }

    #[test]
    fn makers_come_first_over_all_accounts() {
        let key = [thing(1)];
        let wants = [Need::hard(thing(1))];
        let taker = Link { makes: &[], needs: &wants };
        let maker = Link { makes: &key, needs: &[] };
        let order = order(&[taker, maker]).expect("no circle");
        assert_eq!(order.sequence, [1, 0]);
        assert_eq!(order.waits_for[0], BTreeSet::from([1]));
    }

    #[test]
    fn a_circle_names_those_on_it() {
        let (a, b) = ([thing(1)], [thing(2)]);
        let (wants_a, wants_b) = ([Need::soft(thing(1))], [Need::soft(thing(2))]);
        let links = [
            Link { makes: &a, needs: &wants_b },
            Link { makes: &b, needs: &wants_a },
            Link { makes: &[], needs: &[] },
        ];
        assert_eq!(order(&links), Err(Cycle(vec![0, 1])));
    }

    proptest! {
        /// Things are only needed from lower numbers, so there is no circle: everything is placed once,
        /// after its makers, and what does not depend keeps its place.
        #[test]
        fn everything_is_placed_once_and_after_its_makers(
            needs in prop::collection::vec(prop::collection::vec(0u8..40, 0..4), 1..40),
        ) {
            let made: Vec<Vec<Thing>> = (0..needs.len()).map(|n| vec![thing(n as u8)]).collect();
            let wanted: Vec<Vec<Need>> = needs
                .iter()
                .enumerate()
                .map(|(n, list)| {
                    list.iter().filter(|&&w| usize::from(w) < n).map(|&w| Need::hard(thing(w))).collect()
                })
                .collect();
            // Given backwards, so that the order has something to do.
            let links: Vec<Link<'_>> =
                made.iter().zip(&wanted).rev().map(|(makes, needs)| Link { makes, needs }).collect();
            let order = order(&links).expect("no circle");
            let mut sorted = order.sequence.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..links.len()).collect::<Vec<_>>());
            let at: BTreeMap<usize, usize> =
                order.sequence.iter().enumerate().map(|(index, &place)| (place, index)).collect();
            for (place, waits) in order.waits_for.iter().enumerate() {
                prop_assert!(waits.iter().all(|maker| at[maker] < at[&place]));
            }
        }
    }
}
