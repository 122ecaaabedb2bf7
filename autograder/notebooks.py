"""Reading notebooks that strangers wrote."""

import json


def unreadable(data, path):
    """Return why a notebook (bytes) cannot be read, in one sentence, or '' where it can."""
    try:
        notebook = json.loads(data)
    except UnicodeDecodeError:
        return f"{path} is not UTF-8 text; open it in Jupyter and save it again. The functions are graded all the same."
    except (ValueError, RecursionError) as error:
        reason = str(error) or type(error).__name__
        return f"{path} is not a notebook (not JSON: {reason}). The functions are graded all the same."
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        return f"{path} is JSON but not a notebook (no list of cells). The functions are graded all the same."
    return ""
