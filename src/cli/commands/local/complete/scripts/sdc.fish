# fish completion for sdc: sdc completion fish | source
# The program answers with a candidate and a line about it, one a line; fish itself quotes what it inserts.
function __sdc_complete
    set -l token (commandline -ct)
    set -l found (SDC_COMPLETE=fish command sdc -- (commandline -opc) "$token" 2>/dev/null </dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$token"
    end
end
complete --command sdc --keep-order --no-files --arguments '(__sdc_complete)'
