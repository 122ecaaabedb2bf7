"""A submission with a payload in everything that a student can name, write, print or raise.

Each payload sets `window.pwned` if it runs. PLAIN is the part of it that must be readable on a page: a text that was
removed is an error too.
"""

import base64
import json
import zipfile

RUN = "window.pwned=1"
TAG = f"<img src=x onerror={RUN}>"
SCRIPT = f"</script><script>{RUN}</script>"
BREAK_OUT = f"\"'></title></style></textarea></pre><svg onload={RUN}>"
TEMPLATE = "{{ 7*7 }}{% raw %}"
TERMINAL = "\x1b]0;owned\x07\x1b[2J\x1b]8;;http://evil.example\x1b\\\x9b31m\x9d0;owned\x9c\u202egnp"
POISON = f"MARK {TAG} {SCRIPT} {BREAK_OUT} {TEMPLATE} {TERMINAL}"

# Ids that `collect` takes, since no page and no file system stumbles over them; and one that can only be made by hand.
IDS = ("mallory", f"x' onmouseover='{RUN}' &lt;b&gt;", "=HYPERLINK(A1,A2)", "w" * 100, "Smith, Jr")
FOLDER = TAG

LAYERS = f"""
import numpy as np

class TwoFaced(type):
    __name__ = property(lambda self: {POISON!r})

def affine_forward(x, w, b):
    print({POISON!r} * 3)
    raise type({TAG!r}, (Exception,), {{}})({POISON!r})

def relu_forward(x):  # {TAG}
    '''{SCRIPT} MARK'''
    raise TwoFaced({POISON!r}, (Exception,), {{}})({POISON!r})

def relu_backward(dout, cache):
    return {POISON!r}

def batchnorm_forward(x, gamma, beta, bn_param):
    bn_param[{POISON!r}] = {POISON!r}
    return {{{POISON!r}: {POISON!r}}}

def affine_backward(dout, cache):
    raise OSError({POISON!r}, {POISON!r}, {POISON!r})

def svm_loss(x, y):
    return 0.0, 2 * x  # wrong everywhere: there is a picture
"""

LINKS = (
    f"MARK [a](javascript:{RUN}) [b](JavaScript\\:{RUN}) [c](&#106;avascript:{RUN}) [d][q] [e](vbscript:{RUN}) "
    f"<javascript:{RUN}> [f](<java\tscript:{RUN}>) [g](data:text/html;base64,PHNjcmlwdD4=) [h](\x01javascript:{RUN})"
    f"\n\n[q]: javascript:{RUN}\n"
)
PICTURES = (
    "![MARK](http://evil.example/seen.png) ![a][p] !![b](//evil.example/b.png) ![a[b](attachment:x)](http://evil.example)"
    "\n\n![c](attachment:good.png) ![d](attachment:bad.svg) ![e](attachment:worse.png)\n\n[p]: http://evil.example/p.png\n"
)
MATHEMATICS = (
    rf"$\href{{javascript:{RUN}}}{{MARK}}$ $$\newcommand\h[1]{{\href{{java#1:{RUN}}}{{x}}}}\h{{script}}$$ "
    rf"$\style{{position:fixed}}{{x}}$ $<img src=x onerror={RUN}>$ \begin{{equation}}<svg onload={RUN}>\end{{equation}}"
)
FENCES = (
    f'```x" onclick="{RUN}\nMARK\n```\n\n```mermaid\ngraph TD; A[{TAG}]\n```\n\n# MARK" onclick="{RUN}\n\n{TERMINAL}'
)
MARKDOWN = {
    "tags": POISON,
    "links": LINKS,
    "pictures": PICTURES,
    "mathematics": MATHEMATICS,
    "fences": FENCES,
    "missing picture": "MARK ![nowhere](attachment:nowhere.png)",
    "ordinary": "MARK **bold**, and 5 < 6",
    "slow": "MARK " + "\\begin{a}" * 20_000,
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVG = base64.b64encode(f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>".encode()).decode()
ATTACHMENTS = {
    "good.png": {"image/png": PIXEL},
    "bad.svg": {"image/svg+xml": SVG},
    "worse.png": {"image/png": f'" onerror="{RUN}'},
    f'x" onerror="{RUN}': {"image/png": PIXEL},
}


def poisoned(path):
    """Return a released notebook with a payload in every place a student can write to, as bytes."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"] = {
        "title": POISON,
        "authors": [{"name": POISON}],
        "kernelspec": {"name": POISON, "display_name": POISON, "language": POISON},
        "language_info": {"name": POISON, "pygments_lexer": POISON, "codemirror_mode": POISON, "file_extension": TAG},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {POISON: {}}, "version_major": 2}},
    }
    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": POISON, "application/javascript": RUN}},
        {"output_type": "error", "ename": TAG, "evalue": POISON, "traceback": [POISON]},
        {"output_type": "stream", "name": "stdout", "text": POISON},
    ]
    more = {"tags": [POISON.replace(",", "")], "collapsed": True, "format": "text/html", "raw_mimetype": "text/html"}
    for cell in notebook["cells"]:
        cell["metadata"] |= more
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            text = f"# {POISON}" if cell["cell_type"] == "code" else f"ANSWER {POISON}\n\n{LINKS}\n\n{PICTURES}"
            cell["source"] = text
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs
    for number, text in enumerate(MARKDOWN.values()):
        cell = {"cell_type": "markdown", "id": f"m{number}", "metadata": dict(more), "source": text}
        notebook["cells"].append(cell | {"attachments": ATTACHMENTS})
    for kind in ("raw", "code"):
        cell = {"cell_type": kind, "id": kind, "metadata": dict(more), "source": f"%%html\n{POISON}"}
        notebook["cells"].append(cell | ({"outputs": outputs, "execution_count": 1} if kind == "code" else {}))
    return json.dumps(notebook).encode()


def write_zip(path, released):
    """Write the submission as a zip; the names of its members are payloads too.

    - released: the folder with the released FullyConnectedNets.ipynb
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cs231n/layers.py", LAYERS)
        archive.writestr("FullyConnectedNets.ipynb", poisoned(released / "FullyConnectedNets.ipynb"))
        for name in (TAG, "MARK\x1b[2J\x07\u202e\x9b", TEMPLATE, "'onclick='", "=1+1"):
            archive.writestr(f"cs231n/{name}.py", "a = 1\n")
            archive.writestr(f"cs231n/{name}{name}.py", "def broken(:\n")
            archive.writestr(f"../{name}.py", "a = 1\n")
    return path
