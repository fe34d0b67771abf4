//! Amazon ECR: private repositories.
//!
//! Sources: Amazon ECR API Reference, the operation named at each handler.

mod lifecycle;
pub mod registry;

use std::collections::BTreeMap;

use aws_sdk_ecr::operation::create_repository::{CreateRepositoryInput, CreateRepositoryOutput};
use aws_sdk_ecr::operation::describe_repositories::{DescribeRepositoriesInput, DescribeRepositoriesOutput};
use aws_sdk_ecr::operation::put_image_scanning_configuration::{
    PutImageScanningConfigurationInput, PutImageScanningConfigurationOutput,
};
use aws_sdk_ecr::operation::put_image_tag_mutability::{
    PutImageTagMutabilityInput, PutImageTagMutabilityOutput,
};
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    ImageTagMutabilityExclusionFilter, ImageTagMutabilityExclusionFilterType,
};
use jiff::Timestamp;

use super::operation::{
    Call, Operations, Protocol, Refusal, Service, complete, date_time, length_within, page,
};

static SERVICE: Service = Service {
    id: "ECR",
    prefix: "ecr",
    protocol: Protocol::Json,
    throttled: ("ThrottlingException", 400),
    broken: ("ServerException", 500),
};

pub(super) fn operations() -> Operations {
    Operations::of(&SERVICE)
        .on("CreateRepository", create_repository)
        .on("DescribeRepositories", describe_repositories)
        .on("PutImageScanningConfiguration", put_image_scanning_configuration)
        .on("PutImageTagMutability", put_image_tag_mutability)
        .on("GetLifecyclePolicy", lifecycle::get)
        .on("PutLifecyclePolicy", lifecycle::put)
        .on("GetRegistryScanningConfiguration", registry::get)
        .on("PutRegistryScanningConfiguration", registry::put)
}

/// The private registry of one account in one region.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    pub repositories: BTreeMap<String, Repository>,
    pub scanning: registry::Scanning,
}

/// A repository.
#[derive(Clone, Debug)]
pub struct Repository {
    pub scan_on_push: bool,
    pub mutability: ImageTagMutability,
    /// Wildcards of tags that the mutability does not hold for.
    pub exclusions: Vec<String>,
    pub lifecycle_policy: Option<String>,
    pub created: Timestamp,
    pub encryption: EncryptionType,
    pub kms_key: Option<String>,
    /// A repository policy denies everybody to read more than its description.
    pub unreadable: bool,
}

impl Repository {
    /// A repository as the service makes one when told nothing: no scan on push, mutable tags, AES-256.
    pub fn with_defaults(now: Timestamp) -> Self {
        Self {
            scan_on_push: false,
            mutability: ImageTagMutability::Mutable,
            exclusions: Vec::new(),
            lifecycle_policy: None,
            created: now,
            encryption: EncryptionType::Aes256,
            kms_key: None,
            unreadable: false,
        }
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        400,
        "InvalidParameterException",
        format!("Invalid parameter at '{what}' failed to satisfy constraint"),
    )
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/…)*`, 2–256 characters (RepositoryName in the model).
fn repository_name(name: Option<&str>) -> Result<&str, Refusal> {
    let word = |part: &str| {
        let separators: Vec<&str> = part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .filter(|s| !s.is_empty())
            .collect();
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().next_back())
            && separators.iter().all(|s| matches!(*s, "." | "_" | "__") || s.chars().all(|c| c == '-'))
    };
    name.filter(|name| length_within(name, 2, 256) && name.split('/').all(word))
        .ok_or_else(|| invalid("repositoryName"))
}

/// The registry is the caller's own; another account's cannot be reached here.
fn own_registry(call: &Call<'_>, registry: Option<&str>) -> Result<(), Refusal> {
    match registry {
        Some(id) if id != call.caller.account => Err(Refusal::new(
            400,
            "AccessDeniedException",
            format!("User: {} is not authorized to access registry {id}", call.caller.arn()),
        )),
        _ => Ok(()),
    }
}

fn missing(call: &Call<'_>, name: &str) -> Refusal {
    Refusal::new(
        400,
        "RepositoryNotFoundException",
        format!(
            "The repository with name '{name}' does not exist in the registry with id '{}'",
            call.caller.account
        ),
    )
}

fn repository<'c>(
    call: &'c mut Call<'_>,
    registry: Option<&str>,
    name: Option<&str>,
) -> Result<&'c mut Repository, Refusal> {
    own_registry(call, registry)?;
    let name = repository_name(name)?;
    let missing = missing(call, name);
    call.here().ecr.repositories.get_mut(name).ok_or(missing)
}

/// The setting and its exclusion filters: filters exactly with the `…_WITH_EXCLUSION` settings, 1–5 of them,
/// each `[0-9a-zA-Z._*-]{1,128}`, at most two wildcards (PutImageTagMutability).
fn mutability(
    wanted: &ImageTagMutability,
    filters: Option<&[ImageTagMutabilityExclusionFilter]>,
) -> Result<Vec<String>, Refusal> {
    let excluding = match wanted {
        ImageTagMutability::Mutable | ImageTagMutability::Immutable => false,
        ImageTagMutability::MutableWithExclusion | ImageTagMutability::ImmutableWithExclusion => true,
        _ => return Err(invalid("imageTagMutability")),
    };
    let filters = filters.unwrap_or_default();
    let fits = |filter: &ImageTagMutabilityExclusionFilter| {
        *filter.filter_type() == ImageTagMutabilityExclusionFilterType::Wildcard
            && length_within(filter.filter(), 1, 128)
            && filter.filter().chars().all(|c| c.is_ascii_alphanumeric() || "._*-".contains(c))
            && filter.filter().matches('*').count() <= 2
    };
    if excluding != (1..=5).contains(&filters.len()) || !filters.iter().all(fits) || filters.len() > 5 {
        return Err(invalid("imageTagMutabilityExclusionFilters"));
    }
    Ok(filters.iter().map(|filter| filter.filter().to_owned()).collect())
}

fn exclusion_filters(
    exclusions: &[String],
) -> Result<Option<Vec<ImageTagMutabilityExclusionFilter>>, Refusal> {
    let filter = |text: &String| {
        let built = ImageTagMutabilityExclusionFilter::builder()
            .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
            .filter(text);
        complete(built.build())
    };
    let filters: Vec<_> = exclusions.iter().map(filter).collect::<Result<_, _>>()?;
    Ok((!filters.is_empty()).then_some(filters))
}

/// A repository as DescribeRepositories tells it.
fn told(
    repository: &Repository,
    name: &str,
    account: &str,
    region: &str,
) -> Result<aws_sdk_ecr::types::Repository, Refusal> {
    let encryption = EncryptionConfiguration::builder()
        .encryption_type(repository.encryption.clone())
        .set_kms_key(repository.kms_key.clone());
    Ok(aws_sdk_ecr::types::Repository::builder()
        .repository_arn(format!("arn:aws:ecr:{region}:{account}:repository/{name}"))
        .registry_id(account)
        .repository_name(name)
        .repository_uri(format!("{account}.dkr.ecr.{region}.amazonaws.com/{name}"))
        .created_at(date_time(repository.created))
        .image_tag_mutability(repository.mutability.clone())
        .set_image_tag_mutability_exclusion_filters(exclusion_filters(&repository.exclusions)?)
        .image_scanning_configuration(scanning(repository.scan_on_push))
        .encryption_configuration(complete(encryption.build())?)
        .build())
}

fn scanning(on_push: bool) -> ImageScanningConfiguration {
    ImageScanningConfiguration::builder().scan_on_push(on_push).build()
}

/// CreateRepository.
fn create_repository(
    call: &mut Call<'_>,
    input: &CreateRepositoryInput,
) -> Result<CreateRepositoryOutput, Refusal> {
    own_registry(call, input.registry_id())?;
    let name = repository_name(input.repository_name())?.to_owned();
    let mut made = Repository::with_defaults(call.now);
    if let Some(wanted) = input.image_tag_mutability() {
        made.exclusions = mutability(wanted, input.image_tag_mutability_exclusion_filters.as_deref())?;
        made.mutability = wanted.clone();
    }
    made.scan_on_push = input.image_scanning_configuration().is_some_and(|scanning| scanning.scan_on_push());
    if let Some(encryption) = input.encryption_configuration() {
        made.encryption = encryption.encryption_type().clone();
        made.kms_key = encryption.kms_key().map(str::to_owned);
    }
    let account = call.caller.account.clone();
    if call.here().ecr.repositories.contains_key(&name) {
        return Err(Refusal::new(
            400,
            "RepositoryAlreadyExistsException",
            format!("The repository with name '{name}' already exists in the registry with id '{account}'"),
        ));
    }
    let output = told(&made, &name, &account, call.region)?;
    call.here().ecr.repositories.insert(name, made);
    Ok(CreateRepositoryOutput::builder().repository(output).build())
}

/// How many repositories a page has when nobody says how many. AWS gives up to 100; fewer here, so that
/// whoever does not paginate is found out.
const REPOSITORIES_A_PAGE: usize = 20;

/// DescribeRepositories: names and paging exclude each other; pages of 1–1000.
fn describe_repositories(
    call: &mut Call<'_>,
    input: &DescribeRepositoriesInput,
) -> Result<DescribeRepositoriesOutput, Refusal> {
    own_registry(call, input.registry_id())?;
    let account = call.caller.account.clone();
    let region = call.region;
    if !input.repository_names().is_empty() {
        if input.next_token().is_some()
            || input.max_results().is_some()
            || input.repository_names().len() > 100
        {
            return Err(invalid("repositoryNames"));
        }
        let mut found = Vec::new();
        for name in input.repository_names() {
            let repository = repository(call, None, Some(name))?;
            found.push(told(repository, name, &account, region)?);
        }
        return Ok(DescribeRepositoriesOutput::builder().set_repositories(Some(found)).build());
    }
    let size = match input.max_results() {
        None => REPOSITORIES_A_PAGE,
        Some(size @ 1..=1000) => usize::try_from(size).unwrap_or(REPOSITORIES_A_PAGE),
        Some(_) => return Err(invalid("maxResults")),
    };
    let registry = &call.here().ecr;
    let names: Vec<&String> = registry.repositories.keys().collect();
    let (names, next) = page(&names, input.next_token(), size).ok_or_else(|| invalid("nextToken"))?;
    let told: Result<Vec<_>, _> =
        names.into_iter().map(|name| told(&registry.repositories[name], name, &account, region)).collect();
    Ok(DescribeRepositoriesOutput::builder().set_repositories(Some(told?)).set_next_token(next).build())
}

/// PutImageScanningConfiguration.
fn put_image_scanning_configuration(
    call: &mut Call<'_>,
    input: &PutImageScanningConfigurationInput,
) -> Result<PutImageScanningConfigurationOutput, Refusal> {
    let on_push = input
        .image_scanning_configuration()
        .ok_or_else(|| invalid("imageScanningConfiguration"))?
        .scan_on_push();
    repository(call, input.registry_id(), input.repository_name())?.scan_on_push = on_push;
    Ok(PutImageScanningConfigurationOutput::builder()
        .registry_id(&call.caller.account)
        .set_repository_name(input.repository_name.clone())
        .image_scanning_configuration(scanning(on_push))
        .build())
}

/// PutImageTagMutability: replaces the exclusion filters too.
fn put_image_tag_mutability(
    call: &mut Call<'_>,
    input: &PutImageTagMutabilityInput,
) -> Result<PutImageTagMutabilityOutput, Refusal> {
    let wanted = input.image_tag_mutability().ok_or_else(|| invalid("imageTagMutability"))?;
    let exclusions = mutability(wanted, input.image_tag_mutability_exclusion_filters.as_deref())?;
    let repository = repository(call, input.registry_id(), input.repository_name())?;
    repository.mutability = wanted.clone();
    repository.exclusions.clone_from(&exclusions);
    Ok(PutImageTagMutabilityOutput::builder()
        .registry_id(&call.caller.account)
        .set_repository_name(input.repository_name.clone())
        .image_tag_mutability(wanted.clone())
        .set_image_tag_mutability_exclusion_filters(exclusion_filters(&exclusions)?)
        .build())
}

#[cfg(test)]
mod tests;
