complete --keep-order --exclusive --command sdc --arguments "(SDC_COMPLETE=fish sdc -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
