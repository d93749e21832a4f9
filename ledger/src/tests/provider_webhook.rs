use crate::{
    provider_webhook::{Command, ProviderWebhook, stream},
    spec::given,
};
use events::vocab::{bytes::EvmHash, event::ProviderWebhookReceived};

fn received(block_number: u64) -> Command {
    Command::Receive(Box::new(ProviderWebhookReceived {
        provider: "alchemy".into(),
        message_ref: "whevt_1".into(),
        webhook_ref: None,
        sequence_number: None,
        chain_id: 8_453,
        block_number,
        block_hash: EvmHash([1; 32]),
        candidates: vec![],
    }))
}

#[test]
fn a_providers_message_is_kept_once_whatever_a_repeat_says() {
    let first = given::<ProviderWebhook>([]).when(received(1)).events();
    assert_eq!(first.len(), 1);
    given::<ProviderWebhook>(&first).when(received(1)).nothing();
    given::<ProviderWebhook>(&first).when(received(2)).nothing();
    assert_ne!(stream("alchemy", "whevt_1"), stream("alchemy", "whevt_2"));
}
