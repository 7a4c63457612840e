"""What a source promised to deliver: one YAML file a table, read once and checked whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import AfterValidator, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from lakehouse.bronze import types
from lakehouse.bronze.types import Type
from lakehouse.errors import LakehouseError

FOLDER = Path(__file__).parent / "contracts"


def _known_type(name: str) -> str:
    return types.known(name).name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Text = Annotated[str, StringConstraints(min_length=1)]


@dataclass(frozen=True)
class Column:
    """One column as delivered."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    name: Name
    type: Annotated[str, AfterValidator(_known_type)]
    description: Text
    nullable: bool = False
    optional: bool = False
    """Files from before the column existed lack it; it is null in their rows."""
    pii: Literal["none", "name", "contact", "identity", "free_text"] = "none"

    @property
    def kind(self) -> Type:
        return types.known(self.type)

    def __post_init__(self) -> None:
        if self.optional and not self.nullable:
            raise ValueError("an optional column has to be nullable")


@dataclass(frozen=True)
class Contract:
    """One table of one source: what a row is, what names it, and its columns."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    source: str
    entity: str
    description: Text
    grain: Text
    delivers: Literal["changes", "rows"]
    """A change log with a position for every row, or plain rows."""
    key: tuple[Name, ...]
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns named twice: {', '.join(twice)}")
        if not self.key:
            raise ValueError("the key has no column")
        for name in self.key:
            if name not in names:
                raise ValueError(f"key column {name!r} is no column{types.nearest(name, names)}")
            if self.columns[names.index(name)].nullable:
                raise ValueError(f"key column {name!r} may not be nullable")

    @property
    def name(self) -> str:
        return f"{self.source}/{self.entity}"


@cache
def contracts() -> tuple[Contract, ...]:
    """Every contract of this project, by source and entity."""
    return tuple(read(path) for path in sorted(FOLDER.glob("*/*.yml")))


def read(path: Path) -> Contract:
    """Read `<source>/<entity>.yml`, or say which line of it is wrong."""
    try:
        text = path.read_text("utf8")
        document = _parsed(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _broken(path, " ".join(str(error).split())) from error
    if not isinstance(document, dict):
        raise _broken(path, "it is not a mapping of names to values")
    # Where the file lies says whose it is; a name inside could only contradict it.
    own = {"source": path.parent.name, "entity": path.stem}
    for name in own.keys() & document.keys():
        line = _line(_tree(text), (name,))
        raise _broken(path, f"line {line}: {name} is told by the file's path")
    try:
        return _adapter().validate_python({**document, **own})
    except ValidationError as error:
        found = [_finding(_tree(text), dict(details)) for details in error.errors()]
        raise _broken(path, "; ".join(found)) from error


@cache
def _adapter() -> TypeAdapter[Contract]:
    return TypeAdapter(Contract)


def _parsed(text: str) -> Any:
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return yaml.safe_load(text)  # slower, and says better what is wrong


def _tree(text: str) -> yaml.Node | None:
    """What knows the lines that a document's values stand in."""
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _broken(path: Path, why: str) -> LakehouseError:
    return LakehouseError(
        f"the contract {path.parent.name}/{path.name} is wrong: {why}",
        hint=f"mend {path} and run the same command again",
    )


def _finding(tree: yaml.Node | None, details: dict[str, Any]) -> str:
    place = details["loc"]
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "unexpected_keyword_argument":
        known = Column if "columns" in place[:-1] else Contract
        fields = [name for name in known.__dataclass_fields__ if name not in ("source", "entity")]
        message = f"no such field{types.nearest(str(place[-1]), fields)}"
    field = ".".join(str(part) for part in place)
    return f"line {_line(tree, place)}: {f'{field}: ' if field else ''}{message}"


def _line(node: yaml.Node | None, place: tuple[int | str, ...]) -> int:
    """The line of a field, or of what should hold it when it is missing."""
    line = node.start_mark.line if node else 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == part]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[part]
            line = node.start_mark.line
    return int(line) + 1
