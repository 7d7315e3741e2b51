//! Printed pages: scanned, typed, and used with nothing but `age`, `openssl` and the program that is on them.
use crate::support::terminal::Terminal;
use crate::support::{Home, PASSPHRASE, run};
use crate::{genfic_key, names, restores, root, split};
use std::fs;
use std::process::Command;

/// Returns the texts of the QR codes of a document, in the order in which they are found.
fn scanned(home: &Home, pdf: &str) -> Vec<String> {
    let directory = home.path("scan");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).unwrap();
    let document = home.path(pdf);
    run(&directory, &["pdftoppm", "-r", "200", "-gray", "-png", document.to_str().unwrap(), "page"]).ok();
    let mut codes = Vec::new();
    for page in names(home, "scan") {
        let said = run(&directory, &["zbarimg", "--quiet", "-Sdisable", "-Sqrcode.enable", "--xml", &page]);
        // a page without a code ends with 4
        assert!([0, 4].contains(&said.status), "{}", said.all());
        for part in said.out.split("<![CDATA[").skip(1) {
            codes.push(part.split("]]>").next().unwrap().to_owned());
        }
    }
    codes
}

/// Returns the texts of the codes of this name, joined in the order of their numbers, without the comments.
fn joined(codes: &[String], name: &str) -> String {
    let begin = format!("# {name} ");
    let mut pieces: Vec<(usize, &str)> = codes
        .iter()
        .filter_map(|code| code.strip_prefix(begin.as_str()))
        .map(|code| {
            let (head, text) = code.split_once('\n').unwrap();
            (head.split(' ').next().unwrap().parse().unwrap(), text)
        })
        .collect();
    pieces.sort();
    pieces
        .into_iter()
        .map(|(_, text)| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") })
        .collect()
}

/// Returns the text of a document, with the indents of its lines.
fn text(home: &Home, pdf: &str) -> String {
    let document = home.path(pdf);
    run(home.directory(), &["pdftotext", "-layout", document.to_str().unwrap(), "-"]).ok().out
}

/// Returns the program that is printed in a document.
fn program(text: &str) -> String {
    let begin = text.find("# restore.py reads").unwrap();
    let end = text.find("print(bytes(secret).hex())").unwrap();
    let indent = text[..begin].rsplit('\n').next().unwrap().len();
    let lines = text[begin - indent..end + 26].lines();
    lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("{}\n", line.get(indent..).unwrap_or_default().trim_end()))
        .collect()
}

/// Returns the numbered lines of a document, in the order of their numbers.
fn lines(text: &str) -> String {
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        for six in words.windows(6) {
            let groups = six[1..].iter().all(|word| {
                word.len() == 4 && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
            });
            if let (true, Ok(number), true) = (six[0].len() <= 3, six[0].parse::<usize>(), groups) {
                found.push((number, six.join(" ")));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, line)| format!("{line}\n")).collect()
}

/// Runs a program of Python in the directory beside the home, with this standard input.
fn python(home: &Home, program: &str, input: &str) -> String {
    fs::write(home.path("restore.py"), program).unwrap();
    fs::write(home.path("input"), input).unwrap();
    let command = "exec python3 -I restore.py <input";
    let output = Command::new("sh").args(["-c", command]).current_dir(home.directory()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Decrypts a key with the `age` program, which asks for the passphrase on the terminal, and has `openssl` read it.
fn decrypted(home: &Home, file: &str, passphrase: &str) {
    let mut age = Command::new("age");
    age.args(["-d", "-o", "key.pem", file]).current_dir(home.directory());
    let mut terminal = Terminal::spawn(&age, 80, 24);
    terminal.wait_for("passphrase").type_line(passphrase);
    assert_eq!(terminal.end().1, 0);
    let said = run(home.directory(), &["openssl", "pkey", "-in", "key.pem", "-pubout"]).ok();
    let certificate = home.path("home/public/genfic.pem");
    let of_ca = run(
        home.directory(),
        &["openssl", "x509", "-in", certificate.to_str().unwrap(), "-noout", "-pubkey"],
    );
    assert_eq!(said.out, of_ca.ok().out);
}

#[test]
fn the_codes_of_a_printed_key_and_of_three_printed_shares_restore_the_ca() {
    // G6
    let home = split();
    let key = scanned(&home, "s/genfic.pdf");
    fs::create_dir(home.path("back")).unwrap();
    crate::put(&home, "back/genfic.age", &joined(&key, "genfic.age"));
    let shares: Vec<String> = [5, 1, 3]
        .iter()
        .map(|at| scanned(&home, &format!("s/genfic-share-{at}-of-5.pdf"))[0].clone())
        .collect();
    let passphrase = python(&home, &joined(&key, "restore.py"), &shares.join("\n"));
    assert_eq!(passphrase.len(), 64);
    decrypted(&home, "back/genfic.age", &passphrase);
    // one code of shares after the other, as a scanner types them, with the program too
    for (at, share) in shares.iter().enumerate() {
        crate::put(&home, &format!("back/{at}"), share);
    }
    genfic_key(&home, "combine back/genfic.age --check --share back/0 --share back/1 --share back/2").ok();
    restores(&home, "back/genfic.age", &passphrase);
}

#[test]
fn the_program_and_the_lines_as_they_are_printed_restore_the_ca_without_this_project() {
    // G6
    let home = split();
    let printed = text(&home, "s/genfic.pdf");
    let told = python(&home, &program(&printed), &lines(&printed));
    assert_eq!(told, "written: key.age");
    assert_eq!(fs::read(home.path("key.age")).unwrap(), fs::read(home.path("s/genfic.age")).unwrap());
    let shares = [2, 4, 5].map(|at| text(&home, &format!("s/genfic-share-{at}-of-5.pdf")));
    let all: String = shares.iter().map(|share| lines(share)).collect();
    let passphrase = python(&home, &program(&shares[1]), &all);
    // the lines of the key before those of the shares
    let both = python(&home, &program(&printed), &format!("{}{all}", lines(&printed)));
    assert_eq!(both, format!("written: key.age\n{passphrase}"));
    decrypted(&home, "key.age", &passphrase);
    restores(&home, "key.age", &passphrase);
    // with one character wrong the line is named
    let wrong = all.replacen('3', "4", 1);
    fs::write(home.path("input"), wrong).unwrap();
    let command = "python3 -I restore.py <input";
    let output = Command::new("sh").args(["-c", command]).current_dir(home.directory()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("this line is wrong: "));
}

#[test]
fn a_page_that_was_typed_is_read_back_into_the_key_file() {
    // G6
    let home = root();
    for (paper, size) in [("a4", "595.28 x 841.89"), ("letter", "612 x 792")] {
        let pdf = format!("{paper}.pdf");
        genfic_key(&home, &format!("page genfic -o {pdf} --paper {paper}")).ok();
        let information = run(home.directory(), &["pdfinfo", &pdf]).ok();
        assert!(information.out.contains(size), "{}", information.out);
        let typed = lines(&text(&home, &pdf)).to_lowercase();
        fs::write(home.path("typed"), &typed).unwrap();
        genfic_key(&home, &format!("page --read typed -o {paper}.age")).ok();
        let key = fs::read(home.path("home/keys/genfic.age")).unwrap();
        assert_eq!(fs::read(home.path(&format!("{paper}.age"))).unwrap(), key);
        let scan = scanned(&home, &pdf);
        fs::write(home.path("armored.age"), joined(&scan, "genfic.age")).unwrap();
        genfic_key(&home, &format!("page --read armored.age -o {paper}-scanned.age")).ok();
        assert_eq!(fs::read(home.path(&format!("{paper}-scanned.age"))).unwrap(), key);
        restores(&home, "armored.age", PASSPHRASE);
        decrypted(&home, "armored.age", PASSPHRASE);
        fs::remove_file(home.path("key.pem")).unwrap();
    }
}
