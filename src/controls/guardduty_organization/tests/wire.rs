//! Answers as the API references have them, read by the SDK from the wire: the sandbox hands over typed outputs, and so
//! shows nothing of that.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_types::region::Region;

use super::super::live::{Configuration, Feature};
use crate::aws::bare_sdk_config;

/// A network that answers every request with one body.
#[derive(Clone, Debug)]
struct Answers(u16, &'static str);

impl HttpConnector for Answers {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = self.0.try_into().expect("an HTTP status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.1))))
    }
}

impl HttpClient for Answers {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

macro_rules! client {
    ($sdk:ident, $answers:expr) => {{
        let config = bare_sdk_config(SharedHttpClient::new($answers));
        let config = $sdk::config::Builder::from(&config)
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test"));
        $sdk::Client::from_conf(config.build())
    }};
}

fn guardduty(body: &'static str) -> aws_sdk_guardduty::Client {
    client!(aws_sdk_guardduty, Answers(200, body))
}

#[tokio::test]
async fn what_an_administrator_enables() {
    let answer = guardduty(
        r#"{"autoEnable": true, "autoEnableOrganizationMembers": "ALL", "memberAccountLimitReached": false,
            "dataSources": {"s3Logs": {"autoEnable": true}},
            "features": [
                {"name": "S3_DATA_EVENTS", "autoEnable": "NEW"},
                {"name": "RUNTIME_MONITORING", "autoEnable": "ALL", "additionalConfiguration": [
                    {"name": "EC2_AGENT_MANAGEMENT", "autoEnable": "NONE"}]}]}"#,
    );
    let page =
        answer.describe_organization_configuration().detector_id("d").send().await.expect("it is read");
    let mut live = None;
    Configuration::add(&mut live, page);
    let live = live.expect("a page");
    assert_eq!((live.members.as_str(), live.full), ("ALL", false));
    assert_eq!(live.features["S3_DATA_EVENTS"], Feature { mode: "NEW".into(), ..Feature::default() });
    assert_eq!(live.features["RUNTIME_MONITORING"].beneath["EC2_AGENT_MANAGEMENT"], "NONE");

    let refused = client!(
        aws_sdk_guardduty,
        Answers(
            400,
            r#"{"message": "The request failed because you do not have required AWS Organization master permission.",
            "__type": "InvalidInputException"}"#
        )
    );
    let error =
        refused.describe_organization_configuration().detector_id("d").send().await.expect_err("refused");
    assert!(error.message().is_some_and(super::super::live::not_the_administrator), "{error:?}");
}

#[tokio::test]
async fn how_many_accounts_it_reaches() {
    let answer = guardduty(
        r#"{"organizationDetails": {"updatedAt": 1700000000, "organizationStatistics": {
            "totalAccountsCount": 40, "memberAccountsCount": 30, "activeAccountsCount": 39, "enabledAccountsCount": 28,
            "countByFeature": [{"name": "S3_DATA_EVENTS", "enabledAccountsCount": 3}]}}}"#,
    );
    let told = answer.get_organization_statistics().send().await.expect("it is read");
    let counted =
        told.organization_details().and_then(|details| details.organization_statistics()).expect("counted");
    assert_eq!((counted.total_accounts_count(), counted.enabled_accounts_count()), (Some(40), Some(28)));
    assert_eq!(counted.count_by_feature()[0].enabled_accounts_count(), Some(3));
}

#[tokio::test]
async fn who_administers_and_whom_the_organisation_trusts() {
    let admins =
        guardduty(r#"{"adminAccounts": [{"adminAccountId": "777766665555", "adminStatus": "ENABLED"}]}"#);
    let admins = admins.list_organization_admin_accounts().send().await.expect("it is read");
    assert_eq!(admins.admin_accounts()[0].admin_account_id(), Some("777766665555"));

    let organizations = |body| client!(aws_sdk_organizations, Answers(200, body));
    let trusted = organizations(
        r#"{"EnabledServicePrincipals": [{"ServicePrincipal": "guardduty.amazonaws.com", "DateEnabled": 1.7E9}]}"#,
    );
    let trusted = trusted.list_aws_service_access_for_organization().send().await.expect("it is read");
    assert_eq!(trusted.enabled_service_principals()[0].service_principal(), Some("guardduty.amazonaws.com"));
    let registered = organizations(
        r#"{"DelegatedAdministrators": [{"Id": "777766665555", "Status": "ACTIVE", "DelegationEnabledDate": 1.7E9,
            "Arn": "arn:aws:organizations::999988887777:account/o-a1b2c3d4e5/777766665555"}]}"#,
    );
    let registered = registered.list_delegated_administrators().send().await.expect("it is read");
    assert_eq!(registered.delegated_administrators()[0].id(), Some("777766665555"));
}

#[tokio::test]
async fn filters_lists_and_scans() {
    let filters = guardduty(r#"{"filterNames": ["quiet"], "nextToken": ""}"#);
    let filters = filters.list_filters().detector_id("d").send().await.expect("it is read");
    assert_eq!(filters.filter_names(), ["quiet"]);
    let filter = guardduty(
        r#"{"name": "quiet", "description": "SEC-77", "action": "ARCHIVE", "rank": 1,
            "findingCriteria": {"criterion": {"severity": {"lessThan": 7}, "type": {"equals": ["a"], "eq": ["a"]}}}}"#,
    );
    let filter = filter.get_filter().detector_id("d").filter_name("quiet").send().await.expect("it is read");
    let criteria = filter.finding_criteria().and_then(|all| all.criterion()).expect("criteria");
    assert_eq!((criteria["severity"].less_than(), criteria["type"].equals().len()), (Some(7), 1));

    let sets =
        guardduty(r#"{"ipSetIds": ["a"]}"#).list_ip_sets().detector_id("d").send().await.expect("it is read");
    assert_eq!(sets.ip_set_ids(), ["a"]);
    let list =
        r#"{"name": "offices", "format": "TXT", "location": "s3://a/b", "status": "ACTIVATING", "tags": {}}"#;
    let trusted =
        guardduty(list).get_ip_set().detector_id("d").ip_set_id("a").send().await.expect("it is read");
    assert_eq!(trusted.status().map(|status| status.as_str()), Some("ACTIVATING"));
    let sets =
        guardduty(r#"{"threatIntelSetIds": ["a"]}"#).list_threat_intel_sets().detector_id("d").send().await;
    assert_eq!(sets.expect("it is read").threat_intel_set_ids(), ["a"]);
    let threat =
        guardduty(list).get_threat_intel_set().detector_id("d").threat_intel_set_id("a").send().await;
    assert_eq!(threat.expect("it is read").location(), Some("s3://a/b"));

    let scans = guardduty(
        r#"{"ebsSnapshotPreservation": "RETENTION_WITH_FINDING", "scanResourceCriteria": {
            "exclude": {"EC2_INSTANCE_TAG": {"mapEquals": [{"key": "skip", "value": "yes"}]}}}}"#,
    );
    let scans = scans.get_malware_scan_settings().detector_id("d").send().await.expect("it is read");
    let excluded = scans.scan_resource_criteria().and_then(|criteria| criteria.exclude()).expect("criteria");
    let pairs: Vec<_> = excluded.values().flat_map(|condition| condition.map_equals()).collect();
    assert_eq!((pairs[0].key(), pairs[0].value()), (Some("skip"), Some("yes")));
}
