"""Attribution: the terms that a wrong gradient consists of.

A gradient is a sum of terms: a direct term, a term through the mean, and so on. If a student's gradient is a sum of
the same terms with other coefficients, the coefficients show which term is missing, counted twice or divided.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.compare import RTOL, agrees, rtol_of
from autograder.diagnosis.array_comparison import is_real
from autograder.runtime.text import join_words

SMALL_NUMBERS = {0.0: "0", 1.0: "1", 2.0: "2", 0.5: "1/2", 3.0: "3"}
MIN_SINGULAR_VALUE = 1e-5  # for terms of length 1; with a smaller value, more than one sum fits
MAX_UNCERTAINTY = 1e-3  # a less certain coefficient is not reported
MAX_OPERATIONS = 1e9  # a longer fit is not tried
MAX_TERMS = 6  # in a sentence; a longer sum is no help to a reader


@dataclass(frozen=True)
class Attribution:
    """A gradient as a sum of terms; `coefficients` maps each term's name to (value, text), as in (0.25, "1/N")."""

    coefficients: dict[str, tuple[float, str]]

    def describe(self, name: str) -> str:
        """Return a sentence with the sum of the gradient `name` and the meaning of each coefficient that is not 1.

        "Your dx is 1 · direct + 0 · through the mean: the part through the mean is missing."
        """
        terms = " + ".join(f"{text} · {term}" for term, (_, text) in self.coefficients.items())
        return f"Your {name} is {terms.replace('+ −', '− ')}: {self.describe_mistakes()}."

    def describe_mistakes(self) -> str:
        """Return the mistakes in words, as in "the part through the mean is missing"."""
        texts = {text for _, text in self.coefficients.values()}
        if len(texts) == 1:
            return f"everything {_meaning(texts.pop())}"
        wrong = [(term, text) for term, (_, text) in self.coefficients.items() if text != "1"]
        return join_words([f"{_subject(term)} {_meaning(text)}" for term, text in wrong])


def attribute(actual: Any, terms: Mapping[str, Any], sizes: Mapping[str, float] | None = None) -> Attribution | None:
    """Return the Attribution of a wrong gradient to its terms, or None if no such sum fits.

    It is also None if the gradient is right or 0, and if the terms do not determine the coefficients.

    - actual: the student's gradient; its dtype decides how closely the sum must agree
    - terms: {name: array of actual's shape}; their sum is the right gradient; terms of zeros are left out
    - sizes: {name: number} that may be coefficients, as in {"N": 4} for N and 1/N
    """
    gradient = np.asarray(actual)
    arrays = {name: np.asarray(term) for name, term in terms.items()}
    if not is_real(gradient, *arrays.values()) or any(array.shape != gradient.shape for array in arrays.values()):
        return None
    arrays = {name: array for name, array in arrays.items() if np.any(array)}
    with np.errstate(all="ignore"):
        right = agrees(gradient, sum(arrays.values()), rtol_of(gradient))
        fitted = _fit(gradient, list(arrays.values())) if arrays and not right else None
    if fitted is None:
        return None
    known = _known_numbers(sizes or {})
    coefficients = {}
    for name, value, uncertainty in zip(arrays, *fitted, strict=True):
        coefficient = _recognise(float(value), float(uncertainty), known, rtol_of(gradient))
        if coefficient is None:
            return None
        coefficients[name] = coefficient
    if {text for _, text in coefficients.values()} in ({"1"}, {"0"}):
        return None
    return Attribution(coefficients)


def describe_shares(actual: Any, parts: np.ndarray, name: str, each: str = "example") -> str:
    """Return a sentence about the examples (or windows, ...) whose shares a gradient contains, or "".

    - parts: array of shape (n, *actual.shape), one share for each example; the right gradient is their sum
    - name: the name of the gradient, as in "dw"
    - each: the noun for one part, in the singular
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
    if present and 0 < len(missing) <= MAX_TERMS // 2 and len(present) + len(missing) == len(values):
        shares = "share of {} is" if len(missing) == 1 else "shares of {} are"
        return f"The {shares.format(join_words(missing))} missing from your {name}."
    return found.describe(name) if len(values) <= MAX_TERMS else ""


def _fit(actual: np.ndarray, terms: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the coefficients and their uncertainties, or None if no sum of the terms fits, or more than one."""
    rtol, size, count = rtol_of(actual), actual.size, len(terms)
    if size <= count or size * count**2 > MAX_OPERATIONS:
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
    if singular[-1] < MIN_SINGULAR_VALUE:
        return None
    inverse = vt.T / singular
    solution = inverse @ (u.T @ target)
    if not agrees(columns @ solution, target, rtol):
        return None
    rounding = 10 * np.finfo(np.float64 if rtol == RTOL else np.float32).eps * _rms(target)
    noise = max(_rms(target - columns @ solution) * np.sqrt(size / (size - count)), rounding)
    unit = scale / largest / lengths
    return solution * unit, 10 * noise * np.linalg.norm(inverse, axis=1) * unit


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _known_numbers(sizes: Mapping[str, float]) -> dict[float, str]:
    """Return {value: text} of the numbers with a meaning; if two texts fit one value, the simpler one."""
    names: dict[float, list[str]] = {}
    for name, value in sizes.items():
        names.setdefault(float(value), []).append(name)
    known = dict(SMALL_NUMBERS)
    for value, same in names.items():
        name = " or ".join(same)  # the numbers do not show which one
        known.setdefault(value, name)
        if value:
            known.setdefault(1 / value, _reciprocal(name))
    return known | {-value: f"−{text}" for value, text in known.items() if value > 0}


def _reciprocal(name: str) -> str:
    if re.fullmatch(r"1/\w+", name):
        return name[2:]
    return f"1/{name}" if re.fullmatch(r"\w+", name) else f"1/({name})"


def _recognise(value: float, uncertainty: float, known: Mapping[float, str], rtol: float) -> tuple[float, str] | None:
    """Return (number, text) of the one known number that a coefficient may be, or None."""
    size = max(1.0, abs(value))
    if not uncertainty <= MAX_UNCERTAINTY * size:
        return None
    near = [(number, text) for number, text in known.items() if abs(value - number) <= max(uncertainty, rtol * size)]
    return near[0] if near and np.isclose(near[0][0], near[-1][0], rtol=1e-9, atol=0) else None


def _meaning(text: str) -> str:
    """Return the meaning of a coefficient that is not 1, as the words that follow the term."""
    if text.startswith("−"):
        rest = text[1:]
        return "has the wrong sign" + (f" and {_meaning(rest)}" if rest != "1" else "")
    plain = {"0": "is missing", "1/2": "counts only half", "2": "is counted twice", "3": "is counted three times"}
    divisor = re.fullmatch(r"1/\(?(.*?)\)?", text)
    return plain.get(text) or (f"is divided by {divisor[1]}" if divisor else f"is multiplied by {text}")


def _subject(term: str) -> str:
    """Return a term's name so that "is missing" can follow it."""
    if term.isalpha():
        return f"the {term} part"
    if re.match(r"(through|via|by|of|from|over|in|at|with) ", term):
        return f"the part {term}"
    return f"{term}," if ", " in term else term
