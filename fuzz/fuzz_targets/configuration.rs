//! Any bytes are read without panic, printed again as they were, and every error can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxyproof_oracle::conf::{Document, Tree};
use proxyproof_oracle::location::{Request, Site};

fuzz_target!(|text: &[u8]| {
    let (document, errors) = Document::recover(text);
    assert_eq!(document.print(), text);
    if let Some(errors) = errors {
        for error in &errors.errors {
            assert!(!error.render("fuzz", &document).to_string().is_empty());
        }
        return;
    }
    if let Ok(site) = Site::read(&Tree::of("fuzz", document)) {
        site.decide(&Request::get("/a/../b?c"));
    }
});
