//! Whether a trail records, and what does not arrive.

use aws_sdk_cloudtrail::operation::get_trail_status::{GetTrailStatusInput, GetTrailStatusOutput};
use aws_sdk_cloudtrail::operation::start_logging::{StartLoggingInput, StartLoggingOutput};
use aws_sdk_cloudtrail::operation::stop_logging::{StopLoggingInput, StopLoggingOutput};

use super::super::operation::{Call, Refusal, date_time};
use super::{delivery, named, written};

/// StartLogging: in the home region; a trail that records goes on.
pub(super) fn start(call: &mut Call<'_>, input: &StartLoggingInput) -> Result<StartLoggingOutput, Refusal> {
    let now = call.now;
    let trail = written(call, input.name())?.trail_mut(call.state)?;
    if !trail.logging {
        trail.started = Some(now);
    }
    trail.logging = true;
    Ok(StartLoggingOutput::builder().build())
}

/// StopLogging: in the home region.
pub(super) fn stop(call: &mut Call<'_>, input: &StopLoggingInput) -> Result<StopLoggingOutput, Refusal> {
    let now = call.now;
    let trail = written(call, input.name())?.trail_mut(call.state)?;
    if trail.logging {
        trail.stopped = Some(now);
    }
    trail.logging = false;
    Ok(StopLoggingOutput::builder().build())
}

/// GetTrailStatus: of this region only. What the policies forbid is an error of the last delivery, in S3's and
/// CloudWatch Logs' own words; a trail that does not record delivers nothing.
pub(super) fn status(
    call: &mut Call<'_>,
    input: &GetTrailStatusInput,
) -> Result<GetTrailStatusOutput, Refusal> {
    let home = named(call, input.name())?;
    let trail = home.trail(call.state)?;
    let refused = delivery::storage(call.state, &home, trail).err();
    let of_policy = refused.map(|refusal| match refusal.code {
        "S3BucketDoesNotExistException" => "NoSuchBucket".to_owned(),
        _ => "AccessDenied".to_owned(),
    });
    let error = trail.delivery_error.clone().or(of_policy).filter(|_| trail.logging);
    let of_logs = delivery::logs(call.state, &home, trail, None).err().filter(|_| trail.logging);
    let of_logs = of_logs.map(|refusal| match refusal.code {
        "InvalidCloudWatchLogsLogGroupArnException" => "ResourceNotFoundException".to_owned(),
        _ => "AccessDenied".to_owned(),
    });
    let digests = error.clone().filter(|_| trail.log_file_validation);
    Ok(GetTrailStatusOutput::builder()
        .is_logging(trail.logging)
        .set_latest_delivery_error(error)
        .set_latest_digest_delivery_error(digests)
        .set_latest_cloud_watch_logs_delivery_error(of_logs)
        .set_start_logging_time(trail.started.map(date_time))
        .set_stop_logging_time(trail.stopped.map(date_time))
        .build())
}
