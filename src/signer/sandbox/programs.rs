//! Which files the system executes for a plugin of age: the plugin, and what it is interpreted or loaded by.
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How the names of plugins begin.
const PREFIX: &str = "age-plugin-";
/// What is read of a file: more than the kernel reads of a script, and the headers of a program.
const BEGINNING: u64 = 4096;
/// How many scripts may interpret one another.
const DEPTH: u8 = 4;
/// PT_INTERP of a program header.
const PT_INTERP: u32 = 3;

/// Returns every plugin in this search path, and whatever the system executes these by.
pub(super) fn of_plugins(path: &OsStr) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for directory in std::env::split_paths(path) {
        let Ok(entries) = fs::read_dir(directory) else { continue };
        let entries = entries.filter_map(Result::ok);
        for entry in entries.filter(|entry| entry.file_name().as_bytes().starts_with(PREFIX.as_bytes())) {
            add(&mut found, &entry.path(), path, DEPTH);
        }
    }
    found
}

fn add(found: &mut Vec<PathBuf>, program: &Path, path: &OsStr, depth: u8) {
    found.push(program.to_owned());
    let Some(depth) = depth.checked_sub(1) else { return };
    let mut beginning = Vec::new();
    let read = File::open(program).and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
    if read.is_err() {
        return;
    }
    if let Some(line) = beginning.strip_prefix(b"#!") {
        let line = line.split(|octet| *octet == b'\n').next().unwrap_or_default();
        for interpreter in interpreters(line, path) {
            add(found, &interpreter, path, depth);
        }
    } else if let Some(loader) = loader(&beginning) {
        found.push(loader);
    }
}

/// Returns the interpreter that the first line of a script names; below env(1) also the one that this finds.
fn interpreters(line: &[u8], path: &OsStr) -> Vec<PathBuf> {
    let mut words = line.split(|octet| octet.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let Some(first) = words.next().map(|word| PathBuf::from(OsString::from_vec(word.to_vec()))) else {
        return Vec::new();
    };
    let is_env = first.file_name() == Some(OsStr::new("env"));
    let named = words.find(|word| !word.starts_with(b"-") && !word.contains(&b'=')).filter(|_| is_env);
    let by_env = named.and_then(|name| {
        let all = std::env::split_paths(path).map(|directory| directory.join(OsStr::from_bytes(name)));
        all.into_iter().find(|program| program.is_file())
    });
    [Some(first), by_env].into_iter().flatten().collect()
}

fn number<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..)?.first_chunk().copied()
}

/// Returns the loader that an ELF program of 64 bits names, of this machine's order of octets.
fn loader(octets: &[u8]) -> Option<PathBuf> {
    if !octets.starts_with(b"\x7fELF\x02") {
        return None;
    }
    let offset = |at| usize::try_from(u64::from_ne_bytes(number(octets, at)?)).ok();
    let (table, each) = (offset(32)?, usize::from(u16::from_ne_bytes(number(octets, 54)?)));
    let count = usize::from(u16::from_ne_bytes(number(octets, 56)?));
    let header = |index: usize| table.checked_add(index.checked_mul(each)?);
    let of_loader = (0..count)
        .filter_map(header)
        .find(|at| number(octets, *at).map(u32::from_ne_bytes) == Some(PT_INTERP))?;
    let (from, length) = (offset(of_loader.checked_add(8)?)?, offset(of_loader.checked_add(32)?)?);
    let name = octets.get(from..from.checked_add(length)?)?;
    let name = name.split(|octet| *octet == 0).next()?;
    Some(PathBuf::from(OsString::from_vec(name.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_brings_what_it_is_loaded_or_interpreted_by() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, contents: &[u8]| fs::write(directory.path().join(name), contents).unwrap();
        let own = fs::read("/bin/true").unwrap();
        put("age-plugin-elf", &own);
        put("age-plugin-script", b"#!/usr/bin/env -S tool -x\n");
        put("age-plugin-sh", b"#! /bin/sh\nexec true\n");
        put("age-plugin-cut", &own[..60]);
        put("tool", b"neither");
        put("other", &own);
        let found = of_plugins(directory.path().as_os_str());
        let loader = super::loader(&own).unwrap();
        assert!(loader.is_absolute() && loader.exists(), "{loader:?}");
        let has = |path: &Path| found.iter().any(|one| one == path);
        for name in ["age-plugin-elf", "age-plugin-script", "age-plugin-sh", "age-plugin-cut", "tool"] {
            assert!(has(&directory.path().join(name)), "{name}: {found:?}");
        }
        for path in ["/usr/bin/env", "/bin/sh"].map(Path::new).into_iter().chain([loader.as_path()]) {
            assert!(has(path), "{path:?}: {found:?}");
        }
        assert!(!has(&directory.path().join("other")), "it is no plugin");
    }

    #[test]
    fn scripts_that_interpret_each_other_come_to_an_end() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("age-plugin-own");
        fs::write(&own, format!("#!{}\n", own.display())).unwrap();
        assert!(of_plugins(directory.path().as_os_str()).len() <= usize::from(DEPTH) + 1);
    }
}
