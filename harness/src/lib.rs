//! Who stages, sends and judges.
