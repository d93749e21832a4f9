//! Where a request comes from.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The proxies whose `X-Forwarded-For` is believed; without any the header says nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks separated by commas.
    pub fn parse(text: &str) -> Option<Self> {
        let each = |word: &str| word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(each).collect::<Option<Vec<_>>>().map(TrustedProxies)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The address that counts as the caller's: the connection's, or, behind trusted proxies, the last one in the header that is not
    /// one of them. Everything to its left was written by the caller himself. IPv6 counts by its /64, which one subscriber has.
    pub fn caller(&self, connection: SocketAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = connection.ip().to_canonical();
        if !self.0.is_empty() {
            let values = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
            for hop in values.flat_map(|value| value.rsplit(',')) {
                if !self.trusts(address) {
                    break;
                }
                match host(hop.trim()) {
                    Some(before) => address = before,
                    None => break,
                }
            }
        }
        match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        }
    }
}

/// An address, with or without a port.
fn host(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(trusted: &str, connection: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        TrustedProxies::parse(trusted).unwrap().caller(connection.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_header_is_believed_only_from_a_trusted_proxy() {
        assert_eq!(from("", "192.0.2.1:9", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("10.0.0.0/8", "192.0.2.1:9", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(from("10.0.0.0/8", "10.0.0.1:9", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            from("10.0.0.0/8", "10.0.0.1:9", &["1.2.3.4, 198.51.100.7", "10.1.1.1"]),
            "198.51.100.7",
            "the caller may write anything"
        );
        assert_eq!(from("10.0.0.0/8", "10.0.0.1:9", &["198.51.100.7:443"]), "198.51.100.7");
        assert_eq!(from("10.0.0.0/8", "10.0.0.1:9", &["unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.0/8", "10.0.0.1:9", &[]), "10.0.0.1");
        assert_eq!(from("::1", "[::1]:9", &["[2001:db8:1:2:3:4:5:6]:443"]), "2001:db8:1:2::");
        assert_eq!(from("", "[::ffff:192.0.2.1]:9", &[]), "192.0.2.1");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["proxy", "10.0.0.0/33", "10.0.0.1;10.0.0.2"] {
            assert_eq!(TrustedProxies::parse(bad), None, "{bad}");
        }
        assert_eq!(TrustedProxies::parse(" "), Some(TrustedProxies::default()));
    }
}
