//! The manual pages as roff.
use super::{custody, daemon, signer};
use crate::cli;
use clap::{Arg, Command, CommandFactory};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use genfic_ca::config::template;
use genfic_ca::doctor::FindingCode;
use genfic_ca::error::{Code, Exit, Shown as _};
use genfic_ca::home::Home;
use std::io;

/// A file name and its contents.
type Page = (String, Vec<u8>);

/// Returns the pages of `genfic-ca`, its commands, `genfic-key` and its commands, `genfic-ocspd` and `genfic-ca.toml`.
pub(super) fn all(date: &str) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let mut command = cli::command().disable_help_subcommand(true);
    command.build();
    of_command(&command, date, &mut pages)?;
    let mut command = custody::command().disable_help_subcommand(true);
    command.build();
    of_command(&command, date, &mut pages)?;
    let mut page = Vec::new();
    titled(daemon::Cli::command(), "8", date).render(&mut page)?;
    let mut more = Roff::new();
    files(&mut more);
    see_also(&mut more, &[("genfic-ca", "1"), ("genfic-ca.toml", "5"), ("genfic-ca-responder", "7")]);
    page.extend(more.to_roff().into_bytes());
    pages.push(("genfic-ocspd.8".to_owned(), page));
    pages.push(("genfic-signer.8".to_owned(), of_signer(date)?));
    pages.push(("genfic-ca.toml.5".to_owned(), configuration(date)));
    Ok(pages)
}

/// What the page of the signer says of the service.
const SERVICE: [&str; 5] = [
    "Without the command child it is a service. Its sockets come from systemd (LISTEN_FDS), named ca, admin and tokens, \
     or are made at the paths given.",
    "A client at ca has signed what is unlocked for its login user and session. Without a login user, as a timer, it \
     renews CRLs and certificates of responders and does nothing else. A client at admin, who has a login user, unlocks \
     and locks keys and has nothing signed. Each socket serves 32 clients at once.",
    "With the command tokens and --socket it connects to tokens and starts a process (genfic-signer module) for each of \
     the PKCS#11 modules that its file names, when it is first needed. Such a process starts no program and opens no key \
     file; PINs come from the signer. They end with the signer.",
    "It does not start where its memory cannot be kept out of the swap (LimitMEMLOCK=768M), where the kernel does not \
     forbid it the system calls that it does not need, or where others can read or change its directory (exit 10).",
    "SIGTERM, SIGINT and SIGHUP lock everything and end it. Where systemd starts it, it ends by itself after five \
     minutes without a client and without an unlocked key.",
];

/// Returns the page of the signer.
fn of_signer(date: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    titled(signer::Cli::command(), "8", date).render(&mut page)?;
    let mut more = Roff::new();
    more.control("SH", ["THE SERVICE"]);
    for (number, paragraph) in SERVICE.iter().copied().enumerate() {
        if number > 0 {
            more.control("PP", []);
        }
        more.text([roman(paragraph)]);
    }
    more.control("SH", ["FILES"]);
    for (path, text) in [
        ("/var/lib/genfic-signer", "keys, journal and record of the service"),
        ("/etc/genfic-signer", "what the security administrator grants to its keys"),
        ("/etc/genfic-signer/tokens.toml", "the PKCS#11 modules that are loaded for it"),
        ("/run/genfic-signer/ca.socket", "for the user genfic-ca"),
        ("/run/genfic-signer/admin.socket", "for the group genfic-ca-admins"),
        ("/run/genfic-signer/tokens.socket", "for the user genfic-tokens"),
    ] {
        item(&mut more, [italic(path)], text);
    }
    see_also(&mut more, &[("genfic-ca", "1"), ("genfic-ca-keys", "7")]);
    page.extend(more.to_roff().into_bytes());
    Ok(page)
}

fn titled(command: Command, section: &str, date: &str) -> clap_mangen::Man {
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    let source = concat!("genfic-ca ", env!("CARGO_PKG_VERSION"));
    let page = clap_mangen::Man::new(command).title(title).section(section).date(date);
    page.source(source).manual("Private certificate authority")
}

/// Writes what the definition of a command says, with each value in the synopsis, and examples.
fn rendered(command: &Command, name: &str, date: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let from_definition = titled(command.clone(), "1", date);
    from_definition.render_title(page)?;
    from_definition.render_name_section(page)?;
    let mut own = Roff::new();
    own.control("SH", ["SYNOPSIS"]).text(synopsis(command));
    page.extend(own.to_roff().into_bytes());
    from_definition.render_description_section(page)?;
    from_definition.render_options_section(page)?;
    let mut own = Roff::new();
    let groups = if name == "genfic-ca" { cli::groups(command) } else { vec![("Commands", listed(command))] };
    let is_not_empty = |(_, commands): &(&str, Vec<_>)| !commands.is_empty();
    for (title, commands) in groups.into_iter().filter(is_not_empty) {
        own.control("SH", [title.to_uppercase().as_str()]);
        for (below, about) in commands {
            item(&mut own, [bold(format!("{name}-{below}")), roman("(1)")], &about);
        }
    }
    let path = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let examples: Vec<&str> = match path.strip_prefix("genfic-key") {
        Some(below) => custody::examples(below.trim()).collect(),
        None => cli::examples(path.trim_start_matches("genfic-ca").trim()).collect(),
    };
    if !examples.is_empty() {
        own.control("SH", ["EXAMPLES"]).control("EX", []);
        for line in examples {
            own.text([roman(line)]);
        }
        own.control("EE", []);
    }
    page.extend(own.to_roff().into_bytes());
    Ok(())
}

/// Returns the commands below a command, each with what it does.
fn listed(command: &Command) -> Vec<(String, String)> {
    let of = |one: &Command| {
        let about = one.get_about().map(ToString::to_string).unwrap_or_default();
        (one.get_name().to_owned(), about)
    };
    command.get_subcommands().map(of).collect()
}

/// Returns the command with every option and its value, what can be left out in brackets.
fn synopsis(command: &Command) -> Vec<Inline> {
    let mut line = vec![bold(command.get_bin_name().unwrap_or_else(|| command.get_name()))];
    let is_told = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    for arg in command.get_arguments().filter(is_told).filter(|arg| !arg.is_positional()) {
        let (open, close) = if arg.is_required_set() { (" ", "") } else { (" [", "]") };
        let [name, between, value] = cli::option(arg);
        line.extend([roman(open), bold(name), roman(between), italic(value), roman(close)]);
    }
    if command.has_subcommands() {
        line.extend([roman(" "), italic("COMMAND")]);
    }
    line.extend(command.get_positionals().flat_map(|arg| [roman(" "), italic(cli::positional(arg))]));
    line
}

/// Adds the pages of a command and of its subcommands.
fn of_command(command: &Command, date: &str, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    rendered(command, &name, date, &mut page)?;
    let mut more = Roff::new();
    if name == "genfic-ca" {
        more.control("SH", ["EXIT STATUS"]);
        item(&mut more, [bold("0")], "done");
        for exit in Exit::ALL {
            item(&mut more, [bold(exit.code().to_string())], exit.meaning());
        }
        more.control("SH", ["ERROR CODES"]);
        for code in Code::ALL {
            let meaning = format!("({}) {}", code.exit().code(), code.meaning());
            item(&mut more, [bold(code.code())], &meaning);
        }
        files(&mut more);
        see_also(&mut more, &[("genfic-ca.toml", "5"), ("genfic-ca-manual", "7"), ("genfic-ocspd", "8")]);
    } else {
        if name == "genfic-ca-doctor" {
            more.control("SH", ["FINDINGS"]);
            for code in FindingCode::ALL {
                item(&mut more, [bold(code.code())], code.meaning());
            }
        }
        see_also(&mut more, &[("genfic-ca", "1"), ("genfic-ca.toml", "5")]);
    }
    page.extend(more.to_roff().into_bytes());
    pages.push((format!("{name}.1"), page));
    for below in command.get_subcommands() {
        of_command(below, date, pages)?;
    }
    Ok(())
}

fn item(page: &mut Roff, head: impl Into<Vec<Inline>>, text: &str) {
    page.control("TP", []).text(head).text([roman(text)]);
}

/// Writes the section about the default files and directories.
fn files(page: &mut Roff) {
    let home = Home::system();
    page.control("SH", ["FILES"]);
    for (path, text) in [
        (home.configuration_file(), "configuration of both programs"),
        (home.policy_directory(), "certificate profiles"),
        (home.directory().to_owned(), "index, CA keys, published status, responder keys, public files"),
        (home.log_directory().to_owned(), "what scheduled commands say, where systemd does not keep it"),
    ] {
        item(page, [italic(path.shown().to_string())], text);
    }
}

fn see_also(page: &mut Roff, pages: &[(&str, &str)]) {
    page.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (name, section) in pages {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(*name), roman(format!("({section})"))]);
    }
    page.text(line);
}

/// Returns genfic-ca.toml(5), made from the commented configuration that `init` writes.
fn configuration(date: &str) -> Vec<u8> {
    let mut page = Roff::new();
    let source = concat!("genfic-ca ", env!("CARGO_PKG_VERSION"));
    page.control("TH", ["GENFIC-CA.TOML", "5", date, source, "Private certificate authority"]);
    page.control("SH", ["NAME"]);
    page.text([roman("genfic-ca.toml - configuration of genfic-ca and genfic-ocspd")]);
    page.control("SH", ["DESCRIPTION"]);
    let text = template(None, None, None, None, None);
    let mut lines = text.lines().skip(2);
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        comment(&mut page, line);
    }
    page.control("SH", ["SECTIONS"]);
    let mut explanation: Vec<&str> = Vec::new();
    for line in lines {
        let setting = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with("##") {
            explanation.push(line);
        } else if setting.starts_with('[') {
            page.control("SS", [setting]);
            explanation.drain(..).for_each(|line| comment(&mut page, line));
        } else if let Some((key, value)) = setting.split_once(" = ") {
            page.control("TP", []).text([bold(key), roman(format!(" = {value}"))]);
            explanation.drain(..).for_each(|line| comment(&mut page, line));
        } else {
            // a comment before a blank line belongs to the section that follows
        }
    }
    files(&mut page);
    see_also(&mut page, &[("genfic-ca", "1"), ("genfic-ocspd", "8")]);
    page.render().into_bytes()
}

/// Writes one line of a comment; an empty line ends a paragraph.
fn comment(page: &mut Roff, line: &str) {
    match line.trim_start_matches('#').trim() {
        "" => page.control("PP", []),
        text => page.text([roman(text)]),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_and_every_setting_is_in_the_one_of_the_configuration() {
        let pages = all("2026-01-01").unwrap();
        let text = |name: &str| {
            let page = pages.iter().find(|page| page.0 == name);
            String::from_utf8(page.unwrap_or_else(|| panic!("{name}")).1.clone()).unwrap()
        };
        for name in [
            "genfic-ca.1",
            "genfic-ca-sign.1",
            "genfic-ca-crl-publish.1",
            "genfic-key-split.1",
            "genfic-ocspd.8",
        ] {
            assert!(text(name).contains(".SH SYNOPSIS"), "{name}");
        }
        let sign = text("genfic-ca-sign.1")
            .replace("\\-", "-")
            .replace("\\fR", "")
            .replace("\\fB", "")
            .replace("\\fI", "");
        assert!(sign.contains("genfic-ca sign [-p CA] [--responder-for CA] [--profile PROFILE]"), "{sign}");
        assert!(sign.contains(".SH EXAMPLES\n.EX\ngenfic-ca sign www.req"), "{sign}");
        let split = text("genfic-key-split.1").replace("\\-", "-");
        assert!(split.contains(".SH EXAMPLES\n.EX\ngenfic-key split genfic --shares 5"), "{split}");
        assert!(text("genfic-key.1").contains(".SH EXAMPLES"));
        assert!(!sign.contains("--passphrase-from"), "options of every command are told once: {sign}");
        assert!(text("genfic-ca.1").contains(r"\-\-passphrase\-from"));
        assert!(text("genfic-ca.1").contains(".SH \"FIRST STEPS\""));
        assert!(text("genfic-ocspd.8").contains(r"\-\-listen"));
        let configuration = text("genfic-ca.toml.5");
        let settings = template(None, None, None, None, None);
        for line in settings.lines().filter(|line| line.starts_with("# ") && line.contains(" = ")) {
            let key = line.trim_start_matches("# ").split(" = ").next().unwrap();
            assert!(configuration.contains(&format!(r"\fB{key}\fR")), "{key}");
        }
    }

    #[test]
    fn the_exit_statuses_are_those_of_the_manual() {
        let page = include_str!("../../../../../ca-layout/doc/automate.md");
        for exit in Exit::ALL {
            let row = format!("| {} | {} |", exit.code(), exit.meaning());
            assert!(page.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_error_code_is_in_the_page_of_the_program() {
        let pages = all("2026-01-01").unwrap();
        let (_, page) = pages.iter().find(|(name, _)| name == "genfic-ca.1").unwrap();
        let page = String::from_utf8(page.clone()).unwrap().replace("\\-", "-");
        for code in Code::ALL {
            assert!(page.contains(code.code()) && page.contains(code.meaning()), "{code}");
        }
    }

    #[test]
    fn every_finding_is_in_the_page_of_the_doctor() {
        let pages = all("2026-01-01").unwrap();
        let (_, page) = pages.iter().find(|(name, _)| name == "genfic-ca-doctor.1").unwrap();
        let page = String::from_utf8(page.clone()).unwrap().replace("\\-", "-");
        for code in FindingCode::ALL {
            assert!(page.contains(code.code()) && page.contains(code.meaning()), "{code}");
        }
    }
}
