//! Codecs against what other programs wrote, and against noise.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1 << 20;

fn open(compression: Compression, bytes: &[u8]) -> io::Result<Vec<u8>> {
    decompress(compression, bytes, LIMIT)
}

/// What `gzip -n`, `zstd` and `lz4 -BI -BX` make of [`TEXT`].
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03K+J-\xceH-QH\xc3O\x03\0-'\xf4N'\0\0\0";
const ZSTD: &[u8] = b"(\xb5/\xfd\x04Xu\0\0@freshet \x01\0k\x0a\x17(\xe1\xb6\xd1";
const LZ4: &[u8] = b"\x04\x22M\x18t@\xbd\x12\0\0\0\x8ffreshet \x08\0\x07Peshet\xefU4\x8c\0\0\0\0\xaa7I\xb5";
const TEXT: &[u8] = b"freshet freshet freshet freshet freshet";

/// A frame that allows blocks of 4 MB, and holds one of five bytes that were not made smaller.
const LZ4_LARGE_BLOCKS: &[u8] = b"\x04\x22M\x18`ps\x06\0\0\0Pwaves\0\0\0\0";

#[test]
fn what_the_command_line_tools_write_is_read() {
    let all = [(Compression::Gzip, GZIP), (Compression::Zstd, ZSTD), (Compression::Lz4, LZ4)];
    for (compression, bytes) in all {
        assert_eq!(open(compression, bytes).unwrap(), TEXT, "{compression:?}");
        assert!(open(compression, &bytes[..bytes.len() - 1]).is_err(), "{compression:?} cut");
        let longer = [bytes, b"x"].concat();
        assert!(open(compression, &longer).is_err(), "{compression:?} and a byte");
    }
    assert_eq!(open(Compression::Gzip, &GZIP.repeat(3)).unwrap(), TEXT.repeat(3), "members");
    assert_eq!(open(Compression::Zstd, &ZSTD.repeat(3)).unwrap(), TEXT.repeat(3), "frames");
}

/// A raw block by hand: its length, four bytes as they are, eight that stood four before.
#[test]
fn snappy_is_read_raw_and_in_frames() {
    let block = b"\x0c\x0cwave\x11\x04";
    assert_eq!(open(Compression::Snappy, block).unwrap(), b"wavewavewave");
    let frame = [b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x08", block.as_slice()].concat();
    assert_eq!(open(Compression::Snappy, &frame).unwrap(), b"wavewavewave");
    assert!(open(Compression::Snappy, &frame[..frame.len() - 1]).is_err());
}

#[test]
fn what_gives_too_much_is_ended() {
    for compression in Compression::ALL {
        let bytes = compress(compression, &vec![0; LIMIT + 1]);
        let error = open(compression, &bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{compression:?}: {error}");
        assert_eq!(decompress(compression, &bytes, LIMIT + 1).unwrap().len(), LIMIT + 1);
    }
}

#[test]
fn what_claims_too_much_makes_no_room_for_it() {
    let gigabyte = b"\x80\x80\x80\x80\x04";
    let error = open(Compression::Snappy, gigabyte).unwrap_err();
    assert!(error.to_string().contains("claims to hold 1073741824"), "{error}");
    let mut frame = lz4::Frame::new(LZ4_LARGE_BLOCKS);
    assert_eq!(frame.fill_buf().unwrap().len(), 5);
    assert!(frame.capacity() < 4096, "{} bytes", frame.capacity());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_compressed_comes_back(words in vec((any::<u8>(), 0..3_000usize), 0..80)) {
        let bytes: Vec<u8> = words.iter().flat_map(|&(byte, times)| vec![byte; times]).collect();
        for compression in Compression::ALL {
            prop_assert_eq!(&open(compression, &compress(compression, &bytes)).unwrap(), &bytes);
        }
    }

    #[test]
    fn changed_bytes_give_an_error_or_other_bytes(
        words in vec((any::<u8>(), 0..300usize), 1..20),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let bytes: Vec<u8> = words.iter().flat_map(|&(byte, times)| vec![byte; times]).collect();
        for compression in Compression::ALL {
            let mut damaged = compress(compression, &bytes);
            for (place, byte) in &changes {
                if !damaged.is_empty() {
                    let place = place.index(damaged.len());
                    damaged[place] = *byte;
                }
            }
            if let Ok(other) = open(compression, &damaged) {
                prop_assert!(other.len() <= LIMIT);
            }
        }
    }

    #[test]
    fn noise_is_an_error_or_bytes_and_no_panic(noise in vec(any::<u8>(), 0..200)) {
        for compression in Compression::ALL {
            let _either = open(compression, &noise);
        }
    }
}
