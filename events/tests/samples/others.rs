use super::*;
use events::vocab::{
    bytes::{EvmAddress, EvmHash},
    event::*,
    money::{SignedMinor, SignedTotal, Total},
    rail::RailId,
    words::*,
};

pub fn sample(event_type: EventType) -> Event {
    match event_type {
        EventType::ProofFingerprinted => ProofFingerprinted {
            proof_id: id(1),
            fingerprint: hash(2),
            rail_id: RailId::SolanaUsdc,
            network: "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1".into(),
            tx_signature: Some(tx(3)),
            session_id: Some(id(4)),
            payment_id: id(5),
            entitlement_id: Some(id(6)),
            access_product_id: Some(id(7)),
            product_id: id(8),
            subject_id: id(9),
            amount: minor(25_000_000),
            requirement_hash: Some(hash(10)),
            trigger: Trigger::Proof,
            requirement_event: id(11),
            x402: Some(X402Proof { payment_requirements_hash: hash(12), message_hash: Some(hash(13)) }),
        }
        .into(),
        EventType::ProofReplayRejected => ProofReplayRejected {
            fingerprint: hash(1),
            rail_id: RailId::SolanaUsdc,
            tx_signature: Some(tx(2)),
            session_id: Some(id(3)),
            payment_id: None,
        }
        .into(),
        EventType::ProofRejected => ProofRejected {
            rail_id: RailId::SolanaUsdc,
            session_id: Some(id(1)),
            payment_id: Some(id(2)),
            reason: "requirement_expired".into(),
            field: Some("payment_session_id".into()),
        }
        .into(),
        EventType::VerificationAttempted => VerificationAttempted {
            proof_id: id(1),
            payment_id: id(2),
            session_id: Some(id(3)),
            rail_id: RailId::SolanaUsdc,
            fingerprint: hash(4),
            attempt: 2,
            verifier: "solana_json_rpc".into(),
            trigger: Trigger::Confirm,
            outcome: Outcome::Failed,
            reason: Some("amount_short".into()),
            observed: Some(ObservedPayment {
                slot: 312_000_000,
                block_time: Some(1_780_000_000),
                payer: Some(address(5)),
                memo: Some("HILT:00112233445566778899aabbccddeeff".into()),
                transfers: vec![ObservedTransfer { account: address(6), mint: address(7), received: minor(24_749_999) }],
            }),
            proof_event: id(8),
        }
        .into(),
        EventType::SettlementEvidenced => SettlementEvidenced {
            proof_id: id(1),
            payment_id: id(2),
            session_id: Some(id(3)),
            rail_id: RailId::SolanaUsdc,
            transfer_id: "solana:mainnet:5xY".into(),
            tx_signature: tx(4),
            payer: address(5),
            slot: 312_000_000,
            gross: minor(25_000_000),
            merchant_amount: minor(24_750_000),
            fee_amount: minor(250_000),
            verification_event: id(6),
        }
        .into(),
        EventType::ReceiptMapped => ReceiptMapped {
            proof_id: id(1),
            receipt_id: id(2),
            payment_id: id(3),
            session_id: Some(id(4)),
            entitlement_id: Some(id(5)),
            rail_id: RailId::SolanaUsdc,
            settlement_event: id(6),
            receipt_event: id(7),
        }
        .into(),
        EventType::TicketOpened => TicketOpened {
            ticket_id: id(1),
            public_id: "hilt_ticket_0123456789".into(),
            subject_id: id(2),
            message_id: id(3),
            category: TicketCategory::Billing,
            author_type: AuthorType::Merchant,
            context: TicketContext { payment_id: Some(id(4)), ..TicketContext::default() },
            delivery_case_of: Some(id(5)),
        }
        .into(),
        EventType::TicketMessageAdded => TicketMessageAdded { ticket_id: id(1), message_id: id(2), author_type: AuthorType::Staff }.into(),
        EventType::TicketWaitingOnMerchant => TicketWaitingOnMerchant { ticket_id: id(1) }.into(),
        EventType::TicketReopened => TicketReopened { ticket_id: id(1) }.into(),
        EventType::TicketClosed => TicketClosed { ticket_id: id(1), delivery_case_of: Some(id(5)) }.into(),
        EventType::ApiKeyIssued => ApiKeyIssued {
            key_id: id(1),
            label: "backend".into(),
            prefix: "hk_live_ab12".into(),
            key_hash: hash(2),
            scopes: vec![Scope::Read, Scope::Write, Scope::Webhooks],
            sandbox_capable: true,
            expires_at: Some(at(86_400)),
            rotated_from: Some(id(3)),
        }
        .into(),
        EventType::ApiKeyRotated => ApiKeyRotated { key_id: id(1), successor_id: id(4), works_until: at(3600) }.into(),
        EventType::ApiKeyRevoked => ApiKeyRevoked { key_id: id(1), reason: "rotated".into() }.into(),
        EventType::LogRead => LogRead { reader: "auditor:42".into(), hour: at(0) }.into(),
        EventType::StatementImported => StatementImported {
            statement_id: id(1),
            source: StatementSource::SolanaUsdc,
            account: address(2).to_string(),
            asset: StatementAsset { code: "USDC".into(), decimals: 6, mint: Some(address(0xee)) },
            period_start: at(-86_400),
            period_end: at(0),
            format: StatementFormat::SolanaRpc,
            digest: hash(3),
            bytes: 70_000,
            items: 3,
            through_position: 4_711,
            sums: sums(),
            chunks: 1,
            by: "staff-1".into(),
        }
        .into(),
        EventType::StatementEntriesRecorded => StatementEntriesRecorded {
            statement_id: id(1),
            chunk: 1,
            first: 1,
            entries: vec![
                StatementEntry {
                    reference: tx(4).to_string(),
                    status: EntryStatus::Matched,
                    at: at(-60),
                    items: vec![StatementItem { line: 2, id: None, at: at(-60), amount: SignedMinor::new(24_750_000).unwrap() }],
                    legs: vec![StatementLeg {
                        role: MovementRole::Merchant,
                        at: at(-60),
                        amount: minor(24_750_000),
                        payment_id: Some(id(5)),
                        receipt_id: Some(id(6)),
                        evidence: id(7),
                    }],
                },
                StatementEntry {
                    reference: "txn_1AbC".into(),
                    status: EntryStatus::StatementOnly,
                    at: at(-30),
                    items: vec![StatementItem {
                        line: 3,
                        id: Some("re_2".into()),
                        at: at(-30),
                        amount: SignedMinor::new(-9_007_199_254_740_991).unwrap(),
                    }],
                    legs: vec![],
                },
            ],
        }
        .into(),
        EventType::SubjectErased => {
            let approval =
                ErasureApproval { approval_id: id(2), approval_event: id(3), approved_by: "staff-2".into(), by: "staff-1".into() };
            SubjectErased { subject_id: id(1), reason: "asked_by_subject".into(), approval: Some(approval) }.into()
        }
        EventType::StateAttested => StateAttested {
            attestation_id: id(1),
            at_position: 4_711,
            form: "rfc6962-sha256/rows-1".into(),
            root: hash(2),
            projections: vec![AttestedProjection { name: "payments".into(), version: 2, rows: 3, root: hash(3) }],
            trial_balance: vec![AttestedBalance {
                asset: usdc(),
                livemode: true,
                account: Account::Buyer,
                debit: Total(18_014_398_509_481_982),
                credit: Total(0),
            }],
        }
        .into(),
        EventType::RecoveryCertified => RecoveryCertified {
            recovery_id: id(1),
            operator: "staff-1".into(),
            operator_key: hash(2),
            certificate_json: "{}".into(),
            certificate_hash: hash(3),
            ed25519_sig: signature(4),
        }
        .into(),
        other => webhook(other),
    }
}

fn webhook(event_type: EventType) -> Event {
    match event_type {
        EventType::WebhookEndpointCreated => WebhookEndpointCreated {
            endpoint_id: id(1),
            label: Some("main".into()),
            url: "https://example.com/hooks".into(),
            subscribed_events: vec![WebhookEvent::PaymentConfirmed, WebhookEvent::ReceiptCreated],
            product_ids: vec![id(2)],
            secret_hash: hash(3),
        }
        .into(),
        EventType::WebhookEndpointDisabled => WebhookEndpointDisabled { endpoint_id: id(1), reason: "gone".into() }.into(),
        EventType::WebhookEmitted => WebhookEmitted {
            delivery_id: id(1),
            endpoint_id: id(2),
            event: WebhookEvent::PaymentConfirmed,
            source_event: id(3),
            source_position: 70_000,
            body_hash: hash(4),
        }
        .into(),
        EventType::WebhookDeliveryAttempted => WebhookDeliveryAttempted {
            delivery_id: id(1),
            endpoint_id: id(2),
            attempt: 3,
            outcome: AttemptOutcome::Failure,
            status_code: Some(503),
            error: Some("http_status".into()),
            duration_ms: 1_250,
            attempted_at: at(60),
            url: Some("https://example.com/hooks".into()),
            signatures: Some(2),
        }
        .into(),
        EventType::WebhookDelivered => WebhookDelivered { delivery_id: id(1), endpoint_id: id(2), attempt: 4 }.into(),
        EventType::WebhookRetryScheduled => {
            WebhookRetryScheduled { delivery_id: id(1), endpoint_id: id(2), attempt: 3, next_attempt_at: at(360) }.into()
        }
        EventType::WebhookDeadLettered => {
            WebhookDeadLettered { delivery_id: id(1), endpoint_id: id(2), attempts: 10, reason: "exhausted".into() }.into()
        }
        other => later_webhook(other),
    }
}

fn later_webhook(event_type: EventType) -> Event {
    match event_type {
        EventType::WebhookEndpointReconfigured => WebhookEndpointReconfigured {
            endpoint_id: id(1),
            label: None,
            url: "https://example.com/other".into(),
            subscribed_events: vec![WebhookEvent::MembershipExpired],
            product_ids: vec![id(2), id(3)],
        }
        .into(),
        EventType::WebhookEndpointSecretRotated => {
            WebhookEndpointSecretRotated { endpoint_id: id(1), secret_hash: hash(4), previous_valid_until: at(86_400) }.into()
        }
        EventType::WebhookEndpointPaused => WebhookEndpointPaused { endpoint_id: id(1) }.into(),
        EventType::WebhookEndpointResumed => WebhookEndpointResumed { endpoint_id: id(1) }.into(),
        EventType::WebhookEndpointTestRequested => WebhookEndpointTestRequested { endpoint_id: id(1), subject_id: id(2) }.into(),
        EventType::WebhookEndpointRedeliveryRequested => {
            WebhookEndpointRedeliveryRequested { endpoint_id: id(1), scope: RedeliveryScope::Failed, since: at(0), until: at(3_600) }.into()
        }
        EventType::WebhookRedeliveryRequested => WebhookRedeliveryRequested {
            delivery_id: id(1),
            endpoint_id: id(2),
            requested_by: Some(id(3)),
            reason: Some("repaired".into()),
        }
        .into(),
        EventType::ProviderWebhookReceived => ProviderWebhookReceived {
            provider: "alchemy".into(),
            message_ref: "whevt_1".into(),
            webhook_ref: Some("wh_1".into()),
            sequence_number: Some("10000000000578619000".into()),
            chain_id: 8_453,
            block_number: 31_000_000,
            block_hash: EvmHash([5; 32]),
            candidates: vec![TransferCandidate {
                tx_hash: EvmHash([6; 32]),
                log_index: 7,
                token_contract: EvmAddress([8; 20]),
                from: EvmAddress([9; 20]),
                to: EvmAddress([10; 20]),
                amount: "25000000".into(),
            }],
        }
        .into(),
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}

fn sums() -> ReconciledSums {
    let of = |entries, statement, ledger| EntrySums { entries, statement: SignedTotal(statement), ledger: SignedTotal(ledger) };
    let sums = Sums {
        statement_total: SignedTotal(24_750_000 - 5_000_000),
        ledger_total: SignedTotal(24_750_000 + 1),
        difference: SignedTotal(-5_000_001),
        matched: of(1, 24_750_000, 24_750_000),
        different: of(0, 0, 0),
        statement_only: of(1, -5_000_000, 0),
        ledger_only: of(1, 0, 1),
    };
    sums.try_into().unwrap()
}
