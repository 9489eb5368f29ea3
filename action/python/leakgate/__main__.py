"""Runs leakgate: ``python -m leakgate``."""

import os
import subprocess
import sys
import sysconfig


def find_program():
    """Returns the path of the program that was installed with this package.

    Raises FileNotFoundError if it's in no folder in which installers put programs.
    """
    name = "leakgate" + (sysconfig.get_config_var("EXE") or "")
    user_scheme = sysconfig.get_preferred_scheme("user") if sys.version_info >= (3, 10) else os.name + "_user"
    package = os.path.dirname(os.path.abspath(__file__))
    folders = [
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", scheme=user_scheme),
        # `pip install --target FOLDER` puts packages into the folder, and programs into `bin`.
        os.path.join(os.path.dirname(package), "bin"),
    ]
    for folder in folders:
        program = os.path.join(folder, name)
        if os.path.isfile(program):
            return program
    raise FileNotFoundError(f"cannot find {name} in {', '.join(folders)}")


def main():
    """Replaces this process by the program, or runs it and exits with its status on Windows."""
    try:
        command = [find_program(), *sys.argv[1:]]
    except FileNotFoundError as error:
        print(f"error: {error}\nhelp: install the package again: pip install --force-reinstall leakgate", file=sys.stderr)
        sys.exit(2)
    if sys.platform == "win32":
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
