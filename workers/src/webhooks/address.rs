//! Where webhooks may go: a receiver is named by the merchant, so without a rule he could make the service call its own inside.
//!
//! The rule holds at connect time, on the addresses that the connection uses: a name that was harmless when the endpoint was
//! registered may point elsewhere now.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};
use url::{Host, Url};

/// The longest URL that is kept.
const LONGEST: usize = 2_048;

/// A URL that no webhook is sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTarget {
    /// Not a URL.
    #[error("is an absolute URL of at most 2048 characters")]
    Malformed,
    /// Neither http nor https.
    #[error("begins with https://")]
    Scheme,
    /// http where https is required.
    #[error("begins with https://: plain http is not accepted here")]
    Insecure,
    /// Credentials in the URL would end up in logs and lists.
    #[error("carries no user name or password")]
    Credentials,
    /// A fragment is never sent.
    #[error("carries no fragment")]
    Fragment,
    /// A literal address that is not of the public Internet.
    #[error("is not a private, local or reserved address")]
    Private,
}

/// Which receivers this deployment calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Targets {
    /// Whether private addresses and plain http are allowed (`HILT_WEBHOOK_ALLOW_PRIVATE`), for development.
    pub allow_private: bool,
}

impl Targets {
    /// The receiver at `url`. A live one is https; what its name resolves to is checked when it is called.
    pub fn parse(self, url: &str, livemode: bool) -> Result<Url, BadTarget> {
        let url = Url::parse(url).ok().filter(|_| url.len() <= LONGEST).ok_or(BadTarget::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private || !livemode => {}
            "http" => return Err(BadTarget::Insecure),
            _ => return Err(BadTarget::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        match self.allows_host(&url) {
            true => Ok(url),
            false => Err(BadTarget::Private),
        }
    }

    fn allows_host(self, url: &Url) -> bool {
        match url.host() {
            None => false,
            Some(_) if self.allow_private => true,
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                !name.is_empty() && name != "localhost" && !name.ends_with(".localhost")
            }
        }
    }
}

/// Whether an address is of the public Internet, by the IANA registries of special-purpose addresses.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Global unicast only, without the ranges that carry another address inside (mapped, NAT64, 6to4, Teredo) or are never routed.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// The receiver's name resolves to an address that is not of the public Internet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the receiver's address is private, local or reserved")]
pub struct PrivateAddress;

/// Resolves names for connections, and refuses them when any of their addresses is not public.
pub struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match addresses.iter().all(|address| is_public(address.ip())) {
                true => Ok(Box::new(addresses.into_iter()) as Addrs),
                false => Err(PrivateAddress.into()),
            }
        })
    }
}

/// Whether `error` comes from [`PublicOnly`].
pub fn is_private_address(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<PrivateAddress>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// The resolver for `targets`; `None` means the system's own.
pub fn resolver(targets: Targets) -> Option<Arc<PublicOnly>> {
    (!targets.allow_private).then(|| Arc::new(PublicOnly))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: Targets = Targets { allow_private: false };
    const ANY: Targets = Targets { allow_private: true };

    #[test]
    fn only_addresses_of_the_public_internet_are_called() {
        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
        for public in [
            "1.1.1.1",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.1.1.1",
            "198.20.0.1",
            "2606:4700::1",
            "2a00:1450::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn urls_that_could_reach_inside_are_refused_whatever_their_spelling() {
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
            "https://x.localhost./",
        ] {
            assert_eq!(PUBLIC.parse(url, true), Err(BadTarget::Private), "{url}");
            assert!(ANY.parse(url, true).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_target_is_a_plain_https_url() {
        assert!(PUBLIC.parse("https://api.example.com/hilt/webhook?a=b", true).is_ok());
        for (url, why) in [
            ("api.example.com/hook", BadTarget::Malformed),
            ("/hook", BadTarget::Malformed),
            ("ftp://example.com/", BadTarget::Scheme),
            ("http://example.com/", BadTarget::Insecure),
            ("https://user@example.com/", BadTarget::Credentials),
            ("https://:pw@example.com/", BadTarget::Credentials),
            ("https://example.com/#x", BadTarget::Fragment),
        ] {
            assert_eq!(PUBLIC.parse(url, true), Err(why), "{url}");
        }
        assert!(PUBLIC.parse("http://example.com/", false).is_ok());
        assert_eq!(PUBLIC.parse(&format!("https://example.com/{}", "a".repeat(LONGEST)), true), Err(BadTarget::Malformed));
    }

    #[tokio::test]
    async fn a_name_with_a_private_address_does_not_resolve() {
        let error = PublicOnly.resolve("localhost".parse().unwrap()).await.err().unwrap();
        assert!(is_private_address(error.as_ref()));
    }
}
