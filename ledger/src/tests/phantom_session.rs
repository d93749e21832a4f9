use super::samples::*;
use crate::{
    phantom_session::{CONNECTIONS, Command, PhantomSession, Rejection, TRANSACTIONS},
    spec::given,
};
use events::vocab::{bytes::SolanaAddress, event::*};

fn opened() -> Event {
    PhantomSessionOpened { phantom_session_id: id(40), payment_id: id(5), dapp_public_key: wallet(8), expires_at: at(1_800) }.into()
}
fn connected(key: u8) -> Event {
    PhantomSessionConnected { phantom_session_id: id(40), phantom_public_key: wallet(key), wallet: wallet(3) }.into()
}
fn connect(key: u8, payer_wallet: Option<SolanaAddress>, seconds: i64) -> Command {
    Command::Connect { phantom_public_key: wallet(key), wallet: wallet(3), payer_wallet, now: at(seconds) }
}
fn signed(n: u8) -> Event {
    PhantomTransactionSigned { phantom_session_id: id(40), tx_signature: tx(n) }.into()
}

#[test]
fn a_payment_has_one_session() {
    let open = Command::Open { phantom_session_id: id(40), payment_id: id(5), dapp_public_key: wallet(8), expires_at: at(1_800) };
    given::<PhantomSession>([]).when(open.clone()).then(&[opened()]);
    given::<PhantomSession>([opened()]).when(open).refused(Rejection::AlreadyExists);
}

#[test]
fn a_wallet_connects_again_but_not_without_end() {
    given::<PhantomSession>([opened()]).when(connect(1, Some(wallet(3)), 10)).then(&[connected(1)]);
    given::<PhantomSession>([opened(), connected(1)]).when(connect(1, None, 10)).nothing();
    given::<PhantomSession>([opened(), connected(1)]).when(connect(2, None, 10)).then(&[connected(2)]);
    let many: Vec<Event> = std::iter::once(opened()).chain((0..CONNECTIONS).map(|n| connected(u8::try_from(n).unwrap()))).collect();
    given::<PhantomSession>(many).when(connect(200, None, 10)).refused(Rejection::TooOften);
}

#[test]
fn rejections_of_a_connection_in_order_of_precedence() {
    given::<PhantomSession>([]).when(connect(1, Some(wallet(9)), 1_800)).refused(Rejection::Missing);
    given::<PhantomSession>([opened()]).when(connect(1, Some(wallet(9)), 1_800)).refused(Rejection::Expired);
    given::<PhantomSession>([opened()]).when(connect(1, Some(wallet(9)), 10)).refused(Rejection::PayerWalletMismatch);
}

#[test]
fn only_a_connected_wallet_signs_and_the_same_signature_is_recorded_once() {
    let message = Command::SignMessage { identity_session_id: id(50) };
    let transaction = |n| Command::SignTransaction { tx: tx(n) };
    for command in [message.clone(), transaction(1)] {
        given::<PhantomSession>([]).when(command.clone()).refused(Rejection::Missing);
        given::<PhantomSession>([opened()]).when(command).refused(Rejection::Missing);
    }
    let said: Event = PhantomMessageSigned { phantom_session_id: id(40), identity_session_id: id(50) }.into();
    given::<PhantomSession>([opened(), connected(1)]).when(message.clone()).then(std::slice::from_ref(&said));
    given::<PhantomSession>([opened(), connected(1), said]).when(message).nothing();
    given::<PhantomSession>([opened(), connected(1)]).when(transaction(1)).then(&[signed(1)]);
    given::<PhantomSession>([opened(), connected(1), signed(1)]).when(transaction(1)).nothing();
    let many: Vec<Event> =
        [opened(), connected(1)].into_iter().chain((0..TRANSACTIONS).map(|n| signed(u8::try_from(n).unwrap()))).collect();
    given::<PhantomSession>(many).when(transaction(200)).refused(Rejection::TooOften);
}
