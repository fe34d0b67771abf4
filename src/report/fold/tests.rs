use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::report::fixture;

/// The members of a block, made from it alone.
fn unfold(block: &Block<'_>) -> Vec<Item> {
    let home = [&block.first.scope.region];
    let regions: &[&Region] = if block.regions.is_empty() { &home } else { &block.regions };
    let mut items = Vec::new();
    for account in &block.accounts {
        for region in regions {
            for resource in &block.resources {
                let text = serde_json::to_string(block.first).unwrap();
                let first = &block.first.finding.resource;
                let text = text.replace(first.as_str(), resource);
                let mut item: Item = serde_json::from_str(&text).unwrap();
                item.scope = Scope { account: (*account).clone(), region: (*region).clone() };
                if item.region.is_some() {
                    item.region = Some((*region).clone());
                }
                items.push(item);
            }
        }
    }
    items
}

fn set(items: &[Item]) -> BTreeSet<String> {
    items.iter().map(|item| serde_json::to_string(item).unwrap()).collect()
}

/// Findings that differ in few ways, so that many fold; coordinates are unique.
fn items() -> impl Strategy<Value = Vec<Item>> {
    let place = (0..4usize, 0..4usize, 0..3usize);
    prop::collection::btree_map(place, (0..2u8, 0..2u8, any::<bool>()), 0..40).prop_map(|places| {
        let item = |((account, region, resource), (before, kind, selected))| {
            let account = format!("{:012}", 100_000_000_000_u64 + account as u64);
            let region = ["", "eu-west-1", "us-east-1", "ap-south-1"][region];
            let resource = ["repo-qa", "repo-qb", "repo-qc"][resource];
            let mut item = fixture::repository(&account, region, resource);
            if let Verdict::Change(change) = &mut item.finding.verdict {
                change.fields[0].before = json!(before);
            }
            if kind == 1 {
                item.outcome = Outcome::ObserveOnly;
            }
            item.selected = selected;
            item
        };
        places.into_iter().map(item).collect()
    })
}

proptest! {
    #[test]
    fn unfolding_gives_back_exactly_what_was_folded(items in items()) {
        let blocks = fold(&items);
        let unfolded: Vec<Item> = blocks.iter().flat_map(unfold).collect();
        prop_assert_eq!(unfolded.len(), items.len());
        prop_assert_eq!(blocks.iter().map(Block::size).sum::<usize>(), items.len());
        prop_assert_eq!(set(&unfolded), set(&items));
    }

    #[test]
    fn the_order_of_findings_decides_only_what_stands_first(
        (items, shuffled) in items().prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))
    ) {
        let said = |items: &[Item]| -> BTreeSet<String> {
            fold(items).iter().map(|block| {
                let mut accounts = block.accounts.clone();
                accounts.sort();
                format!("{accounts:?} {:?} {:?} {}", block.regions, block.resources, key(block.first))
            }).collect()
        };
        prop_assert_eq!(said(&items), said(&shuffled));
    }

    #[test]
    fn blocks_stand_where_their_first_member_stood(items in items()) {
        let firsts: Vec<_> =
            fold(&items).iter().map(|block| items.iter().position(|item| std::ptr::eq(item, block.first))).collect();
        prop_assert!(firsts.is_sorted());
    }
}

#[test]
fn regions_fold_before_resources_and_those_before_accounts() {
    let mut items = Vec::new();
    for account in [fixture::PAYMENTS, fixture::ARCHIVE] {
        for region in ["us-east-1", "eu-west-1"] {
            items.extend(["web", "api"].map(|name| fixture::repository(account, region, name)));
        }
    }
    let blocks = fold(&items);
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].resources, ["api", "web"]);
    assert_eq!(blocks[0].regions.iter().map(|r| r.as_str()).collect::<Vec<_>>(), ["eu-west-1", "us-east-1"]);
    assert_eq!(blocks[0].accounts[0].as_str(), fixture::PAYMENTS);
    assert_eq!(blocks[0].title(&items[0].finding.change().unwrap().steps[0]), "scan <resource> on push");
}

#[test]
fn one_differing_field_makes_a_block_of_its_own() {
    let items =
        ["eu-central-1", "eu-west-1", "us-east-1"].map(|region| fixture::detector(fixture::PAYMENTS, region));
    assert_eq!(fold(&items).len(), 2);
}

#[test]
fn a_denial_names_its_place_and_still_folds() {
    let unknown = |region, request| {
        let fault = fixture::denied(region, request);
        fixture::item(fixture::PAYMENTS, region, "ecr.repositories", "*", Verdict::Unknown { fault })
    };
    let items = [unknown("eu-west-1", "one"), unknown("us-east-1", "two")];
    let blocks = fold(&items);
    assert_eq!(blocks.len(), 1);
    let fault = blocks[0].fault().unwrap();
    assert!(fault.message.ends_with("policy for <region>"), "{}", fault.message);
    assert_eq!(fault.request_id, None);
    let alone = fold(&items[..1]);
    assert_eq!(alone[0].fault().unwrap().request_id.as_deref(), Some("one"));
}

#[test]
fn text_that_looks_like_a_coordinate_taken_out_is_not_taken_for_one() {
    assert_ne!(without("a\u{fffc}1", ""), without("ab", "b"));
    assert_ne!(without("\u{fffc}", "x"), without("x", "x"));
}

/// A thousand accounts in 17 regions fold in one pass: this takes a second or so, not minutes.
#[test]
fn a_thousand_accounts_are_one_block() {
    let regions: Vec<String> = (0..17).map(|n| format!("eu-test-{n}")).collect();
    let items: Vec<Item> = (0..1000_u64)
        .flat_map(|n| regions.iter().map(move |region| (n, region)))
        .map(|(n, region)| fixture::detector(&format!("{:012}", 100_000_000_000 + n), region))
        .collect();
    let blocks = fold(&items);
    assert_eq!(blocks.len(), 1);
    assert_eq!(blocks[0].size(), 17_000);
}
