"""What Bash tries. All that arrives is in variables, as for any job."""

from __future__ import annotations

from .attacks import table

BASH = r"""
== control: value | =42
echo "$INPUT_answer"
== control: its folder | =kept
echo kept > a.txt; cp a.txt b.txt; cat b.txt
== control: its exit code | exit code 3
echo sorry >&2; exit 3
== control: pipes | =3
seq 3 | sort -r | wc -l
== reads a secret
cat "$INPUT_secret_file" 2>/dev/null && echo GOT OUT; true
== reads the home of the user
ls -A "$INPUT_home" 2>/dev/null | grep -q ssh && echo GOT OUT; true
== finds no secret in its environment
env | grep -q "$INPUT_canary_name=" && echo GOT OUT; true
== reads the environment of others
for each in /proc/[0-9]*; do grep -qa "$INPUT_canary_name=" "$each/environ" 2>/dev/null && echo GOT OUT; done; true
== reads the environment of its parent
grep -qa "$INPUT_canary_name=" /proc/$PPID/environ 2>/dev/null && echo GOT OUT; true
== reads the environment of the server
cat /proc/$INPUT_server/environ 2>/dev/null | grep -qa "$INPUT_canary_name=" && echo GOT OUT; true
== writes into the workspace
echo x > "$INPUT_workspace/new" && echo GOT OUT; true
== changes a file of the workspace
echo x >> "$INPUT_canary_file" && echo GOT OUT; true
== removes the workspace
rm -rf "$INPUT_workspace" "$INPUT_home"; true
== changes modes, times and owners
chmod 777 "$INPUT_canary_file"; touch -d 2001-01-01 "$INPUT_canary_file"; chown 1234 "$INPUT_canary_file"; true
== makes processes without end | | 3
bomb() { bomb | bomb & }; bomb; sleep 2
== says much | | 0.7
yes
== fills its folder
dd if=/dev/zero of=big bs=1M count=1000 && echo GOT OUT; true
== connects to loopback
(exec 3<>/dev/tcp/127.0.0.1/$INPUT_port) 2>/dev/null && echo GOT OUT; true
== sends a datagram
(echo x > /dev/udp/127.0.0.1/$INPUT_udp_port) 2>/dev/null; true
== kills a process of the user
kill -9 "$INPUT_victim"; true
== kills its parent
kill -9 $PPID; true
== kills everybody
trap '' TERM; kill -TERM -1; true
== leaves a daemon
(exec -a "$INPUT_marker" setsid sh -c 'sleep 60; :') & disown; sleep 0.1
== leaves a child that holds its output | =done
sleep 60 & echo done
== ignores all signals | longer than 0.5 s | 0.5
trap '' TERM INT HUP ALRM XCPU; while :; do :; done
== sleeps | longer than 0.5 s | 0.5
sleep 100
== takes all memory in a variable
x=$(head -c 1500000000 /dev/zero | tr '\0' x) && echo GOT OUT; true
== leaves a link
ln -s "$INPUT_secret_file" link; cat link 2>/dev/null && echo GOT OUT; true
== makes a namespace
unshare -Ur true 2>/dev/null && echo GOT OUT; true
== mounts
mkdir m; mount -t tmpfs none m 2>/dev/null && echo GOT OUT; true
== takes privileges
su -c id 2>/dev/null </dev/null && echo GOT OUT
mount --bind / / 2>/dev/null && echo GOT OUT; true
== looks everywhere for a secret
grep -rqs "$INPUT_canary_value" /etc /home /var /srv /run "$INPUT_home" 2>/dev/null && echo GOT OUT; true
== is told shell by its inputs | =$(touch pwned) `id` ${HOME}; "
printf '%s' "$INPUT_shell"
== ends by a signal
kill -9 $$
== ends with a large exit code | exit code 200
exit 200
== swaps its folder for a link
here=$PWD; cd /; rmdir "$here" 2>/dev/null && ln -s "$INPUT_workspace" "$here" 2>/dev/null && echo GOT OUT; true
== writes programs and runs them | =run
printf '#!/bin/sh\necho run\n' > own.sh; sh own.sh
"""
ATTACKS = list(table("bash", BASH))
