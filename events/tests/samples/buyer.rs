use super::*;
use events::vocab::{event::*, words::*};

pub fn sample(event_type: EventType) -> Event {
    match event_type {
        EventType::IdentitySessionStarted => IdentitySessionStarted {
            session_id: id(1),
            product_id: id(2),
            subject_id: id(3),
            wallet: address(4),
            wallet_source: Some("EXTERNAL_PHANTOM".into()),
            identity_type: IdentityType::TelegramUserId,
            message_hash: hash(5),
            expires_at: at(600),
        }
        .into(),
        EventType::IdentitySessionVerified => IdentitySessionVerified { session_id: id(1), verified_at: at(60) }.into(),
        EventType::IdentitySessionRejected => IdentitySessionRejected { session_id: id(1), reason: "invalid_signature".into() }.into(),
        EventType::IdentitySessionExpired => IdentitySessionExpired { session_id: id(1), expired_at: at(600) }.into(),
        EventType::IdentitySessionConsumed => IdentitySessionConsumed { session_id: id(1), payment_id: id(2), payment_event: id(3) }.into(),
        EventType::HandoffIssued => HandoffIssued {
            handoff_id: id(1),
            product_id: id(2),
            subject_id: id(3),
            source: HandoffSource::Discord,
            identity_type: IdentityType::DiscordUserId,
            expires_at: at(1_800),
        }
        .into(),
        EventType::HandoffResolved => HandoffResolved { handoff_id: id(1), resolved_at: at(60) }.into(),
        EventType::DiscordConnectStarted => DiscordConnectStarted { handoff_id: id(1), product_id: id(2), expires_at: at(600) }.into(),
        EventType::PhantomSessionOpened => {
            PhantomSessionOpened { phantom_session_id: id(1), payment_id: id(2), dapp_public_key: address(3), expires_at: at(1_800) }.into()
        }
        EventType::PhantomSessionConnected => {
            PhantomSessionConnected { phantom_session_id: id(1), phantom_public_key: address(2), wallet: address(3) }.into()
        }
        EventType::PhantomMessageSigned => PhantomMessageSigned { phantom_session_id: id(1), identity_session_id: id(2) }.into(),
        EventType::PhantomTransactionSigned => PhantomTransactionSigned { phantom_session_id: id(1), tx_signature: tx(2) }.into(),
        EventType::MailQueued => {
            MailQueued { mail_id: id(1), kind: MailKind::ReceiptProof, subject_id: id(2), receipt_id: Some(id(3)), membership_id: None }
                .into()
        }
        EventType::MailSent => MailSent { mail_id: id(1), attempt: 2 }.into(),
        EventType::MailFailed => MailFailed { mail_id: id(1), attempt: 1, reason: "refused".into(), retry_at: Some(at(60)) }.into(),
        other => delivery(other),
    }
}

fn delivery(event_type: EventType) -> Event {
    let (delivery_id, payment_id, membership_id) = (id(1), id(2), Some(id(3)));
    match event_type {
        EventType::DeliveryRequested => DeliveryRequested {
            delivery_id,
            payment_id,
            product_id: id(4),
            access_product_id: None,
            membership_id,
            subject_id: id(5),
            delivery_type: DeliveryType::TelegramInvite,
            mode: DeliveryMode::TelegramBot,
            payment_event: id(6),
        }
        .into(),
        EventType::DeliveryAttempted => DeliveryAttempted {
            delivery_id,
            payment_id,
            membership_id,
            attempt: 1,
            trigger: DeliveryTrigger::Settlement,
            mode: DeliveryMode::TelegramBot,
        }
        .into(),
        EventType::DeliverySent => {
            DeliverySent { delivery_id, payment_id, membership_id, attempt: 2, mode: DeliveryMode::StaticValue, sent_at: at(90) }.into()
        }
        EventType::DeliveryFailed => DeliveryFailed {
            delivery_id,
            payment_id,
            product_id: id(4),
            access_product_id: Some(id(5)),
            membership_id,
            subject_id: id(6),
            attempt: 1,
            trigger: DeliveryTrigger::Settlement,
            mode: DeliveryMode::DiscordBot,
            reason: "provider_unavailable".into(),
            failed_at: at(30),
        }
        .into(),
        EventType::DeliveryRescueScheduled => {
            DeliveryRescueScheduled { delivery_id, payment_id, membership_id, attempt: 2, due_at: at(90) }.into()
        }
        EventType::DeliveryRetryRequested => {
            DeliveryRetryRequested { delivery_id, payment_id, membership_id, attempt: 3, mode: DeliveryMode::TelegramBot }.into()
        }
        EventType::DeliveryRescueExhausted => DeliveryRescueExhausted { delivery_id, payment_id, membership_id, attempts: 6 }.into(),
        EventType::DeliveryManualReviewOpened => DeliveryManualReviewOpened { delivery_id, payment_id, membership_id }.into(),
        EventType::DeliveryWithdrawalRequested => {
            DeliveryWithdrawalRequested { delivery_id, payment_id, membership_id: id(3), ended_event: id(7) }.into()
        }
        EventType::DeliveryWithdrawn => DeliveryWithdrawn {
            delivery_id,
            payment_id,
            membership_id: id(3),
            attempt: 2,
            mode: DeliveryMode::TelegramBot,
            was_in: true,
            withdrawn_at: at(90),
        }
        .into(),
        EventType::DeliveryWithdrawalFailed => DeliveryWithdrawalFailed {
            delivery_id,
            payment_id,
            membership_id: id(3),
            attempt: 1,
            mode: DeliveryMode::DiscordBot,
            reason: "provider_unavailable".into(),
            failed_at: at(30),
            retry_at: Some(at(90)),
        }
        .into(),
        EventType::DeliveryWithdrawalCancelled => {
            DeliveryWithdrawalCancelled { delivery_id, payment_id, membership_id: id(3), reason: "access_runs_again".into() }.into()
        }
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}
