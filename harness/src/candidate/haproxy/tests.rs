use std::path::{Path, PathBuf};

use super::*;
use crate::candidate::CopyPlaces;

fn copy(text: &str) -> String {
    let copy = HaproxyCopy {
        folder: PathBuf::from("/etc/haproxy"),
        listeners: ["*:8003", "127.0.0.1:8004"].map(str::to_owned).to_vec(),
        upstreams: ["127.0.0.1:8317", "unix@/run/usage.sock"]
            .map(str::to_owned)
            .to_vec(),
    };
    let places = CopyPlaces {
        directory: Path::new("/private"),
    };
    let text = text.replace("\n        ", "\n");
    let copied = private_copy(&text, &copy, places);
    let lines = |text: &str| text.lines().count();
    assert_eq!(
        lines(&copied),
        lines(&text) + 1,
        "the lines moved: {copied}"
    );
    copied
}

#[test]
fn global_says_nothing_about_this_machine() {
    insta::assert_snapshot!(copy(
        "global # all of it
            daemon
            chroot /var/lib/haproxy
            user haproxy
            pidfile /run/haproxy.pid
            stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners
            stats timeout 30s
            log /dev/log local0
            log stdout format raw local0
            default-path config
            server-state-file /var/lib/haproxy/state
            ca-base /etc/ssl/certs
            crt-base /etc/ssl/private
            unix-bind prefix /run/
            maxconn 100
        defaults
            log global
            no log
            option httplog
            errorfile 503 errors/503.http
            load-server-state-from-file global
        "
    ));
}

#[test]
fn listeners_are_the_stages_or_sockets_of_the_private_directory() {
    insta::assert_snapshot!(copy(
        "frontend f
            bind :8003
            bind ipv4@127.0.0.1:8004,*:8000-8005,:80 name crt crt /etc/k.pem
            bind [::]:8003 v4v6 alpn h2,http/1.1 ssl crt-list /etc/list ca-file ca.pem verify optional
            bind quic4@:443,quic6@:443 ssl crt x alpn h3
            bind quic4@:443,:443 ssl crt \"/etc/a b/\" interface eth0
            bind unix@/run/x.sock user www-data mode 666
            bind /run/y.sock
            bind abns@z
            bind fd@${LISTEN}
            bind rhttp@up/s nbconn 2
        log-forward syslog
            dgram-bind :514
            bind :514
            log 10.0.0.1:514 local0
        peers live
            bind :10000
            server me
            server other 10.0.0.2:10000
            peer third 10.0.0.3:10000
        "
    ));
}

#[test]
fn servers_are_the_stages_or_nobody() {
    insta::assert_snapshot!(copy(
        "backend b
            source 10.0.0.9 interface eth1
            option transparent
            default-server inter 3s agent-check agent-port 9 resolvers dns init-addr none
            server addr 127.0.0.1:8317 check port 80 addr 10.0.0.1 cookie addr weight 10
            server b unix@/run/usage.sock check
            server c ipv4@127.0.0.1:8317 socks4 10.0.0.1:1080 send-proxy
            server d example.org:443 ssl verify none sni str(addr) source 10.0.0.9 usesrc clientip
            server e 127.0.0.1:8318 backup
            server-template t 1-3 _http._tcp.example.org:80 check resolvers dns
            tcp-check connect addr 10.0.0.1 port 25 ssl
            http-check connect port 80 via-socks4 sni x
            http-check send meth GET uri /port
            email-alert mailers m
            dispatch 10.0.0.1:80
            use_backend %[path,map_beg(routes.map)] if { src -f lists/ours.lst }
        resolvers dns
            parse-resolv-conf
            nameserver one 10.0.0.53:53
            hold valid 10s
        mailers m
            mailer smtp 10.0.0.1:25
        ring r
            size 32764
            backing-file /var/log/ring
            server log 10.0.0.1:514
        crt-store live
            load crt a.pem alias a
        acme LE
            directory https://acme-v02.api.letsencrypt.org/directory
            account-key /etc/haproxy/account.key
        fcgi-app php
            log-stderr 10.0.0.1:514 local0
            docroot /srv
        "
    ));
}

#[test]
fn what_runs_code_is_refused_at_its_line() {
    let refused = |text: &str| {
        let file = UserFile {
            origin: "haproxy.cfg".to_owned(),
            text: text.to_owned(),
            folder: PathBuf::new(),
        };
        refusal::check(&file, &lines(text)).map_err(|error| error.to_string())
    };
    let told: Vec<String> = [
        "global\n  lua-load x.lua\n",
        "program api\n  command sleep 1\n",
        "global\n  insecure-fork-wanted\n",
        "global\n  setenv LD_PRELOAD /x.so\n",
        "backend b\n  external-check command /bin/true\n",
        "frontend f\n  filter opentracing config x\n",
        "global\n  ssl-engine rdrand\n",
    ]
    .into_iter()
    .map(|text| refused(text).unwrap_err())
    .collect();
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(refused("global\n  setenv A b\n  external-check\n"), Ok(()));
}
