//! The base URL of CPA as a person types it.

/// A base URL in the form it is saved and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl(String);

impl BaseUrl {
    /// Trims what was typed, adds `http://` if there is no scheme, and takes a management path off its end; `None` if
    /// nothing is left.
    pub(super) fn normalized(typed: &str) -> Option<Self> {
        let trimmed = typed.trim();
        if trimmed.is_empty() {
            return None;
        }
        let with_scheme = match trimmed.contains("://") {
            true => trimmed.to_owned(),
            false => format!("http://{trimmed}"),
        };
        let url = with_scheme.trim_end_matches('/');
        let url = url.strip_suffix("/v0/management").unwrap_or(url);
        let url = url.strip_suffix("/v0").unwrap_or(url);
        Some(Self(url.to_owned()))
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Its scheme, in lower case.
    pub(super) fn scheme(&self) -> String {
        self.0
            .split_once("://")
            .map_or("", |(scheme, _)| scheme)
            .to_ascii_lowercase()
    }

    /// Host and port as written, without credentials.
    pub(super) fn authority(&self) -> &str {
        let rest = self.after_scheme();
        let authority = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
        authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host)
    }

    /// The path, empty without one.
    pub(super) fn path(&self) -> &str {
        let rest = self.after_scheme();
        let path = rest.find('/').map_or("", |start| &rest[start..]);
        path.find(['?', '#']).map_or(path, |end| &path[..end])
    }

    /// Host and port to connect to, the scheme's port if none is given.
    pub(super) fn address(&self) -> (String, u16) {
        let authority = self.authority();
        let default = if self.scheme() == "https" { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().unwrap_or(default))
            }
            _ => (authority, default),
        };
        (host.trim_matches(['[', ']']).to_owned(), port)
    }

    fn after_scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, rest)| rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(typed: &str) -> String {
        BaseUrl::normalized(typed).unwrap().0
    }

    #[test]
    fn what_people_type() {
        assert_eq!(
            normalized(" 127.0.0.1:8317/v0/management/ "),
            "http://127.0.0.1:8317"
        );
        assert_eq!(normalized("http://h/v0"), "http://h");
        assert_eq!(normalized("https://h//"), "https://h");
        assert_eq!(BaseUrl::normalized("  "), None);
    }

    #[test]
    fn parts_of_it() {
        let url = BaseUrl::normalized("http://[::1]:8317/prefix/").unwrap();
        assert_eq!(
            (url.address(), url.path()),
            (("::1".to_owned(), 8317), "/prefix")
        );
        let url = BaseUrl::normalized("https://user@h").unwrap();
        assert_eq!(
            (url.address(), url.authority()),
            (("h".to_owned(), 443), "h")
        );
    }
}
