"""Test bundles, built the way an author outside this repository would: from the installed headers and library."""
import os
import shutil
import subprocess

from lab import settings


def build_c(source, folder, defines=(), includes=()):
    name = os.path.splitext(os.path.basename(source))[0]
    target = os.path.join(folder, name + ".so")
    run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", settings.dist("include"),
         *[f"-I{include}" for include in includes], *[f"-D{define}" for define in defines], source, "-o", target])
    return target


def build_library(text, target):
    """A shared library of a C text, which is no bundle."""
    source = os.path.splitext(target)[0] + ".c"
    with open(source, "w") as file:
        file.write(text)
    run(["cc", "-shared", "-fPIC", "-pthread", source, "-o", str(target)])
    return target


def build_swift(source, folder):
    name = os.path.splitext(os.path.basename(source))[0]
    target = os.path.join(folder, name + ".so")
    library = settings.dist("lib", "taskhost")
    if shutil.which("swiftc") is None:
        raise settings.Missing("swiftc is not on the PATH")
    run(["swiftc", "-O", "-emit-library", "-parse-as-library", "-static-stdlib", "-module-name", name, source,
         "-I", library, "-I", settings.dist("include"), "-L", library, "-lTaskhostSDK",
         "-Xlinker", f"--version-script={settings.dist('share', 'taskhost', 'sdk', 'bundle.map')}", "-o", target])
    return target


def run(words):
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
