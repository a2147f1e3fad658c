use std::path::{Path, PathBuf};

use super::*;
use crate::candidate::CopyPlaces;

fn copy(text: &str) -> String {
    let copy = ApacheCopy {
        listeners: ["0.0.0.0:8003", "127.0.0.1:8004"]
            .map(str::to_owned)
            .to_vec(),
        upstreams: ["127.0.0.1:8317", "unix:/run/usage.sock"]
            .map(str::to_owned)
            .to_vec(),
        includes: vec![(
            "sites-enabled/*.conf".to_owned(),
            "included-1-*.conf".to_owned(),
        )],
        variables: Vec::new(),
    };
    let places = CopyPlaces {
        directory: Path::new("/pri vate"),
    };
    let text = text.replace("\n        ", "\n");
    let copied = private_copy(&text, &copy, places);
    assert_eq!(
        copied.lines().count(),
        text.lines().count(),
        "the lines moved: {copied}"
    );
    copied
}

#[test]
fn the_server_keeps_to_the_private_directory() {
    insta::assert_snapshot!(copy(
        "ServerRoot /etc/apache2
            PidFile ${APACHE_PID_FILE}
            Mutex file:${APACHE_LOCK_DIR} default
            DefaultRuntimeDir /run/apache2
            User ${APACHE_RUN_USER}
            Group www-data
            ErrorLog \"|/usr/bin/rotatelogs /var/log/e 86400\"
            CustomLog syslog:local0 \"%h \\\"%r\\\"\" \\
                env=!quiet
            TransferLog /var/log/t
            LoadModule md_module modules/mod_md.so
            LoadModule proxy_module modules/mod_proxy.so
            <MDomain example.org>
            MDRenewMode always
            </MDomain>
            SSLSessionCache shmcb:/run/cache(512000)
            SSLPassPhraseDialog exec:/usr/share/ask
            SSLCertificateFile /etc/c.pem
            SSLCertificateKeyFile \"/etc/k.pem\"
            SSLCertificateChainFile /etc/chain.pem
            SSLUseStapling On
            CacheRoot /var/cache
            DavLockDB /var/lock/dav
            HostnameLookups Double
            Require not host example.org
            Require ip 10.0.0.0/8
            Allow from example.org 10.0.0.1 env=x
            SecAuditLog /var/log/audit
        "
    ));
}

#[test]
fn only_the_deployments_addresses_are_there() {
    insta::assert_snapshot!(copy(
        "Listen 8003
            Listen 127.0.0.1:8004 http
            Listen 80
            Listen [::]:443 https
            <VirtualHost *:8003 _default_:8004>
            </VirtualHost>
            <VirtualHost *:80 gateway.example.org:443>
            </VirtualHost>
            Include sites-enabled/*.conf
            IncludeOptional /etc/other.conf
            ProxyPass /health unix:/run/usage.sock|http://localhost/
            ProxyPass / http://127.0.0.1:8317/ retry=0
            ProxyPass /x !
            ProxyPass /y http://10.0.0.1/y
            ProxyPassMatch ^/z/(.*)$ \"https://10.0.0.1:8443/$1\"
            BalancerMember ws://10.0.0.1 route=a
            ProxyRemote * http://10.0.0.1:3128
            RewriteRule ^/p/(.*) http://%{HTTP_HOST}/$1 [P,L]
            RewriteRule ^/r/(.*) https://example.org/$1 [R=301,L]
            SetHandler \"proxy:unix:/run/php.sock|fcgi://localhost\"
        "
    ));
}

#[test]
fn what_runs_code_is_refused_at_its_line() {
    for (text, line) in [
        ("\nRewriteMap m prg:/bin/map\n", Some(2)),
        ("ExtFilterDefine f cmd=/bin/sed", Some(1)),
        ("<Perl>\n</Perl>", Some(1)),
        (
            "RewriteMap m txt:/etc/map\nScriptAlias /cgi /usr/lib/cgi\n",
            None,
        ),
    ] {
        let file = UserFile {
            origin: String::new(),
            text: text.to_owned(),
            folder: PathBuf::new(),
        };
        let refused = check(&file, &lines(text, &mut Variables::new())).err();
        let position = refused.and_then(|error| error.position());
        assert_eq!(position.map(|(line, _)| line), line, "{text}");
    }
}
