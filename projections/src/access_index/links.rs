//! What leads from a customer to what he holds: the vault's keyed hash of an identity, bound to a product. No identity can be read
//! from it, and one owner's can never meet another's, since the owner is in the hash.

use events::{
    vault::{Blind, Vault},
    vocab::id::OwnerId,
};
use uuid::Uuid;

/// The kinds of identity that a question may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The merchant's own id of the customer.
    ExternalCustomerId,
    /// A wallet.
    Wallet,
    /// An e-mail address.
    Email,
}

impl Kind {
    /// Its name in the vault.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::ExternalCustomerId => "external_customer_id",
            Kind::Wallet => "wallet",
            Kind::Email => "email",
        }
    }
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Kind::ExternalCustomerId, Kind::Wallet, Kind::Email].into_iter().find(|kind| kind.as_str() == name)
    }
    /// Whether it is erased with its person. A wallet is on the chain for all to see, and stays.
    pub const fn is_personal(self) -> bool {
        !matches!(self, Kind::Wallet)
    }
}

/// One identity of a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// What kind.
    pub kind: Kind,
    /// Its keyed hash.
    pub blind: Blind,
}

impl Identity {
    /// That of `value`, as one of `owner`'s people is known by it.
    pub fn new(vault: &Vault, owner: OwnerId, kind: Kind, value: &str) -> Self {
        Identity { kind, blind: vault.blind_identity(owner, kind.as_str(), value) }
    }
}

/// An identity and a product in 96 bits. Two of a million customers of a product meet with a chance of 2⁻⁵⁷ in all, and the product
/// itself is compared beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct LinkKey([u32; 3]);

impl LinkKey {
    pub fn hash(self) -> u64 {
        u64::from(self.0[0]) << 32 | u64::from(self.0[1])
    }
}

/// The key of an identity with a product, access or hosted.
pub(super) fn key(identity: &Identity, product: Uuid) -> LinkKey {
    let (blind, product) = (&identity.blind.0, product.as_bytes());
    // The last twelve bytes of an id are its random ones.
    let word = |at: usize| {
        let pick = |bytes: &[u8], at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        pick(blind, at * 4) ^ pick(product, 4 + at * 4)
    };
    LinkKey([word(0), word(1), word(2)])
}

/// From an identity to an entry.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub key: LinkKey,
    pub target: Target,
}

/// An entitlement or a membership by number, and by which kind of identity it is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Target(u32);

const MEMBER: u32 = 1 << 31;
const NUMBER: u32 = (1 << 29) - 1;

impl Target {
    pub fn of_grant(number: u32, kind: Kind) -> Self {
        assert!(number <= NUMBER, "half a billion entries are more than one process holds");
        Target(number | (kind as u32) << 29)
    }
    pub fn of_member(number: u32, kind: Kind) -> Self {
        Target(Target::of_grant(number, kind).0 | MEMBER)
    }
    pub fn grant(self) -> Option<u32> {
        (self.0 & MEMBER == 0).then_some(self.0 & NUMBER)
    }
    pub fn member(self) -> Option<u32> {
        (self.0 & MEMBER != 0).then_some(self.0 & NUMBER)
    }
    pub fn kind(self) -> Option<Kind> {
        match (self.0 >> 29) & 3 {
            0 => Some(Kind::ExternalCustomerId),
            1 => Some(Kind::Wallet),
            2 => Some(Kind::Email),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_small_and_says_what_it_was_told() {
        assert_eq!(size_of::<Link>(), 16);
        for kind in [Kind::ExternalCustomerId, Kind::Wallet, Kind::Email] {
            let (grant, member) = (Target::of_grant(77, kind), Target::of_member(NUMBER, kind));
            assert_eq!((grant.grant(), grant.member(), grant.kind()), (Some(77), None, Some(kind)));
            assert_eq!((member.grant(), member.member(), member.kind()), (None, Some(NUMBER), Some(kind)));
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("TELEGRAM_USER_ID"), None);
    }

    #[test]
    fn the_same_identity_leads_elsewhere_for_another_product() {
        let identity = Identity { kind: Kind::Email, blind: Blind([9; 32]) };
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(key(&identity, one) == key(&identity, one) && key(&identity, one) != key(&identity, other));
        assert_ne!(key(&identity, one), key(&Identity { blind: Blind([8; 32]), ..identity }, one));
    }
}
