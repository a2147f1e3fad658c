//! `bench` of a proxy that is installed.

use crate::load;

pub(crate) fn every_kind_of_load_is_answered() {
    load::every_kind_is_answered_by("nginx-corrected");
}
