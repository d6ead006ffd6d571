//! What a producer may send as records: any bytes. The checks on a batch give its header or an
//! error, and walking through its records ends, whatever they are compressed with.

use std::io::Read;
use std::ops::ControlFlow;

use protocol::records::codec::Decompressor;
use protocol::records::{
    BatchHeader, Compression, HEADER_LEN, check_batch, check_produced, checksum, records as records_of, walk,
};

/// `bytes` is taken as a batch as it is, and once more with the checksum that would make it right:
/// otherwise hardly any input would get past that.
pub(crate) fn records(bytes: &[u8]) {
    look(bytes);
    let mut mended = bytes.to_vec();
    if let Some((head, rest)) = mended.split_at_mut_checked(21) {
        head[17..].copy_from_slice(&checksum(rest).to_be_bytes());
        head[16] = 2;
        head[8..12].copy_from_slice(&((rest.len() + 9) as i32).to_be_bytes());
        look(&mended);
        if let Some(payload) = bytes.get(HEADER_LEN..) {
            for compression in Compression::ALL {
                open(compression, payload);
            }
        }
    }
}

/// No codec gives more than it is allowed to.
fn open(compression: Compression, bytes: &[u8]) {
    const LIMIT: usize = 1 << 20;
    let mut plain = Vec::new();
    let _ = Decompressor::new(compression, bytes, LIMIT).read_to_end(&mut plain);
    assert!(plain.len() <= LIMIT);
}

fn look(bytes: &[u8]) {
    let _ = BatchHeader::parse(bytes);
    let _ = check_batch(bytes);
    if let Ok(header) = check_produced(bytes) {
        assert_eq!(header.total_len(), bytes.len(), "a produced batch is all there is");
        assert!(header.last_offset() >= header.base_offset);
        let mut seen = 0;
        let walked = walk(bytes, &header, |record| {
            assert_eq!(record.index, seen, "one after the other");
            seen += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(walked.is_err() || seen == header.records_count, "a walk to the end has seen all");
    }
    if let Ok(all) = records_of(bytes) {
        // Each record takes a byte at least, so this ends.
        assert!(all.take_while(Result::is_ok).count() <= bytes.len());
    }
}
