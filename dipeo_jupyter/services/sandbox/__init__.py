"""Where code of diagrams runs: apart from this process, one fresh process per job.

`process` is the sandbox that nodes are given; `launch` says how each language is started, `child`
keeps one process group from start to nothing left behind, `output` and `outcome` turn what it said
into a result, `folder` is its working directory. `python_driver.py` and `driver.js` run inside the
job's process and import nothing of this package. Nothing here knows what a diagram is.
"""
