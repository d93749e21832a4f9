use super::samples::*;
use crate::{
    Cited,
    identity_session::{Challenge, Command, IdentitySession, RECORDED_REJECTIONS, Rejection, Start, VALID_SECONDS},
    spec::given,
};
use ed25519_dalek::{Signer as _, SigningKey};
use events::vocab::{
    bytes::{Hash32, Signature64, SolanaAddress},
    event::*,
    personal::Personal,
    words::IdentityType,
};

const MESSAGE: &str = "Sign this message to verify your wallet";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}
fn signer() -> SolanaAddress {
    SolanaAddress(key().verifying_key().to_bytes())
}
fn started() -> IdentitySessionStarted {
    IdentitySessionStarted {
        session_id: id(40),
        product_id: id(2),
        subject_id: id(6),
        wallet: signer(),
        wallet_source: None,
        identity_type: IdentityType::TelegramUserId,
        message_hash: Hash32::of(MESSAGE),
        expires_at: at(600),
    }
}
fn verified() -> Event {
    IdentitySessionVerified { session_id: id(40), verified_at: at(60) }.into()
}
fn rejected() -> Event {
    IdentitySessionRejected { session_id: id(40), reason: "invalid_signature".into() }.into()
}
fn expired() -> Event {
    IdentitySessionExpired { session_id: id(40), expired_at: at(600) }.into()
}
fn consumed(payment: u128) -> Event {
    IdentitySessionConsumed { session_id: id(40), payment_id: id(payment), payment_event: id(99) }.into()
}
fn complete(message: &str, signed: &str, seconds: i64) -> Command {
    let signature = Signature64(key().sign(signed.as_bytes()).to_bytes());
    Command::Complete { wallet: signer(), message: message.into(), signature, now: at(seconds) }
}
fn consume(payment: u128, product: u128, payer: SolanaAddress, seconds: i64) -> Command {
    let mut confirmed = Live::run().confirmed;
    (confirmed.payment_id, confirmed.product_id, confirmed.payer_wallet) = (id(payment), id(product), payer);
    Command::Consume { payment: Cited::new(id(99), confirmed), now: at(seconds) }
}

#[test]
fn a_session_begins_with_its_message_sealed_and_only_the_messages_hash_in_the_open() {
    let start = Start {
        session_id: id(40),
        product_id: id(2),
        subject_id: id(6),
        wallet: signer(),
        wallet_source: None,
        identity_type: IdentityType::TelegramUserId,
        identity: Personal { identity_value: Some("728255790".into()), ..Personal::default() },
        message: MESSAGE.into(),
        expires_at: at(600),
    };
    let facts = given::<IdentitySession>([]).when(Command::Start(Box::new(start.clone()))).facts();
    assert_eq!(facts[0].event, started().into());
    let (subject, personal) = facts[0].personal.clone().unwrap();
    assert_eq!((subject, personal.text.as_deref(), personal.identity_value.as_deref()), (id(6), Some(MESSAGE), Some("728255790")));
    given::<IdentitySession>([started().into()]).when(Command::Start(Box::new(start))).refused(Rejection::AlreadyExists);
}

#[test]
fn the_wallets_signature_in_time_verifies_and_again_changes_nothing() {
    given::<IdentitySession>([started().into()]).when(complete(MESSAGE, MESSAGE, 60)).then(&[verified()]);
    given::<IdentitySession>([started().into(), rejected()]).when(complete(MESSAGE, MESSAGE, 60)).then(&[verified()]);
    given::<IdentitySession>([started().into(), verified()]).when(complete(MESSAGE, MESSAGE, 9_999)).nothing();
    given::<IdentitySession>([started().into(), verified(), consumed(5)]).when(complete(MESSAGE, MESSAGE, 9_999)).nothing();
}

#[test]
fn rejections_of_a_signature_in_order_of_precedence() {
    let mut stranger = complete(MESSAGE, "something else", 9_999);
    if let Command::Complete { wallet: named, .. } = &mut stranger {
        *named = wallet(9);
    }
    given::<IdentitySession>([]).when(stranger.clone()).refused(Rejection::NotFound);
    for end in [None, Some(verified()), Some(expired())] {
        let events: Vec<Event> = [Some(started().into()), end].into_iter().flatten().collect();
        given::<IdentitySession>(events).when(stranger.clone()).refused(Rejection::WalletMismatch);
    }
    given::<IdentitySession>([started().into()]).when(complete(MESSAGE, "forged", 600)).refused(Rejection::Expired);
    given::<IdentitySession>([started().into(), expired()]).when(complete(MESSAGE, MESSAGE, 60)).refused(Rejection::Expired);
    given::<IdentitySession>([started().into(), verified()]).when(complete(MESSAGE, "forged", 60)).refused(Rejection::InvalidSignature);
    // A good signature over another message than the one that was asked for.
    given::<IdentitySession>([started().into()]).when(complete("another", "another", 60)).then(&[rejected()]);
}

#[test]
fn wrong_signatures_fill_the_log_no_further_than_the_bound_and_lock_nobody_out() {
    let mut history = vec![Event::from(started())];
    for _ in 0..RECORDED_REJECTIONS {
        given::<IdentitySession>(&history).when(complete(MESSAGE, "forged", 60)).then(&[rejected()]);
        history.push(rejected());
    }
    given::<IdentitySession>(&history).when(complete(MESSAGE, "forged", 60)).refused(Rejection::InvalidSignature);
    given::<IdentitySession>(&history).when(complete(MESSAGE, MESSAGE, 60)).then(&[verified()]);
}

#[test]
fn a_signature_that_small_order_keys_would_accept_is_refused() {
    let mut weak = started();
    // The identity point: under plain verification, R = s·B passes for every message.
    weak.wallet = SolanaAddress(std::array::from_fn(|i| u8::from(i == 0)));
    let signature = Signature64(std::array::from_fn(|i| u8::from(i == 0)));
    let command = Command::Complete { wallet: weak.wallet, message: MESSAGE.into(), signature, now: at(60) };
    given::<IdentitySession>([weak.into()]).when(command).then(&[rejected()]);
}

#[test]
fn what_nobody_signed_in_time_ends_and_what_is_verified_does_not() {
    let expire = |seconds| Command::Expire { now: at(seconds) };
    given::<IdentitySession>([started().into()]).when(expire(599)).refused(Rejection::NotExpiredYet);
    given::<IdentitySession>([started().into()]).when(expire(600)).then(&[expired()]);
    given::<IdentitySession>([started().into(), expired()]).when(expire(700)).nothing();
    given::<IdentitySession>([started().into(), verified()]).when(expire(700)).refused(Rejection::AlreadyVerified);
}

#[test]
fn a_payment_uses_it_up_once() {
    let proved = [Event::from(started()), verified()];
    given::<IdentitySession>(&proved).when(consume(5, 2, signer(), 100)).then(&[consumed(5)]);
    let used = [started().into(), verified(), consumed(5)];
    given::<IdentitySession>(&used).when(consume(5, 2, signer(), 100)).nothing();
    given::<IdentitySession>(&used).when(consume(7, 2, signer(), 100)).refused(Rejection::Consumed);
    given::<IdentitySession>([]).when(consume(5, 2, signer(), 100)).refused(Rejection::NotFound);
    given::<IdentitySession>([started().into()]).when(consume(5, 2, signer(), 100)).refused(Rejection::NotVerified);
    given::<IdentitySession>([started().into(), expired()]).when(consume(5, 2, signer(), 100)).refused(Rejection::NotVerified);
    // Too old, another product and another wallet: the first of the three is the answer.
    given::<IdentitySession>(&proved).when(consume(5, 3, wallet(9), 60 + VALID_SECONDS)).refused(Rejection::NotVerified);
    given::<IdentitySession>(&proved).when(consume(5, 3, wallet(9), 100)).refused(Rejection::ProductMismatch);
    given::<IdentitySession>(&proved).when(consume(5, 2, wallet(9), 100)).refused(Rejection::PayerMismatch);
}

#[test]
fn the_message_says_everything_that_the_proof_is_about() {
    let challenge = Challenge {
        origin: "https://www.hilt.so",
        slug: "telegram01",
        identity_type: IdentityType::TelegramUserId,
        identity_value: "728255790",
        identity_display: Some("@crzypeas"),
        wallet: signer(),
        session_id: id(40),
        nonce: [0xab; 16],
        issued_at: at(0),
        expires_at: at(600),
    };
    let text = challenge.to_string();
    assert!(text.starts_with("Sign this message to verify your wallet"), "{text}");
    let said = ["https://www.hilt.so", "telegram01", "TELEGRAM_USER_ID 728255790 (@crzypeas)", &signer().to_string()];
    let session = challenge.session_id.to_string();
    let times = [challenge.issued_at.to_string(), challenge.expires_at.to_string()];
    for part in said.into_iter().chain([session.as_str(), "abababababababababababababababab", &times[0], &times[1]]) {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}
