//! Address ranges.

use std::net::IpAddr;

/// Narrowest IPv4 prefix that still counts as open to strangers.
const PUBLIC_V4: u8 = 16;
/// Narrowest IPv6 prefix that still counts as open to strangers.
const PUBLIC_V6: u8 = 32;

/// Space that is not reachable from the internet: RFC 1918, 6598, 3927, 1122; RFC 4193 and 4291.
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// What means any address in Azure and GCP rules, the last one though it looks like a single one.
const ANYBODY: [&str; 4] = ["*", "any", "internet", "0.0.0.0"];

#[derive(Clone, Copy)]
struct Cidr {
    /// The address, left-aligned in 128 bits.
    bits: u128,
    prefix: u8,
    is_v4: bool,
}

impl Cidr {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text.trim(), None),
        };
        let (bits, longest, is_v4) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32, true),
            IpAddr::V6(address) => (u128::from(address), 128, false),
        };
        let prefix = prefix.unwrap_or(longest);
        (prefix <= longest).then_some(Self { bits, prefix, is_v4 })
    }

    fn contains(self, other: Self) -> bool {
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
        self.is_v4 == other.is_v4 && self.prefix <= other.prefix && self.bits & mask == other.bits & mask
    }
}

/// Whether a range is open to strangers: outside private space and wide.
pub(super) fn is_public(text: &str) -> bool {
    if ANYBODY.iter().any(|word| text.trim().eq_ignore_ascii_case(word)) {
        return true;
    }
    let Some(cidr) = Cidr::parse(text) else { return false };
    let widest = if cidr.is_v4 { PUBLIC_V4 } else { PUBLIC_V6 };
    cidr.prefix <= widest && !PRIVATE.iter().filter_map(|range| Cidr::parse(range)).any(|range| range.contains(cidr))
}

/// Whether a range lies in one of others.
pub(in crate::evaluate) fn is_within(text: &str, ranges: &[String]) -> bool {
    let Some(cidr) = Cidr::parse(text) else { return false };
    ranges.iter().filter_map(|range| Cidr::parse(range)).any(|range| range.contains(cidr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_is_wide_and_outside_private_space() {
        for public in
            ["0.0.0.0/0", "::/0", "8.0.0.0/8", "2001:db8::/32", "*", "Internet", "172.0.0.0/8", "0.0.0.0/1", "0.0.0.0"]
        {
            assert!(is_public(public), "{public}");
        }
        for private in
            ["10.0.0.0/8", "192.168.1.0/24", "8.8.8.8/32", "1.2.3.4", "fd00::/8", "2001:db8::/64", "x", "1.2.3.4/33"]
        {
            assert!(!is_public(private), "{private}");
        }
        assert!(is_within("10.1.0.0/16", &["10.0.0.0/8".into()]));
        assert!(!is_within("10.0.0.0/7", &["10.0.0.0/8".into()]));
    }
}
