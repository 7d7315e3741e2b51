//! Everything that can be wrong with a home, done to one.

/// What makes a finding go away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mended {
    /// `doctor --fix`, and the remedy too.
    Fix,
    /// The remedy that is printed.
    Remedy,
    /// A person who does something of this kind.
    Hand(&'static str),
}
use Mended::{Fix, Hand, Remedy};

/// Lines for a shell beside the home; the finding's code; what mends it.
pub(crate) type Damage = (&'static str, &'static str, Mended);

/// Turns the certificate of a.genfic.example back into one that is about to be signed.
const PENDING: &str = r#"python3 - <<'END'
import sqlite3
db = sqlite3.connect('home/index.db')
number, der = db.execute("select c.number, c.der from certificate c join name n on n.certificate = c.number where n.value = 'a.genfic.example'").fetchone()
length = int.from_bytes(der[6:8], 'big') + 4
db.execute('update certificate set tbs = ?, der = null, fingerprint = null where number = ?', (der[4:4 + length], number))
db.execute('update status set state = 0 where certificate = ?', (number,))
db.commit()
END"#;
pub(crate) const HOME: &[Damage] = &[
    ("chmod 644 home/keys/genfic.age", "home.mode", Fix),
    ("chmod 666 home/index.db", "home.mode", Fix),
    ("chmod 500 home/keys", "home.shut", Fix),
    ("chmod 700 home/status", "home.shut", Fix),
    ("chmod 600 home/ocsp/genfic-system/responder.key", "home.shut", Fix),
    ("mv home/public/genfic.crl x; mkfifo home/public/genfic.crl", "home.kind", Remedy),
    ("rm home/keys/genfic.mark; mkfifo -m 600 home/keys/genfic.mark", "home.kind", Remedy),
    ("mv home/status/manifest.json x; mkfifo home/status/manifest.json", "home.kind", Remedy),
    ("mv home/keys/genfic.age x; ln -s ../../x home/keys/genfic.age", "home.kind", Remedy),
    ("mv home/index.db x; mkfifo home/index.db", "home.kind", Remedy),
    ("rm -r home/issued/genfic-system", "home.directory-missing", Fix),
    ("rm -r home/public", "home.directory-missing", Fix),
    ("rm -r home/status", "home.directory-missing", Fix),
    ("touch home/public/.new-abc", "home.leftover", Fix),
    ("mkdir home/issued/.new-abc", "home.leftover", Fix),
    ("mkdir -m 700 home/.backup-abc; cp home/index.db home/.backup-abc", "home.leftover", Fix),
    ("mkdir -m 700 .home.restoring-abc; cp home/index.db .home.restoring-abc", "home.leftover", Fix),
    ("rm home/reserve", "space.reserve", Fix),
    ("truncate -s 1M home/reserve", "space.reserve", Fix),
    ("truncate -s 0 home/reserve; truncate -s 8M home/reserve", "space.reserve", Fix),
    ("rm home/reserve; mkfifo home/reserve", "home.kind", Remedy),
    ("chmod 777 .", "home.parent", Remedy),
];

/// What only root can do to a home of its own.
pub(crate) const OWNERS: &[Damage] = &[
    ("chown 12345 home/keys/genfic.age", "home.owner", Hand("chown $(id -u) home/keys/genfic.age")),
    ("chown 12345 home", "home.wrong-user", Hand("chown $(id -u) home")),
    ("chgrp 12345 home/ocsp/genfic-system/responder.key", "home.group", Remedy),
];

pub(crate) const POLICY: &[Damage] = &[
    (
        "rm home/genfic-ca.toml",
        "config.missing",
        Hand("genfic-ca init --org Genfic --country DE --url http://pki.genfic.example"),
    ),
    (
        "echo 'nonsense = 1' >> home/genfic-ca.toml",
        "config.invalid",
        Hand("sed -i '/^nonsense/d' home/genfic-ca.toml"),
    ),
    (
        "mv home/genfic-ca.toml x; mkfifo home/genfic-ca.toml",
        "config.invalid",
        Hand("mv x home/genfic-ca.toml"),
    ),
    (
        "sed -i 's/^url/# url/' home/genfic-ca.toml",
        "config.no-url",
        Hand("sed -i 's/^# url/url/' home/genfic-ca.toml"),
    ),
    ("rm home/policy/system-ca.toml", "policy.profile-missing", Hand("genfic-ca init")),
    ("rm home/policy/ocsp-responder.toml", "policy.profile-missing", Hand("genfic-ca init")),
    ("rm home/policy/sub-ca.toml", "policy.invalid", Hand("genfic-ca init")),
    (
        "echo 'nonsense = 1' >> home/policy/user.toml",
        "policy.invalid",
        Hand("sed -i '/^nonsense/d' home/policy/user.toml"),
    ),
];

pub(crate) const INDEX: &[Damage] = &[
    ("mv home/index.db x", "index.missing", Hand("mv x home/index.db")),
    ("cp home/index.db x; seq 9999 > home/index.db", "index.damaged", Hand("cp x home/index.db")),
    (
        "cp home/index.db x; sqlite3 home/index.db 'pragma user_version = 99'",
        "index.schema",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x
         page=$(sqlite3 home/index.db \"select rootpage from sqlite_schema where name = 'certificate_key'\")
         size=$(sqlite3 home/index.db 'pragma page_size')
         dd if=/dev/zero of=home/index.db bs=$size seek=$((page - 1)) count=1 conv=notrunc 2>/dev/null",
        "index.storage",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db 'pragma foreign_keys = 0; delete from status where state = 1 and certificate = 4'",
        "index.reference",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db \"delete from name where value = 'a.genfic.example'\"",
        "index.record",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db 'update certificate set not_after = not_after + 1 where number = 4'",
        "index.record",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db \"update certificate set der = cast(substr(der, 1, length(der) - 1) || x'00' as blob) where number = 4\"",
        "index.signature",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db \"update audit set event = cast(replace(cast(event as text), 'genfic', 'gonfic') as blob) where sequence = 2\"",
        "audit.broken",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (
        "cp home/index.db x; sqlite3 home/index.db 'delete from audit where sequence > 5'",
        "audit.broken",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    (PENDING, "index.pending", Fix),
    (
        "cp home/index.db x; sqlite3 home/index.db 'update head set newest = 9000000000'",
        "clock.behind",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    ("touch -d '+ 2 days' home/public/genfic.pem", "clock.files", Hand("touch home/public/genfic.pem")),
];

pub(crate) const FILES: &[Damage] = &[
    ("mv home/keys/genfic-system.age x", "key.missing", Hand("mv x home/keys/genfic-system.age")),
    (
        "cp home/keys/genfic.age x; echo nonsense > home/keys/genfic.age",
        "key.unusable",
        Hand("cp x home/keys/genfic.age"),
    ),
    (
        "cp home/keys/genfic-user.age x; cp home/keys/genfic.age home/keys/genfic-user.age",
        "key.of-another",
        Hand("cp x home/keys/genfic-user.age"),
    ),
    ("echo nonsense > home/public/genfic.pem", "public.differs", Fix),
    ("rm home/public/genfic-user.chain.pem", "public.differs", Fix),
    ("rm home/issued/genfic-system/*.pem", "issued.missing", Fix),
    (
        "cp home/public/genfic.pem home/issued/genfic-system/$(ls home/issued/genfic-system | head -1)",
        "issued.differs",
        Fix,
    ),
    (
        "sqlite3 home/index.db '.backup kept.db'
         genfic-ca create-request late.genfic.example --sign -p genfic-system
         sqlite3 home/index.db '.backup later.db'; rm -f home/index.db-*; cp kept.db home/index.db",
        "issued.unrecorded",
        Hand("rm -f home/index.db-*; cp later.db home/index.db"),
    ),
    (
        "sqlite3 home/index.db '.backup kept.db'
         genfic-ca ocsp responder genfic-system
         sqlite3 home/index.db '.backup later.db'; rm -f home/index.db-*; cp kept.db home/index.db",
        "responder.unrecorded",
        Hand("rm -f home/index.db-*; cp later.db home/index.db"),
    ),
    ("rm home/ocsp/genfic-system/responder.*", "responder.missing", Fix),
    ("cp home/ocsp/genfic-user/responder.pem home/ocsp/genfic-system/", "responder.unusable", Fix),
    (
        "genfic-ca --json list --profile ocsp-responder -p genfic-system > list
         genfic-ca revoke serial:$(sed 's/.*\"serial\":\"\\([0-9a-f]*\\)\".*/\\1/' list) --no-crl",
        "responder.revoked",
        Fix,
    ),
];

pub(crate) const PUBLISHED: &[Damage] = &[
    ("rm home/public/genfic.crl home/public/genfic.crl.pem", "crl.missing", Fix),
    ("echo nonsense > home/public/genfic.crl", "crl.unreadable", Remedy),
    ("cp home/public/genfic-user.crl home/public/genfic-system.crl", "crl.signature", Fix),
    (
        "cp home/public/genfic.crl x; genfic-ca crl publish genfic; cp x home/public/genfic.crl",
        "crl.number-behind",
        Fix,
    ),
    ("sqlite3 home/index.db 'update crl set published = 0'", "crl.number-ahead", Fix),
    ("rm home/keys/genfic.mark", "crl.high-water", Fix),
    ("echo 70 > home/keys/genfic.mark", "crl.note-ahead", Hand("echo 1 > home/keys/genfic.mark")),
    ("echo hello > home/keys/genfic.mark", "crl.note-unreadable", Remedy),
    ("echo hello > home/keys/genfic.mark; rm home/public/genfic.crl", "crl.note-unreadable", Remedy),
    (
        "cp -p home/keys/genfic.mark home/keys/genfic.crlnumber; echo hello > home/keys/genfic.crlnumber",
        "crl.note-unreadable",
        Remedy,
    ),
    (
        "cp -p home/keys/genfic.mark home/keys/genfic.crlnumber; echo 9223372036854775806 > home/keys/genfic.crlnumber",
        "crl.note-too-large",
        Remedy,
    ),
    ("echo 18446744073709551615 > home/keys/genfic.mark", "crl.note-too-large", Remedy),
    ("echo 9223372036854775806 > home/keys/genfic.mark", "crl.note-too-large", Remedy),
    (
        "echo 9223372036854775806 > home/keys/genfic.mark; rm home/public/genfic.crl",
        "crl.note-too-large",
        Remedy,
    ),
    ("rm home/public/genfic.crl.pem", "crl.pem-differs", Fix),
    ("genfic-ca revoke a.genfic.example --no-crl", "crl.lacks-revocation", Fix),
    ("genfic-ca hold a.genfic.example; genfic-ca release a.genfic.example --no-crl", "crl.owed", Fix),
    (
        "sqlite3 home/index.db '.backup older.db'
         genfic-ca revoke a.genfic.example
         sqlite3 home/index.db '.backup later.db'; rm -f home/index.db-*; cp older.db home/index.db",
        "crl.extra-entry",
        Hand("rm -f home/index.db-*; cp later.db home/index.db"),
    ),
    (
        "sqlite3 home/index.db 'update status set state = 1, revoked_at = null, reason = null where state = 2'",
        "index.contradicts-crl",
        Fix,
    ),
    ("sqlite3 home/index.db 'delete from status where state = 2'", "index.contradicts-crl", Fix),
    ("sqlite3 home/index.db 'update status set closed = 1 where state = 2'", "index.contradicts-crl", Fix),
    (
        "genfic-ca revoke a.genfic.example --no-crl; sqlite3 home/index.db '.backup x'
         sqlite3 home/index.db 'update status set state = 1, revoked_at = null, reason = null where state = 2'",
        "status.lost-revocation",
        Hand("rm -f home/index.db-*; cp x home/index.db"),
    ),
    ("rm home/status/manifest.json", "status.missing", Fix),
    ("echo nonsense > home/status/manifest.json", "status.damaged", Fix),
    ("for file in home/status/base-*; do echo >> $file; done", "status.damaged", Fix),
    ("rm home/status/base-*", "status.damaged", Fix),
    (
        "cp -a home/status x; genfic-ca hold a.genfic.example; rm -r home/status; mv x home/status",
        "status.stale",
        Fix,
    ),
    (
        "sqlite3 home/index.db \"update status set state = 2, revoked_at = 5, reason = 1 where certificate = 4\"",
        "status.differs",
        Fix,
    ),
    ("sed -i 's/\"time\": \"20../\"time\": \"2006/' home/status/manifest.json", "status.old", Fix),
    ("sed -i 's/\"time\": \"20../\"time\": \"2096/' home/status/manifest.json", "status.future", Fix),
    (
        "sqlite3 home/index.db '.backup kept.db'
         genfic-ca hold a.genfic.example
         sqlite3 home/index.db '.backup later.db'; rm -f home/index.db-*; cp kept.db home/index.db",
        "index.restored",
        Hand("rm -f home/index.db-*; cp later.db home/index.db"),
    ),
];

pub(crate) const AUTHORITIES: &[Damage] = &[
    (
        "genfic-ca create-child soon-system -p genfic --profile system-ca -v 200",
        "authority.ends-soon",
        Remedy,
    ),
    (
        "genfic-ca create-child short-system -p genfic --profile system-ca -v 380",
        "authority.short-leaves",
        Remedy,
    ),
    (
        "genfic-ca create-child one-system -p genfic --profile system-ca -v 3000
         genfic-ca create-child two-system -p genfic --profile system-ca -v 3000",
        "stagger.siblings",
        Remedy,
    ),
    (
        "genfic-ca --yes revoke serial:$(openssl x509 -in home/public/genfic.pem -noout -serial | cut -d= -f2) -p genfic",
        "authority.issuer-revoked",
        Remedy,
    ),
];
