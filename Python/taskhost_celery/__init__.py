"""Runs the tasks of a Celery app for taskhost.

`load` is called once, in the zygote of python.so; `child` runs one task, in a child. What both say to the host goes
through `_taskhost`, a module that python.so makes.
"""
