//! What a controller keeps of itself, beside what it keeps of accounts.

use std::sync::Arc;

use super::super::condition::DesiredStateConditions;
use super::super::log::{self, TARGET};
use super::super::{Settings, schedule};
use super::Keeper;
use crate::audit::{AuditError, ControllerRecord};

impl Keeper<'_> {
    /// The condition of the desired state itself, beside those of the accounts.
    pub(super) async fn keep_state(&mut self, trouble: Option<(&str, String)>) {
        let audit = Arc::clone(&self.current.audit);
        let kept = audit.conditions::<DesiredStateConditions>(DesiredStateConditions::NAME).await;
        let kept = match kept {
            Ok((before, tag)) => {
                let now = DesiredStateConditions::now(
                    before.as_ref(),
                    &self.settings.source.to_string(),
                    self.current.observed(),
                    trouble.as_ref().map(|(reason, why)| (*reason, why.as_str())),
                    self.settings.clock.now(),
                );
                if before.as_ref() == Some(&now) {
                    Ok(())
                } else {
                    audit.keep_conditions(DesiredStateConditions::NAME, &now, tag).await
                }
            }
            Err(error) => Err(error),
        };
        match kept {
            // Another replica has told it.
            Ok(()) | Err(AuditError::Raced { .. }) => {}
            Err(error) => {
                tracing::error!(target: TARGET, error = log::chain(&error), "the condition of the desired state is not kept")
            }
        }
        self.trouble = trouble.map(|(_, why)| why);
        self.settings.pulse.keeps(&self.current, self.trouble.as_deref());
    }

    /// That a controller runs, for whoever would undo what it enforces.
    pub(super) async fn record(&mut self) {
        let Settings { interval, enforce, ref run, .. } = *self.settings;
        let at = self.settings.clock.now();
        self.record_at = schedule::after(at, interval);
        let record =
            ControllerRecord { at, run: run.clone(), enforces: enforce, interval: interval.as_secs() };
        match self.current.audit.controller_runs(&record).await {
            Ok(()) | Err(AuditError::Raced { .. }) => {}
            Err(error) => {
                tracing::error!(target: TARGET, error = log::chain(&error), "that a controller runs is not recorded")
            }
        }
    }
}
