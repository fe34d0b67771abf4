//! AWS Account Management: which regions an account has.
//!
//! Source: AWS Account Management API Reference.

use aws_sdk_account::operation::list_regions::{ListRegionsInput, ListRegionsOutput};
use aws_sdk_account::types::{Region, RegionOptStatus};

use super::operation::{Call, Operations, Protocol, Refusal, Service, page};
use super::state::{DEFAULT_REGIONS, OPT_IN_REGIONS};

static SERVICE: Service = Service {
    id: "Account",
    prefix: "account",
    protocol: Protocol::Json,
    throttled: ("TooManyRequestsException", 429),
    broken: ("InternalServerException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE).on("ListRegions", list_regions)
}

/// How many regions a page has when nobody says how many; the model allows 1–50.
const REGIONS_A_PAGE: usize = 10;

/// ListRegions: all regions with their status. Another account may be named only from the management account
/// or a delegated administrator, and the management account may not name itself.
fn list_regions(call: &mut Call<'_>, input: &ListRegionsInput) -> Result<ListRegionsOutput, Refusal> {
    let invalid = |text: &str| Refusal::new(400, "ValidationException", text);
    let size = match input.max_results() {
        None => REGIONS_A_PAGE,
        Some(size @ 1..=50) => usize::try_from(size).unwrap_or(REGIONS_A_PAGE),
        Some(_) => return Err(invalid("maxResults must be between 1 and 50")),
    };
    let caller = &call.caller.account;
    let account = match input.account_id() {
        None => caller,
        Some(named) => {
            let reaches = call.state.organization.as_ref().is_some_and(|organization| {
                organization.administered_by(caller)
                    && organization.has_member(named)
                    && named != organization.management
            });
            let named = call.state.accounts.get_key_value(named).map(|(id, _)| id);
            named.filter(|_| reaches).ok_or_else(|| {
                Refusal::new(
                    403,
                    "AccessDeniedException",
                    format!("User: {} is not authorized to perform: account:ListRegions", call.caller.arn()),
                )
            })?
        }
    };
    let opted_in = call.state.accounts.get(account).map(|account| &account.opted_in);
    let by_default =
        DEFAULT_REGIONS.iter().map(|name| ((*name).to_owned(), RegionOptStatus::EnabledByDefault));
    let by_choice = OPT_IN_REGIONS.iter().map(|name| {
        let enabled = opted_in.is_some_and(|regions| regions.contains(*name));
        let status = if enabled { RegionOptStatus::Enabled } else { RegionOptStatus::Disabled };
        ((*name).to_owned(), status)
    });
    let wanted = input.region_opt_status_contains();
    let mut regions: Vec<_> = by_default
        .chain(by_choice)
        .filter(|(_, status)| wanted.is_empty() || wanted.contains(status))
        .collect();
    regions.sort_by(|a, b| a.0.cmp(&b.0));
    let (regions, next) =
        page(&regions, input.next_token(), size).ok_or_else(|| invalid("nextToken is not valid"))?;
    let regions = regions
        .into_iter()
        .map(|(name, status)| Region::builder().region_name(name).region_opt_status(status).build());
    Ok(ListRegionsOutput::builder().set_regions(Some(regions.collect())).set_next_token(next).build())
}
