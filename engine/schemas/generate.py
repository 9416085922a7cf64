#!/usr/bin/env python3
"""Writes data/*.txt from the pinned packages of sources.json; with --check it only says whether the files are what it would write."""

import argparse
import hashlib
import json
import pathlib
import subprocess
import sys

HOME = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HOME / "generator"))

import cloudformation  # noqa: E402
import kubernetes  # noqa: E402
import terraform  # noqa: E402
from shapes import Writer  # noqa: E402

READERS = {"terraform": terraform, "cloudformation": cloudformation, "kubernetes": kubernetes}


def fetch(source, cache):
    """The file of a package, downloaded once, whose digest must be the pinned one."""
    name, version = source["package"], source["version"]
    folder = cache / f"{name.replace('/', '-').removeprefix('@')}-{version}"
    if not (folder.is_dir() and any(folder.iterdir())):
        folder.mkdir(parents=True, exist_ok=True)
        if source["from"] == "npm":
            command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(folder)]
        else:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            command += ["-d", str(folder), f"{name}=={version}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (file,) = folder.iterdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if source["sha256"] != digest:
        sys.exit(f"{name} {version} has the digest {digest}, not {source['sha256']}: look before you pin it")
    return file


def written(format_name, sources, cache):
    writer = Writer()
    for source in sources:
        READERS[format_name].read(fetch(source, cache), writer.add)
    header = ["Written by engine/schemas/generate.py; do not edit."]
    header += [f"{source['package']} {source['version']}: {source['holds']}" for source in sources]
    return writer.text(header)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", help=f"some of: {', '.join(READERS)}")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "portcullis-schemas")
    arguments = parser.parse_args()
    if unknown := set(arguments.formats) - set(READERS):
        parser.error(f"no such format: {', '.join(sorted(unknown))}")
    sources = json.loads((HOME / "sources.json").read_text())
    different = []
    for format_name in arguments.formats or READERS:
        text = written(format_name, sources[format_name], arguments.cache)
        file = HOME / "data" / f"{format_name}.txt"
        if not file.exists() or file.read_text() != text:
            different.append(file.name)
            if not arguments.check:
                file.write_text(text)
        print(f"{file.name}: {len(text):,} bytes, {'changed' if file.name in different else 'as it was'}")
    sys.exit(1 if arguments.check and different else 0)


if __name__ == "__main__":
    main()
