//! The TOML of a manifest.
