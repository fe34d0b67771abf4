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
        Self { operation, actions: &[], retry: Retry::Twice, shows_within: None }
    }

    pub const fn needing(operation: &'static str, actions: &'static [&'static str]) -> Self {
        Self { operation, actions, retry: Retry::Twice, shows_within: None }
    }

    #[must_use]
    pub const fn once(self) -> Self {
        let Self { operation, actions, retry: _, shows_within } = self;
        Self { operation, actions, retry: Retry::Once, shows_within }
    }

    /// What it does may show only after so many seconds, and nothing tells until then that it is on its way.
    #[must_use]
    pub const fn shows_within(self, seconds: u32) -> Self {
        let Self { operation, actions, retry, shows_within: _ } = self;
        Self { operation, actions, retry, shows_within: Some(seconds) }
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
