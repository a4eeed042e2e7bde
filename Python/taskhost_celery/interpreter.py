"""What the host must know of the interpreter that runs this: where it lies, and where its libpython does.

Written so that interpreters that are too old can still read it, and say so.
"""
import os
import sys
import sysconfig

from .problem import Problem

OLDEST = (3, 9)


def version():
    return "%d.%d" % sys.version_info[:2]


def check():
    """Raises Problem: this interpreter cannot be loaded into a process of tasks."""
    if sys.version_info[:2] < OLDEST:
        raise Problem("%s is Python %s, and 3.9 or newer is needed" % (sys.executable, version()),
                      "name another with --python")
    # `platform` would say it, and takes longer to import than all the rest here.
    if sys.implementation.name != "cpython":
        raise Problem("%s is %s, and tasks run in CPython" % (sys.executable, sys.implementation.name),
                      "name a CPython with --python")
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise Problem("%s is a free-threaded build, which has no stable ABI" % sys.executable,
                      "name the usual build of Python %s with --python" % version())


def library():
    """The path of libpython; raises Problem: there is none."""
    for path in candidates():
        if os.path.isfile(path):
            return path
    shared = sysconfig.get_config_var("Py_ENABLE_SHARED")
    raise Problem(
        "%s (Python %s) has no shared libpython, which the processes of tasks load" % (sys.executable, version()),
        "on Debian: apt install libpython%s. pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install %s. Built by "
        "hand: configure --enable-shared%s" % (version(), version(), "" if shared else ", as this one was not"))


def candidates():
    names = []
    for variable in ("INSTSONAME", "LDLIBRARY"):
        name = sysconfig.get_config_var(variable)
        if name and ".so" in name and name not in names:
            names.append(name)
    for name in ("libpython%s.so.1.0" % version(), "libpython%s.so" % version()):
        if name not in names:
            names.append(name)
    folders = []
    base = getattr(sys, "base_prefix", sys.prefix)
    places = [os.path.join(base, "lib"), sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LIBPL")]
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        places += [os.path.join(place, multiarch) for place in (os.path.join(base, "lib"), "/usr/lib", "/lib")]
    for place in places + [os.path.join(base, "lib64"), "/usr/lib64", "/usr/local/lib"]:
        if place and place not in folders:
            folders.append(place)
    return [os.path.join(folder, name) for name in names for folder in folders]


def celery_version():
    """Raises Problem: there is none, or it is too old. To be asked before the app's folder is on the path: a file
    celery.py there is the app's, not Celery."""
    try:
        import celery
    except ImportError as error:
        if getattr(error, "name", None) != "celery":
            raise
        raise Problem("there is no Celery in %s" % sys.executable,
                      "%s -m pip install celery, or name the interpreter of your virtual environment with --python"
                      % sys.executable)
    found = getattr(celery, "__version__", "0")
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST_CELERY:
        raise Problem("Celery %s is too old: 5.3 to 5.7 are tried" % found,
                      "%s -m pip install -U celery" % sys.executable)
    return found


#: What comes before has other names for its parts.
OLDEST_CELERY = (5, 3)


def missing():
    """What this interpreter lacks for a first task: (sentence, fix); nothing lacks: None.

    The fix is for who has nothing yet. Debian's pip refuses to install beside apt's packages, and its Python comes with
    neither venv nor a shared library.
    """
    problems = []
    for look in (check, library, celery_version):
        try:
            look()
        except Problem as problem:
            problems.append(problem)
    if not problems:
        return None
    fixes = [problem.fix for problem in problems]
    if sys.prefix == sys.base_prefix and sys.version_info[:2] >= OLDEST:
        apt = "on Debian: apt install python3-venv libpython%s. " % version()
        fixes = [apt + "Then in the folder of your project: "
                 "python3 -m venv .venv && . .venv/bin/activate && pip install celery"]
    return "; ".join(problem.sentence for problem in problems), "; ".join(fixes)


def newcomer():
    """For `taskhost new`: two lines, what lacks and the fix; or none."""
    found = missing()
    if found:
        print("\n".join(found))


def facts(libpython=None):
    import platform
    return {"executable": sys.executable, "version": platform.python_version(), "library": libpython or library(),
            "prefix": sys.prefix, "celery": celery_version()}


def main():
    """For a zygote that is to load it: where libpython lies, in a moment. The document of describe.py, or a part of it."""
    from .describe import tell
    try:
        check()
        tell({"library": library()})
    except Problem as problem:
        tell({"problem": problem.as_dict()})
