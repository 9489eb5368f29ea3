#!/usr/bin/env python3
"""Reduce GitHub's OpenAPI description to the requests that leakgate makes.

usage: reduce.py SRC DST

SRC is generated/api.github.com.json of the npm package @octokit/openapi.
DST is the output: the parameters and the schema of the request body of each operation in KEEP, with
all references resolved, and without descriptions, examples and responses.
"""

import json
import sys

REPO = "/repos/{owner}/{repo}"

KEEP = [
    ("post", REPO + "/check-runs"),
    ("get", REPO + "/check-runs/{check_run_id}"),
    ("patch", REPO + "/check-runs/{check_run_id}"),
    ("get", REPO + "/commits/{ref}/check-runs"),
    ("get", REPO + "/issues/{issue_number}/comments"),
    ("post", REPO + "/issues/{issue_number}/comments"),
    ("get", REPO + "/issues/comments/{comment_id}"),
    ("patch", REPO + "/issues/comments/{comment_id}"),
    ("delete", REPO + "/issues/comments/{comment_id}"),
    ("get", REPO + "/actions/artifacts"),
    ("get", REPO + "/actions/artifacts/{artifact_id}/{archive_format}"),
    ("get", REPO + "/actions/runs/{run_id}"),
    ("get", REPO + "/actions/runs/{run_id}/artifacts"),
    ("get", REPO + "/compare/{basehead}"),
    ("get", REPO + "/pulls"),
    ("get", REPO + "/pulls/{pull_number}/files"),
]

# Members that only document the API.
DROPPED = {
    "description",
    "example",
    "examples",
    "title",
    "externalDocs",
    "x-github",
    "deprecated",
}


def reduce(node, full):
    """Return `node` with its references resolved and without documentation."""
    if isinstance(node, list):
        return [reduce(item, full) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = full
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return reduce(target, full)
    small = {}
    for key, value in node.items():
        # Names of properties aren't keywords: the output of a check run has a property `title`.
        if key == "properties":
            small[key] = {name: reduce(schema, full) for name, schema in value.items()}
        elif key not in DROPPED:
            small[key] = reduce(value, full)
    return small


def main(argv):
    if len(argv) != 3:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    with open(argv[1], encoding="utf-8") as file:
        full = json.load(file)
    paths = {}
    for method, path in KEEP:
        whole, operation = full["paths"][path], full["paths"][path][method]
        parameters = whole.get("parameters", []) + operation.get("parameters", [])
        kept = {"parameters": reduce(parameters, full)}
        if "requestBody" in operation:
            kept["requestBody"] = reduce(operation["requestBody"], full)
        paths.setdefault(path, {})[method] = kept
    info = {"title": "requests of leakgate", "version": full["info"]["version"]}
    small = {"openapi": full["openapi"], "info": info, "paths": paths}
    with open(argv[2], "w", encoding="utf-8") as file:
        json.dump(small, file, indent=1, sort_keys=True)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
