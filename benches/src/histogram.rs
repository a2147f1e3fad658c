//! Histograms as text: HdrHistogram V2, deflated, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize as _, de};

/// A text that holds no histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a histogram is no HdrHistogram of version 2")]
pub struct NoHistogram;

pub(crate) fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a vector takes every byte");
    STANDARD.encode(bytes)
}

pub(crate) fn decoded(text: &str) -> Result<Histogram<u64>, NoHistogram> {
    let bytes = STANDARD.decode(text).map_err(|_| NoHistogram)?;
    Deserializer::new()
        .deserialize(&mut &bytes[..])
        .map_err(|_| NoHistogram)
}

/// For serde.
pub(crate) fn serialize<S: serde::Serializer>(
    histogram: &Histogram<u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encoded(histogram))
}

/// For serde.
pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Histogram<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    decoded(&text).map_err(de::Error::custom)
}
