# elvish completion for sdc: eval (sdc completion elvish | slurp)
# The program answers with a candidate a line; elvish itself quotes what it inserts.
set edit:completion:arg-completer[sdc] = {|@words|
    env SDC_COMPLETE=elvish sdc -- $@words 2>/dev/null </dev/null | from-lines
}
