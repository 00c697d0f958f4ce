#!/bin/bash
# Slurm: a node that is no longer what its lock says takes no job. For `Prolog=` in slurm.conf, with
# `PrologFlags=Alloc` so that it runs on every node of an allocation.
#
# A Prolog that fails drains the node and requeues the job ("Prolog and Epilog Guide",
# https://slurm.schedmd.com/prolog_epilog.html), so this one fails only for findings (code 1): a lock that is missing or
# a driftlock that cannot look is no reason to lose a node. Prologs have no search path.
#
# The lock of a node holds what does not depend on the job, for example:
#   driftlock capture --section os --section cpu --section gpu -o /etc/driftlock/node.lock
driftlock=${DRIFTLOCK:-/usr/local/bin/driftlock}
folder=${DRIFTLOCK_FOLDER:-/etc/driftlock}
log=${DRIFTLOCK_LOG:-/var/log/driftlock-prolog.log}

cd "$folder" || exit 0
"$driftlock" check node.lock > "$log.new" 2>&1
code=$?
mv -f "$log.new" "$log"
[ "$code" != 1 ]
