//! What a dry run tells, and what is no file or no number of ours.
use super::foreign_ca_directories::{OLD, ca_with_old, sh};
use crate::support::{Home, Said};

fn encrypted_ca(home: &Home) {
    sh(home, &format!(
        "mkdir -p ca/private; touch ca/index.txt
        openssl req -x509 -newkey rsa:2048 -keyout ca/private/cakey.pem -passout 'pass:{OLD}' -subj /CN=ca -days 900 \\
          -out ca/cacert.pem"
    ));
}

#[test]
fn a_dry_run_opens_the_key_when_it_can_and_ends_as_the_import_would() {
    let home = Home::new();
    encrypted_ca(&home);
    sh(&home, "printf wrong >wrong; chmod 600 wrong; openssl genrsa -out other.pem 2048");
    let dry = ["import", "openssl", "ca", "--as", "old", "--dry-run"];
    let real = &dry[..5];
    for (more, exit, code) in [
        (["--key-passphrase-from", "file:wrong"], 8, "key.passphrase-wrong"),
        (["--key", "other.pem"], 13, "key.mismatch"),
    ] {
        for words in [[&dry[..], &more].concat(), [real, &more].concat()] {
            let said = home.ca(&words);
            assert!(said.status == exit && said.err.contains(code), "{words:?}: {}", said.all());
        }
    }
    let other = home.ca(&dry);
    assert!(other.status == 8 && other.err.contains("say with --key-passphrase-from"), "{}", other.all());
    let right = ca_with_old(&home, "import openssl ca --as old --dry-run").ok();
    assert!(right.out.contains("the key was opened, and is that of the certificate"), "{}", right.all());
    // nobody can be asked: no reason not to tell the rest
    let unasked = home.command(&dry).env_remove("GENFIC_CA_PASSPHRASE_FROM").arg("--no-input").output();
    let unasked = Said::of(unasked.unwrap()).ok();
    assert!(unasked.out.contains("shows when it is opened"), "{}", unasked.all());
    sh(&home, "test ! -e home/keys/old.age");
}

#[test]
fn what_is_no_file_is_called_what_it_is_and_not_waited_for() {
    let home = Home::new();
    encrypted_ca(&home);
    for (make, more, told) in [
        ("mkfifo ca/index.txt", "", "ca/index.txt is a FIFO"),
        ("ln -s /dev/zero ca/index.txt", "", "ca/index.txt is a FIFO, socket or device"),
        ("mkdir ca/index.txt", "", "ca/index.txt is a directory"),
        ("mkdir ca/below; mkfifo ca/below/index.txt", "", "ca/below/index.txt is a FIFO"),
        ("touch ca/index.txt; mkfifo f", " --index f", "f is a FIFO"),
        ("touch ca/index.txt", " --cert f", "f is a FIFO"),
        ("touch ca/index.txt", " --key f", "f is a FIFO"),
        ("touch ca/index.txt", " --chain f", "f is a FIFO"),
        ("touch ca/index.txt; mkfifo ca/crlnumber", "", "ca/crlnumber is a FIFO"),
    ] {
        sh(&home, &format!("rm -rf ca/index.txt ca/below; {make}"));
        let words = format!("timeout 20 $0 import openssl ca --as old{more}");
        let program = env!("CARGO_BIN_EXE_genfic-ca");
        let mut command = std::process::Command::new("sh");
        let like = home.command::<&str>(&[]);
        command.args(["-c", &words, program]).current_dir(home.directory());
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap());
        }
        let said = Said::of(command.output().unwrap());
        assert!(said.err.contains(told) && said.status != 124, "{make}{more}: {}", said.all());
    }
}

#[test]
fn a_crl_number_of_more_than_63_bits_is_no_damage_and_cannot_be_taken_over() {
    // C1
    let home = Home::new();
    encrypted_ca(&home);
    for (number, told) in [
        ("8000000000000000", "at most 63 bits"),
        ("0123456789ABCDEF0123456789ABCDEF01234567", "at most 63 bits"),
        ("xyz", "no CRL number in hexadecimal"),
    ] {
        sh(&home, &format!("echo {number} >ca/crlnumber"));
        let said = ca_with_old(&home, "import openssl ca --as old");
        assert!(said.status == 7 && said.err.contains(told), "{number}: {}", said.all());
        assert_eq!(said.err.contains("issue anew under another CA"), number != "xyz", "{}", said.all());
    }
    // nor one that only a CRL has
    sh(&home, &format!(
        "printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=ca/index.txt\\ncrlnumber=n\\ncertificate=ca/cacert.pem\\n\\
        private_key=ca/private/cakey.pem\\ndefault_md=sha256\\ndefault_crl_days=9\\n' >c.cnf
        rm ca/crlnumber; echo 0123456789ABCDEF0123456789ABCDEF >n
        openssl ca -config c.cnf -gencrl -passin 'pass:{OLD}' -out ca/crl.pem"
    ));
    let said = ca_with_old(&home, "import openssl ca --as old");
    assert!(said.status == 7 && said.err.contains("at most 63 bits"), "{}", said.all());
    sh(&home, "echo 7fffffffffffffff >ca/crlnumber; rm ca/crl.pem");
    ca_with_old(&home, "import openssl ca --as old --dry-run").ok();
}
