# bash completion for sdc: source <(sdc completion bash)
# The program is handed the line as it stands, and answers with candidates that are quoted for their place in it.
_sdc() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        [[ -n $line ]] && COMPREPLY+=("$line")
    done <<<"$(SDC_COMPLETE=bash command sdc -- "${COMP_LINE:0:COMP_POINT}" "$2" "$COMP_TYPE" 2>/dev/null </dev/null)"
    # A value follows, or a part of a name.
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.,:/] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o bashdefault -o default -o nosort -F _sdc sdc 2>/dev/null ||
    complete -o bashdefault -o default -F _sdc sdc
