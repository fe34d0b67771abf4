//! The words of the YAML, and texts that WAF takes only in some shapes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to a request that no rule decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Otherwise {
    Allow,
    Block,
}

/// Whether a managed rule group acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Mode {
    Count,
    Enforce,
}

/// What a rule of a group does instead of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Action {
    Count,
    Allow,
    Block,
    Captcha,
    Challenge,
    None,
}

impl Action {
    /// How much it keeps away. `None` is whatever the rule itself does, which usually blocks.
    pub fn strength(self) -> u8 {
        match self {
            Self::Allow => 0,
            Self::Count => 1,
            Self::Challenge => 2,
            Self::Captcha => 3,
            Self::Block | Self::None => 4,
        }
    }

    /// May a request be answered with something else than what it asked for?
    pub fn hinders(self) -> bool {
        self.strength() >= Self::Challenge.strength()
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(inline)]
pub enum ContentType {
    TextPlain,
    TextHtml,
    ApplicationJson,
}

impl ContentType {
    pub fn word(self) -> &'static str {
        match self {
            Self::TextPlain => "TEXT_PLAIN",
            Self::TextHtml => "TEXT_HTML",
            Self::ApplicationJson => "APPLICATION_JSON",
        }
    }

    /// `None` for a type that this build does not know.
    pub fn of(word: &str) -> Option<Self> {
        [Self::TextPlain, Self::TextHtml, Self::ApplicationJson].into_iter().find(|one| one.word() == word)
    }
}

/// The seconds over which WAF counts (API reference, RateBasedStatement).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Window(u32);

impl Window {
    const ALL: [u32; 4] = [60, 120, 300, 600];
    /// What WAF takes when nothing is said.
    pub const USUAL: Self = Self(300);

    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Window {
    type Error = String;

    fn try_from(seconds: u32) -> Result<Self, String> {
        if Self::ALL.contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(format!("{seconds} must be 60, 120, 300 or 600 seconds"))
        }
    }
}

impl From<Window> for u32 {
    fn from(window: Window) -> Self {
        window.0
    }
}

impl JsonSchema for Window {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Window".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "integer", "enum": Self::ALL})
    }
}

/// A list of `spec.networks`, for the schema: its name is looked up there when the documents are read.
pub struct List;

impl JsonSchema for List {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NetworkList".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "network-list"})
    }
}

/// A text of one shape, with that shape in its schema.
macro_rules! shaped {
    ($(#[$doc:meta])* $name:ident, $why:literal, $pattern:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let fits: fn(&str) -> bool = $fits;
                if fits(&text) { Ok(Self(text)) } else { Err(format!("`{text}` {}", $why)) }
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    };
}
pub(super) use shaped;

shaped!(
    /// `EntityDescription` in the API model.
    Description,
    "must be 3 to 256 letters, digits, spaces and `+=:#@/-,._`, without spaces at its ends",
    r"^[\w+=:#@/\-,\.][\w+=:#@/\-,\.\s]+[\w+=:#@/\-,\.]$",
    |text| {
        let inner = |c: char| c.is_ascii_alphanumeric() || "_+=:#@/-,.".contains(c);
        (3..=256).contains(&text.len())
            && text.chars().all(|c| inner(c) || c == ' ')
            && text.starts_with(inner)
            && text.ends_with(inner)
    }
);

impl Description {
    /// What WAF has, empty where it has none, as a word.
    pub fn of(live: Option<&str>) -> Option<Self> {
        let text = live.filter(|text| !text.is_empty()).unwrap_or("none");
        Self::try_from(text.to_owned()).ok()
    }

    /// What WAF is told.
    pub fn text(&self) -> Option<String> {
        Some(self.as_str()).filter(|text| *text != "none").map(str::to_owned)
    }
}

shaped!(
    /// `VersionKeyString` in the API model.
    Version,
    "must be `default`, or a version such as `Version_1.18`",
    r"^[\w#:\.\-/]{1,64}$",
    |text| {
        (1..=64).contains(&text.len())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_#:.-/".contains(c))
    }
);

impl Version {
    pub fn usual() -> Self {
        Self("default".into())
    }

    /// The version, unless it is what the vendor says.
    pub fn pinned(&self) -> Option<&str> {
        Some(self.as_str()).filter(|version| *version != "default")
    }
}

shaped!(
    /// `ForwardedIPHeaderName` in the API model.
    Header,
    "must be `none`, or the name of a header: letters, digits and `-`",
    "^[a-zA-Z0-9-]{1,255}$",
    |text| (1..=255).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
);

impl Header {
    pub fn none() -> Self {
        Self("none".into())
    }

    pub fn name(&self) -> Option<&str> {
        Some(self.as_str()).filter(|name| *name != "none")
    }
}

shaped!(
    /// `ResponseContent` in the API model.
    Text,
    "must be 1 to 10240 characters",
    r"^[\s\S]{1,10240}$",
    |text| (1..=10_240).contains(&text.chars().count())
);
