"""Where code of diagrams runs: behind walls, in processes that each job has for itself alone.

`process` is the sandbox that nodes are given: it takes a child from the `pool`, or starts one, and
makes one `attempt` with it. `child` keeps one job's processes from start to nothing left behind,
`watch` looks whether they take too much, `output` and `outcome` turn what they said into a result.
`launch` says how each language is started, `limits` what a job may use, `view` what it may read.

The walls: `bubblewrap`, and `landlock` with its script `confine.py`, both with a filter made by
`seccomp` of the numbers in `syscalls`; and `deno` where neither is, with `pyodide_driver.mjs`. What
`confine.py` has done: `enclosure` shuts a process in, `reaper` leaves nothing of it, by way of
`linux`.
`tiers` says what walls are, `probe` tries whether they hold, `walls` chooses. `egress` is the way
to the network of jobs that have one, with the script `relay.py` inside and `addresses` to say which
are public.

The scripts, `python_driver.py` and `driver.cjs` run inside a job's process and import nothing of
this package but their neighbours: of Python's, `python_syntax` looks at the code, `python_values`
makes JSON of what it returns, and `python_errors` tells what went wrong. Nothing here knows what a
diagram is. What is promised, and what is not, is in SECURITY.md.
"""
