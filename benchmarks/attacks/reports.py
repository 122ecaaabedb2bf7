"""Attacks on who reads the report: a script in a page sets the page's title, and a browser says whether it did."""

import json

from .attack import Attack

TITLE = "script-ran"
SCRIPT = f"<script>document.title='{TITLE}'</script><img src=x onerror=\"document.title='{TITLE}'\">"


def _in_markdown(data):
    notebook = json.loads(data)
    notebook["cells"].insert(0, {"cell_type": "markdown", "id": "note", "metadata": {}, "source": SCRIPT})
    return json.dumps(notebook).encode()


ATTACKS = [
    Attack("Reports", "a script in a Markdown cell", notebook=_in_markdown),
    Attack(
        "Reports",
        "a script as displayed output",
        f"""
def show():
    from IPython.display import HTML, display

    display(HTML({SCRIPT!r}))


try_all(show)
print({SCRIPT!r})
""",
    ),
    Attack(
        "Reports",
        "a script in an exception's message",
        f"def relu_forward(x):\n    print({SCRIPT!r})\n    raise ValueError({SCRIPT!r})",
    ),
]
