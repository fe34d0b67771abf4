//! `baseline notifications`

use super::Stop;
use super::args::{Documents, Notifications as Args, Told};
use super::context::{self, Reach, unmatched};
use super::io::Io;
use crate::controller::Clock;
use crate::controller::notify::{Environment, Notifier};
use crate::desired::{Channel, Settings};
use crate::plan::Exit;
use crate::report::escape::escape;
use crate::roster::limits;

pub(super) async fn run(args: &Args, io: &mut Io, reach: Reach) -> Result<Exit, Stop> {
    let Told::Test { documents, names } = &args.what;
    test(documents, names, io, &reach).await
}

/// One message to each, one after the other. Nothing is asked of AWS but for a topic.
async fn test(documents: &Documents, names: &[String], io: &mut Io, reach: &Reach) -> Result<Exit, Stop> {
    let (_, documents) = context::load(documents, io)?;
    let settings = Settings::of(&documents);
    let all = &settings.notifications;
    if let Some(wrong) = names.iter().find(|name| all.iter().all(|one| one.name != **name)) {
        return Err(unmatched("--name", wrong, all.iter().map(|one| one.name.as_str())));
    }
    let chosen: Vec<_> = all.iter().filter(|one| names.is_empty() || names.contains(&one.name)).collect();
    if chosen.is_empty() {
        return Err(Stop::failed(anyhow::Error::msg("the Organization document declares no notifications"))
            .hint("`spec.notifications`; docs/guide.md shows how they are written"));
    }
    let notifier = Notifier::new(Clock::System, environment(), reach.is_in_memory());
    let aws = match chosen.iter().any(|one| matches!(one.to, Channel::Sns(_))) {
        true => Some(reach.connect(&settings.home, limits(&settings)).await?),
        false => None,
    };
    let mut failed = 0;
    for one in &chosen {
        let name = format!("{} ({})", one.name, one.to.word());
        match notifier.test(aws.as_ref(), &settings.name, one).await {
            Ok(()) => io.err(&format!("{name}: told\n")),
            Err(why) => {
                failed += 1;
                io.err(&format!("{name}: not told: {}\n", escape(&why)));
            }
        }
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// The program's own environment, one name at a time. The documents say which.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the command line, and the name comes from the documents"
)]
pub(super) fn environment() -> Environment {
    Box::new(|name| std::env::var(name).ok())
}
