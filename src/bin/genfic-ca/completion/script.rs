//! The scripts that ask the program, one for each shell. They run the program that is found by its name, never a file in
//! the directory where somebody types, and evaluate nothing of what it answers.
use crate::cli::Cli;
use clap::CommandFactory;
use clap_complete::Shell;

const BASH: &str = r#"# Completion of genfic-ca in bash: the program says what can stand at the cursor.
_genfic_ca() {
    local offer
    COMPREPLY=()
    while IFS= read -r offer; do
        COMPREPLY+=("$offer")
    done < <(GENFIC_CA_COMPLETE=bash command genfic-ca -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -F _genfic_ca -o nosort -o bashdefault -o default genfic-ca 2>/dev/null ||
    complete -F _genfic_ca -o bashdefault -o default genfic-ca
"#;

const ZSH: &str = r#"#compdef genfic-ca
# Completion of genfic-ca in zsh: the program says what can stand at the cursor.
_genfic-ca() {
    local -a offers whole whole_shown begun begun_shown
    local offer value
    offers=("${(@f)$(GENFIC_CA_COMPLETE=zsh command genfic-ca -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for offer in "${offers[@]}"; do
        [[ -n $offer ]] || continue
        value="${offer%%$'\t'*}"
        if [[ $value == *[=/:] ]]; then
            begun+=("$value")
            begun_shown+=("${offer/$'\t'/  }")
        else
            whole+=("$value")
            whole_shown+=("${offer/$'\t'/  }")
        fi
    done
    if (( $#whole + $#begun == 0 )); then
        _files
        return
    fi
    local -a how
    how=(-M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -l)
    (( $#whole )) && compadd $how -V genfic-ca -d whole_shown -a whole
    (( $#begun )) && compadd $how -V genfic-ca -S '' -d begun_shown -a begun
}
if [ "$funcstack[1]" = "_genfic-ca" ]; then
    _genfic-ca "$@"
else
    compdef _genfic-ca genfic-ca
fi
"#;

const FISH: &str = r#"# Completion of genfic-ca in fish: the program says what can stand at the cursor.
function __genfic_ca_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l offers (GENFIC_CA_COMPLETE=fish command genfic-ca -- $typed 2>/dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command genfic-ca --no-files --keep-order --arguments '(__genfic_ca_complete)'
"#;

/// Returns the script for a shell. Those for other shells than bash, zsh and fish complete commands and options only.
pub(crate) fn script(shell: Shell) -> Vec<u8> {
    match shell {
        Shell::Bash => BASH.into(),
        Shell::Zsh => ZSH.into(),
        Shell::Fish => FISH.into(),
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut Cli::command(), "genfic-ca", &mut script);
            script
        }
    }
}
