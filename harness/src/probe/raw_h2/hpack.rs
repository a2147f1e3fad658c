//! HPACK (RFC 7541): an encoder that writes any bytes literally, and a whole decoder.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use proxyproof_mocks::ledger::Field;

use super::huffman;

/// Writes every field as a literal that is not indexed, with its name in full: any bytes, and no state.
pub(super) fn encode(fields: &[Field]) -> Bytes {
    let mut block = BytesMut::new();
    for field in fields {
        block.put_u8(0);
        put_string(&mut block, &field.name);
        put_string(&mut block, &field.value);
    }
    block.freeze()
}

fn put_string(block: &mut BytesMut, bytes: &[u8]) {
    put_integer(block, 7, bytes.len());
    block.put_slice(bytes);
}

fn put_integer(block: &mut BytesMut, prefix: u32, value: usize) {
    let limit = (1_usize << prefix) - 1;
    if value < limit {
        block.put_u8(u8::try_from(value).expect("less than the prefix holds"));
        return;
    }
    block.put_u8(u8::try_from(limit).expect("a prefix has at most seven bits here"));
    let mut rest = value - limit;
    while rest >= 128 {
        block.put_u8(u8::try_from(rest % 128).expect("less than 128") | 0x80);
        rest /= 128;
    }
    block.put_u8(u8::try_from(rest).expect("less than 128"));
}

/// The state of one direction of a connection.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    entries: VecDeque<Field>,
    size: usize,
    limit: usize,
}

impl Decoder {
    /// A decoder whose peer keeps to a table of 4096 bytes, as it must unless told otherwise (RFC 9113 section 6.5.2).
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            size: 0,
            limit: 4096,
        }
    }

    /// Decodes one whole block; `None` for one that breaks the rules.
    pub(super) fn decode(&mut self, block: &[u8]) -> Option<Vec<Field>> {
        let mut rest = block;
        let mut fields = Vec::new();
        while let Some(&first) = rest.first() {
            match first {
                0x80.. => {
                    let index = take_integer(&mut rest, 7)?;
                    fields.push(self.entry(index)?);
                }
                0x40.. => {
                    let field = self.literal(&mut rest, 6)?;
                    self.insert(field.clone());
                    fields.push(field);
                }
                0x20.. => {
                    self.limit = take_integer(&mut rest, 5)?;
                    self.evict();
                }
                _ => fields.push(self.literal(&mut rest, 4)?),
            }
        }
        Some(fields)
    }

    fn literal(&self, rest: &mut &[u8], prefix: u32) -> Option<Field> {
        let name = match take_integer(rest, prefix)? {
            0 => take_string(rest)?,
            index => self.entry(index)?.name,
        };
        Some(Field {
            name,
            value: take_string(rest)?,
        })
    }

    fn entry(&self, index: usize) -> Option<Field> {
        let index = index.checked_sub(1)?;
        if let Some((name, value)) = STATIC_TABLE.get(index) {
            let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
            return Some(Field {
                name: bytes(name),
                value: bytes(value),
            });
        }
        self.entries.get(index - STATIC_TABLE.len()).cloned()
    }

    fn insert(&mut self, field: Field) {
        self.size += size_of(&field);
        self.entries.push_front(field);
        self.evict();
    }

    fn evict(&mut self) {
        while self.size > self.limit {
            let Some(oldest) = self.entries.pop_back() else {
                return;
            };
            self.size -= size_of(&oldest);
        }
    }
}

/// RFC 7541 section 4.1.
fn size_of(field: &Field) -> usize {
    field.name.len() + field.value.len() + 32
}

fn take_integer(rest: &mut &[u8], prefix: u32) -> Option<usize> {
    let (&first, mut tail) = rest.split_first()?;
    let limit = (1_usize << prefix) - 1;
    let mut value = usize::from(first) & limit;
    if value == limit {
        let mut shift = 0;
        loop {
            let (&byte, after) = tail.split_first()?;
            tail = after;
            value = value.checked_add(usize::from(byte & 0x7f).checked_shl(shift)?)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
            // More than any length that fits a frame.
            if shift > 28 {
                return None;
            }
        }
    }
    *rest = tail;
    Some(value)
}

fn take_string(rest: &mut &[u8]) -> Option<Bytes> {
    let coded = rest.first()? & 0x80 != 0;
    let length = take_integer(rest, 7)?;
    let (bytes, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    if coded {
        return huffman::decode(bytes).map(Bytes::from);
    }
    Some(Bytes::copy_from_slice(bytes))
}

/// RFC 7541 appendix A.
#[rustfmt::skip]
const STATIC_TABLE: [(&str, &str); 61] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""), ("accept", ""),
    ("access-control-allow-origin", ""), ("age", ""), ("allow", ""), ("authorization", ""), ("cache-control", ""),
    ("content-disposition", ""), ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""), ("date", ""),
    ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""), ("if-match", ""),
    ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""), ("if-unmodified-since", ""),
    ("last-modified", ""), ("link", ""), ("location", ""), ("max-forwards", ""), ("proxy-authenticate", ""),
    ("proxy-authorization", ""), ("range", ""), ("referer", ""), ("refresh", ""), ("retry-after", ""),
    ("server", ""), ("set-cookie", ""), ("strict-transport-security", ""), ("transfer-encoding", ""),
    ("user-agent", ""), ("vary", ""), ("via", ""), ("www-authenticate", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &[Field]) -> Vec<String> {
        fields
            .iter()
            .map(|field| {
                format!(
                    "{}: {}",
                    String::from_utf8_lossy(&field.name),
                    String::from_utf8_lossy(&field.value)
                )
            })
            .collect()
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let fields = vec![
            Field {
                name: Bytes::from_static(b":path"),
                value: Bytes::from_static(b"/\xff x"),
            },
            Field {
                name: Bytes::from_static(b"X-Upper"),
                value: Bytes::from(vec![b'v'; 5000]),
            },
        ];
        assert_eq!(Decoder::new().decode(&encode(&fields)), Some(fields));
    }

    /// RFC 7541 appendix C.6: three responses, Huffman coded, whose entries refer to each other.
    #[test]
    fn the_responses_of_rfc_7541_appendix_c_6() {
        let mut decoder = Decoder::new();
        decoder.limit = 256;
        let first: Vec<u8> = [
            &[
                0x48, 0x82, 0x64, 0x02, 0x58, 0x85, 0xae, 0xc3, 0x77, 0x1a, 0x4b, 0x61, 0x96,
            ][..],
            &[
                0xd0, 0x7a, 0xbe, 0x94, 0x10, 0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04,
            ],
            &[
                0x0b, 0x81, 0x66, 0xe0, 0x82, 0xa6, 0x2d, 0x1b, 0xff, 0x6e, 0x91, 0x9d, 0x29,
            ],
            &[
                0xad, 0x17, 0x18, 0x63, 0xc7, 0x8f, 0x0b, 0x97, 0xc8, 0xe9, 0xae, 0x82, 0xae, 0x43,
                0xd3,
            ],
        ]
        .concat();
        let fields = text(&decoder.decode(&first).unwrap());
        assert_eq!(
            fields,
            [
                ":status: 302",
                "cache-control: private",
                "date: Mon, 21 Oct 2013 20:13:21 GMT",
                "location: https://www.example.com"
            ]
        );
        // The second evicts `:status: 302` to make room.
        let second = decoder
            .decode(&[0x48, 0x83, 0x64, 0x0e, 0xff, 0xc1, 0xc0, 0xbf])
            .unwrap();
        assert_eq!(
            text(&second)[..2],
            [":status: 307", "cache-control: private"]
        );
        assert_eq!(decoder.size, 222);
    }

    #[test]
    fn broken_blocks_are_refused() {
        for block in [
            &[0x80][..],
            &[0xff],
            &[0x00, 0x05, b'a'],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert_eq!(Decoder::new().decode(block), None, "{block:?}");
        }
    }
}
