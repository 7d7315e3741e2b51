//! The help of the program: commands in groups by task, a usage line with values, an example for each command, and
//! the options of every command in one place.
use super::Cli;
use super::examples::{EXAMPLES, GROUPS, USAGES};
use clap::{Arg, ArgAction, Command, CommandFactory};

/// Width of the commands' names in their list.
const NAMES: usize = 16;

/// Returns the definition of the command line as it is parsed and explained.
pub(crate) fn command() -> Command {
    let root = Cli::command();
    let everywhere: Vec<Arg> =
        root.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.clone().hide(true)).collect();
    let names: Vec<String> = root.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let header = *root.get_styles().get_header();
    let listed: Vec<String> = groups(&root)
        .into_iter()
        .map(|(title, commands)| {
            let lines: Vec<String> = commands.iter().map(|(name, about)| line(name, about)).collect();
            format!("{header}{title}:{header:#}\n{}", lines.join("\n"))
        })
        .collect();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n\n{{all-args}}{{after-help}}",
        listed.join("\n\n")
    );
    let explain = |root: Command, name: String| {
        let told = |below| explained(below, &name, &everywhere).hide(true);
        root.mut_subcommand(name.clone(), told)
    };
    let root = root.help_template(template).override_usage("genfic-ca [OPTIONS] COMMAND");
    names.into_iter().fold(root, explain)
}

/// Returns the groups of commands by task, each command with what it does.
pub(crate) fn groups(root: &Command) -> Vec<(&'static str, Vec<(String, String)>)> {
    let told = |name: &&str| {
        let about = root.find_subcommand(name)?.get_about()?;
        Some(((*name).to_owned(), about.to_string()))
    };
    let group = |(title, names): &(&'static str, &[&str])| (*title, names.iter().filter_map(told).collect());
    GROUPS.iter().map(group).collect()
}

fn line(name: &str, about: &str) -> String {
    format!("  {name:<NAMES$}{about}")
}

/// Returns a command with its usage and example, and those below it likewise.
fn explained(command: Command, path: &str, everywhere: &[Arg]) -> Command {
    let usage = format!("genfic-ca {path} {}", usage(&command, path));
    let mut after = String::new();
    let examples: Vec<String> = examples(path).map(|line| format!("  {line}")).collect();
    if !examples.is_empty() {
        after = format!("Example:\n{}\n\n", examples.join("\n"));
    }
    after.push_str("`genfic-ca --help` has the options of every command.");
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let is_said = command.get_overridden_usage().is_some();
    let command = if is_said { command } else { command.override_usage(usage) };
    let told = command.after_help(after).args(everywhere);
    names.into_iter().fold(told, |command, name| {
        let below = format!("{path} {name}");
        command.mut_subcommand(name, |one| explained(one, &below, everywhere))
    })
}

/// Returns the examples of a command, a line each.
pub(crate) fn examples(path: &str) -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().filter(move |(name, _)| *name == path).flat_map(|(_, lines)| lines.lines())
}

/// Returns what follows a command's name: `[OPTIONS] -p CA FILE...`.
fn usage(command: &Command, path: &str) -> String {
    if let Some((_, usage)) = USAGES.iter().find(|(name, _)| *name == path) {
        return format!("[OPTIONS] {usage}");
    }
    let mut words = vec!["[OPTIONS]".to_owned()];
    if command.has_subcommands() {
        words.push("COMMAND".into());
    }
    let required = command.get_arguments().filter(|arg| arg.is_required_set() && !arg.is_positional());
    words.extend(required.map(|arg| option(arg).concat()));
    words.extend(command.get_positionals().map(positional));
    words.join(" ")
}

/// Returns a positional argument: `NAME`, `FILE...`, `[CERT]`.
pub(crate) fn positional(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    let is_repeated = matches!(arg.get_action(), ArgAction::Append);
    let name = if is_repeated { format!("{name}...") } else { name };
    if arg.is_required_set() { name } else { format!("[{name}]") }
}

/// Returns an option in its shortest form, what is between, and its value: `-p`, a blank and `CA`; `--chain` and
/// `[=WHICH]`. A flag has no value.
pub(crate) fn option(arg: &Arg) -> [String; 3] {
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), _) => format!("-{short}"),
        (None, long) => format!("--{}", long.unwrap_or_default()),
    };
    let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    let takes = arg.get_action().takes_values();
    let is_optional = arg.get_num_args().is_some_and(|number| number.min_values() == 0);
    match value.filter(|_| takes) {
        Some(value) if is_optional => [name, String::new(), format!("[={value}]")],
        Some(value) => [name, " ".into(), value],
        None => [name, String::new(), String::new()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    /// Every command that does something, by its words.
    fn leaves(command: &Command, path: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands().filter(|one| one.get_name() != "help") {
            let path = format!("{path} {}", below.get_name()).trim().to_owned();
            if below.has_subcommands() { leaves(below, &path, found) } else { found.push(path) }
        }
    }

    fn all() -> Vec<String> {
        let mut found = Vec::new();
        leaves(&command(), "", &mut found);
        assert!(found.len() > 40, "{found:?}");
        found
    }

    /// The words of a line without quotation but `'`.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn every_command_is_in_one_group_and_has_an_example() {
        let root = command();
        for below in root.get_subcommands().filter(|one| one.get_name() != "help") {
            let name = below.get_name();
            let groups = GROUPS.iter().filter(|(_, names)| names.contains(&name)).count();
            assert_eq!(groups, 1, "{name} in cli/examples.rs");
        }
        for path in all() {
            assert!(examples(&path).count() > 0, "no example of {path} in cli/examples.rs");
        }
    }

    #[test]
    fn every_example_is_one_of_its_command_and_is_parsed() {
        for (path, lines) in EXAMPLES {
            for line in lines.lines() {
                assert!(line.starts_with(&format!("genfic-ca {path}")), "{line}");
                assert!(line.len() < 78, "{line}");
                let parsed = command()
                    .try_get_matches_from(words(line))
                    .and_then(|matches| Cli::from_arg_matches(&matches))
                    .unwrap_or_else(|error| panic!("{line}\n{error}"));
                let name = crate::commands::name(&crate::script::command(parsed).unwrap());
                assert_eq!(name, *path, "{line}");
            }
        }
    }

    #[test]
    fn the_list_of_commands_fits_eighty_columns() {
        let commands = groups(&command()).into_iter().flat_map(|(_, commands)| commands);
        let lines: Vec<String> = commands.map(|(name, about)| line(&name, &about)).collect();
        let long: Vec<&String> = lines.iter().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:#?}");
    }

    #[test]
    fn the_options_of_every_command_stand_in_one_place_and_are_taken_everywhere() {
        let help = |words: &[&str]| {
            let error = command().try_get_matches_from(["genfic-ca"].iter().chain(words)).unwrap_err();
            error.to_string()
        };
        assert!(help(&["--help"]).contains("--passphrase-from <SPEC>"));
        let sign = help(&["sign", "--help"]);
        assert!(!sign.contains("--passphrase-from") && sign.contains("genfic-ca --help"), "{sign}");
        assert!(sign.contains("Usage: genfic-ca sign [OPTIONS] -p CA FILE...\n"), "{sign}");
        let matches =
            command().try_get_matches_from(["genfic-ca", "crl", "publish", "--all", "--json", "--home", "h"]);
        let cli = Cli::from_arg_matches(&matches.unwrap()).unwrap();
        assert!(cli.global.json && cli.global.home.as_deref() == Some(std::path::Path::new("h")));
    }

    #[test]
    fn a_usage_line_has_values_and_says_what_may_be_left_out() {
        let usage = |path: &str| {
            let root = command();
            let one = path.split(' ').fold(&root, |above, name| above.find_subcommand(name).unwrap());
            one.clone().render_usage().to_string()
        };
        assert_eq!(usage("export bundle"), "Usage: genfic-ca export bundle [OPTIONS] [CA...]");
        assert_eq!(usage("crl publish"), "Usage: genfic-ca crl publish [OPTIONS] CA|--due|--all");
        assert_eq!(usage("crl"), "Usage: genfic-ca crl [OPTIONS] COMMAND");
        assert_eq!(usage("export p12"), "Usage: genfic-ca export p12 [OPTIONS] --key FILE -o FILE CERT");
    }
}
