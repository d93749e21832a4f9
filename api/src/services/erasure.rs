//! Erasing a person: what two members of staff have agreed on is done once.
//!
//! The key is destroyed first and then it is put on record. A crash between the two leaves the approval as it was, and whoever comes
//! again finds the key gone and puts it on record. The other order could say that a key is gone which is there.

use crate::http::{
    problem::{Code, Problem},
    rejection,
};
use events::{
    clock::new_id,
    log::{Context, Log},
    unit::{Unit, is_conflict, load},
    vault::Vault,
    vocab::{
        event::{ApprovalSubject, ErasureApproval, EventType},
        id::{ApprovalId, EventId, SubjectId},
        stream::{Actor, Category, StreamId},
    },
};
use ledger::{
    approval::{self, Approval},
    subject::{self, Subject},
};
use serde::Serialize;
use utoipa::ToSchema;

/// How often it is decided again when somebody else was faster.
const ATTEMPTS: u32 = 5;

/// What is to be erased, and by whom.
#[derive(Clone, Debug)]
pub struct Erase {
    /// The person.
    pub subject_id: SubjectId,
    /// What two members of staff have agreed on.
    pub approval_id: ApprovalId,
    /// Who does it, by an opaque id.
    pub by: String,
    /// The same, for the events.
    pub actor: Actor,
    /// The HTTP request, when there was one.
    pub request_id: Option<String>,
}

/// A person who is erased.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Erased {
    /// The person.
    #[schema(value_type = String, format = Uuid)]
    pub subject_id: SubjectId,
    /// What permitted it.
    #[schema(value_type = String, format = Uuid)]
    pub approval_id: ApprovalId,
    /// `subject.erased`.
    #[schema(value_type = String, format = Uuid)]
    pub event_id: EventId,
    /// Its place in the log.
    pub position: u64,
    /// Whether it was done before.
    pub repeated: bool,
}

impl Erase {
    /// Destroys the person's key and puts that on record with its approval, which is then applied. To do it again is harmless.
    pub async fn run(&self, log: &Log, vault: &Vault) -> Result<Erased, Problem> {
        for _ in 0..ATTEMPTS {
            let permitted = self.permitted(log).await?;
            // Nobody holds the key from here on; what is left is to say so.
            vault.erase(self.subject_id).await.map_err(|error| rejection::read(&error))?;
            if let Some(done) = self.done(log).await? {
                return Ok(done);
            }
            match self.put_on_record(log, permitted).await {
                Ok(erased) => return Ok(erased),
                Err(None) => {}
                Err(Some(problem)) => return Err(problem),
            }
        }
        Err(Problem::of(Code::Conflict).retry_after(1))
    }

    /// What the approval says, if it is of this person's erasure and another has agreed; also when it was applied already.
    async fn permitted(&self, log: &Log) -> Result<Permitted, Problem> {
        let approval = load::<Approval>(log, StreamId::new(Category::Approval, self.approval_id)).await;
        let approval = approval.map_err(|error| rejection::read(&error))?;
        let requested = approval.state.requested().ok_or_else(|| Problem::of(Code::ApprovalNotFound))?;
        match &requested.subject {
            ApprovalSubject::SubjectErasure(erasure) if erasure.subject_id == self.subject_id => {}
            ApprovalSubject::SubjectErasure(_) => {
                return Err(Problem::new(Code::ApprovalNotApproved, "the approval is of another person"));
            }
            _ => return Err(Problem::new(Code::ApprovalNotApproved, "the approval is of another action")),
        }
        let reason = requested.reason.clone();
        let not_approved = || Problem::new(Code::ApprovalNotApproved, format!("the approval is {}", approval.state.status()));
        let approval_event = approval.first(EventType::ApprovalApproved).ok_or_else(not_approved)?;
        match &approval.state {
            Approval::Approved { approved, .. } => {
                let approved_by = approved.by.clone();
                Ok(Permitted { reason, approval: Some((approval_event, approved_by)) })
            }
            Approval::Applied(_) => Ok(Permitted { reason, approval: None }),
            _ => Err(not_approved()),
        }
    }

    /// What the log says of it, if it was done on this approval.
    async fn done(&self, log: &Log) -> Result<Option<Erased>, Problem> {
        let stream = StreamId::new(Category::Subject, self.subject_id);
        for recorded in log.read_stream(stream, 0).await.map_err(|error| rejection::read(&error))? {
            let event = recorded.decode().map_err(|error| Problem::internal(&error, "read an erasure"))?;
            let events::vocab::event::Event::SubjectErased(erased) = event else { continue };
            if erased.approval.is_none_or(|approval| approval.approval_id != self.approval_id) {
                return Err(Problem::new(Code::IdentityErased, "the data subject was erased before, on another approval"));
            }
            let (subject_id, approval_id) = (self.subject_id, self.approval_id);
            let (event_id, position) = (recorded.envelope.event_id, recorded.position);
            return Ok(Some(Erased { subject_id, approval_id, event_id, position, repeated: true }));
        }
        Ok(None)
    }

    /// `None` as an error says that somebody was faster.
    async fn put_on_record(&self, log: &Log, permitted: Permitted) -> Result<Erased, Option<Problem>> {
        // Applied, and nothing on record: another is about to be seen.
        let (approval_event, approved_by) = permitted.approval.ok_or(None)?;
        let context = Context {
            owner_id: None,
            livemode: true,
            actor: self.actor.clone(),
            request_id: self.request_id.clone(),
            correlation_id: new_id(),
        };
        let mut unit = Unit::new(log, context);
        let read = |error: events::log::ReadError| Some(rejection::read(&error));
        let mut approval = unit.load::<Approval>(StreamId::new(Category::Approval, self.approval_id)).await.map_err(read)?;
        let mut person = unit.load::<Subject>(StreamId::new(Category::Subject, self.subject_id)).await.map_err(read)?;
        if let Some(correlation_id) = approval.correlation_id {
            unit.correlate(correlation_id);
        }
        let permit = ErasureApproval { approval_id: self.approval_id, approval_event, approved_by, by: self.by.clone() };
        let erase = subject::Command::Erase { subject_id: self.subject_id, reason: permitted.reason, approval: Some(permit) };
        let made = unit.decide(&mut person, erase, Some(approval_event));
        let made = made.map_err(|refused| Some(rejection::decided(refused.code(), refused)))?;
        let event_id = made.last().copied().ok_or(None)?;
        let apply = approval::Command::Apply { applied_event: event_id, by: self.by.clone() };
        unit.decide(&mut approval, apply, Some(event_id)).map_err(|_| None)?;
        match unit.commit().await {
            // `subject.erased` is the first of the two.
            Ok(appended) => {
                let position = appended.last_position.saturating_sub(1);
                let (subject_id, approval_id) = (self.subject_id, self.approval_id);
                Ok(Erased { subject_id, approval_id, event_id, position, repeated: false })
            }
            Err(error) if is_conflict(&error) => Err(None),
            Err(error) => Err(Some(rejection::append(error))),
        }
    }
}

struct Permitted {
    /// Why, as a code.
    reason: String,
    /// The second person's word; `None` once it has taken effect.
    approval: Option<(EventId, String)>,
}
