//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B), decoding only.

/// Decodes a string; `None` for one that is no Huffman string, wrong padding included.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let codes = Codes::canonical();
    let mut out = Vec::with_capacity(bytes.len() * 2);
    let (mut code, mut length) = (0_u32, 0_usize);
    for bit in bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1))
    {
        code = code << 1 | u32::from(bit);
        length += 1;
        if let Some(symbol) = codes.symbol(code, length) {
            out.push(symbol);
            (code, length) = (0, 0);
        } else if length >= LONGEST {
            return None;
        }
    }
    // Padding is the beginning of the end-of-string symbol, all ones, and less than a byte.
    (length < 8 && code == (1 << length) - 1).then_some(out)
}

/// The code is canonical: by length, and within a length by symbol, codes count up.
struct Codes {
    first_code: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    first_symbol: [usize; LONGEST + 1],
    symbols: Vec<u8>,
}

impl Codes {
    fn canonical() -> Self {
        let mut codes = Self {
            first_code: [0; LONGEST + 1],
            count: [0; LONGEST + 1],
            first_symbol: [0; LONGEST + 1],
            symbols: Vec::with_capacity(256),
        };
        let mut next = 0;
        for length in 1..=LONGEST {
            next <<= 1;
            codes.first_code[length] = next;
            codes.first_symbol[length] = codes.symbols.len();
            for (symbol, _) in (0..=u8::MAX)
                .zip(LENGTHS)
                .filter(|pair| usize::from(pair.1) == length)
            {
                codes.symbols.push(symbol);
                codes.count[length] += 1;
                next += 1;
            }
        }
        codes
    }

    fn symbol(&self, code: u32, length: usize) -> Option<u8> {
        let place = code.checked_sub(self.first_code[length])?;
        let index = self.first_symbol[length] + usize::try_from(place).ok()?;
        (place < self.count[length]).then(|| self.symbols[index])
    }
}

/// The longest code, in bits; the end-of-string symbol, which must not occur, is as long.
const LONGEST: usize = 30;

/// The length of every symbol's code in bits (RFC 7541 appendix B).
#[rustfmt::skip]
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5,
    5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6,
    6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22,
    23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22,
    21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20,
    22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19,
    21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22,
    22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strings_of_rfc_7541_appendix_c() {
        let example = [
            0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
        ];
        assert_eq!(decode(&example).unwrap(), b"www.example.com");
        assert_eq!(
            decode(&[0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf]).unwrap(),
            b"no-cache"
        );
        assert_eq!(decode(&[0x64, 0x02]).unwrap(), b"302");
        assert_eq!(decode(b"").unwrap(), b"");
    }

    #[test]
    fn padding_must_be_ones_and_short() {
        assert_eq!(decode(&[0x64]), None);
        assert_eq!(decode(&[0x64, 0x02, 0xff]), None);
    }
}
