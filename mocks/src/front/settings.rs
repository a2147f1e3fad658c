//! The configuration file of a tunnel server as people have it: what of it a front follows.

use serde_json::Value;

use super::commented_json::without_comments;
use super::users::Users;
use super::{AcceptProxy, FallbackTable, Front, Inbound, MinimumTls, TableError, UnknownNames};
use crate::certificate::Leaf;

/// What a front follows of an inbound: protocol, users, fallbacks, and the TLS and socket settings that matter to them.
#[derive(Clone, Debug)]
pub struct InboundSettings {
    table: FallbackTable,
    users: Users,
    protocols: Option<Vec<String>>,
    minimum: MinimumTls,
    unknown_names: UnknownNames,
    accept_proxy: AcceptProxy,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The text is no JSON.
    #[error("the configuration is not JSON: line {line}, column {column}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        #[source]
        reason: serde_json::Error,
    },
    /// Neither an inbound nor a file with inbounds.
    #[error("the configuration has no VLESS or Trojan inbound")]
    NoInbound,
    /// Something the front cannot follow, or the real program refuses.
    #[error("`{at}`: {reason}")]
    Unsupported {
        /// The path to it, such as `inbounds[0].settings.decryption`.
        at: String,
        /// The real program's reason, or the front's.
        reason: String,
    },
    /// The fallback table is refused.
    #[error("`{at}`: {reason}")]
    Table {
        /// The path to the table, or to the entry at fault.
        at: String,
        /// The real program's reason.
        #[source]
        reason: TableError,
    },
}

impl InboundSettings {
    /// Reads a whole file, of which the first VLESS or Trojan inbound counts, or one inbound alone. Comments are allowed.
    ///
    /// # Errors
    /// If it is no JSON, has no such inbound, or the inbound is refused.
    pub fn read(text: &str) -> Result<Self, SettingsError> {
        let value: Value = serde_json::from_str(&without_comments(text)).map_err(|reason| {
            SettingsError::Json {
                line: reason.line(),
                column: reason.column(),
                reason,
            }
        })?;
        let Some(inbounds) = value.get("inbounds") else {
            let inbound = protocol(&value).ok_or(SettingsError::NoInbound)?;
            return Self::of(&value, inbound, "");
        };
        let inbounds = inbounds.as_array().into_iter().flatten().enumerate();
        let mut known = inbounds.filter_map(|(number, one)| Some((number, one, protocol(one)?)));
        let (number, one, inbound) = known.next().ok_or(SettingsError::NoInbound)?;
        Self::of(one, inbound, &format!("inbounds[{number}]."))
    }

    /// A front that follows these settings; where it listens is still to be said.
    #[must_use]
    pub fn front(self, certificate: Leaf) -> Front {
        let front = Front::new(self.table, certificate)
            .users(self.users)
            .minimum_tls(self.minimum)
            .unknown_names(self.unknown_names)
            .accept_proxy(self.accept_proxy);
        match &self.protocols {
            Some(protocols) => {
                front.alpn(&protocols.iter().map(String::as_str).collect::<Vec<_>>())
            }
            None => front,
        }
    }

    /// The fallback table.
    #[must_use]
    pub fn table(&self) -> &FallbackTable {
        &self.table
    }

    fn of(value: &Value, inbound: Inbound, at: &str) -> Result<Self, SettingsError> {
        let settings = &value["settings"];
        let unsupported = |path: &str, reason: &str| SettingsError::Unsupported {
            at: format!("{at}{path}"),
            reason: reason.to_owned(),
        };
        if inbound == Inbound::Vless {
            check_decryption(settings)
                .map_err(|reason| unsupported("settings.decryption", reason))?;
        }
        let stream = &value["streamSettings"];
        if !matches!(
            stream["security"].as_str(),
            None | Some("" | "tls" | "none")
        ) {
            return Err(unsupported(
                "streamSettings.security",
                "the front speaks TLS only",
            ));
        }
        let tls = &stream["tlsSettings"];
        let accepts = |part: &str| stream[part]["acceptProxyProtocol"] == true;
        Ok(Self {
            table: read_table(&settings["fallbacks"], inbound, at)?,
            users: Users::read(&settings["clients"], inbound),
            protocols: list(&tls["alpn"]),
            minimum: if tls["minVersion"] == "1.3" {
                MinimumTls::V13
            } else {
                MinimumTls::V12
            },
            unknown_names: if tls["rejectUnknownSni"] == true {
                UnknownNames::Reject
            } else {
                UnknownNames::Answer
            },
            accept_proxy: if ["sockopt", "tcpSettings", "rawSettings"]
                .into_iter()
                .any(accepts)
            {
                AcceptProxy::Required
            } else {
                AcceptProxy::Off
            },
        })
    }
}

fn protocol(inbound: &Value) -> Option<Inbound> {
    match inbound["protocol"].as_str()?.to_ascii_lowercase().as_str() {
        "vless" => Some(Inbound::Vless),
        "trojan" => Some(Inbound::Trojan),
        _ => None,
    }
}

fn check_decryption(settings: &Value) -> Result<(), &'static str> {
    let fallbacks = settings["fallbacks"]
        .as_array()
        .is_some_and(|entries| !entries.is_empty());
    match settings["decryption"].as_str() {
        Some("none") => Ok(()),
        None | Some("") => {
            Err(r#"VLESS settings: please add/set "decryption":"none" to every settings"#)
        }
        Some(_) if fallbacks => {
            Err(r#"VLESS settings: "fallbacks" can not be used together with "decryption""#)
        }
        Some(_) => Err("the front knows no decryption but `none`"),
    }
}

fn read_table(
    fallbacks: &Value,
    inbound: Inbound,
    at: &str,
) -> Result<FallbackTable, SettingsError> {
    if fallbacks.is_null() {
        return Ok(FallbackTable::default());
    }
    FallbackTable::read(fallbacks, inbound).map_err(|reason| {
        let entry = reason
            .entry()
            .map(|entry| format!("[{entry}]"))
            .unwrap_or_default();
        SettingsError::Table {
            at: format!("{at}settings.fallbacks{entry}"),
            reason,
        }
    })
}

/// A list of names, or one string with commas between them.
fn list(value: &Value) -> Option<Vec<String>> {
    let names: Vec<String> = match value {
        Value::String(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => return None,
    };
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INBOUND: &str = r#"{"protocol": "vless", "settings": {"decryption": "none", "fallbacks": [{"dest": 8003}]}}"#;

    #[test]
    fn a_whole_file_and_one_inbound_are_read_alike() {
        let whole = format!(
            r#"{{"inbounds": [{{"protocol": "socks"}}, {INBOUND}] /* and more */ }} // end"#
        );
        for text in [INBOUND, &whole] {
            assert_eq!(
                InboundSettings::read(text).unwrap().table().entries().len(),
                1
            );
        }
    }

    #[test]
    fn what_counts_of_it() {
        let text = r#"{"protocol": "trojan", "settings": {"clients": [{"password": "p"}], "fallbacks": []},
            "streamSettings": {"security": "tls", "sockopt": {"acceptProxyProtocol": true},
            "tlsSettings": {"alpn": ["http/1.1"], "minVersion": "1.3", "rejectUnknownSni": true}}}"#;
        let settings = InboundSettings::read(text).unwrap();
        assert_eq!(settings.protocols, Some(vec!["http/1.1".to_owned()]));
        assert_eq!(settings.minimum, MinimumTls::V13);
        assert_eq!(settings.unknown_names, UnknownNames::Reject);
        assert_eq!(settings.accept_proxy, AcceptProxy::Required);
    }

    #[test]
    fn refusals_say_where_and_why() {
        let refused = |text: &str| InboundSettings::read(text).unwrap_err().to_string();
        assert_eq!(
            refused("{\n  x"),
            "the configuration is not JSON: line 2, column 3"
        );
        assert_eq!(
            refused("{}"),
            "the configuration has no VLESS or Trojan inbound"
        );
        let at = refused(&format!(
            r#"{{"inbounds": [{}]}}"#,
            INBOUND.replace("8003", r#""x""#)
        ));
        assert!(
            at.starts_with(
                "`inbounds[0].settings.fallbacks[0]`: infra/conf: VLESS fallbacks: please fill in"
            ),
            "{at}"
        );
        let with = refused(&INBOUND.replace(r#""none""#, r#""x25519""#));
        assert!(
            with.contains(r#""fallbacks" can not be used together with "decryption""#),
            "{with}"
        );
    }
}
