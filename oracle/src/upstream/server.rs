use std::time::Duration;

use super::address::Address;
use crate::directive;
use crate::location::Place;
use crate::setting::Setting;

/// One `server` of an `upstream` block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UpstreamServer {
    /// As written.
    pub written: String,
    /// Where it is; `None` where the text is no address.
    pub address: Option<Address>,
    /// When requests go to it.
    pub role: Role,
    /// Its share of the requests: 1 unless said.
    pub weight: u32,
    /// How many failures within [`Self::fail_timeout`] take it out; 1 unless said, 0: it is never taken out.
    pub max_fails: u32,
    /// For how long failures count, and for how long it is out then; 10 s unless said.
    pub fail_timeout: Duration,
    /// The most connections at once; 0: no limit.
    pub max_conns: u32,
    /// Other parameters, as written (`resolve`, `slow_start=30s`).
    pub other: Vec<String>,
    /// Where it is written.
    pub place: Place,
}

/// When a server of a group gets requests.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Role {
    /// Always.
    Primary,
    /// When no primary one can be used (`backup`).
    Backup,
    /// Never (`down`).
    Down,
}

impl UpstreamServer {
    /// The arguments of a `server`; `None` without any.
    pub(crate) fn read(setting: &Setting) -> Option<Self> {
        let written = setting.argument(0)?;
        let mut server = Self {
            address: Address::parse(&written, DEFAULT_PORT),
            written,
            role: Role::Primary,
            weight: 1,
            max_fails: 1,
            fail_timeout: Duration::from_secs(10),
            max_conns: 0,
            other: Vec::new(),
            place: setting.place,
        };
        for parameter in &setting.arguments[1..] {
            server.parameter(&String::from_utf8_lossy(parameter));
        }
        Some(server)
    }

    fn parameter(&mut self, text: &str) {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match (
            name,
            value.parse::<u32>(),
            directive::time(value.as_bytes()),
        ) {
            ("backup", ..) => self.role = Role::Backup,
            ("down", ..) => self.role = Role::Down,
            ("weight", Ok(weight), _) => self.weight = weight,
            ("max_fails", Ok(fails), _) => self.max_fails = fails,
            ("max_conns", Ok(connections), _) => self.max_conns = connections,
            ("fail_timeout", _, Some(timeout)) => self.fail_timeout = timeout,
            _ => self.other.push(text.to_owned()),
        }
    }
}

/// The port of a server of an `upstream` that does not say one.
const DEFAULT_PORT: u16 = 80;
