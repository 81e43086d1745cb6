//! Whose word is taken for how clients reach the server: proxies by address or network, or whoever comes
//! by a unix socket.

use std::net::IpAddr;

/// Peers whose forwarded headers count. The default trusts nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
}

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl TrustedProxies {
    /// Addresses and networks (`10.0.0.0/8`), and the word `unix`, separated by commas.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut trusted = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if part == "unix" {
                trusted.unix = true;
            } else {
                trusted.networks.push(Network::parse(part)?);
            }
        }
        Some(trusted)
    }

    /// Whether this peer is trusted; none: it came by a unix socket.
    pub fn hold(&self, peer: Option<IpAddr>) -> bool {
        peer.map_or(self.unix, |peer| {
            let peer = peer.to_canonical();
            self.networks.iter().any(|network| network.holds(peer))
        })
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(bits_max);
        (bits <= bits_max).then_some(Self { address, bits })
    }

    fn holds(self, peer: IpAddr) -> bool {
        let shared = |own: u128, peer: u128, width: u8| {
            let rest = u32::from(width - self.bits);
            own.checked_shr(rest) == peer.checked_shr(rest)
        };
        match (self.address, peer) {
            (IpAddr::V4(own), IpAddr::V4(peer)) => {
                shared(u128::from(own.to_bits()), u128::from(peer.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(peer)) => shared(own.to_bits(), peer.to_bits(), 128),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_trusted_by_address_network_or_socket() {
        let trusted = TrustedProxies::parse("127.0.0.1, 10.1.0.0/16,fd00::/8 , unix").unwrap();
        let by = |peer: &str| trusted.hold(Some(peer.parse().unwrap()));
        for peer in ["127.0.0.1", "10.1.255.3", "fd12::1", "::ffff:10.1.0.9"] {
            assert!(by(peer), "{peer}");
        }
        for peer in ["127.0.0.2", "10.2.0.1", "fe80::1", "::1"] {
            assert!(!by(peer), "{peer}");
        }
        assert!(trusted.hold(None) && !TrustedProxies::default().hold(None));
        let everybody = TrustedProxies::parse("0.0.0.0/0,::/0").unwrap();
        assert!(everybody.hold(Some("1.2.3.4".parse().unwrap())));
        assert!(everybody.hold(Some("1::2".parse().unwrap())));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["localhost", "10.0.0.0/33", "10.0.0.0/x", "::/129", "10.0.0/8"] {
            assert_eq!(TrustedProxies::parse(text), None, "{text}");
        }
    }
}
