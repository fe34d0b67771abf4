//! Scanning of a whole registry.
//!
//! Sources: Amazon ECR API Reference, the operation named at each handler; ECR User Guide, "Filters to choose which
//! repositories are scanned".

use aws_sdk_ecr::operation::get_registry_scanning_configuration::{
    GetRegistryScanningConfigurationInput, GetRegistryScanningConfigurationOutput,
};
use aws_sdk_ecr::operation::put_registry_scanning_configuration::{
    PutRegistryScanningConfigurationInput, PutRegistryScanningConfigurationOutput,
};
use aws_sdk_ecr::types::{
    RegistryScanningConfiguration, RegistryScanningRule, ScanFrequency, ScanType, ScanningRepositoryFilter,
    ScanningRepositoryFilterType,
};

use super::super::operation::{Call, Refusal, complete, length_within};
use super::invalid;

/// How the registry scans. A registry that nobody configured scans `BASIC`, and by hand only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scanning {
    pub scan_type: ScanType,
    /// Each frequency at most once, with its filters.
    pub rules: Vec<(ScanFrequency, Vec<String>)>,
}

impl Default for Scanning {
    fn default() -> Self {
        Self { scan_type: ScanType::Basic, rules: Vec::new() }
    }
}

fn told(scanning: &Scanning) -> Result<RegistryScanningConfiguration, Refusal> {
    let filter = |text: &String| {
        let wildcard = ScanningRepositoryFilterType::Wildcard;
        complete(ScanningRepositoryFilter::builder().filter(text).filter_type(wildcard).build())
    };
    let rule = |(frequency, filters): &(ScanFrequency, Vec<String>)| {
        let filters: Vec<_> = filters.iter().map(filter).collect::<Result<_, _>>()?;
        let built = RegistryScanningRule::builder()
            .scan_frequency(frequency.clone())
            .set_repository_filters(Some(filters));
        complete(built.build())
    };
    let rules: Vec<_> = scanning.rules.iter().map(rule).collect::<Result<_, _>>()?;
    Ok(RegistryScanningConfiguration::builder()
        .scan_type(scanning.scan_type.clone())
        .set_rules(Some(rules))
        .build())
}

/// GetRegistryScanningConfiguration: never absent.
pub(super) fn get(
    call: &mut Call<'_>,
    _: &GetRegistryScanningConfigurationInput,
) -> Result<GetRegistryScanningConfigurationOutput, Refusal> {
    let configuration = told(&call.here().ecr.scanning)?;
    Ok(GetRegistryScanningConfigurationOutput::builder()
        .registry_id(&call.caller.account)
        .scanning_configuration(configuration)
        .build())
}

/// `^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$`, 1–255 characters (ScanningRepositoryFilterValue in the model).
fn filter_value(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '*';
    length_within(text, 1, 255)
        && text.split(['.', '_', '-', '/']).all(|part| !part.is_empty() && part.chars().all(word))
}

/// PutRegistryScanningConfiguration replaces type and rules: what is left out is `BASIC` and no rule. At most two
/// rules of 100 filters; `BASIC` takes `SCAN_ON_PUSH`, `ENHANCED` also `CONTINUOUS_SCAN` (RegistryScanningRule).
/// Refusing `MANUAL`, which is what remains without a rule, and a frequency twice is this world's own strictness.
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutRegistryScanningConfigurationInput,
) -> Result<PutRegistryScanningConfigurationOutput, Refusal> {
    let scan_type = input.scan_type().cloned().unwrap_or(ScanType::Basic);
    if !matches!(scan_type, ScanType::Basic | ScanType::Enhanced) {
        return Err(invalid("scanType"));
    }
    if input.rules().len() > 2 {
        return Err(invalid("rules"));
    }
    let mut rules: Vec<(ScanFrequency, Vec<String>)> = Vec::new();
    for rule in input.rules() {
        let supported = match rule.scan_frequency() {
            ScanFrequency::ScanOnPush => true,
            ScanFrequency::ContinuousScan => scan_type == ScanType::Enhanced,
            _ => false,
        };
        if !supported || rules.iter().any(|(frequency, _)| frequency == rule.scan_frequency()) {
            return Err(Refusal::new(
                400,
                "ValidationException",
                format!("{} is not supported by scan type {scan_type}", rule.scan_frequency()),
            ));
        }
        let fits = |filter: &ScanningRepositoryFilter| {
            *filter.filter_type() == ScanningRepositoryFilterType::Wildcard && filter_value(filter.filter())
        };
        if rule.repository_filters().len() > 100 || !rule.repository_filters().iter().all(fits) {
            return Err(invalid("repositoryFilters"));
        }
        let filters = rule.repository_filters().iter().map(|filter| filter.filter().to_owned()).collect();
        rules.push((rule.scan_frequency().clone(), filters));
    }
    let scanning = Scanning { scan_type, rules };
    let configuration = told(&scanning)?;
    call.here().ecr.scanning = scanning;
    Ok(PutRegistryScanningConfigurationOutput::builder()
        .registry_scanning_configuration(configuration)
        .build())
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::error::metadata::ProvideErrorMetadata;

    use super::super::super::World;
    use super::super::super::sample::PROD_PAYMENTS;
    use super::super::super::tests::client;
    use super::*;

    fn rule(frequency: ScanFrequency, filters: &[&str]) -> RegistryScanningRule {
        let filter = |text: &&str| {
            let wildcard = ScanningRepositoryFilterType::Wildcard;
            ScanningRepositoryFilter::builder().filter(*text).filter_type(wildcard).build().expect("complete")
        };
        let filters = filters.iter().map(filter).collect();
        let built = RegistryScanningRule::builder().scan_frequency(frequency);
        built.set_repository_filters(Some(filters)).build().expect("complete")
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_registry_scans_by_hand_and_a_put_replaces_everything() {
        let world = World::acme();
        let client = client!(aws_sdk_ecr, world, PROD_PAYMENTS, "eu-west-1");
        let get = || async {
            let answer = client.get_registry_scanning_configuration().send().await.expect("never absent");
            answer.scanning_configuration.expect("told")
        };
        let fresh = get().await;
        assert_eq!((fresh.scan_type(), fresh.rules().len()), (Some(&ScanType::Basic), 0));
        let put = client.put_registry_scanning_configuration().scan_type(ScanType::Enhanced);
        let put = put.rules(rule(ScanFrequency::ContinuousScan, &["prod/*"]));
        put.rules(rule(ScanFrequency::ScanOnPush, &["*"])).send().await.expect("two rules");
        assert_eq!(get().await.rules().len(), 2);
        client.put_registry_scanning_configuration().send().await.expect("nothing said");
        assert_eq!(get().await, fresh);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_scan_type_does_not_support_is_refused() {
        let world = World::acme();
        let client = client!(aws_sdk_ecr, world, PROD_PAYMENTS, "eu-west-1");
        for (scan_type, frequency, filter, code) in [
            (ScanType::Basic, ScanFrequency::ContinuousScan, "*", "ValidationException"),
            (ScanType::Basic, ScanFrequency::Manual, "*", "ValidationException"),
            (ScanType::Enhanced, ScanFrequency::ScanOnPush, "Prod", "InvalidParameterException"),
            (ScanType::Enhanced, ScanFrequency::ScanOnPush, "prod/", "InvalidParameterException"),
        ] {
            let put = client.put_registry_scanning_configuration().scan_type(scan_type);
            let error = put.rules(rule(frequency, &[filter])).send().await.expect_err("refused");
            assert_eq!(error.code(), Some(code), "{filter}");
        }
    }
}
