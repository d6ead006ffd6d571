#!/usr/bin/env python3
"""Prints the licences of all that is in the program, for those who pass it on.

    python3 tools/licences.py x86_64-unknown-linux-gnu

What may be had under Apache-2.0 is named alone: LICENSE has that text. Of the rest each text stands
here with who asks for it, those of C libraries that a crate compiles along too.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|COPYRIGHT)", re.IGNORECASE)
# A crate's folder, that of its C library, and one below.
DEEPEST = 3


def crates(platform):
    """Return what is linked into the program, and sources that a crate of their own compiles."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--features=ssl"]
    command += [f"--filter-platform={platform}", "--manifest-path=freshet/Cargo.toml"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, next_ones = {}, [metadata["resolve"]["root"]]
    while next_ones:
        one = next_ones.pop()
        if one in found:
            continue
        found[one] = packages[one]
        for dependency in nodes[one]["deps"]:
            is_linked = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if is_linked or packages[dependency["pkg"]]["name"].endswith("-src"):
                next_ones.append(dependency["pkg"])
    others = [package for package in found.values() if package["source"] is not None]
    return sorted(others, key=lambda package: (package["name"], package["version"]))


def is_apache(expression):
    """Whether Apache-2.0 is one of the licences to choose from."""
    chosen = re.split(r" OR |/", expression)
    return " AND " not in expression and any(one.strip("() ") == "Apache-2.0" for one in chosen)


def texts(package):
    """Return the texts of a crate's licences, but for the GPL (there is a choice then) and Apache's."""
    folder = Path(package["manifest_path"]).parent
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if LICENCE.match(path.name) and len(below.parts) <= DEEPEST and path.is_file():
            text = path.read_text(errors="replace").strip()
            if not any(name in text[:200] for name in ("GNU GENERAL PUBLIC LICENSE", "Apache License")):
                yield text


def main():
    platform = sys.argv[1]
    every = crates(platform)
    print("What is in the program freshet, beside its own code (Apache-2.0, see LICENSE):\n")
    print(Path("streets/maps/NOTICE.md").read_text().strip())
    print("\n# Crates\n")
    for package in every:
        print(f"- {package['name']} {package['version']}: {package['license']}")
    by_text = {}
    for package in every:
        has_c = package.get("links") or package["name"].endswith("-src")
        if has_c or not is_apache(package["license"]):
            found = list(texts(package))
            if not found and not is_apache(package["license"]):
                sys.exit(f"{package['name']} has no text of its licence, {package['license']}")
            for text in found:
                names = by_text.setdefault(" ".join(text.split()), (text, []))[1]
                if package["name"] not in names:
                    names.append(package["name"])
    for text, names in by_text.values():
        print(f"\n# {', '.join(names)}\n\n{text}")


main()
