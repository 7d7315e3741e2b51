//! What the help says of commands beyond their definitions: the groups by task, usage lines that the definitions
//! cannot say, and examples.

/// Commands by task, in the order in which somebody meets them.
pub(super) const GROUPS: &[(&str, &[&str])] = &[
    ("First steps", &["quickstart", "init", "version"]),
    (
        "CAs",
        &[
            "create-root",
            "create-child",
            "adopt",
            "authorities",
            "renew-ca",
            "cross-sign",
            "revoke-ca",
            "retire",
            "key",
            "ceremony",
            "profile",
        ],
    ),
    ("Certificates", &["create-request", "sign", "renew", "rekey", "list", "show", "lint"]),
    ("Revocation", &["revoke", "hold", "release", "crl", "ocsp"]),
    ("Keeping it well", &["status", "calendar", "metrics", "doctor", "audit", "backup", "clock", "config"]),
    ("Other programs", &["import", "export", "completions", "man"]),
];

/// Usage lines of commands in which one argument stands for another.
pub(super) const USAGES: &[(&str, &str)] = &[
    ("create-child", "-p CA NAME"),
    ("sign", "-p CA FILE..."),
    ("renew", "CERT...|--expiring TIME"),
    ("rekey", "CERT...|--expiring TIME"),
    ("revoke", "CERT|--all NAME|--newest NAME|--file LIST"),
    ("hold", "CERT|--all NAME|--newest NAME|--file LIST"),
    ("release", "CERT|--all NAME|--newest NAME|--file LIST"),
    ("lint", "FILE|--rules"),
    ("crl publish", "CA|--due|--all"),
    ("key passphrase", "NAME...|--all"),
    ("key lock", "[NAME|--all]"),
    ("ocsp responder", "CA|--due"),
];

/// Examples by command, a line each.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("quickstart", "genfic-ca quickstart --no-serve"),
    ("init", "genfic-ca init --org Example --country BE --url http://pki.example.org"),
    ("version", "genfic-ca version"),
    ("create-root", "genfic-ca create-root genfic"),
    (
        "create-child",
        "genfic-ca create-child genfic-user -p genfic --profile user-ca\n\
         genfic-ca create-child genfic-system -p genfic --permit example.org",
    ),
    ("adopt", "genfic-ca adopt genfic-user genfic-user.pem --chain partner-root.pem"),
    ("authorities", "genfic-ca authorities --tree"),
    ("renew-ca", "genfic-ca renew-ca genfic-system\ngenfic-ca renew-ca genfic --rekey"),
    ("cross-sign", "genfic-ca cross-sign partner.pem -p genfic --permit partner.example"),
    ("revoke-ca", "genfic-ca revoke-ca genfic-user --reason ca-compromise"),
    ("retire", "genfic-ca retire genfic-oops"),
    ("key list", "genfic-ca key list"),
    ("key move", "genfic-ca key move genfic --to signer\ngenfic-ca key move genfic --to home"),
    ("key import", "genfic-ca key import genfic-user ca.key"),
    (
        "key export",
        "genfic-ca key export genfic-user -o genfic-user.key\n\
         genfic-ca key export genfic --service -o genfic.key",
    ),
    (
        "key envelope",
        "genfic-ca key envelope genfic-system\n\
         genfic-ca key envelope genfic-system --set longest_days=400",
    ),
    ("key export-bundle", "genfic-ca key export-bundle genfic --to /media/a/genfic --to /media/b/genfic"),
    ("key import-bundle", "genfic-ca key import-bundle genfic --from /media/a/genfic"),
    (
        "key passphrase",
        "genfic-ca key passphrase genfic-user\n\
         genfic-ca key passphrase genfic --generate\n\
         genfic-ca key passphrase genfic-system --service",
    ),
    (
        "key unlock",
        "genfic-ca key unlock genfic-user --for 15m\n\
         genfic-ca key unlock genfic --scope ca --count 1\n\
         genfic-ca key unlock \"pkcs11:token=HSM;object=genfic\" --new --profile root-ca",
    ),
    ("key lock", "genfic-ca key lock\ngenfic-ca key lock genfic-user"),
    ("key status", "genfic-ca key status"),
    ("profile list", "genfic-ca profile list"),
    ("profile show", "genfic-ca profile show system"),
    ("profile check", "genfic-ca profile check mail.toml"),
    ("create-request", "genfic-ca create-request www.example.org --sign -p genfic-system"),
    (
        "sign",
        "genfic-ca sign www.req -p genfic-system --chain -o www.pem\n\
         genfic-ca sign requests/a.req requests/b.req -p genfic-user -o certificates",
    ),
    (
        "renew",
        "genfic-ca renew www.example.org --chain -o www.pem --hook 'nginx -s reload'\n\
         genfic-ca renew --expiring 30d -p genfic-system --dir new",
    ),
    ("rekey", "genfic-ca rekey www.example.org --dir new"),
    ("list", "genfic-ca list --status valid\ngenfic-ca list --expiring 30d -p genfic-system"),
    ("show", "genfic-ca show www.example.org\ngenfic-ca show genfic-system --pem"),
    ("lint", "genfic-ca lint www.pem --issuer genfic-system.pem"),
    (
        "revoke",
        "genfic-ca revoke www.example.org --reason key-compromise\n\
         genfic-ca revoke --file gone.txt --reason cessation-of-operation",
    ),
    ("hold", "genfic-ca hold bea@example.org"),
    ("release", "genfic-ca release bea@example.org"),
    (
        "ceremony request",
        "genfic-ca ceremony request genfic -o request.toml\n\
         genfic-ca ceremony request genfic --renew genfic-user -o request.toml",
    ),
    ("ceremony sign", "genfic-ca ceremony sign request.toml --keys /media/a/genfic -o answer.toml"),
    ("ceremony import", "genfic-ca ceremony import answer.toml"),
    ("crl publish", "genfic-ca crl publish genfic-system\ngenfic-ca crl publish --due --to /srv/www/pki"),
    ("crl show", "genfic-ca crl show genfic-system"),
    ("crl check", "genfic-ca crl check http://pki.example.org/genfic-system.crl"),
    ("crl import", "genfic-ca crl import genfic /media/exchange/genfic.crl"),
    ("ocsp responder", "genfic-ca ocsp responder --due"),
    ("ocsp query", "genfic-ca ocsp query www.example.org"),
    ("ocsp sync", "genfic-ca ocsp sync"),
    ("ocsp presign", "genfic-ca ocsp presign -o /srv/ocsp/answers"),
    ("ocsp disable", "genfic-ca ocsp disable genfic-user"),
    ("ocsp enable", "genfic-ca ocsp enable genfic-user"),
    ("status", "genfic-ca status"),
    ("calendar", "genfic-ca calendar --ics calendar.ics\ngenfic-ca calendar --leaves --svg calendar.svg"),
    ("metrics", "genfic-ca metrics -o /var/lib/prometheus/node-exporter/genfic-ca.prom"),
    ("doctor", "genfic-ca doctor --fix"),
    (
        "audit show",
        "genfic-ca audit show --last 20\ngenfic-ca audit show --since 30d --action revoke --who alice",
    ),
    ("audit verify", "genfic-ca audit verify"),
    (
        "backup create",
        "genfic-ca backup create /mnt/backup --with-keys\n\
         genfic-ca backup create --signer /mnt/backup",
    ),
    ("backup verify", "genfic-ca backup verify genfic.age"),
    ("backup restore", "genfic-ca backup restore genfic.age --home restored --published public"),
    ("backup accept", "genfic-ca backup accept\ngenfic-ca backup accept --signer"),
    ("clock status", "genfic-ca clock status"),
    ("clock accept", "genfic-ca clock accept"),
    ("config check", "genfic-ca config check --daemon"),
    ("import openssl", "genfic-ca import openssl /etc/ssl/demoCA --as old --dry-run"),
    ("import easy-rsa", "genfic-ca import easy-rsa /etc/easy-rsa/pki --as vpn"),
    ("export index-txt", "genfic-ca export index-txt genfic-system -o index.txt"),
    ("export bundle", "genfic-ca export bundle --format pkcs7 -o roots.p7b"),
    ("export truststore", "genfic-ca export truststore -o roots.p12"),
    ("export hashed-dir", "genfic-ca export hashed-dir /etc/ssl/genfic"),
    ("export p12", "genfic-ca export p12 bea@example.org --key bea.key -o bea.p12"),
    ("export snippet", "genfic-ca export snippet nginx www.example.org -o www.conf"),
    ("completions", "genfic-ca completions bash"),
    ("man", "genfic-ca man pages"),
];
