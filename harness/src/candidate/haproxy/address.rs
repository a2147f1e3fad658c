//! Addresses as `bind` and `server` have them.

/// Whether two addresses are the same place: `:80`, `*:80` and `ipv4@0.0.0.0:80` are.
pub(super) fn is_same(written: &str, other: &str) -> bool {
    plain(written) == plain(other)
}

/// Those of `listeners` that an address of a `bind` opens, which may be a range of ports.
pub(super) fn opened<'l>(piece: &str, listeners: &'l [String]) -> Vec<&'l str> {
    let opens = |listener: &&String| is_same(piece, listener) || is_in_range(piece, listener);
    listeners.iter().filter(opens).map(String::as_str).collect()
}

/// Whether it is one that UDP is spoken at.
pub(super) fn is_quic(piece: &str) -> bool {
    piece.split_once('@').is_some_and(|(family, _)| {
        family.starts_with("quic") || family.starts_with("udp") || family.starts_with("dgram")
    })
}

fn is_in_range(piece: &str, listener: &str) -> bool {
    let (Some((host, range)), Some((other, port))) =
        (piece.rsplit_once(':'), listener.rsplit_once(':'))
    else {
        return false;
    };
    let Some((first, last)) = range.split_once('-') else {
        return false;
    };
    let numbers = (
        first.parse::<u16>(),
        last.parse::<u16>(),
        port.parse::<u16>(),
    );
    let (Ok(first), Ok(last), Ok(port)) = numbers else {
        return false;
    };
    (first..=last).contains(&port) && is_same(&format!("{host}:{port}"), &format!("{other}:{port}"))
}

/// One spelling for one place: without the family, with every host of a listener on all of them as `*`.
fn plain(written: &str) -> String {
    let (family, rest) = match written.split_once('@') {
        Some((family, rest)) => (family, rest),
        None => ("", written),
    };
    if family == "unix" {
        return format!("unix:{rest}");
    }
    if !["", "ipv4", "ipv6", "tcp", "tcp4", "tcp6"].contains(&family) {
        return written.to_owned();
    }
    if rest.starts_with('/') {
        return format!("unix:{rest}");
    }
    let Some((host, port)) = rest.rsplit_once(':') else {
        return rest.to_owned();
    };
    let host = match host.trim_start_matches('[').trim_end_matches(']') {
        "" | "*" | "0.0.0.0" if family.ends_with('6') => "::",
        "" | "*" | "0.0.0.0" => "*",
        host => host,
    };
    format!("{host}:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_place_has_many_spellings() {
        for (left, right) in [
            (":80", "*:80"),
            ("0.0.0.0:80", "ipv4@:80"),
            ("[::]:80", ":::80"),
            ("ipv6@:80", "[::]:80"),
            ("unix@/run/x.sock", "/run/x.sock"),
            ("unix@/run/x.sock", "unix:/run/x.sock"),
            ("gateway", "gateway"),
        ] {
            assert!(is_same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("*:80", "[::]:80"),
            ("127.0.0.1:80", "*:80"),
            ("abns@x", "unix@x"),
            ("quic4@:443", ":443"),
        ] {
            assert!(!is_same(left, right), "{left} {right}");
        }
    }

    #[test]
    fn a_range_opens_each_of_its_ports() {
        let listeners = ["0.0.0.0:8003", "0.0.0.0:8004", "127.0.0.1:8003"].map(str::to_owned);
        assert_eq!(
            opened("*:8003-8010", &listeners),
            ["0.0.0.0:8003", "0.0.0.0:8004"]
        );
        assert_eq!(opened("*:8004-8010", &listeners), ["0.0.0.0:8004"]);
        assert_eq!(opened("127.0.0.1:8003", &listeners), ["127.0.0.1:8003"]);
        assert!(opened("*:80", &listeners).is_empty());
    }
}
