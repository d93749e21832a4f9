//! `hilt erase-subject`: what two members of staff have agreed on is done, also while no service runs.

use super::{Refusal, open};
use api::{
    config::Config,
    services::erasure::{Erase, Erased},
};
use clap::Args;
use events::vocab::{
    id::{ApprovalId, SubjectId},
    stream::Actor,
    words::ActorKind,
};
use ledger::recovery::is_operator;
use std::process::ExitCode;
use uuid::Uuid;

/// The options of `hilt erase-subject`.
#[derive(Args)]
pub struct EraseSubject {
    /// The person, as POST /v1/admin/access/subjects/find names him.
    subject: Uuid,
    /// The approval of `subject_erasure` that another member of staff has given.
    #[arg(long)]
    approval: Uuid,
    /// Who does it: an opaque id, never a name or an address. It stays in the log.
    #[arg(long, default_value = "command-line")]
    operator: String,
}

impl EraseSubject {
    /// Destroys the person's key, and puts it on record. To do it again is harmless.
    pub async fn run(self, config: Config) -> Result<ExitCode, Refusal> {
        if !is_operator(&self.operator) {
            return Err("--operator is an id of 1 to 64 of a-z, 0-9, ., _ and -, never a name or an address".into());
        }
        let (vault, _) = open::vault(&config).await?;
        let log = open::log(&config).await?;
        let erase = Erase {
            subject_id: SubjectId(self.subject),
            approval_id: ApprovalId(self.approval),
            actor: Actor { kind: ActorKind::Operator, id: Some(self.operator.clone()) },
            by: self.operator,
            request_id: None,
        };
        let Erased { subject_id, event_id, position, repeated, .. } =
            erase.run(&log, &vault).await.map_err(|problem| format!("{}: {}", problem.code, problem.detail))?;
        let when = if repeated { "was erased before" } else { "is erased" };
        println!("{subject_id} {when}: position {position}, event {event_id}");
        Ok(ExitCode::SUCCESS)
    }
}
