//! Address ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use num_bigint::{BigInt, BigUint};

use super::{Context, Function, NUMBER, Outcome, Shape, Stop, TEXT, function, number_at, text_at, whole_at};
use crate::formats::terraform::values::decimal;
use crate::resource::{ListKind, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("cidrhost", &[TEXT, NUMBER], Shape::Text, cidrhost),
    function("cidrnetmask", &[TEXT], Shape::Text, cidrnetmask),
    function("cidrsubnet", &[TEXT, NUMBER, NUMBER], Shape::Text, cidrsubnet),
    function("cidrsubnets", &[TEXT], Shape::Texts, cidrsubnets).further(NUMBER),
];

/// A range: its first address as a number, how long its prefix is, and how long addresses are.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    prefix: u32,
    width: u32,
}

impl Range {
    /// A range as Terraform reads it: octets may have leading zeros, which mean nothing.
    fn parse(text: &str) -> Result<Self, Stop> {
        let bad = || Stop::Fault(format!("\"{text}\" is no range of addresses"));
        let (address, prefix) = text.split_once('/').ok_or_else(bad)?;
        let decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        let prefix: u32 =
            Some(prefix).filter(|text| decimal(text)).and_then(|text| text.parse().ok()).ok_or_else(bad)?;
        let (first, width) = if address.contains(':') {
            let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
            if address.to_ipv4_mapped().is_some() {
                return Err(Stop::Unsupported("a range of IPv4 addresses written as IPv6".into()));
            }
            (u128::from(address), 128)
        } else {
            let octets: Option<Vec<u128>> = address
                .split('.')
                .map(|octet| octet.parse::<u8>().ok().filter(|_| decimal(octet)).map(u128::from))
                .collect();
            let octets = octets.filter(|octets| octets.len() == 4).ok_or_else(bad)?;
            (octets.iter().fold(0, |all, octet| all << 8 | octet), 32)
        };
        if prefix > width {
            return Err(bad());
        }
        let range = Self { first, prefix, width };
        Ok(Self { first: first & !range.host_mask(), ..range })
    }

    fn host_bits(self) -> u32 {
        self.width - self.prefix
    }

    fn host_mask(self) -> u128 {
        1_u128.checked_shl(self.host_bits()).map_or(u128::MAX, |end| end - 1)
    }

    fn address(self, number: u128) -> String {
        match u32::try_from(number) {
            Ok(number) if self.width == 32 => Ipv4Addr::from(number).to_string(),
            _ => IpAddr::from(Ipv6Addr::from(number)).to_string(),
        }
    }

    /// The subnet of that number with so many more bits. Negative numbers give what Terraform's arithmetic gives.
    fn subnet(self, bits: i64, number: &BigInt) -> Result<String, Stop> {
        let prefix = i64::from(self.prefix).saturating_add(bits);
        let prefix = u32::try_from(prefix).ok().filter(|prefix| *prefix <= self.width);
        let prefix =
            prefix.ok_or_else(|| Stop::Fault(format!("a prefix of {} cannot be extended by {bits}", self.prefix)))?;
        if (0..64).contains(&bits) && number.magnitude() >> bits.unsigned_abs() != BigUint::from(0_u8) {
            return Err(Stop::Fault(format!("an extension by {bits} bits has no subnet {number}")));
        }
        let all: BigInt = BigInt::from(self.first) | (number << (self.width - prefix));
        let mask = (BigUint::from(1_u8) << self.width) - 1_u8;
        let first = u128::try_from(all.magnitude() & mask).unwrap_or_default();
        Ok(format!("{}/{prefix}", self.address(first)))
    }
}

fn cidrhost(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let range = Range::parse(text_at(arguments, 0))?;
    let number =
        decimal::to_integer(&number_at(arguments, 1)).ok_or_else(|| Stop::from("a whole number is required"))?;
    let most = BigInt::from(range.host_mask());
    // Negative numbers count from the end.
    let host = if number < BigInt::from(0) { &most + &number + 1 } else { number };
    let host = u128::try_from(&host).ok().filter(|host| *host <= range.host_mask());
    let host = host.ok_or_else(|| Stop::Fault(format!("a prefix of {} has no such host", range.prefix)))?;
    context.text(range.address(range.first | host))
}

fn cidrnetmask(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let range = Range::parse(text_at(arguments, 0))?;
    if range.width != 32 {
        return Err("IPv6 ranges have no netmask".into());
    }
    context.text(range.address(u128::from(u32::MAX) & !range.host_mask()))
}

fn bits(number: i64) -> Result<u32, Stop> {
    u32::try_from(number).map_err(|_| Stop::from("the number of bits must not be negative"))
}

fn cidrsubnet(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let range = Range::parse(text_at(arguments, 0))?;
    let number = decimal::to_integer(&number_at(arguments, 2)).filter(|number| number.bits() <= 128);
    let number = number.ok_or_else(|| Stop::from("a whole number is required"))?;
    context.text(range.subnet(whole_at(arguments, 1)?, &number)?)
}

/// Subnets one after the other, each as large as its number of bits says.
fn cidrsubnets(context: &Context<'_, '_>, arguments: &[Value]) -> Outcome {
    let range = Range::parse(text_at(arguments, 0))?;
    let mut next = range.first;
    let last = range.first | range.host_mask();
    let mut full = false;
    let mut subnets = Vec::new();
    for index in 1..arguments.len() {
        let extension = bits(whole_at(arguments, index)?)?;
        if !(1..=32).contains(&extension) || range.prefix + extension > range.width {
            return Err(Stop::Fault(format!("a prefix of {} cannot be extended by {extension}", range.prefix)));
        }
        let subnet = Range { prefix: range.prefix + extension, ..range };
        let size = subnet.host_mask();
        // Subnets begin at a multiple of their size.
        let start = next.checked_add(size).map(|end| end & !size).filter(|start| !full && *start <= last);
        let start = start.ok_or_else(|| Stop::from("there is no room left for another subnet"))?;
        subnets.push(Value::text(format!("{}/{}", range.address(start), subnet.prefix), context.span));
        match (start | size).checked_add(1) {
            Some(after) => next = after,
            None => full = true,
        }
    }
    context.list(ListKind::List, subnets)
}
