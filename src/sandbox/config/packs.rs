//! Conformance packs: deployed from a template, which no call tells.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_config::operation::describe_conformance_pack_status::{
    DescribeConformancePackStatusInput, DescribeConformancePackStatusOutput,
};
use aws_sdk_config::operation::describe_conformance_packs::{
    DescribeConformancePacksInput, DescribeConformancePacksOutput,
};
use aws_sdk_config::operation::list_tags_for_resource::{
    ListTagsForResourceInput, ListTagsForResourceOutput,
};
use aws_sdk_config::operation::put_conformance_pack::{PutConformancePackInput, PutConformancePackOutput};
use aws_sdk_config::operation::tag_resource::{TagResourceInput, TagResourceOutput};
use aws_sdk_config::types::{
    ConformancePackDetail, ConformancePackInputParameter, ConformancePackState, ConformancePackStatusDetail,
    Tag, TemplateSsmDocumentDetails,
};
use jiff::Timestamp;

use super::super::iam::ensure_service_linked;
use super::super::operation::{Call, Refusal, complete, date_time, length_within, page};
use super::{refuse, tags};

/// How long a pack is being deployed. AWS gives no number; it is long enough that nobody who looks once sees it done.
pub const DEPLOYING: Duration = Duration::from_secs(60);

const A_PAGE: usize = 1;

/// A conformance pack.
#[derive(Clone, Debug)]
pub struct Pack {
    pub id: String,
    pub template: Option<String>,
    pub document: Option<TemplateSsmDocumentDetails>,
    pub parameters: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub created_by: Option<String>,
    /// When it was last put.
    pub put: Timestamp,
    /// Why it could not be deployed.
    pub failure: Option<String>,
}

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterValueException", message)
}

fn arn(call: &Call<'_>, name: &str, pack: &Pack) -> String {
    call.arn("config", format!("conformance-pack/{name}/{}", pack.id))
}

/// Packs by name, and the token of the next page.
type Page = (Vec<(String, Pack)>, Option<String>);

/// The packs that a request asks for, one page of them.
fn asked(call: &mut Call<'_>, names: &[String], token: Option<&str>) -> Result<Page, Refusal> {
    let packs = call.here().config.packs.clone();
    if let Some(name) = names.iter().find(|name| !packs.contains_key(*name)) {
        let message = format!("The conformance pack {name} does not exist");
        return Err(refuse("NoSuchConformancePackException", message));
    }
    let all: Vec<_> =
        packs.into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect();
    page(&all, token, A_PAGE).ok_or_else(|| refuse("InvalidNextTokenException", "The nextToken is not valid"))
}

/// DescribeConformancePacks: everything but the template.
pub(in crate::sandbox) fn describe(
    call: &mut Call<'_>,
    input: &DescribeConformancePacksInput,
) -> Result<DescribeConformancePacksOutput, Refusal> {
    let (packs, next) = asked(call, input.conformance_pack_names(), input.next_token())?;
    let told = packs.into_iter().map(|(name, pack)| {
        let parameters = pack.parameters.iter().map(|(name, value)| {
            let one = ConformancePackInputParameter::builder().parameter_name(name).parameter_value(value);
            complete(one.build())
        });
        let told = ConformancePackDetail::builder()
            .conformance_pack_arn(arn(call, &name, &pack))
            .conformance_pack_id(&pack.id)
            .set_conformance_pack_input_parameters(Some(parameters.collect::<Result<_, _>>()?))
            .set_created_by(pack.created_by.clone())
            .set_template_ssm_document_details(pack.document.clone())
            .last_update_requested_time(date_time(pack.put))
            .conformance_pack_name(name);
        complete(told.build())
    });
    Ok(DescribeConformancePacksOutput::builder()
        .set_conformance_pack_details(Some(told.collect::<Result<_, _>>()?))
        .set_next_token(next)
        .build())
}

/// DescribeConformancePackStatus: in progress for a while, then what became of it.
pub(in crate::sandbox) fn status(
    call: &mut Call<'_>,
    input: &DescribeConformancePackStatusInput,
) -> Result<DescribeConformancePackStatusOutput, Refusal> {
    let (packs, next) = asked(call, input.conformance_pack_names(), input.next_token())?;
    let now = call.now;
    let told = packs.into_iter().map(|(name, pack)| {
        use ConformancePackState as State;
        let under_way = now.duration_since(pack.put).unsigned_abs() < DEPLOYING;
        let state = match (under_way, pack.failure.is_some()) {
            (true, _) => State::CreateInProgress,
            (false, false) => State::CreateComplete,
            (false, true) => State::CreateFailed,
        };
        let told = ConformancePackStatusDetail::builder()
            .conformance_pack_arn(arn(call, &name, &pack))
            .conformance_pack_id(&pack.id)
            .conformance_pack_state(state)
            .stack_arn(call.arn("cloudformation", format!("stack/awsconfigconforms-{name}/{}", pack.id)))
            .set_conformance_pack_status_reason(pack.failure.clone().filter(|_| !under_way))
            .last_update_requested_time(date_time(pack.put))
            .conformance_pack_name(name);
        complete(told.build())
    });
    Ok(DescribeConformancePackStatusOutput::builder()
        .set_conformance_pack_status_details(Some(told.collect::<Result<_, _>>()?))
        .set_next_token(next)
        .build())
}

/// PutConformancePack: one source; a template of rules and remediations, up to 51,200 bytes and 130 rules; up to 60
/// parameters; tags are taken when it is made; 50 packs (Developer Guide, "Service limits"). There must be a recorder,
/// and the service makes its role for packs.
pub(in crate::sandbox) fn put(
    call: &mut Call<'_>,
    input: &PutConformancePackInput,
) -> Result<PutConformancePackOutput, Refusal> {
    let name = input.conformance_pack_name().unwrap_or_default().to_owned();
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !length_within(&name, 1, 256) || !letters || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(invalid("The name of the conformance pack is not valid"));
    }
    let sources = [
        input.template_body().is_some(),
        input.template_s3_uri().is_some(),
        input.template_ssm_document_details().is_some(),
    ];
    if sources.into_iter().filter(|given| *given).count() != 1 || input.template_s3_uri().is_some() {
        return Err(invalid(
            "Specify only one of TemplateS3Uri, TemplateBody and TemplateSSMDocumentDetails",
        ));
    }
    if let Some(template) = input.template_body() {
        let rules = template.matches("AWS::Config::ConfigRule").count();
        if template.len() > 51_200 || !(1..=130).contains(&rules) || !template.contains("Resources") {
            let message = "The template is not valid";
            return Err(refuse("ConformancePackTemplateValidationException", message));
        }
    }
    let given = input.conformance_pack_input_parameters();
    let fits = |one: &ConformancePackInputParameter| {
        length_within(one.parameter_name(), 0, 255) && length_within(one.parameter_value(), 0, 4096)
    };
    if given.len() > 60 || !given.iter().all(fits) {
        return Err(invalid("The parameters are not valid"));
    }
    if call.here().config.recorder.is_none() {
        let message = "Configuration recorder is not available.";
        return Err(refuse("InsufficientPermissionsException", message));
    }
    let tags = tags(input.tags())?;
    let (id, now) = (format!("conformance-pack-{}", call.state.hex(9)), call.now);
    let packs = &mut call.here().config.packs;
    let before = packs.get(&name);
    let busy = before.is_some_and(|before| now.duration_since(before.put).unsigned_abs() < DEPLOYING);
    if busy || before.is_some_and(|before| before.created_by.is_some()) {
        return Err(refuse("ResourceInUseException", "The conformance pack is in use"));
    }
    if before.is_none() && packs.len() >= 50 {
        let message = "You have reached the limit of the number of conformance packs.";
        return Err(refuse("MaxNumberOfConformancePacksExceededException", message));
    }
    let parameters =
        given.iter().map(|one| (one.parameter_name().to_owned(), one.parameter_value().to_owned()));
    let pack = Pack {
        id: before.map_or(id, |before| before.id.clone()),
        template: input.template_body().map(str::to_owned),
        document: input.template_ssm_document_details().cloned(),
        parameters: parameters.collect(),
        tags: before.map_or(tags, |before| before.tags.clone()),
        created_by: None,
        put: now,
        failure: None,
    };
    packs.insert(name.clone(), pack.clone());
    ensure_service_linked(call, "config-conforms.amazonaws.com");
    Ok(PutConformancePackOutput::builder().conformance_pack_arn(arn(call, &name, &pack)).build())
}

/// The name of the pack that an ARN means; other resources of AWS Config are not tagged here.
fn named(call: &mut Call<'_>, given: Option<&str>) -> Result<String, Refusal> {
    let packs = call.here().config.packs.clone();
    let found = packs.iter().find(|(name, pack)| Some(arn(call, name, pack).as_str()) == given);
    found.map(|(name, _)| name.clone()).ok_or_else(|| {
        refuse("ResourceNotFoundException", "ResourceArn does not exist or its type is not supported")
    })
}

/// ListTagsForResource.
pub(in crate::sandbox) fn list_tags(
    call: &mut Call<'_>,
    input: &ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Refusal> {
    let name = named(call, input.resource_arn())?;
    let all: Vec<_> = call.here().config.packs[&name].tags.clone().into_iter().collect();
    let (some, next) = page(&all, input.next_token(), A_PAGE)
        .ok_or_else(|| refuse("InvalidNextTokenException", "The nextToken is not valid"))?;
    let tags: Vec<_> =
        some.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    // TagList holds one tag at least.
    let tags = Some(tags).filter(|tags| !tags.is_empty());
    Ok(ListTagsForResourceOutput::builder().set_tags(tags).set_next_token(next).build())
}

/// TagResource: what is named is set, the others stay; 50 at most.
pub(in crate::sandbox) fn tag(
    call: &mut Call<'_>,
    input: &TagResourceInput,
) -> Result<TagResourceOutput, Refusal> {
    let name = named(call, input.resource_arn())?;
    let given = tags(input.tags())?;
    let pack = call.here().config.packs.get_mut(&name).expect("it was found");
    let mut all = pack.tags.clone();
    all.extend(given);
    if all.len() > 50 || input.tags().is_empty() {
        return Err(refuse("TooManyTagsException", "A resource has 50 tags at most"));
    }
    pack.tags = all;
    Ok(TagResourceOutput::builder().build())
}
