# SPDX-License-Identifier: LGPL-2.1-or-later
"""Finds the places of a C file that can be changed, and what each can become.

libclang reads the file, so that a change is one of the program and not of its letters. Inside a macro's arguments nothing is
changed, but the macro's call can be left out. Memory that is no longer freed is not looked for: the sanitizers do that.
"""

import bisect
import dataclasses
import re
import textwrap

from clang.cindex import CursorKind as Kind
from clang.cindex import Index, TokenKind, TranslationUnit

OPERATORS = {
    "==": ["!="],
    "!=": ["=="],
    "<": ["<=", ">="],
    "<=": ["<", ">"],
    ">": [">=", "<="],
    ">=": [">", "<"],
    "&&": ["||"],
    "||": ["&&"],
    "+": ["-"],
    "-": ["+"],
    "&": ["|"],
    "|": ["&"],
    "+=": ["-="],
    "-=": ["+="],
    "|=": ["="],
}
BOOLEANS = {"TRUE": "FALSE", "FALSE": "TRUE"}
# Calls that look at what only a programmer's mistake can bring about, or tell nobody but a programmer.
ASIDES = re.compile(r"(g_(return_|assert|warn_)|G_STATIC_ASSERT|tokend_debug)")
# Calls that free memory and do nothing else; and where more of them do no more than that.
FREEING = re.compile(r"((\w+_)?(free|unref) \(|G_OBJECT_CLASS \(\w+\)->(finalize|dispose)\b)")
FREEING_AT_END = re.compile(r"g_(clear_object \(|(clear_pointer|queue_clear_full) \(.*\bg_\w+\)$)")
END = re.compile(r"\w+_(free|finalize|dispose|clear)\Z")
TIME = re.compile(r"(_MS|_US|_SECONDS|TIME|INTERVAL)\Z")
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\Z")
CALLS = (Kind.CALL_EXPR, Kind.BINARY_OPERATOR, Kind.COMPOUND_ASSIGNMENT_OPERATOR, Kind.UNARY_OPERATOR)
# Of the words that name a change.
WIDTH = 100
JUMPS = (Kind.BREAK_STMT, Kind.CONTINUE_STMT)
BODIES = (Kind.COMPOUND_STMT, Kind.IF_STMT, Kind.FOR_STMT, Kind.WHILE_STMT, Kind.DO_STMT, Kind.CASE_STMT, Kind.DEFAULT_STMT)


@dataclasses.dataclass(frozen=True)
class Change:
    """The bytes from start to end of a file become others; what: says so in a few words."""

    path: str
    function: str
    line: int
    text: str
    start: int
    end: int
    new: str
    what: str

    @property
    def key(self):
        """Stays the same while the lines around move."""
        return self.path, self.function, self.text, self.what

    def apply(self, source):
        """Returns the bytes of the changed file."""
        return source[: self.start] + self.new.encode() + source[self.end :]


class Finder:
    """Collects the changes of one file."""

    def __init__(self, path, source, unit):
        self.path = path
        self.source = source
        self.found = {}
        self.lines = [0] + [match.end() for match in re.finditer(b"\n", source)]
        here = [cursor for cursor in unit.cursor.get_children() if is_in(cursor, unit.spelling)]
        self.macros = sorted(
            (cursor.extent.start.offset, cursor.extent.end.offset, cursor.spelling)
            for cursor in here
            if cursor.kind == Kind.MACRO_INSTANTIATION
        )
        self.tokens = [
            (token.extent.start.offset, token.extent.end.offset, token.spelling)
            for token in unit.get_tokens(extent=unit.cursor.extent)
            if token.kind != TokenKind.COMMENT
        ]
        self.starts = [token[0] for token in self.tokens]
        self.parts = [
            (cursor.extent.start.offset, cursor.extent.end.offset, cursor.spelling)
            for cursor in here
            if cursor.kind in (Kind.FUNCTION_DECL, Kind.VAR_DECL)
        ]
        for cursor in here:
            if cursor.kind == Kind.MACRO_DEFINITION:
                self.look_at_macro(cursor)
            elif cursor.kind == Kind.VAR_DECL or (cursor.kind == Kind.FUNCTION_DECL and cursor.is_definition()):
                self.look_at(cursor, cursor.result_type.spelling)
        for start, end, name in self.macros:
            if name in BOOLEANS:
                self.replace(start, end, BOOLEANS[name])

    def look_at_macro(self, cursor):
        """Moves the numbers of a constant that has a name: '#define REASON_MAX 96'. A unit of time more is no other deadline."""
        if TIME.search(cursor.spelling):
            return
        for start, end, text in self.tokens_between(cursor.extent.start.offset, cursor.extent.end.offset):
            self.move_number(start, end, text, cursor.spelling)

    def look_at(self, cursor, result):
        """result: what the function around returns, in words."""
        if cursor.kind in (Kind.BINARY_OPERATOR, Kind.COMPOUND_ASSIGNMENT_OPERATOR):
            self.look_at_operator(cursor)
        elif cursor.kind in (Kind.IF_STMT, Kind.WHILE_STMT, Kind.CONDITIONAL_OPERATOR):
            self.turn_round(next(cursor.get_children()))
        elif cursor.kind == Kind.UNARY_OPERATOR:
            self.look_at_unary(cursor)
        elif cursor.kind == Kind.RETURN_STMT and result == "gboolean":
            for value in cursor.get_children():
                self.turn_round(value)
        elif cursor.kind == Kind.INTEGER_LITERAL:
            start, end = extent(cursor)
            self.move_number(start, end, self.text(start, end))
        elif cursor.kind == Kind.DECL_REF_EXPR:
            self.swap_constant(cursor)
        if cursor.kind in BODIES:
            self.look_at_statements(cursor)
        for child in cursor.get_children():
            # Another label is there already; the size of an array that is passed means nothing.
            if (cursor.kind != Kind.CASE_STMT or child.kind.is_statement()) and cursor.kind != Kind.PARM_DECL:
                self.look_at(child, result)

    def look_at_operator(self, cursor):
        children = list(cursor.get_children())
        if len(children) != 2:
            return
        (start, middle), (after, end) = map(extent, children)
        operator = next(self.tokens_between(middle, after), None)
        if operator is None or operator[2] not in OPERATORS:
            return
        for new in OPERATORS[operator[2]]:
            self.replace(operator[0], operator[1], new)
        if operator[2] in ("&&", "||"):
            # Of "a && b && c", which is "(a && b) && c", each alone.
            if self.operator_of(children[0]) != operator[2]:
                self.leave_out(start, after, self.text(start, middle))
            self.leave_out(middle, end, self.text(after, end))

    def look_at_unary(self, cursor):
        start, end = extent(cursor)
        token = next(self.tokens_between(start, end), None)
        if token is not None and token[2] == "!":
            self.add(start, token[1], "", f"turned round: {self.text(start, end)}")

    def turn_round(self, condition):
        """A comparison, "&&", "||" and a negation have changes of their own."""
        start, end = extent(condition)
        text = self.text(start, end)
        if text not in BOOLEANS and not text.startswith("!") and self.operator_of(condition) not in OPERATORS:
            self.add(start, end, f"!({text})", f"turned round: {text}")

    def operator_of(self, cursor):
        """Returns the operator of what has two operands, else None."""
        children = list(cursor.get_children())
        while cursor.kind in (Kind.UNEXPOSED_EXPR, Kind.PAREN_EXPR) and len(children) == 1:
            cursor = children[0]
            children = list(cursor.get_children())
        if cursor.kind != Kind.BINARY_OPERATOR:
            return None
        left, right = map(extent, children)
        return next((token[2] for token in self.tokens_between(left[1], right[0])), None)

    def look_at_statements(self, cursor):
        children = list(cursor.get_children())
        if cursor.kind in (Kind.IF_STMT, Kind.CASE_STMT, Kind.WHILE_STMT):
            children = children[1:]
        elif cursor.kind == Kind.FOR_STMT:
            children = children[-1:]
        elif cursor.kind == Kind.DO_STMT:
            children = children[:1]
        for child in children:
            if self.can_be_left_out(child):
                start, end = extent(child)
                text = self.text(start, end)
                # The semicolon of the others stays: "if (x) ;" is a statement.
                self.add(start, end, ";" if text.startswith("if ") else "", "without " + text)

    def can_be_left_out(self, statement):
        start, end = extent(statement)
        text = self.text(start, end)
        if ASIDES.match(text) or FREEING.match(text) or (FREEING_AT_END.match(text) and END.match(self.part_of(start) or "")):
            return False
        if any(first == start and last == end for first, last, _ in self.macros):
            return True
        if statement.kind == Kind.IF_STMT:
            return len(list(statement.get_children())) == 2
        if statement.kind == Kind.UNEXPOSED_EXPR:  # a call of a function whose value is dropped, converted
            return True
        return statement.kind in CALLS + JUMPS or text == "return"

    def move_number(self, start, end, text, name=None):
        match = NUMBER.match(text)
        # "{ 0 }" is how everything is set to nothing.
        if match is None or self.source[start - 2 : end + 2] == b"{ 0 }":
            return
        digits = match.group(1)
        base = 8 if re.match(r"0\d", digits) else 0
        number = int(digits, base)
        for moved in (number + 1, number - 1):
            if moved >= 0:
                self.add(start, end, str(moved), f"{text} => {moved}", name)

    def swap_constant(self, cursor):
        constant = cursor.referenced
        if constant is None or constant.kind != Kind.ENUM_CONSTANT_DECL or constant.spelling.startswith("G_"):
            return
        start, end = extent(cursor)
        if self.text(start, end) != constant.spelling:
            return
        others = [one for one in constant.semantic_parent.get_children() if one.kind == Kind.ENUM_CONSTANT_DECL]
        names = [one.spelling for one in others]
        at = names.index(constant.spelling)
        for other in others[at + 1 :] + others[:at]:
            if other.enum_value != constant.enum_value:
                self.replace(start, end, other.spelling)
                break

    def replace(self, start, end, new):
        self.add(start, end, new, f"{self.text(start, end)} => {new}")

    def leave_out(self, start, end, text):
        self.add(start, end, "", f"without {text}")

    def add(self, start, end, new, what, part=None):
        """part: the function or variable that it is in, unless that is found by its place."""
        if start >= end or self.is_inside_macro(start, end):
            return
        part = part or self.part_of(start)
        if part is None:
            return
        line = bisect.bisect_right(self.lines, start)
        text = self.source[self.lines[line - 1] :].split(b"\n", 1)[0].decode().strip()
        what = textwrap.shorten(what, WIDTH, placeholder=" …")
        self.found.setdefault((start, end, new), Change(self.path, part, line, text, start, end, new, what))

    def is_inside_macro(self, start, end):
        """Whether that is a part of a macro's call, but not all of it."""
        return any(
            first <= start and end <= last and (first, last) != (start, end) for first, last, _ in self.macros
        )

    def part_of(self, offset):
        """Returns the name of the function or variable that it is in, if any."""
        return next((name for first, last, name in self.parts if first <= offset < last), None)

    def tokens_between(self, start, end):
        for at in range(bisect.bisect_left(self.starts, start), len(self.tokens)):
            if self.tokens[at][0] >= end:
                return
            yield self.tokens[at]

    def text(self, start, end):
        return self.source[start:end].decode()


def is_in(cursor, path):
    file = cursor.location.file
    return file is not None and file.name == path


def extent(cursor):
    """Of what comes from a macro, the place where that is called."""
    return cursor.extent.start.offset, cursor.extent.end.offset


def number_alike(changes):
    """Numbers those that have one key."""
    seen = {}
    for change in changes:
        seen[change.key] = nth = seen.get(change.key, 0) + 1
        yield change if nth == 1 else dataclasses.replace(change, what=f"{change.what} #{nth}")


def find_changes(name, path, source, arguments):
    """name: of the file, from the clone's top; path: where it is; source: its bytes; arguments: what it is compiled with."""
    options = TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD
    unit = Index.create().parse(path, args=arguments, unsaved_files=[(path, source.decode())], options=options)
    errors = [str(diagnostic) for diagnostic in unit.diagnostics if diagnostic.severity >= diagnostic.Error]
    if errors:
        raise ValueError(errors[0])
    found = Finder(name, source, unit).found.values()
    return list(number_alike(sorted(found, key=lambda change: (change.start, change.end, change.new))))
