//! Changes wait for a maintenance window, where the Organization document has any.

use super::{Danger, Judging, Refusal};
use crate::desired::Covers;
use crate::plan::Plan;

pub(super) fn closed(plan: &Plan, with: &Judging<'_>) -> Option<Refusal> {
    let windows = with.guards.windows.as_ref()?;
    let waits = plan
        .changes()
        .filter(|(_, item)| windows.covers == Covers::All || Danger::of(item).next().is_some())
        .count();
    let open = windows.open.iter().any(|window| window.is_open(with.now));
    if waits == 0 || open || with.allows(Danger::Window, "") {
        return None;
    }
    let next =
        windows.open.iter().filter_map(|window| Some((window.next(with.now)?, &window.time_zone))).min();
    let opens = match next {
        Some((at, zone)) => {
            let at = at
                .in_tz(zone)
                .map_or_else(|_| at.to_string(), |at| at.strftime("%a %Y-%m-%d %H:%M").to_string());
            format!("the next one opens on {at} ({zone})")
        }
        None => "none opens within a week".to_owned(),
    };
    let what = if waits == 1 { "1 change waits".to_owned() } else { format!("{waits} changes wait") };
    Some(Refusal {
        why: format!("{what} for a maintenance window, and {opens}"),
        hint: "--allow window makes them now; see `guards.windows`".into(),
    })
}
