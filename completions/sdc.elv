
set edit:completion:arg-completer[sdc] = { |@words|
    var index = (count $words)
    set index = (- $index 1)

    put (env _CLAP_IFS="\n" _CLAP_COMPLETE_INDEX=(to-string $index) SDC_COMPLETE="elvish" sdc -- $@words) | to-lines
}

