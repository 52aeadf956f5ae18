"""Parse the text of an expression, with the rules of precedence that Python has."""

from __future__ import annotations

import cmath

from rheojobs.errors import InputError, nearest
from rheojobs.inference.expressions.evaluation import FUNCTIONS, constant_value
from rheojobs.inference.expressions.expression import Expression
from rheojobs.inference.expressions.tokens import ALLOWED, Token, tokenize
from rheojobs.inference.expressions.tree import Binary, Call, Name, Negative, Node, Number

__all__ = ["LONGEST", "parse", "split_outside_brackets"]

LONGEST = 2000
"""The most characters of an expression."""

DEEPEST = 50
"""How deep parentheses, signs and powers may be nested."""

LARGEST_POWER = 100

BOTH = ("gamma",)
"""Functions that are usual names of parameters too."""


def parse(
    text: str,
    where: str = "",
    *,
    example: str = "0.5 * G1",
    is_complex: bool = False,
    longest: int = LONGEST,
) -> Expression:
    """Parse an expression.

    Parameters
    ----------
    text : str
        Such as ``"G0*exp(-t/tau)"``; Greek letters, ``·``, ``−`` and superscripts are understood.
    where : str
        What the expression is, for errors; ``"formula '...'"`` by default.
    example : str
        A good one, for errors.
    is_complex : bool
        Whether imaginary numbers, such as ``2j``, may be in it.
    longest : int
        The most characters.

    Raises
    ------
    InputError
        In one line: the column, what is wrong, and what would be right.
    """
    shown = text if len(text) <= 60 else f"{text[:59]}…"
    where = where or f"formula {shown!r}"
    if not text.strip():
        raise InputError(f"{where}: must be an expression such as {example!r}")
    if len(text) > longest:
        raise InputError(f"{where}: longer than {longest} characters")
    parser = _Parser(tokenize(text, where), where, example, is_complex=is_complex)
    return Expression(parser.whole(), tuple(parser.names))


def split_outside_brackets(text: str, separator: str) -> list[str]:
    """Split a text at each separator that is in no brackets: ``a,min(b,c)`` has two parts."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == separator and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


class _Parser:
    """Takes tokens from left to right; each method takes one construct and returns its node."""

    def __init__(
        self, tokens: list[Token], where: str, example: str, *, is_complex: bool = False
    ) -> None:
        self._tokens = tokens
        self._where = where
        self._example = example
        self._is_complex = is_complex
        self._place = 0
        self._depth = 0
        self._constants: dict[int, complex] = {}
        self.names: dict[str, None] = {}

    def whole(self) -> Node:
        node = self._sum()
        found = self._next
        if found.kind == ")":
            raise self._error(found, "this ) closes nothing")
        if found.kind == ",":
            raise self._error(found, "a comma is only between arguments; decimals have a point")
        if found.kind != "end":
            before = self._tokens[self._place - 1].text
            words = f"write a sign between {before!r} and {found.text!r}, such as *"
            raise self._error(found, words)
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _error(self, token: Token, words: str) -> InputError:
        return InputError(f"{self._where}, column {token.column}: {words}")

    def _sum(self) -> Node:
        left = self._product()
        while self._next.kind in ("+", "-"):
            sign = self._take()
            left = self._binary(sign, left, self._product())
        return left

    def _product(self) -> Node:
        left = self._signed()
        while self._next.kind in ("*", "/"):
            sign = self._take()
            left = self._binary(sign, left, self._signed())
        return left

    def _signed(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(self._next, f"nested more than {DEEPEST} deep")
        if self._next.kind == "-":
            node = self._noted(Negative(self._signed_after()))
        elif self._next.kind == "+":
            node = self._signed_after()
        else:
            node = self._power()
        self._depth -= 1
        return node

    def _signed_after(self) -> Node:
        self._take()
        return self._signed()

    def _power(self) -> Node:
        base = self._atom()
        token = self._next
        if token.kind == "**":
            return self._binary(self._take(), base, self._signed())
        if token.kind == "raised":
            self._take()
            value = int(abs(token.value))
            power = self._noted(Number(value))
            if token.text.startswith("⁻"):
                power = self._noted(Negative(power))
            return self._binary(Token("**", token.text, token.column), base, power)
        return base

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "number":
            if isinstance(token.value, complex) and not self._is_complex:
                raise self._error(token, f"{token.text} is imaginary, and not a number here")
            return self._noted(Number(token.value))
        if token.kind == "name":
            return self._call(token) if self._next.kind == "(" else self._name(token)
        if token.kind == "(":
            node = self._sum()
            self._close(token)
            return node
        if token.kind == "end":
            raise self._error(token, f"it ends too early; right is, say, {self._example!r}")
        raise self._error(token, f"{token.text!r} is out of place; {ALLOWED} allowed")

    def _close(self, opened: Token) -> None:
        token = self._next
        if token.kind == ")":
            self._take()
            return
        if token.kind == "end":
            raise self._error(opened, "this ( is not closed")
        if token.kind == ",":
            raise self._error(token, "a comma is only between arguments; decimals have a point")
        raise self._error(token, f"write a sign before {token.text!r}, such as *")

    def _name(self, token: Token) -> Node:
        if token.text in FUNCTIONS and token.text not in BOTH:
            raise self._error(token, f"{token.text} is a function: write {token.text}(…)")
        self.names[token.text] = None
        return Name(token.text)

    def _call(self, token: Token) -> Node:
        # Γ(1 - α), as it is printed.
        name = "gamma" if token.text == "Gamma" else "log" if token.text == "ln" else token.text
        if name not in FUNCTIONS:
            words = f"there is no function {name!r}; {nearest(name, FUNCTIONS)}"
            raise self._error(token, f"{words}; a product is written {name}*(…)")
        opened = self._take()
        arguments = [self._sum()]
        while self._next.kind == ",":
            self._take()
            arguments.append(self._sum())
        self._close(opened)
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            wanted = "one argument" if most == 1 else "two arguments or more"
            raise self._error(token, f"{name} takes {wanted}, got {len(arguments)}")
        return self._noted(Call(name, tuple(arguments)), token)

    def _binary(self, sign: Token, left: Node, right: Node) -> Node:
        power = self._constants.get(id(right)) if sign.kind == "**" else None
        if power is not None and abs(power) > LARGEST_POWER and id(left) not in self._constants:
            raise self._error(sign, f"the power is beyond {LARGEST_POWER}")
        if sign.kind == "/" and self._constants.get(id(right)) == 0:
            raise self._error(sign, "this divides by zero")
        return self._noted(Binary(sign.kind, left, right), sign)

    def _noted(self, node: Node, token: Token | None = None) -> Node:
        """Note the value of a node without names; refuse one that is no finite number."""
        value = constant_value(node, self._constants)
        if value is not None:
            if not cmath.isfinite(value):
                words = "this is no finite number"
                raise self._error(token or self._next, words)
            self._constants[id(node)] = value
        return node
