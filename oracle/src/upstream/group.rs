use super::server::UpstreamServer;
use crate::directive::{self, Context};
use crate::location::{NginxVersion, Place};
use crate::setting::Setting;

/// One `upstream` block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Its servers, in the order of the file.
    pub servers: Vec<UpstreamServer>,
    /// All its directives, those of `servers` too.
    pub settings: Vec<Setting>,
    /// Where it is written.
    pub place: Place,
}

/// How a group chooses a server for a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Balance {
    /// In turn, by weight.
    RoundRobin,
    /// Another way: the directive with its arguments (`least_conn`, `hash $arg_model consistent`).
    Other {
        /// As written.
        directive: String,
    },
}

impl Upstream {
    pub(crate) fn new(name: String, settings: Vec<Setting>, place: Place) -> Self {
        let servers = settings.iter().filter(|setting| setting.name == "server");
        Self {
            name,
            servers: servers.filter_map(UpstreamServer::read).collect(),
            settings,
            place,
        }
    }

    /// The last directive of that name in the block.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings
            .iter()
            .rev()
            .find(|setting| setting.name == name)
    }

    /// How many idle connections each worker keeps to the group: `keepalive`, or the default of a release; 0: none.
    pub fn keepalive(&self, version: NginxVersion) -> u32 {
        let said = self
            .setting("keepalive")
            .and_then(|setting| setting.argument(0));
        let default = || {
            let row = directive::definition_in("keepalive", Context::Upstream)?;
            Some(row.default_value(version)?.to_owned())
        };
        let text = said.or_else(default).unwrap_or_default();
        text.split(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0)
    }

    /// How it chooses a server.
    pub fn balance(&self) -> Balance {
        const OTHERS: [&str; 6] = [
            "least_conn",
            "ip_hash",
            "hash",
            "random",
            "least_time",
            "sticky",
        ];
        let mut settings = self.settings.iter();
        match settings.find(|setting| OTHERS.contains(&setting.name.as_str())) {
            Some(setting) => Balance::Other {
                directive: format!("{} {}", setting.name, setting.text())
                    .trim_end()
                    .to_owned(),
            },
            None => Balance::RoundRobin,
        }
    }
}
