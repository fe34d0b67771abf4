//! Logging of web ACLs.

use aws_sdk_wafv2::operation::get_logging_configuration::{
    GetLoggingConfigurationInput, GetLoggingConfigurationOutput,
};
use aws_sdk_wafv2::operation::put_logging_configuration::{
    PutLoggingConfigurationInput, PutLoggingConfigurationOutput,
};
use aws_sdk_wafv2::types::{LogScope, LogType, LoggingConfiguration};

use super::super::operation::{Call, Refusal};
use super::rules::field_to_match;
use super::{invalid, nonexistent};

fn exists(call: &mut Call<'_>, arn: &str) -> Result<(), Refusal> {
    let waf = &call.here().waf;
    let known = waf.web_acls.values().chain(waf.cloudfront_acls.values()).any(|one| one.arn == arn);
    if known { Ok(()) } else { Err(nonexistent()) }
}

/// API reference, GetLoggingConfiguration: without one, WAFNonexistentItemException.
pub(super) fn get(
    call: &mut Call<'_>,
    input: &GetLoggingConfigurationInput,
) -> Result<GetLoggingConfigurationOutput, Refusal> {
    let arn = input.resource_arn().unwrap_or_default();
    exists(call, arn)?;
    let found = call.here().waf.logging.get(arn).ok_or_else(nonexistent)?;
    Ok(GetLoggingConfigurationOutput::builder().logging_configuration(found.clone()).build())
}

/// API reference, PutLoggingConfiguration: one destination, whose name begins with `aws-waf-logs-` and which is
/// there; only UriPath, QueryString, Method and SingleHeader are redacted; a filter has filters, and those have
/// conditions.
pub(super) fn put(
    call: &mut Call<'_>,
    input: &PutLoggingConfigurationInput,
) -> Result<PutLoggingConfigurationOutput, Refusal> {
    let wanted = input.logging_configuration().ok_or_else(|| invalid("LOG_DESTINATION", "none"))?;
    exists(call, &wanted.resource_arn)?;
    let [destination] = wanted.log_destination_configs() else {
        return Err(invalid("LOG_DESTINATION", "one destination"));
    };
    is_there(call, destination)?;
    wanted.redacted_fields().iter().try_for_each(field_to_match)?;
    if let Some(filter) = &wanted.logging_filter
        && (filter.filters.is_empty() || filter.filters.iter().any(|one| one.conditions.is_empty()))
    {
        return Err(invalid("LOGGING_FILTER", "conditions"));
    }
    if wanted.log_scope.as_ref().is_some_and(|scope| *scope != LogScope::Customer) {
        return Err(invalid("LOG_DESTINATION", "log scope"));
    }
    let mut kept: LoggingConfiguration = wanted.clone();
    kept.log_type = Some(LogType::WafLogs);
    kept.log_scope = Some(LogScope::Customer);
    call.here().waf.logging.insert(kept.resource_arn.clone(), kept.clone());
    Ok(PutLoggingConfigurationOutput::builder().logging_configuration(kept).build())
}

/// AWS WAF Developer Guide, "Logging destinations": a log group or stream of the same region, a bucket of any
/// account.
fn is_there(call: &mut Call<'_>, arn: &str) -> Result<(), Refusal> {
    let bad = || invalid("LOG_DESTINATION", arn);
    let mut parts = arn.splitn(6, ':').skip(2);
    let service = parts.next().ok_or_else(bad)?;
    let (region, account) = (parts.next().ok_or_else(bad)?, parts.next().ok_or_else(bad)?);
    let resource = parts.next().ok_or_else(bad)?;
    let here = region == call.region && account == call.caller.account;
    let name = match service {
        "logs" if here => resource.strip_prefix("log-group:").map(|name| name.trim_end_matches(":*")),
        "firehose" if here => resource.strip_prefix("deliverystream/"),
        "s3" => Some(resource.split('/').next().unwrap_or(resource)),
        _ => None,
    };
    let name = name.filter(|name| name.starts_with("aws-waf-logs-")).ok_or_else(bad)?;
    let known = match service {
        "logs" => call.here().logs.groups.contains_key(name),
        "s3" => call.state.buckets.contains_key(name),
        // This world has no streams: whoever names one is believed.
        _ => true,
    };
    if known {
        Ok(())
    } else {
        Err(Refusal::new(
            400,
            "WAFLogDestinationPermissionIssueException",
            "The operation failed because you don't have the permissions that your logging configuration requires.",
        ))
    }
}
