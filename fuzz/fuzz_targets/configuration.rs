//! Any bytes are read without panic, printed again as they were, and every error can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proxyproof_oracle::conf::{Document, Tree};
use proxyproof_oracle::edit::SiteEdits;
use proxyproof_oracle::location::{Arrival, Request, Site};
use proxyproof_oracle::setting::Scope;
use proxyproof_oracle::unread::unread;

fuzz_target!(|text: &[u8]| {
    let (document, errors) = Document::recover(text);
    assert_eq!(document.print(), text);
    if let Some(errors) = errors {
        for error in &errors.errors {
            assert!(!error.render("fuzz", &document).to_string().is_empty());
        }
        return;
    }
    let tree = Tree::of("fuzz", document);
    unread(&tree);
    let Ok(site) = Site::read(&tree) else {
        return;
    };
    let request = Request::get("/a/../b?c");
    site.decide(&request);
    site.listeners(request.version);
    for (server, (id, _)) in site
        .servers
        .iter()
        .take(3)
        .enumerate()
        .flat_map(|(server, known)| {
            known
                .table
                .locations()
                .take(3)
                .map(move |location| (server, location))
        })
    {
        let scope = Scope::location(server, id);
        site.effective(scope, "proxy_set_header");
        let upstreams: Vec<String> = site
            .destinations(scope)
            .found
            .into_iter()
            .map(|one| one.upstream)
            .collect();
        let upstreams: Vec<&str> = upstreams.iter().map(String::as_str).collect();
        let arrival = Arrival {
            server,
            upstreams: &upstreams,
            target: b"/v1/models",
        };
        site.request_for(arrival, &request);
        let mut edits = SiteEdits::new(&tree, &site);
        if edits.add_field(scope, "X-A", b"a b").is_ok() {
            edits.apply();
        }
    }
});
