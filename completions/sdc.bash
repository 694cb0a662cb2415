# bash completion for sdc: source <(sdc completion bash)
# The program is handed the line as it stands, and answers with candidates that are quoted for their place in it.
_sdc() {
    local found line
    found=$(SDC_COMPLETE=bash command sdc -- "${COMP_LINE:0:COMP_POINT}" "$2" "$COMP_TYPE" 2>/dev/null </dev/null)
    COMPREPLY=()
    if [[ -z $found ]]; then
        return 0
    elif ((BASH_VERSINFO[0] >= 4)); then
        mapfile -t COMPREPLY <<<"$found"
    else
        while IFS= read -r line; do COMPREPLY+=("$line"); done <<<"$found"
    fi
    # A value follows, or a part of a name.
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.,:/] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o bashdefault -o default -o nosort -F _sdc sdc 2>/dev/null ||
    complete -o bashdefault -o default -F _sdc sdc
