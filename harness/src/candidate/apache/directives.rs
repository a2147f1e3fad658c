//! What Apache's directives do besides serving, by their names in lower case.

/// Whether the private copy does without it.
pub(super) fn is_left_out(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '/']);
    LEFT_OUT.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// Whether it loads a module that writes or connects by being there.
pub(super) fn is_left_out_module(name: &str) -> bool {
    MODULES.contains(&name)
}

/// Where it logs to, in the private directory: the file is its first argument.
pub(super) fn log(name: &str) -> Option<&'static str> {
    match name {
        "errorlog" => Some("error.log"),
        "customlog" | "globallog" | "transferlog" => Some("access.log"),
        "forensiclog" => Some("forensic.log"),
        _ => None,
    }
}

/// Whether it runs code of its own, or a program.
pub(super) fn runs_code(name: &str, first: &str, second: &str) -> bool {
    match name {
        "rewritemap" => second.starts_with("prg:"),
        "loadmodule" => CODE_MODULES.contains(&first),
        _ => {
            let name = name.trim_start_matches('<');
            let mut families = CODE_FAMILIES.iter();
            RUNS_CODE.contains(&name) || families.any(|family| name.starts_with(family))
        }
    }
}

/// What is the stage's affair: process and run-time files, which the command line names in the private directory; other
/// certificates, caches of sessions and who vouches for certificates; databases; names of hosts that would be looked up;
/// ways that lead around the destinations. And what writes into the folders that are served.
const LEFT_OUT: [&str; 50] = [
    "acceptmutex",
    "authncachesocache",
    "cachelockpath",
    "cachesocache",
    "chrootdir",
    "cookielog",
    "coredumpdirectory",
    "dav",
    "davgenericlockdb",
    "davlockdb",
    "defaultruntimedir",
    "hostnamelookups",
    "identitycheck",
    "lockfile",
    "mutex",
    "namevirtualhost",
    "pidfile",
    "proxyremote",
    "proxyremotematch",
    "proxyrequests",
    "proxysourceaddress",
    "rewritelock",
    "rewritelog",
    "scoreboardfile",
    "scriptlog",
    "scriptsock",
    "sslcarevocationcheck",
    "sslcarevocationfile",
    "sslcarevocationpath",
    "sslcertificatechainfile",
    "sslcryptodevice",
    "sslmutex",
    "sslocspdefaultresponder",
    "sslocspenable",
    "sslocspoverrideresponder",
    "sslocspproxyurl",
    "sslocsprespondercertificatefile",
    "sslocspresponsemaxage",
    "sslocspresponsetimeskew",
    "sslocspuserequestnonce",
    "sslpassphrasedialog",
    "sslrandomseed",
    "sslsessioncache",
    "sslsessioncachetimeout",
    "sslsessionticketkeyfile",
    "sslsrpverifierfile",
    "sslusestapling",
    "suexecusergroup",
    "assignuserid",
    "wsgisocketprefix",
];

/// Beginnings of names: modules with servers, authorities, logs or programs of their own.
const FAMILIES: [&str; 16] = [
    "authldap",
    "authnzfcgi",
    "dbd",
    "dos",
    "fastcgi",
    "fcgid",
    "heartbeat",
    "jk",
    "ldap",
    "md",
    "modpagespeed",
    "oidc",
    "proxyexpress",
    "sec",
    "sslstapling",
    "suphp",
];

/// Modules that write or connect by being loaded: they keep sockets, states and certificates in the system's folders.
const MODULES: [&str; 9] = [
    "evasive20_module",
    "fastcgi_module",
    "fcgid_module",
    "heartbeat_module",
    "heartmonitor_module",
    "jk_module",
    "md_module",
    "pagespeed_module",
    "security2_module",
];

/// Modules that start programs by being loaded.
const CODE_MODULES: [&str; 2] = ["passenger_module", "perl_module"];

const RUNS_CODE: [&str; 7] = [
    "addexternalauth",
    "addexternalgroup",
    "defineexternalauth",
    "defineexternalgroup",
    "extfilterdefine",
    "wsgidaemonprocess",
    "wsgiimportscript",
];

/// Modules whose configuration is code.
const CODE_FAMILIES: [&str; 3] = ["lua", "passenger", "perl"];
