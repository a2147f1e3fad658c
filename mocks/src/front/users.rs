//! The tunnel's own users: their connections are no fallback's.

use std::collections::HashSet;

use serde_json::Value;
use sha2::{Digest, Sha224};

use super::Inbound;

/// What a connection of a known user opens with.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    identifiers: HashSet<[u8; 16]>,
    passwords: HashSet<String>,
}

impl Users {
    /// Reads `settings.clients`: VLESS users by UUID, Trojan users by password. Others are never recognised.
    pub(super) fn read(clients: &Value, inbound: Inbound) -> Self {
        let mut users = Self::default();
        for client in clients.as_array().into_iter().flatten() {
            match inbound {
                Inbound::Vless => users
                    .identifiers
                    .extend(client["id"].as_str().and_then(uuid)),
                Inbound::Trojan => users
                    .passwords
                    .extend(client["password"].as_str().map(hashed)),
            }
        }
        users
    }

    /// Whether this first read is a known user's.
    pub(super) fn know(&self, first: &[u8]) -> bool {
        let vless = first.len() >= 18 && first[0] == 0 && self.identifiers.contains(&first[1..17]);
        let trojan = first.len() >= 58
            && first[56] == b'\r'
            && std::str::from_utf8(&first[..56]).is_ok_and(|hash| self.passwords.contains(hash));
        vless || trojan
    }
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|&digit| digit != '-')
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | *digit as u8))
        .collect();
    bytes.try_into().ok()
}

fn hashed(password: &str) -> String {
    Sha224::digest(password.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn users_are_known_by_what_they_open_with() {
        let clients = json!([{"id": "b831381d-6324-4d53-ad4f-8cda48b30811"}]);
        let users = Users::read(&clients, Inbound::Vless);
        let id = [
            0xb8, 0x31, 0x38, 0x1d, 0x63, 0x24, 0x4d, 0x53, 0xad, 0x4f, 0x8c, 0xda, 0x48, 0xb3,
            0x08, 0x11,
        ];
        let first = [&[0][..], &id, &[0]].concat();
        assert!(users.know(&first));
        assert!(!users.know(&[&[1][..], &id, &[0]].concat()));
        assert!(!users.know(&first[..17]));

        let users = Users::read(&json!([{"password": "secret"}]), Inbound::Trojan);
        assert!(users.know(format!("{}\r\n", hashed("secret")).as_bytes()));
        assert!(!users.know(format!("{}\r\n", hashed("other")).as_bytes()));
    }
}
