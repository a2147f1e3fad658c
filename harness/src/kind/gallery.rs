//! The kinds that this crate has with it.

use std::sync::{Arc, LazyLock};

use super::Kind;

macro_rules! kinds {
    ($($name:literal),+ $(,)?) => {
        /// Their names, in the order of the documentation.
        pub(super) const NAMES: [&str; [$($name),+].len()] = [$($name),+];
        const TEXTS: [&str; NAMES.len()] =
            [$(include_str!(concat!("../../../scenarios/kinds/", $name, ".toml"))),+];
    };
}

kinds![
    "cpa",
    "usage",
    "gateway",
    "litellm",
    "open-webui",
    "ollama",
    "vllm",
    "new-api",
    "sub2api",
    "claude-relay",
    "llama-cpp",
    "socketio",
    "web",
];

/// The kind of this name.
pub(super) fn embedded(name: &str) -> Option<Arc<Kind>> {
    let index = NAMES.iter().position(|known| *known == name)?;
    Some(Arc::clone(&KINDS[index]))
}

static KINDS: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| {
    let read = |(name, text): (&&str, &&str)| {
        let kind = Kind::parse(&format!("kinds/{name}.toml"), text);
        Arc::new(kind.expect("every embedded kind is read by a test of this module's"))
    };
    NAMES.iter().zip(&TEXTS).map(read).collect()
});
