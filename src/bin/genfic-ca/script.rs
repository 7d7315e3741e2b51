//! Translates the older script's options into the command that they stand for (G12).
use crate::cli::{
    AuthorityOptions, Cli, Command, CreateChild, CreateRequest, CreateRoot, Ensure, Revoke, Script, Several,
    Sign,
};
use genfic_ca::error::{Code, Problem, Remedy};

/// Returns the command that was given, as a subcommand or by the older script's options.
pub(crate) fn command(cli: Cli) -> Result<Command, Problem> {
    let Cli { script, command, .. } = cli;
    let Script { create_root, create_child, sign_request, create_request, revoke, parent, output, valid } =
        script;
    let needs_parent = |parent: Option<String>, verb: &str| {
        parent.ok_or_else(|| {
            usage(format!("{verb} needs a CA that acts"), "add -p NAME; `genfic-ca authorities` lists them")
        })
    };
    let mut given: Vec<Result<Command, Problem>> = Vec::new();
    let mut takes_output = false;
    if let Some(name) = create_root {
        let authority = AuthorityOptions { valid: valid.clone(), ..AuthorityOptions::default() };
        given.push(Ok(Command::CreateRoot(CreateRoot { name, authority, ..CreateRoot::default() })));
    }
    if let Some(name) = create_child {
        let authority = AuthorityOptions { valid: valid.clone(), ..AuthorityOptions::default() };
        given.push(needs_parent(parent.clone(), "-c").map(|parent| {
            Command::CreateChild(CreateChild {
                name,
                parent: Some(parent),
                authority,
                profile: None,
                permit: Vec::new(),
                exclude: Vec::new(),
                csr_only: false,
                output: None,
            })
        }));
    }
    if let Some(file) = sign_request {
        takes_output = true;
        let (output, valid) = (output.clone(), valid.clone());
        given.push(needs_parent(parent.clone(), "-s").map(|parent| {
            Command::Sign(Sign { files: vec![file], parent, valid, output, ..Sign::default() })
        }));
    }
    if let Some(name) = create_request {
        given.push(Ok(Command::CreateRequest(CreateRequest { name, ..CreateRequest::default() })));
    }
    if let Some(certificate) = revoke {
        let parent = parent.clone();
        given.push(Ok(Command::Revoke(Revoke {
            certificate,
            several: Several::default(),
            parent,
            reason: None,
            invalidity_date: None,
            no_crl: false,
            ensure: Ensure::default(),
        })));
    }
    let loose = parent.is_some() || output.is_some() || valid.is_some();
    match (given.len(), command) {
        (0, Some(_)) if loose => Err(usage(
            "-p, -o and -v stand after the command they belong to",
            "for example `genfic-ca sign FILE -p CA -o OUT`",
        )),
        (0, Some(command)) => Ok(command),
        (0, None) => Err(usage("no command is given", "`genfic-ca --help` lists the commands")),
        (1, None) => {
            if output.is_some() && !takes_output {
                return Err(usage("-o belongs to -s only", "leave -o out"));
            }
            given.pop().unwrap_or_else(|| Err(usage("no command is given", "")))
        }
        _ => Err(usage(
            "one of -r, -c, -s, -R, -x or a command can be given at a time",
            "give them one after the other",
        )),
    }
}

fn usage(message: impl Into<String>, hint: impl Into<Remedy>) -> Problem {
    Problem::new(Code::Usage, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use genfic_ca::error::Exit;

    fn parse(words: &[&str]) -> Result<Command, Problem> {
        command(Cli::try_parse_from([&["genfic-ca"], words].concat()).unwrap())
    }

    #[test]
    fn the_older_scripts_options_stand_for_commands() {
        // G12
        assert!(
            matches!(parse(&["-r", "genfic", "-v", "7300"]), Ok(Command::CreateRoot(c)) if c.name == "genfic" && c.authority.valid.as_deref() == Some("7300"))
        );
        assert!(
            matches!(parse(&["-p", "genfic", "-c", "genfic-system", "-v", "3650"]), Ok(Command::CreateChild(c)) if c.parent.as_deref() == Some("genfic"))
        );
        assert!(matches!(parse(&["-R", "/tmp/myhostname"]), Ok(Command::CreateRequest(_))));
        assert!(
            matches!(parse(&["-p", "ca", "-s", "a.req", "-o", "a.crt"]), Ok(Command::Sign(s)) if s.output.is_some())
        );
        assert!(
            matches!(parse(&["-p", "ca", "-x", "myhostname"]), Ok(Command::Revoke(r)) if r.certificate.as_deref() == Some("myhostname"))
        );
        assert!(matches!(parse(&["-p", "ca", "-x"]), Ok(Command::Revoke(r)) if r.certificate.is_none()));
        assert!(matches!(parse(&["--create-root", "genfic", "--valid", "7300"]), Ok(Command::CreateRoot(_))));
    }

    #[test]
    fn exactly_one_verb_is_taken_at_a_time() {
        // G12
        for words in
            [&["-r", "a", "-R", "b"][..], &["-r", "a", "status"], &["-c", "a"], &["-r", "a", "-o", "f"]]
        {
            assert_eq!(parse(words).unwrap_err().exit, Exit::Usage, "{words:?}");
        }
    }
}
