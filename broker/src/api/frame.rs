//! A response on its way out.

use protocol::{Gap, Request, encode_response};

use crate::log::FileRegion;

/// One response, its length in front. Records that were read from disk are not in it but named by
/// their place in their file, so that the kernel can move them to the socket without showing them
/// to us.
#[derive(Debug)]
pub(crate) struct Frame {
    /// All but the records.
    pub(crate) bytes: Vec<u8>,
    /// Where in `bytes` each region of records belongs, in order.
    pub(crate) regions: Vec<(usize, FileRegion)>,
}

impl Frame {
    /// A response without gaps.
    pub(super) fn response<R: Request>(version: i16, correlation_id: i32, response: &R::Response) -> Self {
        Self::with_regions::<R>(version, correlation_id, response, Vec::new())
    }

    /// Bytes without the form of a response.
    pub(super) fn bare(token: &[u8]) -> Self {
        let length = u32::try_from(token.len()).expect("no mechanism says so much");
        Self { bytes: [&length.to_be_bytes()[..], token].concat(), regions: Vec::new() }
    }

    /// A response whose gaps are these regions, in the same order.
    pub(super) fn with_regions<R: Request>(
        version: i16,
        correlation_id: i32,
        response: &R::Response,
        regions: Vec<FileRegion>,
    ) -> Self {
        let (bytes, gaps) = encode_response(R::KEY, version, correlation_id, response);
        assert_eq!(gaps.len(), regions.len(), "every gap is a region of records");
        let place = |(Gap { at, len }, region): (Gap, FileRegion)| {
            assert_eq!(len, region.len, "a gap is as long as its region");
            (at, region)
        };
        Self { bytes, regions: gaps.into_iter().zip(regions).map(place).collect() }
    }

    /// Its bytes on the wire.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.regions.iter().map(|(_, region)| region.len).sum::<usize>()
    }
}
