//! The panel page that is served where no panel file is given.

use super::answer::HTML;
use crate::wire::http1::Response;

/// The page, without CORS and caching fields, to any method.
pub(super) fn panel() -> Response {
    let mut page = String::from(PAGE);
    // As long as the page built into the recorded program, whose text is its own.
    while page.len() < RECORDED_LENGTH {
        page.push('\n');
    }
    Response::new(200).field("Content-Type", HTML).body(page)
}

const PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<title>CPA-Manager (mock)</title>
</head>
<body>
<h1>CPA-Manager (mock)</h1>
<p>This stands for the management panel of the usage service.</p>
<p>The service itself answers under /status, /setup and /v0/management/.</p>
</body>
</html>
";
const RECORDED_LENGTH: usize = 528;
