"""Breakages of notebooks. They change no module of the package."""

import json

from tests.fuzz.breakages import edited, spares


def _edited(files, random, change):
    return edited(files, random, (".ipynb",), change)


def _changed(files, random, change):
    """Change one notebook as data; `change` returns the new data, or None if it changed the data in place."""

    def spoil(data):
        try:
            notebook = json.loads(data)
            changed = change(notebook)
        except (ValueError, RecursionError, TypeError, KeyError, IndexError, AttributeError):
            return data  # another breakage was here before
        return json.dumps(notebook if changed is None else changed).encode()

    return _edited(files, random, spoil)


def _in_cells(files, random, change):
    """Change about a third of the cells of one notebook, in place."""

    def each(notebook):
        for cell in notebook["cells"]:
            if random.random() < 0.3:
                change(cell)

    return _changed(files, random, each)


ODD = (None, 0, -1, 1.5, True, "", "x", [], {}, [1], {"a": 1}, [None], [["x"]], "\ud800", 10**400)


@spares
def notebook_truncated(files, random):
    return _edited(files, random, lambda data: data[: random.randrange(len(data) + 1)])


@spares
def notebook_is_something_else(files, random):
    other = [
        b"",
        b"\0" * 9,
        b"[]",
        b"null",
        b"1",
        b'""',
        b"{}",
        b"NaN",
        b"<html>",
        b"PK\3\4",
        b'{"cells": null}',
        b"\xff",
    ]
    return _edited(files, random, lambda data: random.choice(other))


@spares
def notebook_missing(files, random):
    found = [path for path in sorted(files) if path.endswith(".ipynb")]
    gone = random.sample(found, random.randint(1, len(found))) if found else ()
    return {path: data for path, data in files.items() if path not in gone}


@spares
def notebook_renamed(files, random):
    found = [path for path in sorted(files) if path.endswith(".ipynb")]
    if not found:
        return files
    path = random.choice(found)
    stem = path.removesuffix(".ipynb")
    new = random.choice(
        [
            f"{stem} (1).ipynb",
            f"{stem}-Copy1.ipynb",
            f"{stem}.json",
            f"{stem}.ipynb.txt",
            f"{stem}.IPYNB",
            f"nb/{stem}.ipynb",
            f"作业 {stem}.ipynb",
        ]
    )
    return {(new if old == path else old): data for old, data in files.items()}


@spares
def notebook_encoding(files, random):
    codec = random.choice(["utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp037"])
    return _edited(files, random, lambda data: data.decode("utf-8", "replace").encode(codec, "replace"))


@spares
def notebook_in_latin_1(files, random):
    return _edited(files, random, lambda data: data.replace(b"the ", b"th\xe9 ", 3))


@spares
def notebook_with_null_bytes(files, random):
    def spoil(data):
        at = random.randrange(len(data) + 1)
        return data[:at] + b"\0" + data[at:]

    return _edited(files, random, spoil)


@spares
def notebook_line_ends(files, random):
    return _edited(files, random, lambda data: data.replace(b"\n", random.choice([b"\r\n", b"\r"])))


@spares
def notebook_merge_conflict(files, random):
    return _edited(files, random, lambda data: b"<<<<<<< HEAD\n" + data + b"=======\n" + data + b">>>>>>> mine\n")


@spares
def notebook_twice(files, random):
    return _edited(files, random, lambda data: data + data)


@spares
def duplicate_keys(files, random):
    keys = random.choice([b'"cells": [],', b'"nbformat": 3,', b'"metadata": 1,', b'"cells": "x",'])
    return _edited(
        files,
        random,
        lambda data: (
            data.replace(b"{", b"{" + keys, 1)
            if random.random() < 0.5
            else data.rstrip().removesuffix(b"}") + b"," + keys.rstrip(b",") + b"}"
        ),
    )


@spares
def deep_json(files, random):
    depth = random.choice([50, 900, 40_000, 200_000])
    deep = random.choice([b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth])
    return _edited(
        files, random, lambda data: data.replace(b'"metadata": {', b'"metadata": {"deep": ' + deep + b",", 1)
    )


@spares
def odd_numbers(files, random):
    number = random.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 4_000, b"9" * 5_000, b"-0"])
    where = random.choice([b'"nbformat": ', b'"nbformat_minor": ', b'"execution_count": ', b'"points": '])
    return _edited(files, random, lambda data: data.replace(where, where + number + b', "was": '))


@spares
def nbformat_version(files, random):
    major, minor = random.choice(
        [(2, 0), (3, 0), (4, 0), (4, 1), (4, 2), (4, 4), (4, 5), (4, 9), (5, 0), (0, 0), (-1, 0)]
    )

    def change(notebook):
        notebook["nbformat"], notebook["nbformat_minor"] = major, minor

    return _changed(files, random, change)


@spares
def nbformat_is_odd(files, random):
    def change(notebook):
        value = random.choice([*ODD, "4", 4.0, "gone"])
        key = random.choice(["nbformat", "nbformat_minor", "cells", "metadata"])
        notebook[key] = value
        if value == "gone":
            del notebook[key]

    return _changed(files, random, change)


@spares
def worksheets(files, random):
    """A notebook of the format 3, from before 2014, or one that claims to have format 4."""
    version = random.choice([2, 3, 4])

    def change(notebook):
        cells = []
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                new = {"input": cell["source"], "language": "python", "outputs": [], "prompt_number": 1}
            else:
                new = {"source": cell["source"]}
            cells.append(new | {"cell_type": cell["cell_type"], "metadata": cell["metadata"]})
        sheets = [{"cells": cells}] if random.random() < 0.7 else random.choice([[], {}, None, [{}], [None]])
        return {"metadata": {"name": "x"}, "nbformat": version, "nbformat_minor": 0, "worksheets": sheets}

    return _changed(files, random, change)


@spares
def cells_duplicated(files, random):
    def change(notebook):
        cells = notebook["cells"]
        cells += random.sample(cells, random.randint(1, len(cells)))

    return _changed(files, random, change)


@spares
def cells_lost(files, random):
    def change(notebook):
        cells = notebook["cells"]
        notebook["cells"] = random.sample(cells, random.randrange(len(cells)))

    return _changed(files, random, change)


@spares
def cells_are_odd(files, random):
    def change(notebook):
        notebook["cells"].insert(random.randrange(5), random.choice(ODD))

    return _changed(files, random, change)


@spares
def cell_of_unknown_type(files, random):
    return _in_cells(files, random, lambda cell: cell.update(cell_type=random.choice(["heading", "raw", "sql", *ODD])))


@spares
def source_is_odd(files, random):
    return _in_cells(
        files, random, lambda cell: cell.update(source=random.choice([*ODD, ["a\n", 1], ["\ud800"], "a\0b"]))
    )


@spares
def source_is_a_list(files, random):
    return _in_cells(files, random, lambda cell: cell.update(source="".join(cell["source"]).splitlines(keepends=True)))


@spares
def lone_surrogates(files, random):
    return _in_cells(files, random, lambda cell: cell.update(source="".join(cell["source"]) + "\n# \ud83d \udfff"))


@spares
def python_2_cells(files, random):
    return _in_cells(files, random, lambda cell: cell.update(source="print 'x'\n%timeit 1\n!ls\n\tx = `1`"))


@spares
def ids_are_odd(files, random):
    odd = [*ODD, "same", "x" * 65, "no spaces", "é", "restored-x"]
    return _in_cells(files, random, lambda cell: cell.update(id=random.choice(odd)))


@spares
def ids_lost(files, random):
    return _in_cells(files, random, lambda cell: cell.pop("id", None))


@spares
def metadata_is_odd(files, random):
    return _in_cells(files, random, lambda cell: cell.update(metadata=random.choice(ODD)))


@spares
def nbgrader_metadata_is_odd(files, random):
    def change(cell):
        mark = cell["metadata"].get("nbgrader")
        if isinstance(mark, dict):
            key = random.choice([*sorted(mark), "grade_id", "schema_version", "new"])
            mark[key] = random.choice([*ODD, 99, "<b>"])
        else:
            cell["metadata"]["nbgrader"] = random.choice([*ODD, {"grade_id": "relu_forward"}])

    return _in_cells(files, random, change)


@spares
def wrong_kernel(files, random):
    spec = random.choice(
        [
            *ODD,
            {"name": "julia-1.0", "display_name": "Julia", "language": "julia"},
            {"name": ""},
            {"name": 3},
            {"name": "python2", "display_name": "Python 2"},
            {"name": "../../x", "display_name": "<b>"},
        ]
    )

    def change(notebook):
        notebook["metadata"]["kernelspec"] = spec
        notebook["metadata"]["language_info"] = random.choice([{"name": "julia"}, *ODD])

    return _changed(files, random, change)


@spares
def outputs_are_odd(files, random):
    def change(cell):
        outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * (1 << 10)}, {"output_type": "pyout"}, {}]
        outputs += [{"output_type": "error", "ename": 1, "evalue": None, "traceback": "x"}, {"output_type": None}]
        cell["outputs"] = random.choice([*ODD, [random.choice(outputs)], outputs])

    return _in_cells(files, random, change)


@spares
def attachments_are_odd(files, random):
    return _in_cells(
        files, random, lambda cell: cell.update(attachments=random.choice([*ODD, {"a": {"image/png": 1}}]))
    )


@spares
def cell_too_long(files, random):
    return _in_cells(files, random, lambda cell: cell.update(source="#" * random.choice([10_000, 300_000])))


@spares
def huge_output(files, random):
    """The output of a print in a loop: the notebook has 1, 30 or 100 MB."""
    size = random.choices([1, 30, 100], [8, 2, 1])[0] << 20
    stream = b'[{"output_type": "stream", "name": "stdout", "text": "' + b"x" * size + b'"}]'
    return _edited(files, random, lambda data: data.replace(b'"outputs": []', b'"outputs": ' + stream, 1))


@spares
def many_outputs(files, random):
    stream = b'{"output_type": "stream", "name": "stdout", "text": "x"},' * random.choice([1_000, 50_000, 150_000])
    return _edited(files, random, lambda data: data.replace(b'"outputs": []', b'"outputs": [' + stream[:-1] + b"]", 1))
