//! The regions that this build knows, to catch a slip of the pen. Never a reason to refuse: AWS opens regions
//! between releases.

use crate::desired::read::Problems;
use crate::diagnostic::{Diagnostic, Span};

/// AWS General Reference, "Regions and Availability Zones", with China and GovCloud.
const KNOWN: [&str; 39] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

/// A warning where a region is none of those.
pub fn warn_unknown(code: &str, span: Span, problems: &mut Problems) {
    if !KNOWN.contains(&code) {
        problems.push(
            Diagnostic::warning(format!("`{code}` is not a region that this build knows"))
                .at(span)
                .suggest(code, KNOWN)
                .note("asked again when the account is observed"),
        );
    }
}
