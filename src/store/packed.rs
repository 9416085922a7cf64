//! Large texts at rest: compressed when that makes them smaller. One byte in front says which.

use super::StoreError;

const PLAIN: u8 = 0;
const LZ4: u8 = 1;
/// Largest content unpacked: twice the largest delivery.
const UNPACKED_LIMIT_BYTES: usize = 64 << 20;
/// Below this, compressing gains nothing.
const WORTH_PACKING_BYTES: usize = 256;

pub(super) fn pack(content: &[u8]) -> Vec<u8> {
    if content.len() >= WORTH_PACKING_BYTES {
        let compressed = lz4_flex::block::compress_prepend_size(content);
        if compressed.len() < content.len() {
            return with_tag(LZ4, &compressed);
        }
    }
    with_tag(PLAIN, content)
}

fn with_tag(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(content.len() + 1);
    packed.push(tag);
    packed.extend_from_slice(content);
    packed
}

pub(super) fn unpack(packed: &[u8]) -> Result<Vec<u8>, StoreError> {
    match packed.split_first() {
        Some((&PLAIN, content)) => Ok(content.to_vec()),
        Some((&LZ4, compressed)) => {
            let size = lz4_flex::block::uncompressed_size(compressed).ok().map(|(size, _)| size);
            if size.is_none_or(|size| size > UNPACKED_LIMIT_BYTES) {
                return Err(StoreError::Corrupt("a compressed content of impossible size"));
            }
            lz4_flex::block::decompress_size_prepended(compressed)
                .map_err(|_| StoreError::Corrupt("a compressed content that is damaged"))
        }
        _ => Err(StoreError::Corrupt("a content packed in an unknown way")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_unpacked() {
        for content in [&b""[..], b"{}", &[b'x'; 100_000], &(0..=255).cycle().take(10_000).collect::<Vec<u8>>()] {
            assert_eq!(unpack(&pack(content)).unwrap(), content);
        }
        assert!(pack(&[b'x'; 100_000]).len() < 1000);
    }

    #[test]
    fn damage_is_an_error_and_never_a_huge_allocation() {
        for bad in [&[][..], &[9, 1, 2], &[LZ4], &[LZ4, 0xff, 0xff, 0xff, 0x7f, 0], &[LZ4, 9, 0, 0, 0, 0xf0]] {
            assert!(unpack(bad).is_err(), "{bad:?}");
        }
    }
}
