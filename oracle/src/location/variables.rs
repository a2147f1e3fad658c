use super::answer::NotModelled;
use super::map::{Map, MapForm, MapKey};
use super::place::Place;
use super::run::Run;
use super::server::ProxyProtocol;
use super::template::{Part, Template};

/// Maps that need maps that need maps: deeper than this is a cycle.
const MAP_DEPTH: usize = 16;

impl Run<'_> {
    /// The text of a template; whoever asks names the place for what cannot be computed.
    pub(super) fn expand(
        &self,
        template: &Template,
        place: Option<Place>,
    ) -> Result<Vec<u8>, NotModelled> {
        self.expand_within(template, place, MAP_DEPTH)
    }

    fn expand_within(
        &self,
        template: &Template,
        place: Option<Place>,
        depth: usize,
    ) -> Result<Vec<u8>, NotModelled> {
        let mut text = Vec::new();
        for part in &template.parts {
            match part {
                Part::Text(literal) => text.extend_from_slice(literal),
                Part::Capture(number) => text.extend_from_slice(self.capture(*number)),
                Part::Variable(name) => text.extend(self.variable_within(name, place, depth)?),
            }
        }
        Ok(text)
    }

    pub(super) fn variable(
        &self,
        name: &str,
        place: Option<Place>,
    ) -> Result<Vec<u8>, NotModelled> {
        self.variable_within(name, place, MAP_DEPTH)
    }

    fn variable_within(
        &self,
        name: &str,
        place: Option<Place>,
        depth: usize,
    ) -> Result<Vec<u8>, NotModelled> {
        let name = name.to_ascii_lowercase();
        if let Some(value) = self.variables.get(&name) {
            return Ok(value.clone());
        }
        if let Some(map) = self
            .site
            .maps
            .iter()
            .rev()
            .find(|map| map.variable.to_ascii_lowercase() == name)
        {
            return self.mapped(map, depth);
        }
        let unknown = || NotModelled::new(format!("variable `${name}`"), place);
        let query = || self.query.clone().unwrap_or_default();
        match name.as_str() {
            "uri" | "document_uri" => Ok(self.path.clone()),
            "request_uri" => Ok(self.unparsed.clone()),
            "args" | "query_string" => Ok(query()),
            "is_args" => Ok(self.query.as_ref().map_or_else(Vec::new, |_| b"?".to_vec())),
            "request_method" => Ok(self.request.method.clone()),
            "scheme" => Ok(self.scheme().into()),
            "https" if self.scheme() == "http" => Ok(Vec::new()),
            "https" => Ok(b"on".to_vec()),
            "host" | "http_host" => self
                .host
                .as_ref()
                .map(|host| host.clone().into_bytes())
                .ok_or_else(unknown),
            "server_port" => self
                .port()
                .map(|port| port.to_owned().into_bytes())
                .ok_or_else(unknown),
            "proxy_protocol_addr" => Ok(match self.proxy_protocol {
                ProxyProtocol::Required => self.request.client.to_string().into_bytes(),
                ProxyProtocol::Off => Vec::new(),
            }),
            "remote_addr" if self.proxy_protocol == ProxyProtocol::Off => {
                Ok(self.request.client.to_string().into_bytes())
            }
            argument if argument.starts_with("arg_") => {
                Ok(argument_value(&query(), &argument[4..]))
            }
            field if field.starts_with("http_") => Ok(self.field(&field[5..])),
            cookie if cookie.starts_with("cookie_") => Ok(self.cookie(&cookie[7..])),
            field @ ("content_length" | "content_type") => Ok(self.field(field)),
            "remote_user" => Ok(Vec::new()),
            _ => Err(unknown()),
        }
    }

    fn mapped(&self, map: &Map, depth: usize) -> Result<Vec<u8>, NotModelled> {
        let at = Some(map.place);
        if map.form == MapForm::Other {
            return Err(NotModelled::new(
                format!("`map` of `${}` with `hostnames`", map.variable),
                at,
            ));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(NotModelled::new(
                format!("maps around `${}`", map.variable),
                at,
            ));
        };
        let source = self.expand_within(&map.source, at, depth)?;
        let lower = source.to_ascii_lowercase();
        let mut texts = map.entries.iter();
        let by_text = texts.find(|entry| matches!(&entry.key, MapKey::Text(key) if *key == lower));
        if let Some(entry) = by_text {
            return self.expand_within(&entry.value, at, depth);
        }
        for entry in &map.entries {
            let MapKey::Regex(regex) = &entry.key else {
                continue;
            };
            let groups = regex
                .captures(&source)
                .map_err(|error| NotModelled::new(error.to_string(), at))?;
            if let Some(groups) = groups {
                let mut inner = self.clone();
                inner.captured(regex, &source, groups);
                return inner.expand_within(&entry.value, at, depth);
            }
        }
        self.expand_within(&map.default, at, depth)
    }
}

impl Run<'_> {
    /// The value of a field, its name as in `$http_name`; several are joined as NGINX does (1.23.0).
    fn field(&self, name: &str) -> Vec<u8> {
        let is_it = |field: &str| {
            let plain = field.to_ascii_lowercase().replace('-', "_");
            plain == name
        };
        let separator = if name == "cookie" { "; " } else { ", " };
        let fields = self.request.fields.iter();
        let values: Vec<&str> = fields
            .filter(|(field, _)| is_it(field))
            .map(|(_, value)| value.as_str())
            .collect();
        values.join(separator).into_bytes()
    }

    fn cookie(&self, name: &str) -> Vec<u8> {
        let all = self.field("cookie");
        let value = |pair: &[u8]| {
            let pair = pair.trim_ascii();
            let split = pair.iter().position(|byte| *byte == b'=')?;
            let is_it = pair[..split].eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| pair[split + 1..].to_vec())
        };
        let mut pairs = all.split(|byte| *byte == b';');
        pairs.find_map(value).unwrap_or_default()
    }
}

/// The value of the first `name=` in a query, letter case of the name aside (`ngx_http_arg`).
fn argument_value(query: &[u8], name: &str) -> Vec<u8> {
    let pairs = query.split(|byte| *byte == b'&');
    let value = |pair: &[u8]| {
        let split = pair.iter().position(|byte| *byte == b'=')?;
        let is_it = pair[..split].eq_ignore_ascii_case(name.as_bytes());
        is_it.then(|| pair[split + 1..].to_vec())
    };
    pairs.filter_map(value).next().unwrap_or_default()
}
