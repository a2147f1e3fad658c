//! What one running CPA knows: nothing here outlives it or is shared with another.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::configuration::{Configuration, UsageStatistics};
use super::management::{BanTable, Refusal, Settings, admit};
use super::provider::Dialect;
use super::usage::{Record, UsageQueue};

/// The state of one CPA.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) configuration: Configuration,
    pub(crate) started: OffsetDateTime,
    /// What management changes.
    settings: RwLock<Settings>,
    bans: Mutex<BanTable>,
    queue: Mutex<UsageQueue>,
    numbers: AtomicU64,
    seed: u64,
}

impl State {
    pub(crate) fn new(configuration: Configuration) -> Self {
        let started = OffsetDateTime::now_utc();
        let settings = Settings::new(&configuration);
        Self {
            configuration,
            started,
            settings: RwLock::new(settings),
            bans: Mutex::default(),
            queue: Mutex::default(),
            numbers: AtomicU64::new(0),
            seed: u64::from(started.nanosecond()) ^ started.unix_timestamp().unsigned_abs() << 30,
        }
    }

    /// Whether management is on.
    pub(crate) const fn manages(&self) -> bool {
        self.configuration.management_key.is_some()
    }

    /// The settings of now.
    pub(crate) fn settings(&self) -> RwLockReadGuard<'_, Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The settings, to be changed.
    pub(crate) fn settings_to_change(&self) -> RwLockWriteGuard<'_, Settings> {
        self.settings
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about an attempt to manage, and keeps the count of failures.
    pub(crate) fn admit_management(&self, address: IpAddr, key: &str) -> Result<(), Refusal> {
        let secret = self
            .configuration
            .management_key
            .as_deref()
            .unwrap_or_default();
        let allow_remote = self.configuration.allow_remote;
        admit(
            &mut lock(&self.bans),
            secret,
            allow_remote,
            address,
            key,
            Instant::now(),
        )
    }

    /// The usage queue.
    pub(crate) fn queue(&self) -> MutexGuard<'_, UsageQueue> {
        lock(&self.queue)
    }

    /// Publishes a record, where records are kept.
    pub(crate) fn publish(&self, record: &Record) {
        if self.manages() && self.settings().usage_statistics() == UsageStatistics::On {
            lock(&self.queue).publish(&record.json(), Instant::now());
        }
    }

    /// A number that no other request of this CPA has, and that looks like chance.
    pub(crate) fn fresh_number(&self) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        scattered(self.seed.wrapping_add(number))
    }

    /// The id of a new request, and the trace id that a client is told: time, credential, request.
    pub(crate) fn trace_id(&self, dialect: Dialect) -> (String, String) {
        let request_id = format!("{:08x}", self.fresh_number() >> 32);
        let now = OffsetDateTime::now_utc();
        let trace = format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}-{}-{request_id}",
            now.year(),
            u8::from(now.month()),
            now.day(),
            now.hour(),
            now.minute(),
            now.second(),
            auth_index(dialect)
        );
        (request_id, trace)
    }

    /// A random-looking UUID of version 4.
    pub(crate) fn fresh_uuid(&self) -> String {
        let high = self.fresh_number();
        let low = self.fresh_number();
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0x0fff,
            low >> 48 & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

/// The index under which CPA knows the credential for a provider: 16 hex digits, always the same.
pub(crate) fn auth_index(dialect: Dialect) -> String {
    let name = match dialect {
        Dialect::OpenAi => "openai-compatible-mock",
        Dialect::Codex => "codex",
        Dialect::Claude => "claude",
    };
    let digest = Sha256::digest(name.as_bytes());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The finalizer of splitmix64: a bijection, so numbers stay distinct.
const fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
