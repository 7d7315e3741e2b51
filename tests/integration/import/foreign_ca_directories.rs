//! Directories as the other programs make them, by those programs themselves.
use crate::support::{Home, Said};
use std::fs;

/// What the old keys are protected with.
pub(super) const OLD: &str = "old and short";

/// Where Debian keeps it.
pub(super) const EASY_RSA: &str = "/usr/share/easy-rsa";

const CONFIG: &str = "
[ca]
default_ca = CA_root
[CA_root]
dir = ./genficCA
certificate = $dir/root-genfic.crt
private_key = $dir/private/root-genfic.key
database = $dir/index.txt
new_certs_dir = $dir/newcerts
serial = $dir/serial
crlnumber = $dir/crlnumber
default_md = sha256
default_days = 3650
default_crl_days = 30
policy = any
unique_subject = no
[CA_user]
dir = ./genficUserCA
certificate = $dir/user-genfic.crt
private_key = $dir/private/user-genfic.key
database = $dir/index.txt
new_certs_dir = $dir/newcerts
serial = $dir/serial
crlnumber = $dir/crlnumber
default_md = sha256
default_days = 396
default_crl_days = 30
policy = any
unique_subject = no
[any]
countryName = optional
organizationName = optional
commonName = supplied
emailAddress = optional
[req]
distinguished_name = dn
[dn]
[v3_ca]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always,issuer
basicConstraints = CA:true
";

/// Runs a shell line beside the home.
#[track_caller]
pub(super) fn sh(home: &Home, line: &str) -> Said {
    home.run(&["sh", "-ec", line]).ok()
}

/// Runs `genfic-ca` with the old passphrase at hand.
pub(super) fn ca_with_old(home: &Home, words: &str) -> Said {
    let words: Vec<&str> = words.split(' ').chain(["--key-passphrase-from", "env:OLD"]).collect();
    Said::of(home.command(&words).env("OLD", OLD).output().unwrap())
}

/// The reference chapter's root and user CA, made by its own commands, with what a few years leave behind:
/// `user-1` is valid, 2 to 5 are revoked for several reasons, the file of `user-6` is lost, `user-7` has expired.
pub(super) fn genfic_ca(home: &Home) {
    fs::write(home.path("openssl.cnf"), CONFIG).unwrap();
    let root = "genficCA/private/root-genfic.key";
    let user = "genficUserCA/private/user-genfic.key";
    sh(home, &format!(
        "for d in genficCA genficUserCA; do
           mkdir -p $d/newcerts $d/private $d/crl; touch $d/index.txt; echo 01 >$d/serial; echo 01 >$d/crlnumber
         done
         openssl genrsa -traditional -des3 -passout 'pass:{OLD}' -out {root} 2048
         openssl req -config openssl.cnf -x509 -extensions v3_ca -new -days 7205 -key {root} -passin 'pass:{OLD}' \
           -subj '/C=BE/O=Gentoo Fictional, Inc./CN=GenFic Root CA' -out genficCA/root-genfic.crt
         openssl genrsa -traditional -aes256 -passout 'pass:{OLD}' -out {user} 2048
         openssl req -config openssl.cnf -new -key {user} -passin 'pass:{OLD}' \
           -subj '/C=BE/O=Gentoo Fictional, Inc./CN=GenFic User CA' -out user.csr
         openssl ca -config openssl.cnf -batch -name CA_root -passin 'pass:{OLD}' -days 1095 -extensions v3_ca \
           -out genficUserCA/user-genfic.crt -infiles user.csr
         for i in 1 2 3 4 5 6 7; do
           end=; test $i = 7 && end='-startdate 20200101000000Z -enddate 20210101000000Z'
           openssl req -config openssl.cnf -newkey rsa:2048 -nodes -keyout user-$i.key -subj /C=BE/CN=user-$i -out user-$i.csr
           openssl ca -config openssl.cnf -batch -name CA_user -passin 'pass:{OLD}' $end -out user-$i.crt -infiles user-$i.csr
         done
         rev() {{ openssl ca -config openssl.cnf -name CA_user -passin 'pass:{OLD}' -revoke \"$@\"; }}
         rev user-2.crt
         rev user-3.crt -crl_compromise 20260101120000Z
         rev user-4.crt -crl_hold holdInstructionReject
         rev user-5.crt -crl_reason superseded
         for i in 1 2 3; do
           openssl ca -config openssl.cnf -name CA_user -passin 'pass:{OLD}' -gencrl -out genficUserCA/crl/user-genfic.crl
         done
         rm genficUserCA/newcerts/06.pem"
    ));
}

/// easy-rsa's, as an administrator of a VPN has it: `a` and `b` are revoked, `c` is renewed and its old certificate
/// revoked, `d` and `srv` are valid.
pub(super) fn easy_rsa(home: &Home) {
    sh(
        home,
        &format!(
            "mkdir vpn; cp -r {EASY_RSA}/* vpn; cd vpn
         export EASYRSA_BATCH=1 EASYRSA_PASSIN='pass:{OLD}' EASYRSA_PASSOUT='pass:{OLD}'
         ./easyrsa init-pki
         EASYRSA_REQ_CN='Old VPN CA' ./easyrsa build-ca
         for i in a b c d; do ./easyrsa build-client-full $i nopass; done
         ./easyrsa build-server-full srv nopass
         ./easyrsa revoke a keyCompromise
         ./easyrsa revoke b
         ./easyrsa gen-crl"
        ),
    );
}

/// The serial number of a certificate's file, as this program writes it.
pub(super) fn serial_of(home: &Home, file: &str) -> String {
    let said = home.run(&["openssl", "x509", "-noout", "-serial", "-in", file]).ok();
    said.out.trim().trim_start_matches("serial=").to_lowercase()
}
