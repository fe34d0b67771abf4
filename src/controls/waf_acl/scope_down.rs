//! Which requests a rule looks at: conditions that WAF has as nested statements.
//!
//! Every part that is said has to fit, one entry of it is enough: an AND of ORs. A live statement of another shape
//! cannot be told in these words; where one is declared all the same, it is replaced.

use std::collections::BTreeSet;

use aws_sdk_wafv2::types::{
    AndStatement, ByteMatchStatement, CountryCode, FieldToMatch, GeoMatchStatement, Method, NotStatement,
    OrStatement, PositionalConstraint, SingleHeader, Statement, TextTransformation, TextTransformationType,
    UriPath,
};
use aws_smithy_types::Blob;
use aws_smithy_types::error::operation::BuildError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sets::{self, Sets};
use super::words::shaped;

/// Which requests a rule looks at: all parts have to fit, and one entry of each is enough. An empty list takes a
/// part away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ScopeDown {
    /// Paths: `/login`, or `/api/*` for all below; compared after URL decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["/login"], ["/api/*"]]))]
    pub paths: Option<BTreeSet<Pattern>>,
    /// Paths that are left out, as they are written in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["/health"], ["/static/*"]]))]
    pub except_paths: Option<BTreeSet<Pattern>>,
    /// Names of hosts: `www.acme.example`, or `*.acme.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["www.acme.example"], ["*.acme.example"]]))]
    pub hosts: Option<BTreeSet<Host>>,
    /// HTTP methods.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["POST"], ["POST", "PUT"]]))]
    pub methods: Option<BTreeSet<Verb>>,
    /// Countries that requests come from, by their codes (ISO 3166).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-mutate" = [["DE"], ["AT", "DE"]]))]
    pub countries: Option<BTreeSet<Country>>,
    /// Lists of `spec.networks` of the Organization that requests come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeSet<super::words::List>>", extend("x-mutate" = [["office"], ["denied"]]))]
    pub from: Option<BTreeSet<String>>,
    /// Lists of `spec.networks` of the Organization that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<BTreeSet<super::words::List>>", extend("x-mutate" = [["office"], ["denied"]]))]
    pub except_from: Option<BTreeSet<String>>,
}

shaped!(
    /// A path, with a `*` at one end or none.
    Pattern,
    "must be a path such as `/login`, `/api/*` or `*.php`, of 1 to 200 characters",
    r"^(/|\*).{0,199}$",
    |text| {
        let inner = text.trim_start_matches('*').trim_end_matches('*');
        let stars = text.len() - inner.len();
        (1..=200).contains(&inner.len())
            && stars <= 1
            && !inner.contains('*')
            && (text.starts_with('/') || text.starts_with('*'))
    }
);
shaped!(
    /// A host's name, in lower case.
    Host,
    "must be the name of a host in lower case, such as `www.acme.example` or `*.acme.example`",
    r"^(\*\.)?[a-z0-9.-]{1,198}$",
    |text| {
        let inner = text.strip_prefix('*').unwrap_or(text);
        (1..=200).contains(&inner.len())
            && (inner.len() == text.len() || inner.starts_with('.'))
            && inner.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-:".contains(&b))
    }
);
shaped!(
    /// An HTTP method.
    Verb,
    "must be an HTTP method in upper case, such as `POST`",
    "^[A-Z]{1,20}$",
    |text| (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
);
shaped!(
    /// A country's code.
    Country,
    "is not the code of a country that WAF knows, such as `DE`",
    "^[A-Z]{2}$",
    |text| CountryCode::values().contains(&text)
);

/// What a single comparison looks at, and how the text is prepared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    ExceptPath,
    Host,
    Method,
}

impl Part {
    fn transformation(self) -> TextTransformationType {
        match self {
            // `/%6cogin` is `/login` to whoever answers it.
            Self::Path => TextTransformationType::UrlDecode,
            // What is left out is left out by the letter: no spelling of a path slips through.
            Self::ExceptPath | Self::Method => TextTransformationType::None,
            Self::Host => TextTransformationType::Lowercase,
        }
    }

    fn field(self) -> Result<FieldToMatch, BuildError> {
        let field = FieldToMatch::builder();
        Ok(match self {
            Self::Path | Self::ExceptPath => field.uri_path(UriPath::builder().build()),
            Self::Host => field.single_header(SingleHeader::builder().name("host").build()?),
            Self::Method => field.method(Method::builder().build()),
        }
        .build())
    }

    fn statement(self, text: &str) -> Result<Statement, BuildError> {
        let (search, how) = if let Some(start) = text.strip_suffix('*') {
            (start, PositionalConstraint::StartsWith)
        } else if let Some(end) = text.strip_prefix('*') {
            (end, PositionalConstraint::EndsWith)
        } else {
            (text, PositionalConstraint::Exactly)
        };
        let transformation =
            TextTransformation::builder().priority(0).r#type(self.transformation()).build()?;
        let bytes = ByteMatchStatement::builder()
            .search_string(Blob::new(search))
            .field_to_match(self.field()?)
            .text_transformations(transformation)
            .positional_constraint(how);
        Ok(Statement::builder().byte_match_statement(bytes.build()?).build())
    }

    /// The text of a live comparison, if it is one of these.
    fn read(self, statement: &ByteMatchStatement) -> Option<String> {
        let [transformation] = statement.text_transformations() else { return None };
        let plain = statement.pre_parse_text_transformations().is_empty();
        if !plain || transformation.r#type != self.transformation() {
            return None;
        }
        let field = statement.field_to_match.as_ref()?;
        let fits = match self {
            Self::Path | Self::ExceptPath => field.uri_path.is_some(),
            Self::Host => {
                field.single_header.as_ref().is_some_and(|one| one.name.eq_ignore_ascii_case("host"))
            }
            Self::Method => field.method.is_some(),
        };
        let text = std::str::from_utf8(statement.search_string.as_ref()).ok().filter(|_| fits)?;
        match statement.positional_constraint {
            PositionalConstraint::Exactly => Some(text.to_owned()),
            PositionalConstraint::StartsWith => Some(format!("{text}*")),
            PositionalConstraint::EndsWith => Some(format!("*{text}")),
            _ => None,
        }
    }
}

impl ScopeDown {
    /// Lists of networks that it refers to.
    pub fn lists(&self) -> impl Iterator<Item = &String> {
        self.from.iter().chain(&self.except_from).flatten()
    }

    /// This where it says something, and `live` elsewhere.
    #[must_use]
    pub fn over(&self, live: Self) -> Self {
        Self {
            paths: self.paths.clone().or(live.paths),
            except_paths: self.except_paths.clone().or(live.except_paths),
            hosts: self.hosts.clone().or(live.hosts),
            methods: self.methods.clone().or(live.methods),
            countries: self.countries.clone().or(live.countries),
            from: self.from.clone().or(live.from),
            except_from: self.except_from.clone().or(live.except_from),
        }
    }

    /// `None` where every request fits.
    pub fn statement(&self, sets: &dyn Sets) -> Result<Option<Statement>, sets::Missing> {
        let mut parts = Vec::new();
        let bytes = |part: Part, texts: Vec<&str>| -> Result<Vec<Statement>, BuildError> {
            texts.into_iter().map(|text| part.statement(text)).collect()
        };
        let texts = |set: &Option<BTreeSet<Pattern>>| -> Vec<String> {
            set.iter().flatten().map(|one| one.as_str().to_owned()).collect()
        };
        let (paths, excepted) = (texts(&self.paths), texts(&self.except_paths));
        parts.extend(any(bytes(Part::Path, paths.iter().map(String::as_str).collect())?)?);
        parts.extend(not(any(bytes(Part::ExceptPath, excepted.iter().map(String::as_str).collect())?)?));
        parts.extend(any(bytes(Part::Host, self.hosts.iter().flatten().map(Host::as_str).collect())?)?);
        parts.extend(any(bytes(Part::Method, self.methods.iter().flatten().map(Verb::as_str).collect())?)?);
        let codes: Vec<_> =
            self.countries.iter().flatten().map(|one| CountryCode::from(one.as_str())).collect();
        if !codes.is_empty() {
            let geo = GeoMatchStatement::builder().set_country_codes(Some(codes)).build();
            parts.push(Statement::builder().geo_match_statement(geo).build());
        }
        let empty = BTreeSet::new();
        parts.extend(any(sets.statements(self.from.as_ref().unwrap_or(&empty))?)?);
        parts.extend(not(any(sets.statements(self.except_from.as_ref().unwrap_or(&empty))?)?));
        Ok(match parts.len() {
            0 | 1 => parts.pop(),
            _ => {
                let and = AndStatement::builder().set_statements(Some(parts)).build()?;
                Some(Statement::builder().and_statement(and).build())
            }
        })
    }

    /// What a live statement says, with every part said; `None` where these words cannot tell it.
    pub fn of(live: Option<&Statement>, lists: &sets::Lists) -> Option<Self> {
        let mut found = Self {
            paths: Some(BTreeSet::new()),
            except_paths: Some(BTreeSet::new()),
            hosts: Some(BTreeSet::new()),
            methods: Some(BTreeSet::new()),
            countries: Some(BTreeSet::new()),
            from: Some(BTreeSet::new()),
            except_from: Some(BTreeSet::new()),
        };
        let parts: Vec<&Statement> = match live {
            None => Vec::new(),
            Some(Statement { and_statement: Some(and), .. }) => and.statements().iter().collect(),
            Some(one) => vec![one],
        };
        for part in parts {
            found.take(part, lists)?;
        }
        Some(found)
    }

    /// Adds one part that nothing was said of yet.
    fn take(&mut self, part: &Statement, lists: &sets::Lists) -> Option<()> {
        fn fill<T: Ord + TryFrom<String>>(into: &mut Option<BTreeSet<T>>, texts: Vec<String>) -> Option<()> {
            let set = into.as_mut().filter(|set| set.is_empty())?;
            for text in texts {
                set.insert(T::try_from(text).ok()?);
            }
            Some(())
        }
        let not = part.not_statement.as_ref();
        let inner = match not {
            Some(not) => not.statement.as_deref()?,
            None => part,
        };
        let members: Vec<&Statement> = match &inner.or_statement {
            Some(or) => or.statements().iter().collect(),
            None => vec![inner],
        };
        let texts = |part: Part| -> Option<Vec<String>> {
            members.iter().map(|one| part.read(one.byte_match_statement.as_ref()?)).collect()
        };
        if let Some(found) = sets::names(&members) {
            let into = if not.is_some() { &mut self.except_from } else { &mut self.from };
            return fill(into, sets::lists_of(&found, lists).into_iter().collect());
        }
        if not.is_some() {
            return fill(&mut self.except_paths, texts(Part::ExceptPath)?);
        }
        if let Some(paths) = texts(Part::Path) {
            return fill(&mut self.paths, paths);
        }
        if let Some(hosts) = texts(Part::Host) {
            return fill(&mut self.hosts, hosts);
        }
        if let Some(methods) = texts(Part::Method) {
            return fill(&mut self.methods, methods);
        }
        let [one] = members.as_slice() else { return None };
        let geo = one.geo_match_statement.as_ref().filter(|geo| geo.forwarded_ip_config.is_none())?;
        fill(&mut self.countries, geo.country_codes().iter().map(|code| code.as_str().to_owned()).collect())
    }
}

/// One of several statements has to fit; none for none.
pub fn any(mut several: Vec<Statement>) -> Result<Option<Statement>, BuildError> {
    if several.len() < 2 {
        return Ok(several.pop());
    }
    let or = OrStatement::builder().set_statements(Some(several)).build()?;
    Ok(Some(Statement::builder().or_statement(or).build()))
}

fn not(statement: Option<Statement>) -> Option<Statement> {
    let not = NotStatement::builder().statement(statement?).build();
    Some(Statement::builder().not_statement(not).build())
}
