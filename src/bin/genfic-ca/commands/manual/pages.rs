//! The manual pages as roff.
use super::daemon;
use crate::cli::Cli;
use clap::{Command, CommandFactory};
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};
use genfic_ca::config::template;
use genfic_ca::doctor::FindingCode;
use genfic_ca::error::{Code, Exit, Shown as _};
use genfic_ca::home::Home;
use std::io;

/// A file name and its contents.
type Page = (String, Vec<u8>);

/// Returns the pages of `genfic-ca`, its commands, `genfic-ocspd` and `genfic-ca.toml`.
pub(super) fn all(date: &str) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    of_command(&command, date, &mut pages)?;
    let mut page = Vec::new();
    rendered(daemon::Cli::command(), "8", date, &mut page)?;
    let mut more = Roff::new();
    files(&mut more);
    see_also(&mut more, &[("genfic-ca", "1"), ("genfic-ca.toml", "5"), ("genfic-ca-responder", "7")]);
    page.extend(more.to_roff().into_bytes());
    pages.push(("genfic-ocspd.8".to_owned(), page));
    pages.push(("genfic-ca.toml.5".to_owned(), configuration(date)));
    Ok(pages)
}

fn rendered(command: Command, section: &str, date: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_uppercase();
    let source = concat!("genfic-ca ", env!("CARGO_PKG_VERSION"));
    let manual = clap_mangen::Man::new(command).title(title).section(section).date(date);
    manual.source(source).manual("Private certificate authority").render(page)
}

/// Adds the pages of a command and of its subcommands.
fn of_command(command: &Command, date: &str, pages: &mut Vec<Page>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    rendered(command.clone(), "1", date, &mut page)?;
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
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
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
    let text = template(None, None, None, None);
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
        for name in ["genfic-ca.1", "genfic-ca-sign.1", "genfic-ca-crl-publish.1", "genfic-ocspd.8"] {
            assert!(text(name).contains(".SH SYNOPSIS"), "{name}");
        }
        assert!(text("genfic-ocspd.8").contains(r"\-\-listen"));
        let configuration = text("genfic-ca.toml.5");
        let settings = template(None, None, None, None);
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
