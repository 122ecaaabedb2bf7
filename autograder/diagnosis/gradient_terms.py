"""Which of its named terms a wrong gradient consists of.

A gradient is a sum of terms: what comes directly, what comes through the mean, and so on. Where what a student's code
returned is such a sum with other coefficients, the coefficients say what was left out, counted twice or divided.
"""

import re
from dataclasses import dataclass

import numpy as np

from autograder.checking.compare import RTOL, agrees
from autograder.diagnosis.error_pattern import is_real, rtol_of
from autograder.runtime.text import join_words

PLAIN = {0.0: "0", 1.0: "1", 2.0: "2", 0.5: "1/2", 3.0: "3"}
DEPENDENT = 1e-5  # the smallest singular value, of terms of length 1, with which a fit counts as the only one
VAGUE = 1e-3  # a coefficient known no better than this is not told
LARGEST = 1e9  # operations; a fit that costs more is not tried
MANY = 6  # terms; a longer sum is no help to a reader


@dataclass(frozen=True)
class Attribution:
    """The sum that a gradient is: `coefficients` maps each term's name to (value, text), as in (0.25, "1/N")."""

    coefficients: dict[str, tuple[float, str]]

    def sentence(self, name):
        """Say what the gradient called `name` is a sum of, and what is the matter with each coefficient that is not 1.

        "Your dx is 1 · direct + 0 · through the mean: the part through the mean is missing."
        """
        terms = " + ".join(f"{text} · {term}" for term, (_, text) in self.coefficients.items())
        return f"Your {name} is {terms.replace('+ −', '− ')}: {self.matter()}."

    def matter(self):
        """Say in words what is the matter, as in "the part through the mean is missing"."""
        texts = {text for _, text in self.coefficients.values()}
        if len(texts) == 1:
            return f"everything {_matter(texts.pop())}"
        wrong = [(term, text) for term, (_, text) in self.coefficients.items() if text != "1"]
        return join_words([f"{_subject(term)} {_matter(text)}" for term, text in wrong])


def attribute(actual, terms, sizes=()):
    """Return the Attribution of a wrong gradient to its terms, or None where it is no telling sum of them.

    It is None, too, where the gradient is right or 0, and where the terms do not determine the coefficients.

    - actual: what the student's code returned; how closely the sum has to agree depends on its dtype
    - terms: {name: array of actual's shape}; the right gradient is their plain sum, a term of zeros is left out
    - sizes: {name: number} that coefficients may be made of, as in {"N": 4} for N and 1/N
    """
    actual = np.asarray(actual)
    terms = {name: np.asarray(term) for name, term in terms.items()}
    if not is_real(actual, *terms.values()) or any(term.shape != actual.shape for term in terms.values()):
        return None
    terms = {name: term for name, term in terms.items() if np.any(term)}
    with np.errstate(all="ignore"):
        right = agrees(actual, sum(terms.values()), rtol_of(actual))
        fitted = _fit(actual, list(terms.values())) if terms and not right else None
    if fitted is None:
        return None
    telling = _telling(dict(sizes))
    told = [_told(value, doubt, telling, rtol_of(actual)) for value, doubt in zip(*fitted)]
    if None in told or all(text == "1" for _, text in told) or all(text == "0" for _, text in told):
        return None
    return Attribution(dict(zip(terms, told)))


def by_example(actual, parts, name, each="example"):
    """Say which examples' (or windows', ...) shares a gradient called `name` holds; "" where nothing simple holds.

    - parts: an array (n, *shape of actual), one share per example; the right gradient is their sum
    - each: what the parts belong to, in the singular
    """
    found = attribute(actual, {f"{each} {i}": part for i, part in enumerate(parts)}, {"n": len(parts)})
    if found is None:
        return ""
    values = {term: value for term, (value, _) in found.coefficients.items()}
    present, missing = ([term for term, value in values.items() if value == wanted] for wanted in (1, 0))
    if len(values) > 1 and all(value == 1 / len(parts) for value in values.values()):
        return f"Your {name} is the average over the {len(parts)} {each}s, not their sum."
    if len(present) == 1 and len(present) + len(missing) == len(values):
        ends = {f"{each} 0": f"the first {each}", f"{each} {len(parts) - 1}": f"the last {each}"}
        return f"Only the share of {ends.get(present[0], present[0])} is in your {name}."
    if present and 0 < len(missing) <= MANY // 2 and len(present) + len(missing) == len(values):
        shares = "share of {} is" if len(missing) == 1 else "shares of {} are"
        return f"The {shares.format(join_words(missing))} missing from your {name}."
    return found.sentence(name) if len(values) <= MANY else ""


def _fit(actual, terms):
    """Return the coefficients and how far off each may be, or None: no sum of the terms, or not only one."""
    rtol, size, count = rtol_of(actual), actual.size, len(terms)
    if size <= count or size * count**2 > LARGEST:
        return None
    scale = float(np.max(np.abs(actual.astype(np.float64)), initial=0.0)) or 1.0
    target = actual.ravel() / np.float64(scale)
    columns = np.stack([term.ravel() for term in terms], axis=1).astype(np.float64)
    largest = np.abs(columns).max(axis=0)
    columns /= largest
    lengths = np.linalg.norm(columns, axis=0)
    columns /= lengths
    if not (np.isfinite(target).all() and np.isfinite(columns).all()):
        return None
    u, singular, vt = np.linalg.svd(columns, full_matrices=False)
    if singular[-1] < DEPENDENT:
        return None
    inverse = vt.T / singular
    solution = inverse @ (u.T @ target)
    if not agrees(columns @ solution, target, rtol):
        return None
    rounding = 10 * np.finfo(np.float64 if rtol == RTOL else np.float32).eps * _rms(target)
    noise = max(_rms(target - columns @ solution) * np.sqrt(size / (size - count)), rounding)
    unit = scale / largest / lengths
    return solution * unit, 10 * noise * np.linalg.norm(inverse, axis=1) * unit


def _rms(values):
    return float(np.sqrt(np.mean(values**2)))


def _telling(sizes):
    """Return {value: text} of the numbers that say something; where two texts fit one value, the plainer one."""
    names = {}
    for name, value in sizes.items():
        names.setdefault(float(value), []).append(name)
    telling = dict(PLAIN)
    for value, same in names.items():
        name = " or ".join(same)  # one of them; which one, the numbers cannot tell
        telling.setdefault(value, name)
        if value:
            telling.setdefault(1 / value, _reciprocal(name))
    return telling | {-value: f"−{text}" for value, text in telling.items() if value > 0}


def _reciprocal(name):
    if re.fullmatch(r"1/\w+", name):
        return name[2:]
    return f"1/{name}" if re.fullmatch(r"\w+", name) else f"1/({name})"


def _told(value, doubt, telling, rtol):
    """Return (number, text) of the one telling number that a coefficient may be, or None."""
    size = max(1.0, abs(value))
    if not doubt <= VAGUE * size:
        return None
    near = [(number, text) for number, text in telling.items() if abs(value - number) <= max(doubt, rtol * size)]
    return near[0] if near and np.isclose(near[0][0], near[-1][0], rtol=1e-9, atol=0) else None


def _matter(text):
    """Say what a coefficient that is not 1 means, as what follows the term."""
    if text.startswith("−"):
        rest = text[1:]
        return "has the wrong sign" + (f" and {_matter(rest)}" if rest != "1" else "")
    plain = {"0": "is missing", "1/2": "counts only half", "2": "is counted twice", "3": "is counted three times"}
    divisor = re.fullmatch(r"1/\(?(.*?)\)?", text)
    return plain.get(text) or (f"is divided by {divisor[1]}" if divisor else f"is multiplied by {text}")


def _subject(term):
    """Return a term's name so that "is missing" can follow it."""
    if term.isalpha():
        return f"the {term} part"
    if re.match(r"(through|via|by|of|from|over|in|at|with) ", term):
        return f"the part {term}"
    return f"{term}," if ", " in term else term
