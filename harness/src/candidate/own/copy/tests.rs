use super::*;

#[test]
fn the_private_copy_keeps_its_lines_and_leaves_the_system_alone() {
    let text = "user www-data;\npid /run/nginx.pid;\nerror_log /var/log/e.log warn;\nevents {}\nhttp {\n    include types;\n    access_log /var/log/a.log main;\n    server { listen 8003; access_log off; }\n}\n";
    let copy = private_copy(
        text,
        &OwnCopy {
            is_main: true,
            folder: PathBuf::from("/etc/nginx"),
            listeners: vec!["0.0.0.0:8003".to_owned()],
            ..OwnCopy::default()
        },
    );
    assert_eq!(
        copy,
        "\n\nerror_log error.log warn;\nevents {}\npid nginx.pid; http { client_body_temp_path client_body_temp_path; proxy_temp_path proxy_temp_path; fastcgi_temp_path fastcgi_temp_path; uwsgi_temp_path uwsgi_temp_path; scgi_temp_path scgi_temp_path; \n    include /etc/nginx/types;\n    access_log access.log ;\n    server { listen 0.0.0.0:8003; access_log off; }\n}\n"
    );
}

#[test]
fn a_copy_ends_tls_with_the_stages_certificate() {
    let text = "server {\n  listen [::]:443 ssl http2 ipv6only=on;\n  listen 443 quic;\n  ssl_certificate /etc/a.pem;\n  \
                ssl_certificate_key /etc/k.pem;\n  ssl_dhparam /etc/d.pem;\n  ssl_stapling on;\n  location / { }\n}\n";
    let copy = private_copy(
        text,
        &OwnCopy {
            is_main: true,
            folder: PathBuf::from("/etc/nginx"),
            listeners: vec!["[::]:443".to_owned()],
            ..OwnCopy::default()
        },
    );
    assert_eq!(
        copy,
        "server {\n  listen [::]:443 ssl http2 ;\n  \n  ssl_certificate certificate.pem;\n  ssl_certificate_key certificate.pem;\n  \
         \n  \n  location / { }\n}\n"
    );
}

#[test]
fn a_copy_passes_nothing_on_to_a_socket_of_another_site() {
    let text = "server { location / { proxy_pass http://unix:/run/blog.sock:/x; } }\n\
                server { location / { proxy_pass http://unix:/run/cpa.sock:/x; } }\n";
    let copy = private_copy(
        text,
        &OwnCopy {
            is_main: true,
            unplugged: vec!["http://unix:/run/blog.sock:/x".to_owned()],
            ..OwnCopy::default()
        },
    );
    assert_eq!(
        copy,
        "server { listen unix:listen-nobody.sock; location / { proxy_pass http://unix:nowhere.sock; } }\n\
         server { listen unix:listen-nobody.sock; location / { proxy_pass http://unix:/run/cpa.sock/x; } }\n"
    );
}

#[test]
fn a_copy_passes_nothing_on_to_where_other_sites_do() {
    let text = "upstream blog { server blog:80; }\nserver { location / { proxy_pass https://blog/x; fastcgi_pass a:1; } }\n\
                proxy_cache_path /var/cache/b keys_zone=b:1m;\n";
    let copy = private_copy(
        text,
        &OwnCopy {
            is_main: true,
            unplugged: ["blog:80", "https://blog/x", "a:1"]
                .map(str::to_owned)
                .to_vec(),
            ..OwnCopy::default()
        },
    );
    assert_eq!(
        copy,
        "upstream blog { server unix:nowhere.sock; }\nserver { listen unix:listen-nobody.sock; location / { \
         proxy_pass https://unix:nowhere.sock; fastcgi_pass unix:nowhere.sock; } }\nproxy_cache_path \
         proxy_cache_path--var-cache-b keys_zone=b:1m;\n"
    );
}

#[test]
fn a_copy_reaches_nobody_and_writes_nothing_outside() {
    let text = "worker_processes auto;\nworking_directory /var/tmp;\ngoogle_perftools_profiles /tmp/profile;\n\
                error_log syslog:server=192.0.2.1 warn;\nerror_log memory:32m debug;\nevents {}\n\
                stream {\n  server { listen 443; proxy_pass $name; access_log /var/log/s.log basic; }\n}\n\
                mail { auth_http 192.0.2.1/auth; server { listen 25; protocol smtp; } }\n\
                http {\n  resolver 192.0.2.53 [2001:db8::1]:53 valid=10s;\n  include conf.d/none-*.conf;\n  \
                access_log syslog:server=192.0.2.1:514,tag=x main;\n  proxy_bind 192.0.2.2;\n  \
                server { listen 80 reuseport fastopen=3 default_server; proxy_store /srv/$uri; dav_methods PUT; \
                ssl_ocsp on; location / { proxy_store_access user:rw; } }\n  acme_issuer le { uri https://a; \n }\n\
                otel_exporter { endpoint 192.0.2.1:4317; } modsecurity_rules_file /etc/m.conf; }\n";
    let copy = private_copy(
        text,
        &OwnCopy {
            is_main: true,
            folder: PathBuf::from("/etc/nginx"),
            ..OwnCopy::default()
        },
    );
    assert_eq!(copy.lines().count(), text.lines().count());
    insta::assert_snapshot!(copy);
}

#[test]
fn what_is_put_into_a_block_stays_where_its_first_directive_is_left_out() {
    let own = OwnCopy {
        is_main: true,
        lacking: Lacking {
            directives: BTreeSet::from(["brotli".to_owned()]),
            variables: BTreeSet::from(["country".to_owned()]),
        },
        ..OwnCopy::default()
    };
    let copy = private_copy("http { brotli on; server { brotli on; } }", &own);
    assert!(!copy.contains("brotli"), "{copy}");
    for put_in in [
        "access_log access.log;",
        "proxy_temp_path proxy_temp_path;",
        "map '' $country { default ''; }",
        "listen unix:listen-nobody.sock;",
    ] {
        assert!(copy.contains(put_in), "{put_in}: {copy}");
    }
}

#[test]
fn what_a_fragment_or_a_file_without_events_lacks_is_put_in() {
    let copy = |text: &str, ends_tls: bool| {
        let own = OwnCopy {
            is_main: true,
            ends_tls,
            ..OwnCopy::default()
        };
        private_copy(text, &own)
    };
    let without = copy("http { server { listen 443 ssl; } }", true);
    assert!(without.contains("events { } http"), "{without}");
    assert!(without.contains("ssl_certificate "), "{without}");
    let with = copy(
        "events { use kqueue; } http { ssl_certificate a; server { } }",
        true,
    );
    assert_eq!(with.matches("events").count(), 1, "{with}");
    assert_eq!(with.matches("ssl_certificate ").count(), 1, "{with}");
    assert!(!with.contains("kqueue"), "{with}");
    assert!(!copy("http { server { } }", false).contains("ssl_certificate"));
}
