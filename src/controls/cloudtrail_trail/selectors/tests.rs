use aws_sdk_cloudtrail::types::DataResource;

use super::*;

fn events(selectors: Vec<Selector>) -> Events {
    Events { basic: false, selectors }
}

fn one_bucket() -> Selector {
    let mut selector = Family::S3.selector(Level::All, &[]).unwrap();
    selector.name = Some("the ledger".into());
    selector.fields.push(Condition {
        field: "resources.ARN".into(),
        starts_with: vec!["arn:aws:s3:::ledger/".into()],
        ..Condition::default()
    });
    selector
}

#[test]
fn reading_and_writing_by_two_selectors_are_all() {
    let both = [Level::ReadOnly, Level::WriteOnly].map(|level| Family::S3.selector(level, &[]).unwrap());
    let live = events(both.to_vec());
    assert_eq!(live.level(Family::S3), Level::All);
    assert_eq!(live.level(Family::Management), Level::None);
}

#[test]
fn a_source_is_left_out_only_where_no_selector_takes_it() {
    let kms = ["kms.amazonaws.com".to_owned()];
    let reads = Family::Management.selector(Level::ReadOnly, &kms).unwrap();
    let all = Family::Management.selector(Level::All, &[]).unwrap();
    assert_eq!(events(vec![reads.clone(), all]).excluded(), Vec::<String>::new());
    let writes = Family::Management.selector(Level::WriteOnly, &[]).unwrap();
    assert_eq!(events(vec![reads, writes]).excluded(), kms);
}

#[test]
fn one_bucket_is_not_all_of_s3_and_stays() {
    let live = events(vec![Family::Management.selector(Level::All, &[]).unwrap(), one_bucket()]);
    assert_eq!(live.level(Family::S3), Level::None);
    let spec = EventsSpec { s3: Some(Level::WriteOnly), ..EventsSpec::default() };
    let wanted = live.with(&spec);
    assert_eq!(wanted.len(), 3);
    assert!(wanted.contains(&one_bucket()) && wanted.contains(&live.selectors[0]));
    assert_eq!(live.carried(&spec), ["events.management all", "selectors that say more: `the ledger`"]);
    assert_eq!(events(wanted).level(Family::S3), Level::WriteOnly);
}

#[test]
fn basic_selectors_become_advanced_ones_that_record_the_same() {
    let some = DataResource::builder().r#type("AWS::S3::Object").values("arn:aws:s3:::ledger/").build();
    let every = DataResource::builder().r#type("AWS::Lambda::Function").values("arn:aws:lambda").build();
    let basic = EventSelector::builder()
        .read_write_type(ReadWriteType::WriteOnly)
        .include_management_events(true)
        .data_resources(some)
        .data_resources(every)
        .exclude_management_event_sources("kms.amazonaws.com")
        .build();
    let live = Events::read(&[basic], &[]);
    assert!(live.basic);
    assert_eq!(live.level(Family::Management), Level::WriteOnly);
    assert_eq!(live.excluded(), ["kms.amazonaws.com"]);
    assert_eq!(live.level(Family::Lambda), Level::WriteOnly);
    assert_eq!(live.level(Family::S3), Level::None);
    assert!(live.selectors.iter().any(|one| one.plain().is_none()));
    let there_and_back: Vec<_> = live.selectors.iter().map(|one| written(one).unwrap()).collect();
    assert_eq!(Events::read(&[], &there_and_back).selectors, live.selectors);
}

#[test]
fn a_field_that_is_not_known_makes_a_selector_somebody_elses() {
    let mut named = Family::Management.selector(Level::All, &[]).unwrap();
    named.fields.push(Condition::equal("eventName", "PutObject"));
    assert_eq!(events(vec![named]).level(Family::Management), Level::None);
    let mut network = Selector::default();
    network.fields.push(Condition::equal("eventCategory", "NetworkActivity"));
    network.fields.push(Condition::equal("eventSource", "s3.amazonaws.com"));
    assert!(network.plain().is_none());
}
