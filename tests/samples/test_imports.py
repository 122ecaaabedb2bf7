"""Sample submissions are for commands and tests: the engine grades without them."""

import ast

from autograder.runtime.paths import KIT

ENGINE = KIT / "autograder"
COMMANDS = {"cli.py", "commands"}


def imported_by(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_only_commands_import_samples():
    inside = {path: path.relative_to(ENGINE).parts[0] for path in ENGINE.rglob("*.py")}
    engine = [path for path, top in inside.items() if top not in COMMANDS | {"samples"}]
    assert len(engine) > 50
    imports = {
        path.name: [name for name in imported_by(path) if name.startswith("autograder.samples")] for path in engine
    }
    assert {name: found for name, found in imports.items() if found} == {}
