//! Personal data, secrets, keys and signed checkpoints.

use events::{
    clock::{Clock, new_id},
    log::{Append, AppendError, Context, Expected, Log, NewEvent, StreamWrite},
    proof::{Checkpoint, Checkpointer, NoteError, NoteKey},
    vault::{KeyPurpose, MasterKey, Vault, VaultError},
    vocab::{
        event::TicketReopened,
        id::{OwnerId, SubjectId, TicketId},
        personal::Personal,
        stream::{Actor, Category, StreamId},
    },
};
use hilt_tests::{db::Database, keyed, verify};
use std::time::Duration;

const ORIGIN: &str = "ledger.example/log";

fn sealed(subject: SubjectId, email: &str) -> Append {
    let ticket_id: TicketId = new_id();
    let personal = Personal { email: Some(email.to_owned()), ..Personal::default() };
    let event = NewEvent {
        event_id: new_id(),
        event: TicketReopened { ticket_id }.into(),
        personal: Some((subject, personal)),
        causation_id: None,
    };
    Append {
        context: Context {
            owner_id: Some(new_id()),
            livemode: true,
            actor: Actor::system("test"),
            request_id: None,
            correlation_id: new_id(),
        },
        writes: vec![StreamWrite { stream: StreamId::new(Category::Ticket, ticket_id), expected: Expected::NoStream, events: vec![event] }],
        idempotency: None,
    }
}

async fn emails(log: &Log) -> Vec<Option<String>> {
    let events = log.read(0, 100).await.unwrap();
    let opened = log.vault().open_all(&events).await.unwrap();
    opened.into_iter().map(|personal| personal.and_then(|personal| personal.email)).collect()
}

#[tokio::test]
async fn erasing_a_person_leaves_every_proof_whole() {
    let database = Database::fresh().await;
    let (log, other_process) = (database.log().await, database.log().await);
    let owner: OwnerId = new_id();
    let ada = log.vault().resolve_subject(owner, &[("email", "ada@example.com"), ("customer", "1")]).await.unwrap();
    let bob = log.vault().new_subject(owner).await.unwrap();
    log.append(sealed(ada, "ada@example.com")).await.unwrap();
    log.append(sealed(bob, "bob@example.com")).await.unwrap();
    let before = verify::whole_log(&log).await;
    assert!(!before[0].sealed.as_ref().unwrap().windows(3).any(|bytes| bytes == b"ada"));
    let both = vec![Some("ada@example.com".to_owned()), Some("bob@example.com".to_owned())];
    assert_eq!(emails(&log).await, both);
    assert_eq!(emails(&other_process).await, both, "the key is now cached there");

    assert!(log.vault().erase(ada).await.unwrap());
    assert!(!log.vault().erase(ada).await.unwrap());
    let only_bob = vec![None, Some("bob@example.com".to_owned())];
    assert_eq!(emails(&log).await, only_bob);
    let forgotten = async {
        while emails(&other_process).await != only_bob {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), forgotten).await.expect("the other process hears of it");
    assert!(matches!(log.append(sealed(ada, "ada@example.com")).await, Err(AppendError::SubjectErased)));
    let unknown = log.append(sealed(new_id(), "eve@example.com")).await;
    assert!(matches!(unknown, Err(AppendError::Invalid { field: "subject_id", .. })));
    assert_eq!(verify::whole_log(&log).await, before, "the log is what it was");
    assert_eq!(log.vault().find_subject(owner, &[("email", "ada@example.com")]).await.unwrap(), None);
}

#[tokio::test]
async fn sealed_bytes_open_only_in_their_own_event_and_under_their_own_master_key() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let subject = log.vault().new_subject(new_id()).await.unwrap();
    log.append(sealed(subject, "one@example.com")).await.unwrap();
    log.append(sealed(subject, "two@example.com")).await.unwrap();
    let mut events = log.read(0, 2).await.unwrap();
    let [one, two] = events.as_mut_slice() else { panic!() };
    std::mem::swap(&mut one.sealed, &mut two.sealed);
    assert!(matches!(log.vault().open(one).await, Err(VaultError::DoesNotOpen { .. })));
    let stranger = Vault::new(log.pool().clone(), MasterKey::from_bytes([8; 32]), Clock::machine());
    assert!(matches!(stranger.open(one).await, Err(VaultError::DoesNotOpen { what: "a subject key", .. })));
}

#[tokio::test]
async fn a_person_is_found_by_any_identity_and_made_once() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let (vault, owner) = (log.vault(), new_id());
    let many = futures::future::join_all((0..20).map(|_| vault.resolve_subject(owner, &[("email", "ada@example.com")]))).await;
    let ada = *many[0].as_ref().unwrap();
    assert!(many.iter().all(|subject| *subject.as_ref().unwrap() == ada));
    // Any case of the address, a further identity linked by the way, and from then on found by that alone.
    assert_eq!(vault.resolve_subject(owner, &[("customer", "42"), ("email", " Ada@Example.com")]).await.unwrap(), ada);
    assert_eq!(vault.find_subject(owner, &[("customer", "42")]).await.unwrap(), Some(ada));
    // First known in the order given wins.
    let bob = vault.resolve_subject(owner, &[("customer", "43")]).await.unwrap();
    assert_eq!(vault.resolve_subject(owner, &[("customer", "43"), ("email", "ada@example.com")]).await.unwrap(), bob);
    // Workspaces do not share people.
    assert_ne!(vault.resolve_subject(new_id(), &[("email", "ada@example.com")]).await.unwrap(), ada);
    assert_ne!(vault.resolve_subject(owner, &[]).await.unwrap(), vault.resolve_subject(owner, &[]).await.unwrap());
}

#[tokio::test]
async fn secrets_and_signing_keys_are_kept_encrypted() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let vault = log.vault();
    let id = new_id();
    vault.put_secret(id, "webhook", b"whsec_old").await.unwrap();
    vault.put_secret(id, "webhook", b"whsec_new").await.unwrap();
    assert_eq!(vault.get_secret(id, "webhook").await.unwrap().unwrap(), b"whsec_new");
    assert_eq!(vault.get_secret(id, "other").await.unwrap(), None);
    let stored: Vec<u8> = sqlx::query_scalar("SELECT wrapped FROM log.secrets").fetch_one(log.pool()).await.unwrap();
    assert!(!stored.windows(5).any(|bytes| bytes == b"whsec"));
    assert!(vault.delete_secret(id, "webhook").await.unwrap());

    let signers = futures::future::join_all((0..8).map(|_| vault.signer(KeyPurpose::Receipt))).await;
    let first = signers[0].as_ref().unwrap();
    assert!(signers.iter().all(|signer| signer.as_ref().unwrap().kid() == first.kid()));
    let second = vault.rotate_signer(KeyPurpose::Receipt).await.unwrap();
    assert_ne!(second.kid(), first.kid());
    let keys = vault.public_keys(KeyPurpose::Receipt).await.unwrap();
    assert_eq!(keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), [first.kid(), second.kid()]);
    assert!(keys[0].retired_at.is_some() && keys[1].retired_at.is_none());
    assert_eq!(keys[1].public, second.public().to_bytes());
    assert_ne!(vault.signer(KeyPurpose::Jwt).await.unwrap().kid(), second.kid());
    let sealed = vault.seal_bytes("answers", b"key-1", b"body");
    assert_eq!(vault.open_bytes("answers", b"key-1", &sealed).unwrap(), b"body");
    assert!(vault.open_bytes("answers", b"key-2", &sealed).is_err() && vault.open_bytes("other", b"key-1", &sealed).is_err());
}

#[tokio::test]
async fn a_signed_checkpoint_satisfies_other_peoples_verifier() {
    use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};
    let database = Database::fresh().await;
    let log = database.log().await;
    let checkpointer = Checkpointer::new(log.clone(), ORIGIN);
    for _ in 0..5 {
        log.append(keyed::append(new_id())).await.unwrap();
    }
    let head = checkpointer.sign().await.unwrap();
    assert_eq!((head.size, head.root), (10, log.head().await.unwrap().frontier.root()));
    assert_eq!(checkpointer.sign().await.unwrap(), head, "nothing was appended, nothing is signed");
    assert_eq!(checkpointer.covering(9).await.unwrap(), Some(head.clone()));
    assert_eq!(checkpointer.covering(10).await.unwrap(), None);

    let vkey = checkpointer.vkey().await.unwrap().to_string();
    let theirs = StandardVerifier::new(&vkey).unwrap();
    assert_eq!(theirs.name(), ORIGIN);
    let verifiers = VerifierList::new(vec![Box::new(theirs)]);
    let (verified, _) = Note::from_bytes(head.note.as_bytes()).unwrap().verify(&verifiers).unwrap();
    assert_eq!(verified.len(), 1);
    let forged = head.note.replacen("\n10\n", "\n11\n", 1);
    assert!(Note::from_bytes(forged.as_bytes()).unwrap().verify(&verifiers).is_err());

    let ours: NoteKey = vkey.parse().unwrap();
    let opened = Checkpoint::open(&head.note, &ours).unwrap();
    assert_eq!((opened.origin.as_str(), opened.size, opened.root), (ORIGIN, 10, head.root));
    assert!(matches!(Checkpoint::open(&forged, &ours), Err(NoteError::BadSignature(_))));
}
