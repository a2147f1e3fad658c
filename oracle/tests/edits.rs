//! Changes in terms of the model: what they write, and that the rest of the file stays as it is.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use proptest::prop_assert_eq;
use proxyproof_oracle::conf::Sources;
use proxyproof_oracle::edit::{EditError, SiteEdits};
use proxyproof_oracle::location::{LocationId, NginxVersion};
use proxyproof_oracle::routes::Config;
use proxyproof_oracle::setting::Scope;

fn config(text: &str) -> Config {
    Config::read("nginx.conf", text, &mut Sources::new()).unwrap()
}

fn location(config: &Config, number: usize) -> Scope {
    let ids: Vec<LocationId> = config.site.servers[0]
        .table
        .locations()
        .map(|(id, _)| id)
        .collect();
    Scope::location(0, ids[number])
}

/// The text after a change to its first location.
fn edited(
    text: &str,
    change: impl Fn(&mut SiteEdits<'_>, Scope) -> Result<(), EditError>,
) -> String {
    let config = config(text);
    let mut edits = SiteEdits::new(&config.tree, &config.site);
    change(&mut edits, location(&config, 0)).unwrap();
    let files = edits.apply();
    assert_eq!(files.len(), 1);
    String::from_utf8(files[0].text.clone()).unwrap()
}

const SITE: &str = "server {
  listen 80;
  proxy_set_header Host $host;   # the client's
  proxy_set_header X-Real-IP $remote_addr;

  location / {
    proxy_read_timeout  5s;  # short
    proxy_pass http://a;  # there
    location /b { }
  }
}
";

#[test]
fn a_value_is_replaced_where_it_stands() {
    let text = edited(SITE, |edits, scope| {
        edits.set(scope, "proxy_read_timeout", &[b"1h"]).map(|_| ())
    });
    assert_eq!(text, SITE.replace("5s;", "1h;"));
}

#[test]
fn a_new_directive_stands_after_the_simple_ones() {
    let text = edited(SITE, |edits, scope| {
        edits.set(scope, "proxy_buffering", &[b"off"]).map(|_| ())
    });
    assert_eq!(
        text,
        SITE.replace("# there\n", "# there\n    proxy_buffering off;\n")
    );
    let text = edited(SITE, |edits, _| {
        edits
            .set(Scope::server(0), "client_max_body_size", &[b"50m"])
            .map(|_| ())
    });
    assert_eq!(
        text,
        SITE.replace(
            "$remote_addr;\n",
            "$remote_addr;\n  client_max_body_size 50m;\n"
        )
    );
}

#[test]
fn a_directive_goes_with_its_line() {
    let text = edited(SITE, |edits, scope| {
        edits.remove(scope, "proxy_pass")?;
        edits.remove(scope, "proxy_read_timeout").map(|_| ())
    });
    assert_eq!(
        text,
        SITE.replace("proxy_read_timeout  5s;", "")
            .replace("proxy_pass http://a;", "")
    );
}

#[test]
fn the_first_field_of_a_block_brings_the_others_with_it() {
    let text = edited(SITE, |edits, scope| {
        edits
            .add_field(scope, "x-real-ip", b"$proxy_protocol_addr")
            .map(|_| ())
    });
    let lines = "# there\n    proxy_set_header Host $host;\n    proxy_set_header x-real-ip $proxy_protocol_addr;\n";
    assert_eq!(text, SITE.replace("# there\n", lines));
    let fields = |text: &str| {
        let config = config(text);
        config
            .site
            .proxied_fields(location(&config, 0), NginxVersion::V1_31_3)
            .len()
    };
    assert_eq!((fields(SITE), fields(&text)), (2, 2));
}

#[test]
fn a_further_field_stands_after_the_last() {
    let own = SITE.replace(
        "proxy_read_timeout  5s;  # short",
        "proxy_set_header A a;\n    proxy_set_header B b;",
    );
    let add = |name: &'static str| {
        edited(&own, move |edits, scope| {
            edits.add_field(scope, name, b"x y").map(|_| ())
        })
    };
    assert_eq!(
        add("C"),
        own.replace("B b;", "B b;\n    proxy_set_header C \"x y\";")
    );
    assert_eq!(add("a"), own.replace("A a;", "a \"x y\";"));
}

#[test]
fn what_shares_a_list_is_copied_in_its_order() {
    let text = edited(
        "server { deny 10.0.0.1; allow 10.0.0.0/8; deny all;\nlocation / {\n}\n}",
        |edits, scope| {
            edits
                .add_to_list(scope, "allow", &[b"127.0.0.1"])
                .map(|_| ())
        },
    );
    assert!(
        text.contains("deny 10.0.0.1;\n    allow 10.0.0.0/8;\n    deny all;\n    allow 127.0.0.1;"),
        "{text}"
    );
}

#[test]
fn of_two_values_the_later_is_written() {
    let text = edited(SITE, |edits, scope| {
        edits
            .set(scope, "proxy_buffering", &[b"on"])?
            .set(scope, "proxy_buffering", &[b"off"])?;
        edits
            .set(scope, "gzip", &[b"on"])?
            .remove(scope, "gzip")
            .map(|_| ())
    });
    assert_eq!(
        text,
        SITE.replace("# there\n", "# there\n    proxy_buffering off;\n")
    );
}

#[test]
fn a_block_on_one_line_stays_on_it() {
    let one = "server { location / { proxy_pass http://a; } location /e { } }";
    let text = edited(one, |edits, scope| {
        edits.set(scope, "proxy_buffering", &[b"off"]).map(|_| ())
    });
    assert_eq!(
        text,
        one.replace("http://a;", "http://a; proxy_buffering off;")
    );
    let config = config(&text);
    assert!(
        config
            .site
            .effective(location(&config, 0), "proxy_buffering")
            .is_set()
    );
}

#[test]
fn an_empty_block_is_opened() {
    let empty = "server {\n\tlocation / {}\n}\n";
    let text = edited(empty, |edits, scope| {
        edits.set(scope, "return", &[b"200", b"a b"]).map(|_| ())
    });
    assert_eq!(
        text,
        "server {\n\tlocation / {\n\t\treturn 200 \"a b\";\n\t}\n}\n"
    );
}

#[test]
fn line_ends_stay_as_they_are() {
    let text = edited(&SITE.replace('\n', "\r\n"), |edits, scope| {
        edits.set(scope, "proxy_buffering", &[b"off"]).map(|_| ())
    });
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert!(text.contains("# there\r\n    proxy_buffering off;\r\n"));
}

#[test]
fn a_map_stands_before_the_servers_once() {
    let add = |text: &str| {
        edited(text, |edits, _| {
            edits.add_map(
                "$http_upgrade",
                "$connection_upgrade",
                &[("default", "upgrade"), ("", "")],
            )?;
            Ok(())
        })
    };
    let map = "map $http_upgrade $connection_upgrade {\n  default upgrade;\n  \"\" \"\";\n}\n";
    assert_eq!(add(SITE), format!("{map}{SITE}"));
    let whole = "events { }\nhttp {\n    server {\n        location / { }\n    }\n}\n";
    let map = "    map $http_upgrade $connection_upgrade {\n        default upgrade;\n        \"\" \"\";\n    }\n";
    assert_eq!(
        add(whole),
        whole.replace("    server", &format!("{map}    server"))
    );
    let config = config(&add(SITE));
    let mut again = SiteEdits::new(&config.tree, &config.site);
    again
        .add_map("$http_upgrade", "$Connection_Upgrade", &[])
        .unwrap();
    assert!(again.apply().is_empty());
}

#[test]
fn a_group_and_its_servers_take_parameters() {
    let text = "upstream g {\n    server 10.0.0.1:1 max_fails=3 backup;\n}\nserver { location / { proxy_pass http://g; } }\n";
    let config = config(text);
    let mut edits = SiteEdits::new(&config.tree, &config.site);
    let place = config.site.upstreams[0].servers[0].place;
    edits.add_parameter(place, "max_fails=0").unwrap();
    edits.add_parameter(place, "weight=2").unwrap();
    edits.set_in_upstream(0, "keepalive", &[b"16"]).unwrap();
    let files = edits.apply();
    assert_eq!(
        String::from_utf8_lossy(&files[0].text),
        text.replace(
            "max_fails=3 backup;",
            "max_fails=0 backup weight=2;\n    keepalive 16;"
        )
    );
    assert!(edits.set_in_upstream(1, "keepalive", &[b"1"]).is_err());
}

#[test]
fn an_included_file_is_changed_itself() {
    let mut files = Sources::new().file("site.conf", "server {\n    location / {\n    }\n}\n");
    let config = Config::read("nginx.conf", "http { include site.conf; }", &mut files).unwrap();
    let mut edits = SiteEdits::new(&config.tree, &config.site);
    edits
        .set(location(&config, 0), "proxy_buffering", &[b"off"])
        .unwrap();
    edits.add_map("$a", "$b", &[("default", "c")]).unwrap();
    let files = edits.apply();
    let names: Vec<_> = files.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["nginx.conf", "site.conf"]);
    assert!(
        files[0]
            .text
            .starts_with(b"http { include site.conf; map $a $b {")
    );
    assert_eq!(
        files[1].text,
        b"server {\n    location / {\n        proxy_buffering off;\n    }\n}\n"
    );
}

/// Directives of a block, with the layout of files that people write.
fn block() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("proxy_set_header X-A a;"),
        Just("proxy_set_header  X-B  'b c' ;"),
        Just("proxy_read_timeout 5s;"),
        Just("proxy_buffering off;"),
        Just("if ($arg_x) { set $y 1; }"),
    ];
    let after = prop_oneof![
        Just(" "),
        Just("\n"),
        Just(" # why {\n"),
        Just("\n\n\t"),
        Just("\r\n  ")
    ];
    vec((line, after), 0..5).prop_map(|lines| {
        let mut seen = Vec::new();
        let mut text = String::new();
        for (line, after) in lines {
            let name = line.split(' ').next().unwrap();
            if name == "proxy_set_header" || name == "if" || !seen.contains(&name) {
                seen.push(name);
                text.push_str(line);
                text.push_str(after);
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn what_is_set_is_in_force_and_nothing_else_changes(
        (http, server, outer, inner) in (block(), block(), block(), block()),
        which in 0_usize..2,
        open in prop_oneof![Just(" "), Just("\n    ")],
    ) {
        // An `if` may stand nowhere but in servers and locations.
        let http = http.replace("if ($arg_x) { set $y 1; }", "");
        let text = format!("{http}\nserver {{{open}{server}location / {{{open}{outer}location /in/ {{{open}{inner}}} }} }}\n");
        let before = config(&text);
        let scope = location(&before, which);
        let mut edits = SiteEdits::new(&before.tree, &before.site);
        edits.set(scope, "proxy_read_timeout", &[b"77s"]).unwrap();
        edits.add_field(scope, "x-b", b"n e w").unwrap();
        edits.add_field(scope, "X-New", b"").unwrap();
        let after = String::from_utf8(edits.apply()[0].text.clone()).unwrap();
        let after = config(&after);
        let version = NginxVersion::V1_22_1;
        let timeout = after.site.effective(scope, "proxy_read_timeout");
        prop_assert_eq!(timeout.text(version), Some("77s".to_owned()));
        let fields = |config: &Config| {
            let fields = config.site.proxied_fields(scope, version).into_iter();
            let mut fields: Vec<_> = fields
                .map(|field| (field.name.to_ascii_lowercase(), field.value))
                .filter(|(name, _)| !["x-b", "x-new"].contains(&&**name))
                .collect();
            fields.sort();
            fields
        };
        prop_assert_eq!(fields(&before), fields(&after));
        let value = |name: &str| {
            let fields = after.site.proxied_fields(scope, version);
            fields.into_iter().filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value).next()
        };
        prop_assert_eq!(value("x-b"), Some(b"n e w".to_vec()));
        prop_assert_eq!(value("x-new"), Some(Vec::new()));
        let buffering = |config: &Config| config.site.effective(scope, "proxy_buffering").text(version);
        prop_assert_eq!(buffering(&before), buffering(&after));
    }
}
