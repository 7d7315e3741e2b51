//! What a plugin of age asks and says, on the terminal.
use crate::cli::Global;
use crate::output::visible;
use crate::terminal::{self, Typed};
use genfic_ca::assembly::confine_plugins;
use genfic_ca::signing::{PassphraseSources, PluginQuestions, Plugins, Secret};
use std::io::{self, Write as _, stderr};
use std::sync::Arc;

/// Asks on the terminal where a person is there and may be asked.
struct Terminal {
    allowed: bool,
}

/// Returns the permission to execute plugins, which get no passphrase of these sources, nor of custodians.
pub(crate) fn plugins(global: &Global, secrets: &PassphraseSources<'_>, of_custodians: &[String]) -> Plugins {
    let allowed = !global.no_input && !global.json && terminal::is_attended();
    let named = of_custodians.iter().filter_map(|source| source.split_once("env:"));
    let mut variables = secrets.variables();
    variables.extend(named.map(|(_, variable)| variable.to_owned()));
    Plugins::asking(Arc::new(Terminal { allowed }), confine).without(variables)
}

fn confine() -> io::Result<()> {
    if !confine_plugins()? {
        let _ = writeln!(
            stderr(),
            "note: this kernel has no Landlock: the plugin may execute other programs and send signals to your processes"
        );
    }
    Ok(())
}

impl Terminal {
    fn typed(&self, question: &str, shown: bool) -> Option<Secret> {
        if !self.allowed {
            return None;
        }
        match terminal::ask(&format!("{}: ", visible(question)), shown) {
            Ok(Typed::Line(line)) => Some(line),
            Ok(Typed::NotText | Typed::Interrupted | Typed::Nothing) | Err(_) => None,
        }
    }
}

impl PluginQuestions for Terminal {
    fn tell(&self, message: &str) {
        let _ = writeln!(stderr(), "{}", visible(message));
    }

    fn ask(&self, question: &str) -> Option<String> {
        self.typed(question, true).map(|line| line.to_string())
    }

    fn ask_secret(&self, question: &str) -> Option<Secret> {
        self.typed(question, false)
    }

    fn confirm(&self, question: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let no = no.unwrap_or("no");
        let answer = self.typed(&format!("{question} [y: {yes}, n: {no}]"), true)?;
        match answer.trim() {
            "y" | "Y" => Some(true),
            "n" | "N" => Some(false),
            _ => None,
        }
    }
}
