//! API calls as data: what a control may make, what the journal sees, what IAM must allow.

/// One API operation as the journal sees it, and the IAM actions that it takes. They differ:
/// `s3:PutBucketEncryption` is allowed by `s3:PutEncryptionConfiguration`; `iam:PassRole` is never a call.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// `service:Operation`; the service is the IAM prefix.
    pub operation: &'static str,
    /// Empty: the one action of the same name.
    pub actions: &'static [&'static str],
    pub retry: Retry,
    /// Seconds until a look shows what the call did, where AWS says that it may take minutes.
    pub shows_within: Option<u32>,
    pub extent: Extent,
}

/// What a write of a control that runs in each region may touch. Of one that runs once in an account it says nothing:
/// such a control is about the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What is in the region that is called.
    Region,
    /// What the account, or its organisation, has once: sent in the home region alone.
    Home,
    /// The same, sent in whichever region comes first: there it does what was to be done, and elsewhere nothing more.
    Account,
}

/// Services without regions: what one of their writes changes holds in all of them (AWS whitepaper "AWS Fault Isolation
/// Boundaries", appendix "Partitional services" and "Edge network global services"). By IAM prefix.
const WITHOUT_REGIONS: [&str; 8] = [
    "account",
    "cloudfront",
    "globalaccelerator",
    "iam",
    "networkmanager",
    "organizations",
    "route53",
    "shield",
];

/// Does a write of this operation change what an account, or an organisation, has once? By its name alone: what else
/// reaches further says so, [`Call::reaching`].
pub fn has_no_region(operation: &str) -> bool {
    let service = operation.split_once(':').map_or(operation, |(service, _)| service);
    // S3 Control's one switch of an account (API reference, `PutPublicAccessBlock`).
    WITHOUT_REGIONS.contains(&service) || operation == "s3control:PutPublicAccessBlock"
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Sending it twice does no harm, or it carries a client token.
    Twice,
    /// Sending it twice makes two (`kms:CreateKey` has no token): no SDK retry; look by name or tag,
    /// then decide.
    Once,
}

impl Call {
    pub const fn new(operation: &'static str) -> Self {
        Self::needing(operation, &[])
    }

    pub const fn needing(operation: &'static str, actions: &'static [&'static str]) -> Self {
        Self { operation, actions, retry: Retry::Twice, shows_within: None, extent: Extent::Region }
    }

    #[must_use]
    pub const fn once(self) -> Self {
        Self { retry: Retry::Once, ..self }
    }

    /// What it does may show only after so many seconds, and nothing tells until then that it is on its way.
    #[must_use]
    pub const fn shows_within(self, seconds: u32) -> Self {
        Self { shows_within: Some(seconds), ..self }
    }

    /// It touches more than the region that is called.
    #[must_use]
    pub const fn reaching(self, extent: Extent) -> Self {
        Self { extent, ..self }
    }

    /// The IAM actions that allow the call.
    pub fn allowed_by(&self) -> impl Iterator<Item = &'static str> {
        let same = self.actions.is_empty().then_some(self.operation);
        self.actions.iter().copied().chain(same)
    }
}

/// Who calls, and what it may: anything else is refused before it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    /// The id of a control.
    pub by: &'static str,
    pub reads: &'static [Call],
    pub writes: &'static [Call],
}
