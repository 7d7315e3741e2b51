//! What the pages say, for somebody who knows neither this program nor those who printed them.
use super::{KeyFacts, date, digest};
use crate::custody::share::Share;
use crate::x509::UnixTime;

/// How lines are typed.
pub(super) const LINES: &str = "Each line has its number and five groups of four characters: digits, and letters \
    without I, L, O and U. Capitals and small letters are the same, and spaces do not count. The last group of a line \
    is computed from the others: genfic-key says which character of a line was mistyped, and restore.py, which is \
    printed below, which line it is in.";

/// What the program is.
pub(super) const PROGRAM: &str = "Python 3 runs it, from 3.6 on, with nothing else installed. It is also in the QR codes \
    after it: join their texts in the order of their numbers; the comments at their beginnings do no harm. Use it on \
    a computer that is not connected to any network, and keep nothing of what it prints.";

/// Returns the facts about a key, each with its name.
pub(super) fn facts_of_key(facts: &KeyFacts<'_>) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("file", format!("{}.age, {} octets", facts.name, facts.file.len())),
        ("SHA-256", digest(facts.file)),
        ("opened by", facts.protection.to_owned()),
        ("printed", date(facts.made)),
    ];
    if let Some(set) = facts.shares {
        let (numbers, split) = (set.numbers(), date(set.split_at()));
        rows.insert(
            3,
            (
                "shares",
                format!(
                    "any {} of {}, set {}, made {split}",
                    numbers.threshold(),
                    numbers.count(),
                    set.set()
                ),
            ),
        );
    }
    rows
}

/// Returns the facts about a share.
pub(super) fn facts_of_share(share: &Share, made: UnixTime) -> Vec<(&'static str, String)> {
    let numbers = share.numbers();
    let lock = if share.is_locked() { "yes: the custodian knows it" } else { "no" };
    vec![
        ("share", format!("{} of {}", share.index(), numbers.count())),
        ("needed", format!("{} different shares of this set", numbers.threshold())),
        ("set", share.set()),
        ("passphrase", lock.to_owned()),
        ("printed", date(made)),
    ]
}

/// Returns the paragraphs of a key's page.
pub(super) fn key(facts: &KeyFacts<'_>) -> Vec<String> {
    let name = facts.name;
    let opened = match facts.shares {
        Some(set) => format!(
            "a passphrase that nobody knows: {} custodians have shares of it on pages of their own, and any {} of them \
             restore it with restore.py (typed or scanned into one file, one share after the other)",
            set.numbers().count(),
            set.numbers().threshold()
        ),
        None => format!("{}, which is not on this page", facts.protection),
    };
    vec![
        format!(
            "This is the private key of the certification authority {name}, in a file encrypted by the program age \
             (age-encryption.org/v1). Whoever decrypts it can issue certificates in the name of this authority. What \
             opens it: {opened}."
        ),
        format!(
            "1. Get the file. Scan the QR codes, and save their texts one after the other, in the order of their \
             numbers, as {name}.age, without the lines that begin with # and without empty ones. Or type the lines of text \
             below into a file, with their numbers, and run: python3 restore.py < FILE. It writes key.age. \
             genfic-key reads either too (its command page)."
        ),
        format!(
            "2. Decrypt it on a computer that is not connected to any network: age -d -o key.pem {name}.age (for \
             recipients: age -d -i IDENTITY -o key.pem {name}.age). With rage it is the same. Or put {name}.age into \
             the directory keys/ of genfic-ca, which decrypts it itself."
        ),
        "3. What comes out is PKCS #8 in PEM. To see that it is the right key, compare what these print: openssl pkey \
         -in key.pem -pubout | openssl sha256, and openssl x509 -in CA.pem -noout -pubkey | openssl sha256. Destroy \
         key.pem when the work is done."
            .to_owned(),
    ]
}

/// Returns the paragraphs of a share's page.
pub(super) fn share(key: &str, share: &Share) -> Vec<String> {
    let needed = share.numbers().threshold();
    let lock = if share.is_locked() {
        " This share is itself covered by a passphrase of its custodian, which is asked for then."
    } else {
        ""
    };
    vec![
        format!(
            "This is one of {} parts of a passphrase. The passphrase opens the file {key}.age, which has the private \
             key of the certification authority {key}. Any {needed} parts of the set give the passphrase; fewer tell \
             nothing about it. Keep this page where nobody else has another one. Show it only when the holders of the \
             others come together to use the key.",
            share.numbers().count()
        ),
        format!(
            "With the program genfic-key: genfic-key combine {key}.age asks for the shares, one after the other, and \
             says where one was mistyped.{lock}"
        ),
        format!(
            "Without it: scan the QR code or type the five lines, with their numbers, into a file, for {needed} shares \
             one after the other, and run: python3 restore.py < FILE. It prints the passphrase. Then: age -d -o \
             key.pem {key}.age, and type the passphrase (64 characters). key.pem is the private key, PKCS #8 in PEM: \
             openssl pkey -in key.pem -noout -text shows it. Do this on a computer without a network, and destroy key.pem \
             and the passphrase after use."
        ),
        "The arithmetic, should the program be of no use: the passphrase is 32 octets in hexadecimal digits. For each, \
         the shares are points (x, y) of a polynomial over GF(256), the field with x^8+x^4+x^3+x^2+1, of a degree one \
         less than the shares needed; the octet is its value at 0 (Shamir 1979, Lagrange's interpolation). A line's \
         first 16 characters are 80 bits, five each. The lines together are: kind, shares needed, shares made, x, six \
         octets that name the set, the 32 y, and eight octets of SHA-256."
            .to_owned(),
    ]
}
