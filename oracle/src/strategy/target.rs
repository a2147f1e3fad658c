use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};

/// Paths of few, colliding segments: `/`, `/a`, `/a/`, `/a/ab/b.b`, …
pub fn path() -> impl Strategy<Value = Vec<u8>> {
    let segment = select(vec![
        "a", "b", "ab", "aa", "A", "a.b", "a-b", "v1", "a b", "\u{e9}", "%", "..a", "a;b",
    ]);
    let slash = select(vec!["", "/"]);
    (vec(segment, 0..4), slash).prop_map(|(segments, slash)| {
        let mut path: Vec<u8> = segments
            .iter()
            .flat_map(|segment| [b"/", segment.as_bytes()].concat())
            .collect();
        if path.is_empty() {
            path.push(b'/');
        } else {
            path.extend(slash.bytes());
        }
        path
    })
}

/// Request targets around these paths (the texts of the locations of a table).
pub fn target(texts: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let base = prop_oneof![3 => select(texts), 1 => path()];
    let bends = vec((bend(), any::<Index>()), 0..4);
    let tail = prop_oneof![
        6 => Just(""),
        2 => select(vec!["?", "?a=1", "?a=%2F..%2fx", "?%zz", "??", "?a#b", "#", "#/x", "#?x"]),
    ];
    let form = prop_oneof![
        12 => Just(""),
        1 => select(vec!["http://api.example.org", "HTTPS://x:81", "http://u@h", "http://[::1]:8", "h://a."]),
    ];
    (base, bends, tail, form).prop_map(|(base, bends, tail, form)| {
        let mut target = sendable(&base);
        for (bend, index) in bends {
            bend.apply(&mut target, index);
        }
        let mut whole = form.as_bytes().to_vec();
        whole.extend(target);
        whole.extend(tail.bytes());
        whole
    })
}

/// A path as a client would send it: bytes that cannot stand in a target are escaped.
fn sendable(path: &[u8]) -> Vec<u8> {
    let mut target = Vec::new();
    for byte in path {
        match byte {
            0x21..=0x7e if !b"%?#".contains(byte) => target.push(*byte),
            _ => target.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    target
}

/// One change of a target.
#[derive(Clone, Debug)]
enum Bend {
    /// A text put in somewhere.
    Insert(Vec<u8>),
    /// A text put at the end.
    Append(Vec<u8>),
    /// The last byte gone.
    Truncate,
    /// A byte gone.
    Remove,
    /// A byte written as `%XX`, or `%xx`.
    Escape(Digits),
    /// A letter in its other case.
    SwapCase,
    /// A slash and what it may become.
    Slash(Vec<u8>),
    /// A long segment.
    Long(usize),
}

#[derive(Clone, Copy, Debug)]
enum Digits {
    Upper,
    Lower,
}

fn bend() -> impl Strategy<Value = Bend> {
    let pieces = vec![
        "/", "//", "/./", "/../", "/..", "/.", ".", "..", "...", "%2f", "%2F", "%2e", "%2E%2e",
        "%2e%2e/", "%25", "%23", "%3f", "%3F", "%00", "%", "%4", "%zz", "+", ";", ";x=1", "\\",
        "%5c", " ", "\t", "a", "x", "A", "~", "*", "@", ":", "&", "=", "\"", "<", "|", "{", "^",
        "`",
    ];
    let texts: Vec<Vec<u8>> = pieces
        .iter()
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    let odd = vec![
        vec![0xe9],
        vec![0x80, 0xff],
        vec![0x7f],
        vec![0x01],
        vec![b'\r'],
        vec![0],
    ];
    let slashes = ["//", "%2f", "/./", "/x/../", "/%2e/", "/..;/", "///"];
    let slashes = slashes
        .iter()
        .map(|slash| slash.as_bytes().to_vec())
        .collect::<Vec<_>>();
    prop_oneof![
        5 => select(texts.clone()).prop_map(Bend::Insert),
        4 => select(texts).prop_map(Bend::Append),
        1 => select(odd).prop_map(Bend::Insert),
        2 => Just(Bend::Truncate),
        2 => Just(Bend::Remove),
        3 => prop_oneof![Just(Digits::Upper), Just(Digits::Lower)].prop_map(Bend::Escape),
        2 => Just(Bend::SwapCase),
        4 => select(slashes).prop_map(Bend::Slash),
        1 => select(vec![255_usize, 256, 1023, 1024, 4000, 8170, 8177, 9000]).prop_map(Bend::Long),
    ]
}

impl Bend {
    fn apply(self, target: &mut Vec<u8>, index: Index) {
        let at = index.index(target.len() + 1);
        let byte = (!target.is_empty()).then(|| index.index(target.len()));
        match (self, byte) {
            (Self::Insert(text), _) => splice(target, at, 0, &text),
            (Self::Append(text), _) => target.extend(text),
            (Self::Truncate, _) => {
                target.pop();
            }
            (Self::Remove, Some(byte)) => {
                target.remove(byte);
            }
            (Self::Escape(digits), Some(byte)) => {
                let escaped = match digits {
                    Digits::Upper => format!("%{:02X}", target[byte]),
                    Digits::Lower => format!("%{:02x}", target[byte]),
                };
                splice(target, byte, 1, escaped.as_bytes());
            }
            (Self::SwapCase, Some(byte)) if target[byte].is_ascii_alphabetic() => {
                target[byte] ^= 0x20
            }
            (Self::Slash(text), _) => {
                let slashes: Vec<_> = target
                    .iter()
                    .enumerate()
                    .filter(|(_, byte)| **byte == b'/')
                    .collect();
                if !slashes.is_empty() {
                    let slash = slashes[index.index(slashes.len())].0;
                    splice(target, slash, 1, &text);
                }
            }
            (Self::Long(length), _) => splice(target, at, 0, &vec![b'a'; length]),
            _ => {}
        }
    }
}

fn splice(target: &mut Vec<u8>, at: usize, gone: usize, text: &[u8]) {
    target.splice(at..at + gone, text.iter().copied());
}
