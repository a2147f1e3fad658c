//! Headers that break one rule each, for asking whether a receiver refuses them.

use super::V2_SIGNATURE;

/// A PROXY header that a receiver has to refuse, with the rule it breaks (HAProxy's text, sections 2.1 and 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MalformedHeader {
    /// An IPv4 address written inside IPv6 under `TCP4`.
    AddressOfOtherFamily,
    /// A checksum that does not fit.
    BadChecksum,
    /// A command that is neither LOCAL nor PROXY.
    BadCommand,
    /// An address family that does not exist.
    BadFamily,
    /// Version 3 behind the version 2 signature.
    BadVersion,
    /// Two spaces between fields.
    DoubleSpace,
    /// A field too many.
    ExtraField,
    /// `proxy` in lower case.
    LowerCase,
    /// A port with a leading zero.
    LeadingZeroPort,
    /// The line ends in LF alone.
    LineFeedOnly,
    /// No line end within 107 bytes.
    NoLineEnd,
    /// A port above 65535.
    PortTooLarge,
    /// An address block shorter than its family needs.
    ShortAddresses,
    /// An entry that runs past the end of the header.
    TlvOverrun,
    /// A protocol that is none of `TCP4`, `TCP6` and `UNKNOWN`.
    UnknownProtocol,
}

impl MalformedHeader {
    /// Every one of them.
    pub const ALL: &[Self] = &[
        Self::AddressOfOtherFamily,
        Self::BadChecksum,
        Self::BadCommand,
        Self::BadFamily,
        Self::BadVersion,
        Self::DoubleSpace,
        Self::ExtraField,
        Self::LowerCase,
        Self::LeadingZeroPort,
        Self::LineFeedOnly,
        Self::NoLineEnd,
        Self::PortTooLarge,
        Self::ShortAddresses,
        Self::TlvOverrun,
        Self::UnknownProtocol,
    ];

    /// The header's bytes. Long enough that a strict receiver can refuse it without waiting for more.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::AddressOfOtherFamily => {
                text("PROXY TCP4 ::ffff:203.0.113.7 127.0.0.1 5555 443\r\n")
            }
            Self::BadChecksum => binary(
                0x21,
                0x11,
                &[ADDRESSES, &[0x03, 0x00, 0x04, 1, 2, 3, 4]].concat(),
            ),
            Self::BadCommand => binary(0x22, 0x11, ADDRESSES),
            Self::BadFamily => binary(0x21, 0x41, ADDRESSES),
            Self::BadVersion => binary(0x31, 0x11, ADDRESSES),
            Self::DoubleSpace => text("PROXY TCP4  203.0.113.7 127.0.0.1 5555 443\r\n"),
            Self::ExtraField => text("PROXY TCP4 203.0.113.7 127.0.0.1 5555 443 80\r\n"),
            Self::LowerCase => text("proxy TCP4 203.0.113.7 127.0.0.1 5555 443\r\n"),
            Self::LeadingZeroPort => text("PROXY TCP4 203.0.113.7 127.0.0.1 05555 443\r\n"),
            // Padded past 107 bytes, so that the missing CR cannot be taken for a line still to end.
            Self::LineFeedOnly => text(&format!(
                "PROXY TCP4 203.0.113.7 127.0.0.1 5555 443\n{}",
                "x".repeat(107)
            )),
            Self::NoLineEnd => text(&format!("PROXY UNKNOWN {}\r\n", "x".repeat(107))),
            Self::PortTooLarge => text("PROXY TCP4 203.0.113.7 127.0.0.1 65536 443\r\n"),
            Self::ShortAddresses => binary(0x21, 0x11, &ADDRESSES[..8]),
            Self::TlvOverrun => binary(0x21, 0x11, &[ADDRESSES, &[0x04, 0x00, 0x09, 0]].concat()),
            Self::UnknownProtocol => text("PROXY UDP4 203.0.113.7 127.0.0.1 5555 443\r\n"),
        }
    }

    /// The broken rule, as a fragment.
    pub fn describe(self) -> &'static str {
        match self {
            Self::AddressOfOtherFamily => "an IPv6 address under TCP4",
            Self::BadChecksum => "a CRC32c entry that does not fit the header",
            Self::BadCommand => "command 2 in a version 2 header",
            Self::BadFamily => "address family 4 in a version 2 header",
            Self::BadVersion => "version 3 behind the version 2 signature",
            Self::DoubleSpace => "two spaces between fields",
            Self::ExtraField => "a field after the ports",
            Self::LowerCase => "`proxy` in lower case",
            Self::LeadingZeroPort => "a port with a leading zero",
            Self::LineFeedOnly => "a line that ends in LF alone",
            Self::NoLineEnd => "no line end within 107 bytes",
            Self::PortTooLarge => "port 65536",
            Self::ShortAddresses => "an address block of 8 bytes for IPv4",
            Self::TlvOverrun => "an entry that runs past the end of the header",
            Self::UnknownProtocol => "UDP4, which version 1 does not have",
        }
    }
}

fn text(line: &str) -> Vec<u8> {
    line.as_bytes().to_vec()
}

fn binary(version_command: u8, family_transport: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len())
        .expect("these headers are short")
        .to_be_bytes();
    [
        V2_SIGNATURE.as_slice(),
        &[version_command, family_transport],
        &length,
        rest,
    ]
    .concat()
}

/// 203.0.113.7:5555 to 127.0.0.1:443.
const ADDRESSES: &[u8] = &[203, 0, 113, 7, 127, 0, 0, 1, 0x15, 0xb3, 0x01, 0xbb];
