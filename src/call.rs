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
        Self { operation, actions: &[], retry: Retry::Twice }
    }

    pub const fn needing(operation: &'static str, actions: &'static [&'static str]) -> Self {
        Self { operation, actions, retry: Retry::Twice }
    }

    #[must_use]
    pub const fn once(self) -> Self {
        Self { operation: self.operation, actions: self.actions, retry: Retry::Once }
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
